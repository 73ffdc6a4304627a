#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# The life of the checker and of the processes around it: killed, stopped,
# reloaded, upgraded, orphaned.  Through all of it no request fails, nothing
# is shown as what it is not, and nothing is left behind.

use strict;
use warnings;

use FindBin;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my %is = (ok => 'up', bad => 'down', never => 'timeout', lazy => 'up',
          calm => 'down', seo => 'up');

my $checks = <<'CHECKS';
    check ok    http://127.0.0.1:%%PORT_1%%/ok { }
    check bad   http://127.0.0.1:%%PORT_1%%/status?code=503 { fall 1; }
    check never http://127.0.0.1:%%PORT_1%%/never { fall 1; }
    check lazy  http://127.0.0.1:%%PORT_1%%/slow?ms=300 { timeout 2s;
                                                          interval 2s; }
    check calm  http://127.0.0.1:%%PORT_1%%/status?code=404 { fall 1;
                                                             interval 10s; }
    check seo   http://127.0.0.1:%%PORT_1%%/lighthouse {
        interval 7d;
        score    $.categories.seo.score scale=100;
    }
CHECKS

my $server = <<'SERVER';
server {
    listen 127.0.0.1:%%PORT_0%%;
    location /s/        { status_page m; }
    location = /m.json  { status_json m; }
    location = /n.json  { status_json n; }
    location = /hi      { return 200 "hi"; }
}
SERVER

