
/*
 * Copyright (C) ngx_status_module authors
 *
 * disk:///path: room on the file system of a path.
 */


#include "ngx_status_machine.h"
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <sys/statvfs.h>


static ngx_int_t ngx_status_disk_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static void ngx_status_disk_ask(ngx_status_machine_t *a);
static ngx_int_t ngx_status_disk_mounted(const char *path);


static const ngx_str_t  ngx_status_disk_schemes[] =
    { ngx_string("disk"), ngx_null_string };

static const in_port_t  ngx_status_disk_ports[] = { 0 };

static const ngx_status_option_t  ngx_status_disk_options[] = {
    { ngx_string("mounted"), NGX_STATUS_OPTION_FLAG, NULL, 0, 0 },
    NGX_STATUS_OPTION_END
};


const ngx_status_check_type_t  ngx_status_check_disk = {
    .name = ngx_string("disk"),
    .schemes = ngx_status_disk_schemes,
    .ports = ngx_status_disk_ports,
    .subjects = ngx_status_subject_bit(NGX_STATUS_S_FREE)
                |ngx_status_subject_bit(NGX_STATUS_S_INODES)
                |ngx_status_subject_bit(NGX_STATUS_S_LATENCY),
    .options = ngx_status_disk_options,
    .conf = ngx_status_disk_conf,
    .start = ngx_status_machine_start,
    .stop = ngx_status_machine_stop
};


static ngx_int_t
ngx_status_disk_conf(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    ngx_status_machine_conf_t   *conf;
    const ngx_status_setting_t  *mounted;

    if (ngx_status_machine_conf(pool, check, ngx_status_disk_ask, 1, err,
                                errlen)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    conf = check->conf;
    mounted = ngx_status_setting(check, "mounted");
    conf->mounted = mounted ? mounted->number : 0;

    return NGX_OK;
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

    if (a->conf->mounted && ngx_status_disk_mounted(a->conf->path) != NGX_OK) {
        ngx_status_ev_fails(&a->ev, NGX_STATUS_E_VALUE,
                            "nothing is mounted at \"%.150s\"",
                            a->conf->path);
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


/* Without the kernel's word for it (Linux 5.8) it is another device than that
 * of the directory around it. */

static ngx_int_t
ngx_status_disk_mounted(const char *path)
{
    int          fd, rc;
    struct stat  here, above;

#ifdef STATX_ATTR_MOUNT_ROOT

    struct statx  sx;

    if (statx(AT_FDCWD, path, 0, STATX_TYPE, &sx) == 0
        && (sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
    {
        return sx.stx_attributes & STATX_ATTR_MOUNT_ROOT ? NGX_OK
                                                         : NGX_DECLINED;
    }

#endif

    fd = open(path, O_PATH|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        return NGX_DECLINED;
    }

    rc = fstat(fd, &here) == 0 && fstatat(fd, "..", &above, 0) == 0
         && (here.st_dev != above.st_dev || here.st_ino == above.st_ino);

    (void) close(fd);

    return rc ? NGX_OK : NGX_DECLINED;
}
