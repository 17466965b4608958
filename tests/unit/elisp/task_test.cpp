// Lisp tasks in a bare world: values, errors, cancellation, channels, select, children, maps.
#include <gtest/gtest.h>

#include <string>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/elisp/tasks.hpp"
#include "neovm/host/host.hpp"

namespace {

using namespace neovm;

void boot(Context& cx) {
  elisp::attach(cx);
  neomacs::host::attach(cx);
}

class LispTasks : public ::testing::Test {
 protected:
  static IsolateOptions options() {
    IsolateOptions o;
    o.building = true;
    return o;
  }
  LispTasks() : LispTasks(elisp::TaskSettings{}) {}
  explicit LispTasks(elisp::TaskSettings settings) : isolate_(options()), cx_(isolate_) {
    boot(cx_);
    if (settings.workers == 0) settings.workers = 2;
    settings.boot = [](Context& cx) -> std::string {
      boot(cx);
      return "";
    };
    elisp::allow_tasks(cx_, std::move(settings));
  }
  // Printed value of the forms in TEXT, or "error: " and the printed error.
  std::string run(const std::string& text) {
    const Value string = make_string(cx_, "(condition-case e (progn " + text + ") (error (cons 'error: e)))");
    const Value read = funcall_re(cx_, Qread_from_string, {string});
    EXPECT_FALSE(read.is_exit());
    const Value value = eval_form_re(cx_, car_raw(read), Qt);
    if (value.is_exit()) return "exit";
    const Value printed = funcall_re(cx_, Qprin1_to_string, {value});
    return printed.is_exit() ? "exit" : to_std_string(printed);
  }
  Isolate isolate_;
  Context cx_;
};

TEST_F(LispTasks, ValuesOfFunctionsAndForms) {
  EXPECT_EQ(run("(task-await (spawn-task #'(lambda (a b) (list b a)) '(1 (2 \"x\"))))"), "((2 \"x\") 1)");
  EXPECT_EQ(run("(task-await (spawn-task '(let ((x 1)) (funcall #'(lambda () (1+ x))))))"), "2");
  EXPECT_EQ(run("(task-await (spawn-task #'+ '(1 2 3) :name \"sum\" :priority 'background))"), "6");
  EXPECT_EQ(run("(let ((k 5)) (task-await (spawn-task #'(lambda (a) (+ a k)) '(1))))"), "6");  // what it captured
  EXPECT_EQ(run("(let ((task (spawn-task '(car '(1))))) (list (taskp task) (task-await task) (task-status task)))"),
            "(t 1 done)");
}

TEST_F(LispTasks, DefinitionsOfTheStarterAreKnown) {
  EXPECT_EQ(run("(defvar my-list '(1 2)) (fset 'my-add #'(lambda (x) (+ x (length my-list))))"
                "(put 'my-add 'my-property 'there)"
                "(task-await (spawn-task '(list (my-add 1) (get 'my-add 'my-property) my-list)))"),
            "(3 there (1 2))");
  EXPECT_EQ(run("(setq my-list (list (current-buffer))) (task-await (spawn-task '(boundp 'my-list)))"), "nil");
}

TEST_F(LispTasks, ErrorsArriveWithDataAndBacktrace) {
  EXPECT_EQ(run("(task-await (spawn-task '(car 5)))"), "(error: wrong-type-argument listp 5)");
  EXPECT_EQ(run("(let ((task (spawn-task '(let ((f #'(lambda (x) (car x)))) (funcall f 7)))))"
                "(condition-case nil (task-await task) (error nil))"
                "(list (task-status task) (null (null (string-match \"car(7)\" (task-backtrace task))))))"),
            "(failed t)");
  EXPECT_EQ(run("(task-await (spawn-task '(signal 'error (list (current-buffer)))))"),
            "(error: error \"(#<buffer *scratch*>)\")");
  EXPECT_EQ(run("(task-await (spawn-task '(throw 'nowhere 1)))"), "(error: no-catch nowhere 1)");
  EXPECT_EQ(run("(task-await (spawn-task 'no-such-function-here))"), "(error: void-function no-such-function-here)");
}

TEST_F(LispTasks, WhatCannotTravelIsNamed) {
  EXPECT_EQ(run("(spawn-task #'list (list 1 (current-buffer)))"),
            "(error: task-transfer-error \"(nth 1 (nth 1 task)) is a buffer\")");
  EXPECT_EQ(run("(task-await (spawn-task '(list 1 (point-marker))))"),
            "(error: task-transfer-error \"(nth 1 value) is a marker\")");
  EXPECT_EQ(run("(channel-send (make-channel) (vector (selected-window)))"),
            "(error: task-transfer-error \"(aref value 0) is a window\")");
}

TEST_F(LispTasks, BadArguments) {
  EXPECT_EQ(run("(task-await 5)"), "(error: wrong-type-argument taskp 5)");
  EXPECT_EQ(run("(channel-send 5 1)"), "(error: wrong-type-argument channelp 5)");
  EXPECT_EQ(run("(spawn-task '(car nil) nil :colour 5)"), "(error: error \"Unknown option of `spawn-task'\" :colour)");
  EXPECT_EQ(run("(make-channel -1)"), "(error: wrong-type-argument wholenump -1)");
  EXPECT_EQ(run("(let ((task (spawn-task '(car nil)))) (task-await task) (condition-case e (task-await task)"
                "(task-error (nth 1 e))))"),
            "\"The result was taken before\"");
  EXPECT_EQ(run("(task-cancel (let ((task (spawn-task '(car nil)))) (task-await task) task))"), "nil");
  EXPECT_EQ(run("(make-channel most-positive-fixnum)"), "(error: args-out-of-range 2305843009213693951 nil)");
  EXPECT_EQ(run("(condition-case e (task-await (spawn-task '(car nil) nil :deadline-ms -5)) (task-deadline (car e)))"),
            "task-deadline");
  EXPECT_EQ(run("(condition-case e (channel-recv (make-channel) -1) (task-timeout (car e)))"), "task-timeout");
}

TEST_F(LispTasks, CancellingARunningLoop) {
  EXPECT_EQ(run("(let* ((news (make-channel)) (task (spawn-task #'(lambda (news)"
                "   (unwind-protect (condition-case nil (progn (channel-send news 'begun) (while t))"
                "                     (error 'caught) (quit 'caught))"
                "     (channel-send news 'cleaned)))"
                "  (list news))))"
                "(channel-recv news)"
                "(let ((was (task-status task)))"
                "  (task-cancel task)"
                "  (list was (condition-case e (task-await task) (task-cancelled (car e))) (task-status task)"
                "        (channel-recv news))))"),
            "(running task-cancelled cancelled cleaned)");
}

TEST_F(LispTasks, CancellingWaitsAndWhatNeverBegan) {
  EXPECT_EQ(run("(let ((task (spawn-task '(channel-recv (make-channel)))))"
                "(condition-case nil (task-await task 10) (task-timeout nil)) (task-cancel task)"
                "(condition-case e (task-await task) (task-cancelled (car e))))"),
            "task-cancelled");
  EXPECT_EQ(run("(let ((task (spawn-task '(while t) nil :deadline-ms 20)))"
                "(list (condition-case e (task-await task) (task-deadline (car e))) (task-status task)))"),
            "(task-deadline deadline)");
  EXPECT_EQ(run("(condition-case e (task-await (spawn-task '(car nil) nil :deadline-ms 0)) (task-deadline (car e)))"),
            "task-deadline");
}

TEST_F(LispTasks, ChannelsInOrder) {
  EXPECT_EQ(run("(let* ((ch (make-channel 3)) (task (spawn-task #'(lambda (ch) (let ((i 0)) (while (< i 100)"
                "  (channel-send ch (list i)) (setq i (1+ i))) (channel-close ch))) (list ch))) (sum 0) (last -1))"
                "(condition-case nil (while t (let ((n (car (channel-recv ch))))"
                "  (if (= n (1+ last)) (setq last n sum (+ sum n))))) (channel-closed nil))"
                "(task-await task) (list last sum))"),
            "(99 4950)");
  EXPECT_EQ(run("(let ((ch (make-channel 1))) (channel-send ch 1) (channel-close ch) (channel-close ch)"
                "(list (channel-recv ch) (condition-case e (channel-recv ch) (channel-closed (car e)))"
                "(condition-case e (channel-send ch 1) (channel-closed (car e)))))"),
            "(1 channel-closed channel-closed)");
  EXPECT_EQ(run("(let ((ch (make-channel 1))) (channel-send ch 1)"
                "(list (condition-case e (channel-send ch 2 5) (task-timeout (car e))) (channel-recv ch)"
                "(condition-case e (channel-recv ch 5) (task-timeout (car e)))))"),
            "(task-timeout 1 task-timeout)");
  // Capacity 0 hands over; channels travel through channels, and a task's copy is equal to itself.
  EXPECT_EQ(run("(let* ((a (make-channel 0)) (task (spawn-task #'(lambda (a) (channel-send (channel-recv a) 'hello))"
                "(list a))) (b (make-channel))) (channel-send a b) (task-await task) (channel-recv b))"),
            "hello");
}

TEST_F(LispTasks, MoreWaitingTasksThanWorkers) {
  EXPECT_EQ(run("(let* ((in (make-channel t)) (out (make-channel t)) (tasks nil) (i 0) (sum 0))"
                "(while (< i 12) (setq tasks (cons (spawn-task #'(lambda (in out) (channel-send out (channel-recv in)))"
                "  (list in out)) tasks) i (1+ i)))"
                "(condition-case nil (task-await (car tasks) 30) (task-timeout nil))"
                "(while (> i 0) (channel-send in i) (setq i (1- i)))"
                "(mapc #'task-await tasks) (while (< i 12) (setq sum (+ sum (channel-recv out)) i (1+ i))) sum)"),
            "78");
}

TEST_F(LispTasks, WaitingUnderCxx) {
  // kill-buffer calls the hook from C++: the native stack is kept while the task waits.
  EXPECT_EQ(run("(let* ((ch (make-channel)) (task (spawn-task #'(lambda (ch)"
                "  (let ((kill-buffer-query-functions (list #'(lambda () (channel-recv ch)))))"
                "   (list (kill-buffer (get-buffer-create \"b\")) (null (get-buffer \"b\"))))) (list ch))))"
                "(condition-case nil (task-await task 20) (task-timeout nil)) (channel-send ch t) (task-await task))"),
            "(t t)");
}

TEST_F(LispTasks, Select) {
  EXPECT_EQ(run("(let ((a (make-channel)) (b (make-channel))) (channel-send b 'from-b)"
                "(select ((recv a x) (list 'a x)) ((recv b x) (list 'b x))))"),
            "(b from-b)");
  EXPECT_EQ(run("(select ((recv (make-channel) x) x) ((timeout 5) 'late))"), "late");
  EXPECT_EQ(run("(select ((recv (make-channel) x) x) ((default) 'none))"), "none");
  EXPECT_EQ(run("(let ((ch (make-channel 1))) (select ((send ch 7) (channel-recv ch)) ((default) 'full)))"), "7");
  EXPECT_EQ(run("(let ((ch (make-channel 1))) (channel-send ch 1) (list (select ((send ch 7) 'sent)"
                " ((default) 'full)) (channel-recv ch)))"),
            "(full 1)");
  EXPECT_EQ(run("(let ((ch (make-channel))) (channel-close ch) (list (select ((recv ch x open) (list x open)))"
                "(condition-case e (select ((recv ch x) x)) (channel-closed (car e)))))"),
            "((nil nil) channel-closed)");
  EXPECT_EQ(run("(macroexpand '(select ((dance) 1)))"), "(error: error \"Malformed clause of `select'\" ((dance) 1))");
}

TEST_F(LispTasks, ChildrenEndBeforeTheirParent) {
  EXPECT_EQ(run("(let ((out (make-channel))) (list (task-await (spawn-task #'(lambda (out)"
                "  (spawn-task #'(lambda (out) (condition-case nil (channel-recv (make-channel) 30) (error nil))"
                "    (channel-send out 'child)) (list out))"
                "  'parent) (list out)))"
                "(select ((recv out x) x) ((default) 'too-early))))"),
            "(parent child)");
}

TEST_F(LispTasks, CancellingTakesTheChildrenAlong) {
  EXPECT_EQ(run("(let* ((out (make-channel)) (task (spawn-task #'(lambda (out)"
                "  (spawn-task #'(lambda (out) (unwind-protect (progn (channel-send out 'begun) (while t))"
                "    (channel-send out 'child-stopped))) (list out))"
                "  (while t)) (list out))))"
                "(channel-recv out) (task-cancel task)"
                "(list (condition-case e (task-await task) (task-cancelled (car e))) (channel-recv out)))"),
            "(task-cancelled child-stopped)");
}

TEST_F(LispTasks, WaitingForItself) {
  EXPECT_EQ(run("(task-await (spawn-task '(task-await (task-self))))"),
            "(error: task-error \"The task would wait for itself\")");
  EXPECT_EQ(run("(let* ((ch (make-channel)) (a (spawn-task #'(lambda (ch) (task-await (channel-recv ch))) (list ch)))"
                "(b (spawn-task #'(lambda (a) (task-await a)) (list a)))) (channel-send ch b)"
                "(condition-case e (task-await b) (task-error (nth 1 e))))"),
            "\"The task would wait for itself\"");
  // The circle is closed by the second wait of a task.
  EXPECT_EQ(run("(let* ((ch (make-channel))"
                "(b (spawn-task #'(lambda (ch) (condition-case nil (task-await (spawn-task '(while t) nil"
                "  :deadline-ms 10)) (error nil)) (task-await (channel-recv ch))) (list ch)))"
                "(c (spawn-task #'(lambda (b) (task-await b)) (list b)))) (channel-send ch c)"
                "(condition-case e (task-await c) (task-error (nth 1 e))))"),
            "\"The task would wait for itself\"");
}

TEST_F(LispTasks, Maps) {
  EXPECT_EQ(run("(let ((l nil) (i 0)) (while (< i 200) (setq l (cons i l) i (1+ i)))"
                "(equal (task-map #'(lambda (x) (* x x)) l) (mapcar #'(lambda (x) (* x x)) l)))"),
            "t");
  EXPECT_EQ(run("(task-map #'1+ nil)"), "nil");
  EXPECT_EQ(run("(task-map #'1+ [1 2 3] :workers 2 :chunk 1)"), "(2 3 4)");
  EXPECT_EQ(run("(task-map #'(lambda (x) (car x)) '((1) (2) 3 (4)) :workers 2 :chunk 1)"),
            "(error: wrong-type-argument listp 3)");
  EXPECT_EQ(run("(let ((seen nil)) (task-map #'1+ '(1 2 3 4 5) :workers 2 :chunk 2 :progress"
                " #'(lambda (n) (setq seen (cons n seen)))) (car seen))"),
            "5");
}

TEST_F(LispTasks, WhatBelongsToTheMainTaskRefuses) {
  EXPECT_EQ(run("(task-await (spawn-task '(kill-emacs)))"), "(error: error \"`kill-emacs' belongs to the main task\")");
  EXPECT_EQ(run("(task-await (spawn-task '(progn (insert \"own buffer\") (buffer-string))))"), "\"own buffer\"");
}

// What one task eats the others and their starter still have.
class LispTasksWithLittleMemory : public LispTasks {
 protected:
  static elisp::TaskSettings little() {
    elisp::TaskSettings settings;
    settings.heap.limit_bytes = std::size_t{32} << 20;
    return settings;
  }
  LispTasksWithLittleMemory() : LispTasks(little()) {}
};

TEST_F(LispTasksWithLittleMemory, OneThatEatsItAllFails) {
  EXPECT_EQ(run("(let ((other (spawn-task #'(lambda (ch) (channel-recv ch)) (list (setq ch (make-channel)))))"
                "      (glutton (spawn-task '(let ((l nil)) (while t (setq l (cons (make-vector 1000 l) l)))))))"
                "  (list (condition-case e (task-await glutton) (error (car e))) (task-status glutton)"
                "        (channel-send ch 5) (task-await other) (task-await (spawn-task '(+ 1 2)))))"),
            "(error failed t 5 3)");
}

class LispTasksWithoutThreads : public LispTasks {
 protected:
  static elisp::TaskSettings none() {
    elisp::TaskSettings settings;
    settings.may_start_thread = [](unsigned) { return false; };
    return settings;
  }
  LispTasksWithoutThreads() : LispTasks(none()) {}
};

TEST_F(LispTasksWithoutThreads, SpawningIsAnError) {
  EXPECT_EQ(run("(list (condition-case e (spawn-task '(+ 1 2)) (error (nth 1 e)))"
                " (condition-case e (task-map #'1+ '(1 2)) (error (nth 1 e))))"),
            "(\"No threads for tasks: out of threads\" \"No threads for tasks: out of threads\")");
}

class LispTasksWithOneThread : public LispTasks {
 protected:
  static elisp::TaskSettings one() {
    elisp::TaskSettings settings;
    settings.may_start_thread = [](unsigned n) { return n == 0; };
    return settings;
  }
  LispTasksWithOneThread() : LispTasks(one()) {}
};

TEST_F(LispTasksWithOneThread, TheWorkerMakesBlockingCalls) {
  EXPECT_EQ(run("(task-await (spawn-task '(let ((file (make-temp-file-internal \"/tmp/neovm-test\" nil \"\" nil)))"
                " (list (file-exists-p file) (delete-file file) (file-exists-p file) (sleep-for 0.01)))))"),
            "(t nil nil nil)");
}

TEST_F(LispTasks, TheEndOfTheMainIsolateStopsItsTasks) {
  EXPECT_EQ(run("(spawn-task '(while t)) (spawn-task '(channel-recv (make-channel))) 'left-running"), "left-running");
}

}  // namespace
