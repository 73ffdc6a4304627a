
/*
 * Copyright (C) ngx_status_module authors
 *
 * From results to a state: confirming, aggregating, comparing.
 */

/* sources: ngx_status_module/ngx_status_state.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <cmocka.h>

#include "../../ngx_status_module/ngx_status_state.h"


/*
 * Results are a letter each, one a second, the first at second 1:
 * u up, g degraded, b bot_detected, t timeout, d down, ? unknown.
 * "states" is the confirmed state after each of them; "since" and "pending"
 * are seconds, after the last.  "changes" lists the times that changes
 * counted from.
 */

typedef struct {
    const char  *results;
    ngx_uint_t   fall;
    ngx_uint_t   rise;
    const char  *states;
    int64_t      since;
    int64_t      pending;
    const char  *changes;
} test_confirm_t;


static const char  test_letters[] = "?ugbtdm";


static const test_confirm_t  test_confirms[] = {

    /* first results */
    { "u",       2, 1, "u",       1, 0, "1" },
    { "g",       2, 1, "g",       1, 0, "1" },
    { "u",       2, 3, "u",       1, 0, "1" },
    { "d",       2, 1, "?",       0, 1, "" },
    { "dd",      2, 1, "?d",      1, 0, "1" },
    { "d",       1, 1, "d",       1, 0, "1" },
    { "du",      2, 1, "?u",      2, 0, "2" },
    { "?",       2, 1, "?",       0, 0, "" },
    { "???u",    2, 1, "???u",    4, 0, "4" },

    /* fall, back-dated to the first of the run */
    { "uud",     2, 1, "uuu",     1, 3, "1" },
    { "uudd",    2, 1, "uuud",    3, 0, "1 3" },
    { "uuddd",   3, 1, "uuuud",   3, 0, "1 3" },
    { "udu",     2, 1, "uuu",     1, 0, "1" },
    { "ududud",  2, 1, "uuuuuu",  1, 6, "1" },
    { "ududd",   2, 1, "uuuud",   4, 0, "1 4" },
    { "ud",      1, 1, "ud",      2, 0, "1 2" },
    { "ud",      0, 0, "ud",      2, 0, "1 2" },

    /* rise */
    { "ddu",     2, 1, "?du",     3, 0, "1 3" },
    { "ddu",     2, 2, "?dd",     1, 3, "1" },
    { "dduu",    2, 2, "?ddu",    3, 0, "1 3" },
    { "ddudu",   2, 2, "?dddd",   1, 5, "1" },
    { "ddududuu", 2, 2, "?ddddddu", 7, 0, "1 7" },

    /* mildest of a worse run, the newest among equals */
    { "udt",     2, 1, "uut",     2, 0, "1 2" },
    { "utd",     2, 1, "uud",     2, 0, "1 2" },
    { "udg",     2, 1, "uug",     2, 0, "1 2" },
    { "ugd",     2, 1, "uug",     2, 0, "1 2" },
    { "udbg",    3, 1, "uuug",    2, 0, "1 2" },
    { "udgdd",   2, 1, "uuggd",   4, 0, "1 2 4" },
    { "ggd",     2, 1, "ggg",     1, 3, "1" },
    { "ggdb",    2, 1, "gggb",    3, 0, "1 3" },

    /* gravest of a better run */
    { "dduu",    2, 2, "?ddu",    3, 0, "1 3" },
    { "ddgu",    2, 2, "?ddg",    3, 0, "1 3" },
    { "ddug",    2, 2, "?ddg",    3, 0, "1 3" },
    { "ddguuu",  2, 2, "?ddggu",  5, 0, "1 3 5" },
    { "ddugu",   2, 3, "?dddg",   3, 0, "1 3" },
    { "gu",      2, 1, "gu",      2, 0, "1 2" },
    { "gud",     2, 2, "ggg",     1, 3, "1" },
    { "gudd",    2, 2, "gggd",    3, 0, "1 3" },

    /* another kind of failing counts at once, the outage is the same */
    { "ddt",     2, 1, "?dt",     1, 0, "1 3" },
    { "ddbtd",   2, 1, "?dbtd",   1, 0, "1 3 4 5" },
    { "ddut",    2, 2, "?ddt",    1, 0, "1 4" },

    /* unknown neither counts nor breaks a run */
    { "ud?d",    2, 1, "uuud",    2, 0, "1 2" },
    { "u?d",     2, 1, "uuu",     1, 3, "1" },
    { "u?u",     2, 1, "uuu",     1, 0, "1" },
    { "u?",      2, 1, "uu",      1, 2, "1" },
    { "ud?",     2, 1, "uuu",     1, 2, "1" },
    { "u??",     2, 1, "uu?",     2, 0, "1 2" },
    { "u?u?u?",  2, 1, "uuuuuu",  1, 6, "1" },
    { "u??u",    2, 3, "uu?u",    4, 0, "1 2 4" },
    { "u??g",    2, 3, "uu?g",    4, 0, "1 2 4" },
    { "u??d",    2, 1, "uu??",    2, 4, "1 2" },
    { "u??dd",   2, 1, "uu??d",   4, 0, "1 2 4" },
    { "dd?d",    2, 1, "?ddd",    1, 0, "1" },
    { "dd?t",    2, 1, "?ddt",    1, 0, "1 4" },
    { "dd??",    2, 1, "?dd?",    3, 0, "1 3" },

    /* and ends one that it outlasts */
    { "ud??d",   2, 1, "uuu??",   3, 5, "1 3" },
    { "d??d",    2, 1, "????",    0, 4, "" },
    { "d?d",     2, 1, "??d",     1, 0, "1" },
};


