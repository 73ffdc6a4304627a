#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Secrets: planted wherever a configuration takes one, sent back by targets
# that echo, and looked for in all that the module shows, keeps and logs.

use strict;
use warnings;
no warnings "portable";

use FindBin;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;
my $E = 'http://127.0.0.1:%%PORT_1%%';          # sends back what it got

# Each is one of a kind, none is a word of a message.

my %secret = map { $_ => "zq${_}x" . join '', map { ('a' .. 'z', 0 .. 9)[rand 36] } 1 .. 24 }
             qw(header headerfile headerenv url query body option optionfile
                optionenv long);
$secret{long} .= 'y' x 200;
my $proxy = "http://user:$secret{option}\@127.0.0.1:%%PORT_1%%\n";

$ENV{NGX_STATUS_TEST_SECRET} = $secret{headerenv};
$ENV{NGX_STATUS_TEST_OPTION} = $secret{optionenv};
$t->write_file("secret-$_", "$secret{$_}\n") for keys %secret;
$t->write_file('secret-proxy', $proxy);
chmod 0600, glob $t->dir . '/secret-*';

my $F = 'file:%%TESTDIR%%/secret-';
my $last;                                       # the checks of all types

# What the server says is quoted by the message of a condition that fails.

my $echo = 'expect json $.echo == nothing;';

$t->conf(<<"HTTP");
status_state state;
status_monitor m {
    interval 500ms;
    timeout  400ms;
    fall     1;
    max_per_host 50;
    archive archive;
    export  site every=1s;

    check header      $E/h { header Authorization "Bearer $secret{header}"; $echo }
    check header-file $E/h { header X-Any "${F}headerfile"; $echo }
    check header-end  $E/h { header X-Any "Token ${F}headerfile"; $echo }
    check header-env  $E/h { header X-Any env:NGX_STATUS_TEST_SECRET; $echo }
    check header-long $E/h { header X-Api-Key "${F}long"; $echo }
    check body        $E/b { body "${F}body"; $echo }
    check header-body $E/h { header X-Any "${F}headerfile"; expect body ~ "^\$"; }
    check header-head $E/h { header X-Any "${F}headerfile"; expect header X-Echo == x; }
    check url         http://user:$secret{url}\@127.0.0.1:%%PORT_1%%/h { }
    check url-closed  http://user:$secret{url}\@127.0.0.1:%%PORT_2%%/h { }
    check query       $E/q?token=$secret{query} { expect status 404; }
    check redirect    $E/redirect?key=$secret{query} { follow 0; }
    group "Of a group" {
        header X-Any "${F}headerfile";
        check inherited $E/h { $echo }
    }
    %%MORE%%
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
    location = /n { status_json m public; }
    location = /c { status_csv m; }
    location = /x { status_metrics m; }
    location = /y { status_metrics m probe; }
    location /p/  { status_page m internal; }
    location /q/  { status_page m; }
}
HTTP

# types that take a password, whatever this module was built with

my $more = '';

for my $check (
    "check pg postgresql://u:$secret{url}\@127.0.0.1:%%PORT_2%%/db { }",
    "check pg-option postgresql://127.0.0.1:%%PORT_2%%/db { username u; password ${F}optionfile; }",
    "check redis redis://127.0.0.1:%%PORT_2%%/0 { password env:NGX_STATUS_TEST_OPTION; }",
    "check redis-echo redis://127.0.0.1:%%PORT_3%%/0 { password ${F}optionfile; }",
    "check smtp smtp://127.0.0.1:%%PORT_3%%/ { username u; password $secret{option}; }",
    "check imap imap://127.0.0.1:%%PORT_3%%/ { username u; password $secret{option}; }",
    "check tcp tcp://127.0.0.1:%%PORT_3%% { send \"AUTH ${F}option\\r\\n\"; expect body contains nothing; }",
    "check bearer $E/h { bearer ${F}optionfile; $echo }",
    "check basic $E/h { username user; password $secret{option}; $echo }",
    "check proxy $E/h { proxy http://user:$secret{option}\@127.0.0.1:%%PORT_3%%; }",
    "check proxy-file http://a.test/h { proxy ${F}proxy; expect body == x; }",
    "check ended $E/h { expect redirect http://u:$secret{url}\@a.test/?token=$secret{query}; }",
    "check unix http+unix://user:$secret{url}\@%%TESTDIR%%/none.sock:/?token=$secret{query} { }",
    "check push push:// { token ${F}optionfile; every 1h; }",
) {
    my $one = NgxStatus->new;
    $one->conf("status_monitor m { $check }");
    $one->write_file("secret-$_", "$secret{$_}\n") for keys %secret;
    $one->write_file('secret-proxy', $proxy);
    my ($ok, $out) = $one->test_conf;

    if ($ok) {
        $more .= $check . "\n";
        pass((split ' ', $check)[1] . ': taken');
    } else {
        unlike($out, qr/$_/, 'an error shows no secret') for values %secret;
        SKIP: { skip((split ' ', $check)[1] . ' is not built in', 1) }
    }
}

