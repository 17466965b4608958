// Emacs trusts byte-code and crashes on objects made by hand; here each object is followed once along all
// its paths. Only stack depth, operands and jump targets matter: types are checked as the code runs.
#include "byte_verify.hpp"

#include <vector>

#include "machine.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/hash_table.hpp"
#include "tiers.hpp"

namespace neovm::elisp {

namespace {

// Room that run_bytecode keeps free beyond the declared depth.
constexpr int kSlack = 64;

struct Walk {
  Context& cx;
  const std::uint8_t* code;
  std::int64_t length;
  Value constants;
  int limit;
  StackFlow& flow_out;
  std::vector<std::uint8_t> handlers_at;
  std::vector<std::int32_t> pending;
  std::int16_t context = -1;  // at the instruction being followed

  bool reach(std::int64_t pc, int depth, int handler_count) {
    if (pc < 0 || pc >= length || depth < 0 || depth > limit || handler_count < 0 || handler_count > 250) return false;
    const auto at = static_cast<std::size_t>(pc);
    if (flow_out.depth_at[at] >= 0) {
      if (flow_out.context_at[at] != context) flow_out.mixed = true;
      return flow_out.depth_at[at] == depth && handlers_at[at] == handler_count;
    }
    flow_out.depth_at[at] = static_cast<std::int16_t>(depth);
    flow_out.context_at[at] = context;
    handlers_at[at] = static_cast<std::uint8_t>(handler_count);
    pending.push_back(static_cast<std::int32_t>(pc));
    return true;
  }
  bool jump_to(std::int64_t from, std::int64_t pc, int depth, int handler_count) {
    if (!reach(pc, depth, handler_count)) return false;
    flow_out.leader[static_cast<std::size_t>(pc)] = true;
    if (pc <= from) flow_out.loop_start[static_cast<std::size_t>(pc)] = true;
    return true;
  }
  void note_write(int slot) {
    if (slot >= 0 && slot < flow_out.arguments) flow_out.argument_written[static_cast<std::size_t>(slot)] = true;
  }
  bool constant_ok(std::int64_t i, bool symbol) const {
    return i < slot_count_raw(constants) && (!symbol || slot_raw(constants, i).is_symbol());
  }
  bool step(std::int64_t pc);
};

// One instruction from a reached place: checks it and reaches its successors.
bool Walk::step(std::int64_t pc) {
  const int d = flow_out.depth_at[static_cast<std::size_t>(pc)];
  const int h = handlers_at[static_cast<std::size_t>(pc)];
  context = flow_out.context_at[static_cast<std::size_t>(pc)];
  const std::int64_t start = pc;
  const unsigned op = code[pc++];
  const auto byte = [&]() -> int { return pc < length ? code[pc++] : (pc = length + 1, 0); };
  const auto word = [&]() -> int {
    const int low = byte();
    return low | byte() << 8;
  };
  // Effect of an ordinary instruction that pops `in` values and pushes `out`.
  const auto flow = [&](int in, int out) {
    if (out > 0 && d >= in) note_write(d - in + out - 1);
    return pc <= length && d >= in && reach(pc, d - in + out, h);
  };

  if (op < 56) {
    if (op >= 48) {
      if (op == 48) {
        if (context >= 0) context = flow_out.contexts[static_cast<std::size_t>(context)].parent;
        return h > 0 && reach(pc, d, h - 1);
      }
      if (op > 50) return flow(0, 0);  // signals an invalid opcode
      const int target = word();
      if (d < 1 || pc > length || !jump_to(start, target, d, h)) return false;
      note_write(d - 1);
      flow_out.contexts.push_back({context, static_cast<std::int16_t>(d - 1)});
      context = static_cast<std::int16_t>(flow_out.contexts.size() - 1);
      return reach(pc, d - 1, h + 1);
    }
    const unsigned low = op & 7;
    const int n = low < 6 ? static_cast<int>(low) : (low == 6 ? byte() : word());
    switch (op >> 3) {
      case 0: return d >= (op == 0 ? 1 : n + 1) && flow(0, 1);
      case 1: return constant_ok(n, true) && flow(0, 1);
      case 2:
      case 3: return constant_ok(n, true) && flow(1, 0);
      case 4: return flow(n + 1, 1);
      default: return flow(0, 0);
    }
  }
  if (op >= 192) return constant_ok(op - 192, false) && flow(0, 1);
  const BytePrimitive& p = machine(cx).byte_primitives[op];
  if (p.name[0] != '?') return flow(static_cast<int>(p.arguments), 1);
  switch (op) {
    case 57:
    case 58:
    case 59:
    case 60:
    case 63:
    case 64:
    case 65:
    case 67:
    case 162:
    case 163:
    case 167:
    case 168: return flow(1, 1);
    case 61:
    case 66:
    case 68:
    case 160:
    case 161: return flow(2, 1);
    case 69: return flow(3, 1);
    case 70: return flow(4, 1);
    case 97:
    case 114:
    case 138:
    case 140:
    case 146: return flow(0, 0);
    case 116: return flow(0, 1);
    case 129: {
      const int n = word();
      return constant_ok(n, false) && flow(0, 1);
    }
    case 130: return jump_to(start, word(), d, h) && pc <= length;
    case 131:
    case 132: {
      const int target = word();
      return d >= 1 && jump_to(start, target, d - 1, h) && flow(1, 0);
    }
    case 133:
    case 134: {
      const int target = word();
      return d >= 1 && jump_to(start, target, d, h) && flow(1, 0);
    }
    case 135: return d >= 1 && h == 0;
    case 136: return flow(1, 0);
    case 137: return flow(1, 2);
    case 139: return flow(1, 1);
    case 141: return flow(2, 1);
    case 142: return flow(1, 0);
    case 143: return flow(3, 1);
    case 144: return flow(1, 1);
    case 145: return flow(2, 1);
    case 170:
    case 171:
    case 172:
    case 173:
    case 174: {
      byte();
      const std::int64_t target = pc + code[start + 1] - 128;
      if (op == 170) return pc <= length && jump_to(start, target, d, h);
      if (op >= 173) return d >= 1 && jump_to(start, target, d, h) && flow(1, 0);
      return d >= 1 && jump_to(start, target, d - 1, h) && flow(1, 0);
    }
    case 175:
    case 176:
    case 177: {
      const int n = byte();
      return flow(n, 1);
    }
    case 178: {
      const int n = byte();
      note_write(d - 1 - n);
      return d >= n + 1 && flow(1, 0);
    }
    case 179: {
      const int n = word();
      note_write(d - 1 - n);
      return d >= n + 1 && flow(1, 0);
    }
    case 182: {
      const int n = byte();
      if ((n & 0x80) != 0) return d >= (n & 0x7F) + 1 && flow((n & 0x7F) + 1, 1);
      return flow(n, 0);
    }
    case 183: {
      // Its table is the constant pushed just before; any table among the constants may be meant.
      if (d < 2) return false;
      for (std::int64_t i = 0; i < slot_count_raw(constants); ++i) {
        const Value table = slot_raw(constants, i);
        const bool pushed_before =
            (start >= 1 && code[start - 1] == 192 + i && i < 64) ||
            (start >= 3 && code[start - 3] == 129 && (code[start - 2] | code[start - 1] << 8) == i);
        if (!pushed_before || !is_hash_table(table)) continue;
        for (std::int64_t k = 0; k < core::hash_capacity_raw(table); ++k) {
          if (core::hash_key_raw(table, k).is_unbound()) continue;
          const Value target = core::hash_value_raw(table, k);
          if (target.is_fixnum() && !jump_to(start, target.as_fixnum(), d - 2, h)) return false;
        }
      }
      return flow(2, 0);
    }
    default: return true;  // signals an invalid opcode when it is met
  }
}

}  // namespace

bool follow_stack_code(Context& cx, Value object, int arguments, StackFlow* flow) {
  const Value code = slot_raw(object, 1);
  const std::int64_t length = string_bytes(code);
  *flow = {};
  flow->arguments = arguments;
  flow->argument_written.assign(static_cast<std::size_t>(arguments), false);
  flow->depth_at.assign(static_cast<std::size_t>(length), -1);
  flow->context_at.assign(static_cast<std::size_t>(length), -1);
  flow->leader.assign(static_cast<std::size_t>(length), false);
  flow->loop_start.assign(static_cast<std::size_t>(length), false);
  Walk w{cx, string_data_raw(code), length, slot_raw(object, 2), 0, *flow, {}, {}};
  w.limit = static_cast<int>(slot_raw(object, 3).as_fixnum()) + arguments + kSlack;
  w.handlers_at.assign(static_cast<std::size_t>(length), 0);
  if (!w.reach(0, arguments, 0)) return false;
  while (!w.pending.empty()) {
    const std::int32_t pc = w.pending.back();
    w.pending.pop_back();
    if (!w.step(pc)) return false;
  }
  return true;
}

int stack_arguments(Value object) {
  const Value shape = slot_raw(object, 0);
  if (!shape.is_fixnum()) return 0;
  const std::int64_t bits = shape.as_fixnum();
  return static_cast<int>(bits >> 8) + ((bits & 128) != 0 ? 1 : 0);
}

Value verify_byte_code(Context& cx, Value object) {
  if (slot_count_raw(object) < 4) return signal_error1(cx, Qinvalid_function, object);
  const Value code = slot_raw(object, 1);
  if (code.is_cons()) return unimplemented(cx, "byte-code that is fetched on demand");
  if (!code.is_string()) return wrong_type(cx, Qstringp, code);
  if (!is_vector(slot_raw(object, 2))) return wrong_type(cx, Qvectorp, slot_raw(object, 2));
  const Value depth = slot_raw(object, 3);
  if (!depth.is_natnum_fixnum() || depth.as_fixnum() > 0x4000) return wrong_type(cx, Qwholenump, depth);
  if (string_multibyte(code)) {
    const Value bytes = TRY(make_unibyte_string(cx, to_std_string(code)));
    set_slot_raw(object, 1, bytes);
  }
  const Value shape = slot_raw(object, 0);
  if (shape.is_fixnum()) {
    const std::int64_t bits = shape.as_fixnum();
    if (bits < 0 || bits > 0xFFFF || (bits & 127) > bits >> 8) return signal_error1(cx, Qinvalid_function, object);
  } else if (!shape.is_list()) {
    return signal_error1(cx, Qinvalid_function, object);
  }
  StackFlow flow;
  if (!follow_stack_code(cx, object, stack_arguments(object), &flow)) return error_text(cx, "Invalid byte code");
  // From now on nobody writes to the code: frames run in it.
  string_raw(slot_raw(object, 1))->header.aux = 1;
  set_state_number(object, kNoState);
  return kNil;
}

namespace {

// FUNCTION and the functions among its constants, which it makes closures of or hands on.
void verify_with_parts(Context& cx, Value function) {
  if (function.is_cons() && car_raw(function) == Qmacro) function = cdr_raw(function);
  if (!is_byte_code(function) || state_number(function) != kNotVerified) return;
  if (verify_byte_code(cx, function).is_exit()) {
    cx.exit_kind = ExitKind::kNone;  // it says so when it is called
    return;
  }
  for (std::int64_t i = 0; i < slot_count_raw(slot_raw(function, 2)); ++i)
    verify_with_parts(cx, slot_raw(slot_raw(function, 2), i));
}

// Functions in LIST, a property's value, and in lists in it, as those that compute an option's standard value.
void verify_in_list(Context& cx, Value list, int levels = 3) {
  verify_with_parts(cx, list);
  for (int room = 100; levels > 0 && list.is_cons() && room > 0; --room, list = cdr_raw(list))
    verify_in_list(cx, car_raw(list), levels - 1);
}

}  // namespace

void verify_functions(Context& cx) {
  cx.isolate().each_symbol(
      [](void* data, Value symbol) {
        Context& c = *static_cast<Context*>(data);
        verify_with_parts(c, c.cells(symbol).function);
        for (Value rest = c.cells(symbol).plist; rest.is_cons() && cdr_raw(rest).is_cons();
             rest = cdr_raw(cdr_raw(rest)))
          verify_in_list(c, car_raw(cdr_raw(rest)));
      },
      &cx);
}

}  // namespace neovm::elisp
