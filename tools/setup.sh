# Sourced by ./run and ./check in the root of the tree: brings what is missing, and only that. With
# everything in place it needs no network, no root and no time worth a word.

# setup_packages run|check: Debian packages of tools/packages.txt.
setup_packages() {
    local need=$1 package who why clang missing=() wanted=() sudo=()
    clang=$(clang -dumpversion 2>/dev/null) || clang=
    while read -r package who why; do
        [[ -z $package || $package == \#* || ($need == run && $who != run) ]] && continue
        case $package in
        *:*) # package:command
            command -v "${package#*:}" >/dev/null || missing+=("${package%%:*}")
            continue
            ;;
        *@CLANG@*)
            [[ -n $clang ]] || continue # known once clang is there: the second round below
            package=${package/@CLANG@/${clang%%.*}}
            ;;
        esac
        wanted+=("$package")
    done <tools/packages.txt
    local installed # dpkg-query fails when one of them is unknown to it
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
        sed -n 's/^installed //p') || true
    for package in "${wanted[@]}"; do
        grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0

    echo "Installing Debian packages that are missing (tools/packages.txt says why): ${missing[*]}"
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "Not root, and no sudo: run 'apt-get install ${missing[*]}' as root first." >&2
            return 1
        fi
        sudo=(sudo)
    fi
    "${sudo[@]}" apt-get update -q &&
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends "${missing[@]}" || return 1
    if [[ $need == check && -z $clang ]]; then
        setup_packages check
    fi
}

# npm packages, when package-lock.json is not what node_modules was made from.
setup_npm() {
    [[ -f package-lock.json ]] || return 0
    cmp -s package-lock.json node_modules/.fray-lock && return 0
    echo "Installing npm packages of package-lock.json"
    [[ -L node_modules ]] && rm node_modules # npm would empty the folder that it leads to
    # Their install scripts are not run: none is needed (esbuild's only makes its command faster).
    npm ci --no-audit --no-fund --ignore-scripts --loglevel=error &&
        cp package-lock.json node_modules/.fray-lock
}
