
/*
 * Copyright (C) ngx_status_module authors
 *
 * The thread that writes: one for all stores of the process.  When, how
 * much at a time, and what becomes of what can not be written.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include <signal.h>
#include "ngx_status_store_db.h"


#define NGX_STATUS_STORE_TURN    500     /* ms between transactions */
#define NGX_STATUS_STORE_RETRY   250     /* ms, doubled each time, up to */
#define NGX_STATUS_STORE_REST    10000   /* ms */
#define NGX_STATUS_STORE_EXIT    1000    /* ms that the end may take: under
                                            what nginx grants at TERM */
#define NGX_STATUS_STORE_BATCH   20000   /* items in a transaction */
#define NGX_STATUS_STORE_AT_EXIT 64      /* of them in a transaction */


typedef struct {
    pthread_cond_t        wake;
    pthread_t             thread;
    ngx_uint_t            started;
    ngx_uint_t            quit;
    ngx_msec_t            deadline;
    ngx_status_store_t   *stores;
} ngx_status_storing_t;


pthread_mutex_t  ngx_status_store_mutex = PTHREAD_MUTEX_INITIALIZER;

static ngx_status_storing_t  ngx_status_storing;


static void *ngx_status_store_thread(void *data);
static void ngx_status_store_turn(ngx_status_store_t *s, ngx_uint_t last);
static void ngx_status_store_try(ngx_status_store_t *s);
static void ngx_status_store_written(ngx_status_store_t *s);
static void ngx_status_store_save_all(ngx_status_store_t *s);


ngx_int_t
ngx_status_store_start(ngx_status_store_t *s)
{
    int                    rc;
    sigset_t               all, old;
    pthread_condattr_t     attr;
    ngx_status_storing_t  *st;

    st = &ngx_status_storing;

    pthread_mutex_lock(&ngx_status_store_mutex);
    s->next = st->stores;
    st->stores = s;
    pthread_mutex_unlock(&ngx_status_store_mutex);

    if (st->started) {
        return NGX_OK;
    }

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&st->wake, &attr);
    pthread_condattr_destroy(&attr);

    /* signals are nginx's: they go to its one thread */

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);

    rc = pthread_create(&st->thread, NULL, ngx_status_store_thread, NULL);

    pthread_sigmask(SIG_SETMASK, &old, NULL);

    if (rc != 0) {
        ngx_log_error(NGX_LOG_ALERT, s->log, rc, "pthread_create() failed");
        return NGX_ERROR;
    }

    st->started = 1;

    return NGX_OK;
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
    struct timespec        ts;
    ngx_status_store_t    *s;
    ngx_status_storing_t  *st;

    st = &ngx_status_storing;

    if (!st->started) {
        return;
    }

    pthread_mutex_lock(&ngx_status_store_mutex);

    for (s = st->stores; s; s = s->next) {
        ngx_status_store_append(&s->queue, &s->pending);
    }

    st->deadline = ngx_status_store_clock() + NGX_STATUS_STORE_EXIT;
    st->quit = 1;
    pthread_cond_signal(&st->wake);
    pthread_mutex_unlock(&ngx_status_store_mutex);

    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_sec += NGX_STATUS_STORE_EXIT / 1000;
    ts.tv_nsec += 100000000;

    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }

    /* who does not make it in time is ended by the process's end: what is
     * in a transaction then has not been written */

    (void) pthread_timedjoin_np(st->thread, NULL, &ts);
}


static void *
ngx_status_store_thread(void *data)
{
    ngx_uint_t             quit;
    struct timespec        ts;
    ngx_status_store_t    *s;
    ngx_status_storing_t  *st;

    (void) data;

    st = &ngx_status_storing;

    do {
        pthread_mutex_lock(&ngx_status_store_mutex);

        if (!st->quit) {
            clock_gettime(CLOCK_MONOTONIC, &ts);
            ts.tv_nsec += NGX_STATUS_STORE_TURN * 1000000;

            if (ts.tv_nsec >= 1000000000) {
                ts.tv_sec++;
                ts.tv_nsec -= 1000000000;
            }

            (void) pthread_cond_timedwait(&st->wake, &ngx_status_store_mutex,
                                          &ts);
        }

        quit = st->quit;
        s = st->stores;

        pthread_mutex_unlock(&ngx_status_store_mutex);

        for ( /* void */ ; s; s = s->next) {
            if (!s->left) {
                ngx_status_store_turn(s, quit);
            }
        }

    } while (!quit);

    return NULL;
}


static void
ngx_status_store_turn(ngx_status_store_t *s, ngx_uint_t last)
{
    ngx_uint_t  leaving;

    pthread_mutex_lock(&ngx_status_store_mutex);
    ngx_status_store_append(&s->batch, &s->queue);
    leaving = s->leaving;
    pthread_mutex_unlock(&ngx_status_store_mutex);

    if (leaving || last
        || (ngx_msec_int_t) (ngx_status_store_clock() - s->retry_at) >= 0)
    {
        ngx_status_store_try(s);
    }

    if (!leaving && !last) {
        return;
    }

    if (s->db && !leaving && ngx_status_zone_owned(s->monitor->zone)) {
        ngx_status_store_save_all(s);

    } else if (s->db) {
        /* a successor waits for the lock, and goes on with the log */
        (void) sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                                 NULL);
    }

    ngx_status_store_list_free(s, &s->batch, NULL);

    if (s->db) {
        ngx_status_store_db_close(s);
    }

    if (s->lock != -1) {
        close(s->lock);
        s->lock = -1;
    }

    s->left = 1;
}


