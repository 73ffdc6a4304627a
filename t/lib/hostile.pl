#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# The server that everything has to survive:  perl t/lib/hostile.pl PORT
#
# One process, any number of connections at once, 127.0.0.1 only.  PORT 0
# takes a free one; the first line of output is "listening on PORT".  It ends
# when its standard input (a pipe, say) closes or its parent dies.
#
#   /ok  /slow?ms=200  /status?code=503  /body?text=...  /json?text=...
#   /echo                    method, path, headers and body of the request
#   /flaky?n=3               every third answer is a 503
#   /bot?code=403            a bot wall
#   /204  /chunked  /gzip?text=...
#   /lighthouse?n=2          the reports of t/data/lighthouse in turn, or one
#   /history                 scores of these, oldest first
#   /hits                    how often each path was asked for, in JSON
#   /redirect?n=3            so many redirects, then an answer
#   /redirect?to=URL         one;  /loop: for ever
#   /never                   accepts and never answers
#   /hang                    stops in the middle of the body
#   /trickle?ms=1000         one byte a second, for ever
#   /trickle-header          likewise, of a header
#   /huge                    10 GB;  /bomb: a few kB that unpack to 1 GB
#   /reset  /reset-body      RST before, and in the middle of, the answer
#   /empty  /early-close     end of connection there
#   /header-1m  /headers-1m  one line, or many, of 1 MB together
#   /headers-http            likewise, and each looks like a status line
#   /continue                100 Continue, for ever
#   /deep-json?n=10000  /bad-json  /bad-chunk  /bad-gzip  /not-http

use strict;
use warnings;

use Compress::Raw::Zlib;
use Errno qw(EAGAIN EINTR);
use File::Basename ();
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY SOMAXCONN);
use Time::HiRes qw(time);

use constant {
    MAX_REQUEST => 4 << 20,
    PIECE       => 65536,
};

my $port = shift // die "usage: hostile.pl PORT\n";
my $data = File::Basename::dirname(__FILE__) . '/../data/lighthouse';
my $parent = getppid;

$SIG{PIPE} = 'IGNORE';

my $listen = IO::Socket::INET->new(
    LocalAddr => '127.0.0.1', LocalPort => $port, Proto => 'tcp',
    Listen => SOMAXCONN, ReuseAddr => 1, Blocking => 0,
) or die "port $port: $@\n";

$| = 1;
print 'listening on ', $listen->sockport, "\n";

# What standard input is when nobody holds the other end of it does not count.
my $watch = -p STDIN || -S STDIN;

my %conns;                         # by file descriptor
my %hits;
my $turn = 0;                      # of /lighthouse
my @reports;


