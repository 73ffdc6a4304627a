#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# History that stays known: with another length, and under another name.

use strict;
use warnings;

use FindBin;
use Test::More;
use Time::HiRes qw(sleep);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;
$t->hostile(1);

sub conf {
    my ($monitor) = @_;
    $t->conf("status_monitor m {\n interval 1s; timeout 500ms;\n$monitor}\n"
             . <<'SERVER');
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m.json { status_json m; }
    location /s/       { status_page m; }
    location /i/       { status_page m internal; }
}
SERVER
}

my $checks = <<'CHECKS';
check ok   http://127.0.0.1:%%PORT_1%%/ok { }
check ill  http://127.0.0.1:%%PORT_1%%/status?code=500 { }
check once 'http://127.0.0.1:%%PORT_1%%/json?text={"score":7}' {
    interval 7d; score $.score;
}
CHECKS

# what a reload must not change
sub past {
    my $json = $t->json('/m.json');
    return { map { $_->{id} => [ @$_{qw(since status)}, $_->{score}{history},
                                 $_->{failed_at} && 1, $_->{events} ] }
             @{ $json->{checks} } };
}

sub bytes {
    my ($good, $text) = $t->test_conf;
    return $text =~ /"status:m" (\d+) bytes/ ? $1 : 0;
}

sub settled {
    return $t->wait_json('/m.json', sub {
        my ($ok, $ill, $once) = map { check_of($_[0], $_) } qw(ok ill once);
        return $ok->{status} eq 'up' && $ill->{status} eq 'down'
               && $once->{status} eq 'up' && $ok->{uptime}{'1h'}
               && $ok->{known}{'1h'} > 0;
    }, 20);
}


# --- another length

conf($checks)->run;
ok(settled(), 'first results');
my $past = past();
my $known = check_of($t->json('/m.json'), 'ok')->{known}{'1h'};
my $size = bytes();

for my $history ('minutes=2d hours=60d days=2y', 'minutes=4h hours=2d days=1d',
                 'days=400d')
{
    sleep 1.1;
    conf("history $history;\n$checks");
    ok($t->reload, "history $history");
    is_deeply(past(), $past, 'nothing is lost');
    cmp_ok(check_of($t->json('/m.json'), 'ok')->{known}{'1h'}, '>=', $known,
           'nor is time');
}
is(bytes(), $size, 'the zone is as large as without the directive');

# a minute more or less, so that the zone would be of the same size, and adopted
my $same = 0;
for my $minutes (1439, 1441) {
    conf("history minutes=${minutes}m;\n$checks");
    last if $same = (bytes() == $size);
}
ok($same, 'another shape of the same size');
ok($t->reload, 'is taken all the same');
is_deeply(past(), $past, 'nothing is lost');
ok($t->reload, 'and again');
is_deeply(past(), $past, 'nothing is lost');
conf($checks);
ok($t->reload, 'and back');
is_deeply(past(), $past, 'nothing is lost');

# a zone of a fixed size can not follow
conf("zone 4m;\n$checks");
ok($t->reload, 'zone 4m');
is_deeply(past(), $past, 'nothing is lost');
conf("zone 4m; history minutes=2d;\n$checks");
$t->allow(qr/\[emerg\].*keeps a history of another shape/);
ok(!$t->reload, 'another history in it is refused');
like($t->log, qr/\[emerg\].*zone "status:m" keeps a history of another shape than previously; change its size with it/,
     'with what to do');
is_deeply(past(), $past, 'nothing has changed');
conf("zone 5m; history minutes=2d;\n$checks");
ok($t->reload, 'together with the size it is taken');
is_deeply(past(), $past, 'nothing is lost');



# --- another name

conf($checks);
$t->reload;
ok(settled(), 'up, down, and a score');
$past = past();
my $page;

sub renamed {
    my ($what, %to) = @_;
    my $now = past();
    my %want = %$past;
    $want{ $to{$_} } = delete $want{$_} for keys %to;
    is_deeply({ map { $_ => $now->{$_} } keys %want }, \%want, $what);
}

