
/*
 * Copyright (C) ngx_status_module authors
 *
 * Conditions: what holds, what is said when one does not, which words are
 * refused; and the order in which a probe is judged.
 */

/* sources: checks/ngx_status_expect.c checks/ngx_status_words.c
            checks/ngx_status_cond.c checks/ngx_status_cond_value.c
            checks/ngx_status_search.c checks/ngx_status_url.c
            checks/ngx_status_json_path.c checks/ngx_status_json.c
            checks/ngx_status_json_found.c checks/ngx_status_json_match.c
            ngx_status_module/ngx_status_types.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "../../checks/ngx_status_cond.h"


#define TEST_ALL  ((ngx_uint_t) -1)


ngx_pool_t *ngx_create_pool(size_t size, ngx_log_t *log);
void ngx_destroy_pool(ngx_pool_t *pool);


/* Words as in nginx.conf, in single quotes where they hold spaces. */

static ngx_int_t
test_parse(ngx_pool_t *pool, const char *text, ngx_uint_t allowed,
    ngx_uint_t prefer, ngx_status_cond_t *cond, char *err, size_t errlen)
{
    char        end;
    size_t      n;
    ngx_int_t   rc;
    ngx_str_t   words[20];
    ngx_uint_t  i, k;

    memset(words, 0, sizeof(words));

    for (i = 0; *text; i++) {
        end = (*text == '\'') ? *text++ : ' ';
        n = strchr(text, end) ? (size_t) (strchr(text, end) - text)
                              : strlen(text);

        assert_true(i < 20);

        words[i].len = n;
        words[i].data = malloc(n + !n);
        memcpy(words[i].data, text, n);

        text += n + (end == '\'');
        text += *text == ' ';
    }

    err[0] = '\0';
    rc = ngx_status_cond_parse(pool, words, i, allowed, prefer, cond, err,
                               errlen);

    for (k = 0; k < i; k++) {
        free(words[k].data);
    }

    return rc;
}


/* Evidence of one subject, from text; NULL: none. */

static void
test_evidence(ngx_status_evidence_t *ev, const ngx_status_cond_t *cond,
    ngx_uint_t *index, const char *text)
{
    char                    *end;
    ngx_str_t                s;
    ngx_status_subject_e     subject;
    ngx_status_json_path_t  *path;

    memset(ev, 0, sizeof(ngx_status_evidence_t));

    subject = cond->subject;
    *index = 0;

    if (text == NULL) {
        return;
    }

    ev->have = ngx_status_subject_bit(subject);
    s.data = (u_char *) text;
    s.len = strlen(text);

    switch (subject) {

    case NGX_STATUS_S_BODY:
        ev->body = s;
        break;

    case NGX_STATUS_S_HEADER:
        ev->headers = s;
        break;

    case NGX_STATUS_S_JSON:
        path = cond->path;
        ev->json = ngx_status_json_create(&path, 1);
        ev->json_index = index;
        ngx_status_json_feed(ev->json, s.data, s.len);
        ngx_status_json_end(ev->json);
        break;

    case NGX_STATUS_S_DNS:
    case NGX_STATUS_S_RCODE:
    case NGX_STATUS_S_VALUE:
    case NGX_STATUS_S_INFO:
    case NGX_STATUS_S_REDIRECT:
    case NGX_STATUS_S_CERT_ISSUER:
    case NGX_STATUS_S_CERT_NAMES:
        ev->string[subject] = s;
        break;

    default:
        ev->number[subject] = strtod(text, &end);
        ev->share[subject] = *end == '/' ? strtod(end + 1, NULL) : 0;
        break;
    }
}


typedef struct {
    const char  *words;
    const char  *evidence;
    const char  *message;                /* NULL: it holds */
} test_row_t;


#define TEST_OR(word)                                                        \
    "\"" word "\" between values: they are alternatives without it, and "     \
    "what has to hold, too, is a line of its own"


