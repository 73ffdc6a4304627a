
/*
 * Copyright (C) ngx_status_module authors
 *
 * What one result after the other makes of a record: states back-dated,
 * gaps, score cards, slower answers; and the arithmetic of the schedule.
 */

/* sources: ngx_status_module/ngx_status_record.c
            ngx_status_module/ngx_status_history.c
   ngx_status_module/ngx_status_rings.c
   ngx_status_module/ngx_status_histogram.c
            ngx_status_module/ngx_status_state.c
            ngx_status_module/ngx_status_types.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>

#include "../../ngx_status_module/ngx_status_record.h"
#include "../../ngx_status_module/ngx_status_schedule.h"


#define BASE  (28333320LL * 60)      /* s; the begin of an hour */
#define HOUR  0                      /* the window of 1 h */
#define DAY   1


typedef struct {
    ngx_status_check_t          check;
    ngx_status_history_conf_t   conf;
    ngx_status_record_t         record;
    void                       *rings;
    ngx_uint_t                  changed;
} test_t;


static int
setup(void **state)
{
    test_t  *t;

    t = calloc(1, sizeof(test_t));

    t->check.interval = 60000;
    t->check.fall = 2;
    t->check.rise = 1;
    t->conf.minutes = 1440;
    t->conf.hours = 720;
    t->conf.days = 400;
    t->conf.scores = 1;
    t->rings = calloc(1, ngx_status_history_size(&t->conf));

    *state = t;

    return 0;
}


static int
teardown(void **state)
{
    test_t  *t;

    t = *state;
    free(t->rings);
    free(t);

    return 0;
}


/* A result that began "at" seconds after BASE and took "latency" us. */

static ngx_status_record_t *
feed_score(test_t *t, int64_t at, ngx_status_state_e state, uint32_t latency,
    const ngx_status_score_t *score)
{
    ngx_status_result_t  result;

    memset(&result, 0, sizeof(ngx_status_result_t));
    result.at = (BASE + at) * 1000;
    result.latency = latency;
    result.state = state;
    result.http_status = 200 + state;

    if (state == NGX_STATUS_DEGRADED) {
        result.error = NGX_STATUS_E_LATENCY;
    }

    if (state != NGX_STATUS_UP) {
        ngx_status_message(result.message, "failed at %d", (int) at);
    }

    t->changed = ngx_status_record_result(&t->check, &t->conf, &t->record,
                                          t->rings, &result, score,
                                          result.at + latency / 1000);
    return &t->record;
}


static ngx_status_record_t *
feed(test_t *t, int64_t at, ngx_status_state_e state)
{
    ngx_status_score_t  none;

    memset(&none, 0, sizeof(ngx_status_score_t));
    none.value = NAN;

    return feed_score(t, at, state, 100000, &none);
}


static ngx_status_record_t *
feed_value(test_t *t, int64_t at, double value)
{
    ngx_status_score_t  score;

    memset(&score, 0, sizeof(ngx_status_score_t));
    score.value = value;

    return feed_score(t, at, isnan(value) ? NGX_STATUS_DOWN : NGX_STATUS_UP,
                      100000, &score);
}


static uint32_t
seconds(const test_t *t, ngx_uint_t window, ngx_status_state_e state)
{
    ngx_status_window_t  windows[NGX_STATUS_WINDOWS];

    /* those of the record are summed up now and then only */

    ngx_status_history_windows(&t->conf, &t->record.open, t->rings,
                               t->record.last.at / 1000,
                               t->record.confirm.state,
                               t->record.valid_until / 1000, windows);

    return windows[window].seconds[state];
}


