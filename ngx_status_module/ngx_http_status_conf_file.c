
/*
 * Copyright (C) ngx_status_module authors
 *
 * The files that a configuration names: certificates, secrets, templates.
 * Master, while it reads the configuration.
 */


#include "ngx_http_status_conf.h"


#define NGX_HTTP_STATUS_TEMPLATE  (256 * 1024)       /* bytes of a file */
#define NGX_HTTP_STATUS_SECRET    4096               /* likewise */


/* Where templates of a monitor come from. */

typedef struct {
    ngx_conf_t   *cf;
    ngx_str_t     dir;                   /* with its slash; may be empty */
    ngx_uint_t    failed;                /* and logged */
} ngx_http_status_source_t;


static ngx_int_t ngx_http_status_secret_file(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *path, ngx_str_t *text);
static ngx_int_t ngx_http_status_secret_env(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *name, ngx_str_t *text);
static ngx_int_t ngx_http_status_read_file(ngx_conf_t *cf, ngx_str_t *path,
    size_t limit, ngx_str_t *text);
static ngx_int_t ngx_http_status_full_file(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *word, ngx_str_t *file);
static ngx_int_t ngx_http_status_template_text(
    ngx_http_status_source_t *source, ngx_str_t *name, ngx_str_t *text);
static ngx_int_t ngx_http_status_partial(void *data, const ngx_str_t *name,
    ngx_str_t *text);


static char  **ngx_http_status_environ;


