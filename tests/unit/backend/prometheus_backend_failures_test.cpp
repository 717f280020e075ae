// SPDX-License-Identifier: Apache-2.0
#include "batch_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

std::ptrdiff_t count_backend_errors(const OptimizerMetrics& metrics) {
    return std::ranges::count_if(optimizer_readings, [&](const auto& field) {
        return (metrics.*field.member).reason() == ReadingReason::backend_error;
    });
}

} // namespace

TEST_CASE_METHOD(BatchFixture, "an invalid target does not affect the other answers") {
    serve(2);
    variants.insert(variants.begin() + 1, variant_of("llama", "not \xff UTF-8"));
    models.insert(models.begin(), ModelKey("llm", ""));
    const auto metrics = optimizer(variants);
    CHECK(is_rate_of(metrics[0], 0));
    REQUIRE(metrics[1].has_error());
    CHECK(metrics[1].error().is(Errc::invalid_argument));
    CHECK_THAT(metrics[1].error().message, ContainsSubstring("UTF-8"));
    CHECK(is_rate_of(metrics[2], 1));

    const auto samples = replicas(models);
    CHECK(samples[0].error().is(Errc::invalid_argument));
    CHECK(is_kv_of(samples[1], 0));
    CHECK(is_kv_of(samples[2], 1));
}

TEST_CASE_METHOD(BatchFixture, "if one signal fails the others have values") {
    set_load({pod_a}, 1);
    set_kv({pod_a}, 0.5);
    set_queue({pod_a}, 2);
    config.use_kube_state = false;

    fake.fail_next(1, 503, "come back later");
    const OptimizerMetrics metrics = optimizer(variant_of("llama"));
    CHECK(count_backend_errors(metrics) == 1);
    CHECK(metrics.partial);
    REQUIRE(metrics.warnings.size() == 1);
    CHECK_THAT(metrics.warnings[0], ContainsSubstring("come back later"));

    fake.fail_next(1, 503, "come back later");
    const ReplicaSamples samples = replicas();
    REQUIRE(samples.pods.size() == 1);
    const Reading<double> usage = samples.pods[0].kv_cache_usage;
    const Reading<double> queue = samples.pods[0].queue_length;
    CHECK(usage.has_value() != queue.has_value());
    CHECK((usage.has_value() ? queue : usage).reason() == ReadingReason::backend_error);
    CHECK(samples.partial);
    CHECK_THAT(samples.warnings.at(0), ContainsSubstring("come back later"));
}

TEST_CASE_METHOD(BatchFixture, "if all queries fail the answer is the error, not zeros") {
    serve(2);
    SECTION("because Prometheus returns an error") {
        fake.fail_next(20, 503, "come back later");
        for (const auto& answer : optimizer(variants)) {
            CHECK(answer.error().is(Errc::unavailable));
            CHECK_THAT(answer.error().describe(),
                       ContainsSubstring("come back later") && ContainsSubstring(fake.url()));
        }
        for (const auto& answer : replicas(models))
            CHECK(answer.error().is(Errc::unavailable));
    }
    SECTION("because no server is listening") {
        fake.stop();
        run_ready(io);
        for (const auto& answer : optimizer(variants))
            CHECK(answer.error().is(Errc::unreachable));
        for (const auto& answer : replicas(models))
            CHECK(answer.error().is(Errc::unreachable));
    }
}

TEST_CASE_METHOD(BatchFixture, "a query that is rejected for good is not repeated") {
    serve(8);
    config.use_kube_state = false;
    fake.fail_next(20, 400, api_error("bad_data", "unknown function"));
    for (const auto& answer : optimizer(variants))
        CHECK(answer.error().is(Errc::rejected));
    CHECK(fake.query_count() == 5);
}

TEST_CASE_METHOD(BatchFixture, "a batch ends at its timeout if Prometheus never answers") {
    serve(1);
    fake.hold();
    SECTION("of each query") {
        config.client.http.timeouts.attempt = 20ms;
    }
    SECTION("of the batch") {
        config.batch_timeout = 20ms;
    }
    CHECK(optimizer(variants)[0].error().is(Errc::timeout));
    CHECK(replicas(models)[0].error().is(Errc::timeout));
    CHECK(check_availability(models[0]).error().is(Errc::timeout));
}
