
/*
 * Copyright (C) ngx_status_module authors
 *
 * Reads a condition's words.  What a subject is, and what may be asked of
 * it, is in the table of subjects and in that of operators.
 */


#include "ngx_status_expect.h"
#include <math.h>
#include <stdio.h>

#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH  8
#endif
#include <pcre2.h>


#define NGX_STATUS_NUMERIC   0x01        /* has a meaning for numbers */
#define NGX_STATUS_TEXTUAL   0x02        /* for text */
#define NGX_STATUS_ORDER     0x04        /* takes one number */


typedef struct {
    ngx_str_t           word;
    ngx_status_op_e     op;
    ngx_uint_t          negative;
    ngx_uint_t          caseless;
    ngx_uint_t          flags;
} ngx_status_operator_t;


typedef struct {
    ngx_str_t           name;
    double              factor;
} ngx_status_unit_t;


typedef struct {
    ngx_pool_t         *pool;
    ngx_status_subject_e  subject;
    const ngx_status_operator_t  *op;    /* NULL: none was written */
    char               *err;
    size_t              errlen;
} ngx_status_cond_parser_t;


static ngx_int_t ngx_status_cond_subject(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, ngx_uint_t allowed);
static ngx_int_t ngx_status_cond_name(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, ngx_status_cond_t *cond);
static ngx_int_t ngx_status_cond_operator(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word);
static ngx_int_t ngx_status_cond_value(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, ngx_status_value_t *value);
static ngx_int_t ngx_status_cond_text(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, ngx_status_value_t *value);
static ngx_int_t ngx_status_cond_numbers(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, ngx_status_value_t *value);
static const u_char *ngx_status_cond_quantity(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, const u_char *p, double *number,
    ngx_uint_t *percent);
static ngx_int_t ngx_status_cond_regex(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, ngx_status_value_t *value);
static void ngx_status_cond_regex_free(void *data);
static ngx_int_t ngx_status_cond_join(ngx_status_cond_parser_t *ps,
    const ngx_str_t *args, ngx_uint_t nargs, ngx_status_cond_t *cond);
static ngx_int_t ngx_status_cond_expected(ngx_status_cond_parser_t *ps,
    const ngx_str_t *words, ngx_status_test_t *test);
static ngx_int_t ngx_status_cond_error(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, const char *what);


