
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_dns.h"

#if (NGX_STATUS_CARES)

#include <ares.h>
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>


/* Types [RFC 1035 3.2.2, 3596, 2782, 8659] */

enum {
    NGX_STATUS_DNS_A = 1,
    NGX_STATUS_DNS_NS = 2,
    NGX_STATUS_DNS_CNAME = 5,
    NGX_STATUS_DNS_SOA = 6,
    NGX_STATUS_DNS_PTR = 12,
    NGX_STATUS_DNS_MX = 15,
    NGX_STATUS_DNS_TXT = 16,
    NGX_STATUS_DNS_AAAA = 28,
    NGX_STATUS_DNS_SRV = 33,
    NGX_STATUS_DNS_CAA = 257
};


typedef struct {
    const u_char  *data;                 /* all of the answer, for names */
    size_t         len;
    const u_char  *p;                    /* what comes next, */
    const u_char  *end;                  /* up to here */
} ngx_status_dns_reader_t;


static ngx_int_t ngx_status_dns_record(ngx_status_dns_reader_t *r,
    ngx_uint_t type, u_char *text, size_t size);
static ngx_int_t ngx_status_dns_name(ngx_status_dns_reader_t *r, u_char **p,
    u_char *last);
static ngx_int_t ngx_status_dns_numbers(ngx_status_dns_reader_t *r,
    ngx_uint_t n, size_t bytes, u_char **p, u_char *last);
static ngx_int_t ngx_status_dns_string(ngx_status_dns_reader_t *r, size_t len,
    u_char **p, u_char *last);
static uint32_t ngx_status_dns_number(const u_char *p, size_t bytes);
static u_char *ngx_status_dns_put(u_char *p, u_char *last, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));


const ngx_status_dns_type_t  ngx_status_dns_types[] = {
    { ngx_string("A"), NGX_STATUS_DNS_A },
    { ngx_string("AAAA"), NGX_STATUS_DNS_AAAA },
    { ngx_string("CNAME"), NGX_STATUS_DNS_CNAME },
    { ngx_string("MX"), NGX_STATUS_DNS_MX },
    { ngx_string("TXT"), NGX_STATUS_DNS_TXT },
    { ngx_string("NS"), NGX_STATUS_DNS_NS },
    { ngx_string("SOA"), NGX_STATUS_DNS_SOA },
    { ngx_string("SRV"), NGX_STATUS_DNS_SRV },
    { ngx_string("CAA"), NGX_STATUS_DNS_CAA },
    { ngx_string("PTR"), NGX_STATUS_DNS_PTR },
    { ngx_null_string, 0 }
};


/* [RFC 1035 4.1.1, 6895 2.3] */

static const char  *ngx_status_dns_rcodes[16] = {
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
    "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE", "RCODE11",
    "RCODE12", "RCODE13", "RCODE14", "RCODE15"
};


/* header, questions, answers: NAME TYPE CLASS TTL RDLENGTH RDATA  [4.1] */

ngx_int_t
ngx_status_dns_parse(const u_char *data, size_t len, ngx_uint_t type,
    ngx_status_dns_answer_t *answer, const char **err)
{
    u_char                    text[1024];
    size_t                    n, rdlen;
    ngx_int_t                 rc;
    ngx_uint_t                i, nquestions, nanswers, found;
    const u_char             *end;
    ngx_status_dns_reader_t   r;

    answer->len = 0;
    answer->nrecords = 0;

    if (len < 12) {
        *err = "the answer is shorter than its header";
        return NGX_ERROR;
    }

    answer->rcode = ngx_status_dns_rcodes[data[3] & 0x0f];

    nquestions = ngx_status_dns_number(data + 4, 2);
    nanswers = ngx_status_dns_number(data + 6, 2);

    r.data = data;
    r.len = len;
    r.p = data + 12;
    r.end = data + len;
    end = r.end;

    for (i = 0; i < nquestions; i++) {
        if (ngx_status_dns_name(&r, NULL, NULL) != NGX_OK
            || end - r.p < 4)
        {
            goto broken;
        }

        r.p += 4;
    }

    for (i = 0; i < nanswers; i++) {

        if (ngx_status_dns_name(&r, NULL, NULL) != NGX_OK
            || end - r.p < 10)
        {
            goto broken;
        }

        found = ngx_status_dns_number(r.p, 2);
        rdlen = ngx_status_dns_number(r.p + 8, 2);
        r.p += 10;

        if ((size_t) (end - r.p) < rdlen) {
            goto broken;
        }

        if (found != type) {
            r.p += rdlen;
            continue;
        }

        r.end = r.p + rdlen;

        rc = ngx_status_dns_record(&r, type, text, sizeof(text));

        r.p = r.end;
        r.end = end;

        if (rc < 0) {
            goto broken;
        }

        answer->nrecords++;

        n = (size_t) rc;

        if (answer->len + 1 + n <= NGX_STATUS_DNS_TEXT) {

            if (answer->len) {
                answer->text[answer->len++] = LF;
            }

            ngx_memcpy(answer->text + answer->len, text, n);
            answer->len += n;
        }
    }

    return NGX_OK;

broken:

    *err = "the answer is cut off or broken";
    return NGX_ERROR;
}


/* Returns the length of the text, which is cut to size, or NGX_ERROR. */

