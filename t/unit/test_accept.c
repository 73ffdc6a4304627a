
/*
 * Copyright (C) ngx_status_module authors
 *
 * What a client makes of a media type.
 */

/* sources: ngx_status_module/ngx_status_accept.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../ngx_status_module/ngx_status_accept.h"


/* In a buffer of that size, so that an overrun is seen. */

static void
is(const char *text, ngx_uint_t weight)
{
    ngx_str_t  accept;

    accept.len = strlen(text);
    accept.data = malloc(accept.len);
    assert_true(accept.data != NULL || accept.len == 0);
    memcpy(accept.data, text, accept.len);

    if (ngx_status_accept(&accept, "text", "plain", "0.0.4") != weight) {
        fail_msg("not %u: \"%s\"", (unsigned) weight, text);
    }

    free(accept.data);
}


static void
test_ranges(void **state)
{
    (void) state;

    is("text/plain", 1000);
    is("TEXT/Plain", 1000);
    is("text/*", 1000);
    is("*/*", 1000);
    is("text/html", 0);
    is("text/plains", 0);
    is("tex/plain", 0);
    is("*/plain", 0);
    is("application/xml, text/plain", 1000);
    is(" , ,text/plain , ", 1000);
}


static void
test_weights(void **state)
{
    (void) state;

    is("text/plain;q=0.5", 500);
    is("text/plain ; Q=0.123", 123);
    is("text/plain;q=0", 0);
    is("text/plain;q=0.000", 0);
    is("text/plain;q=1", 1000);
    is("text/plain;q=1.000", 1000);
    is("text/plain;q=0.", 0);
    is("text/plain;q=9.999", 1000);
    is("text/plain;q=0.1239", 123);
    is("text/plain;q=", 0);
    is("text/plain;q=x", 0);
    is("text/plain;q=0,5", 0);
    is("text/plain;q=-1", 0);
    is("text/plain;q=\"0.5\"", 500);
}


static void
test_specific(void **state)
{
    (void) state;

    is("text/plain;q=0.2, */*", 200);
    is("*/*, text/plain;q=0.2", 200);
    is("*/*;q=0.1, text/*;q=0.3, text/html", 300);
    is("text/plain;q=0.2, text/plain;q=0.4", 400);
    is("text/plain, text/plain;q=0", 1000);
    is("text/plain;q=0, */*", 0);
}


static void
test_version(void **state)
{
    (void) state;

    is("text/plain;version=0.0.4", 1000);
    is("text/plain;version=\"0.0.4\";q=0.7", 700);
    is("text/plain;version=1.0.0", 0);
    is("text/plain;version=0.0.4;q=0.2, text/plain;q=0.9", 200);
    is("text/plain;version=1.0.0;q=0.9, text/plain;version=0.0.4;q=0.2,"
       " */*;q=0.1", 200);
    is("text/plain;version=1.0.0, */*;q=0.1", 100);
    is("text/plain;charset=utf-8;version=0.0.4;escaping=x;q=0.3", 300);
}


static void
test_malformed(void **state)
{
    (void) state;

    is("", 0);
    is(" ", 0);
    is(",", 0);
    is("/", 0);
    is("text", 0);
    is("text/", 0);
    is("/plain", 0);
    is("text/plain;", 1000);
    is("text/plain;;;=", 1000);
    is("text/plain;a=\"b,c;q=0.1\";q=0.5", 500);
    is("text/plain;a=\"b\\\"c\";q=0.5", 500);
    is("text/plain;a=\"", 1000);
    is("text/plain;a=\"\\", 1000);
    is("text/plain x;q=0.5", 1000);
    is("\"text/plain\"", 0);
    is("x\x01y, text/plain", 1000);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_specific),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_malformed)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
