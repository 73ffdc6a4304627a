
/*
 * Copyright (C) ngx_status_module authors
 *
 * The archive as the loop sees it: what waits, when it is written, and what
 * is told of it.
 */


#include "ngx_status_archive.h"
#include "ngx_status_archive_file.h"
#include "ngx_status_clock.h"
#include "ngx_status_loop.h"


#define NGX_STATUS_ARCHIVE_TURN   500    /* ms that a result waits */
#define NGX_STATUS_ARCHIVE_RETRY  250    /* ms, doubled each time, up to */
#define NGX_STATUS_ARCHIVE_REST   5000   /* ms */
#define NGX_STATUS_ARCHIVE_PATIENT  60000 /* ms that waiting for another process
                                            is nothing to complain of */
#define NGX_STATUS_ARCHIVE_IDLE   3600000 /* ms between looks at what is old */
#define NGX_STATUS_ARCHIVE_PRUNE  200    /* ms that deleting takes at a time */
#define NGX_STATUS_ARCHIVE_EXIT   400    /* ms; the store takes a second, and
                                            at TERM nginx grants 1.5 */


struct ngx_status_archive_s {
    ngx_status_work_t           work;    /* first */
    ngx_status_archive_t       *next;
    ngx_status_monitor_t       *monitor;
    ngx_log_t                  *log;
    ngx_connection_t            connection;      /* for timers' log lines */
    ngx_event_t                 timer;
    ngx_msec_t                  backoff;
    ngx_status_archive_list_t   pending; /* not the thread's yet */
    ngx_uint_t                  held;    /* results that are */
    uint32_t                    number;
    uint64_t                    lost;    /* since all was written */
    ngx_status_outlet_t         status;  /* for the zone */
    ngx_status_stuck_t          stuck;   /* of the thread */
    ngx_uint_t                  waiting; /* for another process */
    ngx_msec_t                  waiting_since;
    const char                 *told;    /* call that failed, and why; NULL */
    ngx_err_t                   told_err;
    ngx_err_t                   told_kept;       /* 0: nothing */

    ngx_uint_t                  running;
    ngx_uint_t                  leaving;
    ngx_uint_t                  last;    /* run: the directory is left then */
    ngx_atomic_t                finished;        /* set by the thread */

    /* the thread's while it runs */
    ngx_status_archive_dir_t    dir;
    ngx_msec_t                  prune_at;        /* monotonic */
    int64_t                     now;             /* s since the epoch */
    ngx_msec_t                  clock;           /* monotonic */
    ngx_uint_t                  more;            /* to be deleted */
};


static ngx_status_archive_t  *ngx_status_archives;

/* what is told of a thread that does not come back */
static const char  ngx_status_archive_stuck[] = "thread";


static void ngx_status_archive_turn(ngx_event_t *ev);
static ngx_int_t ngx_status_archive_start(ngx_status_archive_t *a);
static void ngx_status_archive_run(ngx_status_work_t *w);
static void ngx_status_archive_done(ngx_status_work_t *w);
static void ngx_status_archive_tell(ngx_status_archive_t *a);
static ngx_uint_t ngx_status_archive_state(ngx_status_archive_t *a);
static void ngx_status_archive_lose(ngx_status_archive_t *a, ngx_uint_t n);


ngx_status_archive_t *
ngx_status_archive_open(ngx_status_monitor_t *monitor, ngx_log_t *log)
{
    ngx_status_archive_t             *a;
    const ngx_status_archive_conf_t  *conf;

    conf = &monitor->archive_conf;

    if (conf->dir.len == 0) {
        return NULL;
    }

    a = ngx_calloc(sizeof(ngx_status_archive_t), log);
    if (a == NULL) {
        return NULL;
    }

    a->monitor = monitor;
    a->log = log;
    a->work.run = ngx_status_archive_run;
    a->work.done = ngx_status_archive_done;

    a->connection.fd = (ngx_socket_t) -1;
    a->timer.handler = ngx_status_archive_turn;
    a->timer.data = &a->connection;
    a->timer.log = log;

    ngx_status_archive_init(&a->dir);
    a->dir.path = (char *) conf->dir.data;
    a->dir.keep = conf->keep;
    a->dir.checks = monitor->checks;

    a->next = ngx_status_archives;
    ngx_status_archives = a;

    a->status.state = NGX_STATUS_OUTLET_OK;

    /* what is wrong with the directory is told before it matters */
    ngx_add_timer(&a->timer, NGX_STATUS_ARCHIVE_TURN);

    return a;
}


void
ngx_status_archive_result(ngx_status_archive_t *a, ngx_uint_t n,
    const ngx_status_brief_t *result)
{
    time_t                      rotate;
    ngx_status_archive_item_t  *item;

    if (a->held + a->pending.n >= NGX_STATUS_ARCHIVE_QUEUE
        || ngx_status_archive_reserve(&a->pending, 1) != NGX_OK)
    {
        ngx_status_archive_lose(a, 1);
        return;
    }

    rotate = a->monitor->archive_conf.rotate;

    item = &a->pending.items[a->pending.n++];
    item->result = *result;
    item->begin = result->at / 1000 / rotate * rotate;
    item->check = n;
    item->number = a->number++;

    if (a->pending.n == 1 && !a->running && a->told == NULL) {
        ngx_add_timer(&a->timer, NGX_STATUS_ARCHIVE_TURN);
    }
}


