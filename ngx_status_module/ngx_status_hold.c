
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_hold.h"
#include "ngx_status_sentinel.h"
#include "ngx_status_clock.h"
#include <ngx_event.h>


#define NGX_STATUS_HOLD_TIMEOUTS  2      /* of a sentinel, for it to answer */
#define NGX_STATUS_HOLD_TURN      50     /* of those held that go on at once */


struct ngx_status_hold_s {
    ngx_status_schedule_t      *schedule;
    ngx_status_monitor_t       *monitor;
    ngx_log_t                  *log;
    ngx_connection_t            connection;      /* for timers' log lines */
    void                      (*settle)(ngx_status_held_t *held);

    ngx_status_sentinel_t      *sentinels;       /* the monitor's */
    ngx_uint_t                 *checks;          /* their numbers */
    ngx_queue_t                 held;            /* until they have answered */
    ngx_event_t                 answer;          /* posted when one has; */
    ngx_event_t                 give_up;         /* or they never do */
    ngx_msec_t                  patience;        /* ms, with them */
};


static ngx_int_t ngx_status_hold_sentinels(ngx_status_hold_t *h);
static ngx_uint_t ngx_status_hold_asks(const ngx_status_probe_t *probe);
static ngx_int_t ngx_status_hold_verdict(ngx_status_hold_t *h,
    ngx_status_held_t *held);
static void ngx_status_hold_release(ngx_event_t *ev);
static void ngx_status_hold_give_up(ngx_event_t *ev);


ngx_status_hold_t *
ngx_status_hold_start(ngx_status_schedule_t *schedule,
    ngx_status_monitor_t *monitor, void (*settle)(ngx_status_held_t *held),
    ngx_log_t *log)
{
    ngx_status_hold_t  *h;

    h = ngx_calloc(sizeof(ngx_status_hold_t), log);
    if (h == NULL) {
        return NULL;
    }

    h->schedule = schedule;
    h->monitor = monitor;
    h->settle = settle;
    h->log = log;
    h->connection.fd = (ngx_socket_t) -1;

    ngx_queue_init(&h->held);

    h->answer.handler = ngx_status_hold_release;
    h->answer.log = log;

    h->give_up.handler = ngx_status_hold_give_up;
    h->give_up.data = &h->connection;
    h->give_up.log = log;
    h->give_up.cancelable = 1;

    if (monitor->zone->header->offline_since) {
        /* a predecessor's; who knows */
        ngx_status_zone_put_offline(monitor->zone, 0);
    }

    if (monitor->nsentinels && ngx_status_hold_sentinels(h) != NGX_OK) {
        ngx_status_hold_stop(h);
        return NULL;
    }

    return h;
}


static ngx_int_t
ngx_status_hold_sentinels(ngx_status_hold_t *h)
{
    ngx_uint_t                 i, n;
    const ngx_status_check_t  *check;

    n = h->monitor->nsentinels;

    h->sentinels = ngx_calloc(n * sizeof(ngx_status_sentinel_t), h->log);
    h->checks = ngx_calloc(n * sizeof(ngx_uint_t), h->log);

    if (h->sentinels == NULL || h->checks == NULL) {
        return NGX_ERROR;
    }

    for (i = 0, n = 0; i < h->monitor->nchecks; i++) {
        check = h->monitor->checks[i];

        if (check->sentinel) {
            h->checks[n++] = i;
            h->patience = ngx_max(h->patience,
                                  check->timeout * NGX_STATUS_HOLD_TIMEOUTS
                                  + NGX_STATUS_SENTINEL_PAUSE);
        }
    }

    return NGX_OK;
}


void
ngx_status_hold_stop(ngx_status_hold_t *h)
{
    if (h->answer.posted) {
        ngx_delete_posted_event(&h->answer);
    }

    if (h->give_up.timer_set) {
        ngx_del_timer(&h->give_up);
    }

    ngx_free(h->sentinels);
    ngx_free(h->checks);
    ngx_free(h);
}


/* A sentinel has a result: tell when that changes what is known. */

void
ngx_status_hold_answered(ngx_status_hold_t *h, const ngx_status_probe_t *probe)
{
    int64_t     now, since;
    ngx_uint_t  i, offline;

    for (i = 0; h->monitor->checks[h->checks[i]] != probe->check; i++) {
        /* void */
    }

    ngx_status_sentinel_result(&h->sentinels[i], &probe->result,
                               probe->started);

    offline = ngx_status_sentinel_offline(h->sentinels,
                                          h->monitor->nsentinels);
    since = h->monitor->zone->header->offline_since;
    now = ngx_status_now();

    if (offline && since == 0) {
        ngx_status_zone_put_offline(h->monitor->zone, now);
        ngx_log_error(NGX_LOG_ERR, h->log, 0,
                      "monitor \"%V\": no sentinel answers, this machine has "
                      "no connectivity; what can not be reached is unknown",
                      &h->monitor->name);

    } else if (!offline && since) {
        ngx_status_zone_put_offline(h->monitor->zone, 0);
        ngx_log_error(NGX_LOG_NOTICE, h->log, 0,
                      "monitor \"%V\": sentinels answer again after %L s "
                      "without connectivity",
                      &h->monitor->name, (now - since) / 1000);
    }

    if (!ngx_queue_empty(&h->held)) {
        ngx_post_event(&h->answer, &ngx_posted_events);
    }
}


