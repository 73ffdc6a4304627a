
/*
 * Copyright (C) ngx_status_module authors
 *
 * A stream goes: dialled -> secure -> ready, and from then on turns, in which
 * what is to be sent is sent and what came is read.
 */


#include "ngx_status_stream_inside.h"
#include <poll.h>
#include <sys/epoll.h>


#define NGX_STATUS_STREAM_READ  4096     /* bytes in one go, as libcurl */
#define NGX_STATUS_STREAM_TURN  32768    /* and in one turn of the loop */
#define NGX_STATUS_STREAM_SOON  1        /* ms */


static void ngx_status_stream_dialled(ngx_status_dial_t *d);
static void ngx_status_stream_event(ngx_status_watch_t *w, uint32_t ready);
static void ngx_status_stream_soon(ngx_event_t *ev);
static void ngx_status_stream_expired(ngx_event_t *ev);
static void ngx_status_stream_end(ngx_status_stream_t *s);


static ngx_connection_t  ngx_status_stream_connection;     /* for log lines */


ngx_status_stream_t *
ngx_status_stream_open(ngx_status_probe_t *probe,
    const ngx_status_stream_conf_t *conf,
    const ngx_status_stream_handler_t *handler, void *data)
{
    ngx_status_stream_t  *s;

    s = calloc(1, sizeof(ngx_status_stream_t));
    if (s == NULL) {
        return NULL;
    }

    ngx_status_stream_connection.fd = (ngx_socket_t) -1;

    s->probe = probe;
    s->conf = conf;
    s->handler = handler;
    s->data = data;

    s->fd = -1;
    s->last = &s->out;

    s->watch.data = s;
    s->watch.handler = ngx_status_stream_event;

    s->timer.data = &ngx_status_stream_connection;
    s->timer.handler = ngx_status_stream_expired;
    s->timer.log = probe->log;
    s->timer.cancelable = 1;

    s->soon = s->timer;
    s->soon.handler = ngx_status_stream_soon;

    s->opened = ngx_status_probe_clock();

    s->dial.probe = probe;
    s->dial.data = s;
    s->dial.done = ngx_status_stream_dialled;

    ngx_status_dial_init(probe->log);
    ngx_status_dial(&s->dial, conf->family);

    return s;
}


static void
ngx_status_stream_dialled(ngx_status_dial_t *d)
{
    ngx_status_stream_t  *s;

    s = d->data;

    s->phase = d->phase;
    s->began = d->began;

    if (ngx_status_dial_failed(d)) {
        ngx_status_stream_fail(s, &d->ev);
        return;
    }

    s->fd = d->fd;
    s->watch.fd = d->fd;

    ngx_add_timer(&s->timer, ngx_status_probe_left(s->probe));

    if (s->conf->tls) {
        ngx_status_stream_secure(s);

    } else {
        ngx_status_stream_turn(s);
    }
}


static void
ngx_status_stream_event(ngx_status_watch_t *w, uint32_t ready)
{
    ngx_status_stream_t  *s;

    (void) ready;

    s = w->data;

    if (s->ready) {
        ngx_status_stream_turn(s);

    } else {
        ngx_status_stream_talk(s);
    }
}


static void
ngx_status_stream_soon(ngx_event_t *ev)
{
    ngx_status_stream_turn((ngx_status_stream_t *)
                           ((char *) ev - offsetof(ngx_status_stream_t,
                                                   soon)));
}


static void
ngx_status_stream_expired(ngx_event_t *ev)
{
    ngx_status_stream_t    *s;
    ngx_status_evidence_t   evidence;

    s = (ngx_status_stream_t *) ((char *) ev - offsetof(ngx_status_stream_t,
                                                        timer));

    ngx_memzero(&evidence, sizeof(ngx_status_evidence_t));
    ngx_status_probe_timeout(s->probe->started, s->probe->check->timeout,
                             s->phase, &evidence);
    ngx_status_stream_fail(s, &evidence);
}


