#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Sentinels: whose fault it is that nothing can be reached.

use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;

# Names that only "resolve" knows: other machines, as far as the checks go.

$t->conf(<<'HTTP');
status_monitor m {
    interval 1s;
    timeout  500ms;
    fall     1;
    resolve  127.0.0.1;
    sentinel one two;

    check one http://one.example.test:%%PORT_1%%/ { role extra; }
    check two http://two.example.test:%%PORT_2%%/ { role extra; }
    check far http://far.example.test:%%PORT_3%%/ { title "Far <away>"; }
    check silent http://silent.example.test:%%PORT_4%%/ { }
    check near http://127.0.0.1:%%PORT_3%%/ { }
    check wrong http://far.example.test:%%PORT_3%%/wrong {
        expect body contains nothing; }
    check slow http://slow.example.test:%%PORT_3%%/ { interval 1h; }
    check disk disk:///nowhere { }
}
status_monitor p {
    interval 1s;
    timeout  500ms;
    resolve  127.0.0.1;
    sentinel one two;

    check one http://one.example.test:%%PORT_5%%/ { }
    check two http://two.example.test:%%PORT_6%%/ { }
    group "Jobs" {
        every 10s;
        grace 2s;
        check job    push:// { token job-token; }
        check failed push:// { token failed-token; }
    }
}
status_monitor q {
    interval 1h;
    timeout  500ms;
    resolve  127.0.0.1;
    sentinel one two;

    check one http://one.example.test:%%PORT_7%%/ { }
    check two http://two.example.test:%%PORT_8%%/ { }
    check job push:// { interval 1s; token another-token; every 10s; }
}
status_monitor r {
    interval 1h;
    resolve  127.0.0.1;
    sentinel mute;

    check mute http://mute.example.test:%%PORT_4%%/ { timeout 60s; }
    check job push:// { interval 1s; timeout 1s; token third-token; every 10s;
                        grace 0s; }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
    location = /P { status_json p; }
    location = /Q { status_json q; }
    location = /R { status_json r; }
    location /push/p/ { status_push p; }
    location /push/q/ { status_push q; }
    location /push/r/ { status_push r; }
    location = /c { status_csv m; }
    location /p/  { status_page m; }
}
HTTP

my %server;

sub up   { $server{$_} = $t->serve($_, "200 OK\r\n\r\nhello") for @_ }
sub down { $t->kill_daemon(delete $server{$_}) for @_ }

sub states {
    my ($want) = @_;
    my $json = $t->wait_json('/m', sub {
        my ($json) = @_;
        !grep { check_of($json, $_)->{status} ne $want->{$_} } keys %$want;
    }, 30);
    is_deeply({ map { $_ => check_of($json, $_)->{status} } keys %$want },
              $want, join ' ', map { "$_ $want->{$_}" } sort keys %$want);
    return $json;
}

sub said { my ($what) = @_; my @n = $t->log =~ /$what/g; return scalar @n }

up(1 .. 3, 5 .. 8);
my $listen = $t->listen_on(4);                  # accepts, and says nothing
$t->run;

# Heartbeats: one each, then no network, and silence until the end of this
# file.  The sentinels of q are asked again only because one stays away.

my $begun = time;

$t->wait_check($_->[0], $_->[1], sub { $_->{status} eq 'up' })
    for map { my $m = $_; map { [ $m, $_ ] } qw(one two) } '/P', '/Q';
my $pushed = time;
is($t->get("/push/$_")->{status}, 200, "$_: taken")
    for qw(p/job-token p/failed-token/5 q/another-token);
ok($t->wait_check(@$_, sub { $_->{status} eq 'up' }), "@$_: up")
    for [ '/P', 'job' ], [ '/Q', 'job' ];
ok($t->wait_check('/P', 'failed', sub { $_->{status} eq 'down' }), 'failed');
down(5 .. 8);
my $busy = time - $pushed > 7;                  # who knows what was late first

