
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_check.h"
#include <arpa/inet.h>


#define NGX_STATUS_SCHEME  32        /* bytes of a scheme at most */
#define NGX_STATUS_HIDDEN  8         /* bytes by which a secret is known */


extern const ngx_status_check_type_t  ngx_status_check_http;
extern const ngx_status_check_type_t  ngx_status_check_smtp;
extern const ngx_status_check_type_t  ngx_status_check_imap;
extern const ngx_status_check_type_t  ngx_status_check_pop3;
extern const ngx_status_check_type_t  ngx_status_check_ftp;
extern const ngx_status_check_type_t  ngx_status_check_ldap;
extern const ngx_status_check_type_t  ngx_status_check_mqtt;
extern const ngx_status_check_type_t  ngx_status_check_dns;
extern const ngx_status_check_type_t  ngx_status_check_redis;
extern const ngx_status_check_type_t  ngx_status_check_postgresql;
extern const ngx_status_check_type_t  ngx_status_check_disk;
extern const ngx_status_check_type_t  ngx_status_check_file;
extern const ngx_status_check_type_t  ngx_status_check_load;
extern const ngx_status_check_type_t  ngx_status_check_memory;
extern const ngx_status_check_type_t  ngx_status_check_tcp;
extern const ngx_status_check_type_t  ngx_status_check_push;


/* A new type: its file, a row here, a test, the README. */

const ngx_status_check_type_t  *ngx_status_check_types[] = {
    &ngx_status_check_http,
    &ngx_status_check_smtp,
    &ngx_status_check_imap,
    &ngx_status_check_pop3,
    &ngx_status_check_ftp,
    &ngx_status_check_ldap,
    &ngx_status_check_mqtt,
    &ngx_status_check_dns,
    &ngx_status_check_redis,
    &ngx_status_check_postgresql,
    &ngx_status_check_disk,
    &ngx_status_check_file,
    &ngx_status_check_load,
    &ngx_status_check_memory,
    &ngx_status_check_tcp,
    &ngx_status_check_push,
    NULL
};


static ngx_int_t ngx_status_url_login(ngx_pool_t *pool,
    ngx_status_check_t *check, u_char *p, u_char *last);
static ngx_int_t ngx_status_url_host(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_uint_t brackets, char *err, size_t errlen);
static void ngx_status_wipe_now(void *data);
static void ngx_status_url_rest(ngx_status_check_t *check, u_char *p,
    u_char *end);
static void ngx_status_check_schemes(char *err, size_t errlen,
    const ngx_str_t *scheme);


