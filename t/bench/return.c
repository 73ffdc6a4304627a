
/*
 * Copyright (C) ngx_status_module authors
 *
 * "bench_return FILE TYPE;" is nginx's "return 200 TEXT;" with the text taken
 * from a file when the configuration is read: a literal may have 4096 bytes
 * at most.  The answer is sent by the function that "return" sends it with,
 * as the constant that a literal without variables is.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef struct {
    ngx_str_t                 type;
    ngx_http_complex_value_t  text;
} bench_conf_t;


static void *bench_create_conf(ngx_conf_t *cf);
static char *bench_return(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


static ngx_command_t  bench_commands[] = {

    { ngx_string("bench_return"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      bench_return,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  bench_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */
    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */
    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */
    bench_create_conf,                     /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  bench_return_module = {
    NGX_MODULE_V1,
    &bench_ctx,                            /* module context */
    bench_commands,                        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* what nginx's configure writes for a dynamic module */
ngx_module_t  *ngx_modules[] = { &bench_return_module, NULL };
char  *ngx_module_names[] = { "bench_return_module", NULL };
char  *ngx_module_order[] = { NULL };


static ngx_int_t
bench_handler(ngx_http_request_t *r)
{
    ngx_int_t      rc;
    bench_conf_t  *bcf;

    bcf = ngx_http_get_module_loc_conf(r, bench_return_module);

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_send_response(r, NGX_HTTP_OK, &bcf->type, &bcf->text);
}


static void *
bench_create_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(bench_conf_t));
}


static char *
bench_return(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    bench_conf_t *bcf = conf;

    ssize_t                    n;
    ngx_str_t                 *value;
    ngx_file_t                 file;
    ngx_file_info_t            fi;
    ngx_http_core_loc_conf_t  *clcf;

    (void) cmd;

    value = cf->args->elts;
    bcf->type = value[2];

    ngx_memzero(&file, sizeof(ngx_file_t));
    file.name = value[1];
    file.log = cf->log;
    file.fd = ngx_open_file(value[1].data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE
        || ngx_fd_info(file.fd, &fi) == NGX_FILE_ERROR)
    {
        return "can not open its file";
    }

    bcf->text.value.len = ngx_file_size(&fi);
    bcf->text.value.data = ngx_pnalloc(cf->pool, bcf->text.value.len);
    if (bcf->text.value.data == NULL) {
        return NGX_CONF_ERROR;
    }

    n = ngx_read_file(&file, bcf->text.value.data, bcf->text.value.len, 0);
    (void) ngx_close_file(file.fd);

    if (n != (ssize_t) bcf->text.value.len) {
        return "can not read its file";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = bench_handler;

    return NGX_CONF_OK;
}
