#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# From an answer to a state: the order of judgement with its messages,
# defaults, requests as they were configured, confirming and back-dating,
# groups, latency against its own past.

use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use List::Util qw(min);
use Test::More;
use Time::HiRes qw(sleep time);
use Time::Local qw(timegm);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;

my $H = 'http://127.0.0.1:%%PORT_1%%';          # hostile.pl
my $N = 'http://127.0.0.1:%%PORT_2%%';          # this nginx
my $slow = 700;                                 # ms; over "timeout" below

my @rows;                 # [ id, URL, directives, expected ]

# What a check is to be, once it has a result:  state, error class, HTTP
# status, message.  All of them run side by side, each is looked at by itself.

sub row { push @rows, [ @_ ] }


# ------------------------------------------------------- the order, in pairs

row('up', "$H/ok", '', 'up', undef, 200, qr/^$/);

row('timeout-bot', "$H/hang", 'bot half;',
    'timeout', 'timeout', 200,
    qr/^timed out after 600 ms, while receiving the answer$/);
row('timeout-status', "$H/slow?ms=$slow", 'expect status 503;',
    'timeout', 'timeout', undef,
    qr/^timed out after 600 ms, while waiting for the answer$/);
row('bot-status', "$H/bot", 'bot "Just a moment";',
    'bot_detected', 'bot', 403, qr/^body contains "Just a moment"$/);
row('bot-200', "$H/bot?code=200",
    'bot other "Checking your browser"; expect body contains nothing;',
    'bot_detected', 'bot', 200, qr/^body contains "Checking your browser"$/);
row('bot-broken', "$H/early-close", 'bot xxx;',
    'bot_detected', 'bot', 200, qr/^body contains "xxx"$/);
row('broken-status', "$H/early-close", 'expect status 404;',
    'down', 'reset', 200, qr/^answer ended early: 12 of 100 bytes$/);
row('status-expect', "$H/status?code=503",
    'expect body contains fine; expect latency < 1ms; expect status 200 204;',
    'down', 'status', 503, qr/^status 503, expected 200 or 204$/);
row('expect-order', "$H/ok",
    'expect header X-No == 1; expect body contains fine;',
    'down', 'header', 200, qr/^header X-No is missing$/);
row('expect-prefer', "$H/slow?ms=200",
    'prefer latency < 100ms; expect body contains fast;',
    'down', 'content', 200, qr/^body does not contain "?fast"?$/);
row('prefer', "$H/slow?ms=200", 'prefer latency < 100ms; expect body ~ slow;',
    'degraded', 'latency', 200,
    qr/^latency [2-5]\d\d(\.\d)?ms, expected < 100ms$/);
row('prefer-order', "$H/ok", 'prefer body contains a; prefer body contains b;',
    'degraded', 'content', 200, qr/^body does not contain "?a"?$/);
row('prefer-holds', "$H/slow?ms=200", 'prefer latency > 150ms;',
    'up', undef, 200, qr/^$/);
row('prefer-status', "$H/status?code=204", 'prefer status 200;',
    'degraded', 'status', 204, qr/^status 204, expected 200$/);


# ------------------------------------------------------------ what is default

row('default-404', "$H/nowhere", '',
    'down', 'status', 404, qr/^status 404, expected 200-299$/);
row('default-204', "$H/204", '', 'up', undef, 204, qr/^$/);
row('own-404', "$H/nowhere", 'expect status 404;', 'up', undef, 404, qr/^$/);
row('own-ok', "$H/ok", 'expect status 404;',
    'down', 'status', 200, qr/^status 200, expected 404$/);
row('range', "$H/status?code=418", 'expect status 200-299 400-418;',
    'up', undef, 418, qr/^$/);
row('not-500', "$H/status?code=503", 'expect status != 500-599;',
    'down', 'status', 503, qr/^status 503, expected (not|!=) 500-599$/);
row('default-slow', "$H/slow?ms=2200", 'interval 6s; timeout 5s;',
    'degraded', 'latency', 200, qr/^latency 2\.[2-9]\d*s, expected < 2s$/);
