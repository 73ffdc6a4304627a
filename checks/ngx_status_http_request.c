
/*
 * Copyright (C) ngx_status_module authors
 *
 * One transfer of a probe: what is asked of libcurl, and what of the answer
 * is kept.
 */


#include "ngx_status_http.h"
#include "ngx_status_cert.h"
#include <arpa/inet.h>


#define NGX_STATUS_HTTP_DNS      5L      /* s that a name answers for others;
                                            less than any sane interval */


static ngx_int_t ngx_status_http_setup(ngx_status_http_t *h, CURL *easy,
    ngx_msec_t timeout);
static int ngx_status_http_setup_way(ngx_status_http_t *h, CURL *easy);
static size_t ngx_status_http_on_header(char *data, size_t size, size_t n,
    void *ctx);
static size_t ngx_status_http_on_body(char *data, size_t size, size_t n,
    void *ctx);
static ngx_int_t ngx_status_http_match(ngx_status_http_t *h,
    const char *data, size_t len);
static curl_socket_t ngx_status_http_on_socket(void *ctx,
    curlsocktype purpose, struct curl_sockaddr *addr);
static ngx_uint_t ngx_status_http_strays(ngx_status_http_t *h);
static int ngx_status_http_on_progress(void *ctx, curl_off_t dltotal,
    curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow);
static int ngx_status_http_on_resolve(void *state, void *reserved, void *ctx);
static CURLcode ngx_status_http_on_handshake(CURL *easy, void *ssl, void *ctx);
#if (LIBCURL_VERSION_NUM >= 0x075000)
static int ngx_status_http_on_request(void *ctx, char *remote, char *local,
    int remote_port, int local_port);
#endif


