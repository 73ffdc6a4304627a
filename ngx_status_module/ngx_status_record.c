
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_record.h"
#include <math.h>


/* results until which, and seconds after which, windows are summed up */
#define NGX_STATUS_RECORD_FEW      10
#define NGX_STATUS_RECORD_TROUBLE  60
#define NGX_STATUS_RECORD_CALM     300


static ngx_uint_t ngx_status_record_state(const ngx_status_check_t *check,
    const ngx_status_history_conf_t *history, ngx_status_record_t *record,
    void *rings, const ngx_status_result_t *result);
static void ngx_status_record_rewind(ngx_status_record_t *record, int64_t to);
static void ngx_status_record_event(ngx_status_record_t *record,
    ngx_status_state_e from, ngx_status_state_e to, int64_t since,
    const char *reason);
static void ngx_status_record_card(const ngx_status_check_t *check,
    ngx_status_card_t *card, const ngx_status_result_t *result,
    const ngx_status_score_t *score);
static void ngx_status_record_slower(const ngx_status_check_t *check,
    ngx_status_record_t *record, const ngx_status_result_t *result);


ngx_uint_t
ngx_status_record_result(const ngx_status_check_t *check,
    const ngx_status_history_conf_t *history, ngx_status_record_t *record,
    void *rings, const ngx_status_result_t *result,
    const ngx_status_score_t *score, int64_t now)
{
    int64_t              age;
    ngx_uint_t           changed;
    ngx_status_brief_t  *brief;

    changed = ngx_status_record_state(check, history, record, rings, result);

    ngx_status_history_result(history, &record->open, rings, result,
                              check->score ? score : NULL);

    if (check->score) {
        if (record->card.at == 0) {
            /* never a score, be it that the check got its "score" later */
            record->card.last.value = NAN;
            record->card.previous = NAN;
            record->card.delta = NAN;
        }

        ngx_status_record_card(check, &record->card, result, score);
    }

    ngx_status_record_slower(check, record, result);

    brief = &record->results[record->nresults % NGX_STATUS_RESULTS];
    brief->at = result->at;
    brief->latency = result->latency;
    brief->http_status = result->http_status;
    brief->state = result->state;
    brief->error = result->error;

    record->nresults++;
    record->last = *result;

    if (result->state != NGX_STATUS_UP) {
        record->failed_at = result->at;
        ngx_memcpy(record->failed, result->message, NGX_STATUS_MESSAGE);
    }

    record->valid_until = now + 2 * (int64_t) check->interval;

    /*
     * Summing up costs more than all the rest together.  While a check is up
     * its windows move little.
     */

    now /= 1000;
    age = now - record->windows_at;

    if (changed || age < 0
        || age >= (record->nresults < NGX_STATUS_RECORD_FEW ? 0
                   : record->confirm.state == NGX_STATUS_UP
                   ? NGX_STATUS_RECORD_CALM : NGX_STATUS_RECORD_TROUBLE))
    {
        ngx_status_history_windows(history, &record->open, rings, now,
                                   record->confirm.state,
                                   record->valid_until / 1000,
                                   record->windows);
        record->windows_at = now;
    }

    return changed;
}


static ngx_uint_t
ngx_status_record_state(const ngx_status_check_t *check,
    const ngx_status_history_conf_t *history, ngx_status_record_t *record,
    void *rings, const ngx_status_result_t *result)
{
    int64_t                     changed_at, until, pending;
    ngx_uint_t                  changed, gap;
    ngx_status_state_e          before;
    ngx_status_confirm_t       *confirm;

    confirm = &record->confirm;
    before = confirm->state;

    if (record->open.result_cursor - result->at / 1000
        > NGX_STATUS_HISTORY_STEP)
    {
        ngx_status_record_rewind(record, result->at);
    }

    gap = record->nresults && result->at > record->valid_until;

    if (gap) {
        until = record->valid_until / 1000;

        ngx_status_history_advance(history, &record->open, rings, until,
                                   before);
        ngx_status_history_advance(history, &record->open, rings,
                                   result->at / 1000, NGX_STATUS_UNKNOWN);

        if (before != NGX_STATUS_UNKNOWN) {
            ngx_status_record_event(record, before, NGX_STATUS_UNKNOWN,
                                    record->valid_until,
                                    NGX_STATUS_RECORD_GAP);
        }

        /* what was confirmed is too old to count, and so is an open run */

        ngx_memzero(confirm, sizeof(ngx_status_confirm_t));
        confirm->since = record->valid_until;
    }

    changed = ngx_status_confirm(confirm, result->state, result->at,
                                 check->fall, check->rise, &changed_at);

    if (changed) {
        ngx_status_history_advance(history, &record->open, rings,
                                   changed_at / 1000,
                                   gap ? NGX_STATUS_UNKNOWN : before);
        ngx_status_record_event(record, gap ? NGX_STATUS_UNKNOWN : before,
                                confirm->state, changed_at,
                                ngx_status_record_reason(record, result));
    }

    pending = ngx_status_pending(confirm);
    until = pending ? ngx_min(pending, result->at) : result->at;

    ngx_status_history_advance(history, &record->open, rings, until / 1000,
                               confirm->state);

    return confirm->state != before;
}


