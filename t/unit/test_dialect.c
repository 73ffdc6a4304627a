
/*
 * Copyright (C) ngx_status_module authors
 *
 * Heartbeats as clients of Healthchecks, Uptime Kuma and Gatus send them, a
 * request a line; which token it is; which check Gatus means.
 */

/* sources: ngx_status_module/ngx_status_dialect.c
            ngx_status_module/ngx_status_dialect_value.c
            ngx_status_module/ngx_status_types.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../ngx_status_module/ngx_status_dialect.h"


#define OK       NGX_STATUS_PUSH_SUCCESS
#define FAIL     NGX_STATUS_PUSH_FAILURE
#define START    NGX_STATUS_PUSH_START
#define LOG      NGX_STATUS_PUSH_LOG

#define RID      "01234567-89ab-cdef-0123-456789ABCDEF"


typedef struct {
    const char  *location;
    const char  *path;
    const char  *args;
    const char  *body;               /* of Gatus: what is in Authorization */

    ngx_uint_t   status;
    const char  *token;
    ngx_uint_t   kind;
    uint64_t     took;               /* us */
    const char  *message;
} test_request_t;


static const test_request_t  test_requests[] = {

    /* Healthchecks */
    { "/ping/", "/ping/abcdefgh", "", "", 200, "abcdefgh", OK, 0, "" },
    { "/ping/", "/ping/abcdefgh/", "", "", 200, "abcdefgh", OK, 0, "" },
    { "/ping/", "/ping/abcdefgh", "", "all is well", 200, "abcdefgh", OK, 0,
      "all is well" },
    { "/ping", "/ping/abcdefgh/start", "", "", 200, "abcdefgh", START, 0, "" },
    { "/", "/ping/abcdefgh/start/", "", "", 200, "abcdefgh", START, 0, "" },
    { "/", "/abcdefgh/fail", "", "", 200, "abcdefgh", FAIL, 0,
      "failure reported" },
    { "/hb/", "/hb/abcdefgh/fail", "", "\n  disk\r\n\tfull \n", 200,
      "abcdefgh", FAIL, 0, "failure reported: disk full" },
    { "/ping/", "/ping/abcdefgh/log", "", "step 3", 200, "abcdefgh", LOG, 0,
      "step 3" },
    { "/ping/", "/ping/abcdefgh/0", "", "", 200, "abcdefgh", OK, 0, "" },
    { "/ping/", "/ping/abcdefgh/00", "", "", 200, "abcdefgh", OK, 0, "" },
    { "/ping/", "/ping/abcdefgh/1", "", "", 200, "abcdefgh", FAIL, 0,
      "exit code 1" },
    { "/ping/", "/ping/abcdefgh/255", "", "x", 200, "abcdefgh", FAIL, 0,
      "exit code 255: x" },
    { "/ping/", "/ping/abcdefgh/256", "", "", 400, "abcdefgh", OK, 0,
      "invalid url format" },
    { "/ping/", "/ping/abcdefgh/99999999999999999999999999", "", "", 400,
      "abcdefgh", OK, 0, "invalid url format" },
    { "/ping/", "/ping/abcdefgh/start/x", "", "", 404, "abcdefgh", START, 0,
      "not found" },
    { "/ping/", "/ping/abcdefgh/db.job/3", "rid=" RID, "", 200, "abcdefgh",
      FAIL, 0, "exit code 3" },
    { "/ping/", "/ping/abcdefgh/job/start/", "create=1", "", 200, "abcdefgh",
      START, 0, "" },
    { "/ping/", "/ping/abcdefgh/job/stop", "", "", 404, "abcdefgh", OK, 0,
      "not found" },
    { "/ping/", "/ping/abcdefgh/job/0/x", "", "", 404, "abcdefgh", OK, 0,
      "not found" },
    { "/ping/", "/ping/abcdefgh/job//0", "", "", 404, "abcdefgh", OK, 0,
      "not found" },
    { "/ping/", "/ping/abcdefgh//job", "", "", 404, "abcdefgh", OK, 0,
      "not found" },
    { "/ping/", "/ping/abcdefgh/job/256", "", "", 400, "abcdefgh", OK, 0,
      "invalid url format" },
    { "/ping/", "/ping/", "", "", 200, "", OK, 0, "" },
    { "/ping/", "/p", "", "", 200, "", OK, 0, "" },
    { "/ping/", "/ping/abcdefgh", "rid=" RID, "", 200, "abcdefgh", OK, 0,
      "" },
    { "/ping/", "/ping/abcdefgh", "x=1&rid=" RID "&rid=2", "", 200,
      "abcdefgh", OK, 0, "" },
    { "/ping/", "/ping/abcdefgh", "rid=1", "", 400, "abcdefgh", OK, 0,
      "invalid uuid format" },
    { "/ping/", "/ping/abcdefgh", "rid=" RID "0", "", 400, "abcdefgh", OK, 0,
      "invalid uuid format" },
    { "/ping/", "/ping/abcdefgh", "rid=01234567-89ab-cdef-0123-456789ABCDEG",
      "", 400, "abcdefgh", OK, 0, "invalid uuid format" },
    { "/ping/", "/ping/abcdefgh", "rid", "", 400, "abcdefgh", OK, 0,
      "invalid uuid format" },

    /* a client that shows what it did */
    { "/ping/", "/ping/abcdefgh/fail", "",
      "curl http://h/ping/abcdefgh/start", 200, "abcdefgh", FAIL, 0,
      "failure reported: curl http://h/ping/********/start" },

    /* Uptime Kuma */
    { "/api/push/", "/api/push/abcdefgh", "status=up&msg=OK&ping=", "", 200,
      "abcdefgh", OK, 0, "OK" },
    { "/api/push/", "/api/push/abcdefgh/", "", "", 200, "abcdefgh", OK, 0,
      "" },
    { "/", "/api/push/abcdefgh", "ping=12.34", "", 200, "abcdefgh", OK, 12340,
      "" },
    { "/ping/", "/ping/api/push/abcdefgh", "status=", "", 200, "abcdefgh", OK,
      0, "" },
    { "/api/push/", "/api/push/abcdefgh", "status=down&msg=disk+full%21",
      "no body", 200, "abcdefgh", FAIL, 0, "failure reported: disk full!" },
    { "/api/push/", "/api/push/abcdefgh", "status=UP", "", 200, "abcdefgh",
      FAIL, 0, "failure reported" },
    { "/api/push/", "/api/push/abcdefgh", "status=down&msg=50%&status=up", "",
      200, "abcdefgh", FAIL, 0, "failure reported: 50%" },
    { "/api/push/", "/api/push/abcdefgh", "status=down&msg=%zz%4", "", 200,
      "abcdefgh", FAIL, 0, "failure reported: %zz%4" },
    { "/api/push/", "/api/push/abcdefgh", "statusx=down&xstatus=down&status",
      "", 200, "abcdefgh", OK, 0, "" },
    { "/api/push/", "/api/push/abcdefgh", "ping=86400000", "", 200,
      "abcdefgh", OK, 86400000000, "" },
    { "/api/push/", "/api/push/abcdefgh", "ping=86400001", "", 400,
      "abcdefgh", OK, 0, "Invalid ping value, expected milliseconds from 0 "
      "to 86400000" },
    { "/api/push/", "/api/push/abcdefgh", "ping=-1", "", 400, "abcdefgh", OK,
      0, "Invalid ping value, expected milliseconds from 0 to 86400000" },
    { "/api/push/", "/api/push/abcdefgh", "ping=1s", "", 400, "abcdefgh", OK,
      0, "Invalid ping value, expected milliseconds from 0 to 86400000" },
    { "/api/push/", "/api/push/abcdefgh/x", "", "", 404, "abcdefgh", OK, 0,
      "Monitor not found or not active." },
    { "/api/push/", "/api/push/", "", "", 200, "", OK, 0, "" },

    /* Gatus */
    { "/api/v1/endpoints/", "/api/v1/endpoints/jobs_a/external",
      "success=true", "Bearer abcdefgh", 200, "abcdefgh", OK, 0, "" },
    { "/", "/api/v1/endpoints/jobs_a/external/",
      "success=false&error=disk%20full&duration=1m2.5s",
      "Bearer   abcdefgh ", 200, "abcdefgh", FAIL, 62500000,
      "failure reported: disk full" },
    { "/", "/api/v1/endpoints/a/external", "success=true&duration=0",
      "Bearer abcdefgh", 200, "abcdefgh", OK, 0, "" },
    { "/", "/api/v1/endpoints/a/external", "success=true&duration=",
      "Bearer abcdefgh", 200, "abcdefgh", OK, 0, "" },
    { "/", "/api/v1/endpoints/a/external",
      "success=true&duration=%2b1h1ms2us3%c2%b5s4%ce%bcs5000ns",
      "Bearer abcdefgh", 200, "abcdefgh", OK, 3600001014, "" },
    { "/", "/api/v1/endpoints/a/external", "success=true&duration=1",
      "Bearer abcdefgh", 400, "abcdefgh", OK, 0, "invalid duration" },
    { "/", "/api/v1/endpoints/a/external", "success=true&duration=-1s",
      "Bearer abcdefgh", 400, "abcdefgh", OK, 0, "invalid duration" },
    { "/", "/api/v1/endpoints/a/external", "success=true&duration=9601h",
      "Bearer abcdefgh", 400, "abcdefgh", OK, 0, "invalid duration" },
    { "/", "/api/v1/endpoints/a/external", "success=true&duration=1s.",
      "Bearer abcdefgh", 400, "abcdefgh", OK, 0, "invalid duration" },
    { "/", "/api/v1/endpoints/a/external", "success=1", "Bearer abcdefgh",
      400, "", OK, 0, "missing or invalid success query parameter" },
    { "/", "/api/v1/endpoints/a/external", "", "Bearer abcdefgh", 400, "", OK,
      0, "missing or invalid success query parameter" },
    { "/", "/api/v1/endpoints/a/external", "success=true", "", 401, "", OK, 0,
      "invalid Authorization header" },
    { "/", "/api/v1/endpoints/a/external", "success=true", "Basic abcdefgh",
      401, "", OK, 0, "invalid Authorization header" },
    { "/", "/api/v1/endpoints/a/external", "success=true", "Bearer ", 200, "",
      OK, 0, "" },
    { "/", "/api/v1/endpoints/a/externals", "success=true",
      "Bearer abcdefgh", 404, "", OK, 0, "not found" },
    { "/", "/api/v1/endpoints//external", "success=true",
      "Bearer abcdefgh", 404, "", OK, 0, "not found" },
    { "/", "/api/v1/endpoints/a", "success=true", "Bearer abcdefgh", 404, "",
      OK, 0, "not found" },
};


