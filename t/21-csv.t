#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# status.csv: every answer is read by a parser of RFC 4180, and must say what
# status.json does; then filters, caching, gzip and what is refused.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;
$t->hostile(1);

$t->conf(<<'EOC');
status_monitor m {
    interval 7d;
    group "A, \"B\"" {
        check www http://127.0.0.1:%%PORT_1%%/ok { team t; }
        check bad http://127.0.0.1:%%PORT_1%%/status?code=503 { }
    }
    group Fast {
        check fast http://127.0.0.1:%%PORT_1%%/ok {
            interval 100ms; prefer body contains nowhere; fall 1; }
    }
    check gone http://127.0.0.1:%%PORT_2%%/ { }
    check late http://127.0.0.1:%%PORT_1%%/never { timeout 2m; }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /status.csv  { status_csv m; }
    location = /status.json { status_json m; }
}
EOC
$t->run;

my @columns = qw(timestamp site_id domain_id domain_status http_status
                 latency_ms failure_type);


# Records of fields, or undef with a reason: RFC 4180, and nothing else.
sub parse {
    my ($text) = @_;
    my (@records, @record);

    while (length $text) {
        if ($text =~ s/^"((?:[^"]|"")*)"(?=,|\r\n)//) {
            push @record, $1 =~ s/""/"/gr;
        } elsif ($text =~ s/^([^",\r\n]*)(?=,|\r\n)//) {
            push @record, $1;
        } else {
            diag('not RFC 4180: ' . substr $text, 0, 100);
            return;
        }

        if ($text =~ s/^\r\n//) {
            push @records, [ @record ];
            @record = ();
        } else {
            $text =~ s/^,//;
        }
    }

    return @records;
}

# The rows as hashes, when all is as it should be.
sub csv {
    my ($uri) = @_;
    my $r = $t->get($uri) or return;
    is($r->{status}, 200, $uri);

    my ($head, @records) = parse($r->{body});
    is_deeply($head, \@columns, "$uri: header");

    my @rows = map { my %row; @row{@columns} = @$_; \%row } @records;
    my %last;
    my @wrong = grep {
        my $before = $last{ $_->{domain_id} } // '';
        $last{ $_->{domain_id} } = $_->{timestamp};

        $_->{timestamp} !~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
        || $_->{timestamp} lt $before
        || $_->{domain_status} !~ /^(?:up|degraded|down|timeout|unknown)$/
        || $_->{http_status} !~ /^(?:\d{3})?$/
        || $_->{latency_ms} !~ /^(?:\d+\.\d{3})?$/
        || $_->{failure_type} !~ /^[a-z]*$/
    } @rows;
    is_deeply(\@wrong, [], "$uri: rows");
    is(scalar(grep { @$_ != @columns } @records), 0, "$uri: columns");
    return @rows;
}


# --- results

my $json = $t->wait_json('/status.json', sub {
    3 == grep { $_->{id} =~ /www|bad|gone/ && $_->{checked_at} }
         @{ $_->{checks} };
});
ok($json, 'results');

for my $id (qw(www bad gone)) {
    my $check = check_of($json, $id);
    my @rows = csv("/status.csv?check=$id");
    is_deeply([ map { { %$_, latency_ms => $_->{latency_ms} + 0 } } @rows ], [ {
        timestamp     => $check->{checked_at},
        site_id       => $check->{group} // '',
        domain_id     => $id,
        domain_status => $check->{result},
        http_status   => $check->{http_status} // '',
        latency_ms    => $check->{latency_ms},
        failure_type  => $check->{error_class} // '',
    } ], "$id: as in status.json");
}
is_deeply([ csv('/status.csv?check=late') ], [], 'no result, no row');


# --- newest results, and minutes before them

my $rows = wait_for(sub {
    my $r = $t->get('/status.csv?check=fast') or return;
    my (undef, @rows) = parse($r->{body});
    return @rows > 60 ? \@rows : undef;
}, 30);
ok($rows, 'more rows than results are kept') or $rows = [];

my @fast = csv('/status.csv?check=fast');
my @minutes = @fast[0 .. $#fast - 60];
# a busy machine may not always make it in the 100 ms that "fast" has
my @results = grep { $_->{failure_type} ne '' } @fast;
is(scalar(@results), 60, 'the newest 60 results');
is_deeply([ grep { "$_->{failure_type} $_->{http_status}"
                   !~ /^(?:content 200|timeout \d*|internal \d*)$/ } @results ],
          [], 'which they are');
ok((grep { $_->{failure_type} eq 'content' } @results), 'with what failed');
is_deeply([ grep { $_->{timestamp} !~ /:00Z$/ || $_->{http_status} ne ''
                   || $_->{failure_type} ne '' || $_->{latency_ms} !~ /^\d/
                   || $_->{domain_status} !~ /^(?:degraded|timeout|unknown)$/ }
            @minutes ], [],
          'minutes before them, with their state and mean latency');


# --- filters

my @all = csv('/status.csv');
is_deeply([ do { my %seen; grep { !$seen{$_}++ } map { $_->{domain_id} } @all } ],
          [ qw(gone www bad fast) ], 'all, in the order of the page');
is_deeply([ map { $_->{domain_id} }
            csv('/status.csv?group=A%2C+%22B%22') ], [ qw(www bad) ], 'group');
is_deeply([ map { $_->{site_id} } csv('/status.csv?team=t') ], [ 'A, "B"' ],
          'team');
is_deeply([ map { $_->{domain_id} }
            csv('/status.csv?group=A%2C+%22B%22&check=bad') ], [ 'bad' ],
          'group and check');
is(scalar(csv('/status.csv?check=&group=')) > 60, 1, 'empty ones ask for all');

for ([ '?check=nope', 404 ], [ '?group=nope', 404 ],
     [ '?group=Fast&check=www', 404 ], [ '?check=www&check=bad', 400 ],
     [ '?check=%zz', 400 ], [ '?check=' . 'x' x 200, 400 ])
{
    my ($args, $status) = @$_;
    my $r = $t->get("/status.csv$args");
    is($r->{status}, $status, "$args is $status");
    ok($t->json("/status.csv$args")->{error}, 'with an error in JSON');
}


# --- HTTP

my $uri = '/status.csv?check=www';
my $r = $t->get($uri);
is($r->{headers}{'content-type'}, 'text/csv; charset=utf-8; header=present',
   'type');
my $etag = $r->{headers}{etag};
like($etag, qr/^"[0-9a-f]{16}"$/, 'ETag');
is($t->get($uri, headers => { 'If-None-Match' => $etag })->{status}, 304,
   'not modified');

my $head = $t->head($uri);
is($head->{body}, '', 'HEAD');
is($head->{headers}{'content-length'}, length $r->{body}, 'with the length');

my $gzip = $t->get($uri, headers => { 'Accept-Encoding' => 'gzip' });
is($gzip->{headers}{'content-encoding'}, 'gzip', 'gzip');
is(gunzip($gzip->{body}), $r->{body}, 'of the same');

$r = $t->request('/status.csv', method => 'POST', body => 'x');
is($r->{status}, 405, 'POST');
is($r->{headers}{allow}, 'GET, HEAD', 'is not allowed');

$t->finish;
