
/*
 * Copyright (C) ngx_status_module authors
 *
 * Reading the store: what was saved of a check, and then the results that
 * came after it once more.  In the loop, with a connection of its own.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include <math.h>
#include <zlib.h>
#include "ngx_status_record.h"
#include "ngx_status_store_db.h"


#define NGX_STATUS_STORE_PATIENCE  20    /* ms that a lock is waited for */

/* Without a saved record: the newest results of all checks together, and of
 * each at least. */
#define NGX_STATUS_STORE_REPLAY    100000
#define NGX_STATUS_STORE_REPLAYED  NGX_STATUS_RESULTS


typedef enum {
    NGX_STATUS_STORE_GET_STATE = 0,
    NGX_STATUS_STORE_GET_RESULTS,
    NGX_STATUS_STORE_GET_LAST,
    NGX_STATUS_STORE_NREADS
} ngx_status_store_read_e;


typedef struct {
    ngx_status_store_t   *s;
    sqlite3_stmt         *st[NGX_STATUS_STORE_NREADS];
    ngx_status_record_t  *record;        /* where one is put together */
    u_char               *rings;
    size_t                size;          /* of the rings */
} ngx_status_restore_t;


static int ngx_status_restore_begin(ngx_status_restore_t *r);
static void ngx_status_restore_end(ngx_status_restore_t *r);
static int ngx_status_restore_check(ngx_status_restore_t *r, ngx_uint_t n,
    ngx_uint_t *found);
static int ngx_status_restore_state(ngx_status_restore_t *r, ngx_uint_t n,
    sqlite3_int64 *id, ngx_uint_t *saved);
static ngx_uint_t ngx_status_restore_saved(ngx_status_restore_t *r,
    sqlite3_stmt *st);
static int ngx_status_restore_results(ngx_status_restore_t *r, ngx_uint_t n,
    sqlite3_int64 id, ngx_uint_t saved);
static void ngx_status_restore_result(ngx_status_restore_t *r,
    const ngx_status_check_t *check, sqlite3_stmt *st);
static void ngx_status_restore_live(ngx_status_restore_t *r, ngx_uint_t n);
static void ngx_status_restore_score(sqlite3_stmt *st,
    ngx_status_score_t *score);
static ngx_uint_t ngx_status_restore_word(sqlite3_stmt *st, int column,
    ngx_uint_t *state);


/* by ngx_status_store_read_e */

static const char  *ngx_status_restore_sql[NGX_STATUS_STORE_NREADS] = {

    "SELECT id, layout, crc, record, rings FROM checks "
    "LEFT JOIN state ON check_id = id WHERE monitor_id = 1 AND name = ?1",

    "SELECT * FROM (SELECT at_ms, state, error, http_status, latency_us, "
    "message, resolve_us, connect_us, tls_us, wait_us, transfer_us, size, "
    "cert_expires, score, grade, ended_ms, detail FROM results "
    "WHERE check_id = ?1 AND at_ms > ?2 ORDER BY at_ms DESC LIMIT ?3) "
    "ORDER BY at_ms",

    "SELECT (SELECT max(at) FROM minutes WHERE check_id = ?1) / 60, "
    "(SELECT max(at) FROM hours WHERE check_id = ?1) / 3600, "
    "(SELECT max(at) FROM days WHERE check_id = ?1) / 86400"
};


