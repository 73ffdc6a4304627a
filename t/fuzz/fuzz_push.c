
/*
 * Copyright (C) ngx_status_module authors
 *
 * A heartbeat: a line with the length of the location's name, lines with
 * path, arguments and "Authorization", and then the body, which comes in two
 * pieces.
 */

/* sources: ngx_status_module/ngx_status_dialect.c
            ngx_status_module/ngx_status_dialect_value.c
            ngx_status_module/ngx_status_types.c */


#include <stdlib.h>
#include "../../ngx_status_module/ngx_status_dialect.h"


#define FUZZ_LINES  4


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const ngx_str_t  fuzz_group = ngx_string("My Jobs");
static const ngx_str_t  fuzz_id = ngx_string("backup");


static void
fuzz_check(int holds)
{
    if (!holds) {
        abort();
    }
}


/* A copy of its own, so that a byte too far is seen. */

static u_char *
fuzz_copy(const uint8_t *data, size_t size)
{
    u_char  *copy;

    copy = malloc(size + !size);
    fuzz_check(copy != NULL);
    memcpy(copy, data, size);

    return copy;
}


/* The token is not in what the client said; in our own words it may be. */

static void
fuzz_secret(const ngx_status_heartbeat_t *hb)
{
    char         token[NGX_STATUS_TOKEN + 1];
    size_t       len;
    const char  *said;

    len = strnlen((char *) hb->token, NGX_STATUS_TOKEN);
    memcpy(token, hb->token, len);
    token[len] = '\0';

    said = hb->push.message;

    if (hb->push.kind == NGX_STATUS_PUSH_FAILURE) {
        said = strstr(said, ": ");
        said = said ? said + 2 : "";
    }

    if (len >= 8 && strspn(token, "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
                    == len)
    {
        fuzz_check(strstr(said, token) == NULL);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                  n, len;
    u_char                 *body[2];
    ngx_str_t               lines[FUZZ_LINES], text, none;
    ngx_uint_t              i;
    const u_char           *tokens[1];
    const uint8_t          *end;
    ngx_status_heartbeat_t  hb, again;

    for (i = 0; i < FUZZ_LINES; i++) {
        end = size ? memchr(data, '\n', size) : NULL;
        n = end ? (size_t) (end - data) : size;

        lines[i].len = n;
        lines[i].data = fuzz_copy(data, n);

        n += (end != NULL);
        data += n;
        size -= n;
    }

    n = size / 2;
    body[0] = fuzz_copy(data, n);
    body[1] = fuzz_copy(data + n, size - n);

    ngx_status_dialect_parse(&hb, &lines[1], lines[0].len, &lines[2],
                             &lines[3]);
    again = hb;

    fuzz_check(hb.status == 200 || hb.status == 400 || hb.status == 401
               || hb.status == 404);
    fuzz_check((hb.status == 200) == (hb.problem == NULL));
    fuzz_check(hb.push.kind <= NGX_STATUS_PUSH_LOG && hb.code < 257);

    /* what may be told is of the path, and without the token */

    fuzz_check(hb.head.len + hb.tail.len <= lines[1].len);

    if (hb.dialect != NGX_STATUS_DIALECT_GATUS && hb.token[0]) {
        len = strnlen((char *) hb.token, NGX_STATUS_TOKEN);
        fuzz_check(hb.head.len + len + hb.tail.len <= lines[1].len);
    }

    if (hb.key.len) {
        (void) ngx_status_dialect_key(&hb.key, &fuzz_group, &fuzz_id);
        fuzz_check(ngx_status_dialect_key(&hb.key, &fuzz_group, &hb.key));
    }

    tokens[0] = hb.token;
    fuzz_check(ngx_status_dialect_find(hb.token, tokens, 1) == 1);

    ngx_status_dialect_body(&hb, body[0], n);
    ngx_status_dialect_body(&hb, body[1], size - n);
    ngx_status_dialect_end(&hb);

    n = strnlen(hb.push.message, NGX_STATUS_MESSAGE);
    fuzz_check(n < NGX_STATUS_MESSAGE);

    fuzz_check(n != 0 || hb.push.kind != NGX_STATUS_PUSH_FAILURE);

    fuzz_secret(&hb);

    /* the same in one piece */

    text.data = fuzz_copy(data, size);
    ngx_status_dialect_body(&again, text.data, size);
    ngx_status_dialect_end(&again);
    fuzz_check(memcmp(&hb.push, &again.push, sizeof(hb.push)) == 0);
    free(text.data);

    ngx_str_null(&none);
    ngx_status_dialect_parse(&hb, &lines[1], lines[0].len, &none, &none);

    for (i = 0; i < FUZZ_LINES; i++) {
        free(lines[i].data);
    }

    free(body[0]);
    free(body[1]);

    return 0;
}
