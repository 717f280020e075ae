// SPDX-License-Identifier: Apache-2.0
#include "support/counted_calls.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Calls the collector from each event, as a logger or an autoscaler that reacts at once may do.
template <typename Act>
class ReentrantObserver {
public:
    explicit ReentrantObserver(Act act) : act_(std::move(act)) {}

    template <typename Event>
    void operator()(const Event&) {
        act_(typeid(Event).name());
    }

private:
    Act act_;
};

struct ReentrantFixture : CountedCalls {
    /// What an observer may do while it is called.
    struct Act {
        ReentrantFixture* fixture;
        void operator()(std::string_view event) const { fixture->on_event(event); }
    };
    using CollectorType =
        Collector<ManualBackend, MemoryCache, ReentrantObserver<Act>, ManualTimer>;

    explicit ReentrantFixture(const CollectorConfig& config = {}) {
        collector = std::make_unique<CollectorType>(io.get_executor(), backend, config,
                                                    ReentrantObserver(Act{this}));
        has_collector = true;
    }
    ~ReentrantFixture() { has_collector = false; }
    ReentrantFixture(const ReentrantFixture&) = delete;
    ReentrantFixture& operator=(const ReentrantFixture&) = delete;

    void on_event(std::string_view event) {
        events.emplace(event);
        // A call from an event makes events, too.
        if (!has_collector || depth == 2 || calls == 2000)
            return;
        ++depth;
        ++calls;
        begin([this] { collector->async_collect_optimizer_metrics(variant("v"), counter()); });
        begin([this] { collector->async_collect_replica_metrics(model, {}, counter()); });
        begin([this] { collector->async_validate_availability(model, counter()); });
        (void)collector->find_optimizer_metrics({"llm", "v"});
        (void)collector->find_replica_metrics(model, {});
        (void)collector->track(variant("w"));
        (void)collector->invalidate_variant(variant("w"));
        (void)collector->invalidate_model({"llm", "other"});
        collector->untrack(VariantKey{"llm", "w"});
        (void)collector->start_background_fetching();
        (void)collector->stats();
        (void)collector->health();
        (void)collector->config();
        if (restarts-- > 0) {
            collector->stop_background_fetching();
            (void)collector->reconfigure(collector->config());
        }
        --depth;
    }

    ModelKey model{"llm", "meta/llama"};
    ManualBackend backend;
    std::set<std::string> events;
    int depth = 0;
    int calls = 0;
    int restarts = 5;
    /// False while the collector is made and destroyed, which has events, too.
    bool has_collector = false;
    std::unique_ptr<CollectorType> collector;
};

} // namespace

TEST_CASE("an observer may call everything of the collector from every event") {
    ReentrantFixture f;
    (void)f.collector->start_background_fetching();
    f.settle();
    for (int i = 0; i < 8; ++i) {
        f.begin([&] { f.collector->async_collect_optimizer_metrics(variant("v"), f.counter()); });
        f.advance(20s);
    }
    f.backend.fail(Error(Errc::unavailable, "down"));
    for (int i = 0; i < 8; ++i)
        f.advance(20s);
    f.advance(10min);
    CHECK(f.ended == f.begun);
    CHECK(f.calls > 100);
    CHECK(f.events.size() > 10);
    CHECK(f.collector->stats().in_flight == 0);
}
