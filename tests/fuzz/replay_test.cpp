// Every kept input of every target once: tests/fuzz/corpus/TARGET.hex holds one input a line, and what once broke stands in
// TARGET-found.hex. Any build runs them.
#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "world.hpp"

namespace {

using neovm::fuzz::Bytes;

int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

std::size_t replay(const char* target, void (*run)(Bytes)) {
  std::size_t count = 0;
  for (const char* kind : {"", "-found"}) {
    std::ifstream in(std::string(NEOVM_FUZZ_CORPUS) + "/" + target + kind + ".hex");
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      std::vector<std::uint8_t> bytes;
      for (std::size_t i = 0; i + 1 < line.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(digit(line[i]) << 4 | digit(line[i + 1])));
      SCOPED_TRACE(line);
      run(bytes);
      ++count;
    }
  }
  return count;
}

TEST(Fuzz, RegisterCode) { EXPECT_GT(replay("register_code", neovm::fuzz::register_code), 0U); }
TEST(Fuzz, StackCode) { EXPECT_GT(replay("stack_code", neovm::fuzz::stack_code), 0U); }
TEST(Fuzz, Loader) { EXPECT_GT(replay("loader", neovm::fuzz::loader), 0U); }
TEST(Fuzz, Image) { EXPECT_GT(replay("image", neovm::fuzz::image), 0U); }

}  // namespace
