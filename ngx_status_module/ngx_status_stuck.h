
/*
 * Copyright (C) ngx_status_module authors
 *
 * Whether a thread that waits for a disk still gets on.  The thread counts
 * its steps, the loop looks each second: where the count stands still for so
 * many looks, nothing answers (NFS whose server is gone).  Looks and not
 * time, because a process that was stopped had none either.
 */


#ifndef _NGX_STATUS_STUCK_H_INCLUDED_
#define _NGX_STATUS_STUCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_STATUS_STUCK         10      /* looks, so about seconds */
#define NGX_STATUS_STUCK_TEXT    "its disk does not answer"


/* The loop's.  Zeroed at first, and when there is a new thread. */

typedef struct {
    ngx_uint_t    seen;                  /* steps at the last look */
    ngx_uint_t    looks;                 /* since then */
} ngx_status_stuck_t;


/* The thread's, who alone writes "steps". */
#define ngx_status_step(steps)  (*(steps))++


static ngx_inline ngx_uint_t
ngx_status_is_stuck(ngx_status_stuck_t *stuck, ngx_uint_t steps)
{
    if (stuck->seen != steps) {
        stuck->seen = steps;
        stuck->looks = 0;
        return 0;
    }

    return ++stuck->looks >= NGX_STATUS_STUCK;
}


#endif /* _NGX_STATUS_STUCK_H_INCLUDED_ */
