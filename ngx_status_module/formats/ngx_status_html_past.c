
/*
 * Copyright (C) ngx_status_module authors
 *
 * A check's last days by hour and last quarter by day, on its own page: out
 * of the zone's rings, which a snapshot does not hold.  They are copied when
 * the page is made and read by the snapshot's own cursors, so that all
 * workers make the same of them.
 */


#include "ngx_status_html.h"
#include <math.h>


#define CELL     24                   /* units of the drawing for a bucket */
#define NEEDLE   8                    /* of them for what took a moment */
#define HEIGHT   40                   /* of the drawing of latency */
#define BUCKETS  168
#define QUIET    (4 * 3600)           /* s that the timeline shows already */


/* A strip: so many buckets that end with the current one. */

typedef struct {
    const char                *title;
    const char                *step;
    ngx_status_ladder_e        level;
    int64_t                    seconds;
    ngx_uint_t                 n;
    ngx_uint_t                 window;
} ngx_status_html_strip_t;


static const ngx_status_html_strip_t  ngx_status_html_strips_of[] = {

    { "7 days", "an hour each", NGX_STATUS_HOURS, 3600, BUCKETS, 2 },
    { "90 days", "a day each", NGX_STATUS_DAYS, 86400, 90,
      NGX_STATUS_HTML_QUARTER },

    { NULL, NULL, 0, 0, 0, 0 }
};


/* Its buckets, the oldest first. */

typedef struct {
    int64_t                    first;    /* number since the epoch */
    ngx_uint_t                 n;
    uint32_t                   top;      /* us; of the drawing; 0: none */
    ngx_status_tally_t         tallies[BUCKETS];
} ngx_status_html_buckets_t;


struct ngx_status_html_past_s {
    const ngx_status_html_strip_t  *strip;   /* cursors of "strips" */
    ngx_status_html_buckets_t      *b;
    ngx_uint_t                      day;     /* and of "days", as an index */
    ngx_uint_t                      oldest;  /* the last that is told */
    ngx_status_html_buckets_t       buckets[2];
};


static void ngx_status_html_past_take(ngx_status_html_t *page,
    const ngx_status_html_strip_t *strip, const void *rings,
    ngx_status_html_buckets_t *b);
static void ngx_status_html_past_add(const ngx_status_html_t *page,
    const ngx_status_html_strip_t *strip, int64_t number,
    ngx_status_tally_t *tally);
static uint32_t ngx_status_html_past_mean(const ngx_status_tally_t *tally);
static void ngx_status_html_past_uptime(ngx_status_html_t *page,
    const ngx_status_tally_t *tally);
static void ngx_status_html_past_run(ngx_status_out_t *out, ngx_uint_t *state,
    ngx_uint_t *from, ngx_uint_t next, ngx_uint_t *x, const ngx_uint_t *width);


/*
 * Of a check whose timeline shows all there is, nothing is taken; nor of one
 * whose writer was in the way too often, or that was renamed just now.
 */

void
ngx_status_html_past_read(ngx_status_html_t *page)
{
    ngx_uint_t                i;
    ngx_status_record_t      *record;
    const ngx_status_zone_t  *zone;
    const ngx_status_view_t  *v;

    v = page->ask->view;
    zone = page->snapshot->monitor->zone;

    if (!v->known
        || v->record.windows[NGX_STATUS_HTML_QUARTER].known <= QUIET)
    {
        return;
    }

    record = malloc(sizeof(ngx_status_record_t)
                    + ngx_status_history_size(&zone->header->history));
    if (record == NULL) {
        return;
    }

    if (ngx_status_zone_read_all(zone, v->slot, &v->check->id, record,
                                 record + 1)
        == NGX_OK)
    {
        page->past = calloc(1, sizeof(ngx_status_html_past_t));
    }

    for (i = 0; page->past && ngx_status_html_strips_of[i].title; i++) {
        ngx_status_html_past_take(page, &ngx_status_html_strips_of[i],
                                  record + 1, &page->past->buckets[i]);
    }

    free(record);
}


void
ngx_status_html_past_free(ngx_status_html_t *page)
{
    free(page->past);
}


/* One bucket less than are kept: the oldest may be overwritten by now. */

