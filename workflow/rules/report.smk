"""Report: one page about the run, for people and for programs.

Needs everybody's decisions, the nodes' summaries, the merged summary and, where there are any, the comparisons with
true numbers. Makes the same page as text and as JSON. It holds numbers of people, never a person.
"""

REPORT_VERSION = 1


rule report:
    """The report."""
    input:
        "<results>/federation/report.txt",


rule write_report:
    """Write who was counted, who was not and why, and what was found."""
    input:
        decisions=[f"<results>/{node}/private/decisions.tsv" for node in RUN.nodes],
        summaries=[f"<results>/{node}/summary/manifest.json" for node in RUN.nodes],
        merged="<results>/federation/summary/manifest.json",
        relatives=[f"<results>/{node}/private/relatives.tsv" for node in RUN.nodes] if MARKERS else [],
        vcf=FREQUENCIES,
        truth=(
            [f"<results>/{node}/private/truth.json" for node in RUN.nodes] + ["<results>/federation/truth.json"]
            if RUN.config.truth
            else []
        ),
    output:
        text="<results>/federation/report.txt",
        json="<results>/federation/report.json",
    log:
        "<logs>/write_report.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 500 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        stage_version=REPORT_VERSION,
        nodes=[word for node in RUN.nodes for word in ("--node", node)],
        others=[word for summary in RUN.config.federation.summaries for word in ("--summary", summary)],
        truth=lambda wildcards, input: [word for result in input.truth for word in ("--truth", result)],
        relatives=["--relatives"] if MARKERS else [],
        results=lambda wildcards: RUN.config.results,
    shell:
        "tessera write-report --results {params.results:q} {params.nodes:q} {params.others:q} {params.truth:q}"
        " {params.relatives:q}"
        " --out {output.text:q} --json {output.json:q} 2> {log:q}"
