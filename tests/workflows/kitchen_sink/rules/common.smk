rule common:
    output:
        "results/common.txt",
    shell:
        "echo common > {output}"
