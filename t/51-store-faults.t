#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# The store can not be written: locked, full, read-only, no room in memory
# either.  Checks go on, it is said, and what waited is written later.

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
my ($json, $at, $n);

$t->hostile(1);


# --- locked by another program

store_conf($t);
$t->run;
$t->wait_json('/m.json', sub { settled() && stored() });
my $lacking = lacking($t, $file);
my $locker = locker($file);
ok(failed(qr/locked/), 'locked: seen in JSON, with the reason');
like($t->get('/i/')->{body}, qr/History can not be written:.*locked/, 'and on the page');
unlike($t->get('/s/')->{body}, qr/History can not be written/, 'not on the public one');
ok(!exists $t->json('/s/status.json')->{checker}{store}{message}, 'nor in its JSON');
goes_on();
close $locker;
ok($t->wait_json('/m.json', \&stored, 20), 'unlocked: goes on');
ok(lacks($t, $file, $lacking + 1), 'and nothing is missing');
is(() = $t->log =~ /can not be written/g, 1, 'one line in the log');

# over a reload: the old checker waits for it a while
$lacking = lacking($t, $file);
$locker = locker($file);
ok(failed(qr/locked/), 'locked');
goes_on();
ok($t->reload, 'reload');
$t->wait_json('/m.json', \&settled);
close $locker;
ok($t->wait_json('/m.json', \&stored, 20), 'unlocked: goes on');
ok(lacks($t, $file, $lacking + 2), 'and nothing is missing');

# to the end
$locker = locker($file);
ok(failed(qr/locked/), 'locked');
goes_on();
ok($t->stop, 'nginx ends nevertheless');
like($t->log, qr/\d+ records of monitor "m" are lost: store "\S+" could not be written to the end/,
     'and says what is lost');

# from the start on: the past comes back when the file does
$t->run;
$json = $t->wait_json('/m.json', \&settled);
ok($json, 'locked at the start: checks run');
is($json->{checker}{store}{state}, 'failed', 'as it says');
my $since = check_of($json, 'seo')->{since};
close $locker;
ok($t->wait_json('/m.json', sub {
    stored() && settled() && check_of($_, 'seo')->{since} lt $since
}, 20), 'unlocked: the past is back');
$t->stop;


# --- memory is full, too

unlink glob "$file*";
store_conf($t, store => 'store queue=100; archive %%TESTDIR%%/archive;',
           checks => join "\n", map { "check c$_ http://127.0.0.1:%%PORT_1%%/ok "
                                      . '{ interval 100ms; timeout 100ms; fall 99; }'
} 1 .. 5);
$t->run;
$t->wait_json('/m.json', \&stored);
$locker = locker($file);
$json = $t->wait_json('/m.json', sub { $_->{checker}{store}{lost} > 0 }, 30);
ok($json, 'more than memory is to hold: counted as lost');
like($t->log, qr/\[error\].* memory is full of what store "\S+" of monitor "m" could not take: from here on results are lost/,
     'the log says so');
like($t->get('/i/')->{body}, qr/History has a gap:.*\d+ records/, 'so does the page');
my %at = map { $_->{id} => $_->{checked_at} } @{ $json->{checks} };
ok($t->wait_json('/m.json', sub {
    !grep { ($_->{checked_at} // '') le $at{ $_->{id} } } @{ $_->{checks} }
}), 'checks go on');
close $locker;
$json = $t->wait_json('/m.json', \&stored, 20);
ok($json, 'unlocked: goes on');
cmp_ok($json->{checker}{store}{lost}, '>', 0, 'what is lost stays told');
like($t->log, qr/is written, [1-9]\d* records were lost/, 'in the log as well');
$n = sql($file, 'SELECT count(*) FROM results');
ok(wait_for(sub { sql($file, 'SELECT count(*) FROM results') > $n + 20 }),
   'the next results are in the file');

# a second time
$locker = locker($file);
my $lost = $json->{checker}{store}{lost};
ok($t->wait_json('/m.json', sub { $_->{checker}{store}{lost} > $lost + 100 }, 30),
   'more are lost');
close $locker;
$json = $t->wait_json('/m.json', \&stored, 20);
is(() = $t->log =~ /from here on results are lost/g, 2, 'which is said again');
ok($t->stop, 'quit');
$n = 0;
$n += grep { !/^timestamp/ } split /\n/, $t->read_file($_)
    for glob $t->dir . '/archive/*/*.csv';
is(sql($file, 'SELECT count(*) FROM results') + $json->{checker}{store}{lost}, $n,
   'what is in the file and what was lost is all that the archive has');


# --- a directory and a file that nobody may write to

SKIP: {
    store_conf($t);
    $t->run;
    $t->wait_json('/m.json', sub { settled() && stored() });
    my $dir = $t->dir . '/state';
    chmod 0500, $dir;
    unlink glob "$file*";
    ok(failed(qr/Permission denied/), 'read-only directory');
    goes_on();
    chmod 0700, $dir;
    ok($t->wait_json('/m.json', \&stored, 30), 'writable again: goes on');
    $t->stop;

    chmod 0400, $file;
    $t->run;
    ok(failed(qr/Permission denied/), 'read-only file');
    goes_on();
    chmod 0600, $file;
    ok($t->wait_json('/m.json', \&stored, 30), 'writable again: goes on');
    $t->stop;
}


# --- a full disk, in a mount of its own

SKIP: {
    skip 'no mounts of one\'s own', 1
        if $> != 0 || system('unshare -m true 2>/dev/null');

    my $disk = $t->dir . '/disk';
    mkdir $disk;
    local $t->{wrap} = [ 'unshare', '-m', 'sh', '-c', 'mount -t tmpfs -o '
                         . "size=400k,mode=0777 none $disk && exec \"\$@\"", 'sh' ];
    store_conf($t, http => "status_state $disk/state;");
    $t->run;
    my $in = '/proc/' . $t->pid . "/root$disk";
    $t->wait_json('/m.json', sub { settled() && stored() });
    open my $f, '>', "$in/fill" or die "$in/fill: $!";
    syswrite $f, 'x' x 4096 for 1 .. 200;
    close $f;
    ok(failed(qr/full/), 'full disk');
    goes_on();
    unlink "$in/fill";
    ok($t->wait_json('/m.json', \&stored, 30), 'space again: goes on');
    is(`nsenter -t @{[ $t->pid ]} -m sqlite3 $disk/state/m.db "PRAGMA integrity_check"`,
       "ok\n", 'the file is whole');
    $t->stop;
}

$t->finish;


# ------------------------------------------------------------------- helpers

# JSON tells of a fault, in the words that are meant.
sub failed {
    my ($why) = @_;
    my $json = $t->wait_json('/m.json', sub {
        $_->{checker}{store}{state} eq 'failed'
        && $_->{checker}{store}{message} =~ $why }, 30);
    diag explain $t->json('/m.json')->{checker} if !$json;
    return $json;
}

sub goes_on {
    my $at = newest($t->json('/m.json'), 'ok');
    ok($t->wait_json('/m.json', sub { newest($_, 'ok') > $at + 1 }),
       'checks go on');
}
