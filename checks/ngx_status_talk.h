
/*
 * Copyright (C) ngx_status_module authors
 *
 * Protocols of few words: smtp, imap, pop3, ftp, ldap, mqtt.  A talk is a
 * login, where there are credentials, one harmless act, and a goodbye.  All
 * that is ever said stands in the configuration; what is said next depends
 * on what came.  Pure, but for the configuration: bytes come in, in pieces of
 * any size.
 */


#ifndef _NGX_STATUS_TALK_H_INCLUDED_
#define _NGX_STATUS_TALK_H_INCLUDED_


#include "ngx_status_check.h"
#include "ngx_status_starttls.h"


#define NGX_STATUS_TALK_TOTAL  131072    /* bytes that a peer may say */
#define NGX_STATUS_TALK_FIRST  128       /* bytes kept of its first words */


/* What may be said; which words these are the protocol knows. */

typedef enum {
    NGX_STATUS_SAY_NOTHING = 0,          /* the peer begins */
    NGX_STATUS_SAY_HELLO,
    NGX_STATUS_SAY_HELO,
    NGX_STATUS_SAY_PLAIN,
    NGX_STATUS_SAY_LOGIN,
    NGX_STATUS_SAY_USER,
    NGX_STATUS_SAY_PASS,
    NGX_STATUS_SAY_SUBSCRIBE,
    NGX_STATUS_SAY_ACT,
    NGX_STATUS_SAY_GOODBYE,
    NGX_STATUS_NSAY,
    NGX_STATUS_SAY_ENTER                 /* the login, if any, or the act */
} ngx_status_say_e;


typedef struct ngx_status_talk_s  ngx_status_talk_t;

/* A protocol, a row of the table in ngx_status_talk.c. */

typedef struct {
    const char               *name;      /* of its check type */
    ngx_status_starttls_e     starttls;
    size_t                    keep;      /* bytes kept of a line or message;
                                            the rest of it is passed over */
    unsigned                  greets:1;  /* the peer begins */
    unsigned                  text:1;    /* what it says is a body */
    unsigned                  codes:1;   /* it answers with numbers */
    unsigned                  path:1;    /* its URLs may have one */
    ngx_status_say_e          first;     /* after the greeting, if any */

    /* as ngx_status_talk_feed(), within the limit */
    ngx_int_t               (*take)(ngx_status_talk_t *t, const u_char **p,
                                    const u_char *last);

    /* of what is said, for messages; NULL: not said */
    const char               *words[NGX_STATUS_NSAY];
} ngx_status_talk_protocol_t;


/* Of a check; read-only once it is made. */

typedef struct {
    const ngx_status_talk_protocol_t  *protocol;
    ngx_str_t                 say[NGX_STATUS_NSAY];  /* data NULL: not said */
    unsigned                  login:1;   /* there are credentials */
    unsigned                  secured:1; /* STARTTLS takes the greeting */
    unsigned                  await:1;   /* a message, after SUBSCRIBE */
} ngx_status_talk_conf_t;


/* One talk; zeroed but for conf. */

struct ngx_status_talk_s {
    const ngx_status_talk_conf_t  *conf;

    const ngx_str_t          *out;       /* to be sent, and set to NULL then */
    size_t                    total;     /* bytes that came */

    /* for the end of it */
    ngx_uint_t                code;      /* the act's; 0: none came */
    u_char                    first[NGX_STATUS_TALK_FIRST];
    size_t                    first_len; /* of what the peer said first */
    ngx_str_t                 message;   /* of MQTT, as far as it is kept;
                                            lives as long as t */
    size_t                    size;      /* of all of it */

    /* of NGX_ERROR; the text may quote the peer */
    ngx_status_error_e        error;
    char                      text[NGX_STATUS_MESSAGE];

    /* inside */
    ngx_status_say_e          said;      /* that is being answered */
    u_char                   *line;      /* or message, as far as it is kept */
    size_t                    len;       /* of it, as far as it came */
    u_char                    reply[3];  /* of many lines: their code */
    unsigned                  plain:1;   /* SMTP: AUTH PLAIN is offered */
    unsigned                  login:1;   /* SMTP: AUTH LOGIN is */
    unsigned                  known:1;   /* IMAP: a login is not asked for */
    unsigned                  awaiting:1;        /* a message */
};