static void
test_confirm(void **state)
{
    char                   changes[100];
    int64_t                at, changed_at;
    ngx_uint_t             i, before, changed;
    const char            *p;
    ngx_status_confirm_t   c;
    const test_confirm_t  *t;

    (void) state;

    for (i = 0; i < sizeof(test_confirms) / sizeof(test_confirm_t); i++) {

        t = &test_confirms[i];

        memset(&c, 0, sizeof(c));
        changes[0] = '\0';

        for (p = t->results; *p; p++) {
            at = (p - t->results + 1) * 1000;
            before = c.state;

            changed = ngx_status_confirm(&c,
                                         strchr(test_letters, *p)
                                         - test_letters,
                                         at, t->fall, t->rise, &changed_at);

            if (test_letters[c.state] != t->states[p - t->results]) {
                fail_msg("\"%s\" fall %d rise %d: '%c' after %d, not '%c'",
                         t->results, (int) t->fall, (int) t->rise,
                         test_letters[c.state], (int) (at / 1000),
                         t->states[p - t->results]);
            }

            assert_int_equal(changed, before != c.state);

            if (changed) {
                sprintf(changes + strlen(changes), "%s%d",
                        changes[0] ? " " : "", (int) (changed_at / 1000));
            }
        }

        if (c.since != t->since * 1000
            || ngx_status_pending(&c) != t->pending * 1000
            || strcmp(changes, t->changes) != 0)
        {
            fail_msg("\"%s\" fall %d rise %d: since %d, pending %d, "
                     "changes \"%s\"", t->results, (int) t->fall,
                     (int) t->rise, (int) (c.since / 1000),
                     (int) (ngx_status_pending(&c) / 1000), changes);
        }
    }
}


/* Whatever comes, history never has to be corrected behind its back. */

static void
test_confirm_order(void **state)
{
    int64_t               at, booked, pending, changed_at;
    uint32_t              random;
    ngx_uint_t            i, fall, rise;
    ngx_status_confirm_t  c;

    (void) state;

    random = 1;

    for (fall = 1; fall < 5; fall++) {
        for (rise = 1; rise < 5; rise++) {

            memset(&c, 0, sizeof(c));
            booked = 0;

            for (i = 0; i < 20000; i++) {
                random = random * 1103515245 + 12345;
                at = (i + 1) * 1000;

                if (ngx_status_confirm(&c, (random >> 16) % 6, at, fall, rise,
                                       &changed_at))
                {
                    assert_true(changed_at >= booked && changed_at <= at);
                    booked = changed_at;
                }

                pending = ngx_status_pending(&c);
                assert_true(pending == 0
                            || (pending >= booked && pending <= at));

                booked = pending ? pending : at;
            }
        }
    }
}


