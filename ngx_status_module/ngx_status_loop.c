
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_loop.h"
#include "ngx_status_clock.h"
#include <sys/epoll.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>


#define NGX_STATUS_LOOP_EVENTS   64
#define NGX_STATUS_LOOP_SLICE    2       /* ms in one go; epoll tells the rest
                                            again */
#define NGX_STATUS_LOOP_TICK     50      /* ms between looks at the lateness */
#define NGX_STATUS_LOOP_HISTORY  256     /* that lateness is remembered, each */
#define NGX_STATUS_LOOP_PIECE    250     /* so many ms */
#define NGX_STATUS_LOOP_FAULT    60000   /* ms of lateness: a fault of ours */
#define NGX_STATUS_LOOP_COARSE   10000   /* ms; "timer_resolution" at most */
#define NGX_STATUS_LOOP_LOOKUPS  4       /* threads at a time */
#define NGX_STATUS_LOOP_CACHE    16384   /* idle connections kept */


struct ngx_status_lookup_s {
    ngx_status_work_t   work;            /* first */
    char                host[256];
    int                 family;
    int                 code;
    ngx_uint_t          cancelled;
    void              (*done)(void *data, int code);
    void               *data;
};


/*
 * Events name a descriptor and the generation of its watch, not the watch:
 * a handler may end the watch of an event that epoll_wait() has already
 * returned, and its descriptor may be another's by then.
 */

typedef struct {
    ngx_status_watch_t  *watch;
    uint32_t             generation;
} ngx_status_place_t;


typedef struct ngx_status_socket_s  ngx_status_socket_t;

struct ngx_status_socket_s {
    ngx_status_watch_t   watch;
    ngx_status_socket_t *next;           /* in the free list */
};


typedef struct {
    CURLM                *multi;
    ngx_connection_t     *connection;    /* of the epoll descriptor */
    int                   epoll;
    ngx_event_t           timer;         /* libcurl's */
    ngx_event_t           tick;
    ngx_event_t           rest;          /* posted: more have finished */
    ngx_log_t            *log;

    ngx_status_place_t   *places;        /* by descriptor */
    size_t                nplaces;
    ngx_status_socket_t  *free;

    int                   pipe[2];       /* threads write here */
    ngx_status_watch_t    pipe_watch;
    ngx_uint_t            nlookups;

    ngx_msec_t            tick_ms;       /* from a tick to the next, or less */
    ngx_msec_t            due;           /* when the next tick should be */
    ngx_msec_t            late[NGX_STATUS_LOOP_HISTORY];
    ngx_msec_t            late_until[NGX_STATUS_LOOP_HISTORY];
} ngx_status_loop_t;


static ngx_status_loop_t  ngx_status_loop;


static void ngx_status_loop_handler(ngx_event_t *ev);
static void ngx_status_loop_tick(ngx_event_t *ev);
static void ngx_status_loop_timeout(ngx_event_t *ev);
static int ngx_status_loop_timer(CURLM *multi, long ms, void *data);
static int ngx_status_loop_socket(CURL *easy, curl_socket_t s, int what,
    void *data, void *place);
static void ngx_status_loop_ready(ngx_status_watch_t *w, uint32_t ready);
static void ngx_status_loop_finished(ngx_msec_t begin);
static void ngx_status_loop_rest(ngx_event_t *ev);
static void ngx_status_loop_answered(ngx_status_watch_t *w, uint32_t ready);
static void *ngx_status_loop_thread(void *data);
static void ngx_status_loop_look(ngx_status_work_t *w);
static void ngx_status_loop_looked(ngx_status_work_t *w);
static void ngx_status_loop_note(ngx_msec_t now, ngx_msec_t late);


