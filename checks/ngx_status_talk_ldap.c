
/*
 * Copyright (C) ngx_status_module authors
 *
 * LDAP [RFC 4511]: a simple bind, where there are credentials, and a search of
 * one entry, the server's own if the URL names none [RFC 4512, 5.1].  Messages
 * are BER with definite lengths.
 */


#include "ngx_status_talk.h"
#include "ngx_status_ber.h"


#define NGX_STATUS_LDAP_MESSAGE  0x30
#define NGX_STATUS_LDAP_BIND     0x60
#define NGX_STATUS_LDAP_SIMPLE   0x80
#define NGX_STATUS_LDAP_SEARCH   0x63
#define NGX_STATUS_LDAP_INTEGER  0x02
#define NGX_STATUS_LDAP_STRING   0x04
#define NGX_STATUS_LDAP_ENUM     0x0a
#define NGX_STATUS_LDAP_BOUND    0x61
#define NGX_STATUS_LDAP_ENTRY    0x64
#define NGX_STATUS_LDAP_FOUND    0x65
#define NGX_STATUS_LDAP_REFERRAL 0x73
#define NGX_STATUS_LDAP_NOTICE   0x78

/* Of a search behind the base: that entry alone, aliases as they are, no
 * limits, values as well; whatever it is; and none of its attributes. */

#define NGX_STATUS_LDAP_NOTHING                                              \
    "\x0a\x01\x00" "\x0a\x01\x00" "\x02\x01\x00" "\x02\x01\x00"            \
    "\x01\x01\x00" "\x87\x0b" "objectClass" "\x30\x05\x04\x03" "1.1"

#define NGX_STATUS_LDAP_UNBIND   "\x30\x05\x02\x01\x04\x42\x00"


static u_char *ngx_status_ldap_tag(u_char *p, u_char tag, size_t len);
static ngx_int_t ngx_status_ldap_message(ngx_status_talk_t *t);
static ngx_int_t ngx_status_ldap_result(ngx_status_talk_t *t,
    const u_char *p, const u_char *last, ngx_uint_t asked);
static ngx_int_t ngx_status_ldap_odd(ngx_status_talk_t *t);
static ngx_int_t ngx_status_ldap_part(const u_char **p, const u_char *last,
    ngx_uint_t tag, ngx_str_t *part);
static const char *ngx_status_ldap_word(ngx_uint_t code);


/* Of the codes that a bind or a search may well end with; appendix A.1. */

static const struct {
    ngx_uint_t   code;
    const char  *word;
} ngx_status_ldap_words[] = {
    {  0, "success" },
    {  1, "operationsError" },
    {  2, "protocolError" },
    {  3, "timeLimitExceeded" },
    {  7, "authMethodNotSupported" },
    {  8, "strongerAuthRequired" },
    { 10, "referral" },
    { 13, "confidentialityRequired" },
    { 32, "noSuchObject" },
    { 34, "invalidDNSyntax" },
    { 48, "inappropriateAuthentication" },
    { 49, "invalidCredentials" },
    { 50, "insufficientAccessRights" },
    { 51, "busy" },
    { 52, "unavailable" },
    { 53, "unwillingToPerform" },
    { 54, "loopDetect" },
    { 80, "other" },
    {  0, NULL }
};


