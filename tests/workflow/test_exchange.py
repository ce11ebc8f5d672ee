"""The synthetic nation's nodes, each in its own folder with its own keys: what they exchange is bundles alone."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from nation import counts_of, files_of
from run_folder import ROOT, RunFolder

NODES = ("alder", "birch", "cedar")
HUB = "cedar"


class NodeFolder(RunFolder):
    """A node's working directory: its people, its keys, and what others gave it."""

    def __init__(self, folder: Path, node: str) -> None:
        super().__init__(folder, "node.yaml")
        self.node = node
        self.call([sys.executable, str(ROOT / "seeds" / "grow.py"), "nation"])
        (folder / "words").write_text(f"words of {node}\n")
        (folder / "words").chmod(0o600)
        self.tessera("keys", "new", "--passphrase-file", "words", "--out", "keys")

    def configure(self, **federation: object) -> None:
        """The nation's configuration with this node alone."""
        config = yaml.safe_load((self.folder / "nation" / "config.yaml").read_text())
        config["nodes"] = {self.node: config["nodes"][self.node]}
        config["federation"] = {"passphrase_file": "words", **federation}
        if self.node != HUB:
            del config["truth"]
        (self.folder / "node.yaml").write_text(yaml.safe_dump(config))


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NodeFolder]:
    """Everybody's results; alder and birch send to cedar, which adds up."""
    folders = {}
    for node in NODES:
        folder = tmp_path_factory.mktemp(node)
        folders[node] = NodeFolder(folder, node)
    hub = folders[HUB].folder
    for node in NODES[:2]:
        folder = folders[node].folder
        shutil.copy(hub / "keys" / "crypt4gh.pub", folder / "hub.pub")
        folders[node].configure(sign="keys/sign.sec", recipients=["hub.pub"])
        folders[node].snakemake("--cores", "2")
        shutil.copy(folder / "results" / "federation" / "sent" / f"{node}.tar.c4gh", hub)
        shutil.copy(folder / "keys" / "sign.pub", hub / f"{node}.pub")
    folders[HUB].configure(bundles=[
        {"file": f"{node}.tar.c4gh", "signer": f"{node}.pub", "key": "keys/crypt4gh.sec"} for node in NODES[:2]
    ])  # fmt: skip
    folders[HUB].tessera("check", "--config", "node.yaml")
    folders[HUB].snakemake("--cores", "2")
    return folders


def test_the_sum_of_what_was_sent_is_what_the_makers_of_the_nation_know(nodes: dict[str, NodeFolder]) -> None:
    compared = json.loads(nodes[HUB].read("federation/report.json"))["comparisons"]
    assert compared["federation"]["numbers_compared"] > 1_000
    assert "merged == pooled: yes" in nodes[HUB].read("federation/report.txt").decode()
    assert nodes[HUB].read("federation/allele_frequencies.vcf.gz")


def test_what_was_opened_is_what_was_counted_and_the_sum_names_its_nodes(nodes: dict[str, NodeFolder]) -> None:
    for node in NODES[:2]:
        opened = nodes[HUB].folder / "results" / "federation" / "received" / node / node
        assert counts_of(opened) == files_of(nodes[node].folder / "results" / node / "summary")
    sources = json.loads(nodes[HUB].read("federation/summary/lineage.json"))
    assert [source["node"] for source in sources] == list(NODES[:2])


def test_nothing_is_packed_or_opened_twice(nodes: dict[str, NodeFolder]) -> None:
    for node in (NODES[0], HUB):
        assert not nodes[node].made("--dry-run")


def test_a_bundle_that_would_not_open_is_told_by_the_check(nodes: dict[str, NodeFolder]) -> None:
    hub = nodes[HUB]
    good = (hub.folder / "node.yaml").read_text()
    config = yaml.safe_load(good)
    alder, birch = config["federation"]["bundles"]
    config["federation"]["bundles"] = [alder | {"signer": "birch.pub"}, birch | {"key": "keys/sign.sec"}, birch,
                                       birch | {"signer": "./birch.pub"}]  # fmt: skip
    config["federation"] |= {"sign": "alder.pub", "recipients": ["birch.pub"]}
    (hub.folder / "node.yaml").write_text(yaml.safe_dump(config))
    try:
        said = hub.call([sys.executable, "-m", "tessera", "check", "--config", "node.yaml"], fails=True)
    finally:
        (hub.folder / "node.yaml").write_text(good)
    for sentence in (
        "alder.pub: a public Ed25519 key; expected a private Ed25519 key",
        "birch.pub: a public Ed25519 key; expected a public Crypt4GH key",
        "alder.tar.c4gh: its manifest is not signed by any of the signers given",
        "keys/sign.sec: a private Ed25519 key; expected a private Crypt4GH key",
        "birch.tar.c4gh: a bundle of node birch, as is birch.tar.c4gh; expected one bundle of each node",
    ):
        assert sentence in said
    assert "Traceback" not in said
