
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_curl.h"
#include "ngx_status_cert.h"
#include "ngx_status_probe.h"


/* Of the codes that need no look at anything else. */

typedef struct {
    CURLcode             code;
    ngx_status_error_e   error;
    const char          *text;
} ngx_status_curl_word_t;

static const ngx_status_curl_word_t  ngx_status_curl_words[] = {
    { CURLE_URL_MALFORMAT, NGX_STATUS_E_REDIRECT,
      "redirect to a URL that is not valid" },
    { CURLE_WEIRD_SERVER_REPLY, NGX_STATUS_E_PROTOCOL,
      "answer is not valid HTTP" },
    { CURLE_HTTP2, NGX_STATUS_E_PROTOCOL, "broken HTTP/2" },
    { CURLE_HTTP2_STREAM, NGX_STATUS_E_PROTOCOL,
      "HTTP/2 stream ended with an error" },
    { CURLE_GOT_NOTHING, NGX_STATUS_E_RESET, "empty answer" },
    { CURLE_BAD_CONTENT_ENCODING, NGX_STATUS_E_PROTOCOL,
      "compressed body can not be decoded" },

    /* our own callbacks say what they refuse; what is left is the decoder */
    { CURLE_WRITE_ERROR, NGX_STATUS_E_PROTOCOL,
      "compressed body can not be decoded" },
    { CURLE_SSL_SHUTDOWN_FAILED, NGX_STATUS_E_TLS, "TLS shutdown failed" },
    { CURLE_SSL_INVALIDCERTSTATUS, NGX_STATUS_E_TLS,
      "certificate status is not valid" },
    { CURLE_SSL_CERTPROBLEM, NGX_STATUS_E_INTERNAL,
      "tls_cert or its key can not be used" },
    { CURLE_SSL_CACERT_BADFILE, NGX_STATUS_E_INTERNAL,
      "the file of trusted certificates can not be read" },
    { CURLE_OUT_OF_MEMORY, NGX_STATUS_E_INTERNAL, "no memory" },
    { CURLE_OK, NGX_STATUS_E_NONE, NULL }
};


/* Of X.509 verification, by OpenSSL's codes, which libcurl hands on. */

static const struct {
    long         code;
    const char  *text;
} ngx_status_curl_verify[] = {
    {  9, "certificate is not valid yet" },
    { 10, "certificate has expired" },
    { 18, "self-signed certificate" },
    { 19, "self-signed certificate in the chain" },
    { 20, NGX_STATUS_CERT_UNKNOWN_ISSUER },
    { 21, NGX_STATUS_CERT_UNKNOWN_ISSUER },
    { 23, "certificate is revoked" },
    { 62, "certificate is for another name" },
    { 64, "certificate is for another address" },
    {  0, NULL }
};


static void ngx_status_curl_direct(ngx_status_curl_t *c, CURL *easy,
    CURLcode code, int eai, ngx_status_evidence_t *ev);
static void ngx_status_curl_unconnected(ngx_status_curl_t *c, CURL *easy,
    ngx_status_evidence_t *ev);
static void ngx_status_curl_redirects(CURL *easy, ngx_status_evidence_t *ev);
static void ngx_status_curl_tls(ngx_status_curl_t *c, CURL *easy,
    CURLcode code, ngx_status_evidence_t *ev);
static void ngx_status_curl_broken(ngx_status_curl_t *c, CURL *easy,
    CURLcode code, ngx_status_evidence_t *ev);
static void ngx_status_curl_times(CURL *easy, curl_off_t *times);


curl_socket_t
ngx_status_curl_socket(ngx_status_curl_t *c, struct curl_sockaddr *addr)
{
    curl_socket_t  s;

    s = socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);

    if (s == -1) {
        c->socket_errno = errno;
        return CURL_SOCKET_BAD;
    }

    c->unix_socket = (addr->family == AF_UNIX);

    if (addr->addrlen <= sizeof(c->addr)) {
        c->addr_len = addr->addrlen;
        ngx_memcpy(&c->addr, &addr->addr, addr->addrlen);
    }

    return s;
}


void
ngx_status_curl_handshake(ngx_status_curl_t *c)
{
    c->tls_at = ngx_status_probe_clock();
}


