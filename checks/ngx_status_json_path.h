
/*
 * Copyright (C) ngx_status_module authors
 *
 * JSON paths [the subset of RFC 9535 named below], matched while the body
 * streams through yajl: nothing of the document is kept but what matches.
 *
 *   $.a.b   $['a b']   [0]   [-1]   [*]  .*   ..name  ..*   ..[0]
 *   [?(@.k == v)]  with == != < <= > >=, v a number, string, true, false
 *   or null, @.k a chain of names; [?@.k == v] likewise; [?@.k] exists;
 *   "@" alone is the element itself
 *
 * A name behind a dot is of letters, digits, "_", "-" and all that is not
 * ASCII; other names go into brackets and quotes.  As in RFC 9535 a filter
 * looks at elements of arrays and at members of objects, and an element
 * that has no @.k is != every v.  Otherwise than there, a value that can be
 * reached in two ways matches once, and matches come in document order.
 *
 * Pure; the compiled path is read-only and shared, an evaluation is one
 * probe's own.  json_path.c compiles, json.c evaluates.
 */


#ifndef _NGX_STATUS_JSON_PATH_H_INCLUDED_
#define _NGX_STATUS_JSON_PATH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_STATUS_JSON_DEPTH     128       /* levels of a document */
#define NGX_STATUS_JSON_MATCHES    64       /* kept per path */
#define NGX_STATUS_JSON_STRING   1024       /* bytes kept of a string */
#define NGX_STATUS_JSON_MEMORY  262144      /* bytes of one evaluation */

#define NGX_STATUS_JSON_STEPS      32       /* of a path */
#define NGX_STATUS_JSON_CHAIN      16       /* names of a filter's @.a.b.c */
#define NGX_STATUS_JSON_BACK      100       /* [-100] at most */


typedef struct ngx_status_json_path_s  ngx_status_json_path_t;
typedef struct ngx_status_json_s       ngx_status_json_t;


typedef enum {
    NGX_STATUS_JSON_NULL = 0,
    NGX_STATUS_JSON_BOOL,
    NGX_STATUS_JSON_NUMBER,
    NGX_STATUS_JSON_TEXT,
    NGX_STATUS_JSON_OBJECT,                 /* matched, content not kept */
    NGX_STATUS_JSON_ARRAY
} ngx_status_json_type_e;


/* Owned by the evaluation; valid until ngx_status_json_free(). */

typedef struct {
    ngx_status_json_type_e  type;
    double                  number;         /* of a number, NAN when it is
                                               beyond a double; 0 or 1 of a
                                               bool; else NAN */
    ngx_str_t               text;           /* of a string, or a number's own
                                               digits; cut at the limit */
    ngx_str_t               key;            /* name of the last member on the
                                               way that a wildcard or filter
                                               chose, or that ".." passed;
                                               else the path's last name */
    ngx_uint_t              cut;            /* text was cut */
    uint64_t                place;          /* orders matches: number of the
                                               value in the document */
} ngx_status_json_match_t;


/*
 * Returns NULL with a sentence in "err" that names the position
 * ("JSON path \"$.a[\" is not valid at character 5: …").  Master, at
 * configuration time; memory from the pool.
 */

ngx_status_json_path_t *ngx_status_json_path_compile(ngx_pool_t *pool,
    const ngx_str_t *text, char *err, size_t errlen);


/*
 * An evaluation of n paths over one document.  Checker only; malloc()ed.
 * NULL: no memory.
 */

ngx_status_json_t *ngx_status_json_create(ngx_status_json_path_t *const *paths,
    ngx_uint_t n);
void ngx_status_json_free(ngx_status_json_t *j);

/*
 * Feeds the next bytes.  NGX_ERROR: not JSON, too deep, or over the memory
 * limit; then feeding more is harmless, and what matched before stays.
 * end() reports a document that is empty or not complete; it is not called
 * for a document that we cut ourselves, which is judged as far as it came.
 * error() returns the sentence ("not JSON at byte 17", the first one behind
 * what was understood; "too many levels deep at byte 140"), empty while all
 * is well.
 */

ngx_int_t ngx_status_json_feed(ngx_status_json_t *j, const u_char *data,
    size_t len);
ngx_int_t ngx_status_json_end(ngx_status_json_t *j);
const char *ngx_status_json_error(ngx_status_json_t *j);

/*
 * What path i matched, in document order.  "total" may exceed the number
 * kept; beyond those a value reached in two ways may count twice.  What a
 * filter or a negative index has not decided yet is not among
 * them.
 */

const ngx_status_json_match_t *ngx_status_json_matches(ngx_status_json_t *j,
    ngx_uint_t i, ngx_uint_t *kept, ngx_uint_t *total);

/*
 * The length of the JSON number that p begins with, 0 for none or one of
 * more than NGX_STATUS_JSON_STRING bytes; NAN when it is beyond a double.
 */

size_t ngx_status_json_number(const u_char *p, size_t len, double *number);


/* A compiled path; for json_path.c and json.c alone. */

typedef enum {
    NGX_STATUS_JSON_EXISTS = 0,
    NGX_STATUS_JSON_EQ,
    NGX_STATUS_JSON_NE,
    NGX_STATUS_JSON_LT,
    NGX_STATUS_JSON_LE,
    NGX_STATUS_JSON_GT,
    NGX_STATUS_JSON_GE
} ngx_status_json_op_e;


typedef struct {
    ngx_status_json_type_e  type;
    double                  number;
    ngx_str_t               text;
} ngx_status_json_value_t;


typedef struct {
    enum {
        NGX_STATUS_JSON_NAME = 0,
        NGX_STATUS_JSON_INDEX,
        NGX_STATUS_JSON_ALL,
        NGX_STATUS_JSON_FILTER
    }                       kind;
    ngx_uint_t              descend;        /* ".." */
    ngx_str_t               name;
    ngx_int_t               index;          /* negative: from the end */

    /* of a filter */
    ngx_str_t              *chain;
    ngx_uint_t              nchain;
    ngx_status_json_op_e    op;
    ngx_status_json_value_t value;
} ngx_status_json_step_t;


struct ngx_status_json_path_s {
    ngx_status_json_step_t *steps;
    ngx_uint_t              nsteps;
    ngx_str_t               last;           /* name in the path; or empty */
};


#endif /* _NGX_STATUS_JSON_PATH_H_INCLUDED_ */
