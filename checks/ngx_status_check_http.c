
/*
 * Copyright (C) ngx_status_module authors
 *
 * http://, https:// and http+unix:// over libcurl.
 *
 * A probe goes: place to resolve its name in (begin) -> transfer (run),
 * perhaps with JSON left to match (match_rest) when it has ended ->
 * perhaps a second look at a name that failed (ended, looked_up) ->
 * judgement (finish), in a thread if it takes long (ponder, pondered) ->
 * perhaps a second request for the score's history (judged) -> done (leave).
 * stop() may come between any two of these.
 */


#include "ngx_status_http.h"


#define NGX_STATUS_HTTP_LOOKUP   1000    /* ms at least for a second look */


static ngx_uint_t ngx_status_http_tls(const ngx_status_check_t *check);
static ngx_int_t ngx_status_http_init(ngx_cycle_t *cycle);
static void ngx_status_http_start(ngx_status_probe_t *probe);
static void ngx_status_http_stop(ngx_status_probe_t *probe);
static void ngx_status_http_ready(ngx_status_resolve_t *r);
static void ngx_status_http_run(ngx_status_http_t *h);
static void ngx_status_http_expired(ngx_event_t *ev);
static void ngx_status_http_match_rest(ngx_status_http_t *h);
static void ngx_status_http_ended(ngx_status_transfer_t *t, CURLcode code);
static void ngx_status_http_arrived(ngx_status_http_t *h, CURLcode code);
static void ngx_status_http_ask(ngx_status_http_t *h);
static void ngx_status_http_looked_up(void *data, int eai);
static void ngx_status_http_series(ngx_status_http_t *h, CURLcode code);


static const ngx_str_t  ngx_status_http_schemes[] = {
    ngx_string("http"),
    ngx_string("https"),
    ngx_string("http+unix"),
    ngx_null_string
};

static const in_port_t  ngx_status_http_ports[] = { 80, 443, 0 };

static const ngx_status_option_t  ngx_status_http_options[] = {
    NGX_STATUS_OPTION_FAMILY,
    NGX_STATUS_OPTION_LOGIN,
    { ngx_string("bearer"), NGX_STATUS_OPTION_SECRET, NULL, 0, 0 },
    NGX_STATUS_OPTION_PROXY,
    { ngx_string("http_version"), NGX_STATUS_OPTION_WORD, "1.0 1.1 2 any",
      0, 0 },
    NGX_STATUS_OPTION_END
};


const ngx_status_check_type_t  ngx_status_check_http = {
    .name = ngx_string("http"),
    .schemes = ngx_status_http_schemes,
    .ports = ngx_status_http_ports,
    .subjects = ngx_status_subject_bit(NGX_STATUS_S_STATUS)
                |ngx_status_subject_bit(NGX_STATUS_S_BODY)
                |ngx_status_subject_bit(NGX_STATUS_S_HEADER)
                |ngx_status_subject_bit(NGX_STATUS_S_JSON)
                |ngx_status_subject_bit(NGX_STATUS_S_LATENCY)
                |ngx_status_subject_bit(NGX_STATUS_S_CERT)
                |ngx_status_subject_bit(NGX_STATUS_S_SIZE)
                |ngx_status_subject_bit(NGX_STATUS_S_SCORE)
                |ngx_status_subject_bit(NGX_STATUS_S_REDIRECT),
    .latency = 2000,
    .options = ngx_status_http_options,
    .tls = ngx_status_http_tls,
    .conf = ngx_status_http_conf,
    .start = ngx_status_http_start,
    .stop = ngx_status_http_stop,
    .init = ngx_status_http_init
};


static ngx_connection_t   ngx_status_http_connection;      /* for log lines */


static ngx_uint_t
ngx_status_http_tls(const ngx_status_check_t *check)
{
    return ngx_strcmp(check->scheme.data, "https") == 0;
}


static ngx_int_t
ngx_status_http_init(ngx_cycle_t *cycle)
{
    ngx_status_http_connection.fd = (ngx_socket_t) -1;
    ngx_status_resolve_init(cycle->log);

    return NGX_OK;
}


