#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# smtp, imap, pop3, ftp, ldap and mqtt with peers that do it wrong, or in a
# way that real servers rarely do; and what their checks can not be.

use strict;
use warnings;

use FindBin;
use MIME::Base64 qw(encode_base64);
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;
my (@rows, @fakes);
my $next = 10;

# A fake says the first text, then another one for each thing that it is told
# (lines, or for the binary ones all that comes at once), and may look at
# that: [ qr/what is told/, text ].  At the end it holds the line, or does as
# the word says.  "drip" is a byte at a time.

sub fake {
    my ($id, $url, $more, $texts, @want) = @_;
    my $port = $next++;
    my ($end) = grep { !ref && /^(close|reset|drip|hold)$/ } @$texts;
    push @fakes, [ $port, $end // 'hold',
                   grep { ref || !/^(close|reset|drip|hold)$/ } @$texts ];
    $url =~ s/HERE/127.0.0.1:%%PORT_$port%%/;
    push @rows, [ $id, $url, $more, @want ];
}

my @up = ('up', undef, qr/^$/);
my @denied = ('down', 'auth');
my $me = 'username me; password "hunter2secret";';
my $b64 = encode_base64("\0me\0hunter2secret", '');
my $late = 'timed out after 900 ms, while waiting for';

# smtp

my $hello = "250-fake\r\n250-AUTH LOGIN PLAIN X\r\n250 HELP\r\n";

fake('smtp', 'smtp://HERE/me.test', '', [ "220 hi\r\n",
     [ qr/^EHLO me\.test\r\n$/, "250 hi\r\n" ], [ qr/^NOOP\r\n$/, "250\r\n" ] ],
     @up);
fake('smtp-drip', 'smtp://HERE', $me, [ 'drip', "220-hi\r\n220 hi\r\n",
     $hello, [ qr/^AUTH PLAIN \Q$b64\E\r\n$/, "235 in\r\n" ], "250 ok\r\n" ],
     @up);
fake('smtp-login', 'smtp://HERE', $me, [ "220 hi\n",
     "250-fake\n250 AUTH=LOGIN\n", [ qr/^AUTH LOGIN\r\n/, "334 VXNlcg==\n" ],
     [ qr/^bWU=\r\n/, "334 UGFzcw==\n" ],
     [ qr/^aHVudGVyMnNlY3JldA==\r\n$/, "235 in\n" ], "250 ok\n" ], @up);
fake('smtp-helo', 'smtp://HERE', '', [ "220 hi\r\n", "502 what?\r\n",
     [ qr/^HELO /, "250 hi\r\n" ], "250 ok\r\n" ], @up);
fake('smtp-helo-login', 'smtp://HERE', $me, [ "220 hi\r\n", "502 what?\r\n",
     "250 hi\r\n", [ qr/QUIT/, '' ] ], @denied,
     qr/^no login: server offers neither AUTH PLAIN nor LOGIN$/);
fake('smtp-no-plain', 'smtp://HERE', $me, [ "220 hi\r\n",
     "250-AUTH CRAM-MD5 PLAINER\r\n250 OK\r\n" ], @denied,
     qr/^no login: server offers neither/);
fake('smtp-busy', 'smtp://HERE', '', [ 'close', "421 too many\r\n" ],
     'down', 'status', qr/^greeting is "421 too many"$/);
fake('smtp-later', 'smtp://HERE', '', [ "220 hi\r\n", "421 bye\r\n" ],
     'down', 'status', qr/^EHLO answered "421 bye"$/);
fake('smtp-http', 'smtp://HERE', '', [ "HTTP/1.1 400 Bad <b>\r\n\r\n" ],
     'down', 'protocol', qr{^greeting is "HTTP/1\.1 400 Bad <b>"$});
fake('smtp-noop', 'smtp://HERE', '', [ "220 hi\r\n", "250 hi\r\n",
     "500 never heard\r\n" ], 'down', 'status',
     qr/^status 500, expected 200-299$/);
fake('smtp-noop-fine', 'smtp://HERE', 'expect status 500;', [ "220 hi\r\n",
     "250 hi\r\n", "500 never heard\r\n" ], @up);
