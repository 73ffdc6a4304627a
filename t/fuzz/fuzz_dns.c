
/*
 * Copyright (C) ngx_status_module authors
 *
 * Answers of name servers.
 *
 * sources: checks/ngx_status_dns.c
 * libs: -lcares
 */


#define NGX_STATUS_CARES  1

#include "../../checks/ngx_status_dns.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char                     *err;
    static ngx_status_dns_answer_t  answer;

    static const ngx_uint_t  types[] = { 1, 2, 5, 6, 12, 15, 16, 28, 33, 257 };

    if (size < 1) {
        return 0;
    }

    if (ngx_status_dns_parse(data + 1, size - 1, types[data[0] % 10], &answer,
                             &err)
        == NGX_OK
        && (answer.rcode == NULL || answer.len > NGX_STATUS_DNS_TEXT
            || (answer.len && answer.nrecords == 0)))
    {
        abort();
    }

    return 0;
}
