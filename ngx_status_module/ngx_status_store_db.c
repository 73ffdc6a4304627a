
/*
 * Copyright (C) ngx_status_module authors
 *
 * What the store's file looks like, and writing it.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include <sys/file.h>
#include <sys/stat.h>
#include <zlib.h>
#include "ngx_status_store_db.h"


#define NGX_STATUS_STORE_BUSY    200     /* ms that a lock is waited for */
#define NGX_STATUS_STORE_PRUNE   16      /* checks looked at in a transaction */

/* "ngst" */
#define NGX_STATUS_STORE_APP     "1852273524"


static int ngx_status_store_lock(ngx_status_store_t *s,
    char err[NGX_STATUS_MESSAGE]);
static int ngx_status_store_setup(ngx_status_store_t *s,
    char err[NGX_STATUS_MESSAGE]);
static int ngx_status_store_checks(ngx_status_store_t *s);
static int ngx_status_store_item(ngx_status_store_t *s,
    const ngx_status_store_item_t *item);
static int ngx_status_store_put_result(ngx_status_store_t *s,
    const ngx_status_store_item_t *item);
static int ngx_status_store_put_bucket(ngx_status_store_t *s,
    const ngx_status_store_item_t *item);
static int ngx_status_store_put_state(ngx_status_store_t *s,
    ngx_uint_t check, int64_t saved, const void *record, const void *rings);
static int ngx_status_store_prune(ngx_status_store_t *s);
static int ngx_status_store_pragma(sqlite3 *db, const char *name, int *value);
static int ngx_status_store_run(sqlite3_stmt *st);
static void ngx_status_store_error(ngx_status_store_t *s, int rc,
    char err[NGX_STATUS_MESSAGE]);


/*
 * The schema is told to whoever opens the file: ".schema" shows it with
 * these comments.
 */

static const char  ngx_status_store_schema[] =

"CREATE TABLE monitors ( -- one: the monitor of this file\n"
"  id INTEGER PRIMARY KEY,\n"
"  name TEXT NOT NULL UNIQUE, -- status_monitor NAME\n"
"  title TEXT NOT NULL\n"
");\n"

"CREATE TABLE checks (\n"
"  id INTEGER PRIMARY KEY, -- check_id of all other tables\n"
"  monitor_id INTEGER NOT NULL REFERENCES monitors(id),\n"
"  name TEXT NOT NULL, -- check NAME\n"
"  title TEXT NOT NULL,\n"
"  grp TEXT, -- title of its group; NULL: none\n"
"  target TEXT NOT NULL, -- URL without secrets\n"
"  seen INTEGER NOT NULL, -- Unix s; configured at that time\n"
"  UNIQUE (monitor_id, name)\n"
");\n"

"CREATE TABLE results ( -- every single result, for a few days\n"
"  check_id INTEGER NOT NULL REFERENCES checks(id),\n"
"  at_ms INTEGER NOT NULL, -- Unix ms; the probe began\n"
"  state TEXT NOT NULL, -- up degraded bot_detected timeout down unknown\n"
"  error TEXT, -- class of the failure\n"
"  http_status INTEGER,\n"
"  latency_us INTEGER NOT NULL,\n"
"  message TEXT, -- what was expected and what came\n"
"  resolve_us INTEGER, connect_us INTEGER, tls_us INTEGER,\n"
"  wait_us INTEGER, transfer_us INTEGER,\n"
"  size INTEGER, -- bytes of the body\n"
"  cert_expires INTEGER, -- Unix s\n"
"  score REAL,\n"
"  grade TEXT,\n"
"  ended_ms INTEGER NOT NULL, -- Unix ms\n"
"  detail BLOB, -- the module's own: categories of the score\n"
"  PRIMARY KEY (check_id, at_ms)\n"
") WITHOUT ROWID;\n"

#define NGX_STATUS_STORE_BUCKETS(name, comment, more)                        \
"CREATE TABLE " name " ( -- " comment "\n"                                   \
"  check_id INTEGER NOT NULL REFERENCES checks(id),\n"                       \
"  at INTEGER NOT NULL, -- Unix s; it begins\n"                              \
"  -- seconds in each state\n"                                               \
"  up INTEGER NOT NULL, degraded INTEGER NOT NULL,\n"                        \
"  bot_detected INTEGER NOT NULL, timeout INTEGER NOT NULL,\n"               \
"  down INTEGER NOT NULL, unknown INTEGER NOT NULL,\n"                       \
"  maintenance INTEGER NOT NULL,\n"                                          \
"  results INTEGER NOT NULL, -- with a latency: sum, min, max are theirs\n"  \
"  sum_us INTEGER, min_us INTEGER, max_us INTEGER,\n"                        \
"  mean_us INTEGER AS (sum_us / results),\n"                                 \
more                                                                         \
"  PRIMARY KEY (check_id, at)\n"                                             \
") WITHOUT ROWID;\n"

