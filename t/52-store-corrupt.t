#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# The store's file is not what it was: replaced, removed, overwritten,
# truncated, somebody else's.  Checks go on, a corrupt file is set aside, and
# a new one gets what the zone knows.

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

my $t = NgxStatus->new;
my $file = $t->dir . '/state/m.db';
my ($json, %since);

$t->hostile(1);


# --- replaced

store_conf($t);
$t->run;
$json = $t->wait_json('/m.json', sub { settled() && stored() });
%since = since($json);
my $score = check_of($json, 'seo')->{score};
sql("$file.copy", '.restore ' . $file);
ok(-s "$file.copy", 'a copy');
rename "$file.copy", $file;
# until then, what reads it would take the old file's log for the new one's
ok(another(1), 'file replaced: goes on');
ok(wait_for(sub { newest_row() > time - 2 }), 'in the new file');
whole();


# --- removed

unlink $file;
ok(another(2), 'file removed: another one begun');
ok(wait_for(sub { sql($file, 'SELECT count(*) FROM state') == 3 }),
   'with all that the zone knows');
ok(wait_for(sub { sql($file, 'SELECT count(*) FROM events WHERE until_ms '
                             . 'IS NULL') == 3 }), 'changes among it');
whole();

# at once: what is due in a week is not written any more
kill_all($t);
$t->run;
$json = loaded();
is(check_of($json, 'seo')->{since}, $since{seo}, 'kill -9: it is known');
is_deeply(check_of($json, 'seo')->{score}, $score, 'with its score');


# --- overwritten while it is written

for ([ 'begin', 0, 65536 ], [ 'middle', 16384, 1 << 20 ]) {
    my ($where, $from, $size) = @$_;

    # with all in the file, and nothing in its log
    $t->wait_json('/m.json', sub { settled() && stored() });
    wait_for(sub { sql($file, 'SELECT count(*) FROM state') == 3 });
    $t->stop;
    %since = since($t->run && loaded());
    $t->wait_json('/m.json', \&stored);

    my $aside = grep { !/-wal$/ } glob "$file.corrupt-*";
    my $end = -s $file;
    $size = $end - $from if $size > $end - $from;
    overwrite($file, $from, 'x' x $size);
    goes_on();
    $t->stop;
    $t->run;
    $json = loaded();
    is(check_of($json, 'seo')->{since}, $since{seo},
       "$where overwritten: what the zone knew is known");
    ok($t->wait_json('/m.json', \&stored, 20), 'in a new file');
    is(scalar(grep { !/-wal$/ } glob "$file.corrupt-*"), $aside + 1, 'the corrupt one is set aside');
    whole();
}
like($t->log, qr/was corrupt; it was set aside as/, 'the log says so');

# its log
overwrite("$file-wal", int((-s "$file-wal") / 2), 'x' x 4096);
goes_on();
ok($t->wait_json('/m.json', sub { settled() && stored() }, 20),
   'its log, while it is written: goes on');
kill_all($t);
my $wal = -s "$file-wal";
overwrite("$file-wal", int($wal / 2), 'x' x 4096) if $wal > 8192;
$t->run;
ok($t->wait_json('/m.json', sub { settled() && stored() }, 20),
   'and after kill -9');
whole();


# --- a page of one check

$t->stop;
%since = since($json = $t->run && loaded());
$t->stop;
my $page = sql($file, 'SELECT pageno FROM dbstat WHERE name = "state" AND '
                      . 'pagetype = "overflow" AND path LIKE "/000%" LIMIT 1')
           || 0;
