
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_cert.h"
#include "ngx_status_curl.h"
#include <arpa/inet.h>
#include <math.h>
#if (NGX_STATUS_OPENSSL)
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#endif


#define NGX_STATUS_CERT_NAMES   32768    /* bytes of names; with more, none */
#define NGX_STATUS_CERT_ISSUER  256


/*
 * Connections keep a pointer to it for as long as libcurl keeps them, and a
 * peer may begin another handshake in any of them, even while they are being
 * closed: so it is never freed, and is written only when "watching".
 */

typedef struct ngx_status_cert_seen_s  ngx_status_cert_seen_t;

struct ngx_status_cert_seen_s {
    int64_t                  expires;    /* s since the epoch; 0: none yet */
    ngx_status_cert_t        cert;
    char                     issuer[NGX_STATUS_CERT_ISSUER];
    u_char                  *names;      /* each with its LF */
    size_t                   len;
    size_t                   size;

    char                     host[256];  /* of the URL */
    unsigned                 verify:1;   /* what is not trusted is refused */
    unsigned                 trust:1;
    unsigned                 cut:1;      /* there are more names */
    unsigned                 alone:1;    /* none but the peer's own was sent */
    unsigned                 watching:1;
    unsigned                 fresh:1;    /* seen since the last end() */
    ngx_status_cert_seen_t  *next;
};


static ngx_status_cert_seen_t *ngx_status_cert_seen(
    ngx_status_probe_t *probe);
#if (NGX_STATUS_OPENSSL)
static int ngx_status_cert_verify(X509_STORE_CTX *ctx, void *data);
static ngx_uint_t ngx_status_cert_is_for(X509_STORE_CTX *ctx, X509 *leaf,
    const char *host);
static void ngx_status_cert_take(ngx_status_cert_seen_t *seen, X509 *leaf,
    STACK_OF(X509) *chain);
static int64_t ngx_status_cert_time(const ASN1_TIME *at);
static void ngx_status_cert_issuer(ngx_status_cert_seen_t *seen, X509 *leaf);
static size_t ngx_status_cert_entry(const X509_NAME *name, int nid,
    char *text, size_t size);
static void ngx_status_cert_names(ngx_status_cert_seen_t *seen, X509 *leaf);
static void ngx_status_cert_name(ngx_status_cert_seen_t *seen,
    const void *name, size_t len);
#endif


/* for leak checkers only */
static ngx_status_cert_seen_t  *ngx_status_certs;


static ngx_status_cert_seen_t *
ngx_status_cert_seen(ngx_status_probe_t *probe)
{
    ngx_status_cert_seen_t  *seen;

    seen = probe->cert;

    if (seen == NULL) {
        seen = calloc(1, sizeof(ngx_status_cert_seen_t));

        if (seen) {
            seen->next = ngx_status_certs;
            ngx_status_certs = seen;
            probe->cert = seen;
        }
    }

    return seen;
}


ngx_uint_t
ngx_status_cert_known(const ngx_status_probe_t *probe)
{
    return probe->cert && probe->cert->expires;
}


void
ngx_status_cert_end(ngx_status_probe_t *probe, ngx_uint_t again,
    ngx_status_evidence_t *ev)
{
    int64_t                  now;
    ngx_status_result_t     *result;
    ngx_status_cert_seen_t  *seen;

    seen = probe->cert;

    if (seen == NULL) {
        return;
    }

    again |= seen->fresh;
    seen->watching = 0;
    seen->fresh = 0;

    if (!again || seen->expires == 0) {
        return;
    }

    now = ngx_time();
    result = &probe->result;

    if (seen->alone && ev->error == NGX_STATUS_E_TLS
        && ngx_strcmp(ev->message, NGX_STATUS_CERT_UNKNOWN_ISSUER) == 0)
    {
        /* more often than not that is why */
        ngx_status_message(ev->message, NGX_STATUS_CERT_UNKNOWN_ISSUER
                           ", and no intermediate was sent");
    }

    result->cert_expires = seen->expires;
    result->cert = seen->cert;

    ev->have |= ngx_status_subject_bit(NGX_STATUS_S_CERT);
    ev->number[NGX_STATUS_S_CERT] = seen->expires - now;

    ev->number[NGX_STATUS_S_CERT_CHAIN] = seen->cert.chain_expires
                                          ? seen->cert.chain_expires - now
                                          : NAN;

    ev->number[NGX_STATUS_S_CERT_VERIFIED] =
                       seen->cert.verified == NGX_STATUS_CERT_UNKNOWN
                       ? NAN : seen->cert.verified == NGX_STATUS_CERT_VERIFIED;

    ev->string[NGX_STATUS_S_CERT_ISSUER].data = (u_char *) seen->issuer;
    ev->string[NGX_STATUS_S_CERT_ISSUER].len = ngx_strlen(seen->issuer);
    ev->string[NGX_STATUS_S_CERT_NAMES].data = seen->names;
    ev->string[NGX_STATUS_S_CERT_NAMES].len = seen->len;
}


