
/*
 * Copyright (C) ngx_status_module authors
 *
 * A result as a row of CSV [RFC 4180]: the one place that knows the columns.
 * It is ground, not a format, because two floors write rows: status.csv from
 * a worker's snapshot, and the archive from the checker.  Pure; any process,
 * any thread.
 *
 * Columns hold words, numbers, IDs, and a group's title as it was configured,
 * never what a target sent; so what a spreadsheet would take for a formula
 * can only come from the administrator, and is left as it is.
 */


#ifndef _NGX_STATUS_ROW_H_INCLUDED_
#define _NGX_STATUS_ROW_H_INCLUDED_


#include "ngx_status_types.h"
#include "ngx_status_out.h"


#define NGX_STATUS_ROW_HEAD                                                  \
    "timestamp,site_id,domain_id,domain_status,http_status,latency_ms,"      \
    "failure_type\r\n"


/* The date of the row before: nearly all are of one day. */

typedef struct {
    int64_t     number;              /* days since the epoch; -1: none yet */
    char        text[sizeof("2026-11-21T")];
} ngx_status_row_day_t;


/*
 * "site" is the group's title, empty outside of groups, and "domain" the
 * check's ID.  An HTTP status of 0 and E_NONE give empty columns, and so
 * does a latency that was not "measured".
 */

void ngx_status_row(ngx_status_out_t *out, ngx_status_row_day_t *day,
    const ngx_str_t *site, const ngx_str_t *domain,
    const ngx_status_brief_t *what, ngx_uint_t measured);

/* Of one result: a fault of our own measured nothing. */

static ngx_inline void
ngx_status_row_result(ngx_status_out_t *out, ngx_status_row_day_t *day,
    const ngx_str_t *site, const ngx_str_t *domain,
    const ngx_status_brief_t *result)
{
    ngx_status_row(out, day, site, domain, result,
                   result->state != NGX_STATUS_UNKNOWN);
}


#endif /* _NGX_STATUS_ROW_H_INCLUDED_ */
