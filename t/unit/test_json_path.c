
/*
 * Copyright (C) ngx_status_module authors
 *
 * JSON paths: what each finds in a document, fed at once and in pieces, and
 * what is said of paths and documents that are none.
 */

/* sources: checks/ngx_status_json_path.c checks/ngx_status_json.c
            checks/ngx_status_json_found.c checks/ngx_status_json_match.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "../../checks/ngx_status_json_path.h"


ngx_pool_t *ngx_create_pool(size_t size, ngx_log_t *log);
void ngx_destroy_pool(ngx_pool_t *pool);


static ngx_status_json_path_t *
test_compile(ngx_pool_t *pool, const char *path, char *err, size_t errlen)
{
    ngx_str_t                text;
    u_char                  *copy;
    ngx_status_json_path_t  *compiled;

    /* exactly as long as it is, so that an overrun is seen */

    text.len = strlen(path);
    copy = malloc(text.len + !text.len);
    memcpy(copy, path, text.len);
    text.data = copy;

    err[0] = '\0';
    compiled = ngx_status_json_path_compile(pool, &text, err, errlen);

    free(copy);

    return compiled;
}


/* Returns the matches in one line; with "!" and the error behind. */

static char *
test_run(const char *path, const char *doc, size_t len, size_t piece,
    ngx_uint_t keys)
{
    char                           *out, err[256];
    FILE                           *f;
    u_char                         *copy;
    size_t                          size, n, i;
    ngx_uint_t                      k, kept, total;
    ngx_pool_t                     *pool;
    ngx_status_json_t              *j;
    ngx_status_json_path_t         *compiled;
    const ngx_status_json_match_t  *m;

    static const char  *types[] = { "null", NULL, NULL, NULL, "{}", "[]" };

    pool = ngx_create_pool(1024, NULL);
    compiled = test_compile(pool, path, err, sizeof(err));

    if (compiled == NULL) {
        fail_msg("%s", err);
    }

    j = ngx_status_json_create(&compiled, 1);
    assert_non_null(j);

    for (i = 0; i < len; i += n) {
        n = ngx_min(piece, len - i);
        copy = malloc(n);
        memcpy(copy, doc + i, n);
        ngx_status_json_feed(j, copy, n);
        free(copy);
    }

    ngx_status_json_end(j);

    m = ngx_status_json_matches(j, 0, &kept, &total);
    f = open_memstream(&out, &size);

    for (k = 0; k < kept; k++) {
        assert_int_equal(m[k].text.len ? m[k].text.data[m[k].text.len] : 0, 0);

        if (k) {
            fputc(' ', f);
            assert_true(m[k].place > m[k - 1].place);
        }

        if (keys) {
            fprintf(f, "%.*s:", (int) m[k].key.len, (char *) m[k].key.data);
        }

        switch (m[k].type) {
        case NGX_STATUS_JSON_BOOL:
            fputs(m[k].number != 0 ? "true" : "false", f);
            break;
        case NGX_STATUS_JSON_NUMBER:
            fwrite(m[k].text.data, 1, m[k].text.len, f);
            if (isnan(m[k].number)) {
                fputs("(nan)", f);
            }
            break;
        case NGX_STATUS_JSON_TEXT:
            fprintf(f, "\"%.*s%s\"", (int) m[k].text.len,
                    (char *) m[k].text.data, m[k].cut ? "..." : "");
            break;
        default:
            fputs(types[m[k].type], f);
        }
    }

    if (total != kept) {
        fprintf(f, " +%lu", (unsigned long) (total - kept));
    }

    if (ngx_status_json_error(j)[0]) {
        fprintf(f, "!%s", ngx_status_json_error(j));
    }

    fclose(f);
    ngx_status_json_free(j);
    ngx_destroy_pool(pool);

    return out;
}


/* However the document is cut, the outcome is the same. */

static void
test_all_pieces(const char *path, const char *doc, size_t len,
    const char *expected, ngx_uint_t keys)
{
    char    *out;
    size_t   i;

    static const size_t  pieces[] = { 1 << 20, 1, 2, 3, 7, 64, 1000 };

    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        out = test_run(path, doc, len, pieces[i], keys);

        if (strcmp(out, expected) != 0) {
            fail_msg("%s in %.200s by %lu: got %s, expected %s", path, doc,
                     (unsigned long) pieces[i], out, expected);
        }

        free(out);
    }
}


typedef struct {
    const char  *path;
    const char  *doc;
    const char  *expected;
} test_row_t;


