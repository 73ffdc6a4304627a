
/*
 * Copyright (C) ngx_status_module authors
 *
 * What the DNS is asked, and its answers [RFC 1035] as text.  All but conf()
 * is pure.
 */


#ifndef _NGX_STATUS_DNS_H_INCLUDED_
#define _NGX_STATUS_DNS_H_INCLUDED_


#include "ngx_status_check.h"


#define NGX_STATUS_DNS_TEXT  4096        /* bytes of all records' text */


/* The words of "?type=", with their numbers; ends with an empty one. */

typedef struct {
    ngx_str_t     name;
    ngx_uint_t    number;
} ngx_status_dns_type_t;

extern const ngx_status_dns_type_t  ngx_status_dns_types[];


typedef struct {
    const char   *rcode;                 /* "NOERROR", "NXDOMAIN" ... */
    ngx_uint_t    nrecords;              /* of the type, all of them */
    size_t        len;                   /* of text */
    u_char        text[NGX_STATUS_DNS_TEXT];     /* the records, as far as
                                            there is room, parted by LF, as in
                                            a zone file but for the dot behind
                                            names, which is left out */
} ngx_status_dns_answer_t;


/* NGX_ERROR: this is no answer, with what is wrong in "err". */

ngx_int_t ngx_status_dns_parse(const u_char *data, size_t len,
    ngx_uint_t type, ngx_status_dns_answer_t *answer, const char **err);


typedef struct {
    char                   *name;        /* that is asked for */
    const char             *type;        /* "A" */
    ngx_uint_t              number;      /* 1 */
    int                     family;
    ngx_uint_t              asked;       /* there is a condition on what comes
                                            or on the rcode */
} ngx_status_dns_conf_t;

/* The type's conf(). */
ngx_int_t ngx_status_dns_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    char *err, size_t errlen);


#endif /* _NGX_STATUS_DNS_H_INCLUDED_ */
