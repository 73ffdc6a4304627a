#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# ldap and mqtt against the servers that people run.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Pki;
use Servers;

plan(skip_all => 'no openssl') if system('openssl version >/dev/null 2>&1');

my $t = NgxStatus->new;
my $dir = $t->dir;
my $pki = Pki->new($dir);

$pki->authority('own');
$pki->certificate('good', 'DNS:good.test,IP:127.0.0.1', 60 * 86400);

my $servers = Servers->new($t, 'good');
my (%missing, %port, @rows);
my $next = 10;

for ([ slapd => 'ldap', 'ldaps' ], [ mosquitto => 'mqtt', 'mqtts' ]) {
    my ($server, @spoken) = @$_;
    my %of = map { $_ => $next++ } @spoken;
    %port = (%port, %of);
    $missing{$server} = $servers->start($server, %of);
}

$t->write_file('password', "$Servers::password\n", raw => 1);
my $encoded = $Servers::password =~ s/([^a-z0-9])/sprintf '%%%02X', ord $1/gier;

my $ca = 'tls_ca %%TESTDIR%%/own.pem;';
my $login = "username $Servers::user; password file:%%TESTDIR%%/password;";
my $dn = "cn=$Servers::user,dc=example,dc=test";
my $bind = qq(username "$dn"; password file:%%TESTDIR%%/password;);

# [ id, URL, directives, server, state, error, message, seen ]

sub row {
    my ($id, $url, $more, $server, @want) = @_;
    $url =~ s/\bHERE\.(\w+)/127.0.0.1:%%PORT_$port{$1}%%/;
    $url =~ s/\bTHERE\.(\w+)/good.test:%%PORT_$port{$1}%%/
        and $more .= ' resolve 127.0.0.1;';
    if ($missing{$server}) {
        SKIP: { skip "$id: $missing{$server}", 1 }
        return;
    }
    push @rows, [ $id, $url, $more, @want ];
}

my @up = ('up', undef, qr/^$/);
my @denied = ('down', 'auth');

row('ldap', 'ldap://HERE.ldap', '', 'slapd', @up, qr/^0 success$/);
row('ldap-slash', 'ldap://HERE.ldap/', '', 'slapd', @up);
row('ldap-login', 'ldap://HERE.ldap', $bind, 'slapd', @up);
row('ldap-login-url', "ldap://$dn:$encoded\@HERE.ldap", '', 'slapd', @up);
row('ldap-denied', "ldap://$dn:wrong\@HERE.ldap", '', 'slapd', @denied,
    qr/^login denied: 49 invalidCredentials$/);
row('ldap-dn', 'ldap://nobody:wrong@HERE.ldap', '', 'slapd', @denied,
    qr/^login denied: 34 invalidDNSyntax: invalid DN$/);
row('ldap-entry', 'ldap://HERE.ldap/cn=Subschema', '', 'slapd', @up);
row('ldap-none', 'ldap://HERE.ldap/dc=none,dc=test', '', 'slapd',
    'down', 'status', qr/^the search answered "32 noSuchObject"$/);
row('ldap-secure', 'ldap://THERE.ldap', "$bind $ca", 'slapd', @up);
row('ldap-secure-no', 'ldap://THERE.ldap', $bind, 'slapd', 'down', 'tls',
    qr/^certificate/);
row('ldaps', 'ldaps://THERE.ldaps', "$bind $ca", 'slapd', @up);
row('ldaps-cert', 'ldaps://THERE.ldaps', "$ca prefer cert > 90d;", 'slapd',
    'degraded', 'cert', qr/^certificate has 59 days left/);
