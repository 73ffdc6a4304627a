
/*
 * Copyright (C) ngx_status_module authors
 *
 * The file: its lock, its schema and how an older one is brought up to
 * date, and what becomes of it when it is corrupt or moved.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include <sys/file.h>
#include <sys/stat.h>
#include "ngx_status_store_db.h"


#define NGX_STATUS_STORE_BUSY    200     /* ms that a lock is waited for */

/* "ngst" */
#define NGX_STATUS_STORE_APP     "1852273524"


static int ngx_status_store_lock(ngx_status_store_t *s,
    char err[NGX_STATUS_MESSAGE]);
static int ngx_status_store_setup(ngx_status_store_t *s,
    char err[NGX_STATUS_MESSAGE]);
static int ngx_status_store_pragma(sqlite3 *db, const char *name, int *value);


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
"  latency_us INTEGER NOT NULL, -- 0: none was measured\n"
"  message TEXT, -- what was expected and what came\n"
"  resolve_us INTEGER, connect_us INTEGER, tls_us INTEGER,\n"
"  wait_us INTEGER, transfer_us INTEGER,\n"
"  size INTEGER, -- bytes of the body\n"
"  cert_expires INTEGER, -- Unix s\n"
"  score REAL,\n"
"  grade TEXT,\n"
"  ended_ms INTEGER NOT NULL, -- Unix ms\n"
"  detail BLOB, -- the module's own: categories, what its type keeps\n"
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

    ngx_status_store_schema,

    "ALTER TABLE hours ADD COLUMN latency TEXT "
        "/* JSON: number of results by us, within 6.25 % */;"
    "ALTER TABLE days ADD COLUMN latency TEXT /* likewise */;"
    "ALTER TABLE results ADD COLUMN interval_ms INTEGER "
        "/* the check's, when it was measured */;"
    "PRAGMA user_version = 2;",

    "ALTER TABLE results ADD COLUMN seen TEXT /* what came, in few words */;"
    "CREATE TABLE certificates ( -- what a check was shown, from then on\n"
    "  check_id INTEGER NOT NULL REFERENCES checks(id),\n"
    "  since_ms INTEGER NOT NULL, -- Unix ms; the first result with it\n"
    "  expires INTEGER NOT NULL, -- Unix s\n"
    "  chain_expires INTEGER, -- the earliest of all that were sent\n"
    "  verified INTEGER, -- 1 or 0; NULL: nothing to verify it by\n"
    "  issuer TEXT,\n"
    "  names TEXT, -- of hosts, parted by spaces; perhaps not all of them\n"
    "  nnames INTEGER, -- how many there are\n"
    "  PRIMARY KEY (check_id, since_ms)\n"
    ") WITHOUT ROWID;\n"
    "PRAGMA user_version = 3;"
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

    /*
     * Messages and targets are not for everyone's eyes.  SQLite would open
     * what it may not write to, and leave files beside it that nobody may.
     */

    fd = open(s->path, O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

    if (fd != -1) {
        close(fd);

    } else if (errno != EEXIST || access(s->path, W_OK) == -1) {
        ngx_status_message(err, "open() failed: %s", strerror(errno));
        return SQLITE_CANTOPEN;
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
                             "PRAGMA synchronous = FULL;"
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

    rc = ngx_status_store_prepare(s);

    if (rc == SQLITE_ERROR) {
        /* the tables are not those of this version */
        ngx_status_store_error(s, rc, err);
        return SQLITE_CORRUPT;
    }

    if (rc != SQLITE_OK) {
        goto failed;
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

    s->empty = (version == 0);

    return SQLITE_OK;

failed:

    ngx_status_store_error(s, rc, err);

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
    char         to[NGX_MAX_PATH + sizeof(".corrupt-20991231T235959Z-99-wal")];
    char         stamp[sizeof("20991231T235959Z")];
    time_t       now;
    size_t       len;
    struct tm    tm;
    ngx_uint_t   i;

    now = time(NULL);
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);

    len = snprintf(to, sizeof(to), "%s.corrupt-%s", s->path, stamp);

    for (i = 2; i < 100 && access(to, F_OK) == 0; i++) {
        snprintf(to + len, sizeof(to) - len, "-%u", (unsigned) i);
    }

    /* the log first: alone, it would be taken for that of the next file */

    len = strlen(to);
    snprintf(to + len, sizeof(to) - len, "-wal");
    snprintf(from, sizeof(from), "%s-wal", s->path);
    (void) rename(from, to);

    snprintf(from, sizeof(from), "%s-shm", s->path);
    (void) unlink(from);

    to[len] = '\0';

    if (rename(s->path, to) == 0) {
        ngx_status_message(aside, "%s", to);
    }
}


ngx_uint_t
ngx_status_store_db_corrupt(int rc)
{
    rc &= 0xff;

    return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
}


ngx_uint_t
ngx_status_store_db_busy(int rc)
{
    rc &= 0xff;

    return rc == SQLITE_BUSY || rc == SQLITE_LOCKED || rc == SQLITE_NOMEM
           || rc == SQLITE_CANTOPEN;
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


void
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
