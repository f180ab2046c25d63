# Wrong files and values (exit code 3): the message names the place, what was found and what was expected.
cli_case(missing_file EXIT 3 ARGS simulate no-such-file.json ERR "error: no-such-file.json: cannot be read")
cli_case(folder_instead_of_file EXIT 3 ARGS simulate ${inputs} ERR "is a folder")
cli_case(malformed_json EXIT 3 ARGS simulate ${inputs}/malformed.json ERR "malformed.json:4:[0-9]+: malformed JSON")
cli_case(empty_file EXIT 3 ARGS simulate ${inputs}/empty.json ERR "empty.json: is empty")
cli_case(list_instead_of_object EXIT 3 ARGS simulate ${inputs}/list.json ERR "expected an object")
cli_case(number_too_large EXIT 3 ARGS simulate ${inputs}/too-large.json ERR "too-large.json: malformed JSON")
cli_case(not_a_number EXIT 3 ARGS simulate ${inputs}/not-a-number.json ERR "not-a-number.json:4:[0-9]+: malformed JSON")
cli_case(wrong_schema EXIT 3 ARGS simulate ${inputs}/wrong-schema.json
  ERR "found 'orrery.scenario/9', expected 'orrery.scenario/1'")
cli_case(unknown_key EXIT 3 ARGS simulate ${inputs}/unknown-key.json
  ERR "unknown-key.json#/layout/shedule: unknown key 'shedule'. did you mean 'schedule'")
cli_case(unknown_top_key EXIT 3 ARGS simulate ${deepseek} --set modle=x ERR "unknown key 'modle'. did you mean 'model'")
cli_case(doubled_key EXIT 3 ARGS simulate ${inputs}/doubled-key.json ERR "key 'gpus' is given twice")
cli_case(number_as_text EXIT 3 ARGS simulate ${inputs}/number-as-text.json
  ERR "#/cluster/gpus: found \"2048\", expected a whole number")

foreach(option tp cp pp vpp ep etp dp gpus mbs gbs seq)
  cli_case(zero_${option} EXIT 3 ARGS simulate ${deepseek} --${option} 0 ERR "error: --${option}: found 0, expected")
  cli_case(negative_${option} EXIT 3 ARGS simulate ${deepseek} --${option} -4 ERR "error: --${option}: found -4, expected")
endforeach()
cli_case(fraction_of_a_rank EXIT 3 ARGS simulate ${deepseek} --pp 2.5 ERR "--pp: found 2.5, expected a whole number")
cli_case(nan_rank EXIT 3 ARGS simulate ${deepseek} --pp nan ERR "--pp: found \"nan\", expected a whole number")
cli_case(nan_price EXIT 3 ARGS simulate ${deepseek} --set economics.usd_per_gpu_hour=NaN
  ERR "--set economics.usd_per_gpu_hour: found \"NaN\", expected a number of at least 0")
cli_case(infinite_price EXIT 3 ARGS simulate ${deepseek} --set economics.usd_per_gpu_hour=1e999 ERR "found \"1e999\"")
cli_case(negative_price EXIT 3 ARGS simulate ${deepseek} --set economics.usd_per_kwh=-1 ERR "found -1")
cli_case(huge_degree EXIT 3 ARGS simulate ${deepseek} --tp 9000000000000000000 ERR "--tp: found")
cli_case(zero_stage_four EXIT 3 ARGS simulate ${deepseek} --zero 4 ERR "--zero: found 4, expected a number from 0 to 3")
cli_case(pue_below_one EXIT 3 ARGS simulate ${deepseek} --set economics.pue=0.9 ERR "found 0.9")
cli_case(skew_below_one EXIT 3 ARGS simulate ${deepseek} --set routing.kind=skewed --set routing.max_over_mean=0.5
  ERR "--set routing.max_over_mean: found 0.5, expected a number")
cli_case(skew_missing EXIT 3 ARGS simulate ${deepseek} --set routing.kind=skewed ERR "max_over_mean: is missing")
cli_case(negative_tokens EXIT 3 ARGS simulate ${deepseek} --tokens -5 ERR "--tokens: found -5, expected a positive number")
cli_case(tokens_with_a_wrong_unit EXIT 3 ARGS simulate ${deepseek} --tokens 14.8Q ERR "14.8Q")
cli_case(key_inside_a_plain_value EXIT 3 ARGS simulate ${deepseek} --set layout.pp.x=1 ERR "'pp' is a plain value")
cli_case(set_unknown_key EXIT 3 ARGS simulate ${deepseek} --set layout.microbatches=4
  ERR "--set layout.microbatches: unknown key 'microbatches'")
