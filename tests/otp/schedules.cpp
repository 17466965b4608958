// Random crash schedules for supervisors, and what the supervisor machine does with them.
//
// usage: otp_schedules terms|trace FIRST COUNT
//   terms: the schedules FIRST … FIRST+COUNT-1 as Erlang terms, one a line, for supervisor_trace.erl
//   trace: the machine's traces of the same schedules, in the form that supervisor_trace.erl prints
//
// A schedule is a tree of supervisors with their children (how each start turns out, how each answers a stop) and steps:
// crashes, crashes at the same time, requests, waits for the restart window. Steps name children by id and are skipped on
// both sides when the child does not run, so a schedule needs no knowledge of how it will go.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "neovm/worker/supervisor_machine.hpp"

namespace {

using namespace neovm::worker;  // NOLINT: a test program about these names

struct Outcome {
  enum class Kind : std::uint8_t { kOk, kFail, kIgnore } kind = Kind::kOk;
  ExitReason reason;
};

struct Node {
  std::string id;
  bool supervisor = false;
  ChildSpec spec;  // towards its own supervisor
  // a worker
  bool stubborn = false;
  ExitReason on_stop;
  std::vector<Outcome> outcomes;
  // a supervisor
  SupervisorOptions options;
  std::vector<Node> children;  // of a dynamic one: the template that OTP gives to all its children
};

struct Step {
  enum class Kind : std::uint8_t { kCrash, kStart, kTerminate, kRestart, kDelete, kTick } kind;
  std::vector<std::pair<std::string, ExitReason>> crashes;
  std::string supervisor;
  std::string id;
  Node child;
  int seconds = 0;
};

struct Schedule {
  std::uint64_t number = 0;
  Node root;
  std::vector<Step> steps;
  bool timed = false;
};

// ---- making one --------------------------------------------------------------------------------------------------------

class Generator {
 public:
  explicit Generator(std::uint64_t number) : random_(number * 7919 + 17) { schedule_.number = number; }

  Schedule make() {
    schedule_.timed = chance(15);
    schedule_.root = supervisor(0);
    schedule_.root.spec.restart = Restart::kPermanent;
    schedule_.root.spec.significant = false;
    const int steps = 3 + below(10);
    for (int i = 0; i < steps; ++i) schedule_.steps.push_back(step());
    return std::move(schedule_);
  }

 private:
  struct Known {
    std::string id;
    std::string parent;
    Node node;
  };

  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  bool chance(int percent) { return below(100) < percent; }

  ExitReason reason(bool crash) {
    switch (below(crash ? 7 : 10)) {
      case 0: return {ExitKind::kNormal, ""};
      case 1: return {ExitKind::kShutdown, ""};
      case 2: return {ExitKind::kShutdown, "x"};
      case 3: return {crash ? ExitKind::kKilled : ExitKind::kError, crash ? "" : "bang"};
      case 4:
      case 5:
      case 6: return crash ? ExitReason{ExitKind::kError, "boom"} : ExitReason{ExitKind::kShutdown, ""};
      default: return {ExitKind::kShutdown, ""};
    }
  }

  void towards_parent(Node* node, const SupervisorOptions& parent) {
    static constexpr Restart kKinds[] = {Restart::kPermanent, Restart::kTransient, Restart::kTemporary};
    node->spec.id = node->id;
    node->spec.restart = chance(45) ? Restart::kPermanent : kKinds[below(3)];
    node->spec.significant =
        parent.auto_shutdown != AutoShutdown::kNever && node->spec.restart != Restart::kPermanent && chance(60);
    node->spec.supervisor = node->supervisor;
  }

  Node worker(const SupervisorOptions& parent) {
    Node w;
    w.id = "c" + std::to_string(++ids_);
    towards_parent(&w, parent);
    w.on_stop = reason(false);
    switch (below(10)) {
      case 0:
      case 1: w.spec.stop = StopPolicy::brutal_kill(); break;
      case 2: w.spec.stop = StopPolicy::infinity(); break;
      case 3:
        w.stubborn = true;
        w.spec.stop = StopPolicy::within(std::chrono::nanoseconds(0));
        break;
      default: w.spec.stop = StopPolicy::within(std::chrono::seconds(60)); break;
    }
    if (chance(30)) {
      const int n = 1 + below(5);
      for (int i = 0; i < n; ++i) {
        Outcome o;
        const int what = below(100);
        const bool first = i == 0;
        if (what < (first ? 4 : 35)) {
          o.kind = Outcome::Kind::kFail;
          o.reason = chance(50) ? ExitReason{ExitKind::kError, "nope"} : ExitReason{ExitKind::kShutdown, "later"};
        } else if (what < (first ? 10 : 45) && (first || parent.strategy != Strategy::kDynamic)) {
          o.kind = Outcome::Kind::kIgnore;
        }
        w.outcomes.push_back(std::move(o));
      }
    }
    return w;
  }

