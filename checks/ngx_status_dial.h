
/*
 * Copyright (C) ngx_status_module authors
 *
 * From a check's host and port to a connected socket, for types that do not
 * probe through libcurl: the name looked up in a thread, its addresses tried
 * one after the other, none of it blocking.  Checker only.
 */


#ifndef _NGX_STATUS_DIAL_H_INCLUDED_
#define _NGX_STATUS_DIAL_H_INCLUDED_


#include "ngx_status_probe.h"
#include "ngx_status_resolve.h"
#include "../ngx_status_module/ngx_status_loop.h"


#define NGX_STATUS_DIAL_ADDRS  8         /* addresses tried at most */


typedef struct ngx_status_dial_s  ngx_status_dial_t;

struct ngx_status_dial_s {

    /* the caller's, who zeroes all the rest */
    ngx_status_probe_t      *probe;      /* host, port, "resolve", "family",
                                            timeout are its check's */
    ngx_uint_t               lookup;     /* the address is all that is wanted */
    void                   (*done)(ngx_status_dial_t *d);
    void                    *data;

    /*
     * The answer, for done(): either all of ev is zero, and fd is a
     * non-blocking connected socket, now the caller's (-1 for a lookup), or
     * ev says what happened.  Times go into probe->result.phases, and the
     * phase that it has come to, in any case.
     */
    ngx_status_evidence_t    ev;
    int                      fd;
    struct sockaddr_storage  addr;
    socklen_t                addr_len;
    char                     text[NGX_SOCKADDR_STRLEN];    /* of the address,
                                            without its port */
    ngx_status_phase_e       phase;

    /* inside */
    struct sockaddr_storage  addrs[NGX_STATUS_DIAL_ADDRS];
    socklen_t                addr_lens[NGX_STATUS_DIAL_ADDRS];
    ngx_uint_t               naddrs;
    ngx_uint_t               next;
    ngx_status_resolve_t     resolve;
    struct ngx_status_dial_lookup_s  *asking;
    ngx_status_watch_t       watch;
    ngx_event_t              timer;
    int64_t                  began;      /* us; this phase */
};


/* Once a checker process; again is harmless.  For a type's init(). */
void ngx_status_dial_init(ngx_log_t *log);

/*
 * Begins; done() is called once, from the loop, never from within.  The
 * family (AF_UNSPEC, AF_INET, AF_INET6) is what the type made of its
 * "family" option, ngx_status_dial_family() at conf() time.
 */
void ngx_status_dial(ngx_status_dial_t *d, int family);

/* Ends it early, without done(); harmless at any time, also before it began
 * and after its end. */
void ngx_status_dial_stop(ngx_status_dial_t *d);

int ngx_status_dial_family(const ngx_status_check_t *check);

/* NGX_ERROR with a sentence: the peer is an address of another family.
 * Master, for conf(). */
ngx_int_t ngx_status_dial_fits(const char *peer, int family, char *err,
    size_t errlen);

#define ngx_status_dial_failed(d)                                            \
    ((d)->ev.fault || (d)->ev.error || (d)->ev.timed_out)


#endif /* _NGX_STATUS_DIAL_H_INCLUDED_ */
