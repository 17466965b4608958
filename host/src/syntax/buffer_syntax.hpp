// Syntax of the current buffer's text, for one scan.
//
// With parse-sexp-lookup-properties the `syntax-table` properties count, and Lisp may have to put them first
// (syntax-propertize). A scan cannot run Lisp, so it notes how far it looked beyond what is ready;
// the primitive then calls Lisp and scans again: see with_syntax_re. So it is with the places from which comments are
// parsed (comment-use-syntax-ppss).
#pragma once

#include <optional>
#include <vector>

#include "buffer/buffer.hpp"
#include "neovm/text/syntax_scan.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

// What syntax-ppss said: positions that are outside of every list, string and comment, so that a parse may begin there.
struct ParseStarts {
  struct Known {  // character positions
    std::int64_t start;
    std::int64_t reach;  // beyond it there may be a much better start
  };
  std::vector<Known> known;
  std::int64_t wanted = -1;
  std::int64_t wanted_reach = -1;
};

class BufferSyntax {
 public:
  BufferSyntax(Context& cx, ParseStarts& starts);
  BufferSyntax(const BufferSyntax&) = delete;
  BufferSyntax& operator=(const BufferSyntax&) = delete;

  // Null unless properties count.
  [[nodiscard]] const text::SyntaxProperties* properties() const { return use_properties_ ? &properties_ : nullptr; }
  text::SyntaxReader& reader() {
    if (!reader_) reader_.emplace(buffer_.tables.syntax, properties());
    return *reader_;
  }
  text::SyntaxScanner& scanner() {
    if (!scanner_)
      scanner_.emplace(cx_, buffer_.cursor(), buffer_.begin.bytes - 1, buffer_.end.bytes - 1, options(), reader());
    return *scanner_;
  }
  [[nodiscard]] Buffer& buffer() { return buffer_; }
  // Offsets of the cursor from character positions and back.
  std::int64_t offset(std::int64_t charpos) { return buffer_.text->byte_of(charpos) - 1; }
  std::int64_t charpos(std::int64_t offset) { return buffer_.text->char_of(offset + 1); }
  // Position up to which Lisp must prepare properties before the scan can be trusted, or -1.
  [[nodiscard]] std::int64_t wanted() const { return wanted_; }

 private:
  [[nodiscard]] text::ScanOptions options();
  static void run_at(void* data, std::int64_t at, text::SyntaxRun* run);
  static std::int64_t parse_start(void* data, std::int64_t end);

  Context& cx_;
  Buffer& buffer_;
  ParseStarts& starts_;
  bool use_properties_;
  std::int64_t ready_ = 0;  // characters before this have their properties
  std::int64_t wanted_ = -1;
  text::SyntaxProperties properties_;
  std::optional<text::SyntaxReader> reader_;
  std::optional<text::SyntaxScanner> scanner_;
};

// Calls Lisp's syntax-propertize machinery up to about `charpos`.
Maybe<bool> propertize_syntax_re(Context& cx, std::int64_t charpos);
// Asks syntax-ppss about the wanted position. Point stays.
Maybe<bool> find_parse_start_re(Context& cx, ParseStarts& starts);

// Runs `scan(BufferSyntax&)` until it did not look at unprepared text. `scan` must not change anything before it
// returns; its result is a Maybe.
template <class Scan>
auto with_syntax_re(Context& cx, Scan&& scan) -> decltype(scan(std::declval<BufferSyntax&>())) {
  ParseStarts starts;
  for (;;) {
    std::int64_t wanted;
    {
      BufferSyntax syntax(cx, starts);
      auto result = scan(syntax);
      wanted = syntax.wanted();
      if (wanted < 0 && starts.wanted < 0) return result;
    }
    if (wanted >= 0) TRY(propertize_syntax_re(cx, wanted));
    if (starts.wanted >= 0) TRY(find_parse_start_re(cx, starts));
  }
}

}  // namespace neomacs::host
