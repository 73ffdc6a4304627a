
/*
 * Copyright (C) ngx_status_module authors
 *
 * Metrics: Prometheus' text format 0.0.4, and OpenMetrics 1.0.0, which has
 * other lines around the same samples; under names of our own, or those that
 * blackbox exporter has for its probes.
 *
 * What is not known now has no sample: a value that nobody has measured is
 * not repeated, so a checker that is dead leaves gaps and not a flat line.
 *
 * Samples are what a page costs, here and in Prometheus; so a check has some
 * twenty: its state is one and not one of seven, and windows that Prometheus
 * can add up itself are left out.  Nothing that a target sends becomes a
 * label, and what a check is stands beside its ID in few of them.
 */


#include <math.h>

#include "../ngx_status_monitor.h"


/* of ngx_status_window_names: 24 h, whose percentiles are told */
#define NGX_STATUS_METRICS_DAY     1

#define NGX_STATUS_METRICS_TARGET  1024          /* bytes at most */


typedef enum {
    NGX_STATUS_M_MONITOR = 0,
    NGX_STATUS_M_ALIVE,
    NGX_STATUS_M_HEARTBEAT,
    NGX_STATUS_M_RATE,
    NGX_STATUS_M_IN_FLIGHT,
    NGX_STATUS_M_LATENESS,
    NGX_STATUS_M_STORE,
    NGX_STATUS_M_STORE_LOST,
    NGX_STATUS_M_STORE_WRITTEN,
    NGX_STATUS_M_ARCHIVE,
    NGX_STATUS_M_ARCHIVE_LOST,
    NGX_STATUS_M_ARCHIVE_WRITTEN,
    NGX_STATUS_M_EXPORT,
    NGX_STATUS_M_EXPORT_WRITTEN,
    NGX_STATUS_M_PUSHES_LOST,
    NGX_STATUS_M_ALL,
    NGX_STATUS_M_COUNTS,
    NGX_STATUS_M_GROUP,

    NGX_STATUS_M_CHECK,
    NGX_STATUS_M_UP,
    NGX_STATUS_M_STATE,
    NGX_STATUS_M_ERROR,
    NGX_STATUS_M_RESULTS,
    NGX_STATUS_M_CHECKED,
    NGX_STATUS_M_LATENCY,
    NGX_STATUS_M_PHASE,
    NGX_STATUS_M_HTTP,
    NGX_STATUS_M_CERT,
    NGX_STATUS_M_QUANTILES,
    NGX_STATUS_M_UPTIME,
    NGX_STATUS_M_KNOWN,
    NGX_STATUS_M_GROWTH,
    NGX_STATUS_M_SCORE,
    NGX_STATUS_M_DELTA,

    NGX_STATUS_M_PROBE_SUCCESS,
    NGX_STATUS_M_PROBE_DURATION,
    NGX_STATUS_M_PROBE_LOOKUP,
    NGX_STATUS_M_PROBE_PHASE,
    NGX_STATUS_M_PROBE_HTTP,
    NGX_STATUS_M_PROBE_SSL,
    NGX_STATUS_M_PROBE_CERT,
    NGX_STATUS_NMETRICS
} ngx_status_metric_e;


typedef struct {
    ngx_str_t   name;                /* of its samples */
    size_t      family;              /* length without what they end in */
    ngx_str_t   type;
    ngx_str_t   help;
} ngx_status_metric_t;


/*
 * All samples of a name have to stand together, so each name has an output
 * of its own while the checks, which are large, are gone through once.
 */

typedef struct {
    const ngx_status_snapshot_t  *snapshot;
    const ngx_status_ask_t       *ask;
    ngx_status_out_t              labels;        /* of the samples to come */
    ngx_status_out_t              outs[NGX_STATUS_NMETRICS];
} ngx_status_metrics_t;


