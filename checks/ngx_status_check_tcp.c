
/*
 * Copyright (C) ngx_status_module authors
 *
 * tcp:// and tls://: connected is well; or something is sent, and what comes
 * is read until all that is expected of it holds.
 *
 * There is no telling where an answer ends in a protocol that is not known.
 * It has ended when every condition on it holds, when the peer closes, when
 * there is max_body of it, or when time is over; and it is judged by what
 * there is then.  Conditions that hold of nothing at all ("!contains") do not
 * tell that it has come, so these alone wait for one of the other ends.
 */


#include "ngx_status_stream.h"


#define NGX_STATUS_TCP_PAUSE  64         /* ms between two looks, at most */


typedef struct {
    ngx_status_stream_conf_t  *stream;
    ngx_str_t                  send;
    ngx_status_cond_t         *conds;    /* on what comes */
    ngx_uint_t                 nconds;
} ngx_status_tcp_conf_t;


typedef struct {
    ngx_status_probe_t        *probe;
    ngx_status_tcp_conf_t     *conf;
    ngx_status_stream_t       *stream;
    ngx_event_t                timer;    /* of the next look */
    ngx_uint_t                 looks;
    ngx_msec_t                 looked;   /* ngx_current_msec */

    ngx_status_buf_t           body;

    /* of the newest byte: how long it is waited after it is our business */
    uint32_t                   latency;
    uint32_t                   transfer;

    unsigned                   cut:1;    /* there is more than max_body */
    unsigned                   any:1;    /* the conditions hold of nothing */
} ngx_status_tcp_t;


static ngx_uint_t ngx_status_tcp_tls(const ngx_status_check_t *check);
static ngx_int_t ngx_status_tcp_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static ngx_int_t ngx_status_tcp_init(ngx_cycle_t *cycle);
static void ngx_status_tcp_start(ngx_status_probe_t *probe);
static void ngx_status_tcp_stop(ngx_status_probe_t *probe);
static void ngx_status_tcp_ready(void *data);
static void ngx_status_tcp_read(void *data, u_char *bytes, size_t len);
static ngx_int_t ngx_status_tcp_keep(ngx_status_tcp_t *t, u_char *bytes,
    size_t len);
static void ngx_status_tcp_later(ngx_event_t *ev);
static ngx_uint_t ngx_status_tcp_holds(ngx_status_tcp_t *t);
static void ngx_status_tcp_failed(void *data, ngx_status_evidence_t *ev);
static void ngx_status_tcp_end(ngx_status_tcp_t *t,
    ngx_status_evidence_t *ev);
static void ngx_status_tcp_seen(ngx_status_tcp_t *t);
static void ngx_status_tcp_release(void *ctx);


static const ngx_str_t  ngx_status_tcp_schemes[] = {
    ngx_string("tcp"),
    ngx_string("tls"),
    ngx_null_string
};

/* none: conf() gives tls:// one, by "starttls" or for HTTPS */
static const in_port_t  ngx_status_tcp_ports[] = { 0, 0 };

static const ngx_status_option_t  ngx_status_tcp_options[] = {
    { ngx_string("send"), NGX_STATUS_OPTION_BYTES, NULL, 0, 0 },
    NGX_STATUS_OPTION_STARTTLS,
    NGX_STATUS_OPTION_TLS_NAME,
    NGX_STATUS_OPTION_FAMILY,
    NGX_STATUS_OPTION_END
};


const ngx_status_check_type_t  ngx_status_check_tcp = {
    .name = ngx_string("tcp"),
    .schemes = ngx_status_tcp_schemes,
    .ports = ngx_status_tcp_ports,
    .subjects = ngx_status_subject_bit(NGX_STATUS_S_BODY)
                |ngx_status_subject_bit(NGX_STATUS_S_LATENCY)
                |ngx_status_subject_bit(NGX_STATUS_S_CERT)
                |ngx_status_subject_bit(NGX_STATUS_S_SIZE),
    .latency = 1000,
    .options = ngx_status_tcp_options,
    .tls = ngx_status_tcp_tls,
    .conf = ngx_status_tcp_conf,
    .start = ngx_status_tcp_start,
    .stop = ngx_status_tcp_stop,
    .init = ngx_status_tcp_init
};


static const ngx_status_stream_handler_t  ngx_status_tcp_handler = {
    ngx_status_tcp_ready,
    ngx_status_tcp_read,
    ngx_status_tcp_failed
};

static ngx_connection_t  ngx_status_tcp_connection;        /* for log lines */


static ngx_uint_t
ngx_status_tcp_tls(const ngx_status_check_t *check)
{
    return ngx_strcmp(check->scheme.data, "tls") == 0;
}


