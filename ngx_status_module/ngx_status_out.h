
/*
 * Copyright (C) ngx_status_module authors
 *
 * The one growing writer of every output format, and the one escaping
 * function of each.  There is no size pass: a text grows until its limit.
 * Pure; memory comes from malloc(), because an output outlives requests.
 */


#ifndef _NGX_STATUS_OUT_H_INCLUDED_
#define _NGX_STATUS_OUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    u_char      *data;           /* owned; free with ngx_status_out_free() */
    size_t       len;            /* bytes written */
    size_t       size;           /* bytes that fit before it must grow; once
                                    "failed", no more than "len" */
    size_t       limit;          /* bytes at most; beyond it "failed" is set */
    ngx_uint_t   failed;         /* no memory or over the limit; sticky */
} ngx_status_out_t;


/* limit 0 means 64 MB.  Nothing is allocated before the first byte. */
void ngx_status_out_init(ngx_status_out_t *out, size_t limit);
void ngx_status_out_free(ngx_status_out_t *out);

/* The slow half of ngx_status_out_raw(); makes room for "len" more bytes. */
ngx_int_t ngx_status_out_grow(ngx_status_out_t *out, size_t len);

/* After any of these "failed" is the only error report.  What does not fit
 * as a whole is not written at all. */

static ngx_inline void
ngx_status_out_raw(ngx_status_out_t *out, const void *data, size_t len)
{
    if (len == 0) {
        return;                  /* "data" may be NULL, which memcpy() bars */
    }

    if (len > out->size - out->len && ngx_status_out_grow(out, len) != NGX_OK) {
        return;
    }

    memcpy(out->data + out->len, data, len);
    out->len += len;
}

/* Decimal digits, many times as fast as printf: charts and JSON are full of
 * them. */
void ngx_status_out_int(ngx_status_out_t *out, int64_t n);

/*
 * n / 10^places, without the zeros at the end but for a first one, in the
 * same way.  decimal() puts it at the end of "buf" and returns its begin.
 */

#define NGX_STATUS_DECIMAL  (NGX_INT64_LEN + 8)

char *ngx_status_decimal(char buf[NGX_STATUS_DECIMAL], uint64_t n,
    ngx_uint_t places, size_t *len);
void ngx_status_out_decimal(ngx_status_out_t *out, uint64_t n,
    ngx_uint_t places);

void ngx_status_out_printf(ngx_status_out_t *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* & < > " ' for text and for quoted attributes [HTML 13.1.2.3] */
void ngx_status_out_html(ngx_status_out_t *out, const u_char *s, size_t len);

/* one field, in quotes where it needs them [RFC 4180 2] */
void ngx_status_out_csv(ngx_status_out_t *out, const u_char *s, size_t len);

/* \ " and LF for a label of metrics, in the quotes around it */
void ngx_status_out_label(ngx_status_out_t *out, const u_char *s, size_t len);

#define ngx_status_out_lit(out, s)                                           \
    ngx_status_out_raw(out, s, sizeof(s) - 1)


#endif /* _NGX_STATUS_OUT_H_INCLUDED_ */
