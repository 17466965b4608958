// A supervisor as a pure state machine: what happened goes in, what is to be done comes out.
//
// The machine starts nothing, sleeps nowhere and reads no clock, so every order of events can be tried in a test and
// compared with a real Erlang/OTP supervisor (tests/otp). supervisor.hpp binds it to tasks.
//
// Meaning (Erlang/OTP's supervisor, learned from its manual and from running release 25):
//  - Children start in the order in which they were added and stop in reverse, one after the other. A child that is
//    asked to stop gets its stop timeout and is then killed.
//  - A child that ends is started again when it is permanent, or transient and its reason is not orderly. The strategy
//    says who is stopped and started with it: nobody, everybody, or those added after it.
//  - Temporary children are forgotten when they end or are stopped.
//  - A restart whose start fails leaves the child `kRestarting`; it is tried again behind what is already queued, and
//    every try counts.
//  - More than `intensity` restarts within `period`: the supervisor stops its children and ends with `shutdown`, which its
//    own supervisor sees (escalation).
//  - What arrives while the supervisor is starting or stopping children waits in order of arrival. An exit of a child that
//    is about to be stopped anyway is taken as its answer and is not restarted twice.
//  - kDynamic (OTP's simple_one_for_one): children come from start_child alone, are known by their key, are stopped all at
//    once at the end, and are forgotten as soon as they do not run.
// Beyond OTP: delays between restarts (Backoff) and kUnlimited restarts. With a delay the affected children are stopped at
// once, and everything goes on being served until the start is due.
//
// Time: nanoseconds of one monotonic clock, given with every input; it must not go back. OTP counts whole seconds; here the
// window is exact: a restart counts while now - then <= period.
// Ownership: a machine is a value of its owner. Threads: one at a time. Errors: inputs that make no sense (an unknown child, a
// run that is over) are ignored; requests are answered. May throw std::bad_alloc only.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace neovm::worker {

enum class ExitKind : std::uint8_t {
  kNormal,    // it returned
  kShutdown,  // it was asked to, or says so
  kError,     // it failed
  kKilled,    // it was not asked
};
struct ExitReason {
  ExitKind kind = ExitKind::kNormal;
  std::string detail;  // for people, and for the supervisor's parent

  // Orderly ends do not restart a transient child.
  [[nodiscard]] bool orderly() const { return kind == ExitKind::kNormal || kind == ExitKind::kShutdown; }
  friend bool operator==(const ExitReason&, const ExitReason&) = default;
};

enum class Strategy : std::uint8_t { kOneForOne, kOneForAll, kRestForOne, kDynamic };
enum class Restart : std::uint8_t { kPermanent, kTransient, kTemporary };
enum class AutoShutdown : std::uint8_t { kNever, kAnySignificant, kAllSignificant };

// How a child is stopped.
struct StopPolicy {
  enum class Kind : std::uint8_t { kTimeout, kBrutalKill, kInfinity };
  Kind kind = Kind::kTimeout;
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);  // for kTimeout; 0 asks and kills at once

  [[nodiscard]] static StopPolicy brutal_kill() { return {Kind::kBrutalKill, {}}; }
  [[nodiscard]] static StopPolicy infinity() { return {Kind::kInfinity, {}}; }
  [[nodiscard]] static StopPolicy within(std::chrono::nanoseconds timeout) { return {Kind::kTimeout, timeout}; }
};

struct ChildSpec {
  std::string id;  // unique within the supervisor, except kDynamic, where it is only a name
  Restart restart = Restart::kPermanent;
  StopPolicy stop;
  bool significant = false;  // its orderly end counts for AutoShutdown
  bool supervisor = false;   // for counts()
};

// The pause before a restart: initial * factor^n for the n-th restart in a row, at most `max`, of which a random part of
// up to `jitter` (0 … 1) is taken away. A child that ran for `reset_after` starts at `initial` again.
struct Backoff {
  std::chrono::nanoseconds initial{0};  // 0: restart at once, as OTP does
  std::chrono::nanoseconds max = std::chrono::seconds(30);
  double factor = 2.0;
  double jitter = 0.0;
  std::chrono::nanoseconds reset_after = std::chrono::seconds(60);
  std::uint64_t seed = 1;

  // The n-th pause (n from 0). `random` is the state of the generator and is advanced. Never negative, never above max.
  [[nodiscard]] std::chrono::nanoseconds pause(std::uint32_t n, std::uint64_t* random) const;
};

struct SupervisorOptions {
  static constexpr std::uint32_t kUnlimited = ~std::uint32_t{0};

