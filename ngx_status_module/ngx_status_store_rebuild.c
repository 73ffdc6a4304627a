
/*
 * Copyright (C) ngx_status_module authors
 *
 * Reading the store when no record was saved, or one of another version:
 * what a record and its rings hold is in the tables, too.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include "ngx_status_store_db.h"


/* columns of a bucket, see ngx_status_restore_sql */

#define NGX_STATUS_STORE_UNKNOWN  6
#define NGX_STATUS_STORE_RESULTS  8
#define NGX_STATUS_STORE_BINS     12
#define NGX_STATUS_STORE_SCORE    13


static int ngx_status_restore_events(ngx_status_restore_t *r);
static int ngx_status_restore_buckets(ngx_status_restore_t *r,
    ngx_uint_t level);
static void ngx_status_restore_bucket(sqlite3_stmt *st, ngx_uint_t level,
    ngx_status_bucket_t *bucket);
static void ngx_status_restore_bins(const char *text, uint32_t *bins);
static ngx_uint_t ngx_status_restore_at_end(const ngx_status_record_t *record,
    const ngx_status_tally_t *tally, int64_t end);


int
ngx_status_restore_rebuild(ngx_status_restore_t *r)
{
    int                               i, rc;
    ngx_uint_t                        same;
    ngx_status_record_t              *record;
    ngx_status_score_tally_t         *score;
    ngx_status_history_open_t        *open, replayed;
    const ngx_status_history_conf_t  *history;

    record = r->record;
    open = &record->open;
    history = &r->s->monitor->zone->history;

    /* what is known from results, and only from them */

    replayed = *open;
    same = (open->result_cursor / 3600 == r->cursor / 3600);

    ngx_memzero(open, sizeof(ngx_status_history_open_t));
    ngx_memzero(r->rings, r->size);

    rc = ngx_status_restore_events(r);

    for (i = NGX_STATUS_DAYS; rc == SQLITE_OK && i >= NGX_STATUS_MINUTES; i--)
    {
        rc = ngx_status_restore_buckets(r, i);
    }

    if (rc != SQLITE_OK) {
        return rc;
    }

    ngx_status_history_filled(history, open, r->rings, r->cursor);

    if (same) {
        ngx_memcpy(open->bins, replayed.bins, sizeof(open->bins));

        score = &replayed.scores[NGX_STATUS_HOURS];
        open->scores[NGX_STATUS_HOURS] = *score;

        ngx_status_score_tally_add(&open->scores[NGX_STATUS_DAYS], score);
    }

    return SQLITE_OK;
}


/* The newest changes, and the state that the last of them led to. */

static int
ngx_status_restore_events(ngx_status_restore_t *r)
{
    int                   rc;
    sqlite3_stmt         *st;
    ngx_status_event_t   *event;
    ngx_status_record_t  *record;

    record = r->record;

    record->nevents = 0;
    ngx_memzero(record->events, sizeof(record->events));
    ngx_memzero(&record->confirm, sizeof(ngx_status_confirm_t));

    st = r->st[NGX_STATUS_STORE_GET_EVENTS];
    sqlite3_bind_int64(st, 1, r->id);
    sqlite3_bind_int64(st, 2, r->cursor * 1000);
    sqlite3_bind_int64(st, 3, NGX_STATUS_EVENTS);

    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {

        event = &record->events[record->nevents];

        if (ngx_status_restore_word(st, 1, &event->from)
            && ngx_status_restore_word(st, 2, &event->to))
        {
            event->since = sqlite3_column_int64(st, 0);
            ngx_status_restore_text(st, 3, event->reason, NGX_STATUS_REASON);

            record->confirm.state = event->to;
            record->confirm.since = event->since;
            record->nevents++;
        }
    }

    sqlite3_reset(st);

    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}


