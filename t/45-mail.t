#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# smtp, imap, pop3 and ftp against the servers that people run.

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

$servers->start(@$_) for
    [ exim => qw(smtp smtps) ], [ dovecot => qw(imap imaps pop3 pop3s) ],
    [ vsftpd => 'ftp' ], [ 'vsftpd-implicit' => 'ftps' ],
    [ 'vsftpd-secret' => 'secret' ];

sub row { $servers->row(@_) }

my @up = ('up', undef, qr/^$/);
my @denied = ('down', 'auth');

row('smtp', 'smtp://HERE.smtp', '', 'exim', @up,
    qr/^220 good\.test ESMTP Exim/);
row('smtp-name', 'smtp://HERE.smtp/monitor.example', 'expect body contains '
    . '"Hello monitor.example"; expect body ~ "^220 good.test"; '
    . 'expect body contains STARTTLS; expect status 250; expect size > 100;',
    'exim', @up);
row('smtp-wrong', 'smtp://HERE.smtp', 'expect body contains Postfix;',
    'exim', 'down', 'content', qr/^body does not contain "Postfix"/);
row('smtp-status', 'smtp://HERE.smtp', 'expect status 251;', 'exim',
    'down', 'status', qr/^status 250, expected 251$/);
row('smtp-login', 'smtp://HERE.smtp', $login, 'exim', @up);
row('smtp-denied', 'smtp://me:wrong@HERE.smtp', '', 'exim', @denied,
    qr/^login denied: 535 Incorrect authentication data$/);
row('smtp-secure', 'smtp://HERE.smtp', "secure on; $login $ca", 'exim', @up,
    qr/^250-good\.test Hello/);
row('smtp-there', "smtp://me:$encoded\@THERE.smtp", $ca, 'exim', @up);
row('smtp-there-off', 'smtp://THERE.smtp', "$login secure off;", 'exim', @up);
row('smtp-distrust', "smtp://me:$encoded\@THERE.smtp", '', 'exim',
    'down', 'tls', qr/^certificate/);
row('smtps', 'smtps://HERE.smtps', "$ca $login", 'exim', @up);
row('smtps-there', 'smtps://THERE.smtps', $ca, 'exim', @up);
row('smtps-name', 'smtps://THERE.smtps', "$ca tls_name other.test;", 'exim',
    'down', 'tls', qr/^certificate is for another name$/);
row('smtps-plain', 'smtps://HERE.smtp', $ca, 'exim', 'down', 'tls',
    qr/^TLS handshake failed: wrong version number$/);
row('smtps-cert', 'smtps://HERE.smtps', "$ca prefer cert > 90d;", 'exim',
    'degraded', 'cert', qr/^certificate has 59 days left, expected > 90d$/);

row('imap', 'imap://HERE.imap', 'expect body ~ "^\* OK .*Dovecot"; '
    . 'expect body contains "b OK";', 'dovecot', @up, qr/^\* OK \[CAPA/);
row('imap-login', 'imap://HERE.imap', $login, 'dovecot', @up);
row('imap-denied', 'imap://me:wrong@HERE.imap', '', 'dovecot', @denied,
    qr/^login denied: a NO \[AUTHENTICATIONFAILED\] Authentication failed\.$/);
row('imap-secure', 'imap://THERE.imap', "$login $ca", 'dovecot', @up);
row('imaps', "imaps://me:$encoded\@HERE.imaps", $ca, 'dovecot', @up);
row('imaps-denied', 'imaps://me:no@HERE.imaps', $ca, 'dovecot', @denied,
    qr/^login denied: a NO /);

row('pop3', 'pop3://HERE.pop3', 'expect body contains Dovecot;', 'dovecot',
    @up, qr/^\+OK Dovecot/);
row('pop3-login', 'pop3://HERE.pop3', $login, 'dovecot', @up);
row('pop3-denied', 'pop3://me:wrong@HERE.pop3', '', 'dovecot', @denied,
    qr/^login denied: -ERR \[AUTH\] Authentication failed\.$/);
row('pop3-secure', 'pop3://THERE.pop3', "$login $ca", 'dovecot', @up);
row('pop3-greeted', 'pop3://HERE.pop3', "secure on; $ca", 'dovecot', @up);
row('pop3s', 'pop3s://HERE.pop3s', "$login $ca", 'dovecot', @up);

row('ftp', 'ftp://HERE.ftp', 'expect body ~ "^220 .*vsFTPd"; '
    . 'expect body contains "200 NOOP ok"; expect status 200;', 'vsftpd', @up,
    qr/^220 \(vsFTPd/);
row('ftp-denied', 'ftp://me:wrong@HERE.ftp', '', 'vsftpd', @denied,
    qr/^login denied: 530 /);
row('ftp-secure', 'ftp://HERE.ftp', "secure on; $ca", 'vsftpd', @up);
row('ftps', 'ftps://HERE.ftps', $ca, 'vsftpd-implicit', @up);
row('ftp-secret', "ftp://anonymous:$encoded\@HERE.secret", '',
    'vsftpd-secret', @up);
row('ftp-secret-no', 'ftp://anonymous:wrong@HERE.secret', '',
    'vsftpd-secret', @denied, qr/^login denied: 530 /);
row('ftp-secret-none', 'ftp://HERE.secret', '', 'vsftpd-secret', @denied,
    qr/^login denied: 530 /);

$servers->slow_row(@$_) for [ smtp => 'exim' ], [ imap => 'dovecot' ],
                            [ pop3 => 'dovecot' ], [ ftp => 'vsftpd' ];

my $all = $servers->run;

SKIP: {
    my $why = $servers->missing('exim');
    skip $why, 3 if $why;
    my $smtp = check_of($all, 'smtp');
    is($smtp->{http_status}, 250, 'its code');
    is($smtp->{type}, 'smtp', 'type');
    ok($smtp->{phases_ms}{wait} + $smtp->{phases_ms}{transfer} > 0, 'phases');
}

# nobody is left without a goodbye, and nothing is taken for an attack

SKIP: {
    my $why = $servers->missing('exim');
    skip $why, 2 if $why;
    my $log = $t->read_file('exim/mainlog');
    my $told = () = $log =~ /from \([^\[]+\) \[.* closed by QUIT/g;
    my $lost = () = $log =~ /from \([^\[]+\) \[.* lost/g;
    # on a busy machine a probe may run out of time
    cmp_ok($told, '>', 4 * $lost, "exim is told goodbye ($told, lost $lost)");
    unlike($log, qr/unexpected disconn|synchronization/,
           'and does not wonder');
}
SKIP: {
    my $why = $servers->missing('dovecot');
    skip $why, 2 if $why;
    my $log = $t->read_file('dovecot/log');
    like($log, qr/imap\(me\).*Logged out/, 'so is dovecot, in IMAP');
    like($log, qr/pop3\(me\).*Logged out/, 'and in POP3');
}

$servers->comes_and_goes(@$_) for
    [ exim => 'smtp', 'smtps' ], [ dovecot => qw(imap pop3 imaps pop3s) ],
    [ vsftpd => 'ftp' ], [ 'vsftpd-implicit' => 'ftps' ];

unlike(join('', $t->log, map { $_->{message} . ($_->{seen} // '') }
                         @{ $all->{checks} }),
       qr/hun.?"?ter|hunter/, 'the password is nowhere');

$servers->stop_all;
$t->finish;
