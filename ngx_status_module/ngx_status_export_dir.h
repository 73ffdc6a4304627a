
/*
 * Copyright (C) ngx_status_module authors
 *
 * A directory of files that are made anew again and again, under the eyes of
 * who reads them.  Files appear and change by rename(), and stay as they are
 * when their bytes do.  A list in there tells those that were made here from
 * all others, which are neither replaced nor removed.
 *
 * In a thread of the checker, one at a time for a directory.  What returns
 * ngx_int_t returns NGX_OK; NGX_DECLINED when somebody else has the directory
 * or the zone now; NGX_ERROR, and says why in "error".
 */


#ifndef _NGX_STATUS_EXPORT_DIR_H_INCLUDED_
#define _NGX_STATUS_EXPORT_DIR_H_INCLUDED_


#include "ngx_status_monitor.h"
#include "ngx_status_stuck.h"


/* Names are "NAME" or "check/NAME", of A-Z a-z 0-9 . _ -, no dot first. */

#define NGX_STATUS_EXPORT_CHECK  "check/"

typedef char  ngx_status_export_name_t[sizeof("check/.html") + NGX_STATUS_ID];


typedef struct {
    const char                 *what;    /* literal with a %s for the path;
                                            NULL: nothing went wrong */
    ngx_err_t                   err;     /* 0: not of the system */
    char                        path[NGX_MAX_PATH];
} ngx_status_export_error_t;


typedef struct {
    ngx_status_export_name_t    name;
    ngx_uint_t                  wanted;
    time_t                      gone;    /* s since the epoch; since when it is
                                            wanted no more; 0: it is, or was
                                            until now */
} ngx_status_export_file_t;


typedef struct {
    const char                 *path;    /* set by the caller, as are these: */
    const ngx_status_zone_t    *zone;    /* whose owner alone may write */
    ngx_status_export_error_t  *error;
    volatile ngx_uint_t        *steps;   /* see ngx_status_stuck.h */

    int                         fd;
    int                         check;   /* of "check" */
    ngx_status_export_file_t   *files;
    ngx_uint_t                  nfiles;
    ngx_uint_t                  listed;  /* of them, sorted, the first */
} ngx_status_export_dir_t;


/*
 * open() locks the directory, which has to be there, and reads the list, with
 * room for so many files that may not be in there; close() is due whatever
 * it returns.  Then each file is want()ed: one that is there but not in the
 * list is an error; then list() writes all of them down, so that none is ever
 * made that is not in there; then each is put().  "sync": it is to survive a
 * power cut as well.  clean() removes what has not been wanted for more than
 * "grace" seconds, and writes the list.
 */

ngx_int_t ngx_status_export_open(ngx_status_export_dir_t *d, ngx_uint_t room);
ngx_int_t ngx_status_export_want(ngx_status_export_dir_t *d,
    const char *name);
ngx_int_t ngx_status_export_list(ngx_status_export_dir_t *d);
ngx_int_t ngx_status_export_put(ngx_status_export_dir_t *d, const char *name,
    const u_char *data, size_t len, ngx_uint_t sync);
ngx_int_t ngx_status_export_clean(ngx_status_export_dir_t *d, time_t now,
    time_t grace);
void ngx_status_export_close(ngx_status_export_dir_t *d);

/* Sets "error"; always NGX_ERROR.  Name NULL: of the directory itself. */
ngx_int_t ngx_status_export_failed(ngx_status_export_dir_t *d,
    const char *what, const char *name, ngx_err_t err);


#endif /* _NGX_STATUS_EXPORT_DIR_H_INCLUDED_ */
