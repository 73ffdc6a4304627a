#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# A target that goes and comes back, again and again, seen by all schemes
# that it understands and by some that it does not; what is left over of that
# in the checker.  And of schemes with TLS or a unix socket, what other tests
# show of their plain relatives: slow, wrong, silent, reset.

use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep);

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Pki;

plan(skip_all => 'no openssl') if system('openssl version >/dev/null 2>&1');

my $t = NgxStatus->new;
my $target = NgxStatus->new;
my $dir = $t->dir;

my $pki = Pki->new($dir);
$pki->authority('own');
$pki->certificate('good', 'DNS:localhost,IP:127.0.0.1', 60 * 86400);

my $ssl = eval { require IO::Socket::SSL };
my ($redis) = grep { -x } map { "$_/redis-server" } split /:/, $ENV{PATH};


# -------------------------------------------------------------------- targets

my %port = map { $_ => $target->port($_) } 1 .. 2;
my $sock = $target->dir . '/app.sock';

$target->conf(<<"HTTP");
server { listen 127.0.0.1:%%PORT_1%%; listen unix:%%TESTDIR%%/app.sock;
         location / { return 200 fine; } }
server { listen 127.0.0.1:%%PORT_2%% ssl;
         ssl_certificate $dir/good.pem; ssl_certificate_key $dir/good.key;
         location / { return 200 fine; } }
HTTP

my $tls_redis;

sub redis_start {
    $tls_redis = $t->spawn($redis, '--port', 0, '--tls-port', $t->port(9),
        '--bind', '127.0.0.1', '--save', '', '--dir', $dir, '--appendonly',
        'no', '--tls-cert-file', "$dir/good.pem", '--tls-key-file',
        "$dir/good.key", '--tls-ca-cert-file', "$dir/own.pem",
        '--tls-auth-clients', 'no', '--requirepass', 'so-secret-it-is',
        '--logfile', '');
    return NgxStatus::wait_port($t->port(9), 5);
}

# one that is built without TLS ends at once
undef $redis if $redis && !redis_start();

SKIP: {
    skip('no redis-server with TLS', 1) if !$redis;
    pass('redis-server with TLS');
}
SKIP: {
    skip('no IO::Socket::SSL', 1) if !$ssl;
    pass('IO::Socket::SSL');
}


# ----------------------------------------------------------------------- rows

my (@rows, @peers);       # [ id, URL, directives, state, error, message ]
sub row { push @rows, [ @_ ] }

my $ca = 'tls_ca %%TESTDIR%%/own.pem; ';
my $get = 'send "GET / HTTP/1.0\r\n\r\n"; ';
my $slow = 'prefer latency < 0.001ms; ';
my @slow = ('degraded', 'latency', qr/^latency [\d.]+m?s, expected < 0.001ms$/);

my %url = (
    http  => "http://127.0.0.1:$port{1}/",
    https => "https://127.0.0.1:$port{2}/",
    unix  => "http+unix://$sock:/",
    tcp   => "tcp://127.0.0.1:$port{1}",
    tls   => "tls://127.0.0.1:$port{2}",
);
$url{rediss} = 'rediss://:so-secret-it-is@127.0.0.1:%%PORT_9%%' if $redis;

my %about = (
    https => $ca, tls => "$ca$get", tcp => $get, rediss => $ca,
);

for (sort keys %url) {
    my $about = $about{$_} // '';
    row("$_-slow", $url{$_}, "$about$slow"
        . (/t(cp|ls)$/ ? 'expect body contains fine;' : ''), @slow);
    row("$_-wrong", $url{$_}, $about . 'expect body contains other;',
        'down', 'content', qr/^body does not contain "other"/)
        if $_ ne 'rediss';
}
row('rediss-wrong', $url{rediss}, "${ca}expect info role == slave;",
    'down', 'value', qr/^info role is "master", expected == "slave"$/),
row('rediss-login', $url{rediss} =~ s/so-/no-/r, $ca, 'down', 'auth',
    qr/^AUTH failed: WRONGPASS /),
row('rediss-refused', 'rediss://127.0.0.1:%%PORT_1%%', $ca, 'down', 'connect',
    qr/^connection refused$/) if $redis;

# silent, or reset, once there is TLS

my @others = ([ https => 'https', '' ], [ tls => 'tls', $get
              . 'expect body contains x;' ], [ rediss => 'rediss', '' ]);

if ($ssl) {
    for (@others) {
        my ($id, $scheme, $more) = @$_;
        next if $scheme eq 'rediss' && !$redis;
        row("$id-mute", "$scheme://127.0.0.1:%%PORT_3%%", "$ca$more",
            'timeout', 'timeout',
            qr/^timed out after 1500 ms, while waiting for the answer$/);
        row("$id-reset", "$scheme://127.0.0.1:%%PORT_4%%", "$ca$more",
            'down', 'reset',
            qr/^connection reset while waiting for the answer$/);
        row("$id-shut", "$scheme://127.0.0.1:%%PORT_5%%", "$ca$more",
            'down', 'reset', qr/^connection closed while waiting for the answer$|^empty answer$/);
    }
}
row('unix-reset', 'http+unix://%%TESTDIR%%/reset.sock:/', '', 'down', 'reset',
    qr/^connection reset while waiting for the answer$|^empty answer$/);
