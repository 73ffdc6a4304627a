
/*
 * Copyright (C) ngx_status_module authors
 *
 * History: hand-computed uptimes, percentiles against a sort, and random
 * schedules against a reference that knows every second.
 */

/* sources: ngx_status_module/ngx_status_history.c
   ngx_status_module/ngx_status_history_fill.c
   ngx_status_module/ngx_status_rings.c
   ngx_status_module/ngx_status_histogram.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <cmocka.h>

#include "../../ngx_status_module/ngx_status_history.h"


#define TEST_DAY       86400
#define TEST_SECONDS   (20 * TEST_DAY)
#define TEST_MARGIN    (4 * 3600)                /* for clocks going back */
#define TEST_RESULTS   20000
#define TEST_NEVER     0xff                      /* not covered */

#define W1H    0
#define W24H   1
#define W7D    2
#define W30D   3
#define W90D   4
#define W365D  5


typedef struct {
    ngx_status_history_conf_t   conf;
    ngx_status_history_open_t   open;
    void                       *rings;
} test_history_t;


/* Every second since "base", and every result. */

typedef struct {
    int64_t     base;
    int64_t     time_cursor;
    int64_t     result_cursor;
    int64_t     newest;                          /* that any clock said */
    int64_t     timeline;                        /* minutes lost before */
    uint8_t     seconds[TEST_SECONDS];
    ngx_uint_t  n;
    struct {
        int64_t   at;
        uint32_t  latency;
    } results[TEST_RESULTS];
} test_reference_t;


static const ngx_status_history_conf_t  test_default = { 1440, 720, 400, 0 };
static const ngx_status_history_conf_t  test_small = { 240, 48, 400, 1 };

static const int64_t  test_bucket[NGX_STATUS_LADDER] = { 60, 3600, TEST_DAY };

static test_reference_t  test_reference;
static uint64_t          test_seed;


static uint32_t
test_random(uint32_t below)
{
    test_seed = test_seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return (uint32_t) ((test_seed >> 33) % below);
}


static void
test_init(test_history_t *h, const ngx_status_history_conf_t *conf)
{
    memset(h, 0, sizeof(test_history_t));

    h->conf = *conf;
    h->rings = calloc(1, ngx_status_history_size(conf));
    assert_non_null(h->rings);
}


static void
test_advance(test_history_t *h, int64_t until, ngx_status_state_e state)
{
    ngx_status_history_advance(&h->conf, &h->open, h->rings, until, state);
}


static void
test_result(test_history_t *h, int64_t at, ngx_status_state_e state,
    uint32_t latency, const double *value)
{
    ngx_status_score_t   score;
    ngx_status_result_t  result;

    memset(&result, 0, sizeof(result));
    result.at = at * 1000 + 999;
    result.state = state;
    result.latency = latency;

    if (value) {
        memset(&score, 0, sizeof(score));
        score.value = *value;
    }

    ngx_status_history_result(&h->conf, &h->open, h->rings, &result,
                              value ? &score : NULL);
}


static void
test_windows(test_history_t *h, int64_t now, ngx_status_state_e tail,
    int64_t tail_until, ngx_status_window_t *w)
{
    ngx_uint_t  i, k;
    uint32_t    sum;

    ngx_status_history_windows(&h->conf, &h->open, h->rings, now, tail,
                               tail_until, w);

    for (i = 0; i < NGX_STATUS_WINDOWS; i++) {

        for (k = 0, sum = 0; k < NGX_STATUS_NSTATES; k++) {
            sum += w[i].seconds[k];
        }

        assert_int_equal(sum, w[i].span);
        assert_int_equal(sum - w[i].seconds[NGX_STATUS_UNKNOWN]
                         - w[i].seconds[NGX_STATUS_MAINTENANCE], w[i].known);

        /* at most the bucket in which the window begins is too much */

        assert_true(w[i].span < ngx_status_window_seconds[i] + TEST_DAY);

        if (w[i].results) {
            assert_true(w[i].min <= w[i].mean && w[i].mean <= w[i].max);
            assert_true(w[i].min <= w[i].p50 && w[i].p50 <= w[i].p95);
            assert_true(w[i].p95 <= w[i].p99 && w[i].p99 <= w[i].max);
        }
    }
}


static double
test_uptime(const ngx_status_window_t *w)
{
    return (double) (w->seconds[NGX_STATUS_UP]
                     + w->seconds[NGX_STATUS_DEGRADED]) / w->known;
}


static void
test_size(void **state)
{
    ngx_status_history_conf_t  conf;

    (void) state;

    conf = test_default;

    assert_true(ngx_status_history_size(&conf) <= 48700);
    assert_int_equal(ngx_status_history_size(&conf) % 8, 0);
    assert_true(sizeof(ngx_status_history_open_t) <= 1536);

    conf.scores = 1;
    assert_true(ngx_status_history_size(&conf) <= 58200);

    print_message("# %u bytes of rings, %u with scores, %u open\n",
                  (unsigned) ngx_status_history_size(&test_default),
                  (unsigned) ngx_status_history_size(&conf),
                  (unsigned) sizeof(ngx_status_history_open_t));
}


/* 2026-01-05 was a Monday; all of this is counted by hand. */