static void
test_first(void **state)
{
    test_t               *t = *state;
    ngx_status_record_t  *r;

    r = feed(t, 0, NGX_STATUS_UP);

    assert_true(t->changed);
    assert_int_equal(r->confirm.state, NGX_STATUS_UP);
    assert_int_equal(r->confirm.since, BASE * 1000);
    assert_int_equal(r->nresults, 1);
    assert_int_equal(r->results[0].at, BASE * 1000);
    assert_int_equal(r->failed_at, 0);
    assert_int_equal(r->valid_until, BASE * 1000 + 100 + 120000);
    assert_true(isnan(r->slower_base));
    assert_int_equal(r->slower_level, NGX_STATUS_NEUTRAL);

    assert_int_equal(r->windows[HOUR].results, 1);
    assert_int_equal(r->windows[HOUR].known, 0);

    feed(t, 60, NGX_STATUS_UP);

    assert_false(t->changed);
    assert_int_equal(r->confirm.since, BASE * 1000);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UP), 60);
}


static void
test_backdated(void **state)
{
    int                   i;
    test_t               *t = *state;
    ngx_status_record_t  *r;

    for (i = 0; i < 10; i++) {
        r = feed(t, i * 60, NGX_STATUS_UP);
    }

    /* one alone is no outage */

    feed(t, 600, NGX_STATUS_DOWN);
    assert_false(t->changed);
    assert_int_equal(r->confirm.state, NGX_STATUS_UP);
    assert_int_equal(r->failed_at, (BASE + 600) * 1000);
    assert_string_equal(r->failed, "failed at 600");

    feed(t, 660, NGX_STATUS_UP);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UP), 660);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_DOWN), 0);
    assert_string_equal(r->failed, "failed at 600");

    /* two are, from the first one on */

    feed(t, 720, NGX_STATUS_DOWN);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_DOWN), 0);
    feed(t, 780, NGX_STATUS_DOWN);
    assert_true(t->changed);
    assert_int_equal(r->confirm.state, NGX_STATUS_DOWN);
    assert_int_equal(r->confirm.since, (BASE + 720) * 1000);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UP), 720);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_DOWN), 60);

    /* back: rise 2, back-dated as well */

    t->check.rise = 2;
    feed(t, 840, NGX_STATUS_UP);
    assert_false(t->changed);
    feed(t, 900, NGX_STATUS_UP);
    assert_true(t->changed);
    assert_int_equal(r->confirm.since, (BASE + 840) * 1000);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UP), 720 + 60);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_DOWN), 120);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UNKNOWN), 0);
}


static void
test_gap(void **state)
{
    test_t               *t = *state;
    ngx_status_record_t  *r;

    feed(t, 0, NGX_STATUS_UP);
    r = feed(t, 60, NGX_STATUS_UP);

    /* within two intervals nothing is missing */

    feed(t, 180, NGX_STATUS_UP);
    assert_false(t->changed);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UP), 180);

    /* beyond, what follows them is unknown */

    feed(t, 1180, NGX_STATUS_UP);
    assert_false(t->changed);
    assert_int_equal(r->confirm.state, NGX_STATUS_UP);
    assert_int_equal(r->confirm.since, (BASE + 1180) * 1000);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UP), 300);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UNKNOWN), 880);
    assert_int_equal(r->windows[HOUR].known, 300);

    /* a run does not reach over a gap, and a failure makes nothing down */

    feed(t, 1240, NGX_STATUS_DOWN);
    feed(t, 2240, NGX_STATUS_DOWN);
    assert_true(t->changed);
    assert_int_equal(r->confirm.state, NGX_STATUS_UNKNOWN);
    assert_int_equal(r->confirm.since, (BASE + 1240 + 120) * 1000 + 100);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_DOWN), 0);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UP), 300 + 180);

    feed(t, 2300, NGX_STATUS_DOWN);
    assert_true(t->changed);
    assert_int_equal(r->confirm.state, NGX_STATUS_DOWN);
    assert_int_equal(r->confirm.since, (BASE + 2240) * 1000);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_DOWN), 60);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UNKNOWN), 880 + 880);
}


static void
check_event(const ngx_status_record_t *r, ngx_uint_t i,
    ngx_status_state_e from, ngx_status_state_e to, int64_t at,
    const char *reason)
{
    const ngx_status_event_t  *event;

    assert_true(i < r->nevents);
    event = &r->events[i];

    assert_int_equal(event->from, from);
    assert_int_equal(event->to, to);
    assert_int_equal(event->since, BASE * 1000 + at);
    assert_string_equal(event->reason, reason);
}


