#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Directives: what nginx -t takes, what it refuses and how it says so, and
# what a check gets from the group and the monitor around it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use NgxStatus;

my $t = NgxStatus->new;

# every refusal is an emerg line
$t->allow(qr/\[emerg\]/);

my $secret = 'tok-3n-secret';

$t->write_file('token', "$secret\r\nsecond line\n");
$t->write_file('empty', "\n");
$t->write_file('nul', "a\0b\n");
$t->write_file('large', 'x' x 5000);
$t->write_file('plain', "not a certificate\n");
$t->write_file('checks.conf', <<'EOC');
check included http://127.0.0.1:%%PORT_1%%/ {
    include settings.conf;
}
EOC
$t->write_file('settings.conf', "fall 3; rise 2;\n");
$t->write_file('group.conf', "team included; include checks.conf;\n");
$t->write_file('broken.conf', "title ok;\n\nfall 0;\n");

$t->write_file('own/index.html', "<p>own</p>\n");
$t->write_file('part/index.html', "{{> row-of-mine }}\n");
$t->write_file('part/row-of-mine.html', "<p>mine</p>\n");
$t->write_file('nopart/index.html', "<p>\n{{> nowhere }}\n");
$t->write_file('wrong/index.html', "<p>\n{{ titel }}\n");
$t->write_file('outside/index.html', "{{> ../own/index }}\n");
$t->write_file('huge/index.html', 'x' x (256 * 1024 + 1));
mkdir $t->dir . '/odd';
mkdir $t->dir . '/odd/check.html';


# What is on a line that ends in "# HERE" is refused, with that line's
# number.  %%A%% is a URL that nobody listens on.

