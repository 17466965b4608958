// A name is read as runs: text, number, text, number … Two names are compared run by run: texts by the rank of their
// characters, numbers by value. Suffixes such as `.tar.gz` are looked at only when the rest is equal.
#include "version_order.hpp"

#include <algorithm>
#include <cstddef>

namespace neovm::elisp {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Cuts the run at the front of `*rest` whose characters are digits, or are not.
std::string_view take_run(std::string_view* rest, bool digits) {
  const auto end = std::find_if(rest->begin(), rest->end(), [&](char c) { return is_digit(c) != digits; });
  const std::string_view run = rest->substr(0, static_cast<std::size_t>(end - rest->begin()));
  rest->remove_prefix(run.size());
  return run;
}

// The tilde sorts before the end of a text, letters before everything else.
int rank(std::string_view text, std::size_t i) {
  constexpr int kOther = 256;
  if (i >= text.size()) return 0;
  const int c = static_cast<unsigned char>(text[i]);
  if (c == '~') return -1;
  return is_letter(text[i]) ? c : kOther + c;
}

int compare_texts(std::string_view x, std::string_view y) {
  for (std::size_t i = 0; i < std::max(x.size(), y.size()); ++i)
    if (const int order = rank(x, i) - rank(y, i); order != 0) return order;
  return 0;
}

// Numbers of any length; none is zero.
int compare_numbers(std::string_view x, std::string_view y) {
  x.remove_prefix(std::min(x.find_first_not_of('0'), x.size()));
  y.remove_prefix(std::min(y.find_first_not_of('0'), y.size()));
  if (x.size() != y.size()) return x.size() < y.size() ? -1 : 1;
  return x.compare(y);
}

int compare_runs(std::string_view x, std::string_view y) {
  for (bool digits = false; !x.empty() || !y.empty(); digits = !digits) {
    const std::string_view a = take_run(&x, digits);
    const std::string_view b = take_run(&y, digits);
    if (const int order = digits ? compare_numbers(a, b) : compare_texts(a, b); order != 0) return order;
  }
  return 0;
}

// The name without its longest tail of suffixes. A suffix is a dot with a letter or tilde behind it (or nothing, at the
// end of the name), then letters, digits and tildes.
std::string_view without_suffixes(std::string_view name) {
  const auto starts_suffix = [](char c) { return is_letter(c) || c == '~'; };
  std::size_t tail = std::string_view::npos;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool dot = name[i] == '.';
    if (dot && tail == std::string_view::npos) tail = i;
    // A dot and the character behind it are looked at together.
    if (dot && ++i < name.size() && !starts_suffix(name[i])) tail = std::string_view::npos;
    if (!dot && !starts_suffix(name[i]) && !is_digit(name[i])) tail = std::string_view::npos;
  }
  return name.substr(0, tail);
}

// Nothing, `.`, `..`, hidden names, all others: kinds come in this order.
int kind(std::string_view name) {
  if (name.empty()) return 0;
  if (name == ".") return 1;
  if (name == "..") return 2;
  return name[0] == '.' ? 3 : 4;
}

}  // namespace

int compare_version_names(std::string_view x, std::string_view y) {
  if (x == y) return 0;
  if (kind(x) != kind(y)) return kind(x) - kind(y);
  if (x[0] == '.') {
    x.remove_prefix(1);
    y.remove_prefix(1);
  }
  const std::string_view a = without_suffixes(x);
  const std::string_view b = without_suffixes(y);
  const int order = a == b ? compare_runs(x, y) : compare_runs(a, b);
  return order == 0 ? x.compare(y) : order;
}

}  // namespace neovm::elisp
