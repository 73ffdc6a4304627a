#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Store, archive and site of files: what JSON, the internal page, metrics and
# the log say of them, and that a disk which does not answer (a call that
# does not return) holds up nothing else: checks go on, it is said once, and
# all that came meanwhile is written when the disk is back.

use strict;
use warnings;

use File::Path ();
use FindBin;
use Test::More;
use Time::HiRes qw(sleep);

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Store;

plan(skip_all => 'no sqlite3 to look with')
    if !grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};

my $t = NgxStatus->new;
my $dir = $t->dir;
my $file = "$dir/state/m.db";
my ($json, $from);

$t->hostile(1);

plan(skip_all => 'no compiler') if !hanging();
local $ENV{NGX_STATUS_PRELOAD} = join ' ', $ENV{NGX_STATUS_PRELOAD} // (),
                                           "$dir/hang.so";


# --- nothing but what is there by default

store_conf($t, checks => 'check a http://127.0.0.1:%%PORT_0%%/a { }');
$t->run;
$json = $t->wait_json('/m.json', \&stored);
is($json->{checker}{archive}{state}, 'off', 'no archive');
is($json->{checker}{export}{state}, 'off', 'no site of files');
is($json->{checker}{heartbeats_lost}, undef, 'no heartbeats');
unlike($t->get('/metrics')->{body}, qr/_(?:archive|export|heartbeats)_/,
       'metrics say nothing of them');


# --- all of it

configure();
ok($t->reload, 'reload');
ok($t->wait_json('/m.json', \&works), 'all of it works')
    or diag explain $t->json('/m.json')->{checker};
my $metrics = $t->get('/metrics')->{body};
for (qw(store archive export)) {
    like($metrics, qr/^nginx_status_${_}_state\{state="ok"\} 1$/m, "metrics: $_");
    like($metrics, qr/^nginx_status_${_}_last_write_timestamp_seconds \d{10}/m, 'and when');
}
like($metrics, qr/^nginx_status_archive_lost_results_total 0$/m, 'nothing is lost');
like($metrics, qr/^nginx_status_heartbeats_lost_total 0$/m, 'nor a heartbeat');
ok(!exists $t->json('/s/status.json')->{checker}{archive}{message},
   'the public does not learn why');
is($t->json('/s/status.json')->{checker}{archive}{state}, 'ok', 'only whether');


# --- no disk answers

$from = length $t->log;
my $threads = threads();
hang($_, 1) for qw(store archive export);
ok(wait_for(sub { says('m', store => qr/its disk does not answer$/)
                  && says('m', archive => qr/^its disk does not answer$/)
                  && says('m', export => qr/^"\S+site": its disk does not answer$/) }, 60),
   'no disk answers: JSON says so') or diag explain $t->json('/m.json')->{checker};
ok(wait_for(sub { says('n', store => qr/^it waits for "\S+m\.db": its disk/)
                  || says('m', store => qr/^it waits for "\S+n\.db": its disk/) }, 30),
   'also of the store that waits for another one');
my $page = $t->get('/i/')->{body};
like($page, qr/History can not be written:.*does not answer/, 'so does the page');
like($page, qr/The archive can not be written:.*does not answer/, 'of the archive');
like($page, qr/The site of files is not renewed:.*does not answer/, 'and the site');
unlike($t->get('/s/')->{body}, qr/does not answer/, 'not the public one');
$metrics = $t->get('/metrics')->{body};
like($metrics, qr/^nginx_status_${_}_state\{state="failed"\} 1$/m, "metrics: $_")
    for qw(store archive export);
goes_on() for 1 .. 3;
cmp_ok(threads(), '<=', $threads + 3, 'no threads pile up');
my $log = substr $t->log, $from;
is(() = $log =~ /\[error\].* store "\S+m\.db" .*does not answer; results are kept in memory/g, 1,
   'one line in the log for the store');
is(() = $log =~ /\[error\].* archive "\S+" .* results are kept in memory: its disk does/g, 1,
   'one for the archive');
is(() = $log =~ /\[error\].* can not be exported: "\S+": its disk does not answer/g, 1,
   'one for the site');

