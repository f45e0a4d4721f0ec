#!/bin/sh
# Builds what is missing of this content's images and pushes it. CodeBuild runs this in the unpacked context.
# Needs REPOSITORY_URI, IMAGE_HASH, FRAMEWORK, TARGETS. Two builds at once do no harm: who comes second finds the tag taken.
# WANTED_HASH is what a run goes on with: a deploy while it goes on changes this project, not the run's definition.
set -eu
cd "$(dirname "$0")"
repository="${REPOSITORY_URI#*/}"
if [ "${WANTED_HASH:-$IMAGE_HASH}" != "$IMAGE_HASH" ]; then
    echo "The run wants the images of $WANTED_HASH, and this project builds those of $IMAGE_HASH." >&2
    echo "The stack was deployed while the run went on: start it again." >&2
    exit 1
fi

there() { # tag; what is no plain absence is shown
    found=$(aws ecr describe-images --repository-name "$repository" --image-ids "imageTag=$1" 2>&1 >/dev/null) && return
    case "$found" in *ImageNotFoundException*) ;; *) echo "$found" >&2 ;; esac
    return 1
}

build() { # target, tag
    if there "$2"; then
        echo "$2 is there"
        return
    fi
    # SageMaker takes no OCI manifests: https://github.com/aws/amazon-sagemaker-feedback/issues/180
    docker buildx build --provenance=false --output type=docker --platform linux/amd64 \
        --target "$1" --build-arg "FRAMEWORK=$FRAMEWORK" --tag "$REPOSITORY_URI:$2" .
    docker push "$REPOSITORY_URI:$2" || there "$2"
}

aws ecr get-login-password | docker login --username AWS --password-stdin "${REPOSITORY_URI%%/*}"
for target in $TARGETS; do
    case "$target" in
        serve) build serve "serve-$IMAGE_HASH" ;;
        *) build "$target" "$target-$IMAGE_HASH-sklearn-$FRAMEWORK" ;;
    esac
done
