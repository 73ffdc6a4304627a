
/*
 * Copyright (C) ngx_status_module authors
 *
 * MQTT 3.1.1: a session that leaves nothing behind, and in it a ping, or a
 * subscription where the URL names a topic, and the first message of it where
 * somebody asks what that is.
 */


#include "ngx_status_talk.h"


#define NGX_STATUS_MQTT_ID        23     /* bytes of our name */
#define NGX_STATUS_MQTT_ALIVE     60     /* s that it may be silent; or as
                                            long as a probe takes */

#define NGX_STATUS_MQTT_CLEAN     0x02
#define NGX_STATUS_MQTT_PASSWORD  0x40
#define NGX_STATUS_MQTT_USER      0x80

#define NGX_STATUS_MQTT_CONNACK   0x20
#define NGX_STATUS_MQTT_PUBLISH   0x30
#define NGX_STATUS_MQTT_SUBACK    0x90
#define NGX_STATUS_MQTT_PINGRESP  0xd0


static u_char *ngx_status_mqtt_header(u_char *p, u_char type, size_t len);
static ngx_int_t ngx_status_mqtt_packet(ngx_status_talk_t *t,
    const u_char *p, size_t len, size_t kept);
static ngx_int_t ngx_status_mqtt_connected(ngx_status_talk_t *t,
    ngx_uint_t code);
static ngx_int_t ngx_status_mqtt_message(ngx_status_talk_t *t,
    const u_char *p, size_t len, size_t kept);
static ngx_int_t ngx_status_mqtt_odd(ngx_status_talk_t *t);


/* Why a connection is refused, from 1 on; 3.2.2.3. */

static const char  *ngx_status_mqtt_words[] = {
    "unacceptable protocol version",
    "identifier rejected",
    "server unavailable",
    "bad user name or password",
    "not authorized"
};


ngx_int_t
ngx_status_talk_mqtt_conf(ngx_pool_t *pool, ngx_status_check_t *check,
    ngx_status_talk_conf_t *conf, const ngx_str_t *path, char *err,
    size_t errlen)
{
    char        id[NGX_STATUS_MQTT_ID + 1];
    u_char     *p, *end, flags;
    ngx_str_t  *say;

    say = conf->say;

    if (path->len == 0 && conf->await) {
        snprintf(err, errlen, "the URL names no topic to get a message of, "
                 "expected %s://HOST/TOPIC", check->scheme.data);
        return NGX_ERROR;
    }

    ngx_str_set(&say[NGX_STATUS_SAY_ACT], "\xc0\x00");
    ngx_str_set(&say[NGX_STATUS_SAY_GOODBYE], "\xe0\x00");

    /* CONNECT [3.1], made from its end on */

    end = ngx_status_talk_room(pool, check->user.len + check->password.len);
    if (end == NULL) {
        return NGX_ERROR;
    }

    p = end;
    flags = NGX_STATUS_MQTT_CLEAN;

    if (check->password.len) {
        p = ngx_status_talk_before(p, check->password.data,
                                   check->password.len);
        p = ngx_status_talk_length(p, check->password.len);
        flags |= NGX_STATUS_MQTT_PASSWORD;
    }

    if (check->user.len) {
        p = ngx_status_talk_before(p, check->user.data, check->user.len);
        p = ngx_status_talk_length(p, check->user.len);
        flags |= NGX_STATUS_MQTT_USER;
    }

    /* a second client of the same name would end the first one's session;
     * every server takes 23 letters and digits */

    snprintf(id, sizeof(id), "ngxstatus%07x%07x",
             (unsigned) ngx_random() & 0xfffffff,
             (unsigned) ngx_random() & 0xfffffff);

    p = ngx_status_talk_before(p, id, NGX_STATUS_MQTT_ID);
    p = ngx_status_talk_length(p, NGX_STATUS_MQTT_ID);
    p = ngx_status_talk_length(p, ngx_max(NGX_STATUS_MQTT_ALIVE,
                                          check->timeout / 1000 + 1));
    *--p = flags;
    p = ngx_status_talk_before(p, "\x00\x04MQTT\x04", 7);
    p = ngx_status_mqtt_header(p, 0x10, end - p);

    say[NGX_STATUS_SAY_HELLO].data = p;
    say[NGX_STATUS_SAY_HELLO].len = end - p;

    if (path->len == 0) {
        return NGX_OK;
    }

    /* SUBSCRIBE [3.8], number 1, of messages that come once at most */

    end = ngx_status_talk_room(pool, path->len);
    if (end == NULL) {
        return NGX_ERROR;
    }

    p = ngx_status_talk_before(end, "\x00", 1);
    p = ngx_status_talk_before(p, path->data, path->len);
    p = ngx_status_talk_length(p, path->len);
    p = ngx_status_talk_length(p, 1);
    p = ngx_status_mqtt_header(p, 0x82, end - p);

    say[NGX_STATUS_SAY_SUBSCRIBE].data = p;
    say[NGX_STATUS_SAY_SUBSCRIBE].len = end - p;

    return NGX_OK;
}


/* A length is 7 bits a byte, the low ones first [2.2.3]; here up to 14. */

