"""Put the species into one table, the trait in which the sexes differ most first."""

import pandas as pd

estimates = pd.concat([pd.read_csv(path) for path in snakemake.input], ignore_index=True)
mean_difference = estimates.groupby("trait")["difference_percent"].transform("mean")
table = (
    estimates.assign(mean_difference=mean_difference)
    .sort_values(["mean_difference", "species"], ascending=[False, True], kind="stable")
    .drop(columns="mean_difference")
)
table.to_csv(snakemake.output[0], index=False, float_format="%.3f", lineterminator="\n")
