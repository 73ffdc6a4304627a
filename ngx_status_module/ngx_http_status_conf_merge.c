
/*
 * Copyright (C) ngx_status_module authors
 *
 * What a check takes from the group and the monitor around it, and what it
 * is when nothing was said.  Master, when a monitor's block has ended.
 */


#include "ngx_http_status_conf.h"
#include "../checks/ngx_status_cert.h"


#define NGX_HTTP_STATUS_INTERVAL  60000                   /* ms */
#define NGX_HTTP_STATUS_TIMEOUT   10000                   /* ms */
#define NGX_HTTP_STATUS_MAX_BODY  (1024 * 1024)           /* bytes */


static const char *ngx_http_status_stray(
    const ngx_http_status_scope_t *scope);
static ngx_int_t ngx_http_status_merge_conds(ngx_conf_t *cf,
    ngx_http_status_scope_t *prev, ngx_http_status_scope_t *conf);
static ngx_uint_t ngx_http_status_tls(const ngx_status_check_t *check);
static ngx_uint_t ngx_http_status_same_name(ngx_status_cond_t *a,
    ngx_status_cond_t *b);
static ngx_int_t ngx_http_status_merge_headers(ngx_conf_t *cf,
    ngx_status_check_t *prev, ngx_status_check_t *conf);
static ngx_int_t ngx_http_status_drop_headers(ngx_conf_t *cf,
    ngx_status_check_t *check);
static void ngx_http_status_login(ngx_status_check_t *check);
static ngx_int_t ngx_http_status_defaults(ngx_conf_t *cf,
    ngx_http_status_scope_t *scope);
static ngx_int_t ngx_http_status_add_cond(ngx_conf_t *cf,
    ngx_http_status_scope_t *scope, ngx_uint_t prefer, char *words[]);


