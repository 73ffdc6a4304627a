
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_zone.h"


/* A reader that met this many writes in a row keeps what it had. */
#define NGX_STATUS_ZONE_TRIES    100

#define NGX_STATUS_ZONE_CRASH    60000           /* ms from start to death */
#define NGX_STATUS_ZONE_BACKOFF  100             /* ms, doubled each time */

/*
 * First byte of the ID of a slot that changes hands, or whose writer died
 * while it did.  It is free, but other than a slot that never was taken it
 * does not end a search.
 */
#define NGX_STATUS_ZONE_GIVEN    0x01


static ngx_int_t ngx_status_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t ngx_status_zone_adopt(ngx_status_zone_t *zone,
    ngx_log_t *log);
static ngx_status_zone_header_t *ngx_status_zone_running(
    ngx_shm_zone_t *shm_zone, size_t *size);
static void ngx_status_zone_copy(ngx_status_zone_header_t *from,
    ngx_status_slot_t *old, ngx_status_zone_header_t *to, const char *name,
    size_t len);
static void ngx_status_zone_rename(ngx_status_zone_t *zone);
static void ngx_status_zone_take(ngx_status_zone_header_t *header,
    ngx_status_slot_t *slot, const ngx_str_t *id,
    const ngx_status_slot_t *old);
static ngx_status_slot_t *ngx_status_zone_free_slot(
    ngx_status_zone_header_t *header, const char *id, size_t len);
static ngx_status_slot_t *ngx_status_zone_look(
    const ngx_status_zone_header_t *header, const char *id, size_t len);
static int64_t ngx_status_zone_now(void);


#define ngx_status_zone_slot(h, i)                                           \
    ((ngx_status_slot_t *) ((u_char *) (h) + NGX_STATUS_ZONE_HEADER          \
                            + (size_t) (i) * (h)->slot_size))

#define ngx_status_zone_is_free(slot)                                        \
    ((u_char) (slot)->id[0] <= NGX_STATUS_ZONE_GIVEN)

/* a cache line's multiple, so that slots begin on one */
#define NGX_STATUS_ZONE_HEADER                                               \
    ngx_align(sizeof(ngx_status_zone_header_t), 128)


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

    if (ngx_status_zone_read(old, &id, &slot->copy[0]) != NGX_OK) {
        return;
    }

    ngx_status_history_copy(&slot->copy[0].open,
                            &from->history, ngx_status_zone_rings(old),
                            &to->history, ngx_status_zone_rings(slot));

    slot->epoch = old->epoch;

    ngx_memcpy(slot->id, name, len);
    slot->id[len] = '\0';
}


ngx_msec_t
ngx_status_zone_own(ngx_status_zone_t *zone)
{
    ngx_pid_t                  owner;
    ngx_uint_t                 i;
    ngx_msec_t                 wait;
    ngx_status_slot_t         *slot;
    ngx_status_zone_header_t  *h;

    h = zone->header;
    owner = h->owner;

    /*
     * A predecessor that left says so, and on reload it is still alive for
     * a moment.  Else it died; the master brings up the next one at once,
     * however often that happens.
     */

    if (owner != 0 && owner != ngx_pid
        && kill(owner, 0) == -1 && ngx_errno == NGX_ESRCH
        && (ngx_msec_int_t) (ngx_current_msec - h->started)
           < NGX_STATUS_ZONE_CRASH)
    {
        h->starts++;
        wait = NGX_STATUS_ZONE_BACKOFF << ngx_min(h->starts - 1, 10);
        wait = ngx_min(wait, NGX_STATUS_ZONE_CRASH);

        /* a single death is no series */
        if (h->starts == 1) {
            wait = 0;
        }

    } else {
        h->starts = 0;
        wait = 0;
    }

    h->started = ngx_current_msec + wait;
    h->owner = ngx_pid;
    zone->epoch = ngx_atomic_fetch_add(&h->epoch, 1) + 1;

    for (i = 0; i < h->nslots; i++) {
        slot = ngx_status_zone_slot(h, i);

        if (slot->seq & 1) {
            slot->seq++;
        }
    }

    /* before a new check takes a slot that one of the others still has */

    for (i = 0; i < zone->nchecks; i++) {
        slot = ngx_status_zone_look(h, (char *) zone->ids[i]->data,
                                    zone->ids[i]->len);
        if (slot) {
            slot->epoch = zone->epoch;
        }
    }

    ngx_status_zone_rename(zone);

    return wait;
}


