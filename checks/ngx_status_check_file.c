
/*
 * Copyright (C) ngx_status_module authors
 *
 * file:///path: age, size and content of a file; age of a directory.
 */


#include "ngx_status_machine.h"
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>


static ngx_int_t ngx_status_file_conf(ngx_pool_t *pool,
    ngx_status_check_t *check, char *err, size_t errlen);
static void ngx_status_file_ask(ngx_status_machine_t *a);
static void ngx_status_file_read(ngx_status_machine_t *a, int fd);


static const ngx_str_t  ngx_status_file_schemes[] =
    { ngx_string("file"), ngx_null_string };

static const in_port_t  ngx_status_file_ports[] = { 0 };


const ngx_status_check_type_t  ngx_status_check_file = {
    .name = ngx_string("file"),
    .schemes = ngx_status_file_schemes,
    .ports = ngx_status_file_ports,
    .subjects = ngx_status_subject_bit(NGX_STATUS_S_AGE)
                |ngx_status_subject_bit(NGX_STATUS_S_SIZE)
                |ngx_status_subject_bit(NGX_STATUS_S_BODY)
                |ngx_status_subject_bit(NGX_STATUS_S_LATENCY),
    .conf = ngx_status_file_conf,
    .start = ngx_status_machine_start,
    .stop = ngx_status_machine_stop
};


static ngx_int_t
ngx_status_file_conf(ngx_pool_t *pool, ngx_status_check_t *check, char *err,
    size_t errlen)
{
    ngx_uint_t              i;
    ngx_status_machine_conf_t  *conf;

    if (ngx_status_machine_conf(pool, check, ngx_status_file_ask, 1, err,
                                errlen)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    conf = check->conf;

    for (i = 0; i < check->nconds; i++) {
        if (check->conds[i].subject == NGX_STATUS_S_BODY) {
            conf->body = check->max_body;
        }
    }

    return NGX_OK;
}


static void
ngx_status_file_ask(ngx_status_machine_t *a)
{
    int              fd;
    char             text[16], old[32];
    double           age;
    struct stat      st;
    struct timespec  now;

    if (stat(a->conf->path, &st) == -1) {
        ngx_status_machine_failed(&a->ev, a->conf->path, errno);
        return;
    }

    clock_gettime(CLOCK_REALTIME, &now);
    age = (now.tv_sec - st.st_mtim.tv_sec)
          + (now.tv_nsec - st.st_mtim.tv_nsec) / 1e9;

    ngx_status_machine_number(&a->ev, NGX_STATUS_S_AGE, ngx_max(age, 0), 0);

    /* seconds are enough */

    ngx_status_words_duration(fabs(trunc(age)), old, sizeof(old));
    snprintf(a->seen, sizeof(a->seen), "%s, %s %s",
             ngx_status_words_bytes(st.st_size, text, sizeof(text)), old,
             age < -1 ? "in the future" : "old");

    if (!S_ISREG(st.st_mode)) {
        /* a directory has an age, but neither size nor content */
        return;
    }

    a->size = st.st_size;
    ngx_status_machine_number(&a->ev, NGX_STATUS_S_SIZE, st.st_size, 0);

    if (a->conf->body == 0) {
        return;
    }

    fd = open(a->conf->path, O_RDONLY|O_NONBLOCK|O_CLOEXEC);

    if (fd == -1) {
        ngx_status_machine_failed(&a->ev, a->conf->path, errno);
        return;
    }

    ngx_status_file_read(a, fd);

    (void) close(fd);
}


static void
ngx_status_file_read(ngx_status_machine_t *a, int fd)
{
    size_t   len, size;
    ssize_t  n;

    /* it may grow, or be longer than what it says */

    size = ngx_min(a->conf->body, (size_t) a->size + 1);
    a->body = malloc(size);

    if (a->body == NULL) {
        ngx_status_ev_fault(&a->ev, "no memory");
        return;
    }

    for (len = 0; len < size; len += n) {
        n = read(fd, a->body + len, size - len);

        if (n == -1 && errno == EINTR) {
            n = 0;
            continue;
        }

        if (n == -1) {
            ngx_status_machine_failed(&a->ev, a->conf->path, errno);
            return;
        }

        if (n == 0) {
            break;
        }
    }

    a->ev.have |= ngx_status_subject_bit(NGX_STATUS_S_BODY);
    a->ev.body.data = a->body;
    a->ev.body.len = len;
    a->ev.body_cut = (uint64_t) len < a->size;
    a->ev.size_known = 1;
}
