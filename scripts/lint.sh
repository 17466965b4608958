# ./neo lint: see the help text.
source "$NEO_ROOT/scripts/lib.sh"
preset=release
all=no
checks=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      cat <<'TXT'
usage: ./neo lint [--all] [--preset PRESET] [fmt|layers|globals|words|tidy]...
  fmt      clang-format finds nothing to change
  layers   includes go in the permitted directions only
  globals  no writable global and no thread_local but the allowed ones (needs a build of PRESET)
  words    no machine paths, no tracker numbers
  tidy     clang-tidy on the C++ files changed since the main branch (or the last commit); --all: on every file
Without names: all of them.
TXT
      exit 0 ;;
    --all) all=yes ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --preset=*) preset=${1#*=} ;;
    fmt | layers | globals | words | tidy) checks+=("$1") ;;
    *) die "lint: unknown check $1" "./neo lint --help" ;;
  esac
  shift
done
[ ${#checks[@]} -gt 0 ] || checks=(fmt layers words globals tidy)
need lint

# Files that differ from the main branch, or from the commit before when this is the main branch.
changed_sources() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || true)
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then base=$(git rev-parse -q --verify HEAD~1 || git rev-parse HEAD); fi
  { git diff --name-only --diff-filter=d "$base" -- '*.cpp'; git ls-files -o --exclude-standard -- '*.cpp'; } | sort -u
}

tidy() {
  local files=()
  [ -f "build/$preset/compile_commands.json" ] || configure "$preset"
  if [ "$all" = yes ]; then mapfile -t files < <(git ls-files '*.cpp'); else mapfile -t files < <(changed_sources); fi
  # Only what the build compiles: a file without a command would be judged with the wrong flags.
  local known=()
  for file in "${files[@]}"; do
    grep -qF "\"file\": \"$NEO_ROOT/$file\"" "build/$preset/compile_commands.json" && known+=("$file")
  done
  if [ ${#known[@]} = 0 ]; then
    echo "tidy: no changed files"
    return 0
  fi
  printf '%s\0' "${known[@]}" | xargs -0 -n 1 -P "$JOBS" clang-tidy -p "build/$preset" --quiet \
    --extra-arg=-Wno-unknown-warning-option 2>/dev/null || return 1
  echo "tidy: ${#known[@]} files, nothing found"
}

failed=0
for check in "${checks[@]}"; do
  note "lint $check"
  (case $check in
    fmt) if bash scripts/fmt.sh --check; then echo "fmt: all formatted"; else false; fi ;;
    layers) "$PYTHON" scripts/lint/layers.py ;;
    words) "$PYTHON" scripts/lint/words.py ;;
    globals) build "$preset" && "$PYTHON" scripts/lint/globals.py "build/$preset" ;;
    tidy) tidy ;;
  esac) || failed=$((failed + 1))
done
echo "$((${#checks[@]} - failed)) passed, $failed failed"
[ "$failed" = 0 ]
