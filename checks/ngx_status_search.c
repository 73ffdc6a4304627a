
/*
 * Copyright (C) ngx_status_module authors
 *
 * Looks for text in what a target sent, at a cost that is bounded whatever
 * the target and the expression are.
 *
 * PCRE2's match limit begins anew at each byte of the subject, and its
 * machine code hardly looks at it, so it bounds nothing here.  Callouts do,
 * which it makes before each item of the expression, in machine code, too:
 * what is done from one callout to the next is proportional to how far the
 * position has moved, but for the few things named at ngx_status_regex_s.
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                      /* memmem() */
#endif
#include "ngx_status_cond.h"
#include <stdio.h>
#include <stdlib.h>

#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH  8
#endif
#include <pcre2.h>


/* What things cost, in about nanoseconds, at the worst. */

#define NGX_STATUS_COST_SEARCH   5       /* a byte */
#define NGX_STATUS_COST_LOWER    3       /* a byte */
#define NGX_STATUS_COST_SCAN     2       /* a byte, for a place to begin */
#define NGX_STATUS_COST_CLUSTER  16      /* a byte, for \X */
#define NGX_STATUS_COST_MOVE     2       /* a byte of a match that is tried */
#define NGX_STATUS_COST_ITEM     16      /* with its callout */

#define NGX_STATUS_REGEX_STACK   8388608         /* bytes; the interpreter */
#define NGX_STATUS_REGEX_HEAP    8192            /* counts in kB */


struct ngx_status_regex_s {
    pcre2_code           *code;

    /* an item may do this much unseen: a{9} fails at the ninth, a look-behind
     * goes so far back, a back reference may be of any length */
    ngx_uint_t            unseen;
    ngx_uint_t            references;
    ngx_uint_t            scan;          /* cost */
};


typedef struct {
    ngx_status_effort_t       *effort;
    const ngx_status_regex_t  *regex;
    size_t                     at;
} ngx_status_regex_run_t;


static void ngx_status_regex_free(void *data);
static int ngx_status_regex_callout(pcre2_callout_block *block, void *data);


ngx_int_t
ngx_status_search(ngx_status_effort_t *effort, const ngx_str_t *text,
    const ngx_str_t *what, ngx_uint_t caseless)
{
    size_t       i;
    u_char      *lower;
    const void  *found;

    if (text->len == 0) {
        return NGX_DECLINED;
    }

    if (!effort->patient) {
        effort->left -= (int64_t) text->len
                        * (NGX_STATUS_COST_SEARCH
                           + (caseless ? NGX_STATUS_COST_LOWER : 0));

        if (effort->left < 0) {
            return NGX_ERROR;
        }
    }

    if (!caseless) {
        return memmem(text->data, text->len, what->data, what->len)
               ? NGX_OK : NGX_DECLINED;
    }

    /* a copy, for memmem() is linear whatever the body is made of */

    lower = malloc(text->len);
    if (lower == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < text->len; i++) {
        lower[i] = ngx_tolower(text->data[i]);
    }

    found = memmem(lower, text->len, what->data, what->len);

    free(lower);

    return found ? NGX_OK : NGX_DECLINED;
}