#define NGX_STATUS_STORE_SCORES                                              \
"  score_first REAL, score_last REAL, score_min REAL, score_max REAL,\n"

NGX_STATUS_STORE_BUCKETS("minutes", "as long as results are kept", "")
NGX_STATUS_STORE_BUCKETS("hours", "UTC", NGX_STATUS_STORE_SCORES)
NGX_STATUS_STORE_BUCKETS("days", "UTC", NGX_STATUS_STORE_SCORES)

"CREATE TABLE events ( -- changes of the confirmed state\n"
"  check_id INTEGER NOT NULL REFERENCES checks(id),\n"
"  since_ms INTEGER NOT NULL, -- Unix ms; back-dated to the first result\n"
"  until_ms INTEGER, -- NULL: lasts\n"
"  from_state TEXT NOT NULL,\n"
"  to_state TEXT NOT NULL,\n"
"  why TEXT,\n"
"  PRIMARY KEY (check_id, since_ms, to_state)\n"
") WITHOUT ROWID;\n"

"CREATE TABLE state ( -- the module's own: to go on where it ended\n"
"  check_id INTEGER PRIMARY KEY REFERENCES checks(id),\n"
"  saved_ms INTEGER NOT NULL,\n"
"  layout TEXT NOT NULL,\n"
"  crc INTEGER NOT NULL,\n"
"  record BLOB NOT NULL,\n"
"  rings BLOB NOT NULL\n"
");\n"

"PRAGMA application_id = " NGX_STATUS_STORE_APP ";\n"
"PRAGMA user_version = 1;\n";


/* From user_version number n to n + 1; the first makes everything. */

static const char  *ngx_status_store_migrations[NGX_STATUS_STORE_VERSION] = {
    ngx_status_store_schema
};


#define NGX_STATUS_STORE_PUT(table, more, values)                            \
    "INSERT OR REPLACE INTO " table " (check_id, at, up, degraded, "         \
    "bot_detected, timeout, down, unknown, maintenance, results, sum_us, "   \
    "min_us, max_us" more ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "   \
    "?10, ?11, ?12, ?13" values ")"

#define NGX_STATUS_STORE_PUT_SCORED(table)                                   \
    NGX_STATUS_STORE_PUT(table, ", score_first, score_last, score_min, "     \
                         "score_max", ", ?14, ?15, ?16, ?17")

#define NGX_STATUS_STORE_DELETE(table, at)                                   \
    "DELETE FROM " table " WHERE check_id = ?1 AND " at " IN (SELECT " at    \
    " FROM " table " WHERE check_id = ?1 AND " at " < ?2 LIMIT 500)"


/* by ngx_status_store_statement_e */

