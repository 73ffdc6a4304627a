
/*
 * Copyright (C) ngx_status_module authors
 *
 * A connection that bytes go through, plain or in TLS, for types that speak a
 * protocol themselves: tcp, tls, redis.  The socket is dialled
 * (ngx_status_dial.h); STARTTLS dialects are spoken in the clear; the TLS is
 * libcurl's, on that same socket, with the check's tls_verify, tls_ca and
 * tls_cert, and its words for what goes wrong.  Checker only.
 */


#ifndef _NGX_STATUS_STREAM_H_INCLUDED_
#define _NGX_STATUS_STREAM_H_INCLUDED_


#include "ngx_status_dial.h"
#include "ngx_status_curl.h"
#include "ngx_status_easy.h"
#include "ngx_status_starttls.h"


/* The name that TLS asks for and verifies, instead of the URL's host. */

#define NGX_STATUS_OPTION_TLS_NAME                                           \
    { ngx_string("tls_name"), NGX_STATUS_OPTION_TEXT, NULL, 0, 0 }


/*
 * What all streams of a check share, made by its type's conf(): files read,
 * names prepared.  Without a port in the URL or by the type's default that of
 * STARTTLS is filled in.  Master; memory from the pool; NULL with a sentence.
 */

typedef struct ngx_status_stream_conf_s  ngx_status_stream_conf_t;

ngx_status_stream_conf_t *ngx_status_stream_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_uint_t tls, ngx_status_starttls_e starttls,
    char *err, size_t errlen);


typedef struct ngx_status_stream_s  ngx_status_stream_t;

/*
 * Of a connection.  open() begins; then, from the loop, never from within:
 * ready() once, connected and in TLS where that is asked for; read() each
 * time something came (len 0: the peer has closed its side, and that is all);
 * failed() once, also before ready(), and the last call, with the evidence
 * that says why: the timeout of the check is the stream's to keep.  send()
 * takes a copy, NGX_ERROR is no memory; what can go at once has gone when it
 * returns.  close() ends it at any time, from within these calls too, without
 * a call, and frees it; it is for the type's stop() and for its end.
 *
 * probe->result's phases and latency are kept up to the newest of what is
 * told by these calls; the certificate is ngx_status_probe_end()'s to take.
 * The evidence is zero but for its reason.
 */

typedef struct {
    void  (*ready)(void *data);
    void  (*read)(void *data, u_char *bytes, size_t len);
    void  (*failed)(void *data, ngx_status_evidence_t *ev);
} ngx_status_stream_handler_t;

/* NULL: no memory. */
ngx_status_stream_t *ngx_status_stream_open(ngx_status_probe_t *probe,
    const ngx_status_stream_conf_t *conf,
    const ngx_status_stream_handler_t *handler, void *data);
ngx_int_t ngx_status_stream_send(ngx_status_stream_t *s, const u_char *bytes,
    size_t len);
void ngx_status_stream_close(ngx_status_stream_t *s);

/* The address that it is connected to, without its port. */
const char *ngx_status_stream_address(const ngx_status_stream_t *s);


#endif /* _NGX_STATUS_STREAM_H_INCLUDED_ */
