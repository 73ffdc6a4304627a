#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# What the zone keeps while the configuration changes: history follows a
# check's ID through reloads, additions, removals, reordering, edits and new
# sizes of the zone.

use strict;
use warnings;

use FindBin;
use Test::More;
use Time::HiRes qw(sleep);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;
$t->hostile(1);

# A check that runs once, and whose only score tells it from all others.
sub one {
    my ($id, $more) = @_;
    my ($n) = $id =~ /(\d+)/;
    return "    check $id 'http://127.0.0.1:%%PORT_1%%/json"
           . "?text={\"score\":$n,\"id\":\"$id\"}'"
           . " { interval 7d; score \$.score; " . ($more // '') . " }\n";
}

sub conf {
    my ($checks, $more, $other) = @_;
    $t->conf("status_monitor m {\n" . ($more // '') . $checks . "}\n"
             . ($other // '') . <<'SERVER');
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m.json { status_json m; }
    location = /n.json { status_json n; }
}
status_monitor n {
    check c1 'http://127.0.0.1:%%PORT_1%%/json?text={"score":77}' {
        interval 7d; score $.score;
    }
}
SERVER
}

# (when each check had its result, scores) of those that have one
sub state {
    my ($json) = @_;
    return { map { $_->{id} => [ @$_{qw(since checked_at)},
                                 $_->{score}{history} ] }
             @{ $json->{checks} } };
}

sub settle {
    return $t->wait_json('/m.json', sub { !$_->{loading} }, 20);
}

# Reloads; then those of the IDs that are not what they were.
sub changed {
    my ($what, $were, @ids) = @_;

    sleep 1.1;                         # another second: times would differ
    ok($t->reload, $what);
    my $json = settle() or return fail("$what: all have results");
    my $are = state($json);

    is_deeply({ map { $_ => $are->{$_} } @ids },
              { map { $_ => $were->{$_} } @ids }, "$what: history is kept");
    is_deeply([ grep { $are->{$_}[2][-1] != ($_ =~ /(\d+)/)[0] } keys %$are ],
              [], "$what: each has its own");
    return $are;
}

# how often all of them together were asked
sub hits { return $t->get('/hits', port => 1)->{body} =~ m{"/json":(\d+)} && $1 }


# --- 15 checks fill 16 slots but for one

my @ids = map { "c$_" } 1 .. 15;

conf(join '', map { one($_) } @ids)->run;
my $json = settle();
ok($json, 'first results');
my $are = state($json);
my $size = size();
is(hits(), 16, 'each asked once');

conf(join '', map { one($_) } reverse @ids);
changed('reversed', $are, @ids);
is(size(), $size, 'the zone is the same');

conf(join '', map { one($_, 'title "Edited"; timeout 3s; fall 5; team x;') }
     @ids);
changed('edited', $are, @ids);
is(hits(), 16, 'nothing was asked again');

# more new ones, and before the others, than there are free slots
conf(join '', map { one($_) } qw(c101 c102 c103), @ids[0 .. 11]);
my $now = changed('three of 15 replaced', $are, @ids[0 .. 11]);
is(size(), $size, 'the zone is the same');
is(hits(), 19, 'the new ones were asked once');

conf('group "G" {' . join('', map { one($_) } qw(c101 c102 c103)) . '}'
     . 'group "H" {' . join('', map { one($_) } @ids[0 .. 11]) . '}');
changed('moved to groups', $now, qw(c101 c102 c103), @ids[0 .. 11]);

# room for all: the zone is another one
@ids = (@ids[0 .. 11], qw(c101 c102 c103));
conf(join '', map { one($_) } (map { "c2$_" } 10 .. 49), @ids);
$now = changed('40 more', $now, @ids);
cmp_ok(size(), '>', $size, 'the zone has grown');
is(hits(), 59, 'the 40 were asked once');

conf(join '', map { one($_) } @ids);
changed('fewer', $now, @ids);
is(size(), $size, 'the zone has shrunk');

conf(join '', map { one($_) } @ids[3 .. 14]);
changed('three removed', $now, @ids[3 .. 14]);
conf(join '', map { one($_) } @ids);
changed('they come back', $now, @ids);
is(hits(), 59, 'and find their past');


# --- zone SIZE

conf(join('', map { one($_) } @ids), 'zone 4m;');
changed('zone 4m', $now, @ids);
is(size(), 4 << 20, 'it is as large');

conf(join('', map { one($_) } @ids), 'zone 5m;');
changed('zone 5m', $now, @ids);
is(hits(), 59, 'nothing was asked again');

conf(join('', map { one($_) } @ids), 'zone 100k;');
my $line = $t->conf_line(qr/^status_monitor m/);
my ($good, $text) = $t->test_conf;
ok(!$good, 'a zone too small is refused');
like($text, qr/\[emerg\].*zone of 102400 bytes is too small for the 15 checks of monitor "m", expected \d+k at least in .*nginx\.conf:\d+$/m,
     'with what is needed');
my ($needed) = $text =~ /expected (\d+)k/;

$t->allow(qr/\[emerg\].*zone of 102400 bytes is too small/);
my $pid = $t->checker;
ok(!$t->reload, 'by a reload, too');
is($t->checker, $pid, 'which changes nothing');
is_deeply(state($t->json('/m.json')), state(settle()), 'at all');

conf(join('', map { one($_) } @ids), 'zone ' . ($needed // 0) . 'k;');
changed('a zone as small as can be', $now, @ids);

# all slots are taken: one has to go, and not one that is needed
conf(join('', map { one($_) } 'c301', @ids[0 .. 13]),
     'zone ' . ($needed // 0) . 'k;');
changed('one of them replaced', $now, @ids[0 .. 13]);
is(hits(), 60, 'only the new one was asked');


# --- another monitor, another zone

is_deeply(check_of($t->json('/n.json'), 'c1')->{score}{history}, [ 77 ],
          'a check of the same name in another monitor is another one');


# --- a check that fails keeps failing, and a running one goes on

conf(join('', map { one($_) } @ids) . <<'MORE');
    interval 1s; timeout 500ms;
    check fast http://127.0.0.1:%%PORT_1%%/ok { }
    check ill  http://127.0.0.1:%%PORT_1%%/status?code=500 { }
MORE
$t->reload;
$json = $t->wait_json('/m.json', sub { check_of($_, 'fast')->{status} eq 'up'
    && check_of($_, 'ill')->{status} eq 'down' });
ok($json, 'up, and down');
my %since = map { $_ => check_of($json, $_)->{since} } qw(fast ill);

my $wrong = '';
for my $i (1 .. 8) {
    conf("interval 1s; timeout 500ms;\n"
         . 'check fast http://127.0.0.1:%%PORT_1%%/' . ($i % 2 ? 'ok' : '204')
         . " { }\n" . join('', map { one("c$_") } 1 .. $i * 7)
         . 'check ill http://127.0.0.1:%%PORT_1%%/status?code=50'
         . $i % 5 . " { }\n");
    $t->signal('HUP');
    my $want = $i * 7 + 2;
    for (1 .. 400) {
        $json = $t->json('/m.json');
        for (qw(fast ill)) {
            my $check = check_of($json, $_);
            $wrong ||= "$_ is $check->{status} since $check->{since}"
                if $check->{since} ne $since{$_}
                   || $check->{status} ne ($_ eq 'ill' ? 'down' : 'up');
        }
        last if @{ $json->{checks} } == $want && $_ > 3;
        sleep 0.05;
    }
    is(scalar @{ $json->{checks} }, $want, "$want checks");
}
is($wrong, '', 'through all sizes of the zone, what was up or down stayed so');

$t->finish;


# The size of the zone of monitor m, as mapped in the master.
sub size {
    my ($good, $text) = $t->test_conf;
    return $text =~ /"status:m" (\d+) bytes/ ? $1 : 0;
}
