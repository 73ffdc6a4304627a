#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# The site of files: what is in it, that it is whole at any moment, that it
# is written only when there is something new, and what happens when it can
# not be.

use strict;
use utf8;
use warnings;

use File::Path qw(remove_tree);
use FindBin;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib", "$FindBin::Bin/browser";
use Browser;
use NgxStatus;

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

my $t = NgxStatus->new;
my $site = $t->dir . '/site';
my $mass = $t->dir . '/mass';

# what a test does not want to be there
my ($extra, $many) = ('', 60);

sub conf {
    my (%opt) = @_;
    my $checks = join '', map {
        "check c$_ http://127.0.0.1:%%PORT_1%%/ok { title 'Number $_'; }\n"
    } 1 .. $many;

    $t->conf(<<"HTTP", %opt);
status_monitor m {
    title    "Acme <b>&</b> co";
    interval 3s;
    timeout  500ms;
    fall     1;
    export   site every=1s;

    group "Web & more" {
        team "a&b";
        check ok    http://127.0.0.1:%%PORT_1%%/ok { title "Fine"; }
        check gone  http://127.0.0.1:%%PORT_1%%/gone { title "<i>Gone</i>"; }
        check blind http://127.0.0.1:%%PORT_1%%/ok { interval 1h; }
    }
    group "Scores" {
        check Rated.1_a-b http://127.0.0.1:%%PORT_1%%/score {
            score \$.score; grade \$.grade; categories \$.parts.*;
        }
    }
    $extra
}

status_monitor still {
    interval 1h;
    export   %%TESTDIR%%/still/ every=1s;
    check one http://127.0.0.1:%%PORT_1%%/ok { }
}

status_monitor mass {
    interval 1s;
    timeout  500ms;
    export   mass every=1s;
    $checks
}

status_monitor taken {
    interval 1s;
    timeout  500ms;
    export   taken every=1s;
    check one http://127.0.0.1:%%PORT_1%%/ok { }
}

server {
    listen 127.0.0.1:%%PORT_1%%;
    keepalive_timeout 0;
    location = /ok    { return 200 "fine"; }
    location = /gone  { return 503; }
    location = /score {
        default_type application/json;
        return 200 '{"score":92,"grade":"A","parts":{"seo":92,"a<b>":7}}';
    }
}

server {
    listen 127.0.0.1:%%PORT_0%%;
    location /status/  { status_page m; }
    location /still/   { status_page still; }
    location = /m.json { status_json m; }

    types {
        text/html html; text/css css; text/javascript js;
        image/svg+xml svg; application/json json;
    }
    location /copy/of/ { alias %%TESTDIR%%/site/; }
    location = /favicon.ico { return 204; }
}
HTTP
    return $t;
}

mkdir $t->dir . '/taken';
$t->write_file('taken/style.css', "mine\n");
conf();
$t->run;


# ------------------------------------------------------------------ the site

ok($t->wait_json('/m.json', sub { $_->{counts}{up} == 3
                                  && $_->{counts}{down} == 1 }), 'checked');
ok(wait_for(sub { -e "$site/index.html" }), 'exported');

if ($> == 0) {
    is((stat $site)[4], (getpwnam 'nobody')[2], 'DIR is of nginx\'s user');
}
is(sprintf('%o', (stat $site)[2] & 07777), '755', 'all may read it');
is(sprintf('%o', (stat "$site/index.html")[2] & 07777), '644', 'and files');

my @pages = ('', map { "check/$_" } qw(ok gone blind Rated.1_a-b));

# a moment when no result has come between the two
my ($served, $written);
ok(wait_for(sub {
    ($served, $written) = ('', '');
    for my $page (@pages) {
        my $name = $page || 'index';
        $served .= "--- $name\n"
                   . plain(0, $t->get("/status/$page")->{body});
        $written .= "--- $name\n"
                    . plain(1, $t->read_file("site/$name.html"));
    }
    return $served eq $written;
}, 30), 'pages are as status_page draws them')
    or diag first_difference($served, $written);
