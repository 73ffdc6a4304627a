#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# STARTTLS, with the servers that people run, and with peers that do it
# wrong.

use strict;
use warnings;

use FindBin;
use IO::Select;
use IO::Socket::INET;
use Test::More;

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Servers;

my $t = NgxStatus->new;
my $servers = Servers->new($t);


# -------------------------------------------------------------- real servers

$servers->start(@$_) for
    [ exim => 'smtp' ], [ dovecot => 'imap', 'pop3' ], [ vsftpd => 'ftp' ],
    [ slapd => 'ldap' ], [ postgresql => 'postgres' ];

sub real {
    my ($server, $dialect, $id, $more, @want) = @_;
    $servers->row($id, "tls://HERE.$dialect",
                  "$Servers::ca starttls $dialect; $more", $server, @want);
}

my @up = ('up', undef, qr/^$/);

real('exim', 'smtp', 'smtp', '', @up);
real('exim', 'smtp', 'smtp-say', 'send "EHLO [127.0.0.1]\r\n"; '
     . 'expect body ~ "^250-good.test Hello"; expect body !contains STARTTLS;',
     @up);
real('exim', 'smtp', 'smtp-name', 'tls_name elsewhere.test;', 'down', 'tls',
     qr/^certificate is for another name$/);
real('dovecot', 'imap', 'imap', '', @up);
real('dovecot', 'imap', 'imap-say', 'send "b NOOP\r\n"; '
     . 'expect body contains "b OK";', @up);
real('dovecot', 'pop3', 'pop3', '', @up);
real('dovecot', 'pop3', 'pop3-say', 'send "CAPA\r\n"; '
     . 'expect body contains "USER";', @up);
real('vsftpd', 'ftp', 'ftp', '', @up);
real('vsftpd', 'ftp', 'ftp-say', 'send "USER me\r\n"; '
     . 'expect body ~ "^(331|530) ";', @up);
real('slapd', 'ldap', 'ldap', '', @up);
real('slapd', 'ldap', 'ldap-wrong', 'tls_name other.test;', 'down', 'tls',
     qr/^certificate is for another name$/);
real('postgres', 'postgres', 'postgres', '', @up);
real('postgres', 'postgres', 'postgres-say',
     'send "\0\0\0\x17\0\x03\0\0user\0postgres\0\0"; '
     . 'expect body ~ "^R\\\\x00{3}\\\\x08";', @up);


# ------------------------------------------------------ peers that are wrong

# Each line that comes is answered by the next text; at its end comes what
# the last element says.

my @fakes;

sub fake {
    my ($name, $dialect, $end, $texts, @want) = @_;
    push @fakes, [ $servers->port("fake-$name"), $end, @$texts ];
    $servers->row($name, "tls://HERE.fake-$name",
                  "$Servers::ca starttls $dialect;", '', @want);
}

my $offer = "250-good.test\r\n250-PIPELINING\r\n250 STARTTLS\r\n";

fake('smtp-lines', 'smtp', 'tls', [ "220-good.test\r\n220-ESMTP\r\n220 hi\r\n",
     $offer, "220 go on\r\n" ], @up);
fake('smtp-long', 'smtp', 'tls', [ '220 ' . 'x' x 5000 . "\r\n",
     '250-X' . 'y' x 3000 . "\r\n$offer", "220 go on\n" ], @up);
fake('smtp-none', 'smtp', 'hold', [ "220 hi\r\n",
     "250-good.test\r\n250-XSTARTTLS\r\n250 HELP\r\n" ],
     'down', 'tls', qr/^server does not offer STARTTLS$/);
fake('smtp-busy', 'smtp', 'close', [ "421-too\r\n421 many\r\n" ],
     'down', 'protocol', qr/^SMTP greeting is "421 many"$/);
fake('smtp-ehlo', 'smtp', 'hold', [ "220 hi\r\n", "502 what?\r\n" ],
     'down', 'protocol', qr/^SMTP server answered "502 what\?"$/);
fake('smtp-no', 'smtp', 'hold', [ "220 hi\r\n", $offer,
     "454 TLS not available\r\n" ],
     'down', 'tls', qr/^STARTTLS answered "454 TLS not available"$/);
fake('smtp-inject', 'smtp', 'hold', [ "220 hi\r\n", $offer,
     "220 go on\r\n250 me\r\n" ], 'down', 'protocol',
     qr/^more came in the clear when TLS was to begin$/);
fake('smtp-http', 'smtp', 'hold', [ "HTTP/1.1 400 Bad <b>\r\n\r\n" ],
     'down', 'protocol', qr{^SMTP greeting is "HTTP/1.1 400 Bad <b>"$});
fake('smtp-mute', 'smtp', 'hold', [ '' ], 'timeout', 'timeout',
     qr/^timed out after 900 ms, while waiting for the answer$/);
