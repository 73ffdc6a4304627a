
/*
 * Copyright (C) ngx_status_module authors
 *
 * Tries the steps of JSON paths with the values of a document.
 */


#include "ngx_status_json.h"


/* Tries of one level; each costs time with each of its children. */
#define NGX_STATUS_JSON_TRIES    64


static double
ngx_status_json_double(const ngx_status_json_seen_t *seen)
{
    double  number;

    number = seen->number;

    if (seen->type == NGX_STATUS_JSON_NUMBER) {
        (void) ngx_status_json_number(seen->text, seen->len, &number);
    }

    return number;
}


/* Whether a value, NULL for none, passes a filter. */

static ngx_uint_t
ngx_status_json_passes(const ngx_status_json_step_t *step,
    const ngx_status_json_seen_t *seen)
{
    int                             order;
    double                          number;
    ngx_uint_t                      equal, less, greater;
    const ngx_status_json_value_t  *value;

    value = &step->value;

    if (step->op == NGX_STATUS_JSON_EXISTS) {
        return seen != NULL;
    }

    equal = less = greater = 0;

    if (seen && seen->type == value->type) {

        switch (value->type) {

        case NGX_STATUS_JSON_NUMBER:
            number = ngx_status_json_double(seen);
            less = number < value->number;
            greater = number > value->number;
            equal = number == value->number;
            break;

        case NGX_STATUS_JSON_TEXT:
            order = memcmp(seen->text, value->text.data,
                           ngx_min(seen->len, value->text.len));

            if (order == 0) {
                order = (seen->len > value->text.len)
                        - (seen->len < value->text.len);
            }

            less = order < 0;
            greater = order > 0;
            equal = order == 0;
            break;

        case NGX_STATUS_JSON_BOOL:
            equal = seen->number == value->number;
            break;

        default:
            equal = 1;                   /* null */
            break;
        }
    }

    switch (step->op) {

    case NGX_STATUS_JSON_EQ:
        return equal;

    case NGX_STATUS_JSON_NE:
        return !equal;

    case NGX_STATUS_JSON_LT:
        return less;

    case NGX_STATUS_JSON_LE:
        return less || equal;

    case NGX_STATUS_JSON_GT:
        return greater;

    default: /* NGX_STATUS_JSON_GE */
        return greater || equal;
    }
}


/* The steps of a value. */

static int
ngx_status_json_match(ngx_status_json_t *j, const ngx_status_json_try_t *t,
    const ngx_status_json_seen_t *seen)
{
    u_char                         *p;
    size_t                          len;
    const u_char                   *name;
    ngx_status_json_list_t         *list;
    ngx_status_json_match_t         m;
    const ngx_status_json_level_t  *level;

    list = t->wait ? &t->wait->found : &j->lists[t->path];

    if (list->n == NGX_STATUS_JSON_MATCHES) {
        list->more += list->v[list->n - 1].place != j->place;
        return 1;
    }

    if (t->key) {
        level = &j->levels[t->key];
        name = level->name;
        len = level->len;

    } else {
        name = j->paths[t->path]->last.data;
        len = j->paths[t->path]->last.len;
    }

    m.type = seen->type;
    m.number = ngx_status_json_double(seen);
    m.cut = seen->len > NGX_STATUS_JSON_STRING;
    m.place = j->place;
    m.key.len = ngx_min(len, NGX_STATUS_JSON_STRING);
    m.text.len = seen->len;

    if (m.cut) {
        /* not in the middle of a character */

        m.text.len = NGX_STATUS_JSON_STRING;

        while ((seen->text[m.text.len] & 0xc0) == 0x80) {
            m.text.len--;
        }
    }

    p = ngx_status_json_alloc(j, NULL, 0, m.key.len + m.text.len + 2);
    if (p == NULL) {
        return 0;
    }

    m.key.data = p;
    m.text.data = p + m.key.len + 1;

    if (m.key.len) {
        memcpy(m.key.data, name, m.key.len);
    }

    if (m.text.len) {
        memcpy(m.text.data, seen->text, m.text.len);
    }

    m.key.data[m.key.len] = '\0';
    m.text.data[m.text.len] = '\0';

    return ngx_status_json_insert(j, list, &m) == NGX_OK;
}


/*
 * A value is to be tried with t from "first" on: either it is a match, or
 * its children will be tried.  Of two ways to the same step the one that
 * depends on less is kept.
 */

