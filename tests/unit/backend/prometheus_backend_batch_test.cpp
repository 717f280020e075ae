// SPDX-License-Identifier: Apache-2.0
#include "backend_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::WithinRel;

namespace {

const std::string pod_a = "llama-7d9f8b6c5d-aaaaa";

struct BatchFixture : BackendFixture {
    /// Model `m<i>` in a namespace, with one pod that finishes `i + 1` requests per second.
    void serve(std::size_t first, std::size_t last, const std::string& namespace_name = "llm") {
        for (std::size_t i = first; i < last; ++i) {
            variants.push_back(variant_of("llama", "m" + std::to_string(i), namespace_name));
            models.push_back(variants.back().model());
            const Server server{pod_a, models.back().model_id, namespace_name};
            fake.set_rate(series("vllm:request_success_total", server), static_cast<double>(i + 1),
                          1min);
            set_kv(server, 1 / static_cast<double>(i + 1));
        }
    }
    void serve(std::size_t count) { serve(0, count); }

    static bool is_rate_of(const Result<OptimizerMetrics>& answer, std::size_t model) {
        return answer.has_value() && answer->arrival_rate_per_minute.has_value() &&
               WithinRel(60 * static_cast<double>(model + 1), 1e-6)
                   .match(answer->arrival_rate_per_minute.value());
    }
    static bool is_kv_of(const Result<ReplicaSamples>& answer, std::size_t model) {
        return answer.has_value() && answer->pods.size() == 1 &&
               answer->pods[0].kv_cache_usage.value_or(-1) == 1 / static_cast<double>(model + 1);
    }
    std::size_t count_queries(const std::string& metric) const {
        const auto queries = fake.queries();
        return static_cast<std::size_t>(
            std::count_if(queries.begin(), queries.end(), [&](const auto& query) {
                return query.text.find(metric) != std::string::npos;
            }));
    }

    std::vector<VariantAutoscaling> variants;
    std::vector<ModelKey> models;
};

std::size_t count_backend_errors(const OptimizerMetrics& metrics) {
    const std::array readings = {metrics.arrival_rate_per_minute, metrics.avg_input_tokens,
                                 metrics.avg_output_tokens, metrics.ttft_seconds,
                                 metrics.itl_seconds};
    return static_cast<std::size_t>(
        std::count_if(readings.begin(), readings.end(), [](const Reading<double>& reading) {
            return reading.reason() == ReadingReason::backend_error;
        }));
}

std::string api_error(const std::string& type, const std::string& text) {
    return R"({"status":"error","errorType":")" + type + R"(","error":")" + text + "\"}";
}

} // namespace

