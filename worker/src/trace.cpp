#include "neovm/worker/trace.hpp"

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cstdio>

namespace neovm::worker {

TraceRecorder::TraceRecorder(std::size_t workers, std::size_t events_per_worker)
    : count_(workers),
      capacity_(std::bit_ceil(std::max<std::size_t>(events_per_worker, 2))),
      lanes_(std::make_unique<Lane[]>(workers)) {}

void TraceRecorder::start() {
  const std::lock_guard lock(start_lock_);
  for (std::size_t i = 0; i < count_; ++i) {
    Lane& lane = lanes_[i];
    if (!lane.slots) lane.slots = std::make_unique<Slot[]>(capacity_);
    lane.from.store(lane.published.load(std::memory_order_acquire), std::memory_order_release);
  }
  on_.store(true, std::memory_order_release);
}

void TraceRecorder::write(std::size_t worker, const TraceEvent& event) {
  Lane& lane = lanes_[worker];
  const std::uint64_t n = lane.published.load(std::memory_order_relaxed);
  // The stores into the slot release: whoever sees one of them also sees the announcement.
  lane.announced.store(n + 1, std::memory_order_relaxed);
  Slot& slot = lane.slots[n & (capacity_ - 1)];
  const std::uint64_t head =
      static_cast<std::uint64_t>(event.kind) | (std::uint64_t{event.priority} << 8) | (std::uint64_t{event.name} << 32);
  const std::uint64_t words[] = {head, event.task, event.begin_ns, event.duration_ns, event.value};
  for (std::size_t i = 0; i < kWords; ++i) slot.words[i].store(words[i], std::memory_order_release);
  lane.published.store(n + 1, std::memory_order_release);
}

TraceRecorder::Recording TraceRecorder::read() const {
  const std::lock_guard lock(start_lock_);
  Recording out;
  out.workers.resize(count_);
  out.dropped.resize(count_);
  for (std::size_t w = 0; w < count_; ++w) {
    const Lane& lane = lanes_[w];
    const std::uint64_t from = lane.from.load(std::memory_order_acquire);
    const std::uint64_t end = lane.published.load(std::memory_order_acquire);
    std::uint64_t first = std::max(from, end > capacity_ ? end - capacity_ : 0);
    if (!lane.slots || end <= from) continue;
    std::vector<TraceEvent> events;
    events.reserve(end - first);
    for (std::uint64_t n = first; n < end; ++n) {
      const Slot& slot = lane.slots[n & (capacity_ - 1)];
      std::uint64_t words[kWords];
      for (std::size_t i = 0; i < kWords; ++i) words[i] = slot.words[i].load(std::memory_order_acquire);
      TraceEvent e;
      e.kind = static_cast<TraceKind>(words[0] & 0xff);
      e.priority = static_cast<std::uint8_t>(words[0] >> 8);
      e.name = static_cast<NameId>(words[0] >> 32);
      e.task = words[1];
      e.begin_ns = words[2];
      e.duration_ns = words[3];
      e.value = words[4];
      events.push_back(e);
    }
    // What the writer announced meanwhile has overwritten events from the front.
    const std::uint64_t announced = lane.announced.load(std::memory_order_acquire);
    const std::uint64_t whole = announced > capacity_ ? announced - capacity_ : 0;
    const auto torn = static_cast<std::ptrdiff_t>(std::min(std::max(whole, first), end) - first);
    events.erase(events.begin(), events.begin() + torn);
    out.dropped[w] = first - from + static_cast<std::uint64_t>(torn);
    out.workers[w] = std::move(events);
  }
  return out;
}

namespace {

const char* kind_name(TraceKind kind) {
  switch (kind) {
    case TraceKind::kRun: return "run";
    case TraceKind::kPark: return "idle";
    case TraceKind::kBlocking: return "blocking";
    case TraceKind::kSteal: return "steal";
    case TraceKind::kWake: return "wake";
    case TraceKind::kSpawn: return "spawn";
    case TraceKind::kCancel: return "cancel";
    case TraceKind::kRestart: return "restart";
  }
  return "?";
}

void append_json_text(std::string* out, std::string_view text) {
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (byte < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", byte);
      *out += code;
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

// The format wants microseconds; three decimals keep every nanosecond.
void append_us(std::string* out, std::uint64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%" PRIu64 ".%03" PRIu64, ns / 1000, ns % 1000);
  *out += text;
}

}  // namespace

std::string chrome_trace_json(const TraceRecorder::Recording& recording, const Telemetry& telemetry) {
  static constexpr const char* kPriorities[] = {"interactive", "normal", "background"};
  std::string out = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  bool first = true;
  const auto begin_event = [&] {
    out += first ? "\n" : ",\n";
    first = false;
  };
  for (std::size_t w = 0; w < recording.workers.size(); ++w) {
    const std::string lane = std::to_string(w);
    begin_event();
    out += R"({"ph":"M","pid":1,"tid":)" + lane + R"(,"name":"thread_name","args":{"name":"worker )" +
           telemetry.label_of(w) + "\"}}";
    for (const TraceEvent& e : recording.workers[w]) {
      if (e.kind == TraceKind::kBlocking) {
        // Others run on the worker meanwhile, so it is an event of its own track, from its begin to its end.
        for (const bool begin : {true, false}) {
          begin_event();
          out += std::string(R"({"ph":")") + (begin ? 'b' : 'e') + R"(","cat":"blocking","pid":1,"tid":)" + lane +
                 R"(,"id":)" + std::to_string(e.task) + ",\"ts\":";
          append_us(&out, begin ? e.begin_ns : e.begin_ns + e.duration_ns);
          out += ",\"name\":";
          const std::string name = telemetry.name_of(e.name);
          append_json_text(&out, name.empty() ? "blocking" : name);
          out += ",\"args\":{\"task\":" + std::to_string(e.task) + "}}";
        }
        continue;
      }
      const bool instant = e.kind >= TraceKind::kSteal;
      const std::string name = e.kind == TraceKind::kRun ? telemetry.name_of(e.name) : std::string();
      begin_event();
      out += instant ? R"({"ph":"i","s":"t","pid":1,"tid":)" : R"({"ph":"X","pid":1,"tid":)";
      out += lane + ",\"ts\":";
      append_us(&out, e.begin_ns);
      if (!instant) {
        out += ",\"dur\":";
        append_us(&out, e.duration_ns);
      }
      out += ",\"name\":";
      if (e.kind == TraceKind::kRun && name.empty()) {
        append_json_text(&out, "task " + std::to_string(e.task));
      } else {
        append_json_text(&out, name.empty() ? kind_name(e.kind) : std::string_view(name));
      }
      out += ",\"cat\":";
      append_json_text(&out, kind_name(e.kind));
      out += ",\"args\":{\"task\":" + std::to_string(e.task);
      if (e.kind == TraceKind::kRun && e.priority < kPriorityCount) {
        out += ",\"priority\":";
        append_json_text(&out, kPriorities[e.priority]);
      }
      if (instant) out += ",\"value\":" + std::to_string(e.value);
      out += "}}";
    }
  }
  std::uint64_t dropped = 0;
  for (const std::uint64_t d : recording.dropped) dropped += d;
  out += "\n],\"otherData\":{\"dropped\":\"" + std::to_string(dropped) + "\"}}\n";
  return out;
}

}  // namespace neovm::worker
