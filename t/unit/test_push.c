
/*
 * Copyright (C) ngx_status_module authors
 *
 * What heartbeats, and silence, make of a check: days of it, a line each.
 */

/* sources: checks/ngx_status_push.c ngx_status_module/ngx_status_types.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../checks/ngx_status_push.h"


#define S     1000LL
#define M     (60 * S)
#define H     (60 * M)
#define D     (24 * H)
#define BASE  (1700000000LL * S)

#define MOST  8


static const ngx_status_push_conf_t  conf = { 25 * H, H, 2 * M, "25h" };


typedef struct {
    ngx_status_push_conf_t   conf;
    ngx_status_result_t      last;
    ngx_uint_t               nresults;
    int64_t                  listening;
    int64_t                  offline;    /* since BASE; 0: it is not */
    ngx_status_push_t        pushes[MOST];
    ngx_uint_t               n;
} test_t;


static void
test_begin(test_t *t)
{
    memset(t, 0, sizeof(test_t));
    t->conf = conf;
    t->listening = BASE;
}


static void
test_push(test_t *t, ngx_status_push_e kind, int64_t at, uint64_t rid,
    const char *message)
{
    ngx_status_push_t  *push;

    push = &t->pushes[t->n++];
    memset(push, 0, sizeof(ngx_status_push_t));

    push->kind = kind;
    push->at = BASE + at;
    push->rid = rid;

    if (message) {
        strcpy(push->message, message);
    }
}


/* Judges at a time; what it did not take comes first the next time. */

static const ngx_status_result_t *
test_judge(test_t *t, int64_t at)
{
    ngx_uint_t           n;
    ngx_status_result_t  result;

    memset(&result, 0, sizeof(result));
    result.at = BASE + at;
    result.kept = t->last.kept;

    n = t->n;

    ngx_status_push_judge(&t->conf, t->pushes, &n,
                          t->nresults ? &t->last : NULL, t->listening,
                          t->offline ? BASE + t->offline : 0,
                          &result);

    assert_true(n <= t->n);
    t->n -= n;
    memmove(t->pushes, t->pushes + n, t->n * sizeof(ngx_status_push_t));

    t->nresults++;
    t->last = result;

    return &t->last;
}


#define judge(t, at, want_state, want_message)                               \
    do {                                                                     \
        const ngx_status_result_t  *r_ = test_judge(t, at);                  \
        assert_string_equal(r_->message, want_message);                      \
        assert_int_equal(r_->state, NGX_STATUS_##want_state);                \
        assert_true((r_->state == NGX_STATUS_UP) == !r_->message[0]);        \
    } while (0)

#define seen(t, text)  assert_string_equal((t)->last.seen, text)


static void
test_waiting(void **state)
{
    test_t  t;

    (void) state;

    test_begin(&t);

    judge(&t, 0, UNKNOWN, "waiting for the first heartbeat");
    seen(&t, "no heartbeat yet");
    judge(&t, 26 * H, UNKNOWN, "waiting for the first heartbeat");
    judge(&t, 26 * H + 1, DOWN, "no heartbeat yet, expected every 25h");
    assert_int_equal(t.last.error, NGX_STATUS_E_VALUE);

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 27 * H, 0, NULL);
    judge(&t, 27 * H + 100, UP, "");
    seen(&t, "heartbeat 100ms ago, next in 1d");
    assert_int_equal(t.last.error, NGX_STATUS_E_NONE);
    assert_int_equal(t.last.latency, 0);
}


static void
test_late(void **state)
{
    test_t  t;

    (void) state;

    test_begin(&t);

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 0, 0, NULL);
    judge(&t, 0, UP, "");
    judge(&t, 25 * H, UP, "");
    seen(&t, "heartbeat 1d 1h ago");
    judge(&t, 25 * H + 90 * S, DEGRADED,
          "heartbeat is late by 1m 30s, expected every 25h");
    judge(&t, 26 * H, DEGRADED,
          "heartbeat is late by 1h, expected every 25h");
    judge(&t, 26 * H + 1, DOWN, "no heartbeat for 1d 2h, expected every 25h");
    judge(&t, 400 * D, DOWN, "no heartbeat for 400d, expected every 25h");

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 400 * D, 0, NULL);
    judge(&t, 400 * D, UP, "");

    /* without grace */

    t.conf.grace = 0;
    judge(&t, 400 * D + 25 * H + 1, DOWN,
          "no heartbeat for 1d 1h, expected every 25h");
}


