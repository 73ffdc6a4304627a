
/*
 * Copyright (C) ngx_status_module authors
 *
 * Private to ngx_status_store*.c.
 */


#ifndef _NGX_STATUS_STORE_DB_H_INCLUDED_
#define _NGX_STATUS_STORE_DB_H_INCLUDED_


#include "ngx_status_store.h"
#include "ngx_status_clock.h"
#include "ngx_status_stuck.h"
#include <pthread.h>
#include <sqlite3.h>


#define NGX_STATUS_STORE_VERSION  3      /* user_version */
#define NGX_STATUS_STORE_STEP     3      /* ms of a beat at most for reading
                                            back, and for catching up */
#define NGX_STATUS_STORE_LAYOUT   96     /* bytes of the words below */

/* {"us":results,...}, its NUL too; a bin takes two numbers of 10 digits */
#define NGX_STATUS_STORE_LATENCY  (24 * NGX_STATUS_HISTORY_BINS + 3)


typedef enum {
    NGX_STATUS_STORE_RESULT = 0,
    NGX_STATUS_STORE_EVENT,
    NGX_STATUS_STORE_BUCKET,
    NGX_STATUS_STORE_NKINDS
} ngx_status_store_kind_e;


typedef struct ngx_status_store_item_s  ngx_status_store_item_t;

/*
 * Something to write.  Allocated no longer than its text; see new().  A
 * result's "seen" stands right behind its message.
 */

struct ngx_status_store_item_s {
    ngx_status_store_item_t      *next;
    ngx_uint_t                    kind;
    ngx_uint_t                    check;         /* of the monitor's */

    union {
        struct {
            int64_t               ended;         /* ms */
            ngx_status_score_t   *score;         /* malloc()ed, or NULL */
            ngx_status_result_t   result;
        } result;

        struct {
            int64_t               at;            /* ms */
            uint8_t               from;
            uint8_t               to;
            uint8_t               late;          /* newer ones may be there */
            char                  why[NGX_STATUS_MESSAGE];
        } event;

        struct {
            int64_t               number;
            ngx_uint_t            level;
            ngx_status_tally_t    tally;
            ngx_status_score_tally_t  score;
            char              latency[NGX_STATUS_STORE_LATENCY];
        } bucket;
    } u;
};


typedef struct {
    ngx_status_store_item_t      *first;
    ngx_status_store_item_t     **last;          /* NULL: empty */
} ngx_status_store_list_t;


/* What the loop knows of a check. */

typedef struct {
    int64_t                       next[NGX_STATUS_LADDER]; /* bucket to write;
                                                              0: unknown */
    ngx_status_slot_t            *slot;
    ngx_uint_t                    fresh;         /* the slot was empty */
    ngx_uint_t                    again;         /* the file may lack results
                                                    and changes */
    int64_t                       result_at;     /* ms; the newest it has of */
    int64_t                       event_at;      /* those before our own, */
    int64_t                       first_result;  /* which begin here; 0: there
                                                    are none */
    int64_t                       first_event;   /* likewise */
    ngx_atomic_t                  restored;      /* else the thread keeps off:
                                                    the file knows more */
} ngx_status_store_check_t;


typedef enum {
    NGX_STATUS_STORE_PUT_MONITOR = 0,
    NGX_STATUS_STORE_RENAME_CHECK,
    NGX_STATUS_STORE_PUT_CHECK,
    NGX_STATUS_STORE_GET_CHECK,
    NGX_STATUS_STORE_PUT_RESULT,
    NGX_STATUS_STORE_PUT_CERT,
    NGX_STATUS_STORE_END_EVENT,
    NGX_STATUS_STORE_PUT_EVENT,
    NGX_STATUS_STORE_END_LATE_EVENT,
    NGX_STATUS_STORE_PUT_LATE_EVENT,
    NGX_STATUS_STORE_PUT_MINUTE,
    NGX_STATUS_STORE_PUT_HOUR,
    NGX_STATUS_STORE_PUT_DAY,
    NGX_STATUS_STORE_PUT_STATE,
    NGX_STATUS_STORE_SEEN,
    NGX_STATUS_STORE_NEXT_CHECK,
    NGX_STATUS_STORE_PRUNE_RESULTS,
    NGX_STATUS_STORE_PRUNE_MINUTES,
    NGX_STATUS_STORE_PRUNE_HOURS,
    NGX_STATUS_STORE_PRUNE_DAYS,
    NGX_STATUS_STORE_PRUNE_EVENTS,
    NGX_STATUS_STORE_PRUNE_CERTS,
    NGX_STATUS_STORE_PRUNE_STATE,
    NGX_STATUS_STORE_PRUNE_CHECK,
    NGX_STATUS_STORE_NSTATEMENTS
} ngx_status_store_statement_e;


struct ngx_status_store_s {
    ngx_status_store_t           *next;
    ngx_status_monitor_t         *monitor;
    ngx_log_t                    *log;           /* the loop's */
    const char                   *path;