static const test_row_t  test_rows[] = {

    /* names and indexes */
    { "$", "1", "1" },
    { "$", " \"a\" ", "\"a\"" },
    { "$", "{\"a\":1}", "{}" },
    { "$", "[]", "[]" },
    { "$.a", "{\"a\":1}", "1" },
    { "$.a", "{\"b\":1}", "" },
    { "$.a", "[1]", "" },
    { "$.a", "1", "" },
    { "$.a.b", "{\"a\":{\"b\":true},\"b\":false}", "true" },
    { "$.a.b", "{\"a\":[{\"b\":1}]}", "" },
    { "$.a.b", "{\"b\":{\"a\":1}}", "" },
    { "$['a b']", "{\"a b\":null}", "null" },
    { "$[\"a b\"]", "{\"a b\":null}", "null" },
    { "$[ 'a' ]", "{\"a\":2}", "2" },
    { "$['']", "{\"\":3}", "3" },
    { "$['a.b']['c']", "{\"a.b\":{\"c\":4}}", "4" },
    { "$['\\u00e9']", "{\"\xc3\xa9\":5}", "5" },
    { "$['\xc3\xa9']", "{\"\\u00e9\":5}", "5" },
    { "$.\xc3\xa9t\xc3\xa9", "{\"\xc3\xa9t\xc3\xa9\":6}", "6" },
    { "$['\\ud83d\\ude00']", "{\"\xf0\x9f\x98\x80\":7}", "7" },
    { "$['\\'']", "{\"'\":8}", "8" },
    { "$['\\n\\t\\\\\\/\\b\\f\\r\\\"']", "{\"\\n\\t\\\\\\/\\b\\f\\r\\\"\":9}",
      "9" },
    { "$['\\u0000']", "{\"\\u0000\":10,\"\":11}", "10" },
    { "$.best-practices", "{\"best-practices\":0.96}", "0.96" },
    { "$.24h", "{\"24h\":1}", "1" },
    { "$.a", "{\"a\":1,\"a\":2}", "1 2" },
    { "$.A", "{\"a\":1}", "" },
    { "$.a", "{\"ab\":1,\"\":2,\"a\":3}", "3" },
    { "$[0]", "[1,2,3]", "1" },
    { "$[2]", "[1,2,3]", "3" },
    { "$[3]", "[1,2,3]", "" },
    { "$[0]", "{\"0\":1}", "" },
    { "$['0']", "{\"0\":1}", "1" },
    { "$['0']", "[1]", "" },
    { "$[1][1]", "[[1,2],[3,4]]", "4" },
    { "$.a[1].b", "{\"a\":[{\"b\":1},{\"b\":2}]}", "2" },
    { "$[2147483647]", "[1]", "" },

    /* from the end */
    { "$[-1]", "[1,2,3]", "3" },
    { "$[-3]", "[1,2,3]", "1" },
    { "$[-4]", "[1,2,3]", "" },
    { "$[-1]", "[]", "" },
    { "$[-1]", "{\"a\":1}", "" },
    { "$[-1].a", "[{\"a\":1},{\"a\":2}]", "2" },
    { "$[-2].a", "[{\"a\":1},{\"a\":2},{\"b\":3}]", "2" },
    { "$[-1].a", "[{\"a\":1},{\"b\":2}]", "" },
    { "$[-1][-1]", "[[1,2],[3,4]]", "4" },
    { "$[-2][-2]", "[[1,2],[3,4],[5,6]]", "3" },
    { "$.a[-1].b[-1].c", "{\"a\":[{\"b\":[{\"c\":1}]},{\"b\":[{\"c\":2},"
      "{\"c\":3}]}]}", "3" },
    { "$[-1]", "[[1],[2]]", "[]" },
    { "$[-1][*]", "[[1],[2,3]]", "2 3" },
    { "$[*][-1]", "[[1],[2,3],[],4]", "1 3" },
    { "$[-1]", "[1,2", "!not JSON, it ends too early at byte 4" },
    { "$[-100]", "[1,2]", "" },

    /* wildcards */
    { "$[*]", "[1,\"a\",null,{},[]]", "1 \"a\" null {} []" },
    { "$.*", "{\"a\":1,\"b\":[2]}", "1 []" },
    { "$[*]", "{\"a\":1,\"b\":2}", "1 2" },
    { "$.*", "[1,2]", "1 2" },
    { "$.*.*", "{\"a\":{\"x\":1},\"b\":{\"y\":2},\"c\":3}", "1 2" },
    { "$.*", "1", "" },
    { "$.a[*].b", "{\"a\":[{\"b\":1},{\"c\":2},{\"b\":3},4]}", "1 3" },
    { "$.audit.*.score", "{\"audit\":{\"seo\":{\"score\":0.9},\"perf\":"
      "{\"score\":1}}}", "0.9 1" },

    /* descendants */
    { "$..a", "{\"a\":1,\"b\":{\"a\":2,\"c\":[{\"a\":3}]}}", "1 2 3" },
    { "$..a", "{\"a\":{\"a\":{\"a\":1}}}", "{} {} 1" },
    { "$..a", "[]", "" },
    { "$..*", "{\"a\":[1,{\"b\":2}]}", "[] 1 {} 2" },
    { "$..[0]", "[[1,2],[3,[4]]]", "[] 1 3 4" },
    { "$..[-1]", "[[1,2],[3,[4]]]", "2 [] [] 4" },
    { "$..[*]", "[1,[2]]", "1 [] 2" },
    { "$..['a']", "{\"b\":{\"a\":1}}", "1" },
    { "$..a..b", "{\"a\":{\"a\":{\"b\":1}}}", "1" },
    { "$..a.b", "{\"a\":{\"b\":1,\"a\":{\"b\":2}}}", "1 2" },
    { "$.x..a", "{\"a\":1,\"x\":{\"a\":2,\"y\":{\"a\":3}},\"z\":{\"a\":4}}",
      "2 3" },
    { "$..a[-1]", "{\"a\":[1,2],\"b\":{\"a\":[3]}}", "2 3" },
    { "$..[-1]..[-1]", "[[1,2],[3,[4,5]]]", "[] 5" },

    /* filters */
    { "$[?(@.k == 1)].v", "[{\"k\":1,\"v\":10},{\"k\":2,\"v\":20}]", "10" },
    { "$[?(@.k == 1)].v", "[{\"v\":10,\"k\":1},{\"v\":20,\"k\":2}]", "10" },
    { "$[?@.k == 1].v", "[{\"v\":10,\"k\":1},{\"v\":20,\"k\":2}]", "10" },
    { "$[?(@.k==1)]", "[{\"k\":1},{\"k\":1.0},{\"k\":1e0},{\"k\":\"1\"}]",
      "{} {} {}" },
    { "$[?(@.k != 1)].v", "[{\"k\":1,\"v\":1},{\"k\":2,\"v\":2},{\"v\":3},"
      "{\"k\":\"1\",\"v\":4}]", "2 3 4" },
    { "$[?(@.k < 2)].k", "[{\"k\":1},{\"k\":2},{\"k\":\"1\"},{}]", "1" },
    { "$[?(@.k <= 2)].k", "[{\"k\":1},{\"k\":2},{\"k\":3}]", "1 2" },
    { "$[?(@.k > 2)].k", "[{\"k\":1},{\"k\":2},{\"k\":3}]", "3" },
    { "$[?(@.k >= 2)].k", "[{\"k\":1},{\"k\":2},{\"k\":3}]", "2 3" },
    { "$[?(@.k >= -1.5e1)].k", "[{\"k\":-16},{\"k\":-15}]", "-15" },
    { "$[?(@.k == 'x')].v", "[{\"k\":\"x\",\"v\":1},{\"k\":\"xx\",\"v\":2}]",
      "1" },
    { "$[?(@.k == \"x\")].v", "[{\"k\":\"x\",\"v\":1},{\"k\":1,\"v\":2}]",
      "1" },
    { "$[?(@.k < 'b')].k", "[{\"k\":\"a\"},{\"k\":\"b\"},{\"k\":\"aa\"},"
      "{\"k\":\"\"},{\"k\":1}]", "\"a\" \"aa\" \"\"" },
    { "$[?(@.k > 'b')].k", "[{\"k\":\"a\"},{\"k\":\"b\"},{\"k\":\"ba\"}]",
      "\"ba\"" },
    { "$[?(@.k == true)].v", "[{\"k\":true,\"v\":1},{\"k\":1,\"v\":2},"
      "{\"k\":false,\"v\":3}]", "1" },
    { "$[?(@.k == false)].v", "[{\"k\":true,\"v\":1},{\"k\":false,\"v\":3}]",
      "3" },
    { "$[?(@.k == null)].v", "[{\"k\":null,\"v\":1},{\"v\":2},{\"k\":0,"
      "\"v\":3}]", "1" },
    { "$[?(@.k <= null)].v", "[{\"k\":null,\"v\":1},{\"v\":2}]", "1" },
    { "$[?(@.k < true)].v", "[{\"k\":false,\"v\":1}]", "" },
    { "$[?(@.k != null)].v", "[{\"k\":null,\"v\":1},{\"v\":2},{\"k\":{},"
      "\"v\":3}]", "2 3" },
    { "$[?(@.k)].v", "[{\"v\":1},{\"k\":null,\"v\":2},{\"v\":3,\"k\":{}}]",
      "2 3" },
    { "$[?@.k].v", "[{\"v\":1},{\"k\":[],\"v\":2}]", "2" },
    { "$[?@['k k']].v", "[{\"v\":1},{\"k k\":0,\"v\":2}]", "2" },
    { "$[?@[ \"k\" ]['l'].m == 1].v", "[{\"k\":{\"l\":{\"m\":1}},\"v\":2}]",
      "2" },
    { "$[?(@.a.b == 1)].v", "[{\"v\":1,\"a\":{\"b\":1}},{\"v\":2,\"a\":1},"
      "{\"v\":3,\"b\":1},{\"v\":4,\"a\":{\"c\":{\"b\":1}}}]", "1" },
    { "$[?(@.a.b)].v", "[{\"v\":1,\"a\":{\"b\":{}}},{\"v\":2,\"a\":[1]}]",
      "1" },
    { "$[?(@.k == 1)]", "[1,\"k\",null,[1],{\"k\":1}]", "{}" },
    { "$[?(@.k != 1)]", "[1,{\"k\":1},[]]", "1 []" },
    { "$[?(@ > 1)]", "[1,2,3,\"4\",null]", "2 3" },
    { "$[?@ == 'a']", "[\"a\",\"b\",[\"a\"]]", "\"a\"" },
    { "$[?@]", "[1,null,{}]", "1 null {}" },
    { "$[?(@.up == true)].n", "{\"a\":{\"up\":true,\"n\":1},\"b\":{\"n\":2,"
      "\"up\":false}}", "1" },
    { "$.s[?(@.n == 'db')].state", "{\"s\":[{\"n\":\"web\",\"state\":\"up\"},"
      "{\"state\":\"down\",\"n\":\"db\"}]}", "\"down\"" },
    { "$[?(@.k == 1)][?(@.l == 2)].v", "[{\"x\":{\"v\":5,\"l\":2},\"k\":1},"
      "{\"x\":{\"v\":6,\"l\":2},\"k\":2},{\"k\":1,\"x\":{\"v\":7,\"l\":3}}]",
      "5" },
    { "$[?(@.k == 1)].a[-1]", "[{\"a\":[1,2],\"k\":1},{\"a\":[3],\"k\":2}]",
      "2" },
    { "$[-1][?(@.k == 1)].v", "[[{\"k\":1,\"v\":1}],[{\"v\":2,\"k\":1},"
      "{\"v\":3}]]", "2" },
    { "$..[?(@.k == 1)].v", "{\"a\":[{\"k\":1,\"v\":1,\"b\":{\"v\":2,"
      "\"k\":1}}],\"c\":{\"v\":3,\"k\":1}}", "1 2 3" },
    { "$..[?(@.k)]..v", "{\"a\":{\"b\":{\"v\":1,\"k\":1},\"k\":1}}", "1" },
    { "$[?(@.k == 1)].k", "[{\"k\":1},{\"k\":2}]", "1" },
    { "$[?(@.k == 1)].v", "[{\"v\":1,\"k\":1},{\"v\":2,\"k\":1",
      "1 2!not JSON, it ends too early at byte 27" },
    { "$[?(@.k == 1)].v", "[{\"v\":1,\"v\":2,\"k\":1,\"v\":3}]", "1 2 3" },

    /* the first @.k is the one that counts */
    { "$[?(@.k == 1)].v", "[{\"v\":1,\"k\":1,\"k\":2},"
      "{\"v\":2,\"k\":2,\"k\":1}]", "1" },

    /* order, when waits are settled out of it */
    { "$..[?(@.k)].v", "{\"a\":{\"v\":1,\"b\":{\"v\":2,\"k\":0},\"k\":0}}",
      "1 2" },
    { "$[?(@.k)]..v", "[{\"v\":1,\"a\":{\"v\":2},\"k\":1,\"b\":{\"v\":3}}]",
      "1 2 3" },

    /* numbers */
    { "$", "-0", "-0" },
    { "$", "0.92", "0.92" },
    { "$", "1e400", "1e400(nan)" },
    { "$", "-1e400", "-1e400(nan)" },
    { "$", "1e-400", "1e-400" },
    { "$", "9007199254740993", "9007199254740993" },
    { "$", "123456789012345678901234567890", "123456789012345678901234567890" },
    { "$[?(@ == 0)]", "[-0,0.0,0e5]", "-0 0.0 0e5" },
    { "$[?(@ > 0)]", "[1e400,1e308]", "1e308" },
    { "$[?(@ != 0)]", "[1e400]", "1e400(nan)" },
    { "$[?(@ == 18446744073709551616)]", "[18446744073709551617]",
      "18446744073709551617" },

    /* text */
    { "$", "\"\"", "\"\"" },
    { "$", "\"\\u00e9\\n\"", "\"\xc3\xa9\n\"" },
    { "$", "\"\xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\x80\"" },
    { "$", "\"a\\\"b\\\\\"", "\"a\"b\\\"" },
    { "$.b", "{\"a\":\"}{][,:\\\\\",\"b\":1}", "1" },
    { "$.a", "\xef\xbb\xbf{\"a\":1}", "1" },

    /* what is no JSON; what matched before stays */
    { "$", "", "!nothing came" },
    { "$", "  ", "!not JSON, it ends too early at byte 2" },
    { "$", "\xef\xbb", "!not JSON, it ends too early at byte 2" },
    { "$", "\xef\xbb{}", "!not JSON at byte 1" },
    { "$", "\xef\xbb\xbf\xef\xbb\xbf{}", "!not JSON at byte 1" },
    { "$", "<html>", "!not JSON at byte 1" },
    { "$.a", "{\"a\":1", "1!not JSON, it ends too early at byte 6" },
    { "$.a", "{\"a\":1}}", "1!not JSON at byte 8" },
    { "$.a", "{\"a\":1} {\"a\":2}", "1!not JSON at byte 8" },
    { "$", "1 2 ", "1!not JSON at byte 2" },
    { "$", "tru", "!not JSON, it ends too early at byte 3" },
    { "$", "truth", "!not JSON at byte 1" },
    { "$", "nul", "!not JSON, it ends too early at byte 3" },
    { "$", "NaN", "!not JSON at byte 1" },
    { "$", "Infinity", "!not JSON at byte 1" },
    { "$", "+1", "!not JSON at byte 1" },
    { "$", "-", "!not JSON, it ends too early at byte 1" },
    { "$", "1.", "!not JSON, it ends too early at byte 2" },
    { "$", "{'a':1}", "{}!not JSON at byte 2" },
    { "$", "[1,]", "[]!not JSON at byte 3" },
    { "$", "[1 2]", "[]!not JSON at byte 3" },
    { "$", "{\"a\" 1}", "{}!not JSON at byte 5" },
    { "$", "{1:2}", "{}!not JSON at byte 2" },
    { "$", "[1}", "[]!not JSON at byte 3" },
    { "$", "\"a\nb\"", "!not JSON at byte 1" },
    { "$", "\"\xff\"", "!not JSON at byte 1" },
    { "$", "\"\\x\"", "!not JSON at byte 1" },
    { "$", "\"\\u12g4\"", "!not JSON at byte 1" },
    { "$", "// no\n1", "!not JSON at byte 1" }
};