row('own-slow', "$H/slow?ms=2200",
    'interval 6s; timeout 5s; prefer latency < 4s;', 'up', undef, 200, qr/^$/);
row('expect-slow', "$H/slow?ms=200", 'expect latency < 100ms;',
    'down', 'latency', 200, qr/^latency [2-5]\d\d(\.\d)?ms, expected < 100ms$/);
row('default-follow', "$H/redirect?n=5", '', 'up', undef, 200, qr/^$/);
row('over-follow', "$H/redirect?n=6", '', 'down', 'redirect', 302,
    qr{^more than 5 redirects, the next to http://127\.0\.0\.1:\d+/redirect\?});
row('follow-0', "$H/redirect?n=1", 'follow 0;',
    'down', 'status', 302, qr/^status 302, expected 200-299$/);
row('follow-0-up', "$H/redirect?n=1",
    'follow 0; expect status 302; expect header Location == "/redirect?n=0";',
    'up', undef, 302, qr/^$/);
row('follow-1', "$H/redirect?n=2", 'follow 1;', 'down', 'redirect', 302,
    qr/^more than 1 redirect, the next to /);


# --------------------------------------------------------------- each subject

row('header', "$N/header", 'expect header X-Word == "one two";',
    'up', undef, 200, qr/^$/);
row('header-any-case', "$N/header", 'expect header x-WORD contains two;',
    'up', undef, 200, qr/^$/);
row('header-case', "$N/header", 'expect header X-Word contains Two;',
    'down', 'header', 200, qr/^header X-Word is "one two", expected .*Two/);
row('header-caseless', "$N/header", 'expect header X-Word contains* Two;',
    'up', undef, 200, qr/^$/);
row('header-regex', "$N/header", 'expect header X-Word ~ "^one +[tw]+o$";',
    'up', undef, 200, qr/^$/);
row('header-not', "$N/header", 'expect header X-Word != "one two";',
    'down', 'header', 200, qr/^header X-Word is "one two", expected /);
row('header-number', "$N/header", 'expect header X-Number < 17;',
    'down', 'header', 200, qr/^header X-Number is "?17"?, expected < 17$/);
row('header-two', "$N/header", 'expect header X-Two == b;',
    'up', undef, 200, qr/^$/);
row('header-two-not', "$N/header", 'expect header X-Two != b;',
    'down', 'header', 200, qr/^header X-Two is "b", expected /);
row('header-is', "$N/header", 'expect header X-Number;',
    'up', undef, 200, qr/^$/);
row('header-missing', "$N/header", 'expect header X-None != 1;',
    'down', 'header', 200, qr/^header X-None is missing$/);

my $body = "$H/body?text=All+Systems+are+go";
row('body', $body, 'expect body contains "are go";', 'up', undef, 200, qr/^$/);
row('body-case', $body, 'expect body contains "all systems";',
    'down', 'content', 200, qr/^body does not contain "?all systems"?$/);
row('body-caseless', $body, 'expect body contains* "all systems";',
    'up', undef, 200, qr/^$/);
row('body-not', $body, 'expect body !contains Systems;',
    'down', 'content', 200, qr/^body contains "?Systems"?$/);
row('body-regex', $body, 'expect body ~ "^All .* go$";',
    'up', undef, 200, qr/^$/);
row('body-regex-caseless', $body, 'expect body ~* "^ALL ";',
    'up', undef, 200, qr/^$/);
row('body-regex-not', $body, 'expect body !~ "S.stems";',
    'down', 'content', 200, qr/^body matches "?S\.stems"?$/);
row('body-regex-slow', "$H/body?text=" . 'a' x 400 . '!',
    'expect body !~ "^(a+)+$";', 'down', 'content', 200,
    qr/^body: regular expression .* took too long$/);
row('body-any', $body, 'expect body contains no yes go;',
    'up', undef, 200, qr/^$/);
row('body-all', $body, 'expect body contains All; expect body contains none;',
    'down', 'content', 200, qr/^body does not contain "?none"?$/);
row('body-empty', "$H/body?text=", 'expect body contains a;',
    'down', 'content', 200, qr/^body does not contain "?a"?$/);
row('body-gzip', "$H/gzip?text=packed", 'expect body == packed;',
    'up', undef, 200, qr/^$/);
row('body-chunked', "$H/chunked", 'expect body == chunked;',
    'up', undef, 200, qr/^$/);

my $json = "$N/json";
row('json', $json, 'expect json $.status == "ok";', 'up', undef, 200, qr/^$/);
row('json-not', $json, 'expect json $.status == "good";',
    'down', 'content', 200, qr/^json \$\.status is "ok", expected == "good"$/);
row('json-number', $json, 'prefer json $.queue.depth < 1000;',
    'degraded', 'content', 200,
    qr/^json \$\.queue\.depth is 1200, expected < 1000$/);
row('json-bool', $json, 'expect json $.ready == true;',
    'down', 'content', 200, qr/^json \$\.ready is false, expected == true$/);
row('json-null', $json, 'expect json $.none == null;',
    'up', undef, 200, qr/^$/);
row('json-kind', $json, q{expect json $.queue.depth == '"1200"';},
    'down', 'content', 200, qr/^json \$\.queue\.depth is 1200, expected /);
row('json-kind-not', $json, 'expect json $.status != 5;',
    'down', 'content', 200, qr/^json \$\.status is "ok", expected /);
row('json-missing', $json, 'expect json $.nothing;',
    'down', 'content', 200, qr/^json \$\.nothing is missing$/);
row('json-missing-not', $json, 'expect json $.nothing != 1;',
    'down', 'content', 200, qr/^json \$\.nothing is missing$/);
row('json-quoted', $json, q{expect json "$['a b'].c[-1]" == 3;},
    'up', undef, 200, qr/^$/);
row('json-all', $json, 'expect json $.list[*].n != 2;',
    'down', 'content', 200, qr/^json \$\.list\[\*\]\.n is 2, expected /);
row('json-any', $json, 'expect json $.list[*].n == 2;',
    'up', undef, 200, qr/^$/);
row('json-first-of', $json, 'expect json $.list[*].n == 9;',
    'down', 'content', 200,
    qr/^json \$\.list\[\*\]\.n is 1 \(first of 3\), expected == 9$/);
row('json-descend', $json, 'expect json $..depth == 1200;',
    'up', undef, 200, qr/^$/);
row('json-filter', $json, q{expect json "$.list[?(@.k == 'b')].n" == 2;},
    'up', undef, 200, qr/^$/);
row('json-filter-none', $json, q{expect json "$.list[?(@.k == 'z')].n" == 2;},
    'down', 'content', 200, qr/^json \$\.list\[\?\(\@\.k == 'z'\)\]\.n is miss/);
row('json-no-json', "$H/ok", 'expect json $.status == "ok";',
    'down', 'content', 200, qr/^json \$\.status: not JSON at byte \d$/);
row('json-empty', "$H/body?text=", 'expect json $.status == "ok";',
    'down', 'content', 200, qr/^json \$\.status: /);
row('json-half', "$H/json?text=[1,2", 'expect json $[0] == 1;',
    'down', 'content', 200, qr/^json \$\[0\]: /);

row('size', "$H/ok", 'expect size 3;', 'up', undef, 200, qr/^$/);
row('size-not', "$H/ok", 'expect size > 1k;',
    'down', 'size', 200, qr/^size 3 bytes, expected > 1k$/);
row('cert-none', "$H/ok", 'expect cert > 7d;',
    'down', 'cert', 200, qr/^no certificate came, expected > 7d$/);


# ------------------------------------------------------------- error classes

row('refused', 'http://127.0.0.1:%%PORT_5%%/', '',
    'down', 'connect', undef, qr/^connection refused$/);
row('reset', "$H/reset", '', 'down', 'reset', undef,
    qr/^connection reset while waiting for the answer$/);
row('empty', "$H/empty", '', 'down', 'reset', undef, qr/^empty answer$/);
row('not-http', "$H/not-http", '', 'down', 'protocol', undef,
    qr/^answer is not HTTP$/);
row('bad-chunk', "$H/bad-chunk", '', 'down', 'protocol', 200,
    qr/^answer can not be read: /);
row('bad-gzip', "$H/bad-gzip", '', 'down', 'protocol', 200,
    qr/^compressed body can not be decoded$/);
row('tls', 'https://127.0.0.1:%%PORT_1%%/ok', '', 'down', 'tls', undef,
    qr/^TLS handshake failed: .*wrong version/);


# ------------------------------------------------------ requests as configured

my $echo = "$H/echo";
row('agent', $echo, 'user_agent "probe/1.0 (mine)"; '
    . 'expect body ~* "\nuser-agent: probe/1.0 \(mine\)\r\n";',
    'up', undef, 200, qr/^$/);
row('agent-default', $echo,
    'expect body ~* "\nuser-agent: ngx_status_module\r\n";',
    'up', undef, 200, qr/^$/);
row('post', $echo, 'body "a=1&b=2"; header X-Test "one two"; '
    . 'header Content-Type application/x-test; '
    . 'expect body ~ "^POST /echo\n"; expect body ~ "\n\na=1&b=2$"; '
    . 'expect body ~ "X-Test: one two\r\n"; '
    . 'expect body ~* "content-type: application/x-test\r\n"; '
    . 'expect body !~* "x-www-form-urlencoded";',
    'up', undef, 200, qr/^$/);
row('put', $echo, 'method PUT; body "{}"; expect body ~ "^PUT /"; '
    . 'expect body ~ "\n\n\{\}$";', 'up', undef, 200, qr/^$/);
row('delete', $echo, 'method DELETE; expect body ~ "^DELETE /echo\n";',
    'up', undef, 200, qr/^$/);
row('post-empty', $echo, 'method POST; expect body ~ "^POST /echo\n"; '
    . 'expect body ~* "content-length: 0\r\n";', 'up', undef, 200, qr/^$/);
row('head', "$N/method", 'method HEAD; expect header X-Method == HEAD; '
    . 'expect header Content-Length == 4;', 'up', undef, 200, qr/^$/);
row('host', "$N/host", 'header Host other.example; '
    . 'expect body == other.example;', 'up', undef, 200, qr/^$/);
row('resolve', 'http://pinned.invalid:%%PORT_2%%/host', 'resolve 127.0.0.1; '
    . 'expect body == pinned.invalid;', 'up', undef, 200, qr/^$/);
row('fresh', "$N/conn", 'expect header X-Requests == 1;',
    'up', undef, 200, qr/^$/);
row('keepalive', "$N/conn", 'keepalive on; expect header X-Requests >= 3;',
    'up', undef, 200, qr/^$/);
row('secret', 'http://me:hunter2@127.0.0.1:%%PORT_2%%/auth?token=s3cret',
    'header X-Key "file:%%TESTDIR%%/key"; expect header X-User == me; '
    . 'expect header X-Seen == "tok-3n";', 'up', undef, 200, qr/^$/);
row('secret-down', 'http://me:hunter2@127.0.0.1:%%PORT_2%%/auth?token=s3cret',
    'expect body contains nothing;', 'down', 'content', 200,
    qr/^body does not contain "?nothing"?$/);


my $checks = join '', map { "check $_->[0] \"$_->[1]\" { $_->[2] }\n" } @rows;

$t->write_file('key', "tok-3n\n");

$t->conf(<<"HTTP");
status_monitor m {
    interval 800ms;
    timeout  600ms;
    fall     1;
    max_in_flight 200;
    max_per_host  200;
$checks
}

status_monitor groups {
    interval 500ms;
    timeout  400ms;
    fall     1;
    check lone $H/ok { }
    group fine      { check f1 $H/ok { } check f2 $H/ok { role extra; } }
    group extra     { role extra;
                      check e1 $H/ok { role core; team blue; }
                      check e2 $H/empty { team blue; } }
    group down      { check d1 $H/ok { team red; }
                      check d2 $H/status?code=500 { team red; } }
    group timeout   { check t1 $H/never { } check t2 $H/ok { } }
    group wall      { check w1 $H/bot { bot moment; } check w2 $H/ok { } }
    group degraded  { check g1 $H/ok { prefer body contains no; } }
}

status_monitor mild {
    interval 500ms;
    fall     1;
    check core  $H/ok { }
    check extra $H/empty { role extra; }
}

status_monitor runs {
    interval 1s;
    timeout  800ms;
    check three http://127.0.0.1:%%PORT_3%%/three { fall 3; rise 3; }
    check soon  http://127.0.0.1:%%PORT_3%%/soon {
        interval 40s; timeout 2s; fall 5;
    }
}

status_monitor pace {
    interval 500ms;
    timeout  500ms;
    check slower http://127.0.0.1:%%PORT_4%%/ {
        slower warning=100% critical=400% against=median:11;
    }
}

