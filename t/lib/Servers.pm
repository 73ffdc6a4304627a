package Servers;

# Copyright (C) ngx_status_module authors
#
# Servers that people run, each in the test's directory, on the test's ports,
# with its own configuration and none of the system's; and the rows of checks
# of them (rows_ok() of NgxStatus.pm).
#
#   my $servers = Servers->new($t);
#   $servers->start(exim => 'smtp', 'smtps');          # skipped if not there
#   $servers->row('mail', 'smtp://HERE.smtp', '', 'exim', 'up');
#   my $all = $servers->run;
#   $servers->comes_and_goes(exim => 'mail');
#   $servers->stop_all;
#
# In a URL HERE.smtp is the address and port where smtp is spoken, THERE.smtp
# the same port of a name that has to be resolved to it.  The certificate is
# "good", its authority "own" (Pki.pm).  They know one user and its password,
# which has what must be escaped.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep);

use NgxStatus;
use Pki;

our $user = 'me';
our $password = 'hun"ter\2';

# how a URL has it, and directives
our $encoded = $password =~ s/([^a-z0-9])/sprintf '%%%02X', ord $1/gier;
our $login = "username $user; password file:%%TESTDIR%%/password;";
our $ca = 'tls_ca %%TESTDIR%%/own.pem;';

my ($bin) = sort { ($b =~ /(\d+)/)[0] <=> ($a =~ /(\d+)/)[0] }
            glob '/usr/lib/postgresql/*/bin';

