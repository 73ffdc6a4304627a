
/*
 * Copyright (C) ngx_status_module authors
 *
 * Reading the store: what was saved of a check, and then the results that
 * came after it once more.  In the loop, with a connection of its own.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include <math.h>
#include <sys/stat.h>
#include <zlib.h>
#include "ngx_status_record.h"
#include "ngx_status_store_db.h"

#define NGX_STATUS_STORE_PATIENCE  20    /* ms that a lock is waited for */


static int ngx_status_restore_begin(ngx_status_restore_t *r);
static void ngx_status_restore_end(ngx_status_restore_t *r);
static void ngx_status_restore_failed(ngx_status_store_t *s, int rc);
static int ngx_status_restore_check(ngx_status_restore_t *r,
    ngx_uint_t *found);
static int ngx_status_restore_state(ngx_status_restore_t *r,
    ngx_uint_t *saved);
static ngx_uint_t ngx_status_restore_behind(ngx_status_restore_t *r);
static int ngx_status_restore_last(ngx_status_restore_t *r);
static ngx_uint_t ngx_status_restore_saved(ngx_status_restore_t *r,
    sqlite3_stmt *st);
static void ngx_status_restore_live(ngx_status_restore_t *r);


#define NGX_STATUS_STORE_BUCKETS(table, seconds, more)                       \
    "SELECT at / " seconds ", up, degraded, bot_detected, timeout, down, "   \
    "unknown, maintenance, results, sum_us, min_us, max_us" more             \
    " FROM " table " WHERE check_id = ?1 AND at >= ?2 AND at < ?3 "          \
    "ORDER BY at"

#define NGX_STATUS_STORE_MORE                                                \
    ", latency, score_first, score_last, score_min, score_max"


/* by ngx_status_store_read_e */

const char  *ngx_status_restore_sql[NGX_STATUS_STORE_NREADS] = {

    /* a writer may not have renamed it yet */
    "SELECT id, layout, crc, record, rings FROM checks "
    "LEFT JOIN state ON check_id = id WHERE monitor_id = 1 "
    "AND name IN (?1, ?2) ORDER BY name = ?1 DESC LIMIT 1",

    "SELECT (SELECT max(at) FROM minutes WHERE check_id = ?1), "
    "(SELECT max(at) FROM hours WHERE check_id = ?1), "
    "(SELECT max(at) FROM days WHERE check_id = ?1), "
    "(SELECT max(at_ms) FROM results WHERE check_id = ?1 AND at_ms < ?2), "
    "(SELECT max(since_ms) FROM events WHERE check_id = ?1 "
    "AND since_ms < ?3)",

    "SELECT count(*) FROM (SELECT 1 FROM results WHERE check_id = ?1 "
    "AND at_ms >= ?2 LIMIT ?3)",

    "SELECT * FROM (SELECT at_ms, state, error, http_status, latency_us, "
    "message, resolve_us, connect_us, tls_us, wait_us, transfer_us, size, "
    "cert_expires, score, grade, ended_ms, detail, interval_ms, seen FROM "
    "results WHERE check_id = ?1 AND at_ms > ?2 ORDER BY at_ms DESC LIMIT ?3) "
    "ORDER BY at_ms",

    "SELECT expires, chain_expires, verified, issuer, names, nnames FROM "
    "certificates WHERE check_id = ?1 AND since_ms <= ?2 "
    "ORDER BY since_ms DESC LIMIT 1",

    "SELECT at_ms, message FROM (SELECT at_ms, message, state FROM results "
    "WHERE check_id = ?1 ORDER BY at_ms DESC LIMIT ?2) WHERE state <> 'up' "
    "ORDER BY at_ms DESC LIMIT 1",

    "SELECT * FROM (SELECT since_ms, from_state, to_state, why FROM events "
    "WHERE check_id = ?1 AND since_ms < ?2 ORDER BY since_ms DESC LIMIT ?3) "
    "ORDER BY since_ms",

    NGX_STATUS_STORE_BUCKETS("minutes", "60", ""),
    NGX_STATUS_STORE_BUCKETS("hours", "3600", NGX_STATUS_STORE_MORE),
    NGX_STATUS_STORE_BUCKETS("days", "86400", NGX_STATUS_STORE_MORE)
};