static void
test_failure(void **state)
{
    test_t  t;

    (void) state;

    test_begin(&t);

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 0, 0, NULL);
    test_push(&t, NGX_STATUS_PUSH_FAILURE, 1, 0, "exit code 3: disk full");
    judge(&t, 10, DOWN, "exit code 3: disk full");
    assert_int_equal(t.last.error, NGX_STATUS_E_STATUS);
    assert_int_equal(t.n, 0);

    /* in the same words until one succeeds, however late that is */

    judge(&t, M, DOWN, "exit code 3: disk full");
    seen(&t, "failure 59s ago");
    judge(&t, 30 * H, DOWN, "exit code 3: disk full");

    test_push(&t, NGX_STATUS_PUSH_START, 30 * H, 0, NULL);
    judge(&t, 30 * H, DOWN, "exit code 3: disk full");
    seen(&t, "failure 1d 5h ago; running for 0s");

    test_push(&t, NGX_STATUS_PUSH_FAILURE, 31 * H, 0, "exit code 4");
    judge(&t, 31 * H, DOWN, "exit code 4");

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 32 * H, 0, NULL);
    judge(&t, 32 * H, UP, "");

    /* a failure is told, whatever came right after it */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 33 * H, 0, NULL);
    test_push(&t, NGX_STATUS_PUSH_FAILURE, 33 * H + 1, 0, "one");
    test_push(&t, NGX_STATUS_PUSH_FAILURE, 33 * H + 2, 0, "two");
    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 33 * H + 3, 0, NULL);
    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 33 * H + 4, 0, NULL);
    judge(&t, 33 * H + 100, DOWN, "two");
    assert_int_equal(t.n, 2);
    judge(&t, 33 * H + 200, UP, "");
    assert_int_equal(t.n, 0);
}


static void
test_run(void **state)
{
    test_t  t;

    (void) state;

    test_begin(&t);

    /* from start to success */

    test_push(&t, NGX_STATUS_PUSH_START, 0, 0, NULL);
    judge(&t, 10, UNKNOWN, "waiting for the first heartbeat");
    seen(&t, "no heartbeat yet; running for 10ms");
    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 12 * S, 0, NULL);
    judge(&t, 20 * S, UP, "");
    assert_int_equal(t.last.latency, 12000000);
    seen(&t, "heartbeat 8s ago, took 12s, next in 1d");

    /* what was told with it is seen as long as it is the newest one */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 25 * S, 0, "12 files: 3 GB");
    judge(&t, 25 * S, UP, "");
    seen(&t, "heartbeat 0s ago, next in 1d 1h: 12 files: 3 GB");
    judge(&t, 26 * S, UP, "");
    seen(&t, "heartbeat 1s ago, next in 1d: 12 files: 3 GB");
    test_push(&t, NGX_STATUS_PUSH_START, 26 * S, 0, "begin");
    judge(&t, 27 * S, UP, "");
    seen(&t, "heartbeat 2s ago, next in 1d; running for 1s: 12 files: 3 GB");
    test_push(&t, NGX_STATUS_PUSH_FAILURE, 27 * S, 0, "exit code 1");
    judge(&t, 27 * S, DOWN, "exit code 1");
    seen(&t, "failure 0s ago");
    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 28 * S, 0,
              "a line that is far too long for what can be shown of it");
    t.pushes[0].took = 12000000;
    judge(&t, 28 * S, UP, "");
    seen(&t, "heartbeat 0s ago, took 12s, next in 1d 1h: a line that is far t");

    /* it is told once */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 29 * S, 0, NULL);
    t.pushes[0].took = 12000000;
    judge(&t, 29 * S, UP, "");
    judge(&t, 30 * S, UP, "");
    assert_int_equal(t.last.latency, 0);
    seen(&t, "heartbeat 1s ago, took 12s, next in 1d");

    /* what the client measured itself is better */

    test_push(&t, NGX_STATUS_PUSH_START, H, 0, NULL);
    test_push(&t, NGX_STATUS_PUSH_SUCCESS, H + 2 * S, 0, NULL);
    t.pushes[1].took = 1500;
    judge(&t, H + 2 * S, UP, "");
    assert_int_equal(t.last.latency, 1500);

    /* more than a latency can be */

    test_push(&t, NGX_STATUS_PUSH_START, 2 * H, 0, NULL);
    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 4 * H, 0, NULL);
    judge(&t, 4 * H, UP, "");
    assert_true(t.last.latency == 0xffffffff);
    seen(&t, "heartbeat 0s ago, took 2h, next in 1d 1h");

    /* without an end */

    test_push(&t, NGX_STATUS_PUSH_START, 5 * H, 0, NULL);
    judge(&t, 6 * H, UP, "");
    seen(&t, "heartbeat 2h ago, took 2h, next in 23h; running for 1h");
    judge(&t, 6 * H + 5 * M, DOWN,
          "started 1h 5m ago and has not ended, expected within 1h");
    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 7 * H, 0, NULL);
    judge(&t, 7 * H, UP, "");

    /* which has no limit without grace */

    t.conf.grace = 0;
    test_push(&t, NGX_STATUS_PUSH_START, 8 * H, 0, NULL);
    judge(&t, 30 * H, UP, "");
}


