
/*
 * Copyright (C) ngx_status_module authors
 *
 * Writing to the file: one statement for each kind of row.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include <zlib.h>
#include "ngx_status_store_db.h"


static int ngx_status_store_item(ngx_status_store_t *s,
    const ngx_status_store_item_t *item);
static int ngx_status_store_put_result(ngx_status_store_t *s,
    const ngx_status_store_item_t *item);
static int ngx_status_store_put_cert(ngx_status_store_t *s,
    const ngx_status_store_item_t *item);
static int ngx_status_store_put_bucket(ngx_status_store_t *s,
    const ngx_status_store_item_t *item);
static int ngx_status_store_put_state(ngx_status_store_t *s,
    ngx_uint_t check);
static int ngx_status_store_commit(ngx_status_store_t *s, int rc,
    char err[NGX_STATUS_MESSAGE]);


#define NGX_STATUS_STORE_PUT(table, more, values)                            \
    "INSERT OR REPLACE INTO " table " (check_id, at, up, degraded, "         \
    "bot_detected, timeout, down, unknown, maintenance, results, sum_us, "   \
    "min_us, max_us" more ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "   \
    "?10, ?11, ?12, ?13" values ")"

#define NGX_STATUS_STORE_PUT_MORE(table)                                     \
    NGX_STATUS_STORE_PUT(table, ", latency, score_first, score_last, "       \
                         "score_min, score_max", ", ?14, ?15, ?16, ?17, ?18")

#define NGX_STATUS_STORE_DELETE(table, at)                                   \
    "DELETE FROM " table " WHERE check_id = ?1 AND " at " IN (SELECT " at    \
    " FROM " table " WHERE check_id = ?1 AND " at " < ?2 LIMIT 500)"


/* by ngx_status_store_statement_e */

static const char  *ngx_status_store_sql[NGX_STATUS_STORE_NSTATEMENTS] = {

    "INSERT INTO monitors (id, name, title) VALUES (1, ?1, ?2) "
    "ON CONFLICT (id) DO UPDATE SET name = ?1, title = ?2",

    /* "was": for a check that is not known under its new name */
    "UPDATE checks SET name = ?1 WHERE monitor_id = 1 AND name = ?2 "
    "AND NOT EXISTS (SELECT 1 FROM checks WHERE monitor_id = 1 "
    "AND name = ?1)",

    "INSERT INTO checks (monitor_id, name, title, grp, target, seen) "
    "VALUES (1, ?1, ?2, ?3, ?4, ?5) ON CONFLICT (monitor_id, name) "
    "DO UPDATE SET title = ?2, grp = ?3, target = ?4, seen = ?5",

    "SELECT id FROM checks WHERE monitor_id = 1 AND name = ?1",

    /* one that is there already may know more */
    "INSERT OR IGNORE INTO results (check_id, at_ms, state, error, "
    "http_status, latency_us, message, resolve_us, connect_us, tls_us, "
    "wait_us, transfer_us, size, cert_expires, score, grade, ended_ms, "
    "detail, interval_ms, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
    "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",

    /* only when it is another one than before */
    "INSERT OR REPLACE INTO certificates (check_id, since_ms, expires, "
    "chain_expires, verified, issuer, names, nnames) "
    "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS (SELECT 1 FROM "
    "(SELECT * FROM certificates WHERE check_id = ?1 AND since_ms <= ?2 "
    "ORDER BY since_ms DESC LIMIT 1) WHERE expires = ?3 AND chain_expires "
    "IS ?4 AND verified IS ?5 AND issuer IS ?6 AND names IS ?7 AND nnames "
    "IS ?8)",

    "UPDATE events SET until_ms = ?2 WHERE check_id = ?1 AND until_ms IS NULL",

    "INSERT OR REPLACE INTO events (check_id, since_ms, from_state, "
    "to_state, why) VALUES (?1, ?2, ?3, ?4, ?5)",

    /* among others, instead of after them */
    "UPDATE events SET until_ms = ?2 WHERE check_id = ?1 AND since_ms < ?2 "
    "AND (until_ms IS NULL OR until_ms > ?2)",

    "INSERT OR REPLACE INTO events (check_id, since_ms, from_state, "
    "to_state, why, until_ms) VALUES (?1, ?2, ?3, ?4, ?5, (SELECT "
    "min(since_ms) FROM events WHERE check_id = ?1 AND since_ms > ?2))",

    NGX_STATUS_STORE_PUT("minutes", "", ""),
    NGX_STATUS_STORE_PUT_MORE("hours"),
    NGX_STATUS_STORE_PUT_MORE("days"),

    "INSERT OR REPLACE INTO state (check_id, saved_ms, layout, crc, record, "
    "rings) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",

    "UPDATE checks SET seen = ?2 WHERE id = ?1",

    "SELECT id, seen, saved_ms FROM checks LEFT JOIN state ON check_id = id "
    "WHERE id > ?1 ORDER BY id LIMIT 1",

    /* but the newest ?3, however old they are */
    "DELETE FROM results WHERE check_id = ?1 AND at_ms IN (SELECT at_ms "
    "FROM results WHERE check_id = ?1 AND at_ms < ?2 AND at_ms <= ifnull("
    "(SELECT at_ms FROM results WHERE check_id = ?1 ORDER BY at_ms DESC "
    "LIMIT 1 OFFSET ?3), 0) LIMIT 500)",

    NGX_STATUS_STORE_DELETE("minutes", "at"),
    NGX_STATUS_STORE_DELETE("hours", "at"),
    NGX_STATUS_STORE_DELETE("days", "at"),

    /* an event that lasts is kept however old it is */
    "DELETE FROM events WHERE check_id = ?1 AND until_ms < ?2",

    /* a peer may show another one each time */
    "DELETE FROM certificates WHERE check_id = ?1 AND since_ms <= (SELECT "
    "since_ms FROM certificates WHERE check_id = ?1 ORDER BY since_ms DESC "
    "LIMIT 1 OFFSET ?3)",

    "DELETE FROM state WHERE check_id = ?1",

    "DELETE FROM checks WHERE id = ?1 AND NOT EXISTS "
    "(SELECT 1 FROM days WHERE check_id = ?1) AND NOT EXISTS "
    "(SELECT 1 FROM hours WHERE check_id = ?1) AND NOT EXISTS "
    "(SELECT 1 FROM minutes WHERE check_id = ?1) AND NOT EXISTS "
    "(SELECT 1 FROM results WHERE check_id = ?1) AND NOT EXISTS "
    "(SELECT 1 FROM events WHERE check_id = ?1 AND until_ms IS NOT NULL)"
};


