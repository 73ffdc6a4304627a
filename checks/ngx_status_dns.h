
/*
 * Copyright (C) ngx_status_module authors
 *
 * Answers of the DNS [RFC 1035] as text.  Pure.
 */


#ifndef _NGX_STATUS_DNS_H_INCLUDED_
#define _NGX_STATUS_DNS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


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


#endif /* _NGX_STATUS_DNS_H_INCLUDED_ */
