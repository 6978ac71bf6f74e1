#!/usr/bin/env bash
# tools/new_game.sh NAME [--ticked]: begins a game in games/NAME, as a copy of tic-tac-toe, or, in
# real time, of examples/own_game's tag; it builds, is served, and passes the contract test.
# Games outside of this tree: docs/writing-a-game.md.
set -euo pipefail
cd "$(dirname "$0")/.."
name=${1:-} kind=${2:-}
if [[ ! $name =~ ^[a-z][a-z0-9_]*$ || ( $kind && $kind != --ticked ) ]]; then
    echo "usage: tools/new_game.sh NAME [--ticked], NAME being of small letters, digits and _" >&2
    exit 2
fi
[[ ! -e games/$name ]] || { echo "There is a games/$name already." >&2; exit 1; }
upper=${name^^} title=${name^}

mkdir "games/$name"
if [[ $kind ]]; then
    cp examples/own_game/{rules.c,tag.h} "games/$name"
    mv "games/$name/tag.h" "games/$name/$name.h"
    printf "game_sources = files('rules.c')\ngame_tests = []\n" >"games/$name/meson.build"
    printf '# %s\n\nBegun as a copy of tag: one is "it", whom it touches is it.\n' "$title" \
        >"games/$name/README.md"
    sed -i -e "s/\"tag\.h\"/\"$name\/$name.h\"/; s/<fray\/game\.h>/\"fray\/game.h\"/" \
        -e "s/&tag\b/\&fray_$name/g; s/\(fray_game\) tag\b/\1 fray_$name/" \
        -e "s/TAG_H\b/FRAY_GAMES_${upper}_H/; s/\btag_/${name}_/g; s/\bTAG_/${upper}_/g" \
        -e "s/\btag\b/$name/g; s/\bTag\b/$title/g" "games/$name"/*.[ch]
else
    cp games/tictactoe/* "games/$name"
    mv "games/$name/tictactoe.h" "games/$name/$name.h"
    sed -i "s/tictactoe/$name/g; s/TICTACTOE/$upper/g; s/Tic-tac-toe/$title/g" "games/$name"/*
fi
! command -v clang-format-14 >/dev/null || clang-format-14 -i "games/$name"/*.[ch]
sed -i "s/^games = \[\(.*\)\]/games = [\1, '$name']/" games/meson.build

cat <<END
games/$name is there, and in the list of games/meson.build. Now
    ./run                                             and play: http://localhost:8080/games/$name/
    meson test -C build/release games_contract_test   what every game must keep to
    tests/conformance/determinism.sh record $name     once the rules are as they should be
END
