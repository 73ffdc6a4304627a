#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Nothing is lost: reload, another zone, edits, names that change, crashes,
# stops, another binary, power cuts.  All the while a reader asks for the
# pages; afterwards each answer is held, second by second, against what the
# results alone say (lib/Past.pm).

use strict;
use warnings;

use Fcntl ':flock';
use FindBin;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Past;

plan(skip_all => 'no sqlite3 to look with')
    if !grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};

my $t = NgxStatus->new;
my $file = $t->dir . '/state/m.db';
my %conf = (turns => 'turns', calm => 500, path => 'ok', more => 0,
            monitor => '');
my %check = map { $_ => $_ } qw(ok turns bad flaky calm once);   # by ID
my %fall = (ok => 2, flaky => 2);
my @calm = ([ 0, $conf{calm} ]);         # its interval since then, ms
my %results;                             # by check, in order of time
my %twice;                               # of two masters, in the same ms
my $latest;                              # document of the row before
my $both = 0;                            # until when two masters were at it,
                                         # in the same ms even
my $started = 0;                         # when all was read back
my %past;                                # by check and number of results

# The configuration, with some of it changed from now on.
sub conf {
    my (%new) = @_;
    my $conf = join '', map { "$_\n" } 'status_state %%TESTDIR%%/state;',
        'status_monitor m {', 'interval 500ms; timeout 450ms;';

    @conf{keys %new} = values %new;
    $conf .= "$conf{monitor}\ngroup A {\n";
    $conf .= "check ok http://127.0.0.1:%%PORT_1%%/$conf{path} { }\n";
    $conf .= "check $conf{turns} http://127.0.0.1:%%PORT_2%%/ { fall 1;"
             . " prefer body contains good; "
             . ($conf{was} ? "was $conf{was};" : '') . " }\n}\n";
    $conf .= "check x$_ http://127.0.0.1:%%PORT_1%%/ok { interval 1m; }\n"
        for 1 .. $conf{more};
    $conf .= "check bad http://127.0.0.1:%%PORT_1%%/status?code=503 "
             . "{ fall 1; }\n" if !$conf{without};
    $conf .= <<"CHECKS";
check flaky http://127.0.0.1:%%PORT_1%%/flaky?n=3 { }
check calm  http://127.0.0.1:%%PORT_1%%/ok { interval $conf{calm}ms; }
check once 'http://127.0.0.1:%%PORT_1%%/json?text={"n":7}' {
    interval 7d; score \$.n; }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location /i/       { status_page m internal; }
    location = /m.json { status_json m; }
    location = /m.csv  { status_csv m; }
}
CHECKS
    $check{ $conf{turns} } = 'turns';
    return $t->conf($conf, daemon => 'on');
}

my %answer = (up => "200 OK\r\n\r\ngood", degraded => "200 OK\r\n\r\nmeh",
              down => "503 No\r\n\r\n");
my $turn = 0;

# Waits for a document that the sub likes.  The schema is looked at once a row.
sub wait_doc {
    my ($sub) = @_;
    my $last = '';
    return wait_for(sub {
        my $r = $t->get('/m.json');
        return undef if !$r || $r->{body} eq $last || $r->{status} != 200;
        $last = $r->{body};
        local $_ = JSON::PP::decode_json($last);
        return $sub->() ? $_ : undef;
    }, 30);
}

# Gives "turns" its next state, and waits until it is seen.
sub turn {
    my $state = (qw(up down degraded))[ $turn++ % 3 ];
    $t->write_file('answer', $answer{$state});
    return wait_doc(sub { check_of($_, $conf{turns})->{status} eq $state });
}


# --- the reader: all there is, ten times a second

my %whole = ('/m.json' => qr/\}\s*\z/, '/i/' => qr{</html>\s*\z},
             '/i/check/flaky' => qr{</html>\s*\z},
             '/i/check/once' => qr{</html>\s*\z}, '/m.csv' => qr/\r\n\z/);
my $gate = $t->write_file('gate', '');
my $seen = $t->write_file('seen', '');
my $read = 0;                            # bytes of it that were looked at