server {
    listen 127.0.0.1:%%PORT_2%%;
    location /header { add_header X-Word "one two"; add_header X-Number 17;
                       add_header X-Two a; add_header X-Two b;
                       return 200; }
    location /method { add_header X-Method \$request_method; return 200 four; }
    location /host   { return 200 \$host; }
    location /auth   { add_header X-User \$remote_user;
                       add_header X-Seen \$http_x_key; return 200; }
    location /conn   { add_header X-Requests \$connection_requests;
                       return 200; }
    location /json   { return 200 '{"status":"ok","queue":{"depth":1200},
        "ready":false,"none":null,"a b":{"c":[1,2,3]},
        "list":[{"k":"a","n":1},{"k":"b","n":2},{"k":"c","n":3}]}'; }
}

server {
    listen 127.0.0.1:%%PORT_0%%;
    location /m/      { status_page m internal; }
    location = /m     { status_json m; }
    location = /groups { status_json groups; }
    location = /mild  { status_json mild; }
    location = /runs  { status_json runs; }
    location /runs/   { status_page runs internal; }
    location = /pace  { status_json pace; }
}
HTTP

$t->hostile(1);


# A target that is told, in a file, how many answers are to fail from here
# on, and writes down when it was asked.

sub fail_next {
    my ($path, $n) = @_;
    $t->write_file("fail$path", $n);
}

