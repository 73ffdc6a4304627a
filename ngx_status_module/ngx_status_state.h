
/*
 * Copyright (C) ngx_status_module authors
 *
 * From results to a state: confirming, aggregating, comparing.  Pure.
 */


#ifndef _NGX_STATUS_STATE_H_INCLUDED_
#define _NGX_STATUS_STATE_H_INCLUDED_


#include "ngx_status_types.h"


/*
 * Confirmation.  Results fall into three ranks: up; degraded; failing
 * (bot_detected, timeout, down).  "fall" consecutive results of a worse
 * rank, or "rise" of a better one, change the confirmed state, to the
 * mildest result of a worse run, the gravest of a better one (the newest
 * among equals).  A change of kind among failing ones counts at once and
 * keeps "since", because the outage is the same.  An unknown result
 * neither counts nor breaks a run; "fall" of them in a row are a change to
 * unknown.  From unknown a passing result counts at once.  All times are
 * back-dated to the first result of the run.
 */

typedef enum {
    NGX_STATUS_RUN_NONE = 0,
    NGX_STATUS_RUN_WORSE,
    NGX_STATUS_RUN_BETTER
} ngx_status_run_e;

typedef struct {
    int64_t     since;               /* ms; of the confirmed state; 0: never */
    int64_t     run_since;           /* ms; first result of the run */
    int64_t     unknown_since;       /* ms; first of a row of unknown ones */
    uint32_t    run;                 /* results in the run */
    uint32_t    unknowns;            /* unknown results in a row */
    uint8_t     state;               /* confirmed */
    uint8_t     direction;           /* ngx_status_run_e */
    uint8_t     run_state;           /* what the run would confirm */
} ngx_status_confirm_t;

/*
 * Takes one result.  Returns 1 when the confirmed state changed (then
 * *changed_at is the time it counts from, in ms), else 0.
 * ngx_status_pending() is the time in ms up to which history may be booked
 * as c->state: the begin of an open run, or of a row of unknowns; 0 when
 * nothing is pending.
 */

ngx_uint_t ngx_status_confirm(ngx_status_confirm_t *c,
    ngx_status_state_e result, int64_t at, ngx_uint_t fall, ngx_uint_t rise,
    int64_t *changed_at);
int64_t ngx_status_pending(const ngx_status_confirm_t *c);


/*
 * Aggregation of a page or a group [DESIGN 4].  A sum starts zeroed; add
 * every check's shown state; then ask.  No check at all, or none known:
 * unknown.
 */

typedef struct {
    ngx_uint_t  counts[NGX_STATUS_NSTATES];
    ngx_uint_t  core_down;           /* core checks down or timed out */
} ngx_status_sum_t;

void ngx_status_sum_add(ngx_status_sum_t *sum, ngx_status_state_e state,
    ngx_uint_t core);
ngx_status_state_e ngx_status_sum_state(const ngx_status_sum_t *sum);


/*
 * Deltas.  "values" are oldest first and do not hold the new one.  The
 * baseline is the last value (median 0) or the median of the last "median"
 * ones; NAN when there is none.
 */

double ngx_status_baseline(const double *values, ngx_uint_t n,
    ngx_uint_t median);

/* Scores: delta = value - base, a drop is bad.  Thresholds are positive
 * points; 0 switches one off. */
ngx_status_level_e ngx_status_drop_level(double delta, double warning,
    double critical);

/* Latency: growth = value / base - 1; thresholds are fractions, 0.25 for
 * 25 %; 0 switches one off. */
ngx_status_level_e ngx_status_slower_level(double growth, double warning,
    double critical);


#endif /* _NGX_STATUS_STATE_H_INCLUDED_ */
