// Snapshots share what an edit does not touch; proposals land where they were meant, or say what is in their way.
#include "neovm/abi/snapshot.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

namespace neovm {
namespace {

TEST(Snapshot, ReadsWhatWasWritten) {
  EXPECT_EQ(SnapshotBlob().size(), 0U);
  EXPECT_EQ(SnapshotBlob().read(0, 10), "");
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += static_cast<char>('a' + i % 26);
  const SnapshotBlob blob(text);
  EXPECT_EQ(blob.size(), text.size());
  EXPECT_EQ(blob.chunk_count(), 5U);
  EXPECT_EQ(blob.read(0, text.size()), text);
  EXPECT_EQ(blob.read(65'530, 65'545), text.substr(65'530, 15));
  EXPECT_EQ(blob.read(299'999, 400'000), text.substr(299'999));
  EXPECT_EQ(blob.read(5, 5), "");
}

TEST(Snapshot, EditsShareTheOtherChunks) {
  const SnapshotBlob blob(std::string(1'000'000, 'x'));
  const SnapshotBlob edited = blob.replaced(500'000, 500'001, "y");
  EXPECT_EQ(blob.read(500'000, 500'001), "x");
  EXPECT_EQ(edited.read(499'999, 500'002), "xyx");
  EXPECT_EQ(edited.size(), 1'000'000U);
  EXPECT_EQ(blob.shared_chunks(edited), blob.chunk_count());  // the split one is shared by both halves
}

TEST(Snapshot, RandomEditsAgreeWithAString) {
  std::mt19937 random(3);
  std::string model(200'000, 'm');
  SnapshotBlob blob(model);
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t from = random() % (model.size() + 1);
    const std::uint64_t to = from + random() % (std::min<std::uint64_t>(model.size() - from, 5000) + 1);
    const std::string text(random() % 6000, static_cast<char>('a' + i % 26));
    model.replace(from, to - from, text);
    blob = blob.replaced(from, to, text);
    ASSERT_EQ(blob.size(), model.size());
  }
  EXPECT_EQ(blob.read(0, blob.size()), model);
}

TEST(Snapshot, ThreadsReadOneBlobWhileItsOwnerGoesOn) {
  SnapshotBlob blob(std::string(300'000, 'r'));
  std::thread reader([copy = blob] {
    for (int i = 0; i < 50; ++i) ASSERT_EQ(copy.read(0, 300'000), std::string(300'000, 'r'));
  });
  for (int i = 0; i < 50; ++i) blob = blob.replaced(1000, 2000, "w");
  reader.join();
}

TEST(Patches, AreAppliedRebasedOrRefused) {
  VersionedBlob host(7, SnapshotBlob("the quick brown fox"));
  const VersionStamp base = host.stamp();
  PatchResult r = host.propose({base, {{4, 9, "slow"}, {16, 19, "dog"}}});
  EXPECT_EQ(r.status, PatchStatus::kApplied);
  EXPECT_EQ(host.blob().read(0, 99), "the slow brown dog");
  EXPECT_EQ(r.now.version, base.version + 1);
  // Based on the first version: the place between the two edits has moved by one.
  r = host.propose({base, {{10, 15, "red"}}});
  EXPECT_EQ(r.status, PatchStatus::kRebased);
  EXPECT_EQ(host.blob().read(0, 99), "the slow red dog");
  ASSERT_EQ(r.applied.size(), 1U);
  EXPECT_EQ(r.applied[0], (PatchEdit{9, 14, "red"}));
  // One edit in the way: nothing is applied, and it says what it met.
  r = host.propose({base, {{0, 3, "a"}, {6, 7, "?"}}});
  EXPECT_EQ(r.status, PatchStatus::kConflict);
  ASSERT_EQ(r.conflicts.size(), 1U);
  EXPECT_EQ(r.conflicts[0].edit, 1U);
  EXPECT_EQ(r.conflicts[0].version, base.version + 1);
  EXPECT_EQ(r.conflicts[0].theirs, (PatchEdit{4, 9, "slow"}));
  EXPECT_EQ(host.blob().read(0, 99), "the slow red dog");
  EXPECT_EQ(r.now, host.stamp());
}

TEST(Patches, BadProposals) {
  VersionedBlob host(7, SnapshotBlob("0123456789"), 4);
  const VersionStamp base = host.stamp();
  EXPECT_EQ(host.propose({base, {{5, 4, ""}}}).status, PatchStatus::kInvalid);
  EXPECT_EQ(host.propose({base, {{5, 6, ""}, {5, 7, ""}}}).status, PatchStatus::kInvalid);
  EXPECT_EQ(host.propose({base, {{5, 11, ""}}}).status, PatchStatus::kInvalid);
  EXPECT_EQ(host.propose({{8, 1}, {}}).status, PatchStatus::kUnknown);
  EXPECT_EQ(host.propose({{7, 99}, {}}).status, PatchStatus::kUnknown);
  EXPECT_EQ(host.propose({base, {}}).status, PatchStatus::kApplied);
  EXPECT_EQ(host.stamp(), base);  // nothing to apply, no new version
  EXPECT_FALSE(host.change(5, 11, ""));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(host.change(0, 1, "x"));
  EXPECT_EQ(host.propose({base, {{5, 6, "y"}}}).status, PatchStatus::kUnknown);  // too long ago
}

// Every character is there once, so it is its own name: what a proposal meant can be done by names on the newest text.
TEST(Patches, RebasingMeansTheSameCharacters) {
  std::mt19937 random(11);
  int rebased = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string text = "abcdefghijklmnopqrstuvwxyz0123456789";
    const std::string original = text;
    std::string fresh = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const auto take = [&](std::size_t n) {
      std::string s;
      while (n-- > 0 && !fresh.empty()) {
        s += fresh.back();
        fresh.pop_back();
      }
      return s;
    };
    VersionedBlob host(1, SnapshotBlob(text));
    const VersionStamp base = host.stamp();
    for (std::size_t k = random() % 4; k > 0; --k) {
      const std::size_t from = random() % (text.size() + 1);
      const std::size_t to = std::min(text.size(), from + random() % 5);
      const std::string with = take(random() % 4);
      text.replace(from, to - from, with);
      ASSERT_TRUE(host.change(from, to, with));
    }
    PatchEdit edit;
    edit.from = random() % (original.size() + 1);
    edit.to = std::min<std::size_t>(original.size(), edit.from + random() % 5);
    edit.text = take(random() % 4);
    const PatchResult r = host.propose({base, {edit}});
    if (r.status == PatchStatus::kConflict) continue;
    ++rebased;
    // The replaced characters are all still there, next to each other; the new text takes their place.
    if (edit.from < edit.to) {
      const std::size_t at = text.find(original.substr(edit.from, edit.to - edit.from));
      ASSERT_NE(at, std::string::npos);
      text.replace(at, edit.to - edit.from, edit.text);
      ASSERT_EQ(host.blob().read(0, 999), text);
    } else {
      // An insertion comes after what was before it and before what was behind it.
      const std::string now = host.blob().read(0, 999);
      std::string without = now;
      if (!edit.text.empty()) {
        const std::size_t at = now.find(edit.text);
        ASSERT_NE(at, std::string::npos);
        without.erase(at, edit.text.size());
        for (std::size_t i = 0; i < original.size(); ++i) {
          const std::size_t where = now.find(original[i]);
          if (where != std::string::npos) {
            ASSERT_EQ(where < at, i < edit.from);
          }
        }
      }
      ASSERT_EQ(without, text);
    }
  }
  EXPECT_GT(rebased, 2000);
}

}  // namespace
}  // namespace neovm
