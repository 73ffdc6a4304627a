
/*
 * Copyright (C) ngx_status_module authors
 *
 * The zone of one monitor: what is true now, and enough history to draw
 * every page.  One writer, the checker that owns it; readers take no lock.
 * Workers write no zone, but for heartbeats, which have one of their own: see
 * ngx_status_inbox.h.
 *
 * Layout: nginx's slab header (kept intact, the master walks it), then one
 * allocation: the header below and "nslots" slots of equal size.  A slot
 * belongs to an ID.  It holds the check's history rings, a seat for a record,
 * and says which seat its own record has.  There are a few seats more than
 * slots: the writer fills one that is no slot's, gives it to the slot, and
 * goes on with the one that it got for it.  So a checker killed in the middle
 * leaves the old record whole, and readers hardly ever have to look twice.
 *
 * Slots whose check has left the configuration keep their ID and content
 * (so that a check that comes back finds its past) until their place is
 * needed; then the one unused for longest goes first.
 */


#ifndef _NGX_STATUS_ZONE_H_INCLUDED_
#define _NGX_STATUS_ZONE_H_INCLUDED_


#include "ngx_status_types.h"
#include "ngx_status_state.h"
#include "ngx_status_history.h"


#define NGX_STATUS_ZONE_MAGIC    0x5354415455533031ULL
#define NGX_STATUS_ZONE_VERSION  4    /* of everything below */

/* A heartbeat comes each second; beyond this the checker counts as dead. */
#define NGX_STATUS_ZONE_DEAD     5000 /* ms */

/* The heartbeats that are kept: more than a minute of them, because no
 * reader looks back longer, see ngx_status_snapshot_t's "now". */
#define NGX_STATUS_ZONE_BEATS    64


/* The score card: the last score that came, and what became of it. */

typedef struct {
    int64_t     at;                  /* ms; of the last score; 0: never */
    double      previous;            /* the baseline; NAN: none */
    double      delta;               /* NAN: nothing to compare */
    uint32_t    nscores;             /* in "scores", oldest first */
    uint8_t     level;               /* ngx_status_level_e */
    uint8_t     stale;               /* the newest poll brought none; why, is
                                        the message of the last result */
    ngx_status_score_t  last;        /* value NAN: never one */
    double      scores[NGX_STATUS_SCORES];
} ngx_status_card_t;


/* A change of the confirmed state; it ends where the next one begins. */

typedef struct {
    int64_t     since;               /* ms since the epoch; back-dated */
    uint8_t     from;
    uint8_t     to;
    char        reason[NGX_STATUS_REASON];       /* cut; empty for up */
} ngx_status_event_t;


/* How store, archive or site of files is: what pages tell of it. */

typedef struct {
    uint64_t    lost;                /* records (store), results (archive)
                                        since the checker began */
    int64_t     written_at;          /* ms; 0: never */
    uint32_t    state;               /* ngx_status_outlet_state_e */
    char        message[NGX_STATUS_MESSAGE];
} ngx_status_outlet_t;


/* How the checker is, as of one heartbeat. */

typedef struct {
    int64_t     at;                  /* ms since the epoch; 0: never */
    uint32_t    rate;                /* checks per 1,000 s, last ten seconds */
    uint32_t    in_flight;           /* probes that are under way */
    uint32_t    lateness;            /* ms; how late the loop was for an
                                        event, worst of the last minute */
} ngx_status_beat_t;


/* Everything of a check that pages show. */

typedef struct {
    ngx_status_confirm_t  confirm;
    int64_t     valid_until;         /* ms: last result + 2 intervals */
    int64_t     next_at;             /* ms: when the next probe is due */
    uint64_t    nresults;            /* ever; 0: no result yet */
    ngx_status_result_t   last;      /* the newest result */
    int64_t     failed_at;           /* ms; of the newest one not up; 0 */
    char        failed[NGX_STATUS_MESSAGE];      /* its message */
    double      slower_base;         /* us; NAN: nothing to compare */
    double      slower_growth;       /* 0.25: 25 % slower than the base */
    uint8_t     slower_level;        /* ngx_status_level_e */
    /* result number k (from 0) at k % NGX_STATUS_RESULTS */
    ngx_status_brief_t    results[NGX_STATUS_RESULTS];
    int64_t     windows_at;          /* s since the epoch, of "windows" */
    ngx_status_window_t   windows[NGX_STATUS_WINDOWS];
    uint64_t    nevents;             /* in "events", oldest first */
    ngx_status_event_t    events[NGX_STATUS_EVENTS];
    ngx_status_card_t     card;
    ngx_status_history_open_t  open;
} ngx_status_record_t;