ngx_int_t
ngx_http_status_merge(ngx_conf_t *cf, ngx_http_status_scope_t *prev,
    ngx_http_status_scope_t *conf)
{
    ngx_str_t           *bot;
    ngx_status_check_t  *p, *c;

    p = &prev->check;
    c = &conf->check;

    if (c->type) {
        conf->stray = ngx_http_status_stray(conf);
    }

    ngx_conf_merge_msec_value(c->interval, p->interval, NGX_CONF_UNSET_MSEC);
    ngx_conf_merge_msec_value(c->timeout, p->timeout, NGX_CONF_UNSET_MSEC);
    ngx_conf_merge_uint_value(c->fall, p->fall, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_uint_value(c->rise, p->rise, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_uint_value(c->degraded, p->degraded, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_uint_value(c->core, p->core, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_uint_value(c->follow, p->follow, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_value(c->tls_verify, p->tls_verify, NGX_CONF_UNSET);
    ngx_conf_merge_value(c->keepalive, p->keepalive, NGX_CONF_UNSET);
    ngx_conf_merge_size_value(c->max_body, p->max_body, NGX_CONF_UNSET_SIZE);

    ngx_conf_merge_str_value(c->team, p->team, "");
    ngx_conf_merge_str_value(c->method, p->method, "");
    ngx_conf_merge_str_value(c->user_agent, p->user_agent, "");
    ngx_conf_merge_str_value(c->resolve, p->resolve, "");
    ngx_conf_merge_str_value(c->tls_ca, p->tls_ca, "");

    if (c->body.data == NULL) {
        c->body = p->body;
    }

    if (c->tls_cert.data == NULL) {
        c->tls_cert = p->tls_cert;
        c->tls_key = p->tls_key;
    }

    if (c->slower.warning == 0 && c->slower.critical == 0) {
        c->slower = p->slower;
    }

    conf->scored = c->series ? "score_history"
                   : c->grade ? "grade"
                   : c->categories ? "categories"
                   : c->drop.warning != 0 || c->drop.critical != 0 ? "drop"
                   : NULL;

    /* a check whose type has no scores takes none from around it */

    if (c->type == NULL
        || c->type->subjects & ngx_status_subject_bit(NGX_STATUS_S_SCORE))
    {
        if (c->score == NULL) {
            c->score = p->score;
            c->scale = p->scale;
        }

        if (c->grade == NULL) {
            c->grade = p->grade;
        }

        if (c->categories == NULL) {
            c->categories = p->categories;
            c->categories_scale = p->categories_scale;
        }

        if (c->drop.warning == 0 && c->drop.critical == 0) {
            c->drop = p->drop;
        }
    }

    if (ngx_http_status_merge_settings(p, c) != NGX_OK) {
        return NGX_ERROR;
    }

    if (prev->bots.nelts) {
        bot = ngx_array_push_n(&conf->bots, prev->bots.nelts);
        if (bot == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(bot, prev->bots.elts,
                   prev->bots.nelts * sizeof(ngx_str_t));
    }

    if (prev->secrets.nelts) {
        bot = ngx_array_push_n(&conf->secrets, prev->secrets.nelts);
        if (bot == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(bot, prev->secrets.elts,
                   prev->secrets.nelts * sizeof(ngx_str_t));
    }

    if (ngx_http_status_merge_conds(cf, prev, conf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_status_merge_headers(cf, p, c);
}


/*
 * Conditions add up from the outermost level to the innermost, but one of
 * an inner level replaces all of outer levels that speak of the same: both
 * expect or both prefer, same subject, and same header, JSON path, type of
 * record or part of a certificate.  Several on one level all hold.  One that
 * a check's type can tell nothing of is left out when it comes from around
 * the check.
 */

static ngx_int_t
ngx_http_status_merge_conds(ngx_conf_t *cf, ngx_http_status_scope_t *prev,
    ngx_http_status_scope_t *conf)
{
    ngx_uint_t          i, j, subjects;
    ngx_array_t         conds;
    ngx_status_cond_t  *outer, *inner, *cond;

    subjects = (ngx_uint_t) -1;

    if (conf->check.type) {
        subjects = conf->check.type->subjects;

        if (conf->check.score == NULL) {
            subjects &= ~ngx_status_subject_bit(NGX_STATUS_S_SCORE);
        }

        if (!ngx_http_status_tls(&conf->check)) {
            subjects &= ~ngx_status_subject_bit(NGX_STATUS_S_CERT);
        }
    }

    outer = prev->conds.elts;
    inner = conf->conds.elts;

    if (ngx_array_init(&conds, cf->pool,
                       prev->conds.nelts + conf->conds.nelts + 2,
                       sizeof(ngx_status_cond_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < prev->conds.nelts; i++) {

        for (j = 0; j < conf->conds.nelts; j++) {
            if (inner[j].prefer == outer[i].prefer
                && inner[j].subject == outer[i].subject
                && ngx_http_status_same_name(&inner[j], &outer[i]))
            {
                break;
            }
        }

        if (j < conf->conds.nelts
            || !(subjects & ngx_status_subject_bit(outer[i].subject)))
        {
            continue;
        }

        cond = ngx_array_push(&conds);
        *cond = outer[i];              /* there is room for all */
    }

    for (j = 0; j < conf->conds.nelts; j++) {
        cond = ngx_array_push(&conds);
        *cond = inner[j];
    }

    conf->conds = conds;

    return NGX_OK;
}


/* Whether its probes will see a certificate: NGX_STATUS_TLS_*. */

static ngx_uint_t
ngx_http_status_tls(const ngx_status_check_t *check)
{
    return check->type->tls ? check->type->tls(check) : NGX_STATUS_TLS_NONE;
}


static ngx_uint_t
ngx_http_status_same_name(ngx_status_cond_t *a, ngx_status_cond_t *b)
{
    if (a->name.len != b->name.len) {
        return 0;
    }

    if (a->subject == NGX_STATUS_S_HEADER) {
        return ngx_strncasecmp(a->name.data, b->name.data, a->name.len) == 0;
    }

    return a->name.len == 0
           || ngx_memcmp(a->name.data, b->name.data, a->name.len) == 0;
}


/* A header of an inner level replaces all of outer levels of that name. */

static ngx_int_t
ngx_http_status_merge_headers(ngx_conf_t *cf, ngx_status_check_t *prev,
    ngx_status_check_t *conf)
{
    size_t        len;
    ngx_str_t    *outer, *inner, *header;
    ngx_uint_t    i, j, n;
    ngx_array_t  *headers;

    if (prev->headers == NULL) {
        return NGX_OK;
    }

    if (conf->headers == NULL) {
        conf->headers = prev->headers;
        return NGX_OK;
    }

    outer = prev->headers->elts;
    inner = conf->headers->elts;
    n = conf->headers->nelts;

    headers = ngx_array_create(cf->pool, prev->headers->nelts + n,
                               sizeof(ngx_str_t));
    if (headers == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < prev->headers->nelts; i++) {

        len = (u_char *) ngx_strchr(outer[i].data, ':') + 1 - outer[i].data;

        for (j = 0; j < n; j++) {
            if (ngx_strncasecmp(outer[i].data, inner[j].data, len) == 0) {
                break;
            }
        }

        if (j == n) {
            header = ngx_array_push(headers);
            *header = outer[i];
        }
    }

    for (j = 0; j < n; j++) {
        header = ngx_array_push(headers);
        *header = inner[j];
    }

    conf->headers = headers;

    return NGX_OK;
}


/*
 * What a check says itself, and its type has no use for; from around it, it
 * may well be there for others.  NULL: nothing.
 */

static const char *
ngx_http_status_stray(const ngx_http_status_scope_t *scope)
{
    const ngx_status_check_t  *c;

    c = &scope->check;

    if (!(c->type->subjects & ngx_status_subject_bit(NGX_STATUS_S_HEADER))) {

        if (c->method.data || c->headers || c->body.data
            || c->user_agent.data)
        {
            return c->method.data ? "method" : c->headers ? "header"
                   : c->body.data ? "body" : "user_agent";
        }

        if (c->follow != NGX_CONF_UNSET_UINT) {
            return "follow";
        }

        if (c->keepalive != NGX_CONF_UNSET) {
            return "keepalive";
        }
    }

    if (scope->bots.nelts
        && !(c->type->subjects & ngx_status_subject_bit(NGX_STATUS_S_BODY)))
    {
        return "bot";
    }

    if (c->type->tls == NULL
        && (c->tls_ca.data || c->tls_cert.data
            || c->tls_verify != NGX_CONF_UNSET))
    {
        return c->tls_ca.data ? "tls_ca" : c->tls_cert.data ? "tls_cert"
               : "tls_verify";
    }

    return NULL;
}


ngx_int_t
ngx_http_status_finish(ngx_conf_t *cf, ngx_http_status_scope_t *scope)
{
    char                 err[NGX_HTTP_STATUS_ERR];
    ngx_uint_t           i;
    ngx_status_cond_t   *cond;
    ngx_status_check_t  *c;

    c = &scope->check;

    if (scope->stray) {
        snprintf(err, sizeof(err), "\"%s\" is not for a check of type %s",
                 scope->stray, c->type->name.data);
        goto invalid;
    }

    if (c->title.data == NULL) {
        c->title = c->id;
    }

    if (c->user_agent.len == 0) {
        ngx_str_set(&c->user_agent, "ngx_status_module");
    }

    if (c->type->preset) {
        c->type->preset(c);
    }

    ngx_conf_init_msec_value(c->interval, NGX_HTTP_STATUS_INTERVAL);
    ngx_conf_init_uint_value(c->fall, 2);
    ngx_conf_init_uint_value(c->rise, 1);
    ngx_conf_init_uint_value(c->degraded, NGX_STATUS_WEIGHT);
    ngx_conf_init_uint_value(c->core, 1);
    ngx_conf_init_uint_value(c->follow, 5);
    ngx_conf_init_value(c->tls_verify, 1);
    ngx_conf_init_value(c->keepalive, 0);
    ngx_conf_init_size_value(c->max_body, NGX_HTTP_STATUS_MAX_BODY);

    if (c->scale == 0) {
        c->scale = 1;
    }

    if (c->categories_scale == 0) {
        c->categories_scale = 1;
    }

    if (c->timeout == NGX_CONF_UNSET_MSEC) {
        c->timeout = ngx_min(c->interval, NGX_HTTP_STATUS_TIMEOUT);

    } else if (c->timeout > c->interval) {
        snprintf(err, sizeof(err), "a timeout of %lums, expected no more than "
                 "its interval of %lums", (u_long) c->timeout,
                 (u_long) c->interval);
        goto invalid;
    }

    if (c->score && !(c->type->subjects
                      & ngx_status_subject_bit(NGX_STATUS_S_SCORE)))
    {
        snprintf(err, sizeof(err), "type %s has no \"score\"",
                 c->type->name.data);
        goto invalid;
    }

    if (c->score == NULL) {

        if (scope->scored) {
            snprintf(err, sizeof(err), "\"%s\" needs a \"score\"",
                     scope->scored);
            goto invalid;
        }

        c->grade = NULL;
        c->categories = NULL;
    }

    cond = scope->conds.elts;

    for (i = 0; i < scope->conds.nelts; i++) {

        if (cond[i].subject == NGX_STATUS_S_SCORE && c->score == NULL) {
            snprintf(err, sizeof(err), "\"%s score\" needs a \"score\"",
                     cond[i].prefer ? "prefer" : "expect");
            goto invalid;
        }

        if ((cond[i].subject == NGX_STATUS_S_CERT_ISSUER
             || cond[i].subject == NGX_STATUS_S_CERT_NAMES)
            && !ngx_status_cert_watches())
        {
            snprintf(err, sizeof(err), "\"%s cert %s\" needs OpenSSL 3 "
                     "(libssl-dev) at build time, and a libcurl that uses "
                     "the same",
                     cond[i].prefer ? "prefer" : "expect", cond[i].name.data);
            goto invalid;
        }
    }

    ngx_http_status_login(c);

    if (ngx_http_status_hide(scope, &c->password) != NGX_OK
        || ngx_http_status_drop_headers(cf, c) != NGX_OK
        || ngx_http_status_defaults(cf, scope) != NGX_OK)
    {
        return NGX_ERROR;
    }

    c->conds = scope->conds.elts;
    c->nconds = scope->conds.nelts;
    c->bots = scope->bots.elts;
    c->nbots = scope->bots.nelts;
    c->secrets = scope->secrets.elts;
    c->nsecrets = scope->secrets.nelts;

    if (c->type->conf
        && c->type->conf(cf->pool, c, err, sizeof(err)) != NGX_OK)
    {
        goto invalid;
    }

    return NGX_OK;

invalid:

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "check \"%V\": %s in %s:%ui",
                  &c->id, err, scope->file, scope->line);

    return NGX_ERROR;
}


/* "username" and "password" stand for what a URL would say. */

static void
ngx_http_status_login(ngx_status_check_t *check)
{
    const ngx_status_setting_t  *setting;

    setting = ngx_status_setting(check, "username");

    if (setting) {
        check->user = setting->text;
    }

    setting = ngx_status_setting(check, "password");

    if (setting) {
        check->password = setting->text;
    }
}


/*
 * The default conditions, unless there is one of its own; then those that
 * say "off" have done their work.
 */

static ngx_int_t
ngx_http_status_defaults(ngx_conf_t *cf, ngx_http_status_scope_t *scope)
{
    char                            latency[NGX_INT_T_LEN + 3];
    ngx_uint_t                      i, n, seen[2], subjects;
    ngx_status_cond_t              *cond;
    const ngx_status_check_type_t  *type;

    static char         *status[] = { "status", "200-299", NULL };
    static char         *expires[] = { "cert", ">", "3d", NULL };
    static char         *renew[] = { "cert", ">", "21d", NULL };
    char                *slow[] = { "latency", "<", latency, NULL };

    type = scope->check.type;
    cond = scope->conds.elts;
    seen[0] = 0;
    seen[1] = 0;

    for (i = 0; i < scope->conds.nelts; i++) {
        if (cond[i].name.len == 0) {
            seen[cond[i].prefer] |= ngx_status_subject_bit(cond[i].subject);
        }
    }

    for (i = 0, n = 0; i < scope->conds.nelts; i++) {
        if (!cond[i].off) {
            cond[n++] = cond[i];
        }
    }

    scope->conds.nelts = n;

    subjects = type->subjects;

    /* who does not verify a certificate does not mind its end either */

    if (ngx_http_status_tls(&scope->check) != NGX_STATUS_TLS_VERIFIED
        || !scope->check.tls_verify)
    {
        subjects &= ~ngx_status_subject_bit(NGX_STATUS_S_CERT);
    }

    if (type->latency == 0) {
        subjects &= ~ngx_status_subject_bit(NGX_STATUS_S_LATENCY);
    }

    if (type->latency % 1000) {
        ngx_sprintf((u_char *) latency, "%Mms%Z", type->latency);

    } else {
        ngx_sprintf((u_char *) latency, "%Ms%Z", type->latency / 1000);
    }

#define lacks(prefer, subject)                                               \
    (subjects & ~seen[prefer] & ngx_status_subject_bit(subject))

    if ((lacks(0, NGX_STATUS_S_STATUS)
         && ngx_http_status_add_cond(cf, scope, 0, status) != NGX_OK)
        || (lacks(0, NGX_STATUS_S_CERT)
            && ngx_http_status_add_cond(cf, scope, 0, expires) != NGX_OK)
        || (lacks(1, NGX_STATUS_S_CERT)
            && ngx_http_status_add_cond(cf, scope, 1, renew) != NGX_OK)
        || (lacks(1, NGX_STATUS_S_LATENCY)
            && ngx_http_status_add_cond(cf, scope, 1, slow) != NGX_OK))
    {
        return NGX_ERROR;
    }

#undef lacks

    return NGX_OK;
}


/* Those without a value were there only to replace outer ones. */

static ngx_int_t
ngx_http_status_drop_headers(ngx_conf_t *cf, ngx_status_check_t *check)
{
    ngx_str_t    *header, *kept;
    ngx_uint_t    i;
    ngx_array_t  *headers;

    if (check->headers == NULL) {
        return NGX_OK;
    }

    headers = ngx_array_create(cf->pool, check->headers->nelts,
                               sizeof(ngx_str_t));
    if (headers == NULL) {
        return NGX_ERROR;
    }

    header = check->headers->elts;

    for (i = 0; i < check->headers->nelts; i++) {
        if (ngx_strchr(header[i].data, ':') + 1
            < (char *) header[i].data + header[i].len)
        {
            kept = ngx_array_push(headers);
            *kept = header[i];         /* there is room for all */
        }
    }

    check->headers = headers->nelts ? headers : NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_http_status_add_cond(ngx_conf_t *cf, ngx_http_status_scope_t *scope,
    ngx_uint_t prefer, char *words[])
{
    char                err[NGX_HTTP_STATUS_ERR];
    ngx_str_t           args[3];
    ngx_uint_t          n;
    ngx_status_cond_t  *cond;

    for (n = 0; words[n]; n++) {
        args[n].data = (u_char *) words[n];
        args[n].len = ngx_strlen(words[n]);
    }

    cond = ngx_array_push(&scope->conds);
    if (cond == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(cond, sizeof(ngx_status_cond_t));

    if (ngx_status_cond_parse(cf->pool, args, n, scope->check.type->subjects,
                              prefer, cond, err, sizeof(err))
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "check \"%V\": %s",
                      &scope->check.id, err);
        return NGX_ERROR;
    }

    return NGX_OK;
}