void
ngx_status_curl_mark(ngx_status_curl_t *c, CURL *easy)
{
    c->tls_at = 0;
    c->addr_len = 0;
    c->socket_errno = 0;
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &c->hops);
    ngx_status_curl_times(easy, c->mark);
}


static void
ngx_status_curl_times(CURL *easy, curl_off_t *times)
{
    curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T,
                      &times[NGX_STATUS_CURL_RESOLVED]);
    curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T,
                      &times[NGX_STATUS_CURL_CONNECTED]);
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T,
                      &times[NGX_STATUS_CURL_READY]);
    curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T,
                      &times[NGX_STATUS_CURL_ANSWERED]);
}


/*
 * libcurl's times are sums over all hops, each since its hop's begin.  Of a
 * transfer that came to its last answer, differences are the phases.  Of one
 * that stopped in a hop without an answer, the hops before it are taken as
 * marked at their last status line, and what is left of this hop belongs to
 * the phase that it stopped in.
 */

void
ngx_status_curl_phases(ngx_status_curl_t *c, CURL *easy,
    ngx_status_result_t *result)
{
    long                hops;
    char               *url;
    ngx_int_t           i, last;
    curl_off_t          tls, total, begin, left, hop, sum;
    curl_off_t          now[NGX_STATUS_CURL_NTIMES], phases[NGX_STATUS_NPHASES];
    ngx_status_phase_e  stopped;

    hops = 0;
    total = 0;
    begin = 0;
    tls = 0;
    url = NULL;

    curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &hops);
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &total);
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_TIME_T, &begin);
    curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &tls);
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    ngx_status_curl_times(easy, now);

    if (url && ngx_strncasecmp((u_char *) url, (u_char *) "https:", 6) == 0) {
        tls = 1;
    }

    ngx_memzero(phases, sizeof(phases));

    if (hops == c->hops && now[NGX_STATUS_CURL_ANSWERED]) {
        c->phase = NGX_STATUS_PHASE_TRANSFER;
        sum = 0;

        for (i = 0; i < NGX_STATUS_CURL_NTIMES; i++) {
            phases[i] = now[i] - sum;
            sum = ngx_max(sum, now[i]);
        }

        phases[NGX_STATUS_PHASE_TRANSFER] = total - sum;

    } else {
        left = total;
        last = NGX_STATUS_PHASE_RESOLVE;

        /* complete hops */

        if (hops) {
            sum = 0;

            for (i = 0; i < NGX_STATUS_CURL_NTIMES; i++) {
                phases[i] = c->mark[i] - sum;
                sum = ngx_max(sum, c->mark[i]);
            }

            phases[NGX_STATUS_PHASE_TRANSFER] = begin - sum;
            left = total - begin;
        }

        /* and the one that is not */

        hop = 0;

        for (i = 0; i < NGX_STATUS_CURL_NTIMES; i++) {
            sum = now[i] - (hops ? c->mark[i] : 0);

            if (sum <= 0) {
                break;
            }

            phases[i] += sum - hop;
            hop = ngx_max(hop, sum);
            last = i + 1;
        }

        stopped = last;

        if (stopped == NGX_STATUS_PHASE_TLS && c->proxy && c->tls_at == 0) {
            /* libcurl 8 tells that the proxy was connected, if what comes
             * next fails */
            stopped = NGX_STATUS_PHASE_CONNECT;
        }

        if (stopped == NGX_STATUS_PHASE_TLS && !tls) {
            stopped = NGX_STATUS_PHASE_WAIT;
        }

        left -= hop;

        if (stopped == NGX_STATUS_PHASE_CONNECT && c->tls_at) {
            stopped = NGX_STATUS_PHASE_TLS;
            hop = ngx_min(left, ngx_status_probe_clock() - c->tls_at);
            phases[NGX_STATUS_PHASE_CONNECT] += left - hop;
            left = hop;
        }

        phases[stopped] += left;
        c->phase = stopped;
    }

    if (!tls) {
        phases[NGX_STATUS_PHASE_WAIT] += phases[NGX_STATUS_PHASE_TLS];
        phases[NGX_STATUS_PHASE_TLS] = 0;
    }

    for (i = 0; i < NGX_STATUS_NPHASES; i++) {
        result->phases[i] = (uint32_t) ngx_max(0, ngx_min(phases[i],
                                                          UINT32_MAX));
    }

    result->latency = (uint32_t) ngx_max(0, ngx_min(total, UINT32_MAX));
}


