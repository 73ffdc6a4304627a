
/*
 * Copyright (C) ngx_status_module authors
 *
 * A store's turn in the thread: what is written, how much at a time, and
 * what becomes of what can not be written.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include "ngx_status_store_db.h"


#define NGX_STATUS_STORE_RETRY   250     /* ms, doubled each time, up to */
#define NGX_STATUS_STORE_REST    10000   /* ms */
#define NGX_STATUS_STORE_PATIENT 60000   /* ms that waiting for another process
                                            is nothing to complain of */
#define NGX_STATUS_STORE_BATCH   20000   /* items in a transaction */
#define NGX_STATUS_STORE_SAVE    300000  /* ms in which each check's record is
                                            saved once */
#define NGX_STATUS_STORE_SAVES   64      /* of them in a transaction */


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
static void ngx_status_store_begun(ngx_status_store_t *s, const char *aside);


ngx_uint_t
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
        || (ngx_msec_int_t) (ngx_status_clock() - s->retry_at) >= 0)
    {
        ngx_status_store_try(s, damaged);
    }

    if (!leaving && !last) {
        return 1;
    }

    /* who holds a lock may let go of it, as long as there is time */

    if (s->batch.first && s->locked
        && (!last
            || (ngx_msec_int_t) (ngx_status_clock()
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

    s->save_begin = ngx_status_clock() - NGX_STATUS_STORE_SAVE;
    s->saved = 0;

    while (own && s->db && s->saved < s->monitor->nchecks
           && (ngx_msec_int_t) (ngx_status_clock()
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

    now = ngx_status_clock();
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


void
ngx_status_store_failed(ngx_status_store_t *s, ngx_uint_t waiting,
    const char *err)
{
    ngx_msec_t  now;

    s->backoff = s->backoff ? ngx_min(s->backoff * 2, NGX_STATUS_STORE_REST)
                            : NGX_STATUS_STORE_RETRY;

    now = ngx_status_clock();

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
    s->save_begin = ngx_status_clock()
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


#endif