static const test_row_t  test_rows[] = {

    /* status: lists and ranges */
    { "status 200", "200", NULL },
    { "status 200", "201", "status 201, expected 200" },
    { "status 200-299", "200", NULL },
    { "status 200-299", "299", NULL },
    { "status 200-299", "300", "status 300, expected 200-299" },
    { "status 200-299", "503", "status 503, expected 200-299" },
    { "status 200-299 301", "301", NULL },
    { "status 200-299 301", "302", "status 302, expected 200-299 or 301" },
    { "status == 200-299", "204", NULL },
    { "status == 200-299", "404", "status 404, expected == 200-299" },
    { "status != 500-599", "404", NULL },
    { "status != 500-599", "503", "status 503, expected != 500-599" },
    { "status != 404 500-599", "404",
      "status 404, expected != 404 or 500-599" },
    { "status < 400", "399", NULL },
    { "status < 400", "400", "status 400, expected < 400" },
    { "status <= 400", "400", NULL },
    { "status > 400", "400", "status 400, expected > 400" },
    { "status >= 400", "400", NULL },
    { "status 200", NULL, "no status came, expected 200" },
    { "status 200", "0", "status 0, expected 200" },
    { "status != 200", NULL, "no status came, expected != 200" },
    { "status != 200", "nan", "no status came, expected != 200" },
    { "status 999", "999", NULL },
    { "status 200-299", "-200", "status -200, expected 200-299" },
    { "status 200-299", "1e300", "status 1e+300, expected 200-299" },
    { "status 200-299", "inf", "no status came, expected 200-299" },
    { "status 200-299", "200.5", NULL },

    /* latency and other times */
    { "latency < 800ms", "0.7999", NULL },
    { "latency < 800ms", "1.2", "latency 1.2s, expected < 800ms" },
    { "latency < 800ms", "0.8", "latency 800ms, expected < 800ms" },
    { "latency < 800ms", "0.8004", "latency 800.4ms, expected < 800ms" },
    { "latency <= 800ms", "0.8", NULL },
    { "latency < 2s", "2.3456789", "latency 2.346s, expected < 2s" },
    { "latency < 1.5s", "1.4", NULL },
    { "latency < 1m", "59", NULL },
    { "latency < 1m30s", "89.9", NULL },
    { "latency < 1m30s", "90", "latency 90s, expected < 1m30s" },
    { "latency 100ms-2s", "1", NULL },
    { "latency 100ms-2s", "0.05", "latency 50ms, expected 100ms-2s" },
    { "latency > 0", "0.000001", NULL },
    { "latency > 0", "0", "latency 0ms, expected > 0" },
    { "latency < 2s", NULL, "no latency was measured, expected < 2s" },
    { "latency < 2s", "nan", "no latency was measured, expected < 2s" },
    { "latency < 2s", "-inf", "no latency was measured, expected < 2s" },
    { "age > 2s", "inf", "age is not known, expected > 2s" },
    { "age < 1s", "1e300", "age 1000000000000000 days, expected < 1s" },
    { "age < 1h", "3599", NULL },
    { "age < 1h", "7200", "age 2 hours, expected < 1h" },
    { "age < 1d", "172800", "age 2 days, expected < 1d" },
    { "age < 1w", "604799", NULL },
    { "age < 1m", "600", "age 10 minutes, expected < 1m" },
    { "age < 1h", NULL, "age is not known, expected < 1h" },
    { "age < 1h", "nan", "age is not known, expected < 1h" },
    { "age < 1h", "-5", NULL },
    { "latency < 2s", "1e12", "latency 11574074.1 days, expected < 2s" },

    /* certificates */
    { "cert > 7d", "604801", NULL },
    { "cert > 7d", "432000", "certificate has 5 days left, expected > 7d" },
    { "cert > 7d", "604799", "certificate has 6 days left, expected > 7d" },
    { "cert > 7d", "86400", "certificate has 24 hours left, expected > 7d" },
    { "cert > 7d", "59", "certificate has 59s left, expected > 7d" },
    { "cert > 7d", "-259200", "certificate expired 3 days ago, expected "
      "> 7d" },
    { "cert > 7d", "-60", "certificate expired 60s ago, expected > 7d" },
    { "cert > 0", "-1", "certificate expired 1s ago, expected > 0" },
    { "cert > 2w", "1209601", NULL },
    { "cert > 12h", "43201", NULL },
    { "cert > 7d", NULL, "no certificate came, expected > 7d" },
    { "cert > 7d", "nan", "no certificate came, expected > 7d" },
    { "cert > 7d", "-inf", "no certificate came, expected > 7d" },
    { "cert > 7d", "1e300", NULL },
    { "cert > 7d", "-1e300", "certificate expired 1000000000000000 days ago, "
      "expected > 7d" },
    { "cert < 398d", "1e12", "certificate has 11574074 days left, expected "
      "< 398d" },

    { "cert chain > 7d", "604801", NULL },
    { "cert chain > 7d", "432000", "certificate's chain has 5 days left, "
      "expected > 7d" },
    { "cert chain > 7d", "3600", "certificate's chain has 60 minutes left, "
      "expected > 7d" },
    { "cert chain > 7d", "-259200", "certificate's chain expired 3 days ago, "
      "expected > 7d" },
    { "cert chain > 7d", "nan", "end of the certificate's chain is not "
      "known, expected > 7d" },
    { "cert chain > 7d", NULL, "no certificate came, expected > 7d" },
    { "cert issuer contains Encrypt", "R11 (Let's Encrypt)", NULL },
    { "cert issuer contains encrypt", "R11 (Let's Encrypt)", "cert issuer is "
      "\"R11 (Let's Encrypt)\", expected contains \"encrypt\"" },
    { "cert issuer contains* encrypt", "R11 (Let's Encrypt)", NULL },
    { "cert issuer R11", "R11 (Let's Encrypt)", "cert issuer is \"R11 (Let's "
      "Encrypt)\", expected \"R11\"" },
    { "cert issuer 'R11 (Acme)'", "R11 (Acme)", NULL },
    { "cert issuer R11 E5", "E5", NULL },
    { "cert issuer ~ ^[RE]\\d+", "E5", NULL },
    { "cert issuer !contains Acme", "Acme CA", "cert issuer is \"Acme CA\", "
      "expected !contains \"Acme\"" },
    { "cert issuer != Acme", "", "issuer of the certificate is not known, "
      "expected != \"Acme\"" },
    { "cert issuer != Acme", NULL, "no certificate came, expected != "
      "\"Acme\"" },
    { "cert issuer contains \xc3\x89mile", "CA d'\xc3\x89mile", NULL },
    { "cert issuer == x", "a\nb\x1b", "cert issuer is \"a?b?\", expected == "
      "\"x\"" },
    { "cert names contains www.a.example", "a.example\nwww.a.example\n",
      NULL },
    { "cert names contains WWW.A.example.", "www.a.example\n", NULL },
    { "cert names contains a.example", "www.a.example\naa.example\n",
      "cert names is \"www.a.example\" (first of 2), expected contains "
      "\"a.example\"" },
    { "cert names contains www.a.example", "*.a.example\n", NULL },
    { "cert names contains WWW.A.example", "*.a.EXAMPLE\n", NULL },
    { "cert names contains x.www.a.example", "*.a.example\n", "cert names is "
      "\"*.a.example\", expected contains \"x.www.a.example\"" },
    { "cert names contains a.example", "*.a.example\n", "cert names is "
      "\"*.a.example\", expected contains \"a.example\"" },
    { "cert names contains .a.example", "*.a.example\n", "cert names is "
      "\"*.a.example\", expected contains \".a.example\"" },
    { "cert names contains *.a.example", "*.a.example\n", NULL },
    { "cert names contains *.b.a.example", "*.*.a.example\n", "cert names is "
      "\"*.*.a.example\", expected contains \"*.b.a.example\"" },
    { "cert names contains www.a.example", "w*.a.example\n", "cert names is "
      "\"w*.a.example\", expected contains \"www.a.example\"" },
    { "cert names contains 192.0.2.1", "*.0.2.1\n", "cert names is "
      "\"*.0.2.1\", expected contains \"192.0.2.1\"" },
    { "cert names contains 192.0.2.1", "192.0.2.1\n", NULL },
    { "cert names contains 2001:db8::1", "2001:db8::1\n", NULL },
    { "cert names contains x", "*.\n*\n.\n", "cert names is \"*.\" (first of "
      "3), expected contains \"x\"" },
    { "cert names == www.a.example", "*.a.example\n", "cert names is "
      "\"*.a.example\", expected == \"www.a.example\"" },
    { "cert names *.A.example", "*.a.example\n", NULL },
    { "cert names !contains www.a.example", "b.example\n*.a.example\n",
      "cert names is \"*.a.example\", expected !contains "
      "\"www.a.example\"" },
    { "cert names != www.a.example", "*.a.example\n", NULL },
    { "cert names ~ ^shop\\.", "www.a.example\nshop.a.example\n", NULL },
    { "cert names contains x", "", "names of the certificate are not known, "
      "expected contains \"x\"" },
    { "cert names !contains x", NULL, "no certificate came, expected "
      "!contains \"x\"" },
    { "cert verified", "1", NULL },
    { "cert verified", "0", "certificate does not verify, expected yes" },
    { "cert verified", "nan", "whether the certificate verifies is not known, "
      "expected yes" },
    { "cert verified", NULL, "no certificate came, expected yes" },
    { "cert verified yes", "1", NULL },
    { "cert verified == yes", "0", "certificate does not verify, expected == "
      "yes" },
    { "cert verified == no", "0", NULL },
    { "cert verified no", "1", "certificate verifies, expected no" },
    { "cert verified != no", "1", NULL },
    { "cert verified != yes", "nan", "whether the certificate verifies is not "
      "known, expected != yes" },

    /* sizes, shares, plain numbers */
    { "size > 10k", "10241", NULL },
    { "size > 10k", "12", "size 12 bytes, expected > 10k" },
    { "size > 10K", "10240", "size 10240 bytes, expected > 10K" },
    { "size 1-2m", "2097152", NULL },
    { "size 100", "100", NULL },
    { "size < 1g", "1073741824", "size 1073741824 bytes (1.0 GB), expected < 1g" },
    { "size < 1t", "1e11", NULL },
    { "size > 0", "0", "size 0 bytes, expected > 0" },
    { "size > 0", NULL, "no size came, expected > 0" },
    { "size > 0", "nan", "no size came, expected > 0" },
    { "size > 0", "1e18", NULL },
    { "size < 1t", "inf", "no size came, expected < 1t" },
    { "free > 10%", "5000/0.11", NULL },
    { "free > 10%", "5000/0.052", "free 5.2%, expected > 10%" },
    { "free > 10%", "5000/0.1", "free 10%, expected > 10%" },
    { "free > 1g", "2e9/0.01", NULL },
    { "free > 1g", "1000/0.9", "free 1000 bytes, expected > 1g" },
    { "free 10%-90%", "1/0.5", NULL },
    { "free > 10%", NULL, "free space is not known, expected > 10%" },
    { "free > 10%", "1/nan", "free space is not known, expected > 10%" },
    { "inodes > 5%", "100/0.06", NULL },
    { "inodes > 5%", "100/0.04", "inodes 4%, expected > 5%" },
    { "inodes > 1000", "999/0.9", "inodes 999, expected > 1000" },
    { "inodes > 5%", "nan/0.5", "free inodes are not known, expected > 5%" },
    { "inodes > 5%", "1e300/1", NULL },
    { "free < 1g", "1e15/0.5", "free 1000000000000000 bytes (909 TB), expected < 1g" },
    { "free > 10%", "-1/-0.5", "free -50%, expected > 10%" },
    { "inodes > 1000", NULL, "free inodes are not known, expected > 1000" },
    { "load < 2", "1.99", NULL },
    { "load < 2", "3.25", "load 3.25, expected < 2" },
    { "load < 2", "nan", "load is not known, expected < 2" },
    { "load < 2", "inf", "load is not known, expected < 2" },
    { "load < 2", "1e9", "load 1000000000, expected < 2" },
    { "load < 2", NULL, "load is not known, expected < 2" },
    { "rows > 0", "1", NULL },
    { "rows > 0", "0", "rows 0, expected > 0" },
    { "rows 1-10 20", "20", NULL },
    { "rows 1", "nan", "no rows came, expected 1" },
    { "rows < 100", "1e18", "rows 1e+18, expected < 100" },
    { "rows 0", "-0", NULL },
    { "rows 1", NULL, "no rows came, expected 1" },
    { "score >= 90", "90", NULL },
    { "score >= 90", "77.00000000000001", "score 77, expected >= 90" },
    { "score 0.5-1", "0.38", "score 0.38, expected 0.5-1" },
    { "score >= 0", "-0", NULL },
    { "score >= -1e2", "-100", NULL },
    { "score >= -1e2", "-1e300", "score -1e+300, expected >= -1e2" },
    { "score -10--5", "-7", NULL },
    { "score -10--5", "7", "score 7, expected -10--5" },
    { "score >= 90", NULL, "no score came, expected >= 90" },
    { "score >= 90", "nan", "no score came, expected >= 90" },
    { "score <= 90", "inf", "no score came, expected <= 90" },
    { "score < 1e308", "1.7e308", "score 1.7e+308, expected < 1e308" },

    /* body */
    { "body contains Welcome", "You are Welcome.", NULL },
    { "body contains Welcome", "welcome", "body does not contain "
      "\"Welcome\"" },
    { "body contains* Welcome", "wELCOME", NULL },
    { "body contains* Welcome", "", "body does not contain \"Welcome\"" },
    { "body contains A B", "xBx", NULL },
    { "body contains A B", "x", "body does not contain \"A\" or \"B\"" },
    { "body !contains Error", "fine", NULL },
    { "body !contains Error", "An Error", "body contains \"Error\"" },
    { "body !contains A B", "xxB", "body contains \"A\" or \"B\"" },
    { "body !contains* error", "An ERROR", "body contains \"error\"" },
    { "body !contains* error", "fine", NULL },
    { "body contains 'a b'", "xa bx", NULL },
    { "body contains x", NULL, "no body came, expected contains \"x\"" },
    { "body !contains x", NULL, "no body came, expected !contains \"x\"" },
    { "body !contains x", "", NULL },
    { "body contains caf\xc3\xa9", "un caf\xc3\xa9", NULL },
    { "body contains caf\xc3\xa9", "un cafe", "body does not contain "
      "\"caf\xc3\xa9\"" },
    { "body contains* caf\xc3\xa9", "UN CAF\xc3\xa9", NULL },
    { "body == ok", "ok", NULL },
    { "body == ok", "ok\n", "body is \"ok?\", expected == \"ok\"" },
    { "body == ok fine", "fine", NULL },
    { "body != ok", "ok", "body is \"ok\", expected != \"ok\"" },
    { "body != ok", "bad", NULL },
    { "body == ''", "", NULL },
    { "body == ''", "x", "body is \"x\", expected == \"\"" },
    { "body > 5", "6", NULL },
    { "body > 5", "4", "body is \"4\", expected > 5" },
    { "body > 5", "six", "body is \"six\", expected > 5" },
    { "body > 5", "", "body is \"\", expected > 5" },
    { "body < 5", "1e999", "body is \"1e999\", expected < 5" },
    { "body < 5", "nan", "body is \"nan\", expected < 5" },
    { "body < 5", " 4", "body is \" 4\", expected < 5" },
    { "body ~ ^ok$", "ok", NULL },
    { "body ~ ^ok$", "ok\n", NULL },
    { "body ~ ^ok$", "not ok", "body does not match \"^ok$\"" },
    { "body ~ OK", "ok", "body does not match \"OK\"" },
    { "body ~* OK", "ok", NULL },
    { "body ~* \xc3\x89T\xc3\x89", "un \xc3\xa9t\xc3\xa9", NULL },
    { "body ~ a.c", "a\xc3\xa9" "c", NULL },
    { "body ~ ^a b$", "x c", "body does not match \"^a\" or \"b$\"" },
    { "body ~ x y", "y", NULL },
    { "body !~ error", "fine", NULL },
    { "body !~ error", "error", "body matches \"error\"" },
    { "body !~ error", "ERROR", NULL },
    { "body !~* error", "ERROR", "body matches \"error\"" },
    { "body ~ 'version \\d+'", "version 12", NULL },
    { "body ~ bad", "\xff\xfe bad \xff", NULL },
    { "body ~ good", "\xff\xfe bad \xff", "body does not match \"good\", "
      "and is not UTF-8" },
    { "body contains bl\xc3\xb6" "d", "bl\xf6" "d", "body does not contain "
      "\"bl\xc3\xb6" "d\", and is not UTF-8" },
    { "body contains a", "\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80", "body does not "
      "contain \"a\"" },
    { "body contains a", "\xc3\xb6\xe2\x82", "body does not contain \"a\"" },
    { "body contains a", "\xe2\x82x", "body does not contain \"a\", and is "
      "not UTF-8" },
    { "body == a", "\xff.", "body is \"?.\", and is not UTF-8, expected == "
      "\"a\"" },
    { "body !contains b", "\xff" "b", "body contains \"b\"" },
    { "body contains or", "this or that", NULL },
    { "body contains a or", "or", NULL },
    { "body ~ x", NULL, "no body came, expected ~ \"x\"" },

    /* headers */
    { "header X-Foo", "HTTP/1.1 200 OK\r\nx-foo: bar\r\n\r\n", NULL },
    { "header X-Foo", "x-foo:\r\n", NULL },
    { "header x-foo", "HTTP/1.1 200 OK\r\nx-foobar: bar\r\n\r\n",
      "header x-foo is missing" },
    { "header x-foo", "", "header x-foo is missing" },
    { "header x-foo", NULL, "header x-foo is missing" },
    { "header x-foo", "x-foo", "header x-foo is missing" },
    { "header x-foo bar", "X-FOO: bar\r\n", NULL },
    { "header x-foo bar", "X-FOO:bar", NULL },
    { "header x-foo bar", "X-Foo: \t bar \t\r\n", NULL },
    { "header x-foo bar", "X-Foo: BAR\r\n",
      "header x-foo is \"BAR\", expected \"bar\"" },
    { "header x-foo a b", "X-Foo: b\n", NULL },
    { "header x-foo == bar", "a: bar\r\nx-foo: baz\r\n",
      "header x-foo is \"baz\", expected == \"bar\"" },
    { "header x-foo != bar", "x-foo: baz\r\n", NULL },
    { "header x-foo != bar", "x-foo: bar\r\n",
      "header x-foo is \"bar\", expected != \"bar\"" },
    { "header x-foo != bar", "a: b\r\n", "header x-foo is missing" },
    { "header x-foo == bar", "x-foo: a\r\nX-Foo: bar\r\n", NULL },
    { "header x-foo == c", "x-foo: a\r\nX-Foo: b\r\n",
      "header x-foo is \"a\" (first of 2), expected == \"c\"" },
    { "header x-foo != bar", "x-foo: a\r\nX-Foo: bar\r\n",
      "header x-foo is \"bar\", expected != \"bar\"" },
    { "header x-foo !contains a", "x-foo: b\r\nX-Foo: bar\r\n",
      "header x-foo is \"bar\", expected !contains \"a\"" },
    { "header content-type contains json",
      "Content-Type: application/json\r\n", NULL },
    { "header content-type contains* JSON",
      "Content-Type: application/json\r\n", NULL },
    { "header content-type contains html",
      "Content-Type: text/plain\r\n",
      "header content-type is \"text/plain\", expected contains \"html\"" },
    { "header x ~ ^a+$", "x: aaa\r\n", NULL },
    { "header x ~ ^a+$", "x: aab\r\n",
      "header x is \"aab\", expected ~ \"^a+$\"" },
    { "header x !~ a", "x: a\r\n", "header x is \"a\", expected !~ \"a\"" },
    { "header content-length > 100", "Content-Length: 101\r\n", NULL },
    { "header content-length > 100", "Content-Length: 99\r\n",
      "header content-length is \"99\", expected > 100" },
    { "header content-length > 100", "Content-Length: big\r\n",
      "header content-length is \"big\", expected > 100" },
    { "header x == ''", "x:\r\n", NULL },
    { "header x 5", "x: 5.0\r\n", "header x is \"5.0\", expected \"5\"" },
    { "header x == a\x1b[31m", "x: a\x1b[0m\r\n",
      "header x is \"a?[0m\", expected == \"a?[31m\"" },

    /* json */
    { "json $.a", "{\"a\":null}", NULL },
    { "json $.a", "{\"a\":{}}", NULL },
    { "json $.a", "{\"b\":1}", "json $.a is missing" },
    { "json $.a", "", "json $.a: nothing came" },
    { "json $.a", NULL, "json $.a: nothing came" },
    { "json $.a", "<html>", "json $.a: not JSON at byte 1" },
    { "json $.a", "{\"a\":1", "json $.a: not JSON, it ends too early at byte "
      "6" },
    { "json $.status == ok", "{\"status\":\"ok\"}", NULL },
    { "json $.status ok fine", "{\"status\":\"fine\"}", NULL },
    { "json $.status == ok", "{\"status\":\"starting\"}",
      "json $.status is \"starting\", expected == \"ok\"" },
    { "json $.status '\"ok\"'", "{\"status\":\"bad\"}",
      "json $.status is \"bad\", expected \"ok\"" },
    { "json $.status == ok", "{\"status\":\"OK\"}",
      "json $.status is \"OK\", expected == \"ok\"" },
    { "json $.status == ok", "{}", "json $.status is missing" },
    { "json $.status == ok", "{\"status\":\"ok\"",
      "json $.status: not JSON, it ends too early at byte 14" },
    { "json $.status != error", "{\"status\":\"ok\"}", NULL },
    { "json $.status != error", "{\"status\":\"error\"}",
      "json $.status is \"error\", expected != \"error\"" },
    { "json $.status != error", "{}", "json $.status is missing" },
    { "json $.status != error", "{\"status\":5}",
      "json $.status is 5, expected != \"error\"" },
    { "json $.status != error null", "{\"status\":5}",
      "json $.status is 5, expected != \"error\" or null" },
    { "json $.n == 5", "{\"n\":5}", NULL },
    { "json $.n == 5", "{\"n\":5.0}", NULL },
    { "json $.n == 5", "{\"n\":\"5\"}", "json $.n is \"5\", expected == 5" },
    { "json $.n != 5", "{\"n\":\"5\"}", "json $.n is \"5\", expected != 5" },
    { "json $.n == '\"5\"'", "{\"n\":\"5\"}", NULL },
    { "json $.n == '\"5\"'", "{\"n\":5}", "json $.n is 5, expected == \"5\"" },
    { "json $.n 1-10 20", "{\"n\":7}", NULL },
    { "json $.n 1-10 20", "{\"n\":15}",
      "json $.n is 15, expected 1-10 or 20" },
    { "json $.d 2024-01", "{\"d\":\"2024-01\"}", NULL },
    { "json $.n < 1000", "{\"n\":999.5}", NULL },
    { "json $.n < 1000", "{\"n\":1000}", "json $.n is 1000, expected < 1000" },
    { "json $.n < 1000", "{\"n\":\"5\"}",
      "json $.n is \"5\", expected < 1000" },
    { "json $.n < 1000", "{\"n\":null}",
      "json $.n is null, expected < 1000" },
    { "json $.n < 1000", "{\"n\":true}",
      "json $.n is true, expected < 1000" },
    { "json $.n < 1000", "{\"n\":[1]}",
      "json $.n is an array, expected < 1000" },
    { "json $.n < 1000", "{\"n\":1e400}",
      "json $.n is 1e400, expected < 1000" },
    { "json $.n > 1000", "{\"n\":1e400}",
      "json $.n is 1e400, expected > 1000" },
    { "json $.n != 1", "{\"n\":1e400}", "json $.n is 1e400, expected != 1" },
    { "json $.n == 0", "{\"n\":-0}", NULL },
    { "json $.n >= -1.5", "{\"n\":-1.5}", NULL },
    { "json $.n == 9007199254740992", "{\"n\":9007199254740993}", NULL },
    { "json $.n == 0", "{\"n\":1e-999}", NULL },
    { "json $.b == true", "{\"b\":true}", NULL },
    { "json $.b == true", "{\"b\":false}",
      "json $.b is false, expected == true" },
    { "json $.b true", "{\"b\":\"true\"}",
      "json $.b is \"true\", expected true" },
    { "json $.b '\"true\"'", "{\"b\":\"true\"}", NULL },
    { "json $.b == true", "{\"b\":1}", "json $.b is 1, expected == true" },
    { "json $.b == 1", "{\"b\":true}", "json $.b is true, expected == 1" },
    { "json $.b != false", "{\"b\":true}", NULL },
    { "json $.b != false", "{\"b\":null}",
      "json $.b is null, expected != false" },
    { "json $.e == null", "{\"e\":null}", NULL },
    { "json $.e null", "{\"e\":\"boom\"}",
      "json $.e is \"boom\", expected null" },
    { "json $.e != null", "{\"e\":\"x\"}", NULL },
    { "json $.e != null", "{\"e\":{}}", NULL },
    { "json $.e != null", "{\"e\":null}",
      "json $.e is null, expected != null" },
    { "json $.e != null", "{}", "json $.e is missing" },
    { "json $.o == x", "{\"o\":{\"x\":1}}",
      "json $.o is an object, expected == \"x\"" },
    { "json $.o != x", "{\"o\":{\"x\":1}}",
      "json $.o is an object, expected != \"x\"" },
    { "json $.v contains 1.2", "{\"v\":\"v1.2.3\"}", NULL },
    { "json $.v contains 1.2", "{\"v\":1.2}",
      "json $.v is 1.2, expected contains \"1.2\"" },
    { "json $.v !contains x", "{\"v\":1.2}",
      "json $.v is 1.2, expected !contains \"x\"" },
    { "json $.v !contains x", "{\"v\":\"y\"}", NULL },
    { "json $.v contains* BETA", "{\"v\":\"1-beta\"}", NULL },
    { "json $.v ~ ^1\\.", "{\"v\":\"1.5\"}", NULL },
    { "json $.v ~ ^1\\.", "{\"v\":1.5}",
      "json $.v is 1.5, expected ~ \"^1\\.\"" },
    { "json $.v !~ beta", "{\"v\":\"1.5-beta\"}",
      "json $.v is \"1.5-beta\", expected !~ \"beta\"" },
    { "json $.s == \xc3\xbc", "{\"s\":\"\\u00fc\"}", NULL },
    { "json $.s == x", "{\"s\":\"a\\u0007b\"}",
      "json $.s is \"a?b\", expected == \"x\"" },
    { "json $.s == ''", "{\"s\":\"\"}", NULL },
    { "json $.s == '\"'", "{\"s\":\"\\\"\"}", NULL },
    { "json $[*].s == up", "[{\"s\":\"down\"},{\"s\":\"up\"}]", NULL },
    { "json $[*].s == up", "[{\"s\":\"a\"},{\"s\":\"b\"}]",
      "json $[*].s is \"a\" (first of 2), expected == \"up\"" },
    { "json $[*].s == up", "[]", "json $[*].s is missing" },
    { "json $[*].s != down", "[{\"s\":\"up\"},{\"s\":\"up\"}]", NULL },
    { "json $[*].s != down", "[{\"s\":\"up\"},{\"s\":\"down\"}]",
      "json $[*].s is \"down\", expected != \"down\"" },
    { "json $[*] > 5", "[1,\"x\",6]", NULL },
    { "json $[?(@.n=='db')].s up", "[{\"n\":\"db\",\"s\":\"up\"}]", NULL },
    { "json $[-1].s up", "[{\"s\":\"down\"},{\"s\":\"up\"}]", NULL },

    /* values, records and codes */
    { "value 1", "1", NULL },
    { "value 1", "1.0", NULL },
    { "value == 1-10", "7", NULL },
    { "value == 1-10", "70", "value is \"70\", expected == \"1-10\"" },
    { "value > 5", "6", NULL },
    { "value > 5", "t", "value is \"t\", expected > 5" },
    { "value PONG", "PONG", NULL },
    { "value PONG", "ERR", "value is \"ERR\", expected \"PONG\"" },
    { "value != 1", "1.0", "value is \"1.0\", expected != \"1\"" },
    { "value contains on", "PONGon", NULL },
    { "value PONG", NULL, "no value came, expected \"PONG\"" },
    { "value == ''", "", NULL },
    { "value > 5", "", "value is \"\", expected > 5" },
    { "value > 5", "nan", "value is \"nan\", expected > 5" },
    { "value > 5", "1e999", "value is \"1e999\", expected > 5" },
    { "value > 5", "99999999999999999999999", NULL },
    { "value == caf\xc3\xa9", "caf\xc3\xa9", NULL },
    { "value == x", "caf\xc3", "value is \"caf?\", expected == \"x\"" },
    { "value == 1", "1 ", "value is \"1 \", expected == \"1\"" },
    { "info role == master", "role:master\r\n", NULL },
    { "info role master", "role:slave\r\n",
      "info role is \"slave\", expected \"master\"" },
    { "info used_memory < 1k", "used_memory:1023\r\n", NULL },
    { "info used_memory < 1k", "used_memory:1024\r\n",
      "info used_memory is \"1024\", expected < 1k" },
    { "info used_memory < 1.5g", "used_memory:1e9\r\n", NULL },
    { "info maxmemory 1m", "maxmemory:1048576\r\n", NULL },
    { "info maxmemory 1m-2m", "maxmemory:1048575\r\n",
      "info maxmemory is \"1048575\", expected \"1m-2m\"" },
    { "info lag < 5", "lag:x\r\n", "info lag is \"x\", expected < 5" },
    { "info lag < 5", "flag:1\r\nlags:1\r\n", "info lag is missing" },
    { "info lag != 5", NULL, "info lag is missing" },
    { "info db0.keys", "db0.keys:7\r\n", NULL },
    { "info db0.keys", "db0:keys=7\r\n", "info db0.keys is missing" },
    { "dns contains 192.0.2.1", "192.0.2.7\n192.0.2.1\n", NULL },
    { "dns contains 192.0.2.1", "192.0.2.10\n192.0.2.11", "dns is "
      "\"192.0.2.10\" (first of 2), expected contains \"192.0.2.1\"" },
    { "dns A 192.0.2.1", "192.0.2.1", NULL },
    { "dns A 192.0.2.1", "", "no such record came, expected \"192.0.2.1\"" },
    { "dns A 192.0.2.1", NULL,
      "no such record came, expected \"192.0.2.1\"" },
    { "dns CNAME == www.Example.com", "WWW.example.com.", NULL },
    { "dns A != 192.0.2.1", "192.0.2.2\n192.0.2.1",
      "dns A is \"192.0.2.1\", expected != \"192.0.2.1\"" },
    { "dns TXT ~ ^v=spf1", "v=spf1 -all", NULL },
    { "rcode NOERROR", "noerror", NULL },
    { "dns TXT contains caf\xc3\xa9", "caf\xc3\xa9", NULL },
    { "dns A 192.0.2.1", "\n\n", "no such record came, expected "
      "\"192.0.2.1\"" },
    { "dns MX 5", "5", NULL },
    { "dns A != x", "", "no such record came, expected != \"x\"" },
    { "rcode NOERROR", "", "rcode is \"\", expected \"NOERROR\"" },
    { "rcode != NOERROR", NULL, "no rcode came, expected != \"NOERROR\"" },
    { "rcode ~* servfail", "SERVFAIL", NULL },
    { "rcode NOERROR NXDOMAIN", "NXDOMAIN", NULL },
    { "rcode NOERROR", "SERVFAIL",
      "rcode is \"SERVFAIL\", expected \"NOERROR\"" },
    { "rcode NOERROR", NULL, "no rcode came, expected \"NOERROR\"" },

    /* redirect */
    { "redirect https://a.example/", "https://a.example/", NULL },
    { "redirect == https://a.example/in", "https://a.example/IN",
      "redirect is \"https://a.example/IN\", expected == "
      "\"https://a.example/in\"" },
    { "redirect ~ ^https://", "https://a.example/", NULL },
    { "redirect https://a.example/", NULL,
      "was not redirected, expected \"https://a.example/\"" },
    { "redirect != https://a.example/", NULL,
      "was not redirected, expected != \"https://a.example/\"" },
    { "redirect !contains login", "", "was not redirected, expected "
      "!contains \"login\"" },
    { "redirect contains a.example /in", "https://b.example/in", NULL },
    { "redirect https://a.example/?token=good",
      "https://a.example/?token=good", NULL },
    { "redirect https://a.example/?token=good",
      "https://u:pw@a.example/?x=1&token=bad#key=2",
      "redirect is \"https://a.example/?x=1&token=***#key=***\", expected "
      "\"https://a.example/?token=***\"" },
    { "redirect https://u:pw@a.example/", "https://a.example/",
      "redirect is \"https://a.example/\", expected "
      "\"https://a.example/\"" }
};