static void
test_events(void **state)
{
    int                   i;
    test_t               *t = *state;
    ngx_status_record_t  *r;

    r = feed(t, 0, NGX_STATUS_UP);
    feed(t, 60, NGX_STATUS_DOWN);
    feed(t, 120, NGX_STATUS_UP);
    assert_int_equal(r->nevents, 1);
    check_event(r, 0, NGX_STATUS_UNKNOWN, NGX_STATUS_UP, 0, "");

    /* back-dated, with the reason of the mildest result of the run */

    feed(t, 180, NGX_STATUS_DOWN);
    feed(t, 240, NGX_STATUS_DOWN);
    check_event(r, 1, NGX_STATUS_UP, NGX_STATUS_DOWN, 180000,
                "failed at 240");
    feed(t, 300, NGX_STATUS_TIMEOUT);
    check_event(r, 2, NGX_STATUS_DOWN, NGX_STATUS_TIMEOUT, 300000,
                "failed at 300");
    feed(t, 360, NGX_STATUS_UP);
    check_event(r, 3, NGX_STATUS_TIMEOUT, NGX_STATUS_UP, 360000, "");

    /* a gap is an event of its own, although it comes back as it was */

    feed(t, 1360, NGX_STATUS_UP);
    assert_int_equal(r->nevents, 6);
    check_event(r, 4, NGX_STATUS_UP, NGX_STATUS_UNKNOWN, 480100,
                "no results for two intervals");
    check_event(r, 5, NGX_STATUS_UNKNOWN, NGX_STATUS_UP, 1360000, "");

    feed(t, 1420, NGX_STATUS_DEGRADED);
    feed(t, 1480, NGX_STATUS_DOWN);
    check_event(r, 6, NGX_STATUS_UP, NGX_STATUS_DEGRADED, 1420000,
                "latency");

    /* the newest stay */

    for (i = 0; i < 100; i++) {
        feed(t, 1540 + i * 60, i % 2 ? NGX_STATUS_UP : NGX_STATUS_DEGRADED);
        t->check.fall = 1;
    }

    assert_int_equal(r->nevents, NGX_STATUS_EVENTS);
    check_event(r, NGX_STATUS_EVENTS - 1, NGX_STATUS_DEGRADED, NGX_STATUS_UP,
                (1540 + 99 * 60) * 1000, "");
    check_event(r, 0, NGX_STATUS_UP, NGX_STATUS_DEGRADED,
                (1540 + 76 * 60) * 1000, "failed at 6100");

    /* a clock that goes back by a little, and by much */

    feed(t, 1540 + 98 * 60, NGX_STATUS_DEGRADED);
    check_event(r, NGX_STATUS_EVENTS - 1, NGX_STATUS_UP, NGX_STATUS_DEGRADED,
                (1540 + 99 * 60) * 1000, "failed at 7420");
    assert_int_equal(r->nevents, NGX_STATUS_EVENTS);

    feed(t, 1540 + 30 * 60, NGX_STATUS_UP);
    check_event(r, r->nevents - 1, NGX_STATUS_DEGRADED, NGX_STATUS_UP,
                ngx_max(1540 + 30 * 60, (int) (r->events[r->nevents - 2].since
                                               / 1000 - BASE)) * 1000, "");
    assert_true(r->events[r->nevents - 1].since
                <= (BASE + 1540 + 30 * 60 + 3600) * 1000);
}


/* Our own faults are unknown, and a few of them are not even that. */

static void
test_unknown(void **state)
{
    test_t               *t = *state;
    ngx_status_record_t  *r;

    feed(t, 0, NGX_STATUS_UP);
    feed(t, 60, NGX_STATUS_UNKNOWN);
    r = feed(t, 120, NGX_STATUS_UP);
    assert_int_equal(r->confirm.since, BASE * 1000);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UP), 120);

    feed(t, 180, NGX_STATUS_UNKNOWN);
    feed(t, 240, NGX_STATUS_UNKNOWN);
    assert_true(t->changed);
    assert_int_equal(r->confirm.state, NGX_STATUS_UNKNOWN);
    feed(t, 300, NGX_STATUS_UP);
    assert_int_equal(r->confirm.state, NGX_STATUS_UP);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UP), 180);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UNKNOWN), 120);
}


