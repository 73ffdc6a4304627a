#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# What it must survive: every hostile target at the same time, in one
# checker, with healthy checks beside them.  Each is shown as what it is,
# all the time, and the healthy ones keep their rhythm.

use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use List::Util qw(max);
use Socket;
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $slowness = NgxStatus::slowness();
my $dns_ip = join '.', 127, 53, 1 + $$ % 250, 1 + int rand 250;

# nginx in a mount namespace of its own, where the resolver's files are ours

my $dns = IO::Socket::INET->new(Proto => 'udp', LocalAddr => $dns_ip,
                                LocalPort => 53);
my $no_dns = $> != 0 ? 'not root'
             : !$dns ? "no port 53: $!"
             : system('unshare -m true 2>/dev/null') ? 'no mount namespace'
             : '';

my @wrap = $no_dns ? () : ('unshare', '-m', 'sh', '-c',
    'dir=$1; shift; for f in resolv.conf nsswitch.conf hosts; do '
    . 'mount --bind $dir/$f /etc/$f || exit 1; done; exec "$@"', 'sh');

my $t = NgxStatus->new(wrap => \@wrap);
push @{ $t->{wrap} }, $t->dir if @wrap;

$t->write_file('resolv.conf', "nameserver $dns_ip\n");
$t->write_file('nsswitch.conf', "hosts: files dns\n");
$t->write_file('hosts', "127.0.0.1 localhost\n");

my $H = 'http://127.0.0.1:%%PORT_1%%';          # hostile.pl
my @rows;                 # [ id, URL, directives, expected ]

sub row { push @rows, [ @_ ] }


# ---------------------------------------------------------------- the targets

row('never', "$H/never", '', 'timeout', 'timeout', undef,
    qr/^timed out after 900 ms, while waiting for the answer$/);
row('no-accept', 'http://127.0.0.1:%%PORT_3%%/', '',
    'timeout', 'timeout', undef,
    qr/^timed out after 900 ms, while connecting$/);
row('hang', "$H/hang", '', 'timeout', 'timeout', 200,
    qr/^timed out after 900 ms, while receiving the answer$/);
row('trickle', "$H/trickle", '', 'timeout', 'timeout', 200,
    qr/^timed out after 900 ms, while receiving the answer$/);
row('trickle-fast', "$H/trickle?ms=5", '', 'timeout', 'timeout', 200,
    qr/^timed out after 900 ms, while receiving the answer$/);
row('trickle-header', "$H/trickle-header", '', 'timeout', 'timeout', 200,
    qr/^timed out after 900 ms, while receiving the answer$/);

# judged by what of them is taken, which does not take long

row('huge', "$H/huge", 'expect latency < 800ms;', 'up', undef, 200, qr/^$/);
row('huge-small', "$H/huge", 'max_body 10k; expect body contains yyy;',
    'down', 'content', 200,
    qr/^body does not contain "yyy" in the first 10240 bytes$/);
row('huge-size', "$H/huge", 'expect size < 100m;', 'down', 'size', 200,
    qr/^size: there is more than max_body$/);
row('huge-size-over', "$H/huge", 'expect size > 100k;', 'up', undef, 200,
    qr/^$/);
row('huge-json', "$H/huge", 'expect json $.a;', 'down', 'content', 200,
    qr/^json \$\.a: not JSON at byte \d( in the first [1-9]\d+ bytes)?$/);
row('bomb', "$H/bomb", 'expect latency < 800ms;', 'up', undef, 200, qr/^$/);
row('bomb-size', "$H/bomb", 'expect size < 100m;', 'down', 'size', 200,
    qr/^size: there is more than max_body$/);
row('bomb-body', "$H/bomb", 'expect body contains yyy;',
    'down', 'content', 200,
    qr/^body does not contain "yyy" in the first \d+ bytes, and is not text$/);

