// What a search leaves out must not matter: random patterns, searched for and tried at every place.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "neovm/core/context.hpp"
#include "neovm/text/regex.hpp"
#include "regex/folding.hpp"
#include "regex/matcher.hpp"

namespace neovm {
namespace {

constexpr int kKelvin = 0x212A;
constexpr int kLongS = 0x17F;

class RegexSearchTest : public testing::Test {
 protected:
  RegexSearchTest() : cx_(isolate_) {
    const Value syntax = make_char_table(cx_, kNil, kNil);
    for (int c = 'a'; c <= 'z'; ++c) char_table_set(cx_, syntax, c, text::syntax_code_object(cx_, text::kSyntaxWord));
    current_tables(cx_).syntax = syntax;
    current_tables(cx_).downcase = case_table();
  }
  // Latin letters in pairs, and the Kelvin sign beside k and K.
  Value case_table(bool equivalents = true) {
    const Value purpose = intern(cx_, "case-table");
    symbol_put(cx_, purpose, Qchar_table_extra_slots, Value::fixnum(3));
    const Value down = make_char_table(cx_, purpose, kNil);
    const Value up = make_char_table(cx_, purpose, kNil);
    const Value next = make_char_table(cx_, purpose, kNil);
    const auto set = [this](Value table, int c, int to) { char_table_set(cx_, table, c, Value::fixnum(to)); };
    for (int c = 0; c < 128; ++c)
      for (const Value table : {down, up, next}) set(table, c, c);
    for (int c = 'a'; c <= 'z'; ++c) {
      const int capital = c - 'a' + 'A';
      set(down, capital, c);
      set(up, c, capital);
      set(next, c, capital);
      set(next, capital, c);
    }
    set(down, kKelvin, 'k');
    set(next, 'K', kKelvin);
    set(next, kKelvin, 'k');
    set_slot_raw(down, kCharTableExtras, up);
    if (equivalents) set_slot_raw(down, kCharTableExtras + 2, next);
    return down;
  }
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  std::string pick(std::initializer_list<const char*> all) { return all.begin()[below(static_cast<int>(all.size()))]; }

  std::string pattern(int depth) {
    std::string out = below(3) == 0 ? pick({"\\`", "^", "\\=", "\\<", "\\_<", "\\b"}) : "";
    for (int n = 1 + below(4); n > 0; --n) {
      switch (below(depth > 0 ? 8 : 5)) {
        case 0:
          out += pick({".", "[ab]", "[^/]", "[a-j:]", "[^k\n]", "[[:upper:]]", "[[:space:]/]", "\\w", "\\W", "\\sw"});
          break;
        case 5: out += "\\(" + pattern(depth - 1) + "\\)"; break;
        case 6: out += "\\(?:" + pattern(depth - 1) + "\\)"; break;
        case 7: out += "\\(?:" + pattern(depth - 1) + "\\|" + pattern(depth - 1) + "\\)"; break;
        default: out += pick({"a", "b", "A", "k", "/", ":", ".", "ab", "/a", "k:", " ", "\u00e9", "\u212a", "\n"});
      }
      if (below(3) == 0) out += pick({"*", "+", "?", "*?", "+?", "??", "\\{2\\}", "\\{0,2\\}", "\\{1,\\}"});
    }
    return below(4) == 0 ? out + pick({"\\'", "$", "\\>", "\\1", "\\b"}) : out;
  }
  std::string subject(bool multibyte) {
    std::string out;
    for (int n = below(16); n > 0; --n)
      out += multibyte && below(5) == 0 ? pick({"\u00e9", "\u212a"})
                                        : pick({"a", "b", "A", "B", "k", "K", "/", ":", ".", " ", "\n"});
    return out;
  }

