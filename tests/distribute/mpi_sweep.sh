#!/usr/bin/env bash
# A sweep on several processes gives the bytes of one process, and survives the loss of one.
#   mpi_sweep.sh PROGRAM SOURCE WORK MPIRUN TEST
set -u
program=$1 source=$2 work=$3 mpirun=$4 test=$5
mkdir -p "$work" && cd "$work" || exit 1
rm -f ./*.journal ./*.ndjson ./*.txt

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
skip() {
  echo "skipped: $*"
  exit 77
}
if [ "$mpirun" = none ]; then
  # Without MPI the program says so instead of doing everything several times.
  OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0 "$program" sweep x.json 2>no.txt
  [ $? -eq 2 ] && grep -q "built without MPI" no.txt || fail "$(cat no.txt)"
  skip "built without MPI"
fi
command -v "$mpirun" >/dev/null || skip "no mpirun here ($mpirun)"
"$mpirun" -n 2 true 2>launch.txt || skip "mpirun cannot start two processes here: $(head -n 3 launch.txt)"

cat >sweep.json <<END
{"schema": "orrery.sweep/1", "base": "$source/docs/examples/deepseek-v3-2048-h800.json",
 "axes": {"training.global_batch_size": [3840, 7680], "layout.schedule": ["1f1b", "zb-h1", "gpipe"],
          "layout.ep": [16, 32], "layout.messages": ["blocking", "async"], "layout.recompute": ["deepseek-v3", "full"]}}
END
alone() { "$program" sweep sweep.json -q -j 1 --journal alone.journal -o alone.ndjson || fail "one process ended with $?"; }
many() { "$mpirun" "${launch[@]}" "$program" sweep sweep.json --journal many.journal -o many.ndjson "$@"; }

# Starts the sweep in the background, by mpirun itself so that its children are the processes of the sweep, and kills
# process 2 when some rows are there. False when the sweep was faster.
start_and_kill_one() {
  local i child
  "$mpirun" "${launch[@]}" "$program" sweep sweep.json --journal many.journal -o many.ndjson "$@" >many.out.txt 2>many.txt &
  started=$!
  for ((i = 0; i < 3000; i++)); do
    [ -f many.journal ] && [ "$(wc -l <many.journal)" -ge 3 ] && break
    sleep 0.01
  done
  for child in $(cat "/proc/$started/task/$started/children" 2>/dev/null); do
    if tr '\0' '\n' <"/proc/$child/environ" 2>/dev/null | grep -qx OMPI_COMM_WORLD_RANK=2; then
      kill -KILL "$child"
      return
    fi
  done
  return 1
}

same_bytes() {
  alone
  launch=(-n 3)
  many -q 2>many.txt || fail "three processes ended with $?: $(cat many.txt)"
  cmp many.ndjson alone.ndjson || fail "the results differ"
  many -q --resume -j 2 2>many.txt || fail "resuming ended with $?: $(cat many.txt)"
  cmp many.ndjson alone.ndjson || fail "the results differ after resuming"
}

# Where mpirun lets the others live, the sweep ends without the lost process and says so.
lost_process() {
  alone
  launch=(--enable-recovery -n 4)
  "$mpirun" "${launch[@]}" true 2>/dev/null || skip "this mpirun has no --enable-recovery"
  start_and_kill_one --patience 3s || { wait; skip "no process could be killed before the sweep was done"; }
  wait $started
  [ -f many.ndjson ] || fail "the job did not finish: $(cat many.txt)"
  grep -q "process 2 of 4 is lost (silent for 3 s); [01] item(s)" many.txt || fail "the loss is not reported: $(cat many.txt)"
  cmp many.ndjson alone.ndjson || fail "the results differ"
}

# Where mpirun ends the whole job, the journal is whole and --resume finishes.
lost_process_ends_the_job() {
  alone
  launch=(-n 4)
  start_and_kill_one || { wait; skip "no process could be killed before the sweep was done"; }
  wait $started && skip "this mpirun goes on after the loss of a process"
  grep -Eq "interrupted: [0-9]+ of 48 items are done and in many.journal; --resume goes on|exited on signal 9" many.txt ||
    fail "the loss is not reported: $(cat many.txt)"
  launch=(-n 2)
  many -q --resume 2>many.txt || fail "resuming ended with $?: $(cat many.txt)"
  grep -q "fault" many.txt && fail "$(cat many.txt)"
  cmp many.ndjson alone.ndjson || fail "the results differ"
}

# One message, not one per process, and nobody waits for ever.
wrong_input_ends_once() {
  echo '{"schema": "orrery.sweep/1", "axs": {}}' >wrong.json
  timeout 60 "$mpirun" -n 3 "$program" sweep wrong.json >many.out.txt 2>many.txt
  [ $? -eq 3 ] || fail "expected exit code 3: $(cat many.txt)"
  [ "$(grep -c "unknown key 'axs'" many.txt)" -eq 1 ] || fail "$(cat many.txt)"
}

# srun without a common MPI starts processes that do not know one another.
mpi_that_sees_one_process() {
  env -u OMPI_COMM_WORLD_SIZE SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=0 "$program" sweep sweep.json 2>many.txt
  [ $? -eq 2 ] || fail "expected exit code 2: $(cat many.txt)"
  grep -q "started as 2 processes, but MPI sees 1: with srun try --mpi=pmix" many.txt || fail "$(cat many.txt)"
}

"$test" || exit 1
echo "passed: $test"
