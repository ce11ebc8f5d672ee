"""Federation: the nodes' summaries as one, and what leaves in the formats of others.

Needs the nodes' summaries and those that other nodes sent, as folders or bundles. Packs ours for the recipients, adds
all, writes the sum in the formats that are asked for (as a VCF of allele frequencies unless told otherwise) and, where
the true numbers are known, compares every node and the federation with them.
"""

from tessera.federation.allele_frequency_vcf import is_country

FEDERATION_VERSION = 1
# frequencies by population need names that can be tags of the VCF
TOTAL = [] if all(is_country(population) for population in RUN.populations) else ["--total"]
SENT = [f"<results>/federation/sent/{node}.tar.c4gh" for node in RUN.nodes if RUN.config.federation.sign]
RECEIVED = [f"<results>/federation/received/{node}" for node in RUN.bundles]
RECEIVED_SUMMARIES = [f"{RUN.config.results}/federation/received/{node}/{node}" for node in RUN.bundles]
PASSPHRASE = RUN.config.federation.passphrase_file or []
GIVEN = RUN.config.federation
DATASET = ["--dataset", GIVEN.dataset] if GIVEN.dataset else []
FOR_VRS = [REFERENCE, f"{REFERENCE}.fai", f"{REFERENCE}.digests.json"]
FREQUENCIES = ["<results>/federation/allele_frequencies.vcf.gz"] if "vcf" in RUN.exports else []
# format -> file or folder in its folder of exports, and its options; the VCF has a place and a rule of its own
OTHERS = {
    "gdi-parquet": (GIVEN.dataset or "allele-frequencies", DATASET),
    "beacon": (
        "genomic_variations.jsonl.gz",
        ["--source", GIVEN.source, "--source-reference", GIVEN.source_reference, *DATASET],
    ),
    "va-spec": ("cohort_allele_frequencies.ndjson.gz", ["--reference", REFERENCE, *DATASET]),
    "gnomad": ("sites.vcf.gz", []),
    "sites": ("sites.parquet", []),
}


rule federation:
    """The merged summary and its exports."""
    input:
        "<results>/federation/summary/manifest.json",
        FREQUENCIES,
        SENT,
        [f"<results>/federation/exports/{form}" for form in RUN.exports if form != "vcf"],


rule pack_bundle:
    """Pack a node's summary, sign it, and encrypt it to the recipients."""
    input:
        manifest="<results>/{node}/summary/manifest.json",
        sign=RUN.config.federation.sign or [],
        recipients=RUN.config.federation.recipients,
        passphrase=PASSPHRASE,
    output:
        bundle="<results>/federation/sent/{node}.tar.c4gh",
    log:
        "<logs>/pack_bundle/{node}.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        stage_version=FEDERATION_VERSION,
        came=RUN.came(RUN.config.federation.recipients),
        summary=subpath(input.manifest, parent=True),
        recipients=[word for key in RUN.config.federation.recipients for word in ("--recipient", key)],
        passphrase=["--passphrase-file", PASSPHRASE] if PASSPHRASE else [],
    shell:
        "tessera bundle pack {params.summary:q} --node {wildcards.node:q} --sign {input.sign:q} {params.recipients:q}"
        " {params.passphrase:q} --out {output.bundle:q} &> {log:q}"


rule open_bundle:
    """Open a bundle that another node sent."""
    input:
        bundle=lambda wildcards: RUN.bundles[wildcards.sender].config.file,
        signer=lambda wildcards: RUN.bundles[wildcards.sender].config.signer,
        key=lambda wildcards: RUN.bundles[wildcards.sender].config.key,
        passphrase=PASSPHRASE,
    output:
        # Snakemake puts a file of its own into a folder that it makes, so the summary lies in a folder below
        folder=directory("<results>/federation/received/{sender}"),
    log:
        "<logs>/open_bundle/{sender}.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        stage_version=FEDERATION_VERSION,
        came=lambda wildcards: RUN.came([RUN.bundles[wildcards.sender].config.file]),
        passphrase=["--passphrase-file", PASSPHRASE] if PASSPHRASE else [],
    shell:
        "tessera bundle open {input.bundle:q} --signer {input.signer:q} --key {input.key:q} {params.passphrase:q}"
        " --out {output.folder:q}/{wildcards.sender:q} &> {log:q}"


