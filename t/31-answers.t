#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Answers as they stand in no RFC, or in its last paragraph, byte for byte:
# statuses, headers, codings, redirects, bodies that are no text; and URLs
# and names of hosts.

use strict;
use warnings;

use FindBin;
use POSIX ();
use Test::More;

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;
my ($gzip, %answer, @rows);

sub row { push @rows, [ @_ ] }

# An answer, and what is said of it.
sub answer {
    my ($id, $answer, @row) = @_;
    $answer{$id} = $answer;
    row($id, "http://127.0.0.1:%%PORT_1%%/$id", @row);
}

sub text {
    my ($text, @headers) = @_;
    return join("\r\n", 'HTTP/1.1 200 OK', @headers,
                'Content-Length: ' . length $text, '', '') . $text;
}

sub to { return "HTTP/1.1 302 Found\r\nLocation: $_[0]\r\n"
                . "Content-Length: 0\r\n\r\n" }

my @up = ('up', undef, 200, qr/^$/);

# it reads some answers in another way
my $eight = (`curl-config --version` =~ /(\d+)/)[0] >= 8;


# ------------------------------------------------------------------- statuses

answer('early', "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
       . "HTTP/1.1 102 Processing\r\n\r\n" . text('ok'),
       'expect body == ok;', @up);
answer('switched', "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
       . "X-A: b\r\n\r\n\x81\x02hi", 'expect status 101; '
       . 'expect header X-A == b; expect size 0;', 'up', undef, 101, qr/^$/);
answer('switched-not', "HTTP/1.1 101 Switching Protocols\r\n\r\n", '',
       'down', 'status', 101, qr/^status 101, expected 200-299$/);
answer('no-content', "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"
       . 'hello', 'expect size 0;', 'up', undef, 204, qr/^$/);
answer('not-modified', "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n"
       . "\r\nhello", 'expect status 304;', 'up', undef, 304, qr/^$/);
answer('no-reason', "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", '', @up);
answer('status-999', "HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n", '',
       'down', 'status', 999, qr/^status 999, expected 200-299$/);
answer('status-000', "HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n", '',
       'down', 'protocol', undef, qr/^answer is not HTTP$/);
answer('status-1000', "HTTP/1.1 1000 No\r\nContent-Length: 0\r\n\r\n", '',
       'down', $eight ? ('reset', undef, qr/^empty answer$/)
                      : ('protocol', undef, qr/^answer is not HTTP$/));
answer('old', "<html>of 1991", '', 'down', 'protocol', undef,
       qr/^answer is not HTTP$/);
answer('icy', "ICY 200 OK\r\n\r\nmusic", '', 'down', 'protocol', undef,
       qr/^answer is not HTTP$/);
answer('proxy-auth', "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n", '',
       'down', 'status', 407, qr/^status 407, expected 200-299$/);


# ----------------------------------------------------------- headers, trailers

answer('until-close', "HTTP/1.1 200 OK\r\n\r\nall of it",
       'expect body == "all of it";', @up);
answer('lf', "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", '', @up);
answer('no-header', "HTTP/1.1 200 OK\r\nwhat is this\r\n\r\n", '',
       'down', 'protocol', 200, qr/^answer is not valid HTTP$/);
answer('nul-header', "HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n", '',
       'down', 'protocol', 200, qr/^answer is not valid HTTP$/);
answer('negative', "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", '',
       'down', 'protocol', 200, qr/^answer is not valid HTTP$/);
answer('terminal', text('', "X-A: \e[31mred\a\xe2\x80\xae" . 'z' x 400),
       'expect header X-A == q;', 'down', 'header', 200,
       qr/^header X-A is "\?\[31mred\?\?z{40,}\.\.\.", expected == "q"$/);

my $chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             . "3\r\nabc\r\n0\r\n";
answer('trailer', "${chunks}X-Sum: 7\r\n\r\n", 'expect header X-Sum == 7; '
       . 'expect body == abc;', @up);
answer('trailer-status', "${chunks}HTTP/1.1 500 No\r\n\r\n", '', 'down',
       'protocol', 200, qr/^answer is not valid HTTP$/);
answer('trailer-huge', $chunks . ('X-More: ' . 'x' x 90 . "\r\n") x 1000
       . "\r\n", '', 'down', 'protocol', 200, qr/^header of the answer is over 64 kB$/);


