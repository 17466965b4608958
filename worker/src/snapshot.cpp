#include "neovm/abi/snapshot.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_set>

namespace neovm {

SnapshotBlob::SnapshotBlob(std::string_view bytes) { append_text(bytes); }

void SnapshotBlob::append(Chunk chunk) {
  if (chunk.size == 0) return;
  starts_.push_back(size());
  chunks_.push_back(std::move(chunk));
}

void SnapshotBlob::append_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t n = std::min(text.size(), kChunkBytes);
    std::shared_ptr<char[]> bytes(new char[n]);
    std::memcpy(bytes.get(), text.data(), n);
    append({std::move(bytes), 0, n});
    text.remove_prefix(n);
  }
}

std::string SnapshotBlob::read(std::uint64_t from, std::uint64_t to) const {
  to = std::min(to, size());
  std::string out;
  if (from >= to) return out;
  out.reserve(to - from);
  const auto first = std::upper_bound(starts_.begin(), starts_.end(), from) - starts_.begin() - 1;
  for (auto i = static_cast<std::size_t>(first); i < chunks_.size() && starts_[i] < to; ++i) {
    const std::uint64_t begin = std::max(from, starts_[i]) - starts_[i];
    const std::uint64_t end = std::min<std::uint64_t>(to - starts_[i], chunks_[i].size);
    out.append(chunk(i).substr(begin, end - begin));
  }
  return out;
}

SnapshotBlob SnapshotBlob::replaced(std::uint64_t from, std::uint64_t to, std::string_view text) const {
  SnapshotBlob out;
  const auto keep = [&](std::uint64_t begin, std::uint64_t end) {  // the chunks of [begin, end)
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      const std::uint64_t b = std::max(begin, starts_[i]);
      const std::uint64_t e = std::min<std::uint64_t>(end, starts_[i] + chunks_[i].size);
      if (b < e) out.append({chunks_[i].bytes, chunks_[i].offset + (b - starts_[i]), e - b});
    }
  };
  keep(0, from);
  out.append_text(text);
  keep(to, size());
  return out;
}

std::size_t SnapshotBlob::shared_chunks(const SnapshotBlob& other) const {
  std::unordered_set<const char*> mine;
  for (const Chunk& c : chunks_) mine.insert(c.bytes.get());
  std::size_t n = 0;
  for (const Chunk& c : other.chunks_) n += mine.erase(c.bytes.get());
  return n;
}

std::string_view patch_status_name(PatchStatus s) {
  switch (s) {
    case PatchStatus::kApplied: return "applied";
    case PatchStatus::kRebased: return "rebased";
    case PatchStatus::kConflict: return "conflict";
    case PatchStatus::kUnknown: return "unknown";
    case PatchStatus::kInvalid: return "invalid";
  }
  return "?";
}

namespace {

bool well_formed(const std::vector<PatchEdit>& edits) {
  std::uint64_t end = 0;
  for (const PatchEdit& e : edits) {
    if (e.from < end || e.to < e.from) return false;
    end = e.to;
  }
  return true;
}

bool conflict(const PatchEdit& a, const PatchEdit& b) {
  if (a.from == a.to && b.from == b.to) return a.from == b.from && !a.text.empty() && !b.text.empty();
  if (a.from == a.to) return b.from < a.from && a.from < b.to;
  if (b.from == b.to) return a.from < b.from && b.from < a.to;
  return a.from < b.to && b.from < a.to;
}

// Edits sorted by place, none overlapping, applied at once.
SnapshotBlob with_edits(const SnapshotBlob& blob, const std::vector<PatchEdit>& edits) {
  SnapshotBlob out = blob;
  for (std::size_t i = edits.size(); i-- > 0;) out = out.replaced(edits[i].from, edits[i].to, edits[i].text);
  return out;
}

}  // namespace

VersionedBlob::VersionedBlob(std::uint64_t origin, SnapshotBlob first, std::size_t history)
    : origin_(origin), blob_(std::move(first)), history_(history) {}

void VersionedBlob::remember(std::vector<PatchEdit> edits) {
  ++version_;
  changes_.push_back({version_, std::move(edits)});
  if (changes_.size() > 2 * history_ + 16)  // cut seldom, so that it costs nothing on the average
    changes_.erase(changes_.begin(), changes_.end() - static_cast<std::ptrdiff_t>(history_));
}

bool VersionedBlob::change(std::uint64_t from, std::uint64_t to, std::string_view text) {
  if (from > to || to > blob_.size()) return false;
  blob_ = blob_.replaced(from, to, text);
  remember({{from, to, std::string(text)}});
  return true;
}

PatchResult VersionedBlob::propose(const PatchProposal& proposal) {
  PatchResult result;
  result.now = stamp();
  if (!well_formed(proposal.edits)) return result;
  const std::uint64_t oldest = version_ - std::min<std::uint64_t>(changes_.size(), history_);
  if (proposal.base.origin != origin_ || proposal.base.version > version_ || proposal.base.version < oldest) {
    result.status = PatchStatus::kUnknown;
    return result;
  }
  std::vector<PatchEdit> edits = proposal.edits;
  std::vector<bool> lost(edits.size(), false);
  for (const Change& change : changes_) {
    if (change.version <= proposal.base.version) continue;
    for (std::size_t i = 0; i < edits.size(); ++i) {
      if (lost[i]) continue;
      std::int64_t shift = 0;
      for (const PatchEdit& theirs : change.edits) {
        if (conflict(edits[i], theirs)) {
          result.conflicts.push_back({i, change.version, theirs});
          lost[i] = true;
          break;
        }
        if (theirs.to <= edits[i].from)
          shift += static_cast<std::int64_t>(theirs.text.size()) - static_cast<std::int64_t>(theirs.to - theirs.from);
      }
      if (lost[i]) continue;
      edits[i].from += static_cast<std::uint64_t>(shift);
      edits[i].to += static_cast<std::uint64_t>(shift);
    }
  }
  if (!result.conflicts.empty()) {
    std::sort(result.conflicts.begin(), result.conflicts.end(),
              [](const PatchConflict& a, const PatchConflict& b) { return a.edit < b.edit; });
    result.status = PatchStatus::kConflict;
    return result;
  }
  if (!edits.empty() && edits.back().to > blob_.size()) return result;
  result.status = proposal.base.version == version_ ? PatchStatus::kApplied : PatchStatus::kRebased;
  result.applied = edits;
  if (!edits.empty()) {
    blob_ = with_edits(blob_, edits);
    remember(std::move(edits));
  }
  result.now = stamp();
  return result;
}

}  // namespace neovm