ngx_int_t
ngx_status_check_url(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    size_t            n;
    u_char           *p, *end, *host, *last, *port;
    ngx_int_t         number;
    ngx_uint_t        i, k, brackets;
    const ngx_str_t  *s;

    p = check->url.data;
    end = p + check->url.len;

    for (last = p; last < end; last++) {
        if (*last <= ' ' || *last == 0x7f) {
            snprintf(err, errlen, "the URL holds a space or a control "
                     "character at byte %d", (int) (last - p + 1));
            return NGX_ERROR;
        }
    }

    for (host = p; host < end && *host != ':'; host++) { /* void */ }

    n = host - p;

    if (end - host < 3 || ngx_strncmp(host, "://", 3) != 0
        || n == 0 || n >= NGX_STATUS_SCHEME)
    {
        ngx_status_check_schemes(err, errlen, NULL);
        return NGX_ERROR;
    }

    check->scheme.len = n;
    check->scheme.data = ngx_pnalloc(pool, n + 1);
    if (check->scheme.data == NULL) {
        goto nomem;
    }

    ngx_strlow(check->scheme.data, p, n);
    check->scheme.data[n] = '\0';

    for (i = 0; ngx_status_check_types[i]; i++) {
        s = ngx_status_check_types[i]->schemes;

        for (k = 0; s[k].len; k++) {
            if (s[k].len == n
                && ngx_memcmp(s[k].data, check->scheme.data, n) == 0)
            {
                check->type = ngx_status_check_types[i];
                check->port = check->type->ports[k];
                goto found;
            }
        }
    }

    ngx_status_check_schemes(err, errlen, &check->scheme);
    return NGX_ERROR;

found:

    if (check->type->needs) {
        snprintf(err, errlen, "scheme \"%s\" needs %s, and this module was "
                 "built without it", check->scheme.data, check->type->needs);
        return NGX_ERROR;
    }

    /* authority = [ userinfo "@" ] host [ ":" port ]  [RFC 3986 3.2] */

    host += 3;

    for (last = host; last < end; last++) {
        if (*last == '/' || *last == '?' || *last == '#') {
            break;
        }
    }

    ngx_status_url_rest(check, last, end);

    for (p = last; p > host; p--) {
        if (p[-1] == '@') {

            switch (ngx_status_url_login(pool, check, host, p - 1)) {

            case NGX_OK:
                break;

            case NGX_DECLINED:
                snprintf(err, errlen, "user or password in the URL have a "
                         "\"%%\" without two hexadecimal digits, or %%00");
                return NGX_ERROR;

            default:
                goto nomem;
            }

            host = p;
            break;
        }
    }

    brackets = (host < last && *host == '[');

    if (brackets) {
        port = ngx_strlchr(host, last, ']');
        if (port == NULL) {
            snprintf(err, errlen, "the URL has a \"[\" without a \"]\"");
            return NGX_ERROR;
        }

        check->host.data = host + 1;
        check->host.len = port - host - 1;
        port++;

    } else {
        port = ngx_strlchr(host, last, ':');
        if (port == NULL) {
            port = last;
        }

        check->host.data = host;
        check->host.len = port - host;
    }

    if (port < last) {
        number = *port == ':' ? ngx_atoi(port + 1, last - port - 1)
                              : NGX_ERROR;

        if (number < 1 || number > 65535) {
            /* not shown: it may be half of a password with a "/" in it */
            snprintf(err, errlen, "invalid port in the URL, expected 1-65535");
            return NGX_ERROR;
        }

        check->port = (in_port_t) number;
    }

    if (ngx_status_url_host(pool, check, brackets, err, errlen) != NGX_OK) {
        return NGX_ERROR;
    }

    /* every argument may become "***" */

    n = check->url.len * 4 + 1;

    check->target.data = ngx_pnalloc(pool, n);
    if (check->target.data == NULL) {
        goto nomem;
    }

    check->target.len = ngx_status_url_redact(check->target.data, n,
                                              check->url.data,
                                              check->url.len);

    return NGX_OK;

nomem:

    snprintf(err, errlen, "no memory");
    return NGX_ERROR;
}


/*
 * NUL-terminated and lower case: names are compared.  An address in brackets
 * may have a zone, behind a "%" or, as in RFC 6874, a "%25".
 */