void
ngx_status_stream_turn(ngx_status_stream_t *s)
{
    u_char                 buf[NGX_STATUS_STREAM_READ];
    size_t                 len, total;
    ngx_int_t              sent, rc;
    ngx_status_evidence_t  ev;

    ngx_memzero(&ev, sizeof(ngx_status_evidence_t));

    s->busy = 1;

    if (!s->ready) {
        s->ready = 1;
        ngx_status_stream_phase(s, NGX_STATUS_PHASE_WAIT);
        s->handler->ready(s->data);
    }

    sent = s->closed ? NGX_OK : ngx_status_stream_write(s, &ev);
    rc = NGX_OK;

    for (total = 0; !s->closed && !s->ended; total += len) {

        if (total >= NGX_STATUS_STREAM_TURN) {
            if (s->secure && !s->soon.timer_set) {
                ngx_add_timer(&s->soon, NGX_STATUS_STREAM_SOON);
            }

            break;
        }

        len = sizeof(buf);
        rc = ngx_status_stream_read(s, buf, &len, &ev);

        if (rc != NGX_OK) {
            break;
        }

        s->ended = (len == 0);
        ngx_status_stream_phase(s, len ? NGX_STATUS_PHASE_TRANSFER
                                       : s->phase);
        s->handler->read(s->data, buf, len);
    }

    if (s->closed) {
        free(s);
        return;
    }

    s->busy = 0;

    /* a peer that sends its reason and closes breaks our sending first */

    if (sent != NGX_ERROR && rc != NGX_ERROR
        && ngx_status_stream_write(s, &ev) != NGX_ERROR
        && ngx_status_stream_watch(s, &ev) != NGX_ERROR)
    {
        return;
    }

    ngx_status_stream_fail(s, &ev);
}


ngx_int_t
ngx_status_stream_send(ngx_status_stream_t *s, const u_char *bytes,
    size_t len)
{
    ngx_status_evidence_t  ev;

    if (ngx_status_stream_push(s, bytes, len) != NGX_OK) {
        return NGX_ERROR;
    }

    /* an error comes again with the next turn, which may tell it */

    (void) ngx_status_stream_write(s, &ev);

    return s->busy ? NGX_OK : ngx_status_stream_watch(s, &ev);
}


ngx_int_t
ngx_status_stream_push(ngx_status_stream_t *s, const u_char *bytes,
    size_t len)
{
    ngx_status_stream_out_t  *out;

    out = malloc(sizeof(ngx_status_stream_out_t) + len);
    if (out == NULL) {
        return NGX_ERROR;
    }

    out->next = NULL;
    out->len = len;
    out->at = 0;
    ngx_memcpy(out->bytes, bytes, len);

    *s->last = out;
    s->last = &out->next;

    return NGX_OK;
}


