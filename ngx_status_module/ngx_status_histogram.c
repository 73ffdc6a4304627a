
/*
 * Copyright (C) ngx_status_module authors
 *
 * Log-linear histograms of latency: 8 bins an octave.  The one of the hour
 * at the result cursor is counted exactly; a closed one is written with
 * counts rounded to 5 significant bits, and an upper rung's is summed up
 * from the lower one's when it closes.
 */


#include "ngx_status_rings.h"


/* 0 is of an entry that is empty */
#define ngx_status_bins_lap(level, number)                                    \
    (uint8_t) ((number) / ngx_status_bins_rungs[level].n % 255 + 1)


static void ngx_status_bins_add(const ngx_status_rings_t *r, ngx_uint_t level,
    int64_t from, int64_t to, uint32_t *bins);
static void ngx_status_bins_percentiles(const uint32_t *bins,
    ngx_status_window_t *window);


const ngx_status_bins_rung_t  ngx_status_bins_rungs[NGX_STATUS_BINS_RUNGS] = {
    { 3600,       25 },
    { 86400,      31 },
    { 30 * 86400, 14 }
};


/*
 * Writes the histograms of the hour, the day and the 30 days that end
 * between the result cursor and "at".  What they are summed up from stays
 * as it is however often this is repeated.
 */

void
ngx_status_bins_close(ngx_status_rings_t *r,
    ngx_status_history_open_t *open, int64_t at)
{
    int64_t     n, s;
    uint32_t    bins[NGX_STATUS_HISTORY_BINS];
    ngx_uint_t  i, k;

    for (i = 0; i < NGX_STATUS_BINS_RUNGS; i++) {

        s = ngx_status_bins_rungs[i].seconds;
        n = open->result_cursor / s;

        if (n == at / s) {
            return;
        }

        if (i) {
            ngx_status_bins_sum(r, i, n);
            continue;
        }

        for (k = 0; k < NGX_STATUS_HISTORY_BINS; k++) {
            bins[k] = open->bins[k];
        }

        ngx_status_bins_put(r, 0, n, bins);
        memset(open->bins, 0, sizeof(open->bins));
    }
}


void
ngx_status_bins_put(ngx_status_rings_t *r, ngx_uint_t level, int64_t number,
    const uint32_t *bins)
{
    ngx_uint_t                k;
    ngx_status_bins_entry_t  *entry;

    entry = &r->bins[level][number % ngx_status_bins_rungs[level].n];
    entry->lap = ngx_status_bins_lap(level, number);

    for (k = 0; k < NGX_STATUS_HISTORY_BINS; k++) {
        entry->counts[k] = bins[k] < 32
                           ? bins[k]
                           : ngx_min(ngx_status_float_code(bins[k], 4), 255);
    }
}


void
ngx_status_bins_sum(ngx_status_rings_t *r, ngx_uint_t level, int64_t number)
{
    int64_t   parts;
    uint32_t  bins[NGX_STATUS_HISTORY_BINS];

    parts = ngx_status_bins_rungs[level].seconds
            / ngx_status_bins_rungs[level - 1].seconds;

    memset(bins, 0, sizeof(bins));
    ngx_status_bins_add(r, level - 1, number * parts, (number + 1) * parts,
                        bins);
    ngx_status_bins_put(r, level, number, bins);
}


ngx_uint_t
ngx_status_bins_get(const ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, uint32_t *bins)
{
    const ngx_status_bins_entry_t  *entry;

    memset(bins, 0, NGX_STATUS_HISTORY_BINS * sizeof(uint32_t));

    entry = &r->bins[level][number % ngx_status_bins_rungs[level].n];

    if (entry->lap != ngx_status_bins_lap(level, number)) {
        return 0;
    }

    ngx_status_bins_add(r, level, number, number + 1, bins);

    return 1;
}


void
ngx_status_bins_clear(ngx_status_rings_t *r, ngx_uint_t level, int64_t number)
{
    ngx_status_bins_entry_t  *entry;

    entry = &r->bins[level][number % ngx_status_bins_rungs[level].n];

    if (entry->lap == ngx_status_bins_lap(level, number)) {
        entry->lap = 0;
    }
}


