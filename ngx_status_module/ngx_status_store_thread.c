
/*
 * Copyright (C) ngx_status_module authors
 *
 * The thread that writes: one for all stores of the process.  How it begins,
 * is woken, watched, and ends.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include <signal.h>
#include "ngx_status_store_db.h"


#define NGX_STATUS_STORE_TURN    500     /* ms between transactions */
#define NGX_STATUS_STORE_START   2000    /* ms that a start waits for a file */
#define NGX_STATUS_STORE_TERM    1000    /* ms that the end may take: under
                                            what nginx grants at TERM, */
#define NGX_STATUS_STORE_QUIT    3000    /* and what others do at QUIT */
#define NGX_STATUS_STORE_MARGIN  400     /* ms of it, for a last try */


pthread_mutex_t  ngx_status_store_mutex = PTHREAD_MUTEX_INITIALIZER;

ngx_status_storing_t  ngx_status_storing;


static void ngx_status_store_cond(pthread_cond_t *cond);
static void *ngx_status_store_thread(void *data);
static void ngx_status_store_wait(ngx_msec_t ms);
static void ngx_status_store_after(struct timespec *ts, ngx_msec_t ms);


ngx_int_t
ngx_status_store_start(ngx_status_store_t *s)
{
    int                    rc;
    sigset_t               all, old;
    struct timespec        ts;
    ngx_status_storing_t  *st;

    st = &ngx_status_storing;

    if (!st->started) {
        ngx_status_store_cond(&st->wake);
        ngx_status_store_cond(&st->tried);

        /* signals are nginx's: they go to its one thread */

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);

        rc = pthread_create(&st->thread, NULL, ngx_status_store_thread, NULL);

        pthread_sigmask(SIG_SETMASK, &old, NULL);

        if (rc != 0) {
            ngx_log_error(NGX_LOG_ALERT, s->log, rc,
                          "pthread_create() failed");
            ngx_status_store_failed(s, 0, "its thread could not be started");
            return NGX_ERROR;
        }

        st->started = 1;
    }

    ngx_status_store_after(&ts, NGX_STATUS_STORE_START);

    pthread_mutex_lock(&ngx_status_store_mutex);

    s->next = st->stores;
    st->stores = s;
    ngx_status_store_hurry();

    rc = (s->next && s->next->stuck.looks >= NGX_STATUS_STUCK) ? ETIMEDOUT : 0;

    while (!s->tried && rc == 0) {
        rc = pthread_cond_timedwait(&st->tried, &ngx_status_store_mutex, &ts);
    }

    if (!s->tried) {
        s->stuck.seen = st->steps;
        s->stuck.looks = NGX_STATUS_STUCK;
    }

    /* on reload it is our predecessor, who wrote it a moment ago */

    s->readable |= (s->status.state == NGX_STATUS_OUTLET_WAITING);

    pthread_mutex_unlock(&ngx_status_store_mutex);

    return NGX_OK;
}


/* Under the mutex. */

void
ngx_status_store_hurry(void)
{
    ngx_status_storing.news = 1;
    pthread_cond_signal(&ngx_status_storing.wake);
}


static void
ngx_status_store_cond(pthread_cond_t *cond)
{
    pthread_condattr_t  attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}


/* One thread writes all stores: what one of them is stuck with holds all. */

ngx_uint_t
ngx_status_store_stuck(ngx_status_store_t *s, ngx_status_outlet_t *status)
{
    const ngx_status_storing_t  *st;

    st = &ngx_status_storing;

    if (!ngx_status_is_stuck(&s->stuck, st->steps)) {
        return 0;
    }

    status->state = NGX_STATUS_OUTLET_FAILED;

    if (st->current == NULL || st->current == s) {
        ngx_status_message(status->message, NGX_STATUS_STUCK_TEXT);

    } else {
        ngx_status_message(status->message, "it waits for \"%s\": "
                           NGX_STATUS_STUCK_TEXT, st->current->path);
    }

    return 1;
}