# -------------------------------------------------------------------- codings

SKIP: {
    skip('no Compress::Zlib', 1) if !eval { require Compress::Zlib };
    $gzip = 1;
    pass('Compress::Zlib');
}

if ($gzip) {
    my $packed = Compress::Zlib::memGzip('packed');
    my $coded = 'Content-Encoding: gzip';
    answer('gzip-twice', text(Compress::Zlib::memGzip($packed),
           'Content-Encoding: gzip, gzip'), 'expect body == packed;', @up);
    answer('gzip-more', text("${packed}junkjunk", $coded), '', 'down',
           'protocol', 200, qr/^compressed body can not be decoded$/);
    answer('gzip-not', text('<html>plain', $coded), '', 'down', 'protocol',
           200, qr/^compressed body can not be decoded$/);
}
answer('coding-none', text('ok', 'Content-Encoding: identity'),
       'expect body == ok;', @up);
answer('coding-else', text('ok', 'Content-Encoding: utf-8'), '', 'down',
       'protocol', 200, qr/^Content-Encoding of the answer is not known$/);


# ------------------------------------------------------------------ redirects

answer('to-nowhere', to(''), '', 'down', 'status', 302,
       qr/^status 302, expected 200-299$/);
answer('to-none', "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", '',
       'down', 'status', 302, qr/^status 302, expected 200-299$/);
answer("to-$_->[0]", to($_->[1]), '', 'down', 'redirect', 302,
       qr/^redirect to another scheme, expected http or https$/)
    for [ script => 'javascript:alert(1)' ], [ mail => 'mailto:a@b.test' ],
        [ foo => 'foo://127.0.0.1/' ];
