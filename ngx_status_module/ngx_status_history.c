
/*
 * Copyright (C) ngx_status_module authors
 */


#include <math.h>

#include "ngx_status_history.h"


/*
 * The ladder's rings are arrays of bits: bucket b is entry b % n of its
 * ring, an entry is
 *
 *     lap | results | mean | min | max | seconds by state
 *
 * "lap" is b / n: an entry of another lap is somebody else's, that is empty.
 * Nothing is said about the order of writes, because no entry is read
 * before a cursor committed later has passed it.
 */

#define NGX_STATUS_LAP_BITS      8
#define NGX_STATUS_LATENCY_BITS  12

typedef struct {
    int64_t      seconds;            /* of a bucket */
    ngx_uint_t   second_bits;
    ngx_uint_t   result_bits;
} ngx_status_rung_t;

static const ngx_status_rung_t  ngx_status_rungs[NGX_STATUS_LADDER] = {
    { 60,     6, 10 },
    { 3600,  12, 16 },
    { 86400, 17, 20 }
};

/* bits of an entry up to its seconds, 64 at most; and of all of it */

#define ngx_status_rung_head(rung)                                            \
    (NGX_STATUS_LAP_BITS + (rung)->result_bits + 3 * NGX_STATUS_LATENCY_BITS)

#define ngx_status_rung_bits(rung)                                            \
    (ngx_status_rung_head(rung) + NGX_STATUS_NSTATES * (rung)->second_bits)


#define ngx_status_bits_mask(n)  (~(uint64_t) 0 >> (64 - (n)))


/* A score's ring and a histogram's: entry number % n, empty for another. */

typedef struct {
    uint16_t     number;             /* the low bits, here and below */
    uint16_t     n;
    float        first, last, min, max;
} ngx_status_score_entry_t;

typedef struct {
    uint16_t     number;
    uint8_t      counts[NGX_STATUS_HISTORY_BINS];    /* as 5 bit floats */
} ngx_status_bins_entry_t;


/*
 * Histograms have rungs of their own.  One more is kept than any window
 * needs, so that the windows stand when a checker has died after closing
 * one.  An upper rung is summed up from the lower one when it closes.
 */

typedef struct {
    int64_t      seconds;
    ngx_uint_t   n;                  /* kept */
} ngx_status_bins_rung_t;

#define NGX_STATUS_BINS_RUNGS  3

static const ngx_status_bins_rung_t  ngx_status_bins_rungs[] = {
    { 3600,       25 },
    { 86400,      31 },
    { 30 * 86400, 14 }
};


/* Where things are in the memory of the rings. */

typedef struct {
    ngx_status_bins_entry_t   *bins[NGX_STATUS_BINS_RUNGS];
    ngx_status_score_entry_t  *scores[NGX_STATUS_LADDER];
    int64_t                    nscores[NGX_STATUS_LADDER];    /* 0: none */
    uint64_t                  *entries[NGX_STATUS_LADDER];
    int64_t                    nentries[NGX_STATUS_LADDER];
    size_t                     size;
} ngx_status_rings_t;


static void ngx_status_rings_locate(const ngx_status_history_conf_t *conf,
    const void *rings, ngx_status_rings_t *r);

static void ngx_status_history_begin(ngx_status_rings_t *r,
    ngx_status_history_open_t *open, int64_t at);
static void ngx_status_history_rewind(ngx_status_rings_t *r,
    ngx_status_history_open_t *open, int64_t to);
static void ngx_status_history_forget(ngx_status_rings_t *r, int64_t from,
    int64_t to);
static void ngx_status_history_close_bins(ngx_status_rings_t *r,
    ngx_status_history_open_t *open, int64_t at);

static ngx_uint_t ngx_status_entry_find(const ngx_status_rings_t *r,
    ngx_uint_t level, int64_t number, size_t *at);
static size_t ngx_status_entry_claim(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number);
static void ngx_status_entry_put_seconds(ngx_status_rings_t *r,
    ngx_uint_t level, int64_t number, const uint32_t *seconds);
static void ngx_status_entry_put_results(ngx_status_rings_t *r,
    ngx_uint_t level, int64_t number, const ngx_status_tally_t *tally);
static void ngx_status_entry_add_seconds(const uint64_t *words, size_t at,
    const ngx_status_rung_t *rung, ngx_status_tally_t *tally);
static void ngx_status_entry_add_results(uint64_t head,
    const ngx_status_rung_t *rung, ngx_status_tally_t *tally);

