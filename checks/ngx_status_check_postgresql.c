
/*
 * Copyright (C) ngx_status_module authors
 *
 * postgresql://user@host:port/database over libpq: connect, log in, one
 * query.
 *
 * A probe goes: the host's addresses (ngx_status_dial.h) -> a step of the
 * conversation (ngx_status_pq.h) in a thread -> the socket ready in the loop
 * -> the next step ... -> judgement.
 */


#include "ngx_status_check.h"

#if (NGX_STATUS_PQ)
#include "ngx_status_cert.h"
#include "ngx_status_dial.h"
#include "ngx_status_pq.h"
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#endif


static const ngx_str_t  ngx_status_postgresql_schemes[] =
    { ngx_string("postgresql"), ngx_string("postgres"), ngx_null_string };

static const in_port_t  ngx_status_postgresql_ports[] = { 5432, 5432 };


#if (NGX_STATUS_PQ)

#define NGX_STATUS_POSTGRESQL_EACH  2000 /* ms for an address that is not the
                                            last one, at most */
#define NGX_STATUS_POSTGRESQL_NICE  19


typedef struct ngx_status_postgresql_s  ngx_status_postgresql_t;

typedef struct {
    ngx_status_pq_params_t     params;
    int                        family;
    ngx_status_postgresql_t   *stuck;    /* the checker's: its probe is over,
                                            its thread is not */
    ngx_msec_t                 since;
} ngx_status_postgresql_conf_t;


struct ngx_status_postgresql_s {
    ngx_status_work_t          work;     /* first */
    ngx_status_probe_t        *probe;    /* NULL: nobody waits any more */
    ngx_status_postgresql_conf_t  *conf;
    ngx_status_dial_t          dial;
    ngx_uint_t                 next;     /* of its addresses */
    ngx_status_watch_t         watch;
    ngx_event_t                timer;
    int64_t                    began;    /* us; the probe */
    int64_t                    since;    /* us; the phase */
    ngx_status_phase_e         phase;
    ngx_uint_t                 seen;     /* its certificate */
    ngx_uint_t                 running;  /* a step, in a thread */
    volatile pid_t             thread;   /* 0: not begun yet */
    ngx_status_pq_t            pq;       /* the thread's meanwhile */
};


static ngx_int_t ngx_status_postgresql_init(ngx_cycle_t *cycle);
static ngx_uint_t ngx_status_postgresql_tls(const ngx_status_check_t *check);
static ngx_int_t ngx_status_postgresql_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static void ngx_status_postgresql_start(ngx_status_probe_t *probe);
static void ngx_status_postgresql_stop(ngx_status_probe_t *probe);
static void ngx_status_postgresql_dialled(ngx_status_dial_t *d);
static void ngx_status_postgresql_address(ngx_status_postgresql_t *q);
static void ngx_status_postgresql_step(ngx_status_postgresql_t *q);
static void ngx_status_postgresql_run(ngx_status_work_t *w);
static void ngx_status_postgresql_stepped(ngx_status_work_t *w);
static void ngx_status_postgresql_wait(ngx_status_postgresql_t *q);
static void ngx_status_postgresql_ready(ngx_status_watch_t *w,
    uint32_t ready);
static void ngx_status_postgresql_expired(ngx_event_t *ev);
static void ngx_status_postgresql_timer(ngx_status_postgresql_t *q,
    ngx_msec_t ms);
static void ngx_status_postgresql_unwatch(ngx_status_postgresql_t *q);
static void ngx_status_postgresql_phase(ngx_status_postgresql_t *q);
static void ngx_status_postgresql_cert(ngx_status_postgresql_t *q);
static void ngx_status_postgresql_end(ngx_status_postgresql_t *q,
    ngx_status_evidence_t *ev);
static void ngx_status_postgresql_release(void *ctx);


static const ngx_status_option_t  ngx_status_postgresql_options[] = {
    { ngx_string("query"), NGX_STATUS_OPTION_TEXT, NULL, 0, 0 },
    NGX_STATUS_OPTION_LOGIN,
    NGX_STATUS_OPTION_FAMILY,
    NGX_STATUS_OPTION_END
};


