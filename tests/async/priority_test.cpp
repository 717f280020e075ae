// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"
#include "wva_metrics/any_collector.hpp"
#include "wva_metrics/backend/any_backend.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Records the kind and the priority of each batch. Copies share the record.
class PriorityRecorder : public ManualBackend {
public:
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants,
                            Priority priority = Priority::interactive) {
        note("variants", priority);
        return ManualBackend::fetch_optimizer_metrics(std::move(variants));
    }
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models, Priority priority = Priority::interactive) {
        note("models", priority);
        return ManualBackend::fetch_replica_samples(std::move(models));
    }

    std::vector<std::string> take() { return std::exchange(*seen_, {}); }

private:
    void note(const std::string& kind, Priority priority) {
        seen_->push_back(kind + (priority == Priority::background ? " in background" : ""));
    }

    std::shared_ptr<std::vector<std::string>> seen_ = std::make_shared<std::vector<std::string>>();
};

template <typename Backend>
void check_priorities(PriorityRecorder recorder, Backend backend) {
    asio::io_context io;
    Collector<Backend, MemoryCache, NullObserver, ManualTimer> collector(io.get_executor(),
                                                                         std::move(backend));
    const auto settle = [&](Duration by) {
        ManualClock::advance(by);
        io.restart();
        io.poll();
    };
    const ModelKey asked_model{"llm", "meta/llama"};
    const auto ignore = [](const auto&) {};
    collector.async_collect_optimizer_metrics(variant("v"), ignore);
    collector.async_collect_replica_metrics(asked_model, {}, ignore);
    settle(0s);
    using Kinds = std::vector<std::string>;
    CHECK(recorder.take() == Kinds{"variants", "models"});

    REQUIRE(collector.start_background_fetching());
    settle(15s);
    CHECK(recorder.take() == Kinds{"variants in background", "models in background"});

    // A stale answer that is replaced behind a caller who has it already.
    collector.stop_background_fetching();
    settle(31s);
    collector.async_collect_optimizer_metrics(variant("v"), ignore);
    settle(0s);
    CHECK(recorder.take() == Kinds{"variants"});
}

} // namespace

TEST_CASE("a backend that wants to know is told whether a batch belongs to a background round") {
    const PriorityRecorder recorder;
    check_priorities(recorder, recorder);
    check_priorities(recorder, AnyBackend(recorder));
}

TEST_CASE("a backend without a priority is asked as before") {
    STATIC_CHECK_FALSE(PrioritizingBackend<ManualBackend>);
    STATIC_CHECK(PrioritizingBackend<PriorityRecorder>);
    STATIC_CHECK(PrioritizingBackend<AnyBackend>);
    const ManualBackend backend;
    asio::io_context io;
    Collector<AnyBackend, MemoryCache, NullObserver, ManualTimer> collector(io.get_executor(),
                                                                            AnyBackend(backend));
    collector.track(variant("v"));
    REQUIRE(collector.start_background_fetching());
    ManualClock::advance(15s);
    io.poll();
    CHECK(backend.variants_requested().size() == 1);
}