static void
test_paths(void **state)
{
    size_t             i;
    const test_row_t  *row;

    (void) state;

    for (i = 0; i < sizeof(test_rows) / sizeof(test_rows[0]); i++) {
        row = &test_rows[i];
        test_all_pieces(row->path, row->doc, strlen(row->doc), row->expected,
                        0);
    }
}


/* Names for categories. */

static void
test_keys(void **state)
{
    size_t  i;

    static const test_row_t  rows[] = {
        { "$.a.b", "{\"a\":{\"b\":1}}", "b:1" },
        { "$.a[0]", "{\"a\":[1]}", "a:1" },
        { "$[0]", "[1]", ":1" },
        { "$.*.score", "{\"seo\":{\"score\":1},\"perf\":{\"score\":2}}",
          "seo:1 perf:2" },
        { "$.audit.*.x.score", "{\"audit\":{\"seo\":{\"x\":{\"score\":1}}}}",
          "seo:1" },
        { "$.*", "{\"a\":1,\"b\":2}", "a:1 b:2" },
        { "$.*[*]", "{\"a\":[1,2],\"b\":[3]}", "a:1 a:2 b:3" },
        { "$.a[*].s", "{\"a\":[{\"s\":1},{\"s\":2}]}", "s:1 s:2" },
        { "$..score", "{\"a\":{\"score\":1,\"b\":{\"score\":2}},\"score\":3}",
          "a:1 b:2 score:3" },
        { "$..*", "{\"a\":{\"b\":1}}", "a:{} b:1" },
        { "$[?(@.up)].n", "{\"a\":{\"n\":1,\"up\":1},\"b\":{\"n\":2}}",
          "a:1" }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_all_pieces(rows[i].path, rows[i].doc, strlen(rows[i].doc),
                        rows[i].expected, 1);
    }
}


