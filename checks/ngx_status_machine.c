
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_machine.h"
#include <fcntl.h>


#define NGX_STATUS_MACHINE_TEXT  4096    /* bytes of a file of the kernel's */


static void ngx_status_machine_run(ngx_status_work_t *w);
static void ngx_status_machine_done(ngx_status_work_t *w);
static void ngx_status_machine_expired(ngx_event_t *ev);
static void ngx_status_machine_release(void *ctx);


static ngx_connection_t  ngx_status_machine_connection;    /* for log lines */


ngx_int_t
ngx_status_machine_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    void (*ask)(ngx_status_machine_t *a), ngx_uint_t path, char *err,
    size_t errlen)
{
    ngx_str_t               decoded;
    ngx_status_machine_conf_t  *conf;

    if (check->host.len || check->args.len || check->user.data
        || (path ? check->path.len < 1 : check->path.len > 1))
    {
        snprintf(err, errlen, "\"%s\" is about this machine, expected %s:%s",
                 (char *) check->scheme.data, (char *) check->scheme.data,
                 path ? "///path" : "//");
        return NGX_ERROR;
    }

    switch (ngx_status_url_decode(pool, &decoded, check->path.data,
                                  check->path.data + check->path.len))
    {
    case NGX_OK:
        break;

    case NGX_DECLINED:
        snprintf(err, errlen, "the path has a \"%%\" without two "
                 "hexadecimal digits, or %%00");
        return NGX_ERROR;

    default:
        goto nomem;
    }

    conf = ngx_pcalloc(pool, sizeof(ngx_status_machine_conf_t));
    if (conf == NULL) {
        goto nomem;
    }

    conf->ask = ask;
    conf->path = (char *) decoded.data;
    check->conf = conf;

    return NGX_OK;

nomem:

    snprintf(err, errlen, "no memory");
    return NGX_ERROR;
}


void
ngx_status_machine_start(ngx_status_probe_t *probe)
{
    ngx_status_machine_t       *a;
    ngx_status_evidence_t   ev;
    ngx_status_machine_conf_t  *conf;

    conf = probe->check->conf;

    if (conf->asking) {
        ngx_memzero(&ev, sizeof(ngx_status_evidence_t));
        ev.timed_out = 1;
        ngx_status_message(ev.message, "there has been no answer for %lu s",
                           (unsigned long)
                           ((ngx_current_msec - conf->since) / 1000));
        ngx_status_probe_end(probe, &ev, ngx_status_machine_release);
        return;
    }

    a = calloc(1, sizeof(ngx_status_machine_t));
    probe->ctx = a;

    if (a == NULL) {
        ngx_status_probe_fault(probe, "no memory");
        probe->done(probe);
        return;
    }

    a->conf = conf;
    a->probe = probe;
    a->began = ngx_status_probe_clock();
    a->work.run = ngx_status_machine_run;
    a->work.done = ngx_status_machine_done;

    if (ngx_status_loop_work(&a->work) != NGX_OK) {
        ngx_status_machine_release(a);
        ngx_status_probe_fault(probe, "no thread could be started");
        probe->done(probe);
        return;
    }

    conf->asking = a;
    conf->since = ngx_current_msec;

    ngx_status_machine_connection.fd = (ngx_socket_t) -1;

    a->timer.data = &ngx_status_machine_connection;
    a->timer.handler = ngx_status_machine_expired;
    a->timer.log = probe->log;
    a->timer.cancelable = 1;

    ngx_add_timer(&a->timer, probe->check->timeout);
}


void
ngx_status_machine_stop(ngx_status_probe_t *probe)
{
    ngx_status_machine_release(probe->ctx);
    probe->ctx = NULL;
}


/* In a thread. */

static void
ngx_status_machine_run(ngx_status_work_t *w)
{
    ngx_status_machine_t  *a;

    a = (ngx_status_machine_t *) w;
    a->conf->ask(a);
}