#define str(s)  { ngx_strlen(s), (u_char *) (s) }


static void
test_parse(ngx_status_heartbeat_t *hb, const char *location, const char *path,
    const char *args, const char *body)
{
    ngx_str_t  p = str(path);
    ngx_str_t  a = str(args);
    ngx_str_t  b = str(body);

    ngx_status_dialect_parse(hb, &p, ngx_strlen(location), &a, &b);
    ngx_status_dialect_body(hb, (u_char *) body, ngx_strlen(body));
    ngx_status_dialect_end(hb);
}


static void
test_rows(void **state)
{
    size_t                  i, k;
    ngx_status_heartbeat_t  hb;
    const test_request_t   *r;

    (void) state;

    for (i = 0; i < sizeof(test_requests) / sizeof(test_requests[0]); i++) {
        r = &test_requests[i];

        test_parse(&hb, r->location, r->path, r->args, r->body);

        assert_string_equal(hb.status == 200 ? hb.push.message : hb.problem,
                            r->message);
        assert_int_equal(hb.status, r->status);

        if (ngx_memcmp(hb.token, r->token, ngx_strlen(r->token)) != 0) {
            fail_msg("token of %s?%s", r->path, r->args);
        }

        for (k = ngx_strlen(r->token); k < NGX_STATUS_TOKEN; k++) {
            assert_int_equal(hb.token[k], 0);
        }

        if (hb.status == 200) {
            assert_int_equal(hb.push.kind, r->kind);
            assert_true(hb.push.took == r->took);
        }
    }
}


