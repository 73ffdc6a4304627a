
/*
 * Copyright (C) ngx_status_module authors
 *
 * dns://server/name?type=A over c-ares: one question, put to that server, or
 * to those of the system where none is named.
 *
 * A probe goes: the server's address (ngx_status_dial.h) -> a channel of its
 * own and the question (ask) -> an answer or none (answered) -> when it was
 * truncated, the question once more, over TCP -> judgement (end), from a
 * posted event: a channel can not go in its own callback.  c-ares would go on
 * over TCP itself, but gives that no more time than a first try, and has one
 * word for all that may happen to it.
 */


#include "ngx_status_dial.h"
#include "ngx_status_dns.h"

#if (NGX_STATUS_CARES)
/* what c-ares 1.28 calls deprecated is all that 1.18 has */
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <ares_nameser.h>
#endif


static const ngx_str_t  ngx_status_dns_schemes[] =
    { ngx_string("dns"), ngx_null_string };

static const in_port_t  ngx_status_dns_ports[] = { 53 };


#if (NGX_STATUS_CARES)

#define NGX_STATUS_DNS_SOCKETS  16       /* of one question at most */
#define NGX_STATUS_DNS_TRIES    3


typedef struct {
    ngx_status_probe_t     *probe;
    ngx_status_dns_conf_t  *conf;
    ngx_status_dial_t       dial;
    ares_channel            channel;     /* NULL: none yet */
    ngx_status_watch_t      watches[NGX_STATUS_DNS_SOCKETS];
    ngx_event_t             timer;       /* c-ares' and the probe's own */
    ngx_event_t             end;         /* posted */
    int64_t                 began;       /* us; the probe */
    int64_t                 asked;       /* us; the question */
    ngx_status_evidence_t   ev;
    ngx_status_dns_answer_t answer;
    unsigned                refused:1;   /* what a socket told last */
    unsigned                answered:1;
    unsigned                tcp:1;
    unsigned                again:1;     /* is to be asked, over TCP */
    unsigned                leaving:1;   /* its callback does not count */
} ngx_status_dns_t;


static ngx_int_t ngx_status_dns_init(ngx_cycle_t *cycle);
static void ngx_status_dns_start(ngx_status_probe_t *probe);
static void ngx_status_dns_stop(ngx_status_probe_t *probe);
static void ngx_status_dns_dialled(ngx_status_dial_t *d);
static void ngx_status_dns_ask(ngx_status_dns_t *q);
static void ngx_status_dns_socket(void *data, ares_socket_t fd, int readable,
    int writable);
static void ngx_status_dns_ready(ngx_status_watch_t *w, uint32_t ready);
static void ngx_status_dns_expired(ngx_event_t *ev);
static void ngx_status_dns_wait(ngx_status_dns_t *q);
static void ngx_status_dns_answered(void *data, int status, int timeouts,
    unsigned char *bytes, int len);
static void ngx_status_dns_failed(ngx_status_dns_t *q, int status);
static void ngx_status_dns_end(ngx_event_t *ev);
static void ngx_status_dns_evidence(ngx_status_dns_t *q);
static void ngx_status_dns_release(void *ctx);


static const ngx_status_option_t  ngx_status_dns_options[] = {
    NGX_STATUS_OPTION_FAMILY,
    NGX_STATUS_OPTION_END
};


const ngx_status_check_type_t  ngx_status_check_dns = {
    .name = ngx_string("dns"),
    .schemes = ngx_status_dns_schemes,
    .ports = ngx_status_dns_ports,
    .subjects = ngx_status_subject_bit(NGX_STATUS_S_DNS)
                |ngx_status_subject_bit(NGX_STATUS_S_RCODE)
                |ngx_status_subject_bit(NGX_STATUS_S_ROWS)
                |ngx_status_subject_bit(NGX_STATUS_S_LATENCY),
    .latency = 500,
    .options = ngx_status_dns_options,
    .conf = ngx_status_dns_conf,
    .start = ngx_status_dns_start,
    .stop = ngx_status_dns_stop,
    .init = ngx_status_dns_init
};


static ngx_connection_t  ngx_status_dns_connection;        /* for log lines */


static ngx_int_t
ngx_status_dns_init(ngx_cycle_t *cycle)
{
    ngx_status_dns_connection.fd = (ngx_socket_t) -1;
    ngx_status_dial_init(cycle->log);

    return ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS ? NGX_OK
                                                                : NGX_ERROR;
}