/*
 * The checker was killed after it wrote the rings and before the record was
 * made true: its successor has the old record, and the same time to book.
 */

static void
test_killed(void **state)
{
    int                   i;
    void                 *rings;
    size_t                size;
    test_t               *t = *state;
    ngx_status_record_t  *before, *after;

    size = ngx_status_history_size(&t->conf);
    rings = malloc(size);
    before = malloc(sizeof(ngx_status_record_t));
    after = malloc(sizeof(ngx_status_record_t));

    for (i = 0; i < 500; i++) {
        *before = t->record;

        feed(t, i * 53, i % 7 > 3 ? NGX_STATUS_DOWN : NGX_STATUS_UP);

        *after = t->record;
        memcpy(rings, t->rings, size);

        t->record = *before;
        feed(t, i * 53, i % 7 > 3 ? NGX_STATUS_DOWN : NGX_STATUS_UP);

        assert_memory_equal(rings, t->rings, size);
        assert_memory_equal(after, &t->record, sizeof(ngx_status_record_t));
    }

    free(rings);
    free(before);
    free(after);
}


static void
test_results(void **state)
{
    int                   i;
    test_t               *t = *state;
    ngx_status_record_t  *r;

    for (i = 0; i < 200; i++) {
        r = feed(t, i * 60, i % 3 ? NGX_STATUS_UP : NGX_STATUS_DEGRADED);
    }

    assert_int_equal(r->nresults, 200);

    for (i = 200 - NGX_STATUS_RESULTS; i < 200; i++) {
        assert_int_equal(r->results[i % NGX_STATUS_RESULTS].at,
                         (BASE + i * 60) * 1000);
    }

    /* summed up anew every few minutes, and when the state changes */

    assert_in_range(r->windows[DAY].results, 195, 200);

    r = feed(t, 200 * 60, NGX_STATUS_DEGRADED);
    r = feed(t, 201 * 60, NGX_STATUS_DEGRADED);
    assert_int_equal(t->changed, 1);
    assert_int_equal(r->windows[DAY].results, 202);

    assert_int_equal(seconds(t, DAY, NGX_STATUS_UNKNOWN), 0);
}


static void
score_check(test_t *t)
{
    static int  path;

    t->check.score = (ngx_status_json_path_t *) &path;
    t->check.drop.warning = 1;
    t->check.drop.critical = 5;
}


static void
test_card(void **state)
{
    int                   i;
    test_t               *t = *state;
    ngx_status_card_t    *card;

    score_check(t);
    card = &feed_value(t, 0, 97)->card;

    assert_float_equal(card->last.value, 97, 0);
    assert_true(isnan(card->previous) && isnan(card->delta));
    assert_int_equal(card->level, NGX_STATUS_NEUTRAL);
    assert_int_equal(card->nscores, 1);
    assert_int_equal(card->at, BASE * 1000);

    feed_value(t, 60, 96.5);
    assert_float_equal(card->delta, -0.5, 0);
    assert_int_equal(card->level, NGX_STATUS_OK);

    feed_value(t, 120, 95.5);
    assert_int_equal(card->level, NGX_STATUS_WARNING);

    feed_value(t, 180, 90.5);
    assert_float_equal(card->previous, 95.5, 0);
    assert_float_equal(card->delta, -5, 0);
    assert_int_equal(card->level, NGX_STATUS_CRITICAL);

    /* an error keeps it, stale, and is no score of its own */

    feed_value(t, 240, NAN);
    assert_true(card->stale);
    assert_string_equal(card->error, "failed at 240");
    assert_float_equal(card->last.value, 90.5, 0);
    assert_float_equal(card->delta, -5, 0);
    assert_int_equal(card->level, NGX_STATUS_CRITICAL);
    assert_int_equal(card->at, (BASE + 180) * 1000);
    assert_int_equal(card->nscores, 4);

    feed_value(t, 300, 90.5);
    assert_false(card->stale);
    assert_string_equal(card->error, "");
    assert_float_equal(card->delta, 0, 0);
    assert_int_equal(card->level, NGX_STATUS_OK);

    /* the newest thirty, oldest first */

    for (i = 0; i < 50; i++) {
        feed_value(t, 360 + i * 60, i);
    }

    assert_int_equal(card->nscores, NGX_STATUS_SCORES);

    for (i = 0; i < NGX_STATUS_SCORES; i++) {
        assert_float_equal(card->scores[i], 50 - NGX_STATUS_SCORES + i, 0);
    }
}


