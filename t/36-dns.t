#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# dns:// against NSD, and against servers that misbehave.

use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my ($nsd) = grep { -x } '/usr/sbin/nsd', '/usr/local/sbin/nsd';
plan skip_all => 'no NSD (package nsd)' unless $nsd;

my $t = NgxStatus->new;
my $N = 'dns://127.0.0.1:%%PORT_1%%';           # NSD
my $B = 'dns://127.0.0.1:%%PORT_2%%';           # bad.pl below, by the name
my $v6 = eval { require IO::Socket::IP;
                IO::Socket::IP->new(Proto => 'udp', LocalHost => '::1') };
my @rows;                 # [ id, URL, directives, state, error, message ]

sub row { push @rows, [ @_ ] }

row('a', "$N/www.example.test", '', 'up');
row('a-is', "$N/www.example.test?type=A",
    'expect dns contains 192.0.2.1; expect rows == 2;', 'up');
row('a-type', "$N/www.example.test", 'expect dns A 192.0.2.2;', 'up');
row('a-case', "$N/WWW.Example.TEST", 'expect dns contains 192.0.2.1;', 'up');
row('a-dot', "$N/www.example.test.", 'expect dns contains 192.0.2.1;', 'up');
row('a-other', "$N/www.example.test", 'expect dns contains 192.0.2.9;',
    'down', 'dns',
    qr/^dns is "192\.0\.2\.\d" \(first of 2\), expected contains "192\.0\.2\.9"$/);
row('a-none', "$N/text.example.test", '', 'down', 'dns',
    qr/^there is no A record$/);
row('a-none-fine', "$N/text.example.test", 'expect rcode NOERROR;', 'up');
row('a-rows', "$N/www.example.test", 'expect rows > 2;', 'down', 'value',
    qr/^rows 2, expected > 2$/);
row('aaaa', "$N/www.example.test?type=AAAA",
    'expect dns contains 2001:db8::1;', 'up');
row('cname', "$N/alias.example.test?type=CNAME",
    'expect dns contains www.example.test;', 'up');
row('chased', "$N/alias.example.test", 'expect dns contains 192.0.2.1;', 'up');
row('mx', "$N/example.test?type=mx",
    'expect dns MX contains "10 mail.example.test.";', 'up');
row('txt', "$N/text.example.test?type=TXT",
    'expect dns ~ "^v=spf1 .*-all$";', 'up');
row('txt-long', "$N/long.example.test?type=TXT", 'expect dns ~ "^a+b+$";',
    'up');
row('big', "$N/big.example.test?type=TXT", 'expect rows == 60;', 'up');
row('ns', "$N/example.test?type=NS", 'expect dns contains ns.example.test;',
    'up');
row('soa', "$N/example.test?type=SOA",
    'expect dns ~ "^ns.example.test admin.example.test 7 3600 600 86400 60$";',
    'up');
row('srv', "$N/_x._tcp.example.test?type=SRV",
    'expect dns contains "1 2 443 www.example.test";', 'up');
row('caa', "$N/example.test?type=CAA",
    q(expect dns contains '0 issue "letsencrypt.org"';), 'up');
row('ptr', "$N/1.example.test?type=PTR", 'expect dns ~ host;', 'up');
row('nxdomain', "$N/none.example.test", '', 'down', 'dns',
    qr/^rcode is NXDOMAIN, expected NOERROR$/);
row('nx-fine', "$N/none.example.test", 'expect rcode NXDOMAIN;', 'up');
row('nx-not', "$N/www.example.test", 'expect rcode nxdomain;', 'down', 'dns',
    qr/^rcode is "NOERROR", expected "nxdomain"$/);
row('refused-zone', "$N/www.example.org", '', 'down', 'dns',
    qr/^rcode is REFUSED, expected NOERROR$/);
row('prefer', "$N/www.example.test", 'prefer rows > 5;', 'degraded', 'value',
    qr/^rows 2, expected > 5$/);
row('six', 'dns://[::1]:%%PORT_1%%/www.example.test', 'family 6;', 'up')
    if $v6;
row('named', 'dns://localhost:%%PORT_1%%/www.example.test', 'family 4;',
    'up');
row('unresolved', 'dns://no.such.name.invalid/www.example.test', '',
    qr/^(down|unknown|timeout)$/, qr/./,
    qr/no\.such\.name\.invalid|resolver/);

row('silent', "$B/silent.test", '', 'timeout', 'timeout',
    qr/^timed out after 900 ms, while waiting for the answer$/);
row('slow', "$B/slow.test", 'expect rcode NOERROR;', 'degraded', 'latency',
    qr/^latency .*, expected < 500ms$/);
row('once', "$B/once.test", 'prefer latency off; expect rcode NOERROR;',
    'up');

