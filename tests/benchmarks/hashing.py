"""How fast are digests? Alternates ours, which gives sha256 and md5, with `openssl dgst` of each, on one file.

    python tests/benchmarks/hashing.py [--size-mib 1024] [--rounds 5] [--folder DIRECTORY]

Prints medians, our throughput relative to the slower openssl digest (budget: at least 0.90), and what it costs to find
an unchanged tree unchanged (stat and the digest cache only, no file is opened). openssl's times include starting the
program, a few milliseconds. The file is read once beforehand, so that all read it from memory.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from snakeprov.disk import digestcache, files
from snakeprov.disk.digestcache import DigestCache
from snakeprov.model.records import FileFact, JobRecord
from snakeprov.recorder.digesting import Digester
from snakeprov.recorder.heldfiles import HeldFiles

MIB = 1 << 20
TREE_FILES = 2000
OUTPUTS = 8


def main() -> None:
    """Run both benchmarks and print their figures."""
    parser = argparse.ArgumentParser(description="Digests against openssl, and an unchanged tree.")
    parser.add_argument("--size-mib", type=int, default=1024, help="size of the file (default 1024)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is run (default 5)")
    parser.add_argument("--folder", type=Path, help="where the file is made (default: the folder for temporary files)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        one_file(Path(folder) / "large", size_mib=arguments.size_mib, rounds=arguments.rounds)
        outputs_of_a_job(Path(folder), size_mib=arguments.size_mib, rounds=arguments.rounds)
        unchanged_tree(Path(folder), rounds=arguments.rounds)


def one_file(path: Path, *, size_mib: int, rounds: int) -> None:
    """Compare on one file of random bytes, in alternation."""
    block = os.urandom(MIB)
    with path.open("wb") as file:
        for number in range(size_mib):
            file.write(number.to_bytes(8) + block[8:])
    contestants: dict[str, Callable[[], object]] = {
        "snakeprov sha256": lambda: files.digest_file(str(path)),
        "snakeprov sha256 + md5": lambda: files.digest_file(str(path), md5=True),
        "openssl dgst -sha256": lambda: openssl("-sha256", path),
        "openssl dgst -md5": lambda: openssl("-md5", path),
    }
    path.read_bytes()
    times_s: dict[str, list[float]] = {name: [] for name in contestants}
    cpu_s: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            before_s = sum(os.times()[:4])
            times_s[name].append(timed(contestant))
            cpu_s[name].append(sum(os.times()[:4]) - before_s)
    medians_s = {name: statistics.median(times) for name, times in times_s.items()}
    print(f"one file of {size_mib} MiB, median of {rounds}:")
    for name, median_s in medians_s.items():
        cpu = statistics.median(cpu_s[name])
        print(f"  {name:24} {median_s:7.3f} s  {size_mib / median_s:7.0f} MiB/s  {cpu:7.2f} s of CPU")
    for ours, theirs in (("snakeprov sha256", "openssl dgst -sha256"), ("snakeprov sha256 + md5", "openssl dgst -md5")):
        print(f"  {ours} relative to {theirs}: {medians_s[theirs] / medians_s[ours]:.2f}")


def outputs_of_a_job(folder: Path, *, size_mib: int, rounds: int) -> None:
    """Measure what it takes to look at a job that has just written `OUTPUTS` files, together of a size."""
    block, facts = os.urandom(MIB), []
    for number in range(OUTPUTS):
        path = folder / f"output{number}"
        path.write_bytes(block * max(1, size_mib // OUTPUTS))
        facts.append(FileFact(path=path.name, fingerprint=files.fingerprint(str(path))))
    job = JobRecord(id="1" * 32, run_id="2" * 32, rule="split", status="success", outputs=facts)

    def observe() -> None:
        Digester(str(folder), DigestCache(None)).observe(job, HeldFiles())

    time_s = statistics.median(timed(observe) for _ in range(rounds))
    print(f"{OUTPUTS} outputs of a job, {size_mib} MiB together: {time_s:7.3f} s  {size_mib / time_s:7.0f} MiB/s")


def unchanged_tree(folder: Path, *, rounds: int) -> None:
    """Measure a second look at a tree of small files, in a cache opened anew."""
    paths = [str(folder / f"small{number}") for number in range(TREE_FILES)]
    for path in paths:
        Path(path).write_bytes(os.urandom(4096))
    time.sleep(digestcache.SETTLED_NS / 1e9)

    def look(cache: DigestCache) -> None:
        for path in paths:
            seen = files.fingerprint(path)
            if seen is not None and cache.get(seen) is None:
                read_from_ns = time.time_ns()
                cache.put(seen, files.digest_stable(path, seen), read_from_ns=read_from_ns)

    def look_again() -> None:
        cache = DigestCache(folder / "cache")
        look(cache)
        cache.close()

    first_s = timed(look_again)
    from_file_s = statistics.median(timed(look_again) for _ in range(rounds))
    warm = DigestCache(folder / "cache")
    look(warm)
    from_memory_s = statistics.median(timed(lambda: look(warm)) for _ in range(rounds))
    warm.close()
    stat_s = statistics.median(timed(lambda: [files.fingerprint(path) for path in paths]) for _ in range(rounds))
    print(f"{TREE_FILES} files of 4 KiB, a file:")
    print(f"  read and digested        {first_s / TREE_FILES * 1e6:6.1f} us")
    print(f"  unchanged, cache file    {from_file_s / TREE_FILES * 1e6:6.1f} us")
    print(f"  unchanged, cache memory  {from_memory_s / TREE_FILES * 1e6:6.1f} us")
    print(f"  stat alone               {stat_s / TREE_FILES * 1e6:6.1f} us")


def openssl(digest: str, path: Path) -> None:
    """Digest `path` with the openssl program."""
    subprocess.run(["openssl", "dgst", digest, str(path)], check=True, stdout=subprocess.DEVNULL)


def timed(action: Callable[[], object]) -> float:
    """Return how many seconds `action` takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
