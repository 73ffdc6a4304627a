
/*
 * Copyright (C) ngx_status_module authors
 *
 * "proxy URL": through what libcurl goes to the target, and who of the two is
 * to blame.  What keeps us from the proxy, or it from doing its work, is no
 * word about the target: a fault of ours.
 */


#ifndef _NGX_STATUS_PROXY_H_INCLUDED_
#define _NGX_STATUS_PROXY_H_INCLUDED_


#include "ngx_status_check.h"
#include <curl/curl.h>


/* A row for types over libcurl; not hidden as a whole, but for its password */

#define NGX_STATUS_OPTION_PROXY                                              \
    { ngx_string("proxy"), NGX_STATUS_OPTION_SECRET, "shown", 0, 0 }


/* Of a check; what it points to is libcurl's to read only. */

typedef struct {
    const char  *url;                    /* with credentials; NULL: none */
    const char  *host;                   /* of it; no brackets */
    unsigned     tls:1;                  /* to the proxy itself */
    unsigned     tunnel:1;               /* it connects us for http://, too */
} ngx_status_proxy_t;


/* Reads the option for a type's conf().  Master; memory from the pool;
 * NGX_ERROR with a sentence, in which nothing of the URL is. */
ngx_int_t ngx_status_proxy_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_proxy_t *proxy, char *err, size_t errlen);

/* The options of a handle; "ca" is the file of trusted certificates.
 * Checker, as all that follows. */
ngx_int_t ngx_status_proxy_set(const ngx_status_proxy_t *proxy, CURL *easy,
    const ngx_status_check_t *check, const char *ca);

/*
 * Of a transfer that failed before it came to the target.  says() makes what
 * the proxy answered into evidence; NGX_DECLINED: it did not.  blame() makes
 * evidence of what happened on the way to it into a fault.
 */

ngx_int_t ngx_status_proxy_says(CURL *easy, CURLcode code,
    ngx_status_evidence_t *ev);
void ngx_status_proxy_blame(const ngx_status_proxy_t *proxy, CURL *easy,
    ngx_status_evidence_t *ev);

/* It does not know us. */
void ngx_status_proxy_login(ngx_status_evidence_t *ev);


#endif /* _NGX_STATUS_PROXY_H_INCLUDED_ */
