# ./neo bench: see the help text.
source "$NEO_ROOT/scripts/lib.sh"
preset=release
name=all
json=
# The soak has options of its own, and is no part of `all`: it takes an hour.
if [ "${1:-}" = soak ]; then
  shift
  exec "$PYTHON" bench/soak/soak.py "$@"
fi
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      cat <<'TXT'
usage: ./neo bench [NAME] [--json FILE] [--preset PRESET]
Runs the benchmarks of bench/NAME (default: all of them) beside their anchors in one run; ratios are what counts.
  heap    ns per cons and per float, minor pauses, against Emacs with stock and with 100 MB GC threshold
  startup how long a small script takes, from the image's mapping on and as a process, against Emacs
  speed   the nine programs of bench/speed, against Emacs's interpreter and byte-code
  caches  how often inline caches hit, in programs and suites of tests: at least 90 % each (three minutes)
  instructions  what the nine programs and a start execute, by callgrind, against bench/instructions/counts.json
  transfer  copying values between two heaps, against Erlang
  bytecomp  GNU's byte compiler on its 94 files of lisp/emacs-lisp, against Emacs: equal bytes, CPU time
  index   the job of ./neo run, against Emacs: equal result, time, memory
  tasks   tasks, channels, select, timers of the isolate runtime, against Go and Erlang
  soak    one hour of mixed load that must leave nothing behind, and ten million seeds of the properties that hold in
          every order of events: ./neo bench soak --help. Not a part of `all`.
A folder of bench/ without run.py is a program of its own: ./neo bench NAME runs build/PRESET/bin/bench_NAME.
--json writes a list of {name, value, unit, anchor, anchor_value, ratio, gate}.
TXT
      exit 0 ;;
    --json) json=${2:?--json needs a file}; shift ;;
    --json=*) json=${1#*=} ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --preset=*) preset=${1#*=} ;;
    -*) die "bench: unknown option $1" "./neo bench --help" ;;
    *) name=$1 ;;
  esac
  shift
done
[ -z "$json" ] || case $json in /*) ;; *) json=$OLDPWD/$json ;; esac
need anchors
build "$preset" neomacs neovm
# Every benchmark is a Python program bench/NAME/run.py that prints a table and, told --json, its list.
status=0
parts=()
for runner in bench/*/run.py; do
  one=$(basename "$(dirname "$runner")")
  # The table of tasks ends with what messages between heaps cost.
  [ "$name" = all ] || [ "$name" = "$one" ] || [ "$name/$one" = tasks/transfer ] || continue
  part=$(mktemp)
  parts+=("$part")
  "$PYTHON" "$runner" --bin "build/$preset/bin" --json "$part" || status=1
done
if [ ${#parts[@]} = 0 ] && [ -d "bench/$name" ]; then
  build "$preset" "bench_$name"
  exec "build/$preset/bin/bench_$name"
fi
[ ${#parts[@]} -gt 0 ] || die "no benchmark named $name" "There are: $(ls bench 2>/dev/null | tr '\n' ' ')"
if [ -n "$json" ]; then
  "$PYTHON" -c 'import json, sys
rows = []
for path in sys.argv[2:]:
    text = open(path).read()
    rows += json.loads(text) if text.strip() else []
json.dump(rows, open(sys.argv[1], "w"), indent=1)' "$json" "${parts[@]}"
fi
rm -f "${parts[@]}"
exit "$status"
