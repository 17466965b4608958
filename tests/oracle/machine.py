"""Runs cases in one machine (Emacs or NeoVM), form by form, and survives whatever the machine does.

A machine is started once per file. When it dies or hangs, the form in progress gets that as its answer (CRASH, EXIT,
TIMEOUT), and the machine is started again after it; definitions seen so far are replayed silently.
"""

import hashlib
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import forms

DRIVER = Path(__file__).with_name("driver.el")
START_SECONDS = 60
LONGEST_ANSWER = 4000
MARK = re.compile(rb"@@oracle (\d+ begin|\d+ = [^\n]*|done)\n")


def environment(sandbox):
    """The same small world for every machine: locale, time zone and home are fixed."""
    env = {key: os.environ[key] for key in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
           if key in os.environ}
    env.update(LANG="C.UTF-8", LC_ALL="C.UTF-8", TZ="UTC0", HOME=sandbox, TERM="dumb", SHELL="/bin/sh", USER="oracle",
               LOGNAME="oracle", EMAIL="oracle@example.org", TMPDIR=sandbox)
    return env


class Machine:
    def __init__(self, program, args=(), timeout=10.0, keep=None, gigabytes=None, feed="load", more_args=list,
                 compiled=False):
        self.program = os.path.abspath(shutil.which(program) or program)
        self.args = list(args)
        self.timeout = timeout
        self.feed = feed  # "eval": hands over every form with --eval, for a machine that cannot load files yet
        self.gigabytes = gigabytes  # limit of address space, for a machine without limits of its own
        self.more_args = more_args  # asked for each process that runs cases
        self.compiled = compiled  # forms go through the byte compiler
        self.keep = keep  # folder for job files that a person wants to look at

    def normalize(self, answer, sandbox):
        answer = answer.replace(sandbox, "/SANDBOX")
        # Addresses are the one thing that two equal machines print differently.
        answer = re.sub(r"0x[0-9a-f]{4,}(?=[^0-9a-f])", "0xADDRESS", answer)
        if len(answer) > LONGEST_ANSWER:
            digest = hashlib.sha1(answer.encode()).hexdigest()[:16]
            answer = f"{answer[:800]} ...[{len(answer)} characters, sha1 {digest}]"
        return answer

    def _command(self, *files, more=()):
        command = [] if self.gigabytes is None else ["prlimit", f"--as={int(self.gigabytes * 2**30)}", "--"]
        command += [self.program, "--batch", "-Q", *self.args, *more]
        for file in files:
            if self.feed == "eval":
                for form in forms.parse(Path(file).read_text(), str(file)):
                    command += ["--eval", form.text]
            else:
                command += ["-l", str(file)]
        return command

    def _setup(self):
        return ["(oracle--compile-forms)"] if self.compiled else []

    def run(self, cases):
        """Returns a list of (answer, seconds, what the machine wrote meanwhile), one per case."""
        sandbox = tempfile.mkdtemp(prefix="oracle-")
        try:
            return self._run(cases, sandbox)
        finally:
            shutil.rmtree(sandbox, ignore_errors=True)

    def _run(self, cases, sandbox):
        answers = [None] * len(cases)
        first = 0
        while first < len(cases):
            job = Path(sandbox) / "job.el"
            lines = [";;; -*- lexical-binding: nil; coding: utf-8 -*-"] + self._setup()
            # The arguments of one process have a limit, so `eval` goes in pieces.
            last = len(cases) if self.feed == "load" else min(first + 200, len(cases))
            for index, case in enumerate(cases[:last]):
                silent = index < first
                if silent and not (case.is_setup and answers[index][0].startswith(("OK", "ERR"))):
                    continue
                state = "(" + " ".join(case.state) + ")"
                lines.append(f"(oracle--case {index} {forms.lisp_string(case.text)} '{state} {'t' if silent else 'nil'})")
            lines.append("(oracle--done)")
            job.write_text("\n".join(lines) + "\n")
            if self.keep:
                os.makedirs(self.keep, exist_ok=True)
                shutil.copy(job, os.path.join(self.keep, f"job-{os.getpid()}-{first}.el"))
            first = self._launch(cases, answers, first, last, job, sandbox)
        return answers

    def _launch(self, cases, answers, first, last, job, sandbox):
        """Runs the job from case FIRST to before LAST; returns the index to go on from."""
        process = subprocess.Popen(self._command(DRIVER, job, more=self.more_args()), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, cwd=sandbox, env=environment(sandbox),
                                   start_new_session=True)
        current, begun, done, pending, noise = None, time.monotonic(), False, b"", b""
        timed_out = False
        fd = process.stderr.fileno()
        while True:
            limit = START_SECONDS
            if current is not None:
                limit = cases[current].timeout or self.timeout
            left = begun + limit - time.monotonic()
            if left <= 0:
                timed_out = True
                break
            if not select.select([fd], [], [], left)[0]:
                continue
            chunk = os.read(fd, 1 << 16)
            if not chunk:
                break
            pending += chunk
            position = 0
            for match in MARK.finditer(pending):
                noise += pending[position:match.start()]
                position = match.end()
                word = match.group(1)
                if word == b"done":
                    done = True
                elif word.endswith(b" begin") and word.split()[0].isdigit() and b" = " not in word:
                    current, begun, noise = int(word.split()[0]), time.monotonic(), b""
                else:
                    number, _, answer = word.partition(b" = ")
                    index = int(number)
                    answers[index] = (self.normalize(answer.decode("ascii", "replace"), sandbox),
                                      time.monotonic() - begun, noise.decode("utf-8", "replace"))
                    current, begun = None, time.monotonic()
            pending = pending[position:]
        if timed_out:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        status = process.wait()
        process.stderr.close()
        noise = (noise + pending).decode("utf-8", "replace")
        unanswered = next((i for i in range(first, last) if answers[i] is None), last)
        if done and unanswered == last:
            if status != 0:  # a sanitizer's report at exit, for example
                answer, seconds, _ = answers[last - 1]
                answers[last - 1] = (f"{answer} [exit {status} at the end]", seconds, noise)
            return last
        if timed_out:
            verdict = "TIMEOUT"
        elif status < 0:
            verdict = f"CRASH {signal.Signals(-status).name}"
        elif "Sanitizer" in noise or "runtime error:" in noise or "Assertion" in noise:
            verdict = "CRASH sanitizer"
        else:
            verdict = f"EXIT {status}"
        if current is None and unanswered == first:
            # It never got to the first form: there is nothing to be gained from starting it again for each case.
            for index in range(first, len(cases)):
                answers[index] = (f"NOSTART {verdict}", 0.0, noise)
            return len(cases)
        victim = current if current is not None else unanswered
        answers[victim] = (verdict, time.monotonic() - begun, noise)
        return victim + 1

    def trace(self, cases, index):
        """What the machine writes when case INDEX runs with nothing caught: message and backtrace."""
        sandbox = tempfile.mkdtemp(prefix="oracle-")
        job = Path(sandbox) / "job.el"
        lines = self._setup() + [f"(oracle--case 0 {forms.lisp_string(c.text)} nil t)" for c in cases[:index] if c.is_setup]
        lines.append(f"(oracle--trace {forms.lisp_string(cases[index].text)})")
        job.write_text("\n".join(lines) + "\n")
        try:
            result = subprocess.run(self._command(DRIVER, job), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, cwd=sandbox, env=environment(sandbox),
                                    timeout=(cases[index].timeout or self.timeout) + 5)
            text = result.stdout.decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            text = "(no end within the time limit)"
        finally:
            shutil.rmtree(sandbox, ignore_errors=True)
        return text.strip()
