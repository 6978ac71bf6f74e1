#!/usr/bin/env bash
# Plays the matches of determinism.txt with the rules built by gcc and clang, at -O0 and -O3, and as
# WebAssembly in Node; each must end with the recorded hash. Prints TAP.
# Usage: determinism.sh [quick|full|record [GAME]]      (full: 10^7 ticks)
#
# The games are the folders of games/; each must have a match in the set that is played. A hash that
# changed because the rules did is recorded anew with `record GAME`, together with the game's next
# `version`; because its bots did, without. A game that has no matches yet gets some.
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=${1:-quick}
only=${2:-}
golden=tests/conformance/determinism.txt
common=$(find games -maxdepth 1 -name '*.c' ! -name '*_test.c' | sort | tr '\n' ' ')
games=()
for rules in games/*/rules.c; do games+=("$(basename "$(dirname "$rules")")"); done
if [[ $only && ! " ${games[*]} " =~ \ $only\  ]]; then
    echo "There is no game $only; there are: ${games[*]}" >&2
    exit 2
fi
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

rules_of() { find "games/$1" -name '*.c' ! -name '*_test.c' | sort; }

write_list() { # as Meson makes it of games/builtin.c.in
    echo '#include "fray/game.h"'
    printf 'extern const struct fray_game fray_%s;\n' "${games[@]}"
    echo 'extern const struct fray_game *const fray_games_builtin[];'
    echo 'const struct fray_game *const fray_games_builtin[] = {'
    printf '    &fray_%s,\n' "${games[@]}"
    echo '    NULL};'
}

build_native() { # compiler, level
    local sources=$common
    for game in "${games[@]}"; do sources+=" $(rules_of "$game")"; done
    # shellcheck disable=SC2086
    "$1" -std=c17 -D_GNU_SOURCE "$2" -ffp-contract=off -I. -Iinclude -Isrc -Igames \
        tests/conformance/simulate.c src/server/simulate.c src/game/catalog.c "$build/builtin.c" \
        $sources -o "$build/$1$2"
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

hash_of() { # as simulate
    local line
    line=$(simulate "$@")
    line=${line#*hash=}
    echo "${line%% *}"
}

record() { # the rows of one game, or of all
    local game row fresh=()
    build_native gcc -O3
    for game in "${games[@]}"; do
        grep -q "^[a-z]* $game " "$golden" ||
            fresh+=("quick $game 1 20000 1 1" "full $game 11 1000000 1 1"
                "browser $game 21 1000000 1 1")
    done
    {
        while read -r set game seed ticks bots guests old; do
            if [ "$set" != '#' ] && [[ -z $only || $game == "$only" ]]; then
                old=$(hash_of gcc-O3 "$game" "$seed" "$ticks" "$bots" "$guests")
            fi
            echo "$set $game $seed $ticks $bots $guests $old"
        done <"$golden"
        for row in "${fresh[@]}"; do
            read -r _ game seed ticks bots guests <<<"$row"
            echo "$row $(hash_of gcc-O3 "$game" "$seed" "$ticks" "$bots" "$guests")"
        done
    } >"$build/golden"
    cp "$build/golden" "$golden"
}

write_list >"$build/builtin.c"
if [ "$mode" = record ]; then
    record
    exit
fi

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
    for game in "${games[@]}"; do
        # shellcheck disable=SC2046
        tools/fray-wasm -o "$build/$game.wasm" "fray_$game" $(rules_of "$game")
    done
    builders+=(wasm)
else
    missing+=("WebAssembly (clang, lld, node)")
fi

number=0
failed=0
played=" "
while read -r set game seed ticks bots guests golden_hash; do
    [ "$set" = "$mode" ] || continue
    played+="$game "
    for builder in "${builders[@]}"; do
        number=$((number + 1))
        hash=$(hash_of "$builder" "$game" "$seed" "$ticks" "$bots" "$guests")
        name="E_determinism $builder $game, $ticks ticks, $bots bots, $guests guests"
        if [ "$hash" = "$golden_hash" ]; then
            echo "ok $number - $name"
        else
            echo "not ok $number - $name: $hash, recorded is $golden_hash"
            failed=1
        fi
    done
done <"$golden"
[ "$number" -gt 0 ] || { echo "There is no set \"$mode\" in $golden." >&2; exit 2; }
for game in "${games[@]}"; do
    [[ $played == *" $game "* ]] && continue
    number=$((number + 1))
    echo "not ok $number - E_determinism $game has no match: determinism.sh record $game"
    failed=1
done
for builder in "${missing[@]}"; do
    number=$((number + 1))
    echo "ok $number - E_determinism $builder # SKIP not installed"
done
echo "1..$number"
exit $failed
