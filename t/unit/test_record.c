
/*
 * Copyright (C) ngx_status_module authors
 *
 * What one result after the other makes of a record: states back-dated,
 * gaps, score cards, slower answers; random results against a reference that
 * knows every second; and the arithmetic of the schedule.
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
    assert_string_equal(t->record.last.message, "failed at 240");
    assert_float_equal(card->last.value, 90.5, 0);
    assert_float_equal(card->delta, -5, 0);
    assert_int_equal(card->level, NGX_STATUS_CRITICAL);
    assert_int_equal(card->at, (BASE + 180) * 1000);
    assert_int_equal(card->nscores, 4);

    feed_value(t, 300, 90.5);
    assert_false(card->stale);
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


/* A clock that ran two hours ahead and was set back: that never was. */

static void
test_set_back(void **state)
{
    test_t               *t = *state;
    ngx_status_record_t  *r;

    feed(t, 0, NGX_STATUS_UP);
    feed(t, 60, NGX_STATUS_UP);
    feed(t, 7320, NGX_STATUS_UP);
    feed(t, 7380, NGX_STATUS_DOWN);
    r = feed(t, 7440, NGX_STATUS_DOWN);
    assert_int_equal(r->nevents, 4);
    assert_int_equal(r->confirm.since, (BASE + 7380) * 1000);

    feed(t, 300, NGX_STATUS_DOWN);
    assert_int_equal(r->nevents, 3);
    check_event(r, 1, NGX_STATUS_UP, NGX_STATUS_UNKNOWN, 180100,
                "no results for two intervals");
    check_event(r, 2, NGX_STATUS_UNKNOWN, NGX_STATUS_DOWN, 300000,
                "the clock was set back");
    assert_int_equal(r->confirm.since, (BASE + 300) * 1000);
    assert_int_equal(r->failed_at, (BASE + 300) * 1000);

    feed(t, 360, NGX_STATUS_DOWN);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UP), 180);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_UNKNOWN), 120);
    assert_int_equal(seconds(t, HOUR, NGX_STATUS_DOWN), 60);
}


/*
 * The reference: results are kept since the last change, and looked through
 * from the end; seconds and changes are lists.
 */

#define SPAN     (40 * 3600)                     /* s from BASE - SPAN / 2 */
#define NOTHING  0xff                            /* not covered */

typedef struct {
    int64_t     cursor;                          /* s; booked up to here */
    int64_t     newest;                          /* s; result cursor */
    int64_t     valid;                           /* ms */
    int64_t     since;
    int64_t     timeline;                        /* minutes lost before */
    uint8_t     state;
    uint8_t     seconds[SPAN];
    ngx_uint_t  n;                               /* results since a change */
    struct {
        int64_t   at;
        uint8_t   state;
    } results[2000];
    ngx_uint_t  nevents;
    struct {
        int64_t   at;
        uint8_t   from;
        uint8_t   to;
    } events[NGX_STATUS_EVENTS];
} reference_t;


#define second(ref, s)  ((ref)->seconds[(s) - (BASE - SPAN / 2)])


static void
reference_book(reference_t *ref, int64_t until, uint8_t state)
{
    until /= 1000;

    if (ref->cursor == 0) {
        ref->cursor = until;
    }

    for ( /* void */ ; ref->cursor < until; ref->cursor++) {
        second(ref, ref->cursor) = state;
    }
}


static void
reference_event(reference_t *ref, uint8_t from, uint8_t to, int64_t at)
{
    if (ref->nevents) {
        at = ngx_max(at, ref->events[ref->nevents - 1].at);
    }

    if (ref->nevents == NGX_STATUS_EVENTS) {
        memmove(ref->events, ref->events + 1,
                --ref->nevents * sizeof(ref->events[0]));
    }

    ref->events[ref->nevents].at = at;
    ref->events[ref->nevents].from = from;
    ref->events[ref->nevents].to = to;
    ref->nevents++;
}


/* 0 for unknown, 1 for up, 2 for degraded, 3 for what fails */

static int
reference_rank(uint8_t state)
{
    return state == NGX_STATUS_UNKNOWN ? 0 : state == NGX_STATUS_UP ? 1
           : state == NGX_STATUS_DEGRADED ? 2 : 3;
}


static void
reference_turn(reference_t *ref, uint8_t from, uint8_t to, int64_t at)
{
    reference_book(ref, at, from);
    reference_event(ref, from, to, at);
    ref->state = to;
    ref->since = at;
    ref->n = 0;
}


/* What the results since the last change make of it.  Returns since when it
 * is not sure that the state still holds; 0: it is. */