static void ngx_status_metrics_plain(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out);
static void ngx_status_metrics_open(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out);
static void ngx_status_metrics_render(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out, ngx_uint_t open);
static void ngx_status_metrics_monitor(ngx_status_metrics_t *m);
static void ngx_status_metrics_outlet(ngx_status_metrics_t *m,
    ngx_uint_t which, ngx_uint_t metric);
static void ngx_status_metrics_check(ngx_status_metrics_t *m,
    const ngx_status_view_t *v);
static void ngx_status_metrics_last(ngx_status_metrics_t *m,
    const ngx_status_result_t *last);
static void ngx_status_metrics_windows(ngx_status_metrics_t *m,
    const ngx_status_view_t *v);
static void ngx_status_metrics_deltas(ngx_status_metrics_t *m,
    const ngx_status_view_t *v);
static void ngx_status_metrics_probe(ngx_status_metrics_t *m,
    const ngx_status_view_t *v);
static void ngx_status_metrics_states(ngx_status_metrics_t *m, ngx_uint_t i,
    ngx_uint_t state);
static size_t ngx_status_metrics_label(ngx_status_metrics_t *m,
    const char *key, size_t keylen, const ngx_str_t *word);
static size_t ngx_status_metrics_escape(ngx_status_metrics_t *m,
    const char *key, size_t keylen, const ngx_str_t *text);
static ngx_status_out_t *ngx_status_metrics_sample(ngx_status_metrics_t *m,
    ngx_uint_t i);
static void ngx_status_metrics_int(ngx_status_metrics_t *m, ngx_uint_t i,
    int64_t n);
static void ngx_status_metrics_decimal(ngx_status_metrics_t *m, ngx_uint_t i,
    uint64_t n, ngx_uint_t places);
static void ngx_status_metrics_real(ngx_status_metrics_t *m, ngx_uint_t i,
    double n);
static void ngx_status_metrics_time(ngx_status_metrics_t *m, ngx_uint_t i,
    int64_t ms);


/*
 * One more label; an empty one is none.  They return the length of those
 * before, which takes it away again.  A word goes out as it is.
 */

#define ngx_status_metrics_word(m, key, word)                                \
    ngx_status_metrics_label(m, key "=\"", sizeof(key "=\"") - 1, word)

#define ngx_status_metrics_text(m, key, text)                                \
    ngx_status_metrics_escape(m, key "=\"", sizeof(key "=\"") - 1, text)

/* us as seconds */
#define ngx_status_metrics_us(m, i, n)  ngx_status_metrics_decimal(m, i, n, 6)


const ngx_status_format_t  ngx_status_format_metrics = {
    ngx_string("text/plain; version=0.0.4; charset=utf-8"),
    ngx_status_metrics_plain
};

