
/*
 * Copyright (C) ngx_status_module authors
 *
 * Drawings of the HTML pages: geometry alone, in few and small integers.
 * Colors, heights by state and strokes are the style sheet's.
 */


#include "ngx_status_html.h"
#include <math.h>


#define POINTS           200          /* of any line */
#define LATENCY_POINTS   30           /* of NGX_STATUS_RESULTS results */
#define LATENCY_HEIGHT   12
#define RESULTS_HEIGHT   40
#define SCORES_HEIGHT    24


typedef struct {
    u_char       buf[2048];           /* POINTS times "m29-12h0" */
    u_char      *p;
    ngx_uint_t   started;             /* there was a point */
    ngx_uint_t   open;                /* ... and the pen is on it */
    ngx_uint_t   drawn;               /* ... and something was drawn to it */
    ngx_uint_t   flat;                /* level steps not written yet */
    ngx_int_t    x, y;
} ngx_status_svg_pen_t;


static u_char *ngx_status_svg_clock(u_char *p, int64_t minute);
static u_char *ngx_status_svg_int(u_char *p, ngx_int_t n);
static void ngx_status_svg_level(ngx_status_svg_pen_t *pen);
static void ngx_status_svg_point(ngx_status_svg_pen_t *pen, ngx_int_t x,
    ngx_int_t y);
static void ngx_status_svg_lift(ngx_status_svg_pen_t *pen);


void
ngx_status_svg_timeline(ngx_status_out_t *out, const ngx_status_run_t *runs,
    ngx_uint_t n, int64_t end)
{
    int64_t                   minute;
    u_char                   *p, buf[128];
    ngx_uint_t                i, x;
    const ngx_status_word_t  *word;

    for (i = 0, x = 0; i < n; x += runs[i++].n) {
        word = &ngx_status_states[ngx_status_html_state(runs[i].state)];

        ngx_status_out_lit(out, "<rect class=\"");
        ngx_status_out_raw(out, word->name.data, word->name.len);

        p = buf;

        if (x) {
            p = (u_char *) stpcpy((char *) p, "\" x=\"");
            p = ngx_status_html_number(p, x);
        }

        p = (u_char *) stpcpy((char *) p, "\" width=\"");
        p = ngx_status_html_number(p, runs[i].n);
        p = (u_char *) stpcpy((char *) p, "\" height=\"8\"");

        ngx_status_out_raw(out, buf, p - buf);

        if (runs[i].state == NGX_STATUS_UP) {
            ngx_status_out_lit(out, "/>");
            continue;
        }

        /* what is not as it should be says so when pointed at */

        minute = end / 60 - NGX_STATUS_TIMELINE + 1 + (int64_t) x;

        ngx_status_out_lit(out, "><title>");
        ngx_status_out_raw(out, word->title.data, word->title.len);

        p = (u_char *) stpcpy((char *) buf, ", ");
        p = ngx_status_svg_clock(p, minute);
        p = (u_char *) stpcpy((char *) p, " to ");
        p = ngx_status_svg_clock(p, minute + runs[i].n);
        p = (u_char *) stpcpy((char *) p, " UTC</title></rect>");

        ngx_status_out_raw(out, buf, p - buf);
    }
}


/* "hh:mm" of a minute since the epoch; a page has thousands of them */

static u_char *
ngx_status_svg_clock(u_char *p, int64_t minute)
{
    unsigned  m;

    m = (unsigned) (ngx_max(minute, 0) % 1440);

    *p++ = (u_char) ('0' + m / 600);
    *p++ = (u_char) ('0' + m / 60 % 10);
    *p++ = ':';
    *p++ = (u_char) ('0' + m % 60 / 10);
    *p++ = (u_char) ('0' + m % 10);

    return p;
}


/*
 * The scale begins at zero and ends at twice the mean at least, so that a
 * steady latency is a calm line in the middle, whatever its noise.
 */

uint32_t
ngx_status_svg_latency_top(const ngx_status_record_t *record)
{
    uint64_t                   sum;
    uint32_t                   max;
    ngx_uint_t                 i, n, count;
    const ngx_status_brief_t  *brief;

    n = ngx_min(record->nresults, NGX_STATUS_RESULTS);
    sum = 0;
    max = 0;
    count = 0;

    for (i = 0; i < n; i++) {
        brief = &record->results[i];

        if (ngx_status_timed(brief->state, brief->latency)) {
            sum += brief->latency;
            max = ngx_max(max, brief->latency);
            count++;
        }
    }

    if (count == 0) {
        return 0;
    }

    sum = ngx_max(2 * sum / count, max);

    return sum ? (uint32_t) ngx_min(sum, NGX_MAX_UINT32_VALUE) : 1;
}


