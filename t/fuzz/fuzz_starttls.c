
/*
 * Copyright (C) ngx_status_module authors
 *
 * The first byte picks the dialect, the rest is what a peer says in the
 * clear, all of it before it was asked anything.  It is fed at once and in
 * pieces; what is answered, and where it ends, must be the same.
 */

/* sources: checks/ngx_status_starttls.c ngx_status_module/ngx_status_types.c
 */


#include <stdlib.h>
#include "../../checks/ngx_status_starttls.h"


#define FUZZ_SAID  512


typedef struct {
    ngx_int_t           rc;
    size_t              taken;
    u_char              said[FUZZ_SAID];
    size_t              len;
    ngx_status_error_e  error;
    char                message[NGX_STATUS_MESSAGE];
} fuzz_talk_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_check(int holds)
{
    if (!holds) {
        abort();
    }
}


static void
fuzz_say(ngx_status_starttls_t *st, fuzz_talk_t *talk)
{
    fuzz_check(st->out_len <= sizeof(st->out)
               && talk->len + st->out_len <= FUZZ_SAID);

    memcpy(talk->said + talk->len, st->out, st->out_len);
    talk->len += st->out_len;
    st->out_len = 0;
}


static void
fuzz_run(ngx_status_starttls_e dialect, const uint8_t *data, size_t size,
    size_t piece, fuzz_talk_t *talk)
{
    size_t                  n, i;
    uint8_t                *copy;
    const u_char           *p, *last;
    ngx_status_starttls_t   st;

    memset(talk, 0, sizeof(fuzz_talk_t));
    talk->rc = NGX_AGAIN;

    ngx_status_starttls_begin(&st, dialect);
    fuzz_say(&st, talk);

    for (i = 0; i < size && talk->rc == NGX_AGAIN; i += n) {
        n = ngx_min(1 + (i * 7 + piece) % piece, size - i);

        /* a copy, so that a byte read beyond the piece is seen */

        copy = malloc(n);
        fuzz_check(copy != NULL);
        memcpy(copy, data + i, n);

        p = copy;
        last = copy + n;

        while (p < last && talk->rc == NGX_AGAIN) {
            talk->rc = ngx_status_starttls_feed(&st,
                            "[IPv6:ffff:ffff:ffff:ffff:ffff:ffff:"
                            "255.255.255.255]", &p, last);
            fuzz_say(&st, talk);
        }

        fuzz_check(p <= last);
        talk->taken += p - copy;
        free(copy);
    }

    if (talk->rc == NGX_ERROR) {
        fuzz_check(st.error && st.message[0]);
        talk->error = st.error;
        memcpy(talk->message, st.message, NGX_STATUS_MESSAGE);
    }

    fuzz_check(talk->taken <= NGX_STATUS_STARTTLS_TOTAL);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                 piece;
    fuzz_talk_t            whole, talk;
    ngx_status_starttls_e  dialect;

    if (size == 0) {
        return 0;
    }

    dialect = data[0] % NGX_STATUS_STARTTLS_NONE;
    fuzz_check(ngx_status_starttls_port(dialect));

    data++;
    size--;

    fuzz_run(dialect, data, size, 1 << 24, &whole);

    for (piece = 1; piece < 80; piece = piece * 3 + 2) {
        fuzz_run(dialect, data, size, piece, &talk);

        fuzz_check(talk.rc == whole.rc && talk.taken == whole.taken
                   && talk.len == whole.len && talk.error == whole.error
                   && memcmp(talk.said, whole.said, whole.len) == 0
                   && strcmp(talk.message, whole.message) == 0);
    }

    return 0;
}