int
ngx_status_store_prepare(ngx_status_store_t *s)
{
    int         rc;
    ngx_uint_t  i;

    for (i = 0; i < NGX_STATUS_STORE_NSTATEMENTS; i++) {
        rc = sqlite3_prepare_v3(s->db, ngx_status_store_sql[i], -1,
                                SQLITE_PREPARE_PERSISTENT, &s->st[i], NULL);
        if (rc != SQLITE_OK) {
            return rc;
        }
    }

    return SQLITE_OK;
}


int
ngx_status_store_checks(ngx_status_store_t *s)
{
    int                        rc;
    ngx_uint_t                 i;
    sqlite3_stmt              *st, *get;
    const ngx_status_check_t  *check;

    /* it may be another file */
    ngx_memzero(s->certs, s->monitor->nchecks * sizeof(uint32_t));

#define bind_str(st, n, str)                                                 \
    sqlite3_bind_text(st, n, (char *) (str).data, (int) (str).len,           \
                      SQLITE_STATIC)

    st = s->st[NGX_STATUS_STORE_PUT_MONITOR];
    bind_str(st, 1, s->monitor->name);
    bind_str(st, 2, s->monitor->title);

    rc = ngx_status_store_run(st);

    for (i = 0; rc == SQLITE_OK && i < s->monitor->nchecks; i++) {
        check = s->monitor->checks[i];

        if (check->was.len) {
            st = s->st[NGX_STATUS_STORE_RENAME_CHECK];
            bind_str(st, 1, check->id);
            bind_str(st, 2, check->was);

            rc = ngx_status_store_run(st);

            if (rc != SQLITE_OK) {
                break;
            }
        }

        st = s->st[NGX_STATUS_STORE_PUT_CHECK];
        bind_str(st, 1, check->id);
        bind_str(st, 2, check->title);

        if (check->group.len) {
            bind_str(st, 3, check->group);

        } else {
            sqlite3_bind_null(st, 3);
        }

        bind_str(st, 4, check->target);
        sqlite3_bind_int64(st, 5, ngx_status_store_time() / 1000);

        rc = ngx_status_store_run(st);

        if (rc != SQLITE_OK) {
            break;
        }

        get = s->st[NGX_STATUS_STORE_GET_CHECK];
        bind_str(get, 1, check->id);

        rc = sqlite3_step(get);

        if (rc == SQLITE_ROW) {
            s->ids[i] = sqlite3_column_int64(get, 0);
            rc = SQLITE_OK;

        } else if (rc == SQLITE_DONE) {
            rc = SQLITE_CORRUPT;
        }

        sqlite3_reset(get);
    }

#undef bind_str

    return rc;
}


