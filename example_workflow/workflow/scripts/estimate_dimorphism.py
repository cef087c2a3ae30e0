"""Estimate how much larger the males of one species are, trait by trait, with bootstrap intervals.

The measure is the ratio of the mean male to the mean female, as a difference in per cent: 0 means alike. Birds are
resampled with replacement within each sex, which takes the two birds of a pair for independent.
"""

import numpy as np
import pandas as pd
from penguins import SEXES, TRAITS


def resampled_means(values: np.ndarray, *, resamples: int, random: np.random.Generator) -> np.ndarray:
    """Return the means of `resamples` samples drawn with replacement from `values`."""
    draws = random.integers(len(values), size=(resamples, len(values)))
    return values[draws].mean(axis=1)


def estimate(
    birds: pd.DataFrame, trait: str, *, confidence: float, resamples: int, random: np.random.Generator
) -> dict:
    """Return one line of the table: group sizes, means, and the difference with its interval."""
    females, males = (birds.loc[birds["sex"] == sex, trait].to_numpy(dtype=float) for sex in SEXES)
    resampled = [resampled_means(values, resamples=resamples, random=random) for values in (females, males)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(100 * (resampled[1] / resampled[0] - 1), [tail, 1 - tail])
    return {
        "species": birds["species"].iloc[0],
        "trait": trait,
        "n_female": len(females),
        "n_male": len(males),
        "mean_female": females.mean(),
        "mean_male": males.mean(),
        "difference_percent": 100 * (males.mean() / females.mean() - 1),
        "ci_low_percent": low,
        "ci_high_percent": high,
    }


birds = pd.read_csv(snakemake.input[0])
random = np.random.default_rng(snakemake.params.seed)
rows = [
    estimate(
        birds,
        trait,
        confidence=snakemake.params.confidence,
        resamples=snakemake.params.resamples,
        random=random,
    )
    for trait in TRAITS
]
pd.DataFrame(rows).to_csv(snakemake.output[0], index=False, float_format="%.3f", lineterminator="\n")
