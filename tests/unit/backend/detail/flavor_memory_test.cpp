// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/flavor_memory.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;
using prometheus::Flavor;

namespace {

const TimePoint flavor_start{}; // The machine has just started.

} // namespace

TEST_CASE("a configured make is never asked for") {
    FlavorMemory memory(Flavor::thanos);
    CHECK(memory.current() == Flavor::thanos);
    CHECK_FALSE(memory.claim(flavor_start));
    CHECK_FALSE(memory.claim(flavor_start + 24h));
}

TEST_CASE("until the server has answered, every call asks for its make") {
    FlavorMemory memory(Flavor::unknown);
    CHECK(memory.current() == Flavor::unknown);
    CHECK(memory.claim(flavor_start));
    CHECK(memory.claim(flavor_start));
    memory.learn(Flavor::prometheus, flavor_start);
    CHECK(memory.current() == Flavor::prometheus);
    CHECK_FALSE(memory.claim(flavor_start + FlavorMemory::ask_again_after - 1ms));
}

TEST_CASE("a make that is known is asked for again by one call, and may have changed") {
    FlavorMemory memory(Flavor::unknown);
    memory.learn(Flavor::prometheus, flavor_start);
    const TimePoint later = flavor_start + FlavorMemory::ask_again_after;
    CHECK(memory.claim(later));
    CHECK_FALSE(memory.claim(later));
    CHECK(memory.current() == Flavor::prometheus);
    memory.learn(Flavor::victoria_metrics, later);
    CHECK(memory.current() == Flavor::victoria_metrics);
    CHECK_FALSE(memory.claim(later + 1min));
    CHECK(memory.claim(later + FlavorMemory::ask_again_after));
}

TEST_CASE("a call that asks and is cancelled leaves it to another one") {
    FlavorMemory memory(Flavor::unknown);
    memory.learn(Flavor::mimir, flavor_start);
    const TimePoint later = flavor_start + FlavorMemory::ask_again_after;
    CHECK(memory.claim(later));
    CHECK_FALSE(memory.claim(later + FlavorMemory::retry_after - 1ms));
    CHECK(memory.claim(later + FlavorMemory::retry_after));
}

TEST_CASE("a failure changes nothing, and a make that was never told is asked for sooner") {
    FlavorMemory unknown(Flavor::unknown);
    unknown.fail(flavor_start);
    CHECK(unknown.current() == Flavor::unknown);
    CHECK_FALSE(unknown.claim(flavor_start + FlavorMemory::retry_after - 1ms));
    CHECK(unknown.claim(flavor_start + FlavorMemory::retry_after));

    FlavorMemory known(Flavor::unknown);
    known.learn(Flavor::victoria_metrics, flavor_start);
    known.fail(flavor_start + 10min);
    CHECK(known.current() == Flavor::victoria_metrics);
    CHECK_FALSE(known.claim(flavor_start + 20min - 1ms));
    CHECK(known.claim(flavor_start + 20min));
}

TEST_CASE("a server that no longer tells its make is believed when it does so twice") {
    FlavorMemory memory(Flavor::unknown);
    memory.learn(Flavor::victoria_metrics, flavor_start);
    memory.learn(Flavor::unknown, flavor_start + 10min);
    CHECK(memory.current() == Flavor::victoria_metrics);
    CHECK(memory.claim(flavor_start + 10min + FlavorMemory::retry_after));
    SECTION("and not if it told it between") {
        memory.learn(Flavor::victoria_metrics, flavor_start + 11min);
        memory.learn(Flavor::unknown, flavor_start + 21min);
        CHECK(memory.current() == Flavor::victoria_metrics);
    }
    SECTION("said twice") {
        memory.learn(Flavor::unknown, flavor_start + 11min);
        CHECK(memory.current() == Flavor::unknown);
    }
}

TEST_CASE("a server that never told its make is asked again after the usual time") {
    FlavorMemory memory(Flavor::unknown);
    memory.learn(Flavor::unknown, flavor_start);
    CHECK_FALSE(memory.claim(flavor_start + FlavorMemory::ask_again_after - 1ms));
    CHECK(memory.claim(flavor_start + FlavorMemory::ask_again_after));
}
