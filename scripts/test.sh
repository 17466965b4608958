# ./neo test: see the help text.
source "$NEO_ROOT/scripts/lib.sh"
preset=release
filter=
build_first=yes
vm_args=
what=all
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      cat <<'TXT'
usage: ./neo test [FILTER] [--preset PRESET] [--unit | --conformance] [--vm-args ARGS] [--no-build]
The unit tests, the tests of tests/cli and tests/robustness, then the conformance files against Emacs's recorded answers, in
each tier (unless --vm-args has a --neovm-tier option).
FILTER is a regular expression over test names and conformance file names. The last line is `N passed, N failed`.
TXT
      exit 0 ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --preset=*) preset=${1#*=} ;;
    --unit) what=unit ;;
    --conformance) what=conformance ;;
    --vm-args) vm_args=${2:?--vm-args needs a value}; shift ;;
    --vm-args=*) vm_args=${1#*=} ;;
    --no-build) build_first=no ;;
    -*) die "test: unknown option $1" "./neo test --help" ;;
    *) filter=$1 ;;
  esac
  shift
done
need test
[ "$build_first" = no ] || build "$preset"
passed=0
failed=0

# count LOG: adds the `N passed, N failed` of a part's last line.
count() {
  local line
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$1" | tail -n 1)
  if [ -z "$line" ]; then
    failed=$((failed + 1))
    return
  fi
  passed=$((passed + ${line%% *}))
  line=${line#*, }
  failed=$((failed + ${line%% *}))
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

if [ "$what" != conformance ]; then
  # The unit programs (also known to ctest as whole programs), counted test by test.
  "$PYTHON" scripts/unit.py --bin "build/$preset/bin" --jobs "$JOBS" "$filter" >"$log" 2>&1 || true
  count "$log"
  grep -v -E '^[0-9]+ passed, [0-9]+ failed$' "$log" >&2 || true

  # Programs tests/{cli,robustness}/*_test.py are given the folder of binaries and end with the closing line.
  case $preset in asan | tsan | debug) export NEOVM_TEST_PATIENCE=6 ;; esac
  for program in tests/cli/*_test.py tests/robustness/*_test.py; do
    [ -e "$program" ] || continue
    name=$(basename "$program" .py)
    [[ -z $filter || $name =~ $filter ]] || continue
    timeout 900 "$PYTHON" "$program" --bin "build/$preset/bin" >"$log" 2>&1 || true
    count "$log"
    if ! grep -qE '^[0-9]+ passed, 0 failed$' "$log" || grep -q '^UNSTEADY ' "$log"; then cat "$log"; fi
    say "$name: $(tail -n 1 "$log")"
  done
fi

if [ "$what" != unit ]; then
  mapfile -t files < <(find tests/conformance/elisp -name '*.el' | sort)
  chosen=()
  for file in "${files[@]}"; do
    [[ -z $filter || $file =~ $filter ]] && chosen+=("$file")
  done
  if [ ${#chosen[@]} -gt 0 ]; then
    # A slow build (sanitizers) gets more time per form.
    seconds=20
    case $preset in asan | tsan | debug) seconds=120 ;; esac
    # Every form in each tier: forms and stack byte-code only, then register code from the first call on, made from byte-code
    # only, and from interpreted functions too.
    tiers=("--neovm-tier=0" "--neovm-tier-source=0 --neovm-tier-threshold=1" "--neovm-tier-threshold=1")
    case $vm_args in *--neovm-tier*) tiers=("") ;; esac
    for tier in "${tiers[@]}"; do
      [ -n "$tier" ] && say "conformance with $tier"
      "$PYTHON" tests/oracle/oracle.py --check --vm "build/$preset/bin/neomacs" --vm-args="$vm_args $tier" \
        --timeout "$seconds" -j "$JOBS" "${chosen[@]}" 2>&1 | tee "$log" |
        { grep -v -E '^[0-9]+ passed, [0-9]+ failed$' || true; } || true
      count "$log"
    done
  fi
fi
[ $((passed + failed)) -gt 0 ] || say "neo: no test matches $filter"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