static void
test_conditions(void **state)
{
    char                    err[512];
    size_t                  i, seen[NGX_STATUS_NSUBJECTS];
    ngx_uint_t              index;
    ngx_pool_t             *pool;
    const test_row_t       *row;
    ngx_status_cond_t       cond;
    ngx_status_result_t     result;
    ngx_status_evidence_t   ev;

    (void) state;

    memset(seen, 0, sizeof(seen));
    assert_true(sizeof(test_rows) / sizeof(test_rows[0]) >= 200);

    for (i = 0; i < sizeof(test_rows) / sizeof(test_rows[0]); i++) {
        row = &test_rows[i];
        pool = ngx_create_pool(1024, NULL);

        if (test_parse(pool, row->words, TEST_ALL, i & 1, &cond, err,
                       sizeof(err))
            != NGX_OK)
        {
            fail_msg("%s: %s", row->words, err);
        }

        test_evidence(&ev, &cond, &index, row->evidence);

        memset(&result, 0xa5, sizeof(result));
        result.latency = 0;
        ngx_status_judge(&cond, 1, NULL, 0, (ngx_msec_t) -1 / 2, &ev, 1,
                         &result);

        if (strcmp(result.message, row->message ? row->message : "") != 0) {
            fail_msg("%s: got %s, expected %s", row->words, result.message,
                     row->message);
        }

        assert_int_equal(result.state, row->message == NULL ? NGX_STATUS_UP
                         : (i & 1) ? NGX_STATUS_DEGRADED : NGX_STATUS_DOWN);
        assert_int_equal(result.error, row->message == NULL
                         ? NGX_STATUS_E_NONE
                         : ngx_status_subjects[cond.subject].error);

        seen[cond.subject]++;

        ngx_status_json_free(ev.json);
        ngx_destroy_pool(pool);
    }

    for (i = 0; i < NGX_STATUS_NSUBJECTS; i++) {
        assert_true(seen[i] >= 5);
    }
}


