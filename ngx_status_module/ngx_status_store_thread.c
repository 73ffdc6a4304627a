
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
#define NGX_STATUS_STORE_PATIENT 60000   /* ms that waiting for another process
                                            is nothing to complain of */
#define NGX_STATUS_STORE_START   2000    /* ms that a start waits for a file */
#define NGX_STATUS_STORE_TERM    1000    /* ms that the end may take: under
                                            what nginx grants at TERM, */
#define NGX_STATUS_STORE_QUIT    3000    /* and what others do at QUIT */
#define NGX_STATUS_STORE_MARGIN  400     /* ms of it, for a last try */
#define NGX_STATUS_STORE_BATCH   20000   /* items in a transaction */
#define NGX_STATUS_STORE_SAVE    300000  /* ms in which each check's record is
                                            saved once */
#define NGX_STATUS_STORE_SAVES   64      /* of them in a transaction */


typedef struct {
    pthread_cond_t        wake;
    pthread_t             thread;
    ngx_uint_t            started;
    ngx_atomic_t          steps;         /* the thread's */

    /* under the mutex */
    pthread_cond_t        tried;
    ngx_uint_t            news;          /* not to be waited with */
    ngx_uint_t            quit;
    ngx_msec_t            deadline;
    ngx_status_store_t   *stores;
    ngx_status_store_t   *current;       /* the thread is at it */
} ngx_status_storing_t;


pthread_mutex_t  ngx_status_store_mutex = PTHREAD_MUTEX_INITIALIZER;

static ngx_status_storing_t  ngx_status_storing;


static void ngx_status_store_cond(pthread_cond_t *cond);
static void *ngx_status_store_thread(void *data);
static void ngx_status_store_wait(ngx_msec_t ms);
static void ngx_status_store_after(struct timespec *ts, ngx_msec_t ms);
static void ngx_status_store_begun(ngx_status_store_t *s, const char *aside);
static void ngx_status_store_failed(ngx_status_store_t *s, ngx_uint_t waiting,
    const char *err);
static ngx_uint_t ngx_status_store_turn(ngx_status_store_t *s,
    ngx_uint_t last);
static void ngx_status_store_first(ngx_status_store_t *s);
static void ngx_status_store_end(ngx_status_store_t *s, ngx_uint_t leaving);
static void ngx_status_store_try(ngx_status_store_t *s, ino_t damaged);
static int ngx_status_store_reopen(ngx_status_store_t *s);
static int ngx_status_store_write(ngx_status_store_t *s,
    char err[NGX_STATUS_MESSAGE]);
static int ngx_status_store_save(ngx_status_store_t *s,
    char err[NGX_STATUS_MESSAGE]);
static void ngx_status_store_corrupt(ngx_status_store_t *s);
static void ngx_status_store_written(ngx_status_store_t *s);


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
    ngx_msec_t             ms;
    struct timespec        ts;
    ngx_status_store_t    *s;
    ngx_status_storing_t  *st;

    st = &ngx_status_storing;

    if (!st->started) {
        return;
    }

    ms = ngx_terminate ? NGX_STATUS_STORE_TERM : NGX_STATUS_STORE_QUIT;

    pthread_mutex_lock(&ngx_status_store_mutex);

    for (s = st->stores; s; s = s->next) {
        ngx_status_store_append(&s->queue, &s->pending);
    }

    st->deadline = ngx_status_store_clock() + ms - NGX_STATUS_STORE_MARGIN;
    st->quit = 1;
    pthread_cond_signal(&st->wake);
    pthread_mutex_unlock(&ngx_status_store_mutex);

    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_sec += ms / 1000;

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


/* Answers whether the store goes on. */

static ngx_uint_t
ngx_status_store_turn(ngx_status_store_t *s, ngx_uint_t last)
{
    ino_t       damaged;
    ngx_uint_t  leaving;

    pthread_mutex_lock(&ngx_status_store_mutex);

    ngx_status_store_append(&s->batch, &s->queue);
    leaving = s->leaving;
    damaged = s->damaged;
    ngx_status_storing.current = s;

    pthread_mutex_unlock(&ngx_status_store_mutex);

    ngx_status_store_step();

    if (!s->tried) {
        ngx_status_store_first(s);
        return 1;
    }

    if (leaving || last
        || (ngx_msec_int_t) (ngx_status_store_clock() - s->retry_at) >= 0)
    {
        ngx_status_store_try(s, damaged);
    }

    if (!leaving && !last) {
        return 1;
    }

    /* who holds a lock may let go of it, as long as there is time */

    if (s->batch.first && s->locked
        && (!last
            || (ngx_msec_int_t) (ngx_status_store_clock()
                                 - ngx_status_storing.deadline) < 0))
    {
        return 1;
    }

    ngx_status_store_end(s, leaving);

    return 0;
}


