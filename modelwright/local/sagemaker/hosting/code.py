"""The script of a container that serves several models: one for all of them, not in their archives.

AWS's scikit-learn image imports it once, when it starts with SAGEMAKER_MULTI_MODEL, from SAGEMAKER_SUBMIT_DIRECTORY; a
`code/` in the models' archives is never read, and `/opt/ml/model/code` does not exist then:
https://github.com/aws/sagemaker-scikit-learn-container/blob/master/src/sagemaker_sklearn_container/serving_mms.py
"""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

from modelwright.local.sagemaker.hosting.readiness import ServerFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SUBMIT_DIRECTORY = "SAGEMAKER_SUBMIT_DIRECTORY"
INSIDE = "/opt/ml/code"


def code_url(environment: Mapping[str, str], *, isolated: bool) -> str:
    """Return where the script of a container for several models is; ValueError when it could not get there."""
    url = environment.get(SUBMIT_DIRECTORY, "")
    if not url.startswith("s3://"):
        raise ValueError(
            f"A container with several models takes its script from {SUBMIT_DIRECTORY}, which must be an s3:// URL of "
            f"a tar.gz; found {url or 'nothing'}. The code/ in the models' archives is not read by the image."
        )
    if isolated:
        raise ValueError(f"The container is isolated from the network and cannot download its script from {url}.")
    return url


def unpack(archive: Path, into: Path) -> None:
    """Unpack a script's archive; ServerFailed when it is none."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(into, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ServerFailed(f"The script's archive ({SUBMIT_DIRECTORY}) cannot be unpacked: {error}.") from None
