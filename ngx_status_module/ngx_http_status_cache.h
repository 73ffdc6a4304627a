
/*
 * Copyright (C) ngx_status_module authors
 *
 * What a location has answered lately: rendered once a change of the
 * snapshot, kept with a gzip copy, and sent from there.
 */


#ifndef _NGX_HTTP_STATUS_CACHE_H_INCLUDED_
#define _NGX_HTTP_STATUS_CACHE_H_INCLUDED_


#include "ngx_http_status.h"


/* What a request is for: either a format with what it asks, or an asset. */

typedef struct {
    const ngx_status_format_t  *format;
    ngx_status_ask_t            ask;
    const ngx_status_asset_t   *asset;
} ngx_http_status_want_t;


/*
 * An answer.  It belongs to all who count in "refs": the cache, and each
 * request that is sending it, however slow its client is.
 */

typedef struct {
    ngx_uint_t                  refs;
    ngx_str_t                   data;
    ngx_str_t                   content_type;
    ngx_uint_t                  type_len;        /* without parameters */
    ngx_uint_t                  gzip;            /* data is */
    ngx_uint_t                  unhealthy;       /* down, or checker dead */
    ngx_str_t                   etag;            /* with its quotes */
    u_char                      etag_data[sizeof("\"0123456789abcdef-gz\"")];
    ngx_status_out_t            out;             /* owns data, or is empty */
} ngx_http_status_body_t;


/*
 * The answer, with a reference for "pool", which gives it back.  With
 * "gzip" the compressed copy, unless there is no memory for it.  NULL on an
 * error, which was logged.
 */

ngx_http_status_body_t *ngx_http_status_cache_get(
    ngx_http_status_loc_conf_t *lcf, const ngx_http_status_want_t *want,
    ngx_uint_t gzip, ngx_pool_t *pool, ngx_log_t *log);


#endif /* _NGX_HTTP_STATUS_CACHE_H_INCLUDED_ */