static void ngx_status_range_add(const ngx_status_rings_t *r,
    const ngx_status_history_open_t *open, ngx_uint_t level, int64_t from,
    int64_t to, ngx_status_tally_t *tally);
static void ngx_status_tally_add_results(ngx_status_tally_t *tally,
    const ngx_status_tally_t *add);

static void ngx_status_bins_windows(const ngx_status_rings_t *r,
    const ngx_status_history_open_t *open, int64_t end,
    ngx_status_window_t *windows);
static void ngx_status_bins_add(const ngx_status_rings_t *r, ngx_uint_t level,
    int64_t from, int64_t to, uint32_t *bins);
static void ngx_status_bins_percentiles(const uint32_t *bins,
    ngx_status_window_t *window);
static ngx_uint_t ngx_status_bin(uint32_t latency);
static uint32_t ngx_status_bin_value(ngx_uint_t bin);

static ngx_uint_t ngx_status_float_code(uint32_t value, ngx_uint_t mantissa);
static uint32_t ngx_status_float_value(ngx_uint_t code, ngx_uint_t mantissa);
static uint64_t ngx_status_bits_get(const uint64_t *words, size_t at,
    ngx_uint_t n);
static void ngx_status_bits_put(uint64_t *words, size_t at, ngx_uint_t n,
    uint64_t value);


const ngx_str_t  ngx_status_window_names[NGX_STATUS_WINDOWS] = {
    ngx_string("1h"),
    ngx_string("24h"),
    ngx_string("7d"),
    ngx_string("30d"),
    ngx_string("90d"),
    ngx_string("365d")
};


const uint32_t  ngx_status_window_seconds[NGX_STATUS_WINDOWS] = {
    3600, 86400, 7 * 86400, 30 * 86400, 90 * 86400, 365 * 86400
};


size_t
ngx_status_history_size(const ngx_status_history_conf_t *conf)
{
    ngx_status_rings_t  r;

    ngx_status_rings_locate(conf, NULL, &r);

    return (r.size + 7) & ~(size_t) 7;
}


static void
ngx_status_rings_locate(const ngx_status_history_conf_t *conf,
    const void *rings, ngx_status_rings_t *r)
{
    size_t      bits;
    ngx_uint_t  i;
    uintptr_t   p;

    p = (uintptr_t) rings;

    r->nentries[NGX_STATUS_MINUTES] = conf->minutes;
    r->nentries[NGX_STATUS_HOURS] = conf->hours;
    r->nentries[NGX_STATUS_DAYS] = conf->days;

    r->nscores[NGX_STATUS_MINUTES] = 0;
    r->nscores[NGX_STATUS_HOURS] = conf->scores
                                   ? NGX_STATUS_HISTORY_SCORE_HOURS : 0;
    r->nscores[NGX_STATUS_DAYS] = conf->scores ? conf->days : 0;

    for (i = 0; i < NGX_STATUS_LADDER; i++) {
        bits = r->nentries[i] * ngx_status_rung_bits(&ngx_status_rungs[i]);
        r->entries[i] = (uint64_t *) p;

        /* and a word more, because two are read at a time */
        p += ((bits + 63) / 64 + 1) * sizeof(uint64_t);
    }

    for (i = 0; i < NGX_STATUS_LADDER; i++) {
        r->scores[i] = (ngx_status_score_entry_t *) p;
        p += r->nscores[i] * sizeof(ngx_status_score_entry_t);
    }

    for (i = 0; i < NGX_STATUS_BINS_RUNGS; i++) {
        r->bins[i] = (ngx_status_bins_entry_t *) p;
        p += ngx_status_bins_rungs[i].n * sizeof(ngx_status_bins_entry_t);
    }

    r->size = p - (uintptr_t) rings;
}