/*
 * At any time each slot has a seat, and no two the same.  The others are in
 * the hands of checkers: the owner's, and its predecessor's that may still be
 * in the middle of a write.
 */

#define NGX_STATUS_ZONE_SPARE    2

typedef struct {
    ngx_uint_t            epoch;     /* of the last checker that found, as it
                                        began, that it was a slot's */
    ngx_status_record_t   record;
} ngx_status_seat_t;


typedef struct {
    ngx_atomic_t          seq;       /* odd while the writer is in the slot */
    ngx_atomic_t          seat;      /* of the record that is true: bytes from
                                        "own", modulo all there are */
    ngx_atomic_t          epoch;     /* of the last checker that had this ID
                                        configured */
    char                  id[NGX_STATUS_ID];     /* empty: a free slot */
    ngx_status_seat_t     own;       /* any slot's, or none's */
    /* the rings follow */
} ngx_status_slot_t;


typedef struct {
    uint64_t              magic;
    uint32_t              version;
    uint32_t              record_size;           /* guards the layout */
    uint32_t              slot_size;             /* rings included */
    uint32_t              nslots;
    ngx_status_history_conf_t  history;

    ngx_atomic_t          epoch;     /* of the checker that owns the zone */
    ngx_atomic_t          owner;     /* its pid */
    ngx_atomic_t          generation;/* grows with every change */
    ngx_atomic_t          heartbeat; /* monotonic ms (ngx_current_msec) */
    volatile int64_t      heartbeat_at;          /* ms since the epoch */
    volatile int64_t      changed_at;            /* ms; of the generation */

    volatile int64_t      offline_since;         /* ms; 0: as far as sentinels
                                        know there is a network */
    ngx_atomic_t          nbeats;    /* ever; number k (from 0) is at
                                        k % NGX_STATUS_ZONE_BEATS */
    ngx_status_beat_t     beats[NGX_STATUS_ZONE_BEATS];

    /* back-off of a checker that keeps dying */
    ngx_atomic_t          starts;    /* in a row, each soon after the other */
    ngx_atomic_t          started;   /* monotonic ms: the last one's first
                                        probes, after its wait */

    ngx_atomic_t          outlets_seq;           /* odd while one of the next
                                                    is written */
    ngx_status_outlet_t   outlets[NGX_STATUS_NOUTLETS];
    volatile uint64_t     pushes_lost;           /* heartbeats; ever */

    ngx_atomic_t          hands[NGX_STATUS_ZONE_SPARE];  /* bytes from the
                                        header to the seat that the owner, or
                                        its predecessor, fills next; each at
                                        its epoch modulo all */
    ngx_status_seat_t     spare[NGX_STATUS_ZONE_SPARE];
} ngx_status_zone_header_t;


/* A zone as a process sees it; in the cycle's pool, by monitor. */

typedef struct {
    ngx_shm_zone_t             *shm_zone;
    ngx_status_history_conf_t   history;         /* configured */
    const ngx_str_t           **ids;             /* of the configured checks, */
    const ngx_str_t           **was;             /* and theirs of before, or
                                                    empty, */
    ngx_uint_t                  nchecks;         /* to be set before init */
    ngx_uint_t                  nslots;          /* as many as fit */
    ngx_status_zone_header_t   *header;          /* mapped; set by init */
    ngx_uint_t                  epoch;           /* the checker's own; 0 */
    ngx_status_seat_t          *hand;            /* likewise */
} ngx_status_zone_t;


/*
 * Bytes that the zone needs for so many slots, slab header and nginx's
 * rounding included; and slots for so many checks (some to spare, so that
 * most edits need no new zone).  Master.
 */

size_t ngx_status_zone_size(const ngx_status_history_conf_t *history,
    ngx_uint_t nslots);
ngx_uint_t ngx_status_zone_slots(ngx_uint_t nchecks);
size_t ngx_status_zone_slot_size(const ngx_status_history_conf_t *history);

/*
 * Adds the zone "status:NAME" with "size" bytes, at least zone_size() of as
 * many slots as there are checks.  The caller sets "ids" and "was" of the
 * answer.  The zone's init lays a fresh zone out, and only looks at a zone
 * that is adopted: nothing that a failing reload would have to undo.
 * Master.
 */

ngx_status_zone_t *ngx_status_zone_add(ngx_conf_t *cf, ngx_str_t *name,
    const ngx_status_history_conf_t *history, ngx_uint_t nchecks,
    size_t size, ngx_module_t *tag);