static void
test_bad_paths(void **state)
{
    size_t       i;
    char         err[512], expected[512];
    ngx_pool_t  *pool;

    static const struct {
        const char  *path;
        unsigned     at;
        const char  *expected;
    } rows[] = {
        { "", 1, "\"$\"" },
        { "a.b", 1, "\"$\"" },
        { "$a", 2, "\".\", \"[\" or the end; a name of other characters is "
          "written ['...']" },
        { "$.", 3, "a name, \"*\" or \"[\"" },
        { "$..", 4, "a name, \"*\" or \"[\"" },
        { "$...a", 4, "a name, \"*\" or \"[\"" },
        { "$.a.", 5, "a name, \"*\" or \"[\"" },
        { "$.a b", 4, "\".\", \"[\" or the end; a name of other characters is "
          "written ['...']" },
        { "$.\xc3\xa9\xc3\xa9!", 5, "\".\", \"[\" or the end; a name of other "
          "characters is written ['...']" },
        { "$.a[", 5, "an index, \"*\", \"?\" or a name in quotes" },
        { "$.a[]", 5, "an index, \"*\", \"?\" or a name in quotes" },
        { "$[a]", 3, "an index, \"*\", \"?\" or a name in quotes" },
        { "$[0", 4, "\"]\"" },
        { "$[*", 4, "\"]\"" },
        { "$[0:2]", 4, "\"]\"" },
        { "$[0,1]", 4, "\"]\"" },
        { "$[1.5]", 4, "\"]\"" },
        { "$['a','b']", 6, "\"]\"" },
        { "$[-]", 4, "an index, \"*\", \"?\" or a name in quotes" },
        { "$[-0]", 5, "-1 to -100" },
        { "$[-101]", 4, "-1 to -100" },
        { "$[2147483648]", 3, "an index below 2147483648" },
        { "$[99999999999999999999999]", 3, "an index below 2147483648" },
        { "$['a", 5, "a closing '" },
        { "$[\"a']", 7, "a closing \"" },
        { "$['\\x']", 5, "one of \" \\ / ' b f n r t u behind a backslash" },
        { "$['\\", 5, "one of \" \\ / ' b f n r t u behind a backslash" },
        { "$['\\u12']", 8, "four hexadecimal digits" },
        { "$['\\ud83d']", 10, "a whole surrogate pair" },
        { "$['\\ude00']", 10, "a whole surrogate pair" },
        { "$['\\ud83d\\u0041']", 16, "the low half of a pair" },
        { "$[?]", 4, "\"@\"" },
        { "$[?(a)]", 5, "\"@\"" },
        { "$[?(@.)]", 7, "a name, \"*\" or \"[\"" },
        { "$[?(@.a", 8, "== != < <= > >= or \")\"" },
        { "$[?(@.a]", 8, "== != < <= > >= or \")\"" },
        { "$[?(@.a)", 9, "\"]\"" },
        { "$[?@.a)]", 7, "\"]\"" },
        { "$[?(@.a = 1)]", 9, "== != < <= > >=, \")\" or \"]\"" },
        { "$[?(@.a =~ 'x')]", 9, "== != < <= > >=, \")\" or \"]\"" },
        { "$[?(@.a && @.b)]", 9, "== != < <= > >=, \")\" or \"]\"" },
        { "$[?(@.a == )]", 12, "a number, a string in quotes, true, false or "
          "null" },
        { "$[?(@.a == x)]", 12, "a number, a string in quotes, true, false or "
          "null" },
        { "$[?(@.a == 1e999)]", 12, "a number, a string in quotes, true, "
          "false or null" },
        { "$[?(@.a == 01)]", 12, "a number, a string in quotes, true, false "
          "or null" },
        { "$[?(@.a == 1 && @.b == 2)]", 14, "\")\"" },
        { "$[?(@.a == 'x)]", 16, "a closing '" },
        { "$[?(@.a[0] == 1)]", 9, "a name in quotes" },
        { "$[?(@.a['b' == 1)]", 13, "\"]\"" },
        { "$[?(@.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a)]", 38,
          "no more than 16 names" },
        { "$[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
          "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]", 98,
          "the end, after 32 steps" }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pool = ngx_create_pool(1024, NULL);

        if (test_compile(pool, rows[i].path, err, sizeof(err))) {
            fail_msg("%s is taken", rows[i].path);
        }

        snprintf(expected, sizeof(expected), "JSON path \"%s\" is not valid "
                 "at character %u: expected %s", rows[i].path, rows[i].at,
                 rows[i].expected);
        assert_string_equal(err, expected);

        ngx_destroy_pool(pool);
    }

    /* a short place for the sentence, a long path */

    pool = ngx_create_pool(1024, NULL);
    assert_null(test_compile(pool, "$.a[", err, 10));
    assert_string_equal(err, "JSON path");

    memset(expected, 'a', sizeof(expected) - 1);
    expected[sizeof(expected) - 1] = '\0';
    assert_null(test_compile(pool, expected, err, sizeof(err)));
    ngx_destroy_pool(pool);
}


