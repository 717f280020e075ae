// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/testing/backend_conformance.hpp"

#include "unit/backend/backend_fixture.hpp"
#include "wva_metrics/backend/layered_backend.hpp"
#include "wva_metrics/testing/fake_backend.hpp"

#include <boost/asio/post.hpp>
#include <catch2/catch_all.hpp>

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using testing::BackendConformance;
using testing::ConformanceSubject;

const VariantAutoscaling first_subject{"llm", "a-va", "model/a", "a"};
const VariantAutoscaling second_subject{"llm", "b-va", "model/b", "b"};

/// A backend that conforms, except for what a test spoils.
class SpoiltBackend {
public:
    using Metrics = std::vector<Result<OptimizerMetrics>>;
    using Samples = std::vector<Result<ReplicaSamples>>;

    struct Spoils {
        std::function<void(Metrics&, const std::vector<VariantAutoscaling>&)> metrics =
            [](auto&, const auto&) {};
        std::function<void(Samples&)> samples = [](auto&) {};
        std::function<void(Result<Availability>&)> verdict = [](auto&) {};
    };

    SpoiltBackend(testing::FakeBackend<> inner, Spoils spoils)
        : inner_(std::move(inner)), spoils_(std::move(spoils)) {}

    asio::awaitable<Result<Availability>> check_availability(ModelKey model) {
        Result<Availability> verdict = co_await inner_.check_availability(std::move(model));
        spoils_.verdict(verdict);
        co_return verdict;
    }
    asio::awaitable<Metrics> fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
        Metrics answers = co_await inner_.fetch_optimizer_metrics(variants);
        spoils_.metrics(answers, variants);
        co_return answers;
    }
    asio::awaitable<Samples> fetch_replica_samples(std::vector<ModelKey> models) {
        Samples answers = co_await inner_.fetch_replica_samples(std::move(models));
        spoils_.samples(answers);
        co_return answers;
    }

private:
    testing::FakeBackend<> inner_;
    Spoils spoils_;
};

struct SpoiltSubject {
    SpoiltSubject() {
        for (const VariantAutoscaling& variant : {first_subject, second_subject}) {
            OptimizerMetrics metrics;
            metrics.namespace_name = variant.namespace_name;
            metrics.variant = variant.name;
            metrics.arrival_rate_per_minute = Reading<double>::measured(60, seen_at);
            fake.set(metrics);
            ReplicaSamples samples;
            samples.model = variant.model();
            for (const char* pod : {"pod-1", "pod-2"}) {
                ReplicaSample sample;
                sample.pod = pod;
                sample.queue_length = Reading<double>::measured(0, seen_at);
                sample.kv_cache_usage = Reading<double>::measured(0.5, seen_at);
                samples.pods.push_back(sample);
            }
            fake.set(samples);
        }
        for (const ModelKey& unknown : {ModelKey{"llm", "no-such/model"}})
            fake.set(unknown, Availability{.message = "no such model"});
    }
    std::vector<std::string> check(SpoiltBackend::Spoils spoils = {}) {
        return BackendConformance<SpoiltBackend>(
                   {.context = io,
                    .make = [&] { return SpoiltBackend(fake, spoils); },
                    .variants = {first_subject, second_subject},
                    .break_source = [&] { fake.fail(Error(Errc::unreachable, "down")); },
                    .repair_source = [&] { fake.recover(); }})
            .check();
    }

    const TimePoint seen_at = std::chrono::steady_clock::now() - 1s;
    asio::io_context io;
    testing::FakeBackend<> fake;
};

/// Whether one of the problems contains the text.
bool mentions(const std::vector<std::string>& problems, const std::string& text) {
    for (const std::string& problem : problems)
        if (problem.find(text) != std::string::npos)
            return true;
    return false;
}

} // namespace

TEST_CASE("backends that keep their contract conform") {
    CHECK(SpoiltSubject().check() == std::vector<std::string>{});
}

TEST_CASE("answers that are not those of the targets do not conform") {
    SpoiltSubject subject;
    SpoiltBackend::Spoils spoils;
    spoils.metrics = [](auto& answers, const auto&) {
        if (!answers.empty())
            answers.pop_back();
    };
    CHECK(mentions(subject.check(spoils), "answers for"));
    spoils.metrics = [](auto& answers, const auto&) {
        std::reverse(answers.begin(), answers.end());
    };
    CHECK(mentions(subject.check(spoils), "order of the targets"));
    spoils.metrics = [](auto& answers, const auto& targets) {
        if (targets.size() > 2) // One bad variant spoils all.
            for (auto& answer : answers)
                answer = Error(Errc::invalid_argument, "bad variant");
    };
    CHECK(mentions(subject.check(spoils), "beside those of a bad variant: an error"));
    spoils.metrics = [](auto&, const auto&) { throw std::runtime_error("broken"); };
    CHECK(mentions(subject.check(spoils), "throws: broken"));
}

