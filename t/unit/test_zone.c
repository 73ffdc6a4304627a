
/*
 * Copyright (C) ngx_status_module authors
 *
 * Records in memory that processes share: a reader never gets half of one,
 * whoever is killed while it writes, and whoever takes over from whom.
 */

/* sources: ngx_status_module/ngx_status_zone.c
            ngx_status_module/ngx_status_history.c
            ngx_status_module/ngx_status_rings.c
            ngx_status_module/ngx_status_histogram.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "../../ngx_status_module/ngx_status_zone_slot.h"


#define CHECKS  5
#define SLOTS   7
#define KILLS   60
#define WORDS   (sizeof(ngx_status_record_t) / sizeof(uint64_t))


/* What the file needs of nginx; the shared memory is ours. */

ngx_pid_t             ngx_pid;
volatile ngx_msec_t   ngx_current_msec;
volatile ngx_time_t  *ngx_cached_time;

static ngx_time_t     test_time;
static ngx_str_t      test_none = ngx_null_string;
static ngx_str_t      test_ids[CHECKS] = {
    ngx_string("a"), ngx_string("b"), ngx_string("c"), ngx_string("d"),
    ngx_string("e")
};
static const ngx_str_t  *test_is[CHECKS], *test_was[CHECKS];
static ngx_status_zone_t  test_zone;
static size_t             test_size;


uint32_t
ngx_murmur_hash2(u_char *data, size_t len)
{
    uint32_t  hash;

    for (hash = 5381; len; len--) {
        hash = (hash ^ *data++) * 0x9e3779b1;
    }

    return hash ^ hash >> 15;
}


static int
setup(void **state)
{
    ngx_uint_t                  i;
    ngx_status_zone_header_t   *h;
    ngx_status_history_conf_t   history = { 240, 48, 1, 0 };

    (void) state;

    test_size = NGX_STATUS_ZONE_HEADER
                + SLOTS * ngx_align(sizeof(ngx_status_slot_t)
                                    + ngx_status_history_size(&history), 128);

    h = mmap(NULL, test_size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
             -1, 0);
    assert_true(h != MAP_FAILED);

    h->slot_size = (test_size - NGX_STATUS_ZONE_HEADER) / SLOTS;
    h->nslots = SLOTS;
    h->history = history;

    for (i = 0; i < CHECKS; i++) {
        test_is[i] = &test_ids[i];
        test_was[i] = &test_none;
    }

    ngx_cached_time = &test_time;

    memset(&test_zone, 0, sizeof(test_zone));
    test_zone.header = h;
    test_zone.history = history;
    test_zone.ids = test_is;
    test_zone.was = test_was;
    test_zone.nchecks = CHECKS;

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    munmap(test_zone.header, test_size);

    return 0;
}


/*
 * A record of number n of a check consists of nothing but that, and so do the
 * first bytes of its rings.  Returns n.
 */

static uint64_t
test_whole(const ngx_status_record_t *record, ngx_uint_t check)
{
    ngx_uint_t       i;
    const uint64_t  *word;

    word = (const uint64_t *) record;

    for (i = 1; i < WORDS; i++) {
        if (word[i] != word[0]) {
            return 0;
        }
    }

    return word[0] % 16 == check ? word[0] : 0;
}


/* Writes until it is killed, or another one has taken over. */

static void
test_write(unsigned seed)
{
    uint64_t              *word, n;
    ngx_uint_t             i, k;
    ngx_status_slot_t     *slot;
    ngx_status_record_t   *record;

    ngx_pid = getpid();
    (void) ngx_status_zone_own(&test_zone);

    for ( ;; ) {

        if (!ngx_status_zone_owned(&test_zone)) {
            _exit(0);
        }

        k = rand_r(&seed) % CHECKS;

        slot = ngx_status_zone_claim(&test_zone, &test_ids[k]);
        if (slot == NULL) {
            _exit(2);
        }

        record = ngx_status_zone_begin(&test_zone, slot);
        word = (uint64_t *) record;

        if (word[0] && !test_whole(record, k)) {
            /* half of it is of a successor that came just now, or wrong */
            _exit(ngx_status_zone_owned(&test_zone) ? 3 : 0);
        }

        n = word[0] ? word[0] + 16 : 16 + k;

        for (i = 0; i < WORDS; i++) {
            word[i] = n;
        }

        word = ngx_status_zone_rings(slot);
        word[0] = n;

        ngx_status_zone_commit(&test_zone, slot);
    }
}


