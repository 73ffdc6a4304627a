
/*
 * Copyright (C) ngx_status_module authors
 *
 * What templates can say of one check, wherever it stands.
 */


#include "ngx_status_html.h"
#include <math.h>



static ngx_uint_t ngx_status_html_waiting(const ngx_status_html_t *page);
static ngx_uint_t ngx_status_html_outdated(const ngx_status_html_t *page);
static void ngx_status_html_cert_end(ngx_status_html_t *page,
    ngx_status_out_t *out, int64_t at);
static ngx_str_t ngx_status_html_cert_days(const ngx_status_html_t *page,
    u_char *scratch, int64_t at);
static void ngx_status_html_runs(ngx_status_html_t *page);


void *
ngx_status_html_check(ngx_status_html_t *page, const ngx_status_view_t *view)
{
    static const ngx_status_record_t  none;

    page->view = view;
    page->record = view->known ? &view->record : &none;
    page->nruns = 0;

    return page;
}


/* who it is */

ngx_status_html_text(check_id, page->view->check->id)


static void
check_link(void *view, ngx_status_out_t *out)
{
    ngx_status_html_t  *page = view;

    ngx_status_out_raw(out, page->base, strlen(page->base));
    ngx_status_out_lit(out, "check/");
    ngx_status_html_encode(out, &page->view->check->id);

    if (page->ask->every) {
        ngx_status_out_lit(out, ".html");
    }
}


ngx_status_html_text(check_title, page->view->check->title)
ngx_status_html_text(check_group, page->view->check->group)
ngx_status_html_write(check_group_link,
    ngx_status_html_query(page, out, &page->view->check->group, NULL))
ngx_status_html_text(check_team, page->view->check->team)
ngx_status_html_write(check_team_link,
    ngx_status_html_query(page, out, NULL, &page->view->check->team))
ngx_status_html_text(check_type, page->view->check->type->name)


static ngx_str_t
check_target(void *view, u_char *scratch)
{
    ngx_status_html_t  *page = view;

    (void) scratch;

    return page->ask->internal ? page->view->check->target
                               : ngx_status_html_string("");
}


static ngx_str_t
check_interval(void *view, u_char *scratch)
{
    int         n;
    ngx_msec_t  ms;

    ms = ((ngx_status_html_t *) view)->view->check->interval;

    if (ms % 60000 == 0) {
        n = snprintf((char *) scratch, NGX_STATUS_SCRATCH, "%lu min",
                     (unsigned long) (ms / 60000));

    } else {
        n = snprintf((char *) scratch, NGX_STATUS_SCRATCH, "%g s",
                     (double) ms / 1000);
    }

    return ngx_status_html_cut(scratch, scratch + n);
}


ngx_status_html_flag(check_extra, !page->view->check->core)


/* how it is */

ngx_status_html_text(check_state, ngx_status_states[page->view->state].name)
ngx_status_html_text(check_mark,
    ngx_status_html_waiting(page)
    ? ngx_status_html_string("\xe2\x97\x8b")                  /* circle */
    : ngx_status_states[page->view->state].mark)
ngx_status_html_text(check_word,
    ngx_status_html_waiting(page)
    ? ngx_status_html_string("Waiting")
    : ngx_status_states[page->view->state].title)
ngx_status_html_flag(check_bad,
    page->view->state != NGX_STATUS_UP
    && page->view->state != NGX_STATUS_UNKNOWN)
ngx_status_html_flag(check_waiting, ngx_status_html_waiting(page))
ngx_status_html_flag(check_outdated, ngx_status_html_outdated(page))
ngx_status_html_flag(check_has_since,
    !ngx_status_html_waiting(page)
    && page->record->confirm.since != 0
    && page->record->confirm.state == page->view->state)
ngx_status_html_write(check_since,
    ngx_status_html_time(page, out, page->record->confirm.since,
                         NGX_STATUS_HTML_MINUTE))


/* an unconfirmed change; a dead checker will confirm nothing */

