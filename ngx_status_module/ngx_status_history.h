
/*
 * Copyright (C) ngx_status_module authors
 *
 * What happened, by minute, hour and day: seconds per state, results,
 * latency, scores.  Pure arithmetic on memory that the caller owns; UTC
 * seconds since the epoch throughout, so that daylight saving is nobody's
 * business here.
 *
 * A history is two parts.  "open" is small, lives in the record's head and
 * is committed at once by the zone: it holds both cursors and the buckets
 * still being filled.  "rings" is large and is written in place, before
 * "open" is committed.  So every write to the rings is a pure overwrite
 * with a value computed from "open" and the arguments, and goes to buckets
 * that are not yet closed for the committed "open": a checker killed between
 * the two is repeated by its successor without harm.
 *
 * Time and results have a cursor each.  advance() says how the time up to
 * "until" is to be booked; it is not called beyond the begin of a run of
 * results that may still turn out to be a change of state, so a change that
 * is back-dated never has to be corrected in buckets already written.
 * result() counts a result at its own time, which may be later.
 *
 * What is exact and what is not:
 *
 *   seconds      exact in every bucket;
 *   scores       first, last, min and max as 24 bits of floating point, in
 *                every bucket: 7 digits;
 *   results      exact up to 1023 a minute, 65535 an hour, 1048575 a day;
 *   mean, min,   exact in the buckets still open, within 0.4 % in closed
 *   max          ones (12 bits of floating point), twice that where the
 *                mean had to be summed anew after a step of the clock;
 *   p50 p95 p99  from log-linear histograms, 8 bins an octave from 128 us to
 *                33 s: within 6.25 % of the value at a rank that is off by a
 *                few per cent of the tail (of 1 % for p99), because a bin's
 *                count has 5 significant bits.  Kept by hour for a day, by
 *                day for 30 days, by 30 days for the year.
 *
 * A window begins with the bucket in which its begin falls: by minute as far
 * back as minutes are kept, then by hour, then by day.  For percentiles that
 * is the hour (1 h, 24 h), the day (7 d, 30 d) and the 30 days (90 d,
 * 365 d).
 *
 * A clock that steps back by up to an hour is waited for.  Beyond, the time
 * ahead has never been: both cursors go back, and what was booked there,
 * with the rest of its minute, is dropped.
 */


#ifndef _NGX_STATUS_HISTORY_H_INCLUDED_
#define _NGX_STATUS_HISTORY_H_INCLUDED_


#include "ngx_status_types.h"


/* Seconds that a clock may step back without undoing history. */
#define NGX_STATUS_HISTORY_STEP  3600

/* Hours for which scores are kept by hour; they are kept by day for all. */
#define NGX_STATUS_HISTORY_SCORE_HOURS  168

/* Bins of a latency histogram: below 128 us, 18 octaves, from 33 s. */
#define NGX_STATUS_HISTORY_BINS  (1 + 18 * 8 + 1)
#define NGX_STATUS_HISTORY_LONG  (128u << 18)    /* us; the last one's begin */


/* Buckets kept; part of the zone's layout. */

typedef struct {
    uint32_t    minutes;             /* default 1440, 240 at least */
    uint32_t    hours;               /* default 720, 48 at least */
    uint32_t    days;                /* default 400, 1 at least */
    uint32_t    scores;              /* 1: with first/last/min/max of scores */
} ngx_status_history_conf_t;


typedef enum {
    NGX_STATUS_MINUTES = 0,
    NGX_STATUS_HOURS,
    NGX_STATUS_DAYS,
    NGX_STATUS_LADDER
} ngx_status_ladder_e;


/* What a bucket holds, or several together.  Zeroed: nothing. */

typedef struct {
    uint64_t    sum;                 /* us; of "results" */
    uint32_t    results;             /* with a latency */
    uint32_t    min, max;            /* us; meaningless when results is 0 */
    uint32_t    seconds[NGX_STATUS_NSTATES];
} ngx_status_tally_t;


typedef struct {
    uint32_t    n;                   /* scores, in a closed bucket 1 for any;
                                        0: none, the rest is meaningless */
    float       first, last, min, max;
} ngx_status_score_tally_t;


/* The windows that pages show: 1 h, 24 h, 7 d, 30 d, 90 d, 365 d. */

#define NGX_STATUS_WINDOWS  6

extern const ngx_str_t  ngx_status_window_names[NGX_STATUS_WINDOWS];
extern const uint32_t   ngx_status_window_seconds[NGX_STATUS_WINDOWS];

typedef struct {
    uint32_t    known;               /* s neither unknown nor maintenance */
    uint32_t    span;                /* s of the window that history covers;
                                        the sum of "seconds" */
    uint32_t    seconds[NGX_STATUS_NSTATES];
    uint32_t    results;             /* with a latency */
    uint32_t    mean, min, max;      /* us; 0 when results is 0 */
    uint32_t    p50, p95, p99;       /* us; likewise */
} ngx_status_window_t;


/*
 * OWNED BY history.c: others copy it and pass it on.  All zero is a valid,
 * empty history.  The first fields may be read by anyone.
 */

typedef struct ngx_status_history_open_s  ngx_status_history_open_t;

/*
 * Runs of equal states for the page's timeline, oldest first.
 */

typedef struct {
    uint8_t     state;
    uint16_t    n;                   /* buckets */
} ngx_status_run_t;


/*
 * Bytes of the rings, a multiple of 8.  Zeroed rings are empty ones.
 * Master.
 */
