
/*
 * Copyright (C) ngx_status_module authors
 *
 * Conditions ("expect status 200-299 301", "prefer latency < 2s") and the
 * judgement of a probe by them.  Pure: what was seen comes in as evidence,
 * a state with its reason goes out.
 */


#ifndef _NGX_STATUS_EXPECT_H_INCLUDED_
#define _NGX_STATUS_EXPECT_H_INCLUDED_


#include "../ngx_status_module/ngx_status_types.h"
#include "ngx_status_json_path.h"


/*
 * What a condition may speak of.  A row of the table in the .c file gives
 * each its word, its kind of value (number, duration, size, days, text,
 * percentage), and the error class of its failure.
 */

typedef enum {
    NGX_STATUS_S_STATUS = 0,
    NGX_STATUS_S_BODY,
    NGX_STATUS_S_HEADER,             /* with a name */
    NGX_STATUS_S_JSON,               /* with a path */
    NGX_STATUS_S_LATENCY,            /* seconds */
    NGX_STATUS_S_CERT,               /* seconds left of the peer's own */
    NGX_STATUS_S_DNS,                /* with a type */
    NGX_STATUS_S_SIZE,               /* bytes */
    NGX_STATUS_S_SCORE,
    NGX_STATUS_S_RCODE,
    NGX_STATUS_S_ROWS,
    NGX_STATUS_S_VALUE,
    NGX_STATUS_S_FREE,
    NGX_STATUS_S_INODES,
    NGX_STATUS_S_LOAD,
    NGX_STATUS_S_AGE,
    NGX_STATUS_S_INFO,               /* with the name of a field */
    NGX_STATUS_S_REDIRECT,           /* the URL that redirects led to */

    /* "cert" with a name behind it */
    NGX_STATUS_S_CERT_CHAIN,         /* seconds left of the earliest */
    NGX_STATUS_S_CERT_ISSUER,
    NGX_STATUS_S_CERT_NAMES,
    NGX_STATUS_S_CERT_VERIFIED,      /* 1 or 0; NAN: not known */
    NGX_STATUS_NSUBJECTS
} ngx_status_subject_e;

/* All of a certificate is asked for, and is seen, together: one bit. */

#define ngx_status_subject_bit(s)                                            \
    ((ngx_uint_t) 1 << ((s) < NGX_STATUS_S_CERT_CHAIN ? (s)                  \
                                                      : NGX_STATUS_S_CERT))


typedef struct ngx_status_cond_s  ngx_status_cond_t;
typedef struct ngx_status_test_s  ngx_status_test_t;

struct ngx_status_cond_s {
    ngx_status_subject_e      subject;
    ngx_str_t                 name;      /* header name, JSON path, DNS type,
                                            field, what of a certificate */
    ngx_str_t                 text;      /* all of it, as written */
    ngx_uint_t                prefer;    /* else expect */
    ngx_uint_t                off;       /* asks nothing: only replaces what
                                            is outside, or by default */
    ngx_status_json_path_t   *path;      /* of subject json; else NULL */
    ngx_status_test_t        *test;      /* operator and values */
};


/*
 * Reads the words after "expect" or "prefer" (args[0] is the subject).
 * "allowed" is a mask of ngx_status_subject_bit() that the check's type
 * can give evidence for.
 *
 *     SUBJECT [NAME] [OPERATOR] VALUE...
 *
 * Operators: == != < <= > >= contains !contains ~ !~ and, for ASCII letters
 * in either case (~* and !~*: all letters), contains* !contains* ~* !~*.
 * Without one, as with ==, a list of values and ranges ("200-299 301").  Of
 * several values any may hold; for != !contains !~ none may.  Of several
 * things seen (JSON matches, equal headers, DNS records) one must hold,
 * and for != !contains !~ all.  "json PATH", "header NAME" and "info NAME"
 * with nothing behind: is there.  "off" behind a subject that is a number
 * asks nothing.
 *
 * Numbers take the subject's units.  latency, cert, age: ms s m h d w, never
 * without one but for 0, also "1h30m"; size, free, info: k m g t, else bytes;
 * free, inodes: also "10%".
 *
 * A value of json is a number, true, false, null or text, which may be in
 * double quotes of its own where it would read as one of the others.  It is
 * compared with its own kind: a number is neither equal nor unequal to text,
 * the condition fails either way; only null may be compared with all.  That
 * of "value" and "info" is text; == and != take equal numbers for equal as
 * well.  "<" and its like read text that was seen as a number.  For dns, ==
 * and "contains" compare whole records, case and the last dot left aside.
 *
 * "redirect" is an absolute URL; messages show it, and the values, without
 * what ngx_status_url_redact() takes for a secret.
 *
 * "cert" is the certificate's own end, "cert chain" the earliest of all that
 * the peer sent; "cert issuer" is text, "cert verified" yes or no, and with
 * nothing behind it yes.  Of "cert names", == compares whole names, and
 * "contains NAME" asks whether NAME is covered: *.example.org is equal to
 * itself alone and covers one more label (RFC 9525, section 6.3).
 *
 * NGX_ERROR with a sentence in "err" that names the wrong word and what is
 * allowed.  Master, at configuration time.  Memory from the pool; regular
 * expressions are PCRE2, freed with the pool, and bounded in time and memory
 * when they are run.
 */

