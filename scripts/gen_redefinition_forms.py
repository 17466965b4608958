"""Writes forms that redefine what runs: random operations on functions and variables, between and inside random uses of them.

usage: gen_redefinition_forms.py SEED COUNT >FILE.el, then ./neo oracle FILE.el with each of --vm-args=--neovm-tier=0,
--vm-args='--neovm-tier-threshold=1' and --compiled. tests/conformance/elisp/generated/redefinitions.el is seed 1, 40 forms.

A form has four functions, four variables, a few users of both (interpreted, byte-compiled or with dynamic binding) and a queue
of operations. A user has loops, mapcar, apply, bindings; here and there it, a function, a piece of advice or a watcher takes the next
operation from the queue: fset, defalias, advice, fmakunbound, makunbound, set, aliases of variables, watchers, buffer-local
bindings. The value is the log of all that the users saw, errors included.
"""

import random
import sys


class Form:
    def __init__(self, dice, number):
        self.dice = dice
        self.p = f"rd{number}-"
        self.functions = [f"{self.p}f{i}" for i in range(4)]
        self.variables = [f"{self.p}v{i}" for i in range(4)]
        self.users = [f"{self.p}u{i}" for i in range(dice.randint(2, 4))]
        self.local = 0

    def function(self):
        return self.dice.choice(self.functions)

    def variable(self):
        return self.dice.choice(self.variables)

    def tick(self):
        return f"({self.p}next)"

    def operand(self, depth=0):
        dice = self.dice
        kind = dice.randrange(9 if depth < 2 else 4)
        if kind <= 1:
            return str(dice.randint(0, 9))
        if kind <= 3:
            return self.variable()
        if kind == 4:
            return f"({self.function()} {self.operand(depth + 1)})"
        if kind == 5:
            return f"(funcall '{self.function()} {self.operand(depth + 1)})"
        if kind == 6:
            return f"(mapcar #'{self.function()} (list {self.operand(depth + 1)} 1 2))"
        if kind == 7:
            return f"(apply '{self.function()} {self.operand(depth + 1)} nil)"
        return f"(list {self.operand(depth + 1)} {self.tick()} {self.operand(depth + 1)})"

    def guarded(self, form):
        return f"({self.p}log (condition-case e {form} (error (list 'error e))))"

    def statement(self, depth=0):
        dice = self.dice
        kind = dice.randrange(11 if depth < 2 else 5)
        if kind <= 2:
            return self.guarded(self.operand())
        if kind == 3:
            return self.tick()
        if kind == 4:
            return self.guarded(f"(setq {self.variable()} {self.operand(1)})")
        if kind <= 6:
            self.local += 1
            return f"(dotimes (i{self.local} {dice.randint(2, 4)}) {self.body(depth + 1)})"
        if kind == 7:
            return self.guarded(f"(let (({self.variable()} {self.operand(1)})) {self.body(depth + 1)} {self.operand(1)})")
        if kind == 8:
            return f"(with-current-buffer {dice.choice('ab')} {self.body(depth + 1)})"
        if kind == 9:
            return self.guarded(f"(unwind-protect (progn {self.body(depth + 1)} {self.operand(1)}) {self.statement(2)})")
        return self.guarded(f"(mapc (lambda (x) (setq {self.variable()} x) {self.body(depth + 1)}) (list 1 {self.operand(1)}))")

    def body(self, depth=0):
        return " ".join(self.statement(depth) for _ in range(self.dice.randint(1, 3)))

    def definition(self):
        """A function of one argument that says which it is."""
        dice, tag = self.dice, self.dice.randint(10, 99)
        inside = dice.choice([f"(list {tag} x)", f"(list {tag} x {self.variable()})", f"(list {tag} (progn {self.tick()} x))",
                              f"(setq {self.variable()} {tag})", f"(let (({self.variable()} x)) (list {tag} {self.variable()}))"])
        form = f"(lambda ({dice.choice(['x', 'x', '&optional x', '&rest x'])}) {inside})"
        return dice.choice([form, f"(byte-compile '{form})", f"(eval '{form} nil)", "#'list", "#'identity", "#'car-safe"])

    def alias(self):
        """Never in a circle: Emacs goes on with such a variable, and has errors from then on wherever it looks at all of them.
        Not while a watcher runs, and watchers do nothing once there is an alias: Emacs asks the alias itself whether it is watched,
        and stops watching only the other while watchers run."""
        one, other = sorted(self.dice.sample(self.variables, 2))
        return f"(or {self.p}watching (progn (setq {self.p}aliased t) (defvaralias '{one} '{other})))"

    def operation(self):
        dice, f, v = self.dice, self.function(), self.variable()
        advice = f"{self.p}a{dice.randrange(3)}"
        watcher = f"{self.p}w{dice.randrange(2)}"
        return dice.choice([
            f"(fset '{f} {self.definition()})", f"(fset '{f} {self.definition()})", f"(defalias '{f} {self.definition()})",
            f"(fset '{f} '{self.function()})", f"(defalias '{f} '{self.function()})",
            f"(fset '{f} (cons 'macro {self.definition()}))",
            f"(advice-add '{f} {dice.choice([':around', ':before', ':filter-return', ':override'])} '{advice})",
            f"(advice-add '{f} {dice.choice([':around', ':filter-args'])} '{advice})", f"(advice-remove '{f} '{advice})",
            f"(fmakunbound '{f})", f"(makunbound '{v})", f"(set '{v} {dice.randint(100, 200)})", f"(set '{v} {dice.randint(100, 200)})",
            f"(set-default '{v} {dice.randint(200, 300)})", self.alias(),
            f"(add-variable-watcher '{v} '{watcher})", f"(remove-variable-watcher '{v} '{watcher})",
            f"(make-local-variable '{v})", f"(kill-local-variable '{v})", f"(make-variable-buffer-local '{v})",
            f"(with-current-buffer {dice.choice('ab')} (set (make-local-variable '{v}) {dice.randint(300, 400)}))",
            f"(with-current-buffer {dice.choice('ab')} (kill-all-local-variables))", f"(set-buffer {dice.choice('ab')})",
            f"({dice.choice(self.users)} (1- n))" if dice.random() < 0.5 else f"(set '{v} 7)",
        ])

    def text(self):
        dice, p = self.dice, self.p
        lines = [f";; name: redefinitions {p[2:-1]}", f'(let ((a (generate-new-buffer "{p}a")) (b (generate-new-buffer "{p}b")) (log nil) (queue nil) (n 2))']
        lines.append(f"  (fset '{p}log (lambda (x) (when (< (length log) 150) (push x log)) nil))")
        lines.append(f"  (fset '{p}next (lambda () (when queue (let ((op (pop queue))) "
                     "(condition-case e (funcall op a b n) (error (push (list 'op e) log))) nil))))")
        lines.append(f"  (eval '(progn (defvar {p}watching nil) (defvar {p}aliased nil)))")
        for variable in self.variables:
            lines.append(f"  (eval '(defvar {variable} {dice.randint(0, 9)}))")
        for i, inside in enumerate(["(apply f args)", "(list 'advised args)", f"(progn ({p}next) 5)"]):
            lines.append(f"  (fset '{p}a{i} (lambda (&optional f &rest args) (if (functionp f) {inside} (if args (list f args) f))))")
        for i in range(2):
            lines.append(f"  (fset '{p}w{i} (lambda (s new op where) (push (list {i} s new op (bufferp where)) log)"
                         f"{f' (unless {p}aliased (setq {p}watching t) ({p}next) (setq {p}watching nil))' if i == 1 else ''}))")
        for function in self.functions:
            lines.append(f"  (fset '{function} {self.definition()})")
        for user in self.users:
            self.local = 0
            body = self.body()
            form = f"(lambda (n) (when (> n 0) {body}))"
            kind = dice.randrange(3)
            form = form.replace("with-current-buffer a", f"with-current-buffer {p}bufa").replace("with-current-buffer b", f"with-current-buffer {p}bufb")
            lines.append(f"  (fset '{user} " + [f"(eval '{form} t)", f"(byte-compile '{form})", f"(eval '{form} nil)"][kind] + ")")
        lines.append(f"  (set '{p}bufa a) (set '{p}bufb b)")
        lines.append("  (setq queue (list " + "\n    ".join(f"(lambda (a b n) {self.operation()})" for _ in range(dice.randint(8, 24))) + "))")
        calls = " ".join(f"(condition-case e ({user} 2) (error (push (list 'out e) log)))" for user in self.users)
        lines.append(f"  (with-current-buffer a (dotimes (_ 4) {calls} ({p}next)))")
        lines.append("  (kill-buffer a) (kill-buffer b)")
        lines.append("  (nreverse log))")
        return "\n".join(lines)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    print(f";;; What runs is redefined; written by scripts/gen_redefinition_forms.py {seed} {count}.\n")
    for i in range(count):
        print(Form(random.Random(f"{seed}/{i}"), i).text() + "\n")


if __name__ == "__main__":
    main()