unlike($written, qr/Waiting/, 'which are drawn');

my ($mine, $theirs);
ok(wait_for(sub {
    ($mine, $theirs) = map {
        my $json = eval { JSON::PP->new->utf8->decode($_) } // { };
        delete $json->{checker};
        JSON::PP->new->canonical->pretty->encode($json);
    } $t->read_file('site/status.json'), $t->get('/status/status.json')->{body};
    return $mine eq $theirs;
}, 30), 'so is the JSON') or diag first_difference($theirs, $mine);
unlike($mine, qr/127\.0\.0\.1/, 'of the public view');

for my $name (qw(style.css status.js icon.svg status.schema.json)) {
    is($t->read_file("site/$name"), $t->get("/status/$name")->{body}, $name);
}

my @found = crawl($site);
is_deeply([ sort @found ],
          [ sort 'index.html', (map { "$_.html" } @pages[1 .. 4]),
            qw(style.css status.js icon.svg) ],
          'links lead to all pages and to nothing else');
unlike(join('', map { $t->read_file("site/$_") } grep { /html$/ } @found),
       qr/[?](?:group|team)=|class="chips"/, 'none is a filter');
like($t->read_file('site/check/ok.html'),
     qr{<a href="\.\./index\.html">Acme &lt;b&gt;.*</span> Web &amp; more</nav>},
     'a group is named without a link');

is($t->get("/copy/of/$_")->{status}, 200, "a plain location serves /$_")
    for 'index.html', 'check/ok.html', 'status.json';


# ---------------------------------------------------- only when there is news

my %still = state("still");
my %site = state("site");
ok(scalar(keys %still) >= 8, 'another monitor');
ok(wait_for(sub {
    # two more exports of one, none of the other
    my %now = state('site');
    return $now{'index.html'} ne $site{'index.html'}
           && ++$site{times} && ($site{'index.html'} = $now{'index.html'})
           && $site{times} > 2;
}, 30), 'exports go on');
is_deeply({ state('still') }, \%still, 'where nothing is new, nothing is written');
delete @site{qw(times index.html status.json)};
my %now = state('site');
is_deeply({ map { $_ => $now{$_} } grep { !/^check/ } keys %site },
          { map { $_ => $site{$_} } grep { !/^check/ } keys %site },
          'what is the same is left alone');


# ------------------------------------------------------- what is not the export's

like($t->log, qr{monitor "taken" can not be exported: "\S+/taken/style\.css" is there already and was not made},
     'a file in the way is an error');
is($t->read_file('taken/style.css'), "mine\n", 'and stays');
is_deeply([ map { s{.*/}{}r } glob $t->dir . '/taken/*' ], [qw(check style.css)],
          'nothing else is made');
unlink $t->dir . '/taken/style.css';
ok(wait_for(sub { -e $t->dir . '/taken/index.html' }, 20), 'without it all is well');
ok(wait_for(sub { $t->log =~ m{monitor "taken" is exported to "\S+/taken" again} }),
   'as the log says');
is((() = $t->log =~ /can not be exported/g), 1, 'each once');


# ------------------------------------------------- a reader, while things change

my @readers = map { reader($mass) } 1 .. 2;

$t->write_file('mass/note.html', "mine\n");
$t->write_file('mass/check/note.html', "mine\n");
$t->write_file('mass/check/c1.html.bak', "mine\n");

