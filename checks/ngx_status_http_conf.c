
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_http.h"
#include <arpa/inet.h>


static ngx_uint_t ngx_status_http_conf_same_origin(const ngx_str_t *one,
    const ngx_str_t *two);
static ngx_int_t ngx_status_http_conf_url(ngx_str_t *url, ngx_str_t *resolved,
    uint32_t *name, char **connect, char *err, size_t errlen);
static ngx_int_t ngx_status_http_conf_headers(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static ngx_int_t ngx_status_http_conf_resolve(ngx_pool_t *pool,
    ngx_status_check_t *check, char *host, char *err, size_t errlen);
static ngx_int_t ngx_status_http_conf_paths(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);


ngx_int_t
ngx_status_http_conf(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    char                    *host;
    ngx_int_t                rc;
    ngx_status_http_conf_t  *conf;

    conf = ngx_pcalloc(pool, sizeof(ngx_status_http_conf_t));
    if (conf == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    check->conf = conf;
    conf->cert_info = ngx_strcmp(check->scheme.data, "https") == 0;
    host = NULL;

    if (ngx_status_http_conf_url(&check->url, NULL, &conf->name, &host, err,
                                 errlen)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_status_http_conf_resolve(pool, check, host, err, errlen);
    curl_free(host);

    if (rc != NGX_OK
        || ngx_status_http_conf_headers(pool, check, err, errlen) != NGX_OK
        || ngx_status_tls_conf(pool, check, conf->cert_info, &conf->tls, err,
                               errlen)
           != NGX_OK
        || ngx_status_http_conf_paths(pool, check, err, errlen) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (check->series_url.len == 0) {
        return NGX_OK;
    }

    conf->foreign = !ngx_status_http_conf_same_origin(&check->url,
                                                      &check->series_url);

    return ngx_status_http_conf_url(&check->series_url,
                                    check->resolve.len ? &check->host : NULL,
                                    &conf->series_name, NULL, err, errlen);
}


/* Scheme, host and port are equal [RFC 6454, 5]. */

static ngx_uint_t
ngx_status_http_conf_same_origin(const ngx_str_t *one, const ngx_str_t *two)
{
    char              *a, *b;
    CURLU             *u, *v;
    ngx_uint_t         i, same;
    const CURLUPart    parts[] = { CURLUPART_SCHEME, CURLUPART_HOST,
                                   CURLUPART_PORT };

    u = curl_url();
    v = curl_url();

    same = u && v
           && curl_url_set(u, CURLUPART_URL, (char *) one->data, 0)
              == CURLUE_OK
           && curl_url_set(v, CURLUPART_URL, (char *) two->data, 0)
              == CURLUE_OK;

    for (i = 0; same && i < sizeof(parts) / sizeof(parts[0]); i++) {
        a = NULL;
        b = NULL;

        same = curl_url_get(u, parts[i], &a, CURLU_DEFAULT_PORT) == CURLUE_OK
               && curl_url_get(v, parts[i], &b, CURLU_DEFAULT_PORT)
                  == CURLUE_OK
               && ngx_strcasecmp((u_char *) a, (u_char *) b) == 0;

        curl_free(a);
        curl_free(b);
    }

    curl_url_cleanup(u);
    curl_url_cleanup(v);

    return same;
}


/*
 * libcurl's own parser, so that it will not think otherwise later; it works
 * without curl_global_init().  "resolved" is a host that needs no resolving.
 * *host is to be freed with curl_free().
 */

static ngx_int_t
ngx_status_http_conf_url(ngx_str_t *url, ngx_str_t *resolved, uint32_t *name,
    char **host, char *err, size_t errlen)
{
    char             *text;
    CURLU            *u;
    size_t            len;
    ngx_int_t         rc;
    CURLUcode         code;
    u_char            addr[sizeof(struct in6_addr)];

    rc = NGX_ERROR;
    text = NULL;

    u = curl_url();
    if (u == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    if ((ngx_strncasecmp(url->data, (u_char *) "http://", 7) != 0
         && ngx_strncasecmp(url->data, (u_char *) "https://", 8) != 0))
    {
        snprintf(err, errlen, "the URL has to begin with http:// or https://");
        goto done;
    }

    /* libcurl would take "http:///x" for a host of "x" */

    text = strstr((char *) url->data, "://") + 3;

    if (*text == '/' || *text == '\0' || *text == '?' || *text == '#') {
        text = NULL;
        snprintf(err, errlen, "the URL has no host");
        goto done;
    }

    text = NULL;
    code = curl_url_set(u, CURLUPART_URL, (char *) url->data, 0);

    if (code == CURLUE_OK) {
        code = curl_url_get(u, CURLUPART_HOST, &text, 0);
    }

    if (code != CURLUE_OK) {
#if (LIBCURL_VERSION_NUM >= 0x075000)
        snprintf(err, errlen, "the URL is not valid: %s",
                 curl_url_strerror(code));
#else
        snprintf(err, errlen, "the URL is not valid");
#endif
        goto done;
    }

    rc = NGX_OK;
    len = strlen(text);
    ngx_strlow((u_char *) text, (u_char *) text, len);

    /* an address, and what libcurl knows by itself, is not resolved */

    if (text[0] == '[' || inet_pton(AF_INET, text, addr) == 1
        || strcmp(text, "localhost") == 0
        || (len > 10 && strcmp(text + len - 10, ".localhost") == 0)
        || (resolved && resolved->len == len
            && ngx_memcmp(resolved->data, text, len) == 0))
    {
        *name = 0;

    } else {
        *name = ngx_murmur_hash2((u_char *) text, len) | 1;
    }

done:

    if (host && rc == NGX_OK) {
        *host = text;

    } else {
        curl_free(text);
    }

    curl_url_cleanup(u);

    return rc;
}


/*
 * CONNECT_TO rather than CURLOPT_RESOLVE: that would put the address into
 * the name cache that all checks share.
 */

static ngx_int_t
ngx_status_http_conf_resolve(ngx_pool_t *pool, ngx_status_check_t *check,
    char *host, char *err, size_t errlen)
{
    char                    *text;
    size_t                   size;
    ngx_status_http_conf_t  *conf;

    if (check->resolve.len == 0) {
        return NGX_OK;
    }

    conf = check->conf;
    conf->name = 0;

    size = strlen(host) + check->resolve.len + sizeof("::[]:");

    conf->connect_to = ngx_pcalloc(pool, sizeof(struct curl_slist));
    text = ngx_pnalloc(pool, size);

    if (conf->connect_to == NULL || text == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    snprintf(text, size,
             ngx_strchr(check->resolve.data, ':') ? "%s::[%s]:" : "%s::%s:",
             host, (char *) check->resolve.data);
    conf->connect_to->data = text;

    return NGX_OK;
}


static ngx_int_t
ngx_status_http_conf_headers(ngx_pool_t *pool, ngx_status_check_t *check,
    char *err, size_t errlen)
{
    ngx_str_t                *header;
    ngx_uint_t                i, n;
    struct curl_slist        *list;
    ngx_status_http_conf_t   *conf;

    conf = check->conf;

    n = check->headers ? check->headers->nelts : 0;
    if (n == 0) {
        return NGX_OK;
    }

    header = check->headers->elts;

    list = ngx_pcalloc(pool, n * sizeof(struct curl_slist));
    if (list == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    conf->headers = list;

    for (i = 0; i < n; i++) {
        list[i].data = (char *) header[i].data;
        list[i].next = i + 1 < n ? &list[i + 1] : NULL;
    }

    return NGX_OK;
}


/* What of an answer has to be looked at, and what to be kept. */

static ngx_int_t
ngx_status_http_conf_paths(ngx_pool_t *pool, ngx_status_check_t *check,
    char *err, size_t errlen)
{
    ngx_uint_t               i, n, body;
    ngx_status_cond_t       *cond;
    ngx_status_http_conf_t  *conf;

    conf = check->conf;

    conf->paths = ngx_palloc(pool, (check->nconds + 3)
                                   * sizeof(ngx_status_json_path_t *));
    conf->index = ngx_pcalloc(pool, (check->nconds + 1)
                                    * sizeof(ngx_uint_t));

    if (conf->paths == NULL || conf->index == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    n = 0;
    body = check->nbots ? 1 : 0;

    for (i = 0; i < check->nconds; i++) {
        cond = &check->conds[i];

        switch (cond->subject) {

        case NGX_STATUS_S_BODY:
            body = 1;
            break;

        case NGX_STATUS_S_HEADER:
            conf->header = 1;
            break;

        case NGX_STATUS_S_CERT:
        case NGX_STATUS_S_CERT_CHAIN:
        case NGX_STATUS_S_CERT_ISSUER:
        case NGX_STATUS_S_CERT_NAMES:
        case NGX_STATUS_S_CERT_VERIFIED:
            conf->cert_info = 1;
            break;

        case NGX_STATUS_S_JSON:
            conf->index[i] = n;
            conf->paths[n++] = cond->path;
            break;

        default:
            break;
        }
    }

    if (check->score) {
        conf->score = n;
        conf->paths[n++] = check->score;
    }

    if (check->grade) {
        conf->grade = n;
        conf->paths[n++] = check->grade;
    }

    if (check->categories) {
        conf->categories = n;
        conf->paths[n++] = check->categories;
    }

    conf->npaths = n;
    conf->body = body;

    if ((n || body || check->body.data)
        && check->method.len == 4
        && ngx_strncmp(check->method.data, "HEAD", 4) == 0)
    {
        snprintf(err, errlen, "method HEAD goes without bodies: neither "
                 "\"body\" nor a look at the answer's is possible");
        return NGX_ERROR;
    }

    return NGX_OK;
}