static const char  *ngx_status_store_sql[NGX_STATUS_STORE_NSTATEMENTS] = {

    "INSERT INTO monitors (id, name, title) VALUES (1, ?1, ?2) "
    "ON CONFLICT (id) DO UPDATE SET name = ?1, title = ?2",

    "INSERT INTO checks (monitor_id, name, title, grp, target, seen) "
    "VALUES (1, ?1, ?2, ?3, ?4, ?5) ON CONFLICT (monitor_id, name) "
    "DO UPDATE SET title = ?2, grp = ?3, target = ?4, seen = ?5",

    "SELECT id FROM checks WHERE monitor_id = 1 AND name = ?1",

    "INSERT OR REPLACE INTO results (check_id, at_ms, state, error, "
    "http_status, latency_us, message, resolve_us, connect_us, tls_us, "
    "wait_us, transfer_us, size, cert_expires, score, grade, ended_ms, "
    "detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
    "?14, ?15, ?16, ?17, ?18)",

    "UPDATE events SET until_ms = ?2 WHERE check_id = ?1 AND until_ms IS NULL",

    "INSERT OR REPLACE INTO events (check_id, since_ms, from_state, "
    "to_state, why) VALUES (?1, ?2, ?3, ?4, ?5)",

    NGX_STATUS_STORE_PUT("minutes", "", ""),
    NGX_STATUS_STORE_PUT_SCORED("hours"),
    NGX_STATUS_STORE_PUT_SCORED("days"),

    "INSERT OR REPLACE INTO state (check_id, saved_ms, layout, crc, record, "
    "rings) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",

    "UPDATE checks SET seen = ?2 WHERE id = ?1",

    "SELECT id, seen, saved_ms FROM checks LEFT JOIN state ON check_id = id "
    "WHERE id > ?1 ORDER BY id LIMIT 1",

    NGX_STATUS_STORE_DELETE("results", "at_ms"),
    NGX_STATUS_STORE_DELETE("minutes", "at"),
    NGX_STATUS_STORE_DELETE("hours", "at"),
    NGX_STATUS_STORE_DELETE("days", "at"),

    /* an event that lasts is kept however old it is */
    "DELETE FROM events WHERE check_id = ?1 AND until_ms < ?2",

    "DELETE FROM state WHERE check_id = ?1",

    "DELETE FROM checks WHERE id = ?1 AND NOT EXISTS "
    "(SELECT 1 FROM days WHERE check_id = ?1) AND NOT EXISTS "
    "(SELECT 1 FROM hours WHERE check_id = ?1) AND NOT EXISTS "
    "(SELECT 1 FROM events WHERE check_id = ?1 AND until_ms IS NOT NULL)"
};


int
ngx_status_store_db_open(ngx_status_store_t *s, ngx_uint_t *waiting,
    char err[NGX_STATUS_MESSAGE], char aside[NGX_STATUS_MESSAGE])
{
    int         rc;
    ngx_uint_t  i;

    *waiting = 0;
    aside[0] = '\0';

    rc = ngx_status_store_lock(s, err);

    if (rc != SQLITE_OK) {
        *waiting = (rc == SQLITE_BUSY);
        return rc;
    }

    for (i = 0; i < 2; i++) {

        rc = ngx_status_store_setup(s, err);

        if (rc == SQLITE_OK) {
            return SQLITE_OK;
        }

        ngx_status_store_db_close(s);

        if (!ngx_status_store_db_corrupt(rc)) {
            break;
        }

        ngx_status_store_db_aside(s, aside);
    }

    return rc;
}


/*
 * The lock is a file beside the store: the store's own locks come and go
 * with each transaction, and it may be renamed.
 */

static int
ngx_status_store_lock(ngx_status_store_t *s, char err[NGX_STATUS_MESSAGE])
{
    int   fd;
    char  name[NGX_MAX_PATH + sizeof("-lock")];

    if (s->lock != -1) {
        return SQLITE_OK;
    }

    snprintf(name, sizeof(name), "%s-lock", s->path);

    fd = open(name, O_RDWR|O_CREAT|O_CLOEXEC, 0600);

    if (fd == -1) {
        ngx_status_message(err, "open() \"%s\" failed: %s", name,
                           strerror(errno));
        return SQLITE_CANTOPEN;
    }

    if (flock(fd, LOCK_EX|LOCK_NB) == -1) {
        ngx_status_message(err, "another process writes it");
        close(fd);
        return SQLITE_BUSY;
    }

    s->lock = fd;

    return SQLITE_OK;
}


