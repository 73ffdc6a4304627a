
/*
 * Copyright (C) ngx_status_module authors
 *
 * Talks in lines: smtp, imap, pop3, ftp.
 */


#include "ngx_status_talk.h"
#include <strings.h>


typedef enum {
    NGX_STATUS_REPLY_MORE = 0,           /* this was not all of it */
    NGX_STATUS_REPLY_YES,
    NGX_STATUS_REPLY_GO,                 /* yes, and there is more to say */
    NGX_STATUS_REPLY_NO,
    NGX_STATUS_REPLY_ODD                 /* not one of the protocol's */
} ngx_status_reply_e;


/* What is said, when something was answered so.  Of all else, what follows a
 * login denies it, and the rest ends the talk. */

typedef struct {
    ngx_status_say_e     said;
    ngx_status_reply_e   reply;
    ngx_status_say_e     next;
} ngx_status_talk_step_t;


/* [RFC 5321, RFC 4954] */

static const ngx_status_talk_step_t  ngx_status_talk_smtp_steps[] = {
    { NGX_STATUS_SAY_HELLO,   NGX_STATUS_REPLY_YES, NGX_STATUS_SAY_ENTER },
    { NGX_STATUS_SAY_HELLO,   NGX_STATUS_REPLY_NO,  NGX_STATUS_SAY_HELO },
    { NGX_STATUS_SAY_HELO,    NGX_STATUS_REPLY_YES, NGX_STATUS_SAY_ENTER },
    { NGX_STATUS_SAY_PLAIN,   NGX_STATUS_REPLY_YES, NGX_STATUS_SAY_ACT },
    { NGX_STATUS_SAY_LOGIN,   NGX_STATUS_REPLY_GO,  NGX_STATUS_SAY_USER },
    { NGX_STATUS_SAY_USER,    NGX_STATUS_REPLY_GO,  NGX_STATUS_SAY_PASS },
    { NGX_STATUS_SAY_PASS,    NGX_STATUS_REPLY_YES, NGX_STATUS_SAY_ACT },
    { NGX_STATUS_NSAY,        NGX_STATUS_REPLY_ODD, NGX_STATUS_NSAY }
};

/* [RFC 3501] */

static const ngx_status_talk_step_t  ngx_status_talk_imap_steps[] = {
    { NGX_STATUS_SAY_LOGIN,   NGX_STATUS_REPLY_YES, NGX_STATUS_SAY_ACT },
    { NGX_STATUS_NSAY,        NGX_STATUS_REPLY_ODD, NGX_STATUS_NSAY }
};

/* [RFC 1939] */

static const ngx_status_talk_step_t  ngx_status_talk_pop3_steps[] = {
    { NGX_STATUS_SAY_USER,    NGX_STATUS_REPLY_YES, NGX_STATUS_SAY_PASS },
    { NGX_STATUS_SAY_PASS,    NGX_STATUS_REPLY_YES, NGX_STATUS_SAY_ACT },
    { NGX_STATUS_NSAY,        NGX_STATUS_REPLY_ODD, NGX_STATUS_NSAY }
};

/* [RFC 959] */

static const ngx_status_talk_step_t  ngx_status_talk_ftp_steps[] = {
    { NGX_STATUS_SAY_USER,    NGX_STATUS_REPLY_YES, NGX_STATUS_SAY_ACT },
    { NGX_STATUS_SAY_USER,    NGX_STATUS_REPLY_GO,  NGX_STATUS_SAY_PASS },
    { NGX_STATUS_SAY_PASS,    NGX_STATUS_REPLY_YES, NGX_STATUS_SAY_ACT },
    { NGX_STATUS_NSAY,        NGX_STATUS_REPLY_ODD, NGX_STATUS_NSAY }
};


static ngx_int_t ngx_status_talk_lines(ngx_status_talk_t *t, const u_char **p,
    const u_char *last,
    ngx_status_reply_e (*reply)(ngx_status_talk_t *t, size_t len),
    const ngx_status_talk_step_t *step);
static ngx_int_t ngx_status_talk_answered(ngx_status_talk_t *t,
    ngx_status_reply_e reply, size_t len, const ngx_status_talk_step_t *step);
static ngx_status_reply_e ngx_status_talk_smtp_reply(ngx_status_talk_t *t,
    size_t len);
static void ngx_status_talk_smtp_offers(ngx_status_talk_t *t, size_t len);
static ngx_status_reply_e ngx_status_talk_ftp_reply(ngx_status_talk_t *t,
    size_t len);
static ngx_status_reply_e ngx_status_talk_imap_reply(ngx_status_talk_t *t,
    size_t len);
static ngx_status_reply_e ngx_status_talk_pop3_reply(ngx_status_talk_t *t,
    size_t len);
static ngx_uint_t ngx_status_talk_passing(const ngx_status_talk_t *t,
    size_t len);
static ngx_uint_t ngx_status_talk_is(const ngx_status_talk_t *t, size_t len,
    const char *word);


