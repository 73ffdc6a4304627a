
/*
 * Copyright (C) ngx_status_module authors
 *
 * The tables of words, and the one way text from outside gets into a
 * record.
 */


#include "ngx_status_types.h"


static size_t ngx_status_text_char(const u_char *p, size_t len,
    ngx_uint_t *printable);


/*
 * Marks are plain geometric or ASCII characters: every font has them, and
 * none of them turns into a colored picture.  Severity lets a known problem
 * win over "unknown", and "unknown" over everything that is fine.
 */

const ngx_status_word_t  ngx_status_states[NGX_STATUS_NSTATES] = {

    { ngx_string("unknown"),
      ngx_string("Unknown"),
      ngx_string("The status is not known"),
      ngx_string("?"),
      2 },

    { ngx_string("up"),
      ngx_string("Up"),
      ngx_string("All systems operational"),
      ngx_string("\xe2\x9c\x93"),                /* check mark */
      0 },

    { ngx_string("degraded"),
      ngx_string("Degraded"),
      ngx_string("Some systems are degraded"),
      ngx_string("\xe2\x96\xb2"),                /* triangle */
      3 },

    { ngx_string("bot_detected"),
      ngx_string("Bot wall"),
      ngx_string("Some systems answer with a bot wall"),
      ngx_string("\xe2\x97\x86"),                /* diamond */
      4 },

    { ngx_string("timeout"),
      ngx_string("Timeout"),
      ngx_string("Some systems do not answer in time"),
      ngx_string("\xe2\x80\xa6"),                /* ellipsis */
      5 },

    { ngx_string("down"),
      ngx_string("Down"),
      ngx_string("Some systems are down"),
      ngx_string("\xe2\x9c\x95"),                /* cross */
      6 },

    { ngx_string("maintenance"),
      ngx_string("Maintenance"),
      ngx_string("Maintenance is under way"),
      ngx_string("\xe2\x96\xa0"),                /* square */
      1 }
};


const ngx_str_t  ngx_status_errors[NGX_STATUS_NERRORS] = {
    ngx_string(""),
    ngx_string("internal"),
    ngx_string("resolve"),
    ngx_string("connect"),
    ngx_string("tls"),
    ngx_string("timeout"),
    ngx_string("reset"),
    ngx_string("protocol"),
    ngx_string("redirect"),
    ngx_string("status"),
    ngx_string("header"),
    ngx_string("content"),
    ngx_string("size"),
    ngx_string("latency"),
    ngx_string("cert"),
    ngx_string("score"),
    ngx_string("bot"),
    ngx_string("auth"),
    ngx_string("dns"),
    ngx_string("value")
};


const ngx_str_t  ngx_status_levels[NGX_STATUS_NLEVELS] = {
    ngx_string("neutral"),
    ngx_string("ok"),
    ngx_string("warning"),
    ngx_string("critical")
};


const ngx_str_t  ngx_status_phases[NGX_STATUS_NPHASES] = {
    ngx_string("resolve"),
    ngx_string("connect"),
    ngx_string("tls"),
    ngx_string("wait"),
    ngx_string("transfer")
};


const ngx_str_t  ngx_status_outlet_states[NGX_STATUS_OUTLET_NSTATES] = {
    ngx_string("off"),
    ngx_string("ok"),
    ngx_string("waiting"),
    ngx_string("failed")
};


void
ngx_status_text_copy(char *dst, size_t size, const u_char *text, size_t len)
{
    char        *last;
    size_t       n;
    ngx_uint_t   printable;

    if (size == 0) {
        return;
    }

    last = dst + size - 1;

    for ( /* void */ ; len != 0 && dst < last; text += n, len -= n) {

        n = ngx_status_text_char(text, len, &printable);

        if (!printable) {
            *dst++ = '?';
            continue;
        }

        if ((size_t) (last - dst) < n) {
            break;
        }

        memcpy(dst, text, n);
        dst += n;
    }

    *dst = '\0';
}


void
ngx_status_message(char dst[NGX_STATUS_MESSAGE], const char *fmt, ...)
{
    int      n;
    char     buf[4 * NGX_STATUS_MESSAGE];
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(buf, sizeof(buf), fmt, args);
    va_end(args);

    if (n < 0) {
        n = 0;
    }

    /* buf is long enough that a character cut at its end is beyond dst's */

    ngx_status_text_copy(dst, NGX_STATUS_MESSAGE, (u_char *) buf,
                         ngx_min((size_t) n, sizeof(buf) - 1));
}


ngx_uint_t
ngx_status_text_utf8(const u_char *text, size_t len)
{
    size_t      n;
    ngx_uint_t  printable;

    for ( /* void */ ; len; text += n, len -= n) {
        n = ngx_status_text_char(text, len, &printable);

        if (n == 1 && text[0] >= 0x80) {
            return 0;
        }
    }

    return 1;
}


/*
 * The length of the character at p; a broken byte is a character of one.
 * Not printable are also the characters that break or reorder the line they
 * stand in: a message must not be able to rewrite the page around it.
 */

static size_t
ngx_status_text_char(const u_char *p, size_t len, ngx_uint_t *printable)
{
    size_t    n, i;
    uint32_t  c, min;

    *printable = 0;

    if (p[0] < 0x80) {
        *printable = (p[0] >= 0x20 && p[0] != 0x7f);
        return 1;
    }

    if ((p[0] & 0xe0) == 0xc0) {
        n = 2;
        c = p[0] & 0x1f;
        min = 0x80;

    } else if ((p[0] & 0xf0) == 0xe0) {
        n = 3;
        c = p[0] & 0x0f;
        min = 0x800;

    } else if ((p[0] & 0xf8) == 0xf0) {
        n = 4;
        c = p[0] & 0x07;
        min = 0x10000;

    } else {
        return 1;
    }

    if (len < n) {
        return 1;
    }

    for (i = 1; i < n; i++) {

        if ((p[i] & 0xc0) != 0x80) {
            return 1;
        }

        c = (c << 6) | (p[i] & 0x3f);
    }

    if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return 1;
    }

    *printable = !(c <= 0x9f                          /* C1 controls */
                   || (c >= 0x2028 && c <= 0x202e)    /* lines, direction */
                   || (c >= 0x2066 && c <= 0x2069)    /* direction */
                   || (c & 0xfffe) == 0xfffe);        /* no characters */

    return n;
}
