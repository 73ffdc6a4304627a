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
use Servers;

my $t = NgxStatus->new;
my $servers = Servers->new($t);
my ($ca, $login, $encoded)
    = ($Servers::ca, $Servers::login, $Servers::encoded);
my $dn = "cn=$Servers::user,dc=example,dc=test";
my $bind = qq(username "$dn"; password file:%%TESTDIR%%/password;);

$servers->start(slapd => 'ldap', 'ldaps');
$servers->start(mosquitto => 'mqtt', 'mqtts');

sub row { $servers->row(@_) }

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

$servers->slow_row(ldap => 'slapd');
$servers->slow_row(mqtt => 'mosquitto');

$servers->run;

# nobody is left without a goodbye

SKIP: {
    my $why = $servers->missing('mosquitto');
    skip $why, 2 if $why;
    my $log = $t->read_file('mqtt/log');
    like($log, qr/Client ngxstatus[0-9a-f]{14} disconnected/,
         'mosquitto is told goodbye');
    unlike($log, qr/Client ngxstatus\S+ (?!disconnected|closed)/,
           'and does not wonder');
}

$servers->comes_and_goes(slapd => 'ldap', 'ldaps');
$servers->comes_and_goes(mosquitto => 'mqtt', 'mqtts');

$servers->stop_all;
$t->finish;
