
/*
 * Copyright (C) ngx_status_module authors
 *
 * A worker's copy of a monitor's zone.  Nothing is locked and nobody is
 * waited for: a record that can not be read now stays as it was.
 */


#include "ngx_status_monitor.h"
#include "ngx_status_clock.h"


#define NGX_STATUS_SNAPSHOT_AGE    1000          /* ms between two changes */
#define NGX_STATUS_SNAPSHOT_SOON   100           /* while a check has no result:
                                                    a start reads its past */
#define NGX_STATUS_SNAPSHOT_TRIES  16
#define NGX_STATUS_SNAPSHOT_NEVER  INT64_MAX


static ngx_status_snapshot_t *ngx_status_snapshot_create(
    const ngx_status_monitor_t *monitor, ngx_log_t *log);
static void ngx_status_snapshot_view(ngx_status_snapshot_t *s,
    ngx_status_view_t *v);
static void ngx_status_snapshot_sums(ngx_status_snapshot_t *s);


ngx_int_t
ngx_status_snapshot(const ngx_status_monitor_t *monitor,
    ngx_status_snapshot_t **snapshot, ngx_log_t *log)
{
    int64_t                          real, changed_at, minute, heartbeat_at;
    ngx_uint_t                       i, alive, generation;
    ngx_status_view_t               *v;
    ngx_status_snapshot_t           *s;
    const ngx_status_zone_header_t  *h;

    s = *snapshot;

    if (s && ngx_current_msec - s->taken
             < (s->loading ? NGX_STATUS_SNAPSHOT_SOON
                           : NGX_STATUS_SNAPSHOT_AGE))
    {
        return NGX_DECLINED;
    }

    h = monitor->zone->header;
    real = ngx_status_now();
    minute = real / 60000;
    alive = ngx_status_zone_alive(monitor->zone);

    if (s == NULL) {
        s = ngx_status_snapshot_create(monitor, log);
        if (s == NULL) {
            return NGX_ERROR;
        }

        *snapshot = s;

    } else if (s->generation == h->generation && s->minute == minute
               && s->alive == alive && real <= s->expires)
    {
        return NGX_DECLINED;
    }

    /* the generation first: what changes from here on is seen next time */

    i = 0;

    do {
        generation = h->generation;
        ngx_memory_barrier();
        changed_at = h->changed_at;
        ngx_memory_barrier();
    } while (generation != h->generation && ++i < NGX_STATUS_SNAPSHOT_TRIES);

    s->generation = generation;
    s->minute = minute;
    s->alive = alive;
    s->taken = ngx_current_msec;
    ngx_status_zone_get_outlets(monitor->zone, s->outlets);
    s->pushes_lost = h->pushes_lost;
    s->offline_since = h->offline_since;
    s->revision++;

    /*
     * "now" is when the newest of all reasons to look again came up, not
     * when this worker did, so that all workers render the same bytes; and
     * the heartbeat is that of then.
     */

    s->now = ngx_max(changed_at, minute * 60000);

    heartbeat_at = h->heartbeat_at;

    if (!alive && heartbeat_at) {
        s->now = ngx_max(s->now, heartbeat_at + NGX_STATUS_ZONE_DEAD);
    }

    s->checked_at = 0;
    s->expires = NGX_STATUS_SNAPSHOT_NEVER;

    for (i = 0; i < monitor->nchecks; i++) {
        v = &s->views[i];

        ngx_status_snapshot_view(s, v);

        if (!v->known) {
            continue;
        }

        s->checked_at = ngx_max(s->checked_at, v->record.last.at);

        if (real > v->record.valid_until) {
            s->now = ngx_max(s->now, v->record.valid_until + 1);

        } else {
            s->expires = ngx_min(s->expires, v->record.valid_until);
        }
    }

    /* a clock that was set back */
    s->now = ngx_min(s->now, real);

    ngx_status_zone_get_beat(monitor->zone, s->now, &s->beat);

    ngx_status_snapshot_sums(s);

    return NGX_OK;
}