static void
test_uptimes(void **state)
{
    int64_t              day, midnight;
    test_history_t       h;
    ngx_status_window_t  w[NGX_STATUS_WINDOWS];

    (void) state;

    midnight = 1767571200;

    test_init(&h, &test_default);

    /* nothing yet, then a cursor without time */

    test_windows(&h, midnight, NGX_STATUS_UP, midnight + 60, w);
    assert_int_equal(w[W24H].span, 0);
    assert_int_equal(w[W365D].span, 0);

    test_advance(&h, midnight + 8 * 3600, NGX_STATUS_DOWN);
    test_windows(&h, midnight + 8 * 3600, NGX_STATUS_UP, 0, w);
    assert_int_equal(w[W24H].span, 0);

    /* up from 8:00:00, down 10:00:10 to 10:05:40, a gap at 11:00 to 11:30 */

    test_advance(&h, midnight + 36010, NGX_STATUS_UP);
    test_advance(&h, midnight + 36340, NGX_STATUS_DOWN);
    test_advance(&h, midnight + 39600, NGX_STATUS_UP);
    test_advance(&h, midnight + 41400, NGX_STATUS_UNKNOWN);
    test_advance(&h, midnight + 43200, NGX_STATUS_DEGRADED);

    /* 12:00: the hour is half unknown */

    test_windows(&h, midnight + 43200, NGX_STATUS_UP, midnight + 99999, w);
    assert_int_equal(w[W1H].span, 3600);
    assert_int_equal(w[W1H].known, 1800);
    assert_int_equal(w[W1H].seconds[NGX_STATUS_DEGRADED], 1800);
    assert_true(test_uptime(&w[W1H]) == 1);

    assert_int_equal(w[W24H].span, 4 * 3600);
    assert_int_equal(w[W24H].known, 4 * 3600 - 1800);
    assert_int_equal(w[W24H].seconds[NGX_STATUS_DOWN], 330);
    assert_true(fabs(test_uptime(&w[W24H]) - 12270.0 / 12600) < 1e-12);
    assert_memory_equal(w[W24H].seconds, w[W365D].seconds,
                        sizeof(w[W24H].seconds));

    /* 12:10:30, valid up to 12:02:00; the hour begins at 11:10:00 */

    test_windows(&h, midnight + 43830, NGX_STATUS_DEGRADED, midnight + 43320,
                 w);
    assert_int_equal(w[W1H].span, 3630);
    assert_int_equal(w[W1H].seconds[NGX_STATUS_DEGRADED], 1920);
    assert_int_equal(w[W1H].seconds[NGX_STATUS_UNKNOWN], 1200 + 510);

    /* next day at 10:01:00: the day begins within the outage */

    test_advance(&h, midnight + TEST_DAY + 36060, NGX_STATUS_UP);
    test_windows(&h, midnight + TEST_DAY + 36060, NGX_STATUS_UP, 0, w);
    assert_int_equal(w[W24H].span, TEST_DAY);
    assert_int_equal(w[W24H].seconds[NGX_STATUS_DOWN], 280);
    assert_int_equal(w[W24H].seconds[NGX_STATUS_UNKNOWN], 1800);
    assert_int_equal(w[W24H].seconds[NGX_STATUS_DEGRADED], 1800);
    assert_int_equal(w[W24H].seconds[NGX_STATUS_UP],
                     TEST_DAY - 280 - 1800 - 1800);

    /* and at 10:06:59, when it has just left */

    test_windows(&h, midnight + TEST_DAY + 36419, NGX_STATUS_UP,
                 midnight + 2 * TEST_DAY, w);
    assert_int_equal(w[W24H].span, TEST_DAY + 59);
    assert_int_equal(w[W24H].seconds[NGX_STATUS_DOWN], 0);

    /* 500 days with an hour of maintenance and 864 s down in each */

    for (day = 2; day < 502; day++) {
        test_advance(&h, midnight + day * TEST_DAY, NGX_STATUS_UP);
        test_advance(&h, midnight + day * TEST_DAY + 864, NGX_STATUS_DOWN);
        test_advance(&h, midnight + day * TEST_DAY + 864 + 3600,
                     NGX_STATUS_MAINTENANCE);
    }

    test_advance(&h, midnight + day * TEST_DAY, NGX_STATUS_UP);
    test_windows(&h, midnight + day * TEST_DAY, NGX_STATUS_UP, 0, w);

    for (day = W24H; day <= W365D; day++) {
        assert_int_equal(w[day].span, ngx_status_window_seconds[day]);
        assert_int_equal(w[day].known, w[day].span / 24 * 23);
        assert_int_equal(w[day].seconds[NGX_STATUS_DOWN], w[day].span / 100);
        assert_true(fabs(test_uptime(&w[day])
                         - (1 - 0.01 / (23.0 / 24))) < 1e-12);
    }

    free(h.rings);
}


static void
test_timeline(void **state)
{
    int64_t           midnight;
    ngx_uint_t        n;
    test_history_t    h;
    ngx_status_run_t  runs[NGX_STATUS_TIMELINE];

    (void) state;

    midnight = 1767571200;
    test_init(&h, &test_default);

    n = ngx_status_history_timeline(&h.open, midnight, NGX_STATUS_UP,
                                    midnight + 60, runs);
    assert_int_equal(n, 1);
    assert_int_equal(runs[0].state, NGX_STATUS_UNKNOWN);
    assert_int_equal(runs[0].n, NGX_STATUS_TIMELINE);

    /* a bucket takes the last state in it */

    test_advance(&h, midnight, NGX_STATUS_UP);
    test_advance(&h, midnight + 90, NGX_STATUS_UP);
    test_advance(&h, midnight + 180, NGX_STATUS_DOWN);
    test_advance(&h, midnight + 200, NGX_STATUS_TIMEOUT);

    n = ngx_status_history_timeline(&h.open, midnight + 200,
                                    NGX_STATUS_DEGRADED, midnight + 300, runs);
    assert_int_equal(n, 4);
    assert_int_equal(runs[0].state, NGX_STATUS_UNKNOWN);
    assert_int_equal(runs[0].n, NGX_STATUS_TIMELINE - 4);
    assert_int_equal(runs[1].state, NGX_STATUS_UP);
    assert_int_equal(runs[1].n, 1);
    assert_int_equal(runs[2].state, NGX_STATUS_DOWN);
    assert_int_equal(runs[2].n, 2);
    assert_int_equal(runs[3].state, NGX_STATUS_DEGRADED);
    assert_int_equal(runs[3].n, 1);

    /* what is out of date is unknown */

    n = ngx_status_history_timeline(&h.open, midnight + 600, NGX_STATUS_UP,
                                    midnight + 300, runs);
    assert_int_equal(n, 5);
    assert_int_equal(runs[3].state, NGX_STATUS_UP);
    assert_int_equal(runs[3].n, 2);
    assert_int_equal(runs[4].state, NGX_STATUS_UNKNOWN);
    assert_int_equal(runs[4].n, 6);

    /* and all of it has left after four hours */

    test_advance(&h, midnight + 4 * 3600 + 180, NGX_STATUS_UP);
    n = ngx_status_history_timeline(&h.open, midnight + 4 * 3600 + 179,
                                    NGX_STATUS_UP, midnight + 99999, runs);
    assert_int_equal(n, 1);
    assert_int_equal(runs[0].state, NGX_STATUS_UP);
    assert_int_equal(runs[0].n, NGX_STATUS_TIMELINE);

    free(h.rings);
}


