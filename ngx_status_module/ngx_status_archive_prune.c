
/*
 * Copyright (C) ngx_status_module authors
 *
 * What of an archive is deleted.  A name alone makes nothing ours, and a
 * link leads nowhere.
 */


#include "ngx_status_archive_file.h"
#include "ngx_status_clock.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>


static ngx_uint_t ngx_status_archive_prune_day(ngx_status_archive_dir_t *d,
    const char *name, ngx_msec_t end);
static ngx_uint_t ngx_status_archive_is_day(const char *name);
static ngx_uint_t ngx_status_archive_is_file(const char *name);
static ngx_uint_t ngx_status_archive_is_ours(int day_fd, const char *name);


ngx_uint_t
ngx_status_archive_prune(ngx_status_archive_dir_t *d, int64_t now,
    ngx_msec_t ms)
{
    int             fd;
    DIR            *dir;
    char            first[NGX_STATUS_ARCHIVE_DAY];
    ngx_uint_t      more;
    ngx_msec_t      end;
    struct dirent  *de;

    d->kept.call = NULL;

    if (d->fd == -1) {
        return 0;
    }

    ngx_status_archive_date((now - d->keep) / 86400, first);

    fd = openat(d->fd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    dir = fd == -1 ? NULL : fdopendir(fd);

    if (dir == NULL) {
        ngx_status_archive_failed(d, &d->kept, "opendir()", "", "");

        if (fd != -1) {
            close(fd);
        }

        return 0;
    }

    more = 0;
    end = ngx_status_clock() + ms;

    while (!more && (de = readdir(dir))) {
        if (ngx_status_archive_is_day(de->d_name)
            && strcmp(de->d_name, first) < 0)
        {
            more = ngx_status_archive_prune_day(d, de->d_name, end);
        }
    }

    closedir(dir);

    return more;
}


static ngx_uint_t
ngx_status_archive_prune_day(ngx_status_archive_dir_t *d, const char *name,
    ngx_msec_t end)
{
    int             fd;
    DIR            *dir;
    ngx_uint_t      more;
    struct dirent  *de;

    fd = openat(d->fd, name, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1 && (errno == ENOTDIR || errno == ELOOP)) {
        return 0;
    }

    dir = fd == -1 ? NULL : fdopendir(fd);

    if (dir == NULL) {
        ngx_status_archive_failed(d, &d->kept, "opendir()", name, "");

        if (fd != -1) {
            close(fd);
        }

        return 0;
    }

    more = 0;

    while (!more && (de = readdir(dir))) {

        if (!ngx_status_archive_is_file(de->d_name)
            || !ngx_status_archive_is_ours(fd, de->d_name))
        {
            continue;
        }

        ngx_status_step(&d->steps);

        if (unlinkat(fd, de->d_name, 0) == -1) {
            ngx_status_archive_failed(d, &d->kept, "unlink()", name,
                                      de->d_name);
            continue;
        }

        more = (ngx_msec_int_t) (ngx_status_clock() - end) >= 0;
    }

    closedir(dir);

    if (!more && unlinkat(d->fd, name, AT_REMOVEDIR) == -1
        && errno != ENOTEMPTY && errno != EEXIST)
    {
        ngx_status_archive_failed(d, &d->kept, "rmdir()", name, "");
    }

    return more;
}


static ngx_uint_t
ngx_status_archive_is_day(const char *name)
{
    unsigned    month, day;
    ngx_uint_t  i;

    for (i = 0; i < NGX_STATUS_ARCHIVE_DAY - 1; i++) {
        if ((i == 4 || i == 7) ? name[i] != '-'
                               : (name[i] < '0' || name[i] > '9'))
        {
            return 0;
        }
    }

    month = (name[5] - '0') * 10 + name[6] - '0';
    day = (name[8] - '0') * 10 + name[9] - '0';

    return name[i] == '\0' && month >= 1 && month <= 12
           && day >= 1 && day <= 31;
}


static ngx_uint_t
ngx_status_archive_is_file(const char *name)
{
    size_t       len, id;
    const char  *p;

    len = strlen(name);
    id = strspn(name, NGX_STATUS_ID_BYTES);

    if (id != len || len < sizeof("a.0900.csv") - 1
        || len >= NGX_STATUS_ARCHIVE_NAME || name[0] == '.')
    {
        return 0;
    }

    p = name + len - (sizeof(".0900.csv") - 1);

    return p[0] == '.' && p[1] >= '0' && p[2] >= '0' && p[2] <= '9'
           && (p[1] < '2' || (p[1] == '2' && p[2] < '4'))
           && p[3] >= '0' && p[3] < '6' && p[4] >= '0' && p[4] <= '9'
           && strcmp(&p[5], ".csv") == 0;
}


/* It begins as ours do. */

static ngx_uint_t
ngx_status_archive_is_ours(int day_fd, const char *name)
{
    int          fd;
    char         buf[sizeof(NGX_STATUS_ROW_HEAD) - 1];
    ssize_t      n;
    struct stat  sb;

    fd = openat(day_fd, name, O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (fd == -1) {
        return 0;
    }

    n = fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) ? read(fd, buf, sizeof(buf))
                                                   : -1;
    close(fd);

    /* all that a crash has left of it will do */

    return n != -1 && memcmp(buf, NGX_STATUS_ROW_HEAD, n) == 0;
}
