#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# HTTP beyond a plain GET: HTTP/2, proxies, unix sockets, credentials, a family
# of addresses, where redirects end; and what of these does not go together.

use strict;
use warnings;

use FindBin;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Pki;

plan(skip_all => 'no openssl') if system('openssl version >/dev/null 2>&1');

# nginx in a mount namespace of its own, where the names are ours

my $no_names = $> != 0 ? 'not root'
               : system('unshare -m true 2>/dev/null') ? 'no mount namespace'
               : '';
my $t = NgxStatus->new(wrap => $no_names ? [] : ['unshare', '-m', 'sh', '-c',
    'for f in hosts nsswitch.conf; do mount --bind $1/$f /etc/$f || exit 1; '
    . 'done; shift; exec "$@"', 'sh']);
push @{ $t->{wrap} }, $t->dir if @{ $t->{wrap} };

my $dir = $t->dir;
my $v6 = eval {
    require IO::Socket::IP;
    IO::Socket::IP->new(Listen => 1, LocalHost => '::1');
};

my %have;
for my $name (qw(tinyproxy microsocks)) {
    ($have{$name}) = grep { -x } map { "$_/$name" } split /:/, $ENV{PATH};
}
$have{ssl} = eval { require IO::Socket::SSL };

my $pki = Pki->new($dir);
my $day = 86400;
$pki->authority('own');
$pki->certificate('good', 'DNS:good.test,DNS:name.test,DNS:both.test,'
                  . 'DNS:localhost,IP:127.0.0.1', 60 * $day);
$pki->certificate('proxy', 'DNS:localhost,IP:127.0.0.1', 90 * $day);
$pki->certificate('late', 'DNS:localhost,IP:127.0.0.1', -$day);
$pki->certificate('client', undef, 60 * $day);

$t->write_file('nsswitch.conf', "hosts: files\n");
$t->write_file('hosts', <<'HOSTS');
127.0.0.1 localhost both.test hop.test
::1 both.test hop.test
127.0.0.2 four.test
2001:db8::1 six.test
HOSTS

my %secret = map { $_ => "zq${_}x" . join '',
                   map { ('a' .. 'z', 0 .. 9)[rand 36] } 1 .. 24 }
             qw(basic url bearer proxy wrong);
$t->write_file('bearer', "$secret{bearer}\n");
$t->write_file('proxy-url',
               "http://user:$secret{proxy}\@127.0.0.1:%%PORT_11%%\n");
$t->write_file('file.sock', '');
chmod 0600, "$dir/bearer", "$dir/proxy-url";
chmod 0666, "$dir/file.sock";


# ------------------------------------------------------ what does not go at all

$t->allow(qr/\[emerg\]/);