static ngx_str_t
check_pending(void *view, u_char *scratch)
{
    int                          n;
    uint32_t                     run;
    const char                  *word;
    ngx_status_html_t           *page = view;
    const ngx_status_confirm_t  *c;

    c = &page->record->confirm;
    run = c->run;

    if (ngx_status_html_waiting(page)
        || ngx_status_html_outdated(page)
        || !page->snapshot->alive)
    {
        return ngx_status_html_string("");
    }

    if (c->direction == NGX_STATUS_RUN_WORSE && run) {
        word = (c->run_state == NGX_STATUS_DEGRADED) ? "degraded" : "failing";

    } else if (c->direction == NGX_STATUS_RUN_BETTER && run) {
        word = (c->run_state == NGX_STATUS_DEGRADED) ? "degraded" : "passing";

    } else if (c->unknowns && c->state != NGX_STATUS_UNKNOWN) {
        word = "unknown";
        run = c->unknowns;

    } else {
        return ngx_status_html_string("");
    }

    n = snprintf((char *) scratch, NGX_STATUS_SCRATCH,
                 "%u %s result%s, not confirmed yet", run, word,
                 run == 1 ? "" : "s");

    return ngx_status_html_cut(scratch, scratch + n);
}


static ngx_str_t
check_message(void *view, u_char *scratch)
{
    ngx_status_html_t          *page = view;
    const ngx_status_record_t  *record;

    (void) scratch;

    record = page->record;

    if (!page->ask->internal || ngx_status_html_waiting(page)) {
        return ngx_status_html_string("");
    }

    if (record->last.message[0]) {
        return ngx_status_html_string(record->last.message);
    }

    /* passing again, but not confirmed: what it was */

    if (check_bad(view)) {
        return ngx_status_html_string(record->failed);
    }

    return ngx_status_html_string("");
}


static ngx_str_t
check_slower(void *view, u_char *scratch)
{
    int                         n;
    const ngx_str_t            *level;
    ngx_status_html_t          *page = view;
    const ngx_status_record_t  *record;

    record = page->record;

    if (!page->snapshot->alive
        || record->slower_level < NGX_STATUS_WARNING
        || record->slower_level >= NGX_STATUS_NLEVELS
        || !isfinite(record->slower_growth))
    {
        return ngx_status_html_string("");
    }

    level = &ngx_status_levels[record->slower_level];

    n = snprintf((char *) scratch, NGX_STATUS_SCRATCH,
                 "%.0f%% slower than before (%.*s)",
                 fmin(record->slower_growth, 1e6) * 100, (int) level->len,
                 level->data);

    return ngx_status_html_cut(scratch, scratch + n);
}


/* whether there is more to say than the row itself does */

static ngx_uint_t
check_note(void *view)
{
    u_char              scratch[NGX_STATUS_SCRATCH];
    ngx_status_html_t  *page = view;

    if (page->view->state == NGX_STATUS_UP
        && page->record->confirm.direction == NGX_STATUS_RUN_NONE
        && page->record->confirm.unknowns == 0
        && page->record->slower_level < NGX_STATUS_WARNING)
    {
        return 0;
    }

    return check_bad(view)
           || ngx_status_html_outdated(page)
           || check_pending(view, scratch).len
           || check_slower(view, scratch).len
           || (page->snapshot->alive && check_message(view, scratch).len);
}


/* uptime */

ngx_status_html_text(check_uptime_day,
    ngx_status_html_uptime(scratch,
        ngx_status_html_window(page, NGX_STATUS_HTML_DAY)))
ngx_status_html_text(check_uptime_quarter,
    ngx_status_html_uptime(scratch,
        ngx_status_html_window(page, NGX_STATUS_HTML_QUARTER)))
ngx_status_html_flag(check_part_day,
    ngx_status_html_part(ngx_status_html_window(page, NGX_STATUS_HTML_DAY)))
ngx_status_html_flag(check_part_quarter,
    ngx_status_html_part(ngx_status_html_window(page,
                                                NGX_STATUS_HTML_QUARTER)))
ngx_status_html_text(check_known_day,
    ngx_status_html_known(scratch,
        ngx_status_html_window(page, NGX_STATUS_HTML_DAY)))
ngx_status_html_text(check_known_quarter,
    ngx_status_html_known(scratch,
        ngx_status_html_window(page, NGX_STATUS_HTML_QUARTER)))


