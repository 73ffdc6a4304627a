
/*
 * Copyright (C) ngx_status_module authors
 *
 * Mustache templates [mustache(5), spec v1.4.2 without lambdas, set
 * delimiters and inheritance], compiled at configuration time against a
 * table of fields, so that an unknown name is an error of "nginx -t" and
 * rendering looks nothing up by name.  Pure.
 *
 *   {{name}}            escaped       {{{name}}} {{&name}}     raw
 *   {{#name}}…{{/name}} section       {{^name}}…{{/name}}      inverted
 *   {{>name}}           partial       {{! … }}                 comment
 *
 * A tag that stands alone on its line takes the line with it, as the
 * specification says.
 */


#ifndef _NGX_STATUS_TEMPLATE_H_INCLUDED_
#define _NGX_STATUS_TEMPLATE_H_INCLUDED_


#include "ngx_status_out.h"


typedef struct ngx_status_field_s     ngx_status_field_t;
typedef struct ngx_status_template_s  ngx_status_template_t;


/*
 * A field of a view.  "view" is the structure that the enclosing scope's
 * list produced (the root's is given to render).  Names are looked up at
 * compile time from the innermost scope outwards.
 *
 * text:  returns the value; the bytes live in the view, are static, or are
 *        written into "scratch" (NGX_STATUS_SCRATCH bytes).  As a section:
 *        true when not empty; opens no scope.
 * flag:  section only; opens no scope.
 * write: appends ready-made output itself, for markup that a template can
 *        not say (SVG geometry); must escape what it takes from outside;
 *        may only be used as {{{name}}} or {{&name}}.
 * list:  first call with prev == NULL; returns the view of the next item
 *        or NULL.  Opens the scope "fields".  Items live until the next
 *        call.  An inverted section asks once with prev == NULL.  Inside
 *        its own section a list can not be used again: a compile error.
 *
 * Exactly one of the four is set.  The table ends with an empty name.
 */

#define NGX_STATUS_SCRATCH  128

struct ngx_status_field_s {
    ngx_str_t                   name;
    ngx_str_t                 (*text)(void *view, u_char *scratch);
    ngx_uint_t                (*flag)(void *view);
    void                      (*write)(void *view, ngx_status_out_t *out);
    void                     *(*list)(void *view, void *prev);
    const ngx_status_field_t   *fields;
};


/*
 * Finds a partial's text by name.  Returns NGX_OK, or NGX_DECLINED when
 * there is none.  The text must live until compile returns.
 */

typedef ngx_int_t (*ngx_status_partial_pt)(void *data, const ngx_str_t *name,
    ngx_str_t *text);


/*
 * Compiles "text" (copied) for root scope "root" (kept).  Partials are
 * compiled in place, 16 deep at most (so recursion is an error).  Returns
 * NULL with a sentence in "err" ("unknown name \"titel\" in line 12 of
 * \"row.html\", looked up in list \"checks\" and around it"), cut to
 * "errlen" bytes with its NUL.  Master, at configuration time; memory from
 * the pool.
 */

ngx_status_template_t *ngx_status_template_compile(ngx_pool_t *pool,
    const ngx_str_t *name, const ngx_str_t *text,
    const ngx_status_field_t *root, ngx_status_partial_pt partial,
    void *data, char *err, size_t errlen);

/* Renders; errors are in out->failed.  Workers and the checker. */

void ngx_status_template_render(const ngx_status_template_t *tpl, void *view,
    ngx_status_out_t *out);


#endif /* _NGX_STATUS_TEMPLATE_H_INCLUDED_ */