ngx_uint_t
ngx_status_store_restore(ngx_status_store_t *s, ngx_msec_t until)
{
    int                    rc;
    ngx_uint_t             found, restored;
    ngx_status_restore_t   r;

    ngx_memzero(&r, sizeof(r));
    r.s = s;
    restored = 0;

    rc = ngx_status_restore_begin(&r);

    if (rc != SQLITE_OK) {
        ngx_status_restore_failed(s, rc);
        ngx_status_restore_end(&r);
        return 0;
    }

    /* s->restored counts those that are done: from the first on */

    while (rc == SQLITE_OK && s->restored < s->monitor->nchecks
           && (until == 0
               || (ngx_msec_int_t) (ngx_status_clock() - until) < 0))
    {
        r.n = s->restored;
        found = 0;

        if (!s->checks[r.n].restored) {
            rc = ngx_status_restore_check(&r, &found);

            if (ngx_status_store_db_busy(rc)) {
                break;
            }

            if (rc != SQLITE_OK) {
                /* the next ones may stand in better places */
                ngx_status_restore_failed(s, rc);
                rc = SQLITE_OK;
            }

            ngx_memory_barrier();
            s->checks[r.n].restored = 1;
            restored += found;
        }

        s->restored++;
    }

    ngx_status_restore_end(&r);

    return restored;
}


/* What is not there to be read just now will be tried again. */

static void
ngx_status_restore_failed(ngx_status_store_t *s, int rc)
{
    struct stat  sb;

    if (ngx_status_store_db_busy(rc)) {
        return;
    }

    if (!s->told_damage) {
        s->told_damage = 1;
        ngx_log_error(NGX_LOG_ERR, s->log, 0,
                      "store \"%s\" of monitor \"%V\" could not be read: %s",
                      s->path, &s->monitor->name, sqlite3_errstr(rc));
    }

    if (ngx_status_store_db_corrupt(rc) && stat(s->path, &sb) == 0) {
        pthread_mutex_lock(&ngx_status_store_mutex);
        s->damaged = sb.st_ino;
        pthread_mutex_unlock(&ngx_status_store_mutex);
    }
}


static int
ngx_status_restore_begin(ngx_status_restore_t *r)
{
    int                  i, rc, version;
    sqlite3_stmt        *st;
    ngx_status_store_t  *s;

    s = r->s;

    rc = sqlite3_open_v2(s->path, &s->reader,
                         SQLITE_OPEN_READWRITE|SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        return rc;
    }

    sqlite3_extended_result_codes(s->reader, 1);
    sqlite3_busy_timeout(s->reader, NGX_STATUS_STORE_PATIENCE);

    /* the file may not be the thread's any more when this is closed */
    (void) sqlite3_db_config(s->reader, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                             NULL);

    rc = sqlite3_prepare_v2(s->reader, "PRAGMA user_version", -1, &st, NULL);
    if (rc != SQLITE_OK) {
        return rc;
    }

    rc = sqlite3_step(st);
    version = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);

    if (rc != SQLITE_ROW) {
        return rc;
    }

    if (version != NGX_STATUS_STORE_VERSION) {
        /* the thread has not brought it up to date yet */
        return SQLITE_BUSY;
    }

    for (i = 0; i < NGX_STATUS_STORE_NREADS; i++) {
        rc = sqlite3_prepare_v2(s->reader, ngx_status_restore_sql[i], -1,
                                &r->st[i], NULL);
        if (rc != SQLITE_OK) {
            return rc;
        }
    }

    r->size = ngx_status_history_size(&s->monitor->zone->history);
    r->record = malloc(sizeof(ngx_status_record_t));
    r->rings = malloc(r->size);

    if (r->record == NULL || r->rings == NULL) {
        return SQLITE_NOMEM;
    }

    return sqlite3_exec(s->reader, "BEGIN", NULL, NULL, NULL);
}


static void
ngx_status_restore_end(ngx_status_restore_t *r)
{
    int  i;

    for (i = 0; i < NGX_STATUS_STORE_NREADS; i++) {
        sqlite3_finalize(r->st[i]);
    }

    sqlite3_close(r->s->reader);
    r->s->reader = NULL;

    free(r->record);
    free(r->rings);
}


