
/*
 * Copyright (C) ngx_status_module authors
 *
 * The life of the checker: the helper process that nginx's master keeps for
 * any path with a manager.  It starts, owns the zones, beats, and goes.
 */


#include "ngx_http_status.h"
#include "ngx_status_export.h"
#include "ngx_status_loop.h"
#include "ngx_status_schedule.h"
#include "ngx_status_store.h"
#include "ngx_status_archive.h"
#include <sys/prctl.h>
#include <sys/resource.h>


#define NGX_HTTP_STATUS_BEAT     1000    /* ms */
#define NGX_HTTP_STATUS_RATE     10      /* beats that the rate looks back */


typedef struct {
    ngx_status_monitor_t   *monitor;
    ngx_status_schedule_t  *schedule;    /* NULL: not begun, or stopped */
    ngx_event_t             begin;       /* after the back-off */
    uint64_t                results[NGX_HTTP_STATUS_RATE];
} ngx_http_status_run_t;


typedef struct {
    ngx_array_t            *monitors;
    ngx_http_status_run_t  *runs;        /* by monitor */
    ngx_connection_t        connection;  /* for timers' log lines */
    ngx_event_t             beat;
    ngx_uint_t              beats;
    ngx_uint_t              started;
} ngx_http_status_checker_t;


static ngx_http_status_checker_t  ngx_http_status_checker;


static ngx_msec_t ngx_http_status_checker_manager(void *data);
static ngx_int_t ngx_http_status_checker_start(ngx_cycle_t *cycle);
static void ngx_http_status_checker_process(ngx_cycle_t *cycle);
static void ngx_http_status_checker_begin(ngx_event_t *ev);
static void ngx_http_status_checker_beat(ngx_event_t *ev);
static void ngx_http_status_checker_exit(void);


ngx_int_t
ngx_http_status_checker_register(ngx_cycle_t *cycle, ngx_array_t *monitors)
{
    ngx_uint_t              i;
    ngx_path_t             *path, **slot;
    ngx_core_conf_t        *ccf;
    ngx_status_monitor_t  **monitor;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (!ccf->master) {

        /*
         * Without a master nobody keeps a checker.  An error returned here
         * would take down a running master, so on reload it is only said;
         * a master does not go away by reload anyway.
         */

        if (ngx_process != NGX_PROCESS_MASTER) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "\"status_monitor\" needs \"master_process on\": "
                          "the checker is a process that the master keeps");
            return NGX_ERROR;
        }

        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "\"status_monitor\" will not start with "
                      "\"master_process off\"");
    }

    if (ngx_test_config) {
        return NGX_OK;
    }

    monitor = monitors->elts;

    for (i = 0; i < monitors->nelts; i++) {
        ngx_status_zone_inherit(monitor[i]->zone);
    }

    /*
     * So late, the path needs no directory: only the process managers will
     * look at it.
     */

    path = ngx_pcalloc(cycle->pool, sizeof(ngx_path_t));
    slot = ngx_array_push(&cycle->paths);

    if (path == NULL || slot == NULL) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "no memory to register the status checker");

        if (slot) {
            cycle->paths.nelts--;
        }

        return NGX_OK;
    }

    path->manager = ngx_http_status_checker_manager;
    path->data = monitors;
    ngx_str_set(&path->name, "status checker");
    *slot = path;

    return NGX_OK;
}


/*
 * Runs in the helper process, for the first time right after its start, and
 * then whenever the manager of any other path is due.  The answer is when
 * it should be called again: never, as far as nginx allows.
 */

static ngx_msec_t
ngx_http_status_checker_manager(void *data)
{
    ngx_http_status_checker_t  *ck;

    ck = &ngx_http_status_checker;

    if (!ck->started) {
        ck->started = 1;
        ck->monitors = data;

        if (ngx_http_status_checker_start((ngx_cycle_t *) ngx_cycle)
            != NGX_OK)
        {
            /* no heartbeat: the pages say that nothing is being checked */
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                          "the status checker could not start");
        }
    }

    return 3600 * 1000;
}


static ngx_int_t
ngx_http_status_checker_start(ngx_cycle_t *cycle)
{
    ngx_uint_t                       i;
    ngx_msec_t                       wait;
    ngx_status_monitor_t           **monitors;
    ngx_http_status_run_t           *run;
    ngx_http_status_checker_t       *ck;
    const ngx_status_check_type_t  **type;

    ck = &ngx_http_status_checker;
    monitors = ck->monitors->elts;

    ngx_http_status_checker_process(cycle);

    if (ngx_status_loop_init(cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    for (type = ngx_status_check_types; *type; type++) {
        if ((*type)->init && (*type)->init(cycle) != NGX_OK) {
            ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                          "checks of type \"%V\" can not run",
                          &(*type)->name);
        }
    }

    ck->runs = ngx_calloc(ck->monitors->nelts * sizeof(ngx_http_status_run_t),
                          cycle->log);
    if (ck->runs == NULL) {
        return NGX_ERROR;
    }

    ck->connection.fd = (ngx_socket_t) -1;

    for (i = 0; i < ck->monitors->nelts; i++) {
        run = &ck->runs[i];
        run->monitor = monitors[i];

        run->begin.handler = ngx_http_status_checker_begin;
        run->begin.data = &ck->connection;
        run->begin.log = cycle->log;

        wait = ngx_status_zone_own(run->monitor->zone);

        if (wait == 0) {
            ngx_http_status_checker_begin(&run->begin);
            continue;
        }

        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "the status checker keeps dying; monitor \"%V\" goes "
                      "on in %M ms", &run->monitor->name, wait);
        ngx_add_timer(&run->begin, wait);
    }

    ck->beat.handler = ngx_http_status_checker_beat;
    ck->beat.data = &ck->connection;
    ck->beat.log = cycle->log;
    ngx_add_timer(&ck->beat, NGX_HTTP_STATUS_BEAT);

    return NGX_OK;
}


