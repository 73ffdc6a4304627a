#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# TLS: what a wrong certificate is called, trusting and not verifying,
# client certificates, HTTP/2, and the days that a certificate has left.

use strict;
use warnings;

use FindBin;
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);
use Time::Local qw(timegm);

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Pki;

plan(skip_all => 'no openssl') if system('openssl version >/dev/null 2>&1');

my $t = NgxStatus->new;
my $dir = $t->dir;


# -------------------------------------------------------------- certificates

my $pki = Pki->new($dir);
my $day = 86400;
my $san = 'DNS:good.test,DNS:*.wild.test,IP:127.0.0.1';

$pki->authority('own');
$pki->authority('other');
$pki->certificate('good', $san, 60 * $day + 3600);
$pki->certificate('soon', $san, 10 * $day + 3600);
$pki->certificate('last', $san, 3 * $day + 3600);
$pki->certificate('hours', $san, 30 * 3600 + 60);
$pki->certificate('expired', $san, -2 * $day - 3600);
$pki->certificate('early', $san, 9 * $day, from => $day);
$pki->certificate('elsewhere', 'DNS:elsewhere.test', 60 * $day);
$pki->certificate('client', 'DNS:client.test', 60 * $day);
$pki->selfsigned('self', '/CN=good.test', 'DNS:good.test');
$t->write_file('client-both.pem', $t->read_file('client.pem')
               . $t->read_file('client.key'), raw => 1);
chmod 0600, "$dir/client-both.pem";


# --------------------------------------------------------------------- checks

my @rows;
sub row { push @rows, [ @_ ] }

# a server of nginx's for each certificate; the ports from 10 on
my @certs = qw(good soon last hours expired early elsewhere self);
my %port = map { $certs[$_] => 10 + $_ } 0 .. $#certs;

