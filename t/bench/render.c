
/*
 * Copyright (C) ngx_status_module authors
 *
 * What it costs to render healthy checks whose history is full, without
 * nginx around it: CPU per check, and bytes.
 *
 *   render CHECKS
 *
 * Prints for HTML, JSON and metrics: us a check, bytes a check, bytes packed.
 * It is linked without the zone and without nginx, which taking a snapshot
 * would need and rendering does not.
 */

/* sources: ngx_status_module/formats/ngx_status_html.c
   ngx_status_module/formats/ngx_status_html_check.c
   ngx_status_module/formats/ngx_status_html_detail.c
   ngx_status_module/formats/ngx_status_html_past.c
   ngx_status_module/formats/ngx_status_html_score.c
   ngx_status_module/formats/ngx_status_html_text.c
   ngx_status_module/formats/ngx_status_json.c
   ngx_status_module/formats/ngx_status_json_check.c
   ngx_status_module/formats/ngx_status_metrics.c
   ngx_status_module/formats/ngx_status_metrics_samples.c
   ngx_status_module/formats/ngx_status_put.c
   ngx_status_module/formats/ngx_status_svg.c
   ngx_status_module/ngx_status_history.c
   ngx_status_module/ngx_status_histogram.c
   ngx_status_module/ngx_status_out.c
   ngx_status_module/ngx_status_rings.c
   ngx_status_module/ngx_status_snapshot.c
   ngx_status_module/ngx_status_state.c
   ngx_status_module/ngx_status_template.c
   ngx_status_module/ngx_status_template_render.c
   ngx_status_module/ngx_status_types.c */

#include <math.h>
#include <time.h>
#include <zlib.h>

#include "ngx_status_monitor.h"


#define ROUNDS  101


