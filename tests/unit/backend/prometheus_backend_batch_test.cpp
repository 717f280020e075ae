// SPDX-License-Identifier: Apache-2.0
#include "batch_fixture.hpp"
#include "support/property_cases.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE_METHOD(BatchFixture,
                 "a thousand variants of a thousand models take one query for all signals") {
    SECTION("in one namespace") {
        serve(1000);
    }
    SECTION("in four namespaces") {
        serve(0, 250, "a");
        serve(250, 500, "b");
        serve(500, 750, "c");
        serve(750, 1000, "d");
    }
    const auto metrics = optimizer(variants);
    const auto samples = replicas(models);
    // What lives, the samples, and the pods: under two names, as there are none.
    CHECK(fake.query_count() == 2 * (1 + 1 + 2));
    for (std::size_t i = 0; i < 1000; ++i) {
        CAPTURE(i);
        REQUIRE(is_rate_of(metrics[i], i));
        REQUIRE(is_kv_of(samples[i], i));
    }
}

TEST_CASE_METHOD(BatchFixture, "ten thousand models take ten times as many queries, and no more") {
    // A sanitizer makes ten thousand take a minute.
    constexpr std::size_t thousands = under_sanitizer ? 2 : 10;
    serve(thousands * 1000);
    const auto metrics = optimizer(variants);
    CHECK(fake.query_count() == thousands * 2 + 2);
    for (std::size_t i = 0; i < thousands * 1000; i += 999) {
        CAPTURE(i);
        CHECK(is_rate_of(metrics[i], i));
    }
}

TEST_CASE_METHOD(BatchFixture, "thousands of variants of one model visit each pod once") {
    // If every variant visited every pod, this would take minutes.
    constexpr std::size_t count = 5000;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string deployment = "d" + std::to_string(i);
        variants.push_back(variant_of(deployment, "m"));
        fake.set_rate(series("vllm:request_success_total", {deployment + "-7d9f8b6c5d-aaaaa", "m"}),
                      static_cast<double>(i + 1), 1min);
    }
    const auto metrics = optimizer(variants);
    CHECK(fake.query_count() == 4);
    for (std::size_t i = 0; i < count; i += 499) {
        CAPTURE(i);
        CHECK(is_rate_of(metrics[i], i));
    }
}

TEST_CASE_METHOD(BatchFixture, "all chunks of a batch are queried at the same time") {
    serve(3);
    config.limits.max_models_per_query = 1;
    fake.hold();
    std::optional<std::vector<Result<OptimizerMetrics>>> answers;
    PrometheusBackend queried = backend();
    asio::co_spawn(io, queried.fetch_optimizer_metrics(variants),
                   [&](std::exception_ptr, auto result) { answers = std::move(result); });
    // Per model which series live, and one for the pods.
    wait_until([&] { return fake.query_count() == 3 + 1; });
    run_ready(io);
    CHECK(fake.query_count() == 3 + 1);
    CHECK_FALSE(answers.has_value());
    fake.release();
    wait_until([&] { return answers.has_value(); });
    CHECK(fake.query_count() == 3 * 2 + 2);
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(is_rate_of(answers->at(i), i));
}

TEST_CASE_METHOD(BatchFixture, "no more queries are pending than max_connections") {
    serve(3);
    config.limits.max_models_per_query = 1;
    fake.hold();
    config.client.http.limits.max_connections = 2;
    bool is_over = false;
    PrometheusBackend queried = backend();
    asio::co_spawn(io, queried.fetch_optimizer_metrics(variants),
                   [&](std::exception_ptr, auto) { is_over = true; });
    wait_until([&] { return fake.query_count() == 2; });
    run_ready(io);
    CHECK(fake.query_count() == 2);
    fake.release();
    wait_until([&] { return is_over; });
    CHECK(fake.query_count() == 3 * 2 + 2);
}

TEST_CASE_METHOD(BatchFixture, "samples are asked for until the time of the query for what lives") {
    serve(1);
    fake.set_time(noon + 1234ms);
    REQUIRE(is_rate_of(optimizer(variants)[0], 0));
    const auto queries = fake.queries();
    const auto samples = std::ranges::find_if(queries, [](const auto& query) {
        return query.text.find("kv_cache") != std::string::npos;
    });
    REQUIRE(samples != queries.end());
    CHECK(samples->time == noon + 1234ms);
}

TEST_CASE_METHOD(BatchFixture, "both kinds of metrics share a round that is running") {
    serve(2);
    fake.hold();
    std::optional<std::vector<Result<OptimizerMetrics>>> metrics;
    std::optional<std::vector<Result<ReplicaSamples>>> samples;
    PrometheusBackend queried = backend();
    asio::co_spawn(io, queried.fetch_optimizer_metrics(variants),
                   [&](std::exception_ptr, auto result) { metrics = std::move(result); });
    wait_until([&] { return fake.query_count() == 2; });
    SECTION("of the same models") {
        asio::co_spawn(io, queried.fetch_replica_samples(models),
                       [&](std::exception_ptr, auto result) { samples = std::move(result); });
    }
    SECTION("of more models") {
        asio::co_spawn(io, queried.fetch_replica_samples({models[0]}),
                       [&](std::exception_ptr, auto result) { samples = std::move(result); });
    }
    run_ready(io);
    fake.release();
    wait_until([&] { return metrics && samples; });
    CHECK(fake.query_count() == 4);
    CHECK(is_rate_of(metrics->at(0), 0));
    CHECK(is_rate_of(metrics->at(1), 1));
    CHECK(is_kv_of(samples->at(0), 0));
    // A round that is over is not shared: its samples may be old.
    run(queried.fetch_replica_samples(models));
    CHECK(fake.query_count() > 4);
}

TEST_CASE_METHOD(BatchFixture, "a round is not shared by a call for other models") {
    serve(2);
    fake.hold();
    std::optional<std::vector<Result<ReplicaSamples>>> one;
    std::optional<std::vector<Result<ReplicaSamples>>> both;
    PrometheusBackend queried = backend();
    asio::co_spawn(io, queried.fetch_replica_samples({models[0]}),
                   [&](std::exception_ptr, auto result) { one = std::move(result); });
    asio::co_spawn(io, queried.fetch_replica_samples(models),
                   [&](std::exception_ptr, auto result) { both = std::move(result); });
    wait_until([&] { return fake.query_count() == 4; });
    fake.release();
    wait_until([&] { return one && both; });
    CHECK(is_kv_of(one->at(0), 0));
    CHECK(is_kv_of(both->at(1), 1));
}

TEST_CASE_METHOD(BatchFixture,
                 "answers are in the order of the targets, even if some are repeated") {
    serve(3);
    std::swap(variants[0], variants[2]);
    variants.push_back(variants[1]);
    const auto metrics = optimizer(variants);
    CHECK(is_rate_of(metrics[0], 2));
    CHECK(is_rate_of(metrics[1], 1));
    CHECK(is_rate_of(metrics[2], 0));
    CHECK(is_rate_of(metrics[3], 1));
    CHECK(fake.query_count() == 4);
}

TEST_CASE_METHOD(BatchFixture, "an empty batch sends no queries") {
    CHECK(optimizer(variants).empty());
    CHECK(replicas(models).empty());
    CHECK(fake.query_count() == 0);
}
