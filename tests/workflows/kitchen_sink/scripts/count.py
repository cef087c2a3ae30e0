from pathlib import Path

text = Path(snakemake.input[0]).read_text()
Path(snakemake.output[0]).write_text(f"{len(text)}\n")