void
ngx_status_curl_error(ngx_status_curl_t *c, CURL *easy, CURLcode code,
    int eai, ngx_status_evidence_t *ev)
{
    if (c->proxy && c->phase <= NGX_STATUS_PHASE_CONNECT) {

        if (ngx_status_proxy_says(easy, code, ev) != NGX_OK) {
            ngx_status_curl_direct(c, easy, code, eai, ev);
            ngx_status_proxy_blame(c->proxy, easy, ev);
        }

        return;
    }

    ngx_status_curl_direct(c, easy, code, eai, ev);
}


static void
ngx_status_curl_direct(ngx_status_curl_t *c, CURL *easy, CURLcode code,
    int eai, ngx_status_evidence_t *ev)
{
    char                          *colon, host[256];
    curl_off_t                     got, whole;
    const ngx_status_curl_word_t  *word;

    switch (code) {

    case CURLE_OPERATION_TIMEDOUT:
        ngx_status_probe_timeout(c->started, c->timeout, c->phase, ev);
        return;

    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        ngx_status_curl_peer(c, easy, host, sizeof(host));
        ngx_status_probe_unresolved(host, eai, ev);
        return;

    case CURLE_COULDNT_CONNECT:
        ngx_status_curl_unconnected(c, easy, ev);
        return;

    case CURLE_TOO_MANY_REDIRECTS:
        ngx_status_curl_redirects(easy, ev);
        return;

    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        ngx_status_curl_tls(c, easy, code, ev);
        return;

    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        ngx_status_curl_broken(c, easy, code, ev);
        return;

    case CURLE_PARTIAL_FILE:
        got = 0;
        whole = -1;

        curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
        curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &whole);

        if (whole > 0) {
            ngx_status_ev_fails(ev, NGX_STATUS_E_RESET,
                                "answer ended early: %lld of %lld bytes",
                                (long long) got, (long long) whole);
        } else {
            ngx_status_ev_fails(ev, NGX_STATUS_E_RESET,
                                "answer ended early: after %lld bytes",
                                (long long) got);
        }

        return;

    case CURLE_UNSUPPORTED_PROTOCOL:

        /* libcurl's word for HTTP/0.9 as well as for another scheme */

        if (c->phase >= NGX_STATUS_PHASE_WAIT) {
            ngx_status_ev_fails(ev, NGX_STATUS_E_PROTOCOL,
                                "answer is not HTTP");
            return;
        }

        ngx_status_curl_redirects(easy, ev);
        return;

    case CURLE_BAD_CONTENT_ENCODING:

        if (strncmp(c->text, "Unrecognized", 12) == 0) {
            ngx_status_ev_fails(ev, NGX_STATUS_E_PROTOCOL,
                                "Content-Encoding of the answer is not known");
            return;
        }

        break;

    case CURLE_BAD_FUNCTION_ARGUMENT:

        /* libcurl's word for a line among the trailers that is no header */

        if (c->phase == NGX_STATUS_PHASE_TRANSFER) {
            ngx_status_ev_fails(ev, NGX_STATUS_E_PROTOCOL,
                                "answer is not valid HTTP");
            return;
        }

        break;

    case CURLE_OUT_OF_MEMORY:

        /* libcurl's word for a header line that is over its limit, too */

        if (c->phase >= NGX_STATUS_PHASE_WAIT) {
            ngx_status_ev_fails(ev, NGX_STATUS_E_PROTOCOL,
                                "header of the answer is too large");
            return;
        }

        break;

    default:
        break;
    }

    for (word = ngx_status_curl_words; word->text; word++) {

        if (word->code != code) {
            continue;
        }

        if (word->error == NGX_STATUS_E_INTERNAL) {
            ngx_status_ev_fault(ev, "%s", word->text);
            return;
        }

        /* "HTTP/2 stream 1 was not closed cleanly: INTERNAL_ERROR (err 2)" */

        colon = code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM
                ? strchr(c->text, ':') : NULL;

        ngx_status_ev_fails(ev, word->error, "%s%.60s", word->text,
                            colon ? colon : "");
        return;
    }

#if (LIBCURL_VERSION_NUM >= 0x080600)
    if (code == CURLE_TOO_LARGE) {
        ngx_status_ev_fails(ev, NGX_STATUS_E_PROTOCOL,
                            "header of the answer is too large");
        return;
    }
