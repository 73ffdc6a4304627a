
/*
 * Copyright (C) ngx_status_module authors
 */


#include "ngx_status_push.h"


#define NGX_STATUS_PUSH_TIME     32      /* bytes of a time in words */


/* What is kept from one judgement to the next; times in ms, 0: never. */

typedef struct {
    int64_t                   at;        /* the newest of the three below */
    int64_t                   ok_at;
    int64_t                   failed_at; /* 0 again when one succeeded */
    int64_t                   start_at;  /* of a run that has not ended */
    int64_t                   since;     /* the first one is waited for */
    int64_t                   back_at;   /* until then one may have been sent
                                            and not come; */
    uint64_t                  rid;       /* of the run that started */
    uint64_t                  took;      /* us, of the newest success; 0 */
    uint32_t                  mine;      /* all of this is of type push */
    uint32_t                  away;      /* why not, NGX_STATUS_PUSH_... */
} ngx_status_push_kept_t;

#define NGX_STATUS_PUSH_MINE     0x70757368

#define NGX_STATUS_PUSH_STOPPED  0
#define NGX_STATUS_PUSH_OFFLINE  1

typedef char  ngx_status_push_kept_fits[
                  sizeof(ngx_status_push_kept_t)
                  == sizeof(ngx_status_kept_t) ? 1 : -1];


static void ngx_status_push_begin(const ngx_status_push_conf_t *conf,
    const ngx_status_result_t *before, int64_t listening, int64_t offline,
    int64_t now, ngx_status_push_kept_t *k);
static void ngx_status_push_missed(const ngx_status_push_conf_t *conf,
    int64_t from, int64_t until, ngx_uint_t why,
    const ngx_status_result_t *before, ngx_status_push_kept_t *k);
static const ngx_status_push_t *ngx_status_push_take(
    const ngx_status_push_t *pushes, ngx_uint_t *n, int64_t now,
    ngx_status_push_kept_t *k, uint64_t *took,
    const ngx_status_push_t **success);
static void ngx_status_push_state(const ngx_status_push_conf_t *conf,
    const ngx_status_push_kept_t *k, int64_t offline,
    ngx_status_result_t *result);
static void ngx_status_push_seen(const ngx_status_push_conf_t *conf,
    const ngx_status_push_kept_t *k, int64_t now, const char *told,
    char *seen);
static const char *ngx_status_push_words(int64_t ms, char *buf);


#define ngx_status_push_result(r, s, e, ...)                                 \
    do {                                                                     \
        (r)->state = (s);                                                    \
        (r)->error = (e);                                                    \
        ngx_status_message((r)->message, __VA_ARGS__);                       \
    } while (0)


void
ngx_status_push_judge(const ngx_status_push_conf_t *conf,
    const ngx_status_push_t *pushes, ngx_uint_t *n,
    const ngx_status_result_t *before, int64_t listening, int64_t offline,
    ngx_status_result_t *result)
{
    int64_t                   failed_at, ok_at;
    uint64_t                  took;
    const char               *message, *told;
    const ngx_status_push_t  *failure, *success;
    ngx_status_push_kept_t    k;

    ngx_memcpy(&k, &result->kept, sizeof(k));

    ngx_status_push_begin(conf, before, listening, offline, result->at, &k);

    failed_at = k.failed_at;
    ok_at = k.ok_at;
    failure = ngx_status_push_take(pushes, n, result->at, &k, &took, &success);

    result->latency = (uint32_t) ngx_min(took, NGX_MAX_UINT32_VALUE);

    if (failure || k.failed_at) {

        /* one that was told before is told again in the same words */

        message = failure ? failure->message
                  : before && k.failed_at == failed_at
                    && before->error == NGX_STATUS_E_STATUS ? before->message
                  : "failure reported";

        ngx_status_push_result(result, NGX_STATUS_DOWN, NGX_STATUS_E_STATUS,
                               "%s", message);

    } else {
        ngx_status_push_state(conf, &k, offline, result);
    }

    /* likewise what was told with a success, as far as it was seen */

    told = success ? success->message
           : before && k.ok_at == ok_at ? strstr(before->seen, ": ") : NULL;

    if (told && !success) {
        told += 2;
    }

    ngx_status_push_seen(conf, &k, result->at, told, result->seen);

    ngx_memcpy(&result->kept, &k, sizeof(k));
}


