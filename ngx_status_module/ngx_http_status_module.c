
/*
 * Copyright (C) ngx_status_module authors
 *
 * The module as nginx sees it; what its tables name lives elsewhere.
 */


#include "ngx_http_status.h"


static ngx_int_t ngx_http_status_init_module(ngx_cycle_t *cycle);


static ngx_http_module_t  ngx_http_status_module_ctx = {
    ngx_http_status_preconfiguration,      /* preconfiguration */
    ngx_http_status_postconfiguration,     /* postconfiguration */

    ngx_http_status_create_main_conf,      /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_status_create_loc_conf,       /* create location configuration */
    ngx_http_status_merge_loc_conf         /* merge location configuration */
};


ngx_module_t  ngx_http_status_module = {
    NGX_MODULE_V1,
    &ngx_http_status_module_ctx,           /* module context */
    ngx_http_status_commands,              /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_status_init_module,           /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_status_init_module(ngx_cycle_t *cycle)
{
    ngx_http_status_main_conf_t  *smcf;

    /* there may be no http block, or none any more after a reload */

    smcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_status_module);

    if (smcf == NULL || smcf->monitors == NULL || smcf->monitors->nelts == 0) {
        return NGX_OK;
    }

    if (!ngx_test_config) {
        ngx_http_status_make_state(cycle, smcf);
    }

    return ngx_http_status_checker_register(cycle, smcf->monitors);
}
