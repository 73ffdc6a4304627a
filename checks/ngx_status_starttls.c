
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_starttls.h"
#include "ngx_status_ber.h"
#include <stdio.h>
#include <strings.h>


/* StartTLS, as an LDAP message with the ID 1 [RFC 4511, 4.14.1] */
#define NGX_STATUS_STARTTLS_EXTENDED                                         \
    "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" "1.3.6.1.4.1.1466.20037"

/* SSLRequest [PostgreSQL, 55.7] */
#define NGX_STATUS_STARTTLS_SSLREQUEST  "\0\0\0\x08\x04\xd2\x16\x2f"


typedef struct {
    const char   *name;
    in_port_t     port;
    const char   *word;                  /* that asks for TLS */
    ngx_int_t   (*take)(ngx_status_starttls_t *st, const char *me,
                        const u_char **p, const u_char *last);
    ngx_int_t   (*line)(ngx_status_starttls_t *st, const char *me);
} ngx_status_starttls_dialect_t;


static ngx_int_t ngx_status_starttls_lines(ngx_status_starttls_t *st,
    const char *me, const u_char **p, const u_char *last);
static ngx_int_t ngx_status_starttls_smtp(ngx_status_starttls_t *st,
    const char *me);
static ngx_int_t ngx_status_starttls_imap(ngx_status_starttls_t *st,
    const char *me);
static ngx_int_t ngx_status_starttls_pop3(ngx_status_starttls_t *st,
    const char *me);
static ngx_int_t ngx_status_starttls_ftp(ngx_status_starttls_t *st,
    const char *me);
static ngx_int_t ngx_status_starttls_reply(ngx_status_starttls_t *st);
static ngx_int_t ngx_status_starttls_ldap(ngx_status_starttls_t *st,
    const char *me, const u_char **p, const u_char *last);
static ngx_int_t ngx_status_starttls_extended(ngx_status_starttls_t *st,
    const u_char *p);
static ngx_int_t ngx_status_starttls_postgres(ngx_status_starttls_t *st,
    const char *me, const u_char **p, const u_char *last);
static void ngx_status_starttls_say(ngx_status_starttls_t *st,
    const char *text, size_t len);
static ngx_int_t ngx_status_starttls_strange(ngx_status_starttls_t *st);
static ngx_int_t ngx_status_starttls_refused(ngx_status_starttls_t *st);
static ngx_uint_t ngx_status_starttls_is(const ngx_status_starttls_t *st,
    const char *word);


static const ngx_status_starttls_dialect_t  ngx_status_starttls_dialects[] = {
    { "SMTP", 25, "STARTTLS",
      ngx_status_starttls_lines, ngx_status_starttls_smtp },
    { "IMAP", 143, "STARTTLS",
      ngx_status_starttls_lines, ngx_status_starttls_imap },
    { "POP3", 110, "STLS",
      ngx_status_starttls_lines, ngx_status_starttls_pop3 },
    { "FTP", 21, "AUTH TLS",
      ngx_status_starttls_lines, ngx_status_starttls_ftp },
    { "LDAP", 389, "StartTLS", ngx_status_starttls_ldap, NULL },
    { "PostgreSQL", 5432, "SSLRequest", ngx_status_starttls_postgres, NULL }
};


in_port_t
ngx_status_starttls_port(ngx_status_starttls_e dialect)
{
    return ngx_status_starttls_dialects[dialect].port;
}


void
ngx_status_starttls_begin(ngx_status_starttls_t *st,
    ngx_status_starttls_e dialect)
{
    ngx_memzero(st, sizeof(ngx_status_starttls_t));

    st->dialect = dialect;

    if (dialect == NGX_STATUS_STARTTLS_LDAP) {
        ngx_status_starttls_say(st, NGX_STATUS_STARTTLS_EXTENDED,
                                sizeof(NGX_STATUS_STARTTLS_EXTENDED) - 1);

    } else if (dialect == NGX_STATUS_STARTTLS_POSTGRES) {
        ngx_status_starttls_say(st, NGX_STATUS_STARTTLS_SSLREQUEST,
                                sizeof(NGX_STATUS_STARTTLS_SSLREQUEST) - 1);
    }
}


