
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_rings.h"
#include <math.h>


static void ngx_status_history_begin(ngx_status_rings_t *r,
    ngx_status_history_open_t *open, int64_t at);
static void ngx_status_history_rewind(ngx_status_rings_t *r,
    ngx_status_history_open_t *open, int64_t to);
static void ngx_status_history_forget(ngx_status_rings_t *r, int64_t from,
    int64_t to);


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
            ngx_status_rings_put_seconds(&r, i, first, seconds);
        }

        memset(full, 0, sizeof(full));
        full[state] = s;

        for (n = ngx_max(first + 1, oldest); n < last; n++) {
            ngx_status_rings_put_seconds(&r, i, n, full);
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
    ngx_uint_t  i;

    for (i = 0; i < NGX_STATUS_LADDER; i++) {

        last = at / ngx_status_rungs[i].seconds;

        oldest = ngx_max(at, open->result_cursor)
                 / ngx_status_rungs[i].seconds - r->nentries[i];

        for (n = ngx_max(oldest, 0); n < last; n++) {
            ngx_status_rings_clear_seconds(r, i, n);
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

        /* of a killed checker, or of a time that has never been */

        ngx_status_history_forget(&r, open->result_cursor, at);

        if (open->result_cursor) {
            ngx_status_bins_close(&r, open, at);
        }
    }

    memset(&one, 0, sizeof(ngx_status_tally_t));

    if (ngx_status_timed(result->state, result->latency)) {
        one.results = 1;
        one.sum = result->latency;
        one.min = result->latency;
        one.max = result->latency;

        bin = ngx_status_history_bin(result->latency);

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
                ngx_status_rings_put_results(&r, i, first, tally);
            }

            ngx_status_rings_put_score(&r, i, first, scores);

            tally->results = 0;
            tally->sum = 0;
            tally->min = 0;
            tally->max = 0;

            memset(scores, 0, sizeof(ngx_status_score_tally_t));
        }

        ngx_status_tally_add(tally, &one);

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

    ngx_status_rings_add(r, open, NGX_STATUS_MINUTES, hour * 60, minute,
                         &tallies[NGX_STATUS_HOURS]);

    tallies[NGX_STATUS_DAYS] = tallies[NGX_STATUS_HOURS];

    ngx_status_rings_add(r, open, NGX_STATUS_HOURS, day * 24, hour,
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

        open->result_cursor = to;
    }
}


/* Empties what results have left in the rings' buckets of [from, to]. */

static void
ngx_status_history_forget(ngx_status_rings_t *r, int64_t from, int64_t to)
{
    int64_t     n, first, last, kept;
    ngx_uint_t  i;

    for (i = 0; i < NGX_STATUS_LADDER; i++) {

        first = from / ngx_status_rungs[i].seconds;
        last = to / ngx_status_rungs[i].seconds;

        kept = r->nentries[i];

        for (n = ngx_max(first, last - kept + 1); n <= last; n++) {
            ngx_status_rings_clear_results(r, i, n);
        }

        kept = r->nscores[i];

        for (n = ngx_max(first, last - kept + 1); n <= last; n++) {
            ngx_status_rings_clear_score(r, i, n);
        }
    }

    for (i = 0; i < NGX_STATUS_BINS_RUNGS; i++) {

        first = from / ngx_status_bins_rungs[i].seconds;
        last = to / ngx_status_bins_rungs[i].seconds;

        kept = ngx_status_bins_rungs[i].n;

        for (n = ngx_max(first, last - kept + 1); n <= last; n++) {
            ngx_status_bins_clear(r, i, n);
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

        ngx_status_rings_add(&r, open, NGX_STATUS_MINUTES, begin / 60,
                             hour * 60, &tally);
        ngx_status_rings_add(&r, open, NGX_STATUS_HOURS, hour, day * 24,
                             &tally);

        ngx_status_rings_add(&r, open, NGX_STATUS_DAYS, day, done, &days);
        done = day;

        ngx_status_tally_add(&tally, &days);

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
    int64_t             cursor, kept;
    ngx_status_rings_t  r;

    ngx_status_rings_locate(conf, rings, &r);

    memset(tally, 0, sizeof(ngx_status_tally_t));
    ngx_status_rings_add(&r, open, level, number, number + 1, tally);

    if (score == NULL) {
        return;
    }

    memset(score, 0, sizeof(ngx_status_score_tally_t));

    cursor = open->result_cursor / ngx_status_rungs[level].seconds;
    kept = r.nscores[level];

    if (number == cursor) {
        *score = open->scores[level];

    } else if (number < cursor && number >= cursor - kept && number > 0) {
        ngx_status_rings_get_score(&r, level, number, score);
    }
}


void
ngx_status_history_copy(const ngx_status_history_open_t *open,
    const ngx_status_history_conf_t *from, const void *old,
    const ngx_status_history_conf_t *to, void *rings)
{
    int64_t                   newest, number, kept;
    ngx_uint_t                i;
    ngx_status_rings_t        a, b;
    ngx_status_score_tally_t  score;

    if (memcmp(from, to, sizeof(ngx_status_history_conf_t)) == 0) {
        memcpy(rings, old, ngx_status_history_size(to));
        return;
    }

    ngx_status_rings_locate(from, old, &a);
    ngx_status_rings_locate(to, rings, &b);

    for (i = 0; i < NGX_STATUS_LADDER; i++) {

        newest = ngx_max(open->time_cursor, open->result_cursor)
                 / ngx_status_rungs[i].seconds;

        ngx_status_rings_copy(&a, &b, i, newest);

        kept = ngx_min(a.nscores[i], b.nscores[i]);

        for (number = ngx_max(newest - kept, 0); number < newest; number++) {
            ngx_status_rings_get_score(&a, i, number, &score);
            ngx_status_rings_put_score(&b, i, number, &score);
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
    int64_t         n, last, kept, booked, told, len, most;
    ngx_uint_t      state, nruns;
    const uint8_t  *p;

    last = now / 60;
    nruns = 0;

    /*
     * The first minute that is not whole in the ring, and not told by tail.
     * A clock that was set back has minutes ahead in there; they took the
     * place of others.
     */

    booked = open->time_cursor / 60;
    kept = (open->time_cursor - 1) / 60 - NGX_STATUS_TIMELINE + 1;
    kept = ngx_max(kept, 0);
    told = open->time_cursor == 0 ? 0
           : now < tail_until ? last + 1 : ngx_min(last, tail_until / 60);

    for (n = last - NGX_STATUS_TIMELINE + 1; n <= last; n += len) {

        most = last + 1 - n;

        if (n < kept) {
            state = NGX_STATUS_UNKNOWN;
            len = ngx_min(most, kept - n);

        } else if (n < booked) {
            p = &open->timeline[n % NGX_STATUS_TIMELINE];
            most = ngx_min(most, booked - n);
            most = ngx_min(most, open->timeline + NGX_STATUS_TIMELINE - p);
            state = *p;
            len = 1;

            /* mostly all are the same: by eights while they are */
            while (len + 8 <= most && memcmp(p + len - 1, p + len, 8) == 0) {
                len += 8;
            }

            while (len < most && p[len] == state) {
                len++;
            }

        } else if (n < told) {
            state = tail;
            len = told - n;

        } else {
            state = NGX_STATUS_UNKNOWN;
            len = most;
        }

        if (nruns == 0 || runs[nruns - 1].state != state) {
            runs[nruns].state = state;
            runs[nruns].n = 0;
            nruns++;
        }

        runs[nruns - 1].n += len;
    }

    return nruns;
}


/* Floating point of "mantissa" bits and one that is not written down. */
