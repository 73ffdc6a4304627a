
/*
 * Copyright (C) ngx_status_module authors
 *
 * The way of a heartbeat from a worker to the checker: places in shared
 * memory, for each monitor that has checks with a token.  They are a zone of
 * their own, of a size that no directive changes: a reload keeps it whatever
 * becomes of the monitor's zone, so old and new workers fill the same one.
 *
 * Workers write here and nowhere else in shared memory; there is no lock.
 * A check has NGX_STATUS_INBOX_DEPTH places, spread by a hash of its ID; two
 * checks share hardly any, so one that is flooded is in the way of no other.
 * A worker takes a free place by writing its pid into it, fills it, and says
 * that it is ready.  When it dies between the two the place is lost until
 * the checker finds that the process is gone; nobody waits for it meanwhile.
 * The checker copies what is ready, and frees the place when the result of
 * it is in the monitor's zone: a checker that dies before leaves it to the
 * next one, which at worst counts it twice.
 */


#ifndef _NGX_STATUS_INBOX_H_INCLUDED_
#define _NGX_STATUS_INBOX_H_INCLUDED_


#include "ngx_status_types.h"


#define NGX_STATUS_INBOX_PLACES  2048    /* a power of 2 */
#define NGX_STATUS_INBOX_DEPTH   32      /* of one check */


typedef struct ngx_status_inbox_s  ngx_status_inbox_t;

/* A place that was read: which one, and what it said of itself. */

typedef struct {
    ngx_uint_t            n;
    ngx_atomic_uint_t     state;
} ngx_status_place_t;


/* Adds the zone.  NULL: no memory, or the name is taken; logged.  Master. */

ngx_status_inbox_t *ngx_status_inbox_add(ngx_conf_t *cf, const ngx_str_t *name,
    ngx_module_t *tag);
size_t ngx_status_inbox_size(void);

/*
 * Worker.  Takes at most NGX_STATUS_INBOX_DEPTH steps.  NGX_BUSY: all places
 * of the check are taken, or this one was taken away.
 */

ngx_int_t ngx_status_inbox_put(ngx_status_inbox_t *inbox, const ngx_str_t *id,
    const ngx_status_push_t *push);


/*
 * Checker, the one that owns the monitor's zone.  news() grows with each
 * heartbeat.  waiting() says whether there is one for an ID.  get() copies
 * those of an ID, or of the one it had before (or ""), oldest first, into
 * NGX_STATUS_INBOX_DEPTH places of both arrays at most; free() gives the
 * first n of them back.
 */

ngx_uint_t ngx_status_inbox_news(const ngx_status_inbox_t *inbox);
ngx_uint_t ngx_status_inbox_waiting(const ngx_status_inbox_t *inbox,
    const ngx_str_t *id);
ngx_uint_t ngx_status_inbox_get(const ngx_status_inbox_t *inbox,
    const ngx_str_t *id, const ngx_str_t *was, ngx_status_push_t *pushes,
    ngx_status_place_t *places);
void ngx_status_inbox_free(ngx_status_inbox_t *inbox,
    const ngx_status_place_t *places, ngx_uint_t n);

/* Heartbeats that came and are gone: there was no place, or the worker that
 * took them died. */
uint64_t ngx_status_inbox_lost(const ngx_status_inbox_t *inbox);

/* ms since the epoch: it was made, so nginx was started, then. */
int64_t ngx_status_inbox_since(const ngx_status_inbox_t *inbox);

/*
 * Now and then: frees the places of workers that died in the middle, and
 * those of checks that are no more: known() is asked for the ID of what has
 * waited for NGX_STATUS_INBOX_OLD.
 */

#define NGX_STATUS_INBOX_OLD     10000   /* ms */

void ngx_status_inbox_sweep(ngx_status_inbox_t *inbox,
    ngx_uint_t (*known)(void *data, const ngx_str_t *id), void *data,
    ngx_log_t *log);


#endif /* _NGX_STATUS_INBOX_H_INCLUDED_ */
