
/*
 * Copyright (C) ngx_status_module authors
 *
 * From what a transfer has brought to a judgement: here, or, when that would
 * hold the loop, in a thread.
 */


#include "ngx_status_http.h"
#include "ngx_status_cert.h"
#include <math.h>


#define NGX_STATUS_HTTP_PONDER   2       /* threads at a time */
#define NGX_STATUS_HTTP_SERIES   50      /* ms at least for the second request
                                            */


/* What a thread judges; it reads what else h holds. */

typedef struct ngx_status_http_hard_s {
    ngx_status_work_t          work;     /* first */
    ngx_status_http_t         *h;
    ngx_status_evidence_t      ev;
    ngx_status_score_t         score;
    ngx_status_result_t        result;
    const ngx_status_check_t  *check;
    unsigned                   running:1;
} ngx_status_http_hard_t;


static void ngx_status_http_seen(ngx_status_http_t *h, long status);
static const char *ngx_status_http_version(CURL *easy);
static void ngx_status_http_think(ngx_status_work_t *w);
static void ngx_status_http_pondered(ngx_status_work_t *w);
static void ngx_status_http_judged(ngx_status_http_t *h,
    const ngx_status_score_t *score);


static ngx_uint_t  ngx_status_http_nponder;


void
ngx_status_http_finish(ngx_status_http_t *h, CURLcode code, int eai)
{
    long                       status, hops;
    char                      *url;
    u_char                     to[120];
    CURL                      *easy;
    ngx_status_result_t       *result;
    ngx_status_score_t         score;
    ngx_status_evidence_t      ev;
    const ngx_status_check_t  *check;

    check = h->probe->check;
    result = &h->probe->result;
    easy = h->transfer.easy;

    ngx_memzero(&ev, sizeof(ngx_status_evidence_t));

    if (h->body_cut) {
        ev.body_cut = 1;

    } else if (h->switched && h->part == NGX_STATUS_HTTP_BODY) {
        /* the answer is all there */

    } else if (h->header_cut) {
        ev.error = NGX_STATUS_E_PROTOCOL;
        ngx_status_message(ev.message, "header of the answer is over %d kB",
                           NGX_STATUS_HTTP_HEADER / 1024);

    } else if (h->strayed) {
        url = NULL;
        curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
        ngx_status_url_redact(to, sizeof(to), (u_char *) (url ? url : ""),
                              url ? strlen(url) : 0);
        ngx_status_ev_fails(&ev, NGX_STATUS_E_REDIRECT,
                            "redirect to %s, which is not behind the socket",
                            to);

    } else if (h->proxy_bytes > NGX_STATUS_HTTP_CONNECT) {
        ngx_status_ev_fault(&ev, "proxy: its answer is over %d kB",
                            NGX_STATUS_HTTP_CONNECT / 1024);

    } else if (h->nomem || h->busy) {
        ev.fault = NGX_STATUS_E_INTERNAL;
        ngx_status_message(ev.message, h->nomem ? "no memory"
                                                : "the resolver is busy");

    } else if (code != CURLE_OK) {

        if (code == CURLE_OPERATION_TIMEDOUT
            && h->waited > check->timeout / 4)
        {
            ev.fault = NGX_STATUS_E_INTERNAL;
            ngx_status_message(ev.message, "the resolver was busy for %lu ms",
                               (unsigned long) h->waited);

        } else {
            ngx_status_curl_error(&h->curl, easy, code, eai, &ev);
        }

    } else if (h->json) {
        (void) ngx_status_json_end(h->json);
    }

    status = 0;
    hops = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &hops);

    if ((status < 200 && status != 101)
        || (hops != h->curl.hops && ev.error != NGX_STATUS_E_REDIRECT))
    {
        /* none came, or that of the redirect which led here */
        status = 0;
    }

    if (h->conf->cert_info) {
        ngx_status_cert_info(h->probe, easy);
        ngx_status_cert_end(h->probe, check->keepalive && status, &ev);
    }

    result->http_status = (uint16_t) status;
    result->size = h->size;

    ev.have |= ngx_status_subject_bit(NGX_STATUS_S_LATENCY);
    ev.number[NGX_STATUS_S_LATENCY] = result->latency / 1e6;

    if (status) {
        ev.have |= ngx_status_subject_bit(NGX_STATUS_S_STATUS)
                   |ngx_status_subject_bit(NGX_STATUS_S_BODY)
                   |ngx_status_subject_bit(NGX_STATUS_S_HEADER)
                   |ngx_status_subject_bit(NGX_STATUS_S_JSON)
                   |ngx_status_subject_bit(NGX_STATUS_S_SIZE);

        ev.number[NGX_STATUS_S_STATUS] = status;
        ev.number[NGX_STATUS_S_SIZE] = h->size;
        ev.headers.data = h->header.data;
        ev.headers.len = h->header.len;
        ev.body.data = h->body.data;
        ev.body.len = h->body.len;
        ev.json = h->json;
        ev.json_index = h->conf->index;

        url = NULL;
        curl_easy_getinfo(easy, hops ? CURLINFO_EFFECTIVE_URL
                                     : CURLINFO_REDIRECT_URL, &url);

        if (url) {
            ev.have |= ngx_status_subject_bit(NGX_STATUS_S_REDIRECT);
            ev.string[NGX_STATUS_S_REDIRECT].data = (u_char *) url;
            ev.string[NGX_STATUS_S_REDIRECT].len = ngx_strlen(url);
        }

        ngx_status_http_seen(h, status);

        if (status == 407 && h->conf->proxy.url && !ev.error && !ev.fault) {
            ngx_status_proxy_login(&ev);

        } else if (h->conf->version_2 && !ev.error && !ev.fault
                   && strcmp(ngx_status_http_version(easy), "/2") != 0)
        {
            ngx_status_ev_fails(&ev, NGX_STATUS_E_PROTOCOL,
                                "HTTP%s, expected HTTP/2",
                                ngx_status_http_version(easy));
        }
    }

    score = h->probe->score;

    if (check->score && h->json) {
        ngx_status_http_score(check, h->json, &score);

        if (!isnan(score.value)) {
            ev.have |= ngx_status_subject_bit(NGX_STATUS_S_SCORE);
            ev.number[NGX_STATUS_S_SCORE] = score.value;
        }
    }

    if (ngx_status_judge(check->conds, check->nconds, check->bots,
                         check->nbots, check->timeout, &ev, 0, result)
        == NGX_OK)
    {
        ngx_status_http_judged(h, &score);
        return;
    }

    h->hard = calloc(1, sizeof(ngx_status_http_hard_t));

    if (h->hard == NULL) {
        ngx_status_http_fault(h, "no memory");
        return;
    }

    h->hard->work.run = ngx_status_http_think;
    h->hard->work.done = ngx_status_http_pondered;
    h->hard->h = h;
    h->hard->ev = ev;
    h->hard->score = score;
    h->hard->result = *result;
    h->hard->check = check;

    ngx_status_http_ponder(h);
}


