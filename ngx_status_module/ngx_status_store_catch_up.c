
/*
 * Copyright (C) ngx_status_module authors
 *
 * What the file lacks of what the zone has: buckets that have closed, all of
 * it when the file is new, and what a checker had no time to write.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include <math.h>
#include "ngx_status_store_db.h"

#define NGX_STATUS_STORE_LOOKS   2000    /* buckets a level and check that are
                                            looked at in a beat */


static void ngx_status_store_newest(ngx_status_store_t *s, ngx_uint_t n,
    const ngx_status_record_t *record);
static void ngx_status_store_buckets(ngx_status_store_t *s, ngx_uint_t n,
    const ngx_status_record_t *record, const void *rings);
static void ngx_status_store_latency(const ngx_status_history_conf_t *history,
    const ngx_status_record_t *record, const void *rings, ngx_uint_t level,
    int64_t number, char latency[NGX_STATUS_STORE_LATENCY]);


/* A fresh file, or another one: it lacks what the zone has. */

void
ngx_status_store_again(ngx_status_store_t *s)
{
    ngx_uint_t                 i;
    ngx_status_store_check_t  *check;

    for (i = 0; i < s->monitor->nchecks; i++) {
        check = &s->checks[i];

        ngx_memzero(check->next, sizeof(check->next));
        check->result_at = 0;
        check->event_at = 0;
        check->first_result = 0;
        check->first_event = 0;
        check->again = 1;
        check->restored = 1;
    }

    s->restored = s->monitor->nchecks;

    ngx_log_error(NGX_LOG_NOTICE, s->log, 0,
                  "history of monitor \"%V\" goes on in another file \"%s\"",
                  &s->monitor->name, s->path);
}


/* Some of it each time. */

void
ngx_status_store_catch_up(ngx_status_store_t *s)
{
    ngx_uint_t                  i, n;
    ngx_msec_t                  until;
    ngx_status_slot_t          *slot;
    ngx_status_store_check_t   *check;
    const ngx_status_record_t  *record;

    until = ngx_status_clock() + NGX_STATUS_STORE_STEP;

    for (n = 0; n < s->monitor->nchecks; n++) {

        if ((ngx_msec_int_t) (ngx_status_clock() - until) >= 0
            || s->nitems >= s->monitor->store_conf.queue / 4)
        {
            return;
        }

        i = s->looked++ % s->monitor->nchecks;

        check = &s->checks[i];
        slot = check->slot;

        /* what has not got its past back must not take its place */

        if (slot == NULL || !check->restored) {
            continue;
        }

        record = ngx_status_zone_record(slot);

        if (check->again) {
            check->again = 0;
            ngx_status_store_newest(s, i, record);
        }

        ngx_status_store_buckets(s, i, record, ngx_status_zone_rings(slot));
    }
}


/*
 * Results and changes that are newer than the file's, and older than those
 * that went to the thread as they came, and may be there already.  Of all
 * results but the last one only the brief is left.
 */

static void
ngx_status_store_newest(ngx_status_store_t *s, ngx_uint_t n,
    const ngx_status_record_t *record)
{
    uint64_t                    k;
    int64_t                     ended;
    ngx_status_score_t          none;
    ngx_status_result_t         result;
    const ngx_status_score_t   *score;
    const ngx_status_event_t   *event;
    const ngx_status_brief_t   *brief;
    ngx_status_store_check_t   *check;

    check = &s->checks[n];

    ngx_memzero(&none, sizeof(ngx_status_score_t));
    none.value = NAN;

    k = record->nresults > NGX_STATUS_RESULTS
        ? record->nresults - NGX_STATUS_RESULTS : 0;

    for ( /* void */ ; k < record->nresults; k++) {

        brief = &record->results[k % NGX_STATUS_RESULTS];

        if (brief->at <= check->result_at
            || (check->first_result && brief->at >= check->first_result))
        {
            continue;
        }

        ngx_memzero(&result, sizeof(ngx_status_result_t));
        result.at = brief->at;
        result.latency = brief->latency;
        result.http_status = brief->http_status;
        result.state = brief->state;
        result.error = brief->error;

        ended = brief->at + brief->latency / 1000;
        score = &none;

        if (brief->at == record->last.at) {
            result = record->last;
            ended = record->valid_until
                    - 2 * (int64_t) s->monitor->checks[n]->interval;
        }

        if (brief->at == record->card.at) {
            score = &record->card.last;
        }

        ngx_status_store_push_result(s, n, &result, score, ended);
    }

    for (k = 0; k < record->nevents; k++) {

        event = &record->events[k];

        if (event->since > check->event_at
            && (check->first_event == 0 || event->since < check->first_event))
        {
            ngx_status_store_push_event(s, n, event->from, event->to,
                                        event->since, event->reason, 1);
        }
    }
}


