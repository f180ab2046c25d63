# orrery plan: answers of small spaces, and what it says to wrong questions.
set(llama ${PROJECT_SOURCE_DIR}/docs/examples/llama-2-70b-a100.json)
set(small --tp|4,8|--cp|1|--pp|4,8|--schedule|1f1b,zb-h1|--mbs|1|--zero|1|--recompute|selective,full|--placement|balanced)
cli_case(plan_small EXIT 0 ARGS plan|${llama}|${small}|-j|2
  OUT "Best layouts of llama-2-70b on 512 GPUs.*Proven: .*What became of the candidates" ERR "layouts decided in")
cli_case(plan_json EXIT 0 ARGS plan|${llama}|${small}|--format|json
  OUT "\"schema\": \"orrery.plan/1\".*\"best\".*\"counts\".*\"candidates\": [0-9]+.*\"proven\": true")
cli_case(plan_csv EXIT 0 ARGS plan|${llama}|${small}|--format|csv|--no-sensitivity OUT "step_time_s")
cli_case(plan_front EXIT 0 ARGS plan|${llama}|${small}|--front|step,memory|--no-sensitivity OUT "Pareto front")
cli_case(plan_impossible_limit EXIT 4 ARGS plan|${llama}|${small}|--constraint|step<=1s
  OUT "No layout of the space is feasible.*Feasible: .* instead of 'step<=1s'" ERR "nothing feasible")
cli_case(plan_impossible_pin EXIT 4
  ARGS plan|${llama}|--tp|7|--cp|1|--pp|4,8|--schedule|1f1b,zb-h1|--mbs|1|--zero|1|--recompute|selective,full
  OUT "tensor-parallel.*Feasible: tp left open")
cli_case(plan_objective_misspelt EXIT 3 ARGS plan|${llama}|--objective|dayz ERR "--objective: found 'dayz'.*did you mean 'days'")
cli_case(plan_contradiction EXIT 3 ARGS plan|${llama}|--constraint|days<=30|--constraint|mfu<=0.01
  ERR "'days<=30' and 'mfu<=0.01' cannot both hold")
cli_case(plan_condition_misspelt EXIT 3 ARGS plan|${llama}|--constraint|tpp<=3 ERR "did you mean 'tp'")
cli_case(plan_empty_range EXIT 3 ARGS plan|${llama}|--tp|4..2 ERR "--tp: found the range '4..2'")
cli_case(plan_unknown_schedule EXIT 3 ARGS plan|${llama}|--schedule|zb-x ERR "did you mean 'zb-v'")
cli_case(plan_empty_space EXIT 3 ARGS plan|${llama}|--schedule|1f1b|--vpp|5 ERR "the space is empty")
cli_case(plan_needs_price EXIT 3 ARGS plan|${llama}|--objective|usd ERR "'usd' needs economics.usd_per_gpu_hour")
cli_case(plan_unwritable EXIT 3 ARGS plan|${llama}|${small}|--no-sensitivity|-o|/nonexistent/plan.json ERR "/nonexistent/plan.json")

# orrery plan as a buyer.
set(buy --model|llama-2-70b|--gbs|1024|--seq|4096|--tokens|2T|--set|economics.pue=1.2|--set|economics.usd_per_kwh=0.1)
set(few --tp|8|--cp|1|--pp|2,4|--schedule|1f1b|--mbs|1|--zero|1|--recompute|selective|--placement|balanced)
cli_case(buying EXIT 0 ARGS plan|${buy}|${few}|--finish-within|60d|--budget|6M|--clusters|a100-sxm-ib200,h100-sxm-ib400|--counts|512,1024
  OUT "Clusters for llama-2-70b on 2 T tokens, within 60 days, for at most 6 M USD.*What became of the clusters.*Proven for the 4 clusters asked")
cli_case(buying_json EXIT 0 ARGS plan|${buy}|${few}|--clusters|h100-sxm-ib400|--counts|512|--nics|0.5,1|--oversubscription|1,2|--power-cap|80%,700W|--format|json
  OUT "\"schema\": \"orrery.buying/1\".*\"proven\": true.*\"power_cap_w\": 560")
cli_case(buying_nothing EXIT 4 ARGS plan|${buy}|${few}|--budget|1000|--clusters|h100-sxm-ib400|--counts|512
  OUT "No cluster asked fits.*Nearest, without the limit of money" ERR "no cluster asked fits")
cli_case(buying_misspelt_cluster EXIT 3 ARGS plan|${buy}|--clusters|h100-sxm-ib40 ERR "h100-sxm-ib40.*did you mean 'h100-sxm-ib400'")
cli_case(buying_misspelt_gpu EXIT 3 ARGS plan|${buy}|--price|h100=2 ERR "--price: found GPU 'h100'.*h100-sxm")
cli_case(buying_wrong_objective EXIT 3 ARGS plan|${buy}|--budget|6M|--objective|memory ERR "--objective: found 'memory', expected usd, days, energy, carbon or gpus")
cli_case(buying_wrong_pay EXIT 3 ARGS plan|${buy}|--pay|rend ERR "--pay: found 'rend'.*did you mean 'rent'")
cli_case(buying_no_end EXIT 3 ARGS plan|--model|llama-2-70b|--gbs|1024|--budget|6M ERR "training.tokens.*--tokens")
cli_case(buying_negative EXIT 3 ARGS plan|${buy}|--budget|-5 ERR "--budget")
