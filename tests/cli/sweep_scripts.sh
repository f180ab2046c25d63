#!/usr/bin/env bash
# Tests of sweeps that take more than one run of the program.
#   sweep_scripts.sh PROGRAM SOURCE WORK TEST [words]
set -u
program=$1 source=$2 work=$3 test=$4
shift 4
cd "$work" || exit 1
rm -f ./*.journal ./*.ndjson ./*.csv ./*.sqlite ./*.txt

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
skip() {
  echo "skipped: $*"
  exit 77
}
# Twenty-four steps of DeepSeek-V3, some tens of milliseconds each, a third of them infeasible.
cat >sweep.json <<END
{"schema": "orrery.sweep/1", "base": "$source/docs/examples/deepseek-v3-2048-h800.json",
 "axes": {"training.global_batch_size": [1920, 3840], "layout.schedule": ["1f1b", "zb-h1", "gpipe"],
          "layout.ep": [16, 32], "layout.messages": ["blocking", "async"]}}
END
sweep() { "$program" sweep sweep.json "$@"; }
undisturbed() { sweep -j 1 -q --journal whole.journal -o whole.ndjson || fail "the undisturbed run ended with $?"; }

# A kill after a random time, again and again: the result is that of an undisturbed run.
kills() {
  local count=$1 i pid
  undisturbed
  sort whole.ndjson >whole.txt
  RANDOM=17
  for ((i = 0; i < count; i++)); do
    # Not by the function above: the kill has to meet the program, not a shell around it.
    "$program" sweep sweep.json -j 2 -q --resume --journal kill.journal -o kill.ndjson &
    pid=$!
    sleep "0.$(printf '%03d' $((RANDOM % 500)))"
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    if [ -f kill.ndjson ]; then
      # This run was done before its kill: its result is checked like any other, and the next one starts anew.
      sort kill.ndjson | cmp - whole.txt || fail "the result differs after $i kills"
      rm -f kill.ndjson kill.journal
    fi
  done
  sweep -j 2 -q --resume --journal kill.journal -o kill.ndjson || fail "the last run ended with $?"
  sort kill.ndjson | cmp - whole.txt || fail "the result differs after $count kills"
  cmp kill.ndjson whole.ndjson || fail "the order of the rows differs"
}

# The file may not grow beyond a limit: as on a full disk the sweep stops, says so and loses nothing.
disk_limit() {
  undisturbed
  (
    ulimit -f 8 # KiB
    trap '' XFSZ
    sweep -j 1 -q --journal limit.journal >limit.txt 2>&1
  )
  [ $? -eq 3 ] || fail "expected exit code 3: $(cat limit.txt)"
  grep -q "limit.journal: the journal cannot be written: File too large; the [1-9][0-9]* results before are kept" limit.txt ||
    fail "$(cat limit.txt)"
  sweep -j 1 --resume --journal limit.journal -o limit.ndjson 2>limit.txt || fail "$(cat limit.txt)"
  grep -q "damaged" limit.txt && fail "half a line was left: $(cat limit.txt)"
  cmp limit.ndjson whole.ndjson || fail "the result differs"
}

two_processes() {
  exec 9>>busy.journal
  flock -n 9 || skip "no flock here"
  sweep --journal busy.journal >busy.txt 2>&1
  [ $? -eq 3 ] || fail "expected exit code 3: $(cat busy.txt)"
  grep -q "busy.journal: another process is running a sweep with this journal" busy.txt || fail "$(cat busy.txt)"
  [ -s busy.journal ] && fail "the journal of the other process was touched"
  exec 9>&-
  sweep -q --journal busy.journal >/dev/null || fail "refused although nobody holds the journal"
}

# Ctrl-C: the best so far, exit code 130, and a journal to go on with.
interrupted() {
  undisturbed
  : >int.journal
  "$program" sweep sweep.json -j 1 --journal int.journal >int.out.txt 2>int.txt &
  local pid=$! i
  for ((i = 0; i < 3000; i++)); do
    [ "$(wc -l <int.journal)" -ge 3 ] && break
    sleep 0.01
  done
  kill -INT $pid
  wait $pid
  local code=$?
  [ $code -eq 0 ] && skip "the sweep was done before it could be interrupted"
  [ $code -eq 130 ] || fail "expected exit code 130, found $code: $(cat int.txt)"
  grep -q "interrupted: [0-9]* of 24 items are done and in int.journal; --resume goes on" int.txt || fail "$(cat int.txt)"
  grep -q "Best by tokens_per_s" int.out.txt || fail "the best so far is missing: $(cat int.out.txt)"
  sweep -j 1 -q --resume --journal int.journal -o int.ndjson || fail "resuming ended with $?"
  cmp int.ndjson whole.ndjson || fail "the result differs"
}

torn_journal() {
  undisturbed
  head -c $(($(wc -c <whole.journal) - 100)) whole.journal >torn.journal
  sweep -j 1 --resume --journal torn.journal -o torn.ndjson 2>torn.txt || fail "$(cat torn.txt)"
  grep -q "torn.journal: 1 damaged line of [0-9]* bytes passed over; what stood there is run again" torn.txt ||
    fail "$(cat torn.txt)"
  cmp torn.ndjson whole.ndjson || fail "the result differs"
}

# The tests of a build user run as that user, those of root as nobody: root may write everywhere.
as_user() {
  if [ "$(id -u)" -ne 0 ]; then
    "$@"
  else
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
  fi
}
read_only() {
  rm -rf locked open
  mkdir locked open
  chmod 777 open
  chmod 555 locked
  as_user test -x "$program" -a -r sweep.json 2>/dev/null || skip "a user without rights cannot reach the program here"
  as_user touch locked/probe 2>/dev/null && skip "this user may write to a read-only folder"
  as_user "$program" sweep sweep.json --journal locked/a.journal >locked.txt 2>&1
  [ $? -eq 3 ] || fail "expected exit code 3: $(cat locked.txt)"
  grep -q "locked/a.journal: the journal cannot be opened for writing: Permission denied" locked.txt || fail "$(cat locked.txt)"
  as_user "$program" sweep sweep.json --journal open/b.journal -o locked/rows.csv >locked.txt 2>&1
  [ $? -eq 3 ] || fail "expected exit code 3: $(cat locked.txt)"
  grep -q "locked/rows.csv: cannot be written: Permission denied" locked.txt || fail "$(cat locked.txt)"
  [ -e open/b.journal ] && fail "the sweep began although its results cannot be written"
  return 0
}

# The query of docs/formats/sweep.md on a database, against the CSV of the same sweep.
database() {
  command -v sqlite3 >/dev/null || skip "no sqlite3 shell here"
  sweep -q --journal base.journal -o rows.sqlite 2>base.txt || {
    grep -q "without SQLite" base.txt && skip "built without SQLite"
    fail "$(cat base.txt)"
  }
  sweep -q --journal base.journal --resume -o rows.csv || fail "the CSV run ended with $?"
  local best rows
  best=$(sqlite3 rows.sqlite "SELECT layout_schedule || ' ' || layout_messages FROM results
    WHERE status = 'ok' AND training_global_batch_size = 3840 ORDER BY step_time_s LIMIT 1")
  rows=$(sqlite3 rows.sqlite "SELECT count(*) FROM results WHERE status = 'ok' AND typeof(step_time_s) = 'real'")
  [ "$rows" = "$(grep -c ',ok,' rows.csv)" ] || fail "$rows feasible rows, in the CSV $(grep -c ',ok,' rows.csv)"
  [ "$(sqlite3 rows.sqlite "SELECT unit FROM columns WHERE name = 'peak_bytes'")" = B ] || fail "no unit"
  [ -n "$best" ] || fail "no best item"
}

"$test" "$@" || exit 1
echo "passed: $test $*"
