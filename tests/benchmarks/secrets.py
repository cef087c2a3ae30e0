"""What it costs to look for secrets in the record of a job: `python tests/benchmarks/secrets.py [CHECKOUT]`.

`is_clean` runs in Snakemake's thread for every job; `job` only for records that are not clean. With another checkout
of snakeprov the same is measured there, and the ratio is printed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 7
CALLS = 400

COMMANDS = {
    "clean": "bwa mem -t 8 -R '@RG\\tID:s1\\tSM:s1' ref/genome.fa reads/s1_R1.fq.gz reads/s1_R2.fq.gz"
    " | samtools sort -@ 4 -o mapped/s1.bam - && samtools index mapped/s1.bam",
    "with harmless words": "bcftools view -f PASS in.vcf | sort -k 2,2 | curl -fsSL https://example.org/keys.csv"
    " && vcftools --keep-filtered PASS && docker run -p 8080:80 image",
    "with secrets": "curl -H 'Authorization: Bearer abc.def-123' -u ada:hunter2 https://ada:x@host/a?token=abc"
    ' && mysql -uada -phunter2 && tool --password "hunter2" && export API_KEY=hunter2',
    "long": "python scripts/fit.py --model {a: 1} --keys a,b --tokens 512 --out x.tsv\n" * 60,
}


def measured() -> dict[str, float]:
    """Return microseconds for one record of each kind."""
    import msgspec

    from snakeprov.capture.secrets.redactor import JOB_TEXTS, Redactor
    from snakeprov.model.records import JobRecord

    found = {}
    redactor = Redactor(values=("opensesame", "abracadabra"))
    for name, command in COMMANDS.items():
        record = JobRecord(
            id="1" * 32,
            run_id="2" * 32,
            status="success",
            rule="map",
            shellcmd=command,
            wildcards={"sample": "s1"},
            reason="Missing output files: mapped/s1.bam",
        )
        texts = msgspec.json.encode([getattr(record, field) for field in JOB_TEXTS])
        found[f"is_clean, {name}"] = _best(lambda: redactor.is_clean(texts))  # noqa: B023  called at once
        found[f"job, {name}"] = _best(lambda: redactor.job(record))  # noqa: B023
    return found


def _best(call: object) -> float:
    assert callable(call)
    call()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            call()
        times.append((time.perf_counter() - start) / CALLS * 1e6)
    return min(times)


def main() -> None:
    """Measure here and, if one is named, in another checkout."""
    if sys.argv[1:] == ["--json"]:
        print(json.dumps(measured()))
        return
    here = Path(__file__).parents[2]
    folders = [here, *map(Path, sys.argv[1:2])]
    results = []
    for folder in folders:
        command = [sys.executable, "-P", __file__, "--json"]
        environment = {**os.environ, "PYTHONPATH": str(folder.resolve())}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        results.append(json.loads(done.stdout))
    for name, microseconds in results[0].items():
        other = (
            f"  {results[1][name]:9.1f} µs there, ratio {microseconds / results[1][name]:.2f}" if results[1:] else ""
        )
        print(f"{name:35} {microseconds:9.1f} µs{other}")


if __name__ == "__main__":
    main()
