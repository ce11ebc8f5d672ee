"""Report: one page about the run, for people and for programs; and what catalogues are told of it.

Needs everybody's decisions, the nodes' summaries, the merged summary and, where there are any, the comparisons with
true numbers. Makes the same page as text and as JSON. It holds numbers of people, never a person. Of the data sets
that the configuration describes for catalogues it makes their records; and, where a node's is described, the crate of
its run: one that stays, with the digest of every input, and one that may leave.
"""

import json

REPORT_VERSION = 2
CATALOGUE_VERSION = 1
DESCRIBED = list(RUN.config.catalogue)
DESCRIBED_NODES = [name for name in DESCRIBED if name in RUN.nodes]


rule report:
    """The report, and what catalogues are told."""
    input:
        "<results>/federation/report.txt",
        [f"<results>/{name}/catalogue/gdi.ttl" for name in DESCRIBED],
        [f"<results>/{node}/crate/ro-crate-metadata.json" for node in DESCRIBED_NODES],


rule write_report:
    """Write who was counted, who was not and why, and what was found."""
    input:
        decisions=[f"<results>/{node}/private/decisions.tsv" for node in RUN.nodes],
        summaries=[f"<results>/{node}/summary/manifest.json" for node in RUN.nodes],
        received=RECEIVED,
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
        others=[
            word
            for summary in [*RUN.config.federation.summaries, *RECEIVED_SUMMARIES]
            for word in ("--summary", summary)
        ],
        truth=lambda wildcards, input: [word for result in input.truth for word in ("--truth", result)],
        relatives=["--relatives"] if MARKERS else [],
        results=lambda wildcards: RUN.config.results,
    shell:
        "tessera write-report --results {params.results:q} {params.nodes:q} {params.others:q} {params.truth:q}"
        " {params.relatives:q}"
        " --out {output.text:q} --json {output.json:q} 2> {log:q}"


if DESCRIBED:

    rule write_catalogue:
        """Write the catalogue records of a node's summary, or of the merged one."""
        input:
            manifest="<results>/{described}/summary/manifest.json",
        output:
            gdi="<results>/{described}/catalogue/gdi.ttl",
            healthdcat_ap="<results>/{described}/catalogue/healthdcat-ap.ttl",
        log:
            "<logs>/write_catalogue/{described}.log",
        wildcard_constraints:
            described="|".join(DESCRIBED),
        conda:
            "../envs/tessera.yaml"
        container:
            IMAGES["tessera"]
        threads: 1
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 30 * attempt,
        params:
            stage_version=CATALOGUE_VERSION,
            # as it was merged from files and the command line
            config=json.dumps(config, sort_keys=True),
            summary=subpath(input.manifest, parent=True),
            records=subpath(output.gdi, parent=True),
        shell:
            "tessera catalogue write {params.summary:q} --config <(printf %s {params.config:q})"
            " --entry {wildcards.described:q} --out {params.records:q} 2> {log:q}"


if DESCRIBED_NODES:

    rule digest_inputs:
        """List the digests of the files that a sample comes from."""
        input:
            files=lambda wildcards: RUN.inputs(wildcards.node, wildcards.sample),
        output:
            digests="<private>/digests/{sample}.sha256",
        log:
            "<private>/logs/digest_inputs/{sample}.log",
        conda:
            "../envs/tessera.yaml"
        container:
            IMAGES["tessera"]
        threads: 1
        resources:
            mem_mb=lambda wildcards, attempt: 500 * attempt,
            runtime=lambda wildcards, attempt: 120 * attempt,
        params:
            stage_version=CATALOGUE_VERSION,
            came=lambda wildcards: RUN.came(RUN.inputs(wildcards.node, wildcards.sample)),
        shell:
            "(sha256sum -- {input.files:q} > {output.digests:q}.unfinished"
            " && mv {output.digests:q}.unfinished {output.digests:q}) 2> {log:q}"

    use rule digest_inputs as digest_cohort with:
        input:
            files=lambda wildcards: RUN.cohort_file(wildcards.node, wildcards.cohort).path,
        output:
            digests="<private>/digests/cohorts/{cohort}.sha256",
        log:
            "<private>/logs/digest_cohort/{cohort}.log",
        params:
            stage_version=CATALOGUE_VERSION,
            came=lambda wildcards: RUN.came([RUN.cohort_file(wildcards.node, wildcards.cohort).path]),

    rule write_crate:
        """Write how a node's summary was made, for the node and for everybody."""
        input:
            manifest="<results>/{node}/summary/manifest.json",
            decisions="<private>/decisions.tsv",
            digests=lambda wildcards: expand(
                "<private>/digests/{sample}.sha256",
                sample=RUN.called_samples(wildcards.node) + RUN.gvcf_samples(wildcards.node),
                allow_missing=True,
            )
            + expand(
                "<private>/digests/cohorts/{cohort}.sha256",
                cohort=[cohort.id for cohort in RUN.cohort_files(wildcards.node)],
                allow_missing=True,
            ),
            workflow=workflow.main_snakefile,
        output:
            kept="<private>/crate/ro-crate-metadata.json",
            shared="<results>/{node}/crate/ro-crate-metadata.json",
        log:
            "<private>/logs/write_crate.log",
        conda:
            "../envs/tessera.yaml"
        container:
            IMAGES["tessera"]
        threads: 1
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            stage_version=CATALOGUE_VERSION,
            config=json.dumps(config, sort_keys=True),
            summary=subpath(input.manifest, parent=True),
            private=subpath(input.decisions, parent=True),
            kept=subpath(output.kept, parent=True),
            shared=subpath(output.shared, parent=True),
        shell:
            "tessera catalogue write-crate {params.summary:q} --config <(printf %s {params.config:q})"
            " --entry {wildcards.node:q} --workflow {input.workflow:q} --private {params.private:q}"
            " --out {params.kept:q} --share {params.shared:q} 2> {log:q}"