# the next checker
ok($t->reload(40), 'reload meanwhile');
goes_on() for 1 .. 2;
ok(wait_for(sub { says('m', store => qr/does not answer/) }, 40), 'it is said again');

# back
hang($_, 0) for qw(store archive export);
ok($t->wait_json('/m.json', \&works, 40), 'disks answer: all is well')
    or diag explain $t->json('/m.json')->{checker};
$page = $t->get('/i/')->{body};
unlike($page, qr/does not answer/, 'on the page as well');


# --- from the start on

ok($t->stop, 'quit');
my $lost = 0;
$lost += $_ for $t->log =~ /archive "\S+" of monitor "m" did not take the last (\d+) results/g;
cmp_ok($lost, '>', 0, 'of the archive, the old checker took some with it');
is(rows() + $lost, 0 + sql($file, 'SELECT count(*) FROM results JOIN checks ON '
                                  . "id = check_id WHERE name <> 'a'"),
   'all others are where they belong');
my $n = sql($file, 'SELECT count(*) FROM results');
my $first = sql($file, 'SELECT min(since_ms) FROM events') / 1000;
hang('store', 1);
$t->run;
ok(wait_for(sub { says('m', store => qr/does not answer/) }, 30),
   'the store does not answer at the start');
goes_on();
hang('store', 0);
ok($t->wait_json('/m.json', sub {
    stored() && grep { $_->{since} } @{ check_of($_, 'ok')->{events} }
}, 40), 'it does: its past is back');
cmp_ok(sql($file, 'SELECT count(*) FROM results'), '>', $n, 'and all is written');

# at the end
hang('store', 1);
hang('archive', 1);
goes_on();
ok($t->stop, 'nginx ends nevertheless');
like($t->log, qr/\d+ records of monitor "m" are lost: store/, 'and says what it could not write');
hang($_, 0) for qw(store archive);


# --- a heartbeat too many

$t->run;
$t->wait_json('/m.json', \&works);
my $checker = $t->checker;
kill 'STOP', $checker;
my @codes = map { $t->get("/ping/$_")->{status} } ('secret-token') x 40;
kill 'CONT', $checker;
is(scalar(grep { $_ == 503 } @codes), 8, 'eight heartbeats more than there is room for');
$json = $t->wait_json('/m.json', sub { $_->{checker}{heartbeats_lost} });
is($json->{checker}{heartbeats_lost}, 8, 'are counted');
like($t->get('/i/')->{body}, qr/Heartbeats were lost:.* 8 /, 'on the page, too');
unlike($t->get('/s/')->{body}, qr/Heartbeats were lost/, 'not the public one');
like($t->get('/metrics')->{body}, qr/^nginx_status_heartbeats_lost_total 8$/m, 'and in metrics');
ok($t->stop, 'quit');


# --- results as CSV, by the archive and by what README.md asks the store

