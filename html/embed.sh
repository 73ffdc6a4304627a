#!/bin/sh
# usage: embed.sh OUT.c
# Writes the files of this folder as C, for the module to be one file.

set -eu

dir=$(dirname "$0")
out=$1
table=
n=0

{
    echo "/* made by html/embed.sh; do not edit */"
    echo
    echo '#include "ngx_status_monitor.h"'

    for file in "$dir"/*.html "$dir"/*.css "$dir"/*.js "$dir"/*.svg \
                "$dir"/*.json
    do
        [ -f "$file" ] || continue

        name=${file##*/}

        case $name in
            *.html) type="text/html; charset=utf-8" ;;
            *.css)  type="text/css; charset=utf-8" ;;
            *.js)   type="text/javascript; charset=utf-8" ;;
            *.svg)  type="image/svg+xml" ;;
            *)      type="application/json" ;;
        esac

        len=$(($(wc -c < "$file")))

        # 16 hex digits; two checksums where there is no md5sum
        if command -v md5sum > /dev/null; then
            hash=$(md5sum < "$file" | cut -c1-16)
        else
            hash=$(printf '%08x%08x' "$(cksum < "$file" | cut -d' ' -f1)" \
                   "$( { cat "$file"; echo; } | cksum | cut -d' ' -f1)")
        fi

        printf '\n\nstatic const u_char  ngx_status_asset_%d[] = {\n' $n
        od -An -v -tx1 "$file" \
            | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
        # an array must not be empty; the byte is not counted
        echo "0x00 };"

        table="$table
    { ngx_string(\"$name\"),
      ngx_string(\"$type\"),
      { $len, (u_char *) ngx_status_asset_$n },
      \"$hash\" },
"
        n=$((n + 1))
    done

    printf '\n\nconst ngx_status_asset_t  ngx_status_assets[] = {\n'
    printf '%s\n' "$table"
    echo "    { ngx_null_string, ngx_null_string, ngx_null_string, NULL }"
    echo "};"
} > "$out.tmp"

mv "$out.tmp" "$out"
