
/*
 * Copyright (C) ngx_status_module authors
 *
 * The master's part of the zone: how large it is, laying it out, adopting it
 * on reload, and handing what it holds over to one of another size.
 */


#include "ngx_status_zone_slot.h"


static ngx_int_t ngx_status_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t ngx_status_zone_adopt(ngx_status_zone_t *zone,
    ngx_log_t *log);
static ngx_status_zone_header_t *ngx_status_zone_running(
    ngx_shm_zone_t *shm_zone, size_t *size);
static void ngx_status_zone_copy(ngx_status_zone_header_t *from,
    ngx_status_slot_t *old, ngx_status_zone_header_t *to, const char *name,
    size_t len);


size_t
ngx_status_zone_slot_size(const ngx_status_history_conf_t *history)
{
    return ngx_align(sizeof(ngx_status_slot_t)
                     + ngx_status_history_size(history), 128);
}


ngx_uint_t
ngx_status_zone_slots(ngx_uint_t nchecks)
{
    ngx_uint_t  n, step;

    /* pages that are never touched cost nothing but address space */

    n = nchecks + nchecks / 16 + 1;

    for (step = 16; step * 16 <= n; step *= 2) { /* void */ }

    return (n + step - 1) / step * step;
}


size_t
ngx_status_zone_size(const ngx_status_history_conf_t *history,
    ngx_uint_t nslots)
{
    size_t  pages;

    pages = (NGX_STATUS_ZONE_HEADER
             + nslots * ngx_status_zone_slot_size(history)
             + ngx_pagesize - 1) / ngx_pagesize;

    /* the slab's own header and its descriptor of each page come on top */

    return (pages + 2 + pages * sizeof(ngx_slab_page_t) / ngx_pagesize + 1)
           * ngx_pagesize;
}


ngx_status_zone_t *
ngx_status_zone_add(ngx_conf_t *cf, ngx_str_t *name,
    const ngx_status_history_conf_t *history, ngx_uint_t nchecks, size_t size,
    ngx_module_t *tag)
{
    ngx_str_t           full;
    ngx_status_zone_t  *zone;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_status_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    full.len = sizeof("status:") - 1 + name->len;
    full.data = ngx_pnalloc(cf->pool, full.len);
    if (full.data == NULL) {
        return NULL;
    }

    ngx_sprintf(full.data, "status:%V", name);

    zone->history = *history;
    zone->nchecks = nchecks;

    /* what a "zone" larger than needed gives, is used */

    zone->nslots = ngx_max(size / ngx_status_zone_slot_size(history), 1);

    while (zone->nslots > 1
           && ngx_status_zone_size(history, zone->nslots) > size)
    {
        zone->nslots--;
    }

    zone->shm_zone = ngx_shared_memory_add(cf, &full, size, tag);
    if (zone->shm_zone == NULL) {
        return NULL;
    }

    zone->shm_zone->init = ngx_status_zone_init;
    zone->shm_zone->data = zone;

    return zone;
}


size_t
ngx_status_zone_reshape(ngx_status_zone_t *zone)
{
    size_t                     running, *size;
    ngx_status_zone_header_t  *h;

    size = &zone->shm_zone->shm.size;
    h = ngx_status_zone_running(zone->shm_zone, &running);

    if (h == NULL) {
        return *size;
    }

    if (ngx_memcmp(&h->history, &zone->history, sizeof(h->history)) != 0) {

        if (running == *size) {
            *size += ngx_pagesize;
        }

    } else if (running == *size + ngx_pagesize) {

        /* it had to be larger before, and can stay */
        *size = running;
    }

    return *size;
}


static ngx_int_t
ngx_status_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    size_t                     size;
    ngx_slab_pool_t           *shpool;
    ngx_status_zone_t         *zone;
    ngx_status_zone_header_t  *header;

    zone = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data || shm_zone->shm.exists) {
        zone->header = shpool->data;
        return ngx_status_zone_adopt(zone, shm_zone->shm.log);
    }

    size = NGX_STATUS_ZONE_HEADER
           + zone->nslots * ngx_status_zone_slot_size(&zone->history);

    header = ngx_slab_alloc(shpool, size);
    if (header == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "could not allocate %uz bytes in zone \"%V\"",
                      size, &shm_zone->shm.name);
        return NGX_ERROR;
    }

    /*
     * The pages are fresh from mmap(), thus zero.  Writing zeroes over them
     * would make every spare slot resident.
     */

#if (NGX_DEBUG_MALLOC)
    ngx_memzero(header, size);
#else
    ngx_memzero(header, NGX_STATUS_ZONE_HEADER);
#endif

    header->version = NGX_STATUS_ZONE_VERSION;
    header->record_size = sizeof(ngx_status_record_t);
    header->slot_size = ngx_status_zone_slot_size(&zone->history);
    header->nslots = zone->nslots;
    header->history = zone->history;

    zone->header = header;

    ngx_memory_barrier();
    header->magic = NGX_STATUS_ZONE_MAGIC;
    shpool->data = header;

    return NGX_OK;
}


