#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sh cmake/setup.sh [tests] [clang] [benchmarks]
#
# Makes sure that what the examples need is there; with "tests", what the tests need; with "clang", that compiler too; with
# "benchmarks", the peers that they compare with, none of which is required.
# On Debian and Ubuntu it installs what the distribution has, as root or through sudo, and only what removes nothing.
# What would collide with an installed package or start a service goes under build/deps instead. The machine's apt
# sources stay as they are. Everything it says goes to stderr.
set -eu
LC_ALL=C
export LC_ALL

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
deps=$root/build/deps
apt=$deps/apt
stamp=$deps/ready
go_packages=/usr/share/gocode/src/github.com/prometheus
wanted="compiler cmake ninja openssl certificates libssl boost prometheus"
peers="go client_golang prometheus_common simdjson wrk"
optional="prometheus pkgconfig doxygen spdlog $peers"
parts="$wanted catch2 zlib pkgconfig doxygen spdlog clang $peers"
for extra in "$@"; do
    case $extra in
        tests) wanted="$wanted catch2 zlib pkgconfig doxygen spdlog" ;;
        clang) wanted="$wanted clang" ;;
        benchmarks) wanted="$wanted $peers" ;;
        *) echo "usage: setup.sh [tests] [clang] [benchmarks]" >&2; exit 2 ;;
    esac
done

is_in() { case " $2 " in *" $1 "*) ;; *) return 1 ;; esac; }
say() { printf 'set-up: %s\n' "$*" >&2; }

describe() {
    case $1 in
        compiler) echo "g++ 12 or newer" ;;
        cmake) echo "CMake 3.25 or newer (the library alone: 3.24)" ;;
        ninja) echo "Ninja" ;;
        openssl) echo "the openssl command" ;;
        certificates) echo "a bundle of CA certificates" ;;
        libssl) echo "OpenSSL 3 with its headers" ;;
        boost) echo "Boost 1.83 or newer: headers and Boost.JSON, with their CMake files" ;;
        catch2) echo "Catch2 3.4 or newer, with its CMake files" ;;
        clang) echo "clang++ 14 or newer, with its sanitizer libraries" ;;
        zlib) echo "zlib with its headers" ;;
        prometheus) echo "the prometheus server (not required: see above)" ;;
        pkgconfig) echo "pkg-config (not required: see above)" ;;
        doxygen) echo "Doxygen (not required: see above)" ;;
        spdlog) echo "spdlog with its CMake files (not required: see above)" ;;
        go) echo "Go (not required: see above)" ;;
        client_golang) echo "Prometheus' client_golang, as a distribution's package (not required: see above)" ;;
        prometheus_common) echo "Prometheus' common, as a distribution's package (not required: see above)" ;;
        simdjson) echo "simdjson with its CMake files (not required: see above)" ;;
        wrk) echo "wrk (not required: see above)" ;;
    esac
}

# The stamp has the script's checksum, then a line "<part> <path>" for each part that was found.
is_ready() {
    [ -r "$stamp" ] || return 1
    known=
    {
        read -r checksum && [ "$checksum" = "$(cksum <"$0")" ] || return 1
        while read -r part path; do
            if [ -e "$path" ]; then known="$known $part"; fi
        done
    } <"$stamp"
    for part in $wanted; do
        is_in "$part" "$known" || return 1
    done
}

# at_least 3.25.1 3.25
at_least() {
    awk -v have="$1" -v want="$2" 'BEGIN {
        split(have, h, "."); split(want, w, ".")
        for (i = 1; i <= 3; ++i) if (h[i] + 0 != w[i] + 0) exit h[i] + 0 < w[i] + 0
    }'
}