ngx_int_t ngx_status_cond_parse(ngx_pool_t *pool, const ngx_str_t *args,
    ngx_uint_t nargs, ngx_uint_t allowed, ngx_uint_t prefer,
    ngx_status_cond_t *cond, char *err, size_t errlen);


/*
 * What a probe saw.  Everything is borrowed from the probe for the length
 * of the call.  A subject without evidence fails its condition: closed,
 * never open.
 */

typedef struct {
    ngx_uint_t                have;      /* mask of ngx_status_subject_bit() */
    double                    number[NGX_STATUS_NSUBJECTS];
    double                    share[NGX_STATUS_NSUBJECTS];  /* of free and
                                            inodes: 0 to 1, what "number" is
                                            of the whole */
    ngx_str_t                 string[NGX_STATUS_NSUBJECTS]; /* of value, rcode,
                                            dns, info, redirect, issuer and
                                            names; records and names are parted
                                            by LF, info is as headers */
    ngx_str_t                 headers;   /* the last response's header block,
                                            "Name: value\r\n" lines */
    ngx_str_t                 body;      /* as far as it was kept */
    ngx_uint_t                body_cut;  /* there was more; of rows, too */
    ngx_uint_t                size_known;/* the size is that of all of it */
    ngx_uint_t                body_told; /* it is a line or two: messages
                                            say what came */
    ngx_status_json_t        *json;      /* NULL: no path asked for */
    const ngx_uint_t         *json_index;/* of condition i: its path's index
                                            in "json" */

    /* set by the probe instead of evidence; each ends the judgement */
    ngx_status_error_e        fault;     /* our own; 0: none */
    ngx_uint_t                timed_out; /* while "timeout_phase" */
    ngx_status_phase_e        timeout_phase;
    ngx_status_error_e        error;     /* transport: refused, tls, … */
    char                      message[NGX_STATUS_MESSAGE]; /* of these three */
} ngx_status_evidence_t;


/*
 * Classifies in the order of DESIGN 4 and fills result->state, ->error and
 * ->message: fault, timeout, bot, [transport error], status, other expects
 * in order, prefers in order, up.  "timeout" is in ms; a latency over it is
 * a timeout even when an answer came.  "bots" are plain strings looked for
 * in the body.  Values shown are cut to 200 characters and stripped of
 * control characters.
 *
 * It searches the body for some milliseconds at most.  NGX_AGAIN: that was
 * not enough, the result is to be forgotten, and to be asked for once more
 * with "patient" by somebody who has the time, in a thread: then regular
 * expressions may take some tenths of a second together, and one that still
 * gives up fails its condition.  Checker only.
 */

ngx_int_t ngx_status_judge(const ngx_status_cond_t *conds, ngx_uint_t nconds,
    const ngx_str_t *bots, ngx_uint_t nbots, ngx_msec_t timeout,
    const ngx_status_evidence_t *ev, ngx_uint_t patient,
    ngx_status_result_t *result);


/* "43 MB", "3.1 days"; the first one returns the text. */
const char *ngx_status_words_bytes(double bytes, char *text, size_t size);
void ngx_status_words_duration(double s, char *buf, size_t size);


#endif /* _NGX_STATUS_EXPECT_H_INCLUDED_ */
