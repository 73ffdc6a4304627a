
/*
 * Copyright (C) ngx_status_module authors
 *
 * The types smtp, imap, pop3, ftp, ldap and mqtt: a talk (ngx_status_talk.h)
 * over a stream.
 */


#include "ngx_status_stream.h"
#include "ngx_status_talk.h"


typedef struct {
    ngx_status_talk_conf_t     talk;
    ngx_status_stream_conf_t  *stream;
    ngx_uint_t                 body;     /* somebody asks for it */
} ngx_status_talking_conf_t;


typedef struct {
    ngx_status_probe_t        *probe;
    ngx_status_talking_conf_t *conf;
    ngx_status_stream_t       *stream;
    ngx_status_talk_t          talk;
    ngx_status_buf_t           body;     /* what was said, in text */
    ngx_uint_t                 begun;    /* connected, and in TLS if need be */
} ngx_status_talking_t;


static ngx_uint_t ngx_status_talking_secure(const ngx_status_check_t *check);
static ngx_uint_t ngx_status_talking_local(const ngx_str_t *host);
static ngx_uint_t ngx_status_talking_tls(const ngx_status_check_t *check);
static ngx_int_t ngx_status_talking_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static void ngx_status_talking_start(ngx_status_probe_t *probe);
static void ngx_status_talking_stop(ngx_status_probe_t *probe);
static void ngx_status_talking_ready(void *data);
static void ngx_status_talking_read(void *data, u_char *bytes, size_t len);
static void ngx_status_talking_went(ngx_status_talking_t *t, ngx_int_t rc);
static ngx_int_t ngx_status_talking_send(ngx_status_talking_t *t);
static ngx_int_t ngx_status_talking_keep(ngx_status_talking_t *t,
    const u_char *bytes, size_t len);
static void ngx_status_talking_failed(void *data, ngx_status_evidence_t *ev);
static void ngx_status_talking_end(ngx_status_talking_t *t,
    ngx_status_evidence_t *ev);
static void ngx_status_talking_release(void *ctx);


static const ngx_status_option_t  ngx_status_talking_options[] = {
    { ngx_string("secure"), NGX_STATUS_OPTION_FLAG, NULL, 0, 0 },
    NGX_STATUS_OPTION_LOGIN,
    NGX_STATUS_OPTION_TLS_NAME,
    NGX_STATUS_OPTION_FAMILY,
    NGX_STATUS_OPTION_END
};

#define NGX_STATUS_TALKING_SUBJECTS                                          \
    (ngx_status_subject_bit(NGX_STATUS_S_LATENCY)                            \
     |ngx_status_subject_bit(NGX_STATUS_S_CERT))

#define NGX_STATUS_TALKING_BODY                                              \
    (ngx_status_subject_bit(NGX_STATUS_S_BODY)                               \
     |ngx_status_subject_bit(NGX_STATUS_S_SIZE))

#define NGX_STATUS_TALKING_CODE                                              \
    ngx_status_subject_bit(NGX_STATUS_S_STATUS)

/* A scheme that is longer than its type's name is the one in TLS. */

#define ngx_status_talking(type, port, tls_port, asked)                      \
                                                                             \