int
ngx_status_store_db_write(ngx_status_store_t *s, ngx_status_store_item_t *end,
    char err[NGX_STATUS_MESSAGE])
{
    int                       rc;
    ngx_status_store_item_t  *item;

    rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    for (item = s->batch.first; rc == SQLITE_OK && item != end;
         item = item->next)
    {
        rc = ngx_status_store_item(s, item);
        ngx_status_store_step();
    }

    if (rc == SQLITE_OK) {
        rc = ngx_status_store_prune(s);
    }

    return ngx_status_store_commit(s, rc, err);
}


int
ngx_status_store_db_save(ngx_status_store_t *s, ngx_uint_t first,
    ngx_uint_t last, char err[NGX_STATUS_MESSAGE])
{
    int                 rc;
    ngx_uint_t          i;
    const ngx_str_t    *id;
    ngx_status_zone_t  *zone;
    ngx_status_slot_t  *slot;

    zone = s->monitor->zone;

    if (s->record == NULL) {
        s->record = malloc(sizeof(ngx_status_record_t));
        s->rings = malloc(ngx_status_history_size(&zone->history));

        if (s->record == NULL || s->rings == NULL) {
            free(s->record);
            free(s->rings);
            s->record = NULL;
            return SQLITE_OK;
        }
    }

    rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    for (i = first; rc == SQLITE_OK && i < last; i++) {

        /* what has not got its past back must not take its place */

        slot = s->checks[i].slot;

        if (slot == NULL || !s->checks[i].restored) {
            continue;
        }

        /* the loop goes on writing, as for any other reader */

        id = &s->monitor->checks[i]->id;

        if (ngx_status_zone_read_all(zone, slot, id, s->record, s->rings)
            == NGX_OK
            && s->record->nresults)
        {
            rc = ngx_status_store_put_state(s, i);
            ngx_status_store_step();
        }
    }

    return ngx_status_store_commit(s, rc, err);
}


static int
ngx_status_store_commit(ngx_status_store_t *s, int rc,
    char err[NGX_STATUS_MESSAGE])
{
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    }

    if (rc != SQLITE_OK) {
        ngx_status_store_error(s, rc, err);

        ngx_memzero(s->certs, s->monitor->nchecks * sizeof(uint32_t));

        if (!sqlite3_get_autocommit(s->db)) {
            (void) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        }
    }

    return rc;
}


static int
ngx_status_store_item(ngx_status_store_t *s,
    const ngx_status_store_item_t *item)
{
    int             rc;
    ngx_uint_t      late;
    const char     *why;
    sqlite3_int64   id;
    sqlite3_stmt   *st;

    id = s->ids[item->check];

    switch (item->kind) {

    case NGX_STATUS_STORE_RESULT:
        return ngx_status_store_put_result(s, item);

    case NGX_STATUS_STORE_BUCKET:
        return ngx_status_store_put_bucket(s, item);

    default: /* NGX_STATUS_STORE_EVENT */
        late = item->u.event.late;

        st = s->st[late ? NGX_STATUS_STORE_END_LATE_EVENT
                        : NGX_STATUS_STORE_END_EVENT];
        sqlite3_bind_int64(st, 1, id);
        sqlite3_bind_int64(st, 2, item->u.event.at);

        rc = ngx_status_store_run(st);
        if (rc != SQLITE_OK) {
            return rc;
        }

        why = item->u.event.why;

        st = s->st[late ? NGX_STATUS_STORE_PUT_LATE_EVENT
                        : NGX_STATUS_STORE_PUT_EVENT];
        sqlite3_bind_int64(st, 1, id);
        sqlite3_bind_int64(st, 2, item->u.event.at);
        sqlite3_bind_text(st, 3,
                (char *) ngx_status_states[item->u.event.from].name.data, -1,
                SQLITE_STATIC);
        sqlite3_bind_text(st, 4,
                (char *) ngx_status_states[item->u.event.to].name.data, -1,
                SQLITE_STATIC);
        sqlite3_bind_text(st, 5, *why ? why : NULL, -1, SQLITE_STATIC);

        return ngx_status_store_run(st);
    }
}