/* timeline and latency */

static ngx_str_t
check_timeline_text(void *view, u_char *scratch)
{
    u_char              *p;
    ngx_uint_t           i, minutes[NGX_STATUS_NSTATES];
    const ngx_str_t     *title;
    ngx_status_html_t   *page = view;

    ngx_status_html_runs(page);

    memset(minutes, 0, sizeof(minutes));

    for (i = 0; i < page->nruns; i++) {
        minutes[ngx_status_html_state(page->runs[i].state)] += page->runs[i].n;
    }

    p = scratch;

    for (i = 0; i < NGX_STATUS_NSTATES; i++) {
        title = &ngx_status_states[i].title;

        if (minutes[i] == 0
            || p + title->len + sizeof(",  240 min") - 1
               > scratch + NGX_STATUS_SCRATCH)
        {
            continue;
        }

        if (p != scratch) {
            *p++ = ',';
            *p++ = ' ';
        }

        p = ngx_cpymem(p, title->data, title->len);
        *p++ = ' ';
        p = ngx_status_html_number(p, minutes[i]);
        p = ngx_cpymem(p, " min", sizeof(" min") - 1);
    }

    return ngx_status_html_cut(scratch, p);
}


static void
check_timeline(void *view, ngx_status_out_t *out)
{
    ngx_status_html_t  *page = view;

    ngx_status_html_runs(page);
    ngx_status_svg_timeline(out, page->runs, page->nruns,
                            page->snapshot->now / 1000);
}


static ngx_str_t
check_latency(void *view, u_char *scratch)
{
    ngx_status_html_t          *page = view;
    const ngx_status_record_t  *record;

    record = page->record;

    if (ngx_status_html_waiting(page)
        || !ngx_status_timed(record->last.state, record->last.latency))
    {
        return ngx_status_html_string("\xe2\x80\x93");         /* en dash */
    }

    return ngx_status_html_latency(scratch, record->last.latency);
}


static void
check_latency_line(void *view, ngx_status_out_t *out)
{
    ngx_status_html_t  *page = view;

    if (!ngx_status_html_waiting(page)) {
        ngx_status_svg_latency(out, page->record);
    }
}


static ngx_str_t
check_latency_top(void *view, u_char *scratch)
{
    uint32_t            top;
    ngx_status_html_t  *page = view;

    top = ngx_status_html_waiting(page)
          ? 0 : ngx_status_svg_latency_top(page->record);

    return top ? ngx_status_html_latency(scratch, top)
               : ngx_status_html_string("");
}


static void
check_latency_bars(void *view, ngx_status_out_t *out)
{
    ngx_status_html_t  *page = view;

    if (!ngx_status_html_waiting(page)) {
        ngx_status_svg_results(out, page->record);
    }
}


/* the check's own page */

ngx_status_html_write(check_checked,
    ngx_status_html_time(page, out, page->record->last.at,
                         NGX_STATUS_HTML_SECOND))
ngx_status_html_flag(check_has_next,
    page->snapshot->alive && page->record->next_at != 0)
ngx_status_html_write(check_next,
    ngx_status_html_time(page, out, page->record->next_at,
                         NGX_STATUS_HTML_SECOND))
ngx_status_html_text(check_seen,
    ngx_status_html_string(page->ask->internal ? page->record->last.seen : ""))


/* its certificate */

ngx_status_html_flag(check_has_cert,
    page->record->last.cert_expires != 0)
ngx_status_html_write(check_cert,
    ngx_status_html_cert_end(page, out, page->record->last.cert_expires))
ngx_status_html_text(check_cert_days,
    ngx_status_html_cert_days(page, scratch, page->record->last.cert_expires))
ngx_status_html_flag(check_has_cert_chain,
    page->record->last.cert.chain_expires != 0
    && page->record->last.cert.chain_expires < page->record->last.cert_expires)
ngx_status_html_write(check_cert_chain,
    ngx_status_html_cert_end(page, out,
                             page->record->last.cert.chain_expires))