void
ngx_status_cert_info(ngx_status_probe_t *probe, CURL *easy)
{
    int                      i;
    long                     verify;
    time_t                   t;
    struct curl_slist       *line;
    struct curl_certinfo    *info;
    ngx_status_cert_seen_t  *seen;

    info = NULL;
    verify = 1;

    curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info);
    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verify);

    if (ngx_status_cert_watches() || info == NULL || info->num_of_certs < 1) {
        return;
    }

    seen = ngx_status_cert_seen(probe);

    if (seen == NULL) {
        return;
    }

    seen->fresh = 1;
    seen->expires = 0;
    seen->cert.chain_expires = 0;
    seen->cert.verified = !probe->check->tls_verify ? NGX_STATUS_CERT_UNKNOWN
                          : verify == 0 ? NGX_STATUS_CERT_VERIFIED
                          : NGX_STATUS_CERT_REJECTED;

    /* the first is the peer's own */

    for (i = 0; i < info->num_of_certs; i++) {
        for (line = info->certinfo[i]; line; line = line->next) {

            if (ngx_strncmp(line->data, "Expire date:", 12) != 0) {
                continue;
            }

            t = curl_getdate(line->data + 12, NULL);

            if (t == -1) {
                continue;
            }

            if (i == 0) {
                seen->expires = t;
            }

            if (seen->cert.chain_expires == 0
                || t < seen->cert.chain_expires)
            {
                seen->cert.chain_expires = t;
            }
        }
    }
}


#if (NGX_STATUS_OPENSSL)

ngx_uint_t
ngx_status_cert_watches(void)
{
    const char              *version;
    curl_version_info_data  *info;

    static ngx_int_t  same = -1;

    /* "OpenSSL/3.0.19"; in brackets it is one of several, and not in use */

    if (same == -1) {
        info = curl_version_info(CURLVERSION_NOW);
        version = info->ssl_version ? info->ssl_version : "";

        same = ngx_strncmp(version, "OpenSSL/", 8) == 0
               && ngx_strcmp(version + 8,
                             OpenSSL_version(OPENSSL_VERSION_STRING))
                  == 0;
    }

    return same;
}


ngx_int_t
ngx_status_cert_watch(ngx_status_probe_t *probe, CURL *easy, void *ssl_ctx,
    ngx_uint_t trust)
{
    ngx_status_cert_seen_t  *seen;

    seen = ngx_status_cert_seen(probe);

    if (seen == NULL) {
        return NGX_ERROR;
    }

    seen->verify = probe->check->tls_verify;
    seen->trust = trust;
    seen->watching = 1;

    ngx_status_curl_host(easy, seen->host, sizeof(seen->host));

    SSL_CTX_set_cert_verify_callback(ssl_ctx, ngx_status_cert_verify, seen);

    return NGX_OK;
}


/* In the place of X509_verify_cert(), as which it returns. */

static int
ngx_status_cert_verify(X509_STORE_CTX *ctx, void *data)
{
    int                      ok;
    X509                    *leaf;
    ngx_status_cert_seen_t  *seen;

    seen = data;

    /* libcurl takes the first error that is left for that of the handshake */
    ERR_set_mark();

    ok = X509_verify_cert(ctx) > 0;
    leaf = X509_STORE_CTX_get0_cert(ctx);

    if (seen->watching && leaf) {
        ngx_status_cert_take(seen, leaf, X509_STORE_CTX_get0_untrusted(ctx));

        seen->cert.verified = !seen->trust ? NGX_STATUS_CERT_UNKNOWN
                              : ok && ngx_status_cert_is_for(ctx, leaf,
                                                             seen->host)
                              ? NGX_STATUS_CERT_VERIFIED
                              : NGX_STATUS_CERT_REJECTED;
    }

    ERR_pop_to_mark();

    if (seen->verify) {
        return ok;
    }

    X509_STORE_CTX_set_error(ctx, X509_V_OK);

    return 1;
}


