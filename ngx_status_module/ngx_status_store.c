
/*
 * Copyright (C) ngx_status_module authors
 *
 * The store as the loop sees it: what is taken, what is read back at the
 * start, what is told.  It waits for nobody.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include "ngx_status_record.h"
#include "ngx_status_store_db.h"




static ngx_uint_t ngx_status_store_off(ngx_status_monitor_t *monitor,
    ngx_log_t *log);
static ngx_uint_t ngx_status_store_hand_over(ngx_status_store_t *s);
static void ngx_status_store_events(ngx_status_store_t *s, ngx_uint_t n,
    const ngx_status_record_t *before, const ngx_status_record_t *record);
static void ngx_status_store_event(ngx_status_store_t *s, ngx_uint_t n,
    ngx_uint_t from, ngx_uint_t to, int64_t at, const char *why);
static void ngx_status_store_forward(ngx_status_store_t *s,
    ngx_uint_t readable, ngx_uint_t ok);
static void ngx_status_store_tell(ngx_status_store_t *s,
    ngx_status_outlet_t *status, const char *aside);


ngx_status_store_t *
ngx_status_store_open(ngx_status_monitor_t *monitor, ngx_log_t *log)
{
    ngx_uint_t           n;
    ngx_msec_t           begin;
    ngx_status_slot_t   *slot;
    ngx_status_store_t  *s;

    if (ngx_status_store_off(monitor, log)) {
        return NULL;
    }

    s = calloc(1, sizeof(ngx_status_store_t));
    if (s == NULL) {
        goto nomem;
    }

    s->checks = calloc(monitor->nchecks, sizeof(ngx_status_store_check_t));
    s->ids = calloc(monitor->nchecks, sizeof(sqlite3_int64));
    s->certs = calloc(monitor->nchecks, sizeof(uint32_t));

    if (s->checks == NULL || s->ids == NULL || s->certs == NULL) {
        goto nomem;
    }

    s->monitor = monitor;
    s->log = log;
    s->path = (char *) monitor->store_conf.file.data;
    s->lock = -1;
    s->told.state = NGX_STATUS_OUTLET_OFF;

    begin = ngx_status_clock();

    for (n = 0; n < monitor->nchecks; n++) {
        slot = ngx_status_zone_claim(monitor->zone, &monitor->checks[n]->id);
        s->checks[n].slot = slot;
        s->checks[n].again = 1;
        s->checks[n].fresh = slot
                        && ngx_status_zone_record(slot)->nresults == 0;
    }

    if (ngx_status_store_start(s) == NGX_OK && s->readable) {
        n = ngx_status_store_restore(s, 0);

        if (n) {
            ngx_log_error(NGX_LOG_NOTICE, log, 0,
                          "%ui checks of monitor \"%V\" have their past back "
                          "from \"%s\" in %M ms", n, &monitor->name, s->path,
                          ngx_status_clock() - begin);
        }
    }

    ngx_status_store_beat(s);

    /* what our predecessor could not write waits already */

    if (pthread_mutex_trylock(&ngx_status_store_mutex) == 0) {
        ngx_status_store_hurry();
        pthread_mutex_unlock(&ngx_status_store_mutex);
    }

    return s;

nomem:

    ngx_log_error(NGX_LOG_ALERT, log, 0, "no memory for the store of monitor "
                  "\"%V\"", &monitor->name);

    return NULL;
}


/*
 * Whether there is none.  One that nobody asked for is not missed where its
 * directory is of no use: no error, but a line, and a word in the zone.
 */

