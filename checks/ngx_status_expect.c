
/*
 * Copyright (C) ngx_status_module authors
 *
 * Judges a probe: shows each condition what was seen of its subject, and
 * words what did not hold.  Whatever can not be decided does not hold.
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                      /* memmem() */
#endif
#include "ngx_status_expect.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH  8
#endif
#include <pcre2.h>


/*
 * The work of one regular expression, about nanoseconds.  PCRE2's own match
 * limit begins anew at each byte of the subject, so it bounds nothing here;
 * callouts, which it makes before each item, do.
 */
#define NGX_STATUS_REGEX_WORK    32000000
#define NGX_STATUS_REGEX_MATCH    1000000
#define NGX_STATUS_REGEX_HEAP        8192        /* kB */


/* One thing seen of a subject. */

typedef struct {
    ngx_status_json_type_e    type;
    double                    number;    /* NAN: it is none */
    double                    share;
    ngx_str_t                 text;
} ngx_status_seen_t;


/* All that was seen, and the first that did not hold. */

typedef struct {
    const ngx_status_cond_t  *cond;
    ngx_uint_t                n;
    ngx_uint_t                hold;
    ngx_uint_t                gave_up;   /* a regular expression did */
    ngx_status_seen_t         failed;
} ngx_status_look_t;


typedef struct {
    long                      left;
    size_t                    at;
} ngx_status_work_t;


static ngx_uint_t ngx_status_cond_holds(const ngx_status_cond_t *cond,
    ngx_uint_t i, const ngx_status_evidence_t *ev, char *message);
static void ngx_status_look_number(ngx_status_look_t *look,
    const ngx_status_evidence_t *ev);
static void ngx_status_look_text(ngx_status_look_t *look, const u_char *text,
    size_t len);
static void ngx_status_look_headers(ngx_status_look_t *look,
    const ngx_str_t *headers);
static void ngx_status_look_records(ngx_status_look_t *look,
    const ngx_str_t *records);
static const char *ngx_status_look_json(ngx_status_look_t *look,
    const ngx_status_evidence_t *ev, ngx_uint_t i);
static void ngx_status_look(ngx_status_look_t *look,
    const ngx_status_seen_t *seen);
static ngx_int_t ngx_status_compare(const ngx_status_cond_t *cond,
    const ngx_status_value_t *value, const ngx_status_seen_t *seen);
static ngx_int_t ngx_status_compare_text(const ngx_status_cond_t *cond,
    const ngx_status_value_t *value, const ngx_str_t *text);
static ngx_int_t ngx_status_contains(const ngx_str_t *text,
    const ngx_str_t *what, ngx_uint_t caseless);
static ngx_int_t ngx_status_regex(pcre2_code *re, const ngx_str_t *text);
static int ngx_status_regex_callout(pcre2_callout_block *block, void *data);
static void ngx_status_word(const ngx_status_look_t *look,
    const ngx_status_evidence_t *ev, const char *trouble, char *message);
static void ngx_status_word_number(const ngx_status_look_t *look,
    char *buf, size_t size);
static void ngx_status_word_value(const ngx_status_seen_t *seen, char *buf,
    size_t size);
static void ngx_status_word_duration(double s, char *buf, size_t size);
static int ngx_status_cut(const ngx_str_t *text, size_t max);


