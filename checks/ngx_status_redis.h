
/*
 * Copyright (C) ngx_status_module authors
 *
 * What is said to a Redis server and what it answers: commands and replies
 * [RESP2] by hiredis, and the fields of INFO.  All but conf() is pure.
 */


#ifndef _NGX_STATUS_REDIS_H_INCLUDED_
#define _NGX_STATUS_REDIS_H_INCLUDED_


#include "ngx_status_check.h"


#define NGX_STATUS_REDIS_FIELD  1024     /* bytes of a field's value; the rest
                                            is cut off */

typedef enum {
    NGX_STATUS_REDIS_NONE = 0,
    NGX_STATUS_REDIS_ERROR,
    NGX_STATUS_REDIS_STATUS,             /* "+OK" */
    NGX_STATUS_REDIS_STRING,
    NGX_STATUS_REDIS_INTEGER,
    NGX_STATUS_REDIS_NIL,
    NGX_STATUS_REDIS_ARRAY
} ngx_status_redis_kind_e;


/* Zeroed, then init(). */

typedef struct {

    /* the newest reply, until next() is called again */
    ngx_status_redis_kind_e   kind;
    ngx_str_t                 text;      /* of an array: its elements, also of
                                            arrays in it, parted by LF */
    ngx_uint_t                rows;      /* of an array: its elements */

    /* of NGX_ERROR */
    ngx_status_error_e        error;     /* 0: no memory */
    char                      err[160];

    /* inside */
    struct redisReader       *reader;
    size_t                    limit;
    size_t                    came;      /* bytes */
    size_t                    size;      /* of the text's memory */
    ngx_uint_t                nparts;    /* of the text */
    ngx_uint_t                done;
} ngx_status_redis_t;


/* Takes replies of "limit" bytes together.  NGX_ERROR: no memory. */
ngx_int_t ngx_status_redis_init(ngx_status_redis_t *r, size_t limit);
void ngx_status_redis_free(ngx_status_redis_t *r);

/* What came.  NGX_ERROR: no memory. */
ngx_int_t ngx_status_redis_feed(ngx_status_redis_t *r, const u_char *bytes,
    size_t len);

/* NGX_OK: a reply; NGX_AGAIN: it is not all there; NGX_ERROR: it will never
 * be, with a sentence. */
ngx_int_t ngx_status_redis_next(ngx_status_redis_t *r);


/* The bytes of a command.  NGX_ERROR: no memory. */
ngx_int_t ngx_status_redis_command(ngx_pool_t *pool, const ngx_str_t *words,
    ngx_uint_t nwords, ngx_str_t *bytes);

/* Words as redis-cli reads them: parted by spaces, in quotes with \n \xHH and
 * the like, or in single quotes.  NGX_DECLINED: a quote is not closed, or
 * something follows it. */
ngx_int_t ngx_status_redis_words(ngx_pool_t *pool, const ngx_str_t *text,
    ngx_str_t **words, ngx_uint_t *nwords);


/*
 * The value of a field in the answer to INFO, borrowed from it or in "buf";
 * a per cent sign behind it is left out.  "db0.keys" is "keys=..." of the
 * field "db0".  Made up out of others are
 *
 *     replication_lag   seconds: of a master its slowest replica's, of a
 *                       replica since it heard of its master
 *     maxmemory_perc    used_memory in per cent of maxmemory
 *
 * NGX_DECLINED: there is none.  The name is NUL-terminated.
 * ngx_status_redis_info.c.
 */

ngx_int_t ngx_status_redis_field(const ngx_str_t *info, const ngx_str_t *name,
    u_char buf[NGX_STATUS_REDIS_FIELD], ngx_str_t *value);


/* What a probe sends, in this order, and is answered in. */

typedef enum {
    NGX_STATUS_REDIS_AUTH = 0,
    NGX_STATUS_REDIS_SELECT,
    NGX_STATUS_REDIS_INFO,
    NGX_STATUS_REDIS_COMMAND
} ngx_status_redis_step_e;

#define NGX_STATUS_REDIS_STEPS  4


typedef struct {
    struct ngx_status_stream_conf_s  *stream;
    ngx_status_redis_step_e    steps[NGX_STATUS_REDIS_STEPS];
    ngx_uint_t                 nsteps;
    ngx_str_t                  requests[NGX_STATUS_REDIS_STEPS];
    ngx_str_t                  send;     /* all of them */
    ngx_str_t                  command;  /* its first word */
    ngx_uint_t                 ping;     /* no command is configured */
} ngx_status_redis_conf_t;

/* The type's conf(). */
ngx_int_t ngx_status_redis_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    char *err, size_t errlen);


#endif /* _NGX_STATUS_REDIS_H_INCLUDED_ */
