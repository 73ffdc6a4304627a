
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_stream_inside.h"


static ngx_int_t ngx_status_stream_url(ngx_pool_t *pool, const
    ngx_status_check_t *check, ngx_status_stream_conf_t *conf, char *err,
    size_t errlen);
static ngx_int_t ngx_status_stream_certs(const ngx_status_check_t *check,
    ngx_uint_t tls, char *err, size_t errlen);
static ngx_uint_t ngx_status_stream_host(const ngx_str_t *name);


ngx_status_stream_conf_t *
ngx_status_stream_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_uint_t tls, ngx_status_starttls_e starttls, char *err, size_t errlen)
{
    ngx_status_stream_conf_t  *conf;

    if (check->host.len == 0) {
        snprintf(err, errlen, "the URL has no host");
        return NULL;
    }

    if (!ngx_status_stream_host(&check->host)) {
        snprintf(err, errlen, "the URL's host is no name and no address");
        return NULL;
    }

    conf = ngx_pcalloc(pool, sizeof(ngx_status_stream_conf_t));
    if (conf == NULL) {
        snprintf(err, errlen, "no memory");
        return NULL;
    }

    conf->tls = tls;
    conf->starttls = starttls;
    conf->family = ngx_status_dial_family(check);

    if (ngx_status_dial_fits((char *) (check->resolve.len
                                       ? check->resolve.data
                                       : check->host.data),
                             conf->family, err, errlen)
        != NGX_OK
        || ngx_status_stream_certs(check, tls, err, errlen) != NGX_OK)
    {
        return NULL;
    }

    if (check->port == 0 && starttls != NGX_STATUS_STARTTLS_NONE) {
        check->port = ngx_status_starttls_port(starttls);
    }

    if (check->port == 0) {
        snprintf(err, errlen, "the URL has no port, expected %s://HOST:PORT",
                 tls ? "tls" : "tcp");
        return NULL;
    }

    if (tls
        && (ngx_status_tls_conf(pool, check, 1, &conf->files, err, errlen)
            != NGX_OK
            || ngx_status_stream_url(pool, check, conf, err, errlen)
               != NGX_OK))
    {
        return NULL;
    }

    return conf;
}


/* Those of the check itself: it takes none from around it without TLS. */

static ngx_int_t
ngx_status_stream_certs(const ngx_status_check_t *check, ngx_uint_t tls,
    char *err, size_t errlen)
{
    ngx_uint_t  i;

    for (i = 0; !tls && i < check->nconds; i++) {

        if (ngx_status_subject_bit(check->conds[i].subject)
            == ngx_status_subject_bit(NGX_STATUS_S_CERT))
        {
            snprintf(err, errlen, "\"%s cert\" in a check without TLS",
                     check->conds[i].prefer ? "prefer" : "expect");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* The URL of which libcurl takes the name to verify. */

static ngx_int_t
ngx_status_stream_url(ngx_pool_t *pool, const ngx_status_check_t *check,
    ngx_status_stream_conf_t *conf, char *err, size_t errlen)
{
    CURLU                       *u;
    size_t                       size;
    ngx_str_t                    name;
    CURLUcode                    code;
    ngx_uint_t                   brackets;
    const ngx_status_setting_t  *setting;

    name = check->host;
    setting = ngx_status_setting(check, "tls_name");

    if (setting) {
        name = setting->text;

        if (!ngx_status_stream_host(&name)) {
            snprintf(err, errlen, "\"tls_name\" is no name and no address");
            return NGX_ERROR;
        }
    }

    brackets = ngx_strlchr(name.data, name.data + name.len, ':') != NULL;

    /* not the zone of "fe80::1%eth0" */
    name.len = strcspn((char *) name.data, "%");

    size = name.len + sizeof("https://[]:65535");

    conf->url = ngx_pnalloc(pool, size);
    if (conf->url == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    snprintf(conf->url, size, "https://%s%.*s%s:%u", brackets ? "[" : "",
             (int) name.len, (char *) name.data, brackets ? "]" : "",
             (unsigned) check->port);

    u = curl_url();
    if (u == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    code = curl_url_set(u, CURLUPART_URL, conf->url, 0);
    curl_url_cleanup(u);

    if (code != CURLUE_OK) {
        snprintf(err, errlen, "\"%.*s\" is no name that TLS could verify",
                 (int) name.len, (char *) name.data);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_status_stream_host(const ngx_str_t *name)
{
    u_char      c;
    ngx_uint_t  i, v6;

    v6 = ngx_strlchr(name->data, name->data + name->len, ':') != NULL;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'
              || (v6 && (c == ':' || c == '%'))))
        {
            return 0;
        }
    }

    return name->len > 0 && name->len < 254;
}
