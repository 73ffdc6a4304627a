
/*
 * Copyright (C) ngx_status_module authors
 *
 * The archive's files, at any time and after any accident: what is written
 * where, what is repaired, what stays when it fails, what is deleted.
 */

/* sources: ngx_status_module/ngx_status_archive_file.c
   ngx_status_module/ngx_status_archive_prune.c
   ngx_status_module/ngx_status_row.c ngx_status_module/ngx_status_out.c
   ngx_status_module/ngx_status_types.c */


#include <ngx_config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../../ngx_status_module/ngx_status_archive_file.h"


#define HEAD   NGX_STATUS_ROW_HEAD
#define NINE   1795251600                /* 2026-11-21T09:00:00Z */
#define DAY    "2026-11-21"


static char                       test_dir[256];
static ngx_status_archive_dir_t   test_archive;
static uint32_t                   test_number;

static ngx_status_check_t         test_www = {
    .id = ngx_string("www"), .group = ngx_string("Say \"hi\", you")
};
static ngx_status_check_t         test_dash = {
    .id = ngx_string("-a.0900")
};
static ngx_status_check_t        *test_checks[] = { &test_www, &test_dash };


static int
test_remove(const char *path, const struct stat *sb, int type, struct FTW *f)
{
    (void) sb;
    (void) type;
    (void) f;

    return remove(path);
}


static int
test_begin(void **state)
{
    (void) state;

    snprintf(test_dir, sizeof(test_dir), "%s/ngx_status \xc3\xbc.XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");

    if (mkdtemp(test_dir) == NULL) {
        return -1;
    }

    ngx_status_archive_init(&test_archive);
    test_archive.path = test_dir;
    test_archive.keep = 30 * 86400;
    test_archive.checks = test_checks;

    return 0;
}


static int
test_end(void **state)
{
    (void) state;

    ngx_status_archive_close(&test_archive);
    free(test_archive.list.items);

    return nftw(test_dir, test_remove, 16, FTW_DEPTH|FTW_PHYS);
}


static const char *
test_path(const char *name)
{
    static char  path[2][512];
    static int   i;

    i = !i;
    snprintf(path[i], sizeof(path[i]), "%s/%s", test_dir, name);

    return path[i];
}


static size_t
test_read(const char *name, char *buf, size_t size)
{
    int      fd;
    ssize_t  n;

    fd = open(test_path(name), O_RDONLY);
    if (fd == -1) {
        return (size_t) -1;
    }

    n = read(fd, buf, size);
    close(fd);

    assert_true(n >= 0 && (size_t) n < size);
    buf[n] = '\0';

    return n;
}


static void
test_make(const char *name, const char *text, size_t len)
{
    int  fd;

    fd = open(test_path(name), O_WRONLY|O_CREAT|O_TRUNC, 0644);
    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}


static void
test_holds(const char *name, const char *text)
{
    char  buf[65536];

    if (text == NULL) {
        assert_int_equal(access(test_path(name), F_OK), -1);
        return;
    }

    assert_int_not_equal(test_read(name, buf, sizeof(buf)), (size_t) -1);
    assert_string_equal(buf, text);
}


/* A result at so many seconds after nine. */

static void
test_put(uint32_t check, int64_t at, uint32_t us, uint16_t code,
    uint8_t state, uint8_t error, int64_t rotate)
{
    ngx_status_archive_item_t  *item;

    assert_int_equal(ngx_status_archive_reserve(&test_archive.list, 1),
                     NGX_OK);

    item = &test_archive.list.items[test_archive.list.n++];
    item->result.at = (NINE + at) * 1000 + 999;
    item->result.latency = us;
    item->result.http_status = code;
    item->result.state = state;
    item->result.error = error;
    item->begin = (NINE + at) / rotate * rotate;
    item->check = check;
    item->number = test_number++;
}


static void
test_up(uint32_t check, int64_t at)
{
    test_put(check, at, 41700, 200, NGX_STATUS_UP, NGX_STATUS_E_NONE, 3600);
}


