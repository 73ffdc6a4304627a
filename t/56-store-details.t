#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# After a crash the first complete page says of each newest result all that
# the last one did: what was seen, and the certificate, whose changes stand in
# a table of their own.  Files of the versions before get what they lack.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Pki;
use Store;

plan(skip_all => 'no sqlite3 to look with')
    if !grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};
plan(skip_all => 'no openssl') if system('openssl version >/dev/null 2>&1');
my $so = $ENV{NGX_STATUS_SO} || top() . '/build/ngx_status_module.so';
plan(skip_all => 'the module is built without OpenSSL')
    if system('grep', '-q', 'SSL_CTX_set_cert_verify_callback', $so);

my $t = NgxStatus->new;
my $file = $t->dir . '/state/m.db';
my $day = 86400;

$t->allow(qr/exited on signal 9/);

my $pki = Pki->new($t->dir);
$pki->authority('own', subject => '/CN=own');
$pki->certificate('inter', undef, 10 * $day + 7200, ca => 1,
                  subject => '/O=Acme/CN=Issuing CA 1');
$pki->certificate('a', 'IP:127.0.0.1,DNS:a.test', 60 * $day + 7200,
                  by => 'inter', chain => [ 'inter' ]);
$pki->certificate('b', 'IP:127.0.0.1,DNS:b.test', 90 * $day + 7200);


# --- one result each, which nothing but a row has

configure('1h', 'a');
$t->run;
my $before = complete();
like($before->{tls}{cert}{issuer}, qr/Issuing CA 1/, 'a certificate');
ok($before->{tls}{cert}{chain_expires_at} lt $before->{tls}{cert}{expires_at},
   'of a chain that ends before it');
ok(length $before->{disk}{seen}, 'and something that was seen');
written(1);
kill_all($t);
sql($file, 'DELETE FROM state');

is(sql($file, 'SELECT count(*), issuer, names, nnames, verified FROM certificates'),
   "1|Issuing CA 1 (Acme)|127.0.0.1 a.test|2|1\n", 'the certificate has a row')
    or diag sql($file, 'SELECT * FROM certificates');

$t->run;
is_deeply(complete(), $before, 'kill -9: from tables, the page is as it was');
ok($t->stop, 'quit: all is saved');


# --- results that came after what was saved

configure('1s', 'a');
$t->run;
written(4);
is(sql($file, 'SELECT count(*) FROM certificates'), "1\n",
   'the same certificate is the same row');
configure('1s', 'b');
ok($t->reload, 'another certificate');
ok(wait_for(sub { sql($file, 'SELECT count(*) FROM certificates') == 2 }),
   'is another row');
ok($t->wait_json('/m.json', sub { check_of($_, 'tls')->{cert}{issuer} eq 'own' }),
   'and on the page');
kill_all($t);

configure('1h', 'b');
$t->run;
my $after = complete();
is($after->{tls}{cert}{issuer}, 'own', 'kill -9: results are repeated with it');
is_deeply($after->{tls}{cert}{names}, [ '127.0.0.1', 'b.test' ], 'all of it');
is($after->{tls}{cert}{chain_expires_at}, $after->{tls}{cert}{expires_at},
   'as long as its chain');
ok(length $after->{disk}{seen}, 'and with what was seen');
like($t->get('/i/check/tls')->{body}, qr/own.*b\.test/s, 'on the page of the check, too');


# --- more changes than are kept

ok($t->stop, 'quit');
sql($file, "UPDATE certificates SET since_ms = since_ms - 3600000",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
    . "INSERT INTO certificates (check_id, since_ms, expires, issuer) "
    . "SELECT check_id, since_ms - i, expires + i, issuer FROM certificates, n "
    . "WHERE issuer = 'own'");
configure('1s', 'a');
$t->run;
ok(wait_for(sub { sql($file, 'SELECT count(*) FROM certificates') <= 101 }, 30),
   'the newest 100 are kept');
ok(wait_for(sub {
    sql($file, 'SELECT issuer FROM certificates ORDER BY since_ms DESC LIMIT 1')
    eq "Issuing CA 1 (Acme)\n"
}, 30), 'the newest among them');
cmp_ok(sql($file, 'SELECT count(*) FROM certificates'), '<=', 101, 'no more of them');


# --- removed for longer than anything is kept

ok($t->stop, 'quit');
sql($file, "UPDATE checks SET seen = 1 WHERE name = 'tls'");
configure('1s', 'a', without => 'tls');
$t->run;
ok(wait_for(sub { sql($file, 'SELECT count(*) FROM certificates') == 0 }, 30),
   'goes with the check');
ok($t->stop, 'quit');


# --- a file of the second version

sql($file, 'DROP TABLE certificates; ALTER TABLE results DROP COLUMN seen; '
           . 'PRAGMA user_version = 2');
my $n = sql($file, "SELECT count(*) FROM results");
configure('1s', 'b');
$t->run;
ok($t->wait_json('/m.json', \&stored), 'a file of the second version');
is(sql($file, 'PRAGMA user_version'), "3\n", 'is brought up to date');
cmp_ok(sql($file, 'SELECT count(*) FROM results'), '>=', $n, 'with its rows');
ok(wait_for(sub { sql($file, "SELECT count(*) FROM results WHERE seen <> ''") }),
   'and goes on');
like(sql($file, '.schema certificates'), qr/-- Unix ms; the first result with it/,
     'the schema says what is what');

$t->finish;


# ------------------------------------------------------------------- helpers

sub configure {
    my ($interval, $cert, %opt) = @_;
    my %check = (
        disk => 'check disk disk://%%TESTDIR%% { %s }',
        tls  => 'check tls https://127.0.0.1:%%PORT_1%%/ { '
                . '%s tls_ca %%TESTDIR%%/own.pem; expect cert off; }',
    );
    delete $check{ $opt{without} } if $opt{without};
    my $checks = join "\n", map { s/%s/interval $interval; timeout 400ms;/r } values %check;
    store_conf($t, checks => $checks,
               http => <<"HTTP");
status_state %%TESTDIR%%/state;
server {
    listen 127.0.0.1:%%PORT_1%% ssl;
    ssl_certificate %%TESTDIR%%/$cert.pem;
    ssl_certificate_key %%TESTDIR%%/$cert.key;
}
HTTP
}

# Of the first complete page, what came with the newest results.
sub complete {
    my $json = $t->wait_json('/m.json', sub { !$_->{loading} });
    return { map {
        my $c = $_;
        $c->{id} => { map { $_ => $c->{$_} }
                      qw(cert seen cert_expires_at checked_at latency_ms) }
    } @{ $json->{checks} } };
}

# Each check has so many results in the file.
sub written {
    my ($n) = @_;
    ok(wait_for(sub {
        2 == sql($file, 'SELECT count(*) FROM (SELECT 1 FROM results GROUP BY '
                        . "check_id HAVING count(*) >= $n)")
    }, 30), "results are in the file");
}
