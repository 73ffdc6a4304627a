
/*
 * Copyright (C) ngx_status_module authors
 *
 * A monitor from its blocks: checks in their order, groups, teams, zone.
 * Master, while it reads the configuration.
 */


#include "ngx_http_status_conf.h"
#include "ngx_status_sentinel.h"


static ngx_int_t ngx_http_status_build_checks(ngx_conf_t *cf,
    ngx_http_status_scope_t *scope, ngx_status_monitor_t *monitor);
static ngx_int_t ngx_http_status_build_sentinels(ngx_conf_t *cf,
    ngx_http_status_scope_t *scope, ngx_status_monitor_t *monitor);
static ngx_int_t ngx_http_status_build_renamed(ngx_conf_t *cf,
    ngx_http_status_scope_t *scope);
static ngx_int_t ngx_http_status_build_teams(ngx_conf_t *cf,
    ngx_status_monitor_t *monitor);
static ngx_int_t ngx_http_status_build_zone(ngx_conf_t *cf,
    ngx_http_status_scope_t *scope, ngx_status_monitor_t *monitor);


/* "history minutes=24h hours=30d days=400d": how far back each rung goes */

char *
ngx_http_status_set_history(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    size_t                      len;
    ngx_int_t                   seconds;
    ngx_str_t                  *word, time;
    ngx_uint_t                  i, k;
    ngx_http_status_scope_t    *scope = conf;

    /* the page's timeline, and what a copy needs to sum up an open day */

    static const struct {
        ngx_str_t               name;
        ngx_int_t               unit;
        ngx_int_t               min;
        ngx_int_t               max;
        const char             *allowed;
    }  rungs[NGX_STATUS_LADDER] = {
        { ngx_string("minutes="), 60, 4 * 3600, 7 * 86400,
          "minutes= and a time from 4h to 7d" },
        { ngx_string("hours="), 3600, 2 * 86400, 366 * 86400,
          "hours= and a time from 2d to 366d" },
        { ngx_string("days="), 86400, 86400, 3660 * 86400,
          "days= and a time from 1d to 3660d" }
    };

    uint32_t                   *kept[] = { &scope->history.minutes,
                                           &scope->history.hours,
                                           &scope->history.days };

    if (scope->history.minutes || scope->history.hours || scope->history.days)
    {
        return "is duplicate";
    }

    word = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        for (k = 0; k < NGX_STATUS_LADDER; k++) {
            if (ngx_strncmp(word[i].data, rungs[k].name.data,
                            rungs[k].name.len) == 0)
            {
                break;
            }
        }

        if (k == NGX_STATUS_LADDER) {
            return ngx_http_status_invalid(cf, cmd, &word[i],
                                           "minutes=, hours= or days=");
        }

        if (*kept[k]) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%V: \"%V\" sets what was set before it",
                               &cmd->name, &word[i]);
            return NGX_CONF_ERROR;
        }

        len = rungs[k].name.len;
        time.data = word[i].data + len;
        time.len = word[i].len - len;

        seconds = ngx_parse_time(&time, 1);

        if (seconds == NGX_ERROR || seconds < rungs[k].min
            || seconds > rungs[k].max)
        {
            return ngx_http_status_invalid(cf, cmd, &word[i],
                                           rungs[k].allowed);
        }

        *kept[k] = (seconds + rungs[k].unit - 1) / rungs[k].unit;
    }

    return NGX_CONF_OK;
}


/* "sentinel ID ID..." */

