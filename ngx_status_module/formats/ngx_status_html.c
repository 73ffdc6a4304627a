
/*
 * Copyright (C) ngx_status_module authors
 *
 * The HTML pages: what their templates in html/ can say of the monitor, of
 * a selection of its checks and of its groups.
 */


#include "ngx_status_html.h"
#include <time.h>


static void ngx_status_html_render(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out);
static void ngx_status_html_until(ngx_status_html_t *page,
    const ngx_status_view_t *view);
static void ngx_status_html_trouble(ngx_status_html_t *page,
    const ngx_status_view_t *view);
static ngx_str_t ngx_status_html_hash(const char *name);


const ngx_status_format_t  ngx_status_format_html = {
    ngx_string("text/html; charset=utf-8"),
    ngx_status_html_render
};


static void
ngx_status_html_render(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_out_t *out)
{
    ngx_uint_t                   i;
    ngx_status_html_t            page;
    const ngx_status_view_t     *view;
    const ngx_status_monitor_t  *monitor;

    monitor = snapshot->monitor;

    /* but for the large arrays, which have a count of their own */
    memset(&page, 0, offsetof(ngx_status_html_t, runs));

    page.snapshot = snapshot;
    page.ask = ask;

    if (ask->view) {
        page.base = "../";
        page.state = ask->view->state;
        page.newest = ask->view->known ? ask->view->record.last.at : 0;

        ngx_status_html_until(&page, ask->view);

        (void) ngx_status_html_check(&page, ask->view);
        ngx_status_html_past_read(&page);
        ngx_status_template_render(monitor->detail, &page, out);
        ngx_status_html_past_free(&page);

        return;
    }

    page.base = "";

    ngx_status_asked_sum(snapshot, ask, &page.sum);
    page.state = ngx_status_sum_state(&page.sum);

    for (i = 0; i < monitor->nchecks; i++) {
        view = &snapshot->views[i];

        if (!ngx_status_asked(snapshot, ask, view)) {
            continue;
        }

        page.nchecks++;

        if (view->known) {
            page.newest = ngx_max(page.newest, view->record.last.at);
        }

        ngx_status_html_until(&page, view);
        ngx_status_uptime_add(&page.day, view, NGX_STATUS_HTML_DAY);
        ngx_status_uptime_add(&page.quarter, view, NGX_STATUS_HTML_QUARTER);

        if (view->known && view->state != NGX_STATUS_UP
            && view->state != NGX_STATUS_MAINTENANCE)
        {
            ngx_status_html_trouble(&page, view);
        }
    }

    ngx_status_template_render(monitor->page, &page, out);
}


/*
 * What is shown of a check changes, by another result or by the want of one,
 * until the newest one has run out; so who exports still has written a page
 * anew an export later than that.  Another one and a minute are for clocks
 * that differ, and for what copies the files.  Of what is unknown already,
 * nothing wrong is said later on.
 */

static void
ngx_status_html_until(ngx_status_html_t *page, const ngx_status_view_t *view)
{
    int64_t                       until;
    const ngx_status_snapshot_t  *s;

    s = page->snapshot;

    if (page->ask->every == 0 || !s->alive || !view->known
        || s->now > view->record.valid_until)
    {
        return;
    }

    until = view->record.valid_until
            + (2 * (int64_t) page->ask->every + 60) * 1000;

    page->until = page->until ? ngx_min(page->until, until) : until;
}


/* Keeps the gravest ones, in the order of the page among equals. */

static void
ngx_status_html_trouble(ngx_status_html_t *page, const ngx_status_view_t *view)
{
    ngx_uint_t  i;

    i = ngx_min(page->ntroubles, NGX_STATUS_HTML_TROUBLES);
    page->ntroubles++;

    while (i && ngx_status_states[page->troubles[i - 1]->state].severity
                < ngx_status_states[view->state].severity)
    {
        if (i < NGX_STATUS_HTML_TROUBLES) {
            page->troubles[i] = page->troubles[i - 1];
        }

        i--;
    }

    if (i < NGX_STATUS_HTML_TROUBLES) {
        page->troubles[i] = view;
    }
}


/* of both pages */

