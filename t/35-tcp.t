#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# tcp:// and tls://: connected or not, what is sent, when an answer is all
# there and what is said of it, certificates, and how it is taken leave.
# STARTTLS is in 35-starttls.t.

use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use List::Util qw(max);
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Pki;

plan(skip_all => 'no openssl') if system('openssl version >/dev/null 2>&1');

my $t = NgxStatus->new;
my $dir = $t->dir;


# -------------------------------------------------------------------- peers

# A port and a process for each; a child for each connection.

my (%port, @peers);
my $next = 10;

sub peer {
    my ($name, $sub) = @_;
    $port{$name} = $next++;
    push @peers, [ $name, $sub ];
}

sub where { my ($name) = @_; return "127.0.0.1:%%PORT_$port{$name}%%" }

sub start_peer { my ($name, $sub) = @_;
                 return $t->peer($port{$name}, $sub) }

sub hold { my ($s) = @_; my $b; 1 while sysread $s, $b, 4096 }

sub line {
    my ($s) = @_;
    my $line = '';
    while ($line !~ /\n$/ && sysread $s, my $c, 1) { $line .= $c }
    return $line;
}

sub reset_it {
    my ($s) = @_;
    setsockopt $s, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    close $s;
}

peer(banner => sub { my ($s) = @_; print $s "220 mail.test ESMTP\r\n";
                     hold($s) });
peer(closing => sub { my ($s) = @_; print $s "421 too many\r\n"; close $s });
peer(mute => sub { hold($_[0]) });
peer(shut => sub { close $_[0] });
peer(reset => sub { line($_[0]); reset_it($_[0]) });
peer('reset-late' => sub { my ($s) = @_; print $s "+PO"; line($s); sleep 0.05;
                           reset_it($s) });
peer(ping => sub { my ($s) = @_;
                   while ((my $l = line($s)) ne '') {
                       print $s $l eq "PING\r\n" ? "+PONG\r\n"
                                                 : "-ERR unknown\r\n";
                   } });
