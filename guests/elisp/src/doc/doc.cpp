// Documentation strings (doc.c of GNU): of functions, of properties, and those kept in files.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "../read/reader.hpp"
#include "neovm/abi/blocking.hpp"
#include "neovm/elisp/format.hpp"

namespace neovm::elisp {

namespace {

// Positions of primitives' documentation in the DOC file, by symbol; kept in a variable so that images carry it.
Value positions_symbol(Context& cx) { return intern(cx, "neovm--primitive-documentation"); }

bool read_whole(const std::string& name, std::string* content) {
  const int fd = open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char buffer[65536];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) > 0) content->append(buffer, static_cast<std::size_t>(n));
  close(fd);
  return n == 0;
}

// The bytes from a position up to the ^_ that ends them, and `before` bytes of what precedes.
bool read_text_at(const std::string& name, std::int64_t position, std::string* before, std::string* text) {
  const int fd = open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const std::int64_t back = std::min<std::int64_t>(position, 1024);
  char buffer[8192];
  std::int64_t at = position - back;
  bool ended = false;
  while (!ended) {
    const ssize_t n = pread(fd, buffer, sizeof buffer, at);
    if (n <= 0) break;
    for (ssize_t i = 0; i < n && !ended; ++i) {
      if (at + i < position) {
        before->push_back(buffer[i]);
      } else if (buffer[i] == '\037') {
        ended = true;
      } else {
        text->push_back(buffer[i]);
      }
    }
    at += n;
  }
  close(fd);
  return true;
}

// Is `position` where documentation starts? Files change under our feet.
bool plausible_start(const std::string& before, bool dynamic) {
  const auto n = static_cast<std::int64_t>(before.size());
  std::int64_t k = n - 1;
  const auto at = [&](std::int64_t i) { return i >= 0 ? before[static_cast<std::size_t>(i)] : '\0'; };
  if (dynamic) {  // "#@123 " or the end of another one
    if (at(k) == '\037') return true;
    if (at(k--) != ' ') return false;
    while (at(k) >= '0' && at(k) <= '9') --k;
    return at(k) == '@' && at(k - 1) == '#';
  }
  if (at(k--) != '\n') return false;  // "^_Fname\n"
  while (at(k) > ' ' || static_cast<unsigned char>(at(k)) >= 0x80) --k;
  return at(k) == '\037';
}

// ^A quotes: ^A ^A is ^A, ^A 0 is NUL, ^A _ is ^_.
void unquote(std::string* s) {
  std::size_t to = 0;
  for (std::size_t i = 0; i < s->size(); ++i) {
    char c = (*s)[i];
    if (c == '\1' && i + 1 < s->size()) {
      c = (*s)[++i];
      if (c == '0') c = '\0';
      if (c == '_') c = '\037';
    }
    (*s)[to++] = c;
  }
  s->resize(to);
}

Value substitute_re(Context& cx, Value doc, Value raw) {
  if (!raw.is_nil() || !doc.is_string() || symbol_function(cx, Qsubstitute_command_keys).is_nil()) return doc;
  return funcall_re(cx, Qsubstitute_command_keys, {doc});
}

bool is_reference(Value v) { return v.is_fixnum() || (v.is_cons() && cdr_raw(v).is_fixnum()); }

}  // namespace

QuotingStyle quoting_style(Context& cx) {
  const Value style = variable_value(cx, Qtext_quoting_style);
  if (style.is_nil() || style.is_unbound()) {
    if (!variable_true(cx, Qinternal__text_quoting_flag)) return QuotingStyle::kGrave;
    const Value table = variable_value(cx, Qstandard_display_table);
    if (!is_char_table(table)) return QuotingStyle::kCurve;
    const Value shown = char_table_get(table, 0x2018);
    const bool grave = is_vector(shown) && slot_count_raw(shown) == 1 && slot_raw(shown, 0) == Value::fixnum('`');
    return grave ? QuotingStyle::kGrave : QuotingStyle::kCurve;
  }
  if (style.is_symbol() && symbol_name_view(cx, style) == "grave") return QuotingStyle::kGrave;
  if (style.is_symbol() && symbol_name_view(cx, style) == "straight") return QuotingStyle::kStraight;
  return QuotingStyle::kCurve;
}

Value read_doc_string_re(Context& cx, Value filepos, bool definition) {
  Value file = variable_value(cx, Qinternal_doc_file_name);
  Value position = filepos;
  if (filepos.is_cons()) {
    file = car_raw(filepos);
    position = cdr_raw(filepos);
  }
  if (!position.is_fixnum() || !file.is_string()) return kNil;
  const Value directory = variable_value(cx, Qdoc_directory);
  std::string name = to_std_string(file);
  if (name.empty() || name[0] != '/') {
    if (!directory.is_string()) return kNil;
    name = to_std_string(directory) + name;
  }
  std::string before;
  std::string text;
  const std::int64_t at = std::llabs(position.as_fixnum());
  if (!run_blocking(cx, [&] { return read_text_at(name, at, &before, &text); })) {
    if (errno != ENOENT && errno != ENOTDIR)
      return signal_error3(cx, Qfile_error, make_string(cx, "Read error on documentation file"),
                           make_string(cx, std::strerror(errno)), file);
    return make_string(cx, "Cannot open doc string file \"" + to_std_string(file) + "\"\n");
  }
  if (!plausible_start(before, filepos.is_cons())) return kNil;
  unquote(&text);
  if (definition) {
    ReadStream in(cx, text, true, true);
    Reader reader(cx, in);
    return reader.read_re();
  }
  return make_string(cx, text);
}