static ngx_int_t
ngx_status_dns_record(ngx_status_dns_reader_t *r, ngx_uint_t type,
    u_char *text, size_t size)
{
    size_t      len;
    u_char     *p, *last;
    ngx_int_t   rc;

    p = text;
    last = text + size;
    rc = NGX_OK;

    switch (type) {

    case NGX_STATUS_DNS_A:
    case NGX_STATUS_DNS_AAAA:
        len = type == NGX_STATUS_DNS_A ? 4 : 16;

        if ((size_t) (r->end - r->p) != len) {
            return NGX_ERROR;
        }

        if (inet_ntop(len == 4 ? AF_INET : AF_INET6, r->p, (char *) p, size)
            == NULL)
        {
            return NGX_ERROR;
        }

        p += ngx_strlen(p);
        break;

    case NGX_STATUS_DNS_MX:
        rc = ngx_status_dns_numbers(r, 1, 2, &p, last);
        /* fall through */

    case NGX_STATUS_DNS_NS:
    case NGX_STATUS_DNS_CNAME:
    case NGX_STATUS_DNS_PTR:
        if (rc == NGX_OK) {
            rc = ngx_status_dns_name(r, &p, last);
        }

        break;

    case NGX_STATUS_DNS_SRV:
        rc = ngx_status_dns_numbers(r, 3, 2, &p, last);

        if (rc == NGX_OK) {
            rc = ngx_status_dns_name(r, &p, last);
        }

        break;

    case NGX_STATUS_DNS_SOA:
        rc = ngx_status_dns_name(r, &p, last);

        if (rc == NGX_OK) {
            p = ngx_status_dns_put(p, last, " ");
            rc = ngx_status_dns_name(r, &p, last);
        }

        if (rc == NGX_OK) {
            p = ngx_status_dns_put(p, last, " ");
            rc = ngx_status_dns_numbers(r, 5, 4, &p, last);
            p -= (rc == NGX_OK);                 /* the last space */
        }

        break;

    case NGX_STATUS_DNS_TXT:

        /* strings of 255 bytes at most that are one text [RFC 7208 3.3] */

        while (rc == NGX_OK && r->p < r->end) {
            len = *r->p++;
            rc = ngx_status_dns_string(r, len, &p, last);
        }

        break;

    default: /* NGX_STATUS_DNS_CAA: flags, tag, value  [RFC 8659 4.1] */

        if (r->end - r->p < 2) {
            return NGX_ERROR;
        }

        p = ngx_status_dns_put(p, last, "%u ", *r->p++);
        len = *r->p++;
        rc = ngx_status_dns_string(r, len, &p, last);

        if (rc == NGX_OK) {
            p = ngx_status_dns_put(p, last, " \"");
            rc = ngx_status_dns_string(r, r->end - r->p, &p, last);
            p = ngx_status_dns_put(p, last, "\"");
        }

        break;
    }

    return rc == NGX_OK ? p - text : NGX_ERROR;
}


/* With p NULL it is only read over. */

static ngx_int_t
ngx_status_dns_name(ngx_status_dns_reader_t *r, u_char **p, u_char *last)
{
    int     rc;
    char   *name;
    long    len;

    if (r->p >= r->end) {
        return NGX_ERROR;
    }

    rc = ares_expand_name(r->p, r->data, (int) r->len, &name, &len);

    if (rc != ARES_SUCCESS) {
        return NGX_ERROR;
    }

    if (len > r->end - r->p) {
        ares_free_string(name);
        return NGX_ERROR;
    }

    r->p += len;

    if (p) {
        *p = ngx_status_dns_put(*p, last, "%s", name[0] ? name : ".");
    }

    ares_free_string(name);

    return NGX_OK;
}


static ngx_int_t
ngx_status_dns_numbers(ngx_status_dns_reader_t *r, ngx_uint_t n, size_t bytes,
    u_char **p, u_char *last)
{
    if ((size_t) (r->end - r->p) < n * bytes) {
        return NGX_ERROR;
    }

    while (n--) {
        *p = ngx_status_dns_put(*p, last, "%lu ", (unsigned long)
                                ngx_status_dns_number(r->p, bytes));
        r->p += bytes;
    }

    return NGX_OK;
}


/* A LF would end the record. */

static ngx_int_t
ngx_status_dns_string(ngx_status_dns_reader_t *r, size_t len, u_char **p,
    u_char *last)
{
    if ((size_t) (r->end - r->p) < len) {
        return NGX_ERROR;
    }

    for ( /* void */ ; len; len--, r->p++) {
        if (*p < last) {
            *(*p)++ = *r->p == LF ? ' ' : *r->p;
        }
    }

    return NGX_OK;
}


static uint32_t
ngx_status_dns_number(const u_char *p, size_t bytes)
{
    uint32_t  n;

    for (n = 0; bytes; bytes--) {
        n = n << 8 | *p++;
    }

    return n;
}


/* Cut to what there is room for, no NUL; returns its end. */

static u_char *
ngx_status_dns_put(u_char *p, u_char *last, const char *fmt, ...)
{
    int      n;
    char     text[1024];
    size_t   len;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    len = ngx_min((size_t) ngx_max(n, 0), sizeof(text) - 1);
    len = ngx_min(len, (size_t) (last - p));

    return ngx_cpymem(p, text, len);
}

#endif