my %paths = (
    '/ok'      => sub { answer($_[0], "ok\n") },
    '/slow'    => sub { wait_for($_[0], arg($_[0], 'ms', 200) / 1000);
                        answer($_[0], "slow\n") },
    '/status'  => sub { my $code = arg($_[0], 'code', 503);
                        answer($_[0], "status $code\n", code => $code) },
    '/body'    => sub { answer($_[0], arg($_[0], 'text', '')) },
    '/json'    => sub { answer($_[0], arg($_[0], 'text', '{}'),
                               type => 'application/json') },
    '/bot'     => sub { answer($_[0], '<html><title>Just a moment...</title>'
                               . "<p>Checking your browser</html>\n",
                               code => arg($_[0], 'code', 403),
                               type => 'text/html') },
    '/204'     => sub { send_raw($_[0], "HTTP/1.1 204 No Content\r\n\r\n") },
    '/flaky'   => sub { my $n = arg($_[0], 'n', 3);
                        my $bad = $hits{'/flaky'} % $n == 0;
                        answer($_[0], $bad ? "bad\n" : "good\n",
                               code => $bad ? 503 : 200) },
    '/echo'    => sub { my $r = $_[0]{request};
                        answer($_[0], "$r->{method} $r->{target}\n$r->{head}"
                               . "\n$r->{body}") },
    '/hits'    => sub { answer($_[0], '{' . join(',', map { "\"$_\":$hits{$_}" }
                                                 sort keys %hits) . "}\n",
                               type => 'application/json') },
    '/lighthouse' => sub { my $n = arg($_[0], 'n', $turn++ % 5 + 1);
                           answer($_[0], report($n),
                                  type => 'application/json') },
    '/history' => sub { answer($_[0], '{"series":[' . join(',', map {
                            my ($score) = report($_)
                                =~ /"id": "seo".{0,200}?"score": ([\d.]+)/s;
                            '{"score":' . ($score // 'null') . '}' } 1 .. 5)
                            . "]}\n", type => 'application/json') },
    '/chunked' => sub { send_raw($_[0], header(200, 'text/plain',
                            'Transfer-Encoding: chunked')
                            . "3\r\nchu\r\n4\r\nnked\r\n0\r\n\r\n") },
    '/gzip'    => sub { answer($_[0], gzip(arg($_[0], 'text', 'packed')),
                               more => 'Content-Encoding: gzip') },

    '/redirect' => sub {
        my $n = arg($_[0], 'n', 0);
        my $to = arg($_[0], 'to', $n > 0 ? '/redirect?n=' . ($n - 1) : '');
        $to eq '' ? answer($_[0], "arrived\n")
                  : answer($_[0], "moved\n", code => 302,
                           more => "Location: $to");
    },
    '/loop'    => sub { answer($_[0], "loop\n", code => 302,
                               more => 'Location: /loop') },

    '/never'   => sub { wait_for($_[0], 1e9) },
    '/hang'    => sub { send_raw($_[0], header(200, 'text/plain',
                            'Content-Length: 1000') . 'half');
                        wait_for($_[0], 1e9) },
    '/trickle' => sub { my ($c) = @_;
                        my $pause = arg($c, 'ms', 1000) / 1000;
                        send_raw($c, header(200, 'text/plain',
                                            'Content-Length: 1000000'));
                        forever($c, sub { send_raw($c, '.');
                                          wait_for($c, $pause) }) },
    '/trickle-header' => sub { my ($c) = @_;
                        my $pause = arg($c, 'ms', 1000) / 1000;
                        send_raw($c, "HTTP/1.1 200 OK\r\nX-Slow: ");
                        forever($c, sub { send_raw($c, '.');
                                          wait_for($c, $pause) }) },
    '/huge'    => sub { my ($c) = @_;
                        my $piece = 'x' x PIECE;
                        send_raw($c, header(200, 'text/plain',
                                            'Content-Length: 10737418240'));
                        forever($c, sub { send_raw($c, $piece) }) },
    '/bomb'    => sub { my ($c) = @_;
                        my ($head, $megabyte) = bomb();
                        send_raw($c, header(200, 'text/plain',
                                            'Content-Encoding: gzip',
                                            'Connection: close') . $head);
                        send_raw($c, $megabyte) for 1 .. 1024;
                        close_it($c) },
    '/continue' => sub { my ($c) = @_;
                         forever($c, sub {
                             send_raw($c, "HTTP/1.1 100 Continue\r\n"
                                          . 'X-Pad: ' . 'p' x 1000
                                          . "\r\n\r\n") }) },

    '/reset'      => sub { reset_it($_[0]) },
    '/reset-body' => sub { send_raw($_[0], header(200, 'text/plain',
                               'Content-Length: 100000') . 'x' x 5000);
                           wait_for($_[0], 0.1);
                           reset_it($_[0]) },
    '/empty'      => sub { close_it($_[0]) },
    '/early-close' => sub { send_raw($_[0], header(200, 'text/plain',
                                'Content-Length: 100') . 'x' x 12);
                            close_it($_[0]) },

    '/header-1m'  => sub { answer($_[0], "big\n",
                                  more => 'X-Big: ' . 'b' x (1 << 20)) },
    '/headers-1m' => sub { answer($_[0], "big\n",
                                  more => join("\r\n", map {
                                      "X-Big-$_: " . 'b' x 1000 } 1 .. 1024)) },
    '/headers-http' => sub { answer($_[0], "big\n",
                                  more => join("\r\n", map {
                                      "HTTP/1.1 404 X-$_: " . 'b' x 1000
                                  } 1 .. 1024)) },

    '/deep-json' => sub { my $n = arg($_[0], 'n', 10000);
                          answer($_[0], '[' x $n . ']' x $n,
                                 type => 'application/json') },
    '/bad-json'  => sub { answer($_[0], '{"status":"ok","score":92,,}',
                                 type => 'application/json') },
    '/bad-chunk' => sub { send_raw($_[0], header(200, 'text/plain',
                              'Transfer-Encoding: chunked')
                              . "zz\r\nchunk\r\n0\r\n\r\n") },
    '/bad-gzip'  => sub { answer($_[0], 'this is not packed',
                                 more => 'Content-Encoding: gzip') },
    '/not-http'  => sub { send_raw($_[0], "SSH-2.0-OpenSSH_9.2\r\n");
                          close_it($_[0]) },
);


# ------------------------------------------------------------------ the loop

while (1) {
    my $now = time;
    my $timeout = 1;
    my ($in, $out) = ('', '');

    vec($in, fileno $listen, 1) = 1;
    vec($in, fileno STDIN, 1) = 1 if $watch;

    for my $fd (keys %conns) {
        my $c = $conns{$fd};
        run($c, $now);
        next unless $conns{$fd};

        vec($in, $fd, 1) = 1;
        vec($out, $fd, 1) = 1 if length $c->{out};

        if ($c->{wake} && $c->{wake} - $now < $timeout) {
            $timeout = $c->{wake} > $now ? $c->{wake} - $now : 0;
        }
    }

    my $n = select($in, $out, undef, $timeout);
    exit 0 if getppid != $parent;
    next if $n <= 0;

    if ($watch && vec($in, fileno STDIN, 1)) {
        sysread(STDIN, my $unused, 4096) or exit 0;
    }

    if (vec($in, fileno $listen, 1)) {
        while (my $sock = $listen->accept) {
            $sock->blocking(0);
            setsockopt($sock, IPPROTO_TCP, TCP_NODELAY, 1);
            $conns{fileno $sock} = { sock => $sock, fd => fileno $sock,
                                     in => '', out => '', steps => [] };
        }
    }

    for my $fd (keys %conns) {
        my $c = $conns{$fd};
        receive($c) if vec($in, $fd, 1);
        flush_out($c) if $conns{$fd} && vec($out, $fd, 1);
    }
}


sub receive {
    my ($c) = @_;

    my $n = sysread $c->{sock}, $c->{in}, PIECE, length $c->{in};

    if (!defined $n) {
        drop($c) unless $! == EAGAIN || $! == EINTR;
    } elsif ($n == 0 || length $c->{in} > MAX_REQUEST) {
        drop($c);
    }
}


# Goes on with a connection: sends, waits, or looks for the next request.

sub run {
    my ($c, $now) = @_;

    while ($conns{$c->{fd}}) {
        return if length $c->{out};
        return if $c->{wake} && $c->{wake} > $now;
        $c->{wake} = 0;

        if (my $step = shift @{ $c->{steps} }) {
            $step->();
            flush_out($c) if $conns{$c->{fd}} && length $c->{out};
            next;
        }

        if ($c->{last}) {
            return drop($c);
        }

        parse($c) or return;
    }
}


sub parse {
    my ($c) = @_;

    if ($c->{in} =~ /^[^A-Z]/) {                       # TLS, for example
        send_raw($c, header(400, 'text/plain', 'Connection: close'));
        $c->{last} = 1;
        $c->{in} = '';
        return 1;
    }

    my $end = index $c->{in}, "\r\n\r\n";
    return 0 if $end < 0;

    my ($line, $head) = split /\r\n/, substr($c->{in}, 0, $end) . "\r\n", 2;
    my ($method, $target) = split / /, $line;
    my ($length) = $head =~ /^content-length: *(\d+)/im;
    $length //= 0;

    return 0 if length $c->{in} < $end + 4 + $length;

    $c->{request} = {
        method => $method, target => $target, head => $head,
        body => substr($c->{in}, $end + 4, $length),
    };
    substr($c->{in}, 0, $end + 4 + $length) = '';

    $c->{last} = 1 if $head =~ /^connection: *close/im
                      || $line !~ m{HTTP/1\.1$};

    my ($path, $query) = split /\?/, $target // '/', 2;
    $c->{args} = { map { my ($k, $v) = split /=/, $_, 2;
                         $v = defined $v ? $v : '';
                         $v =~ tr/+/ /;
                         $v =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge;
                         ($k => $v) } split /&/, $query // '' };

    $hits{$path}++ if $paths{$path};
    ($paths{$path} || sub { answer($_[0], "not found\n", code => 404) })->($c);

    return 1;
}


sub flush_out {
    my ($c) = @_;

    my $n = syswrite $c->{sock}, $c->{out};

    if (!defined $n) {
        drop($c) unless $! == EAGAIN || $! == EINTR;
    } else {
        substr($c->{out}, 0, $n) = '';
    }
}


sub drop {
    my ($c) = @_;
    delete $conns{$c->{fd}};
    close $c->{sock};
    $c->{steps} = [];              # they hold $c
}


# ---------------------------------------------------- what a path is made of

sub send_raw {
    my ($c, $text) = @_;
    push @{ $c->{steps} }, sub { $c->{out} .= $text };
}


sub wait_for {
    my ($c, $seconds) = @_;
    push @{ $c->{steps} }, sub { $c->{wake} = time + $seconds };
}


sub forever {
    my ($c, $sub) = @_;
    push @{ $c->{steps} }, sub { $sub->(); forever($c, $sub) };
}


sub close_it {
    my ($c) = @_;
    push @{ $c->{steps} }, sub { drop($c) };
}


sub reset_it {
    my ($c) = @_;
    push @{ $c->{steps} }, sub {
        setsockopt $c->{sock}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
        drop($c);
    };
}


sub header {
    my ($code, $type, @more) = @_;
    return join("\r\n", "HTTP/1.1 $code Status", "Content-Type: $type", @more)
           . "\r\n\r\n";
}


sub answer {
    my ($c, $body, %opt) = @_;
    my $text = header($opt{code} || 200, $opt{type} || 'text/plain',
                      'Content-Length: ' . length $body,
                      defined $opt{more} ? $opt{more} : (),
                      $c->{last} ? 'Connection: close' : ());

    $text .= $body unless $c->{request}{method} eq 'HEAD';
    send_raw($c, $text);
}


sub arg {
    my ($c, $name, $default) = @_;
    return $c->{args}{$name} // $default;
}


sub report {
    my ($n) = @_;
    return $reports[$n] //= do {
        open my $f, '<:raw', "$data/$n.json" or return '{}';
        local $/;
        scalar <$f>;
    };
}


sub gzip {
    my ($text) = @_;
    my ($d) = Compress::Raw::Zlib::Deflate->new(-WindowBits => WANT_GZIP,
                                                -AppendOutput => 1);
    my $out = '';
    $d->deflate($text, $out);
    $d->flush($out);
    return $out;
}


# After a full flush the next block stands alone: one MB of zeros, packed,
# may be sent again and again.

sub bomb {
    our @bomb;

    if (!@bomb) {
        my ($d) = Compress::Raw::Zlib::Deflate->new(-WindowBits => WANT_GZIP,
                                                    -AppendOutput => 1);
        my $zeros = "\0" x (1 << 20);
        my ($head, $block) = ('', '');

        $d->deflate($zeros, $head);
        $d->flush($head, Z_FULL_FLUSH);
        $d->deflate($zeros, $block);
        $d->flush($block, Z_FULL_FLUSH);
        @bomb = ($head, $block);
    }

    return @bomb;
}