static void
ngx_status_http_start(ngx_status_probe_t *probe)
{
    ngx_status_http_t  *h;

    h = calloc(1, sizeof(ngx_status_http_t));

    if (h == NULL) {
        ngx_status_probe_fault(probe, "no memory");
        probe->done(probe);
        return;
    }

    probe->ctx = h;

    h->probe = probe;
    h->conf = probe->check->conf;
    h->curl.proxy = h->conf->proxy.url ? &h->conf->proxy : NULL;
    h->curl.family = h->conf->family;
    h->curl.timeout = probe->check->timeout;
    h->curl.started = ngx_current_msec;

    h->transfer.data = h;
    h->transfer.done = ngx_status_http_ended;

    h->timer.data = &ngx_status_http_connection;
    h->timer.handler = ngx_status_http_expired;
    h->timer.log = probe->log;
    h->timer.cancelable = 1;

    h->resolve.data = h;
    h->resolve.ready = ngx_status_http_ready;

    ngx_status_http_begin(h, &h->conf->target);
}


void
ngx_status_http_begin(ngx_status_http_t *h,
    const ngx_status_http_target_t *target)
{
    h->target = target;
    h->resolve.name = target->name;

    if (target->name && ngx_status_resolve_begin(&h->resolve) == NGX_AGAIN) {
        h->waited = ngx_current_msec;
        ngx_add_timer(&h->timer, ngx_status_http_left(h));
        return;
    }

    ngx_status_http_run(h);
}


static void
ngx_status_http_ready(ngx_status_resolve_t *r)
{
    ngx_status_http_t  *h;

    h = r->data;

    h->waited = ngx_current_msec - h->waited;

    if (h->timer.timer_set) {
        ngx_del_timer(&h->timer);
    }

    ngx_status_http_run(h);
}


static void
ngx_status_http_run(ngx_status_http_t *h)
{
    ngx_status_http_conf_t  *conf;

    conf = h->conf;

    if (h->series) {
        h->json = ngx_status_json_create(&h->probe->check->series, 1);

    } else if (conf->npaths) {
        h->json = ngx_status_json_create(conf->paths, conf->npaths);
    }

    if ((h->series || conf->npaths) && h->json == NULL) {
        ngx_status_http_fault(h, "no memory");
        return;
    }

    if (ngx_status_http_request(h, ngx_status_http_left(h)) != NGX_OK) {
        ngx_status_http_fault(h, "the request could not be begun");
        return;
    }

    h->running = 1;
}


static void
ngx_status_http_stop(ngx_status_probe_t *probe)
{
    ngx_status_http_t  *h;

    h = probe->ctx;
    probe->ctx = NULL;

    if (h->hard && ngx_status_http_pondering(h)) {
        h->stopped = 1;                  /* pondered() releases it */
        return;
    }

    ngx_status_http_release(h);
}


/* No place to resolve in came, or no second look at a name; or it is time
 * for some more JSON, or to ask for a thread once more. */

static void
ngx_status_http_expired(ngx_event_t *ev)
{
    ngx_status_http_t  *h;

    h = (ngx_status_http_t *) ((char *) ev - offsetof(ngx_status_http_t,
                                                      timer));

    if (h->rest.len) {
        ngx_status_http_match_rest(h);
        return;
    }

    if (h->hard) {
        ngx_status_http_ponder(h);
        return;
    }

    if (h->unresolved && h->lookup == NULL && ngx_status_http_left(h) > 1) {
        ngx_status_http_ask(h);
        return;
    }

    ngx_status_http_fault(h, h->lookup ? "the resolver did not answer"
                                       : "the resolver is busy");
}


static void
ngx_status_http_match_rest(ngx_status_http_t *h)
{
    size_t  n;

    n = ngx_min(h->rest.len - h->rest_at, NGX_STATUS_HTTP_MATCH);

    (void) ngx_status_json_feed(h->json, h->rest.data + h->rest_at, n);

    h->rest_at += n;

    if (h->rest_at < h->rest.len) {
        ngx_add_timer(&h->timer, NGX_STATUS_HTTP_SOON);
        return;
    }

    h->rest.len = 0;
    h->rest_at = 0;

    if (h->ended) {
        ngx_status_http_arrived(h, h->code);
    }
}