#define TEST_TEXT_OPS  " == != < <= > >= contains !contains contains* "       \
                       "!contains* ~ ~* !~ !~*"

static const struct {
    const char  *words;
    const char  *err;
} test_bad_rows[] = {
    { "", "\"\" is nothing that this check sees, expected one of status body "
      "header json latency cert dns size score rcode rows value free inodes "
      "load age info "
      "redirect" },
    { "foo", "\"foo\" is nothing that this check sees, expected one of status "
      "body header json latency cert dns size score rcode rows value free "
      "inodes load age info "
      "redirect" },
    { "Status 200", "\"Status\" is nothing that this check sees, expected one "
      "of status body header json latency cert dns size score rcode rows "
      "value free inodes load age info "
      "redirect" },
    { "status", "\"status\" needs a value, or an operator of == != < <= > >= "
      "and a value" },
    { "body", "\"body\" needs a value, or an operator of" TEST_TEXT_OPS
      " and a value" },
    { "body Welcome", "\"Welcome\" is not an operator for \"body\", expected "
      "one of" TEST_TEXT_OPS },
    { "status ==", "\"==\" needs a value" },
    { "status = 200", "\"=\" is not an operator for \"status\", expected one "
      "of == != < <= > >=" },
    { "status >=200", "\">=200\" is not an operator for \"status\", expected "
      "one of == != < <= > >=" },
    { "status contains 2", "\"contains\" is not an operator for \"status\", "
      "expected one of == != < <= > >=" },
    { "latency ~ 2s", "\"~\" is not an operator for \"latency\", expected one "
      "of == != < <= > >=" },
    { "json $.a = 5", "\"=\" is not an operator for \"json\", expected one of"
      TEST_TEXT_OPS },
    { "json $.a !has 5", "\"!has\" is not an operator for \"json\", expected "
      "one of" TEST_TEXT_OPS },
    { "redirect", "\"redirect\" needs a value, or an operator of == != "
      "contains !contains contains* !contains* ~ ~* !~ !~* and a value" },
    { "redirect > x", "\">\" is not an operator for \"redirect\", expected "
      "one of == != contains !contains contains* !contains* ~ ~* !~ !~*" },
    { "redirect contains ''", "\"\" would always hold" },
    { "rcode > 3", "\">\" is not an operator for \"rcode\", expected one of "
      "== != contains !contains contains* !contains* ~ ~* !~ !~*" },
    { "dns A < 3", "\"<\" is not an operator for \"dns\", expected one of "
      "== != contains !contains contains* !contains* ~ ~* !~ !~*" },
    { "info", "\"info\" needs the name of a field" },
    { "info a:b", "\"a:b\" is not the name of a field" },
    { "info used_memory < 80%", "\"80%\" has something behind the number that "
      "is not a unit of it, one of k m g t" },
    { "info role < master", "\"master\" is not a number or a size, for "
      "example 512k" },
    { "status 20x", "\"20x\" is neither a status nor a range, for example "
      "200-299" },
    { "status ok", "\"ok\" is not a number" },
    { "status ''", "\"\" is not a number" },
    { "status 99", "\"99\" is not a status, expected 100 to 999" },
    { "status 1000", "\"1000\" is not a status, expected 100 to 999" },
    { "status 200.5", "\"200.5\" is not a status, expected 100 to 999" },
    { "status -200", "\"-200\" is not a status, expected 100 to 999" },
    { "status 299-200", "\"299-200\" ends before it begins" },
    { "status 200-", "\"200-\" is not a number" },
    { "status 200-299-300", "\"200-299-300\" is not a range, expected two "
      "numbers with \"-\" between" },
    { "status 2e999", "\"2e999\" is too large" },
    { "status nan", "\"nan\" is not a number" },
    { "status 0x1f", "\"0x1f\" is neither a status nor a range, for "
      "example 200-299" },
    { "status < 200 300", "\"<\" takes one value" },
    { "status < 200-300", "\"200-300\" is a range, expected one number" },
    { "latency < 800", "\"800\" needs a unit, one of ms s m h d w" },
    { "latency < 8x", "\"8x\" needs a unit, one of ms s m h d w" },
    { "latency < fast", "\"fast\" is not a time, for example 800ms or 2s" },
    { "latency < 1m30", "\"1m30\" needs a unit, one of ms s m h d w" },
    { "latency < 1mx", "\"1mx\" has something behind the number that is not a "
      "unit of it, one of ms s m h d w" },
    { "latency < 9e307w", "\"9e307w\" is too large" },
    { "cert > 7", "\"7\" needs a unit, one of ms s m h d w" },
    { "cert", "\"cert\" needs a value, or an operator of == != < <= > >= and a "
      "value" },
    { "cert days > 7d", "\"days\" is not a time, for example 800ms or 2s" },
    { "cert chain", "\"cert\" needs a value, or an operator of == != < <= > "
      ">= and a value" },
    { "cert chain > 7", "\"7\" needs a unit, one of ms s m h d w" },
    { "cert chain contains x", "\"contains\" is not an operator for \"cert\", "
      "expected one of == != < <= > >=" },
    { "cert issuer", "\"cert\" needs a value, or an operator of == != "
      "contains !contains contains* !contains* ~ ~* !~ !~* and a value" },
    { "cert issuer > 3", "\">\" is not an operator for \"cert\", expected one "
      "of == != contains !contains contains* !contains* ~ ~* !~ !~*" },
    { "cert issuer contains ''", "\"\" would always hold" },
    { "cert names <= a", "\"<=\" is not an operator for \"cert\", expected one "
      "of == != contains !contains contains* !contains* ~ ~* !~ !~*" },
    { "cert verified ==", "\"==\" needs a value" },
    { "cert verified maybe", "\"maybe\" is neither yes nor no" },
    { "cert verified on", "\"on\" is neither yes nor no" },
    { "cert verified off", "\"off\" is neither yes nor no" },
    { "cert verified > no", "\">\" is not an operator for \"cert\", expected "
      "one of == !=" },
    { "cert verified contains yes", "\"contains\" is not an operator for "
      "\"cert\", expected one of == !=" },
    { "cert > 10%", "\"10%\" needs a unit, one of ms s m h d w" },
    { "size > 10x", "\"10x\" has something behind the number that is not a "
      "unit of it, one of k m g t" },
    { "size > big", "\"big\" is not a size, for example 512k" },
    { "size > 10%", "\"10%\" has something behind the number that is not a "
      "unit of it, one of k m g t" },
    { "free > 1x", "\"1x\" has something behind the number that is not a "
      "unit of it, one of k m g t %" },
    { "rows > 10k", "\"10k\" has something behind the number, which has no "
      "unit" },
    { "json $.a < 50%", "\"50%\" has something behind the number, which has "
      "no unit" },
    { "status 2xx", "\"2xx\" is neither a status nor a range, for example "
      "200-299" },
    { "status 200,301", "\"200,301\" is neither a status nor a range, for "
      "example 200-299" },
    { "status 200 or 301", TEST_OR("or") },
    { "body contains a or b", TEST_OR("or") },
    { "body ~ a and b", TEST_OR("and") },
    { "header x a or b", TEST_OR("or") },
    { "json $.a == a b or c", TEST_OR("or") },
    { "free > 101%", "\"101%\" is not between 0% and 100%" },
    { "free > -1%", "\"-1%\" is not between 0% and 100%" },
    { "free 10%-5g", "\"10%-5g\" is not a range, expected two numbers with "
      "\"-\" between" },
    { "header", "\"header\" needs a name" },
    { "header x-foo: bar", "\"x-foo:\" is not the name of a header" },
    { "header '' bar", "\"\" is not the name of a header" },
    { "header 'x y' bar", "\"x y\" is not the name of a header" },
    { "header x > a", "\"a\" is not a number" },
    { "header x ==", "\"==\" needs a value" },
    { "json", "\"json\" needs a path, for example $.status" },
    { "json a", "JSON path \"a\" is not valid at character 1: expected "
      "\"$\"" },
    { "json $.a[ == 1", "JSON path \"$.a[\" is not valid at character 5: "
      "expected an index, \"*\", \"?\" or a name in quotes" },
    { "json $.a < x", "\"x\" is not a number" },
    { "json $.a < 1e999", "\"1e999\" is too large" },
    { "dns A", "\"dns\" needs a value, or an operator of == != contains "
      "!contains contains* !contains* ~ ~* !~ !~* and a value" },
    { "body contains ''", "\"\" would always hold" },
    { "body !contains* ''", "\"\" would always hold" },
    { "body ~ ''", "\"\" would always hold" },
    { "body ~ (", "regular expression \"(\" is not valid at byte 2: missing "
      "closing parenthesis" },
    { "body ~ a**", NULL },
    { "body ~ [z-a]", NULL },
    { "body ~ \xff", NULL }
};


