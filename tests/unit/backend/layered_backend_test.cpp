// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/layered_backend.hpp"
#include "wva_metrics/testing/fake_backend.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

using Layer = testing::FakeBackend<>;
using TwoLayers = LayeredBackend<Layer, Layer>;

const ModelKey layered_model{"llm", "meta/llama"};
const VariantAutoscaling layered_variant{"llm", "v", "meta/llama", "llama"};

OptimizerMetrics rate_of(double per_minute, Duration age) {
    OptimizerMetrics metrics;
    metrics.namespace_name = "llm";
    metrics.variant = "v";
    metrics.model_id = "meta/llama";
    metrics.arrival_rate_per_minute =
        Reading<double>::measured(per_minute, std::chrono::steady_clock::now() - age);
    return metrics;
}

struct LayeredFixture {
    Layer pods;
    Layer prometheus;
    LayeredConfig config{.names = {"pods", "prometheus"}, .patience = 1min};

    template <typename T>
    T run(asio::awaitable<T> operation) {
        asio::io_context io;
        std::optional<T> answer;
        asio::co_spawn(io, std::move(operation), [&](std::exception_ptr thrown, T result) {
            if (thrown)
                std::rethrow_exception(thrown);
            answer.emplace(std::move(result));
        });
        while (!answer)
            if (io.run_one_for(2min) == 0)
                throw std::runtime_error("it does not end");
        return *std::move(answer);
    }
    Result<OptimizerMetrics> fetch() {
        TwoLayers backend(config, pods, prometheus);
        return run(backend.fetch_optimizer_metrics({layered_variant})).front();
    }
};

static_assert(MetricsBackend<TwoLayers> && PrioritizingBackend<TwoLayers> &&
              ProtectedBackend<TwoLayers>);
static_assert(MetricsBackend<LayeredBackend<Layer>>);

} // namespace

TEST_CASE("a layered backend asks all sources at once, and names the one that answered") {
    LayeredFixture f;
    f.pods.set(rate_of(60, 1s));
    f.prometheus.set(rate_of(90, 20s));
    const Result<OptimizerMetrics> metrics = f.fetch();
    REQUIRE(metrics.has_value());
    CHECK(metrics->arrival_rate_per_minute.value() == 60);
    CHECK(metrics->arrival_rate_per_minute.layer() == 1);
    CHECK(f.pods.batches() == 1);
    CHECK(f.prometheus.batches() == 1);
}

TEST_CASE("a source that fails is left out, and a warning says so") {
    LayeredFixture f;
    f.prometheus.set(rate_of(90, 20s));
    f.pods.fail(Error(Errc::unreachable, "no connection", "http://pod"));
    const Result<OptimizerMetrics> metrics = f.fetch();
    REQUIRE(metrics.has_value());
    CHECK(metrics->arrival_rate_per_minute.value() == 90);
    CHECK(metrics->arrival_rate_per_minute.layer() == 2);
    CHECK_FALSE(metrics->partial);
    REQUIRE(metrics->warnings.size() == 1);
    CHECK_THAT(metrics->warnings.front(),
               ContainsSubstring("pods failed") && ContainsSubstring("no connection"));
}

TEST_CASE("a source that throws is left out for all targets") {
    LayeredFixture f;
    f.pods.throw_always(std::make_exception_ptr(std::runtime_error("broken")));
    TwoLayers backend(f.config, f.pods, f.prometheus);
    const std::vector<VariantAutoscaling> variants(3, layered_variant);
    const auto answers = f.run(backend.fetch_optimizer_metrics(variants));
    REQUIRE(answers.size() == 3);
    for (const Result<OptimizerMetrics>& answer : answers) {
        REQUIRE(answer.has_value());
        REQUIRE(answer->warnings.size() == 1);
        CHECK_THAT(answer->warnings.front(), ContainsSubstring("broken"));
    }
}

TEST_CASE("if all sources fail, the error is that of the first with what the others said") {
    LayeredFixture f;
    f.pods.fail(Error(Errc::unreachable, "no connection", "http://pod"));
    f.prometheus.fail(Error(Errc::unauthorized, "no token", "http://prometheus"));
    const Result<OptimizerMetrics> metrics = f.fetch();
    REQUIRE(metrics.has_error());
    CHECK(metrics.error().is(Errc::unreachable));
    CHECK(metrics.error().endpoint == "http://pod");
    CHECK_THAT(metrics.error().message, ContainsSubstring("no connection") &&
                                            ContainsSubstring("prometheus failed") &&
                                            ContainsSubstring("no token"));
}

