/*
 * Copyright (C) ngx_status_module authors
 *
 * How numbers, times and text become JSON.
 */

/* sources: ngx_status_module/formats/ngx_status_put.c ngx_status_module/ngx_status_out.c ngx_status_module/ngx_status_types.c */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <cmocka.h>

#include "../../ngx_status_module/ngx_status_types.h"
#include "../../ngx_status_module/formats/ngx_status_put.h"


static ngx_status_out_t  out;
static ngx_status_put_t  put;


static int
begin(void **state)
{
    (void) state;

    ngx_status_out_init(&out, 0);
    assert_int_equal(ngx_status_put_init(&put, &out), NGX_OK);
    ngx_status_put_array(&put, NULL);

    return 0;
}


static int
end(void **state)
{
    (void) state;

    ngx_status_out_free(&out);

    return 0;
}


static void
is(const char *expected)
{
    ngx_status_put_end(&put);
    ngx_status_put_done(&put);

    assert_false(out.failed);
    ngx_status_out_raw(&out, "", 1);
    assert_string_equal((char *) out.data, expected);
}


static void
test_decimal(void **state)
{
    (void) state;

    ngx_status_put_us(&put, NULL, 0);
    ngx_status_put_us(&put, NULL, 1);
    ngx_status_put_us(&put, NULL, 41700);
    ngx_status_put_us(&put, NULL, 1000);
    ngx_status_put_us(&put, NULL, 10000000);
    ngx_status_put_us(&put, NULL, UINT32_MAX);
    ngx_status_put_us(&put, NULL, UINT64_MAX);
    ngx_status_put_decimal(&put, NULL, 100000, 5);
    ngx_status_put_decimal(&put, NULL, 99999, 5);
    ngx_status_put_decimal(&put, NULL, 50000, 5);

    is("[0.0,0.001,41.7,1.0,10000.0,4294967.295,18446744073709551.615,"
       "1.0,0.99999,0.5]\n");
}


static void
test_real(void **state)
{
    (void) state;

    ngx_status_put_real(&put, NULL, 92);
    ngx_status_put_real(&put, NULL, 0.1 + 0.2);
    ngx_status_put_real(&put, NULL, -8.5);
    ngx_status_put_real(&put, NULL, 1e300);
    ngx_status_put_real(&put, NULL, NAN);
    ngx_status_put_real(&put, NULL, -INFINITY);

    is("[92,0.3,-8.5,1e+300,null,null]\n");
}


static void
test_time(void **state)
{
    (void) state;

    ngx_status_put_time(&put, NULL, 0);
    ngx_status_put_time(&put, NULL, -1);
    ngx_status_put_time(&put, NULL, 1);
    ngx_status_put_time(&put, NULL, 951827696999);
    ngx_status_put_time(&put, NULL, 1795251599000);
    ngx_status_put_time(&put, NULL, 1795305599000);
    ngx_status_put_time(&put, NULL, 1795305600000);
    ngx_status_put_time(&put, NULL, 253402300799999);
    ngx_status_put_time(&put, NULL, 253402300800000);
    ngx_status_put_time(&put, NULL, INT64_MAX);

    is("[null,null,\"1970-01-01T00:00:00Z\",\"2000-02-29T12:34:56Z\","
       "\"2026-11-21T08:59:59Z\",\"2026-11-21T23:59:59Z\","
       "\"2026-11-22T00:00:00Z\",\"9999-12-31T23:59:59Z\",null,null]\n");
}


static void
test_text(void **state)
{
    char               full[NGX_STATUS_MESSAGE + 8];
    static const char  text[] = "[null,\"a\\\"\\\\\\n\\u0001\x7f</b>\","
                                "\"\xc3\xa4\",\"x?\",\"??y\",\"\",\"";

    (void) state;

    ngx_status_put_text(&put, NULL, "", 0);
    ngx_status_put_text(&put, NULL, "a\"\\\n\x01\x7f</b>", 10);
    ngx_status_put_text(&put, NULL, "\xc3\xa4", 2);
    ngx_status_put_text(&put, NULL, "x\xc3", 2);
    ngx_status_put_text(&put, NULL, "\xff\xfey", 3);
    ngx_status_put_message(&put, NULL, "");

    /* not terminated, as no writer of a record leaves it */
    memset(full, 'm', sizeof(full));
    ngx_status_put_message(&put, NULL, full);

    ngx_status_put_end(&put);
    ngx_status_put_done(&put);
    ngx_status_out_raw(&out, "", 1);

    full[NGX_STATUS_MESSAGE] = '\0';
    assert_int_equal(out.len, sizeof(text) - 1 + NGX_STATUS_MESSAGE
                              + sizeof("\"]\n"));
    assert_memory_equal(out.data, text, sizeof(text) - 1);
    assert_memory_equal(out.data + sizeof(text) - 1, full, NGX_STATUS_MESSAGE);
}


static void
test_words(void **state)
{
    (void) state;

    ngx_status_put_state(&put, NULL, NGX_STATUS_BOT_DETECTED);
    ngx_status_put_state(&put, NULL, 250);
    ngx_status_put_level(&put, NULL, NGX_STATUS_CRITICAL);
    ngx_status_put_level(&put, NULL, 250);
    ngx_status_put_open(&put, NULL);
    ngx_status_put_bool(&put, "a", 4);
    ngx_status_put_int(&put, "b", 0);
    ngx_status_put_null(&put, "c");
    ngx_status_put_close(&put);

    is("[\"bot_detected\",\"unknown\",\"critical\",\"neutral\","
       "{\"a\":true,\"b\":0,\"c\":null}]\n");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_decimal, begin, end),
        cmocka_unit_test_setup_teardown(test_real, begin, end),
        cmocka_unit_test_setup_teardown(test_time, begin, end),
        cmocka_unit_test_setup_teardown(test_text, begin, end),
        cmocka_unit_test_setup_teardown(test_words, begin, end)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
