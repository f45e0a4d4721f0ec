"""A training job's code and requirements, isolated or not."""

from __future__ import annotations

import json

from training_channel import channel


def test_an_isolated_job_has_its_code_as_a_channel_and_no_credentials(work, put, get, members) -> None:
    script = "import json, os\njson.dump(sorted(os.environ), open('/opt/ml/model/env.json', 'w'))\n"
    put("isolated/code.tar.gz", work.bundle({"train.py": script}))
    found = work.trained(
        "isolated",
        EnableNetworkIsolation=True,
        InputDataConfig=[channel("s3://job-bucket/isolated/code.tar.gz", "code")],
        HyperParameters={"sagemaker_submit_directory": "/opt/ml/input/data/code/code.tar.gz"},
    )
    assert found["TrainingJobStatus"] == "Completed", found["FailureReason"]
    names = json.loads(members(get("out/isolated/output/model.tar.gz"))["env.json"])
    assert not [name for name in names if name.startswith("AWS_") and name != "AWS_REGION"]


def test_an_isolated_job_reaches_no_code_in_s3(work) -> None:
    found = work.trained("unreachable", "", EnableNetworkIsolation=True)
    assert "isolated from the network" in found["FailureReason"]


def test_an_isolated_job_cannot_install_what_is_missing(work) -> None:
    files = {"train.py": "", "requirements.txt": "no-such-distribution-anywhere==1.0\n"}
    code = "/opt/ml/input/data/code/code.tar.gz"
    work.put("iso-req/code.tar.gz", work.bundle(files))
    found = work.trained(
        "isolated-pip",
        EnableNetworkIsolation=True,
        InputDataConfig=[channel("s3://job-bucket/iso-req/code.tar.gz", "code")],
        HyperParameters={"sagemaker_submit_directory": code},
    )
    assert found["FailureReason"].startswith("AlgorithmError: InstallRequirementsError:")
    assert "pip cannot run" in found["FailureReason"]


def test_requirements_that_are_there_need_no_pip(work) -> None:
    files = {"train.py": "import numpy\n", "requirements.txt": "# libraries\nnumpy>=1  # any\n\n"}
    assert work.trained("fulfilled", files=files)["TrainingJobStatus"] == "Completed"


def test_a_local_package_is_installed_once_for_its_content(work, tmp_path) -> None:
    package = tmp_path / "tiny"
    (package / "tinypackage").mkdir(parents=True)
    (package / "tinypackage/__init__.py").write_text("VALUE = 42\n")
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "tinypackage"\nversion = "1"\n'
    )
    (package / "backend.py").write_text(BACKEND)
    files = {
        "train.py": "import tinypackage\nopen('/opt/ml/model/v', 'w').write(str(tinypackage.VALUE))\n",
        "requirements.txt": f"{package}\n",
    }
    for name in ("pip-1", "pip-2"):
        found = work.trained(name, files=files)
        assert found["TrainingJobStatus"] == "Completed", found["FailureReason"]
    assert len(list((work.cloud.directory / "environments").iterdir())) == 1


BACKEND = """
import zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "tinypackage-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{directory}/{name}", "w") as wheel:
        wheel.write("tinypackage/__init__.py")
        wheel.writestr("tinypackage-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tinypackage\\nVersion: 1\\n")
        kind = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr("tinypackage-1.dist-info/WHEEL", kind)
        wheel.writestr("tinypackage-1.dist-info/RECORD", "")
    return name
"""
