
/*
 * Copyright (C) ngx_status_module authors
 *
 * Requests that bring a heartbeat: from the token to the check, from the
 * body to a few words, from there into the inbox.  Nothing is waited for but
 * the body, and no file is touched.
 */


#include "ngx_http_status.h"
#include "ngx_status_clock.h"
#include "ngx_status_dialect.h"


typedef struct {
    ngx_status_heartbeat_t      heartbeat;
    ngx_status_check_t         *check;   /* NULL: none has the token */
} ngx_http_status_push_ctx_t;


/* What each of the clients is used to be answered. */

typedef struct {
    ngx_uint_t                  methods;
    ngx_http_status_header_t    allow;
    ngx_str_t                   type;
    ngx_str_t                   ok;
    const char                 *problem; /* with "%s" for a sentence */
    ngx_uint_t                  unknown; /* HTTP status for a wrong token */
    const char                 *why;
} ngx_http_status_push_answer_t;


static void ngx_http_status_push_parse(ngx_http_request_t *r,
    ngx_status_heartbeat_t *hb);
static ngx_int_t ngx_http_status_push_path(ngx_http_request_t *r,
    const ngx_status_heartbeat_t *hb, ngx_str_t *path);
static ngx_status_check_t *ngx_http_status_push_check(
    const ngx_status_monitor_t *monitor, ngx_status_heartbeat_t *hb);
static void ngx_http_status_push_read(ngx_http_request_t *r);
static void ngx_http_status_push_body(ngx_http_request_t *r,
    ngx_status_heartbeat_t *hb);
static ngx_int_t ngx_http_status_push_done(ngx_http_request_t *r);
static ngx_int_t ngx_http_status_push_answer(ngx_http_request_t *r,
    ngx_uint_t status, const char *problem);


/* by ngx_status_dialect_e */

static const ngx_http_status_push_answer_t  ngx_http_status_push_answers[] = {

    { NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST,
      { ngx_string("Allow"), ngx_string("GET, HEAD, POST") },
      ngx_string("text/plain; charset=utf-8"),
      ngx_string("OK"), "%s", NGX_HTTP_NOT_FOUND, "not found" },

    { NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST|NGX_HTTP_PUT|NGX_HTTP_PATCH,
      { ngx_string("Allow"), ngx_string("GET, HEAD, POST, PUT, PATCH") },
      ngx_string("application/json; charset=utf-8"),
      ngx_string("{\"ok\":true}"), "{\"ok\":false,\"msg\":\"%s\"}",
      NGX_HTTP_NOT_FOUND, "Monitor not found or not active." },

    { NGX_HTTP_POST,
      { ngx_string("Allow"), ngx_string("POST") },
      ngx_string("text/plain; charset=utf-8"),
      ngx_string(""), "%s", NGX_HTTP_UNAUTHORIZED, "invalid token" }
};

static const ngx_http_status_header_t  ngx_http_status_push_limit =
    { ngx_string("Ping-Body-Limit"), ngx_string("200") };

static const ngx_http_status_header_t  ngx_http_status_push_retry =
    { ngx_string("Retry-After"), ngx_string("1") };

static const ngx_http_status_header_t  ngx_http_status_push_bearer =
    { ngx_string("WWW-Authenticate"), ngx_string("Bearer") };

static const ngx_http_status_header_t  ngx_http_status_push_no_store =
    { ngx_string("Cache-Control"), ngx_string("no-store") };


/*
 * Lines of the error log hold the request, those of the access log mostly,
 * too.  The path is left for rules of the location to look at.
 */

