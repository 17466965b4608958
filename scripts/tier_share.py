"""The share of register code among the instructions that a suite executed, and how often inline caches hit, from what neomacs
--neovm-tier-report=FILE wrote.

The unit is an instruction of register code. An instruction of stack byte-code counts as one, the evaluation of a form by the interpreter
of forms as three: the programs of bench/speed, compiled from their source, execute 2.4 to 3.3 instructions for each form.
"""

import json
import os
import shutil
import tempfile

REGISTER_ARGS = ("--neovm-tier-threshold=1",)  # everything that can be is register code before it first runs
LEAST = 99.0
LEAST_HITS = 90.0  # of what caches were asked for, by executions


def summed(files):
    """The figures of all reports in FILES added up, and how many processes wrote them."""
    sums, processes = {}, 0
    for report in files:
        with open(report, encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    told = json.loads(line)
                except ValueError:  # of a process that died while it wrote
                    continue
                processes += 1
                for key, value in told.items():
                    if isinstance(value, int):
                        sums[key] = sums.get(key, 0) + value
    return sums, processes


def hit_rate(sums):
    """(percent, all executions) of the sites with a cache. A miss is a call without a cache (new, redefined or of what has no quickened
    form), one that found its cache cleared, a lookup that was not where the site remembered, and a megamorphic probe."""
    asked = sums.get("cache-hits", 0) + sums.get("cache-misses", 0)
    return 100 * sums.get("cache-hits", 0) / max(asked, 1), asked


class Shares:
    """Reports of one suite's processes."""

    def __init__(self, vm, vm_args, whole):
        """WHOLE: the suite is run in full, so that caches must hit in LEAST_HITS, and the share be LEAST when VM_ARGS say that all is
        register code."""
        self.off = (os.path.basename(vm or "") != "neomacs" or "--neovm-tier=0" in vm_args
                    or any(arg.startswith("--neovm-tier-report") for arg in vm_args))
        self.whole = whole
        self.must = whole and all(arg in vm_args for arg in REGISTER_ARGS) and "--neovm-tier-source=0" not in vm_args
        self.folder = None if self.off else tempfile.mkdtemp(prefix="tier-share-")
        self.started = 0

    def args(self):
        """Arguments for one more process."""
        self.started += 1
        return [] if self.off else [f"--neovm-tier-report={self.folder}/{self.started}.json"]

    def close(self, name=""):
        """Prints the share, after NAME; true when it is as it must be."""
        if self.off:
            return True
        sums, processes = summed(os.path.join(self.folder, report) for report in os.listdir(self.folder))
        shutil.rmtree(self.folder, ignore_errors=True)
        register = sums.get("register-instructions", 0)
        stack, forms = sums.get("stack-instructions", 0), sums.get("forms-as-instructions", 0)
        share = 100 * register / max(register + stack + forms, 1)
        print(f"{name}register code: {share:.2f} % of {register + stack + forms} instructions executed by {processes} processes "
              f"({stack} of stack code, {forms} for {sums.get('forms', 0)} interpreted forms)")
        good = share >= LEAST or not self.must
        if self.must:
            print(f"  {'at least' if good else 'FAILED: less than'} {LEAST:g} %")
        rate, asked = hit_rate(sums)
        print(f"{name}inline caches: {rate:.2f} % of {asked} calls and lookups hit")
        hit_well = rate >= LEAST_HITS or not self.whole
        if self.whole:
            print(f"  {'at least' if hit_well else 'FAILED: less than'} {LEAST_HITS:g} %")
        if not good:
            owners = sorted(((n, key) for key, n in sums.items() if key.startswith("interpreted ")), reverse=True)
            for count, owner in owners[:20]:
                print(f"  {count:10} {owner}")
        return good and hit_well
