# What cannot run (exit code 4), and results.
cli_case(world_size EXIT 4 ARGS simulate ${deepseek} --gpus 2040 --format json
  OUT "\"feasible\": false.*\"code\": \"world-size\".*\"time_s\": null" ERR "nothing feasible: 2040 GPUs are not a multiple")
cli_case(more_ep_than_experts EXIT 4 ARGS simulate ${deepseek} --ep 512 --format json
  OUT "\"code\": \"expert-parallel\"" ERR "ep = 512 exceeds the 256 routed experts")
cli_case(more_pp_than_layers EXIT 4 ARGS simulate ${deepseek} --pp 64 --ep 32 --format json
  OUT "\"code\": \"pipeline\"" ERR "stages exceed the 61 layers")
cli_case(odd_pp_for_dualpipe EXIT 4 ARGS simulate ${deepseek} --gpus 1920 --pp 15 --format json
  OUT "\"code\": \"schedule\"" ERR "nothing feasible: .*15")
cli_case(too_few_microbatches EXIT 4 ARGS simulate ${deepseek} --gbs 3840 --format json
  OUT "\"code\": \"schedule\"" ERR "nothing feasible: .*30")
cli_case(batch_does_not_divide EXIT 4 ARGS simulate ${deepseek} --gbs 15361 --format json OUT "\"code\": \"batch\"")
cli_case(too_little_memory EXIT 4 ARGS simulate ${deepseek} --recompute none --mbs 2
  OUT "This layout cannot run.*memory.*Memory of a GPU" ERR "nothing feasible: pipeline rank")
cli_case(fp8_on_a100 EXIT 4 ARGS simulate ${deepseek} --cluster a100-sxm-ib200 --format json OUT "\"code\": \"capability\"")
cli_case(infeasible_bare_schedule EXIT 4 ARGS export --as schedule-csv --schedule dualpipe --pp 3 --microbatches 20
  ERR "nothing feasible")
cli_case(infeasible_trace_leaves_no_file EXIT 4
  ARGS export ${deepseek} --as chrome-trace --gpus 2040 -o ${CMAKE_CURRENT_BINARY_DIR}/trace.json
  ABSENT ${CMAKE_CURRENT_BINARY_DIR}/trace.json)
cli_case(quiet_says_nothing EXIT 4 ARGS simulate ${deepseek} --gpus 2040 -q ERR "^$")