TEST_CASE("a zero for what is not known does not conform") {
    SpoiltSubject subject;
    SpoiltBackend::Spoils spoils;
    spoils.metrics = [&](auto& answers, const auto&) {
        for (auto& answer : answers)
            if (answer.has_value() && !answer->arrival_rate_per_minute.has_value())
                answer->arrival_rate_per_minute = Reading<double>::measured(0, subject.seen_at);
    };
    CHECK(mentions(subject.check(spoils), "does not know: a reading has a value"));
    spoils = {};
    spoils.metrics = [](auto& answers, const auto&) {
        for (auto& answer : answers) // An outage reads like an idle model.
            if (answer.has_error())
                answer = OptimizerMetrics();
    };
    CHECK(mentions(subject.check(spoils), "while the source fails: an answer without a value"));
    spoils.metrics = [](auto& answers, const auto&) {
        for (auto& answer : answers)
            if (answer.has_error()) {
                answer = OptimizerMetrics();
                answer->arrival_rate_per_minute =
                    Reading<double>::measured(0, std::chrono::steady_clock::now());
            }
    };
    CHECK(mentions(subject.check(spoils), "when the source had failed"));
}

TEST_CASE("readings that cannot be do not conform") {
    SpoiltSubject subject;
    const auto with = [&](Reading<double> reading) {
        SpoiltBackend::Spoils spoils;
        spoils.metrics = [reading](auto& answers, const auto&) {
            for (auto& answer : answers)
                if (answer.has_value() && answer->arrival_rate_per_minute.has_value())
                    answer->ttft_seconds = reading;
        };
        return subject.check(spoils);
    };
    const TimePoint now = std::chrono::steady_clock::now();
    CHECK(mentions(with(Reading<double>::measured(-1, now)), "negative"));
    CHECK(mentions(with(Reading<double>::measured(1, now + 1h)), "future"));
    CHECK(mentions(with(Reading<double>::measured(1, TimePoint())), "no time"));
    CHECK(mentions(with(Reading<double>::missing(ReadingReason::none)), "no reason"));
}

TEST_CASE("pods in disorder, twice, gone and listed, or fuller than full do not conform") {
    SpoiltSubject subject;
    const auto with = [&](std::function<void(ReplicaSamples&)> change) {
        SpoiltBackend::Spoils spoils;
        spoils.samples = [change](auto& answers) {
            for (auto& answer : answers)
                if (answer.has_value() && !answer->pods.empty())
                    change(*answer);
        };
        return subject.check(spoils);
    };
    CHECK(mentions(with([](auto& samples) { std::swap(samples.pods[0], samples.pods[1]); }),
                   "sorted by name"));
    CHECK(mentions(with([](auto& samples) { samples.pods[1].pod = samples.pods[0].pod; }),
                   "each once"));
    CHECK(mentions(with([](auto& samples) { samples.gone_pods = {"pod-1"}; }), "is gone"));
    CHECK(mentions(with([](auto& samples) { samples.gone_pods = {"y", "x"}; }), "gone_pods"));
    CHECK(mentions(with([&](auto& samples) {
                       samples.pods[0].kv_cache_usage =
                           Reading<double>::measured(45, subject.seen_at);
                   }),
                   "fraction"));
}

TEST_CASE("a verdict that is not that of the source does not conform") {
    SpoiltSubject subject;
    SpoiltBackend::Spoils spoils;
    spoils.verdict = [](auto& verdict) {
        if (verdict.has_value())
            verdict = Availability{
                .available = true, .reason = AvailabilityReason::metrics_found, .message = "found"};
    };
    CHECK(mentions(subject.check(spoils), "unknown model: it is available"));
    spoils.verdict = [](auto& verdict) { verdict = Availability{.message = "none"}; };
    const std::vector<std::string> problems = subject.check(spoils);
    CHECK(mentions(problems, "availability of a known model"));
    CHECK(mentions(problems, "nobody could look"));
}

TEST_CASE("the backends of Prometheus and of layers conform") {
    BackendFixture f;
    for (const VariantAutoscaling& variant : {first_subject, second_subject}) {
        const Server server{variant.deployment + "-7d9f8b6c5d-aaaaa", variant.model_id};
        f.set_load(server, 1);
        f.set_queue(server, 0);
        f.set_kv(server, 0.5);
    }
    const auto breaks = [&] { f.fake.stop(); };
    const auto repairs = [&] { f.fake.start(); };
    SECTION("Prometheus") {
        CHECK(BackendConformance<PrometheusBackend>({.context = f.io,
                                                     .make = [&] { return f.backend(); },
                                                     .variants = {first_subject, second_subject},
                                                     .break_source = breaks,
                                                     .repair_source = repairs})
                  .check() == std::vector<std::string>{});
    }
    SECTION("layers") {
        using Layers = LayeredBackend<testing::FakeBackend<>, PrometheusBackend>;
        testing::FakeBackend<> silent;
        silent.fail(Error(Errc::unreachable, "down"));
        CHECK(BackendConformance<Layers>(
                  {.context = f.io,
                   .make = [&] { return Layers({.patience = 1min}, silent, f.backend()); },
                   .variants = {first_subject, second_subject},
                   .break_source = breaks,
                   .repair_source = repairs})
                  .check() == std::vector<std::string>{});
    }
}