peer(split => sub { my ($s) = @_; line($s);
                    for (split //, "+PONG\r\n") { print $s $_; sleep 0.02 }
                    hold($s) });
peer(slow => sub { my ($s) = @_; sleep 0.3; print $s "220 ready\r\n";
                   hold($s) });
peer(drip => sub { my ($s) = @_; while (print $s '.') { sleep 0.003 } });
peer(flood => sub { my ($s) = @_; my $b = 'x' x 65536;
                    1 while syswrite $s, $b });
peer(echo => sub { my ($s) = @_; sysread $s, my $b, 4096;
                   print $s unpack 'H*', $b; hold($s) });
peer(binary => sub { my ($s) = @_; print $s "\0\1\xff\xfe<q>\r\n"; hold($s) });
peer(polite => sub { my ($s) = @_; print $s "hello\r\n" x 200;
                     my $n = sysread $s, my $b, 100;
                     $t->write_file("end-$$", defined $n ? "read $n" : "$!") });


# ------------------------------------------------------------- certificates

my $pki = Pki->new($dir);
my $day = 86400;
my $san = 'DNS:good.test,IP:127.0.0.1';
my @certs = qw(good soon expired elsewhere self);

$pki->authority('own');
$pki->certificate('good', $san, 60 * $day + 3600);
$pki->certificate('soon', $san, 10 * $day + 3600);
$pki->certificate('expired', $san, -2 * $day - 3600);
$pki->certificate('elsewhere', 'DNS:elsewhere.test', 60 * $day);
$pki->certificate('client', 'DNS:client.test', 60 * $day);
$pki->selfsigned('self', '/CN=good.test', 'DNS:good.test');

for (@certs, qw(cut mutual)) { $port{$_} = $next++ }

sub tls { my ($cert, $host) = @_;
          return 'tls://' . ($host // 'good.test')
                 . ":%%PORT_$port{$cert}%%" }


# ------------------------------------------------------------------- checks

my @rows;              # id, URL, directives, state, class, message, more
sub row { push @rows, [ @_ ] }

row('connect', 'tcp://' . where('banner'), '', 'up', undef, qr/^$/);
row('name', 'tcp://localhost:%%PORT_10%%', 'family 4;', 'up', undef, qr/^$/);
row('resolve', 'tcp://no.test:%%PORT_10%%/', 'resolve 127.0.0.1;',
    'up', undef, qr/^$/);
row('six', 'tcp://[::1]:%%PORT_8%%', 'family 6; expect body contains hello;',
    'up', undef, qr/^$/);
row('refused', 'tcp://127.0.0.1:%%PORT_1%%', '', 'down', 'connect',
    qr/^connection refused$/);
row('no-accept', 'tcp://127.0.0.1:%%PORT_2%%', '', 'timeout', 'timeout',
    qr/^timed out after 900 ms, while connecting$/);

my $smtp = 'expect body ~ "^220 ";';
row('banner', 'tcp://' . where('banner'), $smtp, 'up', undef, qr/^$/);
row('banner-two', 'tcp://' . where('banner'), "$smtp expect body contains "
    . 'ESMTP; prefer body contains mail.test; expect body !contains 500;',
    'up', undef, qr/^$/);
row('banner-wrong', 'tcp://' . where('banner'), 'expect body contains SSH-2;',
    'down', 'content',
    qr/^body does not contain "SSH-2", got "220 mail\.test ESMTP"$/);
row('banner-prefer', 'tcp://' . where('banner'),
    "$smtp prefer body contains Postfix;", 'degraded', 'content',
    qr/^body does not contain "Postfix", got "220 mail\.test ESMTP"$/);
row('closing', 'tcp://' . where('closing'), $smtp, 'down', 'content',
    qr/^body does not match "\^220 ", got "421 too many"$/);
row('closing-right', 'tcp://' . where('closing'),
    'expect body == "421 too many\r\n";', 'up', undef, qr/^$/);
row('mute', 'tcp://' . where('mute'), $smtp, 'timeout', 'timeout',
    qr/^timed out after 900 ms, while waiting for the answer$/);
row('mute-not', 'tcp://' . where('mute'), 'expect body !contains ERR;',
    'timeout', 'timeout', qr/^timed out after 900 ms, while waiting/);
row('shut', 'tcp://' . where('shut'), $smtp, 'down', 'reset',
    qr/^connection closed while waiting for the answer$/);
row('shut-size', 'tcp://' . where('shut'), 'expect size < 1;', 'up', undef,
    qr/^$/);

my $ping = 'send "PING\r\n"; expect body contains "+PONG";';
row('ping', 'tcp://' . where('ping'), $ping, 'up', undef, qr/^$/);
row('ping-wrong', 'tcp://' . where('ping'), 'send "PONG\r\n"; '
    . 'expect body contains "+PONG";', 'down', 'content',
    qr/^body does not contain "\+PONG", got "-ERR unknown"$/);
row('ping-not', 'tcp://' . where('ping'), 'send "PONG\r\n"; '
    . 'expect body !contains "-ERR";', 'down', 'content',
    qr/^body contains "-ERR", got "-ERR unknown"$/);
row('ping-only', 'tcp://' . where('ping'), 'send "PING\r\n";', 'up', undef,
    qr/^$/);
row('split', 'tcp://' . where('split'), $ping, 'up', undef, qr/^$/);
row('reset', 'tcp://' . where('reset'), $ping, 'down', 'reset',
    qr/^connection reset while waiting for the answer$/);
row('reset-late', 'tcp://' . where('reset-late'), $ping, 'down', 'reset',
    qr/^connection reset while receiving the answer$/);

row('slow', 'tcp://' . where('slow'), "$smtp prefer latency < 150ms;",
    'degraded', 'latency', qr/^latency [\d.]+(ms|s), expected < 150ms$/);
row('slow-not', 'tcp://' . where('slow'), 'prefer latency < 150ms;',
    'up', undef, qr/^$/);
row('drip', 'tcp://' . where('drip'), 'expect body contains x;',
    'down', 'content', qr/^body does not contain "x", got "\.+"$/);
row('flood', 'tcp://' . where('flood'), 'expect body contains y; '
    . 'max_body 100k;', 'down', 'content',
    qr/^body does not contain "y" in the first 102400 bytes, got "x/);
row('flood-size', 'tcp://' . where('flood'), 'expect size > 100k;',
    'up', undef, qr/^$/);
row('echo', 'tcp://' . where('echo'), 'send "a\x00\0\xff\\\\\\\\\t\r\n"; '
    . 'expect body == "610000ff5c090d0a";', 'up', undef, qr/^$/);
row('binary', 'tcp://' . where('binary'), 'expect body contains nothing;',
    'down', 'content',
    qr/^body does not contain "nothing", and is not text, got ".*<q>"$/);
row('polite', 'tcp://' . where('polite'), '', 'up', undef, qr/^$/);
row('polite-read', 'tcp://' . where('polite'), 'expect body contains hello;',
    'up', undef, qr/^$/);

my $ca = 'tls_ca %%TESTDIR%%/own.pem; ';
my $to = 'resolve 127.0.0.1; ';
my $get = 'send "GET /%s HTTP/1.0\r\n\r\n"; expect body contains "%s";';

row('tls', tls('good'), $ca . $to, 'up', undef, qr/^$/);
row('tls-address', tls('good', '127.0.0.1'), $ca, 'up', undef, qr/^$/);
row('tls-name', tls('elsewhere', '127.0.0.1'),
    "${ca}tls_name elsewhere.test; " . sprintf($get, 'sni', 'elsewhere.test'),
    'up', undef, qr/^$/);
row('tls-body', tls('good'), $ca . $to . sprintf($get, '', 'fine'),
    'up', undef, qr/^$/);
row('tls-wrong', tls('good'), $ca . $to . sprintf($get, '', 'missing'),
    'down', 'content', qr/^body does not contain "missing", got "HTTP/);
row('tls-large', tls('good'), $ca . $to . sprintf($get, 'large', 'THE END'),
    'up', undef, qr/^$/);
row('tls-cut', tls('good'), $ca . $to . 'max_body 100k; '
    . sprintf($get, 'large', 'THE END'), 'down', 'content',
    qr/^body does not contain "THE END" in the first 102400 bytes/);
row('tls-shut', tls('cut'), $ca . $to . sprintf($get, '', 'short'),
    'up', undef, qr/^$/);
row('expired', tls('expired'), $ca . $to, 'down', 'tls',
    qr/^certificate has expired$/);
row('other-name', tls('elsewhere'), $ca . $to, 'down', 'tls',
    qr/^certificate is for another name$/);
row('self', tls('self'), $ca . $to, 'down', 'tls',
    qr/^self-signed certificate$/);
row('any', tls('self'), "tls_verify off; $to" . sprintf($get, '', 'fine'),
    'up', undef, qr/^$/);
row('days', tls('soon'), $ca . $to, 'degraded', 'cert',
    qr/^certificate has 10 days left, expected > 21d$/);
row('days-expect', tls('soon'), "$ca${to}expect cert > 15d;", 'down', 'cert',
    qr/^certificate has 10 days left, expected > 15d$/);
row('mutual', tls('mutual'), "$ca${to}tls_cert %%TESTDIR%%/client.pem "
    . '%%TESTDIR%%/client.key; ' . sprintf($get, '', 'CN=client'),
    'up', undef, qr/^$/);
row('mutual-none', tls('mutual'), $ca . $to . sprintf($get, '', 'CN=client'),
    'down', 'content', qr/^body does not contain "CN=client", got "HTTP/);
row('plain', 'tls://' . where('banner'), $ca, 'down', 'tls',
    qr/^TLS handshake failed: wrong version number$/);
row('tls-mute', 'tls://' . where('mute'), $ca, 'timeout', 'timeout',
    qr/^timed out after 900 ms, while in the TLS handshake$/);
row('tls-closed', 'tls://' . where('shut'), $ca, 'down', 'reset',
    qr/^connection (closed|reset) while in the TLS handshake$/);
row('tls-reset', 'tls://' . where('reset'), $ca, 'down', 'reset',
    qr/^connection (closed|reset) while in the TLS handshake$/);
row('tls-refused', 'tls://127.0.0.1:%%PORT_1%%', $ca, 'down', 'connect',
    qr/^connection refused$/);

my $checks = join '', map { "check $_->[0] \"$_->[1]\" { $_->[2] }\n" } @rows;
my $servers = join '', map { <<"SERVER" } @certs;
server {
    listen 127.0.0.1:%%PORT_$port{$_}%% ssl;
    ssl_certificate     %%TESTDIR%%/$_.pem;
    ssl_certificate_key %%TESTDIR%%/$_.key;
    root %%TESTDIR%%/www;
    location / { return 200 fine; }
    location /sni { return 200 \$ssl_server_name; }
    location /large { }
}
SERVER

mkdir "$dir/www";
$t->write_file('www/large', 'x' x 500_000 . 'THE END', raw => 1);

my $conf = <<"HTTP";
status_monitor m {
    interval 1s;
    timeout  900ms;
    fall     1;
    max_in_flight 200;
    max_per_host  100;
$checks
    check stopped tcp://127.0.0.1:%%PORT_3%% { expect body contains up; }
}

$servers

server {
    listen 127.0.0.1:%%PORT_$port{mutual}%% ssl;
    ssl_certificate        %%TESTDIR%%/good.pem;
    ssl_certificate_key    %%TESTDIR%%/good.key;
    ssl_client_certificate %%TESTDIR%%/own.pem;
    ssl_verify_client      on;
    location / { return 200 \$ssl_client_s_dn; }
}

server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
    location /p/  { status_page m internal; }
}
HTTP


# ------------------------------------------------------------- mistakes

sub refused {
    my ($name, $check, $want) = @_;
    $t->conf("status_monitor m {\n$check\n}\n");
    my ($ok, $text) = $t->test_conf;
    ok(!$ok && $text =~ $want, "refused: $name") or diag($text);
}

$t->allow(qr/\[emerg\]/);

refused('no port', 'check a tcp://127.0.0.1 { }',
        qr/check "a": the URL has no port, expected tcp:\/\/HOST:PORT in \S+:\d+/);
refused('no host', 'check a tcp://:80 { }', qr/check "a": the URL has no host/);
refused('odd host', 'check a tcp://a*b:80 { }', qr/is no name and no address/);
refused('path', 'check a tcp://h:80/path { }',
        qr{the URL of type tcp is tcp://HOST:PORT, with nothing});
refused('user', 'check a tls://u:p@h { }', qr{is tls://HOST:PORT, with});
refused('arguments', 'check a tls://h:443?x=y { }', qr{is tls://HOST:PORT});
refused('starttls in tcp', 'check a tcp://h:25 { starttls smtp; }',
        qr{"starttls" needs tls://, not tcp://});
refused('starttls what', 'check a tls://h:25 { starttls xmpp; }',
        qr/invalid starttls "xmpp", expected one of smtp imap pop3 ftp ldap/);
refused('escape', 'check a tcp://h:25 { send "a\q"; }',
        qr/invalid escape in ".*", expected one of /);
refused('family', 'check a tcp://h:25 { family 5; }',
        qr/invalid family "5", expected one of 4 6 any/);
refused('family and address', 'check a tcp://127.0.0.1:25 { family 6; }',
        qr/"family 6" does not go with the address "127\.0\.0\.1"/);
refused('family and resolve',
        'check a tls://h { family 4; resolve 2001:db8::1; }',
        qr/"family 4" does not go with the address "2001:db8::1"/);
refused('brackets', 'check a tcp://[h]:25 { }',
        qr/the URL has no IPv6 address between "\[" and "\]"/);
refused('brackets around IPv4', 'check a tls://[127.0.0.1] { }',
        qr/the URL has no IPv6 address between "\[" and "\]"/);
refused('empty zone', 'check a tcp://[fe80::1%]:25 { }',
        qr/the URL has no IPv6 address between "\[" and "\]"/);
refused('beyond ASCII', "check a tcp://b\xc3\xbccher.example:25 { }",
        qr/host has letters beyond ASCII, expected its ASCII form, for example/);
refused('tls_name beyond ASCII', "check a tls://h { tls_name b\xc3\xbccher; }",
        qr/"tls_name" is no name and no address/);
refused('cert without TLS', 'check a tcp://h:25 { expect cert > 7d; }',
        qr/"expect cert" in a check without TLS/);
refused('cert names without TLS', 'check a tcp://h:25 { prefer cert names x; }',
        qr/"prefer cert" in a check without TLS/);
refused('tls_name', 'check a tls://h { tls_name "a b"; }',
        qr/"tls_name" is no name and no address/);
refused('subject', 'check a tcp://h:25 { expect status 200; }',
        qr/\bstatus\b/);
refused('option elsewhere', 'check a http://h/ { send x; }',
        qr/"send" is not for a check of type http, only for tcp/);
refused('tls_ca', 'check a tls://h { tls_ca /nowhere/ca.pem; }',
        qr{tls_ca: .*"/nowhere/ca.pem"});


# ------------------------------------------------------------------ running

start_peer(@$_) for @peers;

$t->deaf(2);

my $six = eval { require IO::Socket::IP;
                 IO::Socket::IP->new(LocalHost => '::1', Listen => 16,
                     LocalPort => $t->port(8), ReuseAddr => 1) };
if ($six) {
    $t->daemon(sub { while (my $s = $six->accept) { print $s "hello\r\n";
                                                    close $s } });
} else {
    @rows = grep { $_->[0] ne 'six' } @rows;
    $conf =~ s/^check six .*\n//m;
}

# TLS that ends without its goodbye: the process dies

$t->peer($port{cut}, sub {
    require IO::Socket::SSL;
    my $tls = IO::Socket::SSL->start_SSL($_[0], SSL_server => 1,
        SSL_cert_file => "$dir/good.pem",
        SSL_key_file => "$dir/good.key") or return;
    line($tls);
    syswrite $tls, "a short answer";
    POSIX::_exit(0);
});

if (!eval { require IO::Socket::SSL; 1 }) {
    @rows = grep { $_->[0] ne 'tls-shut' } @rows;
    $conf =~ s/^check tls-shut .*\n//m;
}

$t->conf($conf);
$t->run;

my $all = $t->rows_ok('/m', \@rows, [qw(error_class message)]);
is(join(' ', grep { $_ ne 'tcp' } map { $_->{type} } @{ $all->{checks} }), '',
   'all of one type');


# ---------------------------------------------------------------- what else

for ([ tls => 'good' ], [ days => 'soon' ], [ 'other-name' => 'elsewhere' ],
     [ expired => 'expired' ], [ self => 'self' ], [ any => 'self' ])
{
    my ($id, $cert) = @$_;
    my $end = Pki::openssl('x509', '-noout', '-enddate', '-dateopt',
                           'iso_8601', '-in', "$dir/$cert.pem");
    $end =~ s/^notAfter=(\S+) (\S+)\s*$/$1T$2/;
    is(check_of($all, $id)->{cert_expires_at}, $end, "$id: expires");
}
is(check_of($all, 'connect')->{cert_expires_at}, undef, 'no certificate');

my $c = check_of($all, 'tls-body');
cmp_ok($c->{phases_ms}{tls}, '>', 0, 'the handshake is a phase');
cmp_ok($c->{phases_ms}{tls}, '<=', $c->{latency_ms}, 'of the latency');
cmp_ok($c->{phases_ms}{wait}, '>', 0, 'and waiting is one');
$c = check_of($all, 'tls-mute');
cmp_ok($c->{phases_ms}{tls}, '>', 0, 'one that does not end, too');
cmp_ok($c->{phases_ms}{wait} // 0, '<', $c->{phases_ms}{tls},
       'and is not waiting');
$c = check_of($all, 'slow');
cmp_ok($c->{phases_ms}{connect} + $c->{phases_ms}{wait}, '>', 290,
       'waiting for a slow server');

# how long nothing more came, which is the timeout, is no latency

for (qw(banner-wrong banner-prefer)) {
    cmp_ok(check_of($all, $_)->{latency_ms}, '<', 900,
           "$_: the latency is the answer's");
}

# goodbye: neither side sees a reset, though not all of it was read

my @ends = map { $t->read_file($_) } map { s{.*/}{}r } glob "$dir/end-*";
cmp_ok(scalar @ends, '>', 1, 'ends were seen');
is(join(', ', grep { $_ ne 'read 0' } @ends), '', 'all of them polite');

# stopped and started

ok($t->wait_check('/m', 'stopped', sub { $_->{status} eq 'down' }),
   'stopped: down');
$port{up} = 3;
my $up = start_peer('up', sub { my ($s) = @_; print $s "up\r\n"; hold($s) });
ok($t->wait_check('/m', 'stopped', sub { $_->{status} eq 'up' }),
   'started: up');
$t->kill_daemon($up);
ok($t->wait_check('/m', 'stopped', sub { $_->{status} eq 'down' }),
   'stopped: down again');

# nothing piles up

my $pid = $t->checker;
sub descriptors { return scalar(() = glob "/proc/$pid/fd/*") }
my $most = max(map { sleep 0.1; descriptors() } 1 .. 15);
sleep 2;
cmp_ok(max(map { sleep 0.1; descriptors() } 1 .. 15), '<=', $most + 20,
       'no descriptor is left open');

my $before = $t->checker;
$t->reload;
isnt($t->checker, $before, 'reloaded amidst it');
ok($t->wait_check('/m', 'ping', sub { $_->{result} eq 'up' }), 'and goes on');

unlike($t->get('/p/check/binary')->{body}, qr/<q>/, 'the page escapes it');

$t->finish;
