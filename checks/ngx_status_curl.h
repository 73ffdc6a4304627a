
/*
 * Copyright (C) ngx_status_module authors
 *
 * What libcurl says, in our words: phases, error classes and sentences of a
 * transfer; shared by the check types that probe through libcurl.  Checker
 * only.
 */


#ifndef _NGX_STATUS_CURL_H_INCLUDED_
#define _NGX_STATUS_CURL_H_INCLUDED_


#include "ngx_status_check.h"
#include "ngx_status_proxy.h"
#include <netinet/in.h>
#include <curl/curl.h>


/* Times that libcurl sums up over the hops of a chain of redirects. */

typedef enum {
    NGX_STATUS_CURL_RESOLVED = 0,
    NGX_STATUS_CURL_CONNECTED,
    NGX_STATUS_CURL_READY,               /* TLS too */
    NGX_STATUS_CURL_ANSWERED,
    NGX_STATUS_CURL_NTIMES
} ngx_status_curl_time_e;


/* One transfer as far as libcurl does not remember it; zeroed at first. */

typedef struct {
    const ngx_status_proxy_t  *proxy;    /* NULL: none */
    int                   family;        /* of the only addresses that count;
                                            AF_UNSPEC: all do */
    ngx_msec_t            timeout;       /* ms, the check's */
    ngx_msec_t            started;       /* ngx_current_msec */
    ngx_status_phase_e    phase;         /* how far it came; set by phases() */

    curl_off_t            mark[NGX_STATUS_CURL_NTIMES];
    long                  hops;          /* redirects followed until "mark" */
    curl_off_t            tls_at;        /* us; when this hop's TLS began; 0 */
    int                   socket_errno;  /* of the last socket() */
    ngx_uint_t            unix_socket;   /* it was one */
    socklen_t             addr_len;      /* the last address tried */
    union {
        struct sockaddr      any;
        struct sockaddr_in   in;
        struct sockaddr_in6  in6;
    } addr;
    char                  text[CURL_ERROR_SIZE];
} ngx_status_curl_t;


/* For CURLOPT_OPENSOCKETFUNCTION's callback. */
curl_socket_t ngx_status_curl_socket(ngx_status_curl_t *c,
    struct curl_sockaddr *addr);

/* For CURLOPT_SSL_CTX_FUNCTION's callback, but not of TLS to a proxy: TCP is
 * connected, which libcurl does not tell before TLS is, too. */
void ngx_status_curl_handshake(ngx_status_curl_t *c);

/* To be called when a status line arrives: where this hop begins. */
void ngx_status_curl_mark(ngx_status_curl_t *c, CURL *easy);

/* Fills the latency and the phases of a result, and c->phase. */
void ngx_status_curl_phases(ngx_status_curl_t *c, CURL *easy,
    ngx_status_result_t *result);

/*
 * Turns a code that is not CURLE_OK into evidence: our own fault, a timeout
 * or an error.  What keeps us from the proxy, or it from doing its work, is a
 * fault of ours.  "eai" is what ngx_status_loop_lookup() says of the name, for
 * CURLE_COULDNT_RESOLVE_HOST and _PROXY alone.  After phases().
 */

void ngx_status_curl_error(ngx_status_curl_t *c, CURL *easy, CURLcode code,
    int eai, ngx_status_evidence_t *ev);

/* The host that the transfer was at, NUL-terminated and without brackets;
 * empty when there is none.  peer() is the one that we connect to. */
void ngx_status_curl_host(CURL *easy, char *host, size_t size);
void ngx_status_curl_peer(ngx_status_curl_t *c, CURL *easy, char *host,
    size_t size);

/* A part of a URL, from the pool; a host is in lower case and has no
 * brackets.  NULL: there is none, or no memory.  Any process. */
char *ngx_status_curl_part(ngx_pool_t *pool, CURLU *u, CURLUPart part,
    unsigned flags);


#endif /* _NGX_STATUS_CURL_H_INCLUDED_ */
