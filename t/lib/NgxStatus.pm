package NgxStatus;

# Copyright (C) ngx_status_module authors
#
# A private nginx with the module, for tests.
#
#   use FindBin; use lib "$FindBin::Bin/lib";
#   use Test::More; use NgxStatus;
#
#   my $t = NgxStatus->new;
#   $t->conf(<<'HTTP');                        # what stands in http { }
#   status_monitor m { check a http://127.0.0.1:%%PORT_1%%/ { interval 1s; } }
#   server { listen 127.0.0.1:%%PORT_0%%;
#            location = /s.json { status_json m; } }
#   HTTP
#   $t->daemon(sub { serve(port(1)) });        # a fake server, see there
#   $t->run;
#   ok($t->wait_check('/s.json', 'a', sub { $_->{status} eq 'up' }), 'up');
#   $t->finish;                                # stops, looks at the log
#
# %%PORT_N%% is the N-th port reserved for this test, %%TESTDIR%% its
# directory; both are filled in by conf(), write_file() and expand().
# Environment: NGINX_BINARY, NGX_STATUS_SO, TEST_KEEP=1 keeps the directory,
# NGX_STATUS_PRELOAD (library preloaded into nginx: "build.sh asan").

use strict;
use warnings;

use Cwd ();
use File::Basename ();
use File::Path ();
use File::Spec ();
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use IO::Uncompress::Gunzip ();
use JSON::PP ();
use POSIX ();
use Socket ();
use Test::More ();
use Time::HiRes qw(sleep time);

use Exporter 'import';
our @EXPORT = qw(wait_for check_of gunzip http_request top);

my $top = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../..');
my $owner = $$;
my %live;                                 # objects whose processes may live
my $guard;                                # see guard()
my $decoder = (grep { eval "require $_" } qw(Cpanel::JSON::XS JSON::PP))[0]
              ->new->utf8;

$SIG{PIPE} = 'IGNORE';
$SIG{$_} = sub { exit 1 } for qw(TERM INT HUP);    # so that END runs


# The repository's root.
sub top { $top }


# ---------------------------------------------------------------- the object

sub new {
    my ($class, %opt) = @_;

    my $binary = $ENV{NGINX_BINARY};
    ($binary) = grep { -x } map { "$_/nginx" }
        split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin'
        unless $binary;
    Test::More::plan(skip_all => 'no nginx') unless $binary;

    my $so = $ENV{NGX_STATUS_SO} || "$top/build/ngx_status_module.so";
    Test::More::plan(skip_all => "no $so; run ./build.sh") unless -e $so;

    guard() if !$guard++;

    my $dir = File::Temp::tempdir("ngx_status_${owner}_XXXXXXXX", TMPDIR => 1);
    chmod 0755, $dir;
    mkdir "$dir/sanitizer";
    chmod 01777, "$dir/sanitizer";

    my $self = bless {
        binary  => $binary,
        so      => Cwd::abs_path($so),
        dir     => $dir,
        wrap    => $opt{wrap} || [],      # command before nginx's
        allowed => [],
        ports   => [],
        locks   => [],
        daemons => [],
    }, $class;

    $live{$dir} = $self;
    return $self;
}


sub dir     { $_[0]{dir} }
sub binary  { $_[0]{binary} }
sub pid     { $_[0]{pid} }               # of the master


# The N-th port of this test.  It is ours against other tests by a UDP lock,
# and below the range that the kernel takes for outgoing connections.
sub port {
    my ($self, $n) = @_;

    while (!$self->{ports}[$n]) {
        my $port = 20000 + int rand 12000;

        my $lock = IO::Socket::INET->new(Proto => 'udp',
            LocalAddr => '127.0.0.254', LocalPort => $port) or next;
        IO::Socket::INET->new(Proto => 'tcp', Listen => 1,
            LocalAddr => '0.0.0.0', LocalPort => $port) or next;
        IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1',
            LocalPort => $port) or next;

        push @{ $self->{locks} }, $lock;
        $self->{ports}[$n] = $port;
    }

    return $self->{ports}[$n];
}


sub expand {
    my ($self, $text) = @_;
    $text =~ s/%%PORT_(\d+)%%/$self->port($1)/ge;
    $text =~ s/%%TESTDIR%%/$self->{dir}/g;
    return $text;
}