ngx_int_t
ngx_status_http_request(ngx_status_http_t *h, ngx_msec_t timeout)
{
    CURL  *easy;

    easy = ngx_status_easy_take(h->curl.text);
    if (easy == NULL) {
        return NGX_ERROR;
    }

    h->transfer.easy = easy;

    if (ngx_status_http_setup(h, easy, timeout) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_status_loop_add(&h->transfer);
}


static ngx_int_t
ngx_status_http_setup(ngx_status_http_t *h, CURL *easy, ngx_msec_t timeout)
{
    int                        rc, fresh;
    ngx_uint_t                 foreign;
    const ngx_status_check_t  *check;
    ngx_status_http_conf_t    *conf;

    check = h->probe->check;
    conf = h->conf;

    /* what identifies us to the target is nobody else's business */
    foreign = h->series && conf->foreign;

#define set(option, value)  rc |= curl_easy_setopt(easy, option, value)

    rc = 0;

    set(CURLOPT_URL, h->target->url);
    set(CURLOPT_TIMEOUT_MS, (long) timeout);
    set(CURLOPT_CONNECTTIMEOUT_MS, (long) timeout);

    set(CURLOPT_WRITEFUNCTION, ngx_status_http_on_body);
    set(CURLOPT_WRITEDATA, h);
    set(CURLOPT_HEADERFUNCTION, ngx_status_http_on_header);
    set(CURLOPT_HEADERDATA, h);
    set(CURLOPT_OPENSOCKETFUNCTION, ngx_status_http_on_socket);
    set(CURLOPT_OPENSOCKETDATA, h);
    set(CURLOPT_RESOLVER_START_FUNCTION, ngx_status_http_on_resolve);
    set(CURLOPT_RESOLVER_START_DATA, h);

    /* not brotli or zstd: their windows take megabytes for each answer */
    set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");

#if (LIBCURL_VERSION_NUM >= 0x075500)
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    set(CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP|CURLPROTO_HTTPS));
    set(CURLOPT_REDIR_PROTOCOLS, (long) (CURLPROTO_HTTP|CURLPROTO_HTTPS));
#endif

    if (check->keepalive) {
        fresh = conf->cert_info && !ngx_status_cert_known(h->probe);
        set(CURLOPT_MAXAGE_CONN, (long) (check->interval / 1000 * 2 + 60));

    } else {
        fresh = 1;
        set(CURLOPT_FORBID_REUSE, 1L);
        set(CURLOPT_DNS_CACHE_TIMEOUT, NGX_STATUS_HTTP_DNS);
    }

    set(CURLOPT_FRESH_CONNECT, (long) fresh);

#if (LIBCURL_VERSION_NUM >= 0x075000)
    if (h->resolve.place) {
        /* an old connection opens no socket, but passes here */
        set(CURLOPT_PREREQFUNCTION, ngx_status_http_on_request);
        set(CURLOPT_PREREQDATA, h);
    }
#endif

    rc |= ngx_status_http_setup_way(h, easy);

    /* the request */

    if (h->series) {
        /* a plain GET */

    } else if (check->body.data) {
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDS, check->body.data);
        set(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) check->body.len);

        if (check->method.len
            && ngx_strcmp(check->method.data, "POST") != 0)
        {
            set(CURLOPT_CUSTOMREQUEST, check->method.data);
        }

    } else if (check->method.len == 0
               || ngx_strcmp(check->method.data, "GET") == 0)
    {
        /* libcurl's default */

    } else if (ngx_strcmp(check->method.data, "HEAD") == 0) {
        set(CURLOPT_NOBODY, 1L);

    } else if (ngx_strcmp(check->method.data, "POST") == 0) {
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDS, "");
        set(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) 0);

    } else {
        set(CURLOPT_CUSTOMREQUEST, check->method.data);
    }

    if (conf->headers && !foreign) {
        set(CURLOPT_HTTPHEADER, conf->headers);
    }

    if (!foreign) {
        set(CURLOPT_HTTP_VERSION, conf->version);
    }

    if (check->user_agent.len) {
        set(CURLOPT_USERAGENT, check->user_agent.data);
    }

    if (check->follow) {
        set(CURLOPT_FOLLOWLOCATION, 1L);
        set(CURLOPT_MAXREDIRS, (long) check->follow);
    }

    if (!conf->cert_info && !check->follow) {
        /* there is no way to TLS from here */
        return rc ? NGX_ERROR : NGX_OK;
    }

    /* not every TLS library has it */
    (void) curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION,
                            ngx_status_http_on_handshake);
    (void) curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, h);

    if (conf->version_2) {

        /* says nothing new, but keeps libcurl from taking up a connection of
         * another check, whose HTTP/1.1 would be taken for the server's */

        set(CURLOPT_SSLVERSION,
            (long) CURL_SSLVERSION_DEFAULT|CURL_SSLVERSION_MAX_DEFAULT);
    }

    if (rc) {
        return NGX_ERROR;
    }

    return ngx_status_easy_tls(easy, check, &conf->tls,
                               conf->cert_info && !h->series, !foreign);
}


/* To whom: the address, the proxy, the unix socket; and as whom. */

