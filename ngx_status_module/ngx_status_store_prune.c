
/*
 * Copyright (C) ngx_status_module authors
 *
 * What is older than it is to be kept goes: a few checks each time, a few
 * hundred rows of each, and then from the start.
 */


#include "ngx_status_store.h"

#if (NGX_STATUS_SQLITE)

#include "ngx_status_store_db.h"


#define NGX_STATUS_STORE_PRUNE   16      /* checks looked at in a transaction */
#define NGX_STATUS_STORE_CERTS   100     /* of a check, the newest */


int
ngx_status_store_prune(ngx_status_store_t *s)
{
    int             rc;
    int64_t         now, keep, results, saved, limit;
    ngx_uint_t      i, k;
    sqlite3_stmt   *st;
    sqlite3_int64   seen;

    now = ngx_status_store_time() / 1000;
    keep = now - s->monitor->store_conf.keep;
    results = now - s->monitor->store_conf.results;

    for (i = 0; i < NGX_STATUS_STORE_PRUNE; i++) {

        st = s->st[NGX_STATUS_STORE_NEXT_CHECK];
        sqlite3_bind_int64(st, 1, s->pruned);

        rc = sqlite3_step(st);

        if (rc != SQLITE_ROW) {
            sqlite3_reset(st);
            s->pruned = 0;
            return rc == SQLITE_DONE ? SQLITE_OK : rc;
        }

        s->pruned = sqlite3_column_int64(st, 0);
        seen = sqlite3_column_int64(st, 1);

        /* what came after the record was saved is needed at the next start */

        saved = (sqlite3_column_type(st, 2) == SQLITE_NULL)
                ? keep : sqlite3_column_int64(st, 2) / 1000;
        sqlite3_reset(st);

        for (k = NGX_STATUS_STORE_PRUNE_RESULTS;
             k <= NGX_STATUS_STORE_PRUNE_CHECK;
             k++)
        {
            if (k >= NGX_STATUS_STORE_PRUNE_STATE && seen >= keep) {
                break;
            }

            limit = (k == NGX_STATUS_STORE_PRUNE_RESULTS)
                    ? ngx_min(results, saved)
                    : (k == NGX_STATUS_STORE_PRUNE_MINUTES) ? results : keep;

            if (k == NGX_STATUS_STORE_PRUNE_RESULTS
                || k == NGX_STATUS_STORE_PRUNE_EVENTS)
            {
                limit *= 1000;
            }

            st = s->st[k];
            sqlite3_bind_int64(st, 1, s->pruned);

            if (k < NGX_STATUS_STORE_PRUNE_STATE) {
                sqlite3_bind_int64(st, 2, limit);
            }

            if (k == NGX_STATUS_STORE_PRUNE_RESULTS) {
                sqlite3_bind_int(st, 3, seen < keep ? 0 : NGX_STATUS_RESULTS);

            } else if (k == NGX_STATUS_STORE_PRUNE_CERTS) {
                sqlite3_bind_int(st, 3, seen < keep ? 0
                                                    : NGX_STATUS_STORE_CERTS);
            }

            rc = ngx_status_store_run(st);
            if (rc != SQLITE_OK) {
                return rc;
            }
        }
    }

    return SQLITE_OK;
}


#endif