ngx_int_t
ngx_status_talk_ldap_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_talk_conf_t *conf, const ngx_str_t *path, char *err,
    size_t errlen)
{
    u_char     *p, *end;
    ngx_str_t  *say;

    (void) err;
    (void) errlen;

    say = conf->say;

    ngx_str_set(&say[NGX_STATUS_SAY_GOODBYE], NGX_STATUS_LDAP_UNBIND);

    end = ngx_status_talk_room(pool, path->len);
    if (end == NULL) {
        return NGX_ERROR;
    }

    p = ngx_status_talk_before(end, NGX_STATUS_LDAP_NOTHING,
                               sizeof(NGX_STATUS_LDAP_NOTHING) - 1);
    p = ngx_status_talk_before(p, path->data, path->len);
    p = ngx_status_ldap_tag(p, NGX_STATUS_LDAP_STRING, path->len);
    p = ngx_status_ldap_tag(p, NGX_STATUS_LDAP_SEARCH, end - p);
    p = ngx_status_talk_before(p, "\x02\x01\x03", 3);
    p = ngx_status_ldap_tag(p, NGX_STATUS_LDAP_MESSAGE, end - p);

    say[NGX_STATUS_SAY_ACT].data = p;
    say[NGX_STATUS_SAY_ACT].len = end - p;

    if (!conf->login) {
        return NGX_OK;
    }

    /* version 3, the name, and the password as it is */

    end = ngx_status_talk_room(pool, check->user.len + check->password.len);
    if (end == NULL) {
        return NGX_ERROR;
    }

    p = ngx_status_talk_before(end, check->password.data,
                               check->password.len);
    p = ngx_status_ldap_tag(p, NGX_STATUS_LDAP_SIMPLE, check->password.len);
    p = ngx_status_talk_before(p, check->user.data, check->user.len);
    p = ngx_status_ldap_tag(p, NGX_STATUS_LDAP_STRING, check->user.len);
    p = ngx_status_talk_before(p, "\x02\x01\x03", 3);
    p = ngx_status_ldap_tag(p, NGX_STATUS_LDAP_BIND, end - p);
    p = ngx_status_talk_before(p, "\x02\x01\x02", 3);
    p = ngx_status_ldap_tag(p, NGX_STATUS_LDAP_MESSAGE, end - p);

    say[NGX_STATUS_SAY_LOGIN].data = p;
    say[NGX_STATUS_SAY_LOGIN].len = end - p;

    return NGX_OK;
}


static u_char *
ngx_status_ldap_tag(u_char *p, u_char tag, size_t len)
{
    p = ngx_status_talk_length(p, len);
    *--p = 0x82;
    *--p = tag;

    return p;
}


ngx_int_t
ngx_status_talk_ldap(ngx_status_talk_t *t, const u_char **p,
    const u_char *last)
{
    size_t         length;
    ngx_int_t      rc;
    const u_char  *body, *end;

    while (*p < last) {
        ngx_status_talk_put(t, *(*p)++);

        body = t->line + 1;
        end = t->line + ngx_min(t->len, t->conf->protocol->keep);

        rc = t->line[0] == NGX_STATUS_LDAP_MESSAGE
             ? ngx_status_ber_length(&body, end, &length) : NGX_ERROR;

        if (rc == NGX_ERROR
            || (rc == NGX_OK && length > NGX_STATUS_TALK_TOTAL))
        {
            return ngx_status_ldap_odd(t);
        }

        if (rc == NGX_AGAIN || t->len < (body - t->line) + length) {
            continue;
        }

        rc = ngx_status_ldap_message(t);
        t->len = 0;

        if (rc != NGX_AGAIN || t->out) {
            return rc;
        }
    }

    return NGX_AGAIN;
}


/* LDAPMessage = SEQUENCE { messageID, protocolOp, ... } */

static ngx_int_t
ngx_status_ldap_message(ngx_status_talk_t *t)
{
    size_t         length;
    ngx_str_t      id;
    ngx_uint_t     tag;
    const u_char  *p, *last;

    p = t->line + 1;
    last = t->line + ngx_min(t->len, t->conf->protocol->keep);

    (void) ngx_status_ber_length(&p, last, &length);

    if (ngx_status_ldap_part(&p, last, NGX_STATUS_LDAP_INTEGER, &id) != NGX_OK
        || id.len != 1 || p == last)
    {
        return ngx_status_ldap_odd(t);
    }

    tag = *p++;

    if (ngx_status_ber_length(&p, last, &length) != NGX_OK) {
        return ngx_status_ldap_odd(t);
    }

    /* what a server says by itself has the ID 0; ours are 2 and 3 */

    if (id.data[0] == 0 && tag == NGX_STATUS_LDAP_NOTICE) {
        return ngx_status_ldap_result(t, p, last, 0);
    }

    if (t->said == NGX_STATUS_SAY_LOGIN) {
        return id.data[0] == 2 && tag == NGX_STATUS_LDAP_BOUND
               ? ngx_status_ldap_result(t, p, last, 1)
               : ngx_status_ldap_odd(t);
    }

    if (id.data[0] != 3) {
        return ngx_status_ldap_odd(t);
    }

    switch (tag) {

    case NGX_STATUS_LDAP_ENTRY:
    case NGX_STATUS_LDAP_REFERRAL:
        return NGX_AGAIN;

    case NGX_STATUS_LDAP_FOUND:
        return ngx_status_ldap_result(t, p, last, 1);

    default:
        return ngx_status_ldap_odd(t);
    }
}


