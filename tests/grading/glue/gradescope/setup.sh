#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image. Choose Ubuntu 24.04 or Debian 12 as the base
# image: CMake of Ubuntu 22.04 is too old.
set -euo pipefail
cd /autograder/source
bash build.sh