fake('smtp-mute', 'smtp://HERE', '', [ '' ], 'timeout', 'timeout',
     qr/^$late the greeting$/);
fake('smtp-half', 'smtp://HERE', '', [ "220-hi\r\n22" ], 'timeout', 'timeout',
     qr/^$late the greeting$/);
fake('smtp-mute-ehlo', 'smtp://HERE', '', [ "220 hi\r\n" ],
     'timeout', 'timeout', qr/^$late the answer to EHLO$/);
fake('smtp-mute-auth', 'smtp://HERE', $me, [ "220 hi\r\n", $hello ],
     'timeout', 'timeout', qr/^$late the answer to AUTH PLAIN$/);
fake('smtp-mute-noop', 'smtp://HERE', '', [ "220 hi\r\n", $hello ],
     'timeout', 'timeout', qr/^$late the answer to NOOP$/);
fake('smtp-shut', 'smtp://HERE', '', [ 'close', "220 hi\r\n" ],
     'down', 'reset', qr/^connection closed while waiting for the (answer to EHLO)$|^connection reset while/);
fake('smtp-reset', 'smtp://HERE', '', [ 'reset', "220 hi\r\n", $hello ],
     'down', 'reset', qr/^connection (reset|closed) while/);
fake('smtp-endless', 'smtp://HERE', '', [ "220-hi\r\n" x 20000 ],
     'down', 'protocol', qr/^128 kB came without the greeting$/);
fake('smtp-line', 'smtp://HERE', '', [ 'x' x 200000 ],
     'down', 'protocol', qr/^128 kB came without the greeting$/);
fake('smtp-echo', 'smtp://HERE', $me, [ "220 hi\r\n", $hello,
     "535 AUTH PLAIN $b64 for hunter2secret?\r\n" ], @denied,
     qr/^login denied: 535 AUTH PLAIN \*\*\* for \*\*\*\?$/);
fake('smtp-bytes', 'smtp://HERE', '', [ "554 \xff\0\x1b[1m\xc3\xa9\r\n" ],
     'down', 'status', qr/^greeting is "554 \?\?\?\[1m\x{e9}"$/);
fake("$_-mute", "$_://HERE", 'tls_verify off;', [ '' ], 'timeout', 'timeout',
     qr/^timed out after 900 ms, while in the TLS handshake$/)
    for qw(smtps imaps pop3s ftps ldaps mqtts);
fake('smtp-secure-no', 'smtp://HERE', "secure on; tls_verify off;",
     [ "220 hi\r\n", "250 hi\r\n" ], 'down', 'tls',
     qr/^server does not offer STARTTLS$/);

# a server that can not judge now has not denied the login

fake('smtp-passing', 'smtp://HERE', $me, [ "220 hi\r\n", $hello,
     "454 4.7.0 try later\r\n" ], 'down', 'status',
     qr/^AUTH PLAIN answered "454 4\.7\.0 try later"$/);
fake('smtp-mechanism', 'smtp://HERE', $me, [ "220 hi\r\n", $hello,
     "504 5.5.4 what is PLAIN?\r\n" ], @denied,
     qr/^login denied: 504 5\.5\.4 what is PLAIN\?$/);
fake('smtp-challenge', 'smtp://HERE', $me, [ "220 hi\r\n", $hello,
     "334 go on\r\n" ], @denied, qr/^login denied: 334 go on$/);
fake('smtp-never', 'smtp://HERE', '', [ "554 not for you\r\n" ],
     'down', 'status', qr/^greeting is "554 not for you"$/);

# STARTTLS: agreed upon, and then not TLS; words behind the agreement

my $secure = 'secure on; tls_verify off; username me; password x;';
my $injected = qr/^more came in the clear when TLS was to begin$/;
my $offer = "250-hi\r\n250 STARTTLS\r\n";

fake('smtp-broken', 'smtp://HERE', $secure, [ "220 hi\r\n", $offer,
     "220 go\r\n", "500 what?\r\n" ], 'down', 'tls',
     qr/^TLS handshake failed: /);
