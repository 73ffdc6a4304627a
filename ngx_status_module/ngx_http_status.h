
/*
 * Copyright (C) ngx_status_module authors
 *
 * nginx's side: configuration of the module and its locations, and the
 * functions that the module table ties together.
 */


#ifndef _NGX_HTTP_STATUS_H_INCLUDED_
#define _NGX_HTTP_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_status_monitor.h"


typedef enum {
    NGX_HTTP_STATUS_NONE = 0,
    NGX_HTTP_STATUS_PAGE,
    NGX_HTTP_STATUS_JSON,
    NGX_HTTP_STATUS_CSV,
    NGX_HTTP_STATUS_METRICS,
    NGX_HTTP_STATUS_PUSH
} ngx_http_status_kind_e;


typedef struct {
    ngx_array_t              *monitors;  /* of ngx_status_monitor_t *; NULL
                                            without any */
    ngx_array_t              *locations; /* of ngx_http_status_loc_conf_t *
                                            that wait for their monitor */
    ngx_str_t                 state;     /* "status_state"; empty: not set, or
                                            the default not needed */
    ngx_uint_t                state_off;
    ngx_uint_t                state_default;     /* nobody said it */
    u_char                   *state_file;        /* where, for messages */
    ngx_uint_t                state_line;
} ngx_http_status_main_conf_t;


typedef struct {
    ngx_http_status_kind_e    kind;
    ngx_str_t                 name;      /* of the monitor */
    ngx_status_monitor_t     *monitor;
    ngx_uint_t                internal;  /* the internal view */
    ngx_uint_t                probe;     /* names of blackbox exporter */
    ngx_uint_t                unhealthy; /* HTTP status of a JSON answer while
                                            state is down or the checker is
                                            dead; 0: always 200 */
    ngx_http_core_loc_conf_t *core;      /* of the same location */
    u_char                   *file;      /* where it was configured, for */
    ngx_uint_t                line;      /* messages */
    void                     *cache;     /* cache.c: this process's */
} ngx_http_status_loc_conf_t;


typedef struct {
    ngx_str_t                 key;
    ngx_str_t                 value;
} ngx_http_status_header_t;


extern ngx_module_t  ngx_http_status_module;


/* conf*.c, which share conf.h */
extern ngx_command_t  ngx_http_status_commands[];
void *ngx_http_status_create_main_conf(ngx_conf_t *cf);
void *ngx_http_status_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_status_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
ngx_int_t ngx_http_status_preconfiguration(ngx_conf_t *cf);
ngx_int_t ngx_http_status_postconfiguration(ngx_conf_t *cf);

/*
 * conf_store.c.  make_state() runs in init_module: it makes the state
 * directory that is there by default, if it can, and says nothing when not.
 */
void ngx_http_status_make_state(ngx_cycle_t *cycle,
    ngx_http_status_main_conf_t *mcf);

/* handler.c */
ngx_int_t ngx_http_status_handler(ngx_http_request_t *r);

/* answer.c, for push.c too: a header from constant strings, and a body that
 * lives as long as the request */
ngx_table_elt_t *ngx_http_status_header(ngx_http_request_t *r,
    const ngx_http_status_header_t *header);
ngx_int_t ngx_http_status_send(ngx_http_request_t *r, const ngx_str_t *data);

/*
 * push.c.  push() takes a heartbeat.  mask() and log() take the token out of
 * what logs tell of the request: in the first phase that knows the location,
 * and before the access log.
 */
ngx_int_t ngx_http_status_push(ngx_http_request_t *r);
ngx_int_t ngx_http_status_push_mask(ngx_http_request_t *r);
ngx_int_t ngx_http_status_push_log(ngx_http_request_t *r);

/*
 * checker.c.  register() runs in init_module: it gives the master a path
 * whose manager is the checker, and never fails for anything that can be
 * lived without.
 */
ngx_int_t ngx_http_status_checker_register(ngx_cycle_t *cycle,
    ngx_array_t *monitors);


#endif /* _NGX_HTTP_STATUS_H_INCLUDED_ */