void
ngx_status_history_advance(const ngx_status_history_conf_t *conf,
    ngx_status_history_open_t *open, void *rings, int64_t until,
    ngx_status_state_e state)
{
    int64_t              first, last, oldest, n, s;
    uint32_t            *seconds, full[NGX_STATUS_NSTATES];
    ngx_uint_t           i;
    ngx_status_rings_t   r;

    if (until <= 0) {
        return;
    }

    ngx_status_rings_locate(conf, rings, &r);

    if (open->time_cursor == 0) {
        ngx_status_history_begin(&r, open, until);
        return;
    }

    if (until <= open->time_cursor) {

        if (open->time_cursor - until > NGX_STATUS_HISTORY_STEP) {
            ngx_status_history_rewind(&r, open, until);
        }

        return;
    }

    for (i = 0; i < NGX_STATUS_LADDER; i++) {

        s = ngx_status_rungs[i].seconds;
        seconds = open->tallies[i].seconds;

        first = open->time_cursor / s;
        last = until / s;

        if (first == last) {
            seconds[state] += until - open->time_cursor;
            continue;
        }

        /* an entry may belong to a later result by now */

        oldest = ngx_max(until, open->result_cursor) / s - r.nentries[i];

        seconds[state] += (first + 1) * s - open->time_cursor;

        if (first >= oldest) {
            ngx_status_entry_put_seconds(&r, i, first, seconds);
        }

        memset(full, 0, sizeof(full));
        full[state] = s;

        for (n = ngx_max(first + 1, oldest); n < last; n++) {
            ngx_status_entry_put_seconds(&r, i, n, full);
        }

        memset(seconds, 0, sizeof(full));
        seconds[state] = until - last * s;
    }

    first = open->time_cursor / 60;
    last = (until - 1) / 60;

    for (n = ngx_max(first, last - NGX_STATUS_TIMELINE + 1); n <= last; n++) {
        open->timeline[n % NGX_STATUS_TIMELINE] = state;
    }

    open->time_cursor = until;
}


/*
 * A checker that was killed before it committed its first cursor may have
 * booked time already.
 */

static void
ngx_status_history_begin(ngx_status_rings_t *r,
    ngx_status_history_open_t *open, int64_t at)
{
    int64_t     n, last, oldest;
    uint32_t    nothing[NGX_STATUS_NSTATES];
    ngx_uint_t  i;

    memset(nothing, 0, sizeof(nothing));

    for (i = 0; i < NGX_STATUS_LADDER; i++) {

        last = at / ngx_status_rungs[i].seconds;

        oldest = ngx_max(at, open->result_cursor)
                 / ngx_status_rungs[i].seconds - r->nentries[i];

        for (n = ngx_max(oldest, 0); n < last; n++) {
            ngx_status_entry_put_seconds(r, i, n, nothing);
        }
    }

    open->time_cursor = at;
}


void
ngx_status_history_result(const ngx_status_history_conf_t *conf,
    ngx_status_history_open_t *open, void *rings,
    const ngx_status_result_t *result, const ngx_status_score_t *score)
{
    float                      value;
    int64_t                    at, first, oldest, s;
    ngx_uint_t                 i, bin;
    ngx_status_tally_t        *tally, one;
    ngx_status_rings_t         r;
    ngx_status_score_entry_t  *entry;
    ngx_status_score_tally_t  *scores;

    at = result->at / 1000;

    if (at <= 0) {
        return;
    }

    ngx_status_rings_locate(conf, rings, &r);

    if (open->result_cursor - at > NGX_STATUS_HISTORY_STEP) {
        ngx_status_history_rewind(&r, open, at);
    }

    at = ngx_max(at, open->result_cursor);

    if (open->result_cursor / 60 != at / 60) {

        /* what a killed checker has closed ahead, and not committed */

        ngx_status_history_forget(&r, open->result_cursor, at);

        if (open->result_cursor) {
            ngx_status_history_close_bins(&r, open, at);
        }
    }

    memset(&one, 0, sizeof(ngx_status_tally_t));

    if (result->state == NGX_STATUS_UP
        || result->state == NGX_STATUS_DEGRADED
        || result->state == NGX_STATUS_BOT_DETECTED)
    {
        one.results = 1;
        one.sum = result->latency;
        one.min = result->latency;
        one.max = result->latency;

        bin = ngx_status_bin(result->latency);

        if (open->bins[bin] < 0xffff) {
            open->bins[bin]++;
        }
    }

    for (i = 0; i < NGX_STATUS_LADDER; i++) {

        s = ngx_status_rungs[i].seconds;
        tally = &open->tallies[i];
        scores = &open->scores[i];

        first = open->result_cursor / s;

        if (first != at / s) {

            /* an entry may belong to a later time by now */

            oldest = ngx_max(at, open->time_cursor) / s - r.nentries[i];

            if (first && first >= oldest) {
                ngx_status_entry_put_results(&r, i, first, tally);
            }

            if (first && r.nscores[i]) {
                entry = &r.scores[i][first % r.nscores[i]];
                entry->number = first;
                entry->n = ngx_min(scores->n, 0xffff);
                entry->first = scores->first;
                entry->last = scores->last;
                entry->min = scores->min;
                entry->max = scores->max;
            }

            tally->results = 0;
            tally->sum = 0;
            tally->min = 0;
            tally->max = 0;

            memset(scores, 0, sizeof(ngx_status_score_tally_t));
        }

        ngx_status_tally_add_results(tally, &one);

        if (score == NULL || isnan(score->value) || r.nscores[i] == 0) {
            continue;
        }

        value = score->value;

        if (scores->n++ == 0) {
            scores->first = value;
            scores->min = value;
            scores->max = value;
        }

        scores->last = value;
        scores->min = ngx_min(scores->min, value);
        scores->max = ngx_max(scores->max, value);
    }

    open->result_cursor = at;
}


