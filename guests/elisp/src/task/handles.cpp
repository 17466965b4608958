// Task and channel objects: how they print, compare, travel and die.
#include "task/task.hpp"

namespace neovm::elisp {

namespace {

template <class T>
struct Handle {
  T* object;
};

template <class T>
T* object_of(Value v) {
  return host_payload_raw<Handle<T>>(v)->object;
}
template <class T>
void finalize(void* payload) {
  if (T* object = static_cast<Handle<T>*>(payload)->object) object->release();
}
template <class T>
bool same(Context&, Value a, Value b) {
  return object_of<T>(a) == object_of<T>(b);
}
template <class T>
void* send(Context&, Value self) {
  T* object = object_of<T>(self);
  object->retain();
  return object;
}
template <class T>
void drop(void* reference) {
  static_cast<T*>(reference)->release();
}
Value receive_task(Context& cx, void* reference) {
  return make_task_handle(cx, Ref<LispTask>::adopt(static_cast<LispTask*>(reference)));
}
Value receive_channel(Context& cx, void* reference) {
  return make_channel_handle(cx, Ref<LispChannel>::adopt(static_cast<LispChannel*>(reference)));
}

Value print_task(Context& cx, Value self) {
  const LispTask* t = object_of<LispTask>(self);
  return make_string(cx, "#<task " + (t->name.empty() ? std::to_string(t->id) : t->name) + ">");
}
Value print_channel(Context& cx, Value self) {
  return make_string(cx, "#<channel " + std::to_string(object_of<LispChannel>(self)->id) + ">");
}

constexpr TravelHooks kTaskHooks = {send<LispTask>, receive_task, drop<LispTask>};
constexpr TravelHooks kChannelHooks = {send<LispChannel>, receive_channel, drop<LispChannel>};

constexpr int kBacktraceSlot = 0;
constexpr HostType task_type() {
  HostType t{};
  t.name = "task";
  t.type_symbol = Qtask;
  t.slot_count = 1;
  t.payload_bytes = sizeof(Handle<LispTask>);
  t.finalize = finalize<LispTask>;
  t.print_re = print_task;
  t.equal = same<LispTask>;
  t.travel = &kTaskHooks;
  return t;
}
constexpr HostType channel_type() {
  HostType t{};
  t.name = "channel";
  t.type_symbol = Qchannel;
  t.payload_bytes = sizeof(Handle<LispChannel>);
  t.finalize = finalize<LispChannel>;
  t.print_re = print_channel;
  t.equal = same<LispChannel>;
  t.travel = &kChannelHooks;
  return t;
}
constexpr HostType kTaskType = task_type();
constexpr HostType kChannelType = channel_type();
NEOVM_HOST_TYPE(kTaskType)
NEOVM_HOST_TYPE(kChannelType)

// The handle of `object` in this isolate: the one that is there already, so that handles of one object are eq.
template <class T>
Value make_handle(Context& cx, const HostType* type, Ref<T> object) {
  TaskState* const state = task_state(cx);
  const Value number = Value::fixnum(static_cast<std::int64_t>(object->id));
  Value table = kNil;
  if (state != nullptr) {
    table = state->handles.get();
    if (table.is_nil()) {
      table = make_hash_table(cx, HashTest::kEq, WeakKind::kValue);
      state->handles.set(table);
    }
    const Value known = hash_table_get(cx, table, number);
    if (is_host(known, type) && object_of<T>(known) == object.get()) return known;
  }
  const Value v = make_host_object(cx, type);
  object->retain();  // the handle's; `object` gives its own back
  host_payload_raw<Handle<T>>(v)->object = object.get();
  if (state != nullptr) hash_table_put(cx, table, number, v);
  return v;
}

}  // namespace

Value make_task_handle(Context& cx, Ref<LispTask> task) { return make_handle(cx, &kTaskType, std::move(task)); }
Value make_channel_handle(Context& cx, Ref<LispChannel> channel) {
  return make_handle(cx, &kChannelType, std::move(channel));
}
LispTask* task_of(Value v) { return is_host(v, &kTaskType) ? object_of<LispTask>(v) : nullptr; }
LispChannel* channel_of(Value v) { return is_host(v, &kChannelType) ? object_of<LispChannel>(v) : nullptr; }

Maybe<LispTask*> check_task(Context& cx, Value v) {
  LispTask* t = task_of(v);
  if (t == nullptr) return wrong_type(cx, intern(cx, "taskp"), v);
  return t;
}
Maybe<LispChannel*> check_channel(Context& cx, Value v) {
  LispChannel* c = channel_of(v);
  if (c == nullptr) return wrong_type(cx, intern(cx, "channelp"), v);
  return c;
}
void set_task_backtrace(Value handle, Value backtrace) { set_host_slot_raw(handle, kBacktraceSlot, backtrace); }
Value task_backtrace(Value handle) { return host_slot_raw(handle, kBacktraceSlot); }

}  // namespace neovm::elisp