/*
 * As in history: what a clock that was set back has undone never was.  The
 * state of now has been one since then, unless it was one before.
 */

static void
ngx_status_record_rewind(ngx_status_record_t *record, int64_t to)
{
    int64_t                since;
    ngx_uint_t             n;
    ngx_status_state_e     state;
    ngx_status_confirm_t  *confirm;

    confirm = &record->confirm;

    for (n = record->nevents; n && record->events[n - 1].since > to; n--) {
        /* void */
    }

    record->nevents = n;
    state = NGX_STATUS_UNKNOWN;
    since = to;

    if (n) {
        state = record->events[n - 1].to;
        since = record->events[n - 1].since;
    }

    if (state != confirm->state) {
        ngx_status_record_event(record, state, confirm->state, to,
                                "the clock was set back");
        since = to;
    }

    confirm->since = ngx_min(confirm->since, since);
    confirm->run_since = ngx_min(confirm->run_since, to);
    confirm->unknown_since = ngx_min(confirm->unknown_since, to);
    record->failed_at = ngx_min(record->failed_at, to);
}


static void
ngx_status_record_event(ngx_status_record_t *record, ngx_status_state_e from,
    ngx_status_state_e to, int64_t since, const char *reason)
{
    ngx_status_event_t  *event;

    event = record->events;

    if (record->nevents == NGX_STATUS_EVENTS) {
        record->nevents--;
        ngx_memmove(event, event + 1,
                    record->nevents * sizeof(ngx_status_event_t));
    }

    if (record->nevents) {
        since = ngx_max(since, event[record->nevents - 1].since);
    }

    event += record->nevents++;

    ngx_memzero(event, sizeof(ngx_status_event_t));
    event->since = since;
    event->from = from;
    event->to = to;
    ngx_status_text_copy(event->reason, NGX_STATUS_REASON,
                         (const u_char *) reason, ngx_strlen(reason));
}


/* A run takes the mildest of its results, which need not be the last one. */

const char *
ngx_status_record_reason(const ngx_status_record_t *record,
    const ngx_status_result_t *result)
{
    uint64_t                   k;
    ngx_uint_t                 i;
    const ngx_status_brief_t  *brief;

    if (result->state == record->confirm.state) {
        return result->message;
    }

    k = record->nresults;

    for (i = 0; i < NGX_STATUS_RESULTS && k; i++) {
        brief = &record->results[--k % NGX_STATUS_RESULTS];

        if (brief->state == record->confirm.state
            && brief->error < NGX_STATUS_NERRORS)
        {
            return (const char *) ngx_status_errors[brief->error].data;
        }
    }

    return "";
}


static void
ngx_status_record_card(const ngx_status_check_t *check,
    ngx_status_card_t *card, const ngx_status_result_t *result,
    const ngx_status_score_t *score)
{
    double         value;
    ngx_uint_t     n;
    const double  *base;

    value = score->value;

    if (isnan(value)) {
        card->stale = 1;
        return;
    }

    /*
     * A series that comes from outside takes the place of our own; it ends
     * with the present score or with the one before.
     */

    if (score->nseries) {
        base = score->series;
        n = score->nseries;

        if (base[n - 1] == value) {
            n--;
        }

    } else {
        base = card->scores;
        n = card->nscores;
    }

    card->previous = ngx_status_baseline(base, n, check->drop.median);
    card->delta = value - card->previous;
    card->level = ngx_status_drop_level(card->delta, check->drop.warning,
                                        check->drop.critical);

    if (n == NGX_STATUS_SCORES) {
        base++;
        n--;
    }

    ngx_memmove(card->scores, base, n * sizeof(double));
    card->scores[n] = value;
    card->nscores = n + 1;

    card->last = *score;
    card->at = result->at;
    card->stale = 0;
}


static void
ngx_status_record_slower(const ngx_status_check_t *check,
    ngx_status_record_t *record, const ngx_status_result_t *result)
{
    double               values[NGX_STATUS_RESULTS];
    uint64_t             k;
    ngx_uint_t           n;
    ngx_status_brief_t  *brief;

    if (record->nresults == 0) {
        record->slower_base = NAN;
        record->slower_growth = NAN;
    }

    if (!ngx_status_timed(result->state, result->latency)
        || result->state == NGX_STATUS_BOT_DETECTED)
    {
        /* the latency of an error compares with nothing */
        return;
    }

    n = 0;
    k = record->nresults > NGX_STATUS_RESULTS
        ? record->nresults - NGX_STATUS_RESULTS : 0;

    for ( /* void */ ; k < record->nresults; k++) {
        brief = &record->results[k % NGX_STATUS_RESULTS];

        if (ngx_status_timed(brief->state, brief->latency)
            && brief->state != NGX_STATUS_BOT_DETECTED)
        {
            values[n++] = brief->latency;
        }
    }

    record->slower_base = ngx_status_baseline(values, n, check->slower.median);
    record->slower_growth = record->slower_base > 0
                            ? result->latency / record->slower_base - 1 : NAN;
    record->slower_level = ngx_status_slower_level(record->slower_growth,
                                                   check->slower.warning,
                                                   check->slower.critical);
}