sub url { my ($cert, $host) = @_;
          return 'https://' . ($host // 'good.test')
                 . ":%%PORT_$port{$cert}%%/" }

my $ca = 'tls_ca %%TESTDIR%%/own.pem; ';
my $to = 'resolve 127.0.0.1; ';
my $stranger = qr/^certificate of an unknown issuer(, and no intermediate was sent)?$/;

row('good', url('good'), "$ca$to", 'up', undef, 200, qr/^$/);
row('address', url('good', '127.0.0.1'), $ca, 'up', undef, 200, qr/^$/);
row('wild', url('good', 'a.wild.test'), "$ca$to", 'up', undef, 200, qr/^$/);
row('keepalive', url('good'), "$ca${to}keepalive on; expect cert > 7d; "
    . 'expect header X-Requests >= 3;', 'up', undef, 200, qr/^$/);

row('expired', url('expired'), "$ca$to", 'down', 'tls', undef,
    qr/^certificate has expired$/);
row('early', url('early'), "$ca$to", 'down', 'tls', undef,
    qr/^certificate is not valid yet$/);
row('name', url('elsewhere'), "$ca$to", 'down', 'tls', undef,
    qr/^certificate is for another name$/);
row('name-address', url('elsewhere', '127.0.0.1'), $ca, 'down', 'tls', undef,
    qr/^certificate is for another (name|address)$/);
row('wild-deep', url('good', 'a.b.wild.test'), "$ca$to", 'down', 'tls', undef,
    qr/^certificate is for another name$/);
row('self', url('self'), "$ca$to", 'down', 'tls', undef,
    qr/^self-signed certificate$/);
row('issuer', url('good'), "tls_ca %%TESTDIR%%/other.pem; $to",
    'down', 'tls', undef, $stranger);
row('system', url('good'), $to, 'down', 'tls', undef, $stranger)
    if -e '/etc/ssl/certs/ca-certificates.crt';

my $any = "tls_verify off; $to";
row('any-expired', url('expired'), $any, 'up', undef, 200, qr/^$/);
row('any-name', url('elsewhere'), $any, 'up', undef, 200, qr/^$/);
row('any-self', url('self'), $any, 'up', undef, 200, qr/^$/);
row('any-days', url('expired'), "${any}expect cert > 7d;",
    'down', 'cert', 200,
    qr/^certificate expired 2(\.\d)? days ago, expected > 7d$/);

row('days', url('good'), "$ca${to}expect cert > 7d; prefer cert > 21d;",
    'up', undef, 200, qr/^$/);
row('days-prefer', url('soon'), "$ca${to}expect cert > 7d; prefer cert > 21d;",
    'degraded', 'cert', 200,
    qr/^certificate has 10 days left, expected > 21d$/);
row('days-expect', url('last'), "$ca${to}expect cert > 7d; prefer cert > 21d;",
    'down', 'cert', 200, qr/^certificate has 3 days left, expected > 7d$/);
row('hours', url('hours'), "$ca${to}expect cert > 7d;",
    'down', 'cert', 200,
    qr/^certificate has (29\.9|30) hours left, expected > 7d$/);

my $c = 'https://good.test:%%PORT_2%%/';
row('client-none', $c, "$ca$to", 'down', 'status', 400,
    qr/^status 400, expected 200-299$/);
row('client', $c, "$ca${to}tls_cert %%TESTDIR%%/client.pem "
    . '%%TESTDIR%%/client.key; expect body == "CN=client";',
    'up', undef, 200, qr/^$/);
row('client-both', $c, "$ca${to}tls_cert %%TESTDIR%%/client-both.pem; "
    . 'expect body == "CN=client";', 'up', undef, 200, qr/^$/);
row('client-wrong', $c, "$ca${to}tls_cert %%TESTDIR%%/other.pem "
    . '%%TESTDIR%%/other.key;', 'down', 'status', 400, qr/^status 400, /);
row('client-key', $c, "$ca${to}tls_cert %%TESTDIR%%/client.pem "
    . '%%TESTDIR%%/good.key;', 'unknown', 'internal', undef,
    qr/^tls_cert or its key can not be used$/);

row('h2', 'https://good.test:%%PORT_3%%/', "$ca${to}"
    . 'expect header X-Proto == HTTP/2.0;', 'up', undef, 200, qr/^$/);
row('h2-down', 'https://good.test:%%PORT_3%%/bad', "$ca$to",
    'down', 'status', 503, qr/^status 503, expected 200-299$/);
row('h1', url('good'), "$ca${to}expect header X-Proto == HTTP/1.1;",
    'up', undef, 200, qr/^$/);

row('to-tls', 'http://127.0.0.1:%%PORT_1%%/redirect?to='
    . url('good', '127.0.0.1'), $ca, 'up', undef, 200, qr/^$/);
row('to-expired', 'http://127.0.0.1:%%PORT_1%%/redirect?to='
    . url('expired', '127.0.0.1'), $ca, 'down', 'tls', undef,
    qr/^certificate has expired$/);

row('plain', 'https://127.0.0.1:%%PORT_1%%/ok', $ca, 'down', 'tls', undef,
    qr/^TLS handshake failed: wrong version number$/);
row('plain-to-tls', 'http://127.0.0.1:%%PORT_10%%/', '',
    'down', 'status', 400, qr/^status 400, /);
row('silent', 'https://127.0.0.1:%%PORT_4%%/', $ca, 'timeout', 'timeout',
    undef, qr/^timed out after 900 ms, while in the TLS handshake$/);
row('closed', 'https://127.0.0.1:%%PORT_5%%/', $ca, 'down', 'reset',
    undef, qr/^connection (closed|reset) while in the TLS handshake$/);
row('old', 'https://127.0.0.1:%%PORT_6%%/', $ca, 'down', 'tls', undef,
    qr/^TLS handshake failed: \S/);
row('cut', 'https://127.0.0.1:%%PORT_7%%/short', $ca, 'down', 'reset', 200,
    qr/^(answer ended early|connection (closed|reset) while receiving)/);


my $checks = join '', map { "check $_->[0] \"$_->[1]\" { $_->[2] }\n" } @rows;
my $servers = join '', map { <<"SERVER" } @certs;
server {
    listen 127.0.0.1:%%PORT_$port{$_}%% ssl;
    ssl_certificate     %%TESTDIR%%/$_.pem;
    ssl_certificate_key %%TESTDIR%%/$_.key;
    add_header X-Proto \$server_protocol;
    add_header X-Requests \$connection_requests;
    location / { return 200 fine; }
}
SERVER

$t->conf(<<"HTTP");
status_monitor m {
    interval 1s;
    timeout  900ms;
    fall     1;
    max_per_host 50;
$checks
}

$servers

server {
    listen 127.0.0.1:%%PORT_2%% ssl;
    ssl_certificate        %%TESTDIR%%/good.pem;
    ssl_certificate_key    %%TESTDIR%%/good.key;
    ssl_client_certificate %%TESTDIR%%/own.pem;
    ssl_verify_client      on;
    location / { return 200 \$ssl_client_s_dn; }
}

server {
    listen 127.0.0.1:%%PORT_3%% ssl http2;
    ssl_certificate     %%TESTDIR%%/good.pem;
    ssl_certificate_key %%TESTDIR%%/good.key;
    add_header X-Proto \$server_protocol;
    location /    { return 200 fine; }
    location /bad { return 503; }
}

server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
    location /p/  { status_page m internal; }
}
HTTP

