
/*
 * Copyright (C) ngx_status_module authors
 *
 * redis:// and rediss://: a command and its answer.  hiredis formats the one
 * and reads the other (ngx_status_redis.h); the connection is our own, since
 * that of hiredis resolves names while the loop waits, and knows no TLS
 * before 1.0.
 *
 * All is sent at once: AUTH, SELECT, INFO where conditions ask for it, and
 * the command.  The answers come in that order, and the first that is an
 * error is the result.
 */


#include "ngx_status_stream.h"
#include "ngx_status_redis.h"


static const ngx_str_t  ngx_status_redis_schemes[] =
    { ngx_string("redis"), ngx_string("rediss"), ngx_null_string };

static const in_port_t  ngx_status_redis_ports[] = { 6379, 6379 };


#if (NGX_STATUS_HIREDIS)

typedef struct {
    ngx_status_probe_t        *probe;
    ngx_status_redis_conf_t   *conf;
    ngx_status_stream_t       *stream;
    ngx_status_redis_t         redis;
    ngx_uint_t                 step;
    ngx_str_t                  info;     /* fields, as evidence */
    char                       server[NGX_STATUS_SEEN];    /* who it is */
} ngx_status_redis_probe_t;


static ngx_uint_t ngx_status_redis_tls(const ngx_status_check_t *check);
static void ngx_status_redis_start(ngx_status_probe_t *probe);
static void ngx_status_redis_stop(ngx_status_probe_t *probe);
static void ngx_status_redis_ready(void *data);
static void ngx_status_redis_read(void *data, u_char *bytes, size_t len);
static ngx_int_t ngx_status_redis_answer(ngx_status_redis_probe_t *q,
    ngx_status_evidence_t *ev);
static ngx_str_t ngx_status_redis_asked(const ngx_status_redis_probe_t *q);
static void ngx_status_redis_refused(ngx_status_redis_probe_t *q,
    ngx_status_evidence_t *ev);
static ngx_int_t ngx_status_redis_fields(ngx_status_redis_probe_t *q);
static void ngx_status_redis_value(ngx_status_redis_probe_t *q,
    ngx_status_evidence_t *ev);
static void ngx_status_redis_seen(ngx_status_redis_probe_t *q);
static void ngx_status_redis_failed(void *data, ngx_status_evidence_t *ev);
static void ngx_status_redis_release(void *ctx);


static const ngx_status_option_t  ngx_status_redis_options[] = {
    { ngx_string("command"), NGX_STATUS_OPTION_TEXT, NULL, 0, 0 },
    NGX_STATUS_OPTION_LOGIN,
    NGX_STATUS_OPTION_TLS_NAME,
    NGX_STATUS_OPTION_FAMILY,
    NGX_STATUS_OPTION_END
};


const ngx_status_check_type_t  ngx_status_check_redis = {
    .name = ngx_string("redis"),
    .schemes = ngx_status_redis_schemes,
    .ports = ngx_status_redis_ports,
    .subjects = ngx_status_subject_bit(NGX_STATUS_S_VALUE)
                |ngx_status_subject_bit(NGX_STATUS_S_ROWS)
                |ngx_status_subject_bit(NGX_STATUS_S_SIZE)
                |ngx_status_subject_bit(NGX_STATUS_S_INFO)
                |ngx_status_subject_bit(NGX_STATUS_S_LATENCY)
                |ngx_status_subject_bit(NGX_STATUS_S_CERT),
    .latency = 500,
    .options = ngx_status_redis_options,
    .tls = ngx_status_redis_tls,
    .conf = ngx_status_redis_conf,
    .start = ngx_status_redis_start,
    .stop = ngx_status_redis_stop
};


static const ngx_status_stream_handler_t  ngx_status_redis_handler = {
    ngx_status_redis_ready,
    ngx_status_redis_read,
    ngx_status_redis_failed
};


/* Errors by their first word; the others are "value". */

static const ngx_str_t  ngx_status_redis_denials[] = {
    ngx_string("NOAUTH"), ngx_string("WRONGPASS"), ngx_string("NOPERM"),
    ngx_string("DENIED"), ngx_null_string
};


