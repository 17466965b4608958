// Snapshots and patches: how tasks read a host's text without holding it, and how they propose changes to it.
//
// A SnapshotBlob is an immutable sequence of bytes in counted chunks. Copying one is O(1), sending one to another
// isolate is too; an edited copy shares every chunk that the edit does not touch. A host publishes a blob together with a
// VersionStamp; a task works on it and answers with a PatchProposal: edits in terms of that version. The host then either
// applies it, moves it over what happened since (rebase), or refuses it and says which edits are in conflict and with
// what. The rules are in terms of bytes; a host that counts characters converts at its border.
//
// Ownership: values; chunks are counted atomically. Threads: a blob may be read by any number of threads; a single
// SnapshotBlob object is written by one at a time. Nothing here touches a heap of Lisp, runs Lisp, or waits.
// Errors: running out of memory ends the program, as everywhere outside of guest heaps; bad positions are answered with
// PatchStatus::kInvalid.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace neovm {

// Which state of which thing: `origin` names the thing (a buffer) for as long as the process lives, `version` counts
// its changes from 1.
struct VersionStamp {
  std::uint64_t origin = 0;
  std::uint64_t version = 0;
  friend bool operator==(const VersionStamp&, const VersionStamp&) = default;
};

class SnapshotBlob {
 public:
  static constexpr std::size_t kChunkBytes = 64 * 1024;  // the size chunks are cut to; edits may leave smaller ones

  SnapshotBlob() = default;  // empty
  explicit SnapshotBlob(std::string_view bytes);

  [[nodiscard]] std::uint64_t size() const { return starts_.empty() ? 0 : starts_.back() + chunks_.back().size; }
  [[nodiscard]] bool empty() const { return chunks_.empty(); }
  [[nodiscard]] std::size_t chunk_count() const { return chunks_.size(); }
  // In order; valid while a blob holds the chunk.
  [[nodiscard]] std::string_view chunk(std::size_t i) const {
    return {chunks_[i].bytes.get() + chunks_[i].offset, chunks_[i].size};
  }
  // The bytes [from, to), joined. Clipped to the blob.
  [[nodiscard]] std::string read(std::uint64_t from, std::uint64_t to) const;
  // A blob with [from, to) replaced; O(chunks + text). Precondition: from <= to <= size().
  [[nodiscard]] SnapshotBlob replaced(std::uint64_t from, std::uint64_t to, std::string_view text) const;
  // Chunks that both hold: what an edit did not copy.
  [[nodiscard]] std::size_t shared_chunks(const SnapshotBlob& other) const;

 private:
  struct Chunk {
    std::shared_ptr<const char[]> bytes;
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  void append(Chunk chunk);
  void append_text(std::string_view text);
  std::vector<Chunk> chunks_;
  std::vector<std::uint64_t> starts_;
};

// Replaces the bytes [from, to) of the version that the proposal names.
struct PatchEdit {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::string text;
  friend bool operator==(const PatchEdit&, const PatchEdit&) = default;
};

// Edits all in terms of `base`, sorted and not overlapping (they may touch; two insertions at one place stay in order).
struct PatchProposal {
  VersionStamp base;
  std::vector<PatchEdit> edits;
};

enum class PatchStatus : std::uint8_t {
  kApplied,   // the base was the current version
  kRebased,   // applied to a newer version; nothing overlapped
  kConflict,  // some edits meet changes made since the base; nothing was applied
  kUnknown,   // another origin, a version of the future, or one that history no longer reaches back to
  kInvalid,   // edits unsorted, overlapping or beyond the end
};
std::string_view patch_status_name(PatchStatus s);

// One edit of a proposal and the first change since its base that it meets.
struct PatchConflict {
  std::size_t edit = 0;       // index in the proposal
  std::uint64_t version = 0;  // the change that made this version
  PatchEdit theirs;           // that change, in terms of the version before it
};

struct PatchResult {
  PatchStatus status = PatchStatus::kInvalid;
  VersionStamp now;  // the version after the call
  std::vector<PatchConflict> conflicts;
  std::vector<PatchEdit> applied;  // the edits as applied, in terms of the version before
};

// The text of one origin with its recent past: what a host keeps for each thing that it lets tasks see. Not
// synchronized: the thread that owns the host's state calls it; the blobs it gives out go anywhere.
//
// Rebasing. An edit is carried forward over each change since its base: a change wholly before it moves it, one wholly
// behind leaves it. They conflict when the replaced ranges overlap, when an insertion lies strictly inside the other's range,
// or when both insert at the same place (whose order nobody knows).
class VersionedBlob {
 public:
  VersionedBlob(std::uint64_t origin, SnapshotBlob first, std::size_t history = 1024);

  [[nodiscard]] VersionStamp stamp() const { return {origin_, version_}; }
  [[nodiscard]] const SnapshotBlob& blob() const { return blob_; }
  // The host's own change; one version. False when the range is beyond the end.
  bool change(std::uint64_t from, std::uint64_t to, std::string_view text);
  // All edits or none; one version when there is at least one edit.
  PatchResult propose(const PatchProposal& proposal);

 private:
  struct Change {
    std::uint64_t version;         // that it made
    std::vector<PatchEdit> edits;  // in terms of the version before
  };
  void remember(std::vector<PatchEdit> edits);

  std::uint64_t origin_;
  std::uint64_t version_ = 1;
  SnapshotBlob blob_;
  std::size_t history_;
  std::vector<Change> changes_;  // oldest first
};

}  // namespace neovm