const ngx_status_format_t  ngx_status_format_openmetrics = {
    ngx_string("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ngx_status_metrics_open
};


#define ngx_status_metric(name, suffix, type, help)                          \
    { ngx_string(name suffix), sizeof(name) - 1, ngx_string(type),           \
      ngx_string(help) }

static const ngx_status_metric_t  ngx_status_metrics[NGX_STATUS_NMETRICS] = {

    [NGX_STATUS_M_MONITOR] = ngx_status_metric(
        "nginx_status_monitor", "_info", "info",
        "The monitor's name and title."),

    [NGX_STATUS_M_ALIVE] = ngx_status_metric(
        "nginx_status_checker_up", "", "gauge",
        "Whether the process that runs the checks is alive."),

    [NGX_STATUS_M_HEARTBEAT] = ngx_status_metric(
        "nginx_status_checker_heartbeat_timestamp_seconds", "", "gauge",
        "Its last sign of life before the newest change of this page."),

    [NGX_STATUS_M_RATE] = ngx_status_metric(
        "nginx_status_checker_checks_per_second", "", "gauge",
        "Checks that ended, over the last ten seconds."),

    [NGX_STATUS_M_IN_FLIGHT] = ngx_status_metric(
        "nginx_status_checker_checks_in_flight", "", "gauge",
        "Checks that are under way."),

    [NGX_STATUS_M_LATENESS] = ngx_status_metric(
        "nginx_status_checker_lateness_seconds", "", "gauge",
        "How late the checker was for an event, the worst of a minute."),

    [NGX_STATUS_M_STORE] = ngx_status_metric(
        "nginx_status_store_state", "", "gauge",
        "1 for the state that the store of history is in."),

    [NGX_STATUS_M_STORE_LOST] = ngx_status_metric(
        "nginx_status_store_lost_records", "_total", "counter",
        "Records that could be neither written nor kept."),

    [NGX_STATUS_M_STORE_WRITTEN] = ngx_status_metric(
        "nginx_status_store_last_write_timestamp_seconds", "", "gauge",
        "When the store was last written."),

    [NGX_STATUS_M_ARCHIVE] = ngx_status_metric(
        "nginx_status_archive_state", "", "gauge",
        "1 for the state that the archive is in."),

    [NGX_STATUS_M_ARCHIVE_LOST] = ngx_status_metric(
        "nginx_status_archive_lost_results", "_total", "counter",
        "Results that could be neither written nor kept."),

    [NGX_STATUS_M_ARCHIVE_WRITTEN] = ngx_status_metric(
        "nginx_status_archive_last_write_timestamp_seconds", "", "gauge",
        "When a result was last written."),

    [NGX_STATUS_M_EXPORT] = ngx_status_metric(
        "nginx_status_export_state", "", "gauge",
        "1 for the state that the site of files is in."),

    [NGX_STATUS_M_EXPORT_WRITTEN] = ngx_status_metric(
        "nginx_status_export_last_write_timestamp_seconds", "", "gauge",
        "When the site of files was last complete."),

    [NGX_STATUS_M_PUSHES_LOST] = ngx_status_metric(
        "nginx_status_heartbeats_lost", "_total", "counter",
        "Heartbeats that nobody had a place for."),

    [NGX_STATUS_M_ALL] = ngx_status_metric(
        "nginx_status_state", "", "gauge",
        "1 for the state of all checks together."),

    [NGX_STATUS_M_COUNTS] = ngx_status_metric(
        "nginx_status_checks", "", "gauge",
        "Checks in each state."),

    [NGX_STATUS_M_GROUP] = ngx_status_metric(
        "nginx_status_group_state", "", "gauge",
        "1 for the state of a group's checks together."),

    [NGX_STATUS_M_CHECK] = ngx_status_metric(
        "nginx_status_check", "_info", "info",
        "What a check is; its target is without secrets."),

    [NGX_STATUS_M_UP] = ngx_status_metric(
        "nginx_status_check_up", "", "gauge",
        "1 up or degraded, 0 down, timeout or bot_detected, as confirmed; "
        "none while unknown or in maintenance."),

    [NGX_STATUS_M_STATE] = ngx_status_metric(
        "nginx_status_check_state", "", "gauge",
        "1, with the confirmed state; unknown also when it is out of date."),

    [NGX_STATUS_M_ERROR] = ngx_status_metric(
        "nginx_status_check_error", "", "gauge",
        "1, with why the newest result, confirmed or not, is not up."),

    [NGX_STATUS_M_RESULTS] = ngx_status_metric(
        "nginx_status_check_results", "_total", "counter",
        "Results, whatever they say."),

    [NGX_STATUS_M_CHECKED] = ngx_status_metric(
        "nginx_status_check_result_timestamp_seconds", "", "gauge",
        "When the newest result was begun."),

    [NGX_STATUS_M_LATENCY] = ngx_status_metric(
        "nginx_status_check_latency_seconds", "", "gauge",
        "Of the whole newest result, also of one that failed."),

    [NGX_STATUS_M_PHASE] = ngx_status_metric(
        "nginx_status_check_phase_seconds", "", "gauge",
        "Phases of the newest result, each by itself, as far as there were."),

    [NGX_STATUS_M_HTTP] = ngx_status_metric(
        "nginx_status_check_http_status", "", "gauge",
        "HTTP status of the newest result."),

    [NGX_STATUS_M_CERT] = ngx_status_metric(
        "nginx_status_check_certificate_expiry_timestamp_seconds", "",
        "gauge",
        "When the certificate seen by the newest result expires."),

    [NGX_STATUS_M_QUANTILES] = ngx_status_metric(
        "nginx_status_check_latency_quantile_seconds", "", "summary",
        "Latency of the answers of a window."),

    [NGX_STATUS_M_UPTIME] = ngx_status_metric(
        "nginx_status_check_uptime_ratio", "", "gauge",
        "Share of a window's known time in which the check was up."),

    [NGX_STATUS_M_KNOWN] = ngx_status_metric(
        "nginx_status_check_uptime_known_ratio", "", "gauge",
        "Share of the window that is known, of uptime's."),

    [NGX_STATUS_M_GROWTH] = ngx_status_metric(
        "nginx_status_check_latency_growth_ratio", "", "gauge",
        "Latency against its baseline: 0.25 is a quarter slower."),

    [NGX_STATUS_M_SCORE] = ngx_status_metric(
        "nginx_status_check_score", "", "gauge",
        "Score of the newest result."),

    [NGX_STATUS_M_DELTA] = ngx_status_metric(
        "nginx_status_check_score_delta", "", "gauge",
        "Points of it over what it is compared with."),

    [NGX_STATUS_M_PROBE_SUCCESS] = ngx_status_metric(
        "probe_success", "", "gauge",
        "Whether the newest result is up or degraded."),

    [NGX_STATUS_M_PROBE_DURATION] = ngx_status_metric(
        "probe_duration_seconds", "", "gauge",
        "How long it took."),

    [NGX_STATUS_M_PROBE_LOOKUP] = ngx_status_metric(
        "probe_dns_lookup_time_seconds", "", "gauge",
        "How long the name took to resolve."),

    [NGX_STATUS_M_PROBE_PHASE] = ngx_status_metric(
        "probe_http_duration_seconds", "", "gauge",
        "How long each phase took."),

    [NGX_STATUS_M_PROBE_HTTP] = ngx_status_metric(
        "probe_http_status_code", "", "gauge",
        "HTTP status, 0 without an answer."),

    [NGX_STATUS_M_PROBE_SSL] = ngx_status_metric(
        "probe_http_ssl", "", "gauge",
        "Whether a certificate was seen."),

    [NGX_STATUS_M_PROBE_CERT] = ngx_status_metric(
        "probe_ssl_earliest_cert_expiry", "", "gauge",
        "When the certificate expires, in seconds since the epoch.")
};


static void
ngx_status_metrics_plain(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out)
{
    ngx_status_metrics_render(snapshot, ask, out, 0);
}


static void
ngx_status_metrics_open(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out)
{
    ngx_status_metrics_render(snapshot, ask, out, 1);
}


static void
ngx_status_metrics_render(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out, ngx_uint_t open)
{
    ngx_str_t                   type;
    ngx_uint_t                  i, k;
    ngx_status_out_t           *o;
    ngx_status_metrics_t        m;
    const ngx_status_view_t    *v;
    const ngx_status_metric_t  *metric;

    m.snapshot = snapshot;
    m.ask = ask;

    ngx_status_out_init(&m.labels, 0);

    for (i = 0; i < NGX_STATUS_NMETRICS; i++) {
        ngx_status_out_init(&m.outs[i], 0);
    }

    if (!ask->probe) {
        ngx_status_metrics_monitor(&m);
    }

    for (i = 0; i < snapshot->monitor->nchecks; i++) {
        v = &snapshot->views[i];

        if (!ngx_status_asked(snapshot, ask, v)) {
            continue;
        }

        if (ask->probe) {
            ngx_status_metrics_probe(&m, v);

        } else {
            ngx_status_metrics_check(&m, v);
        }
    }

    out->failed |= m.labels.failed;
    ngx_status_out_free(&m.labels);

    for (i = 0; i < NGX_STATUS_NMETRICS; i++) {
        o = &m.outs[i];
        metric = &ngx_status_metrics[i];

        out->failed |= o->failed;

        if (o->len && !out->failed) {

            type = metric->type;

            if (!open && type.data[0] == 'i') {
                ngx_str_set(&type, "gauge");     /* there is no info yet */
            }

            for (k = 0; k < 2; k++) {
                ngx_status_out_raw(out, k ? "# TYPE " : "# HELP ", 7);
                ngx_status_out_raw(out, metric->name.data,
                                   open ? metric->family : metric->name.len);
                ngx_status_out_lit(out, " ");
                ngx_status_out_raw(out, k ? type.data : metric->help.data,
                                   k ? type.len : metric->help.len);
                ngx_status_out_lit(out, "\n");
            }

            ngx_status_out_raw(out, o->data, o->len);
        }

        ngx_status_out_free(o);
    }

    if (open) {
        ngx_status_out_lit(out, "# EOF\n");

    } else if (out->len == 0) {
        ngx_status_out_lit(out, "# no result yet\n");
    }
}


static void
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


static void
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

static void
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


static size_t
ngx_status_metrics_label(ngx_status_metrics_t *m, const char *key,
    size_t keylen, const ngx_str_t *word)
{
    size_t             len;
    ngx_status_out_t  *labels;

    labels = &m->labels;
    len = labels->len;

    if (word->len) {
        ngx_status_out_raw(labels, len ? "," : "{", 1);
        ngx_status_out_raw(labels, key, keylen);
        ngx_status_out_raw(labels, word->data, word->len);
        ngx_status_out_lit(labels, "\"");
    }

    return len;
}


static size_t
ngx_status_metrics_escape(ngx_status_metrics_t *m, const char *key,
    size_t keylen, const ngx_str_t *text)
{
    size_t             len;
    ngx_status_out_t  *labels;

    labels = &m->labels;
    len = labels->len;

    if (text->len) {
        ngx_status_out_raw(labels, len ? "," : "{", 1);
        ngx_status_out_raw(labels, key, keylen);
        ngx_status_out_label(labels, text->data, text->len);
        ngx_status_out_lit(labels, "\"");
    }

    return len;
}


/* A sample up to its value. */

static ngx_status_out_t *
ngx_status_metrics_sample(ngx_status_metrics_t *m, ngx_uint_t i)
{
    ngx_status_out_t           *out;
    const ngx_status_metric_t  *metric;

    out = &m->outs[i];
    metric = &ngx_status_metrics[i];

    ngx_status_out_raw(out, metric->name.data, metric->name.len);

    ngx_status_out_raw(out, m->labels.data, m->labels.len);
    ngx_status_out_raw(out, m->labels.len ? "} " : " ", m->labels.len ? 2 : 1);

    return out;
}


static void
ngx_status_metrics_int(ngx_status_metrics_t *m, ngx_uint_t i, int64_t n)
{
    ngx_status_out_t  *out;

    out = ngx_status_metrics_sample(m, i);
    ngx_status_out_int(out, n);
    ngx_status_out_lit(out, "\n");
}


/* n / 10^places */

static void
ngx_status_metrics_decimal(ngx_status_metrics_t *m, ngx_uint_t i, uint64_t n,
    ngx_uint_t places)
{
    ngx_status_out_t  *out;

    out = ngx_status_metrics_sample(m, i);
    ngx_status_out_decimal(out, n, places);
    ngx_status_out_lit(out, "\n");
}


static void
ngx_status_metrics_real(ngx_status_metrics_t *m, ngx_uint_t i, double n)
{
    if (isfinite(n)) {
        ngx_status_out_printf(ngx_status_metrics_sample(m, i), "%.10g\n", n);
    }
}


/* ms as whole seconds, as in all formats; 0 is never */

static void
ngx_status_metrics_time(ngx_status_metrics_t *m, ngx_uint_t i, int64_t ms)
{
    if (ms > 0) {
        ngx_status_metrics_int(m, i, ms / 1000);
    }
}