ngx_uint_t
ngx_status_hold_take(ngx_status_hold_t *h, ngx_status_held_t *held)
{
    if (held->asked) {
        held->asked = 0;
        return 0;
    }

    if (h->sentinels == NULL || !ngx_status_hold_asks(held->probe)) {
        return 0;
    }

    held->ended = ngx_current_msec;

    if (ngx_status_hold_verdict(h, held) != NGX_AGAIN) {

        if (held->probe->check->token == NULL) {
            return 0;
        }

        ngx_post_event(&h->answer, &ngx_posted_events);
    }

    if (ngx_queue_empty(&h->held)) {
        ngx_add_timer(&h->give_up, h->patience);
    }

    ngx_queue_insert_tail(&h->held, &held->queue);

    return 1;
}


ngx_uint_t
ngx_status_hold_drop(ngx_status_held_t *held)
{
    if (held->queue.next == NULL) {
        return 0;
    }

    ngx_queue_remove(&held->queue);
    held->queue.next = NULL;

    return 1;
}


/* Whether the network may be why. */

static ngx_uint_t
ngx_status_hold_asks(const ngx_status_probe_t *probe)
{
    if (probe->result.state == NGX_STATUS_UNKNOWN || probe->check->sentinel) {
        return 0;
    }

    if (probe->check->token) {
        /* if anything came there is a way for it */
        return probe->result.error == NGX_STATUS_E_VALUE
               && probe->npushes == 0;
    }

    if (probe->check->host.len == 0
        && probe->result.error == NGX_STATUS_E_DNS)
    {
        /* a resolver on this machine answers all the same: SERVFAIL */
        return 1;
    }

    return ngx_status_sentinel_concerns(probe->check)
           && ngx_status_sentinel_fails(&probe->result);
}


static ngx_int_t
ngx_status_hold_verdict(ngx_status_hold_t *h, ngx_status_held_t *held)
{
    int64_t                 since;
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_msec_int_t          wait;
    ngx_status_result_t    *result;
    ngx_status_sentinel_t  *s;

    rc = ngx_status_sentinel_verdict(h->sentinels, h->monitor->nsentinels,
                                     held->probe->started, held->ended);

    if (rc == NGX_AGAIN && ngx_current_msec - held->ended >= h->patience) {
        rc = NGX_DECLINED;
    }

    if (rc != NGX_AGAIN && held->probe->check->token) {
        since = h->monitor->zone->header->offline_since;

        held->asked = 1;
        held->probe->offline = rc == NGX_OK ? 0
                               : since ? since : ngx_status_now();

    } else if (rc == NGX_DECLINED) {
        result = &held->probe->result;

        result->state = NGX_STATUS_UNKNOWN;
        result->error = NGX_STATUS_E_INTERNAL;
        ngx_status_message(result->message,
                           "this machine has no connectivity");
    }

    if (rc != NGX_AGAIN) {
        return rc;
    }

    for (i = 0; i < h->monitor->nsentinels; i++) {
        s = &h->sentinels[i];

        if (ngx_status_sentinel_stale(s, held->ended)) {
            wait = s->started + NGX_STATUS_SENTINEL_PAUSE - ngx_current_msec;

            ngx_status_schedule_hurry(h->schedule, h->checks[i],
                                      s->known ? ngx_max(wait, 1) : 1);
        }
    }

    return NGX_AGAIN;
}


static void
ngx_status_hold_release(ngx_event_t *ev)
{
    ngx_uint_t          n;
    ngx_queue_t        *q, *next;
    ngx_status_held_t  *held;
    ngx_status_hold_t  *h;

    h = (ngx_status_hold_t *)
            ((u_char *) ev - offsetof(ngx_status_hold_t, answer));

    if (!ngx_status_zone_owned(h->monitor->zone)) {
        return;
    }

    n = 0;

    for (q = ngx_queue_head(&h->held); q != ngx_queue_sentinel(&h->held);
         q = next)
    {
        if (n == NGX_STATUS_HOLD_TURN) {
            /* let others have their turn */
            ngx_post_event(&h->answer, &ngx_posted_next_events);
            return;
        }

        next = ngx_queue_next(q);
        held = ngx_queue_data(q, ngx_status_held_t, queue);

        if (ngx_status_hold_verdict(h, held) != NGX_AGAIN) {
            (void) ngx_status_hold_drop(held);
            h->settle(held);
            n++;
        }
    }

    if (ngx_queue_empty(&h->held) && h->give_up.timer_set) {
        ngx_del_timer(&h->give_up);
    }
}


static void
ngx_status_hold_give_up(ngx_event_t *ev)
{
    ngx_status_hold_t  *h;

    h = (ngx_status_hold_t *)
            ((u_char *) ev - offsetof(ngx_status_hold_t, give_up));

    ngx_status_hold_release(&h->answer);

    if (!ngx_queue_empty(&h->held)) {
        ngx_add_timer(&h->give_up, NGX_STATUS_SENTINEL_PAUSE);
    }
}
