
/*
 * Copyright (C) ngx_status_module authors
 *
 * Requests: from a path and arguments to what they ask for.  No file is
 * touched and nobody is waited for.
 */


#include "ngx_http_status_answer.h"
#include "ngx_status_accept.h"


#define NGX_HTTP_STATUS_ARG  128     /* bytes of an argument's value at most */


/* The arguments that are looked at, decoded; data NULL: not given. */

typedef struct {
    ngx_str_t                   team;
    ngx_str_t                   group;
    ngx_str_t                   check;   /* of CSV and metrics */
    ngx_str_t                   v;       /* an asset's version */
} ngx_http_status_args_t;


static ngx_int_t ngx_http_status_path(ngx_http_request_t *r,
    const ngx_status_snapshot_t *snapshot, ngx_http_status_want_t *want);
static const ngx_status_format_t *ngx_http_status_metrics(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_status_redirect(ngx_http_request_t *r);
static ngx_int_t ngx_http_status_args(ngx_http_request_t *r,
    ngx_http_status_args_t *args);
static ngx_int_t ngx_http_status_arg(ngx_http_request_t *r, u_char *p,
    u_char *last, ngx_str_t *value);
static ngx_int_t ngx_http_status_filter(const ngx_status_monitor_t *monitor,
    const ngx_http_status_args_t *args, ngx_status_ask_t *ask);
static ngx_uint_t ngx_http_status_probed(
    const ngx_status_snapshot_t *snapshot, const ngx_status_ask_t *ask);
static const ngx_status_view_t *ngx_http_status_view(
    const ngx_status_snapshot_t *snapshot, const ngx_str_t *id);


#define ngx_http_status_is(s, text)                                          \
    ((s)->len == sizeof(text) - 1                                            \
     && ngx_memcmp((s)->data, text, sizeof(text) - 1) == 0)


static const ngx_http_status_header_t  ngx_http_status_allow =
    { ngx_string("Allow"), ngx_string("GET, HEAD") };


ngx_int_t
ngx_http_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_status_monitor_t        *monitor;
    ngx_http_status_want_t       want;
    ngx_http_status_args_t       args;
    ngx_http_status_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_status_module);
    monitor = lcf->monitor;

    if (lcf->kind == NGX_HTTP_STATUS_PUSH) {
        return ngx_http_status_push(r);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_status_snapshot(monitor, &monitor->snapshot, r->connection->log)
        == NGX_ERROR)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&want, sizeof(ngx_http_status_want_t));
    ngx_memzero(&args, sizeof(ngx_http_status_args_t));

    want.ask.internal = lcf->internal;
    want.ask.probe = lcf->probe;

    if (lcf->kind == NGX_HTTP_STATUS_JSON) {
        want.format = &ngx_status_format_json;

    } else if (lcf->kind == NGX_HTTP_STATUS_CSV) {
        want.format = &ngx_status_format_csv;

    } else if (lcf->kind == NGX_HTTP_STATUS_METRICS) {
        want.format = ngx_http_status_metrics(r);

    } else {
        rc = ngx_http_status_path(r, monitor->snapshot, &want);
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        rc = NGX_HTTP_NOT_ALLOWED;
    }

    if (rc == NGX_OK && r->args.len) {
        rc = ngx_http_status_args(r, &args);

        if (rc == NGX_OK && want.format && want.ask.view == NULL) {
            rc = ngx_http_status_filter(monitor, &args, &want.ask);
        }

        if (rc == NGX_OK && args.check.len
            && (lcf->kind == NGX_HTTP_STATUS_CSV
                || lcf->kind == NGX_HTTP_STATUS_METRICS))
        {
            want.ask.view = ngx_http_status_view(monitor->snapshot,
                                                 &args.check);

            if (want.ask.view == NULL
                || !ngx_status_asked(monitor->snapshot, &want.ask,
                                     want.ask.view))
            {
                rc = NGX_HTTP_NOT_FOUND;
            }
        }
    }

    if (rc == NGX_OK && want.ask.probe
        && !ngx_http_status_probed(monitor->snapshot, &want.ask))
    {
        rc = NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (rc == NGX_OK) {
        return ngx_http_status_answer(r, lcf, &want, &args.v);
    }

    if (rc == NGX_HTTP_NOT_ALLOWED
        && ngx_http_status_header(r, &ngx_http_status_allow) == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* programs are answered in JSON, readers with nginx's own page */

    if (want.format && want.format != &ngx_status_format_html) {
        return ngx_http_status_refuse(r, rc);
    }

    return rc;
}


/* What is behind the location's own name; links need the slash there. */

static ngx_int_t
ngx_http_status_path(ngx_http_request_t *r,
    const ngx_status_snapshot_t *snapshot, ngx_http_status_want_t *want)
{
    ngx_str_t                    rest;
    ngx_http_core_loc_conf_t    *clcf;
    const ngx_status_asset_t    *asset;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r->uri.len < clcf->name.len
        || ngx_strncmp(r->uri.data, clcf->name.data, clcf->name.len) != 0)
    {
        return NGX_HTTP_NOT_FOUND;
    }

    rest.data = r->uri.data + clcf->name.len;
    rest.len = r->uri.len - clcf->name.len;

    want->format = &ngx_status_format_html;

    if (clcf->name.len && clcf->name.data[clcf->name.len - 1] != '/') {

        if (rest.len == 0) {
            return ngx_http_status_redirect(r);
        }

        if (rest.data[0] != '/') {
            return NGX_HTTP_NOT_FOUND;
        }

        rest.data++;
        rest.len--;
    }

    if (rest.len == 0) {
        return NGX_OK;
    }

    if (ngx_http_status_is(&rest, "status.json")) {
        want->format = &ngx_status_format_json;
        return NGX_OK;
    }

    if (rest.len > sizeof("check/") - 1
        && ngx_strncmp(rest.data, "check/", sizeof("check/") - 1) == 0)
    {
        rest.data += sizeof("check/") - 1;
        rest.len -= sizeof("check/") - 1;

        want->ask.view = ngx_http_status_view(snapshot, &rest);

        return want->ask.view ? NGX_OK : NGX_HTTP_NOT_FOUND;
    }

    for (asset = ngx_status_assets; asset->name.len; asset++) {

        if (ngx_status_asset_public(asset)
            && asset->name.len == rest.len
            && ngx_memcmp(asset->name.data, rest.data, rest.len) == 0)
        {
            want->format = NULL;
            want->asset = asset;
            return NGX_OK;
        }
    }

    return NGX_HTTP_NOT_FOUND;
}