const ngx_status_check_type_t  ngx_status_check_postgresql = {
    .name = ngx_string("postgresql"),
    .schemes = ngx_status_postgresql_schemes,
    .ports = ngx_status_postgresql_ports,
    .subjects = ngx_status_subject_bit(NGX_STATUS_S_VALUE)
                |ngx_status_subject_bit(NGX_STATUS_S_ROWS)
                |ngx_status_subject_bit(NGX_STATUS_S_LATENCY)
                |ngx_status_subject_bit(NGX_STATUS_S_CERT),
    .latency = 1000,
    .options = ngx_status_postgresql_options,
    .tls = ngx_status_postgresql_tls,
    .conf = ngx_status_postgresql_conf,
    .start = ngx_status_postgresql_start,
    .stop = ngx_status_postgresql_stop,
    .init = ngx_status_postgresql_init
};


static ngx_connection_t  ngx_status_postgresql_connection; /* for log lines */


static ngx_int_t
ngx_status_postgresql_init(ngx_cycle_t *cycle)
{
    ngx_status_postgresql_connection.fd = (ngx_socket_t) -1;
    ngx_status_dial_init(cycle->log);

    ngx_status_pq_init();

    return NGX_OK;
}


/* With less than a verified one the ends of certificates are not minded. */

static ngx_uint_t
ngx_status_postgresql_tls(const ngx_status_check_t *check)
{
    ngx_int_t  mode;

    mode = ngx_status_pq_mode(check);

    return mode >= NGX_STATUS_PQ_VERIFY_CA ? NGX_STATUS_TLS_VERIFIED
           : mode == NGX_STATUS_PQ_REQUIRE ? NGX_STATUS_TLS_SEEN
           : NGX_STATUS_TLS_NONE;
}


