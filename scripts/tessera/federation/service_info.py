"""What the Beacon that serves a data set says of itself: GA4GH service-info 1.0 and Beacon v2's answer to `/info`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tessera.schemas.catalogue import Beacon, Entry


def service_info(entry: Entry, beacon: Beacon) -> dict[str, Any]:
    """The document of GA4GH service-info 1.0.0; texts in English where there is English."""
    return {
        "id": beacon.id,
        "name": beacon.name,
        "type": {"group": "org.ga4gh", "artifact": "beacon", "version": beacon.api_version.removeprefix("v")},
        "description": in_english(entry.description),
        "organization": {"name": entry.publisher.name, "url": entry.publisher.page},
        "contactUrl": f"mailto:{entry.contact.email}",
        "documentationUrl": entry.terms,
        "environment": beacon.environment,
        "version": entry.modified,
    }


def beacon_info(entry: Entry, beacon: Beacon) -> dict[str, Any]:
    """The answer to `/info` (beaconInfoResponse of Beacon v2)."""
    organisation = {
        "id": urlsplit(entry.publisher.page).hostname or entry.publisher.name,
        "name": entry.publisher.name,
        "welcomeUrl": entry.publisher.page,
        "contactUrl": f"mailto:{entry.contact.email}",
    }
    response = {
        "id": beacon.id,
        "name": beacon.name,
        "apiVersion": beacon.api_version,
        "environment": beacon.environment,
        "organization": organisation,
        "description": in_english(entry.description),
        "updateDateTime": entry.modified,
        "info": {"dataset": entry.dataset},
    }
    meta = {"beaconId": beacon.id, "apiVersion": beacon.api_version, "returnedSchemas": []}
    return {"meta": meta, "response": response}


def in_english(texts: Mapping[str, str]) -> str:
    """The English one of texts by language, else the first by language."""
    return texts.get("en") or texts[min(texts)]
