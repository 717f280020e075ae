// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/testing/detail/promql/label_set.hpp"

#include <catch2/catch_all.hpp>

using wva_metrics::testing::detail::LabelSet;

TEST_CASE("label sets are equal whatever the order of their labels") {
    const LabelSet one({{"b", "2"}, {"a", "1"}});
    const LabelSet other({{"a", "1"}, {"b", "2"}});
    CHECK(one == other);
    CHECK(std::hash<LabelSet>()(one) == std::hash<LabelSet>()(other));
    CHECK(one.get("a") == "1");
    CHECK(one.get("c") == "");
    CHECK(one.describe() == R"({a="1", b="2"})");
}

TEST_CASE("a label with an empty value is not kept") {
    LabelSet labels({{"a", "1"}, {"b", ""}});
    CHECK(labels.size() == 1);
    labels.set("a", "");
    CHECK(labels.empty());
}

TEST_CASE("if a label is there twice, its last value counts") {
    CHECK(LabelSet{{"a", "1"}, {"a", "2"}} == LabelSet{{"a", "2"}});
}

TEST_CASE("a label set without the metric name keeps the other labels") {
    CHECK(LabelSet{{"__name__", "up"}, {"pod", "p"}}.without_metric_name() ==
          LabelSet{{"pod", "p"}});
}
