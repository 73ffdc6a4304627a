
/*
 * Copyright (C) ngx_status_module authors
 *
 * Evaluates JSON paths over a document that arrives in pieces.
 *
 * Each open array or object is a level.  A level holds the steps that its
 * children are to be tried with ("tries"), a stack that grows and shrinks
 * with the document.  A child that passes a try's step is tried with the
 * next step in turn; one that passes the last step is a match.
 *
 * Whether an element passes a filter or a negative index is known only
 * later.  It gets a "wait" then, and what is found under it is kept there
 * until the wait is settled: then it moves to the wait around that one, or
 * to the path's own list, or is dropped.  A wait lives as long as the
 * element (filter) or until the array has moved on (negative index), so
 * those inside are always settled before those around them.
 *
 * yajl keeps a token that is not complete and reads it again with each
 * piece.  So that neither memory nor time can be made to run away by a long
 * string, its end is not even shown to yajl, see feed().
 */


#include "ngx_status_json_path.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <yajl/yajl_parse.h>


/*
 * The bytes of a string as written that yajl sees: more than the limit in
 * any encoding, "\u0041" being the longest one of a byte.
 */
#define NGX_STATUS_JSON_RAW      (6 * (NGX_STATUS_JSON_STRING + 1))

/* What yajl itself takes at most for tokens of that length. */
#define NGX_STATUS_JSON_YAJL     49152

/* Tries of one level; each costs time with each of its children. */
#define NGX_STATUS_JSON_TRIES    64


typedef struct ngx_status_json_wait_s  ngx_status_json_wait_t;


/* Matches in document order, the first ones. */

typedef struct {
    ngx_status_json_match_t  *v;
    ngx_uint_t                n;
    ngx_uint_t                size;
    ngx_uint_t                more;      /* that came behind these */
} ngx_status_json_list_t;


struct ngx_status_json_wait_s {
    ngx_status_json_wait_t   *around;    /* to hold as well; NULL: none */
    enum {
        NGX_STATUS_JSON_OPEN = 0,
        NGX_STATUS_JSON_HOLDS,
        NGX_STATUS_JSON_FAILS
    }                         state;
    ngx_uint_t                path;
    ngx_status_json_list_t    found;
};


typedef struct {
    ngx_uint_t                path;
    ngx_uint_t                step;
    ngx_uint_t                key;       /* level whose member's name is the
                                            match's key; 0: the path's last */
    ngx_status_json_wait_t   *wait;      /* NULL: none */
    ngx_status_json_wait_t  **ring;      /* of a negative index: its newest
                                            elements, owned */
} ngx_status_json_try_t;


/* A filter's @.a.b.c, of which the first "done" names led to this level. */

typedef struct {
    const ngx_status_json_step_t  *step;
    ngx_uint_t                done;
    ngx_status_json_wait_t   *wait;      /* owned when done is 0 */
} ngx_status_json_walk_t;


typedef struct {
    ngx_uint_t                object;
    ngx_uint_t                n;         /* children so far */
    ngx_uint_t                tries;     /* where its own begin */
    ngx_uint_t                walks;
    u_char                   *name;      /* of the current member */
    size_t                    len;
    size_t                    size;
} ngx_status_json_level_t;


typedef struct {
    ngx_status_json_type_e    type;
    double                    number;
    const u_char             *text;      /* whole */
    size_t                    len;
} ngx_status_json_seen_t;


struct ngx_status_json_s {
    ngx_status_json_path_t  **paths;
    ngx_uint_t                npaths;
    ngx_status_json_list_t   *lists;     /* by path */

    yajl_handle               yajl;
    size_t                    used;      /* bytes */
    uint64_t                  place;     /* of the next value */

    /* of feed() */
    uint64_t                  bytes;     /* came so far */
    uint64_t                  base;      /* of what yajl sees, in these */
    uint64_t                  good;      /* end of the last token */
    ngx_uint_t                bom;       /* bytes of a BOM left out */
    ngx_uint_t                string;    /* in a string */
    ngx_uint_t                dropping;  /* its end */
    ngx_uint_t                escape;    /* bytes an escape goes on for */
    ngx_uint_t                n;         /* bytes of the string or number */

    ngx_uint_t                failed;
    ngx_uint_t                ended;
    const char               *reason;    /* of a callback that failed */
    char                      error[160];

