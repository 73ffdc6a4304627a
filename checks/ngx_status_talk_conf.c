
/*
 * Copyright (C) ngx_status_module authors
 *
 * What is said in talks: all of it, made once.
 */


#include "ngx_status_talk.h"


#define NGX_STATUS_TALK_LONG  8000       /* bytes of user, password and path */


static ngx_int_t ngx_status_talk_login(ngx_status_check_t *check,
    ngx_status_talk_conf_t *conf, char *err, size_t errlen);
static ngx_int_t ngx_status_talk_path(ngx_pool_t *pool,
    const ngx_status_check_t *check, const ngx_status_talk_conf_t *conf,
    ngx_str_t *path, char *err, size_t errlen);
static ngx_int_t ngx_status_talk_smtp_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_status_talk_conf_t *conf,
    const ngx_str_t *path, char *err, size_t errlen);
static ngx_uint_t ngx_status_talk_domain(const ngx_str_t *name);
static ngx_int_t ngx_status_talk_imap_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_status_talk_conf_t *conf,
    const ngx_str_t *path, char *err, size_t errlen);
static ngx_int_t ngx_status_talk_pop3_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_status_talk_conf_t *conf,
    const ngx_str_t *path, char *err, size_t errlen);
static ngx_int_t ngx_status_talk_ftp_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_status_talk_conf_t *conf,
    const ngx_str_t *path, char *err, size_t errlen);
static ngx_int_t ngx_status_talk_user(ngx_pool_t *pool,
    ngx_status_talk_conf_t *conf, const u_char *user,
    const u_char *password);