ngx_status_html_text(page_monitor, page->snapshot->monitor->title)
ngx_status_html_text(page_name, page->snapshot->monitor->name)
ngx_status_html_text(page_base, ngx_status_html_string(page->base))
ngx_status_html_write(page_home,
    ngx_status_html_query(page, out, NULL, NULL))
ngx_status_html_text(page_refresh,
    page->ask->refresh ? ngx_status_html_count(scratch, page->ask->refresh)
                       : ngx_status_html_string(""))
ngx_status_html_text(page_style_hash, ngx_status_html_hash("style.css"))
ngx_status_html_text(page_script_hash, ngx_status_html_hash("status.js"))
ngx_status_html_text(page_icon_hash, ngx_status_html_hash("icon.svg"))
ngx_status_html_flag(page_internal, page->ask->internal)
ngx_status_html_flag(page_dead, !page->snapshot->alive)
ngx_status_html_flag(page_has_heartbeat, page->snapshot->beat.at != 0)
ngx_status_html_write(page_heartbeat,
    ngx_status_html_time(page, out, page->snapshot->beat.at,
                         NGX_STATUS_HTML_SECOND))
ngx_status_html_flag(page_offline,
    page->snapshot->alive && page->snapshot->offline_since != 0)
ngx_status_html_write(page_offline_since,
    ngx_status_html_time(page, out, page->snapshot->offline_since,
                         NGX_STATUS_HTML_SECOND))

#define ngx_status_html_outlet(name, i)                                      \
ngx_status_html_flag(page_ ## name ## _failed,                               \
    page->ask->internal && page->snapshot->alive                             \
    && page->snapshot->outlets[i].state == NGX_STATUS_OUTLET_FAILED)         \
ngx_status_html_text(page_ ## name ## _message,                              \
    ngx_status_html_string(page->snapshot->outlets[i].message))

#define ngx_status_html_lost(name, n)                                        \
ngx_status_html_text(page_ ## name ## _lost,                                 \
    page->ask->internal && (n) ? ngx_status_html_count(scratch, n)           \
                               : ngx_status_html_string(""))

ngx_status_html_outlet(store, NGX_STATUS_STORE)
ngx_status_html_lost(store, page->snapshot->outlets[NGX_STATUS_STORE].lost)
ngx_status_html_outlet(archive, NGX_STATUS_ARCHIVE)
ngx_status_html_lost(archive, page->snapshot->outlets[NGX_STATUS_ARCHIVE].lost)
ngx_status_html_outlet(export, NGX_STATUS_EXPORT)
ngx_status_html_lost(pushes, page->snapshot->pushes_lost)

ngx_status_html_flag(page_has_newest, page->newest != 0)
ngx_status_html_write(page_newest,
    ngx_status_html_time(page, out, page->newest, NGX_STATUS_HTML_SECOND))
ngx_status_html_flag(page_exported, page->ask->every != 0)
ngx_status_html_flag(page_has_until, page->until != 0)
ngx_status_html_write(page_until,
    ngx_status_html_time(page, out, page->until, NGX_STATUS_HTML_SECOND))
ngx_status_html_text(page_filter_team,
    page->ask->team ? *page->ask->team : ngx_status_html_string(""))
ngx_status_html_text(page_filter_group,
    page->ask->group ? page->ask->group->title : ngx_status_html_string(""))


static ngx_uint_t
page_is_down(void *view)
{
    ngx_uint_t  state;

    state = ((ngx_status_html_t *) view)->state;

    return state == NGX_STATUS_DOWN
           || state == NGX_STATUS_TIMEOUT
           || state == NGX_STATUS_BOT_DETECTED;
}


ngx_status_html_flag(page_is_degraded, page->state == NGX_STATUS_DEGRADED)


/* of the overview */

ngx_status_html_text(page_state, ngx_status_states[page->state].name)
ngx_status_html_text(page_word, ngx_status_states[page->state].title)
ngx_status_html_text(page_mark, ngx_status_states[page->state].mark)