    ngx_status_json_try_t    *tries;
    ngx_uint_t                ntries;
    ngx_uint_t                tries_size;
    ngx_status_json_walk_t   *walks;
    ngx_uint_t                nwalks;
    ngx_uint_t                walks_size;

    ngx_uint_t                depth;
    ngx_status_json_level_t   levels[NGX_STATUS_JSON_DEPTH + 1];
};


static int ngx_status_json_null(void *ctx);
static int ngx_status_json_boolean(void *ctx, int value);
static int ngx_status_json_digits(void *ctx, const char *text, size_t len);
static int ngx_status_json_string(void *ctx, const u_char *text, size_t len);
static int ngx_status_json_key(void *ctx, const u_char *text, size_t len);
static int ngx_status_json_object(void *ctx);
static int ngx_status_json_array(void *ctx);
static int ngx_status_json_close(void *ctx);


static const yajl_callbacks  ngx_status_json_callbacks = {
    ngx_status_json_null,
    ngx_status_json_boolean,
    NULL,                                /* integer */
    NULL,                                /* double */
    ngx_status_json_digits,
    ngx_status_json_string,
    ngx_status_json_object,
    ngx_status_json_key,
    ngx_status_json_close,
    ngx_status_json_array,
    ngx_status_json_close
};


static ngx_int_t ngx_status_json_parse(ngx_status_json_t *j,
    const u_char *data, size_t len, uint64_t at);
static ngx_int_t ngx_status_json_fail(ngx_status_json_t *j,
    const char *reason, uint64_t at);


/* Memory.  Callers know the sizes, so that nothing need be kept of them. */

static void *
ngx_status_json_alloc(ngx_status_json_t *j, void *old, size_t before,
    size_t size)
{
    void  *p;

    if (j->used - before + size
        > NGX_STATUS_JSON_MEMORY - NGX_STATUS_JSON_YAJL)
    {
        j->reason = "too much to keep";
        return NULL;
    }

    p = realloc(old, size);
    if (p == NULL) {
        j->reason = "no memory";
        return NULL;
    }

    j->used += size - before;

    return p;
}


static void
ngx_status_json_release(ngx_status_json_t *j, void *p, size_t size)
{
    free(p);
    j->used -= p ? size : 0;
}


/* Makes room for one more element behind n. */

static ngx_int_t
ngx_status_json_room(ngx_status_json_t *j, void **v, size_t element,
    ngx_uint_t n, ngx_uint_t *size)
{
    void        *p;
    ngx_uint_t   more;

    if (n < *size) {
        return NGX_OK;
    }

    more = *size ? *size * 2 : 1;

    p = ngx_status_json_alloc(j, *v, *size * element, more * element);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *v = p;
    *size = more;

    return NGX_OK;
}


ngx_status_json_t *
ngx_status_json_create(ngx_status_json_path_t *const *paths, ngx_uint_t n)
{
    ngx_status_json_t  *j;

    j = calloc(1, sizeof(ngx_status_json_t));
    if (j == NULL) {
        return NULL;
    }

    j->npaths = n;
    j->paths = calloc(n + 1, sizeof(ngx_status_json_path_t *));
    j->lists = calloc(n + 1, sizeof(ngx_status_json_list_t));
    j->yajl = yajl_alloc(&ngx_status_json_callbacks, NULL, j);

    if (j->paths == NULL || j->lists == NULL || j->yajl == NULL) {
        ngx_status_json_free(j);
        return NULL;
    }

    if (n) {
        memcpy(j->paths, paths, n * sizeof(ngx_status_json_path_t *));
    }

    return j;
}


/* Lists. */

static void
ngx_status_json_drop(ngx_status_json_t *j, ngx_status_json_match_t *m)
{
    /* the text stands behind the key */
    ngx_status_json_release(j, m->key.data, m->key.len + m->text.len + 2);
}


static void
ngx_status_json_clear(ngx_status_json_t *j, ngx_status_json_list_t *list)
{
    ngx_uint_t  i;

    for (i = 0; i < list->n; i++) {
        ngx_status_json_drop(j, &list->v[i]);
    }

    ngx_status_json_release(j, list->v,
                            list->size * sizeof(ngx_status_json_match_t));

    memset(list, 0, sizeof(ngx_status_json_list_t));
}


