// Copying values between heaps.
//
//   Transfer a(pool), b(pool);                       // one for each isolate
//   Message m;
//   TransferResult r = a.send(sender_cx, value, {}, &m);
//   if (r.ok()) Value copy = b.receive(receiver_cx, std::move(m));   // kExit: memory-full is pending
//
// What arrives is a structural copy: sharing and cycles inside one message stay, nothing is shared with the sender but
// immutable bytes. Symbols: those both sides know by id travel as ids; other interned ones by name and are interned on
// arrival; uninterned ones and those of private obarrays keep their identity inside the message and bring their cells.
// Subrs become the receiver's subr. Hash tables are rehashed on arrival (a user-defined test keeps the hashes it
// had). Text properties travel; identity hashes (`sxhash-eq`) of objects stay. The sender's main obarray becomes
// the receiver's. Host objects travel when their type has TravelHooks; buffers, markers, windows, processes,
// threads, finalizers do not: the error names the path to the first one met, such as "(cdr (aref x 3)) is a buffer".
//
// Costs: a breadth of conses is read once and written once on each side; which objects were met is kept in a table of
// 4 bytes per 16 of each 32 KiB block that the message touches, which needs no clearing. No recursion on deep structures.
//
// Threads: a Transfer belongs to whoever runs its isolate. Neither direction runs Lisp, parks, or collects.
#pragma once

#include <string>
#include <unordered_map>

#include "neovm/core/context.hpp"
#include "neovm/worker/message.hpp"

namespace neovm::worker {

struct TransferOptions {
  // Copied bytes a message may have.
  std::size_t max_bytes = std::size_t{1} << 30;
  // The receiver started from the same image: its symbols travel by id. (Receiving elsewhere is then refused.)
  bool same_image = true;
  // How errors name the value that was to be sent.
  const char* root_name = "x";
};

enum class TransferStatus : std::uint8_t {
  kOk,
  kCannotTravel,  // `why` names path and type
  kTooLarge,      // `why` says the limit
};
struct TransferResult {
  TransferStatus status = TransferStatus::kOk;
  std::string why;
  [[nodiscard]] bool ok() const { return status == TransferStatus::kOk; }
};

class Transfer {
 public:
  explicit Transfer(FragmentPool& pool);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Encodes `v` from the heap of `cx`. Does not change what Lisp sees of it (long strings get a shared body).
  TransferResult send(Context& cx, Value v, const TransferOptions& options, Message* out);
  // Makes the value in the heap of `cx` and gives the fragment back. kExit with an error pending: memory-full, or a
  // message whose symbols belong to another image. An empty message is nil.
  Value receive(Context& cx, Message&& message);

 private:
  friend class Encoder;
  friend class Decoder;
  std::unique_ptr<Fragment> take_fragment();
  void give_fragment(std::unique_ptr<Fragment> fragment);

  // Position of each object met, by address: a table for each heap block. An entry holds if the position's source is
  // the address asked for, so tables are never cleared.
  static constexpr std::size_t kGranules = heap_map::kBlockSize / 16;
  struct Table {
    std::uint32_t position[kGranules];
  };
  std::uint32_t* position_of(std::uint64_t address) {
    const std::uint64_t block = (address - heap_map::kBase) >> heap_map::kBlockShift;
    Cached& c = cached_[block % kCached];
    if (c.block != block) [[unlikely]]
      find_table(block, &c);
    return &c.table->position[(address & (heap_map::kBlockSize - 1)) >> 4];
  }
  struct Cached {
    std::uint64_t block = ~std::uint64_t{0};
    Table* table = nullptr;
  };
  void find_table(std::uint64_t block, Cached* c);
  void trim();

  static constexpr std::size_t kCached = 64;
  static constexpr std::size_t kMostTables = 512;
  FragmentPool& pool_;
  std::vector<std::unique_ptr<Fragment>> spare_;
  Cached cached_[kCached];
  std::unordered_map<std::uint64_t, std::unique_ptr<Table>> tables_;
  // Scratch of one sending.
  Words cons_sources_;
  Words object_sources_;  // address, then offset in words
  std::vector<std::uint64_t> pending_;
  std::unordered_map<std::uint32_t, std::uint64_t> id_symbols_;  // ids that cannot travel as such
  // Scratch of one receiving.
  std::vector<ObjectHeader*> fields_;
  std::vector<Value> tables_to_hash_;
  std::vector<Cons*> later_conses_;
};

// "(cdr (aref x 3)) is a buffer": the way from `root` to the first thing met that cannot travel; "" when all can.
std::string path_to_stranger(Context& cx, Value root, const char* root_name);
// Why an object as such cannot travel ("a buffer"); "" when it can.
std::string stranger_name(Context& cx, Value v);

}  // namespace neovm::worker
