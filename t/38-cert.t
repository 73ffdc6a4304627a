#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Certificates: when they and their chains end, issuer, names, whether they
# verify, of handshakes that succeed and that fail; the conditions on these;
# what JSON and the check's page tell, and to whom; the default conditions.

use strict;
use warnings;
use utf8;

use FindBin;
use Test::More;
use Time::HiRes qw(time);

use lib "$FindBin::Bin/lib";
use NgxStatus;
use Pki;

plan(skip_all => 'no openssl') if system('openssl version >/dev/null 2>&1');
my $so = $ENV{NGX_STATUS_SO} || top() . '/build/ngx_status_module.so';
plan(skip_all => 'the module is built without OpenSSL')
    if system('grep', '-q', 'SSL_CTX_set_cert_verify_callback', $so);

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output);

my $t = NgxStatus->new;
my $day = 86400;


# -------------------------------------------------------------- certificates

my $pki = Pki->new($t->dir);
my $san = 'DNS:good.test,DNS:*.wild.test,IP:127.0.0.1,IP:2001:db8::1,'
          . 'email:a@good.test,URI:https://good.test/';

# hours more, so that no day ends while the tests run
sub days { $_[0] * $day + 7200 }

$pki->authority('own', subject => '/CN=own');
$pki->authority('other');
$pki->certificate('inter', undef, days(10), ca => 1,
                  subject => '/O=Acme/CN=Issuing CA 1');
$pki->certificate('amazon', undef, days(200), ca => 1,
                  subject => '/O=Amazon/CN=Amazon RSA 2048 M02');
$pki->certificate('nameless', undef, days(200), ca => 1,
                  subject => '/O=Only an organization');

my %cert = (
    good       => [ $san, days(60) ],
    chained    => [ $san, days(60), by => 'inter', chain => [ 'inter' ] ],
    half       => [ $san, days(60), by => 'inter' ],
    amazon2    => [ $san, days(60), by => 'amazon', chain => [ 'amazon' ] ],
    nameless2  => [ $san, days(60), by => 'nameless',
                    chain => [ 'nameless' ] ],
    unrelated  => [ $san, days(60), chain => [ 'expired' ] ],
    expired    => [ $san, days(-3) ],
    soon       => [ $san, days(10) ],
    last       => [ $san, days(2) ],
    elsewhere  => [ 'DNS:elsewhere.test', days(60) ],
    common     => [ undef, days(60), subject => '/CN=good.test' ],
    many       => [ join(',', map { sprintf 'DNS:host-%03d.example.test', $_ }
                         0 .. 299), days(60) ],
    'too-many' => [ join(',', map { sprintf 'DNS:a-rather-long-name-%04d.of-'
                         . 'a-host.example.test', $_ } 0 .. 799), days(60) ],
);
$pki->certificate($_, @{ $cert{$_} })
    for (grep { $_ ne 'unrelated' } sort keys %cert), 'unrelated';

$pki->selfsigned('self', '/CN=good.test', 'DNS:good.test');

# as it may be sent, by whoever wants to be read by us: HTML, UTF-8, what
# turns the line around, too long; names with a NUL, spaces, commas, LF, HTML
my $evil = '<b>"Émile" & söhne' . "\x{202e}" . 'x' x 40;
my @evil = ("good.test\0.evil.test", 'a b, DNS:c', "x\ny", '<i>&amp;',
            "caf\x{e9}");
