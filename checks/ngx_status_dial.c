
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_dial.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>


#define NGX_STATUS_DIAL_EACH  2000       /* ms for an address that is not the
                                            last one, at most */


/* A look-up in its thread; it stays where it is until that ends. */

typedef struct ngx_status_dial_lookup_s {
    ngx_status_work_t      work;         /* first */
    ngx_status_dial_t     *dial;         /* NULL: nobody waits any more */
    ngx_status_resolve_t   place;        /* what it holds until it ends */
    int                    family;
    int                    code;
    struct addrinfo       *ai;
    char                   host[256];
} ngx_status_dial_lookup_t;


static void ngx_status_dial_ready(ngx_status_resolve_t *r);
static void ngx_status_dial_ask(ngx_status_dial_t *d);
static void ngx_status_dial_look(ngx_status_work_t *w);
static void ngx_status_dial_looked(ngx_status_work_t *w);
static void ngx_status_dial_addrs(ngx_status_dial_t *d, struct addrinfo *ai);
static void ngx_status_dial_known(ngx_event_t *ev);
static void ngx_status_dial_connect(ngx_status_dial_t *d);
static void ngx_status_dial_writable(ngx_status_watch_t *w, uint32_t ready);
static void ngx_status_dial_expired(ngx_event_t *ev);
static void ngx_status_dial_close(ngx_status_dial_t *d);
static void ngx_status_dial_phase(ngx_status_dial_t *d,
    ngx_status_phase_e next);
static void ngx_status_dial_finish(ngx_status_dial_t *d);


static ngx_connection_t  ngx_status_dial_connection;       /* for log lines */


void
ngx_status_dial_init(ngx_log_t *log)
{
    ngx_status_dial_connection.fd = (ngx_socket_t) -1;
    ngx_status_resolve_init(log);
}


int
ngx_status_dial_family(const ngx_status_check_t *check)
{
    const ngx_status_setting_t  *setting;

    setting = ngx_status_setting(check, "family");

    return setting == NULL || setting->number == 2 ? AF_UNSPEC
           : setting->number == 1 ? AF_INET6 : AF_INET;
}


ngx_int_t
ngx_status_dial_fits(const char *peer, int family, char *err, size_t errlen)
{
    int     is;
    u_char  addr[sizeof(struct in6_addr)];

    is = strchr(peer, ':') ? AF_INET6
         : inet_pton(AF_INET, peer, addr) == 1 ? AF_INET : AF_UNSPEC;

    if (is == AF_UNSPEC || family == AF_UNSPEC || is == family) {
        return NGX_OK;
    }

    snprintf(err, errlen, "\"family %s\" does not go with the address \"%s\"",
             family == AF_INET ? "4" : "6", peer);

    return NGX_ERROR;
}


void
ngx_status_dial(ngx_status_dial_t *d, int family)
{
    struct addrinfo            hints, *ai;
    const ngx_status_check_t  *check;

    check = d->probe->check;

    d->fd = -1;
    d->watch.fd = -1;
    d->watch.data = d;
    d->watch.handler = ngx_status_dial_writable;
    d->phase = NGX_STATUS_PHASE_RESOLVE;
    d->began = ngx_status_probe_clock();

    d->timer.data = &ngx_status_dial_connection;
    d->timer.log = d->probe->log;
    d->timer.cancelable = 1;

    d->resolve.data = d;
    d->resolve.ready = ngx_status_dial_ready;
    d->resolve.name = ngx_murmur_hash2(check->host.data, check->host.len);

    /* an address needs nobody to be asked */

    ngx_memzero(&hints, sizeof(struct addrinfo));
    hints.ai_family = check->resolve.len ? AF_UNSPEC : family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST;

    if (getaddrinfo((char *) (check->resolve.len ? check->resolve.data
                                                 : check->host.data),
                    NULL, &hints, &ai)
        == 0)
    {
        ngx_status_dial_addrs(d, ai);
        freeaddrinfo(ai);

        d->timer.handler = ngx_status_dial_known;
        ngx_add_timer(&d->timer, 0);
        return;
    }

    d->addr.ss_family = family;

    if (ngx_status_resolve_begin(&d->resolve) == NGX_OK) {
        ngx_status_dial_ask(d);
        return;
    }

    d->timer.handler = ngx_status_dial_expired;
    ngx_add_timer(&d->timer, ngx_status_probe_left(d->probe));
}


/* There is a place to resolve in. */

static void
ngx_status_dial_ready(ngx_status_resolve_t *r)
{
    ngx_status_dial_t  *d;

    d = r->data;

    if (d->timer.timer_set) {
        ngx_del_timer(&d->timer);
    }

    ngx_status_dial_ask(d);
}


