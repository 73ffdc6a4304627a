#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# History that stays known: with another length, and under another name.

use strict;
use warnings;

use FindBin;
use Test::More;
use Time::HiRes qw(sleep);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;
$t->hostile(1);

sub conf {
    my ($monitor) = @_;
    $t->conf("status_monitor m {\n interval 1s; timeout 500ms;\n$monitor}\n"
             . <<'SERVER');
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m.json { status_json m; }
    location /s/       { status_page m; }
    location /i/       { status_page m internal; }
}
SERVER
}

my $checks = <<'CHECKS';
check ok   http://127.0.0.1:%%PORT_1%%/ok { }
check ill  http://127.0.0.1:%%PORT_1%%/status?code=500 { }
check once 'http://127.0.0.1:%%PORT_1%%/json?text={"score":7}' {
    interval 7d; score $.score;
}
CHECKS

# what a reload must not change
sub past {
    my $json = $t->json('/m.json');
    return { map { $_->{id} => [ @$_{qw(since status)}, $_->{score}{history},
                                 $_->{failed_at} && 1 ] }
             @{ $json->{checks} } };
}

sub bytes {
    my ($good, $text) = $t->test_conf;
    return $text =~ /"status:m" (\d+) bytes/ ? $1 : 0;
}

sub settled {
    return $t->wait_json('/m.json', sub {
        my ($ok, $ill, $once) = map { check_of($_[0], $_) } qw(ok ill once);
        return $ok->{status} eq 'up' && $ill->{status} eq 'down'
               && $once->{status} eq 'up' && $ok->{uptime}{'1h'}
               && $ok->{known}{'1h'} > 0;
    }, 20);
}


# --- another length

conf($checks)->run;
ok(settled(), 'first results');
my $past = past();
my $known = check_of($t->json('/m.json'), 'ok')->{known}{'1h'};
my $size = bytes();

for my $history ('minutes=2d hours=60d days=2y', 'minutes=4h hours=2d days=1d',
                 'days=400d')
{
    sleep 1.1;
    conf("history $history;\n$checks");
    ok($t->reload, "history $history");
    is_deeply(past(), $past, 'nothing is lost');
    cmp_ok(check_of($t->json('/m.json'), 'ok')->{known}{'1h'}, '>=', $known,
           'nor is time');
}
is(bytes(), $size, 'the zone is as large as without the directive');

# a minute more or less, so that the zone would be of the same size, and adopted
my $same = 0;
for my $minutes (1439, 1441) {
    conf("history minutes=${minutes}m;\n$checks");
    last if $same = (bytes() == $size);
}
ok($same, 'another shape of the same size');
ok($t->reload, 'is taken all the same');
is_deeply(past(), $past, 'nothing is lost');
ok($t->reload, 'and again');
is_deeply(past(), $past, 'nothing is lost');
conf($checks);
ok($t->reload, 'and back');
is_deeply(past(), $past, 'nothing is lost');

# a zone of a fixed size can not follow
conf("zone 4m;\n$checks");
ok($t->reload, 'zone 4m');
is_deeply(past(), $past, 'nothing is lost');
conf("zone 4m; history minutes=2d;\n$checks");
$t->allow(qr/\[emerg\].*keeps a history of another shape/);
ok(!$t->reload, 'another history in it is refused');
like($t->log, qr/\[emerg\].*zone "status:m" keeps a history of another shape than previously; change its size with it/,
     'with what to do');
is_deeply(past(), $past, 'nothing has changed');
conf("zone 5m; history minutes=2d;\n$checks");
ok($t->reload, 'together with the size it is taken');
is_deeply(past(), $past, 'nothing is lost');

$t->finish;
