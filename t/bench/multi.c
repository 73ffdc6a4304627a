
/*
 * Copyright (C) ngx_status_module authors
 *
 * The rival of the checker: nothing but libcurl's multi interface on epoll.
 * Fetches a URL for ever, "in flight" at a time, or "rate" times a second
 * until it is killed.  Those of a second begin at random times, the same in
 * each second, as the checker's do: who begins at even distances never has
 * two things to do when it wakes up.
 *
 *   multi URL in_flight rate(0: as fast as it goes) keepalive(0, 1) [ca]
 *
 * As in the checker a handle serves one target after another, so what a
 * check is made of is set anew each time.  What it prints at SIGTERM:
 * answers of 200, and all others.
 */

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>


static CURLM             *multi;
static int                ep;
static double             timer;         /* when libcurl is due; 0: never */
static CURL             **idle;
static int                nidle, in_flight;
static int                keepalive;
static const char        *url, *ca;
static unsigned long      good, bad;
static volatile sig_atomic_t  quit;


static double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static void
on_signal(int signo)
{
    (void) signo;
    quit = 1;
}


static size_t
on_body(char *data, size_t size, size_t n, void *ctx)
{
    (void) data;
    (void) ctx;
    return size * n;
}


static int
on_timer(CURLM *m, long ms, void *ctx)
{
    (void) m;
    (void) ctx;
    timer = ms < 0 ? 0 : now() + ms / 1000.0;
    return 0;
}


static int
on_socket(CURL *easy, curl_socket_t s, int what, void *ctx, void *known)
{
    struct epoll_event  ee;

    (void) easy;
    (void) ctx;

    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(ep, EPOLL_CTL_DEL, s, NULL);
        return 0;
    }

    memset(&ee, 0, sizeof(ee));
    ee.events = (what & CURL_POLL_IN ? EPOLLIN : 0)
                | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    ee.data.fd = s;
    epoll_ctl(ep, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s, &ee);
    curl_multi_assign(multi, s, &multi);
    return 0;
}


static void
start(void)
{
    CURL  *easy;

    easy = nidle ? idle[--nidle] : curl_easy_init();
    curl_easy_reset(easy);

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 10000L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);

    if (!keepalive) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    }

    if (ca) {
        /* with a CAPATH it would read all the system's store each time */
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    }

    curl_multi_add_handle(multi, easy);
    in_flight++;
}


static void
finished(void)
{
    int       left;
    long      status;
    CURL     *easy;
    double    total;
    CURLMsg  *msg;

    while ((msg = curl_multi_info_read(multi, &left))) {
        easy = msg->easy_handle;
        status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME, &total);

        if (msg->data.result == CURLE_OK && status == 200) {
            good++;
        } else {
            bad++;
        }

        curl_multi_remove_handle(multi, easy);
        idle[nidle++] = easy;
        in_flight--;
    }
}


static int
by_number(const void *one, const void *two)
{
    double  a, b;

    a = *(double *) one;
    b = *(double *) two;

    return a < b ? -1 : a > b;
}


int
main(int argc, char **argv)
{
    int                 i, k, n, running, flags, most, rate;
    double              t, wait, due, begin, *phases;
    struct epoll_event  events[64];

    if (argc < 5) {
        fprintf(stderr, "usage: multi URL in_flight rate keepalive [ca]\n");
        return 2;
    }

    url = argv[1];
    most = atoi(argv[2]);
    rate = atoi(argv[3]);
    keepalive = atoi(argv[4]);
    ca = argc > 5 ? argv[5] : NULL;

    signal(SIGTERM, on_signal);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    idle = calloc(most, sizeof(CURL *));
    ep = epoll_create1(EPOLL_CLOEXEC);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 16384L);

    phases = calloc(rate + 1, sizeof(double));
    srandom(1);
    for (k = 0; k < rate; k++) {
        phases[k] = random() / (RAND_MAX + 1.0);
    }
    qsort(phases, rate, sizeof(double), by_number);

    begin = now();
    k = 0;
    due = begin + phases[0];

    while (!quit) {
        t = now();

        while (in_flight < most && (rate == 0 || due <= t)) {
            start();

            if (rate && ++k == rate) {
                k = 0;
                begin += 1;
            }
            due = begin + phases[k];
        }

        wait = 1;
        if (timer && timer - t < wait) {
            wait = timer - t;
        }
        if (rate && in_flight < most && due - t < wait) {
            wait = due - t;
        }

        /* as nginx: in whole milliseconds, not too early */
        n = epoll_wait(ep, events, 64,
                       wait <= 0 ? 0 : (int) (wait * 1000) + 1);

        for (i = 0; i < n; i++) {
            flags = (events[i].events & (EPOLLIN|EPOLLHUP)
                     ? CURL_CSELECT_IN : 0)
                    | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
                    | (events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(multi, events[i].data.fd, flags,
                                     &running);
        }

        if (timer && timer <= now()) {
            timer = 0;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }

        finished();
    }

    printf("%lu %lu\n", good, bad);
    return 0;
}