static ngx_str_t
page_sentence(void *view, u_char *scratch)
{
    ngx_status_html_t  *page = view;

    (void) scratch;

    if (page->state == NGX_STATUS_UNKNOWN && page->snapshot->alive
        && page->snapshot->loading && page->ntroubles == 0)
    {
        return ngx_status_html_string("Waiting for the first results");
    }

    return ngx_status_states[page->state].sentence;
}


ngx_status_html_flag(page_has_uptime, page->quarter.known != 0)
ngx_status_html_text(page_uptime_day,
    ngx_status_html_uptime(scratch, &page->day))
ngx_status_html_text(page_uptime_quarter,
    ngx_status_html_uptime(scratch, &page->quarter))
ngx_status_html_text(page_known_day,
    ngx_status_html_known(scratch, &page->day))
ngx_status_html_text(page_known_quarter,
    ngx_status_html_known(scratch, &page->quarter))
ngx_status_html_flag(page_part_day, ngx_status_html_part(&page->day))
ngx_status_html_flag(page_part_quarter, ngx_status_html_part(&page->quarter))


ngx_status_html_flag(page_is_empty, page->nchecks == 0)
ngx_status_html_flag(page_filtered,
    page->ask->team != NULL || page->ask->group != NULL)


static void *
page_counts(void *view, void *prev)
{
    ngx_status_html_t  *page = view;

    /* up first, unknown last: the table is in order but for its first */

    page->count = prev ? page->count + 1 : 1;

    while (page->count <= NGX_STATUS_NSTATES
           && page->sum.counts[page->count % NGX_STATUS_NSTATES] == 0)
    {
        page->count++;
    }

    return page->count <= NGX_STATUS_NSTATES ? page : NULL;
}


ngx_status_html_text(count_n,
    ngx_status_html_count(scratch,
                          page->sum.counts[page->count % NGX_STATUS_NSTATES]))
ngx_status_html_text(count_state,
    ngx_status_states[page->count % NGX_STATUS_NSTATES].name)
ngx_status_html_text(count_word,
    ngx_status_states[page->count % NGX_STATUS_NSTATES].title)


/* Filters are worth their place only where there is a choice; files have
 * none, because nobody makes the page that was chosen. */

static ngx_uint_t
page_has_filters(void *view)
{
    ngx_uint_t                   i, n;
    ngx_status_html_t           *page = view;
    const ngx_status_monitor_t  *monitor;

    monitor = page->snapshot->monitor;

    if (page->ask->every) {
        return 0;
    }

    for (i = 0, n = 0; i < monitor->ngroups; i++) {
        n += (monitor->groups[i].n != 0);
    }

    return n > 1 || monitor->nteams != 0;
}


static void *
page_group_chips(void *view, void *prev)
{
    ngx_status_html_t           *page = view;
    const ngx_status_monitor_t  *monitor;

    monitor = page->snapshot->monitor;
    page->chip = prev ? page->chip + 1 : 0;

    while (page->chip < monitor->ngroups
           && (monitor->groups[page->chip].title.len == 0
               || monitor->groups[page->chip].n == 0))
    {
        page->chip++;
    }

    return page->chip < monitor->ngroups ? page : NULL;
}


ngx_status_html_text(group_chip_title,
    page->snapshot->monitor->groups[page->chip].title)
ngx_status_html_flag(group_chip_current,
    page->ask->group == &page->snapshot->monitor->groups[page->chip])


/* the link of a chip that is chosen undoes it */

static void
group_chip_link(void *view, ngx_status_out_t *out)
{
    ngx_status_html_t  *page = view;

    ngx_status_html_query(page, out,
            group_chip_current(view)
                ? NULL : &page->snapshot->monitor->groups[page->chip].title,
            page->ask->team);
}


static void *
page_team_chips(void *view, void *prev)
{
    ngx_status_html_t  *page = view;

    page->chip = prev ? page->chip + 1 : 0;

    return page->chip < page->snapshot->monitor->nteams ? page : NULL;
}


ngx_status_html_text(team_chip_title,
    page->snapshot->monitor->teams[page->chip])


static ngx_uint_t
team_chip_current(void *view)
{
    ngx_str_t          *team;
    ngx_status_html_t  *page = view;

    team = &page->snapshot->monitor->teams[page->chip];

    return page->ask->team && page->ask->team->len == team->len
           && memcmp(page->ask->team->data, team->data, team->len) == 0;
}


