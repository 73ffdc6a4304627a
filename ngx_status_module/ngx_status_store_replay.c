
/*
 * Copyright (C) ngx_status_module authors
 *
 * Reading the store: results, which a record takes as if they came just now.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include <math.h>
#include "ngx_status_record.h"
#include "ngx_status_store_db.h"


/* Without a saved record: the newest results of all checks together. */
#define NGX_STATUS_STORE_REPLAY  100000


static int ngx_status_restore_limit(ngx_status_restore_t *r, int64_t *limit);
static void ngx_status_restore_result(ngx_status_restore_t *r,
    sqlite3_stmt *st);
static void ngx_status_restore_kept(ngx_status_restore_t *r,
    sqlite3_stmt *st, ngx_status_kept_t *kept);
static void ngx_status_restore_score(sqlite3_stmt *st,
    ngx_status_score_t *score);
static int ngx_status_restore_cert(ngx_status_restore_t *r);
static int ngx_status_restore_failure(ngx_status_restore_t *r);


int
ngx_status_restore_results(ngx_status_restore_t *r, int64_t since)
{
    int            rc;
    int64_t        limit;
    ngx_uint_t     rebuild;
    sqlite3_stmt  *st;

    limit = -1;
    rebuild = (since == -1 && r->cursor);

    if (since == -1) {
        rc = ngx_status_restore_limit(r, &limit);
        if (rc != SQLITE_OK) {
            return rc;
        }
    }

    st = r->st[NGX_STATUS_STORE_GET_RESULTS];
    sqlite3_bind_int64(st, 1, r->id);
    sqlite3_bind_int64(st, 2, since);
    sqlite3_bind_int64(st, 3, limit);

    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {

        if (rebuild && sqlite3_column_int64(st, 0) / 1000 >= r->cursor) {
            rebuild = 0;

            rc = ngx_status_restore_rebuild(r);
            if (rc != SQLITE_OK) {
                break;
            }
        }

        ngx_status_restore_result(r, st);
    }

    sqlite3_reset(st);

    if (rc == SQLITE_DONE && rebuild) {
        rc = ngx_status_restore_rebuild(r);

    } else if (rc == SQLITE_DONE) {
        rc = SQLITE_OK;
    }

    if (rc == SQLITE_OK && r->record->last.cert_expires
        && r->record->last.at > since)
    {
        rc = ngx_status_restore_cert(r);
    }

    if (rc == SQLITE_OK && since == -1 && r->record->failed_at == 0) {
        rc = ngx_status_restore_failure(r);
    }

    return rc;
}


/*
 * As many results as make the newest ones of the page, and those of the hour
 * that is not in the tables, if there is time for so many.
 */

static int
ngx_status_restore_limit(ngx_status_restore_t *r, int64_t *limit)
{
    int            rc;
    sqlite3_stmt  *st;

    st = r->st[NGX_STATUS_STORE_COUNT_RESULTS];
    sqlite3_bind_int64(st, 1, r->id);
    sqlite3_bind_int64(st, 2, r->cursor / 3600 * 3600000);
    sqlite3_bind_int64(st, 3, NGX_STATUS_STORE_REPLAY
                              / r->s->monitor->nchecks);

    rc = sqlite3_step(st);

    *limit = ngx_max(sqlite3_column_int64(st, 0), NGX_STATUS_RESULTS);

    sqlite3_reset(st);

    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}


static void
ngx_status_restore_result(ngx_status_restore_t *r, sqlite3_stmt *st)
{
    int64_t                    ended;
    ngx_uint_t                 i;
    const u_char              *text;
    ngx_status_score_t         score;
    ngx_status_result_t        result;
    ngx_status_check_t         check;

    /* how long a result stands was settled when it came */

    check = *r->s->monitor->checks[r->n];

    if (sqlite3_column_int64(st, 17) > 0) {
        check.interval = sqlite3_column_int64(st, 17);
    }

    ngx_memzero(&result, sizeof(result));

    if (!ngx_status_restore_word(st, 1, &result.state)) {
        return;
    }

    result.at = sqlite3_column_int64(st, 0);

    text = sqlite3_column_text(st, 2);

    for (i = 1; text && i < NGX_STATUS_NERRORS; i++) {
        if (ngx_strcmp(text, ngx_status_errors[i].data) == 0) {
            result.error = i;
        }
    }

    result.http_status = sqlite3_column_int(st, 3);
    result.latency = sqlite3_column_int64(st, 4);
    ngx_status_restore_text(st, 5, result.message, NGX_STATUS_MESSAGE);

    for (i = 0; i < NGX_STATUS_NPHASES; i++) {
        result.phases[i] = sqlite3_column_int64(st, 6 + i);
    }

    result.size = sqlite3_column_int64(st, 11);
    result.cert_expires = sqlite3_column_int64(st, 12);
    ngx_status_restore_text(st, 18, result.seen, NGX_STATUS_SEEN);
    ended = sqlite3_column_int64(st, 15);

    ngx_status_restore_score(st, &score);
    ngx_status_restore_kept(r, st, &result.kept);

    (void) ngx_status_record_result(&check, &r->s->monitor->zone->history,
                                    r->record, r->rings, &result, &score,
                                    ended);

    r->record->next_at = ended + r->s->monitor->checks[r->n]->interval;
}