static int64_t
reference_judge(reference_t *ref, ngx_uint_t fall, ngx_uint_t rise)
{
    int          rank, known, worse;
    int64_t      begin, unknown;
    uint8_t      last, to;
    ngx_uint_t   i, n, row, longest;

    known = reference_rank(ref->state);
    last = ref->results[ref->n - 1].state;
    rank = reference_rank(last);

    /* the row of unknowns at the end */

    for (row = 0; row < ref->n; row++) {
        if (ref->results[ref->n - 1 - row].state != NGX_STATUS_UNKNOWN) {
            break;
        }
    }

    unknown = row ? ref->results[ref->n - row].at : 0;

    if (row >= fall) {

        if (ref->state != NGX_STATUS_UNKNOWN) {
            reference_turn(ref, ref->state, NGX_STATUS_UNKNOWN, unknown);
        }

        ref->n = 0;
        return 0;
    }

    if (row == 0 && rank == known) {

        if (last != ref->state) {
            begin = ref->since;
            reference_turn(ref, ref->state, last, ref->results[ref->n - 1].at);
            ref->since = begin;
        }

        ref->n = 0;
        return 0;
    }

    if (row == 0 && known == 0 && rank < 3) {
        reference_turn(ref, ref->state, last, ref->results[ref->n - 1].at);
        return 0;
    }

    /* the run, unknowns within it left out */

    n = 0;
    begin = 0;
    worse = 0;
    to = NGX_STATUS_UNKNOWN;
    longest = 0;

    for (i = ref->n; i-- > 0; ) {
        rank = reference_rank(ref->results[i].state);

        if (rank == 0) {
            longest++;
            continue;
        }

        longest = 0;

        if (n == 0) {
            worse = rank > known;
            to = ref->results[i].state;

        } else if (worse != (rank > known)) {
            break;
        }

        /* the mildest when it is worse, the gravest when it is better */

        if (worse ? rank < reference_rank(to) : rank > reference_rank(to)) {
            to = ref->results[i].state;
        }

        n++;
        begin = ref->results[i].at;
    }

    if (row == 0 && n >= (worse ? fall : rise)) {
        reference_turn(ref, ref->state, to, begin);
        return 0;
    }

    if (unknown && ref->state != NGX_STATUS_UNKNOWN) {
        return begin ? ngx_min(begin, unknown) : unknown;
    }

    return begin;
}


static void
reference_result(reference_t *ref, int64_t at, uint8_t state, int64_t ended,
    const ngx_status_check_t *check)
{
    uint8_t  from;
    int64_t  s, pending;

    if (ref->newest - at / 1000 > NGX_STATUS_HISTORY_STEP) {

        while (ref->nevents && ref->events[ref->nevents - 1].at > at) {
            ref->nevents--;
        }

        from = ref->nevents ? ref->events[ref->nevents - 1].to
                            : NGX_STATUS_UNKNOWN;

        if (from != ref->state) {
            reference_event(ref, from, ref->state, at);
        }

        s = ref->nevents ? ref->events[ref->nevents - 1].at : at;
        ref->since = ngx_min(ref->since, s);

        for (s = 0; s < (int64_t) ref->n; s++) {
            ref->results[s].at = ngx_min(ref->results[s].at, at);
        }

        if (ref->cursor > at / 1000) {
            for (s = at / 60000 * 60; s < ref->cursor; s++) {
                second(ref, s) = NOTHING;
            }

            ref->timeline = ngx_max(ref->timeline, ref->cursor / 60
                                                   - NGX_STATUS_TIMELINE + 1);
            ref->cursor = at / 1000;
        }

        ref->newest = 0;
    }

    ref->newest = ngx_max(ref->newest, at / 1000);

    if (ref->valid && at > ref->valid) {
        reference_book(ref, ref->valid, ref->state);
        reference_book(ref, at, NGX_STATUS_UNKNOWN);

        if (ref->state != NGX_STATUS_UNKNOWN) {
            reference_event(ref, ref->state, NGX_STATUS_UNKNOWN, ref->valid);
        }

        ref->state = NGX_STATUS_UNKNOWN;
        ref->since = ref->valid;
        ref->n = 0;
    }

    ref->results[ref->n].at = at;
    ref->results[ref->n++].state = state;

    pending = reference_judge(ref, check->fall, check->rise);
    reference_book(ref, pending ? ngx_min(pending, at) : at, ref->state);

    ref->valid = ended + 2 * (int64_t) check->interval;
}