static int
ngx_status_store_setup(ngx_status_store_t *s, char err[NGX_STATUS_MESSAGE])
{
    int          rc, fd, version, tables, page;
    char         name[NGX_MAX_PATH + sizeof("-wal")];
    off_t        size;
    ngx_uint_t   i;
    struct stat  sb;

    /* messages and targets are not for everyone's eyes */

    fd = open(s->path, O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

    if (fd != -1) {
        close(fd);
    }

    /*
     * A file with nothing in its log consists of whole pages.  SQLite itself
     * notices when whole ones are missing.
     */

    snprintf(name, sizeof(name), "%s-wal", s->path);
    size = 0;

    if ((stat(name, &sb) == -1 || sb.st_size == 0) && stat(s->path, &sb) == 0)
    {
        size = sb.st_size;
    }

    rc = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE
                         |SQLITE_OPEN_CREATE|SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        goto failed;
    }

    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, NGX_STATUS_STORE_BUSY);

    rc = ngx_status_store_pragma(s->db, "PRAGMA user_version", &version);

    if (rc == SQLITE_OK) {
        rc = ngx_status_store_pragma(s->db,
                               "SELECT count(*) FROM sqlite_master", &tables);
    }

    if (rc == SQLITE_OK) {
        rc = ngx_status_store_pragma(s->db, "PRAGMA page_size", &page);
    }

    if (rc != SQLITE_OK) {
        goto failed;
    }

    if (page && size % page) {
        ngx_status_message(err, "it is truncated");
        return SQLITE_CORRUPT;
    }

    if (version > NGX_STATUS_STORE_VERSION || (version == 0 && tables)) {
        /* nothing of ours to write to, nor to take away */
        ngx_status_message(err, version ? "it is of a newer version of this "
                                          "module (%d)"
                                        : "it is a database of something "
                                          "else", version);
        return SQLITE_MISMATCH;
    }

    rc = sqlite3_exec(s->db, "PRAGMA journal_mode = WAL;"
                             "PRAGMA synchronous = NORMAL;"
                             "PRAGMA journal_size_limit = 16777216;"
                             "BEGIN IMMEDIATE;", NULL, NULL, NULL);
    if (rc != SQLITE_OK) {
        goto failed;
    }

    for (i = version; i < NGX_STATUS_STORE_VERSION; i++) {
        rc = sqlite3_exec(s->db, ngx_status_store_migrations[i], NULL, NULL,
                          NULL);
        if (rc != SQLITE_OK) {
            goto failed;
        }
    }

    for (i = 0; i < NGX_STATUS_STORE_NSTATEMENTS; i++) {
        rc = sqlite3_prepare_v3(s->db, ngx_status_store_sql[i], -1,
                                SQLITE_PREPARE_PERSISTENT, &s->st[i], NULL);

        if (rc == SQLITE_ERROR) {
            /* the tables are not those of this version */
            ngx_status_store_error(s, rc, err);
            return SQLITE_CORRUPT;
        }

        if (rc != SQLITE_OK) {
            goto failed;
        }
    }

    rc = ngx_status_store_checks(s);

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    }

    if (rc != SQLITE_OK) {
        goto failed;
    }

    if (stat(s->path, &sb) == -1) {
        rc = SQLITE_CANTOPEN;
        goto failed;
    }

    s->dev = sb.st_dev;
    s->ino = sb.st_ino;

    s->wal = (stat(name, &sb) == 0) ? sb.st_ino : 0;

    return SQLITE_OK;

failed:

    ngx_status_store_error(s, rc, err);

    return rc;
}


static int
ngx_status_store_checks(ngx_status_store_t *s)
{
    int                        rc;
    ngx_uint_t                 i;
    sqlite3_stmt              *st, *get;
    const ngx_status_check_t  *check;

#define bind_str(st, n, str)                                                 \
    sqlite3_bind_text(st, n, (char *) (str).data, (int) (str).len,           \
                      SQLITE_STATIC)

    st = s->st[NGX_STATUS_STORE_PUT_MONITOR];
    bind_str(st, 1, s->monitor->name);
    bind_str(st, 2, s->monitor->title);

    rc = ngx_status_store_run(st);

    for (i = 0; rc == SQLITE_OK && i < s->monitor->nchecks; i++) {
        check = s->monitor->checks[i];

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


void
ngx_status_store_db_close(ngx_status_store_t *s)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_STATUS_STORE_NSTATEMENTS; i++) {
        sqlite3_finalize(s->st[i]);
        s->st[i] = NULL;
    }

    sqlite3_close(s->db);
    s->db = NULL;
}


ngx_uint_t
ngx_status_store_db_moved(ngx_status_store_t *s)
{
    char         name[NGX_MAX_PATH + sizeof("-wal")];
    struct stat  sb;

    if (stat(s->path, &sb) == 0 && sb.st_ino == s->ino && sb.st_dev == s->dev)
    {
        return 0;
    }

    ngx_status_store_db_close(s);

    /* SQLite leaves the log of a file that was moved, and would take it for
     * the log of the one that came in its place */

    snprintf(name, sizeof(name), "%s-wal", s->path);

    if (stat(name, &sb) == 0 && sb.st_ino == s->wal) {
        unlink(name);
    }

    return 1;
}