/*
 * What the type kept.  A checker that could not read the store at first began
 * without: what it had not learned anew is as it was before.
 */

static void
ngx_status_restore_kept(ngx_status_restore_t *r, sqlite3_stmt *st,
    ngx_status_kept_t *kept)
{
    *kept = r->record->last.kept;

    if (sqlite3_column_bytes(st, 16) != (int) sizeof(ngx_status_kept_t)) {
        return;
    }

    ngx_memcpy(kept, sqlite3_column_blob(st, 16), sizeof(ngx_status_kept_t));

    if (kept->at < r->record->last.kept.at) {
        *kept = r->record->last.kept;
    }
}


static void
ngx_status_restore_score(sqlite3_stmt *st, ngx_status_score_t *score)
{
    ngx_uint_t  i;

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
    ngx_status_restore_text(st, 14, score->grade, NGX_STATUS_GRADE);
}


/* The certificate of the newest result, if it is still that one. */

static int
ngx_status_restore_cert(ngx_status_restore_t *r)
{
    int                   rc;
    sqlite3_stmt         *st;
    ngx_status_cert_t    *cert;
    ngx_status_result_t  *last;

    last = &r->record->last;
    cert = &last->cert;

    st = r->st[NGX_STATUS_STORE_GET_CERT];
    sqlite3_bind_int64(st, 1, r->id);
    sqlite3_bind_int64(st, 2, last->at);

    rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {

        if (sqlite3_column_int64(st, 0) == last->cert_expires) {
            cert->chain_expires = sqlite3_column_int64(st, 1);

            cert->verified = sqlite3_column_type(st, 2) == SQLITE_NULL
                             ? NGX_STATUS_CERT_UNKNOWN
                             : sqlite3_column_int(st, 2)
                             ? NGX_STATUS_CERT_VERIFIED
                             : NGX_STATUS_CERT_REJECTED;

            ngx_status_restore_text(st, 3, cert->issuer, NGX_STATUS_ISSUER);
            ngx_status_restore_text(st, 4, cert->names, NGX_STATUS_NAMES);
            cert->nnames = sqlite3_column_int(st, 5);
        }

        rc = SQLITE_DONE;
    }

    sqlite3_reset(st);

    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}


/* The newest result that was not up, when it is older than those repeated. */

static int
ngx_status_restore_failure(ngx_status_restore_t *r)
{
    int            rc;
    sqlite3_stmt  *st;

    st = r->st[NGX_STATUS_STORE_GET_FAILED];
    sqlite3_bind_int64(st, 1, r->id);
    sqlite3_bind_int64(st, 2, NGX_STATUS_STORE_REPLAY
                              / r->s->monitor->nchecks);

    rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {
        r->record->failed_at = sqlite3_column_int64(st, 0);
        ngx_status_restore_text(st, 1, r->record->failed, NGX_STATUS_MESSAGE);
        rc = SQLITE_DONE;
    }

    sqlite3_reset(st);

    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}


ngx_uint_t
ngx_status_restore_word(sqlite3_stmt *st, int column, uint8_t *state)
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


void
ngx_status_restore_text(sqlite3_stmt *st, int column, char *text, size_t size)
{
    const u_char  *p;

    text[0] = '\0';
    p = sqlite3_column_text(st, column);

    if (p) {
        ngx_status_text_copy(text, size, p, sqlite3_column_bytes(st, column));
    }
}


#endif
