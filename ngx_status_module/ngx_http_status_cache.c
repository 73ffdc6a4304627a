
/*
 * Copyright (C) ngx_status_module authors
 *
 * The answers of a location, in one worker: no lock, and nothing of it is
 * shared with another process.
 */


#include <ngx_md5.h>
#include <zlib.h>

#include "ngx_http_status_cache.h"


#define NGX_HTTP_STATUS_VARIANTS    16
#define NGX_HTTP_STATUS_GZIP_LEVEL  5


/* What was asked, and the answer; unused while "plain" is NULL. */

typedef struct {
    ngx_queue_t                 queue;
    ngx_http_status_want_t      want;
    ngx_uint_t                  revision;        /* of the snapshot */
    ngx_http_status_body_t     *plain;
    ngx_http_status_body_t     *gzip;            /* NULL: not asked for yet */
} ngx_http_status_variant_t;


/*
 * Not in the cycle's pool, because only a worker knows that it needs one;
 * workers end without freeing it.
 */

typedef struct ngx_http_status_cache_s  ngx_http_status_cache_t;

struct ngx_http_status_cache_s {
    ngx_queue_t                 used;            /* latest first */
    ngx_http_status_variant_t   variants[NGX_HTTP_STATUS_VARIANTS];
    ngx_uint_t                  refresh;         /* s */
    ngx_http_status_cache_t    *next;
};


static ngx_http_status_cache_t *ngx_http_status_cache_create(
    const ngx_status_monitor_t *monitor, ngx_log_t *log);
static ngx_http_status_variant_t *ngx_http_status_cache_find(
    ngx_http_status_cache_t *cache, const ngx_http_status_want_t *want);
static ngx_http_status_body_t *ngx_http_status_render(
    const ngx_http_status_want_t *want, const ngx_status_snapshot_t *snapshot,
    ngx_uint_t refresh);
static ngx_http_status_body_t *ngx_http_status_gzip(
    const ngx_http_status_body_t *plain);
static void ngx_http_status_body_etag(ngx_http_status_body_t *body,
    const char *hash, const char *suffix);
static void ngx_http_status_body_release(void *data);


/* keeps the memory in reach of leak checkers when the cycle's pool is gone */
static ngx_http_status_cache_t  *ngx_http_status_caches;


ngx_http_status_body_t *
ngx_http_status_cache_get(ngx_http_status_loc_conf_t *lcf,
    const ngx_http_status_want_t *want, ngx_uint_t gzip, ngx_pool_t *pool,
    ngx_log_t *log)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_status_body_t     *body;
    ngx_http_status_cache_t    *cache;
    ngx_http_status_variant_t  *v;

    cache = lcf->cache;

    if (cache == NULL) {
        cache = ngx_http_status_cache_create(lcf->monitor, log);
        if (cache == NULL) {
            return NULL;
        }

        lcf->cache = cache;
    }

    cln = ngx_pool_cleanup_add(pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    v = ngx_http_status_cache_find(cache, want);

    if (v->plain && want->format
        && v->revision != lcf->monitor->snapshot->revision)
    {
        ngx_http_status_body_release(v->plain);
        ngx_http_status_body_release(v->gzip);

        v->plain = NULL;
        v->gzip = NULL;
    }

    if (v->plain == NULL) {
        v->plain = ngx_http_status_render(want, lcf->monitor->snapshot,
                                          cache->refresh);
        if (v->plain == NULL) {
            ngx_log_error(NGX_LOG_CRIT, log, 0,
                          "could not render status monitor \"%V\": no memory "
                          "or too long", &lcf->monitor->name);
            return NULL;
        }

        v->revision = lcf->monitor->snapshot->revision;
    }

    body = v->plain;

    if (gzip) {
        if (v->gzip == NULL) {
            v->gzip = ngx_http_status_gzip(v->plain);
        }

        if (v->gzip) {
            body = v->gzip;
        }
    }

    body->refs++;
    cln->handler = ngx_http_status_body_release;
    cln->data = body;

    return body;
}


static ngx_http_status_cache_t *
ngx_http_status_cache_create(const ngx_status_monitor_t *monitor,
    ngx_log_t *log)
{
    ngx_uint_t                i;
    ngx_msec_t                interval;
    ngx_http_status_cache_t  *cache;

    cache = ngx_calloc(sizeof(ngx_http_status_cache_t), log);
    if (cache == NULL) {
        return NULL;
    }

    ngx_queue_init(&cache->used);

    for (i = 0; i < NGX_HTTP_STATUS_VARIANTS; i++) {
        ngx_queue_insert_head(&cache->used, &cache->variants[i].queue);
    }

    interval = NGX_STATUS_REFRESH_MAX * 1000;

    for (i = 0; i < monitor->nchecks; i++) {
        interval = ngx_min(interval, monitor->checks[i]->interval);
    }

    cache->refresh = ngx_max(interval / 1000, NGX_STATUS_REFRESH_MIN);

    cache->next = ngx_http_status_caches;
    ngx_http_status_caches = cache;

    return cache;
}


/* The variant of that key, or the one unused for longest, made empty. */