  Strategy strategy = Strategy::kOneForOne;
  std::uint32_t intensity = 1;  // 0: the first restart is one too many
  std::chrono::nanoseconds period = std::chrono::seconds(5);
  AutoShutdown auto_shutdown = AutoShutdown::kNever;
  Backoff backoff;
};

enum class SpecError : std::uint8_t {
  kNone,
  kDuplicateId,
  kPermanentSignificant,        // a permanent child never ends for good
  kSignificantWithoutShutdown,  // auto_shutdown is kNever
  kBadDuration,                 // negative, or a period of 0 with a limit
  kBadBackoff,                  // factor below 1, jitter outside 0 … 1, max below initial
  kDynamicHasChildren,          // a dynamic supervisor starts empty
};

using ChildKey = std::uint64_t;  // in order of adding, never used twice; 0 is nobody
using Ticket = std::uint64_t;    // the caller's name for a request

enum class ChildState : std::uint8_t { kStopped, kStarting, kRunning, kStopping, kRestarting };

enum class ReportKind : std::uint8_t {
  kChildTerminated,  // it ended by itself, and not in order (or is permanent)
  kStartError,       // it could not be started
  kShutdownError,    // it was stopped, but ended otherwise
  kGaveUp,           // the restart limit was reached at this child
};

enum class RequestStatus : std::uint8_t {
  kOk,
  kIgnored,         // started, and chose not to run; kept (unless temporary) as stopped
  kAlreadyPresent,  // start: that id exists and is stopped
  kAlreadyStarted,  // start: that id exists
  kStartFailed,
  kNotFound,
  kRunning,        // restart, delete: it runs
  kRestarting,     // restart, delete: it is between two tries
  kWrongStrategy,  // restart, delete: not for dynamic children
  kBadSpec,
  kSupervisorGone,
};

struct SupervisorAction {
  enum class Kind : std::uint8_t {
    kStart,   // start `child`, run `run`; answer with started(), start_ignored() or start_failed(). `ticket`: on whose
              // request; 0 for nobody's
    kStop,    // ask it to stop; answer with exited() when it has ended
    kKill,    // end it without asking; exited() as well
    kReady,   // all first children have started
    kReport,  // tell people: `report`, `child`, `reason`
    kReply,   // the request `ticket` has ended: `status`, `child`, `reason` when kStartFailed
    kExit,    // the supervisor is over: `reason`. Nothing follows
  };
  Kind kind = Kind::kStart;
  ChildKey child = 0;
  std::uint64_t run = 0;
  ReportKind report = ReportKind::kChildTerminated;
  RequestStatus status = RequestStatus::kOk;
  Ticket ticket = 0;
  ExitReason reason;
};

class SupervisorMachine {
 public:
  using Time = std::uint64_t;
  static constexpr Time kNever = ~Time{0};

  explicit SupervisorMachine(const SupervisorOptions& options) : options_(options), random_(options.backoff.seed) {}

  // What is wrong with these, if anything; `which` gets the index of the spec. Call before begin().
  [[nodiscard]] static SpecError check(const SupervisorOptions& options, const std::vector<ChildSpec>& specs,
                                       std::size_t* which = nullptr);

  // ---- inputs ---------------------------------------------------------------------------------------------------------
  // An input goes on with what the machine is in the middle of; something new begins in proceed() alone. So the owner tells
  // everything that has happened so far, calls proceed(), carries out take_actions(), and begins again until there is
  // nothing to tell and nothing to do. (Events that happened at the same time are then known together: two children of
  // one group that died together are restarted once.)
  // Takes up the queued events, in order, until one has to wait for the world.
  void proceed(Time now);
  // Starts the first children. Their keys are 1, 2, … Precondition: check() found nothing; called once.
  void begin(std::vector<ChildSpec> specs, Time now);
  void started(ChildKey child, std::uint64_t run, Time now);
  void start_ignored(ChildKey child, std::uint64_t run, Time now);
  void start_failed(ChildKey child, std::uint64_t run, ExitReason reason, Time now);
  // The child's run has ended. Before its started() it counts as start_failed().
  void exited(ChildKey child, std::uint64_t run, ExitReason reason, Time now);
  // Stop everything and end with `reason`. Further calls change nothing.
  void shutdown(ExitReason reason, Time now);
  // The time has come: see deadline(). Early calls do no harm.
  void time(Time now);
  // Requests; each is answered by one kReply with its ticket.
  void start_child(ChildSpec spec, Ticket ticket, Time now);
  void terminate_child(ChildKey child, Ticket ticket, Time now);
  void restart_child(ChildKey child, Ticket ticket, Time now);
  void delete_child(ChildKey child, Ticket ticket, Time now);

