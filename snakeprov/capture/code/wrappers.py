"""Knows programs that run another command (`env`, `time`, `srun`): where the words of that command begin."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

SHELLS: Final = frozenset({"ash", "bash", "dash", "ksh", "sh", "zsh"})

UNKNOWN: Final = "\0"
"""Stands in a word for what only the shell can tell, such as `$x` or `$(…)`. No real word contains it."""

Run = list[str] | str
"""What a wrapper runs: an argv, or a text that a shell reads."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class _Wrapper(NamedTuple):
    """How to read the words of one wrapper.

    Attributes:
        valued: The options that take the next word as their value. All others are flags.
        flags: If given, these are the flags instead, and all other options take a value.
        operands: How many words come between the options and the command.
        assigns: Whether words such as `X=1` may come before the command.
        text: The options whose value is a text that a shell reads.
    """

    valued: frozenset[str] = frozenset()
    flags: frozenset[str] | None = None
    operands: int = 0
    assigns: bool = False
    text: frozenset[str] = frozenset()

    def takes_value(self, option: str) -> bool:
        return option not in self.flags if self.flags is not None else option in self.valued


_PLAIN: Final = _Wrapper()
_CONTAINER_RUN: Final = _Wrapper(
    flags=_words(
        "--rm -i --interactive -t --tty -d --detach --init --privileged --read-only -P --publish-all --no-healthcheck "
        "--oom-kill-disable --sig-proxy --disable-content-trust -q --quiet --no-hosts --replace --systemd --rootfs"
    ),
    operands=1,
)
_CONTAINER_EXEC: Final = _Wrapper(
    flags=_words("-i --interactive -t --tty -d --detach --privileged -l --latest"), operands=1
)
_SINGULARITY: Final = _Wrapper(
    flags=_words(
        "--nv --rocm --nvccli -c --contain -C --containall -e --cleanenv -i --ipc -p --pid -u --uts -n --net --no-home "
        "--no-init --no-privs --keep-privs --allow-setuid -w --writable --writable-tmpfs -f --fakeroot --compat "
        "--no-umask --no-eval --userns -U --disable-cache --docker-login --no-https --nohttps --underlay --no-compat "
        "--sharens --no-pid --no-mount-home"
    ),
    operands=1,
)
_CONDA_RUN: Final = _Wrapper(_words("-n --name -p --prefix --cwd --log-file -r --root-prefix -a --attach -e --env"))
_MPI: Final = _Wrapper(
    _words(
        "-n -np --n --np -c -N -npernode --npernode -npersocket --npersocket -ppn -perhost -x -H -host --host -hosts "
        "-f -hostfile --hostfile -machinefile --machinefile -map-by --map-by -bind-to --bind-to -rank-by --rank-by "
        "-wd -wdir --wdir -path --path -prefix --prefix -genv -env -am --am -rf --rankfile -launcher -bootstrap "
        "-output-filename --output-filename -timeout --timeout"
    )
)