/* Documents made to hurt. */

static char *
test_repeat(const char *head, const char *unit, size_t n, const char *tail,
    size_t *len)
{
    char    *doc;
    size_t   i, a, b, c;

    a = strlen(head);
    b = strlen(unit);
    c = strlen(tail);

    doc = malloc(a + n * b + c + 1);
    memcpy(doc, head, a);

    for (i = 0; i < n; i++) {
        memcpy(doc + a + i * b, unit, b);
    }

    memcpy(doc + a + n * b, tail, c + 1);
    *len = a + n * b + c;

    return doc;
}


static void
test_limits(void **state)
{
    char    *doc, *out, *cut;
    size_t   i, len, n;

    static const struct {
        const char  *path;
        const char  *head;
        const char  *unit;
        size_t       n;
        const char  *tail;
        const char  *expected;
    } rows[] = {
        /* depth */
        { "$", "", "[", 10000, "", "[]!too many levels deep at byte 129" },
        { "$", "", "{\"a\":", 10000, "1",
          "{}!too many levels deep at byte 641" },
        { "$..x", "", "[", 128, "]]", "!not JSON, it ends too early at byte "
          "130" },
        { "$.b", "{\"b\":1,\"a\":", "[", 10000, "",
          "1!too many levels deep at byte 139" },
        { "$..a..a..a..a..a", "", "{\"a\":", 10000, "1",
          "" },
        /* long and many */
        { "$.b", "{\"a\":[0", ",1", 500000, "],\"b\":2}", "2" },
        { "$.b", "{\"a\":\"", "x", 1000000, "\",\"b\":2}", "2" },
        { "$.b", "{\"a\":\"", "\\u00e9", 200000, "\",\"b\":2}", "2" },
        { "$.b", "{\"a\":\"", "\\\"", 200000, "\",\"b\":2}", "2" },
        { "$.b", "{\"a\":\"", "\\\\", 200001, "\",\"b\":2}", "2" },
        { "$.b", "{\"a\":\"", "\xf0\x9f\x98\x80", 200000, "\",\"b\":2}", "2" },
        { "$.b", "{\"a\":\"", "\\ud83d\\ude00", 10001, "\",\"b\":2}", "2" },
        { "$.b", "{\"", "x", 1000000, "\":1,\"b\":2}", "2" },
        { "$.b", "[\"", "x", 10000, "\x01\"]", "!not JSON at byte 2" },
        { "$[-1]", "[0", ",1", 200000, ",2]", "2" },
        { "$[-100]", "[0", ",1", 20000, ",2]", NULL },
        { "$[?(@.a == 1)].b", "[{\"b\":0}", ",{\"b\":1}", 50000,
          ",{\"b\":2,\"a\":1}]", "2" },
        { "$[?(@.a == 1)].b[-1]", "[{\"b\":[0", ",1", 50000,
          ",7],\"a\":1}]", "7" },
        { "$[?(@.a == 1)].b[0]", "[{\"b\":[0", ",[1]", 50000, "]}]", "" }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        doc = test_repeat(rows[i].head, rows[i].unit, rows[i].n,
                          rows[i].tail, &len);

        for (n = 16384; n; n = (n == 16384) ? 333 : (n == 333) ? 1 : 0) {
            out = test_run(rows[i].path, doc, len, n, 0);

            if (i == 4) {
                assert_non_null(strstr(out, "too many levels deep"));

            } else if (rows[i].expected == NULL) {
                assert_string_equal(out, "1");

            } else {
                assert_string_equal(out, rows[i].expected);
            }

            free(out);
        }

        free(doc);
    }

    /* the limits of what is kept of one string, and of matches */

    for (i = 1020; i < 1030; i++) {
        doc = test_repeat("\"", "x", i, "\"", &len);
        out = test_run("$", doc, len, 100, 0);
        assert_int_equal(strlen(out), i > 1024 ? 1024 + 5 : i + 2);
        assert_int_equal(strstr(out, "...") != NULL, i > 1024);
        free(out);
        free(doc);
    }

    for (i = 0; i < 4; i++) {
        doc = test_repeat("\"xyz" + 0, "\xf0\x9f\x98\x80", 300, "\"", &len);
        cut = doc + i;
        *cut = '"';
        out = test_run("$", cut, len - i, 1000, 0);

        /* a character is not cut in two */
        n = (3 - i) + (1024 - (3 - i)) / 4 * 4;
        assert_int_equal(strlen(out), n + 5);
        free(out);
        free(doc);
    }

    doc = test_repeat("[0", ",1", 99, "]", &len);
    out = test_run("$[*]", doc, len, 1000, 0);
    assert_non_null(strstr(out, "1 +36"));
    free(out);
    free(doc);

    doc = test_repeat("[{\"v\":[0", ",1", 99, "],\"k\":1}]", &len);
    out = test_run("$[?(@.k)].v[*]", doc, len, 1000, 0);
    assert_non_null(strstr(out, "1 +36"));
    free(out);
    free(doc);

    /* a number of too many digits; filters that keep too much */

    doc = test_repeat("[", "1", 5000, "]", &len);
    test_all_pieces("$[0]", doc, len,
                    "!a number of too many digits at byte 1026", 0);
    free(doc);

    doc = test_repeat("[", "[{\"v\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"},",
                      120, "", &len);
    out = test_run("$..[?(@.k)]..[?(@.l)]..[?(@.m)]..v", doc, len, 1000, 0);
    assert_non_null(strchr(out, '!'));
    free(out);
    free(doc);

    doc = test_repeat("", "{\"v\":1,\"a\":", 120, "", &len);
    out = test_run("$..[?(@.k)]..[?(@.l)]..[?(@.m)]..v", doc, len, 1000, 0);
    assert_non_null(strstr(out, "!too m"));
    free(out);
    free(doc);
}