static int
ngx_status_http_setup_way(ngx_status_http_t *h, CURL *easy)
{
    int                              rc;
    const ngx_status_http_conf_t    *conf;
    const ngx_status_http_target_t  *target;

    static CURLSH  *names;

    rc = 0;
    conf = h->conf;
    target = h->target;

    if (conf->connect_to) {
        set(CURLOPT_CONNECT_TO, conf->connect_to);
    }

    if (conf->family != AF_UNSPEC) {

        /* half of a name's addresses is not for the cache that all share */

        if (names == NULL) {
            names = curl_share_init();
            (void) curl_share_setopt(names, CURLSHOPT_SHARE,
                                     CURL_LOCK_DATA_DNS);
        }

        set(CURLOPT_SHARE, names);
        set(CURLOPT_IPRESOLVE, (long) (conf->family == AF_INET
                                       ? CURL_IPRESOLVE_V4
                                       : CURL_IPRESOLVE_V6));
    }

    if (target->socket) {
        set(CURLOPT_UNIX_SOCKET_PATH, target->socket);
    }

    if (target->user) {
        set(CURLOPT_USERNAME, target->user);
        set(CURLOPT_PASSWORD, target->password);

    } else if (target->bearer) {
        set(CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        set(CURLOPT_XOAUTH2_BEARER, target->bearer);
    }

    if (conf->proxy.url) {
        rc |= ngx_status_proxy_set(&conf->proxy, easy, h->probe->check,
                                   conf->tls.ca)
              != NGX_OK;
        set(CURLOPT_XFERINFOFUNCTION, ngx_status_http_on_progress);
        set(CURLOPT_XFERINFODATA, h);
        set(CURLOPT_NOPROGRESS, 0L);
    }

#undef set

    return rc;
}


static size_t
ngx_status_http_on_header(char *data, size_t size, size_t n, void *ctx)
{
    long                hops;
    char               *p, *end;
    ngx_status_http_t  *h;

    (void) size;

    h = ctx;
    end = data + n;

    hops = 0;
    curl_easy_getinfo(h->transfer.easy, CURLINFO_REDIRECT_COUNT, &hops);

    if (h->part == NGX_STATUS_HTTP_LINE || hops != h->curl.hops) {

        /* a status line; the headers of 1xx count for the answer that
         * follows, so that they can not go on for ever */

        for (p = data; p < end && *p != ' '; p++) { /* void */ }
        while (p < end && *p == ' ') { p++; }

        if (!h->interim) {
            h->header_total = 0;
        }

        h->switched = end - p > 2 && ngx_strncmp(p, "101", 3) == 0;
        h->interim = p < end && *p == '1' && !h->switched;
        h->header.len = 0;
        h->part = NGX_STATUS_HTTP_FIELDS;

        ngx_status_curl_mark(&h->curl, h->transfer.easy);
        n = 0;

    } else if (n <= 2 && h->part == NGX_STATUS_HTTP_FIELDS) {
        h->part = h->interim ? NGX_STATUS_HTTP_LINE : NGX_STATUS_HTTP_BODY;

        if (h->switched) {
            /* what follows is another protocol's */
            return 0;
        }
    }

    h->header_total += end - data;

    if (h->header_total > NGX_STATUS_HTTP_HEADER) {
        h->header_cut = 1;
        return 0;
    }

    if (n > 2 && h->conf->header && !h->series
        && ngx_status_probe_keep(&h->header, data, n,
                                 NGX_STATUS_HTTP_HEADER)
           != NGX_OK)
    {
        h->nomem = 1;
        return 0;
    }

    return end - data;
}


static size_t
ngx_status_http_on_body(char *data, size_t size, size_t n, void *ctx)
{
    size_t              take;
    ngx_status_http_t  *h;

    (void) size;

    h = ctx;
    take = ngx_min(n, h->probe->check->max_body - h->size);

    if (h->conf->body && !h->series
        && ngx_status_probe_keep(&h->body, data, take,
                                 h->probe->check->max_body)
           != NGX_OK)
    {
        h->nomem = 1;
        return 0;
    }

    if (h->json && ngx_status_http_match(h, data, take) != NGX_OK) {
        h->nomem = 1;
        return 0;
    }

    h->size += take;

    if (take < n) {
        /* enough: what came will be judged */
        h->body_cut = 1;
        return 0;
    }

    return n;
}


/*
 * One packet may unpack to all of max_body.  What is too much for now is
 * kept, and the timer, which has nothing else to do during a transfer, has
 * it matched bit by bit.
 */

static ngx_int_t
ngx_status_http_match(ngx_status_http_t *h, const char *data, size_t len)
{
    if (*ngx_status_json_error(h->json)) {
        return NGX_OK;
    }

    if (h->matched_at != ngx_current_msec) {
        h->matched_at = ngx_current_msec;
        h->matched = 0;
    }

    if (h->rest.len == 0 && h->matched < NGX_STATUS_HTTP_MATCH) {
        h->matched += len;
        (void) ngx_status_json_feed(h->json, (u_char *) data, len);
        return NGX_OK;
    }

    if (!h->timer.timer_set) {
        ngx_add_timer(&h->timer, NGX_STATUS_HTTP_SOON);
    }

    return ngx_status_probe_keep(&h->rest, data, len,
                                 h->probe->check->max_body);
}


static curl_socket_t
ngx_status_http_on_socket(void *ctx, curlsocktype purpose,
    struct curl_sockaddr *addr)
{
    ngx_status_http_t  *h;

    (void) purpose;

    h = ctx;

    ngx_status_resolve_end(&h->resolve, 0);

    if (h->target->socket && ngx_status_http_strays(h)) {
        h->strayed = 1;
        return CURL_SOCKET_BAD;
    }

    h->proxy_tls = h->conf->proxy.tls;

    return ngx_status_curl_socket(&h->curl, addr);
}


/*
 * libcurl reads the answer to CONNECT byte by byte, and calls this for each;
 * as long as there are some to read it neither ends that nor returns.
 */

static int
ngx_status_http_on_progress(void *ctx, curl_off_t dltotal, curl_off_t dlnow,
    curl_off_t ultotal, curl_off_t ulnow)
{
    long                hops;
    ngx_status_http_t  *h;

    (void) dltotal;
    (void) dlnow;
    (void) ultotal;
    (void) ulnow;

    h = ctx;
    hops = 0;

    curl_easy_getinfo(h->transfer.easy, CURLINFO_REDIRECT_COUNT, &hops);

    if (h->curl.tls_at
        || (h->part != NGX_STATUS_HTTP_LINE && hops == h->curl.hops))
    {
        /* it is the target that answers */
        h->proxy_bytes = 0;
        return 0;
    }

    return ++h->proxy_bytes > NGX_STATUS_HTTP_CONNECT;
}


/* libcurl would send the request for any other host to the socket. */

static ngx_uint_t
ngx_status_http_strays(ngx_status_http_t *h)
{
    char  *url;

    url = NULL;
    curl_easy_getinfo(h->transfer.easy, CURLINFO_EFFECTIVE_URL, &url);

    return url == NULL || !ngx_status_http_same_origin(url, h->target->url);
}


/*
 * Before a name, or an address, is resolved: for the first one there is a
 * place already.  A redirect's can not wait here.
 */

static int
ngx_status_http_on_resolve(void *state, void *reserved, void *ctx)
{
    long                hops;
    char                host[256];
    u_char              addr[sizeof(struct in6_addr)];
    void              (*ready)(ngx_status_resolve_t *r);
    ngx_status_http_t  *h;

    (void) state;
    (void) reserved;

    h = ctx;
    hops = 0;

    curl_easy_getinfo(h->transfer.easy, CURLINFO_REDIRECT_COUNT, &hops);

    if (hops == 0 || h->resolve.place) {
        return 0;
    }

    ngx_status_curl_peer(&h->curl, h->transfer.easy, host, sizeof(host));

    if (inet_pton(AF_INET, host, addr) == 1
        || inet_pton(AF_INET6, host, addr) == 1)
    {
        return 0;
    }

    ready = h->resolve.ready;

    h->resolve.name = 0;
    h->resolve.ready = NULL;

    if (ngx_status_resolve_begin(&h->resolve) != NGX_OK) {
        h->busy = 1;
    }

    h->resolve.ready = ready;

    return h->busy;
}


static CURLcode
ngx_status_http_on_handshake(CURL *easy, void *ssl, void *ctx)
{
    ngx_status_http_t  *h;

    h = ctx;

    if (h->proxy_tls) {
        h->proxy_tls = 0;
        return CURLE_OK;
    }

    ngx_status_curl_handshake(&h->curl);

    if (h->conf->cert_info && !h->series && ngx_status_cert_watches()
        && ngx_status_cert_watch(h->probe, easy, ssl,
                                 h->conf->tls.ca != NULL)
           != NGX_OK)
    {
        return CURLE_OUT_OF_MEMORY;
    }

    return CURLE_OK;
}


#if (LIBCURL_VERSION_NUM >= 0x075000)

static int
ngx_status_http_on_request(void *ctx, char *remote, char *local,
    int remote_port, int local_port)
{
    ngx_status_http_t  *h;

    (void) remote;
    (void) local;
    (void) remote_port;
    (void) local_port;

    h = ctx;

    ngx_status_resolve_end(&h->resolve, 0);

    return CURL_PREREQFUNC_OK;
}

#endif
