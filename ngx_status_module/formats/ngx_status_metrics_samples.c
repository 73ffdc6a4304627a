
/*
 * Copyright (C) ngx_status_module authors
 *
 * What a monitor and its checks are in samples.
 *
 * What is not known now has no sample: a value that nobody has measured is
 * not repeated, so a checker that is dead leaves gaps and not a flat line.
 *
 * Samples are what a page costs, here and in Prometheus; so a check has some
 * twenty: its state is one and not one of seven, and windows that Prometheus
 * can add up itself are left out.  Nothing that a target sends becomes a
 * label, and what a check is stands beside its ID in few of them.
 */


#include "ngx_status_metrics.h"


/* of ngx_status_window_names: 24 h, whose percentiles are told */
#define NGX_STATUS_METRICS_DAY     1

#define NGX_STATUS_METRICS_TARGET  1024          /* bytes at most */


static void ngx_status_metrics_outlet(ngx_status_metrics_t *m,
    ngx_uint_t which, ngx_uint_t metric);
static void ngx_status_metrics_last(ngx_status_metrics_t *m,
    const ngx_status_result_t *last);
static void ngx_status_metrics_windows(ngx_status_metrics_t *m,
    const ngx_status_view_t *v);
static void ngx_status_metrics_deltas(ngx_status_metrics_t *m,
    const ngx_status_view_t *v);
static void ngx_status_metrics_states(ngx_status_metrics_t *m, ngx_uint_t i,
    ngx_uint_t state);


void
ngx_status_metrics_monitor(ngx_status_metrics_t *m)
{
    size_t                        none;
    ngx_uint_t                    i;
    ngx_status_sum_t              sum;
    const ngx_status_group_t     *group;
    const ngx_status_monitor_t   *monitor;
    const ngx_status_snapshot_t  *s;

    s = m->snapshot;
    monitor = s->monitor;

    none = ngx_status_metrics_text(m, "monitor", &monitor->name);
    (void) ngx_status_metrics_text(m, "title", &monitor->title);
    ngx_status_metrics_int(m, NGX_STATUS_M_MONITOR, 1);
    m->labels.len = none;

    ngx_status_metrics_int(m, NGX_STATUS_M_ALIVE, s->alive ? 1 : 0);
    ngx_status_metrics_time(m, NGX_STATUS_M_HEARTBEAT, s->beat.at);

    if (s->alive) {
        ngx_status_metrics_decimal(m, NGX_STATUS_M_RATE, s->beat.rate, 3);
        ngx_status_metrics_int(m, NGX_STATUS_M_IN_FLIGHT, s->beat.in_flight);
        ngx_status_metrics_decimal(m, NGX_STATUS_M_LATENESS,
                                   s->beat.lateness, 3);
    }

    ngx_status_metrics_outlet(m, NGX_STATUS_STORE, NGX_STATUS_M_STORE);

    if (s->outlets[NGX_STATUS_ARCHIVE].state != NGX_STATUS_OUTLET_OFF) {
        ngx_status_metrics_outlet(m, NGX_STATUS_ARCHIVE,
                                  NGX_STATUS_M_ARCHIVE);
    }

    if (s->outlets[NGX_STATUS_EXPORT].state != NGX_STATUS_OUTLET_OFF) {
        ngx_status_metrics_outlet(m, NGX_STATUS_EXPORT, NGX_STATUS_M_EXPORT);
    }

    if (monitor->inbox) {
        ngx_status_metrics_int(m, NGX_STATUS_M_PUSHES_LOST, s->pushes_lost);
    }

    ngx_status_asked_sum(s, m->ask, &sum);

    ngx_status_metrics_states(m, NGX_STATUS_M_ALL,
                              ngx_status_sum_state(&sum));

    for (i = 0; i < NGX_STATUS_NSTATES; i++) {
        (void) ngx_status_metrics_word(m, "state",
                                       &ngx_status_states[i].name);
        ngx_status_metrics_int(m, NGX_STATUS_M_COUNTS, sum.counts[i]);
        m->labels.len = none;
    }

    for (i = 0; i < monitor->ngroups; i++) {
        group = &monitor->groups[i];

        if (ngx_status_asked_group(s, m->ask, group, &sum)) {
            (void) ngx_status_metrics_text(m, "group", &group->title);
            ngx_status_metrics_states(m, NGX_STATUS_M_GROUP,
                                      ngx_status_sum_state(&sum));
            m->labels.len = none;
        }
    }
}


/* The metric of its state, and those behind it: losses, if it has any, and
 * the last write. */

