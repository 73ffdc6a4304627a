#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Heartbeats: what clients of Healthchecks, Uptime Kuma and Gatus send and
# are answered, what becomes of it and of silence, and that none that was
# taken is lost, whatever is reloaded, killed or stopped.

use strict;
use warnings;

use FindBin;
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;
$t->allow(qr/\[emerg\]/, qr/exited on signal 9/);

my $rid = '01234567-89ab-cdef-0123-456789abcdef';

# tokens are all alike, so that one pattern finds any of them
my %token = map { $_ => "tok-$_-secret" } qw(backup kuma db-job silent late),
            map { "flood$_" } 0 .. 19;
my $secret = qr/tok-[a-z0-9-]+-secret/;

$t->write_file('token', "$token{backup}\nsecond line\n");


# --- what is configured

sub refused {
    my ($name, $checks, $want, $server) = @_;
    $t->conf("status_monitor m {\n$checks\n}\nserver { listen 127.0.0.1:"
             . "%%PORT_0%%;\n" . ($server // 'location /p/ { status_push m; }')
             . "\n}\n");
    my ($ok, $text) = $t->test_conf;
    ok(!$ok, "refused: $name");
    like($text, $want, 'and why');
    unlike($text, $secret, 'without a secret');
    return;
}

refused('no token', 'check a push:// { }',
        qr/check "a": a check of type push needs a "token" .* in \S+:\d+/);
refused('short token', 'check a push:// { token 1234567; }',
        qr/check "a": a token of 7 characters, expected 8 to 128/);
refused('long token', 'check a push:// { token ' . 'x' x 129 . '; }',
        qr/check "a": a token of 129 characters, expected 8 to 128/);
refused('token', "check a push:// { token \"$token{backup}/x\"; }",
        qr/check "a": a token with another character than .* at place 18/);
refused('token file', 'check a push:// { token file:%%TESTDIR%%/nowhere; }',
        qr/token: there is no file "\S+nowhere"/);
refused('one token of two', "check a push:// { token $token{kuma}; }
        group G { check b push:// { token $token{kuma}; } }",
        qr/check "b": its token is that of check "a" too, .* in \S+:\d+/);
refused('host', "check a push://host/ { token $token{backup}; }",
        qr/check "a": the URL of a check of type push is "push:\/\/"/);
refused('every', "check a push:// { token $token{backup}; every 9s; }",
        qr/invalid every "9s", expected a time from 10s to 400d/);
refused('grace', "check a push:// { token $token{backup}; grace 401d; }",
        qr/invalid grace "401d", expected a time from 0s to 400d/);
refused('condition', "check a push:// { token $token{backup};
        prefer latency < 1s; }",
        qr/prefer: a check of type push has no conditions/);
refused('option of another type', 'check a http://h/ { every 1m; }',
        qr/"every" is not for a check of type http, only for push/);

my $push = "check a push:// { token $token{backup}; }";
refused('exact location', $push, qr/"status_push" .*needs a prefix location/,
        'location = /p/ { status_push m; }');
refused('with a page', $push, qr/"status_push".* in one location/,
        'location /p/ { status_page m; status_push m; }');
refused('no such monitor', $push, qr/unknown monitor "n", expected "m"/,
        'location /p/ { status_push n; }');

$t->conf("status_monitor m { $push }\n");
my ($good, $text) = $t->test_conf;
ok($good, 'a check without a location');
like($text, qr/\[warn\].*check "a" of monitor "m" can get no heartbeat: no location has "status_push m"/,
     'is said');


# --- the server

my $checks = <<'CHECKS' . join '', map { "check $_ push:// { token $token{$_}; every 1h; }\n" } grep { /^flood/ } sort keys %token;
    group "My Jobs" {
        check backup push:// { token file:%%TESTDIR%%/token; every 25h;
                               interval 1s; }
        check db.job push:// { token tok-db-job-secret; every 20s; }
    }
    check kuma   push:// { token tok-kuma-secret; every 60s; }
    check silent push:// { token tok-silent-secret; every 10s; grace 2s; }
    check late   push:// { token tok-late-secret; every 10s; grace 3s; }