/* A clock that runs away and comes back; rings of the least length. */

static void
test_clock(void **state)
{
    int64_t              start;
    test_history_t       h;
    ngx_status_tally_t   tally;
    ngx_status_window_t  w[NGX_STATUS_WINDOWS];

    static const ngx_status_history_conf_t  least = { 240, 48, 1, 1 };

    (void) state;

    start = 1767571200 + 1000;
    test_init(&h, &least);

    test_advance(&h, start, NGX_STATUS_UP);
    test_advance(&h, start + 7200, NGX_STATUS_UP);
    test_result(&h, start + 7200, NGX_STATUS_UP, 1000, NULL);

    /* some minutes back: ignored */

    test_advance(&h, start + 7000, NGX_STATUS_DOWN);
    test_result(&h, start + 7000, NGX_STATUS_UP, 3000, NULL);
    test_windows(&h, start + 7000, NGX_STATUS_DOWN, start + 9000, w);
    assert_int_equal(w[W24H].span, 7200);
    assert_int_equal(w[W24H].seconds[NGX_STATUS_UP], 7200);
    assert_int_equal(w[W24H].results, 2);
    assert_int_equal(w[W24H].mean, 2000);

    /* forty years ahead, and as far beyond what rings can tell apart */

    test_advance(&h, start + 40LL * 365 * TEST_DAY, NGX_STATUS_UNKNOWN);
    test_result(&h, start + 40LL * 365 * TEST_DAY, NGX_STATUS_UP, 1000, NULL);
    test_windows(&h, start + 40LL * 365 * TEST_DAY, NGX_STATUS_UP, 0, w);
    assert_int_equal(w[W1H].seconds[NGX_STATUS_UNKNOWN], w[W1H].span);
    assert_int_equal(w[W1H].results, 1);

    test_advance(&h, INT64_MAX / 1000, NGX_STATUS_UNKNOWN);
    test_result(&h, INT64_MAX / 1000 - 1, NGX_STATUS_UP, 1000, NULL);

    /* back again: history goes on, and the future has never been */

    test_advance(&h, start + 7260, NGX_STATUS_UP);
    assert_int_equal(h.open.time_cursor, start + 7260);
    assert_int_equal(h.open.result_cursor, start + 7260);

    test_advance(&h, start + 3 * 7200, NGX_STATUS_DEGRADED);
    test_result(&h, start + 3 * 7200, NGX_STATUS_UP, 1000, NULL);
    test_windows(&h, start + 3 * 7200, NGX_STATUS_UP, 0, w);
    assert_int_equal(w[W24H].seconds[NGX_STATUS_DEGRADED], 2 * 7200 - 60);
    assert_int_equal(w[W24H].seconds[NGX_STATUS_UNKNOWN], 0);
    assert_int_equal(w[W24H].results, 1);
    assert_int_equal(w[W24H].p99, 1000);

    ngx_status_history_bucket(&h.conf, &h.open, h.rings, NGX_STATUS_MINUTES,
                              (start + 10000) / 60, &tally, NULL);
    assert_int_equal(tally.seconds[NGX_STATUS_DEGRADED], 60);

    /* before the epoch there is nothing */

    test_advance(&h, 0, NGX_STATUS_DOWN);
    test_advance(&h, -5, NGX_STATUS_DOWN);
    test_result(&h, 0, NGX_STATUS_UP, 1000, NULL);
    test_result(&h, -9, NGX_STATUS_UP, 1000, NULL);
    assert_int_equal(h.open.time_cursor, start + 3 * 7200);
    assert_int_equal(h.open.result_cursor, start + 3 * 7200);

    free(h.rings);
}


/* One cursor a lap of the ring ahead of the other. */

static void
test_cursors(void **state)
{
    int64_t             lap, start;
    test_history_t      h;
    ngx_status_tally_t  tally;

    (void) state;

    start = 1767571200;
    lap = start + 240 * 60;

    test_init(&h, &test_small);

    test_advance(&h, start, NGX_STATUS_UP);
    test_result(&h, start, NGX_STATUS_UP, 1000, NULL);
    test_result(&h, lap, NGX_STATUS_UP, 1000, NULL);
    test_result(&h, lap + 60, NGX_STATUS_UP, 1000, NULL);
    test_advance(&h, start + 90, NGX_STATUS_UP);

    ngx_status_history_bucket(&h.conf, &h.open, h.rings, NGX_STATUS_MINUTES,
                              lap / 60, &tally, NULL);
    assert_int_equal(tally.results, 1);

    test_advance(&h, lap + 240 * 60 + 120, NGX_STATUS_UP);
    test_result(&h, lap + 240 * 60 + 120, NGX_STATUS_UP, 1000, NULL);

    ngx_status_history_bucket(&h.conf, &h.open, h.rings, NGX_STATUS_MINUTES,
                              (lap + 240 * 60) / 60, &tally, NULL);
    assert_int_equal(tally.seconds[NGX_STATUS_UP], 60);
    assert_int_equal(tally.results, 0);

    free(h.rings);
}