my $json = states({ one => 'up', two => 'up', far => 'up', near => 'up',
                    silent => 'timeout', wrong => 'down', disk => 'down' });
is($json->{checker}{offline_since}, undef, 'there is a network');

# one sentinel is down, and so is a target: that is the target

down(1, 3);
states({ one => 'down', two => 'up', far => 'down', near => 'down' });

# all of them

up(1, 3);
states({ one => 'up', two => 'up', far => 'up', near => 'up' });
my $before = $t->json('/m')->{generated_at};

down(1 .. 3);
$json = states({ one => 'down', two => 'down', far => 'unknown',
                 silent => 'unknown', near => 'down', disk => 'down' });
my $offline = sub { $_->{message} eq 'this machine has no connectivity' };
my $far = $t->wait_check('/m', 'far', $offline);
ok($far, 'reason');
is($far->{error_class}, 'internal', 'error class');
ok($t->wait_check('/m', 'silent', $offline), 'of a timeout as well');
like($json->{checker}{offline_since}, qr/^2\d\d\d-/, 'since when');
like($t->get('/p/')->{body},
     qr/<b>This machine has no connectivity<\/b> since <time/,
     'the page says so');

my @far;
ok(wait_for(sub {
    @far = map { [ split /,/ ] } grep { /,far,/ && $_ ge $before }
           split /\r\n/, $t->get('/c?check=far')->{body};
    return 2 < grep { $_->[3] eq 'unknown' } @far;
}), 'results while there was no network');
is(scalar(grep { $_->[3] eq 'down' } @far), 0, 'none of them is down');

is(said('monitor "m": no sentinel answers, this machine has no connectivity'), 1,
   'said once, not by each check');
is(said('check "far" is unknown: this machine has no connectivity'), 1,
   'and once of the check');

# and back

up(1 .. 3);
$json = states({ one => 'up', two => 'up', far => 'up', near => 'up' });
is($json->{checker}{offline_since}, undef, 'the network is back');
is(said('monitor "m": sentinels answer again after \d+ s'), 1, 'said once');
unlike($t->get('/p/')->{body}, qr/no connectivity/, 'no more on the page');

# a sentinel that answers something wrong has answered

down(1 .. 3);
$server{1} = $t->serve(1, "500 No\r\n\r\n");
states({ one => 'down', two => 'down', far => 'down' });

# heartbeats that stay away

for ([ '/P', 'p' ], [ '/Q', 'q' ]) {
    my ($json, $name) = @$_;
    my $c = $t->wait_check($json, 'job', sub { $_->{status} eq 'unknown' }, 30);
    is($c->{message}, 'this machine has no connectivity', "$name: silence");
    is($c->{error_class}, 'internal', "$name: error class");
    ok($t->json($json)->{checker}{offline_since}, "$name: offline");
}
is(check_of($t->json('/P'), 'failed')->{message}, 'exit code 5',
   'a failure was told, and stands');
SKIP: {
    skip 'a busy machine', 1 if $busy;
    is(said('check "job" is (?:degraded|down)'), 0, 'none of them is late');
}

# one that comes while the sentinel of r is still waited for

wait_for(sub { time > $begun + 13 }, 20);
is($t->get('/push/r/third-token')->{status}, 200, 'r: taken');
ok($t->wait_check('/R', 'job', sub { $_->{status} eq 'up' }),
   'r: waits for no sentinel');

up(5 .. 8);
is($t->wait_check('/P', 'job', sub { $_->{message} =~
       /^no heartbeat for \S+( \S+)?, but one may have come while this machine had no connectivity$/ })->{status},
   'unknown', 'back: it may have come');
is($t->get('/push/q/another-token')->{status}, 200, 'q: another one');
ok($t->wait_check('/Q', 'job', sub { $_->{status} eq 'up' }), 'q: up');

# reload in the middle, without sentinels