/* What may be told of a path is all of it but the token. */

static void
test_mask(void **state)
{
    size_t       i;
    char         told[100];

    ngx_status_heartbeat_t  hb;

    static const struct {
        const char  *location, *path, *told;
    }  rows[] = {
        { "/ping/", "/ping/abcdefgh", "/ping/*" },
        { "/ping/", "/ping/abcdefgh/start", "/ping/*/start" },
        { "/", "/ping/abcdefgh/7/", "/ping/*/7/" },
        { "/", "/abcdefgh", "/*" },
        { "/ping/", "/ping/key/abcdefgh", "/ping/*" },
        { "/ping/", "/ping/key/abcdefgh/fail", "/ping/*" },
        { "/ping/", "/ping/api/push/abcdefgh", "/ping/api/push/*" },
        { "/ping/", "/ping/api/push/x/abcdefgh", "/ping/api/push/*" },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_parse(&hb, rows[i].location, rows[i].path, "", "");

        snprintf(told, sizeof(told), "%.*s*%.*s", (int) hb.head.len,
                 hb.head.data, (int) hb.tail.len, hb.tail.data);
        assert_string_equal(told, rows[i].told);
    }
}


static void
test_rid(void **state)
{
    uint64_t                first;
    ngx_status_heartbeat_t  hb;

    (void) state;

    test_parse(&hb, "/", "/abcdefgh", "", "");
    assert_true(hb.push.rid == 0);

    test_parse(&hb, "/", "/abcdefgh", "rid=" RID, "");
    first = hb.push.rid;
    assert_true(first != 0);

    /* letters in either case are the same */
    test_parse(&hb, "/", "/abcdefgh",
               "rid=01234567-89AB-cdef-0123-456789abcdef", "");
    assert_true(hb.push.rid == first);

    test_parse(&hb, "/", "/abcdefgh",
               "rid=01234567-89AB-cdef-0123-456789abcdee", "");
    assert_true(hb.push.rid != first);

    /* nothing in particular is something else than nothing */
    test_parse(&hb, "/", "/abcdefgh",
               "rid=00000000-0000-0000-0000-000000000000", "");
    assert_true(hb.push.rid != 0);
}


