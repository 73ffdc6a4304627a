
/*
 * Copyright (C) ngx_status_module authors
 *
 * Where requests go, and as whom: URLs, unix sockets, a proxy, an address or
 * a family of addresses, credentials.  URLs are taken apart by libcurl's own
 * parser, so that it will not think otherwise later; it works without
 * curl_global_init().
 */


#include "ngx_status_http.h"
#include "ngx_status_dial.h"
#include <arpa/inet.h>
#include <sys/un.h>


#define NGX_STATUS_HTTP_UNIX  "http+unix:///path/of/socket:/uri"
#define NGX_STATUS_HTTP_PATH  (sizeof(((struct sockaddr_un *) 0)->sun_path))


static ngx_int_t ngx_status_http_target_url(ngx_pool_t *pool,
    const ngx_status_check_t *check, const ngx_status_check_t *source,
    ngx_status_http_target_t *target, char *err, size_t errlen);
static ngx_int_t ngx_status_http_target_unix(ngx_pool_t *pool,
    const ngx_status_check_t *source, ngx_status_http_target_t *target,
    char *err, size_t errlen);
static ngx_int_t ngx_status_http_target_address(
    const ngx_status_check_t *check, ngx_status_http_target_t *target,
    char *err, size_t errlen);
static ngx_int_t ngx_status_http_target_resolve(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static ngx_int_t ngx_status_http_target_login(ngx_status_check_t *check,
    char *err, size_t errlen);
static ngx_int_t ngx_status_http_target_series(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static uint32_t ngx_status_http_name(const char *host);


ngx_int_t
ngx_status_http_target(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    ngx_status_http_conf_t  *conf;

    conf = check->conf;
    conf->family = ngx_status_dial_family(check);

    if (ngx_status_proxy_conf(pool, check, &conf->proxy, err, errlen) != NGX_OK
        || ngx_status_http_target_url(pool, check, check, &conf->target, err,
                                      errlen)
           != NGX_OK
        || ngx_status_http_target_resolve(pool, check, err, errlen) != NGX_OK
        || ngx_status_http_target_login(check, err, errlen) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return check->series_url.len
           ? ngx_status_http_target_series(pool, check, err, errlen) : NGX_OK;
}


/* "source" is the check itself, or one that was made of score_history. */

static ngx_int_t
ngx_status_http_target_url(ngx_pool_t *pool, const ngx_status_check_t *check,
    const ngx_status_check_t *source, ngx_status_http_target_t *target,
    char *err, size_t errlen)
{
    CURLU      *u;
    ngx_int_t   rc;
    CURLUcode   code;

    target->url = (const char *) source->url.data;

    if (ngx_strcmp(source->scheme.data, "http+unix") == 0) {

        if (ngx_status_http_target_unix(pool, source, target, err, errlen)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else if (source->host.len == 0) {

        /* libcurl would take "http:///x" for a host of "x" */

        snprintf(err, errlen, "the URL has no host");
        return NGX_ERROR;
    }

    rc = NGX_ERROR;
    u = curl_url();
    code = u ? curl_url_set(u, CURLUPART_URL, target->url, 0)
             : CURLUE_OUT_OF_MEMORY;

    if (code != CURLUE_OK) {
        snprintf(err, errlen, "the URL is not valid: %s",
                 curl_url_strerror(code));
        goto done;
    }

    target->host = ngx_status_curl_part(pool, u, CURLUPART_HOST, 0);

    if (source->user.data && target->socket == NULL) {

        /* options come before what the URL says, and where it is shown it
         * shall hold nothing to be hidden */

        (void) curl_url_set(u, CURLUPART_USER, NULL, 0);
        (void) curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
        (void) curl_url_set(u, CURLUPART_OPTIONS, NULL, 0);

        target->url = ngx_status_curl_part(pool, u, CURLUPART_URL, 0);
    }

    if (target->host && target->url) {
        rc = ngx_status_http_target_address(check, target, err, errlen);

    } else {
        snprintf(err, errlen, "no memory");
    }

done:

    curl_url_cleanup(u);

    return rc;
}


/* http+unix:///path/of/socket:/uri: the path is percent-encoded, and ends at
 * the first colon. */

static ngx_int_t
ngx_status_http_target_unix(ngx_pool_t *pool, const ngx_status_check_t *source,
    ngx_status_http_target_t *target, char *err, size_t errlen)
{
    u_char     *p, *end, *colon;
    ngx_str_t   path, url;
    ngx_int_t   rc;

    if (source->host.len || source->port) {
        snprintf(err, errlen, "http+unix:// takes no host, expected "
                 NGX_STATUS_HTTP_UNIX);
        return NGX_ERROR;
    }

    p = source->path.data;
    end = p + source->path.len;
    colon = ngx_strlchr(p, end, ':');

    if ((colon ? colon : end) - p < 2) {
        snprintf(err, errlen, "the URL has no path of a socket, expected "
                 NGX_STATUS_HTTP_UNIX);
        return NGX_ERROR;
    }

    if (colon == NULL || end - colon < 2 || colon[1] != '/') {
        snprintf(err, errlen, "the URL has no \":/uri\" behind the socket, "
                 "expected " NGX_STATUS_HTTP_UNIX);
        return NGX_ERROR;
    }

    if (!(curl_version_info(CURLVERSION_NOW)->features
          & CURL_VERSION_UNIX_SOCKETS))
    {
        snprintf(err, errlen, "http+unix:// needs a libcurl with unix "
                 "sockets");
        return NGX_ERROR;
    }

    rc = ngx_status_url_decode(pool, &path, p, colon);

    if (rc == NGX_DECLINED) {
        snprintf(err, errlen, "the socket's path has a \"%%\" without two "
                 "hexadecimal digits, or %%00");
        return NGX_ERROR;
    }

    url.len = sizeof("http://localhost?") + (end - colon - 1)
              + source->args.len;
    url.data = ngx_pnalloc(pool, url.len);

    if (rc != NGX_OK || url.data == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    if (path.len >= NGX_STATUS_HTTP_PATH) {
        snprintf(err, errlen, "the socket's path has %lu bytes, expected up "
                 "to %lu", (unsigned long) path.len,
                 (unsigned long) NGX_STATUS_HTTP_PATH - 1);
        return NGX_ERROR;
    }

    snprintf((char *) url.data, url.len, "http://localhost%.*s%s%.*s",
             (int) (end - colon - 1), colon + 1, source->args.len ? "?" : "",
             (int) source->args.len, source->args.data);

    target->url = (char *) url.data;
    target->socket = (char *) path.data;

    return NGX_OK;
}


/* What has to be resolved, and whether that goes with "family". */

static ngx_int_t
ngx_status_http_target_address(const ngx_status_check_t *check,
    ngx_status_http_target_t *target, char *err, size_t errlen)
{
    const char              *peer;
    ngx_status_http_conf_t  *conf;

    conf = check->conf;

    if (target->socket) {

        if (check->resolve.len || conf->proxy.url
            || conf->family != AF_UNSPEC)
        {
            snprintf(err, errlen, "\"%s\" does not go with http+unix://",
                     check->resolve.len ? "resolve"
                     : conf->proxy.url ? "proxy" : "family");
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (conf->proxy.url) {

        if (conf->family != AF_UNSPEC) {
            snprintf(err, errlen, "\"family\" does not go with \"proxy\": it "
                     "is the proxy that connects");
            return NGX_ERROR;
        }

        target->name = ngx_status_http_name(conf->proxy.host);

        return NGX_OK;
    }

    peer = target->host;

    if (check->resolve.len && strcmp(peer, conf->target.host) == 0) {
        peer = (char *) check->resolve.data;
    }

    target->name = ngx_status_http_name(peer);

    return ngx_status_dial_fits(peer, conf->family, err, errlen);
}


/*
 * CONNECT_TO rather than CURLOPT_RESOLVE: that would put the address into
 * the name cache that all checks share.
 */

static ngx_int_t
ngx_status_http_target_resolve(ngx_pool_t *pool, ngx_status_check_t *check,
    char *err, size_t errlen)
{
    char                    *text;
    size_t                   size;
    const char              *host;
    ngx_status_http_conf_t  *conf;

    if (check->resolve.len == 0) {
        return NGX_OK;
    }

    conf = check->conf;
    host = conf->target.host;
    size = strlen(host) + check->resolve.len + sizeof("[]::[]:");

    conf->connect_to = ngx_pcalloc(pool, sizeof(struct curl_slist));
    text = ngx_pnalloc(pool, size);

    if (conf->connect_to == NULL || text == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    snprintf(text, size, "%s%s%s::%s%s%s:",
             strchr(host, ':') ? "[" : "", host, strchr(host, ':') ? "]" : "",
             ngx_strchr(check->resolve.data, ':') ? "[" : "",
             (char *) check->resolve.data,
             ngx_strchr(check->resolve.data, ':') ? "]" : "");

    conf->connect_to->data = text;

    return NGX_OK;
}


static ngx_int_t
ngx_status_http_target_login(ngx_status_check_t *check, char *err,
    size_t errlen)
{
    ngx_str_t                   *header;
    ngx_uint_t                   i;
    ngx_status_http_conf_t      *conf;
    const ngx_status_setting_t  *bearer, *option;

    conf = check->conf;
    bearer = ngx_status_setting(check, "bearer");

    if (check->user.data == NULL && check->password.data) {
        snprintf(err, errlen, "\"password\" needs a \"username\"");
        return NGX_ERROR;
    }

    if (check->user.data && bearer) {
        snprintf(err, errlen, "\"bearer\" does not go with a user and a "
                 "password");
        return NGX_ERROR;
    }

    if (check->user.data && ngx_strchr(check->user.data, ':')) {
        snprintf(err, errlen, "the user's name holds a \":\", which basic "
                 "credentials can not");
        return NGX_ERROR;
    }

    if (check->user.data == NULL && bearer == NULL) {
        return NGX_OK;
    }

    /* with what the URL says it goes, and comes first */

    option = bearer ? bearer : ngx_status_setting(check, "username");
    header = check->headers ? check->headers->elts : NULL;

    for (i = 0; option && header && i < check->headers->nelts; i++) {
        if (ngx_strncasecmp(header[i].data, (u_char *) "authorization:", 14)
            == 0)
        {
            snprintf(err, errlen, "\"header Authorization\" does not go with "
                     "\"%s\"", option->name.data);
            return NGX_ERROR;
        }
    }

    conf->target.user = (char *) check->user.data;
    conf->target.password = check->password.data
                            ? (char *) check->password.data : "";
    conf->target.bearer = bearer ? (char *) bearer->text.data : NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_status_http_target_series(ngx_pool_t *pool, ngx_status_check_t *check,
    char *err, size_t errlen)
{
    ngx_status_check_t         source;
    ngx_status_http_conf_t    *conf;
    ngx_status_http_target_t  *target, *series;

    conf = check->conf;
    target = &conf->target;
    series = &conf->series;

    ngx_memzero(&source, sizeof(ngx_status_check_t));
    source.url = check->series_url;

    if (ngx_status_check_url(pool, &source, err, errlen) != NGX_OK
        || ngx_status_http_target_url(pool, check, &source, series, err,
                                      errlen)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    conf->foreign = (target->socket == NULL) != (series->socket == NULL)
                    || (target->socket
                        && strcmp(target->socket, series->socket) != 0)
                    || !ngx_status_http_same_origin(target->url, series->url);

    if (source.user.data) {
        series->user = (char *) source.user.data;
        series->password = source.password.data
                           ? (char *) source.password.data : "";

        if (ngx_status_hide(pool, check, &source.password) != NGX_OK) {
            snprintf(err, errlen, "no memory");
            return NGX_ERROR;
        }

    } else if (!conf->foreign) {
        series->user = target->user;
        series->password = target->password;
        series->bearer = target->bearer;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_status_http_same_origin(const char *one, const char *two)
{
    char              *a, *b;
    CURLU             *u, *v;
    ngx_uint_t         i, same;
    const CURLUPart    parts[] = { CURLUPART_SCHEME, CURLUPART_HOST,
                                   CURLUPART_PORT };

    u = curl_url();
    v = curl_url();

    same = u && v
           && curl_url_set(u, CURLUPART_URL, one, 0) == CURLUE_OK
           && curl_url_set(v, CURLUPART_URL, two, 0) == CURLUE_OK;

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


/* An address, and what libcurl knows by itself, is not resolved: 0. */

static uint32_t
ngx_status_http_name(const char *host)
{
    size_t  len;
    u_char  addr[sizeof(struct in6_addr)];

    len = strlen(host);

    if (strchr(host, ':') || inet_pton(AF_INET, host, addr) == 1
        || strcmp(host, "localhost") == 0
        || (len > 10 && strcmp(host + len - 10, ".localhost") == 0))
    {
        return 0;
    }

    return ngx_murmur_hash2((u_char *) host, len) | 1;
}
