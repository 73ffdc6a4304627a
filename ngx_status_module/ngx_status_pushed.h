
/*
 * Copyright (C) ngx_status_module authors
 *
 * Heartbeats at the checker's side: which checks they wait for, and what a
 * probe of one of these gets.  Checker only.
 */


#ifndef _NGX_STATUS_PUSHED_H_INCLUDED_
#define _NGX_STATUS_PUSHED_H_INCLUDED_


#include "ngx_status_schedule.h"


typedef struct ngx_status_pushed_s  ngx_status_pushed_t;


/*
 * Looks at the monitor's inbox from now on, and hurries the checks that
 * something has come for.  NULL: no memory, logged.
 */

ngx_status_pushed_t *ngx_status_pushed_start(ngx_status_schedule_t *schedule,
    ngx_status_monitor_t *monitor, ngx_log_t *log);
void ngx_status_pushed_stop(ngx_status_pushed_t *pushed);

/*
 * Before the start() of a probe whose check has a token: fills what is there
 * for it.  After its result is in the zone: what it has used is forgotten.
 * There is one set of buffers, because start() has ended the probe when it
 * returns.
 */

void ngx_status_pushed_get(ngx_status_pushed_t *pushed,
    ngx_status_probe_t *probe);
void ngx_status_pushed_done(ngx_status_pushed_t *pushed,
    const ngx_status_probe_t *probe);


#endif /* _NGX_STATUS_PUSHED_H_INCLUDED_ */