/*
 * The clock says that what lies behind "to" has never been.  The open
 * buckets are summed up anew from closed ones; the begin of the minute at
 * "to" can not be told from its end and is dropped too.
 */

static void
ngx_status_history_rewind(ngx_status_rings_t *r,
    ngx_status_history_open_t *open, int64_t to)
{
    size_t              seconds;
    int64_t             n, last, minute, hour, day;
    ngx_uint_t          i;
    ngx_status_tally_t  tallies[NGX_STATUS_LADDER], *tally;

    minute = to / 60;
    hour = to / 3600;
    day = to / 86400;

    memset(tallies, 0, sizeof(tallies));

    ngx_status_range_add(r, open, NGX_STATUS_MINUTES, hour * 60, minute,
                         &tallies[NGX_STATUS_HOURS]);

    tallies[NGX_STATUS_DAYS] = tallies[NGX_STATUS_HOURS];

    ngx_status_range_add(r, open, NGX_STATUS_HOURS, day * 24, hour,
                         &tallies[NGX_STATUS_DAYS]);

    seconds = sizeof(tallies[0].seconds);

    if (open->time_cursor > to) {

        for (i = 0; i < NGX_STATUS_LADDER; i++) {
            ngx_memcpy(open->tallies[i].seconds, tallies[i].seconds, seconds);
        }

        last = open->time_cursor / 60;

        for (n = ngx_max(minute, last - NGX_STATUS_TIMELINE + 1);
             n <= last;
             n++)
        {
            open->timeline[n % NGX_STATUS_TIMELINE] = NGX_STATUS_UNKNOWN;
        }

        open->time_cursor = to;
    }

    if (open->result_cursor > to) {

        for (i = 0; i < NGX_STATUS_LADDER; i++) {
            tally = &open->tallies[i];
            ngx_memcpy(tallies[i].seconds, tally->seconds, seconds);
            *tally = tallies[i];
        }

        memset(open->scores, 0, sizeof(open->scores));
        memset(open->bins, 0, sizeof(open->bins));

        ngx_status_history_forget(r, to, open->result_cursor);

        open->result_cursor = to;
    }
}


/* Empties what results have left in the rings' buckets of [from, to]. */

static void
ngx_status_history_forget(ngx_status_rings_t *r, int64_t from, int64_t to)
{
    size_t                     at;
    int64_t                    n, first, last, kept;
    ngx_uint_t                 i;
    ngx_status_tally_t         nothing;
    ngx_status_bins_entry_t   *bins;
    ngx_status_score_entry_t  *score;

    memset(&nothing, 0, sizeof(ngx_status_tally_t));

    for (i = 0; i < NGX_STATUS_LADDER; i++) {

        first = from / ngx_status_rungs[i].seconds;
        last = to / ngx_status_rungs[i].seconds;

        kept = r->nentries[i];

        for (n = ngx_max(first, last - kept + 1); n <= last; n++) {
            if (ngx_status_entry_find(r, i, n, &at)) {
                ngx_status_entry_put_results(r, i, n, &nothing);
            }
        }

        kept = r->nscores[i];

        for (n = ngx_max(first, last - kept + 1); n <= last; n++) {
            score = &r->scores[i][n % kept];

            if (score->number == (uint16_t) n) {
                memset(score, 0, sizeof(ngx_status_score_entry_t));
            }
        }
    }

    for (i = 0; i < NGX_STATUS_BINS_RUNGS; i++) {

        first = from / ngx_status_bins_rungs[i].seconds;
        last = to / ngx_status_bins_rungs[i].seconds;

        kept = ngx_status_bins_rungs[i].n;

        for (n = ngx_max(first, last - kept + 1); n <= last; n++) {
            bins = &r->bins[i][n % kept];

            if (bins->number == (uint16_t) n) {
                memset(bins, 0, sizeof(ngx_status_bins_entry_t));
            }
        }
    }
}


/*
 * Writes the histograms of the hour, the day and the 30 days that end
 * between the result cursor and "at".  What they are summed up from stays
 * as it is however often this is repeated.
 */

