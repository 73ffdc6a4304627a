
/*
 * Copyright (C) ngx_status_module authors
 *
 * libcurl's handles, as far as all types that use them ask the same of
 * libcurl: nothing from the environment, nothing remembered of the last
 * time, TLS as the check says.  What libcurl says is in ngx_status_curl.h.
 */


#ifndef _NGX_STATUS_EASY_H_INCLUDED_
#define _NGX_STATUS_EASY_H_INCLUDED_


#include "ngx_status_check.h"
#include <curl/curl.h>


/* Of a check; what it points to is libcurl's to read only. */

typedef struct {
    const char        *ca;               /* file; NULL: nothing is verified */
    off_t              ca_size;          /* bytes of it */
    struct curl_blob   cert;             /* the client's; data NULL: none */
    struct curl_blob   key;
} ngx_status_tls_t;


/*
 * Reads tls_ca and tls_cert for a type's conf().  "certain": probes do come
 * to TLS, so that it is an error when there is no file to verify by.
 * Master; memory from the pool; NGX_ERROR with a sentence.
 */

ngx_int_t ngx_status_tls_conf(ngx_pool_t *pool,
    const ngx_status_check_t *check, ngx_uint_t certain,
    ngx_status_tls_t *tls, char *err, size_t errlen);


/*
 * A handle, idle ones first, whose words go into "text" (CURL_ERROR_SIZE
 * bytes); NULL: no memory.  put() takes it back, no longer in the multi
 * handle, and not from within libcurl's callbacks.  Checker.
 */

CURL *ngx_status_easy_take(char *text);
void ngx_status_easy_put(CURL *easy);

/*
 * With "look" the certificate is looked at: where ngx_status_cert_watches(),
 * a callback of the caller's is to call ngx_status_cert_watch().  With
 * "known" the peer gets the client certificate if it asks for one.  Checker.
 */

ngx_int_t ngx_status_easy_tls(CURL *easy, const ngx_status_check_t *check,
    const ngx_status_tls_t *tls, ngx_uint_t look, ngx_uint_t known);


#endif /* _NGX_STATUS_EASY_H_INCLUDED_ */
