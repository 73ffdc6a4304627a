#!/usr/bin/env perl

# Copyright (C) ngx_status_module authors

# What is built: the module loads, brings in nothing that it should not, is
# clean under two compilers, and "config" knows every file.

use strict;
use warnings;

use Cwd ();
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use NgxStatus;

my $t = NgxStatus->new;
my $top = top();
my $so = $t->{so};

chdir $top or die $!;


# the module in nginx

$t->conf(<<'EOC');
server { listen 127.0.0.1:%%PORT_0%%; location / { return 204; } }
EOC

my ($ok, $out) = $t->test_conf;
ok($ok, 'nginx loads the module') or diag $out;

$t->run;
is($t->get('/')->{status}, 204, 'nginx runs with it, unused');
is($t->checker, undef, 'and has no checker then');

my $ldd = `ldd $so 2>&1`;
unlike($ldd, qr/not found/, 'libraries are there');
like($ldd, qr/\b$_\b/, $_) for qw(libcurl libyajl libpcre2-8 libz);

# nginx opens modules with RTLD_GLOBAL: other names could meet others' names
my @names = grep { !/^(?:ngx_(?:http_)?status_\w+
                       |ngx_modules|ngx_module_names|ngx_module_order
                       |_init|_fini|_edata|_end|__bss_start
                       |__(?:odr_)?(?:a|ub)san\S*)$/x }
            map { /\s([A-Za-z])\s(\S+)$/ ? $2 : () }
            split /\n/, `nm -D --defined-only $so`;
is("@names", '', 'exports only names of its own');


# config and the tree

my @files = sort glob 'ngx_status_module/*.c ngx_status_module/*/*.c '
                      . 'checks/*.c';

my %object;
$object{join '/', (split m{/})[-2, -1]}++ for @files;
is(scalar keys %object, scalar @files, 'objects have names of their own');

opendir my $d, $top or die $!;
my @stray = grep { !/^(?:\.|build$)/
                   && !/^(?:ngx_status_module|checks|html|t|config
                           |build\.sh|README\.md|LICENSE)$/x } readdir $d;
is("@stray", '', 'top level holds what it should');


# every source under both compilers, with nothing of nginx's flags that
# would hide a warning

my $work = $t->dir . '/work';
mkdir $work;
my $includes = do {
    local (@ARGV, $/) = ($ENV{BUILD} || 'build') . '/includes'; <>
};
$includes =~ s/\n/ /g;
is(system("sh html/embed.sh $work/assets.c"), 0, 'files of html/ embedded');

for my $cc (qw(gcc clang)) {
    SKIP: {
        skip "no $cc", 1 if !grep { -x "$_/$cc" } split /:/, $ENV{PATH};
        my $text = join '', map {
            `$cc -std=gnu99 -fsyntax-only -Wall -Wextra -Werror $includes $_ 2>&1`
        } @files, "$work/assets.c";
        is($text, '', "$cc has no complaint");
    }
}


# a library that is missing stops configure, by name

mkdir "$work/auto";
mkdir "$work/objs";
spit("$work/auto/feature", 'case $ngx_feature in yajl*) ngx_found=no ;; '
                           . '*) ngx_found=yes ;; esac');
spit("$work/auto/module", 'echo configured');
$out = `cd $work && NGX_OBJS=objs ngx_addon_dir=$top sh -c '. $top/config' 2>&1`;
isnt($?, 0, 'configure fails without yajl');
like($out, qr/needs yajl 2 \(libyajl-dev\);/, 'and says what to install');
unlike($out, qr/configured/, 'before anything else');


# the packaged tree, out of place and without being root

SKIP: {
    my $tree = '/usr/share/nginx/src';
    skip 'no nginx-dev', 2 if !-f "$tree/conf_flags";

    my @as = $> ? () : ('setpriv', '--reuid=' . getpwnam('nobody'),
                        '--regid=' . (getpwnam 'nobody')[3],
                        '--clear-groups');
    skip 'nobody can not read this directory', 2
        if @as && system(@as, 'test', '-r', "$top/config");

    my $objs = "$work/nobody";
    chmod 0755, $work;
    mkdir $objs;
    chown((getpwnam 'nobody')[2, 3], $objs) if @as;

    $out = join '', do {
        open my $p, '-|', @as, 'bash', '-c', <<"EOS", or die $!;
exec 2>&1; . $tree/conf_flags; cd $tree
./configure "\${NGX_CONF_FLAGS[\@]}" --builddir=$objs \\
    --add-dynamic-module=$top
EOS
        <$p>;
    };
    like($out, qr/ngx_http_status_module was configured/,
         'configured without root');
    like(`cat $objs/Makefile 2>&1`, qr/ngx_http_status_module\.so/,
         'with the module in the Makefile') or diag $out;
}

$t->finish;


sub spit {
    my ($file, $text) = @_;
    open my $f, '>', $file or die "$file: $!";
    print $f "$text\n";
    close $f;
}
