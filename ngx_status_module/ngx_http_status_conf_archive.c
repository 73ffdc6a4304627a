
/*
 * Copyright (C) ngx_status_module authors
 *
 * Where the monitors' archives are.  Master, while it reads the
 * configuration.
 */


#include "ngx_http_status_conf.h"


#define NGX_HTTP_STATUS_DAY  (24 * 3600)


static char *ngx_http_status_archive_time(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *word, time_t *time);


/* "archive DIR [rotate=TIME] [keep=TIME]" */

char *
ngx_http_status_set_archive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                       *rv;
    ngx_str_t                  *word, *dir;
    ngx_uint_t                  i;
    ngx_http_status_scope_t    *scope = conf;
    ngx_status_archive_conf_t  *archive;

    word = cf->args->elts;
    archive = &scope->archive;
    dir = &archive->dir;

    if (archive->conf_file) {
        return "is duplicate";
    }

    archive->conf_file = cf->conf_file->file.name.data;
    archive->line = cf->conf_file->line;

    for (i = 1; i < cf->args->nelts; i++) {

        rv = NGX_CONF_OK;

        if (ngx_strncmp(word[i].data, "rotate=", 7) == 0) {
            rv = ngx_http_status_archive_time(cf, cmd, &word[i],
                                              &archive->rotate);

        } else if (ngx_strncmp(word[i].data, "keep=", 5) == 0) {
            rv = ngx_http_status_archive_time(cf, cmd, &word[i],
                                              &archive->keep);

        } else if (word[i].len && dir->len == 0) {
            *dir = word[i];

        } else {
            return ngx_http_status_invalid(cf, cmd, &word[i],
                               "a directory, rotate=TIME and keep=TIME");
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (dir->len == 0) {
        return "needs a directory";
    }

    while (dir->len > 1 && dir->data[dir->len - 1] == '/') {
        dir->data[--dir->len] = '\0';
    }

    if (ngx_conf_full_name(cf->cycle, dir, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (dir->len > NGX_MAX_PATH - 128) {
        return "needs a shorter path";
    }

    if (archive->rotate == 0) {
        archive->rotate = 3600;
    }

    if (archive->keep == 0) {
        archive->keep = 30 * NGX_HTTP_STATUS_DAY;
    }

    return NGX_CONF_OK;
}


/* A day's files are the same ones each day: named by the minute. */

static char *
ngx_http_status_archive_time(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *word, time_t *time)
{
    ngx_int_t   n;
    ngx_str_t   value;

    if (*time) {
        return ngx_http_status_invalid(cf, cmd, word, "it once");
    }

    value.data = (u_char *) ngx_strchr(word->data, '=') + 1;
    value.len = word->data + word->len - value.data;

    n = ngx_parse_time(&value, 1);

    if (word->data[0] == 'k') {

        if (n < NGX_HTTP_STATUS_DAY || n > 3650 * NGX_HTTP_STATUS_DAY) {
            return ngx_http_status_invalid(cf, cmd, word,
                                      "keep= and a time from 1d to 3650d");
        }

    } else if (n < 60 || n % 60 || NGX_HTTP_STATUS_DAY % n) {
        return ngx_http_status_invalid(cf, cmd, word,
                                 "rotate= and a time of whole minutes, from "
                                 "1m to 1d, that divides a day");
    }

    *time = n;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_status_archives(ngx_conf_t *cf, ngx_http_status_main_conf_t *mcf)
{
    ngx_str_t              *other;
    ngx_uint_t              i, k, n;
    ngx_status_monitor_t  **m;
    ngx_http_status_dir_t   dir;

    m = mcf->monitors ? mcf->monitors->elts : NULL;
    n = mcf->monitors ? mcf->monitors->nelts : 0;

    for (i = 0; i < n; i++) {
        dir.directive = "archive";
        dir.name = &m[i]->archive_conf.dir;
        dir.expected = NGX_HTTP_STATUS_DIR_OWN;
        dir.readable = 0;
        dir.conf_file = m[i]->archive_conf.conf_file;
        dir.line = m[i]->archive_conf.line;

        if (dir.name->len == 0) {
            continue;
        }

        /* IDs are of one monitor */

        for (k = 0; k < i; k++) {
            other = &m[k]->archive_conf.dir;

            if (other->len == dir.name->len
                && ngx_strncmp(other->data, dir.name->data, other->len) == 0)
            {
                return ngx_http_status_dir_error(cf, &dir, 0,
                              "is that of monitor \"%V\" already",
                              &m[k]->name);
            }
        }

        /* of the state directory, too: nginx has them be one if they are */

        if (ngx_http_status_dir(cf, &dir, mcf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