answer('to-file', to('file:/etc/passwd'), '', 'down', 'redirect', 302,
       qr{^redirect to file:///etc/passwd, expected http or https$});
answer('to-control', to("/a\x01b"), '', 'down',
       $eight ? ('status', 404, qr/^status 404/)
              : ('redirect', 302, qr/^redirect to a URL that is not valid$/));
answer('to-space', to('/early it'), '', 'down', 'status', 404, qr/^status 404/);
answer('to-query', to('?again'), '', 'down', 'redirect', 302,
       qr{^more than 5 redirects, the next to http://\S+/to-query\?again$});


# ----------------------------------------------------- bodies that are no text

answer('latin-1', text("bl\xf6d"), "expect body contains bl\xc3\xb6d;",
       'down', 'content', 200, qr/^body does not contain ".*", and is not UTF-8$/);
answer('utf-16', text("\xff\xfe" . join '', map { "$_\0" } split //,
                      'Welcome'), 'expect body contains Welcome;', 'down',
       'content', 200, qr/^body does not contain "Welcome", and is not text$/);
answer('utf-8-cut', text("\xe2\x82\xac" x 1000), 'max_body 1k; '
       . 'expect body contains x;', 'down', 'content', 200,
       qr/^body does not contain "x" in the first 1024 bytes$/);
answer('binary-cut', text("\0\1\2\3" x 1000), 'max_body 1k; '
       . 'expect body ~ x;', 'down', 'content', 200,
       qr/^body does not match "x" in the first 1024 bytes, and is not text$/);
answer('binary', text("\0\1\2\xffyes"), 'expect body contains yes;', @up);


# ----------------------------------------------------------------------- URLs

row('url-query', 'http://127.0.0.1:%%PORT_1%%?lf', '', @up);
row('url-user', 'http://@127.0.0.1:%%PORT_1%%/lf', '', @up);
row('url-fragment', 'http://127.0.0.1:%%PORT_1%%/lf#top', '', @up);
row('url-case', 'HTTP://LOCALHOST:%%PORT_1%%/lf', '', @up);

sub refused {
    my ($name, $url, $want, $directives) = @_;
    $directives //= '';
    $t->conf("status_monitor m {\n    check a $url { $directives }\n}\n");
    my ($ok, $text) = $t->test_conf;
    ok(!$ok && $text =~ /\[emerg\] check "a": $want in /, "refused: $name")
        or diag($text);
}

$t->allow(qr/\[emerg\]/);

my $ascii = 'has letters beyond ASCII, expected its ASCII form, for example '
            . 'xn--bcher-kva\.example';
refused('IDN', "http://b\xc3\xbccher.example/", qr/the URL's host $ascii/);
refused('IDN of Redis', "redis://b\xc3\xbccher", qr/the URL's host $ascii/);
refused('IDN of PostgreSQL', "postgresql://b\xc3\xbccher/a",
        qr/the URL's host $ascii/);
refused('IDN to ask for', "dns://127.0.0.1/b\xc3\xbccher.example",
        qr/the name to ask for $ascii/);
refused("brackets $_", "http://[$_]/",
        qr/the URL has no IPv6 address between "\[" and "\]"/)
    for '127.0.0.1', 'host', '::g', '', '%25lo', 'fe80::1%';
refused('half a bracket', 'http://[::1/', qr/the URL has a "\[" without a "\]"/);
refused('port 0', 'http://a.example:0/', qr/invalid port in the URL.*/);
refused('user in DNS', 'dns://me:it@127.0.0.1/a.example',
        qr{the URL has a user, expected dns://server/name\?type=A});
refused("family in $_", "$_/a", qr/"family 6" does not go with the address "127.0.0.1"/,
        'family 6;')
    for 'dns://127.0.0.1', 'postgresql://127.0.0.1', 'http://127.0.0.1';

# of a check's own, what its type has no use for; not of the blocks around

for ([ 'tcp://127.0.0.1:1', qw(method header body user_agent follow
                               keepalive) ],
     [ 'redis://127.0.0.1', qw(method header body follow bot) ],
     [ 'dns://127.0.0.1/a', qw(header bot tls_ca tls_verify) ],
     [ 'postgresql://a/b', qw(body bot) ],
     [ 'load://', qw(header bot tls_verify) ])
{
    my ($url, @directives) = @$_;
    my %value = (method => 'GET', header => 'X y', body => 'x', bot => 'x',
                 user_agent => 'x', follow => 1, keepalive => 'on',
                 tls_ca => '%%TESTDIR%%/nginx.conf', tls_verify => 'off');
    my ($type) = $url =~ /^(\w+)/;
    refused("$_ in $type", $url, qr/"$_" is not for a check of type $type/,
            "$_ $value{$_};") for @directives;
}

$t->conf('status_monitor m { method GET; header X y; body x; bot x; '
         . 'user_agent x; follow 1; keepalive on; tls_verify off; '
         . 'check a tcp://127.0.0.1:1 { } check b dns://127.0.0.1/a { } '
         . 'check c load:// { } check d tcp://127.0.0.1:1 { bot x; '
         . 'tls_verify off; } }');
my ($fine, $why) = $t->test_conf;
ok($fine, 'what is outside is for others') or diag($why);

for my $url ('http://[fe80::1%25lo]/', 'tcp://[fe80::1%25lo]:80',
             'tcp://[fe80::1%lo]:80', 'http://xn--bcher-kva.example/',
             'http://[::ffff:127.0.0.1]/')
{
    $t->conf("status_monitor m { check a $url { } }");
    my ($ok, $text) = $t->test_conf;
    ok($ok, "taken: $url") or diag($text);
}


# -------------------------------------------------------------------- running

my $checks = join '', map { "check $_->[0] \"$_->[1]\" { $_->[2] }\n" } @rows;

$t->conf(<<"HTTP");
status_monitor m {
    interval 2s;
    timeout  1900ms;
    fall     1;
    max_in_flight 100;
    max_per_host  100;
$checks
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
}
HTTP

my $listen = $t->listen_on(1);
$t->daemon(sub {
    $SIG{CHLD} = 'IGNORE';
    while (1) {
        my $s = $listen->accept or next;
        my $pid = fork // next;
        if ($pid) { close $s; next }
        my $head = '';
        while ($head !~ /\r\n\r\n/) {
            sysread $s, $head, 4096, length $head or POSIX::_exit(0);
        }
        my ($id) = $head =~ m{^\S+ /\??([\w-]+)[ ?]};
        syswrite $s, $answer{ $id // '' }
                     // "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";
        shutdown $s, 1;
        1 while sysread $s, $head, 4096;
        POSIX::_exit(0);
    }
});
close $listen;

$t->run;

$t->rows_ok('/m', \@rows, [qw(error_class http_status message)]);
$t->finish;
