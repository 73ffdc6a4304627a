
/*
 * Copyright (C) ngx_status_module authors
 *
 * Reads a condition's words.  What a subject is, and what may be asked of
 * it, is in the table of subjects and in that of operators.
 */


#include "ngx_status_cond.h"
#include "ngx_status_url.h"
#include <stdio.h>


static ngx_int_t ngx_status_cond_subject(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, ngx_uint_t allowed);
static ngx_int_t ngx_status_cond_name(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, ngx_status_cond_t *cond);
static ngx_int_t ngx_status_cond_operator(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word);
static ngx_int_t ngx_status_cond_join(ngx_status_cond_parser_t *ps,
    const ngx_str_t *args, ngx_uint_t nargs, ngx_status_cond_t *cond);
static ngx_int_t ngx_status_cond_expected(ngx_status_cond_parser_t *ps,
    const ngx_str_t *words, ngx_status_test_t *test);


const ngx_status_subject_t  ngx_status_subjects[NGX_STATUS_NSUBJECTS] = {
    { ngx_string("status"), NGX_STATUS_KIND_NUMBER, NGX_STATUS_E_STATUS, 0 },
    { ngx_string("body"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_CONTENT, 0 },
    { ngx_string("header"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_HEADER, 0 },
    { ngx_string("json"), NGX_STATUS_KIND_JSON, NGX_STATUS_E_CONTENT, 0 },
    { ngx_string("latency"), NGX_STATUS_KIND_DURATION, NGX_STATUS_E_LATENCY,
      0 },
    { ngx_string("cert"), NGX_STATUS_KIND_DURATION, NGX_STATUS_E_CERT, 0 },
    { ngx_string("dns"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_DNS,
      NGX_STATUS_NO_ORDER|NGX_STATUS_RECORDS },
    { ngx_string("size"), NGX_STATUS_KIND_SIZE, NGX_STATUS_E_SIZE, 0 },
    { ngx_string("score"), NGX_STATUS_KIND_NUMBER, NGX_STATUS_E_SCORE, 0 },
    { ngx_string("rcode"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_DNS,
      NGX_STATUS_NO_ORDER },
    { ngx_string("rows"), NGX_STATUS_KIND_NUMBER, NGX_STATUS_E_VALUE, 0 },
    { ngx_string("value"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_VALUE,
      NGX_STATUS_EQUAL },
    { ngx_string("free"), NGX_STATUS_KIND_SIZE, NGX_STATUS_E_VALUE,
      NGX_STATUS_PERCENT },
    { ngx_string("inodes"), NGX_STATUS_KIND_NUMBER, NGX_STATUS_E_VALUE,
      NGX_STATUS_PERCENT },
    { ngx_string("load"), NGX_STATUS_KIND_NUMBER, NGX_STATUS_E_VALUE, 0 },
    { ngx_string("age"), NGX_STATUS_KIND_DURATION, NGX_STATUS_E_VALUE, 0 },
    { ngx_string("info"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_VALUE,
      NGX_STATUS_EQUAL|NGX_STATUS_SIZES },
    { ngx_string("redirect"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_REDIRECT,
      NGX_STATUS_NO_ORDER },

    /* chain, issuer, names, verified */
    { ngx_string("cert"), NGX_STATUS_KIND_DURATION, NGX_STATUS_E_CERT, 0 },
    { ngx_string("cert"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_CERT,
      NGX_STATUS_NO_ORDER },
    { ngx_string("cert"), NGX_STATUS_KIND_TEXT, NGX_STATUS_E_CERT,
      NGX_STATUS_NO_ORDER|NGX_STATUS_RECORDS },
    { ngx_string("cert"), NGX_STATUS_KIND_FLAG, NGX_STATUS_E_CERT,
      NGX_STATUS_NO_ORDER }
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
    static const ngx_str_t  off = ngx_string("off");
    static const ngx_str_t  yes = ngx_string("yes");
    static const ngx_str_t  or = ngx_string("or");
    static const ngx_str_t  and = ngx_string("and");

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

    cond->subject = ps.subject;
    n += (rc == NGX_OK);

    if (n == nargs && (ps.subject == NGX_STATUS_S_HEADER
                       || ps.subject == NGX_STATUS_S_JSON
                       || ps.subject == NGX_STATUS_S_INFO))
    {
        test->op = NGX_STATUS_OP_EXISTS;
        return NGX_OK;
    }

    if (n == nargs && ps.subject == NGX_STATUS_S_CERT_VERIFIED) {
        args = &yes;
        nargs = 1;
        n = 0;
    }

    /* of a text it would be a value */

    if (n + 1 == nargs && ngx_status_cond_is(&args[n], &off)
        && ngx_status_subjects[ps.subject].kind < NGX_STATUS_KIND_FLAG)
    {
        cond->off = 1;
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

        /* as a text it would hold of nearly any page */

        if (i && i + 1 < test->nvalues
            && (ngx_status_cond_is(&args[n + i], &or)
                || ngx_status_cond_is(&args[n + i], &and)))
        {
            return ngx_status_cond_error(&ps, &args[n + i], "between values: "
                                         "they are alternatives without it, "
                                         "and what has to hold, too, is a "
                                         "line of its own");
        }

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

    for (i = 0; i < NGX_STATUS_S_CERT_CHAIN; i++) {

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
    ngx_uint_t   i, header;

    static const ngx_str_t  types[] = {
        ngx_string("A"), ngx_string("AAAA"), ngx_string("CNAME"),
        ngx_string("MX"), ngx_string("TXT"), ngx_string("NS"),
        ngx_string("SOA"), ngx_string("SRV"), ngx_string("CAA"),
        ngx_string("PTR"), ngx_null_string
    };

    static const ngx_str_t  parts[] = {
        ngx_string("chain"), ngx_string("issuer"), ngx_string("names"),
        ngx_string("verified"), ngx_null_string
    };

    switch (ps->subject) {

    case NGX_STATUS_S_HEADER:
    case NGX_STATUS_S_INFO:

        header = (ps->subject == NGX_STATUS_S_HEADER);

        if (word == NULL) {
            return ngx_status_cond_error(ps, NULL, header
                       ? "\"header\" needs a name"
                       : "\"info\" needs the name of a field");
        }

        for (i = 0; i < word->len; i++) {
            if (word->data[i] <= ' ' || word->data[i] >= 0x7f
                || strchr("()<>@,;:\\\"/[]?={}", word->data[i]))
            {
                break;
            }
        }

        if (i < word->len || word->len == 0) {
            return ngx_status_cond_error(ps, word, header
                       ? "is not the name of a header"
                       : "is not the name of a field");
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

    case NGX_STATUS_S_CERT:

        for (i = 0; word && parts[i].len; i++) {
            if (ngx_status_cond_is(word, &parts[i])) {
                break;
            }
        }

        if (word == NULL || parts[i].len == 0) {
            return NGX_DECLINED;
        }

        ps->subject = NGX_STATUS_S_CERT_CHAIN + i;
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
                && (subject->flags & NGX_STATUS_NO_ORDER)))
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
    u_char                    *p, url[256];
    ngx_str_t                  word;
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
        word = words[i];

        quote = (value->type == NGX_STATUS_JSON_TEXT
                 && !(value->text.len + 2 == word.len
                      && word.data[0] == '"'))
                ? "\"" : "";

        if (ps->subject == NGX_STATUS_S_REDIRECT) {
            word.len = ngx_status_url_redact(url, sizeof(url), word.data,
                                             word.len);
            word.data = url;
        }

        shown = ngx_status_words_cut(&word, 60);

        n += snprintf((char *) p + n, len - n, "%s%s%.*s%s%s",
                      i ? " or " : "", quote, (int) shown,
                      (char *) word.data,
                      shown < word.len ? "..." : "", quote);

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


ngx_int_t
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


ngx_uint_t
ngx_status_cond_is(const ngx_str_t *a, const ngx_str_t *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}
