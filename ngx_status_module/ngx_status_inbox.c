
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_inbox.h"
#include "ngx_status_clock.h"


/*
 * Part of the zone's name: code of another layout, which a reload may bring,
 * gets another zone.
 */
#define NGX_STATUS_INBOX_VERSION  "2"


/* A place's state: 0 is free; else what it is in the lowest bits, and above
 * them the worker's pid, or a number that tells which heartbeat came first. */

#define NGX_STATUS_INBOX_BUSY     1
#define NGX_STATUS_INBOX_READY    2
#define NGX_STATUS_INBOX_MASK     3

#define ngx_status_inbox_state(n, what)                                      \
    (((ngx_atomic_uint_t) (n) << 2) | (what))
#define ngx_status_inbox_what(state)  ((state) & NGX_STATUS_INBOX_MASK)
#define ngx_status_inbox_pid(state)   ((ngx_pid_t) ((state) >> 2))

/* of two that are ready */
#define ngx_status_inbox_before(a, b)  ((ngx_atomic_int_t) ((a) - (b)) < 0)


typedef struct {
    char                   id[NGX_STATUS_ID];
    ngx_status_push_t      push;
} ngx_status_inbox_entry_t;


typedef struct {
    int64_t                since;        /* ms since the epoch */
    ngx_atomic_t           number;       /* of the next heartbeat */
    ngx_atomic_t           news;         /* heartbeats that became ready, */
    ngx_atomic_t           lost;         /* and that did not */
    ngx_atomic_t           state[NGX_STATUS_INBOX_PLACES];
    ngx_status_inbox_entry_t  entries[NGX_STATUS_INBOX_PLACES];
} ngx_status_inbox_header_t;


/* As a process sees it; in the cycle's pool. */

struct ngx_status_inbox_s {
    ngx_shm_zone_t            *shm_zone;
    ngx_status_inbox_header_t  *header;   /* mapped; set by init */
};


static ngx_int_t ngx_status_inbox_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_atomic_uint_t ngx_status_inbox_ready(
    const ngx_status_inbox_t *inbox, ngx_uint_t n, const ngx_str_t *id);


/*
 * The places of an ID: a walk that begins and steps by its hash.  The step
 * is odd, so no place comes twice.
 */

#define ngx_status_inbox_place(hash, k)                                      \
    (((hash) + (k) * (((hash) >> 16) | 1)) & (NGX_STATUS_INBOX_PLACES - 1))


size_t
ngx_status_inbox_size(void)
{
    size_t  pages;

    pages = (sizeof(ngx_status_inbox_header_t) + ngx_pagesize - 1)
            / ngx_pagesize;

    /* the slab's own header and its descriptor of each page come on top */

    return (pages + 2 + pages * sizeof(ngx_slab_page_t) / ngx_pagesize + 1)
           * ngx_pagesize;
}


ngx_status_inbox_t *
ngx_status_inbox_add(ngx_conf_t *cf, const ngx_str_t *name, ngx_module_t *tag)
{
    ngx_str_t           full;
    ngx_status_inbox_t  *inbox;

    inbox = ngx_pcalloc(cf->pool, sizeof(ngx_status_inbox_t));
    if (inbox == NULL) {
        return NULL;
    }

    full.len = sizeof("push" NGX_STATUS_INBOX_VERSION ":") - 1 + name->len;
    full.data = ngx_pnalloc(cf->pool, full.len);
    if (full.data == NULL) {
        return NULL;
    }

    ngx_sprintf(full.data, "push" NGX_STATUS_INBOX_VERSION ":%V", name);

    inbox->shm_zone = ngx_shared_memory_add(cf, &full, ngx_status_inbox_size(),
                                           tag);
    if (inbox->shm_zone == NULL) {
        return NULL;
    }

    inbox->shm_zone->init = ngx_status_inbox_init;
    inbox->shm_zone->data = inbox;

    return inbox;
}


/* Old workers go on filling a inbox that is adopted: look, do not touch. */

static ngx_int_t
ngx_status_inbox_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t    *shpool;
    ngx_status_inbox_t  *inbox;

    inbox = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data || shm_zone->shm.exists) {
        inbox->header = shpool->data;
        return NGX_OK;
    }

    inbox->header = ngx_slab_alloc(shpool, sizeof(ngx_status_inbox_header_t));
    if (inbox->header == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "could not allocate %uz bytes in zone \"%V\"",
                      sizeof(ngx_status_inbox_header_t), &shm_zone->shm.name);
        return NGX_ERROR;
    }

    /* pages of places that are never taken cost nothing */

    ngx_memzero(inbox->header, offsetof(ngx_status_inbox_header_t, entries));

    inbox->header->since = ngx_status_now();

    shpool->data = inbox->header;

    return NGX_OK;
}


ngx_int_t
ngx_status_inbox_put(ngx_status_inbox_t *inbox, const ngx_str_t *id,
    const ngx_status_push_t *push)
{
    uint32_t                   hash;
    ngx_uint_t                 k, n;
    ngx_atomic_uint_t          busy, ready, number;
    ngx_status_inbox_entry_t   *e;
    ngx_status_inbox_header_t  *h;

    h = inbox->header;
    hash = ngx_murmur_hash2(id->data, id->len);

    busy = ngx_status_inbox_state(ngx_pid, NGX_STATUS_INBOX_BUSY);
    number = ngx_atomic_fetch_add(&h->number, 1);

    for (k = 0; k < NGX_STATUS_INBOX_DEPTH; k++) {
        n = ngx_status_inbox_place(hash, k);

        if (h->state[n] == 0 && ngx_atomic_cmp_set(&h->state[n], 0, busy)) {
            goto found;
        }
    }

    (void) ngx_atomic_fetch_add(&h->lost, 1);

    return NGX_BUSY;

found:

    e = &h->entries[n];

    ngx_memzero(e->id, NGX_STATUS_ID);
    ngx_memcpy(e->id, id->data, id->len);
    e->push = *push;

    ngx_memory_barrier();

    ready = ngx_status_inbox_state(number, NGX_STATUS_INBOX_READY);

    if (!ngx_atomic_cmp_set(&h->state[n], busy, ready)) {
        return NGX_BUSY;
    }

    (void) ngx_atomic_fetch_add(&h->news, 1);

    return NGX_OK;
}


