"""Joins the counts under their titles."""

from pathlib import Path

parts = [snakemake.input.titles, *snakemake.input.counts]
Path(snakemake.output[0]).write_text("".join(Path(part).read_text() for part in parts))
