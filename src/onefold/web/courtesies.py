"""What SDKs ask beside sending: harmless answers of the right shape, so that they start and go on.

No flag is on, nothing is recorded, no survey is shown. The answers are the same for every key and
tell nothing.
"""

import json
from collections.abc import Mapping
from typing import Any

from onefold import __version__

_COMPRESSION = ["gzip", "gzip-js"]
_TOOLBAR: dict[str, Any] = {
    "toolbarParams": {},
    "toolbarVersion": "toolbar",
    "isAuthenticated": False,
    "siteApps": [],
}
_CONFIG: dict[str, Any] = {
    "supportedCompression": _COMPRESSION,
    "hasFeatureFlags": False,
    "captureDeadClicks": False,
    "capturePerformance": False,
    "autocaptureExceptions": False,
    "analytics": {"endpoint": "/i/v0/e/"},
    "elementsChainAsString": True,
    "errorTracking": {"autocaptureExceptions": False, "suppressionRules": []},
    "logs": {"captureConsoleLogs": False},
    "sessionRecording": False,
    "heatmaps": False,
    "surveys": False,
    "productTours": False,
    "conversations": False,
    "defaultIdentifiedOnly": True,
    **_TOOLBAR,
}
_NO_FLAGS: dict[str, Any] = {"flags": {}, "errorsWhileComputingFlags": False}
_NO_RULES: dict[str, Any] = {"flags": [], "group_type_mapping": {}, "cohorts": {}}
_FIXED: Mapping[str, dict[str, Any]] = {
    "/s": {"status": 1},
    "/surveys": {"surveys": [], "survey_config": None},
    "/api/surveys": {"surveys": [], "survey_config": None},
    "/api/early_access_features": {"earlyAccessFeatures": []},
    "/api/web_experiments": {"experiments": []},
    "/api/product_tours": {"product_tours": []},
    "/api/feature_flag/local_evaluation": _NO_RULES,
    "/flags/definitions": _NO_RULES,
    "/health": {"live": True, "server": "UP"},
    "/version": {"Version": __version__},
}
_ARRAY = "/array/"
_SCRIPT = "config.js"


def courtesy_of(path: str, version: str) -> tuple[bytes, bytes] | None:
    """Return content type and body of the answer to what an SDK asks; None for anything else.

    Args:
        path: The address.
        version: What its query says under `v`; may be empty.

    >>> courtesy_of("/decide/", "3")[0], courtesy_of("/live", "")
    (b'application/json', None)
    """
    plain = path.rstrip("/")
    if plain.startswith(_ARRAY):
        return _config(plain.removeprefix(_ARRAY))
    told = _FIXED.get(plain)
    if plain == "/flags":
        told = _NO_FLAGS if version.startswith(("2", "3", "4")) else _decided(version)
    elif plain == "/decide":
        told = _decided(version)
    return None if told is None else (b"application/json", _json(told))


def _config(rest: str) -> tuple[bytes, bytes] | None:
    """Return what a browser asks for at its start, as JSON or as the script that sets it."""
    key, _, name = rest.partition("/")
    config = {"token": key, **_CONFIG}
    if name == "config":
        return b"application/json", _json(config)
    if name != _SCRIPT:
        return None
    # A key is anybody's text here; as JSON without angle brackets it cannot leave its place.
    told = _json({"config": config, "siteApps": []}).decode().replace("<", "\\u003c")
    named = json.dumps(key).replace("<", "\\u003c")
    script = f"(window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{{}})[{named}]={told};"
    return b"text/javascript", script.encode()


def _decided(version: str) -> dict[str, Any]:
    """Return that no flag is on, in the older shape."""
    return {
        "featureFlags": [] if version in {"", "1"} else {},
        "featureFlagPayloads": {},
        "errorsWhileComputingFlags": False,
        "config": {"enable_collect_everything": True},
        "supportedCompression": _COMPRESSION,
        "sessionRecording": False,
        **_TOOLBAR,
    }


def _json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, separators=(",", ":")).encode()