  Node supervisor(int depth) {
    Node s;
    s.supervisor = true;
    s.id = "s" + std::to_string(++ids_);
    s.spec.id = s.id;
    s.spec.stop = StopPolicy::infinity();
    s.spec.supervisor = true;
    s.options.strategy = chance(15) ? Strategy::kDynamic : static_cast<Strategy>(below(3));
    s.options.intensity = static_cast<std::uint32_t>(below(6));
    s.options.period = std::chrono::seconds(schedule_.timed ? 1 + below(3) : 3600);
    if (chance(40))
      s.options.auto_shutdown = chance(50) ? AutoShutdown::kAnySignificant : AutoShutdown::kAllSignificant;
    if (s.options.strategy == Strategy::kDynamic) s.children.push_back(worker(s.options));
    supervisors_.push_back(s);
    const int n = s.options.strategy == Strategy::kDynamic ? 0 : below(6);
    for (int i = 0; i < n; ++i) {
      Node child;
      if (depth < 2 && chance(14)) {
        child = supervisor(depth + 1);
        towards_parent(&child, s.options);
      } else {
        child = worker(s.options);
      }
      known_.push_back({child.id, s.id, child});
      s.children.push_back(std::move(child));
    }
    return s;
  }

  const Known* any_known() {
    return known_.empty() ? nullptr : &known_[static_cast<std::size_t>(below(static_cast<int>(known_.size())))];
  }

  // A supervisor below a killed one would stop its children while the one above already restarts: in no fixed order. So
  // only those without supervisors below are killed; of others a worker below crashes.
  std::pair<std::string, ExitReason> crash_of(const Known& k) {
    if (!k.node.supervisor) return {k.id, reason(true)};
    bool above = false;
    for (const Node& child : k.node.children) above |= child.supervisor;
    for (const Known& below : known_)
      if (above && below.parent == k.id && !below.node.supervisor) return {below.id, reason(true)};
    if (above) return {"nobody", {}};
    return {k.id, {ExitKind::kKilled, ""}};
  }

  Step step() {
    Step s{};
    const int what = below(100);
    const Known* const k = any_known();
    if (schedule_.timed && what < 20 && ticks_ < 3) {
      ++ticks_;
      s.kind = Step::Kind::kTick;
      s.seconds = 1 + below(2);
      return s;
    }
    if (k != nullptr && what < 55) {
      s.kind = Step::Kind::kCrash;
      s.crashes.push_back(crash_of(*k));
      return s;
    }
    if (k != nullptr && what < 70) {  // several children of one supervisor, before it can react
      s.kind = Step::Kind::kCrash;
      const std::string parent = k->parent;
      for (const Known& other : known_) {
        bool twice = false;
        for (const auto& [id, why] : s.crashes) twice |= id == other.id;
        if (!twice && other.parent == parent && !other.node.supervisor && chance(60))
          s.crashes.push_back(crash_of(other));
      }
      if (s.crashes.empty()) s.crashes.push_back(crash_of(*k));
      return s;
    }
    if (k == nullptr || what < 84) {
      const Node parent = supervisors_[static_cast<std::size_t>(below(static_cast<int>(supervisors_.size())))];
      s.kind = Step::Kind::kStart;
      s.supervisor = parent.id;
      const bool dynamic = parent.options.strategy == Strategy::kDynamic;
      if (k != nullptr && !dynamic && chance(25)) {  // an id that may be there already
        for (const Known& other : known_) {
          if (other.parent != parent.id || other.node.supervisor) continue;
          s.child = other.node;
          return s;
        }
      }
      s.child = worker(parent.options);
      if (dynamic) {
        const Node& pattern = parent.children[0];
        s.child.spec.restart = pattern.spec.restart;
        s.child.spec.stop = pattern.spec.stop;
        s.child.spec.significant = pattern.spec.significant;
        s.child.stubborn = pattern.stubborn;
      }
      known_.push_back({s.child.id, s.supervisor, s.child});
      return s;
    }
    s.kind = what < 92 ? Step::Kind::kTerminate : what < 96 ? Step::Kind::kRestart : Step::Kind::kDelete;
    s.supervisor = k->parent;
    s.id = k->id;
    return s;
  }

