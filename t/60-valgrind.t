#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# A life of master, worker and checker under valgrind: checks of all outcomes,
# every kind of answer, a reload, the end.  No invalid access, no value that
# was never set, nothing lost.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $so = $ENV{NGX_STATUS_SO} || top() . '/build/ngx_status_module.so';

plan(skip_all => 'no valgrind') if system('valgrind --version >/dev/null 2>&1');
plan(skip_all => 'not together with AddressSanitizer')
    if $ENV{NGX_STATUS_PRELOAD} || system('grep', '-q', '__asan_init', $so) == 0;

$ENV{NGX_STATUS_SLOW} = 10;

# Each process writes a file of its own, and nothing unless there is an error;
# finish() looks at these.
my $t = NgxStatus->new;
$t->{wrap} = [ 'valgrind', '-q', '--trace-children=yes', '--error-exitcode=99',
    '--leak-check=full', '--show-leak-kinds=definite',
    '--errors-for-leak-kinds=definite', '--num-callers=30', '--vgdb=no',
    '--keep-debuginfo=yes',
    '--suppressions=' . top() . '/t/data/valgrind.supp',
    '--log-file=' . $t->dir . '/sanitizer/%p' ];

my $tls = !system('openssl version >/dev/null 2>&1')
    && !system('openssl req -x509 -newkey rsa:2048 -nodes -days 30 '
               . '-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 '
               . '-keyout ' . $t->dir . '/key.pem -out ' . $t->dir
               . '/cert.pem >/dev/null 2>&1');

my $conf = <<'EOC';
status_state %%TESTDIR%%/state;
status_monitor m {
    title    "Under <valgrind>";
    interval 8s;
    timeout  8s;
    fall 1;
    prefer latency < 30s;

    group "Web" {
        check up      %%H%%/ok { team one; expect body contains ok; expect header Content-Type; }
        check down    %%H%%/status?code=503 { }
        check bot     %%H%%/bot?code=403 { bot "Just a moment"; }
        check timeout %%H%%/never { timeout 3s; }
        check refused http://127.0.0.1:%%PORT_3%%/ { }
        check reset   %%H%%/reset-body { }
        check gzip    %%H%%/gzip?text=packed { expect body == packed; }
        check moved   %%H%%/redirect?n=3 { }
        check name    http://nothing.invalid/ { role extra; }
        check post    %%H%%/echo { method POST; body hello; header X-Key secret; expect body ~* "X-KEY: SECRET"; }
    }
    group "Data" {
        check json    %%H%%/json?text=x { expect json $.text == "x"; expect json $..nothing != 1; }
        check bad     %%H%%/bad-json { expect json "$.a[?(@.b == 1)].c" < 5; }
        check deep    %%H%%/deep-json?n=10000 { expect json $..a; }
        check bomb    %%H%%/bomb { expect json $[-1] == 1; expect body !~ "(a+)+b"; }
        check slow    %%H%%/body?text=%%AAA%% { expect body !~ "^(a+)+$"; }
        check score   %%H%%/lighthouse {
            score $.lighthouseResult.categories.performance.score scale=100;
            categories $.lighthouseResult.categories.*.score scale=100;
            score_history %%H%%/history $[*].score;
            drop warning=1 critical=5;
            slower warning=50%;
        }
    }
    group "Streams" {
        check tcp     tcp://127.0.0.1:%%PORT_0%% { send "GET /s.json HTTP/1.0\r\n\r\n"; expect body contains "200 OK"; }
        check silent  tcp://localhost:%%PORT_0%% { timeout 3s; expect body contains hello; }
        check mail    smtp://127.0.0.1:%%PORT_0%% { timeout 3s; }
        check ldap    ldap://127.0.0.1:%%PORT_0%% { username cn=me; password secret; }
        check mqtt    mqtt://127.0.0.1:%%PORT_0%%/topic { }
        check talk    tls://127.0.0.1:%%PORT_0%% { timeout 3s; starttls smtp; }
        %%REDIS%%
    }
    %%TLS%%
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    %%LISTEN%%
    gzip on;
    location = /s.json { status_json m internal; }
    location = /health { status_json m unhealthy=503; }
    location /in/      { status_page m internal; }
    location /         { status_page m; }
}
EOC