sub reader {
    open my $lock, '<', $gate or die $!;
    open my $out, '>>:raw', $seen or die $!;
    $out->autoflush;
    my %last;

    while (1) {
        for my $uri (sort keys %whole) {
            # shut while nobody can be there, see away()
            flock $lock, LOCK_SH;
            my $at = time;
            my $r = $t->get($uri);
            flock $lock, LOCK_UN;

            my $body = !$r ? 'nothing'
                       : $r->{status} == 200 ? $r->{body} : $r->{head};
            next if $body eq ($last{$uri} // '');
            $last{$uri} = $body;
            print $out JSON::PP::encode_json([ $at, $uri, $body ]), "\n";
        }
        sleep 0.1;
    }
}

sub away {
    my ($sub) = @_;
    open my $lock, '<', $gate or die $!;
    flock $lock, LOCK_EX;
    return $sub->();
}

# What has been seen since the last time: [ when, URI, body ].
sub seen {
    my @new;
    open my $in, '<:raw', $seen or die $!;
    seek $in, $read, 0;
    while (my $line = <$in>) {
        last if $line !~ /\n\z/;
        $read += length $line;
        push @new, JSON::PP::decode_json($line);
    }
    return @new;
}


# --- what is known of the results

# Adds those that are new; the store knows them to the millisecond.
sub add {
    my ($check, $stored, @rows) = @_;
    my $list = $results{$check} //= [];
    my %known = map { ($_->{key} => $_) } @$list;

    for my $r (grep { !$twice{ "$check " . $_->{key} } } @rows) {
        my $old = $known{ $r->{key} };
        push @$list, $known{ $r->{key} } = $old = $r if !$old;
        @$old{qw(at ended stored)} = (@$r{qw(at ended)}, 1) if $stored;
    }
    @$list = sort { $a->{at} <=> $b->{at} } @$list;
}

sub add_csv {
    my ($text) = @_;
    my %rows = csv_rows($text);
    add($check{$_}, 0, map { { %$_ } } @{ $rows{$_} })
        for grep { $check{$_} } keys %rows;
    return \%rows;
}

# Those that the store has not got.
sub add_stored {
    add($check{$_}, 1, results_of($file, $_)) for keys %check;
    return grep { !$_->{stored} } map { @$_ } values %results;
}

# Those whose millisecond nobody knows come after the one before them.
sub place {
    my (%rows) = @_;
    for my $id (grep { $check{$_} } keys %rows) {
        my $list = $results{ $check{$id} };
        my %known = map { ($_->{key} => $_) } @$list;
        my $at = 0;
        for my $r (grep { $_ } map { $known{ $_->{key} } } @{ $rows{$id} }) {
            if (!$r->{stored}) {
                my $begin = 1000 * int($r->{at} / 1000);
                $r->{vague} = 1;
                $r->{at} = $at + 1 > $begin ? $at + 1 : $begin;
                $r->{ended} = $r->{at} + $r->{latency} / 1000;
            }
            $at = $r->{at};
        }
        @$list = sort { $a->{at} <=> $b->{at} } @$list;
    }
}

sub past_of {
    my ($check, $n) = @_;
    return $past{"$check $n"} //= past([ @{ $results{$check} }[0 .. $n - 1] ],
        fall => $fall{$check},
        interval => sub {
            return $check eq 'once' ? 7 * 86400_000
                   : $check ne 'calm' ? 500
                   : (grep { $_->[0] * 1000 <= $_[0] } @calm)[-1][1];
        });
}


# --- what is wrong

# In a document, which has seen the results of a check up to one of those in
# the second that it names.
sub in_json {
    my ($json, %o) = @_;
    my @wrong;

    for my $c (grep { $check{ $_->{id} } } @{ $json->{checks} }) {
        my $check = $check{ $c->{id} };
        my $list = $results{$check} // [];
        my $second = seconds_of($c->{checked_at});
        next if $json->{loading} && !$c->{checked_at}
                && $c->{status} eq 'unknown'
                && ($o{two}
                    || $json->{generated_at} lt time_of($started + 2));
        my @least = ("checked at " . ($c->{checked_at} // 'no time'));
        my $found = 0;

        for my $n (grep { int($list->[$_ - 1]{at} / 1000) == $second }
                   1 .. @$list)
        {
            my @now = differences(past_of($check, $n), $c, $json,
                                  windows => $o{two} ? time : $started);
            @least = @now if !$found++ || @now < @least;
        }
        # nobody else has seen it before the power went
        next if !$found && $o{cut} && $second + 1 > $o{at} - 1.2;
        push @wrong, map { "$json->{generated_at} $c->{id}: $_" } @least;
    }
    return @wrong;
}

# States by check, on a page and in a document; those with scores have no row.
sub states_on {
    my ($page) = @_;
    my %state = reverse $page =~
        m{<tr class="(\w+)"><th scope="row"><a href="check/([^"]+)"}g;
    return map { ($check{$_} => $state{$_}) } grep { $check{$_} } keys %state;
}

sub states_in {
    my ($json) = @_;
    return map { ($check{ $_->{id} } => $_->{status}) }
           grep { $check{ $_->{id} } } @{ $json->{checks} };
}

sub changes_on {
    my ($page) = @_;
    my ($table) = $page =~ m{<h2>Changes(.*?)</table>}s or return '';
    my @rows;
    unshift @rows, "$2 $1" while $table =~
        m{<tr class="(\w+)"><th scope="row"><time datetime="([^"]+)"}g;
    return join ', ', @rows;
}

