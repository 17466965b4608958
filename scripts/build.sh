# ./neo build: see the help text.
source "$NEO_ROOT/scripts/lib.sh"
preset=release
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      cat <<'TXT'
usage: ./neo build [--preset PRESET] [-j N] [TARGET...]
Configures (when needed) and builds. Presets: release (default), debug, asan, tsan, dev; see CMakePresets.json.
Binaries land in build/PRESET/bin: neomacs (Emacs's batch command line) and neovm (the machine's own tools).
TXT
      exit 0 ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --preset=*) preset=${1#*=} ;;
    -j) JOBS=${2:?-j needs a number}; shift ;;
    -j*) JOBS=${1#-j} ;;
    -*) die "build: unknown option $1" "./neo build --help" ;;
    *) targets+=("$1") ;;
  esac
  shift
done
build "$preset" "${targets[@]}"