static void
ngx_http_status_checker_process(ngx_cycle_t *cycle)
{
    ngx_uint_t      i, others;
    ngx_path_t    **path;
    struct rlimit   rlmt;

    path = cycle->paths.elts;
    others = 0;

    for (i = 0; i < cycle->paths.nelts; i++) {
        if (path[i]->manager
            && path[i]->manager != ngx_http_status_checker_manager)
        {
            others++;
        }
    }

    /* who looks for the cache manager must still find it */

    if (others == 0) {
        ngx_setproctitle("status checker process");
    }

    /* a master that is killed must not leave us behind */

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      "prctl(PR_SET_PDEATHSIG) failed");
    }

    /* nginx's limit is for connections of clients; ours are to targets */

    if (getrlimit(RLIMIT_NOFILE, &rlmt) == 0
        && rlmt.rlim_cur < rlmt.rlim_max)
    {
        rlmt.rlim_cur = rlmt.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &rlmt);
    }

    /*
     * nginx ends a helper with exit(), which would run the destructors of
     * libraries whose resolver threads are still at work.
     */

    if (atexit(ngx_http_status_checker_exit) != 0) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0, "atexit() failed");
    }
}


static void
ngx_http_status_checker_begin(ngx_event_t *ev)
{
    ngx_status_beat_t       beat;
    ngx_status_outlet_t     off;
    ngx_http_status_run_t  *run;

    run = (ngx_http_status_run_t *)
              ((u_char *) ev - offsetof(ngx_http_status_run_t, begin));

    if (!ngx_status_zone_owned(run->monitor->zone)) {
        return;
    }

#if (NGX_STATUS_SQLITE)
    run->monitor->store = ngx_status_store_open(run->monitor, ev->log);
#endif

    if (run->monitor->archive == NULL) {
        run->monitor->archive = ngx_status_archive_open(run->monitor, ev->log);
    }

    /* what a reload took away is not to be told of any more */

    ngx_memzero(&off, sizeof(ngx_status_outlet_t));

    if (run->monitor->archive == NULL) {
        ngx_status_zone_put_outlet(run->monitor->zone, NGX_STATUS_ARCHIVE,
                                   &off);
    }

    if (run->monitor->export_conf.dir.len == 0) {
        ngx_status_zone_put_outlet(run->monitor->zone, NGX_STATUS_EXPORT,
                                   &off);
    }

    run->schedule = ngx_status_schedule_start(run->monitor, ev->log);

    if (run->schedule) {
        ngx_memzero(&beat, sizeof(ngx_status_beat_t));
        ngx_status_zone_beat(run->monitor->zone, &beat);
    }
}


static void
ngx_http_status_checker_beat(ngx_event_t *ev)
{
    uint64_t                    results, *past;
    ngx_uint_t                  i, span;
    ngx_status_beat_t           beat;
    ngx_http_status_run_t      *run;
    ngx_http_status_checker_t  *ck;

    ck = &ngx_http_status_checker;

    if (getppid() != ngx_parent) {
        /* it died before prctl() could tell */
        exit(0);
    }

    for (i = 0; i < ck->monitors->nelts; i++) {
        run = &ck->runs[i];

        if (!ngx_status_zone_owned(run->monitor->zone)) {

            if (run->schedule) {
                ngx_status_schedule_stop(run->schedule);
                run->schedule = NULL;

#if (NGX_STATUS_SQLITE)
                if (run->monitor->store) {
                    ngx_status_store_leave(run->monitor->store);
                }
#endif

                if (run->monitor->archive) {
                    ngx_status_archive_leave(run->monitor->archive);
                }
            }

            continue;
        }

        if (run->schedule == NULL) {

            /* there was no memory; or it waits to begin */

            if (!run->begin.timer_set) {
                ngx_http_status_checker_begin(&run->begin);
            }

            continue;
        }

        results = ngx_status_schedule_results(run->schedule);
        past = &run->results[ck->beats % NGX_HTTP_STATUS_RATE];
        span = ngx_min(ck->beats + 1, NGX_HTTP_STATUS_RATE);

        beat.rate = (results - *past) * 1000 / span;
        *past = results;

        beat.in_flight = ngx_status_schedule_in_flight(run->schedule);
        beat.lateness = ngx_status_loop_lateness(ngx_current_msec - 60000);

        ngx_status_zone_beat(run->monitor->zone, &beat);

#if (NGX_STATUS_SQLITE)
        if (run->monitor->store) {
            ngx_status_store_beat(run->monitor->store);
        }
#endif

        if (run->monitor->archive) {
            ngx_status_archive_beat(run->monitor->archive);
        }

        ngx_status_export_beat(run->monitor, ev->log);

        if (run->monitor->inbox) {
            ngx_status_zone_put_pushes_lost(run->monitor->zone,
                              ngx_status_inbox_lost(run->monitor->inbox));
        }
    }

    ck->beats++;

    ngx_add_timer(ev, NGX_HTTP_STATUS_BEAT);
}


static void
ngx_http_status_checker_exit(void)
{
    ngx_uint_t                  i;
    ngx_status_monitor_t      **monitors;
    ngx_http_status_checker_t  *ck;

    ck = &ngx_http_status_checker;
    monitors = ck->monitors->elts;

    ngx_status_archive_exit();

#if (NGX_STATUS_SQLITE)
    ngx_status_store_exit();
#endif

    for (i = 0; i < ck->monitors->nelts; i++) {
        ngx_status_zone_leave(monitors[i]->zone);
    }

    _exit(0);
}