static void
ngx_status_history_close_bins(ngx_status_rings_t *r,
    ngx_status_history_open_t *open, int64_t at)
{
    int64_t                        n, s, parts;
    uint32_t                       bins[NGX_STATUS_HISTORY_BINS];
    ngx_uint_t                     i, k;
    ngx_status_bins_entry_t       *entry;
    const ngx_status_bins_rung_t  *rung;

    for (i = 0; i < NGX_STATUS_BINS_RUNGS; i++) {

        rung = &ngx_status_bins_rungs[i];

        s = rung->seconds;
        n = open->result_cursor / s;

        if (n == at / s) {
            return;
        }

        memset(bins, 0, sizeof(bins));

        if (i == 0) {
            for (k = 0; k < NGX_STATUS_HISTORY_BINS; k++) {
                bins[k] = open->bins[k];
            }

            memset(open->bins, 0, sizeof(open->bins));

        } else {
            parts = s / ngx_status_bins_rungs[i - 1].seconds;
            ngx_status_bins_add(r, i - 1, n * parts, (n + 1) * parts, bins);
        }

        entry = &r->bins[i][n % rung->n];
        entry->number = n;

        for (k = 0; k < NGX_STATUS_HISTORY_BINS; k++) {
            entry->counts[k] = ngx_min(ngx_status_float_code(bins[k], 4),
                                       255);
        }
    }
}


void
ngx_status_history_windows(const ngx_status_history_conf_t *conf,
    const ngx_status_history_open_t *open, const void *rings, int64_t now,
    ngx_status_state_e tail, int64_t tail_until,
    ngx_status_window_t windows[NGX_STATUS_WINDOWS])
{
    int64_t               from, begin, end, hour, day, done;
    ngx_uint_t            i, k;
    ngx_status_rings_t    r;
    ngx_status_tally_t    tally, days;
    ngx_status_window_t  *w;

    ngx_status_rings_locate(conf, rings, &r);

    memset(windows, 0, NGX_STATUS_WINDOWS * sizeof(ngx_status_window_t));

    end = ngx_max(open->time_cursor, open->result_cursor);
    end = ngx_max(end, now);

    tail_until = ngx_min(tail_until, end);
    tail_until = ngx_max(tail_until, open->time_cursor);

    /* a longer window has all the days of a shorter one */

    memset(&days, 0, sizeof(ngx_status_tally_t));
    done = end / 86400 + 1;

    for (i = 0; i < NGX_STATUS_WINDOWS; i++) {

        w = &windows[i];

        from = end - ngx_status_window_seconds[i];
        from = ngx_max(from, 0);

        /* minutes up to the hour, hours up to the day, then days */

        if (from / 60 >= end / 60 - r.nentries[NGX_STATUS_MINUTES]) {
            begin = from / 60 * 60;

        } else if (from / 3600 >= end / 3600 - r.nentries[NGX_STATUS_HOURS]) {
            begin = from / 3600 * 3600;

        } else {
            begin = from / 86400 * 86400;
        }

        hour = (begin + 3599) / 3600;
        day = (hour + 23) / 24;

        memset(&tally, 0, sizeof(ngx_status_tally_t));

        ngx_status_range_add(&r, open, NGX_STATUS_MINUTES, begin / 60,
                             hour * 60, &tally);
        ngx_status_range_add(&r, open, NGX_STATUS_HOURS, hour, day * 24,
                             &tally);

        ngx_status_range_add(&r, open, NGX_STATUS_DAYS, day, done, &days);
        done = ngx_min(day, done);

        ngx_status_tally_add_results(&tally, &days);

        if (open->time_cursor) {
            from = ngx_max(begin, open->time_cursor);

            if (tail_until > from) {
                tally.seconds[tail] += tail_until - from;
                from = tail_until;
            }

            tally.seconds[NGX_STATUS_UNKNOWN] += end - from;
        }

        for (k = 0; k < NGX_STATUS_NSTATES; k++) {
            w->seconds[k] = tally.seconds[k] + days.seconds[k];
            w->span += w->seconds[k];
        }

        w->known = w->span - w->seconds[NGX_STATUS_UNKNOWN]
                   - w->seconds[NGX_STATUS_MAINTENANCE];

        w->results = tally.results;

        if (w->results) {
            w->mean = (tally.sum + w->results / 2) / w->results;
            w->min = tally.min;
            w->max = tally.max;
        }
    }

    ngx_status_bins_windows(&r, open, end, windows);
}


