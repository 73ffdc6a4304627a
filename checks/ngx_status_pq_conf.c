
/*
 * Copyright (C) ngx_status_module authors
 *
 * From a check's URL and directives to libpq's parameters.
 */


#include <ngx_config.h>

#if (NGX_STATUS_PQ)

#include "ngx_status_easy.h"
#include "ngx_status_pq.h"
#include <pwd.h>
#include <sys/un.h>


static ngx_int_t ngx_status_pq_conf_tls(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_status_pq_params_t *params, char *err,
    size_t errlen);
static ngx_int_t ngx_status_pq_conf_args(ngx_pool_t *pool,
    ngx_status_check_t *check, ngx_status_pq_params_t *params, char *err,
    size_t errlen);
static ngx_int_t ngx_status_pq_conf_host(ngx_status_check_t *check,
    const ngx_str_t *dir, char *err, size_t errlen);
static ngx_uint_t ngx_status_pq_param(ngx_status_pq_params_t *params,
    const char *key, const char *value);
static ngx_int_t ngx_status_pq_word(const char *words, const u_char *word,
    size_t len);


/* What a URL may say behind its "?", in libpq's words. */

static const char  ngx_status_pq_modes[] =
    "disable allow prefer require verify-ca verify-full";

static const struct {
    const char  *name;
    const char  *words;                  /* NULL: any text */
} ngx_status_pq_args[] = {
    { "application_name", NULL },
    { "channel_binding", "disable prefer require" },
    { "host", NULL },
    { "options", NULL },
    { "sslmode", ngx_status_pq_modes },
    { "target_session_attrs",
      "any read-write read-only primary standby prefer-standby" },
    { NULL, NULL }
};


static char  ngx_status_pq_user[64];     /* who logs in, if nobody else */


void
ngx_status_pq_init(void)
{
    char            name[64], **env;
    size_t          n;
    struct passwd  *pw;

    /* PGSERVICE, PGPASSWORD and all the others: a check is what it says */

    for (env = environ; *env; /* void */ ) {
        n = strcspn(*env, "=");

        if (ngx_strncmp(*env, "PG", 2) == 0 && n < sizeof(name)) {
            ngx_memcpy(name, *env, n);
            name[n] = '\0';

            if (unsetenv(name) == 0) {
                continue;
            }
        }

        env++;
    }

    pw = getpwuid(geteuid());

    if (pw) {
        ngx_cpystrn((u_char *) ngx_status_pq_user, (u_char *) pw->pw_name,
                    sizeof(ngx_status_pq_user));
    }
}


ngx_int_t
ngx_status_pq_mode(const ngx_status_check_t *check)
{
    u_char  *p, *last, *end;

    end = check->args.data + check->args.len;

    for (p = check->args.data; p < end; p = last + 1) {
        last = ngx_strlchr(p, end, '&');

        if (last == NULL) {
            last = end;
        }

        if (last - p >= 8 && ngx_strncmp(p, "sslmode=", 8) == 0) {
            return ngx_status_pq_word(ngx_status_pq_modes, p + 8,
                                      last - p - 8);
        }
    }

    /* who names a certificate to trust wants to trust no other */

    return check->host.len && check->tls_ca.len && check->tls_verify
           ? NGX_STATUS_PQ_VERIFY_FULL : NGX_STATUS_PQ_PREFER;
}


