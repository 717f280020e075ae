// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/deleted_pods.hpp"

#include "support/cluster_objects.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace std::chrono_literals;
using kubernetes::detail::DeletedPods;
using test_support::objects::start;

TEST_CASE("a deleted pod is remembered for the retention time, and removed by the next one") {
    DeletedPods deleted(10min, 100);
    deleted.add("llm", "a", start);
    deleted.add("llm", "b", start + 1min);
    CHECK(deleted.contains("llm", "a", start + 10min - 1ns));
    CHECK_FALSE(deleted.contains("llm", "a", start + 10min));
    CHECK(deleted.contains("llm", "b", start + 10min));
    deleted.add("llm", "c", start + 10min);
    CHECK(deleted.size() == 2);
}

TEST_CASE("a pod that is deleted again is remembered again") {
    DeletedPods deleted(10min, 100);
    deleted.add("llm", "a", start);
    deleted.add("llm", "b", start + 1min);
    deleted.add("llm", "a", start + 2min);
    CHECK(deleted.size() == 2);
    CHECK(deleted.contains("llm", "a", start + 11min));
    CHECK_FALSE(deleted.contains("llm", "b", start + 11min));
}

TEST_CASE("above the limit, the oldest deleted pods are forgotten") {
    DeletedPods deleted(10min, 3);
    for (int i = 0; i < 5; ++i)
        deleted.add("llm", "p" + std::to_string(i), start);
    CHECK(deleted.size() == 3);
    CHECK_FALSE(deleted.contains("llm", "p1", start));
    CHECK(deleted.contains("llm", "p2", start));
    CHECK(deleted.contains("llm", "p4", start));
    // Erased pods make room.
    deleted.erase("llm", "p3");
    deleted.erase("llm", "never");
    CHECK_FALSE(deleted.contains("llm", "p3", start));
    deleted.add("llm", "p5", start);
    CHECK(deleted.contains("llm", "p2", start));
}

TEST_CASE("names of pods and namespaces are not mixed up") {
    DeletedPods deleted(10min, 10);
    deleted.add("a", "bc", start);
    CHECK_FALSE(deleted.contains("ab", "c", start));
    CHECK_FALSE(deleted.contains("bc", "a", start));
}

TEST_CASE("without room or retention time nothing is remembered") {
    DeletedPods no_room(10min, 0);
    no_room.add("llm", "a", start);
    CHECK_FALSE(no_room.contains("llm", "a", start));
    CHECK(no_room.size() == 0);
    DeletedPods no_time(0s, 10);
    no_time.add("llm", "a", start);
    CHECK_FALSE(no_time.contains("llm", "a", start));
}

TEST_CASE("a moved object keeps the remembered pods") {
    DeletedPods first(10min, 10);
    first.add("llm", "a", start);
    DeletedPods second(std::move(first));
    CHECK(second.contains("llm", "a", start));
    second.erase("llm", "a");
    CHECK(second.size() == 0);
}