my $hostile = 'http://127.0.0.1:' . $t->hostile(1);
my $aaa = 'a' x 400 . '!';
my %tls = (
    TLS    => "check tls https://127.0.0.1:%%PORT_2%%/s.json { tls_ca %%TESTDIR%%/cert.pem; expect cert > 7d; }\n"
            . "check untrusted https://127.0.0.1:%%PORT_2%%/s.json { }\n"
            . "check stream tls://127.0.0.1:%%PORT_2%% { tls_ca %%TESTDIR%%/cert.pem;\n"
            . "send \"GET /s.json HTTP/1.0\\r\\n\\r\\n\"; expect body contains \"200 OK\"; }\n"
            . "check distrust tls://127.0.0.1:%%PORT_2%% { }\n",
    LISTEN => "listen 127.0.0.1:%%PORT_2%% ssl; ssl_certificate %%TESTDIR%%/cert.pem;\n"
            . "ssl_certificate_key %%TESTDIR%%/key.pem;",
);

# one that always says the same

my $redis = !system('grep', '-q', 'redisReaderCreate', $so);

if ($redis) {
    $t->peer(4, sub {
        my ($s) = @_;
        sysread $s, my $b, 4096;
        print $s "+OK\r\n+OK\r\n\$13\r\nrole:master\r\n\r\n*2\r\n:1\r\n"
                 . "\$-1\r\n";
    });
}

my $redis_checks = <<'EOC';
        check redis   redis://one:password@127.0.0.1:%%PORT_4%%/1 { command "MGET a 'b c'"; expect info role == master; expect rows 2; }
        check html    redis://127.0.0.1:%%PORT_0%% { }
EOC

$conf =~ s/%%REDIS%%/$redis ? $redis_checks : ''/e;
$conf =~ s/%%(TLS|LISTEN)%%/$tls ? $tls{$1} : ''/ge;
$conf =~ s/%%H%%/$hostile/g;
$conf =~ s/%%AAA%%/$aaa/g;

$t->conf($conf);
$t->run;

# -------------------------------------------------------------------- results

my %result = (up => 'up', down => 'down', bot => 'bot_detected',
    refused => 'down', reset => 'down', gzip => 'up',
    moved => 'up', post => 'up', bad => 'down', deep => 'down',
    slow => 'down', tcp => 'up', silent => 'timeout', talk => 'timeout',
    $redis ? (redis => 'up', html => 'down') : (),
    mail => 'timeout', ldap => 'down', mqtt => 'down',
    $tls ? (tls => 'up', untrusted => 'down', stream => 'up',
            distrust => 'down') : ());

# a first result may be unknown: so much slower, the checker is late
my $json = $t->rows_ok('/s.json',
    [ map { [ $_, '', '', $result{$_} ] } sort keys %result ], [], 12);
ok(!grep({ !defined $_->{checked_at} } @{ $json->{checks} }),
   'all checks have run');

# ------------------------------------------------------------------- requests

sub ask {
    my ($uri, %opt) = @_;
    my $r = $t->get($uri, %opt);
    return $r ? $r->{status} : 'nothing';
}

for my $uri ('/', '/in/', '/?team=one', '/?group=Data', '/?team=none',
             '/in/no/such', '/status.css', '/status.js', '/up', '/check/up',
             '/in/check/score', '/s.json', '/s.json?team=one', '/health')
{
    my $plain = ask($uri);
    my $gzip = ask($uri, headers => { 'Accept-Encoding' => 'gzip' });
    is($gzip, $plain, "$uri gzipped");
    ask($uri, method => 'HEAD');
    ask($uri, method => 'POST');
}

my $page = $t->get('/in/');
is($page->{status}, 200, 'page');
like($page->{body}, qr/Under &lt;valgrind&gt;/, 'page has its title');
for my $link ($page->{body} =~ /href="([^"#:]+)"/g) {
    next if $link =~ m{^/|\.\.};
    $link =~ s{^\./}{};
    is(ask("/in/$link", headers => { 'Accept-Encoding' => 'gzip' }), 200,
       "/in/$link");
}
is(ask('/in/', headers => { 'If-None-Match' => '*' }), 304, 'not modified');

# --------------------------------------------------------------------- reload

ok($t->reload(30), 'reload');
my $from = $json->{generated_at};
ok($t->wait_json('/s.json', sub { $_->{checker}{alive}
    && !grep { $_->{checked_at} le $from } @{ $_->{checks} } }, 30),
   'all checks have run again');
is(ask('/in/'), 200, 'page after the reload');

unlike($t->log, qr/exited with code [1-9]|exited on signal/,
       'no process had errors');
$t->finish;