fake('smtp-mute-tls', 'smtp://HERE', $secure, [ "220 hi\r\n", $offer,
     "220 go\r\n" ], 'timeout', 'timeout',
     qr/^timed out after 900 ms, while in the TLS handshake$/);
fake('smtp-shut-tls', 'smtp://HERE', $secure, [ 'close', "220 hi\r\n",
     $offer, "220 go\r\n" ], 'down', 'reset',
     qr/^connection (closed|reset) while in the TLS handshake$/);
fake('smtp-inject', 'smtp://HERE', $secure, [ "220 hi\r\n", $offer,
     "220 go\r\n250-fake\r\n250 AUTH PLAIN\r\n" ], 'down', 'protocol',
     $injected);
fake('smtp-secure-denied', 'smtp://HERE', $secure, [ "220 hi\r\n", $offer,
     "454 no TLS now\r\n" ], 'down', 'tls', qr/454 no TLS now/);
fake('imap-inject', 'imap://HERE', $secure, [ "* OK hi\r\n",
     "a OK go\r\n* PREAUTH in\r\n" ], 'down', 'protocol', $injected);
fake('imap-preauth-tls', 'imap://HERE', $secure, [ "* PREAUTH hi\r\n" ],
     'down', 'protocol', qr/PREAUTH hi/);
fake('imap-secure-no', 'imap://HERE', $secure, [ "* OK hi\r\n",
     "a NO never\r\n" ], 'down', 'tls', qr/a NO never/);
fake('pop3-inject', 'pop3://HERE', $secure, [ "+OK hi\r\n",
     "+OK go\r\n+OK\r\n" ], 'down', 'protocol', $injected);
fake('ftp-inject', 'ftp://HERE', $secure, [ "220 hi\r\n",
     "234 go\r\n331 and?\r\n" ], 'down', 'protocol', $injected);
fake('ftp-secure-no', 'ftp://HERE', $secure, [ "220 hi\r\n",
     "502 what?\r\n" ], 'down', 'tls', qr/502 what\?/);
fake('ldap-inject', 'ldap://cn=me:x@HERE', 'secure on; tls_verify off;',
     [ '', "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
       . "\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00" ],
     'down', 'protocol', $injected);

# imap

fake('imap', 'imap://HERE', $me, [ "* OK hi\r\n",
     [ qr/^a LOGIN "me" "hunter2secret"\r\n$/,
       "* CAPABILITY X\r\n* OK x\r\na OK in\r\n" ],
     [ qr/^b NOOP\r\n$/, "* 3 EXISTS\r\nb OK\r\n" ], [ qr/^c LOGOUT/, '' ] ],
     @up);
fake('imap-preauth', 'imap://HERE', $me, [ "* PREAUTH hi\r\n",
     [ qr/^b NOOP/, "b ok x\r\n" ] ], @up);
fake('imap-bye', 'imap://HERE', '', [ "* BYE too many\r\n" ],
     'down', 'status', qr/^greeting is "\* BYE too many"$/);
fake('imap-bye-later', 'imap://HERE', $me, [ 'close', "* OK\r\n",
     "* BYE off\r\n" ], 'down', 'status', qr/^LOGIN answered "\* BYE off"$/);
fake('imap-passing', 'imap://HERE', $me, [ "* OK\r\n",
     "a NO [UNAVAILABLE] later\r\n" ], 'down', 'status',
     qr/^LOGIN answered "a NO \[UNAVAILABLE\] later"$/);
fake('imap-mechanism', 'imap://HERE', $me, [ "* OK\r\n",
     "a NO [PRIVACYREQUIRED] only in TLS\r\n" ], @denied,
     qr/^login denied: a NO \[PRIVACYREQUIRED\] only in TLS$/);
fake('imap-drip', 'imap://HERE', $me, [ 'drip', "* OK hi\r\n",
     "* X\r\na OK in\r\n", "b OK\r\n" ], @up);
fake('imap-mute-greeting', 'imap://HERE', '', [ '' ], 'timeout', 'timeout',
     qr/^$late the greeting$/);
fake('imap-mute-noop', 'imap://HERE', $me, [ "* OK hi\r\n", "a OK\r\n" ],
     'timeout', 'timeout', qr/^$late the answer to NOOP$/);
