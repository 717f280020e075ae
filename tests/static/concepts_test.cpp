// SPDX-License-Identifier: Apache-2.0
//
// Which types satisfy a concept and which do not, mainly near misses. The test is that this file
// compiles.
#include "wva_metrics/any_collector.hpp"
#include "wva_metrics/attribution/any_pod_owners.hpp"
#include "wva_metrics/attribution/attribution.hpp"
#include "wva_metrics/backend/any_backend.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/observer/any_observer.hpp"
#include "wva_metrics/observer/log_observer.hpp"
#include "wva_metrics/observer/observer.hpp"
#include "wva_metrics/observer/trace_observer.hpp"

#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>
#include <variant>

namespace wva_metrics {
namespace {

// MetricsCache

static_assert(MetricsCache<NoOpCache>);
static_assert(MetricsCache<MemoryCache>);
static_assert(MetricsCache<ShardedCache>);
static_assert(!MetricsCache<int>);
static_assert(!MetricsCache<const MemoryCache>, "a const cache cannot store anything");
static_assert(!MetricsCache<std::shared_ptr<MemoryCache>>, "a pointer is not a cache");

template <typename Cache>
concept MadeFromConfig = std::constructible_from<Cache, const CacheConfig&>;
static_assert(MadeFromConfig<NoOpCache>);
static_assert(MadeFromConfig<MemoryCache>);
static_assert(MadeFromConfig<ShardedCache>);

struct UserCache {
    template <typename Visitor>
    bool visit(const CacheKeyView&, TimePoint, Visitor&&);
    CacheEntryPtr find(const CacheKeyView&, TimePoint);
    bool insert_or_assign(const CacheKeyView&, CacheEntryPtr);
    bool erase(const CacheKeyView&);
    std::size_t erase_prefix(std::string_view);
    std::size_t erase_expired(TimePoint);
    void clear();
    std::size_t size() const;
    CacheStats stats() const;
};
static_assert(MetricsCache<UserCache>, "insert_or_assign may return anything");

struct VisitTakesNoVisitor : UserCache {
    bool visit(const CacheKeyView&, TimePoint);
};
static_assert(!MetricsCache<VisitTakesNoVisitor>);

struct VisitReturnsNothing : UserCache {
    template <typename Visitor>
    void visit(const CacheKeyView&, TimePoint, Visitor&&);
};
static_assert(!MetricsCache<VisitReturnsNothing>);

struct FindHasItsOwnClock : UserCache {
    CacheEntryPtr find(const CacheKeyView&);
};
static_assert(!MetricsCache<FindHasItsOwnClock>);

struct FindGivesMutableEntries : UserCache {
    std::shared_ptr<CacheEntry> find(const CacheKeyView&, TimePoint);
};
static_assert(!MetricsCache<FindGivesMutableEntries>);

struct InsertTakesTheAnswerItself : UserCache {
    void insert_or_assign(const CacheKeyView&, CachePayload);
};
static_assert(!MetricsCache<InsertTakesTheAnswerItself>);

struct EraseCounts : UserCache {
    std::size_t erase(const CacheKeyView&);
};
static_assert(!MetricsCache<EraseCounts>);

struct ErasePrefixOfAKind : UserCache {
    std::size_t erase_prefix(EntryKind);
};
static_assert(!MetricsCache<ErasePrefixOfAKind>);

struct EraseExpiredCountsNothing : UserCache {
    void erase_expired(TimePoint);
};
static_assert(!MetricsCache<EraseExpiredCountsNothing>);

struct ClearIsPrivate : UserCache {
private:
    void clear();
};
static_assert(!MetricsCache<ClearIsPrivate>);

struct SizeIsNotConst : UserCache {
    std::size_t size();
};
static_assert(!MetricsCache<SizeIsNotConst>);

struct StatsAreNotOurs : UserCache {
    std::size_t stats() const;
};
static_assert(!MetricsCache<StatsAreNotOurs>);

// CollectorObserver

using Logger = LogObserver<void (*)(LogLevel, std::string_view)>;
static_assert(CollectorObserver<NullObserver>);
static_assert(CollectorObserver<Logger>);
static_assert(CollectorObserver<LogObserver<std::function<void(LogLevel, std::string_view)>>>);
static_assert(std::copy_constructible<Logger>);
using Tracer = TraceObserver<void (*)(std::string_view)>;
static_assert(CollectorObserver<Tracer>);
static_assert(std::copy_constructible<Tracer>);
static_assert(!CollectorObserver<int>);

static_assert(CollectorObserver<void (*)(const Event&)>);

struct CountsHits {
    void operator()(const events::Hit&);
};
static_assert(CollectorObserver<CountsHits>);

struct TakesByValue {
    void operator()(events::FetchEnded);
};
static_assert(CollectorObserver<TakesByValue>);

struct HandlesAnyOfTwo {
    void operator()(std::variant<events::Hit, events::StaleHit>);
};
static_assert(CollectorObserver<HandlesAnyOfTwo>);

struct HandlesNoEvent {
    void operator()(const CacheKeyView&);
};
static_assert(!CollectorObserver<HandlesNoEvent>);

struct TakesNoEvent {
    void operator()();
};
static_assert(!CollectorObserver<TakesNoEvent>);

struct WantsToChangeTheEvent {
    void operator()(events::RoundEnded&);
};
static_assert(!CollectorObserver<WantsToChangeTheEvent>);

struct HandlesInPrivate {
private:
    void operator()(const events::TargetFailed&);
};
static_assert(!CollectorObserver<HandlesInPrivate>);

struct DerivesAndHidesAll : NullObserver {
    void operator()(const CacheKeyView&);
};
static_assert(!CollectorObserver<DerivesAndHidesAll>);

// A look-up's event is a key and an age: without an observer nothing is constructed for it but
// these, and its delivery cannot throw.
static_assert(std::is_trivially_destructible_v<events::Hit>);
static_assert(std::is_nothrow_invocable_v<NullObserver&, const events::Hit&>);
static_assert(std::is_empty_v<NullObserver>);

template <typename Write>
concept CanBeLoggedThrough = requires {
    typename LogObserver<Write>;
};
static_assert(!CanBeLoggedThrough<void (*)(std::string_view)>, "the level is missing");

// PodOwners

static_assert(PodOwners<NoPodOwners>);
static_assert(!PodStates<NoPodOwners>);
static_assert(PodOwners<AnyPodOwners> && PodStates<AnyPodOwners>);

struct KnowsOwners {
    std::optional<PodOwner> find(std::string_view, const std::string_view&) const;
};
static_assert(PodOwners<KnowsOwners>);

struct FindIsNotConst {
    std::optional<PodOwner> find(std::string_view, std::string_view);
};
static_assert(!PodOwners<FindIsNotConst>);

struct AlwaysKnows {
    PodOwner find(std::string_view, std::string_view) const;
};
static_assert(!PodOwners<AlwaysKnows>);

struct KnowsOneNamespace {
    std::optional<PodOwner> find(std::string_view) const;
};
static_assert(!PodOwners<KnowsOneNamespace>);

// MetricsBackend

struct UserBackend {
    asio::awaitable<Result<Availability>> check_availability(ModelKey);
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(const std::vector<VariantAutoscaling>&);
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
        fetch_replica_samples(std::vector<ModelKey>);
};
static_assert(MetricsBackend<UserBackend>, "it may take its arguments by value or by reference");
static_assert(!MetricsBackend<int>);
static_assert(!MetricsBackend<const UserBackend>);

struct ValidatesAtOnce : UserBackend {
    Result<Availability> check_availability(const ModelKey&);
};
static_assert(!MetricsBackend<ValidatesAtOnce>);

struct ValidatesWithoutErrors : UserBackend {
    asio::awaitable<Availability> check_availability(const ModelKey&);
};
static_assert(!MetricsBackend<ValidatesWithoutErrors>);

struct OneErrorForAll : UserBackend {
    asio::awaitable<Result<std::vector<OptimizerMetrics>>>
    fetch_optimizer_metrics(const std::vector<VariantAutoscaling>&);
};
static_assert(!MetricsBackend<OneErrorForAll>);

struct OneTargetAtATime : UserBackend {
    asio::awaitable<Result<ReplicaSamples>> fetch_replica_samples(const ModelKey&);
};
static_assert(!MetricsBackend<OneTargetAtATime>);

struct WantsToChangeTheTargets : UserBackend {
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey>&);
};
static_assert(!MetricsBackend<WantsToChangeTheTargets>);

struct AnswersWithReplicas : UserBackend {
    asio::awaitable<std::vector<Result<ModelReplicas>>>
    fetch_replica_samples(const std::vector<ModelKey>&);
};
static_assert(!MetricsBackend<AnswersWithReplicas>, "pods are attributed to variants later");

static_assert(MetricsBackend<AnyBackend>);
static_assert(DiagnosingBackend<AnyBackend> && !DiagnosingBackend<UserBackend>);
static_assert(PrioritizingBackend<AnyBackend> && !PrioritizingBackend<UserBackend>);
static_assert(ProtectedBackend<AnyBackend> && !ProtectedBackend<UserBackend>);
struct DiagnosesWithoutErrors : UserBackend {
    asio::awaitable<Diagnosis> diagnose(const ModelKey&, const std::vector<VariantAutoscaling>&);
};
static_assert(!DiagnosingBackend<DiagnosesWithoutErrors>);
static_assert(std::convertible_to<UserBackend, AnyBackend>);
static_assert(std::convertible_to<UserBackend, Result<AnyBackend>>);
static_assert(!std::convertible_to<ValidatesAtOnce, AnyBackend>);
static_assert(std::movable<AnyBackend> && !std::copy_constructible<AnyBackend>);
static_assert(std::convertible_to<CountsHits, AnyObserver>);
static_assert(!std::convertible_to<HandlesNoEvent, AnyObserver>);
static_assert(std::copyable<AnyObserver> && std::default_initializable<AnyObserver>);

// ResizableCache

static_assert(ResizableCache<NoOpCache>);
static_assert(ResizableCache<MemoryCache>);
static_assert(ResizableCache<ShardedCache>);
static_assert(MetricsCache<UserCache> && !ResizableCache<UserCache>);

// SelectiveCache

static_assert(SelectiveCache<NoOpCache>);
static_assert(SelectiveCache<MemoryCache>);
static_assert(SelectiveCache<ShardedCache>);
static_assert(MetricsCache<UserCache> && !SelectiveCache<UserCache>);

// MetricsCollector

using AnyPolicies = Collector<UserBackend, UserCache>;
static_assert(MetricsCollector<AnyPolicies>);
static_assert(MetricsCollector<Collector<UserBackend, MemoryCache, CountsHits>>);
static_assert(MetricsCollector<AnyCollector>);
static_assert(DiagnosingCollector<AnyCollector> && !DiagnosingCollector<AnyPolicies>);
static_assert(DiagnosingCollector<Collector<AnyBackend, UserCache>>);
static_assert(!MetricsCollector<int>);
static_assert(!MetricsCollector<const AnyPolicies>);
static_assert(!MetricsCollector<std::shared_ptr<AnyPolicies>>, "a pointer is not a collector");
static_assert(std::convertible_to<AnyPolicies, AnyCollector>);
static_assert(std::convertible_to<AnyPolicies, Result<AnyCollector>>);
static_assert(!std::convertible_to<UserBackend, AnyCollector>);
static_assert(std::movable<AnyCollector> && !std::copy_constructible<AnyCollector>);

struct FindsWithoutVariants : AnyCollector {
    std::optional<ReplicaSnapshot> find_replica_metrics(const ModelKey&);
};
static_assert(!MetricsCollector<FindsWithoutVariants>);

struct CollectsAtOnce : AnyCollector {
    Result<OptimizerSnapshot> async_collect_optimizer_metrics(const VariantAutoscaling&);
};
static_assert(!MetricsCollector<CollectsAtOnce>, "it must take a completion token");

struct ReconfiguresSilently : AnyCollector {
    void reconfigure(const CollectorConfig&);
};
static_assert(!MetricsCollector<ReconfiguresSilently>);

} // namespace
} // namespace wva_metrics
