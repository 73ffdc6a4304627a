
/*
 * Copyright (C) ngx_status_module authors
 *
 * By the first byte: what a Redis server sends, in pieces; a field, LF, and
 * what INFO says; the words of a command.
 *
 * sources: checks/ngx_status_redis.c checks/ngx_status_redis_info.c
 * libs: -lhiredis
 */


#define NGX_STATUS_HIREDIS  1

#include <stdlib.h>
#include "../../checks/ngx_status_redis.h"


#define FUZZ_LIMIT  4096


ngx_pool_t *ngx_create_pool(size_t size, ngx_log_t *log);
void ngx_destroy_pool(ngx_pool_t *pool);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


void
ngx_explicit_memzero(void *buf, size_t n)
{
    memset(buf, 0, n);
}


static void
fuzz_check(int holds)
{
    if (!holds) {
        abort();
    }
}


/* Pieces of one size and then the next must say the same. */

static ngx_uint_t
fuzz_replies(const uint8_t *data, size_t size, size_t piece, ngx_uint_t *sum)
{
    size_t              n, i;
    ngx_int_t           rc;
    ngx_uint_t          replies;
    ngx_status_redis_t  r;

    memset(&r, 0, sizeof(r));
    fuzz_check(ngx_status_redis_init(&r, FUZZ_LIMIT) == NGX_OK);

    rc = NGX_AGAIN;
    replies = 0;
    *sum = 0;

    for ( /* void */ ; size && rc == NGX_AGAIN; size -= n, data += n) {
        n = size < piece ? size : piece;
        rc = ngx_status_redis_feed(&r, data, n);

        while (rc == NGX_OK) {
            rc = ngx_status_redis_next(&r);

            if (rc == NGX_OK) {
                replies++;
                fuzz_check(r.kind != NGX_STATUS_REDIS_NONE
                           && r.text.len <= r.size
                           && r.rows <= FUZZ_LIMIT / 3
                           && (r.rows == 0
                               || r.kind == NGX_STATUS_REDIS_ARRAY));

                for (i = 0; i < r.text.len; i++) {
                    *sum = *sum * 31 + r.text.data[i];
                }
            }
        }

        fuzz_check(r.size <= 2 * FUZZ_LIMIT + piece);
        fuzz_check(rc == NGX_AGAIN || (rc == NGX_ERROR && r.error
                                       && r.err[0]));
    }

    ngx_status_redis_free(&r);

    return replies;
}


static void
fuzz_field(const uint8_t *data, size_t size)
{
    u_char      *buf, *copy;
    size_t       len;
    ngx_str_t    info, name, value;

    copy = memchr(data, '\n', size);
    len = copy ? (size_t) (copy - data) : size;

    name.len = len;
    name.data = malloc(len + 1);
    copy = malloc(size - len + 1);
    buf = malloc(NGX_STATUS_REDIS_FIELD);
    fuzz_check(name.data != NULL && copy != NULL && buf != NULL);

    memcpy(name.data, data, len);
    name.data[len] = '\0';
    name.len = strlen((char *) name.data);

    memcpy(copy, data + len, size - len);
    info.data = copy;
    info.len = size - len;

    if (ngx_status_redis_field(&info, &name, buf, &value) == NGX_OK) {
        fuzz_check(value.len <= NGX_STATUS_REDIS_FIELD
                   && (value.data == buf
                       || (value.data > info.data
                           && value.data + value.len
                              <= info.data + info.len)));
    }

    free(name.data);
    free(copy);
    free(buf);
}


static void
fuzz_words(const uint8_t *data, size_t size)
{
    size_t       total;
    ngx_str_t    text, *words, bytes;
    ngx_uint_t   i, n;
    ngx_pool_t  *pool;

    pool = ngx_create_pool(1024, NULL);

    text.data = (u_char *) data;
    text.len = size;

    if (ngx_status_redis_words(pool, &text, &words, &n) == NGX_OK && n) {
        total = 0;

        for (i = 0; i < n; i++) {
            total += words[i].len;
        }

        fuzz_check(total <= size && n <= size / 2 + 1
                   && ngx_status_redis_command(pool, words, n, &bytes)
                      == NGX_OK
                   && bytes.len > total && bytes.data[0] == '*');
    }

    ngx_destroy_pool(pool);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t  n, sum, other;

    if (size < 2) {
        return 0;
    }

    switch (data[0]) {

    case 'i':
        fuzz_field(data + 1, size - 1);
        break;

    case 'w':
        fuzz_words(data + 1, size - 1);
        break;

    default:
        n = fuzz_replies(data + 1, size - 1, 1 + data[0], &sum);

        if (size < FUZZ_LIMIT) {
            fuzz_check(fuzz_replies(data + 1, size - 1, 1, &other) == n
                       && other == sum);
        }
    }

    return 0;
}