void
ngx_status_svg_latency(ngx_status_out_t *out,
    const ngx_status_record_t *record)
{
    double                     scale;
    uint32_t                   top, latency;
    uint64_t                   k, last, pair;
    ngx_int_t                  x, y;
    ngx_uint_t                 answered;
    ngx_status_svg_pen_t       pen;
    const ngx_status_brief_t  *brief;

    top = ngx_status_svg_latency_top(record);
    if (top == 0) {
        return;
    }

    pen.p = pen.buf;
    pen.started = 0;
    pen.open = 0;

    scale = (double) LATENCY_HEIGHT / top;

    /* pairs are counted from the first result ever: they do not regroup */

    last = (record->nresults - 1) / 2;
    pair = last - ngx_min(last, LATENCY_POINTS - 1);

    for ( /* void */ ; pair <= last; pair++) {
        latency = 0;
        answered = 0;

        for (k = 2 * pair; k < 2 * pair + 2 && k < record->nresults; k++) {
            brief = &record->results[k % NGX_STATUS_RESULTS];

            if (k + NGX_STATUS_RESULTS >= record->nresults
                && ngx_status_timed(brief->state, brief->latency))
            {
                latency = ngx_max(latency, brief->latency);
                answered = 1;
            }
        }

        if (!answered) {
            ngx_status_svg_lift(&pen);
            continue;
        }

        x = LATENCY_POINTS - 1 - (ngx_int_t) (last - pair);

        y = (ngx_int_t) (latency * scale + 0.5);

        ngx_status_svg_point(&pen, x, LATENCY_HEIGHT
                                      - ngx_min(y, LATENCY_HEIGHT));
    }

    ngx_status_svg_lift(&pen);
    ngx_status_out_raw(out, pen.buf, pen.p - pen.buf);
}


void
ngx_status_svg_run(ngx_status_out_t *out, ngx_uint_t state, ngx_uint_t from,
    ngx_uint_t to)
{
    if (from < to) {
        ngx_status_out_printf(out, "<rect class=\"%.*s\" x=\"%u\" "
                              "width=\"%u\" height=\"8\"/>",
                              (int) ngx_status_states[state].name.len,
                              ngx_status_states[state].name.data,
                              (unsigned) from, (unsigned) (to - from));
    }
}


void
ngx_status_svg_line(ngx_status_out_t *out, const double *values, ngx_uint_t n,
    double top, ngx_uint_t height)
{
    ngx_uint_t            i;
    ngx_status_svg_pen_t  pen;

    pen.p = pen.buf;
    pen.started = 0;
    pen.open = 0;

    for (i = 0; i < ngx_min(n, POINTS); i++) {
        if (!isfinite(values[i]) || !(top > 0)) {
            ngx_status_svg_lift(&pen);
            continue;
        }

        ngx_status_svg_point(&pen, i, (ngx_int_t) height
                                      - lrint(values[i] * height / top));
    }

    ngx_status_svg_lift(&pen);
    ngx_status_out_raw(out, pen.buf, pen.p - pen.buf);
}


void
ngx_status_svg_results(ngx_status_out_t *out,
    const ngx_status_record_t *record)
{
    uint32_t                   top;
    uint64_t                   k, n;
    ngx_uint_t                 x, width, height;
    const ngx_str_t           *name;
    const ngx_status_brief_t  *brief;

    top = ngx_status_svg_latency_top(record);
    n = ngx_min(record->nresults, NGX_STATUS_RESULTS);

    for (k = record->nresults - n; k < record->nresults; k++) {
        brief = &record->results[k % NGX_STATUS_RESULTS];
        name = &ngx_status_states[ngx_status_html_state(brief->state)].name;
        x = 4 * (NGX_STATUS_RESULTS - (ngx_uint_t) (record->nresults - k));

        if (ngx_status_timed(brief->state, brief->latency)) {
            width = 3;
            height = 1 + (ngx_uint_t) ((double) brief->latency
                                       * (RESULTS_HEIGHT - 1) / top);
            height = ngx_min(height, RESULTS_HEIGHT);

        } else if (brief->state == NGX_STATUS_UP
                   || brief->state == NGX_STATUS_DEGRADED)
        {
            /* nothing to be timed, nothing missing */
            width = 3;
            height = 1;

        } else {
            /* no answer, no latency: a needle */
            x++;
            width = 1;
            height = RESULTS_HEIGHT;
        }

        ngx_status_out_printf(out, "<rect class=\"%.*s\" x=\"%u\" y=\"%u\""
                              " width=\"%u\" height=\"%u\"/>",
                              (int) name->len, name->data, (unsigned) x,
                              (unsigned) (RESULTS_HEIGHT - height),
                              (unsigned) width, (unsigned) height);
    }
}


