
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_pushed.h"
#include <ngx_event.h>


#define NGX_STATUS_PUSHED_LOOK   100     /* ms between looks at the inbox */
#define NGX_STATUS_PUSHED_LOOKS  10      /* of them until one at every place */
#define NGX_STATUS_PUSHED_TURN   32      /* probes in a row */


struct ngx_status_pushed_s {
    ngx_status_schedule_t      *schedule;
    ngx_status_monitor_t       *monitor;
    ngx_log_t                  *log;
    ngx_connection_t            connection;      /* for timers' log lines */
    ngx_event_t                 look;
    ngx_uint_t                  looks;
    ngx_uint_t                  looked;          /* checks, of those pushed */
    ngx_uint_t                  news;            /* the inbox's, then */

    /* of the probe that runs */
    ngx_status_push_t           pushes[NGX_STATUS_INBOX_DEPTH];
    ngx_status_place_t          places[NGX_STATUS_INBOX_DEPTH];
};


static void ngx_status_pushed_look(ngx_event_t *ev);
static ngx_uint_t ngx_status_pushed_known(void *data, const ngx_str_t *id);


ngx_status_pushed_t *
ngx_status_pushed_start(ngx_status_schedule_t *schedule,
    ngx_status_monitor_t *monitor, ngx_log_t *log)
{
    ngx_status_pushed_t  *p;

    p = ngx_calloc(sizeof(ngx_status_pushed_t), log);
    if (p == NULL) {
        return NULL;
    }

    p->schedule = schedule;
    p->monitor = monitor;
    p->log = log;
    p->connection.fd = (ngx_socket_t) -1;

    p->look.handler = ngx_status_pushed_look;
    p->look.data = &p->connection;
    p->look.log = log;

    ngx_add_timer(&p->look, NGX_STATUS_PUSHED_LOOK);

    return p;
}


void
ngx_status_pushed_stop(ngx_status_pushed_t *p)
{
    if (p->look.timer_set) {
        ngx_del_timer(&p->look);
    }

    ngx_free(p);
}


void
ngx_status_pushed_get(ngx_status_pushed_t *p, ngx_status_probe_t *probe)
{
    const ngx_status_check_t  *check;

    check = probe->check;

    probe->pushes = p->pushes;
    probe->npushes = ngx_status_inbox_get(p->monitor->inbox, &check->id,
                                          &check->was, p->pushes, p->places);
    probe->listening = ngx_status_inbox_since(p->monitor->inbox);
}


void
ngx_status_pushed_done(ngx_status_pushed_t *p, const ngx_status_probe_t *probe)
{
    ngx_status_inbox_free(p->monitor->inbox, p->places, probe->npushes);
}


/*
 * A look is at a counter; now and then it is at all places, because who
 * counts may have died before.
 */

static void
ngx_status_pushed_look(ngx_event_t *ev)
{
    ngx_uint_t            n, i, news;
    ngx_status_inbox_t   *inbox;
    ngx_status_check_t   *check;
    ngx_status_pushed_t  *p;

    p = (ngx_status_pushed_t *)
            ((u_char *) ev - offsetof(ngx_status_pushed_t, look));

    if (!ngx_status_zone_owned(p->monitor->zone)) {
        return;
    }

    inbox = p->monitor->inbox;

    if (p->looked == 0) {
        news = ngx_status_inbox_news(inbox);

        if (++p->looks % NGX_STATUS_PUSHED_LOOKS && news == p->news) {
            ngx_add_timer(ev, NGX_STATUS_PUSHED_LOOK);
            return;
        }

        p->news = news;
    }

    n = 0;

    while (p->looked < p->monitor->npushed && n < NGX_STATUS_PUSHED_TURN) {
        i = p->monitor->pushed[p->looked++];
        check = p->monitor->checks[i];

        if (ngx_status_inbox_waiting(inbox, &check->id)
            || ngx_status_inbox_waiting(inbox, &check->was))
        {
            ngx_status_schedule_hurry(p->schedule, i, 0);
            n++;
        }
    }

    if (p->looked < p->monitor->npushed) {
        /* let others have their turn */
        ngx_add_timer(ev, 1);
        return;
    }

    p->looked = 0;

    if (p->looks % NGX_STATUS_PUSHED_LOOKS == 0) {
        ngx_status_inbox_sweep(inbox, ngx_status_pushed_known, p->monitor,
                               p->log);
    }

    ngx_add_timer(ev, NGX_STATUS_PUSHED_LOOK);
}


static ngx_uint_t
ngx_status_pushed_known(void *data, const ngx_str_t *id)
{
    ngx_uint_t             i, k;
    const ngx_str_t       *name;
    ngx_status_check_t    *check;
    ngx_status_monitor_t  *monitor = data;

    for (i = 0; i < monitor->npushed; i++) {
        check = monitor->checks[monitor->pushed[i]];

        for (k = 0; k < 2; k++) {
            name = k ? &check->was : &check->id;

            if (name->len == id->len
                && ngx_memcmp(name->data, id->data, id->len) == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}
