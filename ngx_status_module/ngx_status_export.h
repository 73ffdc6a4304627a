
/*
 * Copyright (C) ngx_status_module authors
 *
 * The public page of a monitor as a site of files: index.html, check/ID.html,
 * status.json and what they need.  Whoever serves the directory, or opens it
 * without a server, finds each file whole, and no link to one that is not
 * there: a file is renamed into place, the overview comes last, and what it
 * has ceased to link is removed some time later.
 *
 * Files that were not made here are never touched: those that were stand in
 * a list beside them.  What would take the place of another is an error.
 */


#ifndef _NGX_STATUS_EXPORT_H_INCLUDED_
#define _NGX_STATUS_EXPORT_H_INCLUDED_


#include "ngx_status_monitor.h"


/*
 * Checker, each second while it owns the monitor's zone: begins an export in
 * a thread when one is configured, due, and would tell something new.  What
 * goes wrong is logged, once a change, and tried again.
 */

void ngx_status_export_beat(ngx_status_monitor_t *monitor, ngx_log_t *log);


#endif /* _NGX_STATUS_EXPORT_H_INCLUDED_ */