# c-ares 1.18 waits on after "garbage", 1.27 after all of these, 1.34 never
my ($minor) = `pkg-config --modversion libcares 2>&1` =~ /^1\.(\d+)/;
for (qw(garbage short loop overlong)) {
    my $waits = $_ eq 'garbage' || !$minor || $minor > 18 && $minor < 34;
    row($_, "$B/$_.test", '', $waits ? qr/^(?:timeout|down)$/ : 'down',
        $waits ? qr/^(?:timeout|protocol)$/ : 'protocol',
        $waits ? qr/^timed out|^the answer is cut off or broken$/
               : qr/^the answer is cut off or broken$/);
}

row('servfail', "$B/servfail.test", '', 'down', 'dns',
    qr/^rcode is SERVFAIL, expected NOERROR$/);
row('cut', "$B/cut.test", 'expect rows == 2;', 'up');
row('cut-late', "$B/cutlate.test", 'prefer latency off; expect rows == 2;',
    'up');
row('cut-twice', "$B/cuttwice.test", 'expect rows == 1;', 'up');
row('cut-mute', "$B/cutmute.test", '', 'timeout', 'timeout',
    qr/^timed out after 900 ms, while waiting for the answer over TCP$/);
row("cut-$_", "$B/cut$_.test", '', 'down', 'connect',
    qr/^the answer is truncated, and TCP is refused or closed$/)
    for 'closed', 'reset';
row('html', "$B/html.test?type=TXT", 'expect dns ~ "<b>&";', 'up');
row('closed', 'dns://127.0.0.1:%%PORT_3%%/www.example.test', '', 'down',
    'connect', qr/^connection refused$/);

my $aaa = '"' . ('a' x 255) . '" "' . ('b' x 200) . '"';
my $big = join '', map { qq(big TXT "number $_ )  . ('x' x 60) . qq("\n) }
              1 .. 60;

$t->write_file('zone', <<"ZONE");
\$ORIGIN example.test.
\$TTL 60
@ SOA ns admin 7 3600 600 86400 60
@ NS ns
@ MX 10 mail
@ CAA 0 issue "letsencrypt.org"
ns A 127.0.0.1
mail A 192.0.2.25
www A 192.0.2.1
www A 192.0.2.2
www AAAA 2001:db8::1
alias CNAME www
text TXT "v=spf1 mx -all"
long TXT $aaa
1 PTR host
_x._tcp SRV 1 2 443 www
$big
ZONE

my $also = $v6 ? "\n    ip-address: ::1" : '';
$t->write_file('nsd.conf', $t->expand(<<'CONF') =~ s/%%V6%%/$also/r);
server:
    ip-address: 127.0.0.1%%V6%%
    port: %%PORT_1%%
    server-count: 1
    username: ""
    chroot: ""
    zonesdir: "%%TESTDIR%%"
    pidfile: "%%TESTDIR%%/nsd.pid"
    database: ""
    logfile: "%%TESTDIR%%/nsd.log"
    xfrdfile: "%%TESTDIR%%/xfrd.state"
    zonelistfile: "%%TESTDIR%%/zone.list"
    xfrdir: "%%TESTDIR%%"
    cookie-secret-file: "%%TESTDIR%%/cookies"
remote-control:
    control-enable: no
zone:
    name: example.test
    zonefile: zone
CONF

my $server;

sub nsd_start {
    $server = $t->spawn($nsd, '-d', '-c', $t->dir . '/nsd.conf');
    return NgxStatus::wait_port($t->port(1));
}

sub nsd_stop { $t->kill_daemon($server, 'TERM') }

# By the name that is asked for: silence, delay, garbage and the like.

my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1',
                                   LocalPort => $t->port(2)) or die $!;
$t->daemon(sub {
    my %seen;
    my @later;

    while (1) {
        my $wait = @later ? $later[0][0] - time : 10;
        my $rin = '';
        vec($rin, fileno $socket, 1) = 1;

        if ($wait > 0 && select($rin, undef, undef, $wait) <= 0) {
            next unless @later && $later[0][0] <= time;
        }
        if (@later && $later[0][0] <= time) {
            my ($at, $peer, $answer) = @{ shift @later };
            $socket->send($answer, 0, $peer);
            next;
        }
        next unless vec($rin, fileno $socket, 1);

        my $peer = $socket->recv(my $query, 512) or next;
        my ($word) = $query =~ /^.{12}.([a-z]+)/s or next;
        my $id = substr $query, 0, 2;
        my $type = substr $query, 12 + length($word) + 1 + 6, 2;
        my $question = substr $query, 12, length($word) + 1 + 6 + 4;
        my $head = sub { $id . pack('nnnnn', 0x8400 | $_[0], 1, $_[1], 0, 0)
                         . $question };
        my $rr = sub { "\xc0\x0c" . $type . pack('nNn', 1, 60, length $_[0])
                       . $_[0] };
        my $answer = {
            slow     => $head->(0, 1) . $rr->("\x01\x02\x03\x04"),
            once     => $head->(0, 1) . $rr->("\x01\x02\x03\x04"),
            garbage  => 'x' x 30,
            short    => $head->(0, 2) . $rr->("\x01\x02\x03\x04"),
            loop     => $head->(0, 1) . "\xc0" . chr(length $head->(0, 1))
                        . $type . pack('nNn', 1, 60, 0),
            overlong => $head->(0, 1) . "\xc0\x0c" . $type
                        . pack('nNn', 1, 60, 500) . 'abcd',
            servfail => $head->(2, 0),
            html     => $head->(0, 1) . $rr->("\x05<b>&\n"),
        }->{$word};

        # cut: all of it, or what else there is, comes over TCP
        $answer = $head->(0x200, 1) . $rr->("\x01\x02\x03\x04")
            if $word =~ /^cut/;

        next if !defined $answer || $word eq 'once' && !$seen{once}++ % 2;

        if ($word eq 'slow') {
            push @later, [ time + 0.6, $peer, $answer ];
            next;
        }
        $socket->send($answer, 0, $peer);
    }
});
close $socket;