ngx_int_t
ngx_http_status_push_mask(ngx_http_request_t *r)
{
    u_char                      *p;
    ngx_str_t                    path, line;
    ngx_status_heartbeat_t       hb;
    ngx_http_status_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_status_module);

    if (lcf->kind != NGX_HTTP_STATUS_PUSH || r != r->main) {
        return NGX_DECLINED;
    }

    ngx_http_status_push_parse(r, &hb);

    if (ngx_http_status_push_path(r, &hb, &path) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    line.data = ngx_pnalloc(r->pool, r->method_name.len + path.len
                                     + r->args.len + r->http_protocol.len
                                     + sizeof(" ? ") - 1);
    if (line.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(line.data, r->method_name.data, r->method_name.len);
    *p++ = ' ';

    r->unparsed_uri.data = p;
    p = ngx_cpymem(p, path.data, path.len);

    if (r->args.len) {
        *p++ = '?';
        p = ngx_cpymem(p, r->args.data, r->args.len);
    }

    r->unparsed_uri.len = p - r->unparsed_uri.data;

    if (r->http_protocol.len) {
        *p++ = ' ';
        p = ngx_cpymem(p, r->http_protocol.data, r->http_protocol.len);
    }

    line.len = p - line.data;
    r->request_line = line;

    return NGX_DECLINED;
}


/* Now the path as well; and all of it, if nginx itself refused the request
 * before the first phase of a location. */

ngx_int_t
ngx_http_status_push_log(ngx_http_request_t *r)
{
    ngx_str_t                    path;
    ngx_status_heartbeat_t       hb;
    ngx_http_status_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_status_module);

    if (lcf->kind == NGX_HTTP_STATUS_PUSH) {
        (void) ngx_http_status_push_mask(r);

        ngx_http_status_push_parse(r, &hb);

        if (ngx_http_status_push_path(r, &hb, &path) == NGX_OK) {
            r->uri = path;
        }
    }

    return NGX_OK;
}


static void
ngx_http_status_push_parse(ngx_http_request_t *r, ngx_status_heartbeat_t *hb)
{
    ngx_str_t                  authorization;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    ngx_str_null(&authorization);

    if (r->headers_in.authorization) {
        authorization = r->headers_in.authorization->value;
    }

    ngx_status_dialect_parse(hb, &r->uri, clcf->name.len, &r->args,
                             &authorization);
}


/* The path without the token; as it is decoded, it may hold anything. */

static ngx_int_t
ngx_http_status_push_path(ngx_http_request_t *r,
    const ngx_status_heartbeat_t *hb, ngx_str_t *path)
{
    u_char  *p, *last;

    static const ngx_str_t  mask = ngx_string("***");

    path->data = ngx_pnalloc(r->pool,
                             hb->head.len + mask.len + hb->tail.len);
    if (path->data == NULL) {
        return NGX_ERROR;
    }

    last = ngx_cpymem(path->data, hb->head.data, hb->head.len);

    if (hb->dialect != NGX_STATUS_DIALECT_GATUS) {
        last = ngx_cpymem(last, mask.data, mask.len);
        last = ngx_cpymem(last, hb->tail.data, hb->tail.len);
    }

    path->len = last - path->data;

    for (p = path->data; p < last; p++) {
        if (*p < ' ' || *p == '"' || *p == 0x7f) {
            *p = '?';
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_status_push(ngx_http_request_t *r)
{
    ngx_int_t                             rc;
    ngx_status_heartbeat_t               *hb;
    ngx_http_status_loc_conf_t           *lcf;
    ngx_http_status_push_ctx_t           *ctx;
    const ngx_http_status_push_answer_t  *answer;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_status_module);

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_status_push_ctx_t));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_status_module);

    hb = &ctx->heartbeat;
    ngx_http_status_push_parse(r, hb);

    answer = &ngx_http_status_push_answers[hb->dialect];

    ctx->check = ngx_http_status_push_check(lcf->monitor, hb);

    if (!(r->method & answer->methods)) {

        if (ngx_http_status_header(r, &answer->allow) == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ctx->check = NULL;
        hb->status = NGX_HTTP_NOT_ALLOWED;
        hb->problem = "method not allowed";

    } else if (ctx->check == NULL
               && (hb->status == NGX_HTTP_OK
                   || hb->dialect != NGX_STATUS_DIALECT_GATUS))
    {
        hb->status = answer->unknown;
        hb->problem = answer->why;
    }

    if (hb->status != NGX_HTTP_OK) {
        rc = ngx_http_discard_request_body(r);

        return rc == NGX_OK ? ngx_http_status_push_done(r) : rc;
    }

    /* in pieces, each of which is forgotten before the next: what is too
     * much for a buffer would else become a file */

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_status_push_read);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