#endif

    /* what is left is about us or unheard of: it must not be called down.
     * libcurl's own text might quote the URL; this one is constant */

    ngx_status_ev_fault(ev, "%s%s (libcurl %d)",
                        c->proxy && c->phase <= NGX_STATUS_PHASE_CONNECT
                        ? "proxy: " : "",
                        curl_easy_strerror(code), (int) code);
}


static void
ngx_status_curl_unconnected(ngx_status_curl_t *c, CURL *easy,
    ngx_status_evidence_t *ev)
{
    char  host[256];
    long  error;

    if (c->family != AF_UNSPEC && c->addr_len == 0 && c->socket_errno == 0) {
        ngx_status_curl_host(easy, host, sizeof(host));
        ngx_status_ev_fails(ev, NGX_STATUS_E_RESOLVE,
                            "\"%.128s\" has no IPv%d address", host,
                            c->family == AF_INET ? 4 : 6);
        return;
    }

    error = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);

    if (c->socket_errno && c->addr_len == 0) {
        /* no address got as far as connect() */
        error = c->socket_errno;
    }

    if (c->unix_socket && (error == 0 || error == EAGAIN)) {
        /* there is no waiting for a place in it */
        ngx_status_ev_fails(ev, NGX_STATUS_E_CONNECT,
                            "the socket's queue of connections is full");
        return;
    }

    ngx_status_probe_unconnected(error, c->addr_len ? &c->addr.any : NULL,
                                 c->addr_len, ev);
}


/* Too many of them, or one that leaves HTTP. */

static void
ngx_status_curl_redirects(CURL *easy, ngx_status_evidence_t *ev)
{
    long    n;
    char   *url;
    u_char  to[120];

    n = 0;
    url = NULL;

    curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &n);
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &url);

    if (url) {
        ngx_status_url_redact(to, sizeof(to), (u_char *) url, strlen(url));
        ngx_status_ev_fails(ev, NGX_STATUS_E_REDIRECT,
                            "more than %ld redirect%s, the next to %s",
                            n, n == 1 ? "" : "s", to);
        return;
    }

    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);

    if (url == NULL || ngx_strncasecmp((u_char *) url, (u_char *) "http", 4)
                       == 0)
    {
        /* it does not say to where, of schemes that it does not know */
        ngx_status_ev_fails(ev, NGX_STATUS_E_REDIRECT,
                            "redirect to another scheme, expected http or "
                            "https");
        return;
    }

    ngx_status_url_redact(to, sizeof(to), (u_char *) url, strlen(url));
    ngx_status_ev_fails(ev, NGX_STATUS_E_REDIRECT,
                        "redirect to %s, expected http or https", to);
}


static void
ngx_status_curl_tls(ngx_status_curl_t *c, CURL *easy, CURLcode code,
    ngx_status_evidence_t *ev)
{
    long         verify;
    char        *text, *colon;
    ngx_uint_t   i;

    verify = 0;
    curl_easy_getinfo(easy, c->proxy && c->phase <= NGX_STATUS_PHASE_CONNECT
                            ? CURLINFO_PROXY_SSL_VERIFYRESULT
                            : CURLINFO_SSL_VERIFYRESULT, &verify);

    for (i = 0; ngx_status_curl_verify[i].text; i++) {
        if (ngx_status_curl_verify[i].code == verify
            && c->phase <= NGX_STATUS_PHASE_TLS)
        {
            ngx_status_ev_fails(ev, NGX_STATUS_E_TLS, "%s",
                                ngx_status_curl_verify[i].text);
            return;
        }
    }

    /* libcurl compares names itself, and has no code for it */

    if (strstr(c->text, "subject name")) {
        ngx_status_ev_fails(ev, NGX_STATUS_E_TLS,
                            "certificate is for another name");
        return;
    }

    if (strstr(c->text, "reset by peer") || strstr(c->text, "Broken pipe")) {
        ngx_status_ev_fails(ev, NGX_STATUS_E_RESET,
                            "connection reset while %s",
                            ngx_status_probe_doing[c->phase]);
        return;
    }

    if (strstr(c->text, "SYSCALL") || strstr(c->text, "unexpected eof")) {
        ngx_status_ev_fails(ev, NGX_STATUS_E_RESET,
                            "connection closed while %s",
                            ngx_status_probe_doing[c->phase]);
        return;
    }

    /* "error:0A00010B:SSL routines::wrong version number": the last part is
     * for people */

    text = c->text;

    while ((colon = strchr(text, ':'))) {
        text = colon + 1;
    }

    text[strcspn(text, ",")] = '\0';

    while (*text == ' ') {
        text++;
    }

    if (code == CURLE_PEER_FAILED_VERIFICATION) {
        ngx_status_ev_fails(ev, NGX_STATUS_E_TLS,
                            "certificate is not trusted: %.100s", text);
        return;
    }

    ngx_status_ev_fails(ev, NGX_STATUS_E_TLS,
                        c->phase <= NGX_STATUS_PHASE_TLS
                        ? "TLS handshake failed: %.100s"
                        : "TLS failed: %.100s",
                        *text ? text : "no reason given");
}


