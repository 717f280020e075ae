// SPDX-License-Identifier: Apache-2.0
#include "batch_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Of three series; see `BatchFixture::serve`.
constexpr std::size_t samples_of_model = 3 * 5;

} // namespace

TEST_CASE_METHOD(BatchFixture, "a query that is too costly is halved until it is accepted") {
    serve(8);
    fake.limit_samples(2 * samples_of_model);
    const auto metrics = optimizer(variants);
    for (std::size_t i = 0; i < 8; ++i) {
        CAPTURE(i);
        CHECK(is_rate_of(metrics[i], i));
        CHECK_FALSE(metrics[i].value().partial);
    }
    // All eight; four, rejected; two and two; the other four in twos, because four were too many.
    CHECK(count_queries("request_success_total") == 1 + 1 + 2 + 2);
}

TEST_CASE_METHOD(BatchFixture, "the next batch keeps to the size that was accepted") {
    serve(8);
    fake.limit_samples(2 * samples_of_model);
    PrometheusBackend queried = backend();
    // The first batch looks back further than the next ones, so its size does not count.
    for (int batch = 0; batch < 2; ++batch)
        run(queried.fetch_optimizer_metrics(variants));
    fake.forget_queries();
    const auto metrics = run(queried.fetch_optimizer_metrics(variants));
    for (std::size_t i = 0; i < 8; ++i)
        CHECK(is_rate_of(metrics[i], i));
    CHECK(count_queries("request_success_total") == 4);
    CHECK(count_queries("kube_pod_info") == 1); // Which has a limit of its own.
}

TEST_CASE_METHOD(BatchFixture, "only a model that is too costly by itself fails") {
    serve(8);
    for (int pod = 0; pod < 5; ++pod)
        set_requests({"llama-7d9f8b6c5d-bbbb" + std::to_string(pod), "m3"}, 1);
    fake.limit_samples(2 * samples_of_model);
    const auto metrics = optimizer(variants);
    for (std::size_t i = 0; i < 8; ++i) {
        CAPTURE(i);
        if (i == 3)
            continue;
        CHECK(is_rate_of(metrics[i], i));
        CHECK_FALSE(metrics[i].value().partial);
    }
    CHECK(metrics[3].error().is(Errc::too_costly));
    CHECK_THAT(metrics[3].error().describe(), ContainsSubstring("too many samples"));
}

