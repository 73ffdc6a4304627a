#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# redis:// and rediss:// against redis-server, and against servers that
# misbehave.

use strict;
use warnings;

use FindBin;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Pki;

my ($program) = grep { -x } '/usr/bin/redis-server', '/usr/sbin/redis-server',
                            '/usr/local/bin/redis-server';
plan(skip_all => 'no redis-server') unless $program;
plan(skip_all => 'no redis-cli') if system('redis-cli -v >/dev/null 2>&1');
plan(skip_all => 'no openssl') if system('openssl version >/dev/null 2>&1');

my $t = NgxStatus->new;
my $dir = $t->dir;
$t->conf('status_monitor m { check a redis://127.0.0.1 { } }');
plan(skip_all => 'built without hiredis')
    if ($t->test_conf)[1] =~ /needs hiredis/;

my ($secret, $own) = ('s3cret-of-all', 's3cret-of-one');


# ------------------------------------------------------------------- servers

my (%port, %pid);
my $next = 10;

sub port_of {
    my ($name) = @_;
    return $t->port($port{$name} //= $next++);
}

sub start {
    my ($name, %conf) = @_;
    mkdir "$dir/$name";
    $t->write_file("$name.conf", join('', map { "$_ $conf{$_}\n" } sort keys
        %conf) . <<"CONF" . ($conf{lines} // '')) if %conf;
port ${\ port_of($name)}
bind 127.0.0.1
dir $dir/$name
logfile $dir/$name.log
appendonly no
enable-debug-command yes
CONF
    $pid{$name} = $t->spawn($program, "$dir/$name.conf");
    return NgxStatus::wait_port(port_of($name));
}

sub stop { my ($name) = @_; $t->kill_daemon(delete $pid{$name}) }

sub cli {
    my ($name, @words) = @_;
    my @login = $name eq 'locked' ? ('-a', $secret, '--no-auth-warning') : ();
    open(my $out, '-|', 'redis-cli', '-p', port_of($name), @login, @words)
        or die "redis-cli: $!";
    local $/;
    my $text = <$out> // '';
    close $out;
    return $text =~ s/\s+$//r;
}

my $pki = Pki->new($dir);
my $day = 86400;
my $names = 'DNS:good.test,IP:127.0.0.1';

$pki->authority('own');
$pki->certificate('good', $names, 60 * $day + 3600);
$pki->certificate('soon', $names, 10 * $day + 3600);
$pki->certificate('expired', $names, -2 * $day - 3600);
$pki->certificate('elsewhere', 'DNS:elsewhere.test', 60 * $day);
$pki->certificate('client', 'DNS:client.test', 60 * $day);

sub tls {
    my ($cert, $clients) = @_;
    return (
        'tls-port' => port_of("tls-$cert$clients"),
        'tls-cert-file' => "$dir/$cert.pem",
        'tls-key-file' => "$dir/$cert.key",
        'tls-ca-cert-file' => "$dir/own.pem",
        'tls-auth-clients' => $clients ? 'yes' : 'no',
    );
}

my $fine = start('main', tls('good', ''), save => '""',
    'user default on' => 'nopass ~* &* +@all',
    'user one on' => ">$own ~health:* &* -\@all +ping +get +info +select",
    'repl-ping-replica-period' => 1);
$fine &&= start('locked', save => '""', requirepass => $secret,
    maxmemory => '100mb', 'busy-reply-threshold' => 20);
$fine &&= start('replica', tls('soon', ''), save => '""',
    replicaof => '127.0.0.1 ' . port_of('main'));
$fine &&= start('orphan', tls('expired', ''), save => '""',
    replicaof => '127.0.0.1 ' . $t->port(1),
    'replica-serve-stale-data' => 'no');
$fine &&= start('cluster', tls('elsewhere', ''), save => '""',
    'cluster-enabled' => 'yes', 'cluster-port' => port_of('bus'));
$fine &&= start('sleepy', tls('good', '-asks'), save => '""');
$fine &&= start('loading', save => '""');
ok($fine, 'redis-server runs, seven times');

cli('main', 'SET', 'health', 'fine <b>&"');
cli('main', 'SET', 'health:one', 'own');
cli('main', 'SET', 'count', 42);
cli('main', 'SET', 'spaces in it', "a\nb");
cli('main', 'RPUSH', 'list', 'a', 'b', 'c');
cli('main', '-n', 3, 'SET', 'health', 'third');
cli('main', 'SET', 'large', 'x' x 100_000);


# --------------------------------------------------------------------- peers

my @peers;

sub peer {
    my ($name, $sub) = @_;
    port_of($name);
    push @peers, [ $name, $sub ];
}

sub hold { my ($s) = @_; my $b; 1 while sysread $s, $b, 4096 }

# A text, then silence.
sub says {
    my ($name, $text) = @_;
    peer($name, sub {
        my ($s) = @_;
        sysread $s, my $b, 4096;
        print $s $text;
        hold($s);
    });
}

peer(mute => \&hold);
peer(shut => sub { sysread $_[0], my $b, 4096; close $_[0] });
peer(reset => sub {
    my ($s) = @_;
    sysread $s, my $b, 4096;
    setsockopt $s, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    close $s;
});
peer('half-shut' => sub { my ($s) = @_; sysread $s, my $b, 4096;
                          print $s "\$10\r\nabc"; close $s });
peer(split => sub { my ($s) = @_; sysread $s, my $b, 4096;
                    for (split //, "+PONG\r\n") { print $s $_; sleep 0.01 }
                    hold($s) });
peer(drip => sub { my ($s) = @_; sysread $s, my $b, 4096;
                   print $s "\$60000\r\n";
                   while (print $s '.') { sleep 0.003 } });
peer(echo => sub { my ($s) = @_;
                   while (sysread $s, my $b, 4096) { print $s $b } });
peer(flood => sub { my ($s) = @_; sysread $s, my $b, 4096;
                    print $s "\$2000000000\r\n";
                    my $x = 'x' x 65536; 1 while syswrite $s, $x });
peer(line => sub { my ($s) = @_; sysread $s, my $b, 4096; print $s '+';
                   my $x = 'x' x 65536; 1 while syswrite $s, $x });
peer(elements => sub { my ($s) = @_; sysread $s, my $b, 4096;
                       print $s "*300000\r\n";
                       my $x = ":1\r\n" x 16384; 1 while syswrite $s, $x });

says('elements-all' => "*300000\r\n" . ":1\r\n" x 300_000);
says(half => '+PO');
says('ok-then-none' => "+OK\r\n");
says(html => "HTTP/1.1 400 Bad Request\r\n\r\n");
says(huge => "*2000000000\r\n");
says(huger => "*1\r\n*2147483647\r\n");
says(hugest => "*9223372036854775807\r\n");
says(negative => "\$-2\r\n");
says(letters => "\$abc\r\n");
says(long => "\$9223372036854775807\r\nabc");
says(deep => "*1\r\n" x 20);
says(resp3 => "%1\r\n+a\r\n+b\r\n");
says(one => ":1\r\n");
says(string => "\$4\r\nPONG\r\n");
says(markup => "+<b>&\t\a\r\n");
says(many => "-ERR max number of clients reached\r\n");
says(unknown => "-ERR unknown command `AUTH`, with args beginning with: "
     . "`one`, `$own`, \r\n");
says(odd => ":1\r\n" x 4);
says('no-info' => "+OK\r\n:5\r\n+PONG\r\n");
says('empty-info' => "\$0\r\n\r\n+PONG\r\n");
my $odd = "role:<b>\r\nredis_version:\r\nslave0:\r\nslave:\r\naaaaa";
says('odd-info' => '$' . length($odd) . "\r\n$odd\r\n+PONG\r\n");
says(nested => "*3\r\n*2\r\n+a\r\n\$-1\r\n*0\r\n:-7\r\n");


# -------------------------------------------------------------------- checks

my @rows;              # id, URL, directives, state, class, message, seen
sub row { push @rows, [ @_ ] }

sub at {
    my ($name, $before, $behind) = @_;
    return 'redis://' . ($before // '') . "127.0.0.1:%%PORT_$port{$name}%%"
           . ($behind // '');
}

my $none = qr/^$/;

row('ping', at('main'), '', 'up', undef, $none, 'PONG');
row('named', "redis://localhost:%%PORT_$port{main}%%/", 'family 4;', 'up',
    undef, $none, 'PONG');
row('get', at('main'), 'command "GET health"; expect value contains fine;',
    'up', undef, $none, 'fine <b>&"');
row('get-wrong', at('main'), 'command "GET health"; expect value == well;',
    'down', 'value', qr/^value is "fine <b>&"", expected == "well"$/);
row('get-none', at('main'), 'command "GET nothing"; expect value ~ .;',
    'down', 'value', qr/^no value came, expected ~ "\."$/, 'nil');
row('get-fine', at('main'), 'command "GET nothing";', 'up', undef, $none,
    'nil');
row('count', at('main'), 'command "get count"; expect value > 40; '
    . 'expect size == 2; prefer value 42;', 'up', undef, $none, '42');
row('integer', at('main'), 'command "STRLEN count"; expect value == 2;', 'up',
    undef, $none, '2');
row('prefer', at('main'), 'command "LLEN list"; prefer value > 5;',
    'degraded', 'value', qr/^value is "3", expected > 5$/);
row('quotes', at('main'), q(command 'GET "spaces\x20in it"'; )
    . 'expect value == "a\nb";', 'up', undef, $none, 'a b');
row('list', at('main'), 'command "LRANGE list 0 -1"; expect rows == 3; '
    . 'expect value contains c;', 'up', undef, $none, '3 rows: a b c');
row('list-short', at('main'), 'command "LRANGE list 0 -1"; expect rows > 3;',
    'down', 'value', qr/^rows 3, expected > 3$/);
row('no-rows', at('main'), 'command "GET count"; expect rows > 3;',
    'down', 'value', qr/^no rows came, expected > 3$/);
row('db', at('main', '', '/3'), 'command "GET health"; '
    . 'expect value == third;', 'up', undef, $none, 'third');
row('db-zero', at('main', '', '/0'), 'command "GET count"; expect value 42;',
    'up', undef, $none);
row('db-wrong', at('main', '', '/99'), '', 'down', 'value',
    qr/^SELECT failed: ERR DB index is out of range$/);
row('large', at('main'), 'command "GET large"; expect size == 100000;', 'up',
    undef, $none);
row('too-large', at('main'), 'command "GET large"; max_body 50k;', 'down',
    'size', qr/^the answer is longer than max_body, 51200 bytes$/);
row('wrong-type', at('main'), 'command "GET list";', 'down', 'value',
    qr/^GET failed: WRONGTYPE Operation against a key holding the wrong kind/);
row('no-command', at('main'), 'command "FOO bar";', 'down', 'value',
    qr/^FOO failed: ERR unknown command 'FOO', with args beginning with/);
row('blocks', at('main'), 'command "BLPOP nothing 0";', 'timeout', 'timeout',
    qr/^timed out after 900 ms, while waiting for the answer$/);

row('info', at('main'), 'expect info role == master; '
    . 'expect info used_memory < 1g; expect info connected_clients > 0; '
    . 'expect info db0.keys > 3; expect info redis_version ~ ^[5-9]\.; '
    . 'expect info used_memory_peak_perc > 1; '
    . 'expect info db0 contains keys=;', 'up', undef, $none,
    qr/^Redis \d+\.\d+\.\d+ master, PONG$/);
row('info-small', at('main'), 'prefer info used_memory < 10k;', 'degraded',
    'value', qr/^info used_memory is "\d+", expected < 10k$/);
row('info-other', at('main'), 'expect info role == slave;', 'down', 'value',
    qr/^info role is "master", expected == "slave"$/);
row('info-none', at('main'), 'expect info no_such_field;', 'down', 'value',
    qr/^info no_such_field is missing$/);
row('info-share', at('main'), 'expect info maxmemory_perc < 90;', 'down',
    'value', qr/^info maxmemory_perc is missing$/);
row('info-get', at('main', "one:$own@", '/3'), 'command "GET health:x"; '
    . 'expect info role == master;', 'up', undef, $none,
    qr/^Redis [\d.]+ master, nil$/);

row('master', at('main'), 'expect info connected_slaves == 1; '
    . 'expect info slave0.state == online; prefer info replication_lag < 5;',
    'up', undef, $none);
row('replica', at('replica'), 'expect info role == slave; '
    . 'expect info master_link_status == up; '
    . 'expect info replication_lag < 5;', 'up', undef, $none,
    qr/^Redis [\d.]+ slave, PONG$/);
row('orphan', at('orphan'), '', 'down', 'value',
    qr/^PING failed: MASTERDOWN Link with MASTER is down/);
row('cluster', at('cluster'), 'command "GET x";', 'down', 'value',
    qr/^GET failed: CLUSTERDOWN Hash slot not served$/);
row('sleepy', at('sleepy'), 'command "DEBUG SLEEP 0.55";', 'degraded',
    'latency', qr/^latency [\d.]+ms, expected < 500ms$/, 'OK');

row('locked', at('locked', ":$secret@"), 'expect info maxmemory == 100m; '
    . 'prefer info maxmemory_perc < 90;', 'up', undef, $none);
row('locked-by', at('locked'), "username default; password $secret;", 'up',
    undef, $none, 'PONG');
row('locked-out', at('locked'), '', 'down', 'auth',
    qr/^PING failed: NOAUTH Authentication required\.$/);
row('locked-wrong', at('locked', ':not-that@'), '', 'down', 'auth',
    qr/^AUTH failed: WRONGPASS invalid username-password pair/);
row('acl', at('main', "one:$own@"), 'command "GET health:one"; '
    . 'expect value == own;', 'up', undef, $none, 'own');
row('acl-wrong', at('main', 'one:not-that@'), '', 'down', 'auth',
    qr/^AUTH failed: WRONGPASS /);
row('acl-nobody', at('main', "nobody:$own@"), '', 'down', 'auth',
    qr/^AUTH failed: WRONGPASS /);
row('acl-command', at('main', "one:$own@"), 'command "LLEN list";', 'down',
    'auth', qr/^LLEN failed: NOPERM .*no permissions to run the /);
row('acl-key', at('main', "one:$own@"), 'command "GET health";', 'down',
    'auth', qr/^GET failed: NOPERM .*o permissions to access /);

my $ca = 'tls_ca %%TESTDIR%%/own.pem; ';

sub tls_at {
    my ($name, $before, $host) = @_;
    return 'rediss://' . ($before // '') . ($host // '127.0.0.1')
           . ":%%PORT_$port{$name}%%";
}

row('tls', tls_at('tls-good'), $ca . 'expect info role == master; '
    . 'expect cert > 30d;', 'up', undef, $none);
row('tls-acl', tls_at('tls-good', "one:$own@"),
    "${ca}command 'GET health:one'; expect value == own;", 'up', undef, $none);
row('tls-large', tls_at('tls-good'), "${ca}command 'GET large'; "
    . 'expect size == 100000;', 'up', undef, $none);
row('tls-soon', tls_at('tls-soon'), $ca, 'degraded', 'cert',
    qr/^certificate has 10 days left, expected > 21d$/);
row('tls-expired', tls_at('tls-expired'), $ca, 'down', 'tls',
    qr/^certificate has expired$/);
row('tls-other', tls_at('tls-elsewhere'), $ca, 'down', 'tls',
    qr/^certificate is for another name$/);
row('tls-name', tls_at('tls-elsewhere'), "${ca}tls_name elsewhere.test;",
    'up', undef, $none);
row('tls-any', tls_at('tls-elsewhere'), 'tls_verify off;', 'up', undef,
    $none);
row('tls-unknown', tls_at('tls-good'), '', 'down', 'tls', qr/^self-signed certificate in the chain$/);
row('tls-client', tls_at('tls-good-asks'), $ca
    . 'tls_cert %%TESTDIR%%/client.pem %%TESTDIR%%/client.key;', 'up',
    undef, $none);
row('tls-no-client', tls_at('tls-good-asks'), $ca, 'down', qr/^(tls|reset)$/,
    qr/certificate required|^connection reset while waiting/);
row('tls-plain', tls_at('main'), $ca, 'timeout', 'timeout',
    qr/^timed out after 900 ms, while in the TLS handshake$/);
row('plain-tls', at('tls-good'), '', 'down', qr/^(protocol|reset)$/,
    qr/^not Redis' protocol: |^connection (reset|closed) while/);
row('tls-mute', tls_at('mute'), $ca, 'timeout', 'timeout',
    qr/^timed out after 900 ms, while in the TLS handshake$/);

my $answer = qr/not Redis' protocol: /;

row('refused', 'redis://127.0.0.1:%%PORT_1%%', '', 'down', 'connect',
    qr/^connection refused$/);
row('no-accept', 'redis://127.0.0.1:%%PORT_2%%', '', 'timeout', 'timeout',
    qr/^timed out after 900 ms, while connecting$/);
row('mute', at('mute'), '', 'timeout', 'timeout',
    qr/^timed out after 900 ms, while waiting for the answer$/);
row('mute-auth', at('mute', "one:$own@"), '', 'timeout', 'timeout',
    qr/^timed out after 900 ms, while waiting for the answer$/);
row('ok-then-none', at('ok-then-none', "one:$own@"), '', 'timeout', 'timeout',
    qr/^timed out after 900 ms, while receiving the answer$/);
row('half', at('half'), '', 'timeout', 'timeout',
    qr/^timed out after 900 ms, while receiving the answer$/);
row('half-shut', at('half-shut'), '', 'down', 'reset',
    qr/^connection closed while receiving the answer$/);
row('shut', at('shut'), '', 'down', 'reset',
    qr/^connection closed while waiting for the answer$/);
row('reset', at('reset'), '', 'down', 'reset',
    qr/^connection reset while waiting for the answer$/);
row('split', at('split'), '', 'up', undef, $none, 'PONG');
row('drip', at('drip'), 'command "GET x";', 'timeout', 'timeout',
    qr/^timed out after 900 ms, while receiving the answer$/);
row('html', at('html'), '', 'down', 'protocol',
    qr/^${answer}Protocol error, got "H" as reply type byte$/);
row('negative', at('negative'), '', 'down', 'protocol', qr/^$answer/);
row('letters', at('letters'), '', 'down', 'protocol', qr/^$answer/);
# RESP3, which hiredis reads since 1.0
row('resp3', at('resp3'), '', 'down', 'protocol',
    qr/^$answer|^the answer to PING is "a\?b", expected PONG$/);
row('hugest', at('hugest'), '', 'down', 'protocol', qr/^$answer/);
row('long', at('long'), '', 'timeout', 'timeout', qr/receiving the answer$/);
row('huge', at('huge'), '', 'down', 'size',
    qr/^the answer has 2000000000 elements, more than max_body, 1048576 bytes, can hold$/);
row('huger', at('huger'), '', 'down', 'size',
    qr/^the answer has 2147483647 elements, more than max_body/);
row('elements', at('elements'), 'max_body 1m;', 'down', 'size',
    qr/^the answer is longer than max_body, 1048576 bytes$/);
row('elements-all', at('elements-all'), 'command "GET x"; max_body 2m; '
    . 'expect rows == 300000; expect value ~ ^1; expect size == 599999;',
    'up', undef, $none);
row('flood', at('flood'), 'command "GET x"; max_body 200k;', 'down', 'size',
    qr/^the answer is longer than max_body, 204800 bytes$/);
row('line', at('line'), '', 'down', 'protocol',
    qr/^${answer}a line of more than 16384 bytes$/);
row('deep', at('deep'), '', 'down', 'protocol', qr/deeper than 7$/);
row('nested', at('nested'), 'command "EXEC"; expect rows == 3; '
    . 'expect value == "a\n\n-7";', 'up', undef, $none, '3 rows: a  -7');
row('string', at('string'), '', 'up', undef, $none, 'PONG');
row('one', at('one'), '', 'down', 'protocol',
    qr/^the answer to PING is "1", expected PONG$/);
row('markup', at('markup'), '', 'down', 'protocol',
    qr/^the answer to PING is "<b>&\?\?", expected PONG$/);
row('many', at('many'), '', 'down', 'value',
    qr/^PING failed: ERR max number of clients reached$/);
row('many-auth', at('many', "one:$own@"), '', 'down', 'value',
    qr/^AUTH failed: ERR max number of clients reached$/);
row('unknown', at('unknown', "one:$own@"), '', 'down', 'auth',
    qr/^AUTH failed: ERR unknown command `AUTH`, .*`\*\*\*`/);
row('echo', at('echo', "one:$own@"), '', 'down', 'protocol',
    qr/^the answer to AUTH is of another kind$/);
row('odd', at('odd', '', '/1'), '', 'down', 'protocol',
    qr/^the answer to SELECT is of another kind$/);
row('odd-select', at('no-info', '', '/1'), 'command "GET x"; '
    . 'expect value == 5;', 'up', undef, $none);
row('no-info', at('no-info', '', '/1'), 'expect info role;', 'down',
    'protocol', qr/^the answer to INFO is of another kind$/);
row('empty-info', at('empty-info'), 'expect info role;', 'down', 'value',
    qr/^info role is missing$/, 'PONG');
row('odd-info', at('odd-info'), 'expect info role == master;', 'down',
    'value', qr/^info role is "<b>", expected == "master"$/,
    'Redis  <b>, PONG');
row('odd-lag', at('odd-info'), 'expect info replication_lag < 5;', 'down',
    'value', qr/^info replication_lag is missing$/);

my $checks = join '', map { "check $_->[0] \"$_->[1]\" { $_->[2] }\n" } @rows;

my $conf = <<"HTTP";
status_monitor m {
    interval 1s;
    timeout  900ms;
    fall     1;
    max_in_flight 200;
    max_per_host  100;
    $checks
}
status_monitor later {
    interval 500ms;
    fall     1;
    prefer   latency off;
    check up      ${\ at('main')} { }
    check lag     ${\ at('main')} { prefer info replication_lag < 2; }
    check replica ${\ at('replica')} { expect info master_link_status == up; }
    check locked  ${\ at('locked', ":$secret@")} { }
    check loading ${\ at('loading')} { }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
    location = /later { status_json later; }
    location /p/  { status_page m internal; }
}
HTTP


# ------------------------------------------------------------------ mistakes

for (
    [ 'redis://127.0.0.1/x', '', qr{"/x" in the URL is not the number of a database} ],
    [ 'redis://127.0.0.1/1/2', '', qr{"/1/2" in the URL is not the number of} ],
    [ 'redis://127.0.0.1/99999999999', '', qr{is not the number of a database} ],
    [ 'redis://127.0.0.1/-1', '', qr{"/-1" in the URL is not the number of} ],
    [ 'redis://127.0.0.1?db=1', '', qr{the URL has a "\?", expected redis://user:password\@host:port/database} ],
    [ 'redis://', '', qr/the URL has no host/ ],
    [ 'redis://user@127.0.0.1', '', qr/there is a username without a password/ ],
    [ 'redis://127.0.0.1', 'username x;', qr/there is a username without a password/ ],
    [ 'redis://127.0.0.1', 'command "GET \"a";', qr/"command" has a quote that is not closed before a space or the end/ ],
    [ 'redis://127.0.0.1', q(command "GET 'a'b";), qr/"command" has a quote that is not closed/ ],
    [ 'redis://127.0.0.1', 'command "  ";', qr/"command" is empty/ ],
    [ 'redis://127.0.0.1', q(command "'' a";), qr/"command" is empty/ ],
    [ 'redis://127.0.0.1', 'command "Subscribe a";', qr/"subscribe" can not be the command of a check: it has no single answer/ ],
    [ 'redis://127.0.0.1', 'command MONITOR;', qr/"monitor" can not be the command of a check: it has no single answer/ ],
    [ 'redis://127.0.0.1', "command 'AUTH $own';", qr/"auth" can not be the command of a check: "username" and "password" are for that/ ],
    [ 'redis://127.0.0.1', 'command GET health;', qr/invalid number of arguments in "command"/ ],
    [ 'redis://127.0.0.1', 'expect status 200;', qr/expected one of latency cert size rows value info/ ],
    [ 'redis://127.0.0.1', 'expect info;', qr/"info" needs the name of a field/ ],
    [ 'redis://127.0.0.1', 'expect info used_memory < 80%;', qr/"80%" has something behind the number that is not a unit of it/ ],
    [ 'http://127.0.0.1', 'expect info role == master;', qr/"info" is nothing that this check sees/ ],
    [ 'http://127.0.0.1', 'command PING;', qr/"command" is not for a check of type http, only for redis/ ],
    [ 'redis://127.0.0.1', 'family 5;', qr/invalid family "5", expected one of 4 6 any/ ],
    [ 'redis://127.0.0.1', 'family 6;', qr/"family 6" does not go with the address "127\.0\.0\.1"/ ],
    [ 'redis://127.0.0.1', 'expect cert > 7d;', qr/"expect cert" in a check without TLS/ ],
    [ 'rediss://127.0.0.1', 'tls_name "a b";', qr/"tls_name" is no name and no address/ ],
    [ 'rediss://127.0.0.1', 'tls_ca /nowhere/ca.pem;', qr{tls_ca: .*"/nowhere/ca.pem"} ],
) {
    my ($url, $directives, $error) = @$_;

    $t->conf("status_monitor m { check a $url { $directives } }");
    my ($ok, $text) = $t->test_conf;

    ok(!$ok && $text =~ $error, "refused: $url $directives") or diag($text);
    unlike($text, qr/$own/, 'and its secret is not told');
}

$t->allow(qr/\[emerg\]/);


# ------------------------------------------------------------------- running

$t->peer($port{ $_->[0] }, $_->[1]) for @peers;
$t->deaf(2);

ok(wait_for(sub { cli('main', 'INFO', 'replication') =~ /state=online/ }, 20),
   'the replica is one');

$t->conf($conf);
$t->run;

my $json = $t->rows_ok('/m', \@rows, [qw(error_class message seen)]);
is(join(' ', grep { $_ ne 'redis' } map { $_->{type} } @{ $json->{checks} }),
   '', 'all of one type');

my $c = check_of($json, 'tls');
cmp_ok($c->{phases_ms}{tls}, '>', 0, 'the handshake is a phase');
cmp_ok($c->{phases_ms}{wait}, '>', 0, 'and waiting is one');
ok($c->{cert}{days_left} == 60, 'there is a certificate');
is(check_of($json, 'ping')->{cert}, undef, 'and none without TLS');

sub becomes {
    my ($id, $state, $message, $name) = @_;
    ok($t->wait_check('/later', $id, sub {
           $_->{status} eq $state && $_->{message} =~ $message }, 15), $name);
}


# --------------------------------------------------- what a server comes to

kill 'STOP', $pid{replica};
becomes('lag', 'degraded', qr/^info replication_lag is "\d+", expected < 2$/,
        'a replica that stands still lags');
kill 'CONT', $pid{replica};
becomes('lag', 'up', $none, 'and catches up');

# a script that does not end

my $script = $t->daemon(sub { cli('locked', 'EVAL', 'while true do end', 0) });
becomes('locked', 'down', qr/^(AUTH|PING) failed: BUSY Redis is busy running a/,
        'a script holds the server');
ok(wait_for(sub { cli('locked', 'SCRIPT', 'KILL') =~ /OK/ }), 'it is ended');
becomes('locked', 'up', $none, 'and it is well again');
$t->kill_daemon($script);

# no place for more

cli('locked', 'CONFIG', 'SET', 'maxclients', 1);
my $client = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                   PeerPort => port_of('locked'));
becomes('locked', 'down', qr/^AUTH failed: ERR max number of clients reached$/,
        'too many clients');
close $client;

# a large file is read

cli('loading', 'DEBUG', 'POPULATE', 1500);
cli('loading', 'SAVE');
stop('loading');
becomes('loading', 'down', qr/^connection refused$/, 'stopped: down');
ok(start('loading', 'key-load-delay' => 2000, dbfilename => 'dump.rdb',
         'loading-process-events-interval-bytes' => 1024),
   'started again, with a file to read');
becomes('loading', 'down', qr/^PING failed: LOADING Redis is loading the /,
        'that it reads it is said');
becomes('loading', 'up', $none, 'and up when it has');

# the master goes, and comes back

stop('main');
becomes('up', 'down', qr/^connection refused$/, 'stopped: down');
becomes('replica', 'down', qr/^info master_link_status is "down", /,
        'which its replica knows');
ok(start('main'), 'it runs again');
becomes('up', 'up', $none, 'up again');
becomes('replica', 'up', $none, 'and the replica with it');

# a reload in the middle

$t->reload;
stop('main');
becomes('up', 'down', qr/^connection refused$/, 'goes on after a reload');

# nothing of this is anywhere

for ([ 'JSON' => $t->get('/m')->{body} ],
     [ 'page' => $t->get('/p/')->{body} ],
     [ 'page of a check' => $t->get('/p/check/unknown')->{body} ],
     [ 'log' => $t->log ])
{
    my ($what, $text) = @$_;
    ok(length $text && $text !~ /$own|$secret|not-that/, "no secret in $what");
}

$t->finish;
