
/*
 * Copyright (C) ngx_status_module authors
 *
 * How one result changes what is known of a check.  Pure.
 */


#ifndef _NGX_STATUS_RECORD_H_INCLUDED_
#define _NGX_STATUS_RECORD_H_INCLUDED_


#include "ngx_status_zone.h"
#include "../checks/ngx_status_check.h"


/*
 * Takes a result into a record and its rings: confirms the state, books the
 * time since the last one, counts the result, compares score and latency
 * with their baselines.  A gap, that is a probe that began after the last
 * result had run out (2 intervals), is unknown, and so is the state until
 * results confirm it anew.  "now" is ms since the epoch, the end of the
 * probe; next_at is left to the caller.  Returns 1 when the confirmed state
 * changed.  Checker, between zone_begin() and zone_commit().
 */

ngx_uint_t ngx_status_record_result(const ngx_status_check_t *check,
    const ngx_status_history_conf_t *history, ngx_status_record_t *record,
    void *rings, const ngx_status_result_t *result,
    const ngx_status_score_t *score, int64_t now);

/*
 * Why a result changed the confirmed state: its message, or the class of the
 * one of its run that the state was taken from.  Borrowed from one of the
 * arguments, or static.  The change to unknown that no result made has a
 * reason of its own.
 */

const char *ngx_status_record_reason(const ngx_status_record_t *record,
    const ngx_status_result_t *result);

#define NGX_STATUS_RECORD_GAP  "no results for two intervals"


#endif /* _NGX_STATUS_RECORD_H_INCLUDED_ */