row('ldap-http', 'ldap://127.0.0.1:%%PORT_0%%', '', 'slapd',
    'down', 'protocol', qr/^answer is not LDAP's$/);

row('mqtt', 'mqtt://HERE.mqtt', '', 'mosquitto', @up,
    qr/^connection accepted$/);
row('mqtt-login', 'mqtt://HERE.mqtt', $login, 'mosquitto', @up);
row('mqtt-login-url', "mqtt://me:$encoded\@HERE.mqtt", '', 'mosquitto', @up);
row('mqtt-denied', 'mqtt://me:wrong@HERE.mqtt', '', 'mosquitto', @denied,
    qr/^login denied: 5 not authorized$/);
row('mqtt-topic', 'mqtt://HERE.mqtt/$SYS/broker/version', '', 'mosquitto',
    @up);
row('mqtt-message', 'mqtt://HERE.mqtt/$SYS/broker/version',
    'expect body ~ "^mosquitto version"; expect size > 10;', 'mosquitto', @up,
    qr/^mosquitto version/);
row('mqtt-other', 'mqtt://HERE.mqtt/$SYS/broker/version',
    'expect body contains emqx;', 'mosquitto', 'down', 'content',
    qr/^body does not contain "emqx"/);
row('mqtt-wild', 'mqtt://HERE.mqtt/$SYS/%23', "$login expect size > 0;",
    'mosquitto', @up);
row('mqtt-never', 'mqtt://HERE.mqtt/no/such', "$login expect size > 0;",
    'mosquitto', 'timeout', 'timeout',
    qr/^timed out after 2000 ms, while waiting for a message$/);
row('mqtts', 'mqtts://THERE.mqtts', "$login $ca", 'mosquitto', @up);
row('mqtts-distrust', 'mqtts://THERE.mqtts', '', 'mosquitto', 'down', 'tls',
    qr/^certificate/);
row('mqtt-clear', 'mqtt://THERE.mqtt', "$login secure off;", 'mosquitto',
    @up);

# through a way that takes its time

for ([ ldap => 'slapd' ], [ mqtt => 'mosquitto' ]) {
    my ($type, $server) = @$_;
    my $slow = $next++;
    $servers->slow($slow, $port{$type}, 0.12) unless $missing{$server};
    row("$type-slow", "$type://127.0.0.1:%%PORT_$slow%%",
        'prefer latency < 100ms;', $server, 'degraded', 'latency',
        qr/^latency .*, expected < 100ms$/);
}

my $checks = join '', map { "check $_->[0] \"$_->[1]\" { $_->[2] }\n" } @rows;

$t->conf(<<"HTTP");
status_monitor m {
    interval 2s;
    fall     1;
    max_in_flight 200;
    max_per_host  100;
$checks
}

server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
}
HTTP

$t->run;

my $all = $t->wait_json('/m', sub {
    my %is = map { $_->{id} => $_->{status} } @{ $_->{checks} };
    !grep { $is{ $_->[0] } ne $_->[3] } @rows;
}, 20) // $t->json('/m');

for (@rows) {
    my ($id, $url, $more, $state, $error, $message, $seen) = @$_;
    my $c = check_of($all, $id);

    my $right = $c->{status} eq $state && ($c->{result} // '') eq $state
        && ($c->{error_class} // '') eq ($error // '')
        && $c->{message} =~ $message && ($c->{seen} // '') =~ ($seen // qr//);
    ok($right, "$id: $state") or diag(explain({ map { $_ => $c->{$_} }
        qw(status result error_class message seen latency_ms phases_ms) }));
    ok($c->{cert_expires_at}, "$id: the certificate is known")
        if $state eq 'up' && $more =~ /tls_ca/;
}

# nobody is left without a goodbye

SKIP: {
    skip $missing{mosquitto}, 2 if $missing{mosquitto};
    my $log = $t->read_file('mqtt/log');
    like($log, qr/Client ngxstatus[0-9a-f]{14} disconnected/,
         'mosquitto is told goodbye');
    unlike($log, qr/Client ngxstatus\S+ (?!disconnected|closed)/,
           'and does not wonder');
}

# stopped and started

for ([ slapd => qw(ldap ldaps) ], [ mosquitto => qw(mqtt mqtts) ]) {
    my ($server, @ids) = @$_;
    next if $missing{$server};

    $servers->stop($server);
    for my $id (@ids) {
        my $c = $t->wait_check('/m', $id, sub { $_->{status} eq 'down' });
        like($c->{message}, qr/^connection (refused|reset|closed)/,
             "$server stopped: $id down");
    }
    is($servers->start($server), '', "$server starts again");
    ok($t->wait_check('/m', $_, sub { $_->{status} eq 'up' }), "$_ up")
        for @ids;
}

$servers->stop_all;
$t->finish;