void
ngx_status_judge(const ngx_status_cond_t *conds, ngx_uint_t nconds,
    const ngx_str_t *bots, ngx_uint_t nbots, ngx_msec_t timeout,
    const ngx_status_evidence_t *ev, ngx_status_result_t *result)
{
    char        allowed[64], took[64];
    double      latency;
    ngx_uint_t  i, round;

    result->message[0] = '\0';

    /* what the probe itself says */

    if (ev->fault) {
        result->state = NGX_STATUS_UNKNOWN;
        result->error = ev->fault;
        ngx_status_message(result->message, "%s", ev->message);
        return;
    }

    latency = (ev->have & ngx_status_subject_bit(NGX_STATUS_S_LATENCY))
              ? ev->number[NGX_STATUS_S_LATENCY]
              : (double) result->latency / 1000000;

    if (ev->timed_out || latency * 1000 > (double) timeout) {
        result->state = NGX_STATUS_TIMEOUT;
        result->error = NGX_STATUS_E_TIMEOUT;

        ngx_status_word_duration((double) timeout / 1000, allowed,
                                 sizeof(allowed));

        if (!ev->timed_out) {
            ngx_status_word_duration(latency, took, sizeof(took));
            ngx_status_message(result->message,
                               "the answer took %s, timeout %s", took,
                               allowed);

        } else if (ev->message[0]) {
            ngx_status_message(result->message, "%s", ev->message);

        } else {
            ngx_status_message(result->message, "timeout after %s (%s)",
                               allowed,
                               ngx_status_phases[ev->timeout_phase].data);
        }

        return;
    }

    for (i = 0; i < nbots; i++) {
        if (bots[i].len
            && (ev->have & ngx_status_subject_bit(NGX_STATUS_S_BODY))
            && ngx_status_contains(&ev->body, &bots[i], 0) == NGX_OK)
        {
            result->state = NGX_STATUS_BOT_DETECTED;
            result->error = NGX_STATUS_E_BOT;
            ngx_status_message(result->message, "body contains \"%.*s\"",
                               ngx_status_cut(&bots[i], 120),
                               (char *) bots[i].data);
            return;
        }
    }

    if (ev->error) {
        result->state = NGX_STATUS_DOWN;
        result->error = ev->error;
        ngx_status_message(result->message, "%s", ev->message);
        return;
    }

    /* the status, other expects, prefers */

    for (round = 0; round < 3; round++) {
        for (i = 0; i < nconds; i++) {

            if (round != (conds[i].prefer ? 2
                          : conds[i].subject == NGX_STATUS_S_STATUS ? 0 : 1)
                || ngx_status_cond_holds(&conds[i], i, ev, result->message))
            {
                continue;
            }

            result->state = conds[i].prefer ? NGX_STATUS_DEGRADED
                                            : NGX_STATUS_DOWN;
            result->error = ngx_status_subjects[conds[i].subject].error;
            return;
        }
    }

    result->state = NGX_STATUS_UP;
    result->error = NGX_STATUS_E_NONE;
}


/* Words the message when it does not. */

static ngx_uint_t
ngx_status_cond_holds(const ngx_status_cond_t *cond, ngx_uint_t i,
    const ngx_status_evidence_t *ev, char *message)
{
    const char         *trouble;
    ngx_str_t           text;
    ngx_status_look_t   look;

    memset(&look, 0, sizeof(ngx_status_look_t));
    look.cond = cond;
    trouble = NULL;

    if (cond->subject == NGX_STATUS_S_JSON) {
        trouble = ngx_status_look_json(&look, ev, i);

    } else if (cond->subject == NGX_STATUS_S_SIZE && ev->body_cut
               && cond->test->op != NGX_STATUS_OP_GT
               && cond->test->op != NGX_STATUS_OP_GE)
    {
        /* it is only known to be more */
        trouble = "there is more than max_body";

    } else if (ev->have & ngx_status_subject_bit(cond->subject)) {

        text = ev->string[cond->subject];

        switch (cond->subject) {

        case NGX_STATUS_S_BODY:
            ngx_status_look_text(&look, ev->body.data, ev->body.len);
            break;

        case NGX_STATUS_S_HEADER:
            ngx_status_look_headers(&look, &ev->headers);
            break;

        case NGX_STATUS_S_DNS:
            ngx_status_look_records(&look, &text);
            break;

        case NGX_STATUS_S_RCODE:
        case NGX_STATUS_S_VALUE:
            ngx_status_look_text(&look, text.data, text.len);
            break;

        default:
            ngx_status_look_number(&look, ev);
            break;
        }
    }

    if (trouble == NULL && look.n
        && (cond->test->negative ? look.hold == look.n : look.hold))
    {
        return 1;
    }

    ngx_status_word(&look, ev, trouble, message);

    return 0;
}


static void
ngx_status_look_number(ngx_status_look_t *look,
    const ngx_status_evidence_t *ev)
{
    ngx_status_seen_t  seen;

    memset(&seen, 0, sizeof(ngx_status_seen_t));
    seen.type = NGX_STATUS_JSON_NUMBER;
    seen.number = ev->number[look->cond->subject];
    seen.share = ev->share[look->cond->subject];

    if (isfinite(seen.number) && isfinite(seen.share)) {
        ngx_status_look(look, &seen);
    }
}


/* Text may be a number, too. */

static void
ngx_status_look_text(ngx_status_look_t *look, const u_char *text, size_t len)
{
    ngx_status_seen_t  seen;

    seen.type = NGX_STATUS_JSON_TEXT;
    seen.share = 0;
    seen.text.data = (u_char *) text;
    seen.text.len = len;

    if (len == 0 || ngx_status_json_number(text, len, &seen.number) != len) {
        seen.number = NAN;
    }

    ngx_status_look(look, &seen);
}


