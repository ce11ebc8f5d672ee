"""Quality: who is counted, and what everybody is worth.

Needs each sample's metrics on alignments and calls, the QC policy and the consent codes. Finds related people of a
node where markers are given, decides on everybody of a node and says what each decision rests on; writes the metrics of
the GA4GH standard. All of it is private. Whoever is counted alone is decided on by the step that counts, and so waits
for nobody else.
"""

QUALITY_VERSION = 4
# as options of a command
CONSENT = [word for code in RUN.config.consent for word in ("--consent", code)]
# related people of a node, where markers tell; a person's decision depends on others only where the policy says so
RELATIVES = "<private>/relatives.tsv" if MARKERS else []


rule quality:
    """Every node's decisions and metrics."""
    input:
        [
            f"<results>/{node}/private/{kept}"
            for node in RUN.nodes
            for kept in ("decisions.tsv", "decisions.details.tsv", "qc/metrics")
        ],


if MARKERS:

    rule find_relatives:
        """Find people of a node who are related, or there twice, by their genotypes at markers."""
        input:
            markers=MARKERS,
            copies=lambda wildcards: expand(
                "<private>/qc/markers/{sample}.tsv",
                sample=RUN.called_samples(wildcards.node) + RUN.gvcf_samples(wildcards.node),
                allow_missing=True,
            ),
            cohorts=lambda wildcards: expand(
                "<private>/qc/markers/cohorts/{cohort}.tsv",
                cohort=[cohort.id for cohort in RUN.cohort_files(wildcards.node)],
                allow_missing=True,
            ),
        output:
            pairs="<private>/relatives.tsv",
        log:
            "<private>/logs/find_relatives.log",
        conda:
            "../envs/tessera.yaml"
        container:
            IMAGES["tessera"]
        threads: 2
        resources:
            mem_mb=lambda wildcards, attempt: 2000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            stage_version=QUALITY_VERSION,
            came=RUN.came([MARKERS]),
            sheet=lambda wildcards: RUN.sheet(wildcards.node),
            facts=lambda wildcards: RUN.node_facts(wildcards.node),
            # a folder, for a command line has no room for the files of twenty thousand people
            copies=lambda wildcards, input: ["--copies", Path(input.copies[0]).parent] if input.copies else [],
            cohorts=lambda wildcards, input: [word for table in input.cohorts for word in ("--copies", table)],
        shell:
            "tessera find-relatives --samples {params.sheet:q} --markers {input.markers:q} {params.copies:q}"
            " {params.cohorts:q} --out {output.pairs:q} 2> {log:q}"


rule gate_samples:
    """Decide on everybody of a node, withdrawn people too, and say what each decision rests on."""
    input:
        policy=RUN.config.qc_policy,
        alignments=lambda wildcards: expand(
            "<private>/qc/alignments/{sample}.json",
            sample=RUN.called_samples(wildcards.node),
            allow_missing=True,
        ),
        variants=lambda wildcards: expand(
            "<private>/qc/variants/{sample}.tsv",
            sample=RUN.called_samples(wildcards.node) + RUN.gvcf_samples(wildcards.node),
            allow_missing=True,
        ),
        cohorts=lambda wildcards: expand(
            "<private>/qc/cohorts/{cohort}.tsv",
            cohort=[cohort.id for cohort in RUN.cohort_files(wildcards.node)],
            allow_missing=True,
        ),
        relatives=RELATIVES,
    output:
        decisions="<private>/decisions.tsv",
        details="<private>/decisions.details.tsv",
    log:
        "<private>/logs/gate_samples.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 500 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        stage_version=QUALITY_VERSION,
        came=RUN.came([RUN.config.qc_policy]),
        sheet=lambda wildcards: RUN.sheet(wildcards.node),
        facts=lambda wildcards: RUN.node_facts(wildcards.node),
        consent=CONSENT,
        # folders, for a command line has no room for the files of twenty thousand people
        alignments=lambda wildcards, input: (
            ["--alignments", Path(input.alignments[0]).parent] if input.alignments else []
        ),
        variants=lambda wildcards, input: ["--variants", Path(input.variants[0]).parent] if input.variants else [],
        cohorts=lambda wildcards, input: [word for table in input.cohorts for word in ("--variants", table)],
        relatives=lambda wildcards, input: ["--relatives", input.relatives] if input.relatives else [],
    shell:
        "tessera gate-samples --samples {params.sheet:q} --policy {input.policy:q} {params.consent:q} {params.alignments:q}"
        " {params.variants:q} {params.cohorts:q} {params.relatives:q} --out {output.decisions:q}"
        " --details {output.details:q} 2> {log:q}"


rule write_metrics:
    """Write the metrics of each sample of a node as the GA4GH standard shapes them."""
    input:
        alignments=lambda wildcards: expand(
            "<private>/qc/alignments/{sample}.json",
            sample=RUN.called_samples(wildcards.node),
            allow_missing=True,
        ),
        variants=lambda wildcards: expand(
            "<private>/qc/variants/{sample}.tsv",
            sample=RUN.called_samples(wildcards.node) + RUN.gvcf_samples(wildcards.node),
            allow_missing=True,
        ),
        cohorts=lambda wildcards: expand(
            "<private>/qc/cohorts/{cohort}.tsv",
            cohort=[cohort.id for cohort in RUN.cohort_files(wildcards.node)],
            allow_missing=True,
        ),
    output:
        metrics=directory("<private>/qc/metrics"),
    log:
        "<private>/logs/write_metrics.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 500 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        stage_version=QUALITY_VERSION,
        sheet=lambda wildcards: RUN.sheet(wildcards.node),
        facts=lambda wildcards: RUN.node_facts(wildcards.node),
        # folders, for a command line has no room for the files of twenty thousand people
        alignments=lambda wildcards, input: (
            ["--alignments", Path(input.alignments[0]).parent] if input.alignments else []
        ),
        variants=lambda wildcards, input: ["--variants", Path(input.variants[0]).parent] if input.variants else [],
        cohorts=lambda wildcards, input: [word for table in input.cohorts for word in ("--variants", table)],
    shell:
        "tessera write-metrics --samples {params.sheet:q} {params.alignments:q} {params.variants:q} {params.cohorts:q}"
        " --out {output.metrics:q} 2> {log:q}"
