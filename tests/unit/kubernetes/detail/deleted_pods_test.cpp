// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/deleted_pods.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace std::chrono_literals;
using kubernetes::detail::GonePods;

namespace {

constexpr TimePoint start{};

} // namespace

TEST_CASE("a pod that is gone is remembered for its time, and makes room with the next") {
    GonePods gone(10min, 100);
    gone.add("llm", "a", start);
    gone.add("llm", "b", start + 1min);
    CHECK(gone.contains("llm", "a", start + 10min - 1ns));
    CHECK_FALSE(gone.contains("llm", "a", start + 10min));
    CHECK(gone.contains("llm", "b", start + 10min));
    gone.add("llm", "c", start + 10min);
    CHECK(gone.size() == 2);
}

TEST_CASE("a pod that is gone once more is remembered anew") {
    GonePods gone(10min, 100);
    gone.add("llm", "a", start);
    gone.add("llm", "b", start + 1min);
    gone.add("llm", "a", start + 2min);
    CHECK(gone.size() == 2);
    CHECK(gone.contains("llm", "a", start + 11min));
    CHECK_FALSE(gone.contains("llm", "b", start + 11min));
}

TEST_CASE("of more pods that are gone than there is room for the last are remembered") {
    GonePods gone(10min, 3);
    for (int i = 0; i < 5; ++i)
        gone.add("llm", "p" + std::to_string(i), start);
    CHECK(gone.size() == 3);
    CHECK_FALSE(gone.contains("llm", "p1", start));
    CHECK(gone.contains("llm", "p2", start));
    CHECK(gone.contains("llm", "p4", start));
    // Room that is given back is used.
    gone.erase("llm", "p3");
    gone.erase("llm", "never");
    CHECK_FALSE(gone.contains("llm", "p3", start));
    gone.add("llm", "p5", start);
    CHECK(gone.contains("llm", "p2", start));
}

TEST_CASE("names of pods and namespaces are told apart") {
    GonePods gone(10min, 10);
    gone.add("a", "bc", start);
    CHECK_FALSE(gone.contains("ab", "c", start));
    CHECK_FALSE(gone.contains("bc", "a", start));
}

TEST_CASE("without room or time nothing is gone") {
    GonePods no_room(10min, 0);
    no_room.add("llm", "a", start);
    CHECK_FALSE(no_room.contains("llm", "a", start));
    CHECK(no_room.size() == 0);
    GonePods no_time(0s, 10);
    no_time.add("llm", "a", start);
    CHECK_FALSE(no_time.contains("llm", "a", start));
}

TEST_CASE("what is remembered outlives being moved") {
    GonePods first(10min, 10);
    first.add("llm", "a", start);
    GonePods second(std::move(first));
    CHECK(second.contains("llm", "a", start));
    second.erase("llm", "a");
    CHECK(second.size() == 0);
}
