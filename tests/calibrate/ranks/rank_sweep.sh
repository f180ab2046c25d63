#!/usr/bin/env bash
# Collectives over several processes: every case ends, and a rank that fails, hangs, is killed or never comes is named.
#   rank_sweep.sh PROGRAM WORK MPIRUN TEST
set -u
program=$1 work=$2 mpirun=$3 test=$4
rm -rf "$work" && mkdir -p "$work/meet" && cd "$work" || exit 1

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
skip() {
  echo "skipped: $*"
  exit 77
}
if [ "$mpirun" = none ]; then skip "built without MPI"; fi
command -v "$mpirun" >/dev/null || skip "no mpirun here ($mpirun)"
"$mpirun" -n 2 true 2>launch.txt || skip "mpirun cannot start two processes here: $(head -n 3 launch.txt)"

# Four processes on two "hosts" of two each; nothing may take longer than a minute.
measure() {
  timeout 60 "$mpirun" "${launch[@]}" -n 4 "$program" meet samples.csv 2 "$@" >out.txt 2>err.txt
  code=$?
  [ $code -ne 124 ] || fail "hung: $(cat err.txt)"
}
launch=()
samples() { grep -c ",samples," samples.csv; }  # cases over 2 GPUs of one host, 1 + 1, 2 + 2: 7 sizes each
failures() { grep -c ",$1," samples.csv; }

all_well() {
  measure
  [ $code -eq 0 ] || fail "ended with $code: $(cat out.txt err.txt)"
  [ "$(samples)" -eq 21 ] || fail "$(cat samples.csv)"
  grep -q "# hosts: node0:2 node1:2" samples.csv || fail "$(head samples.csv)"
  # 2^18 bytes over 2 hosts of 2: 3 peers of 2 us, 2 x 3/4 of the bytes at 25 GB/s = 21.72864 us; the slowest rank 1 % more.
  grep "bytes=262144 gpus=4 nodes=2" samples.csv | grep -q "2.1945926[0-9]*e-05" || fail "$(cat samples.csv)"
}
# Only cases over all four have the rank that fails; those over two go on.
a_rank_that_fails() {
  measure fail:2:join
  [ $code -eq 5 ] || fail "ended with $code: $(cat out.txt err.txt)"
  [ "$(samples)" -eq 14 ] && [ "$(failures rank-failed)" -eq 7 ] || fail "$(cat samples.csv)"
  grep -q "rank 2 of 4 (node1. GPU 0): rank-failed: unhandled system error" samples.csv || fail "$(cat samples.csv)"
}
a_rank_that_hangs() {
  measure hang:1:run
  [ $code -eq 5 ] || fail "ended with $code: $(cat out.txt err.txt)"
  [ "$(samples)" -eq 14 ] && [ "$(failures rank-failed)" -eq 7 ] || fail "$(cat samples.csv)"
  grep -q "rank 1 of 4 (node0. GPU 1). last at 'verify' did not come back from 'run' within .* 3 more ranks. which got further. wait" samples.csv ||
    fail "$(cat samples.csv)"
}
a_rank_whose_measuring_process_is_killed() {
  measure kill:3:verify
  [ $code -eq 5 ] || fail "ended with $code: $(cat out.txt err.txt)"
  [ "$(samples)" -eq 14 ] && [ "$(failures rank-failed)" -eq 7 ] || fail "$(cat samples.csv)"
  grep -q "rank 3 of 4 (node1. GPU 1): crashed: the measuring process was ended by signal 9 (Killed)" samples.csv ||
    fail "$(cat samples.csv)"
}
a_wrong_result_and_no_memory() {
  measure wrong:3:verify
  [ "$(failures wrong-result)" -eq 7 ] || fail "$(cat samples.csv)"
  grep -q "rank 3 of 4 (node1. GPU 1): relative error 0.5. allowed 0.01" samples.csv || fail "$(cat samples.csv)"
  measure no-memory:0:join
  [ "$(failures out-of-memory)" -eq 7 ] && [ "$(samples)" -eq 14 ] || fail "$(cat samples.csv)"
}
# The process itself dies, as with its host; where mpirun lets the others live, the rest is measured without it.
a_process_that_is_lost() {
  launch=(--enable-recovery)
  "$mpirun" "${launch[@]}" -n 2 true 2>/dev/null || skip "this mpirun has no --enable-recovery"
  measure die:3:run
  [ -f samples.csv ] || fail "no samples: $(cat out.txt err.txt)"
  [ "$(samples)" -eq 14 ] && [ "$(failures rank-failed)" -eq 7 ] || fail "$(cat samples.csv)"
  grep -q "rank 3 of 4 (node1. GPU 1): device-lost: silent for 3 s: its process or host is lost" samples.csv ||
    fail "$(cat samples.csv)"
  grep -q "not tried: rank 3 of 4 (node1. GPU 1): silent for 3 s" samples.csv || fail "$(cat samples.csv)"
}
a_process_that_never_comes() {
  printf '#!/bin/sh\n[ "$OMPI_COMM_WORLD_RANK" = 2 ] && exec sleep 100\nexec "$@"\n' >late.sh && chmod +x late.sh
  timeout 60 "$mpirun" -n 3 ./late.sh "$program" meet samples.csv 2 >out.txt 2>err.txt
  code=$?
  [ $code -ne 124 ] || fail "hung: $(cat err.txt)"
  [ $code -ne 0 ] || fail "ended with 0"
  grep -Eq "another process did not come|rank 2 of 3: did not come within 10 s" err.txt || fail "$(cat err.txt)"
}

"$test" || exit 1
echo "passed: $test"
