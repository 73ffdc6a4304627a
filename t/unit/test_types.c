
/*
 * Copyright (C) ngx_status_module authors
 *
 * The tables of words, and copying text from outside.
 */

/* sources: ngx_status_module/ngx_status_types.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../ngx_status_module/ngx_status_types.h"


/* A buffer of exactly "size" bytes, so that an overrun is seen. */

static void
test_copy(const char *text, size_t len, size_t size, const char *expected)
{
    char  *dst;

    dst = malloc(size);
    assert_non_null(dst);

    ngx_status_text_copy(dst, size, (u_char *) text, len);
    assert_string_equal(dst, expected);

    free(dst);
}


static void
test_words(void **state)
{
    size_t                    n;
    ngx_uint_t                i, k;
    const ngx_status_word_t  *w;

    (void) state;

    for (i = 0; i < NGX_STATUS_NSTATES; i++) {
        w = &ngx_status_states[i];

        assert_true(w->name.len && w->title.len && w->sentence.len);
        assert_true(w->severity < NGX_STATUS_NSTATES);

        /* one character: a lead byte, and only continuations behind it */

        assert_true(w->mark.len && (w->mark.data[0] & 0xc0) != 0x80);

        for (n = 1; n < w->mark.len; n++) {
            assert_int_equal(w->mark.data[n] & 0xc0, 0x80);
        }

        for (k = 0; k < i; k++) {
            assert_int_not_equal(w->severity, ngx_status_states[k].severity);
            assert_string_not_equal(w->mark.data,
                                    ngx_status_states[k].mark.data);
            assert_string_not_equal(w->name.data,
                                    ngx_status_states[k].name.data);
        }
    }

    assert_string_equal(ngx_status_states[NGX_STATUS_UNKNOWN].name.data,
                        "unknown");
    assert_string_equal(ngx_status_states[NGX_STATUS_BOT_DETECTED].name.data,
                        "bot_detected");
    assert_string_equal(ngx_status_states[NGX_STATUS_MAINTENANCE].name.data,
                        "maintenance");
    assert_int_equal(ngx_status_states[NGX_STATUS_UP].severity, 0);

    assert_int_equal(ngx_status_errors[NGX_STATUS_E_NONE].len, 0);
    assert_string_equal(ngx_status_errors[NGX_STATUS_E_REDIRECT].data,
                        "redirect");
    assert_string_equal(ngx_status_errors[NGX_STATUS_E_VALUE].data, "value");
    assert_string_equal(ngx_status_levels[NGX_STATUS_CRITICAL].data,
                        "critical");
    assert_string_equal(ngx_status_phases[NGX_STATUS_PHASE_TRANSFER].data,
                        "transfer");

    for (i = 1; i < NGX_STATUS_NERRORS; i++) {
        assert_true(ngx_status_errors[i].len != 0);
    }
}


static void
test_text(void **state)
{
    char        c;
    ngx_uint_t  i;

    static const struct {
        const char  *text;
        size_t       size;
        const char  *expected;
    } cases[] = {
        { "", 1, "" },
        { "abc", 1, "" },
        { "abc", 2, "a" },
        { "abc", 4, "abc" },
        { "abc", 9, "abc" },

        /* cut between characters only */
        { "a\xc3\xa4", 3, "a" },
        { "a\xc3\xa4", 4, "a\xc3\xa4" },
        { "\xf0\x9f\x98\x80x", 4, "" },
        { "\xf0\x9f\x98\x80x", 5, "\xf0\x9f\x98\x80" },
        { "\xe2\x82\xac\xe2\x82\xac", 6, "\xe2\x82\xac" },

        /* control characters, C1 among them */
        { "a\r\nb\tc\x1b[1m\x7f", 20, "a??b?c?[1m?" },
        { "\xc2\x85\xc2\x9f\xc2\xa0", 20, "??\xc2\xa0" },

        /* what breaks or reorders a line, and what is no character */
        { "\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6", 20, "???" },
        { "\xef\xbf\xbf\xef\xbf\xbd", 20, "?\xef\xbf\xbd" },

        /* broken: alone, overlong, surrogate, too large, cut off */
        { "\x80" "a\xff", 20, "?a?" },
        { "\xc0\xaf\xe0\x80\xaf", 20, "?????" },
        { "\xed\xa0\x80", 20, "???" },
        { "\xf4\x90\x80\x80", 20, "????" },
        { "\xf8\x88\x80\x80\x80", 20, "?????" },
        { "a\xe2\x82", 20, "a??" },
        { "\xe2\x82" "a", 20, "??a" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_copy(cases[i].text, strlen(cases[i].text), cases[i].size,
                  cases[i].expected);
    }

    test_copy("a\0b", 3, 4, "a?b");

    c = 'x';
    ngx_status_text_copy(&c, 0, (u_char *) "abc", 3);
    assert_int_equal(c, 'x');
}


static void
test_message(void **state)
{
    char        dst[NGX_STATUS_MESSAGE], text[4000];
    ngx_uint_t  i;

    (void) state;

    ngx_status_message(dst, "status %u, expected %s", 503, "200-299");
    assert_string_equal(dst, "status 503, expected 200-299");

    ngx_status_message(dst, "%s", "");
    assert_string_equal(dst, "");

    ngx_status_message(dst, "two\nlines of \"%.*s\"", 3, "bodyguard");
    assert_string_equal(dst, "two?lines of \"bod\"");

    /* of itself */
    ngx_status_message(dst, "%s again", dst);
    assert_string_equal(dst, "two?lines of \"bod\" again");

    for (i = 0; i + 3 < sizeof(text); i += 3) {
        memcpy(&text[i], "\xe2\x82\xac", 3);
    }

    text[i] = '\0';

    ngx_status_message(dst, "%s", text);
    assert_int_equal(strlen(dst), NGX_STATUS_MESSAGE - 1);
    assert_memory_equal(dst, text, NGX_STATUS_MESSAGE - 1);

    ngx_status_message(dst, "x%s", text);
    assert_int_equal(strlen(dst), NGX_STATUS_MESSAGE - 3);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_message)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