static void
test_scores(void **state)
{
    double                    value;
    int64_t                   at, midnight;
    test_history_t            h;
    ngx_status_tally_t        tally;
    ngx_status_score_tally_t  score;

    (void) state;

    midnight = 1767571200;
    test_init(&h, &test_small);

    /* 0 1 2 3 in each hour, for 200 hours; every ninth hour has none */

    for (at = midnight; at < midnight + 200 * 3600; at += 900) {
        value = at % 3600 / 900 + (at - midnight) / 3600 * 10;

        if ((at - midnight) / 3600 % 9 == 8) {
            value = NAN;
        }

        test_result(&h, at, NGX_STATUS_DOWN, 1000, &value);
        test_result(&h, at, NGX_STATUS_DOWN, 1000, NULL);
    }

    ngx_status_history_bucket(&h.conf, &h.open, h.rings, NGX_STATUS_HOURS,
                              midnight / 3600 + 199, &tally, &score);
    assert_int_equal(score.n, 4);
    assert_true(score.first == 1990 && score.last == 1993);

    ngx_status_history_bucket(&h.conf, &h.open, h.rings, NGX_STATUS_HOURS,
                              midnight / 3600 + 190, &tally, &score);
    assert_int_equal(score.n, 1);
    assert_true(score.first == 1900 && score.last == 1903);
    assert_true(score.min == 1900 && score.max == 1903);
    assert_int_equal(tally.results, 0);

    ngx_status_history_bucket(&h.conf, &h.open, h.rings, NGX_STATUS_HOURS,
                              midnight / 3600 + 188, &tally, &score);
    assert_int_equal(score.n, 0);

    ngx_status_history_bucket(&h.conf, &h.open, h.rings, NGX_STATUS_HOURS,
                              midnight / 3600 + 20, &tally, &score);
    assert_int_equal(score.n, 0);

    ngx_status_history_bucket(&h.conf, &h.open, h.rings, NGX_STATUS_DAYS,
                              midnight / TEST_DAY, &tally, &score);
    assert_int_equal(score.n, 1);
    assert_true(score.first == 0 && score.last == 233);
    assert_true(score.min == 0 && score.max == 233);

    ngx_status_history_bucket(&h.conf, &h.open, h.rings, NGX_STATUS_MINUTES,
                              (at - 900) / 60, &tally, &score);
    assert_int_equal(score.n, 0);

    free(h.rings);
}


static int
test_compare(const void *one, const void *two)
{
    uint32_t  a, b;

    a = *(const uint32_t *) one;
    b = *(const uint32_t *) two;

    return (a > b) - (a < b);
}


/*
 * The value must be within 6.25 % of one whose rank is off by at most five
 * per cent of the tail: below three counts of five bits cannot err more.
 */

static void
test_percentile(const uint32_t *sorted, ngx_uint_t n, double q,
    uint32_t value)
{
    double      slack;
    ngx_uint_t  low, high;

    slack = (1 - q) * 0.05 * n;

    low = ngx_max(ceil(q * n - slack), 1);
    high = ngx_min(ceil(q * n + slack), n);

    if (value < sorted[low - 1] * (1 - 0.0625)
        || value > sorted[high - 1] * (1 + 0.0625))
    {
        fail_msg("p%g of %u is %u, not %u to %u", q * 100, (unsigned) n,
                 value, sorted[low - 1], sorted[high - 1]);
    }
}


