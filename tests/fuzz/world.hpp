// A small Lisp world for the fuzz targets: made once, put back after each run, made anew now and then.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"

namespace neovm::fuzz {

using Bytes = std::span<const std::uint8_t>;

// Reads an input from its front; past its end there are zeros.
class Input {
 public:
  explicit Input(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] bool empty() const { return at_ >= bytes_.size(); }
  std::uint8_t byte() { return at_ < bytes_.size() ? bytes_[at_++] : 0; }
  std::uint32_t word() {
    std::uint32_t w = byte();
    w |= static_cast<std::uint32_t>(byte()) << 8;
    w |= static_cast<std::uint32_t>(byte()) << 16;
    return w | static_cast<std::uint32_t>(byte()) << 24;
  }
  Bytes rest() {
    const Bytes left = bytes_.subspan(std::min(at_, bytes_.size()));
    at_ = bytes_.size();
    return left;
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

class World {
 public:
  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // The world of this process; a fresh one after so many uses, since functions that were compiled stay.
  static World& get();
  static void forget();  // the next get() makes one anew

  Context& cx() { return *cx_; }
  Value read(std::string_view text);
  Value eval(std::string_view text);
  // Puts all symbols back, then makes a new vector of the constants that programs get.
  Value constants();
  static constexpr unsigned kConstants = 32;
  // Calls FUNCTION with the arguments of set SET, with a limited number of safepoints, and tells what came out, what is
  // in the buffer and what became of the variables; "stopped" when the limit was reached. Then puts the world back.
  std::string run(Value function, unsigned set);
  static constexpr unsigned kArgumentSets = 4;
  // The same for an expression that takes nothing and tells nothing.
  void run_quietly(Value function, std::span<const Value> arguments);
  // Aborts unless nothing is left of the last run: no frame, no binding, no handler.
  void check(const char* when);
  Value& kept(unsigned i) { return kept_->values[i]; }  // 0 to 3 are the target's

 private:
  void limit();
  void save_symbols();
  void restore_symbols(bool values);  // functions, and values and property lists
  std::unique_ptr<Isolate> isolate_;
  std::unique_ptr<Context> cx_;
  std::unique_ptr<RootVector> kept_;
  std::unique_ptr<RootVector> cells_;  // symbol, function, value, property list: as all were at the beginning
  std::uint32_t uses_ = 0;
};

// The targets. Each takes any bytes, and aborts when something does not hold.
void register_code(Bytes bytes);
void stack_code(Bytes bytes);
void loader(Bytes bytes);
void image(Bytes bytes);

}  // namespace neovm::fuzz