char *
ngx_http_status_set_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *field, *word;

    field = (ngx_str_t *) ((char *) conf + cmd->offset);
    word = cf->args->elts;

    if (field->data) {
        return "is duplicate";
    }

    if (ngx_http_status_full_file(cf, cmd, &word[1], field) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_status_set_tls_cert(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *word;
    ngx_http_status_scope_t  *scope = conf;

    word = cf->args->elts;

    if (scope->check.tls_cert.data) {
        return "is duplicate";
    }

    if (ngx_http_status_full_file(cf, cmd, &word[1], &scope->check.tls_cert)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3
        && ngx_http_status_full_file(cf, cmd, &word[2], &scope->check.tls_key)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_status_full_file(ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *word,
    ngx_str_t *file)
{
    ngx_file_info_t  fi;

    *file = *word;

    if (ngx_conf_full_name(cf->cycle, file, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_file_info(file->data, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "%V: " ngx_file_info_n " \"%V\" failed",
                           &cmd->name, file);
        return NGX_ERROR;
    }

    if (!ngx_is_file(&fi)) {
        ngx_http_status_invalid(cf, cmd, file, "a regular file");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * "file:/path" and "env:NAME", as all of a value or as its end after a space
 * ("Bearer file:/path"), stand for the file's first line and for a variable
 * of nginx's environment.  The master reads them, so a file may be one that
 * only root can read.
 */

ngx_int_t
ngx_http_status_secret(ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *value)
{
    size_t      prefix;
    u_char     *p, *end;
    ngx_int_t   rc;
    ngx_str_t   name, text, secret;
    ngx_uint_t  file;

    end = value->data + value->len;

    if (ngx_strncmp(value->data, "file:", 5) == 0
        || ngx_strncmp(value->data, "env:", 4) == 0)
    {
        p = value->data;

    } else {
        p = (u_char *) ngx_strstr(value->data, " file:/");

        if (p == NULL) {
            p = (u_char *) ngx_strstr(value->data, " env:");
        }

        if (p == NULL) {
            return NGX_OK;
        }

        p++;
    }

    prefix = p - value->data;
    file = (*p == 'f');

    name.data = p + (file ? 5 : 4);
    name.len = end - name.data;

    if (file ? *name.data != '/' : name.len == 0) {
        ngx_http_status_invalid(cf, cmd, value, file
                                ? "file: and an absolute path"
                                : "env: and the name of a variable");
        return NGX_ERROR;
    }

    rc = file ? ngx_http_status_secret_file(cf, cmd, &name, &text)
              : ngx_http_status_secret_env(cf, cmd, &name, &text);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    secret.len = prefix + text.len;
    secret.data = ngx_pnalloc(cf->pool, secret.len + 1);

    if (secret.data == NULL
        || ngx_status_wipe(cf->pool, &secret) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(secret.data, value->data, prefix);
    ngx_memcpy(secret.data + prefix, text.data, text.len);
    secret.data[secret.len] = '\0';

    if (file) {
        ngx_explicit_memzero(text.data, text.len);
    }

    *value = secret;

    return NGX_OK;
}


static ngx_int_t
ngx_http_status_secret_file(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *path, ngx_str_t *text)
{
    u_char     *eol;
    ngx_int_t   rc;

    rc = ngx_http_status_read_file(cf, path, NGX_HTTP_STATUS_SECRET, text);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%V: there is no file \"%V\"", &cmd->name, path);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    eol = ngx_strlchr(text->data, text->data + text->len, '\n');

    if (eol) {
        ngx_explicit_memzero(eol, text->data + text->len - eol);
        text->len = eol - text->data;
    }

    if (text->len && text->data[text->len - 1] == '\r') {
        text->len--;
    }

    if (text->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%V: the first line of \"%V\" is empty",
                           &cmd->name, path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * nginx itself keeps of its environment what "env" names, from the end of the
 * first configuration on; what was there before is still in memory.
 */

static ngx_int_t
ngx_http_status_secret_env(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name, ngx_str_t *text)
{
    char  **e;

    for (e = ngx_http_status_environ; e && *e; e++) {

        if (ngx_strncmp(*e, name->data, name->len) == 0
            && (*e)[name->len] == '=' && (*e)[name->len + 1])
        {
            text->data = (u_char *) *e + name->len + 1;
            text->len = ngx_strlen(text->data);
            return NGX_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "%V: there is no variable \"%V\" in nginx's "
                       "environment; an upgraded nginx has only those that "
                       "an \"env\" directive names", &cmd->name, name);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_status_hide(ngx_http_status_scope_t *scope, const ngx_str_t *text)
{
    ngx_str_t  *secret;

    if (text->len < NGX_STATUS_HIDE) {
        return NGX_OK;
    }

    secret = ngx_array_push(&scope->secrets);
    if (secret == NULL) {
        return NGX_ERROR;
    }

    *secret = *text;

    return NGX_OK;
}


/* To be called before the first configuration has been read. */

void
ngx_http_status_keep_environ(void)
{
    if (ngx_http_status_environ == NULL) {
        ngx_http_status_environ = environ;
    }
}


char *
ngx_http_status_set_template(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char                   *p;
    ngx_str_t                 dir;
    ngx_file_info_t           fi;
    ngx_http_status_scope_t  *scope = conf;

    if (scope->template.data) {
        return "is duplicate";
    }

    dir = ((ngx_str_t *) cf->args->elts)[1];

    if (ngx_conf_full_name(cf->cycle, &dir, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_file_info(dir.data, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "%V: " ngx_file_info_n " \"%V\" failed",
                           &cmd->name, &dir);
        return NGX_CONF_ERROR;
    }

    if (!ngx_is_dir(&fi)) {
        return ngx_http_status_invalid(cf, cmd, &dir, "a directory");
    }

    p = ngx_pnalloc(cf->pool, dir.len + 1);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    scope->template.data = p;
    p = ngx_cpymem(p, dir.data, dir.len);
    *p++ = '/';
    scope->template.len = p - scope->template.data;

    return NGX_CONF_OK;
}


ngx_status_template_t *
ngx_http_status_template(ngx_conf_t *cf, ngx_http_status_scope_t *scope,
    char *name, const ngx_status_field_t *fields)
{
    char                       err[NGX_HTTP_STATUS_ERR];
    ngx_str_t                  file, text;
    ngx_status_template_t     *tpl;
    ngx_http_status_source_t   source;

    source.cf = cf;
    source.dir = scope->template;
    source.failed = 0;

    file.data = (u_char *) name;
    file.len = ngx_strlen(name);

    if (ngx_http_status_template_text(&source, &file, &text) != NGX_OK) {

        if (!source.failed) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "there is no template \"%V\"", &file);
        }

        return NULL;
    }

    tpl = ngx_status_template_compile(cf->pool, &file, &text, fields,
                                      ngx_http_status_partial, &source, err,
                                      sizeof(err));

    if (tpl == NULL && !source.failed) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "template: %s", err);
    }

    return source.failed ? NULL : tpl;
}


/* From the monitor's own directory, else from the module. */

static ngx_int_t
ngx_http_status_template_text(ngx_http_status_source_t *source,
    ngx_str_t *name, ngx_str_t *text)
{
    ngx_int_t                   rc;
    ngx_str_t                   path;
    const ngx_status_asset_t   *asset;

    if (source->dir.len) {

        path.len = source->dir.len + name->len;
        path.data = ngx_pnalloc(source->cf->pool, path.len + 1);
        if (path.data == NULL) {
            source->failed = 1;
            return NGX_ERROR;
        }

        ngx_sprintf(path.data, "%V%V%Z", &source->dir, name);

        rc = ngx_http_status_read_file(source->cf, &path,
                                       NGX_HTTP_STATUS_TEMPLATE, text);
        if (rc == NGX_ERROR) {
            source->failed = 1;
        }

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    for (asset = ngx_status_assets; asset->name.len; asset++) {
        if (asset->name.len == name->len
            && ngx_strncmp(asset->name.data, name->data, name->len) == 0)
        {
            *text = asset->data;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* "{{>row}}" is the template "row.html". */

static ngx_int_t
ngx_http_status_partial(void *data, const ngx_str_t *name, ngx_str_t *text)
{
    ngx_str_t                  file;
    u_char                     buf[NGX_STATUS_ID + sizeof(".html")];
    ngx_http_status_source_t  *source = data;

    file = *name;

    if (ngx_http_status_id(&file) != NGX_OK) {
        return NGX_DECLINED;
    }

    file.data = buf;
    file.len = ngx_sprintf(buf, "%V.html", name) - buf;

    return ngx_http_status_template_text(source, &file, text) == NGX_OK
           ? NGX_OK : NGX_DECLINED;
}


/*
 * Reads a whole regular file of "limit" bytes at most into the pool, NUL
 * behind its end.  NGX_DECLINED, when it does not exist, is not logged.
 */

static ngx_int_t
ngx_http_status_read_file(ngx_conf_t *cf, ngx_str_t *path, size_t limit,
    ngx_str_t *text)
{
    size_t            size;
    u_char           *buf;
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_int_t         rc;
    ngx_file_info_t   fi;

    /* not to wait for the other end of a pipe */

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_NONBLOCK, 0);

    if (fd == NGX_INVALID_FILE) {
        if (ngx_errno == NGX_ENOENT) {
            return NGX_DECLINED;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", path);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", path);
        goto done;
    }

    if (!ngx_is_file(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a regular file", path);
        goto done;
    }

    if (ngx_file_size(&fi) > (off_t) limit) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "file \"%V\" has %O bytes, expected %uz at most",
                           path, ngx_file_size(&fi), limit);
        goto done;
    }

    size = ngx_file_size(&fi);

    buf = ngx_pnalloc(cf->pool, size + 1);
    if (buf == NULL) {
        goto done;
    }

    n = ngx_read_fd(fd, buf, size);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", path);
        goto done;
    }

    buf[n] = '\0';

    text->data = buf;
    text->len = n;

    rc = NGX_OK;

done:

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", path);
    }

    return rc;
}
