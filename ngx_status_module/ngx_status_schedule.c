
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_schedule.h"
#include "ngx_status_pushed.h"
#include "ngx_status_record.h"
#include "ngx_status_loop.h"
#include "ngx_status_hold.h"
#include "ngx_status_store.h"
#include "../checks/ngx_status_probe.h"
#include "ngx_status_archive.h"
#include "ngx_status_clock.h"
#include <ngx_event.h>
#include <math.h>


#define NGX_STATUS_SCHEDULE_LATE  500    /* ms; less is noise */


/* All checks of one host and port: what max_per_host counts. */

typedef struct {
    const ngx_status_check_t   *check;           /* one of them */
    ngx_uint_t                  in_flight;
    ngx_queue_t                 waiting;         /* for this host */
} ngx_status_host_t;


typedef struct {
    ngx_status_probe_t          probe;
    ngx_status_schedule_t      *schedule;
    ngx_status_slot_t          *slot;
    ngx_status_host_t          *host;
    ngx_event_t                 timer;
    ngx_queue_t                 queue;           /* while it waits */
    uint32_t                    hash;
    ngx_uint_t                  running;
    ngx_status_held_t           held;
} ngx_status_job_t;


struct ngx_status_schedule_s {
    ngx_status_monitor_t       *monitor;
    ngx_log_t                  *log;
    ngx_connection_t            connection;      /* for timers' log lines */
    ngx_status_job_t           *jobs;
    ngx_uint_t                  njobs;
    ngx_status_host_t          *hosts;
    ngx_uint_t                  nhosts;
    ngx_queue_t                 waiting;         /* for any place */
    ngx_event_t                 refill;          /* posted when one is free */
    ngx_uint_t                  in_flight;
    uint64_t                    results;

    ngx_status_hold_t          *hold;
    ngx_status_pushed_t        *pushed;          /* NULL: no check has a
                                                    token */
};


static ngx_int_t ngx_status_schedule_hosts(ngx_status_schedule_t *s);
static int ngx_libc_cdecl ngx_status_schedule_by_host(const void *one,
    const void *two);
static ngx_msec_t ngx_status_schedule_resume(ngx_status_job_t *job);
static void ngx_status_schedule_due(ngx_event_t *ev);
static ngx_uint_t ngx_status_schedule_admit(ngx_status_job_t *job);
static void ngx_status_schedule_run(ngx_status_job_t *job);
static void ngx_status_schedule_done(ngx_status_probe_t *probe);
static void ngx_status_schedule_settle(ngx_status_job_t *job);
static void ngx_status_schedule_held(ngx_status_held_t *held);
static void ngx_status_schedule_late(ngx_status_job_t *job);
static void ngx_status_schedule_log(ngx_status_job_t *job,
    const ngx_status_record_t *r, ngx_status_state_e before,
    int64_t before_since, int64_t now);
static void ngx_status_schedule_refill(ngx_event_t *ev);


ngx_status_schedule_t *
ngx_status_schedule_start(ngx_status_monitor_t *monitor, ngx_log_t *log)
{
    ngx_str_t              *id;
    ngx_uint_t              i;
    ngx_status_job_t       *job;
    ngx_status_check_t     *check;
    ngx_status_schedule_t  *s;

    s = ngx_calloc(sizeof(ngx_status_schedule_t), log);
    if (s == NULL) {
        return NULL;
    }

    s->monitor = monitor;
    s->log = log;
    s->njobs = monitor->nchecks;
    s->connection.fd = (ngx_socket_t) -1;
    ngx_queue_init(&s->waiting);
    s->refill.handler = ngx_status_schedule_refill;
    s->refill.log = log;

    s->jobs = ngx_calloc(s->njobs * sizeof(ngx_status_job_t), log);
    if (s->jobs == NULL || ngx_status_schedule_hosts(s) != NGX_OK) {
        goto failed;
    }

    s->hold = ngx_status_hold_start(s, monitor, ngx_status_schedule_held, log);
    if (s->hold == NULL) {
        goto failed;
    }

    if (monitor->inbox) {
        s->pushed = ngx_status_pushed_start(s, monitor, log);
        if (s->pushed == NULL) {
            goto failed;
        }
    }

    for (i = 0; i < s->njobs; i++) {
        job = &s->jobs[i];
        check = monitor->checks[i];
        id = &check->id;

        job->schedule = s;
        job->hash = ngx_murmur_hash2(id->data, id->len);

        job->slot = ngx_status_zone_claim(monitor->zone, id);
        if (job->slot == NULL) {
            ngx_log_error(NGX_LOG_ALERT, log, 0,
                          "no slot for check \"%V\" in zone \"%V\"",
                          id, &monitor->zone->shm_zone->shm.name);
            continue;
        }

        job->probe.check = check;
        job->probe.log = log;
        job->probe.done = ngx_status_schedule_done;
        job->probe.data = job;
        job->held.probe = &job->probe;

        job->timer.handler = ngx_status_schedule_due;
        job->timer.data = &s->connection;
        job->timer.log = log;

        ngx_add_timer(&job->timer, ngx_status_schedule_resume(job));
    }

    return s;

failed:

    if (s->hold) {
        ngx_status_hold_stop(s->hold);
    }

    ngx_free(s->hosts);
    ngx_free(s->jobs);
    ngx_free(s);

    return NULL;
}


