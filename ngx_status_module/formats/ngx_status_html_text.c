
/*
 * Copyright (C) ngx_status_module authors
 *
 * Numbers, times and links as the HTML pages write them.
 */


#include "ngx_status_html.h"
#include <math.h>
#include <time.h>


static const char  *months[] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};


ngx_str_t
ngx_status_html_string(const char *s)
{
    ngx_str_t  str;

    str.data = (u_char *) s;
    str.len = strlen(s);

    return str;
}


/* What was written from the scratch on; snprintf() says what it would have. */

ngx_str_t
ngx_status_html_cut(u_char *scratch, u_char *p)
{
    ngx_str_t  str;

    str.data = scratch;
    str.len = ngx_min((size_t) (p - scratch), NGX_STATUS_SCRATCH - 1);

    return str;
}


/* Three digits or so: 0.42 ms, 4.2 ms, 42 ms, 4.21 s, 42.1 s. */

ngx_str_t
ngx_status_html_latency(u_char *scratch, uint32_t us)
{
    u_char      *p;
    uint64_t     n;
    ngx_uint_t   digits;
    const char  *unit;

    if (us < 995) {
        n = (us + 5) / 10;
        digits = 2;
        unit = " ms";

    } else if (us < 9950) {
        n = (us + 50) / 100;
        digits = 1;
        unit = " ms";

    } else if (us < 999500) {
        n = (us + 500) / 1000;
        digits = 0;
        unit = " ms";

    } else if (us < 9995000) {
        n = ((uint64_t) us + 5000) / 10000;
        digits = 2;
        unit = " s";

    } else {
        n = ((uint64_t) us + 50000) / 100000;
        digits = 1;
        unit = " s";
    }

    if (digits == 2) {
        p = ngx_status_html_number(scratch, n / 100);
        *p++ = '.';
        *p++ = (u_char) ('0' + n / 10 % 10);
        *p++ = (u_char) ('0' + n % 10);

    } else if (digits == 1) {
        p = ngx_status_html_number(scratch, n / 10);
        *p++ = '.';
        *p++ = (u_char) ('0' + n % 10);

    } else {
        p = ngx_status_html_number(scratch, n);
    }

    while (*unit) {
        *p++ = (u_char) *unit++;
    }

    return ngx_status_html_cut(scratch, p);
}


ngx_str_t
ngx_status_html_duration(u_char *scratch, int64_t ms)
{
    int          n;
    int64_t      s;
    ngx_uint_t   i;

    static const struct {
        int64_t      seconds;
        const char  *unit;
    }  units[] = {
        { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" }
    };

    s = ngx_max(ms, 0) / 1000;

    for (i = 0; i < 3 && s < units[i].seconds; i++) { /* void */ }

    n = snprintf((char *) scratch, NGX_STATUS_SCRATCH, "%lld %s",
                 (long long) (s / units[i].seconds), units[i].unit);

    s %= units[i].seconds;

    if (i < 3 && s / units[i + 1].seconds) {
        n += snprintf((char *) scratch + n, NGX_STATUS_SCRATCH - n,
                      " %lld %s", (long long) (s / units[i + 1].seconds),
                      units[i + 1].unit);
    }

    return ngx_status_html_cut(scratch, scratch + n);
}


/* At most two decimals, and none for nothing. */

ngx_str_t
ngx_status_html_decimal(u_char *scratch, double value)
{
    int   n;
    char *s = (char *) scratch;

    if (!isfinite(value)) {
        return ngx_status_html_string("\xe2\x80\x93");
    }

    if (fabs(value) >= 1e9 || (value != 0 && fabs(value) < 0.005)) {
        n = snprintf(s, NGX_STATUS_SCRATCH - 4, "%.3g", value);

    } else {
        n = snprintf(s, NGX_STATUS_SCRATCH - 4, "%.2f", value);

        while (s[n - 1] == '0') {
            n--;
        }

        if (s[n - 1] == '.') {
            n--;
        }
    }

    return ngx_status_html_cut(scratch, scratch + n);
}


/*
 * Rounded down: 100 % is said of all, never of nearly all; and 0 % of
 * nothing, never of next to nothing.
 */

ngx_str_t
ngx_status_html_percent(u_char *scratch, uint64_t part, uint64_t whole)
{
    u_char    *p;
    uint64_t   n;

    if (part >= whole) {
        return ngx_status_html_string("100%");
    }

    n = part * 10000 / whole;

    if (n == 0 && part) {
        return ngx_status_html_string("<0.01%");
    }

    p = ngx_status_html_number(scratch, n / 100);

    if (n % 100) {
        *p++ = '.';
        *p++ = (u_char) ('0' + n / 10 % 10);
        *p++ = (u_char) ('0' + n % 10);
    }

    *p++ = '%';

    return ngx_status_html_cut(scratch, p);
}


ngx_str_t
ngx_status_html_uptime(u_char *scratch, const ngx_status_uptime_t *u)
{
    if (u->known == 0) {
        return ngx_status_html_string("\xe2\x80\x93");
    }

    return ngx_status_html_percent(scratch, u->up,
                                   u->known * NGX_STATUS_WEIGHT);
}


ngx_str_t
ngx_status_html_known(u_char *scratch, const ngx_status_uptime_t *u)
{
    return ngx_status_html_percent(scratch, u->known, ngx_max(u->whole, 1));
}


/* Less than 95 % is known, so that uptime needs a word more. */

ngx_uint_t
ngx_status_html_part(const ngx_status_uptime_t *u)
{
    return u->known && u->known * 20 < u->whole * 19;
}


ngx_str_t
ngx_status_html_count(u_char *scratch, uint64_t n)
{
    return ngx_status_html_cut(scratch, ngx_status_html_number(scratch, n));
}


void
ngx_status_html_encode(ngx_status_out_t *out, const ngx_str_t *s)
{
    size_t               i;
    u_char               c, hex[3];
    static const u_char  digits[] = "0123456789ABCDEF";

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9')
            || c == '.' || c == '_' || c == '~' || c == '-')
        {
            ngx_status_out_raw(out, &c, 1);
            continue;
        }

        hex[0] = '%';
        hex[1] = digits[c >> 4];
        hex[2] = digits[c & 15];
        ngx_status_out_raw(out, hex, 3);
    }
}


