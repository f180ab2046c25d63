# Two results side by side, and plans as flags of training frameworks.
set(small ${CMAKE_CURRENT_BINARY_DIR}/small.json)
file(WRITE ${small} "{\"schema\": \"orrery.scenario/1\", \"model\": \"llama-3-8b\", \"cluster\": {\"profile\": \"h100-sxm-ib400\", \"gpus\": 16}, \"training\": {\"global_batch_size\": 32}, \"layout\": {\"recompute\": \"full\", \"pp\": 2}}")
file(READ ${small} text)
string(REPLACE "\"pp\": 2" "\"pp\": 4" text "${text}")
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/small4.json "${text}")
string(REPLACE "\"gpus\": 16" "\"gpus\": 15" text "${text}")
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/small15.json "${text}")

cli_case(compare_table EXIT 0 ARGS compare ${small} ${CMAKE_CURRENT_BINARY_DIR}/small4.json
  OUT "Inputs that differ.*layout.pp +2 +4\n.*Figures that differ.*step.time_s +[0-9.]+ +[0-9.]+ +[-+][0-9.]+ +[-+][0-9.]+ +s\n")
cli_case(compare_with_itself EXIT 0 ARGS compare ${small} ${small} OUT "Inputs that differ.*None.*Figures that differ.*None")
cli_case(compare_json EXIT 0 ARGS compare ${small} ${CMAKE_CURRENT_BINARY_DIR}/small4.json --format json
  OUT "\"schema\": \"orrery.compare/1\".*\"key\": \"layout.pp\",\n +\"a\": 2,\n +\"b\": 4.*\"metric\": \"step.time_s\",\n +\"unit\": \"s\"" NOT_OUT "nan|inf[^e]")
cli_case(compare_csv EXIT 0 ARGS compare ${small} ${CMAKE_CURRENT_BINARY_DIR}/small4.json --format csv
  OUT "^section,item,quantity,value,unit\ninputs,layout.pp,a,2,.*\nmetrics,step.time_s,difference,")
cli_case(compare_md EXIT 0 ARGS compare ${small} ${CMAKE_CURRENT_BINARY_DIR}/small4.json --format md OUT "\\| layout.pp \\| 2 \\| 4 \\|")
cli_case(compare_with_infeasible EXIT 0 ARGS compare ${small} ${CMAKE_CURRENT_BINARY_DIR}/small15.json
  OUT "small15.json cannot run: 15 GPUs")
cli_case(compare_of_nothing_feasible EXIT 4
  ARGS compare ${CMAKE_CURRENT_BINARY_DIR}/small15.json ${CMAKE_CURRENT_BINARY_DIR}/small15.json ERR "neither of the two can run")
cli_case(compare_needs_two EXIT 2 ARGS compare ${small} ERR "'orrery compare' needs B")
cli_case(compare_missing_file EXIT 3 ARGS compare ${small} no-such.json ERR "no-such.json: cannot be read")
cli_case(compare_malformed EXIT 3 ARGS compare ${small} ${inputs}/malformed.json ERR "malformed.json:4:[0-9]+: malformed JSON")
cli_case(compare_two_pipes EXIT 2 ARGS compare - - ERR "standard input can be one of the two only")

cli_case(export_megatron EXIT 0 ARGS export ${deepseek} --as megatron
  OUT "commit 000c4ac24f61.*- the schedule 'dualpipe': Megatron-LM runs 1F1B.*--num-layers 61\n.*--expert-model-parallel-size 64\n.*--pipeline-model-parallel-layout 'Et.*mL'\n.*--fp8-recipe blockwise")
set(mixtral ${PROJECT_SOURCE_DIR}/docs/examples/mixtral-8x7b-h100.json)
cli_case(export_torchtitan EXIT 0 ARGS export ${deepseek} --as torchtitan --schedule 1f1b
  OUT "commit 000204a4a8bf.*flavor = \"671B\".*expert_parallel_degree = 64.*pipeline_parallel_schedule = \"1F1B\"")
cli_case(export_torchtitan_schedule EXIT 0 ARGS export ${mixtral} --as torchtitan --schedule zb-h1
  OUT "the model 'mixtral-8x7b': set model.name.*pipeline_parallel_schedule_csv = \"schedule.csv\""
  ERR "schedule.csv: .orrery export ... --as schedule-csv")
cli_case(export_torchtitan_with_csv EXIT 0 ARGS export ${mixtral} --as torchtitan --schedule zb-h1 -o ${CMAKE_CURRENT_BINARY_DIR}/job.toml
  ERR "wrote .*job.csv.*wrote .*job.toml")
cli_case(export_deepspeed EXIT 0 ARGS export ${deepseek} --as deepspeed
  OUT "\"train_batch_size\": 15360,\n +\"train_micro_batch_size_per_gpu\": 1,\n +\"gradient_accumulation_steps\": 120,\n +\"zero_optimization\": {\n +\"stage\": 1")
cli_case(export_sbatch EXIT 0 ARGS export ${deepseek} --as sbatch OUT "^#!/bin/bash\n.*#SBATCH --nodes=256\n.*srun torchrun --nnodes")
cli_case(export_megatron_infeasible EXIT 4 ARGS export ${deepseek} --as megatron --gpus 2040 -o ${CMAKE_CURRENT_BINARY_DIR}/flags.sh
  ABSENT ${CMAKE_CURRENT_BINARY_DIR}/flags.sh ERR "nothing feasible")
cli_case(export_megatron_without_scenario EXIT 3 ARGS export --as megatron ERR "key 'model' is missing")
if(BASH)
  foreach(kind megatron sbatch)
    add_test(NAME cli_bash_accepts_${kind} COMMAND ${BASH} -c "\"$<TARGET_FILE:orrery>\" export ${deepseek} --as ${kind} | bash -n")
    set_tests_properties(cli_bash_accepts_${kind} PROPERTIES LABELS cli)
  endforeach()
endif()
