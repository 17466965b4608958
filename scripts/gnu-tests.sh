# ./neo gnu-tests: builds the machine, fetches GNU's tests, then scripts/gnu/run.py.
source "$NEO_ROOT/scripts/lib.sh"
source "$NEO_ROOT/scripts/gnu/source.sh"
preset=release
vm=
build_first=yes
reference=yes
args=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      "$PYTHON" scripts/gnu/run.py --help
      printf '\n  --preset PRESET       the build to test (default: release); --no-build takes it as it is\n'
      printf 'Exit code 77: the tests cannot be fetched on this machine.\n'
      exit 0 ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --preset=*) preset=${1#*=} ;;
    --no-build) build_first=no ;;
    --vm) vm=${2:?--vm needs a program}; shift ;;
    --vm=*) vm=${1#*=} ;;
    --vm-args) args+=("--vm-args=${2:?--vm-args needs a value}"); shift ;;
    --only-vm) reference=no; args+=("$1") ;;
    --record) build_first=no; args+=("$1") ;;
    -j | --jobs | --timeout | --emacs) args+=("$1" "${2:?$1 needs a value}"); shift ;;
    *) args+=("$1") ;;
  esac
  shift
done
fetch_gnu_tests || exit 77
[ "$reference" = no ] || need oracle
if [ -z "$vm" ]; then
  vm=build/$preset/bin/neomacs
  [ "$build_first" = no ] || build "$preset" neomacs
fi
exec "$PYTHON" scripts/gnu/run.py --tests "$GNU_CACHE/test" --vm "$vm" "${args[@]}"
