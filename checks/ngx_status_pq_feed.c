
/*
 * Copyright (C) ngx_status_module authors
 */


#include <ngx_config.h>

#if (NGX_STATUS_PQ)

#include "ngx_status_pq.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>


ngx_int_t
ngx_status_pq_feed_begin(ngx_status_pq_feed_t *feed, int sock)
{
    int          n, pair[2];
    struct stat  st;

    if (socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0, pair)
        == -1)
    {
        return NGX_ERROR;
    }

    feed->pipe = pair[0];
    feed->fd = fcntl(sock, F_DUPFD_CLOEXEC, 0);

    if (feed->fd == -1 || fstat(pair[1], &st) == -1
        || dup3(pair[1], sock, O_CLOEXEC) == -1)
    {
        if (feed->fd != -1) {
            (void) close(feed->fd);
        }

        (void) close(pair[0]);
        (void) close(pair[1]);
        return NGX_ERROR;
    }

    (void) close(pair[1]);

    n = 2 * NGX_STATUS_PQ_PIECE;
    (void) setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &n, sizeof(int));

    feed->dev = st.st_dev;
    feed->ino = st.st_ino;
    feed->on = 1;

    return NGX_OK;
}


ngx_uint_t
ngx_status_pq_feed_lost(const ngx_status_pq_feed_t *feed, int sock)
{
    struct stat  st;

    return feed->on && (fstat(sock, &st) == -1 || st.st_dev != feed->dev
                        || st.st_ino != feed->ino);
}


size_t
ngx_status_pq_feed_in(ngx_status_pq_feed_t *feed)
{
    u_char   bytes[NGX_STATUS_PQ_PIECE];
    ssize_t  n;

    if (feed->eof) {
        return 0;
    }

    do {
        n = recv(feed->fd, bytes, sizeof(bytes), 0);
    } while (n == -1 && errno == EINTR);

    if (n == -1 && errno == EAGAIN) {
        return 0;
    }

    feed->error = n == -1 ? errno : 0;

    /* libpq has read all that was there */

    if (n > 0) {

        if (send(feed->pipe, bytes, n, MSG_NOSIGNAL) == n) {
            return n;
        }

        feed->error = ENOBUFS;
    }

    feed->eof = 1;
    (void) shutdown(feed->pipe, SHUT_WR);

    return 0;
}


ngx_uint_t
ngx_status_pq_feed_left(int sock)
{
    int  n;

    n = 0;

    return ioctl(sock, FIONREAD, &n) == 0 && n > 0;
}


ngx_uint_t
ngx_status_pq_feed_out(ngx_status_pq_feed_t *feed)
{
    ssize_t  n;

    for ( ;; ) {

        if (feed->len == 0) {
            n = recv(feed->pipe, feed->out, sizeof(feed->out), 0);

            if (n <= 0) {
                return 0;
            }

            feed->len = n;
        }

        n = send(feed->fd, feed->out, feed->len, MSG_NOSIGNAL);

        if (n == -1) {

            if (errno == EINTR) {
                continue;
            }

            if (errno == EAGAIN) {
                return 1;
            }

            /* reading will tell why, perhaps in the server's words */

            n = feed->len;
        }

        feed->len -= n;
        ngx_memmove(feed->out, feed->out + n, feed->len);
    }
}


void
ngx_status_pq_feed_end(ngx_status_pq_feed_t *feed)
{
    if (!feed->on) {
        return;
    }

    /* the last word of libpq's, a good-bye */

    (void) ngx_status_pq_feed_out(feed);

    (void) close(feed->fd);
    (void) close(feed->pipe);

    ngx_memzero(feed, sizeof(ngx_status_pq_feed_t));
}

#endif