static void
test_rows(void **state)
{
    (void) state;

    /* the order wraps */
    test_number = NGX_MAX_UINT32_VALUE - 2;

    test_up(0, 0);
    test_put(1, 3599, 12412, 503, NGX_STATUS_DOWN, NGX_STATUS_E_STATUS, 3600);
    test_put(0, 3599, 7, 0, NGX_STATUS_UNKNOWN, NGX_STATUS_E_INTERNAL, 3600);
    test_up(0, 3600);
    test_up(1, 54000);
    /* the clock went back */
    test_put(0, 1, 10000001, 0, NGX_STATUS_TIMEOUT, NGX_STATUS_E_TIMEOUT,
             3600);
    test_up(0, -32401);

    ngx_status_archive_write(&test_archive);

    assert_null(test_archive.failed.call);
    assert_int_equal(test_archive.written, 7);
    assert_int_equal(test_archive.list.n, 0);
    assert_int_equal(test_archive.day_fd, -1);

    test_holds(DAY "/www.0900.csv", HEAD
        "2026-11-21T09:00:00Z,\"Say \"\"hi\"\", you\",www,up,200,41.700,\r\n"
        "2026-11-21T09:59:59Z,\"Say \"\"hi\"\", you\",www,unknown,,,internal"
        "\r\n"
        "2026-11-21T09:00:01Z,\"Say \"\"hi\"\", you\",www,timeout,,10000.001,"
        "timeout\r\n");
    test_holds(DAY "/www.1000.csv", HEAD
        "2026-11-21T10:00:00Z,\"Say \"\"hi\"\", you\",www,up,200,41.700,\r\n");
    test_holds("2026-11-20/www.2300.csv", HEAD
        "2026-11-20T23:59:59Z,\"Say \"\"hi\"\", you\",www,up,200,41.700,\r\n");
    test_holds(DAY "/-a.0900.0900.csv", HEAD
        "2026-11-21T09:59:59Z,,-a.0900,down,503,12.412,status\r\n");
    test_holds("2026-11-22/-a.0900.0000.csv", HEAD
        "2026-11-22T00:00:00Z,,-a.0900,up,200,41.700,\r\n");

    /* appended, and no second header */
    test_up(1, 3599);
    ngx_status_archive_write(&test_archive);
    test_holds(DAY "/-a.0900.0900.csv", HEAD
        "2026-11-21T09:59:59Z,,-a.0900,down,503,12.412,status\r\n"
        "2026-11-21T09:59:59Z,,-a.0900,up,200,41.700,\r\n");

    /* other lengths */
    test_put(1, 61, 1, 200, NGX_STATUS_UP, NGX_STATUS_E_NONE, 60);
    test_put(1, 61, 1, 200, NGX_STATUS_UP, NGX_STATUS_E_NONE, 86400);
    ngx_status_archive_write(&test_archive);
    test_holds(DAY "/-a.0900.0901.csv", HEAD
        "2026-11-21T09:01:01Z,,-a.0900,up,200,0.001,\r\n");
    test_holds(DAY "/-a.0900.0000.csv", HEAD
        "2026-11-21T09:01:01Z,,-a.0900,up,200,0.001,\r\n");
}


/* Cut at each byte, and with zeros behind it. */

