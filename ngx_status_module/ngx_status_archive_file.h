
/*
 * Copyright (C) ngx_status_module authors
 *
 * The files of an archive: DIR/2026-11-21/ID.0900.csv, by day and by the
 * minute that a file's time begins with (UTC).  No component of a path comes
 * out of an ID, which has neither "/" nor a dot in front.  Private to
 * ngx_status_archive*.c.
 *
 * Everything here may wait for a disk: it runs in a thread, which has the
 * directory for that time, or after it.  Needs nothing of the loop.
 */


#ifndef _NGX_STATUS_ARCHIVE_FILE_H_INCLUDED_
#define _NGX_STATUS_ARCHIVE_FILE_H_INCLUDED_


#include "ngx_status_row.h"
#include "ngx_status_stuck.h"
#include "../checks/ngx_status_check.h"


/* While others can be written: of files that can not, so many results wait. */
#define NGX_STATUS_ARCHIVE_STUCK  10000


#define NGX_STATUS_ARCHIVE_DAY    sizeof("2026-11-21")
#define NGX_STATUS_ARCHIVE_NAME   (NGX_STATUS_ID + sizeof(".0900.csv") - 1)


typedef struct {
    ngx_status_brief_t            result;
    int64_t                       begin;         /* s: when the time of its
                                                    file begins */
    uint32_t                      check;         /* of the monitor's */
    uint32_t                      number;        /* its order; wraps */
} ngx_status_archive_item_t;


/* Zeroed it is empty; malloc()ed. */

typedef struct {
    ngx_status_archive_item_t    *items;
    ngx_uint_t                    n;
    ngx_uint_t                    size;
} ngx_status_archive_list_t;


/* What failed, told by the name of a system call; NULL: nothing. */

typedef struct {
    const char                   *call;
    ngx_err_t                     err;
    char                          path[NGX_MAX_PATH];
} ngx_status_archive_error_t;


typedef struct {
    /* set by the owner */
    const char                   *path;          /* DIR */
    time_t                        keep;          /* s */
    ngx_status_check_t          **checks;        /* the monitor's */

    volatile ngx_uint_t           steps;         /* see ngx_status_stuck.h */

    /* in: what is to be written; out: what could not be, in any order */
    ngx_status_archive_list_t     list;

    /* of the last write() and prune() */
    ngx_uint_t                    written;       /* results */
    ngx_uint_t                    lost;          /* results of files that are
                                                    stuck, and given up */
    ngx_status_archive_error_t    failed;        /* of results that are left;
                                                    EWOULDBLOCK: see write() */
    ngx_status_archive_error_t    kept;          /* of files to be deleted */

    /* private */
    int                           fd;            /* DIR; -1 */
    int                           lock;          /* -1 */
    int                           day_fd;        /* -1; open in write() only */
    int64_t                       day;           /* since the epoch; and */
    char                          date[NGX_STATUS_ARCHIVE_DAY];
    dev_t                         dev;
    ino_t                         ino;
    ngx_status_out_t              out;
    ngx_status_row_day_t          row_day;
} ngx_status_archive_dir_t;


/* The owner sets its part afterwards. */
void ngx_status_archive_init(ngx_status_archive_dir_t *d);

/* Room for "n" more; NGX_ERROR without memory. */
ngx_int_t ngx_status_archive_reserve(ngx_status_archive_list_t *list,
    ngx_uint_t n);

/*
 * Takes the lock of the directory if it has not got it (failed.err is
 * EWOULDBLOCK while another process has it) and appends the list to its
 * files: open, one write(), close.  A file is left with whole rows, or as it
 * was; a row that a crash has torn is cut off first.
 */

void ngx_status_archive_write(ngx_status_archive_dir_t *d);

/*
 * prune.c: deletes days that ended "keep" before "now" (s): of directories
 * named like a day, the files that are named like ours and begin like ours;
 * then the directory, if nothing else is in it.  Stops after "ms"; returns
 * whether it was stopped.  Only with the lock.
 */

ngx_uint_t ngx_status_archive_prune(ngx_status_archive_dir_t *d, int64_t now,
    ngx_msec_t ms);

/* Leaves the directory to others. */
void ngx_status_archive_close(ngx_status_archive_dir_t *d);


/* What a day's directory is called; empty if it can have no name. */
void ngx_status_archive_date(int64_t day, char name[NGX_STATUS_ARCHIVE_DAY]);

/* Notes what failed, "errno" telling why, unless there is something already.
 * "day" and "name" are empty where there is none. */
void ngx_status_archive_failed(const ngx_status_archive_dir_t *d,
    ngx_status_archive_error_t *e, const char *call, const char *day,
    const char *name);


#endif /* _NGX_STATUS_ARCHIVE_FILE_H_INCLUDED_ */