_WRAPPERS: Final[Mapping[str, _Wrapper]] = {
    "builtin": _PLAIN,
    "catchsegv": _PLAIN,
    "chroot": _Wrapper(_words("--userspec --groups"), operands=1),
    "chrt": _Wrapper(_words("-T -P -D"), operands=1),
    "command": _PLAIN,
    "coproc": _PLAIN,
    "doas": _Wrapper(_words("-u -C")),
    "env": _Wrapper(_words("-u --unset -C --chdir"), assigns=True, text=_words("-S --split-string")),
    "exec": _Wrapper(_words("-a")),
    "flock": _Wrapper(_words("-w --wait --timeout -E --conflict-exit-code"), operands=1, text=_words("-c --command")),
    "ionice": _Wrapper(_words("-c --class -n --classdata -p -P -u")),
    "ltrace": _Wrapper(_words("-o -e -n -s -u -a -l -x -A -D -F -w")),
    "mpiexec": _MPI,
    "mpirun": _MPI,
    "nice": _Wrapper(_words("-n --adjustment")),
    "nocache": _PLAIN,
    "nohup": _PLAIN,
    "numactl": _Wrapper(
        _words("-i --interleave -N --cpunodebind -C --physcpubind -m --membind -p --preferred -P --preferred-many")
    ),
    "orterun": _MPI,
    "prlimit": _PLAIN,
    "prun": _MPI,
    "setarch": _Wrapper(operands=1),
    "setsid": _PLAIN,
    "srun": _Wrapper(
        flags=_words(
            "-l --label -u --unbuffered -Q --quiet -v --verbose -K --kill-on-bad-exit -O --overcommit -s "
            "--oversubscribe -E --preserve-env --pty -X --disable-status -Z --no-allocate --exclusive --contiguous -H "
            "--hold -k --no-kill --overlap --exact --multi-prog --interactive --test-only --use-min-nodes -I "
            "--immediate --reboot --spread-job --slurmd-debug --propagate --resv-ports --whole"
        )
    ),
    "stdbuf": _Wrapper(_words("-i --input -o --output -e --error")),
    "strace": _Wrapper(_words("-a -b -e -E -I -o -O -p -P -s -S -u -U -X --output --trace --user --env")),
    "sudo": _Wrapper(
        _words("-u --user -g --group -h --host -p --prompt -C -R --chroot -r --role -t --type -U -D --chdir -T"),
        assigns=True,
    ),
    "taskset": _Wrapper(operands=1),
    "time": _Wrapper(_words("-f --format -o --output")),
    "gtime": _Wrapper(_words("-f --format -o --output")),
    "timeout": _Wrapper(_words("-s --signal -k --kill-after"), operands=1),
    "gtimeout": _Wrapper(_words("-s --signal -k --kill-after"), operands=1),
    "unbuffer": _PLAIN,
    "valgrind": _PLAIN,
    "xargs": _Wrapper(
        _words("-a --arg-file -d --delimiter -E -I -L -n --max-args -P --max-procs -s --max-chars --process-slot-var")
    ),
    "xvfb-run": _Wrapper(
        _words("-e --error-file -f --auth-file -n --server-num -p --xauth-protocol -s --server-args -w --wait")
    ),
    "ch-run": _Wrapper(_words("-b --bind -c --cd -g --gid -m --mount -u --uid"), operands=1),
    "shifter": _Wrapper(_words("-i --image -V --volume -e --env --env-file -w --workdir -m --module --entrypoint")),
    **{shell: _Wrapper(_words("-o +o -O +O --rcfile --init-file"), text=_words("-c")) for shell in sorted(SHELLS)},
    **{f"{one} run": _CONTAINER_RUN for one in ("docker", "podman", "nerdctl", "udocker")},
    **{f"{one} exec": _CONTAINER_EXEC for one in ("docker", "podman", "nerdctl")},
    **{f"{one} exec": _SINGULARITY for one in ("singularity", "apptainer")},
    **{f"{one} run": _CONDA_RUN for one in ("conda", "mamba", "micromamba")},
    "perf stat": _Wrapper(_words("-e --event -o --output -r --repeat -I -x --field-separator -C -p -t")),
    "perf record": _Wrapper(_words("-e --event -o --output -F --freq -c --count -g --call-graph -C -p -t")),
    "pipenv run": _PLAIN,
    "pixi run": _Wrapper(_words("-e --environment --manifest-path -m")),
    "poetry run": _PLAIN,
    "uv run": _Wrapper(_words("--with --python -p --project --directory --extra --group --env-file")),
}
_FAMILIES: Final = frozenset(name.split()[0] for name in _WRAPPERS if " " in name)
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
_PARALLEL_VALUED: Final = _words(
    "-j --jobs -P --max-procs -n --max-args -N --max-replace-args -S --sshlogin --joblog --results --tmpdir --delay -a "
    "--arg-file --timeout --retries --colsep -C -I --memfree --load --nice --halt --workdir --wd --block --recstart "
    "--recend -d --delimiter -L --tagstring --basefile --env"
)
_PARALLEL: Final = _Wrapper(_PARALLEL_VALUED)
_PASSED_OVER: Final = frozenset({"{", "}", "!"})
"""Reserved words that the grammar takes for words of a command, as in `time { sort x; }`."""


