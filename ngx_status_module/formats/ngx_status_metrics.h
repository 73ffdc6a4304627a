
/*
 * Copyright (C) ngx_status_module authors
 *
 * Private to ngx_status_metrics*.c: samples on their way into a page.
 */


#ifndef _NGX_STATUS_METRICS_H_INCLUDED_
#define _NGX_STATUS_METRICS_H_INCLUDED_


#include "../ngx_status_monitor.h"


typedef enum {
    NGX_STATUS_M_MONITOR = 0,
    NGX_STATUS_M_ALIVE,
    NGX_STATUS_M_HEARTBEAT,
    NGX_STATUS_M_RATE,
    NGX_STATUS_M_IN_FLIGHT,
    NGX_STATUS_M_LATENESS,
    NGX_STATUS_M_STORE,
    NGX_STATUS_M_STORE_LOST,
    NGX_STATUS_M_STORE_WRITTEN,
    NGX_STATUS_M_ARCHIVE,
    NGX_STATUS_M_ARCHIVE_LOST,
    NGX_STATUS_M_ARCHIVE_WRITTEN,
    NGX_STATUS_M_EXPORT,
    NGX_STATUS_M_EXPORT_WRITTEN,
    NGX_STATUS_M_PUSHES_LOST,
    NGX_STATUS_M_ALL,
    NGX_STATUS_M_COUNTS,
    NGX_STATUS_M_GROUP,

    NGX_STATUS_M_CHECK,
    NGX_STATUS_M_UP,
    NGX_STATUS_M_STATE,
    NGX_STATUS_M_ERROR,
    NGX_STATUS_M_RESULTS,
    NGX_STATUS_M_CHECKED,
    NGX_STATUS_M_LATENCY,
    NGX_STATUS_M_PHASE,
    NGX_STATUS_M_HTTP,
    NGX_STATUS_M_CERT,
    NGX_STATUS_M_QUANTILES,
    NGX_STATUS_M_UPTIME,
    NGX_STATUS_M_KNOWN,
    NGX_STATUS_M_GROWTH,
    NGX_STATUS_M_SCORE,
    NGX_STATUS_M_DELTA,

    NGX_STATUS_M_PROBE_SUCCESS,
    NGX_STATUS_M_PROBE_DURATION,
    NGX_STATUS_M_PROBE_LOOKUP,
    NGX_STATUS_M_PROBE_PHASE,
    NGX_STATUS_M_PROBE_HTTP,
    NGX_STATUS_M_PROBE_SSL,
    NGX_STATUS_M_PROBE_CERT,
    NGX_STATUS_NMETRICS
} ngx_status_metric_e;


/*
 * All samples of a name have to stand together, so each name has an output
 * of its own while the checks, which are large, are gone through once.
 */

typedef struct {
    const ngx_status_snapshot_t  *snapshot;
    const ngx_status_ask_t       *ask;
    ngx_status_out_t              labels;        /* of the samples to come */
    ngx_status_out_t              outs[NGX_STATUS_NMETRICS];
} ngx_status_metrics_t;


/*
 * The samples of a monitor, under names of our own; those of one of its
 * checks; or those that blackbox exporter would have of it.
 */

void ngx_status_metrics_monitor(ngx_status_metrics_t *m);
void ngx_status_metrics_check(ngx_status_metrics_t *m,
    const ngx_status_view_t *v);
void ngx_status_metrics_probe(ngx_status_metrics_t *m,
    const ngx_status_view_t *v);


/*
 * One more label; an empty one is none.  They return the length of those
 * before, which takes it away again.  A word goes out as it is.
 */

#define ngx_status_metrics_word(m, key, word)                                \
    ngx_status_metrics_label(m, key "=\"", sizeof(key "=\"") - 1, word, 1)

#define ngx_status_metrics_text(m, key, text)                                \
    ngx_status_metrics_label(m, key "=\"", sizeof(key "=\"") - 1, text, 0)

size_t ngx_status_metrics_label(ngx_status_metrics_t *m, const char *key,
    size_t keylen, const ngx_str_t *text, ngx_uint_t word);


/*
 * A sample of the metric "i" with the labels that there are: n; n / 10^places;
 * us as seconds; n if it is finite; ms as whole seconds, as in all formats,
 * where 0 is never.
 */

void ngx_status_metrics_int(ngx_status_metrics_t *m, ngx_uint_t i, int64_t n);
void ngx_status_metrics_decimal(ngx_status_metrics_t *m, ngx_uint_t i,
    uint64_t n, ngx_uint_t places);

#define ngx_status_metrics_us(m, i, n)  ngx_status_metrics_decimal(m, i, n, 6)

void ngx_status_metrics_real(ngx_status_metrics_t *m, ngx_uint_t i, double n);
void ngx_status_metrics_time(ngx_status_metrics_t *m, ngx_uint_t i,
    int64_t ms);


#endif /* _NGX_STATUS_METRICS_H_INCLUDED_ */
