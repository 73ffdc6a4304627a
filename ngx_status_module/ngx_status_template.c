
/*
 * Copyright (C) ngx_status_module authors
 *
 * Mustache, the compiler: reads a template and its partials once, and leaves
 * nodes for the renderer.
 */


#include "ngx_status_template_node.h"
#include "ngx_status_types.h"


#define NGX_STATUS_TEMPLATE_PARTIALS  16                /* in each other */
#define NGX_STATUS_TEMPLATE_NODES     65536
#define NGX_STATUS_TEMPLATE_SIZE      (4 * 1024 * 1024) /* bytes of text */


/*
 * One text being compiled: the template's or a partial's.  A partial that
 * stands alone on its line has each of its lines indented by what stands
 * before its tag, on top of the indentation of the text around it.
 */

typedef struct ngx_status_source_s  ngx_status_source_t;

struct ngx_status_source_s {
    const ngx_str_t              *name;
    u_char                       *start;
    u_char                       *last;
    u_char                       *counted;   /* "line" is that of this byte */
    ngx_uint_t                    line;
    ngx_uint_t                    depth;     /* partials around it */
    ngx_str_t                     indent;
    const ngx_status_source_t    *around;    /* adds its indent; or NULL */
};


/* Points into the source. */

typedef struct {
    u_char                       *start;     /* with the braces */
    u_char                       *last;
    ngx_str_t                     name;
    ngx_uint_t                    line;
    u_char                        kind;      /* # ^ / > ! & or 0; { is & */
} ngx_status_tag_t;


typedef struct {
    ngx_str_t                     name;
    const ngx_status_field_t     *fields;
} ngx_status_scope_t;


typedef struct {
    ngx_str_t                     name;
    ngx_uint_t                    line;
    uint32_t                      node;
} ngx_status_section_t;


typedef struct {
    ngx_status_out_t              text;
    ngx_status_out_t              nodes;     /* of ngx_status_node_t */
    size_t                        taken;     /* text that nodes have */
    size_t                        read;      /* bytes of all sources so far */

    ngx_uint_t                    nscopes;
    ngx_status_scope_t            scopes[NGX_STATUS_TEMPLATE_SECTIONS + 1];
    ngx_uint_t                    nsections;
    ngx_status_section_t          sections[NGX_STATUS_TEMPLATE_SECTIONS];

    ngx_status_partial_pt         partial;
    void                         *data;
    char                         *err;
    size_t                        errlen;
} ngx_status_compiler_t;


static ngx_int_t ngx_status_template_source(ngx_status_compiler_t *c,
    ngx_status_source_t *src);
static ngx_int_t ngx_status_template_tag(ngx_status_compiler_t *c,
    ngx_status_source_t *src, u_char *start, ngx_status_tag_t *tag);
static ngx_uint_t ngx_status_template_alone(ngx_status_source_t *src,
    ngx_status_tag_t *tag, u_char **line, u_char **next);
static ngx_int_t ngx_status_template_value(ngx_status_compiler_t *c,
    ngx_status_source_t *src, ngx_status_tag_t *tag);
static ngx_int_t ngx_status_template_open(ngx_status_compiler_t *c,
    ngx_status_source_t *src, ngx_status_tag_t *tag);
static ngx_int_t ngx_status_template_close(ngx_status_compiler_t *c,
    ngx_status_source_t *src, ngx_status_tag_t *tag, ngx_uint_t outer);
static ngx_int_t ngx_status_template_partial(ngx_status_compiler_t *c,
    ngx_status_source_t *src, ngx_status_tag_t *tag, ngx_str_t *indent);
static const ngx_status_field_t *ngx_status_template_lookup(
    ngx_status_compiler_t *c, ngx_status_source_t *src, ngx_status_tag_t *tag,
    ngx_uint_t *depth);
static void ngx_status_template_text(ngx_status_compiler_t *c,
    ngx_status_source_t *src, u_char *p, u_char *last);
static void ngx_status_template_indent(ngx_status_compiler_t *c,
    const ngx_status_source_t *src);
static void ngx_status_template_node(ngx_status_compiler_t *c,
    ngx_status_node_e op, const ngx_status_field_t *field, ngx_uint_t depth);
