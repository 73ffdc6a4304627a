package Browser;

# Copyright (C) ngx_status_module authors
#
# A headless Chromium, driven over its DevTools pipe: JSON messages that end
# in a zero byte, written to its descriptor 3 and read from its 4.
#
#   my $b = Browser->new($t);                 # $t: NgxStatus; or skips all
#   $b->open("http://127.0.0.1:$port/");      # returns when it is loaded
#   is($b->eval('document.title'), 'Acme');
#   ok($b->wait('document.querySelector("h1")'));
#   is(join("\n", $b->errors), '');           # console, exceptions, CSP
#   $b->close;
#
# One tab; what happens in it is kept until it is asked for.  Its profile is
# in the test's directory, and it resolves no name.  CHROMIUM in the
# environment names another program than the first in PATH.

use strict;
use warnings;

use Carp qw(croak);
use IO::Select;
use JSON::PP ();
use MIME::Base64 ();
use POSIX ();
use Test::More ();
use Time::HiRes qw(time);

use NgxStatus;

my $json = JSON::PP->new->utf8->allow_nonref;


# Not a snap, like Ubuntu's: that sees nothing of a test's directory.
sub program {
    return $ENV{CHROMIUM} if $ENV{CHROMIUM};
    my ($program) = grep { -x && !snap($_) } map { my $name = $_;
        map { "$_/$name" } split /:/, $ENV{PATH} }
        qw(chromium chromium-browser google-chrome);
    return $program;
}


