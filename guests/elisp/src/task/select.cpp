// select: the macro, and the function behind it.
//
//   (select ((recv CHANNEL VAR [OPEN-VAR]) BODY...) ((send CHANNEL VALUE) BODY...) ((timeout MS) BODY...) ((default) BODY...))
//
// expands to a call of task--select with the evaluated cases and a `cond' over the index it returns.
#include <deque>

#include "task/task.hpp"

namespace neovm::elisp {

namespace {

Value bad_clause(Context& cx, Value clause) {
  return signal_error2(cx, Qerror, make_string(cx, "Malformed clause of `select'"), clause);
}

class SelectWait : public PendingWait {
 public:
  using PendingWait::PendingWait;
  void receive(LispChannel* channel) {
    Case& c = add(channel);
    cases.push_back(&c.recv.emplace(channel->channel));
  }
  void send(LispChannel* channel, Message&& message) {
    Case& c = add(channel);
    c.message = std::move(message);
    cases.push_back(&c.send.emplace(channel->channel, c.message));
  }
  Value finish(Context& cx, worker::Selected got) override {
    if (got.index >= all_.size()) return list(cx, {Value::fixnum(-1), kNil, kNil});
    Case& won = all_[got.index];
    const bool open = got.status == worker::Status::kOk;
    Value value = kNil;
    if (won.recv && open) value = TRY(unpack(cx, won.recv->take()));
    return list(cx, {Value::fixnum(static_cast<std::int64_t>(got.index)), value, boolean(open)});
  }