static ngx_int_t ngx_status_template_error(ngx_status_compiler_t *c,
    ngx_status_source_t *src, ngx_uint_t line, const char *what,
    const ngx_str_t *name, const char *rest);


#define ngx_status_template_nodes(c)                                         \
    ((ngx_status_node_t *) (void *) (c)->nodes.data)
#define ngx_status_template_count(c)                                         \
    ((c)->nodes.len / sizeof(ngx_status_node_t))


ngx_status_template_t *
ngx_status_template_compile(ngx_pool_t *pool, const ngx_str_t *name,
    const ngx_str_t *text, const ngx_status_field_t *root,
    ngx_status_partial_pt partial, void *data, char *err, size_t errlen)
{
    ngx_status_source_t     src;
    ngx_status_compiler_t   c;
    ngx_status_template_t  *tpl;

    memset(&c, 0, sizeof(ngx_status_compiler_t));
    ngx_status_out_init(&c.text, NGX_STATUS_TEMPLATE_SIZE);
    ngx_status_out_init(&c.nodes, NGX_STATUS_TEMPLATE_NODES
                                  * sizeof(ngx_status_node_t));
    c.scopes[0].fields = root;
    c.nscopes = 1;
    c.partial = partial;
    c.data = data;
    c.err = err;
    c.errlen = errlen;

    memset(&src, 0, sizeof(ngx_status_source_t));
    src.name = name;
    src.start = text->data;
    src.last = text->data + text->len;

    tpl = NULL;

    if (ngx_status_template_source(&c, &src) != NGX_OK) {
        goto done;
    }

    ngx_status_template_node(&c, NGX_STATUS_NODE_DONE, NULL, 0);

    if (c.text.failed || c.nodes.failed) {
        (void) snprintf(err, errlen, "template \"%.*s\" with its partials is "
                        "over %d tags or %d bytes", (int) name->len,
                        name->data, NGX_STATUS_TEMPLATE_NODES,
                        NGX_STATUS_TEMPLATE_SIZE);
        goto done;
    }

    tpl = ngx_palloc(pool, sizeof(ngx_status_template_t));
    if (tpl == NULL) {
        goto nomem;
    }

    tpl->nodes = ngx_palloc(pool, c.nodes.len);
    tpl->text = ngx_pnalloc(pool, c.text.len + 1);

    if (tpl->nodes == NULL || tpl->text == NULL) {
        goto nomem;
    }

    memcpy(tpl->nodes, c.nodes.data, c.nodes.len);

    if (c.text.len) {
        memcpy(tpl->text, c.text.data, c.text.len);
    }

    goto done;

nomem:

    (void) snprintf(err, errlen, "no memory for template \"%.*s\"",
                    (int) name->len, name->data);
    tpl = NULL;

done:

    ngx_status_out_free(&c.text);
    ngx_status_out_free(&c.nodes);

    return tpl;
}