char *
ngx_http_status_set_sentinel(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *word, *id;
    ngx_uint_t                i;
    ngx_http_status_scope_t  *scope = conf;

    word = cf->args->elts;

    if (scope->sentinels) {
        return "is duplicate";
    }

    scope->sentinels = ngx_array_create(cf->pool, cf->args->nelts,
                                        sizeof(ngx_str_t));
    if (scope->sentinels == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_status_id(&word[i]) != NGX_OK) {
            return ngx_http_status_invalid(cf, cmd, &word[i],
                                           NGX_HTTP_STATUS_AN_ID);
        }

        id = ngx_array_push(scope->sentinels);
        *id = word[i];                 /* there is room for all */
    }

    scope->sentinel_line = cf->conf_file->line;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_status_build(ngx_conf_t *cf, ngx_http_status_scope_t *scope,
    ngx_status_monitor_t *monitor)
{
    monitor->title = scope->check.title.data ? scope->check.title
                                             : monitor->name;

    ngx_conf_init_uint_value(scope->max_in_flight, 64);
    ngx_conf_init_uint_value(scope->max_per_host, 8);

    monitor->max_in_flight = scope->max_in_flight;
    monitor->max_per_host = scope->max_per_host;
    monitor->store_conf = scope->store;
    monitor->export_conf = scope->export;
    monitor->archive_conf = scope->archive;

    if (ngx_http_status_build_checks(cf, scope, monitor) != NGX_OK
        || ngx_http_status_build_renamed(cf, scope) != NGX_OK
        || ngx_http_status_build_sentinels(cf, scope, monitor) != NGX_OK
        || ngx_http_status_build_pushed(cf, scope, monitor) != NGX_OK
        || ngx_http_status_build_teams(cf, monitor) != NGX_OK)
    {
        return NGX_ERROR;
    }

    monitor->page = ngx_http_status_template(cf, scope, "index.html",
                                             ngx_status_html_page_fields);
    if (monitor->page == NULL) {
        return NGX_ERROR;
    }

    monitor->detail = ngx_http_status_template(cf, scope, "check.html",
                                               ngx_status_html_detail_fields);
    if (monitor->detail == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_status_build_zone(cf, scope, monitor);
}


/* Merges all levels and sorts the checks by group. */

static ngx_int_t
ngx_http_status_build_checks(ngx_conf_t *cf, ngx_http_status_scope_t *scope,
    ngx_status_monitor_t *monitor)
{
    ngx_uint_t                 i, n;
    ngx_status_group_t        *group;
    ngx_http_status_scope_t  **s;

    s = scope->scopes.elts;
    group = scope->groups.elts;

    /* in order of appearance: a group is merged before what is in it */

    for (i = 0; i < scope->scopes.nelts; i++) {

        if (ngx_http_status_merge(cf, s[i]->outer, s[i]) != NGX_OK) {
            return NGX_ERROR;
        }

        if (s[i]->level == NGX_HTTP_STATUS_CHECK) {

            if (ngx_http_status_finish(cf, s[i]) != NGX_OK) {
                return NGX_ERROR;
            }

            group[s[i]->group].n++;
            monitor->nchecks++;
        }
    }

    if (monitor->nchecks == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "monitor \"%V\" has no check, expected one at "
                           "least", &monitor->name);
        return NGX_ERROR;
    }

    monitor->checks = ngx_palloc(cf->pool,
                                 monitor->nchecks * sizeof(void *));
    if (monitor->checks == NULL) {
        return NGX_ERROR;
    }

    for (i = 0, n = 0; i < scope->groups.nelts; i++) {
        group[i].first = n;
        n += group[i].n;
        group[i].n = 0;
    }

    for (i = 0; i < scope->scopes.nelts; i++) {
        if (s[i]->level == NGX_HTTP_STATUS_CHECK) {
            n = s[i]->group;
            monitor->checks[group[n].first + group[n].n++] = &s[i]->check;
        }
    }

    /* groups without a check are no groups */

    for (i = 0; i < scope->scopes.nelts; i++) {

        if (s[i]->level == NGX_HTTP_STATUS_GROUP
            && group[s[i]->group].n == 0)
        {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "group \"%V\" is left out as it has no check "
                          "in %s:%ui", &s[i]->check.group,
                          s[i]->file, s[i]->line);
        }
    }

    for (i = 0, n = 0; i < scope->groups.nelts; i++) {
        if (group[i].n) {
            group[n++] = group[i];
        }
    }

    monitor->groups = group;
    monitor->ngroups = n;

    return NGX_OK;
}


/* They may stand behind the directive: only now all checks are known. */