static ngx_http_status_variant_t *
ngx_http_status_cache_find(ngx_http_status_cache_t *cache,
    const ngx_http_status_want_t *want)
{
    ngx_queue_t                *q;
    ngx_http_status_variant_t  *v;

    v = NULL;

    for (q = ngx_queue_head(&cache->used);
         q != ngx_queue_sentinel(&cache->used);
         q = ngx_queue_next(q))
    {
        v = ngx_queue_data(q, ngx_http_status_variant_t, queue);

        if (v->want.format == want->format
            && v->want.asset == want->asset
            && v->want.ask.team == want->ask.team
            && v->want.ask.group == want->ask.group
            && v->want.ask.view == want->ask.view
            && v->plain)
        {
            if (q != ngx_queue_head(&cache->used)) {
                ngx_queue_remove(q);
                ngx_queue_insert_head(&cache->used, q);
            }

            return v;
        }
    }

    ngx_queue_remove(&v->queue);
    ngx_queue_insert_head(&cache->used, &v->queue);

    ngx_http_status_body_release(v->plain);
    ngx_http_status_body_release(v->gzip);

    v->want = *want;
    v->plain = NULL;
    v->gzip = NULL;

    return v;
}


static ngx_http_status_body_t *
ngx_http_status_render(const ngx_http_status_want_t *want,
    const ngx_status_snapshot_t *snapshot, ngx_uint_t refresh)
{
    u_char                  *p, digest[16];
    char                     hash[2 * sizeof(digest) + 1];
    ngx_md5_t                md5;
    ngx_status_ask_t         ask;
    ngx_status_sum_t         sum;
    ngx_http_status_body_t  *body;

    body = calloc(1, sizeof(ngx_http_status_body_t));
    if (body == NULL) {
        return NULL;
    }

    body->refs = 1;

    if (want->asset) {
        body->data = want->asset->data;
        body->content_type = want->asset->content_type;
        ngx_http_status_body_etag(body, want->asset->hash, "");

        goto done;
    }

    ask = want->ask;
    ask.refresh = refresh;

    ngx_status_out_init(&body->out, 0);
    want->format->render(snapshot, &ask, &body->out);

    if (body->out.failed) {
        ngx_http_status_body_release(body);
        return NULL;
    }

    body->data.data = body->out.data;
    body->data.len = body->out.len;
    body->content_type = want->format->content_type;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, body->data.data, body->data.len);
    ngx_md5_final(digest, &md5);

    *ngx_hex_dump((u_char *) hash, digest, sizeof(digest)) = '\0';
    ngx_http_status_body_etag(body, hash, "");

    ngx_status_asked_sum(snapshot, &ask, &sum);
    body->unhealthy = (!snapshot->alive
                       || ngx_status_sum_state(&sum) == NGX_STATUS_DOWN);

done:

    p = ngx_strlchr(body->content_type.data,
                    body->content_type.data + body->content_type.len, ';');

    body->type_len = p ? (size_t) (p - body->content_type.data)
                       : body->content_type.len;

    return body;
}


static ngx_http_status_body_t *
ngx_http_status_gzip(const ngx_http_status_body_t *plain)
{
    int                      rc;
    u_char                   buf[16384];
    z_stream                 z;
    ngx_http_status_body_t  *body;

    ngx_memzero(&z, sizeof(z_stream));

    /* 16 stands for gzip's header and trailer */

    if (deflateInit2(&z, NGX_HTTP_STATUS_GZIP_LEVEL, Z_DEFLATED,
                     MAX_WBITS + 16, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        return NULL;
    }

    body = malloc(sizeof(ngx_http_status_body_t));
    if (body == NULL) {
        (void) deflateEnd(&z);
        return NULL;
    }

    *body = *plain;
    body->refs = 1;
    body->gzip = 1;
    ngx_status_out_init(&body->out, 0);

    z.next_in = plain->data.data;
    z.avail_in = plain->data.len;

    do {
        z.next_out = buf;
        z.avail_out = sizeof(buf);

        rc = deflate(&z, Z_FINISH);

        ngx_status_out_raw(&body->out, buf, sizeof(buf) - z.avail_out);

    } while (rc == Z_OK);

    (void) deflateEnd(&z);

    if (rc != Z_STREAM_END || body->out.failed) {
        ngx_http_status_body_release(body);
        return NULL;
    }

    body->data.data = body->out.data;
    body->data.len = body->out.len;
    ngx_http_status_body_etag(body, (char *) plain->etag_data + 1, "-gz");

    return body;
}


/* Strong: other bytes have another hash, and gzip ones another suffix. */

static void
ngx_http_status_body_etag(ngx_http_status_body_t *body, const char *hash,
    const char *suffix)
{
    u_char  *p;

    p = ngx_snprintf(body->etag_data, sizeof(body->etag_data), "\"%*s%s\"",
                     (size_t) 16, hash, suffix);

    body->etag.data = body->etag_data;
    body->etag.len = p - body->etag_data;
}


static void
ngx_http_status_body_release(void *data)
{
    ngx_http_status_body_t *body = data;

    if (body && --body->refs == 0) {
        ngx_status_out_free(&body->out);
        free(body);
    }
}