static void
test_bad_words(void **state)
{
    char                err[512], *text;
    size_t              i;
    ngx_pool_t         *pool;
    ngx_status_cond_t   cond;

    (void) state;

    for (i = 0; i < sizeof(test_bad_rows) / sizeof(test_bad_rows[0]); i++) {
        pool = ngx_create_pool(1024, NULL);

        if (test_parse(pool, test_bad_rows[i].words, TEST_ALL, 0, &cond, err,
                       sizeof(err))
            == NGX_OK)
        {
            if (test_bad_rows[i].err == NULL) {
                ngx_destroy_pool(pool);
                continue;
            }

            fail_msg("%s is taken", test_bad_rows[i].words);
        }

        if (test_bad_rows[i].err
            && strcmp(err, test_bad_rows[i].err) != 0)
        {
            fail_msg("%s: got %s, expected %s", test_bad_rows[i].words, err,
                     test_bad_rows[i].err);
        }

        assert_true(err[0] != '\0');
        ngx_destroy_pool(pool);
    }

    /* only what the check's type sees */

    pool = ngx_create_pool(1024, NULL);

    assert_int_equal(test_parse(pool, "dns A 1",
                                ngx_status_subject_bit(NGX_STATUS_S_STATUS)
                                |ngx_status_subject_bit(NGX_STATUS_S_BODY), 0,
                                &cond, err, sizeof(err)), NGX_ERROR);
    assert_string_equal(err, "\"dns\" is nothing that this check sees, "
                        "expected one of status body");

    assert_int_equal(test_parse(pool, "latency < 800", TEST_ALL, 0, &cond,
                                err, 6), NGX_ERROR);
    assert_string_equal(err, "\"800\"");

    text = malloc(1100);
    memset(text, 'x', 1100);
    memcpy(text, "body contains ", 14);
    text[1014] = '\0';
    assert_int_equal(test_parse(pool, text, TEST_ALL, 0, &cond, err,
                                sizeof(err)), NGX_OK);
    assert_int_equal(cond.text.len, 1014);
    text[1014] = 'x';
    text[1015] = '\0';
    assert_int_equal(test_parse(pool, text, TEST_ALL, 0, &cond, err,
                                sizeof(err)), NGX_ERROR);
    free(text);

    assert_int_equal(test_parse(pool, "status  200-299 301", TEST_ALL, 1,
                                &cond, err, sizeof(err)), NGX_ERROR);
    assert_int_equal(test_parse(pool, "status 200-299 301", TEST_ALL, 1,
                                &cond, err, sizeof(err)), NGX_OK);
    assert_string_equal(cond.text.data, "status 200-299 301");
    assert_int_equal(cond.prefer, 1);

    ngx_destroy_pool(pool);
}


