
/*
 * Copyright (C) ngx_status_module authors
 *
 * Accept, range by range: type "/" subtype, then parameters.
 */


#include "ngx_status_accept.h"


static ngx_str_t ngx_status_accept_token(u_char **pos, u_char *last);
static ngx_str_t ngx_status_accept_value(u_char **pos, u_char *last);
static ngx_uint_t ngx_status_accept_is(const ngx_str_t *word,
    const char *text);
static ngx_uint_t ngx_status_accept_weight(const ngx_str_t *q);


ngx_uint_t
ngx_status_accept(const ngx_str_t *accept, const char *type,
    const char *subtype, const char *version)
{
    u_char      *p, *last;
    ngx_str_t    major, minor, name, value;
    ngx_uint_t   weight, q, best, specific;

    p = accept->data;
    last = p + accept->len;
    weight = 0;
    best = 0;

    while (p < last) {

        major = ngx_status_accept_token(&p, last);

        ngx_str_null(&minor);

        if (p < last && *p == '/') {
            p++;
            minor = ngx_status_accept_token(&p, last);
        }

        /* 0: not about us */

        if (ngx_status_accept_is(&major, type)) {
            specific = ngx_status_accept_is(&minor, subtype) ? 3
                       : ngx_status_accept_is(&minor, "*") ? 2 : 0;

        } else {
            specific = ngx_status_accept_is(&major, "*")
                       && ngx_status_accept_is(&minor, "*");
        }

        q = 1000;

        while (p < last && *p == ';') {
            p++;
            name = ngx_status_accept_token(&p, last);
            ngx_str_null(&value);

            if (p < last && *p == '=') {
                p++;
                value = ngx_status_accept_value(&p, last);
            }

            if (ngx_status_accept_is(&name, "q")) {
                q = ngx_status_accept_weight(&value);

            } else if (ngx_status_accept_is(&name, "version") && specific) {
                specific = ngx_status_accept_is(&value, version)
                           ? specific + 1 : 0;
            }
        }

        if (specific > best || (specific && specific == best && q > weight)) {
            best = specific;
            weight = q;
        }

        /* what is left is malformed */

        while (p < last && *p != ',') {
            p++;
        }

        p++;
    }

    return weight;
}


/* Up to a delimiter, without the blanks around it. */

static ngx_str_t
ngx_status_accept_token(u_char **pos, u_char *last)
{
    u_char     *p;
    ngx_str_t   token;

    for (p = *pos; p < last && (*p == ' ' || *p == '\t'); p++) { /* void */ }

    token.data = p;

    while (p < last && *p > ' ' && strchr("/;=,\"", *p) == NULL) {
        p++;
    }

    token.len = p - token.data;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    *pos = p;

    return token;
}


/* A token, or text in quotes; no value of ours has anything escaped. */

static ngx_str_t
ngx_status_accept_value(u_char **pos, u_char *last)
{
    u_char     *p;
    ngx_str_t   value;

    p = *pos;

    if (p == last || *p != '"') {
        return ngx_status_accept_token(pos, last);
    }

    value.data = ++p;

    while (p < last && *p != '"') {
        p += (*p == '\\' && last - p > 1) ? 2 : 1;
    }

    value.len = p - value.data;
    *pos = ngx_min(p + 1, last);

    return value;
}


static ngx_uint_t
ngx_status_accept_is(const ngx_str_t *word, const char *text)
{
    return word->len == strlen(text)
           && strncasecmp((char *) word->data, text, word->len) == 0;
}


/* "0.5" and the like; what is malformed is not wanted. */

static ngx_uint_t
ngx_status_accept_weight(const ngx_str_t *q)
{
    size_t      i;
    ngx_uint_t  weight, scale;

    weight = 0;
    scale = 1000;

    for (i = 0; i < q->len && i < sizeof("0.000") - 1; i++) {

        if (i == 1) {
            if (q->data[i] != '.') {
                return 0;
            }

            continue;
        }

        if (q->data[i] < '0' || q->data[i] > '9') {
            return 0;
        }

        weight += (q->data[i] - '0') * scale;
        scale /= 10;
    }

    return ngx_min(weight, 1000);
}
