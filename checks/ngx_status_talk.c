
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_talk.h"


#define NGX_STATUS_TALK_QUOTE   120      /* bytes of the peer's words */
#define NGX_STATUS_TALK_AROUND  64       /* of a message around what is in it */


static const ngx_status_talk_protocol_t  ngx_status_talk_protocols[] = {
    {
        .name = "smtp",
        .starttls = NGX_STATUS_STARTTLS_SMTP,
        .keep = 1024,
        .greets = 1,
        .text = 1,
        .codes = 1,
        .path = 1,
        .first = NGX_STATUS_SAY_HELLO,
        .take = ngx_status_talk_smtp,
        .words = {
            [NGX_STATUS_SAY_HELLO] = "EHLO",
            [NGX_STATUS_SAY_HELO] = "HELO",
            [NGX_STATUS_SAY_PLAIN] = "AUTH PLAIN",
            [NGX_STATUS_SAY_LOGIN] = "AUTH LOGIN",
            [NGX_STATUS_SAY_USER] = "AUTH LOGIN",
            [NGX_STATUS_SAY_PASS] = "AUTH LOGIN",
            [NGX_STATUS_SAY_ACT] = "NOOP",
            [NGX_STATUS_SAY_GOODBYE] = "QUIT"
        }
    },
    {
        .name = "imap",
        .starttls = NGX_STATUS_STARTTLS_IMAP,
        .keep = 1024,
        .greets = 1,
        .text = 1,
        .first = NGX_STATUS_SAY_ENTER,
        .take = ngx_status_talk_imap,
        .words = {
            [NGX_STATUS_SAY_LOGIN] = "LOGIN",
            [NGX_STATUS_SAY_ACT] = "NOOP",
            [NGX_STATUS_SAY_GOODBYE] = "LOGOUT"
        }
    },
    {
        .name = "pop3",
        .starttls = NGX_STATUS_STARTTLS_POP3,
        .keep = 1024,
        .greets = 1,
        .text = 1,
        .first = NGX_STATUS_SAY_ENTER,
        .take = ngx_status_talk_pop3,
        .words = {
            [NGX_STATUS_SAY_USER] = "USER",
            [NGX_STATUS_SAY_PASS] = "PASS",
            [NGX_STATUS_SAY_ACT] = "NOOP",
            [NGX_STATUS_SAY_GOODBYE] = "QUIT"
        }
    },
    {
        .name = "ftp",
        .starttls = NGX_STATUS_STARTTLS_FTP,
        .keep = 1024,
        .greets = 1,
        .text = 1,
        .codes = 1,
        .first = NGX_STATUS_SAY_ENTER,
        .take = ngx_status_talk_ftp,
        .words = {
            [NGX_STATUS_SAY_USER] = "USER",
            [NGX_STATUS_SAY_PASS] = "PASS",
            [NGX_STATUS_SAY_ACT] = "NOOP",
            [NGX_STATUS_SAY_GOODBYE] = "QUIT"
        }
    },
    {
        .name = "ldap",
        .starttls = NGX_STATUS_STARTTLS_LDAP,
        .keep = 8192,
        .path = 1,
        .first = NGX_STATUS_SAY_ENTER,
        .take = ngx_status_talk_ldap,
        .words = {
            [NGX_STATUS_SAY_LOGIN] = "the bind",
            [NGX_STATUS_SAY_ACT] = "the search",
            [NGX_STATUS_SAY_GOODBYE] = "the unbind"
        }
    },
    {
        .name = "mqtt",
        .starttls = NGX_STATUS_STARTTLS_NONE,
        .keep = 65536,
        .path = 1,
        .first = NGX_STATUS_SAY_HELLO,
        .take = ngx_status_talk_mqtt,
        .words = {
            [NGX_STATUS_SAY_HELLO] = "CONNECT",
            [NGX_STATUS_SAY_SUBSCRIBE] = "SUBSCRIBE",
            [NGX_STATUS_SAY_ACT] = "PINGREQ",
            [NGX_STATUS_SAY_GOODBYE] = "DISCONNECT"
        }
    },
    { .name = NULL }
};


static ngx_int_t ngx_status_talk_enter(ngx_status_talk_t *t);


const ngx_status_talk_protocol_t *
ngx_status_talk_protocol(const char *name)
{
    const ngx_status_talk_protocol_t  *protocol;

    for (protocol = ngx_status_talk_protocols; protocol->name; protocol++) {
        if (strcmp(protocol->name, name) == 0) {
            return protocol;
        }
    }

    return NULL;
}


ngx_int_t
ngx_status_talk_begin(ngx_status_talk_t *t)
{
    const ngx_status_talk_protocol_t  *protocol;

    protocol = t->conf->protocol;

    t->line = malloc(protocol->keep);

    if (t->line == NULL) {
        return NGX_DECLINED;
    }

    if (protocol->greets && !t->conf->secured) {
        return NGX_AGAIN;
    }

    return ngx_status_talk_say(t, protocol->first);
}


void
ngx_status_talk_end(ngx_status_talk_t *t)
{
    free(t->line);
    t->line = NULL;
}


