
/*
 * Copyright (C) ngx_status_module authors
 *
 * What a check is, what a probe is, and what a check type has to be: one
 * file, and one row in ngx_status_checks.c.
 */


#ifndef _NGX_STATUS_CHECK_H_INCLUDED_
#define _NGX_STATUS_CHECK_H_INCLUDED_


#include "../ngx_status_module/ngx_status_types.h"
#include "ngx_status_expect.h"
#include "ngx_status_url.h"


typedef struct ngx_status_check_s       ngx_status_check_t;
typedef struct ngx_status_check_type_s  ngx_status_check_type_t;
typedef struct ngx_status_probe_s       ngx_status_probe_t;


#define NGX_STATUS_WEIGHT  10000


/* "drop" and "slower" */

typedef struct {
    double                    warning;   /* points, or a fraction; 0: off */
    double                    critical;
    ngx_uint_t                median;    /* of the last N; 0: the previous */
} ngx_status_delta_conf_t;


/*
 * One configured check; made by the master, read by all, never changed.
 * Lives in the cycle's pool, so nothing of it may be kept in the zone.
 * Strings that libcurl takes are NUL-terminated behind their length.
 */

struct ngx_status_check_s {
    ngx_str_t                 id;
    ngx_str_t                 was;       /* its ID before; or empty */
    ngx_str_t                 title;     /* the ID when not set */
    ngx_str_t                 group;     /* title of its group; may be empty */
    ngx_str_t                 team;      /* may be empty */
    ngx_uint_t                core;      /* role core, else role extra */
    ngx_uint_t                sentinel;  /* tells whether there is a network */
    const ngx_status_check_type_t  *type;

    ngx_str_t                 url;       /* as configured; may hold secrets:
                                            never shown */
    ngx_str_t                 target;    /* redacted: what may be shown */
    ngx_str_t                 scheme;    /* lower case, without "://" */
    ngx_str_t                 host;      /* without port and brackets; may be
                                            empty where the type allows it */
    in_port_t                 port;      /* the type's default filled in */
    ngx_str_t                 path;      /* with its "/", as written, or none */
    ngx_str_t                 args;      /* behind the "?"; or empty */
    ngx_str_t                 user;      /* of the URL, decoded, or what
                                            "username" says; data NULL: none */
    ngx_str_t                 password;  /* likewise; a secret */

    ngx_msec_t                interval;
    ngx_msec_t                timeout;
    ngx_uint_t                fall;
    ngx_uint_t                rise;
    ngx_uint_t                degraded;  /* what a degraded second is worth in
                                            uptime, of NGX_STATUS_WEIGHT */

    ngx_str_t                 method;    /* empty: GET, or POST with a body */
    ngx_array_t              *headers;   /* of ngx_str_t "Name: value\0",
                                            request headers; NULL: none */
    ngx_str_t                 body;      /* request body; data NULL: none */
    ngx_uint_t                follow;    /* redirects at most; 0: none */
    ngx_str_t                 user_agent;
    ngx_flag_t                tls_verify;
    ngx_str_t                 tls_ca;    /* file; empty: the system's */
    ngx_str_t                 tls_cert;  /* file, with the key unless below */
    ngx_str_t                 tls_key;
    ngx_str_t                 resolve;   /* address to connect to instead of
                                            resolving the host; or empty */
    ngx_flag_t                keepalive;
    size_t                    max_body;  /* bytes judged of an answer */

    ngx_status_cond_t        *conds;     /* expects and prefers, in order */
    ngx_uint_t                nconds;
    ngx_str_t                *bots;
    ngx_uint_t                nbots;
    ngx_str_t                *secrets;   /* never to be shown, should a target
                                            send one back */
    ngx_uint_t                nsecrets;

    ngx_status_json_path_t   *score;     /* NULL: not a score check */
    double                    scale;     /* 1 by default */
    ngx_status_json_path_t   *grade;
    ngx_status_json_path_t   *categories;
    double                    categories_scale;
    ngx_str_t                 series_url;        /* of score_history */
    ngx_status_json_path_t   *series;
    ngx_status_delta_conf_t   drop;
    ngx_status_delta_conf_t   slower;