row('loop', "$H/loop", '', 'down', 'redirect', 302,
    qr{^more than 5 redirects, the next to http://127\.0\.0\.1:\d+/loop$});
row('loop-20', "$H/loop", 'follow 20;', 'down', 'redirect', 302,
    qr{^more than 20 redirects, the next to });
row('to-file', "$H/redirect?to=file:///etc/passwd", '',
    'down', 'redirect', 302,
    qr{^redirect to file:///etc/passwd, expected http or https$});
row('to-gopher', "$H/redirect?to=gopher://127.0.0.1:%%PORT_4%%/x", '',
    'down', 'redirect', 302,
    qr{^redirect to gopher://127\.0\.0\.1:\d+/x, expected http or https$});
row('to-ftp', "$H/redirect?to=ftp://me:hunter2\@127.0.0.1:%%PORT_4%%/x", '',
    'down', 'redirect', 302,
    qr{^redirect to ftp://(?!.*hunter2).*, expected http or https$});
row('to-dict', "$H/redirect?to=dict://127.0.0.1:%%PORT_4%%/x", '',
    'down', 'redirect', 302, qr{^redirect to dict://});
row('to-nonsense', "$H/redirect?to=http://[::", '',
    'down', 'redirect', 302, qr{^redirect to a URL that is not valid$});
row('to-refused', "$H/redirect?to=http://127.0.0.1:%%PORT_5%%/", '',
    'down', 'connect', undef, qr{^connection refused$});
row('to-secret', "$H/redirect?to=http://127.0.0.1:%%PORT_1%%/loop", 'follow 1;',
    'down', 'redirect', 302, qr{^more than 1 redirect, });

row('reset', "$H/reset", '', 'down', 'reset', undef,
    qr/^connection reset while waiting for the answer$/);
row('reset-body', "$H/reset-body", '', 'down', 'reset', 200,
    qr/^connection reset while receiving the answer$/);
row('early-close', "$H/early-close", '', 'down', 'reset', 200,
    qr/^answer ended early: 12 of 100 bytes$/);
row('empty', "$H/empty", '', 'down', 'reset', undef, qr/^empty answer$/);
row('refused', 'http://127.0.0.1:%%PORT_5%%/', '',
    'down', 'connect', undef, qr/^connection refused$/);
row('not-http', "$H/not-http", '', 'down', 'protocol', undef,
    qr/^answer is not HTTP$/);
row('bad-chunk', "$H/bad-chunk", '', 'down', 'protocol', 200,
    qr/^answer can not be read: /);
row('bad-gzip', "$H/bad-gzip", '', 'down', 'protocol', 200,
    qr/^compressed body can not be decoded$/);

row('deep-json', "$H/deep-json", 'expect json $..x == 1;',
    'down', 'content', 200,
    qr/^json \$\.\.x: too many levels deep at byte \d+$/);
row('deep-any', "$H/deep-json?n=100000", 'expect json $.*.*;',
    'down', 'content', 200,
    qr/^json \$\.\*\.\*: too many levels deep at byte \d+$/);
row('deep-score', "$H/deep-json", 'score $..score;', 'down', 'score', 200,
    qr/^no score: too many levels deep at byte \d+$/);
row('bad-json', "$H/bad-json", 'expect json $.other == 1;',
    'down', 'content', 200, qr/^json \$\.other: not JSON at byte \d+$/);
row('bad-score', "$H/bad-json", 'score $.score;', 'down', 'score', 200,
    qr/^no score: not JSON at byte \d+$/);
row('header-1m', "$H/header-1m", '', 'down', 'protocol', 200,
    qr/^header of the answer is (too large|over 64 kB)$/);
row('headers-1m', "$H/headers-1m", '', 'down', 'protocol', 200,
    qr/^header of the answer is (too large|over 64 kB)$/);
row('headers-http', "$H/headers-http", '', 'down', 'protocol', 200,
    qr/^header of the answer is (too large|over 64 kB)$/);
row('continue', "$H/continue", '', 'down', 'protocol', undef,
    qr/^header of the answer is (too large|over 64 kB)$/);

my $P = ':%%PORT_2%%/ok';
my @names;

if (!$no_dns) {
    row('name', "http://good.test$P", '', 'up', undef, 200, qr/^$/);
    row('nx', "http://nx.test$P", '', 'down', 'resolve', undef,
        qr/^name "nx\.test" does not resolve$/);
    row('nodata', "http://nodata.test$P", '', 'down', 'resolve', undef,
        qr/^name "nodata\.test" (has no address|does not resolve)$/);
    row('to-nx', "$H/redirect?to=http://nx.test/", '',
        'down', 'resolve', undef, qr/^name "nx\.test" does not resolve$/);
    row('servfail', "http://servfail.test$P", '', 'unknown', 'internal',
        undef, qr/^the resolver failed: /);
    row("silent$_", "http://silent$_.test$P", '', 'unknown', 'internal',
        undef, qr/^the resolver (did not answer|is busy)/) for 1 .. 6;
    row('to-silent', "$H/redirect?to=http://silent7.test/", '',
        'unknown', 'internal', undef,
        qr/^the resolver (did not answer|is busy)/);
    row('late', "http://late.test$P", '', 'up', undef, 200, qr/^$/);
    @names = ('named');
}

my $checks = join '', map { "check $_->[0] \"$_->[1]\" { $_->[2] }\n" } @rows;
my $crowd = join '', map { "check n$_ $H/never { }\n" } 1 .. 60;
my $named = @names ? "check named http://good.test$P { interval 400ms; timeout 400ms; }" : '';

$t->conf(<<"HTTP");
log_format rhythm '\$msec \$http_user_agent';

status_monitor m {
    interval 1s;
    timeout  900ms;
    fall     1;
    max_in_flight 200;
    max_per_host  200;
$checks
    check steady http://127.0.0.1$P {
        interval 400ms; timeout 400ms; user_agent steady;
    }
    check busy http://127.0.0.1:%%PORT_6%%/ { interval 500ms; timeout 490ms; }
    $named
}

status_monitor crowd {                # with the limits that are default
    interval 1s;
    timeout  900ms;
$crowd
    check beside http://127.0.0.1$P {
        interval 400ms; timeout 400ms; user_agent beside;
    }
}

server {
    listen 127.0.0.1:%%PORT_2%%;
    location /ok {
        access_log %%TESTDIR%%/rhythm.log rhythm;
        return 200 fine;
    }
}

server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m     { status_json m; }
    location = /crowd { status_json crowd; }
    location /p/      { status_page m internal; }
}
HTTP

$t->hostile(1);

$t->serve(6, sub { sleep 0.3; "200 OK\r\n\r\nlate" });

# a listener whose queue is full: no connection is ever made

$t->deaf(3);

# one that nobody may come to

my $trap = $t->listen_on(4);
$trap->blocking(0);


# ------------------------------------------------------------------- the DNS

sub dns_answer {
    my ($query) = @_;

    my ($id, $flags, $n) = unpack 'nnn', $query;
    my ($at, @labels) = (12);
    while (my $len = ord substr $query, $at, 1) {
        push @labels, substr $query, $at + 1, $len;
        $at += 1 + $len;
    }
    my $name = lc join '.', @labels;
    my $type = unpack 'n', substr $query, $at + 1, 2;
    my $question = substr $query, 12, $at + 5 - 12;

    return ($name) if $name =~ /^silent/;

    my $rcode = $name =~ /^(good|late|nodata)\./ ? 0
                : $name =~ /^servfail\./ ? 2 : 3;
    my $record = $name =~ /^(good|late)\./ && $type == 1
        ? pack('nnnNn a4', 0xc00c, 1, 1, 1, 4, inet_aton('127.0.0.1')) : '';

    return ($name, pack('nnnnnn', $id, 0x8180 | $rcode, 1, $record ? 1 : 0,
                        0, 0) . $question . $record);
}

if (!$no_dns) {
    $t->daemon(sub {
        my @later;
        while (1) {
            my $in = '';
            vec($in, fileno $dns, 1) = 1;
            if (select $in, undef, undef, 0.05) {
                my $peer = $dns->recv(my $query, 1500);
                my ($name, $answer) = dns_answer($query);
                next if !defined $answer;
                push @later, [ time + ($name =~ /^late/ ? 0.3 : 0),
                               $peer, $answer ];
            }
            while (@later && $later[0][0] <= time) {
                my $l = shift @later;
                $dns->send($l->[2], 0, $l->[1]);
            }
        }
    });
}

$t->run;


# -------------------------------------------------------------- what is shown

my %of = map { $_->[0] => $_ } @rows;
my (%seen, %results);

sub look {
    my ($json) = @_;
    for my $c (@{ $json->{checks} }) {
        next if !defined $c->{result}
                || ($c->{message} // '') =~ /^the checker was late/;
        my $what = join ' ', $c->{result}, $c->{error_class} // '-',
                             $c->{http_status} // '-';
        $seen{ $c->{id} }{$what} = $c;
        $results{ $c->{id} }{ $c->{checked_at} } = 1;
    }
    return $json;
}

my $pid = $t->checker;

sub proc {
    my ($name) = @_;
    return ($t->read_file("/proc/$pid/status") =~ /^$name:\s+(\d+)/m)[0];
}

sub descriptors { return scalar(() = glob "/proc/$pid/fd/*") }

ok($t->wait_json('/m', sub { look($_); !$_->{loading} }, 15),
   'all have a result');
my $begin = time;
my ($fds, $threads) = (0, 0);

# how late somebody is on this machine who has nothing else to do

my $control = $t->daemon(sub {
    my ($n, $late) = (0, 0);
    while (!-e $t->dir . '/enough') {
        my $at = time;
        sleep 0.02;
        $late = max($late, time - $at - 0.02);
        $n++;
    }
    my $share = $n * 0.02 / (time - $begin);
    $t->write_file('control', "$late $share");
});

while (time < $begin + 10) {
    look($t->json('/m') // {});
    look($t->json('/crowd') // {});
    $fds = max($fds, descriptors());
    $threads = max($threads, proc('Threads'));
    sleep 0.2;
}

my $end = time;

$t->write_file('enough', '');
my ($late, $share) = split ' ', wait_for(sub { $t->read_file('control') }, 20);
note("this machine: late by $late s at most, on time for $share of it");

for (@rows) {
    my ($id, undef, undef, $state, $error, $status, $message) = @$_;
    my $want = join ' ', $state, $error // '-', $status // '-';

    is(join(', ', sort keys %{ $seen{$id} }), $want, "$id: all the time");
    my ($c) = values %{ $seen{$id} };
    like($c->{message}, $message, "$id: message");
    is($c->{status}, $state, "$id: status");
    cmp_ok(scalar keys %{ $results{$id} }, '>', 1, "$id: again and again");
    # a checker that is later than that does not blame the target
    cmp_ok($c->{latency_ms}, '<=', 1.25 * 900 + 1, "$id: in time")
        if $state eq 'timeout' && defined $c->{latency_ms};
}

is($trap->accept, undef, 'nobody followed a redirect out of HTTP');

SKIP: { skip "no DNS of our own: $no_dns", 1 if $no_dns; pass('DNS') }


# ----------------------------------------------------------------- the others

my %hits;
for (split /\n/, $t->read_file('rhythm.log')) {
    my ($at, $agent) = split;
    push @{ $hits{$agent} }, $at if $at >= $begin && $at <= $end;
}

for ([ 'steady', '/m' ], [ 'beside', '/crowd' ]) {
    my ($id, $uri) = @$_;
    my @at = ($begin, @{ $hits{$id} // [] }, $end);
    my $gap = max(map { $at[$_] - $at[$_ - 1] } 1 .. $#at);

    cmp_ok(scalar @at, '>', 0.7 / $slowness * $share * ($end - $begin) / 0.4,
           "$id keeps its rhythm");
    cmp_ok($gap, '<', 1.5 * $slowness + 5 * $late,
           'and misses nothing for long');
    note(sprintf '%s: %d in %.1f s, gap %.3f s', $id, scalar @at,
         $end - $begin, $gap);
    is(join(', ', keys %{ $seen{$id} }), 'up - 200', 'always up');

    my $c = check_of($t->json($uri), $id);
    is($c->{uptime}{'1h'}, 1, 'uptime');
    cmp_ok($c->{latency}{'24h'}{p99}, '<', 150 * $slowness + 5000 * $late,
           'the loop is not held up');
    note("p99 $c->{latency}{'24h'}{p99} ms");
}

is(join(', ', keys %{ $seen{$_} }), 'up - 200', "$_ is always up") for @names;

is(join(', ', keys %{ $seen{"n$_"} // {} }), 'timeout timeout -',
   "n$_ of the crowd") for 1, 30, 60;


# ------------------------------------------------------- a fault of our own

# The checker stands still for longer than any timeout, several times: that
# is not the targets' fault.

my %stood;
for (1 .. 4) {
    kill 'STOP', $pid;
    sleep 1.3;
    kill 'CONT', $pid;
    my $until = time + 1.2;
    while (time < $until) {
        for my $c (@{ ($t->json('/m') // {})->{checks} // [] }) {
            $stood{ $c->{id} }{"$c->{result} "
                               . ($c->{error_class} // '-')} = 1;
        }
        sleep 0.1;
    }
}

for my $id ('steady', 'busy', @names) {
    is(join(', ', grep { !/^(up -|unknown internal)$/ }
                  keys %{ $stood{$id} }), '',
       "$id: up or not known, but not failing");
    is(check_of($t->json('/m'), $id)->{uptime}{'1h'}, 1,
       "$id: nothing counts against it");
}
is(join(', ', grep { !/^(timeout timeout|unknown internal)$/ }
              keys %{ $stood{never} }), '', 'never: timeout or not known');


# ----------------------------------------------------------- what it took

is($t->checker, $pid, 'it is the same checker all along');

my $rss = proc('VmHWM') / 1024;
note(sprintf 'checker: %.1f MB at most, %d descriptors, %d threads, '
     . '%.1f s of CPU', $rss, $fds, $threads,
     eval { my @f = split ' ', $t->read_file("/proc/$pid/stat") =~ s/^.*\)//sr;
            ($f[11] + $f[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK()) });
cmp_ok($rss, '<', 64, 'memory is bounded') unless $slowness > 1;
cmp_ok($threads, '<', 70, 'threads are bounded');
cmp_ok($fds, '<', 400, 'descriptors are bounded');

# and it ends at once, with all of that under way

my $stop = time;
$t->stop;
cmp_ok(time - $stop, '<', 5 * $slowness + 20 * $late, 'QUIT does not wait for them');

my $log = $t->log;
unlike($log, qr/\[(?:error|crit|alert|emerg)\]/, 'no error in the log');
unlike($log, qr/hunter2/, 'no secret in the log');

$t->finish;
