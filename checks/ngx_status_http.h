
/*
 * Copyright (C) ngx_status_module authors
 *
 * What the files of the type "http" share; nobody else includes this.
 */


#ifndef _NGX_STATUS_HTTP_H_INCLUDED_
#define _NGX_STATUS_HTTP_H_INCLUDED_


#include "ngx_status_curl.h"
#include "ngx_status_easy.h"
#include "ngx_status_probe.h"
#include "ngx_status_resolve.h"
#include "../ngx_status_module/ngx_status_loop.h"


#define NGX_STATUS_HTTP_HEADER   65536   /* bytes of one answer's header */
#define NGX_STATUS_HTTP_CONNECT  8192    /* of a proxy's answer to CONNECT */
#define NGX_STATUS_HTTP_MATCH    32768   /* bytes of JSON in one go */
#define NGX_STATUS_HTTP_AGAIN    50      /* ms, when too many look already,
                                            or ponder */
#define NGX_STATUS_HTTP_SOON     1       /* ms; with 0 nginx calls at once */


/*
 * What is asked for and by whom: the check's, or score_history's.  All that is
 * not set is NULL.
 */

typedef struct {
    const char                *url;      /* libcurl's: of http and https, and
                                            without credentials */
    const char                *host;     /* of it; no brackets */
    const char                *socket;   /* path of a unix socket */
    const char                *user;
    const char                *password;
    const char                *bearer;
    uint32_t                   name;     /* hash of what is to be resolved; 0:
                                            nothing */
} ngx_status_http_target_t;


/* Made by conf(); what it points to is libcurl's to read only. */

typedef struct {
    ngx_status_http_target_t   target;
    ngx_status_http_target_t   series;   /* url NULL: no score_history */
    ngx_status_proxy_t         proxy;    /* url NULL: none */
    struct curl_slist         *headers;
    struct curl_slist         *connect_to;
    ngx_status_tls_t           tls;
    int                        family;   /* AF_*; AF_UNSPEC: any */
    long                       version;  /* CURL_HTTP_VERSION_* */

    ngx_status_json_path_t   **paths;    /* of conditions, score ... */
    ngx_uint_t                 npaths;
    ngx_uint_t                *index;    /* of a condition's path */
    ngx_uint_t                 score;    /* index of its path */
    ngx_uint_t                 grade;
    ngx_uint_t                 categories;

    unsigned                   body:1;   /* is to be kept */
    unsigned                   header:1;
    unsigned                   cert_info:1;      /* it is looked at */
    unsigned                   foreign:1;        /* score_history is of
                                                    another origin */
    unsigned                   version_2:1;      /* HTTP/2 has to come */
} ngx_status_http_conf_t;


/* Which part of an answer is to come next. */

typedef enum {
    NGX_STATUS_HTTP_LINE = 0,            /* its status line */
    NGX_STATUS_HTTP_FIELDS,
    NGX_STATUS_HTTP_BODY                 /* or a trailer */
} ngx_status_http_part_e;


typedef struct {
    ngx_status_transfer_t      transfer;
    ngx_status_probe_t        *probe;
    ngx_status_http_conf_t    *conf;
    const ngx_status_http_target_t  *target;     /* the request's */
    ngx_status_resolve_t       resolve;
    ngx_status_curl_t          curl;
    ngx_event_t                timer;
    ngx_status_lookup_t       *lookup;
    struct ngx_status_http_hard_s  *hard;        /* a judgement that takes */
    ngx_msec_t                 waited;   /* for a place to resolve in */

    ngx_status_json_t         *json;
    ngx_status_buf_t           body;
    ngx_status_buf_t           header;
    ngx_status_buf_t           rest;     /* of the JSON: is to be matched */
    size_t                     rest_at;
    size_t                     matched;  /* bytes of JSON this millisecond */
    ngx_msec_t                 matched_at;
    CURLcode                   code;     /* that it ended with */
    ngx_status_http_part_e     part;
    size_t                     header_total;
    size_t                     proxy_bytes;      /* at most, of its answer */
    uint64_t                   size;     /* of the body, decoded */

    unsigned                   series:1; /* the second request */
    unsigned                   running:1;
    unsigned                   stopped:1;        /* the probe is gone */
    unsigned                   ended:1;  /* but for what is to be matched */
    unsigned                   interim:1;        /* header of a 1xx */
    unsigned                   body_cut:1;
    unsigned                   switched:1;       /* 101 [RFC 9110 15.2.2] */
    unsigned                   header_cut:1;
    unsigned                   nomem:1;
    unsigned                   busy:1;   /* no place for a redirect's name */
    unsigned                   proxy_tls:1;      /* the next handshake is the
                                                    proxy's */
    unsigned                   strayed:1;        /* a redirect leads away from
                                                    the unix socket */
    unsigned                   unresolved:1;     /* why is to be asked */
} ngx_status_http_t;


/*
 * The steps of a probe that others lead back to: ngx_status_check_http.c.
 * fault() and leave() end it, and h with it; fault() for a reason of ours.
 */

void ngx_status_http_begin(ngx_status_http_t *h,
    const ngx_status_http_target_t *target);
void ngx_status_http_fault(ngx_status_http_t *h, const char *text);
void ngx_status_http_leave(ngx_status_http_t *h);
void ngx_status_http_release(ngx_status_http_t *h);
ngx_msec_t ngx_status_http_left(ngx_status_http_t *h);


/* The type's conf().  ngx_status_http_conf.c */

ngx_int_t ngx_status_http_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    char *err, size_t errlen);


/*
 * ngx_status_http_target.c.  target() is that part of conf() which tells where
 * requests go, and as whom.  same_origin() is about libcurl's URLs: scheme,
 * host and port are equal [RFC 6454, 5]; any process.
 */

ngx_int_t ngx_status_http_target(ngx_pool_t *pool, ngx_status_check_t *check,
    char *err, size_t errlen);
ngx_uint_t ngx_status_http_same_origin(const char *one, const char *two);


/*
 * ngx_status_http_request.c.  request() gives h->transfer a handle and begins
 * it; what comes is collected in h.
 */

ngx_int_t ngx_status_http_request(ngx_status_http_t *h, ngx_msec_t timeout);


/*
 * ngx_status_http_judge.c.  finish() judges what came, and goes on with the
 * second request, if there is to be one, or ends the probe.  ponder() asks
 * for a thread, where there is "hard", and h is its own while pondering().
 */

void ngx_status_http_finish(ngx_status_http_t *h, CURLcode code, int eai);
void ngx_status_http_ponder(ngx_status_http_t *h);
ngx_uint_t ngx_status_http_pondering(ngx_status_http_t *h);


/*
 * ngx_status_http_score.c.  score() takes score, grade and categories out of
 * an answer; judge() decides whether they count, and calls a check down
 * whose score does not come.  series() takes the history.
 */

void ngx_status_http_score(const ngx_status_check_t *check,
    ngx_status_json_t *json, ngx_status_score_t *score);
void ngx_status_http_score_judge(ngx_status_probe_t *probe,
    ngx_status_json_t *json, ngx_uint_t body_cut,
    const ngx_status_score_t *score);
void ngx_status_http_score_series(const ngx_status_check_t *check,
    ngx_status_json_t *json, ngx_status_score_t *score);


#endif /* _NGX_STATUS_HTTP_H_INCLUDED_ */
