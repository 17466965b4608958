# ./neo fuzz: see the help text.
source "$NEO_ROOT/scripts/lib.sh"
runs=1000000
keep=no
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      cat <<'TXT'
usage: ./neo fuzz [--runs N] [--keep] [TARGET...]
Runs libFuzzer's programs under AddressSanitizer, N executions each (a million, the first time an hour or so in all), from the
inputs of tests/fuzz/corpus on. Targets: register_code stack_code loader image. A line for each says executions, executions a
second and covered edges; an input that breaks something stays in build/fuzz/found. --keep writes the smallest set of inputs
that covers as much back to tests/fuzz/corpus. See tests/fuzz/README.md.
TXT
      exit 0 ;;
    --runs) runs=${2:?--runs needs a number}; shift ;;
    --runs=*) runs=${1#*=} ;;
    --keep) keep=yes ;;
    -*) die "fuzz: unknown option $1" "./neo fuzz --help" ;;
    *) targets+=("$1") ;;
  esac
  shift
done
[ ${#targets[@]} -gt 0 ] || targets=(register_code stack_code loader image)
need build fuzz
build fuzz "${targets[@]/#/fuzz_}"
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=0}
passed=0
failed=0
mkdir -p build/fuzz/found
for target in "${targets[@]}"; do
  folder=build/fuzz/corpus/$target
  "$PYTHON" tests/fuzz/corpus.py unpack "$target" "$folder"
  log=build/fuzz/$target.log
  # Deep recursion is refused by the stack's limit; sanitized frames are larger.
  if (ulimit -s 131072 && exec "build/fuzz/bin/fuzz_$target" -runs="$runs" -timeout=60 -detect_leaks=0 -rss_limit_mb=6000 -max_len=400 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/found/$target-" "$folder") >"$log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    tail -n 40 "$log" >&2
  fi
  cover=$(grep -oE ' cov: [0-9]+ ft: [0-9]+' "$log" | tail -n 1)
  printf '%-14s %s executions, %s a second,%s\n' "$target" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")" "$cover"
  if [ "$keep" = yes ]; then
    rm -rf "$folder.min" && mkdir "$folder.min"
    (ulimit -s 131072 && "build/fuzz/bin/fuzz_$target" -merge=1 "$folder.min" "$folder") >>"$log" 2>&1
    "$PYTHON" tests/fuzz/corpus.py pack "$target" "$folder.min" 750
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