static ngx_status_snapshot_t *
ngx_status_snapshot_create(const ngx_status_monitor_t *monitor, ngx_log_t *log)
{
    ngx_uint_t              i;
    ngx_status_snapshot_t  *s;

    s = calloc(1, sizeof(ngx_status_snapshot_t)
                  + monitor->nchecks * sizeof(ngx_status_view_t)
                  + monitor->ngroups * sizeof(ngx_status_group_view_t));
    if (s == NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "could not allocate the snapshot of status monitor "
                      "\"%V\"", &monitor->name);
        return NULL;
    }

    s->monitor = monitor;
    s->views = (ngx_status_view_t *) (s + 1);
    s->groups = (ngx_status_group_view_t *) (s->views + monitor->nchecks);

    for (i = 0; i < monitor->nchecks; i++) {
        s->views[i].check = monitor->checks[i];
    }

    return s;
}


static void
ngx_status_snapshot_view(ngx_status_snapshot_t *s, ngx_status_view_t *v)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    const ngx_str_t            *id;
    ngx_atomic_uint_t           seq;
    ngx_status_slot_t          *slot;
    ngx_status_record_t         record;
    const ngx_status_zone_t    *zone;

    zone = s->monitor->zone;

    /* the slot may be given away between the two; then there is another */

    for (i = 0; i < 2; i++) {
        id = &v->check->id;
        slot = ngx_status_zone_find(zone, id, v->slot);

        if (slot == NULL && v->check->was.len) {
            /* renamed, which the checker has not seen to yet */
            id = &v->check->was;
            slot = ngx_status_zone_find(zone, id, v->slot);
        }

        if (slot == NULL) {
            break;
        }

        seq = slot->seq;
        ngx_memory_barrier();

        if (slot == v->slot && seq == v->seq) {
            return;
        }

        /* what could not be read whole must not replace the last copy */

        rc = ngx_status_zone_read(slot, id, &record);

        if (rc == NGX_AGAIN) {
            return;
        }

        if (rc == NGX_OK) {
            v->slot = slot;
            v->seq = seq;
            v->known = (record.nresults != 0);
            v->record = record;
            return;
        }
    }

    v->slot = NULL;
    v->known = 0;
}


static void
ngx_status_snapshot_sums(ngx_status_snapshot_t *s)
{
    ngx_uint_t                   i, k;
    ngx_status_view_t           *v;
    ngx_status_group_view_t     *g;
    const ngx_status_group_t    *group;

    /* until its first heartbeat the checker may be reading back the past */

    s->loading = (s->beat.at == 0);
    ngx_memzero(&s->sum, sizeof(ngx_status_sum_t));

    for (i = 0; i < s->monitor->nchecks; i++) {
        v = &s->views[i];

        v->state = NGX_STATUS_UNKNOWN;

        if (!v->known) {
            s->loading = 1;

        } else if (ngx_status_view_fresh(s, v)
                   && v->record.confirm.state < NGX_STATUS_NSTATES)
        {
            v->state = v->record.confirm.state;
        }

        ngx_status_sum_add(&s->sum, v->state, v->check->core);
    }

    s->state = ngx_status_sum_state(&s->sum);

    for (i = 0; i < s->monitor->ngroups; i++) {
        g = &s->groups[i];
        group = &s->monitor->groups[i];

        ngx_memzero(&g->sum, sizeof(ngx_status_sum_t));

        for (k = group->first; k < group->first + group->n; k++) {
            ngx_status_sum_add(&g->sum, s->views[k].state,
                               s->views[k].check->core);
        }

        g->state = ngx_status_sum_state(&g->sum);
    }
}


ngx_uint_t
ngx_status_view_fresh(const ngx_status_snapshot_t *snapshot,
    const ngx_status_view_t *view)
{
    return view->known && snapshot->alive
           && snapshot->now <= view->record.valid_until;
}


ngx_uint_t
ngx_status_view_probed(const ngx_status_snapshot_t *snapshot,
    const ngx_status_view_t *view)
{
    return ngx_status_view_fresh(snapshot, view)
           && view->record.last.state != NGX_STATUS_UNKNOWN;
}


ngx_uint_t
ngx_status_asked(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, const ngx_status_view_t *view)
{
    ngx_uint_t        i;
    const ngx_str_t  *team;

    i = view - snapshot->views;

    if (ask->view && ask->view != view) {
        return 0;
    }

    if (ask->group
        && (i < ask->group->first || i >= ask->group->first + ask->group->n))
    {
        return 0;
    }

    team = &view->check->team;

    return ask->team == NULL
           || (ask->team->len == team->len
               && memcmp(ask->team->data, team->data, team->len) == 0);
}