 private:
  struct Case {
    Ref<LispChannel> channel;
    Message message;
    std::optional<worker::RecvCase<Message>> recv;
    std::optional<worker::SendCase<Message>> send;
  };
  Case& add(LispChannel* channel) {
    Case& c = all_.emplace_back();
    c.channel = Ref<LispChannel>::share(channel);
    return c;
  }
  std::deque<Case> all_;  // its elements do not move
};

NEOVM_PRIMITIVE(task_select, "task--select", 1, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kNondeterministic,
                "Do one of CASES and return (INDEX VALUE OPEN), INDEX counting from 0; -1 for the timeout or DEFAULT.")
(Context& cx, Value cases, Value timeout, Value or_default) {
  auto wait = std::make_unique<SelectWait>(cx);
  wait->limits.until = TRY(timeout_argument(cx, timeout));
  wait->limits.or_default = or_default.truthy();
  TRY(check_type(cx, cases.is_list(), Qlistp, cases));
  for (Value l = cases; l.is_cons(); l = cdr_raw(l)) {  // (CHANNEL) or (CHANNEL VALUE)
    const Value one = car_raw(l);
    LispChannel* const channel = TRY(check_channel(cx, car_of_list(one)));
    if (cdr_of_list(one).is_cons()) {
      wait->send(channel, TRY(pack(cx, car_raw(cdr_raw(one)), "value")));
    } else {
      wait->receive(channel);
    }
  }
  if (cases.is_nil() && timeout.is_nil() && or_default.is_nil()) return error_text(cx, "Waiting for nothing");
  return wait_then_finish(cx, std::move(wait));
}

NEOVM_PRIMITIVE(task_require_open, "task--require-open", 2, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry,
                kDeterministic, "Signal that CHANNEL is closed unless OPEN.")
(Context& cx, Value open, Value channel) {
  if (open.is_nil()) return signal_error1(cx, intern(cx, "channel-closed"), channel);
  return kNil;
}

// The macro's expander.
NEOVM_PRIMITIVE(task_expand_select, "task--expand-select", 0, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry,
                kDeterministic, "Return the expansion of `select' with CLAUSES.")
(Context& cx, Arguments clauses) {
  const Value chosen = make_symbol(cx, make_string(cx, "chosen"));
  const Value channels = make_symbol(cx, make_string(cx, "channels"));
  const Value call_list = intern(cx, "list");
  Value cases = kNil;     // (list (list CHANNEL) (list CHANNEL VALUE) …), reversed
  Value branches = kNil;  // of the cond, reversed
  Value timeout = kNil;
  Value with_default = kNil;
  std::int64_t count = 0;
  bool limit = false;
  const auto index_is = [&](std::int64_t i) {
    return list(cx, {intern(cx, "eq"), list(cx, {intern(cx, "car"), chosen}), Value::fixnum(i)});
  };
  for (const Value clause : clauses) {
    if (!clause.is_cons() || !car_raw(clause).is_cons() || !car_raw(car_raw(clause)).is_symbol())
      return bad_clause(cx, clause);
    const Value head = car_raw(clause);
    const Value body = cdr_raw(clause);
    const std::string_view kind = symbol_name_view(cx, car_raw(head));
    std::vector<Value> parts;
    for (Value l = cdr_raw(head); l.is_cons(); l = cdr_raw(l)) parts.push_back(car_raw(l));
    if (kind == "recv" && !parts.empty() && parts.size() <= 3) {
      for (std::size_t i = 1; i < parts.size(); ++i)
        if (!parts[i].is_symbol()) return bad_clause(cx, clause);
      cases = cons(cx, list(cx, {call_list, parts[0]}), cases);
      const Value open = list(cx, {intern(cx, "nth"), Value::fixnum(2), chosen});
      Value bindings = kNil;
      if (parts.size() > 2) bindings = cons(cx, list(cx, {parts[2], open}), bindings);
      if (parts.size() > 1 && !parts[1].is_nil())
        bindings = cons(cx, list(cx, {parts[1], list(cx, {intern(cx, "nth"), Value::fixnum(1), chosen})}), bindings);
      Value inner = cons(cx, intern(cx, "let"), cons(cx, bindings, body.is_nil() ? list(cx, {kNil}) : body));
      Value branch = list(cx, {inner});
      if (parts.size() < 3) {
        const Value channel =
            list(cx, {intern(cx, "car"), list(cx, {intern(cx, "nth"), Value::fixnum(count), channels})});
        branch = cons(cx, list(cx, {intern(cx, "task--require-open"), open, channel}), branch);
      }
      branches = cons(cx, cons(cx, index_is(count++), branch), branches);
    } else if (kind == "send" && parts.size() == 2) {
      cases = cons(cx, list(cx, {call_list, parts[0], parts[1]}), cases);
      const Value open = list(cx, {intern(cx, "nth"), Value::fixnum(2), chosen});
      const Value channel =
          list(cx, {intern(cx, "car"), list(cx, {intern(cx, "nth"), Value::fixnum(count), channels})});
      const Value check = list(cx, {intern(cx, "task--require-open"), open, channel});
      branches =
          cons(cx, cons(cx, index_is(count++), cons(cx, check, body.is_nil() ? list(cx, {kNil}) : body)), branches);
    } else if (kind == "timeout" && parts.size() == 1 && !limit) {
      limit = true;
      timeout = parts[0];
      branches = cons(cx, cons(cx, index_is(-1), body.is_nil() ? list(cx, {kNil}) : body), branches);
    } else if (kind == "default" && parts.empty() && !limit) {
      limit = true;
      with_default = Qt;
      branches = cons(cx, cons(cx, index_is(-1), body.is_nil() ? list(cx, {kNil}) : body), branches);
    } else {
      return bad_clause(cx, clause);
    }
  }
  const Value evaluated = cons(cx, call_list, nreverse_list(cases));
  const Value select = list(cx, {intern(cx, "task--select"), channels, timeout, with_default});
  const Value bindings = list(cx, {list(cx, {channels, evaluated}), list(cx, {chosen, select})});
  return list(cx, {intern(cx, "let*"), bindings, cons(cx, intern(cx, "cond"), nreverse_list(branches))});
}

NEOVM_INIT(select_macro, kLate)(Context& cx) {
  const Value expander = symbol_function(cx, intern(cx, "task--expand-select"));
  set_symbol_function(cx, intern(cx, "select"), cons(cx, intern(cx, "macro"), expander));
}

}  // namespace

}  // namespace neovm::elisp
