
/*
 * Copyright (C) ngx_status_module authors
 *
 * status.json, version 1; html/status.schema.json says what every member
 * means.  What is absent is null, never 0.
 */


#include "ngx_status_json_doc.h"


static void ngx_status_json_render(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out);
static void ngx_status_json_monitor(ngx_status_json_doc_t *d);
static void ngx_status_json_outlet(ngx_status_json_doc_t *d,
    const char *name, ngx_uint_t i);
static void ngx_status_json_group(ngx_status_json_doc_t *d,
    const ngx_status_group_t *group);


const ngx_status_format_t  ngx_status_format_json = {
    ngx_string("application/json"),
    ngx_status_json_render
};


static void
ngx_status_json_render(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out)
{
    ngx_status_json_doc_t  d;

    if (ngx_status_put_init(&d.put, out) != NGX_OK) {
        return;
    }

    d.snapshot = snapshot;
    d.ask = ask;

    ngx_status_json_monitor(&d);

    ngx_status_put_done(&d.put);
}


static void
ngx_status_json_monitor(ngx_status_json_doc_t *d)
{
    ngx_uint_t                    i;
    ngx_status_sum_t              sum;
    ngx_status_put_t             *j;
    const ngx_status_monitor_t   *m;
    const ngx_status_snapshot_t  *s;

    j = &d->put;
    s = d->snapshot;
    m = s->monitor;

    ngx_status_asked_sum(s, d->ask, &sum);

    ngx_status_put_open(j, NULL);

    ngx_status_put_int(j, "version", 1);
    ngx_status_put_text(j, "monitor", m->name.data, m->name.len);
    ngx_status_put_text(j, "title", m->title.data, m->title.len);
    ngx_status_put_state(j, "status", ngx_status_sum_state(&sum));
    ngx_status_put_bool(j, "loading", s->loading);
    ngx_status_put_time(j, "checked_at", s->checked_at);
    ngx_status_put_time(j, "generated_at", s->now);

    ngx_status_put_open(j, "checker");
    ngx_status_put_bool(j, "alive", s->alive);
    ngx_status_put_time(j, "offline_since", s->offline_since);
    ngx_status_put_time(j, "heartbeat_at", s->beat.at);

    if (s->alive) {
        ngx_status_put_decimal(j, "checks_per_second", s->beat.rate, 3);
        ngx_status_put_int(j, "in_flight", s->beat.in_flight);
        ngx_status_put_int(j, "lateness_ms", s->beat.lateness);

    } else {
        ngx_status_put_null(j, "checks_per_second");
        ngx_status_put_null(j, "in_flight");
        ngx_status_put_null(j, "lateness_ms");
    }

    ngx_status_json_outlet(d, "store", NGX_STATUS_STORE);
    ngx_status_json_outlet(d, "archive", NGX_STATUS_ARCHIVE);
    ngx_status_json_outlet(d, "export", NGX_STATUS_EXPORT);

    if (m->inbox) {
        ngx_status_put_int(j, "heartbeats_lost", s->pushes_lost);

    } else {
        ngx_status_put_null(j, "heartbeats_lost");
    }

    ngx_status_put_close(j);

    ngx_status_put_open(j, "counts");

    for (i = 0; i < NGX_STATUS_NSTATES; i++) {
        ngx_status_put_int(j, (char *) ngx_status_states[i].name.data,
                            sum.counts[i]);
    }

    ngx_status_put_close(j);

    ngx_status_json_uptime(d, s->views, m->nchecks);

    ngx_status_put_array(j, "groups");

    for (i = 0; i < m->ngroups; i++) {
        ngx_status_json_group(d, &m->groups[i]);
    }

    ngx_status_put_end(j);

    ngx_status_put_array(j, "checks");

    for (i = 0; i < m->nchecks; i++) {
        if (ngx_status_asked(s, d->ask, &s->views[i])) {
            ngx_status_json_check(d, &s->views[i]);
        }
    }

    ngx_status_put_end(j);

    ngx_status_put_close(j);
}


static void
ngx_status_json_outlet(ngx_status_json_doc_t *d, const char *name,
    ngx_uint_t i)
{
    ngx_uint_t                  state;
    const ngx_status_outlet_t  *o;

    o = &d->snapshot->outlets[i];
    state = ngx_min(o->state, NGX_STATUS_OUTLET_FAILED);

    ngx_status_put_open(&d->put, name);
    ngx_status_put_word(&d->put, "state", &ngx_status_outlet_states[state]);

    if (d->ask->internal) {
        ngx_status_put_text(&d->put, "message", (u_char *) o->message,
                            strlen(o->message));
    }

    if (i != NGX_STATUS_EXPORT) {
        ngx_status_put_int(&d->put, "lost", o->lost);
    }

    ngx_status_put_time(&d->put, "last_written_at", o->written_at);
    ngx_status_put_close(&d->put);
}


static void
ngx_status_json_group(ngx_status_json_doc_t *d,
    const ngx_status_group_t *group)
{
    ngx_uint_t                i;
    ngx_status_sum_t          sum;
    ngx_status_put_t         *j;
    const ngx_status_view_t  *v, *first;

    j = &d->put;
    first = &d->snapshot->views[group->first];

    if (ngx_status_asked_group(d->snapshot, d->ask, group, &sum) == 0) {
        return;
    }

    ngx_status_put_open(j, NULL);

    ngx_status_put_text(j, "name", group->title.data, group->title.len);
    ngx_status_put_state(j, "status", ngx_status_sum_state(&sum));

    ngx_status_json_uptime(d, first, group->n);

    ngx_status_put_array(j, "checks");

    for (i = 0; i < group->n; i++) {
        v = first + i;

        if (ngx_status_asked(d->snapshot, d->ask, v)) {
            ngx_status_put_word(j, NULL, &v->check->id);
        }
    }

    ngx_status_put_end(j);

    ngx_status_put_close(j);
}


void
ngx_status_json_uptime(ngx_status_json_doc_t *d, const ngx_status_view_t *v,
    ngx_uint_t n)
{
    char                 *name;
    ngx_uint_t            i, k;
    ngx_status_put_t     *j;
    ngx_status_uptime_t   uptime[NGX_STATUS_WINDOWS], *u;

    j = &d->put;
    memset(uptime, 0, sizeof(uptime));

    for (k = 0; k < n; k++) {
        if (ngx_status_asked(d->snapshot, d->ask, &v[k])) {
            for (i = 0; i < NGX_STATUS_WINDOWS; i++) {
                ngx_status_uptime_add(&uptime[i], &v[k], i);
            }
        }
    }

    ngx_status_put_open(j, "uptime");

    for (i = 0; i < NGX_STATUS_WINDOWS; i++) {
        u = &uptime[i];
        name = (char *) ngx_status_window_names[i].data;

        if (u->known) {
            ngx_status_put_decimal(j, name, ngx_status_uptime_share(u), 5);

        } else {
            ngx_status_put_null(j, name);
        }
    }

    ngx_status_put_close(j);

    ngx_status_put_open(j, "known");

    for (i = 0; i < NGX_STATUS_WINDOWS; i++) {
        u = &uptime[i];
        name = (char *) ngx_status_window_names[i].data;

        if (u->checks) {
            ngx_status_put_decimal(j, name, ngx_status_uptime_known(u), 5);

        } else {
            ngx_status_put_null(j, name);
        }
    }

    ngx_status_put_close(j);
}