sub snap {
    return 1 if (readlink $_[0] // '') =~ m{/snap$};
    open my $f, '<:raw', $_[0] or return 0;
    read $f, my $head, 512;
    return $head =~ m{^#!.*/snap/}s;
}


sub new {
    my ($class, $t) = @_;
    my $program = program();
    Test::More::plan(skip_all => 'no chromium') unless $program;

    pipe my $in, my $to or die "pipe: $!";
    pipe my $from, my $out or die "pipe: $!";

    my $pid = fork // die "fork: $!";
    if (!$pid) {
        # neither may be in the other's place
        my $r = POSIX::dup(fileno $in);
        $r = POSIX::dup($r) while $r < 5;
        my $w = POSIX::dup(fileno $out);
        $w = POSIX::dup($w) while $w < 5;
        POSIX::dup2($r, 3);
        POSIX::dup2($w, 4);
        POSIX::close($_) for 5 .. 63;

        open STDIN, '<', '/dev/null';
        open STDERR, '>', $t->dir . '/chromium.log';
        $ENV{TMPDIR} = $t->dir;
        open STDOUT, '>&', \*STDERR;
        $ENV{HOME} = $t->dir;
        $ENV{TZ} = 'Asia/Kathmandu';          # nobody's servers are there
        exec $program, '--headless=new', '--remote-debugging-pipe',
            '--user-data-dir=' . $t->dir . '/chromium',
            '--no-sandbox', '--disable-gpu',
            '--disable-dev-shm-usage', '--no-first-run',
            '--disable-background-networking', '--disable-component-update',
            '--disable-sync', '--disable-extensions', '--mute-audio',
            '--hide-scrollbars',
            '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
            'about:blank'
            or POSIX::_exit(127);
    }

    CORE::close $in;
    CORE::close $out;

    my $self = bless {
        t => $t, pid => $pid, owner => $$, to => $to, from => $from,
        select => IO::Select->new($from), buf => '', id => 0, events => [],
    }, $class;

    my $pages = wait_for(sub {
        my @list = grep { $_->{type} eq 'page' }
                   @{ $self->call('Target.getTargets')->{targetInfos} };
        return @list ? \@list : undef;
    }, 20) or die 'chromium opened no page';

    $self->{session} = $self->call('Target.attachToTarget',
        targetId => $pages->[0]{targetId}, flatten => JSON::PP::true
    )->{sessionId};
    $self->call("$_.enable") for qw(Page Runtime Network Log Audits);

    return $self;
}


# Sends a command and returns its result; dies of what it did not like.
sub call {
    my ($self, $method, %params) = @_;
    my $id = ++$self->{id};

    print { $self->{to} } $json->encode({
        id => $id, method => $method, params => \%params,
        $self->{session} && $method !~ /^(?:Target|Browser)\./
            ? (sessionId => $self->{session}) : () }) . "\0";
    $self->{to}->flush;

    my $end = time + 30 * NgxStatus::slowness();
    while (my $message = $self->message($end - time)) {
        if (($message->{id} // 0) != $id) {
            push @{ $self->{events} }, $message if $message->{method};
            next;
        }
        croak "$method: $message->{error}{message}" if $message->{error};
        return $message->{result};
    }
    croak "$method: no answer";
}


sub message {
    my ($self, $seconds) = @_;
    my ($length, $end) = (-1, time + $seconds);

    while (($length = index $self->{buf}, "\0") < 0) {
        my $left = $end - time;
        $self->{select}->can_read($left > 0 ? $left : 0) or return undef;
        sysread($self->{from}, $self->{buf}, 1 << 20, length $self->{buf})
            or croak 'chromium ended: '
                     . $self->{t}->read_file('chromium.log');
    }
    my $text = substr $self->{buf}, 0, $length + 1, '';
    chop $text;
    return $json->decode($text);
}


# Takes out the events of that name that came by now.
sub events {
    my ($self, $name) = @_;

    while (my $message = $self->message(0)) {
        push @{ $self->{events} }, $message if $message->{method};
    }
    my @found = map { $_->{params} }
                grep { $_->{method} eq $name } @{ $self->{events} };
    @{ $self->{events} } = grep { $_->{method} ne $name }
                           @{ $self->{events} };
    return @found;
}


sub open {
    my ($self, $url) = @_;
    $self->events('Page.loadEventFired');

    my $r = $self->call('Page.navigate', url => $url);
    croak "$url: $r->{errorText}" if $r->{errorText};
    $self->loaded or croak "$url is not loaded";
    return $self;
}


# Waits for the end of a load that began since the last one.
sub loaded {
    my ($self, $seconds) = @_;
    return wait_for(sub { scalar $self->events('Page.loadEventFired') },
                    $seconds || 20);
}


# Value of an expression, of its promise if it is one.
sub eval {
    my ($self, $script) = @_;
    my $r = $self->call('Runtime.evaluate', expression => $script,
                        returnByValue => JSON::PP::true,
                        awaitPromise => JSON::PP::true);
    if (my $e = $r->{exceptionDetails}) {
        croak $e->{exception}{description} // $e->{text};
    }
    return $r->{result}{value};
}


sub wait {
    my ($self, $script, $seconds) = @_;
    return wait_for(sub { $self->eval($script) }, $seconds);
}


# What went wrong in the tab since the last call, one line each.
sub errors {
    my ($self) = @_;
    my @lines;

    for ($self->events('Runtime.exceptionThrown')) {
        my $e = $_->{exceptionDetails};
        push @lines, 'exception: '
                     . ($e->{exception}{description} // $e->{text});
    }
    for (grep { $_->{type} =~ /error|warning|assert/ }
         $self->events('Runtime.consoleAPICalled'))
    {
        push @lines, "console: " . $json->encode($_->{args});
    }
    for (grep { $_->{level} =~ /error|warning/ }
         map { $_->{entry} } $self->events('Log.entryAdded'))
    {
        push @lines, "$_->{source}: $_->{text} " . ($_->{url} // '');
    }
    for (map { $_->{issue} } $self->events('Audits.issueAdded')) {
        push @lines, "issue: " . $json->encode($_)
            if $_->{code} =~ /ContentSecurityPolicy|Mixed|Quirks|Cors/;
    }
    return @lines;
}


# Width and height in CSS pixels; of the scheme "light" or "dark".
sub view {
    my ($self, $width, $height, $scheme) = @_;

    $self->call('Emulation.setDeviceMetricsOverride', width => $width + 0,
                height => $height + 0, deviceScaleFactor => 1,
                mobile => JSON::PP::false);
    $self->call('Emulation.setEmulatedMedia', features => [
        { name => 'prefers-color-scheme', value => $scheme },
        { name => 'prefers-reduced-motion', value => 'reduce' } ]);
    return $self;
}


# A picture of the whole page in the test's directory; its path.
sub picture {
    my ($self, $name) = @_;
    my $r = $self->call('Page.captureScreenshot', format => 'png',
                        captureBeyondViewport => JSON::PP::true);
    return $self->{t}->write_file("$name.png",
        MIME::Base64::decode_base64($r->{data}), raw => 1);
}


# A press of a key: Tab, Enter.
sub key {
    my ($self, $key, $code) = @_;
    $self->call('Input.dispatchKeyEvent', type => $_, key => $key,
                code => $key, windowsVirtualKeyCode => $code,
                $_ eq 'keyDown' && $key eq 'Enter' ? (text => "\r") : ())
        for qw(keyDown keyUp);
}


# Chromium ends when its pipe does, if not before.
sub close {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    return if $self->{owner} != $$;

    local ($@, $!, $?);
    CORE::eval { print { $self->{to} }
                 $json->encode({ id => 0, method => 'Browser.close' })
                 . "\0"; };
    CORE::close $self->{to};
    my $gone = wait_for(sub { waitpid($pid, POSIX::WNOHANG()) != 0 }, 10);
    if (!$gone) {
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }
}

sub DESTROY { $_[0]->close }


1;
