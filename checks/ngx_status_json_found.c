
/*
 * Copyright (C) ngx_status_module authors
 *
 * What an evaluation of JSON paths has found so far: memory, lists of
 * matches, and those that still wait.
 */


#include "ngx_status_json.h"
#include <stdlib.h>


/* What yajl itself takes at most for the tokens that it is shown. */
#define NGX_STATUS_JSON_YAJL     49152


void *
ngx_status_json_alloc(ngx_status_json_t *j, void *old, size_t before,
    size_t size)
{
    void  *p;

    if (j->used - before + size
        > NGX_STATUS_JSON_MEMORY - NGX_STATUS_JSON_YAJL)
    {
        j->reason = "too much to keep";
        return NULL;
    }

    p = realloc(old, size);
    if (p == NULL) {
        j->reason = "no memory";
        return NULL;
    }

    j->used += size - before;

    return p;
}


void
ngx_status_json_release(ngx_status_json_t *j, void *p, size_t size)
{
    free(p);
    j->used -= p ? size : 0;
}


ngx_int_t
ngx_status_json_room(ngx_status_json_t *j, void **v, size_t element,
    ngx_uint_t n, ngx_uint_t *size)
{
    void        *p;
    ngx_uint_t   more;

    if (n < *size) {
        return NGX_OK;
    }

    more = *size ? *size * 2 : 1;

    p = ngx_status_json_alloc(j, *v, *size * element, more * element);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *v = p;
    *size = more;

    return NGX_OK;
}


static void
ngx_status_json_drop(ngx_status_json_t *j, ngx_status_json_match_t *m)
{
    /* the text stands behind the key */
    ngx_status_json_release(j, m->key.data, m->key.len + m->text.len + 2);
}


void
ngx_status_json_clear(ngx_status_json_t *j, ngx_status_json_list_t *list)
{
    ngx_uint_t  i;

    for (i = 0; i < list->n; i++) {
        ngx_status_json_drop(j, &list->v[i]);
    }

    ngx_status_json_release(j, list->v,
                            list->size * sizeof(ngx_status_json_match_t));

    memset(list, 0, sizeof(ngx_status_json_list_t));
}


ngx_int_t
ngx_status_json_insert(ngx_status_json_t *j, ngx_status_json_list_t *list,
    ngx_status_json_match_t *m)
{
    ngx_uint_t  i;

    /* nearly always it is the newest */

    for (i = list->n; i && list->v[i - 1].place >= m->place; i--) {
        if (list->v[i - 1].place == m->place) {
            ngx_status_json_drop(j, m);
            return NGX_OK;
        }
    }

    if (list->n == NGX_STATUS_JSON_MATCHES) {
        list->more++;

        if (i == NGX_STATUS_JSON_MATCHES) {
            ngx_status_json_drop(j, m);
            return NGX_OK;
        }

        ngx_status_json_drop(j, &list->v[--list->n]);
    }

    if (ngx_status_json_room(j, (void **) &list->v,
                             sizeof(ngx_status_json_match_t), list->n,
                             &list->size)
        != NGX_OK)
    {
        ngx_status_json_drop(j, m);
        return NGX_ERROR;
    }

    memmove(&list->v[i + 1], &list->v[i],
            (list->n - i) * sizeof(ngx_status_json_match_t));

    list->v[i] = *m;
    list->n++;

    return NGX_OK;
}


ngx_status_json_wait_t *
ngx_status_json_undecided(ngx_status_json_wait_t *wait)
{
    while (wait && wait->state == NGX_STATUS_JSON_HOLDS) {
        wait = wait->around;
    }

    return wait;
}


ngx_status_json_wait_t *
ngx_status_json_wait(ngx_status_json_t *j, const ngx_status_json_try_t *t)
{
    ngx_status_json_wait_t  *wait;

    wait = ngx_status_json_alloc(j, NULL, 0, sizeof(ngx_status_json_wait_t));

    if (wait) {
        memset(wait, 0, sizeof(ngx_status_json_wait_t));
        wait->around = t->wait;
        wait->path = t->path;
    }

    return wait;
}


ngx_int_t
ngx_status_json_settle(ngx_status_json_t *j, ngx_status_json_wait_t *wait,
    ngx_uint_t holds)
{
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_status_json_list_t  *list;
    ngx_status_json_wait_t  *around;

    wait->state = holds ? NGX_STATUS_JSON_HOLDS : NGX_STATUS_JSON_FAILS;

    around = ngx_status_json_undecided(wait);

    if (around && around->state == NGX_STATUS_JSON_FAILS) {
        ngx_status_json_clear(j, &wait->found);
        return NGX_OK;
    }

    list = around ? &around->found : &j->lists[wait->path];

    if (list->n == 0) {
        ngx_status_json_clear(j, list);
        *list = wait->found;
        memset(&wait->found, 0, sizeof(ngx_status_json_list_t));
        return NGX_OK;
    }

    rc = NGX_OK;

    for (i = 0; i < wait->found.n; i++) {
        if (ngx_status_json_insert(j, list, &wait->found.v[i]) != NGX_OK) {
            rc = NGX_ERROR;
        }
    }

    list->more += wait->found.more;

    wait->found.n = 0;
    ngx_status_json_clear(j, &wait->found);

    return rc;
}


void
ngx_status_json_end_wait(ngx_status_json_t *j, ngx_status_json_wait_t *wait)
{
    if (wait) {
        ngx_status_json_clear(j, &wait->found);
        ngx_status_json_release(j, wait, sizeof(ngx_status_json_wait_t));
    }
}
