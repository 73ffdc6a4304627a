#!/usr/bin/env bash
#
# Builds, runs and tests ngx_status_module.  What it runs, it prints.

set -eu
umask 022

usage() {
    cat << 'END'
./build.sh [--nginx DIR] [word]

  (no word)     build/ngx_status_module.so, for the nginx that is installed
  run [URL...]  a private nginx that monitors the URLs, or itself as a demo
  stop          stops that nginx
  test [NAME..] all tests, or those whose names contain one of the words
  asan [NAME..] the same with AddressSanitizer and UBSan
  fuzz [NAME..] fuzzing, FUZZ_SECONDS (20) for each target
  bench         the benchmarks of t/bench
  install       the module into nginx's directory of modules
  clean         removes build/

  --nginx DIR   for the nginx source tree in DIR: builds that nginx, too, for
                the words that need one; NGINX_FLAGS are its configure's flags

Environment: ADDRESS (127.0.0.1) and PORT (8080, or the next one free) of
"run"; CC; BUILD, the directory to use instead of build/; NGX_STATUS_WITHOUT,
libraries to leave out: "sqlite3 openssl libpq hiredis libcares" or some of
these.
END
}

cd "$(dirname "$0")"
top=$PWD
out=${BUILD:-$top/build}
export CC=${CC:-cc}

say() { printf '%s\n' "$*"; }
die() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }
try() { printf '+ %s\n' "$*"; "$@"; }


# ------------------------------------------------------- what must be there

run_packages="gcc make pkg-config libcurl4-openssl-dev libyajl-dev
    libpcre2-dev zlib1g-dev libsqlite3-dev sqlite3 libpq-dev libhiredis-dev
    libc-ares-dev libssl-dev ca-certificates curl"
# Ubuntu's is but a snap, and that sees nothing of a test's directory
browser=chromium
! grep -qsx 'ID=ubuntu' /etc/os-release || browser=
test_packages="perl libcmocka-dev libjson-validator-perl
    libcpanel-json-xs-perl clang openssl valgrind $browser fonts-dejavu-core
    libfaketime bindfs nsd prometheus redis-server"
test_servers="libio-socket-ssl-perl exim4-daemon-light dovecot-imapd
    dovecot-pop3d vsftpd slapd mosquitto postgresql
    tinyproxy-bin microsocks"
fuzz_packages="perl clang"
bench_packages="perl openssl wrk haproxy prometheus-blackbox-exporter"

# Installs those of the packages that are missing, and removes none for them.
# Their services (nginx on port 80!) are not started: policy-rc.d says no
# while apt-get works, unless the system has one of its own.
need() {
    local p missing=() sudo=

    command -v dpkg-query > /dev/null || return 0   # the build will tell

    for p; do
        dpkg-query -W -f '${db:Status-Status}\n' "$p" 2> /dev/null \
            | grep -qx installed || missing+=("$p")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    say "Missing packages: ${missing[*]}"

    if [ "$(id -u)" != 0 ]; then
        sudo=sudo
        command -v sudo > /dev/null && { [ -t 0 ] || sudo -n true; } \
            2> /dev/null || sudo=none
    fi
    if [ "$sudo" = none ] || ! command -v apt-get > /dev/null; then
        die "cannot install them from here; as root, run:
  apt-get install --no-install-recommends ${missing[*]}"
    fi

    say "+ $sudo apt-get install --no-install-recommends ${missing[*]}"
    $sudo env DEBIAN_FRONTEND=noninteractive sh -euc '
        policy=/usr/sbin/policy-rc.d
        if [ ! -e $policy ]; then
            trap "rm -f $policy" EXIT
            trap "exit 1" HUP INT TERM
            printf "#!/bin/sh\nexit 101\n" > $policy
            chmod 755 $policy
        fi
        apt-get -q update || echo "apt-get update failed; trying without"
        apt-get -q install -y --no-remove --no-install-recommends "$@"
    ' sh "${missing[@]}" || return
    say "Installed; services among them were not started"
}

# Likewise, but without those that can not be had: a mail server would take
# the place of another.
want() {
    local p

    (need "$@") || for p; do
        (need "$p") || say "Without $p: what needs it will be skipped"
    done
}