rule merge_nodes:
    """Add up the nodes, and the summaries that other nodes sent."""
    input:
        manifests=[f"<results>/{node}/summary/manifest.json" for node in RUN.summed_nodes]
        + [f"{summary}/manifest.json" for summary in RUN.config.federation.summaries],
        received=RECEIVED,
    output:
        manifest="<results>/federation/summary/manifest.json",
    log:
        "<logs>/merge_nodes.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        stage_version=FEDERATION_VERSION,
        came=RUN.came(f"{summary}/manifest.json" for summary in RUN.config.federation.summaries),
        summands=lambda wildcards, input: [
            *(Path(manifest).parent for manifest in input.manifests),
            *RECEIVED_SUMMARIES,
        ],
        summary=subpath(output.manifest, parent=True),
    shell:
        "tessera merge --workers {threads} --out {params.summary:q} {params.summands:q} 2> {log:q}"


rule export_vcf:
    """Write the merged summary as a VCF of allele counts and frequencies."""
    input:
        manifest="<results>/federation/summary/manifest.json",
    output:
        vcf="<results>/federation/allele_frequencies.vcf.gz",
        index="<results>/federation/allele_frequencies.vcf.gz.tbi",
    log:
        "<logs>/export_vcf.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        stage_version=FEDERATION_VERSION,
        summary=subpath(input.manifest, parent=True),
        total=TOTAL,
    shell:
        "tessera export vcf {params.summary:q} {params.total:q} --out {output.vcf:q} 2> {log:q}"


rule export_summary:
    """Write the merged summary in another format that was asked for."""
    input:
        manifest="<results>/federation/summary/manifest.json",
        reference=lambda wildcards: FOR_VRS if wildcards.form == "va-spec" else [],
    output:
        folder=directory("<results>/federation/exports/{form}"),
    log:
        "<logs>/export_summary/{form}.log",
    conda:
        "../envs/tessera.yaml"
    container:
        IMAGES["tessera"]
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        stage_version=FEDERATION_VERSION,
        summary=subpath(input.manifest, parent=True),
        name=lambda wildcards: OTHERS[wildcards.form][0],
        options=lambda wildcards: OTHERS[wildcards.form][1],
    shell:
        "tessera export {wildcards.form:q} {params.summary:q} {params.options:q}"
        " --out {output.folder:q}/{params.name:q} 2> {log:q}"


if RUN.config.truth:

    rule check_node:
        """Compare a node's summary and decisions with the true numbers."""
        input:
            manifest="<results>/{node}/summary/manifest.json",
            decisions="<private>/decisions.tsv",
            truth=RUN.config.truth,
        output:
            result="<private>/truth.json",
        log:
            "<private>/logs/check_node.log",
        conda:
            "../envs/tessera.yaml"
        container:
            IMAGES["tessera"]
        threads: 1
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 30 * attempt,
        params:
            stage_version=FEDERATION_VERSION,
            summary=subpath(input.manifest, parent=True),
        shell:
            "tessera check-truth {params.summary:q} --truth {input.truth:q} --scope {wildcards.node:q}"
            " --decisions {input.decisions:q} --out {output.result:q} &> {log:q}"

    rule check_federation:
        """Compare the merged summary with the true pooled numbers."""
        input:
            manifest="<results>/federation/summary/manifest.json",
            truth=RUN.config.truth,
        output:
            result="<results>/federation/truth.json",
        log:
            "<logs>/check_federation.log",
        conda:
            "../envs/tessera.yaml"
        container:
            IMAGES["tessera"]
        threads: 1
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 30 * attempt,
        params:
            stage_version=FEDERATION_VERSION,
            summary=subpath(input.manifest, parent=True),
        shell:
            "tessera check-truth {params.summary:q} --truth {input.truth:q} --scope federation"
            " --out {output.result:q} &> {log:q}"
