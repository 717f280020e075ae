# SPDX-License-Identifier: Apache-2.0
#
# Runs examples with a simulated fleet, as a user does. The fleet's history is the same in every run.

# wva_metrics_add_fleet_test(<name> <options of vllm_fleet> <command for sh> <regular expression of its output>)
function(wva_metrics_add_fleet_test name options command expected)
  add_test(NAME example.${name} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/support/with_fleet.sh
    "$<TARGET_FILE:vllm_fleet> ${options}" sh -c "${command}")
  set_tests_properties(example.${name} PROPERTIES LABELS unit PASS_REGULAR_EXPRESSION "${expected}")
endfunction()

set(loop "$<TARGET_FILE:autoscaler_loop> --url $PROMETHEUS_BASE_URL --fleet $FLEET_URL $LOOP_ARGS --interval 200ms")
# The fleet begins at the peak of its wave.
wva_metrics_add_fleet_test(loop_scales_up "--models 1 --pods 1 --period 100 --warm-up 25" "${loop} --rounds 1"
  "1 -> 2: average KV cache headroom [0-9.]+ % < 10 %; KV cache [0-9./ %]+, queue [0-9./]+, samples up to")
wva_metrics_add_fleet_test(loop_scales_down "--models 1 --pods 4 --period 100 --warm-up 90"
  "${loop} --rounds 2 --window 15s --stabilisation 100ms" "4 -> 3: with 3: KV cache headroom 80 % - [0-9.]+ % / 3 = ")
wva_metrics_add_fleet_test(loop_dry_run "--models 1" "$<TARGET_FILE:autoscaler_loop> --url $PROMETHEUS_BASE_URL --namespace llm --variant nobody=unknown --dry-run --rounds 1"
  "nobody 0 -> 0: no replica reports, .*Check the model id")

wva_metrics_add_fleet_test(pod_scrape "--models 1 --pods 1 --variants 2 --engine vllm,sglang"
  "$<TARGET_FILE:pod_scrape> --once $PODS_ARGS" "-a100 +[0-9.+]+ \\([0-9.]+s\\) .*-a100-[^ ]+ +vllm +0[.0-9]+ .*-h100-[^ ]+ +sglang +0[.0-9]+ ")

set(one_variant "$PROMETHEUS_BASE_URL llm meta-llama/Llama-3.1-8B-Instruct llama-3-1-8b-instruct-a100")
foreach(name IN ITEMS quick_start callbacks)
  wva_metrics_add_fleet_test(${name} "--models 1" "$<TARGET_FILE:${name}> ${one_variant}" "[0-9.]+ requests per minute")
endforeach()

# wva_metrics_add_poll_test(<name> <options of vllm_fleet> <command for sh>): the command's status decides; $poll is
# prometheus_poll with the option --url.
function(wva_metrics_add_poll_test name options command)
  add_test(NAME example.poll_${name} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/support/with_fleet.sh
    "$<TARGET_FILE:vllm_fleet> ${options}"
    sh -c "poll=\"$<TARGET_FILE:prometheus_poll> --url $PROMETHEUS_BASE_URL\"; ${command}")
  set_tests_properties(example.poll_${name} PROPERTIES LABELS unit)
endfunction()

set(test_folder ${CMAKE_CURRENT_SOURCE_DIR}/unit/examples)
wva_metrics_add_poll_test(table_fits "--models 1 --pods 1"
  "sh ${test_folder}/prometheus_poll/table_fits.sh $poll $POLL_ARGS")
wva_metrics_add_poll_test(resize "--models 1" "sh ${test_folder}/prometheus_poll/table_follows_terminal.sh $poll $POLL_ARGS")
set_tests_properties(example.poll_resize PROPERTIES SKIP_REGULAR_EXPRESSION "^SKIPPED")
wva_metrics_add_poll_test(unknown_model "--models 1"
  "message=$($poll --once --namespace llm --model nobody); test $? = 3 && echo $message | grep 'Check the model id' &&
   message=$($poll --once $POLL_ARGS --namespace prod); test $? = 3 && echo $message | grep \"in namespace 'llm'\"")

# Names with "plain:" are programs without options.
set(programs)
foreach(name IN ITEMS autoscaler_loop doctor from_config openmetrics_lint plugin_host prometheus_poll vllm_fleet
    plain:callbacks plain:custom_backend plain:logging_spdlog plain:logging_stderr plain:pod_scrape plain:quick_start)
  string(REPLACE "plain:" "" target ${name})
  if(TARGET ${target})
    string(REPLACE ${target} $<TARGET_FILE:${target}> program ${name})
    list(APPEND programs ${program})
  endif()
endforeach()
add_test(NAME example.arguments COMMAND sh ${test_folder}/arguments.sh ${programs}
  ${PROJECT_SOURCE_DIR}/examples/run.sh ${PROJECT_SOURCE_DIR}/cmake/setup.sh ${PROJECT_SOURCE_DIR}/tests/run.sh)
set_tests_properties(example.arguments PROPERTIES LABELS unit)

add_test(NAME example.openmetrics_lint
  COMMAND sh ${test_folder}/openmetrics_lint.sh $<TARGET_FILE:openmetrics_lint>)
set_tests_properties(example.openmetrics_lint PROPERTIES LABELS unit)

# wva_metrics_add_bad_url_test(<target> <expected status> <argument>...): the arguments have a URL without a host.
function(wva_metrics_add_bad_url_test target status)
  add_test(NAME example.${target}_bad_url
    COMMAND sh ${test_folder}/bad_url.sh ${status} $<TARGET_FILE:${target}> ${ARGN})
  set_tests_properties(example.${target}_bad_url PROPERTIES LABELS unit)
endfunction()

wva_metrics_add_bad_url_test(quick_start 1 http://)
wva_metrics_add_bad_url_test(callbacks 1 http://)
wva_metrics_add_bad_url_test(pod_scrape 1 llm llama http://)
# Nothing listens on port 1: the pod is in the table, without a value.
add_test(NAME example.pod_scrape_unreachable COMMAND sh -c
  "table=$(\"$1\" --once llm llama a=http://127.0.0.1:1); test $? = 1 && echo \"$table\" | grep '^  a  *[a-z]*  *unread  *unread'" sh
  $<TARGET_FILE:pod_scrape>)
set_tests_properties(example.pod_scrape_unreachable PROPERTIES LABELS unit)
# Nothing listens on port 1.
add_test(NAME example.quick_start_unreachable COMMAND sh -c
  "message=$(\"$1\" http://127.0.0.1:1 2>&1); test $? = 1 && echo \"$message\" | grep ^unreachable:" sh
  $<TARGET_FILE:quick_start>)
set_tests_properties(example.quick_start_unreachable PROPERTIES LABELS unit)
wva_metrics_add_bad_url_test(prometheus_poll 2 --once --url http:// --namespace llm --model llama)
wva_metrics_add_bad_url_test(doctor 2 --url http:// --namespace llm --model llama)
wva_metrics_add_bad_url_test(autoscaler_loop 2 --dry-run --rounds 1 --url http:// --namespace llm --variant chat=llama)
wva_metrics_add_bad_url_test(from_config 1 --once)
set_tests_properties(example.from_config_bad_url PROPERTIES ENVIRONMENT PROMETHEUS_BASE_URL=http://)
