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
wva_metrics_add_fleet_test(loop_scales_up "--models 1 --pods 1" "${loop} --rounds 1" "1 -> 2: KV cache headroom [0-9.]+ %")
wva_metrics_add_fleet_test(loop_scales_down "--models 1 --pods 4 --period 100 --warm-up 90"
  "${loop} --rounds 2 --window 15s --stabilisation 100ms" "4 -> 3: one replica fewer has been enough")

set(one_variant "$PROMETHEUS_BASE_URL llm meta-llama/Llama-3.1-8B-Instruct llama-3-1-8b-instruct-a100")
foreach(name IN ITEMS quick_start callbacks)
  wva_metrics_add_fleet_test(${name} "--models 1" "$<TARGET_FILE:${name}> ${one_variant}" "[0-9.]+ requests per minute")
endforeach()
