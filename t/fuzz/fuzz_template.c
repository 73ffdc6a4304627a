
/*
 * Copyright (C) ngx_status_module authors
 *
 * Compiles any bytes as a template with three partials (a, b and c, which
 * stand behind lines of "---"), and renders what compiles.
 */

/* sources: ngx_status_module/ngx_status_template.c
            ngx_status_module/ngx_status_template_render.c
            ngx_status_module/ngx_status_out.c
            ngx_status_module/ngx_status_types.c */


#include "../../ngx_status_module/ngx_status_template.h"


#define FUZZ_TEXTS  4


ngx_pool_t *ngx_create_pool(size_t size, ngx_log_t *log);
void ngx_destroy_pool(ngx_pool_t *pool);

static void *fuzz_list(void *view, void *prev);


/*
 * A view is at an address of fuzz_views: its own number.  Lists hold two
 * items, and lists in lists in lists would go on for years: hence a budget.
 */

static char        fuzz_views[3];
static ngx_uint_t  fuzz_budget;


static ngx_str_t
fuzz_text(void *view, u_char *scratch)
{
    ngx_str_t  s;

    s.data = scratch;
    s.len = snprintf((char *) scratch, NGX_STATUS_SCRATCH, "<%d&'\">",
                     (int) ((char *) view - fuzz_views));
    return s;
}


static ngx_str_t
fuzz_empty(void *view, u_char *scratch)
{
    (void) view;
    (void) scratch;

    return (ngx_str_t) ngx_null_string;
}


static ngx_uint_t
fuzz_flag(void *view)
{
    return view == fuzz_views + 1;
}


static void
fuzz_write(void *view, ngx_status_out_t *out)
{
    ngx_status_out_int(out, (char *) view - fuzz_views);
}


static const ngx_status_field_t  fuzz_fields[] = {
    { ngx_string("t"), fuzz_text, NULL, NULL, NULL, NULL },
    { ngx_string("e"), fuzz_empty, NULL, NULL, NULL, NULL },
    { ngx_string("f"), NULL, fuzz_flag, NULL, NULL, NULL },
    { ngx_string("w"), NULL, NULL, fuzz_write, NULL, NULL },
    { ngx_string("l"), NULL, NULL, NULL, fuzz_list, fuzz_fields },
    { ngx_null_string, NULL, NULL, NULL, NULL, NULL }
};


static void *
fuzz_list(void *view, void *prev)
{
    if ((char *) view < fuzz_views || (char *) view > fuzz_views + 2) {
        abort();
    }

    if (fuzz_budget == 0) {
        return NULL;
    }

    fuzz_budget--;

    if (prev == NULL) {
        return fuzz_views + 1;
    }

    return prev == fuzz_views + 1 ? fuzz_views + 2 : NULL;
}


static ngx_int_t
fuzz_partial(void *data, const ngx_str_t *name, ngx_str_t *text)
{
    ngx_str_t  *texts = data;

    if (name->len != 1 || name->data[0] < 'a'
        || name->data[0] > 'a' + FUZZ_TEXTS - 2)
    {
        return NGX_DECLINED;
    }

    *text = texts[name->data[0] - 'a' + 1];
    return NGX_OK;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                    err[100];
    u_char                 *p, *cut, *copies[FUZZ_TEXTS];
    size_t                  left, len;
    ngx_str_t               texts[FUZZ_TEXTS], name = ngx_string("fuzz");
    ngx_uint_t              i;
    ngx_pool_t             *pool;
    ngx_status_out_t        out;
    ngx_status_template_t  *tpl;

    p = (u_char *) data;
    left = size;

    for (i = 0; i < FUZZ_TEXTS; i++) {
        cut = (i < FUZZ_TEXTS - 1 && left) ? memmem(p, left, "---\n", 4)
                                           : NULL;

        /* each in a block of its own, so that reading past it is seen */

        len = cut ? (size_t) (cut - p) : left;
        copies[i] = malloc(len + !len);
        if (copies[i] == NULL) {
            abort();
        }

        if (len) {
            memcpy(copies[i], p, len);
        }

        texts[i].data = copies[i];
        texts[i].len = len;

        p += cut ? len + 4 : len;
        left -= cut ? len + 4 : len;
    }

    memset(err, 0, sizeof(err));
    pool = ngx_create_pool(1024, NULL);

    tpl = ngx_status_template_compile(pool, &name, &texts[0], fuzz_fields,
                                      fuzz_partial, texts, err, sizeof(err));

    for (i = 0; i < FUZZ_TEXTS; i++) {
        free(copies[i]);
    }

    if (tpl == NULL) {
        if (err[0] == '\0' || memchr(err, '\0', sizeof(err)) == NULL) {
            abort();
        }

    } else {
        fuzz_budget = 10000;
        ngx_status_out_init(&out, 1024 * 1024);
        ngx_status_template_render(tpl, fuzz_views, &out);

        if (out.len > out.limit) {
            abort();
        }

        ngx_status_out_free(&out);
    }

    ngx_destroy_pool(pool);

    return 0;
}