static void
ngx_status_store_try(ngx_status_store_t *s)
{
    int                       rc;
    char                      err[NGX_STATUS_MESSAGE];
    char                      aside[NGX_STATUS_MESSAGE];
    ngx_uint_t                n, waiting, moved;
    ngx_status_store_item_t  *end;

    moved = s->db && ngx_status_store_db_moved(s);

    if (s->db == NULL) {

        rc = ngx_status_store_db_open(s, &waiting, err, aside);

        if (rc != SQLITE_OK) {
            ngx_status_store_failed(s, waiting, err);
            return;
        }

        if (moved) {
            pthread_mutex_lock(&ngx_status_store_mutex);
            s->file++;
            pthread_mutex_unlock(&ngx_status_store_mutex);
        }

        ngx_status_store_begun(s, aside);
    }

    while (s->batch.first) {

        for (n = 0, end = s->batch.first;
             end && n < NGX_STATUS_STORE_BATCH;
             n++)
        {
            end = end->next;
        }

        rc = ngx_status_store_db_write(s, end, err);

        if (rc != SQLITE_OK) {
            ngx_status_store_failed(s, 0, err);

            if (ngx_status_store_db_corrupt(rc)) {
                ngx_status_store_db_close(s);
                ngx_status_store_db_aside(s, aside);

                pthread_mutex_lock(&ngx_status_store_mutex);
                memcpy(s->aside, aside, sizeof(aside));
                s->file++;
                pthread_mutex_unlock(&ngx_status_store_mutex);

            } else if ((rc & 0xff) != SQLITE_BUSY
                       && (rc & 0xff) != SQLITE_FULL)
            {
                /* maybe it is this descriptor that is of no use any more */
                ngx_status_store_db_close(s);
            }

            return;
        }

        ngx_status_store_list_free(s, &s->batch, end);
        ngx_status_store_written(s);
    }

    pthread_mutex_lock(&ngx_status_store_mutex);
    s->readable = 1;
    pthread_mutex_unlock(&ngx_status_store_mutex);
}


static void
ngx_status_store_written(ngx_status_store_t *s)
{
    s->backoff = 0;

    pthread_mutex_lock(&ngx_status_store_mutex);

    s->status.state = NGX_STATUS_STORE_OK;
    s->status.message[0] = '\0';
    s->status.written_at = ngx_status_store_time();

    pthread_mutex_unlock(&ngx_status_store_mutex);
}


void
ngx_status_store_failed(ngx_status_store_t *s, ngx_uint_t waiting,
    const char *err)
{
    s->backoff = s->backoff ? ngx_min(s->backoff * 2, NGX_STATUS_STORE_REST)
                            : NGX_STATUS_STORE_RETRY;

    if (waiting) {
        /* it costs nothing to ask */
        s->backoff = NGX_STATUS_STORE_RETRY;
    }

    s->retry_at = ngx_status_store_clock() + s->backoff;

    pthread_mutex_lock(&ngx_status_store_mutex);

    s->status.state = waiting ? NGX_STATUS_STORE_WAITING
                              : NGX_STATUS_STORE_FAILED;
    ngx_status_message(s->status.message, "%s", err);

    pthread_mutex_unlock(&ngx_status_store_mutex);
}


/* The file is open: as it was, or anew. */

void
ngx_status_store_begun(ngx_status_store_t *s, const char *aside)
{
    pthread_mutex_lock(&ngx_status_store_mutex);

    if (aside[0]) {
        memcpy(s->aside, aside, NGX_STATUS_MESSAGE);
        s->file += (s->file != 0);
    }

    s->file += (s->file == 0);

    /* that it can be opened says little of whether it can be written */

    if (s->batch.first == NULL || s->status.state != NGX_STATUS_STORE_FAILED) {
        s->status.state = NGX_STATUS_STORE_OK;
        s->status.message[0] = '\0';
    }

    pthread_mutex_unlock(&ngx_status_store_mutex);
}


static void
ngx_status_store_save_all(ngx_status_store_t *s)
{
    ngx_uint_t  i, n;

    n = s->monitor->nchecks;

    for (i = 0; i < n; i += NGX_STATUS_STORE_AT_EXIT) {

        if ((ngx_msec_int_t) (ngx_status_store_clock()
                              - ngx_status_storing.deadline) >= 0
            || ngx_status_store_db_save(s, i,
                             ngx_min(n, i + NGX_STATUS_STORE_AT_EXIT))
               != SQLITE_OK)
        {
            break;
        }
    }
}


ngx_msec_t
ngx_status_store_clock(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (ngx_msec_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


int64_t
ngx_status_store_time(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


#endif