my $der = join '', map { chr(0x82) . chr(length $_) . $_ } @evil;
utf8::encode(my $subject = "/O=$evil/CN=$evil");
$pki->selfsigned('hostile', $subject =~ s{</}{<\\/}gr,
                 'DER:' . join(':', map { sprintf '%02x', ord }
                               split //, chr(0x30) . chr(length $der) . $der));


# --------------------------------------------------------------------- checks

my @certs = sort(keys %cert, 'self', 'hostile');
my %port = map { $certs[$_] => 10 + $_ } 0 .. $#certs;
my @rows;                            # [ id, URL, directives, state, message ]

sub row { push @rows, [ @_ ] }
sub url { my ($cert, $host) = @_;
          return 'https://' . ($host // 'good.test')
                 . ":%%PORT_$port{$cert}%%/" }

my $ca = 'tls_ca %%TESTDIR%%/own.pem; ';
my $to = 'resolve 127.0.0.1; ';
my $own = $ca . $to;
my $mute = 'expect cert off; prefer cert off; ';

# what conditions say

row('chain', url('chained'), "$own expect cert > 21d; prefer cert chain > 21d;",
    'degraded', "certificate's chain has 10 days left, expected > 21d");
row('chain-down', url('chained'), "$own expect cert chain > 30d;",
    'down', "certificate's chain has 10 days left, expected > 30d");
row('chain-up', url('chained'), "$own expect cert chain > 7d;", 'up', '');
row('chain-one', url('good'), "$own expect cert chain > 59d;", 'up', '');
row('chain-unrelated', url('unrelated'), "$own prefer cert chain > 7d;",
    'degraded',
    qr/^certificate's chain expired 2\.9 days ago, expected > 7d$/);
row('issuer', url('chained'), "$own expect cert issuer contains Acme; "
    . 'expect cert issuer == "Issuing CA 1 (Acme)";', 'up', '');
row('issuer-down', url('chained'), "$own expect cert issuer contains* "
    . q{"Let's Encrypt";}, 'down', 'cert issuer is "Issuing CA 1 (Acme)", '
    . q{expected contains* "Let's Encrypt"});
row('issuer-once', url('amazon2'), $own, 'up', '');
row('issuer-org', url('nameless2'), $own, 'up', '');
row('names', url('good'), "$own expect cert names contains good.test; "
    . 'prefer cert names ~ ^2001:db8::1;', 'up', '');
row('names-wild', url('good'), "$own expect cert names contains x.wild.test;",
    'up', '');
row('names-deep', url('good'), "$own expect cert names contains "
    . 'x.y.wild.test;', 'down', 'cert names is "good.test" (first of 4), '
    . 'expected contains "x.y.wild.test"');
row('names-whole', url('good'), "$own expect cert names == x.wild.test;",
    'down', 'cert names is "good.test" (first of 4), '
    . 'expected == "x.wild.test"');
row('names-not', url('good'), "$own expect cert names !contains wild.test;",
    'up', '');
row('names-many', url('many'), "tls_verify off; $own expect cert names "
    . 'contains host-299.example.test;', 'up', '');
row('names-too-many', url('too-many'), "tls_verify off; $own expect cert "
    . 'names !contains x;', 'down', 'names of the certificate are not known, '
    . 'expected !contains "x"');
row('names-common', url('common'), "$own expect cert names good.test;",
    'up', '');
row('verified', url('good'), "$own expect cert verified;", 'up', '');
row('verified-no', url('good'), "$own expect cert verified == no;",
    'down', 'certificate verifies, expected == no');
row('plain', 'http://127.0.0.1:%%PORT_0%%/ok', 'expect cert issuer == x;',
    'down', 'no certificate came, expected == "x"');

# handshakes that fail show it all the same

row('expired', url('expired'), $own, 'down', 'certificate has expired');
row('elsewhere', url('elsewhere'), $own, 'down',
    'certificate is for another name');
row('self', url('self'), $own, 'down', 'self-signed certificate');
row('intermediate', url('half'), $own, 'down',
    'certificate of an unknown issuer, and no intermediate was sent');
row('stranger', url('chained'), "tls_ca %%TESTDIR%%/other.pem; $to", 'down',
    'certificate of an unknown issuer');
row('untrusted', url('good'), $to, 'down',
    'certificate of an unknown issuer, and no intermediate was sent')
    if -e '/etc/ssl/certs/ca-certificates.crt';

# without verification it is told whether it would verify

my $off = "tls_verify off; prefer cert verified; ";
my $no = 'certificate does not verify, expected yes';
row('off', url('good'), "$off$own", 'up', '');
row('off-address', url('good', '127.0.0.1'), "$off$ca", 'up', '');
row('off-untrusted', url('good'), "$off$to", 'degraded', $no)
    if -e '/etc/ssl/certs/ca-certificates.crt';
row('off-expired', url('expired'), "$off$own", 'degraded', $no);
row('off-elsewhere', url('elsewhere'), "$off$own", 'degraded', $no);
row('off-address-no', url('elsewhere', '127.0.0.1'), "$off$ca", 'degraded',
    $no);
row('off-self', url('self'), "$off$own", 'degraded', $no);
row('off-hostile', url('hostile'), "tls_verify off; $own", 'up', '');

# a connection that was made without trust is of no use to who wants trust

row('keepalive', url('chained'), "$own keepalive on; expect cert > 7d; "
    . 'expect cert names contains a.wild.test; expect cert issuer ~ Acme; '
    . 'expect header X-Requests >= 3;', 'up', '');
row('keepalive-off', url('expired'), "$off$own keepalive on;", 'degraded', $no);
row('keepalive-on', url('expired'), "$own keepalive on;", 'down',
    'certificate has expired');

# where a redirect leads; which certificate is whose

my $r = '/redirect?to=';
row('to-tls', 'http://127.0.0.1:%%PORT_1%%' . $r . url('good', '127.0.0.1'),
    $ca, 'up', '');
row('to-tls-asked', 'http://127.0.0.1:%%PORT_1%%' . $r
    . url('soon', '127.0.0.1'), "$ca expect cert > 20d;", 'down',
    'certificate has 10 days left, expected > 20d');
row('to-other', url('good', '127.0.0.1') . 'to', $ca, 'up', '');
row('to-plain', url('good', '127.0.0.1') . 'plain', $ca, 'up', '');
row('history', url('good', '127.0.0.1') . 'score', "$ca score \$.s; "
    . 'score_history ' . url('chained', '127.0.0.1') . 'score $.h;', 'up', '');

# defaults, and what turns them off

row('default', url('good'), $own, 'up', '');
row('default-prefer', url('soon'), $own, 'degraded',
    'certificate has 10 days left, expected > 21d');
row('default-expect', url('last'), $own, 'down',
    'certificate has 2 days left, expected > 3d');
row('default-off', url('last'), "$own prefer cert off; expect cert off;",
    'up', '');
row('default-half', url('last'), "$own expect cert off;", 'degraded',
    'certificate has 2 days left, expected > 21d');
row('default-own', url('last'), "$own expect cert > 1d; prefer cert > 2d;",
    'up', '');
row('default-named', url('last'), "$own expect cert chain > 1d;", 'down',
    'certificate has 2 days left, expected > 3d');
row('default-unverified', url('last'), "$own tls_verify off;", 'up', '');
row('default-unverified-own', url('soon'), "$own tls_verify off; "
    . 'expect cert > 30d;', 'down',
    'certificate has 10 days left, expected > 30d');

my $checks = join '', map { "check $_->[0] \"$_->[1]\" { $_->[2] }\n" } @rows;

# those of a group; each inner one takes the place of that of its own name

my @grouped;
my $group = '';
for ([ 'in-same', "$own expect cert > 1d; prefer cert off; "
       . 'expect cert chain > 1d; expect cert names contains good.test; '
       . 'expect cert issuer own;', 'up', '' ],
     [ 'in-leaf', "$own expect cert > 1d;", 'down',
       "certificate's chain has 2 days left, expected > 100d" ],
     [ 'in-chain', "$own expect cert chain off;", 'down',
       'certificate has 2 days left, expected > 100d' ],
     [ 'in-names', "$own expect cert chain off; expect cert > 1d; "
       . 'expect cert issuer own;', 'down',
       'cert names is "good.test" (first of 4), expected contains '
       . '"nobody.test"' ],
     [ 'in-issuer', "$own expect cert chain off; expect cert > 1d; "
       . 'expect cert names good.test;', 'down',
       'cert issuer is "own", expected == "nobody"' ])
{
    my ($id, $conf, @expected) = @$_;
    $group .= "check $id \"" . url('last') . "\" { $conf }\n";
    push @grouped, [ $id, undef, undef, @expected ];
}
$group .= "check in-plain http://127.0.0.1:%%PORT_0%%/ok { }\n";
push @grouped, [ 'in-plain', undef, undef, 'up', '' ];

my $servers = join '', map { <<"SERVER" } @certs;
server {
    listen 127.0.0.1:%%PORT_$port{$_}%% ssl http2;
    ssl_certificate     %%TESTDIR%%/$_.pem;
    ssl_certificate_key %%TESTDIR%%/$_.key;
    add_header X-Requests \$connection_requests;
    location /      { return 200 fine; }
    location /to    { return 302 "${\ url('chained', '127.0.0.1')}"; }
    location /plain { return 302 "http://127.0.0.1:%%PORT_0%%/ok"; }
    location /score { return 200 '{"s":50,"h":[1,2,3]}'; }
}
SERVER

$t->conf(<<"HTTP");
status_monitor m {
    interval ${\(2 * NgxStatus::slowness())}s;
    timeout  ${\(2 * NgxStatus::slowness())}s;
    fall     1;
    max_per_host 50;
$checks
    group "Inherited" {
        expect cert > 100d; prefer cert > 200d; expect cert chain > 100d;
        expect cert names contains nobody.test; expect cert issuer == nobody;
$group
    }
}

$servers

server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
    location = /public { status_json m public; }
    location /p/  { status_page m internal; }
    location /q/  { status_page m; }
    location = /ok { return 200 fine; }
}
HTTP

$t->hostile(1);
$t->run;


# ----------------------------------------------------------------- conditions

push @rows, @grouped;

my $all = $t->rows_ok('/m', \@rows, [qw(message)]);


# ----------------------------------------------------------------------- JSON

sub cert { check_of($all, $_[0])->{cert} }

sub ends {
    my ($name) = @_;
    my $end = Pki::openssl('x509', '-noout', '-enddate', '-dateopt',
                           'iso_8601', '-in', $t->dir . "/$name.pem");
    return $end =~ s/^notAfter=(\S+) (\S+)\s*$/$1T$2/r;
}

my $names = [ 'good.test', '*.wild.test', '127.0.0.1', '2001:db8::1' ];

is_deeply(cert('chain'), {
    expires_at => ends('chained'), days_left => 60,
    chain_expires_at => ends('inter'), chain_days_left => 10,
    verified => JSON::PP::true, issuer => 'Issuing CA 1 (Acme)',
    names => $names, names_count => 4,
}, 'all of a certificate');
is(check_of($all, 'chain')->{cert_expires_at}, ends('chained'),
   'and when it ends, as before');
is_deeply(cert('keepalive'), cert('chain'), 'an old connection shows it, too');
is(check_of($all, 'keepalive')->{phases_ms}{connect}, undef,
   'which it is, for it has no connect phase');

my %verified = map { $_ => 1 } qw(good chain verified off off-address);
for (qw(verified expired elsewhere self off off-address off-expired
        off-elsewhere off-address-no off-self off-hostile keepalive-on),
     grep { check_of($all, $_) } qw(untrusted off-untrusted))
{
    my $is = cert($_);
    ok($is && !$is->{verified} == !$verified{$_}, "$_: "
       . ($verified{$_} ? 'verifies' : 'does not verify'));
}

is(cert('expired')->{days_left}, -3, 'days since it expired');
is(cert('expired')->{issuer}, 'own', 'its issuer');
is_deeply(cert('elsewhere')->{names}, [ 'elsewhere.test' ],
          'whose it is, if not ours');
is(cert('issuer-once')->{issuer}, 'Amazon RSA 2048 M02',
   'an issuer whose name begins with the organization');
is(cert('issuer-org')->{issuer}, 'Only an organization',
   'an issuer without a name');
is(cert('chain-unrelated')->{chain_days_left}, -3,
   'an expired certificate that nobody needs');
is_deeply(cert('names-common')->{names}, [ 'good.test' ],
          'a common name, for want of others');

my $many = cert('names-many');
is($many->{names_count}, 300, 'names that are not shown count');
is_deeply($many->{names}, [ map { sprintf 'host-%03d.example.test', $_ }
                            0 .. $#{ $many->{names} } ], 'names are whole');
cmp_ok(length join(' ', @{ $many->{names} }), '>', 200, 'as many as fit');
is(cert('names-too-many')->{names_count}, 800, 'also when there are too many');

is(cert('plain'), undef, 'plain http has none');
is(cert('to-tls'), undef, 'nor has it where it leads to TLS');
is(cert('to-tls-asked')->{expires_at}, ends('soon'),
   'unless that is asked for');
is(cert('to-other')->{issuer}, 'Issuing CA 1 (Acme)',
   'the certificate of the last hop');
is(cert('to-plain')->{issuer}, 'own', 'of the last that has one');
is(cert('history')->{issuer}, 'own', 'not that of the score history');
is(check_of($all, 'history')->{score}{value}, 50, 'which is read');

my $hostile = cert('off-hostile');
is_deeply($hostile->{names}, [ 'good.test?.evil.test', 'a?b,?DNS:c', 'x?y',
                               '<i>&amp;', 'caf?' ], 'hostile names');
like($hostile->{issuer}, qr/^<b>"Émile" & söhne\?xxx/, 'a hostile issuer');
cmp_ok(do { utf8::encode(my $s = $hostile->{issuer}); length $s }, '<', 96,
       'cut');

my $public = $t->json('/public');
is_deeply(check_of($public, 'chain')->{cert},
          { map { $_ => cert('chain')->{$_} }
            qw(expires_at days_left chain_expires_at chain_days_left verified)
          }, 'in public neither issuer nor names');

is(check_of($all, 'chain')->{seen}, 'HTTP/2 200, 4 bytes', 'what came');
is(check_of($all, 'to-plain')->{seen}, 'HTTP/1.1 200, 4 bytes',
   'from the last hop');
is(check_of($all, 'expired')->{seen}, undef, 'nothing came');
ok(!exists check_of($public, 'chain')->{seen}, 'internal, too');


# ---------------------------------------------------------------------- pages

my $page = $t->get('/p/check/chain')->{body};
my $time = qr{<time[^>]*>[^<]*</time>};
like($page, qr{<dt>Certificate</dt><dd>until $time, 60 days left</dd>},
     'page: certificate');
like($page, qr{<dt>Its chain</dt><dd>until $time, 10 days left</dd>},
     'page: its chain');
like($page, qr{<dt>Issuer</dt><dd[^>]*>Issuing CA 1 \(Acme\)</dd>},
     'page: issuer');
like($page, qr{<dt>Names</dt><dd[^>]*>\Q@{[ join ', ', @$names ]}\E</dd>},
     'page: names');
like($page, qr{<dt>Answer</dt><dd>HTTP/2 200, 4 bytes</dd>}, 'page: answer');

$page = $t->get('/q/check/chain')->{body};
like($page, qr{60 days left.*10 days left}s, 'public page: how long');
unlike($page, qr/Issuer|Acme|good\.test|HTTP\/2/, 'public page: no more');

unlike($t->get('/p/check/default')->{body}, qr/Its chain/,
       'no chain where it ends later');
like($t->get('/p/check/expired')->{body},
     qr{until $time, expired, not trusted</dd>}, 'expired and not trusted');
like($t->get('/p/check/names-many')->{body},
     qr{host-000\.example\.test, .* and \d+ more</dd>}, 'how many more');

$page = $t->get('/p/check/off-hostile')->{body};
like($page, qr{&lt;b&gt;&quot;\S+ &amp; s\S+hne\?x}, 'a hostile issuer');
like($page, qr{, &lt;i&gt;&amp;amp;, caf\?</dd>}, 'hostile names');
unlike($page, qr{<b>"|<i>}, 'are text');

$t->finish;