    /* the loop's */
    ngx_status_store_check_t     *checks;
    ngx_status_store_list_t       pending;       /* not handed over yet */
    uint64_t                      dropped;       /* likewise */
    ngx_uint_t                    file_seen;     /* "file" at the last beat */
    ngx_uint_t                    restored;      /* checks */
    ngx_uint_t                    looked;        /* check to look at next */
    ngx_status_outlet_t       told;          /* what the zone says */
    sqlite3                      *reader;        /* while restoring */
    ngx_status_stuck_t            stuck;         /* of the thread */
    ngx_uint_t                    told_layout;
    ngx_uint_t                    told_damage;
    ngx_uint_t                    told_full;
    uint64_t                      told_lost;     /* until it was written last */

    /* both change it */
    ngx_atomic_t                  nitems;

    /* under the mutex */
    ngx_status_store_list_t       queue;
    ngx_status_outlet_t       status;
    ngx_uint_t                    file;          /* files begun anew */
    ngx_uint_t                    tried;         /* to open it */
    ngx_uint_t                    readable;      /* what a reader may see is
                                                    all there is */
    char                          aside[NGX_STATUS_MESSAGE];
    ino_t                         damaged;       /* file that a reader found
                                                    corrupt; 0 */
    ngx_uint_t                    leaving;

    /* the thread's */
    ngx_status_store_list_t       batch;
    sqlite3                      *db;
    sqlite3_stmt                 *st[NGX_STATUS_STORE_NSTATEMENTS];
    sqlite3_int64                *ids;           /* by check */
    uint32_t                     *certs;         /* likewise, a sum of what
                                                    the file has; 0: unknown */
    int                           lock;          /* descriptor; -1 */
    dev_t                         dev;
    ino_t                         ino;
    ino_t                         wal;           /* of the -wal file */
    ngx_uint_t                    anew;          /* the next one opened is
                                                    another file */
    ngx_uint_t                    empty;         /* it had nothing in it */
    ngx_uint_t                    locked;        /* at the last try */
    ngx_msec_t                    retry_at;
    ngx_msec_t                    backoff;
    ngx_msec_t                    waiting_since; /* for the lock; 0: not */
    sqlite3_int64                 pruned;        /* check's id */
    ngx_msec_t                    save_begin;    /* of this round of saves */
    ngx_uint_t                    saved;         /* checks in it */
    ngx_status_record_t          *record;        /* what is being saved */
    u_char                       *rings;
    ngx_uint_t                    unwritten;     /* items, at the end */
    ngx_uint_t                    left;
};


/* store.c, in the loop. */
void ngx_status_store_tell_aside(ngx_status_store_t *s, const char *aside);


/*
 * catch_up.c, likewise.  again(): the file is another one.  catch_up() queues
 * some of what it lacks.
 */

void ngx_status_store_again(ngx_status_store_t *s);
void ngx_status_store_catch_up(ngx_status_store_t *s);


/* Of what "both" and the thread have above, and of the list of stores. */
extern pthread_mutex_t  ngx_status_store_mutex;


/*
 * queue.c.  push_*() put copies among what is pending; a result or a change
 * for which there is no room counts as lost, a bucket is 0.  append() empties
 * "from".
 */

void ngx_status_store_push_result(ngx_status_store_t *s, ngx_uint_t check,
    const ngx_status_result_t *result, const ngx_status_score_t *score,
    int64_t ended);
void ngx_status_store_push_event(ngx_status_store_t *s, ngx_uint_t check,
    ngx_uint_t from, ngx_uint_t to, int64_t at, const char *why,
    ngx_uint_t late);
ngx_uint_t ngx_status_store_push_bucket(ngx_status_store_t *s,
    ngx_uint_t check, ngx_uint_t level, int64_t number,
    const ngx_status_tally_t *tally, const ngx_status_score_tally_t *score,
    const char *latency);
void ngx_status_store_append(ngx_status_store_list_t *to,
    ngx_status_store_list_t *from);
void ngx_status_store_list_free(ngx_status_store_t *s,
    ngx_status_store_list_t *list, ngx_status_store_item_t *end);


/*
 * store.c: before the end, in the loop, until "deadline" (monotonic ms) at
 * most.
 */

void ngx_status_store_finish(ngx_status_store_t *s, ngx_msec_t deadline);


/*
 * thread.c.  start() gives a store to the thread, and waits until that has
 * tried to open it; not for ever, and not at all for a thread that is stuck.
 * stuck(), each second, under the mutex: whether the thread does not get on;
 * then it says so in the store's status.  hurry(), under the mutex, wakes it.
 * step() is for the thread to call now and then.
 */

ngx_int_t ngx_status_store_start(ngx_status_store_t *s);
ngx_uint_t ngx_status_store_stuck(ngx_status_store_t *s,
    ngx_status_outlet_t *status);
void ngx_status_store_hurry(void);
void ngx_status_store_step(void);
int64_t ngx_status_store_time(void);             /* ms since the epoch */


/* Private to thread.c and turn.c. */

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

extern ngx_status_storing_t  ngx_status_storing;


/*
 * turn.c, in the thread.  turn() answers whether the store goes on; the
 * "last" one is before the process ends.  failed() puts the next try off and
 * says why, or that the store waits for another process; start() may call it
 * for a thread that is none.
 */