need_to_build() {
    need $run_packages "$@" $([ -n "$tree" ] || echo nginx nginx-dev)
}


# ---------------------------------------------------------------- the module

tree=                            # --nginx
nginx=                           # the binary
so=                              # the module
asan=                            # "asan" when built with sanitizers

objs=                            # where it is compiled
src=                             # nginx's source, where configure runs
flags=()                         # of configure

# Brings the module up to date; with "binary", the nginx of a tree as well.
build() {
    choose
    mkdir -p "$objs" "${so%/*}"
    # one at a time; the lock is not for an nginx started later to inherit
    (flock 9; configure; compile "$@") 9> "$out/lock"
    say "$so is up to date"
}

choose() {
    local name cc_opt="-O2 -g -fstack-protector-strong" \
          ld_opt="-Wl,-z,relro,-z,now"

    # Ubuntu's compiler has it on, with warnings of its own
    cc_opt+=" -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"

    if [ -n "$asan" ]; then
        ld_opt="-fsanitize=address,undefined"
        cc_opt="-O1 -g -fno-omit-frame-pointer $ld_opt"
        cc_opt+=" -fno-sanitize-recover=undefined"
    fi

    if [ -n "$tree" ]; then
        [ -f "$tree/src/core/nginx.h" ] || die "no nginx source in \"$tree\""
        name=$(sed -n 's/^#define NGINX_VERSION *"\(.*\)"/nginx-\1/p' \
                   "$tree/src/core/nginx.h")
        objs=$out/$name$asan
        src=$objs.tree
        nginx=$objs/nginx
        so=$out/$name${asan:+-asan}/ngx_status_module.so
        flags=(--prefix=/usr/local/nginx --with-compat --with-threads
               --with-http_ssl_module --with-http_v2_module
               --with-http_auth_request_module ${NGINX_FLAGS:-})
    else
        nginx=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v nginx) \
            || die "no nginx is installed; see --nginx"
        src=/usr/share/nginx/src
        [ -f $src/conf_flags ] \
            || die "no $src/conf_flags (package nginx-dev); see --nginx"
        . $src/conf_flags
        flags=("${NGX_CONF_FLAGS[@]}")
        objs=$out/objs$asan
        so=$out/${asan:+asan/}ngx_status_module.so
        name=$("$nginx" -v 2>&1 | sed 's|.*/\([0-9.]*\).*|\1|')
        grep -q "\"$name\"" $src/src/core/nginx.h \
            || die "nginx is $name, but nginx-dev in $src is not"
    fi

    flags+=(--builddir="$objs" --with-cc-opt="$cc_opt" --with-ld-opt="$ld_opt"
            --add-dynamic-module="$top")
}

# Only when something that nginx's configure looks at has changed.
configure() {
    local conf=./configure stamp
    stamp="$(cat config; ls ngx_status_module/*.c ngx_status_module/*/*.c \
                 checks/*.c
             echo "${flags[@]}" "$src" "$tree" "${NGX_STATUS_WITHOUT:-}"
             "$CC" --version)"

    [ ! -f "$objs/Makefile" ] \
        || [ "$(cat "$objs/stamp" 2> /dev/null)" != "$stamp" ] || return 0

    rm -rf "$objs"
    mkdir -p "$objs"
    # nginx's configure leaves a Makefile where it runs: not in DIR
    [ -z "$tree" ] || link_tree "$src"
    [ -f "$src/configure" ] || conf=auto/configure

    say "+ cd $src && $conf ${flags[*]}"
    (cd "$src" && ASAN_OPTIONS=detect_leaks=0 $conf "${flags[@]}") \
        > "$objs/configure.log" 2>&1 \
        || { grep -A 9 error: "$objs/configure.log" \
                 || tail -n 30 "$objs/configure.log"
             die "configure failed; see $objs/configure.log"; }
    printf '%s' "$stamp" > "$objs/stamp"
}

