
/*
 * Copyright (C) ngx_status_module authors
 *
 * The table of all directives but the options of check types, and the blocks
 * that nest.  Master, while it reads the configuration.
 */


#include "ngx_http_status_conf.h"


static char *ngx_http_status_monitor_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_status_group_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_status_check_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_http_status_scope_t *ngx_http_status_scope(ngx_conf_t *cf,
    ngx_http_status_scope_t *outer, ngx_uint_t level);
static char *ngx_http_status_block(ngx_conf_t *cf,
    ngx_http_status_scope_t *scope);


static ngx_http_status_bounds_t  ngx_http_status_times =
    { NGX_HTTP_STATUS_TIME, 100, 7 * 24 * 3600 * 1000,
      "a time from 100ms to 7d" };

/* latencies are kept as 32 bits of microseconds */
static ngx_http_status_bounds_t  ngx_http_status_timeouts =
    { NGX_HTTP_STATUS_TIME, 100, 3600 * 1000, "a time from 100ms to 1h" };

static ngx_http_status_bounds_t  ngx_http_status_runs =
    { NGX_HTTP_STATUS_COUNT, 1, 100, "a number from 1 to 100" };

static ngx_http_status_bounds_t  ngx_http_status_redirects =
    { NGX_HTTP_STATUS_COUNT, 0, 20, "a number from 0 to 20" };

static ngx_http_status_bounds_t  ngx_http_status_in_flight =
    { NGX_HTTP_STATUS_COUNT, 1, 100000, "a number from 1 to 100000" };

static ngx_http_status_bounds_t  ngx_http_status_bodies =
    { NGX_HTTP_STATUS_SIZE, 1024, 64 * 1024 * 1024,
      "a size from 1k to 64m" };

static ngx_http_status_bounds_t  ngx_http_status_zones =
    { NGX_HTTP_STATUS_SIZE, 32 * 1024, NGX_MAX_INT32_VALUE,
      "a size from 32k to 2047m" };


#define ngx_http_status_command(name, type, set, field, post)                \
    { ngx_string(name), type, set, NGX_HTTP_LOC_CONF_OFFSET,                 \
      offsetof(ngx_http_status_scope_t, field), post }

#define ANY      NGX_HTTP_STATUS_ANY
#define MONITOR  NGX_HTTP_STATUS_MONITOR
#define CHECK    NGX_HTTP_STATUS_CHECK