static int
ngx_status_json_push(ngx_status_json_t *j, ngx_uint_t first,
    const ngx_status_json_try_t *t, const ngx_status_json_seen_t *seen)
{
    ngx_uint_t               i;
    ngx_status_json_try_t   *o;
    ngx_status_json_wait_t  *w;

    if (t->step == j->paths[t->path]->nsteps) {
        return ngx_status_json_match(j, t, seen);
    }

    if (seen->type < NGX_STATUS_JSON_OBJECT) {
        return 1;
    }

    for (i = first; i < j->ntries; i++) {
        o = &j->tries[i];

        if (o->path != t->path || o->step != t->step) {
            continue;
        }

        for (w = t->wait; w != o->wait && w; w = w->around) { /* void */ }

        if (w == o->wait) {
            o->key = ngx_max(o->key, t->key);
            return 1;
        }

        for (w = o->wait; w != t->wait && w; w = w->around) { /* void */ }

        if (w == t->wait) {
            o->wait = t->wait;
            o->key = ngx_max(o->key, t->key);
            return 1;
        }
    }

    if (j->ntries - first == NGX_STATUS_JSON_TRIES) {
        j->reason = "too many ways through it";
        return 0;
    }

    if (ngx_status_json_room(j, (void **) &j->tries,
                             sizeof(ngx_status_json_try_t), j->ntries,
                             &j->tries_size)
        != NGX_OK)
    {
        return 0;
    }

    j->tries[j->ntries++] = *t;

    return 1;
}


static int
ngx_status_json_walk(ngx_status_json_t *j, const ngx_status_json_step_t *step,
    ngx_uint_t done, ngx_status_json_wait_t *wait)
{
    ngx_status_json_walk_t  *walk;

    if (ngx_status_json_room(j, (void **) &j->walks,
                             sizeof(ngx_status_json_walk_t), j->nwalks,
                             &j->walks_size)
        != NGX_OK)
    {
        return 0;
    }

    walk = &j->walks[j->nwalks++];
    walk->step = step;
    walk->done = done;
    walk->wait = wait;

    return 1;
}


/* Child number level->n is a candidate for a negative index. */

static ngx_status_json_wait_t *
ngx_status_json_ring(ngx_status_json_t *j, ngx_uint_t i, ngx_uint_t n,
    ngx_uint_t back)
{
    ngx_status_json_try_t    *t;
    ngx_status_json_wait_t  **slot;

    t = &j->tries[i];

    if (t->ring == NULL) {
        t->ring = ngx_status_json_alloc(j, NULL, 0, back * sizeof(void *));
        if (t->ring == NULL) {
            return NULL;
        }

        memset(t->ring, 0, back * sizeof(void *));
    }

    slot = &t->ring[n % back];

    ngx_status_json_end_wait(j, *slot);  /* it is too far from the end */
    *slot = ngx_status_json_wait(j, t);

    return *slot;
}


/* Tries the step of try i with a child of the current level. */

static int
ngx_status_json_try(ngx_status_json_t *j, ngx_uint_t i, ngx_uint_t first,
    const ngx_status_json_seen_t *seen)
{
    ngx_status_json_try_t          t;
    ngx_status_json_wait_t        *wait;
    ngx_status_json_level_t       *level;
    const ngx_status_json_step_t  *step;

    level = &j->levels[j->depth];

    t = j->tries[i];
    t.ring = NULL;
    t.wait = ngx_status_json_undecided(t.wait);

    if (t.wait && t.wait->state == NGX_STATUS_JSON_FAILS) {
        return 1;
    }

    step = &j->paths[t.path]->steps[t.step];

    if (step->descend) {
        wait = t.wait;
        t.key = level->object ? j->depth : t.key;

        if (!ngx_status_json_push(j, first, &t, seen)) {
            return 0;
        }

        t = j->tries[i];
        t.ring = NULL;
        t.wait = wait;
    }

    t.step++;

    switch (step->kind) {

    case NGX_STATUS_JSON_NAME:

        if (!level->object || level->len != step->name.len
            || memcmp(level->name, step->name.data, level->len) != 0)
        {
            return 1;
        }

        break;

    case NGX_STATUS_JSON_INDEX:

        if (level->object) {
            return 1;
        }

        if (step->index < 0) {
            t.wait = ngx_status_json_ring(j, i, level->n,
                                          (ngx_uint_t) -step->index);
            if (t.wait == NULL) {
                return 0;
            }

        } else if (level->n != (ngx_uint_t) step->index) {
            return 1;
        }

        break;

    case NGX_STATUS_JSON_ALL:
        t.key = level->object ? j->depth : t.key;
        break;

    default: /* NGX_STATUS_JSON_FILTER */
        t.key = level->object ? j->depth : t.key;

        if (step->nchain == 0) {
            if (!ngx_status_json_passes(step, seen)) {
                return 1;
            }

            break;
        }

        if (seen->type != NGX_STATUS_JSON_OBJECT) {
            if (!ngx_status_json_passes(step, NULL)) {
                return 1;
            }

            break;
        }

        wait = ngx_status_json_wait(j, &t);
        if (wait == NULL) {
            return 0;
        }

        if (!ngx_status_json_walk(j, step, 0, wait)) {
            ngx_status_json_end_wait(j, wait);
            return 0;
        }

        t.wait = wait;
        break;
    }

    return ngx_status_json_push(j, first, &t, seen);
}


