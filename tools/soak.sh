#!/bin/sh
# tools/soak.sh [MINUTES] [SEED]: runs the simulations (tests/sim) under AddressSanitizer, seed
# after seed, by default for 30 minutes from a seed that the clock gives. Ends with the first
# failure, whose seed it prints: FRAY_SIM_SEED=<seed> build/asan/tests/<test> replays it.
set -eu
cd "$(dirname "$0")/.."
minutes=${1:-30}
seed=${2:-$(date +%s)}
end=$(($(date +%s) + minutes * 60))
tests=$(sed -n "s/^sim_tests = files(\(.*\))/\1/p" tests/sim/meson.build |
    tr -d "'," | sed 's/\.c//g')
targets=
for test in $tests; do
    targets="$targets tests/sim_$test"
done
tools/preset.sh asan $targets >/dev/null
while [ "$(date +%s)" -lt "$end" ]; do
    for test in $tests; do
        log=build/asan/soak.$test.log
        if ! FRAY_SIM_SEED=$seed FRAY_SIM_RUNS=5 build/asan/tests/sim_"$test" >"$log" 2>&1; then
            tail -n 20 "$log"
            echo "sim_$test failed; its log is $log"
            exit 1
        fi
    done
    echo "seeds $seed to $((seed + 4)): passed"
    seed=$((seed + 5))
done