compile() {
    # for what is compiled outside nginx: unit tests and fuzz targets
    { find "$src/src/" -name '*.h' ! -path '*/win32/*' -printf '%h\n' \
          | sort -u
      printf '%s\n' "$objs" "$top/ngx_status_module" "$top/checks"
    } | sed 's/^/-I/' > "$out/includes"
    pkg-config --cflags libcurl yajl libpcre2-8 >> "$out/includes"
    pkg-config --cflags libpq hiredis libcares >> "$out/includes" 2> /dev/null \
        || true

    assets
    (cd "$src" && try make -s -f "$objs/Makefile" -j "$(nproc)" "$@" modules)
    replace "$objs/ngx_http_status_module.so" "$so"
}

link_tree() {
    local f
    rm -rf "$1"
    mkdir -p "$1"
    for f in "$tree"/*; do
        case ${f##*/} in Makefile|objs) ;; *) ln -s "$f" "$1/" ;; esac
    done
}

# The embedded page, rewritten only when it differs.
assets() {
    sh html/embed.sh "$objs/assets.tmp"
    if cmp -s "$objs/assets.tmp" "$objs/ngx_status_assets.c"; then
        rm "$objs/assets.tmp"
    else
        mv "$objs/assets.tmp" "$objs/ngx_status_assets.c"
    fi
}

# A new file in the place of the old one: a running nginx keeps what it has
# mapped.
replace() {
    cmp -s "$1" "$2" || { cp "$1" "$2.new" && mv "$2.new" "$2"; }
}

# The nginx to run the module in: the installed one, or the tree's own.
build_to_run() {
    need_to_build "$@"
    if [ -n "$tree" ]; then build binary; else build; fi
}


# ----------------------------------------------------------------------- run

prefix=$out/run

# The number in the file may be somebody else's by now.
running() {
    local pid
    pid=$(cat "$prefix/nginx.pid" 2> /dev/null) \
        && grep -aqF "nginx: master process" "/proc/$pid/cmdline" 2> /dev/null \
        && grep -aqF "$prefix/" "/proc/$pid/cmdline"
}

stop() {
    local i
    running || return 0
    kill -QUIT "$(cat "$prefix/nginx.pid")"
    for i in {1..100}; do
        running || return 0
        sleep 0.1
    done
    die "the nginx of process $(cat "$prefix/nginx.pid") does not stop"
}

taken() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

