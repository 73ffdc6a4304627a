#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# When checks run, and how many at a time, counted by the target.

use strict;
use warnings;

use FindBin;
use IO::Select;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my ($t, $many, $coarse) = map { NgxStatus->new } 1 .. 3;


# --- limits, a busy host, a re-test

target($t, $_) for 1 .. 4;

my $checks = sub {
    my ($port, $prefix, $n, $path) = @_;
    return join '', map {
        "check $prefix$_ http://127.0.0.1:%%PORT_$port%%/$prefix$_$path { }\n"
    } 1 .. $n;
};

$t->conf(<<'HEAD'
status_monitor all {
    interval 1s; timeout 900ms; max_in_flight 5; max_per_host 1000;
HEAD
    . $checks->(1, 'a', 40, '?200') . <<'HEAD'
}
status_monitor host {
    interval 1s; timeout 900ms; max_in_flight 1000; max_per_host 3;
HEAD
    . $checks->(2, 'c', 20, '?200') . $checks->(3, 'd', 20, '?60000') . <<'TAIL'
    check free http://127.0.0.1:%%PORT_4%%/free { interval 500ms;
                                                  timeout 500ms; }
}
status_monitor retest {
    interval 7d; timeout 5s;
    group "G" {
        interval 8s; fall 3;
        check ill http://127.0.0.1:%%PORT_4%%/ill?503 { }
    }
    check fine http://127.0.0.1:%%PORT_4%%/fine { }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /all.json    { status_json all; }
    location = /host.json   { status_json host; }
    location = /retest.json { status_json retest; }
}
TAIL
);

my $start = time;
$t->run;

ok($t->wait_json($_, sub { !$_->{loading} }, 30), "$_: every check has run")
    for qw(/all.json /host.json /retest.json);
ok($t->wait_check('/retest.json', 'ill', sub { $_->{status} eq 'down' }, 30),
   'three results make it down');
wait_for(sub { time > $start + 8 }, 20);

my @seen = (undef, map { stats($t, $_) } 1 .. 4);
my $lasted = time - $start;

is($seen[1]{most}, 5, 'max_in_flight');
is($seen[2]{most}, 3, 'max_per_host');
is($seen[3]{most}, 3, 'of each host');

# 40 checks of 200 ms, 5 at a time, take 1.6 s
my ($least, $greatest) = (1e9, 0);
for my $times (values %{ $seen[1]{times} }) {
    $least = @$times if @$times < $least;
    $greatest = @$times if @$times > $greatest;
}
cmp_ok($least, '>=', $greatest / 4, 'nobody starves');
cmp_ok($greatest, '<=', $lasted + 2, 'what was missed is not made up for');

cmp_ok(scalar @{ $seen[4]{times}{free} }, '>=', $lasted,
       'a host that never answers is not in the way of another');
is(scalar @{ $seen[4]{times}{fine} }, 1,
   'a check of once a week runs at once, and then not');

my @ill = @{ $seen[4]{times}{ill} };
cmp_ok($ill[2] - $ill[0], '<', 8, 'a re-test comes sooner');
# a slot may come right after the first result, the re-test of a second not
cmp_ok($ill[2] - $ill[0], '>', 0.9, 'but not at once');

$t->finish;


# --- 1,000 checks

target($many, 1);
$many->conf("status_monitor m {\n interval 10s; timeout 5s;\n"
            . join('', map { "check m$_ http://127.0.0.1:%%PORT_1%%/m$_ { }\n" }
                   1 .. 1000)
            . "}\n" . <<'SERVER');
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m.json { status_json m; }
}
SERVER
$many->run;

# not json(): the schema takes its time
ok(wait_for(sub { sleep 0.5;
                  $many->get('/m.json')->{body} =~ /"loading":false/ }, 30),
   '1,000 checks have run');

my $times = stats($many, 1)->{times};
my @first = sort { $a <=> $b } map { $_->[0] } values %$times;
is(scalar @first, 1000, 'each of them');
cmp_ok($first[-1] - $first[0], '<', 10, 'within one interval');

my %second;
$second{int($_ - $first[0])}++ for @first;
my ($worst) = sort { $b <=> $a } values %second;
cmp_ok($worst, '<', 300, 'spread over it');

ok($many->reload, 'reload');
my ($again) = sort { $b <=> $a } map { scalar @$_ }
              values %{ stats($many, 1)->{times} };
cmp_ok($again, '<=', 3, 'which does not run them all again');

$many->finish;


# --- timers that are late because the operator wants it

$coarse->conf(<<'HTTP', main => 'timer_resolution 1s;');
status_monitor m {
    interval 2s;
    timeout  500ms;
    check never http://127.0.0.1:%%PORT_1%%/never { }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
}
HTTP
$coarse->hostile(1);
$coarse->run;

ok($coarse->wait_check('/m', 'never', sub { ($_->{result} // '') eq 'timeout' }, 20),
   'timer_resolution is not taken for a stall of our own');

$coarse->finish;



# ------------------------------------------------------------------- helpers

# A server on the N-th port that holds each request of /ID?MS for so long,
# answers /ID?503 with that, and tells with /stats what it has seen.
sub target {
    my ($nginx, $n) = @_;
    my $listen = $nginx->listen_on($n, Blocking => 0, Listen => 1024);

    $nginx->daemon(sub {
        my $select = IO::Select->new($listen);
        my (%times, %answers, $now, $most);

        $now = $most = 0;

        while (1) {
            for my $c ($select->can_read(%answers ? 0.01 : 1)) {
                if ($c == $listen) {
                    while (my $new = $listen->accept) {
                        $select->add($new);
                    }
                    next;
                }

                if (!sysread $c, my $head, 65536) {
                    $now-- if delete $answers{$c};
                    $select->remove($c);
                    close $c;

                } elsif ($head =~ m{^GET /stats }) {
                    my $body = JSON::PP::encode_json({ most => $most,
                                                       times => \%times });
                    $c->blocking(1);
                    print $c "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
                             $body;
                    $select->remove($c);
                    close $c;

                } elsif ($head =~ m{^GET /(\w+)(?:\?(\d+))? }) {
                    my ($id, $arg) = ($1, $2 // 0);
                    my $bad = $arg == 503;
                    $now++;
                    $most = $now if $now > $most;
                    push @{ $times{$id} }, time;
                    $answers{$c} = [ $c, $bad ? 0 : time + $arg / 1000,
                                     $bad ? '503 No' : '200 OK' ];
                }
            }

            for (keys %answers) {
                my ($c, $at, $status) = @{ $answers{$_} };
                next if $at > time;
                delete $answers{$_};
                $now--;
                syswrite $c, "HTTP/1.1 $status\r\nContent-Length: 0\r\n"
                             . "Connection: close\r\n\r\n";
                $select->remove($c);
                close $c;
            }
        }
    });
    close $listen;
}


sub stats {
    my ($nginx, $n) = @_;
    return JSON::PP::decode_json($nginx->get('/stats', port => $n)->{body});
}