/* The list owns *m from now on, and on failure nobody does. */

static ngx_int_t
ngx_status_json_insert(ngx_status_json_t *j, ngx_status_json_list_t *list,
    ngx_status_json_match_t *m)
{
    ngx_uint_t  i;

    /* nearly always it is the newest */

    for (i = list->n; i && list->v[i - 1].place >= m->place; i--) {
        if (list->v[i - 1].place == m->place) {
            ngx_status_json_drop(j, m);
            return NGX_OK;
        }
    }

    if (list->n == NGX_STATUS_JSON_MATCHES) {
        list->more++;

        if (i == NGX_STATUS_JSON_MATCHES) {
            ngx_status_json_drop(j, m);
            return NGX_OK;
        }

        ngx_status_json_drop(j, &list->v[--list->n]);
    }

    if (ngx_status_json_room(j, (void **) &list->v,
                             sizeof(ngx_status_json_match_t), list->n,
                             &list->size)
        != NGX_OK)
    {
        ngx_status_json_drop(j, m);
        return NGX_ERROR;
    }

    memmove(&list->v[i + 1], &list->v[i],
            (list->n - i) * sizeof(ngx_status_json_match_t));

    list->v[i] = *m;
    list->n++;

    return NGX_OK;
}


/* Waits. */

/* Passes over those that hold already. */

static ngx_status_json_wait_t *
ngx_status_json_undecided(ngx_status_json_wait_t *wait)
{
    while (wait && wait->state == NGX_STATUS_JSON_HOLDS) {
        wait = wait->around;
    }

    return wait;
}


static ngx_status_json_wait_t *
ngx_status_json_wait(ngx_status_json_t *j, const ngx_status_json_try_t *t)
{
    ngx_status_json_wait_t  *wait;

    wait = ngx_status_json_alloc(j, NULL, 0, sizeof(ngx_status_json_wait_t));

    if (wait) {
        memset(wait, 0, sizeof(ngx_status_json_wait_t));
        wait->around = t->wait;
        wait->path = t->path;
    }

    return wait;
}


static ngx_int_t
ngx_status_json_settle(ngx_status_json_t *j, ngx_status_json_wait_t *wait,
    ngx_uint_t holds)
{
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_status_json_list_t  *list;
    ngx_status_json_wait_t  *around;

    wait->state = holds ? NGX_STATUS_JSON_HOLDS : NGX_STATUS_JSON_FAILS;

    around = ngx_status_json_undecided(wait);

    if (around && around->state == NGX_STATUS_JSON_FAILS) {
        ngx_status_json_clear(j, &wait->found);
        return NGX_OK;
    }

    list = around ? &around->found : &j->lists[wait->path];

    if (list->n == 0) {
        ngx_status_json_clear(j, list);
        *list = wait->found;
        memset(&wait->found, 0, sizeof(ngx_status_json_list_t));
        return NGX_OK;
    }

    rc = NGX_OK;

    for (i = 0; i < wait->found.n; i++) {
        if (ngx_status_json_insert(j, list, &wait->found.v[i]) != NGX_OK) {
            rc = NGX_ERROR;
        }
    }

    list->more += wait->found.more;

    wait->found.n = 0;
    ngx_status_json_clear(j, &wait->found);

    return rc;
}


static void
ngx_status_json_end_wait(ngx_status_json_t *j, ngx_status_json_wait_t *wait)
{
    if (wait) {
        ngx_status_json_clear(j, &wait->found);
        ngx_status_json_release(j, wait, sizeof(ngx_status_json_wait_t));
    }
}


/* Whether a value, NULL for none, passes a filter. */