$t->hostile(1);
my $deaf = $t->listen_on(4);
$t->peer(5, sub { sysread $_[0], my $b, 9999 });

# a server that speaks no version that libcurl does, and one that is cut off
# within its answer, without TLS's goodbye

my @server = ('openssl', 's_server', '-quiet', '-cert', "$dir/good.pem",
              '-key', "$dir/good.key");
$t->spawn(@server, '-accept', '127.0.0.1:' . $t->port(6), '-tls1_2', '-www',
          '-cipher', 'NULL-SHA256:@SECLEVEL=0');

my $good = $t->port(8);
$t->write_file('short', "HTTP/1.0 200 OK\r\nContent-Length: 100000\r\n\r\n"
               . 'x' x 60000, raw => 1);
$t->peer(7, sub {
    my ($s) = @_;
    my $up = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                   PeerPort => $good) or die;
    my ($from, $sel) = (0, IO::Select->new($s, $up));
    while ($from <= 40000) {
        for my $in ($sel->can_read(5)) {
            sysread($in, my $buf, 16384) or return;
            $from += length $buf if $in == $up;
            syswrite $in == $up ? $s : $up, $buf;
        }
    }
});
chdir $dir;                                      # what -HTTP serves
$t->spawn(@server, '-accept', "127.0.0.1:$good", '-HTTP');
chdir '/';


$t->run;

sub epoch {
    my @t = ($_[0] // '') =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z$/
        or return undef;
    return timegm(@t[5, 4, 3, 2], $t[1] - 1, $t[0]);
}

my $all = $t->rows_ok('/m', \@rows, [qw(error_class http_status message)]);


# ------------------------------------------------------------------ what else

for ([ good => 'good' ], [ 'days-prefer' => 'soon' ], [ keepalive => 'good' ],
     [ 'any-days' => 'expired' ])
{
    my ($id, $cert) = @$_;
    my $end = Pki::openssl('x509', '-noout', '-enddate', '-dateopt', 'iso_8601',
                      '-in', "$dir/$cert.pem");
    $end =~ s/^notAfter=(\S+) (\S+)\s*$/$1T$2/;
    is(check_of($all, $id)->{cert_expires_at}, $end, "$id: expires");
}
is(check_of($all, 'plain')->{cert_expires_at}, undef, 'plain: no certificate');
is(check_of($all, 'plain-to-tls')->{cert_expires_at}, undef, 'nor for http');

my $p = check_of($all, 'good')->{phases_ms};
cmp_ok($p->{tls}, '>', 0, 'the handshake is a phase');
cmp_ok($p->{connect} + $p->{tls}, '<=', check_of($all, 'good')->{latency_ms},
       'of its own');
my $silent = check_of($all, 'silent');
$p = $silent->{phases_ms};
cmp_ok($p->{tls}, '>', 0, 'one that does not end is one, too');
cmp_ok(($p->{connect} // 0) + $p->{tls}, '<=', $silent->{latency_ms},
       'and not connecting');

# an old connection has no handshake, but its certificate is remembered

my $again = check_of($all, 'keepalive');
is($again->{phases_ms}{connect}, undef, 'no second connection')
    or diag(explain($again->{phases_ms}));
ok($again->{cert_expires_at}, 'but the certificate is known');

my $key = ($t->read_file('client.key') =~ /\n(\w{20})/)[0];
unlike($t->log . $t->get('/m')->{body} . $t->get('/p/check/client')->{body},
       qr/\Q$key\E|PRIVATE KEY/, 'no key anywhere');
like($t->get('/p/check/expired')->{body}, qr/certificate has expired/,
     'the page says why');

$t->finish;
