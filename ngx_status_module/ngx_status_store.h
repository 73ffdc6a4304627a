
/*
 * Copyright (C) ngx_status_module authors
 *
 * The store: a SQLite file for each monitor, with all that must outlive a
 * restart.  The checker is its only writer, and does all writing in one
 * thread; the loop only puts memory into a queue and never waits.
 *
 * Whatever is wrong with the file, checking goes on.  What can not be
 * written is kept in the queue up to a bound, then counted as lost; what is
 * wrong is in the log, once a change, and in the zone for pages to tell.
 */


#ifndef _NGX_STATUS_STORE_H_INCLUDED_
#define _NGX_STATUS_STORE_H_INCLUDED_


#include "ngx_status_monitor.h"


#if (NGX_STATUS_SQLITE)

/*
 * Opens the monitor's store, or notes why not, and fills the slots of its
 * checks that are empty, before any of them runs: from what the store saved
 * of them last and the results that came after.  Later comes what could not
 * be read at first.  NULL: no store is configured, or no memory, logged.
 * The zone must be owned.
 */

ngx_status_store_t *ngx_status_store_open(ngx_status_monitor_t *monitor,
    ngx_log_t *log);

/*
 * Takes a result of check number "n" of the monitor: to be called between
 * zone_begin() and zone_commit(), with the record of before and of after.
 */

void ngx_status_store_result(ngx_status_store_t *store, ngx_uint_t n,
    const ngx_status_record_t *before, const ngx_status_record_t *record,
    const ngx_status_score_t *score, int64_t now);

/* Each second: takes the buckets that have closed, and tells the zone and the
 * log how the store is. */
void ngx_status_store_beat(ngx_status_store_t *store);

/* Another checker owns the zone: what is queued is written, no more. */
void ngx_status_store_leave(ngx_status_store_t *store);

/*
 * The process ends: what is queued is written, then the records of all
 * checks whose zone is still owned, as many as there is time for.
 */

void ngx_status_store_exit(void);

#endif


#endif /* _NGX_STATUS_STORE_H_INCLUDED_ */
