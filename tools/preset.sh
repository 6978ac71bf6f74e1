#!/bin/sh
# tools/preset.sh NAME [TARGET…]: configures build/NAME from tools/presets/NAME.ini when needed, and
# builds TARGETs (by default all).
set -eu
cd "$(dirname "$0")/.."
name=${1:-}
preset=tools/presets/$name.ini
if [ ! -f "$preset" ]; then
    presets=$(cd tools/presets && echo *.ini | sed 's/\.ini//g')
    echo "usage: tools/preset.sh NAME [TARGET...], NAME being one of: $presets" >&2
    exit 2
fi
shift
build=build/$name

# Meson finds compilers and cmocka once, and looks at default options once: configure anew when
# these or the preset change.
compiler=$(sed -n "s/^c = '\(.*\)'/\1/p" "$preset")
state=$(
    cat "$preset"
    sed -n '/default_options/,/)/p' meson.build
    "${compiler:-cc}" --version
    pkg-config --modversion cmocka 2>/dev/null || echo 'no cmocka'
)
if [ ! -f "$build/build.ninja" ] || [ "$(cat "$build/preset.state" 2>/dev/null)" != "$state" ]; then
    rm -rf "$build"
    meson setup "$build" --native-file "$preset"
    printf '%s\n' "$state" >"$build/preset.state"
fi
exec ninja -C "$build" "$@"
