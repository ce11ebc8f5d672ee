"""A node is added once: not twice the same, not beside a sum that holds it, not as an earlier and a later release."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands import Tessera
from handmade import BUILD, sheet, vcf, write
from nation import counts_of, files_of, run

VARIANTS = {
    "alder": {"ann": "chr1 5 A C . . GT 0/1", "bob": "chr1 9 A G . . GT 1/1"},
    "birch": {"cai": "chr1 5 A C . . GT 1/1"},
    "cedar": {"dia": "chr1 7 A T . . GT 0/1"},
    "dogwood": {"eva": "chr1 30 A T . . GT 0/1"},
}
NODES = sorted(VARIANTS)


def count(folder: Path, people: dict[str, str]) -> Path:
    for name, line in people.items():
        (folder / name).mkdir(parents=True)
        run("count", "--input", write(folder / name / "a.vcf", vcf([name], [line])), "--samples",
            write(folder / name / "s.tsv", sheet({name: "XX EE"})), "--assume-normalised", "--mask", "none",
            "--build", write(folder / "build.yaml", BUILD), "--out", folder / name / "summary")  # fmt: skip
    run("merge", *(folder / name / "summary" for name in people), "--out", folder / "summary")
    return folder / "summary"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a hub has: an opened bundle of each node, alder's second release, and each node's own summary in `own`."""
    folder = tmp_path_factory.mktemp("hub")
    run("keys", "new", "--out", folder / "keys")
    for name, people in VARIANTS.items():
        send(folder, count(folder / "own" / name, people), name, folder / name)
    later = {name: line for name, line in VARIANTS["alder"].items() if name != "bob"}
    send(folder, count(folder / "own" / "later", later), "alder", folder / "alder-2")
    return folder


def send(hub: Path, summary: Path, node: str, out: Path) -> None:
    bundle, keys = out.with_suffix(".tar"), hub / "keys"
    run("bundle", "pack", summary, "--sign", keys / "sign.sec", "--unencrypted", "--node", node, "--out", bundle)
    run("bundle", "open", bundle, "--unencrypted", "--signer", keys / "sign.pub", "--out", out)


