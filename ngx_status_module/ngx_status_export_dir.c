
/*
 * Copyright (C) ngx_status_module authors
 *
 * The directory of an export: lock, list, and files that are renamed into
 * place.
 */


#include "ngx_status_export_dir.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>


#define NGX_STATUS_EXPORT_LIST   ".status-export"
#define NGX_STATUS_EXPORT_TEMP   ".status-export.tmp"
#define NGX_STATUS_EXPORT_LIMIT  (16 * 1024 * 1024)   /* bytes of the list */
#define NGX_STATUS_EXPORT_BLOCK  16384


static ngx_int_t ngx_status_export_lock(ngx_status_export_dir_t *d);
static ngx_int_t ngx_status_export_read(ngx_status_export_dir_t *d,
    char **text, size_t *len);
static ngx_uint_t ngx_status_export_possible(const char *name);
static ngx_uint_t ngx_status_export_same(int dir, const char *name,
    const u_char *data, size_t len);
static int ngx_status_export_place(ngx_status_export_dir_t *d,
    const char **name);
static int ngx_libc_cdecl ngx_status_export_cmp(const void *one,
    const void *two);


ngx_int_t
ngx_status_export_open(ngx_status_export_dir_t *d, ngx_uint_t room)
{
    char                      *text, *line, *next, *space;
    size_t                     len, lines;
    ngx_int_t                  rc;
    ngx_uint_t                 i, k;
    ngx_status_export_file_t  *file;

    d->fd = -1;
    d->check = -1;
    d->files = NULL;
    d->nfiles = 0;

    rc = ngx_status_export_lock(d);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_status_export_read(d, &text, &len) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0, lines = 0; i < len; i++) {
        lines += (text[i] == '\n');
    }

    d->files = calloc(lines + room, sizeof(ngx_status_export_file_t));
    if (d->files == NULL) {
        free(text);
        return ngx_status_export_failed(d, "no memory for \"%s\"",
                                        NGX_STATUS_EXPORT_LIST, 0);
    }

    for (line = text; lines; line = next, lines--) {

        next = strchr(line, '\n');
        if (next == NULL) {
            /* a zero byte; nothing of ours */
            break;
        }

        *next++ = '\0';

        space = strchr(line, ' ');
        if (space) {
            *space++ = '\0';
        }

        if (ngx_status_export_possible(line)) {
            file = &d->files[d->nfiles++];
            memcpy(file->name, line, strlen(line) + 1);
            file->gone = space ? ngx_max(strtoll(space, NULL, 10), 1) : 0;
        }
    }

    free(text);

    qsort(d->files, d->nfiles, sizeof(ngx_status_export_file_t),
          ngx_status_export_cmp);

    for (i = 0, k = 0; i < d->nfiles; i++) {
        if (k == 0 || strcmp(d->files[i].name, d->files[k - 1].name) != 0) {
            d->files[k++] = d->files[i];
        }
    }

    d->nfiles = k;
    d->listed = k;

    return NGX_OK;
}


static ngx_int_t
ngx_status_export_lock(ngx_status_export_dir_t *d)
{
    ngx_uint_t  i;

    d->fd = open(d->path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (d->fd == -1) {
        return ngx_status_export_failed(d, "open() \"%s\" failed", NULL,
                                        ngx_errno);
    }

    /*
     * A predecessor may still be at it.  Where a directory can not be locked
     * (NFS) it is only that which could go wrong.
     */

    if (flock(d->fd, LOCK_EX|LOCK_NB) == -1 && ngx_errno == EWOULDBLOCK) {
        return NGX_DECLINED;
    }

    if (mkdirat(d->fd, "check", 0755) == -1 && ngx_errno != NGX_EEXIST) {
        return ngx_status_export_failed(d, "mkdir() \"%s\" failed", "check",
                                        ngx_errno);
    }

    d->check = openat(d->fd, "check",
                      O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);
    if (d->check == -1) {
        return ngx_status_export_failed(d, "open() \"%s\" failed", "check",
                                        ngx_errno);
    }

    /* of one that was killed */

    for (i = 0; i < 2; i++) {
        if (unlinkat(i ? d->check : d->fd, NGX_STATUS_EXPORT_TEMP, 0) == -1
            && ngx_errno != NGX_ENOENT)
        {
            return ngx_status_export_failed(d, "unlink() \"%s\" failed",
                            i ? NGX_STATUS_EXPORT_CHECK NGX_STATUS_EXPORT_TEMP
                              : NGX_STATUS_EXPORT_TEMP, ngx_errno);
        }
    }

    return NGX_OK;
}


/* What was made here, as far as is known; without a list nothing was. */

static ngx_int_t
ngx_status_export_read(ngx_status_export_dir_t *d, char **text, size_t *len)
{
    int           fd;
    char         *p;
    ssize_t       n;
    struct stat   st;

    *text = NULL;
    *len = 0;

    fd = openat(d->fd, NGX_STATUS_EXPORT_LIST,
                O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (fd == -1) {
        return ngx_errno == NGX_ENOENT ? NGX_OK
               : ngx_status_export_failed(d, "open() \"%s\" failed",
                                          NGX_STATUS_EXPORT_LIST, ngx_errno);
    }

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)
        || st.st_size > NGX_STATUS_EXPORT_LIMIT)
    {
        (void) close(fd);
        return ngx_status_export_failed(d, "\"%s\" is not a list of files",
                                        NGX_STATUS_EXPORT_LIST, 0);
    }

    p = malloc(st.st_size + 1);
    if (p == NULL) {
        (void) close(fd);
        return ngx_status_export_failed(d, "no memory for \"%s\"",
                                        NGX_STATUS_EXPORT_LIST, 0);
    }

    while (*len < (size_t) st.st_size) {
        n = read(fd, p + *len, st.st_size - *len);
        if (n <= 0) {
            break;
        }

        *len += n;
    }

    (void) close(fd);

    p[*len] = '\0';
    *text = p;

    return NGX_OK;
}


