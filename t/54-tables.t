#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# The store's tables hold all that pages show: when the records that were
# saved can not be read (another version of the module, a file that was made
# elsewhere), history is put together from them.  Here 400 days are written
# with SQL into a file of the first version.

use strict;
use warnings;

use FindBin;
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Store;

plan(skip_all => 'no sqlite3 to look with')
    if !grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};

my $t = NgxStatus->new;
my $file = $t->dir . '/state/m.db';

# nothing is due, so nothing changes
my $checks = <<'CHECKS';
    check a http://127.0.0.1:%%PORT_1%%/a { interval 7d; timeout 1s; }
    check s http://127.0.0.1:%%PORT_1%%/s {
        interval 7d; timeout 1s; score $.score; grade $.grade;
        drop warning=1 critical=5;
    }
CHECKS

mkdir $t->dir . '/state';
chown((getpwnam 'nobody')[2, 3], $t->dir . '/state') if $> == 0;

my $T = time - 5;                             # the newest results
make($file, $T);
is(sql($file, 'PRAGMA user_version'), "1\n", 'a file of the first version');


# --- the first start

store_conf($t, checks => $checks);
$t->run;
my $json = loaded();
like($t->log, qr/2 checks of monitor "m" have their past back/, 'start');
is(sql($file, 'PRAGMA user_version'), "3\n", 'it is of the newest version');
is(sql($file, 'PRAGMA integrity_check'), "ok\n", 'and whole');
like(sql($file, '.schema hours'), qr/latency TEXT .*JSON/, 'with new columns');
cmp_ok(sql($file, 'SELECT count(*) FROM days'), '>=', 798, 'and its rows');

my $a = check_of($json, 'a');
my $s = check_of($json, 's');

# 8640 s in each seventh day, the 30 s of an hour ago
for ([ '24h', 86400, 30 ], [ '7d', 7 * 86400, 8640 + 30 ],
     [ '30d', 30 * 86400, 4 * 8640 + 30 ], [ '90d', 90 * 86400, 12 * 8640 + 30 ],
     [ '365d', 365 * 86400, 52 * 8640 + 30 ])
{
    my ($window, $seconds, $down) = @$_;
    # at its begin there may be a day more, or a part of it
    my $low = 1 - ($down + 8640) / $seconds;
    my $high = 1 - ($down - 8640) / $seconds;
    $low = $high = 1 - 30 / 86400 if $window eq '24h';
    cmp_ok($a->{uptime}{$window}, '>=', $low - 0.0001, "uptime of $window");
    cmp_ok($a->{uptime}{$window}, '<=', $high + 0.0001, 'is right');
    cmp_ok($a->{known}{$window}, '>', 0.98, 'all of it known');
}
is($a->{status}, 'up', 'its state');
is($a->{since}, rfc(($T - $T % 60) - 3600 + 50), 'since when');
is(scalar @{ $a->{events} }, 24, 'the newest changes');
is($a->{events}[-1]{to}, 'up', 'the newest last');
is($a->{events}[-2]{to}, 'down', 'and the one before');
is($a->{events}[-2]{reason}, 'status 503, expected 200-299', 'with its reason');
is(join(' ', map { "@$_" } @{ $a->{timeline}{runs} }), 'up 240',
   'the timeline, a minute by its end');
is($a->{checked_at}, rfc($T), 'the newest result');
is($a->{failed_at}, rfc($T - 3570), 'the newest failure');
is($a->{failed_message}, 'status 503, expected 200-299', 'and why');
is($s->{score}{value}, 90, 'the score');
is($s->{score}{previous}, 91, 'the one before');
is(scalar @{ $s->{score}{history} }, 30, 'and all of them');

# the last days and quarter, on the check's page
my $page = $t->get('/s/check/a')->{body};
SKIP: {
skip 'midnight', 8 if int(time / 86400) != int($T / 86400);
my ($hours, $days) = $page =~ m{<h2>Last (?:7|90) days .*?</h2>\n(<svg.*?</svg>)}sg;
like($hours, qr/viewBox="0 0 4032 8"/, 'an hour each');
my @down = $days =~ /<rect class="down" x="(\d+)" width="8"/g;
# one of today's hours may be of yesterday
is(join(' ', grep { (89 - int $_ / 24) % 7 == 0 && $_ < 24 * 89 } @down),
   join(' ', map { 24 * (90 - 7 * $_) - 8 } reverse 1 .. 12),
   'a tenth of a day is drawn as what can be seen');
my @tips = $days =~ m{<title>(\d+ \w+ \d+: [^<]*)</title>}g;
is(scalar @tips, 90, 'each day can be pointed at');
is(scalar(grep { /: 90%$/ } @tips[0 .. 87]), 12, 'and tells its uptime');
my ($label) = $days =~ /aria-label="([^"]*)"/;
like($label, qr/^Up 8[89] d.*, Down \d+ d/, 'the same in words');
my @rows = $page =~ m{<tr><th scope="row">(<time .*?)\n}g;
is(scalar @rows, 90, 'and as a table');
like($rows[7], qr{<b>90%</b><td>2 h 24 min<td><td>100%<td>2880<td>20 ms<td>1.10 s},
     'day by day, newest first');
