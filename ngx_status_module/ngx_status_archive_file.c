
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_archive_file.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>


#define NGX_STATUS_ARCHIVE_LOCK  ".lock"
#define NGX_STATUS_ARCHIVE_TAIL  4096    /* bytes looked at in one go */


static ngx_int_t ngx_status_archive_open_dir(ngx_status_archive_dir_t *d);
static ngx_int_t ngx_status_archive_open_day(ngx_status_archive_dir_t *d,
    int64_t day);
static int ngx_libc_cdecl ngx_status_archive_order(const void *one,
    const void *two);
static ngx_int_t ngx_status_archive_append(ngx_status_archive_dir_t *d,
    const ngx_status_archive_item_t *items, ngx_uint_t n);
static off_t ngx_status_archive_repair(int fd, off_t size);


void
ngx_status_archive_init(ngx_status_archive_dir_t *d)
{
    ngx_memzero(d, sizeof(ngx_status_archive_dir_t));

    d->fd = -1;
    d->lock = -1;
    d->day_fd = -1;
    d->row_day.number = -1;

    ngx_status_out_init(&d->out, 0);
}


ngx_int_t
ngx_status_archive_reserve(ngx_status_archive_list_t *list, ngx_uint_t n)
{
    ngx_uint_t                  size;
    ngx_status_archive_item_t  *items;

    if (n <= list->size - list->n) {
        return NGX_OK;
    }

    size = ngx_max(list->n + n, 2 * list->size);

    items = realloc(list->items, size * sizeof(ngx_status_archive_item_t));
    if (items == NULL) {
        return NGX_ERROR;
    }

    list->items = items;
    list->size = size;

    return NGX_OK;
}


void
ngx_status_archive_write(ngx_status_archive_dir_t *d)
{
    ngx_uint_t                  i, j, left;
    ngx_status_archive_item_t  *items;

    d->written = 0;
    d->lost = 0;
    d->failed.call = NULL;

    if (ngx_status_archive_open_dir(d) != NGX_OK) {
        return;
    }

    items = d->list.items;
    left = 0;

    if (d->list.n) {
        qsort(items, d->list.n, sizeof(ngx_status_archive_item_t),
              ngx_status_archive_order);
    }

    for (i = 0; i < d->list.n; i = j) {

        for (j = i + 1; j < d->list.n; j++) {
            if (items[j].check != items[i].check
                || items[j].begin != items[i].begin)
            {
                break;
            }
        }

        ngx_status_step(&d->steps);

        if (ngx_status_archive_append(d, &items[i], j - i) == NGX_OK) {
            d->written += j - i;
            continue;
        }

        ngx_memmove(&items[left], &items[i],
                    (j - i) * sizeof(ngx_status_archive_item_t));
        left += j - i;
    }

    d->list.n = left;

    /* a file that is in the way must not take the room of all others */

    if (d->written && left > NGX_STATUS_ARCHIVE_STUCK) {
        d->lost = left - NGX_STATUS_ARCHIVE_STUCK;
        d->list.n = NGX_STATUS_ARCHIVE_STUCK;
    }

    if (d->day_fd != -1) {
        close(d->day_fd);
        d->day_fd = -1;
    }

    ngx_status_out_free(&d->out);
}


