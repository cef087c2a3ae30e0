"""Draw the figure: body mass of every bird, and the size difference of the sexes in every trait."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from penguins import SEXES, SPECIES_LABELS, TRAITS

# Colours by Okabe and Ito, chosen to be told apart with any type of colour vision; the markers differ as well.
COLOURS = {"adelie": "#0072B2", "chinstrap": "#D55E00", "gentoo": "#009E73"}
MARKERS = {"adelie": "o", "chinstrap": "s", "gentoo": "^"}
INK = "#333333"

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "legend.frameon": False,
}


def draw_body_mass(axes: Axes, birds: pd.DataFrame, *, random: np.random.Generator) -> None:
    """One point per bird, spread sideways at random so that few hide another; the bar is the mean."""
    shown = birds["species"].unique()
    for position, species in enumerate(shown):
        for sex, side in zip(SEXES, (-0.2, 0.2), strict=True):
            mass_kg = birds.loc[(birds["species"] == species) & (birds["sex"] == sex), "body_mass_g"] / 1000
            spread = random.uniform(-0.13, 0.13, size=len(mass_kg))
            axes.scatter(
                position + side + spread,
                mass_kg,
                s=16 if sex == "female" else 22,
                marker=MARKERS[species],
                facecolor=COLOURS[species] if sex == "male" else "white",
                edgecolor=COLOURS[species] if sex == "female" else "white",
                linewidth=0.8 if sex == "female" else 0.4,
                alpha=0.85,
            )
            axes.hlines(mass_kg.mean(), position + side - 0.17, position + side + 0.17, color="black", linewidth=2)
    sizes = birds.groupby(["species", "sex"]).size()
    labels = [f"{SPECIES_LABELS[name]}\n{sizes[name, 'female']} + {sizes[name, 'male']} birds" for name in shown]
    axes.set_xticks(range(len(labels)), labels)
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("Body mass (kg)")
    axes.set_title("a  Body mass of each bird")
    axes.legend(
        handles=[
            Line2D([], [], linestyle="", marker="o", markerfacecolor="white", markeredgecolor=INK, label="Female"),
            Line2D([], [], linestyle="", marker="o", markerfacecolor=INK, markeredgecolor="white", label="Male"),
            Line2D([], [], color="black", linewidth=2, label="Mean"),
        ],
        loc="upper left",
    )


def draw_dimorphism(axes: Axes, dimorphism: pd.DataFrame, *, confidence: float) -> None:
    """One point with its interval per trait and species, in the order of the table."""
    traits = list(dict.fromkeys(dimorphism["trait"]))
    shown = sorted(dimorphism["species"].unique())
    for number, species in enumerate(shown):
        rows = dimorphism[dimorphism["species"] == species].set_index("trait").loc[traits]
        difference = rows["difference_percent"]
        axes.errorbar(
            difference,
            np.arange(len(traits)) + 0.23 * (number - (len(shown) - 1) / 2),
            xerr=[difference - rows["ci_low_percent"], rows["ci_high_percent"] - difference],
            linestyle="",
            marker=MARKERS[species],
            markersize=6,
            markeredgecolor="white",
            color=COLOURS[species],
            elinewidth=1.6,
        )
    axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(traits)), [TRAITS[trait] for trait in traits])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlabel("Males larger than females by (%)")
    axes.set_title("b  Size difference of the sexes")
    handles = [
        Line2D(
            [],
            [],
            color=COLOURS[name],
            marker=MARKERS[name],
            markeredgecolor="white",
            linewidth=1.6,
            label=SPECIES_LABELS[name],
        )
        for name in shown
    ]
    axes.legend(handles=handles, title=f"Mean, {100 * confidence:g} % interval", loc="lower right")


birds = pd.concat([pd.read_csv(path) for path in snakemake.input.birds], ignore_index=True)
dimorphism = pd.read_csv(snakemake.input.dimorphism)

plt.switch_backend("Agg")
plt.rcParams.update(STYLE)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
draw_body_mass(left, birds, random=np.random.default_rng(snakemake.params.seed))
draw_dimorphism(right, dimorphism, confidence=snakemake.params.confidence)
# The name of the software is left out of the file, so that the same data give the same bytes.
figure.savefig(snakemake.output[0], dpi=200, metadata={"Software": None})