File::Path::remove_tree("$dir/state", "$dir/archive");
store_conf($t, store => 'archive %%TESTDIR%%/archive;');
$t->run;
ok(wait_for(sub { rows() > 9 }, 30), 'three checks, in a group and without one');
ok($t->stop, 'quit');
my $readme = do { local (@ARGV, $/) = top() . '/README.md'; <> };
my ($asked) = $readme =~ /^sqlite3 -readonly -csv -header acme\.db "(.*?)" > acme\.csv$/ms;
my @store = map { tr/"//dr } split /\r?\n/, sql($file, '.mode csv', '.headers on', $asked);
my ($head) = splice @store, 0, 1;
my @archive = map { s/[\r"]//gr } map { split /\n/, $t->read_file($_) } glob "$dir/archive/*/*.csv";
is_deeply([ grep { $_ ne $head } @archive ], \@store, 'the store has the same rows')
    or diag "@archive";
is((grep { $_ eq $head } @archive), 3, 'and columns');

$t->finish;


# ------------------------------------------------------------------- helpers

sub configure {
    store_conf($t, store => <<'STORE', http => <<'HTTP', checks => <<'CHECKS');
archive %%TESTDIR%%/archive;
export %%TESTDIR%%/site every=1s;
STORE
status_state %%TESTDIR%%/state;
status_monitor n { check b http://127.0.0.1:%%PORT_1%%/ok { interval 1s; timeout 400ms; } }
server {
    listen 127.0.0.1:%%PORT_0%%;
    server_name metrics;
    location = /metrics { status_metrics m; }
    location = /n.json  { status_json n; }
    location /ping/     { status_push m; }
    location /s/        { status_page m; }
    location /i/        { status_page m internal; }
    location = /m.json  { status_json m; }
}
HTTP
check ok http://127.0.0.1:%%PORT_1%%/ok { }
check job push:// { token secret-token; every 1h; grace 1h; interval 1h; timeout 1s; }
CHECKS
}

# Of a document in $_.
sub works {
    my $checker = $_->{checker};
    return !grep { $checker->{$_}{state} ne 'ok'
                   || !defined $checker->{$_}{last_written_at} }
           qw(store archive export);
}

sub says {
    my ($monitor, $what, $re) = @_;
    my $of = $t->json("/$monitor.json")->{checker}{$what};
    return $of->{state} eq 'failed' && $of->{message} =~ $re;
}

sub goes_on {
    my $at = newest($t->json('/m.json'), 'ok');
    ok($t->wait_json('/m.json', sub { newest($_, 'ok') > $at + 1 }, 30),
       'checks go on');
}

sub threads { scalar(() = glob '/proc/' . $t->checker . '/task/*') }

sub rows {
    my $n = 0;
    $n += grep { !/^timestamp/ } split /\n/, $t->read_file($_)
        for glob "$dir/archive/*/*.csv";
    return $n;
}

sub hang {
    my ($what, $on) = @_;
    return unlink "$dir/hang.$what" if !$on;
    $t->write_file("hang.$what", '');
}

# Calls that do not return while a file is there: those of the store's thread,
# of the archive's, of the export's.  The loop's own go through.
sub hanging {
    $t->write_file('hang.c', <<'C', raw => 1);
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void hang(const char *file) {
    if (syscall(SYS_gettid) == getpid()) return;
    while (access(file, F_OK) == 0) usleep(20000);
}

static int ends(const char *name, const char *with) {
    size_t n = strlen(name), w = strlen(with);
    return n >= w && strcmp(name + n - w, with) == 0;
}

#define CALL(ret, name, args, pass, file, cond)                              \
ret name args {                                                              \
    static ret (*real) args;                                                 \
    if (!real) real = (ret (*) args) dlsym(RTLD_NEXT, #name);                \
    if (cond) hang(file);                                                    \
    return real pass;                                                        \
}
#define OPEN(name)                                                           \
int name(const char *path, int flags, ...) {                                 \
    static int (*real)(const char *, int, ...);                              \
    va_list ap; mode_t mode;                                                 \
    va_start(ap, flags); mode = va_arg(ap, mode_t); va_end(ap);              \
    if (!real) real = (int (*)(const char *, int, ...)) dlsym(RTLD_NEXT, #name); \
    if (ends(path, ".db-lock")) hang(DIR "/hang.store");                     \
    return real(path, flags, mode);                                          \
}
#define OPENAT(name)                                                         \
int name(int fd, const char *path, int flags, ...) {                         \
    static int (*real)(int, const char *, int, ...);                         \
    va_list ap; mode_t mode;                                                 \
    va_start(ap, flags); mode = va_arg(ap, mode_t); va_end(ap);              \
    if (!real) real = (int (*)(int, const char *, int, ...)) dlsym(RTLD_NEXT, #name); \
    if (ends(path, ".csv")) hang(DIR "/hang.archive");                       \
    return real(fd, path, flags, mode);                                      \
}

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
CALL(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at), DIR "/hang.store", 1)
CALL(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at), DIR "/hang.store", 1)
CALL(int, fdatasync, (int fd), (fd), DIR "/hang.store", 1)
CALL(int, renameat, (int a, const char *x, int b, const char *y), (a, x, b, y), DIR "/hang.export", 1)
C
    return !system('cc', '-shared', '-fPIC', '-o', "$dir/hang.so",
                   "-DDIR=\"$dir\"", "$dir/hang.c", '-ldl');
}
