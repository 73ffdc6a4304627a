
/*
 * Copyright (C) ngx_status_module authors
 *
 * What libpq says when something failed, with a server's words in it.
 *
 * sources: checks/ngx_status_pq_words.c ngx_status_module/ngx_status_types.c
 * libs: -lpq
 */


#include "../../checks/ngx_status_pq.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


void
ngx_status_probe_broken(int error, ngx_status_phase_e phase,
    ngx_status_evidence_t *ev)
{
    (void) error;
    (void) phase;

    ngx_status_ev_fails(ev, NGX_STATUS_E_RESET, "broken");
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                    *text;
    static ngx_status_pq_t   pq;

    if (size < 1) {
        return 0;
    }

    text = malloc(size);
    if (text == NULL) {
        return 0;
    }

    ngx_memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';

    ngx_memzero(&pq, sizeof(ngx_status_pq_t));
    pq.answering = data[0] & 1;
    pq.feed.eof = data[0] >> 1 & 1;

    (void) ngx_status_pq_words(&pq, NGX_STATUS_PHASE_WAIT, text);
    (void) ngx_status_pq_errno(text);

    if (pq.ev.message[0] == '\0' && !pq.ev.fault && !pq.ev.error) {
        abort();
    }

    free(text);

    return 0;
}
