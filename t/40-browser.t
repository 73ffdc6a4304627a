#!/usr/bin/perl

# Copyright (C) ngx_status_module authors
#
# The page in a real browser: what a reader sees and can do, with the script
# and without it.  TEST_KEEP=1 leaves pictures in the test's directory.

use strict;
use utf8;
use warnings;

use FindBin;
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib", "$FindBin::Bin/browser";
use Browser;
use NgxStatus;

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

my $t = NgxStatus->new;
my $b = Browser->new($t);

# what titles may try
my @hostile = ('<script>window.hacked=1</script>',
               '<img src=x onerror=window.hacked=2>',
               '"><svg onload=window.hacked=3>',
               '{{title}} {{{link}}} </title><b>',
               'longlonglong' x 12);
my $hostile = join '', map {
    "check hostile$_ http://127.0.0.1:%%PORT_1%%/ok { title '$hostile[$_]'; }\n"
} 0 .. $#hostile;
my $more = join '', map {
    "check more$_ http://127.0.0.1:%%PORT_1%%/ok { title 'More $_'; }\n"
} 1 .. 12;

$t->write_file('own/row.html', '<tr><th scope="row" class="own">{{title}} is '
               . "{{word}}</th></tr>\n");

# a check with a past, if there is who writes it
my $past = grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};
if ($past) {
    my $file = $t->dir . '/past/year.db';
    mkdir $t->dir . '/past';
    open my $sql, '|-', 'sqlite3', '-bail', $file or die "sqlite3: $!";
    print $sql map { NgxStatus::slurp(top() . "/t/$_") }
                qw(data/store-1.sql demo/year.sql);
    close $sql or die 'sqlite3 failed';
    chown((getpwnam 'nobody')[2, 3], $t->dir . '/past', $file) if $> == 0;
}

$t->conf(<<"HTTP");
status_state %%TESTDIR%%/past;
log_format seen '\$status \$uri';
status_monitor year {
    interval 1s; timeout 500ms;
    group Shop {
        check checkout http://127.0.0.1:%%PORT_1%%/ok { title "Checkout"; }
        check www      http://127.0.0.1:%%PORT_1%%/ok { }
    }
}

status_monitor m {
    store    off;
    title    '<script>window.hacked=4</script>';
    interval 1s;
    timeout  500ms;
    fall     1;

    group "Kinds" {
        check good  http://127.0.0.1:%%PORT_1%%/ok    { title "Good"; }
        check slow  http://127.0.0.1:%%PORT_1%%/ok    {
            title "Slow"; prefer body contains "swift";
        }
        check wall  http://127.0.0.1:%%PORT_1%%/wall  {
            title "Wall"; bot "Just a moment"; role extra;
        }
        check late  http://127.0.0.1:%%PORT_2%%/      {
            title "Late"; role extra;
        }
        check gone  http://127.0.0.1:%%PORT_1%%/gone  {
            title "Gone"; role extra;
        }
        check blind http://127.0.0.1:%%PORT_1%%/ok    {
            title "Blind"; interval 1h;
        }
    }
    group "More" {
        $more
        check flips http://127.0.0.1:%%PORT_1%%/flips { title "Flips"; }
    }
    group "Hostile & <b>co</b>" {
        team "a&b";
        $hostile
    }
    group "Scores" {
        check rated http://127.0.0.1:%%PORT_1%%/score {
            title "Rated"; score \$.score; grade \$.grade;
            categories \$.parts.*; drop warning=1 critical=5;
        }
    }
}

status_monitor still {
    store    off;
    title    "Still";
    interval 60s;
    check one http://127.0.0.1:%%PORT_1%%/ok { }
}

status_monitor own {
    store    off;
    template %%TESTDIR%%/own;
    interval 1s; timeout 500ms;
    check one http://127.0.0.1:%%PORT_1%%/ok { title "One"; }
}