/* The name is the one that libcurl has sent; there is none for an address. */

static ngx_uint_t
ngx_status_cert_is_for(X509_STORE_CTX *ctx, X509 *leaf, const char *host)
{
    SSL         *ssl;
    const char  *name;

    ssl = X509_STORE_CTX_get_ex_data(ctx,
                                     SSL_get_ex_data_X509_STORE_CTX_idx());
    name = ssl ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) : NULL;

    if (name == NULL) {
        return X509_check_ip_asc(leaf, host, 0) == 1;
    }

    return X509_check_host(leaf, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                           NULL)
           == 1;
}


void
ngx_status_cert_ssl(ngx_status_probe_t *probe, void *ssl, ngx_uint_t verified)
{
    X509                    *leaf;
    ngx_status_cert_seen_t  *seen;

    leaf = ssl ? SSL_get1_peer_certificate(ssl) : NULL;
    seen = leaf ? ngx_status_cert_seen(probe) : NULL;

    if (seen) {
        ERR_set_mark();
        ngx_status_cert_take(seen, leaf, SSL_get_peer_cert_chain(ssl));
        seen->cert.verified = verified;
        ERR_pop_to_mark();
    }

    X509_free(leaf);
}


static void
ngx_status_cert_take(ngx_status_cert_seen_t *seen, X509 *leaf,
    STACK_OF(X509) *chain)
{
    int      i;
    int64_t  expires;

    expires = ngx_status_cert_time(X509_get0_notAfter(leaf));

    seen->fresh = 1;
    seen->expires = expires;
    seen->alone = sk_X509_num(chain) <= 1;

    for (i = 0; i < sk_X509_num(chain); i++) {
        expires = ngx_min(expires, ngx_status_cert_time(X509_get0_notAfter(
                                                   sk_X509_value(chain, i))));
    }

    seen->cert.chain_expires = expires;

    ngx_status_cert_issuer(seen, leaf);
    ngx_status_cert_names(seen, leaf);
}


/* 0: it is no time. */

static int64_t
ngx_status_cert_time(const ASN1_TIME *at)
{
    struct tm  tm;

    return ASN1_TIME_to_tm(at, &tm) == 1 ? (int64_t) timegm(&tm) : 0;
}


static void
ngx_status_cert_issuer(ngx_status_cert_seen_t *seen, X509 *leaf)
{
    char              cn[120], o[120];
    const X509_NAME  *issuer;

    issuer = X509_get_issuer_name(leaf);

    (void) ngx_status_cert_entry(issuer, NID_organizationName, o, sizeof(o));

    if (ngx_status_cert_entry(issuer, NID_commonName, cn, sizeof(cn)) == 0
        && ngx_status_cert_entry(issuer, NID_organizationalUnitName, cn,
                                 sizeof(cn))
           == 0)
    {
        ngx_memcpy(cn, o, sizeof(o));
    }

    /* not "Amazon RSA 2048 M02 (Amazon)" */

    if (o[0] == '\0' || ngx_strncmp(cn, o, ngx_strlen(o)) == 0) {
        snprintf(seen->issuer, sizeof(seen->issuer), "%s", cn);

    } else {
        snprintf(seen->issuer, sizeof(seen->issuer), "%s (%s)", cn, o);
    }

    ngx_status_text_copy(seen->cert.issuer, NGX_STATUS_ISSUER,
                         (u_char *) seen->issuer, ngx_strlen(seen->issuer));
}


/* The last of several is the closest; returns the length. */