ngx_int_t
ngx_status_loop_init(ngx_cycle_t *cycle)
{
    ngx_core_conf_t    *ccf;
    ngx_connection_t   *c;
    ngx_status_loop_t  *l;

    l = &ngx_status_loop;
    ngx_memzero(l, sizeof(ngx_status_loop_t));

    l->log = cycle->log;
    l->epoll = -1;
    l->pipe[0] = -1;
    l->pipe[1] = -1;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        ngx_log_error(NGX_LOG_ALERT, l->log, 0, "curl_global_init() failed");
        return NGX_ERROR;
    }

    l->multi = curl_multi_init();
    if (l->multi == NULL) {
        ngx_log_error(NGX_LOG_ALERT, l->log, 0, "curl_multi_init() failed");
        return NGX_ERROR;
    }

    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION,
                      ngx_status_loop_socket);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION,
                      ngx_status_loop_timer);
    curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS,
                      (long) NGX_STATUS_LOOP_CACHE);

    /* a check's latency is its own: no sharing of one connection */
    curl_multi_setopt(l->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_NOTHING);

    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll == -1) {
        ngx_log_error(NGX_LOG_ALERT, l->log, ngx_errno,
                      "epoll_create1() failed");
        return NGX_ERROR;
    }

    c = ngx_get_connection(l->epoll, l->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->read->handler = ngx_status_loop_handler;
    c->read->log = l->log;
    c->data = l;
    l->connection = c;

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT) == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (pipe2(l->pipe, O_CLOEXEC|O_NONBLOCK) == -1) {
        ngx_log_error(NGX_LOG_ALERT, l->log, ngx_errno, "pipe2() failed");
        return NGX_ERROR;
    }

    l->pipe_watch.fd = l->pipe[0];
    l->pipe_watch.handler = ngx_status_loop_answered;

    if (ngx_status_loop_watch(&l->pipe_watch, EPOLLIN) != NGX_OK) {
        return NGX_ERROR;
    }

    l->timer.handler = ngx_status_loop_timeout;
    l->timer.data = l->connection;
    l->timer.log = l->log;

    l->rest.handler = ngx_status_loop_rest;
    l->rest.log = l->log;

    l->tick.handler = ngx_status_loop_tick;
    l->tick.data = l->connection;
    l->tick.log = l->log;

    /*
     * With "timer_resolution" timers are late by as much as it says, which
     * is what the operator wants.  A fork of nginx that has other fields
     * there must not switch the measuring off.
     */

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    l->tick_ms = NGX_STATUS_LOOP_TICK;

    if (ccf->timer_resolution <= NGX_STATUS_LOOP_COARSE) {
        l->tick_ms += ccf->timer_resolution;
    }

    l->due = ngx_status_clock() + l->tick_ms;
    ngx_add_timer(&l->tick, NGX_STATUS_LOOP_TICK);

    return NGX_OK;
}