ngx_int_t
ngx_status_talk_smtp(ngx_status_talk_t *t, const u_char **p,
    const u_char *last)
{
    return ngx_status_talk_lines(t, p, last, ngx_status_talk_smtp_reply,
                                 ngx_status_talk_smtp_steps);
}


ngx_int_t
ngx_status_talk_imap(ngx_status_talk_t *t, const u_char **p,
    const u_char *last)
{
    return ngx_status_talk_lines(t, p, last, ngx_status_talk_imap_reply,
                                 ngx_status_talk_imap_steps);
}


ngx_int_t
ngx_status_talk_pop3(ngx_status_talk_t *t, const u_char **p,
    const u_char *last)
{
    return ngx_status_talk_lines(t, p, last, ngx_status_talk_pop3_reply,
                                 ngx_status_talk_pop3_steps);
}


ngx_int_t
ngx_status_talk_ftp(ngx_status_talk_t *t, const u_char **p,
    const u_char *last)
{
    return ngx_status_talk_lines(t, p, last, ngx_status_talk_ftp_reply,
                                 ngx_status_talk_ftp_steps);
}


static ngx_int_t
ngx_status_talk_lines(ngx_status_talk_t *t, const u_char **p,
    const u_char *last,
    ngx_status_reply_e (*reply)(ngx_status_talk_t *t, size_t len),
    const ngx_status_talk_step_t *step)
{
    u_char              c;
    size_t              len;
    ngx_int_t           rc;
    ngx_status_reply_e  r;

    while (*p < last) {
        c = *(*p)++;

        if (c != LF) {
            /* a NUL would end it when it is quoted */
            ngx_status_talk_put(t, c ? c : '?');
            continue;
        }

        len = ngx_min(t->len, t->conf->protocol->keep);
        t->len = 0;

        if (len && t->line[len - 1] == CR) {
            len--;
        }

        if (t->first_len == 0) {
            ngx_status_talk_first(t, t->line, len);
        }

        r = reply(t, len);

        if (r == NGX_STATUS_REPLY_MORE) {
            continue;
        }

        rc = ngx_status_talk_answered(t, r, len, step);

        if (rc != NGX_AGAIN || t->out) {
            return rc;
        }
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_status_talk_answered(ngx_status_talk_t *t, ngx_status_reply_e reply,
    size_t len, const ngx_status_talk_step_t *step)
{
    if (t->said == NGX_STATUS_SAY_NOTHING && reply == NGX_STATUS_REPLY_YES) {
        return ngx_status_talk_say(t, t->conf->protocol->first);
    }

    for ( /* void */ ; step->said != NGX_STATUS_NSAY; step++) {
        if (step->said == t->said && step->reply == reply
            && (reply != NGX_STATUS_REPLY_NO || t->line[0] == '5'))
        {
            return ngx_status_talk_say(t, step->next);
        }
    }

    if (t->said == NGX_STATUS_SAY_ACT && reply != NGX_STATUS_REPLY_ODD
        && (reply == NGX_STATUS_REPLY_YES || t->conf->protocol->codes))
    {
        /* of a code the conditions know what it is worth */
        return ngx_status_talk_done(t);
    }

    if (reply != NGX_STATUS_REPLY_ODD
        && t->said >= NGX_STATUS_SAY_PLAIN && t->said <= NGX_STATUS_SAY_PASS
        && !ngx_status_talk_passing(t, len))
    {
        return ngx_status_talk_refused(t, NGX_STATUS_E_AUTH, t->line, len);
    }

    return ngx_status_talk_refused(t, reply == NGX_STATUS_REPLY_NO
                                      ? NGX_STATUS_E_STATUS
                                      : NGX_STATUS_E_PROTOCOL,
                                   t->line, len);
}


static ngx_status_reply_e
ngx_status_talk_smtp_reply(ngx_status_talk_t *t, size_t len)
{
    if (t->said == NGX_STATUS_SAY_HELLO) {
        ngx_status_talk_smtp_offers(t, len);
    }

    return ngx_status_talk_ftp_reply(t, len);
}


/* "250-AUTH PLAIN LOGIN"; before it was a standard it was "AUTH=". */

static void
ngx_status_talk_smtp_offers(ngx_status_talk_t *t, size_t len)
{
    size_t   n;
    u_char  *p, *last;

    p = t->line + 4;
    last = t->line + len;

    if (len < 9 || strncasecmp((char *) p, "AUTH", 4) != 0
        || (p[4] != ' ' && p[4] != '='))
    {
        return;
    }

    for (p += 5; p < last; p += n + 1) {

        for (n = 0; p + n < last && p[n] != ' '; n++) { /* void */ }

        if (n == 5 && strncasecmp((char *) p, "PLAIN", 5) == 0) {
            t->plain = 1;
        }

        if (n == 5 && strncasecmp((char *) p, "LOGIN", 5) == 0) {
            t->login = 1;
        }
    }
}


/* Lines between the first and the last may be anything [RFC 959, 4.2]. */

static ngx_status_reply_e
ngx_status_talk_ftp_reply(ngx_status_talk_t *t, size_t len)
{
    u_char      *p;
    ngx_uint_t   code, last;

    p = t->line;
    code = 0;
    last = (len == 3 || (len > 3 && p[3] == ' '));

    if (len >= 3 && p[0] >= '1' && p[0] <= '5' && p[1] >= '0' && p[1] <= '9'
        && p[2] >= '0' && p[2] <= '9' && (last || p[3] == '-'))
    {
        code = (p[0] - '0') * 100 + (p[1] - '0') * 10 + p[2] - '0';
    }

    if (t->reply[0]) {

        if (code == 0 || !last || ngx_memcmp(p, t->reply, 3) != 0) {
            return NGX_STATUS_REPLY_MORE;
        }

        t->reply[0] = '\0';

    } else if (code == 0) {
        return NGX_STATUS_REPLY_ODD;

    } else if (!last) {
        ngx_memcpy(t->reply, p, 3);
        return NGX_STATUS_REPLY_MORE;
    }

    if (t->said == NGX_STATUS_SAY_ACT) {
        t->code = code;
    }

    switch (p[0]) {

    case '1':
        /* such as "120 ready in 5 minutes" */
        return NGX_STATUS_REPLY_MORE;

    case '2':
        return NGX_STATUS_REPLY_YES;

    case '3':
        return NGX_STATUS_REPLY_GO;

    default:
        return NGX_STATUS_REPLY_NO;
    }
}


static ngx_status_reply_e
ngx_status_talk_imap_reply(ngx_status_talk_t *t, size_t len)
{
    const u_char  *tag;

    if (t->said == NGX_STATUS_SAY_NOTHING) {

        if (ngx_status_talk_is(t, len, "* PREAUTH")) {
            t->known = 1;
            return NGX_STATUS_REPLY_YES;
        }

        return ngx_status_talk_is(t, len, "* OK") ? NGX_STATUS_REPLY_YES
               : ngx_status_talk_is(t, len, "* BYE") ? NGX_STATUS_REPLY_NO
               : NGX_STATUS_REPLY_ODD;
    }

    if (ngx_status_talk_is(t, len, "*")) {
        return ngx_status_talk_is(t, len, "* BYE") ? NGX_STATUS_REPLY_NO
                                                   : NGX_STATUS_REPLY_MORE;
    }

    /* a tag is one letter */

    tag = t->conf->say[t->said].data;

    if (len < 2 || t->line[0] != tag[0] || t->line[1] != ' ') {
        return NGX_STATUS_REPLY_ODD;
    }

    return ngx_status_talk_is(t, len, "? OK") ? NGX_STATUS_REPLY_YES
           : ngx_status_talk_is(t, len, "? NO")
             || ngx_status_talk_is(t, len, "? BAD") ? NGX_STATUS_REPLY_NO
           : NGX_STATUS_REPLY_ODD;
}


static ngx_status_reply_e
ngx_status_talk_pop3_reply(ngx_status_talk_t *t, size_t len)
{
    return ngx_status_talk_is(t, len, "+OK") ? NGX_STATUS_REPLY_YES
           : ngx_status_talk_is(t, len, "-ERR") ? NGX_STATUS_REPLY_NO
           : NGX_STATUS_REPLY_ODD;
}


/*
 * Whether it is the server that can not judge a login now: codes from 400 on
 * are that [RFC 5321, 4.2.1], and others have words for it [RFC 5530, 3;
 * RFC 3206, 4; RFC 2449, 8.1.2].
 */

static ngx_uint_t
ngx_status_talk_passing(const ngx_status_talk_t *t, size_t len)
{
    if (t->conf->protocol->codes) {
        return t->line[0] == '4';
    }

    return ngx_status_talk_is(t, len, "* BYE")
           || ngx_status_talk_is(t, len, "? NO [UNAVAILABLE]")
           || ngx_status_talk_is(t, len, "? NO [INUSE]")
           || ngx_status_talk_is(t, len, "? NO [LIMIT]")
           || ngx_status_talk_is(t, len, "-ERR [SYS/TEMP]")
           || ngx_status_talk_is(t, len, "-ERR [SYS/PERM]")
           || ngx_status_talk_is(t, len, "-ERR [IN-USE]")
           || ngx_status_talk_is(t, len, "-ERR [LOGIN-DELAY]");
}


/* Whether the line begins with these words, in any case; "?" is any byte. */

static ngx_uint_t
ngx_status_talk_is(const ngx_status_talk_t *t, size_t len, const char *word)
{
    size_t  i;

    for (i = 0; word[i]; i++) {
        if (i == len || (word[i] != '?'
                         && ngx_toupper(t->line[i]) != (u_char) word[i]))
        {
            return 0;
        }
    }

    return i == len || t->line[i] == ' ';
}