# Prints where the part is, or fails.
find_part() {
    case $1 in
        compiler) command -v g++ && at_least "$(g++ -dumpfullversion -dumpversion)" 12 ;;
        clang)
            command -v clang++ && at_least "$(clang++ -dumpversion)" 14 &&
                echo 'int main() {}' | clang++ -fsanitize=address -x c++ -o /dev/null - 2>/dev/null
            ;;
        cmake) command -v cmake && at_least "$(cmake --version | awk 'NR == 1 { print $3 }')" 3.25 ;;
        ninja) command -v ninja ;;
        openssl | doxygen | go | wrk) command -v "$1" ;;
        client_golang | prometheus_common) echo "$go_packages/${1#prometheus_}" && [ -d "$go_packages/${1#prometheus_}" ] ;;
        pkgconfig) command -v pkg-config ;;
        certificates)
            for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
                if [ -e "$bundle" ]; then echo "$bundle"; return; fi
            done
            return 1
            ;;
        prometheus)
            for program in prometheus "$deps/usr/bin/prometheus"; do
                if "$program" --version 2>&1 | grep -q '^prometheus, version'; then command -v "$program"; return; fi
            done
            return 1
            ;;
        boost | catch2 | libssl | zlib | spdlog | simdjson) grep "^$1 " "$deps/probe.txt" | cut -d ' ' -f 2- | grep . ;;
    esac 2>/dev/null
}

# Looks at everything; leaves in $missing what is wanted and not there, and in the stamp what is there.
look_around() {
    mkdir -p "$deps"
    : >"$deps/probe.txt"
    probed=
    if find_part compiler >/dev/null && find_part cmake >/dev/null && find_part ninja >/dev/null; then
        probed=yes
        rm -rf "$deps/probe"
        cmake -S "$root/cmake/probe" -B "$deps/probe" -G Ninja -DCMAKE_CXX_COMPILER=g++ \
            "-DCMAKE_PREFIX_PATH=$deps/usr" "-DREPORT=$deps/probe.txt" >"$deps/probe.log" 2>&1 ||
            say "CMake cannot configure a project here, see $deps/probe.log"
        rm -rf "$deps/probe"
    fi
    missing=
    cksum <"$0" >"$stamp.new"
    for part in $parts; do
        if path=$(find_part "$part"); then
            echo "$part $path" >>"$stamp.new"
        elif is_in "$part" "$wanted"; then
            missing="$missing $part"
        fi
    done
    mv "$stamp.new" "$stamp"
}

is_missing() { is_in "$1" "$missing"; }

is_debian() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && [ -r /etc/os-release ] || return 1
    # shellcheck disable=SC1091
    distribution=$(. /etc/os-release && echo "${ID:-} ${ID_LIKE:-}")
    # shellcheck disable=SC1091
    codename=$(. /etc/os-release && echo "${UBUNTU_CODENAME:-${VERSION_CODENAME:-}}")
    is_in debian "$distribution" || is_in ubuntu "$distribution" || return 1
    [ -n "$codename" ]
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 "$@"
    elif command -v sudo >/dev/null; then
        sudo env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 "$@"
    else
        return 1
    fi </dev/null >&2
}

updated=
update_lists() {
    [ -z "$updated" ] || return 0
    updated=yes
    say "reading your distribution's package lists (apt-get update)"
    # A foreign source that is down must not matter here; whether the packages can be had shows in the next step.
    as_root apt-get -q -o DPkg::Lock::Timeout=300 update || true
}

# offered <package> [private_apt]: the version, without epoch and revision, that apt would install, or nothing.
offered() {
    ${2:-} apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }' |
        sed 's/^[0-9]*://; s/[^0-9.].*//'
}

install_options="-q -y --no-install-recommends --no-remove --no-upgrade -o DPkg::Lock::Timeout=300"

# install <package>...: all of them, or nothing if that would remove a package.
# shellcheck disable=SC2086  # the options are words
install() {
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then return 1; fi
    until plan=$(apt-get $install_options --simulate install "$@" 2>&1); do
        if [ -n "$updated" ]; then
            say "apt-get cannot install $* here without removing something, or at all:"
            echo "$plan" | tail -n 12 >&2
            return 1
        fi
        update_lists
    done
    say "installing with apt-get: $(echo "$plan" | awk '$1 == "Inst" && $3 !~ /^\[/ { printf "%s ", $2 }')"
    renewed=$(echo "$plan" | awk '$1 == "Inst" && $3 ~ /^\[/ { printf "%s ", $2 }')
    if [ -n "$renewed" ]; then say "they need your distribution's current version of: $renewed"; fi
    if as_root apt-get $install_options install "$@"; then return; fi
    # The lists may be older than what the mirror still has.
    [ -z "$updated" ] || return 1
    update_lists
    as_root apt-get $install_options install "$@"
}

