
/*
 * Copyright (C) ngx_status_module authors
 *
 * Private to ngx_status_json*.c: status.json while it is written.
 */


#ifndef _NGX_STATUS_JSON_DOC_H_INCLUDED_
#define _NGX_STATUS_JSON_DOC_H_INCLUDED_


#include "../ngx_status_monitor.h"
#include "ngx_status_put.h"


typedef struct {
    ngx_status_put_t              put;
    const ngx_status_snapshot_t  *snapshot;
    const ngx_status_ask_t       *ask;
} ngx_status_json_doc_t;


/* A check, with all that it has. */
void ngx_status_json_check(ngx_status_json_doc_t *d,
    const ngx_status_view_t *v);

/* "uptime" and "known", of those of n checks that were asked for, together. */
void ngx_status_json_uptime(ngx_status_json_doc_t *d,
    const ngx_status_view_t *v, ngx_uint_t n);


#endif /* _NGX_STATUS_JSON_DOC_H_INCLUDED_ */