static void
ngx_status_html_past_take(ngx_status_html_t *page,
    const ngx_status_html_strip_t *strip, const void *rings,
    ngx_status_html_buckets_t *b)
{
    uint32_t                          mean;
    uint64_t                          sum;
    ngx_uint_t                        i, n, kept;
    ngx_status_tally_t               *tally;
    const ngx_status_history_conf_t  *history;

    history = &page->snapshot->monitor->zone->header->history;

    kept = strip->level == NGX_STATUS_DAYS ? history->days : history->hours;

    b->n = ngx_min(strip->n, ngx_max(kept, 2) - 1);
    b->first = page->snapshot->now / 1000 / strip->seconds
               - (int64_t) b->n + 1;

    for (i = 0, n = 0, sum = 0; i < b->n; i++) {
        tally = &b->tallies[i];

        ngx_status_history_bucket(history, &page->record->open, rings,
                                  strip->level, b->first + i, tally, NULL);
        ngx_status_html_past_add(page, strip, b->first + i, tally);

        mean = ngx_status_html_past_mean(tally);
        b->top = ngx_max(b->top, mean);
        sum += mean;
        n += (mean != 0);
    }

    /* as of the newest results: a steady latency is a line in the middle */

    if (n) {
        b->top = (uint32_t) ngx_min(ngx_max(2 * sum / n, b->top),
                                    NGX_MAX_UINT32_VALUE);
    }
}


/*
 * What is not booked yet, up to now: the confirmed state as far as its
 * result holds, and then nothing known.
 */

static void
ngx_status_html_past_add(const ngx_status_html_t *page,
    const ngx_status_html_strip_t *strip, int64_t number,
    ngx_status_tally_t *tally)
{
    int64_t                     begin, end, from, until, booked;
    ngx_uint_t                  i;
    const ngx_status_record_t  *r;

    r = page->record;

    begin = number * strip->seconds;
    end = ngx_min(begin + strip->seconds, page->snapshot->now / 1000 + 1);

    until = r->valid_until;

    if (!page->snapshot->alive) {
        until = ngx_min(until, page->snapshot->beat.at);
    }

    until = ngx_min(until / 1000, end);
    from = ngx_max(begin, r->open.time_cursor);

    if (until > from) {
        tally->seconds[ngx_status_html_state(r->confirm.state)]
            += until - from;
    }

    for (i = 0, booked = 0; i < NGX_STATUS_NSTATES; i++) {
        booked += tally->seconds[i];
    }

    if (booked < end - begin) {
        tally->seconds[NGX_STATUS_UNKNOWN] += end - begin - booked;
    }
}


static uint32_t
ngx_status_html_past_mean(const ngx_status_tally_t *tally)
{
    return tally->results ? (uint32_t) (tally->sum / tally->results) : 0;
}


/* Into page->uptime, until the next call. */

static void
ngx_status_html_past_uptime(ngx_status_html_t *page,
    const ngx_status_tally_t *tally)
{
    ngx_uint_t            i;
    ngx_status_uptime_t  *u;

    u = &page->uptime;
    memset(u, 0, sizeof(ngx_status_uptime_t));

    for (i = 0; i < NGX_STATUS_NSTATES; i++) {
        u->whole += tally->seconds[i];

        if (i != NGX_STATUS_UNKNOWN && i != NGX_STATUS_MAINTENANCE) {
            u->known += tally->seconds[i];
        }
    }

    u->up = (uint64_t) tally->seconds[NGX_STATUS_UP] * NGX_STATUS_WEIGHT
            + (uint64_t) tally->seconds[NGX_STATUS_DEGRADED]
              * page->view->check->degraded;
}


void *
ngx_status_html_strips(void *view, void *prev)
{
    ngx_status_html_t       *page = view;
    ngx_status_html_past_t  *past;

    past = page->past;

    if (past == NULL) {
        return NULL;
    }

    past->strip = prev ? past->strip + 1 : ngx_status_html_strips_of;
    past->b = &past->buckets[past->strip - ngx_status_html_strips_of];

    return past->strip->title ? page : NULL;
}


ngx_status_html_text(strip_title,
    ngx_status_html_string(page->past->strip->title))
ngx_status_html_text(strip_step,
    ngx_status_html_string(page->past->strip->step))
ngx_status_html_text(strip_width,
    ngx_status_html_count(scratch, CELL * page->past->b->n))
ngx_status_html_write(strip_begin,
    ngx_status_html_time(page, out,
        page->past->b->first * page->past->strip->seconds * 1000,
        NGX_STATUS_HTML_DATE))


/* "Up 89 d 2 h, Down 12 min" */

static ngx_str_t
strip_text(void *view, u_char *scratch)
{
    int                         n;
    u_char                      buf[NGX_STATUS_SCRATCH];
    ngx_str_t                   s;
    ngx_uint_t                  i;
    ngx_status_html_t          *page = view;
    const ngx_status_window_t  *w;

    w = &page->record->windows[page->past->strip->window];

    for (i = 0, n = 0; i < NGX_STATUS_NSTATES && n < NGX_STATUS_SCRATCH; i++) {

        if (w->seconds[i]) {
            s = ngx_status_html_duration(buf, (int64_t) w->seconds[i] * 1000);

            n += snprintf((char *) scratch + n, NGX_STATUS_SCRATCH - n,
                          "%s%s %.*s", n ? ", " : "",
                          ngx_status_states[i].title.data, (int) s.len,
                          s.data);
        }
    }

    return ngx_status_html_cut(scratch, scratch + n);
}