like($page, qr{<svg class="wave" viewBox="0 0 89 40".*? d="M0 20h8\d}, 'its latency is level');
}
# latencies of this version, for what comes
my $bins = '{"10240":2500,"106496":300,"1015808":80}';
sql($file, "UPDATE hours SET latency = '$bins'; UPDATE days SET latency = '$bins'");
ok($t->stop, 'quit');


# --- another version

my $other = 'UPDATE state SET layout = "1" || substr(layout, 2)';
sql($file, $other);
$t->run;
$json = loaded();
like($t->log, qr/another version of this module: pages are put together from its tables/,
     'records of another version');
$a = check_of($json, 'a');
near($a->{latency}{'24h'}{p50}, 10.2, 'p50');
near($a->{latency}{'24h'}{p95}, 106, 'p95');
near($a->{latency}{'24h'}{p99}, 1016, 'p99');

# what README.md asks
my $readme = do { local (@ARGV, $/) = top() . '/README.md'; <> };
my @asked = $readme =~ /^sqlite3 -readonly acme\.db "(.*?)"$/msg;
cmp_ok(scalar @asked, '>=', 4, 'queries of README.md');
like(sql($file, $_), qr/^a\|.*\d/m, 'answers ' . substr $_, 0, 40) for @asked;

# ... and this one: what was saved of it is the same
my $before = told($json);
ok($t->stop, 'quit');
$t->run;
my $saved = told(loaded());
is_deeply($saved, $before, 'saved, the same as put together');
ok($t->stop, 'quit');
sql($file, $other);
$t->run;
is_deeply(told(loaded()), $saved, 'and once more');
ok($t->stop, 'quit');


# --- the newest hours, days and minutes are not in the tables

sql($file, $other);
my ($d, $h) = (int($T / 86400) * 86400, int($T / 3600) * 3600);
sql($file, 'DELETE FROM days WHERE at >= ' . ($d - 86400)
           . '; DELETE FROM hours WHERE at >= ' . ($h - 7200));
$t->run;
$json = told(loaded());
is_deeply($json->{a}{uptime}, $saved->{a}{uptime},
          'hours and days that were not written any more');
ok(wait_for(sub {
    2 == sql($file, 'SELECT count(*) FROM days WHERE at >= ' . ($d - 86400))
}), 'are in there again');
ok($t->stop, 'quit');


# --- no state at all, no minutes, no results

sql($file, 'DELETE FROM state; DELETE FROM minutes');
$t->run;
$json = told(loaded());
near($json->{a}{uptime}{'365d'}, $saved->{a}{uptime}{'365d'}, 'without minutes');
is($json->{s}{score}{value}, 90, 'the score');
ok($t->stop, 'quit');

sql($file, 'DELETE FROM state; UPDATE days SET latency = x\'00ff\', up = -5 '
           . 'WHERE at % 172800 = 0; UPDATE hours SET latency = \'{"9999999999'
           . '9999":-1,"":3,"a":"b"\', sum_us = 9223372036854775807');
$t->run;
ok(loaded(), 'nonsense in the tables');
ok($t->stop, 'quit');


# --- a newer version

sql($file, 'PRAGMA user_version = 99');
$t->run;
$json = $t->wait_json('/m.json', sub { $_->{checker}{store}{state} eq 'failed' });
like($json->{checker}{store}{message}, qr/newer version of this module \(99\)/,
     'a newer one is left alone');
$t->stop;
is(sql($file, 'PRAGMA user_version'), "99\n", 'as it was');

$t->finish;


# ------------------------------------------------------------------- helpers

# The first page that is complete.
sub loaded {
    return $t->wait_json('/m.json', sub { !$_->{loading} });
}

# What a document says of the past, to four digits.
sub told {
    my ($json) = @_;
    my %told;
    for my $c (@{ $json->{checks} }) {
        delete $c->{next_check_at};
        $c->{timeline} = { runs => 0 };
        # the outage of an hour ago leaves the last hour just now
        delete $c->{uptime}{'1h'};
        for my $of (@$c{qw(uptime known)}) {
            $_ = defined $_ ? sprintf('%.4f', $_) + 0 : $_ for values %$of;
        }
        $told{ $c->{id} } = $c;
    }
    return \%told;
}

sub near {
    my ($value, $expected, $name) = @_;
    ok(defined $value && abs($value - $expected) <= 0.07 * $expected, $name)
        or diag defined $value ? $value : 'undef';
}

sub rfc {
    my @t = gmtime $_[0];
    return sprintf '%d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900, $t[4] + 1,
                   @t[3, 2, 1, 0];
}

# 400 days of two checks until T: each seventh day has 360 s down in each
# hour; an hour ago 30 s were down, in one minute.
sub make {
    my ($path, $T) = @_;
    my $m = int($T / 60);
    my $schema = do { local (@ARGV, $/) = top() . '/t/data/store-1.sql'; <> };
    my $bucket = 'degraded, bot_detected, timeout, unknown, maintenance, '
                 . 'results, sum_us, min_us, max_us';
    my $zero = '0, 0, 0, 0, 0';
    sql($path, "\n$schema");
    sql($path, <<"SQL");
BEGIN;
INSERT INTO monitors VALUES (1, 'm', 'm');
INSERT INTO checks VALUES (1, 1, 'a', 'a', NULL, 'x', $T), (2, 1, 's', 's', NULL, 'x', $T);
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL
    SELECT i + 1 FROM n WHERE i < 4000) SELECT i FROM n;
CREATE TEMP TABLE c AS SELECT 1 AS id UNION SELECT 2;

INSERT INTO minutes (check_id, at, up, down, $bucket)
    SELECT id, at, 60 - down, down, $zero, 2, 40000, 9000, 1100000 FROM
        (SELECT id, ($m - 1 - i) * 60 AS at, CASE i WHEN 59 THEN 30 ELSE 0 END AS down
         FROM n, c WHERE i < 26 * 60);
INSERT INTO hours (check_id, at, up, down, $bucket)
    SELECT check_id, at / 3600 * 3600, sum(up), sum(down), $zero, 120, 2400000, 9000, 1100000
    FROM minutes WHERE at / 3600 < $T / 3600 GROUP BY check_id, at / 3600
    HAVING count(*) = 60;
INSERT INTO hours (check_id, at, up, down, $bucket)
    SELECT id, at, 3600 - down, down, $zero, 120, 2400000, 9000, 1100000 FROM
        (SELECT id, at, CASE at / 86400 % 7 = $T / 86400 % 7 AND at / 86400 < $T / 86400
                        WHEN 1 THEN 360 ELSE 0 END AS down
         FROM (SELECT id, ($T / 3600 - 1 - i) * 3600 AS at FROM n, c WHERE i < 720))
    WHERE (id, at) NOT IN (SELECT check_id, at FROM hours);
INSERT INTO days (check_id, at, up, down, $bucket)
    SELECT check_id, at / 86400 * 86400, sum(up), sum(down), $zero, 2880, 57600000, 9000, 1100000
    FROM hours WHERE at / 86400 < $T / 86400 GROUP BY check_id, at / 86400
    HAVING count(*) = 24;
INSERT INTO days (check_id, at, up, down, $bucket)
    SELECT id, at, 86400 - down, down, $zero, 2880, 57600000, 9000, 1100000 FROM
        (SELECT id, at, CASE at / 86400 % 7 = $T / 86400 % 7 WHEN 1 THEN 8640 ELSE 0 END AS down
         FROM (SELECT id, ($T / 86400 - 1 - i) * 86400 AS at FROM n, c WHERE i < 400))
    WHERE (id, at) NOT IN (SELECT check_id, at FROM days);

INSERT INTO results (check_id, at_ms, state, error, http_status, latency_us, message, score, grade, ended_ms)
    SELECT id, at, CASE WHEN down THEN 'down' ELSE 'up' END, CASE WHEN down THEN 'status' END,
           CASE WHEN down THEN 503 ELSE 200 END, 20000,
           CASE WHEN down THEN 'status 503, expected 200-299' END,
           CASE id WHEN 2 THEN 90 + i END, CASE id WHEN 2 THEN 'A' END, at + 20
    FROM (SELECT id, i, at, id = 1 AND i = 119 AS down
          FROM (SELECT id, i, ($T - 30 * i) * 1000 AS at FROM n, c WHERE i < 2880));

INSERT INTO events SELECT 1, (($m - 60) * 60 + 20) * 1000 - i * 3600000, NULL, CASE i % 2 WHEN 0 THEN 'up' ELSE 'down' END,
    CASE i % 2 WHEN 0 THEN 'down' ELSE 'up' END,
    CASE i % 2 WHEN 0 THEN 'status 503, expected 200-299' END FROM n WHERE i < 60;
INSERT INTO events VALUES (1, (($m - 60) * 60 + 50) * 1000, NULL, 'down', 'up', NULL),
    (2, 1000 * ($T - 400 * 86400), NULL, 'unknown', 'up', NULL);
COMMIT;
SQL
}