  std::mt19937_64 random_;
  Schedule schedule_;
  std::vector<Known> known_;
  std::vector<Node> supervisors_;
  int ids_ = 0;
  int ticks_ = 0;
};

// ---- as Erlang terms ---------------------------------------------------------------------------------------------------

std::string term(const ExitReason& r) {
  switch (r.kind) {
    case ExitKind::kNormal: return "normal";
    case ExitKind::kShutdown: return r.detail.empty() ? "shutdown" : "{shutdown," + r.detail + "}";
    case ExitKind::kError: return r.detail;
    case ExitKind::kKilled: return "killed";
  }
  return "?";
}
std::string term(Restart r) {
  return r == Restart::kPermanent ? "permanent" : r == Restart::kTransient ? "transient" : "temporary";
}
std::string term(const StopPolicy& p) {
  if (p.kind == StopPolicy::Kind::kBrutalKill) return "brutal_kill";
  if (p.kind == StopPolicy::Kind::kInfinity) return "infinity";
  // OTP waits for the stubborn ones; here they take no time, or the machine's exact window and OTP's whole seconds differ.
  if (p.timeout.count() == 0) return "10";
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(p.timeout).count());
}
std::string term(const Node& n) {
  std::string out;
  const std::string significant = n.spec.significant ? "true" : "false";
  if (!n.supervisor) {
    out = "{worker," + n.id + "," + term(n.spec.restart) + "," + term(n.spec.stop) + "," + significant + "," +
          (n.stubborn ? "stubborn" : "{obey," + term(n.on_stop) + "}") + ",[";
    for (std::size_t i = 0; i < n.outcomes.size(); ++i) {
      const Outcome& o = n.outcomes[i];
      out += i == 0 ? "" : ",";
      out += o.kind == Outcome::Kind::kOk       ? "ok"
             : o.kind == Outcome::Kind::kIgnore ? "ignore"
                                                : "{fail," + term(o.reason) + "}";
    }
    return out + "]}";
  }
  static constexpr const char* kStrategies[] = {"one_for_one", "one_for_all", "rest_for_one", "simple_one_for_one"};
  static constexpr const char* kAuto[] = {"never", "any_significant", "all_significant"};
  out = "{sup," + n.id + "," + term(n.spec.restart) + "," + significant + "," +
        kStrategies[static_cast<int>(n.options.strategy)] + "," + std::to_string(n.options.intensity) + "," +
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(n.options.period).count()) + "," +
        kAuto[static_cast<int>(n.options.auto_shutdown)] + ",[";
  for (std::size_t i = 0; i < n.children.size(); ++i) out += (i == 0 ? "" : ",") + term(n.children[i]);
  return out + "]}";
}
std::string term(const Step& s) {
  switch (s.kind) {
    case Step::Kind::kCrash: {
      std::string out = "{crash,[";
      for (std::size_t i = 0; i < s.crashes.size(); ++i)
        out += std::string(i == 0 ? "" : ",") + "{" + s.crashes[i].first + "," + term(s.crashes[i].second) + "}";
      return out + "]}";
    }
    case Step::Kind::kStart: return "{start," + s.supervisor + "," + term(s.child) + "}";
    case Step::Kind::kTerminate: return "{terminate," + s.supervisor + "," + s.id + "}";
    case Step::Kind::kRestart: return "{restart," + s.supervisor + "," + s.id + "}";
    case Step::Kind::kDelete: return "{delete," + s.supervisor + "," + s.id + "}";
    case Step::Kind::kTick: return "{tick," + std::to_string(s.seconds) + "}";
  }
  return "?";
}
void print_terms(const Schedule& s) {
  std::printf("{%llu,%s,%s,[", static_cast<unsigned long long>(s.number), s.timed ? "true" : "false",
              term(s.root).c_str());
  for (std::size_t i = 0; i < s.steps.size(); ++i) std::printf("%s%s", i == 0 ? "" : ",", term(s.steps[i]).c_str());
  std::printf("]}.\n");
}

