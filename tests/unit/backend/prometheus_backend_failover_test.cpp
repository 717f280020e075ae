// SPDX-License-Identifier: Apache-2.0
#include "batch_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

/// `preferred` is asked first, and `fake` if that fails.
struct TwoReplicas : BatchFixture {
    TwoReplicas() {
        preferred.set_time(noon);
        config.client.http.url = preferred.url();
        config.client.replicas = {fake.url()};
        config.client.http.protection.breaker.first_pause = 20ms;
        config.client.http.protection.breaker.max_pause = 20ms;
    }

    FakePrometheus preferred{io};
};

} // namespace

TEST_CASE_METHOD(TwoReplicas, "a batch is answered by the second replica if the first is down") {
    serve(3);
    preferred.stop();
    PrometheusBackend queried = backend();
    for (int batch = 0; batch < 3; ++batch) {
        const auto metrics = run(queried.fetch_optimizer_metrics(variants));
        for (std::size_t i = 0; i < 3; ++i)
            CHECK(is_rate_of(metrics[i], i));
    }
    CHECK(run(queried.check_availability(models[0])).has_value());
    const auto stats = queried.replica_stats();
    REQUIRE(stats.size() == 2);
    CHECK_FALSE(stats[0].is_healthy);
    CHECK(stats[1].is_current);
    CHECK(stats[1].failed == 0);
}

TEST_CASE_METHOD(TwoReplicas, "all queries of a batch go to one replica, also when it returns") {
    serve(3);
    config.limits.max_models_per_query = 1;
    preferred.stop();
    PrometheusBackend queried = backend();
    run(queried.fetch_optimizer_metrics(variants));
    preferred.start();
    std::size_t before = 0;
    const TimePoint end = std::chrono::steady_clock::now() + 1min;
    while (preferred.queries().empty() && std::chrono::steady_clock::now() < end) {
        before = fake.queries().size();
        run(queried.fetch_optimizer_metrics(variants));
    }
    // The batch that returned to it: the trial, and all of its queries.
    REQUIRE(preferred.queries().size() > 1);
    CHECK(preferred.queries()[0].text == "vector(1)");
    CHECK(fake.queries().size() == before);
}

TEST_CASE_METHOD(TwoReplicas, "if all replicas fail, the error of each model names them") {
    serve(1);
    preferred.fail_next_containing("", 1000, 503, "starting up");
    fake.fail_next_containing("", 1000, 503, "come back later");
    const auto metrics = optimizer(variants);
    REQUIRE(metrics[0].has_error());
    CHECK(metrics[0].error().is(Errc::unavailable));
    CHECK_THAT(metrics[0].error().describe(),
               ContainsSubstring(preferred.url()) && ContainsSubstring("starting up") &&
                   ContainsSubstring(fake.url()) && ContainsSubstring("come back later"));
}
