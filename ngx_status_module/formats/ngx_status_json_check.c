
/*
 * Copyright (C) ngx_status_module authors
 *
 * A check in status.json.
 */


#include "ngx_status_json_doc.h"
#include <math.h>


/* index of the window whose percentiles are told: 24 h */
#define NGX_STATUS_JSON_DAY  1


static void ngx_status_json_last(ngx_status_json_doc_t *d,
    const ngx_status_view_t *v);
static void ngx_status_json_cert(ngx_status_json_doc_t *d,
    const ngx_status_result_t *last);
static void ngx_status_json_ends(ngx_status_json_doc_t *d, const char *at,
    const char *days, int64_t expires);
static void ngx_status_json_pending(ngx_status_json_doc_t *d,
    const ngx_status_view_t *v);
static void ngx_status_json_windows(ngx_status_json_doc_t *d,
    const ngx_status_view_t *v);
static void ngx_status_json_slower(ngx_status_json_doc_t *d,
    const ngx_status_view_t *v);
static void ngx_status_json_score(ngx_status_json_doc_t *d,
    const ngx_status_view_t *v);
static void ngx_status_json_categories(ngx_status_json_doc_t *d,
    const ngx_status_score_t *score);
static void ngx_status_json_events(ngx_status_json_doc_t *d,
    const ngx_status_view_t *v);
static void ngx_status_json_timeline(ngx_status_json_doc_t *d,
    const ngx_status_view_t *v);


void
ngx_status_json_check(ngx_status_json_doc_t *d, const ngx_status_view_t *v)
{
    ngx_status_put_t          *j;
    const ngx_status_check_t  *c;
    static const ngx_str_t     roles[] = { ngx_string("extra"),
                                           ngx_string("core") };

    j = &d->put;
    c = v->check;

    ngx_status_put_open(j, NULL);

    ngx_status_put_word(j, "id", &c->id);
    ngx_status_put_text(j, "title", c->title.data, c->title.len);
    ngx_status_put_text(j, "group", c->group.data, c->group.len);
    ngx_status_put_text(j, "team", c->team.data, c->team.len);
    ngx_status_put_word(j, "role", &roles[c->core ? 1 : 0]);
    ngx_status_put_word(j, "type", &c->type->name);

    if (d->ask->internal) {
        ngx_status_put_text(j, "target", c->target.data, c->target.len);
    }

    ngx_status_put_state(j, "status", v->state);

    ngx_status_json_last(d, v);
    ngx_status_json_pending(d, v);

    /* no check depends on another yet */

    ngx_status_put_array(j, "depends");
    ngx_status_put_end(j);
    ngx_status_put_null(j, "caused_by");

    ngx_status_json_windows(d, v);
    ngx_status_json_slower(d, v);
    ngx_status_json_score(d, v);
    ngx_status_json_events(d, v);
    ngx_status_json_timeline(d, v);

    ngx_status_put_close(j);
}


/* What the newest result says; a check without one has nulls all through. */

static void
ngx_status_json_last(ngx_status_json_doc_t *d, const ngx_status_view_t *v)
{
    ngx_uint_t                  i;
    ngx_status_put_t           *j;
    const ngx_status_record_t  *r;
    const ngx_status_result_t  *last;

    static const ngx_status_record_t  none;

    j = &d->put;
    r = v->known ? &v->record : &none;
    last = &r->last;

    if (v->known) {
        ngx_status_put_state(j, "result", last->state);

    } else {
        ngx_status_put_null(j, "result");
    }

    ngx_status_put_time(j, "since", ngx_status_view_since(d->snapshot, v));
    ngx_status_put_time(j, "checked_at", last->at);
    ngx_status_put_time(j, "next_check_at",
                         d->snapshot->alive ? r->next_at : 0);

    if (d->ask->internal) {
        ngx_status_put_message(j, "message", last->message);
        ngx_status_put_text(j, "seen", last->seen, ngx_strlen(last->seen));
    }

    if (last->error != NGX_STATUS_E_NONE && last->error < NGX_STATUS_NERRORS) {
        ngx_status_put_word(j, "error_class", &ngx_status_errors[last->error]);

    } else {
        ngx_status_put_null(j, "error_class");
    }

    if (last->http_status) {
        ngx_status_put_int(j, "http_status", last->http_status);

    } else {
        ngx_status_put_null(j, "http_status");
    }

    /* a fault of our own measured nothing */

    if (last->state != NGX_STATUS_UNKNOWN && last->latency) {
        ngx_status_put_us(j, "latency_ms", last->latency);

    } else {
        ngx_status_put_null(j, "latency_ms");
    }

    if (d->ask->internal) {
        ngx_status_put_open(j, "phases_ms");

        for (i = 0; i < NGX_STATUS_NPHASES; i++) {
            if (last->phases[i]) {
                ngx_status_put_us(j, (char *) ngx_status_phases[i].data,
                                   last->phases[i]);

            } else {
                ngx_status_put_null(j, (char *) ngx_status_phases[i].data);
            }
        }

        ngx_status_put_close(j);
    }

    ngx_status_put_time(j, "cert_expires_at", last->cert_expires * 1000);
    ngx_status_json_cert(d, last);
    ngx_status_put_time(j, "failed_at", r->failed_at);

    if (d->ask->internal) {
        if (r->failed_at) {
            ngx_status_put_message(j, "failed_message", r->failed);

        } else {
            ngx_status_put_null(j, "failed_message");
        }
    }
}