void
ngx_status_store_db_aside(ngx_status_store_t *s,
    char aside[NGX_STATUS_MESSAGE])
{
    char         from[NGX_MAX_PATH + sizeof("-wal")];
    char         to[NGX_MAX_PATH + sizeof(".corrupt-20991231T235959Z-wal")];
    char         stamp[sizeof("20991231T235959Z")];
    time_t       now;
    struct tm    tm;

    now = time(NULL);
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);

    snprintf(from, sizeof(from), "%s-wal", s->path);
    snprintf(to, sizeof(to), "%s.corrupt-%s-wal", s->path, stamp);
    (void) rename(from, to);

    snprintf(from, sizeof(from), "%s-shm", s->path);
    (void) unlink(from);

    snprintf(to, sizeof(to), "%s.corrupt-%s", s->path, stamp);

    if (rename(s->path, to) == 0) {
        ngx_status_message(aside, "%s", to);
    }
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
    }

    if (rc == SQLITE_OK) {
        rc = ngx_status_store_prune(s);
    }

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    }

    if (rc != SQLITE_OK) {
        ngx_status_store_error(s, rc, err);

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
    int                         rc;
    size_t                      size;
    sqlite3_int64               id;
    sqlite3_stmt               *st;
    const char                 *why;

    id = s->ids[item->check];

    switch (item->kind) {

    case NGX_STATUS_STORE_RESULT:
        return ngx_status_store_put_result(s, item);

    case NGX_STATUS_STORE_BUCKET:
        return ngx_status_store_put_bucket(s, item);

    case NGX_STATUS_STORE_EVENT:
        st = s->st[NGX_STATUS_STORE_END_EVENT];
        sqlite3_bind_int64(st, 1, id);
        sqlite3_bind_int64(st, 2, item->u.event.at);

        rc = ngx_status_store_run(st);
        if (rc != SQLITE_OK) {
            return rc;
        }

        why = item->u.event.why;

        st = s->st[NGX_STATUS_STORE_PUT_EVENT];
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

    default: /* NGX_STATUS_STORE_STATE */
        size = sizeof(ngx_status_record_t);

        return ngx_status_store_put_state(s, item->check, item->u.saved,
                                          item + 1,
                                          (u_char *) (item + 1) + size);
    }
}


static int
ngx_status_store_put_result(ngx_status_store_t *s,
    const ngx_status_store_item_t *item)
{
    ngx_uint_t                  i;
    sqlite3_stmt               *st;
    const ngx_status_score_t   *score;
    const ngx_status_result_t  *r;

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
    }

    sqlite3_bind_int64(st, 17, item->u.result.ended);

    return ngx_status_store_run(st);
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

    if (level != NGX_STATUS_MINUTES && score->n) {
        sqlite3_bind_double(st, 14, score->first);
        sqlite3_bind_double(st, 15, score->last);
        sqlite3_bind_double(st, 16, score->min);
        sqlite3_bind_double(st, 17, score->max);
    }

    return ngx_status_store_run(st);
}


static int
ngx_status_store_put_state(ngx_status_store_t *s, ngx_uint_t check,
    int64_t saved, const void *record, const void *rings)
{
    int                               rc;
    char                              layout[NGX_STATUS_STORE_LAYOUT];
    uLong                             crc;
    size_t                            size;
    sqlite3_stmt                     *st;
    const ngx_status_history_conf_t  *history;

    history = &s->monitor->zone->history;
    size = ngx_status_history_size(history);

    ngx_status_store_layout(history, layout);

    crc = crc32(0, record, sizeof(ngx_status_record_t));
    crc = crc32(crc, rings, (uInt) size);

    st = s->st[NGX_STATUS_STORE_PUT_STATE];

    sqlite3_bind_int64(st, 1, s->ids[check]);
    sqlite3_bind_int64(st, 2, saved);
    sqlite3_bind_text(st, 3, layout, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 4, (sqlite3_int64) crc);
    sqlite3_bind_blob(st, 5, record, sizeof(ngx_status_record_t),
                      SQLITE_STATIC);
    sqlite3_bind_blob(st, 6, rings, (int) size, SQLITE_STATIC);

    rc = ngx_status_store_run(st);

    sqlite3_clear_bindings(st);

    if (rc != SQLITE_OK) {
        return rc;
    }

    st = s->st[NGX_STATUS_STORE_SEEN];
    sqlite3_bind_int64(st, 1, s->ids[check]);
    sqlite3_bind_int64(st, 2, saved / 1000);

    return ngx_status_store_run(st);
}