fake('smtp-half', 'smtp', 'hold', [ "220-hi\r\n22" ], 'timeout', 'timeout',
     qr/^timed out after 900 ms, while waiting for the answer$/);
fake('smtp-shut', 'smtp', 'close', [ "220 hi\r\n" ], 'down', 'reset',
     qr/^connection (closed|reset) while waiting for the answer$/);
fake('smtp-endless', 'smtp', 'hold', [ "220-hi\r\n" x 20000 ],
     'down', 'protocol',
     qr/^64 kB came in the clear, and no answer to STARTTLS$/);
fake('smtp-then', 'smtp', 'hold', [ "220 hi\r\n", $offer, "220 go on\r\n" ],
     'timeout', 'timeout',
     qr/^timed out after 900 ms, while in the TLS handshake$/);
fake('smtp-plain', 'smtp', 'say', [ "220 hi\r\n", $offer, "220 go on\r\n" ],
     'down', 'tls', qr/^TLS handshake failed: wrong version number$/);

fake('imap-fake', 'imap', 'tls', [ "* OK hi\r\n",
     "* CAPABILITY IMAP4rev1\r\nA ok go on\r\n" ], @up);
fake('imap-in', 'imap', 'hold', [ "* PREAUTH hi\r\n" ], 'down', 'protocol',
     qr/^IMAP greeting is "\* PREAUTH hi"$/);
fake('imap-no', 'imap', 'hold', [ "* OK hi\r\n", "a BAD what?\r\n" ],
     'down', 'tls', qr/^STARTTLS answered "a BAD what\?"$/);
fake('imap-bye', 'imap', 'close', [ "* OK hi\r\n", "* BYE ciao\r\n" ],
     'down', 'protocol', qr/^IMAP server answered "\* BYE ciao"$/);
fake('pop3-no', 'pop3', 'hold', [ "+OK hi\r\n", "-ERR no TLS\r\n" ],
     'down', 'tls', qr/^STLS answered "-ERR no TLS"$/);
fake('pop3-busy', 'pop3', 'close', [ "-ERR busy\r\n" ],
     'down', 'protocol', qr/^POP3 greeting is "-ERR busy"$/);
fake('ftp-lines', 'ftp', 'tls', [ "120 soon\r\n220-hi\r\n  230 users\r\n"
     . "221 x\r\n220 ready\r\n", "234 go on\r\n" ], @up);
fake('ftp-no', 'ftp', 'hold', [ "220 hi\r\n", "530 log in\r\n" ],
     'down', 'tls', qr/^AUTH TLS answered "530 log in"$/);
fake('ldap-no', 'ldap', 'hold', [ '', "\x30\x16\x02\x01\x01\x78\x11\x0a\x01\x02"
     . "\x04\x00\x04\x0ano support" ],
     'down', 'tls', qr/^StartTLS answered with LDAP result 2: no support$/);
fake('ldap-text', 'ldap', 'hold', [ '', "220 hi\r\n" ],
     'down', 'protocol', qr/^answer is not LDAP's$/);
fake('postgres-no', 'postgres', 'hold', [ '', 'N' ],
     'down', 'tls', qr/^server does not offer TLS$/);
fake('postgres-more', 'postgres', 'hold', [ '', 'SR' ], 'down', 'protocol',
     qr/^more came in the clear when TLS was to begin$/);
fake('postgres-ssh', 'postgres', 'hold', [ "NO-2.0\r\n" ],
     'down', 'tls', qr/^server does not offer TLS$/);
fake('postgres-error', 'postgres', 'close', [ '', "Esorry\0" ],
     'down', 'protocol', qr/^server answered with an error$/);

# a relay to a TLS server, from where TLS begins

my $tls = $t->port(2);

sub relay {
    my ($s) = @_;
    my $up = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                   PeerPort => $tls) or return;
    my $sel = IO::Select->new($s, $up);
    while (1) {
        for my $in ($sel->can_read(5)) {
            sysread($in, my $buf, 16384) or return;
            syswrite $in == $up ? $s : $up, $buf;
        }
    }
}

for (@fakes) {
    my ($n, $end, @texts) = @$_;
    $t->peer($n, sub {
        my ($s) = @_;
        print $s shift @texts;
        for (@texts) { sysread $s, my $b, 4096 or last; print $s $_ }
        relay($s) if $end eq 'tls';
        print $s "no TLS\r\n" if $end eq 'say';
        if ($end ne 'close') { my $b; 1 while sysread $s, $b, 4096 }
    });
}


# ------------------------------------------------------------------ running

$servers->run('interval 1s; timeout 900ms;', <<'HTTP');
server {
    listen 127.0.0.1:%%PORT_2%% ssl;
    ssl_certificate     %%TESTDIR%%/good.pem;
    ssl_certificate_key %%TESTDIR%%/good.key;
    location / { return 200 fine; }
}
HTTP

$servers->comes_and_goes(exim => 'smtp');
$servers->stop_all;
$t->finish;