static void
reference_check(const test_t *t, const reference_t *ref)
{
    int64_t                     s, n, end, from;
    uint32_t                    seconds[NGX_STATUS_NSTATES];
    ngx_uint_t                  i, k, nruns;
    ngx_status_run_t            runs[NGX_STATUS_TIMELINE];
    ngx_status_tally_t          tally;
    ngx_status_window_t         w[NGX_STATUS_WINDOWS];
    const ngx_status_record_t  *r;

    r = &t->record;

    assert_int_equal(r->confirm.state, ref->state);
    assert_int_equal(r->confirm.since, ref->since);
    assert_int_equal(r->open.time_cursor, ref->cursor);
    assert_int_equal(r->open.result_cursor, ref->newest);

    assert_int_equal(r->nevents, ref->nevents);

    for (i = 0; i < r->nevents; i++) {
        assert_int_equal(r->events[i].since, ref->events[i].at);
        assert_int_equal(r->events[i].from, ref->events[i].from);
        assert_int_equal(r->events[i].to, ref->events[i].to);
        assert_true(i == 0 || r->events[i].since >= r->events[i - 1].since);
    }

    end = ngx_max(ref->cursor, ref->newest);

    for (n = (BASE - SPAN / 2) / 60; n <= end / 60; n += 1 + random() % 5) {
        memset(seconds, 0, sizeof(seconds));

        for (s = n * 60; s < n * 60 + 60 && s < ref->cursor; s++) {
            if (second(ref, s) != NOTHING) {
                seconds[second(ref, s)]++;
            }
        }

        ngx_status_history_bucket(&t->conf, &r->open, t->rings,
                                  NGX_STATUS_MINUTES, n, &tally, NULL);
        if (n > end / 60 - t->conf.minutes) {
            assert_memory_equal(seconds, tally.seconds, sizeof(seconds));
        }
    }

    ngx_status_history_windows(&t->conf, &r->open, t->rings, end,
                               NGX_STATUS_UNKNOWN, 0, w);

    for (i = 0; i < 2; i++) {
        memset(seconds, 0, sizeof(seconds));
        from = (end - ngx_status_window_seconds[i]) / 60 * 60;

        for (s = ngx_max(from, BASE - SPAN / 2); s < ref->cursor; s++) {
            if (second(ref, s) != NOTHING) {
                seconds[second(ref, s)]++;
            }
        }

        seconds[NGX_STATUS_UNKNOWN] += end - ngx_max(from, ref->cursor);
        assert_memory_equal(seconds, w[i].seconds, sizeof(seconds));
    }

    /* of minutes that are whole: their last second */

    nruns = ngx_status_history_timeline(&r->open, ref->cursor,
                                        NGX_STATUS_UNKNOWN, 0, runs);
    n = ref->cursor / 60 - NGX_STATUS_TIMELINE + 1;

    for (i = 0; i < nruns; i++) {
        for (k = 0; k < runs[i].n; k++, n++) {

            if (n * 60 + 59 >= ref->cursor || n < ref->timeline
                || n * 60 < BASE - SPAN / 2
                || second(ref, n * 60 + 59) == NOTHING)
            {
                continue;
            }

            assert_int_equal(runs[i].state, second(ref, n * 60 + 59));
        }
    }
}


static void
test_random_results(void **state)
{
    int64_t              now, newest;
    uint8_t              target;
    uint32_t             latency;
    ngx_uint_t           i, k;
    reference_t         *ref;
    ngx_status_score_t   none;
    test_t              *t = *state;

    memset(&none, 0, sizeof(ngx_status_score_t));
    none.value = NAN;
    ref = malloc(sizeof(reference_t));
    assert_non_null(ref);

    for (i = 0; i < 2000; i++) {
        srandom(i);

        memset(&t->record, 0, sizeof(ngx_status_record_t));
        memset(t->rings, 0, ngx_status_history_size(&t->conf));
        memset(ref, 0, sizeof(reference_t));
        memset(ref->seconds, NOTHING, SPAN);

        t->check.interval = 1000 * (1 + random() % 60);
        t->check.fall = 1 + random() % 4;
        t->check.rise = 1 + random() % 3;

        now = random() % 86400;
        newest = now;
        target = NGX_STATUS_UP;

        for (k = 0; k < 200; k++) {

            switch (random() % 60) {

            case 0:                              /* nobody checked */
                now += random() % 6000;
                break;

            case 1:                              /* a clock set forward, */
                now += random() % 100;
                break;

            case 2:                              /* by a bit back, */
                now -= random() % 100;
                break;

            case 3:                              /* by anything back */
                now -= random() % 12000;
                break;

            default:
                now += t->check.interval / 1000;
            }

            /* what is ahead is kept for as long as minutes are */
            newest = ngx_max(newest, now);
            now = ngx_max(now, newest - 72000);
            now = ngx_max(now, 3600 - SPAN / 2);

            if (now > SPAN / 2 - 3600) {
                break;
            }

            if (random() % 5 == 0) {
                target = random() % (NGX_STATUS_DOWN + 1);
            }

            latency = random() % 1000000;

            feed_score(t, now, random() % 8 ? target : NGX_STATUS_UP, latency,
                       &none);
            reference_result(ref, (BASE + now) * 1000, t->record.last.state,
                             (BASE + now) * 1000 + latency / 1000, &t->check);

            if (random() % 100 == 0) {
                reference_check(t, ref);
            }
        }

        reference_check(t, ref);
    }

    free(ref);
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
        cmocka_unit_test_setup_teardown(test_set_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_results, setup, teardown),
        cmocka_unit_test(test_schedule)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