row('unix-full', 'http+unix://%%TESTDIR%%/full.sock:/', '', 'down', 'connect',
    qr/^the socket's queue of connections is full$/);

my $checks = join '', map { "check $_->[0] \"$_->[1]\" { $_->[2] }\n" } @rows;

# those that see it go; what it is to the last of them does not matter

my @seen = sort keys %url;
my $goes = join '', map {
    "check $_ \"$url{$_}\" { " . ($about{$_} // '') . " }\n" } @seen;
$goes .= "check strange$_->[0] $_->[1]://127.0.0.1:$port{$_->[2]}$_->[3] { $_->[4] }\n"
    for [ 1, 'redis', 1, '', '' ], [ 2, 'postgresql', 1, '/x', '' ],
        [ 3, 'rediss', 2, '', $ca ], [ 4, 'postgresql', 2, '/x', '' ],
        [ 5, 'smtp', 1, '', '' ], [ 6, 'dns', 1, '/a.test', '' ],
        [ 7, 'tls', 1, '', '' ], [ 8, 'https', 1, '/', '' ],
        [ 9, 'http', 2, '/', 'expect status 400;' ],
        [ 10, 'https', 2, '/', '' ];

$t->conf(<<"HTTP");
status_monitor m {
    interval ${\(2 * NgxStatus::slowness())}s;
    timeout  1500ms;
    prefer   latency off;
    fall     1;
$checks
}
status_monitor goes {
    interval ${\(300 * NgxStatus::slowness())}ms;
    prefer   latency off;
    fall     1;
    max_per_host 100;
$goes
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
    location = /goes { status_json goes; }
}
HTTP

# TLS up to the first words

for ([ 3, sub { 1 while sysread $_[0], my $b, 4096 } ],
     [ 4, sub { my ($s) = @_;
                setsockopt $s, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
                $s->close(SSL_no_shutdown => 1) } ],
     [ 5, sub { $_[0]->close(SSL_no_shutdown => 1) } ])
{
    my ($n, $end) = @$_;
    next if !$ssl;
    my $listen = $t->listen_on($n);
    $t->daemon(sub {
        while (1) {
            my $s = $listen->accept or next;
            my $pid = fork // next;
            if ($pid) { close $s; next }
            $s = IO::Socket::SSL->start_SSL($s, SSL_server => 1,
                SSL_cert_file => "$dir/good.pem",
                SSL_key_file => "$dir/good.key") or POSIX::_exit(1);
            sysread $s, my $b, 4096;
            $end->($s);
            POSIX::_exit(0);
        }
    });
    close $listen;
}

my $listen = IO::Socket::UNIX->new(Local => "$dir/reset.sock", Listen => 16)
    or die $!;
chmod 0777, "$dir/reset.sock";
$t->daemon(sub { while (my $s = $listen->accept) { sysread $s, my $b, 1;
                                                   close $s } });
close $listen;

my $full = IO::Socket::UNIX->new(Local => "$dir/full.sock", Listen => 1)
    or die $!;
chmod 0777, "$dir/full.sock";
my @queued = map { IO::Socket::UNIX->new(Peer => "$dir/full.sock",
                                         Blocking => 0) } 1 .. 4;


# -------------------------------------------------------------------- running

$target->run;
$t->run;

$t->rows_ok('/m', \@rows, [qw(error_class message)]);


# ------------------------------------------------------------ again and again

my $pid = $t->checker;

sub memory { return ($t->read_file("/proc/$pid/statm") =~ /^\d+ (\d+)/)[0] * 4 }
sub threads { return scalar(() = glob "/proc/$pid/task/*") }
sub descriptors { return scalar(() = glob "/proc/$pid/fd/*") }

my ($before, %most);
my $cycles = $ENV{TEST_CYCLES} || 4;

for my $cycle (0 .. $cycles) {
    if ($cycle) {
        $target->stop('TERM');
        $t->kill_daemon($tls_redis) if $redis;
        $t->rows_ok('/goes', [ map { [ $_, '', '', 'down', $_ eq 'unix'
            ? qr/^there is no such socket$/ : qr/^connection refused$/ ] }
            @seen ], ['message']);
        $target->run;
        redis_start() if $redis;
    }

    $t->rows_ok('/goes', [ map { [ $_, '', '', 'up' ] } @seen ], ['message']);

    # what there is at any one time differs; what is left over adds up

    my %now = (fds => 1e9, threads => 1e9);
    wait_for(sub {
        $now{fds} = NgxStatus::min($now{fds}, descriptors());
        $now{threads} = NgxStatus::min($now{threads}, threads());
        return ++$now{looks} > 8;
    });
    $now{memory} = memory();
    $before = { %now } if $cycle == int($cycles / 2);
    %most = %now;
}

note("$before->{fds} -> $most{fds} descriptors, $before->{threads} -> "
     . "$most{threads} threads, $before->{memory} -> $most{memory} kB");
cmp_ok($most{fds}, '<=', $before->{fds} + 5, 'no descriptor is left over');
cmp_ok($most{threads}, '<=', $before->{threads} + 3, 'no thread is');
cmp_ok($most{memory}, '<=', $before->{memory} + 4096, 'no memory is')
    if !$ENV{NGX_STATUS_PRELOAD};
is($t->checker, $pid, 'it is the same checker all along');

$t->stop;
$target->finish;
$t->finish;
