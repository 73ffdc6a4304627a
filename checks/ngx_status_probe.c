
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_probe.h"
#include "ngx_status_cert.h"
#include "../ngx_status_module/ngx_status_loop.h"
#include <netdb.h>


/* Lateness of ours that takes the blame for a timeout: a quarter of it, but
 * no jitter */
#define NGX_STATUS_PROBE_LATE     100    /* ms */

#define NGX_STATUS_PROBE_PONDER   2      /* threads that judge, at a time */
#define NGX_STATUS_PROBE_AGAIN    50     /* ms, until a thread is free */


/* A judgement in a thread; owns copies of all that its evidence borrows. */

typedef struct ngx_status_judging_s {
    ngx_status_work_t          work;     /* first */
    ngx_event_t                timer;    /* no thread was free */
    ngx_status_probe_t        *probe;    /* NULL: stopped */
    const ngx_status_check_t  *check;
    ngx_status_evidence_t      ev;
    ngx_status_result_t        result;
    u_char                    *data;
    unsigned                   running:1;
} ngx_status_judging_t;


static ngx_status_judging_t *ngx_status_probe_copy(ngx_status_probe_t *probe,
    const ngx_status_evidence_t *ev);
static void ngx_status_probe_ponder(ngx_status_judging_t *j);
static void ngx_status_probe_again(ngx_event_t *ev);
static void ngx_status_probe_think(ngx_status_work_t *w);
static void ngx_status_probe_thought(ngx_status_work_t *w);
static void ngx_status_probe_forget(ngx_status_judging_t *j);


const char  *ngx_status_probe_doing[NGX_STATUS_NPHASES] = {
    "resolving the name", "connecting", "in the TLS handshake",
    "waiting for the answer", "receiving the answer"
};

static ngx_uint_t         ngx_status_probe_npondering;
static ngx_connection_t   ngx_status_probe_connection;     /* for log lines */


void
ngx_status_probe_start(ngx_status_probe_t *probe)
{
    probe->started = ngx_current_msec;
    probe->check->type->start(probe);
}


void
ngx_status_probe_stop(ngx_status_probe_t *probe)
{
    ngx_status_judging_t  *j;

    j = probe->judging;

    if (j == NULL) {
        probe->check->type->stop(probe);
        return;
    }

    probe->judging = NULL;
    j->probe = NULL;

    if (!j->running) {
        ngx_status_probe_forget(j);
    }
}


void
ngx_status_probe_end(ngx_status_probe_t *probe, ngx_status_evidence_t *ev,
    void (*release)(void *ctx))
{
    void                      *ctx;
    ngx_status_result_t       *result;
    ngx_status_judging_t      *j;
    const ngx_status_check_t  *check;

    j = NULL;
    check = probe->check;
    result = &probe->result;

    ev->have |= ngx_status_subject_bit(NGX_STATUS_S_LATENCY);
    ev->number[NGX_STATUS_S_LATENCY] = result->latency / 1e6;

    ngx_status_cert_end(probe, 0, ev);

    if (ngx_status_judge(check->conds, check->nconds, check->bots,
                         check->nbots, check->timeout, ev, 0, result)
        != NGX_OK)
    {
        j = ngx_status_probe_copy(probe, ev);

        if (j == NULL) {
            ngx_status_probe_fault(probe, "no memory");
        }
    }

    ctx = probe->ctx;
    probe->ctx = NULL;
    release(ctx);

    if (j) {
        probe->judging = j;
        ngx_status_probe_ponder(j);
        return;
    }

    probe->done(probe);
}


