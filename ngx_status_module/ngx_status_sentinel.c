
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_sentinel.h"


/* a is not before b */
#define ngx_status_sentinel_since(a, b)  ((ngx_msec_int_t) ((a) - (b)) >= 0)


ngx_uint_t
ngx_status_sentinel_concerns(const ngx_status_check_t *check)
{
    const ngx_str_t  *host;

    host = &check->host;

    return host->len
           && ngx_strcmp(host->data, "localhost") != 0
           && ngx_strcmp(host->data, "::1") != 0
           && ngx_strncmp(host->data, "127.", 4) != 0;
}


ngx_uint_t
ngx_status_sentinel_fails(const ngx_status_result_t *result)
{
    switch (result->state) {

    case NGX_STATUS_UP:
    case NGX_STATUS_DEGRADED:
    case NGX_STATUS_BOT_DETECTED:
        return 0;

    default:
        break;
    }

    switch (result->error) {

    case NGX_STATUS_E_INTERNAL:              /* no route, no resolver */
    case NGX_STATUS_E_RESOLVE:
    case NGX_STATUS_E_CONNECT:
    case NGX_STATUS_E_TLS:
    case NGX_STATUS_E_TIMEOUT:
    case NGX_STATUS_E_RESET:
        return 1;

    default:
        /* somebody answered */
        return 0;
    }
}


void
ngx_status_sentinel_result(ngx_status_sentinel_t *s,
    const ngx_status_result_t *result, ngx_msec_t started)
{
    s->known = 1;
    s->fails = ngx_status_sentinel_fails(result);
    s->started = started;

    if (s->fails) {
        s->failed = 1;
        s->failed_at = started;
    }
}


/*
 * All of them have failed while the probe went on, or after it: then it was
 * the network, be it back by now.  One that was asked after it had ended, and
 * answered, says that the network is there; what was before says nothing.
 */

ngx_int_t
ngx_status_sentinel_verdict(const ngx_status_sentinel_t *list, ngx_uint_t n,
    ngx_msec_t began, ngx_msec_t ended)
{
    ngx_uint_t  i, failed, stale;

    failed = 0;
    stale = 0;

    for (i = 0; i < n; i++) {

        if (list[i].failed
            && ngx_status_sentinel_since(list[i].failed_at, began))
        {
            failed++;
        }

        stale += ngx_status_sentinel_stale(&list[i], ended);
    }

    if (failed == n) {
        return NGX_DECLINED;
    }

    for (i = 0; i < n; i++) {
        if (!ngx_status_sentinel_stale(&list[i], ended) && !list[i].fails) {
            return NGX_OK;
        }
    }

    return stale ? NGX_AGAIN : NGX_DECLINED;
}


ngx_uint_t
ngx_status_sentinel_stale(const ngx_status_sentinel_t *s, ngx_msec_t ended)
{
    return !s->known || !ngx_status_sentinel_since(s->started, ended);
}


ngx_uint_t
ngx_status_sentinel_offline(const ngx_status_sentinel_t *list, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (!list[i].known || !list[i].fails) {
            return 0;
        }
    }

    return n != 0;
}