static ngx_int_t
ngx_status_url_host(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_uint_t brackets, char *err, size_t errlen)
{
    size_t      i, n;
    u_char     *p, *zone, addr[sizeof(struct in6_addr)];
    ngx_int_t   rc;

    n = check->host.len;

    p = ngx_pnalloc(pool, n + 1);
    if (p == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    ngx_strlow(p, check->host.data, n);
    p[n] = '\0';

    for (i = 0; i < n; i++) {
        if (p[i] >= 0x80) {
            snprintf(err, errlen, "the URL's host has letters beyond ASCII, "
                     "expected its ASCII form, for example "
                     "xn--bcher-kva.example");
            return NGX_ERROR;
        }
    }

    if (brackets) {
        zone = ngx_strlchr(p, p + n, '%');

        if (zone) {
            *zone = '\0';
        }

        rc = inet_pton(AF_INET6, (char *) p, addr);

        if (zone) {
            *zone++ = '%';

            if (ngx_strncmp(zone, "25", 2) == 0 && zone[2]) {
                ngx_memmove(zone, zone + 2, p + n + 1 - (zone + 2));
                n -= 2;
            }
        }

        if (rc != 1 || (zone && *zone == '\0')) {
            snprintf(err, errlen, "the URL has no IPv6 address between \"[\" "
                     "and \"]\"");
            return NGX_ERROR;
        }
    }

    check->host.data = p;
    check->host.len = n;

    return NGX_OK;
}


/* userinfo = user [ ":" password ], both percent-encoded. */

static ngx_int_t
ngx_status_url_login(ngx_pool_t *pool, ngx_status_check_t *check, u_char *p,
    u_char *last)
{
    u_char     *colon;
    ngx_int_t   rc;

    colon = ngx_strlchr(p, last, ':');

    rc = ngx_status_url_decode(pool, &check->user, p, colon ? colon : last);

    if (rc != NGX_OK || colon == NULL) {
        return rc;
    }

    rc = ngx_status_url_decode(pool, &check->password, colon + 1, last);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_status_wipe(pool, &check->password) == NGX_OK
           ? ngx_status_wipe(pool, &check->url) : NGX_ERROR;
}


ngx_int_t
ngx_status_hide(ngx_pool_t *pool, ngx_status_check_t *check,
    const ngx_str_t *secret)
{
    ngx_str_t  *secrets;

    if (secret->len == 0) {
        return NGX_OK;
    }

    if (ngx_status_wipe(pool, secret) != NGX_OK) {
        return NGX_ERROR;
    }

    if (secret->len < NGX_STATUS_HIDE) {
        return NGX_OK;
    }

    secrets = ngx_palloc(pool, (check->nsecrets + 1) * sizeof(ngx_str_t));
    if (secrets == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(secrets, check->secrets, check->nsecrets * sizeof(ngx_str_t));
    secrets[check->nsecrets++] = *secret;
    check->secrets = secrets;

    return NGX_OK;
}


ngx_int_t
ngx_status_wipe(ngx_pool_t *pool, const ngx_str_t *secret)
{
    ngx_str_t           *copy;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_str_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    copy = cln->data;
    *copy = *secret;
    cln->handler = ngx_status_wipe_now;

    return NGX_OK;
}


static void
ngx_status_wipe_now(void *data)
{
    ngx_str_t  *secret = data;

    ngx_explicit_memzero(secret->data, secret->len);
}


ngx_int_t
ngx_status_url_decode(ngx_pool_t *pool, ngx_str_t *text, u_char *p,
    u_char *last)
{
    u_char     *d;
    ngx_int_t   n;

    d = ngx_pnalloc(pool, last - p + 1);
    if (d == NULL) {
        return NGX_ERROR;
    }

    text->data = d;

    while (p < last) {

        if (*p != '%') {
            *d++ = *p++;
            continue;
        }

        n = last - p > 2 ? ngx_hextoi(p + 1, 2) : NGX_ERROR;

        if (n <= 0) {
            return NGX_DECLINED;
        }

        *d++ = (u_char) n;
        p += 3;
    }

    *d = '\0';
    text->len = d - text->data;

    return NGX_OK;
}


static void
ngx_status_url_rest(ngx_status_check_t *check, u_char *p, u_char *end)
{
    u_char  *fragment, *args;

    fragment = ngx_strlchr(p, end, '#');

    if (fragment) {
        end = fragment;
    }

    args = ngx_strlchr(p, end, '?');

    check->path.data = p;
    check->path.len = (args ? args : end) - p;

    if (args) {
        check->args.data = args + 1;
        check->args.len = end - args - 1;
    }
}


const ngx_status_setting_t *
ngx_status_setting(const ngx_status_check_t *check, const char *name)
{
    ngx_uint_t             i;
    ngx_status_setting_t  *setting;

    setting = check->settings.elts;

    for (i = 0; i < check->settings.nelts; i++) {
        if (ngx_strcmp(setting[i].name.data, name) == 0) {
            return &setting[i];
        }
    }

    return NULL;
}


static void
ngx_status_check_schemes(char *err, size_t errlen, const ngx_str_t *scheme)
{
    size_t            n;
    ngx_uint_t        i, k;
    const ngx_str_t  *s;

    if (scheme) {
        n = snprintf(err, errlen, "unknown scheme \"%s\", expected",
                     scheme->data);
    } else {
        n = snprintf(err, errlen, "the URL has no scheme, expected");
    }

    for (i = 0; ngx_status_check_types[i]; i++) {
        s = ngx_status_check_types[i]->schemes;

        for (k = 0; s[k].len && n < errlen; k++) {
            n += snprintf(err + n, errlen - n, "%s %s://",
                          i + k ? (s[k + 1].len == 0
                                   && ngx_status_check_types[i + 1] == NULL
                                   ? " or" : ",") : "",
                          s[k].data);
        }
    }
}


void
ngx_status_mask(const ngx_status_check_t *check, char *text)
{
    char        *p, *secret;
    size_t       n, len;
    ngx_uint_t   i;

    for (i = 0; i < check->nsecrets; i++) {
        secret = (char *) check->secrets[i].data;
        len = ngx_min(check->secrets[i].len, NGX_STATUS_HIDDEN);

        for (p = text; *p; p++) {

            if (ngx_strncmp(p, secret, len) != 0) {
                continue;
            }

            /* a text may be cut in the middle of it */

            for (n = len; secret[n] && p[n] == secret[n]; n++) { /* void */ }

            ngx_memcpy(p, "***", 3);
            ngx_memmove(p + 3, p + n, ngx_strlen(p + n) + 1);
            p += 2;
        }
    }
}
