// SPDX-License-Identifier: Apache-2.0
#include "batch_fixture.hpp"
#include "support/collector_fixture.hpp"
#include "wva_metrics/backend/any_backend.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch_all.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Two models in a namespace each, and a server that answers one query at a time.
struct OneQueryAtATime : BatchFixture {
    OneQueryAtATime() {
        config.client.http.limits.max_connections = 1;
        serve(0, 1, "first");
        serve(1, 2, "second");
        fake.hold();
    }

    /// The namespace that each query names, in the order of their arrival.
    std::vector<std::string> namespaces_asked() const {
        std::vector<std::string> names;
        for (const auto& query : fake.queries())
            names.emplace_back(query.text.find("first") != std::string::npos    ? "first"
                               : query.text.find("second") != std::string::npos ? "second"
                                                                                : query.text);
        return names;
    }
};

} // namespace

TEST_CASE_METHOD(OneQueryAtATime, "a caller's queries pass those of a background round that wait") {
    Collector<AnyBackend, MemoryCache, NullObserver, ManualTimer> collector(io.get_executor(),
                                                                            backend());
    collector.track(models[0]);
    REQUIRE(collector.start_background_fetching());
    ManualClock::advance(15s);
    wait_until([this] { return fake.query_count() == 1; });
    run_ready(io); // The other query of the round waits now.

    std::optional<Result<ReplicaSnapshot>> answer;
    collector.async_collect_replica_metrics(
        models[1], {}, [&](Result<ReplicaSnapshot> result) { answer = std::move(result); });
    run_ready(io);
    CHECK(fake.query_count() == 1);
    fake.release();
    wait_until([&] { return answer.has_value(); });
    REQUIRE(answer->has_value());
    wait_until([&] { return collector.find_replica_metrics(models[0], {}).has_value(); });
    const std::vector<std::string> asked = namespaces_asked();
    REQUIRE(asked.size() >= 6);
    // Both queries of the caller that could be sent came before all others of the round.
    CHECK(std::vector(asked.begin(), asked.begin() + 3) ==
          std::vector<std::string>{"first", "second", "second"});
}

TEST_CASE_METHOD(OneQueryAtATime, "calls without a priority are interactive") {
    PrometheusBackend queried = backend();
    const auto ignore = [](std::exception_ptr, auto) {};
    asio::co_spawn(io, queried.fetch_replica_samples({models[0]}, Priority::background), ignore);
    wait_until([this] { return fake.query_count() == 1; });
    run_ready(io);
    asio::co_spawn(io, queried.fetch_optimizer_metrics({variants[1]}), ignore);
    run_ready(io);
    fake.release();
    wait_until([this] { return fake.query_count() == 6; });
    const std::vector<std::string> asked = namespaces_asked();
    CHECK(std::vector(asked.begin(), asked.begin() + 3) ==
          std::vector<std::string>{"first", "second", "second"});
}

TEST_CASE_METHOD(OneQueryAtATime, "a background round that a caller joins goes on as interactive") {
    PrometheusBackend queried = backend();
    const auto ignore = [](std::exception_ptr, auto) {};
    asio::co_spawn(io, queried.fetch_replica_samples({models[0]}, Priority::background), ignore);
    wait_until([this] { return fake.query_count() == 1; });
    run_ready(io);
    std::optional<std::vector<Result<ReplicaSamples>>> joined;
    asio::co_spawn(io, queried.fetch_replica_samples({models[0]}),
                   [&](std::exception_ptr, auto answers) { joined = std::move(answers); });
    asio::co_spawn(io, queried.fetch_replica_samples({models[1]}, Priority::background), ignore);
    run_ready(io);
    fake.release();
    wait_until([&] { return joined.has_value(); });
    CHECK(joined->at(0).has_value());
    // The second round shares the queue of the background, which the first has left.
    const std::vector<std::string> asked = namespaces_asked();
    CHECK(asked.at(2) == "first");
}
