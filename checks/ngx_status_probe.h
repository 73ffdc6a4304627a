
/*
 * Copyright (C) ngx_status_module authors
 *
 * What probes of all types do alike: begin, tell whose fault a failure is,
 * and end with a judgement.  Checker only.
 */


#ifndef _NGX_STATUS_PROBE_H_INCLUDED_
#define _NGX_STATUS_PROBE_H_INCLUDED_


#include "ngx_status_check.h"
#include <sys/socket.h>


/* Words of the message when time is over in a phase: "while connecting". */
extern const char  *ngx_status_probe_doing[NGX_STATUS_NPHASES];


/* Evidence that ends the judgement: a fault is ours, an error the target's. */

#define ngx_status_ev_fault(ev, ...)                                         \
    do {                                                                     \
        (ev)->fault = NGX_STATUS_E_INTERNAL;                                 \
        ngx_status_message((ev)->message, __VA_ARGS__);                      \
    } while (0)

#define ngx_status_ev_fails(ev, e, ...)                                      \
    do {                                                                     \
        (ev)->error = (e);                                                   \
        ngx_status_message((ev)->message, __VA_ARGS__);                      \
    } while (0)


/*
 * For the schedule: begin a probe, and end it early, without done().  stop()
 * may come at any time between start() and done().
 */

void ngx_status_probe_start(ngx_status_probe_t *probe);
void ngx_status_probe_stop(ngx_status_probe_t *probe);


/*
 * For types: the end of a probe whose result has everything but state, error
 * and message.  Judges by the check's conditions (latency and certificate
 * become evidence by themselves), calls release(ctx), which frees all that
 * start() took, and done().  A judgement that would hold the loop goes on in
 * a thread with a copy of the evidence, which therefore can have no "json".
 */

void ngx_status_probe_end(ngx_status_probe_t *probe,
    ngx_status_evidence_t *ev, void (*release)(void *ctx));

/* Fills the judgement of a probe that could not be made: unknown, E_INTERNAL,
 * with a message; the caller then calls done(). */
void ngx_status_probe_fault(ngx_status_probe_t *probe, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


/* ms that are left of the probe's timeout; 0: none. */
ngx_msec_t ngx_status_probe_left(const ngx_status_probe_t *probe);

/* How late the checker itself was since "started" (ngx_current_msec), in ms,
 * when that is enough to be blamed for what took "timeout" ms; else 0. */
ngx_msec_t ngx_status_probe_late(ngx_msec_t started, ngx_msec_t timeout);

/* Time is over, in a phase: the target's timeout, or our own fault. */
void ngx_status_probe_timeout(ngx_msec_t started, ngx_msec_t timeout,
    ngx_status_phase_e phase, ngx_status_evidence_t *ev);

/* A name has no address, by getaddrinfo()'s code; 0: it does after all. */
void ngx_status_probe_unresolved(const char *host, int eai,
    ngx_status_evidence_t *ev);

/* connect() or socket() to an address failed; "addr" NULL: not known. */
void ngx_status_probe_unconnected(int error, const struct sockaddr *addr,
    socklen_t len, ngx_status_evidence_t *ev);

/* read() or write() failed in a phase; 0: the connection was closed. */
void ngx_status_probe_broken(int error, ngx_status_phase_e phase,
    ngx_status_evidence_t *ev);

/* Bytes of an answer; free() takes "data".  Zeroed at first. */

typedef struct {
    u_char     *data;
    size_t      len;
    size_t      size;
} ngx_status_buf_t;

/* Appends some; there will be no more than "limit" in all.  NGX_ERROR: no
 * memory. */
ngx_int_t ngx_status_probe_keep(ngx_status_buf_t *b, const void *bytes,
    size_t len, size_t limit);

/* A monotonic clock, in us. */
int64_t ngx_status_probe_clock(void);


#endif /* _NGX_STATUS_PROBE_H_INCLUDED_ */
