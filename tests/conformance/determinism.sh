#!/usr/bin/env bash
# Plays the matches of determinism.txt with the rules built by gcc and clang, at -O0 and -O3, and as
# WebAssembly in Node; each must end with the recorded hash. Prints TAP.
# Usage: determinism.sh [quick|full|record]      (full: 10^7 ticks)
#
# A hash that changed because the rules did is recorded anew with `record`, together with the
# game's next `version`.
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=${1:-quick}
golden=tests/conformance/determinism.txt
games="tictactoe rps arena duel"
common=$(find games -maxdepth 1 -name '*.c' ! -name '*_test.c' | sort | tr '\n' ' ')
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

rules_of() { find "games/$1" -name '*.c' ! -name '*_test.c' | sort; }

build_native() { # compiler, level
    local sources=$common
    for game in $games; do sources+=" $(rules_of "$game")"; done
    # shellcheck disable=SC2086
    "$1" -std=c17 -D_GNU_SOURCE "$2" -ffp-contract=off -I. -Iinclude -Isrc -Igames \
        tests/conformance/simulate.c src/server/simulate.c src/game/catalog.c $sources \
        -o "$build/$1$2"
}

build_wasm() { # game
    # shellcheck disable=SC2046,SC2086
    clang --target=wasm32 -std=c17 -O3 -ffreestanding -nostdlib -mbulk-memory -ffp-contract=off \
        -Iinclude -Igames "-DFRAY_WASM_GAME=fray_$1" -Wl,--no-entry -Wl,--strip-all \
        web/sdk/wasm/module.c $common $(rules_of "$1") -o "$build/$1.wasm"
}

simulate() { # builder, game, seed, ticks, bots, guests
    local builder=$1 game=$2
    local arguments=(--seed "$3" --ticks "$4" --bots "$5" --guests "$6")
    if [ "$builder" = wasm ]; then
        node web/sdk/bin/simulate.mjs "$game" --module "$build/$game.wasm" "${arguments[@]}"
    else
        "$build/$builder" "$game" "${arguments[@]}"
    fi
}

builders=()
missing=()
for compiler in gcc clang; do
    if ! command -v "$compiler" >/dev/null; then
        missing+=("$compiler")
        continue
    fi
    for level in -O0 -O3; do
        build_native "$compiler" "$level"
        builders+=("$compiler$level")
    done
done
if command -v clang >/dev/null && command -v wasm-ld >/dev/null && command -v node >/dev/null; then
    for game in $games; do build_wasm "$game"; done
    builders+=(wasm)
else
    missing+=("WebAssembly (clang, lld, node)")
fi

if [ "$mode" = record ]; then
    while read -r set game seed ticks bots guests old; do
        if [ "$set" = '#' ]; then
            echo "$set $game $seed $ticks $bots $guests $old"
            continue
        fi
        line=$(simulate "${builders[0]}" "$game" "$seed" "$ticks" "$bots" "$guests")
        hash=${line#*hash=}
        echo "$set $game $seed $ticks $bots $guests ${hash%% *}"
    done <"$golden" >"$build/golden"
    cp "$build/golden" "$golden"
    exit
fi

number=0
compared=0
failed=0
while read -r set game seed ticks bots guests golden_hash; do
    [ "$set" = "$mode" ] || continue
    for builder in "${builders[@]}"; do
        number=$((number + 1))
        compared=$((compared + 1))
        line=$(simulate "$builder" "$game" "$seed" "$ticks" "$bots" "$guests")
        hash=${line#*hash=}
        hash=${hash%% *}
        name="E_determinism $builder $game, $ticks ticks, $bots bots, $guests guests"
        if [ "$hash" = "$golden_hash" ]; then
            echo "ok $number - $name # $line"
        else
            echo "not ok $number - $name: $hash, recorded is $golden_hash"
            failed=1
        fi
    done
done <"$golden"
for builder in "${missing[@]}"; do
    number=$((number + 1))
    echo "ok $number - E_determinism $builder # SKIP not installed"
done
echo "1..$number"
[ "$compared" -gt 0 ] || { echo "There is no set \"$mode\" in $golden." >&2; exit 2; }
exit $failed