/* The order of judgement: what is found first is told. */

static void
test_order(void **state)
{
    char                    err[256];
    size_t                  i;
    ngx_pool_t             *pool;
    ngx_status_cond_t       conds[5];
    ngx_status_result_t     result;
    ngx_status_evidence_t   ev;

    static const char  *words[] = {
        "latency < 1s", "body contains Welcome", "score > 50",
        "status 200-299", "size > 10"
    };

    static const ngx_str_t  bots[] = {
        ngx_string(""), ngx_string("Just a moment"), ngx_string("captcha")
    };

    (void) state;

    pool = ngx_create_pool(1024, NULL);

    for (i = 0; i < 5; i++) {
        assert_int_equal(test_parse(pool, words[i], TEST_ALL, i == 0 || i == 4,
                                    &conds[i], err, sizeof(err)), NGX_OK);
    }

    /* everything is wrong; one thing after the other is mended */

    memset(&ev, 0, sizeof(ev));
    memset(&result, 0xa5, sizeof(result));

    ev.have = TEST_ALL;
    ev.number[NGX_STATUS_S_STATUS] = 503;
    ev.number[NGX_STATUS_S_LATENCY] = 3.5;
    ev.number[NGX_STATUS_S_SIZE] = 1;
    ev.number[NGX_STATUS_S_SCORE] = 10;
    ev.body.data = (u_char *) "<title>Just a moment...</title>";
    ev.body.len = strlen((char *) ev.body.data);
    ev.fault = NGX_STATUS_E_INTERNAL;
    ev.timed_out = 1;
    ev.timeout_phase = NGX_STATUS_PHASE_CONNECT;
    ev.error = NGX_STATUS_E_RESET;
    strcpy(ev.message, "a message\n");

#define test_judge(ms, s, e, text)                                            \
    ngx_status_judge(conds, 5, bots, 3, ms, &ev, 1, &result);                 \
    assert_string_equal(result.message, text);                                \
    assert_int_equal(result.state, s);                                        \
    assert_int_equal(result.error, e)

    test_judge(3000, NGX_STATUS_UNKNOWN, NGX_STATUS_E_INTERNAL, "a message?");

    ev.fault = NGX_STATUS_E_NONE;
    test_judge(3000, NGX_STATUS_TIMEOUT, NGX_STATUS_E_TIMEOUT, "a message?");

    ev.message[0] = '\0';
    test_judge(3000, NGX_STATUS_TIMEOUT, NGX_STATUS_E_TIMEOUT,
               "timeout after 3s (connect)");

    ev.timed_out = 0;
    test_judge(3000, NGX_STATUS_TIMEOUT, NGX_STATUS_E_TIMEOUT,
               "the answer took 3.5s, timeout 3s");

    ev.have &= ~ngx_status_subject_bit(NGX_STATUS_S_LATENCY);
    result.latency = 3000001;
    test_judge(3000, NGX_STATUS_TIMEOUT, NGX_STATUS_E_TIMEOUT,
               "the answer took 3s, timeout 3s");

    ev.have = TEST_ALL;
    test_judge(3500, NGX_STATUS_BOT_DETECTED, NGX_STATUS_E_BOT,
               "body contains \"Just a moment\"");

    ev.body.len = 10;
    strcpy(ev.message, "connection reset");
    test_judge(10000, NGX_STATUS_DOWN, NGX_STATUS_E_RESET,
               "connection reset");

    ev.error = NGX_STATUS_E_NONE;
    test_judge(10000, NGX_STATUS_DOWN, NGX_STATUS_E_STATUS,
               "status 503, expected 200-299");

    ev.number[NGX_STATUS_S_STATUS] = 200;
    test_judge(10000, NGX_STATUS_DOWN, NGX_STATUS_E_CONTENT,
               "body does not contain \"Welcome\"");

    ev.body_cut = 1;
    test_judge(10000, NGX_STATUS_DOWN, NGX_STATUS_E_CONTENT,
               "body does not contain \"Welcome\" in the first 10 bytes");

    ev.body_cut = 0;
    ev.body_told = 1;
    ev.body.data = (u_char *) "\r\n220 \001\302\240x\r\n";
    test_judge(10000, NGX_STATUS_DOWN, NGX_STATUS_E_CONTENT,
               "body does not contain \"Welcome\", got \"220 \302\240x\"");

    ev.body.data = (u_char *) "0123456789012345678901234567890123456789"
                   "01234567890123456789012345678901";
    ev.body.len = 63;
    test_judge(10000, NGX_STATUS_DOWN, NGX_STATUS_E_CONTENT,
               "body does not contain \"Welcome\", got \"0123456789012345678"
               "90123456789012345678901234567890123456789012\"");
    ev.body.len = 64;
    test_judge(10000, NGX_STATUS_DOWN, NGX_STATUS_E_CONTENT,
               "body does not contain \"Welcome\", got \"0123456789012345678"
               "90123456789012345678901234567890123456789012...\"");
    ev.body.len = 0;
    test_judge(10000, NGX_STATUS_DOWN, NGX_STATUS_E_CONTENT,
               "body does not contain \"Welcome\", got \"\"");

    ev.body_told = 0;
    ev.body.data = (u_char *) "Welcome";
    ev.body.len = 7;
    test_judge(10000, NGX_STATUS_DOWN, NGX_STATUS_E_SCORE,
               "score 10, expected > 50");

    ev.number[NGX_STATUS_S_SCORE] = 51;
    test_judge(10000, NGX_STATUS_DEGRADED, NGX_STATUS_E_LATENCY,
               "latency 3.5s, expected < 1s");

    ev.number[NGX_STATUS_S_LATENCY] = 0.5;
    test_judge(10000, NGX_STATUS_DEGRADED, NGX_STATUS_E_SIZE,
               "size 1 bytes, expected > 10");

    ev.number[NGX_STATUS_S_SIZE] = 11;
    test_judge(10000, NGX_STATUS_UP, NGX_STATUS_E_NONE, "");

    /* nothing is known, nothing is up */

    memset(&ev, 0, sizeof(ev));
    result.latency = 0;
    test_judge(10000, NGX_STATUS_DOWN, NGX_STATUS_E_STATUS,
               "no status came, expected 200-299");

    ngx_destroy_pool(pool);
}