TEST_CASE("a source that does not answer holds up nobody for longer than patience") {
    LayeredFixture f;
    f.config.patience = 0s;
    f.pods.hold();
    f.prometheus.set(rate_of(90, 20s));
    const Result<OptimizerMetrics> metrics = f.fetch();
    REQUIRE(metrics.has_value());
    CHECK(metrics->arrival_rate_per_minute.value() == 90);
    REQUIRE(metrics->warnings.size() == 1);
    CHECK_THAT(metrics->warnings.front(), ContainsSubstring("not answered in time"));
}

TEST_CASE("an answer that is an error does not end the patience with the others") {
    LayeredFixture f;
    f.config.patience = 0s;
    f.pods.fail(Error(Errc::unreachable, "no connection"));
    f.prometheus.delay(20ms);
    f.prometheus.set(rate_of(90, 20s));
    const Result<OptimizerMetrics> metrics = f.fetch();
    REQUIRE(metrics.has_value());
    CHECK(metrics->arrival_rate_per_minute.value() == 90);
}

TEST_CASE("a model is available if one source has its metrics") {
    LayeredFixture f;
    f.pods.set(layered_model, Availability{.message = "missing"});
    f.prometheus.set(layered_model, Availability{.available = true,
                                                 .reason = AvailabilityReason::metrics_found,
                                                 .message = "found"});
    TwoLayers backend(f.config, f.pods, f.prometheus);
    const Result<Availability> verdict = f.run(backend.check_availability(layered_model));
    REQUIRE(verdict.has_value());
    CHECK(verdict->message == "found");
    f.prometheus.fail(Error(Errc::timeout, "late"));
    const Result<Availability> missing = f.run(backend.check_availability(layered_model));
    REQUIRE(missing.has_value());
    CHECK(missing->reason == AvailabilityReason::metrics_missing);
}

TEST_CASE("a layered backend that was destroyed ends its calls nevertheless") {
    LayeredFixture f;
    f.pods.set(rate_of(60, 1s));
    std::optional<TwoLayers> backend(std::in_place, f.config, f.pods, f.prometheus);
    auto fetching = backend->fetch_optimizer_metrics({layered_variant});
    backend.reset();
    const auto answers = f.run(std::move(fetching));
    REQUIRE(answers.size() == 1);
    CHECK(answers.front()->arrival_rate_per_minute.value() == 60);
}

TEST_CASE("names for backends that do not exist, and durations below zero, are refused") {
    LayeredFixture f;
    f.config.names = {"a", "b", "c"};
    CHECK_THROWS_WITH(TwoLayers(f.config, f.pods, f.prometheus), ContainsSubstring("3 names"));
    f.config = {.patience = -1s, .tolerance = 2};
    CHECK_THROWS_WITH(TwoLayers(f.config, f.pods, f.prometheus),
                      ContainsSubstring("patience") && ContainsSubstring("tolerance"));
}

TEST_CASE("a source that could read nothing does not end the patience with the others") {
    LayeredFixture f;
    f.config.patience = 0s;
    OptimizerMetrics unread = rate_of(0, 0s);
    unread.arrival_rate_per_minute = Reading<double>::missing(ReadingReason::unread);
    unread.partial = true;
    f.pods.set(unread);
    f.prometheus.delay(20ms);
    f.prometheus.set(rate_of(90, 20s));
    const Result<OptimizerMetrics> metrics = f.fetch();
    REQUIRE(metrics.has_value());
    CHECK(metrics->arrival_rate_per_minute.value() == 90);
}

TEST_CASE("the answer for one target never stands for another") {
    const std::vector<Result<OptimizerMetrics>> one(1, rate_of(60, 1s));
    CHECK_FALSE(detail::failure_of(std::optional(one), 0, 1));
    REQUIRE(detail::failure_of(std::optional(one), 1, 2));
    CHECK(detail::failure_of(std::optional(one), 0, 2)->is(Errc::internal));
    CHECK_THAT(detail::failure_of(std::optional(one), 1, 2)->message,
               ContainsSubstring("1 answers for 2 targets"));
    const std::vector<Result<OptimizerMetrics>> thrown(1, Error(Errc::internal, "broken"));
    CHECK(detail::failure_of(std::optional(thrown), 1, 2)->message == "broken");
}