file(GLOB examples CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/examples/*.json)
foreach(example IN LISTS examples)
  get_filename_component(name ${example} NAME_WLE)
  cli_case(example_${name} EXIT "0|4" ARGS simulate ${example} --format json
    OUT "\"schema\": \"orrery.result/1\"" NOT_OUT "nan|inf[^e]")
endforeach()

cli_case(table_of_the_main_case EXIT 0 ARGS simulate ${deepseek}
  OUT "deepseek-v3 on 2,048.*time of a step.*Beside published figures.*19.926.*bubble.*Memory of a GPU.*GPU-hours")
cli_case(markdown EXIT 0 ARGS simulate ${deepseek} --format md OUT "\\| time of a step \\| [0-9.]+ \\| s \\|")
cli_case(csv_is_tidy EXIT 0 ARGS simulate ${deepseek} --format csv
  OUT "^section,item,quantity,value,unit\nsummary,time of a step,value,[0-9.]+,s\n")
cli_case(option_beats_file EXIT 0 ARGS config show ${deepseek} --pp 8 --format csv OUT "layout.pp,8,,1 to 1000000,--pp")
cli_case(set_beats_option EXIT 0 ARGS config show ${deepseek} --pp 8 --set layout.pp=4 --format csv OUT "layout.pp,4,")
cli_case(counts_with_suffix EXIT 0 ARGS config show ${deepseek} --tokens 2T --format csv OUT "training.tokens,2000000000000,tokens")
cli_case(list_of_operators EXIT 0 ARGS config show ${deepseek} --recompute norms,activation --format csv
  OUT "layout.recompute,.*norms.*activation")
cli_case(defaults_are_named EXIT 0
  ARGS config show --model llama-3-8b --cluster h100-sxm-ib400 --gpus 8 --gbs 64 --format csv
  OUT "layout.pp,1,,1 to 1000000,assumed: .*layout.schedule,1f1b.*training.sequence_length,4096")
cli_case(list_models EXIT 0 ARGS list models --format csv
  OUT "^name,architecture,total_parameters,active_parameters,layers\n.*deepseek-v3,DeepseekV3ForCausalLM,671026[0-9.e+]+,")
foreach(what models clusters gpus schedules)
  cli_case(list_${what}_as_json EXIT 0 ARGS list ${what} --format json OUT "\"table\": \"${what}\".*\"name\": \"")
endforeach()
cli_case(schedule_without_scenario EXIT 0 ARGS export --as schedule-csv --schedule 1f1b --pp 2 --microbatches 2
  OUT "^0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1\n$")
cli_case(schedule_of_a_scenario EXIT 0 ARGS export ${deepseek} --as schedule-csv OUT "OVERLAP_F_B")

# Every schedule on one scenario.
cli_case(comparison_of_the_main_case EXIT 0 ARGS compare-schedules ${deepseek}
  OUT "schedule +vpp +step s.*1f1b +1 +[0-9.]+.*dualpipe +1 +1[89][0-9.]+ +[01][.][0-9] .*gpipe +1 +[0-9.]+ +120 .*no +pipeline rank")
cli_case(comparison_as_csv EXIT 0 ARGS compare-schedules ${deepseek} --schedules dualpipe,gpipe --format csv
  OUT "^schedule,vpp,step_time_s,slower,bubble,warm_up,dependency,drain,message,imbalance,activations_bytes,[^\n]*,fits,reason\ndualpipe,1.0,[0-9.]+,0.0,[^\n]*,yes,\ngpipe,1.0,,,,,,,,,[^\n]*,no,pipeline rank[^\n]*\n$")
cli_case(comparison_as_json EXIT 0 ARGS compare-schedules ${deepseek} --schedules gpipe,1f1b --format json
  OUT "\"table\": \"schedule-comparison\".*\"step_time_s\": null.*\"step_time_s\": 2[0-9.]+" NOT_OUT "nan|inf[^e]")
cli_case(comparison_as_markdown EXIT 0 ARGS compare-schedules ${deepseek} --schedules dualpipe --format md
  OUT "\\| dualpipe \\| 1 \\|")
cli_case(stages_a_schedule_lacks_become_its_own EXIT 0
  ARGS compare-schedules ${PROJECT_SOURCE_DIR}/docs/examples/llama-3.1-405b-16384-h100.json
       --schedules 1f1b,interleaved-1f1b,zb-v --format csv
  OUT "\n1f1b,1.0,[^\n]*\ninterleaved-1f1b,4.0,[^\n]*\nzb-v,2.0,")
cli_case(comparison_where_nothing_fits EXIT 4 ARGS compare-schedules ${deepseek} --gpus 2040 --format csv
           --picture ${CMAKE_CURRENT_BINARY_DIR}/none.svg
  ABSENT ${CMAKE_CURRENT_BINARY_DIR}/none.svg OUT "\ndualpipe,1.0,,[^\n]*,no,.2040 GPUs are not a multiple"
  ERR "nothing feasible: gpipe: 2040 GPUs")
cli_case(comparison_with_a_picture EXIT 0 ARGS compare-schedules ${deepseek} --schedules dualpipe,gpipe
           --picture ${CMAKE_CURRENT_BINARY_DIR}/two.svg ERR "wrote .*two.svg")
cli_case(comparison_picture_without_folder EXIT 3 ARGS compare-schedules ${deepseek} --schedules dualpipe
           --picture ${CMAKE_CURRENT_BINARY_DIR}/no-such-folder/two.svg ERR "two.svg: cannot be written")
cli_case(doctor EXIT 0 ARGS doctor OUT "DeepSeek-V3 step +ok")
foreach(shell bash zsh fish)
  cli_case(completions_${shell} EXIT 0 ARGS completions ${shell} OUT "simulate.*schedule.*dualpipe")
endforeach()
find_program(BASH bash)
if(BASH)
  add_test(NAME cli_bash_accepts_its_completions COMMAND ${BASH} -c "\"$<TARGET_FILE:orrery>\" completions bash | bash -n")
  set_tests_properties(cli_bash_accepts_its_completions PROPERTIES LABELS cli)
endif()

# A result is an input: its scenario gives the same bytes again; and twice the same command, too.
add_test(NAME cli_result_reproduces_itself
  COMMAND ${CMAKE_COMMAND} "-DPROGRAM=$<TARGET_FILE:orrery>" "-DSCENARIO=${deepseek}" "-DWORK=${CMAKE_CURRENT_BINARY_DIR}"
          -P ${CMAKE_CURRENT_SOURCE_DIR}/reproduces.cmake)
set_tests_properties(cli_result_reproduces_itself PROPERTIES LABELS cli)
cli_case(trace_of_a_step EXIT 0 ARGS export ${deepseek} --as chrome-trace OUT "\"traceEvents\":\\[.*\"pipeline rank 15\"")
cli_case(validate EXIT 0 ARGS validate OUT "time of a step +19.93.*mean absolute error")
set(runs ${PROJECT_SOURCE_DIR}/tests/data/published_runs_sample.csv)
cli_case(validate_data EXIT 0 ARGS validate --data ${runs}
  OUT "GPU +precision +rows +bias.*8 rows: 7 scored, 1 skipped.*mbs is empty \\(1\\)")
cli_case(validate_data_rows EXIT 0 ARGS validate --data ${runs} -v OUT "gpt3-175b-128-bf16 +8.309 +8.*tp4.*DeepSeek-V3: a needed cell is")
cli_case(validate_data_json EXIT 0 ARGS validate --data ${runs} --format json
  OUT "\"schema\": \"orrery.validation/1\".*\"bias_percent\": [-0-9.]+.*\"skipped\": .*\"measured_s\": 8.309")
cli_case(validate_data_csv EXIT 0 ARGS validate --data ${runs} --format csv OUT "^line,id,measured_s,computed_s,error_percent,source,")
cli_case(validate_data_md EXIT 0 ARGS validate --data ${runs} --format md OUT "\\| GPU \\| precision \\|")