ngx_uint_t ngx_status_store_turn(ngx_status_store_t *s, ngx_uint_t last);
void ngx_status_store_failed(ngx_status_store_t *s, ngx_uint_t waiting,
    const char *err);


/*
 * file.c, in the thread.  Returns are SQLite's codes; "err" gets a sentence.
 * db_open() takes the lock: SQLITE_BUSY with "*waiting" when another process
 * has it.  A corrupt file is set aside and begun anew, "aside" telling its new
 * name.
 */

int ngx_status_store_db_open(ngx_status_store_t *s, ngx_uint_t *waiting,
    char err[NGX_STATUS_MESSAGE], char aside[NGX_STATUS_MESSAGE]);
void ngx_status_store_db_close(ngx_status_store_t *s);

/* Whether the path leads to another file by now, or to none. */
ngx_uint_t ngx_status_store_db_moved(ngx_status_store_t *s);

/* Renames a corrupt file and what belongs to it; it must be closed. */
void ngx_status_store_db_aside(ngx_status_store_t *s,
    char aside[NGX_STATUS_MESSAGE]);

/* Whether an error speaks of the file, or only of the moment. */
ngx_uint_t ngx_status_store_db_corrupt(int rc);
ngx_uint_t ngx_status_store_db_busy(int rc);
void ngx_status_store_error(ngx_status_store_t *s, int rc,
    char err[NGX_STATUS_MESSAGE]);


/*
 * write.c, likewise, with the file open.  prepare() makes all statements,
 * checks() writes what is configured, in the caller's transaction.
 */

int ngx_status_store_prepare(ngx_status_store_t *s);
int ngx_status_store_checks(ngx_status_store_t *s);

/* Writes "batch" up to "end" in a transaction, and prunes a little. */
int ngx_status_store_db_write(ngx_status_store_t *s,
    ngx_status_store_item_t *end, char err[NGX_STATUS_MESSAGE]);

/* Runs a statement that has no rows, or whose rows do not matter. */
int ngx_status_store_run(sqlite3_stmt *st);

/* prune.c, in the transaction of db_write(). */
int ngx_status_store_prune(ngx_status_store_t *s);

/* Saves the records of some checks, as the zone has them, likewise. */
int ngx_status_store_db_save(ngx_status_store_t *s, ngx_uint_t first,
    ngx_uint_t last, char err[NGX_STATUS_MESSAGE]);

/* What a saved record's bytes depend on. */
void ngx_status_store_layout(const ngx_status_history_conf_t *history,
    char layout[NGX_STATUS_STORE_LAYOUT]);


/*
 * restore.c: fills slots until "until" (monotonic ms; 0: all), in the loop.
 * Returns the number of checks that got their past back.
 */

ngx_uint_t ngx_status_store_restore(ngx_status_store_t *s, ngx_msec_t until);


/* Private to restore.c, replay.c and rebuild.c, which read. */

typedef enum {
    NGX_STATUS_STORE_GET_STATE = 0,
    NGX_STATUS_STORE_GET_LAST,
    NGX_STATUS_STORE_COUNT_RESULTS,
    NGX_STATUS_STORE_GET_RESULTS,
    NGX_STATUS_STORE_GET_CERT,
    NGX_STATUS_STORE_GET_FAILED,
    NGX_STATUS_STORE_GET_EVENTS,
    NGX_STATUS_STORE_GET_MINUTES,
    NGX_STATUS_STORE_GET_HOURS,
    NGX_STATUS_STORE_GET_DAYS,
    NGX_STATUS_STORE_NREADS
} ngx_status_store_read_e;

typedef struct {
    ngx_status_store_t   *s;
    sqlite3_stmt         *st[NGX_STATUS_STORE_NREADS];
    ngx_status_record_t  *record;        /* where one is put together */
    u_char               *rings;
    size_t                size;          /* of the rings */

    /* of the check that is being read */
    ngx_uint_t            n;
    sqlite3_int64         id;
    int64_t               cursor;        /* s; end of the newest bucket in the
                                            tables; 0: none */
} ngx_status_restore_t;

extern const char  *ngx_status_restore_sql[NGX_STATUS_STORE_NREADS];


/*
 * replay.c: takes results once more.  "since" (ms) was the last one that the
 * record knows; without a record (-1) the newest ones, and where the tables'
 * buckets end, rebuild() gets what came of those before.
 */

int ngx_status_restore_results(ngx_status_restore_t *r, int64_t since);

/*
 * A column's word for a state, or 0 when it is none; its text cut to size,
 * empty when it is NULL.
 */

ngx_uint_t ngx_status_restore_word(sqlite3_stmt *st, int column,
    uint8_t *state);
void ngx_status_restore_text(sqlite3_stmt *st, int column, char *text,
    size_t size);


/*
 * rebuild.c: puts history, events and the confirmed state together from the
 * tables, as they were at r->cursor.  The record already knows the results
 * until then.
 */

int ngx_status_restore_rebuild(ngx_status_restore_t *r);


#endif /* _NGX_STATUS_STORE_DB_H_INCLUDED_ */