my $tcp = $t->listen_on(2);
$t->daemon(sub {
    while (1) {
        my $s = $tcp->accept or next;
        my $pid = fork // next;
        if ($pid) { close $s; next }

        sysread $s, my $query, 512;
        my ($id, $word, $question) = $query =~ /^..(..).{10}.(([a-z]+).*)/s
            ? ($1, $3, chr(length $3) . $2) : POSIX::_exit(0);
        my $rr = "\xc0\x0c" . pack('nnNn', 1, 1, 60, 4) . "\x01\x02\x03\x04";
        my $answer = $word eq 'cuttwice'
            ? $id . pack('nnnnn', 0x8600, 1, 1, 0, 0) . $question . $rr
            : $id . pack('nnnnn', 0x8400, 1, 2, 0, 0) . $question . $rr x 2;

        sleep 5 if $word eq 'cutmute';
        # longer than a first try over UDP is waited for
        sleep 0.35 if $word eq 'cutlate';
        setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
            if $word eq 'cutreset';
        syswrite $s, pack('n', length $answer) . $answer
            if $word !~ /^cut(closed|reset)$/;
        close $s;
        POSIX::_exit(0);
    }
});
close $tcp;

ok(nsd_start(), 'NSD runs');

my $checks = join '', map { "check $$_[0] $$_[1] { $$_[2] }\n" } @rows;

$t->conf(<<"HTTP");
status_monitor m {
    interval 1s;
    timeout  900ms;
    fall     1;
    max_per_host 100;
    $checks
    check system dns:///www.example.test { }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
}
HTTP

$t->run;

my $json = $t->rows_ok('/m', \@rows,
                       [qw(error_class message)]);
ok($t->wait_check('/m', 'system',
                  sub { $_->{result} =~ /^(unknown|down|timeout)$/ }),
   'the servers of the system are asked, and do not know it');
is(check_of($json, 'a')->{type}, 'dns', 'type');
ok(check_of($json, 'a')->{phases_ms}{wait} > 0, 'phases');

# the server goes and comes back

nsd_stop();
ok($t->wait_check('/m', 'a', sub {
    $_->{status} eq 'down' && $_->{message} eq 'connection refused' }),
   'stopped: down');
ok(nsd_start(), 'NSD runs again');
ok($t->wait_check('/m', 'a', sub { $_->{status} eq 'up' }), 'up again');

# a reload in the middle

$t->reload;
ok($t->wait_check('/m', 'slow', sub { $_->{result} eq 'degraded' }),
   'goes on after a reload');

# mistakes

for (
    [ 'dns://127.0.0.1', '', qr/the URL names nothing to ask for, expected dns:\/\/server\/name\?type=A/ ],
    [ 'dns://127.0.0.1/', '', qr/the URL names nothing to ask for/ ],
    [ 'dns://127.0.0.1/a?type=ANY', '', qr/invalid "\?type=ANY" of the URL, expected \?type= and one of A AAAA CNAME MX TXT NS SOA SRV CAA PTR/ ],
    [ 'dns://127.0.0.1/a?kind=A', '', qr/invalid "\?kind=A" of the URL/ ],
    [ 'dns://127.0.0.1/a..b', '', qr/"a\.\.b" is not a name that the DNS could have/ ],
    [ 'dns://127.0.0.1/a?type=MX', 'expect dns A 192.0.2.1;', qr/"expect dns A" in a check that asks for MX records/ ],
    [ 'dns://127.0.0.1/a', 'expect status 200;', qr/expected one of latency dns rcode rows/ ],
    [ 'dns://127.0.0.1/a', 'family 5;', qr/invalid family "5", expected one of 4 6 any/ ],
) {
    my ($url, $directives, $error) = @$_;

    my $wrong = NgxStatus->new;
    $wrong->conf("status_monitor m { check a $url { $directives } }");
    my ($ok, $out) = $wrong->test_conf;

    ok(!$ok, "refused: $url $directives");
    like($out, $error, 'what is wrong');
}

nsd_stop();
$t->finish;
done_testing();
