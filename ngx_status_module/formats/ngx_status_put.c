
/*
 * Copyright (C) ngx_status_module authors
 *
 * Members of JSON by way of yajl, which does the commas and the escaping.
 */


#include "../ngx_status_types.h"
#include "ngx_status_put.h"
#include <math.h>
#include <time.h>


/* the last second of the year 9999 */
#define NGX_STATUS_PUT_END  253402300799


static void ngx_status_put_print(void *ctx, const char *s, size_t len);
static void ngx_status_put_key(ngx_status_put_t *j, const char *key);


ngx_int_t
ngx_status_put_init(ngx_status_put_t *j, ngx_status_out_t *out)
{
    j->out = out;
    j->day = -1;

    j->gen = yajl_gen_alloc(NULL);
    if (j->gen == NULL) {
        out->failed = 1;
        return NGX_ERROR;
    }

    (void) yajl_gen_config(j->gen, yajl_gen_print_callback,
                           ngx_status_put_print, out);
    (void) yajl_gen_config(j->gen, yajl_gen_validate_utf8, 1);

    return NGX_OK;
}


void
ngx_status_put_done(ngx_status_put_t *j)
{
    ngx_status_out_lit(j->out, "\n");
    yajl_gen_free(j->gen);
}


static void
ngx_status_put_print(void *ctx, const char *s, size_t len)
{
    ngx_status_out_raw(ctx, s, len);
}


static void
ngx_status_put_key(ngx_status_put_t *j, const char *key)
{
    if (key) {
        (void) yajl_gen_string(j->gen, (u_char *) key, strlen(key));
    }
}


void
ngx_status_put_open(ngx_status_put_t *j, const char *key)
{
    ngx_status_put_key(j, key);
    (void) yajl_gen_map_open(j->gen);
}


void
ngx_status_put_close(ngx_status_put_t *j)
{
    (void) yajl_gen_map_close(j->gen);
}


void
ngx_status_put_array(ngx_status_put_t *j, const char *key)
{
    ngx_status_put_key(j, key);
    (void) yajl_gen_array_open(j->gen);
}


void
ngx_status_put_end(ngx_status_put_t *j)
{
    (void) yajl_gen_array_close(j->gen);
}


void
ngx_status_put_null(ngx_status_put_t *j, const char *key)
{
    ngx_status_put_key(j, key);
    (void) yajl_gen_null(j->gen);
}


void
ngx_status_put_bool(ngx_status_put_t *j, const char *key,
    ngx_uint_t flag)
{
    ngx_status_put_key(j, key);
    (void) yajl_gen_bool(j->gen, flag != 0);
}


void
ngx_status_put_int(ngx_status_put_t *j, const char *key, ngx_uint_t n)
{
    ngx_status_put_key(j, key);
    (void) yajl_gen_integer(j->gen, n);
}


void
ngx_status_put_word(ngx_status_put_t *j, const char *key,
    const ngx_str_t *word)
{
    ngx_status_put_key(j, key);
    (void) yajl_gen_string(j->gen, word->data, word->len);
}


void
ngx_status_put_state(ngx_status_put_t *j, const char *key,
    ngx_uint_t state)
{
    ngx_status_put_word(j, key, &ngx_status_states[
                     state < NGX_STATUS_NSTATES ? state : NGX_STATUS_UNKNOWN]
                     .name);
}


void
ngx_status_put_level(ngx_status_put_t *j, const char *key,
    ngx_uint_t level)
{
    ngx_status_put_word(j, key, &ngx_status_levels[
                   level < NGX_STATUS_NLEVELS ? level : NGX_STATUS_NEUTRAL]);
}


/* Text of the configuration, of whatever encoding; empty is absent. */

void
ngx_status_put_text(ngx_status_put_t *j, const char *key, const void *s,
    size_t len)
{
    char  clean[1024];

    ngx_status_put_key(j, key);

    if (len == 0) {
        (void) yajl_gen_null(j->gen);
        return;
    }

    if (yajl_gen_string(j->gen, s, len) == yajl_gen_invalid_string) {
        ngx_status_text_copy(clean, sizeof(clean), s, len);
        (void) yajl_gen_string(j->gen, (u_char *) clean, strlen(clean));
    }
}


void
ngx_status_put_message(ngx_status_put_t *j, const char *key,
    const char *s)
{
    ngx_status_put_key(j, key);
    (void) yajl_gen_string(j->gen, (u_char *) s,
                           strnlen(s, NGX_STATUS_MESSAGE));
}


void
ngx_status_put_time(ngx_status_put_t *j, const char *key, int64_t ms)
{
    u_char     *p, buf[20];
    time_t      s;
    ngx_uint_t  i, n;
    struct tm   tm;

    s = ms / 1000;

    if (ms <= 0 || s > NGX_STATUS_PUT_END) {
        ngx_status_put_null(j, key);
        return;
    }

    /* nearly all times of a document are of one day */

    if (s / 86400 != j->day) {
        j->day = s / 86400;

        gmtime_r(&s, &tm);
        snprintf(j->date, sizeof(j->date), "%04u-%02u-%02uT",
                 (unsigned) (tm.tm_year + 1900) % 10000,
                 (unsigned) (tm.tm_mon + 1) % 100,
                 (unsigned) tm.tm_mday % 100);
    }

    memcpy(buf, j->date, sizeof("2026-11-21T") - 1);
    p = buf + sizeof("2026-11-21T") - 1;

    n = s % 86400;

    for (i = 3600; i; i /= 60) {
        *p++ = '0' + n / i % 60 / 10;
        *p++ = '0' + n / i % 60 % 10;
        *p++ = (i == 1) ? 'Z' : ':';
    }

    ngx_status_put_key(j, key);
    (void) yajl_gen_string(j->gen, buf, sizeof(buf));
}


void
ngx_status_put_decimal(ngx_status_put_t *j, const char *key,
    uint64_t n, ngx_uint_t places)
{
    char    buf[NGX_STATUS_DECIMAL], *p;
    size_t  len;

    p = ngx_status_decimal(buf, n, places, &len);

    ngx_status_put_key(j, key);
    (void) yajl_gen_number(j->gen, p, len);
}


void
ngx_status_put_real(ngx_status_put_t *j, const char *key, double n)
{
    int   len;
    char  buf[32];

    if (!isfinite(n)) {
        ngx_status_put_null(j, key);
        return;
    }

    /* ten digits tell scores apart and hide what binary fractions add */

    len = snprintf(buf, sizeof(buf), "%.10g", n);

    ngx_status_put_key(j, key);
    (void) yajl_gen_number(j->gen, buf, len);
}
