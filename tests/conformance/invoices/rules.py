"""Invoices against what is published for them: the schemas of UBL 2.1, the rules of EN 16931 and of Peppol BIS 3.

The rules are Schematron compiled to XSLT; Saxon runs each over a whole folder at once, so that Java starts twice for
all documents of a session together.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from zipfile import ZipFile

from lxml import etree

from dmi_command.servers import jars, kafka
from dmi_command.servers.process import program

POM: Final = Path(__file__).with_name("pom.xml")
JAR: Final = "phive-rules-peppol-*.jar"
REMEDY: Final = "run the tests once with DMI_REQUIRE=invoices, which fetches them with Maven"
RELEASE: Final = "2026.5"
"""The rules of this release of Peppol BIS Billing 3."""
RULES: Final = ("CEN-EN16931-UBL.xslt", "PEPPOL-EN16931-UBL.xslt")
OPTIONS: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss4m")
UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
SCHEMAS: Final = {
    "urn:un:unece:uncefact:data:specification:CoreComponentTypeSchemaModule:2": "schemas/CCTS_CCT_SchemaModule.xsd",
    "http://www.w3.org/2000/09/xmldsig#": "schemas/xmldsig-core-schema.xsd",
    "http://uri.etsi.org/01903/v1.3.2#": "schemas/XAdES01903v132-201601.xsd",
    "http://uri.etsi.org/01903/v1.4.1#": "schemas/XAdES01903v141-201601.xsd",
    f"{UBL}Invoice-2": "external/schemas/ubl21/maindoc/UBL-Invoice-2.1.xsd",
    f"{UBL}CreditNote-2": "external/schemas/ubl21/maindoc/UBL-CreditNote-2.1.xsd",
}
"""Where each namespace stands in the jars; UBL's own files name those of others without a place."""
_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"


def present(libs: Path) -> bool:
    """Whether a folder holds the jars."""
    return any(libs.glob(JAR))


def fetch(libs: Path) -> None:
    """Bring the jars into a folder, unless they are there."""
    jars.fetch("rules for invoices", POM, libs, JAR)


def schema(libs: Path, folder: Path) -> etree.XMLSchema:
    """The schemas of invoices and credit notes together, unpacked into a folder."""
    for jar in [*libs.glob("ph-ubl21-*.jar"), *libs.glob("ph-xsds-*.jar")]:
        with ZipFile(jar) as packed:
            packed.extractall(folder, [name for name in packed.namelist() if name.endswith(".xsd")])
    whole = etree.Element("{http://www.w3.org/2001/XMLSchema}schema")
    for namespace, place in SCHEMAS.items():
        etree.SubElement(
            whole, "{http://www.w3.org/2001/XMLSchema}import", namespace=namespace, schemaLocation=place
        )
    file = folder / "whole.xsd"
    file.write_bytes(etree.tostring(whole))
    return etree.XMLSchema(file=str(file))


def broken(libs: Path, folder: Path, documents: Mapping[str, bytes]) -> dict[str, list[str]]:
    """The rules that each document breaks, fatal ones and warnings, as ``flag id: words``."""
    given = folder / "given"
    given.mkdir(parents=True)
    for name, content in documents.items():
        (given / f"{name}.xml").write_bytes(content)
    java = program("java", "Java", kafka.JAVA_REMEDY)
    (jar,) = libs.glob(JAR)

    place = f"external/schematron/openpeppol/{RELEASE}/xslt"
    with ZipFile(jar) as packed:
        packed.extractall(folder, [f"{place}/{name}" for name in RULES])

    def run(name: str) -> Path:
        rules = folder / place / name
        out = folder / name
        out.mkdir()
        command = [
            java,
            *OPTIONS,
            "-cp",
            f"{libs}/*",
            "net.sf.saxon.Transform",
            f"-s:{given}",
            f"-xsl:{rules}",
        ]
        done = subprocess.run(
            [*command, f"-o:{out}"], capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, done.stderr
        return out

    with ThreadPoolExecutor(len(RULES)) as pool:
        reports = list(pool.map(run, RULES))
    return {name: [each for out in reports for each in _read(out / f"{name}.xml")] for name in documents}


def _read(report: Path) -> list[str]:
    """What a report says; one in which no rule was looked at is no report."""
    root = ElementTree.parse(report).getroot()
    assert root.find(f"{_SVRL}fired-rule") is not None, f"{report} fired no rule"
    failed = [*root.iter(f"{_SVRL}failed-assert"), *root.iter(f"{_SVRL}successful-report")]
    return [
        f"{each.get('flag')} {each.get('id')}: {' '.join(''.join(each.itertext()).split())}"
        for each in failed
    ]