static u_char *
ngx_status_mqtt_header(u_char *p, u_char type, size_t len)
{
    if (len > 0x7f) {
        *--p = (u_char) (len >> 7);
        *--p = (u_char) (len | 0x80);

    } else {
        *--p = (u_char) len;
    }

    *--p = type;

    return p;
}


ngx_int_t
ngx_status_talk_mqtt(ngx_status_talk_t *t, const u_char **p,
    const u_char *last)
{
    size_t         length, kept;
    ngx_int_t      rc;
    ngx_uint_t     i;

    while (*p < last) {
        ngx_status_talk_put(t, *(*p)++);

        kept = ngx_min(t->len, t->conf->protocol->keep);
        length = 0;

        for (i = 1; i < kept && i < 5; i++) {
            length |= (size_t) (t->line[i] & 0x7f) << (i - 1) * 7;

            if ((t->line[i] & 0x80) == 0) {
                break;
            }
        }

        if (i == 5) {
            return ngx_status_mqtt_odd(t);
        }

        if (i++ == kept) {
            continue;
        }

        /* of a message it is enough to have what is kept */

        if (t->len < i + length
            && !(t->awaiting && t->len == t->conf->protocol->keep))
        {
            continue;
        }

        rc = ngx_status_mqtt_packet(t, t->line + i, length, kept - i);
        t->len = 0;

        if (rc != NGX_AGAIN || t->out) {
            return rc;
        }
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_status_mqtt_packet(ngx_status_talk_t *t, const u_char *p, size_t len,
    size_t kept)
{
    switch (t->line[0] & 0xf0) {

    case NGX_STATUS_MQTT_CONNACK:

        if (t->said != NGX_STATUS_SAY_HELLO || len != 2) {
            break;
        }

        return ngx_status_mqtt_connected(t, p[1]);

    case NGX_STATUS_MQTT_SUBACK:

        if (t->said != NGX_STATUS_SAY_SUBSCRIBE || t->awaiting || len != 3
            || p[0] != 0 || p[1] != 1)
        {
            break;
        }

        if (p[2] > 2) {
            return ngx_status_talk_refused(t, NGX_STATUS_E_STATUS,
                                           (u_char *) "failure", 7);
        }

        if (!t->conf->await) {
            return ngx_status_talk_done(t);
        }

        t->awaiting = 1;
        return NGX_AGAIN;

    case NGX_STATUS_MQTT_PUBLISH:

        /* it may come before the answer to the subscription; 3.8.4 */

        if (t->said != NGX_STATUS_SAY_SUBSCRIBE) {
            break;
        }

        return t->conf->await ? ngx_status_mqtt_message(t, p, len, kept)
                              : NGX_AGAIN;

    case NGX_STATUS_MQTT_PINGRESP:

        if (t->said != NGX_STATUS_SAY_ACT || len != 0) {
            break;
        }

        return ngx_status_talk_done(t);

    default:
        break;
    }

    return ngx_status_mqtt_odd(t);
}


static ngx_int_t
ngx_status_mqtt_connected(ngx_status_talk_t *t, ngx_uint_t code)
{
    char         text[64];
    size_t       n;
    const char  *word;

    if (code == 0) {
        ngx_status_talk_first(t, (u_char *) "connection accepted", 19);

        return ngx_status_talk_say(t,
                              t->conf->say[NGX_STATUS_SAY_SUBSCRIBE].data
                              ? NGX_STATUS_SAY_SUBSCRIBE : NGX_STATUS_SAY_ACT);
    }

    word = code <= sizeof(ngx_status_mqtt_words) / sizeof(char *)
           ? ngx_status_mqtt_words[code - 1] : "unknown code";

    n = snprintf(text, sizeof(text), "%u %s", (unsigned) code, word);
    ngx_status_talk_first(t, (u_char *) text, n);

    (void) ngx_status_talk_refused(t, code == 4 || code == 5
                                      ? NGX_STATUS_E_AUTH
                                      : NGX_STATUS_E_STATUS,
                                   (u_char *) text, n);

    /* the server closes; there is no session to say goodbye in */
    t->out = NULL;

    return NGX_ERROR;
}


/* Topic, identifier if its delivery is assured, and the message; 3.3. */

static ngx_int_t
ngx_status_mqtt_message(ngx_status_talk_t *t, const u_char *p, size_t len,
    size_t kept)
{
    size_t  topic;

    if (kept < 2) {
        return ngx_status_mqtt_odd(t);
    }

    topic = 2 + (p[0] << 8 | p[1]) + (t->line[0] & 0x06 ? 2 : 0);

    if (topic > len) {
        return ngx_status_mqtt_odd(t);
    }

    t->size = len - topic;

    topic = ngx_min(topic, kept);

    t->message.data = (u_char *) p + topic;
    t->message.len = kept - topic;

    ngx_status_talk_first(t, t->message.data, t->message.len);

    return ngx_status_talk_done(t);
}


static ngx_int_t
ngx_status_mqtt_odd(ngx_status_talk_t *t)
{
    return ngx_status_talk_fails(t, NGX_STATUS_E_PROTOCOL,
                                 "answer is not MQTT's");
}
