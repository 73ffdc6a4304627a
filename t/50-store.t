#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# The store: what happened is known after quit, kill -9, start, reload,
# renaming, removal and return, and binary upgrade; and the gap is unknown.

use strict;
use warnings;

use FindBin;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Store;

plan(skip_all => 'no sqlite3 to look with')
    if !grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};

my $t = NgxStatus->new;
my $file = $t->dir . '/state/m.db';
my ($json, $before);

$t->hostile(1);
$t->allow(qr/\[emerg\].*(?:invalid store|is duplicate|can not be made|is that of|is not a regular)/,
          qr/exited on signal 9/);


# --- what is configured

for ([ 'store sqlite:x.db keep=1h;', qr/"keep=1h", expected keep= and a time from 1d/ ],
     [ 'store queue=99;', qr/"queue=99", expected queue= and a number from 100 to/ ],
     [ 'store mysql:x;', qr/invalid store "mysql:x", expected off, or sqlite:/ ],
     [ 'store off keep=1d;', qr/invalid store "keep=1d", expected nothing after off/ ],
     [ 'store keep=1d queue=100 keep=2d;', qr/invalid store "keep=2d", expected it once/ ],
     [ 'store queue=100 queue=100;', qr/invalid store "queue=100", expected it once/ ],
     [ 'store sqlite:%%TESTDIR%%;', qr/store "\S+" is not a regular file, expected another name in \S+:\d+/ ],
     [ 'store off; store off;', qr/"store" directive is duplicate/ ])
{
    store_conf($t, store => $_->[0]);
    my ($good, $text) = $t->test_conf;
    ok(!$good, "$_->[0] is refused");
    like($text, $_->[1], 'and why');
}

