
/*
 * Copyright (C) ngx_status_module authors
 *
 * The growing writer: growth, its limit, numbers and escaping.
 */

/* sources: ngx_status_module/ngx_status_out.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../ngx_status_module/ngx_status_out.h"


#define test_text(out, s)  test_bytes(out, s, sizeof(s) - 1)


static void
test_bytes(ngx_status_out_t *out, const char *s, size_t len)
{
    assert_int_equal(out->failed, 0);
    assert_int_equal(out->len, len);
    assert_memory_equal(out->data, s, len);
}


static void
test_empty(void **state)
{
    ngx_status_out_t  out;

    (void) state;

    ngx_status_out_init(&out, 0);
    assert_int_equal(out.limit, 64 * 1024 * 1024);

    ngx_status_out_raw(&out, NULL, 0);
    ngx_status_out_html(&out, NULL, 0);
    ngx_status_out_lit(&out, "");

    assert_null(out.data);
    assert_int_equal(out.len, 0);
    assert_int_equal(out.failed, 0);

    ngx_status_out_free(&out);
}


static void
test_grow(void **state)
{
    size_t             i, moves, size;
    ngx_status_out_t   out;

    (void) state;

    ngx_status_out_init(&out, 0);
    size = 0;
    moves = 0;

    for (i = 0; i < 300000; i++) {
        ngx_status_out_raw(&out, &"0123456789"[i % 10], 1);

        if (out.size != size) {
            size = out.size;
            moves++;
        }
    }

    assert_int_equal(out.failed, 0);
    assert_int_equal(out.len, 300000);
    assert_in_range(moves, 2, 10);

    for (i = 0; i < 300000; i++) {
        if (out.data[i] != '0' + i % 10) {
            fail_msg("byte %d is wrong", (int) i);
        }
    }

    /* one write larger than twice the room */
    ngx_status_out_free(&out);
    assert_null(out.data);
    ngx_status_out_lit(&out, "ab");
    ngx_status_out_printf(&out, "%100000d", 7);
    assert_int_equal(out.failed, 0);
    assert_int_equal(out.len, 100002);
    assert_memory_equal(out.data + 100000, " 7", 2);

    ngx_status_out_free(&out);
}


static void
test_limit(void **state)
{
    size_t             i;
    ngx_status_out_t   out;

    (void) state;

    for (i = 0; i < 5; i++) {
        ngx_status_out_init(&out, 10);
        ngx_status_out_lit(&out, "0123456");
        ngx_status_out_lit(&out, "789");
        test_text(&out, "0123456789");

        switch (i) {
        case 0: ngx_status_out_lit(&out, "x"); break;
        case 1: ngx_status_out_printf(&out, "%s", "x"); break;
        case 2: ngx_status_out_html(&out, (u_char *) "<", 1); break;
        case 3: ngx_status_out_int(&out, 5); break;
        default: assert_int_equal(ngx_status_out_grow(&out, SIZE_MAX),
                                  NGX_ERROR);
        }

        assert_int_equal(out.failed, 1);
        assert_int_equal(out.len, 10);
        assert_memory_equal(out.data, "0123456789", 10);

        ngx_status_out_free(&out);
        assert_int_equal(out.failed, 0);
        assert_int_equal(out.limit, 10);
    }

    /* printf up to the limit itself */
    ngx_status_out_init(&out, 10);
    ngx_status_out_printf(&out, "%s", "0123456789");
    test_text(&out, "0123456789");
    ngx_status_out_free(&out);
}


static void
test_failed_stays(void **state)
{
    ngx_status_out_t  out;

    (void) state;

    ngx_status_out_init(&out, 8);
    ngx_status_out_lit(&out, "01234");
    ngx_status_out_lit(&out, "too long");
    assert_int_equal(out.failed, 1);

    /* these would fit, but would leave a hole */
    ngx_status_out_lit(&out, "5");
    ngx_status_out_printf(&out, "%d", 5);
    ngx_status_out_html(&out, (u_char *) "5", 1);
    ngx_status_out_int(&out, 5);

    assert_int_equal(out.failed, 1);
    assert_int_equal(out.len, 5);
    ngx_status_out_free(&out);

    /* before anything was allocated */
    ngx_status_out_init(&out, 3);
    ngx_status_out_printf(&out, "%s", "four");
    assert_int_equal(out.failed, 1);
    assert_int_equal(out.len, 0);
    ngx_status_out_free(&out);
}