  static std::string describe(std::int64_t found, const text::RegexRegisters& r) {
    if (found < 0) return "none";
    std::string out = std::to_string(found);
    for (int g = 0; g < r.count; ++g)
      out += r.start[g] < 0 ? " -" : " " + std::to_string(r.start[g]) + "-" + std::to_string(r.end[g]);
    return out;
  }
  // The same search without any shortcut.
  std::string plain_search(const text::Regex& regex, const text::RegexSubject& s, std::int64_t from, std::int64_t to,
                           std::int64_t stop) {
    text::regex::Matcher matcher(cx_, regex, s, stop);
    for (std::int64_t i = from;;) {
      if (matcher.run(i) == text::regex::MatchResult::kYes) {
        text::RegexRegisters r;
        r.count = text::regex_group_count(regex);
        for (int g = 0; g < r.count; ++g) {
          r.end[g] = matcher.group_end(g);
          r.start[g] = r.end[g] < 0 ? -1 : matcher.group_start(g);
        }
        return describe(i, r);
      }
      if (i == to) return "none";
      i = to > from ? s.text.next(i) : s.text.previous(i);
    }
  }

  Isolate isolate_{IsolateOptions{}};
  Context cx_;
  std::mt19937 random_{20};
};

TEST_F(RegexSearchTest, ShortcutsAgreeWithTryingEverywhere) {
  int compiled = 0;
  int found = 0;
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string source = pattern(2);
    text::RegexOptions options;
    options.target_multibyte = below(2) == 0;
    options.fold = below(2) == 0;
    options.posix = below(8) == 0;
    options.literal = below(8) == 0;
    if (below(8) == 0) options.spaces = make_string(cx_, "[ab ]+");
    const Value pattern_object = make_string(cx_, source);
    const Value other = make_string(cx_, pattern(1));
    for (int n = 0; n < 6; ++n) {
      if (below(2) == 0) {  // the program is made after another pattern was looked at, if at all
        (void)text::regex_compile(cx_, pattern_object, options);
        (void)text::regex_compile(cx_, other, options);
        cx_.exit_kind = ExitKind::kNone;
      }
      Maybe<const text::Regex*> compiled_regex = text::regex_compile(cx_, pattern_object, options);
      if (!compiled_regex.ok()) {
        cx_.exit_kind = ExitKind::kNone;
        break;
      }
      ++compiled;
      const text::Regex& regex = *compiled_regex.get_raw();
      const std::string body = subject(options.target_multibyte);
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(body.data());
      const auto size = static_cast<std::int64_t>(body.size());
      const auto place = [&] {  // at the start of a character
        std::int64_t at = below(static_cast<int>(size) + 1);
        while (at < size && options.target_multibyte && (bytes[at] & 0xC0) == 0x80) --at;
        return at;
      };
      const std::int64_t gap = place();
      text::RegexSubject s;
      s.text = {bytes, gap, bytes + gap, size - gap, options.target_multibyte};
      s.end = size;
      s.point = place();
      const std::int64_t from = below(2) == 0 ? 0 : place();
      const std::int64_t to = below(2) == 0 ? size : place();
      const std::int64_t stop = below(4) == 0 ? std::max({from, to, place()}) : size;
      std::string what = "\"";
      what.append(source).append("\" in \"").append(body).append("\" from ").append(std::to_string(from));
      what.append(" to ").append(std::to_string(to)).append(" stop ").append(std::to_string(stop));
      what.append(" gap ").append(std::to_string(gap));
      what.append(options.fold ? " folded" : "").append(options.posix ? " posix" : "");
      text::RegexRegisters r;
      Maybe<std::int64_t> at = text::regex_search(cx_, regex, s, from, to, stop, &r);
      ASSERT_TRUE(at.ok()) << what;
      const std::string expected = plain_search(regex, s, from, to, stop);
      ASSERT_EQ(describe(at.get_raw(), r), expected) << what;
      found += at.get_raw() >= 0 ? 1 : 0;
      if (text::regex_refuses(cx_, pattern_object, options, body)) {
        ++refused;
        s.text = {bytes, size, nullptr, 0, options.target_multibyte};
        ASSERT_EQ(plain_search(regex, s, 0, size, size), "none") << what;
      }
      Maybe<bool> here = text::regex_match_at(cx_, regex, s, from, stop, &r);
      ASSERT_TRUE(here.ok()) << what;
      ASSERT_EQ(describe(here.get_raw() ? from : -1, r), plain_search(regex, s, from, from, stop)) << what;
    }
  }
  EXPECT_GT(compiled, 80000);
  EXPECT_GT(found, 10000);
  EXPECT_GT(refused, 10000);
}

// The remembered answers about ASCII characters are the table's own, also after it has changed.
TEST_F(RegexSearchTest, FoldingIsThatOfTheTable) {
  text::regex::FoldingCache cache;
  int step = 0;
  const auto check = [&](Value table, bool usual) {
    ++step;
    text::CaseFolder plain(table);
    text::CaseFolder quick(table);
    const text::AsciiFolding* const known = cache.of(plain);
    EXPECT_EQ(known != nullptr, usual) << "step " << step;
    quick.use(known);
    EXPECT_EQ(*plain.canonical_ascii(), *quick.canonical_ascii());
    for (int c = 0; c < 128; ++c) {
      EXPECT_EQ(plain.alone(c), quick.alone(c)) << c;
      for (const int room : {2, 32}) {
        int same[2][32];
        const int n = plain.equivalents(c, same[0], room);
        ASSERT_EQ(n, quick.equivalents(c, same[1], room)) << c;
        EXPECT_TRUE(std::equal(same[0], same[0] + n, same[1])) << c;
      }
    }
  };
  // Sets are closed under it in the same way.
  const auto check_sets = [&](Value table) {
    text::CaseFolder plain(table);
    text::CaseFolder quick(table);
    quick.use(cache.of(plain));
    for (int round = 0; round < 200; ++round) {
      text::regex::Tree trees[2];
      text::regex::CharSet set;
      set.negated = below(4) == 0;
      for (int n = below(6); n > 0; --n) {
        const int c = below(2) == 0 ? below(128) : 'a' + below(26);
        set.bits[c >> 6] |= std::uint64_t{1} << (c & 63);
      }
      if (below(4) == 0) set.ranges.push_back({kKelvin - below(3), kKelvin + below(3)});
      if (below(4) == 0) set.ranges.push_back({kLongS - below(3), kLongS});
      for (text::regex::Tree& tree : trees) tree.sets.push_back(set);
      text::regex::finish_sets(&trees[0], true, plain, plain);
      text::regex::finish_sets(&trees[1], true, quick, plain);
      const text::regex::CharSet& a = trees[0].sets[0];
      const text::regex::CharSet& b = trees[1].sets[0];
      EXPECT_TRUE(std::equal(a.bits, a.bits + 4, b.bits));
      EXPECT_TRUE(std::equal(a.ranges.begin(), a.ranges.end(), b.ranges.begin(), b.ranges.end(),
                             [](auto x, auto y) { return x.from == y.from && x.to == y.to; }));
    }
  };
  for (const bool equivalents : {true, false}) {
    const Value table = case_table(equivalents);
    const Value next = equivalents ? slot_raw(table, kCharTableExtras + 2) : slot_raw(table, kCharTableExtras);
    check(table, true);
    check(table, true);
    check_sets(table);
    char_table_set(cx_, table, '[', Value::fixnum('{'));
    check(table, true);
    char_table_set(cx_, next, '[', Value::fixnum('{'));
    char_table_set(cx_, next, '{', Value::fixnum('['));
    check(table, true);
    char_table_set(cx_, table, kKelvin, Value::fixnum('l'));
    check(table, true);
    char_table_set(cx_, next, kKelvin, Value::fixnum(kLongS));
    char_table_set(cx_, next, kLongS, Value::fixnum('k'));
    check(table, true);
    char_table_set(cx_, table, kLongS, Value::fixnum('k'));
    check(table, true);
    check_sets(table);
    char_table_set(cx_, next, kLongS, Value::fixnum('a'));  // k does not come back to itself
    check(table, !equivalents);
    char_table_set(cx_, next, kLongS, Value::fixnum('k'));
    char_table_set(cx_, next, 'q', kNil);
    check(table, true);
    char_table_set(cx_, next, 'q', make_string(cx_, "q"));
    check(table, false);
    char_table_set(cx_, next, 'q', Value::fixnum('Q'));
    check(table, true);
    set_slot_raw(next, kCharTableDefault, Value::fixnum('z'));
    check(table, false);
  }
}

}  // namespace
}  // namespace neovm
