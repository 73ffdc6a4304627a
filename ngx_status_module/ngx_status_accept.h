
/*
 * Copyright (C) ngx_status_module authors
 *
 * What a client makes of a media type.  Pure.
 */


#ifndef _NGX_STATUS_ACCEPT_H_INCLUDED_
#define _NGX_STATUS_ACCEPT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The weight, 0 to 1000, that the value of an Accept header [RFC 9110 12.5.1]
 * gives to "type/subtype; version=VERSION", by the most specific of the
 * ranges that it falls into.  A range of another version is another type.
 */

ngx_uint_t ngx_status_accept(const ngx_str_t *accept, const char *type,
    const char *subtype, const char *version);


#endif /* _NGX_STATUS_ACCEPT_H_INCLUDED_ */
