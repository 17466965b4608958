// neovm: looks into the virtual machine: what primitives there are, what an isolate weighs.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "neovm/abi/primitive.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/host/host.hpp"
#include "tier_reports.hpp"

namespace {

using namespace neovm;  // NOLINT

constexpr const char* kHelp =
    "Usage: neovm COMMAND\n"
    "\n"
    "  primitives [--json] [NAME]  the table of primitives: arity, where they may run, effects\n"
    "  stats [--json]              what a fresh isolate holds\n"
    "  stats [--json] FILE...      what the tiers did in the processes that neomacs --neovm-tier-report=FILE told of,\n"
    "                              as text: share of register code, hit rate of the caches, opcodes; or as JSON\n"
    "  --help                      this text\n";

const char* name_of(Affinity a) { return a == Affinity::kMainOnly ? "main-only" : "worker-safe"; }
const char* name_of(Effect e) {
  switch (e) {
    case Effect::kPureRead: return "pure-read";
    case Effect::kStateRead: return "state-read";
    case Effect::kStateWrite: return "state-write";
    case Effect::kBlockingIo: return "blocking-io";
  }
  return "?";
}

std::string arity(const PrimitiveDescriptor& d) {
  std::string s = std::to_string(d.min_args) + "..";
  if (d.max_args == kMany) return s + "many";
  if (d.max_args == kUnevalled) return s + "unevalled";
  return s + std::to_string(d.max_args);
}

std::string json_string(const char* text) {
  std::string out = "\"";
  for (const char* p = text; *p != '\0'; ++p) {
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += *p;
    } else if (c < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", c);
      out += code;
    } else {
      out += *p;
    }
  }
  return out + "\"";
}

int primitives(bool json, const char* only) {
  std::vector<const PrimitiveDescriptor*> all(all_primitives().begin(), all_primitives().end());
  std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return std::strcmp(a->name, b->name) < 0; });
  bool first = true;
  int shown = 0;
  if (json) std::fputs("[", stdout);
  for (const PrimitiveDescriptor* d : all) {
    if (only != nullptr && std::strcmp(only, d->name) != 0) continue;
    ++shown;
    const bool gc = d->gc == GcEffect::kMayGc;
    const bool reenters = d->reentry == Reentry::kReenters;
    const bool deterministic = d->determinism == Determinism::kDeterministic;
    if (json) {
      std::printf(
          "%s\n{\"name\":%s,\"min\":%d,\"max\":%d,\"affinity\":\"%s\",\"effect\":\"%s\",\"may_gc\":%s,"
          "\"reenters\":%s,\"deterministic\":%s,\"command\":%s,\"doc\":%s}",
          first ? "" : ",", json_string(d->name).c_str(), d->min_args, d->max_args, name_of(d->affinity),
          name_of(d->effect), gc ? "true" : "false", reenters ? "true" : "false", deterministic ? "true" : "false",
          d->interactive != nullptr ? "true" : "false", json_string(d->doc).c_str());
    } else {
      std::printf("%-40s %-10s %-11s %-11s %-6s %-9s %s\n", d->name, arity(*d).c_str(), name_of(d->affinity),
                  name_of(d->effect), gc ? "gc" : "-", reenters ? "reenters" : "-", d->doc);
    }
    first = false;
  }
  if (json) std::fputs("\n]\n", stdout);
  if (only != nullptr && shown == 0) {
    std::fprintf(stderr, "neovm: no primitive is named %s\n", only);
    return 1;
  }
  return 0;
}

int stats(bool json) {
  IsolateOptions options;
  options.building = true;
  Isolate isolate(options);
  Context cx(isolate);
  elisp::attach(cx);
  neomacs::host::attach(cx);
  isolate.heap().collect(core::CollectKind::kMajor, nullptr);
  const core::HeapStatistics s = core::heap_statistics(isolate.heap());
  const struct {
    const char* name;
    unsigned long long value;
  } rows[] = {
      {"primitives", all_primitives().size()},    {"variables", all_variables().size()},
      {"symbols", isolate.symbol_count()},        {"live_bytes", s.live_bytes},
      {"external_bytes", s.external_bytes},       {"live_conses", s.live_conses},
      {"bytes_allocated", s.bytes_allocated},     {"minor_collections", s.minor_collections},
      {"major_collections", s.major_collections}, {"pause_max_ns", s.pause_max_ns},
  };
  if (json) std::fputs("{", stdout);
  const char* separator = "";
  for (const auto& row : rows) {
    if (json) {
      std::printf("%s\"%s\":%llu", separator, row.name, row.value);
      separator = ",";
    } else {
      std::printf("%-20s %llu\n", row.name, row.value);
    }
  }
  if (json) std::fputs("}\n", stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || std::strcmp(argv[1], "--help") == 0 || std::strcmp(argv[1], "-h") == 0) {
    std::fputs(kHelp, stdout);
    return argc < 2 ? 1 : 0;
  }
  const std::string command = argv[1];
  bool json = false;
  std::vector<std::string> words;
  for (int i = 2; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0) {
      json = true;
    } else {
      words.emplace_back(argv[i]);
    }
  }
  if (command == "primitives") return primitives(json, words.empty() ? nullptr : words.back().c_str());
  if (command == "stats") return words.empty() ? stats(json) : tier_reports(words, json);
  std::fprintf(stderr, "neovm: unknown command %s\n%s", command.c_str(), kHelp);
  return 1;
}