static ngx_uint_t
ngx_status_redis_tls(const ngx_status_check_t *check)
{
    return ngx_strcmp(check->scheme.data, "rediss") == 0;
}


static void
ngx_status_redis_start(ngx_status_probe_t *probe)
{
    ngx_status_redis_probe_t  *q;

    q = calloc(1, sizeof(ngx_status_redis_probe_t));

    if (q == NULL) {
        goto failed;
    }

    q->probe = probe;
    q->conf = probe->check->conf;

    if (ngx_status_redis_init(&q->redis, probe->check->max_body) != NGX_OK) {
        goto failed;
    }

    q->stream = ngx_status_stream_open(probe, q->conf->stream,
                                       &ngx_status_redis_handler, q);
    if (q->stream == NULL) {
        goto failed;
    }

    probe->ctx = q;

    return;

failed:

    if (q) {
        ngx_status_redis_free(&q->redis);
        free(q);
    }

    ngx_status_probe_fault(probe, "no memory");
    probe->done(probe);
}


static void
ngx_status_redis_stop(ngx_status_probe_t *probe)
{
    ngx_status_redis_release(probe->ctx);
    probe->ctx = NULL;
}


static void
ngx_status_redis_ready(void *data)
{
    ngx_status_evidence_t      ev;
    ngx_status_redis_probe_t  *q;

    q = data;

    if (ngx_status_stream_send(q->stream, q->conf->send.data,
                               q->conf->send.len)
        == NGX_OK)
    {
        return;
    }

    ngx_memzero(&ev, sizeof(ngx_status_evidence_t));
    ngx_status_ev_fault(&ev, "no memory");
    ngx_status_probe_end(q->probe, &ev, ngx_status_redis_release);
}


static void
ngx_status_redis_read(void *data, u_char *bytes, size_t len)
{
    ngx_int_t                  rc;
    ngx_status_evidence_t      ev;
    ngx_status_redis_probe_t  *q;

    q = data;

    ngx_memzero(&ev, sizeof(ngx_status_evidence_t));

    if (len == 0) {
        ngx_status_probe_broken(0, q->redis.came ? NGX_STATUS_PHASE_TRANSFER
                                                 : NGX_STATUS_PHASE_WAIT, &ev);
        goto end;
    }

    rc = ngx_status_redis_feed(&q->redis, bytes, len);

    while (rc == NGX_OK) {
        rc = ngx_status_redis_next(&q->redis);

        if (rc == NGX_OK && ngx_status_redis_answer(q, &ev) == NGX_DONE) {
            goto end;
        }
    }

    if (rc == NGX_AGAIN) {
        return;
    }

    if (q->redis.error) {
        ngx_status_ev_fails(&ev, q->redis.error, "%s", q->redis.err);

    } else {
        ngx_status_ev_fault(&ev, "no memory");
    }

end:

    ngx_status_probe_end(q->probe, &ev, ngx_status_redis_release);
}


/* NGX_DONE: it is the last one that counts. */

static ngx_int_t
ngx_status_redis_answer(ngx_status_redis_probe_t *q,
    ngx_status_evidence_t *ev)
{
    ngx_str_t                name;
    ngx_status_redis_kind_e  kind;

    kind = q->redis.kind;

    if (kind == NGX_STATUS_REDIS_ERROR) {
        ngx_status_redis_refused(q, ev);
        return NGX_DONE;
    }

    switch (q->conf->steps[q->step]) {

    case NGX_STATUS_REDIS_AUTH:
    case NGX_STATUS_REDIS_SELECT:

        if (kind == NGX_STATUS_REDIS_STATUS) {
            q->step++;
            return NGX_OK;
        }

        break;

    case NGX_STATUS_REDIS_INFO:

        if (kind != NGX_STATUS_REDIS_STRING) {
            break;
        }

        if (ngx_status_redis_fields(q) == NGX_OK) {
            q->step++;
            return NGX_OK;
        }

        ngx_status_ev_fault(ev, "no memory");
        return NGX_DONE;

    default: /* NGX_STATUS_REDIS_COMMAND */
        ngx_status_redis_value(q, ev);
        return NGX_DONE;
    }

    name = ngx_status_redis_asked(q);

    ngx_status_ev_fails(ev, NGX_STATUS_E_PROTOCOL, "the answer to %.*s is of "
                        "another kind", (int) name.len, (char *) name.data);
    return NGX_DONE;
}


