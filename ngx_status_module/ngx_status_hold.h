
/*
 * Copyright (C) ngx_status_module authors
 *
 * Failures to reach a target, and heartbeats that stay away, which are held
 * until sentinels have told whether it is this machine that has no network
 * (ngx_status_sentinel.h).  Meanwhile a check neither runs nor has it a place
 * or a timer.  Also says, in the zone and in the log, since when nobody is
 * reached.  Checker only.
 */


#ifndef _NGX_STATUS_HOLD_H_INCLUDED_
#define _NGX_STATUS_HOLD_H_INCLUDED_


#include "ngx_status_schedule.h"


typedef struct ngx_status_hold_s  ngx_status_hold_t;


/* Of one check, where the schedule keeps what it knows of it. */

typedef struct {
    ngx_status_probe_t         *probe;           /* set by the schedule */
    ngx_queue_t                 queue;           /* while it is held */
    ngx_msec_t                  ended;           /* its probe; monotonic ms */
    ngx_uint_t                  asked;           /* of silence: there is an
                                                    answer, in probe->offline;
                                                    it is not held again */
} ngx_status_held_t;


/*
 * The monitor may have no sentinels: nothing is ever held then.  "settle"
 * gets what was held, with the result as it is to be recorded; or of a check
 * with a token, whose probe is to be made again, for what may have come
 * meanwhile.  NULL: no memory, logged.
 */

ngx_status_hold_t *ngx_status_hold_start(ngx_status_schedule_t *schedule,
    ngx_status_monitor_t *monitor, void (*settle)(ngx_status_held_t *held),
    ngx_log_t *log);
void ngx_status_hold_stop(ngx_status_hold_t *hold);

/* A sentinel's probe has ended. */
void ngx_status_hold_answered(ngx_status_hold_t *hold,
    const ngx_status_probe_t *probe);

/*
 * A probe has ended.  1: its result is held; 0: it is to be recorded, with
 * the state that this may have set.
 */

ngx_uint_t ngx_status_hold_take(ngx_status_hold_t *hold,
    ngx_status_held_t *held);

/* 1: it was held, and no longer is. */
ngx_uint_t ngx_status_hold_drop(ngx_status_held_t *held);


#endif /* _NGX_STATUS_HOLD_H_INCLUDED_ */
