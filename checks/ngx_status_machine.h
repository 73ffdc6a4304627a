
/*
 * Copyright (C) ngx_status_module authors
 *
 * Probes of this machine that ask the system something in a thread, because
 * a file system may keep who asks it waiting for ever.  One of a check at a
 * time: while that is stuck, the check's probes say so and begin no other.
 * A type of this kind is the function that asks.
 */


#ifndef _NGX_STATUS_MACHINE_H_INCLUDED_
#define _NGX_STATUS_MACHINE_H_INCLUDED_


#include "ngx_status_probe.h"
#include "../ngx_status_module/ngx_status_loop.h"


typedef struct ngx_status_machine_s  ngx_status_machine_t;

/* Made by machine_conf() in check->conf. */

typedef struct {
    void                     (*ask)(ngx_status_machine_t *a);
    char                      *path;     /* decoded; empty without one */
    size_t                     body;     /* bytes of content to judge; 0 */
    ngx_uint_t                 average;  /* of the load: 0, 1, 2 */
    ngx_uint_t                 mounted;  /* the path has to be */
    ngx_status_machine_t          *asking;   /* the checker's: in its thread */
    ngx_msec_t                 since;
} ngx_status_machine_conf_t;


/* One question.  The thread fills ev, seen and size; it touches nothing of
 * the probe. */

struct ngx_status_machine_s {
    ngx_status_work_t          work;     /* first */
    ngx_status_machine_conf_t     *conf;
    ngx_status_probe_t        *probe;    /* NULL: nobody waits any more */
    ngx_event_t                timer;
    int64_t                    began;    /* us */
    ngx_status_evidence_t      ev;
    uint64_t                   size;
    char                       seen[NGX_STATUS_SEEN];
    u_char                    *body;     /* from malloc(), freed with it */
};


/* For conf(): the rest of the URL is a path ("disk:///path") or nothing. */
ngx_int_t ngx_status_machine_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    void (*ask)(ngx_status_machine_t *a), ngx_uint_t path, char *err,
    size_t errlen);

void ngx_status_machine_start(ngx_status_probe_t *probe);
void ngx_status_machine_stop(ngx_status_probe_t *probe);


/* For the functions that ask, in their thread. */

void ngx_status_machine_number(ngx_status_evidence_t *ev,
    ngx_status_subject_e subject, double number, double share);

/* What is not there is down; what we may not see is unknown. */
void ngx_status_machine_failed(ngx_status_evidence_t *ev, const char *path,
    int error);

/* The number behind a name in a file of the kernel's; -1: there is none.
 * The first one of the file where the name is empty. */
double ngx_status_machine_kernel(const char *path, const char *name);


#endif /* _NGX_STATUS_MACHINE_H_INCLUDED_ */
