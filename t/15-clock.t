#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Clocks: a machine that was suspended, a wall clock that is set forward and
# back, and the hour that Berlin has twice a year.  Whatever they do, no
# bucket holds more than its length, and what pages tell is what the results
# say (lib/Past.pm).

use strict;
use warnings;

use FindBin;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);
use Time::Local qw(timegm);

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Past;

plan(skip_all => 'no sqlite3 to look with')
    if !grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};

# all at once: the last one to finish says that the tests are done
my ($s, $t) = map { NgxStatus->new } 1 .. 2;
my %answer = (up => "200 OK\r\n\r\ngood", down => "503 No\r\n\r\n");

my $server = <<'SERVER';
server {
    listen 127.0.0.1:%%PORT_0%%;
    location /i/       { status_page m internal; }
    location = /m.json { status_json m; }
    location = /m.csv  { status_csv m; }
}
SERVER


# --- suspended

$s->hostile(1);
$s->conf('status_monitor m { interval 1s; timeout 900ms; fall 1;'
         . join('', map { "check c$_ http://127.0.0.1:%%PORT_1%%/"
                          . ($_ % 2 ? 'ok' : 'slow?ms=300') . " { }\n" }
                    1 .. 20) . "}\n$server")->run;
ok($s->wait_json('/m.json', sub { $_->{counts}{up} == 20 }, 30), 'all is up');

my @pids = ($s->pid, map { $_->[0] } $s->children);
kill 'STOP', @pids;
my $before = hits();
sleep 6;
is(hits(), $before, 'suspended');
my $woken = time;
kill 'CONT', @pids;

my %seen;
while (time < $woken + 1) {
    my $json = $s->json('/m.json') or next;
    $seen{ $_->{status} }++ for @{ $json->{checks} };
    sleep 0.05;
}
my $late = hits() - $before;
cmp_ok($late, '<=', 20 * 2.2 * (time - $woken),
       'woken: each check once, and then at its slots') or diag $late;
is(join(' ', grep { !/^(?:up|unknown)$/ } keys %seen), '', 'nothing is down');