ngx_int_t
ngx_status_loop_watch(ngx_status_watch_t *w, uint32_t events)
{
    int                  op;
    size_t               n;
    ngx_status_loop_t   *l;
    ngx_status_place_t  *place;
    struct epoll_event   ee;

    l = &ngx_status_loop;

    if (events == w->events) {
        return NGX_OK;
    }

    if ((size_t) w->fd >= l->nplaces) {
        n = ngx_max((size_t) w->fd + 1, ngx_max(l->nplaces * 2, 256));

        place = realloc(l->places, n * sizeof(ngx_status_place_t));
        if (place == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(place + l->nplaces,
                    (n - l->nplaces) * sizeof(ngx_status_place_t));
        l->places = place;
        l->nplaces = n;
    }

    place = &l->places[w->fd];

    if (events == 0) {
        op = EPOLL_CTL_DEL;
        place->watch = NULL;

    } else if (w->events == 0) {
        op = EPOLL_CTL_ADD;
        place->watch = w;
        place->generation++;

    } else {
        op = EPOLL_CTL_MOD;
    }

    w->events = events;

    ee.events = events;
    ee.data.u64 = (uint64_t) place->generation << 32 | (uint32_t) w->fd;

    if (epoll_ctl(l->epoll, op, w->fd, &ee) == -1) {

        if (op == EPOLL_CTL_DEL) {
            /* closed before it was taken out: epoll has forgotten it */
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_ALERT, l->log, ngx_errno,
                      "epoll_ctl(%d, %d) failed", op, w->fd);
        place->watch = NULL;
        w->events = 0;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_status_loop_handler(ngx_event_t *ev)
{
    int                  i, n;
    ngx_msec_t           begin;
    ngx_status_loop_t   *l;
    ngx_status_place_t  *place;
    struct epoll_event   events[NGX_STATUS_LOOP_EVENTS];

    (void) ev;

    l = &ngx_status_loop;
    begin = ngx_status_clock();

    n = epoll_wait(l->epoll, events, NGX_STATUS_LOOP_EVENTS, 0);

    for (i = 0; i < n; i++) {
        place = &l->places[(uint32_t) events[i].data.u64];

        if (place->watch == NULL
            || place->generation != events[i].data.u64 >> 32)
        {
            continue;
        }

        place->watch->handler(place->watch, events[i].events);

        if (ngx_status_clock() - begin >= NGX_STATUS_LOOP_SLICE) {
            break;
        }
    }

    ngx_status_loop_finished(begin);
}


static int
ngx_status_loop_socket(CURL *easy, curl_socket_t s, int what, void *data,
    void *place)
{
    uint32_t              events;
    ngx_status_loop_t    *l;
    ngx_status_socket_t  *sock;

    (void) easy;
    (void) data;

    l = &ngx_status_loop;
    sock = place;

    if (what == CURL_POLL_REMOVE) {
        if (sock) {
            (void) ngx_status_loop_watch(&sock->watch, 0);
            curl_multi_assign(l->multi, s, NULL);
            sock->next = l->free;
            l->free = sock;
        }

        return 0;
    }

    if (sock == NULL) {

        if (l->free) {
            sock = l->free;
            l->free = sock->next;

        } else {
            sock = malloc(sizeof(ngx_status_socket_t));
            if (sock == NULL) {
                /* an error returned here would break every transfer; this
                 * one will time out, and that must count as our fault */
                ngx_status_loop_note(ngx_status_clock(),
                                     NGX_STATUS_LOOP_FAULT);
                return 0;
            }
        }

        ngx_memzero(sock, sizeof(ngx_status_socket_t));
        sock->watch.fd = s;
        sock->watch.handler = ngx_status_loop_ready;
        curl_multi_assign(l->multi, s, sock);
    }

    events = (what & CURL_POLL_IN ? EPOLLIN : 0)
             | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

    if (ngx_status_loop_watch(&sock->watch, events) != NGX_OK) {
        ngx_status_loop_note(ngx_status_clock(), NGX_STATUS_LOOP_FAULT);
    }

    return 0;
}


static void
ngx_status_loop_ready(ngx_status_watch_t *w, uint32_t ready)
{
    int  flags, running;

    flags = (ready & (EPOLLIN|EPOLLHUP) ? CURL_CSELECT_IN : 0)
            | (ready & EPOLLOUT ? CURL_CSELECT_OUT : 0)
            | (ready & EPOLLERR ? CURL_CSELECT_ERR : 0);

    curl_multi_socket_action(ngx_status_loop.multi, w->fd, flags, &running);
}


static int
ngx_status_loop_timer(CURLM *multi, long ms, void *data)
{
    ngx_event_t  *ev;

    (void) multi;
    (void) data;

    ev = &ngx_status_loop.timer;

    /* nginx leaves a timer alone that is moved by less than 300 ms */

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (ms >= 0) {
        ngx_add_timer(ev, (ngx_msec_t) ms);
    }

    return 0;
}


static void
ngx_status_loop_timeout(ngx_event_t *ev)
{
    int  running;

    (void) ev;

    curl_multi_socket_action(ngx_status_loop.multi, CURL_SOCKET_TIMEOUT, 0,
                             &running);

    ngx_status_loop_finished(ngx_status_clock());
}


/*
 * Those who waited for one target finish all together when it answers.  What
 * they cost is not ours to know; the rest has its turn after other events.
 */

static void
ngx_status_loop_finished(ngx_msec_t begin)
{
    int                     left;
    CURL                   *easy;
    CURLMsg                *msg;
    CURLcode                code;
    ngx_status_transfer_t  *t;

    while ((msg = curl_multi_info_read(ngx_status_loop.multi, &left))) {

        if (msg->msg != CURLMSG_DONE) {
            continue;
        }

        /* the message dies with the handle's removal */

        easy = msg->easy_handle;
        code = msg->data.result;
        t = NULL;

        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &t);

        if (!t->stays) {
            curl_multi_remove_handle(ngx_status_loop.multi, easy);
        }

        t->done(t, code);

        if (ngx_status_clock() - begin >= NGX_STATUS_LOOP_SLICE) {
            ngx_post_event(&ngx_status_loop.rest, &ngx_posted_next_events);
            break;
        }
    }
}


static void
ngx_status_loop_rest(ngx_event_t *ev)
{
    (void) ev;

    ngx_status_loop_finished(ngx_status_clock());
}


ngx_int_t
ngx_status_loop_add(ngx_status_transfer_t *t)
{
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, (void *) t);

    if (curl_multi_add_handle(ngx_status_loop.multi, t->easy) != CURLM_OK) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_status_loop_remove(ngx_status_transfer_t *t)
{
    curl_multi_remove_handle(ngx_status_loop.multi, t->easy);
}


static void
ngx_status_loop_tick(ngx_event_t *ev)
{
    ngx_msec_t          now;
    ngx_status_loop_t  *l;

    l = &ngx_status_loop;
    now = ngx_status_clock();

    ngx_status_loop_note(now, now > l->due ? now - l->due : 0);

    l->due = now + l->tick_ms;
    ngx_add_timer(ev, NGX_STATUS_LOOP_TICK);
}


static void
ngx_status_loop_note(ngx_msec_t now, ngx_msec_t late)
{
    ngx_uint_t          i;
    ngx_msec_t          piece;
    ngx_status_loop_t  *l;

    l = &ngx_status_loop;
    piece = now / NGX_STATUS_LOOP_PIECE;
    i = piece % NGX_STATUS_LOOP_HISTORY;

    if (l->late_until[i] / NGX_STATUS_LOOP_PIECE != piece
        || late >= l->late[i])
    {
        l->late[i] = late;
        l->late_until[i] = now;
    }
}


ngx_msec_t
ngx_status_loop_lateness(ngx_msec_t since)
{
    ngx_uint_t          i;
    ngx_msec_t          now, worst;
    ngx_status_loop_t  *l;

    l = &ngx_status_loop;
    now = ngx_status_clock();

    /* after a stall descriptors are served before timers: count it already */

    worst = ngx_max(l->due, since);
    worst = now > worst ? now - worst : 0;

    /* who began when a stall was over has not been hit by it */

    for (i = 0; i < NGX_STATUS_LOOP_HISTORY; i++) {
        if (l->late_until[i] >= since) {
            worst = ngx_max(worst, l->late[i]);
        }
    }

    return worst;
}


ngx_int_t
ngx_status_loop_work(ngx_status_work_t *w)
{
    int             rc;
    sigset_t        all, old;
    pthread_t       thread;
    pthread_attr_t  attr;

    /* signals are nginx's: they go to its one thread */

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);

    rc = pthread_create(&thread, &attr, ngx_status_loop_thread, w);

    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &old, NULL);

    return rc == 0 ? NGX_OK : NGX_ERROR;
}