/* What the newest answer is to. */

static ngx_str_t
ngx_status_redis_asked(const ngx_status_redis_probe_t *q)
{
    ngx_str_t                name;
    ngx_status_redis_step_e  step;

    static const ngx_str_t  names[] = {
        ngx_string("AUTH"), ngx_string("SELECT"), ngx_string("INFO")
    };

    step = q->conf->steps[q->step];
    name = step == NGX_STATUS_REDIS_COMMAND ? q->conf->command : names[step];
    name.len = ngx_min(name.len, 32);

    return name;
}


static void
ngx_status_redis_refused(ngx_status_redis_probe_t *q,
    ngx_status_evidence_t *ev)
{
    size_t               n;
    ngx_str_t           *text, name;
    ngx_uint_t           i;
    ngx_status_error_e   error;

    name = ngx_status_redis_asked(q);
    text = &q->redis.text;

    for (n = 0; n < text->len && text->data[n] != ' '; n++) { /* void */ }

    error = NGX_STATUS_E_VALUE;

    for (i = 0; ngx_status_redis_denials[i].len; i++) {
        if (ngx_status_redis_denials[i].len == n
            && ngx_memcmp(text->data, ngx_status_redis_denials[i].data, n)
               == 0)
        {
            error = NGX_STATUS_E_AUTH;
        }
    }

    /* before 6.0 a wrong password is "ERR"; too many clients are always */

    if (q->conf->steps[q->step] == NGX_STATUS_REDIS_AUTH && n == 3
        && (text->len < 7 || ngx_memcmp(text->data, "ERR max", 7) != 0))
    {
        error = NGX_STATUS_E_AUTH;
    }

    ngx_status_ev_fails(ev, error, "%.*s failed: %.*s",
                        (int) name.len, (char *) name.data,
                        (int) ngx_min(text->len, NGX_STATUS_MESSAGE),
                        (char *) text->data);
}


/* What of INFO somebody asks for; the rest of it is large. */

