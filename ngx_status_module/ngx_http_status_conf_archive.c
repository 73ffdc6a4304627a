
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
static ngx_int_t ngx_http_status_archive_path(ngx_conf_t *cf,
    ngx_http_status_main_conf_t *mcf, ngx_status_archive_conf_t *archive);
static ngx_int_t ngx_http_status_archive_error(ngx_conf_t *cf,
    ngx_status_archive_conf_t *archive, ngx_err_t err, const char *what,
    const void *name);


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

    if (dir->len == 1) {
        return "needs a directory of its own";
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
    ngx_str_t              *dir, *other;
    ngx_uint_t              i, k, n;
    ngx_status_monitor_t  **m;

    m = mcf->monitors ? mcf->monitors->elts : NULL;
    n = mcf->monitors ? mcf->monitors->nelts : 0;

    for (i = 0; i < n; i++) {
        dir = &m[i]->archive_conf.dir;

        if (dir->len == 0) {
            continue;
        }

        /* IDs are of one monitor */

        for (k = 0; k < i; k++) {
            other = &m[k]->archive_conf.dir;

            if (other->len == dir->len
                && ngx_strncmp(other->data, dir->data, dir->len) == 0)
            {
                return ngx_http_status_archive_error(cf, &m[i]->archive_conf,
                              0, "is that of monitor \"%V\" already",
                              &m[k]->name);
            }
        }

        if (ngx_http_status_archive_path(cf, mcf, &m[i]->archive_conf)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * nginx makes the directory, "nginx -t" as well, and gives it to the user of
 * its processes: also one that is there already.  It makes one level; what
 * is around it has to be there, or to be made by nginx before it, as the
 * state directory is.
 */

static ngx_int_t
ngx_http_status_archive_path(ngx_conf_t *cf, ngx_http_status_main_conf_t *mcf,
    ngx_status_archive_conf_t *archive)
{
    u_char           *slash, *parent;
    ngx_path_t       *path, **p;
    ngx_uint_t        i;
    ngx_file_info_t   fi;

    parent = ngx_pstrdup(cf->pool, &archive->dir);
    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));

    if (parent == NULL || path == NULL) {
        return NGX_ERROR;
    }

    if (ngx_file_info(archive->dir.data, &fi) != NGX_FILE_ERROR
        && !ngx_is_dir(&fi))
    {
        return ngx_http_status_archive_error(cf, archive, 0,
                                             "is not a directory", NULL);
    }

    slash = parent + archive->dir.len;

    while (slash > parent + 1 && *slash != '/') {
        slash--;
    }

    *slash = '\0';

    p = cf->cycle->paths.elts;

    for (i = 0; i < cf->cycle->paths.nelts; i++) {
        if (ngx_strcmp(p[i]->name.data, parent) == 0) {
            break;
        }
    }

    if (i == cf->cycle->paths.nelts
        && (ngx_file_info(parent, &fi) == NGX_FILE_ERROR || !ngx_is_dir(&fi)))
    {
        return ngx_http_status_archive_error(cf, archive, ngx_errno,
                              "can not be made because there is no \"%s\"",
                              parent);
    }

    /* of the state directory, too: nginx has them be one if they are */

    path->name = archive->dir;
    path->data = mcf;
    path->conf_file = archive->conf_file;
    path->line = archive->line;

    return ngx_add_path(cf, &path);
}


static ngx_int_t
ngx_http_status_archive_error(ngx_conf_t *cf,
    ngx_status_archive_conf_t *archive, ngx_err_t err, const char *what,
    const void *name)
{
    u_char  text[NGX_MAX_PATH + 64], *p;

    p = ngx_snprintf(text, sizeof(text), what, name);

    ngx_log_error(NGX_LOG_EMERG, cf->log, err,
                  "archive \"%V\" %*s, expected a directory that is of this "
                  "monitor alone, in one that is there, in %s:%ui",
                  &archive->dir, p - text, text, archive->conf_file,
                  archive->line);

    return NGX_ERROR;
}