/* "HTTP/2 200, 5.1 kB" */

static void
ngx_status_http_seen(ngx_status_http_t *h, long status)
{
    char  size[32];

    snprintf(h->probe->result.seen, NGX_STATUS_SEEN, "HTTP%s %ld, %s%s",
             ngx_status_http_version(h->transfer.easy), status,
             h->body_cut ? "more than " : "",
             ngx_status_words_bytes(h->size, size, sizeof(size)));
}


static const char *
ngx_status_http_version(CURL *easy)
{
    long  version;

    version = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);

    return version == CURL_HTTP_VERSION_1_0 ? "/1.0"
           : version == CURL_HTTP_VERSION_1_1 ? "/1.1"
           : version == CURL_HTTP_VERSION_2_0 ? "/2"
           : version == CURL_HTTP_VERSION_3 ? "/3" : "";
}


void
ngx_status_http_ponder(ngx_status_http_t *h)
{
    if (ngx_status_http_nponder < NGX_STATUS_HTTP_PONDER
        && ngx_status_loop_work(&h->hard->work) == NGX_OK)
    {
        ngx_status_http_nponder++;
        h->hard->running = 1;
        return;
    }

    ngx_add_timer(&h->timer, NGX_STATUS_HTTP_AGAIN);
}


/* In a thread. */

static void
ngx_status_http_think(ngx_status_work_t *w)
{
    ngx_status_http_hard_t    *hard;
    const ngx_status_check_t  *check;

    hard = (ngx_status_http_hard_t *) w;
    check = hard->check;

    (void) ngx_status_judge(check->conds, check->nconds, check->bots,
                            check->nbots, check->timeout, &hard->ev, 1,
                            &hard->result);
}


static void
ngx_status_http_pondered(ngx_status_work_t *w)
{
    ngx_status_http_t       *h;
    ngx_status_score_t       score;
    ngx_status_http_hard_t  *hard;

    hard = (ngx_status_http_hard_t *) w;
    h = hard->h;

    hard->running = 0;
    ngx_status_http_nponder--;

    if (h->stopped) {
        ngx_status_http_release(h);
        return;
    }

    h->probe->result = hard->result;
    score = hard->score;

    h->hard = NULL;
    free(hard);

    ngx_status_http_judged(h, &score);
}


/* The result may be ours after all; then the score. */

static void
ngx_status_http_judged(ngx_status_http_t *h, const ngx_status_score_t *score)
{
    size_t                     n;
    ngx_msec_t                 late;
    ngx_status_result_t       *result;
    const ngx_status_check_t  *check;

    check = h->probe->check;
    result = &h->probe->result;

    if (result->error == NGX_STATUS_E_LATENCY
        || result->error == NGX_STATUS_E_TIMEOUT)
    {
        late = ngx_status_probe_late(h->curl.started, h->curl.timeout);

        if (late) {
            /* an answer came, and it was not the target that was slow */
            ngx_status_probe_fault(h->probe, "the checker was late by %lu ms",
                                   (unsigned long) late);
        }
    }

    if (result->error == NGX_STATUS_E_STATUS && result->http_status == 401
        && (h->conf->target.user || h->conf->target.bearer))
    {
        n = ngx_strlen(result->message);
        snprintf(result->message + n, NGX_STATUS_MESSAGE - n,
                 ": credentials are refused");
    }

    if (check->score) {
        ngx_status_http_score_judge(h->probe, h->json, h->body_cut, score);

        if (!isnan(h->probe->score.value) && h->conf->series.url
            && ngx_status_http_left(h) >= NGX_STATUS_HTTP_SERIES)
        {
            h->series = 1;
            h->size = 0;
            h->part = NGX_STATUS_HTTP_LINE;

            ngx_status_json_free(h->json);
            h->json = NULL;

            ngx_status_easy_put(h->transfer.easy);
            h->transfer.easy = NULL;

            ngx_status_http_begin(h, &h->conf->series);
            return;
        }
    }

    ngx_status_http_leave(h);
}


ngx_uint_t
ngx_status_http_pondering(ngx_status_http_t *h)
{
    return h->hard->running;
}
