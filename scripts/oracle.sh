# ./neo oracle: builds the machine under test, then hands over to tests/oracle/oracle.py.
source "$NEO_ROOT/scripts/lib.sh"
preset=release
vm=
build_first=yes
reference=yes
args=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      "$PYTHON" tests/oracle/oracle.py --help
      printf '\n  --preset PRESET       the build to test (default: release); --no-build takes it as it is\n'
      exit 0 ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --preset=*) preset=${1#*=} ;;
    --no-build) build_first=no ;;
    --vm) vm=${2:?--vm needs a program}; shift ;;
    --vm=*) vm=${1#*=} ;;
    --check) reference=no; args+=("$1") ;;
    --record) build_first=no; args+=("$1") ;;
    --vm-args) args+=("--vm-args=${2:?--vm-args needs a value}"); shift ;;
    --fuzz) args+=("$1" "${2:?--fuzz needs a seed and a count}" "${3:?--fuzz needs a count}"); shift 2 ;;
    --eval | --primitives | --feed | --timeout | --emacs | -j | --jobs | --traces | --shown | --shrink | --report | --keep-jobs)
      args+=("$1" "${2:?$1 needs a value}"); shift ;;
    -*) args+=("$1") ;;
    *)
      # Files are named from where the caller stands.
      if [ -e "$OLDPWD/$1" ]; then args+=("$OLDPWD/$1"); else args+=("$1"); fi ;;
  esac
  shift
done
[ "$reference" = no ] || need oracle
if [ -z "$vm" ]; then
  vm=build/$preset/bin/neomacs
  [ "$build_first" = no ] || build "$preset" neomacs
fi
exec "$PYTHON" tests/oracle/oracle.py --vm "$vm" "${args[@]}"
