#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Every sample of a configuration in README.md, and every condition that it
# lists, is taken by nginx -t; the links within it lead somewhere.

use strict;
use utf8;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib", "$FindBin::Bin/browser";
use NgxStatus;

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

my $t = NgxStatus->new;
my $readme = NgxStatus::slurp(top() . '/README.md');
utf8::decode($readme);

# what the samples lean on
my ($ca) = grep { -r } qw(/etc/ssl/certs/ca-certificates.crt
                          /etc/pki/tls/certs/ca-bundle.crt);
plan(skip_all => 'no certificates of authorities') unless $ca;
$t->write_file('db-ca.pem', NgxStatus::slurp($ca), raw => 1);
$t->write_file($_, "0123456789abcdef-$_\n")
    for qw(api-token redis db.password mail.secret backup.token);
$ENV{$_} = 'secret' for qw(ADMIN_PASSWORD LDAP_PASSWORD);

my $monitor = "status_monitor acme { check of-ours http://127.0.0.1:1/ { } }\n";


# --- blocks

my @samples;
while ($readme =~ /^```nginx\n(.*?)^```$/gms) {
    my ($text, $line) = ($1, 1 + ($` =~ tr/\n//));
    push @samples, [ $line, $text ];
}
cmp_ok(scalar @samples, '>=', 11, 'samples');

for (@samples) {
    my ($line, $text) = @$_;

    $text =~ s{\A(?:load_module .*?)?http \{\n(.*?)(?:^\}\n)?\z}{$1}ms;
    $text =~ s{/etc/nginx/}{%%TESTDIR%%/}g;
    $text =~ s{/(?:var/lib/nginx/status|srv/status)}{%%TESTDIR%%/dir}g;
    $text =~ s{listen 8080}{listen 127.0.0.1:%%PORT_0%%}g;

    # what goes on with "…" ends here
    if ($text =~ s{^\s*…\n\z}{check one http://127.0.0.1:1/ \{ \}\n}m) {
        my $open = () = $text =~ /\{/g;
        my $closed = () = $text =~ /\}/g;
        $text .= '}' x ($open - $closed);
    }

    $text = "status_monitor acme {\n$text}\n" if $text =~ /^check /;
    $text = "server {\nlisten 127.0.0.1:%%PORT_0%%;\n$text}\n$monitor"
        if $text =~ /^location /;

    $t->conf($text);
    my ($ok, $said) = $t->test_conf;
    ok($ok, "the one of line $line") or diag("$text\n$said");
}


# --- conditions in tables and text, "…" standing for a line's end

my @conditions = $readme =~ /`((?:expect|prefer) [^`]*?;)`/g;
cmp_ok(scalar @conditions, '>=', 10, 'conditions');

for my $text (@conditions) {
    next if $text =~ /SUBJECT/;
    my $url = $text =~ /free|inodes/ ? 'disk:///' : 'https://www.example.org/';
    $t->conf("status_monitor acme { check a $url { $text } }\n");
    my ($ok, $said) = $t->test_conf;
    ok($ok, $text) or diag($said);
}


# --- links

my %anchors;
for ($readme =~ /^#+ (.*)$/mg) {
    my $anchor = lc =~ s/[^\w\- ]//gr =~ tr/ /-/r;
    $anchors{$anchor} = 1;
}
my %links = map { $_ => 1 } $readme =~ /\]\(([^)]+)\)/g;
for my $link (sort keys %links) {
    my ($file, $anchor) = split /#/, $link;
    if ($file ne '') {
        ok(-e top() . "/$file", $link);
    } else {
        ok($anchors{$anchor}, $link);
    }
}

$t->finish;