ngx_int_t
ngx_status_pq_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_pq_params_t *params, char *err, size_t errlen)
{
    ngx_str_t                    db;
    const ngx_status_setting_t  *setting;

    snprintf(params->port, sizeof(params->port), "%u",
             (unsigned) check->port);

    ngx_str_null(&db);

    if (check->path.len > 1) {

        switch (ngx_status_url_decode(pool, &db, check->path.data + 1,
                                      check->path.data + check->path.len))
        {
        case NGX_OK:
            break;

        case NGX_DECLINED:
            snprintf(err, errlen, "the database's name has a \"%%\" without "
                     "two hexadecimal digits, or %%00");
            return NGX_ERROR;

        default:
            snprintf(err, errlen, "no memory");
            return NGX_ERROR;
        }
    }

    setting = ngx_status_setting(check, "query");

    params->query = setting ? (char *) setting->text.data : "SELECT 1";
    params->max = check->max_body;

    /* what libpq would ask its environment and home directory for, too */

    params->hostaddr = ngx_status_pq_param(params, "hostaddr", "");
    ngx_status_pq_param(params, "port", params->port);
    ngx_status_pq_param(params, "user", check->user.len
                                        ? (char *) check->user.data
                                        : ngx_status_pq_user);
    ngx_status_pq_param(params, "password", (char *) check->password.data);
    ngx_status_pq_param(params, "dbname", (char *) db.data);
    ngx_status_pq_param(params, "passfile", NGX_STATUS_PQ_NOWHERE);
    ngx_status_pq_param(params, "sslcrl", NGX_STATUS_PQ_NOWHERE);
    ngx_status_pq_param(params, "gssencmode", "disable");
    ngx_status_pq_param(params, "client_encoding", "UTF8");
    ngx_status_pq_param(params, "fallback_application_name",
                        (char *) check->user_agent.data);

    if (ngx_status_pq_conf_args(pool, check, params, err, errlen) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_status_pq_conf_tls(pool, check, params, err, errlen);
}


static ngx_int_t
ngx_status_pq_conf_tls(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_pq_params_t *params, char *err, size_t errlen)
{
    ngx_int_t          mode;
    const char        *key, *cert, *ca;
    ngx_status_tls_t   tls;

    static const char  *modes[] = { "disable", "allow", "prefer", "require",
                                    "verify-ca", "verify-full" };

    mode = ngx_status_pq_mode(check);
    ca = NGX_STATUS_PQ_NOWHERE;
    cert = NGX_STATUS_PQ_NOWHERE;
    key = NGX_STATUS_PQ_NOWHERE;

    if (mode >= NGX_STATUS_PQ_REQUIRE && check->host.len == 0) {
        snprintf(err, errlen, "sslmode=%s, but there is no TLS through a "
                 "socket file", modes[mode]);
        return NGX_ERROR;
    }

    if (mode >= NGX_STATUS_PQ_VERIFY_CA && !check->tls_verify) {
        snprintf(err, errlen, "sslmode=%s and \"tls_verify off\"",
                 modes[mode]);
        return NGX_ERROR;
    }

    if (ngx_status_tls_conf(pool, check, mode >= NGX_STATUS_PQ_VERIFY_CA,
                            &tls, err, errlen)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (mode >= NGX_STATUS_PQ_VERIFY_CA) {
        ca = tls.ca;
    }

    /* libpq reads them itself, for each connection */

    if (check->tls_cert.len) {
        cert = (char *) check->tls_cert.data;
        key = check->tls_key.len ? (char *) check->tls_key.data : cert;
    }

    params->sslmode = ngx_status_pq_param(params, "sslmode", modes[mode]);
    params->sslrootcert = ngx_status_pq_param(params, "sslrootcert", ca);
    ngx_status_pq_param(params, "sslcert", cert);
    ngx_status_pq_param(params, "sslkey", key);

    return NGX_OK;
}


static ngx_int_t
ngx_status_pq_conf_args(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_pq_params_t *params, char *err, size_t errlen)
{
    int          len;
    size_t       n;
    u_char      *p, *last, *end, *value;
    ngx_str_t    text, dir;
    ngx_uint_t   i, known;
    const char  *name, *words;

    ngx_str_null(&dir);
    known = 0;
    end = check->args.data + check->args.len;

    for (p = check->args.data; p < end; p = last + 1) {
        last = ngx_strlchr(p, end, '&');

        if (last == NULL) {
            last = end;
        }

        value = ngx_strlchr(p, last, '=');
        n = (value ? value : last) - p;

        for (i = 0; /* void */ ; i++) {
            name = ngx_status_pq_args[i].name;

            if (name == NULL || (ngx_strlen(name) == n
                                 && ngx_strncmp(name, p, n) == 0))
            {
                break;
            }
        }

        if (name == NULL || value == NULL) {
            goto unknown;
        }

        if (known & (1 << i)) {
            snprintf(err, errlen, "\"%s\" is twice in the URL", name);
            return NGX_ERROR;
        }

        known |= 1 << i;
        value++;
        words = ngx_status_pq_args[i].words;

        if (words
            && ngx_status_pq_word(words, value, last - value) == NGX_ERROR)
        {
            snprintf(err, errlen, "invalid %s \"%.*s\" in the URL, expected "
                     "one of %s", name, (int) ngx_min(last - value, 64),
                     value, words);
            return NGX_ERROR;
        }

        switch (ngx_status_url_decode(pool, &text, value, last)) {

        case NGX_OK:
            break;

        case NGX_DECLINED:
            snprintf(err, errlen, "\"%s\" in the URL has a \"%%\" without "
                     "two hexadecimal digits, or %%00", name);
            return NGX_ERROR;

        default:
            snprintf(err, errlen, "no memory");
            return NGX_ERROR;
        }

        if (ngx_strcmp(name, "host") == 0) {
            dir = text;

        } else if (words != ngx_status_pq_modes) {
            ngx_status_pq_param(params, name, (char *) text.data);
        }
    }

    if (ngx_status_pq_conf_host(check, &dir, err, errlen) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_status_pq_param(params, "host", dir.len ? (char *) dir.data
                                                : (char *) check->host.data);

    return NGX_OK;

unknown:

    /* what stands behind the "=" may be a secret */

    len = snprintf(err, errlen, "invalid \"%.*s\" in the URL, expected one "
                   "of", (int) ngx_min(n, 64), p);

    for (i = 0; ngx_status_pq_args[i].name && len < (int) errlen; i++) {
        len += snprintf(err + len, errlen - len, " %s=",
                        ngx_status_pq_args[i].name);
    }

    return NGX_ERROR;
}


/* "postgresql://host/" or "postgresql:///?host=/directory". */

static ngx_int_t
ngx_status_pq_conf_host(ngx_status_check_t *check, const ngx_str_t *dir,
    char *err, size_t errlen)
{
    struct sockaddr_un  sun;

    if (ngx_strlchr(check->host.data, check->host.data + check->host.len, ',')
        || (check->host.len && dir->len))
    {
        snprintf(err, errlen, "the URL has several hosts, expected a check "
                 "for each");
        return NGX_ERROR;
    }

    if (check->host.data[0] == '/' || check->host.data[0] == '%'
        || (dir->len && (dir->data[0] != '/'
                         || dir->len + sizeof("/.s.PGSQL.65535")
                            > sizeof(sun.sun_path))))
    {
        snprintf(err, errlen, "the URL's host is no name and no address, "
                 "expected ?host=/directory for that of a socket file");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* There is room for all that there can be; which one it is. */

static ngx_uint_t
ngx_status_pq_param(ngx_status_pq_params_t *params, const char *key,
    const char *value)
{
    params->keys[params->n] = key;
    params->values[params->n] = value;

    return params->n++;
}


/* Which one of the words it is, from 0. */

static ngx_int_t
ngx_status_pq_word(const char *words, const u_char *word, size_t len)
{
    size_t     n;
    ngx_int_t  i;

    for (i = 0; *words; i++) {
        n = strcspn(words, " ");

        if (n == len && ngx_strncmp(words, word, n) == 0) {
            return i;
        }

        words += n + strspn(words + n, " ");
    }

    return NGX_ERROR;
}

#endif
