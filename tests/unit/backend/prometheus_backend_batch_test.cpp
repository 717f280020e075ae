// SPDX-License-Identifier: Apache-2.0
#include "batch_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE_METHOD(BatchFixture,
                 "a thousand variants of a thousand models take one query per signal") {
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
    CHECK(fake.query_count() == 5 + 1 + 2 + 1);
    for (std::size_t i = 0; i < 1000; ++i) {
        CAPTURE(i);
        REQUIRE(is_rate_of(metrics[i], i));
        REQUIRE(is_kv_of(samples[i], i));
    }
}

TEST_CASE_METHOD(BatchFixture, "ten thousand models take ten times as many queries, and no more") {
    serve(10'000);
    const auto metrics = optimizer(variants);
    CHECK(fake.query_count() == 10 * 5 + 1);
    for (std::size_t i = 0; i < 10'000; i += 999) {
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
    CHECK(fake.query_count() == 6);
    for (std::size_t i = 0; i < count; i += 499) {
        CAPTURE(i);
        CHECK(is_rate_of(metrics[i], i));
    }
}

TEST_CASE_METHOD(BatchFixture, "all queries of a batch are pending at the same time") {
    serve(1);
    fake.hold();
    std::optional<std::vector<Result<OptimizerMetrics>>> answers;
    PrometheusBackend queried = backend();
    asio::co_spawn(io, queried.fetch_optimizer_metrics(variants),
                   [&](std::exception_ptr, auto result) { answers = std::move(result); });
    wait_until([&] { return fake.query_count() == 6; });
    CHECK_FALSE(answers.has_value());
    fake.release();
    wait_until([&] { return answers.has_value(); });
    CHECK(is_rate_of(answers->at(0), 0));
}

TEST_CASE_METHOD(BatchFixture, "no more queries are pending than max_connections") {
    serve(1);
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
    CHECK(fake.query_count() == 6);
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
    CHECK(fake.query_count() == 6);
}

TEST_CASE_METHOD(BatchFixture, "an empty batch sends no queries") {
    CHECK(optimizer(variants).empty());
    CHECK(replicas(models).empty());
    CHECK(fake.query_count() == 0);
}