static ngx_int_t
ngx_status_archive_open_dir(ngx_status_archive_dir_t *d)
{
    struct stat  sb;

    if (d->fd != -1) {

        if (stat(d->path, &sb) == 0 && sb.st_ino == d->ino
            && sb.st_dev == d->dev)
        {
            return NGX_OK;
        }

        /* removed, or another one is in its place */

        ngx_status_archive_close(d);
    }

    d->fd = open(d->path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (d->fd == -1 || fstat(d->fd, &sb) == -1) {
        ngx_status_archive_failed(d, &d->failed, "open()", "", "");
        ngx_status_archive_close(d);
        return NGX_ERROR;
    }

    d->ino = sb.st_ino;
    d->dev = sb.st_dev;

    d->lock = openat(d->fd, NGX_STATUS_ARCHIVE_LOCK,
                     O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0600);

    if (d->lock == -1) {
        ngx_status_archive_failed(d, &d->failed, "open()", "",
                                  NGX_STATUS_ARCHIVE_LOCK);
        ngx_status_archive_close(d);
        return NGX_ERROR;
    }

    if (flock(d->lock, LOCK_EX|LOCK_NB) == -1) {
        ngx_status_archive_failed(d, &d->failed, "flock()", "",
                                  NGX_STATUS_ARCHIVE_LOCK);
        ngx_status_archive_close(d);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_status_archive_close(ngx_status_archive_dir_t *d)
{
    if (d->lock != -1) {
        close(d->lock);
        d->lock = -1;
    }

    if (d->fd != -1) {
        close(d->fd);
        d->fd = -1;
    }
}


/* By file; within a file in the order in which results came. */

static int ngx_libc_cdecl
ngx_status_archive_order(const void *one, const void *two)
{
    const ngx_status_archive_item_t  *a = one, *b = two;

    if (a->begin != b->begin) {
        return a->begin < b->begin ? -1 : 1;
    }

    if (a->check != b->check) {
        return a->check < b->check ? -1 : 1;
    }

    return (int32_t) (a->number - b->number) < 0 ? -1 : 1;
}


static ngx_int_t
ngx_status_archive_append(ngx_status_archive_dir_t *d,
    const ngx_status_archive_item_t *items, ngx_uint_t n)
{
    int                        fd;
    char                       name[NGX_STATUS_ARCHIVE_NAME];
    off_t                      size;
    ssize_t                    done;
    unsigned                   minute;
    ngx_uint_t                 i;
    const char                *call;
    struct stat                sb;
    const ngx_status_check_t  *check;

    check = d->checks[items->check];

    if (ngx_status_archive_open_day(d, items->begin / 86400) != NGX_OK) {
        return NGX_ERROR;
    }

    minute = items->begin % 86400 / 60;

    snprintf(name, sizeof(name), "%.*s.%02u%02u.csv", (int) check->id.len,
             (char *) check->id.data, minute / 60, minute % 60);

    /* a pipe of that name must not hold us up */

    fd = openat(d->day_fd, name, O_RDWR|O_APPEND|O_CREAT|O_NOFOLLOW
                |O_NONBLOCK|O_CLOEXEC, 0644);
    call = "open()";

    if (fd == -1) {
        goto failed;
    }

    call = "fstat()";

    if (fstat(fd, &sb) == -1) {
        goto failed;
    }

    if (!S_ISREG(sb.st_mode)) {
        errno = EEXIST;
        goto failed;
    }

    call = "repairing";
    size = ngx_status_archive_repair(fd, sb.st_size);

    if (size == -1) {
        goto failed;
    }

    ngx_status_out_free(&d->out);

    if (size == 0) {
        ngx_status_out_lit(&d->out, NGX_STATUS_ROW_HEAD);
    }

    for (i = 0; i < n; i++) {
        ngx_status_row_result(&d->out, &d->row_day, &check->group, &check->id,
                              &items[i].result);
    }

    call = "write()";

    if (d->out.failed) {
        errno = ENOMEM;
        goto failed;
    }

    done = write(fd, d->out.data, d->out.len);

    if (done != (ssize_t) d->out.len) {

        /* what there was room for, and no whole rows */

        if (done != -1 && ftruncate(fd, size) == 0) {
            errno = ENOSPC;
        }

        goto failed;
    }

    close(fd);

    return NGX_OK;

failed:

    ngx_status_archive_failed(d, &d->failed, call, d->date, name);

    if (fd != -1) {
        close(fd);
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_status_archive_open_day(ngx_status_archive_dir_t *d, int64_t day)
{
    int  flags;

    if (d->day_fd != -1) {

        if (d->day == day) {
            return NGX_OK;
        }

        close(d->day_fd);
    }

    d->day = day;
    ngx_status_archive_date(day, d->date);

    flags = O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC;
    d->day_fd = openat(d->fd, d->date, flags);

    if (d->day_fd == -1 && errno == ENOENT) {

        if (mkdirat(d->fd, d->date, 0755) == -1) {
            ngx_status_archive_failed(d, &d->failed, "mkdir()", d->date, "");
            return NGX_ERROR;
        }

        d->day_fd = openat(d->fd, d->date, flags);
    }

    if (d->day_fd == -1) {
        ngx_status_archive_failed(d, &d->failed, "open()", d->date, "");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * A row that lacks its end is a row that lacks values: it is of no use to
 * anybody who reads it, and the next one must not become part of it.  After
 * a power cut it may be a row of zeros, as long as a batch.  Returns the
 * size of the file, -1 when it failed.
 */

static off_t
ngx_status_archive_repair(int fd, off_t size)
{
    char      buf[NGX_STATUS_ARCHIVE_TAIL], last;
    off_t     end;
    size_t    len;
    ssize_t   n;

    if (size == 0) {
        return 0;
    }

    if (pread(fd, &last, 1, size - 1) != 1) {
        return -1;
    }

    if (last == '\n') {
        return size;
    }

    if (last == '\r') {
        return write(fd, "\n", 1) == 1 ? size + 1 : -1;
    }

    for (end = size; end > 0; end -= len) {

        len = ngx_min(end, (off_t) sizeof(buf));
        n = pread(fd, buf, len, end - len);

        if (n != (ssize_t) len) {
            return -1;
        }

        while (n > 0 && buf[n - 1] != '\n') {
            n--;
        }

        if (n) {
            end = end - len + n;
            break;
        }
    }

    return ftruncate(fd, end) == 0 ? end : -1;
}


void
ngx_status_archive_date(int64_t day, char name[NGX_STATUS_ARCHIVE_DAY])
{
    time_t     t;
    struct tm  tm;

    t = (time_t) (day * 86400);

    if (gmtime_r(&t, &tm) == NULL
        || strftime(name, NGX_STATUS_ARCHIVE_DAY, "%Y-%m-%d", &tm) == 0)
    {
        name[0] = '\0';
    }
}


void
ngx_status_archive_failed(const ngx_status_archive_dir_t *d,
    ngx_status_archive_error_t *e, const char *call, const char *day,
    const char *name)
{
    if (e->call) {
        return;
    }

    e->call = call;
    e->err = errno;
    snprintf(e->path, sizeof(e->path), "%s%s%s%s%s", d->path,
             day[0] ? "/" : "", day, name[0] ? "/" : "", name);
}