void
ngx_status_bins_windows(const ngx_status_rings_t *r,
    const ngx_status_history_open_t *open, int64_t end,
    ngx_status_window_t *windows)
{
    int64_t     s, from, done, part;
    uint32_t    bins[NGX_STATUS_HISTORY_BINS], next[NGX_STATUS_HISTORY_BINS];
    ngx_uint_t  i, k, level;

    for (k = 0; k < NGX_STATUS_HISTORY_BINS; k++) {
        next[k] = open->bins[k];
    }

    for (level = 0; level < NGX_STATUS_BINS_RUNGS; level++) {

        /*
         * Two windows a rung, each with what the one before has.  On the way
         * back to their begins we meet the begin of the bucket that is still
         * open on the next rung; its windows have to start from there.
         */

        s = ngx_status_bins_rungs[level].seconds;
        done = open->result_cursor / s;
        part = -1;

        if (level < NGX_STATUS_BINS_RUNGS - 1) {
            part = ngx_status_bins_rungs[level + 1].seconds;
            part = open->result_cursor / part * (part / s);
        }

        ngx_memcpy(bins, next, sizeof(bins));

        for (i = 2 * level; i < 2 * level + 2; i++) {

            from = end - ngx_status_window_seconds[i];
            from = ngx_max(from, 0) / s;

            if (part >= from) {
                ngx_status_bins_add(r, level, part, done, bins);
                ngx_memcpy(next, bins, sizeof(bins));
                done = part;
                part = -1;
            }

            ngx_status_bins_add(r, level, from, done, bins);
            done = ngx_min(from, done);

            if (windows[i].results) {
                ngx_status_bins_percentiles(bins, &windows[i]);
            }
        }

        if (part >= 0) {
            ngx_status_bins_add(r, level, part, done, bins);
            ngx_memcpy(next, bins, sizeof(bins));
        }
    }
}


static void
ngx_status_bins_add(const ngx_status_rings_t *r, ngx_uint_t level,
    int64_t from, int64_t to, uint32_t *bins)
{
    int64_t                         n, kept;
    uint64_t                        eight;
    ngx_uint_t                      k, end;
    const ngx_status_bins_entry_t  *entry;

    kept = ngx_status_bins_rungs[level].n;

    for (n = ngx_max(from, to - kept); n < to; n++) {

        entry = &r->bins[level][n % kept];

        if (entry->lap != ngx_status_bins_lap(level, n)) {
            continue;
        }

        for (k = 0; k < NGX_STATUS_HISTORY_BINS; k = end) {

            end = ngx_min(k + 8, NGX_STATUS_HISTORY_BINS);

            /* most bins are empty */

            if (end - k == 8) {
                ngx_memcpy(&eight, &entry->counts[k], 8);

                if (eight == 0) {
                    continue;
                }
            }

            for ( /* void */ ; k < end; k++) {
                bins[k] += (entry->counts[k] < 32)
                           ? entry->counts[k]
                           : ngx_status_float_value(entry->counts[k], 4);
            }
        }
    }
}


static void
ngx_status_bins_percentiles(const uint32_t *bins, ngx_status_window_t *window)
{
    uint32_t           value, *into;
    uint64_t           total, seen, rank;
    ngx_uint_t         i, k;

    static const struct {
        ngx_uint_t     percent;
        size_t         offset;
    } percentiles[] = {
        { 50, offsetof(ngx_status_window_t, p50) },
        { 95, offsetof(ngx_status_window_t, p95) },
        { 99, offsetof(ngx_status_window_t, p99) }
    };

    for (total = 0, k = 0; k < NGX_STATUS_HISTORY_BINS; k++) {
        total += bins[k];
    }

    if (total == 0) {
        /* of an old store */
        window->p50 = window->p95 = window->p99 = window->mean;
        return;
    }

    for (i = 0, k = 0, seen = 0; i < 3; i++) {

        rank = (total * percentiles[i].percent + 99) / 100;

        while (k < NGX_STATUS_HISTORY_BINS && seen + bins[k] < rank) {
            seen += bins[k++];
        }

        /* a window's histogram may reach back further than its results */

        value = ngx_status_history_bin_value(k);
        value = ngx_max(value, window->min);
        value = ngx_min(value, window->max);

        into = (uint32_t *) ((u_char *) window + percentiles[i].offset);
        *into = value;
    }
}


ngx_uint_t
ngx_status_history_bin(uint32_t latency)
{
    ngx_uint_t  bin;

    if (latency < 128) {
        return 0;
    }

    for (bin = 1; latency >= 256; bin += 8) {
        latency >>= 1;
    }

    bin += (latency - 128) / 16;

    return ngx_min(bin, NGX_STATUS_HISTORY_BINS - 1);
}


uint32_t
ngx_status_history_bin_value(ngx_uint_t bin)
{
    if (bin == 0) {
        return 64;
    }

    if (bin >= NGX_STATUS_HISTORY_BINS - 1) {
        return 0xffffffff;                       /* the largest there was */
    }

    bin--;

    return (128 + bin % 8 * 16 + 8) << (bin / 8);
}
