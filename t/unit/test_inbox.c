
/*
 * Copyright (C) ngx_status_module authors
 *
 * The inbox in memory that processes share: what comes out is what went in,
 * in its order, whoever is killed meanwhile, and no place is lost for good.
 */

/* sources: ngx_status_module/ngx_status_inbox.c
            ngx_status_module/ngx_status_types.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "../../ngx_status_module/ngx_status_inbox.h"


#define WRITERS  4
#define KILLS    400


ngx_pool_t *ngx_create_pool(size_t size, ngx_log_t *log);
void ngx_destroy_pool(ngx_pool_t *pool);


/* What the file needs of nginx; the shared memory is ours. */

ngx_pid_t             ngx_pid;
ngx_uint_t            ngx_pagesize = 4096;
volatile ngx_time_t  *ngx_cached_time;

static ngx_time_t      test_time;
static ngx_pool_t     *test_pool;
static ngx_shm_zone_t  test_zone;
static ngx_uint_t      test_lost;        /* log lines that tell of one */
static ngx_uint_t      test_dropped;


ngx_shm_zone_t *
ngx_shared_memory_add(ngx_conf_t *cf, ngx_str_t *name, size_t size, void *tag)
{
    (void) cf;
    (void) tag;

    test_zone.shm.name = *name;
    test_zone.shm.size = size;
    test_zone.shm.addr = mmap(NULL, size, PROT_READ|PROT_WRITE,
                              MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    assert_true(test_zone.shm.addr != MAP_FAILED);

    return &test_zone;
}


void *
ngx_slab_alloc(ngx_slab_pool_t *pool, size_t size)
{
    assert_true(size + ngx_pagesize <= test_zone.shm.size);

    return (u_char *) pool + ngx_pagesize;
}


u_char * ngx_cdecl
ngx_sprintf(u_char *buf, const char *fmt, ...)
{
    return buf + strlen(fmt);
}


uint32_t
ngx_murmur_hash2(u_char *data, size_t len)
{
    uint32_t  hash;

    for (hash = 5381; len; len--) {
        hash = (hash ^ *data++) * 0x9e3779b1;
    }

    return hash ^ hash >> 15;
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    (void) log;
    (void) err;
    (void) fmt;

    if (level == NGX_LOG_ERR) {
        test_lost++;

    } else {
        test_dropped++;
    }
}


static ngx_status_inbox_t *
test_inbox(void)
{
    ngx_str_t            name = ngx_string("m");
    ngx_conf_t           cf;
    ngx_status_inbox_t  *inbox;

    ngx_cached_time = &test_time;
    test_time.sec = 1700000000;
    ngx_pid = getpid();
    test_lost = 0;
    test_dropped = 0;

    memset(&cf, 0, sizeof(cf));
    test_pool = ngx_create_pool(1024, NULL);
    cf.pool = test_pool;

    inbox = ngx_status_inbox_add(&cf, &name, NULL);
    assert_non_null(inbox);

    test_zone.data = inbox;
    assert_int_equal(test_zone.init(&test_zone, NULL), NGX_OK);

    return inbox;
}


static int
teardown(void **state)
{
    (void) state;

    munmap(test_zone.shm.addr, test_zone.shm.size);
    ngx_destroy_pool(test_pool);

    return 0;
}


static void
test_id(ngx_str_t *id, char *buf, ngx_uint_t n)
{
    id->data = (u_char *) buf;
    id->len = snprintf(buf, NGX_STATUS_ID, "check-%u", (unsigned) n);
}


/* Every part of a push says the same, so that a torn one shows. */

static void
test_fill(ngx_status_push_t *push, uint64_t n)
{
    memset(push, 0, sizeof(ngx_status_push_t));
    push->at = 1700000000000LL;
    push->rid = n;
    push->took = ~n;
    memset(push->message, 'a' + n % 26, NGX_STATUS_MESSAGE - 1);
}


static uint64_t
test_whole(const ngx_status_push_t *push)
{
    size_t  i;

    assert_true(push->took == ~push->rid);

    for (i = 0; i < NGX_STATUS_MESSAGE - 1; i++) {
        assert_int_equal(push->message[i], 'a' + push->rid % 26);
    }

    return push->rid;
}


static ngx_uint_t
test_known(void *data, const ngx_str_t *id)
{
    const ngx_str_t  *known = data;

    return known && known->len == id->len
           && memcmp(known->data, id->data, id->len) == 0;
}


static ngx_uint_t
test_get(ngx_status_inbox_t *inbox, const ngx_str_t *id,
    ngx_status_push_t *pushes)
{
    ngx_str_t            none = ngx_null_string;
    ngx_uint_t           n;
    ngx_status_place_t   places[NGX_STATUS_INBOX_DEPTH];

    n = ngx_status_inbox_get(inbox, id, &none, pushes, places);
    ngx_status_inbox_free(inbox, places, n);

    return n;
}


static void
test_order(void **state)
{
    char                 buf[2][NGX_STATUS_ID];
    ngx_str_t            a, b, none = ngx_null_string;
    ngx_uint_t           i, n;
    ngx_log_t            log;
    ngx_status_push_t    push, pushes[NGX_STATUS_INBOX_DEPTH];
    ngx_status_inbox_t  *inbox;
    ngx_status_place_t   places[NGX_STATUS_INBOX_DEPTH];

    (void) state;

    inbox = test_inbox();
    memset(&log, 0, sizeof(log));
    log.log_level = NGX_LOG_DEBUG;
    test_id(&a, buf[0], 1);
    test_id(&b, buf[1], 2);

    assert_false(ngx_status_inbox_waiting(inbox, &a));
    assert_false(ngx_status_inbox_waiting(inbox, &none));
    assert_int_equal(ngx_status_inbox_news(inbox), 0);
    assert_true(ngx_status_inbox_since(inbox) == 1700000000000LL);

    /* a flood of one is in the way of none but itself */

    for (i = 0; i < NGX_STATUS_INBOX_DEPTH; i++) {
        test_fill(&push, i);
        assert_int_equal(ngx_status_inbox_put(inbox, &a, &push), NGX_OK);
    }

    assert_int_equal(ngx_status_inbox_put(inbox, &a, &push), NGX_BUSY);
    test_fill(&push, 100);
    assert_int_equal(ngx_status_inbox_put(inbox, &b, &push), NGX_OK);
    assert_int_equal(ngx_status_inbox_news(inbox), NGX_STATUS_INBOX_DEPTH + 1);

    /* what is not given back comes again */

    for (n = NGX_STATUS_INBOX_DEPTH; n; n -= NGX_STATUS_INBOX_DEPTH / 4) {
        assert_true(ngx_status_inbox_waiting(inbox, &a));
        assert_int_equal(ngx_status_inbox_get(inbox, &a, &none, pushes,
                                              places),
                         n);

        for (i = 0; i < n; i++) {
            assert_true(test_whole(&pushes[i])
                        == NGX_STATUS_INBOX_DEPTH - n + i);
        }

        ngx_status_inbox_free(inbox, places, NGX_STATUS_INBOX_DEPTH / 4);
    }

    assert_false(ngx_status_inbox_waiting(inbox, &a));

    /* the ID of before, sent before and after */

    test_fill(&push, 101);
    assert_int_equal(ngx_status_inbox_put(inbox, &a, &push), NGX_OK);
    test_fill(&push, 102);
    assert_int_equal(ngx_status_inbox_put(inbox, &b, &push), NGX_OK);

    n = ngx_status_inbox_get(inbox, &a, &b, pushes, places);
    assert_int_equal(n, 3);

    for (i = 0; i < 3; i++) {
        assert_true(test_whole(&pushes[i]) == 100 + i);
    }

    /* given back once, and not when it is another by now */

    ngx_status_inbox_free(inbox, places, 3);
    test_fill(&push, 103);
    assert_int_equal(ngx_status_inbox_put(inbox, &a, &push), NGX_OK);
    ngx_status_inbox_free(inbox, places, 3);
    assert_true(ngx_status_inbox_waiting(inbox, &a));

    /* a check that is no more, after a while */

    ngx_status_inbox_sweep(inbox, test_known, &b, &log);
    assert_true(ngx_status_inbox_waiting(inbox, &a));
    test_time.sec += NGX_STATUS_INBOX_OLD / 1000;
    ngx_status_inbox_sweep(inbox, test_known, &a, &log);
    assert_true(ngx_status_inbox_waiting(inbox, &a));
    ngx_status_inbox_sweep(inbox, test_known, &b, &log);
    assert_false(ngx_status_inbox_waiting(inbox, &a));
    assert_int_equal(test_dropped, 1);
}


/* Puts without end, a few IDs, numbers that grow. */

static pid_t
test_writer(ngx_status_inbox_t *inbox, ngx_uint_t w)
{
    char               buf[NGX_STATUS_ID];
    pid_t              pid;
    ngx_str_t          id;
    uint64_t           n;
    ngx_status_push_t  push;

    pid = fork();
    assert_true(pid != -1);

    if (pid) {
        return pid;
    }

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ngx_pid = getpid();

    for (n = 1; /* void */ ; n++) {
        test_fill(&push, n);
        test_id(&id, buf, w);

        while (ngx_status_inbox_put(inbox, &id, &push) != NGX_OK) {
            sched_yield();
        }
    }
}


static void
test_kill(void **state)
{
    char                 buf[NGX_STATUS_ID];
    pid_t                pids[WRITERS];
    ngx_str_t            id;
    uint64_t             n, last[WRITERS], total;
    ngx_uint_t           i, k, w, kills;
    ngx_log_t            log;
    ngx_status_push_t    pushes[NGX_STATUS_INBOX_DEPTH], push;
    ngx_status_inbox_t  *inbox;

    (void) state;

    inbox = test_inbox();
    memset(&log, 0, sizeof(log));
    log.log_level = NGX_LOG_DEBUG;
    total = 0;
    srand(1);

    for (w = 0; w < WRITERS; w++) {
        pids[w] = test_writer(inbox, w);
        last[w] = 0;
    }

    for (kills = 0; kills < KILLS; /* void */) {

        for (w = 0; w < WRITERS; w++) {
            test_id(&id, buf, w);
            k = test_get(inbox, &id, pushes);
            total += k;

            for (i = 0; i < k; i++) {
                n = test_whole(&pushes[i]);

                /* one after the other, none left out */
                assert_true(n == last[w] + 1);
                last[w] = n;
            }
        }

        if (rand() % 10) {
            sched_yield();
            continue;
        }

        w = rand() % WRITERS;
        test_id(&id, buf, w);

        kill(pids[w], SIGKILL);
        assert_int_equal(waitpid(pids[w], NULL, 0), pids[w]);
        kills++;

        for (k = test_get(inbox, &id, pushes), i = 0; i < k; i++) {
            assert_true(test_whole(&pushes[i]) == last[w] + 1 + i);
        }

        ngx_status_inbox_sweep(inbox, test_known, NULL, &log);

        pids[w] = test_writer(inbox, w);
        last[w] = 0;
    }

    for (w = 0; w < WRITERS; w++) {
        kill(pids[w], SIGKILL);
        assert_int_equal(waitpid(pids[w], NULL, 0), pids[w]);
        test_id(&id, buf, w);
        (void) test_get(inbox, &id, pushes);
    }

    /* all places of all of them are free again */

    ngx_status_inbox_sweep(inbox, test_known, NULL, &log);

    for (w = 0; w < WRITERS; w++) {
        test_id(&id, buf, w);

        for (i = 0; i < NGX_STATUS_INBOX_DEPTH; i++) {
            test_fill(&push, i);
            assert_int_equal(ngx_status_inbox_put(inbox, &id, &push), NGX_OK);
        }

        assert_int_equal(test_get(inbox, &id, pushes),
                         NGX_STATUS_INBOX_DEPTH);
    }

    print_message("# %llu heartbeats, %d writers killed, %d of them inside\n",
                  (unsigned long long) total, KILLS, (int) test_lost);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_teardown(test_order, teardown),
        cmocka_unit_test_teardown(test_kill, teardown),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