sub refused {
    my ($name, $http, @want) = @_;
    my $file = $http =~ s/^FILE (\S+) (\d+)\n// ? [$1, $2] : undef;

    $http =~ s{%%A%%}{http://127.0.0.1:1/}g;
    $t->conf($http);
    my ($ok, $text) = $t->test_conf;

    my $at = $file ? $t->dir . "/$file->[0]:$file->[1]"
                   : $t->dir . '/nginx.conf:' . $t->conf_line(qr/# HERE$/);

    my ($emerg) = $text =~ /\[emerg\] (.*)/;
    my @missing = grep { index($emerg // '', $_) < 0 } @want, " in $at";

    ok(!$ok && !@missing, $name)
        or diag("want: @missing\nhave: $text");
    unlike($text, qr/$secret/, "$name: tells no secret") if $name =~ /secret/;
}

sub http_block { refused(@_) }

sub in_monitor {
    my ($name, $text, @want) = @_;
    refused($name, "status_monitor m {\n$text\ncheck last %%A%% { }\n}\n",
            @want);
}

sub in_check {
    my ($name, $text, @want) = @_;
    refused($name, "status_monitor m {\ncheck a %%A%% {\n$text # HERE\n}\n}\n",
            @want);
}

# of the whole check, which is known only where its block has ended
sub of_check {
    my ($name, $text, @want) = @_;
    refused($name, "status_monitor m {\ncheck a %%A%% { # HERE\n$text\n}\n}\n",
            'check "a": ', @want);
}

sub in_server {
    my ($name, $text, @want) = @_;
    refused($name, "server {\nlisten 127.0.0.1:%%PORT_0%%;\n$text\n}\n"
            . "status_monitor m { check a %%A%% { } }\n"
            . "status_monitor n { check a %%A%% { } }\n", @want);
}

sub taken {
    my ($name, $http, $want) = @_;
    $http =~ s{%%A%%}{http://127.0.0.1:1/}g;
    $t->conf($http);
    my ($ok, $text) = $t->test_conf;
    ok($ok && (!$want || $text =~ $want), $name) or diag($text);
    unlike($text, qr/$secret/, "$name: tells no secret") if $name =~ /secret/;
    return $text;
}

sub taken_in_check {
    my ($name, $text) = @_;
    taken($name, "status_monitor m {\ncheck a %%A%% {\n$text\n}\n}\n");
}


# blocks

http_block('monitor: name', <<'EOC', 'invalid status_monitor "a/b"', '63');
status_monitor a/b { # HERE
}
EOC
http_block('monitor: long name', 'status_monitor ' . 'n' x 64 . " { # HERE\n}",
           'invalid status_monitor', 'expected 1 to 63 characters');
http_block('monitor: duplicate', <<'EOC', 'duplicate monitor "m"');
status_monitor m { check a %%A%% { } }
status_monitor m { # HERE
}
EOC
http_block('monitor: empty', <<'EOC', 'monitor "m" has no check');
status_monitor m { # HERE
    group G { }
}
EOC
http_block('monitor: in a server', <<'EOC', '"status_monitor"', 'not allowed');
server { status_monitor m { # HERE
} }
EOC
http_block('check outside', "check a %%A%% { # HERE\n}", '"check"',
           'not allowed here');
http_block('unknown directive', <<'EOC', 'unknown directive "expct"');
status_monitor m { check a %%A%% {
    expct status 200; # HERE
} }
EOC

in_monitor('group in group', "group A { group B { # HERE\n} }",
           '"group"', 'not allowed in another group');
in_monitor('group in check', "check a %%A%% { group B { # HERE\n} }",
           '"group"', 'not allowed in a check');
in_monitor('check in check', "check a %%A%% { check b %%A%% { # HERE\n} }",
           '"check"', 'not allowed in another check');
in_monitor('group: no title', "group '' { # HERE\n}", 'invalid group ""');
in_monitor('group: title not UTF-8', "group 'a\xff' { # HERE\n}",
           'invalid group', 'UTF-8');
in_monitor('group: title directive', "group A {\n title B; # HERE\n}",
           '"title"', 'behind "group"');
in_monitor('check: no block', "check a %%A%%; # HERE", '"check"', '"{"');
in_monitor('check: no URL', "check a { # HERE\n}", '"check"', 'arguments');
in_monitor('check: ID', "check a/b %%A%% { # HERE\n}",
           'invalid check "a/b"', 'A-Z a-z 0-9');
in_monitor('check: ID with a dot', "check .a %%A%% { # HERE\n}",
           'invalid check ".a"', 'dot');
in_monitor('check: long ID', 'check ' . 'i' x 64 . " %%A%% { # HERE\n}",
           'invalid check', '63');
in_monitor('check: duplicate ID', "group G { check last %%A%% { } }\n"
           . "check b %%A%% { } check last %%A%% { # HERE\n}",
           'duplicate check "last"', 'nginx.conf:');
in_monitor('check: scheme', "check a htpp://127.0.0.1/ { # HERE\n}",
           'check "a": ', 'scheme "htpp"', 'http');
in_monitor('check: no scheme', "check a 127.0.0.1 { # HERE\n}",
           'check "a": ', 'no scheme', 'http');
in_monitor('check: port', "check a http://127.0.0.1:99999/ { # HERE\n}",
           'check "a": ', 'port', '65535');
in_monitor('check: no host', "check a http:///path { # HERE\n}",
           'check "a": ', 'no host');
in_monitor('check: secret in a bad URL',
           "check a http://u:$secret\@h:port/?token=$secret { # HERE\n}",
           'check "a": ', 'port');

in_monitor('monitor only: max_in_flight', "max_in_flight 0; # HERE",
           'invalid max_in_flight "0"', 'from 1 to 100000');
in_monitor('monitor only: max_per_host', "max_per_host x; # HERE",
           'invalid max_per_host "x"', 'from 1 to 100000');
in_monitor('monitor only: zone', "zone many; # HERE",
           'invalid zone "many"', 'size');
in_check('monitor only: in a check', 'max_in_flight 2;', '"max_in_flight"',
         'not allowed');
in_monitor('history: rung', 'history weeks=3d; # HERE',
           'invalid history "weeks=3d"', 'minutes=, hours= or days=');
in_monitor('history: no number', 'history minutes=24h hours=many; # HERE',
           'invalid history "hours=many"', '2d to 366d');
in_monitor('history: too few minutes', 'history minutes=239m; # HERE',
           'invalid history "minutes=239m"', '4h to 7d');
in_monitor('history: too many days', 'history days=3661d; # HERE',
           'invalid history "days=3661d"', '1d to 3660d');
in_monitor('history: rung twice', 'history days=1d days=2d; # HERE',
           'history: "days=2d" sets what was set before it');
in_monitor('history: twice', 'history days=1d; history hours=3d; # HERE',
           '"history"', 'duplicate');
in_check('history: in a check', 'history days=1d;', '"history"',
         'not allowed');
in_monitor('export: no directory', 'export ""; # HERE', 'invalid export ""',
           'a directory');
in_monitor('export: word', 'export site often; # HERE',
           'invalid export "often"', 'every= and a time from 1s to 1d');
in_monitor('export: too often', 'export site every=999ms; # HERE',
           'invalid export "every=999ms"', '1s to 1d');
in_monitor('export: too seldom', 'export site every=25h; # HERE',
           'invalid export "every=25h"', '1s to 1d');
in_monitor('export: long', 'export ' . 'd' x 4000 . '; # HERE',
           'invalid export', 'a shorter path');
in_monitor('export: twice', "export a;\nexport b; # HERE", '"export"',
           'duplicate');
in_monitor('export: below nothing', 'export no/where; # HERE',
           '/no/where" of "export" can not be made', 'No such file');
in_monitor('export: a file', 'export token; # HERE',
           '/token" of "export" is not a directory');
in_check('export: in a check', 'export site;', '"export"', 'not allowed');
http_block('export: of two', <<'EOC', 'is that of monitor "m" already');
status_monitor m { check a %%A%% { } export site; }
status_monitor n { check a %%A%% { }
    export site/; # HERE
}
EOC

# archive

in_monitor('archive: nothing', 'archive; # HERE', '"archive"', 'arguments');
in_monitor('archive: empty', 'archive ""; # HERE', 'invalid archive ""',
           'expected a directory, rotate=TIME and keep=TIME');
in_monitor('archive: no directory', 'archive rotate=1h keep=2d; # HERE',
           '"archive" directive needs a directory');
in_monitor('archive: two directories', 'archive a b; # HERE',
           'invalid archive "b"', 'expected a directory, rotate=');
in_monitor('archive: unknown', 'archive a rotat=1h; # HERE',
           'invalid archive "rotat=1h"', 'rotate=TIME and keep=TIME');
in_monitor("archive: $_", "archive a $_; # HERE", "invalid archive \"$_\"",
           'whole minutes, from 1m to 1d, that divides a day')
    for qw(rotate= rotate=often rotate=0 rotate=30s rotate=90s rotate=7m
           rotate=25h rotate=2d);
in_monitor("archive: $_", "archive a $_; # HERE", "invalid archive \"$_\"",
           'keep= and a time from 1d to 3650d')
    for qw(keep= keep=off keep=23h keep=3651d);
in_monitor('archive: rotate twice', 'archive a rotate=1h rotate=2h; # HERE',
           'invalid archive "rotate=2h", expected it once');
in_monitor('archive: keep twice', 'archive a keep=1d keep=1d; # HERE',
           'invalid archive "keep=1d", expected it once');
in_monitor('archive: twice', 'archive a; archive b; # HERE',
           '"archive" directive is duplicate');
in_monitor('archive: path', 'archive ' . 'p' x 4000 . '; # HERE',
           '"archive" directive needs a shorter path');
for my $d (qw(/ // . .. a/.. /tmp/.)) {
    in_monitor("$_ $d", "$_ $d; # HERE", qq{" of "$_" has no name of its own})
        for qw(archive export);
    refused("status_state $d", "status_state $d; # HERE\n"
            . 'status_monitor m { check a %%A%% { } }', '" of "status_state" has no');
}
in_monitor('export: /tmp', 'export /tmp; # HERE', q{of "export" is everybody's});
in_check('archive: in a check', 'archive a;', '"archive"', 'not allowed');
in_monitor('archive: nowhere', 'archive no/where; # HERE',
           '/no/where" of "archive" can not be made in "', '/no"',
           'expected one that is of this monitor alone, in a directory that');
in_monitor('archive: a file', 'archive token; # HERE',
           '/token" of "archive" is not a directory, expected one');
refused('archive: of two', <<'EOC', '/shared" of "archive" is that of monitor "m" already',
status_monitor m { archive shared; check a %%A%% { } }
status_monitor n { archive shared/; # HERE
check a %%A%% { } }
EOC
        'expected one that is of this monitor alone');
taken("archive: $_", "status_monitor m { archive $_; check a %%A%% { } }\n")
    for 'a', 'a/ keep=3650d rotate=1d', 'rotate=1m a keep=1d',
        'a rotate=90m', '"a b $c"', "'\xc3\xbc;{'", '%%TESTDIR%%/a';
taken('archive: in the state directory', <<'EOC');
status_state state;
status_monitor m { archive state; check a %%A%% { } }
status_monitor n { archive state/n; store off; check a %%A%% { } }
EOC
ok(-d $t->dir . '/state/n', 'nginx makes both');
http_block('zone too small', <<'EOC', 'zone of 65536 bytes', 'k at least');
status_monitor m { # HERE
    zone 64k;
    check a %%A%% { }
    check b %%A%% { }
}
EOC

# numbers

in_check('interval: no time', 'interval 30x;', 'invalid interval "30x"',
         '100ms');
in_check('interval: too short', 'interval 99ms;', 'invalid interval "99ms"',
         '100ms');
in_check('interval: too long', 'interval 8d;', 'invalid interval "8d"', '7d');
in_check('interval: overflow', 'interval 99999999999999999999s;',
         'invalid interval');
in_check('interval: twice', 'interval 1s; interval 2s;', '"interval"',
         'duplicate');
in_check('timeout: too long', 'interval 2h; timeout 2h;',
         'invalid timeout "2h"', '1h');
in_check('timeout: too short', 'timeout 10ms;', 'invalid timeout "10ms"');
of_check('timeout over interval', 'interval 5s; timeout 6s;', '6000ms',
         '5000ms');
http_block('timeout over interval, inherited', <<'EOC', '"a": ', '2000ms');
status_monitor m {
    timeout 2s;
    check b %%A%% { }
    group G { interval 1s; check a %%A%% { # HERE
    } }
}
EOC
in_check('fall', 'fall 0;', 'invalid fall "0"', '1 to 100');
in_check('rise', 'rise 101;', 'invalid rise "101"', '1 to 100');
in_check('follow', 'follow -1;', 'invalid follow "-1"', '0 to 20');
in_check('max_body', 'max_body 1g;', 'invalid max_body "1g"', '1k to 64m');
in_check('tls_verify', 'tls_verify maybe;', '"maybe"', '"on"', '"off"');
in_check('keepalive', 'keepalive 1;', '"1"', '"on"', '"off"');
in_check('too many words', 'interval 1s 2s;', '"interval"', 'arguments');

# words

in_check('was: no ID', 'was .a;', 'invalid was ".a"', 'an ID of 1 to 63');
in_check('was: twice', 'was b; was c;', '"was"', 'duplicate');
in_monitor('was: in a monitor', 'was b; # HERE', '"was"', 'not allowed');
in_monitor('was: configured', "check b %%A%% { # HERE\n was last; }",
           'check "b": was "last" is the ID of the check in ', 'nginx.conf:');
in_monitor('was: its own ID', "check b %%A%% { # HERE\n was b; }",
           'check "b": was "b" is the ID of the check in ');
in_monitor('was: of two', "check b %%A%% { was a; }\n"
           . "group G { check c %%A%% { # HERE\n was a; } }",
           'check "c": was "a" is said of check "b" already');
in_check('uptime: word', 'uptime up=1;', 'invalid uptime "up=1"',
         'degraded= and a number from 0 to 1');
in_check('uptime: number', 'uptime degraded=half;',
         'invalid uptime "degraded=half"');
in_check('uptime: over 1', 'uptime degraded=1.01;',
         'invalid uptime "degraded=1.01"');
in_check('uptime: negative', 'uptime degraded=-0;', 'invalid uptime');
in_check('uptime: twice', 'uptime degraded=1; uptime degraded=0;', '"uptime"',
         'duplicate');
in_check('role', 'role main;', 'invalid role "main"', 'core or extra');
in_check('method', 'method get;', 'invalid method "get"', 'upper-case');
in_check('title: control character', "title 'a\tb';", 'invalid title');
in_check('title: twice', "title a; title b;", '"title"', 'duplicate');
in_check('team: empty', "team '';", 'invalid team ""');
in_check('user_agent: line break', "user_agent 'a\nb';", 'invalid user_agent');
in_check('header: name', "header 'a b' c;", 'invalid header "a b"');
in_check('header: line break', "header A 'b\r\nC: d';", 'header "A"',
         'control');
in_check('resolve', 'resolve example.com;', 'invalid resolve "example.com"',
         'IPv4 or IPv6');
in_check('bot: empty', "bot '';", 'invalid bot ""');
in_check('body: twice', "body a; body b;", '"body"', 'duplicate');

# files

in_check('tls_ca: missing', 'tls_ca nowhere.pem;', 'tls_ca: ',
         $t->dir . '/nowhere.pem', 'No such file');
in_check('tls_ca: directory', 'tls_ca own;', 'invalid tls_ca', 'regular file');
in_check('tls_cert: missing key', 'tls_cert plain nowhere.key;', 'tls_cert: ',
         'nowhere.key');
of_check('tls_ca: no certificate', 'tls_ca plain;', 'tls_ca', 'plain');
in_check('secret: missing file', 'header A file:%%TESTDIR%%/nowhere;',
         'header: ', 'no file', '/nowhere');
in_check('secret: relative', 'header A file:token;',
         'invalid header "file:token"', 'absolute');
in_check('secret: empty', 'header A file:%%TESTDIR%%/empty;', 'first line',
         '/empty', 'empty');
in_check('secret: too large', 'header A file:%%TESTDIR%%/large;', '/large',
         '5000 bytes', '4096');
in_check('secret: NUL', 'header A "B file:%%TESTDIR%%/nul";', 'header "A"',
         'control');
in_check('secret: directory', 'header A file:%%TESTDIR%%/own;', '/own',
         'not a regular file');
in_monitor('template: missing', 'template nowhere; # HERE', 'template: ',
           '/nowhere', 'No such file');
in_monitor('template: file', 'template token; # HERE', 'invalid template',
           'a directory');
sub in_template {
    my ($name, $dir, @want) = @_;
    refused($name, "status_monitor m { # HERE\n"
            . "template $dir; check a %%A%% { } }\n", @want);
}
in_template('template: unknown name', 'wrong', '"titel"', 'line 2',
            'index.html');
in_template('template: unknown partial', 'nopart', '"nowhere"', 'line 2');
in_template('template: partial elsewhere', 'outside', '../own/index');
in_template('template: too large', 'huge', '262145 bytes', 'index.html');
in_template('template: not a file', 'odd', 'odd/check.html',
            'not a regular file');

# conditions; their sentences are tested one by one in unit/

in_check('expect: no status', 'expect status 2xx;',
         'expect: "2xx" is neither a status nor a range', '200-299');
in_check('expect: subject', 'expect body2 contains x;', 'expect: ', '"body2"',
         'status');
in_check('expect: operator', 'expect json $.a =~ x;', 'expect: ', '"=~"',
         '!=');
in_check('expect: range', 'expect status 299-200;', 'expect: ', '299-200');
in_check('expect: regex', "expect body ~ '(';", 'expect: ', '"("');
in_check('expect: JSON path', 'expect json $.a[ == 1;', 'expect: ', '$.a[');
in_check('expect: of another type', 'expect inodes > 5;', 'expect: ',
         '"inodes"', 'status');
in_check('expect: part of a certificate', 'expect cert chains > 7d;',
         'expect: ', '"chains"');
in_check('expect: unit of the chain', 'expect cert chain > 7;', 'expect: ',
         '"7" needs a unit');
in_check('expect: order of issuers', 'expect cert issuer > x;', 'expect: ',
         '">" is not an operator');
in_check('prefer: neither yes nor no', 'prefer cert verified perhaps;',
         'prefer: ', '"perhaps" is neither yes nor no');
in_check('expect: nothing', 'expect;', '"expect"', 'arguments');
in_check('prefer: duration', 'prefer latency < fast;', 'prefer: ', '"fast"',
         'time');
in_monitor('expect: wrong in a monitor', 'expect status ok; # HERE',
           'expect: ', '"ok"');

# scores

in_check('score: path', 'score $.a[;', 'score: ', '$.a[');
in_check('score: scale', 'score $.a scale=0;', 'invalid score "scale=0"',
         'over 0');
in_check('score: word', 'score $.a factor=2;', 'invalid score "factor=2"',
         'scale=');
in_check('score: twice', 'score $.a; score $.b;', '"score"', 'duplicate');
in_check('grade: path', 'grade grade;', 'grade: ', 'grade');
in_check('categories: path', 'categories $.;', 'categories: ', '$.');
in_check('score_history: URL', 'score_history nowhere $.a;',
         'score_history: ', 'scheme');
in_check('score_history: path', 'score_history http://h/ $.a[;',
         'score_history: ', '$.a[');
in_monitor('score_history: in a monitor', 'score_history http://h/ $.a; # HERE',
           '"score_history"', 'not allowed');
in_check('drop: word', 'drop alarm=1;', 'invalid drop "alarm=1"', 'warning=');
in_check('drop: number', 'drop warning=1%;', 'invalid drop "warning=1%"',
         'points');
in_check('drop: against', 'drop warning=1 against=week;',
         'invalid drop "against=week"', 'median:N', '1 to 30');
in_check('drop: median', 'drop warning=1 against=median:31;',
         'invalid drop "against=median:31"', '1 to 30');
in_check('drop: nothing', 'drop against=previous;', '"drop"', 'critical=');
in_check('drop: upside down', 'drop warning=5 critical=1;', '"drop"', 'below');
in_check('drop: word twice', 'drop warning=5 warning=1;', 'warning=1');
in_check('drop: twice', 'drop warning=5; drop warning=1;', '"drop"',
         'duplicate');
in_check('slower: number', 'slower warning=25;', 'invalid slower "warning=25"',
         'percentage');
in_check('slower: median', 'slower warning=25% against=median:61;',
         'invalid slower', '1 to 60');
of_check('grade without score', 'grade $.g;', '"grade"', '"score"');
of_check('drop without score', 'drop warning=1;', '"drop"', '"score"');
of_check('score_history without score', 'score_history http://h/ $.a;',
         '"score_history"', '"score"');
of_check('expect score without score', 'expect score > 5;', '"expect score',
         'needs a "score"');

# locations

in_server('status_page: unknown monitor',
          "location / {\nstatus_page x; # HERE\n}",
          'unknown monitor "x"', 'expected "m", "n"');
http_block('status_json: no monitor at all', <<'EOC', 'unknown monitor "x"',
server { location / {
    status_json x; # HERE
} }
EOC
           'status_monitor');
in_server('status_page: word', "location / {\nstatus_page m all; # HERE\n}",
          'invalid status_page "all"', 'internal');
in_server('status_json: word', "location / {\nstatus_json m all; # HERE\n}",
          'invalid status_json "all"', 'unhealthy=');
in_server('status_json: code',
          "location / {\nstatus_json m unhealthy=200; # HERE\n}",
          'invalid status_json "unhealthy=200"', '400 to 599');
in_server('status_csv: word', "location / {\nstatus_csv m all; # HERE\n}",
          '"status_csv"', 'arguments');
in_server('status_csv: unknown monitor',
          "location / {\nstatus_csv x; # HERE\n}", 'unknown monitor "x"');
in_server('status_csv: with JSON',
          "location / {\nstatus_json m; status_csv m; # HERE\n}",
          '"status_csv"', 'one location');
in_server('status_metrics: word',
          "location / {\nstatus_metrics m internal; # HERE\n}",
          'invalid status_metrics "internal"', 'expected probe');
in_server('status_metrics: too much',
          "location / {\nstatus_metrics m probe probe; # HERE\n}",
          '"status_metrics"', 'arguments');
in_server('status_metrics: unknown monitor',
          "location / {\nstatus_metrics x; # HERE\n}", 'unknown monitor "x"');
in_server('status_metrics: twice',
          "location / {\nstatus_metrics m; status_metrics n; # HERE\n}",
          '"status_metrics"', 'duplicate');
in_server('status_metrics: with CSV',
          "location / {\nstatus_csv m; status_metrics m; # HERE\n}",
          '"status_metrics"', 'one location');
in_server('status_metrics: in a server', "status_metrics m; # HERE",
          '"status_metrics"', 'not allowed');
in_server('status_page: exact location',
          "location = /s {\nstatus_page m; # HERE\n}", '"status_page"',
          'prefix location');
in_server('status_page: regex location',
          "location ~ ^/s {\nstatus_page m; # HERE\n}", '"status_page"',
          'prefix location');
in_server('status_page: named location',
          "location \@s {\nstatus_page m; # HERE\n}", '"status_page"',
          'prefix location');
in_server('status_page: twice',
          "location / {\nstatus_page m; status_page n; # HERE\n}",
          '"status_page"', 'duplicate');
in_server('status_page: with JSON',
          "location / {\nstatus_page m; status_json m; # HERE\n}",
          '"status_json"', 'one location');
in_server('status_page: in a server', "status_page m; # HERE", '"status_page"',
          'not allowed');

# includes: file and line are those of the included file

refused('include: line of the included file', <<'EOC', 'invalid fall "0"');
FILE broken.conf 3
status_monitor m { check a %%A%% { include broken.conf; } }
EOC


# good ones

taken('no directive of ours', 'server { listen 127.0.0.1:%%PORT_0%%; }');

my $text = taken('the least', 'status_monitor m { check a %%A%% { } }');
my ($bytes, $each) = $text =~ /^nginx: status monitor "m": 1 check, (?#
    )zone "status:m" (\d+) bytes, (\d+) bytes a check$/m;
ok($bytes && $each && $bytes > $each, 'nginx -t tells the size of the zone')
    or diag($text);
unlike(taken('quietly', 'status_monitor m { check a %%A%% { } }'),
       qr/\[(?:warn|notice)\]/, 'nothing to warn of');
$t->conf('status_monitor m { check a http://h/ { } }');
is(($t->test_conf('-q'))[1], '', 'nginx -tq says nothing');

my $short = taken('short history', 'status_monitor m {
    history minutes=4h hours=2d days=1d; check a %%A%% { } }');
my $long = taken('long history', 'status_monitor m {
    history days=3660d minutes=7d hours=1y; check a %%A%% { } }');
my ($little) = $short =~ /(\d+) bytes a check$/m;
my ($much) = $long =~ /(\d+) bytes a check$/m;
ok($little < $each && $each < $much, 'nginx -t tells what history costs')
    or diag("$little, $each, $much");
my ($most) = taken('scores', 'status_monitor m {
    check a %%A%% { score $.a; } }') =~ /(\d+) bytes a check$/m;
cmp_ok($most, '<=', 64000, 'a check with scores takes 64 kB at most');
taken('zone large enough',
      'status_monitor m { zone 8m; check a %%A%% { } }', qr/ 8388608 bytes/);
taken('group without a check',
      "status_monitor m { group Gone { } check a %%A%% { } }",
      qr/\[warn\].*group "Gone" is left out as it has no check in /);
taken_in_check('interval below the default timeout', 'interval 100ms;');
taken_in_check('bare seconds', 'interval 30; timeout 30;');
taken_in_check('most there is', <<'EOC');
    title "Überall <b>"; team growth; role extra;
    interval 1h; timeout 1m; fall 100; rise 1;
    method POST; header A b; header A c; header "Accept" ""; body "";
    follow 0; user_agent "me/1"; tls_verify off; keepalive on;
    resolve [::1]; max_body 64m;
    expect status 200-299 301; expect body contains "Welcome" 'to "us"';
    expect json $.status == "ok"; expect json '$["a b"][?(@.k == 1)]';
    expect header Server; expect score > 50;
    prefer latency < 800ms; prefer cert > 21d; expect cert off;
    prefer cert chain > 1w; expect cert chain off; expect cert verified;
    bot "Just a moment" "Checking your browser"; bot captcha;
    score $.a[0] scale=100; grade $.g; categories $.audit.*.score scale=0.5;
    score_history http://127.0.0.1:1/history?limit=30&x=y $.series[*].score;
    drop warning=1 critical=5 against=median:30;
    slower warning=25% critical=100% against=previous;
EOC
taken_in_check('secret in a header',
               'header Authorization "Bearer file:%%TESTDIR%%/token";');
taken('every level takes what is inherited', <<'EOC');
status_monitor m {
    title "M"; max_in_flight 10; max_per_host 2;
    interval 1m; timeout 5s; fall 1; rise 2; role extra; team t;
    header A b; body x; method PUT; follow 1; user_agent u; bot x;
    tls_verify off; resolve 127.0.0.1; keepalive on; max_body 2k; uptime degraded=0.5;
    expect status 200; prefer latency < 1s; score $.s; grade $.g;
    categories $.c.*; drop warning=1; slower critical=50%;
    check a %%A%% { }
    group G {
        interval 1m; timeout 5s; fall 1; rise 2; role extra; team t;
        header A b; body x; method PUT; follow 1; user_agent u; bot x;
        tls_verify off; resolve 127.0.0.1; keepalive on; max_body 2k; uptime degraded=0.5;
        expect status 200; prefer latency < 1s; score $.s; grade $.g;
        categories $.c.*; drop warning=1; slower critical=50%;
        check b https://127.0.0.1:1/ { }
    }
}
EOC
taken('inner grade needs no inner score', <<'EOC');
status_monitor m { group G { check a %%A%% { grade $.g; } score $.s; } }
EOC
taken('inherited expect score leaves checks without score alone', <<'EOC');
status_monitor m {
    expect score > 50; drop warning=1;
    check a %%A%% { }
    check b %%A%% { score $.score; }
}
EOC
taken('own template', <<'EOC');
status_monitor m { template own; check a %%A%% { } }
status_monitor n { template %%TESTDIR%%/part/; check a %%A%% { } }
EOC
taken('export', <<'EOC');
status_monitor m { export site; check a %%A%% { } }
status_monitor n { export %%TESTDIR%%/site2// every=1d; check a %%A%% { } }
status_monitor o { export site3 every=1m; check a %%A%% { } }
EOC
ok(-d $t->dir . "/$_", "and its directory $_") for qw(site site2 site3);
taken('include at every level', <<'EOC', qr/"m": 2 checks/);
status_monitor m {
    check a %%A%% { include settings.conf; }
    group G { include group.conf; }
}
EOC
taken('locations before their monitor', <<'EOC');
server {
    listen 127.0.0.1:%%PORT_0%%;
    location /a/ { status_page m; }
    location /b  { status_page m internal; }
    location ^~ /c/ { status_page m public; }
    location = /d { status_json m; }
    location ~ ^/e { status_json m public unhealthy=503; }
    location = /f { status_metrics m; }
    location @g { status_metrics m probe; }
}
status_monitor m { check a %%A%% { } }
EOC
taken('a thousand checks', 'status_monitor m { '
      . join('', map { "check c$_ %%A%% { interval 1s; }\n" } 1 .. 1000)
      . '}', qr/1000 checks/);


# What checks do with what they inherit: a server answers with 200, or 404
# for /404, and tells what it was asked by X-Asked in its own log.

my $asked = $t->dir . '/asked';

$t->conf(<<'EOC');
log_format asked '$uri $request_method A=$http_a B=$http_b C=$http_c '
                 'auth=$http_authorization ua=$http_user_agent '
                 'body=$request_body';

server {
    listen 127.0.0.1:%%PORT_1%%;
    location / {
        access_log %%TESTDIR%%/asked asked;
        proxy_pass http://127.0.0.1:%%PORT_0%%/answer/;
    }
}
server {
    listen 127.0.0.1:%%PORT_0%%;
    location /answer/ { return 200 '{"score": 0.5, "grade": "B"}'; }
    location = /answer/404 { return 404; }
    location = /s.json { status_json m; }
    location /status/ { status_page m; }
}

status_monitor m {
    title     "The \"M\"";
    interval  300ms;
    team      outer;
    header    A outer;
    header    B outer;
    header    Authorization "Bearer file:%%TESTDIR%%/token";
    expect    status 404;

    group Last {
        role       extra;
        header     a inner;
        header     C inner;
        user_agent tester/1;

        check inherits http://127.0.0.1:%%PORT_1%%/inherits { }

        check replaces http://127.0.0.1:%%PORT_1%%/replaces {
            title   "Replaces";
            role    core;
            team    inner;
            header  B check;
            header  Authorization "";
            method  POST;
            body    "x=1";
            expect  status 200;
            score   $.score scale=100;
            grade   $.grade;
        }
    }

    check outside http://127.0.0.1:%%PORT_1%%/404 { }

    group First { check first http://127.0.0.1:%%PORT_1%%/404 { } }
    group Last  { check again http://127.0.0.1:%%PORT_1%%/404 { } }
}
EOC
$t->run;

sub wait_state {
    my ($id, $state) = @_;
    return $t->wait_check('/s.json', $id, sub { $_->{status} eq $state });
}

my $inherits = wait_state('inherits', 'down');
is($inherits->{message}, 'status 200, expected 404',
   'expect status of the monitor');
my $replaces = wait_state('replaces', 'up');
ok($replaces, 'replaced by that of the check');
ok(wait_state('outside', 'up'), 'check outside of a group');

is("$inherits->{title} $inherits->{role} $inherits->{team}",
   'inherits extra outer', 'title, role and team inherited');
is("$replaces->{title} $replaces->{role} $replaces->{team}",
   'Replaces core inner', 'title, role and team of its own');
is($replaces->{score}{value}, 50, 'score with its scale');
is($inherits->{score}, undef, 'none for the others');

my $json = $t->json('/s.json');
is($json->{title}, 'The "M"', 'title of the monitor');
is_deeply([map { [$_->{name} // '', @{ $_->{checks} }] } @{ $json->{groups} }],
          [['', 'outside'], ['Last', qw(inherits replaces again)],
           ['First', 'first']], 'groups in order, merged by title');

my %asked = map { /^(\S+) (.*)/ } split /\n/, $t->read_file('asked');
is($asked{'/inherits'}, "GET A=inner B=outer C=inner auth=Bearer $secret "
   . 'ua=tester/1 body=-', 'headers add up, by name');
is($asked{'/replaces'}, 'POST A=inner B=check C=inner auth=- '
   . 'ua=tester/1 body=x=1', 'an empty header is not sent');

my $page = $t->get('/status/');
is($page->{status}, 200, 'page');
is($t->get('/status')->{status}, 301, 'redirect to it');
unlike($page->{body} . $t->log, qr/$secret/, 'secret neither shown nor logged');

$t->finish;
