
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_easy.h"
#include "ngx_status_cert.h"


#define NGX_STATUS_EASY_FILE     1048576 /* bytes of a certificate's file */
#define NGX_STATUS_EASY_READ     4096L   /* of libcurl's buffer: there may be
                                            2,000 of them */
#define NGX_STATUS_EASY_IDLE     256     /* handles kept */


static ngx_int_t ngx_status_tls_file(ngx_pool_t *pool, const char *directive,
    const ngx_str_t *file, struct curl_blob *blob, char *err, size_t errlen);


/* Where distributions keep the certificates that they trust. */

static const char  *ngx_status_tls_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",            /* Debian, Alpine, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",              /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",                        /* SUSE */
    "/etc/ssl/cert.pem",                             /* BSD, macOS */
    "/usr/local/share/certs/ca-root-nss.crt",        /* FreeBSD */
    NULL
};

static CURL        *ngx_status_easy_handles[NGX_STATUS_EASY_IDLE];
static ngx_uint_t   ngx_status_easy_nhandles;

#if (LIBCURL_VERSION_NUM >= 0x075700)
static const char  *ngx_status_easy_ca;
static off_t        ngx_status_easy_ca_size;
#endif


ngx_int_t
ngx_status_tls_conf(ngx_pool_t *pool, const ngx_status_check_t *check,
    ngx_uint_t certain, ngx_status_tls_t *tls, char *err, size_t errlen)
{
    ngx_str_t         text;
    ngx_uint_t        i;
    struct stat       st;
    struct curl_blob  ca, *blob;

    ngx_memzero(tls, sizeof(ngx_status_tls_t));

    if (check->tls_ca.len) {
        tls->ca = (char *) check->tls_ca.data;

        if (ngx_status_tls_file(pool, "tls_ca", &check->tls_ca, &ca, err,
                                errlen)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        tls->ca_size = ca.len;

        /* libcurl reads it itself; a thousand copies are not to be kept */
        (void) ngx_pfree(pool, ca.data);

    } else {
        for (i = 0; ngx_status_tls_bundles[i]; i++) {
            if (stat(ngx_status_tls_bundles[i], &st) == 0) {
                tls->ca = ngx_status_tls_bundles[i];
                tls->ca_size = st.st_size;
                break;
            }
        }
    }

    if (!check->tls_verify) {

        /* it is still told whether the certificate would verify */

        if (!certain || !ngx_status_cert_watches()) {
            tls->ca = NULL;
            tls->ca_size = 0;
        }

    } else if (tls->ca == NULL && certain) {
        snprintf(err, errlen, "no file of trusted certificates was found, "
                 "set \"tls_ca\"");
        return NGX_ERROR;
    }

    if (check->tls_cert.len == 0) {
        return NGX_OK;
    }

    /* read now, because only the master may be allowed to */

    if (ngx_status_tls_file(pool, "tls_cert", &check->tls_cert, &tls->cert,
                            err, errlen)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    blob = &tls->cert;

    if (check->tls_key.len) {
        blob = &tls->key;

        if (ngx_status_tls_file(pool, "tls_cert", &check->tls_key, blob, err,
                                errlen)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    text.data = blob->data;
    text.len = blob->len;

    if (ngx_status_wipe(pool, &text) != NGX_OK) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    tls->key = *blob;

    return NGX_OK;
}


static ngx_int_t
ngx_status_tls_file(ngx_pool_t *pool, const char *directive,
    const ngx_str_t *file, struct curl_blob *blob, char *err, size_t errlen)
{
    int          fd;
    ssize_t      n;
    struct stat  st;

    fd = open((char *) file->data, O_RDONLY|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1 || fstat(fd, &st) == -1) {
        snprintf(err, errlen, "\"%s\" can not read \"%s\": %s", directive,
                 file->data, strerror(errno));
        goto failed;
    }

    if (!S_ISREG(st.st_mode) || st.st_size > NGX_STATUS_EASY_FILE
        || st.st_size == 0)
    {
        snprintf(err, errlen, "\"%s\" can not use \"%s\": not a file of up "
                 "to 1 MB", directive, file->data);
        goto failed;
    }

    blob->len = st.st_size;
    blob->flags = CURL_BLOB_NOCOPY;
    blob->data = ngx_pnalloc(pool, blob->len);

    if (blob->data == NULL) {
        snprintf(err, errlen, "no memory");
        goto failed;
    }

    n = read(fd, blob->data, blob->len);

    if (n != (ssize_t) blob->len) {
        snprintf(err, errlen, "\"%s\" can not read \"%s\"", directive,
                 file->data);
        goto failed;
    }

    if (ngx_strlcasestrn(blob->data, (u_char *) blob->data + blob->len,
                         (u_char *) "-----begin ", 11 - 1)
        == NULL)
    {
        snprintf(err, errlen, "\"%s\" can not use \"%s\": no PEM in it",
                 directive, file->data);
        goto failed;
    }

    (void) close(fd);

    return NGX_OK;

failed:

    if (fd != -1) {
        (void) close(fd);
    }

    return NGX_ERROR;
}


/* Idle handles have nothing set but the size of their buffer. */

CURL *
ngx_status_easy_take(char *text)
{
    int    rc;
    CURL  *easy;

    if (ngx_status_easy_nhandles) {
        easy = ngx_status_easy_handles[--ngx_status_easy_nhandles];

    } else {
        easy = curl_easy_init();

        if (easy == NULL) {
            return NULL;
        }

        (void) curl_easy_setopt(easy, CURLOPT_BUFFERSIZE,
                                NGX_STATUS_EASY_READ);
    }

#define set(option, value)  rc |= curl_easy_setopt(easy, option, value)

    rc = 0;

    set(CURLOPT_ERRORBUFFER, text);
    set(CURLOPT_NOSIGNAL, 1L);

    /* a check sees the target as its users do: nothing from the environment,
     * nothing remembered of the last time */

    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_SSL_SESSIONID_CACHE, 0L);

#if (LIBCURL_VERSION_NUM >= 0x075700)
    /* do not wait for a resolver that does not answer */
    set(CURLOPT_QUICK_EXIT, 1L);
#endif

    if (rc) {
        ngx_status_easy_put(easy);
        return NULL;
    }

    return easy;
}


void
ngx_status_easy_put(CURL *easy)
{
    long  error;

    error = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);

    curl_easy_reset(easy);
    (void) curl_easy_setopt(easy, CURLOPT_SHARE, NULL);

    /*
     * A transfer that failed early leaves its buffer behind, with the size
     * forgotten that it was made for: libcurl then refuses to set another,
     * and would write beyond it.  And an errno stays with a handle for ever:
     * it would be taken for that of a later failure.  Such handles are of no
     * more use.
     */

    if (error == 0 && ngx_status_easy_nhandles < NGX_STATUS_EASY_IDLE
        && curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, NGX_STATUS_EASY_READ)
           == CURLE_OK)
    {
        ngx_status_easy_handles[ngx_status_easy_nhandles++] = easy;
        return;
    }

    curl_easy_cleanup(easy);
}


ngx_int_t
ngx_status_easy_tls(CURL *easy, const ngx_status_check_t *check,
    const ngx_status_tls_t *tls, ngx_uint_t look, ngx_uint_t known)
{
    int  rc, watch;

    rc = 0;
    watch = look && ngx_status_cert_watches();

    /* with a CAPATH libcurl would read all the store each time */

    set(CURLOPT_CAPATH, NULL);
    set(CURLOPT_CAINFO, tls->ca);

    if (look && !watch) {
        set(CURLOPT_CERTINFO, 1L);
    }

    if (!check->tls_verify) {
        /* whether it would verify is known, if there is somebody to ask */
        set(CURLOPT_SSL_VERIFYPEER, (long) (watch && tls->ca));
        set(CURLOPT_SSL_VERIFYHOST, 0L);
    }

#if (LIBCURL_VERSION_NUM >= 0x075700)

    /* libcurl remembers the last file it has read, and no other: that shall
     * be the largest, at 20 ms a system's, and not change from probe to probe
     */

    if (ngx_status_easy_ca == NULL || tls->ca_size > ngx_status_easy_ca_size) {
        ngx_status_easy_ca = tls->ca;
        ngx_status_easy_ca_size = tls->ca_size;
    }

    if (tls->ca && ngx_strcmp(tls->ca, ngx_status_easy_ca) != 0) {
        set(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    }

#endif

    if (tls->cert.data && known) {
        set(CURLOPT_SSLCERT_BLOB, &tls->cert);
        set(CURLOPT_SSLKEY_BLOB, &tls->key);

        /* OpenSSL would ask the terminal for it */
        set(CURLOPT_KEYPASSWD, "");
    }

#undef set

    return rc ? NGX_ERROR : NGX_OK;
}