/* Whose it is may tell more than a public page is to tell. */

static void
ngx_status_json_cert(ngx_status_json_doc_t *d, const ngx_status_result_t *last)
{
    ngx_status_put_t         *j;
    const char               *p, *space;
    const ngx_status_cert_t  *cert;

    j = &d->put;
    cert = &last->cert;

    if (last->cert_expires == 0) {
        ngx_status_put_null(j, "cert");
        return;
    }

    ngx_status_put_open(j, "cert");

    ngx_status_json_ends(d, "expires_at", "days_left", last->cert_expires);
    ngx_status_json_ends(d, "chain_expires_at", "chain_days_left",
                         cert->chain_expires);

    if (cert->verified == NGX_STATUS_CERT_UNKNOWN) {
        ngx_status_put_null(j, "verified");

    } else {
        ngx_status_put_bool(j, "verified",
                            cert->verified == NGX_STATUS_CERT_VERIFIED);
    }

    if (d->ask->internal) {
        ngx_status_put_text(j, "issuer", cert->issuer,
                            ngx_strlen(cert->issuer));
        ngx_status_put_array(j, "names");

        for (p = cert->names; *p; p = space + (*space == ' ')) {
            space = p + strcspn(p, " ");
            ngx_status_put_text(j, NULL, p, space - p);
        }

        ngx_status_put_end(j);
        ngx_status_put_int(j, "names_count", cert->nnames);
    }

    ngx_status_put_close(j);
}


/* Days that have begun do not count; 0 is no time. */

static void
ngx_status_json_ends(ngx_status_json_doc_t *d, const char *at,
    const char *days, int64_t expires)
{
    ngx_status_put_time(&d->put, at, expires * 1000);

    if (expires) {
        ngx_status_put_real(&d->put, days,
                            floor((expires - d->snapshot->now / 1000)
                                  / 86400.));
    } else {
        ngx_status_put_null(&d->put, days);
    }
}


static void
ngx_status_json_pending(ngx_status_json_doc_t *d, const ngx_status_view_t *v)
{
    ngx_uint_t                   run, needed;
    ngx_status_put_t            *j;
    ngx_status_state_e           state;
    const ngx_status_confirm_t  *c;

    j = &d->put;
    c = &v->record.confirm;

    run = 0;
    needed = v->check->fall;
    state = NGX_STATUS_UNKNOWN;

    if (v->known) {

        if (c->unknowns && c->state != NGX_STATUS_UNKNOWN) {
            run = c->unknowns;

        } else if (c->direction != NGX_STATUS_RUN_NONE) {
            run = c->run;
            state = c->run_state;

            if (c->direction == NGX_STATUS_RUN_BETTER) {
                needed = v->check->rise;
            }
        }
    }

    if (run == 0) {
        ngx_status_put_null(j, "pending");
        return;
    }

    ngx_status_put_open(j, "pending");
    ngx_status_put_state(j, "result", state);
    ngx_status_put_int(j, "run", run);
    ngx_status_put_int(j, "needed", needed);
    ngx_status_put_close(j);
}


static void
ngx_status_json_windows(ngx_status_json_doc_t *d, const ngx_status_view_t *v)
{
    char                       *name;
    ngx_status_put_t           *j;
    const ngx_status_window_t  *w;

    ngx_status_json_uptime(d, v, 1);

    j = &d->put;
    w = &v->record.windows[NGX_STATUS_JSON_DAY];
    name = (char *) ngx_status_window_names[NGX_STATUS_JSON_DAY].data;

    ngx_status_put_open(j, "latency");

    if (v->known && w->results) {
        ngx_status_put_open(j, name);
        ngx_status_put_us(j, "p50", w->p50);
        ngx_status_put_us(j, "p95", w->p95);
        ngx_status_put_us(j, "p99", w->p99);
        ngx_status_put_close(j);

    } else {
        ngx_status_put_null(j, name);
    }

    ngx_status_put_close(j);
}


