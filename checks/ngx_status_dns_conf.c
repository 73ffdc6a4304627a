
/*
 * Copyright (C) ngx_status_module authors
 *
 * Checks of type dns at configuration time: what will be asked, and of whom.
 */


#include "ngx_status_dial.h"
#include "ngx_status_dns.h"

#if (NGX_STATUS_CARES)

/* what c-ares 1.28 calls deprecated is all that 1.18 has */
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <ares_nameser.h>


static ngx_int_t ngx_status_dns_conf_type(ngx_status_check_t *check,
    ngx_status_dns_conf_t *conf, char *err, size_t errlen);


ngx_int_t
ngx_status_dns_conf(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    int                     len;
    size_t                  i;
    ngx_str_t               name;
    unsigned char          *query;
    ngx_status_dns_conf_t  *conf;

    conf = ngx_pcalloc(pool, sizeof(ngx_status_dns_conf_t));

    if (conf == NULL) {
        goto nomem;
    }

    check->conf = conf;
    conf->family = ngx_status_dial_family(check);

    if (ngx_status_dial_fits((char *) (check->resolve.len
                                       ? check->resolve.data
                                       : check->host.data),
                             conf->family, err, errlen)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (check->user.data) {
        snprintf(err, errlen, "the URL has a user, expected "
                 "dns://server/name?type=A");
        return NGX_ERROR;
    }

    if (check->path.len < 2) {
        snprintf(err, errlen, "the URL names nothing to ask for, expected "
                 "dns://server/name?type=A");
        return NGX_ERROR;
    }

    switch (ngx_status_url_decode(pool, &name, check->path.data + 1,
                                  check->path.data + check->path.len))
    {
    case NGX_OK:
        break;

    case NGX_DECLINED:
        goto invalid;

    default:
        goto nomem;
    }

    conf->name = (char *) name.data;

    for (i = 0; i < name.len; i++) {
        if (name.data[i] >= 0x80) {
            snprintf(err, errlen, "the name to ask for has letters beyond "
                     "ASCII, expected its ASCII form, for example "
                     "xn--bcher-kva.example");
            return NGX_ERROR;
        }
    }

    if (ngx_status_dns_conf_type(check, conf, err, errlen) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ares_create_query(conf->name, ns_c_in, (int) conf->number, 0, 1,
                          &query, &len, 0)
        != ARES_SUCCESS)
    {
        goto invalid;
    }

    ares_free_string(query);

    return NGX_OK;

invalid:

    snprintf(err, errlen, "\"%.*s\" is not a name that the DNS could have",
             (int) ngx_min(check->path.len - 1, 255), check->path.data + 1);
    return NGX_ERROR;

nomem:

    snprintf(err, errlen, "no memory");
    return NGX_ERROR;
}


/* "?type=MX"; conditions may repeat it, but not ask for another one. */

static ngx_int_t
ngx_status_dns_conf_type(ngx_status_check_t *check,
    ngx_status_dns_conf_t *conf, char *err, size_t errlen)
{
    size_t                        n;
    ngx_uint_t                    i;
    ngx_str_t                     word;
    ngx_status_cond_t            *cond;
    const ngx_status_dns_type_t  *type;

    ngx_str_set(&word, "A");

    if (check->args.len) {

        if (check->args.len < 5
            || ngx_strncmp(check->args.data, "type=", 5) != 0)
        {
            goto invalid;
        }

        word.data = check->args.data + 5;
        word.len = check->args.len - 5;
    }

    for (type = ngx_status_dns_types; type->name.len; type++) {
        if (type->name.len == word.len
            && ngx_strncasecmp(type->name.data, word.data, word.len) == 0)
        {
            break;
        }
    }

    if (type->name.len == 0) {
        goto invalid;
    }

    conf->type = (char *) type->name.data;
    conf->number = type->number;

    for (i = 0; i < check->nconds; i++) {
        cond = &check->conds[i];

        conf->asked |= (cond->subject != NGX_STATUS_S_LATENCY
                        && !cond->prefer);

        if (cond->subject == NGX_STATUS_S_DNS && cond->name.len
            && ngx_strcmp(cond->name.data, conf->type) != 0)
        {
            snprintf(err, errlen, "\"%s dns %s\" in a check that asks for "
                     "%s records", cond->prefer ? "prefer" : "expect",
                     cond->name.data, conf->type);
            return NGX_ERROR;
        }
    }

    return NGX_OK;

invalid:

    n = snprintf(err, errlen, "invalid \"?%.*s\" of the URL, expected "
                 "?type= and one of", (int) ngx_min(check->args.len, 64),
                 check->args.data);

    for (type = ngx_status_dns_types; type->name.len && n < errlen; type++) {
        n += snprintf(err + n, errlen - n, " %s", type->name.data);
    }

    return NGX_ERROR;
}


#endif
