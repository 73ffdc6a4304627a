
/*
 * Copyright (C) ngx_status_module authors
 *
 * hiredis reads, but keeps nothing: its functions that make objects of what
 * was read are ours, and all they make is text.  So nothing is allocated for
 * what a peer only says it will send.
 */


#include "ngx_status_redis.h"

#if (NGX_STATUS_HIREDIS)

#include <hiredis/hiredis.h>


#define NGX_STATUS_REDIS_LINE   16384    /* bytes of all but strings, which
                                            have their length before them */
#define NGX_STATUS_REDIS_DEPTH  7        /* arrays in arrays */
#define NGX_STATUS_REDIS_LEAST  3        /* bytes of an element */

#if (HIREDIS_MAJOR > 0)
typedef size_t  ngx_status_redis_count_t;
#else
typedef int     ngx_status_redis_count_t;
#endif


static void *ngx_status_redis_string(const redisReadTask *task, char *text,
    size_t len);
static void *ngx_status_redis_array(const redisReadTask *task,
    ngx_status_redis_count_t n);
static void *ngx_status_redis_integer(const redisReadTask *task,
    long long number);
static void *ngx_status_redis_nil(const redisReadTask *task);
static void ngx_status_redis_drop(void *object);
static void *ngx_status_redis_part(const redisReadTask *task,
    ngx_status_redis_kind_e kind, const char *text, size_t len);
static ngx_uint_t ngx_status_redis_endless(const redisReader *reader);
static u_char *ngx_status_redis_quoted(u_char *p, const u_char **in,
    const u_char *last);
static ngx_int_t ngx_status_redis_hex(u_char c);


static redisReplyObjectFunctions  ngx_status_redis_functions = {
    .createString = ngx_status_redis_string,
    .createArray = ngx_status_redis_array,
    .createInteger = ngx_status_redis_integer,
    .createNil = ngx_status_redis_nil,
    .freeObject = ngx_status_redis_drop
};


ngx_int_t
ngx_status_redis_init(ngx_status_redis_t *r, size_t limit)
{
    r->reader = redisReaderCreateWithFunctions(&ngx_status_redis_functions);

    if (r->reader == NULL) {
        return NGX_ERROR;
    }

    r->reader->privdata = r;
    r->limit = limit;

    /* so that the text is never NULL */

    r->text.data = malloc(1);
    r->size = 1;

    return r->text.data ? NGX_OK : NGX_ERROR;
}


void
ngx_status_redis_free(ngx_status_redis_t *r)
{
    if (r->reader) {
        redisReaderFree(r->reader);
        r->reader = NULL;
    }

    free(r->text.data);
    r->text.data = NULL;
}