static void
ngx_status_curl_broken(ngx_status_curl_t *c, CURL *easy, CURLcode code,
    ngx_status_evidence_t *ev)
{
    long  error;

    error = 0;

    if (strncmp(c->text, "Recv failure", 12) == 0
        || strncmp(c->text, "Send failure", 12) == 0)
    {
        /* else it may be of an address that was tried before */
        curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
    }

    /* libcurl keeps its first words: it asks who the peer is, when that one
     * has gone already */

    if (error == ECONNRESET || error == EPIPE
        || strstr(c->text, "reset by peer")
        || strstr(c->text, "getpeername() failed"))
    {
        ngx_status_ev_fails(ev, NGX_STATUS_E_RESET,
                            "connection reset while %s",
                            ngx_status_probe_doing[c->phase]);
        return;
    }

    if (error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH
        || error == ECONNREFUSED)
    {
        ngx_status_ev_fails(ev, NGX_STATUS_E_CONNECT,
                            "connection lost while %s: %s",
                            ngx_status_probe_doing[c->phase],
                            strerror(error));
        return;
    }

    if (strstr(c->text, "SSL")) {
        ngx_status_curl_tls(c, easy, code, ev);
        return;
    }

    if (code == CURLE_SEND_ERROR) {
        ngx_status_ev_fails(ev, NGX_STATUS_E_RESET,
                            "connection closed while sending the request");
        return;
    }

    /* chunks, TLS records, lengths: what is wrong with the bytes */

    ngx_status_ev_fails(ev, NGX_STATUS_E_PROTOCOL,
                        "answer can not be read: %.120s",
                        c->text[0] ? c->text : curl_easy_strerror(code));
}


void
ngx_status_curl_host(CURL *easy, char *host, size_t size)
{
    char   *url, *name;
    size_t  len;
    CURLU  *u;

    host[0] = '\0';
    url = NULL;
    name = NULL;

    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);

    u = curl_url();

    if (u && url && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK
        && curl_url_get(u, CURLUPART_HOST, &name, 0) == CURLUE_OK)
    {
        len = strlen(name);

        if (len > 2 && name[0] == '[') {
            snprintf(host, size, "%.*s", (int) (len - 2), name + 1);

        } else {
            snprintf(host, size, "%s", name);
        }
    }

    curl_free(name);
    curl_url_cleanup(u);
}


void
ngx_status_curl_peer(ngx_status_curl_t *c, CURL *easy, char *host,
    size_t size)
{
    if (c->proxy) {
        snprintf(host, size, "%s", c->proxy->host);
        return;
    }

    ngx_status_curl_host(easy, host, size);
}


char *
ngx_status_curl_part(ngx_pool_t *pool, CURLU *u, CURLUPart part,
    unsigned flags)
{
    char    *text, *copy;
    size_t   len;

    if (curl_url_get(u, part, &text, flags) != CURLUE_OK) {
        return NULL;
    }

    len = strlen(text);
    copy = ngx_pnalloc(pool, len + 1);

    if (copy) {
        ngx_memcpy(copy, text, len + 1);
    }

    curl_free(text);

    if (copy == NULL || part != CURLUPART_HOST) {
        return copy;
    }

    ngx_strlow((u_char *) copy, (u_char *) copy, len);

    if (copy[0] == '[' && copy[len - 1] == ']') {
        copy[len - 1] = '\0';
        copy++;
    }

    return copy;
}
