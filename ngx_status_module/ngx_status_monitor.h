
/*
 * Copyright (C) ngx_status_module authors
 *
 * A configured monitor, and a snapshot of what its zone says.  Conf makes
 * the first, a worker the second; formats read both and nothing else.
 */


#ifndef _NGX_STATUS_MONITOR_H_INCLUDED_
#define _NGX_STATUS_MONITOR_H_INCLUDED_


#include "ngx_status_zone.h"
#include "ngx_status_inbox.h"
#include "ngx_status_template.h"
#include "../checks/ngx_status_check.h"


typedef struct {
    ngx_str_t                 title;     /* empty: checks outside a group */
    ngx_uint_t                first;     /* checks [first, first + n) of the */
    ngx_uint_t                n;         /* monitor's, in that order */
} ngx_status_group_t;


typedef struct ngx_status_snapshot_s  ngx_status_snapshot_t;
typedef struct ngx_status_store_s     ngx_status_store_t;
typedef struct ngx_status_export_s    ngx_status_export_t;
typedef struct ngx_status_archive_s   ngx_status_archive_t;


/* "store" */

typedef struct {
    ngx_uint_t                set;       /* the directive was there */
    ngx_uint_t                off;
    ngx_uint_t                unasked;   /* there by default: where it can
                                            not be, memory has to do */
    ngx_str_t                 file;      /* NUL-terminated; made a full path
                                            when all is known; empty: none */
    time_t                    keep;      /* s; of hours, days, events */
    time_t                    results;   /* s; of results and minutes */
    ngx_uint_t                queue;     /* items in memory at most while the
                                            file can not be written */
    u_char                   *conf_file; /* where it was configured, for */
    ngx_uint_t                line;      /* messages */
} ngx_status_store_conf_t;


/* "export" */

typedef struct {
    ngx_str_t                 dir;       /* full path, NUL-terminated; empty:
                                            none */
    time_t                    every;     /* s */
    u_char                   *conf_file; /* as above */
    ngx_uint_t                line;
} ngx_status_export_conf_t;


/* "archive" */

typedef struct {
    ngx_str_t                 dir;       /* full, NUL-terminated; empty: none */
    time_t                    rotate;    /* s; whole minutes, divides a day */
    time_t                    keep;      /* s */
    u_char                   *conf_file;
    ngx_uint_t                line;
} ngx_status_archive_conf_t;


/*
 * In the cycle's pool; but for the last fields never changed once the
 * configuration is read.
 */

typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 title;     /* the name when not set */
    ngx_uint_t                max_in_flight;
    ngx_uint_t                max_per_host;

    ngx_status_group_t       *groups;    /* in order of appearance; a group
                                            named twice is one group */
    ngx_uint_t                ngroups;
    ngx_status_check_t      **checks;    /* sorted by group */
    ngx_uint_t                nchecks;
    ngx_uint_t                nsentinels;        /* of them */
    ngx_str_t                *teams;     /* distinct, sorted */
    ngx_uint_t                nteams;

    ngx_status_template_t    *page;      /* the overview */
    ngx_status_template_t    *detail;    /* one check */

    ngx_status_zone_t        *zone;
    ngx_uint_t               *pushed;    /* those with a token, by number */
    const u_char            **tokens;    /* theirs */
    ngx_uint_t                npushed;
    ngx_status_inbox_t        *inbox;      /* for them; NULL: there are none */
    ngx_status_store_conf_t   store_conf;
    ngx_status_export_conf_t  export_conf;
    ngx_status_archive_conf_t archive_conf;

    ngx_status_snapshot_t    *snapshot;  /* this worker's; NULL: none yet */
    ngx_status_store_t       *store;     /* the checker's; NULL: none */
    ngx_status_archive_t     *archive;   /* likewise */
    ngx_status_export_t      *export;    /* the checker's; NULL: none yet */
} ngx_status_monitor_t;


/* One check in a snapshot. */

