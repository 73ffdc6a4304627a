
/*
 * Copyright (C) ngx_status_module authors
 *
 * Where the monitors' sites of files are.  Master, while it reads the
 * configuration.
 */


#include "ngx_http_status_conf.h"


/* "export DIR [every=TIME]" */

char *
ngx_http_status_set_export(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                  every;
    ngx_str_t                 *word, time;
    ngx_http_status_scope_t   *scope = conf;
    ngx_status_export_conf_t  *export;

    word = cf->args->elts;
    export = &scope->export;

    if (export->dir.data) {
        return "is duplicate";
    }

    while (word[1].len > 1 && word[1].data[word[1].len - 1] == '/') {
        word[1].data[--word[1].len] = '\0';
    }

    if (word[1].len == 0) {
        return ngx_http_status_invalid(cf, cmd, &word[1], "a directory");
    }

    every = 30;

    if (cf->args->nelts == 3) {
        every = NGX_ERROR;

        if (ngx_strncmp(word[2].data, "every=", 6) == 0) {
            time.data = word[2].data + 6;
            time.len = word[2].len - 6;

            every = ngx_parse_time(&time, 1);
        }

        if (every < 1 || every > 24 * 3600) {
            return ngx_http_status_invalid(cf, cmd, &word[2],
                                           "every= and a time from 1s to 1d");
        }
    }

    export->dir = word[1];
    export->every = every;
    export->conf_file = cf->conf_file->file.name.data;
    export->line = cf->conf_file->line;

    if (ngx_conf_full_name(cf->cycle, &export->dir, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (export->dir.len > NGX_MAX_PATH - 128) {
        return ngx_http_status_invalid(cf, cmd, &word[1], "a shorter path");
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_status_exports(ngx_conf_t *cf, ngx_http_status_main_conf_t *mcf)
{
    ngx_str_t              *other;
    ngx_uint_t              i, k, n;
    ngx_status_monitor_t  **m;
    ngx_http_status_dir_t   dir;

    m = mcf->monitors ? mcf->monitors->elts : NULL;
    n = mcf->monitors ? mcf->monitors->nelts : 0;

    for (i = 0; i < n; i++) {
        dir.directive = "export";
        dir.name = &m[i]->export_conf.dir;
        dir.expected = NGX_HTTP_STATUS_DIR_OWN;
        dir.readable = 1;
        dir.conf_file = m[i]->export_conf.conf_file;
        dir.line = m[i]->export_conf.line;

        if (dir.name->len == 0) {
            continue;
        }

        for (k = 0; k < i; k++) {
            other = &m[k]->export_conf.dir;

            if (other->len == dir.name->len
                && ngx_strncmp(other->data, dir.name->data, other->len) == 0)
            {
                return ngx_http_status_dir_error(cf, &dir, 0,
                              "is that of monitor \"%V\" already",
                              &m[k]->name);
            }
        }

        if (ngx_http_status_dir(cf, &dir, m[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