/*
 * What a renamed check was goes to a slot of its new ID, because a slot is
 * found by the hash of its ID.  The old one stays for old workers, which
 * still show it, and for a configuration that is taken back.
 */

static void
ngx_status_zone_rename(ngx_status_zone_t *zone)
{
    ngx_uint_t                 i, pass, renamed;
    const ngx_str_t           *id, *was;
    ngx_status_slot_t         *slot, *old;
    ngx_status_zone_header_t  *h;

    h = zone->header;
    renamed = 0;

    /* first none of them may be given away for another */

    for (pass = 0; pass < 2; pass++) {

        for (i = 0; i < zone->nchecks; i++) {
            id = zone->ids[i];
            was = zone->was[i];

            if (was->len == 0
                || ngx_status_zone_look(h, (char *) id->data, id->len))
            {
                continue;
            }

            old = ngx_status_zone_look(h, (char *) was->data, was->len);

            if (old == NULL) {
                continue;
            }

            if (pass == 0) {
                old->epoch = zone->epoch;
                continue;
            }

            /*
             * In a zone that is full it is the one to be given away itself:
             * a search in there has no end to miss it by.
             */

            old->epoch = 0;

            slot = ngx_status_zone_free_slot(h, (char *) id->data, id->len);

            ngx_status_zone_take(h, slot, id, old);

            old->epoch = zone->epoch - 1;
            slot->epoch = zone->epoch;
            renamed = 1;
        }
    }

    if (renamed) {
        h->changed_at = ngx_status_zone_now();
        (void) ngx_atomic_fetch_add(&h->generation, 1);
    }
}


ngx_uint_t
ngx_status_zone_owned(const ngx_status_zone_t *zone)
{
    return zone->header->epoch == zone->epoch;
}


void
ngx_status_zone_leave(ngx_status_zone_t *zone)
{
    if (zone->epoch && ngx_status_zone_owned(zone)) {
        zone->header->owner = 0;
    }
}


ngx_status_slot_t *
ngx_status_zone_claim(ngx_status_zone_t *zone, const ngx_str_t *id)
{
    ngx_status_slot_t         *slot;
    ngx_status_zone_header_t  *h;

    h = zone->header;

    slot = ngx_status_zone_look(h, (char *) id->data, id->len);

    if (slot == NULL) {
        slot = ngx_status_zone_free_slot(h, (char *) id->data, id->len);
        if (slot == NULL) {
            return NULL;
        }

        ngx_status_zone_take(h, slot, id, NULL);
    }

    slot->epoch = zone->epoch;

    return slot;
}


/*
 * Gives the slot to an ID: empty, or with the content of another slot, which
 * may be itself.  Without an ID nobody finds it, and who has found it before
 * compares once more after reading.
 */

static void
ngx_status_zone_take(ngx_status_zone_header_t *h, ngx_status_slot_t *slot,
    const ngx_str_t *id, const ngx_status_slot_t *old)
{
    ngx_uint_t  used;

    used = (slot->id[0] != '\0');
    slot->id[0] = NGX_STATUS_ZONE_GIVEN;
    ngx_memory_barrier();

    slot->seq |= 1;
    ngx_memory_barrier();

    if (old == NULL) {

        if (used) {
            /* else it is fresh from mmap(), see init() */
            ngx_memzero(&slot->copy[0], h->slot_size
                                        - offsetof(ngx_status_slot_t, copy));
            slot->current = 0;
        }

    } else if (old != slot) {
        slot->copy[0] = old->copy[old->current & 1];
        slot->current = 0;

        ngx_memcpy((u_char *) slot + sizeof(ngx_status_slot_t),
                   (u_char *) old + sizeof(ngx_status_slot_t),
                   h->slot_size - sizeof(ngx_status_slot_t));
    }

    ngx_memory_barrier();
    slot->seq++;

    ngx_memzero(slot->id + 1, NGX_STATUS_ID - 1);
    ngx_memcpy(slot->id + 1, id->data + 1, id->len - 1);
    ngx_memory_barrier();
    slot->id[0] = id->data[0];
}