fake('imap-http', 'imap://HERE', '', [ "HTTP/1.1 400 Bad\r\n" ],
     'down', 'protocol', qr{^greeting is "HTTP/1\.1 400 Bad"$});
fake('imap-no', 'imap://HERE', '', [ "* OK hi\r\n", "b NO\r\n" ],
     'down', 'status', qr/^NOOP answered "b NO"$/);
fake('imap-tag', 'imap://HERE', '', [ "* OK hi\r\n", "a OK\r\n" ],
     'down', 'protocol', qr/^NOOP answered "a OK"$/);
fake('imap-mute', 'imap://HERE', $me, [ "* OK hi\r\n" ],
     'timeout', 'timeout', qr/^$late the answer to LOGIN$/);
fake('imap-echo', 'imap://HERE', 'username me; password "hun\"ter2secret";',
     [ "* OK hi\r\n",
       [ qr/"hun\\"ter2secret"/, "a BAD hun\\\"ter2secret\r\n" ] ],
     @denied, qr/^login denied: a BAD \*\*\*$/);

# pop3

fake('pop3', 'pop3://HERE', '', [ "+OK hi\r\n", [ qr/^QUIT\r\n$/, '' ] ],
     @up);
fake('pop3-in', 'pop3://HERE', $me, [ 'drip', "+OK <1\@a>\r\n",
     [ qr/^USER me\r\n$/, "+OK\r\n" ],
     [ qr/^PASS hunter2secret\r\n$/, "+OK in\r\n" ],
     [ qr/^NOOP/, "+OK\r\n" ] ], @up);
fake('pop3-busy', 'pop3://HERE', '', [ "-ERR busy\r\n" ],
     'down', 'status', qr/^greeting is "-ERR busy"$/);
fake('pop3-user', 'pop3://HERE', $me, [ "+OK\r\n", "-ERR who?\r\n" ],
     @denied, qr/^login denied: -ERR who\?$/);
fake('pop3-passing', 'pop3://HERE', $me, [ "+OK\r\n", "+OK\r\n",
     "-ERR [SYS/TEMP] later\r\n" ], 'down', 'status',
     qr/^PASS answered "-ERR \[SYS\/TEMP\] later"$/);
fake('pop3-mute', 'pop3://HERE', '', [ '' ], 'timeout', 'timeout',
     qr/^$late the greeting$/);
fake('pop3-mute-user', 'pop3://HERE', $me, [ "+OK\r\n" ], 'timeout',
     'timeout', qr/^$late the answer to USER$/);
fake('pop3-mute-pass', 'pop3://HERE', $me, [ "+OK\r\n", "+OK\r\n" ],
     'timeout', 'timeout', qr/^$late the answer to PASS$/);
fake('pop3-mute-noop', 'pop3://HERE', $me, [ "+OK\r\n", "+OK\r\n",
     "+OK\r\n" ], 'timeout', 'timeout', qr/^$late the answer to NOOP$/);
fake('pop3-noop', 'pop3://HERE', $me, [ "+OK\r\n", "+OK\r\n", "+OK\r\n",
     "-ERR no\r\n" ], 'down', 'status', qr/^NOOP answered "-ERR no"$/);
fake('pop3-odd', 'pop3://HERE', $me, [ "+OK\r\n", "+OKAY\r\n" ],
     'down', 'protocol', qr/^USER answered "\+OKAY"$/);

# ftp

fake('ftp', 'ftp://HERE', '', [ "120 soon\r\n220-hi\r\n  230 users\r\n"
     . "221 x\r\n220 ready\r\n", [ qr/^USER anonymous\r\n$/, "331 and?\r\n" ],
     [ qr/^PASS anonymous\@\r\n$/, "230-in\r\n230 in\r\n" ],
     [ qr/^NOOP\r\n$/, "200 ok\r\n" ] ], @up);
fake('ftp-open', 'ftp://HERE', $me, [ "220 hi\r\n",
     [ qr/^USER me\r\n/, "230 come in\r\n" ], "200 ok\r\n" ], @up);
