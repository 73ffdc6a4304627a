
/*
 * Copyright (C) ngx_status_module authors
 *
 * Locations that show a monitor, or take its heartbeats; they find it when
 * all is read.  Master, while it reads the configuration.
 */


#include "ngx_http_status_conf.h"


static ngx_int_t ngx_http_status_add_location(ngx_conf_t *cf,
    ngx_http_status_loc_conf_t *lcf);


/*
 * "status_page NAME [internal]"
 * "status_json NAME [internal|public] [unhealthy=CODE]"
 * "status_csv NAME"
 * "status_metrics NAME [probe]"
 * "status_push NAME"
 *
 * A page is public, JSON internal but for health, unless it is said.  The
 * monitor may come later in the configuration.
 */

char *
ngx_http_status_location(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                      code;
    ngx_str_t                     *word;
    ngx_uint_t                     i, view;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_status_loc_conf_t    *lcf = conf;

    word = cf->args->elts;

    if (lcf->kind) {
        return lcf->kind == cmd->offset ? "is duplicate"
               : "can not stand in one location with \"status_page\", "
                 "\"status_json\", \"status_csv\", \"status_metrics\" or "
                 "\"status_push\"";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    lcf->kind = cmd->offset;
    lcf->internal = (lcf->kind == NGX_HTTP_STATUS_JSON);
    lcf->name = word[1];
    lcf->file = cf->conf_file->file.name.data;
    lcf->line = cf->conf_file->line;
    lcf->core = clcf;

    view = 0;

    for (i = 2; i < cf->args->nelts; i++) {

        if (lcf->kind == NGX_HTTP_STATUS_METRICS) {

            if (ngx_strcmp(word[i].data, "probe") != 0) {
                return ngx_http_status_invalid(cf, cmd, &word[i], "probe");
            }

            lcf->probe = 1;

        } else if (ngx_strcmp(word[i].data, "internal") == 0) {
            lcf->internal = 1;
            view = 1;

        } else if (ngx_strcmp(word[i].data, "public") == 0) {
            lcf->internal = 0;
            view = 1;

        } else if (lcf->kind == NGX_HTTP_STATUS_PAGE) {
            return ngx_http_status_invalid(cf, cmd, &word[i],
                                           "internal or public");

        } else if (ngx_strncmp(word[i].data, "unhealthy=", 10) == 0) {

            code = ngx_atoi(word[i].data + 10, word[i].len - 10);

            if (code < 400 || code > 599) {
                return ngx_http_status_invalid(cf, cmd, &word[i],
                                  "unhealthy= and a status from 400 to 599");
            }

            lcf->unhealthy = code;

            /* what asks for health is not asked who it is */

            if (view == 0) {
                lcf->internal = 0;
            }

        } else {
            return ngx_http_status_invalid(cf, cmd, &word[i],
                                           "internal, public or unhealthy=");
        }
    }

    if (lcf->kind == NGX_HTTP_STATUS_PAGE
        || lcf->kind == NGX_HTTP_STATUS_PUSH)
    {
        /* there are pages and files below the page, and tokens */

        if (clcf->exact_match || clcf->named
#if (NGX_PCRE)
            || clcf->regex
#endif
           )
        {
            return lcf->kind == NGX_HTTP_STATUS_PAGE
                   ? "needs a prefix location such as \"location /status/\", "
                     "because there are pages below its own"
                   : "needs a prefix location such as \"location /ping/\", "
                     "because the token comes below it";
        }
    }

    if (lcf->kind == NGX_HTTP_STATUS_PAGE) {

        /* "/status" leads to "/status/" */

        if (clcf->name.len && clcf->name.data[clcf->name.len - 1] == '/') {
            clcf->auto_redirect = 1;
        }
    }

    clcf->handler = ngx_http_status_handler;

    return ngx_http_status_add_location(cf, lcf) == NGX_OK ? NGX_CONF_OK
                                                           : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_status_add_location(ngx_conf_t *cf, ngx_http_status_loc_conf_t *lcf)
{
    ngx_http_status_loc_conf_t   **l;
    ngx_http_status_main_conf_t   *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_status_module);

    if (mcf->locations == NULL) {
        mcf->locations = ngx_array_create(cf->pool, 4, sizeof(void *));
        if (mcf->locations == NULL) {
            return NGX_ERROR;
        }
    }

    l = ngx_array_push(mcf->locations);
    if (l == NULL) {
        return NGX_ERROR;
    }

    *l = lcf;

    return NGX_OK;
}


void *
ngx_http_status_create_main_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_status_main_conf_t));
}


void *
ngx_http_status_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_status_loc_conf_t));
}


/*
 * A location inherits nothing, but "if" and "limit_except" blocks are the
 * location that they stand in: nginx keeps its handler for the first, which
 * then finds the configuration of the block.
 */

char *
ngx_http_status_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_status_loc_conf_t  *prev = parent;
    ngx_http_status_loc_conf_t  *conf = child;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (!clcf->noname || prev->kind == NGX_HTTP_STATUS_NONE) {
        return NGX_CONF_OK;
    }

    *conf = *prev;
    conf->core = clcf;

    if (clcf->lmt_excpt && clcf->handler == NULL) {
        clcf->handler = ngx_http_status_handler;
    }

    return ngx_http_status_add_location(cf, conf) == NGX_OK ? NGX_CONF_OK
                                                            : NGX_CONF_ERROR;
}


/* Finds the monitors of the locations. */

ngx_int_t
ngx_http_status_postconfiguration(ngx_conf_t *cf)
{
    u_char                        names[256], *p, *last;
    ngx_uint_t                    i, j, n;
    ngx_status_monitor_t        **m;
    ngx_http_status_loc_conf_t  **l;
    ngx_http_status_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_status_module);

    if (ngx_http_status_stores(cf, mcf) != NGX_OK
        || ngx_http_status_exports(cf, mcf) != NGX_OK
        || ngx_http_status_archives(cf, mcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (mcf->locations == NULL) {
        return ngx_http_status_push_locations(cf, mcf);
    }

    l = mcf->locations->elts;
    m = mcf->monitors ? mcf->monitors->elts : NULL;
    n = mcf->monitors ? mcf->monitors->nelts : 0;

    for (i = 0; i < mcf->locations->nelts; i++) {

        for (j = 0; j < n; j++) {
            if (m[j]->name.len == l[i]->name.len
                && ngx_strncmp(m[j]->name.data, l[i]->name.data,
                               l[i]->name.len) == 0)
            {
                l[i]->monitor = m[j];
                break;
            }
        }

        if (l[i]->monitor) {

            /* "/status" leads to "/status/" under whatever name and port
             * the client knows us by */

            if (l[i]->kind == NGX_HTTP_STATUS_PAGE) {
                l[i]->core->absolute_redirect = 0;
            }

            continue;
        }

        p = names;
        last = names + sizeof(names);

        for (j = 0; j < n; j++) {
            p = ngx_slprintf(p, last, "%s\"%V\"", j ? ", " : "", &m[j]->name);
        }

        if (n == 0) {
            p = ngx_slprintf(p, last, "a \"status_monitor\" of this name");
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "unknown monitor \"%V\", expected %*s in %s:%ui",
                      &l[i]->name, p - names, names, l[i]->file, l[i]->line);
        return NGX_ERROR;
    }

    return ngx_http_status_push_locations(cf, mcf);
}