  // ---- outputs ------------------------------------------------------------------------------------------------------
  // In order; each is to be carried out once.
  [[nodiscard]] std::vector<SupervisorAction> take_actions() { return std::exchange(actions_, {}); }
  // When to call time() at the latest; kNever when nothing is due.
  [[nodiscard]] Time deadline() const;

  // ---- state --------------------------------------------------------------------------------------------------------
  struct Counts {
    std::size_t specs = 0, active = 0, supervisors = 0, workers = 0;
  };
  struct ChildView {
    ChildKey key;
    const ChildSpec& spec;
    ChildState state;
    std::uint64_t run;  // of the latest start; 0 before the first
    std::uint64_t starts;
  };
  [[nodiscard]] Counts counts() const;
  [[nodiscard]] std::vector<ChildView> children() const;  // in order of starting
  [[nodiscard]] std::optional<ChildView> find(ChildKey child) const;
  [[nodiscard]] ChildKey find_id(const std::string& id) const;  // 0: none; not for kDynamic
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool idle() const { return !op_ && queue_.empty(); }
  [[nodiscard]] std::uint64_t restarts() const { return restart_count_; }
  [[nodiscard]] const SupervisorOptions& options() const { return options_; }

 private:
  struct Child {
    ChildSpec spec;
    ChildState state = ChildState::kStopped;
    std::uint64_t run = 0;
    std::uint64_t starts = 0;
    bool exit_seen = false;  // ended, and the exit still waits in the queue
    ExitReason exit;
    Time started_at = 0;
    Time due = kNever;             // kStopping: when it is killed; kRestarting after a pause: when it is started
    std::uint32_t in_a_row = 0;    // restarts without a long run between them
    bool already_counted = false;  // the pending restart is in the window
  };
  struct Event {
    enum class Kind : std::uint8_t { kExited, kTryAgain, kShutdown, kStartChild, kTerminate, kRestartChild, kDelete };
    Kind kind;
    ChildKey child = 0;
    std::uint64_t run = 0;
    Ticket ticket = 0;
    ExitReason reason;
    ChildSpec spec;
  };
  // What the machine is in the middle of: stop these, then start those.
  struct Op {
    enum class Kind : std::uint8_t { kInit, kRestart, kTerminateChild, kStartChild, kExit };
    Kind kind;
    ChildKey cause = 0;  // the child that it is about
    Ticket ticket = 0;
    ExitReason reason;           // of kExit
    std::vector<ChildKey> stop;  // in this order
    std::vector<ChildKey> start;
    std::size_t stop_at = 0, start_at = 0;
    bool all_at_once = false;   // dynamic children do not wait for each other
    bool fresh = false;         // of kStartChild: added by this request
    bool start_listed = false;  // of kRestart: `start` is known only after the stops
    Time pause = 0;             // of kRestart: between the stops and the starts
  };

  void push(Event event);
  void go_on();
  void handle(Event& event);
  void handle_exit(ChildKey key, Child& child);
  void handle_start(Event& event);
  void handle_terminate(const Event& event);
  void handle_restart_child(const Event& event);
  void handle_delete(const Event& event);
  void restart(ChildKey key, Child& child, bool counted);
  bool count_restart();
  Time next_pause(Child& child);
  void begin_exit(ExitReason reason);
  void step();
  void stop_next();
  void stopped(ChildKey key, ExitReason reason);
  void start_next();
  void start_ended(RequestStatus status, ExitReason reason);
  void finish_exit();
  void set_due(ChildKey key, Child& child, Time due);
  void forget_or_stop(ChildKey key);
  void auto_shutdown(bool significant);
  [[nodiscard]] Child* child_at(ChildKey key);
  SupervisorAction& act(SupervisorAction::Kind kind, ChildKey child);
  void report(ReportKind kind, ChildKey child, ExitReason reason);
  void reply(Ticket ticket, RequestStatus status, ChildKey child, ExitReason reason = {});

  SupervisorOptions options_;
  std::map<ChildKey, Child> children_;  // keys grow, so this is the order of starting
  std::unordered_map<std::string, ChildKey> ids_;
  std::deque<Event> queue_;
  std::optional<Op> op_;
  ChildKey starting_ = 0;  // the start that is awaited
  std::size_t stops_awaited_ = 0;
  std::set<std::pair<Time, ChildKey>> due_;  // the children's `due`, soonest first
  std::deque<Time> window_;                  // restarts that still count, oldest first
  std::vector<SupervisorAction> actions_;
  Time now_ = 0;
  ChildKey next_key_ = 1;
  std::uint64_t next_run_ = 1;
  std::uint64_t restart_count_ = 0;
  std::uint64_t random_;
  bool begun_ = false;
  bool leaving_ = false;
  bool done_ = false;
};

}  // namespace neovm::worker