static void
team_chip_link(void *view, ngx_status_out_t *out)
{
    ngx_status_html_t  *page = view;

    ngx_status_html_query(page, out,
            page->ask->group ? &page->ask->group->title : NULL,
            team_chip_current(view)
                ? NULL : &page->snapshot->monitor->teams[page->chip]);
}


/* troubles on top help once they do not fit the window */

ngx_status_html_flag(page_has_troubles,
    page->snapshot->alive && page->ntroubles && page->nchecks > 20)


static void *
page_troubles(void *view, void *prev)
{
    ngx_status_html_t  *page = view;

    page->trouble = prev ? page->trouble + 1 : 0;

    if (page->trouble < ngx_min(page->ntroubles, NGX_STATUS_HTML_TROUBLES)) {
        return ngx_status_html_check(page, page->troubles[page->trouble]);
    }

    return NULL;
}


ngx_status_html_text(page_more_troubles,
    page->ntroubles > NGX_STATUS_HTML_TROUBLES
    ? ngx_status_html_count(scratch,
                            page->ntroubles - NGX_STATUS_HTML_TROUBLES)
    : ngx_status_html_string(""))


/* groups with checks in the selection */

static void *
page_groups(void *view, void *prev)
{
    ngx_uint_t                   i;
    ngx_status_sum_t             sum;
    ngx_status_html_t           *page = view;
    const ngx_status_view_t     *v;
    const ngx_status_group_t    *group;
    const ngx_status_monitor_t  *monitor;

    monitor = page->snapshot->monitor;

    for (page->group = prev ? page->group + 1 : 0;
         page->group < monitor->ngroups;
         page->group++)
    {
        group = &monitor->groups[page->group];

        memset(&sum, 0, sizeof(ngx_status_sum_t));
        page->group_rows = 0;
        page->group_cards = 0;
        memset(&page->group_day, 0, sizeof(ngx_status_uptime_t));
        memset(&page->group_quarter, 0, sizeof(ngx_status_uptime_t));

        for (i = group->first; i < group->first + group->n; i++) {
            v = &page->snapshot->views[i];

            if (ngx_status_asked(page->snapshot, page->ask, v)) {
                ngx_status_sum_add(&sum, v->state, v->check->core);
                ngx_status_uptime_add(&page->group_day, v,
                                      NGX_STATUS_HTML_DAY);
                ngx_status_uptime_add(&page->group_quarter, v,
                                      NGX_STATUS_HTML_QUARTER);

                if (v->check->score) {
                    page->group_cards++;

                } else {
                    page->group_rows++;
                }
            }
        }

        if (page->group_rows + page->group_cards) {
            page->group_state = ngx_status_sum_state(&sum);
            return page;
        }
    }

    return NULL;
}


ngx_status_html_text(group_title,
    page->snapshot->monitor->groups[page->group].title)
ngx_status_html_text(group_state, ngx_status_states[page->group_state].name)
ngx_status_html_text(group_word, ngx_status_states[page->group_state].title)
ngx_status_html_text(group_mark, ngx_status_states[page->group_state].mark)
ngx_status_html_flag(group_many, page->group_rows + page->group_cards > 1)
ngx_status_html_text(group_uptime_day,
    ngx_status_html_uptime(scratch, &page->group_day))
ngx_status_html_text(group_uptime_quarter,
    ngx_status_html_uptime(scratch, &page->group_quarter))
ngx_status_html_text(group_known_day,
    ngx_status_html_known(scratch, &page->group_day))
ngx_status_html_text(group_known_quarter,
    ngx_status_html_known(scratch, &page->group_quarter))
ngx_status_html_flag(group_part_day, ngx_status_html_part(&page->group_day))
ngx_status_html_flag(group_part_quarter,
    ngx_status_html_part(&page->group_quarter))
ngx_status_html_flag(group_has_rows, page->group_rows != 0)
ngx_status_html_flag(group_has_cards, page->group_cards != 0)


/* the group's next check after "prev" that is, or is not, a score card */

