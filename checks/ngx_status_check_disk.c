
/*
 * Copyright (C) ngx_status_module authors
 *
 * disk:///path: room on the file system of a path.
 */


#include "ngx_status_machine.h"
#include <math.h>
#include <sys/statvfs.h>


static ngx_int_t ngx_status_disk_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static void ngx_status_disk_ask(ngx_status_machine_t *a);


static const ngx_str_t  ngx_status_disk_schemes[] =
    { ngx_string("disk"), ngx_null_string };

static const in_port_t  ngx_status_disk_ports[] = { 0 };


const ngx_status_check_type_t  ngx_status_check_disk = {
    .name = ngx_string("disk"),
    .schemes = ngx_status_disk_schemes,
    .ports = ngx_status_disk_ports,
    .subjects = ngx_status_subject_bit(NGX_STATUS_S_FREE)
                |ngx_status_subject_bit(NGX_STATUS_S_INODES)
                |ngx_status_subject_bit(NGX_STATUS_S_LATENCY),
    .conf = ngx_status_disk_conf,
    .start = ngx_status_machine_start,
    .stop = ngx_status_machine_stop
};


static ngx_int_t
ngx_status_disk_conf(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    return ngx_status_machine_conf(pool, check, ngx_status_disk_ask, 1, err,
                                   errlen);
}


/* As df(1): what is kept for root is neither free nor part of the whole. */

static void
ngx_status_disk_ask(ngx_status_machine_t *a)
{
    char            text[16], whole[16];
    double          unit, bytes, total, inodes;
    struct statvfs  fs;

    if (statvfs(a->conf->path, &fs) == -1) {
        ngx_status_machine_failed(&a->ev, a->conf->path, errno);
        return;
    }

    unit = fs.f_frsize;
    bytes = unit * fs.f_bavail;
    total = unit * (fs.f_blocks - fs.f_bfree + fs.f_bavail);
    inodes = (double) (fs.f_files - fs.f_ffree) + fs.f_favail;

    if (total == 0) {
        ngx_status_ev_fails(&a->ev, NGX_STATUS_E_VALUE,
                            "\"%.150s\" is on no file system with room",
                            a->conf->path);
        return;
    }

    ngx_status_machine_number(&a->ev, NGX_STATUS_S_FREE, bytes, bytes / total);

    if (fs.f_files) {
        /* some file systems do not count them: nothing to say then */
        ngx_status_machine_number(&a->ev, NGX_STATUS_S_INODES, fs.f_favail,
                              fs.f_favail / inodes);
    }

    snprintf(a->seen, sizeof(a->seen), "%.0f%% of %s free (%s)",
             floor(100 * bytes / total),
             ngx_status_words_bytes(total, whole, sizeof(whole)),
             ngx_status_words_bytes(bytes, text, sizeof(text)));
}
