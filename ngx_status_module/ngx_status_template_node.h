
/*
 * Copyright (C) ngx_status_module authors
 *
 * Private to ngx_status_template*.c: what is compiled and then rendered, a
 * flat array of nodes over one block of text.  Sections have become jumps,
 * names (scope depth, field).
 */


#ifndef _NGX_STATUS_TEMPLATE_NODE_H_INCLUDED_
#define _NGX_STATUS_TEMPLATE_NODE_H_INCLUDED_


#include "ngx_status_template.h"


#define NGX_STATUS_TEMPLATE_SECTIONS  32     /* open at a time */


typedef enum {
    NGX_STATUS_NODE_DONE = 0,
    NGX_STATUS_NODE_NONE,            /* only its text: the end of a section */
    NGX_STATUS_NODE_HTML,
    NGX_STATUS_NODE_RAW,
    NGX_STATUS_NODE_WRITE,
    NGX_STATUS_NODE_IF,              /* jumps when the field is false */
    NGX_STATUS_NODE_UNLESS,          /* jumps when the field is true */
    NGX_STATUS_NODE_LIST,            /* jumps when there is no first item */
    NGX_STATUS_NODE_NEXT             /* jumps back when there is another */
} ngx_status_node_e;


/* Writes its text, then does what "op" says. */

typedef struct {
    const ngx_status_field_t     *field;
    uint32_t                      text;      /* offset */
    uint32_t                      len;
    uint32_t                      jump;      /* index of a node */
    uint8_t                       op;
    uint8_t                       depth;     /* view that the field is of */
    uint8_t                       item;      /* view that a list fills */
} ngx_status_node_t;


struct ngx_status_template_s {
    ngx_status_node_t            *nodes;
    u_char                       *text;
};


#endif /* _NGX_STATUS_TEMPLATE_NODE_H_INCLUDED_ */