static void *
ngx_status_loop_thread(void *data)
{
    ssize_t             n;
    ngx_status_work_t  *w;

    w = data;
    w->run(w);

    do {
        n = write(ngx_status_loop.pipe[1], &w, sizeof(w));
    } while (n == -1 && errno == EINTR);

    return NULL;
}


static void
ngx_status_loop_answered(ngx_status_watch_t *w, uint32_t ready)
{
    ngx_status_work_t  *work;

    (void) ready;

    while (read(w->fd, &work, sizeof(work)) == sizeof(work)) {
        work->done(work);
    }
}


ngx_int_t
ngx_status_loop_lookup(const char *host, int family,
    void (*done)(void *data, int code), void *data,
    ngx_status_lookup_t **handle)
{
    ngx_status_lookup_t  *lookup;

    if (ngx_status_loop.nlookups >= NGX_STATUS_LOOP_LOOKUPS
        || strlen(host) >= sizeof(lookup->host))
    {
        return NGX_ERROR;
    }

    lookup = calloc(1, sizeof(ngx_status_lookup_t));
    if (lookup == NULL) {
        return NGX_ERROR;
    }

    strcpy(lookup->host, host);
    lookup->family = family;
    lookup->work.run = ngx_status_loop_look;
    lookup->work.done = ngx_status_loop_looked;
    lookup->done = done;
    lookup->data = data;

    if (ngx_status_loop_work(&lookup->work) != NGX_OK) {
        free(lookup);
        return NGX_ERROR;
    }

    ngx_status_loop.nlookups++;
    *handle = lookup;

    return NGX_OK;
}


void
ngx_status_loop_lookup_cancel(ngx_status_lookup_t *handle)
{
    handle->cancelled = 1;
}


static void
ngx_status_loop_look(ngx_status_work_t *w)
{
    struct addrinfo       hints, *ai;
    ngx_status_lookup_t  *lookup;

    lookup = (ngx_status_lookup_t *) w;
    ai = NULL;

    ngx_memzero(&hints, sizeof(struct addrinfo));
    hints.ai_family = lookup->family;
    hints.ai_socktype = SOCK_STREAM;

    lookup->code = getaddrinfo(lookup->host, NULL, &hints, &ai);

    if (lookup->code == 0) {
        freeaddrinfo(ai);
    }
}


static void
ngx_status_loop_looked(ngx_status_work_t *w)
{
    ngx_status_lookup_t  *lookup;

    lookup = (ngx_status_lookup_t *) w;

    ngx_status_loop.nlookups--;

    if (!lookup->cancelled) {
        lookup->done(lookup->data, lookup->code);
    }

    free(lookup);
}