int
ngx_status_store_db_save(ngx_status_store_t *s, ngx_uint_t first,
    ngx_uint_t last)
{
    int                         rc;
    ngx_uint_t                  i;
    ngx_status_slot_t          *slot;
    const ngx_status_record_t  *record;

    rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    for (i = first; rc == SQLITE_OK && i < last; i++) {

        slot = ngx_status_zone_find(s->monitor->zone,
                                    &s->monitor->checks[i]->id, NULL);

        /* what has not got its past back must not take its place */

        if (slot == NULL || !s->checks[i].restored) {
            continue;
        }

        record = &slot->copy[slot->current & 1];

        if (record->nresults) {
            rc = ngx_status_store_put_state(s, i, ngx_status_store_time(),
                                            record,
                                            ngx_status_zone_rings(slot));
        }
    }

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    }

    return rc;
}


/* A few checks each time, a few hundred rows each, and then from the start */

static int
ngx_status_store_prune(ngx_status_store_t *s)
{
    int             rc;
    int64_t         now, keep, results, saved, limit;
    ngx_uint_t      i, k;
    sqlite3_stmt   *st;
    sqlite3_int64   seen;

    now = ngx_status_store_time() / 1000;
    keep = now - s->monitor->store_conf.keep;
    results = now - s->monitor->store_conf.results;

    for (i = 0; i < NGX_STATUS_STORE_PRUNE; i++) {

        st = s->st[NGX_STATUS_STORE_NEXT_CHECK];
        sqlite3_bind_int64(st, 1, s->pruned);

        rc = sqlite3_step(st);

        if (rc != SQLITE_ROW) {
            sqlite3_reset(st);
            s->pruned = 0;
            return rc == SQLITE_DONE ? SQLITE_OK : rc;
        }

        s->pruned = sqlite3_column_int64(st, 0);
        seen = sqlite3_column_int64(st, 1);

        /* what came after the record was saved is needed at the next start */

        saved = (sqlite3_column_type(st, 2) == SQLITE_NULL)
                ? keep : sqlite3_column_int64(st, 2) / 1000;
        sqlite3_reset(st);

        for (k = NGX_STATUS_STORE_PRUNE_RESULTS;
             k <= NGX_STATUS_STORE_PRUNE_CHECK;
             k++)
        {
            if (k >= NGX_STATUS_STORE_PRUNE_STATE && seen >= keep) {
                break;
            }

            limit = (k == NGX_STATUS_STORE_PRUNE_RESULTS)
                    ? ngx_min(results, saved)
                    : (k == NGX_STATUS_STORE_PRUNE_MINUTES) ? results : keep;

            if (k == NGX_STATUS_STORE_PRUNE_RESULTS
                || k == NGX_STATUS_STORE_PRUNE_EVENTS)
            {
                limit *= 1000;
            }

            st = s->st[k];
            sqlite3_bind_int64(st, 1, s->pruned);

            if (k < NGX_STATUS_STORE_PRUNE_STATE) {
                sqlite3_bind_int64(st, 2, limit);
            }

            rc = ngx_status_store_run(st);
            if (rc != SQLITE_OK) {
                return rc;
            }
        }
    }

    return SQLITE_OK;
}


ngx_uint_t
ngx_status_store_db_corrupt(int rc)
{
    rc &= 0xff;

    return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
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


static int
ngx_status_store_pragma(sqlite3 *db, const char *name, int *value)
{
    int            rc;
    sqlite3_stmt  *st;

    rc = sqlite3_prepare_v2(db, name, -1, &st, NULL);
    if (rc != SQLITE_OK) {
        return rc;
    }

    rc = sqlite3_step(st);
    *value = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);

    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}


static int
ngx_status_store_run(sqlite3_stmt *st)
{
    int  rc;

    rc = sqlite3_step(st);
    sqlite3_reset(st);

    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}


static void
ngx_status_store_error(ngx_status_store_t *s, int rc,
    char err[NGX_STATUS_MESSAGE])
{
    int  sys;

    sys = s->db ? sqlite3_system_errno(s->db) : 0;

    if (sys && ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_IOERR))
    {
        ngx_status_message(err, "%s: %s", sqlite3_errstr(rc), strerror(sys));

    } else {
        ngx_status_message(err, "%s", s->db ? sqlite3_errmsg(s->db)
                                            : sqlite3_errstr(rc));
    }
}


#endif
