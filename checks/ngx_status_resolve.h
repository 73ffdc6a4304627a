
/*
 * Copyright (C) ngx_status_module authors
 *
 * How many names may be resolving at a time.  A resolver that does not
 * answer holds a thread for each name it was asked, for longer than the
 * probe lives; without a bound it would hold them by the thousand, and one
 * dead zone of the DNS would take the places of all other names.  Checker
 * only.
 */


#ifndef _NGX_STATUS_RESOLVE_H_INCLUDED_
#define _NGX_STATUS_RESOLVE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_STATUS_RESOLVE_MAX     64
#define NGX_STATUS_RESOLVE_HOST    4       /* of one name */
#define NGX_STATUS_RESOLVE_LINGER  30000   /* ms that a thread may outlive
                                              its probe */

typedef struct ngx_status_resolve_s  ngx_status_resolve_t;

struct ngx_status_resolve_s {
    ngx_queue_t    queue;
    uint32_t       name;                   /* hash; 0: any number of it */
    ngx_uint_t     place;                  /* 0: none */
    ngx_uint_t     waiting;
    void         (*ready)(ngx_status_resolve_t *r);
    void          *data;
};


/* Once a process; again is harmless. */
void ngx_status_resolve_init(ngx_log_t *log);

/*
 * Takes a place.  NGX_AGAIN: it waits, and ready() is called from the loop
 * when it has one.  With ready NULL it does not wait: NGX_DECLINED.
 */

ngx_int_t ngx_status_resolve_begin(ngx_status_resolve_t *r);

/*
 * Gives the place back or stops waiting; what has none is left alone.
 * "stuck": the thread still waits for the resolver, and its place is kept
 * for as long as it may.  May be called from within libcurl's callbacks.
 */

void ngx_status_resolve_end(ngx_status_resolve_t *r, ngx_uint_t stuck);


#endif /* _NGX_STATUS_RESOLVE_H_INCLUDED_ */