CHECKS

# all of them are in one small body buffer, so that a larger body would be a
# file, if there were any

sub conf {
    my ($checks, %opt) = @_;
    my $main = 'worker_processes 3;';
    $t->conf(<<'HEAD' . $checks . <<'TAIL', main => $main);
log_format all '$remote_addr "$request" $request_uri $uri $document_uri $status';
limit_req_zone $binary_remote_addr zone=one:64k rate=1r/m;
client_body_buffer_size 1k;
status_state %%TESTDIR%%/state;
status_monitor acme {
HEAD
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    access_log %%TESTDIR%%/access.log all;
    location /ping/             { status_push acme; }
    location /api/push/         { status_push acme; }
    location /api/v1/endpoints/ { status_push acme; }
    location /all               { status_push acme; }
    location /limited/          { status_push acme; limit_req zone=one; }
    location /denied/           { status_push acme; deny all; }
    location = /s.json          { status_json acme; }
    location = /s.csv           { status_csv acme; }
    location /s/                { status_page acme; }
    location /i/                { status_page acme internal; }
}
TAIL
}

conf($checks);
$t->run;

sub state_of {
    my ($id, $sub, $seconds) = @_;
    my $c = $t->wait_check('/s.json', $id, $sub, $seconds);
    diag("$id: ", explain({ map { $_ => $t->{last}{$_} } qw(message seen) }))
        if !$c && $t->{last};
    return $c // {};
}

sub sent {
    my ($method, $uri, %opt) = @_;
    return $t->request($uri, method => $method, %opt) // {};
}

sub answered {
    my ($name, $r, $status, $body, %headers) = @_;
    is($r->{status}, $status, "$name: $status");
    is($r->{body}, $body, "$name: its body") if defined $body;
    is($r->{headers}{$_}, $headers{$_}, "$name: $_") for sort keys %headers;
    return;
}

my $b = "/ping/$token{backup}";

my $c = state_of('backup', sub { $_->{result} });
is($c->{status}, 'unknown', 'nothing came');
is($c->{message}, 'waiting for the first heartbeat', 'and is waited for');
is($c->{error_class}, undef, 'which is no error');
is($c->{seen}, 'no heartbeat yet', 'seen');


# --- Healthchecks

answered('GET', sent(GET => $b), 200, 'OK', 'ping-body-limit' => 200,
         'content-length' => 2, 'cache-control' => 'no-store');
my $begun = time;
$c = state_of('backup', sub { $_->{status} eq 'up' });
is($c->{status}, 'up', 'a heartbeat');
like($c->{seen}, qr/^heartbeat \S+ ago, next in \S/, 'seen');
is($c->{latency_ms}, undef, 'without a time it takes');
is(took('backup'), undef, 'which counts for none');
is($c->{message}, '', 'without a message');

answered('HEAD', sent(HEAD => $b), 200, '', 'content-length' => 2);
answered('POST', sent(POST => $b, body => 'done'), 200, 'OK');
answered('start', sent(GET => "$b/start"), 200, 'OK');
state_of('backup', sub { $_->{seen} =~ /; running for / });
answered('and its end', sent(POST => "$b/0", body => 'x'), 200, 'OK');
ok(wait_for(sub { took('backup') }), 'have a time between them');