run() {
    local port tls address=${ADDRESS:-127.0.0.1} user= demo=yes i url

    build_to_run
    mkdir -p "$prefix/temp"

    # New code needs a new master; the same code only a reload.  The history
    # goes on either way, from the store or in the zone.
    if running && ! cmp -s "$so" "$prefix/module.so"; then
        say "Stopping the nginx of an earlier build"
        stop
    fi
    replace "$so" "$prefix/module.so"

    port=${PORT:-$(running && cat "$prefix/port" || echo 8080)}
    if ! { running && [ "$port" = "$(cat "$prefix/port")" ]; }; then
        while taken "$port"; do
            [ -z "${PORT:-}" ] || die "port $PORT is taken"
            port=$((port + 1))
        done
    fi

    # Workers give up root, if they can read the files without it.
    if [ "$(id -u)" = 0 ]; then
        user="user nobody $(id -gn nobody);"
        setpriv --reuid="$(id -u nobody)" --regid="$(id -g nobody)" \
            --clear-groups test -r "$top/t/data/lighthouse/1.json" \
            || user="user root;"
    fi

    # The port of the demo's certificate is any that is free.
    tls=$(running && cat "$prefix/tls" 2> /dev/null || echo "$((port + 1))")
    if ! { running && [ -e "$prefix/tls" ]; }; then
        while taken "$tls"; do tls=$((tls + 1)); done
    fi

    for i in nginx monitor; do
        sed -e "s|%%PREFIX%%|$prefix|g; s|%%TOP%%|$top|g; s|%%USER%%|$user|g" \
            -e "s|%%ADDRESS%%|$address|g; s|%%PORT%%|$port|g" \
            -e "s|%%TLS%%|$tls|g" \
            "t/demo/$i.conf" > "$prefix/$i.conf"
    done
    if [ $# -gt 0 ]; then
        demo=
        monitor_urls "$@" > "$prefix/monitor.conf"
        sed -i '/# demo$/d; /# tls$/d' "$prefix/nginx.conf"
        rm -f "$prefix/tls"
    elif demo_certificate "$address"; then
        echo "$tls" > "$prefix/tls"
    else
        sed -i '/# tls$/d' "$prefix/nginx.conf" "$prefix/monitor.conf"
        rm -f "$prefix/tls"
    fi

    set -- "$nginx" -p "$prefix/" -e "$prefix/error.log" -c "$prefix/nginx.conf"
    try "$@" -t -q
    [ -z "$demo" ] || demo_year
    if running; then
        try "$@" -s reload
    else
        rm -f "$prefix/nginx.pid"
        try "$@"
    fi
    echo "$port" > "$prefix/port"

    url=http://$address:$port/
    for i in {1..50}; do
        if curl -fsS -o /dev/null "$url" 2> "$prefix/curl.log"; then
            say "Configuration: $prefix/monitor.conf, log: $prefix/error.log"
            say "JSON: ${url}status.json"
            say "With targets and messages: ${url}internal/"
            [ -z "$demo" ] || demo_greets "$url"
            say "Stop it with: ./build.sh stop"
            say "$url"
            return
        fi
        sleep 0.1
    done
    cat "$prefix/curl.log" >&2
    tail -n 5 "$prefix/error.log" >&2
    die "nginx does not answer at $url"
}

# The demo's heartbeat, which a reload may not know yet; what else there is.
demo_greets() {
    local i
    for i in {1..30}; do
        ! curl -fs -o /dev/null "$1ping/demo-heartbeat" || break
        sleep 0.1
    done
    [ ! -e "$prefix/state/year.db" ] \
        || say "With a year of history, made up: $1year/"
}

# A certificate of 60 days for the demo, anew when half of them are over; not
# where nginx or the system have no TLS.
demo_certificate() {
    "$nginx" -V 2>&1 | grep -q -- --with-http_ssl_module \
        && command -v openssl > /dev/null || return
    { openssl x509 -in "$prefix/demo.pem" -noout -checkend 2592000 \
        && openssl x509 -in "$prefix/demo.pem" -noout -checkip "$1" \
            | grep -q 'does match'; } > /dev/null 2>&1 \
    || openssl req -x509 -newkey rsa:2048 -nodes -days 60 -subj "/CN=$1" \
        -addext "subjectAltName=IP:$1" -keyout "$prefix/demo.key" \
        -out "$prefix/demo.pem" 2> /dev/null
}

# A past for the demo's second monitor, in the directory that nginx -t made;
# nginx without SQLite makes none.
demo_year() {
    local file=$prefix/state/year.db

    [ -d "$prefix/state" ] && [ ! -e "$file" ] \
        && command -v sqlite3 > /dev/null || return 0
    (umask 077; cat t/data/store-1.sql t/demo/year.sql \
        | sqlite3 -bail "$file.new") || return 0
    chown --reference="$prefix/state" "$file.new"
    mv "$file.new" "$file"
}

# A monitor of the URLs, each with an ID made from its host name.
monitor_urls() {
    local url host id n ids=" "

    say "status_monitor main {"
    say "    title    \"Status\";"
    say "    interval 30s;"
    for url; do
        [[ $url =~ ^[A-Za-z][A-Za-z0-9+.-]*://[^[:space:]\"\'\\{}\;$]+$ ]] \
            || die "\"$url\" is not a URL like https://www.example.org/"
        host=${url#*://}
        host=${host%%[/?#]*}
        host=${host##*@}
        id=$(printf %s "$host" | tr 'A-Z' 'a-z' | tr -c 'a-z0-9.-' '-' \
                 | sed 's/^[.-]*//; s/[.-]*$//' | cut -c 1-50)
        id=${id:-url}
        n=1
        while [[ $ids == *" $id "* ]]; do
            n=$((n + 1))
            id=${id%-"$((n - 1))"}-$n
        done
        ids+="$id "
        say "    check $id \"$url\" { title \"$host\"; }"
    done
    say "}"
}


# --------------------------------------------------------------------- tests

tests() {
    want $test_servers
    build_to_run $test_packages
    NGINX_BINARY=$nginx NGX_STATUS_SO=$so BUILD=$out try t/run "$@"
}

asan() {
    asan=-asan
    want $test_servers
    build_to_run $test_packages
    # a static nginx of the tree brings the library itself
    [ -n "$tree" ] \
        || export NGX_STATUS_PRELOAD=$("$CC" -print-file-name=libasan.so)
    NGX_STATUS_SLOW=3 NGINX_BINARY=$nginx NGX_STATUS_SO=$so BUILD=$out \
        try t/run "$@"
}

fuzz() {
    local f name n=0 version

    need_to_build $fuzz_packages
    version=$(clang -dumpversion) || die "fuzzing needs clang"
    need "libclang-rt-${version%%.*}-dev"
    build

    for f in t/fuzz/fuzz_*.c; do
        name=$(basename "$f" .c)
        name=${name#fuzz_}
        wanted "$name" "$@" || continue
        n=$((n + 1))
        mkdir -p "$out/fuzz/$name" "t/fuzz/corpus/$name"
        try clang -std=gnu99 -g -O1 -fsanitize=fuzzer,address,undefined \
            -fno-sanitize-recover=undefined $(cat "$out/includes") \
            -o "$out/fuzz/fuzz_$name" "$f" t/unit/pool.c $(sources "$f") \
            -lyajl -lpcre2-8 -lm $(libs "$f")
        try "$out/fuzz/fuzz_$name" -max_total_time="${FUZZ_SECONDS:-20}" \
            -timeout=10 -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
            -artifact_prefix="$out/fuzz/$name-" \
            "$out/fuzz/$name" "t/fuzz/corpus/$name" > "$out/fuzz/$name.log" 2>&1 \
            || { tail -n 60 "$out/fuzz/$name.log"; die "fuzzing $name failed"; }
        grep -E '^stat::(number|average)' "$out/fuzz/$name.log"
    done
    [ $n -gt 0 ] || die "no such fuzz target: $*"
    say "$n fuzz targets, nothing found"
}

sources() { perl -0ne 'print $1 if /sources:\s*([^*]*)/' "$1"; }
libs() { perl -ne 'print $1 if /libs:\s*(\S.*)/' "$1"; }

wanted() {
    local name=$1 w
    shift
    [ $# -gt 0 ] || return 0
    for w; do [[ $name == *"$w"* ]] && return; done
    return 1
}

bench() {
    build_to_run $bench_packages
    NGINX_BINARY=$nginx NGX_STATUS_SO=$so BUILD=$out try t/bench/run "$@"
}


# ------------------------------------------------------------------- install

install_module() {
    local dir
    build_to_run
    dir=$("$nginx" -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
    [ -n "$dir" ] || dir=$("$nginx" -V 2>&1 \
        | sed -n 's/.*--prefix=\([^ ]*\).*/\1/p')/modules
    try install -D -m 644 "$so" "${DESTDIR:-}$dir/ngx_status_module.so"
    say "In nginx.conf, above \"events\":  load_module" \
        "$dir/ngx_status_module.so;"
}


while [ $# -gt 0 ]; do
    case $1 in
    --nginx)   [ $# -gt 1 ] || die "--nginx needs a directory"
               tree=$(cd "$2" 2> /dev/null && pwd) || die "no directory \"$2\""
               shift 2 ;;
    --nginx=*) tree=${1#*=}; tree=$(cd "$tree" && pwd); shift ;;
    -h|--help|help) usage; exit ;;
    *) break ;;
    esac
done

word=${1:-build}
[ $# -eq 0 ] || shift

case $word in
build)   need_to_build; build ;;
run)     run "$@" ;;
stop)    stop ;;
test)    tests "$@" ;;
asan)    asan "$@" ;;
fuzz)    fuzz "$@" ;;
bench)   bench "$@" ;;
install) install_module ;;
clean)   stop; try rm -rf "$out" ;;
*)       usage >&2; exit 1 ;;
esac
