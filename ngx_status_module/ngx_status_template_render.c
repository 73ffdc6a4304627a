
/*
 * Copyright (C) ngx_status_module authors
 *
 * Mustache, the renderer: walks the nodes with an array of views, one per
 * open scope, and never recurses.
 */


#include "ngx_status_template_node.h"


static ngx_uint_t ngx_status_template_true(const ngx_status_field_t *field,
    void *view, u_char *scratch);


void
ngx_status_template_render(const ngx_status_template_t *tpl, void *view,
    ngx_status_out_t *out)
{
    void                     *item;
    u_char                    scratch[NGX_STATUS_SCRATCH];
    void                     *views[NGX_STATUS_TEMPLATE_SECTIONS + 1];
    ngx_str_t                 s;
    const ngx_status_node_t  *node;

    views[0] = view;

    for (node = tpl->nodes; ; node++) {

        ngx_status_out_raw(out, tpl->text + node->text, node->len);

        switch (node->op) {

        case NGX_STATUS_NODE_HTML:
            s = node->field->text(views[node->depth], scratch);
            ngx_status_out_html(out, s.data, s.len);
            continue;

        case NGX_STATUS_NODE_RAW:
            s = node->field->text(views[node->depth], scratch);
            ngx_status_out_raw(out, s.data, s.len);
            continue;

        case NGX_STATUS_NODE_WRITE:
            node->field->write(views[node->depth], out);
            continue;

        case NGX_STATUS_NODE_NONE:
            continue;

        case NGX_STATUS_NODE_IF:
            if (ngx_status_template_true(node->field, views[node->depth],
                                         scratch))
            {
                continue;
            }

            break;

        case NGX_STATUS_NODE_UNLESS:
            if (!ngx_status_template_true(node->field, views[node->depth],
                                          scratch))
            {
                continue;
            }

            break;

        case NGX_STATUS_NODE_LIST:
            item = node->field->list(views[node->depth], NULL);

            if (item) {
                views[node->item] = item;
                continue;
            }

            break;

        case NGX_STATUS_NODE_NEXT:
            if (out->failed) {
                return;
            }

            item = node->field->list(views[node->depth], views[node->item]);

            if (item == NULL) {
                continue;
            }

            views[node->item] = item;
            break;

        default: /* NGX_STATUS_NODE_DONE */
            return;
        }

        /* the loop steps on to the node meant */
        node = tpl->nodes + node->jump - 1;
    }
}


static ngx_uint_t
ngx_status_template_true(const ngx_status_field_t *field, void *view,
    u_char *scratch)
{
    if (field->text) {
        return field->text(view, scratch).len != 0;
    }

    if (field->flag) {
        return field->flag(view);
    }

    return field->list(view, NULL) != NULL;
}
