
/*
 * Copyright (C) ngx_status_module authors
 *
 * The growing writer, numbers, and the escaping of HTML, CSV and labels.
 */


#include "ngx_status_out.h"


#define NGX_STATUS_OUT_FIRST  4096
#define NGX_STATUS_OUT_LIMIT  (64 * 1024 * 1024)


static const ngx_str_t  ngx_status_out_entities[] = {
    ngx_null_string,
    ngx_string("&amp;"),
    ngx_string("&lt;"),
    ngx_string("&gt;"),
    ngx_string("&quot;"),
    ngx_string("&#39;")
};

/* the entity of a byte; 0: goes out as it is */
static const uint8_t  ngx_status_out_entity[256] = {
    ['&'] = 1, ['<'] = 2, ['>'] = 3, ['"'] = 4, ['\''] = 5
};


void
ngx_status_out_init(ngx_status_out_t *out, size_t limit)
{
    out->data = NULL;
    out->len = 0;
    out->size = 0;
    out->limit = limit ? limit : NGX_STATUS_OUT_LIMIT;
    out->failed = 0;
}


void
ngx_status_out_free(ngx_status_out_t *out)
{
    free(out->data);
    ngx_status_out_init(out, out->limit);
}


ngx_int_t
ngx_status_out_grow(ngx_status_out_t *out, size_t len)
{
    size_t   size;
    u_char  *data;

    if (out->failed || len > out->limit - out->len) {
        goto failed;
    }

    size = ngx_max(out->size, NGX_STATUS_OUT_FIRST / 2);
    size = (size > out->limit / 2) ? out->limit : size * 2;
    size = ngx_max(size, out->len + len);

    /* one byte more than is told: room for the NUL of vsnprintf() */
    data = realloc(out->data, size + 1);
    if (data == NULL) {
        goto failed;
    }

    out->data = data;
    out->size = size;

    return NGX_OK;

failed:

    /* seemingly full, so that every later write comes here too */
    out->size = out->len;
    out->failed = 1;

    return NGX_ERROR;
}


void
ngx_status_out_int(ngx_status_out_t *out, int64_t n)
{
    u_char     *p, buf[NGX_INT64_LEN];
    uint64_t    u;

    u = (n < 0) ? 0 - (uint64_t) n : (uint64_t) n;
    p = buf + sizeof(buf);

    do {
        *--p = (u_char) ('0' + u % 10);
        u /= 10;
    } while (u);

    if (n < 0) {
        *--p = '-';
    }

    ngx_status_out_raw(out, p, buf + sizeof(buf) - p);
}


char *
ngx_status_decimal(char buf[NGX_STATUS_DECIMAL], uint64_t n,
    ngx_uint_t places, size_t *len)
{
    char  *p, *last;

    last = buf + NGX_STATUS_DECIMAL;
    p = last;

    while (places--) {
        *--p = (char) ('0' + n % 10);
        n /= 10;
    }

    while (last - p > 1 && last[-1] == '0') {
        last--;
    }

    *--p = '.';

    do {
        *--p = (char) ('0' + n % 10);
        n /= 10;
    } while (n);

    *len = last - p;

    return p;
}


void
ngx_status_out_decimal(ngx_status_out_t *out, uint64_t n, ngx_uint_t places)
{
    char    buf[NGX_STATUS_DECIMAL], *p;
    size_t  len;

    p = ngx_status_decimal(buf, n, places, &len);

    ngx_status_out_raw(out, p, len);
}


void
ngx_status_out_printf(ngx_status_out_t *out, const char *fmt, ...)
{
    int      n;
    size_t   room;
    va_list  args;

    room = out->size - out->len;

    va_start(args, fmt);
    n = out->data ? vsnprintf((char *) out->data + out->len, room + 1, fmt,
                              args)
                  : vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    if (n < 0) {
        out->size = out->len;
        out->failed = 1;
        return;
    }

    if ((size_t) n > room) {
        if (ngx_status_out_grow(out, n) != NGX_OK) {
            return;
        }

        va_start(args, fmt);
        (void) vsnprintf((char *) out->data + out->len, (size_t) n + 1, fmt,
                         args);
        va_end(args);
    }

    out->len += n;
}


void
ngx_status_out_html(ngx_status_out_t *out, const u_char *s, size_t len)
{
    const u_char     *p, *last;
    const ngx_str_t  *entity;

    if (len == 0) {
        return;
    }

    p = s;
    last = s + len;

    for ( ;; ) {
        while (p < last && ngx_status_out_entity[*p] == 0) {
            p++;
        }

        ngx_status_out_raw(out, s, p - s);

        if (p == last) {
            return;
        }

        entity = &ngx_status_out_entities[ngx_status_out_entity[*p]];
        ngx_status_out_raw(out, entity->data, entity->len);

        s = ++p;
    }
}


void
ngx_status_out_csv(ngx_status_out_t *out, const u_char *s, size_t len)
{
    size_t  i, from;

    for (i = 0; i < len; i++) {
        if (s[i] == ',' || s[i] == '"' || s[i] == '\r' || s[i] == '\n') {
            break;
        }
    }

    if (i == len) {
        ngx_status_out_raw(out, s, len);
        return;
    }

    ngx_status_out_lit(out, "\"");

    for (i = 0, from = 0; i < len; i++) {
        if (s[i] == '"') {
            /* up to it and with it, and once more from it on */
            ngx_status_out_raw(out, s + from, i + 1 - from);
            from = i;
        }
    }

    ngx_status_out_raw(out, s + from, len - from);
    ngx_status_out_lit(out, "\"");
}


void
ngx_status_out_label(ngx_status_out_t *out, const u_char *s, size_t len)
{
    size_t  i, from;

    for (i = 0, from = 0; i < len; i++) {

        if (s[i] != '\\' && s[i] != '"' && s[i] != LF) {
            continue;
        }

        ngx_status_out_raw(out, s + from, i - from);
        ngx_status_out_lit(out, "\\");
        from = i;

        if (s[i] == LF) {
            ngx_status_out_lit(out, "n");
            from++;
        }
    }

    ngx_status_out_raw(out, s + from, len - from);
}