static void
test_printf(void **state)
{
    size_t             i;
    ngx_status_out_t   out;

    (void) state;

    ngx_status_out_init(&out, 0);
    ngx_status_out_printf(&out, "%s", "");
    assert_int_equal(out.len, 0);

    ngx_status_out_printf(&out, "%d.%02d|%s", 4, 7, "x");
    test_text(&out, "4.07|x");
    ngx_status_out_free(&out);

    /* across the end of the first block, byte by byte */
    for (i = 4085; i < 4100; i++) {
        ngx_status_out_printf(&out, "%*s", (int) i, "");
        ngx_status_out_printf(&out, "%s", "abcdefgh");
        assert_int_equal(out.len, i + 8);
        assert_memory_equal(out.data + i, "abcdefgh", 8);
        ngx_status_out_free(&out);
    }
}


static void
test_int(void **state)
{
    ngx_status_out_t  out;

    (void) state;

    ngx_status_out_init(&out, 0);
    ngx_status_out_int(&out, 0);
    ngx_status_out_lit(&out, " ");
    ngx_status_out_int(&out, -1);
    ngx_status_out_lit(&out, " ");
    ngx_status_out_int(&out, 1200);
    ngx_status_out_lit(&out, " ");
    ngx_status_out_int(&out, INT64_MAX);
    ngx_status_out_lit(&out, " ");
    ngx_status_out_int(&out, INT64_MIN);
    test_text(&out, "0 -1 1200 9223372036854775807 -9223372036854775808");
    ngx_status_out_free(&out);
}


static void
test_html(void **state)
{
    size_t             i;
    u_char             all[256];
    ngx_status_out_t   out;

    static const struct {
        const char  *in;
        const char  *out;
    } cases[] = {
        { "plain text", "plain text" },
        { "&", "&amp;" },
        { "<", "&lt;" },
        { ">", "&gt;" },
        { "\"", "&quot;" },
        { "'", "&#39;" },
        { "<>&\"'", "&lt;&gt;&amp;&quot;&#39;" },
        { "a<b", "a&lt;b" },
        { "<b", "&lt;b" },
        { "b>", "b&gt;" },
        { "&amp;", "&amp;amp;" },
        { "<script>alert('1')</script>",
          "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;" },
        { "\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac" },
    };

    (void) state;

    ngx_status_out_init(&out, 0);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ngx_status_out_html(&out, (const u_char *) cases[i].in,
                            strlen(cases[i].in));
        test_bytes(&out, cases[i].out, strlen(cases[i].out));
        ngx_status_out_free(&out);
    }

    /* every byte: five grow, the others stay */
    for (i = 0; i < 256; i++) {
        all[i] = i;
    }

    ngx_status_out_html(&out, all, 256);
    assert_int_equal(out.len, 256 - 5 + 5 + 4 + 4 + 6 + 5);
    ngx_status_out_free(&out);
}


static void
check_csv(const char *s, size_t len, const char *want)
{
    ngx_status_out_t  out;

    ngx_status_out_init(&out, 0);
    ngx_status_out_lit(&out, "<");
    ngx_status_out_csv(&out, (u_char *) s, len);
    ngx_status_out_lit(&out, ">");
    test_bytes(&out, want, strlen(want));
    ngx_status_out_free(&out);
}


static void
test_csv(void **state)
{
    (void) state;

    check_csv(NULL, 0, "<>");
    check_csv("plain text; 'x' =1", 18, "<plain text; 'x' =1>");
    check_csv("a,b", 3, "<\"a,b\">");
    check_csv("\"", 1, "<\"\"\"\">");
    check_csv("\"\"", 2, "<\"\"\"\"\"\">");
    check_csv("say \"hi\", ok", 12, "<\"say \"\"hi\"\", ok\">");
    check_csv("a\nb", 3, "<\"a\nb\">");
    check_csv("a\r", 2, "<\"a\r\">");
}


static void
check_label(const char *s, size_t len, const char *want)
{
    ngx_status_out_t  out;

    ngx_status_out_init(&out, 0);
    ngx_status_out_lit(&out, "<");
    ngx_status_out_label(&out, (u_char *) s, len);
    ngx_status_out_lit(&out, ">");
    test_bytes(&out, want, strlen(want));
    ngx_status_out_free(&out);
}


static void
test_label(void **state)
{
    (void) state;

    check_label(NULL, 0, "<>");
    check_label("plain, 'text' {a=b}", 19, "<plain, 'text' {a=b}>");
    check_label("\"", 1, "<\\\">");
    check_label("\\", 1, "<\\\\>");
    check_label("\n", 1, "<\\n>");
    check_label("\\n", 2, "<\\\\n>");
    check_label("a\"b\nc\\d", 7, "<a\\\"b\\nc\\\\d>");
    check_label("\"\"\n\n", 4, "<\\\"\\\"\\n\\n>");
    check_label("\xc3\xa4\r\t", 4, "<\xc3\xa4\r\t>");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_failed_stays),
        cmocka_unit_test(test_printf),
        cmocka_unit_test(test_int),
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_label),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