static void
test_runs(void **state)
{
    test_t  t;

    (void) state;

    test_begin(&t);

    /* the newest run is the one that counts */

    test_push(&t, NGX_STATUS_PUSH_START, 0, 1, NULL);
    test_push(&t, NGX_STATUS_PUSH_START, 10 * S, 2, NULL);
    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 15 * S, 1, NULL);
    judge(&t, 15 * S, UP, "");
    assert_int_equal(t.last.latency, 0);
    seen(&t, "heartbeat 0s ago, next in 1d 1h; running for 5s");

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 30 * S, 2, NULL);
    judge(&t, 30 * S, UP, "");
    assert_int_equal(t.last.latency, 20000000);
    seen(&t, "heartbeat 0s ago, took 20s, next in 1d 1h");

    /* an end of no run in particular, and a failure, end what runs */

    test_push(&t, NGX_STATUS_PUSH_START, 40 * S, 3, NULL);
    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 50 * S, 0, NULL);
    judge(&t, 50 * S, UP, "");
    assert_int_equal(t.last.latency, 0);
    seen(&t, "heartbeat 0s ago, next in 1d 1h");

    test_push(&t, NGX_STATUS_PUSH_START, 60 * S, 4, NULL);
    test_push(&t, NGX_STATUS_PUSH_FAILURE, 70 * S, 5, "failure reported");
    judge(&t, 70 * S, DOWN, "failure reported");
    seen(&t, "failure 0s ago");

    /* a line for the log is neither */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 80 * S, 0, NULL);
    judge(&t, 80 * S, UP, "");
    test_push(&t, NGX_STATUS_PUSH_LOG, 90 * S, 0, "text");
    judge(&t, 90 * S, UP, "");
    seen(&t, "heartbeat 10s ago, next in 1d");
    assert_int_equal(t.n, 0);
}


