package Servers;

# Copyright (C) ngx_status_module authors
#
# Servers that people run, each in the test's directory, on the test's ports,
# with its own configuration and none of the system's.  The directory has
# NAME.pem and NAME.key (Pki.pm) for those with TLS.
#
#   my $servers = Servers->new($t, 'good');
#   my $why = $servers->start('exim', smtp => 10, smtps => 11);  # ports
#   plan(skip_all => $why) if $why;
#   $servers->stop('exim');
#
# They know one user and its password, which has what must be escaped.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep);

use NgxStatus;

our $user = 'me';
our $password = 'hun"ter\2';


my %known = (
    exim      => [ '/usr/sbin/exim4', \&exim, 'root' ],
    dovecot   => [ '/usr/sbin/dovecot', \&dovecot, 'root' ],
    vsftpd    => [ '/usr/sbin/vsftpd', \&vsftpd, 'root' ],
    slapd     => [ '/usr/sbin/slapd', \&slapd ],
    mosquitto => [ '/usr/sbin/mosquitto', \&mosquitto ],
);


sub new {
    my ($class, $t, $cert) = @_;

    # those that give up root read the key as somebody else
    chmod 0644, $t->dir . "/$cert.key";

    return bless { t => $t, dir => $t->dir, pid => {},
                   cert => $t->dir . "/$cert.pem",
                   key => $t->dir . "/$cert.key" }, $class;
}


# Why not, or ''.  Ports by what is spoken there.
sub start {
    my ($self, $name, %ports) = @_;
    my ($binary, $sub, $root) = @{ $known{ $name =~ s/-.*//r } };

    return "no $binary" if !-x $binary;
    return "$name needs root" if $root && $>;

    $self->{ports}{$name} = \%ports if %ports;
    %ports = %{ $self->{ports}{$name} };
    my %number = map { $_ => $self->{t}->port($ports{$_}) } keys %ports;

    my @command = $sub->($self, %number);
    return $command[0] if @command == 1;

    $self->{pid}{$name} = $self->{t}->spawn($binary, @command);

    for (values %number) {
        NgxStatus::wait_port($_, 20) or return "$name does not listen";
    }
    return '';
}


sub stop {
    my ($self, $name, $signal) = @_;
    my $pid = delete $self->{pid}{$name} or return;

    kill $signal || 'TERM', $pid;
    wait_for(sub { waitpid $pid, POSIX::WNOHANG() }, 10)
        and $self->{t}->forget($pid);
}


# On the N-th port, a way to a server that takes its time.
sub slow {
    my ($self, $n, $to, $seconds) = @_;
    my $listen = $self->{t}->listen_on($n);
    my $port = $self->{t}->port($to);

    $self->{t}->daemon(sub {
        while (my $s = $listen->accept) {
            next if fork // 1;
            close $listen;
            my $up = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                           PeerPort => $port) or last;
            my $select = IO::Select->new($s, $up);
            while (1) {
                for my $in ($select->can_read(10)) {
                    sysread $in, my $bytes, 65536 or POSIX::_exit(0);
                    sleep $seconds if $in == $up;
                    syswrite $in == $up ? $s : $up, $bytes;
                }
            }
        }
    });
    close $listen;
}


sub stop_all { $_[0]->stop($_) for keys %{ $_[0]{pid} } }


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
daemon_smtp_ports = @{[ join ':', @port{qw(smtp smtps)} ]}
tls_on_connect_ports = $port{smtps}
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
    port = $port{imaps}
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = $port{pop3}
  }
  inet_listener pop3s {
    port = $port{pop3s}
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
            "ldap://127.0.0.1:$port{ldap}/ ldaps://127.0.0.1:$port{ldaps}/");
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


1;
