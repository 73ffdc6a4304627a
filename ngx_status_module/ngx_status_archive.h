
/*
 * Copyright (C) ngx_status_module authors
 *
 * The archive: every result as a row of CSV in files, for those who want to
 * keep them without this module.  The checker is the only writer.  Results
 * wait in memory until a thread takes them, twice a second; the thread has
 * the directory and the list while it runs, the loop has them while it does
 * not, so that there is no lock and the loop never waits.
 *
 * Whatever is wrong with the files, checking goes on.  What can not be
 * written is kept up to a bound, then lost; both are in the log, once a
 * change, and in the zone for pages to tell.
 */


#ifndef _NGX_STATUS_ARCHIVE_H_INCLUDED_
#define _NGX_STATUS_ARCHIVE_H_INCLUDED_


#include "ngx_status_monitor.h"


/* Results that are kept in memory at most. */
#define NGX_STATUS_ARCHIVE_QUEUE  100000


/* Begins the monitor's archive.  NULL: none is configured, or no memory,
 * logged.  The zone must be owned. */
ngx_status_archive_t *ngx_status_archive_open(ngx_status_monitor_t *monitor,
    ngx_log_t *log);

/* Takes a result of check number "n" of the monitor. */
void ngx_status_archive_result(ngx_status_archive_t *archive, ngx_uint_t n,
    const ngx_status_brief_t *result);

/* Each second: tells the zone and the log how the archive is. */
void ngx_status_archive_beat(ngx_status_archive_t *archive);

/* Another checker owns the zone: what is there is written, no more. */
void ngx_status_archive_leave(ngx_status_archive_t *archive);

/* The process ends: likewise for all archives, as far as time allows. */
void ngx_status_archive_exit(void);


#endif /* _NGX_STATUS_ARCHIVE_H_INCLUDED_ */
