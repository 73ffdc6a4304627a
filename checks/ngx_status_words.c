
/*
 * Copyright (C) ngx_status_module authors
 *
 * The sentences of conditions that do not hold: what came, and what was
 * expected.
 */


#include "ngx_status_cond.h"
#include "ngx_status_url.h"
#include <math.h>
#include <stdio.h>


#define NGX_STATUS_WORDS_LOOK  65536     /* bytes that tell what a body is */


static void ngx_status_words_number(const ngx_status_look_t *look, char *buf,
    size_t size);
static void ngx_status_words_value(const ngx_status_seen_t *seen, char *buf,
    size_t size);
static void ngx_status_words_got(const ngx_str_t *body, char *buf,
    size_t size);
static const char *ngx_status_words_kind(const ngx_str_t *body);


void
ngx_status_words_look(const ngx_status_look_t *look,
    const ngx_status_evidence_t *ev, const char *trouble, char *message)
{
    int                       shown;
    char                      name[128], value[256], where[96], several[48];
    char                      got[96];
    u_char                    url[256];
    const char               *verb;
    ngx_uint_t                subject;
    ngx_status_seen_t         failed;
    const ngx_status_cond_t  *cond;
    const ngx_status_test_t  *test;

    static const char  *missing[NGX_STATUS_NSUBJECTS] = {
        "no status came", "no body came", "is missing", "is missing",
        "no latency was measured", "no certificate came",
        "no such record came", "no size came", "no score came",
        "no rcode came", "no rows came", "no value came",
        "free space is not known", "free inodes are not known",
        "load is not known", "age is not known", "is missing",
        "was not redirected",
        "end of the certificate's chain is not known",
        "issuer of the certificate is not known",
        "names of the certificate are not known",
        "whether the certificate verifies is not known"
    };

    cond = look->cond;
    test = cond->test;

    snprintf(name, sizeof(name), "%s%s%.*s",
             (char *) ngx_status_subjects[cond->subject].name.data,
             cond->name.len ? " " : "", ngx_status_words_cut(&cond->name, 40),
             (char *) cond->name.data);

    where[0] = '\0';

    if (ev->body_cut && (cond->subject == NGX_STATUS_S_BODY
                         || cond->subject == NGX_STATUS_S_JSON))
    {
        snprintf(where, sizeof(where), " in the first %lu bytes",
                 cond->subject == NGX_STATUS_S_BODY
                     ? (unsigned long) ev->body.len
                     : (unsigned long) ev->number[NGX_STATUS_S_SIZE]);
    }

    if (trouble) {
        ngx_status_message(message, "%s: %s%s", name, trouble, where);
        return;
    }

    if (look->n == 0) {

        if (cond->subject == NGX_STATUS_S_HEADER
            || cond->subject == NGX_STATUS_S_JSON
            || cond->subject == NGX_STATUS_S_INFO)
        {
            ngx_status_message(message, "%s is missing%s", name, where);
            return;
        }

        subject = cond->subject;

        if (subject >= NGX_STATUS_S_CERT_CHAIN
            && !(ev->have & ngx_status_subject_bit(subject)))
        {
            subject = NGX_STATUS_S_CERT;
        }

        ngx_status_message(message, "%s, expected %s", missing[subject],
                           (char *) test->expected.data);
        return;
    }

    shown = ngx_status_words_cut(&test->wanted, 100);

    if (look->gave_up) {
        ngx_status_message(message, "%s: regular expression %.*s took too "
                           "long%s", name, shown, (char *) test->wanted.data,
                           where);
        return;
    }

    if (cond->subject == NGX_STATUS_S_BODY && !test->negative) {
        snprintf(where + strlen(where), sizeof(where) - strlen(where), "%s",
                 ngx_status_words_kind(&ev->body));
    }

    if (cond->subject == NGX_STATUS_S_BODY
        && (test->op == NGX_STATUS_OP_CONTAINS
            || test->op == NGX_STATUS_OP_MATCH))
    {
        if (test->op == NGX_STATUS_OP_CONTAINS) {
            verb = test->negative ? "contains" : "does not contain";

        } else {
            verb = test->negative ? "matches" : "does not match";
        }

        got[0] = '\0';

        if (ev->body_told) {
            ngx_status_words_got(&ev->body, got, sizeof(got));
        }

        ngx_status_message(message, "%s %s %.*s%s%s", name, verb, shown,
                           (char *) test->wanted.data, where, got);
        return;
    }

    if (ngx_status_subjects[cond->subject].kind < NGX_STATUS_KIND_TEXT) {
        ngx_status_words_number(look, value, sizeof(value));
        ngx_status_message(message, "%s, expected %s", value,
                           (char *) test->expected.data);
        return;
    }

    several[0] = '\0';

    if (look->n > 1 && !test->negative) {
        snprintf(several, sizeof(several), " (first of %lu)",
                 (unsigned long) look->n);
    }

    failed = look->failed;

    if (cond->subject == NGX_STATUS_S_REDIRECT) {
        failed.text.len = ngx_status_url_redact(url, sizeof(url),
                                                failed.text.data,
                                                failed.text.len);
        failed.text.data = url;
    }

    ngx_status_words_value(&failed, value, sizeof(value));

    ngx_status_message(message, "%s is %s%s%s, expected %s", name, value,
                       several, where, (char *) test->expected.data);
}


