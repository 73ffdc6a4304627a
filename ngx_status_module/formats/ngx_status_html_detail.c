
/*
 * Copyright (C) ngx_status_module authors
 *
 * What only a check's own page shows: windows, phases, newest results and
 * changes of state.
 */


#include "ngx_status_html.h"


#define LISTED  30                    /* results */


void *
ngx_status_html_windows(void *view, void *prev)
{
    ngx_status_html_t  *page = view;

    page->window = prev ? page->window + 1 : 0;

    return page->window < NGX_STATUS_WINDOWS ? page : NULL;
}


static const ngx_status_window_t *
window_of(void *view)
{
    ngx_status_html_t  *page = view;

    return &page->record->windows[page->window];
}


ngx_status_html_text(window_name, ngx_status_window_names[page->window])
ngx_status_html_text(window_uptime,
    ngx_status_html_uptime(scratch,
                           ngx_status_html_window(page, page->window)))
ngx_status_html_text(window_known,
    ngx_status_html_known(scratch,
                          ngx_status_html_window(page, page->window)))
ngx_status_html_text(window_answers,
    ngx_status_html_count(scratch, window_of(page)->results))


static ngx_str_t
window_latency(u_char *scratch, const ngx_status_window_t *w, uint32_t us)
{
    if (w->results == 0) {
        return ngx_status_html_string("\xe2\x80\x93");         /* en dash */
    }

    return ngx_status_html_latency(scratch, us);
}


ngx_status_html_text(window_min,
    window_latency(scratch, window_of(page), window_of(page)->min))
ngx_status_html_text(window_mean,
    window_latency(scratch, window_of(page), window_of(page)->mean))
ngx_status_html_text(window_p50,
    window_latency(scratch, window_of(page), window_of(page)->p50))
ngx_status_html_text(window_p95,
    window_latency(scratch, window_of(page), window_of(page)->p95))
ngx_status_html_text(window_p99,
    window_latency(scratch, window_of(page), window_of(page)->p99))
ngx_status_html_text(window_max,
    window_latency(scratch, window_of(page), window_of(page)->max))


const ngx_status_field_t  ngx_status_html_window_fields[] = {
    { .name = ngx_string("window"), .text = window_name },
    { .name = ngx_string("uptime"), .text = window_uptime },
    { .name = ngx_string("known"), .text = window_known },
    { .name = ngx_string("answers"), .text = window_answers },
    { .name = ngx_string("min"), .text = window_min },
    { .name = ngx_string("mean"), .text = window_mean },
    { .name = ngx_string("p50"), .text = window_p50 },
    { .name = ngx_string("p95"), .text = window_p95 },
    { .name = ngx_string("p99"), .text = window_p99 },
    { .name = ngx_string("max"), .text = window_max },
    { .name = ngx_null_string }
};


/* phases that took no time (no TLS, a reused connection) are left out */

void *
ngx_status_html_phases(void *view, void *prev)
{
    ngx_status_html_t  *page = view;

    if (!page->ask->internal) {
        return NULL;
    }

    page->phase = prev ? page->phase + 1 : 0;

    while (page->phase < NGX_STATUS_NPHASES
           && page->record->last.phases[page->phase] == 0)
    {
        page->phase++;
    }

    return page->phase < NGX_STATUS_NPHASES ? page : NULL;
}


/* thousandths of all phases, before the current one and of its own */

static ngx_uint_t
phase_share(const ngx_status_html_t *page, ngx_uint_t own)
{
    uint64_t         sum, before;
    ngx_uint_t       i;
    const uint32_t  *phases;

    phases = page->record->last.phases;
    sum = 0;
    before = 0;

    for (i = 0; i < NGX_STATUS_NPHASES; i++) {
        if (i == page->phase) {
            before = sum;
        }

        sum += phases[i];
    }

    return 1000 * (own ? phases[page->phase] : before) / ngx_max(sum, 1);
}


ngx_status_html_text(phase_name, ngx_status_phases[page->phase])
ngx_status_html_text(phase_time,
    ngx_status_html_latency(scratch,
                            page->record->last.phases[page->phase]))
ngx_status_html_text(phase_x,
    ngx_status_html_count(scratch, phase_share(page, 0)))
ngx_status_html_text(phase_width,
    ngx_status_html_count(scratch, ngx_max(phase_share(page, 1), 1)))


const ngx_status_field_t  ngx_status_html_phase_fields[] = {
    { .name = ngx_string("phase"), .text = phase_name },
    { .name = ngx_string("phase_time"), .text = phase_time },
    { .name = ngx_string("phase_x"), .text = phase_x },
    { .name = ngx_string("phase_width"), .text = phase_width },
    { .name = ngx_null_string }
};


