
/*
 * Copyright (C) ngx_status_module authors
 *
 * What LDAP's messages are made of [X.690], as far as two files need it.
 */


#ifndef _NGX_STATUS_BER_H_INCLUDED_
#define _NGX_STATUS_BER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * A length of the definite form, of at most 32 bits; "p" is behind it then.
 * NGX_AGAIN: it is not all there.
 */

static ngx_inline ngx_int_t
ngx_status_ber_length(const u_char **p, const u_char *last, size_t *length)
{
    ngx_uint_t  n;

    if (*p == last) {
        return NGX_AGAIN;
    }

    n = *(*p)++;

    if (n < 0x80) {
        *length = n;
        return NGX_OK;
    }

    n &= 0x7f;

    if (n == 0 || n > 4) {
        return NGX_ERROR;
    }

    if ((size_t) (last - *p) < n) {
        return NGX_AGAIN;
    }

    for (*length = 0; n; n--) {
        *length = *length << 8 | *(*p)++;
    }

    return NGX_OK;
}


#endif /* _NGX_STATUS_BER_H_INCLUDED_ */