/* "./" and not "?": an empty query is another page to a cache */

void
ngx_status_html_query(ngx_status_html_t *page, ngx_status_out_t *out,
    const ngx_str_t *group, const ngx_str_t *team)
{
    ngx_status_out_raw(out, page->base, strlen(page->base));

    if (page->ask->every) {
        /* nor is a directory a page, where there is no server */
        ngx_status_out_lit(out, "index.html");
        return;
    }

    if (group == NULL && team == NULL) {
        if (page->base[0] == '\0') {
            ngx_status_out_lit(out, "./");
        }

        return;
    }

    if (group) {
        ngx_status_out_lit(out, "?group=");
        ngx_status_html_encode(out, group);
    }

    if (team) {
        ngx_status_out_raw(out, group ? "&amp;team=" : "?team=",
                           group ? 10 : 6);
        ngx_status_html_encode(out, team);
    }
}


/*
 * What is read without a script is UTC; the script tells the reader's own
 * time, to the precision that "datetime" has.  A time of the page's own day
 * goes without its date, one of its year without the year.
 */

void
ngx_status_html_time(ngx_status_html_t *page, ngx_status_out_t *out,
    int64_t ms, ngx_status_html_time_e precision)
{
    char        day[32], clock[16];
    time_t      t, now;
    struct tm   tm, tm_now;

    t = (time_t) (ms / 1000);
    now = (time_t) (page->snapshot->now / 1000);

    if (gmtime_r(&t, &tm) == NULL || gmtime_r(&now, &tm_now) == NULL
        || tm.tm_year < 0 || tm.tm_year > 8099)
    {
        ngx_status_out_lit(out, "an unknown time");
        return;
    }

    ngx_status_out_printf(out, "<time datetime=\"%04d-%02d-%02d",
                          tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);

    if (precision == NGX_STATUS_HTML_DATE) {
        ngx_status_out_printf(out, "\">%d %s %d</time>", tm.tm_mday,
                              months[tm.tm_mon], tm.tm_year + 1900);
        return;
    }

    day[0] = '\0';

    if (tm.tm_year != tm_now.tm_year) {
        snprintf(day, sizeof(day), "%d %s %d, ", tm.tm_mday,
                 months[tm.tm_mon], tm.tm_year + 1900);

    } else if (tm.tm_yday != tm_now.tm_yday) {
        snprintf(day, sizeof(day), "%d %s, ", tm.tm_mday, months[tm.tm_mon]);
    }

    if (precision == NGX_STATUS_HTML_SECOND) {
        snprintf(clock, sizeof(clock), "%02d:%02d:%02d", tm.tm_hour,
                 tm.tm_min, tm.tm_sec);

    } else {
        snprintf(clock, sizeof(clock), "%02d:%02d", tm.tm_hour, tm.tm_min);
    }

    ngx_status_out_printf(out, "T%sZ\">%s%s UTC</time>", clock, day, clock);
}


ngx_str_t
ngx_status_html_day(u_char *scratch, int64_t at)
{
    int        n;
    time_t     t;
    struct tm  tm;

    t = (time_t) at;

    if (gmtime_r(&t, &tm) == NULL) {
        return ngx_status_html_string("an unknown day");
    }

    n = snprintf((char *) scratch, NGX_STATUS_SCRATCH, "%d %s %d", tm.tm_mday,
                 months[tm.tm_mon], tm.tm_year + 1900);

    return ngx_status_html_cut(scratch, scratch + n);
}


u_char *
ngx_status_html_number(u_char *p, uint64_t n)
{
    u_char  *d, digits[20];

    d = digits + sizeof(digits);

    do {
        *--d = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n);

    memcpy(p, d, digits + sizeof(digits) - d);

    return p + (digits + sizeof(digits) - d);
}