static void
test_torn(void **state)
{
    char    whole[4096], want[32768], cut[16384];
    char   *p;
    size_t  len, n, zeros;

    static const char  row[] = "2026-11-21T09:00:02Z,,-a.0900,up,200,41.700,"
                               "\r\n";

    (void) state;

    test_up(1, 0);
    test_put(1, 1, 12412, 503, NGX_STATUS_DOWN, NGX_STATUS_E_STATUS, 3600);
    ngx_status_archive_write(&test_archive);

    len = test_read(DAY "/-a.0900.0900.csv", whole, sizeof(whole));
    assert_int_not_equal(len, (size_t) -1);

    for (n = 0; n <= len; n++) {
        for (zeros = 0; zeros <= 12288; zeros = zeros ? zeros * 3 : 4096) {

            memcpy(cut, whole, n);
            memset(cut + n, 0, zeros);
            test_make(DAY "/-a.0900.0900.csv", cut, n + zeros);

            cut[n] = '\0';

            if (n && cut[n - 1] == '\r' && zeros == 0) {
                strcat(cut, "\n");
            }

            p = strrchr(cut, '\n');
            p = p ? p + 1 : cut;
            *p = '\0';

            snprintf(want, sizeof(want), "%s%s%s", cut[0] ? "" : HEAD, cut,
                     row);

            test_up(1, 2);
            ngx_status_archive_write(&test_archive);

            assert_null(test_archive.failed.call);
            test_holds(DAY "/-a.0900.0900.csv", want);
        }
    }
}


/* What is no file that we can write does not keep others from it. */

static void
test_in_the_way(void **state)
{
    ngx_uint_t  i;
    struct stat sb;

    (void) state;

    test_up(0, 0);
    ngx_status_archive_write(&test_archive);

    for (i = 0; i < 4; i++) {

        switch (i) {
        case 0:
            assert_int_equal(mkdir(test_path(DAY "/-a.0900.0900.csv"), 0755),
                             0);
            break;
        case 1:
            assert_int_equal(mkfifo(test_path(DAY "/-a.0900.0900.csv"), 0644),
                             0);
            break;
        case 2:
            assert_int_equal(symlink("www.0900.csv",
                                     test_path(DAY "/-a.0900.0900.csv")), 0);
            break;
        default:
            assert_int_equal(symlink("..", test_path("2026-11-22")), 0);
        }

        test_up(1, i == 3 ? 54000 : 0);
        test_up(1, i == 3 ? 54001 : 1);
        test_up(0, 3600 * (i + 1));
        ngx_status_archive_write(&test_archive);

        assert_non_null(test_archive.failed.call);
        assert_int_equal(test_archive.written, 1);
        assert_int_equal(test_archive.lost, 0);
        assert_int_equal(test_archive.list.n, 2);

        /* and then it is written, in order */
        assert_int_equal(remove(test_path(i == 3 ? "2026-11-22"
                                          : DAY "/-a.0900.0900.csv")), 0);
        test_up(1, i == 3 ? 54002 : 2);
        ngx_status_archive_write(&test_archive);
        assert_null(test_archive.failed.call);
        assert_int_equal(test_archive.list.n, 0);

        if (i < 3) {
            test_holds(DAY "/-a.0900.0900.csv", HEAD
                "2026-11-21T09:00:00Z,,-a.0900,up,200,41.700,\r\n"
                "2026-11-21T09:00:01Z,,-a.0900,up,200,41.700,\r\n"
                "2026-11-21T09:00:02Z,,-a.0900,up,200,41.700,\r\n");
            assert_int_equal(remove(test_path(DAY "/-a.0900.0900.csv")), 0);
        }
    }

    assert_int_equal(lstat(test_path("2026-11-22"), &sb), 0);
    assert_true(S_ISDIR(sb.st_mode));
    assert_int_equal(access(test_path("-a.0900.0000.csv"), F_OK), -1);

    /* there is a bound to what waits, and it is the newest that goes */

    assert_int_equal(mkdir(test_path(DAY "/-a.0900.0900.csv"), 0755), 0);

    for (i = 0; i < NGX_STATUS_ARCHIVE_STUCK + 5; i++) {
        test_up(1, i % 3600);
        test_archive.list.items[i].begin = NINE;
    }

    test_up(0, 0);
    ngx_status_archive_write(&test_archive);
    assert_int_equal(test_archive.lost, 5);
    assert_int_equal(test_archive.list.n, NGX_STATUS_ARCHIVE_STUCK);
    assert_int_equal(test_archive.list.items[0].result.at, NINE * 1000L + 999);
}