static ngx_int_t
partial(void *data, const ngx_str_t *name, ngx_str_t *text)
{
    const ngx_status_asset_t  *a;

    (void) data;

    for (a = ngx_status_assets; a->name.len; a++) {
        /* templates are asked for with and without their suffix */
        if (a->name.len >= name->len
            && memcmp(a->name.data, name->data, name->len) == 0
            && (a->name.len == name->len || a->name.data[name->len] == '.'))
        {
            *text = a->data;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_status_template_t *
template(ngx_pool_t *pool, char *file, const ngx_status_field_t *fields)
{
    char                    err[512];
    ngx_str_t               name, text;
    ngx_status_template_t  *tpl;

    name.data = (u_char *) file;
    name.len = strlen(file);

    err[0] = '\0';
    tpl = partial(NULL, &name, &text) == NGX_OK
          ? ngx_status_template_compile(pool, &name, &text, fields, partial,
                                        NULL, err, sizeof(err))
          : NULL;
    if (tpl == NULL) {
        fprintf(stderr, "%s: %s\n", file, err);
        exit(1);
    }

    return tpl;
}


/* A check that has been up for all of 400 days, each 30 s. */

static void
healthy(ngx_status_view_t *v, int64_t now, ngx_uint_t i)
{
    ngx_uint_t              k;
    ngx_status_record_t    *r;
    ngx_status_window_t    *w;

    r = &v->record;
    v->known = 1;
    v->state = NGX_STATUS_UP;

    r->confirm.state = NGX_STATUS_UP;
    r->confirm.since = now - 400 * 86400000LL;
    r->valid_until = now + 50000;
    r->next_at = now + 20000;
    r->nresults = 1000000 + i;
    r->last.at = now - 10000;
    r->last.state = NGX_STATUS_UP;
    r->last.http_status = 200;
    r->slower_base = NAN;
    r->slower_growth = NAN;
    r->card.last.value = NAN;
    r->card.previous = NAN;
    r->card.delta = NAN;

    for (k = 0; k < NGX_STATUS_RESULTS; k++) {
        r->results[k].at = now - 10000 - 30000 * (int64_t) k;
        r->results[k].state = NGX_STATUS_UP;
        r->results[k].http_status = 200;
        r->results[k].latency = 40000 + (uint32_t) (k * 7919 + i * 104729)
                                        % 9000;
    }

    r->last.latency = r->results[0].latency;
    for (k = 0; k < NGX_STATUS_NPHASES; k++) {
        r->last.phases[k] = r->last.latency / NGX_STATUS_NPHASES;
    }

    for (k = 0; k < NGX_STATUS_WINDOWS; k++) {
        w = &r->windows[k];
        w->span = ngx_status_window_seconds[k];
        w->known = w->span;
        w->seconds[NGX_STATUS_UP] = w->span - i % 3;
        w->seconds[NGX_STATUS_DOWN] = i % 3;
        w->results = w->span / 30;
        w->mean = 44000;
        w->min = 40000;
        w->max = 49000;
        w->p50 = 43000 + i;
        w->p95 = 47000 + i;
        w->p99 = 48000 + i;
    }

    r->open.time_cursor = now / 1000 - 10;
    r->open.result_cursor = r->open.time_cursor;
    memset(r->open.timeline, NGX_STATUS_UP, NGX_STATUS_TIMELINE);
}


static int
by_number(const void *one, const void *two)
{
    double  a, b;

    a = *(double *) one;
    b = *(double *) two;

    return a < b ? -1 : a > b;
}


static void
measure(const char *name, const ngx_status_format_t *format,
    const ngx_status_snapshot_t *s, ngx_uint_t n)
{
    uLong             packed;
    u_char           *buf;
    double            us[ROUNDS];
    ngx_uint_t        i;
    struct timespec   begin, end;
    ngx_status_ask_t  ask;
    ngx_status_out_t  out;

    memset(&ask, 0, sizeof(ngx_status_ask_t));
    ask.refresh = 30;

    for (i = 0; i < ROUNDS; i++) {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);

        ngx_status_out_init(&out, 0);
        format->render(s, &ask, &out);

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        us[i] = (end.tv_sec - begin.tv_sec) * 1e6
                + (end.tv_nsec - begin.tv_nsec) / 1e3;

        if (out.failed) {
            fprintf(stderr, "rendering failed\n");
            exit(1);
        }

        if (i < ROUNDS - 1) {
            ngx_status_out_free(&out);
        }
    }

    qsort(us, ROUNDS, sizeof(double), by_number);

    packed = compressBound(out.len);
    buf = malloc(packed);
    if (buf == NULL || compress2(buf, &packed, out.data, out.len, 5) != Z_OK) {
        exit(1);
    }

    printf("%s %.3f %.1f %.1f\n", name, us[ROUNDS / 2] / n,
           (double) out.len / n, (double) packed / n);

    free(buf);
    ngx_status_out_free(&out);
}


int
main(int argc, char **argv)
{
    char                       text[64];
    int64_t                    now;
    ngx_uint_t                 i, n;
    ngx_pool_t                *pool;
    ngx_status_check_t        *checks;
    ngx_status_group_t        *group;
    ngx_status_monitor_t       monitor;
    ngx_status_snapshot_t      s;
    static const ngx_status_check_type_t  http = {
        .name = ngx_string("http")
    };

    n = argc > 1 ? (ngx_uint_t) atoi(argv[1]) : 1000;
    now = 1790000000000LL;
    pool = ngx_create_pool(0, NULL);   /* t/unit/pool.c */

    memset(&monitor, 0, sizeof(ngx_status_monitor_t));
    ngx_str_set(&monitor.name, "m");
    ngx_str_set(&monitor.title, "Status");
    monitor.page = template(pool, "index.html", ngx_status_html_page_fields);
    monitor.detail = template(pool, "check.html",
                              ngx_status_html_detail_fields);
    monitor.nchecks = n;
    monitor.checks = calloc(n, sizeof(ngx_status_check_t *));
    monitor.ngroups = (n + 19) / 20;
    monitor.groups = calloc(monitor.ngroups, sizeof(ngx_status_group_t));

    memset(&s, 0, sizeof(ngx_status_snapshot_t));
    s.monitor = &monitor;
    s.now = now;
    s.alive = 1;
    s.beat.at = now;
    s.checked_at = now;
    s.beat.rate = n * 1000 / 30;
    s.state = NGX_STATUS_UP;
    s.views = calloc(n, sizeof(ngx_status_view_t));
    s.groups = calloc(monitor.ngroups, sizeof(ngx_status_group_view_t));

    checks = calloc(n, sizeof(ngx_status_check_t));

    for (i = 0; i < n; i++) {
        group = &monitor.groups[i / 20];

        if (i % 20 == 0) {
            snprintf(text, sizeof(text), "Group %u", (unsigned) (i / 20 + 1));
            group->title.data = (u_char *) strdup(text);
            group->title.len = strlen(text);
            group->first = i;
        }
        group->n++;

        snprintf(text, sizeof(text), "svc-%u", (unsigned) i + 1);
        checks[i].id.data = (u_char *) strdup(text);
        checks[i].id.len = strlen(text);

        snprintf(text, sizeof(text), "Service %u", (unsigned) i + 1);
        checks[i].title.data = (u_char *) strdup(text);
        checks[i].title.len = strlen(text);

        checks[i].group = group->title;
        checks[i].core = 1;
        checks[i].type = &http;
        checks[i].interval = 30000;
        ngx_str_set(&checks[i].target, "http://127.0.0.1/");

        monitor.checks[i] = &checks[i];
        s.views[i].check = &checks[i];
        healthy(&s.views[i], now, i);

        ngx_status_sum_add(&s.sum, NGX_STATUS_UP, 1);
        ngx_status_sum_add(&s.groups[i / 20].sum, NGX_STATUS_UP, 1);
        s.groups[i / 20].state = NGX_STATUS_UP;
    }

    measure("html", &ngx_status_format_html, &s, n);
    measure("json", &ngx_status_format_json, &s, n);
    measure("metrics", &ngx_status_format_metrics, &s, n);

    return 0;
}
