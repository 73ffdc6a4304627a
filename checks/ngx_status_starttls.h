
/*
 * Copyright (C) ngx_status_module authors
 *
 * What is said in the clear before TLS begins, in protocols that have a word
 * for it.  Pure: bytes come in, in pieces of any size, requests go out.
 */


#ifndef _NGX_STATUS_STARTTLS_H_INCLUDED_
#define _NGX_STATUS_STARTTLS_H_INCLUDED_


#include "../ngx_status_module/ngx_status_types.h"


#define NGX_STATUS_STARTTLS_KEEP   256   /* bytes looked at of a line; what is
                                            behind them is passed over */
#define NGX_STATUS_STARTTLS_TOTAL  65536 /* bytes in the clear at most */


/* The words of the option "starttls", in this order. */

typedef enum {
    NGX_STATUS_STARTTLS_SMTP = 0,
    NGX_STATUS_STARTTLS_IMAP,
    NGX_STATUS_STARTTLS_POP3,
    NGX_STATUS_STARTTLS_FTP,
    NGX_STATUS_STARTTLS_LDAP,
    NGX_STATUS_STARTTLS_POSTGRES,
    NGX_STATUS_STARTTLS_NONE
} ngx_status_starttls_e;

#define NGX_STATUS_OPTION_STARTTLS                                           \
    { ngx_string("starttls"), NGX_STATUS_OPTION_WORD,                        \
      "smtp imap pop3 ftp ldap postgres", 0, 0 }


typedef struct {
    ngx_status_starttls_e  dialect;
    ngx_uint_t             step;         /* requests made so far */
    size_t                 total;        /* bytes seen */
    u_char                 line[NGX_STATUS_STARTTLS_KEEP];
    size_t                 len;          /* of the line or message; what is
                                            over KEEP is not in it */
    ngx_uint_t             offered;      /* SMTP: STARTTLS is in the list */
    u_char                 reply[3];     /* of many lines: its code */

    /* to be sent, and set to 0 then */
    u_char                 out[96];
    size_t                 out_len;

    /* of NGX_ERROR; the message quotes the peer */
    ngx_status_error_e     error;
    char                   message[NGX_STATUS_MESSAGE];
} ngx_status_starttls_t;


void ngx_status_starttls_begin(ngx_status_starttls_t *st,
    ngx_status_starttls_e dialect);

/*
 * Takes bytes until there is something to send or to tell; *p is moved
 * behind them.  NGX_AGAIN: more is needed, once "out" is sent; NGX_OK: TLS
 * begins with the very next byte; NGX_ERROR: it will not.  "me" is how we
 * call ourselves to SMTP, such as "[192.0.2.1]"; 64 bytes at most.
 */

ngx_int_t ngx_status_starttls_feed(ngx_status_starttls_t *st,
    const char *me, const u_char **p, const u_char *last);

/* Where a dialect is spoken usually. */
in_port_t ngx_status_starttls_port(ngx_status_starttls_e dialect);


#endif /* _NGX_STATUS_STARTTLS_H_INCLUDED_ */