/* Messages stay within their bounds and are UTF-8. */

static void
test_long(void **state)
{
    char                    err[256], *words;
    size_t                  i, k, n;
    ngx_uint_t              index;
    ngx_pool_t             *pool;
    ngx_status_cond_t       cond;
    ngx_status_result_t     result;
    ngx_status_evidence_t   ev;
    char                   *doc;

    (void) state;

    doc = malloc(3000);
    words = malloc(3000);

    for (i = 0; i < 8; i++) {
        pool = ngx_create_pool(1024, NULL);

        n = sprintf(words, "json $.a == %.*s", (int) i, "xxxxxxxx");
        for (k = 0; k < 200; k++) {
            n += sprintf(words + n, "\xf0\x9f\x98\x80");
        }

        n += sprintf(words + n, " %s", "b c d e f g h i j k l m n");

        n = sprintf(doc, "{\"a\":\"%.*s", (int) i, "yyyyyyyy");
        for (k = 0; k < 500; k++) {
            n += sprintf(doc + n, "\xf0\x9f\x98\x80");
        }
        sprintf(doc + n, "\"}");

        assert_int_equal(test_parse(pool, words, TEST_ALL, 0, &cond, err,
                                    sizeof(err)), NGX_OK);

        test_evidence(&ev, &cond, &index, doc);
        result.latency = 0;
        ngx_status_judge(&cond, 1, NULL, 0, 1000, &ev, 1, &result);

        assert_int_equal(result.state, NGX_STATUS_DOWN);
        assert_true(strlen(result.message) < NGX_STATUS_MESSAGE);
        assert_non_null(strstr(result.message, "...\", expected == \""));
        assert_null(strchr(result.message, '?'));

        ngx_status_json_free(ev.json);
        ngx_destroy_pool(pool);
    }

    free(doc);
    free(words);
}