static void
test_card_median(void **state)
{
    test_t             *t = *state;
    ngx_status_card_t  *card;

    score_check(t);
    t->check.drop.median = 3;

    feed_value(t, 0, 10);
    feed_value(t, 60, 90);
    feed_value(t, 120, 50);
    feed_value(t, 180, 80);
    card = &feed_value(t, 240, 79)->card;

    assert_float_equal(card->previous, 80, 0);
    assert_float_equal(card->delta, -1, 0);
    assert_int_equal(card->level, NGX_STATUS_WARNING);
}


/* A history from outside replaces ours, whether it has the new one or not. */

static void
test_card_series(void **state)
{
    int                  i;
    test_t              *t = *state;
    ngx_status_card_t   *card;
    ngx_status_score_t   score;

    score_check(t);
    feed_value(t, 0, 1);

    memset(&score, 0, sizeof(ngx_status_score_t));
    score.value = 92;
    score.nseries = 3;
    score.series[0] = 90;
    score.series[1] = 100;
    score.series[2] = 92;

    card = &feed_score(t, 60, NGX_STATUS_UP, 1000, &score)->card;
    assert_float_equal(card->previous, 100, 0);
    assert_float_equal(card->delta, -8, 0);
    assert_int_equal(card->nscores, 3);
    assert_float_equal(card->scores[0], 90, 0);
    assert_float_equal(card->scores[2], 92, 0);

    score.series[2] = 91;
    feed_score(t, 120, NGX_STATUS_UP, 1000, &score);
    assert_float_equal(card->previous, 91, 0);
    assert_int_equal(card->nscores, 4);
    assert_float_equal(card->scores[3], 92, 0);

    /* a full one */

    score.nseries = NGX_STATUS_SCORES;
    for (i = 0; i < NGX_STATUS_SCORES; i++) {
        score.series[i] = i;
    }

    feed_score(t, 180, NGX_STATUS_UP, 1000, &score);
    assert_int_equal(card->nscores, NGX_STATUS_SCORES);
    assert_float_equal(card->scores[0], 1, 0);
    assert_float_equal(card->scores[NGX_STATUS_SCORES - 1], 92, 0);

    /* only the present one is known: nothing to compare with */

    score.nseries = 1;
    score.series[0] = 92;
    feed_score(t, 240, NGX_STATUS_UP, 1000, &score);
    assert_true(isnan(card->delta));
    assert_int_equal(card->level, NGX_STATUS_NEUTRAL);
    assert_int_equal(card->nscores, 1);
}


/* A check gets its "score" after a while, and the first poll brings none. */

static void
test_card_later(void **state)
{
    test_t             *t = *state;
    ngx_status_card_t  *card;

    feed(t, 0, NGX_STATUS_UP);
    score_check(t);
    card = &feed_value(t, 60, NAN)->card;

    assert_true(isnan(card->last.value));
    assert_true(isnan(card->delta));
    assert_true(card->stale);
    assert_int_equal(card->nscores, 0);
    assert_int_equal(card->level, NGX_STATUS_NEUTRAL);

    feed_value(t, 120, 50);
    assert_true(isnan(card->delta));
    feed_value(t, 180, 40);
    assert_float_equal(card->delta, -10, 0);
}