static void
ngx_status_dns_start(ngx_status_probe_t *probe)
{
    ngx_uint_t         i;
    ngx_status_dns_t  *q;

    q = calloc(1, sizeof(ngx_status_dns_t));
    probe->ctx = q;

    if (q == NULL) {
        ngx_status_probe_fault(probe, "no memory");
        probe->done(probe);
        return;
    }

    q->probe = probe;
    q->conf = probe->check->conf;
    q->began = ngx_status_probe_clock();

    for (i = 0; i < NGX_STATUS_DNS_SOCKETS; i++) {
        q->watches[i].fd = -1;
        q->watches[i].handler = ngx_status_dns_ready;
        q->watches[i].data = q;
    }

    q->timer.data = &ngx_status_dns_connection;
    q->timer.handler = ngx_status_dns_expired;
    q->timer.log = probe->log;
    q->timer.cancelable = 1;

    q->end.data = &ngx_status_dns_connection;
    q->end.handler = ngx_status_dns_end;
    q->end.log = probe->log;

    if (probe->check->host.len == 0) {
        ngx_status_dns_ask(q);
        return;
    }

    q->dial.probe = probe;
    q->dial.lookup = 1;
    q->dial.done = ngx_status_dns_dialled;
    q->dial.data = q;

    ngx_status_dial(&q->dial, q->conf->family);
}


static void
ngx_status_dns_stop(ngx_status_probe_t *probe)
{
    ngx_status_dns_release(probe->ctx);
    probe->ctx = NULL;
}


static void
ngx_status_dns_dialled(ngx_status_dial_t *d)
{
    ngx_status_dns_t  *q;

    q = d->data;

    if (ngx_status_dial_failed(d)) {
        q->ev = d->ev;
        ngx_post_event(&q->end, &ngx_posted_events);
        return;
    }

    ngx_status_dns_ask(q);
}


static void
ngx_status_dns_ask(ngx_status_dns_t *q)
{
    int                         mask, len;
    unsigned char              *query;
    struct sockaddr_in         *sin;
    struct sockaddr_in6        *sin6;
    struct ares_options         options;
    struct ares_addr_port_node  server;

    ngx_memzero(&options, sizeof(struct ares_options));

    /* whatever comes is an answer, and the first one counts */

    options.flags = ARES_FLAG_NOCHECKRESP|ARES_FLAG_NOSEARCH
                    |ARES_FLAG_NOALIASES|ARES_FLAG_IGNTC;

    if (q->tcp) {
        options.flags |= ARES_FLAG_USEVC;
        options.timeout = ngx_max(ngx_status_probe_left(q->probe), 1);
        options.tries = 1;

    } else {
        options.timeout = ngx_max(q->probe->check->timeout
                                  / (NGX_STATUS_DNS_TRIES + 1), 50);
        options.tries = NGX_STATUS_DNS_TRIES;
        q->asked = ngx_status_probe_clock();
    }

    options.sock_state_cb = ngx_status_dns_socket;
    options.sock_state_cb_data = q;

    mask = ARES_OPT_FLAGS|ARES_OPT_TIMEOUTMS|ARES_OPT_TRIES
           |ARES_OPT_SOCK_STATE_CB;

    if (ares_init_options(&q->channel, &options, mask) != ARES_SUCCESS) {
        q->channel = NULL;
        goto failed;
    }

    if (q->probe->check->host.len) {

        ngx_memzero(&server, sizeof(struct ares_addr_port_node));
        server.family = q->dial.addr.ss_family;
        server.udp_port = q->probe->check->port;
        server.tcp_port = q->probe->check->port;

        if (server.family == AF_INET) {
            sin = (struct sockaddr_in *) &q->dial.addr;
            ngx_memcpy(&server.addr.addr4, &sin->sin_addr,
                       sizeof(struct in_addr));

        } else {
            sin6 = (struct sockaddr_in6 *) &q->dial.addr;
            ngx_memcpy(&server.addr.addr6, &sin6->sin6_addr,
                       sizeof(struct in6_addr));
        }

        if (ares_set_servers_ports(q->channel, &server) != ARES_SUCCESS) {
            goto failed;
        }
    }

    if (ares_create_query(q->conf->name, ns_c_in, (int) q->conf->number,
                          (unsigned short) ngx_random(), 1, &query, &len, 0)
        != ARES_SUCCESS)
    {
        goto failed;
    }

    ares_send(q->channel, query, len, ngx_status_dns_answered, q);
    ares_free_string(query);

    ngx_status_dns_wait(q);

    return;

failed:

    ngx_status_ev_fault(&q->ev, "the question could not be asked");
    ngx_post_event(&q->end, &ngx_posted_events);
}


