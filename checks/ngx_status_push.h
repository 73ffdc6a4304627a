
/*
 * Copyright (C) ngx_status_module authors
 *
 * The judgement of a check that is told how it is, instead of asking: pure,
 * so that a day is a number.  For ngx_status_check_push.c and its tests.
 */


#ifndef _NGX_STATUS_PUSH_H_INCLUDED_
#define _NGX_STATUS_PUSH_H_INCLUDED_


#include "ngx_status_check.h"


typedef struct {
    int64_t                   every;     /* ms */
    int64_t                   grace;     /* ms */
    int64_t                   away;      /* ms: none could come for longer, so
                                            that heartbeats may be missing */
    const char               *text;      /* "every", as it was configured */
} ngx_status_push_conf_t;


/*
 * Fills state, error, message, seen, latency and kept of a result whose "at"
 * is now and whose "kept" is that of the one before, from the first *n
 * pushes; *n becomes the number of those it has used, fewer when a failure
 * has to be told before what came after it.  The others are as of a probe.
 */

void ngx_status_push_judge(const ngx_status_push_conf_t *conf,
    const ngx_status_push_t *pushes, ngx_uint_t *n,
    const ngx_status_result_t *before, int64_t listening, int64_t offline,
    ngx_status_result_t *result);


#endif /* _NGX_STATUS_PUSH_H_INCLUDED_ */
