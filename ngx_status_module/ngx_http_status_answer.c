
/*
 * Copyright (C) ngx_status_module authors
 *
 * Answers to requests, out of memory: headers and bodies.
 */


#include "ngx_http_status_answer.h"


static ngx_int_t ngx_http_status_headers(ngx_http_request_t *r,
    ngx_http_status_body_t *body, const ngx_http_status_want_t *want,
    const ngx_str_t *version);


static const ngx_http_status_header_t  ngx_http_status_vary_accept =
    { ngx_string("Vary"), ngx_string("Accept") };

#if (NGX_HTTP_GZIP)
static const ngx_http_status_header_t  ngx_http_status_vary =
    { ngx_string("Vary"), ngx_string("Accept-Encoding") };
#endif

static const ngx_http_status_header_t  ngx_http_status_gzip =
    { ngx_string("Content-Encoding"), ngx_string("gzip") };

static const ngx_http_status_header_t  ngx_http_status_no_cache =
    { ngx_string("Cache-Control"), ngx_string("no-cache") };

static const ngx_http_status_header_t  ngx_http_status_immutable =
    { ngx_string("Cache-Control"),
      ngx_string("public, max-age=31536000, immutable") };

static const ngx_http_status_header_t  ngx_http_status_nosniff =
    { ngx_string("X-Content-Type-Options"), ngx_string("nosniff") };

static const ngx_http_status_header_t  ngx_http_status_referrer =
    { ngx_string("Referrer-Policy"), ngx_string("no-referrer") };

static const ngx_http_status_header_t  ngx_http_status_policy =
    { ngx_string("Content-Security-Policy"),
      ngx_string("default-src 'none'; style-src 'self'; script-src 'self'; "
                 "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
                 "form-action 'none'; frame-ancestors 'self'") };


ngx_int_t
ngx_http_status_answer(ngx_http_request_t *r, ngx_http_status_loc_conf_t *lcf,
    const ngx_http_status_want_t *want, const ngx_str_t *version)
{
    ngx_uint_t               gzip;
    ngx_http_status_body_t  *body;

    gzip = 0;

#if (NGX_HTTP_GZIP)
    gzip = (ngx_http_gzip_ok(r) == NGX_OK);
#endif

    body = ngx_http_status_cache_get(lcf, want, gzip, r->pool,
                                     r->connection->log);
    if (body == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;

    if (lcf->unhealthy && body->unhealthy) {
        r->headers_out.status = lcf->unhealthy;
    }

    r->headers_out.content_type = body->content_type;
    r->headers_out.content_type_len = body->type_len;
    r->headers_out.content_type_lowcase = NULL;

    if (ngx_http_status_headers(r, body, want, version) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_status_send(r, &body->data);
}


static ngx_int_t
ngx_http_status_headers(ngx_http_request_t *r, ngx_http_status_body_t *body,
    const ngx_http_status_want_t *want, const ngx_str_t *version)
{
    ngx_uint_t                       i, n;
    ngx_http_status_header_t         etag;
    const ngx_http_status_header_t  *headers[6];
#if (NGX_HTTP_GZIP)
    ngx_http_core_loc_conf_t        *clcf;
#endif

    /* a subrequest's headers go nowhere */

    if (r != r->main) {
        return NGX_OK;
    }

    ngx_str_set(&etag.key, "ETag");
    etag.value = body->etag;

    r->headers_out.etag = ngx_http_status_header(r, &etag);
    if (r->headers_out.etag == NULL) {
        return NGX_ERROR;
    }

    if (body->gzip) {
        r->headers_out.content_encoding = ngx_http_status_header(r,
                                                      &ngx_http_status_gzip);
        if (r->headers_out.content_encoding == NULL) {
            return NGX_ERROR;
        }
    }

    n = 0;
    headers[n++] = &ngx_http_status_nosniff;

    if (want->asset && version->len == 16
        && ngx_memcmp(version->data, want->asset->hash, 16) == 0)
    {
        headers[n++] = &ngx_http_status_immutable;

    } else {
        headers[n++] = &ngx_http_status_no_cache;
    }

    if (want->format == &ngx_status_format_html) {
        headers[n++] = &ngx_http_status_policy;
        headers[n++] = &ngx_http_status_referrer;
    }

    if (want->format == &ngx_status_format_metrics
        || want->format == &ngx_status_format_openmetrics)
    {
        headers[n++] = &ngx_http_status_vary_accept;
    }

#if (NGX_HTTP_GZIP)

    /* with "gzip_vary on" nginx writes the header itself, once */

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    r->gzip_vary = 1;

    if (!clcf->gzip_vary) {
        headers[n++] = &ngx_http_status_vary;
    }

#endif

    for (i = 0; i < n; i++) {
        if (ngx_http_status_header(r, headers[i]) == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_status_refuse(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_str_t  data;

    switch (rc) {

    case NGX_HTTP_BAD_REQUEST:
        ngx_str_set(&data, "{\"version\":1,"
                           "\"error\":\"malformed argument\"}\n");
        break;

    case NGX_HTTP_NOT_FOUND:
        ngx_str_set(&data, "{\"version\":1,"
                           "\"error\":\"no such team, group or check\"}\n");
        break;

    case NGX_HTTP_NOT_ALLOWED:
        ngx_str_set(&data, "{\"version\":1,"
                           "\"error\":\"method not allowed\"}\n");
        break;

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        ngx_str_set(&data, "{\"version\":1,"
                           "\"error\":\"no result that is up to date\"}\n");
        break;

    default:
        return rc;
    }

    r->headers_out.status = rc;
    r->headers_out.content_type = ngx_status_format_json.content_type;
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    if (ngx_http_status_header(r, &ngx_http_status_no_cache) == NULL
        || ngx_http_status_header(r, &ngx_http_status_nosniff) == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_status_send(r, &data);
}


ngx_table_elt_t *
ngx_http_status_header(ngx_http_request_t *r,
    const ngx_http_status_header_t *header)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
    h->key = header->key;
    h->value = header->value;
    h->lowcase_key = NULL;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return h;
}


ngx_int_t
ngx_http_status_send(ngx_http_request_t *r, const ngx_str_t *data)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.content_length_n = data->len;
    r->headers_out.last_modified_time = -1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = data->data;
    b->last = data->data + data->len;
    b->memory = (data->len != 0);
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