// ---- the world around the machines ---------------------------------------------------------------------------------------

struct Supervisor {
  const Node* node = nullptr;
  Supervisor* parent = nullptr;
  ChildKey key = 0;  // in the parent
  std::uint64_t run = 0;
  std::unique_ptr<SupervisorMachine> machine;
  std::map<ChildKey, std::string> ids;
  struct Exit {
    ChildKey key;
    std::uint64_t run;
    ExitReason reason;
  };
  std::deque<Exit> inbox;
  bool alive = true;
  bool ready = false;
  ExitReason exit;
  std::string reply;
};

struct Worker {
  Supervisor* parent = nullptr;
  ChildKey key = 0;
  std::uint64_t run = 0;
  bool alive = false;
};

class World {
 public:
  explicit World(const Schedule& schedule) : schedule_(schedule) { learn(schedule.root); }

  void run() {
    std::printf("#%llu\n", static_cast<unsigned long long>(schedule_.number));
    root_ = start_supervisor(schedule_.root, nullptr, 0, 0);
    settle(root_);
    if (!root_->ready) {
      std::printf("exit %s\n", show(root_->exit).c_str());
      return;
    }
    states();
    int k = 0;
    for (const Step& step : schedule_.steps) {
      if (!root_->alive) break;
      const std::string result = perform(step);
      std::printf("step %d %s\n", ++k, result.c_str());
      states();
    }
    if (root_->alive) {
      root_->machine->shutdown({ExitKind::kShutdown, ""}, now_);
      settle(root_);
    }
    std::printf("exit %s\n", show(root_->exit).c_str());
  }

 private:
  void learn(const Node& node) {
    nodes_[node.id] = &node;
    for (const Node& child : node.children) learn(child);
  }

  static std::string show(const ExitReason& r) {
    switch (r.kind) {
      case ExitKind::kNormal: return "normal";
      case ExitKind::kShutdown: return r.detail.empty() ? "shutdown" : "shutdown:" + r.detail;
      case ExitKind::kError: return r.detail;
      case ExitKind::kKilled: return "killed";
    }
    return "?";
  }

  Supervisor* start_supervisor(const Node& node, Supervisor* parent, ChildKey key, std::uint64_t run) {
    auto owned = std::make_unique<Supervisor>();
    Supervisor* const s = owned.get();
    everyone_.push_back(std::move(owned));
    s->node = &node;
    s->parent = parent;
    s->key = key;
    s->run = run;
    s->machine = std::make_unique<SupervisorMachine>(node.options);
    std::vector<ChildSpec> specs;
    if (node.options.strategy != Strategy::kDynamic)
      for (const Node& child : node.children) specs.push_back(child.spec);
    supervisors_[node.id] = s;
    if (SupervisorMachine::check(node.options, specs) != SpecError::kNone) std::abort();
    s->machine->begin(std::move(specs), now_);
    drive(s);
    std::printf("start %s %s\n", node.id.c_str(), s->ready ? "ok" : ("fail " + show(s->exit)).c_str());
    return s;
  }

  // Until the supervisor has nothing to do.
  void drive(Supervisor* s) {
    SupervisorMachine& m = *s->machine;
    while (s->alive) {
      while (!s->inbox.empty()) {
        const Supervisor::Exit e = s->inbox.front();
        s->inbox.pop_front();
        m.exited(e.key, e.run, e.reason, now_);
      }
      m.proceed(now_);
      const std::vector<SupervisorAction> actions = m.take_actions();
      for (const SupervisorAction& a : actions) carry_out(s, a);
      if (!actions.empty() || !s->inbox.empty()) continue;
      if (m.idle() || m.deadline() == SupervisorMachine::kNever) return;
      now_ = m.deadline();
      m.time(now_);
    }
  }
  // The same for it and, when it ended, for those above it.
  void settle(Supervisor* s) {
    drive(s);
    for (; !s->alive && s->parent != nullptr && s->parent->alive && s->ready; s = s->parent) {
      if (!reported_.insert(s).second) return;
      s->parent->inbox.push_back({s->key, s->run, s->exit});
      drive(s->parent);
    }
  }

