
/*
 * Copyright (C) ngx_status_module authors
 *
 * Where history outlives a restart: the state directory and the monitors'
 * stores.  Master, while it reads the configuration.
 */


#include "ngx_http_status_conf.h"


/* used when nobody says another one */
#define NGX_HTTP_STATUS_STATE    "/var/lib/nginx/status"

#define NGX_HTTP_STATUS_DAY      (24 * 3600)


static ngx_int_t ngx_http_status_store_place(ngx_conf_t *cf,
    ngx_http_status_main_conf_t *mcf, ngx_status_store_conf_t *store);
static char *ngx_http_status_store_time(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *word, size_t prefix, time_t *time, const char *allowed);


/* "status_state off"; "status_state DIR" */

char *
ngx_http_status_set_state(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                    *word;
    ngx_http_status_main_conf_t  *mcf = conf;

    word = cf->args->elts;

    if (mcf->state.data || mcf->state_off) {
        return "is duplicate";
    }

    if (ngx_strcmp(word[1].data, "off") == 0) {
        mcf->state_off = 1;
        return NGX_CONF_OK;
    }

#if (NGX_STATUS_SQLITE)

    if (word[1].len == 0) {
        return ngx_http_status_invalid(cf, cmd, &word[1],
                                       "a directory, or off");
    }

    while (word[1].len > 1 && word[1].data[word[1].len - 1] == '/') {
        word[1].data[--word[1].len] = '\0';
    }

    mcf->state = word[1];
    mcf->state_file = cf->conf_file->file.name.data;
    mcf->state_line = cf->conf_file->line;

    if (ngx_conf_full_name(cf->cycle, &mcf->state, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;

#else

    return "needs SQLite, and this module was built without it (package "
           "libsqlite3-dev); \"status_state off\" is possible";

#endif
}


/*
 * "store off"
 * "store [sqlite:FILE] [keep=TIME] [results=TIME] [queue=N]"
 */

char *
ngx_http_status_set_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                     *rv;
    ngx_int_t                 n;
    ngx_str_t                *word;
    ngx_uint_t                i;
    ngx_status_store_conf_t  *store;
    ngx_http_status_scope_t  *scope = conf;

    word = cf->args->elts;
    store = &scope->store;

    if (store->set) {
        return "is duplicate";
    }

    store->set = 1;
    store->conf_file = cf->conf_file->file.name.data;
    store->line = cf->conf_file->line;

    if (ngx_strcmp(word[1].data, "off") == 0) {

        if (cf->args->nelts > 2) {
            return ngx_http_status_invalid(cf, cmd, &word[2],
                                           "nothing after off");
        }

        store->off = 1;
        return NGX_CONF_OK;
    }

#if !(NGX_STATUS_SQLITE)

    return "needs SQLite, and this module was built without it (package "
           "libsqlite3-dev); \"store off\" is possible";

#endif

    for (i = 1; i < cf->args->nelts; i++) {

        rv = NGX_CONF_OK;

        if (ngx_strncmp(word[i].data, "sqlite:", 7) == 0 && word[i].len > 7
            && store->file.len == 0)
        {
            store->file.data = word[i].data + 7;
            store->file.len = word[i].len - 7;

        } else if (ngx_strncmp(word[i].data, "keep=", 5) == 0) {
            rv = ngx_http_status_store_time(cf, cmd, &word[i], 5,
                                      &store->keep,
                                      "keep= and a time from 1d to 3650d");

        } else if (ngx_strncmp(word[i].data, "results=", 8) == 0) {
            rv = ngx_http_status_store_time(cf, cmd, &word[i], 8,
                                      &store->results,
                                      "results= and a time from 1d to 3650d");

        } else if (ngx_strncmp(word[i].data, "queue=", 6) == 0) {

            if (store->queue) {
                return ngx_http_status_invalid(cf, cmd, &word[i], "it once");
            }

            n = ngx_atoi(word[i].data + 6, word[i].len - 6);

            if (n < 100 || n > 10000000) {
                return ngx_http_status_invalid(cf, cmd, &word[i],
                            "queue= and a number from 100 to 10000000");
            }

            store->queue = n;

        } else {
            return ngx_http_status_invalid(cf, cmd, &word[i], "off, or "
                        "sqlite:FILE, keep=TIME, results=TIME and queue=N");
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_status_store_time(ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *word,
    size_t prefix, time_t *time, const char *allowed)
{
    ngx_int_t  n;
    ngx_str_t  value;

    if (*time) {
        return ngx_http_status_invalid(cf, cmd, word, "it once");
    }

    value.data = word->data + prefix;
    value.len = word->len - prefix;

    n = ngx_parse_time(&value, 1);

    if (n < NGX_HTTP_STATUS_DAY || n > 3650 * NGX_HTTP_STATUS_DAY) {
        return ngx_http_status_invalid(cf, cmd, word, allowed);
    }

    *time = n;

    return NGX_CONF_OK;
}


/* All is known.  Without "store", a monitor has one in the state directory. */

ngx_int_t
ngx_http_status_stores(ngx_conf_t *cf, ngx_http_status_main_conf_t *mcf)
{
    u_char                   *p;
    ngx_str_t                *file, name;
    ngx_uint_t                i, k, n, used;
    ngx_status_monitor_t    **m;
    ngx_http_status_dir_t     dir;
    ngx_status_store_conf_t  *store;

    used = 0;
    m = mcf->monitors ? mcf->monitors->elts : NULL;
    n = mcf->monitors ? mcf->monitors->nelts : 0;

    for (i = 0; i < n; i++) {
        store = &m[i]->store_conf;
        file = &store->file;

        if (store->off || (!store->set && mcf->state_off)) {
            continue;
        }

        if (mcf->state_off) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"store\" of monitor \"%V\" and \"status_state "
                          "off\" exclude each other, expected \"store off\" "
                          "in %s:%ui", &m[i]->name, store->conf_file,
                          store->line);
            return NGX_ERROR;
        }

#if !(NGX_STATUS_SQLITE)
        continue;
#endif

        if (store->keep == 0) {
            store->keep = 400 * NGX_HTTP_STATUS_DAY;
        }

        if (store->results == 0) {
            store->results = ngx_min(3 * NGX_HTTP_STATUS_DAY, store->keep);
        }

        if (store->queue == 0) {
            store->queue = 100000;
        }

        if (file->len == 0 || file->data[0] != '/') {

            if (mcf->state.len == 0) {
                ngx_str_set(&mcf->state, NGX_HTTP_STATUS_STATE);
                mcf->state_default = 1;
            }

            store->unasked = !store->set && mcf->state_default;

            name = file->len ? *file : m[i]->name;

            file->len = mcf->state.len + 1 + name.len;
            p = ngx_pnalloc(cf->pool, file->len + sizeof(".db"));
            if (p == NULL) {
                return NGX_ERROR;
            }

            p = ngx_sprintf(p, "%V/%V%s", &mcf->state, &name,
                            file->data ? "" : ".db");
            *p = '\0';

            file->len += file->data ? 0 : sizeof(".db") - 1;
            file->data = p - file->len;
            used = 1;
        }

        if (file->len > NGX_MAX_PATH - 64) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "path of store \"%V\" of monitor \"%V\" is too long",
                          file, &m[i]->name);
            return NGX_ERROR;
        }

        if (ngx_http_status_store_place(cf, mcf, store) != NGX_OK) {
            return NGX_ERROR;
        }

        for (k = 0; k < i; k++) {
            if (m[k]->store_conf.file.len == file->len
                && ngx_strncmp(m[k]->store_conf.file.data, file->data,
                               file->len) == 0)
            {
                /* one of the two at least was said */

                if (!store->set) {
                    store = &m[k]->store_conf;
                }

                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "store \"%V\" of monitor \"%V\" is that of "
                              "monitor \"%V\" already, expected a file of "
                              "its own in %s:%ui", file, &m[i]->name,
                              &m[k]->name, store->conf_file, store->line);
                return NGX_ERROR;
            }
        }
    }

    if (!used || mcf->state_default) {
        return NGX_OK;
    }

    dir.directive = "status_state";
    dir.name = &mcf->state;
    dir.expected = "another one, or \"store off\" in each monitor";
    dir.readable = 0;
    dir.conf_file = mcf->state_file;
    dir.line = mcf->state_line;

    return ngx_http_status_dir(cf, &dir, mcf);
}


