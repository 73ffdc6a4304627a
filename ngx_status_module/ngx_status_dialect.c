
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_dialect_value.h"


#define NGX_STATUS_DIALECT_VALUE  64     /* bytes of a short argument */


static void ngx_status_dialect_healthchecks(ngx_status_heartbeat_t *hb,
    const ngx_str_t *path, size_t prefix, const ngx_str_t *args);
static void ngx_status_dialect_kuma(ngx_status_heartbeat_t *hb,
    const ngx_str_t *path, u_char *p, const ngx_str_t *args);
static void ngx_status_dialect_gatus(ngx_status_heartbeat_t *hb,
    const ngx_str_t *path, u_char *p, const ngx_str_t *args,
    const ngx_str_t *authorization);
static u_char *ngx_status_dialect_behind(const ngx_str_t *path,
    const char *marker);
static u_char *ngx_status_dialect_token(ngx_status_heartbeat_t *hb,
    const ngx_str_t *path, u_char *p);
static void ngx_status_dialect_rest(ngx_status_heartbeat_t *hb, u_char *p,
    u_char *last);
static ngx_int_t ngx_status_dialect_action(ngx_status_heartbeat_t *hb,
    const u_char *p, size_t len);
static void ngx_status_dialect_refuse(ngx_status_heartbeat_t *hb,
    ngx_uint_t status, const char *problem);
static void ngx_status_dialect_arg_text(ngx_status_heartbeat_t *hb,
    const ngx_str_t *args, const char *name);
static void ngx_status_dialect_text(ngx_status_heartbeat_t *hb,
    const u_char *data, size_t len);
static u_char ngx_status_dialect_letter(u_char c);


void
ngx_status_dialect_parse(ngx_status_heartbeat_t *hb, const ngx_str_t *path,
    size_t prefix, const ngx_str_t *args, const ngx_str_t *authorization)
{
    u_char  *p;

    ngx_memzero(hb, sizeof(ngx_status_heartbeat_t));
    hb->status = 200;

    p = ngx_status_dialect_behind(path, "/api/push/");

    if (p) {
        ngx_status_dialect_kuma(hb, path, p, args);
        return;
    }

    p = ngx_status_dialect_behind(path, "/api/v1/endpoints/");

    if (p) {
        ngx_status_dialect_gatus(hb, path, p, args, authorization);
        return;
    }

    ngx_status_dialect_healthchecks(hb, path, ngx_min(prefix, path->len),
                                    args);
}


static void
ngx_status_dialect_healthchecks(ngx_status_heartbeat_t *hb,
    const ngx_str_t *path, size_t prefix, const ngx_str_t *args)
{
    u_char     *p, *last, rid[NGX_STATUS_DIALECT_VALUE];
    ngx_int_t   n;

    hb->dialect = NGX_STATUS_DIALECT_HEALTHCHECKS;

    p = path->data + prefix;
    last = path->data + path->len;

    if (p < last && *p == '/') {
        p++;
    }

    if (last - p > 5 && ngx_memcmp(p, "ping/", 5) == 0) {
        p += 5;
    }

    p = ngx_status_dialect_token(hb, path, p);

    ngx_status_dialect_rest(hb, p, last);

    n = ngx_status_dialect_arg(args, "rid", rid, sizeof(rid));

    if (n != NGX_DECLINED
        && (n == NGX_ERROR
            || ngx_status_dialect_rid(rid, n, &hb->push.rid) != NGX_OK))
    {
        ngx_status_dialect_refuse(hb, 400, "invalid uuid format");
    }
}


/* What is behind the token: an action, or whose it is, and then maybe an
 * action. */

