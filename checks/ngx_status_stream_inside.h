
/*
 * Copyright (C) ngx_status_module authors
 *
 * A stream, as the files that configure it, secure it and run it share it;
 * nobody else includes this.
 */


#ifndef _NGX_STATUS_STREAM_INSIDE_H_INCLUDED_
#define _NGX_STATUS_STREAM_INSIDE_H_INCLUDED_


#include "ngx_status_stream.h"


struct ngx_status_stream_conf_s {
    ngx_uint_t                 tls;
    ngx_status_starttls_e      starttls;
    int                        family;
    char                      *url;      /* of TLS: name and port */
    ngx_status_tls_t           files;
};


/* What TLS could not take has to be offered again from the same place. */

typedef struct ngx_status_stream_out_s  ngx_status_stream_out_t;

struct ngx_status_stream_out_s {
    ngx_status_stream_out_t   *next;
    size_t                     len;
    size_t                     at;       /* sent so far */
    u_char                     bytes[1];
};


struct ngx_status_stream_s {
    ngx_status_probe_t        *probe;
    const ngx_status_stream_conf_t     *conf;
    const ngx_status_stream_handler_t  *handler;
    void                      *data;

    ngx_status_dial_t          dial;
    int                        fd;
    ngx_status_watch_t         watch;
    ngx_event_t                timer;    /* the timeout */
    ngx_event_t                soon;     /* TLS may hold what epoll does not
                                            show */
    ngx_status_starttls_t      starttls;
    ngx_status_transfer_t      transfer;
    ngx_status_curl_t          curl;
    ngx_status_stream_out_t   *out;      /* what is left to be sent */
    ngx_status_stream_out_t  **last;

    int64_t                    opened;   /* us */
    int64_t                    began;    /* this phase */
    ngx_status_phase_e         phase;

    unsigned                   added:1;  /* the transfer is in the loop */
    unsigned                   lent:1;   /* fd is libcurl's to close */
    unsigned                   secure:1; /* goes through libcurl */
    unsigned                   ready:1;
    unsigned                   ended:1;  /* the peer has closed its side */
    unsigned                   stuck:1;  /* TLS can not write before it has
                                            read */
    unsigned                   busy:1;   /* the owner may close it now: */
    unsigned                   closed:1; /* it is freed a bit later */
};


/*
 * ngx_status_stream.c.  A turn makes a stream ready that is not; it, fail()
 * and what calls them may free s.  write(), read() and watch() return
 * NGX_ERROR with evidence; write() NGX_OK when all has gone that will go for
 * now; read() NGX_AGAIN when nothing is there, else *len bytes of at most
 * *len, and none at the end.
 */

void ngx_status_stream_turn(ngx_status_stream_t *s);
void ngx_status_stream_fail(ngx_status_stream_t *s,
    ngx_status_evidence_t *ev);
ngx_int_t ngx_status_stream_push(ngx_status_stream_t *s, const u_char *bytes,
    size_t len);
ngx_int_t ngx_status_stream_write(ngx_status_stream_t *s,
    ngx_status_evidence_t *ev);
ngx_int_t ngx_status_stream_read(ngx_status_stream_t *s, u_char *buf,
    size_t *len, ngx_status_evidence_t *ev);
ngx_int_t ngx_status_stream_watch(ngx_status_stream_t *s,
    ngx_status_evidence_t *ev);

/* A phase begins; or the same one goes on, and its time is brought up to
 * date. */
void ngx_status_stream_phase(ngx_status_stream_t *s,
    ngx_status_phase_e next);

/* Closes a socket. */
void ngx_status_stream_goodbye(int fd);


/*
 * ngx_status_stream_tls.c.  From connected to a turn: secure() begins, talk()
 * goes on in the clear when the descriptor says so.  error() words what
 * libcurl says.
 */

void ngx_status_stream_secure(ngx_status_stream_t *s);
void ngx_status_stream_talk(ngx_status_stream_t *s);
void ngx_status_stream_error(ngx_status_stream_t *s, CURLcode code,
    ngx_status_evidence_t *ev);


#endif /* _NGX_STATUS_STREAM_INSIDE_H_INCLUDED_ */
