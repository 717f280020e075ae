// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/observer/observer.hpp"

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Any observer, chosen at run time, or none: passes each hook on, at the cost of one indirect
/// call.
///
/// Copies share the observer inside. What each hook means, and from where it is called, is said at
/// `NullObserver`.
class AnyObserver {
public:
    /// Watches nothing.
    AnyObserver() = default;
    /// Takes an observer over. Implicit, so that one can be passed where any is wanted.
    template <typename Observer>
        requires(!std::same_as<Observer, AnyObserver> && CollectorObserver<Observer>)
    AnyObserver(Observer observer)
        : observer_(std::make_shared<Model<Observer>>(std::move(observer))) {}

    /// The collector was made, or reconfigured.
    void on_configured(const CollectorConfig& config) {
        if (observer_)
            observer_->on_configured(config);
    }
    /// Served from the cache within the TTL.
    void on_hit(const LookupEvent& event) {
        if (observer_)
            observer_->on_hit(event);
    }
    /// Served from the cache past the TTL.
    void on_stale_hit(const LookupEvent& event) {
        if (observer_)
            observer_->on_stale_hit(event);
    }
    /// Not in the cache.
    void on_miss(const LookupEvent& event) {
        if (observer_)
            observer_->on_miss(event);
    }
    /// A miss joined a fetch that was already under way.
    void on_joined(const LookupEvent& event) {
        if (observer_)
            observer_->on_joined(event);
    }
    /// A batch is about to be sent.
    void on_fetch(const FetchEvent& event) {
        if (observer_)
            observer_->on_fetch(event);
    }
    /// A batch has been answered, well or not.
    void on_fetched(const FetchEvent& event) {
        if (observer_)
            observer_->on_fetched(event);
    }
    /// One target failed.
    void on_failure(const FailureEvent& event) {
        if (observer_)
            observer_->on_failure(event);
    }
    /// The last good value was served because the backend failed.
    void on_stale_on_error(const LookupEvent& event) {
        if (observer_)
            observer_->on_stale_on_error(event);
    }
    /// An answer arrived that was no longer wanted.
    void on_discarded(const LookupEvent& event) {
        if (observer_)
            observer_->on_discarded(event);
    }
    /// The backend had something to say beside the answer.
    void on_warnings(const CacheKeyView& key, const std::vector<std::string>& warnings) {
        if (observer_)
            observer_->on_warnings(key, warnings);
    }
    /// Some pods fit none of a caller's variants, or are gone.
    void on_pods_left_out(const ModelReplicas& replicas) {
        if (observer_)
            observer_->on_pods_left_out(replicas);
    }
    /// Entries were invalidated, by key or by prefix.
    void on_invalidated(std::string_view key_or_prefix, std::size_t entries) {
        if (observer_)
            observer_->on_invalidated(key_or_prefix, entries);
    }
    /// Background fetching of something began.
    void on_tracked(const CacheKeyView& key) {
        if (observer_)
            observer_->on_tracked(key);
    }
    /// Background fetching of something ended.
    void on_untracked(const CacheKeyView& key, bool idle) {
        if (observer_)
            observer_->on_untracked(key, idle);
    }
    /// Background fetching started; zero: it is switched off.
    void on_background_started(Duration interval) {
        if (observer_)
            observer_->on_background_started(interval);
    }
    /// Background fetching stopped.
    void on_background_stopped() {
        if (observer_)
            observer_->on_background_stopped();
    }
    /// A background round has ended.
    void on_round(const RoundEvent& event) {
        if (observer_)
            observer_->on_round(event);
    }
    /// Expired entries were removed.
    void on_cleanup(std::size_t entries) {
        if (observer_)
            observer_->on_cleanup(entries);
    }

private:
    class Interface {
    public:
        virtual ~Interface() = default;
        virtual void on_configured(const CollectorConfig& config) = 0;
        virtual void on_hit(const LookupEvent& event) = 0;
        virtual void on_stale_hit(const LookupEvent& event) = 0;
        virtual void on_miss(const LookupEvent& event) = 0;
        virtual void on_joined(const LookupEvent& event) = 0;
        virtual void on_fetch(const FetchEvent& event) = 0;
        virtual void on_fetched(const FetchEvent& event) = 0;
        virtual void on_failure(const FailureEvent& event) = 0;
        virtual void on_stale_on_error(const LookupEvent& event) = 0;
        virtual void on_discarded(const LookupEvent& event) = 0;
        virtual void on_warnings(const CacheKeyView& key,
                                 const std::vector<std::string>& warnings) = 0;
        virtual void on_pods_left_out(const ModelReplicas& replicas) = 0;
        virtual void on_invalidated(std::string_view key_or_prefix, std::size_t entries) = 0;
        virtual void on_tracked(const CacheKeyView& key) = 0;
        virtual void on_untracked(const CacheKeyView& key, bool idle) = 0;
        virtual void on_background_started(Duration interval) = 0;
        virtual void on_background_stopped() = 0;
        virtual void on_round(const RoundEvent& event) = 0;
        virtual void on_cleanup(std::size_t entries) = 0;
    };

    template <typename Observer>
    class Model final : public Interface {
    public:
        explicit Model(Observer observer) : observer_(std::move(observer)) {}
        void on_configured(const CollectorConfig& config) override {
            observer_.on_configured(config);
        }
        void on_hit(const LookupEvent& event) override { observer_.on_hit(event); }
        void on_stale_hit(const LookupEvent& event) override { observer_.on_stale_hit(event); }
        void on_miss(const LookupEvent& event) override { observer_.on_miss(event); }
        void on_joined(const LookupEvent& event) override { observer_.on_joined(event); }
        void on_fetch(const FetchEvent& event) override { observer_.on_fetch(event); }
        void on_fetched(const FetchEvent& event) override { observer_.on_fetched(event); }
        void on_failure(const FailureEvent& event) override { observer_.on_failure(event); }
        void on_stale_on_error(const LookupEvent& event) override {
            observer_.on_stale_on_error(event);
        }
        void on_discarded(const LookupEvent& event) override { observer_.on_discarded(event); }
        void on_warnings(const CacheKeyView& key,
                         const std::vector<std::string>& warnings) override {
            observer_.on_warnings(key, warnings);
        }
        void on_pods_left_out(const ModelReplicas& replicas) override {
            observer_.on_pods_left_out(replicas);
        }
        void on_invalidated(std::string_view key_or_prefix, std::size_t entries) override {
            observer_.on_invalidated(key_or_prefix, entries);
        }
        void on_tracked(const CacheKeyView& key) override { observer_.on_tracked(key); }
        void on_untracked(const CacheKeyView& key, bool idle) override {
            observer_.on_untracked(key, idle);
        }
        void on_background_started(Duration interval) override {
            observer_.on_background_started(interval);
        }
        void on_background_stopped() override { observer_.on_background_stopped(); }
        void on_round(const RoundEvent& event) override { observer_.on_round(event); }
        void on_cleanup(std::size_t entries) override { observer_.on_cleanup(entries); }

    private:
        Observer observer_;
    };

    std::shared_ptr<Interface> observer_;
};

} // namespace wva_metrics
