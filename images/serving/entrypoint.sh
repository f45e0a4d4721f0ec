#!/bin/sh
# SageMaker runs `docker run <image> serve`: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
set -eu
# It has unpacked the archive already, so there is none left for MODELWRIGHT_MODEL_SHA256: the server takes a compiled model all
# the same, since that runs no code of its own, and a script only when its files are those of MODELWRIGHT_FILES_SHA256.
# The model's folder may be read-only, and who runs this no root: requirements.txt goes into a folder of its own.
case "${1:-serve}" in
    serve)
        packages=$(mktemp -d)
        exec python3 -m modelwright.serving --model-dir /opt/ml/model --packages "$packages" --host 0.0.0.0
        ;;
    *) exec "$@" ;;
esac
