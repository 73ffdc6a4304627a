
/*
 * Copyright (C) ngx_status_module authors
 *
 * History from buckets that were written down, and not from results.
 */


#include "ngx_status_rings.h"


static void ngx_status_history_fill_gaps(ngx_status_rings_t *r,
    const ngx_status_history_open_t *open, ngx_uint_t level);


ngx_uint_t
ngx_status_history_bins(const ngx_status_history_conf_t *conf,
    const ngx_status_history_open_t *open, const void *rings,
    ngx_status_ladder_e level, int64_t number,
    uint32_t bins[NGX_STATUS_HISTORY_BINS])
{
    int64_t             cursor;
    ngx_uint_t          rung;
    ngx_status_rings_t  r;

    ngx_status_rings_locate(conf, rings, &r);

    rung = level - NGX_STATUS_HOURS;
    cursor = open->result_cursor / ngx_status_bins_rungs[rung].seconds;

    if (number >= cursor || number < cursor - ngx_status_bins_rungs[rung].n) {
        return 0;
    }

    return ngx_status_bins_get(&r, rung, number, bins);
}


void
ngx_status_history_fill(const ngx_status_history_conf_t *conf,
    ngx_status_history_open_t *open, void *rings, ngx_status_ladder_e level,
    int64_t number, const ngx_status_bucket_t *bucket)
{
    int64_t             period;
    ngx_uint_t          k;
    ngx_status_rings_t  r;

    ngx_status_rings_locate(conf, rings, &r);

    ngx_status_rings_put_seconds(&r, level, number, bucket->tally.seconds);
    ngx_status_rings_put_results(&r, level, number, &bucket->tally);

    if (level == NGX_STATUS_MINUTES) {
        open->timeline[number % NGX_STATUS_TIMELINE] = bucket->last;
        return;
    }

    ngx_status_rings_put_score(&r, level, number, &bucket->score);

    if (level == NGX_STATUS_DAYS) {

        /* the ring of days is long enough for 30 days, not for two of them */

        period = open->result_cursor / ngx_status_bins_rungs[2].seconds;

        if (period && period != number / 30) {
            ngx_status_bins_sum(&r, 2, period);
        }

        open->result_cursor = number * 86400;
    }

    for (k = 0; k < NGX_STATUS_HISTORY_BINS && bucket->bins[k] == 0; k++) {
        /* void */
    }

    if (k < NGX_STATUS_HISTORY_BINS) {
        ngx_status_bins_put(&r, level - NGX_STATUS_HOURS, number,
                            bucket->bins);
    }
}


void
ngx_status_history_filled(const ngx_status_history_conf_t *conf,
    ngx_status_history_open_t *open, void *rings, int64_t cursor)
{
    int64_t                    n, hour, day, period;
    ngx_status_tally_t        *tally, ignored;
    ngx_status_rings_t         r;
    ngx_status_score_tally_t   score;

    ngx_status_rings_locate(conf, rings, &r);

    period = open->result_cursor / ngx_status_bins_rungs[2].seconds;

    open->time_cursor = cursor;
    open->result_cursor = cursor;

    hour = cursor / 3600;
    day = cursor / 86400;

    ngx_status_history_fill_gaps(&r, open, NGX_STATUS_HOURS);
    ngx_status_history_fill_gaps(&r, open, NGX_STATUS_DAYS);

    if (period && period != cursor / ngx_status_bins_rungs[2].seconds) {
        ngx_status_bins_sum(&r, 2, period);
    }

    tally = open->tallies;

    ngx_status_rings_add(&r, open, NGX_STATUS_MINUTES, hour * 60, cursor / 60,
                         &tally[NGX_STATUS_HOURS]);

    tally[NGX_STATUS_DAYS] = tally[NGX_STATUS_HOURS];

    ngx_status_rings_add(&r, open, NGX_STATUS_HOURS, day * 24, hour,
                         &tally[NGX_STATUS_DAYS]);

    for (n = day * 24; n < hour; n++) {
        ngx_status_history_bucket(conf, open, rings, NGX_STATUS_HOURS, n,
                                  &ignored, &score);
        ngx_status_score_tally_add(&open->scores[NGX_STATUS_DAYS], &score);
    }
}


void
ngx_status_score_tally_add(ngx_status_score_tally_t *score,
    const ngx_status_score_tally_t *add)
{
    if (add->n == 0) {
        return;
    }

    if (score->n == 0) {
        *score = *add;
        return;
    }

    score->n += add->n;
    score->last = add->last;
    score->min = ngx_min(score->min, add->min);
    score->max = ngx_max(score->max, add->max);
}


/*
 * The newest buckets of a level may not have been written down any more when
 * those that they consist of were.
 */

static void
ngx_status_history_fill_gaps(ngx_status_rings_t *r,
    const ngx_status_history_open_t *open, ngx_uint_t level)
{
    int64_t             n, last, parts, oldest;
    uint32_t            bins[NGX_STATUS_HISTORY_BINS];
    ngx_uint_t          k, any;
    ngx_status_tally_t  tally;

    parts = ngx_status_rungs[level].seconds
            / ngx_status_rungs[level - 1].seconds;

    last = open->time_cursor / ngx_status_rungs[level].seconds;
    oldest = last - ngx_min(r->nentries[level], r->nentries[level - 1] / parts);

    for (n = ngx_max(oldest, 0); n < last; n++) {

        if (ngx_status_rings_has(r, level, n)) {
            continue;
        }

        memset(&tally, 0, sizeof(ngx_status_tally_t));
        ngx_status_rings_add(r, open, level - 1, n * parts, (n + 1) * parts,
                             &tally);

        for (k = 0, any = tally.results; k < NGX_STATUS_NSTATES; k++) {
            any |= tally.seconds[k];
        }

        if (any == 0) {
            continue;
        }

        ngx_status_rings_put_seconds(r, level, n, tally.seconds);
        ngx_status_rings_put_results(r, level, n, &tally);

        if (level == NGX_STATUS_DAYS && !ngx_status_bins_get(r, 1, n, bins)) {
            ngx_status_bins_sum(r, 1, n);
        }
    }
}