ngx_command_t  ngx_http_status_commands[] = {

    { ngx_string("status_monitor"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_status_monitor_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("status_page"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_status_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_STATUS_PAGE,
      NULL },

    { ngx_string("status_json"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_status_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_STATUS_JSON,
      NULL },

    { ngx_string("status_csv"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_status_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_STATUS_CSV,
      NULL },

    { ngx_string("status_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_status_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_STATUS_METRICS,
      NULL },

    { ngx_string("status_push"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_status_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_STATUS_PUSH,
      NULL },

    { ngx_string("status_state"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_status_set_state,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    /* blocks; those that may not nest say so themselves */

    ngx_http_status_command("group", ANY|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
        ngx_http_status_group_block, check, NULL),

    ngx_http_status_command("check", ANY|NGX_CONF_BLOCK|NGX_CONF_TAKE2,
        ngx_http_status_check_block, check, NULL),

    /* of a monitor */

    ngx_http_status_command("max_in_flight", MONITOR|NGX_CONF_TAKE1,
        ngx_http_status_set_number, max_in_flight,
        &ngx_http_status_in_flight),

    ngx_http_status_command("max_per_host", MONITOR|NGX_CONF_TAKE1,
        ngx_http_status_set_number, max_per_host,
        &ngx_http_status_in_flight),

    ngx_http_status_command("zone", MONITOR|NGX_CONF_TAKE1,
        ngx_http_status_set_number, zone_size, &ngx_http_status_zones),

    ngx_http_status_command("history", MONITOR|NGX_CONF_TAKE123,
        ngx_http_status_set_history, history, NULL),

    ngx_http_status_command("template", MONITOR|NGX_CONF_TAKE1,
        ngx_http_status_set_template, template, NULL),

    ngx_http_status_command("store", MONITOR|NGX_CONF_1MORE,
        ngx_http_status_set_store, store, NULL),

    ngx_http_status_command("sentinel", MONITOR|NGX_CONF_1MORE,
        ngx_http_status_set_sentinel, sentinels, NULL),

    ngx_http_status_command("export", MONITOR|NGX_CONF_TAKE12,
        ngx_http_status_set_export, export, NULL),

    ngx_http_status_command("archive", MONITOR|NGX_CONF_TAKE123,
        ngx_http_status_set_archive, archive, NULL),

    /* of a check; most may stand around it */

    ngx_http_status_command("was", CHECK|NGX_CONF_TAKE1,
        ngx_http_status_set_was, check.was, NULL),

    ngx_http_status_command("title", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_text, check.title, NULL),

    ngx_http_status_command("team", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_text, check.team, NULL),

    ngx_http_status_command("role", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_role, check.core, NULL),

    ngx_http_status_command("interval", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_number, check.interval, &ngx_http_status_times),

    ngx_http_status_command("timeout", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_number, check.timeout,
        &ngx_http_status_timeouts),

    ngx_http_status_command("fall", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_number, check.fall, &ngx_http_status_runs),

    ngx_http_status_command("rise", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_number, check.rise, &ngx_http_status_runs),

    ngx_http_status_command("uptime", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_uptime, check.degraded, NULL),

    ngx_http_status_command("method", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_method, check.method, NULL),

    ngx_http_status_command("header", ANY|NGX_CONF_TAKE2,
        ngx_http_status_set_header, check.headers, NULL),

    ngx_http_status_command("body", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_body, check.body, NULL),

    ngx_http_status_command("follow", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_number, check.follow,
        &ngx_http_status_redirects),

    ngx_http_status_command("user_agent", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_text, check.user_agent, NULL),

    ngx_http_status_command("tls_verify", ANY|NGX_CONF_FLAG,
        ngx_conf_set_flag_slot, check.tls_verify, NULL),

    ngx_http_status_command("tls_ca", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_file, check.tls_ca, NULL),

    ngx_http_status_command("tls_cert", ANY|NGX_CONF_TAKE12,
        ngx_http_status_set_tls_cert, check.tls_cert, NULL),

    ngx_http_status_command("resolve", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_resolve, check.resolve, NULL),

    ngx_http_status_command("keepalive", ANY|NGX_CONF_FLAG,
        ngx_conf_set_flag_slot, check.keepalive, NULL),

    ngx_http_status_command("max_body", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_number, check.max_body, &ngx_http_status_bodies),

    ngx_http_status_command("expect", ANY|NGX_CONF_1MORE,
        ngx_http_status_set_cond, conds, NULL),

    ngx_http_status_command("prefer", ANY|NGX_CONF_1MORE,
        ngx_http_status_set_cond, conds, NULL),

    ngx_http_status_command("bot", ANY|NGX_CONF_1MORE,
        ngx_http_status_set_bot, bots, NULL),

    ngx_http_status_command("score", ANY|NGX_CONF_TAKE12,
        ngx_http_status_set_score, check.score, NULL),

    ngx_http_status_command("grade", ANY|NGX_CONF_TAKE1,
        ngx_http_status_set_score, check.grade, NULL),

    ngx_http_status_command("categories", ANY|NGX_CONF_TAKE12,
        ngx_http_status_set_score, check.categories, NULL),

    ngx_http_status_command("score_history", CHECK|NGX_CONF_TAKE2,
        ngx_http_status_set_score_history, check.series, NULL),

    ngx_http_status_command("drop", ANY|NGX_CONF_1MORE,
        ngx_http_status_set_delta, check.drop, NULL),

    ngx_http_status_command("slower", ANY|NGX_CONF_1MORE,
        ngx_http_status_set_delta, check.slower, NULL),

      ngx_null_command
};


/* "status_monitor NAME { }" */

static char *
ngx_http_status_monitor_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                         *rv;
    ngx_int_t                     rc;
    ngx_str_t                    *name;
    ngx_uint_t                    i, line;
    ngx_status_monitor_t         *monitor, **m;
    ngx_http_status_scope_t      *scope;
    ngx_http_status_main_conf_t  *mcf = conf;

    name = (ngx_str_t *) cf->args->elts + 1;

    if (ngx_http_status_id(name) != NGX_OK) {
        return ngx_http_status_invalid(cf, cmd, name, "1 to 63 characters of "
                        "A-Z a-z 0-9 . _ - that do not begin with a dot");
    }

    if (mcf->monitors == NULL) {
        mcf->monitors = ngx_array_create(cf->pool, 1, sizeof(void *));
        if (mcf->monitors == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    m = mcf->monitors->elts;

    for (i = 0; i < mcf->monitors->nelts; i++) {
        if (m[i]->name.len == name->len
            && ngx_strncmp(m[i]->name.data, name->data, name->len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate monitor \"%V\"", name);
            return NGX_CONF_ERROR;
        }
    }

    monitor = ngx_pcalloc(cf->pool, sizeof(ngx_status_monitor_t));
    scope = ngx_http_status_scope(cf, NULL, NGX_HTTP_STATUS_MONITOR);

    if (monitor == NULL || scope == NULL) {
        return NGX_CONF_ERROR;
    }

    monitor->name = *name;

    m = ngx_array_push(mcf->monitors);
    if (m == NULL) {
        return NGX_CONF_ERROR;
    }

    *m = monitor;

    rv = ngx_http_status_block(cf, scope);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    /* what is wrong with the whole is reported where it begins */

    line = cf->conf_file->line;
    cf->conf_file->line = scope->line;

    rc = ngx_http_status_build(cf, scope, monitor);

    cf->conf_file->line = line;

    return rc == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* "group TITLE { }"; a title that comes again continues the same group. */

static char *
ngx_http_status_group_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *title;
    ngx_uint_t                i;
    ngx_status_group_t       *group;
    ngx_http_status_scope_t  *scope, *outer = conf;

    if (outer->level != NGX_HTTP_STATUS_MONITOR) {
        return outer->level == NGX_HTTP_STATUS_GROUP
               ? "is not allowed in another group, only in a monitor"
               : "is not allowed in a check, only in a monitor";
    }

    title = (ngx_str_t *) cf->args->elts + 1;

    if (ngx_http_status_printable(title) != NGX_OK) {
        return ngx_http_status_invalid(cf, cmd, title,
                                       "1 to 255 bytes of printable UTF-8");
    }

    group = outer->groups.elts;

    for (i = 1; i < outer->groups.nelts; i++) {
        if (group[i].title.len == title->len
            && ngx_strncmp(group[i].title.data, title->data, title->len) == 0)
        {
            break;
        }
    }

    if (i == outer->groups.nelts) {
        group = ngx_array_push(&outer->groups);
        if (group == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(group, sizeof(ngx_status_group_t));
        group->title = *title;
    }

    scope = ngx_http_status_scope(cf, outer, NGX_HTTP_STATUS_GROUP);
    if (scope == NULL) {
        return NGX_CONF_ERROR;
    }

    scope->group = i;
    scope->check.group = *title;

    return ngx_http_status_block(cf, scope);
}


/* "check ID URL { }" */

static char *
ngx_http_status_check_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                      err[NGX_HTTP_STATUS_ERR];
    ngx_str_t                *word;
    ngx_status_check_t       *check;
    ngx_http_status_scope_t  *scope, *first, *outer = conf;

    if (outer->level == NGX_HTTP_STATUS_CHECK) {
        return "is not allowed in another check, only in a monitor or a group";
    }

    word = cf->args->elts;

    if (ngx_http_status_id(&word[1]) != NGX_OK) {
        return ngx_http_status_invalid(cf, cmd, &word[1],
                                       NGX_HTTP_STATUS_AN_ID);
    }

    scope = ngx_http_status_scope(cf, outer, NGX_HTTP_STATUS_CHECK);
    if (scope == NULL) {
        return NGX_CONF_ERROR;
    }

    scope->node.str = word[1];
    scope->node.node.key = ngx_crc32_short(word[1].data, word[1].len);

    first = (ngx_http_status_scope_t *)
                ngx_str_rbtree_lookup(&scope->monitor->ids, &word[1],
                                      scope->node.node.key);
    if (first) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate check \"%V\", "
                           "the first is in %s:%ui",
                           &word[1], first->file, first->line);
        return NGX_CONF_ERROR;
    }

    ngx_rbtree_insert(&scope->monitor->ids, &scope->node.node);

    check = &scope->check;
    check->id = word[1];
    check->url = word[2];
    check->group = outer->check.group;
    scope->group = outer->group;

    if (ngx_status_check_url(cf->pool, check, err, sizeof(err)) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "check \"%V\": %s",
                           &check->id, err);
        return NGX_CONF_ERROR;
    }

    return ngx_http_status_block(cf, scope);
}


static ngx_http_status_scope_t *
ngx_http_status_scope(ngx_conf_t *cf, ngx_http_status_scope_t *outer,
    ngx_uint_t level)
{
    ngx_status_check_t        *c;
    ngx_status_group_t        *group;
    ngx_http_status_scope_t   *scope, **s;

    scope = ngx_pcalloc(cf->pool, sizeof(ngx_http_status_scope_t));
    if (scope == NULL) {
        return NULL;
    }

    scope->outer = outer;
    scope->monitor = outer ? outer->monitor : scope;
    scope->level = level;
    scope->file = cf->conf_file->file.name.data;
    scope->line = cf->conf_file->line;

    c = &scope->check;

    c->core = NGX_CONF_UNSET_UINT;
    c->interval = NGX_CONF_UNSET_MSEC;
    c->timeout = NGX_CONF_UNSET_MSEC;
    c->fall = NGX_CONF_UNSET_UINT;
    c->rise = NGX_CONF_UNSET_UINT;
    c->degraded = NGX_CONF_UNSET_UINT;
    c->follow = NGX_CONF_UNSET_UINT;
    c->tls_verify = NGX_CONF_UNSET;
    c->keepalive = NGX_CONF_UNSET;
    c->max_body = NGX_CONF_UNSET_SIZE;

    /* strings, JSON paths, deltas and headers are unset as zeroes */

    scope->max_in_flight = NGX_CONF_UNSET_UINT;
    scope->max_per_host = NGX_CONF_UNSET_UINT;
    scope->zone_size = NGX_CONF_UNSET_SIZE;

    if (ngx_array_init(&scope->conds, cf->pool, 4, sizeof(ngx_status_cond_t))
        != NGX_OK
        || ngx_array_init(&scope->bots, cf->pool, 1, sizeof(ngx_str_t))
           != NGX_OK
        || ngx_array_init(&scope->secrets, cf->pool, 1, sizeof(ngx_str_t))
           != NGX_OK
        || ngx_array_init(&c->settings, cf->pool, 2,
                          sizeof(ngx_status_setting_t))
           != NGX_OK)
    {
        return NULL;
    }

    if (outer) {
        s = ngx_array_push(&scope->monitor->scopes);
        if (s == NULL) {
            return NULL;
        }

        *s = scope;

        return scope;
    }

    ngx_rbtree_init(&scope->ids, &scope->sentinel,
                    ngx_str_rbtree_insert_value);

    if (ngx_array_init(&scope->scopes, cf->pool, 16, sizeof(void *)) != NGX_OK
        || ngx_array_init(&scope->groups, cf->pool, 4,
                          sizeof(ngx_status_group_t))
           != NGX_OK)
    {
        return NULL;
    }

    /* of the checks outside a group */

    group = ngx_array_push(&scope->groups);
    ngx_memzero(group, sizeof(ngx_status_group_t));

    return scope;
}


/*
 * Reads a block with the ordinary parser: its commands are those with the
 * level's flag, their "conf" is the scope.  NGX_MAIN_CONF lets "include"
 * in; no command of an http module has it.
 */

static char *
ngx_http_status_block(ngx_conf_t *cf, ngx_http_status_scope_t *scope)
{
    char                 *rv;
    ngx_conf_t            save;
    ngx_http_conf_ctx_t  *ctx;

    ctx = ngx_pcalloc(cf->temp_pool, sizeof(ngx_http_conf_ctx_t));
    if (ctx == NULL) {
        return NGX_CONF_ERROR;
    }

    ctx->loc_conf = ngx_pcalloc(cf->temp_pool,
                                sizeof(void *) * ngx_http_max_module);
    if (ctx->loc_conf == NULL) {
        return NGX_CONF_ERROR;
    }

    ctx->main_conf = ((ngx_http_conf_ctx_t *) cf->ctx)->main_conf;
    ctx->loc_conf[ngx_http_status_module.ctx_index] = scope;

    save = *cf;
    cf->ctx = ctx;
    cf->cmd_type = NGX_MAIN_CONF|scope->level;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


/* IDs and monitors' names. */

ngx_int_t
ngx_http_status_id(ngx_str_t *id)
{
    if (id->len == 0 || id->len >= NGX_STATUS_ID || id->data[0] == '.'
        || strspn((char *) id->data, NGX_STATUS_ID_BYTES) != id->len)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
