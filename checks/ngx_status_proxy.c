
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_proxy.h"
#include "ngx_status_curl.h"
#include "ngx_status_probe.h"


/* Replies of SOCKS [RFC 1928, 6] that are about the target. */

static const struct {
    long         code;
    const char  *text;
} ngx_status_proxy_replies[] = {
    { CURLPX_REPLY_CONNECTION_REFUSED, "connection refused" },
    { CURLPX_REPLY_HOST_UNREACHABLE, "host is unreachable" },
    { CURLPX_REPLY_NETWORK_UNREACHABLE, "network is unreachable" },
    { CURLPX_REPLY_TTL_EXPIRED, "no answer to the connection attempts" },
    { 0, NULL }
};


static const char *ngx_status_proxy_wrong(CURLU *u, const char *scheme);


ngx_int_t
ngx_status_proxy_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_proxy_t *proxy, char *err, size_t errlen)
{
    CURLU                       *u;
    ngx_str_t                    url, password;
    const char                  *scheme, *wrong;
    const ngx_status_setting_t  *setting;

    setting = ngx_status_setting(check, "proxy");

    if (setting == NULL || ngx_strcmp(setting->text.data, "off") == 0) {
        return NGX_OK;
    }

    u = curl_url();

    if (u == NULL) {
        snprintf(err, errlen, "no memory");
        return NGX_ERROR;
    }

    wrong = "is not a URL, expected one such as http://proxy.example:3128";

    if (curl_url_set(u, CURLUPART_URL, (char *) setting->text.data,
                     CURLU_NON_SUPPORT_SCHEME)
        != CURLUE_OK)
    {
        goto failed;
    }

    wrong = "does not fit into memory";
    scheme = ngx_status_curl_part(pool, u, CURLUPART_SCHEME, 0);

    if (scheme == NULL) {
        goto failed;
    }

    wrong = ngx_status_proxy_wrong(u, scheme);

    if (wrong) {
        goto failed;
    }

    wrong = "does not fit into memory";

    proxy->tls = (strcmp(scheme, "https") == 0);
    proxy->tunnel = check->resolve.len || scheme[0] == 's';

    /* names are the proxy's to resolve, whatever libcurl calls that */

    if (scheme[0] == 's'
        && curl_url_set(u, CURLUPART_SCHEME, "socks5h",
                        CURLU_NON_SUPPORT_SCHEME)
           != CURLUE_OK)
    {
        goto failed;
    }

    proxy->host = ngx_status_curl_part(pool, u, CURLUPART_HOST, 0);
    proxy->url = ngx_status_curl_part(pool, u, CURLUPART_URL, 0);

    if (proxy->host == NULL || proxy->url == NULL) {
        goto failed;
    }

    url.data = (u_char *) proxy->url;
    url.len = strlen(proxy->url);

    password.data = (u_char *) ngx_status_curl_part(pool, u,
                                       CURLUPART_PASSWORD, CURLU_URLDECODE);
    password.len = password.data ? ngx_strlen(password.data) : 0;

    if (ngx_status_wipe(pool, &url) != NGX_OK
        || ngx_status_wipe(pool, &setting->text) != NGX_OK
        || ngx_status_hide(pool, check, &password) != NGX_OK)
    {
        goto failed;
    }

    curl_url_cleanup(u);

    return NGX_OK;

failed:

    curl_url_cleanup(u);
    snprintf(err, errlen, "\"proxy\" %s", wrong);

    return NGX_ERROR;
}


static const char *
ngx_status_proxy_wrong(CURLU *u, const char *scheme)
{
    char        *path, *port, *rest;
    ngx_uint_t   bare;

    path = NULL;
    port = NULL;
    rest = NULL;

    if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0
        && strcmp(scheme, "socks5") != 0 && strcmp(scheme, "socks5h") != 0)
    {
        return "has a scheme that is none of http, https, socks5 and socks5h";
    }

    if (strcmp(scheme, "https") == 0
        && !(curl_version_info(CURLVERSION_NOW)->features
             & CURL_VERSION_HTTPS_PROXY))
    {
        return "with https:// needs a libcurl that knows such proxies";
    }

    if (curl_url_get(u, CURLUPART_PORT, &port, 0) != CURLUE_OK) {
        return "has no port";
    }

    curl_free(port);

    bare = curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK
           && strcmp(path, "/") == 0
           && curl_url_get(u, CURLUPART_QUERY, &rest, 0) != CURLUE_OK
           && curl_url_get(u, CURLUPART_FRAGMENT, &rest, 0) != CURLUE_OK;

    curl_free(path);
    curl_free(rest);

    return bare ? NULL : "has something behind its port";
}


