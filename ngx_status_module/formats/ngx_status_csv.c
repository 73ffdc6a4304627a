
/*
 * Copyright (C) ngx_status_module authors
 *
 * status.csv [RFC 4180]: what the zone holds of each check, oldest first.
 * The newest results come one a row, and before them a row a minute: its
 * begin, the gravest state in it, the mean latency of its answers.
 */


#include "../ngx_status_monitor.h"
#include "../ngx_status_row.h"


/*
 * Many checks have no room for all their minutes in an answer that is made
 * at once; those of fewer have.
 */
#define NGX_STATUS_CSV_ROWS  50000


typedef struct {
    const ngx_status_snapshot_t  *snapshot;
    const ngx_status_view_t      *view;
    ngx_status_out_t             *out;
    ngx_status_record_t           record;
    void                         *rings; /* of record; NULL: no memory */
    ngx_uint_t                    minutes;       /* a check, at most */
    ngx_status_row_day_t          day;
} ngx_status_csv_t;


static void ngx_status_csv_render(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out);
static void ngx_status_csv_check(ngx_status_csv_t *csv);
static void ngx_status_csv_minutes(ngx_status_csv_t *csv, int64_t oldest,
    ngx_uint_t listed);


const ngx_status_format_t  ngx_status_format_csv = {
    ngx_string("text/csv; charset=utf-8; header=present"),
    ngx_status_csv_render
};


static void
ngx_status_csv_render(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out)
{
    ngx_uint_t                   i, n;
    ngx_status_csv_t             csv;
    const ngx_status_zone_t     *zone;
    const ngx_status_monitor_t  *monitor;

    monitor = snapshot->monitor;
    zone = monitor->zone;

    csv.snapshot = snapshot;
    csv.out = out;
    csv.day.number = -1;
    csv.rings = malloc(ngx_status_history_size(&zone->header->history));

    if (csv.rings == NULL) {
        out->failed = 1;
        return;
    }

    ngx_status_out_lit(out, NGX_STATUS_ROW_HEAD);

    for (i = 0, n = 0; i < monitor->nchecks; i++) {
        n += ngx_status_asked(snapshot, ask, &snapshot->views[i]);
    }

    n = ngx_max(n, 1);
    csv.minutes = n * NGX_STATUS_RESULTS < NGX_STATUS_CSV_ROWS
                  ? NGX_STATUS_CSV_ROWS / n - NGX_STATUS_RESULTS : 0;

    for (i = 0; i < monitor->nchecks; i++) {
        csv.view = &snapshot->views[i];

        if (csv.view->known && ngx_status_asked(snapshot, ask, csv.view)) {
            ngx_status_csv_check(&csv);
        }
    }

    free(csv.rings);
}


static void
ngx_status_csv_check(ngx_status_csv_t *csv)
{
    int64_t                    oldest;
    uint64_t                   k;
    ngx_int_t                  rc;
    ngx_uint_t                 listed;
    ngx_status_record_t       *r;
    const ngx_status_check_t  *check;
    const ngx_status_brief_t  *result;

    r = &csv->record;
    check = csv->view->check;

    rc = ngx_status_zone_read_all(csv->snapshot->monitor->zone,
                                  csv->view->slot, &check->id, r, csv->rings);
    if (rc != NGX_OK) {
        /* in the way too often, or renamed just now: no minutes */
        *r = csv->view->record;
    }

    k = r->nresults > NGX_STATUS_RESULTS ? r->nresults - NGX_STATUS_RESULTS
                                         : 0;

    if (rc == NGX_OK && k) {

        /* results of the minute that the oldest one divides */

        oldest = r->results[k % NGX_STATUS_RESULTS].at / 1000;
        listed = 0;

        for (k = r->nresults - NGX_STATUS_RESULTS; k < r->nresults; k++) {
            result = &r->results[k % NGX_STATUS_RESULTS];

            listed += (result->at / 60000 == oldest / 60
                       && ngx_status_timed(result->state, result->latency));
        }

        ngx_status_csv_minutes(csv, oldest, listed);

        k = r->nresults - NGX_STATUS_RESULTS;
    }

    for ( /* void */ ; k < r->nresults; k++) {
        ngx_status_row_result(csv->out, &csv->day, &check->group, &check->id,
                              &r->results[k % NGX_STATUS_RESULTS]);
    }
}


/* The minutes before "oldest", and its own if results of it are not listed. */

static void
ngx_status_csv_minutes(ngx_status_csv_t *csv, int64_t oldest,
    ngx_uint_t listed)
{
    int64_t                           n, last, kept;
    ngx_uint_t                        i, state, any;
    ngx_status_brief_t                minute;
    ngx_status_tally_t                tally;
    ngx_status_record_t              *r;
    const ngx_status_check_t         *check;
    const ngx_status_history_conf_t  *history;

    r = &csv->record;
    check = csv->view->check;
    history = &csv->snapshot->monitor->zone->header->history;

    ngx_memzero(&minute, sizeof(ngx_status_brief_t));

    last = oldest / 60;
    kept = ngx_max(r->open.time_cursor, r->open.result_cursor) / 60
           - history->minutes;
    kept = ngx_max(kept, last - (int64_t) csv->minutes + 1);

    for (n = ngx_max(kept, 0); n <= last; n++) {

        ngx_status_history_bucket(history, &r->open, csv->rings,
                                  NGX_STATUS_MINUTES, n, &tally, NULL);

        if (n == last && tally.results <= listed) {
            break;
        }

        state = NGX_STATUS_UNKNOWN;
        any = 0;

        for (i = 0; i < NGX_STATUS_NSTATES; i++) {

            if (tally.seconds[i] == 0) {
                continue;
            }

            any = 1;

            if (state == NGX_STATUS_UNKNOWN
                || (i != NGX_STATUS_UNKNOWN
                    && ngx_status_states[i].severity
                       > ngx_status_states[state].severity))
            {
                state = i;
            }
        }

        if (!any) {
            continue;
        }

        minute.at = n * 60000;
        minute.state = state;
        minute.latency = tally.results ? tally.sum / tally.results : 0;

        ngx_status_row(csv->out, &csv->day, &check->group, &check->id,
                       &minute, tally.results);
    }
}
