
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_http.h"


static ngx_int_t ngx_status_http_conf_version(ngx_status_check_t *check,
    char *err, size_t errlen);
static ngx_int_t ngx_status_http_conf_headers(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static ngx_int_t ngx_status_http_conf_paths(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);


ngx_int_t
ngx_status_http_conf(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    ngx_status_http_conf_t  *conf;

    conf = ngx_pcalloc(pool, sizeof(ngx_status_http_conf_t));
    if (conf == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    check->conf = conf;
    conf->cert_info = ngx_strcmp(check->scheme.data, "https") == 0;

    if (ngx_status_http_target(pool, check, err, errlen) != NGX_OK
        || ngx_status_http_conf_version(check, err, errlen) != NGX_OK
        || ngx_status_http_conf_headers(pool, check, err, errlen) != NGX_OK
        || ngx_status_tls_conf(pool, check, conf->cert_info || conf->proxy.tls,
                               &conf->tls, err, errlen)
           != NGX_OK
        || ngx_status_http_conf_paths(pool, check, err, errlen) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * "http_version".  1.0 and 1.1 are what is asked for, and a server may answer
 * with the other [RFC 9110, 2.5]; 2 is also what has to come.
 */

static ngx_int_t
ngx_status_http_conf_version(ngx_status_check_t *check, char *err,
    size_t errlen)
{
    ngx_status_http_conf_t      *conf;
    const ngx_status_setting_t  *setting;

    static const long  versions[] = {
        CURL_HTTP_VERSION_1_0, CURL_HTTP_VERSION_1_1, CURL_HTTP_VERSION_2TLS,
        CURL_HTTP_VERSION_NONE
    };

    conf = check->conf;
    setting = ngx_status_setting(check, "http_version");

    conf->version = setting ? versions[setting->number]
                            : CURL_HTTP_VERSION_NONE;

    if (conf->version != CURL_HTTP_VERSION_2TLS) {
        return NGX_OK;
    }

    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2)) {
        snprintf(err, errlen, "\"http_version 2\" needs a libcurl with HTTP/2");
        return NGX_ERROR;
    }

    conf->version_2 = 1;

    if (conf->cert_info) {
        return NGX_OK;
    }

    /* without TLS both sides have to know it beforehand [RFC 9113, 3.3] */

    conf->version = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;

    if (check->keepalive) {

        /* libcurl would take any connection up again, one of HTTP/1.1 too */

        snprintf(err, errlen, "\"http_version 2\" without TLS does not go "
                 "with \"keepalive on\"");
        return NGX_ERROR;
    }

    if (conf->proxy.url && !conf->proxy.tunnel) {
        snprintf(err, errlen, "\"http_version 2\" without TLS does not go "
                 "through an HTTP proxy");
        return NGX_ERROR;
    }

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
