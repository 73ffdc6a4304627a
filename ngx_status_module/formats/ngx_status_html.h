
/*
 * Copyright (C) ngx_status_module authors
 *
 * Shared by the files that make the HTML pages: what a template sees.
 *
 *   ngx_status_html.c         the page around the checks, and its groups
 *   ngx_status_html_check.c   one check, wherever it stands
 *   ngx_status_html_score.c   its score card
 *   ngx_status_html_detail.c  what only its own page shows
 *   ngx_status_html_past.c    its last days and quarter, which are there, too
 *   ngx_status_html_text.c    numbers, times and links
 *   ngx_status_svg.c          drawings
 */


#ifndef _NGX_STATUS_HTML_H_INCLUDED_
#define _NGX_STATUS_HTML_H_INCLUDED_


#include "../ngx_status_monitor.h"


#define NGX_STATUS_HTML_TROUBLES  12      /* listed on top at most */


typedef struct ngx_status_html_past_s  ngx_status_html_past_t;


/*
 * The view of every scope: a list moves its cursor in here and returns the
 * page itself, so a field reads the same structure wherever it stands.
 * Made on the stack of render(); all that is behind pointers is read only.
 */

typedef struct {
    const ngx_status_snapshot_t  *snapshot;
    const ngx_status_ask_t       *ask;
    const char                   *base;      /* way back to the overview */

    /* the selection that was asked for */
    int64_t                       newest;    /* ms; of its results; 0 */
    int64_t                       until;     /* ms; when a page that is a file
                                                is out of date; 0: never */
    ngx_status_sum_t              sum;
    ngx_status_state_e            state;
    ngx_uint_t                    nchecks;
    ngx_status_uptime_t           day;
    ngx_status_uptime_t           quarter;
    ngx_uint_t                    ntroubles;     /* may exceed those kept */
    const ngx_status_view_t      *troubles[NGX_STATUS_HTML_TROUBLES];

    /* cursor of "groups", with what of the group is in the selection */
    ngx_uint_t                    group;
    ngx_status_state_e            group_state;
    ngx_uint_t                    group_rows;
    ngx_uint_t                    group_cards;
    ngx_status_uptime_t           group_day;
    ngx_status_uptime_t           group_quarter;

    /* cursor of "rows", "cards", "troubles"; the check of its own page */
    const ngx_status_view_t      *view;
    const ngx_status_record_t    *record;    /* its own; zeroes when there is
                                                none, never NULL */
    ngx_uint_t                    trouble;
    ngx_status_uptime_t           uptime;    /* of that check, when asked */
    ngx_status_html_past_t       *past;      /* of a check's own page; NULL: is
                                                not shown */

    /* timeline of that check, made when first asked for; nruns 0: not yet */
    ngx_uint_t                    nruns;
    ngx_status_run_t              runs[NGX_STATUS_TIMELINE];

    /* cursors of the small lists */
    ngx_uint_t                    chip;
    ngx_uint_t                    count;
    ngx_uint_t                    category;
    ngx_uint_t                    window;
    ngx_uint_t                    phase;
    ngx_uint_t                    result;
    ngx_uint_t                    event;
} ngx_status_html_t;


/* indexes of ngx_status_window_names */
#define NGX_STATUS_HTML_DAY      1
#define NGX_STATUS_HTML_QUARTER  4


/* a state as the zone has it, made safe for the tables */
#define ngx_status_html_state(s)                                             \
    ((s) < NGX_STATUS_NSTATES ? (s) : NGX_STATUS_UNKNOWN)


/*
 * Fields that are one expression of "page" (and of "scratch" or "out"), for
 * the tables of fields.
 */

#define ngx_status_html_text(name, value)                                    \
                                                                             \
static ngx_str_t                                                             \
name(void *view, u_char *scratch)                                            \
{                                                                            \
    ngx_status_html_t  *page = view;                                         \
                                                                             \
    (void) page;                                                             \
    (void) scratch;                                                          \
                                                                             \
    return value;                                                            \
}

#define ngx_status_html_flag(name, value)                                    \
                                                                             \
static ngx_uint_t                                                            \
name(void *view)                                                             \
{                                                                            \
    ngx_status_html_t  *page = view;                                         \
                                                                             \
    return value;                                                            \
}

#define ngx_status_html_write(name, action)                                  \
                                                                             \
static void                                                                  \
name(void *view, ngx_status_out_t *out)                                      \
{                                                                            \
    ngx_status_html_t  *page = view;                                         \
                                                                             \
    action;                                                                  \
}


/* ngx_status_html_check.c */

extern const ngx_status_field_t   ngx_status_html_check_fields[];

/* makes "view" the check that the fields speak of; returns the page */
void *ngx_status_html_check(ngx_status_html_t *page,
    const ngx_status_view_t *view);
const ngx_status_uptime_t *ngx_status_html_window(ngx_status_html_t *page,
    ngx_uint_t window);