  static const char* stop_word(const Supervisor* s) {
    return s->node->options.strategy == Strategy::kDynamic ? "dstop" : "stop";
  }

  void carry_out(Supervisor* s, const SupervisorAction& a) {
    using Kind = SupervisorAction::Kind;
    if (const auto view = s->machine->find(a.child)) s->ids[a.child] = view->spec.id;
    const std::string id = s->ids[a.child];
    switch (a.kind) {
      case Kind::kStart: start(s, a, id); return;
      case Kind::kStop:
      case Kind::kKill: stop(s, a, id); return;
      case Kind::kReady: s->ready = true; return;
      case Kind::kReport: {
        static constexpr const char* kWords[] = {"child_terminated", "start_error", "shutdown_error", "shutdown"};
        const bool group = a.report == ReportKind::kShutdownError && s->node->options.strategy == Strategy::kDynamic &&
                           terminating_ != a.child;
        const std::string why = a.report == ReportKind::kGaveUp ? "reached_max_restart_intensity" : show(a.reason);
        if (group) {
          std::printf("dreport shutdown_error - %s\n", why.c_str());
        } else {
          std::printf("report %s %s %s\n", kWords[static_cast<int>(a.report)], id.c_str(), why.c_str());
        }
        return;
      }
      case Kind::kReply: {
        static constexpr const char* kWords[] = {
            "ok",      "ignored",    "already_present", "already_started", "start_failed", "not_found",
            "running", "restarting", "wrong_strategy",  "bad_spec",        "gone"};
        s->reply = kWords[static_cast<int>(a.status)];
        return;
      }
      case Kind::kExit:
        s->alive = false;
        s->exit = a.reason;
        return;
    }
  }

  void start(Supervisor* s, const SupervisorAction& a, const std::string& id) {
    const Node& node = *nodes_[id];
    if (node.supervisor) {
      Supervisor* const child = start_supervisor(node, s, a.child, a.run);
      if (child->ready && child->alive) {
        s->machine->started(a.child, a.run, now_);
      } else {
        s->machine->start_failed(a.child, a.run, child->exit, now_);
      }
      return;
    }
    const std::size_t n = starts_[id]++;
    const Outcome outcome = n < node.outcomes.size() ? node.outcomes[n] : Outcome{};
    switch (outcome.kind) {
      case Outcome::Kind::kOk:
        std::printf("start %s ok\n", id.c_str());
        workers_[id] = {s, a.child, a.run, true};
        s->machine->started(a.child, a.run, now_);
        return;
      case Outcome::Kind::kIgnore:
        std::printf("start %s ignore\n", id.c_str());
        s->machine->start_ignored(a.child, a.run, now_);
        return;
      case Outcome::Kind::kFail:
        std::printf("start %s fail %s\n", id.c_str(), show(outcome.reason).c_str());
        s->machine->start_failed(a.child, a.run, outcome.reason, now_);
        return;
    }
  }

  void stop(Supervisor* s, const SupervisorAction& a, const std::string& id) {
    const bool kill = a.kind == SupervisorAction::Kind::kKill;
    const Node& node = *nodes_[id];
    if (node.supervisor) {
      Supervisor* const child = supervisors_[id];
      if (!child->alive) return;
      std::printf("%s %s shutdown\n", stop_word(s), id.c_str());
      child->machine->shutdown({ExitKind::kShutdown, ""}, now_);
      drive(child);
      reported_.insert(child);
      s->inbox.push_back({a.child, a.run, child->exit});
      return;
    }
    Worker& w = workers_[id];
    if (!w.alive || w.run != a.run) return;
    std::printf("%s %s %s\n", stop_word(s), id.c_str(), kill ? "kill" : "shutdown");
    if (!kill && node.stubborn) return;
    w.alive = false;
    s->inbox.push_back({a.child, a.run, kill ? ExitReason{ExitKind::kKilled, ""} : node.on_stop});
  }

