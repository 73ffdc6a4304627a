
/*
 * Copyright (C) ngx_status_module authors
 *
 * The first line is a JSON path, the rest the document.  It is fed at once
 * and in pieces of odd sizes; the outcome must be the same.
 */

/* sources: checks/ngx_status_json_path.c checks/ngx_status_json.c
            checks/ngx_status_json_found.c checks/ngx_status_json_match.c */


#include <stdlib.h>
#include "../../checks/ngx_status_json_path.h"


ngx_pool_t *ngx_create_pool(size_t size, ngx_log_t *log);
void ngx_destroy_pool(ngx_pool_t *pool);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_check(int holds)
{
    if (!holds) {
        abort();
    }
}


static ngx_status_json_t *
fuzz_run(ngx_status_json_path_t *path, const uint8_t *data, size_t size,
    size_t piece)
{
    size_t              n, i;
    uint8_t            *copy;
    ngx_status_json_t  *j;

    j = ngx_status_json_create(&path, 1);
    fuzz_check(j != NULL);

    for (i = 0; i < size; i += n) {
        n = ngx_min(1 + (i * 7 + piece) % piece, size - i);

        /* a copy, so that a byte read beyond the piece is seen */

        copy = malloc(n);
        fuzz_check(copy != NULL);
        memcpy(copy, data + i, n);
        ngx_status_json_feed(j, copy, n);
        free(copy);
    }

    ngx_status_json_end(j);

    return j;
}


static int
fuzz_same(const ngx_str_t *a, const ngx_str_t *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                            err[128];
    size_t                          piece;
    ngx_str_t                       text;
    ngx_uint_t                      i, kept, total, kept1, total1;
    ngx_pool_t                     *pool;
    const uint8_t                  *doc;
    ngx_status_json_t              *whole, *j;
    ngx_status_json_path_t         *path;
    const ngx_status_json_match_t  *m, *m1;

    doc = size ? memchr(data, '\n', size) : NULL;
    text.len = doc ? (size_t) (doc - data) : size;
    text.data = malloc(text.len + 1);
    fuzz_check(text.data != NULL);

    if (text.len) {
        memcpy(text.data, data, text.len);
    }

    pool = ngx_create_pool(1024, NULL);
    path = ngx_status_json_path_compile(pool, &text, err, sizeof(err));
    free(text.data);

    if (path == NULL) {
        fuzz_check(err[0] != '\0');
        ngx_destroy_pool(pool);
        return 0;
    }

    doc = doc ? doc + 1 : data + size;
    size = data + size - doc;

    whole = fuzz_run(path, doc, size, 1 << 24);
    m = ngx_status_json_matches(whole, 0, &kept, &total);
    fuzz_check(kept <= NGX_STATUS_JSON_MATCHES && total >= kept);

    for (piece = 1; piece < 80; piece = piece * 3 + 2) {
        j = fuzz_run(path, doc, size, piece);
        m1 = ngx_status_json_matches(j, 0, &kept1, &total1);

        fuzz_check(kept == kept1 && total == total1);
        fuzz_check(strcmp(ngx_status_json_error(whole),
                          ngx_status_json_error(j)) == 0);

        for (i = 0; i < kept; i++) {
            fuzz_check(m[i].type == m1[i].type && m[i].place == m1[i].place
                       && m[i].cut == m1[i].cut
                       && (i == 0 || m[i].place > m[i - 1].place)
                       && fuzz_same(&m[i].key, &m1[i].key)
                       && fuzz_same(&m[i].text, &m1[i].text)
                       && memcmp(&m[i].number, &m1[i].number, sizeof(double))
                          == 0);
        }

        ngx_status_json_free(j);
    }

    ngx_status_json_free(whole);
    ngx_destroy_pool(pool);

    return 0;
}
