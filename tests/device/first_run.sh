#!/usr/bin/env bash
# The first run on a GPU, in the order that tells most: first_run.sh BUILD OUT [MINUTES]
#   BUILD    folder of a build with CUDA (bin/orrery-calibrate, bin/device_test)
#   OUT      where reports go
#   MINUTES  budget of the standard plan at the end (default 8)
# No step stops those after it; OUT/summary.txt has the exit code and the seconds of each.
set -u
build=${1:?BUILD} out=${2:?OUT} minutes=${3:-8}
bin=$(cd "$build/bin" && pwd) || exit 1
mkdir -p "$out"

# CUDA's libraries may lie in a Python environment or beside the driver.
for name in libcublasLt.so libcudnn.so libnccl.so libnvidia-ml.so; do
  found=$(find /usr/local /usr/lib /opt -name "$name*" -not -path '*/stubs/*' -print -quit 2>/dev/null)
  echo "$name: ${found:-not found}" >>"$out/libraries.txt"
  [ -n "$found" ] && LD_LIBRARY_PATH=$(dirname "$found"):${LD_LIBRARY_PATH:-}
done
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}

step() { # step NAME SECONDS COMMAND...
  local name=$1 limit=$2 start=$SECONDS
  shift 2
  timeout "$limit" "$@" >"$out/$name.txt" 2>&1
  echo "$name: exit $? after $((SECONDS - start)) s" | tee -a "$out/summary.txt"
}

nvidia-smi -q -d CLOCK,POWER,MEMORY >"$out/nvidia-smi.txt" 2>&1
step libraries-linked 20 ldd "$bin/orrery-calibrate"
step probes 300 "$bin/device_test" --gtest_filter='-*contention*' --gtest_output="json:$out/probes.json"
step contention-stream 60 "$bin/device_test" --gtest_filter='*contention*:-*green*'
step contention-green 60 "$bin/device_test" --gtest_filter='*contention*green*'
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck; do
    ORRERY_IN_PROCESS=1 step "sanitizer-$tool" 180 compute-sanitizer --tool "$tool" --error-exitcode 9 \
      "$bin/device_test" --gtest_filter='*own*:-*contention*'
  done
fi
step measure $((60 * minutes + 60)) "$bin/orrery-calibrate" measure --budget "${minutes}min" -o "$out/samples.csv"
tail -n 40 "$out/summary.txt"