static ngx_int_t
ngx_status_redis_fields(ngx_status_redis_probe_t *q)
{
    size_t              size;
    u_char             *p, buf[NGX_STATUS_REDIS_FIELD];
    ngx_str_t           value;
    ngx_uint_t          i, j, nconds;
    ngx_status_cond_t  *conds;

    static const ngx_str_t  version = ngx_string("redis_version");
    static const ngx_str_t  role = ngx_string("role");

    conds = q->probe->check->conds;
    nconds = q->probe->check->nconds;

    size = 0;

    for (i = 0; i < nconds; i++) {
        size += conds[i].name.len + NGX_STATUS_REDIS_FIELD + 3;
    }

    p = malloc(size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    q->info.data = p;

    for (i = 0; i < nconds; i++) {

        if (conds[i].subject != NGX_STATUS_S_INFO) {
            continue;
        }

        for (j = 0; j < i; j++) {
            if (conds[j].subject == NGX_STATUS_S_INFO
                && ngx_strcmp(conds[j].name.data, conds[i].name.data) == 0)
            {
                break;
            }
        }

        if (j == i
            && ngx_status_redis_field(&q->redis.text, &conds[i].name, buf,
                                      &value)
               == NGX_OK)
        {
            p = ngx_cpymem(p, conds[i].name.data, conds[i].name.len);
            *p++ = ':';
            p = ngx_cpymem(p, value.data, value.len);
            *p++ = CR;
            *p++ = LF;
        }
    }

    q->info.len = p - q->info.data;

    if (ngx_status_redis_field(&q->redis.text, &version, buf, &value)
        == NGX_OK)
    {
        size = snprintf(q->server, sizeof(q->server), "Redis %.*s",
                        (int) ngx_min(value.len, 16), (char *) value.data);

        if (ngx_status_redis_field(&q->redis.text, &role, buf, &value)
            == NGX_OK)
        {
            snprintf(q->server + size, sizeof(q->server) - size, " %.*s",
                     (int) ngx_min(value.len, 16), (char *) value.data);
        }
    }

    return NGX_OK;
}


static void
ngx_status_redis_value(ngx_status_redis_probe_t *q, ngx_status_evidence_t *ev)
{
    ngx_str_t  *text;

    text = &q->redis.text;

    ngx_status_redis_seen(q);

    q->probe->result.size = text->len;

    if (q->info.data) {
        ev->have |= ngx_status_subject_bit(NGX_STATUS_S_INFO);
        ev->string[NGX_STATUS_S_INFO] = q->info;
    }

    if (q->redis.kind != NGX_STATUS_REDIS_NIL) {
        ev->have |= ngx_status_subject_bit(NGX_STATUS_S_VALUE)
                    |ngx_status_subject_bit(NGX_STATUS_S_SIZE);
        ev->string[NGX_STATUS_S_VALUE] = *text;
        ev->number[NGX_STATUS_S_SIZE] = text->len;
    }

    if (q->redis.kind == NGX_STATUS_REDIS_ARRAY
        || q->redis.kind == NGX_STATUS_REDIS_NIL)
    {
        ev->have |= ngx_status_subject_bit(NGX_STATUS_S_ROWS);
        ev->number[NGX_STATUS_S_ROWS] = q->redis.rows;
    }

    /* some proxies make a string of it */

    if (q->conf->ping
        && ((q->redis.kind != NGX_STATUS_REDIS_STATUS
             && q->redis.kind != NGX_STATUS_REDIS_STRING)
            || text->len != 4 || ngx_memcmp(text->data, "PONG", 4) != 0))
    {
        ngx_status_ev_fails(ev, NGX_STATUS_E_PROTOCOL,
                            "the answer to PING is \"%.*s\", expected PONG",
                            (int) ngx_min(text->len, 60),
                            (char *) text->data);
    }
}


static void
ngx_status_redis_seen(ngx_status_redis_probe_t *q)
{
    int        n;
    char       seen[2 * NGX_STATUS_SEEN], rows[NGX_INT_T_LEN + 8];
    ngx_str_t  text;

    text = q->redis.text;
    rows[0] = '\0';

    if (q->redis.kind == NGX_STATUS_REDIS_NIL) {
        ngx_str_set(&text, "nil");
    }

    if (q->redis.kind == NGX_STATUS_REDIS_ARRAY) {
        snprintf(rows, sizeof(rows), "%lu rows: ",
                 (unsigned long) q->redis.rows);
    }

    n = snprintf(seen, sizeof(seen), "%s%s%s%.*s", q->server,
                 q->server[0] ? ", " : "", rows,
                 (int) ngx_min(text.len, NGX_STATUS_SEEN),
                 (char *) text.data);

    for (n = 0; seen[n]; n++) {
        if (seen[n] == '\n') {
            seen[n] = ' ';
        }
    }

    ngx_status_text_copy(q->probe->result.seen, NGX_STATUS_SEEN,
                         (u_char *) seen, n);
}


static void
ngx_status_redis_failed(void *data, ngx_status_evidence_t *ev)
{
    ngx_status_redis_probe_t  *q;

    q = data;

    ngx_status_probe_end(q->probe, ev, ngx_status_redis_release);
}


static void
ngx_status_redis_release(void *ctx)
{
    ngx_status_redis_probe_t  *q;

    q = ctx;

    ngx_status_stream_close(q->stream);
    ngx_status_redis_free(&q->redis);
    free(q->info.data);
    free(q);
}

#else

const ngx_status_check_type_t  ngx_status_check_redis = {
    .name = ngx_string("redis"),
    .schemes = ngx_status_redis_schemes,
    .ports = ngx_status_redis_ports,
    .needs = "hiredis (libhiredis-dev)"
};

#endif