  std::string perform(const Step& step) {
    if (step.kind == Step::Kind::kTick) {
      now_ += static_cast<std::uint64_t>(step.seconds) * 1'000'000'000U;
      return "done";
    }
    if (step.kind == Step::Kind::kCrash) return crash(step);
    const auto found = supervisors_.find(step.supervisor);
    if (found == supervisors_.end() || !found->second->alive) return "skip";
    Supervisor* const s = found->second;
    const bool dynamic = s->node->options.strategy == Strategy::kDynamic;
    if (step.kind == Step::Kind::kStart) {
      if (nodes_.count(step.child.id) == 0) nodes_[step.child.id] = &step.child;
      s->machine->start_child(step.child.spec, 1, now_);
    } else {
      ChildKey key = 0;
      if (dynamic) {
        // OTP is given a process, and finds one that is gone terminated, whoever it belonged to.
        const auto worker = workers_.find(step.id);
        if (worker != workers_.end() && worker->second.parent == s) key = worker->second.key;
        if (worker != workers_.end() && worker->second.parent != s && step.kind == Step::Kind::kTerminate) return "ok";
      } else {
        key = s->machine->find_id(step.id);
      }
      terminating_ = key;
      if (step.kind == Step::Kind::kTerminate) s->machine->terminate_child(key, 1, now_);
      if (step.kind == Step::Kind::kRestart) s->machine->restart_child(key, 1, now_);
      if (step.kind == Step::Kind::kDelete) s->machine->delete_child(key, 1, now_);
    }
    settle(s);
    terminating_ = 0;
    return s->reply;
  }

  std::string crash(const Step& step) {
    Supervisor* parent = nullptr;
    for (const auto& [id, reason] : step.crashes) {
      if (const auto s = supervisors_.find(id); s != supervisors_.end() && nodes_[id]->supervisor) {
        Supervisor* const dead = s->second;
        if (!dead->alive) continue;
        parent = dead->parent;
        kill_tree(dead);
        parent->inbox.push_back({dead->key, dead->run, {ExitKind::kKilled, ""}});
        reported_.insert(dead);
        continue;
      }
      const auto w = workers_.find(id);
      if (w == workers_.end() || !w->second.alive) continue;
      w->second.alive = false;
      parent = w->second.parent;
      parent->inbox.push_back({w->second.key, w->second.run, reason});
    }
    if (parent == nullptr) return "skip";
    settle(parent);
    return "done";
  }

  void kill_tree(Supervisor* s) {
    s->alive = false;
    for (auto& [id, worker] : workers_)
      if (worker.parent == s) worker.alive = false;
    for (auto& [id, other] : supervisors_)
      if (other->parent == s && other->alive) kill_tree(other);
  }

  void states() {
    if (!root_->alive) return;
    for (const auto& [id, s] : supervisors_) {
      if (!s->alive) continue;
      const SupervisorMachine::Counts c = s->machine->counts();
      const bool dynamic = s->node->options.strategy == Strategy::kDynamic;
      std::printf("state %s active %zu specs %zu", id.c_str(), c.active, dynamic ? std::size_t{1} : c.specs);
      if (!dynamic) {
        for (const auto& view : s->machine->children())
          std::printf(" %s:%s", view.spec.id.c_str(),
                      view.state == ChildState::kRunning   ? "runs"
                      : view.state == ChildState::kStopped ? "stopped"
                                                           : "?");
      }
      std::printf("\n");
    }
  }

  const Schedule& schedule_;
  std::map<std::string, const Node*> nodes_;
  std::map<std::string, Supervisor*> supervisors_;
  std::map<std::string, Worker> workers_;
  std::map<std::string, std::size_t> starts_;
  std::vector<std::unique_ptr<Supervisor>> everyone_;
  std::set<Supervisor*> reported_;
  Supervisor* root_ = nullptr;
  ChildKey terminating_ = 0;
  SupervisorMachine::Time now_ = 1'000'000'000;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || (std::strcmp(argv[1], "terms") != 0 && std::strcmp(argv[1], "trace") != 0)) {
    std::fprintf(stderr, "usage: otp_schedules terms|trace FIRST COUNT\n");
    return 2;
  }
  const std::uint64_t first = std::strtoull(argv[2], nullptr, 10);
  const std::uint64_t count = std::strtoull(argv[3], nullptr, 10);
  for (std::uint64_t n = first; n < first + count; ++n) {
    const Schedule schedule = Generator(n).make();
    if (std::strcmp(argv[1], "terms") == 0) {
      print_terms(schedule);
    } else {
      World(schedule).run();
    }
  }
  return 0;
}
