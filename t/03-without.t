#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Built without the libraries that can be left out: it builds, runs, and what
# needs them is a configuration error that names the package.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use NgxStatus;

plan skip_all => 'the nginx of a source tree' if $ENV{NGINX_BINARY}
    && $ENV{NGINX_BINARY} !~ m{^/usr/(?:local/)?s?bin/};
plan skip_all => 'not with another compiler\'s runtime'
    if $ENV{NGX_STATUS_PRELOAD};

my $builder = NgxStatus->new;
my $build = $builder->dir . '/build';

{
    local $ENV{BUILD} = $build;
    local $ENV{NGX_STATUS_WITHOUT} = 'sqlite3 libpq hiredis libcares openssl';
    my $out = `cd @{[ top() ]} && ./build.sh 2>&1`;
    ok(-f "$build/ngx_status_module.so", 'it builds') or diag $out;
    unlike($out, qr/warning/, 'without a warning');
}

$ENV{NGX_STATUS_SO} = "$build/ngx_status_module.so";

unlike(`ldd $ENV{NGX_STATUS_SO}`, qr/$_/, "without $_")
    for qw(libsqlite3 libpq libhiredis libcares);

for (
    [ 'dns://127.0.0.1/a', '', 'c-ares (libc-ares-dev)' ],
    [ 'postgresql://127.0.0.1/a', '', 'libpq (libpq-dev)' ],
    [ 'redis://127.0.0.1/', '', 'hiredis (libhiredis-dev)' ],
    [ 'rediss://127.0.0.1/', '', 'hiredis (libhiredis-dev)' ],
    [ 'https://127.0.0.1/', 'expect cert issuer contains x;', 'libssl-dev' ],
) {
    my ($url, $directives, $package) = @$_;

    my $t = NgxStatus->new;
    $t->conf("status_monitor m { check a $url { $directives } }");
    my ($ok, $out) = $t->test_conf;

    ok(!$ok, "$url is refused");
    like($out, qr/\Q$package\E/, "and says $package");
    like($out, qr/nginx\.conf:\d+/, 'and where');
}

for ('status_state state;', 'status_monitor m { store sqlite:a.db; }') {
    my $t = NgxStatus->new;
    $t->conf("$_ status_monitor n { check a http://127.0.0.1/ { } }");
    my ($ok, $out) = $t->test_conf;

    ok(!$ok, "$_ is refused");
    like($out, qr/libsqlite3-dev/, 'and says libsqlite3-dev');
}

my $t = NgxStatus->new;
$t->conf(<<'HTTP');
status_monitor m { interval 1s; check a http://127.0.0.1:%%PORT_1%%/ { } }
server { listen 127.0.0.1:%%PORT_0%%; location = /m { status_json m; } }
HTTP
$t->serve(1, "200 OK\r\n\r\n");
$t->run;
ok($t->wait_check('/m', 'a', sub { $_->{status} eq 'up' }), 'and it runs');
$t->finish;

done_testing();
