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

TEST_CASE_METHOD(BatchFixture, "a failed query fails its models, and no other ones") {
    serve(3);
    config.use_kube_state = false;
    config.limits.max_models_per_query = 1;
    // One query has all signals, so both kinds of metrics fail.
    const std::string query = GENERATE("vector(0)", "kv_cache");
    fake.fail_next_containing(query, 1, 503, "come back later");
    std::size_t failed = 0;
    const auto metrics = optimizer(variants);
    for (std::size_t i = 0; i < 3; ++i) {
        if (metrics[i].has_error()) {
            ++failed;
            CHECK(metrics[i].error().is(Errc::unavailable));
            CHECK_THAT(metrics[i].error().describe(), ContainsSubstring("come back later"));
        } else {
            CHECK(is_rate_of(metrics[i], i));
            CHECK_FALSE(metrics[i].value().partial);
        }
    }
    CHECK(failed == 1);

    fake.fail_next_containing(query, 1, 503, "come back later");
    const auto samples = replicas(models);
    CHECK(std::ranges::count_if(samples, [](const auto& answer) { return answer.has_error(); }) ==
          1);
}

TEST_CASE_METHOD(BatchFixture, "an answer that is not one to the query is an error") {
    serve(1);
    const auto script = [&](const std::string& query, const std::string& type,
                            const std::string& result) {
        fake.fail_next_containing(query, 1, 200,
                                  R"({"status":"success","data":{"resultType":")" + type +
                                      R"(","result":[)" + result + "]}}");
    };
    SECTION("it has no time") {
        script("vector(0)", "vector", "");
    }
    SECTION("its samples do not ascend") {
        script("kv_cache", "matrix",
               R"({"metric":{"__name__":"up"},"values":[[1700000000,"1"],[1699999999,"1"]]})");
    }
    CHECK(replicas(models)[0].error().is(Errc::bad_response));
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
    CHECK(fake.query_count() == 1);
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
