#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# postgresql:// against PostgreSQL, and against servers that misbehave.

use strict;
use warnings;

use Cwd ();
use FindBin;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Pki;

my ($bin) = sort { ($b =~ /(\d+)/)[0] <=> ($a =~ /(\d+)/)[0] }
            glob '/usr/lib/postgresql/*/bin';
plan skip_all => 'no PostgreSQL server (package postgresql)'
    unless $bin && -x "$bin/initdb";
plan skip_all => 'no openssl' if system 'openssl version >/dev/null 2>&1';

my $t = NgxStatus->new;
my $dir = $t->dir;

$t->conf('status_monitor m { check a postgresql://a/b { } }');
if (($t->test_conf)[1] =~ /scheme "postgresql" (needs libpq .*) in /) {
    plan skip_all => $1;
}

my ($uid, $gid, $who) = $> ? ($>, $) + 0, scalar getpwuid $>)
                           : ((getpwnam 'nobody')[2, 3], 'nobody');


# -------------------------------------------------------------- certificates

my $day = 86400;

my $pki = Pki->new($dir);

$pki->authority($_) for 'own', 'other';
$pki->selfsigned('self', '/CN=localhost', 'DNS:localhost');
$pki->certificate('good', 'DNS:localhost', 60 * $day + 3600);
$pki->certificate('expired', 'DNS:localhost', -2 * $day - 3600);
$pki->certificate('client', undef, 60 * $day);
chown $uid, $gid, glob "$dir/*.key";


# ------------------------------------------------------------------- servers

# Not as root, which PostgreSQL refuses.
sub as_user {
    my (@command) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        if ($> == 0) {
            $) = "$gid $gid";
            POSIX::setgid($gid);
            POSIX::setuid($uid);
        }
        chdir '/';
        delete @ENV{ grep { /^(?:PG|LC_|LANG)/ } keys %ENV };
        open STDOUT, '>>', "$dir/pg/log";
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }
    return $pid;
}

sub run_as_user {
    my $pid = as_user(@_);
    waitpid $pid, 0;
    return $? == 0;
}

# main: all that is asked of a server.  old: its certificate has expired; a
# standby.  self: signed by itself; a standby that takes no logins yet.
my %port = (main => 1, old => 2, self => 3);
my %server;

mkdir "$dir/pg" or die $!;
chown $uid, $gid, "$dir/pg";
$t->write_file('pg/password', "geheim-super\n");
chown $uid, $gid, "$dir/pg/password";

run_as_user("$bin/initdb", '-D', "$dir/pg/main", '-U', 'super', '--no-sync',
            '-E', 'UTF8', '--locale=C', '--auth=scram-sha-256',
            "--pwfile=$dir/pg/password")
    or die 'initdb: ' . $t->read_file('pg/log');

sub configure {
    my ($name, $cert, $more) = @_;
    open my $f, '>>', "$dir/pg/$name/postgresql.conf" or die $!;
    print $f $t->expand(<<"CONF");
listen_addresses = '127.0.0.1'
port = %%PORT_$port{$name}%%
unix_socket_directories = '$dir/pg'
shared_buffers = 1MB
fsync = off
wal_level = replica
ssl = on
ssl_ca_file = '$dir/own.pem'
ssl_cert_file = '$dir/$cert.pem'
ssl_key_file = '$dir/$cert.key'
$more
CONF
    close $f;
}

sub start {
    my ($name) = @_;
    $server{$name} = as_user("$bin/postgres", '-D', "$dir/pg/$name");
    push @{ $t->{daemons} }, $server{$name};
    return NgxStatus::wait_port($t->port($port{$name}));
}

sub stop { $t->kill_daemon(delete $server{$_[0]}, 'INT') }

