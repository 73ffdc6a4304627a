
/*
 * Copyright (C) ngx_status_module authors
 *
 * Directives that check types declare as their options: nginx's table of
 * them, and what they may say.  Master, while it reads the configuration.
 */


#include "ngx_http_status_conf.h"


#define NGX_HTTP_STATUS_COMMANDS  128    /* at most, the types' too */
#define NGX_HTTP_STATUS_TEXT      4096   /* bytes of a value */


static char *ngx_http_status_set_option(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static const ngx_status_option_t *ngx_http_status_option(
    const ngx_status_check_type_t *type, const ngx_str_t *name);
static void ngx_http_status_option_types(const ngx_str_t *name, char *list,
    size_t size);
static ngx_int_t ngx_http_status_option_word(const char *words,
    ngx_str_t *word);
static ngx_int_t ngx_http_status_option_bytes(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_status_scope_t *scope, ngx_str_t *word,
    ngx_str_t *bytes);


/* nginx reads a module's commands until an empty one; static, because it
 * does so between two configurations, too. */

static ngx_command_t  ngx_http_status_table[NGX_HTTP_STATUS_COMMANDS];


/*
 * Completes the module's commands by the types' options.  Preconfiguration:
 * the first directive inside of "http" is read after it.
 */

ngx_int_t
ngx_http_status_preconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t                  i, k, n;
    ngx_command_t              *cmd;
    const ngx_status_option_t  *option;

    ngx_http_status_keep_environ();

    if (ngx_http_status_module.commands == ngx_http_status_table) {
        return NGX_OK;
    }

    for (n = 0; ngx_http_status_commands[n].name.len; n++) {
        if (n < NGX_HTTP_STATUS_COMMANDS - 1) {
            ngx_http_status_table[n] = ngx_http_status_commands[n];
        }
    }

    for (i = 0; ngx_status_check_types[i]; i++) {
        option = ngx_status_check_types[i]->options;

        for ( /* void */ ; option && option->name.len; option++) {

            for (k = 0; k < n; k++) {
                if (ngx_strcmp(ngx_http_status_table[k].name.data,
                               option->name.data)
                    == 0)
                {
                    break;
                }
            }

            if (k < n) {
                continue;
            }

            if (n >= NGX_HTTP_STATUS_COMMANDS - 1) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "too many options of check types");
                return NGX_ERROR;
            }

            cmd = &ngx_http_status_table[n++];
            cmd->name = option->name;
            cmd->type = NGX_HTTP_STATUS_ANY|NGX_CONF_TAKE1;
            cmd->set = ngx_http_status_set_option;
            cmd->conf = NGX_HTTP_LOC_CONF_OFFSET;
        }
    }

    ngx_http_status_module.commands = ngx_http_status_table;

    return NGX_OK;
}