cli_case(unknown_model EXIT 3 ARGS simulate ${deepseek} --model deepseek-v4 ERR "--model: found 'deepseek-v4'.*did you mean 'deepseek-v")
cli_case(unknown_cluster EXIT 3 ARGS simulate ${deepseek} --cluster h800-sxm-ib40
  ERR "--cluster: found cluster profile 'h800-sxm-ib40'.*did you mean 'h800-sxm-ib400'")
cli_case(unknown_schedule EXIT 3 ARGS simulate ${deepseek} --schedule dualpip
  ERR "--schedule: unknown schedule 'dualpip'.*did you mean 'dualpipe'")
cli_case(unknown_schedule_in_a_comparison EXIT 3 ARGS compare-schedules ${deepseek} --schedules 1f1b,dualpip
  ERR "error: --schedules: unknown schedule 'dualpip'.*did you mean 'dualpipe'")
cli_case(schedule_file_missing EXIT 3 ARGS simulate ${deepseek} --schedule none.csv ERR "none.csv: cannot be read")
cli_case(unknown_precision EXIT 3 ARGS simulate ${deepseek} --precision fp8-blok ERR "did you mean 'fp8-block'")
cli_case(unknown_recompute EXIT 3 ARGS simulate ${deepseek} --recompute norms,mla-upp ERR "--recompute: found 'mla-upp'.*'mla-up'")
cli_case(batch_missing EXIT 3 ARGS simulate --model llama-3-8b --cluster h100-sxm-ib400 --gpus 8
  ERR "training.global_batch_size' is missing.*--gbs")
cli_case(model_missing EXIT 3 ARGS simulate ERR "key 'model' is missing.*--model")
cli_case(profile_folder_missing EXIT 3 ARGS list gpus PROFILES /no/such/folder ERR "ORRERY_PROFILES: found '/no/such/folder'")

# A profile without a curve that the run needs: the H800 profile with one class renamed.
set(damaged ${CMAKE_CURRENT_BINARY_DIR}/damaged-profiles)
file(READ ${PROJECT_SOURCE_DIR}/hwprofiles/gpu/h800-sxm.json text)
string(REPLACE "\"class\": \"gemm.fp8-block\"" "\"class\": \"gemm.gone\"" text "${text}")
file(WRITE ${damaged}/gpu/h800-sxm.json "${text}")
file(COPY ${PROJECT_SOURCE_DIR}/hwprofiles/cluster/h800-sxm-ib400.json DESTINATION ${damaged}/cluster)
cli_case(curve_missing EXIT 3 ARGS simulate ${deepseek} PROFILES ${damaged}
  ERR "has no curve for operator class 'gemm.fp8-block'")

# A failing run leaves no file, and what cannot be written is said.
cli_case(no_half_file_after_bad_input EXIT 3 ARGS simulate ${inputs}/malformed.json -o ${CMAKE_CURRENT_BINARY_DIR}/half.json
  ABSENT ${CMAKE_CURRENT_BINARY_DIR}/half.json ERR "malformed JSON")
cli_case(no_half_file_after_missing_curve EXIT 3
  ARGS simulate ${deepseek} --format json -o ${CMAKE_CURRENT_BINARY_DIR}/half2.json PROFILES ${damaged}
  ABSENT ${CMAKE_CURRENT_BINARY_DIR}/half2.json)
cli_case(output_folder_missing EXIT 3 ARGS list models -o ${CMAKE_CURRENT_BINARY_DIR}/no-such-folder/models.txt
  ERR "models.txt: cannot be written")
cli_case(output_is_a_folder EXIT 3 ARGS list models -o ${CMAKE_CURRENT_BINARY_DIR} ERR "is a folder")

# Tables of published runs.
cli_case(table_missing EXIT 3 ARGS validate --data no-such.csv ERR "error: no-such.csv: cannot be read")
cli_case(table_is_no_table EXIT 3 ARGS validate --data ${inputs}/wrong-schema.json ERR "wrong-schema.json:[0-9]+:[0-9]+: ")
set(cut ${CMAKE_CURRENT_BINARY_DIR}/cut.csv)
file(READ ${PROJECT_SOURCE_DIR}/tests/data/published_runs_sample.csv text)
string(REPLACE "n_gpus" "n_gpu" text "${text}")
file(WRITE ${cut} "${text}")
cli_case(table_column_missing EXIT 3 ARGS validate --data ${cut} ERR "cut.csv:1:1: column 'n_gpus' is missing. there is 'n_gpu'")