static int
ngx_status_store_put_result(ngx_status_store_t *s,
    const ngx_status_store_item_t *item)
{
    int                         rc;
    ngx_uint_t                  i;
    const char                 *seen;
    sqlite3_stmt               *st;
    const ngx_status_score_t   *score;
    const ngx_status_result_t  *r;

    static const ngx_status_kept_t  nothing;

    r = &item->u.result.result;
    score = item->u.result.score;

    st = s->st[NGX_STATUS_STORE_PUT_RESULT];
    sqlite3_clear_bindings(st);

    sqlite3_bind_int64(st, 1, s->ids[item->check]);
    sqlite3_bind_int64(st, 2, r->at);
    sqlite3_bind_text(st, 3, (char *) ngx_status_states[r->state].name.data,
                      -1, SQLITE_STATIC);

    if (r->error) {
        sqlite3_bind_text(st, 4, (char *) ngx_status_errors[r->error].data,
                          -1, SQLITE_STATIC);
    }

    if (r->http_status) {
        sqlite3_bind_int(st, 5, r->http_status);
    }

    sqlite3_bind_int64(st, 6, r->latency);

    if (r->message[0]) {
        sqlite3_bind_text(st, 7, r->message, -1, SQLITE_STATIC);
    }

    for (i = 0; i < NGX_STATUS_NPHASES; i++) {
        sqlite3_bind_int64(st, 8 + i, r->phases[i]);
    }

    sqlite3_bind_int64(st, 13, r->size);

    if (r->cert_expires) {
        sqlite3_bind_int64(st, 14, r->cert_expires);
    }

    if (score) {
        sqlite3_bind_double(st, 15, score->value);

        if (score->grade[0]) {
            sqlite3_bind_text(st, 16, score->grade, -1, SQLITE_STATIC);
        }

        sqlite3_bind_blob(st, 18, score, sizeof(ngx_status_score_t),
                          SQLITE_STATIC);

    } else if (memcmp(&r->kept, &nothing, sizeof(nothing)) != 0) {
        sqlite3_bind_blob(st, 18, &r->kept, sizeof(nothing), SQLITE_STATIC);
    }

    sqlite3_bind_int64(st, 17, item->u.result.ended);
    sqlite3_bind_int64(st, 19, s->monitor->checks[item->check]->interval);

    seen = (char *) &r->message[0] + strlen(r->message) + 1;

    if (*seen) {
        sqlite3_bind_text(st, 20, seen, -1, SQLITE_STATIC);
    }

    rc = ngx_status_store_run(st);

    return rc == SQLITE_OK && r->cert_expires
           ? ngx_status_store_put_cert(s, item) : rc;
}


/* A certificate lasts for many results: it has rows of its own. */

static int
ngx_status_store_put_cert(ngx_status_store_t *s,
    const ngx_status_store_item_t *item)
{
    int                         rc;
    uint32_t                    sum;
    sqlite3_stmt               *st;
    const ngx_status_cert_t    *cert;
    const ngx_status_result_t  *r;

    r = &item->u.result.result;
    cert = &r->cert;

    sum = crc32(0, (u_char *) &r->cert_expires, sizeof(int64_t));
    sum = crc32(sum, (u_char *) cert, sizeof(ngx_status_cert_t));

    if (sum == s->certs[item->check]) {
        return SQLITE_OK;
    }

    st = s->st[NGX_STATUS_STORE_PUT_CERT];
    sqlite3_clear_bindings(st);

    sqlite3_bind_int64(st, 1, s->ids[item->check]);
    sqlite3_bind_int64(st, 2, r->at);
    sqlite3_bind_int64(st, 3, r->cert_expires);

    if (cert->chain_expires) {
        sqlite3_bind_int64(st, 4, cert->chain_expires);
    }

    if (cert->verified != NGX_STATUS_CERT_UNKNOWN) {
        sqlite3_bind_int(st, 5, cert->verified == NGX_STATUS_CERT_VERIFIED);
    }

    if (cert->issuer[0]) {
        sqlite3_bind_text(st, 6, cert->issuer, -1, SQLITE_STATIC);
    }

    if (cert->nnames) {
        sqlite3_bind_text(st, 7, cert->names, -1, SQLITE_STATIC);
        sqlite3_bind_int(st, 8, cert->nnames);
    }

    rc = ngx_status_store_run(st);

    if (rc == SQLITE_OK) {
        s->certs[item->check] = sum;
    }

    return rc;
}