static ngx_int_t
ngx_status_schedule_hosts(ngx_status_schedule_t *s)
{
    ngx_uint_t          i;
    ngx_status_job_t  **sorted;

    s->hosts = ngx_calloc(s->njobs * sizeof(ngx_status_host_t), s->log);
    sorted = ngx_alloc(s->njobs * sizeof(ngx_status_job_t *), s->log);

    if (s->hosts == NULL || sorted == NULL) {
        ngx_free(sorted);
        return NGX_ERROR;
    }

    for (i = 0; i < s->njobs; i++) {
        s->jobs[i].probe.check = s->monitor->checks[i];
        sorted[i] = &s->jobs[i];
    }

    qsort(sorted, s->njobs, sizeof(ngx_status_job_t *),
          ngx_status_schedule_by_host);

    for (i = 0; i < s->njobs; i++) {

        if (i == 0
            || ngx_status_schedule_by_host(&sorted[i - 1], &sorted[i]) != 0)
        {
            s->hosts[s->nhosts].check = sorted[i]->probe.check;
            ngx_queue_init(&s->hosts[s->nhosts].waiting);
            s->nhosts++;
        }

        sorted[i]->host = &s->hosts[s->nhosts - 1];
    }

    ngx_free(sorted);

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_status_schedule_by_host(const void *one, const void *two)
{
    const ngx_status_check_t  *a, *b;

    a = (*(ngx_status_job_t **) one)->probe.check;
    b = (*(ngx_status_job_t **) two)->probe.check;

    if (a->host.len == 0 && b->host.len == 0) {
        /* this machine's own matters keep nobody waiting */
        return ngx_memn2cmp(a->id.data, b->id.data, a->id.len, b->id.len);
    }

    if (a->port != b->port) {
        return a->port < b->port ? -1 : 1;
    }

    return ngx_memn2cmp(a->host.data, b->host.data, a->host.len, b->host.len);
}


/*
 * When a check goes on after a start of the checker: at the time that was
 * planned, or at its next slot where the interval has become shorter, or,
 * what never ran or is overdue, soon.
 */

static ngx_msec_t
ngx_status_schedule_resume(ngx_status_job_t *job)
{
    int64_t                    wait;
    ngx_msec_t                 next;
    const ngx_status_check_t  *check;
    const ngx_status_record_t *r;

    check = job->probe.check;

    r = ngx_status_zone_record(job->slot);
    wait = r->next_at - ngx_status_now();

    if (r->nresults == 0 || wait <= 0) {
        return ngx_status_schedule_first(check->interval, job->hash,
                                         job->schedule->njobs);
    }

    next = ngx_status_schedule_next(ngx_current_msec, check->interval,
                                    job->hash);

    return (ngx_msec_t) ngx_min(wait, (int64_t) next);
}


void
ngx_status_schedule_stop(ngx_status_schedule_t *s)
{
    ngx_uint_t         i;
    ngx_status_job_t  *job;

    for (i = 0; i < s->njobs; i++) {
        job = &s->jobs[i];

        if (job->timer.timer_set) {
            ngx_del_timer(&job->timer);
        }

        if (job->running) {
            job->running = 0;
            ngx_status_probe_stop(&job->probe);
        }
    }

    if (s->refill.posted) {
        ngx_delete_posted_event(&s->refill);
    }

    if (s->pushed) {
        ngx_status_pushed_stop(s->pushed);
    }

    ngx_status_hold_stop(s->hold);

    ngx_free(s->hosts);
    ngx_free(s->jobs);
    ngx_free(s);
}


ngx_uint_t
ngx_status_schedule_in_flight(const ngx_status_schedule_t *s)
{
    return s->in_flight;
}


uint64_t
ngx_status_schedule_results(const ngx_status_schedule_t *s)
{
    return s->results;
}


void
ngx_status_schedule_hurry(ngx_status_schedule_t *s, ngx_uint_t n,
    ngx_msec_t wait)
{
    ngx_msec_int_t     left;
    ngx_status_job_t  *job;

    job = &s->jobs[n];

    if (job->probe.check->token && ngx_status_hold_drop(&job->held)) {
        /* what has come is worth more than what sentinels say of silence */
        ngx_status_schedule_run(job);
        return;
    }

    if (!job->timer.timer_set) {
        return;
    }

    if (wait) {
        left = job->timer.timer.key - ngx_current_msec;

        if (left > (ngx_msec_int_t) wait) {
            ngx_add_timer(&job->timer, wait);
        }

        return;
    }

    ngx_del_timer(&job->timer);
    ngx_status_schedule_due(&job->timer);
}


static void
ngx_status_schedule_due(ngx_event_t *ev)
{
    ngx_status_job_t  *job;

    job = (ngx_status_job_t *)
              ((u_char *) ev - offsetof(ngx_status_job_t, timer));

    if (!ngx_status_zone_owned(job->schedule->monitor->zone)) {
        return;
    }

    if (!ngx_queue_empty(&job->schedule->waiting)) {
        /* a place that is free by now is theirs, see refill() */

        if (job->probe.check->sentinel) {
            ngx_queue_insert_head(&job->schedule->waiting, &job->queue);

        } else {
            ngx_queue_insert_tail(&job->schedule->waiting, &job->queue);
        }

        return;
    }

    if (ngx_status_schedule_admit(job)) {
        ngx_status_schedule_run(job);
    }
}


/* Lets a job in, or puts it where a place for it will be looked up. */

static ngx_uint_t
ngx_status_schedule_admit(ngx_status_job_t *job)
{
    ngx_queue_t            *q;
    ngx_status_schedule_t  *s;

    s = job->schedule;

    if (job->host->in_flight >= s->monitor->max_per_host) {
        q = &job->host->waiting;

    } else if (s->in_flight >= s->monitor->max_in_flight) {
        q = &s->waiting;

    } else {
        return 1;
    }

    ngx_queue_insert_tail(q, &job->queue);

    return 0;
}


static void
ngx_status_schedule_run(ngx_status_job_t *job)
{
    ngx_status_probe_t         *probe;
    ngx_status_schedule_t      *s;
    const ngx_status_record_t  *r;

    s = job->schedule;
    probe = &job->probe;

    s->in_flight++;
    job->host->in_flight++;
    job->running = 1;

    /* nginx's clock may stand since the round began */
    ngx_time_update();

    ngx_memzero(&probe->result, sizeof(ngx_status_result_t));
    ngx_memzero(&probe->score, sizeof(ngx_status_score_t));

    probe->result.at = ngx_status_now();
    probe->score.value = NAN;

    r = ngx_status_zone_record(job->slot);
    probe->before = r->nresults ? &r->last : NULL;
    probe->result.kept = r->last.kept;

    if (probe->check->token) {
        ngx_status_pushed_get(s->pushed, probe);

        if (!job->held.asked) {
            probe->offline = s->monitor->zone->header->offline_since;
        }
    }

    ngx_status_probe_start(probe);
}


static void
ngx_status_schedule_done(ngx_status_probe_t *probe)
{
    ngx_queue_t            *q;
    ngx_status_job_t       *job;
    ngx_status_schedule_t  *s;

    job = probe->data;
    s = job->schedule;

    job->running = 0;
    job->host->in_flight--;
    s->in_flight--;

    /* who waits for this host goes first */

    if (!ngx_queue_empty(&job->host->waiting)) {
        q = ngx_queue_head(&job->host->waiting);
        ngx_queue_remove(q);
        ngx_queue_insert_head(&s->waiting, q);
    }

    if (!ngx_queue_empty(&s->waiting)) {
        ngx_post_event(&s->refill, &ngx_posted_events);
    }

    if (!ngx_status_zone_owned(s->monitor->zone)) {
        /* a successor checks already; the heartbeat will notice, too */
        return;
    }

    ngx_status_schedule_late(job);

    if (probe->check->sentinel) {
        ngx_status_hold_answered(s->hold, probe);
    }

    if (!ngx_status_hold_take(s->hold, &job->held)) {
        ngx_status_schedule_settle(job);
    }
}


static void
ngx_status_schedule_held(ngx_status_held_t *held)
{
    ngx_status_job_t  *job;

    job = (ngx_status_job_t *)
              ((u_char *) held - offsetof(ngx_status_job_t, held));

    if (job->probe.check->token) {
        ngx_status_schedule_run(job);

    } else {
        ngx_status_schedule_settle(job);
    }
}


/* The result stands: into the zone with it, and on to the next one. */

static void
ngx_status_schedule_settle(ngx_status_job_t *job)
{
    void                   *rings;
    int64_t                 now, since;
    ngx_msec_t              next;
    ngx_uint_t              changed;
    ngx_status_zone_t      *zone;
    ngx_status_probe_t     *probe;
    ngx_status_state_e      before;
    ngx_status_record_t    *r;
    ngx_status_schedule_t  *s;

    probe = &job->probe;
    s = job->schedule;
    zone = s->monitor->zone;

    s->results++;

    ngx_time_update();
    now = ngx_status_now();

    next = ngx_status_schedule_next(ngx_current_msec, probe->check->interval,
                                    job->hash);

    ngx_status_mask(probe->check, probe->result.message);
    ngx_status_mask(probe->check, probe->result.seen);

    r = ngx_status_zone_begin(zone, job->slot);
    rings = ngx_status_zone_rings(job->slot);

    before = r->confirm.state;
    since = r->confirm.since;

    changed = ngx_status_record_result(probe->check, &zone->history, r, rings,
                                       &probe->result, &probe->score, now);

    if (ngx_status_pending(&r->confirm)) {
        next = ngx_min(next,
                       ngx_status_schedule_retest(probe->check->interval));
    }

    r->next_at = now + next;

#if (NGX_STATUS_SQLITE)
    if (s->monitor->store) {
        ngx_status_store_result(s->monitor->store, job - s->jobs,
                                ngx_status_zone_record(job->slot), r,
                                &probe->score, now);
    }
#endif

    if (s->monitor->archive) {
        ngx_status_archive_result(s->monitor->archive, job - s->jobs,
                  &r->results[(r->nresults - 1) % NGX_STATUS_RESULTS]);
    }

    ngx_status_zone_commit(zone, job->slot);

    if (probe->check->token && ngx_status_zone_owned(zone)) {
        /* not before: who comes after a crash finds them still waiting */
        ngx_status_pushed_done(s->pushed, probe);
    }

    if (changed) {
        ngx_status_schedule_log(job, r, before, since, now);

    } else if (probe->result.error != NGX_STATUS_E_NONE) {
        ngx_log_error(NGX_LOG_INFO, s->log, 0,
                      "check \"%V\" failed: %s", &probe->check->id,
                      probe->result.message);
    }

    ngx_add_timer(&job->timer, next);
}


/*
 * When it was us who were late for a good part of a probe, then what it says
 * of time, or of a target that did not wait for us, is our own fault.
 */

static void
ngx_status_schedule_late(ngx_status_job_t *job)
{
    ngx_msec_t            late, took;
    ngx_status_result_t  *result;

    result = &job->probe.result;

    if (result->error != NGX_STATUS_E_LATENCY
        && result->error != NGX_STATUS_E_TIMEOUT
        && result->error != NGX_STATUS_E_RESET)
    {
        return;
    }

    took = result->latency / 1000;
    late = ngx_status_loop_lateness(job->probe.started);

    if (late < NGX_STATUS_SCHEDULE_LATE || late < took / 4) {
        return;
    }

    result->state = NGX_STATUS_UNKNOWN;
    result->error = NGX_STATUS_E_INTERNAL;
    ngx_status_message(result->message, "the checker was late by %lu ms",
                       (unsigned long) late);
}


static void
ngx_status_schedule_log(ngx_status_job_t *job, const ngx_status_record_t *r,
    ngx_status_state_e before, int64_t before_since, int64_t now)
{
    ngx_str_t         *id;
    ngx_log_t         *log;
    const ngx_str_t   *name;

    id = (ngx_str_t *) &job->probe.check->id;
    log = job->schedule->log;
    name = &ngx_status_states[r->confirm.state].name;

    switch (r->confirm.state) {

    case NGX_STATUS_UP:

        if (before == NGX_STATUS_UNKNOWN) {
            ngx_log_error(NGX_LOG_INFO, log, 0, "check \"%V\" is up", id);

        } else {
            ngx_log_error(NGX_LOG_NOTICE, log, 0,
                          "check \"%V\" is up after %L s of \"%V\"",
                          id, (now - before_since) / 1000,
                          &ngx_status_states[before].name);
        }

        break;

    default:
        ngx_log_error(NGX_LOG_WARN, log, 0, "check \"%V\" is %V: %s",
                      id, name, r->last.message);
    }
}


/*
 * Places have become free.  This runs after the handlers of the round, not
 * within done(), which may itself have been called from start().
 */

static void
ngx_status_schedule_refill(ngx_event_t *ev)
{
    ngx_queue_t            *q;
    ngx_status_job_t       *job;
    ngx_status_schedule_t  *s;

    s = (ngx_status_schedule_t *)
            ((u_char *) ev - offsetof(ngx_status_schedule_t, refill));

    if (!ngx_status_zone_owned(s->monitor->zone)) {
        return;
    }

    while (s->in_flight < s->monitor->max_in_flight
           && !ngx_queue_empty(&s->waiting))
    {
        q = ngx_queue_head(&s->waiting);
        ngx_queue_remove(q);

        job = ngx_queue_data(q, ngx_status_job_t, queue);

        if (ngx_status_schedule_admit(job)) {
            ngx_status_schedule_run(job);
        }
    }
}