static void *
group_next(ngx_status_html_t *page, void *prev, ngx_uint_t card)
{
    const ngx_status_view_t   *v, *last;
    const ngx_status_group_t  *group;

    group = &page->snapshot->monitor->groups[page->group];

    v = prev ? page->view + 1 : page->snapshot->views + group->first;
    last = page->snapshot->views + group->first + group->n;

    for ( /* void */ ; v < last; v++) {
        if ((v->check->score != NULL) == card
            && ngx_status_asked(page->snapshot, page->ask, v))
        {
            return ngx_status_html_check(page, v);
        }
    }

    return NULL;
}


static void *
group_rows(void *view, void *prev)
{
    return group_next(view, prev, 0);
}


static void *
group_cards(void *view, void *prev)
{
    return group_next(view, prev, 1);
}


static const ngx_status_field_t  ngx_status_html_count_fields[] = {
    { .name = ngx_string("count"), .text = count_n },
    { .name = ngx_string("count_state"), .text = count_state },
    { .name = ngx_string("count_word"), .text = count_word },
    { .name = ngx_null_string }
};


static const ngx_status_field_t  ngx_status_html_group_chip_fields[] = {
    { .name = ngx_string("chip"), .text = group_chip_title },
    { .name = ngx_string("chip_link"), .write = group_chip_link },
    { .name = ngx_string("chosen"), .flag = group_chip_current },
    { .name = ngx_null_string }
};


static const ngx_status_field_t  ngx_status_html_team_chip_fields[] = {
    { .name = ngx_string("chip"), .text = team_chip_title },
    { .name = ngx_string("chip_link"), .write = team_chip_link },
    { .name = ngx_string("chosen"), .flag = team_chip_current },
    { .name = ngx_null_string }
};


static const ngx_status_field_t  ngx_status_html_group_fields[] = {
    { .name = ngx_string("group"), .text = group_title },
    { .name = ngx_string("group_state"), .text = group_state },
    { .name = ngx_string("group_word"), .text = group_word },
    { .name = ngx_string("group_mark"), .text = group_mark },
    { .name = ngx_string("group_many"), .flag = group_many },
    { .name = ngx_string("group_uptime_day"), .text = group_uptime_day },
    { .name = ngx_string("group_uptime_quarter"),
      .text = group_uptime_quarter },
    { .name = ngx_string("group_known_day"), .text = group_known_day },
    { .name = ngx_string("group_known_quarter"), .text = group_known_quarter },
    { .name = ngx_string("group_part_day"), .flag = group_part_day },
    { .name = ngx_string("group_part_quarter"), .flag = group_part_quarter },
    { .name = ngx_string("has_rows"), .flag = group_has_rows },
    { .name = ngx_string("rows"), .list = group_rows,
      .fields = ngx_status_html_check_fields },
    { .name = ngx_string("has_cards"), .flag = group_has_cards },
    { .name = ngx_string("cards"), .list = group_cards,
      .fields = ngx_status_html_check_fields },
    { .name = ngx_null_string }
};


