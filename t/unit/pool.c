
/*
 * Copyright (C) ngx_status_module authors
 *
 * nginx's pool for the pure files when they run outside nginx (unit tests
 * and fuzzing): one malloc() per allocation, so that AddressSanitizer sees
 * an overrun of a single byte, which nginx's own pool would swallow.
 */


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_pool_t           pool;
    void               **blocks;
    size_t               n;
} test_pool_t;


ngx_pool_t *
ngx_create_pool(size_t size, ngx_log_t *log)
{
    test_pool_t  *p;

    (void) size;

    p = calloc(1, sizeof(test_pool_t));
    if (p == NULL) {
        abort();
    }

    p->pool.log = log;
    return &p->pool;
}


void
ngx_destroy_pool(ngx_pool_t *pool)
{
    size_t               i;
    test_pool_t         *p;
    ngx_pool_cleanup_t  *c;

    p = (test_pool_t *) pool;

    for (c = pool->cleanup; c; c = c->next) {
        if (c->handler) {
            c->handler(c->data);
        }
    }

    for (i = 0; i < p->n; i++) {
        free(p->blocks[i]);
    }

    free(p->blocks);
    free(p);
}


void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    void         *block, **blocks;
    test_pool_t  *p;

    p = (test_pool_t *) pool;

    block = malloc(size ? size : 1);
    blocks = realloc(p->blocks, (p->n + 1) * sizeof(void *));
    if (block == NULL || blocks == NULL) {
        abort();
    }

    p->blocks = blocks;
    p->blocks[p->n++] = block;

    return block;
}


void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    return ngx_palloc(pool, size);
}


void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    return memset(ngx_palloc(pool, size), 0, size);
}


ngx_pool_cleanup_t *
ngx_pool_cleanup_add(ngx_pool_t *pool, size_t size)
{
    ngx_pool_cleanup_t  *c;

    c = ngx_pcalloc(pool, sizeof(ngx_pool_cleanup_t));
    c->data = size ? ngx_pcalloc(pool, size) : NULL;
    c->next = pool->cleanup;
    pool->cleanup = c;

    return c;
}