# The machine's own sources, of its own release only, with that release's backports added on Debian.
# Mirrors, snapshots, keys and options stay as they are written there.
derive_sources() {
    suites=$codename
    case $distribution in "debian "*) suites="$codename $codename-backports" ;; esac
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -r "$file" ] || continue
        for suite in $suites; do
            sed -nE "s,^[[:space:]]*deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+)[[:space:]]+($codename|stable|oldstable|testing)[[:space:]],deb \1\2 $suite ,p" "$file"
        done
    done | sort -u >"$apt/sources.d/own.list"
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -r "$file" ] || continue
        awk -v own="^($codename|stable|oldstable|testing)\$" -v suites="$suites" '
            function finish(    i, n, name, ours) {
                n = split(old_suites, name, " ")
                for (i = 1; i <= n; ++i) if (name[i] ~ own) ours = 1
                if (ours && binary && enabled) printf "%sTypes: deb\nSuites: %s\n\n", text, suites
                text = old_suites = field = ""; binary = 0; enabled = 1
            }
            BEGIN { enabled = 1 }
            /^[[:space:]]*$/ { finish(); next }
            /^#/ { next }
            {
                value = $0
                if ($0 !~ /^[[:space:]]/) { field = tolower($0); sub(/:.*/, "", field); sub(/^[^:]*:/, "", value) }
                if (field == "suites") old_suites = old_suites " " value
                else if (field == "types") { if ((" " value " ") ~ / deb /) binary = 1 }
                else { text = text $0 "\n"; if (field == "enabled" && tolower(value) ~ /no|false|off|0/) enabled = 0 }
            }
            END { finish() }' "$file"
    done >"$apt/sources.d/own.sources"
}

# Gives apt a state, a cache and sources of its own, so that it neither needs root nor touches the machine's.
private_apt() { command=$1; shift; "$command" -c "$apt/apt.conf" "$@"; }

open_private_apt() {
    [ ! -e "$apt/apt.conf" ] || return 0
    mkdir -p "$apt/sources.d" "$apt/none" "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/downloads"
    derive_sources
    {
        cat <<END
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$apt/sources.d";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$apt/none";
Dir::State::Lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "root";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
        # Of all the indexes that packages of this machine may have asked for, only the list of packages is of use.
        apt-config dump | sed -nE '/deb::Packages /d; s/^(Acquire::IndexTargets::deb::[^: ]+) .*/\1::DefaultEnabled "false";/p'
    } >"$apt/apt.conf"
    say "reading the package lists of $suites into build/deps"
    private_apt apt-get -q update >&2 || true
}