/* Several paths at once, and use after the end and after an error. */

static void
test_several(void **state)
{
    char                            err[256];
    ngx_uint_t                      i, kept, total;
    ngx_pool_t                     *pool;
    ngx_status_json_t              *j;
    ngx_status_json_path_t         *paths[3];
    const ngx_status_json_match_t  *m;

    static const u_char  doc[] = "{\"a\":[1,2,3],\"b\":\"x\"}";

    (void) state;

    pool = ngx_create_pool(1024, NULL);
    paths[0] = test_compile(pool, "$.a[-1]", err, sizeof(err));
    paths[1] = test_compile(pool, "$.b", err, sizeof(err));
    paths[2] = test_compile(pool, "$..c", err, sizeof(err));

    j = ngx_status_json_create(paths, 3);
    assert_int_equal(ngx_status_json_feed(j, doc, 0), NGX_OK);
    assert_int_equal(ngx_status_json_feed(j, doc, 9), NGX_OK);

    ngx_status_json_matches(j, 0, &kept, &total);
    assert_int_equal(total, 0);

    assert_int_equal(ngx_status_json_feed(j, doc + 9, sizeof(doc) - 10),
                     NGX_OK);
    assert_int_equal(ngx_status_json_end(j), NGX_OK);
    assert_int_equal(ngx_status_json_end(j), NGX_OK);
    assert_int_equal(ngx_status_json_feed(j, doc, 1), NGX_ERROR);
    assert_string_equal(ngx_status_json_error(j), "");

    m = ngx_status_json_matches(j, 0, &kept, &total);
    assert_int_equal(kept, 1);
    assert_true(m[0].number == 3);

    m = ngx_status_json_matches(j, 1, &kept, &total);
    assert_int_equal(kept, 1);
    assert_string_equal(m[0].text.data, "x");
    assert_true(isnan(m[0].number));

    ngx_status_json_matches(j, 2, &kept, &total);
    assert_int_equal(total, 0);
    ngx_status_json_free(j);

    j = ngx_status_json_create(paths, 3);
    assert_int_equal(ngx_status_json_feed(j, (u_char *) "{\"b\":1}!", 8),
                     NGX_ERROR);

    for (i = 0; i < 3; i++) {
        assert_int_equal(ngx_status_json_feed(j, doc, 5), NGX_ERROR);
    }

    assert_int_equal(ngx_status_json_end(j), NGX_ERROR);
    assert_string_equal(ngx_status_json_error(j), "not JSON at byte 8");
    ngx_status_json_matches(j, 1, &kept, &total);
    assert_int_equal(kept, 1);
    ngx_status_json_free(j);

    j = ngx_status_json_create(NULL, 0);
    assert_int_equal(ngx_status_json_feed(j, doc, sizeof(doc) - 1), NGX_OK);
    assert_int_equal(ngx_status_json_end(j), NGX_OK);
    ngx_status_json_free(j);
    ngx_status_json_free(NULL);

    ngx_destroy_pool(pool);
}


