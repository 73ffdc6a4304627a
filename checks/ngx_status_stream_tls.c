
/*
 * Copyright (C) ngx_status_module authors
 *
 * From a connected socket to TLS: STARTTLS in the clear (talk), then the
 * handshake (tls, secured).
 *
 * That is the one of a connection which libcurl makes for an https URL and
 * leaves to us (CURLOPT_CONNECT_ONLY); it is given the socket, and an address
 * only for the form.
 */


#include "ngx_status_stream_inside.h"
#include "ngx_status_cert.h"


static ngx_int_t ngx_status_stream_say(ngx_status_stream_t *s,
    ngx_status_evidence_t *ev);
static ngx_int_t ngx_status_stream_listen(ngx_status_stream_t *s,
    ngx_status_evidence_t *ev);
static void ngx_status_stream_me(int fd, char *text, size_t size);
static void ngx_status_stream_tls(ngx_status_stream_t *s);
static ngx_int_t ngx_status_stream_setup(ngx_status_stream_t *s, CURL *easy);
static curl_socket_t ngx_status_stream_on_socket(void *ctx,
    curlsocktype purpose, struct curl_sockaddr *addr);
static int ngx_status_stream_on_option(void *ctx, curl_socket_t fd,
    curlsocktype purpose);
static int ngx_status_stream_on_close(void *ctx, curl_socket_t fd);
static CURLcode ngx_status_stream_on_handshake(CURL *easy, void *ssl,
    void *ctx);
static void ngx_status_stream_secured(ngx_status_transfer_t *t,
    CURLcode code);


/* An address, so that libcurl resolves nothing; nobody connects to it. */

static struct curl_slist  ngx_status_stream_nowhere = {
    (char *) "::127.0.0.1:1", NULL
};


void
ngx_status_stream_secure(ngx_status_stream_t *s)
{
    if (s->conf->starttls == NGX_STATUS_STARTTLS_NONE) {
        ngx_status_stream_tls(s);
        return;
    }

    ngx_status_starttls_begin(&s->starttls, s->conf->starttls);
    ngx_status_stream_talk(s);
}


/* In the clear, until it is agreed upon TLS. */

void
ngx_status_stream_talk(ngx_status_stream_t *s)
{
    ngx_int_t              rc;
    ngx_status_evidence_t  ev;

    ngx_memzero(&ev, sizeof(ngx_status_evidence_t));

    do {
        rc = ngx_status_stream_say(s, &ev);

        if (rc == NGX_OK) {
            rc = ngx_status_stream_write(s, &ev);
        }

        if (rc == NGX_OK) {
            rc = ngx_status_stream_listen(s, &ev);
        }

    } while (rc == NGX_DECLINED);

    if (rc == NGX_OK) {
        ngx_status_stream_tls(s);
        return;
    }

    if (rc == NGX_AGAIN) {
        rc = ngx_status_stream_watch(s, &ev);
    }

    if (rc == NGX_ERROR) {
        ngx_status_stream_fail(s, &ev);
    }
}