/*
 * In each cell what was up, what is not known, and at its end the gravest of
 * the rest: as wide as all of that lasted, but wide enough to be seen.
 */

static void
strip_states(void *view, ngx_status_out_t *out)
{
    uint64_t                          whole, bad;
    ngx_uint_t                        i, k, x, from, state, gravest;
    ngx_uint_t                        width[NGX_STATUS_NSTATES];
    ngx_status_html_t                *page = view;
    const ngx_status_tally_t         *tally;
    const ngx_status_html_buckets_t  *b;

    b = page->past->b;
    from = 0;
    state = NGX_STATUS_UNKNOWN;

    for (k = 0; k < b->n; k++) {
        tally = &b->tallies[k];

        gravest = NGX_STATUS_UP;
        whole = 0;
        bad = 0;

        for (i = 0; i < NGX_STATUS_NSTATES; i++) {
            whole += tally->seconds[i];
            width[i] = 0;

            if (i == NGX_STATUS_UP || i == NGX_STATUS_UNKNOWN) {
                continue;
            }

            bad += tally->seconds[i];

            if (tally->seconds[i]
                && (gravest == NGX_STATUS_UP
                    || ngx_status_states[i].severity
                       > ngx_status_states[gravest].severity))
            {
                gravest = i;
            }
        }

        if (bad) {
            width[gravest] = ngx_min(ngx_max(CELL * bad / whole, NEEDLE),
                                     CELL);
        }

        width[NGX_STATUS_UNKNOWN] = ngx_min(
                         CELL * (uint64_t) tally->seconds[NGX_STATUS_UNKNOWN]
                         / ngx_max(whole, 1), CELL - width[gravest]);
        width[NGX_STATUS_UP] = CELL - width[NGX_STATUS_UNKNOWN]
                               - (bad ? width[gravest] : 0);

        x = CELL * k;

        ngx_status_html_past_run(out, &state, &from, NGX_STATUS_UP, &x, width);
        ngx_status_html_past_run(out, &state, &from, NGX_STATUS_UNKNOWN, &x,
                                 width);

        if (bad) {
            ngx_status_html_past_run(out, &state, &from, gravest, &x, width);
        }
    }

    ngx_status_svg_run(out, state, from, CELL * b->n);
}


/* Goes on at x with what is next; what is the same is drawn as one. */

static void
ngx_status_html_past_run(ngx_status_out_t *out, ngx_uint_t *state,
    ngx_uint_t *from, ngx_uint_t next, ngx_uint_t *x, const ngx_uint_t *width)
{
    if (width[next] && next != *state) {
        ngx_status_svg_run(out, *state, *from, *x);
        *state = next;
        *from = *x;
    }

    *x += width[next];
}


/* what can be pointed at: a cell a day, in front of the others */

static void
strip_tips(void *view, ngx_status_out_t *out)
{
    u_char                            text[NGX_STATUS_SCRATCH];
    ngx_str_t                         s;
    ngx_uint_t                        k;
    ngx_status_html_t                *page = view;
    const ngx_status_html_buckets_t  *b;

    if (page->past->strip->level != NGX_STATUS_DAYS) {
        return;
    }

    b = page->past->b;

    for (k = 0; k < b->n; k++) {
        ngx_status_html_past_uptime(page, &b->tallies[k]);

        ngx_status_out_printf(out, "<rect class=\"tip\" x=\"%u\" width=\"%u\" "
                              "height=\"8\"><title>", (unsigned) (CELL * k),
                              (unsigned) CELL);

        s = ngx_status_html_day(text, (b->first + k) * 86400);
        ngx_status_out_raw(out, s.data, s.len);
        ngx_status_out_lit(out, ": ");

        s = page->uptime.known ? ngx_status_html_uptime(text, &page->uptime)
                               : ngx_status_html_string("unknown");
        ngx_status_out_raw(out, s.data, s.len);
        ngx_status_out_lit(out, "</title></rect>");
    }
}


/* the mean of each bucket; a line needs two points */

static ngx_str_t
strip_latency_top(void *view, u_char *scratch)
{
    ngx_status_html_t  *page = view;

    return page->past->b->top && page->past->b->n > 1
           ? ngx_status_html_latency(scratch, page->past->b->top)
           : ngx_status_html_string("");
}


static void
strip_latency(void *view, ngx_status_out_t *out)
{
    double                            values[BUCKETS];
    ngx_uint_t                        k;
    ngx_status_html_t                *page = view;
    const ngx_status_html_buckets_t  *b;

    b = page->past->b;

    for (k = 0; k < b->n; k++) {
        values[k] = b->tallies[k].results
                    ? ngx_status_html_past_mean(&b->tallies[k]) : NAN;
    }

    ngx_status_svg_line(out, values, b->n, b->top, HEIGHT);
}