# who has to be root, or is run as nobody instead: it refuses root
my %known = (
    exim       => [ '/usr/sbin/exim4', \&exim, 'root' ],
    dovecot    => [ '/usr/sbin/dovecot', \&dovecot, 'root' ],
    vsftpd     => [ '/usr/sbin/vsftpd', \&vsftpd, 'root' ],
    slapd      => [ '/usr/sbin/slapd', \&slapd ],
    mosquitto  => [ '/usr/sbin/mosquitto', \&mosquitto ],
    postgresql => [ ($bin // '/usr/lib/postgresql') . '/postgres',
                    \&postgresql, 'nobody' ],
);


sub new {
    my ($class, $t) = @_;
    my $dir = $t->dir;

    Test::More::plan(skip_all => 'no openssl')
        if system 'openssl version >/dev/null 2>&1';

    my $pki = Pki->new($dir);
    $pki->authority('own');
    $pki->certificate('good', 'DNS:good.test,IP:127.0.0.1', 60 * 86400);
    $t->write_file('password', "$password\n", raw => 1);

    # those that give up root read the key as somebody else
    chmod 0644, "$dir/good.key";

    return bless { t => $t, dir => $dir, pid => {}, next => 10, rows => [],
                   cert => "$dir/good.pem", key => "$dir/good.key" }, $class;
}


# Starts it, on a port for each thing that is spoken there; without those,
# again.  Why not, or ''.
sub start {
    my ($self, $name, @spoken) = @_;
    my ($binary, $sub, $who) = @{ $known{ $name =~ s/-.*//r } };
    $who //= '';

    $self->port($_) for @spoken;
    $self->{spoken}{$name} ||= \@spoken;
    my %number = map { $_ => $self->{t}->port($self->port($_)) }
                 @{ $self->{spoken}{$name} };

    my $why = !-x $binary             ? "no $binary"
              : $who eq 'root' && $>  ? "$name needs root" : '';
    my @options = $why || $sub->($self, %number);

    if (@options == 1) {
        $why = $options[0];
    } else {
        $self->{pid}{$name} = $self->{t}->spawn(
            $who eq 'nobody' ? as_nobody() : (), $binary, @options);
        for (values %number) {
            $why ||= "$name does not listen" if !NgxStatus::wait_port($_, 20);
        }
    }
    return $self->{missing}{$name} = $why;
}


# Which of the test's ports something is spoken on.
sub port { my ($self, $what) = @_;
           return $self->{port}{$what} //= $self->{next}++ }


sub missing { $_[0]{missing}{ $_[1] } }


# A row that is skipped without that server.
sub row {
    my ($self, $id, $url, $more, $server, @want) = @_;
    my $to = sub { '%%PORT_' . $self->port($_[0]) . '%%' };

    $url =~ s/\bHERE\.(\w[\w-]*)/'127.0.0.1:' . $to->($1)/e;
    $url =~ s/\bTHERE\.(\w[\w-]*)/'good.test:' . $to->($1)/e
        and $more .= ' resolve 127.0.0.1;';

    if (my $why = $self->missing($server)) {
        SKIP: { Test::More::skip("$id: $why", 1) }
        return;
    }
    push @{ $self->{rows} }, [ $id, $url, $more, @want ];
}


# One for what is spoken there, through something that takes its time.
sub slow_row {
    my ($self, $what, $server) = @_;
    $self->slow($self->port("$what-slow"), $self->port($what), 0.12)
        if !$self->missing($server);
    $self->row("$what-slow", "$what://HERE.$what-slow",
        'prefer latency < 100ms;', $server, 'degraded', 'latency',
        qr/^latency .*, expected < 100ms$/);
}


# Runs nginx with a check for each row, and holds them against those.
sub run {
    my ($self, $monitor, $http) = @_;
    my $t = $self->{t};
    my @rows = @{ $self->{rows} };
    my $checks = join '', map { qq(check $_->[0] "$_->[1]" { $_->[2] }\n) }
                          @rows;

    $t->conf(<<"HTTP");
status_monitor m {
    fall 1;
    max_in_flight 200;
    @{[ $monitor // 'interval 2s;' ]}
$checks
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
}
@{[ $http // '' ]}
HTTP
    $t->run;

    my $all = $t->rows_ok('/m', \@rows, [qw(error_class message seen)]);
    for (@rows) {
        my ($id, $url, $more, $state) = @$_;
        Test::More::ok(check_of($all, $id)->{cert_expires_at},
                       "$id: the certificate is known")
            if $state eq 'up' && $more =~ /tls_ca/;
    }
    return $all;
}


# The checks of those IDs see the server stop, and start.
sub comes_and_goes {
    my ($self, $server, @ids) = @_;
    return if $self->missing($server);

    $self->stop($server);
    for my $id (@ids) {
        my $c = $self->{t}->wait_check('/m', $id,
                                       sub { $_->{status} eq 'down' }, 30);
        Test::More::like($c->{message},
                         qr/^connection (refused|reset|closed)/,
                         "$server stopped: $id is down");
    }
    Test::More::is($self->start($server), '', "$server starts again");
    Test::More::ok($self->{t}->wait_check('/m', $_,
                   sub { $_->{status} eq 'up' }, 30), "$_ is up") for @ids;
}


sub stop {
    my ($self, $name) = @_;
    my $pid = delete $self->{pid}{$name} or return;

    # TERM lets PostgreSQL wait for its clients
    kill $name =~ /^postgresql/ ? 'INT' : 'TERM', $pid;
    wait_for(sub { waitpid $pid, POSIX::WNOHANG() }, 10)
        and $self->{t}->forget($pid);
}


sub stop_all { $_[0]->stop($_) for keys %{ $_[0]{pid} } }


# On the N-th port, a way to a server that takes its time.
sub slow {
    my ($self, $n, $to, $seconds) = @_;
    my $port = $self->{t}->port($to);

    $self->{t}->peer($n, sub {
        my ($s) = @_;
        my $up = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port) or return;
        my $select = IO::Select->new($s, $up);
        while (1) {
            for my $in ($select->can_read(10)) {
                sysread $in, my $bytes, 65536 or return;
                sleep $seconds if $in == $up;
                syswrite $in == $up ? $s : $up, $bytes;
            }
        }
    });
}


sub as_nobody { $> ? () : ('setpriv', '--reuid=nobody', '--regid=nogroup',
                           '--clear-groups') }


sub room {
    my ($self, $name) = @_;
    mkdir "$self->{dir}/$name";
    chmod 0777, "$self->{dir}/$name";
    return "$self->{dir}/$name";
}


sub exim {
    my ($self, %port) = @_;
    my $dir = $self->room('exim');
    my $file = $self->{t}->write_file('exim.password', $password, raw => 1);

    $self->{t}->write_file('exim.conf', <<"CONF");
primary_hostname = good.test
daemon_smtp_ports = @{[ join ':', values %port ]}
tls_on_connect_ports = @{[ $port{smtps} // '' ]}
local_interfaces = 127.0.0.1
spool_directory = $dir
log_file_path = $dir/%slog
keep_environment =
log_selector = +smtp_connection +smtp_incomplete_transaction
tls_advertise_hosts = *
tls_certificate = $self->{cert}
tls_privatekey = $self->{key}
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = \${if and {{eq {\$auth2}{$user}} \\
                      {eq {\$auth3}{\${readfile {$file}}}}}}
  server_set_id = \$auth2
CONF
    chmod 0644, $file, "$self->{dir}/exim.conf";
    return ('-C', "$self->{dir}/exim.conf", '-bdf', '-oP', "$dir/pid");
}


sub dovecot {
    my ($self, %port) = @_;
    my $dir = $self->room('dovecot');

    return 'no dovecot-imapd, dovecot-pop3d'
        if grep { !-x "/usr/lib/dovecot/$_-login" } qw(imap pop3);

    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    $self->{t}->write_file('passwd', "$user:{PLAIN}$password\n", raw => 1);
    chmod 0644, "$self->{dir}/passwd";

    my ($version) = `dovecot --version` =~ /^(\d+\.\d+)/;
    my $own = $version >= 2.4 ? <<"CONF" : <<"CONF";
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
ssl_server_cert_file = $self->{cert}
ssl_server_key_file = $self->{key}
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = $dir/mail
passdb passwd-file {
  passwd_file_path = $self->{dir}/passwd
}
userdb static {
  fields {
    uid = $uid
    gid = $gid
    home = $dir
  }
}
CONF
ssl_cert = <$self->{cert}
ssl_key = <$self->{key}
disable_plaintext_auth = no
mail_location = maildir:$dir/mail
passdb {
  driver = passwd-file
  args = $self->{dir}/passwd
}
userdb {
  driver = static
  args = uid=$uid gid=$gid home=$dir
}
CONF

    $self->{t}->write_file('dovecot.conf', <<"CONF");
$own
base_dir = $dir/run
state_dir = $dir/state
log_path = $dir/log
listen = 127.0.0.1
protocols = imap pop3
ssl = yes
auth_failure_delay = 0
first_valid_uid = 1
service imap-login {
  inet_listener imap {
    port = $port{imap}
  }
  inet_listener imaps {
    port = @{[ $port{imaps} // 0 ]}
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = $port{pop3}
  }
  inet_listener pop3s {
    port = @{[ $port{pop3s} // 0 ]}
    ssl = yes
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  unix_listener stats-reader {
    mode = 0600
  }
  unix_listener stats-writer {
    mode = 0666
  }
}
CONF
    return ('-F', '-c', "$self->{dir}/dovecot.conf");
}


# One port: "ftp", "ftps", or "secret", where anonymous needs the password; it
# has no users but those of the system.
sub vsftpd {
    my ($self, %port) = @_;
    my $dir = "$self->{dir}/ftp";
    my ($kind) = keys %port;

    mkdir $dir;
    $self->{t}->write_file('ftp.passwords', "$password\n", raw => 1);
    my $file = $self->{t}->write_file("vsftpd.$kind.conf", <<"CONF");
listen=YES
listen_address=127.0.0.1
listen_port=$port{$kind}
background=NO
anonymous_enable=YES
anon_root=$dir
secure_chroot_dir=$dir
secure_email_list_enable=@{[ $kind eq 'secret' ? 'YES' : 'NO' ]}
email_password_file=$self->{dir}/ftp.passwords
ssl_enable=YES
implicit_ssl=@{[ $kind eq 'ftps' ? 'YES' : 'NO' ]}
allow_anon_ssl=YES
force_anon_logins_ssl=NO
force_anon_data_ssl=NO
ssl_ciphers=HIGH
rsa_cert_file=$self->{cert}
rsa_private_key_file=$self->{key}
vsftpd_log_file=$self->{dir}/vsftpd.log
CONF
    return ($file, '-obackground=NO');
}


sub slapd {
    my ($self, %port) = @_;
    my $dir = $self->room('ldap');

    $self->{t}->write_file('slapd.conf', <<"CONF");
include /etc/ldap/schema/core.schema
TLSCertificateFile $self->{cert}
TLSCertificateKeyFile $self->{key}
pidfile $dir/pid
argsfile $dir/args
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=example,dc=test"
rootdn "cn=$user,dc=example,dc=test"
rootpw "@{[ $password =~ s/([\\"])/\\$1/gr ]}"
directory $dir
CONF
    return ('-d', 0, '-f', "$self->{dir}/slapd.conf", '-h',
            join ' ', map { "$_://127.0.0.1:$port{$_}/" } sort keys %port);
}


sub mosquitto {
    my ($self, %port) = @_;
    my $dir = $self->room('mqtt');

    # it gives up root for this user
    my $who = $> || getpwnam 'mosquitto' ? '' : 'user root';

    chmod 0600, $self->{t}->write_file('mqtt.passwords', '');
    system('mosquitto_passwd', '-b', "$self->{dir}/mqtt.passwords", $user,
           $password) == 0 or return 'no mosquitto_passwd';
    chmod 0644, "$self->{dir}/mqtt.passwords";
    $self->{t}->write_file('mqtt.acl', <<"ACL");
topic read \$SYS/broker/version
user $user
topic read #
topic read \$SYS/#
ACL

    $self->{t}->write_file('mosquitto.conf', <<"CONF");
$who
per_listener_settings false
persistence false
allow_anonymous true
password_file $self->{dir}/mqtt.passwords
acl_file $self->{dir}/mqtt.acl
log_dest file $dir/log
sys_interval 1
listener $port{mqtt} 127.0.0.1
listener $port{mqtts} 127.0.0.1
certfile $self->{cert}
keyfile $self->{key}
CONF
    return ('-c', "$self->{dir}/mosquitto.conf");
}


# Everybody may log in.
sub postgresql {
    my ($self, %port) = @_;
    my $dir = $self->room('pg');

    if (!-d "$dir/db") {
        my @init = (as_nobody(), "$bin/initdb", '-D', "$dir/db",
                    qw(-A trust -N -U postgres --no-locale -E UTF8));
        my $said = `@init 2>&1`;
        return "initdb: $said" if $?;

        my $key = $self->{t}->write_file('pg/db/key',
            $self->{t}->read_file('good.key'), raw => 1);
        chmod 0600, $key;
        chown +(getpwnam 'nobody')[2, 3], $key if !$>;
    }
    my %set = (ssl => 'on', ssl_cert_file => $self->{cert},
               ssl_key_file => 'key', shared_buffers => '1MB',
               fsync => 'off', log_min_messages => 'fatal');
    return ('-D', "$dir/db", '-p', $port{postgres}, '-h', '127.0.0.1',
            '-k', $dir, map { ('-c', "$_=$set{$_}") } sort keys %set);
}


1;
