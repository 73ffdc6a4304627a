
/*
 * Copyright (C) ngx_status_module authors
 *
 * The site of files: when it is due, and the thread that draws it.
 */


#include "ngx_status_export.h"
#include "ngx_status_export_dir.h"
#include "ngx_status_clock.h"
#include "ngx_status_loop.h"


#define NGX_STATUS_EXPORT_PATIENT  60000 /* ms that waiting for another process
                                            is nothing to complain of */
#define NGX_STATUS_EXPORT_SOON   10      /* s; after a failure, and while
                                            first results are missing */


/* Of a monitor; what the last one left is the thread's while "busy". */

struct ngx_status_export_s {
    ngx_status_work_t           work;    /* first */
    ngx_status_monitor_t       *monitor;
    ngx_log_t                  *log;
    ngx_uint_t                  busy;    /* never two at once */
    ngx_msec_t                  begun;   /* ngx_current_msec */
    ngx_msec_t                  next;

    /* of the last one */
    ngx_uint_t                  done;    /* the site is as the zone was: */
    ngx_uint_t                  generation;
    int64_t                     expires; /* ms; of its snapshot */
    ngx_uint_t                  loading;
    ngx_status_export_error_t   error;
    ngx_status_export_error_t   told;    /* without its path */

    volatile ngx_uint_t         steps;   /* the thread's */
    ngx_status_stuck_t          stuck;   /* of it */
    ngx_uint_t                  waiting; /* for another process */
    ngx_msec_t                  waiting_since;
    ngx_status_outlet_t         status;  /* for the zone */
};


static const char  ngx_status_export_stuck[] =
    "\"%s\": " NGX_STATUS_STUCK_TEXT;


/* One export, in its thread. */

typedef struct {
    ngx_status_monitor_t       *monitor;
    ngx_status_snapshot_t      *snapshot;
    ngx_status_ask_t            ask;
    ngx_status_out_t            out;
    ngx_status_export_dir_t     dir;
} ngx_status_export_run_t;


static void ngx_status_export_done(ngx_status_work_t *w);
static void ngx_status_export_tell(ngx_status_export_t *e);
static void ngx_status_export_log(ngx_status_export_t *e, const char *what,
    ngx_err_t err, const char *path);
static void ngx_status_export_put_status(ngx_status_export_t *e);
static void ngx_status_export_thread(ngx_status_work_t *w);
static ngx_int_t ngx_status_export_run(ngx_status_export_t *e,
    ngx_status_export_run_t *r);
static ngx_int_t ngx_status_export_site(ngx_status_export_run_t *r,
    ngx_uint_t write);
static ngx_int_t ngx_status_export_page(ngx_status_export_run_t *r,
    const char *name, const ngx_status_format_t *format,
    const ngx_status_view_t *view, ngx_uint_t write);


void
ngx_status_export_beat(ngx_status_monitor_t *monitor, ngx_log_t *log)
{
    int64_t               now;
    ngx_status_export_t  *e;

    if (monitor->export_conf.dir.len == 0) {
        return;
    }

    e = monitor->export;

    if (e == NULL) {
        e = ngx_calloc(sizeof(ngx_status_export_t), log);
        if (e == NULL) {
            return;
        }

        e->work.run = ngx_status_export_thread;
        e->work.done = ngx_status_export_done;
        e->monitor = monitor;
        e->log = log;
        e->next = ngx_current_msec;
        e->status.state = NGX_STATUS_OUTLET_OK;

        monitor->export = e;
    }

    if (e->busy && ngx_status_is_stuck(&e->stuck, e->steps)
        && e->told.what != ngx_status_export_stuck)
    {
        /* "error" is the thread's */
        ngx_status_export_log(e, ngx_status_export_stuck, 0,
                              (char *) monitor->export_conf.dir.data);
    }

    ngx_status_export_put_status(e);

    /* beats are a second apart, now and then somewhat less */

    if (e->busy || (ngx_msec_int_t) (e->next - ngx_current_msec) > 500) {
        return;
    }

    now = ngx_status_now();

    if (e->done && e->generation == monitor->zone->header->generation
        && now <= e->expires)
    {
        return;
    }

    e->busy = 1;
    e->stuck.looks = 0;
    e->done = 0;
    e->error.what = NULL;
    e->begun = ngx_current_msec;

    if (ngx_status_loop_work(&e->work) != NGX_OK) {
        e->error.what = "there is no thread for \"%s\"";
        e->error.err = 0;
        ngx_cpystrn((u_char *) e->error.path, monitor->export_conf.dir.data,
                    sizeof(e->error.path));

        ngx_status_export_done(&e->work);
    }
}


