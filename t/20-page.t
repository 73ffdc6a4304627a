#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# The page and the JSON as HTTP: paths, methods, arguments, redirects,
# caching, gzip, subrequests, what is shown to whom.  Every JSON document
# that is fetched with json() is validated against html/status.schema.json.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use FindBin;
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Socket;
use Test::More;
use Time::HiRes qw(sleep);

use lib "$FindBin::Bin/lib";
use NgxStatus;

# both at once: the last one to finish says that the tests are done
my ($t, $pair) = map { NgxStatus->new } 1 .. 2;

$t->conf(<<'HTTP');
status_monitor m {
    title    'Acme "<script>alert(1)</script>" & co';
    interval 500ms;
    timeout  400ms;

    check lone http://127.0.0.1:%%PORT_1%%/ok { }

    group "Web" {
        check www http://user:hunter2@127.0.0.1:%%PORT_1%%/ok?token=s3cret {
            title  "<b>Web & 'site'</b>";
            header Authorization "Bearer topsecret";
        }
        check bad http://127.0.0.1:%%PORT_1%%/bad { role extra; fall 1; }
    }

    group "Data & <i>co</i>" {
        team growth;
        check db   http://127.0.0.1:%%PORT_1%%/ok { slower warning=25%; }
        check seo  http://127.0.0.1:%%PORT_1%%/score {
            score      $.score;
            grade      $.grade;
            categories $.parts.*;
            drop       warning=1 critical=5;
        }
    }
}

status_monitor sick {
    interval 500ms;
    timeout  400ms;
    check dead http://127.0.0.1:%%PORT_1%%/bad { fall 1; }
}

server {
    listen 127.0.0.1:%%PORT_1%%;
    location /ok    { return 200 "fine"; }
    location /bad   { return 503 "ill"; }
    location /score { return 200 '{"score":92.5,"grade":"A","parts":{"a":1}}'; }
}

server {
    listen 127.0.0.1:%%PORT_2%%;
    location / { status_page sick; }
}

server {
    listen 127.0.0.1:%%PORT_3%% http2;
    location /status/ { status_page m; }
}

