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

# two at a time; what was asked of the target stands in its log
my @t = map { NgxStatus->new } 1 .. 2;
my (%wrong, %killed);
my $begin = time;

for my $t (@t) {
    $t->allow(qr/exited on signal 9/);
    $t->conf(<<'EOC');
log_format probes $msec;
status_state %%TESTDIR%%/state;
status_monitor m {
    check a http://127.0.0.1:%%PORT_0%%/a { interval 200ms; timeout 200ms; }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m.json { status_json m; }
    location = /a { access_log %%TESTDIR%%/probes probes; return 200 ok; }
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
            my $now = time;
            if ($death < 4) {
                my $checker = wait_for(sub { $t->checker });
                $now = time;
                kill 'KILL', $checker;
                wait_for(sub { !kill 0, $checker });
                $checkers++;
            } else {
                kill_all($t);
                $trees++;
            }
            look($t, $now, $death == 4, $checkers + $trees);
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
    is(sql($file, 'SELECT DISTINCT to_state FROM events ORDER BY 1'),
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
    my @asked = split /\n/, $t->read_file('probes');
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

# The file after a kill: whole, and with all that the target was asked but in
# the second before this one.  When all was killed that second is lost; what a
# checker had no time to write, its successor finds in the zone, but for the
# probe that was under way.
sub look {
    my ($t, $killed, $all, $n) = @_;
    push @{ $killed{$t} }, [ $killed, $all ? 1 : 0.25 ];
    my ($found, @at) = split /\n/, sql(file($t), 'PRAGMA integrity_check',
        'SELECT at_ms FROM results WHERE at_ms > ' . int(($killed - 4) * 1000)
        . ' ORDER BY at_ms');
    $wrong{integrity} .= "$n: $found\n" if ($found // '') ne 'ok';

    for my $asked (grep { $_ < $killed - 1 && $_ > $killed - 3 }
                   split /\n/, $t->read_file('probes'))
    {
        $wrong{missing} .= "$n: $asked\n"
            if !grep({ abs($_ / 1000 - $asked) < 0.19 } @at)
               && !grep({ $asked > $_->[0] - $_->[1] && $asked < $_->[0] + 0.05 }
                        @{ $killed{$t} });
    }
}