fake('ftp-account', 'ftp://HERE', $me, [ "220 hi\r\n", "331 and?\r\n",
     "332 need account\r\n" ], @denied,
     qr/^login denied: 332 need account$/);
fake('ftp-full', 'ftp://HERE', '', [ "530 full\r\n" ],
     'down', 'status', qr/^greeting is "530 full"$/);
fake('ftp-passing', 'ftp://HERE', $me, [ "220 hi\r\n", "331 and?\r\n",
     "421 too many\r\n" ], 'down', 'status',
     qr/^PASS answered "421 too many"$/);
fake('ftp-drip', 'ftp://HERE', $me, [ 'drip', "220-hi\r\n220 hi\r\n",
     "331 and?\r\n", "230 in\r\n", "200 ok\r\n" ], @up);
fake('ftp-noop', 'ftp://HERE', $me, [ "220 hi\r\n", "230 in\r\n",
     "500 no\r\n" ], 'down', 'status', qr/^status 500, expected 200-299$/);
fake('ftp-http', 'ftp://HERE', '', [ "HTTP/1.1 400 Bad\r\n" ],
     'down', 'protocol', qr{^greeting is "HTTP/1\.1 400 Bad"$});
fake('ftp-mute-greeting', 'ftp://HERE', '', [ '' ], 'timeout', 'timeout',
     qr/^$late the greeting$/);
fake('ftp-mute-user', 'ftp://HERE', '', [ "220 hi\r\n" ], 'timeout',
     'timeout', qr/^$late the answer to USER$/);
fake('ftp-mute-noop', 'ftp://HERE', '', [ "220 hi\r\n", "230 in\r\n" ],
     'timeout', 'timeout', qr/^$late the answer to NOOP$/);
fake('ftp-mute', 'ftp://HERE', '', [ "220 hi\r\n", "331 and?\r\n" ],
     'timeout', 'timeout', qr/^$late the answer to PASS$/);

# ldap

my $bound = "\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00";
my $found = "\x30\x0c\x02\x01\x03\x65\x07\x0a\x01\x00\x04\x00\x04\x00";
my $entry = "\x30\x84\x00\x00\x00\x09\x02\x01\x03\x64\x04\x04\x00\x30\x00";
my $notice = "\x30\x34\x02\x01\x00\x78\x2f\x0a\x01\x34\x04\x00\x04\x0e"
             . "going to <bed>\x8a\x181.3.6.1.4.1.1466.20036abc";

fake('ldap', 'ldap://HERE', '', [ '',
     [ qr/^\x30.*\x63.*objectClass\x30\x05\x04\x031\.1$/s, $entry . $found ],
     [ qr/\x42\x00$/, '' ] ], @up);
fake('ldap-drip', 'ldap://cn=me:x@HERE', '', [ 'drip', '',
     [ qr/\x60.*cn=me\x80.*x$/s, $bound ], $entry . $found ], @up);
# 10 with "ldap://b", 51, 49, 53 as the answer to the bind or the search

my $answer = sub {
    my ($id, $what, $code, $more) = @_;
    my $in = "\x02\x01$id$what" . chr(7 + length $more)
             . "\x0a\x01" . chr($code) . "\x04\x00\x04\x00$more";
    return "\x30" . chr(length $in) . $in;
};
my $there = "\xa3\x0a\x04\x08ldap://b";

fake('ldap-referral', 'ldap://HERE/dc=b', '',
     [ '', $answer->("\x03", "\x65", 10, $there) ], 'down', 'status',
     qr/^the search answered "10 referral"$/);
fake('ldap-elsewhere', 'ldap://HERE', '', [ '', "\x30\x0f\x02\x01\x03\x73\x0a"
     . "\x04\x08ldap://b$found" ], @up);
fake('ldap-bind-elsewhere', 'ldap://cn=me:x@HERE', '',
     [ '', $answer->("\x02", "\x61", 10, $there) ], 'down', 'status',
     qr/^the bind answered "10 referral"$/);
fake('ldap-busy', 'ldap://cn=me:x@HERE', '',
     [ '', $answer->("\x02", "\x61", 51, '') ], 'down', 'status',
     qr/^the bind answered "51 busy"$/);
