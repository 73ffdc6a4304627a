
/*
 * Copyright (C) ngx_status_module authors
 *
 * Two clocks in ms.
 */


#ifndef _NGX_STATUS_CLOCK_H_INCLUDED_
#define _NGX_STATUS_CLOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* Since the epoch, when the loop woke up last. */

static ngx_inline int64_t
ngx_status_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (int64_t) tp->sec * 1000 + tp->msec;
}


/* One that nobody sets, read now. */

static ngx_inline ngx_msec_t
ngx_status_clock(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (ngx_msec_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


#endif /* _NGX_STATUS_CLOCK_H_INCLUDED_ */