static void
test_percentiles(void **state)
{
    double               x;
    int64_t              at, start, end, from, s, step;
    uint32_t            *latencies, *sorted;
    ngx_uint_t           i, k, n, round;
    test_history_t       h;
    ngx_status_window_t  w[NGX_STATUS_WINDOWS];

    static const int64_t  rungs[] = { 3600, TEST_DAY, 30 * TEST_DAY };

    (void) state;

    latencies = malloc(200000 * sizeof(uint32_t));
    sorted = malloc(200000 * sizeof(uint32_t));
    assert_true(latencies && sorted);

    for (round = 0; round < 4; round++) {

        test_seed = round;
        test_init(&h, &test_default);

        /* by 17 s for a day, by 301 s for 400 days */

        step = round % 2 ? 301 : 17;
        start = 1767571200 + test_random(90 * TEST_DAY);
        end = start + (round % 2 ? 400 * TEST_DAY : 2 * TEST_DAY);

        for (at = start, n = 0; at < end; at += step, n++) {

            /* a hump at 20 ms with a long tail, or a flat one */

            x = 0;

            for (i = 0; i < 12; i++) {
                x += test_random(1000) / 1000.0;
            }

            x = (x - 6) * (round < 2 ? 0.7 : 0.2) + log(20000);

            if (test_random(50) == 0) {
                x += test_random(500) / 100.0;
            }

            latencies[n] = ngx_min(exp(x), 3e7);
            test_result(&h, at, NGX_STATUS_UP, latencies[n], NULL);
        }

        at -= step;
        test_windows(&h, at, NGX_STATUS_UP, at, w);

        for (i = 0; i < NGX_STATUS_WINDOWS; i++) {
            s = rungs[i / 2];
            from = (at - ngx_status_window_seconds[i]) / s * s;

            for (k = 0; start + (int64_t) k * step < from; k++) { /* void */ }

            memcpy(sorted, &latencies[k], (n - k) * sizeof(uint32_t));
            qsort(sorted, n - k, sizeof(uint32_t), test_compare);

            test_percentile(sorted, n - k, 0.5, w[i].p50);
            test_percentile(sorted, n - k, 0.95, w[i].p95);
            test_percentile(sorted, n - k, 0.99, w[i].p99);
        }

        free(h.rings);
    }

    /* beyond both ends, and one alone: exact */

    test_init(&h, &test_default);

    test_result(&h, start, NGX_STATUS_UP, 50, NULL);
    test_windows(&h, start, NGX_STATUS_UP, 0, w);
    assert_int_equal(w[W1H].p50, 50);
    assert_int_equal(w[W365D].p99, 50);

    test_result(&h, start, NGX_STATUS_UP, 0xffffffff, NULL);
    test_windows(&h, start, NGX_STATUS_UP, 0, w);
    assert_int_equal(w[W1H].p50, 64);
    assert_int_equal(w[W365D].p99, 0xffffffff);

    /* what is no answer has no latency, nor has what was not timed */

    test_result(&h, start, NGX_STATUS_DOWN, 7, NULL);
    test_result(&h, start, NGX_STATUS_TIMEOUT, 7, NULL);
    test_result(&h, start, NGX_STATUS_UNKNOWN, 7, NULL);
    test_result(&h, start, NGX_STATUS_UP, 0, NULL);
    test_result(&h, start, NGX_STATUS_DEGRADED, 100, NULL);
    test_result(&h, start, NGX_STATUS_BOT_DETECTED, 100, NULL);
    test_windows(&h, start, NGX_STATUS_UP, 0, w);
    assert_int_equal(w[W1H].results, 4);
    assert_int_equal(w[W1H].min, 50);

    free(h.rings);
    free(latencies);
    free(sorted);
}


/* The reference. */


static void
test_reference_rewind(test_reference_t *r, int64_t to)
{
    int64_t     s;
    ngx_uint_t  i, n;

    /* the minute's begin is dropped as well */

    if (r->time_cursor > to) {

        for (s = to / 60 * 60; s < r->time_cursor; s++) {
            if (s >= r->base) {
                r->seconds[s - r->base] = TEST_NEVER;
            }
        }

        r->timeline = ngx_max(r->timeline,
                              r->time_cursor / 60 - NGX_STATUS_TIMELINE + 1);
        r->time_cursor = to;
    }

    if (r->result_cursor > to) {

        for (i = 0, n = 0; i < r->n; i++) {
            if (r->results[i].at < to / 60 * 60) {
                r->results[n++] = r->results[i];
            }
        }

        r->n = n;
        r->result_cursor = to;
    }
}


static void
test_reference_advance(test_reference_t *r, int64_t until, uint8_t state)
{
    if (r->time_cursor == 0) {
        r->time_cursor = until;
        return;
    }

    if (r->time_cursor - until > NGX_STATUS_HISTORY_STEP) {
        test_reference_rewind(r, until);
        return;
    }

    while (r->time_cursor < until) {
        r->seconds[r->time_cursor++ - r->base] = state;
    }
}


static void
test_reference_result(test_reference_t *r, int64_t at, uint8_t state,
    uint32_t latency)
{
    if (r->result_cursor - at > NGX_STATUS_HISTORY_STEP) {
        test_reference_rewind(r, at);
    }

    at = ngx_max(at, r->result_cursor);
    r->result_cursor = at;

    if (state >= NGX_STATUS_UP && state <= NGX_STATUS_BOT_DETECTED
        && latency != 0)
    {
        assert_true(r->n < TEST_RESULTS);
        r->results[r->n].at = at;
        r->results[r->n++].latency = latency;
    }
}


/* Within 0.4 %, or one rounded twice after a step of the clock. */

static void
test_near(uint32_t value, double expected)
{
    if (fabs(value - expected) > expected * 0.008 + 1) {
        fail_msg("%u, not %.1f", value, expected);
    }
}


static void
test_sum(const test_reference_t *r, int64_t from, int64_t to,
    uint32_t *seconds, ngx_status_tally_t *tally)
{
    int64_t     s;
    ngx_uint_t  i;

    for (s = ngx_max(from, r->base); s < ngx_min(to, r->time_cursor); s++) {
        if (r->seconds[s - r->base] != TEST_NEVER) {
            seconds[r->seconds[s - r->base]]++;
        }
    }

    memset(tally, 0, sizeof(ngx_status_tally_t));

    for (i = 0; i < r->n; i++) {

        if (r->results[i].at < from || r->results[i].at >= to) {
            continue;
        }

        if (tally->results++ == 0) {
            tally->min = r->results[i].latency;
            tally->max = r->results[i].latency;
        }

        tally->sum += r->results[i].latency;
        tally->min = ngx_min(tally->min, r->results[i].latency);
        tally->max = ngx_max(tally->max, r->results[i].latency);
    }
}