SKIP: {
    skip 'no dbstat', 5 if !$page;

    $_ = $page;
    my $psize = sql($file, 'PRAGMA page_size');
    # the first of a chain: its number of the next one
    overwrite($file, ($page - 1) * $psize, "\xff\xff\xff\xff");
    $t->run;
    $json = $t->wait_json('/m.json', sub { settled() && stored() }, 20);
    ok($json, 'a page of one check: goes on');
    like($t->log, qr/could not be read: .*malformed/, 'the log says so');
    my %now = since($json);
    cmp_ok(scalar(grep { ($now{$_} // '') eq $since{$_} } keys %since), '>=', 2,
           'the others have their past');
    ok(another(3), 'in another file');
    whole();
}
$t->stop;


# --- truncated at many places: each a monitor of its own, in one nginx

my $good = $t->read_file($file);
my @sizes = (0, 1, 15, 16, 17, 99, 100, 101, 511, 512, 513, 1024, 4095, 4096,
             4097, 8191, 8192, 8193, 12288, 16384, 20000, 32768, 65535, 65536,
             65537, 98304);
push @sizes, map { int(length($good) * $_ / 8) } 1 .. 7;
push @sizes, length($good) - 4096, length($good) - 1, length($good);

my ($monitors, $locations) = ('', '');
for my $i (0 .. $#sizes) {
    overwrite($t->dir . "/state/t$i.db", undef, substr $good, 0, $sizes[$i]);
    $monitors .= "status_monitor t$i { check ok http://127.0.0.1:%%PORT_1%%/ok"
                 . " { interval 2s; timeout 1s; } }\n";
    $locations .= "location = /t$i.json { status_json t$i; }\n";
}
chown((stat $t->dir . '/state')[4, 5], glob $t->dir . '/state/t*.db');
$t->conf("status_state %%TESTDIR%%/state; $monitors"
         . "server { listen 127.0.0.1:%%PORT_0%%; $locations }");
$t->run;
my @wrong;
for my $i (0 .. $#sizes) {
    $t->wait_json("/t$i.json", \&stored, 20)
        or push @wrong, "$sizes[$i] bytes: not stored";
}
$t->stop;
for my $i (0 .. $#sizes) {
    my $path = $t->dir . "/state/t$i.db";
    sql($path, 'PRAGMA integrity_check') eq "ok\n"
        or push @wrong, "$sizes[$i] bytes: not whole";
    my $aside = grep { !/-wal$/ } glob "$path.corrupt-*";
    my $expected = $sizes[$i] && $sizes[$i] < length $good ? 1 : 0;
    $aside == $expected
        or push @wrong, "$sizes[$i] bytes: $aside files set aside";
}
is(join("\n", @wrong), '', 'truncated at ' . @sizes . ' places');


# --- no database, somebody else's

store_conf($t);
unlink glob "$file*";
overwrite($file, undef, "no database at all\n" x 1000);
chmod 0666, $file;
$t->run;
ok($t->wait_json('/m.json', sub { settled() && stored() }, 20), 'garbage');
$t->stop;

unlink glob "$file*";
sql($file, 'CREATE TABLE precious (x); INSERT INTO precious VALUES (1)');
$t->run;
$json = $t->wait_json('/m.json', sub { settled()
                                      && $_->{checker}{store}{state} eq 'failed' });
like($json->{checker}{store}{message}, qr/database of something else/,
     'another database is refused');
is(sql($file, 'SELECT * FROM precious'), "1\n", 'and left alone');
$t->stop;

$t->finish;


# ------------------------------------------------------------------- helpers

sub loaded {
    return $t->wait_json('/m.json', sub { !$_->{loading} });
}

# Whether the log has told of so many changes of the file.
sub another {
    my ($n) = @_;
    return wait_for(sub { $n == (() = $t->log =~ /goes on in another file/g) });
}

sub whole {
    is(sql($file, 'PRAGMA integrity_check'), "ok\n", 'the file is whole');
}

sub newest_row { sql($file, 'SELECT max(at_ms) FROM results') / 1000 }

sub goes_on {
    my $at = newest($t->json('/m.json'), 'ok');
    ok($t->wait_json('/m.json', sub { newest($_, 'ok') > $at + 1 }),
       'checks go on');
}