/* Five reports of a real auditor. */

static void
test_lighthouse(void **state)
{
    char    name[1024], expected[256], *out, *doc, *slash;
    FILE   *f;
    size_t  len, i, piece;

    static const char  *seo[] = { "1", "0.92", "0.77", "0.38", "1" };
    static const char  *all[] = {
        "performance:1 accessibility:1 best-practices:0.96 seo:1",
        "performance:1 accessibility:1 best-practices:0.96 seo:0.92",
        "performance:1 accessibility:0.87 best-practices:0.96 seo:0.77",
        "performance:1 accessibility:0.55 best-practices:0.96 seo:0.38",
        "performance:1 accessibility:1 best-practices:0.96 seo:1"
    };

    (void) state;

    for (i = 0; i < 5; i++) {
        snprintf(name, sizeof(name) - 64, "%s", __FILE__);
        slash = strrchr(name, '/');
        snprintf(slash ? slash + 1 : name, 64, "%s../data/lighthouse/%u.json",
                 slash ? "" : "./", (unsigned) i + 1);

        f = fopen(name, "r");
        if (f == NULL) {
            fail_msg("no %s", name);
        }

        doc = malloc(1 << 20);
        len = fread(doc, 1, 1 << 20, f);
        fclose(f);

        for (piece = 1; piece < 1 << 21; piece *= 37) {
            out = test_run("$.categories.seo.score", doc, len, piece, 0);
            assert_string_equal(out, seo[i]);
            free(out);
        }

        out = test_run("$.categories.*.score", doc, len, 16384, 1);
        assert_string_equal(out, all[i]);
        free(out);

        snprintf(expected, sizeof(expected), "seo:%s", seo[i]);
        out = test_run("$.categories[?(@.id == 'seo')].score", doc, len,
                       16384, 1);
        assert_string_equal(out, expected);
        free(out);

        free(doc);
    }
}


