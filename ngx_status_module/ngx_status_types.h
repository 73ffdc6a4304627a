
/*
 * Copyright (C) ngx_status_module authors
 *
 * The words and the plain records that every floor shares.  Nothing here
 * allocates, locks or does I/O.  Records hold no pointers: they are copied
 * byte for byte into and out of the zone.
 */


#ifndef _NGX_STATUS_TYPES_H_INCLUDED_
#define _NGX_STATUS_TYPES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * A state of one result or of a check.  Values live in the zone: append
 * only.  0 is "unknown", so that zeroed memory can never look green.
 */

typedef enum {
    NGX_STATUS_UNKNOWN = 0,
    NGX_STATUS_UP,
    NGX_STATUS_DEGRADED,
    NGX_STATUS_BOT_DETECTED,
    NGX_STATUS_TIMEOUT,
    NGX_STATUS_DOWN,
    NGX_STATUS_MAINTENANCE,          /* a confirmed state only */
    NGX_STATUS_NSTATES
} ngx_status_state_e;


/* Why a result is not "up".  Values live in the zone: append only. */

typedef enum {
    NGX_STATUS_E_NONE = 0,
    NGX_STATUS_E_INTERNAL,           /* our own fault */
    NGX_STATUS_E_RESOLVE,
    NGX_STATUS_E_CONNECT,
    NGX_STATUS_E_TLS,
    NGX_STATUS_E_TIMEOUT,
    NGX_STATUS_E_RESET,
    NGX_STATUS_E_PROTOCOL,
    NGX_STATUS_E_REDIRECT,
    NGX_STATUS_E_STATUS,
    NGX_STATUS_E_HEADER,
    NGX_STATUS_E_CONTENT,
    NGX_STATUS_E_SIZE,
    NGX_STATUS_E_LATENCY,
    NGX_STATUS_E_CERT,
    NGX_STATUS_E_SCORE,
    NGX_STATUS_E_BOT,
    NGX_STATUS_E_AUTH,
    NGX_STATUS_E_DNS,
    NGX_STATUS_E_VALUE,              /* rows, value, free, load, age ... */
    NGX_STATUS_NERRORS
} ngx_status_error_e;


/* Of a regression delta: score or latency. */

typedef enum {
    NGX_STATUS_NEUTRAL = 0,          /* nothing to compare with */
    NGX_STATUS_OK,
    NGX_STATUS_WARNING,
    NGX_STATUS_CRITICAL,
    NGX_STATUS_NLEVELS
} ngx_status_level_e;


typedef enum {
    NGX_STATUS_PHASE_RESOLVE = 0,
    NGX_STATUS_PHASE_CONNECT,
    NGX_STATUS_PHASE_TLS,
    NGX_STATUS_PHASE_WAIT,
    NGX_STATUS_PHASE_TRANSFER,
    NGX_STATUS_NPHASES
} ngx_status_phase_e;


/*
 * Where the checker puts what it has: store, archive, site of files.  How each
 * of them is lives in the zone: append only.
 */

typedef enum {
    NGX_STATUS_OUTLET_OFF = 0,
    NGX_STATUS_OUTLET_OK,
    NGX_STATUS_OUTLET_WAITING,       /* another process writes there */
    NGX_STATUS_OUTLET_FAILED,
    NGX_STATUS_OUTLET_NSTATES
} ngx_status_outlet_state_e;

typedef enum {
    NGX_STATUS_STORE = 0,
    NGX_STATUS_ARCHIVE,
    NGX_STATUS_EXPORT,
    NGX_STATUS_NOUTLETS
} ngx_status_outlet_e;


/*
 * The one table of states; JSON, HTML, metrics, CSS classes and the log
 * read it.  "name" is the machine's word ("bot_detected"), "title" the
 * reader's ("Bot wall"), "sentence" what a banner says of the whole
 * monitor, "mark" one UTF-8 character that tells it without color.
 */

typedef struct {
    ngx_str_t   name;
    ngx_str_t   title;
    ngx_str_t   sentence;
    ngx_str_t   mark;
    ngx_uint_t  severity;            /* 0 best; orders "worst of" */
} ngx_status_word_t;

extern const ngx_status_word_t  ngx_status_states[NGX_STATUS_NSTATES];
extern const ngx_str_t          ngx_status_errors[NGX_STATUS_NERRORS];
extern const ngx_str_t          ngx_status_levels[NGX_STATUS_NLEVELS];
extern const ngx_str_t          ngx_status_phases[NGX_STATUS_NPHASES];
extern const ngx_str_t    ngx_status_outlet_states[NGX_STATUS_OUTLET_NSTATES];


#define NGX_STATUS_ID            64     /* bytes of an ID, with its NUL */
#define NGX_STATUS_MESSAGE      208     /* bytes of a message, with its NUL */
#define NGX_STATUS_GRADE         16
#define NGX_STATUS_CATEGORIES     8     /* per check */
#define NGX_STATUS_CATEGORY      32     /* bytes of a name, with its NUL */
#define NGX_STATUS_SCORES        30     /* the newest scores kept */
#define NGX_STATUS_RESULTS       60     /* the newest results kept */
#define NGX_STATUS_TIMELINE     240     /* one-minute buckets of the page */
#define NGX_STATUS_EVENTS        24     /* the newest changes of state kept */
#define NGX_STATUS_EVENTS_DAYS   90     /* and for how long they are told */
#define NGX_STATUS_REASON        62     /* bytes of why, with its NUL */
#define NGX_STATUS_SEEN          64     /* bytes, with its NUL; so below */
#define NGX_STATUS_ISSUER        96
#define NGX_STATUS_NAMES        256     /* a name of DNS has 253 at most */
#define NGX_STATUS_TOKEN        128     /* bytes of a token at most */