/* No other name leads anywhere, whoever wrote it into the list. */

static ngx_uint_t
ngx_status_export_possible(const char *name)
{
    size_t  len;

    static const char  allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz"
                                   "0123456789._-";

    len = strlen(name);

    if (len >= sizeof(ngx_status_export_name_t)) {
        return 0;
    }

    if (strncmp(name, NGX_STATUS_EXPORT_CHECK,
                sizeof(NGX_STATUS_EXPORT_CHECK) - 1)
        == 0)
    {
        name += sizeof(NGX_STATUS_EXPORT_CHECK) - 1;
        len -= sizeof(NGX_STATUS_EXPORT_CHECK) - 1;
    }

    return len && name[0] != '.' && strspn(name, allowed) == len;
}


ngx_int_t
ngx_status_export_want(ngx_status_export_dir_t *d, const char *name)
{
    int                        dir;
    const char                *base;
    struct stat                st;
    ngx_status_export_file_t  *file;

    ngx_status_step(d->steps);

    /* a name is the first member */

    file = bsearch(name, d->files, d->listed,
                   sizeof(ngx_status_export_file_t), ngx_status_export_cmp);

    if (file == NULL) {
        base = name;
        dir = ngx_status_export_place(d, &base);

        if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            return ngx_status_export_failed(d, "\"%s\" is there already and "
                                "was not made by an export", name, 0);
        }

        file = &d->files[d->nfiles++];
        memcpy(file->name, name, strlen(name) + 1);
    }

    file->wanted = 1;
    file->gone = 0;

    return NGX_OK;
}


ngx_int_t
ngx_status_export_list(ngx_status_export_dir_t *d)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_status_out_t           out;
    ngx_status_export_file_t  *file;

    qsort(d->files, d->nfiles, sizeof(ngx_status_export_file_t),
          ngx_status_export_cmp);

    d->listed = d->nfiles;

    ngx_status_out_init(&out, 0);

    ngx_status_out_lit(&out, "# Made by ngx_status_module, which removes "
                       "what it ceases to need of these\n");

    for (i = 0; i < d->nfiles; i++) {
        file = &d->files[i];

        ngx_status_out_raw(&out, file->name, strlen(file->name));

        if (file->gone) {
            ngx_status_out_lit(&out, " ");
            ngx_status_out_int(&out, file->gone);
        }

        ngx_status_out_lit(&out, "\n");
    }

    if (out.failed) {
        rc = ngx_status_export_failed(d, "no memory for \"%s\"",
                                      NGX_STATUS_EXPORT_LIST, 0);
    } else {
        rc = ngx_status_export_put(d, NGX_STATUS_EXPORT_LIST, out.data,
                                   out.len, 1);
    }

    ngx_status_out_free(&out);

    return rc;
}