static ngx_int_t
ngx_http_status_build_sentinels(ngx_conf_t *cf,
    ngx_http_status_scope_t *scope, ngx_status_monitor_t *monitor)
{
    char                     *what;
    ngx_str_t                *id;
    ngx_uint_t                i;
    ngx_http_status_scope_t  *s;

    if (scope->sentinels == NULL) {
        return NGX_OK;
    }

    id = scope->sentinels->elts;

    for (i = 0; i < scope->sentinels->nelts; i++) {

        s = (ngx_http_status_scope_t *)
                ngx_str_rbtree_lookup(&scope->ids, &id[i],
                                      ngx_crc32_short(id[i].data, id[i].len));

        if (s == NULL) {
            what = "is no check of this monitor";

        } else if (!ngx_status_sentinel_concerns(&s->check)) {
            what = "asks this machine only";

        } else if (s->check.sentinel) {
            what = "is named twice";

        } else {
            s->check.sentinel = 1;
            monitor->nsentinels++;
            continue;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "sentinel \"%V\" %s, expected checks of other machines "
                      "in %s:%ui", &id[i], what, scope->file,
                      scope->sentinel_line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* An ID of before can be that of one check alone, and of none that is. */

static ngx_int_t
ngx_http_status_build_renamed(ngx_conf_t *cf, ngx_http_status_scope_t *scope)
{
    ngx_str_t                 *was;
    ngx_uint_t                 i, k;
    ngx_http_status_scope_t  **s, *other;

    s = scope->scopes.elts;

    for (i = 0; i < scope->scopes.nelts; i++) {

        was = &s[i]->check.was;

        if (was->len == 0) {
            continue;
        }

        other = (ngx_http_status_scope_t *)
                    ngx_str_rbtree_lookup(&scope->ids, was,
                                       ngx_crc32_short(was->data, was->len));
        if (other) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "check \"%V\": was \"%V\" is the ID of the check "
                          "in %s:%ui, expected one of before in %s:%ui",
                          &s[i]->check.id, was, other->file, other->line,
                          s[i]->file, s[i]->line);
            return NGX_ERROR;
        }

        for (k = 0; k < i; k++) {

            other = s[k];

            if (other->check.was.len == was->len
                && ngx_memcmp(other->check.was.data, was->data, was->len) == 0)
            {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "check \"%V\": was \"%V\" is said of check "
                              "\"%V\" already in %s:%ui", &s[i]->check.id, was,
                              &other->check.id, s[i]->file, s[i]->line);
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_status_build_teams(ngx_conf_t *cf, ngx_status_monitor_t *monitor)
{
    ngx_int_t    rc;
    ngx_str_t   *team, *t;
    ngx_uint_t   i, j;
    ngx_array_t  teams;

    if (ngx_array_init(&teams, cf->pool, 4, sizeof(ngx_str_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < monitor->nchecks; i++) {

        team = &monitor->checks[i]->team;

        if (team->len == 0) {
            continue;
        }

        t = teams.elts;
        rc = 1;

        for (j = 0; j < teams.nelts; j++) {
            rc = ngx_memn2cmp(team->data, t[j].data, team->len, t[j].len);
            if (rc <= 0) {
                break;
            }
        }

        if (rc == 0) {
            continue;
        }

        if (ngx_array_push(&teams) == NULL) {
            return NGX_ERROR;
        }

        t = teams.elts;
        ngx_memmove(&t[j + 1], &t[j],
                    (teams.nelts - 1 - j) * sizeof(ngx_str_t));
        t[j] = *team;
    }

    monitor->teams = teams.elts;
    monitor->nteams = teams.nelts;

    return NGX_OK;
}


static ngx_int_t
ngx_http_status_build_zone(ngx_conf_t *cf, ngx_http_status_scope_t *scope,
    ngx_status_monitor_t *monitor)
{
    size_t                      size, needed;
    ngx_uint_t                  i;
    const ngx_str_t           **ids, **was;
    ngx_status_history_conf_t   history;

    history.minutes = scope->history.minutes ? scope->history.minutes : 1440;
    history.hours = scope->history.hours ? scope->history.hours : 720;
    history.days = scope->history.days ? scope->history.days : 400;

    /*
     * The first score makes another layout, thus another size and a new
     * zone.  A zone of a given size has a place for scores from the
     * beginning, or it could not be adopted then.
     */

    history.scores = (scope->zone_size != NGX_CONF_UNSET_SIZE);

    for (i = 0; i < monitor->nchecks; i++) {
        if (monitor->checks[i]->score) {
            history.scores = 1;
        }
    }

    needed = ngx_status_zone_size(&history, monitor->nchecks);
    size = scope->zone_size;

    if (size == NGX_CONF_UNSET_SIZE) {
        size = ngx_status_zone_size(&history,
                                    ngx_status_zone_slots(monitor->nchecks));

    } else if (size < needed) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone of %uz bytes is too small for the %ui "
                           "check%s of monitor \"%V\", expected %uzk at "
                           "least", size, monitor->nchecks,
                           monitor->nchecks == 1 ? "" : "s", &monitor->name,
                           (needed + 1023) / 1024);
        return NGX_ERROR;
    }

    ids = ngx_palloc(cf->pool, 2 * monitor->nchecks * sizeof(ngx_str_t *));
    if (ids == NULL) {
        return NGX_ERROR;
    }

    was = ids + monitor->nchecks;

    for (i = 0; i < monitor->nchecks; i++) {
        ids[i] = &monitor->checks[i]->id;
        was[i] = &monitor->checks[i]->was;
    }

    monitor->zone = ngx_status_zone_add(cf, &monitor->name, &history,
                                        monitor->nchecks, size,
                                        &ngx_http_status_module);
    if (monitor->zone == NULL) {
        return NGX_ERROR;
    }

    monitor->zone->ids = ids;
    monitor->zone->was = was;

    if (scope->zone_size == NGX_CONF_UNSET_SIZE) {
        size = ngx_status_zone_reshape(monitor->zone);
    }

    if (ngx_test_config && !ngx_quiet_mode) {
        ngx_log_stderr(0, "status monitor \"%V\": %ui check%s, zone "
                       "\"status:%V\" %uz bytes, %uz bytes a check",
                       &monitor->name, monitor->nchecks,
                       monitor->nchecks == 1 ? "" : "s", &monitor->name,
                       size, ngx_status_zone_slot_size(&history));
    }

    return NGX_OK;
}