static int
ngx_status_store_put_bucket(ngx_status_store_t *s,
    const ngx_status_store_item_t *item)
{
    ngx_uint_t                       i, level;
    sqlite3_stmt                    *st;
    const ngx_status_tally_t        *tally;
    const ngx_status_score_tally_t  *score;

    static const int  seconds[] = { 60, 3600, 86400 };

    level = item->u.bucket.level;
    tally = &item->u.bucket.tally;
    score = &item->u.bucket.score;

    st = s->st[NGX_STATUS_STORE_PUT_MINUTE + level];
    sqlite3_clear_bindings(st);

    sqlite3_bind_int64(st, 1, s->ids[item->check]);
    sqlite3_bind_int64(st, 2, item->u.bucket.number * seconds[level]);

    /* "unknown" is the first of states and the last but one of columns */

    for (i = NGX_STATUS_UP; i <= NGX_STATUS_DOWN; i++) {
        sqlite3_bind_int64(st, 2 + i, tally->seconds[i]);
    }

    sqlite3_bind_int64(st, 8, tally->seconds[NGX_STATUS_UNKNOWN]);
    sqlite3_bind_int64(st, 9, tally->seconds[NGX_STATUS_MAINTENANCE]);
    sqlite3_bind_int64(st, 10, tally->results);

    if (tally->results) {
        sqlite3_bind_int64(st, 11, tally->sum);
        sqlite3_bind_int64(st, 12, tally->min);
        sqlite3_bind_int64(st, 13, tally->max);
    }

    if (item->u.bucket.latency[0]) {
        sqlite3_bind_text(st, 14, item->u.bucket.latency, -1, SQLITE_STATIC);
    }

    if (level != NGX_STATUS_MINUTES && score->n) {
        sqlite3_bind_double(st, 15, score->first);
        sqlite3_bind_double(st, 16, score->last);
        sqlite3_bind_double(st, 17, score->min);
        sqlite3_bind_double(st, 18, score->max);
    }

    return ngx_status_store_run(st);
}


static int
ngx_status_store_put_state(ngx_status_store_t *s, ngx_uint_t check)
{
    int                               rc;
    char                              layout[NGX_STATUS_STORE_LAYOUT];
    uLong                             crc;
    size_t                            size;
    int64_t                           now;
    sqlite3_stmt                     *st;
    const ngx_status_history_conf_t  *history;

    now = ngx_status_store_time();
    history = &s->monitor->zone->history;
    size = ngx_status_history_size(history);

    ngx_status_store_layout(history, layout);

    crc = crc32(0, (u_char *) s->record, sizeof(ngx_status_record_t));
    crc = crc32(crc, s->rings, (uInt) size);

    st = s->st[NGX_STATUS_STORE_PUT_STATE];

    sqlite3_bind_int64(st, 1, s->ids[check]);
    sqlite3_bind_int64(st, 2, now);
    sqlite3_bind_text(st, 3, layout, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 4, (sqlite3_int64) crc);
    sqlite3_bind_blob(st, 5, s->record, sizeof(ngx_status_record_t),
                      SQLITE_STATIC);
    sqlite3_bind_blob(st, 6, s->rings, (int) size, SQLITE_STATIC);

    rc = ngx_status_store_run(st);

    sqlite3_clear_bindings(st);

    if (rc != SQLITE_OK) {
        return rc;
    }

    st = s->st[NGX_STATUS_STORE_SEEN];
    sqlite3_bind_int64(st, 1, s->ids[check]);
    sqlite3_bind_int64(st, 2, now / 1000);

    return ngx_status_store_run(st);
}


void
ngx_status_store_layout(const ngx_status_history_conf_t *history,
    char layout[NGX_STATUS_STORE_LAYOUT])
{
    uint16_t  order;

    memcpy(&order, "\1", 2);

    snprintf(layout, NGX_STATUS_STORE_LAYOUT, "%d %u %u %u %u %u %u",
             NGX_STATUS_ZONE_VERSION, order,
             (unsigned) sizeof(ngx_status_record_t), history->minutes,
             history->hours, history->days, history->scores);
}


int
ngx_status_store_run(sqlite3_stmt *st)
{
    int  rc;

    rc = sqlite3_step(st);
    sqlite3_reset(st);

    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}


#endif