/* Before anything is written, the loop may read. */

static void
ngx_status_store_first(ngx_status_store_t *s)
{
    ngx_uint_t  opened;

    opened = (ngx_status_store_reopen(s) == SQLITE_OK);

    pthread_mutex_lock(&ngx_status_store_mutex);

    s->tried = 1;
    s->readable = opened;
    pthread_cond_signal(&ngx_status_storing.tried);

    pthread_mutex_unlock(&ngx_status_store_mutex);
}


static void
ngx_status_store_end(ngx_status_store_t *s, ngx_uint_t leaving)
{
    int         rc;
    char        err[NGX_STATUS_MESSAGE];
    ngx_uint_t  own;

    s->left = 1;
    own = !leaving && ngx_status_zone_owned(s->monitor->zone);

    /* all records once more, as many as there is time for */

    s->save_begin = ngx_status_store_clock() - NGX_STATUS_STORE_SAVE;
    s->saved = 0;

    while (own && s->db && s->saved < s->monitor->nchecks
           && (ngx_msec_int_t) (ngx_status_store_clock()
                                - ngx_status_storing.deadline) < 0)
    {
        rc = ngx_status_store_save(s, err);

        if (ngx_status_store_db_corrupt(rc)) {
            ngx_status_store_corrupt(s);
            rc = ngx_status_store_reopen(s);
        }

        if (rc != SQLITE_OK) {
            break;
        }
    }

    if (s->db && !own) {
        /* a successor waits for the lock, and goes on with the log */
        (void) sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                                 NULL);
    }

    if (s->batch.first) {
        s->unwritten = s->nitems;
        ngx_status_store_list_free(s, &s->batch, NULL);
    }

    if (s->db) {
        ngx_status_store_db_close(s);
    }

    if (s->lock != -1) {
        close(s->lock);
        s->lock = -1;
    }
}


static void
ngx_status_store_try(ngx_status_store_t *s, ino_t damaged)
{
    int         rc;
    char        err[NGX_STATUS_MESSAGE];
    ngx_uint_t  i;

    if (s->db && ngx_status_store_db_moved(s)) {
        s->anew = 1;
    }

    rc = SQLITE_OK;
    err[0] = '\0';

    for (i = 0; i < 2; i++) {

        if (s->db == NULL && ngx_status_store_reopen(s) != SQLITE_OK) {
            return;
        }

        rc = (s->ino == damaged) ? SQLITE_CORRUPT
                                 : ngx_status_store_write(s, err);

        if (rc == SQLITE_OK) {
            rc = ngx_status_store_save(s, err);
        }

        if (!ngx_status_store_db_corrupt(rc)) {
            break;
        }

        ngx_status_store_corrupt(s);
    }

    s->locked = ((rc & 0xff) == SQLITE_BUSY);

    if (rc == SQLITE_OK) {
        pthread_mutex_lock(&ngx_status_store_mutex);
        s->readable = 1;
        pthread_mutex_unlock(&ngx_status_store_mutex);

        return;
    }

    ngx_status_store_failed(s, 0, err);

    if (s->db && !s->locked && (rc & 0xff) != SQLITE_FULL) {
        /* maybe it is this descriptor that is of no use any more */
        ngx_status_store_db_close(s);
    }
}


static int
ngx_status_store_reopen(ngx_status_store_t *s)
{
    int         rc;
    char        err[NGX_STATUS_MESSAGE];
    char        aside[NGX_STATUS_MESSAGE];
    ngx_uint_t  waiting;

    rc = ngx_status_store_db_open(s, &waiting, err, aside);
    s->locked = ((rc & 0xff) == SQLITE_BUSY);

    if (rc == SQLITE_OK) {
        ngx_status_store_begun(s, aside);

    } else {
        ngx_status_store_failed(s, waiting, err);
    }

    return rc;
}