    ngx_array_t               settings;  /* of ngx_status_setting_t: directives
                                            that types declare as options */
    void                     *conf;      /* the type's: made by its conf() */
    u_char                   *token;     /* likewise; NGX_STATUS_TOKEN bytes,
                                            zeroes behind it: who knows it
                                            may send heartbeats; a secret;
                                            NULL: none are taken.  A result
                                            of E_VALUE is one of silence */
};


/*
 * A directive of a type's own: "NAME VALUE;", in a check of the type and in
 * the blocks around it, from which checks of other types do not take it.
 * Types may share a name, with the same kind.
 */

typedef enum {
    NGX_STATUS_OPTION_TEXT = 0,          /* printable UTF-8 */
    NGX_STATUS_OPTION_BYTES,             /* with \r \n \t \0 \\ \xHH; may end
                                            in a secret and line ends */
    NGX_STATUS_OPTION_SECRET,            /* text, or file:/path or env:NAME;
                                            with "allowed" it may be shown */
    NGX_STATUS_OPTION_WORD,              /* one of those in "allowed" */
    NGX_STATUS_OPTION_FLAG,              /* on or off; "number" is 1 or 0 */
    NGX_STATUS_OPTION_NUMBER,
    NGX_STATUS_OPTION_TIME,              /* ms */
    NGX_STATUS_OPTION_SIZE               /* bytes */
} ngx_status_option_e;

typedef struct {
    ngx_str_t                 name;
    ngx_status_option_e       kind;
    const char               *allowed;   /* words parted by spaces, or what to
                                            say of a number out of bounds */
    int64_t                   min;       /* of numbers, both included */
    int64_t                   max;
} ngx_status_option_t;

typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 text;      /* NUL-terminated; secrets too */
    int64_t                   number;    /* of FLAG, NUMBER, TIME and SIZE; of
                                            WORD: which one, from 0 */
} ngx_status_setting_t;

/* What was set, or NULL.  Master, for conf(). */
const ngx_status_setting_t *ngx_status_setting(
    const ngx_status_check_t *check, const char *name);

/* Rows that many types have. */

#define NGX_STATUS_OPTION_FAMILY                                             \
    { ngx_string("family"), NGX_STATUS_OPTION_WORD, "4 6 any", 0, 0 }

#define NGX_STATUS_OPTION_LOGIN                                              \
    { ngx_string("username"), NGX_STATUS_OPTION_SECRET, "shown", 0, 0 },     \
    { ngx_string("password"), NGX_STATUS_OPTION_SECRET, NULL, 0, 0 }

#define NGX_STATUS_OPTION_END                                                \
    { ngx_null_string, NGX_STATUS_OPTION_TEXT, NULL, 0, 0 }


/*
 * One probe: made and owned by the checker, one at a time for a check.
 * start() gets it with check, log and done set, result zeroed but for "at"
 * and "kept", which is what the last result had, score zeroed with value NAN.
 * The type fills result->latency, phases, size, seen, http_status and the
 * score, judges, and calls done() exactly once, from the loop or from within
 * start().  After done() the probe is the checker's again.  What most types
 * do alike between the two is in ngx_status_probe.h, ngx_status_dial.h and
 * ngx_status_cert.h.
 */

struct ngx_status_probe_s {
    const ngx_status_check_t  *check;
    ngx_log_t                 *log;
    ngx_status_result_t        result;
    ngx_status_score_t         score;

    /* for start() alone, borrowed */
    const ngx_status_result_t  *before;  /* the last result; NULL: none */
    const ngx_status_push_t   *pushes;   /* of a check with a token: what came,
                                            oldest first */
    ngx_uint_t                 npushes;  /* start() lowers it to those it has
                                            used; the rest comes again */
    int64_t                    listening;        /* ms since the epoch: since
                                            when pushes can come; */
    int64_t                    offline;          /* since when they can not, for
                                            there is no network; 0: for all
                                            that is known there is one */

    void                     (*done)(ngx_status_probe_t *probe);
    void                      *data;     /* the checker's */
    void                      *ctx;      /* the type's, from start to done */
    ngx_msec_t                 started;  /* ngx_current_msec; these two are
                                            ngx_status_probe.c's */
    struct ngx_status_judging_s  *judging;
    struct ngx_status_cert_seen_s  *cert;        /* ngx_status_cert.c's; NULL:
                                            none was ever seen */
};


