
/*
 * Copyright (C) ngx_status_module authors
 *
 * Heartbeats at configuration time: tokens, the inbox, the locations that take
 * them.  Master, while it reads the configuration.
 */


#include "ngx_http_status_conf.h"


static ngx_http_status_scope_t *ngx_http_status_scope_of(
    ngx_http_status_scope_t *scope, const ngx_status_check_t *check);


/* A token says which check is meant, so it can be that of one alone. */

ngx_int_t
ngx_http_status_build_pushed(ngx_conf_t *cf, ngx_http_status_scope_t *scope,
    ngx_status_monitor_t *monitor)
{
    ngx_uint_t                i, k, n;
    ngx_status_check_t       *check;
    ngx_http_status_scope_t  *where;

    for (i = 0, n = 0; i < monitor->nchecks; i++) {
        n += (monitor->checks[i]->token != NULL);
    }

    if (n == 0) {
        return NGX_OK;
    }

    monitor->pushed = ngx_palloc(cf->pool, n * sizeof(ngx_uint_t));
    monitor->tokens = ngx_palloc(cf->pool, n * sizeof(void *));

    if (monitor->pushed == NULL || monitor->tokens == NULL) {
        return NGX_ERROR;
    }

    for (i = 0, n = 0; i < monitor->nchecks; i++) {
        check = monitor->checks[i];

        if (check->token == NULL) {
            continue;
        }

        for (k = 0; k < n; k++) {

            if (ngx_memcmp(check->token, monitor->tokens[k], NGX_STATUS_TOKEN)
                != 0)
            {
                continue;
            }

            where = ngx_http_status_scope_of(scope, check);

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "check \"%V\": its token is that of check \"%V\" "
                          "too, expected one of its own in %s:%ui",
                          &check->id,
                          &monitor->checks[monitor->pushed[k]]->id,
                          where->file, where->line);
            return NGX_ERROR;
        }

        monitor->tokens[n] = check->token;
        monitor->pushed[n++] = i;
    }

    monitor->npushed = n;
    monitor->inbox = ngx_status_inbox_add(cf, &monitor->name,
                                        &ngx_http_status_module);

    return monitor->inbox ? NGX_OK : NGX_ERROR;
}


static ngx_http_status_scope_t *
ngx_http_status_scope_of(ngx_http_status_scope_t *scope,
    const ngx_status_check_t *check)
{
    return (ngx_http_status_scope_t *)
               ngx_str_rbtree_lookup(&scope->ids, (ngx_str_t *) &check->id,
                                     ngx_crc32_short(check->id.data,
                                                     check->id.len));
}


ngx_int_t
ngx_http_status_push_locations(ngx_conf_t *cf,
    ngx_http_status_main_conf_t *mcf)
{
    ngx_uint_t                    i, k, any;
    ngx_array_t                  *logs;
    ngx_http_handler_pt          *h;
    ngx_status_monitor_t        **m;
    ngx_http_core_main_conf_t    *cmcf;
    ngx_http_status_loc_conf_t  **l;

    any = 0;
    l = mcf->locations ? mcf->locations->elts : NULL;
    m = mcf->monitors ? mcf->monitors->elts : NULL;

    for (i = 0; mcf->locations && i < mcf->locations->nelts; i++) {

        if (l[i]->kind == NGX_HTTP_STATUS_PUSH) {
            any = 1;

            /* a job that has much to tell has run nevertheless; and what is
             * refused for its size is logged before anybody can mask it */

            l[i]->core->client_max_body_size = 0;
        }
    }

    for (i = 0; mcf->monitors && i < mcf->monitors->nelts; i++) {

        for (k = 0; mcf->locations && k < mcf->locations->nelts; k++) {
            if (l[k]->kind == NGX_HTTP_STATUS_PUSH && l[k]->monitor == m[i]) {
                break;
            }
        }

        if (m[i]->npushed
            && (mcf->locations == NULL || k == mcf->locations->nelts))
        {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "check \"%V\" of monitor \"%V\" can get no "
                          "heartbeat: no location has \"status_push %V\"",
                          &m[i]->checks[m[i]->pushed[0]]->id, &m[i]->name,
                          &m[i]->name);
        }
    }

    if (!any) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    /* before limits and access rules, which have something to log */

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_status_push_mask;

    /* before the access log: these handlers run in the order that they have
     * here, other than those of other phases */

    logs = &cmcf->phases[NGX_HTTP_LOG_PHASE].handlers;

    if (ngx_array_push(logs) == NULL) {
        return NGX_ERROR;
    }

    h = logs->elts;
    ngx_memmove(h + 1, h, (logs->nelts - 1) * sizeof(ngx_http_handler_pt));
    h[0] = ngx_http_status_push_log;

    return NGX_OK;
}
