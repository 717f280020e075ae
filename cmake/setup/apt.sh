# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154  # variables come from and go to setup.sh
#
# Part of setup.sh: installs packages with apt-get, or unpacks them under build/deps with a private apt.

# Whether this is Debian, Ubuntu or a distribution like them. Sets $distribution and $codename.
is_debian() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && [ -r /etc/os-release ] || return 1
    # shellcheck disable=SC1091
    distribution=$(. /etc/os-release && echo "${ID:-} ${ID_LIKE:-}")
    # shellcheck disable=SC1091
    codename=$(. /etc/os-release && echo "${UBUNTU_CODENAME:-${VERSION_CODENAME:-}}")
    is_in debian "$distribution" || is_in ubuntu "$distribution" || return 1
    [ -n "$codename" ]
}

# as_root <command>...: runs it as root or through sudo, without questions.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 "$@"
    elif command -v sudo >/dev/null; then
        sudo env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 "$@"
    else
        return 1
    fi </dev/null >&2
}

are_lists_updated=
update_lists() {
    [ -z "$are_lists_updated" ] || return 0
    are_lists_updated=yes
    say "reading your distribution's package lists (apt-get update)"
    # Errors are ignored, because they may concern other sources; the next step shows whether the packages are available.
    as_root apt-get -q -o DPkg::Lock::Timeout=300 update || true
}

# candidate_version <package> [private_apt]: the version that apt would install, without epoch and revision, or nothing.
candidate_version() {
    ${2:-} apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }' |
        sed 's/^[0-9]*://; s/[^0-9.].*//'
}

install_options="-q -y --no-install-recommends --no-remove --no-upgrade -o DPkg::Lock::Timeout=300"

# apt_install <package>...: installs all of them, or none if that would remove a package.
# shellcheck disable=SC2086  # a list of options
apt_install() {
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then return 1; fi
    until plan=$(apt-get $install_options --simulate install "$@" 2>&1); do
        if [ -n "$are_lists_updated" ]; then
            say "apt-get cannot install $* here, or only by removing packages:"
            echo "$plan" | tail -n 12 >&2
            return 1
        fi
        update_lists
    done
    say "installing with apt-get: $(echo "$plan" | awk '$1 == "Inst" && $3 !~ /^\[/ { printf "%s ", $2 }')"
    upgraded=$(echo "$plan" | awk '$1 == "Inst" && $3 ~ /^\[/ { printf "%s ", $2 }')
    if [ -n "$upgraded" ]; then say "they need your distribution's current version of: $upgraded"; fi
    if as_root apt-get $install_options install "$@"; then return; fi
    # The lists may name older versions than the mirror still has.
    [ -z "$are_lists_updated" ] || return 1
    update_lists
    as_root apt-get $install_options install "$@"
}

# Copies the machine's apt sources for its own release, but for $suites. Mirrors, snapshots, keys and options stay as they
# are.
derive_sources() {
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

# private_apt <command> [argument]...: runs an apt command with a state, cache and sources under build/deps, so that it
# needs no root and changes nothing on the machine.
private_apt() { command=$1; shift; "$command" -c "$apt/apt.conf" "$@"; }

# set_up_private_apt [suite]: for that suite; otherwise for the machine's own release, on Debian with its backports.
set_up_private_apt() {
    [ ! -e "$apt/apt.conf" ] || return 0
    suites=${1:-$codename}
    case "${1:-}$distribution" in "debian "*) suites="$codename $codename-backports" ;; esac
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
        # Only the lists of packages are needed, not the other indexes that are configured on this machine.
        apt-config dump | sed -nE '/deb::Packages /d; s/^(Acquire::IndexTargets::deb::[^: ]+) .*/\1::DefaultEnabled "false";/p'
    } >"$apt/apt.conf"
    say "reading the package lists of $suites into build/deps"
    private_apt apt-get -q update >&2 || true
}

# unpack <folder> <package>...: unpacks the packages' files in that folder.
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
