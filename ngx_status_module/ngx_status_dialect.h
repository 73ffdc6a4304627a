
/*
 * Copyright (C) ngx_status_module authors
 *
 * Heartbeats as clients of others send them: from a request to a push, and
 * what each of them is used to be answered.  Pure.
 *
 *     .../TOKEN[/ID][/start|/fail|/log|/0-255][?rid=UUID] Healthchecks
 *     .../api/push/TOKEN[?status=up&msg=...&ping=ms]      Uptime Kuma
 *     .../api/v1/endpoints/KEY/external?success=true      Gatus, the token in
 *                              [&error=...][&duration=1s]    "Authorization"
 *
 * The path tells which it is, wherever the location is, so that a client
 * needs another host name and no more.  With Healthchecks the token is what
 * comes below the location, or below "ping/" there.
 */


#ifndef _NGX_STATUS_DIALECT_H_INCLUDED_
#define _NGX_STATUS_DIALECT_H_INCLUDED_


#include "ngx_status_types.h"


#define NGX_STATUS_DIALECT_BODY  200     /* bytes of it that are of any use */


typedef enum {
    NGX_STATUS_DIALECT_HEALTHCHECKS = 0,
    NGX_STATUS_DIALECT_KUMA,
    NGX_STATUS_DIALECT_GATUS
} ngx_status_dialect_e;


typedef struct {
    ngx_status_dialect_e      dialect;
    ngx_uint_t                status;    /* HTTP; 200: understood */
    const char               *problem;   /* a sentence; NULL with 200 */
    u_char                    token[NGX_STATUS_TOKEN];   /* zeroes behind it;
                                            all of them: no token at all */
    ngx_str_t                 head;      /* of the path, as it may be told: */
    ngx_str_t                 tail;      /* between them stood the token */
    ngx_str_t                 key;       /* whose it is said to be, in the
                                            path; may be empty */
    ngx_status_push_t         push;      /* but for "at" */

    /* between parse(), body() and end() */
    ngx_uint_t                code;      /* exit code */
    size_t                    len;
    u_char                    text[NGX_STATUS_MESSAGE];
} ngx_status_heartbeat_t;


/*
 * Reads a request: its path, decoded, of which the first "prefix" bytes are
 * the location's; its arguments, as they came; "Authorization" or an empty
 * string.  Strings of the answer are those of the path.
 */

void ngx_status_dialect_parse(ngx_status_heartbeat_t *hb,
    const ngx_str_t *path, size_t prefix, const ngx_str_t *args,
    const ngx_str_t *authorization);

/* Takes a piece of the body; the first of it that is text is enough. */
void ngx_status_dialect_body(ngx_status_heartbeat_t *hb, const u_char *data,
    size_t len);

/* Makes the message, in which the token, should it be there, is not told. */
void ngx_status_dialect_end(ngx_status_heartbeat_t *hb);

/*
 * Which of n tokens it is, from 1; 0: none of them.  Takes the same time for
 * any token and any answer: no branch and no address depends on either.
 */

ngx_uint_t ngx_status_dialect_find(const u_char *token,
    const u_char *const *tokens, ngx_uint_t n);

/* Whether a key means a check: its ID, or GROUP_ID as Gatus makes one of the
 * two. */

ngx_uint_t ngx_status_dialect_key(const ngx_str_t *key,
    const ngx_str_t *group, const ngx_str_t *id);


#endif /* _NGX_STATUS_DIALECT_H_INCLUDED_ */