static void
ngx_status_dialect_rest(ngx_status_heartbeat_t *hb, u_char *p, u_char *last)
{
    u_char      *end;
    ngx_uint_t   i;

    if (p < last && last[-1] == '/') {
        last--;
    }

    for (i = 0; p < last; i++) {
        p++;                                       /* "/" */

        for (end = p; end < last && *end != '/'; end++) { /* void */ }

        if (ngx_status_dialect_action(hb, p, end - p) == NGX_OK) {
            p = end;
            break;
        }

        /* which need not be a path of ours */
        hb->tail.len = 0;

        if (i || end == p) {
            break;
        }

        hb->key.data = p;
        hb->key.len = end - p;
        p = end;
    }

    if (p < last) {
        hb->tail.len = 0;
        ngx_status_dialect_refuse(hb, 404, "not found");
    }
}


/* NGX_DECLINED: it is none. */

static ngx_int_t
ngx_status_dialect_action(ngx_status_heartbeat_t *hb, const u_char *p,
    size_t len)
{
    size_t  i;

    if (ngx_status_dialect_is(p, len, "start")) {
        hb->push.kind = NGX_STATUS_PUSH_START;
        return NGX_OK;
    }

    if (ngx_status_dialect_is(p, len, "fail")) {
        hb->push.kind = NGX_STATUS_PUSH_FAILURE;
        return NGX_OK;
    }

    if (ngx_status_dialect_is(p, len, "log")) {
        hb->push.kind = NGX_STATUS_PUSH_LOG;
        return NGX_OK;
    }

    for (i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return NGX_DECLINED;
        }
    }

    if (len == 0) {
        return NGX_DECLINED;
    }

    for (i = 0; i < len; i++) {
        hb->code = ngx_min(hb->code * 10 + p[i] - '0', 256);
    }

    if (hb->code > 255) {
        ngx_status_dialect_refuse(hb, 400, "invalid url format");

    } else if (hb->code) {
        hb->push.kind = NGX_STATUS_PUSH_FAILURE;
    }

    return NGX_OK;
}


static void
ngx_status_dialect_kuma(ngx_status_heartbeat_t *hb, const ngx_str_t *path,
    u_char *p, const ngx_str_t *args)
{
    u_char      value[NGX_STATUS_DIALECT_VALUE];
    ngx_int_t   n;
    ngx_uint_t  empty;

    hb->dialect = NGX_STATUS_DIALECT_KUMA;

    p = ngx_status_dialect_token(hb, path, p);

    empty = (p == path->data + path->len
             || (p + 1 == path->data + path->len && *p == '/'));

    if (!empty) {
        hb->tail.len = 0;
        ngx_status_dialect_refuse(hb, 404,
                                  "Monitor not found or not active.");
        return;
    }

    n = ngx_status_dialect_arg(args, "status", value, sizeof(value));

    if (n != NGX_DECLINED && n != 0
        && !ngx_status_dialect_is(value, (size_t) n, "up"))
    {
        hb->push.kind = NGX_STATUS_PUSH_FAILURE;
    }

    n = ngx_status_dialect_arg(args, "ping", value, sizeof(value));

    if (n != NGX_DECLINED && n != 0
        && (n == NGX_ERROR
            || ngx_status_dialect_ping(value, n, &hb->push.took) != NGX_OK))
    {
        ngx_status_dialect_refuse(hb, 400, "Invalid ping value, expected "
                                  "milliseconds from 0 to 86400000");
    }

    ngx_status_dialect_arg_text(hb, args, "msg");
}


