"""Where everything lies under `/opt/ml`, for training and for processing containers.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

from __future__ import annotations

from dataclasses import dataclass

BASE = "/opt/ml"


@dataclass(frozen=True)
class TrainingLayout:
    """Paths of a training container, as text; `base` is `/opt/ml` unless SAGEMAKER_BASE_DIR moves it."""

    base: str = BASE

    @property
    def code(self) -> str:
        """Working directory of the script."""
        return f"{self.base}/code"

    @property
    def model(self) -> str:
        """What lies here becomes model.tar.gz."""
        return f"{self.base}/model"

    @property
    def input(self) -> str:
        """Data and configuration."""
        return f"{self.base}/input"

    @property
    def config(self) -> str:
        """hyperparameters.json, inputdataconfig.json, resourceconfig.json."""
        return f"{self.base}/input/config"

    @property
    def output(self) -> str:
        """The failure or success file, and `data`."""
        return f"{self.base}/output"

    @property
    def output_data(self) -> str:
        """What lies here becomes output.tar.gz."""
        return f"{self.base}/output/data"

    @property
    def output_intermediate(self) -> str:
        """Uploaded while the job runs, when `sagemaker_s3_output` asks for it."""
        return f"{self.base}/output/intermediate"

    @property
    def checkpoints(self) -> str:
        """Synchronised with S3 when the job has a CheckpointConfig."""
        return f"{self.base}/checkpoints"

    @property
    def failure(self) -> str:
        """A text here is the reason of a failure."""
        return f"{self.base}/output/failure"

    @property
    def success(self) -> str:
        """Empty; the toolkit leaves it after a success."""
        return f"{self.base}/output/success"

    def channel(self, name: str) -> str:
        """Return the directory of an input channel."""
        return f"{self.base}/input/data/{name}"

    def directories(self) -> list[str]:
        """Return what exists before the container starts."""
        return [self.code, self.model, self.config, f"{self.input}/data", self.output_data]


@dataclass(frozen=True)
class ProcessingLayout:
    """Paths of a processing container."""

    base: str = BASE

    @property
    def config(self) -> str:
        """processingjobconfig.json and resourceconfig.json."""
        return f"{self.base}/config"

    @property
    def processing(self) -> str:
        """Every input's and output's LocalPath begins with this."""
        return f"{self.base}/processing"

    @property
    def message(self) -> str:
        """The first 1 KB of this file becomes ExitMessage."""
        return f"{self.base}/output/message"

    def directories(self) -> list[str]:
        """Return what exists before the container starts."""
        return [self.config, self.processing, f"{self.base}/output"]
