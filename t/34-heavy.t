#!/usr/bin/env perl

# Copyright (C) ngx_status_module authors
#
# Answers that take long to judge: big bodies, expressions that never end,
# JSON that unpacks to a lot.  The results are right, and meanwhile the
# checker does not keep others waiting.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Compress::Gzip ();
use Test::More;
use NgxStatus;

my $mega = 1024 * 1024;
my $line = '<p class="foo">lorem ipsum dolor sit amet</p>';
my $page = substr $line x ($mega / length($line) + 1), 0, $mega - 64;
my $lines = $page =~ s/<p/\n<p/gr;
$lines = substr $lines, 0, $mega - 64;

my $bomb = '[' . '1,' x ($mega / 2 - 20) . '1,{"status":"ok"}]';
my $deep = '[' . '{"a":[[]]},' x (3 * $mega / 11) . '0]';

my %bodies = (
    '/page'  => "${page}bar",
    '/lines' => "${lines}<b>foo bar",
    '/aaa'   => 'a' x $mega,
    '/bomb'  => $bomb,
    '/deep'  => $deep,
    '/small' => 'ok',
);

my $t = NgxStatus->new;
$t->conf(<<'EOC');
status_monitor m {
    interval 3s;
    timeout 3s;
    fall 1;
    prefer latency < 3s;

    check small    http://127.0.0.1:%%PORT_2%%/small { interval 500ms; timeout 500ms; }

    check greedy   http://127.0.0.1:%%PORT_1%%/page  { expect body ~ "foo.*bar"; }
    check lines    http://127.0.0.1:%%PORT_1%%/lines { expect body ~ "foo.*bar"; }
    check welcome  http://127.0.0.1:%%PORT_1%%/lines { expect body !~ "Welcome.*to"; }
    check words    http://127.0.0.1:%%PORT_1%%/lines {
        bot "captcha" "Just a moment";
        expect body contains* "LOREM";
        expect body !contains* "error";
        expect body ~* "[a-z]+ BAR$";
    }
    check endless  http://127.0.0.1:%%PORT_1%%/aaa   { expect body !~ "(a+)+b|(a|aa)+$"; }
    check bomb     http://127.0.0.1:%%PORT_1%%/bomb  { expect json $[-1].status == "ok"; }
    check deep     http://127.0.0.1:%%PORT_1%%/deep  { expect json $..a; }
    check tight    http://127.0.0.1:%%PORT_1%%/aaa   { expect body ~ "(a+)+b"; interval 100ms; timeout 100ms; }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /s.json { status_json m internal; }
}
EOC

my %answers;
for my $uri (keys %bodies) {
    IO::Compress::Gzip::gzip(\$bodies{$uri}, \my $packed, -Level => 9);
    $answers{$uri} = "200 OK\r\nContent-Encoding: gzip\r\nContent-Length: "
                     . length($packed) . "\r\nConnection: close\r\n\r\n$packed";
}
cmp_ok(length $answers{'/bomb'}, '<', 4000, 'JSON of a packet, of 1 MB');

$t->serve($_, sub { $answers{$_[1]} }) for 1, 2;
$t->run;

my %expected = (
    greedy  => [ 'up', qr/^$/ ],
    lines   => [ 'up', qr/^$/ ],
    welcome => [ 'up', qr/^$/ ],
    words   => [ 'up', qr/^$/ ],
    bomb    => [ 'up', qr/^$/ ],
    deep    => [ 'up', qr/^$/ ],
    endless => [ 'down', qr/^body: regular expression .* took too long$/ ],
);

for my $id (sort keys %expected) {
    my ($state, $message) = @{ $expected{$id} };
    my $check = $t->wait_check('/s.json', $id, sub { $_->{checked_at} }, 30);
    is($check->{result}, $state, "$id is $state");
    like($check->{message}, $message, "$id says so");
}

ok($t->reload, 'reload while threads may be at work');

my $first = $t->wait_check('/s.json', 'small', sub { 1 });
my $next = $t->wait_check('/s.json', 'small',
    sub { $_->{checked_at} gt $first->{checked_at} }, 20);
is($next->{result}, 'up', 'others are checked meanwhile');

$t->finish;