static void
ngx_status_archive_turn(ngx_event_t *ev)
{
    ngx_status_archive_t  *a;

    a = (ngx_status_archive_t *)
            ((u_char *) ev - offsetof(ngx_status_archive_t, timer));

    if (ngx_status_archive_start(a) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, a->log, 0,
                      "no memory or no thread to write the archive of "
                      "monitor \"%V\"", &a->monitor->name);
        ngx_add_timer(&a->timer, NGX_STATUS_ARCHIVE_REST);
    }
}


static ngx_int_t
ngx_status_archive_start(ngx_status_archive_t *a)
{
    ngx_time_t                 *tp;
    ngx_status_archive_list_t  *list;

    list = &a->dir.list;

    if (ngx_status_archive_reserve(list, a->pending.n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (a->pending.n) {
        ngx_memcpy(&list->items[list->n], a->pending.items,
                   a->pending.n * sizeof(ngx_status_archive_item_t));
        list->n += a->pending.n;
        a->pending.n = 0;
    }

    tp = ngx_timeofday();

    a->held = list->n;
    a->now = tp->sec;
    a->clock = ngx_current_msec;
    a->last = a->leaving;
    a->stuck.looks = 0;
    a->finished = 0;
    a->running = 1;

    if (ngx_status_loop_work(&a->work) != NGX_OK) {
        a->running = 0;
        a->last = 0;
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* In the thread. */

static void
ngx_status_archive_run(ngx_status_work_t *w)
{
    ngx_status_archive_t  *a;

    a = (ngx_status_archive_t *) w;

    ngx_status_archive_write(&a->dir);

    if (a->last) {
        ngx_status_archive_close(&a->dir);

    } else if (a->dir.fd != -1
               && (ngx_msec_int_t) (a->clock - a->prune_at) >= 0)
    {
        a->more = ngx_status_archive_prune(&a->dir, a->now,
                                           NGX_STATUS_ARCHIVE_PRUNE);
        a->prune_at = a->clock + (a->more ? 0 : NGX_STATUS_ARCHIVE_IDLE);
    }

    ngx_memory_barrier();
    a->finished = 1;
}


static void
ngx_status_archive_done(ngx_status_work_t *w)
{
    ngx_msec_t             wait;
    ngx_status_archive_t  *a;

    a = (ngx_status_archive_t *) w;

    ngx_status_archive_tell(a);

    if (a->last) {
        return;
    }

    if (a->leaving) {
        ngx_status_archive_turn(&a->timer);
        return;
    }

    if (a->dir.failed.call && a->dir.written == 0) {
        a->backoff = a->backoff ? ngx_min(a->backoff * 2,
                                          NGX_STATUS_ARCHIVE_REST)
                                : NGX_STATUS_ARCHIVE_RETRY;

        if (a->dir.failed.err == NGX_EAGAIN) {
            /* it costs nothing to ask */
            a->backoff = NGX_STATUS_ARCHIVE_RETRY;
        }

        wait = a->backoff;

    } else {
        a->backoff = 0;
        wait = a->dir.failed.call || a->pending.n || a->more
               ? NGX_STATUS_ARCHIVE_TURN : NGX_STATUS_ARCHIVE_IDLE;
    }

    ngx_add_timer(&a->timer, wait);
}


void
ngx_status_archive_beat(ngx_status_archive_t *a)
{
    if (a->running && ngx_status_is_stuck(&a->stuck, a->dir.steps)
        && a->told != ngx_status_archive_stuck)
    {
        a->told = ngx_status_archive_stuck;

        ngx_log_error(NGX_LOG_ERR, a->log, 0,
                      "archive \"%s\" of monitor \"%V\" can not be written, "
                      "results are kept in memory: " NGX_STATUS_STUCK_TEXT,
                      a->dir.path, &a->monitor->name);

        a->status.state = NGX_STATUS_OUTLET_FAILED;
        ngx_status_message(a->status.message, NGX_STATUS_STUCK_TEXT);
    }

    ngx_status_zone_put_outlet(a->monitor->zone, NGX_STATUS_ARCHIVE,
                               &a->status);
}


/* The loop has back what the thread had. */

static void
ngx_status_archive_tell(ngx_status_archive_t *a)
{
    ngx_str_t                   *name;
    ngx_uint_t                   level, state;
    ngx_status_archive_error_t  *failed, *kept;

    name = &a->monitor->name;
    failed = &a->dir.failed;
    kept = &a->dir.kept;

    a->running = 0;
    a->held = a->dir.list.n;

    state = ngx_status_archive_state(a);

    if (failed->call
        && (a->told == NULL || a->told_err != failed->err
            || a->status.state != state
            || ngx_strcmp(a->told, failed->call) != 0))
    {
        if (state == NGX_STATUS_OUTLET_WAITING) {
            ngx_log_error(NGX_LOG_INFO, a->log, 0,
                          "archive \"%s\" of monitor \"%V\" is written by "
                          "another process", a->dir.path, name);

        } else {
            ngx_log_error(NGX_LOG_ERR, a->log, failed->err,
                          "archive of monitor \"%V\" can not be written, "
                          "results are kept in memory: %s \"%s\" failed",
                          name, failed->call, failed->path);
        }
    }

    if (a->dir.lost) {
        ngx_status_archive_lose(a, a->dir.lost);
        a->dir.lost = 0;
    }

    if (failed->call == NULL && (a->told || a->lost)) {
        level = a->lost ? NGX_LOG_WARN
                : a->told_err == NGX_EAGAIN ? NGX_LOG_INFO : NGX_LOG_NOTICE;

        ngx_log_error(level, a->log, 0,
                      "archive \"%s\" of monitor \"%V\" is written, %uL "
                      "results were lost", a->dir.path, name, a->lost);
        a->lost = 0;
    }

    a->told = failed->call;
    a->told_err = failed->err;

    a->status.state = state;
    a->status.message[0] = '\0';

    if (failed->call) {
        ngx_status_message(a->status.message, "%s \"%s\" failed: %s",
                           failed->call, failed->path, strerror(failed->err));

    } else if (kept->call) {
        ngx_status_message(a->status.message, "what is old stays: %s \"%s\" "
                           "failed: %s", kept->call, kept->path,
                           strerror(kept->err));
    }

    if (a->dir.written) {
        a->status.written_at = ngx_status_now();
    }

    if (kept->call && a->told_kept != kept->err) {
        ngx_log_error(NGX_LOG_ERR, a->log, kept->err,
                      "archive of monitor \"%V\" can not be rid of what is "
                      "old: %s \"%s\" failed", name, kept->call, kept->path);
    }

    a->told_kept = kept->call ? kept->err : 0;

    if (a->last && a->held + a->lost) {
        ngx_log_error(NGX_LOG_ERR, a->log, 0,
                      "%uL results were lost for archive \"%s\" of monitor "
                      "\"%V\"", a->lost + a->held, a->dir.path, name);
    }
}


/* A reload or an upgrade is over by the time that waiting is a failure. */

static ngx_uint_t
ngx_status_archive_state(ngx_status_archive_t *a)
{
    if (a->dir.failed.call == NULL || a->dir.failed.err != NGX_EAGAIN) {
        a->waiting = 0;

        return a->dir.failed.call ? NGX_STATUS_OUTLET_FAILED
                                  : NGX_STATUS_OUTLET_OK;
    }

    if (!a->waiting) {
        a->waiting = 1;
        a->waiting_since = ngx_current_msec;
    }

    return ngx_current_msec - a->waiting_since > NGX_STATUS_ARCHIVE_PATIENT
           ? NGX_STATUS_OUTLET_FAILED : NGX_STATUS_OUTLET_WAITING;
}


static void
ngx_status_archive_lose(ngx_status_archive_t *a, ngx_uint_t n)
{
    if (a->lost == 0) {
        ngx_log_error(NGX_LOG_ERR, a->log, 0,
                      "memory is full of what archive \"%s\" of monitor "
                      "\"%V\" could not take: from here on results are lost",
                      a->dir.path, &a->monitor->name);
    }

    a->lost += n;
    a->status.lost += n;
}


void
ngx_status_archive_leave(ngx_status_archive_t *a)
{
    a->leaving = 1;

    if (a->timer.timer_set) {
        ngx_del_timer(&a->timer);
    }

    if (!a->running) {
        ngx_status_archive_turn(&a->timer);
    }
}


/*
 * The loop is over: done() will not be called any more.  A thread that is in
 * the middle of a write has to be waited for, but not for ever.
 */

void
ngx_status_archive_exit(void)
{
    ngx_uint_t             i, busy;
    ngx_status_archive_t  *a;

    for (i = 0; i < NGX_STATUS_ARCHIVE_EXIT; i++) {

        for (a = ngx_status_archives, busy = 0; a; a = a->next) {

            if (a->running && a->finished) {
                ngx_memory_barrier();
                ngx_status_archive_tell(a);
            }

            if (!a->running && !a->last) {
                a->leaving = 1;
                (void) ngx_status_archive_start(a);
            }

            busy |= a->running;
        }

        if (!busy) {
            return;
        }

        ngx_msleep(1);
    }

    for (a = ngx_status_archives; a; a = a->next) {
        if (a->running || !a->last) {
            ngx_log_error(NGX_LOG_ERR, a->log, 0,
                          "archive \"%s\" of monitor \"%V\" did not take the "
                          "last %ui results in time", a->dir.path,
                          &a->monitor->name, a->held + a->pending.n);
        }
    }
}
