
/*
 * Copyright (C) ngx_status_module authors
 *
 * Writes JSON into an output, member by member.  "key" is NULL for an
 * element of an array and for the document itself; keys, words and messages
 * are UTF-8 already.
 */


#ifndef _NGX_STATUS_PUT_H_INCLUDED_
#define _NGX_STATUS_PUT_H_INCLUDED_


#include <yajl_gen.h>

#include "../ngx_status_out.h"


typedef struct {
    yajl_gen           gen;
    ngx_status_out_t  *out;

    /* of the last time that was written */
    time_t             day;
    char               date[sizeof("2026-11-21T")];
} ngx_status_put_t;


/* done() ends the document and frees the generator; NGX_ERROR sets failed. */
ngx_int_t ngx_status_put_init(ngx_status_put_t *j, ngx_status_out_t *out);
void ngx_status_put_done(ngx_status_put_t *j);

void ngx_status_put_open(ngx_status_put_t *j, const char *key);
void ngx_status_put_close(ngx_status_put_t *j);
void ngx_status_put_array(ngx_status_put_t *j, const char *key);
void ngx_status_put_end(ngx_status_put_t *j);

void ngx_status_put_null(ngx_status_put_t *j, const char *key);
void ngx_status_put_bool(ngx_status_put_t *j, const char *key,
    ngx_uint_t flag);
void ngx_status_put_int(ngx_status_put_t *j, const char *key, ngx_uint_t n);
void ngx_status_put_word(ngx_status_put_t *j, const char *key,
    const ngx_str_t *word);
void ngx_status_put_state(ngx_status_put_t *j, const char *key,
    ngx_uint_t state);
void ngx_status_put_level(ngx_status_put_t *j, const char *key,
    ngx_uint_t level);

/* text of the configuration, of whatever encoding; empty is null */
void ngx_status_put_text(ngx_status_put_t *j, const char *key, const void *s,
    size_t len);
/* NUL-terminated, or NGX_STATUS_MESSAGE bytes; empty is "" */
void ngx_status_put_message(ngx_status_put_t *j, const char *key,
    const char *s);
/* ms since the epoch; 0 is null */
void ngx_status_put_time(ngx_status_put_t *j, const char *key, int64_t ms);
/* n / 10^places, without the zeros at the end but for a first one */
void ngx_status_put_decimal(ngx_status_put_t *j, const char *key, uint64_t n,
    ngx_uint_t places);
/* NAN is null */
void ngx_status_put_real(ngx_status_put_t *j, const char *key, double n);

/* us as ms */
#define ngx_status_put_us(j, key, n)  ngx_status_put_decimal(j, key, n, 3)


#endif /* _NGX_STATUS_PUT_H_INCLUDED_ */
