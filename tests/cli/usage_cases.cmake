# Help, versions, words the program does not know (exit code 2).
cli_case(no_arguments_print_five_examples EXIT 0
  OUT "^Examples:\n(  orrery [^\n]*\n)(  orrery [^\n]*\n)(  orrery [^\n]*\n)(  orrery [^\n]*\n)(  orrery [^\n]*\n)'")
cli_case(help_begins_with_examples EXIT 0 ARGS --help OUT "^Examples:.*Exit codes")
cli_case(version_names_the_commit EXIT 0 ARGS --version OUT "^orrery [0-9.]+ \\(commit [0-9a-f]+|unknown")
foreach(command simulate sweep compare compare-schedules export validate list config doctor completions)
  cli_case(help_of_${command}_begins_with_examples EXIT 0 ARGS ${command} --help
    OUT "^Examples:\n.*Usage: orrery ${command}.*--format.*--output.*--set.*--quiet.*--verbose")
endforeach()

foreach(command plan explain report gui)
  cli_case(${command}_is_not_in_this_version EXIT 2 ARGS ${command}
    ERR "the command '${command}' is not in this version, which has simulate")
endforeach()
cli_case(unknown_command_suggests EXIT 2 ARGS simulat ERR "unknown command 'simulat'. did you mean 'simulate'")
cli_case(transposed_letters_suggest EXIT 2 ARGS lits models ERR "did you mean 'list'")
cli_case(unknown_option_suggests EXIT 2 ARGS simulate --shedule dualpipe
  ERR "unknown option '--shedule' of 'orrery simulate'. did you mean '--schedule'")
cli_case(unknown_option_with_equals_suggests EXIT 2 ARGS simulate --gsb=8 ERR "'--gsb'.*did you mean '--gbs'")
cli_case(missing_value EXIT 2 ARGS simulate --pp ERR "--pp")
cli_case(doubled_option EXIT 2 ARGS simulate --pp 2 --pp 4 ERR "--pp is given 2 times")
cli_case(unknown_format EXIT 2 ARGS list models --format yaml ERR "--format: found 'yaml', expected table, json, csv, md")
cli_case(too_many_words EXIT 2 ARGS simulate a.json b.json ERR "unexpected word 'b.json'")
cli_case(list_needs_to_know_what EXIT 2 ARGS list ERR "needs WHAT: models, clusters, gpus, schedules")
cli_case(list_suggests EXIT 2 ARGS list modles ERR "found 'modles'.*did you mean 'models'")
cli_case(set_without_value EXIT 2 ARGS simulate --set layout.pp ERR "expected KEY=VALUE")
cli_case(schedule_of_a_comparison EXIT 2 ARGS compare-schedules ${deepseek} --schedule dualpipe
  ERR "unknown option '--schedule' of 'orrery compare-schedules'. did you mean '--schedules'")
cli_case(comparison_of_no_schedule EXIT 2 ARGS compare-schedules ${deepseek} --schedules , ERR "--schedules: found no name")
cli_case(comparison_with_itself EXIT 2 ARGS compare-schedules ${deepseek} --schedules 1f1b,1f1b
  ERR "--schedules: '1f1b' is given twice")
cli_case(picture_needs_a_file EXIT 2 ARGS compare-schedules ${deepseek} --picture - ERR "--picture needs the name of a file")
cli_case(export_needs_a_kind EXIT 2 ARGS export ${deepseek} ERR "export needs --as: chrome-trace, schedule-csv")
cli_case(export_kind_unknown EXIT 2 ARGS export ${deepseek} --as chrome-trcae ERR "did you mean 'chrome-trace'")
cli_case(bare_schedule_needs_sizes EXIT 2 ARGS export --as schedule-csv --schedule dualpipe ERR "--pp is missing")
cli_case(microbatches_of_a_scenario EXIT 2 ARGS export ${deepseek} --as schedule-csv --microbatches 8
  ERR "follows from the scenario's batch")
