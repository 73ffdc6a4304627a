
/*
 * Copyright (C) ngx_status_module authors
 *
 * What of a URL may be shown.  Pure; any process.
 */


#ifndef _NGX_STATUS_URL_H_INCLUDED_
#define _NGX_STATUS_URL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * A URL as it may be shown, cut to "size" - 1 bytes: without user:password@,
 * and the values of query arguments whose name sounds like a secret are
 * "***".  NUL-terminated; returns the length.
 */

size_t ngx_status_url_redact(u_char *dst, size_t size, const u_char *url,
    size_t len);

/* Whether a name sounds as if its value were a secret. */
ngx_uint_t ngx_status_secret_name(const u_char *name, size_t len);


#endif /* _NGX_STATUS_URL_H_INCLUDED_ */