answered('start of a run', sent(GET => "$b/start?rid=$rid"), 200, 'OK');
answered('end of another', sent(GET => "$b?rid=" . $rid =~ tr/0/1/r), 200);
$c = state_of('backup', sub { ($_->{seen} // '') =~ /; running for / });
like($c->{seen}, qr/^heartbeat \S+ ago, next in [^;]+; running/, 'the run goes on');
answered('its end', sent(GET => "$b?rid=$rid"), 200);
state_of('backup', sub { $_->{seen} !~ /running/ });

answered('a success with words', sent(POST => "$b/0?rid=$rid",
         body => "12 files\n<3 GB>\n"), 200, 'OK');
$c = state_of('backup', sub { $_->{seen} =~ /files/ });
like($c->{seen}, qr/^heartbeat \S+ ago, next in [^:]+: 12 files <3 GB>$/, 'which are seen');
is($c->{message}, '', 'and are no message');
$c = state_of('backup', sub { $_->{seen} =~ /^heartbeat \d+s ago/ });
like($c->{seen}, qr/, next in [^:]+: 12 files <3 GB>$/, 'they stay');
answered('and its next start', sent(GET => "$b/start"), 200);
answered('whose', sent(GET => "$b/backup"), 200, 'OK');
answered('whose, and how', sent(POST => "$b/my-jobs_backup/7?create=1"), 200);
is(state_of('backup', sub { $_->{status} eq 'down' })->{message},
   'exit code 7', 'is the same');
answered('not its own', sent(GET => "$b/kuma/0"), 404, 'not found');
answered('success', sent(GET => $b), 200);
state_of('backup', sub { $_->{status} eq 'up' });

answered('fail', sent(POST => "$b/fail", body => "\n disk\n  full\n"), 200,
         'OK');
$c = state_of('backup', sub { $_->{status} eq 'down' });
is($c->{status}, 'down', 'a failure counts at once');
is($c->{message}, 'failure reported: disk full', 'with what is told of it');
is($c->{error_class}, 'status', 'as an error of its own');
answered('log', sent(POST => "$b/log", body => 'step 3'), 200, 'OK');
ok(wait_for(sub { $t->log =~ /check "backup" tells: step 3/ }), 'logged');
is(state_of('backup', sub { $_->{result} eq 'down' })->{message},
   'failure reported: disk full', 'and changes nothing');
answered('success', sent(GET => $b), 200);
is(state_of('backup', sub { $_->{status} eq 'up' })->{status}, 'up',
   'a success ends it');

# a failure is told though all was well right after it
sent(GET => $_) for "$b/3", $b;
$c = state_of('backup', sub { ($_->{failed_message} // '') eq 'exit code 3'
                              && $_->{status} eq 'up' });
is($c->{status}, 'up', 'a failure and a success together are two results');

answered('unknown token', sent(GET => '/ping/tok-nobody-secret'), 404,
         'not found');
answered('unknown action', sent(GET => "$b/begin"), 404, 'not found');
answered('no token', sent(GET => '/ping/'), 404, 'not found');
answered('a longer token', sent(GET => "${b}x"), 404);
answered('a shorter token', sent(GET => substr $b, 0, -1), 404);
answered('exit code 256', sent(GET => "$b/256"), 400, 'invalid url format');
answered('rid', sent(GET => "$b?rid=1"), 400, 'invalid uuid format');
answered('PUT', sent(PUT => $b, body => 'x'), 405, undef,
         allow => 'GET, HEAD, POST');
answered('a body for nobody',
         sent(POST => '/ping/tok-nobody-secret', body => 'x' x 100_000), 404,
         'not found');
answered("$_: who waits for a word", sent(POST => $_, raw =>
         "POST $_ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
         . "Expect: 100-continue\r\nContent-Length: 4\r\n\r\nlast"), 100)
    for "$b/log";
answered('the token in another way', sent(GET => '/ping//%74ok-backup-secret/./'),
         200, 'OK');


# --- bodies: no file, whatever comes

my $temp = $t->dir . '/temp/body';
chmod 0, $temp;
chown 0, 0, $temp;

my $big = 'first words, ' . "and a lot more\n" x 60_000;
answered('a large body', sent(POST => "$b/fail", body => $big), 200, 'OK');
$c = state_of('backup', sub { $_->{message} =~ /first words/ });
like($c->{message}, qr/^failure reported: first words, and a lot more and a lot/,
     'is cut');
is(length $c->{message}, 207, 'to what a message holds');
answered('in chunks', sent(POST => "$b/fail", headers => { 'Transfer-Encoding' => 'chunked' },
         raw => "POST $b/fail HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                . "Transfer-Encoding: chunked\r\n\r\n"
                . join('', map { sprintf "%x\r\n%s\r\n", length $_, $_ }
                       'chunk', ("\0\x01<i>\xff") x 300) . "0\r\n\r\n"),
         200, 'OK');
like(state_of('backup', sub { $_->{message} =~ /chunk/ })->{message},
     qr/^failure reported: chunk <i>\? <i>\? <i>\?/, 'and no control bytes');
unlike($t->get('/i/check/backup')->{body}, qr/<i>/, 'escaped on the page');
sent(POST => "$b/fail", body => "curl -d x http://h$b/fail");
is(state_of('backup', sub { $_->{message} =~ /curl/ })->{message},
   'failure reported: curl -d x http://h/ping/' . '*' x length($token{backup})
   . '/fail', 'who tells the token is not repeated');
answered('more than nginx takes elsewhere',
         sent(POST => $b, body => 'x' x 1_100_000), 200, 'OK');

# a slow one keeps nobody waiting, and one that ends early is none
my @slow = map {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $t->port(0)) or die $!;
    print $s "POST $b HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc";
    $s;
} 1 .. 20;
answered('others meanwhile', sent(GET => "$b/log"), 200);
close $_ for @slow;
sent(GET => $b);

SKIP: {
    my ($curl) = grep { -x } map { "$_/curl" } split /:/, $ENV{PATH};
    my $nginx = $t->binary;
    skip 'no HTTP/2 or no curl', 4
        if !$curl || `$nginx -V 2>&1` !~ /http_v2_module/;

    (my $conf = $t->read_file('nginx.conf'))
        =~ s/(listen 127.0.0.1:\d+);/"$1;\nlisten 127.0.0.1:" . $t->port(2) . ' http2;'/e;
    $t->write_file('nginx.conf', $conf, raw => 1);
    ok($t->reload, 'HTTP/2');
    $t->write_file('body', "over two\n" . 'x' x 1_500_000);
    my ($one, $two) = map { 'http://127.0.0.1:' . $t->port($_) . $b } 0, 2;
    my $file = $t->dir . '/body';
    is(`$curl -s --data-binary \@$file $one/log`, 'OK',
       'a body that curl announces');
    is(`$curl -s --http2-prior-knowledge --data-binary \@$file $two/fail`,
       'OK', 'and one in frames');
    like(state_of('backup', sub { $_->{message} =~ /over two/ })->{message},
         qr/^failure reported: over two xxx/, 'arrives');
    sent(GET => $b);
}


# --- Uptime Kuma

my $k = "/api/push/$token{kuma}";

answered('Kuma', sent(GET => "$k?status=up&msg=OK&ping="), 200, '{"ok":true}',
         'content-type' => 'application/json; charset=utf-8');
is(state_of('kuma', sub { $_->{status} eq 'up' })->{status}, 'up', 'Kuma: up');
sent(GET => "$k?ping=12.5");
like(state_of('kuma', sub { ($_->{seen} // '') =~ /took/ })->{seen},
     qr/took 12ms,/, 'Kuma: ping seen');
is(took('kuma'), '12.500', 'Kuma: ping');
sent(POST => "$k?status=down&msg=no%20space+left");
is(state_of('kuma', sub { $_->{status} eq 'down' })->{message},
   'failure reported: no space left', 'Kuma: down');
answered('Kuma: PATCH', sent(PATCH => $k), 200);
answered('Kuma: DELETE', sent(DELETE => $k), 405,
         '{"ok":false,"msg":"method not allowed"}',
         allow => 'GET, HEAD, POST, PUT, PATCH');
answered('Kuma: unknown', sent(GET => '/api/push/tok-nobody-secret'), 404,
         '{"ok":false,"msg":"Monitor not found or not active."}');
answered('Kuma: ping', sent(GET => "$k?ping=x"), 400,
         '{"ok":false,"msg":"Invalid ping value, expected milliseconds from '
         . '0 to 86400000"}');
answered('Kuma: below another location', sent(GET => "/all$k"), 200,
         '{"ok":true}');
is(state_of('kuma', sub { $_->{status} eq 'up' })->{status}, 'up',
   'Kuma: up again');


# --- Gatus

my $g = '/api/v1/endpoints/my-jobs_db-job/external';
my %bearer = (headers => { Authorization => "Bearer $token{'db-job'}" });

answered('Gatus', sent(POST => "$g?success=true&duration=1m2.5s", %bearer),
         200, '', 'content-length' => 0);
$c = state_of('db.job', sub { $_->{status} eq 'up' });
like($c->{seen}, qr/took 1m 2s,/, 'Gatus: duration');
answered('Gatus: failure', sent(POST => '/api/v1/endpoints/db.job/external'
                                . '?success=false&error=no+space', %bearer),
         200, '');
is(state_of('db.job', sub { $_->{status} eq 'down' })->{message},
   'failure reported: no space', 'Gatus: down');
answered('Gatus: GET', sent(GET => "$g?success=true", %bearer), 405, undef,
         allow => 'POST');
answered('Gatus: no result', sent(POST => $g, %bearer), 400,
         'missing or invalid success query parameter');
answered('Gatus: no token', sent(POST => "$g?success=true"), 401,
         'invalid Authorization header', 'www-authenticate' => 'Bearer');
answered('Gatus: wrong token', sent(POST => "$g?success=true", headers =>
         { Authorization => 'Bearer tok-nobody-secret' }), 401,
         'invalid token');
answered('Gatus: the token of another', sent(POST => "$g?success=true",
         headers => { Authorization => "Bearer $token{kuma}" }), 404,
         'not found');
answered('Gatus: duration', sent(POST => "$g?success=true&duration=1x",
         %bearer), 400, 'invalid duration');
answered('Gatus: path', sent(POST => '/api/v1/endpoints/db.job', %bearer), 404,
         'not found');


# --- rules of the location

answered('limit', sent(GET => "/limited/$token{kuma}"), 200);
answered('limit', sent(GET => "/limited/$token{kuma}/1"), 503);
answered('deny', sent(GET => "/denied/$token{kuma}/1"), 403);
like($t->log, qr{limiting requests.*request: "GET /limited/\*\*\*/1 HTTP/1.1"},
     'the log has the request without the token');
like($t->log, qr{access forbidden.*request: "GET /denied/\*\*\*/1 HTTP/1.1"},
     'so it has where it is denied');
like($t->read_file('access.log'),
     qr{"GET /ping/\*\*\*/start HTTP/1.1" /ping/\*\*\*/start /ping/\*\*\*/start /ping/\*\*\*/start 200\n},
     'and the access log, in all variables');


# --- pages

like($t->get('/i/check/backup')->{body}, qr/<dt>Seen<\/dt><dd[^>]*>heartbeat \S+ ago/,
     'the internal page tells of the last one');
like($t->get('/i/check/backup')->{body},
     qr/<dt>Expected<\/dt><dd[^>]*>a heartbeat every 25h, grace 1h</,
     'and of what is expected');
unlike($t->get('/s/check/backup')->{body}, qr/heartbeat \S+ ago/,
       'the public one does not');
like($t->get('/i/check/kuma')->{body}, qr/push, looked at every 6 s/,
     'looked at ten times each time');
ok(!exists check_of($t->json('/s/status.json'), 'backup')->{seen},
   'nor does the public JSON');


# --- the checker is held up: full for one is not full for another

sent(GET => "/ping/$token{silent}");
state_of('silent', sub { $_->{status} eq 'up' });

my $before = counted();
my $checker = $t->checker;
kill STOP => $checker;

my %got;
$got{sent(GET => "/ping/$token{flood0}")->{status}}++ for 1 .. 40;
is_deeply(\%got, { 200 => 32, 503 => 8 }, '32 of a check can wait');
answered('then', sent(GET => "/ping/$token{flood0}"), 503,
         'too many heartbeats, try again', 'retry-after' => 1);
answered('but others can', sent(GET => "/ping/$token{flood1}"), 200);
answered('Kuma, too', sent(GET => $k), 200);
like(sent(GET => "/api/push/$token{flood0}")->{body},
     qr/^\{"ok":false,"msg":"too many/, 'Kuma, full');

kill KILL => $checker;
ok(wait_for(sub { counted() - $before >= 34 }, 20),
   'a checker that is killed leaves them to the next');
is(counted() - $before, 34, 'all of them, once');


# --- a heartbeat is kept: quit, kill -9, a while without nginx

sent(GET => "$b/5");
state_of('backup', sub { $_->{message} eq 'exit code 5' });

chmod 0700, $temp;
ok($t->stop, 'quit');
my $stopped = time;
wait_for(sub { time > $stopped + 3.2 }, 10);
$t->run;
$c = state_of('backup', sub { $_->{status} ne 'unknown' });
is($c->{message}, 'exit code 5', 'start: a failure is known');
like(state_of('backup', sub { ($_->{seen} // '') =~ /\ds ago\b/ })->{seen},
     qr/^failure \d+s ago$/, 'and when it was');
$c = state_of('kuma', sub { $_->{status} ne 'unknown' });
is($c->{status}, 'up', 'so is a success');

sent(GET => $b);
state_of('backup', sub { $_->{result} eq 'up' });
ok(wait_for(sub { stored('backup') =~ /^up\|/ }, 10), 'stored');
kill_all();
$t->run;
sent(GET => "/ping/$token{late}");
$c = state_of('backup', sub { ($_->{seen} // '') =~ /\ds ago\b/ });
is($c->{status}, 'up', 'kill -9 of everything: it is known');
like($c->{seen}, qr/^heartbeat \d+s ago, next in \S/, 'and when it was');


# --- many at once, while nginx is reloaded and workers are killed

my $n = 2500;
$before = counted();
my @floods = map { flood($_, $n) } 0 .. 3;
my ($reloads, $killed) = (0, 0);

while (grep { !$_->{done} } @floods) {
    $reloads++ if $t->reload;
    if ($killed < 2) {
        my ($worker) = $t->workers;
        $killed += kill KILL => $worker if $worker;
    }
    collect($_) for @floods;
}

my %sum;
for my $flood (@floods) {
    $sum{$_} += $flood->{$_} // 0 for qw(ok busy unknown);
}
diag("$sum{ok} taken, $sum{busy} refused, $sum{unknown} not answered; "
     . "$reloads reloads, $killed workers killed");
is($sum{ok}, 4 * $n, 'each was taken in the end');
ok(wait_for(sub { counted() - $before >= $sum{ok} }, 20), 'and none is lost');
sleep 0.3;
my $more = counted() - $before - $sum{ok};
cmp_ok($more, '<=', $sum{unknown} + 32 * $reloads,
       'nor counted twice, but for those that nobody was told of')
    or diag $more;


# --- silence, as the log tells it: it may all be over by now

ok(logged(qr/check "late" is degraded: heartbeat is late by \S+, expected every 10s$/m)
   && logged(qr/check "late" is down: no heartbeat for \S+, expected every 10s$/m),
   'late, then down');
ok(logged(qr/check "silent" (?:failed|is unknown): no heartbeat for \S+, but one may have come while nginx was stopped$/m),
   'what could not come is not missed');
ok(logged(qr/check "silent" is down: no heartbeat for \S+, expected every 10s$/m),
   'for so long');
$c = state_of('late', sub { $_->{status} eq 'down' });
is($c->{error_class}, 'value', 'as a class');
is($c->{latency_ms}, undef, 'without a latency');


# --- renamed

conf($checks =~ s/check backup push:/check safe push:/r
     =~ s/every 25h;/every 25h; was backup;/r);
ok($t->reload, 'renamed');
$c = state_of('safe', sub { $_->{result} });
is($c->{status}, 'up', 'its last heartbeat is known');
like($c->{seen}, qr/^heartbeat /, 'and when it was');


# --- secrets

my $found = memory($t->checker);
SKIP: {
    skip 'no look at memory', 2 if !defined $found;
    like($found, qr/db\.job/, 'the zones are read');
    unlike($found, $secret, 'no token is there');
}
unlike($t->json('/s.json') && $t->get('/s.json')->{body}, $secret, 'nor in JSON');
unlike($t->get("/i/$_")->{body}, $secret, "nor on the page $_")
    for '', 'check/safe', 'check/kuma';
ok($t->stop, 'quit');
unlike($t->read_file('access.log'), $secret, 'nor in the access log');
my ($line) = grep { $_ =~ $secret && !/too large body/ } split /^/, $t->log;
is($line, undef, 'nor in the error log');
unlike($t->read_file($_), $secret, 'nor in the store')
    for glob $t->dir . '/state/*';

$t->finish;


# ------------------------------------------------------------------- helpers

# The newest time that a check took, in ms.
sub took {
    my ($id) = @_;
    return ($t->get('/s.csv')->{body}
            =~ /,\Q$id\E,up,,(\d[\d.]*),\r\n(?!.*,\Q$id\E,up,,\d)/s)[0];
}


# Heartbeats that checkers say they have used.
sub counted {
    my ($sum, $log) = (0, $t->log);
    $sum += $1 while $log =~ /check "\S+" got (\d+) heartbeats?$/mg;
    return $sum;
}


sub logged {
    my ($re, $seconds) = @_;
    my $found = wait_for(sub { $t->log =~ $re }, $seconds // 40);
    diag("not logged: $re") if !$found;
    return $found;
}


# The newest result of a check in the store.
sub stored {
    my ($id) = @_;
    my $file = $t->dir . '/state/acme.db';
    return scalar `sqlite3 -readonly $file "SELECT state, message FROM results JOIN checks ON id = check_id WHERE name = '$id' ORDER BY at_ms DESC LIMIT 1"`;
}


sub kill_all {
    my @pids = ($t->pid, map { $_->[0] } $t->children);
    kill 'KILL', @pids;
    waitpid $t->pid, 0;
    wait_for(sub { !grep { kill 0, $_ } @pids }, 5);
    delete @{$t}{qw(pid child)};
    unlink $t->dir . '/nginx.pid';
}


# A process that sends n heartbeats over one connection, each until it is
# taken, and then tells how many were taken, refused, and not answered.
sub flood {
    my ($i, $n) = @_;
    my $port = $t->port(0);
    my @ids = map { "flood$_" } 0 .. 19;

    my $pid = open(my $out, '-|') // die "fork: $!";
    return { out => $out, pid => $pid } if $pid;

    $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP);
    my ($s, $ok, $busy, $unknown) = (undef, 0, 0, 0);
    my $end = time + 120;

    while ($ok < $n && time < $end) {
        if (!$s) {
            $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port);
            sleep 0.01 if !$s;
            next;
        }
        my $id = $ids[($ok + 5 * $i) % @ids];
        syswrite $s, "GET /ping/$token{$id} HTTP/1.1\r\nHost: h\r\n\r\n";

        my $raw = '';
        while ($raw !~ /\r\n\r\n/ && sysread $s, $raw, 65536, length $raw) { }

        if ($raw =~ m{^HTTP/1.1 200 }) {
            $ok++;
        } elsif ($raw =~ m{^HTTP/1.1 503 }) {
            $busy++;
            sleep 0.02;
        } else {
            $unknown++;
        }
        undef $s if $raw eq '' || $raw =~ /^Connection: close/m;
    }
    print "$ok $busy $unknown\n";
    close STDOUT;
    POSIX::_exit(0);
}


sub collect {
    my ($flood) = @_;
    return if $flood->{done}
              || !IO::Select->new($flood->{out})->can_read(0.05);
    @{$flood}{qw(ok busy unknown)} = split ' ', readline($flood->{out}) // '';
    $flood->{done} = 1;
    close $flood->{out};
}


# All shared memory of a process.
sub memory {
    my ($pid) = @_;
    my $all = '';
    no warnings 'portable';

    open my $maps, '<', "/proc/$pid/maps" or return undef;
    open my $mem, '<:raw', "/proc/$pid/mem" or return undef;

    while (<$maps>) {
        my ($from, $to) = m{^(\w+)-(\w+) rw-s .*/dev/zero} or next;
        sysseek $mem, hex $from, 0 or return undef;
        sysread $mem, my $part, hex($to) - hex($from) or return undef;
        $all .= $part;
    }
    return $all;
}