sub both {
    my ($m, $n) = @_;
    return "status_monitor m {\n interval 1s; timeout 400ms;\n$m}\n"
           . "status_monitor n {\n interval 1s; timeout 400ms;\n"
           . ($n // "check other http://127.0.0.1:%%PORT_1%%/ok { }\n")
           . "}\n$server";
}

# all at once: the last one to finish says that the tests are done
my ($t, $u, $s) = map { NgxStatus->new } 1 .. 3;
my $c = NgxStatus->new(wrap => $> == 0
    ? [ qw(setpriv --reuid=65534 --regid=65534 --clear-groups) ] : []);

$t->allow(qr/process \d+ exited on signal 9/);
$t->hostile(1);


# --- start

$t->conf(both($checks))->run;

my $settled = sub {
    my ($json) = @_;
    return !grep { $_->{status} ne $is{$_->{id}} } @{ $json->{checks} };
};

my $json = $t->wait_json('/m.json', $settled, 30);
ok($json, 'every check is seen as what it is');
is(scalar(titles($t, qr/status checker process/)), 1, 'one checker, by name');
ok($t->wait_json('/n.json', sub { check_of($_, 'other')->{status} eq 'up' }),
   'one process serves both monitors');

my %since = map { $_->{id} => $_->{since} } @{ $json->{checks} };
my $first = check_of($json, 'seo');


# --- the checker dies

my $pid = $t->checker;
kill 'KILL', $pid;
ok(wait_for(sub { ($t->checker // $pid) != $pid }), 'a new one is there');
is(watch(2), '', 'and nobody saw a difference');

my $n = 0;
my $wrong = '';
for my $i (1 .. 30) {
    # every third one goes in peace, which keeps the back-off away
    my $old = $t->checker or next;
    kill $i % 3 ? 'KILL' : 'QUIT', $old;
    $wrong ||= look();
    wait_for(sub { ($t->checker // $old) != $old }) and $n++;
    sleep rand 0.2;
    $wrong ||= look();
}
is($n, 30, 'respawned 30 times');
is($wrong, '', 'wrong at no time');

$json = $t->wait_json('/m.json', $settled, 30);
ok($json, 'all goes on');
# the others may have had no chance for longer than 2 intervals
is_deeply([ map { check_of($json, $_)->{since} } qw(calm seo) ],
          [ @since{qw(calm seo)} ], 'with the history of before');
is_deeply([ @{ check_of($json, 'seo') }{qw(checked_at score)} ],
          [ @$first{qw(checked_at score)} ], 'and not once too often');


# --- it keeps dying

for (1 .. 7) {
    my $old = $t->checker;
    kill 'KILL', $old;
    wait_for(sub { ($t->checker // $old) != $old });
}
like($t->log, qr/\[error\].*status checker keeps dying; monitor "m" goes on in/,
     'a checker that keeps dying is slowed down');
$json = $t->wait_json('/m.json', sub { !$_->{checker}{alive} }, 20);
ok($json, 'which is seen');
is_deeply([ map { $_->{status} } $json, @{ $json->{checks} // [] } ],
          [ ('unknown') x 7 ], 'as unknown');
like($t->get('/s/')->{body}, qr/checker/, 'and said on the page');
ok($t->wait_json('/m.json', sub { $_->{checker}{alive} && $settled->($_) },
                 20), 'it comes back');


# --- a worker dies

$pid = $t->checker;
for (1 .. 5) {
    my ($worker) = $t->workers or next;
    my $reader = $t->daemon(sub { $t->get('/m.json') for 1 .. 1000 });
    sleep 0.05;
    kill 'KILL', $worker;
    wait_for(sub { grep { $_ != $worker } $t->workers });
    $t->kill_daemon($reader);
    $wrong ||= look();
}
is($wrong, '', 'workers die and nothing is wrong');
is($t->checker, $pid, 'the checker did not mind');


# --- the checker stands still

my $from = length $t->log;
wait_for(sub { $t->json('/m.json')->{checker}{alive} });
kill 'STOP', $pid;
$json = $t->wait_json('/m.json', sub { !$_->{checker}{alive} }, 20);
ok($json, 'a checker that stands still is seen');
is_deeply([ map { $_->{status} } $json, @{ $json->{checks} // [] } ],
          [ ('unknown') x 7 ], 'and nothing is up, or down');
kill 'CONT', $pid;
ok($t->wait_json('/m.json', sub { $_->{checker}{alive} && $settled->($_) },
                 20), 'it goes on');
unlike(substr($t->log, $from), qr/check "(?:ok|lazy)" (?:is (?!up)|failed: (?!the checker was late))/,
       'the time that it lost is nobody else\'s fault');


# --- reloads

$json = $t->json('/m.json');
%since = map { $_->{id} => $_->{since} } @{ $json->{checks} };
ok($t->reload, 'reload');
ok($t->checker != $pid, 'another checker');
is(scalar(titles($t, qr/status checker process/)), 1, 'and only one');
is(watch(1.5), '', 'no difference');
$json = $t->json('/m.json');
is_deeply({ map { $_->{id} => $_->{since} } @{ $json->{checks} } }, \%since,
          'history goes on');
is(check_of($json, 'seo')->{checked_at}, $first->{checked_at},
   'what is not due is not run');

$pid = $t->checker;
my @workers = $t->workers;
$t->allow(qr/\[emerg\].*unknown directive "nonsense"/);
$t->conf(both("$checks nonsense;"));
is($t->reload, 0, 'a configuration that is refused');
is(watch(1), '', 'changes nothing');
is_deeply([ $t->checker, $t->workers ], [ $pid, @workers ], 'at all');

$t->conf("status_monitor m {\n interval 1s; timeout 400ms;\n$checks}\n"
         . $server =~ s/^.*status_json n.*\n//mr);
ok($t->reload, 'one of two monitors removed');
is($t->get('/n.json')->{status}, 404, 'it is gone');
is(watch(1), '', 'the other one goes on');

$t->conf(both("$checks check long http://127.0.0.1:%%PORT_1%%/slow?ms=1000 {"
             . " interval 7d; timeout 5s; }\n"));
$t->reload;
$t->reload;
ok($t->wait_check('/m.json', 'long', sub { $_->{status} eq 'up' }),
   'a probe that a reload cuts off is made again');

$t->conf('server { listen 127.0.0.1:%%PORT_0%%; }');
ok($t->reload, 'all monitors removed');
ok(wait_for(sub { !$t->checker }), 'no checker any more');
ok(!$t->json('/m.json'), 'no page');

$t->conf(undef);
$t->signal('HUP');
ok(wait_for(sub { !$t->get('/hi') }), 'not even http');

$t->conf(both($checks));
ok($t->reload, 'both are back');
ok($t->wait_json('/m.json', $settled, 30), 'and checked');
is(scalar(titles($t, qr/status checker process/)), 1, 'by one checker');


# --- 100 reloads, with edits, under load

# A connection for each request: nothing may fail, for no reason.
my $loader = $t->daemon(sub {
    my ($all, @failed) = (0);
    while (!-e $t->dir . '/enough') {
        for my $uri (qw(/hi /m.json /s/)) {
            my $r = $t->get($uri);
            $all++;
            my $why = !$r ? "no answer: $!"
                    : $r->{status} != 200 ? $r->{status}
                    : length $r->{body} != ($r->{headers}{'content-length'}
                                            // -1) ? 'cut off' : next;
            push @failed, "$uri: $why";
        }
    }
    $t->write_file('load', join "\n", "$all requests, failed:", @failed);
});

my ($fds, $kb);
for my $i (1 .. 100) {
    my $more = join '', map {
        my $name = ($i * 7 + $_) % 40;
        "check x$name http://127.0.0.1:%%PORT_1%%/ok { }\n"
    } 1 .. ($i % 30);

    $t->conf(both($i % 2 ? $more . $checks : $checks . $more));
    my $lines = () = $t->log =~ /start worker process \d/g;
    $t->signal('HUP');
    wait_for(sub { (() = $t->log =~ /start worker process \d/g) > $lines })
        or diag("reload $i was not done");

    ($fds, $kb) = (fds($t->pid), rss($t->pid)) if $i == 10;
}

ok($t->wait_json('/m.json', sub {
    !grep { $_->{status} ne ($is{$_->{id}} // 'up') } @{ $_->{checks} }
}), '100 reloads, and every state is right');

wait_for(sub { $t->workers == 1 && titles($t, qr/checker/) == 1 });
is_deeply([ scalar($t->workers), scalar(titles($t, qr/checker/)) ], [ 1, 1 ],
          'one worker and one checker are left');
is(scalar(zombies($t->pid)), 0, 'no zombies');
cmp_ok(fds($t->pid), '<=', $fds, 'no descriptor is lost');
cmp_ok(rss($t->pid), '<=', $kb + 2048, 'nor memory') unless $ENV{NGX_STATUS_PRELOAD};

$t->write_file('enough', '');
wait_for(sub { $t->read_file('load') }, 30);
like($t->read_file('load'), qr/^[1-9]\d+ requests, failed:$/,
     'no request failed');

$json = $t->json('/m.json');
is(check_of($json, 'seo')->{status}, 'up', 'and nothing is forgotten');

$t->kill_daemon($loader);
$pid = $t->checker;
@workers = ($pid, $t->workers);
ok($t->stop('TERM'), 'TERM');
ok(wait_for(sub { !grep { kill 0, $_ } @workers }), 'all are gone');
$t->finish;


# --- another binary, and an orphan

SKIP: {
    # nginx clears its environment, and with it the sanitizer's library
    skip 'binary upgrade under a sanitizer' if $ENV{NGX_STATUS_PRELOAD};

    $u->hostile(1);
    $u->conf(both($checks), daemon => 'on')->run;
    ok($u->wait_json('/m.json', $settled, 30), 'a daemon');

    my $old = $u->pid;

    # and back again
    $u->signal('USR2');
    my $new = next_master($u, $old);
    ok($new, 'USR2: two masters');
    is(scalar(checkers($u, $old)) + checkers($u, $new), 2,
       'with a checker each');
    is(look($u, 20), '', 'both serve');
    kill 'WINCH', $old;
    ok(wait_for(sub { !checkers($u, $old) }), 'WINCH: one of them rests');
    ok($u->wait_json('/m.json', $settled, 30), 'the new one serves');
    kill 'HUP', $old;
    ok(wait_for(sub { checkers($u, $old) }), 'HUP: the old one is back');
    kill 'QUIT', $new;
    ok(wait_for(sub { !kill 0, $new }), 'the new one goes');
    ok($u->wait_json('/m.json', $settled, 30), 'the old one serves');

    # and for good
    wait_for(sub { $u->read_file('nginx.pid') =~ /^$old$/ });
    kill 'USR2', $old;
    $new = next_master($u, $old);
    ok($new, 'USR2 again');
    kill 'WINCH', $old;
    wait_for(sub { !checkers($u, $old) });
    kill 'QUIT', $old;
    ok(wait_for(sub { !kill 0, $old }), 'the old one goes');
    $u->{pid} = $new;
    ok($u->wait_json('/m.json', $settled, 30), 'the new one serves');
    is(scalar(checkers($u, $new)), 1, 'with one checker');

    # the master is killed
    my $checker = $u->checker;
    my @workers = $u->workers;
    kill 'KILL', $new;
    ok(wait_for(sub { !kill 0, $checker }), 'the checker does not stay alone');
    my $json = $u->wait_json('/m.json', sub { !$_->{checker}{alive} }, 20);
    is($json && $json->{status}, 'unknown', 'workers that do, say so');
    kill 'QUIT', @workers;
    ok(wait_for(sub { !grep { kill 0, $_ } @workers }), 'end');
    delete $u->{pid};
}

$u->finish;


# --- beside a cache, and not as root

$c->hostile(1);
$c->conf('proxy_cache_path %%TESTDIR%%/cache keys_zone=c:1m;' . both($checks));
if ($> == 0) {
    chown 65534, 65534, $c->dir, glob($c->dir . '/*');
}
$c->run;
ok($c->wait_json('/m.json', $settled, 30), 'beside a cache, unprivileged');
is(scalar(titles($c, qr/cache manager process/)), 1,
   'the cache manager keeps its name');
$c->finish;


# --- without a master

$s->conf(both($checks), master => 'off');
my ($good, $text) = $s->test_conf;
ok(!$good, 'nginx -t refuses "master_process off"');
like($text, qr/\[emerg\].*"status_monitor" needs "master_process on"/,
     'and says why');
ok(!eval { $s->run; 1 }, 'so does nginx');
like($@, qr/needs "master_process on"/, 'likewise');
$s->allow(qr/needs "master_process on"/);
$s->finish;


# ------------------------------------------------------------------- helpers

# What is wrong in the JSON now: a state that is neither the true one nor
# unknown; or no answer.
sub look {
    my ($nginx, $times) = (@_, $t, 1);

    for (1 .. ($times // 1)) {
        my $json = $nginx->json('/m.json') or return 'no answer';
        for (@{ $json->{checks} }) {
            return "$_->{id} is $_->{status}: $_->{message}"
                if $_->{status} ne $is{$_->{id}} && $_->{status} ne 'unknown';
        }
    }
    return '';
}


# The same for some seconds, in which nothing may be unknown either.
sub watch {
    my ($seconds) = @_;
    my $end = time + $seconds;

    while (time < $end) {
        my $json = $t->json('/m.json') or return 'no answer';
        for (@{ $json->{checks} }) {
            return "$_->{id} is $_->{status}: $_->{message}"
                if $_->{status} ne $is{$_->{id}};
            return "$_->{id} is so since $_->{since}, before $since{$_->{id}}"
                if $_->{since} ne $since{$_->{id}};
        }
        sleep 0.05;
    }
    return '';
}


sub titles {
    my ($nginx, $re) = @_;
    return grep { $_->[1] =~ $re } $nginx->children;
}


sub checkers {
    my ($nginx, $master) = @_;
    local $nginx->{pid} = $master;
    return titles($nginx, qr/status checker/);
}


sub next_master {
    my ($nginx, $old) = @_;
    return wait_for(sub {
        my ($pid) = $nginx->read_file('nginx.pid') =~ /(\d+)/ or return 0;
        return $pid != $old && checkers($nginx, $pid) ? $pid : 0;
    });
}


sub zombies {
    my ($master) = @_;
    return grep { (NgxStatus::slurp($_) // '') =~ /\) Z $master / }
           glob '/proc/[0-9]*/stat';
}


sub fds { return scalar(() = glob "/proc/$_[0]/fd/*") }

sub rss {
    return (NgxStatus::slurp("/proc/$_[0]/status") // '')
           =~ /VmRSS:\s*(\d+)/ ? $1 : 0;
}