/* Of a type's name; NULL: there is none. */
const ngx_status_talk_protocol_t *ngx_status_talk_protocol(const char *name);

/*
 * Makes all that is to be said, and refuses what can not work, with a
 * sentence.  Passwords as they are encoded become secrets of the check.
 * Master; memory from the pool.  ngx_status_talk_conf.c
 */

ngx_int_t ngx_status_talk_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_talk_conf_t *conf, char *err, size_t errlen);


/*
 * begin() is for a connection that is ready; end() frees, and may come at any
 * time, also without it.  feed() takes bytes until there is something to send
 * or to tell; *p is moved behind them.  NGX_AGAIN: more is needed, once "out"
 * is sent; NGX_OK: all is well, and "out" is a goodbye; NGX_ERROR;
 * NGX_DECLINED, of begin() only: no memory.
 */

ngx_int_t ngx_status_talk_begin(ngx_status_talk_t *t);
ngx_int_t ngx_status_talk_feed(ngx_status_talk_t *t, const u_char **p,
    const u_char *last);
void ngx_status_talk_end(ngx_status_talk_t *t);

/* What is waited for: "the greeting", "the answer to NOOP"; returns text. */
const char *ngx_status_talk_awaited(const ngx_status_talk_t *t, char *text,
    size_t size);


/*
 * For protocols.  put() adds a byte to the line; first() notes what is told
 * of the peer.  The others return what take() is to return: say() NGX_AGAIN
 * (with ENTER maybe one of the others), done() NGX_OK, fails() NGX_ERROR;
 * refused() quotes the answer to what was said, after a login as a login that
 * is denied.
 */

void ngx_status_talk_put(ngx_status_talk_t *t, u_char c);
void ngx_status_talk_first(ngx_status_talk_t *t, const u_char *text,
    size_t len);
ngx_int_t ngx_status_talk_say(ngx_status_talk_t *t, ngx_status_say_e what);
ngx_int_t ngx_status_talk_done(ngx_status_talk_t *t);
ngx_int_t ngx_status_talk_fails(ngx_status_talk_t *t,
    ngx_status_error_e error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
ngx_int_t ngx_status_talk_refused(ngx_status_talk_t *t,
    ngx_status_error_e error, const u_char *text, size_t len);

/*
 * Messages are made from their ends on, when all that is in one is known:
 * room() is for so many bytes and some around them, and returns its end, or
 * NULL; the others put something before p and return its begin, length() a
 * length of two bytes.
 */

u_char *ngx_status_talk_room(ngx_pool_t *pool, size_t len);
u_char *ngx_status_talk_before(u_char *p, const void *bytes, size_t len);
u_char *ngx_status_talk_length(u_char *p, size_t len);


/* ngx_status_talk_text.c, _ldap.c, _mqtt.c: take(), and what is said where
 * that is no text; NGX_ERROR with a sentence, which is "no memory" as they
 * are called. */

ngx_int_t ngx_status_talk_ldap_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_status_talk_conf_t *conf,
    const ngx_str_t *path, char *err, size_t errlen);
ngx_int_t ngx_status_talk_mqtt_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_status_talk_conf_t *conf,
    const ngx_str_t *path, char *err, size_t errlen);

ngx_int_t ngx_status_talk_smtp(ngx_status_talk_t *t, const u_char **p,
    const u_char *last);
ngx_int_t ngx_status_talk_imap(ngx_status_talk_t *t, const u_char **p,
    const u_char *last);
ngx_int_t ngx_status_talk_pop3(ngx_status_talk_t *t, const u_char **p,
    const u_char *last);
ngx_int_t ngx_status_talk_ftp(ngx_status_talk_t *t, const u_char **p,
    const u_char *last);
ngx_int_t ngx_status_talk_ldap(ngx_status_talk_t *t, const u_char **p,
    const u_char *last);
ngx_int_t ngx_status_talk_mqtt(ngx_status_talk_t *t, const u_char **p,
    const u_char *last);


#endif /* _NGX_STATUS_TALK_H_INCLUDED_ */