static void
ngx_status_look_headers(ngx_status_look_t *look, const ngx_str_t *headers)
{
    const u_char     *p, *end, *line, *colon, *next;
    const ngx_str_t  *name;

    name = &look->cond->name;
    p = headers->data;
    end = p + headers->len;

    for (line = p; line < end; line = next) {

        p = memchr(line, '\n', end - line);
        next = p ? p + 1 : end;
        p = p ? p : end;

        colon = line + name->len;

        if ((size_t) (p - line) <= name->len || *colon != ':'
            || strncasecmp((char *) line, (char *) name->data, name->len)
               != 0)
        {
            continue;
        }

        for (colon++; colon < p && (*colon == ' ' || *colon == '\t');
             colon++)
        {
            /* void */
        }

        while (p > colon && (p[-1] == ' ' || p[-1] == '\t' || p[-1] == '\r'))
        {
            p--;
        }

        ngx_status_look_text(look, colon, p - colon);
    }
}


static void
ngx_status_look_records(ngx_status_look_t *look, const ngx_str_t *records)
{
    const u_char  *p, *end, *line;

    line = records->data;
    end = line + records->len;

    while (line < end) {
        p = memchr(line, '\n', end - line);
        p = p ? p : end;

        if (p > line) {
            ngx_status_look_text(look, line, p - line);
        }

        line = p + 1;
    }
}


/* Returns what is wrong with the document, or NULL. */

static const char *
ngx_status_look_json(ngx_status_look_t *look, const ngx_status_evidence_t *ev,
    ngx_uint_t i)
{
    ngx_uint_t                      n, kept, total;
    const char                     *error;
    ngx_status_seen_t               seen;
    const ngx_status_json_match_t  *m;

    if (ev->json == NULL || ev->json_index == NULL) {
        return "nothing came";
    }

    m = ngx_status_json_matches(ev->json, ev->json_index[i], &kept, &total);

    for (n = 0; n < kept; n++) {
        seen.type = m[n].type;
        seen.number = m[n].type == NGX_STATUS_JSON_TEXT ? NAN : m[n].number;
        seen.share = 0;
        seen.text = m[n].text;

        ngx_status_look(look, &seen);
    }

    error = ngx_status_json_error(ev->json);

    if (error[0]) {
        return error;
    }

    if (total > kept && (look->cond->test->negative || look->hold == 0)) {
        return "more matches than can be compared";
    }

    return NULL;
}


static void
ngx_status_look(ngx_status_look_t *look, const ngx_status_seen_t *seen)
{
    ngx_int_t                 rc;
    ngx_uint_t                i, holds, gave_up, differ, nulls;
    const ngx_status_test_t  *test;

    test = look->cond->test;

    look->n++;

    holds = (test->op == NGX_STATUS_OP_EXISTS);
    gave_up = 0;
    differ = 0;
    nulls = 0;

    for (i = 0; i < test->nvalues && !holds; i++) {
        rc = ngx_status_compare(look->cond, &test->values[i], seen);

        holds |= (rc == NGX_OK);
        gave_up |= (rc == NGX_ERROR);
        differ |= (rc == NGX_DECLINED
                   && test->values[i].type != NGX_STATUS_JSON_NULL);
        nulls += (test->values[i].type == NGX_STATUS_JSON_NULL);
    }

    if (test->negative) {

        /* what can not be compared is not unequal */

        holds = !holds && !gave_up && (differ || nulls == test->nvalues);
    }

    look->hold += holds;

    if (!holds && look->hold + 1 == look->n) {
        look->failed = *seen;
    }

    look->gave_up |= gave_up;
}


/*
 * NGX_OK: value's part of the test holds; NGX_DECLINED: it does not;
 * NGX_ABORT: the two do not compare; NGX_ERROR: no answer.
 */