TEST_CASE_METHOD(BatchFixture, "a query is halved for every error that a smaller query may avoid") {
    serve(2);
    config.use_kube_state = false;
    const auto [query, queries] = GENERATE(
        table<std::string, std::size_t>({{"vector(0)", 1 + 2 * 2}, {"kv_cache", 2 + 2 * 2}}));
    SECTION("too many samples") {
        fake.fail_next_containing(
            query, 1, 422,
            api_error("execution", "query processing would load too many samples into memory"));
    }
    SECTION("a body too large for a proxy") {
        fake.fail_next_containing(query, 1, 413, "Payload Too Large");
    }
    SECTION("a regex that nests too deeply") {
        fake.fail_next_containing(
            query, 1, 400,
            api_error("bad_data", R"(invalid parameter \"query\": 1:3: parse error: error parsing )"
                                  R"(regexp: expression nests too deeply: `^(?:)" +
                                      std::string(20'000, 'a') + ")$`"));
    }
    const auto samples = replicas(models);
    CHECK(fake.query_count() == queries);
    CHECK(is_kv_of(samples[0], 0));
    CHECK(is_kv_of(samples[1], 1));
    CHECK_FALSE(samples[0].value().partial);
}

TEST_CASE_METHOD(BatchFixture, "a back end in trouble is not queried again in halves") {
    serve(64);
    replicas(models);
    const std::size_t on_a_good_day = fake.query_count();
    SECTION("a timeout") {
        fake.fail_next(1000, 503, api_error("timeout", "query timed out in expression evaluation"));
    }
    SECTION("a deadline of a store behind Thanos") {
        fake.fail_next(1000, 422,
                       api_error("execution", "expanding series: proxy Series(): rpc error: code = "
                                              "DeadlineExceeded desc = context deadline exceeded"));
    }
    SECTION("a store that is away") {
        fake.fail_next(
            1000, 422,
            api_error("execution", "rpc error: code = Unavailable desc = connection refused"));
    }
    SECTION("a store that gave up") {
        fake.fail_next(
            1000, 422,
            api_error("execution", "rpc error: code = Aborted desc = fetch series for block"));
    }
    SECTION("any other failure") {
        fake.fail_next(1000, 500, "Internal Server Error");
    }
    const auto samples = replicas(models);
    CHECK(fake.query_count() - on_a_good_day <= 2 * on_a_good_day);
    for (const auto& answer : samples) {
        REQUIRE(answer.has_error());
        CHECK(answer.error().is(Errc::unavailable));
    }
}

TEST_CASE_METHOD(BatchFixture, "a query whose answer exceeds a limit is halved") {
    serve(32);
    SECTION("of bytes") {
        config.client.http.limits.max_body_bytes = 1500;
    }
    SECTION("of series") {
        config.client.answer.max_series = 5;
    }
    const auto metrics = optimizer(variants);
    for (std::size_t i = 0; i < 32; ++i) {
        CAPTURE(i);
        CHECK(is_rate_of(metrics[i], i));
    }
}

TEST_CASE_METHOD(
    BatchFixture,
    "a model whose answer exceeds a limit fails alone, and the error names the limit") {
    serve(4);
    for (int pod = 0; pod < 20; ++pod)
        set_kv({"llama-7d9f8b6c5d-bbb" + std::to_string(10 + pod), "m2"}, 0.5);
    config.client.answer.max_series = 10;
    const auto samples = replicas(models);
    CHECK(is_kv_of(samples[0], 0));
    CHECK(is_kv_of(samples[1], 1));
    CHECK(is_kv_of(samples[3], 3));
    CHECK(samples[2].error().is(Errc::too_large));
    CHECK_THAT(samples[2].error().describe(), ContainsSubstring("max_series"));
}

TEST_CASE_METHOD(BatchFixture, "a query is not longer than max_query_bytes") {
    serve(100);
    config.limits.max_query_bytes = 4096;
    const auto metrics = optimizer(variants);
    for (std::size_t i = 0; i < 100; ++i)
        REQUIRE(is_rate_of(metrics[i], i));
    for (const auto& query : fake.queries())
        CHECK(query.text.size() <= 4096);
}

TEST_CASE_METHOD(BatchFixture,
                 "if the server accepts only short GETs, models are queried in small groups") {
    serve(64);
    fake.reject_post();
    config.client.max_get_bytes = 2048;
    const auto samples = replicas(models);
    for (std::size_t i = 0; i < 64; ++i) {
        CAPTURE(i);
        REQUIRE(is_kv_of(samples[i], i));
    }
}

TEST_CASE_METHOD(
    BatchFixture,
    "a query for many models does not name them, until their namespaces hold many more") {
    serve(100);
    const std::vector<VariantAutoscaling> requested = variants;
    const PrometheusBackend queried = backend();
    const auto fetch = [&] {
        return run(PrometheusBackend(queried).fetch_optimizer_metrics(requested));
    };
    const auto all_are_right = [](const std::vector<Result<OptimizerMetrics>>& answers) {
        for (std::size_t i = 0; i < answers.size(); ++i)
            if (!is_rate_of(answers[i], i))
                return false;
        return answers.size() == 100;
    };
    CHECK(all_are_right(fetch()));
    CHECK(count_queries("model_name=") == 0);
    serve(100, 150); // Not requested, but fewer than the requested ones.
    CHECK(all_are_right(fetch()));
    CHECK(all_are_right(fetch()));
    CHECK(count_queries("model_name=") == 0);
    serve(150, 250);
    CHECK(all_are_right(fetch()));
    const std::size_t before = count_queries("model_name=");
    CHECK(all_are_right(fetch()));
    CHECK(count_queries("model_name=") == before + 2);
}

TEST_CASE_METHOD(BatchFixture,
                 "a query names the models if the answer for their namespaces is too large") {
    serve(100);
    const std::string query = GENERATE("vector(0)", "kv_cache");
    fake.fail_next_containing(
        query, 1, 422, api_error("execution", "query processing would load too many samples"));
    const auto answers = run(backend().fetch_optimizer_metrics(variants));
    REQUIRE(answers.size() == 100);
    for (std::size_t i = 0; i < answers.size(); ++i)
        CHECK(is_rate_of(answers[i], i));
    CHECK(count_queries("model_name=") == 2); // Not halved, because these queries are accepted.
}