static void
test_check(test_history_t *h, const test_reference_t *r, int64_t now)
{
    int64_t              s, n, from, end, until;
    uint8_t              tail, state;
    uint32_t             seconds[NGX_STATUS_NSTATES];
    ngx_uint_t           i, k, nruns, all;
    ngx_status_run_t     runs[NGX_STATUS_TIMELINE];
    ngx_status_tally_t   tally, bucket;
    ngx_status_window_t  w[NGX_STATUS_WINDOWS];

    assert_int_equal(h->open.time_cursor, r->time_cursor);
    assert_int_equal(h->open.result_cursor, r->result_cursor);

    tail = test_random(NGX_STATUS_NSTATES);
    until = now - 600 + test_random(1200);

    test_windows(h, now, tail, until, w);

    end = ngx_max(r->time_cursor, r->result_cursor);
    end = ngx_max(end, now);

    for (i = 0, all = 0; i < NGX_STATUS_WINDOWS; i++) {

        from = end - ngx_status_window_seconds[i];

        if (from / 60 >= end / 60 - h->conf.minutes) {
            from = from / 60 * 60;

        } else if (from / 3600 >= end / 3600 - h->conf.hours) {
            from = from / 3600 * 3600;

        } else {
            from = from / TEST_DAY * TEST_DAY;
        }

        if (!all) {
            memset(seconds, 0, sizeof(seconds));
            test_sum(r, from, end + 1, seconds, &tally);

            s = r->time_cursor ? ngx_max(from, r->time_cursor) : end;

            for ( /* void */ ; s < end; s++) {
                seconds[s < until ? tail : NGX_STATUS_UNKNOWN]++;
            }
        }

        all = from <= r->base;                   /* the next ones are equal */

        assert_memory_equal(seconds, w[i].seconds, sizeof(seconds));
        assert_int_equal(tally.results, w[i].results);

        if (tally.results) {
            test_near(w[i].mean, (double) tally.sum / tally.results);
            test_near(w[i].min, tally.min);
            test_near(w[i].max, tally.max);
        }
    }

    for (i = 0; i < 12; i++) {
        k = i % NGX_STATUS_LADDER;
        s = test_bucket[k];

        from = k == NGX_STATUS_MINUTES ? h->conf.minutes
               : k == NGX_STATUS_HOURS ? h->conf.hours : h->conf.days;
        n = ngx_max(end, r->newest) / s - test_random(i < 6 ? 3 : from + 1);

        memset(seconds, 0, sizeof(seconds));
        test_sum(r, n * s, (n + 1) * s, seconds, &tally);

        ngx_status_history_bucket(&h->conf, &h->open, h->rings, k, n, &bucket,
                                  NULL);

        assert_memory_equal(seconds, bucket.seconds, sizeof(seconds));
        assert_int_equal(tally.results, bucket.results);

        if (tally.results) {
            test_near(bucket.sum / bucket.results,
                      (double) tally.sum / tally.results);
            test_near(bucket.min, tally.min);
            test_near(bucket.max, tally.max);
        }
    }

    nruns = ngx_status_history_timeline(&h->open, now, tail, until, runs);

    end = ngx_max(now, r->time_cursor);
    n = now / 60 - NGX_STATUS_TIMELINE + 1;

    for (i = 0; i < nruns; i++) {

        assert_true(runs[i].n != 0);
        assert_true(i == 0 || runs[i].state != runs[i - 1].state);

        for (k = 0; k < runs[i].n; k++, n++) {

            s = ngx_min(n * 60 + 59, end);
            state = NGX_STATUS_UNKNOWN;

            if (s < r->time_cursor) {
                if (s >= r->base && n >= r->timeline
                    && n > (r->time_cursor - 1) / 60 - NGX_STATUS_TIMELINE
                    && r->seconds[s - r->base] != TEST_NEVER)
                {
                    state = r->seconds[s - r->base];
                }

            } else if (s < until && r->time_cursor) {
                state = tail;
            }

            assert_int_equal(runs[i].state, state);
        }
    }

    assert_int_equal(n, now / 60 + 1);
}


/* A checker that dies before it commits: only the rings keep anything. */

static void
test_killed(test_history_t *h, int64_t now)
{
    int64_t                    at;
    ngx_uint_t                 n;
    ngx_status_history_open_t  committed;

    committed = h->open;

    for (n = test_random(3) + 1; n; n--) {

        at = now - test_random(90);

        if (test_random(2)) {
            at = ngx_max(at, h->open.time_cursor);
            test_advance(h, at, test_random(NGX_STATUS_NSTATES));

        } else {
            at = ngx_max(at, h->open.result_cursor);
            test_result(h, at, NGX_STATUS_UP, test_random(1000000), NULL);
        }
    }

    h->open = committed;
}


