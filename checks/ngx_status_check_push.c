
/*
 * Copyright (C) ngx_status_module authors
 *
 * push://: nobody is asked, somebody tells.  A job sends a heartbeat when it
 * has run; the check is late when none has come for "every", and down when
 * none has come for "grace" more, or when one says that it failed.  What a
 * probe does here is to look at what came since the last one, and at the
 * time.
 */


#include "ngx_status_push.h"


#define NGX_STATUS_PUSH_SHORT     8      /* bytes of a token at least */
#define NGX_STATUS_PUSH_INTERVAL  60000  /* ms */
#define NGX_STATUS_PUSH_EVERY     ((int64_t) 86400000)       /* ms */
#define NGX_STATUS_PUSH_GRACE     ((int64_t) 3600000)        /* ms */
#define NGX_STATUS_PUSH_TARGET    128    /* bytes of it in words */


static int64_t ngx_status_push_every(const ngx_status_check_t *check);
static void ngx_status_push_preset(ngx_status_check_t *check);
static ngx_int_t ngx_status_push_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static ngx_int_t ngx_status_push_token(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static void ngx_status_push_start(ngx_status_probe_t *probe);
static void ngx_status_push_stop(ngx_status_probe_t *probe);
static void ngx_status_push_log(ngx_status_probe_t *probe);


static const ngx_str_t  ngx_status_push_schemes[] = {
    ngx_string("push"),
    ngx_null_string
};

static const in_port_t  ngx_status_push_ports[] = { 0 };


static const ngx_status_option_t  ngx_status_push_options[] = {

    { ngx_string("token"), NGX_STATUS_OPTION_SECRET, NULL, 0, 0 },

    { ngx_string("every"), NGX_STATUS_OPTION_TIME,
      "a time from 10s to 400d", 10000, (int64_t) 400 * 86400000 },

    { ngx_string("grace"), NGX_STATUS_OPTION_TIME,
      "a time from 0s to 400d", 0, (int64_t) 400 * 86400000 },

    NGX_STATUS_OPTION_END
};


const ngx_status_check_type_t  ngx_status_check_push = {
    ngx_string("push"),
    ngx_status_push_schemes,
    ngx_status_push_ports,
    0,                                                     /* subjects */
    0,                                                     /* latency */
    NULL,                                                  /* needs */
    ngx_status_push_options,
    NULL,                                                  /* tls */
    ngx_status_push_conf,
    ngx_status_push_start,
    ngx_status_push_stop,
    NULL,                                                  /* init */
    ngx_status_push_preset
};


static int64_t
ngx_status_push_every(const ngx_status_check_t *check)
{
    const ngx_status_setting_t  *setting;

    setting = ngx_status_setting(check, "every");

    return setting ? setting->number : NGX_STATUS_PUSH_EVERY;
}


/*
 * A look costs next to nothing, and who says that it failed needs nobody to
 * confirm it.
 */

static void
ngx_status_push_preset(ngx_status_check_t *check)
{
    ngx_conf_init_msec_value(check->interval,
                             (ngx_msec_t) ngx_min(
                                 ngx_status_push_every(check) / 10,
                                 NGX_STATUS_PUSH_INTERVAL));
    ngx_conf_init_uint_value(check->fall, 1);
}


static ngx_int_t
ngx_status_push_conf(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    u_char                      *p;
    ngx_status_push_conf_t      *conf;
    const ngx_status_setting_t  *every, *grace;

    if (check->url.len != sizeof("push://") - 1) {
        snprintf(err, errlen, "the URL of a check of type push is \"push://\" "
                 "and no more: who sends heartbeats needs the token alone");
        return NGX_ERROR;
    }

    conf = ngx_pcalloc(pool, sizeof(ngx_status_push_conf_t));
    if (conf == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    every = ngx_status_setting(check, "every");
    grace = ngx_status_setting(check, "grace");

    conf->every = ngx_status_push_every(check);
    conf->text = every ? (char *) every->text.data : "1d";
    conf->grace = grace ? grace->number
                        : ngx_min(conf->every, NGX_STATUS_PUSH_GRACE);
    conf->away = 2 * (int64_t) check->interval;

    check->conf = conf;

    /* there is none: what is expected tells more */

    p = ngx_pnalloc(pool, NGX_STATUS_PUSH_TARGET);
    if (p == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    check->target.data = p;
    check->target.len = snprintf((char *) p, NGX_STATUS_PUSH_TARGET,
                                 "a heartbeat every %.40s, grace %.40s",
                                 conf->text,
                                 grace ? (char *) grace->text.data
                                 : conf->every < NGX_STATUS_PUSH_GRACE
                                 ? conf->text : "1h");

    return ngx_status_push_token(pool, check, err, errlen);
}


/* No message shows any of it. */

static ngx_int_t
ngx_status_push_token(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    size_t                       i;
    u_char                       c;
    const ngx_str_t             *text;
    const ngx_status_setting_t  *setting;

    setting = ngx_status_setting(check, "token");

    if (setting == NULL) {
        snprintf(err, errlen, "a check of type push needs a \"token\" that "
                 "heartbeats are sent with");
        return NGX_ERROR;
    }

    text = &setting->text;

    if (text->len < NGX_STATUS_PUSH_SHORT || text->len > NGX_STATUS_TOKEN) {
        snprintf(err, errlen, "a token of %d characters, expected 8 to 128",
                 (int) text->len);
        return NGX_ERROR;
    }

    for (i = 0; i < text->len; i++) {
        c = text->data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')
            && !(c >= '0' && c <= '9') && (c == '\0' || !strchr("-._~", c)))
        {
            snprintf(err, errlen, "a token with another character than "
                     "A-Z a-z 0-9 - . _ ~ at place %d", (int) i + 1);
            return NGX_ERROR;
        }
    }

    check->token = ngx_pcalloc(pool, NGX_STATUS_TOKEN);
    if (check->token == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    ngx_memcpy(check->token, text->data, text->len);

    return NGX_OK;
}


static void
ngx_status_push_start(ngx_status_probe_t *probe)
{
    ngx_status_push_judge(probe->check->conf, probe->pushes, &probe->npushes,
                          probe->before, probe->listening, probe->offline,
                          &probe->result);

    ngx_status_push_log(probe);

    probe->done(probe);
}


/* Nothing is ever under way. */

static void
ngx_status_push_stop(ngx_status_probe_t *probe)
{
    (void) probe;
}


static void
ngx_status_push_log(ngx_status_probe_t *probe)
{
    ngx_str_t                *id;
    ngx_uint_t                i;
    const ngx_status_push_t  *push;

    id = (ngx_str_t *) &probe->check->id;

    for (i = 0; i < probe->npushes; i++) {
        push = &probe->pushes[i];

        if (push->kind == NGX_STATUS_PUSH_LOG) {
            ngx_log_error(NGX_LOG_INFO, probe->log, 0,
                          "check \"%V\" tells: %s", id, push->message);
        }
    }

    if (probe->npushes) {
        ngx_log_error(NGX_LOG_INFO, probe->log, 0,
                      "check \"%V\" got %ui heartbeat%s", id, probe->npushes,
                      probe->npushes == 1 ? "" : "s");
    }
}
