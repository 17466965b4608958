// An image holds what was written, at the window and relocated; a bad one is refused with a reason.
#include "neovm/core/image.hpp"
#include "neovm/core/array_list.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <vector>

#include "neovm/core/external_body.hpp"

namespace neovm {
namespace {

struct Note {
  std::int64_t number;
  char* text;
};
Value save_note(Context& cx, Value self) {
  const Note* n = host_payload_raw<Note>(self);
  return list(cx, {make_integer(cx, n->number), make_string(cx, n->text)});
}
void restore_note(Context&, Value self, Value saved) {
  Note* n = host_payload_raw<Note>(self);
  n->number = car_raw(saved).as_fixnum();
  n->text = strdup(to_std_string(car_raw(cdr_raw(saved))).c_str());
}
void free_note(void* payload) { std::free(static_cast<Note*>(payload)->text); }
const HostType kNoteType = {"image-note", Qvector, 1,       sizeof(Note),         nullptr,
                            free_note,    nullptr, nullptr, ImagePayload::kHooks, save_note,
                            restore_note};
const HostType kPlainType = {"image-plain", Qvector, 2, 8, nullptr, nullptr, nullptr, nullptr, ImagePayload::kPlain};
const HostType kStubbornType = {"image-stubborn", Qvector, 0, 8, nullptr, nullptr, nullptr, nullptr};
NEOVM_HOST_TYPE(kNoteType)
NEOVM_HOST_TYPE(kPlainType)
NEOVM_HOST_TYPE(kStubbornType)

NEOVM_PRIMITIVE(image_probe, "image-test-probe", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return ARG; the image has to find this function again.")
(Context&, Value v) { return v; }

struct Counter {
  std::int64_t count = 0;
};
Extension counter_extension(Counter* c) {
  Extension e;
  e.state = c;
  e.save = [](Context& cx, void* state) { return make_integer(cx, static_cast<Counter*>(state)->count); };
  e.restore = [](Context&, void* state, Value v) { static_cast<Counter*>(state)->count = v.as_fixnum(); };
  return e;
}

std::string temporary(const char* name) {
  return testing::TempDir() + "neovm-" + std::to_string(getpid()) + "-" + name + ".image";
}

Value symbol(Context& cx, const char* name) { return intern(cx, name); }
void put(Context& cx, const char* name, Value v) { store(&cx.cells(symbol(cx, name)).value, v); }
Value get(Context& cx, const char* name) {
  const Value s = intern_soft(cx, name);
  return s.is_unbound() ? s : cx.cells(s).value;
}

// One isolate with some of everything, written to `path`.
std::string write_sample(const std::string& path, core::ImageSize* size = nullptr) {
  IsolateOptions options;
  options.building = true;
  options.heap.verify = true;
  Isolate isolate(options);
  Context cx(isolate);
  Counter counter{41};
  set_extension(cx, ExtensionId::kGuestMisc, counter_extension(&counter));

  Value shared = list(cx, {Value::fixnum(1), make_float(cx, 2.5), make_string(cx, "drei")});
  put(cx, "sample-a", cons(cx, shared, shared));
  put(cx, "sample-hash", shared);
  Value big = make_vector(cx, 20'000, Value::fixnum(3));
  set_slot_raw(big, 19'999, shared);
  put(cx, "sample-big", big);
  Value list_value = kNil;
  for (int i = 0; i < 100'000; ++i) list_value = cons(cx, make_float(cx, i), list_value);
  put(cx, "sample-list", list_value);
  Value uninterned = make_symbol(cx, make_string(cx, "lonely"));
  store(&cx.cells(uninterned).plist, list(cx, {uninterned, Qt}));
  put(cx, "sample-symbol", uninterned);

  ObjectHeader* subr = cx.heap().allocate(ObjectKind::kSubr, sizeof(SubrObject));
  reinterpret_cast<SubrObject*>(subr)->descriptor = &desc_image_probe;
  store(&cx.cells(symbol(cx, "sample-function")).function, Value::pointer(subr, Tag::kObject));

  const Value note = make_host_object(cx, &kNoteType);
  host_payload_raw<Note>(note)->number = 77;
  host_payload_raw<Note>(note)->text = strdup("a note");
  set_host_slot_raw(note, 0, note);
  put(cx, "sample-note", note);
  const Value plain = make_host_object(cx, &kPlainType);
  set_host_slot_raw(plain, 1, make_string(cx, "in a slot"));
  *host_payload_raw<std::int64_t>(plain) = 1234;
  put(cx, "sample-plain", plain);

  ExternalBody* body = make_external_body(9000);
  std::memset(body->data(), 'e', 9000);
  const Value external = make_unibyte_string(cx, "x");  // not the shared empty one
  StringObject* o = string_raw(external);
  o->header.flags |= kStringExternalBody;
  o->data = body->data();
  o->chars = o->bytes = 9000;
  o->body = kNil;
  cx.heap().note_external_string(o);
  put(cx, "sample-external", external);

  const Value grown = core::concat_strings(cx, make_string(cx, "gro"), make_string(cx, "wn"), true);
  Value items = core::make_array_list(cx, std::vector<Value>{Value::fixnum(1)});
  items = core::array_list_append(cx, items, grown, true);
  EXPECT_TRUE(core::has_one_holder(items));
  put(cx, "sample-array-list", items);
  put(cx, "sample-grown", core::concat_strings(cx, grown, grown, false));

  isolate.main_obarray.set(make_vector(cx, 1, Value::fixnum(0)));
  isolate.standard_tables().syntax = shared;
  put(cx, "sample-cons-hash", Value::fixnum(identity_hash(cx, shared)));
  put(cx, "sample-string-hash", Value::fixnum(identity_hash(cx, car_raw(cdr_raw(cdr_raw(shared))))));
  return core::write_image(cx, path, size);
}

void check_sample(Context& cx) {
  const Value a = get(cx, "sample-a");
  ASSERT_TRUE(a.is_cons());
  const Value shared = car_raw(a);
  EXPECT_EQ(shared, cdr_raw(a));
  EXPECT_EQ(shared, get(cx, "sample-hash"));
  EXPECT_EQ(shared, standard_tables(cx).syntax);
  EXPECT_EQ(float_raw(car_raw(cdr_raw(shared))), 2.5);
  EXPECT_EQ(string_view_of(car_raw(cdr_raw(cdr_raw(shared)))), "drei");
  EXPECT_EQ(slot_raw(get(cx, "sample-big"), 19'999), shared);
  int n = 0;
  for (Value l = get(cx, "sample-list"); l.is_cons(); l = cdr_raw(l)) ASSERT_EQ(float_raw(car_raw(l)), 99'999 - n++);
  EXPECT_EQ(n, 100'000);
  const Value items = get(cx, "sample-array-list");
  ASSERT_TRUE(core::is_array_list(items));
  ASSERT_EQ(core::array_list_length(items), 2);
  EXPECT_EQ(string_view_of(core::array_list_item(items, 1)), "grown");
  EXPECT_EQ(string_view_of(get(cx, "sample-grown")), "growngrown");
  // What comes from an image is copied before it grows.
  EXPECT_FALSE(core::has_one_holder(items));
  EXPECT_FALSE(core::has_one_holder(get(cx, "sample-grown")));
  const Value lonely = get(cx, "sample-symbol");
  EXPECT_EQ(symbol_name_view(cx, lonely), "lonely");
  EXPECT_EQ(car_raw(cx.cells(lonely).plist), lonely);
  const Value f = cx.cells(symbol(cx, "sample-function")).function;
  ASSERT_TRUE(is_subr(f));
  EXPECT_EQ(f.as_pointer<SubrObject>()->descriptor, &desc_image_probe);
  const Value note = get(cx, "sample-note");
  ASSERT_TRUE(is_host(note, &kNoteType));
  EXPECT_EQ(host_slot_raw(note, 0), note);
  EXPECT_EQ(host_payload_raw<Note>(note)->number, 77);
  EXPECT_STREQ(host_payload_raw<Note>(note)->text, "a note");
  const Value plain = get(cx, "sample-plain");
  ASSERT_TRUE(is_host(plain, &kPlainType));
  EXPECT_EQ(*host_payload_raw<std::int64_t>(plain), 1234);
  EXPECT_EQ(string_view_of(host_slot_raw(plain, 1)), "in a slot");
  EXPECT_EQ(string_view_of(get(cx, "sample-external")), std::string(9000, 'e'));
  EXPECT_TRUE(is_vector(cx.isolate().main_obarray.get()));
  EXPECT_EQ(Value::fixnum(identity_hash(cx, shared)), get(cx, "sample-cons-hash"));
  EXPECT_EQ(Value::fixnum(identity_hash(cx, car_raw(cdr_raw(cdr_raw(shared))))), get(cx, "sample-string-hash"));
  EXPECT_EQ(intern(cx, "car"), Qcar);
  EXPECT_EQ(cx.cells(Qt).value, Qt);
}

void load_and_check(const std::string& path, const core::ImageLoadOptions& load) {
  IsolateOptions options;
  options.heap.verify = true;
  options.heap.stress = true;
  Isolate isolate(options);
  Context cx(isolate);
  Counter counter;
  set_extension(cx, ExtensionId::kGuestMisc, counter_extension(&counter));
  ASSERT_EQ(core::load_image(cx, path, load), "");
  EXPECT_EQ(counter.count, 41);
  cx.heap().verify("after loading");
  check_sample(cx);
  // The loaded heap is like any other: written to, collected, extended.
  RootVector roots(cx);
  roots.values = {get(cx, "sample-a")};
  set_cdr_raw(roots.values[0], cdr_raw(roots.values[0]));
  for (int i = 0; i < 40; ++i) {
    put(cx, ("fresh-" + std::to_string(i)).c_str(), list(cx, {make_float(cx, i), make_string(cx, "x")}));
    collect_now_re(cx, i % 10 == 9 ? core::CollectKind::kMajor : core::CollectKind::kMinor);
  }
  check_sample(cx);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(float_raw(car_raw(get(cx, ("fresh-" + std::to_string(i)).c_str()))), i);
  // Dropped parts of the image are freed.
  const auto before = core::heap_statistics(cx.heap()).live_conses;
  put(cx, "sample-list", kNil);
  collect_now_re(cx, core::CollectKind::kMajor);
  EXPECT_GT(before, core::heap_statistics(cx.heap()).live_conses + 99'000);
}

// What a task does: another place, made piece by piece as it is touched.
core::ImageLoadOptions page_by_page() { return {.use_window = false, .lazy = true}; }

TEST(Image, ComesBackAtTheWindow) {
  const std::string path = temporary("window");
  core::ImageSize size;
  ASSERT_EQ(write_sample(path, &size), "");
  EXPECT_GT(size.conses, 100'000U);
  EXPECT_EQ(size.large_objects, 2U);
  load_and_check(path, {});
  load_and_check(path, {});  // the window is free again
  load_and_check(path, {.check = false});
  std::remove(path.c_str());
}

TEST(Image, ComesBackRelocated) {
  const std::string path = temporary("relocated");
  ASSERT_EQ(write_sample(path), "");
  load_and_check(path, {.use_window = false});
  load_and_check(path, page_by_page());
  {
    Isolate holder{IsolateOptions{}};  // has the window
    Context cx(holder);
    ASSERT_EQ(core::load_image(cx, path), "");
    load_and_check(path, {});
  }
  std::remove(path.c_str());
}

TEST(Image, ComesBackPieceByPiece) {
  const std::string path = temporary("lazy");
  ASSERT_EQ(write_sample(path), "");
  std::string why;
  const auto source = core::open_image(path, true, &why);
  ASSERT_NE(source, nullptr) << why;
  std::remove(path.c_str());  // it is open
  for (int i = 0; i < 3; ++i) {
    Isolate isolate{IsolateOptions{}};
    Context cx(isolate);
    Counter counter;
    set_extension(cx, ExtensionId::kGuestMisc, counter_extension(&counter));
    ASSERT_EQ(core::load_image(cx, source, page_by_page()), "");
    const core::ImagePlace before = core::image_place(cx.heap());
    EXPECT_TRUE(before.lazy);
    EXPECT_LT(before.pieces_made * 10, before.pieces);
    check_sample(cx);
    EXPECT_GT(core::image_place(cx.heap()).pieces_made, before.pieces_made + 50);  // the long list
    collect_now_re(cx, core::CollectKind::kMinor);
    check_sample(cx);
  }
}

TEST(Image, ManyAtATimeAreOfTheirOwn) {
  const std::string path = temporary("many");
  ASSERT_EQ(write_sample(path), "");
  std::string why;
  const auto source = core::open_image(path, true, &why);
  ASSERT_NE(source, nullptr) << why;
  struct One {
    Isolate isolate{IsolateOptions{}};
    Context cx{isolate};
    Counter counter;
  };
  std::vector<std::unique_ptr<One>> all;
  unsigned whole = 0;
  for (unsigned i = 0; i < 10'000 && whole < 2; ++i) {  // when there are many, further ones are copied whole
    One& one = *all.emplace_back(std::make_unique<One>());
    set_extension(one.cx, ExtensionId::kGuestMisc, counter_extension(&one.counter));
    ASSERT_EQ(core::load_image(one.cx, source, page_by_page()), "");
    if (!core::image_place(one.cx.heap()).lazy) ++whole;
    set_car_raw(get(one.cx, "sample-list"), Value::fixnum(i));
    string_data_for_write(one.cx, get(one.cx, "sample-external"))[0] = static_cast<std::uint8_t>(i);
  }
  EXPECT_EQ(whole, 2U);
  for (unsigned i = 0; i < all.size(); ++i) {
    EXPECT_EQ(car_raw(get(all[i]->cx, "sample-list")), Value::fixnum(i));
    EXPECT_EQ(string_raw(get(all[i]->cx, "sample-external"))->data[0], static_cast<std::uint8_t>(i));
  }
  std::remove(path.c_str());
}

TEST(Image, TheAddressRangeDoesNotCrumble) {
  const std::string path = temporary("range");
  ASSERT_EQ(write_sample(path), "");
  std::string why;
  const auto source = core::open_image(path, true, &why);
  ASSERT_NE(source, nullptr) << why;
  std::set<std::uint64_t> places;
  for (int i = 0; i < 50; ++i) {
    Isolate isolate{IsolateOptions{}};
    Context cx(isolate);
    Counter counter;
    set_extension(cx, ExtensionId::kGuestMisc, counter_extension(&counter));
    core::ImageLoadOptions load = page_by_page();
    load.lazy = i % 2 == 0;
    ASSERT_EQ(core::load_image(cx, source, load), "");
    places.insert(core::image_place(cx.heap()).begin);
    if (i % 5 == 0) {
      put(cx, "sample-list", kNil);  // frees blocks of the image one by one
      collect_now_re(cx, core::CollectKind::kMajor);
    }
  }
  EXPECT_LE(places.size(), 2U);
  std::remove(path.c_str());
}

// A fault that is not the image's ends the program as it would have before.
TEST(ImageDeathTest, OtherFaultsStayFatal) {
  const std::string path = temporary("fault");
  ASSERT_EQ(write_sample(path), "");
  std::string why;
  const auto source = core::open_image(path, true, &why);
  ASSERT_NE(source, nullptr) << why;
  const auto fault = [&] {
    Isolate isolate{IsolateOptions{}};
    Context cx(isolate);
    Counter counter;
    set_extension(cx, ExtensionId::kGuestMisc, counter_extension(&counter));
    if (!core::load_image(cx, source, page_by_page()).empty()) std::_Exit(0);
    void* const nowhere = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *static_cast<volatile int*>(nowhere) = 1;
    std::_Exit(0);
  };
  EXPECT_DEATH(fault(), "");
  std::remove(path.c_str());
}

TEST(Image, MayBeWrittenFromALoadedOne) {
  const std::string path = temporary("first");
  const std::string again = temporary("again");
  ASSERT_EQ(write_sample(path), "");
  {
    Isolate isolate{IsolateOptions{}};
    Context cx(isolate);
    Counter counter;
    set_extension(cx, ExtensionId::kGuestMisc, counter_extension(&counter));
    ASSERT_EQ(core::load_image(cx, path), "");
    ASSERT_EQ(core::write_image(cx, again), "");
  }
  load_and_check(again, {});
  std::remove(path.c_str());
  std::remove(again.c_str());
}

TEST(Image, RefusesObjectsThatCannotTravel) {
  IsolateOptions options;
  options.building = true;
  Isolate isolate(options);
  Context cx(isolate);
  put(cx, "stubborn", make_host_object(cx, &kStubbornType));
  const std::string path = temporary("refused");
  EXPECT_NE(core::write_image(cx, path).find("image-stubborn"), std::string::npos);
  EXPECT_NE(access(path.c_str(), F_OK), 0);
  put(cx, "stubborn", kNil);
  EXPECT_NE(core::write_image(cx, "/nonexistent-folder/x.image").find("cannot write"), std::string::npos);
}

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void spit(const std::string& path, const std::string& data) { std::ofstream(path, std::ios::binary) << data; }

TEST(Image, BadFilesAreRefusedAndTheIsolateStaysWhole) {
  const std::string path = temporary("good");
  const std::string bad = temporary("bad");
  ASSERT_EQ(write_sample(path), "");
  const std::string good = slurp(path);
  Isolate isolate{IsolateOptions{}};
  Context cx(isolate);
  Counter counter;
  set_extension(cx, ExtensionId::kGuestMisc, counter_extension(&counter));
  const auto refused = [&](const std::string& data, const char* reason) {
    spit(bad, data);
    const std::string why = core::load_image(cx, bad);
    EXPECT_NE(why.find(reason), std::string::npos) << why;
    EXPECT_NE(why.find(bad), std::string::npos) << why;
    cx.heap().verify("after a refusal");
    EXPECT_EQ(intern(cx, "car"), Qcar);
    EXPECT_EQ(counter.count, 0);
  };
  EXPECT_NE(core::load_image(cx, bad + "-missing").find("cannot be read"), std::string::npos);
  refused("", "not a NeoVM image");
  refused("#!/bin/sh\nexit 1\n", "not a NeoVM image");
  refused(std::string(100'000, 'x'), "not a NeoVM image");
  refused(good.substr(0, 100), "not a NeoVM image");
  refused(good.substr(0, good.size() / 2), "truncated");
  refused(good.substr(0, good.size() - 1), "truncated");
  refused(good + "x", "too long");
  std::string changed = good;
  changed[8] = 99;
  refused(changed, "format version");
  changed = good;
  changed[40] ^= 1;
  refused(changed, "damaged");
  for (const std::size_t at : {std::size_t{40'000}, good.size() / 3, good.size() / 2, good.size() - 20}) {
    changed = good;
    changed[at] ^= 0x10;
    refused(changed, "damaged");
  }
  EXPECT_EQ(core::load_image(cx, path), "");
  EXPECT_EQ(counter.count, 41);
  check_sample(cx);
  std::remove(path.c_str());
  std::remove(bad.c_str());
}

}  // namespace
}  // namespace neovm