static int
ngx_status_restore_check(ngx_status_restore_t *r, ngx_uint_t *found)
{
    int                         rc;
    int64_t                     now;
    ngx_uint_t                  saved;
    ngx_status_zone_t          *zone;
    ngx_status_record_t        *record;
    ngx_status_store_check_t   *check;

    check = &r->s->checks[r->n];
    zone = r->s->monitor->zone;

    rc = ngx_status_restore_state(r, &saved);
    if (rc != SQLITE_OK || r->id == 0) {
        return rc;
    }

    rc = ngx_status_restore_last(r);
    if (rc != SQLITE_OK) {
        return rc;
    }

    if (!check->fresh) {

        if (!ngx_status_restore_behind(r)) {
            return SQLITE_OK;
        }

        saved = 1;
    }

    rc = ngx_status_restore_results(r, saved ? r->record->last.at : -1);
    if (rc != SQLITE_OK) {
        return rc;
    }

    if (!saved && r->cursor == 0
        && ngx_status_zone_record(check->slot)->nresults
           > r->record->nresults)
    {
        /* the file is new, and what has come since the start is more */
        return SQLITE_OK;
    }

    ngx_status_restore_live(r);

    if (r->record->nresults == 0) {
        return SQLITE_OK;
    }

    now = ngx_status_store_time() / 1000;

    ngx_status_history_windows(&zone->history, &r->record->open, r->rings,
                               now, r->record->confirm.state,
                               r->record->valid_until / 1000,
                               r->record->windows);
    r->record->windows_at = now;

    record = ngx_status_zone_begin(zone, check->slot);
    *record = *r->record;
    ngx_memcpy(ngx_status_zone_rings(check->slot), r->rings, r->size);
    ngx_status_zone_commit(zone, check->slot);

    *found = 1;

    return SQLITE_OK;
}


/*
 * Whether the store knows more than a zone that is there: of a binary that was
 * upgraded to and given up, whose zone has gone with it.  Then the record is
 * the zone's, to be gone on with.
 */

static ngx_uint_t
ngx_status_restore_behind(ngx_status_restore_t *r)
{
    ngx_status_slot_t          *slot;
    ngx_status_store_check_t   *check;
    const ngx_status_record_t  *live;

    check = &r->s->checks[r->n];
    slot = check->slot;

    if (slot == NULL) {
        return 0;
    }

    live = ngx_status_zone_record(slot);

    if (check->result_at <= live->last.at
        || check->result_at > ngx_status_store_time())
    {
        /* as on a reload; or the clock was set back since */
        return 0;
    }

    *r->record = *live;
    ngx_memcpy(r->rings, ngx_status_zone_rings(slot), r->size);

    return 1;
}


/* What was saved, or an empty record. */

static int
ngx_status_restore_state(ngx_status_restore_t *r, ngx_uint_t *saved)
{
    int                        rc;
    sqlite3_stmt              *st;
    const ngx_status_check_t  *check;

    check = r->s->monitor->checks[r->n];

    r->id = 0;
    *saved = 0;

    st = r->st[NGX_STATUS_STORE_GET_STATE];
    sqlite3_bind_text(st, 1, (char *) check->id.data, (int) check->id.len,
                      SQLITE_STATIC);
    sqlite3_bind_text(st, 2, (char *) check->was.data, (int) check->was.len,
                      SQLITE_STATIC);

    rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {
        r->id = sqlite3_column_int64(st, 0);

        if (r->s->checks[r->n].fresh) {
            *saved = sqlite3_column_type(st, 1) != SQLITE_NULL
                     && ngx_status_restore_saved(r, st);
        }

        rc = SQLITE_DONE;
    }

    sqlite3_reset(st);

    if (!*saved) {
        ngx_memzero(r->record, sizeof(ngx_status_record_t));
        ngx_memzero(r->rings, r->size);
    }

    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}


/* Where the tables end. */

static int
ngx_status_restore_last(ngx_status_restore_t *r)
{
    int                        i, rc;
    int64_t                    at, *next;
    sqlite3_stmt              *st;
    ngx_status_store_check_t  *check;

    static const int64_t  seconds[] = { 60, 3600, 86400 };

    check = &r->s->checks[r->n];
    next = check->next;
    r->cursor = 0;

    st = r->st[NGX_STATUS_STORE_GET_LAST];
    sqlite3_bind_int64(st, 1, r->id);
    sqlite3_bind_int64(st, 2, check->first_result ? check->first_result
                                                  : INT64_MAX);
    sqlite3_bind_int64(st, 3, check->first_event ? check->first_event
                                                 : INT64_MAX);

    rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {

        for (i = 0; i < NGX_STATUS_LADDER; i++) {
            at = sqlite3_column_int64(st, i);

            if (at > 0) {
                next[i] = at / seconds[i] + 1;
                r->cursor = ngx_max(r->cursor, next[i] * seconds[i]);
            }
        }

        check->result_at = sqlite3_column_int64(st, i);
        check->event_at = sqlite3_column_int64(st, i + 1);

        rc = SQLITE_OK;
    }

    sqlite3_reset(st);

    return rc;
}


