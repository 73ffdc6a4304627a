package Past;

# Copyright (C) ngx_status_module authors
#
# What a check has been, second by second, worked out from its results alone:
# slowly, and by other means than the module's, to hold its answers against.
#
#   use Past;
#   my @results = results_of($file, 'www');      # of the store
#   my $past = past(\@results, interval => 1000, fall => 2);
#   my @wrong = differences($past, check_of($json, 'www'), $json);
#
# A result is { at, ended (ms since the epoch), latency (us), state }, and
# "vague" when its time may be up to a second later.

use strict;
use warnings;

use POSIX ();
use Time::Local ();

use Exporter 'import';
our @EXPORT = qw(sql results_of csv_rows seconds_of time_of past state_at
                 differences minutes);


# ------------------------------------------------------------------- reading

# What the sqlite3 program says.  A root's must not lock nginx's user out of
# the files that it makes.
sub sql {
    my ($file, $sql) = @_;
    my ($user, $group) = (stat $file)[4, 5];

    open my $out, '-|', 'sqlite3', '-cmd', '.timeout 5000', $file, $sql
        or die "sqlite3: $!";
    local $/;
    my $text = <$out> // '';
    close $out;

    chown $user, $group, grep { -e } "$file-wal", "$file-shm"
        if $> == 0 && defined $user;
    return $text;
}


sub results_of {
    my ($file, $id) = @_;
    my @rows = map { my %r; @r{qw(at ended latency state)} = split /\|/; \%r }
               split /\n/, sql($file, 'SELECT at_ms, ended_ms, latency_us, '
                   . 'state FROM results JOIN checks ON id = check_id '
                   . "WHERE name = '$id' ORDER BY at_ms");
    return named(@rows);
}


