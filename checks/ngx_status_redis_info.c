
/*
 * Copyright (C) ngx_status_module authors
 *
 * INFO's answer: "name:value" lines, of which some values are lists,
 * "state=online,lag=0".
 */


#include "ngx_status_redis.h"


#define NGX_STATUS_REDIS_INFO  65536     /* bytes of it that are looked at */


static ngx_int_t ngx_status_redis_line(const ngx_str_t *info,
    const char *name, size_t len, ngx_str_t *value);
static ngx_int_t ngx_status_redis_member(const ngx_str_t *list,
    const char *name, size_t len, ngx_str_t *value);
static ngx_uint_t ngx_status_redis_cut(ngx_str_t *rest, u_char c,
    ngx_str_t *part);
static ngx_uint_t ngx_status_redis_is(const ngx_str_t *part, const char *name,
    size_t len, u_char c, ngx_str_t *value);
static ngx_int_t ngx_status_redis_lag(const ngx_str_t *info, u_char *buf,
    ngx_str_t *value);
static ngx_int_t ngx_status_redis_replicas(const ngx_str_t *info,
    double *lag);
static ngx_int_t ngx_status_redis_share(const ngx_str_t *info, u_char *buf,
    ngx_str_t *value);
static ngx_int_t ngx_status_redis_number(const ngx_str_t *info,
    const char *name, double *number);
static ngx_int_t ngx_status_redis_digits(const ngx_str_t *text,
    double *number);


ngx_int_t
ngx_status_redis_field(const ngx_str_t *info, const ngx_str_t *name,
    u_char buf[NGX_STATUS_REDIS_FIELD], ngx_str_t *value)
{
    char       *field;
    size_t      n;
    ngx_str_t   text, list;

    text = *info;
    text.len = ngx_min(text.len, NGX_STATUS_REDIS_INFO);

    field = (char *) name->data;

    if (ngx_status_redis_line(&text, field, name->len, value) == NGX_OK) {
        value->len -= (value->len && value->data[value->len - 1] == '%');
        goto found;
    }

    if (ngx_strcmp(field, "replication_lag") == 0) {
        return ngx_status_redis_lag(&text, buf, value);
    }

    if (ngx_strcmp(field, "maxmemory_perc") == 0) {
        return ngx_status_redis_share(&text, buf, value);
    }

    for (n = name->len; n && field[n - 1] != '.'; n--) { /* void */ }

    if (n == 0
        || ngx_status_redis_line(&text, field, n - 1, &list) != NGX_OK
        || ngx_status_redis_member(&list, field + n, name->len - n, value)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

found:

    value->len = ngx_min(value->len, NGX_STATUS_REDIS_FIELD);

    return NGX_OK;
}


static ngx_int_t
ngx_status_redis_line(const ngx_str_t *info, const char *name, size_t len,
    ngx_str_t *value)
{
    ngx_str_t  rest, line;

    rest = *info;

    while (ngx_status_redis_cut(&rest, '\n', &line)) {
        if (ngx_status_redis_is(&line, name, len, ':', value)) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_status_redis_member(const ngx_str_t *list, const char *name, size_t len,
    ngx_str_t *value)
{
    ngx_str_t  rest, member;

    rest = *list;

    while (ngx_status_redis_cut(&rest, ',', &member)) {
        if (ngx_status_redis_is(&member, name, len, '=', value)) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* Takes the first part away, a CR behind it left out; 0: nothing is left. */

static ngx_uint_t
ngx_status_redis_cut(ngx_str_t *rest, u_char c, ngx_str_t *part)
{
    u_char  *p;
    size_t   len;

    if (rest->len == 0) {
        return 0;
    }

    p = memchr(rest->data, c, rest->len);
    len = p ? (size_t) (p - rest->data) : rest->len;

    part->data = rest->data;
    part->len = len - (len && rest->data[len - 1] == '\r');

    rest->data += len + (p != NULL);
    rest->len -= len + (p != NULL);

    return 1;
}


static ngx_uint_t
ngx_status_redis_is(const ngx_str_t *part, const char *name, size_t len,
    u_char c, ngx_str_t *value)
{
    if (part->len <= len || part->data[len] != c
        || ngx_memcmp(part->data, name, len) != 0)
    {
        return 0;
    }

    value->data = part->data + len + 1;
    value->len = part->len - len - 1;

    return 1;
}


static ngx_int_t
ngx_status_redis_lag(const ngx_str_t *info, u_char *buf, ngx_str_t *value)
{
    double      lag;
    ngx_int_t   rc;
    ngx_str_t   link;

    if (ngx_status_redis_line(info, "master_link_status",
                              sizeof("master_link_status") - 1, &link)
        != NGX_OK)
    {
        rc = ngx_status_redis_replicas(info, &lag);

    } else {
        rc = ngx_status_redis_number(info,
                 link.len == 2 && ngx_memcmp(link.data, "up", 2) == 0
                 ? "master_last_io_seconds_ago"
                 : "master_link_down_since_seconds", &lag);
    }

    if (rc == NGX_OK) {
        value->data = buf;
        value->len = snprintf((char *) buf, NGX_STATUS_REDIS_FIELD, "%.0f",
                              lag);
    }

    return rc;
}


/* "slave0:...,state=online,...,lag=1"; how far behind one is that is not
 * online yet nobody knows. */

static ngx_int_t
ngx_status_redis_replicas(const ngx_str_t *info, double *lag)
{
    size_t     n;
    double     seconds;
    ngx_str_t  rest, line, list, value;

    *lag = -1;
    rest = *info;

    while (ngx_status_redis_cut(&rest, '\n', &line)) {

        if (line.len < 5 || ngx_memcmp(line.data, "slave", 5) != 0) {
            continue;
        }

        for (n = 5; n < line.len && line.data[n] >= '0' && line.data[n] <= '9';
             n++)
        {
            /* void */
        }

        if (n == 5
            || !ngx_status_redis_is(&line, (char *) line.data, n, ':', &list))
        {
            continue;
        }

        if (ngx_status_redis_member(&list, "state", 5, &value) != NGX_OK
            || value.len != 6 || ngx_memcmp(value.data, "online", 6) != 0
            || ngx_status_redis_member(&list, "lag", 3, &value) != NGX_OK
            || ngx_status_redis_digits(&value, &seconds) != NGX_OK)
        {
            return NGX_DECLINED;
        }

        *lag = ngx_max(*lag, seconds);
    }

    return *lag < 0 ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_status_redis_share(const ngx_str_t *info, u_char *buf, ngx_str_t *value)
{
    double  used, max;

    if (ngx_status_redis_number(info, "used_memory", &used) != NGX_OK
        || ngx_status_redis_number(info, "maxmemory", &max) != NGX_OK
        || max == 0)
    {
        return NGX_DECLINED;
    }

    value->data = buf;
    value->len = snprintf((char *) buf, NGX_STATUS_REDIS_FIELD, "%.2f",
                          used / max * 100);

    return NGX_OK;
}


static ngx_int_t
ngx_status_redis_number(const ngx_str_t *info, const char *name,
    double *number)
{
    ngx_str_t  value;

    return ngx_status_redis_line(info, name, ngx_strlen(name), &value)
           == NGX_OK
           ? ngx_status_redis_digits(&value, number) : NGX_DECLINED;
}


static ngx_int_t
ngx_status_redis_digits(const ngx_str_t *text, double *number)
{
    size_t  i;

    *number = 0;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') {
            return NGX_DECLINED;
        }

        *number = *number * 10 + (text->data[i] - '0');
    }

    return i > 0 && i < 20 ? NGX_OK : NGX_DECLINED;
}