for my $n (50, 70, 40) {
    my $last = $many;
    $many = $n;
    conf();
    ok($t->reload, "$n checks");
    ok(wait_for(sub {
        my @links = $t->read_file('mass/index.html') =~ m{href="check/}g;
        return @links == $n;
    }, 20), "$n links") or diag $t->tail;
    ok(-e "$mass/check/c$last.html", 'what was linked a moment ago is there');
}

$t->allow(qr/exited on signal 9/);
for (1 .. 4) {
    my $old = $t->checker;
    sleep rand 0.4;
    wait_for(sub { -e "$mass/check/.status-export.tmp" }, 0.3) if $_ % 2;
    $t->signal('KILL', $old);
    wait_for(sub { ($t->checker // $old) != $old });
}

my $before = $t->read_file('mass/index.html');
ok(wait_for(sub { $t->read_file('mass/index.html') ne $before }, 20),
   'killed in the middle, exports go on');
ok(wait_for(sub { !grep { !/note|bak/ && !is_wanted($_) }
                  map { s{.*/}{}r } glob "$mass/check/*" }, 60),
   'pages of removed checks are gone');
is_deeply([ map { $t->read_file("mass/$_") }
            'note.html', 'check/note.html', 'check/c1.html.bak' ],
          [ ("mine\n") x 3 ], 'files of others are not');
ok(wait_for(sub { !temporary($mass) }), 'no temporary files');

is(join('', map { stop_reader($_) } @readers), '',
   'readers saw no link to nothing, and no half page');
is(join("\n", problems($mass)), '', 'the site is whole');


# ------------------------------------------------------------ DIR has vanished

rename $site, "$site.old";
ok(wait_for(sub { $t->log =~ m{monitor "m" can not be exported: open\(\) "\S+/site" failed \(2: } }, 20),
   'DIR is gone');
ok($t->reload, 'reload');
ok(wait_for(sub { -e "$site/index.html" }, 20), 'makes it again');
is(join("\n", problems($site)), '', 'with all that was in there');


# ------------------------------------------------------------------ a browser

SKIP: {
    skip 'no chromium', 1 if !Browser::program();

    my $b = Browser->new($t);
    my $copy = 'http://127.0.0.1:' . $t->port(0) . '/copy/of/';

    # as a reader sees it: style, title, and no complaint
    my $look = sub {
        return $b->eval('[document.styleSheets[0]?.ownerNode.href'
            . '.includes("style.css") && getComputedStyle(document.'
            . 'querySelector(".box")).borderRadius, document.title,'
            . 'document.querySelector("#late").checkVisibility()]');
    };
    my $click = sub {
        $b->events('Page.loadEventFired');
        $b->eval("document.querySelector(`$_[0]`).click()");
        return $b->loaded;
    };
    my $false = JSON::PP::false;

    for my $root ("file://$site/", $copy) {
        my $kind = $root =~ /^(\w+)/ ? $1 : '';

        $b->view(1000, 800, 'light');
        $b->open($root . ($kind eq 'file' ? 'index.html' : ''));
        is_deeply($look->(), [ '14px', '✕ Acme <b>&</b> co', $false ],
                  "$kind: the overview");
        is($b->eval('document.querySelectorAll(".rows th a").length'), 3,
           'with its rows');

        if ($ENV{TEST_KEEP}) {
            for my $page ('index', 'check/gone') {
                $b->open("$root$page.html");
                for my $width (1200, 360) {
                    for my $scheme (qw(light dark)) {
                        $b->view($width, 800, $scheme);
                        $b->picture("$kind-" . $page =~ s/\W/-/r
                                    . "-$width-$scheme");
                    }
                }
            }
            $b->view(1000, 800, 'light');
            $b->open($root . 'index.html');
        }

        ok($click->('.rows a[href*=gone]'), 'a link');
        is_deeply([ $b->eval('location.href'), @{ $look->() } ],
                  [ "${root}check/gone.html", '14px',
                    '✕ <i>Gone</i>, Acme <b>&</b> co', $false ],
                  'leads to a check');
        ok($click->('nav a'), 'its own');
        is($b->eval('location.href'), "${root}index.html", 'back');
        is(join("\n", $b->errors), '', 'no complaint');
    }

    # the page's own clock runs ahead, so that it asks often
    my $script = $b->call('Page.addScriptToEvaluateOnNewDocument', source =>
        'const slow = window.setTimeout;'
        . 'window.setTimeout = (f, ms) => slow(f, Math.min(ms, 300));');

    $b->open($copy);
    my $time = $b->eval('window.same = document.body;'
                        . 'document.querySelector("footer time").dateTime');
    ok($b->wait('document.querySelector("footer time").dateTime !== "'
                . $time . '"', 20), 'served, it renews itself');
    is($b->eval('window.same === document.body') ? 1 : 0, 1, 'in place');

    $b->open("file://$site/index.html");
    $time = $b->eval('document.querySelector("footer time").dateTime');
    ok(wait_for(sub {
        my $now = eval { $b->eval('document.querySelector("footer time")'
                                  . '?.dateTime') };
        return $now && $now ne $time;
    }, 20), 'so does a file');
    is(join("\n", $b->errors), '', 'without a complaint');

    # nobody renews it any more
    $b->call('Page.removeScriptToEvaluateOnNewDocument',
             identifier => $script->{identifier});
    $b->call('Page.addScriptToEvaluateOnNewDocument', source =>
        'const now = Date.now; Date.now = () => now() + 3600e3;');

    for my $url ("file://$site/index.html", "${copy}check/ok.html") {
        $b->open($url);
        ok($b->wait('document.querySelector("#late").checkVisibility()'),
           'an old copy tells that it is one');
        like($b->eval('document.querySelector("#late").textContent'),
             qr/out of date.* renewed by \S+/, 'and since when');
        is_deeply($b->eval('[document.title[0], document.querySelector(".say")'
                      . '.checkVisibility(), getComputedStyle(document.'
                      . 'querySelector(".box")).filter]'),
                  [ '?', $false, 'grayscale(1)' ], 'and no state');
        $b->picture($url =~ /^(\w+)/ ? "late-$1" : '') if $ENV{TEST_KEEP};
        is(join("\n", $b->errors), '', 'no complaint');
    }

    $b->call('Emulation.setScriptExecutionDisabled', value => JSON::PP::true);
    $b->open("file://$site/index.html");
    like($b->eval('document.querySelector("footer").innerText'),
         qr/out of date after .*\d\d:\d\d:\d\d UTC/, 'words do without script');
    is($b->eval('document.querySelector("#late").checkVisibility()'), $false,
       'which it takes to look at the clock');

    $b->close;
}


# -------------------------------------------------------------- a full disk

SKIP: {
    skip 'not root', 1 if $> != 0;

    my $disk = $t->dir . '/disk';
    mkdir $disk;
    skip 'no tmpfs', 1
        if system("mount -t tmpfs -o size=400k,mode=0777 none $disk 2>/dev/null");

    $extra = "export disk/site every=1s;\n";
    conf();
    $t->write_file('nginx.conf', $t->read_file('nginx.conf')
                                 =~ s/export   site every=1s;//r);
    ok($t->reload, 'an export elsewhere');

    my $reader;
    eval {
        ok(wait_for(sub { -e "$disk/site/index.html" }), 'exported');
        $reader = reader("$disk/site");
        open my $f, '>', "$disk/fill" or die;
        1 while syswrite $f, 'x' x 4096;
        close $f;
        ok(wait_for(sub { $t->log =~ m{monitor "m" can not be exported: \S+ "\S+" failed \(28: } }, 20),
           'full disk');
        my $at = $t->json('/m.json')->{checked_at};
        ok($t->wait_json('/m.json', sub { $_->{checked_at} gt $at }),
           'checks go on');
        is(temporary("$disk/site"), 0, 'no temporary file');
        my $old = $t->read_file('disk/site/index.html');
        unlink "$disk/fill";
        ok(wait_for(sub { $t->read_file('disk/site/index.html') ne $old }, 30),
           'space again: goes on');
        is((() = $t->log =~ /\(28: /g), 1, 'one line in the log');
        1;
    } or diag $@;
    is($reader ? stop_reader($reader) : 'no reader', '',
       'readers saw whole pages all the time');
    $t->stop;
    system("umount -l $disk");
}

$t->finish;


# ------------------------------------------------------------------- helpers

# A page without what is meant to be another in a file.
sub plain {
    my ($file, $html) = @_;

    $html =~ s/content="\d+"><\/noscript>|data-refresh="\d+"//g;

    if ($file) {
        $html =~ s{(href="(?:\.\./)?check/[\w.-]+)\.html"}{$1"}g;
        $html =~ s{href="\.\./index\.html"}{href="../"}g;
        $html =~ s{^<p class="alert" id="late".*\n}{}m;
        $html =~ s{^<p>This copy is out of date after .*\n}{}m;
    } else {
        $html =~ s{<nav class="chips".*?</nav>\n}{}s;
        $html =~ s{<a href="[^"]*[?](?:group|team)=[^"]*">(.*?)</a>}{$1}g;
    }
    return $html;
}

sub first_difference {
    my @a = split /\n/, $_[0];
    my @b = split /\n/, $_[1];
    for my $i (0 .. ($#a > $#b ? $#a : $#b)) {
        my ($a, $b) = ($a[$i] // '(end)', $b[$i] // '(end)');
        return "line $i\nserved:  $a\nwritten: $b" if $a ne $b;
    }
    return 'none';
}

sub slurp {
    open my $f, '<:raw', $_[0] or return undef;
    local $/;
    return scalar <$f> // '';
}

# Names of what can be reached from the overview, relative to DIR; a "!" is in
# front of what is not there or not whole.
sub crawl {
    my ($dir) = @_;
    my @todo = 'index.html';
    my %seen = map { $_ => 1 } @todo;
    my @names;

    while (defined(my $name = shift @todo)) {
        my $text = slurp("$dir/$name");
        my $whole = defined $text && ($name !~ /\.html$/
                    || $text =~ /\A<!doctype html>.*<\/html>\n\z/s);

        push @names, $whole ? $name : "!$name";
        next if !$whole || $name !~ /\.html$/;

        my ($base) = $name =~ m{^(.*/)?[^/]*$};
        for ($text =~ /(?:href|src)="([^"]*)"/g) {
            next if /^data:/;
            my $link = ($base // '') . s/[?#].*//r;
            1 while $link =~ s{(?:^|(?<=/))[^/]+/\.\./}{};
            push @todo, $link if !$seen{$link}++;
        }
    }
    # the icon of a site in trouble is none of its files
    push @names, 'icon.svg' if -e "$dir/icon.svg" && !$seen{'icon.svg'};
    return @names;
}

sub problems {
    my ($dir) = @_;
    my @wrong = grep { /^!/ } crawl($dir);

    push @wrong, '!status.json'
        if !eval { JSON::PP->new->utf8->decode(slurp("$dir/status.json")) };
    return @wrong;
}

# A process that looks at the site all the time, until it is told to stop;
# then what it saw.
my $readers;

sub reader {
    my ($dir) = @_;
    my $name = 'reader' . ++$readers;

    $t->daemon(sub {
        my ($rounds, @all) = 0;
        while (!-e $t->dir . "/$name.stop") {
            push @all, problems($dir);
            $rounds++;
            sleep 0.01;
        }
        $t->write_file($name, $rounds ? join "\n", @all : 'it saw nothing');
    });
    return $name;
}

sub stop_reader {
    my ($name) = @_;
    $t->write_file("$name.stop", '');
    wait_for(sub { -e $t->dir . "/$name" }, 20) or return "$name hangs";
    return $t->read_file($name);
}

sub is_wanted {
    my ($n) = $_[0] =~ /^c(\d+)\.html$/ or return 0;
    return $n <= $many;
}

sub temporary {
    my ($dir) = @_;
    return scalar grep { -e } "$dir/.status-export.tmp",
                              "$dir/check/.status-export.tmp";
}

# Inode and times of each file.
sub state {
    my ($dir) = @_;
    my $top = $t->dir . "/$dir";
    return map { s{^\Q$top/}{}r => join ' ', (Time::HiRes::stat $_)[1, 9, 10] }
           grep { -f } glob "$top/* $top/check/* $top/.status*";
}