sub asked {
    my ($path) = @_;
    return map { [ split ] } split /\n/, $t->read_file("asked$path");
}

mkdir $t->dir . '/asked';
fail_next('/three', 0);
fail_next('/soon', 99);

$t->serve(3, sub {
    my ($method, $uri) = @_;
    my $left = $t->read_file("fail$uri");
    fail_next($uri, $left - 1) if $left > 0;
    open my $f, '>>', $t->dir . "/asked$uri";
    print $f time, ' ', $left > 0 ? 'bad' : 'good', "\n";
    return $left > 0 ? "503 No\r\nContent-Length: 0\r\n\r\n"
                     : "200 OK\r\nContent-Length: 0\r\n\r\n";
});

# One that takes as long as a file says.

$t->write_file('ms', 40);
$t->serve(4, sub { sleep $t->read_file('ms') / 1000;
                   "200 OK\r\nContent-Length: 0\r\n\r\n" });

$t->run;

sub epoch {
    my @t = ($_[0] // '') =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z$/
        or return undef;
    return timegm(@t[5, 4, 3, 2], $t[1] - 1, $t[0]);
}

# JSON's times are of whole seconds, cut
sub same_time {
    my ($json, $seen, $name) = @_;
    my $diff = $seen - epoch($json);
    ok($diff > -0.3 && $diff < 1.5, $name)
        or diag("$json is $diff s off");
}


# -------------------------------------------------------------- sooner again

my $c = $t->wait_check('/runs', 'soon', sub { $_->{pending} });
is($c->{status}, 'unknown', 'one bad result of five: not known');
is($c->{pending}{result}, 'down', 'pending');
is($c->{pending}{needed}, 5, 'of five');
cmp_ok(epoch($c->{next_check_at}) - epoch($c->{checked_at}), '<', 12,
       'tested again within a quarter of the interval');


# ---------------------------------------------------------------------- rows

my $all = $t->rows_ok('/m', \@rows, [qw(error_class http_status message)]);

for (@{ $all->{checks} }) {
    my $c = $_;
    next if !grep { $_->[0] eq $c->{id} } @rows;

    # an empty message is that of "up", and only that
    is($c->{message} eq '', $c->{status} eq 'up',
       "$c->{id}: message of $c->{status}");
    ok(length $c->{message} <= 207, "$c->{id}: message is short")
        if length $c->{message} > 207;
}

my $text = $t->get('/m')->{body} . $t->get('/m/')->{body}
           . $t->get('/m/check/secret')->{body} . $t->log;
unlike($text, qr/hunter2|s3cret|tok-3n/, 'no secret anywhere');
like($t->get('/m/check/bot-status')->{body},
     qr/body contains &quot;Just a moment&quot;/,
     'the reason is on the page');
like($t->get('/m/check/status-expect')->{body},
     qr/status 503, expected 200 or 204/, 'and this');


# -------------------------------------------------------------------- phases

$c = check_of($all, 'prefer');
my $p = $c->{phases_ms};
cmp_ok($p->{resolve} // 0, '<', 1, 'an address is not resolved');
is($p->{tls}, undef, 'no TLS');
cmp_ok($p->{connect}, '>', 0, 'connect');
cmp_ok($p->{wait}, '>=', 190, 'wait');
cmp_ok($p->{wait}, '<=', $c->{latency_ms}, 'is part of the latency');
my $sum = 0;
$sum += $_ // 0 for values %$p;
cmp_ok(abs($sum - $c->{latency_ms}), '<', 2, 'phases make the latency');

$p = check_of($all, 'timeout-bot')->{phases_ms};
cmp_ok($p->{transfer}, '>', 400, 'a body that stops: transfer');
$p = check_of($all, 'timeout-status')->{phases_ms};
cmp_ok($p->{wait}, '>', 400, 'an answer that does not come: wait');
is($p->{transfer}, undef, 'and no transfer');
is(check_of($all, 'refused')->{phases_ms}{wait}, undef,
   'no wait without a connection');


# --------------------------------------------------------------------- groups

my %want = (fine => 'up', extra => 'degraded', down => 'down',
            timeout => 'down', wall => 'degraded', degraded => 'degraded');

my $g = $t->wait_json('/groups', sub {
    !$_->{loading} && !grep { $_->{status} ne ($want{ $_->{name} // '' }
                                               // 'up') } @{ $_->{groups} }
}) // $t->json('/groups');
is($_->{status}, $want{ $_->{name} // '' } // 'up',
   'group ' . ($_->{name} // 'without a name')) for @{ $g->{groups} };
is($g->{status}, 'down', 'a core check down: all is down');
is_deeply($g->{counts}, { up => 7, degraded => 1, bot_detected => 1,
    timeout => 1, down => 2, unknown => 0, maintenance => 0 }, 'counts');
is_deeply([ map { $_->{role} } map { check_of($g, $_) } qw(e1 e2) ],
          [ qw(core extra) ], 'roles');

ok($t->wait_json('/mild', sub { $_->{counts}{down} == 1
                                && $_->{status} eq 'degraded' }),
   'an extra check down: degraded');
is($t->json('/groups?team=red')->{status}, 'down', 'team red');
is($t->json('/groups?team=blue')->{status}, 'degraded', 'team blue');
is($t->json('/groups?group=fine')->{status}, 'up', 'group fine');


# -------------------------------------------------- confirming, back-dating

my $up = $t->wait_check('/runs', 'three', sub { $_->{status} eq 'up' });
is($up->{pending}, undef, 'up with the first result');
my $since = $up->{since};
same_time($since, (asked('/three'))[0][0], 'since the first result');

# two failures are not three

fail_next('/three', 2);
my %seen;
my $over = $t->wait_check('/runs', 'three', sub {
    $seen{status}{ $_->{status} } = 1;
    $seen{pending}{ $_->{pending}{run} } = 1 if $_->{pending};
    $seen{uptime}{ $_->{uptime}{'1h'} } = 1;
    $seen{runs}{ $_->[0] } = 1 for @{ $_->{timeline}{runs} };
    return $_->{failed_at} && $_->{result} eq 'up';
}, 15);
ok($over, 'two failures of three, then up');
is(join(' ', sort keys %{ $seen{status} }), 'up', 'never anything but up');
like(join(' ', sort keys %{ $seen{pending} }), qr/^(1|2|1 2)$/,
     'shown as pending');
is(join(' ', sort keys %{ $seen{uptime} }), '1', 'uptime is not touched');
is(join(' ', sort keys %{ $seen{runs} }), 'unknown up', 'nor the timeline');
is($over->{since}, $since, 'up since it was');
is($over->{pending}, undef, 'nothing is pending any more');
is($over->{failed_message}, 'status 503, expected 200-299',
   'the failure is remembered');

# three are, and count from the first

fail_next('/three', 5);
my $pending = $t->wait_check('/runs', 'three', sub { $_->{pending} });
is($pending->{result}, 'down', 'the newest result');
is($pending->{status}, 'up', 'but not the state');
is($pending->{error_class}, 'status', 'with its class');
is_deeply({ %{ $pending->{pending} }, run => 0 },
          { result => 'down', run => 0, needed => 3 }, 'pending');
like($t->get('/runs/')->{body}, qr/class="pending"/, 'the page shows it');

my $down = $t->wait_check('/runs', 'three', sub { $_->{status} eq 'down' });
my @bad = grep { $_->[1] eq 'bad' } asked('/three');
same_time($down->{since}, $bad[2][0], 'down since the first of three');
cmp_ok(epoch($down->{checked_at}) - epoch($down->{since}), '>=', 1,
       'which was before the last');
is($down->{pending}, undef, 'confirmed');
like($t->log, qr/\[warn\].*check "three" is down: status 503, expected/,
     'the log says so');
cmp_ok($down->{uptime}{'1h'}, '<', 1, 'it counts');

# five in all, then three good ones bring it back

my $better = $t->wait_check('/runs', 'three', sub {
    $_->{result} eq 'up' && $_->{pending} }, 15);
is($better->{status}, 'down', 'good results, but not enough: still down');
is($better->{pending}{result}, 'up', 'pending');
is($better->{pending}{needed}, 3, 'of three');
$up = $t->wait_check('/runs', 'three', sub { $_->{status} eq 'up' });
my ($good) = grep { $_->[0] > $bad[2][0] && $_->[1] eq 'good' }
             asked('/three');
same_time($up->{since}, $good->[0], 'up since the first of three');
like($t->log, qr/\[notice\].*check "three" is up after \d+ s of "down"/,
     'the log says for how long');

# down for the seconds between the two firsts, of all there were

my $lasted = epoch($up->{since}) - epoch($down->{since});
my $known = $up->{known}{'1h'} * 3600;
cmp_ok(abs((1 - $up->{uptime}{'1h'}) * $known - $lasted), '<', 2.1,
       'uptime is without just these seconds');


# ------------------------------------------------------ latency's regression

my $ok = $t->wait_check('/pace', 'slower', sub {
    $_->{slower}{level} eq 'ok' && $_->{slower}{base_ms} });
ok($ok, 'latency as before: ok');
cmp_ok($ok->{slower}{base_ms}, '>=', 39, 'base');
# seen for as long as most of eleven results are of before
$t->write_file('ms', min(450, 3 * $ok->{slower}{base_ms}));
my $warning = $t->wait_check('/pace', 'slower',
                             sub { $_->{slower}{level} eq 'warning' });
ok($warning, 'three times as long: warning');
is($warning->{status}, 'up', 'which is no state');
cmp_ok($warning->{slower}{growth}, '>=', 1, 'growth');
$ok = $t->wait_check('/pace', 'slower', sub { $_->{slower}{level} eq 'ok' },
                     20);
ok($ok, 'the median follows');
my $base = $ok->{slower}{base_ms};
$t->write_file('ms', 10);
ok($t->wait_check('/pace', 'slower',
                  sub { $_->{slower}{base_ms} < 0.7 * $base }, 20),
   'down as well');
$t->write_file('ms', 400);
ok($t->wait_check('/pace', 'slower',
                  sub { $_->{slower}{level} eq 'critical' }),
   'forty times: critical');

$t->finish;
