
/*
 * Copyright (C) ngx_status_module authors
 *
 * Judges a probe: shows each condition what was seen of its subject, and
 * words what did not hold.  Whatever can not be decided does not hold.
 */


#include "ngx_status_cond.h"
#include <math.h>
#include <strings.h>


/*
 * What a judgement may cost, about nanoseconds: in the loop, for everything
 * together; elsewhere, for its regular expressions together.
 */
#define NGX_STATUS_EFFORT          2000000
#define NGX_STATUS_EFFORT_PATIENT  400000000


static ngx_uint_t ngx_status_cond_holds(const ngx_status_cond_t *cond,
    ngx_uint_t i, const ngx_status_evidence_t *ev,
    ngx_status_effort_t *effort, char *message);
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
static ngx_int_t ngx_status_compare(const ngx_status_look_t *look,
    const ngx_status_value_t *value, const ngx_status_seen_t *seen);
static ngx_int_t ngx_status_compare_text(const ngx_status_look_t *look,
    const ngx_status_value_t *value, const ngx_str_t *text);
static void ngx_status_uncover(ngx_str_t *pattern, ngx_str_t *name);


ngx_int_t
ngx_status_judge(const ngx_status_cond_t *conds, ngx_uint_t nconds,
    const ngx_str_t *bots, ngx_uint_t nbots, ngx_msec_t timeout,
    const ngx_status_evidence_t *ev, ngx_uint_t patient,
    ngx_status_result_t *result)
{
    char                 allowed[64], took[64];
    double               latency;
    ngx_uint_t           i, round;
    ngx_status_effort_t  effort;

    effort.left = patient ? NGX_STATUS_EFFORT_PATIENT : NGX_STATUS_EFFORT;
    effort.patient = patient;

    result->message[0] = '\0';

    /* what the probe itself says */

    if (ev->fault) {
        result->state = NGX_STATUS_UNKNOWN;
        result->error = ev->fault;
        ngx_status_message(result->message, "%s", ev->message);
        return NGX_OK;
    }

    latency = (ev->have & ngx_status_subject_bit(NGX_STATUS_S_LATENCY))
              ? ev->number[NGX_STATUS_S_LATENCY]
              : (double) result->latency / 1000000;

    if (ev->timed_out || latency * 1000 > (double) timeout) {
        result->state = NGX_STATUS_TIMEOUT;
        result->error = NGX_STATUS_E_TIMEOUT;

        ngx_status_words_duration((double) timeout / 1000, allowed,
                                 sizeof(allowed));

        if (!ev->timed_out) {
            ngx_status_words_duration(latency, took, sizeof(took));
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

        return NGX_OK;
    }

    for (i = 0; i < nbots; i++) {
        if (bots[i].len
            && (ev->have & ngx_status_subject_bit(NGX_STATUS_S_BODY))
            && ngx_status_search(&effort, &ev->body, &bots[i], 0) == NGX_OK)
        {
            result->state = NGX_STATUS_BOT_DETECTED;
            result->error = NGX_STATUS_E_BOT;
            ngx_status_message(result->message, "body contains \"%.*s\"",
                               ngx_status_words_cut(&bots[i], 120),
                               (char *) bots[i].data);
            return NGX_OK;
        }
    }

    if (ev->error) {
        result->state = NGX_STATUS_DOWN;
        result->error = ev->error;
        ngx_status_message(result->message, "%s", ev->message);
        return NGX_OK;
    }

    /* the status, other expects, prefers */

    for (round = 0; round < 3; round++) {
        for (i = 0; i < nconds; i++) {

            if (round != (conds[i].prefer ? 2
                          : conds[i].subject == NGX_STATUS_S_STATUS ? 0 : 1)
                || ngx_status_cond_holds(&conds[i], i, ev, &effort,
                                         result->message))
            {
                continue;
            }

            result->state = conds[i].prefer ? NGX_STATUS_DEGRADED
                                            : NGX_STATUS_DOWN;
            result->error = ngx_status_subjects[conds[i].subject].error;
            return effort.left < 0 && !patient ? NGX_AGAIN : NGX_OK;
        }
    }

    result->state = NGX_STATUS_UP;
    result->error = NGX_STATUS_E_NONE;

    return effort.left < 0 && !patient ? NGX_AGAIN : NGX_OK;
}


/* Words the message when it does not. */

static ngx_uint_t
ngx_status_cond_holds(const ngx_status_cond_t *cond, ngx_uint_t i,
    const ngx_status_evidence_t *ev, ngx_status_effort_t *effort,
    char *message)
{
    const char         *trouble;
    ngx_str_t           text;
    ngx_status_look_t   look;

    memset(&look, 0, sizeof(ngx_status_look_t));
    look.cond = cond;
    look.effort = effort;
    trouble = NULL;

    if (cond->subject == NGX_STATUS_S_JSON) {
        trouble = ngx_status_look_json(&look, ev, i);

    } else if ((cond->subject == NGX_STATUS_S_SIZE
                || cond->subject == NGX_STATUS_S_ROWS)
               && ev->body_cut && !ev->size_known
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

        case NGX_STATUS_S_INFO:
            ngx_status_look_headers(&look, &text);
            break;

        case NGX_STATUS_S_DNS:
        case NGX_STATUS_S_CERT_NAMES:
            ngx_status_look_records(&look, &text);
            break;

        case NGX_STATUS_S_REDIRECT:
        case NGX_STATUS_S_CERT_ISSUER:
            if (text.len == 0) {
                break;
            }

            /* fall through */

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

    ngx_status_words_look(&look, ev, trouble, message);

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
        rc = ngx_status_compare(look, &test->values[i], seen);

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
ngx_status_compare(const ngx_status_look_t *look,
    const ngx_status_value_t *value, const ngx_status_seen_t *seen)
{
    double     number;
    ngx_int_t  holds;

    number = value->percent ? seen->share : seen->number;

    switch (look->cond->test->op) {

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
            return ngx_status_compare_text(look, value, &seen->text);
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
ngx_status_compare_text(const ngx_status_look_t *look,
    const ngx_status_value_t *value, const ngx_str_t *text)
{
    double                    number;
    ngx_str_t                 a, b;
    const ngx_status_cond_t  *cond;

    cond = look->cond;

    if (cond->test->op == NGX_STATUS_OP_MATCH) {
        return ngx_status_regex(look->effort, value->regex, text);
    }

    a = *text;
    b = value->text;

    if (ngx_status_subjects[cond->subject].flags & NGX_STATUS_RECORDS) {

        /* "contains" is said of all of them together */

        a.len -= (a.len && a.data[a.len - 1] == '.');
        b.len -= (b.len && b.data[b.len - 1] == '.');

        if (cond->subject == NGX_STATUS_S_CERT_NAMES
            && cond->test->op == NGX_STATUS_OP_CONTAINS)
        {
            ngx_status_uncover(&a, &b);
        }

        return (a.len == b.len
                && strncasecmp((char *) a.data, (char *) b.data, a.len) == 0)
               ? NGX_OK : NGX_DECLINED;
    }

    if (cond->test->op == NGX_STATUS_OP_CONTAINS) {
        return ngx_status_search(look->effort, text, &b,
                                 cond->test->caseless);
    }

    if (a.len == b.len
        && (cond->subject == NGX_STATUS_S_RCODE
            ? strncasecmp((char *) a.data, (char *) b.data, a.len) == 0
            : memcmp(a.data, b.data, a.len) == 0))
    {
        return NGX_OK;
    }

    if ((ngx_status_subjects[cond->subject].flags & NGX_STATUS_EQUAL) && a.len
        && ngx_status_json_number(a.data, a.len, &number) == a.len
        && number >= value->low && number <= value->high)
    {
        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* A star is all of the first label, and stands for one; not in an address. */

static void
ngx_status_uncover(ngx_str_t *pattern, ngx_str_t *name)
{
    size_t  n, i;

    if (pattern->len < 3 || pattern->data[0] != '*' || pattern->data[1] != '.')
    {
        return;
    }

    for (n = 0; n < name->len && name->data[n] != '.'; n++) { /* void */ }

    for (i = 0; i < name->len; i++) {
        if (name->data[i] != '.'
            && (name->data[i] < '0' || name->data[i] > '9'))
        {
            break;
        }
    }

    if (n == 0 || i == name->len || name->data[0] == '*') {
        return;
    }

    pattern->data++;
    pattern->len--;
    name->data += n;
    name->len -= n;
}
