
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_http.h"
#include <math.h>


static ngx_int_t ngx_status_http_number(const ngx_status_json_match_t *m,
    double *number);


void
ngx_status_http_score(const ngx_status_check_t *check,
    ngx_status_json_t *json, ngx_status_score_t *score)
{
    double                          number;
    ngx_uint_t                      i, n, total;
    ngx_status_category_t          *c;
    ngx_status_http_conf_t         *conf;
    const ngx_status_json_match_t  *m;

    conf = check->conf;

    if (*ngx_status_json_error(json)) {
        /* what stood before the mistake is not believed either */
        return;
    }

    m = ngx_status_json_matches(json, conf->score, &n, &total);

    if (n && ngx_status_http_number(&m[0], &number) == NGX_OK) {
        score->value = number * check->scale;
    }

    if (check->grade) {
        m = ngx_status_json_matches(json, conf->grade, &n, &total);

        if (n && (m[0].type == NGX_STATUS_JSON_TEXT
                  || m[0].type == NGX_STATUS_JSON_NUMBER))
        {
            ngx_status_text_copy(score->grade, NGX_STATUS_GRADE,
                                 m[0].text.data, m[0].text.len);
        }
    }

    if (check->categories) {
        m = ngx_status_json_matches(json, conf->categories, &n, &total);

        for (i = 0; i < n && score->ncategories < NGX_STATUS_CATEGORIES; i++) {

            if (ngx_status_http_number(&m[i], &number) != NGX_OK) {
                continue;
            }

            c = &score->categories[score->ncategories++];
            c->value = number * check->categories_scale;
            ngx_status_text_copy(c->name, NGX_STATUS_CATEGORY,
                                 m[i].key.data, m[i].key.len);
        }
    }
}


/*
 * A score counts when the check holds otherwise: what an error page says of
 * scores is not believed.  One that does not come is a failure.
 */

void
ngx_status_http_score_judge(ngx_status_probe_t *probe, ngx_status_json_t *json,
    ngx_uint_t body_cut, const ngx_status_score_t *score)
{
    const char                     *what;
    ngx_uint_t                      n, total;
    ngx_status_result_t            *result;
    ngx_status_http_conf_t         *conf;
    const ngx_status_json_match_t  *m;

    conf = probe->check->conf;
    result = &probe->result;

    if (result->state != NGX_STATUS_UP && result->state != NGX_STATUS_DEGRADED
        && result->error != NGX_STATUS_E_SCORE)
    {
        return;
    }

    if (!isnan(score->value)) {
        probe->score = *score;
        return;
    }

    if (result->error == NGX_STATUS_E_SCORE
        && result->state == NGX_STATUS_DOWN)
    {
        return;
    }

    result->state = NGX_STATUS_DOWN;
    result->error = NGX_STATUS_E_SCORE;

    what = ngx_status_json_error(json);

    if (*what) {
        ngx_status_message(result->message, "no score: %.150s", what);
        return;
    }

    m = ngx_status_json_matches(json, conf->score, &n, &total);

    switch (n ? m[0].type : NGX_STATUS_JSON_NULL) {

    case NGX_STATUS_JSON_NULL:
        ngx_status_message(result->message, n
                           ? "score is null, expected a number"
                           : body_cut
                           ? "no score: nothing matches within max_body"
                           : "no score: nothing matches");
        break;

    case NGX_STATUS_JSON_TEXT:
        ngx_status_message(result->message,
                           "score is \"%.*s\", expected a number",
                           (int) ngx_min(m[0].text.len, 60), m[0].text.data);
        break;

    default:
        ngx_status_message(result->message,
                           "score is %s, expected a number",
                           m[0].type == NGX_STATUS_JSON_BOOL ? "a boolean"
                           : m[0].type == NGX_STATUS_JSON_ARRAY ? "an array"
                           : m[0].type == NGX_STATUS_JSON_OBJECT ? "an object"
                           : "out of range");
    }
}


void
ngx_status_http_score_series(const ngx_status_check_t *check,
    ngx_status_json_t *json, ngx_status_score_t *score)
{
    double                          number;
    ngx_uint_t                      i, n, total;
    const ngx_status_json_match_t  *m;

    m = ngx_status_json_matches(json, 0, &n, &total);

    if (total > n) {
        /* the newest are not among those kept: better none than old ones */
        return;
    }

    i = n > NGX_STATUS_SCORES ? n - NGX_STATUS_SCORES : 0;

    for ( /* void */ ; i < n; i++) {
        if (ngx_status_http_number(&m[i], &number) == NGX_OK) {
            score->series[score->nseries++] = number * check->scale;
        }
    }
}


static ngx_int_t
ngx_status_http_number(const ngx_status_json_match_t *m, double *number)
{
    char    buf[64], *end;
    size_t  n;

    if (m->type == NGX_STATUS_JSON_NUMBER) {
        *number = m->number;

    } else if (m->type == NGX_STATUS_JSON_TEXT) {

        /* "92"; but neither " 92" nor "0x5c", "inf", "nan" of strtod() */

        n = m->text.len;

        if (n == 0 || n >= sizeof(buf)) {
            return NGX_ERROR;
        }

        ngx_memcpy(buf, m->text.data, n);
        buf[n] = '\0';

        *number = strtod(buf, &end);

        if (end != buf + n || strspn(buf, "+-.eE0123456789") != n) {
            return NGX_ERROR;
        }

    } else {
        return NGX_ERROR;
    }

    return isfinite(*number) ? NGX_OK : NGX_ERROR;
}
