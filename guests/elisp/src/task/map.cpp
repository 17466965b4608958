// task-map: a function over the elements of a sequence, on several tasks, results in order.
//
// Each of N workers is a task that takes chunks of elements from one channel and puts lists of results into
// another; both channels are bounded, so at most a few chunks for each worker are on their way at a time. A worker
// keeps its isolate for all chunks it takes: what FUNCTION leaves in global state is seen by later calls in that worker.
#include <algorithm>

#include "task/body.hpp"

namespace neovm::elisp {

namespace {

struct MapOptions {
  std::int64_t workers = 0;
  std::int64_t chunk = 0;
  Value progress = kNil;
};

Maybe<MapOptions> map_options(Context& cx, Arguments rest) {
  MapOptions o;
  for (std::size_t i = 0; i < rest.size(); i += 2) {
    const std::string_view key = rest[i].is_symbol() ? symbol_name_view(cx, rest[i]) : "";
    if (i + 1 == rest.size()) return error_text(cx, "Missing value of the last option of `task-map'");
    const Value v = rest[i + 1];
    if (key == ":progress") {
      o.progress = v;
      continue;
    }
    if (key != ":workers" && key != ":chunk")
      return signal_error2(cx, Qerror, make_string(cx, "Unknown option of `task-map'"), rest[i]);
    if (!v.is_natnum_fixnum() || v.as_fixnum() == 0) return wrong_type(cx, Qwholenump, v);
    (key == ":workers" ? o.workers : o.chunk) = v.as_fixnum();
  }
  return o;
}

// What a worker runs: (lambda (function chunks results) …), read once for each map.
constexpr const char* kWorker =
    "#'(lambda (function chunks results)"
    "    (let (chunk)"
    "      (while (setq chunk (condition-case nil (channel-recv chunks) (channel-closed nil)))"
    "        (channel-send results (cons (car chunk) (mapcar function (cdr chunk)))))))";

class Mapping {
 public:
  Mapping(Context& cx, Value function, std::vector<Value> elements) : cx_(cx), kept_(cx), elements_(cx) {
    kept_.values = {function, kNil};
    elements_.values = std::move(elements);
  }
  ~Mapping() {
    if (chunks_) chunks_->channel.close();
    if (results_) results_->channel.close();
    if (!finished_)
      for (const Ref<LispTask>& t : tasks_) t->cancel();
  }

  Value run(const MapOptions& options) {
    TaskState& state = *TRY(need_tasks(cx_));
    kept_.values[1] = options.progress;
    const auto count = static_cast<std::int64_t>(elements_.values.size());
    if (count == 0) return kNil;
    std::int64_t workers = options.workers != 0 ? options.workers : state.world.workers();
    workers = std::min(workers, count);
    chunk_ = options.chunk != 0 ? options.chunk : std::max<std::int64_t>(1, count / (workers * 16));
    chunk_count_ = (count + chunk_ - 1) / chunk_;
    workers = std::min(workers, chunk_count_);
    const auto room = static_cast<std::size_t>(2 * workers);
    chunks_ = Ref<LispChannel>::adopt(new LispChannel(room, state.world.next_id.fetch_add(1)));
    results_ = Ref<LispChannel>::adopt(new LispChannel(room, state.world.next_id.fetch_add(1)));
    RootVector by_chunk(cx_);
    by_chunk.values.assign(static_cast<std::size_t>(chunk_count_), kNil);
    TRY(start(workers));
    TRY(exchange(by_chunk.values));
    TRY(wait_for_workers());
    finished_ = true;
    Value all = kNil;
    for (std::size_t i = by_chunk.values.size(); i-- > 0;) {
      std::vector<Value> items;
      for (Value l = by_chunk.values[i]; l.is_cons(); l = cdr_raw(l)) items.push_back(car_raw(l));
      all = list_from(cx_, items, all);
    }
    return all;
  }

 private:
  Maybe<bool> start(std::int64_t workers) {
    const Value read = TRY(funcall_re(cx_, Qread_from_string, { TRY(make_string(cx_, kWorker)) }));
    const Value body = TRY(eval_form_re(cx_, car_raw(read), Qt));
    SpawnRequest request;
    request.what = body;
    request.args = list(cx_, {kept_.values[0], make_channel_handle(cx_, chunks_), make_channel_handle(cx_, results_)});
    RootVector kept(cx_);
    for (std::int64_t i = 0; i < workers; ++i) {
      kept.values = {request.what, request.args};
      request.name = "task-map " + std::to_string(i);
      tasks_.push_back(TRY(spawn_lisp_task(cx_, request)));
      request.what = kept.values[0];
      request.args = kept.values[1];
    }
    return true;
  }

