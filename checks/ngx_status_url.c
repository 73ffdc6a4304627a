
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_url.h"
#include <strings.h>


/* An argument whose name holds one of these is a secret: rather one too many
 * hidden than one too few. */

static const char  *ngx_status_secrets[] = {
    "auth", "bearer", "cookie", "cred", "hmac", "jwt", "key", "otp", "pass",
    "pwd", "secret", "session", "sid", "sig", "ticket", "token", NULL
};


size_t
ngx_status_url_redact(u_char *dst, size_t size, const u_char *url, size_t len)
{
    u_char        *d, *dend;
    ngx_uint_t     secret;
    const u_char  *p, *end, *name, *last;

    d = dst;
    dend = dst + size - 1;
    p = url;
    end = url + len;

#define put(c)  do { if (d < dend) { *d++ = (c); } } while (0)

    while (p < end && *p != '/' && *p != '?' && *p != '#') {
        put(*p);
        p++;
    }

    /* user and password; an "@" of the path is not one of the authority */

    if (end - p > 2 && p[0] == '/' && p[1] == '/') {
        put('/');
        put('/');
        p += 2;

        for (last = p, name = p; last < end; last++) {
            if (*last == '/' || *last == '?' || *last == '#') {
                break;
            }

            if (*last == '@') {
                name = last + 1;
            }
        }

        p = name;
    }

    while (p < end && *p != '?' && *p != '#') {
        put(*p);
        p++;
    }

    /* arguments; a fragment may hold some too */

    while (p < end) {
        put(*p);
        name = ++p;

        while (p < end && *p != '=' && *p != '&' && *p != ';' && *p != '#'
               && *p != '?')
        {
            put(*p);
            p++;
        }

        if (p == end || *p != '=') {
            continue;
        }

        secret = ngx_status_secret_name(name, p - name);

        put('=');
        p++;

        if (secret && p < end && *p != '&' && *p != ';' && *p != '#') {
            put('*');
            put('*');
            put('*');
        }

        while (p < end && *p != '&' && *p != ';' && *p != '#') {
            if (!secret) {
                put(*p);
            }
            p++;
        }
    }

#undef put

    *d = '\0';

    return d - dst;
}


ngx_uint_t
ngx_status_secret_name(const u_char *name, size_t len)
{
    size_t       n;
    ngx_uint_t   i;
    const char  *s;

    if (memchr(name, '%', len)) {
        /* who hides a name hides a secret */
        return 1;
    }

    for (i = 0; ngx_status_secrets[i]; i++) {
        s = ngx_status_secrets[i];

        for (n = 0; n + strlen(s) <= len; n++) {
            if (strncasecmp((char *) name + n, s, strlen(s)) == 0) {
                return 1;
            }
        }
    }

    return 0;
}