static ngx_uint_t
ngx_status_json_passes(const ngx_status_json_step_t *step,
    const ngx_status_json_seen_t *seen)
{
    int                             order;
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
            less = seen->number < value->number;
            greater = seen->number > value->number;
            equal = seen->number == value->number;
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
    m.number = seen->number;
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


static void
ngx_status_json_reached(ngx_status_json_t *j)
{
    j->good = j->base + yajl_get_bytes_consumed(j->yajl);
}


/* A value begins, or is there. */

static int
ngx_status_json_value(ngx_status_json_t *j, const ngx_status_json_seen_t *seen)
{
    ngx_uint_t               i, tries, walks, container;
    ngx_status_json_try_t    t;
    ngx_status_json_walk_t   walk;
    ngx_status_json_level_t *level;

    ngx_status_json_reached(j);

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


static int
ngx_status_json_close(void *ctx)
{
    int                            rc;
    ngx_uint_t                     i, k, back;
    ngx_status_json_t             *j;
    ngx_status_json_try_t         *t;
    ngx_status_json_walk_t        *walk;
    ngx_status_json_level_t       *level;
    const ngx_status_json_step_t  *step;

    j = ctx;
    ngx_status_json_reached(j);

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


void
ngx_status_json_free(ngx_status_json_t *j)
{
    ngx_uint_t              i, k, back;
    ngx_status_json_try_t  *t;

    if (j == NULL) {
        return;
    }

    /* of a document that did not end */

    for (i = 0; i < j->ntries; i++) {
        t = &j->tries[i];

        if (t->ring == NULL) {
            continue;
        }

        back = (ngx_uint_t) -j->paths[t->path]->steps[t->step].index;

        for (k = 0; k < back; k++) {
            ngx_status_json_end_wait(j, t->ring[k]);
        }

        free(t->ring);
    }

    for (i = 0; i < j->nwalks; i++) {
        if (j->walks[i].done == 0) {
            ngx_status_json_end_wait(j, j->walks[i].wait);
        }
    }

    for (i = 0; j->lists && i < j->npaths; i++) {
        ngx_status_json_clear(j, &j->lists[i]);
    }

    for (i = 0; i <= NGX_STATUS_JSON_DEPTH; i++) {
        free(j->levels[i].name);
    }

    if (j->yajl) {
        yajl_free(j->yajl);
    }

    free(j->tries);
    free(j->walks);
    free(j->lists);
    free(j->paths);
    free(j);
}


/* yajl's callbacks; 0 ends the parsing. */

static int
ngx_status_json_scalar(void *ctx, ngx_status_json_type_e type, double number,
    const u_char *text, size_t len)
{
    ngx_status_json_seen_t  seen;

    seen.type = type;
    seen.number = number;
    seen.text = text;
    seen.len = len;

    return ngx_status_json_value(ctx, &seen);
}


static int
ngx_status_json_null(void *ctx)
{
    return ngx_status_json_scalar(ctx, NGX_STATUS_JSON_NULL, NAN, NULL, 0);
}


static int
ngx_status_json_boolean(void *ctx, int value)
{
    return ngx_status_json_scalar(ctx, NGX_STATUS_JSON_BOOL, value != 0,
                                  NULL, 0);
}


static int
ngx_status_json_digits(void *ctx, const char *text, size_t len)
{
    double  number;

    number = NAN;
    (void) ngx_status_json_number((const u_char *) text, len, &number);

    return ngx_status_json_scalar(ctx, NGX_STATUS_JSON_NUMBER, number,
                                  (const u_char *) text, len);
}


static int
ngx_status_json_string(void *ctx, const u_char *text, size_t len)
{
    return ngx_status_json_scalar(ctx, NGX_STATUS_JSON_TEXT, NAN, text, len);
}


static int
ngx_status_json_object(void *ctx)
{
    return ngx_status_json_scalar(ctx, NGX_STATUS_JSON_OBJECT, NAN, NULL, 0);
}


static int
ngx_status_json_array(void *ctx)
{
    return ngx_status_json_scalar(ctx, NGX_STATUS_JSON_ARRAY, NAN, NULL, 0);
}


static int
ngx_status_json_key(void *ctx, const u_char *text, size_t len)
{
    u_char                   *p;
    ngx_status_json_t        *j;
    ngx_status_json_level_t  *level;

    j = ctx;
    level = &j->levels[j->depth];

    ngx_status_json_reached(j);

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


/*
 * Hands yajl all but the ends of overlong strings.  A string is cut where a
 * character or an escape begins; of what is left out only its end is looked
 * for, and a control character, which is for yajl to complain of.
 */

ngx_int_t
ngx_status_json_feed(ngx_status_json_t *j, const u_char *data, size_t len)
{
    u_char         c;
    uint64_t       base;
    const u_char  *p, *run, *end;

    static const u_char  bom[] = { 0xef, 0xbb, 0xbf };

    if (j->failed || j->ended) {
        return NGX_ERROR;
    }

    base = j->bytes;
    j->bytes += len;

    p = data;
    end = data + len;

    while (p < end && j->bom < 3 && base + (p - data) == j->bom
           && *p == bom[j->bom])
    {
        j->bom++;
        p++;
    }

    if (p < end && j->bom && j->bom < 3) {
        return ngx_status_json_fail(j, "not JSON", 1);
    }

    for (run = p; p < end; p++) {
        c = *p;

        if (!j->string) {

            if (c == '"') {
                j->string = 1;
                j->escape = 0;
                j->n = 0;

            } else if ((c < '0' || c > '9') && c != '.' && c != '-'
                       && c != '+' && (c | 0x20) != 'e')
            {
                j->n = 0;

            } else if (++j->n > NGX_STATUS_JSON_STRING) {

                if (ngx_status_json_parse(j, run, p - run,
                                          base + (run - data))
                    != NGX_OK)
                {
                    return NGX_ERROR;
                }

                return ngx_status_json_fail(j, "a number of too many digits",
                                            base + (p - data) + 1);
            }

            continue;
        }

        if (j->dropping) {

            if (j->escape && c >= 0x20) {
                j->escape = 0;

            } else if (c == '\\') {
                j->escape = 1;

            } else if (c == '"' || c < 0x20) {
                j->dropping = 0;
                j->string = 0;
                j->n = 0;
                run = p;
            }

            continue;
        }

        j->n++;

        if (j->escape) {
            j->escape = (j->escape == 5 && c == 'u') ? 4
                        : (j->escape == 5) ? 0 : j->escape - 1;

        } else if (c == '"') {
            j->string = 0;
            j->n = 0;

        } else if (j->n > NGX_STATUS_JSON_RAW && (c & 0xc0) != 0x80) {

            if (ngx_status_json_parse(j, run, p - run, base + (run - data))
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            j->dropping = 1;
            p--;                         /* to be looked at again */
            run = end;

        } else if (c == '\\') {
            j->escape = 5;
        }
    }

    return j->dropping ? NGX_OK
                       : ngx_status_json_parse(j, run, end - run,
                                               base + (run - data));
}


/* "at" is the number of bytes before the data. */

static ngx_int_t
ngx_status_json_parse(ngx_status_json_t *j, const u_char *data, size_t len,
    uint64_t at)
{
    j->base = at;

    if (len == 0 || yajl_parse(j->yajl, data, len) == yajl_status_ok) {
        return NGX_OK;
    }

    if (j->reason) {
        return ngx_status_json_fail(j, j->reason, j->good);
    }

    /* yajl's own idea of where depends on how the document was cut */

    return ngx_status_json_fail(j, "not JSON", j->good + 1);
}


ngx_int_t
ngx_status_json_end(ngx_status_json_t *j)
{
    if (j->failed || j->ended) {
        return j->failed ? NGX_ERROR : NGX_OK;
    }

    j->ended = 1;

    if ((j->bom == 0 || j->bom == 3)
        && yajl_complete_parse(j->yajl) == yajl_status_ok)
    {
        return NGX_OK;
    }

    if (j->reason == NULL && j->bytes == 0) {
        j->failed = 1;
        snprintf(j->error, sizeof(j->error), "nothing came");
        return NGX_ERROR;
    }

    return ngx_status_json_fail(j, j->reason ? j->reason
                                             : "not JSON, it ends too early",
                                j->bytes);
}


static ngx_int_t
ngx_status_json_fail(ngx_status_json_t *j, const char *reason, uint64_t at)
{
    j->failed = 1;
    snprintf(j->error, sizeof(j->error), "%s at byte %llu", reason,
             (unsigned long long) at);

    return NGX_ERROR;
}


const char *
ngx_status_json_error(ngx_status_json_t *j)
{
    return j->error;
}


const ngx_status_json_match_t *
ngx_status_json_matches(ngx_status_json_t *j, ngx_uint_t i, ngx_uint_t *kept,
    ngx_uint_t *total)
{
    *kept = j->lists[i].n;
    *total = j->lists[i].n + j->lists[i].more;

    return j->lists[i].v;
}
