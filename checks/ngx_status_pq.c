
/*
 * Copyright (C) ngx_status_module authors
 */


#include <ngx_config.h>

#if (NGX_STATUS_PQ)

#include "ngx_status_pq.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>


#define NGX_STATUS_PQ_ROW    7           /* bytes besides its columns */
#define NGX_STATUS_PQ_COLUMN  4          /* and besides its value */


static void ngx_status_pq_leave(ngx_status_pq_t *pq);
static void ngx_status_pq_begin(ngx_status_pq_t *pq);
static void ngx_status_pq_connect(ngx_status_pq_t *pq);
static void ngx_status_pq_ask(ngx_status_pq_t *pq);
static void ngx_status_pq_answer(ngx_status_pq_t *pq);
static ngx_uint_t ngx_status_pq_result(ngx_status_pq_t *pq, PGresult *res);
static ngx_uint_t ngx_status_pq_feed(ngx_status_pq_t *pq);
static void ngx_status_pq_wait(ngx_status_pq_t *pq, ConnStatusType status);
static void ngx_status_pq_cut(ngx_status_pq_t *pq);
static void ngx_status_pq_done(ngx_status_pq_t *pq);
static void ngx_status_pq_failed(ngx_status_pq_t *pq, ConnStatusType status,
    const char *text);
static void ngx_status_pq_look(ngx_status_pq_t *pq);
static void ngx_status_pq_looked(ngx_status_pq_t *pq);
static void ngx_status_pq_notice(void *data, const PGresult *res);


void
ngx_status_pq_step(ngx_status_pq_t *pq)
{
    pq->want = 0;

    if (pq->conn == NULL) {
        ngx_status_pq_begin(pq);

    } else if (ngx_status_pq_feed(pq)) {
        /* void */

    } else if (pq->answering) {
        ngx_status_pq_answer(pq);

    } else {
        ngx_status_pq_connect(pq);
    }

    if (pq->want == 0 && !pq->looking) {

        /* here, where it may take its time; a certificate that was looked
         * for is still to be seen */

        ngx_status_pq_leave(pq);
        return;
    }

    pq->fd = pq->feed.on ? pq->feed.fd : PQsocket(pq->conn);
}


void
ngx_status_pq_close(ngx_status_pq_t *pq)
{
    ngx_status_pq_leave(pq);

    PQclear(pq->first);
    pq->first = NULL;

    pq->answering = 0;
    pq->pending = 0;
}


/* libpq says good-bye when there is somebody to hear it; it does not wait. */

static void
ngx_status_pq_leave(ngx_status_pq_t *pq)
{
    PQfinish(pq->conn);
    pq->conn = NULL;

    ngx_status_pq_feed_end(&pq->feed);
}