void
ngx_status_history_bucket(const ngx_status_history_conf_t *conf,
    const ngx_status_history_open_t *open, const void *rings,
    ngx_status_ladder_e level, int64_t number, ngx_status_tally_t *tally,
    ngx_status_score_tally_t *score)
{
    int64_t                    cursor, kept;
    ngx_status_rings_t         r;
    ngx_status_score_entry_t  *entry;

    ngx_status_rings_locate(conf, rings, &r);

    memset(tally, 0, sizeof(ngx_status_tally_t));
    ngx_status_range_add(&r, open, level, number, number + 1, tally);

    if (score == NULL) {
        return;
    }

    memset(score, 0, sizeof(ngx_status_score_tally_t));

    cursor = open->result_cursor / ngx_status_rungs[level].seconds;
    kept = r.nscores[level];

    if (number == cursor) {
        *score = open->scores[level];

    } else if (number < cursor && number >= cursor - kept && number > 0) {
        entry = &r.scores[level][number % kept];

        if (entry->number == (uint16_t) number) {
            score->n = entry->n;
            score->first = entry->first;
            score->last = entry->last;
            score->min = entry->min;
            score->max = entry->max;
        }
    }
}


void
ngx_status_history_copy(const ngx_status_history_open_t *open,
    const ngx_status_history_conf_t *from, const void *old,
    const ngx_status_history_conf_t *to, void *rings)
{
    size_t              at, dst, n, end;
    int64_t             newest, number, kept;
    uint64_t            bits;
    ngx_uint_t          i;
    ngx_status_rings_t  a, b;

    if (memcmp(from, to, sizeof(ngx_status_history_conf_t)) == 0) {
        memcpy(rings, old, ngx_status_history_size(to));
        return;
    }

    ngx_status_rings_locate(from, old, &a);
    ngx_status_rings_locate(to, rings, &b);

    for (i = 0; i < NGX_STATUS_LADDER; i++) {

        newest = ngx_max(open->time_cursor, open->result_cursor)
                 / ngx_status_rungs[i].seconds;

        kept = ngx_min(a.nentries[i], b.nentries[i]);

        for (number = ngx_max(newest - kept, 0); number < newest; number++) {

            if (!ngx_status_entry_find(&a, i, number, &at)) {
                continue;
            }

            /* the lap is another one, the rest is the same */

            dst = ngx_status_entry_claim(&b, i, number) + NGX_STATUS_LAP_BITS;
            end = at + ngx_status_rung_bits(&ngx_status_rungs[i]);

            for (at += NGX_STATUS_LAP_BITS; at < end; at += n, dst += n) {
                n = ngx_min(end - at, 64);
                bits = ngx_status_bits_get(a.entries[i], at, n);
                ngx_status_bits_put(b.entries[i], dst, n, bits);
            }
        }

        kept = ngx_min(a.nscores[i], b.nscores[i]);

        for (number = ngx_max(newest - kept, 0); number < newest; number++) {
            b.scores[i][number % b.nscores[i]] =
                                      a.scores[i][number % a.nscores[i]];
        }
    }

    for (i = 0; i < NGX_STATUS_BINS_RUNGS; i++) {
        memcpy(b.bins[i], a.bins[i], ngx_status_bins_rungs[i].n
                                     * sizeof(ngx_status_bins_entry_t));
    }
}


ngx_uint_t
ngx_status_history_timeline(const ngx_status_history_open_t *open,
    int64_t now, ngx_status_state_e tail, int64_t tail_until,
    ngx_status_run_t *runs)
{
    int64_t     n, last, second;
    ngx_uint_t  state, nruns;

    now = ngx_max(now, open->time_cursor);
    last = now / 60;
    nruns = 0;

    for (n = last - NGX_STATUS_TIMELINE + 1; n <= last; n++) {

        second = ngx_min(n * 60 + 59, now);

        if (open->time_cursor == 0 || n < 0) {
            state = NGX_STATUS_UNKNOWN;

        } else if (second < open->time_cursor) {
            state = open->timeline[n % NGX_STATUS_TIMELINE];

        } else if (second < tail_until) {
            state = tail;

        } else {
            state = NGX_STATUS_UNKNOWN;
        }

        if (nruns == 0 || runs[nruns - 1].state != state) {
            runs[nruns].state = state;
            runs[nruns].n = 0;
            nruns++;
        }

        runs[nruns - 1].n++;
    }

    return nruns;
}


/* Entries. */


static ngx_uint_t
ngx_status_entry_find(const ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, size_t *at)
{
    size_t   entry;
    uint8_t  lap;

    entry = number % r->nentries[level];
    lap = number / r->nentries[level];

    *at = entry * ngx_status_rung_bits(&ngx_status_rungs[level]);

    return ngx_status_bits_get(r->entries[level], *at, NGX_STATUS_LAP_BITS)
           == lap;
}