static void
ngx_status_dns_socket(void *data, ares_socket_t fd, int readable,
    int writable)
{
    uint32_t             events;
    ngx_uint_t           i;
    ngx_status_dns_t    *q;
    ngx_status_watch_t  *w;

    q = data;
    w = NULL;

    for (i = 0; i < NGX_STATUS_DNS_SOCKETS; i++) {
        if (q->watches[i].fd == fd) {
            w = &q->watches[i];
            break;
        }

        if (q->watches[i].fd == -1) {
            w = &q->watches[i];
        }
    }

    if (w == NULL) {
        /* its timeout will tell */
        return;
    }

    events = (readable ? EPOLLIN : 0) | (writable ? EPOLLOUT : 0);

    w->fd = fd;
    (void) ngx_status_loop_watch(w, events);

    if (events == 0) {
        w->fd = -1;
    }
}


static void
ngx_status_dns_ready(ngx_status_watch_t *w, uint32_t ready)
{
    ngx_status_dns_t  *q;

    q = w->data;
    q->refused = (ready & EPOLLERR) != 0;

    ares_process_fd(q->channel,
                    ready & (EPOLLIN|EPOLLERR|EPOLLHUP) ? w->fd
                                                        : ARES_SOCKET_BAD,
                    ready & EPOLLOUT ? w->fd : ARES_SOCKET_BAD);

    ngx_status_dns_wait(q);
}


static void
ngx_status_dns_expired(ngx_event_t *ev)
{
    ngx_status_dns_t  *q;

    q = (ngx_status_dns_t *) ((char *) ev - offsetof(ngx_status_dns_t, timer));

    if (ngx_status_probe_left(q->probe) == 0) {
        q->again = 0;
        ngx_status_dns_failed(q, ARES_ETIMEOUT);
        ngx_post_event(&q->end, &ngx_posted_events);
        return;
    }

    ares_process_fd(q->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);

    ngx_status_dns_wait(q);
}


/* Until c-ares wants to try again, or time is over. */

static void
ngx_status_dns_wait(ngx_status_dns_t *q)
{
    ngx_msec_t       wait;
    struct timeval   tv, *next;

    if (q->answered) {
        return;
    }

    wait = ngx_status_probe_left(q->probe);
    next = ares_timeout(q->channel, NULL, &tv);

    if (next) {
        wait = ngx_min(wait, (ngx_msec_t) (tv.tv_sec * 1000
                                           + tv.tv_usec / 1000));
    }

    ngx_add_timer(&q->timer, ngx_max(wait, 1));
}


static void
ngx_status_dns_answered(void *data, int status, int timeouts,
    unsigned char *bytes, int len)
{
    const char        *err;
    ngx_status_dns_t  *q;

    q = data;

    if (q->leaving || q->answered) {
        return;
    }

    q->answered = 1;

    if (status == ARES_ETIMEOUT && timeouts == 0 && q->refused) {
        /* that is how c-ares 1.27 calls it */
        status = ARES_ECONNREFUSED;
    }

    if (status != ARES_SUCCESS) {
        ngx_status_dns_failed(q, status);

    } else if (!q->tcp && len > 2 && (bytes[2] & 0x02)) {
        q->again = 1;                    /* TC [RFC 1035 4.1.1] */

    } else if (ngx_status_dns_parse(bytes, len, q->conf->number, &q->answer,
                                    &err)
               != NGX_OK)
    {
        ngx_status_ev_fails(&q->ev, NGX_STATUS_E_PROTOCOL, "%s", err);

    } else {
        q->probe->result.size = len;
        ngx_status_dns_evidence(q);
    }

    ngx_post_event(&q->end, &ngx_posted_events);
}


