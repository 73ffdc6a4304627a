
/*
 * Copyright (C) ngx_status_module authors
 *
 * Compiles a JSON path into steps.  A recursive descent without recursion:
 * nothing in the grammar nests.
 */


#include "ngx_status_json_path.h"
#include <math.h>
#include <stdio.h>


typedef struct {
    ngx_pool_t       *pool;
    const ngx_str_t  *text;
    const u_char     *p;
    const u_char     *end;
    char             *err;
    size_t            errlen;
} ngx_status_json_parser_t;


static ngx_int_t ngx_status_json_parse_step(ngx_status_json_parser_t *ps,
    ngx_status_json_step_t *step);
static ngx_int_t ngx_status_json_parse_bracket(ngx_status_json_parser_t *ps,
    ngx_status_json_step_t *step);
static ngx_int_t ngx_status_json_parse_filter(ngx_status_json_parser_t *ps,
    ngx_status_json_step_t *step);
static ngx_int_t ngx_status_json_parse_chain(ngx_status_json_parser_t *ps,
    ngx_status_json_step_t *step);
static ngx_int_t ngx_status_json_parse_op(ngx_status_json_parser_t *ps,
    ngx_status_json_step_t *step);
static ngx_int_t ngx_status_json_parse_value(ngx_status_json_parser_t *ps,
    ngx_status_json_value_t *value);
static ngx_int_t ngx_status_json_parse_name(ngx_status_json_parser_t *ps,
    ngx_str_t *name);
static ngx_int_t ngx_status_json_parse_string(ngx_status_json_parser_t *ps,
    ngx_str_t *string);
static ngx_int_t ngx_status_json_parse_unicode(ngx_status_json_parser_t *ps,
    u_char **out);
static ngx_int_t ngx_status_json_parse_index(ngx_status_json_parser_t *ps,
    ngx_int_t *index);
static ngx_int_t ngx_status_json_take(ngx_status_json_parser_t *ps,
    const char *token);
static void ngx_status_json_space(ngx_status_json_parser_t *ps);
static ngx_int_t ngx_status_json_expected(ngx_status_json_parser_t *ps,
    const char *what);


ngx_status_json_path_t *
ngx_status_json_path_compile(ngx_pool_t *pool, const ngx_str_t *text,
    char *err, size_t errlen)
{
    ngx_uint_t                 n;
    ngx_status_json_path_t    *path;
    ngx_status_json_step_t     steps[NGX_STATUS_JSON_STEPS];
    ngx_status_json_parser_t   ps;

    ps.pool = pool;
    ps.text = text;
    ps.p = text->data;
    ps.end = text->data + text->len;
    ps.err = err;
    ps.errlen = errlen;

    if (text->len > NGX_STATUS_JSON_STRING) {
        snprintf(err, errlen, "JSON path of more than %d characters",
                 NGX_STATUS_JSON_STRING);
        return NULL;
    }

    path = ngx_pcalloc(pool, sizeof(ngx_status_json_path_t));
    if (path == NULL) {
        snprintf(err, errlen, "no memory");
        return NULL;
    }

    if (!ngx_status_json_take(&ps, "$")) {
        ngx_status_json_expected(&ps, "\"$\"");
        return NULL;
    }

    for (n = 0; ps.p < ps.end; n++) {

        if (n == NGX_STATUS_JSON_STEPS) {
            ngx_status_json_expected(&ps, "the end, after 32 steps");
            return NULL;
        }

        memset(&steps[n], 0, sizeof(ngx_status_json_step_t));

        if (ngx_status_json_parse_step(&ps, &steps[n]) != NGX_OK) {
            return NULL;
        }

        if (steps[n].kind == NGX_STATUS_JSON_NAME) {
            path->last = steps[n].name;
        }
    }

    path->nsteps = n;
    path->steps = ngx_palloc(pool, (n + 1) * sizeof(ngx_status_json_step_t));
    if (path->steps == NULL) {
        snprintf(err, errlen, "no memory");
        return NULL;
    }

    memcpy(path->steps, steps, n * sizeof(ngx_status_json_step_t));

    return path;
}


static ngx_int_t
ngx_status_json_parse_step(ngx_status_json_parser_t *ps,
    ngx_status_json_step_t *step)
{
    if (ngx_status_json_take(ps, "..")) {
        step->descend = 1;

        if (ngx_status_json_take(ps, "[")) {
            return ngx_status_json_parse_bracket(ps, step);
        }

    } else if (ngx_status_json_take(ps, "[")) {
        return ngx_status_json_parse_bracket(ps, step);

    } else if (!ngx_status_json_take(ps, ".")) {
        return ngx_status_json_expected(ps, "\".\", \"[\" or the end; "
                                            "a name of other characters "
                                            "is written ['...']");
    }

    if (ngx_status_json_take(ps, "*")) {
        step->kind = NGX_STATUS_JSON_ALL;
        return NGX_OK;
    }

    step->kind = NGX_STATUS_JSON_NAME;

    return ngx_status_json_parse_name(ps, &step->name);
}