static void
ngx_status_metrics_outlet(ngx_status_metrics_t *m, ngx_uint_t which,
    ngx_uint_t metric)
{
    size_t                      none;
    ngx_uint_t                  i;
    const ngx_status_outlet_t  *o;

    o = &m->snapshot->outlets[which];

    for (i = 0; i < NGX_STATUS_OUTLET_NSTATES; i++) {
        none = ngx_status_metrics_word(m, "state",
                                       &ngx_status_outlet_states[i]);
        ngx_status_metrics_int(m, metric, i == o->state);
        m->labels.len = none;
    }

    if (o->state == NGX_STATUS_OUTLET_OFF) {
        return;
    }

    if (which != NGX_STATUS_EXPORT) {
        ngx_status_metrics_int(m, ++metric, o->lost);
    }

    ngx_status_metrics_time(m, ++metric, o->written_at);
}


void
ngx_status_metrics_check(ngx_status_metrics_t *m, const ngx_status_view_t *v)
{
    char                        clean[NGX_STATUS_METRICS_TARGET];
    size_t                      id, team;
    ngx_str_t                   target;
    const ngx_status_check_t   *c;
    const ngx_status_record_t  *r;

    static const ngx_str_t  roles[] = { ngx_string("extra"),
                                        ngx_string("core") };

    c = v->check;
    r = &v->record;

    /* unlike titles it need not be UTF-8, and without that a page is void */

    ngx_status_text_copy(clean, sizeof(clean), c->target.data, c->target.len);
    target.data = (u_char *) clean;
    target.len = strlen(clean);

    m->labels.len = 0;
    (void) ngx_status_metrics_word(m, "id", &c->id);
    id = ngx_status_metrics_text(m, "group", &c->group);
    (void) ngx_status_metrics_text(m, "team", &c->team);

    team = ngx_status_metrics_text(m, "title", &c->title);
    (void) ngx_status_metrics_word(m, "role", &roles[c->core ? 1 : 0]);
    (void) ngx_status_metrics_word(m, "type", &c->type->name);
    (void) ngx_status_metrics_text(m, "target", &target);
    ngx_status_metrics_int(m, NGX_STATUS_M_CHECK, 1);
    m->labels.len = team;

    /* what alerts are made of says whose it is */

    (void) ngx_status_metrics_word(m, "state",
                                   &ngx_status_states[v->state].name);
    ngx_status_metrics_int(m, NGX_STATUS_M_STATE, 1);
    m->labels.len = team;

    if (v->state != NGX_STATUS_UNKNOWN && v->state != NGX_STATUS_MAINTENANCE) {
        ngx_status_metrics_int(m, NGX_STATUS_M_UP,
                               v->state == NGX_STATUS_UP
                               || v->state == NGX_STATUS_DEGRADED);
    }

    if (ngx_status_view_fresh(m->snapshot, v)
        && r->last.error != NGX_STATUS_E_NONE
        && r->last.error < NGX_STATUS_NERRORS)
    {
        (void) ngx_status_metrics_word(m, "class",
                                       &ngx_status_errors[r->last.error]);
        ngx_status_metrics_int(m, NGX_STATUS_M_ERROR, 1);
    }

    m->labels.len = id;

    if (!v->known) {
        return;
    }

    /* these are true for as long as there is no newer result */

    ngx_status_metrics_int(m, NGX_STATUS_M_RESULTS, r->nresults);
    ngx_status_metrics_time(m, NGX_STATUS_M_CHECKED, r->last.at);
    ngx_status_metrics_time(m, NGX_STATUS_M_CERT,
                            r->last.cert_expires * 1000);

    if (ngx_status_view_fresh(m->snapshot, v)) {
        ngx_status_metrics_last(m, &r->last);
        ngx_status_metrics_windows(m, v);
        ngx_status_metrics_deltas(m, v);
    }
}


static void
ngx_status_metrics_last(ngx_status_metrics_t *m,
    const ngx_status_result_t *last)
{
    size_t      id;
    ngx_uint_t  i;

    /* a fault of our own measured nothing */

    if (last->state == NGX_STATUS_UNKNOWN) {
        return;
    }

    ngx_status_metrics_us(m, NGX_STATUS_M_LATENCY, last->latency);

    for (i = 0; i < NGX_STATUS_NPHASES; i++) {
        if (last->phases[i]) {
            id = ngx_status_metrics_word(m, "phase", &ngx_status_phases[i]);
            ngx_status_metrics_us(m, NGX_STATUS_M_PHASE, last->phases[i]);
            m->labels.len = id;
        }
    }

    if (last->http_status) {
        ngx_status_metrics_int(m, NGX_STATUS_M_HTTP, last->http_status);
    }
}