typedef struct {
    const ngx_status_check_t *check;
    ngx_status_slot_t        *slot;      /* a hint for the next look */
    ngx_atomic_uint_t         seq;       /* the slot's, when it was read */
    ngx_uint_t                known;     /* record holds something */
    ngx_status_state_e        state;     /* to be shown: the confirmed one, or
                                            unknown when it is out of date or
                                            the checker is dead */
    ngx_status_record_t       record;
} ngx_status_view_t;


typedef struct {
    ngx_status_state_e        state;
    ngx_status_sum_t          sum;
} ngx_status_group_view_t;


/* A worker's copy of the zone; refreshed at most once a second. */

struct ngx_status_snapshot_s {
    const ngx_status_monitor_t  *monitor;
    ngx_uint_t                revision;  /* grows when anything below does */
    ngx_msec_t                taken;     /* ngx_current_msec */
    ngx_uint_t                generation;        /* of the zone */
    int64_t                   minute;    /* since the epoch */
    int64_t                   expires;   /* ms; when the next state becomes
                                            out of date */
    int64_t                   now;       /* ms since the epoch; the last
                                            change, the same in all workers */
    ngx_uint_t                alive;     /* the checker is */
    int64_t                   checked_at;        /* ms; newest result; 0 */
    ngx_status_beat_t         beat;      /* the last one before "now" */
    ngx_status_outlet_t       outlets[NGX_STATUS_NOUTLETS];
    uint64_t                  pushes_lost;       /* heartbeats */
    int64_t                   offline_since;     /* ms; 0: there is a network
                                            as far as sentinels know */
    ngx_status_state_e        state;     /* of all checks together */
    ngx_status_sum_t          sum;
    ngx_uint_t                loading;   /* no checker has begun, or some check
                                            has no result yet */
    ngx_status_group_view_t  *groups;    /* by monitor->groups */
    ngx_status_view_t        *views;     /* by monitor->checks */
};


/* What of a snapshot a reader asked for. */

typedef struct {
    ngx_uint_t                internal;  /* with targets, messages, phases */
    const ngx_str_t          *team;      /* NULL: all */
    const ngx_status_group_t *group;     /* NULL: all */
    const ngx_status_view_t  *view;      /* one check's page; NULL: overview */
    ngx_uint_t                probe;     /* metrics as of blackbox exporter */
    ngx_uint_t                refresh;   /* s, of the meta refresh */
    time_t                    every;     /* a page of a site of files: s
                                            between its exports; 0: it is not */
} ngx_status_ask_t;


/* s between two refreshes of a page without script */
#define NGX_STATUS_REFRESH_MIN  5
#define NGX_STATUS_REFRESH_MAX  60


/*
 * An output format: one file in formats/, one row in the table.  render()
 * only reads its arguments and writes "out"; it must not look at the clock
 * (snapshot->now is the time), so that the same snapshot gives the same
 * bytes in every worker.  Workers, and the checker for exports.
 */

typedef struct {
    ngx_str_t                 content_type;
    void                    (*render)(const ngx_status_snapshot_t *snapshot,
                                      const ngx_status_ask_t *ask,
                                      ngx_status_out_t *out);
} ngx_status_format_t;

extern const ngx_status_format_t  ngx_status_format_html;   /* both pages */
extern const ngx_status_format_t  ngx_status_format_json;
extern const ngx_status_format_t  ngx_status_format_csv;
extern const ngx_status_format_t  ngx_status_format_metrics;
extern const ngx_status_format_t  ngx_status_format_openmetrics;

/* Fields of the page's and the detail's templates, for compiling them. */
extern const ngx_status_field_t   ngx_status_html_page_fields[];
extern const ngx_status_field_t   ngx_status_html_detail_fields[];

/* Files of html/, embedded at build time by html/embed.sh. */

typedef struct {
    ngx_str_t                 name;      /* "style.css" */
    ngx_str_t                 content_type;
    ngx_str_t                 data;
    const char               *hash;      /* 16 hex digits of the content */
} ngx_status_asset_t;

