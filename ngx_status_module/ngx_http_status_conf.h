
/*
 * Copyright (C) ngx_status_module authors
 *
 * What the conf*.c files share; nobody else includes this.
 */


#ifndef _NGX_HTTP_STATUS_CONF_H_INCLUDED_
#define _NGX_HTTP_STATUS_CONF_H_INCLUDED_


#include "ngx_http_status.h"


/*
 * The levels of "status_monitor { group { check { } } }" as context flags of
 * commands; http modules use none of these bits.
 */

#define NGX_HTTP_STATUS_MONITOR  0x00100000
#define NGX_HTTP_STATUS_GROUP    0x00200000
#define NGX_HTTP_STATUS_CHECK    0x00400000
#define NGX_HTTP_STATUS_ANY                                                  \
    (NGX_HTTP_STATUS_MONITOR|NGX_HTTP_STATUS_GROUP|NGX_HTTP_STATUS_CHECK)


typedef struct ngx_http_status_scope_s  ngx_http_status_scope_t;


/*
 * What one block sets.  A directive fills "check" through the offset of its
 * field, at whatever level it stands; when the monitor's block has ended,
 * each scope takes what it lacks from the one around it, and the "check" of
 * the innermost is then the configured check.
 */

struct ngx_http_status_scope_s {
    ngx_str_node_t            node;      /* of a check: by its ID */
    ngx_status_check_t        check;
    ngx_array_t               conds;     /* of ngx_status_cond_t */
    ngx_array_t               bots;      /* of ngx_str_t */
    ngx_array_t               secrets;   /* of ngx_str_t */

    ngx_http_status_scope_t  *outer;     /* NULL: a monitor's */
    ngx_http_status_scope_t  *monitor;   /* itself, of a monitor's */
    ngx_uint_t                level;     /* NGX_HTTP_STATUS_* */
    ngx_uint_t                group;     /* index in "groups" */
    char                     *scored;    /* a directive of its own that has
                                            no sense without "score" */
    const char               *stray;     /* one that its type has no use for;
                                            NULL: none */
    u_char                   *file;      /* where the block begins */
    ngx_uint_t                line;

    /* a monitor's only */
    ngx_uint_t                max_in_flight;
    ngx_uint_t                max_per_host;
    size_t                    zone_size;
    ngx_status_history_conf_t history;   /* a rung of 0 was not set */
    ngx_str_t                 template;  /* directory with its slash */
    ngx_status_store_conf_t   store;
    ngx_status_export_conf_t  export;
    ngx_status_archive_conf_t archive;
    ngx_array_t              *sentinels; /* of ngx_str_t: IDs; or NULL */
    ngx_uint_t                sentinel_line;
    ngx_array_t               groups;    /* of ngx_status_group_t; the first
                                            is of checks outside a group */
    ngx_array_t               scopes;    /* of groups' and checks' scopes *,
                                            in order of appearance */
    ngx_rbtree_t              ids;
    ngx_rbtree_node_t         sentinel;
};


#define NGX_HTTP_STATUS_ERR       512     /* bytes of a sentence, its NUL too */


/* A directive of one number says as its "post" what is allowed. */

typedef enum {
    NGX_HTTP_STATUS_COUNT = 0,
    NGX_HTTP_STATUS_TIME,                /* ms */
    NGX_HTTP_STATUS_SIZE                 /* bytes */
} ngx_http_status_number_e;


typedef struct {
    ngx_http_status_number_e  kind;
    ngx_int_t                 min;
    ngx_int_t                 max;
    const char               *allowed;   /* for the message */
} ngx_http_status_bounds_t;


/*
 * Logs "invalid NAME "WORD", expected ALLOWED" with nginx's file and line;
 * returns NGX_CONF_ERROR.
 */

char *ngx_http_status_invalid(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *word, const char *allowed);

/* NGX_OK when the text is not empty, printable UTF-8 and short enough. */
ngx_int_t ngx_http_status_printable(ngx_str_t *text);

/* NGX_OK when the text holds no control character but tabs. */
ngx_int_t ngx_http_status_controls(ngx_str_t *text);

#define NGX_HTTP_STATUS_AN_ID                                                \
    "an ID of 1 to 63 characters of A-Z a-z 0-9 . _ - that does not begin "  \
    "with a dot"

/* NGX_OK when the text can be an ID or a monitor's or a template's name. */
ngx_int_t ngx_http_status_id(ngx_str_t *id);