my $conf = $t->read_file('nginx.conf');
my $expanded = $t->expand($more);
$conf =~ s/%%MORE%%/$expanded/;
$conf =~ s/(error_log \S+) \w+;/$1 debug;/;
$t->write_file('nginx.conf', $conf);
$t->write_file("secret-$_", "$secret{$_}\n") for keys %secret;

# One line on a line: for all protocols that are not HTTP.

my $listen = $t->listen_on(3);
$t->daemon(sub {
    while (my $c = $listen->accept) {
        next if fork;
        print $c "220 hello\r\n";
        while (my $line = <$c>) {
            $line =~ s/[\r\n]+//;
            print $c "-ERR 500 $line\r\n";
        }
        POSIX::_exit(0);
    }
});
close $listen;

my $http = $t->listen_on(1);
$t->daemon(sub {
    while (my $c = $http->accept) {
        my ($head, $body) = ('', '');
        while ($head !~ /\r\n\r\n/ && sysread $c, my $buf, 4096) {
            $head .= $buf;
        }
        next if $head eq '';
        ($head, $body) = split /\r\n\r\n/, $head, 2;
        if ($head =~ /content-length: (\d+)/i) {
            while (length $body < $1 && sysread $c, my $buf, 4096) {
                $body .= $buf;
            }
        }
        my ($uri) = $head =~ /^\S+ (\S+)/;
        my ($any) = $head =~ /^(?:Authorization|X-Any|X-Api-Key): (.*?)\r?$/im;
        $any = $body if length $body;
        $any //= $uri;
        my $text = qq({"echo":"$any"});
        my $first = $uri =~ /redirect/ ? "302 F\r\nLocation: $uri" : '200 OK';
        print $c "HTTP/1.1 $first\r\nX-Echo: $any\r\nContent-Length: "
                 . length($text) . "\r\nConnection: close\r\n\r\n$text";
        close $c;
    }
});
close $http;

my %seen = map { $_ => 0 } keys %secret;        # what the targets got

$t->run;

my $json = $t->wait_json('/m', sub {
    !grep { !defined $_->{checked_at} } @{ $_[0]{checks} };
}, 15);

ok($json, 'all have run');
my $hidden = sub { $_->{message} =~ /\*\*\*/ };
ok($t->wait_check('/m', $_, $hidden), "$_: hidden in the message")
    for qw(header header-file header-end header-env header-long body
           header-head inherited);

SKIP: {
    my $tcp = check_of($json, 'tcp');
    skip 'no tcp', 1 unless $tcp;
    like($tcp->{message}, qr/AUTH \*\*\*/, 'tcp: hidden in the message');
}

wait_for(sub { my $dir = $t->dir; -s "$dir/site/index.html"
               && -s "$dir/state/m.db" && glob "$dir/archive/*/*.csv" });

my %out;
$out{$_} = $t->get($_)->{body}
    for '/m', '/n', '/c', '/x', '/y', '/p/', '/q/',
        map { ("/p/check/$_->{id}", "/q/check/$_->{id}") } @{ $json->{checks} };

$out{zone} = '';
my $pid = $t->checker;
my %where;

if (open my $maps, '<', "/proc/$pid/maps" and open my $mem, '<:raw', "/proc/$pid/mem") {
    while (<$maps>) {
        my ($from, $to, $mode) = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/ or next;
        next unless $mode eq 'rw-s';
        sysseek $mem, hex $from, 0;
        my $left = hex($to) - hex($from);
        while ($left > 0 && sysread $mem, my $buf, $left < 1 << 20 ? $left : 1 << 20) {
            $out{zone} .= $buf;
            $left -= length $buf;
        }
    }
}
ok(length $out{zone} > 100000 && $out{zone} =~ /header-file/, 'zone dumped');

$t->stop;

for my $file (split /\n/, qx(find @{[ $t->dir ]} -type f)) {
    next if $file =~ m{/secret-|/nginx\.conf$};
    $out{$file} = $t->read_file($file =~ s{^\Q@{[ $t->dir ]}\E/}{}r);
}
ok((grep { /\.db$/ } keys %out) && (grep { /\.csv$/ } keys %out)
   && (grep { m{/site/index\.html$} } keys %out),
   'store, archive and site are there');

for my $name (sort keys %secret) {
    # long ones may have been cut; base64 hides nothing
    my $part = substr $secret{$name}, 0, 16;
    my @found = grep { index($out{$_}, $part) >= 0 } sort keys %out;
    is("@found", '', "$name: nowhere");
}

my ($b64) = map { s/=*\s*$//r } qx(printf 'user:%s' $secret{url} | base64 -w0);
is(join(' ', grep { index($out{$_}, substr $b64, 0, 24) >= 0 } keys %out), '',
   'nor as basic credentials');

$t->finish;
done_testing();