static int
ngx_status_store_write(ngx_status_store_t *s, char err[NGX_STATUS_MESSAGE])
{
    int                       rc;
    ngx_uint_t                n;
    ngx_status_store_item_t  *end;

    while (s->batch.first) {

        for (n = 0, end = s->batch.first;
             end && n < NGX_STATUS_STORE_BATCH;
             n++)
        {
            end = end->next;
        }

        rc = ngx_status_store_db_write(s, end, err);

        if (rc != SQLITE_OK) {
            return rc;
        }

        ngx_status_store_list_free(s, &s->batch, end);
        ngx_status_store_written(s);
    }

    return SQLITE_OK;
}


/*
 * Now and then all that is known of a check, so that few results have to be
 * repeated at the next start: one after the other, spread over the time.
 */

static int
ngx_status_store_save(ngx_status_store_t *s, char err[NGX_STATUS_MESSAGE])
{
    int         rc;
    ngx_uint_t  n, last;
    ngx_msec_t  now;

    now = ngx_status_store_clock();
    n = s->monitor->nchecks;

    last = (uint64_t) (now - s->save_begin) * n / NGX_STATUS_STORE_SAVE;
    last = ngx_min(last, s->saved + NGX_STATUS_STORE_SAVES);
    last = ngx_min(last, n);

    if (s->saved < last) {
        rc = ngx_status_store_db_save(s, s->saved, last, err);

        if (rc != SQLITE_OK) {
            return rc;
        }

        s->saved = last;
    }

    if (s->saved == n && !s->left) {
        s->save_begin = now;
        s->saved = 0;
    }

    return SQLITE_OK;
}


static void
ngx_status_store_corrupt(ngx_status_store_t *s)
{
    char  aside[NGX_STATUS_MESSAGE];

    aside[0] = '\0';

    ngx_status_store_db_close(s);
    ngx_status_store_db_aside(s, aside);

    s->anew = 1;

    pthread_mutex_lock(&ngx_status_store_mutex);
    memcpy(s->aside, aside, sizeof(aside));
    pthread_mutex_unlock(&ngx_status_store_mutex);
}


static void
ngx_status_store_written(ngx_status_store_t *s)
{
    s->backoff = 0;

    pthread_mutex_lock(&ngx_status_store_mutex);

    s->status.state = NGX_STATUS_OUTLET_OK;
    s->status.message[0] = '\0';
    s->status.written_at = ngx_status_store_time();

    pthread_mutex_unlock(&ngx_status_store_mutex);
}


static void
ngx_status_store_failed(ngx_status_store_t *s, ngx_uint_t waiting,
    const char *err)
{
    ngx_msec_t  now;

    s->backoff = s->backoff ? ngx_min(s->backoff * 2, NGX_STATUS_STORE_REST)
                            : NGX_STATUS_STORE_RETRY;

    now = ngx_status_store_clock();

    if (waiting) {
        /* it costs nothing to ask */
        s->backoff = NGX_STATUS_STORE_RETRY;

        /* a reload or an upgrade is over by then */

        if (s->waiting_since == 0) {
            s->waiting_since = now;

        } else if (now - s->waiting_since > NGX_STATUS_STORE_PATIENT) {
            waiting = 0;
        }
    }

    s->retry_at = now + s->backoff;

    pthread_mutex_lock(&ngx_status_store_mutex);

    s->status.state = waiting ? NGX_STATUS_OUTLET_WAITING
                              : NGX_STATUS_OUTLET_FAILED;
    ngx_status_message(s->status.message, "%s", err);

    pthread_mutex_unlock(&ngx_status_store_mutex);
}


/* The file is open: as it was, or anew. */

static void
ngx_status_store_begun(ngx_status_store_t *s, const char *aside)
{
    s->waiting_since = 0;

    /* one without records gets them all at once */

    s->saved = 0;
    s->save_begin = ngx_status_store_clock()
                    - (s->empty || s->anew ? NGX_STATUS_STORE_SAVE : 0);

    pthread_mutex_lock(&ngx_status_store_mutex);

    if (aside[0]) {
        memcpy(s->aside, aside, NGX_STATUS_MESSAGE);
    }

    if (s->file == 0 || s->anew || aside[0]) {
        s->file++;
        s->anew = 0;
    }

    /* that it can be opened says little of whether it can be written */

    if (s->batch.first == NULL || s->status.state != NGX_STATUS_OUTLET_FAILED) {
        s->status.state = NGX_STATUS_OUTLET_OK;
        s->status.message[0] = '\0';
    }

    pthread_mutex_unlock(&ngx_status_store_mutex);
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