static int
ngx_status_restore_buckets(ngx_status_restore_t *r, ngx_uint_t level)
{
    int                               rc;
    int64_t                           s, n, number;
    sqlite3_stmt                     *st;
    ngx_status_bucket_t               bucket;
    const ngx_status_history_conf_t  *history;

    static const int64_t  seconds[] = { 60, 3600, 86400 };

    history = &r->s->monitor->zone->history;

    s = seconds[level];
    n = level == NGX_STATUS_MINUTES ? history->minutes
        : level == NGX_STATUS_HOURS ? history->hours : history->days;

    st = r->st[NGX_STATUS_STORE_GET_MINUTES + level];
    sqlite3_bind_int64(st, 1, r->id);
    sqlite3_bind_int64(st, 2, r->cursor / s * s - n * s);
    sqlite3_bind_int64(st, 3, r->cursor / s * s);

    ngx_memzero(&bucket, sizeof(ngx_status_bucket_t));

    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        number = sqlite3_column_int64(st, 0);

        if (number <= 0) {
            continue;
        }

        ngx_status_restore_bucket(st, level, &bucket);

        if (level == NGX_STATUS_MINUTES) {
            bucket.last = ngx_status_restore_at_end(r->record, &bucket.tally,
                                                    (number + 1) * 60000);
        }

        ngx_status_history_fill(history, &r->record->open, r->rings, level,
                                number, &bucket);
    }

    sqlite3_reset(st);

    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}


static void
ngx_status_restore_bucket(sqlite3_stmt *st, ngx_uint_t level,
    ngx_status_bucket_t *bucket)
{
    ngx_uint_t                 i;
    ngx_status_tally_t        *tally;
    ngx_status_score_tally_t  *score;

    tally = &bucket->tally;
    score = &bucket->score;

    for (i = NGX_STATUS_UP; i <= NGX_STATUS_DOWN; i++) {
        tally->seconds[i] = sqlite3_column_int64(st, i);
    }

    i = NGX_STATUS_STORE_UNKNOWN;
    tally->seconds[NGX_STATUS_UNKNOWN] = sqlite3_column_int64(st, i);
    tally->seconds[NGX_STATUS_MAINTENANCE] = sqlite3_column_int64(st, i + 1);

    i = NGX_STATUS_STORE_RESULTS;
    tally->results = sqlite3_column_int64(st, i);
    tally->sum = sqlite3_column_int64(st, i + 1);
    tally->min = sqlite3_column_int64(st, i + 2);
    tally->max = sqlite3_column_int64(st, i + 3);

    if (level == NGX_STATUS_MINUTES) {
        return;
    }

    ngx_memzero(bucket->bins, sizeof(bucket->bins));
    ngx_status_restore_bins((const char *)
                            sqlite3_column_text(st, NGX_STATUS_STORE_BINS),
                            bucket->bins);

    i = NGX_STATUS_STORE_SCORE;
    score->n = (sqlite3_column_type(st, i) != SQLITE_NULL);
    score->first = sqlite3_column_double(st, i);
    score->last = sqlite3_column_double(st, i + 1);
    score->min = sqlite3_column_double(st, i + 2);
    score->max = sqlite3_column_double(st, i + 3);
}


/* "text" is what ngx_status_store_latency() wrote, or NULL, or anything. */

static void
ngx_status_restore_bins(const char *text, uint32_t *bins)
{
    char           *end;
    unsigned long   us, n;

    while (text && (text = strchr(text, '"')) != NULL) {

        us = strtoul(text + 1, &end, 10);

        if (end[0] != '"' || end[1] != ':') {
            return;
        }

        n = strtoul(end + 2, &end, 10);
        text = end;

        bins[ngx_status_history_bin(ngx_min(us, 0xffffffff))] +=
                                                     ngx_min(n, 0xffffffff);
    }
}


/* The state of the last second before "end" (ms). */

static ngx_uint_t
ngx_status_restore_at_end(const ngx_status_record_t *record,
    const ngx_status_tally_t *tally, int64_t end)
{
    ngx_uint_t  i, n, state, worst;

    state = NGX_STATUS_UNKNOWN;
    worst = NGX_STATUS_UNKNOWN;
    n = 0;

    for (i = 0; i < NGX_STATUS_NSTATES; i++) {

        if (tally->seconds[i]) {
            state = i;
            n++;

            if (ngx_status_states[i].severity
                > ngx_status_states[worst].severity)
            {
                worst = i;
            }
        }
    }

    if (n < 2) {
        return state;
    }

    /* several: a change that is not among those kept can not be told */

    state = record->nevents && record->events[0].since < end
            ? record->events[0].to : worst;

    for (i = 1; i < record->nevents && record->events[i].since < end; i++) {
        state = record->events[i].to;
    }

    return state;
}


#endif