server {
    listen 127.0.0.1:%%PORT_1%%;
    default_type text/html;
    location = /ok    { return 200 "fine"; }
    location = /wall  { return 403 "Just a moment..."; }
    location = /gone  { return 503 "<b>ill</b>"; }
    location = /flips {
        if (-e %%TESTDIR%%/flipped) { return 503; }
        return 200 "fine";
    }
    location = /score {
        default_type application/json;
        if (\$msec ~ "[0-4]\\.") {
            return 200 '{"score":92,"grade":"A","parts":{"seo":92,"a<b>":7}}';
        }
        return 200 '{"score":61.5,"grade":"D","parts":{"seo":61,"a<b>":9}}';
    }
}

server {
    listen 127.0.0.1:%%PORT_0%%;
    location /a/b/status/ { status_page m;
                            access_log %%TESTDIR%%/pages.log seen; }
    location /internal/   { status_page m internal; }
    location /still/      { status_page still;
                            access_log %%TESTDIR%%/still.log seen; }
    location /own/        { status_page own; }
    location /year/       { status_page year internal; }
    location = /s.json    { status_json m; }
    location = /favicon.ico { return 204; }
}
HTTP

my $silent = $t->listen_on(2);              # answers nothing
$t->run;

my $root = 'http://127.0.0.1:' . $t->port(0);
my $url = "$root/a/b/status/";
my %mark = (good => '✓ Up', slow => '▲ Degraded', wall => '◆ Bot wall',
            late => '… Timeout', gone => '✕ Down');

ok($t->wait_json('/s.json', sub {
    my %n = %{ $_->{counts} };
    return $n{up} >= 19 && $n{degraded} && $n{bot_detected} && $n{timeout}
           && $n{down};
}, 20), 'a check of each kind');


# Lines of script that the tests below ask the page to run.

my $wide = '[...document.querySelectorAll("body *")].filter(e =>'
    . '!e.closest(".scroll, .sr, svg, thead") &&'
    . 'e.getBoundingClientRect().right >'
    . 'document.documentElement.clientWidth + .5)'
    . '.map(e => e.tagName + "." + e.className).join(" ")';

