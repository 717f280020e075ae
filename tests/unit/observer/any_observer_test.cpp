// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/observer/any_observer.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

using namespace wva_metrics;

namespace {

static_assert(CollectorObserver<AnyObserver>);
static_assert(std::is_convertible_v<NullObserver, AnyObserver>);
static_assert(!std::is_constructible_v<AnyObserver, int>);

/// Writes down the name of every hook, and what it was told.
struct Everything {
    std::shared_ptr<std::vector<std::string>> seen = std::make_shared<std::vector<std::string>>();
    void note(const std::string& what) { seen->push_back(what); }

    void on_configured(const CollectorConfig& c) {
        note("configured " + std::to_string(c.max_tracked));
    }
    void on_hit(const LookupEvent& e) { note("hit " + std::string(e.key.name)); }
    void on_stale_hit(const LookupEvent& e) { note("stale_hit " + std::string(e.key.name)); }
    void on_miss(const LookupEvent& e) { note("miss " + std::string(e.key.name)); }
    void on_joined(const LookupEvent& e) { note("joined " + std::string(e.key.name)); }
    void on_fetch(const FetchEvent& e) { note("fetch " + std::to_string(e.targets)); }
    void on_fetched(const FetchEvent& e) { note("fetched " + std::to_string(e.targets)); }
    void on_failure(const FailureEvent& e) { note("failure " + e.error.message); }
    void on_stale_on_error(const LookupEvent& e) {
        note("stale_on_error " + std::string(e.key.name));
    }
    void on_discarded(const LookupEvent& e) { note("discarded " + std::string(e.key.name)); }
    void on_warnings(const CacheKeyView&, const std::vector<std::string>& w) {
        note("warnings " + w.at(0));
    }
    void on_pods_left_out(const ModelReplicas& r) { note("pods_left_out " + r.gone_pods.at(0)); }
    void on_invalidated(std::string_view key, std::size_t n) {
        note("invalidated " + std::string(key) + std::to_string(n));
    }
    void on_tracked(const CacheKeyView& key) { note("tracked " + std::string(key.name)); }
    void on_untracked(const CacheKeyView& key, bool idle) {
        note("untracked " + std::string(key.name) + (idle ? " idle" : ""));
    }
    void on_background_started(Duration every) { note("started " + std::to_string(every.count())); }
    void on_background_stopped() { note("stopped"); }
    void on_round(const RoundEvent& e) { note("round " + std::to_string(e.models)); }
    void on_cleanup(std::size_t n) { note("cleanup " + std::to_string(n)); }
};

template <typename Observer>
void call_every_hook(Observer& observer) {
    const CacheKeyView key = optimizer_key("ns", "v");
    const LookupEvent lookup{key, {}};
    const Error error(Errc::timeout, "slow");
    CollectorConfig config;
    config.max_tracked = 5;
    ModelReplicas replicas;
    replicas.gone_pods = {"p"};
    observer.on_configured(config);
    observer.on_hit(lookup);
    observer.on_stale_hit(lookup);
    observer.on_miss(lookup);
    observer.on_joined(lookup);
    observer.on_fetch({EntryKind::replica, 2, 0, {}, false});
    observer.on_fetched({EntryKind::replica, 3, 0, {}, false});
    observer.on_failure({key, error, false, false});
    observer.on_stale_on_error(lookup);
    observer.on_discarded(lookup);
    observer.on_warnings(key, {"w"});
    observer.on_pods_left_out(replicas);
    observer.on_invalidated("k", 6);
    observer.on_tracked(key);
    observer.on_untracked(key, true);
    observer.on_background_started(Duration(7));
    observer.on_background_stopped();
    observer.on_round({1, 8, 0, {}});
    observer.on_cleanup(9);
}

} // namespace

TEST_CASE("an AnyObserver passes every hook on to the observer inside, which its copies share") {
    Everything direct;
    call_every_hook(direct);
    REQUIRE(direct.seen->size() == 19);

    const Everything inside;
    AnyObserver any = inside;
    AnyObserver copy = any;
    call_every_hook(copy);
    CHECK(*inside.seen == *direct.seen);
}

TEST_CASE("an AnyObserver of nothing watches nothing") {
    AnyObserver nobody;
    CHECK_NOTHROW(call_every_hook(nobody));
}