static ngx_uint_t
ngx_status_store_off(ngx_status_monitor_t *monitor, ngx_log_t *log)
{
    char                  *slash, dir[NGX_MAX_PATH];
    ngx_err_t              err;
    ngx_status_outlet_t    status, was[NGX_STATUS_NOUTLETS];

    err = 0;
    ngx_memzero(&status, sizeof(ngx_status_outlet_t));

    if (monitor->store_conf.file.len) {

        if (!monitor->store_conf.unasked) {
            return 0;
        }

        ngx_cpystrn((u_char *) dir, monitor->store_conf.file.data,
                    sizeof(dir));
        slash = strrchr(dir, '/');
        *slash = '\0';

        if (access(dir, W_OK|X_OK) == 0) {
            return 0;
        }

        err = ngx_errno;
        ngx_status_message(status.message, "\"%s\": %s", dir, strerror(err));
    }

    /* what the checker before us said needs no saying again */

    ngx_memzero(was, sizeof(was));
    ngx_status_zone_get_outlets(monitor->zone, was);

    if (was[NGX_STATUS_STORE].state == status.state
        && strcmp(was[NGX_STATUS_STORE].message, status.message) == 0)
    {
        return 1;
    }

    if (err) {
        ngx_log_error(NGX_LOG_NOTICE, log, err,
                      "history of monitor \"%V\" is in memory only, because "
                      "its directory \"%s\" can not be used",
                      &monitor->name, dir);
    }

    ngx_status_zone_put_outlet(monitor->zone, NGX_STATUS_STORE, &status);

    return 1;
}


void
ngx_status_store_result(ngx_status_store_t *s, ngx_uint_t n,
    const ngx_status_record_t *before, const ngx_status_record_t *record,
    const ngx_status_score_t *score, int64_t now)
{
    int64_t  *first;

    first = &s->checks[n].first_result;

    if (*first == 0 || record->last.at < *first) {
        *first = record->last.at;
    }

    ngx_status_store_push_result(s, n, &record->last, score, now);

    ngx_status_store_events(s, n, before, record);

    (void) ngx_status_store_hand_over(s);
}


/* The loop waits for nobody: what it can not hand over now, it will later. */

static ngx_uint_t
ngx_status_store_hand_over(ngx_status_store_t *s)
{
    if (pthread_mutex_trylock(&ngx_status_store_mutex) != 0) {
        return 0;
    }

    ngx_status_store_append(&s->queue, &s->pending);
    s->status.lost += s->dropped;
    s->dropped = 0;

    pthread_mutex_unlock(&ngx_status_store_mutex);

    return 1;
}


/* As record.c made them: a gap is a change to unknown, and one from there. */

static void
ngx_status_store_events(ngx_status_store_t *s, ngx_uint_t n,
    const ngx_status_record_t *before, const ngx_status_record_t *record)
{
    ngx_uint_t  from;

    from = before->confirm.state;

    if (before->nresults && record->last.at > before->valid_until
        && from != NGX_STATUS_UNKNOWN)
    {
        ngx_status_store_event(s, n, from, NGX_STATUS_UNKNOWN,
                               before->valid_until, NGX_STATUS_RECORD_GAP);
        from = NGX_STATUS_UNKNOWN;
    }

    if (record->confirm.state != from) {
        ngx_status_store_event(s, n, from, record->confirm.state,
                               record->confirm.since,
                               ngx_status_record_reason(record,
                                                        &record->last));
    }
}


static void
ngx_status_store_event(ngx_status_store_t *s, ngx_uint_t n, ngx_uint_t from,
    ngx_uint_t to, int64_t at, const char *why)
{
    int64_t  *first;

    first = &s->checks[n].first_event;

    if (*first == 0 || at < *first) {
        *first = at;
    }

    ngx_status_store_push_event(s, n, from, to, at, why, 0);
}


void
ngx_status_store_beat(ngx_status_store_t *s)
{
    char                  aside[NGX_STATUS_MESSAGE];
    ngx_uint_t            file, readable, stuck;
    ngx_status_outlet_t   status;

    if (pthread_mutex_trylock(&ngx_status_store_mutex) != 0) {
        return;
    }

    ngx_status_store_append(&s->queue, &s->pending);
    s->status.lost += s->dropped;
    s->dropped = 0;

    status = s->status;
    stuck = ngx_status_store_stuck(s, &status);
    file = s->file;
    readable = s->readable;
    memcpy(aside, s->aside, sizeof(aside));
    s->aside[0] = '\0';

    pthread_mutex_unlock(&ngx_status_store_mutex);

    if (file != s->file_seen) {

        if (s->file_seen) {
            ngx_status_store_again(s);
        }

        s->file_seen = file;
    }

    ngx_status_store_forward(s, readable && !stuck,
                             status.state == NGX_STATUS_OUTLET_OK);

    ngx_status_store_tell(s, &status, aside);
}


