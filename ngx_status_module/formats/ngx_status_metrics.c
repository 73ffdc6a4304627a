
/*
 * Copyright (C) ngx_status_module authors
 *
 * Metrics: Prometheus' text format 0.0.4, and OpenMetrics 1.0.0, which has
 * other lines around the same samples; under names of our own, or those that
 * blackbox exporter has for its probes.  Here are the names and how a sample
 * is written; ngx_status_metrics_samples.c says which there are.
 */


#include "ngx_status_metrics.h"
#include <math.h>


typedef struct {
    ngx_str_t   name;                /* of its samples */
    size_t      family;              /* length without what they end in */
    ngx_str_t   type;
    ngx_str_t   help;
} ngx_status_metric_t;


static void ngx_status_metrics_plain(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out);
static void ngx_status_metrics_open(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out);
static void ngx_status_metrics_render(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out, ngx_uint_t open);
static ngx_status_out_t *ngx_status_metrics_sample(ngx_status_metrics_t *m,
    ngx_uint_t i);


const ngx_status_format_t  ngx_status_format_metrics = {
    ngx_string("text/plain; version=0.0.4; charset=utf-8"),
    ngx_status_metrics_plain
};

const ngx_status_format_t  ngx_status_format_openmetrics = {
    ngx_string("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ngx_status_metrics_open
};


#define ngx_status_metric(name, suffix, type, help)                          \
    { ngx_string(name suffix), sizeof(name) - 1, ngx_string(type),           \
      ngx_string(help) }

static const ngx_status_metric_t  ngx_status_metrics[NGX_STATUS_NMETRICS] = {

    [NGX_STATUS_M_MONITOR] = ngx_status_metric(
        "nginx_status_monitor", "_info", "info",
        "The monitor's name and title."),

    [NGX_STATUS_M_ALIVE] = ngx_status_metric(
        "nginx_status_checker_up", "", "gauge",
        "Whether the process that runs the checks is alive."),

    [NGX_STATUS_M_HEARTBEAT] = ngx_status_metric(
        "nginx_status_checker_heartbeat_timestamp_seconds", "", "gauge",
        "Its last sign of life before the newest change of this page."),

    [NGX_STATUS_M_RATE] = ngx_status_metric(
        "nginx_status_checker_checks_per_second", "", "gauge",
        "Checks that ended, over the last ten seconds."),

    [NGX_STATUS_M_IN_FLIGHT] = ngx_status_metric(
        "nginx_status_checker_checks_in_flight", "", "gauge",
        "Checks that are under way."),

    [NGX_STATUS_M_LATENESS] = ngx_status_metric(
        "nginx_status_checker_lateness_seconds", "", "gauge",
        "How late the checker was for an event, the worst of a minute."),

    [NGX_STATUS_M_STORE] = ngx_status_metric(
        "nginx_status_store_state", "", "gauge",
        "1 for the state that the store of history is in."),

    [NGX_STATUS_M_STORE_LOST] = ngx_status_metric(
        "nginx_status_store_lost_records", "_total", "counter",
        "Records that could be neither written nor kept."),

    [NGX_STATUS_M_STORE_WRITTEN] = ngx_status_metric(
        "nginx_status_store_last_write_timestamp_seconds", "", "gauge",
        "When the store was last written."),

    [NGX_STATUS_M_ARCHIVE] = ngx_status_metric(
        "nginx_status_archive_state", "", "gauge",
        "1 for the state that the archive is in."),

    [NGX_STATUS_M_ARCHIVE_LOST] = ngx_status_metric(
        "nginx_status_archive_lost_results", "_total", "counter",
        "Results that could be neither written nor kept."),

    [NGX_STATUS_M_ARCHIVE_WRITTEN] = ngx_status_metric(
        "nginx_status_archive_last_write_timestamp_seconds", "", "gauge",
        "When a result was last written."),

    [NGX_STATUS_M_EXPORT] = ngx_status_metric(
        "nginx_status_export_state", "", "gauge",
        "1 for the state that the site of files is in."),

    [NGX_STATUS_M_EXPORT_WRITTEN] = ngx_status_metric(
        "nginx_status_export_last_write_timestamp_seconds", "", "gauge",
        "When the site of files was last complete."),

    [NGX_STATUS_M_PUSHES_LOST] = ngx_status_metric(
        "nginx_status_heartbeats_lost", "_total", "counter",
        "Heartbeats that nobody had a place for."),

    [NGX_STATUS_M_ALL] = ngx_status_metric(
        "nginx_status_state", "", "gauge",
        "1 for the state of all checks together."),

    [NGX_STATUS_M_COUNTS] = ngx_status_metric(
        "nginx_status_checks", "", "gauge",
        "Checks in each state."),

    [NGX_STATUS_M_GROUP] = ngx_status_metric(
        "nginx_status_group_state", "", "gauge",
        "1 for the state of a group's checks together."),

    [NGX_STATUS_M_CHECK] = ngx_status_metric(
        "nginx_status_check", "_info", "info",
        "What a check is; its target is without secrets."),

    [NGX_STATUS_M_UP] = ngx_status_metric(
        "nginx_status_check_up", "", "gauge",
        "1 up or degraded, 0 down, timeout or bot_detected, as confirmed; "
        "none while unknown or in maintenance."),

    [NGX_STATUS_M_STATE] = ngx_status_metric(
        "nginx_status_check_state", "", "gauge",
        "1, with the confirmed state; unknown also when it is out of date."),

    [NGX_STATUS_M_ERROR] = ngx_status_metric(
        "nginx_status_check_error", "", "gauge",
        "1, with why the newest result, confirmed or not, is not up."),

    [NGX_STATUS_M_RESULTS] = ngx_status_metric(
        "nginx_status_check_results", "_total", "counter",
        "Results, whatever they say."),

    [NGX_STATUS_M_CHECKED] = ngx_status_metric(
        "nginx_status_check_result_timestamp_seconds", "", "gauge",
        "When the newest result was begun."),

    [NGX_STATUS_M_LATENCY] = ngx_status_metric(
        "nginx_status_check_latency_seconds", "", "gauge",
        "Of the whole newest result, also of one that failed."),

    [NGX_STATUS_M_PHASE] = ngx_status_metric(
        "nginx_status_check_phase_seconds", "", "gauge",
        "Phases of the newest result, each by itself, as far as there were."),

    [NGX_STATUS_M_HTTP] = ngx_status_metric(
        "nginx_status_check_http_status", "", "gauge",
        "HTTP status of the newest result."),

    [NGX_STATUS_M_CERT] = ngx_status_metric(
        "nginx_status_check_certificate_expiry_timestamp_seconds", "",
        "gauge",
        "When the certificate seen by the newest result expires."),

    [NGX_STATUS_M_QUANTILES] = ngx_status_metric(
        "nginx_status_check_latency_quantile_seconds", "", "summary",
        "Latency of the answers of a window."),

    [NGX_STATUS_M_UPTIME] = ngx_status_metric(
        "nginx_status_check_uptime_ratio", "", "gauge",
        "Share of a window's known time in which the check was up."),

    [NGX_STATUS_M_KNOWN] = ngx_status_metric(
        "nginx_status_check_uptime_known_ratio", "", "gauge",
        "Share of the window that is known, of uptime's."),

    [NGX_STATUS_M_GROWTH] = ngx_status_metric(
        "nginx_status_check_latency_growth_ratio", "", "gauge",
        "Latency against its baseline: 0.25 is a quarter slower."),

    [NGX_STATUS_M_SCORE] = ngx_status_metric(
        "nginx_status_check_score", "", "gauge",
        "Score of the newest result."),

    [NGX_STATUS_M_DELTA] = ngx_status_metric(
        "nginx_status_check_score_delta", "", "gauge",
        "Points of it over what it is compared with."),

    [NGX_STATUS_M_PROBE_SUCCESS] = ngx_status_metric(
        "probe_success", "", "gauge",
        "Whether the newest result is up or degraded."),

    [NGX_STATUS_M_PROBE_DURATION] = ngx_status_metric(
        "probe_duration_seconds", "", "gauge",
        "How long it took."),

    [NGX_STATUS_M_PROBE_LOOKUP] = ngx_status_metric(
        "probe_dns_lookup_time_seconds", "", "gauge",
        "How long the name took to resolve."),

    [NGX_STATUS_M_PROBE_PHASE] = ngx_status_metric(
        "probe_http_duration_seconds", "", "gauge",
        "How long each phase took."),

    [NGX_STATUS_M_PROBE_HTTP] = ngx_status_metric(
        "probe_http_status_code", "", "gauge",
        "HTTP status, 0 without an answer."),

    [NGX_STATUS_M_PROBE_SSL] = ngx_status_metric(
        "probe_http_ssl", "", "gauge",
        "Whether a certificate was seen."),

    [NGX_STATUS_M_PROBE_CERT] = ngx_status_metric(
        "probe_ssl_earliest_cert_expiry", "", "gauge",
        "When the certificate expires, in seconds since the epoch.")
};


static void
ngx_status_metrics_plain(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out)
{
    ngx_status_metrics_render(snapshot, ask, out, 0);
}


static void
ngx_status_metrics_open(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out)
{
    ngx_status_metrics_render(snapshot, ask, out, 1);
}


static void
ngx_status_metrics_render(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out, ngx_uint_t open)
{
    ngx_str_t                   type;
    ngx_uint_t                  i, k;
    ngx_status_out_t           *o;
    ngx_status_metrics_t        m;
    const ngx_status_view_t    *v;
    const ngx_status_metric_t  *metric;

    m.snapshot = snapshot;
    m.ask = ask;

    ngx_status_out_init(&m.labels, 0);

    for (i = 0; i < NGX_STATUS_NMETRICS; i++) {
        ngx_status_out_init(&m.outs[i], 0);
    }

    if (!ask->probe) {
        ngx_status_metrics_monitor(&m);
    }

    for (i = 0; i < snapshot->monitor->nchecks; i++) {
        v = &snapshot->views[i];

        if (!ngx_status_asked(snapshot, ask, v)) {
            continue;
        }

        if (ask->probe) {
            ngx_status_metrics_probe(&m, v);

        } else {
            ngx_status_metrics_check(&m, v);
        }
    }

    out->failed |= m.labels.failed;
    ngx_status_out_free(&m.labels);

    for (i = 0; i < NGX_STATUS_NMETRICS; i++) {
        o = &m.outs[i];
        metric = &ngx_status_metrics[i];

        out->failed |= o->failed;

        if (o->len && !out->failed) {

            type = metric->type;

            if (!open && type.data[0] == 'i') {
                ngx_str_set(&type, "gauge");     /* there is no info yet */
            }

            for (k = 0; k < 2; k++) {
                ngx_status_out_raw(out, k ? "# TYPE " : "# HELP ", 7);
                ngx_status_out_raw(out, metric->name.data,
                                   open ? metric->family : metric->name.len);
                ngx_status_out_lit(out, " ");
                ngx_status_out_raw(out, k ? type.data : metric->help.data,
                                   k ? type.len : metric->help.len);
                ngx_status_out_lit(out, "\n");
            }

            ngx_status_out_raw(out, o->data, o->len);
        }

        ngx_status_out_free(o);
    }

    if (open) {
        ngx_status_out_lit(out, "# EOF\n");

    } else if (out->len == 0) {
        ngx_status_out_lit(out, "# no result yet\n");
    }
}


size_t
ngx_status_metrics_label(ngx_status_metrics_t *m, const char *key,
    size_t keylen, const ngx_str_t *text, ngx_uint_t word)
{
    size_t             len;
    ngx_status_out_t  *labels;

    labels = &m->labels;
    len = labels->len;

    if (text->len) {
        ngx_status_out_raw(labels, len ? "," : "{", 1);
        ngx_status_out_raw(labels, key, keylen);

        if (word) {
            ngx_status_out_raw(labels, text->data, text->len);

        } else {
            ngx_status_out_label(labels, text->data, text->len);
        }

        ngx_status_out_lit(labels, "\"");
    }

    return len;
}


/* A sample up to its value. */

static ngx_status_out_t *
ngx_status_metrics_sample(ngx_status_metrics_t *m, ngx_uint_t i)
{
    ngx_status_out_t           *out;
    const ngx_status_metric_t  *metric;

    out = &m->outs[i];
    metric = &ngx_status_metrics[i];

    ngx_status_out_raw(out, metric->name.data, metric->name.len);

    ngx_status_out_raw(out, m->labels.data, m->labels.len);
    ngx_status_out_raw(out, m->labels.len ? "} " : " ", m->labels.len ? 2 : 1);

    return out;
}


void
ngx_status_metrics_int(ngx_status_metrics_t *m, ngx_uint_t i, int64_t n)
{
    ngx_status_out_t  *out;

    out = ngx_status_metrics_sample(m, i);
    ngx_status_out_int(out, n);
    ngx_status_out_lit(out, "\n");
}


void
ngx_status_metrics_decimal(ngx_status_metrics_t *m, ngx_uint_t i, uint64_t n,
    ngx_uint_t places)
{
    ngx_status_out_t  *out;

    out = ngx_status_metrics_sample(m, i);
    ngx_status_out_decimal(out, n, places);
    ngx_status_out_lit(out, "\n");
}


void
ngx_status_metrics_real(ngx_status_metrics_t *m, ngx_uint_t i, double n)
{
    if (isfinite(n)) {
        ngx_status_out_printf(ngx_status_metrics_sample(m, i), "%.10g\n", n);
    }
}


void
ngx_status_metrics_time(ngx_status_metrics_t *m, ngx_uint_t i, int64_t ms)
{
    if (ms > 0) {
        ngx_status_metrics_int(m, i, ms / 1000);
    }
}
