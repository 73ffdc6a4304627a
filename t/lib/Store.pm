package Store;

# Copyright (C) ngx_status_module authors
#
# What the tests of the store share: a monitor "m" with three checks, one of
# them up, one down, one with a score that is not due again for a week; and
# looks into its file.

use strict;
use warnings;

use NgxStatus ();
use Time::HiRes qw(sleep);

use Exporter 'import';
our @EXPORT = qw(store_conf settled stored since newest results lacking lacks
                 sql locker overwrite kill_all store_checks);

my $checks = <<'CHECKS';
    group "Site & Co" {
        check ok    http://user:hidden@127.0.0.1:%%PORT_1%%/ok?token=hidden { }
        check bad   http://127.0.0.1:%%PORT_1%%/status?code=503 { fall 1; }
    }
    check seo   http://127.0.0.1:%%PORT_1%%/lighthouse {
        interval 7d;
        score      $.categories.seo.score scale=100;
        categories $.categories.*.score scale=100;
    }
CHECKS

my %state = (ok => 'up', bad => 'down', seo => 'up');


sub store_checks { $checks }

# Configures it: "http", what stands before the monitor; "store", what in it;
# "checks"; the rest is NgxStatus's.
sub store_conf {
    my ($t, %opt) = @_;
    my $state = $opt{http} // 'status_state %%TESTDIR%%/state;';
    my $store = $opt{store} // '';
    $t->conf($state . "\nstatus_monitor m {\n interval 1s; timeout 400ms;\n"
             . "$store\n" . ($opt{checks} // $checks) . "}\n" . <<'SERVER', %opt);
server {
    listen 127.0.0.1:%%PORT_0%%;
    location /s/        { status_page m; }
    location /i/        { status_page m internal; }
    location = /m.json  { status_json m; }
}
SERVER
    return $t;
}


# Of a document in $_: each check is what it should be; the store works.
sub settled {
    my $json = $_;
    return !grep { ($state{$_->{id}} // '') ne $_->{status} }
           @{ $json->{checks} };
}

sub stored {
    my $store = $_->{checker}{store};
    return $store->{state} eq 'ok' && defined $store->{last_written_at};
}


# Since when each check is in its state.
sub since { map { $_->{id} => $_->{since} } @{ $_[0]{checks} } }

# Time of a check's newest result.
sub newest {
    my ($json, $id) = @_;
    my $text = NgxStatus::check_of($json, $id)->{checked_at} // return 0;
    my ($y, $mo, $d, $h, $mi, $s)
        = $text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/ or return 0;
    require Time::Local;
    return Time::Local::timegm($s, $mi, $h, $d, $mo - 1, $y);
}

# A check's results in the file.
sub results {
    my ($path, $id) = @_;
    return 0 + sql($path, 'SELECT count(*) FROM results JOIN checks ON '
                          . "id = check_id WHERE name = \"$id\"");
}


# How often check "ok" was asked for that has no result in the file: the probe
# under way, those that a reload or a kill cut off, and what is lost.
sub lacking {
    my ($t, $path) = @_;
    my ($asked) = $t->get('/hits', port => 1)->{body} =~ m{"/ok":(\d+)};
    return $asked - results($path, 'ok');
}

# Whether it comes to no more than that.
sub lacks {
    my ($t, $path, $most) = @_;
    return NgxStatus::wait_for(sub { lacking($t, $path) <= $most });
}


# What sqlite3 prints, run as the directory's owner.
sub sql {
    my ($path, @sql) = @_;
    my $pid = open(my $out, '-|') // die "fork: $!";
    sqlite3($path, @sql) if !$pid;
    local $/;
    my $text = <$out> // '';
    close $out;
    return $text;
}

# A program that holds the file's lock until its handle is closed.
sub locker {
    my ($path, $more) = @_;
    my $pid = open(my $in, '|-') // die "fork: $!";
    sqlite3($path) if !$pid;
    syswrite $in, ($more // '') . "BEGIN EXCLUSIVE;\n";
    sleep 0.5;
    return $in;
}

sub sqlite3 {
    my ($path, @sql) = @_;
    my ($uid, $gid) = (stat $path =~ s{[^/]*$}{}r)[4, 5];
    if ($> == 0) {
        $( = $) = "$gid $gid";
        $< = $> = $uid;
    }
    exec 'sqlite3', '-cmd', '.timeout 5000', $path, @sql
        or POSIX::_exit(127);
}


# Writes bytes at an offset; without one, instead of all there is.
sub overwrite {
    my ($path, $at, $bytes) = @_;
    open my $f, defined $at ? '+<' : '>', $path or die "$path: $!";
    sysseek $f, $at, 0 if $at;
    syswrite $f, $bytes;
    close $f;
}


# The whole of nginx at once, as a power cut would.
sub kill_all {
    my ($nginx) = @_;
    my $master = $nginx->pid;
    my @pids = ($master, map { $_->[0] } $nginx->children);
    kill 'STOP', $master;
    kill 'KILL', @pids;
    waitpid $master, 0;
    NgxStatus::wait_for(sub {
        !grep { (NgxStatus::slurp("/proc/$_/stat") // 'Z') !~ /\) Z|^Z/ } @pids
    });
    delete $nginx->{pid};
    delete $nginx->{child};
    unlink $nginx->dir . '/nginx.pid';
}


1;
