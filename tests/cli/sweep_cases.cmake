# Sweeps: what a user can do wrong, what a disk can do, and that neither kill nor number of processes changes a result.
set(sweeps ${CMAKE_CURRENT_BINARY_DIR}/sweeps)
file(MAKE_DIRECTORY ${sweeps})
set(base "\"base\": {\"schema\": \"orrery.scenario/1\", \"model\": \"llama-3-8b\", \"cluster\": {\"profile\": \"h100-sxm-ib400\", \"gpus\": 16}, \"training\": {\"global_batch_size\": 32}, \"layout\": {\"recompute\": \"full\"}}")

# sweep_file(NAME TEXT): writes NAME.json with the schema and the base of these tests.
function(sweep_file name text)
  file(WRITE ${sweeps}/${name}.json "{\"schema\": \"orrery.sweep/1\", ${base}, ${text}}")
endfunction()
# sweep_case(NAME [FILE name] EXIT codes [WORDS words ...] [OUT regex] [ERR regex] [ABSENT file]): a sweep of NAME.json, or
# of another file, with a new journal.
function(sweep_case name)
  cmake_parse_arguments(ARG "" "FILE;EXIT;OUT;ERR;ABSENT" "WORDS" ${ARGN})
  set(file ${name})
  if(DEFINED ARG_FILE)
    set(file ${ARG_FILE})
  endif()
  file(REMOVE ${sweeps}/${name}.journal)
  cli_case(sweep_${name} EXIT "${ARG_EXIT}" OUT "${ARG_OUT}" ERR "${ARG_ERR}" ABSENT "${ARG_ABSENT}"
    ARGS sweep ${sweeps}/${file}.json --journal ${sweeps}/${name}.journal --resume ${ARG_WORDS})
endfunction()

sweep_file(plain "\"axes\": {\"layout.tp\": [1, 2], \"layout.pp\": [1, 2]}")
sweep_file(mixed "\"axes\": {\"layout.tp\": [1, 3], \"training.precision\": [\"bf16\", \"fp9\"]}")
sweep_file(never "\"axes\": {\"layout.tp\": [3, 5]}")
sweep_file(wrong_axis "\"axes\": {\"layout.shedule\": [\"1f1b\"]}")
sweep_file(wrong_key "\"axs\": {\"layout.pp\": [1]}")
sweep_file(wrong_objective "\"axes\": {\"layout.pp\": [1]}, \"objective\": \"stpe_time_s\"")
sweep_file(empty_space "\"axes\": {\"layout.pp\": []}")

set(space "\"mode\": \"plan\", \"space\": {\"schema\": \"orrery.space/1\", \"cp\": [1], \"schedule\": \"1f1b\", \"mbs\": [1]}")
sweep_file(planned "${space}, \"axes\": {\"cluster.gpus\": [16, 32]}")
sweep_file(planned_layout "${space}, \"axes\": {\"layout.pp\": [1, 2]}")
sweep_file(space_without_plan "\"space\": {\"schema\": \"orrery.space/1\", \"cp\": [1]}, \"axes\": {\"layout.pp\": [1, 2]}")
sweep_file(wrong_space "\"mode\": \"plan\", \"space\": {\"schema\": \"orrery.space/1\", \"cpp\": [1]}, \"axes\": {\"cluster.gpus\": [16]}")

sweep_case(planned EXIT 0 WORDS --format csv OUT "\n0,[0-9a-f]+,ok,llama-3-8b,h100-sxm-ib400,16,.*\n1,[0-9a-f]+,ok,llama-3-8b,h100-sxm-ib400,32,")
sweep_case(planned_layout EXIT 3 ERR "layouts are searched in the mode plan. restrict them with \"space\"")
sweep_case(space_without_plan EXIT 3 ERR "#/space: is what \"mode\": \"plan\" searches")
sweep_case(wrong_space EXIT 3 ERR "cpp.*cp")
sweep_case(plain EXIT 0 WORDS --format csv
  OUT "^item,key,status,model,cluster_profile,cluster_gpus,cluster_gpus_per_node,.*,layout_tp,.*\n0,[0-9a-f]+,ok,llama-3-8b,h100-sxm-ib400,16,,,,,1,1,1,.*\n3,")
sweep_case(as_json FILE plain EXIT 0 WORDS --format json OUT "\"schema\":\"orrery.sweep-result/1\".*\"item\":3" )
sweep_case(as_table FILE plain EXIT 0 WORDS --top 2 OUT "Best by tokens_per_s .largest first.\n-+\nitem  tp  pp .*Items.*feasible +4\n$")
sweep_case(as_markdown FILE plain EXIT 0 WORDS --format md OUT "\\| item \\| tp \\| pp \\|")
sweep_case(other_objective FILE plain EXIT 0 WORDS --objective peak_bytes OUT "Best by peak_bytes .smallest first")
sweep_case(missing_objective FILE plain EXIT 0 WORDS --objective usd OUT "No item has a value of usd: an input of it is not given")
sweep_case(mixed EXIT 5 WORDS --format ndjson ERR "2 items have wrong input"
  OUT "\"item\":0,.*\"status\":\"ok\".*\"item\":1,.*\"status\":\"error\".*found 'fp9', expected one of bf16.*\"item\":2,.*\"code\":\"tensor-parallel\"")
