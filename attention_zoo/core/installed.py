"""What is installed, beside what this package asks for."""

from __future__ import annotations

import dataclasses
import importlib.metadata

from packaging.requirements import Requirement


@dataclasses.dataclass(frozen=True)
class Package:
    """A package that is asked for.

    Attributes:
        name: as pip knows it.
        wanted: the versions that will do, such as `">=3.12"`.
        found: the version that is installed, or None.
        fits: whether that is one of them.
    """

    name: str
    wanted: str
    found: str | None
    fits: bool


def installed(name: str) -> str | None:
    """The version of a package that is installed, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def asked_for(distribution: str) -> dict[str, list[Package]]:
    """By extra, what a distribution asks for; under `""` what it always needs. Empty if it is not
    installed itself, as when it runs from a checkout."""
    if installed(distribution) is None:
        return {}
    about = importlib.metadata.metadata(distribution)
    found: dict[str, list[Package]] = {
        "": [], **{extra: [] for extra in sorted(about.get_all("Provides-Extra") or [])},
    }  # fmt: skip
    for line in importlib.metadata.requires(distribution) or []:
        needed = Requirement(line)
        if needed.marker is None:
            homes = [""]
        else:
            homes = [extra for extra in found if extra and needed.marker.evaluate({"extra": extra})]
        version = installed(needed.name)
        fits = version is not None and needed.specifier.contains(version, prereleases=True)
        package = Package(needed.name, str(needed.specifier), version, fits)
        for home in homes:
            found[home].append(package)
    return found
