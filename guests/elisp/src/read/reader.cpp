// The reader's driver: lists, vectors, prefixes, and the frames they nest in.
#include "reader.hpp"

namespace neovm::elisp {

Reader::Reader(Context& cx, ReadStream& in) : cx_(cx), in_(in), values_(cx), labels_(cx) {
  const Value obarray = variable_value(cx, Qobarray);
  if (is_vector(obarray) && (header_raw(obarray)->flags & kVectorMainObarray) == 0 && slot_count_raw(obarray) > 0)
    obarray_ = obarray;
  has_shorthands_ = variable_value(cx, Qread_symbol_shorthands).is_cons();
}

ExitTag Reader::invalid_syntax(std::string_view what) {
  const Value text = make_string(cx_, what);
  const HostHooks& hooks = host_hooks(cx_);
  // From a buffer, a line and a column tell where: those of the current buffer's point, even when another one is read, as in
  // Emacs (a file that is loaded is another one).
  if (!in_.is_text() && hooks.is_buffer != nullptr && hooks.is_buffer(in_.source()) &&
      hooks.stream_line_column != nullptr) {
    std::int64_t line = 0;
    std::int64_t column = 0;
    hooks.stream_line_column(cx_, hooks.current_buffer(cx_), &line, &column);
    return signal_error3(cx_, Qinvalid_read_syntax, text, Value::fixnum(line), Value::fixnum(column));
  }
  return signal_error1(cx_, Qinvalid_read_syntax, text);
}

ExitTag Reader::end_of_file() {
  const Value file = variable_value(cx_, Qload_true_file_name);
  if (file.is_string()) return signal_error1(cx_, Qend_of_file, file);
  return signal_error0(cx_, Qend_of_file);
}

bool Reader::skip_comment_re() {
  for (;;) {
    const int c = in_.get_re();
    if (c == '\n') return true;
    if (c < 0) return c != ReadStream::kFailed;
  }
}

namespace {
constexpr int kNoBreakSpace = 0xA0;
}

Maybe<bool> Reader::skip_to_object_re() {
  for (;;) {
    const int c = in_.get_re();
    if (c == ReadStream::kFailed) return kFailed;
    if (c == ReadStream::kEof) return false;
    if (c == ';') {
      if (!skip_comment_re()) return kFailed;
    } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != kNoBreakSpace) {
      // Other control characters are blank only inside of what is read: with nothing behind them the file ends too early.
      in_.unget_re(c);
      return true;
    }
  }
}

Value Reader::read_re() {
  const Value positions = variable_value(cx_, Qread_with_symbol_positions);
  wants_positions_ = positions.truthy() && !positions.is_unbound() && (positions == Qt || positions == positions_key);
  for (;;) {
    Value object = kNil;
    Step step = next_token_re(&object);
    if (step == Step::kObject) step = deliver(&object);
    if (step == Step::kFailed || in_.failed()) return kExit;
    if (step == Step::kObject) return object;
  }
}

void Reader::push_prefix(Value symbol) {
  push(Kind::kPrefix);
  values_.values.push_back(symbol);
}

Reader::Step Reader::next_token_re(Value* out) {
  for (;;) {
    const int c = in_.get_re();
    switch (c) {
      case ReadStream::kEof: return failed(end_of_file());
      case ReadStream::kFailed: return Step::kFailed;
      case '(':
        push(Kind::kList);
        values_.values.push_back(kNil);
        values_.values.push_back(kNil);
        return Step::kPushed;
      case '[': push(Kind::kVector); return Step::kPushed;
      case ')':
      case ']': return close(static_cast<char>(c), out);
      case '#': return hash_syntax_re(out);
      case ';':
        if (!skip_comment_re()) return Step::kFailed;
        continue;
      case '\'': push_prefix(Qquote); return Step::kPushed;
      case '`': push_prefix(Qbackquote); return Step::kPushed;
      case ',': {
        const int next = in_.get_re();
        if (next == '@') {
          push_prefix(Qcomma_at);
        } else {
          in_.unget_re(next);
          push_prefix(Qcomma);
        }
        return Step::kPushed;
      }
      case '?': return object(out, read_character_re());
      case '"': return object(out, read_string_re());
      case '.': {
        const int next = in_.get_re();
        in_.unget_re(next);
        if (next <= ' ' ||
            (next < 0x80 && std::string_view("\"';([#?`,").find(static_cast<char>(next)) != std::string_view::npos))
          return close('.', out);
        return object(out, read_symbol_re(c, SymbolMode::kPlain));
      }
      default:
        if (c <= ' ' || c == kNoBreakSpace) continue;
        return object(out, read_symbol_re(c, SymbolMode::kPlain));
    }
  }
}

// A closing delimiter, or the dot of a pair.
Reader::Step Reader::close(char c, Value* out) {
  if (frames_.empty()) return failed(invalid_syntax(std::string_view(&c, 1)));
  Frame& f = frames_.back();
  switch (f.kind) {
    case Kind::kList:
    case Kind::kRecord:
    case Kind::kPropertied:
      if (c == ')') {
        const Frame done = f;
        frames_.pop_back();
        const Value v = done.kind == Kind::kList ? values_.values[done.base] : finish_items(done);
        pop_to(done.base);
        return object(out, v);
      }
      if (c == ']') return failed(invalid_syntax("] in a list"));
      if (f.kind == Kind::kList) {
        f.kind = Kind::kListDot;
        return Step::kPushed;
      }
      return failed(invalid_syntax(". in wrong context"));
    case Kind::kListEnd: {
      if (c != ')') return failed(invalid_syntax(". in wrong context"));
      const Value v = values_.values[f.base];
      pop_to(f.base);
      frames_.pop_back();
      return object(out, v);
    }
    case Kind::kVector:
    case Kind::kByteCode:
    case Kind::kCharTable:
    case Kind::kSubCharTable: {
      if (c != ']') return failed(invalid_syntax(") or . in a vector"));
      const Frame done = f;
      frames_.pop_back();
      const Value v = finish_items(done);
      pop_to(done.base);
      return object(out, v);
    }
    case Kind::kListDot:
    case Kind::kPrefix:
    case Kind::kLabel: return failed(invalid_syntax(std::string_view(&c, 1)));
  }
  return Step::kFailed;
}

Reader::Step Reader::deliver(Value* out) {
  for (;;) {
    if (frames_.empty()) return Step::kObject;
    Frame& f = frames_.back();
    switch (f.kind) {
      case Kind::kList: {
        const Value cell = cons(cx_, *out, kNil);
        const Value last = values_.values[f.base + 1];
        if (last.is_nil()) {
          values_.values[f.base] = cell;
        } else {
          set_cdr_raw(last, cell);
        }
        values_.values[f.base + 1] = cell;
        return Step::kPushed;
      }
      case Kind::kListDot: {
        const Value last = values_.values[f.base + 1];
        if (last.is_nil()) {
          values_.values[f.base] = *out;
        } else {
          set_cdr_raw(last, *out);
        }
        f.kind = Kind::kListEnd;
        return Step::kPushed;
      }
      case Kind::kListEnd: return failed(invalid_syntax(". in wrong context"));
      case Kind::kPrefix:
        *out = list(cx_, {values_.values[f.base], *out});
        pop_to(f.base);
        frames_.pop_back();
        continue;
      case Kind::kLabel: {
        const Frame done = f;
        frames_.pop_back();
        *out = finish_label(done, *out);
        pop_to(done.base);
        continue;
      }
      default: values_.values.push_back(*out); return Step::kPushed;
    }
  }
}

}  // namespace neovm::elisp
