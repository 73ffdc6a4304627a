
/*
 * Copyright (C) ngx_status_module authors
 *
 * What is to be written: items in lists.  The loop makes them; a list goes
 * from hand to hand, never an item of it.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include "ngx_status_store_db.h"


static ngx_status_store_item_t *ngx_status_store_new(ngx_status_store_t *s,
    ngx_uint_t kind, ngx_uint_t check, size_t size);
static void ngx_status_store_push(ngx_status_store_t *s,
    ngx_status_store_item_t *item);


/*
 * Quarters of the queue that each may fill.  Buckets can wait in the zone;
 * events are few, and tell most.
 */

static const ngx_uint_t  ngx_status_store_quarters[NGX_STATUS_STORE_NKINDS] = {
    4, 5, 1
};


void
ngx_status_store_push_result(ngx_status_store_t *s, ngx_uint_t check,
    const ngx_status_result_t *result, const ngx_status_score_t *score,
    int64_t ended)
{
    u_char                   *p;
    size_t                    size, seen;
    ngx_status_store_item_t  *item;

    size = offsetof(ngx_status_result_t, message) + strlen(result->message) + 1;
    seen = strlen(result->seen) + 1;

    item = ngx_status_store_new(s, NGX_STATUS_STORE_RESULT, check,
                                offsetof(ngx_status_store_item_t,
                                         u.result.result) + size + seen);
    if (item == NULL) {
        s->dropped++;
        return;
    }

    item->u.result.ended = ended;
    item->u.result.score = NULL;

    p = (u_char *) item + offsetof(ngx_status_store_item_t, u.result.result);
    memcpy(p, result, size);
    memcpy(p + size, result->seen, seen);

    if (score->value == score->value) {
        item->u.result.score = malloc(sizeof(ngx_status_score_t));

        if (item->u.result.score) {
            *item->u.result.score = *score;
        }
    }

    ngx_status_store_push(s, item);
}


void
ngx_status_store_push_event(ngx_status_store_t *s, ngx_uint_t check,
    ngx_uint_t from, ngx_uint_t to, int64_t at, const char *why,
    ngx_uint_t late)
{
    size_t                    size;
    ngx_status_store_item_t  *item;

    size = strlen(why) + 1;

    item = ngx_status_store_new(s, NGX_STATUS_STORE_EVENT, check,
                                offsetof(ngx_status_store_item_t, u.event.why)
                                + size);
    if (item == NULL) {
        s->dropped++;
        return;
    }

    item->u.event.at = at;
    item->u.event.from = from;
    item->u.event.to = to;
    item->u.event.late = late;
    memcpy((u_char *) item + offsetof(ngx_status_store_item_t, u.event.why),
           why, size);

    ngx_status_store_push(s, item);
}


ngx_uint_t
ngx_status_store_push_bucket(ngx_status_store_t *s, ngx_uint_t check,
    ngx_uint_t level, int64_t number, const ngx_status_tally_t *tally,
    const ngx_status_score_tally_t *score, const char *latency)
{
    size_t                    size;
    ngx_status_store_item_t  *item;

    size = strlen(latency) + 1;

    item = ngx_status_store_new(s, NGX_STATUS_STORE_BUCKET, check,
                                offsetof(ngx_status_store_item_t,
                                         u.bucket.latency) + size);
    if (item == NULL) {
        return 0;
    }

    item->u.bucket.number = number;
    item->u.bucket.level = level;
    item->u.bucket.tally = *tally;
    item->u.bucket.score = *score;
    memcpy((u_char *) item + offsetof(ngx_status_store_item_t,
                                      u.bucket.latency), latency, size);

    ngx_status_store_push(s, item);

    return 1;
}


/* An item, or NULL when there is no room for it. */

static ngx_status_store_item_t *
ngx_status_store_new(ngx_status_store_t *s, ngx_uint_t kind, ngx_uint_t check,
    size_t size)
{
    ngx_status_store_item_t  *item;

    item = NULL;

    if (s->nitems < s->monitor->store_conf.queue
                    * ngx_status_store_quarters[kind] / 4)
    {
        item = malloc(size);
    }

    if (item == NULL) {
        return NULL;
    }

    item->next = NULL;
    item->kind = kind;
    item->check = check;

    return item;
}


static void
ngx_status_store_push(ngx_status_store_t *s, ngx_status_store_item_t *item)
{
    ngx_status_store_list_t  list;

    list.first = item;
    list.last = &item->next;

    ngx_status_store_append(&s->pending, &list);

    (void) ngx_atomic_fetch_add(&s->nitems, 1);
}


void
ngx_status_store_append(ngx_status_store_list_t *to,
    ngx_status_store_list_t *from)
{
    if (from->first == NULL) {
        return;
    }

    if (to->first) {
        *to->last = from->first;

    } else {
        to->first = from->first;
    }

    to->last = from->last;
    from->first = NULL;
}


void
ngx_status_store_list_free(ngx_status_store_t *s,
    ngx_status_store_list_t *list, ngx_status_store_item_t *end)
{
    ngx_status_store_item_t  *item;

    while (list->first != end) {
        item = list->first;
        list->first = item->next;

        if (item->kind == NGX_STATUS_STORE_RESULT) {
            free(item->u.result.score);
        }

        free(item);
        (void) ngx_atomic_fetch_add(&s->nitems, -1);
    }
}


#endif
