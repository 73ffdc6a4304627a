
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_state.h"
#include <math.h>


/*
 * Deltas of decimal scores are not exact (97.1 - 92.1 is less than 5), yet
 * a drop of exactly the threshold has to reach it.
 */
#define ngx_status_reaches(x, threshold)                                      \
    ((threshold) > 0 && (x) >= (threshold) * (1 - 1e-9))


typedef enum {
    NGX_STATUS_RANK_NONE = 0,        /* unknown, maintenance */
    NGX_STATUS_RANK_UP,
    NGX_STATUS_RANK_DEGRADED,
    NGX_STATUS_RANK_FAILING
} ngx_status_rank_e;


static ngx_status_rank_e ngx_status_rank(ngx_uint_t state);
static ngx_uint_t ngx_status_confirm_unknown(ngx_status_confirm_t *c,
    int64_t at, ngx_uint_t fall, int64_t *changed_at);
static ngx_uint_t ngx_status_confirm_change(ngx_status_confirm_t *c,
    ngx_uint_t state, int64_t at, int64_t *changed_at);
static void ngx_status_confirm_end_run(ngx_status_confirm_t *c);


ngx_uint_t
ngx_status_confirm(ngx_status_confirm_t *c, ngx_status_state_e result,
    int64_t at, ngx_uint_t fall, ngx_uint_t rise, int64_t *changed_at)
{
    ngx_status_run_e   direction;
    ngx_status_rank_e  rank, confirmed, run;

    rank = ngx_status_rank(result);
    confirmed = ngx_status_rank(c->state);

    if (rank == NGX_STATUS_RANK_NONE) {
        return ngx_status_confirm_unknown(c, at, fall, changed_at);
    }

    c->unknowns = 0;
    c->unknown_since = 0;

    if (rank == confirmed) {
        ngx_status_confirm_end_run(c);

        if (c->state == result) {
            return 0;
        }

        /* the same outage, so c->since stays */

        c->state = result;
        *changed_at = at;

        return 1;
    }

    if (confirmed == NGX_STATUS_RANK_NONE && rank != NGX_STATUS_RANK_FAILING) {
        return ngx_status_confirm_change(c, result, at, changed_at);
    }

    /* from unknown only failing results get here: they are worse */

    direction = (rank > confirmed) ? NGX_STATUS_RUN_WORSE
                                   : NGX_STATUS_RUN_BETTER;

    if (c->direction != direction) {
        c->direction = direction;
        c->run = 0;
        c->run_since = at;
        c->run_state = result;
    }

    c->run++;
    run = ngx_status_rank(c->run_state);

    if (direction == NGX_STATUS_RUN_WORSE ? rank <= run : rank >= run) {
        c->run_state = result;
    }

    if (c->run < (direction == NGX_STATUS_RUN_WORSE ? fall : rise)) {
        return 0;
    }

    return ngx_status_confirm_change(c, c->run_state, c->run_since,
                                     changed_at);
}


static ngx_status_rank_e
ngx_status_rank(ngx_uint_t state)
{
    switch (state) {

    case NGX_STATUS_UP:
        return NGX_STATUS_RANK_UP;

    case NGX_STATUS_DEGRADED:
        return NGX_STATUS_RANK_DEGRADED;

    case NGX_STATUS_BOT_DETECTED:
    case NGX_STATUS_TIMEOUT:
    case NGX_STATUS_DOWN:
        return NGX_STATUS_RANK_FAILING;

    default:
        return NGX_STATUS_RANK_NONE;
    }
}


static ngx_uint_t
ngx_status_confirm_unknown(ngx_status_confirm_t *c, int64_t at,
    ngx_uint_t fall, int64_t *changed_at)
{
    if (c->unknowns == 0) {
        c->unknown_since = at;
    }

    if (++c->unknowns < fall) {
        return 0;
    }

    /*
     * What was seen before so long a row of unknowns is no part of a run
     * that begins after it.
     */

    ngx_status_confirm_end_run(c);

    if (c->state == NGX_STATUS_UNKNOWN) {
        c->unknowns = fall;              /* no need to count further */
        return 0;
    }

    return ngx_status_confirm_change(c, NGX_STATUS_UNKNOWN, c->unknown_since,
                                     changed_at);
}


