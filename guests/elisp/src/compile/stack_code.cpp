// The translator: one pass over GNU's byte-code in order, with the operand stack run at translation time.
//
// Each stack slot has a home register. What a slot holds is known as a Place: its home, another register (so that
// stack-ref and dup cost nothing) or a constant. At the edges of a basic block every slot is in its home; in between
// values move only when a register they lie in is about to be written. Two things keep this right:
//   - A register that other slots still refer to is saved (evacuate) before it is written.
//   - Under a handler, slots that the handler will find are stored to their homes at once: any instruction may
//     leave for it.
// An instruction's result goes to the home of the slot it is pushed to; when the next instruction stores it in a
// variable's slot, the instruction is made to write that home (forward), as `setq` would.
// Registers of arguments are never written, because backtraces show them: an argument that is assigned to
// has a home beyond the stack.
#include "compile/stack_code.hpp"

#include <algorithm>

#include "eval/byte_verify.hpp"
#include "eval/machine.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/bytecode/builder.hpp"
#include "neovm/core/hash_table.hpp"

namespace neovm::elisp {

namespace {

using core::bytecode::Builder;
using core::bytecode::Op;

struct Place {
  bool constant;
  std::uint16_t index;  // register or constant
  friend bool operator==(const Place&, const Place&) = default;
};

// A comparison that a conditional jump may absorb.
struct Fusion {
  Op value, jump, jump_not, jump_k, jump_not_k;
  Op swapped_jump_k, swapped_jump_not_k;  // with the operands the other way round
};

#define NUMERIC(name, swapped)                                                                  \
  {                                                                                             \
    Op::num_##name, Op::jump_num_##name, Op::jump_not_num_##name, Op::jump_num_##name##_k,      \
        Op::jump_not_num_##name##_k, Op::jump_num_##swapped##_k, Op::jump_not_num_##swapped##_k \
  }
constexpr Fusion kEq = {Op::eq, Op::jump_eq, Op::jump_ne, Op::jump_eq_k, Op::jump_ne_k, Op::jump_eq_k, Op::jump_ne_k};
constexpr Fusion kNumeric[] = {NUMERIC(eq, eq), NUMERIC(gt, lt), NUMERIC(lt, gt), NUMERIC(le, ge), NUMERIC(ge, le)};
#undef NUMERIC

class Translator {
 public:
  Translator(Context& cx, Value object, const StackFlow& flow)
      : m_(machine(cx)),
        flow_(flow),
        code_(string_data_raw(slot_raw(object, 1))),
        length_(static_cast<std::size_t>(string_bytes(slot_raw(object, 1)))),
        constants_(slot_raw(object, 2)),
        labels_(length_, Builder::Label{0xFFFFFFFF}) {
    std::int16_t deepest = 0;
    for (const std::int16_t d : flow.depth_at) deepest = std::max(deepest, d);
    unsigned next = static_cast<unsigned>(deepest) + 2;
    for (unsigned i = 0; i < next; ++i) homes_.push_back(i);
    const auto arguments = static_cast<std::size_t>(flow.arguments);
    for (std::size_t i = 0; i < arguments; ++i)
      if (flow.argument_written[i]) homes_[i] = next++;
    first_temporary_ = next;
    for (std::size_t i = 0; i < arguments; ++i) {
      stack_.push_back(in_register(static_cast<unsigned>(i)));
      b_.use(static_cast<unsigned>(i));
    }
  }

