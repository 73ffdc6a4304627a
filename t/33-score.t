#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# Scores: the five Lighthouse reports in turn, deltas and their levels,
# baselines, history of our own and from a second URL, and what a poll that
# brings no score leaves behind.

use strict;
use warnings;

use FindBin;
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use NgxStatus;

my $t = NgxStatus->new;
my @reports = map { $t->read_file(top() . "/t/data/lighthouse/$_.json") }
              1 .. 5;
my $L = 'http://127.0.0.1:%%PORT_1%%';
my $S = 'http://127.0.0.1:%%PORT_2%%';          # slow
my $lighthouse = 'score $.categories.seo.score scale=100; interval 3s; ';

$t->conf(<<"HTTP");
status_monitor m {
    interval 1s;
    timeout  900ms;
    fall     1;
    max_per_host 50;

    # the same five scores, each check with thresholds of its own

    check seo $L/turn/seo {
        $lighthouse
        title      "Search & <b>co</b>";
        categories \$.categories.*.score scale=100;
        drop       warning=1 critical=5;
    }
    check seo-far    $L/turn/far    { $lighthouse
                                      drop warning=10 critical=20; }
    check seo-median $L/turn/median { $lighthouse
                                      drop critical=20 against=median:3; }
    check seo-plain  $L/turn/plain  { $lighthouse }
    check seo-prefer $L/turn/prefer { $lighthouse expect score > 50;
                                      prefer score >= 90; }

    check grade $L/graded { score \$.score; grade \$.grade;
                            categories \$.parts[*].points;
                            drop warning=1; }
    check named $L/graded { score "\$..audits[?(\@.id == 'seo')].points";
                            grade \$.level; }
    check text  $L/one/text  { score \$.score; }
    check third $L/one/third { score \$.score scale=0.5; }
    check count $L/count { score \$.score; interval 200ms; timeout 200ms; }
    check once  $L/one/7 { score \$.score; interval 1h; drop warning=1; }

    # one score, and from then on none

    check f-503     $L/then/503     { score \$.score; drop warning=1; }
    check f-json    $L/then/json    { score \$.score; drop warning=1; }
    check f-half    $L/then/half    { score \$.score; drop warning=1; }
    check f-missing $L/then/missing { score \$.score; drop warning=1; }
    check f-text    $L/then/text    { score \$.score; drop warning=1; }
    check f-null    $L/then/null    { score \$.score; drop warning=1; }
    check f-true    $L/then/true    { score \$.score; drop warning=1; }
    check f-object  $L/then/object  { score \$.score; drop warning=1; }
    check f-huge    $L/then/huge    { score \$.score; drop warning=1; }
    check f-late    $S/then/late    { score \$.score; drop warning=1;
                                      timeout 300ms; }
    check f-gone    $L/then/gone    { score \$.score; drop warning=1; }
    check f-never   $L/one/missing  { score \$.score; drop warning=1; }
    check f-back    $L/back         { score \$.score; drop warning=1; }

    # history of a second URL

    check h-list  $L/one/41 { score \$.score; drop warning=1;
                  score_history $L/series/40 \$.series[*].score; }
    check h-end   $L/one/40 { score \$.score; drop warning=1;
                  score_history $L/series/40 \$.series[*].score; }
    check h-scale $L/one/0.2 { score \$.score scale=10; drop warning=5;
                  score_history $L/series/8 \$.series[*].score; }
    check h-many  $L/one/10 { score \$.score; drop warning=1;
                  score_history $L/series/100 \$.series[*].score; }
    check h-503   $L/one/10 { score \$.score; drop warning=1;
                  score_history $L/nowhere \$.series[*].score; }
    check h-none  $L/one/10 { score \$.score; drop warning=1;
                  score_history $L/one/5 \$.series[*].score; }
    check h-own   $L/one/10 { score \$.score; header X-Key k;
                  score_history $L/key \$.series[*].score; }
    check h-other $L/one/10 { score \$.score; header X-Key k;
                  score_history $S/key \$.series[*].score; }
    check h-late  $L/one/10 { score \$.score; drop warning=1;
                  score_history http://127.0.0.1:%%PORT_3%%/late \$.series[*].score; }
}

server {
    listen 127.0.0.1:%%PORT_0%%;
    location = /m { status_json m; }
    location = /public { status_json m public; }
    location /p/  { status_page m internal; }
    location /q/  { status_page m; }
}
HTTP

# what each fails with, once it is told to
my $fail = $t->dir . '/fail';
my %n;
my %then = (
    503     => "503 No\r\n\r\n{\"score\":5}",
    json    => "200 OK\r\n\r\n<html>score</html>",
    half    => "200 OK\r\n\r\n{\"score\":5, oh",
    missing => "200 OK\r\n\r\n{\"scores\":5}",
    text    => "200 OK\r\n\r\n{\"score\":\"n/a\"}",
    null    => "200 OK\r\n\r\n{\"score\":null}",
    true    => "200 OK\r\n\r\n{\"score\":true}",
    object  => "200 OK\r\n\r\n{\"score\":{\"value\":5}}",
    huge    => "200 OK\r\n\r\n{\"score\":1e999}",
);

$t->serve($_, sub {
    my ($method, $uri, $head) = @_;
    my $n = $n{$uri}++;
    my $ok = "200 OK\r\n\r\n";

    if ($uri =~ m{^/turn/}) {
        return $ok . $reports[$n % 5];
    } elsif ($uri eq '/graded') {
        return $ok . '{"score":87.25,"grade":"B<","level":2,"parts":['
               . '{"points":1},{"points":"2.5"},{"points":"x"}],'
               . '"a":{"audits":[{"id":"b","points":1},'
               . '{"id":"seo","points":99}]}}';
    } elsif ($uri eq '/count') {
        return $ok . '{"score":' . ($n + 1) . '}';
    } elsif ($uri eq '/back') {
        return -e "$fail-back" ? $then{503}
                               : $ok . '{"score":' . (90 - $n) . '}';
    } elsif ($uri eq '/late') {
        sleep 0.95;
        return $ok . '{}';
    } elsif ($uri =~ m{^/one/([\d.]+)$}) {
        return "$ok\{\"score\":$1}";
    } elsif ($uri eq '/one/text') {
        return $ok . '{"score":"61.5"}';
    } elsif ($uri eq '/one/third') {
        return $ok . '{"score":' . 1 / 3 . '}';
    } elsif ($uri eq '/one/missing') {
        return $then{missing};
    } elsif ($uri eq '/key') {
        return $ok . ($head =~ /^X-Key: k\r$/m
                      ? '{"series":[{"score":5},{"score":6}]}'
                      : '{"series":[{"score":1},{"score":2}]}');
    } elsif ($uri =~ m{^/series/(\d+)$}) {
        return $ok . '{"series":[' . join(',', map { "{\"score\":$_}" }
                                               1 .. $1) . ']}';
    } elsif ($uri =~ m{^/then/(\w+)$}) {
        return $ok . '{"score":77,"grade":"C"}' if !-e $fail;
        return undef if $1 eq 'gone';
        sleep 0.4 if $1 eq 'late';
        return $then{$1} // $ok . '{"score":5}';
    }
    return "404 No\r\n\r\n";
}) for 1 .. 3;

$t->run;


# ---------------------------------------------------- five reports, one a turn

# Each is on the page for three seconds; what was seen, by check and delta.

my (%cards, %states, $page);
my @five = qw(seo seo-far seo-median seo-plain seo-prefer);

my $end = time + 25 * NgxStatus::slowness();
while (time < $end) {
    my $json = $t->json('/m') // {};
    for my $id (@five) {
        my $c = check_of($json, $id) // next;
        my $s = $c->{score};
        next if !defined $s->{value};
        my $n = @{ $s->{history} };
        $cards{$id}[$n] //= $s;
        $states{$id}[$n] //= $c;
        if ($id eq 'seo' && $n == 3 && !$page) {
            my $r = $t->get('/q/');
            $page = $r if $r->{body} =~ />77</;
        }
    }
    last if 5 == grep { @{ $cards{$_} // [] } > 5 } @five;
    sleep 0.2;
}

# The first card may be gone before it was seen: a check's first probe does
# not wait for its slot.

sub cards {
    my ($id, $name) = @_;
    return [ map { defined $_ && !/[a-z]/ ? 0 + sprintf('%.6f', $_) : $_ }
             map { $cards{$id}[$_]{$name} } 2 .. 5 ];
}

is_deeply(cards('seo', 'value'), [ 92, 77, 38, 100 ], 'values');
is_deeply(cards('seo', 'previous'), [ 100, 92, 77, 38 ], 'previous');
is_deeply(cards('seo', 'delta'), [ -8, -15, -39, 62 ], 'deltas');
is_deeply(cards('seo', 'level'), [ qw(critical critical critical ok) ],
          'levels');
is_deeply(cards('seo-far', 'level'), [ qw(ok warning critical ok) ],
          'levels of other thresholds');
is_deeply(cards('seo-median', 'previous'), [ 100, 96, 92, 77 ],
          'against the median of three');
is_deeply(cards('seo-median', 'delta'), [ -8, -19, -54, 23 ],
          'deltas to it');
is_deeply(cards('seo-median', 'level'), [ qw(ok ok critical ok) ],
          'levels of it, critical alone');
is_deeply(cards('seo-plain', 'level'), [ qw(ok ok ok ok) ],
          'no thresholds: nothing alarms');
is_deeply(cards('seo-plain', 'delta'), [ -8, -15, -39, 62 ],
          'but there is a delta');

is_deeply($cards{seo}[5]{history}, [ 100, 92, 77, 38, 100 ], 'history');
is_deeply($cards{seo}[3]{categories}, { performance => 100, seo => 77,
    accessibility => 87, 'best-practices' => 96 }, 'categories');
is($cards{seo}[3]{grade}, undef, 'no grade');
is($cards{seo}[3]{stale}, JSON::PP::false, 'not stale');
is(join(' ', map { $_->{status} } @{ $states{seo} }[2 .. 5]),
   'up up up up', 'a drop is no state');
is(join(' ', map { $_->{status} } @{ $states{'seo-prefer'} }[2 .. 5]),
   'up degraded down up', 'unless it is asked for');
is($states{'seo-prefer'}[3]{message}, 'score 77, expected >= 90', 'degraded');
is($states{'seo-prefer'}[4]{message}, 'score 38, expected > 50', 'down');
is($states{'seo-prefer'}[4]{error_class}, 'score', 'class');
is($cards{'seo-prefer'}[4]{value}, 38, 'and the score is shown');
is($cards{'seo-prefer'}[4]{stale}, JSON::PP::false, 'as a new one');

# the card on the public page

my ($card) = ($page->{body} // '')
    =~ m{(<article (?:(?!</article>).)*Search.*?</article>)}s;
ok($card, 'the page has a card') or $card = '';
like($card, qr{Search &amp; &lt;b&gt;co&lt;/b&gt;}, 'title');
like($card, qr{<strong>77</strong>}, 'score');
like($card, qr{class="delta critical">[^<]*15}, 'delta with its level');
like($card, qr{critical</span>}, 'which is a word, too');
like($card, qr{<dt>seo</dt><dd>77</dd>}, 'category');
like($card, qr{<dt>best-practices</dt><dd>96</dd>}, 'and another');
like($card, qr{<svg[^>]*class="critical".*<path d="M}s, 'sparkline');


# ------------------------------------------------------------------ one score

ok($t->wait_json('/m', sub {
    12 == grep { $_->{id} =~ /^f-(?!never)/ && defined $_->{score}{value} }
          @{ $_->{checks} } }, 20), 'scores, before there are none');
$t->write_file($_, '') for qw(fail fail-back);

my $json = $t->wait_json('/m', sub {
    !$_->{loading} && 12 <= grep { $_->{score}{stale} } @{ $_->{checks} }
}, 15) // $t->json('/m');

sub score { return check_of($json, $_[0])->{score} }

is(score('grade')->{value}, 87.25, 'a score with decimals');
is(score('grade')->{grade}, 'B<', 'grade');
is_deeply([ sort { $a <=> $b } values %{ score('grade')->{categories} } ],
          [ 1 ], 'categories that have but one name')
    or diag(explain(score('grade')->{categories}));
is(score('named')->{value}, 99, 'any number in any JSON');
is(score('named')->{grade}, '2', 'a grade that is a number');
is(score('text')->{value}, 61.5, 'a number in quotes');
cmp_ok(abs(score('third')->{value} - 1 / 6), '<', 1e-6, 'scale');
is(score('grade')->{delta}, 0, 'the same again') if score('grade')->{delta};
like($t->get('/q/')->{body}, qr{class="grade">B&lt;</span>},
     'a grade is escaped');

is_deeply({ map { $_ => score('once')->{$_} } qw(value previous delta level) },
          { value => 7, previous => undef, delta => undef,
            level => 'neutral' }, 'nothing to compare the first with');
is_deeply(score('once')->{history}, [ 7 ], 'nor any history');

my $many = $t->wait_check('/m', 'count', sub {
    ($_->{score}{value} // 0) >= 50 }, 15);
my $h = $many->{score}{history};
is(scalar @$h, 30, 'thirty scores are kept');
is($h->[-1], $many->{score}{value}, 'to the newest');
is_deeply($h, [ sort { $a <=> $b } @$h ], 'in order');
cmp_ok($h->[0], '>', 10, 'and no older ones');
is($many->{score}{previous}, $h->[-2], 'previous');


# ------------------------------------------------------- a poll without score

my %error = (
    'f-503'     => [ 'status', 503, qr/^status 503, expected 200-299$/ ],
    'f-json'    => [ 'score', 200, qr/^no score: not JSON at byte \d+$/ ],
    'f-half'    => [ 'score', 200, qr/^no score: not JSON at byte \d+$/ ],
    'f-missing' => [ 'score', 200, qr/^no score: nothing matches$/ ],
    'f-text'    => [ 'score', 200, qr/^score is "n\/a", expected a number$/ ],
    'f-null'    => [ 'score', 200, qr/^score is null, expected a number$/ ],
    'f-true'    => [ 'score', 200, qr/^score is a boolean, expected a num/ ],
    'f-object'  => [ 'score', 200, qr/^score is an object, expected a num/ ],
    'f-huge'    => [ 'score', 200, qr/^score is out of range, expected a n/ ],
    'f-gone'    => [ 'reset', undef, qr/^empty answer$/ ],
    'f-late'    => [ 'timeout', undef, qr/^timed out after 300 ms/ ],
);

for my $id (sort keys %error) {
    my ($class, $status, $message) = @{ $error{$id} };
    my $c = $t->wait_check('/m', $id, sub { $_->{score}{stale}
                                && ($_->{error_class} // '') eq $class })
            // check_of($json, $id);
    my $s = $c->{score};

    is($c->{status}, $id eq 'f-late' ? 'timeout' : 'down', "$id: fails");
    is($c->{error_class}, $class, "$id: class");
    is($c->{http_status}, $status, "$id: HTTP status");
    like($c->{message}, $message, "$id: message");
    is($s->{value}, 77, "$id: the last score is kept");
    ok($s->{stale}, "$id: but marked stale");
    like($s->{error}, $message, "$id: with the error");
    is(join(' ', grep { $_ != 77 } @{ $s->{history} }), '',
       "$id: no score is made up");
    ok($s->{scored_at} && $s->{scored_at} lt $c->{checked_at},
       "$id: it is of when it came");
}

my $public = check_of($t->json('/public'), 'f-503')->{score};
ok($public->{stale}, 'public view: stale');
ok(!exists $public->{error}, 'without the error');

my $never = check_of($json, 'f-never');
is($never->{status}, 'down', 'never a score: down');
is($never->{score}{value}, undef, 'no value');
is($never->{score}{level}, 'neutral', 'no level');
is_deeply($never->{score}{history}, [], 'no history');
is($never->{score}{delta}, undef, 'no delta');

my $last = check_of($json, 'f-back')->{score}{history}[-1];
unlink "$fail-back";
my $back = $t->wait_check('/m', 'f-back', sub {
    !$_->{score}{stale} && $_->{score}{history}[-1] != $last });
my ($next) = "@{ $back->{score}{history} }" =~ /\b$last (\d+)/;
cmp_ok($next // 100, '<', $last, 'a score comes back after an error');
is($back->{score}{error} // '', '', 'and no error is left');
cmp_ok($back->{score}{delta}, '<', 0, 'compared with the last one that came');
is($back->{score}{level}, 'warning', 'level');

my $body = $t->get('/p/')->{body};
my ($stale) = $body =~ m{(<article (?:(?!</article>).)*>f-text<.*?</article>)}s;
like($stale, qr{class="score old"}, 'page: an old score');
like($stale, qr{<strong>77</strong>}, 'is shown');
like($stale, qr{<b>Stale</b>}, 'as such');
like($stale, qr{score is &quot;n/a&quot;, expected a number},
     'with the error');
unlike($t->get('/q/')->{body}, qr{n/a}, 'which the public page does not tell');
my ($none) = $body =~ m{(<article (?:(?!</article>).)*>f-never<.*?</article>)}s;
like($none, qr{No score yet}, 'page: no score yet');


# ------------------------------------------------------ history from outside

$json = $t->wait_json('/m', sub {
    3 == grep { $_->{id} =~ /^h-(list|end|scale)$/
                && @{ $_->{score}{history} } >= 8 } @{ $_->{checks} }
}) // $t->json('/m');

is_deeply(score('h-list')->{history}, [ 12 .. 41 ],
          'newest thirty of a series, and the present score');
is(score('h-list')->{previous}, 40, 'previous is its last');
is(score('h-list')->{delta}, 1, 'delta');
is_deeply(score('h-end')->{history}, [ 11 .. 40 ],
          'a series that has the present score');
is(score('h-end')->{previous}, 39, 'previous is the one before');
is_deeply(score('h-scale')->{history}, [ map({ 10 * $_ } 1 .. 8), 2 ],
          'scaled alike');
is(score('h-scale')->{level}, 'warning', 'level against it');

$t->wait_check('/m', $_, sub { @{ $_->{score}{history} } > 2 })
    for qw(h-own h-other);
$json = $t->json('/m');
is(score('h-own')->{history}[0], 5, 'own origin: asked with the headers');
is(score('h-other')->{history}[0], 1, 'another origin: without');

# more than are kept while the answer streams through: not the oldest, then

for my $id (qw(h-many h-503 h-none h-late)) {
    my $c = $t->wait_check('/m', $id, sub {
        $_->{result} && @{ $_->{score}{history} } >= 2 });
    is($c->{status}, 'up', "$id: the result stands");
    is(join(' ', @{ $c->{score}{history} }[0, 1]), '10 10',
       "$id: history of our own");
    ok(!$c->{score}{stale}, "$id: not stale");
}

$t->finish;
