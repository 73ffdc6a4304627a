
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_row.h"
#include <time.h>


static void ngx_status_row_time(ngx_status_out_t *out,
    ngx_status_row_day_t *day, int64_t at);
static void ngx_status_row_ms(ngx_status_out_t *out, uint32_t us);


void
ngx_status_row(ngx_status_out_t *out, ngx_status_row_day_t *day,
    const ngx_str_t *site, const ngx_str_t *domain,
    const ngx_status_brief_t *what, ngx_uint_t measured)
{
    const ngx_str_t  *word;

    ngx_status_row_time(out, day, what->at / 1000);

    ngx_status_out_csv(out, site->data, site->len);
    ngx_status_out_lit(out, ",");
    ngx_status_out_csv(out, domain->data, domain->len);
    ngx_status_out_lit(out, ",");

    word = &ngx_status_states[what->state < NGX_STATUS_NSTATES
                              ? what->state : NGX_STATUS_UNKNOWN].name;
    ngx_status_out_csv(out, word->data, word->len);
    ngx_status_out_lit(out, ",");

    if (what->http_status) {
        ngx_status_out_int(out, what->http_status);
    }

    ngx_status_out_lit(out, ",");

    if (measured && what->latency) {
        ngx_status_row_ms(out, what->latency);
    }

    ngx_status_out_lit(out, ",");

    if (what->error < NGX_STATUS_NERRORS) {
        word = &ngx_status_errors[what->error];
        ngx_status_out_csv(out, word->data, word->len);
    }

    ngx_status_out_lit(out, "\r\n");
}


static void
ngx_status_row_time(ngx_status_out_t *out, ngx_status_row_day_t *day,
    int64_t at)
{
    char         clock[sizeof("09:00:00Z,")];
    time_t       t;
    struct tm    tm;
    ngx_uint_t   s;

    if (day->number != at / 86400) {
        day->number = at / 86400;
        t = (time_t) at;

        if (gmtime_r(&t, &tm) == NULL
            || strftime(day->text, sizeof(day->text), "%Y-%m-%dT", &tm) == 0)
        {
            day->text[0] = '\0';
        }
    }

    s = at % 86400;

    clock[0] = (char) ('0' + s / 36000);
    clock[1] = (char) ('0' + s / 3600 % 10);
    clock[2] = ':';
    clock[3] = (char) ('0' + s / 600 % 6);
    clock[4] = (char) ('0' + s / 60 % 10);
    clock[5] = ':';
    clock[6] = (char) ('0' + s / 10 % 6);
    clock[7] = (char) ('0' + s % 10);
    clock[8] = 'Z';
    clock[9] = ',';

    ngx_status_out_raw(out, day->text, strlen(day->text));
    ngx_status_out_raw(out, clock, 10);
}


static void
ngx_status_row_ms(ngx_status_out_t *out, uint32_t us)
{
    char  digits[3];

    digits[0] = (char) ('0' + us / 100 % 10);
    digits[1] = (char) ('0' + us / 10 % 10);
    digits[2] = (char) ('0' + us % 10);

    ngx_status_out_int(out, us / 1000);
    ngx_status_out_lit(out, ".");
    ngx_status_out_raw(out, digits, 3);
}