static void
ngx_status_dial_ask(ngx_status_dial_t *d)
{
    ngx_status_dial_lookup_t  *l;

    d->timer.handler = ngx_status_dial_expired;
    ngx_add_timer(&d->timer, ngx_status_probe_left(d->probe));

    l = calloc(1, sizeof(ngx_status_dial_lookup_t));

    if (l == NULL || d->probe->check->host.len >= sizeof(l->host)) {
        free(l);
        goto failed;
    }

    l->work.run = ngx_status_dial_look;
    l->work.done = ngx_status_dial_looked;
    l->family = d->addr.ss_family;
    ngx_memcpy(l->host, d->probe->check->host.data,
               d->probe->check->host.len);

    if (ngx_status_loop_work(&l->work) != NGX_OK) {
        free(l);
        goto failed;
    }

    /* the place is the thread's: it may outlive the probe */

    l->place = d->resolve;
    d->resolve.place = 0;

    l->dial = d;
    d->asking = l;
    return;

failed:

    /* expired() will say so */

    ngx_status_resolve_end(&d->resolve, 0);
    ngx_del_timer(&d->timer);
    ngx_add_timer(&d->timer, 1);
}


/* In a thread. */

static void
ngx_status_dial_look(ngx_status_work_t *w)
{
    struct addrinfo            hints;
    ngx_status_dial_lookup_t  *l;

    l = (ngx_status_dial_lookup_t *) w;

    ngx_memzero(&hints, sizeof(struct addrinfo));
    hints.ai_family = l->family;
    hints.ai_socktype = SOCK_STREAM;

    if (l->family == AF_UNSPEC) {
        hints.ai_flags = AI_ADDRCONFIG;
    }

    l->code = getaddrinfo(l->host, NULL, &hints, &l->ai);
}


static void
ngx_status_dial_looked(ngx_status_work_t *w)
{
    ngx_status_dial_t         *d;
    ngx_status_dial_lookup_t  *l;

    l = (ngx_status_dial_lookup_t *) w;
    d = l->dial;

    ngx_status_resolve_end(&l->place, 0);

    if (d) {
        d->asking = NULL;
        ngx_del_timer(&d->timer);

        if (l->code) {
            ngx_status_probe_unresolved(l->host, l->code, &d->ev);

        } else {
            ngx_status_dial_addrs(d, l->ai);
        }
    }

    if (l->code == 0) {
        freeaddrinfo(l->ai);
    }

    free(l);

    if (d) {
        ngx_status_dial_known(&d->timer);
    }
}


static void
ngx_status_dial_addrs(ngx_status_dial_t *d, struct addrinfo *ai)
{
    for ( /* void */ ; ai && d->naddrs < NGX_STATUS_DIAL_ADDRS;
         ai = ai->ai_next)
    {
        if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6) {
            continue;
        }

        ngx_memcpy(&d->addrs[d->naddrs], ai->ai_addr, ai->ai_addrlen);
        d->addr_lens[d->naddrs] = ai->ai_addrlen;

        ngx_inet_set_port((struct sockaddr *) &d->addrs[d->naddrs],
                          d->probe->check->port);
        d->naddrs++;
    }
}


static void
ngx_status_dial_known(ngx_event_t *ev)
{
    ngx_status_dial_t  *d;

    d = (ngx_status_dial_t *) ((char *) ev - offsetof(ngx_status_dial_t,
                                                      timer));

    if (!ngx_status_dial_failed(d) && d->naddrs == 0) {
        ngx_status_ev_fails(&d->ev, NGX_STATUS_E_RESOLVE,
                            "name \"%.128s\" has no address",
                            (char *) d->probe->check->host.data);
    }

    if (ngx_status_dial_failed(d)) {
        ngx_status_dial_finish(d);
        return;
    }

    ngx_status_dial_phase(d, NGX_STATUS_PHASE_CONNECT);

    ngx_status_dial_connect(d);
}


/* Tries the next address; each has its share of the time. */