/* Room for a part only: then for none of it. */

static void
test_full(void **state)
{
    char           before[4096];
    struct rlimit  limit, old;

    (void) state;

    signal(SIGXFSZ, SIG_IGN);

    test_up(1, 0);
    ngx_status_archive_write(&test_archive);
    assert_int_not_equal(test_read(DAY "/-a.0900.0900.csv", before,
                                   sizeof(before)), (size_t) -1);

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;

    for (limit.rlim_cur = strlen(before); limit.rlim_cur < 200;
         limit.rlim_cur += 7)
    {
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);

        if (test_archive.list.n == 0) {
            test_up(1, 1);
            test_up(1, 2);
            test_up(1, 3600);
        }

        ngx_status_archive_write(&test_archive);

        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);

        assert_string_equal(test_archive.failed.call, "write()");
        test_holds(DAY "/-a.0900.0900.csv", before);
    }

    ngx_status_archive_write(&test_archive);
    assert_null(test_archive.failed.call);
    assert_int_equal(test_archive.list.n, 0);
    strcat(before, "2026-11-21T09:00:01Z,,-a.0900,up,200,41.700,\r\n"
                   "2026-11-21T09:00:02Z,,-a.0900,up,200,41.700,\r\n");
    test_holds(DAY "/-a.0900.0900.csv", before);
    test_holds(DAY "/-a.0900.1000.csv", HEAD
               "2026-11-21T10:00:00Z,,-a.0900,up,200,41.700,\r\n");
}


/* One writer; and the directory that has the name now. */

static void
test_lock(void **state)
{
    char                      away[300];
    ngx_status_archive_dir_t  other;

    (void) state;

    test_up(0, 0);
    ngx_status_archive_write(&test_archive);

    ngx_status_archive_init(&other);
    other.path = test_dir;

    ngx_status_archive_write(&other);
    assert_string_equal(other.failed.call, "flock()");
    assert_int_equal(other.failed.err, EWOULDBLOCK);
    assert_int_equal(other.fd, -1);
    assert_int_equal(ngx_status_archive_prune(&other, NINE, 1000), 0);

    ngx_status_archive_close(&test_archive);
    ngx_status_archive_write(&other);
    assert_null(other.failed.call);
    ngx_status_archive_close(&other);

    ngx_status_archive_write(&test_archive);
    snprintf(away, sizeof(away), "%s.away", test_dir);
    assert_int_equal(rename(test_dir, away), 0);

    test_up(1, 0);
    ngx_status_archive_write(&test_archive);
    assert_string_equal(test_archive.failed.call, "open()");
    assert_int_equal(test_archive.failed.err, ENOENT);
    assert_string_equal(test_archive.failed.path, test_dir);
    assert_int_equal(test_archive.list.n, 1);

    assert_int_equal(mkdir(test_dir, 0755), 0);
    ngx_status_archive_write(&test_archive);
    assert_null(test_archive.failed.call);
    test_holds(DAY "/-a.0900.0900.csv", HEAD
               "2026-11-21T09:00:00Z,,-a.0900,up,200,41.700,\r\n");

    assert_int_equal(nftw(away, test_remove, 16, FTW_DEPTH|FTW_PHYS), 0);
}


