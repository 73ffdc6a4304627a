package Pki;

# Copyright (C) ngx_status_module authors
#
# Keys and certificates for tests: NAME.key and NAME.pem in a directory.
#
#   my $pki = Pki->new($t->dir);
#   $pki->authority('own');
#   $pki->certificate('good', 'DNS:good.test,IP:127.0.0.1', 60 * 86400);

use strict;
use warnings;

use POSIX ();

my @key = qw(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes);


sub new {
    my ($class, $dir) = @_;
    my $self = bless { dir => $dir }, $class;

    $self->write('ca.db', '');
    $self->write('ca.serial', "01\n");
    $self->write('ca.cnf', <<"CNF");
[ca]
default_ca = own
[own]
dir = $dir
new_certs_dir = $dir
database = $dir/ca.db
serial = $dir/ca.serial
default_md = sha256
unique_subject = no
copy_extensions = copyall
policy = any
[any]
commonName = optional
organizationName = optional
organizationalUnitName = optional
CNF
    return $self;
}


sub write {
    my ($self, $name, $text) = @_;
    open my $f, '>:raw', "$self->{dir}/$name" or die "$name: $!";
    print $f $text;
    close $f or die "$name: $!";
}


# Its output; dies when it fails.
sub openssl {
    my (@args) = @_;
    my $text = '';
    my $pid = open(my $out, '-|') // die "fork: $!";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec 'openssl', @args or POSIX::_exit(127);
    }
    { local $/; $text = <$out> // '' }
    close $out or die "openssl @args: $text";
    return $text;
}


# A root of its own, for 30 days.
sub authority {
    my ($self, $name, %opt) = @_;
    $self->selfsigned($name, $opt{subject} // "/CN=$name", undef,
                      extensions => [ 'basicConstraints=critical,CA:TRUE' ]);
}


sub selfsigned {
    my ($self, $name, $subject, $names, %opt) = @_;
    my @ext = (@{ $opt{extensions} // [] },
               defined $names ? "subjectAltName=$names" : ());
    openssl('req', '-x509', @key, '-utf8', '-days', $opt{days} // 30,
            '-subj', $subject, (map { ('-addext', $_) } @ext),
            '-keyout', "$self->{dir}/$name.key",
            '-out', "$self->{dir}/$name.pem");
    chmod 0600, "$self->{dir}/$name.key";
}


# Signed by "own", or "by"; "to" and "from" are seconds from now.  With "ca"
# it may sign others.  "chain" are names of certificates to send along.
sub certificate {
    my ($self, $name, $names, $to, %opt) = @_;
    my $file = "$self->{dir}/$name";
    my $by = "$self->{dir}/" . ($opt{by} // 'own');
    my @ext = ($opt{ca} ? 'basicConstraints=critical,CA:TRUE' : (),
               defined $names ? "subjectAltName=$names" : ());
    my ($begin, $end) = map { POSIX::strftime('%Y%m%d%H%M%SZ',
                                              gmtime(time + $_)) }
                        $opt{from} // ($to < 0 ? $to : 0) - 86400, $to;

    openssl('req', '-new', @key, '-utf8', '-subj', $opt{subject} // "/CN=$name",
            (map { ('-addext', $_) } @ext),
            '-keyout', "$file.key", '-out', "$file.csr");
    openssl('ca', '-batch', '-config', "$self->{dir}/ca.cnf", '-notext',
            '-utf8', '-preserveDN', '-cert', "$by.pem",
            '-keyfile', "$by.key", '-startdate', $begin, '-enddate', $end,
            '-in', "$file.csr", '-out', "$file.pem");
    chmod 0600, "$file.key";

    for my $other (@{ $opt{chain} // [] }) {
        open my $in, '<', "$self->{dir}/$other.pem" or die "$other: $!";
        open my $out, '>>', "$file.pem" or die "$file: $!";
        local $/;
        print {$out} readline $in;
        close $out;
    }
}


1;
