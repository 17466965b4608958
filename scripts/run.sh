# ./neo run: see the help text.
source "$NEO_ROOT/scripts/lib.sh"
preset=release
vm=
jobs=
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      cat <<'TXT'
usage: ./neo run [--preset PRESET | --vm PROGRAM] [-j N] [FILE [ARGS...]]
Without FILE: examples/lisp-index.el reads every .el and .el.gz of the installed GNU Lisp library with the Lisp reader,
writes the index of all definitions to build/lisp-index.tsv and prints a table by kind and by folder.
With FILE: neomacs --batch -Q -l FILE ARGS, and its exit code.
-j N runs on N workers of one process (FILE: its tasks do); the index is the same to the byte.
--vm PROGRAM takes another machine, such as emacs, for the same job.
TXT
      exit 0 ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --preset=*) preset=${1#*=} ;;
    --vm) vm=${2:?--vm needs a program}; shift ;;
    --vm=*) vm=${1#*=} ;;
    -j) jobs=${2:?-j needs a number}; shift ;;
    -j*) jobs=${1#-j} ;;
    --) shift; break ;;
    -*) die "run: unknown option $1" "./neo run --help" ;;
    *) break ;;
  esac
  shift
done
if [ $# -gt 0 ]; then
  # The Lisp file is named from where the caller stands, not from the tree.
  file=$1
  case $file in /*) ;; *) file=$OLDPWD/$file ;; esac
  [ -r "$file" ] || die "cannot read $1" "./neo run FILE [ARGS]: FILE is a Lisp file."
  shift
fi
if [ -z "$vm" ]; then
  build "$preset" neomacs
  vm=$NEO_ROOT/build/$preset/bin/neomacs
fi
workers=()
if [ -n "$jobs" ]; then
  case $jobs in *[!0-9]* | 0*) die "run: -j needs a number from 1, not $jobs" "./neo run --help" ;; esac
  case $(basename "$vm") in neomacs*) workers=(--jobs "$jobs") ;; esac
fi
if [ -n "${file:-}" ]; then
  cd "$OLDPWD"
  exec "$vm" "${workers[@]}" --batch -Q -l "$file" "$@"
fi
mkdir -p build
progress=()
if on_tty; then progress=(--progress); fi
"$vm" "${workers[@]}" --batch -Q -l examples/lisp-index.el -f lisp-index-batch -- --output build/lisp-index.tsv \
  ${jobs:+--jobs "$jobs"} "${progress[@]}"
echo "the index is build/lisp-index.tsv"