static void
ngx_status_http_ended(ngx_status_transfer_t *t, CURLcode code)
{
    ngx_status_http_t    *h;
    ngx_status_result_t   unused;

    h = t->data;
    h->running = 0;

    ngx_status_curl_phases(&h->curl, h->transfer.easy,
                           h->series ? &unused : &h->probe->result);

    ngx_status_resolve_end(&h->resolve,
                           code == CURLE_OPERATION_TIMEDOUT
                           && h->curl.phase == NGX_STATUS_PHASE_RESOLVE);

    if (h->rest.len) {
        h->code = code;
        h->ended = 1;
        return;
    }

    ngx_status_http_arrived(h, code);
}


/* All of the answer, or what there will ever be of it. */

static void
ngx_status_http_arrived(ngx_status_http_t *h, CURLcode code)
{
    h->ended = 0;
    h->code = code;

    if (h->series) {
        ngx_status_http_series(h, code);
        return;
    }

    if ((code == CURLE_COULDNT_RESOLVE_HOST
         || code == CURLE_COULDNT_RESOLVE_PROXY)
        && !h->busy)
    {
        h->unresolved = 1;
        ngx_status_http_ask(h);
        return;
    }

    ngx_status_http_finish(h, code, 0);
}


/* A name did not resolve; whose fault that is libcurl does not tell. */

static void
ngx_status_http_ask(ngx_status_http_t *h)
{
    char        host[256];
    ngx_int_t   rc;
    ngx_msec_t  wait;

    ngx_status_curl_peer(&h->curl, h->transfer.easy, host, sizeof(host));

    rc = ngx_status_loop_lookup(host, h->conf->family,
                                ngx_status_http_looked_up, h, &h->lookup);

    wait = rc == NGX_OK ? ngx_max(ngx_status_http_left(h),
                                  NGX_STATUS_HTTP_LOOKUP)
                        : NGX_STATUS_HTTP_AGAIN;

    ngx_add_timer(&h->timer, wait);
}


static void
ngx_status_http_looked_up(void *data, int eai)
{
    ngx_status_http_t  *h;

    h = data;
    h->lookup = NULL;

    ngx_status_http_finish(h, h->code, eai);
}


/* The second request; whatever becomes of it, the result stands. */

static void
ngx_status_http_series(ngx_status_http_t *h, CURLcode code)
{
    long  status;

    status = 0;
    curl_easy_getinfo(h->transfer.easy, CURLINFO_RESPONSE_CODE, &status);

    if (code == CURLE_OK && status >= 200 && status <= 299
        && ngx_status_json_end(h->json) == NGX_OK)
    {
        ngx_status_http_score_series(h->probe->check, h->json,
                                     &h->probe->score);
    }

    ngx_status_http_leave(h);
}


/* Ends a probe for a reason of our own; the result, when there is one
 * already, stands. */

void
ngx_status_http_fault(ngx_status_http_t *h, const char *text)
{
    if (!h->series) {
        ngx_status_probe_fault(h->probe, "%s", text);
    }

    ngx_status_http_leave(h);
}


void
ngx_status_http_leave(ngx_status_http_t *h)
{
    ngx_status_probe_t  *probe;

    probe = h->probe;

    ngx_status_http_release(h);

    probe->ctx = NULL;
    probe->done(probe);
}


void
ngx_status_http_release(ngx_status_http_t *h)
{
    if (h->running) {
        ngx_status_loop_remove(&h->transfer);
    }

    /* of one that is cut short the thread may still wait */
    ngx_status_resolve_end(&h->resolve, h->running);

    if (h->lookup) {
        ngx_status_loop_lookup_cancel(h->lookup);
    }

    if (h->timer.timer_set) {
        ngx_del_timer(&h->timer);
    }

    if (h->transfer.easy) {
        ngx_status_easy_put(h->transfer.easy);
    }

    if (h->json) {
        ngx_status_json_free(h->json);
    }

    free(h->hard);
    free(h->rest.data);
    free(h->header.data);
    free(h->body.data);
    free(h);
}


ngx_msec_t
ngx_status_http_left(ngx_status_http_t *h)
{
    ngx_msec_t  passed;

    passed = ngx_current_msec - h->curl.started;

    return passed < h->curl.timeout ? h->curl.timeout - passed : 1;
}
