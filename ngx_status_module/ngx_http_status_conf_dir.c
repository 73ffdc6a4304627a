
/*
 * Copyright (C) ngx_status_module authors
 *
 * The directories that the checker writes to: of the stores, of an archive,
 * of a site of files.  Master, while it reads the configuration.
 *
 * One set of rules: it may be there already; else one level of it is made,
 * "nginx -t" as well, so that what is around it has to be there, or to be
 * made by nginx as another directory of ours is; and nginx gives it to the
 * user of its processes, also when it was there.  So "/", "/tmp" and "." can
 * be none of them.
 */


#include "ngx_http_status_conf.h"


ngx_int_t
ngx_http_status_dir(ngx_conf_t *cf, const ngx_http_status_dir_t *dir,
    void *data)
{
    u_char           *slash, *last, *parent;
    ngx_path_t       *path, **p;
    ngx_uint_t        i;
    ngx_file_info_t   fi;

    parent = ngx_pnalloc(cf->pool, dir->name->len + 1);
    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));

    if (parent == NULL || path == NULL) {
        return NGX_ERROR;
    }

    ngx_cpystrn(parent, dir->name->data, dir->name->len + 1);

    slash = (u_char *) strrchr((char *) parent, '/');
    last = dir->name->data + (slash + 1 - parent);
    slash[slash == parent] = '\0';

    if (last[0] == '\0' || ngx_strcmp(last, ".") == 0
        || ngx_strcmp(last, "..") == 0)
    {
        return ngx_http_status_dir_error(cf, dir, 0,
                                         "has no name of its own", NULL);
    }

    if (ngx_file_info(dir->name->data, &fi) != NGX_FILE_ERROR) {

        if (!ngx_is_dir(&fi)) {
            return ngx_http_status_dir_error(cf, dir, 0,
                                             "is not a directory", NULL);
        }

        if (fi.st_mode & S_ISVTX) {
            return ngx_http_status_dir_error(cf, dir, 0,
                                             "is everybody's", NULL);
        }

        goto add;
    }

    p = cf->cycle->paths.elts;

    for (i = 0; i < cf->cycle->paths.nelts; i++) {
        if (ngx_strcmp(p[i]->name.data, parent) == 0) {
            break;
        }
    }

    if (i == cf->cycle->paths.nelts) {

        if (ngx_file_info(parent, &fi) == NGX_FILE_ERROR) {
            return ngx_http_status_dir_error(cf, dir, ngx_errno,
                                  "can not be made in \"%s\"", parent);
        }

        if (!ngx_is_dir(&fi)) {
            return ngx_http_status_dir_error(cf, dir, 0,
                                  "can not be made because \"%s\" is not a "
                                  "directory", parent);
        }
    }

    /* nginx would make it for nobody else to read */

    if (dir->readable
        && ngx_create_dir(dir->name->data, 0755) == NGX_FILE_ERROR)
    {
        return ngx_http_status_dir_error(cf, dir, ngx_errno,
                                         "can not be made", NULL);
    }

add:

    path->name = *dir->name;
    path->data = data;
    path->conf_file = dir->conf_file;
    path->line = dir->line;

    return ngx_add_path(cf, &path);
}


ngx_int_t
ngx_http_status_dir_error(ngx_conf_t *cf, const ngx_http_status_dir_t *dir,
    ngx_err_t err, const char *what, const void *name)
{
    u_char  text[NGX_MAX_PATH + 64], *p;

    p = ngx_snprintf(text, sizeof(text), what, name);

    ngx_log_error(NGX_LOG_EMERG, cf->log, err,
                  "directory \"%V\" of \"%s\" %*s, expected %s, in %s:%ui",
                  dir->name, dir->directive, p - text, text, dir->expected,
                  dir->conf_file, dir->line);

    return NGX_ERROR;
}
