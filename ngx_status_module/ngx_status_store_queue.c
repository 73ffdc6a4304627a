
/*
 * Copyright (C) ngx_status_module authors
 *
 * What is to be written: items in lists.  The loop makes them; a list goes
 * from hand to hand, never an item of it.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include "ngx_status_store_db.h"


/*
 * Quarters of the queue that each may fill.  Buckets can wait in the zone;
 * events are few, and tell most.
 */

static const ngx_uint_t  ngx_status_store_quarters[NGX_STATUS_STORE_NKINDS] = {
    4, 5, 1
};


/* An item, or NULL when it can not be kept and counts as lost. */

ngx_status_store_item_t *
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
        s->dropped++;
        return NULL;
    }

    item->next = NULL;
    item->kind = kind;
    item->check = check;

    return item;
}


void
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