ngx_int_t
ngx_status_stream_write(ngx_status_stream_t *s, ngx_status_evidence_t *ev)
{
    size_t                    n;
    ssize_t                   sent;
    CURLcode                  code;
    struct pollfd             pfd;
    ngx_status_stream_out_t  *out;

    s->stuck = 0;

    while ((out = s->out) != NULL) {

        if (out->at == out->len) {
            s->out = out->next;
            s->last = s->out ? s->last : &s->out;
            free(out);
            continue;
        }

        if (!s->secure) {
            sent = send(s->fd, out->bytes + out->at, out->len - out->at,
                        MSG_NOSIGNAL);

            if (sent >= 0) {
                out->at += sent;
                continue;
            }

            if (errno == EINTR) {
                continue;
            }

            if (errno == EAGAIN || errno == EWOULDBLOCK) {
                return NGX_OK;
            }

            ngx_status_probe_broken(errno, s->phase, ev);
            return NGX_ERROR;
        }

        n = 0;
        code = curl_easy_send(s->transfer.easy, out->bytes + out->at,
                              out->len - out->at, &n);

        if (code == CURLE_OK) {
            out->at += n;
            continue;
        }

        if (code == CURLE_AGAIN) {
            pfd.fd = s->fd;
            pfd.events = POLLOUT;
            s->stuck = poll(&pfd, 1, 0) == 1 && pfd.revents == POLLOUT;
            return NGX_OK;
        }

        ngx_status_stream_error(s, code, ev);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_status_stream_read(ngx_status_stream_t *s, u_char *buf, size_t *len,
    ngx_status_evidence_t *ev)
{
    size_t    size;
    ssize_t   n;
    CURLcode  code;

    size = *len;
    *len = 0;

    if (!s->secure) {

        do {
            n = recv(s->fd, buf, size, 0);
        } while (n == -1 && errno == EINTR);

        if (n >= 0) {
            *len = n;
            return NGX_OK;
        }

        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return NGX_AGAIN;
        }

        ngx_status_probe_broken(errno, s->phase, ev);
        return NGX_ERROR;
    }

    code = curl_easy_recv(s->transfer.easy, buf, size, len);

    if (code == CURLE_OK || code == CURLE_AGAIN) {
        return code == CURLE_OK ? NGX_OK : NGX_AGAIN;
    }

    /* many do without TLS's goodbye */

    if (code == CURLE_RECV_ERROR
        && (strstr(s->curl.text, "unexpected eof")
            || strstr(s->curl.text, "closed abruptly")))
    {
        return NGX_OK;
    }

    ngx_status_stream_error(s, code, ev);
    return NGX_ERROR;
}


ngx_int_t
ngx_status_stream_watch(ngx_status_stream_t *s, ngx_status_evidence_t *ev)
{
    if (ngx_status_loop_watch(&s->watch, (s->ended ? 0 : EPOLLIN)
                                         | (s->out && !s->stuck ? EPOLLOUT
                                                                : 0))
        != NGX_OK)
    {
        ngx_status_ev_fault(ev, "the connection can not be watched");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_status_stream_fail(ngx_status_stream_t *s, ngx_status_evidence_t *ev)
{
    ngx_status_stream_phase(s, s->phase);
    ngx_status_stream_end(s);

    s->busy = 1;
    s->handler->failed(s->data, ev);
    s->busy = 0;

    if (s->closed) {
        free(s);
    }
}


void
ngx_status_stream_close(ngx_status_stream_t *s)
{
    ngx_status_stream_end(s);

    if (s->busy) {
        s->closed = 1;
        return;
    }

    free(s);
}


static void
ngx_status_stream_end(ngx_status_stream_t *s)
{
    ngx_status_stream_out_t  *out;

    ngx_status_dial_stop(&s->dial);

    if (s->timer.timer_set) {
        ngx_del_timer(&s->timer);
    }

    if (s->soon.timer_set) {
        ngx_del_timer(&s->soon);
    }

    if (s->fd != -1) {
        (void) ngx_status_loop_watch(&s->watch, 0);
    }

    if (s->added) {
        ngx_status_loop_remove(&s->transfer);
        s->added = 0;
    }

    if (s->transfer.easy) {
        ngx_status_easy_put(s->transfer.easy);
        s->transfer.easy = NULL;
    }

    if (s->fd != -1 && !s->lent) {
        ngx_status_stream_goodbye(s->fd);
    }

    s->fd = -1;

    while ((out = s->out) != NULL) {
        s->out = out->next;
        free(out);
    }

    s->last = &s->out;
}


/* What has come and was not read would make a reset of it. */

void
ngx_status_stream_goodbye(int fd)
{
    u_char      buf[NGX_STATUS_STREAM_READ];
    ngx_uint_t  i;

    (void) shutdown(fd, SHUT_WR);

    for (i = 0; i < NGX_STATUS_STREAM_TURN / NGX_STATUS_STREAM_READ; i++) {
        if (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) <= 0) {
            break;
        }
    }

    (void) close(fd);
}


void
ngx_status_stream_phase(ngx_status_stream_t *s, ngx_status_phase_e next)
{
    int64_t               now;
    ngx_status_result_t  *result;

    now = ngx_status_probe_clock();
    result = &s->probe->result;

    result->phases[s->phase] += (uint32_t) (now - s->began);
    result->latency = (uint32_t) (now - s->opened);

    s->phase = next;
    s->began = now;
}


const char *
ngx_status_stream_address(const ngx_status_stream_t *s)
{
    return s->dial.text;
}