# Text whose contrast is less than WCAG 2's AA, with what it is.
my $faint = <<'END';
(() => {
    const parse = (s) => {
        const n = s.match(/[\d.]+/g).map(Number);
        return { rgb: n.slice(0, 3), a: n.length > 3 ? n[3] : 1 };
    };
    const over = (top, under) => top.rgb.map((c, i) =>
        c * top.a + under[i] * (1 - top.a));
    const light = (rgb) => rgb.map((c) => (c /= 255) <= .04045 ? c / 12.92
        : ((c + .055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
    const behind = (e) => {
        if (!e) return [255, 255, 255];
        const c = parse(getComputedStyle(e).backgroundColor);
        return c.a === 1 ? c.rgb : over(c, behind(e.parentElement));
    };
    const found = [];
    let n = 0;
    for (const e of document.querySelectorAll('body *')) {
        if (e.closest('svg, .sr, [hidden]')
            || ![...e.childNodes].some((t) => t.nodeType === 3
                                              && t.data.trim()))
            continue;
        const style = getComputedStyle(e), back = behind(e);
        const color = parse(style.color), size = parseFloat(style.fontSize);
        for (let up = e; up; up = up.parentElement)
            color.a *= getComputedStyle(up).opacity;
        const a = light(over(color, back)), b = light(back);
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        const large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
        n++;
        if (ratio < (large ? 3 : 4.5))
            found.push(`${e.tagName}.${e.className} "${e.textContent.trim()
                .slice(0, 20)}" ${ratio.toFixed(2)}`);
    }
    return n > 40 ? found.join('\n') : `only ${n} texts`;
})()
END


# -------------------------------------------------------------------- looks

$b->view(1000, 800, 'light');
$b->open("$root/internal/");
$b->open("$root/internal/check/gone");
is(join("\n", $b->errors), '', 'pages load without a complaint');

my $dark;
for my $page ('', 'check/gone', 'check/rated', 'check/hostile4',
              'check/blind', $past ? '../year/check/checkout' : ())
{
    $b->open("$root/internal/$page");
    $b->eval('document.querySelectorAll("details").forEach(d => d.open = true)');

    for my $scheme (qw(light dark)) {
        for my $width (1400, 900, 500, 320) {
            $b->view($width, 800, $scheme);
            my $over = $b->eval('document.documentElement.scrollWidth'
                                . ' - document.documentElement.clientWidth');
            my $name = '/' . $page . " at $width, $scheme";
            cmp_ok($over, '<=', 0, "no scrolling aside of $name")
                or diag($b->eval($wide));
            $b->picture('look-' . $page =~ s/\W/-/r . "-$width-$scheme")
                if $ENV{TEST_KEEP};
        }
        my $back = $b->eval('getComputedStyle(document.documentElement)'
                            . '.backgroundColor');
        isnt($back, $dark, "$scheme is another scheme") if $dark;
        $dark = $scheme eq 'light' ? $back : undef;
        is($b->eval($faint), '', "contrast of /$page, $scheme");
    }
}

# groups with notes, which span all columns, and those without
$b->open($url);
for my $width (1400, 900, 780) {
    $b->view($width, 800, 'light');
    is($b->eval('new Set([...document.querySelectorAll('
                . '".rows thead th:nth-child(3)")].map(e =>'
                . 'e.getBoundingClientRect().left)).size'), 1,
       "columns stand below each other at $width");
    is($b->eval('[...document.querySelectorAll("h2:has(+ .rows)")].filter(h =>'
                . 'h.getBoundingClientRect().right > h.nextElementSibling'
                . '.querySelector("th:nth-child(3)")'
                . '.getBoundingClientRect().left).length'), 0,
       "and not below their group's title at $width");
}
$b->view(1000, 800, 'light');
is(join("\n", $b->errors), '', 'no complaint');


# -------------------------------------------------------------------- past

SKIP: {
    skip 'no sqlite3', 7 unless $past;
    $b->open("$root/year/check/www");
    is($b->eval('[...document.querySelectorAll("time")].map(t => [t.textContent,'
                . ' new Date(t.dateTime).getFullYear()]).filter(t => t[1] <'
                . ' new Date().getFullYear()).map(t => t[0].includes(t[1]))'
                . '.sort()[0]') ? 1 : 0, 1, 'what was last year says so');
    $b->open("$root/year/check/checkout");
    is($b->eval('document.querySelectorAll("rect.tip title").length'), 90,
       'days can be pointed at');
    is($b->eval('getComputedStyle(document.querySelector(".tip")).fill'),
       'rgba(0, 0, 0, 0)', 'and do not hide what is behind');
    is($b->eval('document.querySelector("details").open') ? 1 : 0, 0,
       'the table of days is folded');
    $b->eval('document.querySelector("summary").focus()');
    $b->key('Enter', 13);
    ok($b->wait('document.querySelector("details").open'),
       'the key Enter unfolds it');
    $b->eval('window.old = document.querySelector("main")');
    ok($b->wait('!window.old.isConnected', 20), 'a swap');
    is($b->eval('document.querySelector("details").open + " "'
                . '+ document.activeElement.tagName'), 'true SUMMARY',
       'leaves it so, and the focus on it');
}


# ------------------------------------------------------------------- words

$b->open($url);

my $row = sub {
    my ($id) = @_;
    return $b->eval("document.querySelector('.rows a[href=\"check/$id\"]')"
                    . '.closest("tr").cells[1].innerText.trim()');
};
for my $id (sort keys %mark) {
    is($row->($id), $mark{$id}, "$id is told by mark and word");
}
is($b->eval('document.querySelectorAll("svg[role=img]:not([aria-label])")'
            . '.length'), 0, 'drawings have words');
is($b->eval('[...document.querySelectorAll("rect.down")].every(r =>'
            . 'r.textContent.startsWith("Down, "))') ? 1 : 0, 1,
   'parts of a timeline, too');
is($b->eval('document.querySelectorAll("h1").length + " "'
            . '+ document.documentElement.lang'), '1 en', 'one h1, a language');

is($b->eval('document.querySelector("h1").textContent'), 
   '<script>window.hacked=4</script>', 'a hostile title is text');
for my $i (0 .. $#hostile) {
    is($b->eval("document.querySelector('.rows a[href=\"check/hostile$i\"]')"
                . '.textContent'), $hostile[$i], "text of hostile title $i");
}
is($b->eval('window.hacked'), undef, 'nothing of it ran');
is($b->eval('[...document.links].filter(a => !a.href.startsWith("'
            . $url . '")).length'), 0, 'all links stay below the prefix');


# ---------------------------------------------------------- links and chips

# the way that a click goes, of any link by a selector
my $follow = sub {
    my ($link) = @_;
    $b->events('Page.loadEventFired');
    $b->eval("document.querySelector(`$link`).click()");
    $b->loaded or die "no page after $link";
};

$follow->('.rows a[href="check/gone"]');
is($b->eval('location.href'), $url . 'check/gone', 'page of a check');
is($b->eval('document.querySelector("h1").textContent'), 'Gone', 'its title');
is($b->eval('document.styleSheets[0].cssRules.length > 50') ? 1 : 0, 1,
   'has its style');
$follow->('nav a:nth-of-type(2)');
is($b->eval('location.href'), $url . '?group=Kinds', 'back to its group');
is($b->eval('[...document.querySelectorAll("h2")].map(h =>'
            . 'h.firstChild.data.trim()).join()'), 'Kinds', 'which is alone');
is($b->eval('document.querySelector(".chips [aria-current]").textContent'),
   'Kinds', 'its chip is chosen');
$follow->('.chips [aria-current]');
is($b->eval('location.href'), $url, 'chosen again, it shows all');
$follow->('.chips a[href*="Hostile"]');
is($b->eval('document.querySelectorAll(".rows th a").length'),
   scalar @hostile, 'chip of a hostile group');
$follow->('.chips a[href*="team="]');
is($b->eval('[...new URLSearchParams(location.search)].join()'),
   'group,Hostile & <b>co</b>,team,a&b', 'and of a team on top');
is($b->eval('[...document.querySelectorAll(".chips [aria-current]")]'
            . '.map(a => a.textContent).join()'),
   'Hostile & <b>co</b>,team a&b', 'both are chosen');
$follow->('.chips a');
is($b->eval('location.href'), $url, 'back to all');

$b->key('Tab', 9);
$b->key('Tab', 9);
is($b->eval('getComputedStyle(document.activeElement).outlineStyle'), 'solid',
   'the key Tab shows where it is');
$b->key('Enter', 13);
ok($b->loaded, 'Enter follows');
is($b->eval('location.href'), $url . '?group=Kinds', 'the chip there');
is(join("\n", $b->errors), '', 'no complaint');


# --------------------------------------------------------- without a script

$b->call('Emulation.setScriptExecutionDisabled', value => JSON::PP::true);
$b->open($url);
is($b->eval('document.querySelectorAll(".rows th a").length'),
   6 + 12 + 1 + @hostile, 'without script all rows are there');
is($b->eval('document.querySelectorAll(".card .score").length'), 1,
   'and the score');
like($b->eval('document.querySelector("footer time").textContent'),
     qr/^\d\d:\d\d:\d\d UTC$/, 'times are UTC');
is($b->eval('document.querySelector("#offline").checkVisibility()') ? 1 : 0,
   0, 'no offline line');
is($b->eval('document.querySelector("noscript meta[http-equiv=refresh]")'
            . '?.content'), 5, 'a meta refresh');
ok($b->loaded(15), 'which does refresh it');
is(join("\n", grep { !/Blocked script/ } $b->errors), '', 'no complaint');
$b->call('Emulation.setScriptExecutionDisabled', value => JSON::PP::false);


# ------------------------------------------------------------ with a script

# the page's own clock runs ahead, so that it asks often
$b->call('Page.addScriptToEvaluateOnNewDocument', source => <<'END');
{
    const slow = window.setTimeout;
    window.setTimeout = (f, ms, ...a) => slow(f, Math.min(ms, 300), ...a);
}
END

my $asked = sub {
    my @list = map { $_->{response}{status} }
               grep { $_->{type} eq 'Fetch' }
               $b->events('Network.responseReceived');
    return @list;
};

$b->open($url);
my ($server, $utc) = @{ $b->eval('(() => { const t = document.querySelector('
    . '"footer time"); return [t.textContent, t.title]; })()') };
like($utc, qr/ UTC$/, 'UTC when pointed at');
my ($h, $m) = $utc =~ /(\d\d):(\d\d)/;
my ($lh, $lm, $pm) = $server =~ /(\d+):(\d\d):\d\d\s*([AP]M)?/;
$lh = $lh % 12 + ($pm eq 'PM' ? 12 : 0) if $pm;
is(($lh * 60 + $lm - $h * 60 - $m) % 1440, 345, 'times are the reader\'s own');

$b->eval('window.same = document.body; scrollTo(0, 500);'
         . 'document.querySelector(`.rows a[href="check/flips"]`)'
         . '.focus({preventScroll: true})');
my ($title, $icon) = @{ $b->eval('[document.title, '
    . 'document.querySelector("link[rel=icon]").href]') };
my $at = $b->eval('scrollY');
cmp_ok($at, '>', 100, 'scrolled down');

is($row->('flips'), '✓ Up', 'a check is up');
$t->write_file('flipped', '');
ok($b->wait('document.querySelector(`.rows a[href="check/flips"]`)'
            . '.closest("tr").className === "down"', 15),
   'and down, when its target is');
is($b->eval('window.same === document.body') ? 1 : 0, 1, 'without a reload');
is($b->eval('scrollY'), $at, 'the reader is where he was');
is($b->eval('document.activeElement.getAttribute("href")'), 'check/flips',
   'and so is the focus');
isnt($b->eval('document.title'), $title, 'the title tells');
like($b->eval('document.title'), qr/^✕ /, 'by its mark');
isnt($b->eval('document.querySelector("link[rel=icon]").href'), $icon,
     'so does the icon');
is($b->eval('window.hacked'), undef, 'nothing hostile ran in a swap');

# focus is the reader's even where two links are alike, and scrolling aside

is($b->eval('(() => { const all = [...document.querySelectorAll('
    . '`a[href="check/flips"]`)]; all[0].focus({preventScroll: true});'
    . ' return all.length; })()'), 2, 'a trouble is linked twice');
my $newest = $b->eval('document.querySelector("footer time").dateTime');
my $change = sub {
    return $b->wait('document.querySelector("footer time").dateTime !== "'
                    . $b->eval('document.querySelector("footer time")'
                               . '.dateTime') . '"', 10);
};
ok($change->(), 'a swap');
is($b->eval('[...document.querySelectorAll(`a[href="check/flips"]`)]'
            . '.indexOf(document.activeElement)'), 0,
   'keeps the focus on the first');

# nor is text that the reader marks taken away

$b->eval('getSelection().selectAllChildren(document.querySelector("h1"))');
$newest = $b->eval('document.querySelector("footer time").dateTime');
$asked->();
my $times = 0;
wait_for(sub { ($times += $asked->()) >= 3 }, 10);
is($b->eval('document.querySelector("footer time").dateTime'), $newest,
   'no swap while text is marked');
$b->eval('getSelection().removeAllRanges()');
ok($change->(), 'but then');

unlink $t->dir . '/flipped';
ok($b->wait('document.querySelector(`.rows a[href="check/flips"]`)'
            . '.closest("tr").className === "up"', 15), 'up again');

# a table that scrolls by itself

$b->view(320, 800, 'light');
$b->open($url . 'check/gone');
$b->eval('window.same = document.body; (() => {'
         . 'const e = [...document.querySelectorAll(".scroll")].pop();'
         . 'e.scrollLeft = 30; e.focus({preventScroll: true}); })()');
my $aside = $b->eval('[...document.querySelectorAll(".scroll")].pop()'
                     . '.scrollLeft');
cmp_ok($aside, '>', 0, 'a table scrolls aside');
ok($change->(), 'a swap');
is($b->eval('[...document.querySelectorAll(".scroll")].pop().scrollLeft'),
   $aside, 'leaves it there');
is($b->eval('document.activeElement === '
            . '[...document.querySelectorAll(".scroll")].pop()') ? 1 : 0, 1,
   'and focused');
$b->view(1000, 800, 'light');


# --------------------------------------------------------------- 304, hidden

$b->open("$root/still/");
$asked->();
my @seen;
ok(wait_for(sub {
    push @seen, $asked->();
    return grep { $_ == 304 } @seen;
}, 15), 'a page that is the same is not sent again');
is((grep { $_ != 304 && $_ != 200 } @seen), 0, 'no other answer');
like($t->read_file('still.log'), qr{^304 /still/$}m, 'as the server knows');

my $other = $b->call('Target.createTarget', url => 'about:blank');
ok($b->wait('document.hidden'), 'another tab is in front');
wait_for(sub { !$asked->() });
my ($hidden, $until) = (0, time + 2);
while (time < $until) {
    $hidden += $asked->();
    sleep 0.05;
}
is($hidden, 0, 'a hidden page does not ask');
$b->call('Target.closeTarget', targetId => $other->{targetId});
ok(wait_for(sub { $asked->() }, 10), 'shown again, it does');
is(join("\n", $b->errors), '', 'no complaint');


# ------------------------------------------------------------ own templates

$b->open("$root/own/");
ok($b->wait('document.querySelector("th.own")?.textContent === "One is Up"',
            10), 'a template of one\'s own');
is($b->eval('document.styleSheets[0].cssRules.length > 50') ? 1 : 0, 1,
   'within the built-in ones');


# ------------------------------------------------- checker and server hang

$b->open($url);
my $checker = $t->checker;
$t->signal('STOP', $checker);
ok($b->wait('document.querySelector("main > .alert")?.textContent'
            . '.includes("checker is not running")', 20),
   'a dead checker is told');
is($b->eval('[...document.querySelectorAll(".rows tbody tr:not(.note),'
            . '.card, header")].filter(e => !e.classList.contains("unknown"))'
            . '.length'), 0, 'and all is unknown');
is($b->eval('document.querySelectorAll("link[rel=icon][href^=data]").length'),
   0, 'the icon knows no more');
is($b->eval($faint), '', 'contrast');
$b->picture('dead') if $ENV{TEST_KEEP};
$t->signal('CONT', $checker);
ok($b->wait('!document.querySelector("main > .alert")', 15),
   'until it is back');

is($b->eval('document.querySelector("#offline").checkVisibility()') ? 1 : 0,
   0, 'online');
ok($t->stop, 'nginx stops');
ok($b->wait('document.querySelector("#offline").checkVisibility()', 15),
   'offline is told');
like($b->eval('document.querySelector("#offline").innerText'),
     qr/can not reach its server; last update \d+:\d\d/, 'with the time');
is($b->eval('document.querySelectorAll(".rows th a").length'),
   6 + 12 + 1 + @hostile, 'and what was known is still there');
is($b->eval($faint), '', 'contrast');
$t->run;
ok($b->wait('!document.querySelector("#offline").checkVisibility()', 20),
   'online again');

is(join("\n", grep { !/ERR_CONNECTION|Failed to fetch/ } $b->errors), '',
   'no complaint');

$b->close;
close $silent;
$t->finish;

