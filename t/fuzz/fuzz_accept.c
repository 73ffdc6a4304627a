
/*
 * Copyright (C) ngx_status_module authors
 *
 * An Accept header; blanks in front of it change nothing.
 */

/* sources: ngx_status_module/ngx_status_accept.c */


#include <stdlib.h>
#include "../../ngx_status_module/ngx_status_accept.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char      *text;
    ngx_str_t    accept;
    ngx_uint_t   weight;

    text = malloc(size + 1);
    if (text == NULL) {
        return 0;
    }

    text[0] = ' ';

    if (size) {
        memcpy(text + 1, data, size);
    }

    accept.data = text + 1;
    accept.len = size;
    weight = ngx_status_accept(&accept, "text", "plain", "0.0.4");

    accept.data = text;
    accept.len = size + 1;

    if (weight > 1000
        || weight != ngx_status_accept(&accept, "text", "plain", "0.0.4"))
    {
        abort();
    }

    free(text);

    return 0;
}