ngx_status_html_text(check_cert_chain_days,
    ngx_status_html_cert_days(page, scratch,
                              page->record->last.cert.chain_expires))
ngx_status_html_flag(check_cert_rejected,
    page->record->last.cert.verified == NGX_STATUS_CERT_REJECTED)
ngx_status_html_text(check_cert_issuer,
    ngx_status_html_string(page->ask->internal
                           ? page->record->last.cert.issuer : ""))


/* "a.example, b.example and 3 more" */

static void
check_cert_names(void *view, ngx_status_out_t *out)
{
    const char               *p, *space;
    ngx_uint_t                n;
    ngx_status_html_t        *page = view;
    const ngx_status_cert_t  *cert;

    cert = &page->record->last.cert;

    for (n = 0, p = cert->names; *p; n++, p = space + (*space == ' ')) {
        space = p + strcspn(p, " ");

        if (n) {
            ngx_status_out_lit(out, ", ");
        }

        ngx_status_out_html(out, (const u_char *) p, space - p);
    }

    if (n < cert->nnames) {
        ngx_status_out_printf(out, "%s%lu more", n ? " and " : "",
                              (unsigned long) (cert->nnames - n));
    }
}


ngx_status_html_flag(check_has_cert_names,
    page->ask->internal && page->record->last.cert.nnames)


ngx_status_html_flag(check_has_strips, page->past != NULL)
ngx_status_html_flag(check_pushed,
    page->view->check->token != NULL)


/* of disks, files, heartbeats, which no latency tells about */

ngx_status_html_text(check_reading,
    ngx_status_html_string(page->ask->internal
                           && page->view->check->type->latency == 0
                           ? page->record->last.seen : ""))


ngx_status_html_flag(check_has_events,
    ngx_status_html_events(page, NULL) != NULL)
ngx_status_html_flag(check_has_phases,
    ngx_status_html_phases(page, NULL) != NULL)


const ngx_status_field_t  ngx_status_html_check_fields[] = {

    { .name = ngx_string("id"), .text = check_id },
    { .name = ngx_string("link"), .write = check_link },
    { .name = ngx_string("title"), .text = check_title },
    { .name = ngx_string("group"), .text = check_group },
    { .name = ngx_string("group_link"), .write = check_group_link },
    { .name = ngx_string("team"), .text = check_team },
    { .name = ngx_string("team_link"), .write = check_team_link },
    { .name = ngx_string("type"), .text = check_type },
    { .name = ngx_string("target"), .text = check_target },
    { .name = ngx_string("interval"), .text = check_interval },
    { .name = ngx_string("extra"), .flag = check_extra },

    { .name = ngx_string("state"), .text = check_state },
    { .name = ngx_string("mark"), .text = check_mark },
    { .name = ngx_string("word"), .text = check_word },
    { .name = ngx_string("bad"), .flag = check_bad },
    { .name = ngx_string("waiting"), .flag = check_waiting },
    { .name = ngx_string("outdated"), .flag = check_outdated },
    { .name = ngx_string("has_since"), .flag = check_has_since },
    { .name = ngx_string("since"), .write = check_since },
    { .name = ngx_string("pending"), .text = check_pending },
    { .name = ngx_string("message"), .text = check_message },
    { .name = ngx_string("slower"), .text = check_slower },
    { .name = ngx_string("note"), .flag = check_note },

    { .name = ngx_string("uptime_day"), .text = check_uptime_day },
    { .name = ngx_string("uptime_quarter"), .text = check_uptime_quarter },
    { .name = ngx_string("part_day"), .flag = check_part_day },
    { .name = ngx_string("part_quarter"), .flag = check_part_quarter },
    { .name = ngx_string("known_day"), .text = check_known_day },
    { .name = ngx_string("known_quarter"), .text = check_known_quarter },
    { .name = ngx_string("timeline_text"), .text = check_timeline_text },
    { .name = ngx_string("timeline"), .write = check_timeline },
    { .name = ngx_string("latency"), .text = check_latency },
    { .name = ngx_string("latency_line"), .write = check_latency_line },
    { .name = ngx_string("latency_top"), .text = check_latency_top },
    { .name = ngx_string("latency_bars"), .write = check_latency_bars },

    { .name = ngx_string("card"), .list = ngx_status_html_card,
      .fields = ngx_status_html_card_fields },

    { .name = ngx_string("checked"), .write = check_checked },
    { .name = ngx_string("has_next"), .flag = check_has_next },
    { .name = ngx_string("next"), .write = check_next },
    { .name = ngx_string("seen"), .text = check_seen },
    { .name = ngx_string("reading"), .text = check_reading },
    { .name = ngx_string("pushed"), .flag = check_pushed },
    { .name = ngx_string("has_cert"), .flag = check_has_cert },
    { .name = ngx_string("cert"), .write = check_cert },
    { .name = ngx_string("cert_days"), .text = check_cert_days },
    { .name = ngx_string("has_cert_chain"), .flag = check_has_cert_chain },
    { .name = ngx_string("cert_chain"), .write = check_cert_chain },
    { .name = ngx_string("cert_chain_days"), .text = check_cert_chain_days },
    { .name = ngx_string("cert_rejected"), .flag = check_cert_rejected },
    { .name = ngx_string("cert_issuer"), .text = check_cert_issuer },
    { .name = ngx_string("has_cert_names"), .flag = check_has_cert_names },
    { .name = ngx_string("cert_names"), .write = check_cert_names },
    { .name = ngx_string("windows"), .list = ngx_status_html_windows,
      .fields = ngx_status_html_window_fields },
    { .name = ngx_string("has_strips"), .flag = check_has_strips },
    { .name = ngx_string("strips"), .list = ngx_status_html_strips,
      .fields = ngx_status_html_strip_fields },
    { .name = ngx_string("has_phases"), .flag = check_has_phases },
    { .name = ngx_string("phases"), .list = ngx_status_html_phases,
      .fields = ngx_status_html_phase_fields },
    { .name = ngx_string("has_events"), .flag = check_has_events },
    { .name = ngx_string("events"), .list = ngx_status_html_events,
      .fields = ngx_status_html_event_fields },
    { .name = ngx_string("results"), .list = ngx_status_html_results,
      .fields = ngx_status_html_result_fields },

    { .name = ngx_null_string }
};