static size_t
ngx_status_entry_claim(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number)
{
    size_t       at, end, bit;
    ngx_uint_t   n;

    if (!ngx_status_entry_find(r, level, number, &at)) {

        end = at + ngx_status_rung_bits(&ngx_status_rungs[level]);

        for (bit = at; bit < end; bit += n) {
            n = ngx_min(end - bit, 64);
            ngx_status_bits_put(r->entries[level], bit, n, 0);
        }

        ngx_status_bits_put(r->entries[level], at, NGX_STATUS_LAP_BITS,
                            number / r->nentries[level]);
    }

    return at;
}


static void
ngx_status_entry_put_seconds(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, const uint32_t *seconds)
{
    size_t                    at;
    ngx_uint_t                i;
    const ngx_status_rung_t  *rung;

    rung = &ngx_status_rungs[level];

    at = ngx_status_entry_claim(r, level, number);
    at += ngx_status_rung_head(rung);

    for (i = 0; i < NGX_STATUS_NSTATES; i++) {
        ngx_status_bits_put(r->entries[level], at, rung->second_bits,
                            seconds[i]);
        at += rung->second_bits;
    }
}


static void
ngx_status_entry_put_results(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, const ngx_status_tally_t *tally)
{
    size_t                    at;
    uint32_t                  n, mean;
    uint64_t                 *words;
    const ngx_status_rung_t  *rung;

    rung = &ngx_status_rungs[level];
    words = r->entries[level];

    n = ngx_min(tally->results, (1u << rung->result_bits) - 1);
    mean = tally->results
           ? (tally->sum + tally->results / 2) / tally->results : 0;

    at = ngx_status_entry_claim(r, level, number) + NGX_STATUS_LAP_BITS;

    ngx_status_bits_put(words, at, rung->result_bits, n);
    at += rung->result_bits;

    ngx_status_bits_put(words, at, NGX_STATUS_LATENCY_BITS,
                        ngx_status_float_code(mean, 7));
    at += NGX_STATUS_LATENCY_BITS;

    ngx_status_bits_put(words, at, NGX_STATUS_LATENCY_BITS,
                        ngx_status_float_code(tally->min, 7));
    at += NGX_STATUS_LATENCY_BITS;

    ngx_status_bits_put(words, at, NGX_STATUS_LATENCY_BITS,
                        ngx_status_float_code(tally->max, 7));
}


static void
ngx_status_entry_add_seconds(const uint64_t *words, size_t at,
    const ngx_status_rung_t *rung, ngx_status_tally_t *tally)
{
    uint32_t    n;
    ngx_uint_t  i;

    at += ngx_status_rung_head(rung);

    /* mostly "up" is all there is */

    n = ngx_status_bits_get(words, at + NGX_STATUS_UP * rung->second_bits,
                            rung->second_bits);

    if (n == rung->seconds) {
        tally->seconds[NGX_STATUS_UP] += n;
        return;
    }

    for (i = 0; i < NGX_STATUS_NSTATES; i++) {
        tally->seconds[i] += ngx_status_bits_get(words, at, rung->second_bits);
        at += rung->second_bits;
    }
}


/* "head" is the entry up to its seconds; it fits into 64 bits. */

static void
ngx_status_entry_add_results(uint64_t head, const ngx_status_rung_t *rung,
    ngx_status_tally_t *tally)
{
    ngx_uint_t          code;
    ngx_status_tally_t  add;

    head >>= NGX_STATUS_LAP_BITS;
    add.results = head & ngx_status_bits_mask(rung->result_bits);

    if (add.results == 0) {
        return;
    }

    head >>= rung->result_bits;
    code = head & ngx_status_bits_mask(NGX_STATUS_LATENCY_BITS);
    add.sum = (uint64_t) add.results * ngx_status_float_value(code, 7);

    head >>= NGX_STATUS_LATENCY_BITS;
    code = head & ngx_status_bits_mask(NGX_STATUS_LATENCY_BITS);
    add.min = ngx_status_float_value(code, 7);

    head >>= NGX_STATUS_LATENCY_BITS;
    add.max = ngx_status_float_value(head, 7);

    ngx_status_tally_add_results(tally, &add);
}


/* Adds the buckets [from, to), the open ones among them. */

