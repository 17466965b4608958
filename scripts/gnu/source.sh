# Brings the tests of Debian's source package `emacs` into .cache/gnu/test. Sourced after lib.sh.
# The machine's own apt configuration says where packages come from; only a private copy of it gains `deb-src`.
GNU_CACHE=$NEO_ROOT/.cache/gnu

# private_sources: the machine's Debian entries as deb-src lines, for both formats of apt's source lists.
private_sources() {
  "$PYTHON" - <<'PY'
import glob, re
lines = []
for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*.list"))]:
    try:
        text = open(path).read()
    except OSError:
        continue
    for line in text.split("\n"):
        match = re.match(r"deb(?:-src)?\s+(\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+(.*main.*)", line)
        if match and "debian" in match.group(2):
            lines.append(f"deb-src {match.group(1) or ''}{match.group(2)} {match.group(3)} main")
for path in sorted(glob.glob("/etc/apt/sources.list.d/*.sources")):
    for block in re.split(r"\n\s*\n", open(path).read()):
        fields = dict(re.findall(r"^([A-Za-z-]+):\s*(.*)$", block, re.M))
        if "main" not in fields.get("Components", "").split() or "debian" not in fields.get("URIs", ""):
            continue
        signed = fields.get("Signed-By", "").strip()
        options = f"[signed-by={signed}] " if signed.startswith("/") else ""
        for uri in fields["URIs"].split():
            for suite in fields.get("Suites", "").split():
                lines.append(f"deb-src {options}{uri} {suite} main")
print("\n".join(dict.fromkeys(lines)))
PY
}

# gnu_tests_dir: prints the folder test/; 1 with a message when it cannot be had.
fetch_gnu_tests() {
  [ -f "$GNU_CACHE/test/src/eval-tests.el" ] && return 0
  need gnu
  local apt=$GNU_CACHE/apt work=$GNU_CACHE/work log=$GNU_CACHE/fetch.log
  rm -rf "$work"
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$work"
  private_sources >"$apt/sources.list"
  if [ ! -s "$apt/sources.list" ]; then
    say "neo: apt knows no Debian archive on this machine, so GNU's tests cannot be fetched"
    return 1
  fi
  local options=(-q -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists"
    -o "Dir::Cache=$apt" -o "Dir::Cache::archives=$apt/archives" -o APT::Sandbox::User=root)
  note "fetching GNU Emacs's tests (Debian source package emacs, about 50 MB)"
  if ! { apt-get "${options[@]}" update && cd "$work" && apt-get "${options[@]}" --download-only source emacs; } >"$log" 2>&1; then
    tail -n 8 "$log" >&2
    cd "$NEO_ROOT"
    say "neo: Debian's source package emacs cannot be had (log: .cache/gnu/fetch.log)"
    return 1
  fi
  # Only the tests and the patches to them are kept; nothing else of GNU's sources stays on disk.
  if ! { dpkg-source --no-check -x ./*.dsc tree; } >>"$log" 2>&1 || [ ! -d tree/test ]; then
    tail -n 8 "$log" >&2
    cd "$NEO_ROOT"
    say "neo: Debian's source package emacs could not be unpacked (log: .cache/gnu/fetch.log)"
    return 1
  fi
  rm -rf "$GNU_CACHE/test"
  mv tree/test "$GNU_CACHE/test"
  cd "$NEO_ROOT"
  rm -rf "$work" "$apt"
}