static void
ngx_status_dns_failed(ngx_status_dns_t *q, int status)
{
    size_t  n;

    if (q->probe->check->host.len == 0
        && (status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED))
    {
        /* nobody's fault but this machine's */
        ngx_status_ev_fault(&q->ev, "no name server of this machine answered");
        return;
    }

    switch (status) {

    case ARES_ETIMEOUT:
        ngx_status_probe_timeout(q->probe->started, q->probe->check->timeout,
                                 NGX_STATUS_PHASE_WAIT, &q->ev);

        if (q->tcp && q->ev.timed_out) {
            n = ngx_strlen(q->ev.message);
            snprintf(q->ev.message + n, sizeof(q->ev.message) - n,
                     " over TCP");
        }

        return;

    case ARES_ECONNREFUSED:

        if (q->tcp) {
            ngx_status_ev_fails(&q->ev, NGX_STATUS_E_CONNECT, "the answer is "
                                "truncated, and TCP is refused or closed");
            return;
        }

        ngx_status_ev_fails(&q->ev, NGX_STATUS_E_CONNECT,
                            "connection refused");
        return;

    case ARES_EBADRESP:
        ngx_status_ev_fails(&q->ev, NGX_STATUS_E_PROTOCOL,
                            "the answer is cut off or broken");
        return;

    default:
        ngx_status_ev_fault(&q->ev, "the question could not be asked: %s",
                            ares_strerror(status));
    }
}


static void
ngx_status_dns_evidence(ngx_status_dns_t *q)
{
    int                     n;
    char                    seen[2 * NGX_STATUS_SEEN];
    ngx_status_evidence_t  *ev;

    ev = &q->ev;

    ev->have = ngx_status_subject_bit(NGX_STATUS_S_DNS)
               |ngx_status_subject_bit(NGX_STATUS_S_RCODE)
               |ngx_status_subject_bit(NGX_STATUS_S_ROWS);

    ev->string[NGX_STATUS_S_DNS].data = q->answer.text;
    ev->string[NGX_STATUS_S_DNS].len = q->answer.len;
    ev->string[NGX_STATUS_S_RCODE].data = (u_char *) q->answer.rcode;
    ev->string[NGX_STATUS_S_RCODE].len = ngx_strlen(q->answer.rcode);
    ev->number[NGX_STATUS_S_ROWS] = q->answer.nrecords;

    if (q->conf->asked) {
        /* what is asked for is what counts */

    } else if (ngx_strcmp(q->answer.rcode, "NOERROR") != 0) {
        ngx_status_ev_fails(ev, NGX_STATUS_E_DNS, "rcode is %s, expected "
                            "NOERROR", q->answer.rcode);

    } else if (q->answer.nrecords == 0) {
        ngx_status_ev_fails(ev, NGX_STATUS_E_DNS, "there is no %s record",
                            q->conf->type);
    }

    n = snprintf(seen, sizeof(seen), "%s, %lu %s: %.*s", q->answer.rcode,
                 (unsigned long) q->answer.nrecords, q->conf->type,
                 (int) ngx_min(q->answer.len, NGX_STATUS_SEEN),
                 (char *) q->answer.text);

    for (n = 0; seen[n]; n++) {
        if (seen[n] == '\n') {
            seen[n] = ' ';
        }
    }

    ngx_status_text_copy(q->probe->result.seen, NGX_STATUS_SEEN,
                         (u_char *) seen, n);
}


static void
ngx_status_dns_end(ngx_event_t *ev)
{
    int64_t               now;
    ngx_status_dns_t     *q;
    ngx_status_result_t  *result;

    q = (ngx_status_dns_t *) ((char *) ev - offsetof(ngx_status_dns_t, end));

    if (q->again) {
        q->again = 0;
        q->answered = 0;
        q->tcp = 1;

        ares_destroy(q->channel);
        q->channel = NULL;

        ngx_status_dns_ask(q);
        return;
    }

    result = &q->probe->result;
    now = ngx_status_probe_clock();

    result->latency = (uint32_t) (now - q->began);

    if (q->asked) {
        result->phases[NGX_STATUS_PHASE_CONNECT] = 0;
        result->phases[NGX_STATUS_PHASE_WAIT] = (uint32_t) (now - q->asked);
    }

    ngx_status_probe_end(q->probe, &q->ev, ngx_status_dns_release);
}


static void
ngx_status_dns_release(void *ctx)
{
    ngx_status_dns_t  *q = ctx;

    q->leaving = 1;

    ngx_status_dial_stop(&q->dial);

    if (q->channel) {
        /* closes its sockets, and says so */
        ares_destroy(q->channel);
    }

    if (q->timer.timer_set) {
        ngx_del_timer(&q->timer);
    }

    if (q->end.posted) {
        ngx_delete_posted_event(&q->end);
    }

    free(q);
}

#else

const ngx_status_check_type_t  ngx_status_check_dns = {
    .name = ngx_string("dns"),
    .schemes = ngx_status_dns_schemes,
    .ports = ngx_status_dns_ports,
    .needs = "c-ares (libc-ares-dev)"
};

#endif