static void
ngx_status_dial_connect(ngx_status_dial_t *d)
{
    int               rc, error, on;
    size_t            len;
    ngx_msec_t        left, share;
    struct sockaddr  *sa;

    for ( ;; ) {

        ngx_memcpy(&d->addr, &d->addrs[d->next],
                   sizeof(struct sockaddr_storage));
        d->addr_len = d->addr_lens[d->next];
        d->next++;

        sa = (struct sockaddr *) &d->addr;

        len = ngx_sock_ntop(sa, d->addr_len, (u_char *) d->text,
                            sizeof(d->text) - 1, 0);
        d->text[len] = '\0';

        if (d->lookup) {
            ngx_status_dial_finish(d);
            return;
        }

        error = 0;
        rc = -1;
        d->fd = socket(sa->sa_family, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK,
                       0);

        if (d->fd != -1) {
            on = 1;
            (void) setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &on,
                              sizeof(int));
            rc = connect(d->fd, sa, d->addr_len);
        }

        if (rc == -1) {
            error = errno;
        }

        if (d->fd != -1 && (rc == 0 || error == EINPROGRESS)) {
            break;
        }

        ngx_status_dial_close(d);

        if (d->next == d->naddrs) {
            ngx_status_probe_unconnected(error, sa, d->addr_len, &d->ev);
            ngx_status_dial_finish(d);
            return;
        }
    }

    d->watch.fd = d->fd;

    if (ngx_status_loop_watch(&d->watch, EPOLLOUT) != NGX_OK) {
        ngx_status_ev_fault(&d->ev, "the connection can not be watched");
        ngx_status_dial_finish(d);
        return;
    }

    left = ngx_status_probe_left(d->probe);
    share = d->next == d->naddrs
            ? left : ngx_min(left / (d->naddrs - d->next + 1),
                             NGX_STATUS_DIAL_EACH);

    d->timer.handler = ngx_status_dial_expired;
    ngx_add_timer(&d->timer, share);
}


static void
ngx_status_dial_writable(ngx_status_watch_t *w, uint32_t ready)
{
    int                 error;
    socklen_t           len;
    ngx_status_dial_t  *d;

    (void) ready;

    d = w->data;

    error = 0;
    len = sizeof(int);

    if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1) {
        error = errno;
    }

    ngx_del_timer(&d->timer);

    if (error == 0) {
        (void) ngx_status_loop_watch(&d->watch, 0);
        d->watch.fd = -1;
        ngx_status_dial_phase(d, NGX_STATUS_PHASE_WAIT);
        ngx_status_dial_finish(d);
        return;
    }

    ngx_status_dial_close(d);

    if (d->next < d->naddrs) {
        ngx_status_dial_connect(d);
        return;
    }

    ngx_status_probe_unconnected(error, (struct sockaddr *) &d->addr,
                                 d->addr_len, &d->ev);
    ngx_status_dial_finish(d);
}


static void
ngx_status_dial_expired(ngx_event_t *ev)
{
    ngx_status_dial_t  *d;

    d = (ngx_status_dial_t *) ((char *) ev - offsetof(ngx_status_dial_t,
                                                      timer));

    if (d->phase == NGX_STATUS_PHASE_CONNECT && d->next < d->naddrs) {
        ngx_status_dial_close(d);
        ngx_status_dial_connect(d);
        return;
    }

    if (d->phase == NGX_STATUS_PHASE_RESOLVE && d->asking == NULL) {
        ngx_status_ev_fault(&d->ev, "the resolver is busy");

    } else {
        ngx_status_probe_timeout(d->probe->started, d->probe->check->timeout,
                                 d->phase, &d->ev);
    }

    ngx_status_dial_finish(d);
}


static void
ngx_status_dial_close(ngx_status_dial_t *d)
{
    if (d->fd == -1) {
        return;
    }

    if (d->watch.fd != -1) {
        (void) ngx_status_loop_watch(&d->watch, 0);
        d->watch.fd = -1;
    }

    (void) close(d->fd);
    d->fd = -1;
}


static void
ngx_status_dial_phase(ngx_status_dial_t *d, ngx_status_phase_e next)
{
    int64_t  now;

    now = ngx_status_probe_clock();

    d->probe->result.phases[d->phase] += (uint32_t) (now - d->began);
    d->phase = next;
    d->began = now;
}


static void
ngx_status_dial_finish(ngx_status_dial_t *d)
{
    if (ngx_status_dial_failed(d)) {
        ngx_status_dial_phase(d, d->phase);
        ngx_status_dial_stop(d);
    }

    d->done(d);
}


void
ngx_status_dial_stop(ngx_status_dial_t *d)
{
    if (d->probe == NULL) {
        return;
    }

    if (d->timer.timer_set) {
        ngx_del_timer(&d->timer);
    }

    ngx_status_resolve_end(&d->resolve, 0);

    if (d->asking) {
        d->asking->dial = NULL;
        d->asking = NULL;
    }

    if (d->phase <= NGX_STATUS_PHASE_CONNECT) {
        /* later it is the caller's */
        ngx_status_dial_close(d);
    }
}
