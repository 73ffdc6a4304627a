
/*
 * Copyright (C) ngx_status_module authors
 *
 * Where the monitors' sites of files are.  Master, while it reads the
 * configuration.
 */


#include "ngx_http_status_conf.h"


static ngx_int_t ngx_http_status_export_path(ngx_conf_t *cf,
    ngx_status_monitor_t *monitor);
static ngx_int_t ngx_http_status_export_error(ngx_conf_t *cf,
    ngx_status_export_conf_t *export, ngx_err_t err, const char *what,
    const void *name);


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
    ngx_str_t              *dir;
    ngx_uint_t              i, k, n;
    ngx_status_monitor_t  **m;

    m = mcf->monitors ? mcf->monitors->elts : NULL;
    n = mcf->monitors ? mcf->monitors->nelts : 0;

    for (i = 0; i < n; i++) {
        dir = &m[i]->export_conf.dir;

        if (dir->len == 0) {
            continue;
        }

        for (k = 0; k < i; k++) {
            if (m[k]->export_conf.dir.len == dir->len
                && ngx_strncmp(m[k]->export_conf.dir.data, dir->data,
                               dir->len) == 0)
            {
                return ngx_http_status_export_error(cf, &m[i]->export_conf, 0,
                              "is that of monitor \"%V\" already",
                              &m[k]->name);
            }
        }

        if (ngx_http_status_export_path(cf, m[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * Made here, because nginx would let nobody else read it; given to the user
 * of its processes by nginx, as any path is: also one that is there already.
 */

static ngx_int_t
ngx_http_status_export_path(ngx_conf_t *cf, ngx_status_monitor_t *monitor)
{
    ngx_path_t                *path;
    ngx_file_info_t            fi;
    ngx_status_export_conf_t  *export;

    export = &monitor->export_conf;

    if (ngx_create_dir(export->dir.data, 0755) == NGX_FILE_ERROR
        && ngx_errno != NGX_EEXIST)
    {
        return ngx_http_status_export_error(cf, export, ngx_errno,
                                            "can not be made", NULL);
    }

    if (ngx_file_info(export->dir.data, &fi) == NGX_FILE_ERROR
        || !ngx_is_dir(&fi))
    {
        return ngx_http_status_export_error(cf, export, 0,
                                            "is not a directory", NULL);
    }

    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (path == NULL) {
        return NGX_ERROR;
    }

    path->name = export->dir;
    path->data = monitor;
    path->conf_file = export->conf_file;
    path->line = export->line;

    return ngx_add_path(cf, &path);
}


static ngx_int_t
ngx_http_status_export_error(ngx_conf_t *cf, ngx_status_export_conf_t *export,
    ngx_err_t err, const char *what, const void *name)
{
    u_char  text[128], *p;

    p = ngx_snprintf(text, sizeof(text), what, name);

    ngx_log_error(NGX_LOG_EMERG, cf->log, err,
                  "directory \"%V\" of \"export\" %*s, expected one that is "
                  "of this monitor alone, in a directory that is there, in "
                  "%s:%ui", &export->dir, p - text, text, export->conf_file,
                  export->line);

    return NGX_ERROR;
}
