
/*
 * Copyright (C) ngx_status_module authors
 */


#include <ngx_config.h>

#if (NGX_STATUS_PQ)

#include "ngx_status_pq.h"


/* libpq has no codes for what fails on its own side, only these words. */

typedef struct {
    const char          *said;
    ngx_status_error_e   error;
    const char          *text;           /* NULL: the line that it is in */
} ngx_status_pq_word_t;

static const ngx_status_pq_word_t  ngx_status_pq_table[] = {
    /* first what holds words of the server's */
    { "does not match host name", NGX_STATUS_E_TLS,
      "certificate is for another name" },
    { "SCRAM", NGX_STATUS_E_AUTH, NULL },
    { "out of memory", NGX_STATUS_E_INTERNAL, "no memory" },
    { "root certificate file", NGX_STATUS_E_INTERNAL, NULL },
    { "private key file", NGX_STATUS_E_INTERNAL, NULL },
    { "certificate file", NGX_STATUS_E_INTERNAL, NULL },
    { "certificate verify failed", NGX_STATUS_E_TLS,
      "certificate is not trusted" },
    { "server does not support SSL", NGX_STATUS_E_TLS,
      "the server does not do TLS" },
    { "invalid response to SSL negotiation", NGX_STATUS_E_PROTOCOL,
      "the answer is not PostgreSQL's" },
    { "expected authentication request", NGX_STATUS_E_PROTOCOL,
      "the answer is not PostgreSQL's" },
    { "no password supplied", NGX_STATUS_E_AUTH,
      "the server asks for a password, and none is set" },
    { "channel binding", NGX_STATUS_E_AUTH, NULL },
    { "authentication method", NGX_STATUS_E_AUTH, NULL },
    { "SASL", NGX_STATUS_E_AUTH, NULL },
    { "GSSAPI", NGX_STATUS_E_AUTH, NULL },
    { "SSL", NGX_STATUS_E_TLS, NULL },
    { "session is ", NGX_STATUS_E_VALUE, NULL },
    { "server is ", NGX_STATUS_E_VALUE, NULL },
    { "", NGX_STATUS_E_PROTOCOL, NULL }
};


/* And nothing else for what the system says, but its own words. */

static const int  ngx_status_pq_errors[] = {
    ECONNREFUSED, ECONNRESET, EPIPE, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH,
    ENOENT, ENOTDIR, EACCES, EPERM, EMFILE, ENFILE, ENOMEM, ENOBUFS,
    EADDRNOTAVAIL, EAFNOSUPPORT, 0
};


static const char *ngx_status_pq_sqlstate(const char *text,
    char sqlstate[6]);


ngx_uint_t
ngx_status_pq_words(ngx_status_pq_t *pq, ngx_status_phase_e phase,
    const char *text)
{
    char                         sqlstate[6], line[NGX_STATUS_PQ_LINE];
    const char                  *p;
    const ngx_status_pq_word_t  *word;

    p = ngx_status_pq_sqlstate(text, sqlstate);

    if (p) {
        ngx_status_pq_says(pq, p, sqlstate);
        return 0;
    }

    if (pq->feed.error == ENOBUFS || pq->feed.error == ENOMEM) {
        ngx_status_ev_fault(&pq->ev, "no memory");
        return 0;
    }

    if (pq->feed.eof || strstr(text, "closed the connection")
        || strstr(text, "has been closed") || strstr(text, "EOF detected"))
    {
        ngx_status_probe_broken(pq->feed.error, phase, &pq->ev);
        return 0;
    }

    for (word = ngx_status_pq_table; /* void */ ; word++) {
        p = strstr(text, word->said);

        if (p) {
            break;
        }
    }

    if (word->error == NGX_STATUS_E_INTERNAL) {
        ngx_status_ev_fault(&pq->ev, "%s", word->text ? word->text
                            : ngx_status_pq_line(text, p, line));
        return 0;
    }

    ngx_status_ev_fails(&pq->ev, word->error, "%s", word->text ? word->text
                        : ngx_status_pq_line(text, p, line));

    return strstr(text, "certificate verify failed") != NULL
           || strstr(text, "does not match host name") != NULL;
}


void
ngx_status_pq_says(ngx_status_pq_t *pq, const char *text,
    const char *sqlstate)
{
    const char          *what;
    ngx_status_error_e   error;

    what = pq->answering ? "query failed" : "no login";

    error = ngx_strncmp(sqlstate, "28", 2) == 0 ? NGX_STATUS_E_AUTH
                                                : NGX_STATUS_E_VALUE;

    ngx_status_ev_fails(&pq->ev, error, "%s: %.*s%s%.5s%s", what,
                        (int) ngx_min(strcspn(text, "\n"),
                                      NGX_STATUS_PQ_LINE - 1),
                        text, *sqlstate ? " (" : "", sqlstate,
                        *sqlstate ? ")" : "");
}


/* Of "...FATAL:  28P01: text" where the text begins; NULL: these are no
 * words of the server's.  It may leave the SQLSTATE out. */

static const char *
ngx_status_pq_sqlstate(const char *text, char sqlstate[6])
{
    const char  *p;

    p = strstr(text, ":  ");

    if (p == NULL) {
        return NULL;
    }

    p += 3;
    sqlstate[0] = '\0';

    if (strspn(p, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5
        && p[5] == ':')
    {
        ngx_memcpy(sqlstate, p, 5);
        sqlstate[5] = '\0';
        p += 6;
        p += strspn(p, " ");
    }

    return p;
}


/* libpq's preface is "connection to server at ..., port 5432 failed: ". */

const char *
ngx_status_pq_line(const char *text, const char *word,
    char line[NGX_STATUS_PQ_LINE])
{
    const char  *p;

    while (word > text && word[-1] != '\n') {
        word--;
    }

    if (ngx_strncmp(word, "connection to server", 20) == 0) {
        p = strstr(word, " failed: ");

        if (p) {
            word = p + 9;
        }
    }

    snprintf(line, NGX_STATUS_PQ_LINE, "%.*s", (int) strcspn(word, "\n"),
             word);

    return line;
}


int
ngx_status_pq_errno(const char *text)
{
    ngx_uint_t  i;

    for (i = 0; ngx_status_pq_errors[i]; i++) {
        if (strstr(text, strerror(ngx_status_pq_errors[i]))) {
            return ngx_status_pq_errors[i];
        }
    }

    return 0;
}

#endif