  bool run() {
    bool live = true;
    for (std::size_t pc = 0; pc < length_;) {
      const std::int16_t depth = flow_.depth_at[pc];
      if (depth < 0) {
        ++pc;
        continue;
      }
      if (flow_.leader[pc] || !live) {
        if (live) flush();
        b_.origin(static_cast<std::uint32_t>(pc));
        if (flow_.loop_start[pc] && flow_.context_at[pc] < 0) b_.entry(static_cast<std::uint32_t>(pc));
        b_.bind(label(pc));
        stack_.clear();
        for (int i = 0; i < depth; ++i) stack_.push_back(in_register(home(static_cast<std::size_t>(i))));
        live = true;
        defined_ = kNone;
      }
      if (stack_.size() != static_cast<std::size_t>(depth)) return false;
      const std::int16_t context = flow_.context_at[pc];
      eager_ = context < 0 ? 0 : static_cast<std::size_t>(flow_.contexts[static_cast<std::size_t>(context)].depth);
      pinned_.clear();
      pc_ = pc;
      ended_ = false;
      if (!instruction() || b_.failed()) return false;
      pc = pc_;
      live = !ended_;
    }
    for (const Landing& l : landings_) {
      b_.bind(l.landing);
      b_.use(l.reg);
      b_.emit(Op::landing, l.reg);
      b_.jump(l.target);
    }
    return !b_.failed();
  }
  Builder& builder() { return b_; }
  // The registers that hold the arguments' slots at the edges of blocks.
  [[nodiscard]] std::vector<std::uint8_t> argument_homes() const {
    return {homes_.begin(), homes_.begin() + flow_.arguments};
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Landing {
    Builder::Label landing;
    unsigned reg;
    Builder::Label target;
  };

  static Place in_register(unsigned r) { return {false, static_cast<std::uint16_t>(r)}; }
  unsigned home(std::size_t slot) const { return slot < homes_.size() ? homes_[slot] : 0xFFFF; }
  Builder::Label label(std::size_t pc) {
    if (labels_[pc].index == 0xFFFFFFFF) labels_[pc] = b_.make_label();
    return labels_[pc];
  }
  bool referenced(unsigned r) const { return std::find(stack_.begin(), stack_.end(), in_register(r)) != stack_.end(); }
  bool pinned(unsigned r) const { return std::find(pinned_.begin(), pinned_.end(), r) != pinned_.end(); }
  unsigned temporary() {
    unsigned r = first_temporary_;
    while (referenced(r) || pinned(r)) ++r;
    b_.use(r);
    return r;
  }

  // Saves what slots have in register r, which is about to be written.
  void evacuate(unsigned r) {
    if (!referenced(r)) return;
    unsigned to = 0xFFFF;
    for (std::size_t i = 0; i < stack_.size() && to == 0xFFFF; ++i)
      if (stack_[i] == in_register(r) && home(i) != r && !referenced(home(i)) && !pinned(home(i))) to = home(i);
    if (to == 0xFFFF) to = temporary();
    b_.use(to);
    b_.emit(Op::mov, to, r);
    std::replace(stack_.begin(), stack_.end(), in_register(r), in_register(to));
    defined_ = kNone;
  }
  // The register an instruction may write its result to, which push_result then pushes.
  unsigned result() {
    const unsigned r = home(stack_.size());
    evacuate(r);
    b_.use(r);
    return r;
  }
  void push_result(unsigned r, std::size_t place) {
    stack_.push_back(in_register(r));
    defined_ = place;
    defined_register_ = r;
  }
  void settle(std::size_t slot) {
    const Place p = stack_[slot];
    const unsigned to = home(slot);
    if (p == in_register(to)) return;
    stack_[slot] = {true, 0};  // no reference, while others are moved out of the way
    evacuate(to);
    stack_[slot] = in_register(to);
    b_.use(to);
    emit_move(to, p);
  }
  void emit_move(unsigned to, Place p) {
    if (p.constant) {
      b_.emit_wide(Op::load_k, to, p.index);
    } else {
      b_.emit(Op::mov, to, p.index);
    }
    defined_ = kNone;
  }
  // Slot gets a value that lies somewhere already.
  void set_slot(std::size_t slot, Place p) {
    stack_[slot] = {true, 0};
    if (!p.constant && defined_ != kNone && defined_register_ == p.index && p.index != home(slot) &&
        !referenced(p.index) && !referenced(home(slot))) {
      b_.retarget(defined_, home(slot));
      defined_register_ = home(slot);
      p = in_register(home(slot));
    }
    stack_[slot] = p;
    if (slot < eager_) settle(slot);
  }
  void push(Place p) {
    stack_.push_back({true, 0});
    set_slot(stack_.size() - 1, p);
  }
  // Takes the top slot off; its value is in the register returned until the instruction is written.
  unsigned pop() {
    const std::size_t slot = stack_.size() - 1;
    Place p = stack_[slot];
    if (p.constant) {
      stack_.pop_back();
      unsigned r = home(slot);
      if (pinned(r)) {
        r = temporary();
      } else {
        evacuate(r);
      }
      b_.use(r);
      emit_move(r, p);
      p = in_register(r);
    } else {
      stack_.pop_back();
    }
    pinned_.push_back(p.index);
    return p.index;
  }
  Place pop_place() {
    const Place p = stack_.back();
    stack_.pop_back();
    if (!p.constant) pinned_.push_back(p.index);
    return p;
  }
  bool top_is_small_constant() const { return stack_.back().constant && stack_.back().index < 256; }

  // The registers of the N top slots, first to last; they are popped.
  std::vector<std::uint8_t> pop_arguments(unsigned n) {
    std::vector<std::uint8_t> regs(n);
    for (unsigned i = n; i-- > 0;) regs[i] = static_cast<std::uint8_t>(pop());
    return regs;
  }

  // Every slot goes home, in one parallel move.
  void flush() {
    struct Move {
      unsigned to;
      Place from;
    };
    std::vector<Move> moves;
    for (std::size_t i = 0; i < stack_.size(); ++i)
      if (stack_[i] != in_register(home(i))) moves.push_back({home(i), stack_[i]});
    while (!moves.empty()) {
      std::size_t pick = moves.size();
      for (std::size_t i = 0; i < moves.size() && pick == moves.size(); ++i) {
        bool needed = false;
        for (const Move& other : moves)
          needed = needed || (&other != &moves[i] && other.from == in_register(moves[i].to));
        if (!needed && !moves[i].from.constant) pick = i;
      }
      if (pick == moves.size())  // registers first: a constant's home may be what another needs
        for (std::size_t i = 0; i < moves.size() && pick == moves.size(); ++i) {
          bool needed = false;
          for (const Move& other : moves) needed = needed || other.from == in_register(moves[i].to);
          if (!needed) pick = i;
        }
      if (pick == moves.size()) {  // a cycle
        const unsigned r = moves[0].to;
        unsigned t = first_temporary_;
        const auto taken = [&](unsigned reg) {
          if (pinned(reg) || referenced(reg)) return true;
          for (const Move& other : moves)
            if (other.from == in_register(reg)) return true;
          return false;
        };
        while (taken(t)) ++t;
        b_.use(t);
        b_.emit(Op::mov, t, r);
        for (Move& other : moves)
          if (other.from == in_register(r)) other.from = in_register(t);
        continue;
      }
      b_.use(moves[pick].to);
      emit_move(moves[pick].to, moves[pick].from);
      moves.erase(moves.begin() + static_cast<std::ptrdiff_t>(pick));
    }
    for (std::size_t i = 0; i < stack_.size(); ++i) stack_[i] = in_register(home(i));
    defined_ = kNone;
  }
  // An operand of a jump, after whose reading everything is flushed: out of the way of the moves.
  unsigned protect(unsigned r) {
    for (std::size_t i = 0; i < stack_.size(); ++i)
      if (home(i) == r && stack_[i] != in_register(r)) {
        const unsigned t = temporary();
        b_.emit(Op::mov, t, r);
        pinned_.push_back(t);
        return t;
      }
    return r;
  }

  // ---- decoding ------------------------------------------------------------------------------------------------------

  unsigned byte() { return pc_ < length_ ? code_[pc_++] : 0; }
  unsigned word() {
    const unsigned low = byte();
    return low | byte() << 8;
  }
  // When the next instruction is a plain conditional jump that only this one leads to: its target, and whether
  // it jumps on nil.
  bool next_is_jump(std::size_t* target, bool* on_nil, std::size_t* after) const {
    if (pc_ >= length_ || flow_.leader[pc_]) return false;
    switch (code_[pc_]) {
      case 131:
      case 132:
        if (pc_ + 2 >= length_) return false;
        *target = static_cast<std::size_t>(code_[pc_ + 1] | code_[pc_ + 2] << 8);
        *after = pc_ + 3;
        *on_nil = code_[pc_] == 131;
        return true;
      case 171:
      case 172:
        if (pc_ + 1 >= length_) return false;
        *target = pc_ + 2 + code_[pc_ + 1] - 128;
        *after = pc_ + 2;
        *on_nil = code_[pc_] == 171;
        return true;
      default: return false;
    }
  }

  // ---- instructions ----------------------------------------------------------------------------------------------------

  void unary(Op op) {
    const unsigned a = pop();
    const unsigned r = result();
    push_result(r, b_.emit(op, r, a));
  }
  void binary(Op op) {
    const unsigned y = pop();
    const unsigned x = pop();
    const unsigned r = result();
    push_result(r, b_.emit(op, r, x, y));
  }
  void binary_k(Op op, Op op_k) {
    if (!top_is_small_constant()) return binary(op);
    const Place k = pop_place();
    const unsigned x = pop();
    const unsigned r = result();
    push_result(r, b_.emit(op_k, r, x, k.index));
  }
  // Operands may change places.
  void commutative(Op op, Op op_k) {
    Place& x = stack_[stack_.size() - 2];
    if (is_number_constant(x) && !stack_.back().constant) std::swap(x, stack_.back());
    binary_k(op, op_k);
  }
  void primitive(unsigned opcode, unsigned n) {
    const std::vector<std::uint8_t> args = pop_arguments(n);
    const unsigned r = result();
    const std::size_t place = b_.size();
    b_.emit_arguments(Op::prim, r, opcode, args);
    push_result(r, place);
  }
  void test(Op value, Op jump, Op jump_not) {
    std::size_t target = 0;
    std::size_t after = 0;
    bool on_nil = false;
    if (!next_is_jump(&target, &on_nil, &after)) return unary(value);
    unsigned r = pop();
    r = protect(r);
    flush();
    b_.branch(on_nil ? jump_not : jump, r, label(target));
    pc_ = after;
  }
  void compare(const Fusion& f) {
    std::size_t target = 0;
    std::size_t after = 0;
    bool on_nil = false;
    if (!next_is_jump(&target, &on_nil, &after)) return binary(f.value);
    const Place y = stack_.back();
    const Place x = stack_[stack_.size() - 2];
    if (y.constant && y.index < 256) {
      stack_.pop_back();
      const unsigned r = protect(pop());
      flush();
      b_.branch(on_nil ? f.jump_not_k : f.jump_k, r, y.index, label(target));
    } else if (f.value == Op::eq ? x.constant && x.index < 256 : is_number_constant(x)) {
      const unsigned saved = pop();
      stack_.pop_back();
      const unsigned r = protect(saved);
      flush();
      b_.branch(on_nil ? f.swapped_jump_not_k : f.swapped_jump_k, r, x.index, label(target));
    } else {
      unsigned ry = pop();
      unsigned rx = pop();
      ry = protect(ry);
      rx = protect(rx);
      flush();
      b_.branch(on_nil ? f.jump_not : f.jump, rx, ry, label(target));
    }
    pc_ = after;
  }
  void branch(std::size_t target, bool on_nil) {
    const unsigned r = protect(pop());
    flush();
    b_.branch(on_nil ? Op::jump_nil : Op::jump_true, r, label(target));
  }
  void branch_else_pop(std::size_t target, bool on_nil) {
    flush();
    b_.branch(on_nil ? Op::jump_nil : Op::jump_true, home(stack_.size() - 1), label(target));
    stack_.pop_back();
  }
  void jump(std::size_t target) {
    flush();
    b_.jump(label(target));
    ended_ = true;
  }

  bool instruction();
  bool operand_group(unsigned op);
  bool rest_of_instructions(unsigned op);
  bool switch_targets(Value table);
  // Only with a number as the constant operand may operands change places: errors name the first wrong one.
  bool is_number_constant(Place p) const {
    return p.constant && p.index < 256 && is_number(slot_raw(constants_, p.index));
  }

  Machine& m_;
  const StackFlow& flow_;
  const std::uint8_t* code_;
  std::size_t length_;
  Value constants_;
  Builder b_;
  std::vector<Builder::Label> labels_;  // by position
  std::vector<Landing> landings_;
  std::vector<unsigned> homes_;
  std::vector<Place> stack_;
  std::vector<unsigned> pinned_;  // registers that the instruction being written reads
  unsigned first_temporary_ = 0;
  unsigned switches_ = 0;
  std::size_t eager_ = 0;  // slots below are kept at home
  std::size_t defined_ = kNone;
  unsigned defined_register_ = 0;
  std::size_t pc_ = 0;
  bool ended_ = false;
};

// The instructions with an operand in three bits, or after them.
bool Translator::operand_group(unsigned op) {
  const unsigned low = op & 7;
  const unsigned n = low < 6 ? low : (low == 6 ? byte() : word());
  switch (op >> 3) {
    case 0: push(stack_[stack_.size() - 1 - n]); return true;
    case 1: {
      const unsigned r = result();
      const std::size_t place = b_.size();
      b_.emit_wide(Op::varref, r, n);
      push_result(r, place);
      return true;
    }
    case 2: b_.emit_wide(Op::varset, pop(), n); break;
    case 3: b_.emit_wide(Op::varbind, pop(), n); break;
    case 4: {
      if (n > 250) return false;
      const std::vector<std::uint8_t> args = pop_arguments(n);
      const Place function = stack_.back();
      if (function.constant) {
        stack_.pop_back();
        const unsigned r = result();
        const std::size_t place = b_.size();
        b_.call_global(r, function.index, args);
        push_result(r, place);
      } else {
        const unsigned f = pop();
        const unsigned r = result();
        const std::size_t place = b_.size();
        b_.call(r, f, args);
        push_result(r, place);
      }
      return true;
    }
    default: b_.emit(Op::unbind, n); break;
  }
  defined_ = kNone;
  return true;
}

// The places that TABLE, a constant, sends to.
bool Translator::switch_targets(Value table) {
  if (!is_hash_table(table)) return false;
  for (std::int64_t k = 0; k < core::hash_capacity_raw(table); ++k) {
    if (core::hash_key_raw(table, k).is_unbound()) continue;
    const Value target = core::hash_value_raw(table, k);
    if (!target.is_natnum_fixnum() || target.as_fixnum() >= static_cast<std::int64_t>(length_)) continue;
    const auto at = static_cast<std::size_t>(target.as_fixnum());
    if (flow_.depth_at[at] < 0 || !flow_.leader[at]) return false;
    b_.switch_target(static_cast<std::uint32_t>(switches_ << 24 | at), label(at));
  }
  return true;
}

bool Translator::instruction() {
  const unsigned op = byte();
  if (op < 48) return operand_group(op);
  if (op >= 192) {
    push({true, static_cast<std::uint16_t>(op - 192)});
    return true;
  }
  switch (op) {
    case 48:
      b_.emit(Op::pop_handler);
      defined_ = kNone;
      return true;
    case 49:
    case 50: {
      const std::size_t target = word();
      unsigned tag = pop();
      tag = protect(tag);
      flush();
      const Builder::Label landing = b_.make_label();
      b_.push(op == 50 ? Op::push_catch : Op::push_handler, tag, landing);
      landings_.push_back({landing, home(stack_.size()), label(target)});
      return true;
    }
    case 56: binary(Op::nth); return true;
    case 57: test(Op::symbolp, Op::jump_symbolp, Op::jump_not_symbolp); return true;
    case 58: test(Op::consp, Op::jump_consp, Op::jump_not_consp); return true;
    case 59: test(Op::stringp, Op::jump_stringp, Op::jump_not_stringp); return true;
    case 60: unary(Op::listp); return true;
    case 61: compare(kEq); return true;
    case 62: binary(Op::memq); return true;
    case 63: test(Op::not_, Op::jump_nil, Op::jump_true); return true;
    case 64: unary(Op::car); return true;
    case 65: unary(Op::cdr); return true;
    case 66: binary_k(Op::cons, Op::cons_k); return true;
    case 67:
    case 68:
    case 69:
    case 70:
    case 175: {
      const unsigned n = op == 175 ? byte() : op - 66;
      if (n > 250) return false;
      const std::vector<std::uint8_t> args = pop_arguments(n);
      const unsigned r = result();
      const std::size_t place = b_.size();
      b_.emit_arguments(Op::list, r, 0, args);
      push_result(r, place);
      return true;
    }
    case 72: binary_k(Op::aref, Op::aref_k); return true;
    case 73: {
      const Place value = stack_.back();
      const unsigned v = pop();
      if (top_is_small_constant()) {
        const Place k = pop_place();
        b_.emit(Op::aset_k, pop(), k.index, v);
      } else {
        const unsigned i = pop();
        b_.emit(Op::aset, pop(), i, v);
      }
      defined_ = kNone;
      push(value.constant ? value : in_register(v));
      return true;
    }
    case 83: unary(Op::sub1); return true;
    case 84: unary(Op::add1); return true;
    case 85:
    case 86:
    case 87:
    case 88:
    case 89: compare(kNumeric[op - 85]); return true;
    case 90: binary_k(Op::sub, Op::sub_k); return true;
    case 91: unary(Op::negate); return true;
    case 92: commutative(Op::add, Op::add_k); return true;
    case 95: commutative(Op::mul, Op::mul_k); return true;
    case 155: binary(Op::nthcdr); return true;
    case 158: binary(Op::assq); return true;
    case 165: binary(Op::div); return true;
    case 166: binary(Op::rem); return true;
    case 160:
    case 161: {
      const Place value = stack_.back();
      const unsigned v = pop();
      b_.emit(op == 160 ? Op::setcar : Op::setcdr, pop(), v);
      defined_ = kNone;
      push(value.constant ? value : in_register(v));
      return true;
    }
    case 162: unary(Op::car_safe); return true;
    case 163: unary(Op::cdr_safe); return true;
    case 167: unary(Op::numberp); return true;
    case 168: unary(Op::integerp); return true;
    default: return rest_of_instructions(op);
  }
}

bool Translator::rest_of_instructions(unsigned op) {
  const BytePrimitive& p = m_.byte_primitives[op];
  if (p.name[0] != '?') {
    if (p.descriptor == nullptr) return false;
    primitive(op, p.arguments);
    return true;
  }
  switch (op) {
    case 97:
    case 114:
    case 138:
    case 140: b_.emit(Op::save_state, op); break;
    case 116: {
      const unsigned r = result();
      push_result(r, b_.emit(Op::interactive_p, r));
      return true;
    }
    case 129: push({true, static_cast<std::uint16_t>(word())}); return true;
    case 130: jump(word()); return true;
    case 131: branch(word(), true); return true;
    case 132: branch(word(), false); return true;
    case 133: branch_else_pop(word(), true); return true;
    case 134: branch_else_pop(word(), false); return true;
    case 135:
      b_.emit(Op::return_, pop());
      ended_ = true;
      return true;
    case 136: stack_.pop_back(); return true;
    case 137: push(stack_.back()); return true;
    case 142: b_.emit(Op::unwind_protect, pop()); break;
    case 146: b_.emit(Op::unbind_all); break;
    case 170:
    case 171:
    case 172:
    case 173:
    case 174: {
      const unsigned distance = byte();
      const std::size_t target = pc_ + distance - 128;
      if (op == 170) {
        jump(target);
      } else if (op <= 172) {
        branch(target, op == 171);
      } else {
        branch_else_pop(target, op == 173);
      }
      return true;
    }
    case 176: primitive(80, byte()); return true;
    case 177: primitive(99, byte()); return true;
    case 178:
    case 179: {
      const unsigned n = op == 178 ? byte() : word();
      const Place v = stack_.back();
      stack_.pop_back();
      if (n > 0) set_slot(stack_.size() - n, v);
      return true;
    }
    case 182: {
      const unsigned n = byte();
      if ((n & 0x80) == 0) {
        stack_.resize(stack_.size() - n, Place{true, 0});
        return true;
      }
      const Place v = stack_.back();
      stack_.resize(stack_.size() - (n & 0x7F) - 1, Place{true, 0});
      push(v);
      return true;
    }
    case 183: {
      if (!stack_.back().constant || switches_ > 255 || length_ >= 1U << 24) return false;
      if (!switch_targets(slot_raw(constants_, stack_.back().index))) return false;
      unsigned table = pop();
      unsigned key = pop();
      table = protect(table);
      key = protect(key);
      flush();
      b_.emit(Op::switch_, key, table, switches_++);
      return true;
    }
    default: return false;
  }
  defined_ = kNone;
  return true;
}

}  // namespace

std::optional<core::bytecode::Code> translate_stack_code(Context& cx, Value object) {
  StackFlow flow;
  const int arguments = stack_arguments(object);
  if (arguments > 200 || !follow_stack_code(cx, object, arguments, &flow) || flow.mixed) return std::nullopt;
  if (slot_count_raw(slot_raw(object, 2)) > 0xFFFF) return std::nullopt;
  Translator t(cx, object, flow);
  if (!t.run()) return std::nullopt;
  core::bytecode::Code code = t.builder().finish();
  if (t.builder().failed()) return std::nullopt;
  code.value_homes = t.argument_homes();
  const Value shape = slot_raw(object, 0);
  code.parameters = static_cast<std::uint16_t>(arguments);
  if (shape.is_fixnum()) {
    code.mandatory = static_cast<std::uint16_t>(shape.as_fixnum() & 127);
    code.rest = (shape.as_fixnum() & 128) != 0;
  }
  code.constants = static_cast<std::uint16_t>(slot_count_raw(slot_raw(object, 2)));
  return code;
}

}  // namespace neovm::elisp
