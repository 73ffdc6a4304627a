
/*
 * Copyright (C) ngx_status_module authors
 *
 * A condition, as the files that parse, try and word it share it; nobody
 * else includes this.
 */


#ifndef _NGX_STATUS_COND_H_INCLUDED_
#define _NGX_STATUS_COND_H_INCLUDED_


#include "ngx_status_expect.h"


typedef struct ngx_status_regex_s  ngx_status_regex_t;


typedef enum {
    NGX_STATUS_OP_EXISTS = 0,
    NGX_STATUS_OP_EQ,
    NGX_STATUS_OP_LT,
    NGX_STATUS_OP_LE,
    NGX_STATUS_OP_GT,
    NGX_STATUS_OP_GE,
    NGX_STATUS_OP_CONTAINS,
    NGX_STATUS_OP_MATCH
} ngx_status_op_e;


typedef enum {
    NGX_STATUS_KIND_NUMBER = 0,
    NGX_STATUS_KIND_DURATION,            /* seconds */
    NGX_STATUS_KIND_SIZE,                /* bytes */
    NGX_STATUS_KIND_FLAG,                /* yes or no */
    NGX_STATUS_KIND_TEXT,
    NGX_STATUS_KIND_JSON
} ngx_status_kind_e;


typedef struct {
    ngx_str_t                 name;
    ngx_status_kind_e         kind;
    ngx_status_error_e        error;
    ngx_uint_t                flags;
} ngx_status_subject_t;

#define NGX_STATUS_PERCENT   0x01        /* may be a share */
#define NGX_STATUS_NO_ORDER  0x02        /* neither less nor more */
#define NGX_STATUS_RECORDS   0x04        /* several, parted by LF, that are
                                            compared as a whole */
#define NGX_STATUS_EQUAL     0x08        /* text that is equal as a number, is
                                            equal */
#define NGX_STATUS_SIZES     0x10        /* text whose numbers may be sizes */

extern const ngx_status_subject_t  ngx_status_subjects[NGX_STATUS_NSUBJECTS];


typedef struct {
    ngx_status_json_type_e    type;      /* of a number, bool, null or text */
    double                    low;       /* low to high; 0 or 1 of a bool; */
    double                    high;      /* NAN of text that is no number */
    ngx_uint_t                percent;   /* a share, 0 to 1 */
    ngx_str_t                 text;      /* lower case with "caseless" */
    ngx_status_regex_t       *regex;
} ngx_status_value_t;


struct ngx_status_test_s {
    ngx_status_op_e           op;
    ngx_uint_t                negative;
    ngx_uint_t                caseless;
    ngx_status_value_t       *values;
    ngx_uint_t                nvalues;
    ngx_str_t                 expected;  /* for messages: "200-299 or 301",
                                            "< 800ms"; NUL-terminated */
    ngx_str_t                 wanted;    /* the values alone */
};


/* Parsing: ngx_status_cond.c; values and units in ngx_status_cond_value.c. */

#define NGX_STATUS_NUMERIC   0x01        /* has a meaning for numbers */
#define NGX_STATUS_TEXTUAL   0x02        /* for text */
#define NGX_STATUS_ORDER     0x04        /* takes one number */


typedef struct {
    ngx_str_t                 word;
    ngx_status_op_e           op;
    ngx_uint_t                negative;
    ngx_uint_t                caseless;
    ngx_uint_t                flags;
} ngx_status_operator_t;


typedef struct {
    ngx_pool_t               *pool;
    ngx_status_subject_e      subject;
    const ngx_status_operator_t  *op;    /* NULL: none was written */
    char                     *err;
    size_t                    errlen;
} ngx_status_cond_parser_t;


ngx_int_t ngx_status_cond_value(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, ngx_status_value_t *value);
ngx_uint_t ngx_status_cond_is(const ngx_str_t *a, const ngx_str_t *b);

/* Says what is wrong with a word; returns NGX_ERROR. */
ngx_int_t ngx_status_cond_error(ngx_status_cond_parser_t *ps,
    const ngx_str_t *word, const char *what);


/*
 * Searching, bounded: ngx_status_search.c.  NGX_OK: it is there;
 * NGX_DECLINED: it is not; NGX_ERROR: gave up, for want of effort when that
 * is below 0.
 */

typedef struct {
    int64_t                   left;      /* about nanoseconds */
    ngx_uint_t                patient;   /* only for regular expressions */
} ngx_status_effort_t;

/* "what" is in lower case already when the case does not matter. */
ngx_int_t ngx_status_search(ngx_status_effort_t *effort,
    const ngx_str_t *text, const ngx_str_t *what, ngx_uint_t caseless);
ngx_int_t ngx_status_regex(ngx_status_effort_t *effort,
    const ngx_status_regex_t *regex, const ngx_str_t *text);

/* NULL with a sentence in "err". */
ngx_status_regex_t *ngx_status_regex_compile(ngx_pool_t *pool,
    const ngx_str_t *text, ngx_uint_t caseless, char *err, size_t errlen);


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
    ngx_status_effort_t      *effort;
} ngx_status_look_t;


/*
 * Messages: ngx_status_words.c.  look() words why a condition does not hold,
 * "trouble" being what kept it from being tried, or NULL.
 */

void ngx_status_words_look(const ngx_status_look_t *look,
    const ngx_status_evidence_t *ev, const char *trouble, char *message);

/* The length of text, or of what of it is to be shown. */
int ngx_status_words_cut(const ngx_str_t *text, size_t max);


#endif /* _NGX_STATUS_COND_H_INCLUDED_ */