static void
test_schedule(const ngx_status_history_conf_t *conf, int64_t length,
    uint32_t gap)
{
    int64_t            now, at, step, back;
    uint8_t            state;
    uint32_t           latency;
    ngx_uint_t         checks, killed;
    test_history_t     h, small;
    test_reference_t  *r;

    r = &test_reference;

    test_init(&h, conf);

    memset(r->seconds, TEST_NEVER,
           ngx_min(length + 2 * TEST_MARGIN, TEST_SECONDS));

    r->base = 1767571200 + (int64_t) test_random(2000) * TEST_DAY
              + test_random(TEST_DAY);
    r->time_cursor = 0;
    r->result_cursor = 0;
    r->timeline = 0;
    r->newest = 0;
    r->n = 0;

    now = r->base + TEST_MARGIN;
    state = NGX_STATUS_UP;
    checks = 0;

    /*
     * How far the clock goes back: not so far with long rings, because
     * windows would miss what the future has overwritten.
     */

    back = conf->minutes == 240 ? 10000 : NGX_STATUS_HISTORY_STEP - 100;

    while (now - r->base < length + TEST_MARGIN && r->n < TEST_RESULTS) {

        switch (test_random(40)) {

        case 0:                                  /* suspended, or stopped */
            step = test_random(8) ? test_random(5000)
                                  : test_random(length / 2);
            now += step;
            break;

        case 1:                                  /* the clock steps back */
            now -= test_random(NGX_STATUS_HISTORY_STEP);
            now = ngx_max(now, r->newest - back);
            break;

        case 2:
            now -= NGX_STATUS_HISTORY_STEP + test_random(6000);
            now = ngx_max(now, r->newest - back);
            break;

        default:
            now += test_random(gap);
        }

        now = ngx_max(now, r->base + 3600);

        if (now - r->base >= length + TEST_MARGIN) {
            break;
        }

        r->newest = ngx_max(r->newest, now);

        if (test_random(4) == 0) {
            state = test_random(NGX_STATUS_NSTATES);
        }

        /* killed, and the successor gets at least as far */

        killed = test_random(4) == 0;

        if (killed) {
            test_killed(&h, now);
        }

        if (test_random(3)) {
            at = now - test_random(10);
            latency = test_random(1u << test_random(26));
            test_result(&h, at, state, latency, NULL);
            test_reference_result(r, at, state, latency);
        }

        if (killed) {
            test_killed(&h, now);
        }

        /* a run that may be a change holds the time cursor back */

        if (killed || test_random(5)) {
            at = now;

            if (!killed && test_random(3) == 0) {
                at -= test_random(2 * gap);
                at = ngx_max(at, r->newest - back);
            }

            test_advance(&h, at, state);
            test_reference_advance(r, at, state);
        }

        if (test_random(length > TEST_DAY ? 60 : 10) == 0 && checks < 12) {
            checks++;
            test_check(&h, r, now);
        }
    }

    test_check(&h, r, now);

    /* the same in shorter rings */

    test_init(&small, &test_small);
    small.open = h.open;
    ngx_status_history_copy(&h.open, conf, h.rings, &small.conf, small.rings);
    test_check(&small, r, now);

    free(small.rings);
    free(h.rings);
}


static void
test_schedules(void **state)
{
    ngx_uint_t  i;

    (void) state;

    for (i = 0; i < 3000; i++) {
        test_seed = i;

        if (i % 200 == 99) {
            test_schedule(i % 400 == 99 ? &test_small : &test_default,
                          15 * TEST_DAY, 4000);

        } else if (i % 20 == 9) {
            test_schedule(i % 40 == 9 ? &test_small : &test_default,
                          2 * TEST_DAY, 900);

        } else {
            test_schedule(i % 2 ? &test_small : &test_default,
                          3600 + test_random(4 * 3600), 120);
        }
    }
}


/*
 * What a closed bucket is made of comes back as it was: seconds to the second,
 * however they are shared out, and scores to the last of their bits.
 */

static void
test_packed(void **state)
{
    float                     *into;
    int64_t                    first, n, kept, s, left, part;
    ngx_uint_t                 i, k, level, lap;
    test_history_t             h;
    ngx_status_tally_t         tally;
    ngx_status_bucket_t       *buckets, *b;
    ngx_status_score_tally_t   score;
    ngx_status_history_conf_t  conf;

    static const float  values[] = {
        0, 0.98f, 1234567, -0.5f, 99.99f, 16777215, 1e-30f, 3.4e38f
    };

    (void) state;

    test_seed = 7;
    conf = test_default;
    conf.scores = 1;
    buckets = calloc(conf.minutes, sizeof(ngx_status_bucket_t));

    for (level = 0; level < NGX_STATUS_LADDER; level++) {

        s = test_bucket[level];
        kept = level == NGX_STATUS_MINUTES ? conf.minutes
               : level == NGX_STATUS_HOURS ? conf.hours : conf.days;

        test_init(&h, &conf);

        for (lap = 0; lap < 12; lap++) {
            first = 1767571200 / TEST_DAY * TEST_DAY / s + lap * kept;

            for (n = 0; n < kept; n++) {
                b = &buckets[n];
                memset(b, 0, sizeof(ngx_status_bucket_t));

                /* all of them, some in any order, halves, one, more than is */

                left = n % 3 ? s : test_random(s + 1);

                for (i = test_random(2 * NGX_STATUS_NSTATES); i && left; i--) {
                    k = test_random(NGX_STATUS_NSTATES);
                    part = test_random(3) ? test_random(left + 1)
                           : test_random(2) ? left / 2 : left;
                    b->tally.seconds[k] += part;
                    left -= part;
                }

                b->tally.seconds[n % NGX_STATUS_NSTATES] += n % 3 ? left : 0;

                b->score.n = test_random(3);
                into = &b->score.first;

                for (i = 0; i < 4; i++) {
                    into[i] = test_random(2) ? values[test_random(8)]
                                             : test_random(1u << 24) / 64.0f;
                }

                ngx_status_history_fill(&conf, &h.open, h.rings, level,
                                        first + n, b);
            }

            ngx_status_history_filled(&conf, &h.open, h.rings,
                                      (first + kept) * s);

            for (n = 0; n < kept; n++) {
                b = &buckets[n];

                ngx_status_history_bucket(&conf, &h.open, h.rings, level,
                                          first + n, &tally, &score);
                assert_memory_equal(tally.seconds, b->tally.seconds,
                                    sizeof(tally.seconds));

                if (level == NGX_STATUS_MINUTES || b->score.n == 0
                    || (level == NGX_STATUS_HOURS
                        && n < kept - NGX_STATUS_HISTORY_SCORE_HOURS))
                {
                    assert_int_equal(score.n, 0);

                } else {
                    assert_int_equal(score.n, 1);
                    assert_memory_equal(&score.first, &b->score.first,
                                        4 * sizeof(float));
                }
            }

            /* for hours and days that were open at the end */
            memset(h.open.tallies, 0, sizeof(h.open.tallies));
            memset(h.open.scores, 0, sizeof(h.open.scores));
        }

        /* more than there is, as a store may say */

        memset(buckets, 0, sizeof(ngx_status_bucket_t));
        buckets->tally.seconds[NGX_STATUS_UP] = s - 1;
        buckets->tally.seconds[NGX_STATUS_TIMEOUT] = 0xffffffff;
        buckets->tally.seconds[NGX_STATUS_DOWN] = 7;

        ngx_status_history_fill(&conf, &h.open, h.rings, level,
                                first + kept - 1, buckets);
        ngx_status_history_filled(&conf, &h.open, h.rings,
                                  (first + kept) * s);
        ngx_status_history_bucket(&conf, &h.open, h.rings, level,
                                  first + kept - 1, &tally, &score);

        for (i = 0, left = s; i < NGX_STATUS_NSTATES; i++) {
            left -= tally.seconds[i];
        }

        assert_int_equal(left, 0);
        assert_int_equal(tally.seconds[NGX_STATUS_UP], s - 1);

        free(h.rings);
    }

    free(buckets);
}


