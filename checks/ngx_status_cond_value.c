
/*
 * Copyright (C) ngx_status_module authors
 *
 * Reads the values of a condition: numbers, ranges and units, text, JSON's
 * other kinds.
 */


#include "ngx_status_cond.h"
#include <math.h>


typedef struct {
    ngx_str_t  name;
    double     factor;
} ngx_status_unit_t;


static ngx_int_t ngx_status_cond_text(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, ngx_status_value_t *value);
static ngx_int_t ngx_status_cond_flag(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, ngx_status_value_t *value);
static ngx_int_t ngx_status_cond_numbers(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, ngx_status_value_t *value);
static const char *ngx_status_cond_units(
    const ngx_status_cond_parser_t *ps);
static const u_char *ngx_status_cond_quantity(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, const u_char *p, double *number,
    ngx_uint_t *percent);


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


ngx_int_t
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

    case NGX_STATUS_KIND_FLAG:
        return ngx_status_cond_flag(ps, word, value);

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
        value->regex = ngx_status_regex_compile(ps->pool, word,
                                                ps->op->caseless, ps->err,
                                                ps->errlen);

        return value->regex ? NGX_OK : NGX_ERROR;
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
            || (ngx_status_subjects[ps->subject].flags & NGX_STATUS_EQUAL)))
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
        p[i] = (ps->op && ps->op->caseless) ? ngx_tolower(text.data[i])
                                            : text.data[i];
    }

    return NGX_OK;
}


static ngx_int_t
ngx_status_cond_flag(ngx_status_cond_parser_t *ps, const ngx_str_t *word,
    ngx_status_value_t *value)
{
    static const ngx_str_t  yes = ngx_string("yes");
    static const ngx_str_t  no = ngx_string("no");

    value->type = NGX_STATUS_JSON_NUMBER;
    value->low = value->high = ngx_status_cond_is(word, &yes);

    if (value->low != 0 || ngx_status_cond_is(word, &no)) {
        return NGX_OK;
    }

    return ngx_status_cond_error(ps, word, "is neither yes nor no");
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
        return ngx_status_cond_error(ps, word, ngx_status_cond_units(ps));
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


/* What is wrong behind a number. */

static const char *
ngx_status_cond_units(const ngx_status_cond_parser_t *ps)
{
    const ngx_status_subject_t  *subject;

    subject = &ngx_status_subjects[ps->subject];

    if (ps->subject == NGX_STATUS_S_STATUS) {
        return "is neither a status nor a range, for example 200-299";
    }

    if (subject->kind == NGX_STATUS_KIND_DURATION) {
        return "has something behind the number that is not a unit of it, "
               "one of ms s m h d w";
    }

    if (subject->kind == NGX_STATUS_KIND_SIZE
        || (subject->flags & NGX_STATUS_SIZES))
    {
        return (subject->flags & NGX_STATUS_PERCENT)
               ? "has something behind the number that is not a unit of it, "
                 "one of k m g t %"
               : "has something behind the number that is not a unit of it, "
                 "one of k m g t";
    }

    return "has something behind the number, which has no unit";
}


static const u_char *
ngx_status_cond_quantity(ngx_status_cond_parser_t *ps, const ngx_str_t *word,
    const u_char *p, double *number, ngx_uint_t *percent)
{
    double                       part;
    size_t                       n;
    ngx_uint_t                   sizes;
    const u_char                *end;
    const ngx_status_unit_t     *unit;
    const ngx_status_subject_t  *subject;

    *number = 0;
    *percent = 0;

    end = word->data + word->len;
    subject = &ngx_status_subjects[ps->subject];

    sizes = subject->kind == NGX_STATUS_KIND_SIZE
            || (subject->flags & NGX_STATUS_SIZES);

    do {
        n = ngx_status_json_number(p, end - p, &part);

        if (n == 0) {
            ngx_status_cond_error(ps, word,
                                  subject->kind == NGX_STATUS_KIND_DURATION
                                  ? "is not a time, for example 800ms or 2s"
                                  : subject->kind == NGX_STATUS_KIND_SIZE
                                  ? "is not a size, for example 512k"
                                  : sizes ? "is not a number or a size, for "
                                            "example 512k"
                                          : "is not a number");
            return NULL;
        }

        p += n;

        if ((subject->flags & NGX_STATUS_PERCENT) && p < end && *p == '%') {
            *percent = 1;
            *number = part / 100;

            if (!(part >= 0 && part <= 100)) {
                ngx_status_cond_error(ps, word, "is not between 0% and 100%");
                return NULL;
            }

            return p + 1;
        }

        unit = subject->kind == NGX_STATUS_KIND_DURATION
               ? ngx_status_durations : sizes ? ngx_status_sizes : NULL;

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