static void
test_stopped(void **state)
{
    test_t  t;

    (void) state;

    test_begin(&t);

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 0, 0, NULL);
    judge(&t, 0, UP, "");
    judge(&t, 23 * H, UP, "");

    /* a restart is no stop */

    t.listening = BASE + 23 * H + M;
    judge(&t, 23 * H + M, UP, "");
    judge(&t, 26 * H + 1, DOWN, "no heartbeat for 1d 2h, expected every 25h");

    /* stopped when the next one, be it an early one, may have come */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 30 * H, 0, NULL);
    judge(&t, 30 * H, UP, "");
    judge(&t, 50 * H, UP, "");

    t.listening = BASE + 54 * H;
    judge(&t, 54 * H, UP, "");
    judge(&t, 55 * H + S, UNKNOWN, "no heartbeat for 1d 1h, but one may have "
          "come while nginx was stopped");
    judge(&t, 80 * H, UNKNOWN, "no heartbeat for 2d 2h, but one may have "
          "come while nginx was stopped");
    judge(&t, 80 * H + 1, DOWN, "no heartbeat for 2d 2h, expected every 25h");

    /* what was missing before that still is */

    t.listening = BASE + 200 * H;
    judge(&t, 200 * H, DOWN, "no heartbeat for 7d 2h, expected every 25h");

    /* what failed too */

    test_push(&t, NGX_STATUS_PUSH_FAILURE, 201 * H, 0, "exit code 1");
    judge(&t, 201 * H, DOWN, "exit code 1");
    t.listening = BASE + 300 * H;
    judge(&t, 300 * H, DOWN, "exit code 1");

    /* and one that came ends the doubt */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 301 * H, 0, NULL);
    judge(&t, 301 * H, UP, "");
    judge(&t, 326 * H + S, DEGRADED,
          "heartbeat is late by 1s, expected every 25h");

    /* never one, and stopped */

    test_begin(&t);
    judge(&t, 0, UNKNOWN, "waiting for the first heartbeat");
    t.listening = BASE + 20 * H;
    judge(&t, 20 * H, UNKNOWN, "no heartbeat for 20h, but one may have come "
          "while nginx was stopped");
    judge(&t, 46 * H + 1, DOWN, "no heartbeat yet, expected every 25h");
}


#define NONE  "this machine has no connectivity"
#define HAD   "but one may have come while this machine had no connectivity"

static void
test_offline(void **state)
{
    test_t  t;
    int     i;

    (void) state;

    /* silence says nothing; what was said before does */

    test_begin(&t);
    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 0, 0, NULL);
    judge(&t, 0, UP, "");
    judge(&t, 20 * H, UP, "");

    t.offline = 20 * H;
    judge(&t, 20 * H + M, UP, "");
    judge(&t, 25 * H, UP, "");
    judge(&t, 25 * H + M, UNKNOWN, NONE);
    assert_int_equal(t.last.error, NGX_STATUS_E_INTERNAL);
    seen(&t, "heartbeat 1d 1h ago, next in 1d 1h");

    for (i = 26; i < 100; i++) {
        judge(&t, i * H, UNKNOWN, NONE);
    }

    /* it has every and grace again */

    t.offline = 0;
    judge(&t, 100 * H, UNKNOWN, "no heartbeat for 4d 4h, " HAD);
    judge(&t, 125 * H, UNKNOWN, "no heartbeat for 5d 5h, " HAD);
    judge(&t, 125 * H + 1, DOWN, "no heartbeat for 5d 5h, expected every 25h");

    /* which ends with the first one; then silence is silence */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 126 * H, 0, NULL);
    judge(&t, 126 * H, UP, "");
    judge(&t, 152 * H + 1, DOWN, "no heartbeat for 1d 2h, expected every 25h");

    /* it was missing before: unknown meanwhile, but no longer */

    t.offline = 153 * H;
    judge(&t, 153 * H, UNKNOWN, NONE);
    judge(&t, 160 * H, UNKNOWN, NONE);
    t.offline = 0;
    judge(&t, 160 * H + M, DOWN, "no heartbeat for 1d 10h, expected every 25h");

    /* a failure was told */

    test_push(&t, NGX_STATUS_PUSH_FAILURE, 161 * H, 0, "exit code 1");
    judge(&t, 161 * H, DOWN, "exit code 1");
    t.offline = 161 * H + M;
    judge(&t, 200 * H, DOWN, "exit code 1");

    /* one that comes all the same, from here maybe, counts */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 201 * H, 0, NULL);
    judge(&t, 201 * H, UP, "");

    /* never one */

    test_begin(&t);
    judge(&t, 0, UNKNOWN, "waiting for the first heartbeat");
    t.offline = 20 * H;
    judge(&t, 20 * H, UNKNOWN, "waiting for the first heartbeat");
    judge(&t, 25 * H + M, UNKNOWN, NONE);
    judge(&t, 30 * H, UNKNOWN, NONE);
    t.offline = 0;
    judge(&t, 55 * H, UNKNOWN, "no heartbeat for 2d 7h, " HAD);
    judge(&t, 56 * H + 1, DOWN, "no heartbeat yet, expected every 25h");
}