Value fetch_byte_code_re(Context& cx, Value object) {
  if (!is_byte_code(object) || !slot_raw(object, 1).is_cons()) return object;
  const Value definition = TRY(read_doc_string_re(cx, slot_raw(object, 1), true));
  if (!definition.is_cons()) return error_text(cx, "Invalid byte code");
  set_slot_raw(object, 1, car_raw(definition));
  set_slot_raw(object, 2, cdr_raw(definition));
  return object;
}

NEOVM_PRIMITIVE(fetch_bytecode, "fetch-bytecode", 1, 1, kMainOnly, kBlockingIo, kMayGc, kReenters, kDeterministic,
                "Bring in the code of the byte-code OBJECT if it was left in its file; return OBJECT.")
(Context& cx, Value object) { return fetch_byte_code_re(cx, object); }

NEOVM_PRIMITIVE(text_quoting_style, "text-quoting-style", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return how messages show quotes: curve, straight or grave.")
(Context& cx) {
  const QuotingStyle style = quoting_style(cx);
  return intern(cx, style == QuotingStyle::kCurve ? "curve" : (style == QuotingStyle::kGrave ? "grave" : "straight"));
}

NEOVM_PRIMITIVE(
    documentation_property, "documentation-property", 2, 3, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kDeterministic,
    "Return the documentation string in property PROP of SYMBOL; unless RAW, with its key sequences filled in.")
(Context& cx, Value symbol, Value prop, Value raw) {
  TRY(check_type(cx, symbol.is_symbol(), Qsymbolp, symbol));
  Value doc = symbol_get(cx, symbol, prop);
  if (doc.is_nil() && prop == Qvariable_documentation) {
    const Value target = TRY(funcall_re(cx, intern(cx, "indirect-variable"), {symbol}));
    if (target.is_symbol() && !target.is_nil()) doc = symbol_get(cx, target, prop);
  }
  if (doc == Value::fixnum(0)) doc = kNil;
  if (is_reference(doc)) {
    doc = TRY(read_doc_string_re(cx, doc, false));
  } else if (!doc.is_string()) {
    doc = TRY(eval_form_re(cx, doc, kNil));
  }
  return substitute_re(cx, doc, raw);
}

NEOVM_PRIMITIVE(documentation, "documentation", 1, 2, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kDeterministic,
                "Return the documentation string of FUNCTION; unless RAW, with its key sequences filled in.")
(Context& cx, Value function, Value raw) {
  Value symbol = kNil;
  if (function.is_symbol()) {
    symbol = function;
    if (!symbol_get(cx, function, Qfunction_documentation).is_nil())
      return funcall_re(cx, intern(cx, "documentation-property"), {function, Qfunction_documentation, raw});
  }
  Value fun = TRY(funcall_re(cx, Qindirect_function, {function, kNil}));
  if (function.is_symbol() && fun.is_nil()) return signal_error1(cx, Qvoid_function, function);
  if (fun.is_cons() && car_raw(fun) == Qmacro) fun = cdr_raw(fun);
  Value doc = kNil;
  if (is_subr(fun)) {
    const char* name = fun.as_pointer<SubrObject>()->descriptor->name;
    const Value table = variable_value(cx, positions_symbol(cx));
    Value position = is_hash_table(table) ? hash_table_get(cx, table, intern(cx, name)) : kUnbound;
    doc = position.is_fixnum() ? position : make_string(cx, fun.as_pointer<SubrObject>()->descriptor->doc);
  } else if (is_byte_code(fun)) {
    if (slot_count_raw(fun) <= 4) return kNil;
    doc = slot_raw(fun, 4);
    if (!doc.is_string() && !is_reference(doc)) return kNil;
  } else if (fun.is_string() || is_vector(fun)) {
    return make_unibyte_string(cx, "Keyboard macro.");
  } else if (fun.is_cons()) {
    const Value kind = car_raw(fun);
    if (!kind.is_symbol()) return signal_error1(cx, Qinvalid_function, fun);
    if (kind == Qkeymap)
      return make_unibyte_string(cx, "Prefix command (definition is a keymap associating keystrokes with commands).");
    if (kind != Qlambda && kind != Qautoload && kind != Qclosure) return signal_error1(cx, Qinvalid_function, fun);
    Value rest = cdr_raw(fun);
    if (kind == Qclosure) rest = cdr_of_list(rest);
    rest = rest.is_cons() ? cdr_raw(rest) : kNil;
    const Value candidate = rest.is_cons() ? car_raw(rest) : kNil;
    if (candidate.is_string()) {
      doc = candidate;
    } else if (is_reference(candidate) && !cdr_raw(rest).is_nil()) {
      doc = candidate;  // a reference is never the last form of a body
    } else {
      return kNil;
    }
  } else {
    return signal_error1(cx, Qinvalid_function, fun);
  }
  if (doc == Value::fixnum(0)) doc = kNil;
  if (is_reference(doc)) doc = TRY(read_doc_string_re(cx, doc, false));
  return substitute_re(cx, doc, raw);
}

NEOVM_PRIMITIVE(snarf_documentation, "Snarf-documentation", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kDeterministic,
                "Note where FILENAME in `doc-directory` keeps the documentation of functions and variables.")
(Context& cx, Value filename) {
  TRY(check_type(cx, filename.is_string(), Qstringp, filename));
  const Value directory = variable_value(cx, Qdoc_directory);
  const std::string name = (directory.is_string() ? to_std_string(directory) : "") + to_std_string(filename);
  std::string text;
  if (!run_blocking(cx, [&] { return read_whole(name, &text); })) {
    // The file comes with Emacs's program, not with its library: an image built without it has our own texts.
    const Value building = variable_value(cx, intern(cx, "dump-mode"));
    if (errno == ENOENT && !building.is_unbound() && building.truthy()) return kNil;
    return signal_error3(cx, Qfile_missing, make_string(cx, "Opening doc string file"),
                         make_string(cx, std::strerror(errno)), make_string(cx, name));
  }
  TRY(set_variable_re(cx, Qinternal_doc_file_name, filename));
  Value table = make_hash_table(cx, HashTest::kEq);
  TRY(set_variable_re(cx, positions_symbol(cx), table));
  const Value known = variable_value(cx, Qbuild_files);
  bool skip = false;
  for (std::size_t at = text.find('\037'); at != std::string::npos; at = text.find('\037', at + 1)) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) break;
    const char kind = text[at + 1];
    const std::string_view entry(text.data() + at + 2, end - at - 2);
    if (kind == 'S') {
      skip = known.is_cons();
      for (Value l = known; skip && l.is_cons(); l = cdr_raw(l))
        if (car_raw(l).is_string() && string_view_of(car_raw(l)) == entry) skip = false;
      continue;
    }
    if (skip) continue;
    const Value symbol = intern_soft(cx, entry);
    if (symbol.is_unbound() || std::string_view(text).substr(end).starts_with("\nSKIP")) continue;
    const auto position = static_cast<std::int64_t>(end + 1);
    if (kind == 'V') {
      const bool user = end + 1 < text.size() && text[end + 1] == '*';
      if (!variable_value(cx, symbol).is_unbound())
        symbol_put(cx, symbol, Qvariable_documentation, Value::fixnum(user ? -position : position));
    } else if (kind == 'F') {
      const Value definition = symbol_function(cx, symbol);
      if (is_subr(definition)) {
        hash_table_put(cx, table, symbol, Value::fixnum(position));
      } else if (is_byte_code(definition) && slot_count_raw(definition) > 4) {
        set_slot_raw(definition, 4, Value::fixnum(position));
      }
    }
  }
  return kNil;
}

