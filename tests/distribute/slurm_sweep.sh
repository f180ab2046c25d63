#!/usr/bin/env bash
# The batch script of docs/examples/sweeps on a Slurm of this one machine, with daemons, ports and files of its own.
#   slurm_sweep.sh PROGRAM SOURCE WORK
set -u
program=$1 source=$2 work=$3

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
skip() {
  echo "skipped: $*"
  exit 77
}
for tool in munged slurmctld slurmd sbatch srun; do
  PATH=$PATH:/usr/sbin command -v $tool >/dev/null || skip "Slurm is not installed here (no $tool)"
done
PATH=$PATH:/usr/sbin
[ "$(id -u)" -eq 0 ] || skip "the daemons of a private Slurm need root"
command -v mpirun >/dev/null || skip "no mpirun here"

# Short paths: munge's socket has a limit of 107 characters.
run=$(mktemp -d -t slurm-test.XXXXXX) || skip "no folder for the daemons"
pids=()
export SLURM_CONF=$run/slurm.conf
stop() {
  local pid
  timeout 5 scancel --user=root 2>/dev/null # a job of a failed test, on this private Slurm
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  sleep 0.5
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
  # Helpers of slurmd outlive it now and then; those of this Slurm are known by its configuration.
  for pid in $(grep -ls "SLURM_CONF=$run/slurm.conf" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3); do
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = slurmstepd ] && kill -KILL "$pid" 2>/dev/null
  done
  rm -rf "$run"
}
trap stop EXIT

mkdir -p "$work" "$run/state" "$run/spool" "$run/munge" && chmod 755 "$run" "$run/munge"
rm -f "$work"/*
cd "$work" || exit 1
dd if=/dev/urandom of="$run/key" bs=1 count=1024 2>/dev/null && chmod 600 "$run/key"
munged --foreground --force --key-file="$run/key" --socket="$run/munge/socket" --pid-file="$run/munge/pid" \
  --log-file="$run/munge/log" --seed-file="$run/munge/seed" >munged.txt 2>&1 &
pids+=($!)

host=$(hostname -s)
port=$((20000 + $$ % 20000))
cat >"$run/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$run/munge/socket
CredType=cred/munge
SlurmctldPort=$port
SlurmdPort=$((port + 1))
StateSaveLocation=$run/state
SlurmdSpoolDir=$run/spool
SlurmctldPidFile=$run/ctld.pid
SlurmdPidFile=$run/d.pid
SlurmctldLogFile=$work/slurmctld.txt
SlurmdLogFile=$work/slurmd.txt
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/builtin
SelectType=select/linear
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
END
for ((i = 0; i < 50; i++)); do
  [ -S "$run/munge/socket" ] && break
  sleep 0.1
done
[ -S "$run/munge/socket" ] || skip "munged does not start: $(tail -n 2 munged.txt)"
slurmctld -D -c >/dev/null 2>&1 &
pids+=($!)
slurmd -D -c -N "$host" >/dev/null 2>&1 &
pids+=($!)
for ((i = 0; i < 100; i++)); do
  sinfo -h -o %T 2>/dev/null | grep -q idle && break
  sleep 0.1
done
sinfo -h -o %T 2>/dev/null | grep -q idle || skip "the node does not come up: $(tail -n 3 slurmctld.txt slurmd.txt)"

cat >sweep.json <<END
{"schema": "orrery.sweep/1", "base": "$source/docs/examples/deepseek-v3-2048-h800.json",
 "axes": {"training.global_batch_size": [3840, 7680], "layout.schedule": ["1f1b", "zb-h1"], "layout.ep": [16, 32]}}
END
"$program" sweep sweep.json -q --journal alone.journal -o alone.ndjson || fail "one process ended with $?"

# The example asks for four nodes; here is one. Everything else is as in the documents.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export PATH="$(dirname "$program"):$PATH"
timeout 120 sbatch --wait --nodes=1 --ntasks-per-node=3 --time=5 --output=job.txt --export=ALL,SWEEP="$work/sweep.json" \
  "$source/docs/examples/sweeps/sweep.sbatch" >submit.txt 2>&1 || fail "the job failed: $(cat submit.txt job.txt 2>/dev/null)"
cmp sweep.ndjson alone.ndjson || fail "the results differ"

# Several processes by srun without a common MPI must not all do everything.
if timeout 60 srun --mpi=none -n 2 "$program" sweep sweep.json --journal srun.journal >srun.txt 2>&1; then
  fail "two processes that do not know one another were accepted: $(cat srun.txt)"
fi
grep -Eq "started as 2 processes, but MPI sees 1|OMPI was not built with SLURM's PMI support" srun.txt || fail "$(cat srun.txt)"
how=none
for kind in pmix pmi2; do
  srun --mpi=list 2>&1 | grep -qw $kind || continue
  if timeout 60 srun --mpi=$kind -n 2 "$program" sweep sweep.json -q --journal $kind.journal -o $kind.ndjson >$kind.txt 2>&1; then
    cmp $kind.ndjson alone.ndjson || fail "the results under srun differ"
    how=$kind
    break
  fi
  echo "srun --mpi=$kind does not work here: $(tail -n 1 $kind.txt)"
done
echo "passed: sbatch with mpirun; srun with MPI: $how"
