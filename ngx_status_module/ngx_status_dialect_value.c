
/*
 * Copyright (C) ngx_status_module authors
 *
 * Arguments of heartbeats: finding one, and what its value means.
 */


#include "ngx_status_dialect_value.h"


#define NGX_STATUS_DIALECT_LONGEST                                           \
    ((uint64_t) 400 * 86400 * 1000000)   /* us; what an "every" can be */
#define NGX_STATUS_DIALECT_PING   86400000       /* ms; as Uptime Kuma has it */


static ngx_uint_t ngx_status_dialect_hex(u_char c);
static size_t ngx_status_dialect_number(const u_char *p, size_t len,
    double *number);


ngx_int_t
ngx_status_dialect_arg(const ngx_str_t *args, const char *name, u_char *value,
    size_t size)
{
    u_char      *p, *last, *end;
    size_t       len;
    ngx_int_t    n;
    ngx_uint_t   c, high, low;

    if (args->len == 0) {
        return NGX_DECLINED;
    }

    len = ngx_strlen(name);
    last = args->data + args->len;

    for (p = args->data; p < last; p = end + 1) {

        end = memchr(p, '&', last - p);

        if (end == NULL) {
            end = last;
        }

        if ((size_t) (end - p) < len || ngx_memcmp(p, name, len) != 0
            || (p + len < end && p[len] != '='))
        {
            continue;
        }

        for (n = 0, p += len + 1; p < end; p++) {

            if ((size_t) n == size) {
                return NGX_ERROR;
            }

            c = (*p == '+') ? ' ' : *p;

            if (c == '%' && end - p > 2) {
                high = ngx_status_dialect_hex(p[1]);
                low = ngx_status_dialect_hex(p[2]);

                if (high < 16 && low < 16) {
                    c = high << 4 | low;
                    p += 2;
                }
            }

            value[n++] = (u_char) c;
        }

        return n;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_status_dialect_rid(const u_char *p, size_t len, uint64_t *rid)
{
    size_t      i;
    uint64_t    half[2];
    ngx_uint_t  digit;

    if (len != 36) {
        return NGX_ERROR;
    }

    half[0] = 0;
    half[1] = 0;

    for (i = 0; i < len; i++) {

        if (i == 8 || i == 13 || i == 18 || i == 23) {

            if (p[i] != '-') {
                return NGX_ERROR;
            }

            continue;
        }

        digit = ngx_status_dialect_hex(p[i]);

        if (digit > 15) {
            return NGX_ERROR;
        }

        half[i > 18] = half[i > 18] << 4 | digit;
    }

    /* an odd factor, so that either half makes a difference */
    *rid = half[0] * 0x9e3779b97f4a7c15ULL + half[1];

    if (*rid == 0) {
        *rid = 1;
    }

    return NGX_OK;
}


/* 16: it is none */

static ngx_uint_t
ngx_status_dialect_hex(u_char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c = ngx_tolower(c);

    return (c >= 'a' && c <= 'f') ? (ngx_uint_t) c - 'a' + 10 : 16;
}


ngx_int_t
ngx_status_dialect_ping(const u_char *p, size_t len, uint64_t *us)
{
    double  ms;

    if (ngx_status_dialect_number(p, len, &ms) != len
        || ms > NGX_STATUS_DIALECT_PING)
    {
        return NGX_ERROR;
    }

    *us = (uint64_t) (ms * 1000 + 0.5);

    return NGX_OK;
}


ngx_int_t
ngx_status_dialect_duration(const u_char *p, size_t len, uint64_t *us)
{
    double      number, sum;
    size_t      n;
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        double       us;
    }  units[] = {
        { "ns", 0.001 }, { "us", 1 }, { "\xc2\xb5s", 1 }, { "\xce\xbcs", 1 },
        { "ms", 1000 }, { "s", 1e6 }, { "m", 60e6 }, { "h", 3600e6 },
        { NULL, 0 }
    };

    if (len && *p == '+') {
        p++;
        len--;
    }

    *us = 0;

    if (ngx_status_dialect_is(p, len, "0")) {
        return NGX_OK;
    }

    sum = 0;

    do {
        n = ngx_status_dialect_number(p, len, &number);

        if (n == 0) {
            return NGX_ERROR;
        }

        p += n;
        len -= n;

        for (i = 0; units[i].name; i++) {
            n = ngx_strlen(units[i].name);

            if (n <= len && ngx_memcmp(p, units[i].name, n) == 0) {
                break;
            }
        }

        if (units[i].name == NULL) {
            return NGX_ERROR;
        }

        p += n;
        len -= n;
        sum += number * units[i].us;

    } while (len);

    if (sum > (double) NGX_STATUS_DIALECT_LONGEST) {
        return NGX_ERROR;
    }

    *us = (uint64_t) (sum + 0.5);

    return NGX_OK;
}


/* Digits with or without a point among them; the length, or 0. */

static size_t
ngx_status_dialect_number(const u_char *p, size_t len, double *number)
{
    double      scale;
    size_t      n;
    ngx_uint_t  digits, point;

    *number = 0;
    scale = 1;
    digits = 0;
    point = 0;

    for (n = 0; n < len; n++) {

        if (p[n] == '.' && !point) {
            point = 1;
            continue;
        }

        if (p[n] < '0' || p[n] > '9') {
            break;
        }

        digits = 1;

        if (point) {
            scale /= 10;
            *number += (p[n] - '0') * scale;

        } else {
            *number = *number * 10 + (p[n] - '0');
        }
    }

    return digits ? n : 0;
}
