
/*
 * Copyright (C) ngx_status_module authors
 *
 * Private to ngx_status_dialect*.c: values in a request.
 */


#ifndef _NGX_STATUS_DIALECT_VALUE_H_INCLUDED_
#define _NGX_STATUS_DIALECT_VALUE_H_INCLUDED_


#include "ngx_status_dialect.h"


#define ngx_status_dialect_is(p, n, text)                                    \
    ((n) == sizeof(text) - 1 && ngx_memcmp(p, text, sizeof(text) - 1) == 0)


/*
 * The length of an argument's value, decoded.  NGX_DECLINED: it is not there;
 * NGX_ERROR: it is longer than "size", which is full of its begin.
 */

ngx_int_t ngx_status_dialect_arg(const ngx_str_t *args, const char *name,
    u_char *value, size_t size);


/*
 * NGX_ERROR: that is none.  A UUID in its usual form, of which 64 bits of a
 * hash do; milliseconds, as Uptime Kuma has them; "1h2m3.5s", as Go writes
 * durations.
 */

ngx_int_t ngx_status_dialect_rid(const u_char *p, size_t len, uint64_t *rid);
ngx_int_t ngx_status_dialect_ping(const u_char *p, size_t len, uint64_t *us);
ngx_int_t ngx_status_dialect_duration(const u_char *p, size_t len,
    uint64_t *us);


#endif /* _NGX_STATUS_DIALECT_VALUE_H_INCLUDED_ */
