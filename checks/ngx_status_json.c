
/*
 * Copyright (C) ngx_status_module authors
 *
 * Evaluates JSON paths over a document that arrives in pieces: what stands
 * between those who have the document, yajl, and the matching.
 *
 * yajl keeps a token that is not complete and reads it again with each
 * piece.  So that neither memory nor time can be made to run away by a long
 * string, its end is not even shown to yajl, see feed().
 */


#include "ngx_status_json.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>


/*
 * The bytes of a string as written that yajl sees: more than the limit in
 * any encoding, "\u0041" being the longest one of a byte.
 */
#define NGX_STATUS_JSON_RAW      (6 * (NGX_STATUS_JSON_STRING + 1))


static int ngx_status_json_null(void *ctx);
static int ngx_status_json_boolean(void *ctx, int value);
static int ngx_status_json_digits(void *ctx, const char *text, size_t len);
static int ngx_status_json_string(void *ctx, const u_char *text, size_t len);
static int ngx_status_json_object(void *ctx);
static int ngx_status_json_on_key(void *ctx, const u_char *text, size_t len);
static int ngx_status_json_array(void *ctx);
static int ngx_status_json_on_close(void *ctx);


static const yajl_callbacks  ngx_status_json_callbacks = {
    ngx_status_json_null,
    ngx_status_json_boolean,
    NULL,                                /* integer */
    NULL,                                /* double */
    ngx_status_json_digits,
    ngx_status_json_string,
    ngx_status_json_object,
    ngx_status_json_on_key,
    ngx_status_json_on_close,
    ngx_status_json_array,
    ngx_status_json_on_close
};


static ngx_int_t ngx_status_json_parse(ngx_status_json_t *j,
    const u_char *data, size_t len, uint64_t at);
static ngx_int_t ngx_status_json_fail(ngx_status_json_t *j,
    const char *reason, uint64_t at);


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


void
ngx_status_json_free(ngx_status_json_t *j)
{
    ngx_uint_t  i;

    if (j == NULL) {
        return;
    }

    while (j->depth) {                   /* the document did not end */
        (void) ngx_status_json_close(j);
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

static void
ngx_status_json_reached(ngx_status_json_t *j)
{
    j->good = j->base + yajl_get_bytes_consumed(j->yajl);
}


static int
ngx_status_json_see(void *ctx, ngx_status_json_type_e type, double number,
    const u_char *text, size_t len)
{
    ngx_status_json_seen_t  seen;

    ngx_status_json_reached(ctx);

    seen.type = type;
    seen.number = number;
    seen.text = text;
    seen.len = len;

    return ngx_status_json_value(ctx, &seen);
}


static int
ngx_status_json_null(void *ctx)
{
    return ngx_status_json_see(ctx, NGX_STATUS_JSON_NULL, NAN, NULL, 0);
}


static int
ngx_status_json_boolean(void *ctx, int value)
{
    return ngx_status_json_see(ctx, NGX_STATUS_JSON_BOOL, value != 0,
                                  NULL, 0);
}


static int
ngx_status_json_digits(void *ctx, const char *text, size_t len)
{
    return ngx_status_json_see(ctx, NGX_STATUS_JSON_NUMBER, NAN,
                                  (const u_char *) text, len);
}


static int
ngx_status_json_string(void *ctx, const u_char *text, size_t len)
{
    return ngx_status_json_see(ctx, NGX_STATUS_JSON_TEXT, NAN, text, len);
}


static int
ngx_status_json_object(void *ctx)
{
    return ngx_status_json_see(ctx, NGX_STATUS_JSON_OBJECT, NAN, NULL, 0);
}


static int
ngx_status_json_array(void *ctx)
{
    return ngx_status_json_see(ctx, NGX_STATUS_JSON_ARRAY, NAN, NULL, 0);
}


static int
ngx_status_json_on_key(void *ctx, const u_char *text, size_t len)
{
    ngx_status_json_reached(ctx);

    return ngx_status_json_key(ctx, text, len);
}


static int
ngx_status_json_on_close(void *ctx)
{
    ngx_status_json_reached(ctx);

    return ngx_status_json_close(ctx);
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