sub changes_in {
    my ($json, $id) = @_;
    my $c = check_of($json, $id) or return '';
    return join ', ', map { "$_->{since} $_->{to}" } @{ $c->{events} };
}

# The state of each second, as the changes of a check tell it.
sub seconds_in {
    my ($c, $json) = @_;
    my @e = @{ $c->{events} };
    my %seconds;

    for my $i (0 .. $#e) {
        my $until = $i < $#e ? $e[$i + 1]{since}
                    : $e[$i]{until} // $json->{generated_at};
        $seconds{$_} = $e[$i]{to}
            for seconds_of($e[$i]{since}) .. seconds_of($until) - 1;
    }
    return \%seconds;
}


# Does something, and looks at all that was seen since the last time.
#
#   cut    the zone is gone, and maybe what came in the second before the time
#          that the sub returns
#   hole   likewise, but only the store may lack it
#   start  the zone is gone
#   gone   an ID that is not there any more
#   two    two zones are asked in turn
sub survives {
    my ($what, $do, %o) = @_;
    my (@wrong, @docs, %lost);

    my $before = turn() or return fail("$what: a state before");
    my $rows = add_csv($t->get('/m.csv')->{body});
    my $begin = time;

    my $at = $do->();
    $started = time if $o{cut} || $o{start};
    $at = 0 if !$o{cut} && !$o{hole};

    # whatever does not rest has results of after that
    my $mark = time;
    ok(wait_doc(sub {
        !grep { $check{ $_->{id} } && $check{ $_->{id} } !~ /^(?:calm|once)$/
                && seconds_of($_->{checked_at}) <= $mark } @{ $_->{checks} };
    }), "$what: checks go on");

    my $after = $t->json('/m.json');
    my %left = %{ add_csv($t->get('/m.csv')->{body}) };
    my @seen = seen();
    %past = ();

    for (@seen) {
        push @wrong, "$_->[1]: $_->[2]" if $_->[2] !~ $whole{ $_->[1] };
    }
    none("$what: no request failed", \@wrong);

    # what is in the CSV is in the store
    add_csv($_->[2]) for grep { $_->[1] eq '/m.csv' } @seen;
    # but for what two masters have lost, which never will be
    my $patience = time + ($o{two} ? 5 : 30);
    while (time < $patience && grep { $_->{at} / 1000 >= $at } add_stored()) {
        sleep 0.05;
    }
    place(%left);

    for my $check (sort keys %results) {
        for my $r (grep { !$_->{stored} } @{ $results{$check} }) {
            # it was in this second
            my $time = int($r->{at} / 1000) + 1;
            push @wrong, "$check: " . $r->{key} . ' is not in the store'
                if !($at && $time > $at - 1.2 && $time < $at + 1)
                   && !($o{two} && $time > $begin - 1.2)
                   && $time > $both;
            $r->{stored} = 1;                          # told once
            $lost{$check}{ $r->{key} } = 1 if $o{cut} || $o{two};
        }
    }

    # and what was in there still is, as far as it goes back
    for my $id (grep { $check{$_} } keys %left) {
        my $check = $check{$id};
        my @have = @{ $left{$id} };
        my %have = map { ($_->{key} => 1) } @have;
        my ($was) = grep { ($check{$_} // '') eq $check } keys %$rows;

        for (@{ $rows->{ $was // '' } // [] }) {
            push @wrong, "$id: " . $_->{key} . ' has gone from the CSV'
                if !$have{ $_->{key} } && !$lost{$check}{ $_->{key} }
                   && !($o{two} && $_->{at} / 1000 > $begin - 1.2)
                   && $_->{at} / 1000 > $both
                   && (@have < 60 || $_->{at} > $have[0]{at});
        }
        for (@{ $results{$check} }) {
            push @wrong, "$id: " . $_->{key} . ' is in the store alone'
                if !$have{ $_->{key} } && !$lost{$check}{ $_->{key} }
                   && !($o{two} && $_->{at} / 1000 > $begin - 1.2)
                   && $_->{at} / 1000 > $both
                   && $_->{at} < $have[-1]{at} - 1000
                   && (@have < 60 || $_->{at} > $have[0]{at} + 1000);
        }
    }
    $both = time if $o{two};
    none("$what: no result is missing", \@wrong);

    for (grep { $_->[1] eq '/m.json' } @seen) {
        push @docs, [ $_->[0], JSON::PP::decode_json($_->[2]) ];
    }
    push @docs, $latest // (), [ $begin, $before ], [ time, $after ];
    $latest = $docs[-1];
    @docs = sort { $a->[0] <=> $b->[0] } @docs;
    push @wrong, map { in_json($_->[1], %o, at => $at) } grep { $_->[0] < $at } @docs;
    if (%lost) {
        %past = ();
        for my $check (keys %lost) {
            $twice{"$check $_"} = $o{two} for keys %{ $lost{$check} };
            @{ $results{$check} } = grep { !$lost{$check}{ $_->{key} } }
                                    @{ $results{$check} };
        }
    }
    push @wrong, map { in_json($_->[1], %o, at => $at) } grep { $_->[0] >= $at } @docs;
    none("$what: no document says what results do not", \@wrong);

    for (grep { $_->[1] =~ m{^/i/} } @seen) {
        my ($when, $uri, $page) = @$_;
        my @near = map { $_->[1] } $o{two} ? @docs
                   : ((grep { $_->[0] < $when } @docs)[-1] // $docs[0],
                      (grep { $_->[0] > $when } @docs)[0]);
        my %told = $uri =~ m{check/(.*)} ? ($1 => changes_on($page))
                                         : states_on($page);
        for my $check (keys %told) {
            next if $told{$check} eq 'unknown' && $when < $started + 2;
            # the second has just begun; what lasts for less than the
            # documents of its zone are apart, none of them need say
            next if $o{two} && ($told{$check} =~ /^(?:unknown)?$/
                                || $check eq 'flaky');
            push @wrong, "$uri: $check $told{$check}" if !grep {
                my %in = $uri =~ /check/ ? ($check => changes_in($_, $check))
                                         : states_in($_);
                ($in{$check} // '') eq $told{$check};
            } @near;
        }
    }
    none("$what: no page says what documents do not", \@wrong);

    for my $c (grep { $check{ $_->{id} } } @{ $before->{checks} }) {
        my ($now) = grep { ($check{ $_->{id} } // '') eq $check{ $c->{id} } }
                    @{ $after->{checks} };
        next if !$now && $o{gone} eq $c->{id};
        my ($were, $are) = (seconds_in($c, $before), seconds_in($now, $after));
        for (sort keys %$were) {
            my $is = $are->{$_} // 'nothing';
            push @wrong, "$c->{id} at " . time_of($_)
                         . " was $were->{$_}, is $is"
                if $is ne $were->{$_} && $is ne 'unknown'
                   && !($o{cut} && $_ > $at - 1.2)
                   && !($is eq 'nothing' && @{ $now->{events} } == 24);
        }
    }
    none("$what: no second has become another", \@wrong);

    for my $c (grep { $check{ $_->{id} } } @{ $after->{checks} }) {
        my $told = changes_in($after, $c->{id});
        my @have = map { my ($ms, $to) = split /\|/;
                         time_of($ms / 1000) . " $to" }
                   split /\n/, sql($file, 'SELECT since_ms, to_state FROM '
                       . 'events JOIN checks ON id = check_id WHERE name = '
                       . "'$c->{id}' ORDER BY since_ms, until_ms IS NULL, "
                       . 'until_ms');
        splice @have, 0, -24 if @have > 24;
        push @wrong, "$c->{id}: $told; store: " . join ', ', @have
            if $told ne join ', ', @have;
    }
    none("$what: the store tells the same changes", \@wrong);
}

# That a list is empty.
sub none {
    my ($what, $list) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @first = splice @$list;
    splice @first, 8, $#first, '...' if @first > 9;
    is(join("\n", map { substr $_, 0, 1000 } @first), '', $what);
}


# --- the start

$t->hostile(1);
$t->serve(2, sub { $t->read_file('answer') });
$t->allow(qr/process \d+ exited on signal 9/);

$t->write_file('answer', $answer{down});
conf()->run;
wait_doc(sub { !$_->{loading} });
$t->daemon(\&reader);


# --- configuration

survives('reload', sub { $t->reload });
survives('more checks than the zone has slots',
         sub { conf(more => 40); $t->reload });
survives('another history, fewer checks', sub {
    conf(more => 0, monitor => 'history minutes=2d;');
    $t->reload;
});
survives('edited', sub { edit(2000, '204') });


# --- processes

survives('the checker is killed', sub {
    sleep 1;                             # a change is written
    my $old = $t->checker;
    my $at = time;
    kill 'KILL', $old;
    wait_for(sub { ($t->checker // $old) != $old });
    return $at;
}, hole => 1);
survives('a worker is killed', sub {
    my ($old) = $t->workers;
    # not with a request that it is at
    away(sub { kill 'KILL', $old;
               wait_for(sub { (($t->workers)[0] // $old) != $old }) });
});
survives('quit and start', \&restart, start => 1);

survives('a check is removed', sub { conf(without => 'bad'); $t->reload },
         gone => 'bad');
survives('power cut', \&power_cut, cut => 1);
survives('the check is back', sub { conf(without => ''); $t->reload },
         start => 1);

# nginx clears its environment, and with it the sanitizer's library
my $upgrades = !$ENV{NGX_STATUS_PRELOAD};

survives('upgrade', sub {
    my $old = $t->pid;
    $t->{pid} = upgrade();
    kill 'QUIT', $old;
    wait_for(sub { !kill 0, $old });
}, two => 1) if $upgrades;


# --- both: what the zone knows and the store does not, and the reverse


survives('killed when a change has not been written', sub {
    my $lines = () = $t->log =~ /check "turns" is/g;
    $t->write_file('answer', $answer{ (qw(up down degraded))[ $turn++ % 3 ] });
    wait_for(sub { $lines < (() = $t->log =~ /check "turns" is/g) });
    my $old = $t->checker;
    kill 'KILL', $old;
    wait_for(sub { ($t->checker // $old) != $old });
});
survives('renamed', sub {
    conf(turns => 'turned', was => 'turns');
    $t->reload;
});
survives('edited, and then a power cut',
         sub { edit(500, 'ok'); power_cut() }, cut => 1);
survives('renamed, and then a power cut', sub {
    conf(turns => 'turns', was => 'turned');
    $t->reload;
    power_cut();
}, cut => 1);
survives('renamed while nothing ran', sub {
    conf(turns => 'turned', was => 'turns');
    restart();
}, start => 1);

survives('upgrade, and back', sub {
    my $old = $t->pid;
    my $new = upgrade();
    kill 'WINCH', $old;
    wait_for(sub { !checkers($old) });
    sleep 1.5;
    kill 'HUP', $old;
    wait_for(sub { checkers($old) });
    kill 'QUIT', $new;
    wait_for(sub { !kill 0, $new });
    wait_for(sub { $t->read_file('nginx.pid') =~ /^$old$/ });
}, two => 1) if $upgrades;

$t->finish;


# Another interval for one check, another URL for another.
sub edit {
    my ($ms, $path) = @_;
    conf(calm => $ms, path => $path);
    push @calm, [ time, $ms ];
    $t->reload;
}

sub restart { return away(sub { $t->stop; $t->run; time }) }

sub power_cut {
    return away(sub {
        my $master = $t->pid;
        my @pids = ($master, map { $_->[0] } $t->children);
        kill 'STOP', $master;
        my $at = time;
        kill 'KILL', @pids;
        wait_for(sub { !grep { kill 0, $_ } @pids });
        unlink $t->dir . '/nginx.pid';
        $t->run;
        return $at;
    });
}


# A second master of the same binary; its pid.
sub upgrade {
    my $old = $t->pid;
    sleep 1;                             # it reads what is in the store
    kill 'USR2', $old;
    return wait_for(sub {
        my ($pid) = $t->read_file('nginx.pid') =~ /(\d+)/ or return 0;
        return $pid != $old && checkers($pid) ? $pid : 0;
    });
}

sub checkers {
    local $t->{pid} = $_[0];
    return grep { $_->[1] =~ /status checker/ } $t->children;
}
