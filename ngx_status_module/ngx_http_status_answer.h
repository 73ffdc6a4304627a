
/*
 * Copyright (C) ngx_status_module authors
 *
 * How the handler answers; nobody else includes this.
 */


#ifndef _NGX_HTTP_STATUS_ANSWER_H_INCLUDED_
#define _NGX_HTTP_STATUS_ANSWER_H_INCLUDED_


#include "ngx_http_status_cache.h"


/*
 * Sends what is wanted; "version" is the one that an asset was asked for by,
 * or empty.  Returns what the handler is to return.
 */

ngx_int_t ngx_http_status_answer(ngx_http_request_t *r,
    ngx_http_status_loc_conf_t *lcf, const ngx_http_status_want_t *want,
    const ngx_str_t *version);

/* Likewise an error, in JSON; one that is none of ours is returned as it is. */
ngx_int_t ngx_http_status_refuse(ngx_http_request_t *r, ngx_int_t rc);


#endif /* _NGX_HTTP_STATUS_ANSWER_H_INCLUDED_ */