static void
ngx_status_metrics_windows(ngx_status_metrics_t *m, const ngx_status_view_t *v)
{
    size_t                      id, window;
    ngx_uint_t                  i, n;
    ngx_status_uptime_t         uptime;
    const ngx_status_window_t  *day;

    /* 30 and 365 d; others are in JSON, shorter ones Prometheus can make */
    static const ngx_uint_t  windows[] = { 3, 5 };

    static const ngx_str_t  quantiles[] = {
        ngx_string("0.5"), ngx_string("0.95"), ngx_string("0.99")
    };

    id = m->labels.len;

    for (i = 0; i < 2; i++) {
        n = windows[i];

        memset(&uptime, 0, sizeof(ngx_status_uptime_t));
        ngx_status_uptime_add(&uptime, v, n);

        (void) ngx_status_metrics_word(m, "window",
                                       &ngx_status_window_names[n]);

        if (uptime.known) {
            ngx_status_metrics_decimal(m, NGX_STATUS_M_UPTIME,
                                       ngx_status_uptime_share(&uptime), 5);
        }

        ngx_status_metrics_decimal(m, NGX_STATUS_M_KNOWN,
                                   ngx_status_uptime_known(&uptime), 5);
        m->labels.len = id;
    }

    n = NGX_STATUS_METRICS_DAY;
    day = &v->record.windows[n];

    if (day->results == 0) {
        return;
    }

    (void) ngx_status_metrics_word(m, "window", &ngx_status_window_names[n]);

    for (i = 0; i < 3; i++) {
        window = ngx_status_metrics_word(m, "quantile", &quantiles[i]);
        ngx_status_metrics_us(m, NGX_STATUS_M_QUANTILES,
                              i == 0 ? day->p50 : i == 1 ? day->p95 : day->p99);
        m->labels.len = window;
    }

    m->labels.len = id;
}


static void
ngx_status_metrics_deltas(ngx_status_metrics_t *m, const ngx_status_view_t *v)
{
    const ngx_status_check_t   *c;
    const ngx_status_record_t  *r;

    c = v->check;
    r = &v->record;

    if ((c->slower.warning || c->slower.critical) && r->slower_base > 0) {
        ngx_status_metrics_real(m, NGX_STATUS_M_GROWTH, r->slower_growth);
    }

    if (c->score && r->card.at && !r->card.stale) {
        ngx_status_metrics_real(m, NGX_STATUS_M_SCORE, r->card.last.value);
        ngx_status_metrics_real(m, NGX_STATUS_M_DELTA, r->card.delta);
    }
}


/* As blackbox exporter would have it, had it made the newest result. */

void
ngx_status_metrics_probe(ngx_status_metrics_t *m, const ngx_status_view_t *v)
{
    size_t                      own;
    ngx_uint_t                  i;
    const ngx_status_result_t  *last;

    static const ngx_str_t  phases[NGX_STATUS_NPHASES] = {
        ngx_string("resolve"), ngx_string("connect"), ngx_string("tls"),
        ngx_string("processing"), ngx_string("transfer")
    };

    if (!ngx_status_view_probed(m->snapshot, v)) {
        return;
    }

    last = &v->record.last;
    m->labels.len = 0;

    if (m->ask->view == NULL) {
        (void) ngx_status_metrics_word(m, "instance", &v->check->id);
    }

    ngx_status_metrics_int(m, NGX_STATUS_M_PROBE_SUCCESS,
                           last->state == NGX_STATUS_UP
                           || last->state == NGX_STATUS_DEGRADED);
    ngx_status_metrics_us(m, NGX_STATUS_M_PROBE_DURATION, last->latency);
    ngx_status_metrics_us(m, NGX_STATUS_M_PROBE_LOOKUP,
                          last->phases[NGX_STATUS_PHASE_RESOLVE]);

    if (last->cert_expires > 0) {
        ngx_status_metrics_int(m, NGX_STATUS_M_PROBE_CERT,
                               last->cert_expires);
    }

    /* of a type that has HTTP statuses */

    if (!(v->check->type->subjects
          & ngx_status_subject_bit(NGX_STATUS_S_STATUS)))
    {
        return;
    }

    ngx_status_metrics_int(m, NGX_STATUS_M_PROBE_HTTP, last->http_status);
    ngx_status_metrics_int(m, NGX_STATUS_M_PROBE_SSL, last->cert_expires > 0);

    for (i = 0; i < NGX_STATUS_NPHASES; i++) {
        own = ngx_status_metrics_word(m, "phase", &phases[i]);
        ngx_status_metrics_us(m, NGX_STATUS_M_PROBE_PHASE, last->phases[i]);
        m->labels.len = own;
    }
}


static void
ngx_status_metrics_states(ngx_status_metrics_t *m, ngx_uint_t i,
    ngx_uint_t state)
{
    size_t      own;
    ngx_uint_t  k;

    for (k = 0; k < NGX_STATUS_NSTATES; k++) {
        own = ngx_status_metrics_word(m, "state", &ngx_status_states[k].name);
        ngx_status_metrics_int(m, i, k == state);
        m->labels.len = own;
    }
}