/* A value begins, or is there. */

int
ngx_status_json_value(ngx_status_json_t *j, const ngx_status_json_seen_t *seen)
{
    ngx_uint_t               i, tries, walks, container;
    ngx_status_json_try_t    t;
    ngx_status_json_walk_t   walk;
    ngx_status_json_level_t *level;

    tries = j->ntries;
    walks = j->nwalks;
    level = &j->levels[j->depth];
    container = seen->type >= NGX_STATUS_JSON_OBJECT;

    if (container && j->depth == NGX_STATUS_JSON_DEPTH) {
        j->reason = "too many levels deep";
        return 0;
    }

    if (j->depth == 0) {

        for (i = 0; i < j->npaths; i++) {
            memset(&t, 0, sizeof(ngx_status_json_try_t));
            t.path = i;

            if (!ngx_status_json_push(j, tries, &t, seen)) {
                return 0;
            }
        }

    } else {

        for (i = level->tries; i < tries; i++) {
            if (!ngx_status_json_try(j, i, tries, seen)) {
                return 0;
            }
        }

        for (i = level->walks; i < walks; i++) {
            walk = j->walks[i];

            if (walk.wait->state != NGX_STATUS_JSON_OPEN
                || level->len != walk.step->chain[walk.done].len
                || memcmp(level->name, walk.step->chain[walk.done].data,
                          level->len) != 0)
            {
                continue;
            }

            if (++walk.done == walk.step->nchain) {
                if (ngx_status_json_settle(j, walk.wait,
                                    ngx_status_json_passes(walk.step, seen))
                    != NGX_OK)
                {
                    return 0;
                }

            } else if (seen->type == NGX_STATUS_JSON_OBJECT
                       && !ngx_status_json_walk(j, walk.step, walk.done,
                                                walk.wait))
            {
                return 0;
            }
        }
    }

    j->place++;
    level->n++;

    if (container) {
        level = &j->levels[++j->depth];
        level->object = seen->type == NGX_STATUS_JSON_OBJECT;
        level->n = 0;
        level->tries = tries;
        level->walks = walks;
    }

    return 1;
}


int
ngx_status_json_close(ngx_status_json_t *j)
{
    int                            rc;
    ngx_uint_t                     i, k, back;
    ngx_status_json_try_t         *t;
    ngx_status_json_walk_t        *walk;
    ngx_status_json_level_t       *level;
    const ngx_status_json_step_t  *step;

    rc = 1;
    level = &j->levels[j->depth];

    for (i = level->tries; i < j->ntries; i++) {
        t = &j->tries[i];

        if (t->ring == NULL) {
            continue;
        }

        step = &j->paths[t->path]->steps[t->step];
        back = (ngx_uint_t) -step->index;

        for (k = 0; k < back; k++) {
            if (t->ring[k] && level->n >= back && k == level->n % back
                && ngx_status_json_settle(j, t->ring[k], 1) != NGX_OK)
            {
                rc = 0;
            }

            ngx_status_json_end_wait(j, t->ring[k]);
        }

        ngx_status_json_release(j, t->ring, back * sizeof(void *));
        t->ring = NULL;
    }

    for (i = level->walks; i < j->nwalks; i++) {
        walk = &j->walks[i];

        if (walk->done) {
            continue;
        }

        if (walk->wait->state == NGX_STATUS_JSON_OPEN
            && ngx_status_json_settle(j, walk->wait,
                                    ngx_status_json_passes(walk->step, NULL))
               != NGX_OK)
        {
            rc = 0;
        }

        ngx_status_json_end_wait(j, walk->wait);
    }

    j->ntries = level->tries;
    j->nwalks = level->walks;
    j->depth--;

    return rc;
}


int
ngx_status_json_key(ngx_status_json_t *j, const u_char *text, size_t len)
{
    u_char                   *p;
    ngx_status_json_level_t  *level;

    level = &j->levels[j->depth];

    if (level->tries == j->ntries && level->walks == j->nwalks) {
        return 1;                        /* nobody will ask */
    }

    /* one byte more than a path can name keeps it from being equal */

    level->len = ngx_min(len, NGX_STATUS_JSON_STRING + 1);

    if (level->len > level->size || level->name == NULL) {
        p = ngx_status_json_alloc(j, level->name, level->size,
                                  level->len + 32);
        if (p == NULL) {
            level->len = 0;
            return 0;
        }

        level->name = p;
        level->size = level->len + 32;
    }

    memcpy(level->name, text, level->len);

    return 1;
}