static ngx_status_judging_t *
ngx_status_probe_copy(ngx_status_probe_t *probe,
    const ngx_status_evidence_t *ev)
{
    size_t                 len;
    u_char                *p;
    ngx_str_t             *text;
    ngx_uint_t             i;
    ngx_status_judging_t  *j;

    j = calloc(1, sizeof(ngx_status_judging_t));
    if (j == NULL) {
        return NULL;
    }

    len = ev->body.len + ev->headers.len;

    for (i = 0; i < NGX_STATUS_NSUBJECTS; i++) {
        len += ev->string[i].len;
    }

    j->data = malloc(len + 1);
    if (j->data == NULL) {
        free(j);
        return NULL;
    }

    j->ev = *ev;
    j->result = probe->result;
    j->check = probe->check;
    j->probe = probe;

    p = j->data;

    for (i = 0; i < NGX_STATUS_NSUBJECTS + 2; i++) {
        text = i < NGX_STATUS_NSUBJECTS ? &j->ev.string[i]
               : i == NGX_STATUS_NSUBJECTS ? &j->ev.body : &j->ev.headers;

        if (text->len) {
            ngx_memcpy(p, text->data, text->len);
        }

        text->data = p;
        p += text->len;
    }

    ngx_status_probe_connection.fd = (ngx_socket_t) -1;

    j->work.run = ngx_status_probe_think;
    j->work.done = ngx_status_probe_thought;
    j->timer.handler = ngx_status_probe_again;
    j->timer.data = &ngx_status_probe_connection;
    j->timer.log = probe->log;
    j->timer.cancelable = 1;

    return j;
}


static void
ngx_status_probe_ponder(ngx_status_judging_t *j)
{
    if (ngx_status_probe_npondering < NGX_STATUS_PROBE_PONDER
        && ngx_status_loop_work(&j->work) == NGX_OK)
    {
        ngx_status_probe_npondering++;
        j->running = 1;
        return;
    }

    ngx_add_timer(&j->timer, NGX_STATUS_PROBE_AGAIN);
}


static void
ngx_status_probe_again(ngx_event_t *ev)
{
    ngx_status_probe_ponder((ngx_status_judging_t *)
                            ((char *) ev - offsetof(ngx_status_judging_t,
                                                    timer)));
}


/* In a thread. */

static void
ngx_status_probe_think(ngx_status_work_t *w)
{
    ngx_status_judging_t      *j;
    const ngx_status_check_t  *check;

    j = (ngx_status_judging_t *) w;
    check = j->check;

    (void) ngx_status_judge(check->conds, check->nconds, check->bots,
                            check->nbots, check->timeout, &j->ev, 1,
                            &j->result);
}


static void
ngx_status_probe_thought(ngx_status_work_t *w)
{
    ngx_status_probe_t    *probe;
    ngx_status_judging_t  *j;

    j = (ngx_status_judging_t *) w;
    probe = j->probe;

    ngx_status_probe_npondering--;

    if (probe) {
        probe->result = j->result;
        probe->judging = NULL;
    }

    ngx_status_probe_forget(j);

    if (probe) {
        probe->done(probe);
    }
}


static void
ngx_status_probe_forget(ngx_status_judging_t *j)
{
    if (j->timer.timer_set) {
        ngx_del_timer(&j->timer);
    }

    free(j->data);
    free(j);
}


void
ngx_status_probe_fault(ngx_status_probe_t *probe, const char *fmt, ...)
{
    int      n;
    char     text[NGX_STATUS_MESSAGE];
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    n = ngx_max(0, ngx_min(n, (int) sizeof(text) - 1));

    probe->result.state = NGX_STATUS_UNKNOWN;
    probe->result.error = NGX_STATUS_E_INTERNAL;

    ngx_status_text_copy(probe->result.message, NGX_STATUS_MESSAGE,
                         (u_char *) text, n);
}


ngx_msec_t
ngx_status_probe_left(const ngx_status_probe_t *probe)
{
    ngx_msec_t  passed;

    passed = ngx_current_msec - probe->started;

    return passed < probe->check->timeout ? probe->check->timeout - passed : 0;
}


ngx_msec_t
ngx_status_probe_late(ngx_msec_t started, ngx_msec_t timeout)
{
    ngx_msec_t  late;

    late = ngx_status_loop_lateness(started);

    return late >= ngx_max(NGX_STATUS_PROBE_LATE, timeout / 4) ? late : 0;
}


void
ngx_status_probe_timeout(ngx_msec_t started, ngx_msec_t timeout,
    ngx_status_phase_e phase, ngx_status_evidence_t *ev)
{
    ngx_msec_t  late;

    late = ngx_status_probe_late(started, timeout);

    if (late) {
        ngx_status_ev_fault(ev, "the checker was late by %lu ms",
                            (unsigned long) late);
        return;
    }

    if (phase == NGX_STATUS_PHASE_RESOLVE) {
        ngx_status_ev_fault(ev, "the resolver did not answer within %lu ms",
                            (unsigned long) timeout);
        return;
    }

    ev->timed_out = 1;
    ev->timeout_phase = phase;

    ngx_status_message(ev->message, "timed out after %lu ms, while %s",
                       (unsigned long) timeout,
                       ngx_status_probe_doing[phase]);
}


