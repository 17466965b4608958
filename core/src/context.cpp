#include "neovm/core/context.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

extern "C" void* __libc_stack_end;  // of the dynamic loader

namespace neovm {

Context::Context(Isolate& isolate, std::size_t stack_values) : isolate_(isolate) {
  stack_bytes_ = (stack_values + kStackReserve) * sizeof(Value);
  void* p = mmap(nullptr, stack_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) std::abort();
  stack_base = sp = static_cast<Value*>(p);
  stack_limit = stack_base + stack_values;
  tables = isolate.standard_tables();
  isolate.contexts_.push_back(this);

  // The stack's highest address, and how much there is of it.
  char* base = nullptr;
  std::size_t size = 0;
  pthread_attr_t attr;
  if (pthread_getattr_np(pthread_self(), &attr) == 0) {
    void* low = nullptr;
    pthread_attr_getstack(&attr, &low, &size);
    pthread_attr_destroy(&attr);
    base = static_cast<char*>(low) + size;
  } else if (rlimit limit{}; getpid() == gettid() && getrlimit(RLIMIT_STACK, &limit) == 0) {
    // The main thread's stack is in a file of /proc, which may be missing.
    base = static_cast<char*>(__libc_stack_end);
    size = limit.rlim_cur;
  }
  if (base == nullptr) std::abort();  // the collector must know what to look at
  // An unlimited main stack is reported as huge; keep a sane budget either way.
  native_stack_base = base;
  const std::size_t usable = std::min<std::size_t>(size, std::size_t{512} << 20);
  native_reserve_ = std::min<std::size_t>(usable / 4, kNativeReserve);
  native_stack_limit = base - usable + native_reserve_;
}

Context::~Context() {
  if (guest_destroy != nullptr) guest_destroy(*this);
  auto& all = isolate_.contexts_;
  all.erase(std::remove(all.begin(), all.end(), this), all.end());
  munmap(stack_base, stack_bytes_);
}

void Context::open_reserve() {
  stack_limit += kStackReserve;
  native_stack_limit = static_cast<const char*>(native_stack_limit) - native_reserve_ / 2;
}

void Context::trace(Tracer& t) {
  for (Value* p = stack_base; p < sp; ++p) t.visit(p);
  for (Binding& b : bindings) {
    t.visit(&b.symbol);
    t.visit(&b.value);
    t.visit(&b.where);
  }
  for (Handler& h : handlers) t.visit(&h.tag);
  t.visit(&exit_tag);
  t.visit(&exit_data);
  t.visit(&locals);
  t.visit(&tables.syntax);
  t.visit(&tables.category);
  t.visit(&tables.downcase);
  t.visit(&match.last);
  for (RootVector* r = root_vectors; r != nullptr; r = r->next)
    for (Value& v : r->values) t.visit(&v);
  if (guest_trace != nullptr) guest_trace(*this, t);
}

BindingStack::~BindingStack() { std::free(data_); }

void BindingStack::grow() {
  capacity_ = capacity_ == 0 ? 256 : capacity_ * 2;
  data_ = static_cast<Binding*>(std::realloc(static_cast<void*>(data_), capacity_ * sizeof(Binding)));
  if (data_ == nullptr) std::abort();
}

RootVector::RootVector(Context& cx) : next(cx.root_vectors), cx_(cx) {
  if (next != nullptr) next->previous = this;
  cx.root_vectors = this;
}

RootVector::~RootVector() {
  if (previous != nullptr) {
    previous->next = next;
  } else {
    cx_.root_vectors = next;
  }
  if (next != nullptr) next->previous = previous;
}

CurrentTables& current_tables(Context& cx) { return cx.tables; }
MatchData& match_data(Context& cx) { return cx.match; }
Value current_locals(Context& cx) { return cx.locals; }
void set_current_locals(Context& cx, Value locals) { cx.locals = locals; }

}  // namespace neovm