static void
ngx_status_words_number(const ngx_status_look_t *look, char *buf, size_t size)
{
    char               took[64];
    double             number;
    const char        *word;
    const ngx_uint_t   subject = look->cond->subject;

    number = look->failed.number;
    word = (char *) ngx_status_subjects[subject].name.data;

    if (subject == NGX_STATUS_S_CERT || subject == NGX_STATUS_S_CERT_CHAIN) {
        word = subject == NGX_STATUS_S_CERT ? "certificate"
                                            : "certificate's chain";
        ngx_status_words_duration(fabs(number), took, sizeof(took));

        if (number < 0) {
            snprintf(buf, size, "%s expired %s ago", word, took);

        } else if (number < 2 * 86400) {
            snprintf(buf, size, "%s has %s left", word, took);

        } else {
            snprintf(buf, size, "%s has %.0f days left", word,
                     floor(number / 86400));
        }

        return;
    }

    if (look->cond->test->values[0].percent) {
        snprintf(buf, size, "%s %.4g%%", word, look->failed.share * 100);
        return;
    }

    switch (ngx_status_subjects[subject].kind) {

    case NGX_STATUS_KIND_DURATION:
        ngx_status_words_duration(number, took, sizeof(took));
        snprintf(buf, size, "%s %s", word, took);
        break;

    case NGX_STATUS_KIND_SIZE:
        if (number < 1e6) {
            snprintf(buf, size, "%s %.0f bytes", word, number);
        } else {
            snprintf(buf, size, "%s %.0f bytes (%s)", word, number,
                     ngx_status_words_bytes(number, took, sizeof(took)));
        }

        break;

    case NGX_STATUS_KIND_FLAG:
        snprintf(buf, size, "certificate %s",
                 number != 0 ? "verifies" : "does not verify");
        break;

    default:
        snprintf(buf, size, "%s %.10g", word, number);
        break;
    }
}


static void
ngx_status_words_value(const ngx_status_seen_t *seen, char *buf, size_t size)
{
    int   shown;
    char  text[64];

    shown = ngx_status_words_cut(&seen->text, 60);

    switch (seen->type) {

    case NGX_STATUS_JSON_TEXT:
        /* a NUL does not end it */
        ngx_status_text_copy(text, sizeof(text), seen->text.data, shown);
        snprintf(buf, size, "\"%s%s\"", text,
                 (size_t) shown < seen->text.len ? "..." : "");
        break;

    case NGX_STATUS_JSON_NUMBER:
        snprintf(buf, size, "%.*s%s", shown, (char *) seen->text.data,
                 (size_t) shown < seen->text.len ? "..." : "");
        break;

    case NGX_STATUS_JSON_BOOL:
        snprintf(buf, size, "%s", seen->number != 0 ? "true" : "false");
        break;

    case NGX_STATUS_JSON_NULL:
        snprintf(buf, size, "null");
        break;

    case NGX_STATUS_JSON_OBJECT:
        snprintf(buf, size, "an object");
        break;

    default: /* NGX_STATUS_JSON_ARRAY */
        snprintf(buf, size, "an array");
        break;
    }
}


/* White space and what is no text are one space. */

static void
ngx_status_words_got(const ngx_str_t *body, char *buf, size_t size)
{
    char    text[64], clean[64];
    size_t  i, n;

    for (i = 0, n = 0; i < body->len && n < sizeof(text) - 1; i++) {
        if (body->data[i] > ' ' && body->data[i] != 0x7f) {
            text[n++] = body->data[i];

        } else if (n && text[n - 1] != ' ') {
            text[n++] = ' ';
        }
    }

    n -= (n && text[n - 1] == ' ');

    ngx_status_text_copy(clean, sizeof(clean), (u_char *) text, n);

    snprintf(buf, size, ", got \"%s%s\"", clean, i < body->len ? "..." : "");
}


/* What a body is that is not as it is meant to be. */

static const char *
ngx_status_words_kind(const ngx_str_t *body)
{
    size_t  len;

    len = ngx_min(body->len, NGX_STATUS_WORDS_LOOK);

    if (len && memchr(body->data, '\0', len)) {
        return ", and is not text";
    }

    /* the last character may be cut off */

    while (len && (body->data[len - 1] & 0xc0) == 0x80) {
        len--;
    }

    len -= (len && body->data[len - 1] >= 0xc0);

    return ngx_status_text_utf8(body->data, len) ? "" : ", and is not UTF-8";
}


/* Three decimals at most, without zeros behind. */

void
ngx_status_words_duration(double s, char *buf, size_t size)
{
    char         digits[40], *p;
    ngx_uint_t   i;

    static const struct {
        double       from;
        double       factor;
        const char  *format;
        const char  *unit;
    } units[] = {
        { 2 * 86400., 86400, "%.1f", " days" },
        { 2 * 3600., 3600, "%.1f", " hours" },
        { 300, 60, "%.1f", " minutes" },
        { 1, 1, "%.3f", "s" },
        { -INFINITY, 0.001, "%.1f", "ms" }
    };

    for (i = 0; s < units[i].from && units[i].factor > 0.001; i++) {
        /* void */
    }

    snprintf(digits, sizeof(digits), units[i].format,
             ngx_min(s / units[i].factor, 1e15));

    p = strchr(digits, '.');

    if (p) {
        p += strlen(p) - 1;

        while (*p == '0') {
            *p-- = '\0';
        }

        if (*p == '.') {
            *p = '\0';
        }
    }

    snprintf(buf, size, "%s%s", digits, units[i].unit);
}


const char *
ngx_status_words_bytes(double bytes, char *text, size_t size)
{
    ngx_uint_t  i;

    static const char  *units[] = { "bytes", "kB", "MB", "GB", "TB", "PB" };

    for (i = 0; bytes >= 1000 && i < 5; i++) {
        bytes /= 1024;
    }

    snprintf(text, size, i && bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes,
             units[i]);

    return text;
}


int
ngx_status_words_cut(const ngx_str_t *text, size_t max)
{
    size_t  n;

    n = ngx_min(text->len, max);

    while (n && n < text->len && (text->data[n] & 0xc0) == 0x80) {
        n--;
    }

    return (int) n;
}