void
ngx_status_store_step(void)
{
    ngx_status_step(&ngx_status_storing.steps);
}


void
ngx_status_store_leave(ngx_status_store_t *s)
{
    s->leaving = 1;

    if (!ngx_status_storing.started) {
        return;
    }

    pthread_mutex_lock(&ngx_status_store_mutex);
    ngx_status_store_append(&s->queue, &s->pending);
    pthread_cond_signal(&ngx_status_storing.wake);
    pthread_mutex_unlock(&ngx_status_store_mutex);
}


void
ngx_status_store_exit(void)
{
    ngx_uint_t             n;
    ngx_msec_t             ms, begin;
    struct timespec        ts;
    ngx_status_store_t    *s;
    ngx_status_storing_t  *st;

    st = &ngx_status_storing;

    if (!st->started) {
        return;
    }

    ms = ngx_terminate ? NGX_STATUS_STORE_TERM : NGX_STATUS_STORE_QUIT;
    begin = ngx_status_clock();

    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_sec += ms / 1000;

    for (s = st->stores; s; s = s->next) {
        if (!s->leaving) {
            ngx_status_store_finish(s, begin + NGX_STATUS_STORE_MARGIN);
        }
    }

    pthread_mutex_lock(&ngx_status_store_mutex);

    for (s = st->stores; s; s = s->next) {
        ngx_status_store_append(&s->queue, &s->pending);
    }

    st->deadline = begin + ms - NGX_STATUS_STORE_MARGIN;
    st->quit = 1;
    pthread_cond_signal(&st->wake);
    pthread_mutex_unlock(&ngx_status_store_mutex);

    /* who does not make it in time is ended by the process's end: what is
     * in a transaction then has not been written */

    (void) pthread_timedjoin_np(st->thread, NULL, &ts);

    for (s = st->stores; s; s = s->next) {
        if (s->aside[0]) {
            ngx_status_store_tell_aside(s, s->aside);
        }

        n = s->left ? s->unwritten : s->nitems;

        if (n) {
            ngx_log_error(NGX_LOG_ERR, s->log, 0,
                          "%ui records of monitor \"%V\" are lost: store "
                          "\"%s\" could not be written to the end",
                          n, &s->monitor->name, s->path);
        }
    }
}


static void *
ngx_status_store_thread(void *data)
{
    ngx_uint_t             quit, busy;
    ngx_status_store_t    *s, *first;
    ngx_status_storing_t  *st;

    (void) data;

    st = &ngx_status_storing;
    busy = 0;

    do {
        pthread_mutex_lock(&ngx_status_store_mutex);

        if (st->news) {
            st->news = 0;

        } else if (!st->quit) {
            ngx_status_store_wait(NGX_STATUS_STORE_TURN);

        } else if (busy) {
            ngx_status_store_wait(NGX_STATUS_STORE_TURN / 10);
        }

        quit = st->quit;
        first = st->stores;

        pthread_mutex_unlock(&ngx_status_store_mutex);

        for (s = first, busy = 0; s; s = s->next) {
            if (!s->left) {
                busy |= ngx_status_store_turn(s, quit);
            }
        }

    } while (!quit || busy);

    return NULL;
}


static void
ngx_status_store_wait(ngx_msec_t ms)
{
    struct timespec  ts;

    ngx_status_store_after(&ts, ms);

    ngx_status_storing.current = NULL;

    (void) pthread_cond_timedwait(&ngx_status_storing.wake,
                                  &ngx_status_store_mutex, &ts);
}


static void
ngx_status_store_after(struct timespec *ts, ngx_msec_t ms)
{
    clock_gettime(CLOCK_MONOTONIC, ts);

    ts->tv_sec += ms / 1000;
    ts->tv_nsec += ms % 1000 * 1000000;

    if (ts->tv_nsec >= 1000000000) {
        ts->tv_sec++;
        ts->tv_nsec -= 1000000000;
    }
}


int64_t
ngx_status_store_time(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


#endif