ngx_int_t
ngx_status_starttls_feed(ngx_status_starttls_t *st, const char *me,
    const u_char **p, const u_char *last)
{
    ngx_int_t      rc;
    const u_char  *begin, *end;

    /* where it is cut does not depend on the pieces */

    begin = *p;
    end = begin + ngx_min((size_t) (last - begin),
                          NGX_STATUS_STARTTLS_TOTAL - st->total);

    rc = ngx_status_starttls_dialects[st->dialect].take(st, me, p, end);

    st->total += *p - begin;

    if (rc == NGX_AGAIN && st->total == NGX_STATUS_STARTTLS_TOTAL) {
        st->error = NGX_STATUS_E_PROTOCOL;
        ngx_status_message(st->message, "%d kB came in the clear, and no "
                           "answer to %s", NGX_STATUS_STARTTLS_TOTAL / 1024,
                           ngx_status_starttls_dialects[st->dialect].word);
        return NGX_ERROR;
    }

    return rc;
}


static ngx_int_t
ngx_status_starttls_lines(ngx_status_starttls_t *st, const char *me,
    const u_char **p, const u_char *last)
{
    u_char     c;
    ngx_int_t  rc;

    while (*p < last) {
        c = *(*p)++;

        if (c != LF) {
            if (st->len < NGX_STATUS_STARTTLS_KEEP) {
                st->line[st->len++] = c;
            }

            continue;
        }

        if (st->len && st->line[st->len - 1] == CR) {
            st->len--;
        }

        rc = ngx_status_starttls_dialects[st->dialect].line(st, me);
        st->len = 0;

        if (rc != NGX_AGAIN || st->out_len) {
            return rc;
        }
    }

    return NGX_AGAIN;
}


/* [RFC 3207] */

static ngx_int_t
ngx_status_starttls_smtp(ngx_status_starttls_t *st, const char *me)
{
    char       hello[NGX_SOCKADDR_STRLEN + sizeof("EHLO [IPv6:]\r\n")];
    ngx_int_t  code;

    if (st->step == 1 && st->len >= 12
        && strncasecmp((char *) st->line + 4, "STARTTLS", 8) == 0
        && (st->len == 12 || st->line[12] == ' '))
    {
        st->offered = 1;
    }

    code = ngx_status_starttls_reply(st);

    if (code == NGX_AGAIN || code == NGX_ERROR) {
        return code;
    }

    switch (st->step) {

    case 0:
        if (code != 220) {
            return ngx_status_starttls_strange(st);
        }

        ngx_status_starttls_say(st, hello,
                          snprintf(hello, sizeof(hello), "EHLO %.64s\r\n", me));
        return NGX_AGAIN;

    case 1:
        if (code != 250) {
            return ngx_status_starttls_strange(st);
        }

        if (!st->offered) {
            st->error = NGX_STATUS_E_TLS;
            ngx_status_message(st->message,
                               "server does not offer STARTTLS");
            return NGX_ERROR;
        }

        ngx_status_starttls_say(st, "STARTTLS\r\n", 10);
        return NGX_AGAIN;

    default:
        return code == 220 ? NGX_OK : ngx_status_starttls_refused(st);
    }
}


/* [RFC 9051, 6.2.1] */

static ngx_int_t
ngx_status_starttls_imap(ngx_status_starttls_t *st, const char *me)
{
    (void) me;

    if (st->step == 0) {

        if (!ngx_status_starttls_is(st, "* OK")) {
            /* with PREAUTH, too, there is no way to TLS any more */
            return ngx_status_starttls_strange(st);
        }

        ngx_status_starttls_say(st, "a STARTTLS\r\n", 12);
        return NGX_AGAIN;
    }

    if (ngx_status_starttls_is(st, "a OK")) {
        return NGX_OK;
    }

    if (ngx_status_starttls_is(st, "a NO")
        || ngx_status_starttls_is(st, "a BAD"))
    {
        return ngx_status_starttls_refused(st);
    }

    if (ngx_status_starttls_is(st, "*")
        && !ngx_status_starttls_is(st, "* BYE"))
    {
        return NGX_AGAIN;
    }

    return ngx_status_starttls_strange(st);
}


