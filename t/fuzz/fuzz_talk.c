
/*
 * Copyright (C) ngx_status_module authors
 *
 * The first byte picks the protocol and whether there is a login, the rest is
 * what a peer says, all of it before it was asked anything.  It is fed at
 * once and in pieces; what is answered, and where it ends, must be the same.
 */

/* sources: checks/ngx_status_talk.c checks/ngx_status_talk_text.c
            checks/ngx_status_talk_ldap.c checks/ngx_status_talk_mqtt.c
            ngx_status_module/ngx_status_types.c */


#include "../../checks/ngx_status_talk.h"


typedef struct {
    ngx_int_t           rc;
    size_t              taken;
    uint32_t            said;            /* a hash of what was, in order */
    ngx_uint_t          code;
    ngx_status_error_e  error;
    char                text[NGX_STATUS_MESSAGE];
    size_t              size;
    size_t              message;
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
fuzz_say(ngx_status_talk_t *t, fuzz_talk_t *talk)
{
    char  text[64];

    if (t->out) {
        fuzz_check(t->out->data != NULL && t->out->len);
        talk->said = talk->said * 31 + (uint32_t) (t->out - t->conf->say) + 1;
        t->out = NULL;
    }

    fuzz_check(strlen(ngx_status_talk_awaited(t, text, sizeof(text))) > 8);
}


static void
fuzz_run(const ngx_status_talk_conf_t *conf, const uint8_t *data, size_t size,
    size_t piece, fuzz_talk_t *talk)
{
    size_t              n, i;
    uint8_t            *copy;
    const u_char       *p, *last;
    ngx_status_talk_t   t;

    memset(talk, 0, sizeof(fuzz_talk_t));
    memset(&t, 0, sizeof(ngx_status_talk_t));
    t.conf = conf;

    talk->rc = ngx_status_talk_begin(&t);
    fuzz_say(&t, talk);

    for (i = 0; i < size && talk->rc == NGX_AGAIN; i += n) {
        n = ngx_min(1 + (i * 7 + piece) % piece, size - i);

        /* a copy, so that a byte read beyond the piece is seen */

        copy = malloc(n);
        fuzz_check(copy != NULL);
        memcpy(copy, data + i, n);

        p = copy;
        last = copy + n;

        while (p < last && talk->rc == NGX_AGAIN) {
            talk->rc = ngx_status_talk_feed(&t, &p, last);
            fuzz_say(&t, talk);
        }

        fuzz_check(p <= last);
        talk->taken += p - copy;
        free(copy);
    }

    fuzz_check(t.total == talk->taken && t.total <= NGX_STATUS_TALK_TOTAL);

    if (talk->rc == NGX_ERROR) {
        fuzz_check(t.error && t.text[0]);
        talk->error = t.error;
        memcpy(talk->text, t.text, NGX_STATUS_MESSAGE);
    }

    talk->code = t.code;
    talk->size = t.size;
    talk->message = t.message.len;

    fuzz_check(t.message.len <= conf->protocol->keep);
    ngx_status_talk_end(&t);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                  piece;
    fuzz_talk_t             whole, talk;
    ngx_uint_t              i;
    ngx_status_talk_conf_t  conf;

    static const char  *names[] = { "smtp", "imap", "pop3", "ftp", "ldap",
                                    "mqtt" };

    if (size == 0) {
        return 0;
    }

    memset(&conf, 0, sizeof(conf));

    conf.protocol = ngx_status_talk_protocol(names[data[0] % 6]);
    conf.login = (data[0] & 0x40) != 0;
    conf.secured = (data[0] & 0x80) != 0;
    conf.await = conf.secured;

    for (i = 0; i < NGX_STATUS_NSAY; i++) {
        if (conf.protocol->words[i]) {
            conf.say[i].data = (u_char *) (i == NGX_STATUS_SAY_ACT ? "b NOOP"
                                                                   : "a x");
            conf.say[i].len = 3;
        }
    }

    if (data[0] % 6 == 2 && !conf.login) {
        conf.say[NGX_STATUS_SAY_ACT].data = NULL;
    }

    if (!conf.await) {
        conf.say[NGX_STATUS_SAY_SUBSCRIBE].data = NULL;
    }

    data++;
    size--;

    fuzz_run(&conf, data, size, 1 << 24, &whole);

    for (piece = 1; piece < 80; piece = piece * 3 + 2) {
        fuzz_run(&conf, data, size, piece, &talk);
        fuzz_check(memcmp(&talk, &whole, sizeof(talk)) == 0);
    }

    return 0;
}