/* Queues the buckets that have been closed since the last one queued. */

static void
ngx_status_store_buckets(ngx_status_store_t *s, ngx_uint_t n,
    const ngx_status_record_t *record, const void *rings)
{
    char                              latency[NGX_STATUS_STORE_LATENCY];
    int64_t                           closed, oldest, *next;
    ngx_uint_t                        i, k, level, any;
    ngx_status_tally_t                tally;
    ngx_status_score_tally_t          score;
    const ngx_status_history_conf_t  *history;

    static const int64_t  seconds[] = { 60, 3600, 86400 };

    history = &s->monitor->zone->history;

    for (level = 0; level < NGX_STATUS_LADDER; level++) {

        next = &s->checks[n].next[level];
        closed = ngx_min(record->open.time_cursor, record->open.result_cursor)
                 / seconds[level];

        oldest = closed - (level == NGX_STATUS_MINUTES ? history->minutes
                           : level == NGX_STATUS_HOURS ? history->hours
                           : history->days);

        if (*next < oldest) {
            *next = oldest;

        } else if (*next > closed) {
            /* the clock was set back */
            *next = closed;
        }

        for (i = 0; i < NGX_STATUS_STORE_LOOKS && *next < closed; i++) {

            ngx_memzero(&score, sizeof(score));
            ngx_status_history_bucket(history, &record->open, rings, level,
                                      *next, &tally,
                                      level == NGX_STATUS_MINUTES ? NULL
                                                                  : &score);

            for (k = 0, any = tally.results; k < NGX_STATUS_NSTATES; k++) {
                any |= tally.seconds[k];
            }

            if (any) {
                ngx_status_store_latency(history, record, rings, level,
                                         *next, latency);

                if (!ngx_status_store_push_bucket(s, n, level, *next, &tally,
                                                  &score, latency))
                {
                    /* still in the zone: there will be another time */
                    break;
                }
            }

            (*next)++;
        }
    }
}


/* Results by us, as JSON; empty when there are none. */

static void
ngx_status_store_latency(const ngx_status_history_conf_t *history,
    const ngx_status_record_t *record, const void *rings, ngx_uint_t level,
    int64_t number, char latency[NGX_STATUS_STORE_LATENCY])
{
    u_char      *p;
    uint32_t     bins[NGX_STATUS_HISTORY_BINS], us;
    ngx_uint_t   i;

    p = (u_char *) latency;

    if (level != NGX_STATUS_MINUTES
        && ngx_status_history_bins(history, &record->open, rings, level,
                                   number, bins))
    {
        for (i = 0; i < NGX_STATUS_HISTORY_BINS; i++) {
            if (bins[i] == 0) {
                continue;
            }

            us = ngx_min(ngx_status_history_bin_value(i),
                         NGX_STATUS_HISTORY_LONG);

            p = ngx_sprintf(p, "%c\"%uD\":%uD",
                            p == (u_char *) latency ? '{' : ',', us, bins[i]);
        }

        if (p != (u_char *) latency) {
            *p++ = '}';
        }
    }

    *p = '\0';
}


#endif