size_t ngx_status_history_size(const ngx_status_history_conf_t *conf);


/*
 * Books [the time cursor, until) as "state".  An "until" not beyond the
 * cursor is ignored, or undoes history (see above).  The first call only
 * sets the cursor: what was before is not covered.  O(buckets closed),
 * bounded by the rings' length however far the clock jumped.  Checker.
 */

void ngx_status_history_advance(const ngx_status_history_conf_t *conf,
    ngx_status_history_open_t *open, void *rings, int64_t until,
    ngx_status_state_e state);

/*
 * Counts a result in the buckets of its own time result->at, latency when
 * ngx_status_timed(), score unless NULL or NAN.  A result older than the
 * result cursor's bucket is counted in the bucket at the cursor, or undoes
 * history (see above).  Checker.
 */

void ngx_status_history_result(const ngx_status_history_conf_t *conf,
    ngx_status_history_open_t *open, void *rings,
    const ngx_status_result_t *result, const ngx_status_score_t *score);

/*
 * All windows that end at "now" (or at a cursor that is ahead of it), the
 * time after the cursor booked as "tail" up to "tail_until" and as unknown
 * beyond.  Uptime is then (seconds[UP] + weight * seconds[DEGRADED]) /
 * known.  Checker.
 */

void ngx_status_history_windows(const ngx_status_history_conf_t *conf,
    const ngx_status_history_open_t *open, const void *rings, int64_t now,
    ngx_status_state_e tail, int64_t tail_until,
    ngx_status_window_t windows[NGX_STATUS_WINDOWS]);

/*
 * One bucket, closed or open: "number" counts minutes, hours or days since
 * the epoch.  A bucket that is not kept comes back zeroed.  "score" may be
 * NULL; minutes have none.  Checker.
 */

void ngx_status_history_bucket(const ngx_status_history_conf_t *conf,
    const ngx_status_history_open_t *open, const void *rings,
    ngx_status_ladder_e level, int64_t number, ngx_status_tally_t *tally,
    ngx_status_score_tally_t *score);

/*
 * Fills fresh rings of another shape with what the old ones hold and the
 * new ones have a place for.  Master, checker.
 */

void ngx_status_history_copy(const ngx_status_history_open_t *open,
    const ngx_status_history_conf_t *from, const void *old,
    const ngx_status_history_conf_t *to, void *rings);

/*
 * The latencies of a closed hour or day, as results by bin; 0 when they are
 * not kept.  bin() and bin_value() lead from us to a bin and to what stands
 * for it.  Checker.
 */

ngx_uint_t ngx_status_history_bins(const ngx_status_history_conf_t *conf,
    const ngx_status_history_open_t *open, const void *rings,
    ngx_status_ladder_e level, int64_t number,
    uint32_t bins[NGX_STATUS_HISTORY_BINS]);
ngx_uint_t ngx_status_history_bin(uint32_t latency);
uint32_t ngx_status_history_bin_value(ngx_uint_t bin);

/*
 * Puts an empty history together from closed buckets: of days first, then of
 * hours and minutes, each oldest first, none that begins at "cursor" or
 * later.  filled() makes "cursor", the begin of a minute, both cursors and
 * sums up the buckets that are open there.  What only results could tell is
 * missing: the latencies and scores of the hour at the cursor.  Checker.
 */

typedef struct {
    ngx_status_tally_t        tally;
    ngx_status_score_tally_t  score;             /* n 0: none */
    ngx_status_state_e        last;              /* of a minute: at its end */
    uint32_t                  bins[NGX_STATUS_HISTORY_BINS];
} ngx_status_bucket_t;

/* Adds what came after it. */
void ngx_status_score_tally_add(ngx_status_score_tally_t *score,
    const ngx_status_score_tally_t *add);

void ngx_status_history_fill(const ngx_status_history_conf_t *conf,
    ngx_status_history_open_t *open, void *rings, ngx_status_ladder_e level,
    int64_t number, const ngx_status_bucket_t *bucket);
void ngx_status_history_filled(const ngx_status_history_conf_t *conf,
    ngx_status_history_open_t *open, void *rings, int64_t cursor);

/*
 * The newest NGX_STATUS_TIMELINE minutes that end with now's, from "open"
 * alone; the rest as above.  A bucket takes the last state in it.  Returns
 * the number of runs, the sum of their n being NGX_STATUS_TIMELINE.
 * "runs" has that many places.  Workers.
 */

ngx_uint_t ngx_status_history_timeline(const ngx_status_history_open_t *open,
    int64_t now, ngx_status_state_e tail, int64_t tail_until,
    ngx_status_run_t *runs);


/* Both cursors: s since the epoch; 0: never. */
struct ngx_status_history_open_s {
    int64_t     time_cursor;         /* time is booked up to here */
    int64_t     result_cursor;       /* the newest result counted */

    /* minute m (since the epoch) at m % NGX_STATUS_TIMELINE: its last state */
    uint8_t     timeline[NGX_STATUS_TIMELINE];

    /* the buckets at the cursors: seconds by one, the rest by the other */
    ngx_status_tally_t        tallies[NGX_STATUS_LADDER];
    ngx_status_score_tally_t  scores[NGX_STATUS_LADDER];  /* not by minute */

    /* latencies of the hour at the result cursor, by bin */
    uint16_t    bins[NGX_STATUS_HISTORY_BINS];
};


#endif /* _NGX_STATUS_HISTORY_H_INCLUDED_ */
