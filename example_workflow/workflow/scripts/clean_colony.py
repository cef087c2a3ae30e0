"""Keep the birds of one colony that can be compared: measured, of known sex and, if asked, from a full clutch."""

from pathlib import Path

import pandas as pd
from penguins import RAW_COLUMNS, SEXES


def clean(raw: pd.DataFrame, *, clutches: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the usable birds, and how many were dropped for which reason (in the order of the tests)."""
    measured = raw[list(RAW_COLUMNS)].notna().all(axis="columns")
    sexed = raw["Sex"].str.lower().isin(SEXES)
    nest_counts = (raw["Clutch Completion"] == "Yes") | (clutches == "any")
    dropped = {
        "not measured": int((~measured).sum()),
        "sex unknown": int((measured & ~sexed).sum()),
        "clutch not full": int((measured & sexed & ~nest_counts).sum()),
    }
    birds = raw[measured & sexed & nest_counts].rename(columns=RAW_COLUMNS)
    birds = birds.assign(
        species=birds["Species"].str.split().str[0].str.lower(),
        island=birds["Island"],
        season=birds["studyName"],
        individual=birds["Individual ID"],
        sex=birds["Sex"].str.lower(),
    )
    columns = ["species", "island", "season", "individual", "sex", *RAW_COLUMNS.values()]
    return birds[columns], dropped


raw = pd.read_csv(snakemake.input[0])
birds, dropped = clean(raw, clutches=snakemake.params.clutches)
birds.to_csv(snakemake.output[0], index=False, lineterminator="\n")

report = [f"{len(raw)} birds in {snakemake.input[0]}"]
report += [f"{count:5d} dropped: {reason}" for reason, count in dropped.items()]
report += [f"{len(birds):5d} kept"]
Path(snakemake.log[0]).write_text("\n".join(report) + "\n", encoding="utf-8")