ngx_uint_t
ngx_status_store_restore(ngx_status_store_t *s, ngx_msec_t until)
{
    int                    rc;
    ngx_uint_t             n, found, restored;
    ngx_status_restore_t   r;

    ngx_memzero(&r, sizeof(r));
    r.s = s;
    restored = 0;

    rc = ngx_status_restore_begin(&r);

    /* s->restored counts those that are done: from the first on */

    while (rc == SQLITE_OK && s->restored < s->monitor->nchecks
           && (until == 0
               || (ngx_msec_int_t) (ngx_status_store_clock() - until) < 0))
    {
        n = s->restored;

        if (!s->checks[n].restored) {
            found = 0;
            rc = ngx_status_restore_check(&r, n, &found);

            if (rc != SQLITE_OK) {
                break;
            }

            s->checks[n].restored = 1;
            restored += found;
        }

        s->restored++;
    }

    ngx_status_restore_end(&r);

    if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY
        || (rc & 0xff) == SQLITE_NOMEM || (rc & 0xff) == SQLITE_CANTOPEN)
    {
        /* else it will be tried again */
        return restored;
    }

    /* unreadable is what the thread will find, too; it sets the file aside */

    ngx_log_error(NGX_LOG_ERR, s->log, 0,
                  "store \"%s\" of monitor \"%V\" could not be read: %s",
                  s->path, &s->monitor->name, sqlite3_errstr(rc));

    for (n = s->restored; n < s->monitor->nchecks; n++) {
        s->checks[n].restored = 1;
    }

    s->restored = s->monitor->nchecks;

    return restored;
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
ngx_status_restore_check(ngx_status_restore_t *r, ngx_uint_t n,
    ngx_uint_t *found)
{
    int                         i, rc;
    int64_t                     now;
    ngx_uint_t                  saved;
    sqlite3_int64               id;
    ngx_status_zone_t          *zone;
    ngx_status_record_t        *record;
    ngx_status_store_check_t   *check;

    check = &r->s->checks[n];
    zone = r->s->monitor->zone;

    rc = ngx_status_restore_state(r, n, &id, &saved);
    if (rc != SQLITE_OK || id == 0) {
        return rc;
    }

    sqlite3_bind_int64(r->st[NGX_STATUS_STORE_GET_LAST], 1, id);
    rc = sqlite3_step(r->st[NGX_STATUS_STORE_GET_LAST]);

    if (rc == SQLITE_ROW) {
        for (i = 0; i < NGX_STATUS_LADDER; i++) {
            if (sqlite3_column_type(r->st[NGX_STATUS_STORE_GET_LAST], i)
                != SQLITE_NULL)
            {
                check->next[i] = 1 + sqlite3_column_int64(
                                     r->st[NGX_STATUS_STORE_GET_LAST], i);
            }
        }

        rc = SQLITE_OK;
    }

    sqlite3_reset(r->st[NGX_STATUS_STORE_GET_LAST]);

    if (rc != SQLITE_OK || !check->fresh) {
        return rc;
    }

    if (!saved && check->slot->copy[check->slot->current & 1].nresults) {
        /* the file is new, and what has come since the start is more */
        return SQLITE_OK;
    }

    rc = ngx_status_restore_results(r, n, id, saved);
    if (rc != SQLITE_OK) {
        return rc;
    }

    ngx_status_restore_live(r, n);

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


/* What was saved, or an empty record. */

static int
ngx_status_restore_state(ngx_status_restore_t *r, ngx_uint_t n,
    sqlite3_int64 *id, ngx_uint_t *saved)
{
    int                 rc;
    sqlite3_stmt       *st;
    const ngx_str_t    *name;

    name = &r->s->monitor->checks[n]->id;

    *id = 0;
    *saved = 0;

    st = r->st[NGX_STATUS_STORE_GET_STATE];
    sqlite3_bind_text(st, 1, (char *) name->data, (int) name->len,
                      SQLITE_STATIC);

    rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {
        *id = sqlite3_column_int64(st, 0);

        if (r->s->checks[n].fresh) {
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
                          "another version of this module: pages begin with "
                          "its newest results, its tables stay as they are",
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


static int
ngx_status_restore_results(ngx_status_restore_t *r, ngx_uint_t n,
    sqlite3_int64 id, ngx_uint_t saved)
{
    int                        rc;
    int64_t                    limit;
    sqlite3_stmt              *st;
    const ngx_status_check_t  *check;

    check = r->s->monitor->checks[n];

    limit = -1;

    if (!saved) {
        limit = NGX_STATUS_STORE_REPLAY / r->s->monitor->nchecks;
        limit = ngx_max(limit, NGX_STATUS_STORE_REPLAYED);
    }

    st = r->st[NGX_STATUS_STORE_GET_RESULTS];
    sqlite3_bind_int64(st, 1, id);
    sqlite3_bind_int64(st, 2, r->record->last.at);
    sqlite3_bind_int64(st, 3, limit);

    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        ngx_status_restore_result(r, check, st);
    }

    sqlite3_reset(st);

    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}


static void
ngx_status_restore_result(ngx_status_restore_t *r,
    const ngx_status_check_t *check, sqlite3_stmt *st)
{
    int64_t              ended;
    ngx_uint_t           i, state;
    const u_char        *text;
    ngx_status_score_t   score;
    ngx_status_result_t  result;

    ngx_memzero(&result, sizeof(result));

    if (!ngx_status_restore_word(st, 1, &state)) {
        return;
    }

    result.at = sqlite3_column_int64(st, 0);
    result.state = state;

    text = sqlite3_column_text(st, 2);

    for (i = 1; text && i < NGX_STATUS_NERRORS; i++) {
        if (ngx_strcmp(text, ngx_status_errors[i].data) == 0) {
            result.error = i;
        }
    }

    result.http_status = sqlite3_column_int(st, 3);
    result.latency = sqlite3_column_int64(st, 4);

    text = sqlite3_column_text(st, 5);

    if (text) {
        ngx_status_text_copy(result.message, NGX_STATUS_MESSAGE, text,
                             sqlite3_column_bytes(st, 5));
    }

    for (i = 0; i < NGX_STATUS_NPHASES; i++) {
        result.phases[i] = sqlite3_column_int64(st, 6 + i);
    }

    result.size = sqlite3_column_int64(st, 11);
    result.cert_expires = sqlite3_column_int64(st, 12);
    ended = sqlite3_column_int64(st, 15);

    ngx_status_restore_score(st, &score);

    (void) ngx_status_record_result(check, &r->s->monitor->zone->history,
                                    r->record, r->rings, &result, &score,
                                    ended);

    r->record->next_at = ended + check->interval;
}


/*
 * When the store could be read only later, results have come in meanwhile.
 * They are in the store by now, but perhaps for the very last.
 */

static void
ngx_status_restore_live(ngx_status_restore_t *r, ngx_uint_t n)
{
    int64_t                     ended;
    ngx_status_slot_t          *slot;
    ngx_status_score_t          score;
    const ngx_status_check_t   *check;
    const ngx_status_record_t  *live;

    slot = r->s->checks[n].slot;
    live = &slot->copy[slot->current & 1];
    check = r->s->monitor->checks[n];

    if (live->nresults == 0) {
        return;
    }

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

    r->record->next_at = live->next_at;
}


static void
ngx_status_restore_score(sqlite3_stmt *st, ngx_status_score_t *score)
{
    ngx_uint_t     i;
    const u_char  *grade;

    ngx_memzero(score, sizeof(ngx_status_score_t));
    score->value = NAN;

    if (sqlite3_column_type(st, 13) == SQLITE_NULL) {
        return;
    }

    if (sqlite3_column_bytes(st, 16) == (int) sizeof(ngx_status_score_t)) {
        ngx_memcpy(score, sqlite3_column_blob(st, 16),
                   sizeof(ngx_status_score_t));

        score->ncategories = ngx_min(score->ncategories,
                                     NGX_STATUS_CATEGORIES);
        score->nseries = ngx_min(score->nseries, NGX_STATUS_SCORES);
        score->grade[NGX_STATUS_GRADE - 1] = '\0';

        for (i = 0; i < NGX_STATUS_CATEGORIES; i++) {
            score->categories[i].name[NGX_STATUS_CATEGORY - 1] = '\0';
        }

        return;
    }

    score->value = sqlite3_column_double(st, 13);
    grade = sqlite3_column_text(st, 14);

    if (grade) {
        ngx_status_text_copy(score->grade, NGX_STATUS_GRADE, grade,
                             sqlite3_column_bytes(st, 14));
    }
}


static ngx_uint_t
ngx_status_restore_word(sqlite3_stmt *st, int column, ngx_uint_t *state)
{
    ngx_uint_t     i;
    const u_char  *text;

    text = sqlite3_column_text(st, column);

    for (i = 0; text && i < NGX_STATUS_NSTATES; i++) {
        if (ngx_strcmp(text, ngx_status_states[i].name.data) == 0) {
            *state = i;
            return 1;
        }
    }

    return 0;
}


#endif