void *
ngx_status_html_results(void *view, void *prev)
{
    uint64_t            n;
    ngx_status_html_t  *page = view;

    page->result = prev ? page->result + 1 : 0;

    n = ngx_min(page->record->nresults, LISTED);

    return page->result < n ? page : NULL;
}


static const ngx_status_brief_t *
result_of(void *view)
{
    ngx_status_html_t          *page = view;
    const ngx_status_record_t  *record;

    record = page->record;

    return &record->results[(record->nresults - 1 - page->result)
                            % NGX_STATUS_RESULTS];
}


static const ngx_status_word_t *
result_word_of(void *view)
{
    return &ngx_status_states[ngx_status_html_state(result_of(view)->state)];
}


ngx_status_html_write(result_at,
    ngx_status_html_time(page, out, result_of(page)->at,
                         NGX_STATUS_HTML_SECOND))
ngx_status_html_text(result_state, result_word_of(page)->name)
ngx_status_html_text(result_mark, result_word_of(page)->mark)
ngx_status_html_text(result_word, result_word_of(page)->title)
ngx_status_html_text(result_latency,
    result_of(page)->latency
    ? ngx_status_html_latency(scratch, result_of(page)->latency)
    : ngx_status_html_string("\xe2\x80\x93"))                /* en dash */


static ngx_str_t
result_http(void *view, u_char *scratch)
{
    ngx_uint_t  status;

    status = result_of(view)->http_status;

    return status ? ngx_status_html_count(scratch, status)
                  : ngx_status_html_string("");
}


static ngx_str_t
result_error(void *view, u_char *scratch)
{
    ngx_uint_t  error;

    (void) scratch;

    error = result_of(view)->error;

    return error != NGX_STATUS_E_NONE && error < NGX_STATUS_NERRORS
           ? ngx_status_errors[error] : ngx_status_html_string("");
}


const ngx_status_field_t  ngx_status_html_result_fields[] = {
    { .name = ngx_string("result_at"), .write = result_at },
    { .name = ngx_string("result_state"), .text = result_state },
    { .name = ngx_string("result_mark"), .text = result_mark },
    { .name = ngx_string("result_word"), .text = result_word },
    { .name = ngx_string("result_latency"), .text = result_latency },
    { .name = ngx_string("result_http"), .text = result_http },
    { .name = ngx_string("result_error"), .text = result_error },
    { .name = ngx_null_string }
};


/* changes of state, the newest first */

void *
ngx_status_html_events(void *view, void *prev)
{
    ngx_uint_t          first;
    ngx_status_html_t  *page = view;

    first = ngx_status_view_events(page->snapshot, page->view);

    /* one more than the index of the one at hand */

    page->event = prev ? page->event - 1
                       : ngx_min(page->record->nevents, NGX_STATUS_EVENTS);

    return page->event > first ? page : NULL;
}


static const ngx_status_event_t *
event_of(void *view)
{
    ngx_status_html_t  *page = view;

    return &page->record->events[page->event - 1];
}


static const ngx_status_word_t *
event_word_of(void *view)
{
    return &ngx_status_states[ngx_status_html_state(event_of(view)->to)];
}


static int64_t
event_until(void *view)
{
    ngx_status_html_t  *page = view;

    return ngx_status_view_until(page->snapshot, page->view, page->event - 1);
}


ngx_status_html_write(event_at,
    ngx_status_html_time(page, out, event_of(page)->since,
                         NGX_STATUS_HTML_SECOND))
ngx_status_html_text(event_state, event_word_of(page)->name)
ngx_status_html_text(event_mark, event_word_of(page)->mark)
ngx_status_html_text(event_word, event_word_of(page)->title)
ngx_status_html_text(event_before,
    ngx_status_states[ngx_status_html_state(event_of(page)->from)].title)
ngx_status_html_flag(event_open, event_until(page) == 0)
ngx_status_html_text(event_for,
    ngx_status_html_duration(scratch,
        (event_until(page) ? event_until(page) : page->snapshot->now)
        - event_of(page)->since))
ngx_status_html_text(event_reason,
    ngx_status_html_string(page->ask->internal ? event_of(page)->reason : ""))


const ngx_status_field_t  ngx_status_html_event_fields[] = {
    { .name = ngx_string("event_at"), .write = event_at },
    { .name = ngx_string("event_state"), .text = event_state },
    { .name = ngx_string("event_mark"), .text = event_mark },
    { .name = ngx_string("event_word"), .text = event_word },
    { .name = ngx_string("event_before"), .text = event_before },
    { .name = ngx_string("event_open"), .flag = event_open },
    { .name = ngx_string("event_for"), .text = event_for },
    { .name = ngx_string("event_reason"), .text = event_reason },
    { .name = ngx_null_string }
};
