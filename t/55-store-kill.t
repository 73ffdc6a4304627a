#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# kill -9 at random moments, STORE_KILLS (200) times: mostly of the checker,
# else of all of nginx.  After each the file is whole; no result that is older
# than a second is missing, and where there is none, the state is unknown.

use strict;
use warnings;

use FindBin;
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Store;

plan(skip_all => 'no sqlite3 to look with')
    if !grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};

my $kills = $ENV{STORE_KILLS} || ($ENV{NGX_STATUS_PRELOAD} ? 40 : 200);

# two at a time; what was asked of the target stands in its log, each time
# with a number that the result has as its score
my @t = map { NgxStatus->new } 1 .. 2;
my (%wrong, %killed);
my $begin = time;
my %looked = map { $_ => $begin } @t;    # for what was asked until then

for my $t (@t) {
    $t->allow(qr/exited on signal 9/);
    $t->conf(<<'EOC');
log_format probes '$msec $connection';
status_state %%TESTDIR%%/state;
status_monitor m {
    check a http://127.0.0.1:%%PORT_0%%/a {
        interval 200ms;
        timeout  200ms;
        score    $.n;
    }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m.json { status_json m; }
    location = /a { access_log %%TESTDIR%%/probes probes; return 200 '{"n":$connection}'; }
}
EOC
    $t->run;
}
my ($checkers, $trees) = (0, 0);

while ($checkers + $trees < $kills) {
    # a checker that keeps dying waits longer each time: four deaths a life
    for my $death (1 .. 4) {
        sleep rand 0.6;
        for my $t (@t) {
            if ($death < 4) {
                my $checker = wait_for(sub { $t->checker });
                push @{ $killed{$t} }, [ time, 0 ];
                kill 'KILL', $checker;
                wait_for(sub { !kill 0, $checker });
                $checkers++;
            } else {
                # a busy machine may need longer than a second to write
                my $until;
                wait_for(sub { $until = time - 1; missing($t, $until) eq '' },
                         20);
                push @{ $killed{$t} }, [ time, 1 ];
                kill_all($t);
                $trees++;
                $wrong{missing} .= missing($t, $until);
                $looked{$t} = $until;
            }
            my ($found) = split /\n/, sql(file($t), 'PRAGMA integrity_check');
            $wrong{integrity} .= $checkers + $trees . ": $found\n"
                if ($found // '') ne 'ok';
        }
    }
    sleep 1.5 if rand 10 < 1 || $checkers + $trees >= $kills;
    $_->run for @t;
}

is($wrong{integrity} // '', '', "killed $checkers checkers and $trees times "
                               . 'all of it: the files are whole');
is($wrong{missing} // '', '', 'no result older than a second is missing');

for my $t (@t) {
    my $file = file($t);
    ok($t->wait_json('/m.json', sub { stored()
           && $_->{checks}[0]{status} eq 'up' }, 30), 'all goes on');
    my ($gaps, $known) = gaps($t);
    cmp_ok($gaps, '>', 0, 'there were gaps');
    is($known, 0, 'all of them unknown');
    # nor late, unless the machine is busy
    is(sql($file, 'SELECT DISTINCT to_state FROM events WHERE to_state <> '
                  . '"timeout" ORDER BY 1'),
       "unknown\nup\n", 'and nothing was ever down');
    is(sql($file, 'SELECT count(*) FROM events e WHERE until_ms IS NOT '
                  . '(SELECT min(since_ms) FROM events WHERE since_ms > e.since_ms)'),
       "0\n", 'changes follow upon each other');
    is_deeply([ glob "$file.corrupt-*" ], [], 'it is the first file');
    ok(wait_for(sub { sql($file, 'SELECT count(*) FROM minutes') > 0 },
                time - $begin < 60 ? 70 : 10), 'minutes are in there');
    is(sql($file, 'SELECT count(*) FROM minutes WHERE up + unknown != 60 AND '
                  . 'at > (SELECT min(at) FROM minutes)'), "0\n",
       'and have 60 seconds');
}

$_->finish for @t;


# ------------------------------------------------------------------- helpers

sub file { $_[0]->dir . '/state/m.db' }

# Times in which nothing was asked, and those of them that are known.
sub gaps {
    my ($t) = @_;
    my @asked = map { $_->[0] } asked($t);
    my @unknown = split /\n/, sql(file($t), 'SELECT since_ms / 1000.0 FROM events'
                                            . ' WHERE to_state = "unknown"');
    my ($gaps, $known) = (0, 0);
    for my $i (1 .. $#asked) {
        next if $asked[$i] - $asked[$i - 1] < 1.2;
        $gaps++;
        # from when on may have been lost
        $known++ if !grep { $_ > $asked[$i - 1] - 1 && $_ < $asked[$i] } @unknown;
    }
    return ($gaps, $known);
}

# [ when, number ]
sub asked { map { [ split ] } split /\n/, $_[0]->read_file('probes') }

# What the target was asked until then, since the last look, and is not in the
# file.  When all was killed the second before is lost; what a checker had no
# time to write, its successor finds in the zone, but for the probe that was
# under way: the last one that was asked, or one that is logged only later.
sub missing {
    my ($t, $until) = @_;
    my $from = $looked{$t};
    my @asked = grep { $_->[0] > $from - 5 } asked($t);
    my %lost;

    for (grep { $_->[0] > $from - 1 } @{ $killed{$t} }) {
        my ($at, $all) = @$_;
        my ($last) = grep { $_->[0] <= $at } reverse @asked;
        my ($next) = grep { $_->[0] > $at && $_->[0] < $at + 0.25 } @asked;
        $lost{"@$_"} = 1 for grep { $_ } $last, $next,
            $all ? grep { $_->[0] > $at - 1 && $_->[0] <= $at } @asked : ();
    }

    my @kept = map { [ split /\|/ ] } split /\n/, sql(file($t),
        'SELECT at_ms / 1000.0, score FROM results WHERE at_ms > '
        . int(($from - 5) * 1000));

    # what has no score ran out of time: the target was late, too
    return join '', map { "asked at $_->[0]\n" } grep {
        my ($at, $n) = @$_;
        $at > $from && $at <= $until && !$lost{"@$_"}
        && !grep { my ($began, $score) = @$_;
                   abs($began - $at) < 2 && ($score // $n) == $n } @kept;
    } @asked;
}