/* The bracket itself is taken. */

static ngx_int_t
ngx_status_json_parse_bracket(ngx_status_json_parser_t *ps,
    ngx_status_json_step_t *step)
{
    ngx_int_t  rc;

    ngx_status_json_space(ps);

    if (ngx_status_json_take(ps, "*")) {
        step->kind = NGX_STATUS_JSON_ALL;
        rc = NGX_OK;

    } else if (ngx_status_json_take(ps, "?")) {
        step->kind = NGX_STATUS_JSON_FILTER;
        rc = ngx_status_json_parse_filter(ps, step);

    } else if (ps->p < ps->end && (*ps->p == '\'' || *ps->p == '"')) {
        step->kind = NGX_STATUS_JSON_NAME;
        rc = ngx_status_json_parse_string(ps, &step->name);

    } else {
        step->kind = NGX_STATUS_JSON_INDEX;
        rc = ngx_status_json_parse_index(ps, &step->index);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_status_json_space(ps);

    if (!ngx_status_json_take(ps, "]")) {
        return ngx_status_json_expected(ps, "\"]\"");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_status_json_parse_filter(ngx_status_json_parser_t *ps,
    ngx_status_json_step_t *step)
{
    ngx_int_t  rc, open;

    ngx_status_json_space(ps);
    open = ngx_status_json_take(ps, "(");
    ngx_status_json_space(ps);

    if (!ngx_status_json_take(ps, "@")) {
        return ngx_status_json_expected(ps, "\"@\"");
    }

    if (ngx_status_json_parse_chain(ps, step) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_status_json_space(ps);

    rc = ngx_status_json_parse_op(ps, step);

    if (rc == NGX_OK) {
        ngx_status_json_space(ps);
        rc = ngx_status_json_parse_value(ps, &step->value);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_status_json_space(ps);

    if (open && !ngx_status_json_take(ps, ")")) {
        return ngx_status_json_expected(ps, step->op
                                            ? "\")\""
                                            : "== != < <= > >= or \")\"");
    }

    return NGX_OK;
}


/* The names behind "@", none for the element itself. */

static ngx_int_t
ngx_status_json_parse_chain(ngx_status_json_parser_t *ps,
    ngx_status_json_step_t *step)
{
    ngx_int_t   rc;
    ngx_uint_t  n;
    ngx_str_t   names[NGX_STATUS_JSON_CHAIN];

    for (n = 0; ps->p < ps->end && (*ps->p == '.' || *ps->p == '['); n++) {

        if (n == NGX_STATUS_JSON_CHAIN) {
            return ngx_status_json_expected(ps, "no more than 16 names");
        }

        if (ngx_status_json_take(ps, ".")) {
            rc = ngx_status_json_parse_name(ps, &names[n]);

        } else {
            ps->p++;
            ngx_status_json_space(ps);
            rc = ngx_status_json_parse_string(ps, &names[n]);
            ngx_status_json_space(ps);

            if (rc == NGX_OK && !ngx_status_json_take(ps, "]")) {
                rc = ngx_status_json_expected(ps, "\"]\"");
            }
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    step->nchain = n;
    step->chain = ngx_palloc(ps->pool, (n + 1) * sizeof(ngx_str_t));
    if (step->chain == NULL) {
        return ngx_status_json_expected(ps, "memory");
    }

    memcpy(step->chain, names, n * sizeof(ngx_str_t));

    return NGX_OK;
}


/* NGX_DECLINED: there is none, the filter asks whether it exists. */

static ngx_int_t
ngx_status_json_parse_op(ngx_status_json_parser_t *ps,
    ngx_status_json_step_t *step)
{
    ngx_uint_t  i;

    static const struct {
        const char            *word;
        ngx_status_json_op_e   op;
    } ops[] = {
        { "==", NGX_STATUS_JSON_EQ },
        { "!=", NGX_STATUS_JSON_NE },
        { "<=", NGX_STATUS_JSON_LE },
        { ">=", NGX_STATUS_JSON_GE },
        { "<", NGX_STATUS_JSON_LT },
        { ">", NGX_STATUS_JSON_GT }
    };

    for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (ngx_status_json_take(ps, ops[i].word)) {
            step->op = ops[i].op;
            return NGX_OK;
        }
    }

    if (ps->p < ps->end && *ps->p != ')' && *ps->p != ']') {
        return ngx_status_json_expected(ps, "== != < <= > >=, \")\" or \"]\"");
    }

    step->op = NGX_STATUS_JSON_EXISTS;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_status_json_parse_value(ngx_status_json_parser_t *ps,
    ngx_status_json_value_t *value)
{
    size_t  n;

    value->number = NAN;

    if (ngx_status_json_take(ps, "true")) {
        value->type = NGX_STATUS_JSON_BOOL;
        value->number = 1;
        return NGX_OK;
    }

    if (ngx_status_json_take(ps, "false")) {
        value->type = NGX_STATUS_JSON_BOOL;
        value->number = 0;
        return NGX_OK;
    }

    if (ngx_status_json_take(ps, "null")) {
        value->type = NGX_STATUS_JSON_NULL;
        return NGX_OK;
    }

    if (ps->p < ps->end && (*ps->p == '\'' || *ps->p == '"')) {
        value->type = NGX_STATUS_JSON_TEXT;
        return ngx_status_json_parse_string(ps, &value->text);
    }

    n = ngx_status_json_number(ps->p, ps->end - ps->p, &value->number);

    if (n == 0 || isnan(value->number)) {
        return ngx_status_json_expected(ps, "a number, a string in quotes, "
                                            "true, false or null");
    }

    value->type = NGX_STATUS_JSON_NUMBER;
    ps->p += n;

    return NGX_OK;
}


static ngx_int_t
ngx_status_json_parse_name(ngx_status_json_parser_t *ps, ngx_str_t *name)
{
    u_char        c;
    const u_char *start;

    for (start = ps->p; ps->p < ps->end; ps->p++) {
        c = *ps->p;

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '_' || c == '-' || c >= 0x80))
        {
            break;
        }
    }

    if (ps->p == start) {
        return ngx_status_json_expected(ps, "a name, \"*\" or \"[\"");
    }

    /* copied, the path outlives the configuration's words */

    name->len = ps->p - start;
    name->data = ngx_pnalloc(ps->pool, name->len);
    if (name->data == NULL) {
        return ngx_status_json_expected(ps, "memory");
    }

    memcpy(name->data, start, name->len);

    return NGX_OK;
}


static ngx_int_t
ngx_status_json_parse_string(ngx_status_json_parser_t *ps, ngx_str_t *string)
{
    char     *at;
    u_char    c, quote, *out;

    static const char  escapes[] = "\"\\/'bfnrt";
    static const char  escaped[] = "\"\\/'\b\f\n\r\t";

    if (ps->p == ps->end || (*ps->p != '\'' && *ps->p != '"')) {
        return ngx_status_json_expected(ps, "a name in quotes");
    }

    quote = *ps->p++;

    /* no escape is longer than what it stands for */

    out = ngx_pnalloc(ps->pool, ps->end - ps->p + 1);
    if (out == NULL) {
        return ngx_status_json_expected(ps, "memory");
    }

    string->data = out;

    while (ps->p < ps->end && *ps->p != quote) {

        if (*ps->p != '\\') {
            *out++ = *ps->p++;
            continue;
        }

        ps->p++;
        c = ps->p < ps->end ? *ps->p : '\0';

        if (c == 'u') {
            ps->p++;

            if (ngx_status_json_parse_unicode(ps, &out) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        at = c ? strchr(escapes, c) : NULL;

        if (at == NULL) {
            return ngx_status_json_expected(ps, "one of \" \\ / ' b f n r t u"
                                                " behind a backslash");
        }

        *out++ = escaped[at - escapes];
        ps->p++;
    }

    if (ps->p == ps->end) {
        return ngx_status_json_expected(ps, quote == '"' ? "a closing \""
                                                         : "a closing '");
    }

    ps->p++;
    string->len = out - string->data;

    return NGX_OK;
}


/* Four hexadecimal digits, or eight with another "\u" between. */

static ngx_int_t
ngx_status_json_parse_unicode(ngx_status_json_parser_t *ps, u_char **out)
{
    u_char       c, *p;
    uint32_t     code, high;
    ngx_uint_t   i;

    high = 0;

    for ( ;; ) {
        code = 0;

        for (i = 0; i < 4; i++) {
            c = ps->p < ps->end ? *ps->p : '\0';

            if (c >= '0' && c <= '9') {
                c -= '0';

            } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
                c = (c | 0x20) - 'a' + 10;

            } else {
                return ngx_status_json_expected(ps,
                                                "four hexadecimal digits");
            }

            code = code << 4 | c;
            ps->p++;
        }

        if (high) {
            if (code < 0xdc00 || code > 0xdfff) {
                return ngx_status_json_expected(ps,
                                                "the low half of a pair");
            }

            code = 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00);
            break;
        }

        if (code < 0xd800 || code > 0xdfff) {
            break;
        }

        if (code > 0xdbff || !ngx_status_json_take(ps, "\\u")) {
            return ngx_status_json_expected(ps, "a whole surrogate pair");
        }

        high = code;
    }

    p = *out;

    if (code < 0x80) {
        *p++ = (u_char) code;

    } else if (code < 0x800) {
        *p++ = (u_char) (0xc0 | code >> 6);
        *p++ = (u_char) (0x80 | (code & 0x3f));

    } else if (code < 0x10000) {
        *p++ = (u_char) (0xe0 | code >> 12);
        *p++ = (u_char) (0x80 | (code >> 6 & 0x3f));
        *p++ = (u_char) (0x80 | (code & 0x3f));

    } else {
        *p++ = (u_char) (0xf0 | code >> 18);
        *p++ = (u_char) (0x80 | (code >> 12 & 0x3f));
        *p++ = (u_char) (0x80 | (code >> 6 & 0x3f));
        *p++ = (u_char) (0x80 | (code & 0x3f));
    }

    *out = p;

    return NGX_OK;
}


static ngx_int_t
ngx_status_json_parse_index(ngx_status_json_parser_t *ps, ngx_int_t *index)
{
    ngx_int_t      n, limit, sign;
    const u_char  *start;

    sign = ngx_status_json_take(ps, "-") ? -1 : 1;
    limit = sign < 0 ? NGX_STATUS_JSON_BACK : NGX_MAX_INT32_VALUE;

    start = ps->p;
    n = 0;

    while (ps->p < ps->end && *ps->p >= '0' && *ps->p <= '9' && n <= limit) {
        n = n * 10 + (*ps->p++ - '0');
    }

    if (ps->p == start) {
        return ngx_status_json_expected(ps, "an index, \"*\", \"?\" or a name"
                                            " in quotes");
    }

    ps->p = (n > limit) ? start : ps->p;

    if (n > limit || (sign < 0 && n == 0)) {
        return ngx_status_json_expected(ps, sign < 0
                                            ? "-1 to -100"
                                            : "an index below 2147483648");
    }

    *index = sign * n;

    return NGX_OK;
}


static ngx_int_t
ngx_status_json_take(ngx_status_json_parser_t *ps, const char *token)
{
    size_t  len;

    len = strlen(token);

    if ((size_t) (ps->end - ps->p) < len || memcmp(ps->p, token, len) != 0) {
        return 0;
    }

    ps->p += len;

    return 1;
}


static void
ngx_status_json_space(ngx_status_json_parser_t *ps)
{
    while (ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\t')) {
        ps->p++;
    }
}


static ngx_int_t
ngx_status_json_expected(ngx_status_json_parser_t *ps, const char *what)
{
    unsigned       n;
    const u_char  *p;

    n = 1;

    for (p = ps->text->data; p < ps->p; p++) {
        n += (*p & 0xc0) != 0x80;
    }

    snprintf(ps->err, ps->errlen, "JSON path \"%.*s\" is not valid at "
             "character %u: expected %s", (int) ps->text->len,
             (char *) ps->text->data, n, what);

    return NGX_ERROR;
}


size_t
ngx_status_json_number(const u_char *p, size_t len, double *number)
{
    char    digits[NGX_STATUS_JSON_STRING + 1];
    size_t  i, n;

#define ngx_status_json_digits()                                              \
    for (n = i; i < len && p[i] >= '0' && p[i] <= '9'; i++) { /* void */ }

    len = ngx_min(len, NGX_STATUS_JSON_STRING + 1);

    i = (len && p[0] == '-');

    ngx_status_json_digits();

    if (i == n) {
        return 0;
    }

    /* "01" is no number */

    if (p[n] == '0' && i > n + 1) {
        return 0;
    }

    if (i + 1 < len && p[i] == '.' && p[i + 1] >= '0' && p[i + 1] <= '9') {
        i++;
        ngx_status_json_digits();
    }

    if (i + 1 < len && (p[i] | 0x20) == 'e') {
        n = i + 1 + (p[i + 1] == '+' || p[i + 1] == '-');

        if (n < len && p[n] >= '0' && p[n] <= '9') {
            i = n;
            ngx_status_json_digits();
        }
    }

    if (i > NGX_STATUS_JSON_STRING) {
        return 0;
    }

    memcpy(digits, p, i);
    digits[i] = '\0';

    *number = strtod(digits, NULL);

    if (isinf(*number)) {
        *number = NAN;
    }

    return i;
}
