#!/bin/sh
# SageMaker runs `docker run <image> serve`: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
set -eu
# It has unpacked the archive already, so there is none left for MODELWRIGHT_MODEL_SHA256: the server takes a compiled model all
# the same, since that runs no code of its own, and refuses a script.
case "${1:-serve}" in
    serve) exec python3 -m modelwright.serving --model-dir /opt/ml/model --host 0.0.0.0 ;;
    *) exec "$@" ;;
esac