ngx_int_t
ngx_status_talk_feed(ngx_status_talk_t *t, const u_char **p,
    const u_char *last)
{
    char           awaited[64];
    ngx_int_t      rc;
    const u_char  *begin, *end;

    begin = *p;
    end = begin + ngx_min((size_t) (last - begin),
                          NGX_STATUS_TALK_TOTAL - t->total);

    rc = t->conf->protocol->take(t, p, end);

    t->total += *p - begin;

    if (rc == NGX_AGAIN && t->total == NGX_STATUS_TALK_TOTAL) {
        return ngx_status_talk_fails(t, NGX_STATUS_E_PROTOCOL,
                           "%d kB came without %s",
                           NGX_STATUS_TALK_TOTAL / 1024,
                           ngx_status_talk_awaited(t, awaited,
                                                   sizeof(awaited)));
    }

    return rc;
}


const char *
ngx_status_talk_awaited(const ngx_status_talk_t *t, char *text, size_t size)
{
    if (t->awaiting) {
        snprintf(text, size, "a message");

    } else if (t->said == NGX_STATUS_SAY_NOTHING) {
        snprintf(text, size, "the greeting");

    } else {
        snprintf(text, size, "the answer to %s",
                 t->conf->protocol->words[t->said]);
    }

    return text;
}


void
ngx_status_talk_put(ngx_status_talk_t *t, u_char c)
{
    if (t->len < t->conf->protocol->keep) {
        t->line[t->len] = c;
    }

    t->len++;
}


void
ngx_status_talk_first(ngx_status_talk_t *t, const u_char *text, size_t len)
{
    t->first_len = ngx_min(len, sizeof(t->first));
    ngx_memcpy(t->first, text, t->first_len);
}


ngx_int_t
ngx_status_talk_say(ngx_status_talk_t *t, ngx_status_say_e what)
{
    if (what == NGX_STATUS_SAY_ENTER) {
        return ngx_status_talk_enter(t);
    }

    t->out = &t->conf->say[what];
    t->said = what;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_status_talk_enter(ngx_status_talk_t *t)
{
    const ngx_str_t  *say;

    say = t->conf->say;

    if (!t->conf->login || t->known) {
        return say[NGX_STATUS_SAY_ACT].data
               ? ngx_status_talk_say(t, NGX_STATUS_SAY_ACT)
               : ngx_status_talk_done(t);
    }

    if (say[NGX_STATUS_SAY_PLAIN].data == NULL) {
        return ngx_status_talk_say(t, say[NGX_STATUS_SAY_LOGIN].data
                                      ? NGX_STATUS_SAY_LOGIN
                                      : NGX_STATUS_SAY_USER);
    }

    if (t->plain || t->login) {
        return ngx_status_talk_say(t, t->plain ? NGX_STATUS_SAY_PLAIN
                                               : NGX_STATUS_SAY_LOGIN);
    }

    (void) ngx_status_talk_done(t);

    return ngx_status_talk_fails(t, NGX_STATUS_E_AUTH,
                       "no login: server offers neither AUTH PLAIN nor LOGIN");
}


ngx_int_t
ngx_status_talk_done(ngx_status_talk_t *t)
{
    t->out = &t->conf->say[NGX_STATUS_SAY_GOODBYE];

    return NGX_OK;
}


ngx_int_t
ngx_status_talk_fails(ngx_status_talk_t *t, ngx_status_error_e error,
    const char *fmt, ...)
{
    int      n;
    char     text[NGX_STATUS_MESSAGE];
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    n = ngx_max(0, ngx_min(n, (int) sizeof(text) - 1));

    ngx_status_text_copy(t->text, NGX_STATUS_MESSAGE, (u_char *) text, n);
    t->error = error;

    return NGX_ERROR;
}


ngx_int_t
ngx_status_talk_refused(ngx_status_talk_t *t, ngx_status_error_e error,
    const u_char *text, size_t len)
{
    int  n;

    n = ngx_min(len, NGX_STATUS_TALK_QUOTE);

    if (error != NGX_STATUS_E_PROTOCOL) {
        (void) ngx_status_talk_done(t);
    }

    if (t->said == NGX_STATUS_SAY_NOTHING) {
        return ngx_status_talk_fails(t, error, "greeting is \"%.*s\"", n,
                                     (char *) text);
    }

    if (error == NGX_STATUS_E_AUTH) {
        return ngx_status_talk_fails(t, error, "login denied: %.*s", n,
                                     (char *) text);
    }

    return ngx_status_talk_fails(t, error, "%s answered \"%.*s\"",
                                 t->conf->protocol->words[t->said], n,
                                 (char *) text);
}


u_char *
ngx_status_talk_room(ngx_pool_t *pool, size_t len)
{
    u_char  *p;

    len += NGX_STATUS_TALK_AROUND;

    p = ngx_pnalloc(pool, len);

    return p ? p + len : NULL;
}


u_char *
ngx_status_talk_before(u_char *p, const void *bytes, size_t len)
{
    p -= len;
    ngx_memcpy(p, bytes, len);

    return p;
}


u_char *
ngx_status_talk_length(u_char *p, size_t len)
{
    *--p = (u_char) len;
    *--p = (u_char) (len >> 8);

    return p;
}
