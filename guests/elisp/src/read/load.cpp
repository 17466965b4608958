// `load` (lread.c of GNU).
#include "load.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "load_state.hpp"
#include "neovm/abi/blocking.hpp"

namespace neovm::elisp {

namespace {

bool ends_with(Value string, std::string_view suffix) { return string_view_of(string).ends_with(suffix); }

// The whole file in memory; what kept it from being read (an errno), or 0. Fails when the task was asked to stop.
Maybe<int> read_file(Context& cx, const std::string& name, std::string* content) {
  const int fd = open_file_to_read(cx, name);
  if (fd < 0) return errno;
  const auto read_all = [&]() -> Maybe<int> {
    struct stat status {};
    if (fstat(fd, &status) != 0) return errno;
    if (S_ISDIR(status.st_mode)) return EISDIR;
    content->resize(static_cast<std::size_t>(status.st_size > 0 ? status.st_size : 0) + 1);  // one more sees the end
    std::size_t used = 0;
    for (;;) {
      if (used == content->size()) content->resize(used + 65536);  // also for files that do not tell their size
      const ssize_t n = TRY(read_descriptor(cx, fd, content->data() + used, content->size() - used));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      if (n == 0) break;
      used += static_cast<std::size_t>(n);
    }
    content->resize(used);
    return 0;
  };
  Maybe<int> done = read_all();
  close(fd);
  return done;
}

ExitTag cannot_open(Context& cx, int error, Value file) {
  const Value condition = error == ENOENT ? Qfile_missing : (error == EACCES ? Qpermission_denied : Qfile_error);
  return signal_error3(cx, condition, make_string(cx, "Cannot open load file"), make_string(cx, std::strerror(error)),
                       file);
}

// Version of a compiled file: 0 when it is none that we know. The header is ";ELC", the version's byte, and comment
// lines that say which compiler wrote it.
int compiled_version(std::string_view content) {
  const std::string_view head = content.substr(0, 512);
  if (!head.starts_with(";ELC")) return 0;
  const int version = head.size() > 4 ? static_cast<unsigned char>(head[4]) : 0;
  for (std::size_t line = head.find('\n'); line != std::string_view::npos; line = head.find('\n', line + 1)) {
    const std::string_view rest = head.substr(line + 1);
    if (!rest.starts_with(";;;")) continue;
    const std::string_view text = rest.substr(0, rest.find('\n'));
    if (text.substr(std::min<std::size_t>(4, text.size())).starts_with("in Emacs version") ||
        text.find("bytecomp version FSF") != std::string_view::npos)
      return version;
  }
  return 0;
}

Value message_re(Context& cx, const std::string& format, Value file) {
  if (symbol_function(cx, Qmessage).is_nil()) return kNil;
  return funcall_re(cx, Qmessage, {
    TRY(make_string(cx, format))
    , file
  });
}

// FORMAT with the file's name in it, quoted as the locale can show.
Value format_message_re(Context& cx, const char* format, Value file) {
  return funcall_re(cx, Qformat_message, {make_string(cx, format), file});
}

// Runs when a load ends, however it ends: tells about characters written as ?( and the like.
void warn_of_character_literals(Context& cx, Value file) {
  const Value seen = variable_value(cx, Qlread__unescaped_character_literals);
  if (!seen.is_cons() || symbol_function(cx, Qbyte_run__unescaped_character_literals_warning).is_nil()) return;
  const Value warning = funcall_re(cx, Qbyte_run__unescaped_character_literals_warning, {});
  if (warning.is_exit() || warning.is_nil()) return;
  const Value format = make_string(cx, "Loading `%s': %s");
  const Value shown = funcall_re(cx, Qmessage, {format, file, warning});
  (void)shown;
}

void restore_loads(Context& cx, Value loads) {
  cx.cells(Qneovm__loads_in_progress).value = loads;
  heap_map::mark_card(&cx.cells(Qneovm__loads_in_progress).value);
}

}  // namespace

Value load_file_re(Context& cx, Value file, bool noerror, bool nomessage, bool nosuffix, bool must_suffix) {
  const std::size_t depth = binding_depth(cx);
  int error = ENOENT;
  bool magic = false;
  Value found = kNil;
  if (string_bytes(file) != 0) {
    // A name with its suffix, or with a directory, need not get another one.
    if (must_suffix &&
        (ends_with(file, ".el") || ends_with(file, ".elc") || string_view_of(file).find('/') != std::string_view::npos))
      must_suffix = false;
    Value suffixes = kNil;
    if (!nosuffix) {
      suffixes = TRY(load_suffixes(cx));
      if (!must_suffix) {
        Value plain = variable_value(cx, Qload_file_rep_suffixes);
        if (!plain.is_list()) plain = kNil;
        if (suffixes.is_nil()) {
          suffixes = plain;
        } else {
          Value last = suffixes;
          while (cdr_raw(last).is_cons()) last = cdr_raw(last);
          set_cdr_raw(last, plain);
        }
      }
    }
    found = TRY(find_on_path_re(cx, variable_value(cx, Qload_path), file, suffixes, kNil,
                                variable_true(cx, Qload_prefer_newer), &error, &magic));
  }
  if (found.is_nil()) {
    if (noerror) return kNil;
    return cannot_open(cx, error, file);
  }
  if (variable_value(cx, Quser_init_file) == Qt) TRY(set_variable_re(cx, Quser_init_file, found));
  if (magic && !symbol_function(cx, Qfind_file_name_handler).is_nil()) {
    const bool same = string_equal(found, file);
    const Value handler = TRY(funcall_re(cx, Qfind_file_name_handler, {found, same ? Qload : Qt}));
    if (!handler.is_nil()) return funcall_re(cx, handler, {Qload, found, boolean(noerror), boolean(nomessage), Qt});
  }

  // The same file may be loading up to three times over.
  const Value loads = variable_value(cx, Qneovm__loads_in_progress);
  int times = 0;
  for (Value l = loads.is_unbound() ? kNil : loads; l.is_cons(); l = cdr_raw(l))
    if (string_equal(found, car_raw(l)) && ++times > 3)
      return signal_error(cx, Qerror, cons(cx, make_string(cx, "Recursive load"), cons(cx, found, loads)));
  record_unwind(cx, restore_loads, loads.is_unbound() ? kNil : loads);
  restore_loads(cx, cons(cx, found, loads.is_unbound() ? kNil : loads));

  TRY(bind_variable_re(cx, Qlexical_binding, kNil));
  Value history_name = found;
  if (variable_true(cx, Qpurify_flag)) {
    const std::string name = to_std_string(file);
    const std::string full = to_std_string(found);
    const std::size_t slash = name.rfind('/');
    const std::size_t base = full.rfind('/');
    history_name = TRY(make_string(cx, (slash == std::string::npos ? "" : name.substr(0, slash + 1)) +
                                           full.substr(base == std::string::npos ? 0 : base + 1)));
  }
  TRY(bind_variable_re(cx, Qlread__unescaped_character_literals, kNil));
  record_unwind(cx, warn_of_character_literals, file);
  const bool loud = !nomessage || variable_true(cx, Qforce_load_messages);

  const bool is_elc = ends_with(found, ".elc");
  const Value source_function = variable_value(cx, Qload_source_file_function);
  const std::string path = to_std_string(found);
  std::string content;
  bool have_content = false;
  bool compiled = is_elc;
  if (!is_elc) {
    // A compiled file may have any name; its first bytes tell.
    if (const int why = TRY(read_file(cx, path, &content)); why != 0) return cannot_open(cx, why, file);
    have_content = true;
    compiled = compiled_version(content) > 0;
    if (!compiled && !source_function.is_nil() && !source_function.is_unbound()) {
      content = std::string();
      const Value v = TRY(funcall_re(cx, source_function, {found, history_name, boolean(noerror), boolean(!loud)}));
      return unbind_to_re(cx, depth, v);
    }
  }
  if (!have_content)
    if (const int why = TRY(read_file(cx, path, &content)); why != 0) return cannot_open(cx, why, file);
  bool safe = true;
  bool newer = false;
  if (compiled) {
    if (compiled_version(content) == 0) {
      safe = false;
      if (!variable_true(cx, Qload_dangerous_libraries))
        return signal_error1(cx, Qerror, TRY(format_message_re(cx, "File `%s' was not compiled in Emacs", found)));
      if (!loud) TRY(message_re(cx, "File `%s' not compiled in Emacs", found));
    }
    struct stat own {};
    struct stat source {};
    if (is_elc && !variable_true(cx, Qload_prefer_newer) && stat_file(cx, path, &own) == 0 &&
        stat_file(cx, path.substr(0, path.size() - 1), &source) == 0) {
      newer = own.st_mtim.tv_sec < source.st_mtim.tv_sec ||
              (own.st_mtim.tv_sec == source.st_mtim.tv_sec && own.st_mtim.tv_nsec < source.st_mtim.tv_nsec);
      if (newer && !loud) {
        const Value name = TRY(make_string(cx, path.substr(0, path.size() - 1)));
        TRY(message_re(cx, "Source file `%s' newer than byte-compiled file; using older file", name));
      }
    }
  }
  if (variable_true(cx, Qpurify_flag))
    TRY(set_variable_re(cx, Qpreloaded_file_list, cons(cx, file, variable_value(cx, Qpreloaded_file_list))));
  if (loud) {
    const char* text =
        !safe ? "Loading %s (compiled; note unsafe, not compiled in Emacs)..."
              : (!compiled ? "Loading %s (source)..."
                           : (newer ? "Loading %s (compiled; note, source file is newer)..." : "Loading %s..."));
    TRY(message_re(cx, text, file));
  }
  TRY(bind_variable_re(cx, Qload_file_name, found));
  TRY(bind_variable_re(cx, Qload_true_file_name, found));
  TRY(bind_variable_re(cx, Qinhibit_file_name_operation, kNil));
  TRY(bind_variable_re(cx, Qload_in_progress, Qt));

  ReadStream stream(cx, content, true, true);
  ReaderState& state = reader_state(cx);
  ReadStream* const outer = state.file;
  state.file = &stream;
  const auto run = [&]() -> Value {
    if (TRY(lexically_bound_re(cx, stream))) TRY(set_variable_re(cx, Qlexical_binding, Qt));
    return eval_loop_re(cx, {.source = Qget_file_char, .stream = &stream, .file_name = history_name});
  };
  const Value result = run();
  state.file = outer;
  if (result.is_exit()) return kExit;
  TRY(unbind_to_re(cx, depth, kNil));
  if (!symbol_function(cx, Qdo_after_load_evaluation).is_nil())
    TRY(funcall_re(cx, Qdo_after_load_evaluation, {history_name}));
  return Qt;
}

NEOVM_PRIMITIVE(
    load, "load", 1, 5, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kDeterministic,
    "Load the Lisp file FILE, found along `load-path` with the suffixes of `load-suffixes`. NOERROR: a missing "
    "file is no error. NOMESSAGE: be silent. NOSUFFIX: take the name as it is. MUST-SUFFIX: insist on one.")
(Context& cx, Value file, Value noerror, Value nomessage, Value nosuffix, Value must_suffix) {
  TRY(check_type(cx, file.is_string(), Qstringp, file));
  // Environment variables in the name; without a dollar sign (or a handler, which may make of it what it likes) there is
  // nothing to do. That the name found is to be loaded by a handler is seen when it is found.
  const bool handled = variable_true(cx, Qfile_name_handler_alist);
  if (handled || string_view_of(file).find_first_of("$~") != std::string_view::npos ||
      string_view_of(file).find("//") != std::string_view::npos)
    if (!symbol_function(cx, Qsubstitute_in_file_name).is_nil())
      file = TRY(funcall_re(cx, Qsubstitute_in_file_name, {file}));
  return load_file_re(cx, file, noerror.truthy(), nomessage.truthy(), nosuffix.truthy(), must_suffix.truthy());
}

}  // namespace neovm::elisp