down(1);
states({ far => 'unknown' });
my $conf = $t->read_file('nginx.conf');
$conf =~ s/sentinel one two;//;
$t->write_file('nginx.conf', $conf);
$t->reload;
$json = states({ far => 'down' });
is($json->{checker}{offline_since}, undef, 'nobody knows any more');

# with the network there, silence is silence

my $c = $t->wait_check('/P', 'job', sub { $_->{status} eq 'down' }, 30);
like($c->{message}, qr/^no heartbeat for \S+( \S+)?, expected every 10s$/,
     'every and grace later: down');

# the resolver of this machine is there, and says that it can not know

my $dns = sprintf '127.%d.%d.%d', map { 1 + int rand 250 } 1 .. 3;
my $n = NgxStatus->new(wrap => [ 'unshare', '-m', 'sh', '-euc',
    'mount --bind "$TEST_RESOLV" /etc/resolv.conf; exec "$@"', 'sh' ]);

$ENV{TEST_RESOLV} = $n->write_file('resolv.conf', "nameserver $dns\n");

SKIP: {
    my $udp = IO::Socket::INET->new(Proto => 'udp', LocalAddr => $dns,
                                    LocalPort => 53);
    $n->conf('status_monitor m { check a dns:///a.test { } }');
    skip 'no port 53, no name space of mounts or no c-ares', 3
        if !$udp || system('unshare -m true 2>/dev/null')
           || !-f '/etc/resolv.conf' || !($n->test_conf)[0];

    $n->daemon(sub {
        while (my $from = recv $udp, my $ask, 512, 0) {
            # ID, an answer, recursion offered: SERVFAIL; the question
            send $udp, substr($ask, 0, 2) . "\x81\x82" . substr($ask, 4), 0,
                 $from;
        }
    });
    close $udp;

    $n->conf(<<'HTTP');
status_monitor m {
    interval 1s;
    timeout  500ms;
    fall     1;
    sentinel one;
    check one  http://one.example.test:%%PORT_1%%/ { resolve 127.0.0.1; }
    check name dns:///a.test { }
}
server { listen 127.0.0.1:%%PORT_0%%; location = /m { status_json m; } }
HTTP
    my $one = $n->serve(1, "200 OK\r\n\r\nhello");
    $n->run;
    my $c = $n->wait_check('/m', 'name', sub { $_->{status} eq 'down' });
    like($c->{message}, qr/^rcode is SERVFAIL/, 'no name, with a network');
    $n->kill_daemon($one);
    $c = $n->wait_check('/m', 'name', sub { $_->{status} eq 'unknown' });
    is($c->{message}, 'this machine has no connectivity', 'and without');
    $n->allow(qr/no sentinel answers/);
    ok($n->stop, 'quit');
    $n->finish;
}

# mistakes

for (
    [ 'sentinel;', qr/invalid number of arguments in "sentinel"/ ],
    [ 'sentinel none;', qr/sentinel "none" is no check of this monitor, expected checks of other machines in .*:\d+/ ],
    [ 'sentinel d;', qr/sentinel "d" asks this machine only/ ],
    [ 'sentinel l;', qr/sentinel "l" asks this machine only/ ],
    [ 'sentinel a a;', qr/sentinel "a" is named twice/ ],
    [ 'sentinel a; sentinel b;', qr/"sentinel" directive is duplicate/ ],
    [ 'sentinel .x;', qr/invalid sentinel ".x", expected an ID/ ],
) {
    my ($directive, $error) = @$_;

    my $wrong = NgxStatus->new;
    $wrong->conf("status_monitor m { $directive
                  check a http://example.test/ { }
                  check b http://example.org/ { }
                  check l http://localhost/ { }
                  check d disk:/// { } }");
    my ($ok, $out) = $wrong->test_conf;

    ok(!$ok, "refused: $directive");
    like($out, $error, 'what is wrong');
}

$t->allow(qr/no sentinel answers/);
$t->finish;
done_testing();