def nodes_of(summary: Path) -> list[str]:
    return [source["node"] for source in json.loads((summary / "lineage.json").read_text())]


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_sum_of_bundles_has_the_same_bytes_in_any_order_and_grouping(
    hub: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("sums")
    run("merge", *(hub / name for name in NODES), "--out", folder / "flat")
    waiting = [hub / name for name in data.draw(st.permutations(NODES))]
    while len(waiting) > 1:
        size = data.draw(st.integers(2, len(waiting)))
        out = folder / f"{len(waiting)}"
        run("merge", *waiting[:size], "--out", out)
        waiting = data.draw(st.permutations([*waiting[size:], out]))
    assert files_of(waiting[0]) == files_of(folder / "flat")
    # and what was counted together has the same counts
    run("merge", *(hub / "own" / name / "summary" for name in NODES), "--out", folder / "own")
    assert counts_of(folder / "flat") == files_of(folder / "own")
    assert nodes_of(folder / "flat") == NODES


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sums_that_share_a_node_are_refused_and_others_are_not(
    hub: Path, tessera: Tessera, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("sums")
    some = [data.draw(st.lists(st.sampled_from(NODES), min_size=1, max_size=3, unique=True)) for _ in range(2)]
    for number, names in enumerate(some):
        run("merge", *(hub / name for name in names), "--out", folder / str(number))
    done = tessera("merge", folder / "0", folder / "1", "--out", folder / "both")
    shared = sorted({*some[0]} & {*some[1]})
    assert done.code == (2 if shared else 0)
    assert (folder / "both").exists() is not bool(shared)
    for name in shared:
        assert f"{folder / '1'}: the summary of node {name} twice: {folder / '0'} holds it, too" in done.err


def test_two_releases_of_a_node_are_refused(hub: Path, tessera: Tessera, tmp_path: Path) -> None:
    run("merge", hub / "alder", hub / "birch", "--out", tmp_path / "both")
    for earlier in (hub / "alder", tmp_path / "both"):
        done = tessera("merge", earlier, hub / "alder-2", "--out", tmp_path / "sum")
        assert done.code == 2
        assert f"{hub / 'alder-2'}: another release of node alder (sha256:" in done.err
        assert "1 people) than in" in done.err
    assert not (tmp_path / "sum").exists()


def test_a_later_release_takes_the_place_of_an_earlier_one(hub: Path, tmp_path: Path) -> None:
    run("merge", hub / "alder", hub / "birch", "--out", tmp_path / "both")
    run("subtract", tmp_path / "both", hub / "alder", "--out", tmp_path / "without")
    assert files_of(tmp_path / "without") == files_of(hub / "birch")
    run("merge", tmp_path / "without", hub / "alder-2", "--out", tmp_path / "new")
    run("merge", hub / "birch", hub / "alder-2", "--out", tmp_path / "expected")
    assert files_of(tmp_path / "new") == files_of(tmp_path / "expected")


def test_the_nodes_own_folder_beside_a_sum_that_holds_it_is_refused(
    hub: Path, tessera: Tessera, tmp_path: Path
) -> None:
    run("merge", hub / "alder", hub / "birch", "--out", tmp_path / "both")
    own = hub / "own" / "alder" / "summary"
    for order in ([tmp_path / "both", own], [own, tmp_path / "both"]):
        done = tessera("merge", *order, "--out", tmp_path / "sum")
        assert done.code == 2
        assert f"{own}: the summary of node alder, which {tmp_path / 'both'} holds already" in done.err
    # and it can be taken out as what it is
    run("subtract", tmp_path / "both", own, "--out", tmp_path / "without")
    assert files_of(tmp_path / "without") == files_of(hub / "birch")


def test_what_is_no_source_of_a_sum_cannot_be_taken_out(hub: Path, tessera: Tessera, tmp_path: Path) -> None:
    run("merge", hub / "alder", hub / "birch", "--out", tmp_path / "both")
    done = tessera("subtract", tmp_path / "both", hub / "alder-2", "--out", tmp_path / "rest")
    assert done.code == 2
    assert f"{hub / 'alder-2'}: node alder (sha256:" in done.err
    part = hub / "own" / "alder" / "ann" / "summary"
    done = tessera("subtract", tmp_path / "both", part, "--out", tmp_path / "rest")
    assert done.code == 2
    assert "2 people would be left, and 3 are of alder, birch" in done.err
    assert not (tmp_path / "rest").exists()


def test_a_hub_that_sends_a_sum_on_names_the_nodes_and_itself_for_the_rest(
    hub: Path, tessera: Tessera, tmp_path: Path
) -> None:
    done = tessera("merge", hub / "alder", hub / "own" / "birch" / "summary", "--out", tmp_path / "both")
    assert f"{hub / 'own/birch/summary'}: 1 people are of no named node" in done.err
    assert nodes_of(tmp_path / "both") == ["alder"]
    send(hub, tmp_path / "both", "hub", tmp_path / "sent")
    told = json.loads((tmp_path / "sent" / "lineage.json").read_text())
    assert [(source["node"], source["people"]) for source in told] == [("alder", 2), ("hub", 1)]
    assert tessera("merge", tmp_path / "sent", hub / "alder-2", "--check").code == 2
    assert tessera("merge", tmp_path / "sent", hub / "cedar", "--check").code == 0


def test_a_lineage_is_read_strictly(hub: Path, tessera: Tessera, tmp_path: Path) -> None:
    shutil.copytree(hub / "alder", tmp_path / "alder")
    path = tmp_path / "alder" / "lineage.json"
    (source,) = json.loads(path.read_text())
    for text, said in {
        "[": "not JSON",
        "{}": "expected a list of sources",
        json.dumps([source | {"samples": ["ann"]}]): 'unknown key "samples"',
        json.dumps([source | {"people": 9}]): "the sources have more people than the 2 counted",
        json.dumps([source, source | {"node": "b"}]): "comes twice among the sources",
    }.items():
        path.write_text(text)
        done = tessera("verify", tmp_path / "alder")
        assert (done.code, said in done.err) == (2, True), done.err