static ngx_status_check_t *
ngx_http_status_push_check(const ngx_status_monitor_t *monitor,
    ngx_status_heartbeat_t *hb)
{
    ngx_uint_t           n;
    ngx_status_check_t  *check;

    if (monitor->npushed == 0) {
        return NULL;
    }

    /* a wrong token goes all of the way, too */

    n = ngx_status_dialect_find(hb->token, monitor->tokens, monitor->npushed);
    check = monitor->checks[monitor->pushed[n ? n - 1 : 0]];

    if (n == 0) {
        return NULL;
    }

    if (hb->key.len
        && !ngx_status_dialect_key(&hb->key, &check->group, &check->id))
    {
        /* who has a token may be told what is wrong */

        if (hb->status == NGX_HTTP_OK) {
            hb->status = NGX_HTTP_NOT_FOUND;
            hb->problem = "not found";
        }

        return NULL;
    }

    return check;
}


static void
ngx_http_status_push_read(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_status_push_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_status_module);

    for ( ;; ) {
        ngx_http_status_push_body(r, &ctx->heartbeat);

        if (!r->reading_body) {
            break;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            ngx_http_finalize_request(r, rc);
            return;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            r->read_event_handler = ngx_http_status_push_read;
            return;
        }
    }

    r->read_event_handler = ngx_http_block_reading;

    ngx_http_finalize_request(r, ngx_http_status_push_done(r));
}


static void
ngx_http_status_push_body(ngx_http_request_t *r, ngx_status_heartbeat_t *hb)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *next;

    if (r->request_body == NULL) {
        return;
    }

    for (cl = r->request_body->bufs; cl; cl = next) {
        next = cl->next;
        b = cl->buf;

        /* in a file: another module has read it before */

        if (ngx_buf_in_memory(b)) {
            ngx_status_dialect_body(hb, b->pos, b->last - b->pos);
            b->pos = b->last;
        }

        ngx_free_chain(r->pool, cl);
    }

    r->request_body->bufs = NULL;
}


static ngx_int_t
ngx_http_status_push_done(ngx_http_request_t *r)
{
    ngx_status_push_t           *push;
    ngx_status_heartbeat_t      *hb;
    ngx_http_status_loc_conf_t  *lcf;
    ngx_http_status_push_ctx_t  *ctx;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_status_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_status_module);

    hb = &ctx->heartbeat;
    push = &hb->push;

    if (hb->status == NGX_HTTP_OK) {
        ngx_status_dialect_end(hb);

        push->at = ngx_status_now();

        if (ngx_status_inbox_put(lcf->monitor->inbox, &ctx->check->id, push)
            != NGX_OK)
        {
            ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                          "too many heartbeats of check \"%V\" wait for the "
                          "checker", &ctx->check->id);

            hb->status = NGX_HTTP_SERVICE_UNAVAILABLE;
            hb->problem = "too many heartbeats, try again";
        }
    }

    return ngx_http_status_push_answer(r, hb->status, hb->problem);
}


static ngx_int_t
ngx_http_status_push_answer(ngx_http_request_t *r, ngx_uint_t status,
    const char *problem)
{
    ngx_str_t                             data;
    ngx_http_status_push_ctx_t           *ctx;
    const ngx_http_status_push_answer_t  *answer;

    ctx = ngx_http_get_module_ctx(r, ngx_http_status_module);
    answer = &ngx_http_status_push_answers[ctx->heartbeat.dialect];

    data = answer->ok;

    if (status != NGX_HTTP_OK) {
        data.data = ngx_pnalloc(r->pool, NGX_STATUS_MESSAGE);
        if (data.data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        data.len = ngx_snprintf(data.data, NGX_STATUS_MESSAGE,
                                answer->problem, problem)
                   - data.data;
    }

    r->headers_out.status = status;
    r->headers_out.content_type = answer->type;
    r->headers_out.content_type_len = answer->type.len;
    r->headers_out.content_type_lowcase = NULL;

    if (ngx_http_status_header(r, &ngx_http_status_push_no_store) == NULL
        || (status == NGX_HTTP_UNAUTHORIZED
            && ngx_http_status_header(r, &ngx_http_status_push_bearer)
               == NULL)
        || (status == NGX_HTTP_SERVICE_UNAVAILABLE
            && ngx_http_status_header(r, &ngx_http_status_push_retry) == NULL)
        || (status == NGX_HTTP_OK
            && ctx->heartbeat.dialect == NGX_STATUS_DIALECT_HEALTHCHECKS
            && ngx_http_status_header(r, &ngx_http_status_push_limit)
               == NULL))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_status_send(r, &data);
}