static void
ngx_status_export_done(ngx_status_work_t *w)
{
    time_t                wait;
    ngx_status_export_t  *e = (ngx_status_export_t *) w;

    wait = e->monitor->export_conf.every;

    if (e->done) {
        e->status.written_at = ngx_status_now();
        e->waiting = 0;

    } else if (e->error.what) {
        e->waiting = 0;

    } else {
        /* a predecessor was at it */
        wait = 1;

        if (!e->waiting) {
            e->waiting = 1;
            e->waiting_since = e->begun;

        } else if (e->begun - e->waiting_since > NGX_STATUS_EXPORT_PATIENT) {
            e->error.what = "another process does not let go of \"%s\"";
            ngx_cpystrn((u_char *) e->error.path,
                        e->monitor->export_conf.dir.data,
                        sizeof(e->error.path));
        }
    }

    if (wait > 1 && (!e->done || e->loading)) {
        wait = ngx_min(wait, NGX_STATUS_EXPORT_SOON);
    }

    e->next = e->begun + wait * 1000;
    e->busy = 0;

    ngx_status_export_tell(e);
    ngx_status_export_put_status(e);
}


static void
ngx_status_export_tell(ngx_status_export_t *e)
{
    if (e->error.what) {

        /* of a full disk it is another file each time that tells */

        if (e->told.what == NULL || e->error.err != e->told.err
            || strcmp(e->error.what, e->told.what) != 0)
        {
            ngx_status_export_log(e, e->error.what, e->error.err,
                                  e->error.path);
        }

    } else if (e->done) {

        if (e->told.what) {
            ngx_log_error(NGX_LOG_NOTICE, e->log, 0,
                          "monitor \"%V\" is exported to \"%V\" again",
                          &e->monitor->name, &e->monitor->export_conf.dir);
        }

        e->told.what = NULL;
        e->status.state = NGX_STATUS_OUTLET_OK;
        e->status.message[0] = '\0';

    } else if (e->told.what == NULL) {
        e->status.state = NGX_STATUS_OUTLET_WAITING;
    }
}


/* Notes a failure that is told for the first time, and tells it. */

static void
ngx_status_export_log(ngx_status_export_t *e, const char *what,
    ngx_err_t err, const char *path)
{
    char  text[sizeof(e->error.path) + 128];

    (void) snprintf(text, sizeof(text), what, path);

    ngx_log_error(NGX_LOG_ERR, e->log, err,
                  "monitor \"%V\" can not be exported: %s",
                  &e->monitor->name, text);

    e->told.what = what;
    e->told.err = err;

    e->status.state = NGX_STATUS_OUTLET_FAILED;
    ngx_status_message(e->status.message, "%s%s%s", text, err ? ": " : "",
                       err ? strerror(err) : "");
}


/* What we say of an export is no reason for another one. */

static void
ngx_status_export_put_status(ngx_status_export_t *e)
{
    ngx_uint_t                 last;
    ngx_status_zone_header_t  *h;

    h = e->monitor->zone->header;
    last = (e->generation == h->generation);

    ngx_status_zone_put_outlet(e->monitor->zone, NGX_STATUS_EXPORT,
                               &e->status);

    if (!e->busy && last) {
        e->generation = h->generation;
    }
}