static void
ngx_status_pq_begin(ngx_status_pq_t *pq)
{
    char                           line[NGX_STATUS_PQ_LINE];
    const char                    *text;
    const char                    *values[NGX_STATUS_PQ_PARAMS];
    const ngx_status_pq_params_t  *params;

    params = pq->params;
    ngx_memcpy(values, params->values, sizeof(values));

    if (pq->address[0]) {
        values[params->hostaddr] = pq->address;
    }

    if (pq->looking) {
        values[params->sslmode] = "require";
        values[params->sslrootcert] = NGX_STATUS_PQ_NOWHERE;
    }

    pq->conn = PQconnectStartParams(params->keys, values, 0);

    if (pq->conn == NULL) {
        ngx_status_ev_fault(&pq->ev, "no memory");
        return;
    }

    if (PQstatus(pq->conn) == CONNECTION_BAD) {

        text = PQerrorMessage(pq->conn);

        if (ngx_status_pq_errno(text)) {
            ngx_status_pq_failed(pq, CONNECTION_STARTED, text);

        } else {
            ngx_status_ev_fault(&pq->ev, "%s",
                                ngx_status_pq_line(text, text, line));
        }

        return;
    }

    /* verbose has the SQLSTATE in it */

    PQsetErrorVerbosity(pq->conn, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(pq->conn, ngx_status_pq_notice, NULL);

    pq->want = EPOLLOUT;
}


static void
ngx_status_pq_connect(ngx_status_pq_t *pq)
{
    ConnStatusType             status;
    PostgresPollingStatusType  rc;

    for ( ;; ) {

        status = PQstatus(pq->conn);

        if (status == CONNECTION_MADE && !pq->feed.on
            && ngx_status_pq_feed_begin(&pq->feed, PQsocket(pq->conn))
               != NGX_OK)
        {
            ngx_status_ev_fault(&pq->ev, "no pair of sockets: %s",
                                strerror(errno));
            return;
        }

        if (pq->looking && status == CONNECTION_MADE && PQsslInUse(pq->conn))
        {
            ngx_status_pq_looked(pq);
            return;
        }

        rc = PQconnectPoll(pq->conn);

        if (rc == PGRES_POLLING_FAILED) {
            ngx_status_pq_failed(pq, status, PQerrorMessage(pq->conn));
            return;
        }

        if (rc == PGRES_POLLING_OK) {
            ngx_status_pq_ask(pq);
            return;
        }

        if (ngx_status_pq_feed_lost(&pq->feed, PQsocket(pq->conn))) {

            /* there it was no good with TLS, or without */

            ngx_status_pq_feed_end(&pq->feed);
            pq->pending = 0;
        }

        if (!pq->feed.on) {

            if (PQstatus(pq->conn) == CONNECTION_MADE) {
                continue;
            }

            pq->want = rc == PGRES_POLLING_READING ? EPOLLIN : EPOLLOUT;
            return;
        }

        if (rc == PGRES_POLLING_READING
            && !ngx_status_pq_feed_left(PQsocket(pq->conn)))
        {
            ngx_status_pq_wait(pq, status);
            return;
        }
    }
}


static void
ngx_status_pq_ask(ngx_status_pq_t *pq)
{
    /* before the login libpq has too little to send to wait for anything */

    pq->answering = 1;
    pq->pending = 0;

    if (PQsetnonblocking(pq->conn, 1) != 0
        || PQsendQuery(pq->conn, pq->params->query) != 1)
    {
        ngx_status_pq_failed(pq, CONNECTION_OK, PQerrorMessage(pq->conn));
        return;
    }

    (void) PQsetSingleRowMode(pq->conn);

    ngx_status_pq_answer(pq);
}


static void
ngx_status_pq_answer(ngx_status_pq_t *pq)
{
    SSL  *ssl;

    ssl = PQsslStruct(pq->conn, "OpenSSL");

    do {
        if (PQflush(pq->conn) == -1 || PQconsumeInput(pq->conn) != 1) {
            ngx_status_pq_failed(pq, CONNECTION_OK,
                                 PQerrorMessage(pq->conn));
            return;
        }

        while (!PQisBusy(pq->conn)) {
            if (ngx_status_pq_result(pq, PQgetResult(pq->conn))) {
                return;
            }
        }

    } while (ngx_status_pq_feed_left(PQsocket(pq->conn))
             || (ssl && SSL_pending(ssl)));

    ngx_status_pq_wait(pq, CONNECTION_OK);
}


/*
 * A piece of what has come.  A row has to be whole before libpq hands it out,
 * and parameters that the server sets are kept: true, that is too much.
 */

static ngx_uint_t
ngx_status_pq_feed(ngx_status_pq_t *pq)
{
    if (!pq->feed.on) {
        return 0;
    }

    pq->pending += ngx_status_pq_feed_in(&pq->feed);

    if (!pq->answering) {

        if (pq->pending < NGX_STATUS_PQ_PIECE) {
            return 0;
        }

        ngx_status_ev_fails(&pq->ev, NGX_STATUS_E_PROTOCOL, "more than %d kB "
                            "came before the login was done",
                            NGX_STATUS_PQ_PIECE / 1024);
        return 1;
    }

    if (pq->pending <= pq->params->max + NGX_STATUS_PQ_PIECE) {
        return 0;
    }

    ngx_status_pq_cut(pq);

    return 1;
}


/* libpq has read all there is. */

static void
ngx_status_pq_wait(ngx_status_pq_t *pq, ConnStatusType status)
{
    if (pq->feed.eof) {
        ngx_status_pq_failed(pq, status, "");
        return;
    }

    pq->want = EPOLLIN | (ngx_status_pq_feed_out(&pq->feed) ? EPOLLOUT : 0);
}


static void
ngx_status_pq_cut(ngx_status_pq_t *pq)
{
    if (pq->first) {
        pq->ev.body_cut = 1;
        ngx_status_pq_done(pq);
        return;
    }

    ngx_status_ev_fails(&pq->ev, NGX_STATUS_E_SIZE, "more than max_body "
                        "came, and not one whole row");
}


/* Takes over a result; true: that was the last one. */

static ngx_uint_t
ngx_status_pq_result(ngx_status_pq_t *pq, PGresult *res)
{
    int    i;
    char  *text, *sqlstate;

    if (res == NULL) {
        ngx_status_pq_done(pq);
        return 1;
    }

    pq->pending = 0;

    switch (PQresultStatus(res)) {

    case PGRES_SINGLE_TUPLE:

        pq->rows++;
        pq->received += NGX_STATUS_PQ_ROW;

        for (i = 0; i < PQnfields(res); i++) {
            pq->received += PQgetlength(res, 0, i) + NGX_STATUS_PQ_COLUMN;
        }

        if (pq->first == NULL) {
            pq->first = res;

        } else {
            PQclear(res);
        }

        if (pq->received > pq->params->max) {
            ngx_status_pq_cut(pq);
            return 1;
        }

        return 0;

    case PGRES_TUPLES_OK:
        /* the end of some */

    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        break;

    case PGRES_COPY_OUT:
    case PGRES_COPY_IN:
    case PGRES_COPY_BOTH:
        ngx_status_ev_fails(&pq->ev, NGX_STATUS_E_VALUE,
                            "the query is a COPY, which gives no rows");
        PQclear(res);
        return 1;

    default:
        text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
        sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);

        if (text && sqlstate) {
            ngx_status_pq_says(pq, text, sqlstate);

        } else {
            ngx_status_pq_failed(pq, CONNECTION_OK,
                                 PQresultErrorMessage(res));
        }

        PQclear(res);
        return 1;
    }

    PQclear(res);

    return 0;
}