static void
test_slower(void **state)
{
    test_t               *t = *state;
    ngx_status_score_t    none;
    ngx_status_record_t  *r;

    memset(&none, 0, sizeof(ngx_status_score_t));
    none.value = NAN;

    t->check.slower.warning = 0.25;
    t->check.slower.critical = 1;

    /* an error has no latency to speak of */

    r = feed_score(t, 0, NGX_STATUS_TIMEOUT, 5000000, &none);
    assert_true(isnan(r->slower_base) && isnan(r->slower_growth));
    assert_int_equal(r->slower_level, NGX_STATUS_NEUTRAL);

    feed_score(t, 60, NGX_STATUS_UP, 100000, &none);
    assert_true(isnan(r->slower_base));
    assert_int_equal(r->slower_level, NGX_STATUS_NEUTRAL);

    feed_score(t, 120, NGX_STATUS_UP, 124000, &none);
    assert_float_equal(r->slower_base, 100000, 0);
    assert_float_equal(r->slower_growth, 0.24, 1e-9);
    assert_int_equal(r->slower_level, NGX_STATUS_OK);

    feed_score(t, 180, NGX_STATUS_DEGRADED, 155000, &none);
    assert_int_equal(r->slower_level, NGX_STATUS_WARNING);

    feed_score(t, 240, NGX_STATUS_DOWN, 1, &none);
    assert_int_equal(r->slower_level, NGX_STATUS_WARNING);

    /* nor has what was not timed */

    feed_score(t, 270, NGX_STATUS_UP, 0, &none);
    assert_int_equal(r->slower_level, NGX_STATUS_WARNING);

    feed_score(t, 300, NGX_STATUS_UP, 310000, &none);
    assert_float_equal(r->slower_base, 155000, 0);
    assert_int_equal(r->slower_level, NGX_STATUS_CRITICAL);

    t->check.slower.median = 3;
    feed_score(t, 360, NGX_STATUS_UP, 150000, &none);
    assert_float_equal(r->slower_base, 155000, 0);
    assert_int_equal(r->slower_level, NGX_STATUS_OK);
}


static void
test_schedule(void **state)
{
    int          i;
    uint32_t     hash;
    ngx_uint_t   n;
    ngx_msec_t   now, interval, next, slot, first, retest;

    (void) state;

    srandom(1);

    for (i = 0; i < 200000; i++) {
        interval = 100 + (ngx_msec_t) random() % (i % 2 ? 2000 : 604800000);
        now = (ngx_msec_t) random() * (i % 3 ? 1 : 1000);
        hash = (uint32_t) random() * 2 + (i & 1);
        n = 1 + random() % 10000;

        next = ngx_status_schedule_next(now, interval, hash);
        assert_in_range(next, 1, interval);

        /* from anywhere before it, it is the same slot */

        slot = now + next;
        assert_int_equal(ngx_status_schedule_next(slot - 1, interval, hash),
                         1);
        assert_int_equal(ngx_status_schedule_next(slot, interval, hash),
                         interval);

        first = ngx_status_schedule_first(interval, hash, n);
        assert_true(first < interval);
        assert_true(first <= n * NGX_STATUS_SCHEDULE_SPREAD);

        retest = ngx_status_schedule_retest(interval);
        assert_true(retest <= interval);
        assert_true(retest >= ngx_min(interval,
                                      NGX_STATUS_SCHEDULE_RETEST));
    }

    /* 1 h, up 2 min: the clock has not reached an interval yet */

    for (hash = 1; hash < 0xf0000000; hash += 0x0f000000) {
        assert_in_range(ngx_status_schedule_next(120000, 3600000, hash), 1,
                        3600000);
    }

    assert_int_equal(ngx_status_schedule_retest(60000), 15000);
    assert_int_equal(ngx_status_schedule_retest(500), 500);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_backdated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_results, setup, teardown),
        cmocka_unit_test_setup_teardown(test_card, setup, teardown),
        cmocka_unit_test_setup_teardown(test_card_median, setup, teardown),
        cmocka_unit_test_setup_teardown(test_card_series, setup, teardown),
        cmocka_unit_test_setup_teardown(test_card_later, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slower, setup, teardown),
        cmocka_unit_test(test_schedule)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
