#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# This machine: disk, file, load, memory; a file system that does not answer.

use strict;
use warnings;

use FindBin;
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;
my $D = '%%TESTDIR%%';
my $far = '99999d';                             # nothing is that old

my @rows;                 # [ id, URL, directives, state, error, message ]

my %seen = (
    'file-old'    => qr/^1 bytes?, 3\.1 days old$/,
    'file-future' => qr/^1 bytes?, \S+ minutes in the future$/,
    'load'        => qr/^[\d.]+ on \d+ CPUs?: \d+\.\d\d each$/,
);

sub row { push @rows, [ @_ ] }

row('disk', "disk://$D", 'expect free > 1; prefer inodes > 0;', 'up');
row('disk-share', "disk://$D", 'expect free > 0%;', 'up');
row('disk-low', "disk://$D", 'expect free > 99.99%;', 'down', 'value',
    qr/^free [\d.]+%.*, expected > 99\.99%$/);
row('disk-prefer', "disk://$D", 'prefer free > 1000000t;', 'degraded',
    'value', qr/^free .*, expected > 1000000t$/);
row('disk-none', "disk://$D/nowhere", '', 'down', 'value',
    qr/^there is no ".*\/nowhere"$/);
row('disk-odd', "disk://$D/a%20b", '', 'up');
row('disk-slow', "disk://$D", 'prefer latency < 0;', 'degraded', 'latency',
    qr/^latency .*, expected < 0/);
row('disk-proc', 'disk:///proc', '', 'down', 'value',
    qr/^"\/proc" is on no file system with room$/);

row('file', "file://$D/a%20b/new", 'expect age < 1h; expect size == 6; '
    . 'expect body contains "done";', 'up');
row('file-old', "file://$D/a%20b/old", 'prefer age < 1d; expect age < 30d;',
    'degraded', 'value', qr/^age 3\.1 days, expected < 1d$/);
row('file-older', "file://$D/a%20b/old", 'expect age < 1d;', 'down', 'value',
    qr/^age 3\.1 days, expected < 1d$/);
row('file-future', "file://$D/a%20b/future", 'expect age < 1s;', 'up');
row('file-size', "file://$D/a%20b/new", 'expect size > 1k;', 'down', 'size',
    qr/^6 bytes|^size 6.*, expected > 1k$/);
row('file-body', "file://$D/a%20b/new", 'expect body contains "failed";',
    'down', 'content', qr/^body does not contain "failed"$/);
row('file-empty', "file://$D/a%20b/empty", 'expect size > 0;', 'down',
    'size', qr/expected > 0$/);
row('file-big', "file://$D/a%20b/big", 'max_body 1k; expect size < 3k; '
    . 'expect body contains begin;', 'up');
row('file-cut', "file://$D/a%20b/big", 'max_body 1k; '
    . 'expect body contains end;', 'down', 'content',
    qr/^body does not contain "end" in the first 1024 bytes$/);
row('file-none', "file://$D/none", 'expect age < 1h;', 'down', 'value',
    qr/^there is no ".*\/none"$/);
row('file-dir', "file://$D/a%20b", 'expect age < 1h;', 'up');
row('file-dir-size', "file://$D/a%20b", 'expect size > 0;', 'down', 'size',
    qr/expected > 0$/);
row('file-fifo', "file://$D/a%20b/fifo", 'expect body contains x;', 'down',
    'content', qr/expected contains "x"$/);
row('file-null', 'file:///dev/zero', 'expect age >= 0;', 'up');

row('load', 'load://', 'expect load < 100000;', 'up');
row('load-15', 'load://', 'average 15m; expect load >= 0;', 'up');
row('load-high', 'load://', 'expect load > 100000;', 'down', 'value',
    qr/^load \d+(\.\d\d?)?, expected > 100000$/);
row('memory', 'memory://', 'expect free > 0.1%; expect free > 1k;', 'up');
row('memory-low', 'memory://', 'prefer free > 100000t;', 'degraded', 'value',
    qr/^free .*, expected > 100000t$/);