/*
 * Old workers and the old checker go on with the zone, and the reload may
 * still fail: look, do not touch.
 */

static ngx_int_t
ngx_status_zone_adopt(ngx_status_zone_t *zone, ngx_log_t *log)
{
    ngx_status_zone_header_t  *h;

    h = zone->header;

    if (h == NULL || h->magic != NGX_STATUS_ZONE_MAGIC
        || h->version != NGX_STATUS_ZONE_VERSION
        || h->record_size != sizeof(ngx_status_record_t)
        || h->slot_size != ngx_status_zone_slot_size(&zone->history)
        || ngx_memcmp(&h->history, &zone->history, sizeof(h->history)) != 0)
    {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "zone \"%V\" keeps a history of another shape than "
                      "previously; change its size with it",
                      &zone->shm_zone->shm.name);
        return NGX_ERROR;
    }

    zone->nslots = h->nslots;

    return NGX_OK;
}


void
ngx_status_zone_inherit(ngx_status_zone_t *zone)
{
    size_t                     size;
    ngx_uint_t                 i, left;
    const ngx_str_t           *id;
    ngx_status_slot_t         *old;
    ngx_status_zone_header_t  *from, *to;

    from = ngx_status_zone_running(zone->shm_zone, &size);
    if (from == NULL) {
        return;
    }

    to = zone->header;

    /* what its checker would still write there, nobody would ever see */

    to->epoch = ngx_atomic_fetch_add(&from->epoch, 1) + 1;
    ngx_memory_barrier();

    to->heartbeat = from->heartbeat;
    to->heartbeat_at = from->heartbeat_at;
    to->nbeats = from->nbeats;
    memcpy(to->beats, from->beats, sizeof(to->beats));
    to->generation = from->generation + 1;
    to->changed_at = from->changed_at;

    /* configured checks first, then those that may come back */

    left = to->nslots;

    for (i = 0; zone->ids && i < zone->nchecks && left; i++) {
        id = zone->ids[i];
        old = ngx_status_zone_look(from, (char *) id->data, id->len);

        if (old == NULL) {
            old = ngx_status_zone_look(from, (char *) zone->was[i]->data,
                                       zone->was[i]->len);
        }

        if (old) {
            ngx_status_zone_copy(from, old, to, (char *) id->data, id->len);
        }

        left--;
    }

    for (i = 0; i < from->nslots && left; i++) {
        old = ngx_status_zone_slot(from, i);

        if (ngx_status_zone_is_free(old)
            || ngx_status_zone_look(to, old->id, ngx_strlen(old->id)))
        {
            continue;
        }

        ngx_status_zone_copy(from, old, to, old->id, ngx_strlen(old->id));
        left--;
    }
}


static ngx_status_zone_header_t *
ngx_status_zone_running(ngx_shm_zone_t *shm_zone, size_t *size)
{
    ngx_uint_t                 i;
    ngx_shm_zone_t            *old;
    ngx_list_part_t           *part;
    ngx_slab_pool_t           *shpool;
    ngx_status_zone_header_t  *h;

    /* ngx_cycle is the running one until the new one is complete */

    if (ngx_cycle == NULL) {
        return NULL;
    }

    part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
    old = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }
            part = part->next;
            old = part->elts;
            i = 0;
        }

        if (old[i].tag != shm_zone->tag
            || old[i].shm.name.len != shm_zone->shm.name.len
            || ngx_strncmp(old[i].shm.name.data, shm_zone->shm.name.data,
                           shm_zone->shm.name.len) != 0
            || old[i].shm.addr == NULL
            || old[i].shm.addr == shm_zone->shm.addr)
        {
            continue;
        }

        shpool = (ngx_slab_pool_t *) old[i].shm.addr;
        h = shpool->data;

        if (h == NULL || h->magic != NGX_STATUS_ZONE_MAGIC
            || h->version != NGX_STATUS_ZONE_VERSION
            || h->record_size != sizeof(ngx_status_record_t))
        {
            return NULL;
        }

        *size = old[i].shm.size;

        return h;
    }
}


static void
ngx_status_zone_copy(ngx_status_zone_header_t *from, ngx_status_slot_t *old,
    ngx_status_zone_header_t *to, const char *name, size_t len)
{
    ngx_str_t           id;
    ngx_status_slot_t  *slot;

    id.data = (u_char *) old->id;
    id.len = ngx_strlen(old->id);

    slot = ngx_status_zone_free_slot(to, name, len);
    if (slot == NULL || !ngx_status_zone_is_free(slot)) {
        return;
    }

    /* from here on it is not fresh any more */
    slot->id[0] = NGX_STATUS_ZONE_GIVEN;

    if (ngx_status_zone_read(old, &id, &slot->own.record) != NGX_OK) {
        return;
    }

    ngx_status_history_copy(&slot->own.record.open,
                            &from->history, ngx_status_zone_rings(old),
                            &to->history, ngx_status_zone_rings(slot));

    slot->epoch = old->epoch;

    ngx_memcpy(slot->id, name, len);
    slot->id[len] = '\0';
}
