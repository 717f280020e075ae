// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/detail/metric_names.hpp"

#include <catch2/catch_all.hpp>

#include <string>

using namespace std::string_literals;
using namespace wva_metrics::detail;

TEST_CASE("label names have letters, digits and underscores and do not begin with a digit") {
    for (const auto* name : {"a", "_", "model_name", "Pod9", "__name__"})
        CHECK(is_label_name(name));
    for (const auto* name :
         {"", "9a", "a:b", ":", "a-b", "a.b", "a b", "caf\xC3\xA9", "a\n", "\"", "a}"})
        CHECK_FALSE(is_label_name(name));
    CHECK_FALSE(is_label_name("a\0"s));
}

TEST_CASE("metric names may also have colons, even at the start") {
    for (const auto* name : {"up", ":", "vllm:num_requests_running", ":a:9", "_x"})
        CHECK(is_metric_name(name));
    for (const auto* name : {"", "9a", "a-b", "a{", "a b", "caf\xC3\xA9", "a\n"})
        CHECK_FALSE(is_metric_name(name));
    CHECK_FALSE(is_metric_name("a\0"s));
}

TEST_CASE("reserved words of PromQL are found in any case of letters") {
    for (const auto* word : {"inf", "NaN", "INF", "on", "Bool", "atan2", "group_left", "ignoring"})
        CHECK(is_reserved_as_metric(word));
    for (const auto* word : {"", "sum", "by", "rate", "inf_", "o", "onn", "vllm:on"})
        CHECK_FALSE(is_reserved_as_metric(word));
    for (const auto* word : {"inf", "NaN", "without"})
        CHECK(is_reserved_as_label(word));
    for (const auto* word : {"", "on", "by", "sum", "bool", "namespace"})
        CHECK_FALSE(is_reserved_as_label(word));
}
