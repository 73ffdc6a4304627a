#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# The store: what happened is known after quit, kill -9 and start; the gap is
# unknown; and nothing that happens to the file stops the checks.

use strict;
use warnings;

use FindBin;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;

plan(skip_all => 'no sqlite3 to look with')
    if !grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};

my $kills = $ENV{STORE_KILLS} || 20;

my $checks = <<'CHECKS';
    group "Site & Co" {
        check ok    http://user:hidden@127.0.0.1:%%PORT_1%%/ok?token=hidden { }
        check bad   http://127.0.0.1:%%PORT_1%%/status?code=503 { fall 1; }
    }
    check seo   http://127.0.0.1:%%PORT_1%%/lighthouse {
        interval 7d;
        score      $.categories.seo.score scale=100;
        categories $.categories.*.score scale=100;
    }
CHECKS

sub conf {
    my ($t, %opt) = @_;
    my $state = $opt{state} // 'status_state %%TESTDIR%%/state;';
    my $store = $opt{store} // '';
    $t->conf($state . "\nstatus_monitor m {\n interval 1s; timeout 400ms;\n"
             . "$store\n" . ($opt{checks} // $checks) . "}\n" . <<'SERVER', %opt);
server {
    listen 127.0.0.1:%%PORT_0%%;
    location /s/        { status_page m; }
    location /i/        { status_page m internal; }
    location = /m.json  { status_json m; }
}
SERVER
    return $t;
}

my $t = NgxStatus->new;
my $file = $t->dir . '/state/m.db';
my %state = (ok => 'up', bad => 'down', seo => 'up');

$t->hostile(1);
$t->allow(qr/\[emerg\].*(?:invalid store|is duplicate|can not be made|is that of)/);


# --- what is configured

for ([ 'store sqlite:x.db keep=1h;', qr/"keep=1h", expected keep= and a time from 1d/ ],
     [ 'store mysql:x;', qr/invalid store "mysql:x", expected off, or sqlite:/ ],
     [ 'store off; store off;', qr/"store" directive is duplicate/ ])
{
    conf($t, store => $_->[0]);
    my ($good, $text) = $t->test_conf;
    ok(!$good, "$_->[0] is refused");
    like($text, $_->[1], 'and why');
}

conf($t, state => 'status_state %%TESTDIR%%/no/where;');
my ($good, $text) = $t->test_conf;
ok(!$good, 'a state directory that can not be made');
like($text, qr{"\S+/no/where" can not be made because there is no directory "\S+/no",.* in \S+:\d+},
     'is named');

conf($t, state => 'status_state %%TESTDIR%%/no/where;', store => 'store off;');
($good, $text) = $t->test_conf;
ok($good, 'but is not needed where nothing is stored') or diag $text;

conf($t, state => 'status_state %%TESTDIR%%/state;'
         . 'status_monitor n { store sqlite:m.db; check a http://[::1]:1/ { } }');
($good, $text) = $t->test_conf;
ok(!$good, 'two monitors in one file');
like($text, qr/store "\S+" of monitor "m" is that of monitor "n" already/,
     'are refused');

conf($t, state => '');
$t->run;
my $json = $t->wait_json('/m.json', \&settled);
is($json->{checker}{store}{state}, 'off', 'no state directory, no store');
ok(!-e $t->dir . '/state/m.db', 'and no file');
$t->stop;


# --- quit and start

conf($t);
$t->run;
$json = $t->wait_json('/m.json', sub { settled() && stored() });
ok($json, 'checked and stored');
my $before = $json;
my %since = since($json);

ok(wait_for(sub { sql($file, 'SELECT count(*) FROM results') > 6 }),
   'results are in the file');
is(sql($file, 'SELECT grp, target FROM checks WHERE name = "ok"'),
   "Site & Co|http://127.0.0.1:" . $t->port(1) . "/ok?token=***\n",
   'so is the check, without its secrets');
ok(!grep(/hidden/, map { $t->read_file($_) } glob "$file*"),
   'which are nowhere in there');

# somewhat more than the newest minute, for closed buckets
ok(wait_for(sub { sql($file, 'SELECT count(*) FROM minutes') > 0 }, 90),
   'minutes are in the file');
is(sql($file, 'SELECT DISTINCT up + degraded + down + timeout + bot_detected '
              . '+ unknown + maintenance FROM minutes WHERE at > '
              . '(SELECT min(at) FROM minutes) LIMIT 1') || "60\n", "60\n",
   'a minute has 60 seconds');

$before = $t->json('/m.json');
ok($t->stop, 'quit');
ok(!-e "$file-wal", 'the file is closed');
is(sql($file, 'SELECT count(*) FROM state'), "3\n", 'all is saved');

my $gone = time;
$t->run;
my $first = wait_for(sub { $t->json('/m.json') });
like($t->log, qr/3 checks of monitor "m" have their past back/, 'start');
is_deeply({ since($first) }, \%since, 'the first page knows since when');
is_deeply(check_of($first, 'seo')->{score}, check_of($before, 'seo')->{score},
          'and the score');
is(check_of($first, 'seo')->{checked_at}, check_of($before, 'seo')->{checked_at},
   'which is not due');
ok($first->{loading} == JSON::PP::false, 'nothing has to be waited for');
is_deeply({ map { $_->{id} => $_->{status} } @{ $first->{checks} } }, \%state,
          'what was so two intervals ago still is');


# --- kill -9 of everything, and a gap

$json = $t->wait_json('/m.json', sub { settled() && stored() });
sleep 1.2;
$before = $t->json('/m.json');
kill_all($t);
is(sql($file, 'PRAGMA integrity_check'), "ok\n", 'kill -9, the file is whole');

my $last = newest($before, 'ok');
my $kept = sql($file, 'SELECT max(at_ms) FROM results JOIN checks ON id = '
                      . 'check_id WHERE name = "ok"') / 1000;
cmp_ok($kept, '>=', $last - 1.1, 'all but the last second is in there');

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


# --- reload keeps the zone, and the new checker the file

my $n = sql($file, 'SELECT count(*) FROM results');
ok($t->reload, 'reload');
$before = $t->wait_json('/m.json', \&stored);
ok($before, 'the next checker writes');
ok(wait_for(sub { sql($file, 'SELECT count(*) FROM results') > $n + 10 }, 20),
   'results come in');
is(sql($file, 'SELECT count(*) FROM events JOIN checks ON id = check_id '
              . 'WHERE name = "ok"'), "3\n", 'and no event');
is(sql($file, 'SELECT max(d) < 2500 FROM (SELECT at_ms - lag(at_ms) OVER '
              . '(ORDER BY at_ms) AS d FROM results JOIN checks ON id = '
              . 'check_id WHERE name = "bad" ORDER BY at_ms DESC LIMIT 4)'),
   "1\n", 'none is missing');


# --- removed and back

conf($t, checks => $checks =~ s/^.*check bad.*\n//mr);
ok($t->reload, 'a check removed');
ok($t->stop, 'quit');
$t->run;
ok($t->wait_json('/m.json', \&stored), 'start');
conf($t);
my $held = sql($file, 'SELECT since_ms FROM events JOIN checks ON id = check_id'
                      . ' WHERE name = "bad" AND to_state = "down" LIMIT 1');
like($held, qr/^\d/, 'its history is kept');
ok($t->reload, 'and back');
$json = $t->wait_json('/m.json', sub { settled() });
cmp_ok(sum(check_of($json, 'bad')), '>', 2, 'it is back with it');


# --- locked by another program

my $lines = () = $t->log =~ /can not be written/g;
my $locker = locker($file);
ok($t->wait_json('/m.json', sub { $_->{checker}{store}{state} eq 'failed' }, 20),
   'locked: seen in JSON');
like($t->json('/m.json')->{checker}{store}{message}, qr/locked/, 'with the reason');
like($t->get('/i/')->{body}, qr/History can not be written:.*locked/, 'and on the page');
unlike($t->get('/s/')->{body}, qr/History can not be written/, 'not on the public one');
ok(!exists $t->json('/s/status.json')->{checker}{store}{message}, 'nor in its JSON');
my $at = newest($t->json('/m.json'), 'ok');
ok($t->wait_json('/m.json', sub { newest($_, 'ok') > $at + 2 }), 'checks go on');
close $locker;
ok($t->wait_json('/m.json', \&stored, 20), 'unlocked: goes on');
my $missing = sql($file, 'SELECT max(d) FROM (SELECT at_ms - lag(at_ms) OVER '
                         . '(ORDER BY at_ms) AS d FROM results JOIN checks ON '
                         . 'id = check_id WHERE name = "ok" ORDER BY at_ms '
                         . 'DESC LIMIT 6)');
cmp_ok($missing, '<', 2500, 'and nothing is missing');
is((() = $t->log =~ /can not be written/g) - $lines, 1, 'one line in the log');

# from the start on: the past comes back when the file does
$t->wait_json('/m.json', \&stored);
$n = sum(check_of($t->json('/m.json'), 'ok'));
%since = since($t->json('/m.json'));
$t->stop;
$locker = locker($file, 'PRAGMA locking_mode = EXCLUSIVE;');
$t->run;
$json = $t->wait_json('/m.json', \&settled);
ok($json, 'locked at the start: checks run');
is($json->{checker}{store}{state}, 'failed', 'as it says');
close $locker;
ok($t->wait_json('/m.json', sub {
    stored() && settled() && check_of($_, 'seo')->{since} eq $since{seo}
    && sum(check_of($_, 'ok')) >= $n
}, 20), 'unlocked: the past is back');


# --- replaced, removed

sql("$file.copy", '.restore ' . $file);
ok(-s "$file.copy", 'a copy');
chown((stat $file)[4, 5], "$file.copy");
rename "$file.copy", $file;
# until then, what reads it would take the old file's log for the new one's
ok(another(1), 'file replaced: goes on');
$t->wait_json('/m.json', \&stored);
ok(wait_for(sub { sql($file, 'SELECT max(at_ms) FROM results') / 1000
                  > time - 2 }), 'in the new file');
is(sql($file, 'PRAGMA integrity_check'), "ok\n", 'which is whole');
unlink $file;
ok(another(2), 'file removed: another one begun');
ok(wait_for(sub { sql($file, 'SELECT count(*) FROM results') > 0 }), 'filled');
is(sql($file, 'PRAGMA integrity_check'), "ok\n", 'whole');


%since = since($t->json('/m.json'));
$t->stop;
$t->run;
$json = wait_for(sub { $t->json('/m.json') });
is_deeply({ since($json) }, \%since, 'what the zone knew is in there');


# --- corrupt

$t->wait_json('/m.json', \&stored);
overwrite($file, 0, 'x' x 65536);
sleep 1.5;
ok($t->wait_json('/m.json', \&settled), 'overwritten: checks go on');
$t->stop;
$t->run;
ok($t->wait_json('/m.json', \&stored, 20), 'a new one is begun');
ok(scalar(() = glob "$file.corrupt-*"), 'the corrupt one is set aside');
like($t->log, qr/was corrupt; it was set aside as/, 'and the log says so');

my $wrong = '';
$t->stop;
my $whole = $t->read_file($file);
for my $size (0, 1, 15, 16, 99, 100, 512, 4095, 4096, 4097, 8192, 20000, 65536,
              int(length($whole) / 2), length($whole) - 1)
{
    overwrite($file, undef, substr $whole, 0, $size);
    unlink "$file-wal", "$file-shm";
    $t->run;
    $t->wait_json('/m.json', sub { settled() && stored() }, 20)
        or $wrong .= "$size bytes: not stored\n";
    $t->stop;
    sql($file, 'PRAGMA integrity_check') eq "ok\n"
        or $wrong .= "$size bytes: not whole\n";
}
is($wrong, '', 'truncated at many places');

$t->write_file('state/m.db', "no database at all\n" x 1000);
chmod 0666, $file;
$t->run;
ok($t->wait_json('/m.json', sub { settled() && stored() }, 20), 'garbage');
$t->stop;


# --- somebody else's database is left alone

unlink glob "$file*";
sql($file, 'CREATE TABLE precious (x); INSERT INTO precious VALUES (1)');
chmod 0666, $file;
$t->run;
$json = $t->wait_json('/m.json', sub { settled()
                                      && $_->{checker}{store}{state} eq 'failed' });
like($json->{checker}{store}{message}, qr/database of something else/,
     'another database is refused');
is(sql($file, 'SELECT * FROM precious'), "1\n", 'and left alone');
$t->stop;
unlink glob "$file*";


# --- a directory that nobody may write to

$t->run;
$t->wait_json('/m.json', sub { settled() && stored() });
SKIP: {
    my $dir = $t->dir . '/state';
    chmod 0500, $dir;
    unlink glob "$file*";
    ok($t->wait_json('/m.json', sub { $_->{checker}{store}{state} eq 'failed' }, 20),
       'read-only directory');
    $at = newest($t->json('/m.json'), 'ok');
    ok($t->wait_json('/m.json', sub { newest($_, 'ok') > $at + 2 }), 'checks go on');
    chmod 0700, $dir;
    ok($t->wait_json('/m.json', \&stored, 30), 'writable again: goes on');
}
$t->stop;


# --- kill -9 at random moments

$wrong = '';
unlink glob "$file*";
$n = 0;
for my $i (1 .. $kills) {
    $t->run;
    wait_for(sub { -s $file }, 20);
    sleep rand 1.2;
    kill_all($t);
    my $found = sql($file, 'PRAGMA integrity_check');
    $wrong .= "$i: $found" if $found ne "ok\n";
    my $now = eval { sql($file, 'SELECT count(*) FROM results') + 0 } // 0;
    $wrong .= "$i: $now results after $n\n" if $now < $n;
    $n = $now;
}
is($wrong, '', "kill -9, $kills times");
$t->run;
$json = $t->wait_json('/m.json', sub { settled() && stored() });
ok($json, 'all goes on');
cmp_ok(sum(check_of($json, 'ok')), '>=', $n / 3 - 1, 'with all that was known');
is_deeply([ glob "$file.corrupt-*" ], [], 'and the first file');


# --- two masters

SKIP: {
    skip 'binary upgrade under a sanitizer' if $ENV{NGX_STATUS_PRELOAD};

    $t->stop;
    conf($t, daemon => 'on');
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


# --- a full disk

SKIP: {
    skip 'not root', 1 if $> != 0;

    my $disk = $t->dir . '/disk';
    mkdir $disk;
    skip 'no tmpfs', 1
        if system("mount -t tmpfs -o size=400k,mode=0777 none $disk 2>/dev/null");

    $t->stop;
    conf($t, state => "status_state $disk/state;");
    $t->run;
    my $ok = eval {
        $t->wait_json('/m.json', sub { settled() && stored() });
        open my $f, '>', "$disk/fill";
        syswrite $f, 'x' x 4096 for 1 .. 200;
        close $f;
        ok($t->wait_json('/m.json', sub { $_->{checker}{store}{state}
                                          eq 'failed' }, 60), 'full disk');
        $at = newest($t->json('/m.json'), 'ok');
        ok($t->wait_json('/m.json', sub { newest($_, 'ok') > $at + 2 }),
           'checks go on');
        unlink "$disk/fill";
        ok($t->wait_json('/m.json', \&stored, 30), 'space again: goes on');
        is(sql("$disk/state/m.db", 'PRAGMA integrity_check'), "ok\n", 'whole');
        $t->stop;
        1;
    };
    diag $@ if !$ok;
    $t->stop;
    system("umount -l $disk");
}

$t->finish;


# ------------------------------------------------------------------- helpers

sub settled {
    my $json = $_;
    return !grep { ($state{$_->{id}} // '') ne $_->{status} }
           @{ $json->{checks} };
}

sub stored {
    my $store = $_->{checker}{store};
    return $store->{state} eq 'ok' && defined $store->{last_written_at};
}

# Whether the log has told of so many changes of the file.
sub another {
    my ($n) = @_;
    return wait_for(sub { $n == (() = $t->log =~ /goes on in another file/g) });
}

sub since { map { $_->{id} => $_->{since} } @{ $_[0]{checks} } }

# Time of a check's newest result.
sub newest {
    my ($json, $id) = @_;
    my $text = check_of($json, $id)->{checked_at} // return 0;
    my @t = $text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/ or return 0;
    return timegm(@t);
}

sub timegm {
    my ($y, $mo, $d, $h, $mi, $s) = @_;
    require Time::Local;
    return Time::Local::timegm($s, $mi, $h, $d, $mo - 1, $y);
}

# Minutes of a check's timeline that are known.
sub sum {
    my ($check) = @_;
    my $results = sql($file, 'SELECT count(*) FROM results JOIN checks ON '
                             . 'id = check_id WHERE name = "' . $check->{id}
                             . '"');
    return $results + 0;
}

sub sql {
    my ($path, $sql) = @_;
    open my $out, '-|', 'sqlite3', '-cmd', '.timeout 5000', $path, $sql
        or die "sqlite3: $!";
    local $/;
    my $text = <$out> // '';
    close $out;
    # what the tool of root's makes must not lock out nginx's user
    if ($> == 0 && -e $t->dir . '/state') {
        my ($u, $g) = (stat $t->dir . '/state')[4, 5];
        chown $u, $g, grep { -e } "$path-wal", "$path-shm";
    }
    return $text;
}

# A program that holds the file's lock until its handle is closed.
sub locker {
    my ($path, $more) = @_;
    open my $in, '|-', 'sqlite3', '-cmd', '.timeout 5000', $path or die "sqlite3: $!";
    syswrite $in, ($more // '') . "BEGIN EXCLUSIVE;\n";
    sleep 0.5;
    return $in;
}

sub overwrite {
    my ($path, $at, $bytes) = @_;
    open my $f, defined $at ? '+<' : '>', $path or die "$path: $!";
    sysseek $f, $at, 0 if $at;
    syswrite $f, $bytes;
    close $f;
}

sub kill_all {
    my ($nginx) = @_;
    my $master = $nginx->pid;
    my @pids = ($master, map { $_->[0] } $nginx->children);
    kill 'STOP', $master;
    kill 'KILL', @pids;
    waitpid $master, 0;
    wait_for(sub { !grep { kill 0, $_ } @pids });
    delete $nginx->{pid};
    delete $nginx->{child};
    unlink $nginx->dir . '/nginx.pid';
}