static void
ngx_status_push_begin(const ngx_status_push_conf_t *conf,
    const ngx_status_result_t *before, int64_t listening, int64_t offline,
    int64_t now, ngx_status_push_kept_t *k)
{
    if (k->mine != NGX_STATUS_PUSH_MINE) {
        ngx_memzero(k, sizeof(ngx_status_push_kept_t));
        k->mine = NGX_STATUS_PUSH_MINE;
        k->since = now;
    }

    /* by a clock that was ahead then */

    k->at = ngx_min(k->at, now);
    k->ok_at = ngx_min(k->ok_at, now);
    k->failed_at = ngx_min(k->failed_at, now);
    k->start_at = ngx_min(k->start_at, now);
    k->since = ngx_min(k->since, now);
    k->back_at = ngx_min(k->back_at, now);

    if (before && listening - before->at > conf->away) {
        ngx_status_push_missed(conf, before->at, ngx_min(listening, now),
                               NGX_STATUS_PUSH_STOPPED, before, k);
    }

    if (before && offline
        && (now - offline > conf->away || k->back_at == before->at))
    {
        ngx_status_push_missed(conf, offline, now, NGX_STATUS_PUSH_OFFLINE,
                               before, k);
    }
}


/*
 * For some time nobody could send anything.  What had been missing before
 * that still is: else the next time would excuse it again, and one that
 * never comes would never be missed.  A time without a network is told of
 * anew at each probe of it, through reloads.
 */

static void
ngx_status_push_missed(const ngx_status_push_conf_t *conf, int64_t from,
    int64_t until, ngx_uint_t why, const ngx_status_result_t *before,
    ngx_status_push_kept_t *k)
{
    int64_t  last;

    last = k->ok_at ? k->ok_at : k->since;

    if (from - last <= conf->every + conf->grace || k->back_at == before->at) {
        k->back_at = until;
        k->away = why;
    }
}


/* Returns the last failure among those it takes, or NULL; likewise in
 * *success. */

static const ngx_status_push_t *
ngx_status_push_take(const ngx_status_push_t *pushes, ngx_uint_t *n,
    int64_t now, ngx_status_push_kept_t *k, uint64_t *took,
    const ngx_status_push_t **success)
{
    int64_t                   at;
    uint64_t                  ran;
    ngx_uint_t                i;
    const ngx_status_push_t  *p, *failure;

    failure = NULL;
    *success = NULL;
    *took = 0;

    for (i = 0; i < *n; i++) {
        p = &pushes[i];
        at = ngx_min(p->at, now);

        if (p->kind == NGX_STATUS_PUSH_LOG) {
            continue;
        }

        if (failure && p->kind == NGX_STATUS_PUSH_SUCCESS) {
            *n = i;
            break;
        }

        k->at = ngx_max(k->at, at);

        if (p->kind == NGX_STATUS_PUSH_START) {
            k->start_at = at;
            k->rid = p->rid;
            continue;
        }

        /* the end of the run that started; or of another, that was not said
         * to have started, while this one goes on */

        ran = p->took;

        if (k->start_at && k->rid == p->rid) {

            if (ran == 0) {
                ran = (uint64_t) ngx_max(at - k->start_at, 1) * 1000;
            }

            k->start_at = 0;

        } else if (p->rid == 0 || p->kind == NGX_STATUS_PUSH_FAILURE) {
            k->start_at = 0;
        }

        *took = ran;

        if (p->kind == NGX_STATUS_PUSH_FAILURE) {
            failure = p;
            k->failed_at = at;
            continue;
        }

        *success = p;
        k->ok_at = at;
        k->failed_at = 0;
        k->took = ran;
    }

    return failure;
}


