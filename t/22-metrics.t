#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Metrics: every answer is read by a strict parser of its format, by promtool
# and by a Prometheus that scrapes it, and must say what status.json does;
# then what is refused, what a dead checker leaves, and the README's rules.

use strict;
use warnings;

use Encode ();
use FindBin;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Time::Local qw(timegm);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;
my $dir = $t->dir;
$t->hostile(1);

my $text = 'text/plain; version=0.0.4; charset=utf-8';
my $open = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
my @open = (Accept => 'application/openmetrics-text');

# what Prometheus 2 and 3 send
my $prometheus = 'application/openmetrics-text;version=1.0.0,'
    . 'application/openmetrics-text;version=0.0.1;q=0.75,'
    . 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
my $newer = 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;'
    . 'q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;'
    . 'version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;'
    . 'q=0.2,*/*;q=0.1';

system('openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 '
       . "-nodes -days 30 -subj /CN=a -keyout $dir/key.pem "
       . "-out $dir/cert.pem 2>/dev/null") == 0
    or plan(skip_all => 'no openssl');

my $conf = <<'EOC';
status_state %%TESTDIR%%/state;

status_monitor m {
    title 'The "M" \\ {x="1"} # ü';
    interval 7d;

    check www  http://127.0.0.1:%%PORT_1%%/ok { team web; }
    check late http://127.0.0.1:%%PORT_1%%/never { timeout 2m; team none; }

    group 'A "B" \\n\\ <c>, {d="e"} ☃' {
        team 'T "\\"';
        check odd 'http://user:hunter2@127.0.0.1:%%PORT_1%%/ok?token=s3cr3t&q="\\' {
            title  'O "d" \\d';
            header Authorization "Bearer topsecret";
            role   extra;
        }
        check cert https://127.0.0.1:%%PORT_3%%/ { tls_verify off; }
    }
    group Bad {
        fall 1;
        check down http://127.0.0.1:%%PORT_1%%/status?code=503 { }
        check gone http://127.0.0.1:%%PORT_2%%/ { }
        check bot  http://127.0.0.1:%%PORT_1%%/bot?code=403 { bot "moment"; }
        check slow http://127.0.0.1:%%PORT_1%%/slow?ms=6000 { timeout 4s; }
        check meh  http://127.0.0.1:%%PORT_1%%/ok { prefer size < 1; }
        check raw  "http://127.0.0.1:%%PORT_1%%/ok?%%RAW%%" { }
    }
    group Live {
        interval 500ms; timeout 400ms;
        check plain http://127.0.0.1:%%PORT_1%%/ok { }
        check https https://127.0.0.1:%%PORT_3%%/ { tls_verify off; }
        check seo http://127.0.0.1:%%PORT_1%%/lighthouse {
            score $.categories.seo.score scale=100;
            slower warning=5000%;
        }
    }
}
status_monitor n { store off; check only http://127.0.0.1:%%PORT_1%%/ok { } }

server {
    listen 127.0.0.1:%%PORT_3%% ssl;
    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
    location / { return 200; }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /metrics { status_metrics m; }
    location = /probe   { status_metrics m probe; }
    location = /n       { status_metrics n; }
    location = /s.json  { status_json m; }
    location /gzip/     { gzip on; gzip_vary on; gzip_types *; gzip_proxied any;
                          location = /gzip/m { status_metrics m; } }
}
EOC
$conf =~ s/%%RAW%%/\xff\xc3(\x{80}/;
$t->conf($conf);
$t->run;


# ------------------------------------------------------------------ the parser

# (samples, families) of an answer, where a sample is "name{sorted labels}" =>
# [name, {labels}, value]; with undef and a reason for anything that the
# formats do not allow, or that we do not do.
sub parse {
    my ($body, $is_open) = @_;
    my (%samples, %family, %done, $now);

    my $chars = eval { Encode::decode('UTF-8', $body, Encode::FB_CROAK) }
        // return (undef, 'not UTF-8');
    return (undef, 'no LF at the end') if $chars !~ /\n\z/;

    my @lines = split /\n/, $chars, -1;
    pop @lines;
    if ($is_open) {
        return (undef, 'no EOF') if pop @lines ne '# EOF';
    }

    for (@lines) {
        if (/^# HELP (\S+) (\S[^\\]*)$/) {
            return (undef, "family again: $_") if $family{$1};
            $family{ $now = $1 } = { help => $2 };
        } elsif (/^# TYPE (\S+) (\S+)$/) {
            my ($name, $type) = ($1, $2);
            return (undef, "TYPE without HELP: $_")
                if $name ne $now || $family{$now}{type};
            return (undef, "type: $_")
                if !grep { $_ eq $type } qw(gauge counter summary),
                         $is_open ? 'info' : ();
            $family{$now}{type} = $type;
        } elsif (/^([a-z_]+)(?:\{(.*)\})? (-?\d+(?:\.\d+)?)$/) {
            my ($name, $rest, $value) = ($1, $2 // '', $3);
            my $type = $family{$now}{type} // '';
            my $suffix = !$is_open ? '' : $type eq 'counter' ? '_total'
                         : $type eq 'info' ? '_info' : '';
            return (undef, "not of $now: $_") if $name ne "$now$suffix";
            return (undef, "counter: $_") if ($type eq 'counter')
                != ($name =~ /_total$/ ? 1 : 0) || $type eq 'counter' && $value < 0;
            return (undef, "info: $_") if $name =~ /_info$/ && $value ne '1';

            my (%labels, @sorted);
            while (length $rest) {
                $rest =~ s/^([a-z_]+)="((?:[^"\\\n]|\\["\\n])+)"(?:,(?=.)|\z)//
                    or return (undef, "labels: $_");
                return (undef, "label twice: $_") if exists $labels{$1};
                my ($key, $v) = ($1, $2);
                $v =~ s/\\(.)/$1 eq 'n' ? "\n" : $1/ge;
                $labels{$key} = $v;
            }
            @sorted = map { "$_=$labels{$_}" } sort keys %labels;
            my $id = "$name\{@sorted}";
            return (undef, "sample twice: $_") if $samples{$id};
            $samples{$id} = [ $name, \%labels, $value ];
            $done{$now}++;
        } else {
            return (undef, "line: $_");
        }
    }
    return (undef, 'family without samples') if keys %done != keys %family;
    return (\%samples, \%family);
}

# The samples of a location, whose answer has to be all right.
sub metrics {
    my ($uri, @accept) = @_;
    my $r = $t->get($uri, headers => { @accept });
    my ($samples, $why) = parse($r->{body}, scalar @accept);
    if ($r->{status} != 200 || !$samples) {
        fail("$uri can be read");
        diag($samples ? $r->{status} : $why);
        return {};
    }
    return $samples;
}

# The values of a name: those of samples that have all of the labels.
sub value {
    my ($samples, $name, %labels) = @_;
    my @found = grep {
        my $s = $_;
        $s->[0] eq $name
        && !grep { ($s->[1]{$_} // '') ne $labels{$_} } keys %labels
    } values %$samples;
    return wantarray ? map { $_->[2] } @found : @found == 1 ? $found[0][2]
                                                            : undef;
}

sub labels {
    my ($samples, $name, %labels) = @_;
    my @found = map { $_->[1] } grep {
        my $s = $_;
        $s->[0] eq $name
        && !grep { ($s->[1]{$_} // '') ne $labels{$_} } keys %labels
    } values %$samples;
    return @found == 1 ? { %{ $found[0] } } : {};
}


# ------------------------------------------------------ the same as status.json

# "late" never has a result, those of "Live" have one after the other
ok($t->wait_json('/s.json', sub {
    my $json = $_;
    return !(grep { !$_->{checked_at} && $_->{id} ne 'late'
                    || $_->{group} && $_->{group} eq 'Live'
                       && !defined $_->{uptime}{'365d'} } @{ $json->{checks} })
           && check_of($json, 'slow')->{status} eq 'timeout'
           && defined check_of($json, 'seo')->{score}{delta}
           && defined check_of($json, 'seo')->{slower}{growth}
           && $json->{checker}{store}{last_written_at};
}, 30), 'results');

my ($json, $m, $o, $raw);
ok(wait_for(sub {
    my $etag = $t->get('/s.json')->{headers}{etag};
    $json = $t->json('/s.json');
    $raw = $t->get('/metrics')->{body};
    $m = metrics('/metrics');
    $o = metrics('/metrics', @open);
    return $t->get('/s.json')->{headers}{etag} eq $etag;
}, 30), 'all of one moment');

sub at {
    my ($time) = @_;
    my @t = ($time // return undef) =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z$/;
    return timegm(@t[5, 4, 3, 2], $t[1] - 1, $t[0]);
}

sub seconds { defined $_[0] ? sprintf('%.6f', $_[0] / 1000) + 0 : undef }
sub number { defined $_[0] ? $_[0] + 0 : undef }

for my $check (@{ $json->{checks} }) {
    my $id = $check->{id};
    my @id = (id => $id);
    my $p = 'nginx_status_check';
    my %up = (up => 1, degraded => 1, down => 0, timeout => 0,
              bot_detected => 0);

    my %got = (
        up      => number(scalar value($m, "${p}_up", @id)),
        state   => [ map { $_->{state} } labels($m, "${p}_state", @id) ],
        error   => labels($m, "${p}_error", @id)->{class},
        checked => number(scalar value($m, "${p}_result_timestamp_seconds", @id)),
        latency => number(scalar value($m, "${p}_latency_seconds", @id)),
        status  => number(scalar value($m, "${p}_http_status", @id)),
        cert    => number(scalar value($m,
                       "${p}_certificate_expiry_timestamp_seconds", @id)),
        phases  => { map { $_ => number(scalar value($m, "${p}_phase_seconds",
                                            @id, phase => $_)) }
                     keys %{ $check->{phases_ms} } },
        uptime  => { map { $_ => number(scalar value($m, "${p}_uptime_ratio",
                                            @id, window => $_)) }
                     qw(30d 365d) },
        known   => { map { $_ => number(scalar value($m,
                                 "${p}_uptime_known_ratio", @id, window => $_)) }
                     qw(30d 365d) },
        day     => [ map { number(scalar value($m,
                               "${p}_latency_quantile_seconds", @id,
                               window => '24h', quantile => $_)) }
                     qw(0.5 0.95 0.99) ],
        score   => number(scalar value($m, "${p}_score", @id)),
        delta   => number(scalar value($m, "${p}_score_delta", @id)),
        growth  => number(scalar value($m, "${p}_latency_growth_ratio", @id)),
    );
    my $day = $check->{latency}{'24h'};
    is_deeply(\%got, {
        up      => $up{ $check->{status} },
        state   => [ $check->{status} ],
        error   => $check->{error_class},
        checked => at($check->{checked_at}),
        latency => seconds($check->{latency_ms}),
        status  => $check->{http_status},
        cert    => at($check->{cert_expires_at}),
        phases  => { map { $_ => seconds($check->{phases_ms}{$_}) }
                     keys %{ $check->{phases_ms} } },
        uptime  => { map { $_ => $check->{uptime}{$_} } qw(30d 365d) },
        known   => { map { $_ => $check->{known}{$_} } qw(30d 365d) },
        day     => [ map { seconds($day->{$_}) } qw(p50 p95 p99) ],
        score   => $check->{score} && $check->{score}{value},
        delta   => $check->{score} && $check->{score}{delta},
        growth  => $check->{slower} && $check->{slower}{growth},
    }, "$id ($check->{status}) as in status.json");

    my %info = map { $_ => $check->{$_} }
               grep { defined $check->{$_} } qw(id title group team role type);
    my $info = labels($m, "${p}_info", @id);
    is(delete $info->{target}, $check->{target}, "$id: target");
    is_deeply($info, \%info, "$id: info");

    # what alerts are made of says whose it is
    delete @info{qw(title role type)};
    for my $name (qw(up state error)) {
        my %have = %{ labels($m, "${p}_$name", @id) };
        delete @have{qw(state class)};
        is_deeply(\%have, \%info, "$id: labels of $name") if %have;
    }
}
is(value($m, 'nginx_status_check_results_total', id => 'www'), 1, 'results');
cmp_ok(value($m, 'nginx_status_check_results_total', id => 'seo'), '>', 1,
       'are counted');

for my $name (qw(state group_state store_state)) {
    my %one;
    for (grep { $_->[0] eq "nginx_status_$name" } values %$m) {
        my %labels = %{ $_->[1] };
        my $state = delete $labels{state};
        $one{ join ' ', %labels } .= $state if $_->[2];
    }
    my @groups = @{ $json->{groups} };
    is_deeply(\%one, $name eq 'state' ? { '' => $json->{status} }
        : $name eq 'store_state' ? { '' => $json->{checker}{store}{state} }
        : { map { ($_->{name} ? "group $_->{name}" : '') => $_->{status} }
            @groups }, "$name is one of all");
}
is_deeply({ map { $_->[1]{state} => $_->[2] + 0 }
            grep { $_->[0] eq 'nginx_status_checks' } values %$m },
          $json->{counts}, 'counts');

my $checker = $json->{checker};
is(value($m, 'nginx_status_checker_up'), 1, 'checker');
is(value($m, 'nginx_status_checker_heartbeat_timestamp_seconds'),
   at($checker->{heartbeat_at}), 'heartbeat');
is(value($m, 'nginx_status_checker_checks_per_second') + 0,
   $checker->{checks_per_second}, 'rate');
is(value($m, 'nginx_status_checker_checks_in_flight'), $checker->{in_flight},
   'in flight');
is(value($m, 'nginx_status_checker_lateness_seconds') + 0,
   seconds($checker->{lateness_ms}), 'lateness');
is(value($m, 'nginx_status_store_lost_records_total'), 0, 'nothing lost');
is(value($m, 'nginx_status_store_last_write_timestamp_seconds'),
   at($checker->{store}{last_written_at}), 'store');
is(labels($m, 'nginx_status_monitor_info')->{title}, $json->{title}, 'title');

is_deeply($o, $m, 'the same in both formats');
my (undef, $families) = parse($t->get('/metrics', headers => { @open })->{body},
                              1);
is_deeply([ map { $families->{"nginx_status_$_"}{type} }
            qw(check check_results check_up check_latency_quantile_seconds) ],
          [ qw(info counter gauge summary) ], 'types of OpenMetrics');

# the numbers of series that the README tells

sub series { scalar grep { ($_->[1]{id} // '') eq $_[0] } values %$m }

is(series('plain'), 18, 'series of a check');
is(series('https'), 20, 'with TLS');
is(series('seo'), 21, 'with score and slower');
is(scalar(grep { !$_->[1]{id} && $_->[0] !~ /group/ } values %$m), 26,
   'of the monitor');
is(scalar(grep { $_->[0] =~ /group/ && $_->[1]{group} eq 'Bad' }
          grep { $_->[1]{group} } values %$m), 7, 'of a group');

unlike($raw . $t->get('/probe')->{body}, qr/hunter2|s3cr3t|topsecret|user/,
       'no secret');

my $n = metrics('/n');
is(value($n, 'nginx_status_store_state', state => 'off'), 1, 'no store');
is(scalar(grep { $_->[0] =~ /store_l/ } values %$n), 0, 'nothing of it');


# ------------------------------------------------------------------- the probe

my $probes = metrics('/probe');
my $probes_open = metrics('/probe', @open);
for my $check (@{ $json->{checks} }) {
    my $id = $check->{id};
    next if ($check->{group} // '') eq 'Live';

    my $one = $t->get("/probe?target=$id&module=http_2xx&debug=true");
    if ($id eq 'late') {
        is($one->{status}, 503, 'no result, no probe');
        is_deeply([ value($probes, 'probe_success', instance => $id) ], [],
                  'nor among the others');
        next;
    }

    my ($samples, $why) = parse($one->{body}, 0);
    ok($samples, "probe of $id") or diag($why), next;

    my $phase = $check->{phases_ms};
    my %want = (
        probe_success => $check->{result} =~ /^(?:up|degraded)$/ ? 1 : 0,
        probe_duration_seconds => seconds($check->{latency_ms}),
        probe_dns_lookup_time_seconds => seconds($phase->{resolve} // 0),
        probe_http_status_code => $check->{http_status} // 0,
        probe_http_ssl => $check->{cert_expires_at} ? 1 : 0,
        map({ my $own = $_ eq 'processing' ? 'wait' : $_;
              ("probe_http_duration_seconds $_"
               => seconds($phase->{$own} // 0)) }
            qw(resolve connect tls processing transfer)),
    );
    $want{probe_ssl_earliest_cert_expiry} = at($check->{cert_expires_at})
        if $check->{cert_expires_at};

    is_deeply({ map { join(' ', $_->[0], values %{ $_->[1] }) => $_->[2] + 0 }
                values %$samples }, \%want, 'as in status.json');
    is_deeply({ map { join(' ', $_->[0], grep { $_ ne $id }
                           values %{ $_->[1] }) => $_->[2] + 0 }
                grep { $_->[1]{instance} eq $id } values %$probes }, \%want,
              'also among all');
}
is(scalar(keys %$probes), scalar(keys %$probes_open), 'also in OpenMetrics');
is($t->get('/probe?team=none')->{body}, "# no result yet\n", 'none at all');
is($t->get('/probe?team=none', headers => { @open })->{body}, "# EOF\n",
   'likewise');


# ---------------------------------------------------------------- which format

for ([ undef, $text ], [ '*/*', $text ], [ 'text/plain', $text ],
     [ '', $text ], [ 'application/json', $text ], [ ',;=,"', $text ],
     [ 'application/openmetrics-text', $open ], [ $prometheus, $open ],
     [ $newer, $open ],
     [ 'application/openmetrics-text; version=0.0.1,text/plain;q=0.5', $text ],
     [ 'application/openmetrics-text; q=0.4, text/plain; q=0.5', $text ],
     [ 'text/plain;q=0.5;version=0.0.4 , APPLICATION/OpenMetrics-Text ; '
       . 'Version="1.0.0"; q=0.501', $open ],
     [ 'application/openmetrics-text;q=0', $text ],
     [ 'application/openmetrics-text;version="1.0.0', $open ],
     [ 'x' x 3000 . ';a="' . '\\"' x 1000, $text ])
{
    my ($accept, $type) = @$_;
    my $r = $t->get('/probe?target=www', headers => { Accept => $accept });
    is($r->{headers}{'content-type'}, $type,
       'Accept: ' . substr $accept // 'none', 0, 60);
}


# ------------------------------------------------------------------------ HTTP

for ([ '?check=nope', 404 ], [ '?target=nope', 404 ], [ '?group=nope', 404 ],
     [ '?team=nope', 404 ], [ '?group=Bad&check=www', 404 ],
     [ '?check=www&check=down', 400 ], [ '?check=www&target=www', 400 ],
     [ '?target=%zz', 400 ], [ '?check=' . 'x' x 200, 400 ])
{
    my ($args, $status) = @$_;
    for my $uri ('/metrics', '/probe') {
        my $r = $t->get("$uri$args");
        is($r->{status}, $status, "$uri" . substr($args, 0, 30)
                                  . " is $status");
        ok($t->json("$uri$args")->{error}, 'with an error in JSON');
    }
}

my %ids = ('?check=www' => 'www', '?target=down' => 'down',
           '?group=Live' => 'https plain seo', '?team=web' => 'www',
           '?group=Bad&check=gone' => 'gone', '?x=y&check=&team=web' => 'www');
for my $args (sort keys %ids) {
    my $some = metrics("/metrics$args");
    my %seen = map { $_->[1]{id} => 1 } grep { $_->[1]{id} } values %$some;
    is(join(' ', sort keys %seen), $ids{$args}, $args);
    my $sum = 0;
    $sum += $_ for value($some, 'nginx_status_checks');
    is($sum, scalar(keys %seen), 'counts alone');
    is(scalar(grep { $_->[0] eq 'nginx_status_group_state' } values %$some), 7,
       'and their group');
}

for my $uri ('/probe?target=www', '/gzip/m?check=www') {
    my ($r, $head, $gzip);
    ok(wait_for(sub {
        $r = $t->get($uri);
        $head = $t->head($uri);
        $gzip = $t->get($uri, headers => { 'Accept-Encoding' => 'gzip' });
        return $t->get($uri)->{headers}{etag} eq $r->{headers}{etag};
    }), "$uri of one moment");

    my $etag = $r->{headers}{etag};
    like($etag, qr/^"[0-9a-f]{16}"$/, 'ETag');
    is($r->{headers}{'cache-control'}, 'no-cache', 'to be asked for again');
    is(join(',', sort split /, /, $r->{headers}{vary}),
       'Accept,Accept-Encoding', 'Vary');
    is($head->{body}, '', 'HEAD');
    is($head->{headers}{'content-length'}, length $r->{body},
       'with the length');
    is($gzip->{headers}{'content-encoding'}, 'gzip', 'gzip');
    is(gunzip($gzip->{body}), $r->{body}, 'of the same');
    ok(wait_for(sub {
        my $now = $t->get($uri)->{headers}{etag};
        return $t->get($uri, headers => { 'If-None-Match' => $now })
                 ->{status} == 304;
    }), 'not modified');
    isnt($t->get($uri, headers => { @open })->{headers}{etag}, $etag,
         'another ETag for the other format');

    $r = $t->request($uri, method => 'POST', body => 'x');
    is($r->{status}, 405, 'POST');
    is($r->{headers}{allow}, 'GET, HEAD', 'is not allowed');
}


# ------------------------------------------------------- Prometheus's own tools

my ($scrape, $rules) = map {
    my $name = $_;
    (NgxStatus::slurp(top() . '/README.md')
        =~ /^```yaml\n(# \Q$name\E\n.*?)^```/ms)[0] // die "no $name";
} qw(prometheus.yml nginx_status.yml);

# exit status and output
sub tool {
    my ($in, @args) = @_;
    my $file = $t->write_file('tool.in', $in, raw => 1);
    my $out = `promtool @args < $file 2>&1`;
    return $? ? "exit @{[ $? >> 8 ]}: $out" : $out;
}

my $have = !grep { my $tool = $_; !grep { -x "$_/$tool" } split /:/, $ENV{PATH} }
           qw(promtool prometheus);

SKIP: {
    skip 'no prometheus and promtool', 1 if !$have;

    for my $uri ('/metrics', '/probe', '/probe?target=cert', '/n') {
        is(tool($t->get($uri)->{body}, qw(check metrics)), '',
           "promtool has nothing to say of $uri");
    }

    $t->write_file('nginx_status.yml', $rules, raw => 1);
    $t->write_file('rules_test.yml', <<'EOT', raw => 1);
rule_files: [nginx_status.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - { series: 'up{job="nginx_status",instance="i"}', values: '1x9 0x9' }
      - { series: 'nginx_status_checker_up{job="nginx_status",instance="i"}', values: '1x4 0x4 _x10' }
      - { series: 'nginx_status_check_up{id="www"}', values: '1 0 0 stale' }
      - { series: 'nginx_status_check_certificate_expiry_timestamp_seconds{id="new"}', values: '1209900x9' }
      - { series: 'nginx_status_check_certificate_expiry_timestamp_seconds{id="old"}', values: '1209000x9' }
    alert_rule_test:
      - { eval_time: 0m, alertname: ServiceDown, exp_alerts: [] }
      - eval_time: 1m
        alertname: ServiceDown
        exp_alerts:
          - { exp_labels: { id: www }, exp_annotations: { summary: "www is down" } }
      - { eval_time: 3m, alertname: ServiceDown, exp_alerts: [] }
      - { eval_time: 4m, alertname: NobodyChecks, exp_alerts: [] }
      - eval_time: 7m
        alertname: NobodyChecks
        exp_alerts:
          - exp_labels: { job: nginx_status, instance: i }
            exp_annotations: { summary: "the checker of i is dead or out of reach" }
      - eval_time: 13m
        alertname: NobodyChecks
        exp_alerts:
          - exp_labels: { job: nginx_status, instance: i }
            exp_annotations: { summary: "the checker of i is dead or out of reach" }
      - eval_time: 0m
        alertname: CertificateExpires
        exp_alerts:
          - { exp_labels: { id: old }, exp_annotations: { summary: "old: 13d 23h 50m 0s left" } }
EOT
    like(tool('', qw(test rules), "$dir/rules_test.yml"), qr/SUCCESS/,
         'the rules of the README do what they should');

    # the README's scrapes, and one that names a target

    my $at = '127.0.0.1:' . $t->port(0);
    $scrape =~ s/status\.example:8080/$at/g;
    $scrape =~ s/^rule_files/<<"EOJ" . 'rule_files'/em;
  - job_name: named
    metrics_path: /probe
    static_configs: [{ targets: [down, nope] }]
    relabel_configs:
      - { source_labels: [__address__], target_label: __param_target }
      - { source_labels: [__param_target], target_label: instance }
      - { target_label: __address__, replacement: "$at" }
EOJ
    $t->write_file('prometheus.yml', "global: { scrape_interval: 1s, "
                   . "scrape_timeout: 1s, evaluation_interval: 1s }\n$scrape",
                   raw => 1);
    like(tool('', qw(check config), "$dir/prometheus.yml"), qr/SUCCESS/,
         'the scrapes of the README can be read');

    my $port = $t->port(4);
    my $pid = $t->spawn('sh', '-c', 'exec "$@" 2>"$0"', "$dir/prometheus.log",
        'prometheus', "--config.file=$dir/prometheus.yml",
        "--storage.tsdb.path=$dir/tsdb", "--web.listen-address=127.0.0.1:$port",
        '--log.level=warn');

    ok(wait_for(sub { hits($port, 'nginx_status_check_up == 0') >= 4 }, 60),
       'Prometheus scrapes') or diag($t->read_file('prometheus.log'));
    is(hits($port, 'nginx_status_check_up{id!~"bot|down|gone|slow"} == 0'), 0,
       'what is up');
    is_deeply({ (query($port, 'nginx_status_check_up{id="odd"} * on (id) '
                       . 'group_left (title) nginx_status_check_info')) },
              { instance => $at, job => 'nginx_status',
                map { $_ => check_of($json, 'odd')->{$_} }
                qw(id group team title) }, 'odd labels, joined');
    ok(wait_for(sub { hits($port, 'ALERTS{alertname="ServiceDown",'
                                  . 'alertstate="firing"}') >= 4 }, 60),
       'ServiceDown fires');
    ok(wait_for(sub { hits($port, 'probe_success{job="blackbox",'
                                  . 'instance="www"} == 1') }, 20),
       'probes of all');
    ok(wait_for(sub { hits($port, 'probe_success{job="named",'
                                  . 'instance="down"} == 0') }, 20),
       'or one that is named');
    ok(wait_for(sub { hits($port, 'up{job="named",instance="nope"} == 0') }, 20),
       'unless it is not there');

    # what it does not know any more has ended, and is not repeated

    kill 'STOP', $t->checker;
    ok(wait_for(sub { hits($port, 'nginx_status_checker_up == 0') }, 20),
       'a dead checker');
    is(hits($port, 'nginx_status_check_up'), 0, 'nothing is up');
    ok(wait_for(sub { hits($port, 'up{job="blackbox"} == 0') }, 20),
       'no probe either');
    ok(wait_for(sub { hits($port, 'ALERTS{alertname="NobodyChecks"}') }, 20),
       'NobodyChecks begins');
    $t->kill_daemon($pid);
}

# Labels of the first series that a query finds.
sub query {
    my ($port, $query) = @_;
    return %{ results($port, $query)->[0]{metric} // {} };
}

# How many it finds.
sub hits { scalar @{ results(@_) } }

sub results {
    my ($port, $query) = @_;
    $query =~ s/([^A-Za-z0-9])/sprintf '%%%02x', ord $1/ge;
    my $r = http_request($port, "/api/v1/query?query=$query") or return [];
    my $json = eval { JSON::PP->new->utf8->decode($r->{body}) } // {};
    return $json->{data}{result} // [];
}


# -------------------------------------------------------------- a dead checker

kill 'STOP', $t->checker;
$json = $t->wait_json('/s.json', sub { !$_->{checker}{alive} }, 20);
ok($json, 'a checker without heartbeat');

my $dead = metrics('/metrics');
is(value($dead, 'nginx_status_checker_up'), 0, 'is not up');
is(value($dead, 'nginx_status_checker_heartbeat_timestamp_seconds'),
   at($json->{checker}{heartbeat_at}), 'its last heartbeat');
is(value($dead, 'nginx_status_state', state => 'unknown'), 1,
   'state is unknown');
is(value($dead, 'nginx_status_checks', state => 'unknown'),
   scalar(@{ $json->{checks} }), 'of all checks');
is(scalar(grep { $_->[1]{state} && $_->[1]{state} ne 'unknown' && $_->[2]
                 && $_->[0] !~ /store/ } values %$dead), 0,
   'and of nothing else');
is_deeply([ sort { $a cmp $b } map { $_->[0] =~ s/^nginx_status_//r }
            grep { ($_->[1]{id} // '') eq 'cert' } values %$dead ],
          [ qw(check_certificate_expiry_timestamp_seconds check_info
               check_result_timestamp_seconds check_results_total check_state) ],
          'what is left of a check');
is_deeply([ sort map { $_->[0] =~ s/^nginx_status_checker_//r }
            grep { $_->[0] =~ /checker/ } values %$dead ],
          [ qw(heartbeat_timestamp_seconds up) ], 'and of the checker');
is($t->get($_)->{status}, 503, "$_ is 503")
    for '/probe', '/probe?target=www';

kill 'CONT', $t->checker;
ok(wait_for(sub { value(metrics('/metrics?check=www'),
                        'nginx_status_check_up') }, 20), 'it comes back');

$t->finish;
