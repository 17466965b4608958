// Regular expressions without any guest: compiled and matched over plain bytes.
#include <gtest/gtest.h>

#include <string>

#include "neovm/core/context.hpp"
#include "neovm/text/regex.hpp"

namespace neovm {
namespace {

class RegexTest : public testing::Test {
 protected:
  RegexTest() : cx_(isolate_) {
    const Value table = make_char_table(cx_, kNil, kNil);
    for (int c = 'a'; c <= 'z'; ++c) char_table_set(cx_, table, c, text::syntax_code_object(cx_, text::kSyntaxWord));
    current_tables(cx_).syntax = table;
  }
  // "start-end" of every group, or "none", or the message. `gap` splits the text there.
  std::string match(const char* pattern, const std::string& subject, std::int64_t gap = 0) {
    text::RegexOptions options;
    options.target_multibyte = true;
    Maybe<const text::Regex*> regex = text::regex_compile(cx_, make_string(cx_, pattern), options);
    if (!regex.ok()) {
      cx_.exit_kind = ExitKind::kNone;
      return std::string(string_view_of(car_raw(cx_.exit_data)));
    }
    text::RegexSubject s;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(subject.data());
    const auto size = static_cast<std::int64_t>(subject.size());
    s.text = {bytes, gap, bytes + gap, size - gap, true};
    s.end = size;
    text::RegexRegisters r;
    Maybe<std::int64_t> found = text::regex_search(cx_, *regex.get_raw(), s, 0, size, size, &r);
    if (!found.ok()) return "error";
    if (found.get_raw() < 0) return "none";
    std::string out;
    for (int g = 0; g < r.count; ++g)
      out += (g > 0 ? " " : "") + std::to_string(r.start[g]) + "-" + std::to_string(r.end[g]);
    return out;
  }

  Isolate isolate_{IsolateOptions{}};
  Context cx_;
};

TEST_F(RegexTest, Basics) {
  EXPECT_EQ(match("b+", "aabbb"), "2-5");
  EXPECT_EQ(match("\\(a\\)\\(b\\)?", "xa"), "1-2 1-2 -1--1");
  EXPECT_EQ(match("\\(?:foo\\|bar\\)\\'", "foobar"), "3-6");
  EXPECT_EQ(match("a\\{2,3\\}?", "aaaa"), "0-3");
  EXPECT_EQ(match("\\(a*\\)*b", "aab"), "0-3 2-2");
  EXPECT_EQ(match("\\(.\\)\\1", "abccd"), "2-4 2-3");
  EXPECT_EQ(match("\\<b", "ab b"), "3-4");
  EXPECT_EQ(match("[^a-y\n]", "abz"), "2-3");
  EXPECT_EQ(match("\"\\(?:[^\"\\\\]\\|\\\\.\\)*\"", "x\"a\\\"b\"y"), "1-7");
}

TEST_F(RegexTest, Malformed) {
  EXPECT_EQ(match("[", ""), "Unmatched [ or [^");
  EXPECT_EQ(match("\\(", ""), "Unmatched ( or \\(");
  EXPECT_EQ(match("a\\{2,1\\}", ""), "Invalid content of \\{\\}");
  EXPECT_EQ(match("\\(a\\1\\)", ""), "Invalid back reference");
  EXPECT_EQ(match("[[:x:]]", ""), "Invalid character class name");
}

// Every answer is the same wherever the gap lies.
TEST_F(RegexTest, GapAnywhere) {
  const std::string subject = "one two  three\nfour: \xC3\xA9t\xC3\xA9 five";
  const char* patterns[] = {"three\nfour", "[a-z]+:",   "\\(\\w+\\) \\(\\w+\\)", ".*five", "t+.f",
                            "\xC3\xA9t",   "o\\{1,2\\}"};
  for (const char* pattern : patterns) {
    const std::string whole = match(pattern, subject);
    for (std::int64_t gap = 0; gap <= static_cast<std::int64_t>(subject.size()); ++gap) {
      if (gap < static_cast<std::int64_t>(subject.size()) && (static_cast<unsigned char>(subject[gap]) & 0xC0) == 0x80)
        continue;
      EXPECT_EQ(match(pattern, subject, gap), whole) << pattern << " at " << gap;
    }
  }
}

// Neither long texts nor nested patterns use C++ stack; too many choices are an error.
TEST_F(RegexTest, Limits) {
  const std::string many(200000, 'a');
  EXPECT_EQ(match("\\(?:a\\|b\\)*", many), "0-200000");
  EXPECT_EQ(match("\\(?:aa?\\)*c", std::string(2000000, 'a') + "c"), "error");
  std::string deep;
  for (int i = 0; i < 500; ++i) deep += "\\(?:";
  deep += "a";
  for (int i = 0; i < 500; ++i) deep += "\\)";
  EXPECT_EQ(match(deep.c_str(), "a"), "0-1");
}

}  // namespace
}  // namespace neovm