/* LDAPResult = { resultCode, matchedDN, diagnosticMessage, ... } */

static ngx_int_t
ngx_status_ldap_result(ngx_status_talk_t *t, const u_char *p,
    const u_char *last, ngx_uint_t asked)
{
    char                text[256];
    size_t              n;
    ngx_str_t           number, dn, said;
    ngx_uint_t          code, i;
    ngx_status_error_e  error;

    said.len = 0;

    if (ngx_status_ldap_part(&p, last, NGX_STATUS_LDAP_ENUM, &number)
        != NGX_OK
        || number.len == 0 || number.len > 2)
    {
        return ngx_status_ldap_odd(t);
    }

    for (i = 0, code = 0; i < number.len; i++) {
        code = code << 8 | number.data[i];
    }

    /* the end of it may not have been kept */

    if (ngx_status_ldap_part(&p, last, NGX_STATUS_LDAP_STRING, &dn)
        == NGX_OK)
    {
        (void) ngx_status_ldap_part(&p, last, NGX_STATUS_LDAP_STRING, &said);
    }

    n = snprintf(text, sizeof(text), "%u %s%s%.*s", (unsigned) code,
                 ngx_status_ldap_word(code), said.len ? ": " : "",
                 (int) ngx_min(said.len, 150),
                 said.len ? (char *) said.data : "");

    ngx_status_talk_first(t, (u_char *) text, n);

    if (!asked) {
        return ngx_status_talk_fails(t, NGX_STATUS_E_STATUS,
                                     "server closes: %s", text);
    }

    if (code == 0) {
        return t->said == NGX_STATUS_SAY_LOGIN
               ? ngx_status_talk_say(t, NGX_STATUS_SAY_ACT)
               : ngx_status_talk_done(t);
    }

    error = NGX_STATUS_E_AUTH;

    switch (code) {

    case 1:
    case 2:
    case 3:
    case 10:
    case 51:
    case 52:
    case 54:
    case 80:
        /* no password is the cause of these */
        error = NGX_STATUS_E_STATUS;
        break;

    default:
        if (t->said != NGX_STATUS_SAY_LOGIN) {
            error = NGX_STATUS_E_STATUS;
        }
    }

    return ngx_status_talk_refused(t, error, (u_char *) text, n);
}


static ngx_int_t
ngx_status_ldap_odd(ngx_status_talk_t *t)
{
    return ngx_status_talk_fails(t, NGX_STATUS_E_PROTOCOL,
                                 "answer is not LDAP's");
}


/* A part of such a kind, which *p is then moved behind; NGX_DECLINED: there
 * is none, or not all of it. */

static ngx_int_t
ngx_status_ldap_part(const u_char **p, const u_char *last, ngx_uint_t tag,
    ngx_str_t *part)
{
    size_t         length;
    const u_char  *at;

    at = *p;
    part->len = 0;

    if (at == last || *at++ != tag
        || ngx_status_ber_length(&at, last, &length) != NGX_OK
        || length > (size_t) (last - at))
    {
        return NGX_DECLINED;
    }

    part->data = (u_char *) at;
    part->len = length;
    *p = at + length;

    return NGX_OK;
}


static const char *
ngx_status_ldap_word(ngx_uint_t code)
{
    ngx_uint_t  i;

    for (i = 0; ngx_status_ldap_words[i].word; i++) {
        if (ngx_status_ldap_words[i].code == code) {
            return ngx_status_ldap_words[i].word;
        }
    }

    return "result";
}