static pid_t
test_fork(unsigned seed)
{
    pid_t  pid;

    pid = fork();
    assert_true(pid != -1);

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        test_write(seed);
    }

    return pid;
}


static void
test_end(pid_t pid, int status)
{
    int  is;

    assert_int_equal(waitpid(pid, &is, 0), pid);
    assert_int_equal(WIFSIGNALED(is) ? -WTERMSIG(is) : WEXITSTATUS(is),
                     status);
}


/* Reads one that is there, and keeps an eye on what was read before. */

static ngx_uint_t
test_read(ngx_uint_t k, uint64_t *last, ngx_uint_t all)
{
    u_char              *rings;
    uint64_t             n;
    ngx_int_t            rc;
    ngx_status_slot_t   *slot;
    ngx_status_record_t  record;

    slot = ngx_status_zone_find(&test_zone, &test_ids[k], NULL);
    if (slot == NULL) {
        return 0;
    }

    if (all) {
        rings = malloc(ngx_status_history_size(&test_zone.header->history));
        assert_non_null(rings);

        rc = ngx_status_zone_read_all(&test_zone, slot, &test_ids[k], &record,
                                      rings);
        memcpy(&n, rings, sizeof(n));
        free(rings);

    } else {
        rc = ngx_status_zone_read(slot, &test_ids[k], &record);
    }

    if (rc == NGX_AGAIN || *(uint64_t *) &record == 0) {
        return 0;
    }

    assert_int_equal(rc, NGX_OK);
    assert_true(test_whole(&record, k) != 0);
    assert_true(*(uint64_t *) &record >= last[k]);

    if (all) {
        /* of one that died before its commit */
        assert_true(n == *(uint64_t *) &record
                    || n == *(uint64_t *) &record + 16);
    }

    n = *(uint64_t *) &record != last[k];
    last[k] = *(uint64_t *) &record;

    return n;
}


/* No seat has two holders. */

static void
test_seats(void)
{
    ngx_uint_t                 i, k;
    ngx_status_seat_t         *seats[SLOTS + 1];
    ngx_status_zone_header_t  *h;

    h = test_zone.header;

    for (i = 0; i < SLOTS; i++) {
        seats[i] = ngx_status_zone_seat(ngx_status_zone_slot(h, i));
    }

    seats[SLOTS] = (ngx_status_seat_t *)
                   ((u_char *) h + h->hands[h->epoch % NGX_STATUS_ZONE_SPARE]);

    for (i = 0; i <= SLOTS; i++) {
        for (k = 0; k < i; k++) {
            assert_ptr_not_equal(seats[i], seats[k]);
        }
    }
}


static void
test_killed(void **state)
{
    pid_t       pid;
    uint64_t    last[CHECKS];
    unsigned    seed;
    ngx_uint_t  i, n, reads;

    (void) state;

    memset(last, 0, sizeof(last));
    seed = 1;

    for (i = 0; i < KILLS; i++) {
        pid = test_fork(i);

        reads = rand_r(&seed) % 1000;

        for (n = 0; n == 0 || reads; reads -= (reads != 0)) {
            n += test_read(rand_r(&seed) % CHECKS, last, reads % 8 == 0);
        }

        kill(pid, SIGKILL);
        test_end(pid, -SIGKILL);

        for (n = 0; n < CHECKS; n++) {
            (void) test_read(n, last, 1);
        }
    }

    /* the next one puts right what they left, and has a seat of its own */

    ngx_pid = getpid();
    (void) ngx_status_zone_own(&test_zone);
    test_seats();
}


/* As on reloads: the old one notices at its next write. */

static void
test_replaced(void **state)
{
    pid_t              pid, old;
    uint64_t           last[CHECKS];
    unsigned           seed;
    ngx_uint_t         i, n, epoch;

    (void) state;

    seed = 1;
    old = 0;

    for (i = 0; i < KILLS; i++) {
        epoch = test_zone.header->epoch;
        pid = test_fork(i);

        while (test_zone.header->epoch == epoch) {
            ngx_cpu_pause();
        }

        if (old) {
            test_end(old, 0);
        }

        /* what the old one had begun may be the last */

        memset(last, 0, sizeof(last));
        n = 0;

        while (n < 5) {
            n += test_read(rand_r(&seed) % CHECKS, last, 0);
        }

        old = pid;
    }

    (void) ngx_status_zone_own(&test_zone);
    test_end(old, 0);
    test_seats();
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replaced, setup, teardown)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
