#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# The archive: its rows are status.csv's, none is missing and none is there
# twice, through reload, kill -9 and binary upgrade; nothing that happens to
# the directory stops the checks; only what is ours is deleted.  What the
# files themselves go through is in t/unit/test_archive.c.

use strict;
use warnings;

use FindBin;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $head = "timestamp,site_id,domain_id,domain_status,http_status,latency_ms,"
           . "failure_type\r\n";

# spaces and UTF-8, and made by nginx
my $name = "ar ch \xc3\xbc";

my $checks = <<'CHECKS';
    group "Site, \"A\"" {
        check www   http://127.0.0.1:%%PORT_1%%/ok { }
        check bad   http://127.0.0.1:%%PORT_1%%/status?code=503 { }
    }
    check www.0900  http://127.0.0.1:%%PORT_2%%/ { }
    check -gone     http://nowhere.invalid/ { interval 7d; }
CHECKS
my @ids = qw(www bad www.0900);

my $t = NgxStatus->new;
my $dir = $t->dir . "/$name";
$t->hostile(1);
$t->allow(qr/exited on signal 9/);

sub conf {
    my (%opt) = @_;
    my $archive = $opt{archive} // "archive \"%%TESTDIR%%/$name/\"";
    $t->conf("status_monitor m {\n interval 300ms; $archive; max_per_host 100;\n"
             . ($opt{checks} // $checks) . "}\n" . <<'SERVER', %opt);
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m.csv  { status_csv m; }
    location = /m.json { status_json m; }
}
SERVER
}


# --- the same rows, and where

# what is there already: older than is kept, ours and not
my $old = day(time - 32 * 86400);
my $kept = day(time - 29 * 86400);
my %theirs = map { $_ => 1 } "$old/notes.txt", "$old/x.0900.csv", "$kept/www.0900.csv",
                             "backup-$old/www.0900.csv", 'www.0900.csv';
$t->write_file("$name/$_", $_ =~ /x\./ ? "a,b\n" : $head)
    for keys %theirs, "$old/www.0900.csv", "$old/removed.2300.csv",
        day(time - 400 * 86400) . '/www.0900.csv';
system('chown', '-R', 'nobody', $dir) if $> == 0;

conf();
$t->run;
ok(same(), 'rows are those of status.csv');
like(rows('www'), qr/^\S+Z,"Site, ""A""",www,up,200,\d+\.\d{3},\r\n/,
     'with quotes where they are needed');
like(rows('bad'), qr/,bad,down,503,\d+\.\d{3},status\r\n/, 'a failure');
like(rows('www.0900'), qr/Z,,www\.0900,down,,[\d.]+,connect\r\n/, 'another');
ok(wait_for(sub { rows('-gone') }), 'a name that looks like an option');

is(join(' ', grep { !m{^\d{4}-\d\d-\d\d/(?:-gone|www|bad|www\.0900)\.\d\d00\.csv$}
                    && !$theirs{$_} } files()), '', 'hour by hour');
ok(wait_for(sub { !grep { m{^$old/(?:www|removed)} } files() }), 'what is old is gone');
is_deeply([ sort grep { $theirs{$_} } files() ], [ sort keys %theirs ],
          'nothing else is');
ok(!-e "$dir/" . day(time - 400 * 86400), 'nor are empty days');

my @stat = stat $dir;
SKIP: {
    skip 'not root', 1 if $> != 0;
    is($stat[4], scalar getpwnam('nobody'), 'the directory is that of nginx');
}


# --- reload, quit, start, kill -9

my $checker = $t->checker;
for (1 .. 3) {
    ok($t->reload, 'reload');
    isnt($t->checker, $checker, 'another checker');
    ok(same(), 'nothing is missing, nothing there twice');
}

my $wrote = rows('bad');
conf(checks => $checks =~ s/^.*check bad.*\n//mr);
ok($t->reload, 'a check removed');
like(rows('bad'), qr/^\Q$wrote\E/, 'its file stays');
conf();
ok($t->reload, 'and back');

my $csv = $t->get('/m.csv')->{body};
ok($t->stop, 'quit');
is(differs($csv), '', 'writes what is there');

# what the README says of reading a month back
my $n = () = map { rows($_) =~ /\n/g } @ids, '-gone';
my $days = '20??-??-??';
is(`cd '$dir' && find $days -name '*.????.csv' -exec tail -qn +2 {} + | wc -l`, "$n\n",
   'read with find and tail');
is(`cd '$dir' && awk 'FNR > 1 || NR == 1' $days/www.????.csv`, $head . rows('www'),
   'with awk');
SKIP: {
    skip 'no sqlite3', 1 if !grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};
    is(`cd '$dir' && sqlite3 :memory: '.import --csv "|cat $days/www.????.csv" r' \\
        "SELECT count(*), count(DISTINCT site_id) FROM r WHERE timestamp <> 'timestamp'"`,
       (() = rows('www') =~ /\n/g) . "|1\n", 'with sqlite3');
}

$t->run;
ok(same(), 'start');

for (1 .. 2) {
    $checker = $t->checker;
    my $before = time;
    ok(wait_for(sub { count_newer($before) == @ids }), 'results are written as they come');
    my ($newest) = sort { $a <=> $b } map { at((split /\n/, rows($_))[-1]) } @ids;
    kill 'KILL', $checker;
    ok(wait_for(sub { ($t->checker // $checker) != $checker }), 'kill -9');
    # the zone knows them all
    my $after = $t->get('/m.csv')->{body};
    is(differs($after, $newest), '', 'loses none of those, repeats nothing');
    $before = time;
    ok(wait_for(sub { count_newer($before) == @ids }), 'goes on');
}


# --- torn

$t->stop;
my $file = newest_file('www');
my $whole = $t->read_file($file);
(my $torn = $whole) =~ s/.{20}\r\n\z//s;
put($file, $torn);
my @dash = map { "$dir/$_" } grep { m{/-gone\.} } files();
put($dash[-1], substr $head, 0, 33);
$t->run;
my $good = $whole =~ s/[^\n]*\n\z//r;
ok(wait_for(sub { my $now = $t->read_file($file);
                  length $now > length($good) && index($now, $good) == 0 }),
   'a torn row is cut off, the rows before it stay');
ok(wait_for(sub { well_formed() }), 'and so is a torn header');
$t->stop;


# --- a directory that is removed, or can not be written

$t->run;
ok(same(), 'start');
system('rm', '-rf', $dir);
ok(wait_for(sub { $t->log =~ /archive of monitor "m" can not be written, results are kept in memory: open\(\) "\Q$dir\E" failed \(2:/ }),
   'directory removed: the log says so');
my $at = newest();
ok(wait_for(sub { newest() > $at + 1 }), 'checks go on');
make_dir();
ok(wait_for(sub { $t->log =~ /archive "\Q$dir\E" of monitor "m" is written, 0 results were lost/ }, 20),
   'made again: goes on');
ok(same(10), 'with what was kept');

my $lines = () = $t->log =~ /can not be written/g;
my ($day) = grep { m{/\d{4}-\d\d-\d\d$} } glob quotemeta($dir) . '/*';
chmod 0500, $day;
unlink glob quotemeta($day) . '/*';
ok(wait_for(sub { $t->log =~ /open\(\) "\Q$day\E\/\S+" failed \(13:/ }), 'read-only');
$at = newest();
ok(wait_for(sub { newest() > $at + 1 }), 'checks go on');
chmod 0700, $day;
ok(same(20), 'writable: goes on, with what was kept');
is((() = $t->log =~ /can not be written/g) - $lines, 1, 'one line in the log');

# one file, of all
unlink $_ for grep { m{/bad\.} } map { "$dir/$_" } files();
mkdir "$day/bad." . POSIX::strftime('%H00', gmtime time + $_ * 3600) . '.csv' for 0, 1;
ok(wait_for(sub { $t->log =~ /failed \(21:/ }), 'one file can not be written');
ok(same(10, 'www', 'www.0900'), 'the others are');
rmdir $_ for glob quotemeta($day) . '/bad.*';
ok(same(20), 'and then it is, too');


# --- descriptors

$checker = $t->checker;
my %fds = map { $_ => 0 } qw(most archive);
conf(checks => join '', map "check c$_ http://127.0.0.1:%%PORT_2%%/ { interval 1s; }\n", 1 .. 300);
$t->stop;
system('rm', '-rf', $dir);
$t->run;
my $fds;
ok(wait_for(sub {
    my $pid = $t->checker or return 0;
    my @open = grep { index(readlink($_) // '', $dir) == 0 } glob "/proc/$pid/fd/*";
    $fds = @open if @open > ($fds // 0);
    return 300 == grep { rows("c$_", 1) } 1 .. 300;
}, 30), '300 checks have 300 files');
for (1 .. 40) {
    my $pid = $t->checker;
    my @open = grep { index(readlink($_) // '', $dir) == 0 } glob "/proc/$pid/fd/*";
    $fds = @open if @open > $fds;
    sleep 0.05;
}
cmp_ok($fds, '<=', 4, 'and few descriptors');
cmp_ok($fds, '>=', 2, 'of which some could be seen');
$t->stop;
system('rm', '-rf', $dir);


# --- two masters

SKIP: {
    skip 'binary upgrade under a sanitizer', 1 if $ENV{NGX_STATUS_PRELOAD};

    conf(daemon => 'on');
    $t->run;
    my $master = $t->pid;
    ok(same(), 'start');
    $t->signal('USR2');
    my $new = wait_for(sub {
        my ($pid) = $t->read_file('nginx.pid') =~ /(\d+)/ or return 0;
        return $pid != $master ? $pid : 0;
    });
    ok($new, 'USR2: two masters');
    ok(wait_for(sub { $t->log =~ /archive "\Q$dir\E" of monitor "m" is written by another process/ }),
       'the second one waits');
    kill 'WINCH', $master;
    ok(wait_for(sub { $t->log =~ /is written, 0 results were lost\n\z|is written, 0 results were lost\n(?!.*another process)/s }, 20),
       'the first one leaves, the second one writes');
    kill 'QUIT', $master;
    ok(wait_for(sub { !kill 0, $master }), 'and is alone');
    $t->{pid} = $new;
    ok(same(), 'with all that it waited with');
    ok(well_formed(), 'whole rows');
    $t->stop;
}


# --- a full disk

SKIP: {
    skip 'not root', 1 if $> != 0;

    my $disk = $t->dir . '/disk';
    mkdir $disk;
    skip 'no tmpfs', 1
        if system("mount -t tmpfs -o size=64k,mode=0777 none $disk 2>/dev/null");

    my $ok = eval {
        $dir = "$disk/a";
        conf(archive => "archive $dir");
        $t->run;
        ok(same(), 'a small disk');
        open my $f, '>', "$disk/fill";
        # a page that is begun has room; a file that is begun has not
        ok(wait_for(sub { unlink newest_file('bad');
                          1 while syswrite $f, 'x' x 4096;
                          $t->log =~ /write\(\) "\Q$dir\E\/\S+" failed \(28:/ }),
           'full');
        close $f;
        $at = newest();
        ok(wait_for(sub { newest() > $at + 1 }), 'checks go on');
        ok(well_formed(), 'no half rows');
        unlink "$disk/fill";
        ok(same(20), 'space: goes on, with what was kept');
        1;
    };
    diag $@ if !$ok;
    $t->stop;
    system("umount -l $disk");
    $dir = $t->dir . "/$name";
}


# --- the clock

SKIP: {
    my ($lib) = glob '/usr/lib/*/faketime/libfaketimeMT.so.1';
    skip 'no libfaketime', 1 if !$lib;
    skip 'libfaketime under a sanitizer', 1 if $ENV{NGX_STATUS_PRELOAD};

    conf(archive => "archive \"%%TESTDIR%%/$name\" rotate=1m keep=1d",
         main => join '', map "env $_;\n", qw(FAKETIME_TIMESTAMP_FILE FAKETIME_NO_CACHE
                                              DONT_FAKE_MONOTONIC));

    # a few seconds before midnight
    my $offset = 86400 - time % 86400 - 3;
    my ($tomorrow, $today, $before, $old) = map { day(time + $offset + 86400 * $_) }
                                                1, 0, -1, -2;
    $t->write_file('clock', "+$offset");
    $t->write_file("$name/$_/www.0900.csv", $head) for $before, $old;
    system('chown', '-R', 'nobody', $dir) if $> == 0;
    {
        local @ENV{qw(FAKETIME_TIMESTAMP_FILE FAKETIME_NO_CACHE DONT_FAKE_MONOTONIC)}
            = ($t->dir . '/clock', 1, 1);
        local $ENV{LD_PRELOAD} = $lib;
        $t->run;
    }
    ok(wait_for(sub { -e "$dir/$tomorrow/www.0000.csv" }), 'a new day, a new directory');
    ok(-e "$dir/$today/www.2359.csv", 'and minute');
    ok(same(), 'nothing is missing');
    ok(-e "$dir/$before/www.0900.csv", 'a day is kept');
    ok(!-e "$dir/$old", 'two are not');

    my $written = $t->read_file("$dir/$tomorrow/www.0000.csv");
    $t->write_file('clock', '+' . ($offset - 75));
    ok(wait_for(sub { -e "$dir/$today/www.2358.csv" || -e "$dir/$today/www.2357.csv" }),
       'set back: the rows go where their time is');
    ok(well_formed(), 'whole rows');
    is((() = $t->read_file((glob quotemeta("$dir/$today") . '/www.235[78].csv')[0])
        =~ /^(?!timestamp|\Q$today\ET23:5[78]:)/mg), 0, 'and no others');
    is(index($t->read_file("$dir/$tomorrow/www.0000.csv"), $written), 0,
       'what was written stays');
    $t->stop;
}

$t->finish;


# ------------------------------------------------------------------- helpers

sub day { POSIX::strftime('%Y-%m-%d', gmtime $_[0]) }

# All files, by their path in the directory.
sub files {
    my @list;
    for my $path (map { glob quotemeta($dir) . $_ } '/*/*', '/*.csv') {
        push @list, substr $path, 1 + length $dir;
    }
    return @list;
}

# Files of a check, oldest first; no others match, whatever IDs look like.
sub files_of {
    my ($id) = @_;
    return sort map { glob quotemeta($dir) . "/????-??-??/$id.????.csv" } $id;
}

sub newest_file { (files_of($_[0]))[-1] }

# All rows of a check; not those that are there for the test of keep.
sub rows {
    my ($id, $any) = @_;
    my $rows = '';
    for my $path (files_of($id)) {
        my $text = $t->read_file($path);
        return $text if $any && length $text;
        # it may be new just now
        return '' if length $text < length $head;
        substr($text, 0, length $head, '') eq $head or return "no header\n";
        $rows .= $text;
    }
    return $rows;
}

sub csv_rows {
    my ($text, $id) = @_;
    my @rows = grep { /^[^,]*Z,(?:"(?:[^"]|"")*")?,\Q$id\E,/ } split /(?<=\n)/, $text;
    # before results there are minutes, up to the 60th
    return @rows > 60 ? @rows[-60 .. -1] : @rows;
}

# Whether the newest results of all checks are in the archive, in their order,
# once each, as status.csv has them; it may be the archive that has the very
# last ones first.
sub same {
    my ($seconds, @of) = @_;
    @of = @ids if !@of;
    my $last = '';
    my $same = wait_for(sub {
        my $r = $t->get('/m.csv') or return 0;
        for my $id (@of) {
            my @rows = split /(?<=\n)/, rows($id);
            my @csv = csv_rows($r->{body}, $id);
            $last = "archive:\n @rows\nstatus.csv:\n @csv";
            return 0 if @csv < 3 || !@rows;
            pop @rows while @rows && $rows[-1] ne $csv[-1];
            # what was there before the test removed it
            shift @csv while @csv > @rows;
            shift @rows while @rows > @csv;
            return 0 if !@csv || "@rows" ne "@csv";
        }
        return 1;
    }, $seconds);
    diag $last if !$same;
    return $same;
}

# Rows of status.csv, of before the time, that the archive lacks, and rows
# that it has and status.csv has not, or not so often.
sub differs {
    my ($csv, $until) = @_;
    my $differ = '';
    for my $id (@ids) {
        my @csv = csv_rows($csv, $id);
        my @rows = grep { at($_) > at($csv[0]) } split /(?<=\n)/, rows($id);
        @csv = grep { at($_) > at($csv[0]) } @csv;
        for my $row (@csv) {
            if (@rows && $rows[0] eq $row) {
                shift @rows;
            } elsif (!defined $until || at($row) < int $until) {
                $differ .= "- $row";
            }
        }
        # what came after status.csv
        shift @rows while @rows && at($rows[0]) >= at($csv[-1]);
        $differ .= join '', map { "+ $_" } @rows;
    }
    return $differ;
}

sub well_formed {
    for my $path (map { "$dir/$_" } grep { m{^\d{4}-\d\d-\d\d/[^/]+\.csv$} } files()) {
        next if $path =~ m{/x\.};
        my $text = $t->read_file($path);
        return 0 if length $text && $text !~ /\A\Q$head\E(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,(?:"Site, ""A""")?,[\w.-]+,[a-z]+,\d*,[\d.]*,[a-z]*\r\n)*\z/;
    }
    return 1;
}

sub at {
    my ($row) = @_;
    my ($y, $mo, $d, $h, $mi, $s) = $row =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z/
        or return 0;
    require Time::Local;
    return Time::Local::timegm($s, $mi, $h, $d, $mo - 1, $y);
}

# When the newest result of all is from, and how many checks have one since.
sub newest {
    my $r = $t->get('/m.csv') or return 0;
    my $newest = 0;
    for (split /\n/, $r->{body}) {
        $newest = at($_) if at($_) > $newest;
    }
    return $newest;
}

sub count_newer {
    my ($time) = @_;
    return scalar grep { my @rows = split /\n/, rows($_); @rows && at($rows[-1]) > $time } @ids;
}

sub put {
    my ($path, $text) = @_;
    open my $f, '+<:raw', $path or die "$path: $!";
    truncate $f, 0;
    print $f $text;
    close $f;
}

sub make_dir {
    mkdir $dir;
    system('chown', 'nobody', $dir) if $> == 0;
}