static size_t
ngx_status_cert_entry(const X509_NAME *name, int nid, char *text, size_t size)
{
    int      i, last, len;
    u_char  *utf8;

    text[0] = '\0';
    last = -1;

    while ((i = X509_NAME_get_index_by_NID(name, nid, last)) >= 0) {
        last = i;
    }

    if (last < 0) {
        return 0;
    }

    utf8 = NULL;
    len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(
                                         X509_NAME_get_entry(name, last)));

    if (len > 0) {
        ngx_status_text_copy(text, size, utf8, len);
    }

    OPENSSL_free(utf8);

    return ngx_strlen(text);
}


/* Those that verifying would compare: without any, the common name. */

static void
ngx_status_cert_names(ngx_status_cert_seen_t *seen, X509 *leaf)
{
    int             i, len;
    char            text[256];
    size_t          n;
    u_char         *p, *last, *name, *end;
    const u_char   *data;
    GENERAL_NAME   *general;
    GENERAL_NAMES  *names;

    seen->len = 0;
    seen->cut = 0;
    seen->cert.nnames = 0;

    names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);

    for (i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        general = sk_GENERAL_NAME_value(names, i);

        if (general->type == GEN_DNS) {
            ngx_status_cert_name(seen,
                                 ASN1_STRING_get0_data(general->d.dNSName),
                                 ASN1_STRING_length(general->d.dNSName));

        } else if (general->type == GEN_IPADD) {
            data = ASN1_STRING_get0_data(general->d.iPAddress);
            len = ASN1_STRING_length(general->d.iPAddress);

            if ((len == 4 || len == 16)
                && inet_ntop(len == 4 ? AF_INET : AF_INET6, data, text,
                             sizeof(text)))
            {
                ngx_status_cert_name(seen, text, ngx_strlen(text));
            }
        }
    }

    GENERAL_NAMES_free(names);

    if (seen->cert.nnames == 0
        && ngx_status_cert_entry(X509_get_subject_name(leaf), NID_commonName,
                                 text, sizeof(text))
        && strchr(text, ' ') == NULL)
    {
        ngx_status_cert_name(seen, text, ngx_strlen(text));
    }

    /* those that fit are shown; conditions want all of them */

    p = (u_char *) seen->cert.names;
    last = p + NGX_STATUS_NAMES - 1;
    name = seen->names;
    end = seen->len ? name + seen->len : name;

    while (name < end) {
        n = (u_char *) memchr(name, LF, end - name) - name;

        if (n + 1 > (size_t) (last - p)) {
            break;
        }

        if (p != (u_char *) seen->cert.names) {
            *p++ = ' ';
        }

        p = ngx_cpymem(p, name, n);
        name += n + 1;
    }

    *p = '\0';

    if (seen->cut) {
        seen->len = 0;
    }
}


/* What is no part of a name becomes a "?". */

static void
ngx_status_cert_name(ngx_status_cert_seen_t *seen, const void *name,
    size_t len)
{
    size_t         i, size;
    u_char        *p;
    const u_char  *from;

    from = name;
    size = seen->len + len + 1;

    if (len == 0) {
        return;
    }

    if (seen->cert.nnames < UINT16_MAX) {
        seen->cert.nnames++;
    }

    if (size > seen->size && size <= NGX_STATUS_CERT_NAMES) {

        size = ngx_max(size, ngx_min(seen->size * 2, NGX_STATUS_CERT_NAMES));
        p = realloc(seen->names, size);

        if (p) {
            seen->names = p;
            seen->size = size;
        }
    }

    if (seen->len + len + 1 > seen->size) {
        seen->cut = 1;
        return;
    }

    p = seen->names + seen->len;

    for (i = 0; i < len; i++) {
        *p++ = (from[i] > ' ' && from[i] < 0x7f) ? from[i] : '?';
    }

    *p++ = LF;
    seen->len = p - seen->names;
}


#else

ngx_uint_t
ngx_status_cert_watches(void)
{
    return 0;
}


ngx_int_t
ngx_status_cert_watch(ngx_status_probe_t *probe, CURL *easy, void *ssl_ctx,
    ngx_uint_t trust)
{
    (void) probe;
    (void) easy;
    (void) ssl_ctx;
    (void) trust;

    return NGX_OK;
}


void
ngx_status_cert_ssl(ngx_status_probe_t *probe, void *ssl, ngx_uint_t verified)
{
    (void) probe;
    (void) ssl;
    (void) verified;
}

#endif