static ngx_int_t
ngx_status_compare(const ngx_status_cond_t *cond,
    const ngx_status_value_t *value, const ngx_status_seen_t *seen)
{
    double     number;
    ngx_int_t  holds;

    number = value->percent ? seen->share : seen->number;

    switch (cond->test->op) {

    case NGX_STATUS_OP_EQ:
    case NGX_STATUS_OP_CONTAINS:
    case NGX_STATUS_OP_MATCH:

        if (value->type == NGX_STATUS_JSON_NULL) {
            return seen->type == NGX_STATUS_JSON_NULL ? NGX_OK : NGX_DECLINED;
        }

        if (value->type != seen->type) {
            return NGX_ABORT;
        }

        if (value->type == NGX_STATUS_JSON_TEXT) {
            return ngx_status_compare_text(cond, value, &seen->text);
        }

        if (isnan(number)) {
            return NGX_ABORT;
        }

        holds = number >= value->low && number <= value->high;
        break;

    case NGX_STATUS_OP_LT:
        holds = number < value->low;
        break;

    case NGX_STATUS_OP_LE:
        holds = number <= value->low;
        break;

    case NGX_STATUS_OP_GT:
        holds = number > value->low;
        break;

    default: /* NGX_STATUS_OP_GE */
        holds = number >= value->low;
        break;
    }

    if (seen->type == NGX_STATUS_JSON_BOOL
        && value->type != NGX_STATUS_JSON_BOOL)
    {
        return NGX_ABORT;
    }

    return holds ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_status_compare_text(const ngx_status_cond_t *cond,
    const ngx_status_value_t *value, const ngx_str_t *text)
{
    double     number;
    ngx_str_t  a, b;

    if (cond->test->op == NGX_STATUS_OP_MATCH) {
        return ngx_status_regex(value->regex, text);
    }

    a = *text;
    b = value->text;

    if (cond->subject == NGX_STATUS_S_DNS) {

        /* records: "contains" is said of all of them together */

        a.len -= (a.len && a.data[a.len - 1] == '.');
        b.len -= (b.len && b.data[b.len - 1] == '.');

        return (a.len == b.len
                && strncasecmp((char *) a.data, (char *) b.data, a.len) == 0)
               ? NGX_OK : NGX_DECLINED;
    }

    if (cond->test->op == NGX_STATUS_OP_CONTAINS) {
        return ngx_status_contains(text, &b, cond->test->caseless);
    }

    if (a.len == b.len
        && (cond->subject == NGX_STATUS_S_RCODE
            ? strncasecmp((char *) a.data, (char *) b.data, a.len) == 0
            : memcmp(a.data, b.data, a.len) == 0))
    {
        return NGX_OK;
    }

    if (cond->subject == NGX_STATUS_S_VALUE && a.len
        && ngx_status_json_number(a.data, a.len, &number) == a.len
        && number >= value->low && number <= value->high)
    {
        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* "what" is in lower case already when the case does not matter. */

static ngx_int_t
ngx_status_contains(const ngx_str_t *text, const ngx_str_t *what,
    ngx_uint_t caseless)
{
    size_t       i;
    u_char      *lower;
    const void  *found;

    if (!caseless) {
        return (text->len && memmem(text->data, text->len, what->data,
                                    what->len))
               ? NGX_OK : NGX_DECLINED;
    }

    if (text->len == 0) {
        return NGX_DECLINED;
    }

    /* a copy, for memmem() is linear whatever the body is made of */

    lower = malloc(text->len);
    if (lower == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < text->len; i++) {
        lower[i] = (text->data[i] >= 'A' && text->data[i] <= 'Z')
                   ? (text->data[i] | 0x20) : text->data[i];
    }

    found = memmem(lower, text->len, what->data, what->len);

    free(lower);

    return found ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_status_regex(pcre2_code *re, const ngx_str_t *text)
{
    int                   rc;
    pcre2_match_data     *md;
    ngx_status_work_t     work;
    pcre2_match_context  *mctx;

    rc = PCRE2_ERROR_NOMEMORY;

    md = pcre2_match_data_create(1, NULL);
    mctx = pcre2_match_context_create(NULL);

    if (md && mctx) {
        work.left = NGX_STATUS_REGEX_WORK;
        work.at = 0;

        pcre2_set_match_limit(mctx, NGX_STATUS_REGEX_MATCH);
        pcre2_set_heap_limit(mctx, NGX_STATUS_REGEX_HEAP);
        pcre2_set_callout(mctx, ngx_status_regex_callout, &work);

        rc = pcre2_match(re, text->len ? text->data : (u_char *) "",
                         text->len, 0, 0, md, mctx);
    }

    pcre2_match_context_free(mctx);
    pcre2_match_data_free(md);

    return rc >= 0 ? NGX_OK
                   : rc == PCRE2_ERROR_NOMATCH ? NGX_DECLINED : NGX_ERROR;
}


static int
ngx_status_regex_callout(pcre2_callout_block *block, void *data)
{
    size_t              at;
    ngx_status_work_t  *work;

    work = data;
    at = block->current_position;

    work->left -= 16 + (long) (at > work->at ? at - work->at : 0);
    work->at = at;

    return work->left < 0 ? PCRE2_ERROR_MATCHLIMIT : 0;
}


/* What was expected and what came. */

static void
ngx_status_word(const ngx_status_look_t *look, const ngx_status_evidence_t *ev,
    const char *trouble, char *message)
{
    int                       shown;
    char                      name[128], value[256], where[64], several[48];
    const char               *verb;
    const ngx_status_cond_t  *cond;
    const ngx_status_test_t  *test;

    static const char  *missing[NGX_STATUS_NSUBJECTS] = {
        "no status came", "no body came", "is missing", "is missing",
        "no latency was measured", "no certificate came",
        "no such record came", "no size came", "no score came",
        "no rcode came", "no rows came", "no value came",
        "free space is not known", "free inodes are not known",
        "load is not known", "age is not known"
    };

    cond = look->cond;
    test = cond->test;

    snprintf(name, sizeof(name), "%s%s%.*s",
             (char *) ngx_status_subjects[cond->subject].name.data,
             cond->name.len ? " " : "", ngx_status_cut(&cond->name, 40),
             (char *) cond->name.data);

    where[0] = '\0';

    if (ev->body_cut && (cond->subject == NGX_STATUS_S_BODY
                         || cond->subject == NGX_STATUS_S_JSON))
    {
        snprintf(where, sizeof(where), " in the first %lu bytes",
                 (unsigned long) ngx_max((double) ev->body.len,
                                         ev->number[NGX_STATUS_S_SIZE]));
    }

    if (trouble) {
        ngx_status_message(message, "%s: %s%s", name, trouble, where);
        return;
    }

    if (look->n == 0) {

        if (cond->subject == NGX_STATUS_S_HEADER
            || cond->subject == NGX_STATUS_S_JSON)
        {
            ngx_status_message(message, "%s is missing%s", name, where);
            return;
        }

        ngx_status_message(message, "%s, expected %s",
                           missing[cond->subject],
                           (char *) test->expected.data);
        return;
    }

    shown = ngx_status_cut(&test->wanted, 100);

    if (look->gave_up) {
        ngx_status_message(message, "%s: regular expression %.*s took too "
                           "long%s", name, shown, (char *) test->wanted.data,
                           where);
        return;
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

        ngx_status_message(message, "%s %s %.*s%s", name, verb, shown,
                           (char *) test->wanted.data, where);
        return;
    }

    if (ngx_status_subjects[cond->subject].kind < NGX_STATUS_KIND_TEXT) {
        ngx_status_word_number(look, value, sizeof(value));
        ngx_status_message(message, "%s, expected %s", value,
                           (char *) test->expected.data);
        return;
    }

    several[0] = '\0';

    if (look->n > 1 && !test->negative) {
        snprintf(several, sizeof(several), " (first of %lu)",
                 (unsigned long) look->n);
    }

    ngx_status_word_value(&look->failed, value, sizeof(value));

    ngx_status_message(message, "%s is %s%s%s, expected %s", name, value,
                       several, where, (char *) test->expected.data);
}


static void
ngx_status_word_number(const ngx_status_look_t *look, char *buf, size_t size)
{
    char               took[64];
    double             number;
    const char        *word;
    const ngx_uint_t   subject = look->cond->subject;

    number = look->failed.number;
    word = (char *) ngx_status_subjects[subject].name.data;

    if (subject == NGX_STATUS_S_CERT) {
        ngx_status_word_duration(fabs(number), took, sizeof(took));

        if (number < 0) {
            snprintf(buf, size, "certificate expired %s ago", took);

        } else if (number < 2 * 86400) {
            snprintf(buf, size, "certificate has %s left", took);

        } else {
            snprintf(buf, size, "certificate has %.0f days left",
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
        ngx_status_word_duration(number, took, sizeof(took));
        snprintf(buf, size, "%s %s", word, took);
        break;

    case NGX_STATUS_KIND_SIZE:
        snprintf(buf, size, "%s %.0f bytes", word, number);
        break;

    default:
        snprintf(buf, size, "%s %.10g", word, number);
        break;
    }
}


static void
ngx_status_word_value(const ngx_status_seen_t *seen, char *buf, size_t size)
{
    int  shown;

    shown = ngx_status_cut(&seen->text, 60);

    switch (seen->type) {

    case NGX_STATUS_JSON_TEXT:
        snprintf(buf, size, "\"%.*s%s\"", shown, (char *) seen->text.data,
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


/* Three decimals at most, without zeros behind. */

static void
ngx_status_word_duration(double s, char *buf, size_t size)
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


/* The length of text, or of what of it is to be shown. */

static int
ngx_status_cut(const ngx_str_t *text, size_t max)
{
    size_t  n;

    n = ngx_min(text->len, max);

    while (n && n < text->len && (text->data[n] & 0xc0) == 0x80) {
        n--;
    }

    return (int) n;
}
