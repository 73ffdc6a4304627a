
/*
 * Copyright (C) ngx_status_module authors
 *
 * The certificates that probes see: when they and their chains end, who has
 * issued them, for which names, whether they verify.  Checker only.
 *
 * What libcurl tells (CURLOPT_CERTINFO) is text to be taken apart, and it
 * tells nothing when it does not trust a certificate.  So it is looked at
 * within the handshake, where libcurl and this module use the same OpenSSL.
 * Without that, only the ends are known, of handshakes that succeeded.
 *
 * What was seen is kept from probe to probe: an old connection does not show
 * its certificate again.  ngx_status_cert_end(), which probe_end() calls,
 * makes it part of the result and of the evidence.
 */


#ifndef _NGX_STATUS_CERT_H_INCLUDED_
#define _NGX_STATUS_CERT_H_INCLUDED_


#include "ngx_status_check.h"
#include <curl/curl.h>


/* The sentence of a refused handshake that end() may add to */
#define NGX_STATUS_CERT_UNKNOWN_ISSUER  "certificate of an unknown issuer"


/* Whether handshakes of libcurl can be looked into; else CURLOPT_CERTINFO is
 * to be set, and info() to be called.  Any process. */

ngx_uint_t ngx_status_cert_watches(void);


/*
 * In CURLOPT_SSL_CTX_FUNCTION's callback, where watches(): the handshake that
 * follows is to be seen.  "trust": libcurl verifies by the check's file of
 * trusted certificates; and where tls_verify is off, then what libcurl would
 * refuse is taken.  NGX_ERROR: no memory; the transfer must not go on.
 */

ngx_int_t ngx_status_cert_watch(ngx_status_probe_t *probe, CURL *easy,
    void *ssl_ctx, ngx_uint_t trust);

/* After a transfer, where nobody watches. */
void ngx_status_cert_info(ngx_status_probe_t *probe, CURL *easy);

/* Of an OpenSSL connection that a library has made, PQsslStruct()'s, after
 * the handshake; "verified" is NGX_STATUS_CERT_*. */
void ngx_status_cert_ssl(ngx_status_probe_t *probe, void *ssl,
    ngx_uint_t verified);


/* Whether the check has ever shown one. */
ngx_uint_t ngx_status_cert_known(const ngx_status_probe_t *probe);

/*
 * Fills result and evidence with what was seen since the last call; "again":
 * or else before, because the connection was an old one.  The evidence
 * borrows from what is kept until the next probe.
 */

void ngx_status_cert_end(ngx_status_probe_t *probe, ngx_uint_t again,
    ngx_status_evidence_t *ev);


#endif /* _NGX_STATUS_CERT_H_INCLUDED_ */