# unpack <folder> <package>...: the packages' files of that folder.
unpack() {
    folder=$1
    shift
    say "unpacking under build/deps: $*"
    rm -f "$apt"/downloads/*.deb
    (cd "$apt/downloads" && private_apt apt-get -q download "$@" >&2) || return 1
    for package in "$apt"/downloads/*.deb; do
        dpkg-deb --fsys-tarfile "$package" >"$apt/package.tar" &&
            tar -x --no-same-owner -C "$deps" -f "$apt/package.tar" "./$folder" || return 1
    done
}

get_boost() {
    if at_least "$(offered libboost-json-dev)" 1.83 && install libboost-dev libboost-json-dev; then return; fi
    open_private_apt
    for package in libboost-json-dev libboost-json1.83-dev; do
        if at_least "$(offered $package private_apt)" 1.83; then
            # Boost.JSON's CMake files ask for the libraries it is built on.
            libraries=$(private_apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
                --no-breaks --no-replaces --no-enhances $package | grep -E '^libboost[-0-9a-z.]*$' | sort -u)
            # shellcheck disable=SC2086  # a list of packages
            unpack usr $libraries
            return
        fi
    done
}

get_catch2() {
    for package in libcatch2-dev catch2; do
        if at_least "$(offered $package)" 3.4 && install $package; then return; fi
    done
    open_private_apt
    for package in libcatch2-dev catch2; do
        if at_least "$(offered $package private_apt)" 3.4; then unpack usr $package; return; fi
    done
}

# The distribution's package would start a service; its program alone is all that is needed.
get_prometheus() {
    open_private_apt
    unpack usr/bin prometheus
}

get_clang() {
    install clang || return
    find_part clang >/dev/null || install "libclang-rt-$(clang++ -dumpversion | cut -d. -f1)-dev"
}

get_pkgconfig() { install pkg-config; }
get_doxygen() { install doxygen; }
get_spdlog() { install libspdlog-dev; }
get_go() { install golang-go; }
get_client_golang() { install golang-github-prometheus-client-golang-dev; }
get_prometheus_common() { install golang-github-prometheus-common-dev; }
get_simdjson() { install libsimdjson-dev; }
get_wrk() { install wrk; }

get_missing() {
    rm -rf "$apt"
    packages=
    for part in $missing; do
        case $part in
            compiler) packages="$packages g++" ;;
            cmake | openssl) packages="$packages $part" ;;
            ninja) packages="$packages ninja-build" ;;
            certificates) packages="$packages ca-certificates" ;;
            # Without a compiler nobody has looked for the library yet.
            libssl) [ -e /usr/include/openssl/ssl.h ] || packages="$packages libssl-dev" ;;
            zlib) [ -e /usr/include/zlib.h ] || packages="$packages zlib1g-dev" ;;
        esac
    done
    if [ -n "$packages" ]; then
        # shellcheck disable=SC2086  # a list of packages
        install $packages || return 0
        look_around
    fi
    for part in clang boost catch2 prometheus pkgconfig doxygen spdlog $peers; do
        if is_missing "$part"; then "get_$part" || true; fi
    done
    rm -rf "$apt"
    look_around
}

if is_ready; then exit 0; fi
look_around
if [ -n "$missing" ] && is_debian; then
    get_missing
fi
if is_missing prometheus; then
    say "*** There is no prometheus server here, and none could be had. ***"
    say "*** The integration tests and the benchmarks that need one are SKIPPED, and the example runs against a simulated Prometheus. ***"
fi
say_without() {
    if is_missing "$1"; then say "*** There is no $2 here, and none could be had. $3 ***"; fi
}
say_without pkgconfig "pkg-config" "The test of the files for it is SKIPPED."
say_without doxygen "Doxygen" "The test of the API reference is SKIPPED."
say_without spdlog "spdlog" "The example that logs through it is NOT BUILT."
say_without go "Go" "The columns of the peers in Go stay EMPTY."
say_without client_golang "client_golang of Prometheus" "The columns of the peers that use it stay EMPTY."
say_without prometheus_common "common of Prometheus" "The columns of the peers that use it stay EMPTY."
say_without simdjson "simdjson" "Its column stays EMPTY."
say_without wrk "wrk" "Its column stays EMPTY."
for part in $missing; do
    if is_in "$part" "$optional"; then continue; fi
    say "wva_metrics needs:"
    for need in $wanted; do
        mark=found
        if is_missing "$need"; then mark=MISSING; fi
        # Only CMake knows where libraries are, and without its tools nobody could ask it.
        if [ $mark = MISSING ] && [ -z "$probed" ] && is_in "$need" "libssl boost catch2 zlib spdlog"; then mark=unknown; fi
        printf '  %-8s %s\n' $mark "$(describe "$need")" >&2
    done
    say "please install what is missing, then try again"
    exit 1
done
if [ -z "$missing" ]; then say "everything needed is there"; fi