mkdir $t->dir . '/a b';
$t->write_file('a b/new', "done\n.");
$t->write_file('a b/empty', '');
$t->write_file('a b/big', 'begin' . ('x' x 2000) . 'end');
$t->write_file("a b/$_", "x") for qw(old future);
utime time - 3.1 * 86400, time - 3.1 * 86400, $t->dir . '/a b/old';
utime time + 500, time + 500, $t->dir . '/a b/future';
system 'mkfifo', $t->dir . '/a b/fifo';
chmod 0755, $t->dir . '/a b';

# A FUSE file system whose process can be stopped: nothing in it answers.

my ($fuse, $mount) = (0, $t->dir . '/mount');

mkdir $mount;

if (system('bindfs -f --no-allow-other / /nowhere >/dev/null 2>&1') >> 8 != 127
    && -e '/dev/fuse' && $> == 0)
{
    my $pid = fork // die;
    if ($pid == 0) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec 'bindfs', '-f', $t->dir . '/a b', $mount or exit 1;
    }
    $fuse = $pid if wait_for(sub { -e "$mount/new" }, 5);
}

sub unmount {
    if ($fuse) {
        kill 'KILL', $fuse;
        waitpid $fuse, 0;
        system 'umount', '-l', $mount;
        $fuse = 0;
    }
}

my $main = $$;
END { local $?; unmount() if $main == $$; }

my $checks = join '', map { "check $$_[0] $$_[1] { $$_[2] }\n" } @rows;
my $stuck = $fuse ? "check stuck disk://$mount { interval 500ms; }
                     check stuck-file file://$mount/new { interval 500ms; }"
                  : '';

$t->conf(<<"HTTP");
status_monitor m {
    interval 1s;
    timeout  400ms;
    fall     1;
    expect   cert > 7d;                 # which none of these has
    expect   status 204;
    $checks
    $stuck
    max_in_flight 100;
    max_per_host 1;
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
    location /p/  { status_page m internal; }
}
HTTP


$t->run;

my $json = $t->rows_ok('/m', \@rows, [qw(error_class message)]);
like(check_of($json, $_)->{seen}, $seen{$_}, "$_: seen") for sort keys %seen;

SKIP: {
    skip 'no FUSE, no bindfs or not root: nothing that can hang', 8
        unless $fuse;

    for my $id (qw(stuck stuck-file)) {
        ok($t->wait_check('/m', $id, sub { $_->{status} eq 'up' }),
           "$id: up while the file system answers");
    }

    kill 'STOP', $fuse;

    for my $id (qw(stuck stuck-file)) {
        ok(wait_for(sub { $t->log =~ /"$id".* timed out after 400 ms/ }, 10),
           "$id: timed out");
        ok($t->wait_check('/m', $id, sub {
            $_->{message} =~ /^there has been no answer for \d+ s$/
                && $_->{status} eq 'timeout' }),
           "$id: no second thread while the first one is stuck");
    }

    is(check_of($t->json('/m'), 'disk')->{status}, 'up', 'others go on');

    kill 'CONT', $fuse;

    ok($t->wait_check('/m', 'stuck', sub { $_->{status} eq 'up' }),
       'up again');
}

# In a name space of mounts of its own: file systems that come and go, and a
# container's share of the memory.

my $n = NgxStatus->new(wrap => [ 'unshare', '-m', 'sh', '-euc', <<'SH', 'sh' ]);
    mount --make-rprivate /
    cd "$TEST_MOUNTS"
    mount -t tmpfs -o nr_inodes=0 none uncounted
    mount -t tmpfs none mounted
    mount --bind plain bound
    mount -t tmpfs none /sys/fs/cgroup
    exec "$@"
SH

my $mounts = $ENV{TEST_MOUNTS} = $n->dir . '/mounts';
mkdir $_ for $mounts, map { "$mounts/$_" } qw(uncounted mounted bound plain);