ngx_status_html_text(strip_latency_width,
    ngx_status_html_count(scratch, page->past->b->n - 1))


/* the days as a table, newest first, down to the oldest that is known */

static const ngx_status_tally_t *
day_of(void *view)
{
    ngx_status_html_past_t  *past = ((ngx_status_html_t *) view)->past;

    return &past->b->tallies[past->day];
}


static void *
strip_days(void *view, void *prev)
{
    ngx_status_html_t       *page = view;
    ngx_status_html_past_t  *past;

    past = page->past;

    if (past->strip->level != NGX_STATUS_DAYS) {
        return NULL;
    }

    if (prev == NULL) {
        for (past->day = 0; past->day < past->b->n - 1; past->day++) {
            ngx_status_html_past_uptime(page, day_of(page));

            if (page->uptime.known) {
                break;
            }
        }

        past->oldest = past->day;
        past->day = past->b->n;
    }

    if (past->day == past->oldest) {
        return NULL;
    }

    past->day--;
    ngx_status_html_past_uptime(page, day_of(page));

    return page;
}


ngx_status_html_flag(strip_daily,
    page->past->strip->level == NGX_STATUS_DAYS)
ngx_status_html_write(day_at,
    ngx_status_html_time(page, out,
        (page->past->b->first + (int64_t) page->past->day) * 86400000,
        NGX_STATUS_HTML_DATE))
ngx_status_html_text(day_uptime,
    ngx_status_html_uptime(scratch, &page->uptime))
ngx_status_html_text(day_known,
    ngx_status_html_known(scratch, &page->uptime))
ngx_status_html_text(day_answers,
    ngx_status_html_count(scratch, day_of(page)->results))
ngx_status_html_flag(day_full, page->uptime.up
                               == page->uptime.known * NGX_STATUS_WEIGHT)


static ngx_str_t
day_seconds(u_char *scratch, uint32_t seconds)
{
    return seconds ? ngx_status_html_duration(scratch,
                                              (int64_t) seconds * 1000)
                   : ngx_status_html_string("");
}


ngx_status_html_text(day_down,
    day_seconds(scratch, day_of(page)->seconds[NGX_STATUS_DOWN]
                         + day_of(page)->seconds[NGX_STATUS_TIMEOUT]
                         + day_of(page)->seconds[NGX_STATUS_BOT_DETECTED]))
ngx_status_html_text(day_degraded,
    day_seconds(scratch, day_of(page)->seconds[NGX_STATUS_DEGRADED]))


static ngx_str_t
day_latency(void *view, u_char *scratch, uint32_t us)
{
    return day_of(view)->results ? ngx_status_html_latency(scratch, us)
                                 : ngx_status_html_string("\xe2\x80\x93");
}


ngx_status_html_text(day_mean,
    day_latency(page, scratch, ngx_status_html_past_mean(day_of(page))))
ngx_status_html_text(day_max, day_latency(page, scratch, day_of(page)->max))


static const ngx_status_field_t  ngx_status_html_day_fields[] = {
    { .name = ngx_string("day"), .write = day_at },
    { .name = ngx_string("day_uptime"), .text = day_uptime },
    { .name = ngx_string("day_full"), .flag = day_full },
    { .name = ngx_string("day_down"), .text = day_down },
    { .name = ngx_string("day_degraded"), .text = day_degraded },
    { .name = ngx_string("day_known"), .text = day_known },
    { .name = ngx_string("day_answers"), .text = day_answers },
    { .name = ngx_string("day_mean"), .text = day_mean },
    { .name = ngx_string("day_max"), .text = day_max },
    { .name = ngx_null_string }
};


const ngx_status_field_t  ngx_status_html_strip_fields[] = {
    { .name = ngx_string("strip"), .text = strip_title },
    { .name = ngx_string("strip_step"), .text = strip_step },
    { .name = ngx_string("strip_begin"), .write = strip_begin },
    { .name = ngx_string("strip_text"), .text = strip_text },
    { .name = ngx_string("strip_width"), .text = strip_width },
    { .name = ngx_string("strip_states"), .write = strip_states },
    { .name = ngx_string("strip_tips"), .write = strip_tips },
    { .name = ngx_string("strip_latency_top"), .text = strip_latency_top },
    { .name = ngx_string("strip_latency_width"),
      .text = strip_latency_width },
    { .name = ngx_string("strip_latency"), .write = strip_latency },
    { .name = ngx_string("has_days"), .flag = strip_daily },
    { .name = ngx_string("days"), .list = strip_days,
      .fields = ngx_status_html_day_fields },
    { .name = ngx_null_string }
};