static ngx_uint_t
ngx_status_confirm_change(ngx_status_confirm_t *c, ngx_uint_t state,
    int64_t at, int64_t *changed_at)
{
    c->state = state;
    c->since = at;
    *changed_at = at;

    ngx_status_confirm_end_run(c);

    return 1;
}


static void
ngx_status_confirm_end_run(ngx_status_confirm_t *c)
{
    c->run = 0;
    c->run_since = 0;
    c->run_state = NGX_STATUS_UNKNOWN;
    c->direction = NGX_STATUS_RUN_NONE;
}


int64_t
ngx_status_pending(const ngx_status_confirm_t *c)
{
    int64_t  since;

    since = 0;

    if (c->direction != NGX_STATUS_RUN_NONE) {
        since = c->run_since;
    }

    if (c->unknowns
        && c->state != NGX_STATUS_UNKNOWN
        && (since == 0 || c->unknown_since < since))
    {
        since = c->unknown_since;
    }

    return since;
}


void
ngx_status_sum_add(ngx_status_sum_t *sum, ngx_status_state_e state,
    ngx_uint_t core)
{
    sum->counts[state]++;

    if (core && (state == NGX_STATUS_DOWN || state == NGX_STATUS_TIMEOUT)) {
        sum->core_down++;
    }
}


ngx_status_state_e
ngx_status_sum_state(const ngx_status_sum_t *sum)
{
    if (sum->core_down) {
        return NGX_STATUS_DOWN;
    }

    if (sum->counts[NGX_STATUS_DOWN]
        || sum->counts[NGX_STATUS_TIMEOUT]
        || sum->counts[NGX_STATUS_BOT_DETECTED]
        || sum->counts[NGX_STATUS_DEGRADED])
    {
        return NGX_STATUS_DEGRADED;
    }

    if (sum->counts[NGX_STATUS_UP]) {
        return NGX_STATUS_UP;
    }

    if (sum->counts[NGX_STATUS_MAINTENANCE]
        && sum->counts[NGX_STATUS_UNKNOWN] == 0)
    {
        return NGX_STATUS_MAINTENANCE;
    }

    return NGX_STATUS_UNKNOWN;
}


double
ngx_status_baseline(const double *values, ngx_uint_t n, ngx_uint_t median)
{
    double      sorted[NGX_STATUS_RESULTS];
    ngx_uint_t  i, taken, want;

    want = ngx_max(median, 1);
    want = ngx_min(want, NGX_STATUS_RESULTS);

    for (taken = 0; n != 0 && taken < want; n--) {

        if (!isfinite(values[n - 1])) {
            continue;
        }

        for (i = taken++; i != 0 && sorted[i - 1] > values[n - 1]; i--) {
            sorted[i] = sorted[i - 1];
        }

        sorted[i] = values[n - 1];
    }

    if (taken == 0) {
        return NAN;
    }

    return sorted[(taken - 1) / 2] / 2 + sorted[taken / 2] / 2;
}


ngx_status_level_e
ngx_status_drop_level(double delta, double warning, double critical)
{
    return ngx_status_slower_level(-delta, warning, critical);
}


ngx_status_level_e
ngx_status_slower_level(double growth, double warning, double critical)
{
    if (isnan(growth)) {
        return NGX_STATUS_NEUTRAL;
    }

    if (ngx_status_reaches(growth, critical)) {
        return NGX_STATUS_CRITICAL;
    }

    if (ngx_status_reaches(growth, warning)) {
        return NGX_STATUS_WARNING;
    }

    return NGX_STATUS_OK;
}
