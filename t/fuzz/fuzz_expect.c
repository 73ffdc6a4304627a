
/*
 * Copyright (C) ngx_status_module authors
 *
 * The words of a condition, a line each; it is then judged by evidence that
 * is always the same, and by none.
 */

/* sources: checks/ngx_status_expect.c checks/ngx_status_words.c
            checks/ngx_status_cond.c checks/ngx_status_cond_value.c
            checks/ngx_status_search.c checks/ngx_status_url.c
            checks/ngx_status_json_path.c checks/ngx_status_json.c
            checks/ngx_status_json_found.c checks/ngx_status_json_match.c
            ngx_status_module/ngx_status_types.c */


#include <stdlib.h>
#include "../../checks/ngx_status_cond.h"


#define FUZZ_WORDS  16

#define fuzz_string(s)  { sizeof(s) - 1, (u_char *) s }


ngx_pool_t *ngx_create_pool(size_t size, ngx_log_t *log);
void ngx_destroy_pool(ngx_pool_t *pool);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const ngx_str_t  fuzz_body = fuzz_string(
    "<!doctype html><title>Welcome</title> \xc3\xa9t\xc3\xa9 \xff\xfe 12\n");

static const ngx_str_t  fuzz_headers = fuzz_string(
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-A: 1\r\nX-A: b\r\n"
    "X-Empty:\r\nnothing\r\n\r\n");

static const ngx_str_t  fuzz_json = fuzz_string(
    "{\"status\":\"ok\",\"n\":5,\"big\":1e999,\"a\":[1,null,true,\"x\",{}],"
    "\"s\":[{\"k\":\"db\",\"v\":1.5},{\"k\":\"web\",\"v\":-0}]}");

static const ngx_str_t  fuzz_records = fuzz_string("192.0.2.1\nMX.example.\n"
    "*.example\n");


static void
fuzz_check(int holds)
{
    if (!holds) {
        abort();
    }
}


static void
fuzz_judge(const ngx_status_cond_t *cond, const ngx_status_evidence_t *ev)
{
    ngx_status_result_t  result;

    memset(&result, 0x5a, sizeof(result));
    result.latency = 1000;

    ngx_status_judge(cond, 1, &fuzz_records, 1, 5000, ev, 1, &result);

    fuzz_check(strlen(result.message) < NGX_STATUS_MESSAGE);

    if (result.state == NGX_STATUS_UP) {
        fuzz_check(result.message[0] == '\0' && result.error == 0
                   && ev->have);

    } else {
        fuzz_check(result.message[0] && result.error
                   && result.state == (cond->prefer ? NGX_STATUS_DEGRADED
                                                    : NGX_STATUS_DOWN));
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                    err[200];
    size_t                  n;
    ngx_str_t               words[FUZZ_WORDS];
    ngx_uint_t              i, nwords, index;
    ngx_pool_t             *pool;
    const uint8_t          *end;
    ngx_status_cond_t       cond;
    ngx_status_evidence_t   ev;

    for (nwords = 0; size && nwords < FUZZ_WORDS; nwords++) {
        end = memchr(data, '\n', size);
        n = end ? (size_t) (end - data) : size;

        words[nwords].len = n;
        words[nwords].data = malloc(n + !n);
        fuzz_check(words[nwords].data != NULL);
        memcpy(words[nwords].data, data, n);

        n += (end != NULL);
        data += n;
        size -= n;
    }

    pool = ngx_create_pool(1024, NULL);

    if (ngx_status_cond_parse(pool, words, nwords, (ngx_uint_t) -1,
                              nwords & 1, &cond, err, sizeof(err))
        != NGX_OK)
    {
        fuzz_check(err[0] != '\0');
        goto done;
    }

    for (i = 0; i < nwords; i++) {
        memset(words[i].data, 0xdd, words[i].len);
    }

    memset(&ev, 0, sizeof(ev));
    fuzz_judge(&cond, &ev);

    index = 0;

    ev.have = (ngx_uint_t) -1;
    ev.body = fuzz_body;
    ev.body_cut = nwords & 1;
    ev.headers = fuzz_headers;
    ev.json_index = &index;

    if (cond.path) {
        ev.json = ngx_status_json_create(&cond.path, 1);
        fuzz_check(ev.json != NULL);
        ngx_status_json_feed(ev.json, fuzz_json.data, fuzz_json.len);
        ngx_status_json_end(ev.json);
    }

    for (i = 0; i < NGX_STATUS_NSUBJECTS; i++) {
        ev.number[i] = (i == NGX_STATUS_S_LATENCY) ? 1.5 : 200;
        ev.share[i] = 0.25;
        ev.string[i] = i == NGX_STATUS_S_INFO ? fuzz_headers : fuzz_records;
    }

    fuzz_judge(&cond, &ev);
    ngx_status_json_free(ev.json);

done:

    for (i = 0; i < nwords; i++) {
        free(words[i].data);
    }

    ngx_destroy_pool(pool);

    return 0;
}