static void
test_long(void **state)
{
    char                    path[600], body[1000];
    size_t                  i;
    ngx_str_t               p, none;
    ngx_status_heartbeat_t  hb;

    (void) state;

    ngx_str_null(&none);

    /* 128 bytes are a token, 129 are none */

    memset(path, 'a', sizeof(path));
    path[0] = '/';
    p.data = (u_char *) path;

    p.len = 1 + NGX_STATUS_TOKEN;
    ngx_status_dialect_parse(&hb, &p, 1, &none, &none);
    assert_int_equal(hb.token[NGX_STATUS_TOKEN - 1], 'a');

    p.len++;
    ngx_status_dialect_parse(&hb, &p, 1, &none, &none);
    assert_int_equal(hb.token[0], 0);
    assert_int_equal(hb.head.len, 1);

    /* the body in pieces, cut at a character's end, and a token at the cut */

    for (i = 0; i + 1 < sizeof(body); i += 2) {
        memcpy(body + i, "\xc3\xa9", 2);
    }

    test_parse(&hb, "/", "/abcdefgh/log", "", "");

    for (i = 0; i < sizeof(body); i += 5) {
        ngx_status_dialect_body(&hb, (u_char *) body + i, 5);
    }

    ngx_status_dialect_end(&hb);
    assert_int_equal(ngx_strlen(hb.push.message), NGX_STATUS_MESSAGE - 2);
    assert_true(ngx_strchr(hb.push.message, '?') == NULL);

    test_parse(&hb, "/", "/abcdefgh/log", "", "");
    memset(body, ' ', sizeof(body));
    memset(body + 1, '.', NGX_STATUS_MESSAGE);
    memcpy(body + 1 + NGX_STATUS_MESSAGE - 5, "abcdefgh", 8);
    ngx_status_dialect_body(&hb, (u_char *) body, sizeof(body));
    ngx_status_dialect_end(&hb);
    assert_int_equal(ngx_strlen(hb.push.message), NGX_STATUS_MESSAGE - 5);
    assert_true(ngx_strchr(hb.push.message, 'a') == NULL);
}