static void
ngx_status_json_slower(ngx_status_json_doc_t *d, const ngx_status_view_t *v)
{
    ngx_status_put_t           *j;
    const ngx_status_record_t  *r;

    j = &d->put;

    if (v->check->slower.warning == 0 && v->check->slower.critical == 0) {
        ngx_status_put_null(j, "slower");
        return;
    }

    r = &v->record;

    ngx_status_put_open(j, "slower");

    if (v->known && r->slower_base > 0) {
        ngx_status_put_us(j, "base_ms", (uint64_t) r->slower_base);
        ngx_status_put_real(j, "growth", r->slower_growth);
        ngx_status_put_level(j, "level", r->slower_level);

    } else {
        ngx_status_put_null(j, "base_ms");
        ngx_status_put_null(j, "growth");
        ngx_status_put_level(j, "level", NGX_STATUS_NEUTRAL);
    }

    ngx_status_put_close(j);
}


static void
ngx_status_json_score(ngx_status_json_doc_t *d, const ngx_status_view_t *v)
{
    ngx_uint_t                i;
    ngx_status_put_t         *j;
    const ngx_status_card_t  *card;

    j = &d->put;

    if (v->check->score == NULL) {
        ngx_status_put_null(j, "score");
        return;
    }

    card = &v->record.card;

    ngx_status_put_open(j, "score");

    /* before the first score the card is all zero, and so are its numbers */

    ngx_status_put_real(j, "value", card->at ? card->last.value : NAN);
    ngx_status_put_text(j, "grade", card->last.grade,
                         strnlen(card->last.grade, NGX_STATUS_GRADE));
    ngx_status_put_real(j, "previous", card->at ? card->previous : NAN);
    ngx_status_put_real(j, "delta", card->at ? card->delta : NAN);
    ngx_status_put_level(j, "level", card->level);

    ngx_status_json_categories(d, &card->last);

    ngx_status_put_array(j, "history");

    for (i = 0; i < ngx_min(card->nscores, NGX_STATUS_SCORES); i++) {
        ngx_status_put_real(j, NULL, card->scores[i]);
    }

    ngx_status_put_end(j);

    ngx_status_put_time(j, "scored_at", card->at);
    ngx_status_put_bool(j, "stale", card->stale);

    if (d->ask->internal) {
        ngx_status_put_message(j, "error",
                               card->stale ? v->record.last.message : "");
    }

    ngx_status_put_close(j);
}


static void
ngx_status_json_categories(ngx_status_json_doc_t *d,
    const ngx_status_score_t *score)
{
    ngx_uint_t                    i, k, n;
    ngx_status_put_t             *j;
    const ngx_status_category_t  *c;

    j = &d->put;
    c = score->categories;
    n = ngx_min(score->ncategories, NGX_STATUS_CATEGORIES);

    ngx_status_put_open(j, "categories");

    for (i = 0; i < n; i++) {

        /* a name is told once */

        for (k = 0; k < i; k++) {
            if (strncmp(c[k].name, c[i].name, NGX_STATUS_CATEGORY) == 0) {
                break;
            }
        }

        if (k == i && c[i].name[0]) {
            ngx_status_put_real(j, c[i].name, c[i].value);
        }
    }

    ngx_status_put_close(j);
}


static void
ngx_status_json_events(ngx_status_json_doc_t *d, const ngx_status_view_t *v)
{
    ngx_uint_t                 i;
    ngx_status_put_t          *j;
    const ngx_status_event_t  *event;

    j = &d->put;

    ngx_status_put_array(j, "events");

    for (i = ngx_status_view_events(d->snapshot, v);
         v->known && i < ngx_min(v->record.nevents, NGX_STATUS_EVENTS);
         i++)
    {
        event = &v->record.events[i];

        ngx_status_put_open(j, NULL);
        ngx_status_put_state(j, "from", event->from);
        ngx_status_put_state(j, "to", event->to);
        ngx_status_put_time(j, "since", event->since);
        ngx_status_put_time(j, "until",
                            ngx_status_view_until(d->snapshot, v, i));

        if (d->ask->internal) {
            ngx_status_put_message(j, "reason", event->reason);
        }

        ngx_status_put_close(j);
    }

    ngx_status_put_end(j);
}


static void
ngx_status_json_timeline(ngx_status_json_doc_t *d, const ngx_status_view_t *v)
{
    ngx_uint_t         i, n;
    ngx_status_run_t   runs[NGX_STATUS_TIMELINE];
    ngx_status_put_t  *j;

    j = &d->put;
    n = ngx_status_view_timeline(d->snapshot, v, runs);

    ngx_status_put_open(j, "timeline");

    ngx_status_put_int(j, "bucket_seconds", 60);
    ngx_status_put_time(j, "end", (d->snapshot->now / 60000 + 1) * 60000);

    ngx_status_put_array(j, "runs");

    for (i = 0; i < n; i++) {
        ngx_status_put_array(j, NULL);
        ngx_status_put_state(j, NULL, runs[i].state);
        ngx_status_put_int(j, NULL, runs[i].n);
        ngx_status_put_end(j);
    }

    ngx_status_put_end(j);

    ngx_status_put_close(j);
}
