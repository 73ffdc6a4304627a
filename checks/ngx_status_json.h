
/*
 * Copyright (C) ngx_status_module authors
 *
 * An evaluation of JSON paths, as the files that make it up share it; nobody
 * else includes this.
 *
 * Each open array or object is a level.  A level holds the steps that its
 * children are to be tried with ("tries"), a stack that grows and shrinks
 * with the document.  A child that passes a try's step is tried with the
 * next step in turn; one that passes the last step is a match.
 *
 * Whether an element passes a filter or a negative index is known only
 * later.  It gets a "wait" then, and what is found under it is kept there
 * until the wait is settled: then it moves to the wait around that one, or
 * to the path's own list, or is dropped.  A wait lives as long as the
 * element (filter) or until the array has moved on (negative index), so
 * those inside are always settled before those around them.
 */


#ifndef _NGX_STATUS_JSON_H_INCLUDED_
#define _NGX_STATUS_JSON_H_INCLUDED_


#include "ngx_status_json_path.h"
#include <yajl/yajl_parse.h>


typedef struct ngx_status_json_wait_s  ngx_status_json_wait_t;


/* Matches in document order, the first ones. */

typedef struct {
    ngx_status_json_match_t  *v;
    ngx_uint_t                n;
    ngx_uint_t                size;
    ngx_uint_t                more;      /* that came behind these */
} ngx_status_json_list_t;


struct ngx_status_json_wait_s {
    ngx_status_json_wait_t   *around;    /* to hold as well; NULL: none */
    enum {
        NGX_STATUS_JSON_OPEN = 0,
        NGX_STATUS_JSON_HOLDS,
        NGX_STATUS_JSON_FAILS
    }                         state;
    ngx_uint_t                path;
    ngx_status_json_list_t    found;
};


typedef struct {
    ngx_uint_t                path;
    ngx_uint_t                step;
    ngx_uint_t                key;       /* level whose member's name is the
                                            match's key; 0: the path's last */
    ngx_status_json_wait_t   *wait;      /* NULL: none */
    ngx_status_json_wait_t  **ring;      /* of a negative index: its newest
                                            elements, owned */
} ngx_status_json_try_t;


/* A filter's @.a.b.c, of which the first "done" names led to this level. */

typedef struct {
    const ngx_status_json_step_t  *step;
    ngx_uint_t                done;
    ngx_status_json_wait_t   *wait;      /* owned when done is 0 */
} ngx_status_json_walk_t;


typedef struct {
    ngx_uint_t                object;
    ngx_uint_t                n;         /* children so far */
    ngx_uint_t                tries;     /* where its own begin */
    ngx_uint_t                walks;
    u_char                   *name;      /* of the current member */
    size_t                    len;
    size_t                    size;
} ngx_status_json_level_t;


typedef struct {
    ngx_status_json_type_e    type;
    double                    number;    /* of a bool; a number's is its
                                            text's, when it is asked for */
    const u_char             *text;      /* whole */
    size_t                    len;
} ngx_status_json_seen_t;


struct ngx_status_json_s {
    ngx_status_json_path_t  **paths;
    ngx_uint_t                npaths;
    ngx_status_json_list_t   *lists;     /* by path */

    yajl_handle               yajl;
    size_t                    used;      /* bytes */
    uint64_t                  place;     /* of the next value */

    /* of feed() */
    uint64_t                  bytes;     /* came so far */
    uint64_t                  base;      /* of what yajl sees, in these */
    uint64_t                  good;      /* end of the last token */
    ngx_uint_t                bom;       /* bytes of a BOM left out */
    ngx_uint_t                string;    /* in a string */
    ngx_uint_t                dropping;  /* its end */
    ngx_uint_t                escape;    /* bytes an escape goes on for */
    ngx_uint_t                n;         /* bytes of the string or number */

    ngx_uint_t                failed;
    ngx_uint_t                ended;
    const char               *reason;    /* of a callback that failed */
    char                      error[160];

    ngx_status_json_try_t    *tries;
    ngx_uint_t                ntries;
    ngx_uint_t                tries_size;
    ngx_status_json_walk_t   *walks;
    ngx_uint_t                nwalks;
    ngx_uint_t                walks_size;

    ngx_uint_t                depth;
    ngx_status_json_level_t   levels[NGX_STATUS_JSON_DEPTH + 1];
};


/*
 * What was found: ngx_status_json_found.c.  Memory is counted; callers know
 * the sizes, so that nothing need be kept of them.  room() makes room for
 * one more element behind n.
 */

void *ngx_status_json_alloc(ngx_status_json_t *j, void *old, size_t before,
    size_t size);
void ngx_status_json_release(ngx_status_json_t *j, void *p, size_t size);
ngx_int_t ngx_status_json_room(ngx_status_json_t *j, void **v, size_t element,
    ngx_uint_t n, ngx_uint_t *size);

/* A match is its list's from then on, and on failure nobody's. */
ngx_int_t ngx_status_json_insert(ngx_status_json_t *j,
    ngx_status_json_list_t *list, ngx_status_json_match_t *m);
void ngx_status_json_clear(ngx_status_json_t *j,
    ngx_status_json_list_t *list);

ngx_status_json_wait_t *ngx_status_json_wait(ngx_status_json_t *j,
    const ngx_status_json_try_t *t);
ngx_int_t ngx_status_json_settle(ngx_status_json_t *j,
    ngx_status_json_wait_t *wait, ngx_uint_t holds);
void ngx_status_json_end_wait(ngx_status_json_t *j,
    ngx_status_json_wait_t *wait);

/* Passes over those that hold already. */
ngx_status_json_wait_t *ngx_status_json_undecided(
    ngx_status_json_wait_t *wait);


/*
 * The document, a value at a time: ngx_status_json_match.c.  0, as of yajl's
 * callbacks, ends the parsing.
 */

int ngx_status_json_value(ngx_status_json_t *j,
    const ngx_status_json_seen_t *seen);
int ngx_status_json_key(ngx_status_json_t *j, const u_char *text, size_t len);
int ngx_status_json_close(ngx_status_json_t *j);


#endif /* _NGX_STATUS_JSON_H_INCLUDED_ */
