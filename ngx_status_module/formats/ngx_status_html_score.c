
/*
 * Copyright (C) ngx_status_module authors
 *
 * The score card of a check: the last score, what it was before, its parts.
 */


#include "ngx_status_html.h"
#include <math.h>


static const double *ngx_status_html_series(const ngx_status_html_t *page,
    ngx_uint_t *n);


/* A list of one, so that it opens a scope; of none without "score". */

void *
ngx_status_html_card(void *view, void *prev)
{
    ngx_status_html_t  *page = view;

    return prev == NULL && page->view->check->score ? page : NULL;
}


ngx_status_html_flag(card_has_score,
    page->record->card.at != 0
    && isfinite(page->record->card.last.value))
ngx_status_html_text(card_score,
    ngx_status_html_decimal(scratch, page->record->card.last.value))
ngx_status_html_text(card_grade,
    ngx_status_html_string(page->record->card.last.grade))


static ngx_str_t
card_level(void *view, u_char *scratch)
{
    ngx_uint_t  level;

    (void) scratch;

    level = ((ngx_status_html_t *) view)->record->card.level;

    return ngx_status_levels[level < NGX_STATUS_NLEVELS ? level
                                                        : NGX_STATUS_NEUTRAL];
}


ngx_status_html_flag(card_alarming,
    page->record->card.level >= NGX_STATUS_WARNING)


static ngx_str_t
card_delta(void *view, u_char *scratch)
{
    double       delta;
    const char  *sign;
    ngx_str_t    s;

    delta = ((ngx_status_html_t *) view)->record->card.delta;

    if (!isfinite(delta)) {
        return ngx_status_html_string("");
    }

    if (delta == 0) {
        return ngx_status_html_string("\xc2\xb1" "0");         /* plus minus */
    }

    /* triangle down, triangle up */
    sign = (delta < 0) ? "\xe2\x96\xbc " : "\xe2\x96\xb2 ";

    memcpy(scratch, sign, 4);
    s = ngx_status_html_decimal(scratch + 4, fabs(delta));

    s.data = scratch;
    s.len += 4;

    return s;
}


static ngx_str_t
card_previous(void *view, u_char *scratch)
{
    double  previous;

    previous = ((ngx_status_html_t *) view)->record->card.previous;

    return isfinite(previous) ? ngx_status_html_decimal(scratch, previous)
                              : ngx_status_html_string("");
}


static void
card_score_line(void *view, ngx_status_out_t *out)
{
    ngx_uint_t     n;
    const double  *scores;

    scores = ngx_status_html_series(view, &n);
    ngx_status_svg_scores(out, scores, n, 0);
}


static void
card_score_dot(void *view, ngx_status_out_t *out)
{
    ngx_uint_t     n;
    const double  *scores;

    scores = ngx_status_html_series(view, &n);
    ngx_status_svg_scores(out, scores, n, 1);
}


static ngx_str_t
card_score_text(void *view, u_char *scratch)
{
    int            len;
    double         low, high;
    ngx_uint_t     i, n;
    const double  *scores;

    scores = ngx_status_html_series(view, &n);
    low = INFINITY;
    high = -INFINITY;

    for (i = 0; i < n; i++) {
        if (isfinite(scores[i])) {
            low = fmin(low, scores[i]);
            high = fmax(high, scores[i]);
        }
    }

    if (low > high) {
        return ngx_status_html_string("no scores");
    }

    len = snprintf((char *) scratch, NGX_STATUS_SCRATCH,
                   "newest %u score%s, from %.6g to %.6g", (unsigned) n,
                   n == 1 ? "" : "s", low, high);

    return ngx_status_html_cut(scratch, scratch + len);
}


ngx_status_html_write(card_scored,
    ngx_status_html_time(page, out, page->record->card.at,
                         NGX_STATUS_HTML_MINUTE))
ngx_status_html_flag(card_stale_score, page->record->card.stale != 0)
ngx_status_html_text(card_score_error,
    ngx_status_html_string(page->ask->internal && page->record->card.stale
                           ? page->record->last.message : ""))


static void *
card_categories(void *view, void *prev)
{
    ngx_uint_t          n;
    ngx_status_html_t  *page = view;

    n = ngx_min(page->record->card.last.ncategories,
                NGX_STATUS_CATEGORIES);

    page->category = prev ? page->category + 1 : 0;

    return page->category < n ? page : NULL;
}


static const ngx_status_category_t *
category_of(void *view)
{
    ngx_status_html_t  *page = view;

    return &page->record->card.last.categories[page->category];
}


ngx_status_html_text(category_name,
    ngx_status_html_string(category_of(page)->name))
ngx_status_html_text(category_value,
    ngx_status_html_decimal(scratch, category_of(page)->value))


/* width in 0..100, for values that look like one of those */

static ngx_str_t
category_bar(void *view, u_char *scratch)
{
    double  value;

    value = category_of(view)->value;

    if (!(value >= 0 && value <= 100)) {
        return ngx_status_html_string("");
    }

    return ngx_status_html_count(scratch, (uint64_t) (value + 0.5));
}


static const ngx_status_field_t  ngx_status_html_category_fields[] = {
    { .name = ngx_string("category"), .text = category_name },
    { .name = ngx_string("category_value"), .text = category_value },
    { .name = ngx_string("category_bar"), .text = category_bar },
    { .name = ngx_null_string }
};


const ngx_status_field_t  ngx_status_html_card_fields[] = {
    { .name = ngx_string("has_score"), .flag = card_has_score },
    { .name = ngx_string("score"), .text = card_score },
    { .name = ngx_string("grade"), .text = card_grade },
    { .name = ngx_string("level"), .text = card_level },
    { .name = ngx_string("alarming"), .flag = card_alarming },
    { .name = ngx_string("delta"), .text = card_delta },
    { .name = ngx_string("previous"), .text = card_previous },
    { .name = ngx_string("score_line"), .write = card_score_line },
    { .name = ngx_string("score_dot"), .write = card_score_dot },
    { .name = ngx_string("score_text"), .text = card_score_text },
    { .name = ngx_string("scored"), .write = card_scored },
    { .name = ngx_string("stale_score"), .flag = card_stale_score },
    { .name = ngx_string("score_error"), .text = card_score_error },
    { .name = ngx_string("categories"), .list = card_categories,
      .fields = ngx_status_html_category_fields },
    { .name = ngx_null_string }
};


static const double *
ngx_status_html_series(const ngx_status_html_t *page, ngx_uint_t *n)
{
    const ngx_status_card_t  *card;

    card = &page->record->card;

    *n = ngx_min(card->nscores, NGX_STATUS_SCORES);
    return card->scores;
}