store_conf($t, http => 'status_state %%TESTDIR%%/no/where;');
my ($good, $text) = $t->test_conf;
ok(!$good, 'a state directory that can not be made');
like($text, qr{"\S+/no/where" of "status_state" can not be made in "\S+/no", expected another one, or "store off" in each monitor, in \S+:\d+ \(2: },
     'is named');

store_conf($t, store => 'store sqlite:%%TESTDIR%%/no/where.db;');
($good, $text) = $t->test_conf;
ok($good, 'a file whose directory is not there (yet)');
like($text, qr{\[warn\] .*store "\S+/no/where.db" can not be written: there is no directory "\S+/no", in \S+:\d+},
     'is warned of');

store_conf($t, http => 'status_state %%TESTDIR%%/no/where;', store => 'store off;');
($good, $text) = $t->test_conf;
ok($good, 'but is not needed where nothing is stored') or diag $text;

store_conf($t, http => 'status_state %%TESTDIR%%/state;'
           . 'status_monitor n { store sqlite:m.db; check a http://[::1]:1/ { } }');
($good, $text) = $t->test_conf;
ok(!$good, 'two monitors in one file');
like($text, qr/store "\S+" of monitor "m" is that of monitor "n" already/,
     'are refused');


# --- quit and start

store_conf($t);
$t->run;
$json = $t->wait_json('/m.json', sub { settled() && stored() });
ok($json, 'checked and stored');
my %since = since($json);

ok(wait_for(sub { sql($file, 'SELECT count(*) FROM results') > 6 }),
   'results are in the file');
is(sql($file, 'SELECT grp, target FROM checks WHERE name = "ok"'),
   "Site & Co|http://127.0.0.1:" . $t->port(1) . "/ok?token=***\n",
   'so is the check, without its secrets');
ok(!grep(/hidden/, map { $t->read_file($_) } glob "$file*"),
   'which are nowhere in there');

$before = $t->json('/m.json');
ok($t->stop, 'quit');
ok(!-e "$file-wal", 'the file is closed');
is(sql($file, 'SELECT count(*) FROM state'), "3\n", 'all is saved');

$t->run;
$json = loaded();
like($t->log, qr/3 checks of monitor "m" have their past back/, 'start');
is_deeply({ since($json) }, \%since, 'the first page knows since when');
is_deeply(check_of($json, 'seo')->{score}, check_of($before, 'seo')->{score},
          'and the score');
is(check_of($json, 'seo')->{checked_at}, check_of($before, 'seo')->{checked_at},
   'which is not due');
is(join(' ', map { $_->{status} } @{ $json->{checks} }),
   join(' ', map { $_->{status} } @{ $before->{checks} }),
   'what was so two intervals ago still is');


# --- kill -9 of everything, and a gap

$json = $t->wait_json('/m.json', sub { settled() && stored() });
my $at = newest($json, 'ok');
ok($t->wait_json('/m.json', sub {
    $before = newest($_, 'ok');
    $before > $at + 1 && kept() >= $before - 1.1 }),
   'all but the last second is in the file');
kill_all($t);
is(sql($file, 'PRAGMA integrity_check'), "ok\n", 'kill -9, the file is whole');

cmp_ok(kept(), '>=', $before - 1.1, 'and still is');

sleep 4;
$t->run;
$json = $t->wait_json('/m.json', sub { settled() && stored() });
is(check_of($json, 'seo')->{since}, $since{seo}, 'what was checked in time stands');
cmp_ok(check_of($json, 'ok')->{since}, 'gt', $since{ok}, 'the rest begins anew');
ok(wait_for(sub {
    sql($file, 'SELECT from_state, to_state, until_ms IS NULL FROM events '
               . 'JOIN checks ON id = check_id WHERE name = "ok" '
               . 'ORDER BY since_ms') eq "unknown|up|0\nup|unknown|0\n"
                                         . "unknown|up|1\n" }),
   'the gap is in the events') or diag sql($file, 'SELECT * FROM events');

my $gap = sql($file, 'SELECT until_ms - since_ms FROM events JOIN checks ON '
                     . 'id = check_id WHERE name = "ok" AND to_state = '
                     . '"unknown"');
cmp_ok($gap, '>=', 1000, 'as long as it was');
is(check_of($json, 'ok')->{events}[1]{reason},
   sql($file, 'SELECT why FROM events WHERE to_state = "unknown" LIMIT 1') =~ s/\n//r,
   'for the reason that pages give');


# --- reload keeps the zone, and the new checker the file

my $n = results($file, 'ok');
my $lacking = lacking($t, $file);
ok($t->reload, 'reload');
ok($t->wait_json('/m.json', \&stored), 'the next checker writes');
store_conf($t, store => 'history minutes=5h;');
ok($t->reload, 'reload with a zone of another shape');
ok($t->wait_json('/m.json', \&stored), 'and the next');
ok(wait_for(sub { results($file, 'ok') > $n + 4 }), 'results come in');
is(sql($file, 'SELECT count(*) FROM events JOIN checks ON id = check_id '
              . 'WHERE name = "ok"'), "3\n", 'and no event');
ok(lacks($t, $file, $lacking + 3), 'none is missing');


# --- the checker alone

$lacking = lacking($t, $file);
$n = results($file, 'ok');
kill 'KILL', $t->checker;
ok(wait_for(sub { results($file, 'ok') > $n + 2 }), 'a checker is killed');
ok(lacks($t, $file, $lacking + 2), 'none is missing');
is(check_of(loaded(), 'seo')->{since}, $since{seo}, 'and nothing begins anew');


# --- removed and back, with a start in between

my $was = store_checks();
my $held = sql($file, 'SELECT since_ms FROM events JOIN checks ON id = check_id'
                      . ' WHERE name = "bad" AND to_state = "down" LIMIT 1');
$n = results($file, 'bad');
store_conf($t, checks => $was =~ s/^.*check bad.*\n//mr);
ok($t->reload, 'a check removed');
ok($t->stop, 'quit');
$t->run;
ok($t->wait_json('/m.json', \&stored), 'start');
cmp_ok(results($file, 'bad'), '>=', $n, 'its history is kept');
store_conf($t);
ok($t->reload, 'and back');
$json = $t->wait_json('/m.json', sub { settled() });
is(check_of($json, 'bad')->{events}[0]{since} // '', rfc($held),
   'it is back with it');
is(sql($file, 'SELECT count(*) FROM checks'), "3\n", 'as the same one');


# --- renamed, across a stop and a start, and a reload

my %id = map { split /\|/ } split /\n/, sql($file, 'SELECT name, id FROM checks');
$json = $t->wait_json('/m.json', \&stored);
my %is = map { $_->{id} => $_ } @{ $json->{checks} };
ok($t->stop, 'quit');
my $renamed = $was =~ s/check seo( .*\{)/check lighthouse$1 was seo;/r;
store_conf($t, checks => $renamed);
$t->run;
$json = loaded();
my $seo = check_of($json, 'lighthouse');
is($seo->{since}, $is{seo}{since}, 'renamed while it was stopped: since when');
is_deeply($seo->{score}, $is{seo}{score}, 'the score');
is_deeply($seo->{events}, $is{seo}{events}, 'and changes are known');
$t->wait_json('/m.json', \&stored);
is(sql($file, 'SELECT id FROM checks WHERE name = "lighthouse"'), "$id{seo}\n",
   'it is the same one in the file');

store_conf($t, checks => $renamed =~ s/check bad( .*\{)/check worse$1 was bad;/r);
$n = results($file, 'bad');
ok($t->reload, 'another one, with a reload');
ok(wait_for(sub { results($file, 'worse') > $n }), 'is the same one too');
is(sql($file, 'SELECT count(*) FROM checks'), "3\n", 'and there is no more');

# taken back
store_conf($t, checks => $was =~ s/check seo( .*\{)/check seo$1 was lighthouse;/r
                             =~ s/check bad( .*\{)/check bad$1 was worse;/r);
ok($t->stop, 'quit');
$t->run;
is_deeply({ since(loaded()) }, { map { $_ => $is{$_}{since} } keys %is },
          'and all of it taken back');


# --- two masters

SKIP: {
    skip 'binary upgrade under a sanitizer' if $ENV{NGX_STATUS_PRELOAD};

    $t->stop;
    store_conf($t, daemon => 'on');
    $t->run;
    my $old = $t->pid;
    $before = $t->wait_json('/m.json', sub { settled() && stored() });
    $t->signal('USR2');
    my $new = wait_for(sub {
        my ($pid) = $t->read_file('nginx.pid') =~ /(\d+)/ or return 0;
        return $pid != $old ? $pid : 0;
    });
    ok($new, 'USR2: two masters');
    ok(wait_for(sub { $t->log =~ /is written by another process/ }),
       'the second one waits');
    $n = results($file, 'ok');
    ok(wait_for(sub { results($file, 'ok') > $n + 2 }), 'the first one writes');
    kill 'WINCH', $old;
    sleep 1;
    kill 'QUIT', $old;
    ok(wait_for(sub { !kill 0, $old }), 'the first one leaves');
    $t->{pid} = $new;
    $json = $t->wait_json('/m.json', sub { settled() && stored() });
    ok($json, 'the second one writes');
    is_deeply({ since($json) }, { since($before) }, 'and knows what was');
    is(sql($file, 'PRAGMA integrity_check'), "ok\n", 'the file is whole');
}


$t->finish;


# ------------------------------------------------------------------- helpers

# The first page that is complete.
sub loaded {
    return $t->wait_json('/m.json', sub { !$_->{loading} });
}

# When the newest result of the file began.
sub kept {
    return sql($file, 'SELECT max(at_ms) FROM results JOIN checks ON id = '
                      . 'check_id WHERE name = "ok"') / 1000;
}

sub rfc {
    my @t = gmtime $_[0] / 1000;
    return sprintf '%d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900, $t[4] + 1,
                   @t[3, 2, 1, 0];
}