static void
test_numbers(void **state)
{
    size_t  i;
    double  number;
    u_char *copy;

    static const struct {
        const char  *text;
        size_t       len;
        double       number;
    } rows[] = {
        { "", 0, 0 }, { "-", 0, 0 }, { "+1", 0, 0 }, { ".5", 0, 0 },
        { "x", 0, 0 }, { "01", 0, 0 }, { "-01", 0, 0 }, { "nan", 0, 0 },
        { "inf", 0, 0 }, { "0", 1, 0 }, { "-0", 2, 0 }, { "0x10", 1, 0 },
        { "12", 2, 12 }, { "1.", 1, 1 }, { "1.5", 3, 1.5 }, { "1e", 1, 1 },
        { "1e+", 1, 1 }, { "1e2", 3, 100 }, { "1E-2x", 4, 0.01 },
        { "1e400", 5, NAN }, { "200-299", 3, 200 }, { "2s", 1, 2 }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        number = 0;
        copy = malloc(strlen(rows[i].text) + 1);
        memcpy(copy, rows[i].text, strlen(rows[i].text) + 1);
        assert_int_equal(ngx_status_json_number(copy, strlen(rows[i].text),
                                                &number), rows[i].len);
        assert_true(isnan(rows[i].number) ? isnan(number)
                                          : number == rows[i].number);
        free(copy);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_bad_paths),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_lighthouse),
        cmocka_unit_test(test_numbers)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests_name("json_path", tests, NULL, NULL);
}