static void
ngx_status_range_add(const ngx_status_rings_t *r,
    const ngx_status_history_open_t *open, ngx_uint_t level, int64_t from,
    int64_t to, ngx_status_tally_t *tally)
{
    size_t                    at, bits;
    int64_t                   n, first, last, times, results, kept;
    uint8_t                   lap;
    uint64_t                  head, *words;
    ngx_uint_t                i;
    const ngx_status_rung_t  *rung;

    rung = &ngx_status_rungs[level];
    words = r->entries[level];
    kept = r->nentries[level];

    times = open->time_cursor / rung->seconds;
    results = open->result_cursor / rung->seconds;

    if (from <= times && times < to) {
        for (i = 0; i < NGX_STATUS_NSTATES; i++) {
            tally->seconds[i] += open->tallies[level].seconds[i];
        }
    }

    if (from <= results && results < to) {
        ngx_status_tally_add_results(tally, &open->tallies[level]);
    }

    first = ngx_max(from, ngx_max(times, results) - kept);
    last = ngx_min(to, ngx_max(times, results));

    bits = ngx_status_rung_bits(rung);
    at = first % kept * bits;
    lap = first / kept;

    for (n = first; n < last; n++) {

        head = ngx_status_bits_get(words, at, ngx_status_rung_head(rung));

        if ((uint8_t) head == lap) {

            if (n < times) {
                ngx_status_entry_add_seconds(words, at, rung, tally);
            }

            if (n < results) {
                ngx_status_entry_add_results(head, rung, tally);
            }
        }

        at += bits;

        if (at == kept * bits) {
            at = 0;
            lap++;
        }
    }
}


static void
ngx_status_tally_add_results(ngx_status_tally_t *tally,
    const ngx_status_tally_t *add)
{
    if (add->results == 0) {
        return;
    }

    if (tally->results == 0) {
        tally->min = add->min;
        tally->max = add->max;
    }

    tally->min = ngx_min(tally->min, add->min);
    tally->max = ngx_max(tally->max, add->max);
    tally->results += add->results;
    tally->sum += add->sum;
}


/* Histograms. */


static void
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

        if (entry->number != (uint16_t) n) {
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
                bins[k] += ngx_status_float_value(entry->counts[k], 4);
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

    for (i = 0, k = 0, seen = 0; i < 3; i++) {

        rank = (total * percentiles[i].percent + 99) / 100;

        while (k < NGX_STATUS_HISTORY_BINS && seen + bins[k] < rank) {
            seen += bins[k++];
        }

        /* a window's histogram may reach back further than its results */

        value = ngx_status_bin_value(k);
        value = ngx_max(value, window->min);
        value = ngx_min(value, window->max);

        into = (uint32_t *) ((u_char *) window + percentiles[i].offset);
        *into = value;
    }
}


static ngx_uint_t
ngx_status_bin(uint32_t latency)
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


static uint32_t
ngx_status_bin_value(ngx_uint_t bin)
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


/* Floating point of "mantissa" bits and one that is not written down. */


static ngx_uint_t
ngx_status_float_code(uint32_t value, ngx_uint_t mantissa)
{
    uint64_t    v;
    ngx_uint_t  shift;

    v = value;

    for (shift = 0; v >> (shift + mantissa + 1); shift++) { /* void */ }

    if (shift == 0) {
        return value;
    }

    /* rounding up to the next power of two carries into the exponent */

    v = (v + (1u << (shift - 1))) >> shift;

    return (shift << mantissa) + v;
}


static uint32_t
ngx_status_float_value(ngx_uint_t code, ngx_uint_t mantissa)
{
    uint64_t    v;
    ngx_uint_t  shift;

    if (code >> (mantissa + 1) == 0) {
        return code;
    }

    shift = (code >> mantissa) - 1;
    v = (uint64_t) (code - (shift << mantissa)) << shift;

    return ngx_min(v, 0xffffffff);
}


static uint64_t
ngx_status_bits_get(const uint64_t *words, size_t at, ngx_uint_t n)
{
    uint64_t  v;

    words += at / 64;
    at %= 64;

    v = words[0] >> at | words[1] << 1 << (63 - at);

    return v & ngx_status_bits_mask(n);
}


static void
ngx_status_bits_put(uint64_t *words, size_t at, ngx_uint_t n, uint64_t value)
{
    uint64_t  mask;

    words += at / 64;
    at %= 64;

    mask = ngx_status_bits_mask(n);
    value &= mask;

    words[0] = (words[0] & ~(mask << at)) | value << at;
    words[1] = (words[1] & ~(mask >> 1 >> (63 - at))) | value >> 1 >> (63 - at);
}