static void
test_offline_again(void **state)
{
    test_t  t;

    (void) state;

    /* for a moment: clients try again */

    test_begin(&t);
    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 0, 0, NULL);
    judge(&t, 0, UP, "");
    t.offline = 24 * H;
    judge(&t, 24 * H + 2 * M, UP, "");
    t.offline = 0;
    judge(&t, 26 * H + 1, DOWN, "no heartbeat for 1d 2h, expected every 25h");

    /* each night: what never comes is missed all the same */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 30 * H, 0, NULL);
    judge(&t, 30 * H, UP, "");
    t.offline = 40 * H;
    judge(&t, 41 * H, UP, "");
    t.offline = 0;
    judge(&t, 42 * H, UP, "");
    t.offline = 64 * H;
    judge(&t, 65 * H, UNKNOWN, NONE);
    t.offline = 0;
    judge(&t, 66 * H, UNKNOWN, "no heartbeat for 1d 12h, " HAD);
    judge(&t, 67 * H + 1, DOWN, "no heartbeat for 1d 13h, expected every 25h");

    /* a reload in the middle: the new checker learns of it anew */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 70 * H, 0, NULL);
    judge(&t, 70 * H, UP, "");
    t.offline = 80 * H;
    judge(&t, 120 * H, UNKNOWN, NONE);
    t.offline = 120 * H + M;
    judge(&t, 120 * H + M, UNKNOWN, NONE);
    judge(&t, 120 * H + 5 * M, UNKNOWN, NONE);
    t.offline = 0;
    judge(&t, 146 * H + 5 * M, UNKNOWN, "no heartbeat for 3d 4h, " HAD);
    judge(&t, 146 * H + 5 * M + 1, DOWN,
          "no heartbeat for 3d 4h, expected every 25h");

    /* the end of a run may not have come either */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 150 * H, 0, NULL);
    test_push(&t, NGX_STATUS_PUSH_START, 150 * H + M, 0, NULL);
    judge(&t, 150 * H + M, UP, "");
    t.offline = 150 * H + 2 * M;
    judge(&t, 151 * H + 2 * M, UP, "");
    t.offline = 0;
    judge(&t, 155 * H, UP, "");

    /* nor with nginx stopped; but that of one that began later does */

    test_push(&t, NGX_STATUS_PUSH_START, 156 * H, 0, NULL);
    judge(&t, 156 * H, UP, "");
    t.listening = BASE + 157 * H;
    judge(&t, 158 * H, UP, "");
    test_push(&t, NGX_STATUS_PUSH_START, 159 * H, 0, NULL);
    judge(&t, 160 * H + 1, DOWN,
          "started 1h ago and has not ended, expected within 1h");
    t.offline = 160 * H + M;
    judge(&t, 160 * H + M, UNKNOWN, NONE);
}


static void
test_clock(void **state)
{
    test_t  t;

    (void) state;

    test_begin(&t);

    /* a worker's clock is a little ahead */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 500, 0, NULL);
    judge(&t, 400, UP, "");
    seen(&t, "heartbeat 0s ago, next in 1d 1h");

    /* a year ahead, and then set right */

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, 365 * D, 0, NULL);
    judge(&t, 365 * D, UP, "");
    judge(&t, H, UP, "");
    judge(&t, 27 * H + 1, DOWN, "no heartbeat for 1d 2h, expected every 25h");
}


static void
test_other(void **state)
{
    test_t  t;

    (void) state;

    /* what another type has left is nothing of ours */

    test_begin(&t);
    memset(&t.last.kept, 0x5a, sizeof(t.last.kept));
    t.last.at = BASE;
    t.nresults = 1;
    judge(&t, 0, UNKNOWN, "waiting for the first heartbeat");
    assert_int_equal(t.last.kept.at, 0);

    test_push(&t, NGX_STATUS_PUSH_SUCCESS, S, 0, NULL);
    judge(&t, 2 * S, UP, "");
    assert_true(t.last.kept.at == BASE + S);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_offline),
        cmocka_unit_test(test_offline_again),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_other),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