/*
 * Buckets that were written down as they closed make the same history again:
 * the very last hour and day need not have been.
 */

static void
test_filled(void **state)
{
    double                     value;
    int64_t                    now, end, n, closed, from;
    ngx_uint_t                 i, k, round, level, count[NGX_STATUS_LADDER];
    test_history_t             h, f;
    ngx_status_run_t           runs[NGX_STATUS_TIMELINE];
    ngx_status_run_t           again[NGX_STATUS_TIMELINE];
    ngx_status_bucket_t       *written[NGX_STATUS_LADDER], *b;
    ngx_status_state_e         now_state;
    ngx_status_window_t        a[NGX_STATUS_WINDOWS], w[NGX_STATUS_WINDOWS];
    ngx_status_history_conf_t  conf;

    (void) state;

    conf = test_default;
    conf.scores = 1;

    for (round = 0; round < 6; round++) {
        test_seed = round;
        test_init(&h, &conf);
        test_init(&f, &conf);

        from = 1767571200 + test_random(40 * TEST_DAY);
        end = from + test_random(round < 3 ? 3 * TEST_DAY : 120 * TEST_DAY);
        end = end / 60 * 60;

        if (round > 3) {
            end = end / TEST_DAY * TEST_DAY;
        }

        for (level = 0; level < NGX_STATUS_LADDER; level++) {
            written[level] = calloc((end - from) / test_bucket[level] + 2,
                                    sizeof(ngx_status_bucket_t));
            assert_non_null(written[level]);
            count[level] = 0;
        }

        now_state = NGX_STATUS_UP;

        for (now = from; /* void */ ; now += 30 + test_random(300)) {

            now = ngx_min(now, end);

            test_advance(&h, now, now_state);

            if (test_random(20) == 0) {
                now_state = test_random(NGX_STATUS_NSTATES);
            }

            value = test_random(100);
            test_result(&h, now, now_state, 1u << test_random(27), &value);

            for (level = 0; level < NGX_STATUS_LADDER; level++) {
                closed = now / test_bucket[level];
                n = from / test_bucket[level] + count[level];

                for ( /* void */ ; n < closed; n++) {
                    b = &written[level][count[level]++];
                    ngx_status_history_bucket(&conf, &h.open, h.rings, level,
                                              n, &b->tally, level ? &b->score
                                                                  : NULL);
                    if (level) {
                        (void) ngx_status_history_bins(&conf, &h.open,
                                                h.rings, level, n, b->bins);
                    } else {
                        b->last = h.open.timeline[n % NGX_STATUS_TIMELINE];
                    }
                }
            }

            if (now == end) {
                break;
            }
        }

        for (level = NGX_STATUS_LADDER; level--; /* void */ ) {
            n = from / test_bucket[level];
            i = 0;

            if (end / test_bucket[level] - n
                > (level == NGX_STATUS_MINUTES ? conf.minutes
                   : level == NGX_STATUS_HOURS ? conf.hours : conf.days))
            {
                i = 1 + test_random(5);
            }

            /* lost ones can be told from those below, but for latencies */

            if (level && count[level] && round % 2) {
                count[level]--;
            }

            for ( /* void */ ; i < count[level]; i++) {
                ngx_status_history_fill(&conf, &f.open, f.rings, level, n + i,
                                        &written[level][i]);
            }
        }

        ngx_status_history_filled(&conf, &f.open, f.rings, end);
        memcpy(f.open.bins, h.open.bins, sizeof(h.open.bins));

        test_windows(&h, end, now_state, end, a);
        test_windows(&f, end, now_state, end, w);

        for (i = 0; i < NGX_STATUS_WINDOWS; i++) {
            assert_memory_equal(a[i].seconds, w[i].seconds,
                                sizeof(a[i].seconds));
            /* the one at the cursor belongs to the minute to come */
            assert_true(a[i].results - w[i].results <= 1);
            assert_true(i < W7D || fabs(a[i].mean - (double) w[i].mean)
                                   <= a[i].mean * 0.05);
        }

        k = ngx_status_history_timeline(&h.open, end, now_state, end, runs);
        assert_int_equal(k, ngx_status_history_timeline(&f.open, end,
                                                 now_state, end, again));
        for (i = 0; i < k; i++) {
            assert_int_equal(runs[i].n, again[i].n);
            assert_int_equal(runs[i].state, again[i].state);
        }

        for (i = 0; i < NGX_STATUS_WINDOWS && round % 2 == 0; i++) {
            assert_int_equal(a[i].p50, w[i].p50);
            assert_int_equal(a[i].p95, w[i].p95);
            assert_int_equal(a[i].p99, w[i].p99);
        }

        for (level = 0; level < NGX_STATUS_LADDER; level++) {
            free(written[level]);
        }

        free(h.rings);
        free(f.rings);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_uptimes),
        cmocka_unit_test(test_timeline),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_cursors),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_percentiles),
        cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_filled)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
