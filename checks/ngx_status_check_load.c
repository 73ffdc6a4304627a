
/*
 * Copyright (C) ngx_status_module authors
 *
 * load://: the load average of this machine, per CPU.
 */


#include "ngx_status_machine.h"
#include <math.h>


static ngx_int_t ngx_status_load_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static void ngx_status_load_ask(ngx_status_machine_t *a);


static const ngx_str_t  ngx_status_load_schemes[] =
    { ngx_string("load"), ngx_null_string };

static const in_port_t  ngx_status_load_ports[] = { 0 };

static const ngx_status_option_t  ngx_status_load_options[] = {
    { ngx_string("average"), NGX_STATUS_OPTION_WORD, "1m 5m 15m", 0, 0 },
    NGX_STATUS_OPTION_END
};


const ngx_status_check_type_t  ngx_status_check_load = {
    .name = ngx_string("load"),
    .schemes = ngx_status_load_schemes,
    .ports = ngx_status_load_ports,
    .subjects = ngx_status_subject_bit(NGX_STATUS_S_LOAD),
    .options = ngx_status_load_options,
    .conf = ngx_status_load_conf,
    .start = ngx_status_machine_start,
    .stop = ngx_status_machine_stop
};


static ngx_int_t
ngx_status_load_conf(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    ngx_status_machine_conf_t       *conf;
    const ngx_status_setting_t  *average;

    if (ngx_status_machine_conf(pool, check, ngx_status_load_ask, 0, err,
                                errlen)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    conf = check->conf;
    average = ngx_status_setting(check, "average");
    conf->average = average ? average->number : 0;

    return NGX_OK;
}


static void
ngx_status_load_ask(ngx_status_machine_t *a)
{
    double                  averages[3], load;
    ngx_status_machine_conf_t  *conf;

    conf = a->conf;

    if (getloadavg(averages, 3) != 3) {
        ngx_status_ev_fault(&a->ev, "the load is not known");
        return;
    }

    /* the kernel's own steps are of 1/2048: more digits tell nothing */

    load = averages[conf->average] / ngx_max(ngx_ncpu, 1);
    load = round(load * 100) / 100;

    ngx_status_machine_number(&a->ev, NGX_STATUS_S_LOAD, load, 0);

    snprintf(a->seen, sizeof(a->seen), "%.2f on %d CPU%s: %.2f each",
             averages[conf->average], (int) ngx_ncpu,
             ngx_ncpu == 1 ? "" : "s", load);
}