sub refused {
    my ($name, $url, $directives, $want) = @_;
    $t->conf("status_monitor m {\n    check a $url { $directives }\n}\n");
    my ($ok, $text) = $t->test_conf;
    my ($emerg) = $text =~ /\[emerg\] (.*)/;
    ok(!$ok && ($emerg // '') =~ /$want.* in .*nginx\.conf:/, "refused: $name")
        or diag($text);
    unlike($text, qr/$_/, "$name: tells no secret")
        for grep { index("$url $directives", $_) >= 0 } values %secret;
}

my $ok = 'http://127.0.0.1/';
refused('http_version', $ok, 'http_version 3;',
        'invalid http_version "3", expected one of 1.0 1.1 2 any');
refused('HTTP/2 and keepalive', $ok, 'http_version 2; keepalive on;',
        '"http_version 2" without TLS does not go with "keepalive on"');
refused('HTTP/2 and proxy', $ok, 'http_version 2; proxy http://127.0.0.1:1;',
        '"http_version 2" without TLS does not go through an HTTP proxy');
refused('other type', 'tcp://127.0.0.1:1', 'http_version 2;',
        '"http_version" is not for a check of type tcp, only for http');

my $form = 'expected http\+unix:///path/of/socket:/uri';
refused('unix with host', 'http+unix://a.example/run/a.sock:/', '',
        "http\\+unix:// takes no host, $form");
refused('unix with port', 'http+unix://:80/run/a.sock:/', '',
        "http\\+unix:// takes no host, $form");
refused('unix without path', 'http+unix://', '',
        "the URL has no path of a socket, $form");
refused('unix with an empty path', 'http+unix:///:/uri', '',
        "the URL has no path of a socket, $form");
refused('unix without uri', 'http+unix:///run/a.sock', '',
        "the URL has no \":/uri\" behind the socket, $form");
refused('unix with an empty uri', 'http+unix:///run/a.sock:', '',
        "the URL has no \":/uri\" behind the socket, $form");
refused('unix with half a uri', 'http+unix:///run/a.sock:uri', '',
        "the URL has no \":/uri\" behind the socket, $form");
refused('unix with a broken path', 'http+unix:///run/%zz.sock:/', '',
        'the socket\'s path has a "%" without two hexadecimal digits');
refused('unix with a NUL', 'http+unix:///run/%00.sock:/', '', 'or %00');
refused('unix with a long path', 'http+unix:///' . 'x' x 107 . ':/', '',
        'the socket\'s path has 108 bytes, expected up to 107');
refused("unix and $_->[0]", 'http+unix:///run/a.sock:/', "$_->[0] $_->[1];",
        "\"$_->[0]\" does not go with http\\+unix://")
    for [ resolve => '127.0.0.1' ], [ family => 4 ],
        [ proxy => 'http://127.0.0.1:1' ];

refused('family and address', 'http://[::1]/', 'family 4;',
        '"family 4" does not go with the address "::1"');
refused('family and other address', $ok, 'family 6;',
        '"family 6" does not go with the address "127.0.0.1"');
refused('family and resolve', 'http://a.example/',
        'family 4; resolve 2001:db8::1;',
        '"family 4" does not go with the address "2001:db8::1"');
refused('family and proxy', $ok, 'family 4; proxy http://127.0.0.1:1;',
        '"family" does not go with "proxy": it is the proxy that connects');

refused('proxy without scheme', $ok, "proxy user:$secret{proxy}\@127.0.0.1:1;",
        '"proxy" is not a URL');
refused('proxy with another', $ok,
        "proxy ftp://user:$secret{proxy}\@127.0.0.1:1;",
        '"proxy" has a scheme that is none of http, https, socks5 and socks5h');
refused('proxy without port', $ok, "proxy http://user:$secret{proxy}\@a.test;",
        '"proxy" has no port');
refused('proxy with a path', $ok,
        "proxy http://user:$secret{proxy}\@127.0.0.1:1/x;",
        '"proxy" has something behind its port');
refused('proxy with a query', $ok,
        "proxy http://user:$secret{proxy}\@127.0.0.1:1?x;",
        '"proxy" has something behind its port');

refused('password alone', $ok, "password $secret{basic};",
        '"password" needs a "username"');
refused('name with a colon', $ok, "username a:b; password $secret{basic};",
        'the user\'s name holds a ":"');
refused('bearer and user', "http://u:$secret{url}\@127.0.0.1/",
        "bearer $secret{bearer};",
        '"bearer" does not go with a user and a password');
refused('bearer and header', $ok,
        "bearer $secret{bearer}; header authorization x;",
        '"header Authorization" does not go with "bearer"');
refused('basic and header', $ok,
        "username u; password $secret{basic}; header Authorization x;",
        '"header Authorization" does not go with "username"');

$t->conf(<<"HTTP");
status_monitor m {
    proxy http://127.0.0.1:1;
    header Authorization "Basic x";
    family any;
    check off  http+unix:///run/a.sock:/ { proxy off; }
    check user $ok { username u; header Authorization ""; }
    check url  http://u:p\@127.0.0.1/ { }
    check tcp  tcp://127.0.0.1:1 { }
}
HTTP
my ($fine, $why) = $t->test_conf;
ok($fine, 'what is outside can be turned off') or diag($why);


# --------------------------------------------------------------------- checks

my @rows;     # [ id, URL, directives, state, error, status, message, seen ]
sub row { push @rows, [ @_ ] }

my $H = 'http://127.0.0.1:%%PORT_1%%';          # this nginx
my $S = 'https://127.0.0.1:%%PORT_2%%';         # with TLS
my $S2 = 'https://127.0.0.1:%%PORT_3%%';        # with HTTP/2, too
my $H2 = 'http://127.0.0.1:%%PORT_4%%';         # HTTP/2 alone
my $ca = 'tls_ca %%TESTDIR%%/own.pem; ';
my $closed = '127.0.0.1:%%PORT_9%%';
my @up = ('up', undef, 200, qr/^$/);

row('default', "$S2/echo", $ca, @up, qr{^HTTP/2 200, });
row('any', "$S2/echo", "${ca}http_version any;", @up, qr{^HTTP/2 });
row('1.1', "$S2/echo", "${ca}http_version 1.1;", @up, qr{^HTTP/1\.1 });
row('1.0', "$H/echo", 'http_version 1.0; expect body contains HTTP/1.0;',
    @up, qr{^HTTP/1\.1 });
row('2', "$S2/echo", "${ca}http_version 2; expect body contains HTTP/2.0;",
    @up, qr{^HTTP/2 });
row('2-not', "$S/echo", "${ca}http_version 2;", 'down', 'protocol', 200,
    qr{^HTTP/1\.1, expected HTTP/2$}, qr{^HTTP/1\.1 200, });
row('2-bot', "$S/echo", "${ca}http_version 2; bot host=;", 'bot_detected',
    'bot', 200, qr/^body contains/);
row('2-plain', "$H2/echo", 'http_version 2; expect body contains HTTP/2.0;',
    @up, qr{^HTTP/2 });
row('2-plain-not', "$H/echo", 'http_version 2;', 'down',
    qr/^(?:reset|protocol)$/, undef,
    qr{^(?:empty answer|broken HTTP/2|answer can not be read: .* HTTP/2 .*)$});
row('2-deaf', 'http://127.0.0.1:%%PORT_5%%/', 'http_version 2;', 'timeout',
    'timeout', undef, qr/^timed out after 1900 ms, while waiting/);
row('2-cut', "$S2/long", "${ca}http_version 2; max_body 1k;", @up,
    qr{^HTTP/2 200, more than 1\.0 kB});
row('2-to-1', "$S2/to?$S/echo", "${ca}http_version 2;", 'down', 'protocol',
    200, qr{^HTTP/1\.1, expected HTTP/2$});
row('2-plain-to-tls', "$H2/to?$S2/echo", "${ca}http_version 2;", @up);
row('2-client', "$S2/cert", "${ca}http_version 2; tls_cert "
    . '%%TESTDIR%%/client.pem %%TESTDIR%%/client.key; '
    . 'expect body contains CN=client;', @up);
row('2-keep', "https://localhost:%%PORT_3%%/echo",
    "${ca}http_version 2; keepalive on; "
    . 'expect body ~ "n=([3-9]|..)";', @up, qr{^HTTP/2 });
row('1.1-keep', "https://localhost:%%PORT_3%%/echo",
    "${ca}http_version 1.1; keepalive on; "
    . 'expect body ~ "HTTP/1.1 n=([3-9]|..)";', @up, qr{^HTTP/1\.1 });

my $U = 'http+unix://%%TESTDIR%%/app.sock';
row('unix', "$U:/echo?x=1", 'expect body contains "host=localhost "; '
    . 'expect body contains uri=/echo?x=1;', @up);
row('unix-host', "$U:/echo", 'header Host app.example; '
    . 'expect body contains "host=app.example ";', @up);
row('unix-encoded', 'http+unix://%%TESTDIR%%/a%20b%3Ac.sock:/echo', '', @up);
row('unix-login', "http+unix://user:$secret{url}\@%%TESTDIR%%/app.sock:/login",
    '', 'down', 'status', 401,
    qr/^status 401, expected 200-299: credentials are refused$/);
row('unix-keep', 'http+unix://%%TESTDIR%%/a%20b%3Ac.sock:/echo',
    'keepalive on; expect body ~ "n=([3-9]|..)";', @up);
row('unix-hop', "$U:/to?/echo", 'expect redirect http://localhost/echo;', @up);
row('unix-stray', "$U:/to?$H/echo?token=$secret{url}", '', 'down', 'redirect',
    302, qr{^redirect\ to\ http://127\.0\.0\.1:\d+/echo\?token=\*\*\*,
            \ which\ is\ not\ behind\ the\ socket$}x);
row('unix-stray-tls', "$U:/to?https://localhost/", '', 'down', 'redirect', 302,
    qr{^redirect to https://localhost/, which is not behind the socket$});
row('unix-stray-0', "$U:/to?$H/echo", 'follow 0; expect status 302; '
    . "expect redirect $H/echo;", 'up', undef, 302, qr/^$/);
row('unix-none', 'http+unix://%%TESTDIR%%/none.sock:/', '', 'down', 'connect',
    undef, qr/^there is no such socket$/);
row('unix-denied', 'http+unix://%%TESTDIR%%/denied.sock:/', '', 'unknown',
    'internal', undef,
    qr/^no connection could be made from here: Permission denied$/);
row('unix-file', 'http+unix://%%TESTDIR%%/file.sock:/', '', 'down', 'connect',
    undef, qr/^connection refused$/);
row('unix-deaf', 'http+unix://%%TESTDIR%%/deaf.sock:/', '', 'timeout',
    'timeout', undef, qr/^timed out after 1900 ms, while waiting/);

my $login = "username user; password $secret{basic}; ";
my $bearer = 'bearer file:%%TESTDIR%%/bearer; ';
row('basic', "$H/login", $login, @up);
row('basic-url', "http://user:$secret{basic}\@127.0.0.1:%%PORT_1%%/login", '',
    @up);
row('basic-both', "http://user:$secret{wrong}\@127.0.0.1:%%PORT_1%%/login",
    "password $secret{basic};", @up);
row('basic-wrong', "$H/login", "username user; password $secret{wrong};",
    'down', 'status', 401,
    qr/^status 401, expected 200-299: credentials are refused$/);
row('basic-none', "$H/login", '', 'down', 'status', 401,
    qr/^status 401, expected 200-299$/);
row('basic-fine', "$H/login", "username user; password $secret{wrong}; "
    . 'expect status 401;', 'up', undef, 401, qr/^$/);
row('basic-empty', "http://:$secret{wrong}\@127.0.0.1:%%PORT_1%%/echo",
    'expect body contains "auth=Basic ";', @up);
row('bearer', "$H/bearer", $bearer, @up);
row('bearer-2', "$S2/bearer", "$ca$bearer", @up, qr{^HTTP/2 });
row('bearer-wrong', "$H/bearer", "bearer $secret{wrong};", 'down', 'status',
    401, qr/^status 401, expected 200-299: credentials are refused$/);

# they go with redirects to the same host and port, and nowhere else

for ([ basic => $login, 'Basic' ], [ bearer => $bearer, 'Bearer' ]) {
    my ($id, $who, $word) = @$_;
    row("$id-hop", "$H/to?/echo", "${who}expect body contains 'auth=$word ';",
        @up);
    row("$id-port", "$H/to?http://127.0.0.1:%%PORT_6%%/echo",
        "${who}expect body contains 'auth= ';", @up);
    row("$id-host", "$H/to?http://localhost:%%PORT_1%%/echo",
        "${who}expect body contains 'auth= ';", @up);
    row("$id-scheme", "$H/to?$S/echo", "$ca${who}"
        . "expect body contains 'auth= ';", @up);
    row("$id-down", "$S/to?$H/echo", "$ca${who}"
        . "expect body contains 'auth= ';", @up);
}

# score_history: the same for who is the same

row('score', "$H/score", "${bearer}score \$.score; "
    . "score_history $H/scores \$.all[*];", @up);
row('score-unix', "$U:/score", "${bearer}score \$.score; "
    . "score_history $U:/scores \$.all[*];", @up);
row('score-else', "$H/score", "${bearer}score \$.score; "
    . 'score_history http://127.0.0.1:%%PORT_6%%/scores $.all[*];', @up);
row('score-to-unix', "$H/score", "${bearer}score \$.score; "
    . "score_history $U:/scores \$.all[*];", @up);
row('score-own', "$H/score", 'bearer ' . $secret{bearer} . '; score $.score; '
    . "score_history http://user:$secret{basic}\@127.0.0.1:%%PORT_6%%"
    . '/scores-login $.all[*];', @up);
row('score-2', "$H2/score", "${bearer}http_version 2; score \$.score; "
    . "score_history $H/scores-open \$.all[*];", @up);

row('redirect', "$H/to?/to?/echo", "expect redirect $H/echo;", @up);
row('redirect-root', "$H/to?http://127.0.0.1:%%PORT_1%%",
    "expect redirect $H/;", @up);
row('redirect-0', "$H/to?/echo", 'follow 0; expect status 302; '
    . "expect redirect $H/echo; expect header Location == $H/echo;",
    'up', undef, 302, qr/^$/);
row('redirect-0-else', "$H/to?/else?token=$secret{url}", 'follow 0; '
    . "expect status 302; expect redirect $H/echo?token=$secret{wrong};",
    'down', 'redirect', 302,
    qr{^redirect\ is\ "http://127\.0\.0\.1:\d+/else\?token=\*\*\*",
       \ expected\ "http://127\.0\.0\.1:\d+/echo\?token=\*\*\*"$}x);
row('redirect-none', "$H/echo", "expect redirect $H/echo;", 'down',
    'redirect', 200, qr/^was not redirected, expected "http:/);
row('redirect-prefer', "$H/echo", "prefer redirect ~ ^https:;", 'degraded',
    'redirect', 200, qr/^was not redirected, expected ~ "\^https:"$/);
row('redirect-dead', "$H/to?http://$closed/", 'expect redirect ~ .;', 'down',
    'connect', undef, qr/^connection refused$/);

row('family-4', "$H/echo", 'family 4;', @up);
row('family-localhost', 'http://localhost:%%PORT_1%%/echo',
    'family 4; expect body contains addr=127.0.0.1;', @up);
if ($v6) {
    row('v6', 'http://[::1]:%%PORT_1%%/echo',
        'family 6; expect body contains addr=::1;', @up);
    row('v6-resolve', 'http://good.test:%%PORT_1%%/echo',
        'resolve ::1; family 6; expect body contains addr=::1;', @up);
}
if (!$no_names && $v6) {
    row('both-any', 'http://both.test:%%PORT_1%%/echo',
        'expect body contains addr=::1;', @up);
    row('both-4', 'http://both.test:%%PORT_1%%/echo',
        'family 4; expect body contains addr=127.0.0.1;', @up);
    row('both-6', 'http://both.test:%%PORT_1%%/echo',
        'family 6; expect body contains addr=::1;', @up);
    row("both-$_->[0]-keep", 'http://both.test:%%PORT_1%%/echo',
        "keepalive on; family $_->[0]; expect body contains addr=$_->[1]; "
        . 'expect body ~ "n=([3-9]|..)";', @up)
        for [ 4 => '127.0.0.1' ], [ 6 => '::1' ];
    row('four-6', 'http://four.test:%%PORT_1%%/echo', 'family 6;', 'down',
        'resolve', undef,
        qr/^(name )?"four\.test" (has no (IPv6 )?address|does not resolve)$/);
    row('six-4', 'http://six.test:%%PORT_1%%/echo', 'family 4;', 'down',
        'resolve', undef,
        qr/^(name )?"six\.test" (has no (IPv4 )?address|does not resolve)$/);
    row('hop-4', "$H/to?http://hop.test:%%PORT_1%%/echo",
        'family 4; expect body contains addr=127.0.0.1;', @up);
}


# ---- through a proxy: one that does all that can go wrong, and real ones

my $P = 'proxy http://127.0.0.1:%%PORT_10%%; ';
row('proxy', 'http://name.test/', "${P}expect body == plain;", @up);
row('proxy-tls', 'https://name.test/echo', "$ca$P"
    . 'expect body contains host=name.test;', @up, qr{^HTTP/2 });
row('proxy-2', 'https://name.test/echo', "$ca${P}http_version 2;", @up);
row('proxy-keep', 'https://name.test/echo', "$ca${P}keepalive on; "
    . 'expect body ~ "n=([3-9]|..)";', @up);
row('proxy-client', 'https://name.test/cert', "$ca${P}tls_cert "
    . '%%TESTDIR%%/client.pem %%TESTDIR%%/client.key; '
    . 'expect body contains CN=client;', @up);
row('proxy-resolve', 'https://good.test/echo', "$ca${P}resolve 192.0.2.7; "
    . 'expect body contains host=good.test;', @up);
row('proxy-hop', "https://name.test/to?http://other.test/", "$ca$P"
    . 'expect redirect http://other.test/; expect body == plain;', @up);
row('proxy-login', 'http://login.test/',
    "proxy http://user:$secret{proxy}\@127.0.0.1:%%PORT_10%%;", @up);
row('proxy-login-none', 'http://login.test/', $P, 'unknown', 'internal', 407,
    qr/^proxy: credentials are missing or wrong$/);
row('proxy-login-wrong', 'https://login.test/',
    "${ca}proxy http://user:$secret{wrong}\@127.0.0.1:%%PORT_10%%;",
    'unknown', 'internal', undef,
    qr/^proxy: credentials are missing or wrong$/);
row('proxy-302', 'https://code302.test/', $P, 'unknown', 'internal', undef,
    qr/^proxy: it does not connect us \(302\)$/);
row('proxy-403', 'https://code403.test/', $P, 'unknown', 'internal', undef,
    qr/^proxy: it does not connect us \(403\)$/);
row('proxy-502', 'https://code502.test/', $P, 'down', 'connect', undef,
    qr/^the proxy does not reach the target \(502\)$/);
row('proxy-hop-502', 'https://name.test/to?https://code502.test/',
    "$ca$P", 'down', 'connect', undef,
    qr/^the proxy does not reach the target \(502\)$/);
row('proxy-502-plain', 'http://code502.test/', $P, 'down', 'status', 502,
    qr/^status 502, expected 200-299$/);
row('proxy-mute', 'https://mute.test/', $P, 'timeout', 'timeout', undef,
    qr/^timed out after 1900 ms, while connecting through the proxy$/);
row('proxy-mute-plain', 'http://mute.test/', $P, 'timeout', 'timeout', undef,
    qr/^timed out after 1900 ms, while waiting for the answer$/);
row('proxy-cut', 'https://cut.test/', $P, 'unknown', 'internal', undef,
    qr/^proxy: \S/);
row('proxy-noise', 'https://noise.test/', $P, 'unknown', 'internal', undef,
    qr/^proxy: \S/);
row('proxy-flood', 'https://flood.test/', $P, 'unknown', 'internal', undef,
    qr/^proxy: its answer is over 8 kB$/);
row('proxy-hop-flood', 'https://name.test/to?https://flood.test/', "$ca$P",
    'unknown', 'internal', undef, qr/^proxy: its answer is over 8 kB$/);
row('proxy-body', 'https://body.test/', $P, 'unknown', 'internal', undef,
    qr/^proxy: its answer is over 8 kB$/);
row('proxy-tls-cut', 'https://tlscut.test/', "$ca$P", 'down', 'reset', undef,
    qr/^connection (closed|reset) while in the TLS handshake$/);
row('proxy-other', 'https://other.test/', "$ca$P", 'down', 'tls', undef,
    qr/^certificate is for another name$/);
row('proxy-refused', "$H/echo", "proxy http://$closed;", 'unknown',
    'internal', undef, qr/^proxy: connection refused$/);
row('proxy-refused-tls', "$S/echo", "proxy https://$closed;", 'unknown',
    'internal', undef, qr/^proxy: connection refused$/);
row('proxy-deaf-tls', "$H/echo", 'proxy https://127.0.0.1:%%PORT_5%%;',
    'unknown', 'internal', undef,
    qr/^proxy: timed out after 1900 ms, while connecting$/);
row('proxy-unresolved', "$H/echo", 'proxy http://no.such.invalid:3128;',
    'unknown', 'internal', undef,
    qr/^proxy: name "no\.such\.invalid" |^the resolver |^proxy: the resolver /);
row('proxy-not-tls', "$H/echo", "${ca}proxy https://127.0.0.1:%%PORT_1%%;",
    'unknown', 'internal', undef, qr/^proxy: TLS handshake failed/);
row('socks-refused', "$H/echo", "proxy socks5://$closed;", 'unknown',
    'internal', undef, qr/^proxy: connection refused$/);
row('socks-not', "$H/echo", 'proxy socks5h://127.0.0.1:%%PORT_1%%;',
    'unknown', 'internal', undef, qr/^proxy: /);
row('proxy-score', 'http://name.test/score', "${P}${bearer}score \$.score; "
    . 'score_history http://name.test/scores $.all[*];', @up);

SKIP: {
    skip("names: $no_names", 1) if $no_names;
    pass('names');
}
SKIP: {
    skip('no ::1', 1) if !$v6;
    pass('::1');
}
for (qw(tinyproxy microsocks ssl)) {
    SKIP: {
        skip("no $_", 1) if !$have{$_};
        pass($_);
    }
}

if ($have{tinyproxy}) {
    my $P = 'proxy file:%%TESTDIR%%/proxy-url; ';
    row('tiny', "$H/echo", "${P}expect body contains tinyproxy;", @up);
    row('tiny-tls', "$S2/echo", "$ca${P}http_version 2;", @up, qr{^HTTP/2 });
    row('tiny-2', 'http://good.test:%%PORT_4%%/echo',
        "${P}http_version 2; resolve 127.0.0.1;", @up, qr{^HTTP/2 });
    row('tiny-login', "$H/echo",
        "proxy http://user:$secret{wrong}\@127.0.0.1:%%PORT_11%%;",
        'down', 'status', 401, qr/^status 401, expected 200-299$/);
    row('tiny-refused', "https://$closed/", $P, 'down', 'connect', undef,
        qr/^the proxy does not reach the target \(50\d\)$/);
    row('tiny-refused-plain', "http://$closed/", $P, 'down', 'status', 500,
        qr/^status 500, /);
}

if ($have{tinyproxy} && $have{ssl}) {
    my $P = "proxy https://user:$secret{proxy}\@127.0.0.1:%%PORT_12%%; ";
    row('ssl', "$H/echo", "$ca${P}expect body contains tinyproxy;", @up);
    row('ssl-0', "$H/echo", "$ca${P}follow 0;", @up);
    row('ssl-tls', "$S2/echo", "$ca${P}expect cert < 70d; "
        . 'prefer cert names contains good.test;', @up);
    row('ssl-any', "$S2/echo", "tls_verify off; ${P}expect cert verified no;",
        @up);
    row('ssl-untrusted', "$H/echo", $P, 'unknown', 'internal', undef,
        qr/^proxy: certificate /);
    row('ssl-late', "$H/echo", "${ca}proxy https://127.0.0.1:%%PORT_13%%;",
        'unknown', 'internal', undef, qr/^proxy: certificate has expired$/);
}

if ($have{microsocks}) {
    my $P = "proxy socks5://user:$secret{proxy}\@127.0.0.1:%%PORT_14%%; ";
    row('socks', "$H/echo", $P, @up);
    row('socks-h', 'http://localhost:%%PORT_1%%/echo', $P =~ s/socks5/socks5h/r
        . 'expect body contains host=localhost:;', @up);
    row('socks-tls', "$S2/echo", "$ca${P}http_version 2;", @up);
    row('socks-2', "$H2/echo", "${P}http_version 2;", @up, qr{^HTTP/2 });
    row('socks-resolve', 'https://good.test:%%PORT_3%%/echo',
        "$ca${P}resolve 127.0.0.1;", @up);
    row('socks-keep', "$H/echo", "${P}keepalive on; "
        . 'expect body ~ "n=([3-9]|..)";', @up);
    row('socks-login', "$H/echo",
        "proxy socks5://user:$secret{wrong}\@127.0.0.1:%%PORT_14%%;",
        'unknown', 'internal', undef,
        qr/^proxy: credentials are missing or wrong$/);
    row('socks-login-none', "$H/echo", 'proxy socks5://127.0.0.1:%%PORT_14%%;',
        'unknown', 'internal', undef,
        qr/^proxy: credentials are missing or wrong$/);
    row('socks-target', "http://$closed/", $P, 'down', 'connect', undef,
        qr/^the proxy does not reach the target: connection refused$/);
    row('socks-name', 'http://no.such.invalid/', $P, 'unknown', 'internal',
        undef,
        qr/^proxy: it does not connect us, and does not say why$|^timed out/);
}

my $checks = join '', map { "check $_->[0] \"$_->[1]\" { $_->[2] }\n" } @rows;


# -------------------------------------------------------------------- servers

my $echo = 'return 200 "host=$http_host auth=$http_authorization '
           . 'addr=$remote_addr via=$http_via uri=$request_uri '
           . '$server_protocol n=$connection_requests";';

my $locations = <<"LOCATIONS";
    location = /     { return 200 root; }
    location /echo   { $echo }
    location /to     { return 302 \$args; }
    location /cert   { return 200 \$ssl_client_s_dn; }
    location /long   { return 200 "${\ ('x' x 3000)}"; }
    location /login  { auth_basic x; auth_basic_user_file %%TESTDIR%%/users;
                       try_files /none \@echo; }
    location \@echo  { $echo }
    location /bearer { if (\$knows = 0) { return 401; } return 200 fine; }
    location /score  { if (\$knows = 0) { return 401; }
                       return 200 '{"score":7}'; }
    location /scores { if (\$knows = 0) { return 401; }
                       return 200 '{"all":[1,2,3]}'; }
    location /scores-open { return 200 '{"all":[4,5]}'; }
    location /scores-login { auth_basic x;
                             auth_basic_user_file %%TESTDIR%%/users;
                             try_files /none \@scores; }
    location \@scores { return 200 '{"all":[6]}'; }
LOCATIONS

my $tls = <<'TLS';
    ssl_certificate        %%TESTDIR%%/good.pem;
    ssl_certificate_key    %%TESTDIR%%/good.key;
    ssl_client_certificate %%TESTDIR%%/own.pem;
    ssl_verify_client      optional;
TLS

my ($minor) = qx($t->{binary} -v 2>&1) =~ m{nginx/1\.(\d+)};
my ($by_listen, $by_word) = ($minor // 99) >= 25 ? ('', 'http2 on;')
                                                 : ('http2', '');
my $listen6 = $v6 ? 'listen [::1]:%%PORT_1%%;' : '';

my $hash = qx(openssl passwd -apr1 $secret{basic});
$t->write_file('users', "user:$hash");

$t->conf(<<"HTTP");
map \$http_authorization \$knows { default 0; "Bearer $secret{bearer}" 1; }

status_monitor m {
    interval 2s;
    timeout  1900ms;
    fall     1;
    max_in_flight 300;
    max_per_host  300;
$checks
}

server { listen 127.0.0.1:%%PORT_1%%; $listen6 listen 127.0.0.1:%%PORT_6%%;
         listen unix:%%TESTDIR%%/app.sock;
         listen "unix:%%TESTDIR%%/a b:c.sock";
$locations }
server { listen 127.0.0.1:%%PORT_2%% ssl; $tls $locations }
server { listen 127.0.0.1:%%PORT_3%% ssl $by_listen; $by_word
         $tls $locations }
server { listen 127.0.0.1:%%PORT_4%% $by_listen; $by_word $locations }

server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
    location = /n { status_json m public; }
    location /p/  { status_page m internal; }
}
HTTP

my $deaf = $t->listen_on(5);
my @sockets = map { IO::Socket::UNIX->new(Local => "$dir/$_.sock",
                                          Listen => 16) or die "$_: $!" }
              qw(deaf denied);
chmod 0777, "$dir/deaf.sock";
chmod 0000, "$dir/denied.sock";


# A proxy for which the host's name says what to do.

sub tunnel {
    my ($s, $up) = @_;
    my $sel = IO::Select->new($s, $up);
    while (1) {
        my @in = $sel->can_read(10);
        # what TLS has already decoded select() does not see
        push @in, $s if ref $s eq 'IO::Socket::SSL' && $s->pending;
        POSIX::_exit(0) if !@in;
        for my $in (@in) {
            sysread($in, my $buf, 16384) or POSIX::_exit(0);
            my $out = $in == $s ? $up : $s;
            while (length $buf) {
                my $n = syswrite $out, $buf or POSIX::_exit(0);
                substr $buf, 0, $n, '';
            }
        }
    }
}

sub to { return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $t->port($_[0]))
             // POSIX::_exit(0) }

sub proxy {
    my ($s) = @_;
    my $head = '';
    while ($head !~ /\r\n\r\n/) {
        sysread($s, my $buf, 4096) or return;
        $head .= $buf;
    }
    my ($method, $host) = $head =~ m{^(\S+) (?:http://)?([^/:\s]+)} or return;
    my $connect = $method eq 'CONNECT';
    my ($user) = $head =~ /^Proxy-Authorization: Basic (\S+)/mi;

    if ($host =~ /^(login|body)\.test$/
        && ($user // '') ne pack_base64("user:$secret{proxy}"))
    {
        my $want = "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\n";
        if ($host eq 'body.test') {
            syswrite $s, "${want}Content-Length: 1000000000\r\n\r\n";
            1 while syswrite $s, 'x' x 65536;
            return;
        }
        syswrite $s, "${want}Content-Length: 0\r\n\r\n";
        return;
    }
    if ($host =~ /^code(\d+)\.test$/) {
        syswrite $s, "HTTP/1.1 $1 No\r\nLocation: http://name.test/\r\n"
                     . "Content-Length: 0\r\n\r\n";
        return;
    }
    return if $host eq 'cut.test';
    if ($host eq 'mute.test') {
        1 while sysread $s, my $buf, 4096;
        return;
    }
    if ($host eq 'noise.test') {
        syswrite $s, join '', map { chr rand 256 } 1 .. 5000;
        return;
    }
    if ($host eq 'flood.test') {
        syswrite $s, "HTTP/1.1 200 OK\r\n";
        1 while syswrite $s, "X-More: of it\r\n" x 1000;
        return;
    }
    if (!$connect) {
        my ($path) = $head =~ m{^\S+ http://[^/]+(/\S*)};
        if ($path ne '/') {
            my $up = to(1);
            $head =~ s{^(\S+) http://[^/]+}{$1 };
            $head =~ s/^(?:Proxy-)?Connection:.*\r\n//mgi;
            $head =~ s/\r\n\r\n/\r\nConnection: close\r\n\r\n/;
            syswrite $up, $head;
            tunnel($s, $up);
        }
        syswrite $s, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain";
        return;
    }
    # 192.0.2.7 is what "resolve" says, and not to be reached
    syswrite $s, "HTTP/1.1 200 Go\r\n\r\n";
    return if $host eq 'tlscut.test';
    tunnel($s, to(3));
}

sub pack_base64 { my $b = pack 'u', $_[0]; $b =~ s/^.//mg; $b =~ s/\n//g;
                  $b =~ tr{` -_}{AA-Za-z0-9+/};
                  my $n = (3 - length($_[0]) % 3) % 3;
                  substr($b, -$n) = '=' x $n if $n;
                  return $b }

$t->peer(10, \&proxy);

if ($have{tinyproxy}) {
    $t->write_file('tiny.conf', "Port %%PORT_11%%\nListen 127.0.0.1\n"
                   . "Timeout 60\nMaxClients 100\nAllow 127.0.0.1\n"
                   . "BasicAuth user $secret{proxy}\n"
                   . "LogFile \"%%TESTDIR%%/spawn.log\"\nLogLevel Critical\n");
    $t->spawn($have{tinyproxy}, '-d', '-c', "$dir/tiny.conf");
    NgxStatus::wait_port($t->port(11));

    for ([ 12 => 'proxy' ], [ 13 => 'late' ]) {
        my ($port, $cert) = @$_;
        $t->peer($port, sub {
            my $s = IO::Socket::SSL->start_SSL($_[0], SSL_server => 1,
                SSL_cert_file => "$dir/$cert.pem",
                SSL_key_file => "$dir/$cert.key") or return;
            tunnel($s, to(11));
        }) if $have{ssl};
    }
}

if ($have{microsocks}) {
    $t->spawn('sh', '-c', 'exec "$@" 2>/dev/null', 'sh', $have{microsocks},
              '-i', '127.0.0.1', '-p', $t->port(14), '-u', 'user',
              '-P', $secret{proxy});
    NgxStatus::wait_port($t->port(14));
}

$t->run;

my $all = $t->rows_ok('/m', \@rows, [qw(error_class http_status message
                                         seen)]);

# half of a name's addresses is what some have asked for, and nobody else gets

unlike($t->log, qr/"both-any" failed: (?!timed out|the (checker|answer) )/,
       'both families, always') if !$no_names && $v6;

my %scores = (score => [1, 2, 3], 'score-unix' => [1, 2, 3],
              'score-else' => [7], 'score-to-unix' => [7], 'score-own' => [6],
              'score-2' => [4, 5], 'proxy-score' => [1, 2, 3]);
for my $id (sort keys %scores) {
    ok($t->wait_check('/m', $id, sub {
        join(' ', @{ $_->{score}{history} }) =~ /^@{ $scores{$id} }\b/
    }, 30), "$id: history");
}

like(check_of($all, 'unix-login')->{target}, qr{^http\+unix:///.*app\.sock:/l},
     'a socket as target, without user and password');
my $p = check_of($all, 'proxy-mute')->{phases_ms};
is(join(' ', grep { $p->{$_} } qw(connect tls wait transfer)), 'connect',
   'the time in a proxy is that of connecting');
$p = check_of($all, 'proxy-tls')->{phases_ms};
cmp_ok($p->{tls}, '>', 0, 'the handshake behind it is a phase of its own');

my $shown = $t->log;
$shown .= $t->get($_)->{body} // ''
    for '/m', '/n', '/p/', map { "/p/check/$_->[0]" } @rows;
unlike($shown, qr/\Q$secret{$_}\E/, "no secret is shown: $_")
    for sort keys %secret;

$t->finish;