/* A NUL ends neither what is looked through nor what is told of it. */

static void
test_nul(void **state)
{
    char                   err[256];
    size_t                 i;
    ngx_pool_t            *pool;
    ngx_status_cond_t      cond;
    ngx_status_result_t    result;
    ngx_status_evidence_t  ev;

    static const struct {
        const char  *words;
        const char  *body;
        size_t       len;
        const char  *message;
    } rows[] = {
        { "body contains b", "a\0b", 3, "" },
        { "body contains Hi", "\xff\xfeH\0i\0", 6,
          "body does not contain \"Hi\", and is not text" },
        { "body ~ Hi", "\0", 1, "body does not match \"Hi\", and is not "
          "text" },
        { "body == a", "a\0b", 3, "body is \"a?b\", and is not text, "
          "expected == \"a\"" },
        { "body contains x", "", 0, "body does not contain \"x\"" }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pool = ngx_create_pool(1024, NULL);

        assert_int_equal(test_parse(pool, rows[i].words, TEST_ALL, 0, &cond,
                                    err, sizeof(err)), NGX_OK);

        memset(&ev, 0, sizeof(ev));
        memset(&result, 0, sizeof(result));
        ev.have = TEST_ALL;
        ev.body.data = (u_char *) rows[i].body;
        ev.body.len = rows[i].len;

        ngx_status_judge(&cond, 1, NULL, 0, 1000, &ev, 1, &result);

        assert_string_equal(result.message, rows[i].message);

        ngx_destroy_pool(pool);
    }
}


/* Expressions and bodies that would take for ever end in a failure. */

static void
test_regex_limits(void **state)
{
    char                    err[256], *body;
    size_t                  i, len;
    ngx_int_t               rc;
    ngx_pool_t             *pool;
    ngx_status_cond_t       cond;
    ngx_status_result_t     first, result;
    ngx_status_evidence_t   ev;

    static const struct {
        const char  *words;
        const char  *unit;
        const char  *message;            /* NULL: it holds */
    } rows[] = {
        { "body ~ (a+)+$", "a", "body: regular expression \"(a+)+$\" took too "
          "long" },
        { "body !~ (a+)+$", "a", "body: regular expression \"(a+)+$\" took "
          "too long" },
        { "body ~ \\s+$", " ", "body: regular expression \"\\s+$\" took too "
          "long" },
        { "body ~ (x|.)*(y|.)*z", "a", "" },
        { "body ~ ((.|\\n)*)foo", "a", "" },
        { "body ~ ([a-z]+)*!", "ab", "" },
        { "body ~ bX$", "a", NULL },
        { "body !~ ^b", "a", NULL },
        { "body ~ X$", "lorem ipsum ", NULL },
        { "body !~ <title>Error</title>", "<title>Errors</title>", NULL },
        { "body ~ (?s)a.*bX", "a", NULL },
        { "body !~ (?s)^a.*bY", "a", NULL },
        { "body !~ (?s)(a*)\\1\\1c", "a", "" },
        { "body !~ a{60000}c", "a", "" },
        { "body !~ (?<=b{2000})c", "ac", "" },
        { "body !~ \\X+c", "a", "" },
        { "body contains* aaaaaaaab aaaaaaaaabX", "a", NULL }
    };

    (void) state;

    len = 1 << 20;
    body = malloc(len);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pool = ngx_create_pool(1024, NULL);
        assert_int_equal(test_parse(pool, rows[i].words, TEST_ALL, 0, &cond,
                                    err, sizeof(err)), NGX_OK);

        for (size_t k = 0; k < len; k++) {
            body[k] = rows[i].unit[k % strlen(rows[i].unit)];
        }

        body[len - 2] = 'b';
        body[len - 1] = 'X';

        memset(&ev, 0, sizeof(ev));
        ev.have = ngx_status_subject_bit(NGX_STATUS_S_BODY);
        ev.body.data = (u_char *) body;
        ev.body.len = len;
        result.latency = 0;

        first.latency = 0;
        rc = ngx_status_judge(&cond, 1, NULL, 0, 1000, &ev, 0, &first);

        assert_int_equal(ngx_status_judge(&cond, 1, NULL, 0, 1000, &ev, 1,
                                          &result),
                         NGX_OK);

        if (rc == NGX_OK) {              /* more time is of no use */
            assert_string_equal(first.message, result.message);
        }

        if (rows[i].message == NULL) {
            assert_string_equal(result.message, "");

        } else if (rows[i].message[0]) {
            assert_string_equal(result.message, rows[i].message);

        } else {
            assert_int_equal(result.state, NGX_STATUS_DOWN);
        }

        ngx_destroy_pool(pool);
    }

    free(body);
}


/* More matches than are kept: nothing is said to be nowhere. */

static void
test_many(void **state)
{
    char                    err[256], doc[512];
    size_t                  i, n;
    ngx_uint_t              index;
    ngx_pool_t             *pool;
    ngx_status_cond_t       cond;
    ngx_status_result_t     result;
    ngx_status_evidence_t   ev;

    static const test_row_t  rows[] = {
        { "json $[*] == 7", NULL,
          "json $[*]: more matches than can be compared" },
        { "json $[*] != 7", NULL,
          "json $[*]: more matches than can be compared" },
        { "json $[*] == 0", NULL, NULL },
        { "json $[*]", NULL, NULL },
        { "json $[*] != 0", NULL,
          "json $[*]: more matches than can be compared" }
    };

    (void) state;

    n = sprintf(doc, "[0");
    for (i = 0; i < 64; i++) {
        n += sprintf(doc + n, ",0");
    }
    sprintf(doc + n, "]");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pool = ngx_create_pool(1024, NULL);
        assert_int_equal(test_parse(pool, rows[i].words, TEST_ALL, 0, &cond,
                                    err, sizeof(err)), NGX_OK);
        test_evidence(&ev, &cond, &index, doc);
        result.latency = 0;
        ngx_status_judge(&cond, 1, NULL, 0, 1000, &ev, 1, &result);
        assert_string_equal(result.message,
                            rows[i].message ? rows[i].message : "");
        ngx_status_json_free(ev.json);
        ngx_destroy_pool(pool);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_bad_words),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_regex_limits),
        cmocka_unit_test(test_many)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests_name("expect", tests, NULL, NULL);
}
