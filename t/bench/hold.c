
/*
 * Copyright (C) ngx_status_module authors
 *
 * For LD_PRELOAD into nginx: how long its loop was away from the one
 * epoll_wait() that may sleep.  Each time it was away for longer than ever
 * before, $BENCH_HOLD.PID says for how many us, of CPU time and by the
 * clock.  The start of the process does not count.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>


static long
now(clockid_t id)
{
    struct timespec  ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


int
epoll_wait(int ep, struct epoll_event *events, int n, int timeout)
{
    static int  (*real)(int, struct epoll_event *, int, int);
    static int    loop = -1, rounds;
    static long   cpu, wall, most_cpu, most_wall;

    int           rc;
    char          name[512];
    long          c, w;
    FILE         *f;

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "epoll_wait");
    }

    /* the checker's own epoll is polled, never waited for */
    if (ep != loop && timeout == 0) {
        return real(ep, events, n, timeout);
    }

    c = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
    w = now(CLOCK_MONOTONIC) - wall;

    if (ep == loop && ++rounds > 10 && (c > most_cpu || w > most_wall)) {
        most_cpu = c > most_cpu ? c : most_cpu;
        most_wall = w > most_wall ? w : most_wall;

        if (getenv("BENCH_HOLD")) {
            snprintf(name, sizeof(name), "%s.%d", getenv("BENCH_HOLD"),
                     (int) getpid());
            f = fopen(name, "w");
            if (f) {
                fprintf(f, "%ld %ld\n", most_cpu, most_wall);
                fclose(f);
            }
        }
    }

    loop = ep;
    rc = real(ep, events, n, timeout);

    cpu = now(CLOCK_THREAD_CPUTIME_ID);
    wall = now(CLOCK_MONOTONIC);
    return rc;
}