/*
 * What can be seen already.  That the directory is not there may be a matter
 * of the moment, and without it all but the history works.
 */

static ngx_int_t
ngx_http_status_store_place(ngx_conf_t *cf, ngx_http_status_main_conf_t *mcf,
    ngx_status_store_conf_t *store)
{
    u_char           dir[NGX_MAX_PATH], *slash;
    ngx_file_info_t  fi;

    if (!store->set) {
        return NGX_OK;
    }

    if (ngx_file_info(store->file.data, &fi) != NGX_FILE_ERROR
        && !ngx_is_file(&fi))
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "store \"%V\" is not a regular file, expected another "
                      "name in %s:%ui", &store->file, store->conf_file,
                      store->line);
        return NGX_ERROR;
    }

    ngx_cpystrn(dir, store->file.data, sizeof(dir));
    slash = (u_char *) strrchr((char *) dir, '/');
    slash[slash == dir] = '\0';

    /* nginx makes that one */

    if (mcf->state.len && ngx_strcmp(dir, mcf->state.data) == 0) {
        return NGX_OK;
    }

    if (ngx_file_info(dir, &fi) == NGX_FILE_ERROR || !ngx_is_dir(&fi)) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "store \"%V\" can not be written: there is no "
                      "directory \"%s\", in %s:%ui", &store->file, dir,
                      store->conf_file, store->line);
    }

    return NGX_OK;
}


/*
 * The directory that nobody asked for must not keep nginx from starting, so
 * it is no path of nginx's.  It may stand in a directory that belongs to an
 * unprivileged user: nothing here follows a link, and what belongs to
 * somebody already stays his.  Whether it is of use, the checker finds out.
 */

void
ngx_http_status_make_state(ngx_cycle_t *cycle,
    ngx_http_status_main_conf_t *mcf)
{
    int               fd;
    u_char            dir[] = NGX_HTTP_STATUS_STATE;
    struct stat       sb;
    ngx_core_conf_t  *ccf;

    if (!mcf->state_default) {
        return;
    }

    (void) ngx_create_full_path(dir, 0755);
    (void) ngx_create_dir(dir, 0700);

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ccf->user == (ngx_uid_t) NGX_CONF_UNSET_UINT) {
        return;
    }

    fd = open((char *) dir, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1) {
        return;
    }

    if (fstat(fd, &sb) == 0 && sb.st_uid == 0 && ccf->user != 0
        && fchown(fd, ccf->user, (gid_t) -1) == -1)
    {
        ngx_log_error(NGX_LOG_NOTICE, cycle->log, ngx_errno,
                      "fchown() \"%s\" failed", dir);
    }

    close(fd);
}