static ngx_uint_t ngx_status_talk_plain(const ngx_str_t *text);
static ngx_int_t ngx_status_talk_format(ngx_pool_t *pool, ngx_str_t *text,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static ngx_int_t ngx_status_talk_base64(ngx_pool_t *pool,
    const ngx_str_t *plain, ngx_str_t *text);
static ngx_int_t ngx_status_talk_quoted(ngx_pool_t *pool,
    const ngx_str_t *plain, ngx_str_t *text);
static ngx_int_t ngx_status_talk_hide(ngx_pool_t *pool,
    ngx_status_check_t *check, const ngx_str_t *one, const ngx_str_t *two);


static const struct {
    const char  *name;
    ngx_int_t  (*conf)(ngx_pool_t *pool, ngx_status_check_t *check,
                       ngx_status_talk_conf_t *conf, const ngx_str_t *path,
                       char *err, size_t errlen);
} ngx_status_talk_confs[] = {
    { "smtp", ngx_status_talk_smtp_conf },
    { "imap", ngx_status_talk_imap_conf },
    { "pop3", ngx_status_talk_pop3_conf },
    { "ftp", ngx_status_talk_ftp_conf },
    { "ldap", ngx_status_talk_ldap_conf },
    { "mqtt", ngx_status_talk_mqtt_conf },
    { NULL, NULL }
};


ngx_int_t
ngx_status_talk_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_talk_conf_t *conf, char *err, size_t errlen)
{
    ngx_str_t   path;
    ngx_uint_t  i;

    if (ngx_status_talk_login(check, conf, err, errlen) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; ngx_strcmp(ngx_status_talk_confs[i].name,
                           conf->protocol->name) != 0; i++)
    {
        /* void */
    }

    snprintf(err, errlen, "no memory");

    if (ngx_status_talk_path(pool, check, conf, &path, err, errlen) != NGX_OK
        || ngx_status_talk_confs[i].conf(pool, check, conf, &path, err,
                                         errlen)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_STATUS_SAY_ACT; i++) {
        if (conf->say[i].data
            && ngx_status_wipe(pool, &conf->say[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_status_talk_login(ngx_status_check_t *check, ngx_status_talk_conf_t *conf,
    char *err, size_t errlen)
{
    if (!ngx_status_talk_plain(&check->user)
        || !ngx_status_talk_plain(&check->password))
    {
        snprintf(err, errlen, "user or password hold control characters");
        return NGX_ERROR;
    }

    if (check->user.len + check->password.len + check->path.len
        > NGX_STATUS_TALK_LONG)
    {
        snprintf(err, errlen, "user, password and path are over %d bytes",
                 NGX_STATUS_TALK_LONG);
        return NGX_ERROR;
    }

    conf->login = (check->user.len != 0);

    if (check->password.len && !conf->login) {
        snprintf(err, errlen, "there is a password, but no user");
        return NGX_ERROR;
    }

    /* in LDAP that would be no login at all [RFC 4513, 5.1.2] */

    if (conf->login && check->password.len == 0
        && ngx_strcmp(conf->protocol->name, "mqtt") != 0)
    {
        snprintf(err, errlen, "there is a user, but no password");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Without its "/", decoded; empty where the protocol has none. */

static ngx_int_t
ngx_status_talk_path(ngx_pool_t *pool, const ngx_status_check_t *check,
    const ngx_status_talk_conf_t *conf, ngx_str_t *path, char *err,
    size_t errlen)
{
    ngx_int_t  rc;

    ngx_str_set(path, "");

    if (check->args.len
        || ngx_strlchr(check->path.data, check->url.data + check->url.len,
                       '#'))
    {
        snprintf(err, errlen, "the URL has a \"?\" or a \"#\"; write %%3F or "
                 "%%23 for one that belongs to its path");
        return NGX_ERROR;
    }

    if (check->path.len < 2) {
        return NGX_OK;
    }

    if (!conf->protocol->path) {
        snprintf(err, errlen, "the URL of type %s is %s://HOST[:PORT], with "
                 "nothing behind", conf->protocol->name, check->scheme.data);
        return NGX_ERROR;
    }

    rc = ngx_status_url_decode(pool, path, check->path.data + 1,
                               check->path.data + check->path.len);

    if (rc == NGX_DECLINED || (rc == NGX_OK && !ngx_status_talk_plain(path))) {
        snprintf(err, errlen, "the path of the URL has a \"%%\" without two "
                 "hexadecimal digits, or a control character");
        return NGX_ERROR;
    }

    return rc;
}


/* "smtp://server/our.name" */

static ngx_int_t
ngx_status_talk_smtp_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_talk_conf_t *conf, const ngx_str_t *path, char *err,
    size_t errlen)
{
    char        host[256];
    ngx_str_t  *say, name, user, both, password;

    say = conf->say;
    name = *path;

    if (name.len == 0) {
        ngx_memzero(host, sizeof(host));
        (void) gethostname(host, sizeof(host) - 1);

        name.data = (u_char *) host;
        name.len = ngx_strlen(host);

        if (!ngx_status_talk_domain(&name)) {
            ngx_str_set(&name, "localhost");
        }
    }

    if (!ngx_status_talk_domain(&name)) {
        snprintf(err, errlen, "the path of the URL is what we call ourselves "
                 "to the server, and \"%.100s\" is no domain", name.data);
        return NGX_ERROR;
    }

    if (ngx_status_talk_format(pool, &say[NGX_STATUS_SAY_HELLO],
                               "EHLO %s\r\n", name.data) != NGX_OK
        || ngx_status_talk_format(pool, &say[NGX_STATUS_SAY_HELO],
                                  "HELO %s\r\n", name.data) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&say[NGX_STATUS_SAY_ACT], "NOOP\r\n");
    ngx_str_set(&say[NGX_STATUS_SAY_GOODBYE], "QUIT\r\n");

    if (!conf->login) {
        return NGX_OK;
    }

    /* NUL user NUL password [RFC 4616, 2] */

    if (ngx_status_talk_format(pool, &both, "%c%s%c%s", 0, check->user.data,
                               0, check->password.data) != NGX_OK
        || ngx_status_talk_base64(pool, &both, &both) != NGX_OK
        || ngx_status_talk_base64(pool, &check->user, &user) != NGX_OK
        || ngx_status_talk_base64(pool, &check->password, &password) != NGX_OK
        || ngx_status_talk_format(pool, &say[NGX_STATUS_SAY_PLAIN],
                                  "AUTH PLAIN %s\r\n", both.data) != NGX_OK
        || ngx_status_talk_format(pool, &say[NGX_STATUS_SAY_LOGIN],
                                  "AUTH LOGIN\r\n") != NGX_OK
        || ngx_status_talk_format(pool, &say[NGX_STATUS_SAY_USER],
                                  "%s\r\n", user.data) != NGX_OK
        || ngx_status_talk_format(pool, &say[NGX_STATUS_SAY_PASS],
                                  "%s\r\n", password.data) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_status_talk_hide(pool, check, &both, &password);
}


/* Or an address literal; what else may be in there makes no harm. */

static ngx_uint_t
ngx_status_talk_domain(const ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = ngx_tolower(name->data[i]);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'
              || c == '-' || c == '_' || c == '[' || c == ']' || c == ':'))
        {
            return 0;
        }
    }

    return i > 0 && i < 256;
}


static ngx_int_t
ngx_status_talk_imap_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_talk_conf_t *conf, const ngx_str_t *path, char *err,
    size_t errlen)
{
    ngx_str_t  *say, user, password;

    (void) path;
    (void) err;
    (void) errlen;

    say = conf->say;

    /* tags are one letter, and each another one */

    ngx_str_set(&say[NGX_STATUS_SAY_ACT], "b NOOP\r\n");
    ngx_str_set(&say[NGX_STATUS_SAY_GOODBYE], "c LOGOUT\r\n");

    if (!conf->login) {
        return NGX_OK;
    }

    if (ngx_status_talk_quoted(pool, &check->user, &user) != NGX_OK
        || ngx_status_talk_quoted(pool, &check->password, &password) != NGX_OK
        || ngx_status_talk_format(pool, &say[NGX_STATUS_SAY_LOGIN],
                                  "a LOGIN \"%s\" \"%s\"\r\n", user.data,
                                  password.data) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_status_talk_hide(pool, check, &password, NULL);
}


static ngx_int_t
ngx_status_talk_pop3_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_talk_conf_t *conf, const ngx_str_t *path, char *err,
    size_t errlen)
{
    (void) path;
    (void) err;
    (void) errlen;

    ngx_str_set(&conf->say[NGX_STATUS_SAY_GOODBYE], "QUIT\r\n");

    if (!conf->login) {
        /* there is no NOOP before it [RFC 1939, 4]: to greet is enough */
        return NGX_OK;
    }

    ngx_str_set(&conf->say[NGX_STATUS_SAY_ACT], "NOOP\r\n");

    return ngx_status_talk_user(pool, conf, check->user.data,
                                check->password.data);
}


static ngx_int_t
ngx_status_talk_ftp_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_talk_conf_t *conf, const ngx_str_t *path, char *err,
    size_t errlen)
{
    (void) path;
    (void) err;
    (void) errlen;

    ngx_str_set(&conf->say[NGX_STATUS_SAY_ACT], "NOOP\r\n");
    ngx_str_set(&conf->say[NGX_STATUS_SAY_GOODBYE], "QUIT\r\n");

    if (!conf->login) {
        conf->login = 1;
        return ngx_status_talk_user(pool, conf, (u_char *) "anonymous",
                                    (u_char *) "anonymous@");
    }

    return ngx_status_talk_user(pool, conf, check->user.data,
                                check->password.data);
}


static ngx_int_t
ngx_status_talk_user(ngx_pool_t *pool, ngx_status_talk_conf_t *conf,
    const u_char *user, const u_char *password)
{
    if (ngx_status_talk_format(pool, &conf->say[NGX_STATUS_SAY_USER],
                               "USER %s\r\n", user) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_status_talk_format(pool, &conf->say[NGX_STATUS_SAY_PASS],
                                  "PASS %s\r\n", password);
}


/* Nothing in it that could end a line. */

static ngx_uint_t
ngx_status_talk_plain(const ngx_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < ' ' || text->data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}


/* What is made from here on is overwritten when the pool goes. */

static ngx_int_t
ngx_status_talk_format(ngx_pool_t *pool, ngx_str_t *text, const char *fmt,
    ...)
{
    int      n;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    text->data = ngx_pnalloc(pool, n + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    text->len = n;

    va_start(args, fmt);
    (void) vsnprintf((char *) text->data, n + 1, fmt, args);
    va_end(args);

    return ngx_status_wipe(pool, text);
}


static ngx_int_t
ngx_status_talk_base64(ngx_pool_t *pool, const ngx_str_t *plain,
    ngx_str_t *text)
{
    ngx_str_t  from;

    from = *plain;

    text->data = ngx_pcalloc(pool, ngx_base64_encoded_length(from.len) + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    ngx_encode_base64(text, &from);

    return ngx_status_wipe(pool, text);
}


/* [RFC 3501, 4.3] */

static ngx_int_t
ngx_status_talk_quoted(ngx_pool_t *pool, const ngx_str_t *plain,
    ngx_str_t *text)
{
    size_t   i;
    u_char  *p;

    p = ngx_pnalloc(pool, plain->len * 2 + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    for (i = 0; i < plain->len; i++) {
        if (plain->data[i] == '"' || plain->data[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = plain->data[i];
    }

    *p = '\0';
    text->len = p - text->data;

    return ngx_status_wipe(pool, text);
}


/* Other forms of the password, which a peer might repeat. */

static ngx_int_t
ngx_status_talk_hide(ngx_pool_t *pool, ngx_status_check_t *check,
    const ngx_str_t *one, const ngx_str_t *two)
{
    ngx_str_t  *secrets;

    secrets = ngx_palloc(pool, (check->nsecrets + 2) * sizeof(ngx_str_t));
    if (secrets == NULL) {
        return NGX_ERROR;
    }

    if (check->nsecrets) {
        ngx_memcpy(secrets, check->secrets,
                   check->nsecrets * sizeof(ngx_str_t));
    }

    check->secrets = secrets;
    secrets[check->nsecrets++] = *one;

    if (two) {
        secrets[check->nsecrets++] = *two;
    }

    return NGX_OK;
}