SKIP: {
    skip 'no name space of mounts', 19
        if system("unshare -m mount -t tmpfs none $mounts/mounted 2>/dev/null")
           || !-d '/sys/fs/cgroup';

    $n->conf(<<'HTTP');
status_monitor m {
    interval 500ms;
    timeout  400ms;
    fall     1;
    check uncounted disk://%%TESTDIR%%/mounts/uncounted { prefer inodes > 10%; }
    group "All" {
        prefer inodes > 10%;
        check off disk://%%TESTDIR%%/mounts/uncounted { prefer inodes off; }
    }
    check mounted disk://%%TESTDIR%%/mounts/mounted { mounted on; }
    check bound   disk://%%TESTDIR%%/mounts/bound   { mounted on; }
    check plain   disk://%%TESTDIR%%/mounts/plain   { mounted on; }
    check root    disk:///                          { mounted on; }
    check around  disk://%%TESTDIR%%/mounts/mounted { mounted off; }
    check memory  memory:// { prefer free > 10%; }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
}
HTTP
    $n->run;

    my $is = sub {
        my ($id, $status, $message) = @_;
        my $c = $n->wait_check('/m', $id, sub { $_->{status} eq $status });
        is($c->{status}, $status, "$id: $status");
        like($c->{message}, $message, "$id: message") if $message;
        return $c;
    };
    my $inside = '/proc/' . $n->pid . '/root/sys/fs/cgroup';
    my $group = sub {
        my (%files) = @_;
        for (keys %files) {
            open my $f, '>', "$inside/$_" or die "$inside/$_: $!";
            print $f "$files{$_}\n";
        }
    };

    $is->('uncounted', 'degraded',
          qr/^free inodes are not known, expected > 10%$/);
    $is->($_, 'up') for qw(off mounted bound root around);
    $is->('plain', 'down', qr/^nothing is mounted at ".*\/plain"$/);

    system('nsenter', '-m', '-t', $n->pid, 'umount', "$mounts/mounted");
    $is->('mounted', 'down', qr/^nothing is mounted at ".*\/mounted"$/);
    $is->('around', 'up');

    $is->('memory', 'up');
    $group->('memory.stat' => "anon 5\ninactive_file 1000000\nslab 1",
             'memory.current' => 96_000_000, 'memory.max' => 100_000_000);
    $is->('memory', 'degraded', qr/^free 5(\.\d+)?%.*, expected > 10%$/);
    $group->('memory.max' => 'max');
    $is->('memory', 'up');
    mkdir "$inside/memory";
    $group->('memory/memory.stat' => "inactive_file 7\ntotal_inactive_file 0",
             'memory/memory.usage_in_bytes' => 93_000_000,
             'memory/memory.limit_in_bytes' => 100_000_000);
    like($is->('memory', 'degraded')->{seen}, qr/^7% of .*MB available/,
         'version 1');

    $n->finish;
}

# mistakes

for (
    [ 'disk://host/path', '', qr/"disk" is about this machine, expected disk:\/\/\/path/ ],
    [ 'disk://', '', qr/expected disk:\/\/\/path/ ],
    [ 'load://x', '', qr/"load" is about this machine, expected load:\/\// ],
    [ 'memory:///x', '', qr/expected memory:\/\// ],
    [ 'file:///a%00b', '', qr/"%" without two hexadecimal digits, or %00/ ],
    [ 'file:///a%zz', '', qr/"%" without two hexadecimal digits/ ],
    [ 'disk:///', 'expect status 200;', qr/"status" is nothing that this check sees, expected one of latency free inodes/ ],
    [ 'load://', 'average 2m;', qr/invalid average "2m", expected one of 1m 5m 15m/ ],
    [ 'load://', 'average 1m; average 5m;', qr/"average" directive is duplicate/ ],
    [ 'disk:///', 'mounted;', qr/invalid number of arguments in "mounted"/ ],
    [ 'file:///', 'mounted on;', qr/"mounted" is not for a check of type file, only for disk/ ],
    [ 'disk:///', 'average 1m;', qr/"average" is not for a check of type disk, only for load/ ],
    [ 'disk:///', 'expect free > ten;', qr/"ten"/ ],
) {
    my ($url, $directives, $error) = @$_;

    my $wrong = NgxStatus->new;
    $wrong->conf("status_monitor m { check a $url { $directives } }");
    my ($ok, $out) = $wrong->test_conf;

    ok(!$ok, "refused: $url $directives");
    like($out, $error, 'what is wrong');
}

unmount();
$t->finish;

done_testing();