/*
 * A slot for a new ID: a free one near the place where a search begins, or
 * the one that has been without a check for longest.  What this checker has
 * claimed carries its epoch and is safe.
 */

static ngx_status_slot_t *
ngx_status_zone_free_slot(ngx_status_zone_header_t *h, const char *id,
    size_t len)
{
    ngx_uint_t          i, k;
    ngx_status_slot_t  *slot, *oldest;

    oldest = NULL;
    k = ngx_murmur_hash2((u_char *) id, len) % h->nslots;

    for (i = 0; i < h->nslots; i++) {
        slot = ngx_status_zone_slot(h, (k + i) % h->nslots);

        if (ngx_status_zone_is_free(slot)) {
            return slot;
        }

        if (slot->epoch < h->epoch
            && (oldest == NULL || slot->epoch < oldest->epoch))
        {
            oldest = slot;
        }
    }

    return oldest;
}


ngx_status_record_t *
ngx_status_zone_begin(ngx_status_zone_t *zone, ngx_status_slot_t *slot)
{
    ngx_status_record_t  *r;

    (void) zone;

    slot->seq |= 1;
    ngx_memory_barrier();

    r = &slot->copy[1 - (slot->current & 1)];
    *r = slot->copy[slot->current & 1];

    return r;
}


void
ngx_status_zone_commit(ngx_status_zone_t *zone, ngx_status_slot_t *slot)
{
    if (!ngx_status_zone_owned(zone)) {
        /* a successor came meanwhile, and has made the slot's count even */
        return;
    }

    ngx_memory_barrier();
    slot->current = 1 - (slot->current & 1);

    ngx_memory_barrier();
    slot->seq++;

    zone->header->changed_at = ngx_status_zone_now();
    (void) ngx_atomic_fetch_add(&zone->header->generation, 1);
}


void *
ngx_status_zone_rings(ngx_status_slot_t *slot)
{
    return (u_char *) slot + sizeof(ngx_status_slot_t);
}


void
ngx_status_zone_beat(ngx_status_zone_t *zone, ngx_status_beat_t *beat)
{
    ngx_status_beat_t         *b;
    ngx_status_zone_header_t  *h;

    h = zone->header;
    beat->at = ngx_status_zone_now();

    /* nobody reads it before it is counted, or any more: it is the oldest */

    b = &h->beats[h->nbeats % NGX_STATUS_ZONE_BEATS];
    *b = *beat;

    ngx_memory_barrier();
    h->nbeats++;

    h->heartbeat_at = beat->at;
    h->heartbeat = ngx_current_msec;
}


void
ngx_status_zone_get_beat(const ngx_status_zone_t *zone, int64_t at,
    ngx_status_beat_t *beat)
{
    ngx_uint_t                       i;
    ngx_atomic_uint_t                n;
    const ngx_status_zone_header_t  *h;

    h = zone->header;

    n = h->nbeats;
    ngx_memory_barrier();

    ngx_memzero(beat, sizeof(ngx_status_beat_t));

    /* all but the one that may be overwritten just now */

    for (i = 1; i < NGX_STATUS_ZONE_BEATS && i <= n; i++) {
        *beat = h->beats[(n - i) % NGX_STATUS_ZONE_BEATS];

        if (beat->at <= at) {
            return;
        }
    }
}


void
ngx_status_zone_put_store(ngx_status_zone_t *zone,
    const ngx_status_zone_store_t *store)
{
    ngx_status_zone_header_t  *h;

    h = zone->header;

    h->store_seq |= 1;
    ngx_memory_barrier();

    h->store = *store;

    ngx_memory_barrier();
    h->store_seq++;

    h->changed_at = ngx_status_zone_now();
    (void) ngx_atomic_fetch_add(&h->generation, 1);
}


void
ngx_status_zone_put_offline(ngx_status_zone_t *zone, int64_t since)
{
    ngx_status_zone_header_t  *h;

    h = zone->header;

    h->offline_since = since;
    h->changed_at = ngx_status_zone_now();
    (void) ngx_atomic_fetch_add(&h->generation, 1);
}