ngx_int_t
ngx_status_proxy_set(const ngx_status_proxy_t *proxy, CURL *easy,
    const ngx_status_check_t *check, const char *ca)
{
    int  rc;

#define set(option, value)  rc |= curl_easy_setopt(easy, option, value)

    rc = 0;

    set(CURLOPT_PROXY, proxy->url);
    set(CURLOPT_NOPROXY, "");
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);

    if (proxy->tls) {
        set(CURLOPT_PROXY_CAPATH, NULL);
        set(CURLOPT_PROXY_CAINFO, ca);

        if (!check->tls_verify) {
            set(CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
            set(CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
        }
    }

#undef set

    return rc ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_status_proxy_says(CURL *easy, CURLcode code, ngx_status_evidence_t *ev)
{
    long        status, reply;
    ngx_uint_t  i;

    status = 0;
    reply = CURLPX_OK;

    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);

    if (status >= 300) {

        if (status == 407) {
            ngx_status_proxy_login(ev);

        } else if (status >= 500) {
            ngx_status_ev_fails(ev, NGX_STATUS_E_CONNECT,
                                "the proxy does not reach the target (%ld)",
                                status);
        } else {
            ngx_status_ev_fault(ev, "proxy: it does not connect us (%ld)",
                                status);
        }

        return NGX_OK;
    }

    if (code != CURLE_PROXY) {
        return NGX_DECLINED;
    }

    curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &reply);

    for (i = 0; ngx_status_proxy_replies[i].text; i++) {
        if (ngx_status_proxy_replies[i].code == reply) {
            ngx_status_ev_fails(ev, NGX_STATUS_E_CONNECT,
                                "the proxy does not reach the target: %s",
                                ngx_status_proxy_replies[i].text);
            return NGX_OK;
        }
    }

    switch (reply) {

    case CURLPX_NO_AUTH:
    case CURLPX_USER_REJECTED:
        ngx_status_proxy_login(ev);
        break;

    case CURLPX_REPLY_NOT_ALLOWED:
        ngx_status_ev_fault(ev, "proxy: it does not connect us");
        break;

    case CURLPX_REPLY_GENERAL_SERVER_FAILURE:
        ngx_status_ev_fault(ev, "proxy: it does not connect us, and does not "
                            "say why");
        break;

    case CURLPX_CLOSED:
        ngx_status_ev_fault(ev, "proxy: connection closed");
        break;

    default:
        ngx_status_ev_fault(ev, "proxy: SOCKS failed (libcurl %d/%ld)",
                            (int) code, reply);
    }

    return NGX_OK;
}


void
ngx_status_proxy_blame(const ngx_status_proxy_t *proxy, CURL *easy,
    ngx_status_evidence_t *ev)
{
    char  *url, text[NGX_STATUS_MESSAGE];

    if (ev->fault) {
        return;
    }

    url = NULL;
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);

    ngx_memcpy(text, ev->message, NGX_STATUS_MESSAGE);

    if (ev->timed_out
        && (proxy->tunnel
            || (url && ngx_strncasecmp((u_char *) url, (u_char *) "https:", 6)
                       == 0)))
    {
        /* the target may be what it waits for, too */

        ngx_status_message(ev->message, "%s through the proxy", text);
        return;
    }

    ev->timed_out = 0;
    ev->error = NGX_STATUS_E_NONE;
    ngx_status_ev_fault(ev, "proxy: %s", text);
}


void
ngx_status_proxy_login(ngx_status_evidence_t *ev)
{
    ngx_status_ev_fault(ev, "proxy: credentials are missing or wrong");
}
