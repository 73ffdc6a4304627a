
/*
 * Copyright (C) ngx_status_module authors
 *
 * Is it the target, or is it us who have no network?  Checks that are
 * sentinels answer that for all others of the monitor: while all of them
 * fail at once, nobody else's failure to connect says anything.  Pure; the
 * schedule asks the sentinels, and holds results back until they have
 * answered.
 */


#ifndef _NGX_STATUS_SENTINEL_H_INCLUDED_
#define _NGX_STATUS_SENTINEL_H_INCLUDED_


#include "../checks/ngx_status_check.h"


/* ms from one probe of a sentinel to the next, however often it is asked */
#define NGX_STATUS_SENTINEL_PAUSE  500


typedef struct {
    ngx_uint_t                known;     /* a result came, ever: */
    ngx_uint_t                fails;     /* the newest one does */
    ngx_msec_t                started;   /* its probe; monotonic ms */
    ngx_uint_t                failed;    /* one did, ever: */
    ngx_msec_t                failed_at; /* when the newest of these began */
} ngx_status_sentinel_t;


/* Whether a check's results may be those of a machine without network: it
 * asks another machine. */
ngx_uint_t ngx_status_sentinel_concerns(const ngx_status_check_t *check);

/* Whether nothing came from the target: the result of one that could not be
 * reached. */
ngx_uint_t ngx_status_sentinel_fails(const ngx_status_result_t *result);

/* Takes the result of a sentinel whose probe began at "started". */
void ngx_status_sentinel_result(ngx_status_sentinel_t *s,
    const ngx_status_result_t *result, ngx_msec_t started);

/*
 * Of a failure whose probe went from "began" to "ended": NGX_OK, the network
 * is there; NGX_DECLINED, it is not; NGX_AGAIN, ask the sentinels of
 * stale().
 */
ngx_int_t ngx_status_sentinel_verdict(const ngx_status_sentinel_t *list,
    ngx_uint_t n, ngx_msec_t began, ngx_msec_t ended);
ngx_uint_t ngx_status_sentinel_stale(const ngx_status_sentinel_t *s,
    ngx_msec_t ended);

/* Whether the newest result of all of them is a failure. */
ngx_uint_t ngx_status_sentinel_offline(const ngx_status_sentinel_t *list,
    ngx_uint_t n);


#endif /* _NGX_STATUS_SENTINEL_H_INCLUDED_ */