void
ngx_status_zone_get_store(const ngx_status_zone_t *zone,
    ngx_status_zone_store_t *store)
{
    ngx_uint_t                 i;
    ngx_atomic_uint_t          seq;
    ngx_status_zone_store_t    copy;
    ngx_status_zone_header_t  *h;

    h = zone->header;

    for (i = 0; i < NGX_STATUS_ZONE_TRIES; i++) {
        seq = h->store_seq;
        ngx_memory_barrier();

        copy = h->store;

        ngx_memory_barrier();

        if (seq == h->store_seq && !(seq & 1)) {
            *store = copy;
            return;
        }

        ngx_cpu_pause();
    }
}


ngx_status_slot_t *
ngx_status_zone_find(const ngx_status_zone_t *zone, const ngx_str_t *id,
    ngx_status_slot_t *hint)
{
    if (hint && ngx_strncmp(hint->id, id->data, id->len) == 0
        && hint->id[id->len] == '\0')
    {
        return hint;
    }

    return ngx_status_zone_look(zone->header, (char *) id->data, id->len);
}


static ngx_status_slot_t *
ngx_status_zone_look(const ngx_status_zone_header_t *h, const char *id,
    size_t len)
{
    ngx_uint_t          i, k;
    ngx_status_slot_t  *slot;

    if (len == 0 || len >= NGX_STATUS_ID) {
        return NULL;
    }

    k = ngx_murmur_hash2((u_char *) id, len) % h->nslots;

    for (i = 0; i < h->nslots; i++) {
        slot = ngx_status_zone_slot(h, (k + i) % h->nslots);

        if (slot->id[len] == '\0' && ngx_memcmp(slot->id, id, len) == 0) {
            return slot;
        }

        if (slot->id[0] == '\0') {
            /* a slot is taken where the search for it ends */
            break;
        }
    }

    return NULL;
}


/*
 * The writer fills the copy that is not current, so a record that was read
 * is whole unless the writer came around to it a second time; that it is
 * inside, or died there, is no obstacle.
 */

ngx_int_t
ngx_status_zone_read(const ngx_status_slot_t *slot, const ngx_str_t *id,
    ngx_status_record_t *record)
{
    ngx_uint_t          i;
    ngx_atomic_uint_t   seq;

    for (i = 0; i < NGX_STATUS_ZONE_TRIES; i++) {
        seq = slot->seq;
        ngx_memory_barrier();

        *record = slot->copy[slot->current & 1];

        ngx_memory_barrier();

        if (ngx_strncmp(slot->id, id->data, id->len) != 0
            || slot->id[id->len] != '\0')
        {
            return NGX_DECLINED;
        }

        if (slot->seq - seq <= 2 - (seq & 1)) {
            return NGX_OK;
        }

        ngx_cpu_pause();
    }

    return NGX_AGAIN;
}


/* A writer that died inside is no obstacle here either: nothing moves. */

ngx_int_t
ngx_status_zone_read_all(const ngx_status_zone_t *zone,
    const ngx_status_slot_t *slot, const ngx_str_t *id,
    ngx_status_record_t *record, void *rings)
{
    size_t              size;
    ngx_uint_t          i;
    ngx_atomic_uint_t   seq;

    size = ngx_status_history_size(&zone->header->history);

    for (i = 0; i < NGX_STATUS_ZONE_TRIES; i++) {
        seq = slot->seq;
        ngx_memory_barrier();

        *record = slot->copy[slot->current & 1];
        ngx_memcpy(rings, slot + 1, size);

        ngx_memory_barrier();

        if (ngx_strncmp(slot->id, id->data, id->len) != 0
            || slot->id[id->len] != '\0')
        {
            return NGX_DECLINED;
        }

        if (slot->seq == seq) {
            return NGX_OK;
        }

        ngx_cpu_pause();
    }

    return NGX_AGAIN;
}


ngx_uint_t
ngx_status_zone_alive(const ngx_status_zone_t *zone)
{
    ngx_status_zone_header_t  *h;

    h = zone->header;

    /* our own clock may be a moment older than the checker's */

    return h->heartbeat_at != 0
           && (ngx_msec_int_t) (ngx_current_msec - h->heartbeat)
              < NGX_STATUS_ZONE_DEAD;
}


static int64_t
ngx_status_zone_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (int64_t) tp->sec * 1000 + tp->msec;
}