my $text = $checks =~ s/check (ill|once)(.*)\{/check $1-2 $2 { was $1;/gr;
sleep 1.1;
conf($text);
ok($t->reload, 'two checks renamed');
renamed('and what they were stays', ill => 'ill-2', once => 'once-2');
is($t->get('/s/check/ill')->{status}, 404, 'not under their old names');
ok($t->reload, 'again');
renamed('nothing has changed', ill => 'ill-2', once => 'once-2');

# over two more names, the last with a zone of another size
conf($text =~ s/check ill-2(.*) was ill;/check ill-3$1 was ill-2;/r);
$t->reload;
renamed('once more', ill => 'ill-3', once => 'once-2');
conf("history days=1d;\n"
     . $text =~ s/check ill-2(.*) was ill;/check ill-4$1 was ill-3;/r);
$t->reload;
renamed('into another zone', ill => 'ill-4', once => 'once-2');

# there is no place but the old ones, and two checks change their names
conf("zone 100k;\n$checks");
$t->allow(qr/\[emerg\].*zone of 102400 bytes is too small/);
my ($needed) = ($t->test_conf)[1] =~ /expected (\d+)k/;
conf("zone ${needed}k;\n"
     . $text =~ s/check ill-2(.*) was ill;/check ill-4$1 was ill-3;/r);
ok($t->reload, "zone ${needed}k");
renamed('as small as can be', ill => 'ill-4', once => 'once-2');
conf("zone ${needed}k;\n"
     . "check new http://127.0.0.1:%%PORT_1%%/ok { }\n"
     . $text =~ s/check ok.*\n//r
             =~ s/check ill-2(.*) was ill;/check a$1 was ill-4;/r
             =~ s/check once-2(.*) was once;/check b$1 was once-2;/r);
ok($t->reload, 'two renamed in it, one replaced');
delete $past->{ok};
renamed('each is what it was', ill => 'a', once => 'b');
ok($t->wait_check('/m.json', 'new', sub { $_->{status} eq 'up' }),
   'the new one has a place');


# --- changes of state

$t->serve(2, sub {
    return ($t->read_file('answer') || '200 OK') . "\r\n\r\n";
});
conf(<<'CHECKS');
    check turns http://127.0.0.1:%%PORT_2%%/ { fall 3; interval 1s; }
CHECKS
$t->reload;
$t->wait_check('/m.json', 'turns', sub { $_->{status} eq 'up' });
for my $answer ('503 No', '200 OK', '404 No') {
    $t->write_file('answer', $answer);
    my $first = $t->wait_check('/m.json', 'turns',
        sub { $_->{result} ne ($answer =~ /200/ ? 'down' : 'up') });
    $t->wait_check('/m.json', 'turns', sub { $_->{status} eq $first->{result} })
        or diag("never $answer");
}

my $turns = check_of($t->json('/m.json'), 'turns');
my @events = @{ $turns->{events} };
is_deeply([ map { [ @$_{qw(from to reason)} ] } @events ],
          [ [ 'unknown', 'up', '' ],
            [ 'up', 'down', 'status 503, expected 200-299' ],
            [ 'down', 'up', '' ],
            [ 'up', 'down', 'status 404, expected 200-299' ] ],
          'each change, with its reason');
is_deeply([ map { $_->{until} } @events ],
          [ (map { $_->{since} } @events[1 .. 3]), undef ],
          'one ends where the next begins');
is($events[3]{since}, $turns->{since}, 'the last one is the state of now');
is_deeply([ sort map { $_->{since} } @events ], [ map { $_->{since} } @events ],
          'in order');

ok($t->reload, 'reload');
is_deeply(check_of($t->json('/m.json'), 'turns')->{events}, \@events,
          'they stay');
conf("history days=1d;\n" . <<'CHECKS');
    check turned http://127.0.0.1:%%PORT_2%%/ { fall 3; was turns; interval 1s; }
CHECKS
ok($t->reload, 'another zone, another name');
is_deeply(check_of($t->json('/m.json'), 'turned')->{events}, \@events,
          'they stay');
is_deeply([ map { exists $_->{reason} ? 1 : 0 }
            @{ check_of($t->json('/s/status.json'), 'turned')->{events} } ],
          [ 0, 0, 0, 0 ], 'the public view tells no reason');

$page = $t->get('/i/check/turned')->{body};
my @rows = $page =~ m{<tr class="(\w+)"><th scope="row"><time[^>]*>[^<]*</time><td class="k"><b>[^<]*</b> \w+<td>(\d+ s)( so far)?<td>(\w+)<td>(.*)\n}g;
is_deeply([ map { s/^\d+ s$/n s/r } map { $_ // '' } @rows ],
    [ 'down', 'n s', ' so far', 'Up', 'status 404, expected 200-299',
      'up', 'n s', '', 'Down', '',
      'down', 'n s', '', 'Up', 'status 503, expected 200-299',
      'up', 'n s', '', 'Unknown', '' ], 'on the page, newest first');
$page = $t->get('/s/check/turned')->{body};
like($page, qr/<h2>Changes /, 'and on the public one');
unlike($page, qr/expected 200-299/, 'without reasons');


# --- uptime: of a check, a group, and all

conf(<<'CHECKS');
    uptime degraded=0.25;
    group A {
        check up http://127.0.0.1:%%PORT_1%%/ok { uptime degraded=0; }
        check quarter http://127.0.0.1:%%PORT_1%%/ok {
            prefer body contains nowhere; fall 1;
        }
    }
    group B {
        uptime degraded=0.5;
        check half http://127.0.0.1:%%PORT_1%%/ok {
            prefer body contains nowhere; fall 1; team t;
        }
        check down http://127.0.0.1:%%PORT_1%%/status?code=500 { fall 1; }
        check never http://127.0.0.1:%%PORT_1%%/ok { uptime degraded=1;
            prefer body contains nowhere; fall 1; }
    }
CHECKS
ok($t->reload, 'weights');

my %worth = (up => 1, quarter => 0.25, half => 0.5, down => 0, never => 1);
my $json = $t->wait_json('/m.json', sub {
    !grep { ($_->{known}{'1h'} // 0) < 0.0008 } @{ $_->{checks} };
}, 20);

ok($json, 'some seconds of each are known');
is_deeply({ map { $_->{id} => $_->{uptime}{'1h'} } @{ $json->{checks} } },
          \%worth, 'a degraded second counts for its weight');

# whole seconds, of numbers cut to five places
my %seconds = map { $_->{id} => int($_->{known}{'1h'} * 3600 + 0.99) }
              @{ $json->{checks} };
for ([ 'group A', $json->{groups}[0], qw(up quarter) ],
     [ 'group B', $json->{groups}[1], qw(half down never) ],
     [ 'all', $json, keys %worth ])
{
    my ($name, $object, @ids) = @$_;
    my ($up, $known) = (0, 0);
    for (@ids) {
        $up += $worth{$_} * $seconds{$_};
        $known += $seconds{$_};
    }
    is($object->{uptime}{'1h'}, int($up / $known * 1e5 + 1e-6) / 1e5,
       "$name: uptime is weighted by time");
    is($object->{known}{'1h'},
       int($known / 3600 / @ids * 1e5 + 1e-6) / 1e5, "$name: time known");
    is($object->{uptime}{'90d'}, $object->{uptime}{'1h'},
       "$name: longer windows");
}

$json = $t->json('/m.json?team=t');
is_deeply([ map { $_->{uptime}{'1h'} } $json, @{ $json->{groups} } ],
          [ 0.5, 0.5 ], 'of what was asked for');

$page = $t->get('/s/')->{body};
like($page, qr{<span>Uptime of 24 h: [\d.]+% \((?:&lt;)?[\d.]+% known\)</span><span>of 90 d: [\d.]+% \(},
     'on the page');
is(scalar(() = $page =~ /<tfoot><tr><th scope="row">Together/g), 2,
   'and of each group');

$t->finish;