static void
ngx_status_dialect_gatus(ngx_status_heartbeat_t *hb, const ngx_str_t *path,
    u_char *p, const ngx_str_t *args, const ngx_str_t *authorization)
{
    u_char     *last, *end, value[NGX_STATUS_DIALECT_VALUE];
    ngx_int_t   n;
    ngx_str_t   token;

    hb->dialect = NGX_STATUS_DIALECT_GATUS;
    hb->head = *path;

    last = path->data + path->len;

    if (last > p && last[-1] == '/') {
        last--;
    }

    for (end = p; end < last && *end != '/'; end++) { /* void */ }

    if (end == p || !ngx_status_dialect_is(end, last - end, "/external")) {
        ngx_status_dialect_refuse(hb, 404, "not found");
        return;
    }

    hb->key.data = p;
    hb->key.len = end - p;

    n = ngx_status_dialect_arg(args, "success", value, sizeof(value));

    if (n >= 0 && ngx_status_dialect_is(value, (size_t) n, "false")) {
        hb->push.kind = NGX_STATUS_PUSH_FAILURE;

    } else if (n < 0 || !ngx_status_dialect_is(value, (size_t) n, "true")) {
        ngx_status_dialect_refuse(hb, 400,
                            "missing or invalid success query parameter");
        return;
    }

    token = *authorization;

    if (token.len < 7 || ngx_memcmp(token.data, "Bearer ", 7) != 0) {
        ngx_status_dialect_refuse(hb, 401, "invalid Authorization header");
        return;
    }

    token.data += 7;
    token.len -= 7;

    while (token.len && *token.data == ' ') {
        token.data++;
        token.len--;
    }

    while (token.len && token.data[token.len - 1] == ' ') {
        token.len--;
    }

    if (token.len <= NGX_STATUS_TOKEN) {
        ngx_memcpy(hb->token, token.data, token.len);
    }

    n = ngx_status_dialect_arg(args, "duration", value, sizeof(value));

    if (n != NGX_DECLINED && n != 0
        && (n == NGX_ERROR
            || ngx_status_dialect_duration(value, n, &hb->push.took)
               != NGX_OK))
    {
        ngx_status_dialect_refuse(hb, 400, "invalid duration");
    }

    ngx_status_dialect_arg_text(hb, args, "error");
}


/* What is behind a marker in the path, or NULL. */

static u_char *
ngx_status_dialect_behind(const ngx_str_t *path, const char *marker)
{
    size_t  i, n;

    n = ngx_strlen(marker);

    for (i = 0; i + n <= path->len; i++) {
        if (ngx_memcmp(path->data + i, marker, n) == 0) {
            return path->data + i + n;
        }
    }

    return NULL;
}


/* Takes the token that stands at p, and returns what is behind it. */

static u_char *
ngx_status_dialect_token(ngx_status_heartbeat_t *hb, const ngx_str_t *path,
    u_char *p)
{
    u_char  *last, *end;

    last = path->data + path->len;

    for (end = p; end < last && *end != '/'; end++) { /* void */ }

    if (end - p <= NGX_STATUS_TOKEN) {
        ngx_memcpy(hb->token, p, end - p);
    }

    hb->head.data = path->data;
    hb->head.len = p - path->data;
    hb->tail.data = end;
    hb->tail.len = last - end;

    return end;
}


static void
ngx_status_dialect_refuse(ngx_status_heartbeat_t *hb, ngx_uint_t status,
    const char *problem)
{
    if (hb->status == 200) {
        hb->status = status;
        hb->problem = problem;
    }
}


static void
ngx_status_dialect_arg_text(ngx_status_heartbeat_t *hb, const ngx_str_t *args,
    const char *name)
{
    u_char     text[NGX_STATUS_MESSAGE];
    ngx_int_t  n;

    n = ngx_status_dialect_arg(args, name, text, sizeof(text));

    if (n != NGX_DECLINED) {
        ngx_status_dialect_text(hb, text, n == NGX_ERROR ? sizeof(text)
                                                         : (size_t) n);
    }
}


void
ngx_status_dialect_body(ngx_status_heartbeat_t *hb, const u_char *data,
    size_t len)
{
    if (hb->dialect == NGX_STATUS_DIALECT_HEALTHCHECKS) {
        ngx_status_dialect_text(hb, data, len);
    }
}


/* Lines become one, and what they are indented by is not worth its place. */