/* The uptime of the check at hand; until the next call. */

const ngx_status_uptime_t *
ngx_status_html_window(ngx_status_html_t *page, ngx_uint_t window)
{
    memset(&page->uptime, 0, sizeof(ngx_status_uptime_t));
    ngx_status_uptime_add(&page->uptime, page->view, window);

    return &page->uptime;
}


/* There was no result yet. */

static ngx_uint_t
ngx_status_html_waiting(const ngx_status_html_t *page)
{
    return page->record->nresults == 0;
}


/* With a dead checker all are; then the page says so once. */

static ngx_uint_t
ngx_status_html_outdated(const ngx_status_html_t *page)
{
    return page->snapshot->alive
           && page->view->state == NGX_STATUS_UNKNOWN
           && page->record->confirm.state != NGX_STATUS_UNKNOWN
           && !ngx_status_html_waiting(page);
}


static void
ngx_status_html_cert_end(ngx_status_html_t *page, ngx_status_out_t *out,
    int64_t at)
{
    at = ngx_max(ngx_min(at, INT64_MAX / 1000), INT64_MIN / 1000);

    ngx_status_html_time(page, out, at * 1000, NGX_STATUS_HTML_DATE);
}


static ngx_str_t
ngx_status_html_cert_days(const ngx_status_html_t *page, u_char *scratch,
    int64_t at)
{
    int      n;
    int64_t  left;

    left = at - page->snapshot->now / 1000;

    if (left < 0) {
        return ngx_status_html_string("expired");
    }

    n = snprintf((char *) scratch, NGX_STATUS_SCRATCH, "%lld day%s left",
                 (long long) left / 86400, left / 86400 == 1 ? "" : "s");

    return ngx_status_html_cut(scratch, scratch + n);
}


static void
ngx_status_html_runs(ngx_status_html_t *page)
{
    if (page->nruns == 0) {
        page->nruns = ngx_status_view_timeline(page->snapshot, page->view,
                                               page->runs);
    }
}
