# Shared by the commands of ./neo: messages, packages, configure and build. Sourced, never run.
# Progress goes to the terminal only; in a pipe a step is silent unless it fails.
set -euo pipefail
: "${NEO_ROOT:?run this through ./neo}"
cd "$NEO_ROOT"

JOBS=${NEO_JOBS:-$(nproc)}
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3
on_tty() { [ -t 2 ]; }

say() { printf '%s\n' "$*" >&2; }
note() { if on_tty; then printf '\033[1m%s\033[0m\n' "$*" >&2; fi; }

# die MESSAGE [WAY-OUT]: what failed, and what to do about it.
die() {
  printf 'neo: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf '     %s\n' "$2" >&2
  exit 1
}

# packages_of GROUP...: the names listed under these groups in packages.txt.
packages_of() {
  awk -v want=" $* " '
    { sub(/[ \t]*#.*/, "") }
    /^\[.*\]$/ { group = substr($0, 2, length($0) - 2); next }
    NF && index(want, " " group " ") { print $1 }' packages.txt | sort -u
}

# missing_of GROUP...: those that dpkg does not have installed.
missing_of() {
  local have name
  have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null | awk '$2 == "installed" { print $1 }' | sort -u)
  for name in $(packages_of "$@"); do
    grep -qxF "$name" <<<"$have" || printf '%s\n' "$name"
  done
}

# need GROUP...: installs what is missing; silent and quick when nothing is.
need() {
  command -v dpkg-query >/dev/null 2>&1 || {
    say "neo: no dpkg here; expecting the packages of packages.txt [$*] by other means"
    return 0
  }
  local missing sudo=
  missing=$(missing_of "$@")
  [ -n "$missing" ] || return 0
  missing=$(tr '\n' ' ' <<<"$missing")
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 ||
      die "these packages are missing: $missing" "As root: apt-get install --no-install-recommends $missing"
    sudo=sudo
  fi
  say "neo: installing $missing"
  local log
  log=$(mktemp)
  # One update, then one install; both wait for another apt that holds the lock.
  if ! $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 ||
    ! $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
      --no-install-recommends install $missing >>"$log" 2>&1; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    die "could not install: $missing" "Repair apt (apt-get update), then: apt-get install --no-install-recommends $missing"
  fi
  rm -f "$log"
}

# quietly WHAT WAY-OUT COMMAND...: runs it; live on a terminal, in a pipe its output is shown only if it fails.
quietly() {
  local what=$1 out=$2 log status=0
  shift 2
  if on_tty; then
    note "$what"
    "$@" || die "$what failed" "$out"
    return 0
  fi
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" != 0 ]; then
    tail -n 60 "$log" >&2
    rm -f "$log"
    die "$what failed (exit $status)" "$out"
  fi
  rm -f "$log"
}

# configure PRESET: only when this preset has no build files yet; later changes re-run CMake through Ninja.
configure() {
  local preset=$1
  [ -f CMakePresets.json ] || die "no CMakePresets.json in $NEO_ROOT" "Run ./neo from a complete checkout."
  [ -f "build/$preset/build.ninja" ] && return 0
  quietly "configure $preset" "See build/$preset/CMakeFiles/CMakeError.log; to start over: rm -r build/$preset" \
    cmake --preset "$preset"
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  need build
  configure "$preset"
  # The machine starts from the image, which optimized builds make beside it.
  case "$preset $*" in
    release*neomacs* | dev*neomacs*) set -- "$@" neomacs_image ;;
  esac
  quietly "build $preset ${*:-all}" "Fix the first error above; ./neo build --preset $preset shows it live on a terminal." \
    ninja -C "build/$preset" -j "$JOBS" "$@"
}