#define NGX_STATUS_HTML_COMMON                                               \
    { .name = ngx_string("monitor"), .text = page_monitor },                 \
    { .name = ngx_string("name"), .text = page_name },                       \
    { .name = ngx_string("base"), .text = page_base },                       \
    { .name = ngx_string("home"), .write = page_home },                      \
    { .name = ngx_string("refresh"), .text = page_refresh },                 \
    { .name = ngx_string("style_hash"), .text = page_style_hash },           \
    { .name = ngx_string("script_hash"), .text = page_script_hash },         \
    { .name = ngx_string("icon_hash"), .text = page_icon_hash },             \
    { .name = ngx_string("internal"), .flag = page_internal },               \
    { .name = ngx_string("dead"), .flag = page_dead },                       \
    { .name = ngx_string("has_heartbeat"), .flag = page_has_heartbeat },     \
    { .name = ngx_string("offline"), .flag = page_offline },                 \
    { .name = ngx_string("offline_since"), .write = page_offline_since },    \
    { .name = ngx_string("store_failed"), .flag = page_store_failed },       \
    { .name = ngx_string("store_message"), .text = page_store_message },     \
    { .name = ngx_string("store_lost"), .text = page_store_lost },           \
    { .name = ngx_string("archive_failed"), .flag = page_archive_failed },   \
    { .name = ngx_string("archive_message"), .text = page_archive_message }, \
    { .name = ngx_string("archive_lost"), .text = page_archive_lost },       \
    { .name = ngx_string("export_failed"), .flag = page_export_failed },     \
    { .name = ngx_string("export_message"), .text = page_export_message },   \
    { .name = ngx_string("pushes_lost"), .text = page_pushes_lost },         \
    { .name = ngx_string("heartbeat"), .write = page_heartbeat },            \
    { .name = ngx_string("has_newest"), .flag = page_has_newest },           \
    { .name = ngx_string("newest"), .write = page_newest },                  \
    { .name = ngx_string("exported"), .flag = page_exported },               \
    { .name = ngx_string("has_until"), .flag = page_has_until },             \
    { .name = ngx_string("until"), .write = page_until },                    \
    { .name = ngx_string("is_down"), .flag = page_is_down },                 \
    { .name = ngx_string("is_degraded"), .flag = page_is_degraded }


/* the one check of its page, as a list so that it opens a scope */

static void *
page_check(void *view, void *prev)
{
    return prev ? NULL : view;
}


const ngx_status_field_t  ngx_status_html_page_fields[] = {

    NGX_STATUS_HTML_COMMON,

    { .name = ngx_string("state"), .text = page_state },
    { .name = ngx_string("word"), .text = page_word },
    { .name = ngx_string("mark"), .text = page_mark },
    { .name = ngx_string("sentence"), .text = page_sentence },
    { .name = ngx_string("counts"), .list = page_counts,
      .fields = ngx_status_html_count_fields },

    { .name = ngx_string("has_uptime"), .flag = page_has_uptime },
    { .name = ngx_string("all_uptime_day"), .text = page_uptime_day },
    { .name = ngx_string("all_uptime_quarter"), .text = page_uptime_quarter },
    { .name = ngx_string("all_known_day"), .text = page_known_day },
    { .name = ngx_string("all_known_quarter"), .text = page_known_quarter },
    { .name = ngx_string("all_part_day"), .flag = page_part_day },
    { .name = ngx_string("all_part_quarter"), .flag = page_part_quarter },

    { .name = ngx_string("filtered"), .flag = page_filtered },
    { .name = ngx_string("filter_group"), .text = page_filter_group },
    { .name = ngx_string("filter_team"), .text = page_filter_team },
    { .name = ngx_string("has_filters"), .flag = page_has_filters },
    { .name = ngx_string("group_chips"), .list = page_group_chips,
      .fields = ngx_status_html_group_chip_fields },
    { .name = ngx_string("team_chips"), .list = page_team_chips,
      .fields = ngx_status_html_team_chip_fields },

    { .name = ngx_string("has_troubles"), .flag = page_has_troubles },
    { .name = ngx_string("troubles"), .list = page_troubles,
      .fields = ngx_status_html_check_fields },
    { .name = ngx_string("more_troubles"), .text = page_more_troubles },

    { .name = ngx_string("is_empty"), .flag = page_is_empty },
    { .name = ngx_string("groups"), .list = page_groups,
      .fields = ngx_status_html_group_fields },

    { .name = ngx_null_string }
};


const ngx_status_field_t  ngx_status_html_detail_fields[] = {

    NGX_STATUS_HTML_COMMON,

    { .name = ngx_string("check"), .list = page_check,
      .fields = ngx_status_html_check_fields },

    { .name = ngx_null_string }
};


static ngx_str_t
ngx_status_html_hash(const char *name)
{
    ngx_str_t                  s;
    const ngx_status_asset_t  *asset;

    s.data = (u_char *) "";
    s.len = 0;

    for (asset = ngx_status_assets; asset->name.len; asset++) {
        if (asset->name.len == strlen(name)
            && memcmp(asset->name.data, name, asset->name.len) == 0)
        {
            s.data = (u_char *) asset->hash;
            s.len = strlen(asset->hash);
            break;
        }
    }

    return s;
}