# Gives each a "key" that it has wherever it is read: its second, latency and
# state, which others of that second may have, too.
sub named {
    my %n;
    for my $r (@_) {
        my $key = join ' ', int($r->{at} / 1000), @$r{qw(latency state)};
        $r->{key} = $key . (' again' x ($n{$key}++ // 0));
    }
    return @_;
}


# The results of a CSV by ID; minutes, which have neither an HTTP status nor
# a failure, are left out.  Of the time only the second is known.
sub csv_rows {
    my ($text) = @_;
    my %rows;

    for (split /\r\n/, $text) {
        my ($time, $id, $state, $http, $ms, $failure)
            = /^(\d[^,]+),[^,]*,([^,]+),(\w+),(\d*),([\d.]+),(\w*)$/ or next;
        next if "$http$failure" eq '';
        my $us = int($ms * 1000 + 0.5);
        my $at = seconds_of($time) * 1000 + 500;
        push @{ $rows{$id} }, { at => $at, ended => $at + $us / 1000,
                                latency => $us, state => $state };
    }
    named(@$_) for values %rows;
    return %rows;
}


sub seconds_of {
    my ($y, $m, $d, @t) = ($_[0] // '') =~ /\d+/g or return 0;
    return Time::Local::timegm(reverse(@t), $d, $m - 1, $y);
}


# ----------------------------------------------------------------- reckoning

# Results in the order in which they came.  "interval" is ms, or a sub that
# gets a result's time.  With a "fall" or "rise" above 1 only up and down can
# be reckoned.
sub past {
    my ($results, %opt) = @_;
    my ($fall, $rise) = ($opt{fall} // 1, $opt{rise} // 1);
    my %p = (state => 'unknown', seconds => {}, events => [], newest => 0);
    my (@run, $at);

    my $book = sub {
        my ($until, $state) = @_;
        $until = POSIX::floor($until / 1000);
        $p{cursor} //= $until;
        $p{seconds}{ $p{cursor}++ } = $state while $p{cursor} < $until;
    };
    my $event = sub {
        my ($from, $to, $since) = @_;
        my $last = @{ $p{events} } ? $p{events}[-1][2] : 0;
        push @{ $p{events} }, [ $from, $to, $since > $last ? $since : $last ];
    };
    my $turn = sub {
        my ($state, $since) = @_;
        $event->($p{state}, $state, $since);
        @p{qw(state since changed)} = ($state, $since, 1);
        @run = ();
    };

    for my $r (@$results) {
        $at = $r->{at};
        $p{changed} = 0;

        # a step of more than an hour: what is ahead has never been
        if ($p{newest} - $at > 3600_000) {
            pop @{ $p{events} }
                while @{ $p{events} } && $p{events}[-1][2] > $at;
            my $from = @{ $p{events} } ? $p{events}[-1][1] : 'unknown';
            $event->($from, $p{state}, $at) if $from ne $p{state};
            $p{since} = $p{events}[-1][2] if @{ $p{events} };
            $_->{at} = $at for @run = map { { %$_ } } @run;
            delete $p{seconds}{$_} for grep { $_ >= 60 * int($at / 60000) }
                                       keys %{ $p{seconds} };
            $p{cursor} = POSIX::floor($at / 1000);
            $p{newest} = 0;
        }
        $p{newest} = $at if $at > $p{newest};

        if (defined $p{valid} && $at > $p{valid}) {
            $book->($p{valid}, $p{state});
            $book->($at, 'unknown');
            $event->($p{state}, 'unknown', $p{valid})
                if $p{state} ne 'unknown';
            @p{qw(state since)} = ('unknown', $p{valid});
            @run = ();
        }

        if ($r->{state} eq $p{state}) {
            @run = ();
        } else {
            @run = () if @run && $run[0]{state} ne $r->{state};
            push @run, $r;
            my $need = $r->{state} ne 'up' ? $fall
                       : $p{state} eq 'unknown' ? 1 : $rise;
            if (@run >= $need) {
                my $since = $run[0]{at};
                $book->($since, $p{state});
                $turn->($r->{state}, $since);
            }
        }

        $book->(@run ? $run[0]{at} : $at, $p{state});

        $p{last} = $r;
        $p{valid} = $r->{ended} + ($r->{vague} ? 1000 : 0)
                    + 2 * (ref $opt{interval} ? $opt{interval}->($at)
                                              : $opt{interval});
    }

    return \%p;
}


# The state of a second, as it is seen in second $now.
sub state_at {
    my ($p, $second, $now) = @_;
    return $p->{seconds}{$second} // 'unknown' if $second < $p->{cursor};
    return $second < POSIX::floor($p->{valid} / 1000) && $second <= $now
           ? $p->{state} : 'unknown';
}


# What is wrong in a check of status.json that has seen just these results.
# "windows" is the time (s) of the last start: it sums them up anew.
sub differences {
    my ($p, $check, $json, %opt) = @_;
    my $now = seconds_of($json->{generated_at});
    my $alive = $json->{checker}{alive} && $check->{status} ne 'unknown';
    my @wrong;

    push @wrong, "is $check->{status}, not $p->{state}"
        if $check->{status} ne $p->{state}
           && ($alive || $now < POSIX::floor($p->{valid} / 1000)
                         && $json->{checker}{alive});

    push @wrong, "since $check->{since}, not " . time_of($p->{since} / 1000)
        if $alive && seconds_of($check->{since})
                     != POSIX::floor($p->{since} / 1000);

    my @events = map { "$_->[0] to $_->[1] at " . time_of($_->[2] / 1000) }
                 @{ $p->{events} };
    splice @events, 0, -24 if @events > 24;
    my $events = join '; ', map { "$_->{from} to $_->{to} at $_->{since}" }
                            @{ $check->{events} };
    push @wrong, "changes: $events; not: " . join('; ', @events)
        if $events ne join '; ', @events;

    return @wrong if !$alive;

    my $end = seconds_of($check->{timeline}{end});
    my @told = map { ($_->[0]) x $_->[1] } @{ $check->{timeline}{runs} };
    for my $i (0 .. 239) {
        my $minute = $end - (240 - $i) * 60;
        # a clock that was set back is waited for, or until the next result
        next if $now < $p->{cursor} && $minute + 59 >= $p->{cursor};
        my $last = $minute + 59;
        $last = $now if $last > $now && $now >= $p->{cursor};
        my $state = state_at($p, $last, $now);
        push @wrong, 'minute ' . time_of($minute) . " is $told[$i], not $state"
            if $told[$i] ne $state;
    }

    # a change has windows summed up at once; they begin with a minute.  That
    # was in the second in which it ended, or beside it
    if ($p->{changed} && $p->{last}{ended} / 1000 > ($opt{windows} // 0)) {
        my $until = POSIX::floor($p->{last}{ended} / 1000);
        $until = $p->{cursor} if $until < $p->{cursor};
        my @least = wrong_windows($p, $check, $until);
        for my $beside ($until - 1, $until + 1) {
            my @now = wrong_windows($p, $check, $beside);
            @least = @now if @now < @least;
        }
        push @wrong, @least;
    }

    return @wrong;
}


# What is wrong in the windows of a check, if they end then.
sub wrong_windows {
    my ($p, $check, $until) = @_;
    my @wrong;

    for ([ '1h', 3600 ], [ '24h', 86400 ]) {
        my ($window, $length) = @$_;
        my $from = 60 * int(($until - $length) / 60);
        my %n = (up => 0, degraded => 0, known => 0, all => 0);
        for my $s ((grep { $_ >= $from && $_ < $until }
                    keys %{ $p->{seconds} }), $p->{cursor} .. $until - 1)
        {
            my $state = state_at($p, $s, $until);
            $n{$state}++;
            $n{all}++;
            $n{known}++ if $state ne 'unknown';
        }
        # it begins with a minute, and may be that much longer
        my $whole = $n{all} > $length ? $n{all} : $length;
        my $known = int($n{known} * 1e5 / $whole + 1e-9) / 1e5;
        my $up = $n{known}
                 ? int(($n{up} + $n{degraded}) * 1e5 / $n{known} + 1e-9) / 1e5
                 : 'nothing';
        push @wrong, "known of $window is $check->{known}{$window}, not $known"
            if abs($check->{known}{$window} - $known) > 1e-9;
        push @wrong, "uptime of $window is "
                     . ($check->{uptime}{$window} // 'nothing') . ", not $up"
            if ($check->{uptime}{$window} // 'nothing') ne $up;
    }
    return @wrong;
}


sub time_of {
    return POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime POSIX::floor($_[0]));
}


# What is wrong in the store's minutes.
sub minutes {
    my ($file, $id, $p, $results) = @_;
    my @states = qw(up degraded bot_detected timeout down unknown maintenance);
    my (@wrong, %answers);

    for (@$results) {
        $answers{ POSIX::floor($_->{at} / 60000) }++
            if $_->{state} =~ /^(?:up|degraded|bot_detected)$/;
    }

    for (split /\n/, sql($file, 'SELECT at, results, ' . join(', ', @states)
        . " FROM minutes JOIN checks ON id = check_id WHERE name = '$id' "
        . 'ORDER BY at'))
    {
        my ($at, $n, %told);
        ($at, $n, @told{@states}) = split /\|/;
        my %seconds = map { $_ => 0 } @states;
        for ($at .. $at + 59) {
            $seconds{ $p->{seconds}{$_} }++ if $p->{seconds}{$_};
        }
        for (@states) {
            push @wrong, 'minute ' . time_of($at) . " has $told{$_} s of $_, "
                         . "not $seconds{$_}" if $told{$_} != $seconds{$_};
        }
        push @wrong, 'minute ' . time_of($at) . " has $n answers, not "
                     . ($answers{ $at / 60 } // 0)
            if $n != ($answers{ $at / 60 } // 0);
    }
    return @wrong;
}


1;
