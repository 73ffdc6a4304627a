
/*
 * Copyright (C) ngx_status_module authors
 *
 * The checker's event loop as probes see it: file descriptors, timers and
 * libcurl transfers.  One epoll descriptor of our own stands in nginx's loop
 * as one connection, because nginx gives its helper process 512 and no more;
 * libcurl's sockets and everybody else's are in there.  Checker only; no
 * call blocks.
 */


#ifndef _NGX_STATUS_LOOP_H_INCLUDED_
#define _NGX_STATUS_LOOP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <curl/curl.h>


/* Calls curl_global_init(); once a process, whose exit undoes it.  NGX_ERROR
 * is logged. */
ngx_int_t ngx_status_loop_init(ngx_cycle_t *cycle);


/*
 * A descriptor to watch; the caller owns both.  "events" is EPOLLIN,
 * EPOLLOUT or both; 0 stops watching (before the descriptor is closed).
 * The handler gets what is ready, errors as EPOLLERR or EPOLLHUP.
 */

typedef struct ngx_status_watch_s  ngx_status_watch_t;

struct ngx_status_watch_s {
    int           fd;
    uint32_t      events;                /* the loop's: what is watched now */
    void        (*handler)(ngx_status_watch_t *w, uint32_t ready);
    void         *data;
};

ngx_int_t ngx_status_loop_watch(ngx_status_watch_t *w, uint32_t events);


/*
 * A transfer.  The caller owns the handle and has set everything but
 * CURLOPT_PRIVATE, which is the loop's.  done() is called once, from the
 * loop, the handle already removed; the callee may reuse or free it.
 * remove() ends a transfer early, without done().  Where libcurl only makes
 * the connection (CURLOPT_CONNECT_ONLY) that lasts as long as the handle is
 * in: with "stays" it is so until remove(), after done(), too.
 */

typedef struct ngx_status_transfer_s  ngx_status_transfer_t;

struct ngx_status_transfer_s {
    CURL         *easy;
    void        (*done)(ngx_status_transfer_t *t, CURLcode code);
    void         *data;
    unsigned      stays:1;
};

ngx_int_t ngx_status_loop_add(ngx_status_transfer_t *t);
void ngx_status_loop_remove(ngx_status_transfer_t *t);


/*
 * How late the loop itself has been, in ms: the worst since "since" (a
 * ngx_current_msec value not older than a minute).  A probe that timed out
 * while we were late by as much is our own fault.
 */

ngx_msec_t ngx_status_loop_lateness(ngx_msec_t since);


/*
 * Work that would hold the loop for too long, in a thread of its own.
 * run() is called there and touches only what the work owns, or nobody
 * writes any more; then done() is called from the loop.  There is no ending
 * it early: the work stays where it is until done().  How many there may be
 * at a time is for the callers to keep.  NGX_ERROR: no thread.
 */

typedef struct ngx_status_work_s  ngx_status_work_t;

struct ngx_status_work_s {
    void        (*run)(ngx_status_work_t *w);
    void        (*done)(ngx_status_work_t *w);
};

ngx_int_t ngx_status_loop_work(ngx_status_work_t *w);


/*
 * Tells why a name did not resolve, which libcurl does not say: one
 * getaddrinfo() in a thread of its own, a few at most at a time, for
 * addresses of a family (AF_UNSPEC: any).  done() is called from the loop with
 * the EAI_* code, 0 when the name resolves now, or EAI_SYSTEM when it could
 * not be asked.  *handle can be given to cancel() until done() was called;
 * NGX_ERROR: done() will not be called.
 */

typedef struct ngx_status_lookup_s  ngx_status_lookup_t;

ngx_int_t ngx_status_loop_lookup(const char *host, int family,
    void (*done)(void *data, int code), void *data,
    ngx_status_lookup_t **handle);
void ngx_status_loop_lookup_cancel(ngx_status_lookup_t *handle);


#endif /* _NGX_STATUS_LOOP_H_INCLUDED_ */
