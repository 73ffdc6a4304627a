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
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

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


# -------------------------------------------------------------- real servers

my $servers = Servers->new($t, 'good');
my (%port, %missing, @rows);
my $next = 10;

sub where { my ($name) = @_; return "127.0.0.1:%%PORT_$port{$name}%%" }
sub number { my ($name) = @_; return $t->port($port{$name}) }

sub row { push @rows, [ @_ ] }

my $ca = 'tls_ca %%TESTDIR%%/own.pem;';

# Runs it as somebody else where it refuses root.
sub as { my ($user, @command) = @_;
         return $> ? @command
                   : ('setpriv', "--reuid=$user", "--regid=$user",
                      '--clear-groups', @command) }

my $postgres;
sub postgres {
    my ($bin) = sort { $b cmp $a } glob '/usr/lib/postgresql/*/bin';
    return 'no postgresql' if !$bin;
    my $user = $> ? scalar getpwuid $> : 'postgres';
    return "no user $user" if !getpwnam $user;
    mkdir "$dir/pg";
    chown +(getpwnam $user)[2, 3], "$dir/pg" if !$>;
    my $out = join ' ', `@{[ as($user, "$bin/initdb", '-D', "$dir/pg/db",
        qw(-A trust -N -U postgres --no-locale -E UTF8)) ]} 2>&1`;
    return "initdb: $out" if $?;
    $t->write_file('pg/db/key', $t->read_file('good.key'), raw => 1);
    chmod 0600, "$dir/pg/db/key";
    chown +(getpwnam $user)[2, 3], "$dir/pg/db/key" if !$>;
    $postgres = $t->spawn(as($user, "$bin/postgres",
        '-D', "$dir/pg/db", '-p', number('postgres'), '-h', '127.0.0.1',
        '-k', "$dir/pg", '-c', 'ssl=on', '-c', 'fsync=off',
        '-c', "ssl_cert_file=$dir/good.pem", '-c', 'ssl_key_file=key',
        '-c', 'shared_buffers=1MB', '-c', 'log_min_messages=fatal'));
    return '';
}

for ([ exim => qw(smtp smtps) ], [ dovecot => qw(imap imaps pop3 pop3s) ],
     [ vsftpd => 'ftp' ], [ slapd => qw(ldap ldaps) ],
     [ postgres => 'postgres' ])
{
    my ($server, @spoken) = @$_;
    my %of = map { $_ => $next++ } @spoken;
    %port = (%port, %of);
    $missing{$server} = $server eq 'postgres' ? postgres()
                        : $servers->start($server, %of);
}

sub real {
    my ($server, $dialect, $id, $more, @want) = @_;
    if ($missing{$server}) {
        SKIP: { skip "$id: $missing{$server}", 1 }
        return;
    }
    NgxStatus::wait_port(number($dialect), 20)
        or diag("$server does not listen");
    row($id, 'tls://' . where($dialect), "$ca starttls $dialect; $more",
        @want);
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
    $port{$name} = $next++;
    push @fakes, [ $name, $end, @$texts ];
    row($name, 'tls://' . where($name), "$ca starttls $dialect;", @want);
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

sub start_fake {
    my ($name, $end, @texts) = @_;
    my $listen = $t->listen_on($port{$name});
    $t->daemon(sub {
        while (1) {
            my $s = $listen->accept or next;
            my $child = fork // next;
            if ($child) { close $s; next }
            close $listen;
            $s->autoflush(1);
            print $s shift @texts;
            for (@texts) { sysread $s, my $b, 4096 or last; print $s $_ }
            relay($s) if $end eq 'tls';
            print $s "no TLS\r\n" if $end eq 'say';
            if ($end ne 'close') { my $b; 1 while sysread $s, $b, 4096 }
            POSIX::_exit(0);
        }
    });
    close $listen;
}

start_fake(@$_) for @fakes;


# ------------------------------------------------------------------ running

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
    listen 127.0.0.1:%%PORT_2%% ssl;
    ssl_certificate     %%TESTDIR%%/good.pem;
    ssl_certificate_key %%TESTDIR%%/good.key;
    location / { return 200 fine; }
}

server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
}
HTTP

$t->run;

my ($all, $right) = $t->wait_right('/m', \@rows, sub {
    my ($c, $row) = @_;
    my (undef, undef, undef, $state, $error, $message) = @$row;
    return $c->{status} eq $state && ($c->{result} // '') eq $state
        && ($c->{error_class} // '') eq ($error // '')
        && $c->{message} =~ $message;
}, 20);

for (@rows) {
    my ($id, undef, undef, $state) = @$_;
    my $c = check_of($all, $id);
    ok($right->{$id}, "$id: $state") or diag(explain({ map { $_ => $c->{$_} }
        qw(status result error_class message latency_ms phases_ms) }));
    ok($c->{cert_expires_at}, "$id: the certificate is known")
        if $state eq 'up';
}

# stopped and started; the end of the others is their own business, too

if (!$missing{exim}) {
    $servers->stop('exim');
    ok($t->wait_check('/m', 'smtp', sub { $_->{status} eq 'down' }),
       'exim stopped: down');
    $servers->start('exim');
    ok($t->wait_check('/m', 'smtp', sub { $_->{status} eq 'up' }),
       'exim started: up');
}

$servers->stop_all;
if ($postgres) {
    kill 'INT', $postgres;
    wait_for(sub { waitpid $postgres, POSIX::WNOHANG() }, 5)
        and $t->forget($postgres);
}

$t->finish;
