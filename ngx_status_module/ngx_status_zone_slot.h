
/*
 * Copyright (C) ngx_status_module authors
 *
 * Private to ngx_status_zone*.c: where slots are, and how one is found.
 */


#ifndef _NGX_STATUS_ZONE_SLOT_H_INCLUDED_
#define _NGX_STATUS_ZONE_SLOT_H_INCLUDED_


#include "ngx_status_zone.h"


/*
 * First byte of the ID of a slot that changes hands, or whose writer died
 * while it did.  It is free, but other than a slot that never was taken it
 * does not end a search.
 */
#define NGX_STATUS_ZONE_GIVEN    0x01


/* a cache line's multiple, so that slots begin on one */
#define NGX_STATUS_ZONE_HEADER                                               \
    ngx_align(sizeof(ngx_status_zone_header_t), 128)

#define ngx_status_zone_slot(h, i)                                           \
    ((ngx_status_slot_t *) ((u_char *) (h) + NGX_STATUS_ZONE_HEADER          \
                            + (size_t) (i) * (h)->slot_size))

#define ngx_status_zone_seat(slot)                                           \
    ((ngx_status_seat_t *) ((uintptr_t) &(slot)->own + (slot)->seat))

#define ngx_status_zone_is_free(slot)                                        \
    ((u_char) (slot)->id[0] <= NGX_STATUS_ZONE_GIVEN)


/* The slot of an ID, or NULL.  Any process. */
ngx_status_slot_t *ngx_status_zone_look(const ngx_status_zone_header_t *h,
    const char *id, size_t len);

/*
 * A slot for a new ID: a free one near the place where a search begins, or
 * the one that has been without a check for longest, or NULL.  What the
 * zone's checker has claimed carries its epoch and is safe.  Checker, and
 * the master in a zone that is nobody's yet.
 */
ngx_status_slot_t *ngx_status_zone_free_slot(ngx_status_zone_header_t *h,
    const char *id, size_t len);


#endif /* _NGX_STATUS_ZONE_SLOT_H_INCLUDED_ */
