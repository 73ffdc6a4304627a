
/*
 * Copyright (C) ngx_status_module authors
 *
 * When each check runs, how many at a time, and where its result goes.
 * Checker only.
 *
 * A check has slots in time, an interval apart, at a phase that a hash of
 * its ID gives; the monotonic clock counts them, so they stay where they are
 * through reloads and crashes.  A slot that passes while a probe still runs
 * or waits is skipped.  While a state is unconfirmed the next probe comes
 * sooner.  The first probe of a check does not wait for its slot, nor does one
 * that heartbeats wait for.
 */


#ifndef _NGX_STATUS_SCHEDULE_H_INCLUDED_
#define _NGX_STATUS_SCHEDULE_H_INCLUDED_


#include "ngx_status_monitor.h"


typedef struct ngx_status_schedule_s  ngx_status_schedule_t;


/*
 * Takes the slots of the monitor's checks (its zone must be owned) and sets
 * the timers.  NULL: no memory, logged.
 */

ngx_status_schedule_t *ngx_status_schedule_start(
    ngx_status_monitor_t *monitor, ngx_log_t *log);

/*
 * Runs check number "n" of the monitor in so many ms at the latest, or when
 * there is a place for it then.  Nothing is done while it runs or waits
 * already.
 */
void ngx_status_schedule_hurry(ngx_status_schedule_t *schedule, ngx_uint_t n,
    ngx_msec_t wait);

/* Ends everything that is under way; results of it are lost. */
void ngx_status_schedule_stop(ngx_status_schedule_t *schedule);

ngx_uint_t ngx_status_schedule_in_flight(
    const ngx_status_schedule_t *schedule);

/* Results ever, for the rate. */
uint64_t ngx_status_schedule_results(const ngx_status_schedule_t *schedule);


/* The arithmetic, pure. */

#define NGX_STATUS_SCHEDULE_SPREAD  10   /* ms between first probes */
#define NGX_STATUS_SCHEDULE_RETEST  1000 /* ms; sooner is of no use */


/* ms from "now" (monotonic) to the next slot: 1 to interval */

static ngx_inline ngx_msec_t
ngx_status_schedule_next(ngx_msec_t now, ngx_msec_t interval, uint32_t hash)
{
    ngx_msec_t  phase;

    phase = (ngx_msec_t) ((uint64_t) hash * interval >> 32);

    return interval - (now - phase + interval) % interval;
}


/* ms to the first probe of a check, for n checks that start together */

static ngx_inline ngx_msec_t
ngx_status_schedule_first(ngx_msec_t interval, uint32_t hash, ngx_uint_t n)
{
    ngx_msec_t  spread;

    /* all of them are to end within the first interval */

    spread = ngx_min(interval - interval / 8, n * NGX_STATUS_SCHEDULE_SPREAD);

    return (ngx_msec_t) ((uint64_t) hash * spread >> 32);
}


/* ms to the probe that confirms a change */

static ngx_inline ngx_msec_t
ngx_status_schedule_retest(ngx_msec_t interval)
{
    return ngx_min(interval,
                   ngx_max(interval / 4, NGX_STATUS_SCHEDULE_RETEST));
}


#endif /* _NGX_STATUS_SCHEDULE_H_INCLUDED_ */
