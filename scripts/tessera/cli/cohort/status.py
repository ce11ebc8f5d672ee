"""`tessera cohort status`: who is in, what was released, and how large it is."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from tessera.cli.options import cohort_argument


@click.command(name="status")
@cohort_argument
@click.option("--json", "as_json", is_flag=True, help="As JSON, with the names of the people.")
def command(cohort: Path, as_json: bool) -> None:
    """Say who is in COHORT, in numbers: people, withdrawals, batches, releases, size; and the head of its ledger."""
    from tessera.cohort.members import replay
    from tessera.files.cohort_folder import CohortFolder, refuse_no_cohort

    refuse_no_cohort(cohort)
    folder = CohortFolder(cohort)
    history = replay(folder.ledger.lines, str(folder.ledger.path))
    reasons = Counter(stay.person["reason"] for stay in history.present.values())
    ended = history.ended
    status = {
        "in": sorted(history.present),
        "counted": reasons.pop("", 0),
        "not_counted": dict(sorted(reasons.items())),
        "withdrawn": sorted(history.left),
        "batches": [
            {"line": line["line"], "at": line["at"], "people": len(line["people"]),
             "in": sum(stay.withdrawn is None for stay in history.of_batch[line["line"]])}
            for line in history.batches
        ],
        "releases": [
            {key: line[key] for key in ("line", "at", "out", "digest", "counted")}
            | {"withdrawn_since": sorted(s.sample for s in ended if s.held_by(line))}
            for line in history.releases
        ],
        "bytes": folder.size(),
        "fingerprint": folder.ledger.lines[0]["fingerprint"],
        "lines": len(folder.ledger.lines),
        "head": folder.ledger.head,
    }  # fmt: skip
    click.echo(json.dumps(status, indent=1) if as_json else "\n".join(_told(status)))


def _told(status: Mapping[str, Any]) -> Iterator[str]:
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in status["not_counted"].items())
    yield f"people in    {len(status['in']):,}"
    yield f"counted      {status['counted']:,}{f'; not counted: {reasons}' if reasons else ''}"
    yield f"withdrawn    {len(status['withdrawn']):,}"
    yield f"batches      {len(status['batches']):,}"
    yield f"releases     {len(status['releases']):,}"
    for release in status["releases"]:
        since = len(release["withdrawn_since"])
        left = f", {since:,} withdrawn since" if since else ""
        yield f"  {release['at']}  {release['out']}: {release['counted']:,} counted{left}"
    yield f"size         {status['bytes']:,} bytes"
    yield f"rules        {status['fingerprint']}"
    yield f"ledger       {status['lines']:,} lines, head {status['head']}"