  Value chunk_value(std::int64_t i) {
    const auto first = static_cast<std::size_t>(i * chunk_);
    const std::size_t last = std::min(first + static_cast<std::size_t>(chunk_), elements_.values.size());
    return cons(cx_, Value::fixnum(i), list_from(cx_, std::span(elements_.values).subspan(first, last - first)));
  }

  // Sends chunks and takes results until all are there. A worker that ends before is an error.
  Maybe<bool> exchange(std::vector<Value>& by_chunk) {
    std::int64_t sent = 0;
    std::int64_t received = 0;
    Message next;
    while (received < chunk_count_) {
      std::vector<std::unique_ptr<worker::RecvCase<Message>>> ends;
      std::vector<worker::SelectCase*> cases;
      worker::RecvCase<Message> result(results_->channel);
      cases.push_back(&result);
      for (const Ref<LispTask>& t : tasks_) {
        ends.push_back(std::make_unique<worker::RecvCase<Message>>(t->result));
        cases.push_back(ends.back().get());
      }
      std::optional<worker::SendCase<Message>> send;
      if (sent < chunk_count_) {
        if (next.empty()) next = TRY(pack(cx_, chunk_value(sent), "chunk"));
        cases.push_back(&send.emplace(chunks_->channel, next));
      }
      const worker::Selected got = TRY(wait_for(cx_, cases, {}));
      if (got.index == 0) {
        const Value pair = TRY(unpack(cx_, result.take()));
        by_chunk[static_cast<std::size_t>(car_raw(pair).as_fixnum())] = cdr_raw(pair);
        ++received;
        if (!kept_.values[1].is_nil()) {
          done_ +=
              std::min(chunk_, static_cast<std::int64_t>(elements_.values.size()) - car_raw(pair).as_fixnum() * chunk_);
          TRY(funcall_re(cx_, kept_.values[1], {Value::fixnum(done_)}));
        }
      } else if (got.index <= tasks_.size()) {
        Message end;
        if (got.status == worker::Status::kOk) end = ends[got.index - 1]->take();
        TRY(early_end(*tasks_[got.index - 1], std::move(end)));
        tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(got.index - 1));
      } else if (++sent == chunk_count_) {
        chunks_->channel.close();
      }
      // A worker ends by itself only when there are no more chunks; its results are in the channel before.
      if (sent == chunk_count_) forget_finished();
    }
    return true;
  }

  // After the last chunk workers end one by one; only those that failed matter.
  void forget_finished() {
    std::erase_if(tasks_, [](const Ref<LispTask>& t) {
      return t->phase.load(std::memory_order_acquire) == TaskPhase::kEnded && t->outcome == TaskOutcome::kValue;
    });
  }

  Maybe<bool> early_end(LispTask& task, Message&& end) {
    if (task.outcome == TaskOutcome::kValue) return true;  // seen before forget_finished saw it
    const Value handle = make_task_handle(cx_, Ref<LispTask>::share(&task));
    const Value v = deliver_outcome(cx_, task, std::move(end), handle);
    if (v.is_exit()) return kFailed;
    return true;
  }

  Maybe<bool> wait_for_workers() {
    for (const Ref<LispTask>& t : tasks_) {
      worker::RecvCase<Message> end(t->result);
      worker::SelectCase* cases[] = {&end};
      if (TRY(wait_for(cx_, cases, {})).status == worker::Status::kOk) (void)end.take();
    }
    return true;
  }

  Context& cx_;
  RootVector kept_;
  RootVector elements_;
  Ref<LispChannel> chunks_;
  Ref<LispChannel> results_;
  std::vector<Ref<LispTask>> tasks_;
  std::int64_t chunk_ = 1;
  std::int64_t chunk_count_ = 0;
  std::int64_t done_ = 0;  // elements
  bool finished_ = false;
};

NEOVM_PRIMITIVE(task_map, "task-map", 2, kMany, kWorkerSafe, kStateWrite, kMayGc, kReenters, kNondeterministic,
                "Return the list of what FUNCTION gives for each element of SEQUENCE, worked out by several tasks.")
(Context& cx, Arguments args) {
  const MapOptions options = TRY(map_options(cx, args.subspan(2)));
  const Value elements = TRY(funcall_re(cx, intern(cx, "append"), {args[1], kNil}));
  std::vector<Value> items;
  for (Value l = elements; l.is_cons(); l = cdr_raw(l)) items.push_back(car_raw(l));
  return Mapping(cx, args[0], std::move(items)).run(options);
}

}  // namespace

}  // namespace neovm::elisp