server {
    listen 127.0.0.1:%%PORT_0%%;
    server_name_in_redirect on;
    server_name wrong.example;

    location /status/    { status_page m; }
    location /internal/  { status_page m internal; }
    location /plain      { status_page m; }
    location /deep/in/   { location /deep/in/there { status_page m; } }
    location "/odd: name" { status_page m; }
    location /blocks/    { status_page m; if ($arg_if) { set $x 1; }
                           limit_except GET { allow 127.0.0.1; deny all; } }

    location = /s.json   { status_json m public; }
    location = /i.json   { status_json m; }
    location = /sick     { status_json sick; }
    location = /healthz  { status_json m unhealthy=503; }
    location = /sickz    { status_json sick unhealthy=503; }
    location = /gate     { status_json m unhealthy=403; }
    location = /sickgate { status_json sick unhealthy=403; }

    location /gzip/ {
        gzip on; gzip_vary on; gzip_types *; gzip_proxied any;
        location /gzip/s/ { status_page m; }
    }
    location /nogzip/    { gzip_http_version 1.1; status_page m; }

    location = /ssi {
        ssi on;
        default_type text/html;
        return 200 'a<!--# include virtual="/s.json?group=Web" -->b<!--#
            include virtual="/status/nosuch" -->c<!--# include
            virtual="/plain" -->d';
    }
    location = /in  { auth_request /gate;
                      proxy_pass http://127.0.0.1:%%PORT_1%%/ok; }
    location = /out { auth_request /sickgate;
                      proxy_pass http://127.0.0.1:%%PORT_1%%/ok; }
}
HTTP

$t->run;

# until every check has been seen as what it is

ok($t->wait_json('/i.json', sub {
    !$_->{loading} && $_->{counts}{up} == 4 && $_->{counts}{down} == 1
}), 'all checks have results');
ok($t->wait_json('/sick', sub { $_->{status} eq 'down' }), 'sick is down');


# ------------------------------------------------------------------ documents

my $page = $t->get('/status/');
is($page->{status}, 200, 'page');
like($page->{headers}{'content-type'}, qr{^text/html; ?charset=utf-8$},
     'type of the page');
is(length $page->{body}, $page->{headers}{'content-length'}, 'its length');
is($page->{headers}{'cache-control'}, 'no-cache', 'revalidated each time');
like($page->{headers}{'content-security-policy'},
     qr{^default-src 'none'; style-src 'self'; script-src 'self';},
     'policy without unsafe-inline');
is($page->{headers}{'x-content-type-options'}, 'nosniff', 'nosniff');
is($page->{headers}{'referrer-policy'}, 'no-referrer', 'no referrer');
is($page->{headers}{vary}, 'Accept-Encoding', 'vary');
ok(!$page->{headers}{'last-modified'}, 'no last-modified');

like($page->{body}, qr/&lt;script&gt;alert\(1\)/, 'title is escaped');
unlike($page->{body}, qr/<script>alert|<b>Web|<i>co/, 'no markup from titles');
unlike($page->{body}, qr/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/i,
       'nothing inline');

my $detail = $t->get('/status/check/www');
is($detail->{status}, 200, 'detail page');
like($detail->{body}, qr/&lt;b&gt;Web &amp; &#39;site&#39;/,
     'its title is escaped');
like($detail->{body}, qr{href="\.\./}, 'links back are relative');
unlike($page->{body} . $detail->{body}, qr{(?:href|src)="/},
       'no link from the root');

my $json = $t->json('/s.json');
is($json->{version}, 1, 'JSON');
is($json->{status}, 'degraded', 'an extra check that is down degrades');
is($json->{title}, 'Acme "<script>alert(1)</script>" & co', 'title as it is');
is_deeply([ map { $_->{name} } @{ $json->{groups} } ],
          [ undef, 'Web', 'Data & <i>co</i>' ], 'groups');
is_deeply($json->{groups}[1]{checks}, [ 'www', 'bad' ], 'checks of a group');
is_deeply([ map { $_->{id} } @{ $json->{checks} } ],
          [ qw(lone www bad db seo) ], 'checks');
ok($json->{checker}{alive}, 'checker is alive');

my $bad = check_of($json, 'bad');
is($bad->{status}, 'down', 'status');
is($bad->{error_class}, 'status', 'error class');
is($bad->{http_status}, 503, 'HTTP status');
is($bad->{role}, 'extra', 'role');
ok($bad->{failed_at}, 'failed at');
my %public = map { map { $_ => 1 } keys %$_ } @{ $json->{checks} };
is(join(' ', grep { $public{$_} } qw(target message phases_ms failed_message)),
   '', 'nothing internal in public');

my $www = check_of($json, 'www');
is($www->{status}, 'up', 'up');
is($www->{team}, undef, 'no team');
is($www->{score}, undef, 'no score');
is($www->{slower}, undef, 'no slower');
ok($t->wait_check('/s.json', 'www', sub {
    ($_->{uptime}{'1h'} // 0) == 1 && $_->{known}{'1h'} > 0
}), 'uptime, once a second of it is known');
is($www->{uptime}{'1h'}, undef, 'before, it is null')
    if !$www->{known}{'1h'};
my $n = 0;
$n += $_->[1] for @{ $www->{timeline}{runs} };
is($n, 240, 'buckets of the timeline');

my $seo = check_of($json, 'seo');
is($seo->{score}{value}, 92.5, 'score');
is($seo->{score}{grade}, 'A', 'grade');
is_deeply($seo->{score}{categories}, { a => 1 }, 'categories');
is($seo->{team}, 'growth', 'team');
is(check_of($json, 'db')->{slower}{level} // '',
   check_of($json, 'db')->{slower}{growth} ? 'ok' : 'neutral', 'slower')
    if check_of($json, 'db')->{slower}{level} !~ /warning|critical/;

my $inner = $t->json('/i.json');
like(check_of($inner, 'bad')->{message}, qr/503/, 'message');
like(check_of($inner, 'www')->{target}, qr{^http://.*127\.0\.0\.1:.*/ok},
     'target');
ok(check_of($inner, 'www')->{phases_ms}{wait}, 'phases');
like($t->get('/internal/check/bad')->{body}, qr/503/,
     'internal page has the message');

for my $uri ('/status/', '/status/check/www', '/internal/',
             '/internal/check/www', '/s.json', '/i.json')
{
    unlike($t->get($uri)->{body}, qr/hunter2|s3cret|topsecret/,
           "no secret in $uri");
}


# ---------------------------------------------------------------------- paths

for my $prefix ('/status', '/internal', '/plain', '/deep/in/there',
                '/odd:%20name', '/gzip/s', '/nogzip')
{
    is($t->get("$prefix/")->{status}, 200, "$prefix/");
    is($t->json("$prefix/status.json")->{monitor}, 'm',
       "$prefix/status.json");
    is($t->get("$prefix/check/db")->{status}, 200, "$prefix/check/db");
    is($t->get("$prefix/style.css")->{status}, 200, "$prefix/style.css");

    for my $uri ('check/', 'check', 'check/nosuch', 'check/db/', 'check/DB',
                 'nosuch', 'style', 'style.css/', 'index.html')
    {
        is($t->get("$prefix/$uri")->{status}, 404, "$prefix/$uri");
    }
}

is($t->get('/plainer')->{status}, 404, 'a longer name is another');
is($t->get('/', port => 2)->{status}, 200, 'at the root');
is($t->get('/check/dead', port => 2)->{status}, 200, 'below the root');
is($t->json('/status.json', port => 2)->{monitor}, 'sick',
   'another monitor');

for ([ '/plain', './plain/' ], [ '/plain?team=growth&x', './plain/?team=growth&x' ],
     [ '/deep/in/there', './there/' ], [ '/odd:%20name', './odd:%20name/' ],
     [ '//plain', './plain/' ], [ '/x%2Fplain/../../plain', './plain/' ])
{
    my ($uri, $to) = @$_;
    my $r = $t->get($uri);
    is($r->{status}, 301, "$uri is redirected");
    is($r->{headers}{location}, $to, "to $to");
}


# --------------------------------------------------------------------- assets

for ([ 'style.css', qr{^text/css} ], [ 'status.js', qr{javascript} ],
     [ 'icon.svg', qr{^image/svg\+xml} ])
{
    my ($name, $type) = @$_;
    my $r = $t->get("/status/$name");
    like($r->{headers}{'content-type'}, $type, "type of $name");
    is($r->{headers}{'cache-control'}, 'no-cache', "$name without a version");
    my ($hash) = $r->{headers}{etag} =~ /^"([0-9a-f]{16})"$/;
    ok($hash, 'has its hash as ETag');
    like($page->{body} . $detail->{body}, qr/\Q$name\E\?v=$hash/,
         'the page asks for that version');

    is($t->get("/status/$name?v=$hash")->{headers}{'cache-control'},
       'public, max-age=31536000, immutable', "$name of a version");
    is($t->get("/status/$name?v=0123456789abcdef")->{headers}
       {'cache-control'}, 'no-cache', "$name of another version");
    is($t->get("/status/$name",
               headers => { 'If-None-Match' => "\"$hash\"" })->{status},
       304, "$name not modified");
}


# -------------------------------------------------------------------- methods

my $head = $t->head('/status/');
is($head->{status}, 200, 'HEAD');
is($head->{body}, '', 'has no body');
cmp_ok($head->{headers}{'content-length'}, '>', 1000, 'but its length');
ok($head->{headers}{etag}, 'and its ETag');

for my $method (qw(POST PUT DELETE OPTIONS PATCH)) {
    for my $uri ('/status/', '/status/style.css', '/s.json', '/plain',
                 '/status/status.json')
    {
        my $r = $t->get($uri, method => $method,
                        body => $method eq 'POST' ? 'team=growth' : undef);
        is($r->{status}, 405, "$method $uri");
        is($r->{headers}{allow}, 'GET, HEAD', 'tells what is allowed');
    }
}
is_deeply($t->json('/s.json', method => 'POST', body => 'x'),
          { version => 1, error => 'method not allowed' }, '405 in JSON');
is($t->get('/blocks/check/www?if=1')->{status}, 200, 'in an "if"');
is($t->get('/blocks/', method => 'POST')->{status}, 405,
   'in a "limit_except"');

my $body = 'x' x 3000;
my $two = $t->request('', raw => "GET /s.json HTTP/1.1\r\nHost: a\r\n"
    . "Content-Length: 3000\r\n\r\n$body"
    . "HEAD /status/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
is(() = $two->{raw} =~ m{HTTP/1\.1 200 OK}g, 2, 'a body is thrown away');


# ------------------------------------------------------------------ arguments

for ([ '?team=growth', [ qw(db seo) ] ],
     [ '?group=Web', [ qw(www bad) ] ],
     [ '?group=Data+%26%20%3Ci%3eco%3C%2Fi%3E', [ qw(db seo) ] ],
     [ '?group=Web&team=', [ qw(www bad) ] ],
     [ '?group=Web&team=growth', [ ] ],
     [ '?team&x=1&x=2&team2=no&=&&', [ qw(lone www bad db seo) ] ])
{
    my ($args, $ids) = @$_;
    for my $uri ('/s.json', '/status/status.json') {
        my $j = $t->json("$uri$args");
        is_deeply([ map { $_->{id} } @{ $j->{checks} } ], $ids, "$uri$args");
        is_deeply([ map { @{ $_->{checks} } } @{ $j->{groups} } ], $ids,
                  'and its groups');
    }
    is($t->get("/status/$args")->{status}, 200, "/status/$args");
}
is($t->json('/s.json?team=growth')->{status}, 'up', 'status of a team');
is($t->json('/s.json?group=Web')->{counts}{up}, 1, 'counts of a group');
unlike($t->get('/status/?team=growth')->{body}, qr{check/bad},
       'a page has no other checks either');

my $long = 'a' x 129;
for ([ 'team=nosuch', 404 ], [ 'group=nosuch', 404 ], [ 'team=Growth', 404 ],
     [ 'team=growth%00', 404 ], [ "team=" . 'a' x 128, 404 ],
     [ "team=$long", 400 ], [ 'team=%4', 400 ], [ 'team=%zz', 400 ],
     [ 'group=%', 400 ], [ 'team=growth&team=growth', 400 ],
     [ 'group=Web&team=growth&group=Web', 400 ])
{
    my ($args, $status) = @$_;
    for my $uri ('/status/', '/s.json', '/status/status.json') {
        is($t->get("$uri?$args")->{status}, $status, "$uri?$args");
    }
    like($t->json("/s.json?$args")->{error}, qr/^\w/, 'says so in JSON');
}
is($t->get('/status/check/www?team=nosuch')->{status}, 200,
   'a detail page has no filter');


# --------------------------------------------------------- caching and gzip

for my $uri ('/status/', '/internal/check/seo', '/s.json', '/status/icon.svg',
             '/gzip/s/', '/gzip/s/status.json')
{
    # "m" changes all the time: get both within one generation
    my ($plain, $gzip, $again);
    wait_for(sub {
        $plain = $t->get($uri);
        $gzip = $t->get($uri, headers => { 'Accept-Encoding' => 'gzip, br' });
        $again = $t->get($uri);
        return $plain->{headers}{etag} eq $again->{headers}{etag};
    });

    my $etag = $plain->{headers}{etag};
    my ($hash) = $etag =~ /^"([0-9a-f]{16})"$/;
    ok($hash, "strong ETag of $uri");
    is($hash, substr(md5_hex($plain->{body}), 0, 16), 'is of its content')
        unless $uri =~ /icon/;
    ok(!$plain->{headers}{'content-encoding'}, 'plain');
    is($gzip->{headers}{'content-encoding'}, 'gzip', 'gzip');
    is($gzip->{headers}{etag}, "\"$hash-gz\"", 'has its own ETag');
    is($gzip->{headers}{'content-length'}, length $gzip->{body}, 'its length');
    is(gunzip($gzip->{body}), $plain->{body}, 'and the same content');
    cmp_ok(length $gzip->{body}, '<', length $plain->{body}, 'but is smaller');
    is($_->{headers}{vary}, 'Accept-Encoding', 'one Vary') for $plain, $gzip;
}

is($t->get('/s.json', headers => { 'Accept-Encoding' => 'gzip;q=0' })
     ->{headers}{'content-encoding'}, undef, 'gzip refused');
is($t->get('/nogzip/', version => '1.0',
           headers => { 'Accept-Encoding' => 'gzip' })
     ->{headers}{'content-encoding'}, undef, 'no gzip for HTTP/1.0');
is($t->head('/s.json', headers => { 'Accept-Encoding' => 'gzip' })
     ->{headers}{'content-encoding'}, 'gzip', 'HEAD of gzip');

for my $encoding (undef, 'gzip') {
    for my $uri ('/status/', '/s.json') {
        my @encoding = ('Accept-Encoding' => $encoding);
        my $what = ($encoding // 'plain') . " $uri";

        for my $form ('%s', 'W/%s', '"x", %s', '%s , "y"') {
            my $r;
            ok(wait_for(sub {
                my $etag = $t->get($uri, headers => { @encoding })
                             ->{headers}{etag};
                $r = $t->get($uri, headers => { @encoding,
                    'If-None-Match' => sprintf $form, $etag });
                return $r->{status} == 304;
            }), "304 of $what for $form");
            is($r->{body}, '', 'has no body');
            ok($r->{headers}{etag}, 'has the ETag');
            is($r->{headers}{vary}, 'Accept-Encoding', 'and Vary');
            ok(!$r->{headers}{'content-encoding'}, 'but no encoding');
        }
        is($t->get($uri, headers => { @encoding,
                                      'If-None-Match' => '"0123456789abcdef"' })
             ->{status}, 200, "200 of $what for another ETag");
        is($t->head($uri, headers => { @encoding, 'If-None-Match' => '*' })
             ->{status}, 304, "304 of HEAD $what for *");
    }
}

# a client that reads slowly gets what it began with, whole

my $slow = IO::Socket::INET->new(Proto => 'tcp');
setsockopt($slow, SOL_SOCKET, SO_RCVBUF, pack 'i', 2048);
connect($slow, pack_sockaddr_in($t->port(0), inet_aton('127.0.0.1')))
    or die "connect: $!";
syswrite $slow, "GET /i.json HTTP/1.1\r\nHost: a\r\n\r\n" x 300
    . "GET /i.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
my $first = $t->get('/i.json')->{headers}{etag};
ok(wait_for(sub { $t->get('/i.json')->{headers}{etag} ne $first }, 10),
   'content changes');
my $etag = $t->get('/i.json')->{headers}{etag};
ok(wait_for(sub { $t->get('/i.json')->{headers}{etag} ne $etag }, 10),
   'and changes again');

my $raw = '';
my $select = IO::Select->new($slow);
while ($select->can_read(15)) {
    sysread($slow, $raw, 65536, length $raw) or last;
}
my ($whole, $wrong) = (0, 0);
while ($raw =~ s/^(HTTP.*?\r\n)\r\n//s) {
    my $headers = $1;
    my ($length) = $headers =~ /^Content-Length: (\d+)/m;
    my ($hash) = $headers =~ /^ETag: "(\w+)"/m;
    my $text = substr $raw, 0, $length, '';
    $hash eq substr(md5_hex($text), 0, 16) ? $whole++ : $wrong++;
}
is("$whole $wrong", '301 0', 'a slow client gets all answers whole');

# more variants than are kept

for my $round (1 .. 3) {
    my @uris = (map({ "/status/check/$_" } qw(lone www bad db seo)),
                map({ ("/status/?$_", "/status/status.json?$_") }
                    'x', 'team=growth', 'group=Web', 'team=growth&group=Web',
                    'group=Data%20%26%20%3Ci%3Eco%3C/i%3E'),
                '/status/style.css', '/status/status.js', '/status/icon.svg');
    my @bad = grep { $t->get($_)->{status} != 200 } @uris;
    is("@bad", '', 'every variant, round ' . $round);
}


# -------------------------------------------------------------- unhealthy

is($t->get('/healthz')->{status}, 200, 'degraded is healthy');
my $r = $t->get('/sickz');
is($r->{status}, 503, 'down is not');
is($t->json('/sickz')->{status}, 'down', 'and the body says why');
is($t->get('/sickz', headers => { 'If-None-Match' => $r->{headers}{etag} })
     ->{status}, 503, 'nor is it not modified');
is($t->get('/sick')->{status}, 200, 'without "unhealthy" it is 200');


# ------------------------------------------------------------ subrequests

$r = $t->get('/ssi');
is($r->{status}, 200, 'SSI');
like($r->{body}, qr/^a\{"version":1.*"id":"bad".*\}\nb.*404.*c.*<html.*d$/si,
     'has JSON and page in it');
is($t->get('/in')->{body}, 'fine', 'auth_request lets in');
is($t->get('/out')->{status}, 403, 'or not, while it is down');
is($t->get('/in', method => 'POST', body => 'x=y')->{body}, 'fine',
   'auth_request of a POST');


# ---------------------------------------------------------------- HTTP/2

SKIP: {
    my $port = $t->port(3);
    my $curl = 'curl -sS --http2-prior-knowledge --compressed';
    my ($version) = (`curl -V 2>&1` // '') =~ /(HTTP2)/;
    skip 'no curl with HTTP/2', 4 if !$version;

    my $out = `$curl -D - http://127.0.0.1:$port/status/status.json`;
    my ($h, $b) = split /\r\n\r\n/, $out, 2;
    like($h, qr{^HTTP/2 200.*^content-encoding: gzip}ms, 'HTTP/2');
    is(JSON::PP->new->utf8->decode($b)->{monitor}, 'm', 'JSON');
    like(`$curl http://127.0.0.1:$port/status/`, qr{</html>\s*$}i, 'page');
    like(`$curl -D - -X OPTIONS http://127.0.0.1:$port/status/`,
         qr{^HTTP/2 405.*^allow: GET, HEAD}ms, 'method');
}


# ----------------------------------------------------- a checker that hangs

kill 'STOP', $t->checker;

$json = $t->wait_json('/i.json', sub { !$_->{checker}{alive} }, 15);
ok($json, 'a checker without heartbeat is dead');
is($json->{status}, 'unknown', 'status is unknown');
is($json->{counts}{unknown}, 5, 'and so is every check');
is_deeply([ @{ $json->{checker} }{qw(checks_per_second in_flight lateness_ms)} ],
          [ (undef) x 3 ], 'it checks nothing');
is(check_of($json, 'www')->{result}, 'up', 'the last result is still told');
is(check_of($json, 'www')->{timeline}{runs}[-1][0], 'unknown',
   'the timeline ends unknown');
is($t->get('/healthz')->{status}, 503, 'unhealthy');
isnt($t->get('/in')->{body}, 'fine', 'auth_request shuts');

kill 'CONT', $t->checker;

ok($t->wait_json('/i.json', sub { $_->{counts}{up} == 4 }, 15),
   'and comes back');
is($t->get('/healthz')->{status}, 200, 'healthy again');

$t->finish;


# -------------------------------------------------- one ETag in all workers

$pair->conf(<<'HTTP', main => 'worker_processes 2;');
status_monitor m {
    interval 7d;
    check a http://127.0.0.1:%%PORT_0%%/ok { }
}
server {
    listen 127.0.0.1:%%PORT_0%% reuseport;
    add_header X-Worker $pid;
    location = /ok     { return 200; }
    location = /s.json { status_json m; }
}
HTTP
$pair->run;

# A connection stays with its worker; others spread over both.
sub client { HTTP::Tiny->new(keep_alive => 1) }

sub fetch {
    my ($client) = @_;
    my $r = $client->get('http://127.0.0.1:' . $pair->port(0) . '/s.json');
    my $json = eval { JSON::PP->new->utf8->decode($r->{content}) } // {};
    return { etag => $r->{headers}{etag} // '', json => $json,
             worker => $r->{headers}{'x-worker'} // '' };
}

my ($one, $other) = client();
ok(wait_for(sub { fetch($one)->{json}{checked_at} }), 'a worker with the result');
my $from = fetch($one)->{worker};
sleep 1.2;                          # the checker beats each second
ok(wait_for(sub { fetch($other = client())->{worker} ne $from }),
   'the other one, which looks later');

# a minute may have begun between the two
my @docs;
ok(wait_for(sub {
    @docs = map { fetch($_) } $one, $other;
    return $docs[0]{json}{generated_at} eq $docs[1]{json}{generated_at};
}), 'the same moment');
is($docs[0]{etag}, $docs[1]{etag}, 'has the same ETag');
is_deeply($docs[0]{json}{checker}, $docs[1]{json}{checker},
          'and the same heartbeat');

$pair->finish;