extern const ngx_status_asset_t   ngx_status_assets[];   /* last: no name */

/* templates are in the table too, but are nobody's to see */
#define ngx_status_asset_public(asset)                                       \
    (ngx_strncmp((asset)->content_type.data, "text/html",                    \
                 sizeof("text/html") - 1) != 0)


/*
 * Takes or refreshes a worker's snapshot: when the zone's generation, the
 * minute, the checker's life or the age of a state has changed, and the last
 * change is a second old.  *snapshot is NULL at first and malloc()ed once; it
 * is kept by the worker.  Returns NGX_OK when it changed, NGX_DECLINED when
 * it is as before, NGX_ERROR without memory (a log line was written).  A
 * thread may take one of its own, and free() it.
 */

ngx_int_t ngx_status_snapshot(const ngx_status_monitor_t *monitor,
    ngx_status_snapshot_t **snapshot, ngx_log_t *log);

/*
 * Whether what is known of a check is not out of date, and the checker
 * lives; and whether its newest result, too, is none of our own faults.
 */
ngx_uint_t ngx_status_view_fresh(const ngx_status_snapshot_t *snapshot,
    const ngx_status_view_t *view);
ngx_uint_t ngx_status_view_probed(const ngx_status_snapshot_t *snapshot,
    const ngx_status_view_t *view);

/*
 * Whether a check is among those asked for; and the sum of all that are, or
 * of those of a group, with their number.
 */

ngx_uint_t ngx_status_asked(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, const ngx_status_view_t *view);
void ngx_status_asked_sum(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, ngx_status_sum_t *sum);
ngx_uint_t ngx_status_asked_group(const ngx_status_snapshot_t *snapshot,
    const ngx_status_ask_t *ask, const ngx_status_group_t *group,
    ngx_status_sum_t *sum);

/*
 * Uptime of one check or of several together, over one window: add them to
 * a zeroed sum.  The whole is the time that could be known.  share() is the
 * uptime, of time that is known, and known() what that is of the whole, both
 * in NGX_STATUS_SHARE; cut, not rounded: only all is 1.
 */

typedef struct {
    uint64_t                  up;        /* s * NGX_STATUS_WEIGHT */
    uint64_t                  known;     /* s */
    uint64_t                  whole;     /* s */
    ngx_uint_t                checks;    /* with a result */
} ngx_status_uptime_t;

void ngx_status_uptime_add(ngx_status_uptime_t *uptime,
    const ngx_status_view_t *view, ngx_uint_t window);

#define NGX_STATUS_SHARE  100000

#define ngx_status_uptime_share(u)                                           \
    ((u)->up * (NGX_STATUS_SHARE / NGX_STATUS_WEIGHT) / (u)->known)

#define ngx_status_uptime_known(u)                                           \
    ((u)->known * NGX_STATUS_SHARE / (u)->whole)

/*
 * Since when a check is in the state to be shown, in ms; 0: never.  Of its
 * record's events, the first one to be told, nevents for none, and when one
 * of them was over; 0: it is not.
 */

int64_t ngx_status_view_since(const ngx_status_snapshot_t *snapshot,
    const ngx_status_view_t *view);
ngx_uint_t ngx_status_view_events(const ngx_status_snapshot_t *snapshot,
    const ngx_status_view_t *view);
int64_t ngx_status_view_until(const ngx_status_snapshot_t *snapshot,
    const ngx_status_view_t *view, ngx_uint_t event);

/*
 * The timeline of a check as it is to be shown, unknown from where it is out
 * of date or the checker died; see ngx_status_history_timeline().
 */

ngx_uint_t ngx_status_view_timeline(const ngx_status_snapshot_t *snapshot,
    const ngx_status_view_t *view, ngx_status_run_t *runs);


#endif /* _NGX_STATUS_MONITOR_H_INCLUDED_ */