namespace {

Value object_files(Context& cx) {
  Value reversed = kNil;
  for (const char* name :
       {"dispnew",   "frame",      "scroll",       "xdisp",    "menu",        "window",   "charset",    "coding",
        "category",  "ccl",        "character",    "chartab",  "bidi",        "cm",       "term",       "terminal",
        "xfaces",    "dbusbind",   "emacs",        "keyboard", "macros",      "keymap",   "sysdep",     "bignum",
        "buffer",    "filelock",   "insdel",       "marker",   "minibuf",     "fileio",   "dired",      "cmds",
        "casetab",   "casefiddle", "indent",       "search",   "regex-emacs", "undo",     "alloc",      "pdumper",
        "data",      "doc",        "editfns",      "callint",  "eval",        "floatfns", "fns",        "font",
        "print",     "lread",      "emacs-module", "syntax",   "bytecode",    "comp",     "dynlib",     "process",
        "gnutls",    "callproc",   "region-cache", "sound",    "timefns",     "atimer",   "doprnt",     "intervals",
        "textprop",  "composite",  "xml",          "lcms",     "inotify",     "profiler", "decompress", "thread",
        "systhread", "json",       "terminfo",     "lastfile"})
    reversed = cons(cx, make_string(cx, std::string(name) + ".o"), reversed);
  return nreverse_list(reversed);
}

}  // namespace

NEOVM_VARIABLE(internal_doc_file_name, "internal-doc-file-name", kGlobalVar, kAny, kInitNil,
               "Name of the file with the documentation of primitives.")
NEOVM_VARIABLE(build_files, "build-files", kGlobalVar, kAny, &object_files,
               "Object files of a build of Emacs; their sections of the documentation file count.")
NEOVM_VARIABLE(text_quoting_style_variable, "text-quoting-style", kGlobalVar, kAny, kInitNil,
               "How messages show quotes: nil (what the display can), curve, straight, grave.")
NEOVM_VARIABLE(internal_text_quoting_flag, "internal--text-quoting-flag", kGlobalVar, kBool, kInitNil,
               "Non-nil: curved quotes may be shown.")

}  // namespace neovm::elisp