static void
test_prune(void **state)
{
    char        name[128];
    ngx_uint_t  i, turns;

    static const char  *theirs[] = {
        "2026-10-20/notes.csv", "2026-10-20/www.csv", "2026-10-20/.0900.csv",
        "2026-10-20/www.2400.csv", "2026-10-20/www.0960.csv",
        "2026-10-20/www.0900.csv.gz", "2026-10-20/www.09:0.csv",
        "2026-10-20/www.0900.txt", "2026-10-20/w ww.0900.csv",
        "2026-10-20/.www.0900.csv", "2026-10-20/www.0900", "2026-10-20/0900",
        "2026-13-20/www.0900.csv", "2026-1-20/www.0900.csv",
        "2026-10-200/www.0900.csv", "x2026-10-20/www.0900.csv",
        "2026-10-00/www.0900.csv", "2026-10-2o/www.0900.csv",
        "www.0900.csv",
        /* ours, and not old enough */
        "2026-10-22/www.0900.csv", DAY "/www.0900.csv",
        "2027-01-01/www.0900.csv"
    };

    static const char  *ours[] = {
        "2026-10-20/www.0000.csv", "2026-10-20/www.2359.csv",
        "2026-10-20/a.1200.csv", "2026-10-20/-.b.1200.csv",
        "2026-10-21/www.0900.csv", "2000-01-01/www.0900.csv"
    };

    (void) state;

    ngx_status_archive_write(&test_archive);

    for (i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++) {
        strcpy(name, theirs[i]);
        if (strchr(name, '/')) {
            *strchr(name, '/') = '\0';
            (void) mkdir(test_path(name), 0755);
        }
        test_make(theirs[i], HEAD, sizeof(HEAD) - 1);
    }

    for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        strcpy(name, ours[i]);
        *strchr(name, '/') = '\0';
        (void) mkdir(test_path(name), 0755);
        /* some of them torn, or empty */
        test_make(ours[i], HEAD, (sizeof(HEAD) - 1) * (5 - i) / 5);
    }

    /* what has our name only */
    test_make("2026-10-20/theirs.0900.csv", "a,b\n", 4);
    test_make("2026-10-20/longer.0900.csv", "timestamp,mine\n", 15);
    assert_int_equal(mkdir(test_path("2026-10-20/dir.0900.csv"), 0755), 0);
    assert_int_equal(symlink("theirs.0900.csv",
                             test_path("2026-10-20/link.0900.csv")), 0);
    assert_int_equal(symlink("../2026-10-22/www.0900.csv",
                             test_path("2026-10-20/link2.0900.csv")), 0);
    assert_int_equal(mkfifo(test_path("2026-10-20/pipe.0900.csv"), 0644), 0);
    assert_int_equal(symlink(DAY, test_path("2026-09-01")), 0);
    test_make("2026-09-02", HEAD, sizeof(HEAD) - 1);

    /* a little at a time: 30 days before are those up to October 21st */

    for (turns = 1; ngx_status_archive_prune(&test_archive, NINE, 0);
         turns++)
    {
        assert_true(turns < 100);
    }

    assert_int_equal(turns, sizeof(ours) / sizeof(ours[0]) + 1);
    assert_null(test_archive.kept.call);

    for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        test_holds(ours[i], NULL);
    }

    test_holds("2026-10-21", NULL);
    test_holds("2000-01-01", NULL);

    for (i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++) {
        test_holds(theirs[i], HEAD);
    }

    test_holds("2026-10-20/theirs.0900.csv", "a,b\n");
    test_holds("2026-10-20/longer.0900.csv", "timestamp,mine\n");
    assert_int_equal(access(test_path("2026-10-20/dir.0900.csv"), F_OK), 0);
    assert_int_equal(access(test_path("2026-10-20/pipe.0900.csv"), F_OK), 0);
    test_holds("2026-10-20/link.0900.csv", "a,b\n");
    test_holds("2026-10-20/link2.0900.csv", HEAD);
    test_holds("2026-09-01/www.0900.csv", HEAD);
    test_holds("2026-09-02", HEAD);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_rows, test_begin, test_end),
        cmocka_unit_test_setup_teardown(test_torn, test_begin, test_end),
        cmocka_unit_test_setup_teardown(test_in_the_way, test_begin,
                                        test_end),
        cmocka_unit_test_setup_teardown(test_full, test_begin, test_end),
        cmocka_unit_test_setup_teardown(test_lock, test_begin, test_end),
        cmocka_unit_test_setup_teardown(test_prune, test_begin, test_end),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