static ngx_int_t
ngx_status_postgresql_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    char *err, size_t errlen)
{
    ngx_status_postgresql_conf_t  *conf;

    conf = ngx_pcalloc(pool, sizeof(ngx_status_postgresql_conf_t));
    if (conf == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    check->conf = conf;
    conf->family = ngx_status_dial_family(check);

    if (ngx_status_dial_fits((char *) (check->resolve.len
                                       ? check->resolve.data
                                       : check->host.data),
                             conf->family, err, errlen)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_status_pq_conf(pool, check, &conf->params, err, errlen);
}


static void
ngx_status_postgresql_start(ngx_status_probe_t *probe)
{
    ngx_status_evidence_t          ev;
    ngx_status_postgresql_t       *q;
    ngx_status_postgresql_conf_t  *conf;

    conf = probe->check->conf;

    if (conf->stuck) {
        ngx_memzero(&ev, sizeof(ngx_status_evidence_t));
        ngx_status_ev_fault(&ev, "libpq is still at work for the probe of "
                            "%lu s ago",
                            (unsigned long)
                            ((ngx_current_msec - conf->since) / 1000));
        ngx_status_probe_end(probe, &ev, ngx_status_postgresql_release);
        return;
    }

    q = calloc(1, sizeof(ngx_status_postgresql_t));
    probe->ctx = q;

    if (q == NULL) {
        ngx_status_probe_fault(probe, "no memory");
        probe->done(probe);
        return;
    }

    q->probe = probe;
    q->conf = conf;
    q->began = ngx_status_probe_clock();

    q->work.run = ngx_status_postgresql_run;
    q->work.done = ngx_status_postgresql_stepped;

    q->watch.fd = -1;
    q->watch.handler = ngx_status_postgresql_ready;
    q->watch.data = q;

    q->timer.data = &ngx_status_postgresql_connection;
    q->timer.handler = ngx_status_postgresql_expired;
    q->timer.log = probe->log;
    q->timer.cancelable = 1;

    q->pq.params = &conf->params;

    if (probe->check->host.len) {
        q->dial.probe = probe;
        q->dial.lookup = 1;
        q->dial.done = ngx_status_postgresql_dialled;
        q->dial.data = q;

        ngx_status_dial(&q->dial, conf->family);
        return;
    }

    ngx_status_postgresql_address(q);
}


static void
ngx_status_postgresql_stop(ngx_status_probe_t *probe)
{
    ngx_status_postgresql_release(probe->ctx);
    probe->ctx = NULL;
}


static void
ngx_status_postgresql_dialled(ngx_status_dial_t *d)
{
    ngx_status_postgresql_t  *q;

    q = d->data;

    if (ngx_status_dial_failed(d)) {
        ngx_status_postgresql_end(q, &d->ev);
        return;
    }

    ngx_status_postgresql_address(q);
}


/* libpq would look the name up itself, and wait for it. */

static void
ngx_status_postgresql_address(ngx_status_postgresql_t *q)
{
    size_t  len;

    if (q->dial.naddrs) {
        len = ngx_sock_ntop((struct sockaddr *) &q->dial.addrs[q->next],
                            q->dial.addr_lens[q->next],
                            (u_char *) q->pq.address,
                            sizeof(q->pq.address) - 1, 0);
        q->pq.address[len] = '\0';
        q->next++;
    }

    q->phase = NGX_STATUS_PHASE_CONNECT;
    q->since = ngx_status_probe_clock();
    q->pq.unconnected = 0;

    ngx_status_postgresql_step(q);
}


static void
ngx_status_postgresql_step(ngx_status_postgresql_t *q)
{
    ngx_status_postgresql_timer(q, ngx_status_probe_left(q->probe));

    q->running = 1;

    if (ngx_status_loop_work(&q->work) != NGX_OK) {
        q->running = 0;
        ngx_status_ev_fault(&q->pq.ev, "no thread could be started");
        ngx_status_postgresql_end(q, &q->pq.ev);
    }
}


/* In a thread. */

static void
ngx_status_postgresql_run(ngx_status_work_t *w)
{
    ngx_status_postgresql_t  *q;

    q = (ngx_status_postgresql_t *) w;

    q->thread = (pid_t) syscall(SYS_gettid);
    ngx_status_pq_step(&q->pq);
}


static void
ngx_status_postgresql_stepped(ngx_status_work_t *w)
{
    ngx_status_postgresql_t  *q;

    q = (ngx_status_postgresql_t *) w;

    q->running = 0;
    q->thread = 0;

    if (q->probe == NULL) {
        q->conf->stuck = NULL;
        ngx_status_postgresql_release(q);
        return;
    }

    ngx_status_postgresql_phase(q);
    ngx_status_postgresql_cert(q);

    if (q->pq.want) {
        ngx_status_postgresql_wait(q);
        return;
    }

    if (q->pq.unconnected) {

        if (q->next < q->dial.naddrs) {
            ngx_status_pq_close(&q->pq);
            ngx_status_postgresql_address(q);
            return;
        }

        if (q->next) {
            ngx_status_probe_unconnected(q->pq.error, (struct sockaddr *)
                                         &q->dial.addrs[q->next - 1],
                                         q->dial.addr_lens[q->next - 1],
                                         &q->pq.ev);
        } else {
            ngx_status_probe_unconnected(q->pq.error, NULL, 0, &q->pq.ev);
        }
    }

    ngx_status_postgresql_end(q, &q->pq.ev);
}


static void
ngx_status_postgresql_wait(ngx_status_postgresql_t *q)
{
    ngx_msec_t  left;

    q->watch.fd = q->pq.fd;

    if (q->watch.fd == -1
        || ngx_status_loop_watch(&q->watch, q->pq.want) != NGX_OK)
    {
        q->watch.fd = -1;
        ngx_status_ev_fault(&q->pq.ev, "the connection can not be watched");
        ngx_status_postgresql_end(q, &q->pq.ev);
        return;
    }

    if (q->phase == NGX_STATUS_PHASE_CONNECT && q->next < q->dial.naddrs) {
        left = ngx_status_probe_left(q->probe);
        ngx_status_postgresql_timer(q,
                                    ngx_min(left / (q->dial.naddrs - q->next
                                                    + 1),
                                            NGX_STATUS_POSTGRESQL_EACH));
    }
}


static void
ngx_status_postgresql_ready(ngx_status_watch_t *w, uint32_t ready)
{
    ngx_status_postgresql_t  *q;

    (void) ready;

    q = w->data;

    ngx_status_postgresql_unwatch(q);
    ngx_status_postgresql_step(q);
}


static void
ngx_status_postgresql_expired(ngx_event_t *ev)
{
    ngx_status_evidence_t     evidence;
    ngx_status_postgresql_t  *q;

    q = (ngx_status_postgresql_t *)
            ((char *) ev - offsetof(ngx_status_postgresql_t, timer));

    ngx_status_postgresql_phase(q);

    if (!q->running && q->pq.looking) {
        /* it has failed already */
        ngx_status_postgresql_end(q, &q->pq.ev);
        return;
    }

    if (!q->running && q->phase == NGX_STATUS_PHASE_CONNECT
        && q->next < q->dial.naddrs && ngx_status_probe_left(q->probe))
    {
        ngx_status_postgresql_unwatch(q);
        ngx_status_pq_close(&q->pq);
        ngx_status_postgresql_address(q);
        return;
    }

    ngx_memzero(&evidence, sizeof(ngx_status_evidence_t));

    if (q->running) {
        /* the server may ask for too much, or this machine be too busy */
        ngx_status_ev_fault(&evidence, "libpq was still at work after %lu ms",
                            (unsigned long) q->probe->check->timeout);

    } else {
        ngx_status_probe_timeout(q->probe->started,
                                 q->probe->check->timeout, q->phase,
                                 &evidence);
    }

    ngx_status_postgresql_end(q, &evidence);
}


/* nginx leaves a timer alone that is moved by less than 300 ms */

static void
ngx_status_postgresql_timer(ngx_status_postgresql_t *q, ngx_msec_t ms)
{
    if (q->timer.timer_set) {
        ngx_del_timer(&q->timer);
    }

    ngx_add_timer(&q->timer, ms);
}


static void
ngx_status_postgresql_unwatch(ngx_status_postgresql_t *q)
{
    if (q->watch.fd != -1) {
        (void) ngx_status_loop_watch(&q->watch, 0);
        q->watch.fd = -1;
    }
}


/* Books the time since the last step, and looks where that has led. */

static void
ngx_status_postgresql_phase(ngx_status_postgresql_t *q)
{
    int64_t  now;

    now = ngx_status_probe_clock();

    q->probe->result.phases[q->phase] += (uint32_t) (now - q->since);
    q->since = now;

    if (q->running || q->pq.conn == NULL) {
        return;
    }

    switch (PQstatus(q->pq.conn)) {

    case CONNECTION_BAD:
    case CONNECTION_MADE:
        /* of TCP, or of TLS in it */
        break;

    case CONNECTION_NEEDED:
    case CONNECTION_STARTED:
        q->phase = NGX_STATUS_PHASE_CONNECT;
        break;

    case CONNECTION_SSL_STARTUP:
        q->phase = NGX_STATUS_PHASE_TLS;
        break;

    default:
        q->phase = NGX_STATUS_PHASE_WAIT;
        break;
    }
}


/* libpq has no handshake that could be looked into, but what comes of it. */

static void
ngx_status_postgresql_cert(ngx_status_postgresql_t *q)
{
    if (q->seen || q->pq.conn == NULL || !PQsslInUse(q->pq.conn)
        || PQstatus(q->pq.conn) == CONNECTION_SSL_STARTUP)
    {
        return;
    }

    q->seen = 1;

    ngx_status_cert_ssl(q->probe, PQsslStruct(q->pq.conn, "OpenSSL"),
                        q->pq.looking ? NGX_STATUS_CERT_REJECTED
                        : ngx_status_pq_mode(q->probe->check)
                          == NGX_STATUS_PQ_VERIFY_FULL
                        ? NGX_STATUS_CERT_VERIFIED
                        : NGX_STATUS_CERT_UNKNOWN);
}


/* While a step runs what is in q->pq is the thread's. */

static void
ngx_status_postgresql_end(ngx_status_postgresql_t *q,
    ngx_status_evidence_t *ev)
{
    ngx_status_result_t  *result;

    result = &q->probe->result;
    result->latency = (uint32_t) (ngx_status_probe_clock() - q->began);

    if (!q->running) {
        ngx_memcpy(result->seen, q->pq.seen, NGX_STATUS_SEEN);
    }

    ngx_status_probe_end(q->probe, ev, ngx_status_postgresql_release);
}


static void
ngx_status_postgresql_release(void *ctx)
{
    ngx_status_postgresql_t  *q = ctx;

    if (q == NULL) {
        return;
    }

    ngx_status_dial_stop(&q->dial);
    ngx_status_postgresql_unwatch(q);

    if (q->timer.timer_set) {
        ngx_del_timer(&q->timer);
    }

    if (q->running) {

        /* it can not be ended, but others may go first */

        if (q->thread) {
            (void) setpriority(PRIO_PROCESS, q->thread,
                               NGX_STATUS_POSTGRESQL_NICE);
        }

        q->conf->since = q->probe->started;
        q->conf->stuck = q;
        q->probe = NULL;
        return;
    }

    ngx_status_pq_close(&q->pq);
    free(q);
}

#else

const ngx_status_check_type_t  ngx_status_check_postgresql = {
    .name = ngx_string("postgresql"),
    .schemes = ngx_status_postgresql_schemes,
    .ports = ngx_status_postgresql_ports,
    .needs = "libpq (libpq-dev)"
};

#endif
