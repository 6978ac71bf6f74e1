#!/bin/sh
# tools/fuzz.sh [TARGET] [SECONDS]: fuzzes one target ("http") or each in turn, 60 s by default.
# What it learns stays in build/fuzz-corpus/; a crash leaves its input there. Copy inputs that mean
# something new, small and with a telling name, to tests/fuzz/corpus/TARGET/.
set -eu
cd "$(dirname "$0")/.."
only=${1:-}
seconds=${2:-60}
case $only in
'' | *[!0-9]*) ;;
*) seconds=$only only= ;; # tools/fuzz.sh 600
esac
if [ -n "$only" ] && [ ! -f "tests/fuzz/${only}_fuzz.c" ]; then
    targets=$(cd tests/fuzz && echo *_fuzz.c | sed 's/_fuzz\.c//g')
    echo "no target $only; there are: $targets" >&2
    exit 2
fi

tools/preset.sh asan >/dev/null
for source in tests/fuzz/${only:-*}_fuzz.c; do
    name=$(basename "$source" _fuzz.c)
    found=build/fuzz-corpus/$name
    mkdir -p "$found"
    echo "--- $name, $seconds s"
    "build/asan/tests/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=20 \
        -artifact_prefix="$found/" -verbosity=0 -print_final_stats=1 \
        "$found" "tests/fuzz/corpus/$name"
done
