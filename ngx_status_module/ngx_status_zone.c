
/*
 * Copyright (C) ngx_status_module authors
 *
 * The zone as the checker writes it and everybody reads it; how it is made
 * is the master's, see ngx_status_zone_layout.c.
 */


#include "ngx_status_zone_slot.h"
#include "ngx_status_clock.h"


/* A reader that met this many writes in a row keeps what it had. */
#define NGX_STATUS_ZONE_TRIES    100

#define NGX_STATUS_ZONE_CRASH    60000           /* ms from start to death */
#define NGX_STATUS_ZONE_BACKOFF  100             /* ms, doubled each time */


static void ngx_status_zone_get_hand(ngx_status_zone_t *zone);
static void ngx_status_zone_set_hand(ngx_status_zone_t *zone,
    ngx_status_seat_t *seat);
static void ngx_status_zone_rename(ngx_status_zone_t *zone);
static void ngx_status_zone_take(ngx_status_zone_header_t *header,
    ngx_status_slot_t *slot, const ngx_str_t *id,
    const ngx_status_slot_t *old);


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

    ngx_status_zone_get_hand(zone);

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
 * A seat that is no slot's, nor one that a predecessor may still be writing
 * to.  Which it is, is not taken from a note: who dies between giving a seat
 * and noting the one it got for it, leaves a wrong one.
 */

static void
ngx_status_zone_get_hand(ngx_status_zone_t *zone)
{
    ngx_uint_t                 i;
    ngx_status_seat_t         *seat, *theirs;
    ngx_status_zone_header_t  *h;

    h = zone->header;

    theirs = (ngx_status_seat_t *)
             ((u_char *) h
              + h->hands[(zone->epoch - 1) % NGX_STATUS_ZONE_SPARE]);
    ngx_memory_barrier();

    for (i = 0; i < h->nslots; i++) {
        ngx_status_zone_seat(ngx_status_zone_slot(h, i))->epoch = zone->epoch;
    }

    for (i = 0; i < NGX_STATUS_ZONE_SPARE + h->nslots; i++) {

        seat = i < NGX_STATUS_ZONE_SPARE
               ? &h->spare[i]
               : &ngx_status_zone_slot(h, i - NGX_STATUS_ZONE_SPARE)->own;

        if (seat->epoch != zone->epoch) {
            ngx_status_zone_set_hand(zone, seat);

            if (seat != theirs) {
                return;
            }
        }
    }
}