/* What IDs consist of; the first is no dot.  They stand in URLs, in the zone
 * and in names of files. */
#define NGX_STATUS_ID_BYTES                                                  \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" "abcdefghijklmnopqrstuvwxyz" "0123456789._-"


/*
 * What a probe of a score check found.  An absent number is NAN.
 */

typedef struct {
    char        name[NGX_STATUS_CATEGORY];       /* NUL-terminated UTF-8 */
    double      value;
} ngx_status_category_t;


typedef struct {
    double                 value;                /* times the scale; or NAN */
    char                   grade[NGX_STATUS_GRADE];
    ngx_uint_t             ncategories;
    ngx_status_category_t  categories[NGX_STATUS_CATEGORIES];

    /* from score_history, oldest first; nseries 0: none was asked or came */
    ngx_uint_t             nseries;
    double                 series[NGX_STATUS_SCORES];
} ngx_status_score_t;


/*
 * What is known of a certificate besides when it expires.  Texts are
 * NUL-terminated printable UTF-8, cut; names as a whole.
 */

typedef struct {
    int64_t     chain_expires;       /* s: the earliest of all that the peer
                                        sent; 0: not known */
    uint8_t     verified;            /* NGX_STATUS_CERT_* */
    uint16_t    nnames;              /* all of them, also those cut off */
    char        issuer[NGX_STATUS_ISSUER];       /* "R11 (Let's Encrypt)":
                                        common name and organization */
    char        names[NGX_STATUS_NAMES];         /* of hosts, and addresses;
                                        printable ASCII, parted by spaces */
} ngx_status_cert_t;

#define NGX_STATUS_CERT_UNKNOWN   0      /* nothing to verify it by */
#define NGX_STATUS_CERT_VERIFIED  1
#define NGX_STATUS_CERT_REJECTED  2      /* by chain or name; with tls_verify
                                            off it would be */


/*
 * What a check's type wants to know again at the next probe: a result hands
 * it on to the next one, through reloads and, by the store, through
 * restarts.  Zeroed at first.  "at" says when the newest of it was learned,
 * in ms, 0 for nothing yet: of two versions the newer one is taken.
 */

typedef struct {
    int64_t     at;
    uint64_t    data[8];             /* the type's own */
} ngx_status_kept_t;


/*
 * A heartbeat that somebody sent of a check, as it waits in the inbox for the
 * checker.  "message" is a failure's, as of a result, or what was told along
 * with another one.
 */

typedef enum {
    NGX_STATUS_PUSH_SUCCESS = 0,
    NGX_STATUS_PUSH_FAILURE,
    NGX_STATUS_PUSH_START,           /* of a run that has not ended yet */
    NGX_STATUS_PUSH_LOG
} ngx_status_push_e;

typedef struct {
    int64_t     at;                  /* ms since the epoch: it came */
    uint64_t    rid;                 /* of the run; 0: not said */
    uint64_t    took;                /* us; 0: not said */
    uint8_t     kind;                /* ngx_status_push_e */
    char        message[NGX_STATUS_MESSAGE];
} ngx_status_push_t;


/*
 * One result of one probe: made in checks/, never changed after its done().
 * "message" says what was expected and what came; it is printable UTF-8,
 * holds no secret, and is empty for "up".  "seen" says in a few words what
 * came, up or not ("PONG", "42% of 20 GB free"); internal views show it.
 */

typedef struct {
    int64_t     at;                  /* ms since the epoch: the probe began */
    uint32_t    latency;             /* us, of the whole probe; 0: none was
                                        measured */
    uint32_t    phases[NGX_STATUS_NPHASES];      /* us, each by itself */
    uint64_t    size;                /* body bytes received */
    int64_t     cert_expires;        /* s since the epoch; 0: no certificate */
    ngx_status_cert_t  cert;         /* zeroed without one */
    uint16_t    http_status;         /* 0: none came */
    uint8_t     state;               /* ngx_status_state_e */
    uint8_t     error;               /* ngx_status_error_e */
    ngx_status_kept_t  kept;
    char        message[NGX_STATUS_MESSAGE];
    char        seen[NGX_STATUS_SEEN];           /* printable; may be empty */
} ngx_status_result_t;


/* What is kept of the newest results: for sparklines, lists and CSV. */

typedef struct {
    int64_t     at;                  /* ms since the epoch */
    uint32_t    latency;             /* us */
    uint16_t    http_status;         /* 0: none came */
    uint8_t     state;               /* ngx_status_state_e */
    uint8_t     error;               /* ngx_status_error_e */
} ngx_status_brief_t;


/*
 * Whether a result has a latency that says something of the target: there
 * was an answer, and it was timed.
 */

static ngx_inline ngx_uint_t
ngx_status_timed(ngx_uint_t state, uint32_t latency)
{
    return latency != 0
           && (state == NGX_STATUS_UP || state == NGX_STATUS_DEGRADED
               || state == NGX_STATUS_BOT_DETECTED);
}


/* Copies text cut to "size" - 1 bytes at a UTF-8 boundary, control bytes and
 * broken UTF-8 replaced by "?"; always terminates.  Any process. */

void ngx_status_text_copy(char *dst, size_t size, const u_char *text,
    size_t len);

/* Whether text is whole characters of UTF-8.  Any process. */
ngx_uint_t ngx_status_text_utf8(const u_char *text, size_t len);

/* snprintf() into a message through ngx_status_text_copy(). */

void ngx_status_message(char dst[NGX_STATUS_MESSAGE], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


#endif /* _NGX_STATUS_TYPES_H_INCLUDED_ */