def wrapped(argv: Sequence[str], documents: Sequence[str] = ()) -> list[Run]:
    """Return what a command runs, wrappers looked through; itself where it wraps nothing.

    Args:
        argv: The words of the command, beginning with the program.
        documents: What is fed to it in the text: the here-documents, which a shell reads as commands.

    >>> wrapped(["/usr/bin/time", "-v", "nice", "-n", "5", "sort", "x"])
    [['sort', 'x']]
    >>> wrapped(["bash", "-ec", "sort x | uniq"])
    ['sort x | uniq']
    >>> wrapped(["docker", "run", "--rm", "-v", "/a:/b", "debian:12", "sort", "-u"])
    [['sort', '-u']]
    >>> wrapped(["bash", "scripts/count.sh"])
    [['bash', 'scripts/count.sh']]
    """
    words = list(argv)
    while words and words[0] in _PASSED_OVER:
        words = words[1:]
    if not words:
        return []
    name = words[0].rsplit("/", 1)[-1]
    if name == "eval":
        return [" ".join(words[1:])]
    if name == "parallel":
        return _of_parallel(words)
    if name == "find":
        return _of_find(words)
    wrapper, begin = _wrapper(name, words)
    if wrapper is None:
        return [words]
    options, position = _options(wrapper, words, begin)
    for option in wrapper.text:
        if option in options:
            return [" ".join([options[option], *(words[position:] if name == "env" else ())])]
    rest = words[position:]
    if name in SHELLS:
        return [words] if rest or not documents else [*documents]
    if name == "command" and {"-v", "-V"} & options.keys():
        return [words]
    if wrapper.flags is not None and rest and rest[0].startswith(UNKNOWN):  # options may be in a variable
        return [words]
    rest = rest[wrapper.operands :]
    if len(rest) > 1 and rest[0] in wrapper.text:
        return [rest[1]]
    if rest[:1] == ["--"]:
        rest = rest[1:]
    while wrapper.assigns and rest and _ASSIGNMENT.match(rest[0]):
        rest = rest[1:]
    if "--entrypoint" in options:
        rest = [options["--entrypoint"], *rest]
    if not rest or rest[0].startswith("-"):
        return [words]
    return wrapped(rest, documents)


def _wrapper(name: str, words: Sequence[str]) -> tuple[_Wrapper | None, int]:
    """Return how the words are read, and where its options begin."""
    if name not in _FAMILIES:
        return _WRAPPERS.get(name), 1
    for position, word in enumerate(words[1:], 1):
        if not word.startswith("-"):
            return _WRAPPERS.get(f"{name} {word}"), position + 1
    return None, 1


def _options(wrapper: _Wrapper, words: Sequence[str], position: int) -> tuple[dict[str, str], int]:
    """Return the options with their values ("" for a flag), and where what follows them begins."""
    found: dict[str, str] = {}
    while position < len(words):
        word = words[position]
        if wrapper.assigns and _ASSIGNMENT.match(word):
            position += 1
            continue
        if word[:1] not in ("-", "+") or len(word) == 1:
            break
        position += 1
        if word == "--":
            break
        option, value, needs_value = _option(wrapper, word)
        if needs_value and position < len(words):
            value = words[position]
            position += 1
        found[option] = value
    return found, position


def _option(wrapper: _Wrapper, word: str) -> tuple[str, str, bool]:
    """Return the option of a word, its value, and whether the next word is the value."""
    name, equals, value = word.partition("=")
    if equals or word.startswith("--"):
        return name, value, not equals and (word in wrapper.text or wrapper.takes_value(word))
    known = wrapper.valued | (wrapper.flags or frozenset()) | wrapper.text
    if word in known:
        return word, "", word in wrapper.text or wrapper.takes_value(word)
    for position, letter in enumerate(word[1:], 1):
        option = f"{word[0]}{letter}"
        if option in wrapper.text or wrapper.takes_value(option):
            return option, word[position + 1 :], position == len(word) - 1
    return word, "", False


def _of_parallel(words: Sequence[str]) -> list[Run]:
    """Return the text that GNU parallel gives to a shell."""
    _, position = _options(_PARALLEL, words, 1)
    ends = [place for place, word in enumerate(words) if word.startswith(":::")]
    text = " ".join(words[position : min(ends, default=len(words))])
    return [text] if text else [list(words)]


def _of_find(words: Sequence[str]) -> list[Run]:
    """Return `find`, and what it runs for the files found."""
    runs: list[Run] = [list(words)]
    for position, word in enumerate(words):
        if word in ("-exec", "-execdir", "-ok", "-okdir"):
            rest = list(words[position + 1 :])
            ends = [place for place, one in enumerate(rest) if one in (";", "+")]
            runs += wrapped(rest[: min(ends, default=len(rest))])
    return runs