static void
ngx_status_zone_set_hand(ngx_status_zone_t *zone, ngx_status_seat_t *seat)
{
    ngx_status_zone_header_t  *h;

    h = zone->header;

    zone->hand = seat;
    h->hands[zone->epoch % NGX_STATUS_ZONE_SPARE] = (u_char *) seat
                                                    - (u_char *) h;
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
        h->changed_at = ngx_status_now();
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
    ngx_uint_t            used;
    ngx_status_record_t  *record;

    record = &ngx_status_zone_seat(slot)->record;

    used = (slot->id[0] != '\0');
    slot->id[0] = NGX_STATUS_ZONE_GIVEN;
    ngx_memory_barrier();

    slot->seq |= 1;
    ngx_memory_barrier();

    if (old == NULL) {

        if (used) {
            /* else it is fresh from mmap(), see init() */
            ngx_memzero(record, sizeof(ngx_status_record_t));
            ngx_memzero((u_char *) slot + sizeof(ngx_status_slot_t),
                        h->slot_size - sizeof(ngx_status_slot_t));
        }

    } else if (old != slot) {
        *record = *ngx_status_zone_record(old);

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


ngx_status_slot_t *
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


const ngx_status_record_t *
ngx_status_zone_record(const ngx_status_slot_t *slot)
{
    return &ngx_status_zone_seat(slot)->record;
}


ngx_status_record_t *
ngx_status_zone_begin(ngx_status_zone_t *zone, ngx_status_slot_t *slot)
{
    slot->seq |= 1;
    ngx_memory_barrier();

    zone->hand->record = *ngx_status_zone_record(slot);

    return &zone->hand->record;
}


void
ngx_status_zone_commit(ngx_status_zone_t *zone, ngx_status_slot_t *slot)
{
    ngx_atomic_uint_t  mine, theirs;

    if (!ngx_status_zone_owned(zone)) {
        /* a successor came meanwhile, and has made the slot's count even */
        return;
    }

    /*
     * It may come just now.  Exchanged, each seat has one holder at any
     * time, whoever of the two was first.
     */

    mine = (uintptr_t) zone->hand - (uintptr_t) &slot->own;

    ngx_memory_barrier();

    do {
        theirs = slot->seat;
    } while (!ngx_atomic_cmp_set(&slot->seat, theirs, mine));

    ngx_memory_barrier();
    slot->seq++;

    ngx_status_zone_set_hand(zone, (ngx_status_seat_t *)
                                   ((uintptr_t) &slot->own + theirs));

    zone->header->changed_at = ngx_status_now();
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
    beat->at = ngx_status_now();

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
ngx_status_zone_put_outlet(ngx_status_zone_t *zone, ngx_uint_t i,
    const ngx_status_outlet_t *outlet)
{
    ngx_status_outlet_t       *o;
    ngx_status_zone_header_t  *h;

    h = zone->header;
    o = &h->outlets[i];

    if (!ngx_status_zone_owned(zone)
        || (o->state == outlet->state && o->lost == outlet->lost
            && o->written_at == outlet->written_at
            && ngx_strcmp(o->message, outlet->message) == 0))
    {
        return;
    }

    h->outlets_seq |= 1;
    ngx_memory_barrier();

    *o = *outlet;

    ngx_memory_barrier();
    h->outlets_seq++;

    h->changed_at = ngx_status_now();
    (void) ngx_atomic_fetch_add(&h->generation, 1);
}


void
ngx_status_zone_put_offline(ngx_status_zone_t *zone, int64_t since)
{
    ngx_status_zone_header_t  *h;

    h = zone->header;

    h->offline_since = since;
    h->changed_at = ngx_status_now();
    (void) ngx_atomic_fetch_add(&h->generation, 1);
}


void
ngx_status_zone_put_pushes_lost(ngx_status_zone_t *zone, uint64_t n)
{
    ngx_status_zone_header_t  *h;

    h = zone->header;

    if (h->pushes_lost == n) {
        return;
    }

    h->pushes_lost = n;
    h->changed_at = ngx_status_now();
    (void) ngx_atomic_fetch_add(&h->generation, 1);
}


void
ngx_status_zone_get_outlets(const ngx_status_zone_t *zone,
    ngx_status_outlet_t outlets[NGX_STATUS_NOUTLETS])
{
    ngx_uint_t                 i;
    ngx_atomic_uint_t          seq;
    ngx_status_outlet_t        copy[NGX_STATUS_NOUTLETS];
    ngx_status_zone_header_t  *h;

    h = zone->header;

    for (i = 0; i < NGX_STATUS_ZONE_TRIES; i++) {
        seq = h->outlets_seq;
        ngx_memory_barrier();

        ngx_memcpy(copy, h->outlets, sizeof(copy));

        ngx_memory_barrier();

        if (seq == h->outlets_seq && !(seq & 1)) {
            ngx_memcpy(outlets, copy, sizeof(copy));
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


ngx_status_slot_t *
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
 * The writer fills a seat that is no slot's, so a record that was read is
 * whole unless the slot has got another one meanwhile; that the writer is
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

        *record = *ngx_status_zone_record(slot);

        ngx_memory_barrier();

        if (ngx_strncmp(slot->id, id->data, id->len) != 0
            || slot->id[id->len] != '\0')
        {
            return NGX_DECLINED;
        }

        if (slot->seq - seq <= 1 - (seq & 1)) {
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

        *record = *ngx_status_zone_record(slot);
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
