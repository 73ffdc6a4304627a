
/*
 * Copyright (C) ngx_status_module authors
 *
 * memory://: what is available of this machine's memory, or its container's.
 */


#include "ngx_status_machine.h"
#include <math.h>


static ngx_int_t ngx_status_memory_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static void ngx_status_memory_ask(ngx_status_machine_t *a);


/* Of the container that this is, if it is one; versions 2 and 1. */

#define NGX_STATUS_MEMORY_GROUP  "/sys/fs/cgroup/"

static const struct {
    const char  *limit, *used, *stat, *cached;
} ngx_status_memory_groups[] = {
    { NGX_STATUS_MEMORY_GROUP "memory.max",
      NGX_STATUS_MEMORY_GROUP "memory.current",
      NGX_STATUS_MEMORY_GROUP "memory.stat", "inactive_file " },
    { NGX_STATUS_MEMORY_GROUP "memory/memory.limit_in_bytes",
      NGX_STATUS_MEMORY_GROUP "memory/memory.usage_in_bytes",
      NGX_STATUS_MEMORY_GROUP "memory/memory.stat", "total_inactive_file " },
    { NULL, NULL, NULL, NULL }
};


static const ngx_str_t  ngx_status_memory_schemes[] =
    { ngx_string("memory"), ngx_null_string };

static const in_port_t  ngx_status_memory_ports[] = { 0 };


const ngx_status_check_type_t  ngx_status_check_memory = {
    .name = ngx_string("memory"),
    .schemes = ngx_status_memory_schemes,
    .ports = ngx_status_memory_ports,
    .subjects = ngx_status_subject_bit(NGX_STATUS_S_FREE),
    .conf = ngx_status_memory_conf,
    .start = ngx_status_machine_start,
    .stop = ngx_status_machine_stop
};


static ngx_int_t
ngx_status_memory_conf(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    return ngx_status_machine_conf(pool, check, ngx_status_memory_ask, 0, err,
                                   errlen);
}


/* What new programs can have; in a container, of what it may have. */

static void
ngx_status_memory_ask(ngx_status_machine_t *a)
{
    char        whole[16], left[16];
    double      total, available, limit, used;
    ngx_uint_t  i;

    total = ngx_status_machine_kernel("/proc/meminfo", "MemTotal:") * 1024;
    available = ngx_status_machine_kernel("/proc/meminfo", "MemAvailable:")
                * 1024;

    for (i = 0; ngx_status_memory_groups[i].limit; i++) {
        limit = ngx_status_machine_kernel(ngx_status_memory_groups[i].limit,
                                          "");
        used = ngx_status_machine_kernel(ngx_status_memory_groups[i].used, "");

        if (limit <= 0 || limit >= total || used < 0) {
            continue;
        }

        /* of the page cache, what goes when something else needs the room */

        used -= ngx_max(ngx_status_machine_kernel(
                            ngx_status_memory_groups[i].stat,
                            ngx_status_memory_groups[i].cached), 0);
        total = limit;
        available = ngx_min(available, ngx_max(limit - used, 0));
    }

    if (total <= 0 || available < 0) {
        ngx_status_ev_fault(&a->ev, "/proc/meminfo does not tell the "
                            "available memory");
        return;
    }

    ngx_status_machine_number(&a->ev, NGX_STATUS_S_FREE, available,
                          available / total);

    snprintf(a->seen, sizeof(a->seen), "%.0f%% of %s available (%s)",
             floor(100 * available / total),
             ngx_status_words_bytes(total, whole, sizeof(whole)),
             ngx_status_words_bytes(available, left, sizeof(left)));
}