#define NGX_STATUS_TLS_NONE      0
#define NGX_STATUS_TLS_VERIFIED  1       /* unless tls_verify is off: with
                                            default cert conditions */
#define NGX_STATUS_TLS_SEEN      2


struct ngx_status_check_type_s {
    ngx_str_t                  name;     /* the "type" in JSON */
    const ngx_str_t           *schemes;  /* ends with an empty one */
    const in_port_t           *ports;    /* default ports, by scheme */
    ngx_uint_t                 subjects; /* mask: what conditions may ask */

    /* "prefer latency" where the check has none, in ms; 0: no default */
    ngx_msec_t                 latency;

    /* The library that the module was built without: "libpq (libpq-dev)".
     * Its schemes are an error then, and all below is NULL.  NULL: none. */
    const char                *needs;

    const ngx_status_option_t *options;  /* ends with OPTION_END; or NULL */

    /* Whether probes of the check will see a certificate, NGX_STATUS_TLS_*:
     * cert conditions of the blocks around it are for these.  NULL: never.
     * Master, after all directives. */
    ngx_uint_t               (*tls)(const ngx_status_check_t *check);

    /*
     * Looks at the check once all its directives are known: URL, options
     * that do not fit.  NGX_ERROR with a sentence in err.  Master, also
     * under "nginx -t": no I/O but reading the files it names.  May be NULL.
     */
    ngx_int_t                (*conf)(ngx_pool_t *pool,
                                     ngx_status_check_t *check, char *err,
                                     size_t errlen);

    /*
     * Begins a probe and returns at once.  There is no return value: a probe
     * that can not begin is a result too (unknown, with the reason).  That
     * of a check with a token is done() before it returns.
     */
    void                     (*start)(ngx_status_probe_t *probe);

    /* Ends a probe early, without done(), and frees what start() took. */
    void                     (*stop)(ngx_status_probe_t *probe);

    /* Once a checker process, before any start(); may be NULL.  NGX_ERROR
     * makes every probe of the type "unknown". */
    ngx_int_t                (*init)(ngx_cycle_t *cycle);

    /*
     * Sets what no directive has set (NGX_CONF_UNSET...) where the type has
     * other defaults than most: interval, fall, rise.  Master, before
     * conf(); may be NULL.
     */
    void                     (*preset)(ngx_status_check_t *check);
};


/* The table: pointers, ends with NULL. */
extern const ngx_status_check_type_t  *ngx_status_check_types[];

/*
 * Finds the type of a URL's scheme and fills type, scheme, host, port and
 * path, args, user, password and target (by ngx_status_url_redact()).
 * NGX_ERROR with a sentence ("unknown scheme \"htpp\", expected http or
 * https").  Master.
 */

ngx_int_t ngx_status_check_url(ngx_pool_t *pool, ngx_status_check_t *check,
    char *err, size_t errlen);

/* bytes of a secret at least; shorter ones would hide other things */
#define NGX_STATUS_HIDE  4

/* Puts "***" where a text that came from outside holds a secret of the check,
 * or the first 8 bytes of it and more, in place.  Any process. */
void ngx_status_mask(const ngx_status_check_t *check, char *text);

/* Adds a secret, NUL-terminated, that only the type knows of, and wipes it with
 * the pool.  NGX_ERROR: no memory.  Master. */
ngx_int_t ngx_status_hide(ngx_pool_t *pool, ngx_status_check_t *check,
    const ngx_str_t *secret);

/* Overwrites a secret when the pool goes.  NGX_ERROR: no memory.  Master. */
ngx_int_t ngx_status_wipe(ngx_pool_t *pool, const ngx_str_t *secret);

/* Percent-encoded text, decoded and NUL-terminated; NGX_DECLINED: it is not,
 * or holds %00.  NGX_ERROR: no memory.  Master. */

ngx_int_t ngx_status_url_decode(ngx_pool_t *pool, ngx_str_t *text, u_char *p,
    u_char *last);


#endif /* _NGX_STATUS_CHECK_H_INCLUDED_ */