/* Setters of conf_check.c; set_number has its bounds as "post". */

char *ngx_http_status_set_number(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_status_set_text(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_status_set_was(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_status_set_role(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_status_set_uptime(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_status_set_method(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_status_set_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_status_set_body(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_status_set_resolve(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_status_set_cond(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_status_set_bot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_status_set_score(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_status_set_score_history(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_status_set_delta(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* conf_option.c */

ngx_int_t ngx_http_status_merge_settings(const ngx_status_check_t *prev,
    ngx_status_check_t *conf);


/* conf_file.c */

char *ngx_http_status_set_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_status_set_tls_cert(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_status_set_template(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Replaces a value that names a file or a variable by what is in it, to be
 * wiped with the pool; errors are logged. */
ngx_int_t ngx_http_status_secret(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value);
void ngx_http_status_keep_environ(void);

/* Notes that a text, NUL-terminated, is not to be shown.  Very short ones
 * would hide other things. */
ngx_int_t ngx_http_status_hide(ngx_http_status_scope_t *scope,
    const ngx_str_t *text);

/* Compiles the template of a monitor; NULL is logged. */
ngx_status_template_t *ngx_http_status_template(ngx_conf_t *cf,
    ngx_http_status_scope_t *scope, char *name,
    const ngx_status_field_t *fields);


/*
 * conf_merge.c.  merge() gives "conf" what it lacks of "prev".  finish()
 * makes a merged check's scope into the check: default conditions, limits
 * that hold between directives, what its type says.  Errors are logged.
 */

ngx_int_t ngx_http_status_merge(ngx_conf_t *cf, ngx_http_status_scope_t *prev,
    ngx_http_status_scope_t *conf);
ngx_int_t ngx_http_status_finish(ngx_conf_t *cf,
    ngx_http_status_scope_t *scope);


/*
 * conf_dir.c: has nginx make a directory and give it to the user of its
 * processes.  "data" says whose it is: nobody else's path may be the same.
 * error() tells what is wrong with one, "what" with a %s or %V for "name";
 * always NGX_ERROR.
 */

typedef struct {
    const char               *directive;
    const ngx_str_t          *name;      /* full path */
    const char               *expected;
    ngx_uint_t                readable;  /* by all */
    u_char                   *conf_file;
    ngx_uint_t                line;
} ngx_http_status_dir_t;

#define NGX_HTTP_STATUS_DIR_OWN                                              \
    "one that is of this monitor alone, in a directory that is there"

ngx_int_t ngx_http_status_dir(ngx_conf_t *cf,
    const ngx_http_status_dir_t *dir, void *data);
ngx_int_t ngx_http_status_dir_error(ngx_conf_t *cf,
    const ngx_http_status_dir_t *dir, ngx_err_t err, const char *what,
    const void *name);


/* conf_store.c; stores() finds out where each monitor's is. */

char *ngx_http_status_set_state(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_status_set_store(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_status_stores(ngx_conf_t *cf,
    ngx_http_status_main_conf_t *mcf);


/* conf_export.c; exports() makes the directories. */

char *ngx_http_status_set_export(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_status_exports(ngx_conf_t *cf,
    ngx_http_status_main_conf_t *mcf);


/* conf_archive.c; archives() has nginx make the directories, after that of
 * the stores. */

char *ngx_http_status_set_archive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_status_archives(ngx_conf_t *cf,
    ngx_http_status_main_conf_t *mcf);


/* conf_monitor.c: makes the monitor of a block that has ended. */

char *ngx_http_status_set_history(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_status_set_sentinel(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

ngx_int_t ngx_http_status_build(ngx_conf_t *cf,
    ngx_http_status_scope_t *scope, ngx_status_monitor_t *monitor);


/* conf_location.c */

char *ngx_http_status_location(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* conf_push.c: the checks that take heartbeats and the inbox for them; then,
 * when all locations have their monitors, what runs for a "status_push". */

ngx_int_t ngx_http_status_build_pushed(ngx_conf_t *cf,
    ngx_http_status_scope_t *scope, ngx_status_monitor_t *monitor);
ngx_int_t ngx_http_status_push_locations(ngx_conf_t *cf,
    ngx_http_status_main_conf_t *mcf);


#endif /* _NGX_HTTP_STATUS_CONF_H_INCLUDED_ */