# Writes a file in the test's directory and returns its path.  The name may
# hold directories; "raw => 1" leaves %%...%% alone.
sub write_file {
    my ($self, $name, $content, %opt) = @_;
    my $path = "$self->{dir}/$name";

    File::Path::make_path(File::Basename::dirname($path), { mode => 0755 });
    open my $f, '>:raw', "$path.tmp" or die "$path.tmp: $!";
    print $f $opt{raw} ? $content : $self->expand($content);
    close $f or die "$path.tmp: $!";
    rename "$path.tmp", $path or die "$path: $!";
    return $path;
}


sub read_file {
    my ($self, $name) = @_;
    my $path = $name =~ m{^/} ? $name : "$self->{dir}/$name";
    open my $f, '<:raw', $path or return '';
    local $/;
    return scalar <$f> // '';
}


# ------------------------------------------------------------- configuration

# Writes nginx.conf.  $http is what stands in http { }; "main", "events" and
# "http" => 0 (nothing at all but main) say more.  master => 'off' and
# daemon => 'on' are for tests of just that; level is the error log's.
# Where $http has no "status_state" there is none: the default directory is
# the machine's (state => 'default' for who hides that one).
sub conf {
    my ($self, $http, %opt) = @_;
    my $level = $opt{level} || 'info';
    my $daemon = $opt{daemon} || 'off';
    my $master = $opt{master} || 'on';
    my $user = $> == 0 ? 'user nobody ' . getgrgid((getpwnam 'nobody')[3])
                         . ';' : '';
    my $module = $opt{no_module} ? '' : "load_module $self->{so};";
    my $state = $opt{no_module} || $opt{state} || ($http // '') =~ /status_state/
                ? '' : 'status_state off;';

    my $text = <<"CONF";
$module
$user
daemon $daemon;
master_process $master;
pid %%TESTDIR%%/nginx.pid;
error_log %%TESTDIR%%/error.log $level;
CONF
    $text .= ($opt{main} // '') . "\nevents {\n"
             . ($opt{events} // 'worker_connections 1024;') . "\n}\n";
    $text .= <<"CONF" if defined $http;
http {
access_log off; $state
client_body_temp_path %%TESTDIR%%/temp/body;
proxy_temp_path %%TESTDIR%%/temp/proxy;
fastcgi_temp_path %%TESTDIR%%/temp/fastcgi;
uwsgi_temp_path %%TESTDIR%%/temp/uwsgi;
scgi_temp_path %%TESTDIR%%/temp/scgi;
$http
}
CONF
    mkdir "$self->{dir}/temp";
    $self->write_file('nginx.conf', $text);
    $self->{daemonized} = $daemon eq 'on';
    return $self;
}


# Line of nginx.conf, from 1, that the pattern is on; for messages' numbers.
sub conf_line {
    my ($self, $re) = @_;
    my $n = 0;
    for (split /\n/, $self->read_file('nginx.conf')) {
        $n++;
        return $n if /$re/;
    }
    return 0;
}


sub command {
    my ($self, @args) = @_;
    return (@{ $self->{wrap} }, $self->{binary}, '-p', "$self->{dir}/",
            '-c', "$self->{dir}/nginx.conf", '-e', "$self->{dir}/error.log",
            @args);
}


# Replaces this process; the preloading must reach nginx alone.
sub exec_nginx {
    my ($self, @args) = @_;

    if (my $lib = $ENV{NGX_STATUS_PRELOAD}) {
        my $opt = "log_path=$self->{dir}/sanitizer/log:detect_leaks=0";
        $ENV{LD_PRELOAD} = $lib;
        $ENV{ASAN_OPTIONS} = "$opt:abort_on_error=1:"
                             . ($ENV{ASAN_OPTIONS} // '');
        $ENV{UBSAN_OPTIONS} = "$opt:print_stacktrace=1:halt_on_error=1:"
                              . ($ENV{UBSAN_OPTIONS} // '');
    }

    exec $self->command(@args) or POSIX::_exit(127);
}


# "nginx -t" on the conf: (worked, everything it printed).
sub test_conf {
    my ($self, @args) = @_;

    my $pid = open(my $out, '-|') // die "fork: $!";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        $self->exec_nginx('-t', @args);
    }
    local $/;
    my $text = <$out> // '';
    close $out;
    return ($? == 0, $text);
}


# ----------------------------------------------------------------- processes

# Starts nginx and returns when it has written its pid file.
sub run {
    my ($self) = @_;

    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDERR, '>>', "$self->{dir}/stderr.log";
        open STDOUT, '>&', \*STDERR;
        $self->exec_nginx;
    }

    if ($self->{daemonized}) {
        waitpid $pid, 0;
        die 'nginx did not start: ' . $self->tail if $?;
    } else {
        $self->{child} = $pid;
    }

    wait_for(sub {
        if ($self->{child} && waitpid($pid, POSIX::WNOHANG()) == $pid) {
            delete $self->{child};
            die 'nginx did not start: ' . $self->tail;
        }
        return $self->read_file('nginx.pid') =~ /^\d+\n/;
    }, 20) or die 'nginx did not start: ' . $self->tail;

    ($self->{pid}) = $self->read_file('nginx.pid') =~ /(\d+)/;

    # the pid file is written before the workers are there
    my $single = $self->read_file('nginx.conf') =~ /^master_process off/m;
    wait_for(sub { $single || $self->workers }, 20);
    return $self;
}


sub signal {
    my ($self, $signal, $pid) = @_;
    return kill $signal, $pid || $self->{pid};
}


# QUIT (or another signal) and waits for the end; kills what does not obey,
# and says so by returning false.
sub stop {
    my ($self, $signal, $seconds) = @_;
    my $pid = delete $self->{pid} or return 1;

    kill $signal || 'QUIT', $pid;
    my $gone = wait_for(sub { $self->gone($pid) }, $seconds || 20);
    if (!$gone) {
        kill 'KILL', $pid, $self->leftovers;
        wait_for(sub { $self->gone($pid) }, 5);
    }
    delete $self->{child};
    return $gone;
}


sub gone {
    my ($self, $pid) = @_;
    return waitpid($pid, POSIX::WNOHANG()) != 0
        if ($self->{child} // 0) == $pid;
    return !kill 0, $pid;
}


# Reloads; true when nginx took the new configuration, its workers are new
# and the old ones gone (unless they hold connections for longer).
sub reload {
    my ($self, $seconds) = @_;
    my %old = map { $_ => 1 } $self->workers, $self->checker // ();
    my $from = length $self->log;

    $self->signal('HUP');

    my $done = wait_for(sub {
        return 'refused'
            if substr($self->log, $from) =~ /\[emerg\]/;
        my @now = $self->workers;
        return (grep { !$old{$_} } @now) ? 'new' : '';
    }, $seconds || 20) // '';

    return 0 if $done ne 'new';
    wait_for(sub { !grep { $old{$_} } $self->workers, $self->checker // () },
             $seconds || 20);
    return 1;
}


# [pid, title] of each child of the master.
sub children {
    my ($self) = @_;
    my $master = $self->{pid} or return ();
    my @list;

    for my $stat (glob '/proc/[0-9]*/stat') {
        my $line = slurp($stat) or next;
        my ($pid, $state, $ppid) = $line =~ /^(\d+) \(.*\) (\S) (\d+)/s
            or next;
        next if $ppid != $master || $state eq 'Z';
        my $title = slurp("/proc/$pid/cmdline") // '';
        $title =~ s/[\0 ]+/ /g;
        # under valgrind it is valgrind's own
        ($title) = $self->log =~ /start (\S.* process) $pid$/m
            if @{ $self->{wrap} };
        push @list, [ $pid, $title // '' ];
    }
    return @list;
}


sub workers {
    my ($self) = @_;
    return map { $_->[0] } grep { $_->[1] =~ /worker process/ }
           $self->children;
}


# Pid of the checker; during a reload the newer of two.
sub checker {
    my ($self) = @_;
    my @pids = map { $_->[0] }
               grep { $_->[1] =~ /status checker|cache manager/ }
               $self->children;
    return (sort { start_time($b) <=> start_time($a) || $b <=> $a } @pids)[0];
}


# Processes that are in the test's directory, or have a file of it open.
# (nginx overwrites its environment and its arguments, but not its
# descriptors.)
sub leftovers {
    my ($self) = @_;
    my @pids;

    for my $proc (glob '/proc/[0-9]*') {
        my ($pid) = $proc =~ /(\d+)/;
        next if $pid == $$;
        push @pids, $pid
            if grep { (readlink($_) // '') =~ m{^\Q$self->{dir}\E(?:/|\z)} }
               "$proc/cwd", glob "$proc/fd/*";
    }
    return @pids;
}


# With those that they start meanwhile.
sub kill_leftovers {
    my ($self) = @_;
    wait_for(sub {
        my @pids = $self->leftovers or return 1;
        kill 'KILL', @pids;
        return 0;
    }, 5);
}


# A process that waits for the end of the test, and cleans up if the test
# could not: it was killed.
sub guard {
    my $pid = fork // die "fork: $!";
    return if $pid;

    setpgrp;                              # what kills the test's spares it
    %live = ();
    $SIG{$_} = 'IGNORE' for qw(TERM INT HUP);
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    open STDERR, '>&', \*STDOUT;
    chdir '/';

    sleep 0.1 while getppid == $owner;

    for (glob File::Spec->tmpdir . "/ngx_status_${owner}_*") {
        my $left = bless { dir => $_ };
        $left->kill_leftovers;
        $left->clean;
    }
    POSIX::_exit(0);
}


sub slurp {
    open my $f, '<:raw', $_[0] or return undef;
    local $/;
    return <$f>;
}


sub start_time {
    my $stat = slurp("/proc/$_[0]/stat") // return 0;
    return (split ' ', $stat =~ s/^.*\)//sr)[19];
}


# --------------------------------------------------------- servers to check

# Runs a sub in a process of its own until the test ends; returns its pid.
sub daemon {
    my ($self, $sub, @args) = @_;

    my $parent = $$;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        %live = ();
        $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP);
        $SIG{CHLD} = 'IGNORE';
        open STDOUT, '>>', "$self->{dir}/spawn.log";    # for leftovers()
        eval { $sub->(@args); 1 } or print STDERR "# daemon: $@";
        POSIX::_exit(0);
    }
    push @{ $self->{daemons} }, $pid;
    return $pid;
}


# Runs a program likewise.
sub spawn {
    my ($self, @command) = @_;

    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>>', "$self->{dir}/spawn.log";
        exec @command or POSIX::_exit(127);
    }
    push @{ $self->{daemons} }, $pid;
    return $pid;
}


# With a signal of its own for a server that has children to take along.
sub kill_daemon {
    my ($self, $pid, $signal) = @_;
    kill $signal || 'KILL', $pid;
    waitpid $pid, 0;
    $self->forget($pid);
}


# One that has ended, and was waited for.
sub forget {
    my ($self, $pid) = @_;
    @{ $self->{daemons} } = grep { $_ != $pid } @{ $self->{daemons} };
}


# A listening socket for such a sub, made before the fork, so that nobody
# has to wait for it.
sub listen_on {
    my ($self, $n, %opt) = @_;
    return IO::Socket::INET->new(Proto => 'tcp', Listen => 128,
        LocalAddr => '127.0.0.1', LocalPort => $self->port($n),
        ReuseAddr => 1, %opt) // die "listen: $!";
}


# A server on the N-th port; each connection has a process of its own, which
# calls the sub with it, and ends.
sub peer {
    my ($self, $n, $sub) = @_;
    my $listen = $self->listen_on($n);

    my $pid = $self->daemon(sub {
        while (1) {
            my $s = $listen->accept or next;
            my $child = fork // next;
            if (!$child) {
                close $listen;
                $sub->($s);
                POSIX::_exit(0);
            }
            close $s;
        }
    });
    close $listen;
    return $pid;
}


# On the N-th port nobody accepts, and there is no place to wait in.
sub deaf {
    my ($self, $n) = @_;
    push @{ $self->{deaf} }, $self->listen_on($n, Listen => 1),
        map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', Blocking => 0,
                                    PeerPort => $self->port($n)) } 1 .. 4;
}


# A server of fixed or computed answers: $answer is the bytes after the
# status line's "HTTP/1.1 ", or a sub that gets (method, uri, header text)
# and returns them.  One connection at a time, Connection: close.
sub serve {
    my ($self, $n, $answer) = @_;
    my $listen = $self->listen_on($n);

    my $pid = $self->daemon(sub {
        while (my $c = $listen->accept) {
            my $head = '';
            while ($head !~ /\r?\n\r?\n/ && sysread $c, my $buf, 4096) {
                $head .= $buf;
            }
            my ($method, $uri) = $head =~ /^(\S+) (\S+)/;
            my $text = ref $answer ? $answer->($method, $uri, $head) : $answer;
            print $c "HTTP/1.1 $text" if defined $text;
            close $c;
        }
    });
    close $listen;
    return $pid;
}


# t/lib/hostile.pl on the N-th port; it ends when its standard input does.
sub hostile {
    my ($self, $n, @args) = @_;
    my $port = $self->port($n);

    my $pid = open(my $in, '|-') // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>>', "$self->{dir}/spawn.log";
        exec $^X, "$top/t/lib/hostile.pl", $port, @args or POSIX::_exit(127);
    }
    push @{ $self->{pipes} }, $in;
    wait_port($port) or die 'hostile.pl does not listen';
    return $port;
}


sub wait_port {
    my ($port, $seconds) = @_;
    return wait_for(sub {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
    }, $seconds || 10);
}


# ------------------------------------------------------------------ requests

# request(uri, port => N-th or 0, method, headers => { }, body, timeout,
# version, raw => 'everything'): { status, reason, headers => { lower-case
# name => value, repeated ones joined by ", " }, head, body, raw }, or undef
# when nothing came.
sub request {
    my ($self, $uri, %opt) = @_;
    return http_request($self->port($opt{port} // 0), $uri, %opt);
}

sub get  { my ($self, $uri, %opt) = @_; return $self->request($uri, %opt) }

sub head {
    my ($self, $uri, %opt) = @_;
    return $self->request($uri, %opt, method => 'HEAD');
}


sub http_request {
    my ($port, $uri, %opt) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port,
                                  Timeout => 5) or return undef;

    my $method = $opt{method} // 'GET';
    my %headers = (Host => 'localhost', Connection => 'close',
                   %{ $opt{headers} // {} });
    $headers{'Content-Length'} //= length $opt{body} if defined $opt{body};

    my $text = $opt{raw} // join '',
        "$method $uri HTTP/" . ($opt{version} // '1.1') . "\r\n",
        (map { "$_: $headers{$_}\r\n" }
         grep { defined $headers{$_} } sort keys %headers),
        "\r\n", $opt{body} // '';

    syswrite $s, $text;

    my $raw = '';
    my $select = IO::Select->new($s);
    my $end = time + ($opt{timeout} // 15) * slowness();
    while ((my $left = $end - time) > 0) {
        $select->can_read($left) or next;         # a signal, or the end
        sysread($s, $raw, 65536, length $raw) or last;
    }

    return parse_response($raw);
}


sub parse_response {
    my ($raw) = @_;
    my ($head, $body) = split /\r\n\r\n/, $raw, 2;
    return undef unless defined $head
        && $head =~ m{^HTTP/\d\.\d (\d{3}) ?([^\r]*)};

    my %r = (status => $1, reason => $2, head => $head, headers => {},
             body => $body // '', raw => $raw);

    for (split /\r\n/, $head) {
        my ($name, $value) = /^([^:\s]+):\s*(.*)$/ or next;
        $name = lc $name;
        $r{headers}{$name} = defined $r{headers}{$name}
                             ? "$r{headers}{$name}, $value" : $value;
    }

    if (($r{headers}{'transfer-encoding'} // '') eq 'chunked') {
        my ($in, $out) = ($r{body}, '');
        while ($in =~ s/^([0-9a-fA-F]+)[^\r]*\r\n//) {
            my $n = hex $1 or last;
            $out .= substr $in, 0, $n, '';
            $in =~ s/^\r\n//;
        }
        $r{body} = $out;
    }

    return \%r;
}


sub gunzip {
    my ($bytes) = @_;
    IO::Uncompress::Gunzip::gunzip(\$bytes, \my $text)
        or die "gunzip: $IO::Uncompress::Gunzip::GunzipError";
    return $text;
}


# ---------------------------------------------------------------------- JSON

# Fetches and decodes, and checks the document against the schema.  undef
# when there was none.
sub json {
    my ($self, $uri, %opt) = @_;
    my $json = $self->document($uri, %opt);
    conforms($uri, $json) if $json;
    return $json;
}


# Likewise, without the schema.
sub document {
    my ($self, $uri, %opt) = @_;
    my $r = $self->request($uri, %opt) or return undef;
    return undef unless ($r->{headers}{'content-type'} // '') =~ /json/;

    my $data = eval { $decoder->decode($r->{body}) };
    if (!$data) {
        Test::More::fail("JSON of $uri");
        Test::More::diag($@ . substr $r->{body}, 0, 2000);
    }
    return $data;
}


sub conforms {
    my ($uri, $data) = @_;
    my @errors = schema_errors($data) or return;
    Test::More::fail("JSON of $uri is as html/status.schema.json says");
    Test::More::diag(join "\n", @errors[0 .. min($#errors, 9)]);
}


my ($validator, $no_validator);

sub schema_errors {
    my ($data) = @_;
    my $file = "$top/html/status.schema.json";

    return () if $no_validator || !-e $file;
    if (!$validator) {
        if (!eval { require JSON::Validator; 1 }) {
            $no_validator = 1;
            Test::More::diag('JSON::Validator is not installed: the schema '
                             . 'is not checked');
            return ();
        }
        $validator = JSON::Validator->new;
        $validator->schema(JSON::PP->new->utf8->decode(slurp($file)));
    }
    return $validator->validate($data);
}


# The check of that ID in a document.
sub check_of {
    my ($json, $id) = @_;
    return (grep { $_->{id} eq $id } @{ $json->{checks} // [] })[0];
}


# Polls a JSON location until the sub is true for the document in $_, and
# returns the document; undef if that never came.  Of all that were read the
# last one is held against the schema.
sub wait_json {
    my ($self, $uri, $sub, $seconds, %opt) = @_;
    my $last;
    my $json = wait_for(sub {
        my $json = $self->document($uri, %opt) or return undef;
        local $_ = $last = $json;
        return $sub->($json) ? $json : undef;
    }, $seconds);
    conforms($uri, $last) if $last;
    return $json;
}


# Likewise, for one check of it.
sub wait_check {
    my ($self, $uri, $id, $sub, $seconds, %opt) = @_;
    my $last;
    my $json = $self->wait_json($uri, sub {
        local $_ = $last = check_of($_, $id) or return undef;
        return $sub->($_);
    }, $seconds, %opt);
    Test::More::diag('last seen: ' . seen($last)) if !$json && $last;
    return $json ? $last : undef;
}


# Holds checks against rows of [ id, URL, directives, state, ... ], the rest
# being what the members of @$members are to be: a pattern or a value.  Where
# a row does not say, there is no error and no message, and what was seen is
# not looked at.  Each has to be right once in that time, but not all of them at once:
# a busy machine lets some be late at any time.  A test for each; returns
# the document, each check of it as it was when it was right.
sub rows_ok {
    my ($self, $uri, $rows, $members, $seconds) = @_;
    my ($json, %right);

    my $is = sub {
        my ($check, undef, undef, undef, @want) = @_;
        for my $name (qw(status result), @$members) {
            my $want = $name eq 'status' ? $want[0] : shift @want;
            $want //= { message => qr/^$/, seen => qr// }->{$name} // '';
            my $is = $check->{$name} // '';
            return 0 if ref $want ? $is !~ $want : $is ne $want;
        }
        return 1;
    };

    $self->wait_json($uri, sub {
        $json = $_;
        for my $row (@$rows) {
            my $check = check_of($json, $row->[0]) or next;
            $right{ $row->[0] } //= $check if $is->($check, @$row);
        }
        return @$rows == keys %right;
    }, $seconds || 60);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for (@$rows) {
        my ($id, undef, undef, $state) = @$_;
        Test::More::ok($right{$id}, "$id: $state")
            or Test::More::diag('it is ' . seen(check_of($json, $id) // {}));
    }

    $_ = $right{ $_->{id} } // $_ for @{ $json->{checks} };
    return $json;
}


# What a check is, in a line.
sub seen {
    my ($check) = @_;
    return JSON::PP->new->canonical->allow_blessed->encode({
        map { defined $check->{$_} ? ($_ => $check->{$_}) : () }
        qw(id status result message error_class http_status score seen
           latency_ms phases_ms) });
}


# Calls the sub until it returns something true, which is returned, or the
# time is over: 30 s at least, for a busy machine, but less than a second for
# what may as well not be; then undef, and that is said, with the line of the
# test.  Never a fixed sleep in a test.
sub wait_for {
    my ($sub, $seconds) = @_;
    my $short = ($seconds // 1) < 1;     # as well as not
    $seconds = max(30, $seconds // 0) * slowness() if !$short;
    my $end = time + $seconds;
    while (1) {
        my $value = $sub->();
        return $value if $value;
        last if time >= $end;
        sleep $short ? 0.01 : 0.05 * slowness();
    }

    return undef if $short;
    my $level = 0;
    $level++ while ((caller $level)[1] // '') =~ /\.pm\z/;
    my (undef, $file, $line) = caller $level;
    Test::More::diag("waited $seconds s in vain at "
                     . ($file ? "$file line $line" : 'the end'));
    return undef;
}


# Sanitizers and valgrind take their time.
sub slowness { $ENV{NGX_STATUS_SLOW} || ($ENV{NGX_STATUS_PRELOAD} ? 3 : 1) }

sub min { $_[0] < $_[1] ? $_[0] : $_[1] }
sub max { $_[0] > $_[1] ? $_[0] : $_[1] }


# ------------------------------------------------------------------- the end

sub log  { $_[0]->read_file('error.log') }
sub tail {
    my ($self) = @_;
    my @lines = split /^/, $self->read_file('stderr.log') . $self->log;
    splice @lines, 0, -30 if @lines > 30;
    return join '', @lines;
}


# Lines of alert and above that are meant to be there.
sub allow {
    my ($self, @patterns) = @_;
    push @{ $self->{allowed} }, @patterns;
    return $self;
}


# The last tests: nginx ends when told, nothing bad is in its log, nothing
# is left running.  Plan: done_testing.
sub finish {
    my ($self) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $stopped = $self->stop;
    Test::More::ok($stopped, 'nginx stopped');

    my @bad = grep { my $line = $_;
                     !grep { $line =~ $_ } @{ $self->{allowed} } }
              grep { /\[(?:alert|emerg|crit)\]/ } split /^/, $self->log;
    Test::More::is(join('', @bad), '', 'no alerts in the log');

    my $reports = join '', map { slurp($_) // '' }
                  glob "$self->{dir}/sanitizer/*";
    $reports .= join '', grep { /Sanitizer|runtime error:/ } split /^/,
                $self->log . $self->read_file('stderr.log');
    Test::More::is($reports, '', 'no sanitizer reports');

    $self->stop_daemons;
    wait_for(sub { !$self->leftovers }, 5);
    Test::More::is(join("\n", map { s/\0/ /gr } map { "$_ "
        . (slurp("/proc/$_/cmdline") // '') } $self->leftovers), '',
        'nothing left running');
    $self->kill_leftovers;

    if (!Test::More->builder->is_passing) {
        Test::More::diag("end of the log:\n" . $self->tail);
    }

    $self->clean;
    Test::More::done_testing() if !keys %live;
}


sub stop_daemons {
    my ($self) = @_;
    kill 'KILL', @{ $self->{daemons} };
    waitpid $_, 0 for @{ $self->{daemons} };
    $self->{daemons} = [];
    for my $in (@{ $self->{pipes} // [] }) {
        close $in;
    }
    $self->{pipes} = [];
}


sub clean {
    my ($self) = @_;
    delete $live{ $self->{dir} };
    if ($ENV{TEST_KEEP}) {
        Test::More::diag("kept $self->{dir}");
        return;
    }
    my @mounts = (slurp('/proc/mounts') // '') =~ m{^\S+ (\Q$self->{dir}\E/\S+)}mg;
    system 'umount', '-l', s/\\040/ /gr for reverse @mounts;
    File::Path::remove_tree($self->{dir});
}


# A test that dies leaves nothing behind either.
END {
    if ($$ == $owner) {
        local $?;
        for my $self (values %live) {
            Test::More::diag("end of the log:\n" . $self->tail)
                if $self->{pid} || $self->{child};
            my @pids = grep { $_ } $self->{pid}, $self->{child};
            kill 'TERM', @pids;
            wait_for(sub { !grep { !$self->gone($_) } @pids }, 5);
            $self->stop_daemons;
            $self->kill_leftovers;
            $self->clean;
        }
    }
}


1;