ngx_int_t
ngx_status_export_clean(ngx_status_export_dir_t *d, time_t now, time_t grace)
{
    int                        dir;
    ngx_uint_t                 i, k;
    const char                *base;
    ngx_status_export_file_t  *file;

    for (i = 0, k = 0; i < d->nfiles; i++) {
        file = &d->files[i];

        if (!file->wanted && file->gone == 0) {
            file->gone = now;

        } else if (!file->wanted
                   && (file->gone > now || now - file->gone > grace))
        {
            base = file->name;
            dir = ngx_status_export_place(d, &base);

            if (!ngx_status_zone_owned(d->zone)) {
                return NGX_DECLINED;
            }

            ngx_status_step(d->steps);

            if (unlinkat(dir, base, 0) == -1 && ngx_errno != NGX_ENOENT) {
                return ngx_status_export_failed(d, "unlink() \"%s\" failed",
                                                file->name, ngx_errno);
            }

            continue;
        }

        d->files[k++] = *file;
    }

    d->nfiles = k;

    return ngx_status_export_list(d);
}


/* The directory is locked: one temporary name is enough. */

ngx_int_t
ngx_status_export_put(ngx_status_export_dir_t *d, const char *name,
    const u_char *data, size_t len, ngx_uint_t sync)
{
    int          fd, dir;
    size_t       done;
    ssize_t      n;
    ngx_int_t    rc;
    const char  *base, *what;

    ngx_status_step(d->steps);

    base = name;
    dir = ngx_status_export_place(d, &base);

    if (ngx_status_export_same(dir, base, data, len)) {
        return NGX_OK;
    }

    if (!ngx_status_zone_owned(d->zone)) {
        return NGX_DECLINED;
    }

    fd = openat(dir, NGX_STATUS_EXPORT_TEMP,
                O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0644);
    if (fd == -1) {
        return ngx_status_export_failed(d, "open() \"%s\" failed", name,
                                        ngx_errno);
    }

    what = NULL;

    for (done = 0; done < len && what == NULL; done += n) {
        n = write(fd, data + done, len - done);

        if (n == -1) {
            what = "write() \"%s\" failed";
        }
    }

    if (what == NULL && sync && fsync(fd) == -1) {
        what = "fsync() \"%s\" failed";
    }

    rc = what ? ngx_status_export_failed(d, what, name, ngx_errno) : NGX_OK;

    if (close(fd) == -1 && rc == NGX_OK) {
        rc = ngx_status_export_failed(d, "close() \"%s\" failed", name,
                                      ngx_errno);
    }

    if (rc == NGX_OK
        && renameat(dir, NGX_STATUS_EXPORT_TEMP, dir, base) == -1)
    {
        rc = ngx_status_export_failed(d, "rename() to \"%s\" failed", name,
                                      ngx_errno);
    }

    if (rc != NGX_OK) {
        (void) unlinkat(dir, NGX_STATUS_EXPORT_TEMP, 0);
    }

    return rc;
}


static ngx_uint_t
ngx_status_export_same(int dir, const char *name, const u_char *data,
    size_t len)
{
    int          fd;
    u_char       buf[NGX_STATUS_EXPORT_BLOCK];
    ssize_t      n;
    ngx_uint_t   same;
    struct stat  st;

    fd = openat(dir, name, O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);
    if (fd == -1) {
        return 0;
    }

    same = (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
            && (size_t) st.st_size == len);

    while (same && len) {
        n = read(fd, buf, ngx_min(sizeof(buf), len));

        same = (n > 0 && memcmp(buf, data, n) == 0);

        data += n;
        len -= n;
    }

    (void) close(fd);

    return same;
}


/* The directory that a file is in, and what it is called there. */

static int
ngx_status_export_place(ngx_status_export_dir_t *d, const char **name)
{
    if (strncmp(*name, NGX_STATUS_EXPORT_CHECK,
                sizeof(NGX_STATUS_EXPORT_CHECK) - 1)
        != 0)
    {
        return d->fd;
    }

    *name += sizeof(NGX_STATUS_EXPORT_CHECK) - 1;

    return d->check;
}


void
ngx_status_export_close(ngx_status_export_dir_t *d)
{
    if (d->check != -1) {
        (void) close(d->check);
    }

    if (d->fd != -1) {
        (void) close(d->fd);
    }

    free(d->files);
}


ngx_int_t
ngx_status_export_failed(ngx_status_export_dir_t *d, const char *what,
    const char *name, ngx_err_t err)
{
    ngx_status_export_error_t  *error;

    error = d->error;

    error->what = what;
    error->err = err;

    (void) snprintf(error->path, sizeof(error->path), "%s%s%s",
                    d->path, name ? "/" : "", name ? name : "");

    return NGX_ERROR;
}


static int ngx_libc_cdecl
ngx_status_export_cmp(const void *one, const void *two)
{
    return strcmp(one, two);
}