ngx_status_regex_t *
ngx_status_regex_compile(ngx_pool_t *pool, const ngx_str_t *text,
    ngx_uint_t caseless, char *err, size_t errlen)
{
    int                  code;
    size_t               at;
    uint32_t             n;
    ngx_uint_t           i;
    PCRE2_UCHAR          reason[128];
    ngx_pool_cleanup_t  *cln;
    ngx_status_regex_t  *regex;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_status_regex_t));
    if (cln == NULL) {
        snprintf(err, errlen, "no memory");
        return NULL;
    }

    regex = cln->data;

    regex->code = pcre2_compile(text->data, text->len,
                                PCRE2_UTF|PCRE2_MATCH_INVALID_UTF
                                |PCRE2_AUTO_CALLOUT|PCRE2_NEVER_BACKSLASH_C
                                |(caseless ? PCRE2_CASELESS : 0),
                                &code, &at, NULL);

    if (regex->code == NULL) {
        pcre2_get_error_message(code, reason, sizeof(reason));

        snprintf(err, errlen, "regular expression \"%.*s\" is not valid at "
                 "byte %u: %s", (int) text->len, (char *) text->data,
                 (unsigned) at + 1, (char *) reason);

        return NULL;
    }

    cln->handler = ngx_status_regex_free;

    /* where it can not be, the interpreter is used */
    (void) pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);

    regex->scan = memmem(text->data, text->len, "\\X", 2)
                  ? NGX_STATUS_COST_CLUSTER : NGX_STATUS_COST_SCAN;

    pcre2_pattern_info(regex->code, PCRE2_INFO_BACKREFMAX, &n);
    regex->references = n;

    pcre2_pattern_info(regex->code, PCRE2_INFO_MAXLOOKBEHIND, &n);
    regex->unseen = n;

    for (i = 0, n = 0; i < text->len; i++) {
        n = (text->data[i] >= '0' && text->data[i] <= '9' && n < 100000)
            ? n * 10 + text->data[i] - '0' : 0;

        regex->unseen = ngx_max(regex->unseen, n);
    }

    return regex;
}


static void
ngx_status_regex_free(void *data)
{
    ngx_status_regex_t  *regex = data;

    pcre2_code_free(regex->code);
}


ngx_int_t
ngx_status_regex(ngx_status_effort_t *effort, const ngx_status_regex_t *regex,
    const ngx_str_t *text)
{
    int                      rc;
    pcre2_jit_stack         *stack;
    pcre2_match_data        *md;
    pcre2_match_context     *mctx;
    ngx_status_regex_run_t   run;

    effort->left -= (int64_t) text->len * regex->scan;

    if (effort->left < 0) {
        return NGX_ERROR;
    }

    rc = PCRE2_ERROR_NOMEMORY;

    md = pcre2_match_data_create(1, NULL);
    mctx = pcre2_match_context_create(NULL);
    stack = pcre2_jit_stack_create(32768, NGX_STATUS_REGEX_STACK, NULL);

    if (md && mctx) {
        run.effort = effort;
        run.regex = regex;
        run.at = 0;

        /* without a stack, that of the process has 32 kB for it */
        pcre2_jit_stack_assign(mctx, NULL, stack);

        pcre2_set_heap_limit(mctx, NGX_STATUS_REGEX_HEAP);
        pcre2_set_callout(mctx, ngx_status_regex_callout, &run);

        rc = pcre2_match(regex->code,
                         text->len ? text->data : (u_char *) "", text->len,
                         0, 0, md, mctx);
    }

    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(mctx);
    pcre2_match_data_free(md);

    return rc >= 0 ? NGX_OK
                   : rc == PCRE2_ERROR_NOMATCH ? NGX_DECLINED : NGX_ERROR;
}


static int
ngx_status_regex_callout(pcre2_callout_block *block, void *data)
{
    size_t                   at, len, longest;
    uint32_t                 i;
    ngx_status_regex_run_t  *run;

    run = data;
    at = block->current_position;
    longest = run->regex->unseen;

    if (run->regex->references) {
        for (i = 1; i < block->capture_top; i++) {
            len = block->offset_vector[2 * i + 1]
                  - block->offset_vector[2 * i];

            /* not set: it ends before it begins */
            longest = len <= at ? ngx_max(longest, len) : longest;
        }
    }

    if (at > run->at) {
        longest += at - run->at;
    }

    run->at = at;
    run->effort->left -= NGX_STATUS_COST_ITEM
                         + (int64_t) longest * NGX_STATUS_COST_MOVE;

    return run->effort->left < 0 ? PCRE2_ERROR_MATCHLIMIT : 0;
}
