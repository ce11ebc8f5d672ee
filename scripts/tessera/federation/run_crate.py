"""The run that made a summary, as a Workflow Run RO-Crate 0.5: all of it for the node, and what may leave the node.

Files are named by their content (RFC 6920), for a crate holds none of them but the workflow and the configuration.
There are no times in it: the date is that of the data set.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tessera.federation.bundle import BUILD, CONTIG
from tessera.schemas.catalogue import Entry
from tessera.summary.manifest import Manifest

Entity = dict[str, Any]

CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
CRATE, WORKFLOW_CRATE = "https://w3id.org/ro/crate/1.1", "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
#: profile -> its name and version
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
METADATA, WORKFLOW, RUN, PUBLISHER = "ro-crate-metadata.json", "Snakefile", "#run", "#publisher"


@dataclass(frozen=True)
class CrateFile:
    """A file by its content; `identifier` is its path in the crate where the crate holds it."""

    name: str
    sha256: str
    description: str
    size: int | None = None
    identifier: str = ""

    @property
    def iri(self) -> str:
        """Its path in the crate, else the name of its content (RFC 6920), `ni:///sha-256;...`."""
        digest = base64.urlsafe_b64encode(bytes.fromhex(self.sha256)).decode().rstrip("=")
        return self.identifier or f"ni:///sha-256;{digest}"


@dataclass(frozen=True)
class Run:
    """What may be said of a run to everybody: no field names a person, a path, a host or a user.

    members: file of the summary -> sha256 and bytes. settings: key of the configuration -> value.
    versions: software -> version, or versions. policy: the QC policy.
    """

    entry: Entry
    manifest: Manifest
    members: Mapping[str, tuple[str, int]]
    settings: Mapping[str, str]
    versions: Mapping[str, str]
    policy: CrateFile


def not_shared(run: Run) -> Iterator[str]:
    """Sentences about names in a run that an operator chose, of a form that may not leave the node."""
    build = str(run.manifest.rules["build"]["name"])
    if not BUILD.fullmatch(build):
        yield f"the build is named {build!r}"
    contigs = {name.rpartition("/")[2].removesuffix(".parquet") for name in run.members if "/" in name}
    yield from (f"a contig is named {name!r}" for name in sorted(contigs) if not CONTIG.fullmatch(name))


def shared_crate(run: Run) -> dict[str, Any]:
    """The crate that may leave the node with the summary."""
    return _crate(run, [run.policy], _summary_files(run))


def full_crate(run: Run, inputs: Sequence[CrateFile], outputs: Sequence[CrateFile]) -> dict[str, Any]:
    """The crate that stays: also the inputs, and what was made of single people."""
    return _crate(run, [run.policy, *inputs], [*_summary_files(run), *outputs])


def _crate(run: Run, read: Sequence[CrateFile], made: Sequence[CrateFile]) -> dict[str, Any]:
    files = {entity["@id"]: entity for entity in _file_entities([*read, *made])}
    settings = _settings(run)
    software = _software(run)
    objects = [*dict.fromkeys(file.iri for file in read), *(setting["@id"] for setting in settings)]
    action = {
        "@id": RUN,
        "@type": "CreateAction",
        "name": f"Run of Tessera that made {run.entry.dataset}",
        "instrument": {"@id": WORKFLOW},
        "agent": {"@id": PUBLISHER},
        "object": _links(objects),
        "result": _links(dict.fromkeys(file.iri for file in made)),
    }
    context = [*_descriptors(run, [WORKFLOW, *files]), *_workflow(software, run.versions["snakemake"])]
    rest = sorted([*files.values(), *settings, *software], key=lambda entity: str(entity["@id"]))
    return {"@context": CONTEXT, "@graph": [*context, action, *rest]}


def _descriptors(run: Run, parts: Iterable[str]) -> list[Entity]:
    """The metadata file, the root data set, its publisher, licence and profiles (RO-Crate 1.1, sections 4 and 5)."""
    entry = run.entry
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"How {entry.dataset} was made",
        "description": f"The run of a Snakemake workflow that counted {sum(run.manifest.people.values()):,} people.",
        "datePublished": entry.modified,
        "license": {"@id": entry.licence},
        "publisher": {"@id": PUBLISHER},
        "conformsTo": _links(PROFILES),
        "mainEntity": {"@id": WORKFLOW},
        "mentions": {"@id": RUN},
        "hasPart": _links(parts),
    }
    metadata = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": _links([CRATE, WORKFLOW_CRATE]),
    }
    organisation = {
        "@id": PUBLISHER, "@type": "Organization", "name": entry.publisher.name, "url": entry.publisher.page,
    }  # fmt: skip
    licence = {"@id": entry.licence, "@type": "CreativeWork", "name": "Licence", "description": "Licence of the data."}
    profiles = [
        {"@id": iri, "@type": "CreativeWork", "name": name, "version": version}
        for iri, (name, version) in PROFILES.items()
    ]
    return [metadata, root, organisation, licence, *profiles]


def _workflow(software: Sequence[Entity], snakemake: str) -> list[Entity]:
    workflow = {
        "@id": WORKFLOW,
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "Tessera",
        "programmingLanguage": {"@id": SNAKEMAKE},
        "softwareRequirements": _links(entity["@id"] for entity in software),
    }
    language = {
        "@id": SNAKEMAKE, "@type": "ComputerLanguage", "name": "Snakemake", "version": snakemake,
        "identifier": {"@id": "https://doi.org/10.12688/f1000research.29032.2"}, "url": {"@id": "https://snakemake.github.io"},
    }  # fmt: skip
    return [workflow, language]


def _software(run: Run) -> list[Entity]:
    return [
        {"@id": f"#software-{name}", "@type": "SoftwareApplication", "name": name, "softwareVersion": version}
        for name, version in run.versions.items()
    ]


def _settings(run: Run) -> list[Entity]:
    """What people were counted by: settings, and the reference and rules by the digests of the manifest."""
    rules = run.manifest.rules
    told = {
        **run.settings,
        "build": rules["build"]["name"],
        "reference (GA4GH sequence collection)": rules["reference"] or "not at hand",
        "rules of counting": run.manifest.fingerprint,
    }
    return [
        {"@id": f"#setting-{number}", "@type": "PropertyValue", "name": name, "value": value}
        for number, (name, value) in enumerate(sorted(told.items()), 1)
    ]


def _summary_files(run: Run) -> list[CrateFile]:
    return [
        CrateFile(f"summary/{name}", digest, "Part of the summary", size)
        for name, (digest, size) in sorted(run.members.items())
    ]


def _file_entities(files: Sequence[CrateFile]) -> Iterable[Entity]:
    """An entity for each content; the same content under several names is one."""
    by_content: dict[str, list[CrateFile]] = {}
    for file in files:
        by_content.setdefault(file.iri, []).append(file)
    for iri, alike in by_content.items():
        entity: Entity = {"@id": iri, "@type": "File", "sha256": alike[0].sha256}
        entity |= {"name": _one_or_all(file.name for file in alike)}
        entity |= {"description": _one_or_all(file.description for file in alike)}
        sizes = [file.size for file in alike if file.size is not None]
        yield entity | ({"contentSize": str(sizes[0])} if sizes else {})


def _one_or_all(texts: Iterable[str]) -> str | list[str]:
    """RO-Crate wants a single value without a list around it."""
    found = sorted(set(texts))
    return found[0] if len(found) == 1 else found


def _links(iris: Iterable[str]) -> Any:
    found = [{"@id": iri} for iri in iris]
    return found[0] if len(found) == 1 else found