my $json = $s->wait_json('/m.json', sub {
    $_->{counts}{up} == 20
    && !grep { seconds_of($_->{checked_at}) <= $woken } @{ $_->{checks} };
}, 20);
ok($json, 'all is up again');
my @wrong = grep {
    my @e = @{ $_->{events} };
    join(' ', map { $_->{to} } @e) !~ /^up unknown up(?: unknown up)*$/
    || !grep { $_->{to} eq 'unknown' && seconds_of($_->{since}) < $woken
               && seconds_of($_->{until}) >= int $woken } @e
} @{ ($json // {})->{checks} // [] };
is(scalar(@wrong), 0, 'the gap is unknown')
    or diag("woken at $woken: ", JSON::PP->new->encode($wrong[0]{events}));
$s->finish;


# --- another clock

my ($lib) = grep { -e } map { "$_/faketime/libfaketimeMT.so.1" }
            glob('/usr/lib/*-linux-*'), '/usr/lib', '/usr/local/lib';
my $why = !$lib ? 'no libfaketime, package libfaketime'
          : $ENV{NGX_STATUS_PRELOAD}
          ? 'libfaketime and a sanitizer do not go together' : '';
if ($why) {
    SKIP: { skip $why, 1 }
    $t->finish;
    exit;
}

# nginx takes its own environment away; a monotonic clock has no offset
my %env = (
    TZ                           => 'Europe/Berlin',
    FAKETIME_TIMESTAMP_FILE      => $t->dir . '/clock',
    FAKETIME_NO_CACHE            => 1,
    FAKETIME_DONT_FAKE_MONOTONIC => 1,
    FAKETIME_FORCE_MONOTONIC_FIX => 0,
);
$t->{wrap} = [ 'env', "LD_PRELOAD=$lib", map { "$_=$env{$_}" } sort keys %env ];

# ten seconds before 3:00 in Berlin becomes 2:00
my $offset = timegm(50, 59, 0, 25, 9, 2026) - time;
my $now = sub { time + $offset };
my $set = sub {
    $offset += $_[0];
    $t->write_file('clock', sprintf "%+.3f\n", $offset);
};
my $file = $t->dir . '/state/m.db';
my %fall = (ok => 2, turns => 1, bad => 1);
my %results;                             # by check, as they came

$set->(0);
$t->write_file('answer', $answer{up});
$t->hostile(1);
$t->serve(2, sub { $t->read_file('answer') });
$t->conf(<<'MONITOR' . $server, main => join '', map { "env $_;\n" } keys %env);
status_state %%TESTDIR%%/state;
status_monitor m {
    interval 1s; timeout 900ms;
    check ok    http://127.0.0.1:%%PORT_1%%/ok { }
    check turns http://127.0.0.1:%%PORT_2%%/ { fall 1; }
    check bad   http://127.0.0.1:%%PORT_1%%/status?code=503 { fall 1; }
}
MONITOR
$t->run;

my $hour = timegm(0, 0, 1, 25, 9, 2026);
ok($t->wait_json('/m.json', sub {
    ($_->{counts}{up} == 2) && abs(seconds_of($_->{generated_at}) - $hour) < 60
}), 'a clock of its own');
phase('down', 'down in the first of two hours');
wait_for(sub { $now->() > $hour + 2 }, 20);
phase('up', 'up in the second');
like($t->get('/i/check/turns')->{body}, qr/T01:00:\d\dZ">01:00:\d\d UTC/,
     'which pages do not call by another name');

$set->(7200);
phase('down', 'two hours ahead');
$set->(-7200);
phase('up', 'two hours back');
$set->(-3.3);
phase('down', 'three seconds back');

$t->stop;
buckets();
$t->finish;


# ------------------------------------------------------------------- helpers

# How often the target was asked for anything.
sub hits {
    my $r = wait_for(sub { $s->get('/hits', port => 1) });
    my $sum = 0;
    $sum += $1 while $r->{body} =~ m{"/(?:ok|slow)":(\d+)}g;
    return $sum;
}


# A change of state, and some results more; then all that is told is true.
sub phase {
    my ($state, $what) = @_;
    my @wrong;

    $t->write_file('answer', $answer{$state});
    my $since = $now->();
    ok($t->wait_json('/m.json', sub {
        my ($ok, $turns) = map { check_of($_[0], $_) } qw(ok turns);
        push @wrong, 'ok is ' . $ok->{status}
            if $ok->{status} !~ /^(?:up|unknown)$/;
        return $turns->{status} eq $state && $ok->{status} eq 'up'
               && seconds_of($ok->{checked_at}) >= $since - 1;
    }, 20), "$what: checks go on");

    # in the order in which they came, with the store's milliseconds
    my $json;
    ok(wait_for(sub {
        $json = $t->json('/m.json');
        my %rows = csv_rows($t->get('/m.csv')->{body});
        my $missing = 0;
        for my $id (keys %fall) {
            my %stored = map { ($_->{key} => $_) } results_of($file, $id);
            $missing += grep { !$stored{ $_->{key} } } @{ $rows{$id} };
            $results{$id} = [ map { $stored{ $_->{key} } // $_ }
                              @{ $rows{$id} } ];
            $missing ||= !grep { int($_->{at} / 1000) == seconds_of(
                                 check_of($json, $id)->{checked_at}) }
                         @{ $results{$id} };
        }
        return !$missing;
    }), "$what: results are stored");

    for my $id (keys %fall) {
        my $check = check_of($json, $id);
        my $second = seconds_of($check->{checked_at});
        my @least;
        my $list = $results{$id};
        for my $n (grep { int($list->[$_ - 1]{at} / 1000) == $second }
                   reverse 1 .. @$list)
        {
            my @now = differences(past_of($id, $n), $check, $json);
            @least = @now if !@least || @now < @least;
            last if !@now;
        }
        push @wrong, map { "$id: $_" } @least;

        my @e = map { seconds_of($_->{since}) } @{ $check->{events} };
        push @wrong, "$id: changes are not in order"
            if "@e" ne join ' ', sort { $a <=> $b } @e;
    }
    is(join("\n", @wrong), '', "$what: as the results say");
}

sub past_of {
    my ($id, $n) = @_;
    return past([ @{ $results{$id} }[0 .. $n - 1] ], interval => 1000,
                fall => $fall{$id});
}


# What the store has of minutes and hours that are not ahead.
sub buckets {
    my @states = qw(up degraded bot_detected timeout down unknown maintenance);
    my $sum = join ' + ', @states;
    my @wrong;

    for ([ 'minutes', 60 ], [ 'hours', 3600 ]) {
        my ($table, $length) = @$_;
        is(sql($file, "SELECT count(*) > 0, max($sum) <= $length, "
                      . "min($sum) >= 0 FROM $table"), "1|1|1\n",
           "no bucket of $table holds more than $length s");
    }
    is(sql($file, "SELECT count(*) FROM hours JOIN (SELECT check_id AS c, "
                  . 'at / 3600 * 3600 AS h, ' . join(', ', map {
                    "sum($_) AS $_" } @states) . ' FROM minutes GROUP BY 1, 2)'
                  . " AS m ON c = check_id AND h = at WHERE at < $hour AND ("
                  . join(' OR ', map { "hours.$_ <> m.$_" } @states) . ')'),
       "0\n", 'an hour is the sum of its minutes');

    for my $id (sort keys %fall) {
        my $n = @{ $results{$id} };
        push @wrong, map { "$id: $_" }
            grep { /minute 2026-10-25T00:/ }
            minutes($file, $id, past_of($id, $n), $results{$id});
    }
    is(join("\n", @wrong), '', 'minutes of the first hour are as results say');
}