static void
test_find(void **state)
{
    u_char         tokens[4][NGX_STATUS_TOKEN], token[NGX_STATUS_TOKEN];
    ngx_uint_t     i, k;
    const u_char  *list[4];

    (void) state;

    memset(tokens, 0, sizeof(tokens));
    memcpy(tokens[0], "abcdefgh", 8);
    memcpy(tokens[1], "abcdefghi", 9);
    memset(tokens[2], 'x', NGX_STATUS_TOKEN);
    memset(tokens[3], 'x', NGX_STATUS_TOKEN - 1);

    for (i = 0; i < 4; i++) {
        list[i] = tokens[i];
    }

    for (i = 0; i < 4; i++) {
        assert_int_equal(ngx_status_dialect_find(tokens[i], list, 4), i + 1);
        assert_int_equal(ngx_status_dialect_find(tokens[i], list, i), 0);

        /* a single bit, wherever it is */

        for (k = 0; k < NGX_STATUS_TOKEN * 8; k++) {
            memcpy(token, tokens[i], NGX_STATUS_TOKEN);
            token[k / 8] ^= 1 << k % 8;
            assert_int_equal(ngx_status_dialect_find(token, &list[i], 1), 0);
        }
    }

    memset(token, 0, sizeof(token));
    assert_int_equal(ngx_status_dialect_find(token, list, 4), 0);
    assert_int_equal(ngx_status_dialect_find(token, NULL, 0), 0);
}


/* Whose a heartbeat is said to be, in the words of Healthchecks a slug. */

static void
test_slug(void **state)
{
    size_t                  i;
    ngx_status_heartbeat_t  hb;

    static const struct {
        const char  *path, *key;
    } rows[] = {
        { "/ping/abcdefgh", "" },
        { "/ping/abcdefgh/", "" },
        { "/ping/abcdefgh/start", "" },
        { "/ping/abcdefgh/7", "" },
        { "/ping/abcdefgh/job", "job" },
        { "/ping/abcdefgh/job/", "job" },
        { "/ping/abcdefgh/1x/log", "1x" },
        { "/ping/abcdefgh/-1", "-1" },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_parse(&hb, "/ping/", rows[i].path, "", "");

        assert_int_equal(hb.status, 200);
        assert_int_equal(hb.key.len, strlen(rows[i].key));
        assert_memory_equal(hb.key.len ? (char *) hb.key.data : "",
                            rows[i].key, hb.key.len);
    }
}


static void
test_key(void **state)
{
    size_t  i;

    static const struct {
        const char  *key, *group, *id;
        ngx_uint_t   is;
    }  rows[] = {
        { "backup", "", "backup", 1 },
        { "backup", "Jobs", "backup", 1 },
        { "jobs_backup", "Jobs", "backup", 1 },
        { "my-jobs---2_db-backup", "My Jobs & 2", "DB.backup", 1 },
        { "my-jobs---2_db-backup", "My Jobs ! 2", "DB.backup", 0 },
        { "_backup", "", "backup", 1 },
        { "_db-1", "", "db_1", 1 },
        { "Jobs_backup", "Jobs", "backup", 0 },
        { "jobs-backup", "Jobs", "backup", 0 },
        { "jobs_backu", "Jobs", "backup", 0 },
        { "jobs_backupp", "Jobs", "backup", 0 },
        { "", "", "backup", 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ngx_str_t  key = str(rows[i].key);
        ngx_str_t  group = str(rows[i].group);
        ngx_str_t  id = str(rows[i].id);

        if (ngx_status_dialect_key(&key, &group, &id) != rows[i].is) {
            fail_msg("key \"%s\"", rows[i].key);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_rid),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_slug),
        cmocka_unit_test(test_key),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