static ngx_int_t
ngx_status_stream_say(ngx_status_stream_t *s, ngx_status_evidence_t *ev)
{
    size_t  len;

    len = s->starttls.out_len;
    s->starttls.out_len = 0;

    if (len && ngx_status_stream_push(s, s->starttls.out, len) != NGX_OK) {
        ngx_status_ev_fault(ev, "no memory");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* NGX_DECLINED: there may be more, or something to be answered. */

static ngx_int_t
ngx_status_stream_listen(ngx_status_stream_t *s, ngx_status_evidence_t *ev)
{
    char           me[NGX_SOCKADDR_STRLEN];
    u_char         buf[1024];
    size_t         len;
    ngx_int_t      rc;
    const u_char  *p, *last;

    len = sizeof(buf);
    rc = ngx_status_stream_read(s, buf, &len, ev);

    if (rc != NGX_OK) {
        return rc;
    }

    if (len == 0) {
        ngx_status_probe_broken(0, s->phase, ev);
        return NGX_ERROR;
    }

    ngx_status_stream_me(s->fd, me, sizeof(me));

    p = buf;
    last = buf + len;

    do {
        rc = ngx_status_starttls_feed(&s->starttls, me, &p, last);

        if (ngx_status_stream_say(s, ev) != NGX_OK) {
            return NGX_ERROR;
        }

    } while (rc == NGX_AGAIN && p < last);

    if (rc == NGX_ERROR) {
        ngx_status_ev_fails(ev, s->starttls.error, "%s",
                            s->starttls.message);

    } else if (rc == NGX_OK && p < last) {

        /* it would be taken for what came in TLS [RFC 9051, 11.1] */

        ngx_status_ev_fails(ev, NGX_STATUS_E_PROTOCOL,
                            "more came in the clear when TLS was to begin");
        rc = NGX_ERROR;
    }

    return rc == NGX_AGAIN ? NGX_DECLINED : rc;
}


/* Our address as SMTP wants it [RFC 5321, 4.1.3]; a name that the server
 * would like better is not known. */

static void
ngx_status_stream_me(int fd, char *text, size_t size)
{
    u_char                   addr[NGX_SOCKADDR_STRLEN];
    size_t                   len;
    socklen_t                salen;
    struct sockaddr_storage  sa;

    salen = sizeof(sa);
    len = 0;

    if (getsockname(fd, (struct sockaddr *) &sa, &salen) == 0) {
        len = ngx_sock_ntop((struct sockaddr *) &sa, salen, addr,
                            sizeof(addr), 0);
    }

    snprintf(text, size, "[%s%.*s]",
             len && sa.ss_family == AF_INET6 ? "IPv6:" : "", (int) len,
             (char *) addr);
}


static void
ngx_status_stream_tls(ngx_status_stream_t *s)
{
    CURL                   *easy;
    ngx_status_evidence_t   ev;

    ngx_status_stream_phase(s, NGX_STATUS_PHASE_TLS);

    (void) ngx_status_loop_watch(&s->watch, 0);

    s->curl.timeout = s->probe->check->timeout;
    s->curl.started = s->probe->started;

    easy = ngx_status_easy_take(s->curl.text);

    s->transfer.easy = easy;
    s->transfer.data = s;
    s->transfer.done = ngx_status_stream_secured;
    s->transfer.stays = 1;

    if (easy && ngx_status_stream_setup(s, easy) == NGX_OK
        && ngx_status_loop_add(&s->transfer) == NGX_OK)
    {
        s->added = 1;
        return;
    }

    ngx_memzero(&ev, sizeof(ngx_status_evidence_t));
    ngx_status_ev_fault(&ev, "TLS could not be begun");
    ngx_status_stream_fail(s, &ev);
}


static ngx_int_t
ngx_status_stream_setup(ngx_status_stream_t *s, CURL *easy)
{
    int  rc;

#define set(option, value)  rc |= curl_easy_setopt(easy, option, value)

    rc = 0;

    set(CURLOPT_URL, s->conf->url);
    set(CURLOPT_CONNECT_TO, &ngx_status_stream_nowhere);
    set(CURLOPT_CONNECT_ONLY, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, (long) s->curl.timeout);
    set(CURLOPT_SSL_ENABLE_ALPN, 0L);

    set(CURLOPT_OPENSOCKETFUNCTION, ngx_status_stream_on_socket);
    set(CURLOPT_OPENSOCKETDATA, s);
    set(CURLOPT_SOCKOPTFUNCTION, ngx_status_stream_on_option);
    set(CURLOPT_CLOSESOCKETFUNCTION, ngx_status_stream_on_close);

    if (ngx_status_cert_watches()) {
        set(CURLOPT_SSL_CTX_FUNCTION, ngx_status_stream_on_handshake);
        set(CURLOPT_SSL_CTX_DATA, s);
    }

#undef set

    if (rc) {
        return NGX_ERROR;
    }

    return ngx_status_easy_tls(easy, s->probe->check, &s->conf->files, 1, 1);
}


static curl_socket_t
ngx_status_stream_on_socket(void *ctx, curlsocktype purpose,
    struct curl_sockaddr *addr)
{
    ngx_status_stream_t  *s;

    (void) purpose;
    (void) addr;

    s = ctx;

    if (s->lent) {
        return CURL_SOCKET_BAD;
    }

    s->lent = 1;

    return s->fd;
}


/*
 * libcurl 7.88 calls connect() all the same; on Linux that says yes once
 * after a connection that was made without waiting, as ours was.
 */

static int
ngx_status_stream_on_option(void *ctx, curl_socket_t fd,
    curlsocktype purpose)
{
    (void) ctx;
    (void) fd;
    (void) purpose;

    return CURL_SOCKOPT_ALREADY_CONNECTED;
}


static int
ngx_status_stream_on_close(void *ctx, curl_socket_t fd)
{
    (void) ctx;

    ngx_status_stream_goodbye(fd);

    return 0;
}


static CURLcode
ngx_status_stream_on_handshake(CURL *easy, void *ssl, void *ctx)
{
    ngx_status_stream_t  *s;

    s = ctx;

    return ngx_status_cert_watch(s->probe, easy, ssl,
                                 s->conf->files.ca != NULL)
           == NGX_OK ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}


static void
ngx_status_stream_secured(ngx_status_transfer_t *t, CURLcode code)
{
    ngx_status_stream_t    *s;
    ngx_status_evidence_t   ev;

    s = t->data;

    ngx_status_cert_info(s->probe, t->easy);

    if (code == CURLE_OK) {
        s->secure = 1;
        ngx_status_stream_turn(s);
        return;
    }

    ngx_memzero(&ev, sizeof(ngx_status_evidence_t));
    ngx_status_stream_error(s, code, &ev);
    ngx_status_stream_fail(s, &ev);
}


void
ngx_status_stream_error(ngx_status_stream_t *s, CURLcode code,
    ngx_status_evidence_t *ev)
{
    long  error;

    switch (code) {

    case CURLE_COULDNT_CONNECT:

        /* it was connected, and is no longer */

        error = 0;
        curl_easy_getinfo(s->transfer.easy, CURLINFO_OS_ERRNO, &error);
        ngx_status_probe_broken(error, s->phase, ev);
        return;

    case CURLE_UNSUPPORTED_PROTOCOL:
        ngx_status_ev_fault(ev, "libcurl has lost the connection");
        return;

    default:
        s->curl.phase = s->phase;
        ngx_status_curl_error(&s->curl, s->transfer.easy, code, 0, ev);
        return;
    }
}