sweep_case(never EXIT 4 ERR "nothing feasible" OUT "infeasible: tensor-parallel +2")
sweep_case(dry_run FILE mixed EXIT 5 WORDS --dry-run OUT "layout.tp +2 +1, 3.*4 items of 4 in the grid, 2 with wrong input. Nothing was simulated"
  ABSENT ${sweeps}/dry_run.journal)
sweep_case(wrong_axis EXIT 3 ERR "wrong_axis.json#/axes/layout.shedule: 'layout.shedule' is no key of a scenario. did you mean 'layout.schedule'")
sweep_case(wrong_key EXIT 3 ERR "unknown key 'axs'. did you mean 'axes'")
sweep_case(wrong_objective EXIT 3 ERR "#/objective: found 'stpe_time_s'.*did you mean 'step_time_s'")
sweep_case(empty_space EXIT 3 ERR "#/axes/layout.pp: has no values")
sweep_case(axis_as_option FILE plain EXIT 3 WORDS --pp 4 ERR "--pp: 'layout.pp' is an axis of .*plain.json")
sweep_case(no_threads FILE plain EXIT 3 WORDS -j 0 ERR "--jobs: found '0', expected a whole number from 1")
sweep_case(misspelt_objective_option FILE plain EXIT 3 WORDS --objective mfu_casual ERR "--objective: found 'mfu_casual'.*did you mean 'mfu_causal'")
sweep_case(misspelt_format FILE plain EXIT 2 WORDS --format sqlit ERR "did you mean 'sqlite'")
sweep_case(sqlite_without_a_file FILE plain EXIT 2 WORDS --format sqlite ERR "--format sqlite needs a file|without SQLite")
cli_case(sweep_missing_file EXIT 3 ARGS sweep no-such.json ERR "no-such.json: cannot be read")
cli_case(sweep_needs_a_file EXIT 2 ARGS sweep ERR "needs SWEEP.json")

# What the disk can do. Nothing is simulated before it is known that the results can be written.
sweep_case(output_folder_missing FILE plain EXIT 3 WORDS -o ${sweeps}/none/rows.csv ERR "rows.csv: cannot be written: No such file"
  ABSENT ${sweeps}/output_folder_missing.journal)
sweep_case(output_is_full FILE plain EXIT 3 WORDS -o /dev/full --format csv ERR "/dev/full: cannot be written: No space left on device")
cli_case(sweep_journal_is_full EXIT 3 ARGS sweep ${sweeps}/plain.json --journal /dev/full
  ERR "/dev/full: the journal cannot be written: No space left on device")
cli_case(sweep_journal_folder_missing EXIT 3 ARGS sweep ${sweeps}/plain.json --journal ${sweeps}/none/a.journal
  ERR "a.journal: the journal cannot be opened for writing: No such file")
cli_case(sweep_journal_is_something_else EXIT 3 ARGS sweep ${sweeps}/plain.json --journal ${sweeps}/plain.json --resume
  ERR "plain.json: is not a journal of orrery")

file(GLOB sweep_examples CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/examples/sweeps/*.json)
foreach(example IN LISTS sweep_examples)
  get_filename_component(name ${example} NAME_WLE)
  cli_case(sweep_example_${name} EXIT 0 ARGS sweep ${example} --dry-run OUT "0 with wrong input")
endforeach()

find_program(SQLITE_SHELL sqlite3)
# Scripts of more than one run: sweep_script(NAME SCRIPT words ...)
if(BASH)
  function(sweep_script name)
    set(work ${sweeps}/${name})
    file(MAKE_DIRECTORY ${work})
    add_test(NAME cli_sweep_${name} COMMAND ${BASH} ${CMAKE_CURRENT_LIST_DIR}/sweep_scripts.sh $<TARGET_FILE:orrery>
             ${PROJECT_SOURCE_DIR} ${work} ${ARGN})
    set_tests_properties(cli_sweep_${name} PROPERTIES LABELS cli SKIP_RETURN_CODE 77)
  endfunction()
  sweep_script(killed_and_resumed kills 6)
  sweep_script(limit_of_the_disk disk_limit)
  sweep_script(second_process_is_refused two_processes)
  sweep_script(interrupted interrupted)
  sweep_script(torn_journal torn_journal)
  sweep_script(read_only_folder read_only)
  sweep_script(database database)
endif()