static void
ngx_status_export_thread(ngx_status_work_t *w)
{
    ngx_status_export_t      *e = (ngx_status_export_t *) w;
    ngx_status_export_run_t   r;

    memset(&r, 0, sizeof(ngx_status_export_run_t));

    r.monitor = e->monitor;
    r.dir.path = (char *) e->monitor->export_conf.dir.data;
    r.dir.zone = e->monitor->zone;
    r.dir.error = &e->error;
    r.dir.steps = &e->steps;
    ngx_status_out_init(&r.out, 0);

    e->done = (ngx_status_export_run(e, &r) == NGX_OK);

    ngx_status_export_close(&r.dir);
    ngx_status_out_free(&r.out);
    free(r.snapshot);
}


static ngx_int_t
ngx_status_export_run(ngx_status_export_t *e, ngx_status_export_run_t *r)
{
    ngx_int_t   rc;
    ngx_uint_t  n;

    for (n = 0; ngx_status_assets[n].name.len; n++) { /* void */ }

    rc = ngx_status_export_open(&r->dir, n + r->monitor->nchecks + 2);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_status_snapshot(r->monitor, &r->snapshot, e->log) == NGX_ERROR) {
        return ngx_status_export_failed(&r->dir, "no memory for \"%s\"",
                                        NULL, 0);
    }

    e->generation = r->snapshot->generation;
    e->expires = r->snapshot->expires;
    e->loading = r->snapshot->loading;

    r->ask.every = r->monitor->export_conf.every;
    r->ask.refresh = ngx_min(ngx_max(r->ask.every, NGX_STATUS_REFRESH_MIN),
                             NGX_STATUS_REFRESH_MAX);

    rc = ngx_status_export_site(r, 0);

    if (rc == NGX_OK) {
        rc = ngx_status_export_list(&r->dir);
    }

    if (rc == NGX_OK) {
        rc = ngx_status_export_site(r, 1);
    }

    /* who looks at an older overview has to get the new one first */

    if (rc == NGX_OK) {
        rc = ngx_status_export_clean(&r->dir, r->snapshot->now / 1000,
                                     2 * r->ask.refresh);
    }

    return rc;
}


/*
 * Wants all files, or writes them.  What is linked is there before the link
 * is: the overview comes last.
 */

static ngx_int_t
ngx_status_export_site(ngx_status_export_run_t *r, ngx_uint_t write)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    const ngx_str_t            *id;
    const ngx_status_asset_t   *asset;
    ngx_status_export_name_t    name;

    for (asset = ngx_status_assets; asset->name.len; asset++) {

        if (!ngx_status_asset_public(asset)) {
            continue;
        }

        rc = write ? ngx_status_export_put(&r->dir, (char *) asset->name.data,
                                           asset->data.data, asset->data.len,
                                           0)
                   : ngx_status_export_want(&r->dir,
                                            (char *) asset->name.data);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    for (i = 0; i < r->monitor->nchecks; i++) {
        id = &r->monitor->checks[i]->id;

        (void) snprintf(name, sizeof(name), NGX_STATUS_EXPORT_CHECK "%.*s.html",
                        (int) id->len, id->data);

        rc = ngx_status_export_page(r, name, &ngx_status_format_html,
                                    &r->snapshot->views[i], write);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = ngx_status_export_page(r, "status.json", &ngx_status_format_json,
                                NULL, write);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_status_export_page(r, "index.html", &ngx_status_format_html,
                                  NULL, write);
}


/* The page of a check is not worth an fsync(): there are too many. */

static ngx_int_t
ngx_status_export_page(ngx_status_export_run_t *r, const char *name,
    const ngx_status_format_t *format, const ngx_status_view_t *view,
    ngx_uint_t write)
{
    if (!write) {
        return ngx_status_export_want(&r->dir, name);
    }

    r->ask.view = view;
    r->out.len = 0;

    format->render(r->snapshot, &r->ask, &r->out);

    if (r->out.failed) {
        return ngx_status_export_failed(&r->dir, "no memory for \"%s\", or "
                                        "too long", name, 0);
    }

    return ngx_status_export_put(&r->dir, name, r->out.data, r->out.len,
                                 view == NULL);
}