void
ngx_status_svg_scores(ngx_status_out_t *out, const double *scores,
    ngx_uint_t n, ngx_uint_t last)
{
    double                low, high, y;
    ngx_int_t             x;
    ngx_uint_t            i;
    ngx_status_svg_pen_t  pen;

    n = ngx_min(n, NGX_STATUS_SCORES);
    low = INFINITY;
    high = -INFINITY;

    for (i = 0; i < n; i++) {
        if (isfinite(scores[i])) {
            low = fmin(low, scores[i]);
            high = fmax(high, scores[i]);
        }
    }

    if (low > high) {
        return;
    }

    pen.p = pen.buf;
    pen.started = 0;
    pen.open = 0;

    for (i = last ? n - 1 : 0; i < n; i++) {
        if (!isfinite(scores[i])) {
            ngx_status_svg_lift(&pen);
            continue;
        }

        x = NGX_STATUS_SCORES - (ngx_int_t) (n - i);
        y = high / 2 > low / 2
            ? (scores[i] / 2 - low / 2) / (high / 2 - low / 2) : 0.5;

        ngx_status_svg_point(&pen, x, SCORES_HEIGHT
                                      - (ngx_int_t) lrint(y * SCORES_HEIGHT));
    }

    ngx_status_svg_lift(&pen);
    ngx_status_out_raw(out, pen.buf, pen.p - pen.buf);
}


static void
ngx_status_svg_point(ngx_status_svg_pen_t *pen, ngx_int_t x, ngx_int_t y)
{
    if (!pen->open) {

        if (!pen->started) {
            *pen->p++ = 'M';
            pen->p = ngx_status_svg_int(pen->p, x);
            *pen->p++ = ' ';
            pen->p = ngx_status_svg_int(pen->p, y);

        } else {
            *pen->p++ = 'm';
            pen->p = ngx_status_svg_int(pen->p, x - pen->x);
            if (y >= pen->y) {
                *pen->p++ = ' ';
            }
            pen->p = ngx_status_svg_int(pen->p, y - pen->y);
        }

        pen->started = 1;
        pen->open = 1;
        pen->drawn = 0;
        pen->flat = 0;

    } else if (y == pen->y) {
        pen->flat += x - pen->x;
        pen->drawn = 1;

    } else {
        ngx_status_svg_level(pen);

        *pen->p++ = 'l';
        pen->p = ngx_status_svg_int(pen->p, x - pen->x);
        if (y > pen->y) {
            *pen->p++ = ' ';
        }
        pen->p = ngx_status_svg_int(pen->p, y - pen->y);

        pen->drawn = 1;
    }

    pen->x = x;
    pen->y = y;
}


static void
ngx_status_svg_level(ngx_status_svg_pen_t *pen)
{
    if (pen->flat) {
        *pen->p++ = 'h';
        pen->p = ngx_status_svg_int(pen->p, pen->flat);
        pen->flat = 0;
    }
}


/* A point that stands alone becomes a dot: the style's caps are round. */

static void
ngx_status_svg_lift(ngx_status_svg_pen_t *pen)
{
    if (!pen->open) {
        return;
    }

    ngx_status_svg_level(pen);

    if (!pen->drawn) {
        *pen->p++ = 'h';
        *pen->p++ = '0';
    }

    pen->open = 0;
}


static u_char *
ngx_status_svg_int(u_char *p, ngx_int_t n)
{
    if (n < 0) {
        *p++ = '-';
        n = -n;
    }

    return ngx_status_html_number(p, n);
}
