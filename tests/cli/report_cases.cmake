# orrery report and explain: every format, and bad input with its message.
set(out ${CMAKE_CURRENT_BINARY_DIR})
set(llama ${PROJECT_SOURCE_DIR}/docs/examples/llama-2-70b-a100.json)
cli_case(explain EXIT 0 ARGS explain ${deepseek}
  OUT "largest loss.*compute at the dense peak.*failures, checkpoints, slow nodes.*a step of the real run.*100.0")
cli_case(explain_json EXIT 0 ARGS explain ${deepseek} --format json OUT "\"schema\": \"orrery.explain/1\".*\"waterfall\".*\"sentences\""
  NOT_OUT "nan|inf[^e]")
cli_case(explain_csv EXIT 0 ARGS explain ${deepseek} --format csv OUT "^section,item,quantity,value,unit\nwaterfall,")
cli_case(explain_infeasible EXIT 4 ARGS explain ${deepseek} --recompute none --mbs 2
  OUT "This layout cannot run.*Memory of a GPU" ERR "nothing feasible: pipeline rank")
cli_case(report_markdown EXIT 0 ARGS report ${deepseek} --no-runs
  OUT "# Training cost estimate: deepseek-v3.*## 1. Summary.*## 14. Provenance" NOT_OUT "[^a-z]nan[^a-z]|[^a-z]inf[^a-z]")
foreach(format html pdf md csv json)
  cli_case(report_${format} EXIT "0|3" ARGS report ${deepseek} --no-runs -o ${out}/v3-report.${format} ERR "wrote|libharu")
endforeach()
cli_case(report_as_csv EXIT 0 ARGS report ${deepseek} --no-runs --format csv OUT "^section,table,row,column,text,value,unit\n")
cli_case(report_with_another_price EXIT 0 ARGS report ${deepseek} --no-runs --set economics.usd_per_gpu_hour=4
  OUT "at 4.00 USD per GPU-hour")

# Other layouts: a small search, or a saved plan; a plan of something else is refused and nothing is written.
cli_case(report_alternatives EXIT 0 ARGS report ${deepseek} OUT "Searched for this report: [0-9]+ layouts.*this layout: pp 16, ep 64")
cli_case(report_plan_missing EXIT 3 ARGS report ${deepseek} --plan ${out}/no-such-plan.json -o ${out}/none4.html ABSENT ${out}/none4.html
  ERR "no-such-plan.json")
cli_case(report_plan_not_a_plan EXIT 3 ARGS report ${deepseek} --plan ${deepseek} -o ${out}/none5.html ABSENT ${out}/none5.html
  ERR "found 'orrery.scenario/1', expected 'orrery.plan/1'")

# What is missing is named with the place to give it; nothing is written.
cli_case(report_price_missing EXIT 3 ARGS report ${llama} -o ${out}/none.html ABSENT ${out}/none.html
  ERR "economics.usd_per_gpu_hour .rent. the market of a100-sxm.*economics.grid")
cli_case(report_grid_unknown EXIT 3 ARGS report ${deepseek} --set economics.grid=CHN -o ${out}/none2.html ABSENT ${out}/none2.html
  ERR "economics.grid: found 'CHN', expected one of.*did you mean 'CN'.*co2_g_per_kwh")
cli_case(report_tokens_missing EXIT 3 ARGS report ${deepseek} --set training.tokens=null ERR "training.tokens .tokens of the whole run")
cli_case(report_nan_price EXIT 3 ARGS report ${deepseek} --set economics.usd_per_gpu_hour=NaN ERR "found \"NaN\", expected a number")
cli_case(report_no_progress EXIT 3 ARGS report ${deepseek} --set reliability.failures_per_node_day=90 ERR "makes no progress.*reliability.restart_s")
cli_case(report_to_a_folder EXIT 3 ARGS report ${deepseek} -o ${out} ERR "is a folder")
cli_case(report_ending EXIT 2 ARGS report ${deepseek} -o ${out}/report.htm ERR "expected a name that ends in html, pdf, md, csv.*did you mean 'html'")
cli_case(report_without_input EXIT 2 ARGS report ERR "needs RESULT.json")
cli_case(report_infeasible EXIT 4 ARGS report ${deepseek} --gpus 2040 -o ${out}/none3.html ABSENT ${out}/none3.html ERR "nothing feasible")

# A result and a report as input: made once, then changed into what must be refused.
set(result ${out}/v3-result.json)
add_test(NAME cli_report_make_result COMMAND orrery simulate ${deepseek} --format json -o ${result})
set_tests_properties(cli_report_make_result PROPERTIES LABELS cli FIXTURES_SETUP v3_result)
add_test(NAME cli_report_of_files
  COMMAND ${CMAKE_COMMAND} "-DPROGRAM=$<TARGET_FILE:orrery>" "-DRESULT=${result}" "-DSCENARIO=${deepseek}" "-DWORK=${out}"
          -P ${CMAKE_CURRENT_SOURCE_DIR}/report_files.cmake)
set_tests_properties(cli_report_of_files PROPERTIES LABELS cli FIXTURES_REQUIRED v3_result)

# The HTML by a validator and in a browser, the PDF page by page; each where its program is there.
foreach(check tidy chromium pdf)
  add_test(NAME cli_report_page_${check}
    COMMAND ${CMAKE_COMMAND} "-DPROGRAM=$<TARGET_FILE:orrery>" "-DRESULT=${result}" "-DWORK=${out}" "-DCHECK=${check}"
            -P ${CMAKE_CURRENT_SOURCE_DIR}/report_pages.cmake)
  set_tests_properties(cli_report_page_${check} PROPERTIES LABELS cli FIXTURES_REQUIRED v3_result SKIP_REGULAR_EXPRESSION "SKIP: ")
endforeach()