static ngx_int_t
ngx_status_template_source(ngx_status_compiler_t *c, ngx_status_source_t *src)
{
    u_char            *p, *start, *line, *next;
    ngx_int_t          rc;
    ngx_str_t          indent;
    ngx_uint_t         outer;
    ngx_status_tag_t   tag;

    /*
     * Partials count each time they are read: 16 levels of two partials
     * each would otherwise keep the compiler busy forever with no output.
     */
    c->read += src->last - src->start;

    if (c->read > NGX_STATUS_TEMPLATE_SIZE) {
        c->text.failed = 1;
        return NGX_OK;
    }

    src->counted = src->start;
    src->line = 1;
    outer = c->nsections;
    p = src->start;

    while (p < src->last) {
        start = memmem(p, src->last - p, "{{", 2);

        if (start == NULL) {
            ngx_status_template_text(c, src, p, src->last);
            break;
        }

        if (ngx_status_template_tag(c, src, start, &tag) != NGX_OK) {
            return NGX_ERROR;
        }

        indent.len = 0;

        if (ngx_status_template_alone(src, &tag, &line, &next)) {
            ngx_status_template_text(c, src, p, line);
            indent.data = line;
            indent.len = tag.start - line;

        } else {
            ngx_status_template_text(c, src, p, tag.start);

            if (tag.start == src->start || tag.start[-1] == LF) {
                ngx_status_template_indent(c, src);
            }

            line = NULL;
            next = tag.last;
        }

        switch (tag.kind) {

        case '!':
            rc = NGX_OK;
            break;

        case '#':
        case '^':
            rc = ngx_status_template_open(c, src, &tag);
            break;

        case '/':
            rc = ngx_status_template_close(c, src, &tag, outer);
            break;

        case '>':
            rc = ngx_status_template_partial(c, src, &tag,
                                             line ? &indent : NULL);
            break;

        default:
            rc = ngx_status_template_value(c, src, &tag);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        if (c->text.failed || c->nodes.failed) {
            return NGX_OK;
        }

        p = next;
    }

    if (c->nsections > outer) {
        return ngx_status_template_error(c, src,
                                    c->sections[c->nsections - 1].line,
                                    "unclosed section",
                                    &c->sections[c->nsections - 1].name, "");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_status_template_tag(ngx_status_compiler_t *c, ngx_status_source_t *src,
    u_char *start, ngx_status_tag_t *tag)
{
    u_char     *p, *last, *end;
    ngx_str_t   all;

    while (src->counted < start) {
        if (*src->counted++ == LF) {
            src->line++;
        }
    }

    tag->start = start;
    tag->line = src->line;
    tag->kind = 0;

    p = start + 2;

    if (p < src->last && *p != '\0' && strchr("#^/>!&{=<$", *p)) {
        tag->kind = *p++;
    }

    end = (tag->kind == '{') ? memmem(p, src->last - p, "}}}", 3)
                             : memmem(p, src->last - p, "}}", 2);
    all.data = start;

    if (end == NULL) {
        last = memchr(start, LF, src->last - start);
        all.len = (last ? last : src->last) - start;

        return ngx_status_template_error(c, src, tag->line, "unclosed tag",
                                         &all, "");
    }

    tag->last = end + (tag->kind == '{' ? 3 : 2);

    while (p < end && isspace(*p)) {
        p++;
    }

    while (p < end && isspace(end[-1])) {
        end--;
    }

    tag->name.data = p;
    tag->name.len = end - p;

    all.len = tag->last - start;

    switch (tag->kind) {

    case '!':
        return NGX_OK;

    case '=':
    case '<':
    case '$':
        return ngx_status_template_error(c, src, tag->line, "unsupported tag",
                                         &all, "");
    case '{':
        tag->kind = '&';
    }

    if (tag->name.len == 0) {
        return ngx_status_template_error(c, src, tag->line,
                                         "no name in tag", &all, "");
    }

    return NGX_OK;
}


/*
 * Tells whether a tag that writes nothing itself is all that its line or
 * lines hold but spaces, and where these lines begin and end.
 */

static ngx_uint_t
ngx_status_template_alone(ngx_status_source_t *src, ngx_status_tag_t *tag,
    u_char **line, u_char **next)
{
    u_char  *p;

    if (tag->kind == 0 || tag->kind == '&') {
        return 0;
    }

    for (p = tag->start; p > src->start && p[-1] != LF; p--) {
        if (p[-1] != ' ' && p[-1] != '\t') {
            return 0;
        }
    }

    *line = p;

    for (p = tag->last; p < src->last && (*p == ' ' || *p == '\t'); p++) {
        /* void */
    }

    if (p < src->last && *p == CR) {
        p++;
        if (p == src->last || *p != LF) {
            return 0;
        }
    }

    if (p < src->last && *p++ != LF) {
        return 0;
    }

    *next = p;

    return 1;
}


static ngx_int_t
ngx_status_template_value(ngx_status_compiler_t *c, ngx_status_source_t *src,
    ngx_status_tag_t *tag)
{
    ngx_uint_t                 depth;
    ngx_status_node_e          op;
    const ngx_status_field_t  *field;

    field = ngx_status_template_lookup(c, src, tag, &depth);
    if (field == NULL) {
        return NGX_ERROR;
    }

    if (field->list || field->flag) {
        return ngx_status_template_error(c, src, tag->line,
                                         field->list ? "list" : "flag",
                                         &tag->name,
                                         ", it may only be a section");
    }

    if (field->write) {
        if (tag->kind != '&') {
            return ngx_status_template_error(c, src, tag->line, "field",
                                         &tag->name, ", it is ready-made "
                                         "markup and takes three braces");
        }

        op = NGX_STATUS_NODE_WRITE;

    } else {
        op = (tag->kind == '&') ? NGX_STATUS_NODE_RAW : NGX_STATUS_NODE_HTML;
    }

    ngx_status_template_node(c, op, field, depth);

    return NGX_OK;
}


static ngx_int_t
ngx_status_template_open(ngx_status_compiler_t *c, ngx_status_source_t *src,
    ngx_status_tag_t *tag)
{
    ngx_uint_t                 i, depth;
    ngx_status_node_e          op;
    ngx_status_node_t         *node;
    ngx_status_section_t      *section;
    const ngx_status_field_t  *field;

    field = ngx_status_template_lookup(c, src, tag, &depth);
    if (field == NULL) {
        return NGX_ERROR;
    }

    if (field->write) {
        return ngx_status_template_error(c, src, tag->line, "field",
                                         &tag->name,
                                         ", it can not be a section");
    }

    if (c->nsections == NGX_STATUS_TEMPLATE_SECTIONS) {
        return ngx_status_template_error(c, src, tag->line, "section",
                            &tag->name, ", sections are nested over "
                            ngx_value(NGX_STATUS_TEMPLATE_SECTIONS) " deep");
    }

    if (field->list) {

        /* asking for the first item again would lose the current one */

        for (i = 0; i < c->nsections; i++) {
            node = &ngx_status_template_nodes(c)[c->sections[i].node];

            if (node->op == NGX_STATUS_NODE_LIST && node->field == field
                && node->depth == depth)
            {
                return ngx_status_template_error(c, src, tag->line, "list",
                                                 &tag->name, ", it is used "
                                                 "inside itself");
            }
        }
    }

    if (tag->kind == '^') {
        op = NGX_STATUS_NODE_UNLESS;

    } else if (field->list) {
        op = NGX_STATUS_NODE_LIST;

    } else {
        op = NGX_STATUS_NODE_IF;
    }

    section = &c->sections[c->nsections++];
    section->name = tag->name;
    section->line = tag->line;
    section->node = ngx_status_template_count(c);

    ngx_status_template_node(c, op, field, depth);

    if (op == NGX_STATUS_NODE_LIST) {
        c->scopes[c->nscopes].name = tag->name;
        c->scopes[c->nscopes].fields = field->fields;
        c->nscopes++;
    }

    return NGX_OK;
}


/* "outer" sections were open before this source, and are not its own. */

static ngx_int_t
ngx_status_template_close(ngx_status_compiler_t *c, ngx_status_source_t *src,
    ngx_status_tag_t *tag, ngx_uint_t outer)
{
    char                   rest[128];
    uint32_t               end;
    ngx_str_t              name;
    ngx_status_node_t     *node;
    ngx_status_section_t  *section;

    if (c->nsections == outer) {
        return ngx_status_template_error(c, src, tag->line, "closing tag",
                                         &tag->name,
                                         " without an open section");
    }

    section = &c->sections[c->nsections - 1];
    name = section->name;

    if (name.len != tag->name.len
        || memcmp(name.data, tag->name.data, name.len) != 0)
    {
        (void) snprintf(rest, sizeof(rest), ", but the open section is "
                        "\"%.*s\" of line %u", (int) ngx_min(name.len, 64),
                        name.data, (unsigned) section->line);

        return ngx_status_template_error(c, src, tag->line, "closing tag",
                                         &tag->name, rest);
    }

    c->nsections--;

    node = &ngx_status_template_nodes(c)[section->node];

    if (node->op == NGX_STATUS_NODE_LIST) {
        c->nscopes--;
        ngx_status_template_node(c, NGX_STATUS_NODE_NEXT, node->field,
                                 node->depth);

    } else if (c->text.len > c->taken) {
        ngx_status_template_node(c, NGX_STATUS_NODE_NONE, NULL, 0);
    }

    if (c->nodes.failed) {
        return NGX_OK;
    }

    /* the array may have moved */

    end = ngx_status_template_count(c);
    node = &ngx_status_template_nodes(c)[section->node];
    node->jump = end;

    if (node->op == NGX_STATUS_NODE_LIST) {
        ngx_status_template_nodes(c)[end - 1].jump = section->node + 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_status_template_partial(ngx_status_compiler_t *c, ngx_status_source_t *src,
    ngx_status_tag_t *tag, ngx_str_t *indent)
{
    ngx_str_t            text;
    ngx_status_source_t  inner;

    if (src->depth == NGX_STATUS_TEMPLATE_PARTIALS) {
        return ngx_status_template_error(c, src, tag->line, "partial",
                            &tag->name, ", partials are nested over "
                            ngx_value(NGX_STATUS_TEMPLATE_PARTIALS) " deep");
    }

    if (c->partial == NULL || c->partial(c->data, &tag->name, &text) != NGX_OK)
    {
        return ngx_status_template_error(c, src, tag->line, "unknown partial",
                                         &tag->name, "");
    }

    memset(&inner, 0, sizeof(ngx_status_source_t));
    inner.name = &tag->name;
    inner.start = text.data;
    inner.last = text.data + text.len;
    inner.depth = src->depth + 1;

    if (indent) {
        inner.indent = *indent;
        inner.around = src;
    }

    return ngx_status_template_source(c, &inner);
}


static const ngx_status_field_t *
ngx_status_template_lookup(ngx_status_compiler_t *c, ngx_status_source_t *src,
    ngx_status_tag_t *tag, ngx_uint_t *depth)
{
    char                       rest[128];
    ngx_str_t                  name;
    ngx_uint_t                 i;
    const ngx_status_field_t  *field;

    for (i = c->nscopes; i > 0; i--) {
        for (field = c->scopes[i - 1].fields; field->name.len; field++) {
            if (field->name.len == tag->name.len
                && memcmp(field->name.data, tag->name.data, tag->name.len)
                   == 0)
            {
                *depth = i - 1;
                return field;
            }
        }
    }

    name = c->scopes[c->nscopes - 1].name;

    if (name.len) {
        (void) snprintf(rest, sizeof(rest), ", looked up in list \"%.*s\" and "
                        "around it", (int) ngx_min(name.len, 64), name.data);
    }

    (void) ngx_status_template_error(c, src, tag->line, "unknown name",
                                     &tag->name, name.len ? rest
                                        : ", looked up outside of all lists");

    return NULL;
}


static void
ngx_status_template_text(ngx_status_compiler_t *c, ngx_status_source_t *src,
    u_char *p, u_char *last)
{
    u_char  *next;

    while (p < last) {
        if (p == src->start || p[-1] == LF) {
            ngx_status_template_indent(c, src);
        }

        next = memchr(p, LF, last - p);
        next = next ? next + 1 : last;

        ngx_status_out_raw(&c->text, p, next - p);

        p = next;
    }
}


static void
ngx_status_template_indent(ngx_status_compiler_t *c,
    const ngx_status_source_t *src)
{
    if (src->around) {
        ngx_status_template_indent(c, src->around);
        ngx_status_out_raw(&c->text, src->indent.data, src->indent.len);
    }
}


static void
ngx_status_template_node(ngx_status_compiler_t *c, ngx_status_node_e op,
    const ngx_status_field_t *field, ngx_uint_t depth)
{
    ngx_status_node_t  node;

    memset(&node, 0, sizeof(ngx_status_node_t));
    node.field = field;
    node.text = c->taken;
    node.len = c->text.len - c->taken;
    node.op = op;
    node.depth = depth;

    /* of a list and of its end alike: its scope is not open */
    node.item = c->nscopes;

    c->taken = c->text.len;

    ngx_status_out_raw(&c->nodes, &node, sizeof(ngx_status_node_t));
}


/* Says: WHAT "NAME" in line N of "SOURCE"REST.  Always NGX_ERROR. */

static ngx_int_t
ngx_status_template_error(ngx_status_compiler_t *c, ngx_status_source_t *src,
    ngx_uint_t line, const char *what, const ngx_str_t *name,
    const char *rest)
{
    char  shown[65], source[65];

    ngx_status_text_copy(shown, sizeof(shown), name->data, name->len);
    ngx_status_text_copy(source, sizeof(source), src->name->data,
                         src->name->len);

    (void) snprintf(c->err, c->errlen, "%s \"%s\" in line %u of \"%s\"%s",
                    what, shown, (unsigned) line, source, rest);

    return NGX_ERROR;
}
