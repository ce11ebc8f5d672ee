"""Who is in a cohort, who has left and which releases hold whom, from the lines of its ledger."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tessera.errors import InputError, Problem, refuse

Line = Mapping[str, Any]


@dataclass
class Stay:
    """A person's time in the cohort, between two lines of the ledger: `person` is as the line of `add` tells,
    `source` the file; `withdrawn` and `partial` are the line and the counts that were taken out, None while in."""

    person: Mapping[str, Any]
    source: Mapping[str, Any]
    added: int
    withdrawn: int | None = None
    partial: Mapping[str, str] | None = None

    @property
    def sample(self) -> str:
        """Name of the sample."""
        return str(self.person["sample"])

    def held_by(self, release: Line) -> bool:
        """Whether the person was in when a release was made."""
        return self.added < release["line"] and (self.withdrawn is None or release["line"] < self.withdrawn)


@dataclass
class History:
    """What the lines of a ledger come to."""

    stays: list[Stay] = field(default_factory=list)
    present: dict[str, Stay] = field(default_factory=dict)
    batches: list[Line] = field(default_factory=list)
    releases: list[Line] = field(default_factory=list)
    #: line of an add -> who came in by it; path or digest of a file -> who was counted from it
    of_batch: dict[int, list[Stay]] = field(default_factory=lambda: defaultdict(list))
    of_file: dict[str, list[Stay]] = field(default_factory=lambda: defaultdict(list))

    @property
    def ended(self) -> list[Stay]:
        """The stays that a withdrawal ended."""
        return [stay for stay in self.stays if stay.withdrawn is not None]

    @property
    def left(self) -> dict[str, Stay]:
        """The last stay of each person who is no longer in."""
        return {stay.sample: stay for stay in self.ended if stay.sample not in self.present}

    def add(self, stay: Stay) -> None:
        """Take a person in."""
        self.stays.append(stay)
        self.present[stay.sample] = stay
        self.of_batch[stay.added].append(stay)
        for name in (stay.source["path"], stay.source["digest"]):
            self.of_file[name].append(stay)


def replay(lines: Iterable[Line], where: str) -> History:
    """The history that lines tell. Raises InputError when a line contradicts those before, or is none of ours."""
    history = History()
    for line in lines:
        try:
            contradictions = list(_take(history, line))
        except (KeyError, TypeError, IndexError, AttributeError):
            contradictions = ["not what such a line holds"]
        if contradictions:
            raise refuse(
                f"{where} line {line.get('line')}", "; ".join(contradictions), "a line of tessera cohort",
                "tessera cohort verify tells more.",
            )  # fmt: skip
    return history


def _take(history: History, line: Line) -> Iterator[str]:
    if line["event"] == "add":
        history.batches.append(line)
        for person in line["people"]:
            stay = Stay(person, line["sources"][person["source"]], line["line"])
            if stay.sample in history.present:
                yield f"{stay.sample} came in twice"
            history.add(stay)
    elif line["event"] == "withdraw":
        for person in line["people"]:
            gone = history.present.pop(person["sample"], None)
            if gone is None:
                yield f"{person['sample']} left without being in"
            else:
                gone.withdrawn, gone.partial = line["line"], person["partial"]
    elif line["event"] == "release":
        history.releases.append(line)
    elif line["event"] != "init" or line["line"] != 1:
        yield f"the event {line['event']}"


def newcomer_problems(
    history: History, samples: Sequence[str], reconsented: Sequence[str], sheet: str
) -> list[Problem]:
    """People who cannot come in: they are in, or have withdrawn and are not said to have consented again."""
    left, problems = history.left, []
    for name in samples:
        if name in history.present:
            found = f"{name} is in the cohort since line {history.present[name].added} of its ledger"
            problems.append(
                Problem(
                    sheet, found, "people who are not in", "Give a sheet of the new people, or name them by --sample."
                )
            )
        elif name in left and name not in reconsented:
            found = f"{name} has withdrawn (line {left[name].withdrawn} of the ledger)"
            remedy = f"Leave {name} out; or, if the person has consented again, say so: --reconsented {name}"
            problems.append(Problem(sheet, found, "people who have not", remedy))
    for name in reconsented:
        if name not in left or name not in samples:
            found = f"{name}, who has not withdrawn or is not among the people to add"
            problems.append(Problem("--reconsented", found, "a person to add who had withdrawn before"))
    return problems


def withdrawn_problems(history: History, withdrawn: Iterable[str], sheet: str, cohort: str) -> list[Problem]:
    """People whom the sheet calls withdrawn and who are still in."""
    return [
        Problem(sheet, f"{name} is withdrawn and in the cohort", "nobody in who has withdrawn",
                f"Run: tessera cohort withdraw {cohort} {name}")
        for name in withdrawn
        if name in history.present
    ]  # fmt: skip


def source_problems(
    history: History, source: Mapping[str, Any], people: Sequence[str], *, personal: bool
) -> Iterator[Problem]:
    """What forbids that people are counted from a file: it was another person's own, or earlier people's and has
    changed. `personal` says that it holds nobody else."""
    path, remedy = source["path"], "Leave files of people who are in as they are, and give a new file another name."
    earlier = [stay for name in (path, source["digest"]) for stay in history.of_file.get(name, ())]
    counted = [stay for stay in earlier if stay.withdrawn is None and stay.person["reason"] == ""]
    changed = [stay.sample for stay in counted if stay.source["digest"] != source["digest"]]
    if changed:
        found = f"other bytes than {_some(changed)} {'were' if len(changed) > 1 else 'was'} counted from"
        yield Problem(path, found, "a file for each content", remedy)
    others = sorted({s.sample for s in earlier if personal and s.person["tables"] is not None} - set(people))
    if others:
        yield Problem(
            path, f"the source of {_some(others)}, now given for {_some(people)}", "one person's file under one name"
        )


def copy_problems(history: History, newcomers: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Newcomers whose own counts are to the byte those of another person: a file under a second name.

    Give people in whom something was found alone: those without may all be alike.
    """
    first = {stay.person["tables"]: stay.sample for stay in history.stays}
    problems = []
    for person in newcomers:
        other = first.setdefault(person["tables"], person["sample"])
        if other != person["sample"]:
            found = f"the same counts to the byte as {other}"
            remedy = "A person would be counted twice, or come back under another name."
            problems.append(Problem(person["sample"], found, "a person of its own", remedy))
    return problems


def leavers(history: History, samples: Sequence[str], cohort: str) -> list[Stay]:
    """Those of the people in who are to be taken out. Raises InputError with everybody who is not in."""
    left, problems = history.left, []
    for name in dict.fromkeys(samples):
        if samples.count(name) > 1:
            problems.append(Problem("tessera cohort withdraw", f"{name} twice", "each person once"))
        if name in left:
            found = f"{name} has left already (line {left[name].withdrawn} of the ledger)"
            problems.append(Problem(cohort, found, "people who are in"))
        elif name not in history.present:
            problems.append(
                Problem(cohort, f"nobody named {name}", "people who are in", "tessera cohort status --json tells who.")
            )
    if problems:
        raise InputError(problems)
    return [history.present[name] for name in samples]


def _some(names: Sequence[str], shown: int = 10) -> str:
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
