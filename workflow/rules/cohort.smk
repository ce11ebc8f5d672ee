"""Cohort: the node's summary.

Needs everybody's calls and metrics, and of people in a cohort VCF the decisions. Decides on each person and counts
that person alone, adds people up by batch and batches to the node; the people of a cohort VCF are counted together. A
person's counts depend on that person only, so one person more costs one person, one batch and one sum; a node whose
people have all withdrawn has the summary of nobody. The node's summary may leave the node; all else here is private.
"""

COHORT_VERSION = 4
# what people are counted by, as options; calls that nobody checks on a reference are taken as they are
COUNT_RULES = RULES if COUNTED_ON else [*RULES, "--assume-normalised"]


rule cohort:
    """Every node's summary, verified, and what it was added up from."""
    input:
        [f"<results>/{node}/private/summary.verified.txt" for node in RUN.nodes],
        [f"<results>/{node}/private/batches/{batch}/manifest.json" for node in RUN.nodes for batch in RUN.batches(node)],
        [
            f"<results>/{node}/private/cohorts/{cohort.id}/manifest.json"
            for node in RUN.nodes
            for cohort in RUN.cohort_files(node)
        ],
        lambda wildcards: [
            f"<results>/{node}/private/summaries/{sample}/manifest.json"
            for node in RUN.nodes
            for sample in RUN.called_samples(node) + RUN.gvcf_samples(node)
        ],


rule count_alleles:
    """Decide on one person, and count the gVCF into a summary; of a person who is not counted it says the reason only."""
    input:
        calls=GVCF,
        reference=COUNTED_ON,
        digests=DIGESTS,
        policy=RUN.config.qc_policy,
        alignments=branch(
            lambda wildcards: RUN.kind(wildcards.node, wildcards.sample) == "gvcf",
            otherwise="<private>/qc/alignments/{sample}.json",
        ),
        variants="<private>/qc/variants/{sample}.tsv",
        relatives=RELATIVES if RUN.gates_on_kinship else [],
    output:
        decisions="<private>/decisions/{sample}.tsv",
        manifest="<private>/summaries/{sample}/manifest.json",
    log:
        "<private>/logs/count_alleles/{sample}.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
        in_turn=1,
    params:
        stage_version=[QUALITY_VERSION, COHORT_VERSION],
        came=lambda wildcards: RUN.came_calls(wildcards.node, wildcards.sample) + RUN.came([RUN.config.qc_policy]),
        sheet=lambda wildcards: RUN.sheet(wildcards.node),
        facts=lambda wildcards: RUN.facts(wildcards.node, wildcards.sample),
        consent=CONSENT,
        alignments=lambda wildcards, input: ["--alignments", input.alignments] if input.alignments else [],
        relatives=(lambda wildcards, input: ["--relatives", input.relatives]) if RUN.gates_on_kinship else [],
        rules=COUNT_RULES,
        build_digest=RUN.build_digest,
        summary=subpath(output.manifest, parent=True),
    shell:
        "(tessera gate-samples --samples {params.sheet:q} --sample {wildcards.sample:q} --policy {input.policy:q}"
        " {params.consent:q} {params.alignments:q} --variants {input.variants:q} {params.relatives:q}"
        " --out {output.decisions:q}"
        " && tessera count --input {input.calls:q} --samples {params.sheet:q} --sample {wildcards.sample:q}"
        " {params.rules:q} --decisions {output.decisions:q} {params.alignments:q} --variants {input.variants:q}"
        " --workers {threads} --max-memory {resources.mem_mb}MB --out {params.summary:q}) 2> {log:q}"