static void
ngx_status_dialect_text(ngx_status_heartbeat_t *hb, const u_char *data,
    size_t len)
{
    size_t  i;
    u_char  c;

    for (i = 0; i < len && hb->len < sizeof(hb->text); i++) {
        c = data[i];

        if (c <= ' ' || c == 0x7f) {

            if (hb->len == 0 || hb->text[hb->len - 1] == ' ') {
                continue;
            }

            c = ' ';
        }

        hb->text[hb->len++] = c;
    }
}


void
ngx_status_dialect_end(ngx_status_heartbeat_t *hb)
{
    size_t       i, n;
    char        *message, code[sizeof("exit code 255")];
    const char  *what;

    message = hb->push.message;
    message[0] = '\0';

    /* who shows how the token was sent shows the token */

    n = strnlen((char *) hb->token, NGX_STATUS_TOKEN);

    for (i = 0; n && i + n <= hb->len; i++) {
        if (ngx_memcmp(hb->text + i, hb->token, n) == 0) {
            ngx_memset(hb->text + i, '*', n);
        }
    }

    /* what is cut off at the end may be the begin of one */

    for (i = hb->len > n ? hb->len - n : 0;
         hb->len == sizeof(hb->text) && i < hb->len;
         i++)
    {
        if (ngx_memcmp(hb->text + i, hb->token, hb->len - i) == 0) {
            hb->len = i;
        }
    }

    while (hb->len && hb->text[hb->len - 1] == ' ') {
        hb->len--;
    }

    if (hb->push.kind != NGX_STATUS_PUSH_FAILURE) {
        ngx_status_text_copy(message, NGX_STATUS_MESSAGE, hb->text, hb->len);
        return;
    }

    what = "failure reported";

    if (hb->code) {
        snprintf(code, sizeof(code), "exit code %u", (unsigned) hb->code);
        what = code;
    }

    n = ngx_strlen(what);
    ngx_memcpy(message, what, n + 1);

    if (hb->len) {
        message[n++] = ':';
        message[n++] = ' ';
        ngx_status_text_copy(message + n, NGX_STATUS_MESSAGE - n, hb->text,
                             hb->len);
    }
}


ngx_uint_t
ngx_status_dialect_find(const u_char *token, const u_char *const *tokens,
    ngx_uint_t n)
{
    uint64_t    a, b, differs;
    ngx_uint_t  i, k, found;

    found = 0;

    for (i = 0; i < n; i++) {
        differs = 0;

        for (k = 0; k < NGX_STATUS_TOKEN; k += sizeof(uint64_t)) {
            ngx_memcpy(&a, token + k, sizeof(uint64_t));
            ngx_memcpy(&b, tokens[i] + k, sizeof(uint64_t));
            differs |= a ^ b;
        }

        /* 1 or 0; then no bit or all of them */

        differs = (differs | (0 - differs)) >> 63;
        found |= (i + 1) & ((ngx_uint_t) differs - 1);
    }

    return found;
}


ngx_uint_t
ngx_status_dialect_key(const ngx_str_t *key, const ngx_str_t *group,
    const ngx_str_t *id)
{
    size_t            i, n;
    ngx_uint_t        k;
    const ngx_str_t  *word;

    if (key->len == id->len && ngx_memcmp(key->data, id->data, id->len) == 0) {
        return 1;
    }

    if (key->len != group->len + 1 + id->len) {
        return 0;
    }

    for (k = 0, n = 0; k < 2; k++) {
        word = k ? id : group;

        for (i = 0; i < word->len; i++, n++) {
            if (key->data[n] != ngx_status_dialect_letter(word->data[i])) {
                return 0;
            }
        }

        if (k == 0 && key->data[n++] != '_') {
            return 0;
        }
    }

    return 1;
}


/* In a key of Gatus's, which has letters of ASCII in lower case. */

static u_char
ngx_status_dialect_letter(u_char c)
{
    return (c && strchr("/_.,#+& ", c)) ? '-' : ngx_tolower(c);
}
