
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_resolve.h"
#include <ngx_event.h>


typedef struct {
    uint32_t       name;
    ngx_uint_t     used;
    ngx_uint_t     stuck;
    ngx_msec_t     until;                  /* of a stuck one */
} ngx_status_place_t;


typedef struct {
    ngx_status_place_t   places[NGX_STATUS_RESOLVE_MAX];
    ngx_queue_t          waiting;
    ngx_event_t          wake;             /* posted: libcurl must not be
                                              called from its callbacks */
    ngx_event_t          linger;
    ngx_connection_t     connection;       /* for timers' log lines */
} ngx_status_resolver_t;


static ngx_status_resolver_t  ngx_status_resolver;


static ngx_uint_t ngx_status_resolve_place(uint32_t name);
static void ngx_status_resolve_wake(ngx_event_t *ev);
static void ngx_status_resolve_linger(ngx_event_t *ev);


void
ngx_status_resolve_init(ngx_log_t *log)
{
    ngx_status_resolver_t  *rs;

    rs = &ngx_status_resolver;

    if (rs->wake.handler) {
        return;
    }

    ngx_queue_init(&rs->waiting);

    rs->connection.fd = (ngx_socket_t) -1;

    rs->wake.handler = ngx_status_resolve_wake;
    rs->wake.data = &rs->connection;
    rs->wake.log = log;

    rs->linger.handler = ngx_status_resolve_linger;
    rs->linger.data = &rs->connection;
    rs->linger.log = log;
    rs->linger.cancelable = 1;
}


ngx_int_t
ngx_status_resolve_begin(ngx_status_resolve_t *r)
{
    r->place = ngx_status_resolve_place(r->name);

    if (r->place) {
        return NGX_OK;
    }

    if (r->ready == NULL) {
        return NGX_DECLINED;
    }

    r->waiting = 1;
    ngx_queue_insert_tail(&ngx_status_resolver.waiting, &r->queue);

    return NGX_AGAIN;
}


static ngx_uint_t
ngx_status_resolve_place(uint32_t name)
{
    ngx_uint_t           i, n, place;
    ngx_status_place_t  *p;

    n = 0;
    place = 0;
    p = ngx_status_resolver.places;

    for (i = 0; i < NGX_STATUS_RESOLVE_MAX; i++) {

        if (!p[i].used) {
            place = i + 1;

        } else if (p[i].name == name && name != 0) {
            n++;
        }
    }

    if (place == 0 || n >= NGX_STATUS_RESOLVE_HOST) {
        return 0;
    }

    p[place - 1].used = 1;
    p[place - 1].stuck = 0;
    p[place - 1].name = name;

    return place;
}


void
ngx_status_resolve_end(ngx_status_resolve_t *r, ngx_uint_t stuck)
{
    ngx_status_place_t     *p;
    ngx_status_resolver_t  *rs;

    rs = &ngx_status_resolver;

    if (r->waiting) {
        r->waiting = 0;
        ngx_queue_remove(&r->queue);
    }

    if (r->place == 0) {
        return;
    }

    p = &rs->places[r->place - 1];
    r->place = 0;

    if (stuck) {
        p->stuck = 1;
        p->until = ngx_current_msec + NGX_STATUS_RESOLVE_LINGER;

        if (!rs->linger.timer_set) {
            ngx_add_timer(&rs->linger, NGX_STATUS_RESOLVE_LINGER);
        }

        return;
    }

    p->used = 0;

    if (!ngx_queue_empty(&rs->waiting)) {
        ngx_post_event(&rs->wake, &ngx_posted_events);
    }
}


static void
ngx_status_resolve_wake(ngx_event_t *ev)
{
    ngx_queue_t            *q;
    ngx_status_resolve_t   *r;
    ngx_status_resolver_t  *rs;

    (void) ev;

    rs = &ngx_status_resolver;

    q = ngx_queue_head(&rs->waiting);

    while (q != ngx_queue_sentinel(&rs->waiting)) {

        r = ngx_queue_data(q, ngx_status_resolve_t, queue);

        r->place = ngx_status_resolve_place(r->name);

        if (r->place == 0) {
            q = ngx_queue_next(q);
            continue;
        }

        r->waiting = 0;
        ngx_queue_remove(&r->queue);

        r->ready(r);

        /* which may have changed the queue */

        q = ngx_queue_head(&rs->waiting);
    }
}


static void
ngx_status_resolve_linger(ngx_event_t *ev)
{
    ngx_uint_t              i;
    ngx_msec_int_t          left, next;
    ngx_status_place_t     *p;
    ngx_status_resolver_t  *rs;

    rs = &ngx_status_resolver;
    next = 0;

    for (i = 0; i < NGX_STATUS_RESOLVE_MAX; i++) {
        p = &rs->places[i];

        if (!p->used || !p->stuck) {
            continue;
        }

        left = (ngx_msec_int_t) (p->until - ngx_current_msec);

        if (left <= 0) {
            p->used = 0;

        } else if (next == 0 || left < next) {
            next = left;
        }
    }

    if (next) {
        ngx_add_timer(ev, (ngx_msec_t) next);
    }

    ngx_status_resolve_wake(&rs->wake);
}
