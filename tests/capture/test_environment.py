"""Packages of conda environments and digests of images, read from files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snakeprov.capture import environment
from snakeprov.capture.environment import Package, conda_packages, named_prefix, reference_digest


def package(prefix: Path, name: str, **facts: str) -> None:
    meta = prefix / "conda-meta"
    meta.mkdir(parents=True, exist_ok=True)
    (meta / f"{name}.json").write_text(json.dumps({"name": name, "version": "1", "files": ["x"] * 9, **facts}))


def test_packages_of_a_prefix(tmp_path: Path) -> None:
    """By name; from conda with build and channel, from pip without; each once."""
    package(tmp_path, "zlib", build="h0", channel="https://conda.anaconda.org/conda-forge/linux-64")
    package(tmp_path, "numpy", channel="https://ada:hunter2@host:8080/t/tk-1/mirror/forge/noarch")
    package(tmp_path, "local", channel="defaults")
    site = tmp_path / "lib/python3.12/site-packages"
    for name, installer in {"numpy-1.dist-info": "conda\n", "some_thing-2.1.dist-info": "pip\n"}.items():
        (site / name).mkdir(parents=True)
        (site / name / "INSTALLER").write_text(installer)
    (site / "bare-3.dist-info").mkdir()
    assert conda_packages(str(tmp_path)) == [
        Package(name="bare", version="3", channel="pypi"),
        Package(name="local", version="1", channel="defaults"),
        Package(name="numpy", version="1", channel="mirror/forge"),
        Package(name="some_thing", version="2.1", channel="pypi"),
        Package(name="zlib", version="1", build="h0", channel="conda-forge"),
    ]


def test_what_is_no_environment_has_no_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty one has none either, and records that cannot be read, or are too large, are left out."""
    assert conda_packages(str(tmp_path)) is None
    assert conda_packages("nul\0byte") is None
    package(tmp_path, "good")
    (tmp_path / "conda-meta/bad.json").write_text("{")
    (tmp_path / "conda-meta/history").write_text("not a record")
    (tmp_path / "conda-meta/gone.json").symlink_to("nowhere")
    assert conda_packages(str(tmp_path)) == [Package(name="good", version="1")]
    monkeypatch.setattr(environment, "RECORD_SIZE_BYTES_MAX", 3)
    assert conda_packages(str(tmp_path)) == []


def test_a_named_environment_is_found_without_asking_conda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside conda, beside the active environment, or in the list of those that conda knows."""
    home, base = tmp_path / "home", tmp_path / "base"
    (home / ".conda").mkdir(parents=True)
    (base / "bin").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", str(base / "bin"))
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    assert named_prefix("bio") is None
    listed, beside = tmp_path / "elsewhere/bio", base / "envs/bio"
    package(listed, "x")
    (home / ".conda/environments.txt").write_text(f"{tmp_path}/gone/bio\n{listed}\n")
    assert named_prefix("bio") == str(listed)
    package(beside, "x")
    monkeypatch.setenv("CONDA_PREFIX", str(base))
    assert named_prefix("bio") == str(beside)
    monkeypatch.delenv("CONDA_PREFIX")
    (base / "bin/conda").touch(mode=0o755)
    assert named_prefix("bio") == str(beside)


@pytest.mark.parametrize(
    ("reference", "digest"),
    [
        ("docker://debian:12", None),
        (f"docker://debian:12@sha256:{'0a' * 32}", f"sha256:{'0a' * 32}"),
        (f"quay.io/a/b@sha512:{'0a' * 64}", f"sha512:{'0a' * 64}"),
        (f"docker://debian@sha256:{'0a' * 31}", None),
        ("image.sif", None),
    ],
)
def test_the_digest_in_a_reference(reference: str, digest: str | None) -> None:
    """Only one of the right length counts."""
    assert reference_digest(reference) == digest