ngx_uint_t
ngx_status_inbox_news(const ngx_status_inbox_t *inbox)
{
    return inbox->header->news;
}


uint64_t
ngx_status_inbox_lost(const ngx_status_inbox_t *inbox)
{
    return inbox->header->lost;
}


int64_t
ngx_status_inbox_since(const ngx_status_inbox_t *inbox)
{
    return inbox->header->since;
}


/* The state of a place where something for an ID is ready, else 0. */

static ngx_atomic_uint_t
ngx_status_inbox_ready(const ngx_status_inbox_t *inbox, ngx_uint_t n,
    const ngx_str_t *id)
{
    const char         *name;
    ngx_atomic_uint_t   state;

    state = inbox->header->state[n];

    if (ngx_status_inbox_what(state) != NGX_STATUS_INBOX_READY) {
        return 0;
    }

    ngx_memory_barrier();

    name = inbox->header->entries[n].id;

    return ngx_strncmp(name, id->data, id->len) == 0 && name[id->len] == '\0'
           ? state : 0;
}


ngx_uint_t
ngx_status_inbox_waiting(const ngx_status_inbox_t *inbox, const ngx_str_t *id)
{
    uint32_t    hash;
    ngx_uint_t  k;

    if (id->len == 0) {
        return 0;
    }

    hash = ngx_murmur_hash2(id->data, id->len);

    for (k = 0; k < NGX_STATUS_INBOX_DEPTH; k++) {
        if (ngx_status_inbox_ready(inbox, ngx_status_inbox_place(hash, k), id))
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_status_inbox_get(const ngx_status_inbox_t *inbox, const ngx_str_t *id,
    const ngx_str_t *was, ngx_status_push_t *pushes,
    ngx_status_place_t *places)
{
    uint32_t             hash;
    ngx_uint_t           i, k, n, m, count;
    ngx_atomic_uint_t    state, end;
    const ngx_str_t     *name;
    ngx_status_place_t   place;

    /*
     * What comes from here on is for the next time: it may be seen though
     * one that was sent before it, to a place already passed, is not.
     */

    end = ngx_status_inbox_state(inbox->header->number,
                                 NGX_STATUS_INBOX_READY);
    ngx_memory_barrier();

    count = 0;

    for (i = 0; i < 2; i++) {
        name = i ? was : id;

        if (name->len == 0) {
            continue;
        }

        hash = ngx_murmur_hash2(name->data, name->len);

        for (k = 0; k < NGX_STATUS_INBOX_DEPTH; k++) {
            n = ngx_status_inbox_place(hash, k);
            state = ngx_status_inbox_ready(inbox, n, name);

            if (state && ngx_status_inbox_before(state, end)
                && count < NGX_STATUS_INBOX_DEPTH)
            {
                places[count].n = n;
                places[count++].state = state;
            }
        }
    }

    /* few, and nearly in order */

    for (n = 1; n < count; n++) {
        place = places[n];

        for (m = n;
             m && ngx_status_inbox_before(place.state, places[m - 1].state);
             m--)
        {
            places[m] = places[m - 1];
        }

        places[m] = place;
    }

    for (n = 0; n < count; n++) {
        pushes[n] = inbox->header->entries[places[n].n].push;
    }

    return count;
}


void
ngx_status_inbox_free(ngx_status_inbox_t *inbox,
    const ngx_status_place_t *places, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        (void) ngx_atomic_cmp_set(&inbox->header->state[places[i].n],
                                  places[i].state, 0);
    }
}


void
ngx_status_inbox_sweep(ngx_status_inbox_t *inbox,
    ngx_uint_t (*known)(void *data, const ngx_str_t *id), void *data,
    ngx_log_t *log)
{
    int64_t                    now;
    ngx_pid_t                  pid;
    ngx_str_t                  id;
    ngx_uint_t                 n;
    ngx_atomic_uint_t          state;
    ngx_status_inbox_header_t  *h;

    h = inbox->header;
    now = ngx_status_now();

    for (n = 0; n < NGX_STATUS_INBOX_PLACES; n++) {
        state = h->state[n];

        if (ngx_status_inbox_what(state) == NGX_STATUS_INBOX_BUSY) {
            pid = ngx_status_inbox_pid(state);

            if (kill(pid, 0) == -1 && ngx_errno == NGX_ESRCH
                && ngx_atomic_cmp_set(&h->state[n], state, 0))
            {
                (void) ngx_atomic_fetch_add(&h->lost, 1);

                ngx_log_error(NGX_LOG_ERR, log, 0,
                              "a heartbeat was lost with the worker process "
                              "%P, which died while it took it", pid);
            }

            continue;
        }

        if (ngx_status_inbox_what(state) != NGX_STATUS_INBOX_READY
            || now - h->entries[n].push.at < NGX_STATUS_INBOX_OLD)
        {
            continue;
        }

        id.data = (u_char *) h->entries[n].id;
        id.len = ngx_strlen(id.data);

        if (!known(data, &id)
            && ngx_atomic_cmp_set(&h->state[n], state, 0))
        {
            ngx_log_error(NGX_LOG_INFO, log, 0,
                          "a heartbeat of check \"%V\" is dropped: the check "
                          "is no more", &id);
        }
    }
}
