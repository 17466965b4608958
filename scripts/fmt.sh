# ./neo fmt: see the help text.
source "$NEO_ROOT/scripts/lib.sh"
mode=write
case ${1:-} in
  --help | -h)
    cat <<'TXT'
usage: ./neo fmt [--check] [FILE...]
Formats the C++ sources that git knows (or FILEs) by .clang-format; --check only says which are not formatted.
TXT
    exit 0 ;;
  --check) mode=check; shift ;;
esac
need lint
if [ $# -gt 0 ]; then
  files=("$@")
else
  mapfile -t files < <(git ls-files -co --exclude-standard -- '*.cpp' '*.hpp' '*.h' '*.cc')
fi
[ ${#files[@]} -gt 0 ] || exit 0
if [ "$mode" = write ]; then
  printf '%s\0' "${files[@]}" | xargs -0 -n 16 -P "$JOBS" clang-format -i --style=file
else
  printf '%s\0' "${files[@]}" | xargs -0 -n 16 -P "$JOBS" clang-format --dry-run --style=file -Werror ||
    die "some files are not formatted" "./neo fmt"
fi
