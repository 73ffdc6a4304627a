
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


/* The words of the option "starttls", in this order. */

typedef enum {
    NGX_STATUS_STARTTLS_SMTP = 0,
    NGX_STATUS_STARTTLS_IMAP,
    NGX_STATUS_STARTTLS_POP3,
    NGX_STATUS_STARTTLS_FTP,
    NGX_STATUS_STARTTLS_LDAP,
    NGX_STATUS_STARTTLS_POSTGRES,
    NGX_STATUS_STARTTLS_NONE
} ngx_status_starttls_e;

#define NGX_STATUS_OPTION_STARTTLS                                           \
    { ngx_string("starttls"), NGX_STATUS_OPTION_WORD,                        \
      "smtp imap pop3 ftp ldap postgres", 0, 0 }


/*
 * What all streams of a check share, made by its type's conf(): files read,
 * names prepared.  Master; memory from the pool; NGX_ERROR with a sentence.
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
 * failed() once, also before ready(), with the evidence that says why: the
 * timeout of the check is the stream's to keep.  send() takes a copy and
 * NGX_ERROR is no memory.  close() ends it at any time, without a call, and
 * frees it; it is for the type's stop() and for its end.  While it is open
 * and when it is closed it keeps probe->result's phases, latency (until now)
 * and certificate.
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


#endif /* _NGX_STATUS_STREAM_H_INCLUDED_ */