/* The text format unless the client likes the other one better. */

static const ngx_status_format_t *
ngx_http_status_metrics(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return &ngx_status_format_metrics;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == sizeof("Accept") - 1
            && ngx_strncasecmp(h[i].key.data, (u_char *) "Accept",
                               sizeof("Accept") - 1)
               == 0)
        {
            break;
        }
    }

    return ngx_status_accept(&h[i].value, "application", "openmetrics-text",
                             "1.0.0")
           > ngx_status_accept(&h[i].value, "text", "plain", "0.0.4")
           ? &ngx_status_format_openmetrics : &ngx_status_format_metrics;
}


/*
 * Relative to what the client asked for, because behind a proxy neither the
 * host nor the prefix need be those that it knows; "./" keeps a colon in
 * the name from becoming a scheme.
 */

static ngx_int_t
ngx_http_status_redirect(ngx_http_request_t *r)
{
    u_char                    *p, *last, *name;
    ngx_http_status_header_t   location;

    name = r->unparsed_uri.data;
    last = name + r->unparsed_uri.len;

    for (p = name; p < last && *p != '?' && *p != '#'; p++) {
        if (*p == '/') {
            name = p + 1;
        }
    }

    last = p;

    /* after a rewrite, or in a subrequest, links work as they are */

    if (name == last || r != r->main) {
        return NGX_OK;
    }

    ngx_str_set(&location.key, "Location");

    location.value.data = ngx_pnalloc(r->pool,
                                      sizeof("./") - 1 + (last - name)
                                      + sizeof("/?") - 1 + r->args.len);
    if (location.value.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(location.value.data, "./", sizeof("./") - 1);
    p = ngx_cpymem(p, name, last - name);
    *p++ = '/';

    if (r->args.len) {
        *p++ = '?';
        p = ngx_cpymem(p, r->args.data, r->args.len);
    }

    location.value.len = p - location.value.data;

    ngx_http_clear_location(r);

    r->headers_out.location = ngx_http_status_header(r, &location);
    if (r->headers_out.location == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_MOVED_PERMANENTLY;
}


static ngx_int_t
ngx_http_status_args(ngx_http_request_t *r, ngx_http_status_args_t *args)
{
    u_char     *p, *last, *next, *eq;
    ngx_int_t   rc;
    ngx_str_t   name, *value;

    last = r->args.data + r->args.len;

    for (p = r->args.data; p < last; p = next + 1) {

        next = ngx_strlchr(p, last, '&');
        if (next == NULL) {
            next = last;
        }

        eq = ngx_strlchr(p, next, '=');
        if (eq == NULL) {
            eq = next;
        }

        name.data = p;
        name.len = eq - p;

        if (ngx_http_status_is(&name, "team")) {
            value = &args->team;

        } else if (ngx_http_status_is(&name, "group")) {
            value = &args->group;

        } else if (ngx_http_status_is(&name, "check")
                   || ngx_http_status_is(&name, "target"))
        {
            value = &args->check;

        } else if (ngx_http_status_is(&name, "v")) {
            value = &args->v;

        } else {
            continue;
        }

        if (value->data) {
            return NGX_HTTP_BAD_REQUEST;
        }

        rc = ngx_http_status_arg(r, ngx_min(eq + 1, next), next, value);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_status_arg(ngx_http_request_t *r, u_char *p, u_char *last,
    ngx_str_t *value)
{
    ngx_int_t  n;

    value->data = ngx_pnalloc(r->pool, NGX_HTTP_STATUS_ARG);
    if (value->data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (value->len = 0; p < last; value->len++) {

        if (value->len == NGX_HTTP_STATUS_ARG) {
            return NGX_HTTP_BAD_REQUEST;
        }

        if (*p == '%') {
            n = (last - p >= 3) ? ngx_hextoi(p + 1, 2) : NGX_ERROR;
            if (n == NGX_ERROR) {
                return NGX_HTTP_BAD_REQUEST;
            }

            value->data[value->len] = (u_char) n;
            p += 3;

        } else {
            value->data[value->len] = (*p == '+') ? ' ' : *p;
            p++;
        }
    }

    return NGX_OK;
}


/* An empty value asks for all, as a form without a choice does. */

static ngx_int_t
ngx_http_status_filter(const ngx_status_monitor_t *monitor,
    const ngx_http_status_args_t *args, ngx_status_ask_t *ask)
{
    ngx_uint_t                 i;
    const ngx_str_t           *team;
    const ngx_status_group_t  *group;

    for (i = 0; args->team.len && i < monitor->nteams; i++) {
        team = &monitor->teams[i];

        if (team->len == args->team.len
            && ngx_memcmp(team->data, args->team.data, team->len) == 0)
        {
            ask->team = team;
            break;
        }
    }

    for (i = 0; args->group.len && i < monitor->ngroups; i++) {
        group = &monitor->groups[i];

        if (group->title.len == args->group.len
            && ngx_memcmp(group->title.data, args->group.data,
                          group->title.len)
               == 0)
        {
            ask->group = group;
            break;
        }
    }

    if ((args->team.len && ask->team == NULL)
        || (args->group.len && ask->group == NULL))
    {
        return NGX_HTTP_NOT_FOUND;
    }

    return NGX_OK;
}


/* Who asks for a probe takes an answer without one for a probe that failed. */

static ngx_uint_t
ngx_http_status_probed(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask)
{
    return ask->view ? ngx_status_view_probed(snapshot, ask->view)
                     : snapshot->alive;
}


static const ngx_status_view_t *
ngx_http_status_view(const ngx_status_snapshot_t *snapshot,
    const ngx_str_t *id)
{
    ngx_uint_t                i;
    const ngx_status_view_t  *view;

    for (i = 0; i < snapshot->monitor->nchecks; i++) {
        view = &snapshot->views[i];

        if (view->check->id.len == id->len
            && ngx_memcmp(view->check->id.data, id->data, id->len) == 0)
        {
            return view;
        }
    }

    return NULL;
}