/* [RFC 2595, 4] */

static ngx_int_t
ngx_status_starttls_pop3(ngx_status_starttls_t *st, const char *me)
{
    (void) me;

    if (ngx_status_starttls_is(st, "+OK")) {

        if (st->step == 1) {
            return NGX_OK;
        }

        ngx_status_starttls_say(st, "STLS\r\n", 6);
        return NGX_AGAIN;
    }

    if (st->step == 1 && ngx_status_starttls_is(st, "-ERR")) {
        return ngx_status_starttls_refused(st);
    }

    return ngx_status_starttls_strange(st);
}


/* [RFC 4217, 4] */

static ngx_int_t
ngx_status_starttls_ftp(ngx_status_starttls_t *st, const char *me)
{
    ngx_int_t  code;

    (void) me;

    code = ngx_status_starttls_reply(st);

    if (code == NGX_AGAIN || code == NGX_ERROR) {
        return code;
    }

    if (st->step == 1) {
        return code == 234 ? NGX_OK : ngx_status_starttls_refused(st);
    }

    if (code == 120) {
        /* ready in so many minutes */
        return NGX_AGAIN;
    }

    if (code != 220) {
        return ngx_status_starttls_strange(st);
    }

    ngx_status_starttls_say(st, "AUTH TLS\r\n", 10);
    return NGX_AGAIN;
}


/*
 * The code of a reply with its last line, NGX_AGAIN before; lines between
 * the first and the last may be anything in FTP [RFC 959, 4.2].
 */

static ngx_int_t
ngx_status_starttls_reply(ngx_status_starttls_t *st)
{
    u_char      *p;
    ngx_int_t    code;
    ngx_uint_t   more;

    p = st->line;
    code = NGX_ERROR;
    more = (st->len > 3 && p[3] == '-');

    if (st->len >= 3 && p[0] >= '1' && p[0] <= '9' && p[1] >= '0'
        && p[1] <= '9' && p[2] >= '0' && p[2] <= '9')
    {
        code = (p[0] - '0') * 100 + (p[1] - '0') * 10 + p[2] - '0';
    }

    if (st->reply[0]) {

        if (code == NGX_ERROR || more || (st->len > 3 && p[3] != ' ')
            || ngx_memcmp(p, st->reply, 3) != 0)
        {
            return NGX_AGAIN;
        }

        st->reply[0] = '\0';
        return code;
    }

    if (code == NGX_ERROR || (st->len > 3 && p[3] != ' ' && !more)) {
        return ngx_status_starttls_strange(st);
    }

    if (more) {
        ngx_memcpy(st->reply, p, 3);
        return NGX_AGAIN;
    }

    return code;
}


/*
 * LDAPMessage = SEQUENCE { messageID, extendedResp } in BER with definite
 * lengths [RFC 4511, 4.1.1, 4.12, 5.1], read to its last byte.
 */

static ngx_int_t
ngx_status_starttls_ldap(ngx_status_starttls_t *st, const char *me,
    const u_char **p, const u_char *last)
{
    size_t         length;
    ngx_int_t      rc;
    const u_char  *body, *end;

    (void) me;

    while (*p < last) {

        if (st->len < NGX_STATUS_STARTTLS_KEEP) {
            st->line[st->len] = **p;
        }

        st->len++;
        (*p)++;

        body = st->line + 1;
        end = st->line + ngx_min(st->len, NGX_STATUS_STARTTLS_KEEP);

        rc = st->line[0] == 0x30 ? ngx_status_ber_length(&body, end, &length)
                                 : NGX_ERROR;

        if (rc == NGX_ERROR || (rc == NGX_OK
                                && length > NGX_STATUS_STARTTLS_TOTAL))
        {
            return ngx_status_starttls_strange(st);
        }

        if (rc == NGX_OK && st->len == (body - st->line) + length) {
            return ngx_status_starttls_extended(st, body);
        }
    }

    return NGX_AGAIN;
}