TEST_CASE_METHOD(BatchFixture, "a thousand variants of a thousand models take one query a signal") {
    SECTION("in one namespace") {
        serve(1000);
    }
    SECTION("in four") {
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

TEST_CASE_METHOD(BatchFixture, "thousands of variants of one model look at each pod once") {
    // Every variant looking at every pod would take minutes here.
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

TEST_CASE_METHOD(BatchFixture, "all questions of a batch are under way at once") {
    serve(1);
    fake.hold();
    std::optional<std::vector<Result<OptimizerMetrics>>> answers;
    PrometheusBackend asked = backend();
    asio::co_spawn(io, asked.fetch_optimizer_metrics(variants),
                   [&](std::exception_ptr, auto result) { answers = std::move(result); });
    wait_until([&] { return fake.query_count() == 6; });
    CHECK_FALSE(answers.has_value());
    fake.release();
    wait_until([&] { return answers.has_value(); });
    CHECK(is_rate_of(answers->at(0), 0));
}

TEST_CASE_METHOD(BatchFixture, "no more questions are under way than there may be connections") {
    serve(1);
    fake.hold();
    config.client.http.limits.max_connections = 2;
    bool is_over = false;
    PrometheusBackend asked = backend();
    asio::co_spawn(io, asked.fetch_optimizer_metrics(variants),
                   [&](std::exception_ptr, auto) { is_over = true; });
    wait_until([&] { return fake.query_count() == 2; });
    run_ready(io);
    CHECK(fake.query_count() == 2);
    fake.release();
    wait_until([&] { return is_over; });
    CHECK(fake.query_count() == 6);
}

TEST_CASE_METHOD(BatchFixture, "answers come in the order of the questions, also where some are "
                               "asked twice") {
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

TEST_CASE_METHOD(BatchFixture, "an empty batch asks nothing") {
    CHECK(optimizer(variants).empty());
    CHECK(replicas(models).empty());
    CHECK(fake.query_count() == 0);
}

TEST_CASE_METHOD(BatchFixture, "a question that cannot be asked spoils no other's answer") {
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

TEST_CASE_METHOD(BatchFixture, "where one signal cannot be had the others are there") {
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

TEST_CASE_METHOD(BatchFixture, "where nothing can be had the answer is the error, and not zeros") {
    serve(2);
    SECTION("because Prometheus says so") {
        fake.fail_next(20, 503, "come back later");
        for (const auto& answer : optimizer(variants)) {
            CHECK(answer.error().is(Errc::unavailable));
            CHECK_THAT(answer.error().describe(),
                       ContainsSubstring("come back later") && ContainsSubstring(fake.url()));
        }
        for (const auto& answer : replicas(models))
            CHECK(answer.error().is(Errc::unavailable));
    }
    SECTION("because nobody is there") {
        fake.stop();
        run_ready(io);
        for (const auto& answer : optimizer(variants))
            CHECK(answer.error().is(Errc::unreachable));
        for (const auto& answer : replicas(models))
            CHECK(answer.error().is(Errc::unreachable));
    }
}

TEST_CASE_METHOD(BatchFixture, "a refusal that will not change is not asked for again") {
    serve(8);
    config.use_kube_state = false;
    fake.fail_next(20, 400, api_error("bad_data", "unknown function"));
    for (const auto& answer : optimizer(variants))
        CHECK(answer.error().is(Errc::rejected));
    CHECK(fake.query_count() == 5);
}

TEST_CASE_METHOD(BatchFixture, "a Prometheus that never answers costs a batch its time-out and no "
                               "more") {
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

TEST_CASE_METHOD(BatchFixture, "a query that is too costly is halved until it is not") {
    serve(8);
    // A model takes 6 samples: 5 of the range, and the last one for its time.
    fake.limit_samples(2 * 6);
    const auto metrics = optimizer(variants);
    for (std::size_t i = 0; i < 8; ++i) {
        CAPTURE(i);
        CHECK(is_rate_of(metrics[i], i));
        CHECK_FALSE(metrics[i].value().partial);
    }
    CHECK(count_queries("request_success_total") == 1 + 2 + 4);
    CHECK(count_queries("time_to_first_token") == 1);
}

TEST_CASE_METHOD(BatchFixture, "the size that was answered is kept to in the next batch") {
    serve(8);
    fake.limit_samples(2 * 6);
    PrometheusBackend asked = backend();
    run(asked.fetch_optimizer_metrics(variants));
    fake.forget_queries();
    const auto metrics = run(asked.fetch_optimizer_metrics(variants));
    for (std::size_t i = 0; i < 8; ++i)
        CHECK(is_rate_of(metrics[i], i));
    CHECK(count_queries("request_success_total") == 4);
    CHECK(count_queries("time_to_first_token") == 1); // Another signal's.
}

TEST_CASE_METHOD(BatchFixture, "only a model that is too costly alone fails") {
    serve(8);
    for (int pod = 0; pod < 5; ++pod)
        set_requests({"llama-7d9f8b6c5d-bbbb" + std::to_string(pod), "m3"}, 1);
    fake.limit_samples(2 * 6);
    const auto metrics = optimizer(variants);
    for (std::size_t i = 0; i < 8; ++i) {
        CAPTURE(i);
        if (i == 3)
            continue;
        CHECK(is_rate_of(metrics[i], i));
        CHECK_FALSE(metrics[i].value().partial);
    }
    const OptimizerMetrics& heavy = metrics[3].value();
    CHECK(heavy.arrival_rate_per_minute.reason() == ReadingReason::backend_error);
    CHECK(heavy.ttft_seconds.reason() == ReadingReason::no_series);
    CHECK(heavy.partial);
    CHECK_THAT(heavy.warnings.at(0), ContainsSubstring("too many samples"));
}

TEST_CASE_METHOD(BatchFixture, "every refusal that a smaller query may not meet halves the query") {
    serve(2);
    config.use_kube_state = false;
    SECTION("too many samples") {
        fake.fail_next(
            1, 422,
            api_error("execution", "query processing would load too many samples into memory"));
    }
    SECTION("a body too large for a proxy") {
        fake.fail_next(1, 413, "Payload Too Large");
    }
    SECTION("a regex that nests too deeply") {
        fake.fail_next(
            1, 400,
            api_error("bad_data", R"(invalid parameter \"query\": 1:3: parse error: error parsing )"
                                  R"(regexp: expression nests too deeply: `^(?:)" +
                                      std::string(20'000, 'a') + ")$`"));
    }
    SECTION("a time-out of the server's") {
        fake.fail_next(1, 503, api_error("timeout", "query timed out in expression evaluation"));
    }
    const auto samples = replicas(models);
    CHECK(fake.query_count() == 2 + 2);
    CHECK(is_kv_of(samples[0], 0));
    CHECK(is_kv_of(samples[1], 1));
    CHECK_FALSE(samples[0].value().partial);
}

TEST_CASE_METHOD(BatchFixture, "an answer beyond a bound is asked for in halves") {
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

TEST_CASE_METHOD(BatchFixture, "a model whose answer is beyond a bound fails alone, and the bound "
                               "is named") {
    serve(4);
    for (int pod = 0; pod < 20; ++pod)
        set_kv({"llama-7d9f8b6c5d-bbb" + std::to_string(10 + pod), "m2"}, 0.5);
    config.client.answer.max_series = 10;
    const auto samples = replicas(models);
    CHECK(is_kv_of(samples[0], 0));
    CHECK(is_kv_of(samples[1], 1));
    CHECK(is_kv_of(samples[3], 3));
    CHECK(samples[2].value().partial);
    CHECK_THAT(samples[2].value().warnings.at(0), ContainsSubstring("max_series"));
}

TEST_CASE_METHOD(BatchFixture, "a query stays within the length that is allowed") {
    serve(100);
    config.limits.max_query_bytes = 4096;
    const auto metrics = optimizer(variants);
    for (std::size_t i = 0; i < 100; ++i)
        REQUIRE(is_rate_of(metrics[i], i));
    for (const auto& query : fake.queries())
        CHECK(query.text.size() <= 4096);
}

TEST_CASE_METHOD(BatchFixture, "where only short GETs are taken, models are asked about in small "
                               "groups") {
    serve(64);
    fake.refuse_post();
    config.client.max_get_bytes = 2048;
    const auto samples = replicas(models);
    for (std::size_t i = 0; i < 64; ++i) {
        CAPTURE(i);
        REQUIRE(is_kv_of(samples[i], i));
    }
}

TEST_CASE_METHOD(BatchFixture, "an unsound configuration is the answer to everything, with all "
                               "that is wrong, and nothing is sent") {
    serve(1);
    config.min_requests = -1;
    config.engine.labels.pod = "no label";
    const auto is_complete = [](const Error& error) {
        return error.is(Errc::invalid_config) &&
               error.message.find("min_requests") != std::string::npos &&
               error.message.find("no label") != std::string::npos;
    };
    CHECK(is_complete(optimizer(variants)[0].error()));
    CHECK(is_complete(replicas(models)[0].error()));
    CHECK(is_complete(check_availability(models[0]).error()));
    CHECK(fake.query_count() == 0);
}

TEST_CASE_METHOD(BatchFixture, "many models are not named, until their namespaces hold much more") {
    serve(100);
    const std::vector<VariantAutoscaling> asked = variants;
    const PrometheusBackend asking = backend();
    const auto ask = [&] { return run(PrometheusBackend(asking).fetch_optimizer_metrics(asked)); };
    const auto all_are_right = [](const std::vector<Result<OptimizerMetrics>>& answers) {
        for (std::size_t i = 0; i < answers.size(); ++i)
            if (!is_rate_of(answers[i], i))
                return false;
        return answers.size() == 100;
    };
    CHECK(all_are_right(ask()));
    CHECK(count_queries("model_name=") == 0);
    serve(100, 150); // Others', but not the most.
    CHECK(all_are_right(ask()));
    CHECK(all_are_right(ask()));
    CHECK(count_queries("model_name=") == 0);
    serve(150, 250);
    CHECK(all_are_right(ask()));
    const std::size_t before = count_queries("model_name=");
    CHECK(all_are_right(ask()));
    CHECK(count_queries("model_name=") == before + 5);
}

TEST_CASE_METHOD(BatchFixture,
                 "models are named where an answer about their namespaces is too much") {
    serve(100);
    fake.fail_next(6, 422, api_error("execution", "query processing would load too many samples"));
    const auto answers = run(backend().fetch_optimizer_metrics(variants));
    REQUIRE(answers.size() == 100);
    for (std::size_t i = 0; i < answers.size(); ++i)
        CHECK(is_rate_of(answers[i], i));
    CHECK(count_queries("model_name=") == 5); // Not halved: named, they are answered.
}