static char *
ngx_http_status_set_option(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                        list[NGX_HTTP_STATUS_ERR];
    ngx_int_t                   number;
    ngx_str_t                  *word, text;
    ngx_uint_t                  i;
    ngx_status_check_t         *check;
    ngx_status_setting_t       *setting;
    ngx_http_status_scope_t    *scope = conf;
    const ngx_status_option_t  *option;

    check = &scope->check;
    word = cf->args->elts;

    setting = check->settings.elts;

    for (i = 0; i < check->settings.nelts; i++) {
        if (setting[i].name.data == cmd->name.data) {
            return "is duplicate";
        }
    }

    option = ngx_http_status_option(check->type, &cmd->name);

    if (option == NULL) {
        ngx_http_status_option_types(&cmd->name, list, sizeof(list));
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not for a check of type %V, only for %s",
                           &cmd->name, &check->type->name, list);
        return NGX_CONF_ERROR;
    }

    text = word[1];
    number = 0;

    switch (option->kind) {

    case NGX_STATUS_OPTION_SECRET:

        if (text.len == 0) {
            return ngx_http_status_invalid(cf, cmd, &text,
                                   "a value, or file:/path or env:NAME");
        }

        if (ngx_http_status_secret(cf, cmd, &text) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        if (ngx_http_status_controls(&text) != NGX_OK) {
            /* the value is nothing to show */
            return "has a value with control characters";
        }

        if (option->allowed == NULL
            && ngx_http_status_hide(scope, &text) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        break;

    case NGX_STATUS_OPTION_BYTES:

        if (ngx_http_status_option_bytes(cf, cmd, scope, &word[1], &text)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        break;

    case NGX_STATUS_OPTION_TEXT:

        if (text.len == 0 || text.len > NGX_HTTP_STATUS_TEXT
            || ngx_http_status_controls(&text) != NGX_OK)
        {
            return ngx_http_status_invalid(cf, cmd, &word[1],
                           "1 to 4096 bytes without control characters");
        }

        break;

    case NGX_STATUS_OPTION_WORD:

        number = ngx_http_status_option_word(option->allowed, &text);

        if (number == NGX_ERROR) {
            ngx_snprintf((u_char *) list, sizeof(list), "one of %s%Z",
                         option->allowed);
            return ngx_http_status_invalid(cf, cmd, &word[1], list);
        }

        break;

    case NGX_STATUS_OPTION_FLAG:

        number = ngx_http_status_option_word("off on", &text);

        if (number == NGX_ERROR) {
            return ngx_http_status_invalid(cf, cmd, &word[1], "on or off");
        }

        break;

    default:

        number = option->kind == NGX_STATUS_OPTION_TIME
                     ? ngx_parse_time(&text, 0)
                 : option->kind == NGX_STATUS_OPTION_SIZE
                     ? ngx_parse_offset(&text)
                 : ngx_atoi(text.data, text.len);

        if (number == NGX_ERROR || number < option->min
            || number > option->max)
        {
            return ngx_http_status_invalid(cf, cmd, &word[1],
                                           option->allowed);
        }
    }

    setting = ngx_array_push(&check->settings);
    if (setting == NULL) {
        return NGX_CONF_ERROR;
    }

    setting->name = cmd->name;
    setting->text = text;
    setting->number = number;

    return NGX_CONF_OK;
}


/* Around a check any type's does; types that share a name agree on it. */

static const ngx_status_option_t *
ngx_http_status_option(const ngx_status_check_type_t *type,
    const ngx_str_t *name)
{
    ngx_uint_t                  i;
    const ngx_status_option_t  *option;

    for (i = 0; ngx_status_check_types[i]; i++) {

        if (type && ngx_status_check_types[i] != type) {
            continue;
        }

        option = ngx_status_check_types[i]->options;

        for ( /* void */ ; option && option->name.len; option++) {
            if (ngx_strcmp(option->name.data, name->data) == 0) {
                return option;
            }
        }
    }

    return NULL;
}


static void
ngx_http_status_option_types(const ngx_str_t *name, char *list, size_t size)
{
    size_t                          n;
    ngx_uint_t                      i;
    const ngx_status_check_type_t  *type;

    n = 0;
    list[0] = '\0';

    for (i = 0; ngx_status_check_types[i] && n < size; i++) {
        type = ngx_status_check_types[i];

        if (ngx_http_status_option(type, name)) {
            n += snprintf(list + n, size - n, "%s%s", n ? ", " : "",
                          type->name.data);
        }
    }
}


/* Which one of the words it is, from 0. */

static ngx_int_t
ngx_http_status_option_word(const char *words, ngx_str_t *word)
{
    size_t     len;
    ngx_int_t  n;

    for (n = 0; *words; n++) {
        len = strcspn(words, " ");

        if (len == word->len && ngx_strncmp(words, word->data, len) == 0) {
            return n;
        }

        words += len;
        words += strspn(words, " ");
    }

    return NGX_ERROR;
}


/*
 * nginx itself reads \r, \n and \t in a quoted word; what it leaves are
 * \xHH, \0 and the backslash.  A secret at the end, but for line ends, is
 * taken as it is.
 */

static ngx_int_t
ngx_http_status_option_bytes(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_status_scope_t *scope, ngx_str_t *word, ngx_str_t *bytes)
{
    u_char     *p, *d, *last;
    ngx_int_t   n;
    ngx_str_t   text, hidden;

    last = word->data + word->len;

    for (p = last; p > word->data && (p[-1] == CR || p[-1] == LF); p--) {
        /* void */
    }

    text.len = p - word->data;
    text.data = ngx_pnalloc(cf->pool, text.len + 1);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(text.data, word->data, text.len + 1);
    d = text.data;

    if (ngx_http_status_secret(cf, cmd, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text.data != d) {

        for (d = text.data + text.len; d > text.data && d[-1] != ' '; d--) {
            /* void */
        }

        hidden.data = d;
        hidden.len = text.data + text.len - d;

        bytes->len = text.len + (last - p);
        bytes->data = ngx_pnalloc(cf->pool, bytes->len + 1);

        if (bytes->data == NULL
            || ngx_status_wipe(cf->pool, bytes) != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_memcpy(bytes->data, text.data, text.len);
        ngx_memcpy(bytes->data + text.len, p, last - p);
        bytes->data[bytes->len] = '\0';

        return ngx_http_status_hide(scope, &hidden);
    }

    bytes->data = ngx_pnalloc(cf->pool, word->len + 1);
    if (bytes->data == NULL) {
        return NGX_ERROR;
    }

    d = bytes->data;

    for (p = word->data; p < last; p++) {

        if (*p != '\\') {
            *d++ = *p;
            continue;
        }

        switch (p + 1 < last ? *++p : 0) {

        case '\\':
            *d++ = '\\';
            continue;

        case '0':
            *d++ = '\0';
            continue;

        case 'r':
            *d++ = CR;
            continue;

        case 'n':
            *d++ = LF;
            continue;

        case 't':
            *d++ = '\t';
            continue;

        case 'x':
            n = last - p > 2 ? ngx_hextoi(p + 1, 2) : NGX_ERROR;

            if (n != NGX_ERROR) {
                *d++ = (u_char) n;
                p += 2;
                continue;
            }

            break;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid escape in \"%V\", expected one of "
                           "\\r \\n \\t \\0 \\\\ \\xHH", word);
        return NGX_ERROR;
    }

    *d = '\0';
    bytes->len = d - bytes->data;

    return NGX_OK;
}


/*
 * An inner block's settings come first; of outer ones, a check takes what
 * its type has.
 */

ngx_int_t
ngx_http_status_merge_settings(const ngx_status_check_t *prev,
    ngx_status_check_t *conf)
{
    ngx_uint_t             i, j, n;
    ngx_status_setting_t  *outer, *inner, *setting;

    outer = prev->settings.elts;
    n = conf->settings.nelts;

    for (i = 0; i < prev->settings.nelts; i++) {
        inner = conf->settings.elts;

        for (j = 0; j < n; j++) {
            if (inner[j].name.data == outer[i].name.data) {
                break;
            }
        }

        if (j < n
            || (conf->type
                && ngx_http_status_option(conf->type, &outer[i].name) == NULL))
        {
            continue;
        }

        setting = ngx_array_push(&conf->settings);
        if (setting == NULL) {
            return NGX_ERROR;
        }

        *setting = outer[i];
    }

    return NGX_OK;
}