static void
ngx_status_push_state(const ngx_status_push_conf_t *conf,
    const ngx_status_push_kept_t *k, int64_t offline,
    ngx_status_result_t *result)
{
    char        time[NGX_STATUS_PUSH_TIME], limit[NGX_STATUS_PUSH_TIME];
    int64_t     now, last, silent;
    ngx_uint_t  hangs;

    now = result->at;
    last = k->ok_at ? k->ok_at : k->since;
    silent = now - last;

    /* its end, too, may have been sent and not come */

    hangs = (k->start_at > k->back_at && conf->grace
             && now - k->start_at > conf->grace);

    if (offline && (hangs || silent > conf->every)) {
        ngx_status_push_result(result, NGX_STATUS_UNKNOWN,
                               NGX_STATUS_E_INTERNAL,
                               "this machine has no connectivity");

    } else if (hangs) {
        ngx_status_push_result(result, NGX_STATUS_DOWN, NGX_STATUS_E_VALUE,
                               "started %s ago and has not ended, expected "
                               "within %s",
                               ngx_status_push_words(now - k->start_at, time),
                               ngx_status_push_words(conf->grace, limit));

    } else if (k->ok_at && silent <= conf->every) {
        result->state = NGX_STATUS_UP;

    } else if (k->back_at > last
               && now - k->back_at <= conf->every + conf->grace)
    {
        /* no more than every one of them from then on is asked for */
        ngx_status_push_result(result, NGX_STATUS_UNKNOWN,
                               NGX_STATUS_E_INTERNAL,
                               "no heartbeat for %s, but one may have come "
                               "while %s", ngx_status_push_words(silent, time),
                               k->away == NGX_STATUS_PUSH_OFFLINE
                               ? "this machine had no connectivity"
                               : "nginx was stopped");

    } else if (silent > conf->every + conf->grace) {

        if (k->ok_at) {
            ngx_status_push_result(result, NGX_STATUS_DOWN,
                                   NGX_STATUS_E_VALUE,
                                   "no heartbeat for %s, expected every %s",
                                   ngx_status_push_words(silent, time),
                                   conf->text);
        } else {
            ngx_status_push_result(result, NGX_STATUS_DOWN,
                                   NGX_STATUS_E_VALUE,
                                   "no heartbeat yet, expected every %s",
                                   conf->text);
        }

    } else if (k->ok_at) {
        ngx_status_push_result(result, NGX_STATUS_DEGRADED,
                               NGX_STATUS_E_VALUE,
                               "heartbeat is late by %s, expected every %s",
                               ngx_status_push_words(silent - conf->every,
                                                     time),
                               conf->text);

    } else {
        ngx_status_push_result(result, NGX_STATUS_UNKNOWN, NGX_STATUS_E_NONE,
                               "waiting for the first heartbeat");
    }
}


static void
ngx_status_push_seen(const ngx_status_push_conf_t *conf,
    const ngx_status_push_kept_t *k, int64_t now, const char *told,
    char *seen)
{
    int      n;
    char     text[4 * NGX_STATUS_PUSH_TIME + NGX_STATUS_SEEN],
             time[NGX_STATUS_PUSH_TIME];
    int64_t  due;

    if (k->failed_at) {
        n = snprintf(text, sizeof(text), "failure %s ago",
                     ngx_status_push_words(now - k->failed_at, time));

    } else if (k->ok_at) {
        n = snprintf(text, sizeof(text), "heartbeat %s ago",
                     ngx_status_push_words(now - k->ok_at, time));

        if (k->took >= 1000) {
            n += snprintf(text + n, sizeof(text) - n, ", took %s",
                          ngx_status_push_words((int64_t) (k->took / 1000),
                                                time));
        }

    } else {
        n = snprintf(text, sizeof(text), "no heartbeat yet");
    }

    due = ngx_max(k->ok_at, k->back_at) + conf->every;

    if (k->ok_at && !k->failed_at && due > now) {
        n += snprintf(text + n, sizeof(text) - n, ", next in %s",
                      ngx_status_push_words(due - now, time));
    }

    if (k->start_at) {
        n += snprintf(text + n, sizeof(text) - n, "; running for %s",
                      ngx_status_push_words(now - k->start_at, time));
    }

    if (told && *told && k->ok_at && !k->failed_at) {
        n += snprintf(text + n, sizeof(text) - n, ": %.*s",
                      NGX_STATUS_SEEN - 1, told);
    }

    ngx_status_text_copy(seen, NGX_STATUS_SEEN, (u_char *) text, n);
}


/* The two largest units; what is cut off was not worth a word. */

static const char *
ngx_status_push_words(int64_t ms, char *buf)
{
    int         n;
    int64_t     s;
    ngx_uint_t  i;

    static const struct {
        int64_t     s;
        char        unit;
    }  units[] = {
        { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' }
    };

    s = ngx_max(ms, 0) / 1000;

    if (s == 0 && ms > 0) {
        snprintf(buf, NGX_STATUS_PUSH_TIME, "%dms", (int) ms);
        return buf;
    }

    for (i = 0; i < 3 && s < units[i].s; i++) { /* void */ }

    n = snprintf(buf, NGX_STATUS_PUSH_TIME, "%lld%c",
                 (long long) (s / units[i].s), units[i].unit);

    s %= units[i].s;

    if (i < 3 && s / units[i + 1].s) {
        (void) snprintf(buf + n, NGX_STATUS_PUSH_TIME - n, " %lld%c",
                        (long long) (s / units[i + 1].s), units[i + 1].unit);
    }

    return buf;
}