/* Of a whole message, the part from "p" on; the end of it may be cut. */

static ngx_int_t
ngx_status_starttls_extended(ngx_status_starttls_t *st, const u_char *p)
{
    size_t         length;
    u_char         id, result;
    ngx_int_t      i;
    const u_char  *last;

    last = st->line + ngx_min(st->len, NGX_STATUS_STARTTLS_KEEP);

    /* messageID, which is 0 when the server has something to say by itself */

    if (last - p < 4 || p[0] != 0x02 || p[1] != 1) {
        return ngx_status_starttls_strange(st);
    }

    id = p[2];
    p += 3;

    if (id > 1 || *p++ != 0x78
        || ngx_status_ber_length(&p, last, &length) != NGX_OK
        || last - p < 3 || p[0] != 0x0a || p[1] != 1)
    {
        return ngx_status_starttls_strange(st);
    }

    result = p[2];
    p += 3;

    if (id == 1 && result == 0) {
        return NGX_OK;
    }

    /* matchedDN and diagnosticMessage */

    for (i = 0; i < 2; i++) {

        if (p == last || *p++ != 0x04
            || ngx_status_ber_length(&p, last, &length) != NGX_OK)
        {
            length = 0;
            break;
        }

        length = ngx_min(length, (size_t) (last - p));
        p += length;
    }

    st->error = NGX_STATUS_E_TLS;
    ngx_status_message(st->message, "StartTLS answered with LDAP result %u"
                       "%s%.*s", (unsigned) result, length ? ": " : "",
                       (int) length, (char *) p - length);

    return NGX_ERROR;
}


static ngx_int_t
ngx_status_starttls_postgres(ngx_status_starttls_t *st, const char *me,
    const u_char **p, const u_char *last)
{
    (void) me;

    if (*p == last) {
        return NGX_AGAIN;
    }

    st->line[0] = *(*p)++;
    st->len = 1;

    switch (st->line[0]) {

    case 'S':
        return NGX_OK;

    case 'N':
        st->error = NGX_STATUS_E_TLS;
        ngx_status_message(st->message, "server does not offer TLS");
        return NGX_ERROR;

    case 'E':
        st->error = NGX_STATUS_E_PROTOCOL;
        ngx_status_message(st->message, "server answered with an error");
        return NGX_ERROR;

    default:
        return ngx_status_starttls_strange(st);
    }
}


static void
ngx_status_starttls_say(ngx_status_starttls_t *st, const char *text,
    size_t len)
{
    st->out_len = ngx_min(len, sizeof(st->out));
    ngx_memcpy(st->out, text, st->out_len);
    st->step++;
}


/* What came is not what the protocol, or a server that is well, says. */

static ngx_int_t
ngx_status_starttls_strange(ngx_status_starttls_t *st)
{
    const char  *name;

    name = ngx_status_starttls_dialects[st->dialect].name;

    st->error = NGX_STATUS_E_PROTOCOL;

    if (st->dialect >= NGX_STATUS_STARTTLS_LDAP) {
        ngx_status_message(st->message, "answer is not %s's", name);
        return NGX_ERROR;
    }

    ngx_status_message(st->message, "%s %s \"%.*s\"", name,
                       st->step ? "server answered" : "greeting is",
                       (int) ngx_min(st->len, 100), (char *) st->line);

    return NGX_ERROR;
}


static ngx_int_t
ngx_status_starttls_refused(ngx_status_starttls_t *st)
{
    st->error = NGX_STATUS_E_TLS;
    ngx_status_message(st->message, "%s answered \"%.*s\"",
                       ngx_status_starttls_dialects[st->dialect].word,
                       (int) ngx_min(st->len, 100), (char *) st->line);

    return NGX_ERROR;
}


/* The line begins with these words, in any case. */

static ngx_uint_t
ngx_status_starttls_is(const ngx_status_starttls_t *st, const char *word)
{
    size_t  n;

    n = strlen(word);

    return st->len >= n && strncasecmp((char *) st->line, word, n) == 0
           && (st->len == n || st->line[n] == ' ');
}