static const ngx_str_t  ngx_status_##type##_schemes[] = {                    \
    ngx_string(#type),                                                       \
    ngx_string(#type "s"),                                                   \
    ngx_null_string                                                          \
};                                                                           \
                                                                             \
static const in_port_t  ngx_status_##type##_ports[] = { port, tls_port };    \
                                                                             \
const ngx_status_check_type_t  ngx_status_check_##type = {                   \
    .name = ngx_string(#type),                                               \
    .schemes = ngx_status_##type##_schemes,                                  \
    .ports = ngx_status_##type##_ports,                                      \
    .subjects = NGX_STATUS_TALKING_SUBJECTS | (asked),                       \
    .latency = 2000,                                                         \
    .options = ngx_status_talking_options,                                   \
    .tls = ngx_status_talking_tls,                                           \
    .conf = ngx_status_talking_conf,                                         \
    .start = ngx_status_talking_start,                                       \
    .stop = ngx_status_talking_stop                                          \
}

ngx_status_talking(smtp, 25, 465,
                   NGX_STATUS_TALKING_BODY | NGX_STATUS_TALKING_CODE);
ngx_status_talking(imap, 143, 993, NGX_STATUS_TALKING_BODY);
ngx_status_talking(pop3, 110, 995, NGX_STATUS_TALKING_BODY);
ngx_status_talking(ftp, 21, 990,
                   NGX_STATUS_TALKING_BODY | NGX_STATUS_TALKING_CODE);
ngx_status_talking(ldap, 389, 636, 0);
ngx_status_talking(mqtt, 1883, 8883, NGX_STATUS_TALKING_BODY);


static const ngx_status_stream_handler_t  ngx_status_talking_handler = {
    ngx_status_talking_ready,
    ngx_status_talking_read,
    ngx_status_talking_failed
};


/* Whether TLS has to begin before anything else is said: by default where a
 * password would go over a network. */

static ngx_uint_t
ngx_status_talking_secure(const ngx_status_check_t *check)
{
    const ngx_status_setting_t  *setting;

    if (check->scheme.len > check->type->name.len) {
        return 0;
    }

    setting = ngx_status_setting(check, "secure");

    if (setting) {
        return setting->number;
    }

    if (check->password.len == 0
        && ngx_status_setting(check, "password") == NULL)
    {
        return 0;
    }

    return !ngx_status_talking_local(&check->host)
           || (check->resolve.len
               && !ngx_status_talking_local(&check->resolve));
}


static ngx_uint_t
ngx_status_talking_local(const ngx_str_t *host)
{
    return ngx_strcmp(host->data, "localhost") == 0
           || ngx_strcmp(host->data, "::1") == 0
           || (ngx_strncmp(host->data, "127.", 4) == 0
               && ngx_inet_addr(host->data, host->len) != INADDR_NONE);
}


static ngx_uint_t
ngx_status_talking_tls(const ngx_status_check_t *check)
{
    return check->scheme.len > check->type->name.len
           || ngx_status_talking_secure(check);
}


static ngx_int_t
ngx_status_talking_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    char *err, size_t errlen)
{
    ngx_uint_t                  i, secure;
    ngx_status_talking_conf_t  *conf;

    conf = ngx_pcalloc(pool, sizeof(ngx_status_talking_conf_t));
    if (conf == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    check->conf = conf;
    conf->body = (check->nbots != 0);

    for (i = 0; i < check->nconds; i++) {
        conf->body |= (check->conds[i].subject == NGX_STATUS_S_BODY
                       || check->conds[i].subject == NGX_STATUS_S_SIZE);
    }

    secure = ngx_status_talking_secure(check);

    conf->talk.protocol = ngx_status_talk_protocol((char *)
                                                   check->type->name.data);
    conf->talk.secured = secure;
    conf->talk.await = conf->body;

    if (ngx_status_talk_conf(pool, check, &conf->talk, err, errlen)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (secure && conf->talk.protocol->starttls == NGX_STATUS_STARTTLS_NONE) {
        snprintf(err, errlen, "%s:// has no way into TLS, expected %ss://, or "
                 "\"secure off\" for a password in the clear",
                 check->scheme.data, check->scheme.data);
        return NGX_ERROR;
    }

    conf->stream = ngx_status_stream_conf(pool, check,
                                          ngx_status_talking_tls(check),
                                          secure
                                          ? conf->talk.protocol->starttls
                                          : NGX_STATUS_STARTTLS_NONE,
                                          err, errlen);

    return conf->stream ? NGX_OK : NGX_ERROR;
}


static void
ngx_status_talking_start(ngx_status_probe_t *probe)
{
    ngx_status_talking_t  *t;

    t = calloc(1, sizeof(ngx_status_talking_t));

    if (t) {
        t->probe = probe;
        t->conf = probe->check->conf;
        t->talk.conf = &t->conf->talk;
        t->stream = ngx_status_stream_open(probe, t->conf->stream,
                                           &ngx_status_talking_handler, t);
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
ngx_status_talking_stop(ngx_status_probe_t *probe)
{
    ngx_status_talking_release(probe->ctx);
    probe->ctx = NULL;
}


static void
ngx_status_talking_ready(void *data)
{
    ngx_int_t              rc;
    ngx_status_talking_t  *t;

    t = data;
    t->begun = 1;

    rc = ngx_status_talk_begin(&t->talk);

    if (ngx_status_talking_send(t) != NGX_OK) {
        rc = NGX_DECLINED;
    }

    ngx_status_talking_went(t, rc);
}


static void
ngx_status_talking_read(void *data, u_char *bytes, size_t len)
{
    char                    awaited[64];
    ngx_int_t               rc;
    const u_char           *p;
    ngx_status_talking_t   *t;
    ngx_status_evidence_t   ev;

    t = data;
    p = bytes;

    if (len == 0) {
        ngx_memzero(&ev, sizeof(ngx_status_evidence_t));
        ngx_status_ev_fails(&ev, NGX_STATUS_E_RESET,
                            "connection closed while waiting for %s",
                            ngx_status_talk_awaited(&t->talk, awaited,
                                                    sizeof(awaited)));
        ngx_status_talking_end(t, &ev);
        return;
    }

    do {
        rc = ngx_status_talk_feed(&t->talk, &p, bytes + len);

        if (ngx_status_talking_send(t) != NGX_OK) {
            rc = NGX_DECLINED;
        }

    } while (rc == NGX_AGAIN && p < bytes + len);

    if (ngx_status_talking_keep(t, bytes, p - bytes) != NGX_OK) {
        rc = NGX_DECLINED;
    }

    ngx_status_talking_went(t, rc);
}


/* NGX_DECLINED: there was no memory. */

static void
ngx_status_talking_went(ngx_status_talking_t *t, ngx_int_t rc)
{
    ngx_status_evidence_t  ev;

    if (rc == NGX_AGAIN) {
        return;
    }

    ngx_memzero(&ev, sizeof(ngx_status_evidence_t));

    if (rc == NGX_DECLINED) {
        ngx_status_ev_fault(&ev, "no memory");

    } else if (rc == NGX_ERROR) {
        ngx_status_ev_fails(&ev, t->talk.error, "%s", t->talk.text);
    }

    ngx_status_talking_end(t, &ev);
}


static ngx_int_t
ngx_status_talking_send(ngx_status_talking_t *t)
{
    const ngx_str_t  *out;

    out = t->talk.out;
    t->talk.out = NULL;

    return out ? ngx_status_stream_send(t->stream, out->data, out->len)
               : NGX_OK;
}


/* What is said in text is the body. */

static ngx_int_t
ngx_status_talking_keep(ngx_status_talking_t *t, const u_char *bytes,
    size_t len)
{
    size_t  limit;

    if (!t->conf->body || !t->conf->talk.protocol->text) {
        return NGX_OK;
    }

    limit = t->probe->check->max_body;
    len = ngx_min(len, limit - t->body.len);

    return ngx_status_probe_keep(&t->body, bytes, len, limit);
}


static void
ngx_status_talking_failed(void *data, ngx_status_evidence_t *ev)
{
    char                   awaited[64];
    ngx_status_talking_t  *t;

    t = data;

    if (ev->timed_out && t->begun) {
        ngx_status_message(ev->message,
                           "timed out after %lu ms, while waiting for %s",
                           (unsigned long) t->probe->check->timeout,
                           ngx_status_talk_awaited(&t->talk, awaited,
                                                   sizeof(awaited)));
    }

    ngx_status_talking_end(t, ev);
}


static void
ngx_status_talking_end(ngx_status_talking_t *t, ngx_status_evidence_t *ev)
{
    ngx_status_result_t  *result;

    result = &t->probe->result;

    if (t->talk.code) {
        result->http_status = (uint16_t) t->talk.code;

        ev->have |= NGX_STATUS_TALKING_CODE;
        ev->number[NGX_STATUS_S_STATUS] = t->talk.code;
    }

    if (t->conf->talk.protocol->text) {
        result->size = t->talk.total;

        ev->body.data = t->body.data;
        ev->body.len = t->body.len;

    } else {
        result->size = t->talk.size;

        ev->body = t->talk.message;
        ev->body.len = ngx_min(ev->body.len, t->probe->check->max_body);
    }

    ev->body_cut = (ev->body.len < result->size);
    ev->size_known = 1;
    ev->number[NGX_STATUS_S_SIZE] = result->size;

    if (t->begun) {
        ev->have |= NGX_STATUS_TALKING_BODY;
    }

    ngx_status_text_copy(result->seen, NGX_STATUS_SEEN, t->talk.first,
                         t->talk.first_len);

    ngx_status_probe_end(t->probe, ev, ngx_status_talking_release);
}


static void
ngx_status_talking_release(void *ctx)
{
    ngx_status_talking_t  *t;

    t = ctx;

    ngx_status_stream_close(t->stream);
    ngx_status_talk_end(&t->talk);

    free(t->body.data);
    free(t);
}