void
ngx_status_asked_sum(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_sum_t *sum)
{
    ngx_uint_t                i;
    const ngx_status_view_t  *v;

    memset(sum, 0, sizeof(ngx_status_sum_t));

    for (i = 0; i < snapshot->monitor->nchecks; i++) {
        v = &snapshot->views[i];

        if (ngx_status_asked(snapshot, ask, v)) {
            ngx_status_sum_add(sum, v->state, v->check->core);
        }
    }
}


ngx_uint_t
ngx_status_asked_group(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, const ngx_status_group_t *group,
    ngx_status_sum_t *sum)
{
    ngx_uint_t                i, n;
    const ngx_status_view_t  *v;

    memset(sum, 0, sizeof(ngx_status_sum_t));

    for (i = 0, n = 0; i < group->n; i++) {
        v = &snapshot->views[group->first + i];

        if (ngx_status_asked(snapshot, ask, v)) {
            ngx_status_sum_add(sum, v->state, v->check->core);
            n++;
        }
    }

    return n;
}


void
ngx_status_uptime_add(ngx_status_uptime_t *uptime,
    const ngx_status_view_t *view, ngx_uint_t window)
{
    const ngx_status_window_t  *w;

    if (!view->known) {
        uptime->whole += ngx_status_window_seconds[window];
        return;
    }

    w = &view->record.windows[window];

    /* it begins with a bucket, and may be that much longer */
    uptime->whole += ngx_max(w->span, ngx_status_window_seconds[window]);
    uptime->checks++;
    uptime->known += w->known;
    uptime->up += (uint64_t) w->seconds[NGX_STATUS_UP] * NGX_STATUS_WEIGHT
                  + (uint64_t) w->seconds[NGX_STATUS_DEGRADED]
                    * view->check->degraded;
}


int64_t
ngx_status_view_since(const ngx_status_snapshot_t *snapshot,
    const ngx_status_view_t *view)
{
    const ngx_status_record_t  *r;

    if (!view->known) {
        return 0;
    }

    r = &view->record;

    if (view->state == r->confirm.state) {
        return r->confirm.since;
    }

    /* a state that went out of date has been unknown since then */

    return snapshot->alive ? r->valid_until
                           : ngx_min(r->valid_until, snapshot->beat.at);
}


ngx_uint_t
ngx_status_view_events(const ngx_status_snapshot_t *snapshot,
    const ngx_status_view_t *view)
{
    int64_t     until;
    ngx_uint_t  i, n;

    n = view->known ? ngx_min(view->record.nevents, NGX_STATUS_EVENTS) : 0;

    for (i = 0; i < n; i++) {
        until = ngx_status_view_until(snapshot, view, i);

        if (until == 0
            || snapshot->now - until
               < (int64_t) NGX_STATUS_EVENTS_DAYS * 86400 * 1000)
        {
            break;
        }
    }

    return i;
}


int64_t
ngx_status_view_until(const ngx_status_snapshot_t *snapshot,
    const ngx_status_view_t *view, ngx_uint_t event)
{
    const ngx_status_record_t  *r;

    r = &view->record;

    if (event + 1 < ngx_min(r->nevents, NGX_STATUS_EVENTS)) {
        return r->events[event + 1].since;
    }

    return view->state == r->confirm.state
           ? 0 : ngx_status_view_since(snapshot, view);
}


ngx_uint_t
ngx_status_view_timeline(const ngx_status_snapshot_t *snapshot,
    const ngx_status_view_t *view, ngx_status_run_t *runs)
{
    int64_t  until;

    if (!view->known) {
        runs[0].state = NGX_STATUS_UNKNOWN;
        runs[0].n = NGX_STATUS_TIMELINE;
        return 1;
    }

    until = view->record.valid_until;

    if (!snapshot->alive) {
        until = ngx_min(until, snapshot->beat.at);
    }

    return ngx_status_history_timeline(&view->record.open,
                                       snapshot->now / 1000,
                                       view->record.confirm.state,
                                       until / 1000, runs);
}