const ngx_status_subject_t  ngx_status_subjects[NGX_STATUS_NSUBJECTS] = {
    { ngx_string("status"), NGX_STATUS_KIND_NUMBER, NGX_STATUS_E_STATUS, 0 },
    { ngx_string("body"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_CONTENT, 0 },
    { ngx_string("header"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_HEADER, 0 },
    { ngx_string("json"), NGX_STATUS_KIND_JSON, NGX_STATUS_E_CONTENT, 0 },
    { ngx_string("latency"), NGX_STATUS_KIND_DURATION, NGX_STATUS_E_LATENCY,
      0 },
    { ngx_string("cert"), NGX_STATUS_KIND_DURATION, NGX_STATUS_E_CERT, 0 },
    { ngx_string("dns"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_DNS, 0 },
    { ngx_string("size"), NGX_STATUS_KIND_SIZE, NGX_STATUS_E_SIZE, 0 },
    { ngx_string("score"), NGX_STATUS_KIND_NUMBER, NGX_STATUS_E_SCORE, 0 },
    { ngx_string("rcode"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_DNS, 0 },
    { ngx_string("rows"), NGX_STATUS_KIND_NUMBER, NGX_STATUS_E_VALUE, 0 },
    { ngx_string("value"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_VALUE, 0 },
    { ngx_string("free"), NGX_STATUS_KIND_SIZE, NGX_STATUS_E_VALUE, 1 },
    { ngx_string("inodes"), NGX_STATUS_KIND_NUMBER, NGX_STATUS_E_VALUE, 1 },
    { ngx_string("load"), NGX_STATUS_KIND_NUMBER, NGX_STATUS_E_VALUE, 0 },
    { ngx_string("age"), NGX_STATUS_KIND_DURATION, NGX_STATUS_E_VALUE, 0 }
};


static const ngx_status_operator_t  ngx_status_operators[] = {
    { ngx_string("=="), NGX_STATUS_OP_EQ, 0, 0,
      NGX_STATUS_NUMERIC|NGX_STATUS_TEXTUAL },
    { ngx_string("!="), NGX_STATUS_OP_EQ, 1, 0,
      NGX_STATUS_NUMERIC|NGX_STATUS_TEXTUAL },
    { ngx_string("<"), NGX_STATUS_OP_LT, 0, 0,
      NGX_STATUS_NUMERIC|NGX_STATUS_TEXTUAL|NGX_STATUS_ORDER },
    { ngx_string("<="), NGX_STATUS_OP_LE, 0, 0,
      NGX_STATUS_NUMERIC|NGX_STATUS_TEXTUAL|NGX_STATUS_ORDER },
    { ngx_string(">"), NGX_STATUS_OP_GT, 0, 0,
      NGX_STATUS_NUMERIC|NGX_STATUS_TEXTUAL|NGX_STATUS_ORDER },
    { ngx_string(">="), NGX_STATUS_OP_GE, 0, 0,
      NGX_STATUS_NUMERIC|NGX_STATUS_TEXTUAL|NGX_STATUS_ORDER },
    { ngx_string("contains"), NGX_STATUS_OP_CONTAINS, 0, 0,
      NGX_STATUS_TEXTUAL },
    { ngx_string("!contains"), NGX_STATUS_OP_CONTAINS, 1, 0,
      NGX_STATUS_TEXTUAL },
    { ngx_string("contains*"), NGX_STATUS_OP_CONTAINS, 0, 1,
      NGX_STATUS_TEXTUAL },
    { ngx_string("!contains*"), NGX_STATUS_OP_CONTAINS, 1, 1,
      NGX_STATUS_TEXTUAL },
    { ngx_string("~"), NGX_STATUS_OP_MATCH, 0, 0, NGX_STATUS_TEXTUAL },
    { ngx_string("~*"), NGX_STATUS_OP_MATCH, 0, 1, NGX_STATUS_TEXTUAL },
    { ngx_string("!~"), NGX_STATUS_OP_MATCH, 1, 0, NGX_STATUS_TEXTUAL },
    { ngx_string("!~*"), NGX_STATUS_OP_MATCH, 1, 1, NGX_STATUS_TEXTUAL }
};

#define NGX_STATUS_NOPERATORS                                                 \
    (sizeof(ngx_status_operators) / sizeof(ngx_status_operators[0]))


static const ngx_status_unit_t  ngx_status_durations[] = {
    { ngx_string("ms"), 0.001 },         /* before "m" */
    { ngx_string("s"), 1 },
    { ngx_string("m"), 60 },
    { ngx_string("h"), 3600 },
    { ngx_string("d"), 86400 },
    { ngx_string("w"), 604800 },
    { ngx_null_string, 0 }
};


static const ngx_status_unit_t  ngx_status_sizes[] = {
    { ngx_string("k"), 1024. },
    { ngx_string("K"), 1024. },
    { ngx_string("m"), 1048576. },
    { ngx_string("M"), 1048576. },
    { ngx_string("g"), 1073741824. },
    { ngx_string("G"), 1073741824. },
    { ngx_string("t"), 1099511627776. },
    { ngx_string("T"), 1099511627776. },
    { ngx_null_string, 0 }
};


static ngx_int_t
ngx_status_cond_is(const ngx_str_t *a, const ngx_str_t *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}


static u_char
ngx_status_cond_lower(u_char c)
{
    return (c >= 'A' && c <= 'Z') ? (c | 0x20) : c;
}


ngx_int_t
ngx_status_cond_parse(ngx_pool_t *pool, const ngx_str_t *args,
    ngx_uint_t nargs, ngx_uint_t allowed, ngx_uint_t prefer,
    ngx_status_cond_t *cond, char *err, size_t errlen)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i, n;
    ngx_status_test_t         *test;
    ngx_status_cond_parser_t   ps;

    static const ngx_str_t  nothing = ngx_string("");

    ps.pool = pool;
    ps.op = NULL;
    ps.err = err;
    ps.errlen = errlen;

    memset(cond, 0, sizeof(ngx_status_cond_t));
    cond->prefer = prefer;

    if (ngx_status_cond_subject(&ps, nargs ? &args[0] : &nothing, allowed)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    cond->subject = ps.subject;

    test = ngx_pcalloc(pool, sizeof(ngx_status_test_t));

    if (test == NULL
        || ngx_status_cond_join(&ps, args, nargs, cond) != NGX_OK)
    {
        return ngx_status_cond_error(&ps, NULL, "no memory");
    }

    cond->test = test;

    n = 1;
    rc = ngx_status_cond_name(&ps, n < nargs ? &args[n] : NULL, cond);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    n += (rc == NGX_OK);

    if (n == nargs && (ps.subject == NGX_STATUS_S_HEADER
                       || ps.subject == NGX_STATUS_S_JSON))
    {
        test->op = NGX_STATUS_OP_EXISTS;
        return NGX_OK;
    }

    rc = ngx_status_cond_operator(&ps, n < nargs ? &args[n] : NULL);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    n += (rc == NGX_OK);

    test->op = ps.op ? ps.op->op : NGX_STATUS_OP_EQ;
    test->negative = ps.op && ps.op->negative;
    test->caseless = ps.op && ps.op->caseless;

    if (n == nargs) {
        return ngx_status_cond_error(&ps, &args[n - 1], "needs a value");
    }

    test->nvalues = nargs - n;

    if (test->nvalues > 1 && ps.op && (ps.op->flags & NGX_STATUS_ORDER)) {
        return ngx_status_cond_error(&ps, &ps.op->word, "takes one value");
    }

    test->values = ngx_pcalloc(pool,
                               test->nvalues * sizeof(ngx_status_value_t));
    if (test->values == NULL) {
        return ngx_status_cond_error(&ps, NULL, "no memory");
    }

    for (i = 0; i < test->nvalues; i++) {
        if (ngx_status_cond_value(&ps, &args[n + i], &test->values[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_status_cond_expected(&ps, &args[n], test);
}


static ngx_int_t
ngx_status_cond_subject(ngx_status_cond_parser_t *ps, const ngx_str_t *word,
    ngx_uint_t allowed)
{
    char        list[256];
    size_t      len;
    ngx_uint_t  i;

    len = 0;
    list[0] = '\0';

    for (i = 0; i < NGX_STATUS_NSUBJECTS; i++) {

        if (!(allowed & ngx_status_subject_bit(i))) {
            continue;
        }

        if (ngx_status_cond_is(word, &ngx_status_subjects[i].name)) {
            ps->subject = i;
            return NGX_OK;
        }

        len += snprintf(list + len, sizeof(list) - len, " %s",
                        (char *) ngx_status_subjects[i].name.data);
    }

    snprintf(ps->err, ps->errlen, "\"%.*s\" is nothing that this check sees, "
             "expected one of%s", (int) ngx_min(word->len, 64),
             (char *) word->data, list);

    return NGX_ERROR;
}


/* NGX_DECLINED: the word is not part of the name. */

static ngx_int_t
ngx_status_cond_name(ngx_status_cond_parser_t *ps, const ngx_str_t *word,
    ngx_status_cond_t *cond)
{
    u_char      *p;
    ngx_uint_t   i;

    static const ngx_str_t  types[] = {
        ngx_string("A"), ngx_string("AAAA"), ngx_string("CNAME"),
        ngx_string("MX"), ngx_string("TXT"), ngx_string("NS"),
        ngx_string("SOA"), ngx_string("SRV"), ngx_string("CAA"),
        ngx_string("PTR"), ngx_null_string
    };

    switch (ps->subject) {

    case NGX_STATUS_S_HEADER:

        if (word == NULL) {
            return ngx_status_cond_error(ps, NULL,
                                         "\"header\" needs a name");
        }

        for (i = 0; i < word->len; i++) {
            if (word->data[i] <= ' ' || word->data[i] >= 0x7f
                || strchr("()<>@,;:\\\"/[]?={}", word->data[i]))
            {
                break;
            }
        }

        if (i < word->len || word->len == 0) {
            return ngx_status_cond_error(ps, word,
                                         "is not the name of a header");
        }

        break;

    case NGX_STATUS_S_JSON:

        if (word == NULL) {
            return ngx_status_cond_error(ps, NULL, "\"json\" needs a path, "
                                         "for example $.status");
        }

        cond->path = ngx_status_json_path_compile(ps->pool, word, ps->err,
                                                  ps->errlen);
        if (cond->path == NULL) {
            return NGX_ERROR;
        }

        break;

    case NGX_STATUS_S_DNS:

        for (i = 0; word && types[i].len; i++) {
            if (ngx_status_cond_is(word, &types[i])) {
                break;
            }
        }

        if (word == NULL || types[i].len == 0) {
            return NGX_DECLINED;
        }

        break;

    default:
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(ps->pool, word->len + 1);
    if (p == NULL) {
        return ngx_status_cond_error(ps, NULL, "no memory");
    }

    memcpy(p, word->data, word->len);
    p[word->len] = '\0';

    cond->name.data = p;
    cond->name.len = word->len;

    return NGX_OK;
}


/* NGX_DECLINED: there is none, values follow at once. */

static ngx_int_t
ngx_status_cond_operator(ngx_status_cond_parser_t *ps, const ngx_str_t *word)
{
    char                         list[256];
    size_t                       len;
    ngx_uint_t                   i, may;
    const ngx_status_operator_t *op;
    const ngx_status_subject_t  *subject;

    subject = &ngx_status_subjects[ps->subject];

    may = (subject->kind == NGX_STATUS_KIND_TEXT
           || subject->kind == NGX_STATUS_KIND_JSON)
          ? NGX_STATUS_TEXTUAL : NGX_STATUS_NUMERIC;

    len = 0;
    list[0] = '\0';

    for (i = 0; i < NGX_STATUS_NOPERATORS; i++) {
        op = &ngx_status_operators[i];

        if (!(op->flags & may)
            || ((op->flags & NGX_STATUS_ORDER)
                && (ps->subject == NGX_STATUS_S_DNS
                    || ps->subject == NGX_STATUS_S_RCODE)))
        {
            continue;
        }

        if (word && ngx_status_cond_is(word, &op->word)) {
            ps->op = op;
            return NGX_OK;
        }

        len += snprintf(list + len, sizeof(list) - len, " %s",
                        (char *) op->word.data);
    }

    /*
     * What looks like an operator is not taken for a value: "json $.a = 5"
     * would hold by its 5.  The body is never equal to a few words.
     */

    if (word && ps->subject != NGX_STATUS_S_BODY
        && (word->len == 0 || strchr("=<>!~", word->data[0]) == NULL))
    {
        for (i = 0; i < NGX_STATUS_NOPERATORS; i++) {
            if (ngx_status_cond_is(word, &ngx_status_operators[i].word)) {
                break;
            }
        }

        if (i == NGX_STATUS_NOPERATORS) {
            return NGX_DECLINED;
        }
    }

    if (word == NULL) {
        snprintf(ps->err, ps->errlen, "\"%s\" needs a value, or an operator "
                 "of%s and a value", (char *) subject->name.data, list);
        return NGX_ERROR;
    }

    snprintf(ps->err, ps->errlen, "\"%.*s\" is not an operator for \"%s\", "
             "expected one of%s", (int) ngx_min(word->len, 64),
             (char *) word->data, (char *) subject->name.data, list);

    return NGX_ERROR;
}


static ngx_int_t
ngx_status_cond_value(ngx_status_cond_parser_t *ps, const ngx_str_t *word,
    ngx_status_value_t *value)
{
    ngx_uint_t  order;

    order = ps->op && (ps->op->flags & NGX_STATUS_ORDER);

    switch (ngx_status_subjects[ps->subject].kind) {

    case NGX_STATUS_KIND_TEXT:
    case NGX_STATUS_KIND_JSON:

        if (!order) {
            return ngx_status_cond_text(ps, word, value);
        }

        break;

    default:
        break;
    }

    if (ngx_status_cond_numbers(ps, word, value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (order && value->low != value->high) {
        return ngx_status_cond_error(ps, word, "is a range, expected one "
                                     "number");
    }

    if (ps->subject == NGX_STATUS_S_STATUS
        && (value->low < 100 || value->high > 999
            || value->low != floor(value->low)
            || value->high != floor(value->high)))
    {
        return ngx_status_cond_error(ps, word, "is not a status, expected "
                                     "100 to 999");
    }

    return NGX_OK;
}


/* Of == and !=, contains and regular expressions. */

static ngx_int_t
ngx_status_cond_text(ngx_status_cond_parser_t *ps, const ngx_str_t *word,
    ngx_status_value_t *value)
{
    u_char      *p;
    ngx_str_t    text;
    ngx_int_t    rc;
    ngx_uint_t   i, equality;

    static const ngx_str_t  yes = ngx_string("true");
    static const ngx_str_t  no = ngx_string("false");
    static const ngx_str_t  null = ngx_string("null");

    equality = (ps->op == NULL || ps->op->op == NGX_STATUS_OP_EQ);

    value->type = NGX_STATUS_JSON_TEXT;
    value->low = value->high = NAN;

    text = *word;

    if (text.len > 1000) {
        return ngx_status_cond_error(ps, word, "is too long, expected 1000 "
                                     "characters at most");
    }

    if (text.len == 0 && !equality) {
        return ngx_status_cond_error(ps, word, "would always hold");
    }

    if (ps->op && ps->op->op == NGX_STATUS_OP_MATCH) {
        return ngx_status_cond_regex(ps, word, value);
    }

    if (equality && ps->subject == NGX_STATUS_S_JSON) {

        if (ngx_status_cond_is(word, &null)) {
            value->type = NGX_STATUS_JSON_NULL;
            return NGX_OK;
        }

        if (ngx_status_cond_is(word, &yes) || ngx_status_cond_is(word, &no)) {
            value->type = NGX_STATUS_JSON_BOOL;
            value->low = value->high = (word->data[0] == 't');
            return NGX_OK;
        }

        if (text.len > 1 && text.data[0] == '"'
            && text.data[text.len - 1] == '"')
        {
            text.data++;
            text.len -= 2;
        }
    }

    if (equality && text.len == word->len
        && (ps->subject == NGX_STATUS_S_JSON
            || ps->subject == NGX_STATUS_S_VALUE))
    {
        rc = ngx_status_cond_numbers(ps, word, value);

        if (rc == NGX_OK && ps->subject == NGX_STATUS_S_JSON) {
            value->type = NGX_STATUS_JSON_NUMBER;
            return NGX_OK;
        }

        value->type = NGX_STATUS_JSON_TEXT;

        if (rc != NGX_OK) {
            value->low = value->high = NAN;
        }
    }

    p = ngx_pnalloc(ps->pool, text.len + 1);
    if (p == NULL) {
        return ngx_status_cond_error(ps, NULL, "no memory");
    }

    value->text.data = p;
    value->text.len = text.len;

    for (i = 0; i < text.len; i++) {
        p[i] = (ps->op && ps->op->caseless)
               ? ngx_status_cond_lower(text.data[i]) : text.data[i];
    }

    return NGX_OK;
}


/* One number, or a range of two, in the subject's units. */

static ngx_int_t
ngx_status_cond_numbers(ngx_status_cond_parser_t *ps, const ngx_str_t *word,
    ngx_status_value_t *value)
{
    ngx_uint_t     percent;
    const u_char  *p, *end;

    value->type = NGX_STATUS_JSON_NUMBER;
    end = word->data + word->len;

    p = ngx_status_cond_quantity(ps, word, word->data, &value->low,
                                 &value->percent);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->high = value->low;

    if (p == end) {
        return NGX_OK;
    }

    if (*p != '-') {
        return ngx_status_cond_error(ps, word, "has something behind the "
                                     "number that is not a unit of it");
    }

    p = ngx_status_cond_quantity(ps, word, p + 1, &value->high, &percent);

    if (p == NULL) {
        return NGX_ERROR;
    }

    if (p != end || percent != value->percent) {
        return ngx_status_cond_error(ps, word, "is not a range, expected "
                                     "two numbers with \"-\" between");
    }

    if (value->high < value->low) {
        return ngx_status_cond_error(ps, word, "ends before it begins");
    }

    return NGX_OK;
}


static const u_char *
ngx_status_cond_quantity(ngx_status_cond_parser_t *ps, const ngx_str_t *word,
    const u_char *p, double *number, ngx_uint_t *percent)
{
    double                       part;
    size_t                       n;
    const u_char                *end;
    const ngx_status_unit_t     *unit;
    const ngx_status_subject_t  *subject;

    *number = 0;
    *percent = 0;

    end = word->data + word->len;
    subject = &ngx_status_subjects[ps->subject];

    do {
        n = ngx_status_json_number(p, end - p, &part);

        if (n == 0) {
            ngx_status_cond_error(ps, word,
                                  subject->kind == NGX_STATUS_KIND_DURATION
                                  ? "is not a time, for example 800ms or 2s"
                                  : subject->kind == NGX_STATUS_KIND_SIZE
                                  ? "is not a size, for example 512k"
                                  : "is not a number");
            return NULL;
        }

        p += n;

        if (subject->percent && p < end && *p == '%') {
            *percent = 1;
            *number = part / 100;

            if (!(part >= 0 && part <= 100)) {
                ngx_status_cond_error(ps, word, "is not between 0% and 100%");
                return NULL;
            }

            return p + 1;
        }

        unit = subject->kind == NGX_STATUS_KIND_DURATION
               ? ngx_status_durations
               : subject->kind == NGX_STATUS_KIND_SIZE ? ngx_status_sizes
                                                       : NULL;

        for ( /* void */ ; unit && unit->name.len; unit++) {
            if ((size_t) (end - p) >= unit->name.len
                && memcmp(p, unit->name.data, unit->name.len) == 0)
            {
                part *= unit->factor;
                p += unit->name.len;
                break;
            }
        }

        if (subject->kind == NGX_STATUS_KIND_DURATION
            && unit->name.len == 0 && part != 0)
        {
            ngx_status_cond_error(ps, word, "needs a unit, one of ms s m h d "
                                  "w");
            return NULL;
        }

        *number += part;

    } while (subject->kind == NGX_STATUS_KIND_DURATION && unit->name.len
             && p < end && *p >= '0' && *p <= '9');

    if (!isfinite(*number)) {
        ngx_status_cond_error(ps, word, "is too large");
        return NULL;
    }

    return p;
}


static ngx_int_t
ngx_status_cond_regex(ngx_status_cond_parser_t *ps, const ngx_str_t *word,
    ngx_status_value_t *value)
{
    int                  code;
    size_t               at;
    pcre2_code          *re;
    PCRE2_UCHAR          reason[128];
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(ps->pool, 0);
    if (cln == NULL) {
        return ngx_status_cond_error(ps, NULL, "no memory");
    }

    /* callouts are what bounds the time, see ngx_status_expect.c */

    re = pcre2_compile(word->data, word->len,
                       PCRE2_UTF|PCRE2_MATCH_INVALID_UTF|PCRE2_AUTO_CALLOUT
                       |PCRE2_NEVER_BACKSLASH_C
                       |(ps->op->caseless ? PCRE2_CASELESS : 0),
                       &code, &at, NULL);

    if (re == NULL) {
        pcre2_get_error_message(code, reason, sizeof(reason));

        snprintf(ps->err, ps->errlen, "regular expression \"%.*s\" is not "
                 "valid at byte %u: %s", (int) word->len,
                 (char *) word->data, (unsigned) at + 1, (char *) reason);

        return NGX_ERROR;
    }

    cln->handler = ngx_status_cond_regex_free;
    cln->data = re;

    value->regex = re;

    return NGX_OK;
}


static void
ngx_status_cond_regex_free(void *data)
{
    pcre2_code_free(data);
}


/* All words as written. */

static ngx_int_t
ngx_status_cond_join(ngx_status_cond_parser_t *ps, const ngx_str_t *args,
    ngx_uint_t nargs, ngx_status_cond_t *cond)
{
    u_char      *p;
    size_t       len;
    ngx_uint_t   i;

    len = 0;

    for (i = 0; i < nargs; i++) {
        len += args[i].len + 1;
    }

    p = ngx_pnalloc(ps->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    cond->text.data = p;
    cond->text.len = len - 1;

    for (i = 0; i < nargs; i++) {
        memcpy(p, args[i].data, args[i].len);
        p += args[i].len;
        *p++ = i + 1 < nargs ? ' ' : '\0';
    }

    return NGX_OK;
}


/* The words of messages; the longer ones are cut. */

static ngx_int_t
ngx_status_cond_expected(ngx_status_cond_parser_t *ps, const ngx_str_t *words,
    ngx_status_test_t *test)
{
    size_t                     n, len, shown, before;
    u_char                    *p;
    ngx_uint_t                 i;
    const char                *quote;
    const ngx_status_value_t  *value;

    before = ps->op ? ps->op->word.len + 1 : 0;
    len = before + test->nvalues * 72 + 1;

    p = ngx_pnalloc(ps->pool, len);
    if (p == NULL) {
        return ngx_status_cond_error(ps, NULL, "no memory");
    }

    n = ps->op ? snprintf((char *) p, len, "%s ", (char *) ps->op->word.data)
               : 0;

    for (i = 0; i < test->nvalues; i++) {
        value = &test->values[i];

        shown = ngx_min(words[i].len, 60);

        while (shown && shown < words[i].len
               && (words[i].data[shown] & 0xc0) == 0x80)
        {
            shown--;
        }

        quote = (value->type == NGX_STATUS_JSON_TEXT
                 && !(value->text.len + 2 == words[i].len
                      && words[i].data[0] == '"'))
                ? "\"" : "";

        n += snprintf((char *) p + n, len - n, "%s%s%.*s%s%s",
                      i ? " or " : "", quote, (int) shown,
                      (char *) words[i].data,
                      shown < words[i].len ? "..." : "", quote);

        if (n >= 200) {
            break;                       /* a message holds no more */
        }
    }

    test->expected.data = p;
    test->expected.len = n;
    test->wanted.data = p + before;
    test->wanted.len = n - before;

    return NGX_OK;
}


static ngx_int_t
ngx_status_cond_error(ngx_status_cond_parser_t *ps, const ngx_str_t *word,
    const char *what)
{
    if (word == NULL) {
        snprintf(ps->err, ps->errlen, "%s", what);

    } else {
        snprintf(ps->err, ps->errlen, "\"%.*s\" %s",
                 (int) ngx_min(word->len, 64), (char *) word->data, what);
    }

    return NGX_ERROR;
}