static ngx_int_t
ngx_status_tcp_conf(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    ngx_uint_t                   i, tls;
    ngx_status_starttls_e        starttls;
    ngx_status_tcp_conf_t       *conf;
    const ngx_status_setting_t  *setting;

    tls = ngx_status_tcp_tls(check);

    if (check->user.data || check->args.len || check->path.len > 1) {
        snprintf(err, errlen, "the URL of type tcp is %s://HOST:PORT, with "
                 "nothing before or behind", check->scheme.data);
        return NGX_ERROR;
    }

    setting = ngx_status_setting(check, "starttls");
    starttls = setting ? (ngx_status_starttls_e) setting->number
                       : NGX_STATUS_STARTTLS_NONE;

    if (!tls && starttls != NGX_STATUS_STARTTLS_NONE) {
        snprintf(err, errlen, "\"starttls\" needs tls://, not tcp://");
        return NGX_ERROR;
    }

    if (check->port == 0 && tls && starttls == NGX_STATUS_STARTTLS_NONE) {
        check->port = 443;
    }

    conf = ngx_pcalloc(pool, sizeof(ngx_status_tcp_conf_t));
    if (conf == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    check->conf = conf;

    conf->stream = ngx_status_stream_conf(pool, check, tls, starttls, err,
                                          errlen);
    conf->conds = ngx_palloc(pool, (check->nconds + 1)
                                   * sizeof(ngx_status_cond_t));

    if (conf->stream == NULL || conf->conds == NULL) {
        return NGX_ERROR;
    }

    setting = ngx_status_setting(check, "send");

    if (setting) {
        conf->send = setting->text;
    }

    for (i = 0; i < check->nconds; i++) {
        if (check->conds[i].subject == NGX_STATUS_S_BODY
            || check->conds[i].subject == NGX_STATUS_S_SIZE)
        {
            conf->conds[conf->nconds++] = check->conds[i];
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_status_tcp_init(ngx_cycle_t *cycle)
{
    (void) cycle;

    ngx_status_tcp_connection.fd = (ngx_socket_t) -1;

    return NGX_OK;
}


static void
ngx_status_tcp_start(ngx_status_probe_t *probe)
{
    ngx_status_tcp_t  *t;

    t = calloc(1, sizeof(ngx_status_tcp_t));

    if (t) {
        t->probe = probe;
        t->conf = probe->check->conf;

        t->timer.data = &ngx_status_tcp_connection;
        t->timer.handler = ngx_status_tcp_later;
        t->timer.log = probe->log;
        t->timer.cancelable = 1;

        t->any = ngx_status_tcp_holds(t);
        t->looks = 0;

        t->stream = ngx_status_stream_open(probe, t->conf->stream,
                                           &ngx_status_tcp_handler, t);
    }

    if (t == NULL || t->stream == NULL) {
        free(t);
        ngx_status_probe_fault(probe, "no memory");
        probe->done(probe);
        return;
    }

    probe->ctx = t;
}


static void
ngx_status_tcp_stop(ngx_status_probe_t *probe)
{
    ngx_status_tcp_release(probe->ctx);
    probe->ctx = NULL;
}


static void
ngx_status_tcp_ready(void *data)
{
    ngx_status_tcp_t       *t;
    ngx_status_evidence_t   ev;

    t = data;

    ngx_memzero(&ev, sizeof(ngx_status_evidence_t));

    if (t->conf->send.len
        && ngx_status_stream_send(t->stream, t->conf->send.data,
                                  t->conf->send.len)
           != NGX_OK)
    {
        ngx_status_ev_fault(&ev, "no memory");

    } else if (t->conf->nconds) {
        return;
    }

    ngx_status_tcp_end(t, &ev);
}


static void
ngx_status_tcp_read(void *data, u_char *bytes, size_t len)
{
    ngx_msec_t              pause, passed;
    ngx_status_tcp_t       *t;
    ngx_status_evidence_t   ev;

    t = data;

    ngx_memzero(&ev, sizeof(ngx_status_evidence_t));

    if (len == 0) {

        if (t->body.len == 0 && !t->any) {
            ngx_status_probe_broken(0, NGX_STATUS_PHASE_WAIT, &ev);
        }

        ngx_status_tcp_end(t, &ev);
        return;
    }

    t->latency = t->probe->result.latency;
    t->transfer = t->probe->result.phases[NGX_STATUS_PHASE_TRANSFER];

    if (ngx_status_tcp_keep(t, bytes, len) != NGX_OK) {
        ngx_status_ev_fault(&ev, "no memory");
        ngx_status_tcp_end(t, &ev);
        return;
    }

    if (t->cut) {
        ngx_status_tcp_end(t, &ev);
        return;
    }

    /* at first at once, then less and less often: it may come in drops */

    pause = ngx_min(t->looks, NGX_STATUS_TCP_PAUSE);
    passed = ngx_current_msec - t->looked;

    if (passed < pause) {

        if (!t->timer.timer_set) {
            ngx_add_timer(&t->timer, pause - passed);
        }

        return;
    }

    if (ngx_status_tcp_holds(t) && !t->any) {
        ngx_status_tcp_end(t, &ev);
    }
}


static ngx_int_t
ngx_status_tcp_keep(ngx_status_tcp_t *t, u_char *bytes, size_t len)
{
    size_t  limit;

    limit = t->probe->check->max_body;

    if (len > limit - t->body.len) {
        len = limit - t->body.len;
        t->cut = 1;
    }

    return ngx_status_probe_keep(&t->body, bytes, len, limit);
}


static void
ngx_status_tcp_later(ngx_event_t *ev)
{
    ngx_status_tcp_t       *t;
    ngx_status_evidence_t   evidence;

    t = (ngx_status_tcp_t *) ((char *) ev - offsetof(ngx_status_tcp_t,
                                                     timer));

    if (ngx_status_tcp_holds(t) && !t->any) {
        ngx_memzero(&evidence, sizeof(ngx_status_evidence_t));
        ngx_status_tcp_end(t, &evidence);
    }
}


/* Whether all conditions on what came hold, as far as that is soon said. */

static ngx_uint_t
ngx_status_tcp_holds(ngx_status_tcp_t *t)
{
    ngx_status_result_t    result;
    ngx_status_evidence_t  ev;

    t->looks++;
    t->looked = ngx_current_msec;

    ngx_memzero(&ev, sizeof(ngx_status_evidence_t));
    ngx_memzero(&result, sizeof(ngx_status_result_t));

    ev.have = ngx_status_subject_bit(NGX_STATUS_S_BODY)
              |ngx_status_subject_bit(NGX_STATUS_S_SIZE);
    ev.body.data = t->body.data;
    ev.body.len = t->body.len;
    ev.number[NGX_STATUS_S_SIZE] = t->body.len;

    return ngx_status_judge(t->conf->conds, t->conf->nconds, NULL, 0,
                            t->probe->check->timeout, &ev, 0, &result)
           == NGX_OK
           && result.state == NGX_STATUS_UP;
}


static void
ngx_status_tcp_failed(void *data, ngx_status_evidence_t *ev)
{
    ngx_status_tcp_t  *t;

    t = data;

    if (ev->timed_out && t->body.len) {

        /* an answer that does not end, or is not the one that is expected;
         * which of the two the conditions know best */

        ngx_memzero(ev, sizeof(ngx_status_evidence_t));

        /* a byte may have been read later than the timer should have run */

        t->probe->result.latency = ngx_min(t->latency,
                                           t->probe->check->timeout * 1000
                                           - 1);
        t->probe->result.phases[NGX_STATUS_PHASE_TRANSFER] = t->transfer;
    }

    ngx_status_tcp_end(t, ev);
}


static void
ngx_status_tcp_end(ngx_status_tcp_t *t, ngx_status_evidence_t *ev)
{
    if (t->conf->nconds) {
        ev->have = ngx_status_subject_bit(NGX_STATUS_S_BODY)
                   |ngx_status_subject_bit(NGX_STATUS_S_SIZE);
        ev->body.data = t->body.data;
        ev->body.len = t->body.len;
        ev->body_cut = t->cut;
        ev->body_told = 1;
        ev->number[NGX_STATUS_S_SIZE] = t->body.len;
    }

    t->probe->result.size = t->body.len;

    if (t->body.len || !(ev->fault || ev->error || ev->timed_out)) {
        ngx_status_tcp_seen(t);
    }

    ngx_status_probe_end(t->probe, ev, ngx_status_tcp_release);
}


/* The first line of what came, or where it was connected to. */

static void
ngx_status_tcp_seen(ngx_status_tcp_t *t)
{
    char    text[NGX_STATUS_SEEN];
    size_t  n;

    for (n = 0; n < t->body.len && n < NGX_STATUS_SEEN; n++) {
        if (t->body.data[n] == CR || t->body.data[n] == LF) {
            break;
        }
    }

    if (n) {
        ngx_status_text_copy(t->probe->result.seen, NGX_STATUS_SEEN,
                             t->body.data, n);
        return;
    }

    n = snprintf(text, sizeof(text), "connected to %s",
                 ngx_status_stream_address(t->stream));
    ngx_status_text_copy(t->probe->result.seen, NGX_STATUS_SEEN,
                         (u_char *) text, n);
}


static void
ngx_status_tcp_release(void *ctx)
{
    ngx_status_tcp_t  *t;

    t = ctx;

    if (t->timer.timer_set) {
        ngx_del_timer(&t->timer);
    }

    ngx_status_stream_close(t->stream);

    free(t->body.data);
    free(t);
}