void
ngx_status_probe_unresolved(const char *host, int eai,
    ngx_status_evidence_t *ev)
{
    switch (eai) {

    case EAI_NONAME:
        ngx_status_ev_fails(ev, NGX_STATUS_E_RESOLVE,
                            "name \"%.128s\" does not resolve", host);
        return;

#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
    case EAI_ADDRFAMILY:
#endif
        ngx_status_ev_fails(ev, NGX_STATUS_E_RESOLVE,
                            "name \"%.128s\" has no address", host);
        return;

    case 0:
        ngx_status_ev_fault(ev, "the resolver failed for a moment");
        return;

    default:
        ngx_status_ev_fault(ev, "the resolver failed: %s", gai_strerror(eai));
    }
}


void
ngx_status_probe_unconnected(int error, const struct sockaddr *addr,
    socklen_t len, ngx_status_evidence_t *ev)
{
    int  s, rc, ours;

    switch (error) {

    case ECONNREFUSED:
        ngx_status_ev_fails(ev, NGX_STATUS_E_CONNECT, "connection refused");
        return;

    case ENOENT:
        ngx_status_ev_fails(ev, NGX_STATUS_E_CONNECT,
                            "there is no such socket");
        return;

    case ECONNRESET:
        ngx_status_ev_fails(ev, NGX_STATUS_E_RESET,
                            "connection reset while connecting");
        return;

    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EACCES:
    case EPERM:
        ngx_status_ev_fault(ev, "no connection could be made from here: %s",
                            strerror(error));
        return;

    case ENETUNREACH:

        /* said by a router on the way, or by our own table of routes?  A
         * datagram socket asks the table and sends nothing */

        s = addr ? socket(addr->sa_family, SOCK_DGRAM|SOCK_CLOEXEC, 0) : -1;

        if (s != -1) {
            rc = connect(s, addr, len);
            ours = (rc == -1 && errno == ENETUNREACH);
            (void) close(s);

            if (ours) {
                ngx_status_ev_fault(ev, "no route from here: %s",
                                    strerror(ENETUNREACH));
                return;
            }
        }

        ngx_status_ev_fails(ev, NGX_STATUS_E_CONNECT,
                            "network is unreachable");
        return;

    case EHOSTUNREACH:
        ngx_status_ev_fails(ev, NGX_STATUS_E_CONNECT, "host is unreachable");
        return;

    case ETIMEDOUT:
        ngx_status_ev_fails(ev, NGX_STATUS_E_CONNECT,
                            "no answer to the connection attempts");
        return;

    default:
        ngx_status_ev_fails(ev, NGX_STATUS_E_CONNECT, "no connection%s%s",
                            error ? ": " : "", error ? strerror(error) : "");
    }
}


void
ngx_status_probe_broken(int error, ngx_status_phase_e phase,
    ngx_status_evidence_t *ev)
{
    if (error == 0) {
        ngx_status_ev_fails(ev, NGX_STATUS_E_RESET,
                            "connection closed while %s",
                            ngx_status_probe_doing[phase]);

    } else if (error == ECONNRESET || error == EPIPE) {
        ngx_status_ev_fails(ev, NGX_STATUS_E_RESET,
                            "connection reset while %s",
                            ngx_status_probe_doing[phase]);

    } else {
        ngx_status_ev_fails(ev, NGX_STATUS_E_CONNECT,
                            "connection lost while %s: %s",
                            ngx_status_probe_doing[phase], strerror(error));
    }
}


ngx_int_t
ngx_status_probe_keep(ngx_status_buf_t *b, const void *bytes, size_t len,
    size_t limit)
{
    size_t   size;
    u_char  *p;

    if (b->len + len > b->size) {
        size = ngx_max(b->len + len, ngx_min(b->size * 2, limit));
        size = ngx_max(size, 1024);

        p = realloc(b->data, size);
        if (p == NULL) {
            return NGX_ERROR;
        }

        b->data = p;
        b->size = size;
    }

    ngx_memcpy(b->data + b->len, bytes, len);
    b->len += len;

    return NGX_OK;
}


int64_t
ngx_status_probe_clock(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