rule count_cohort:
    """Count the people of a cohort VCF into a summary."""
    input:
        calls=lambda wildcards: RUN.cohort_file(wildcards.node, wildcards.cohort).path,
        reference=COUNTED_ON,
        digests=DIGESTS,
        decisions="<private>/decisions.tsv",
        metrics="<private>/qc/cohorts/{cohort}.tsv",
        callable=lambda wildcards: RUN.config.nodes[wildcards.node].callable or [],
    output:
        manifest="<private>/cohorts/{cohort}/manifest.json",
    log:
        "<private>/logs/count_cohort/{cohort}.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: lambda wildcards: RUN.cohort_file(wildcards.node, wildcards.cohort).workers
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        stage_version=COHORT_VERSION,
        came=lambda wildcards: RUN.came_cohort(wildcards.node, wildcards.cohort),
        sheet=lambda wildcards: RUN.sheet(wildcards.node),
        facts=lambda wildcards: RUN.cohort_facts(wildcards.node, wildcards.cohort),
        callable=lambda wildcards, input: ["--callable", input.callable] if input.callable else [],
        rules=COUNT_RULES,
        build_digest=RUN.build_digest,
        # mpi: srun, where a site gives the rule several nodes; memory is that of a node
        tessera=lambda wildcards, resources: (
            f"{resources.mpi} --nodes {resources.nodes} --ntasks {resources.tasks} tessera count --cluster srun"
            if resources.get("mpi")
            else "tessera count"
        ),
        memory=lambda wildcards, resources: resources.mem_mb * resources.get("nodes", 1),
        summary=subpath(output.manifest, parent=True),
    shell:
        "{params.tessera} --input {input.calls:q} --samples {params.sheet:q} {params.callable:q} {params.rules:q}"
        " --decisions {input.decisions:q} --variants {input.metrics:q}"
        " --workers {threads} --max-memory {params.memory}MB --out {params.summary:q} 2> {log:q}"


rule sum_batch:
    """Add up the people of a batch."""
    input:
        manifests=lambda wildcards: expand(
            "<private>/summaries/{sample}/manifest.json",
            sample=RUN.batches(wildcards.node)[wildcards.batch],
            allow_missing=True,
        ),
    output:
        manifest="<private>/batches/{batch}/manifest.json",
    log:
        "<private>/logs/sum_batch/{batch}.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        stage_version=COHORT_VERSION,
        rules=[],
        summands=lambda wildcards, input: [Path(manifest).parent for manifest in input.manifests],
        summary=subpath(output.manifest, parent=True),
    shell:
        "tessera merge --workers {threads} {params.rules:q} --out {params.summary:q} {params.summands:q} 2> {log:q}"


use rule sum_batch as sum_node with:
    input:
        manifests=lambda wildcards: expand(
            "<private>/batches/{batch}/manifest.json", batch=RUN.batches(wildcards.node), allow_missing=True
        )
        + expand(
            "<private>/cohorts/{cohort}/manifest.json",
            cohort=[cohort.id for cohort in RUN.cohort_files(wildcards.node)],
            allow_missing=True,
        ),
        # the summary of nobody (all have withdrawn) has no summand to take its rules from
        reference=lambda wildcards: [] if RUN.samples(wildcards.node) else COUNTED_ON,
    output:
        manifest="<results>/{node}/summary/manifest.json",
    log:
        "<private>/logs/sum_node.log",
    params:
        stage_version=COHORT_VERSION,
        rules=lambda wildcards, input: [] if input.manifests else RULES,
        build_digest=lambda wildcards: "" if RUN.samples(wildcards.node) else RUN.build_digest,
        summands=lambda wildcards, input: [Path(manifest).parent for manifest in input.manifests],
        summary=subpath(output.manifest, parent=True),


rule verify_summary:
    """Check that a node's summary is whole, canonical and free of personal records, before it leaves."""
    input:
        manifest="<results>/{node}/summary/manifest.json",
    output:
        verdict="<private>/summary.verified.txt",
    log:
        "<private>/logs/verify_summary.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 500 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        stage_version=COHORT_VERSION,
        summary=subpath(input.manifest, parent=True),
    shell:
        "(tessera verify {params.summary:q} > {output.verdict:q}.unfinished"
        " && mv {output.verdict:q}.unfinished {output.verdict:q}) 2> {log:q}"