static void
ngx_status_machine_done(ngx_status_work_t *w)
{
    ngx_status_machine_t    *a;
    ngx_status_probe_t  *probe;

    a = (ngx_status_machine_t *) w;
    probe = a->probe;

    a->conf->asking = NULL;

    if (probe == NULL) {
        ngx_status_machine_release(a);
        return;
    }

    if (probe->check->type->subjects
        & ngx_status_subject_bit(NGX_STATUS_S_LATENCY))
    {
        /* of the others it would say nothing */
        probe->result.latency = (uint32_t) (ngx_status_probe_clock()
                                            - a->began);
        probe->result.phases[NGX_STATUS_PHASE_WAIT] = probe->result.latency;
    }

    probe->result.size = a->size;
    ngx_memcpy(probe->result.seen, a->seen, NGX_STATUS_SEEN);

    ngx_status_probe_end(probe, &a->ev, ngx_status_machine_release);
}


static void
ngx_status_machine_expired(ngx_event_t *ev)
{
    ngx_status_machine_t       *a;
    ngx_status_probe_t     *probe;
    ngx_status_evidence_t   evidence;

    a = (ngx_status_machine_t *) ((char *) ev - offsetof(ngx_status_machine_t,
                                                         timer));
    probe = a->probe;

    ngx_memzero(&evidence, sizeof(ngx_status_evidence_t));
    ngx_status_probe_timeout(probe->started, probe->check->timeout,
                             NGX_STATUS_PHASE_WAIT, &evidence);

    probe->result.latency = (uint32_t) (ngx_status_probe_clock() - a->began);

    ngx_status_probe_end(probe, &evidence, ngx_status_machine_release);
}


static void
ngx_status_machine_release(void *ctx)
{
    ngx_status_machine_t  *a = ctx;

    if (a == NULL) {
        return;
    }

    if (a->timer.timer_set) {
        ngx_del_timer(&a->timer);
    }

    if (a->conf->asking == a) {
        /* the thread's; its done() comes back */
        a->probe = NULL;
        return;
    }

    free(a->body);
    free(a);
}


void
ngx_status_machine_number(ngx_status_evidence_t *ev,
    ngx_status_subject_e subject, double number, double share)
{
    ev->have |= ngx_status_subject_bit(subject);
    ev->number[subject] = number;
    ev->share[subject] = share;
}


void
ngx_status_machine_failed(ngx_status_evidence_t *ev, const char *path,
    int error)
{
    u_char  text[128], *last;

    last = ngx_strerror(error, text, sizeof(text) - 1);
    *last = '\0';

    if (error == ENOENT || error == ENOTDIR) {
        ngx_status_ev_fails(ev, NGX_STATUS_E_VALUE, "there is no \"%.150s\"",
                            path);

    } else if (error == EIO || error == ESTALE || error == ENOTCONN) {
        ngx_status_ev_fails(ev, NGX_STATUS_E_VALUE, "\"%.100s\": %s", path,
                            text);

    } else {
        ngx_status_ev_fault(ev, "\"%.100s\" can not be looked at: %s", path,
                            text);
    }
}


double
ngx_status_machine_kernel(const char *path, const char *name)
{
    int          fd;
    char         text[NGX_STATUS_MACHINE_TEXT];
    ssize_t      n;
    const char  *p;

    fd = open(path, O_RDONLY|O_CLOEXEC);
    if (fd == -1) {
        return -1;
    }

    n = read(fd, text, sizeof(text) - 1);
    (void) close(fd);

    text[ngx_max(n, 0)] = '\0';

    for (p = text; *p; p += strcspn(p, "\n"), p += (*p == '\n')) {

        if (strncmp(p, name, strlen(name)) == 0) {
            p += strlen(name);
            p += strspn(p, " \t");
            return *p >= '0' && *p <= '9' ? strtod(p, NULL) : -1;
        }
    }

    return -1;
}