ngx_int_t
ngx_status_redis_feed(ngx_status_redis_t *r, const u_char *bytes, size_t len)
{
    r->came += len;

    return redisReaderFeed(r->reader, (const char *) bytes, len) == REDIS_OK
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_status_redis_next(ngx_status_redis_t *r)
{
    void  *reply;

    if (r->done) {
        r->done = 0;
        r->kind = NGX_STATUS_REDIS_NONE;
        r->text.len = 0;
        r->nparts = 0;
        r->rows = 0;
    }

    if (redisReaderGetReply(r->reader, &reply) != REDIS_OK) {

        if (r->error == 0 && r->reader->err != REDIS_ERR_OOM) {
            r->error = NGX_STATUS_E_PROTOCOL;
            snprintf(r->err, sizeof(r->err), "not Redis' protocol: %s",
                     r->reader->errstr);
        }

        return NGX_ERROR;
    }

    if (reply) {
        r->done = 1;

        if (r->kind != NGX_STATUS_REDIS_NONE) {
            return NGX_OK;
        }

        r->error = NGX_STATUS_E_PROTOCOL;
        snprintf(r->err, sizeof(r->err), "not Redis' protocol: an answer of "
                 "no kind that is known");
        return NGX_ERROR;
    }

    if (r->came > r->limit) {
        r->error = NGX_STATUS_E_SIZE;
        snprintf(r->err, sizeof(r->err), "the answer is longer than max_body, "
                 "%lu bytes", (unsigned long) r->limit);
        return NGX_ERROR;
    }

    if (ngx_status_redis_endless(r->reader)) {
        r->error = NGX_STATUS_E_PROTOCOL;
        snprintf(r->err, sizeof(r->err), "not Redis' protocol: a line of more "
                 "than %d bytes", NGX_STATUS_REDIS_LINE);
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


/* hiredis would look for its end again with each byte that comes. */

static ngx_uint_t
ngx_status_redis_endless(const redisReader *reader)
{
    const char  *p, *end;

    if (reader->len - reader->pos <= NGX_STATUS_REDIS_LINE) {
        return 0;
    }

    p = reader->buf + reader->pos;
    end = p + NGX_STATUS_REDIS_LINE;

    while ((p = memchr(p, '\r', end - p)) != NULL) {
        if (*++p == '\n') {
            return 0;
        }
    }

    return 1;
}


static void *
ngx_status_redis_string(const redisReadTask *task, char *text, size_t len)
{
    return ngx_status_redis_part(task,
               task->type == REDIS_REPLY_ERROR ? NGX_STATUS_REDIS_ERROR
               : task->type == REDIS_REPLY_STATUS ? NGX_STATUS_REDIS_STATUS
                                                  : NGX_STATUS_REDIS_STRING,
               text, len);
}


static void *
ngx_status_redis_array(const redisReadTask *task, ngx_status_redis_count_t n)
{
    size_t                most;
    ngx_uint_t            depth;
    ngx_status_redis_t   *r;
    const redisReadTask  *t;

    r = task->privdata;
    most = r->limit / NGX_STATUS_REDIS_LEAST;

    if ((size_t) n > most) {
        r->error = NGX_STATUS_E_SIZE;
        snprintf(r->err, sizeof(r->err), "the answer has %lu elements, more "
                 "than max_body, %lu bytes, can hold", (unsigned long) n,
                 (unsigned long) r->limit);
        return NULL;
    }

    for (t = task, depth = 1; t->parent; t = t->parent) {

        if (++depth > NGX_STATUS_REDIS_DEPTH) {
            r->error = NGX_STATUS_E_PROTOCOL;
            snprintf(r->err, sizeof(r->err), "the answer has arrays in arrays "
                     "deeper than %d", NGX_STATUS_REDIS_DEPTH);
            return NULL;
        }
    }

    if (task->parent == NULL) {
        r->kind = NGX_STATUS_REDIS_ARRAY;
        r->rows = n;
    }

    return r;
}


static void *
ngx_status_redis_integer(const redisReadTask *task, long long number)
{
    int   len;
    char  text[NGX_INT64_LEN + 1];

    len = snprintf(text, sizeof(text), "%lld", number);

    return ngx_status_redis_part(task, NGX_STATUS_REDIS_INTEGER, text, len);
}


static void *
ngx_status_redis_nil(const redisReadTask *task)
{
    return ngx_status_redis_part(task, NGX_STATUS_REDIS_NIL, "", 0);
}


static void
ngx_status_redis_drop(void *object)
{
    (void) object;
}


static void *
ngx_status_redis_part(const redisReadTask *task, ngx_status_redis_kind_e kind,
    const char *text, size_t len)
{
    size_t               size;
    u_char              *p;
    ngx_status_redis_t  *r;

    r = task->privdata;

    if (task->parent == NULL) {
        r->kind = kind;
    }

    size = r->text.len + len + 1;

    if (size > r->size) {
        size = ngx_max(size, ngx_min(2 * r->size, r->limit));

        p = realloc(r->text.data, size);
        if (p == NULL) {
            return NULL;
        }

        r->text.data = p;
        r->size = size;
    }

    if (r->nparts++) {
        r->text.data[r->text.len++] = '\n';
    }

    ngx_memcpy(r->text.data + r->text.len, text, len);
    r->text.len += len;

    return r;
}


ngx_int_t
ngx_status_redis_command(ngx_pool_t *pool, const ngx_str_t *words,
    ngx_uint_t nwords, ngx_str_t *bytes)
{
    int           len;
    char         *text;
    size_t       *argvlen;
    ngx_uint_t    i;
    const char  **argv;

    argv = ngx_palloc(pool, nwords * sizeof(char *));
    argvlen = ngx_palloc(pool, nwords * sizeof(size_t));

    if (argv == NULL || argvlen == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < nwords; i++) {
        argv[i] = (const char *) words[i].data;
        argvlen[i] = words[i].len;
    }

    len = redisFormatCommandArgv(&text, (int) nwords, argv, argvlen);

    if (len < 0) {
        return NGX_ERROR;
    }

    bytes->len = len;
    bytes->data = ngx_pnalloc(pool, len);

    if (bytes->data) {
        ngx_memcpy(bytes->data, text, len);
    }

    ngx_explicit_memzero(text, len);
    redisFreeCommand(text);

    return bytes->data ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_status_redis_words(ngx_pool_t *pool, const ngx_str_t *text,
    ngx_str_t **words, ngx_uint_t *nwords)
{
    u_char        *p;
    ngx_str_t     *word;
    const u_char  *in, *last;

    in = text->data;
    last = in + text->len;

    p = ngx_pnalloc(pool, text->len + 1);
    word = ngx_palloc(pool, (text->len / 2 + 1) * sizeof(ngx_str_t));

    if (p == NULL || word == NULL) {
        return NGX_ERROR;
    }

    *words = word;
    *nwords = 0;

    for ( ;; ) {

        while (in < last && *in == ' ') {
            in++;
        }

        if (in == last) {
            return NGX_OK;
        }

        word->data = p;

        while (in < last && *in != ' ') {

            if (*in != '"' && *in != '\'') {
                *p++ = *in++;
                continue;
            }

            p = ngx_status_redis_quoted(p, &in, last);

            if (p == NULL || (in < last && *in != ' ')) {
                return NGX_DECLINED;
            }
        }

        word->len = p - word->data;
        word++;
        (*nwords)++;
    }
}


/* Returns the end of what was in the quotes; NULL: they are not closed. */

static u_char *
ngx_status_redis_quoted(u_char *p, const u_char **in, const u_char *last)
{
    u_char         c, quote;
    ngx_int_t      hi, lo;
    const u_char  *s, *escape;

    static const u_char  names[] = "nrtba";
    static const u_char  means[] = "\n\r\t\b\a";

    s = *in;

    for (quote = *s++; s < last; s++) {

        if (*s == quote) {
            *in = s + 1;
            return p;
        }

        c = *s;

        if (c != '\\' || last - s < 2 || (quote == '\'' && s[1] != '\'')) {
            *p++ = c;
            continue;
        }

        c = *++s;

        if (quote == '\'') {
            *p++ = c;
            continue;
        }

        if (c == 'x' && last - s > 2) {
            hi = ngx_status_redis_hex(s[1]);
            lo = ngx_status_redis_hex(s[2]);

            if (hi >= 0 && lo >= 0) {
                *p++ = (u_char) (hi << 4 | lo);
                s += 2;
                continue;
            }
        }

        escape = memchr(names, c, sizeof(names) - 1);

        *p++ = escape ? means[escape - names] : c;
    }

    return NULL;
}


static ngx_int_t
ngx_status_redis_hex(u_char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
