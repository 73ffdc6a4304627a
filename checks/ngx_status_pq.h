
/*
 * Copyright (C) ngx_status_module authors
 *
 * A conversation with a PostgreSQL server through libpq: connect, log in, one
 * query and its rows.  It goes in steps, and after each it says what the
 * socket has to be ready for.  No step waits for the server, but some compute
 * for as long as the server likes (SCRAM's rounds), or parse a file of
 * certificates: so steps are made in a thread, one at a time, which touches
 * nothing but what is in here.
 */


#ifndef _NGX_STATUS_PQ_H_INCLUDED_
#define _NGX_STATUS_PQ_H_INCLUDED_


#include "ngx_status_probe.h"
#include <libpq-fe.h>


#define NGX_STATUS_PQ_PARAMS  32
#define NGX_STATUS_PQ_PIECE   65536      /* bytes that are taken in at a time */
#define NGX_STATUS_PQ_OUT     4096
#define NGX_STATUS_PQ_LINE    160        /* bytes of what others say */


/* In the order of libpq's words for them. */

typedef enum {
    NGX_STATUS_PQ_DISABLE = 0,
    NGX_STATUS_PQ_ALLOW,
    NGX_STATUS_PQ_PREFER,
    NGX_STATUS_PQ_REQUIRE,
    NGX_STATUS_PQ_VERIFY_CA,
    NGX_STATUS_PQ_VERIFY_FULL
} ngx_status_pq_mode_e;


/* Where libpq would look for files of a home directory; nothing is there. */
#define NGX_STATUS_PQ_NOWHERE  "/dev/null/none"


typedef struct {
    const char                  *keys[NGX_STATUS_PQ_PARAMS];
    const char                  *values[NGX_STATUS_PQ_PARAMS];
    ngx_uint_t                   n;      /* the last one is NULL */
    ngx_uint_t                   hostaddr;       /* which of them that is */
    ngx_uint_t                   sslmode;
    ngx_uint_t                   sslrootcert;
    char                         port[sizeof("65535")];
    const char                  *query;
    size_t                       max;    /* bytes of an answer */
} ngx_status_pq_params_t;


/*
 * libpq reads a message as fast as it comes, up to 1 GB in one call.  So it
 * does not keep the server's socket: as soon as that is connected, libpq's
 * descriptor becomes one end of a pair of sockets, and what comes from the
 * server is handed over in pieces, and counted.
 */

typedef struct {
    unsigned                     on:1;
    unsigned                     eof:1;
    int                          error;  /* that came with it; or 0 */
    int                          fd;     /* the server's socket */
    int                          pipe;   /* our end of the pair */
    dev_t                        dev;    /* the other one */
    ino_t                        ino;
    size_t                       len;
    u_char                       out[NGX_STATUS_PQ_OUT];
} ngx_status_pq_feed_t;


typedef struct {

    /* the caller's, who zeroes all the rest */
    const ngx_status_pq_params_t  *params;
    char                         address[NGX_SOCKADDR_STRLEN];   /* empty: the
                                            parameters say where */

    /* after a step */
    uint32_t                     want;   /* EPOLLIN, EPOLLOUT; 0: it is over */
    int                          fd;     /* of this descriptor, which from
                                            step to step may be another one */
    PGconn                      *conn;
    ngx_uint_t                   unconnected;    /* over, because there is no
                                            connection; errno, or 0 */
    int                          error;
    ngx_status_evidence_t        ev;     /* over: what came of it; borrows
                                            from the conversation */
    char                         seen[NGX_STATUS_SEEN];

    /* inside */
    ngx_status_pq_feed_t         feed;
    ngx_uint_t                   answering;      /* the query is sent */
    ngx_uint_t                   looking;        /* at a certificate that was
                                            refused */
    size_t                       pending;        /* bytes that have come
                                            since the last row */
    size_t                       received;       /* bytes of rows */
    uint64_t                     rows;
    PGresult                    *first;  /* with the first row */
} ngx_status_pq_t;


/* ngx_status_pq_conf.c.  Master: reads the check; memory from the pool, and
 * what is the check's is borrowed; NGX_ERROR with a sentence. */
ngx_int_t ngx_status_pq_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_pq_params_t *params, char *err, size_t errlen);

/* The sslmode, NGX_STATUS_PQ_*; NGX_ERROR: there is none of that name. */
ngx_int_t ngx_status_pq_mode(const ngx_status_check_t *check);

/* Once a checker process. */
void ngx_status_pq_init(void);


/* The first one begins it; in a thread. */
void ngx_status_pq_step(ngx_status_pq_t *pq);

/* Ends it at any time but within a step, and frees what it took; another
 * first step may follow.  Does not wait for the server. */
void ngx_status_pq_close(ngx_status_pq_t *pq);

/*
 * ngx_status_pq_words.c, for the steps: what failed, from libpq's text to
 * evidence; true: it was the server's certificate, and why might be looked
 * for.  says() is for what the server has told with an SQLSTATE.  line() is
 * that one of the text's lines which "word" is in, without libpq's preface,
 * errno() the error that it speaks of, or 0.
 */

ngx_uint_t ngx_status_pq_words(ngx_status_pq_t *pq, ngx_status_phase_e phase,
    const char *text);
void ngx_status_pq_says(ngx_status_pq_t *pq, const char *text,
    const char *sqlstate);
const char *ngx_status_pq_line(const char *text, const char *word,
    char line[NGX_STATUS_PQ_LINE]);
int ngx_status_pq_errno(const char *text);


/*
 * ngx_status_pq_feed.c, for the steps.  lost(): libpq has begun another
 * connection on its descriptor.  in() moves one piece and returns how many
 * bytes that were, left() says whether libpq has to read some of it still.
 * out() moves what libpq has written; true: the server does not take all of
 * it yet.
 */

ngx_int_t ngx_status_pq_feed_begin(ngx_status_pq_feed_t *feed, int sock);
ngx_uint_t ngx_status_pq_feed_lost(const ngx_status_pq_feed_t *feed,
    int sock);
size_t ngx_status_pq_feed_in(ngx_status_pq_feed_t *feed);
ngx_uint_t ngx_status_pq_feed_left(int sock);
ngx_uint_t ngx_status_pq_feed_out(ngx_status_pq_feed_t *feed);
void ngx_status_pq_feed_end(ngx_status_pq_feed_t *feed);


#endif /* _NGX_STATUS_PQ_H_INCLUDED_ */
