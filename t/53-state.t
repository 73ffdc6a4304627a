#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Where the store is: the directory that is there by default, made and owned
# by nginx, and what happens when it can not be.  In mounts of their own, so
# that no test touches the machine's.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Store;

plan(skip_all => 'no sqlite3 to look with')
    if !grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};

my $dir = '/var/lib/nginx/status';
my $nobody = getpwnam 'nobody';
my @live;


# --- what is configured

my $t = NgxStatus->new;
$t->hostile(1);
$t->allow(qr/\[emerg\].*(?:exclude each other|is duplicate)/);

for ([ 'status_state off;', 'store sqlite:a.db;',
       qr/"store" of monitor "m" and "status_state off" exclude each other, expected "store off" in \S+:\d+/ ],
     [ 'status_state off; status_state off;', '',
       qr/"status_state" directive is duplicate/ ],
     [ 'status_state off; status_state /tmp;', '',
       qr/"status_state" directive is duplicate/ ])
{
    store_conf($t, http => $_->[0], store => $_->[1]);
    my ($good, $text) = $t->test_conf;
    ok(!$good, "$_->[0] $_->[1] is refused");
    like($text, $_->[2], 'and why');
}

store_conf($t, http => 'status_state off;', store => 'store off;');
my ($good, $text) = $t->test_conf;
ok($good, 'status_state off, store off') or diag $text;

store_conf($t);
$t->run;
ok($t->wait_json('/m.json', \&stored), 'stored');
store_conf($t, http => 'status_state off;');
ok($t->reload, 'and then status_state off');
my $json = $t->wait_json('/m.json', sub { $_->{checker}{store}{state} eq 'off' });
ok($json, 'JSON says off');
is($json->{checker}{store}{message}, undef, 'and nothing more');
$t->stop;


# --- without root

SKIP: {
    skip 'the directory is of use to nobody', 3
        if $> == 0 && !system("setpriv --reuid=nobody --clear-groups test -w /var/lib/nginx 2>/dev/null")
        or -w '/var/lib/nginx' && $> != 0 or -e $dir;

    my $t = nginx($> ? () : ('setpriv', '--reuid=nobody',
                  '--regid=' . (getpwnam 'nobody')[3], '--clear-groups'));
    chown $nobody, -1, $t->dir, $t->dir . '/temp' if $> == 0;
    my ($good, $text) = $t->test_conf;
    ok($good, 'nginx -t without root') or diag $text;
    chown $nobody, -1, glob $t->dir . '/*' if $> == 0;
    is_off($t, qr/No such file|Permission/, 'without root');
}


# --- as root

SKIP: {
    skip 'not root', 1 if $> != 0;
    skip 'no mounts of one\'s own', 1
        if system('unshare -m true 2>/dev/null');

    # "nginx -t"
    my $t = nginx(var('"$@"; rc=$?; find /var/lib; exit $rc'));
    my ($good, $text) = $t->test_conf;
    ok($good, 'nginx -t');
    like($text, qr{^/var/lib$}m, 'its mount');
    unlike($text, qr{/var/lib/}, 'makes nothing');

    # made
    $t = nginx(var('exec "$@"'));
    $t->run;
    ok($t->wait_json('/m.json', \&stored), 'the default directory');
    my $root = '/proc/' . $t->pid . '/root';
    is(mode("$root$dir"), "40700 $nobody", 'is nginx\'s alone');
    is(mode("$root/var/lib/nginx"), '40755 0', 'and what it stands in root\'s');
    is(mode("$root$dir/m.db"), "100600 $nobody", 'with the file');
    ok($t->reload, 'reload');
    ok($t->wait_json('/m.json', sub { stored() && settled() }), 'it goes on');

    # a second nginx
    my $two = nginx('nsenter', '-t', $t->pid, '-m');
    $two->run;
    ok($two->wait_json('/m.json', sub { settled()
           && $_->{checker}{store}{state} eq 'waiting' }),
       'a second nginx checks and waits');
    like($two->log, qr/is written by another process/, 'as its log says');
    ok($t->stop, 'the first one ends');
    ok($two->wait_json('/m.json', sub { stored() && settled() }, 20),
       'the second one writes');
    is(`nsenter -t @{[ $two->pid ]} -m sqlite3 $dir/m.db "PRAGMA integrity_check"`,
       "ok\n", 'the file is whole');
    $two->stop;

    # somebody else's
    $t = nginx(var("mkdir -p $dir && chown daemon $dir && exec \"\$@\""));
    is_off($t, qr/Permission denied/, "somebody else's directory", sub {
        is(mode("/proc/" . $t->pid . "/root$dir"),
           '40755 ' . getpwnam('daemon'), 'stays his');
        ok($t->reload, 'reload');
        ok($t->wait_json('/m.json', \&settled), 'goes on');
        is(scalar(() = $t->log =~ /is in memory only/g), 1, 'one line in all');
    });

    # root's, as from "mkdir"
    $t = nginx(var("mkdir -p $dir && exec \"\$@\""));
    $t->run;
    ok($t->wait_json('/m.json', \&stored), 'an empty one of root\'s is taken');
    $t->stop;

    # a link
    $t = nginx(var("mkdir -p $dir-other && ln -s $dir-other $dir "
                   . '&& exec "$@"'));
    is_off($t, qr/Permission denied/, 'a link', sub {
        is(mode("/proc/" . $t->pid . "/root$dir-other"), '40755 0',
           'is not followed');
    });

    # read-only
    $t = nginx(var('mount -o remount,ro /var/lib && exec "$@"'));
    is_off($t, qr/No such file/, 'a read-only disk');

    # somebody asked for it
    $t = nginx(var('mount -o remount,ro /var/lib && exec "$@"'),
               { store => 'store sqlite:asked.db;' });
    $t->run;
    $json = $t->wait_json('/m.json', sub { settled()
                              && $_->{checker}{store}{state} eq 'failed' });
    ok($json, 'but one that somebody asked for has failed');
    like($json->{checker}{store}{message}, qr/asked\.db.*No such file/,
         'as it says');
    $t->stop;
}

$_->finish for $t, @live;


# ------------------------------------------------------------------- helpers

# An nginx under a command, with the default directory.
sub nginx {
    my $opt = ref $_[-1] ? pop : {};
    my $n = NgxStatus->new(wrap => [ @_ ]);
    $n->hostile(1);
    store_conf($n, http => '', state => 'default', %$opt);
    push @live, $n;
    return $n;
}

# A shell command in a place where /var/lib is empty.
sub var {
    return ('unshare', '-m', 'sh', '-c',
            "mount -t tmpfs -o mode=0755 none /var/lib && $_[0]", 'sh');
}

sub is_off {
    my ($t, $why, $name, $more) = @_;
    $t->run;
    my $json = $t->wait_json('/m.json', \&settled);
    is($json && $json->{checker}{store}{state}, 'off', "$name: no store");
    like($json->{checker}{store}{message}, qr{"\Q$dir\E": $why}, 'and why');
    like($t->log, qr/\[notice\].* history of monitor "m" is in memory only/,
         'so does the log');
    $more->() if $more;
    $t->stop;
}

sub mode {
    my @s = lstat $_[0] or return "$_[0]: $!";
    return sprintf '%o %d', $s[2], $s[4];
}
