
/*
 * Copyright (C) ngx_status_module authors
 *
 * Checks of type redis at configuration time: what will be sent.
 */


#include "ngx_status_stream.h"
#include "ngx_status_redis.h"

#if (NGX_STATUS_HIREDIS)

static ngx_int_t ngx_status_redis_conf_login(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_status_redis_conf_t *conf, char *err,
    size_t errlen);
static ngx_int_t ngx_status_redis_conf_db(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_status_redis_conf_t *conf, char *err,
    size_t errlen);
static ngx_int_t ngx_status_redis_conf_command(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_status_redis_conf_t *conf, char *err,
    size_t errlen);
static ngx_int_t ngx_status_redis_conf_step(ngx_pool_t *pool,
    ngx_status_redis_conf_t *conf, ngx_status_redis_step_e step,
    const ngx_str_t *words, ngx_uint_t nwords, char *err, size_t errlen);
static ngx_int_t ngx_status_redis_conf_send(ngx_pool_t *pool,
    ngx_status_redis_conf_t *conf, char *err, size_t errlen);


/* They have no single answer, or change how the others are answered; and a
 * password has a place of its own. */

static const char  *ngx_status_redis_not[] = {
    "subscribe", "psubscribe", "ssubscribe", "monitor", "sync", "psync",
    "hello", "auth", NULL
};


ngx_int_t
ngx_status_redis_conf(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    ngx_uint_t                i;
    ngx_status_redis_conf_t  *conf;

    static const ngx_str_t  info = ngx_string("INFO");

    conf = ngx_pcalloc(pool, sizeof(ngx_status_redis_conf_t));

    if (conf == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    check->conf = conf;

    if (check->args.len) {
        snprintf(err, errlen, "the URL has a \"?\", expected "
                 "%s://user:password@host:port/database", check->scheme.data);
        return NGX_ERROR;
    }

    conf->stream = ngx_status_stream_conf(pool, check,
                                          check->type->tls(check),
                                          NGX_STATUS_STARTTLS_NONE, err,
                                          errlen);
    if (conf->stream == NULL
        || ngx_status_redis_conf_login(pool, check, conf, err, errlen)
           != NGX_OK
        || ngx_status_redis_conf_db(pool, check, conf, err, errlen) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < check->nconds; i++) {

        if (check->conds[i].subject != NGX_STATUS_S_INFO) {
            continue;
        }

        if (ngx_status_redis_conf_step(pool, conf, NGX_STATUS_REDIS_INFO,
                                       &info, 1, err, errlen)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        break;
    }

    if (ngx_status_redis_conf_command(pool, check, conf, err, errlen)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_status_redis_conf_send(pool, conf, err, errlen);
}


static ngx_int_t
ngx_status_redis_conf_login(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_redis_conf_t *conf, char *err, size_t errlen)
{
    ngx_str_t   words[3];
    ngx_uint_t  n;

    if (check->user.len == 0 && check->password.len == 0) {
        return NGX_OK;
    }

    if (check->password.data == NULL) {
        snprintf(err, errlen, "there is a username without a password");
        return NGX_ERROR;
    }

    ngx_str_set(&words[0], "AUTH");
    n = 1;

    if (check->user.len) {
        /* since 6.0 */
        words[n++] = check->user;
    }

    words[n++] = check->password;

    return ngx_status_redis_conf_step(pool, conf, NGX_STATUS_REDIS_AUTH, words,
                                      n, err, errlen);
}


static ngx_int_t
ngx_status_redis_conf_db(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_redis_conf_t *conf, char *err, size_t errlen)
{
    ngx_int_t  db;
    ngx_str_t  words[2];

    if (check->path.len < 2) {
        return NGX_OK;
    }

    ngx_str_set(&words[0], "SELECT");
    words[1].data = check->path.data + 1;
    words[1].len = check->path.len - 1;

    db = words[1].len < 10 ? ngx_atoi(words[1].data, words[1].len)
                           : NGX_ERROR;

    if (db == NGX_ERROR) {
        snprintf(err, errlen, "\"%.*s\" in the URL is not the number of a "
                 "database", (int) ngx_min(check->path.len, 64),
                 check->path.data);
        return NGX_ERROR;
    }

    if (db == 0) {
        /* where one is anyway */
        return NGX_OK;
    }

    return ngx_status_redis_conf_step(pool, conf, NGX_STATUS_REDIS_SELECT,
                                      words, 2, err, errlen);
}


static ngx_int_t
ngx_status_redis_conf_command(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_redis_conf_t *conf, char *err, size_t errlen)
{
    ngx_str_t                   *words, ping;
    ngx_uint_t                   i, n;
    const ngx_status_setting_t  *setting;

    ngx_str_set(&ping, "PING");

    words = &ping;
    n = 1;

    setting = ngx_status_setting(check, "command");

    if (setting == NULL) {
        conf->ping = 1;

    } else {

        switch (ngx_status_redis_words(pool, &setting->text, &words, &n)) {

        case NGX_OK:
            break;

        case NGX_DECLINED:
            snprintf(err, errlen, "\"command\" has a quote that is not closed "
                     "before a space or the end");
            return NGX_ERROR;

        default:
            snprintf(err, errlen, "no memory");
            return NGX_ERROR;
        }

        if (n == 0 || words[0].len == 0) {
            snprintf(err, errlen, "\"command\" is empty");
            return NGX_ERROR;
        }
    }

    for (i = 0; ngx_status_redis_not[i]; i++) {
        if (ngx_strlen(ngx_status_redis_not[i]) == words[0].len
            && ngx_strncasecmp((u_char *) ngx_status_redis_not[i],
                               words[0].data, words[0].len)
               == 0)
        {
            snprintf(err, errlen, "\"%s\" can not be the command of a check: "
                     "%s", ngx_status_redis_not[i],
                     ngx_strcmp(ngx_status_redis_not[i], "auth") == 0
                     ? "\"username\" and \"password\" are for that"
                     : "it has no single answer");
            return NGX_ERROR;
        }
    }

    conf->command = words[0];

    return ngx_status_redis_conf_step(pool, conf, NGX_STATUS_REDIS_COMMAND,
                                      words, n, err, errlen);
}


static ngx_int_t
ngx_status_redis_conf_step(ngx_pool_t *pool, ngx_status_redis_conf_t *conf,
    ngx_status_redis_step_e step, const ngx_str_t *words, ngx_uint_t nwords,
    char *err, size_t errlen)
{
    ngx_str_t  *request;

    request = &conf->requests[conf->nsteps];

    if (ngx_status_redis_command(pool, words, nwords, request) != NGX_OK
        || ngx_status_wipe(pool, request) != NGX_OK)
    {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    conf->steps[conf->nsteps++] = step;
    conf->send.len += request->len;

    return NGX_OK;
}


static ngx_int_t
ngx_status_redis_conf_send(ngx_pool_t *pool, ngx_status_redis_conf_t *conf,
    char *err, size_t errlen)
{
    u_char      *p;
    ngx_uint_t   i;

    p = ngx_pnalloc(pool, conf->send.len);
    conf->send.data = p;

    if (p == NULL || ngx_status_wipe(pool, &conf->send) != NGX_OK) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    for (i = 0; i < conf->nsteps; i++) {
        p = ngx_cpymem(p, conf->requests[i].data, conf->requests[i].len);
    }

    return NGX_OK;
}

#endif