static void
test_sum(void **state)
{
    ngx_uint_t        i;
    const char       *p;
    ngx_status_sum_t  sum;

    /* capitals are core checks */

    static const struct {
        const char    *states;
        char           expected;
    } cases[] = {
        { "",        '?' },
        { "?",       '?' },
        { "??",      '?' },
        { "U",       'u' },
        { "uU",      'u' },
        { "u?",      'u' },
        { "UG",      'g' },
        { "uB",      'g' },
        { "UB",      'g' },
        { "Ud",      'g' },
        { "Ut",      'g' },
        { "UD",      'd' },
        { "UT",      'd' },
        { "D?",      'd' },
        { "d?",      'g' },
        { "m",       'm' },
        { "M?",      '?' },
        { "Mu",      'u' },
        { "MD",      'd' },
        { "Md",      'g' },
        { "UUUUUUD", 'd' },
        { "g?m",     'g' },
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        memset(&sum, 0, sizeof(sum));

        for (p = cases[i].states; *p; p++) {
            ngx_status_sum_add(&sum,
                               strchr(test_letters, tolower(*p))
                               - test_letters, isupper(*p) != 0);
        }

        if (test_letters[ngx_status_sum_state(&sum)] != cases[i].expected) {
            fail_msg("\"%s\" is '%c'", cases[i].states,
                     test_letters[ngx_status_sum_state(&sum)]);
        }
    }

    assert_int_equal(sum.counts[NGX_STATUS_DEGRADED], 1);
    assert_int_equal(sum.counts[NGX_STATUS_UNKNOWN], 1);
    assert_int_equal(sum.counts[NGX_STATUS_MAINTENANCE], 1);
}


static void
test_baseline(void **state)
{
    double        values[100];
    ngx_uint_t    i;

    static const double  v[] = { 90, 10, 50, NAN, 70, 30 };

    (void) state;

    assert_true(isnan(ngx_status_baseline(v, 0, 0)));
    assert_true(isnan(ngx_status_baseline(v, 0, 5)));
    assert_true(isnan(ngx_status_baseline(&v[3], 1, 0)));
    assert_true(isnan(ngx_status_baseline(&v[3], 1, 3)));

    assert_true(ngx_status_baseline(v, 6, 0) == 30);
    assert_true(ngx_status_baseline(v, 6, 1) == 30);
    assert_true(ngx_status_baseline(v, 4, 0) == 50);
    assert_true(ngx_status_baseline(v, 6, 2) == 50);
    assert_true(ngx_status_baseline(v, 6, 3) == 50);
    assert_true(ngx_status_baseline(v, 6, 4) == 40);
    assert_true(ngx_status_baseline(v, 6, 5) == 50);
    assert_true(ngx_status_baseline(v, 6, 99) == 50);

    for (i = 0; i < 100; i++) {
        values[i] = i;
    }

    /* of the newest NGX_STATUS_RESULTS at most */

    assert_true(ngx_status_baseline(values, 100, 60) == 69.5);
    assert_true(ngx_status_baseline(values, 100, 1000) == 69.5);
}


static void
test_levels(void **state)
{
    ngx_uint_t  i;

    static const struct {
        double              delta;
        double              warning;
        double              critical;
        ngx_status_level_e  expected;
    } drops[] = {
        { NAN,          1, 5, NGX_STATUS_NEUTRAL },
        { 0,            1, 5, NGX_STATUS_OK },
        { 10,           1, 5, NGX_STATUS_OK },
        { -0.99,        1, 5, NGX_STATUS_OK },
        { -1,           1, 5, NGX_STATUS_WARNING },
        { -4.99,        1, 5, NGX_STATUS_WARNING },
        { -5,           1, 5, NGX_STATUS_CRITICAL },
        { -100,         1, 5, NGX_STATUS_CRITICAL },
        { -100,         1, 0, NGX_STATUS_WARNING },
        { -100,         0, 0, NGX_STATUS_OK },
        { -4,           0, 5, NGX_STATUS_OK },
        { -6,           0, 5, NGX_STATUS_CRITICAL },
        { 92.1 - 97.1,  1, 5, NGX_STATUS_CRITICAL },
        { 0.7 - 0.8,  0.1, 1, NGX_STATUS_WARNING },
    };

    (void) state;

    for (i = 0; i < sizeof(drops) / sizeof(drops[0]); i++) {
        assert_int_equal(ngx_status_drop_level(drops[i].delta,
                                               drops[i].warning,
                                               drops[i].critical),
                         drops[i].expected);
        assert_int_equal(ngx_status_slower_level(-drops[i].delta,
                                                 drops[i].warning,
                                                 drops[i].critical),
                         drops[i].expected);
    }

    assert_int_equal(ngx_status_slower_level(125.0 / 100 - 1, 0.25, 1),
                     NGX_STATUS_WARNING);
    assert_int_equal(ngx_status_slower_level(200.0 / 100 - 1, 0.25, 1),
                     NGX_STATUS_CRITICAL);
    assert_int_equal(ngx_status_slower_level(-0.5, 0.25, 1), NGX_STATUS_OK);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_confirm),
        cmocka_unit_test(test_confirm_order),
        cmocka_unit_test(test_sum),
        cmocka_unit_test(test_baseline),
        cmocka_unit_test(test_levels)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