static ngx_uint_t
ngx_status_restore_saved(ngx_status_restore_t *r, sqlite3_stmt *st)
{
    char                        layout[NGX_STATUS_STORE_LAYOUT];
    uLong                       crc;
    size_t                      size;
    unsigned                    version, order, record;
    const void                 *rings, *saved;
    const char                 *text;
    ngx_status_history_conf_t   history, *conf;

    conf = &r->s->monitor->zone->history;
    ngx_memzero(&history, sizeof(history));

    text = (const char *) sqlite3_column_text(st, 1);
    saved = sqlite3_column_blob(st, 3);
    rings = sqlite3_column_blob(st, 4);
    size = sqlite3_column_bytes(st, 4);

    if (text == NULL || saved == NULL || rings == NULL
        || sscanf(text, "%u %u %u %u %u %u %u", &version, &order, &record,
                  &history.minutes, &history.hours, &history.days,
                  &history.scores) != 7)
    {
        return 0;
    }

    crc = crc32(0, saved, sqlite3_column_bytes(st, 3));
    crc = crc32(crc, rings, (uInt) size);

    if (crc != (uLong) sqlite3_column_int64(st, 2)) {
        return 0;
    }

    /* the rings may be of another shape, all else must be as it is now */

    ngx_status_store_layout(&history, layout);

    if (strcmp(text, layout) != 0
        || sqlite3_column_bytes(st, 3) != (int) sizeof(ngx_status_record_t)
        || history.minutes > 1000000 || history.hours > 1000000
        || history.days > 1000000
        || size != ngx_status_history_size(&history))
    {
        if (!r->s->told_layout) {
            r->s->told_layout = 1;
            ngx_log_error(NGX_LOG_NOTICE, r->s->log, 0,
                          "store \"%s\" of monitor \"%V\" was saved by "
                          "another version of this module: pages are put "
                          "together from its tables",
                          r->s->path, &r->s->monitor->name);
        }

        return 0;
    }

    ngx_memcpy(r->record, saved, sizeof(ngx_status_record_t));

    if (r->record->confirm.state >= NGX_STATUS_NSTATES
        || r->record->last.state >= NGX_STATUS_NSTATES
        || r->record->last.error >= NGX_STATUS_NERRORS)
    {
        return 0;
    }

    if (size == r->size && ngx_memcmp(&history, conf, sizeof(history)) == 0) {
        ngx_memcpy(r->rings, rings, size);

    } else {
        ngx_memzero(r->rings, r->size);
        ngx_status_history_copy(&r->record->open, &history, rings, conf,
                                r->rings);
    }

    return 1;
}


/*
 * When the store could be read only later, results have come in meanwhile.
 * They are in the store by now, but perhaps for the very last.
 */

static void
ngx_status_restore_live(ngx_status_restore_t *r)
{
    int64_t                     ended;
    ngx_status_slot_t          *slot;
    ngx_status_kept_t           kept;
    ngx_status_score_t          score;
    const ngx_status_check_t   *check;
    const ngx_status_record_t  *live;

    slot = r->s->checks[r->n].slot;
    live = ngx_status_zone_record(slot);
    check = r->s->monitor->checks[r->n];

    if (live->nresults == 0) {
        return;
    }

    kept = r->record->last.kept;

    if (live->last.at > r->record->last.at) {
        ended = live->valid_until - 2 * (int64_t) check->interval;
        score = live->card.last;

        if (live->card.at != live->last.at) {
            score.value = NAN;
        }

        (void) ngx_status_record_result(check, &r->s->monitor->zone->history,
                                        r->record, r->rings, &live->last,
                                        &score, ended);
    }

    if (kept.at > r->record->last.kept.at) {
        r->record->last.kept = kept;
    }

    r->record->next_at = live->next_at;
}


#endif