/*
 * For init_module, when a reload can not fail any more and the zones of the
 * running cycle are still mapped: a zone whose size has changed takes over,
 * by ID, what the one of the same name holds, and takes that away from its
 * checker.  Nothing is done for a zone that is adopted.  Master.
 */

void ngx_status_zone_inherit(ngx_status_zone_t *zone);


/*
 * For a zone that sizes itself: an nginx that runs with a zone of this size
 * but with a history of another shape would have it adopted, which can not
 * be; so it is made a page larger.  Returns its size.  Master.
 */

size_t ngx_status_zone_reshape(ngx_status_zone_t *zone);


/*
 * Checker.  own() takes the zone over, repairs what a killed owner left,
 * makes sure that no new check gets the slot of a configured one, and
 * carries over what renamed checks were; it returns for how long (ms) to wait
 * first, because its predecessors keep dying: 0, or 0.1 s doubled with each
 * death within a minute of the start, up to a minute.  owned() tells whether
 * it still is ours.  leave() tells the successor that this was no crash.
 * claim() finds or takes the slot of an ID, NULL when all belong to
 * configured checks (can not happen while sizes hold).  record() is what is
 * true, until the next commit() to that slot.  begin() gives a record to
 * fill, holding the current content, and opens the slot; commit() makes it
 * true; between the two there is no return to the loop, and no other begin().
 * rings() are the slot's, for history.c.  beat() is the heartbeat, each
 * second; it fills in beat->at.
 */

ngx_msec_t ngx_status_zone_own(ngx_status_zone_t *zone);
ngx_uint_t ngx_status_zone_owned(const ngx_status_zone_t *zone);
void ngx_status_zone_leave(ngx_status_zone_t *zone);
ngx_status_slot_t *ngx_status_zone_claim(ngx_status_zone_t *zone,
    const ngx_str_t *id);
const ngx_status_record_t *ngx_status_zone_record(
    const ngx_status_slot_t *slot);
ngx_status_record_t *ngx_status_zone_begin(ngx_status_zone_t *zone,
    ngx_status_slot_t *slot);
void ngx_status_zone_commit(ngx_status_zone_t *zone, ngx_status_slot_t *slot);
void *ngx_status_zone_rings(ngx_status_slot_t *slot);
void ngx_status_zone_put_offline(ngx_status_zone_t *zone, int64_t since);
void ngx_status_zone_beat(ngx_status_zone_t *zone, ngx_status_beat_t *beat);
void ngx_status_zone_put_pushes_lost(ngx_status_zone_t *zone, uint64_t n);

/* Does nothing when it is so already, or the zone is another checker's. */
void ngx_status_zone_put_outlet(ngx_status_zone_t *zone, ngx_uint_t i,
    const ngx_status_outlet_t *outlet);


/*
 * Any process.  find() returns the slot of an ID or NULL (not claimed yet);
 * "hint" is a slot to look at first, or NULL.  read() copies the record out:
 * NGX_OK, NGX_DECLINED when the slot has another ID by now, NGX_AGAIN when
 * the writer was in the way too often (keep the last copy).  alive() is
 * whether the heartbeat is fresh.  read_all()
 * copies the rings too, into ngx_status_history_size() bytes; as they are
 * written in place, a write in between is once more.
 */

ngx_status_slot_t *ngx_status_zone_find(const ngx_status_zone_t *zone,
    const ngx_str_t *id, ngx_status_slot_t *hint);
ngx_int_t ngx_status_zone_read(const ngx_status_slot_t *slot,
    const ngx_str_t *id, ngx_status_record_t *record);
ngx_int_t ngx_status_zone_read_all(const ngx_status_zone_t *zone,
    const ngx_status_slot_t *slot, const ngx_str_t *id,
    ngx_status_record_t *record, void *rings);
ngx_uint_t ngx_status_zone_alive(const ngx_status_zone_t *zone);

/*
 * The newest heartbeat that is not after "at" (ms since the epoch), or the
 * oldest one that is kept; zeroed when there was none.  All who ask for the
 * same time get the same one.
 */
void ngx_status_zone_get_beat(const ngx_status_zone_t *zone, int64_t at,
    ngx_status_beat_t *beat);

/* Copies what the zone says of all outlets; they are left alone when one is
 * being written just now. */
void ngx_status_zone_get_outlets(const ngx_status_zone_t *zone,
    ngx_status_outlet_t outlets[NGX_STATUS_NOUTLETS]);


#endif /* _NGX_STATUS_ZONE_H_INCLUDED_ */