static void
ngx_status_pq_done(ngx_status_pq_t *pq)
{
    char                    seen[2 * NGX_STATUS_SEEN];
    ngx_str_t               value;
    const char             *version;
    ngx_status_evidence_t  *ev;

    ev = &pq->ev;

    ev->have = ngx_status_subject_bit(NGX_STATUS_S_ROWS);
    ev->number[NGX_STATUS_S_ROWS] = pq->rows;

    ngx_str_set(&value, "no rows");

    if (pq->first == NULL) {
        /* void */

    } else if (PQnfields(pq->first) == 0 || PQgetisnull(pq->first, 0, 0)) {
        ngx_str_set(&value, "NULL");

    } else {
        value.data = (u_char *) PQgetvalue(pq->first, 0, 0);
        value.len = PQgetlength(pq->first, 0, 0);

        ev->have |= ngx_status_subject_bit(NGX_STATUS_S_VALUE);
        ev->string[NGX_STATUS_S_VALUE] = value;
    }

    /* "15.20 (Debian 15.20-0+deb12u1)" */

    version = PQparameterStatus(pq->conn, "server_version");

    if (version == NULL) {
        version = "";
    }

    snprintf(seen, sizeof(seen), "PostgreSQL%s%.*s: %.*s",
             *version ? " " : "", (int) ngx_min(strcspn(version, " "), 20),
             version, (int) ngx_min(value.len, NGX_STATUS_SEEN),
             (char *) value.data);

    ngx_status_text_copy(pq->seen, NGX_STATUS_SEEN, (u_char *) seen,
                         ngx_strlen(seen));
}


/* "status" is libpq's of before it failed. */

static void
ngx_status_pq_failed(ngx_status_pq_t *pq, ConnStatusType status,
    const char *text)
{
    if (pq->looking) {
        /* the reason why it looks stands */
        return;
    }

    if (status == CONNECTION_STARTED) {
        pq->unconnected = 1;
        pq->error = ngx_status_pq_errno(text);
        return;
    }

    if (ngx_status_pq_words(pq, status == CONNECTION_SSL_STARTUP
                                ? NGX_STATUS_PHASE_TLS
                                : NGX_STATUS_PHASE_WAIT, text))
    {
        ngx_status_pq_look(pq);
    }
}


/*
 * libpq says of a certificate only that it was refused, and keeps it to
 * itself.  So it is asked for once more, on a connection that ends with the
 * handshake, to say why and to show when it expires.
 */

static void
ngx_status_pq_look(ngx_status_pq_t *pq)
{
    ngx_status_pq_close(pq);

    pq->looking = 1;
    ngx_status_pq_begin(pq);
}


static void
ngx_status_pq_looked(ngx_status_pq_t *pq)
{
    int                            error;
    SSL                           *ssl;
    X509                          *leaf;
    X509_STORE                    *store;
    X509_STORE_CTX                *ctx;
    const ngx_status_pq_params_t  *params;

    params = pq->params;
    error = X509_V_OK;

    ssl = PQsslStruct(pq->conn, "OpenSSL");
    leaf = ssl ? SSL_get1_peer_certificate(ssl) : NULL;
    store = X509_STORE_new();
    ctx = X509_STORE_CTX_new();

    if (leaf && store && ctx
        && X509_STORE_load_locations(store,
                                     params->values[params->sslrootcert],
                                     NULL)
           == 1
        && X509_STORE_CTX_init(ctx, store, leaf, SSL_get_peer_cert_chain(ssl))
           == 1
        && X509_STORE_CTX_set_default(ctx, "ssl_server") == 1
        && X509_verify_cert(ctx) != 1)
    {
        error = X509_STORE_CTX_get_error(ctx);
    }

    if (error != X509_V_OK) {
        ngx_status_ev_fails(&pq->ev, NGX_STATUS_E_TLS,
                            "certificate is not trusted: %s",
                            X509_verify_cert_error_string(error));
    }

    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(leaf);
    ERR_clear_error();
}


static void
ngx_status_pq_notice(void *data, const PGresult *res)
{
    (void) data;
    (void) res;
}

#endif
