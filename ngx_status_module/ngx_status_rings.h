
/*
 * Copyright (C) ngx_status_module authors
 *
 * Private to history.c, rings.c and histogram.c: the memory of the rings.
 */


#ifndef _NGX_STATUS_RINGS_H_INCLUDED_
#define _NGX_STATUS_RINGS_H_INCLUDED_


#include "ngx_status_history.h"


/*
 * A rung of the ladder: its buckets, and the bits that numbers of their
 * results take, and numbers up to half of their seconds.
 */

typedef struct {
    int64_t      seconds;
    ngx_uint_t   half_bits;
    ngx_uint_t   result_bits;
} ngx_status_rung_t;

extern const ngx_status_rung_t  ngx_status_rungs[NGX_STATUS_LADDER];


/*
 * Histograms have rungs of their own: hours, days and 30 days.  One entry
 * more is kept than any window needs, so that the windows stand when a
 * checker has died after closing one.
 */

#define NGX_STATUS_BINS_RUNGS  3

typedef struct {
    int64_t      seconds;
    int64_t      n;                  /* kept */
} ngx_status_bins_rung_t;

extern const ngx_status_bins_rung_t  ngx_status_bins_rungs[];


/*
 * A score's entry and a histogram's: number % n, empty for another lap, which
 * is number / n, and zeroed.  Bytes, so that none is lost in between.
 */

typedef struct {
    uint8_t      lap;                /* its low bits above a 1 */
    u_char       values[4 * sizeof(float)];  /* first, last, min, max */
} ngx_status_score_entry_t;

typedef struct {
    uint8_t      lap;                /* never 0 */
    uint8_t      counts[NGX_STATUS_HISTORY_BINS];    /* as 5 bit floats */
} ngx_status_bins_entry_t;


typedef struct {
    uint64_t                  *entries[NGX_STATUS_LADDER];    /* rings.c */
    int64_t                    nentries[NGX_STATUS_LADDER];
    ngx_status_score_entry_t  *scores[NGX_STATUS_LADDER];
    int64_t                    nscores[NGX_STATUS_LADDER];    /* 0: none */
    ngx_status_bins_entry_t   *bins[NGX_STATUS_BINS_RUNGS];
    size_t                     size;
} ngx_status_rings_t;

void ngx_status_rings_locate(const ngx_status_history_conf_t *conf,
    const void *rings, ngx_status_rings_t *r);


/*
 * Overwrite the seconds of a closed bucket, or the rest of it.  clear_*()
 * take them from a bucket when it is kept.  Seconds that are more than the
 * bucket has are cut.
 */

void ngx_status_rings_put_seconds(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, const uint32_t *seconds);
void ngx_status_rings_put_results(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, const ngx_status_tally_t *tally);
void ngx_status_rings_clear_seconds(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number);
void ngx_status_rings_clear_results(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number);

/*
 * The scores of a closed bucket, on rungs that keep them; put() of none
 * leaves what is there.
 */

void ngx_status_rings_put_score(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, const ngx_status_score_tally_t *score);
void ngx_status_rings_get_score(const ngx_status_rings_t *r,
    ngx_uint_t level, int64_t number, ngx_status_score_tally_t *score);
void ngx_status_rings_clear_score(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number);

/* Whether a closed bucket is there. */
ngx_uint_t ngx_status_rings_has(const ngx_status_rings_t *r,
    ngx_uint_t level, int64_t number);

/* Copies the buckets before "newest" that both have a place for. */
void ngx_status_rings_copy(const ngx_status_rings_t *from,
    ngx_status_rings_t *to, ngx_uint_t level, int64_t newest);

/* Adds the buckets [from, to), the open ones among them. */
void ngx_status_rings_add(const ngx_status_rings_t *r,
    const ngx_status_history_open_t *open, ngx_uint_t level, int64_t from,
    int64_t to, ngx_status_tally_t *tally);

/* Adds what results are, not the seconds. */
void ngx_status_tally_add(ngx_status_tally_t *tally,
    const ngx_status_tally_t *add);

/*
 * Floating point of "mantissa" bits and one that is not written down;
 * numbers of so many bits are exact.
 */
ngx_uint_t ngx_status_float_code(uint32_t value, ngx_uint_t mantissa);
uint32_t ngx_status_float_value(ngx_uint_t code, ngx_uint_t mantissa);


/*
 * histogram.c.  put() writes a closed histogram, sum() one of the days or of
 * the 30 days from what it consists of; get() answers whether one is there;
 * clear() takes it away.  close() writes the histograms of the hour, the day
 * and the 30 days that end between the result cursor and "at", and empties
 * the open one.  windows() fills in the percentiles of windows that have the
 * rest.
 */

void ngx_status_bins_put(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, const uint32_t *bins);
void ngx_status_bins_sum(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number);
ngx_uint_t ngx_status_bins_get(const ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, uint32_t *bins);
void ngx_status_bins_clear(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number);
void ngx_status_bins_close(ngx_status_rings_t *r,
    ngx_status_history_open_t *open, int64_t at);
void ngx_status_bins_windows(const ngx_status_rings_t *r,
    const ngx_status_history_open_t *open, int64_t end,
    ngx_status_window_t *windows);


#endif /* _NGX_STATUS_RINGS_H_INCLUDED_ */