/*
 * A disk may have answered again just now: what the file still lacks of what
 * the zone has must not go with the zone.  A successor sees to that itself.
 */

void
ngx_status_store_finish(ngx_status_store_t *s, ngx_msec_t deadline)
{
    ngx_uint_t  i, ok, readable;

    while (ngx_status_zone_owned(s->monitor->zone)) {

        pthread_mutex_lock(&ngx_status_store_mutex);
        ok = (s->status.state == NGX_STATUS_OUTLET_OK);
        readable = s->readable;
        pthread_mutex_unlock(&ngx_status_store_mutex);

        if (!ok) {
            return;
        }

        ngx_status_store_forward(s, readable, 1);

        for (i = 0; i < s->monitor->nchecks; i++) {
            if (s->checks[i].again && s->checks[i].slot) {
                break;
            }
        }

        if (i == s->monitor->nchecks
            || (ngx_msec_int_t) (ngx_status_clock() - deadline) >= 0)
        {
            return;
        }

        ngx_msleep(1);
    }
}


static void
ngx_status_store_forward(ngx_status_store_t *s, ngx_uint_t readable,
    ngx_uint_t ok)
{
    if (readable && s->restored < s->monitor->nchecks) {
        (void) ngx_status_store_restore(s, ngx_status_clock()
                                           + NGX_STATUS_STORE_STEP);
    }

    /* else it is where it is best kept */

    if (ok) {
        ngx_status_store_catch_up(s);
        (void) ngx_status_store_hand_over(s);
    }
}


static void
ngx_status_store_tell(ngx_status_store_t *s, ngx_status_outlet_t *status,
    const char *aside)
{
    ngx_str_t   *name;
    ngx_uint_t   level;

    name = &s->monitor->name;

    if (aside[0]) {
        ngx_status_store_tell_aside(s, aside);
    }

    if (status->state != s->told.state
        || strcmp(status->message, s->told.message) != 0)
    {
        switch (status->state) {

        case NGX_STATUS_OUTLET_FAILED:
            ngx_log_error(NGX_LOG_ERR, s->log, 0,
                          "store \"%s\" of monitor \"%V\" can not be "
                          "written: %s; results are kept in memory",
                          s->path, name, status->message);
            break;

        case NGX_STATUS_OUTLET_WAITING:
            ngx_log_error(NGX_LOG_INFO, s->log, 0,
                          "store \"%s\" of monitor \"%V\" is written by "
                          "another process", s->path, name);
            break;

        default:
            level = s->told.state == NGX_STATUS_OUTLET_FAILED
                    ? NGX_LOG_NOTICE : NGX_LOG_INFO;

            ngx_log_error(level, s->log, 0,
                          "store \"%s\" of monitor \"%V\" is written, "
                          "%uL records were lost", s->path, name,
                          status->lost - s->told_lost);

            s->told_lost = status->lost;
            s->told_full = 0;
        }
    }

    if (status->lost != s->told_lost && !s->told_full) {
        s->told_full = 1;
        ngx_log_error(NGX_LOG_ERR, s->log, 0,
                      "memory is full of what store \"%s\" of monitor \"%V\" "
                      "could not take: from here on results are lost",
                      s->path, name);
    }

    s->told = *status;
    ngx_status_zone_put_outlet(s->monitor->zone, NGX_STATUS_STORE, status);
}


void
ngx_status_store_tell_aside(ngx_status_store_t *s, const char *aside)
{
    ngx_log_error(NGX_LOG_ERR, s->log, 0,
                  "store \"%s\" of monitor \"%V\" was corrupt; it was set "
                  "aside as \"%s\" and a new one begun",
                  s->path, &s->monitor->name, aside);
}


#endif