/* ngx_status_html_score.c, ngx_status_html_detail.c,
   ngx_status_html_past.c: lists of a check */

extern const ngx_status_field_t   ngx_status_html_card_fields[];
extern const ngx_status_field_t   ngx_status_html_window_fields[];
extern const ngx_status_field_t   ngx_status_html_phase_fields[];
extern const ngx_status_field_t   ngx_status_html_result_fields[];
extern const ngx_status_field_t   ngx_status_html_event_fields[];
extern const ngx_status_field_t   ngx_status_html_strip_fields[];

void *ngx_status_html_card(void *view, void *prev);
void *ngx_status_html_windows(void *view, void *prev);
void *ngx_status_html_phases(void *view, void *prev);
void *ngx_status_html_results(void *view, void *prev);
void *ngx_status_html_events(void *view, void *prev);
void *ngx_status_html_strips(void *view, void *prev);

/* ngx_status_html_past.c: takes page->past out of the zone, and frees it */
void ngx_status_html_past_read(ngx_status_html_t *page);
void ngx_status_html_past_free(ngx_status_html_t *page);


/*
 * ngx_status_html_text.c.  What returns a string may write it into
 * "scratch", of NGX_STATUS_SCRATCH bytes.
 */

typedef enum {
    NGX_STATUS_HTML_DATE = 0,
    NGX_STATUS_HTML_MINUTE,
    NGX_STATUS_HTML_SECOND
} ngx_status_html_time_e;

ngx_str_t ngx_status_html_string(const char *s);
/* scratch up to p, which may be where snprintf() would have ended */
ngx_str_t ngx_status_html_cut(u_char *scratch, u_char *p);
ngx_str_t ngx_status_html_count(u_char *scratch, uint64_t n);
ngx_str_t ngx_status_html_decimal(u_char *scratch, double value);
ngx_str_t ngx_status_html_latency(u_char *scratch, uint32_t us);
/* the two gravest units: "3 d 4 h", "12 min 5 s", "45 s" */
ngx_str_t ngx_status_html_duration(u_char *scratch, int64_t ms);
ngx_str_t ngx_status_html_percent(u_char *scratch, uint64_t part,
    uint64_t whole);
ngx_str_t ngx_status_html_uptime(u_char *scratch,
    const ngx_status_uptime_t *u);
ngx_str_t ngx_status_html_known(u_char *scratch,
    const ngx_status_uptime_t *u);
ngx_uint_t ngx_status_html_part(const ngx_status_uptime_t *u);

/* <time>, from ms since the epoch */
void ngx_status_html_time(ngx_status_html_t *page, ngx_status_out_t *out,
    int64_t ms, ngx_status_html_time_e precision);
/* "21 Nov 2026", from s since the epoch */
ngx_str_t ngx_status_html_day(u_char *scratch, int64_t at);
/* percent-encodes all but [A-Za-z0-9._~-] */
void ngx_status_html_encode(ngx_status_out_t *out, const ngx_str_t *s);
/* link to the overview, of one group and one team unless they are NULL; files
 * are not of one of these */
void ngx_status_html_query(ngx_status_html_t *page, ngx_status_out_t *out,
    const ngx_str_t *group, const ngx_str_t *team);
/* returns the end of the digits, which are not terminated */
u_char *ngx_status_html_number(u_char *p, uint64_t n);


/* ngx_status_svg.c: what goes inside <svg>, or inside d="" */

/* viewBox 0 0 240 8; "end" is the s since the epoch that it ends with */
void ngx_status_svg_timeline(ngx_status_out_t *out,
    const ngx_status_run_t *runs, ngx_uint_t n, int64_t end);
/* d, in 29 by 12: latency of the newest 60 results, two a point */
void ngx_status_svg_latency(ngx_status_out_t *out,
    const ngx_status_record_t *record);
/* viewBox 0 0 240 40: a bar for each of the newest 60 results */
void ngx_status_svg_results(ngx_status_out_t *out,
    const ngx_status_record_t *record);
/* a run of a state from "from" to "to", nothing when they are the same */
void ngx_status_svg_run(ngx_status_out_t *out, ngx_uint_t state,
    ngx_uint_t from, ngx_uint_t to);
/* d: a point a unit, 200 at most, NAN for none; "top" is as high as "height" */
void ngx_status_svg_line(ngx_status_out_t *out, const double *values,
    ngx_uint_t n, double top, ngx_uint_t height);
/* d, in 29 by 24: up to 30 scores; "last" only moves to the newest one */
void ngx_status_svg_scores(ngx_status_out_t *out, const double *scores,
    ngx_uint_t n, ngx_uint_t last);

/* us at the upper edge of the drawings of latency; 0: nothing to draw */
uint32_t ngx_status_svg_latency_top(const ngx_status_record_t *record);


#endif /* _NGX_STATUS_HTML_H_INCLUDED_ */