# A statement by the superuser; what comes, or undef.
sub sql {
    my ($text, $name) = @_;
    local $ENV{PGPASSWORD} = 'geheim-super';
    open my $out, '-|', 'sh', '-c', 'exec "$@" 2>/dev/null', 'sh',
        "$bin/psql", '-XAtq', '-h', '127.0.0.1', '-p',
        $t->port($port{$name // 'main'}), '-U', 'super', '-d', 'postgres', '-c', $text
        or die $!;
    local $/;
    my $answer = <$out> // '';
    close $out or return undef;
    chomp $answer;
    return $answer;
}

for my $name ('old', 'self') {
    run_as_user('cp', '-a', "$dir/pg/main", "$dir/pg/$name") or die 'cp';
}

configure('main', 'good', '');
configure('old', 'expired', "primary_conninfo = 'host=127.0.0.1 "
          . "port=%%PORT_1%% user=super password=geheim-super'");
configure('self', 'self', 'hot_standby = off');
$t->write_file("pg/$_/standby.signal", '') for 'old', 'self';
$t->write_file('pg/main/pg_hba.conf', <<'HBA');
hostssl all tls-only  all           scram-sha-256
hostssl all client    all           cert
hostnossl all tls-only all          reject
local   all all                     peer
host    all nobodys   all           reject
host    all super     all           scram-sha-256
host    all all       127.0.0.1/32  scram-sha-256
host    replication all all         scram-sha-256
HBA
chown $uid, $gid, glob("$dir/pg/*/standby.signal"), "$dir/pg/main/pg_hba.conf";

ok(start('main'), 'PostgreSQL runs');
ok(wait_for(sub { defined sql('SELECT 1') }, 30), 'and takes logins');

my $secret = 'ge+heim/@:%& 7';
(my $in_url = $secret) =~ s/([^\w])/sprintf '%%%02x', ord $1/ge;

sql($_) // die "$_: " . $t->read_file('pg/log') for
    "CREATE ROLE status LOGIN PASSWORD '$secret'",
    "CREATE ROLE \"tls-only\" LOGIN PASSWORD '$secret'",
    'CREATE ROLE client LOGIN', "CREATE ROLE \"$who\" LOGIN",
    'CREATE ROLE nobodys LOGIN',
    "CREATE ROLE full LOGIN PASSWORD '$secret' CONNECTION LIMIT 0",
    'CREATE DATABASE "odd name"';

ok(start($_), "$_ runs") for 'old', 'self';
ok(wait_for(sub { defined sql('SELECT 1', 'old') }, 30),
   'the standby takes logins');


# ---------------------------------------------------------------------- rows

my $P = "postgresql://status:$in_url\@localhost:%%PORT_1%%/postgres";
my $Q = '%%PORT_1%%/postgres';
my $R = '%%PORT_2%%/postgres';
my $S = '%%PORT_3%%/postgres';
my $H = 'localhost:%%PORT_4%%/x';                      # hostile, see below
my $login = 'password file:%%TESTDIR%%/secret; ';
my $own = 'tls_ca %%TESTDIR%%/own.pem; ';
my @rows;                 # [ id, URL, directives, state, error, message ]

sub row { push @rows, [ @_ ] }

$t->write_file('secret', "$secret\n");

row('select', $P, '', 'up');
row('alias', "postgres://status\@127.0.0.1:$Q", $login, 'up');
row('username', "postgresql://127.0.0.1:$Q", "username status; $login", 'up');
row('value', $P, q(query "SELECT 'a'||'b'"; expect value ab;), 'up');
row('number', $P, q(query "SELECT 41 + 1.0"; expect value > 41;), 'up');
row('equal', $P, q(query "SELECT 5.00"; expect value == 5;), 'up');
row('other', $P, 'query "SELECT 3"; expect value == 2;', 'down', 'value',
    qr/^value is "3", expected == "?2"?$/);
row('prefer', $P, 'query "SELECT 3"; prefer value < 2;', 'degraded', 'value',
    qr/^value is "3", expected < 2$/);
row('utf8', $P, qq(query "SELECT 'gr\xc3\xbc\xc3\x9fe'"; )
    . qq(expect value ~ "^gr\xc3\xbc\xc3\x9fe\$";), 'up');
row('rows', $P, 'query "SELECT generate_series(1,7)"; expect rows == 7; '
    . 'expect value == 1;', 'up');
row('rows-not', $P, 'query "SELECT generate_series(1,7)"; expect rows < 7;',
    'down', 'value', qr/^rows 7, expected < 7$/);
row('empty', $P, 'query "SELECT 1 WHERE false"; expect rows == 0;', 'up');
row('empty-fine', $P, 'query "SELECT 1 WHERE false";', 'up');
row('empty-not', $P, 'query "SELECT 1 WHERE false"; expect value == 1;',
    'down', 'value', qr/^no value came, expected == "?1"?$/);
row('null', $P, 'query "SELECT NULL"; expect rows == 1;', 'up');
row('null-not', $P, 'query "SELECT NULL"; expect value != 1;', 'down',
    'value', qr/^no value came, expected != "?1"?$/);
row('no-columns', $P, 'query "SELECT FROM generate_series(1,3)"; '
    . 'expect rows == 3;', 'up');
row('command', $P, q(query "SET application_name = 'x'"; expect rows == 0;),
    'up');
row('several', $P, q(query "SET work_mem = '1MB'; SELECT 5; SELECT 6"; )
    . 'expect value == 5; expect rows == 2;', 'up');
row('nothing', $P, 'query ";";', 'up');
row('primary', $P, 'query "SELECT pg_is_in_recovery()"; expect value == f;',
    'up');
row('name', "$P?application_name=%3Cprobe%3E",
    'query "SHOW application_name"; expect value == <probe>;', 'up');
row('agent', $P, 'query "SHOW application_name"; '
    . 'expect value ngx_status_module;', 'up');
row('options', "$P?options=-c%20work_mem%3D7MB",
    'query "SHOW work_mem"; expect value 7MB;', 'up');
row('odd', "postgresql://status\@localhost:%%PORT_1%%/odd%20name",
    $login . 'query "SELECT current_database()"; expect value "odd name";',
    'up');
row('wrong', $P, 'query "SELECT nowhere FROM nothing";', 'down', 'value',
    qr/^query failed: relation "nothing" does not exist \(42P01\)$/);
row('late-wrong', $P, 'query "SELECT 1/(3-i) FROM generate_series(1,9) i";',
    'down', 'value', qr/^query failed: division by zero \(22012\)$/);
row('cancelled', "$P?options=-cstatement_timeout%3D50",
    'query "SELECT pg_sleep(30)";', 'down', 'value',
    qr/^query failed: canceling statement due to statement timeout \(57014\)$/);
row('copy', $P, 'query "COPY pg_class TO STDOUT";', 'down', 'value',
    qr/^the query is a COPY, which gives no rows$/);
row('notices', $P, q(query "DO $$BEGIN FOR i IN 1..99 LOOP RAISE NOTICE 'no'; )
    . 'END LOOP; END$$";', 'up');
row('slow', $P, 'query "SELECT pg_sleep(0.3)"; prefer latency < 200ms;',
    'degraded', 'latency', qr/^latency [\d.]+m?s, expected < 200ms$/);
row('slow-default', $P, 'query "SELECT pg_sleep(1.1) -- latency";',
    'degraded', 'latency', qr/^latency [\d.]+s, expected < 1s$/);
row('sleeps', $P, 'query "SELECT pg_sleep(30)";', 'timeout', 'timeout',
    qr/^timed out after \d+ ms, while waiting for the answer$/);
row('many', $P, 'query "SELECT generate_series(1,100000)"; max_body 3m; '
    . 'expect rows == 100000;', 'up');
row('many-tls', "$P?sslmode=require", 'query "SELECT i, i, i '
    . 'FROM generate_series(1,30000) i"; max_body 3m; '
    . 'expect rows == 30000;', 'up');
row('large', "$P?sslmode=require", q(query "SELECT repeat('x', 500000)"; )
    . 'expect value ~ "^x+$";', 'up');
row('endless', $P, 'query "SELECT generate_series(1,1000000000)"; '
    . 'expect rows > 1000; max_body 100k;', 'up');
row('endless-not', $P, 'query "SELECT generate_series(1,1000000000)"; '
    . 'expect rows > 1000; expect rows < 9999999999; max_body 100k;', 'down',
    'value', qr/^rows: there is more than max_body$/);
row('huge', $P, q(query "SELECT repeat('x', 30000000)";), 'down', 'size',
    qr/^more than max_body came, and not one whole row$/);
row('huge-tls', "$P?sslmode=require",
    q(query "SELECT repeat('x', 30000000)";), 'down', 'size',
    qr/^more than max_body came, and not one whole row$/);

row('password', "postgresql://status:falsch-7\@localhost:$Q", '', 'down',
    'auth', qr/^no login: password authentication failed for user "status" \(28P01\)$/);
row('no-password', "postgresql://status\@localhost:$Q", '', 'down', 'auth',
    qr/^the server asks for a password, and none is set$/);
row('no-user', "postgresql://nosuch:x\@localhost:$Q", '', 'down', 'auth',
    qr/^no login: password authentication failed for user "nosuch" \(28P01\)$/);
row('no-db', "postgresql://status\@localhost:%%PORT_1%%/nosuch", $login,
    'down', 'value', qr/^no login: database "nosuch" does not exist \(3D000\)$/);
row('hba', "postgresql://nobodys\@localhost:$Q", '', 'down', 'auth',
    qr/^no login: pg_hba.conf rejects connection for .* \(28000\)$/);
row('full', "postgresql://full\@localhost:$Q", $login, 'down', 'value',
    qr/^no login: too many connections for role "full" \(53300\)$/);
row('starting', "postgresql://status\@localhost:$S?sslmode=disable", $login,
    'down', 'value', qr/^no login: the database system is (?:starting up|not (?:yet )?accepting connections) \(57P03\)$/);
row('attrs', "$P?target_session_attrs=read-only", '', 'down', 'value',
    qr/^session is not read-only$/);

row('plain', "$P?sslmode=disable",
    'query "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"; '
    . 'expect value f;', 'up');
row('tls', $P, 'query "SELECT ssl FROM pg_stat_ssl '
    . 'WHERE pid = pg_backend_pid()"; expect value t;', 'up');
row('tls-only', "postgresql://tls-only\@localhost:$Q?sslmode=disable", $login,
    'down', 'auth', 
    qr/^no login: pg_hba.conf rejects connection for .* \(28000\)$/);
row('full-tls', "$P?sslmode=verify-full", $own, 'up');
row('by-ca', $P, "$own expect cert > 30d; expect cert < 90d;", 'up');
row('binding', "$P?sslmode=verify-full&channel_binding=require", $own, 'up');
row('cert-soon', $P, "$own prefer cert > 70d;", 'degraded', 'cert',
    qr/^certificate has 60 days left, expected > 70d$/);
row('no-cert', "$P?sslmode=disable", 'expect cert > 1d;', 'down', 'cert',
    qr/^no certificate came, expected > 1d$/);
row('stranger', $P, 'tls_ca %%TESTDIR%%/other.pem;', 'down', 'tls',
    qr/^certificate is not trusted: /);
row('address', "postgresql://status\@127.0.0.1:$Q?sslmode=verify-full",
    "$login $own", 'down', 'tls', qr/^certificate is for another name$/);
row('only-ca', "postgresql://status\@127.0.0.1:$Q?sslmode=verify-ca",
    "$login $own", 'up');
row('self', "postgresql://status\@localhost:$S", "$login $own", 'down', 'tls',
    qr/^certificate is not trusted: self.signed certificate$/);
row('expired', "postgresql://super\@localhost:$R", "password geheim-super; "
    . $own, 'down', 'tls',
    qr/^certificate is not trusted: certificate has expired$/);
row('public-ca', "$P?sslmode=verify-full", '', 'down', 'tls',
    qr/^certificate is not trusted: /);
row('verified', $P, "$own expect cert verified; expect cert issuer own; "
    . 'expect cert names contains localhost;', 'up');
row('not-minded', "postgresql://super\@localhost:$R?sslmode=require",
    'password geheim-super;', 'up');
row('minded', "postgresql://super\@localhost:$R?sslmode=require",
    'password geheim-super; expect cert > 0;', 'down', 'cert',
    qr/^certificate expired 2(?:\.\d)? days ago, expected > 0$/);
row('by-cert', "postgresql://client\@localhost:$Q?sslmode=require",
    'tls_cert %%TESTDIR%%/client.pem %%TESTDIR%%/client.key;', 'up');
row('bad-key', "postgresql://client\@localhost:$Q?sslmode=require",
    'tls_cert %%TESTDIR%%/client.pem %%TESTDIR%%/own.pem;', 'unknown',
    'internal', qr/private key file/);
row('standby', "postgresql://super\@localhost:$R",
    'password geheim-super; query "SELECT pg_is_in_recovery()"; '
    . 'expect value t;', 'up');
row('standby-not', "postgresql://super\@localhost:$R"
    . '?target_session_attrs=read-write', 'password geheim-super;', 'down',
    'value', qr/^session is read-only$/);

row('file', "postgresql://:%%PORT_1%%/postgres?host=%%TESTDIR%%/pg", '',
    'up');
row('file-who', "postgresql://:%%PORT_1%%/postgres?host=%%TESTDIR%%/pg",
    "query 'SELECT current_user'; expect value $who; $own", 'up');
row('file-none', "postgresql://:%%PORT_9%%/?host=%%TESTDIR%%/pg", '', 'down',
    'connect', qr/^there is no such socket$/);
row('refused', 'postgresql://status@127.0.0.1:%%PORT_9%%/x', '', 'down',
    'connect', qr/^connection refused$/);
row('unresolved', 'postgresql://no.such.name.invalid/x', '',
    qr/^(down|unknown|timeout)$/, qr/./, qr/no\.such\.name\.invalid|resolver/);

row('full-queue', 'postgresql://127.0.0.1:%%PORT_6%%/x', '', 'timeout',
    'timeout', qr/^timed out after \d+ ms, while connecting$/);
row('tls-silent', 'postgresql://127.0.0.1:%%PORT_5%%/x', '', 'timeout',
    'timeout', qr/^timed out after \d+ ms, while in the TLS handshake$/);
row('silent', "postgresql://silent\@$H", '', 'timeout', 'timeout',
    qr/^timed out after \d+ ms, while waiting for the answer$/);
row('no-tls', "postgresql://silent\@$H?sslmode=require", '', 'down', 'tls',
    qr/^the server does not do TLS$/);
row('garbage', "postgresql://garbage\@$H", '', 'down', 'protocol',
    qr/^the answer is not PostgreSQL's$/);
row('reset', "postgresql://reset\@$H", '', 'down', 'reset',
    qr/^connection (?:closed|reset) while waiting for the answer$/);
row('closed', "postgresql://closed\@$H", '', 'down', 'reset',
    qr/^connection closed while waiting for the answer$/);
row('method', "postgresql://method\@$H", '', 'down', 'auth',
    qr/^authentication method 99 not supported$/);
row('gss', "postgresql://gss\@$H", '', 'down', 'auth', qr/GSSAPI/);
row('echo', "postgresql://echo\@$H", $login, 'down', 'auth',
    qr/^no login: who would take \*\*\*\? \(28P01\)$/);
row('bare', "postgresql://bare\@$H", '', 'down', 'value',
    qr/^no login: out of memory$/);
row('params', "postgresql://params\@$H", '', 'down', 'protocol',
    qr/^more than 64 kB came before the login was done$/);
row('says', "postgresql://says\@$H", 'max_body 200k;', 'down', 'size',
    qr/^more than max_body came, and not one whole row$/);
row('drip', "postgresql://drip\@$H", '', 'timeout', 'timeout',
    qr/^timed out after \d+ ms, while waiting for the answer$/);
row('no-end', "postgresql://no-end\@$H", '', 'timeout', 'timeout',
    qr/^timed out/);
row('giant', "postgresql://giant\@$H", '', 'down', 'size',
    qr/^more than max_body came, and not one whole row$/);
row('torn', "postgresql://torn\@$H", '', 'down', 'protocol', qr/./);
row('cut', "postgresql://cut\@$H", '', 'down', 'reset',
    qr/^connection closed while waiting for the answer$/);
row('html', "postgresql://html\@$H", 'expect value == 1;', 'down', 'value',
    qr/^value is "<script>.*", expected/);
row('rounds', "postgresql://rounds\@$H", $login, 'unknown', 'internal',
    qr/^libpq (?:was still at work after \d+ ms|is still at work for)/);


# ------------------------------------------------------------ hostile peers

# A protocol message, and an answer with one column and one value.
sub message { my ($type, $body) = @_;
              return $type . pack('N', 4 + length $body) . $body }

my $column = message('T', pack('n', 1) . "a\0" . pack('NnNnNn', 0, 0, 25, 65535,
                                                   4294967295, 0));

sub data_row { return message('D', pack('nN', 1, length $_[0]) . $_[0]) }

sub receive {
    my ($s) = @_;
    sysread($s, my $head, 5) == 5 or die 'gone';
    my ($length) = unpack 'x N', $head;
    my $body = '';
    while (length $body < $length - 4) {
        sysread $s, $body, $length - 4 - length $body, length $body
            or die 'gone';
    }
    return $body;
}

# Until the other side has gone.
sub rest { 1 while sysread $_[0], my $bytes, 4096 }

sub login {
    my ($s) = @_;
    syswrite $s, message('R', pack 'N', 0)
                 . message('S', "server_version\0" . "15.1\0")
                 . message('Z', 'I');
    receive($s);
}

my %hostile = (
    silent  => \&rest,
    garbage => sub { syswrite $_[0], "HTTP/1.1 400 Bad Request\r\n\r\n";
                     rest($_[0]) },
    reset   => sub { setsockopt $_[0], SOL_SOCKET, SO_LINGER,
                         pack 'ii', 1, 0 },
    closed  => sub { },
    method  => sub { syswrite $_[0], message('R', pack 'N', 99) },
    gss     => sub { syswrite $_[0], message('R', pack 'N', 7); rest($_[0]) },
    echo    => sub { my ($s) = @_;
                     syswrite $s, message('R', pack 'N', 3);
                     my $password = receive($s);
                     $password =~ s/\0//;
                     syswrite $s, message('E', "SFATAL\0C28P01\0"
                         . "Mwho would take $password?\0\0") },
    bare    => sub { syswrite $_[0], message('E', "SFATAL\0"
                                             . "Mout of memory\0\0") },
    params  => sub { my ($s) = @_;
                     my $n = 0;
                     syswrite $s, message('R', pack 'N', 0);
                     while (syswrite $s, join '', map {
                         message('S', 'p' . $n++ . "\0\0") } 1 .. 100) { } },
    says    => sub { my ($s) = @_;
                     login($s);
                     my $text = message('N', "SNOTICE\0C00000\0M"
                                        . 'x' x 1000 . "\0\0");
                     while (syswrite $s, $text x 20) { } },
    drip    => sub { my ($s) = @_;
                     login($s);
                     syswrite $s, $column;
                     while (syswrite $s, data_row('x')) { sleep 0.05 } },
    'no-end' => sub { my ($s) = @_;
                     login($s);
                     syswrite $s, $column . data_row('x')
                                  . message('C', "SELECT 1\0");
                     rest($_[0]) },
    giant   => sub { my ($s) = @_;
                     login($s);
                     syswrite $s, $column . 'D' . pack('NnN', 1 << 30, 1,
                                                       (1 << 30) - 10);
                     my $piece = 'x' x 65536;
                     while (syswrite $s, $piece) { } },
    torn    => sub { my ($s) = @_;
                     login($s);
                     syswrite $s, $column . message('D', pack('nN', 1, 1000)
                                                    . 'x') . 'Q' x 100;
                     rest($_[0]) },
    cut     => sub { my ($s) = @_;
                     login($s);
                     syswrite $s, $column . substr data_row('x' x 100), 0, 50 },
    html    => sub { my ($s) = @_;
                     login($s);
                     syswrite $s, $column
                         . data_row("<script>\x1b\xff&\n" . 'y' x 100)
                         . message('C', "SELECT 1\0") . message('Z', 'I');
                     rest($_[0]) },
    rounds  => sub { my ($s) = @_;
                     syswrite $s, message('R', pack('N', 10)
                                          . "SCRAM-SHA-256\0\0");
                     my ($nonce) = receive($s) =~ /r=([^,]+)/;
                     syswrite $s, message('R', pack('N', 11)
                         . "r=${nonce}abc,s=" . 'QSXCR+Q6sek8bf92,i=4000000');
                     rest($_[0]) },
);

sub hostile {
    my ($s) = @_;
    my $head;

    while (sysread $s, $head, 8) {
        my ($length, $what) = unpack 'NN', $head;

        if ($what == 80877103) {                       # "TLS?"
            syswrite $s, 'N';
            next;
        }
        sysread $s, my $rest, $length - 8;
        my %params = split /\0/, $rest;
        eval { ($hostile{$params{user}} // sub { })->($s) };
        return;
    }
}

$t->peer(4, \&hostile);
$t->peer(5, sub { my ($s) = @_;
                  sysread $s, my $head, 8;
                  syswrite $s, 'S';
                  rest($s) });
$t->deaf(6);


# -------------------------------------------------------------------- checks

# Where nothing asks for latency a busy machine is not to matter.
my $checks = join '', map {
    "check $$_[0] $$_[1] { $$_[2] "
    . ($$_[2] =~ /latency/ ? '' : 'prefer latency off;') . " }\n"
} @rows;
my $slow = NgxStatus::slowness();

# what libpq would take from the environment breaks every one of them
$t->conf(<<"HTTP", main => <<'MAIN');
status_monitor m {
    interval ${\(4 * $slow)}s;
    timeout  ${\(3 * $slow)}s;
    fall     1;
    max_per_host 30;
    max_in_flight 100;
    $checks
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
    location /page/ { status_page m internal; }
}
HTTP
env PGSERVICE=nosuch;
env PGPASSWORD=geheim-super;
env PGOPTIONS=-cnosuch=1;
env PGUSER=nosuch;
env PGSSLCERT=/nosuch;
env PGTARGETSESSIONATTRS=read-only;
env PGCLIENTENCODING=LATIN1;
MAIN

$t->run;

my $json = $t->rows_ok('/m', \@rows, [qw(error_class message)]);

is(check_of($json, 'select')->{type}, 'postgresql', 'type');
like(check_of($json, 'select')->{seen}, qr/^PostgreSQL [\d.]+: 1$/, 'seen');
like(check_of($json, 'null')->{seen}, qr/: NULL$/, 'seen: NULL');
like(check_of($json, 'empty')->{seen}, qr/: no rows$/, 'seen: no rows');

my $phases = check_of($json, 'full-tls')->{phases_ms};
ok($phases->{$_} > 0, "phase: $_") for qw(connect tls wait);
ok(check_of($json, 'sleeps')->{phases_ms}{wait} > 2000, 'where time went');

my %verified = (
    'by-ca' => JSON::PP::true, stranger => JSON::PP::false,
    expired => JSON::PP::false, self => JSON::PP::false,
    address => JSON::PP::false, 'only-ca' => undef, 'not-minded' => undef,
);
for my $id (sort keys %verified) {
    my $check = check_of($json, $id);
    ok($check->{cert_expires_at}, "$id: certificate is seen");
    is($check->{cert}{verified}, $verified{$id}, "$id: verified, or not");
}
ok(!check_of($json, 'plain')->{cert_expires_at}, 'plain: there is none');

ok($t->wait_check('/m', 'rounds', sub {
    $_->{message} =~ /^libpq is still at work for the probe of \d+ s ago$/
}, 20), 'no second login while the first is being computed');
ok(wait_for(sub {
    scalar grep { ((split ' ', (NgxStatus::slurp($_) // '') =~ s/^.*\)//sr)[16] // 0) == 19 }
           glob '/proc/' . $t->checker . '/task/*/stat'
}, 10), 'which lets others go first');

# nothing that a server sends is kept

SKIP: {
    skip 'sanitizers take memory of their own', 1
        if $ENV{NGX_STATUS_PRELOAD};
    my ($peak) = (NgxStatus::slurp('/proc/' . $t->checker . '/status') // '')
                 =~ /^VmHWM:\s+(\d+) kB/m;
    cmp_ok($peak, '<', 100_000, 'memory of the checker');
}

cmp_ok(sql(q(SELECT count(*) FROM pg_stat_activity
             WHERE application_name = 'ngx_status_module' AND state = 'idle')),
       '<', 10, 'connections are closed');

# secrets

my $page = join '', map { $t->get($_)->{body} // '' } '/page/', '/m',
           map { "/page/check/$$_[0]" } @rows;
unlike($page . $t->log, qr/\Q$secret\E|\Q$in_url\E|falsch-7|geheim-super/,
       'no secret in page, JSON and log');
like($page, qr/&lt;script&gt;/, 'what a server sends is escaped');
is($t->read_file('stderr.log'), '', 'nothing on standard error');

# the server goes and comes back; a reload in the middle

stop('main');
ok($t->wait_check('/m', 'select', sub {
    $_->{status} eq 'down' && $_->{message} eq 'connection refused' }, 20),
   'stopped: down');
ok(start('main'), 'runs again');
ok($t->wait_check('/m', 'select', sub { $_->{status} eq 'up' }, 20),
   'up again');

$t->reload;
ok($t->wait_check('/m', 'slow', sub { $_->{result} eq 'degraded' }, 20),
   'goes on after a reload');


# ------------------------------------------------------------------ mistakes

for (
    [ 'postgresql://a,b/x', '', qr/the URL has several hosts, expected a check for each/ ],
    [ 'postgresql://a/x?host=/run', '', qr/the URL has several hosts/ ],
    [ 'postgresql://%2Frun/x', '', qr/expected \?host=\/directory/ ],
    [ 'postgresql:///x?host=run', '', qr/expected \?host=\/directory/ ],
    [ 'postgresql://a/x%zz', '', qr/the database's name has a "%" without/ ],
    [ 'postgresql://a/x?options=%0', '', qr/"options" in the URL has a "%" without/ ],
    [ 'postgresql://a/x?sslmode=full', '', qr/invalid sslmode "full" in the URL, expected one of disable allow prefer require verify-ca verify-full/ ],
    [ 'postgresql://a/x?password=geheim', '', qr/invalid "password" in the URL, expected one of application_name= channel_binding= host= options= sslmode= target_session_attrs=/ ],
    [ 'postgresql://a/x?sslmode', '', qr/invalid "sslmode" in the URL/ ],
    [ 'postgresql://a/x?host=/a&host=/b', '', qr/"host" is twice in the URL/ ],
    [ 'postgresql://a/x', 'tls_cert nginx.conf;', qr/"tls_cert" can not use ".*\/nginx.conf": no PEM in it/ ],
    [ 'postgresql://a/x?sslmode=verify-ca', 'tls_verify off;', qr/sslmode=verify-ca and "tls_verify off"/ ],
    [ 'postgresql:///x?sslmode=require', '', qr/there is no TLS through a socket file/ ],
    [ 'postgresql://a/x', 'query "";', qr/invalid query|"query"/ ],
    [ 'postgresql://a/x', 'expect status 200;', qr/expected one of latency cert rows value/ ],
    [ 'postgresql://a/x', 'family 5;', qr/invalid family "5"/ ],
    [ 'http://a/x', 'query "SELECT 1";', qr/"query" is not for a check of type http, only for .*postgresql/ ],
) {
    my ($url, $directives, $error) = @$_;

    my $wrong = NgxStatus->new;
    $wrong->conf("status_monitor m { check a $url { $directives } }");
    my ($ok, $out) = $wrong->test_conf;

    ok(!$ok, "refused: $url $directives");
    like($out, $error, 'what is wrong');
    unlike($out, qr/geheim/, 'no secret') if $url =~ /geheim/;
}

stop($_) for keys %server;
$t->finish;
done_testing();
