
/*
 * Copyright (C) ngx_status_module authors
 *
 * The directives that make a check, which a group and a monitor may set for
 * the checks in them.  All in the master, while it reads the configuration.
 */


#include "ngx_http_status_conf.h"


#define NGX_HTTP_STATUS_TITLE   256  /* bytes, with a NUL */


static ngx_int_t ngx_http_status_decimal(u_char *p, const char *unit,
    double *value);


char *
ngx_http_status_invalid(ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *word,
    const char *allowed)
{
    char  copy[NGX_STATUS_MESSAGE];

    /* one line of readable length, whatever the word */

    ngx_status_text_copy(copy, sizeof(copy), word->data, word->len);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid %V \"%s\", expected %s",
                       &cmd->name, copy, allowed);

    return NGX_CONF_ERROR;
}


/*
 * Times, sizes and plain numbers: nginx's types of the three are all as
 * wide as a pointer and unset when all bits are.
 */

char *
ngx_http_status_set_number(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                  value;
    ngx_str_t                 *word;
    ngx_uint_t                *field;
    ngx_http_status_bounds_t  *bounds;

    field = (ngx_uint_t *) ((char *) conf + cmd->offset);
    bounds = cmd->post;
    word = cf->args->elts;

    if (*field != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    switch (bounds->kind) {

    case NGX_HTTP_STATUS_TIME:
        value = ngx_parse_time(&word[1], 0);
        break;

    case NGX_HTTP_STATUS_SIZE:
        value = ngx_parse_size(&word[1]);
        break;

    default: /* NGX_HTTP_STATUS_COUNT */
        value = ngx_atoi(word[1].data, word[1].len);
        break;
    }

    if (value == NGX_ERROR || value < bounds->min || value > bounds->max) {
        return ngx_http_status_invalid(cf, cmd, &word[1], bounds->allowed);
    }

    *field = value;

    return NGX_CONF_OK;
}


/* A title, a team, a user agent: what people read and headers may hold. */

char *
ngx_http_status_set_text(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *field, *word;
    ngx_http_status_scope_t  *scope = conf;

    field = (ngx_str_t *) ((char *) conf + cmd->offset);
    word = cf->args->elts;

    if (field->data) {
        return "is duplicate";
    }

    if (field == &scope->check.title
        && scope->level == NGX_HTTP_STATUS_GROUP)
    {
        return "is not allowed in a group, whose title stands behind "
               "\"group\"";
    }

    if (ngx_http_status_printable(&word[1]) != NGX_OK) {
        return ngx_http_status_invalid(cf, cmd, &word[1],
                                       "1 to 255 bytes of printable UTF-8");
    }

    *field = word[1];

    return NGX_CONF_OK;
}


/* "was OLDID" */

char *
ngx_http_status_set_was(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *word;
    ngx_http_status_scope_t  *scope = conf;

    word = cf->args->elts;

    if (scope->check.was.len) {
        return "is duplicate";
    }

    if (ngx_http_status_id(&word[1]) != NGX_OK) {
        return ngx_http_status_invalid(cf, cmd, &word[1],
                                       NGX_HTTP_STATUS_AN_ID);
    }

    scope->check.was = word[1];

    return NGX_CONF_OK;
}


char *
ngx_http_status_set_role(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *word;
    ngx_http_status_scope_t  *scope = conf;

    word = cf->args->elts;

    if (scope->check.core != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    if (ngx_strcmp(word[1].data, "core") == 0) {
        scope->check.core = 1;

    } else if (ngx_strcmp(word[1].data, "extra") == 0) {
        scope->check.core = 0;

    } else {
        return ngx_http_status_invalid(cf, cmd, &word[1], "core or extra");
    }

    return NGX_CONF_OK;
}


/* "uptime degraded=WEIGHT" */

char *
ngx_http_status_set_uptime(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    size_t                    len;
    ngx_int_t                 weight;
    ngx_str_t                *word;
    ngx_http_status_scope_t  *scope = conf;

    word = cf->args->elts;

    if (scope->check.degraded != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    len = sizeof("degraded=") - 1;
    weight = NGX_ERROR;

    if (ngx_strncmp(word[1].data, "degraded=", len) == 0
        && word[1].data[len] != '.')
    {
        /* four decimals, which is NGX_STATUS_WEIGHT */
        weight = ngx_atofp(word[1].data + len, word[1].len - len, 4);
    }

    if (weight == NGX_ERROR || weight > NGX_STATUS_WEIGHT) {
        return ngx_http_status_invalid(cf, cmd, &word[1],
                                       "degraded= and a number from 0 to 1, "
                                       "such as 0.5");
    }

    scope->check.degraded = weight;

    return NGX_CONF_OK;
}


char *
ngx_http_status_set_method(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *word;
    ngx_http_status_scope_t  *scope = conf;

    word = cf->args->elts;

    if (scope->check.method.data) {
        return "is duplicate";
    }

    if (word[1].len == 0 || word[1].len > 16
        || strspn((char *) word[1].data, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
           != word[1].len)
    {
        return ngx_http_status_invalid(cf, cmd, &word[1],
                                       "1 to 16 upper-case letters");
    }

    scope->check.method = word[1];

    return NGX_CONF_OK;
}


/*
 * "header NAME VALUE".  With an empty value the header is not sent, though
 * an outer level has it.
 */

char *
ngx_http_status_set_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char                   *p;
    ngx_str_t                *word, *header, value;
    ngx_status_check_t       *check;
    ngx_http_status_scope_t  *scope = conf;

    static const char         token[] = "abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789!#$%&'*+-.^_`|~";

    check = &scope->check;
    word = cf->args->elts;

    if (word[1].len == 0
        || strspn((char *) word[1].data, token) != word[1].len)
    {
        return ngx_http_status_invalid(cf, cmd, &word[1], "a header's name");
    }

    value = word[2];

    if (ngx_http_status_secret(cf, cmd, &value) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_status_controls(&value) != NGX_OK) {

        /* the value may be a secret */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value of header \"%V\", expected text "
                           "without control characters", &word[1]);
        return NGX_CONF_ERROR;
    }

    if (check->headers == NULL) {
        check->headers = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
        if (check->headers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    header = ngx_array_push(check->headers);
    if (header == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, word[1].len + sizeof(": ") + value.len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    header->data = p;
    p = ngx_cpymem(p, word[1].data, word[1].len);
    *p++ = ':';

    if (value.len) {
        *p++ = ' ';
        p = ngx_cpymem(p, value.data, value.len);
    }

    *p = '\0';
    header->len = p - header->data;

    if (ngx_status_wipe(cf->pool, header) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (value.data != word[2].data
        || ngx_status_secret_name(word[1].data, word[1].len))
    {
        /* of "Bearer TOKEN" it is the end that counts */

        for (p = header->data + header->len; p[-1] != ' ' && p[-1] != ':'; p--)
        {
            /* void */
        }

        value.len = header->data + header->len - p;
        value.data = p;

        if (ngx_http_status_hide(scope, &value) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_status_set_body(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *word, value;
    ngx_http_status_scope_t  *scope = conf;

    word = cf->args->elts;

    if (scope->check.body.data) {
        return "is duplicate";
    }

    value = word[1];

    if (ngx_http_status_secret(cf, cmd, &word[1]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (word[1].data != value.data
        && ngx_http_status_hide(scope, &word[1]) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    scope->check.body = word[1];

    return NGX_CONF_OK;
}


char *
ngx_http_status_set_resolve(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *word, address;
    ngx_addr_t                addr;
    ngx_http_status_scope_t  *scope = conf;

    word = cf->args->elts;
    address = word[1];

    if (scope->check.resolve.data) {
        return "is duplicate";
    }

    if (address.len > 2 && address.data[0] == '['
        && address.data[address.len - 1] == ']')
    {
        address.data[address.len - 1] = '\0';
        address.data++;
        address.len -= 2;
    }

    if (ngx_parse_addr(cf->pool, &addr, address.data, address.len) != NGX_OK) {
        return ngx_http_status_invalid(cf, cmd, &word[1],
                                       "an IPv4 or IPv6 address");
    }

    scope->check.resolve = address;

    return NGX_CONF_OK;
}


/*
 * "expect" and "prefer".  The type is known inside of a check; around it
 * every subject is allowed, and a check takes what its type can tell.
 */

char *
ngx_http_status_set_cond(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                      err[NGX_HTTP_STATUS_ERR];
    ngx_str_t                *word;
    ngx_uint_t                allowed, prefer;
    ngx_status_cond_t        *cond;
    ngx_http_status_scope_t  *scope = conf;

    word = cf->args->elts;

    allowed = scope->check.type ? scope->check.type->subjects
                                : (ngx_uint_t) -1;
    prefer = (cmd->name.data[0] == 'p');

    if (allowed == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%V: a check of type %V has no conditions",
                           &cmd->name, &scope->check.type->name);
        return NGX_CONF_ERROR;
    }

    cond = ngx_array_push(&scope->conds);
    if (cond == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(cond, sizeof(ngx_status_cond_t));

    if (ngx_status_cond_parse(cf->pool, &word[1], cf->args->nelts - 1,
                              allowed, prefer, cond, err, sizeof(err))
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V: %s", &cmd->name, err);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_status_set_bot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *word, *bot;
    ngx_uint_t                i;
    ngx_http_status_scope_t  *scope = conf;

    word = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (word[i].len == 0) {
            return ngx_http_status_invalid(cf, cmd, &word[i],
                                           "a string to look for");
        }

        bot = ngx_array_push(&scope->bots);
        if (bot == NULL) {
            return NGX_CONF_ERROR;
        }

        *bot = word[i];
    }

    return NGX_CONF_OK;
}


/* "score PATH [scale=N]", "grade PATH", "categories PATH [scale=N]" */

char *
ngx_http_status_set_score(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                      err[NGX_HTTP_STATUS_ERR];
    double                   *scale;
    ngx_str_t                *word;
    ngx_status_check_t       *check;
    ngx_status_json_path_t  **field;
    ngx_http_status_scope_t  *scope = conf;

    check = &scope->check;
    field = (ngx_status_json_path_t **) ((char *) conf + cmd->offset);
    word = cf->args->elts;

    if (*field) {
        return "is duplicate";
    }

    *field = ngx_status_json_path_compile(cf->pool, &word[1], err,
                                          sizeof(err));
    if (*field == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V: %s", &cmd->name, err);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3) {
        scale = (field == &check->score) ? &check->scale
                                         : &check->categories_scale;

        if (ngx_strncmp(word[2].data, "scale=", 6) != 0
            || ngx_http_status_decimal(word[2].data + 6, "", scale) != NGX_OK)
        {
            return ngx_http_status_invalid(cf, cmd, &word[2],
                                           "scale= and a number over 0");
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_status_set_score_history(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char                      err[NGX_HTTP_STATUS_ERR];
    ngx_str_t                *word;
    ngx_status_check_t       *check, source;
    ngx_http_status_scope_t  *scope = conf;

    check = &scope->check;
    word = cf->args->elts;

    if (check->series) {
        return "is duplicate";
    }

    ngx_memzero(&source, sizeof(ngx_status_check_t));
    source.url = word[1];

    if (ngx_status_check_url(cf->pool, &source, err, sizeof(err)) != NGX_OK) {
        goto invalid;
    }

    if (source.type != check->type) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%V: \"%V\" is not of the check's type %V",
                           &cmd->name, &source.scheme, &check->type->name);
        return NGX_CONF_ERROR;
    }

    check->series_url = word[1];
    check->series = ngx_status_json_path_compile(cf->pool, &word[2], err,
                                                 sizeof(err));
    if (check->series == NULL) {
        goto invalid;
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V: %s", &cmd->name, err);

    return NGX_CONF_ERROR;
}


/*
 * "drop warning=1 critical=5 against=previous|median:N", in points;
 * "slower" likewise, in per cent, kept as a fraction.
 */

char *
ngx_http_status_set_delta(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                      allowed[64];
    double                    scale;
    ngx_int_t                 n, most;
    ngx_str_t                *word;
    ngx_uint_t                i, seen, slower, against;
    const char               *unit;
    ngx_status_delta_conf_t  *delta;
    ngx_http_status_scope_t  *scope = conf;

    delta = (ngx_status_delta_conf_t *) ((char *) conf + cmd->offset);
    slower = (delta == &scope->check.slower);
    word = cf->args->elts;

    if (delta->warning != 0 || delta->critical != 0) {
        return "is duplicate";
    }

    unit = slower ? "%" : "";
    scale = slower ? 0.01 : 1;
    most = slower ? NGX_STATUS_RESULTS : NGX_STATUS_SCORES;

    delta->median = slower ? 20 : 0;
    against = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(word[i].data, "warning=", 8) == 0) {
            seen = (delta->warning != 0);

            if (ngx_http_status_decimal(word[i].data + 8, unit,
                                        &delta->warning)
                != NGX_OK)
            {
                goto number;
            }

            delta->warning *= scale;

        } else if (ngx_strncmp(word[i].data, "critical=", 9) == 0) {
            seen = (delta->critical != 0);

            if (ngx_http_status_decimal(word[i].data + 9, unit,
                                        &delta->critical)
                != NGX_OK)
            {
                goto number;
            }

            delta->critical *= scale;

        } else if (ngx_strcmp(word[i].data, "against=previous") == 0) {
            seen = against++;
            delta->median = 0;

        } else if (ngx_strncmp(word[i].data, "against=", 8) == 0) {
            seen = against++;
            n = NGX_ERROR;

            if (ngx_strncmp(word[i].data + 8, "median:", 7) == 0) {
                n = ngx_atoi(word[i].data + 15, word[i].len - 15);
            }

            if (n < 1 || n > most) {
                ngx_sprintf((u_char *) allowed,
                            "against=previous or against=median:N, "
                            "N 1 to %i%Z", most);
                return ngx_http_status_invalid(cf, cmd, &word[i], allowed);
            }

            delta->median = n;

        } else {
            return ngx_http_status_invalid(cf, cmd, &word[i],
                                  "warning=, critical= or against=");
        }

        if (seen) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%V: \"%V\" sets what was set before it",
                               &cmd->name, &word[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (delta->warning == 0 && delta->critical == 0) {
        return "needs \"warning=\", \"critical=\" or both";
    }

    if (delta->critical != 0 && delta->critical < delta->warning) {
        return "has a \"critical=\" below its \"warning=\"";
    }

    return NGX_CONF_OK;

number:

    return ngx_http_status_invalid(cf, cmd, &word[i],
                                   slower ? "a percentage such as 25%"
                                          : "a number of points over 0");
}


/* A positive number in plain decimals, with "unit" and nothing behind it. */

static ngx_int_t
ngx_http_status_decimal(u_char *p, const char *unit, double *value)
{
    char    *last;
    size_t   len;

    len = strspn((char *) p, "0123456789.");

    if (len == 0 || len > 15 || ngx_strcmp(p + len, unit) != 0) {
        return NGX_ERROR;
    }

    *value = strtod((char *) p, &last);

    if (last != (char *) p + len || !(*value > 0)) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_status_printable(ngx_str_t *text)
{
    char  copy[NGX_HTTP_STATUS_TITLE];

    if (text->len == 0 || text->len >= sizeof(copy)) {
        return NGX_ERROR;
    }

    ngx_status_text_copy(copy, sizeof(copy), text->data, text->len);

    return ngx_memcmp(copy, text->data, text->len) == 0 ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_status_controls(ngx_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if ((text->data[i] < 0x20 && text->data[i] != '\t')
            || text->data[i] == 0x7f)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