fake('ldap-denied', 'ldap://cn=me:x@HERE', '',
     [ '', $answer->("\x02", "\x61", 49, '') ], @denied,
     qr/^login denied: 49 invalidCredentials$/);
fake('ldap-anonymous', 'ldap://cn=me:x@HERE', '',
     [ '', $answer->("\x02", "\x61", 53, '') ], @denied,
     qr/^login denied: 53 unwillingToPerform$/);
fake('ldap-text', 'ldap://HERE', '', [ "220 hi\r\n" ],
     'down', 'protocol', qr/^answer is not LDAP's$/);
fake('ldap-id', 'ldap://HERE', '', [ '', $bound ],
     'down', 'protocol', qr/^answer is not LDAP's$/);
fake('ldap-notice', 'ldap://HERE', '', [ '', $notice ],
     'down', 'status', qr/^server closes: 52 unavailable: going to <bed>$/);
fake('ldap-big', 'ldap://HERE', '', [ '', "\x30\x84\x7f\xff\xff\xff" ],
     'down', 'protocol', qr/^answer is not LDAP's$/);
fake('ldap-more', 'ldap://HERE', '', [ '', $entry x 10000 ],
     'down', 'protocol', qr/^128 kB came without the answer to the search$/);
fake('ldap-mute', 'ldap://cn=me:x@HERE', '', [ '' ], 'timeout', 'timeout',
     qr/^$late the answer to the bind$/);
fake('ldap-mute-search', 'ldap://cn=me:x@HERE', '', [ '', $bound ],
     'timeout', 'timeout', qr/^$late the answer to the search$/);

# mqtt

my $ack = "\x20\x02\x00\x00";
my $sub = "\x90\x03\x00\x01\x00";
my $pong = "\xd0\x00";
my $news = "\x30\x0a\x00\x03a/bhello";

fake('mqtt', 'mqtt://HERE', '', [ '',
     [ qr/^\x10\x23\x00\x04MQTT\x04\x02\x00\x3c\x00\x17ngxstatus[0-9a-f]{14}$/,
       $ack ], [ qr/^\xc0\x00$/, $pong ], [ qr/^\xe0\x00$/, '' ] ], @up);
fake('mqtt-drip', 'mqtt://me:x@HERE/a/b', 'expect body == hello; '
     . 'expect size == 5;', [ 'drip', '', [ qr/\x00\x02me\x00\x01x$/, $ack ],
     [ qr{^\x82\x08\x00\x01\x00\x03a/b\x00$}, "$sub$news" ] ], @up);
fake('mqtt-early', 'mqtt://HERE/a/b', 'expect body == hello;',
     [ '', $ack, $news ], @up);
fake('mqtt-qos', 'mqtt://HERE/a/b', 'expect body == hello;',
     [ '', $ack, "$sub\x32\x0c\x00\x03a/b\x00\x07hello" ], @up);
fake('mqtt-long', 'mqtt://HERE/a/b', 'expect size == 1000000; '
     . 'expect body contains yyy;', [ '', $ack, "$sub\x30\xc5\x84\x3d\x00\x03a/b"
     . 'y' x 100000 ], @up);
fake('mqtt-denied', 'mqtt://HERE', '', [ '', "\x20\x02\x00\x04" ],
     @denied, qr/^login denied: 4 bad user name or password$/);
fake('mqtt-busy', 'mqtt://HERE', '', [ '', "\x20\x02\x00\x03" ],
     'down', 'status', qr/^CONNECT answered "3 server unavailable"$/);
fake('mqtt-version', 'mqtt://HERE', '', [ '', "\x20\x02\x00\x01" ], 'down',
     'status', qr/^CONNECT answered "1 unacceptable protocol version"$/);
fake('mqtt-name', 'mqtt://HERE', '', [ '', "\x20\x02\x00\x02" ], 'down',
     'status', qr/^CONNECT answered "2 identifier rejected"$/);
fake('mqtt-forbidden', 'mqtt://me:x@HERE', '', [ '', "\x20\x02\x00\x05" ],
     @denied, qr/^login denied: 5 not authorized$/);
fake('mqtt-new', 'mqtt://HERE', '', [ '', "\x20\x02\x00\x84" ],
     'down', 'status', qr/^CONNECT answered "132 unknown code"$/);
fake('mqtt-patient', 'mqtt://HERE/a', 'interval 2h; timeout 90s; '
     . 'expect body == hello;', [ '',
     [ qr/\x04MQTT\x04\x02\x00\x5b/, $ack ], "$sub\x30\x08\x00\x01ahello" ],
     @up);
fake('mqtt-soon', 'mqtt://HERE', '', [ '', $news ], 'down', 'protocol',
     qr/^answer is not MQTT's$/);
fake('mqtt-topic', 'mqtt://HERE/a', '', [ '', $ack, "\x90\x03\x00\x01\x80" ],
     'down', 'status', qr/^SUBSCRIBE answered "failure"$/);
fake('mqtt-ssh', 'mqtt://HERE', '', [ "SSH-2.0-OpenSSH_9.2\r\n" . 'x' x 99 ],
     'down', 'protocol', qr/^answer is not MQTT's$/);
fake('mqtt-odd', 'mqtt://HERE', '', [ '', "$ack\x20\x02\x00\x00" ],
     'down', 'protocol', qr/^answer is not MQTT's$/);
fake('mqtt-length', 'mqtt://HERE', '', [ '', "\x20\xff\xff\xff\xff\x01" ],
     'down', 'protocol', qr/^answer is not MQTT's$/);
fake('mqtt-empty', 'mqtt://HERE/a/b', 'expect body == x;',
     [ '', $ack, "$sub\x30\x00" ], 'down', 'protocol',
     qr/^answer is not MQTT's$/);
fake('mqtt-mute', 'mqtt://HERE', '', [ '' ], 'timeout', 'timeout',
     qr/^$late the answer to CONNECT$/);
fake('mqtt-mute-ping', 'mqtt://HERE', '', [ '', $ack ], 'timeout', 'timeout',
     qr/^$late the answer to PINGREQ$/);
fake('mqtt-mute-topic', 'mqtt://HERE/a', '', [ '', $ack ], 'timeout',
     'timeout', qr/^$late the answer to SUBSCRIBE$/);
fake('mqtt-mute-message', 'mqtt://HERE/a', 'expect size > 1;',
     [ '', $ack, $sub ], 'timeout', 'timeout', qr/^$late a message$/);

# the connection goes, at once and later

for ([ imap => "* OK hi\r\n" ], [ pop3 => "+OK hi\r\n" ],
     [ ftp => "220 hi\r\n" ], [ ldap => '' ], [ mqtt => '' ])
{
    my ($type, $first) = @$_;
    fake("$type-$_", "$type://HERE", $first ? $me : '', [ $_, $first, '' ], 'down', 'reset',
         qr/^connection (reset|closed) while/) for qw(close reset);
    next if !length $first;
    fake("$type-gone-$_", "$type://HERE", '', [ $_, '' ], 'down', 'reset',
         qr/^connection (reset|closed) while/) for qw(close reset);
}

push @rows, [ "$_-refused", "$_://127.0.0.1:%%PORT_1%%", '', 'down', 'connect',
              qr/^connection refused$/ ]
    for map { ($_, "${_}s") } qw(smtp imap pop3 ftp ldap mqtt);
push @rows, [ "$_-deaf", "$_://127.0.0.1:%%PORT_2%%", '', 'timeout',
              'timeout', qr/^timed out after 900 ms, while connecting$/ ]
    for map { ($_, "${_}s") } qw(smtp imap pop3 ftp ldap mqtt);

sub start_fake {
    my ($n, $end, @texts) = @_;

    my $say = sub {
        my ($s, $text) = @_;
        return syswrite $s, $text if $end ne 'drip';
        for (split //, $text) { syswrite $s, $_; sleep 0.002 }
    };

    $t->peer($n, sub {
        my ($s) = @_;
        setsockopt $s, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1;
        $say->($s, shift @texts);
        for (@texts) {
            my ($told, $text) = ref ? @$_ : (qr//, $_);
            sysread $s, my $b, 65536 or last;
            $say->($s, $b =~ $told ? $text : "?? $b");
        }
        setsockopt $s, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)
            if $end eq 'reset';
        if ($end ne 'close' && $end ne 'reset') {
            my $b; 1 while sysread $s, $b, 65536;
        }
    });
}

start_fake(@$_) for @fakes;
$t->deaf(2);

my $checks = join '', map { "check $_->[0] \"$_->[1]\" { $_->[2] }\n" } @rows;

$t->conf(<<"HTTP");
status_monitor m {
    interval 1s;
    timeout  900ms;
    fall     1;
    max_in_flight 200;
$checks
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
}
HTTP

$t->run;

$t->rows_ok('/m', \@rows, [qw(error_class message)]);

# what is in flight when it ends

$t->reload;
ok($t->wait_check('/m', 'smtp', sub { $_->{status} eq 'up' }),
   'goes on after a reload');
unlike($t->log, qr/hunter2|\Q$b64\E/, 'no password in the log');


# ---------------------------------------------------------------- mistakes

for (
    [ 'smtp://a/b/c', '', qr/the path of the URL is what we call ourselves to the server, and "b\/c" is no domain/ ],
    [ 'smtp://a/b%0d', '', qr/the path of the URL has a "%" without two hexadecimal digits, or a control character/ ],
    [ 'smtp://', '', qr/the URL has no host/ ],
    [ 'imap://a/INBOX', '', qr/the URL of type imap is imap:\/\/HOST\[:PORT\], with nothing behind/ ],
    [ 'ftps://a/dir/', '', qr/the URL of type ftp is ftps:\/\/HOST\[:PORT\], with nothing behind/ ],
    [ 'pop3://a?x', '', qr/the URL has a "\?" or a "#"/ ],
    [ 'mqtt://a/b#', '', qr/the URL has a "\?" or a "#"; write %3F or %23 for one that belongs to its path/ ],
    [ 'smtp://me@a', '', qr/there is a user, but no password/ ],
    [ 'ldap://cn=me:@a', '', qr/there is a user, but no password/ ],
    [ 'imap://a', 'password x;', qr/there is a password, but no user/ ],
    [ 'smtp://me:a%0d%0aRSET@a', '', qr/user or password hold control characters/ ],
    [ 'mqtt://me:pw@a', '', qr/mqtt:\/\/ has no way into TLS, expected mqtts:\/\/, or "secure off" for a password in the clear/ ],
    [ 'mqtt://me:pw@localhost', 'resolve 192.0.2.1;', qr/mqtt:\/\/ has no way into TLS/ ],
    [ 'mqtt://a', 'secure on;', qr/mqtt:\/\/ has no way into TLS/ ],
    [ 'mqtt://a', 'expect body == x;', qr/the URL names no topic to get a message of, expected mqtt:\/\/HOST\/TOPIC/ ],
    [ 'imap://a', 'expect status 200;', qr/expected one of body latency cert size/ ],
    [ 'ldap://a', 'expect body == x;', qr/expected one of latency cert/ ],
    [ 'smtp://a', 'secure maybe;', qr/invalid secure "maybe", expected on or off/ ],
    [ 'http://a', 'secure on;', qr/"secure" is not for a check of type http, only for smtp, imap, pop3, ftp, ldap, mqtt/ ],
) {
    my ($url, $directives, $error) = @$_;

    my $wrong = NgxStatus->new;
    $wrong->conf("status_monitor m { check a $url { $directives } }");
    my ($ok, $out) = $wrong->test_conf;

    ok(!$ok, "refused: $url $directives");
    like($out, $error, 'what is wrong');
    $wrong->clean;
}

for ([ 'mqtt://me:pw@127.0.0.1', '' ], [ 'mqtt://me:pw@localhost', '' ],
     [ 'mqtt://me@a', '' ], [ 'mqtt://me:pw@a', 'secure off;' ],
     [ 'smtps://me:pw@a', 'secure on;' ])
{
    my $right = NgxStatus->new;
    $right->conf("status_monitor m { check a $_->[0] { $_->[1] } }");
    my ($ok, $out) = $right->test_conf;
    ok($ok, "taken: $_->[0] $_->[1]") or diag($out);
    $right->clean;
}

$t->finish;
