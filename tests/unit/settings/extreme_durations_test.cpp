// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"
#include "support/settings_samples.hpp"
#include "wva_metrics/backend/layered_backend.hpp"
#include "wva_metrics/backend/pod_backend.hpp"
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/config_warnings.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/owner_resolver_config.hpp"
#include "wva_metrics/resilience/hedging.hpp"
#include "wva_metrics/settings/validate_settings.hpp"
#include "wva_metrics/testing/fake_prometheus.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr Duration extremes[] = {Duration::max(), Duration::min(), Duration(-1), Duration::zero(),
                                 Duration(1)};

/// A member that holds a duration, and its path.
struct DurationMember {
    std::string path;
    Duration* value;
};

/// All members of this type that a document has, so that a new one is tested too.
std::vector<DurationMember> durations_of(CollectorSettings& settings) {
    std::vector<DurationMember> found;
    for (const wva_metrics::detail::Field& field : wva_metrics::detail::fields_of(settings))
        if (Duration* const* value = std::get_if<Duration*>(&field.target))
            found.push_back({field.path, *value});
    return found;
}

/// Uses each time of a collector: hits, rounds, cleanups, stale answers, failures, reconfiguration.
void use(const CollectorConfig& config) {
    CollectorFixture f(config);
    f.backend.set(optimizer_metrics("v", 5));
    f.backend.set(replica_samples(f.model, {"llama-7d9f8b6c5d-aaaaa"}));
    f.collector->track(variant("v"));
    f.collector->start_background_fetching();
    for (const Duration step : {Duration(1), Duration(1s), Duration(20s), Duration(6min)}) {
        static_cast<void>(f.collect(variant("v")));
        static_cast<void>(f.collect(f.model, {variant("v")}));
        static_cast<void>(f.check_availability(f.model));
        f.advance(step);
        static_cast<void>(f.collector->find_optimizer_metrics(variant("v").key()));
    }
    f.backend.fail(Error(Errc::unavailable, "out of order"));
    static_cast<void>(f.collect(variant("v")));
    static_cast<void>(f.collect(variant("w")));
    CHECK(f.collector->reconfigure(CollectorConfig{}).has_value());
    CHECK(f.collector->reconfigure(config).has_value());
    f.advance(1s);
    static_cast<void>(f.collector->stats());
    static_cast<void>(warnings(config));
}

/// Uses each time of a Prometheus backend and its HTTP client. Returns whether it got an answer.
bool use(PrometheusConfig config) {
    boost::asio::io_context io;
    testing::FakePrometheus fake(io);
    config.client.http.url = fake.url();
    PrometheusBackend backend(io.get_executor(), config);
    std::optional<bool> answered;
    boost::asio::co_spawn(
        io, backend.fetch_replica_samples({ModelKey{"llm", "meta/llama"}}),
        [&](const std::exception_ptr& failure, const std::vector<Result<ReplicaSamples>>& answers) {
            answered = !failure && answers.at(0).has_value();
        });
    while (!answered && io.run_one_for(2min) > 0) {
    }
    return answered.value();
}

/// Uses each time of a backend of pods and of layers. The server has no page.
void use_pods(const CollectorSettings& settings) {
    boost::asio::io_context io;
    testing::FakePrometheus fake(io);
    PodConfig config = settings.pods;
    config.targets.push_back({.url = fake.url(), .pod = "a", .namespace_name = "llm"});
    LayeredBackend<PodBackend> backend(settings.layered,
                                       PodBackend(io.get_executor(), std::move(config)));
    std::vector<ModelKey> models(1, ModelKey("llm", "meta/llama"));
    bool is_done = false;
    boost::asio::co_spawn(io, backend.fetch_replica_samples(std::move(models)),
                          [&](const std::exception_ptr&, const auto&) { is_done = true; });
    while (!is_done && io.run_one_for(2min) > 0) {
    }
    CHECK(is_done);
}

} // namespace

TEST_CASE("every duration of a document is refused by its name, or works however long it is") {
    CollectorSettings settings = test::valid_settings();
    const std::vector<DurationMember> members = durations_of(settings);
    CHECK(members.size() >= 35);
    for (const DurationMember& member : members) {
        const Duration usual = *member.value;
        for (const Duration extreme : extremes) {
            CAPTURE(member.path, extreme.count());
            *member.value = extreme;
            const std::vector<SettingsProblem> problems = validate(settings);
            if (extreme < Duration::zero())
                CHECK_FALSE(problems.empty());
            // Some are refused together with a neighbour, which the problem names then.
            const std::string group = member.path.substr(0, member.path.rfind('.'));
            for (const SettingsProblem& problem : problems)
                CHECK_THAT(problem.describe(), ContainsSubstring(group));
            if (!problems.empty())
                continue;
            if (member.path.starts_with("collector."))
                use(settings.collector);
            else if (member.path.starts_with("prometheus.") && extreme == Duration::max())
                CHECK(use(settings.prometheus));
            else if (member.path.starts_with("prometheus."))
                static_cast<void>(use(settings.prometheus));
            else if ((member.path.starts_with("pods.") || member.path.starts_with("layered.")) &&
                     extreme == Duration::max())
                use_pods(settings);
        }
        *member.value = usual;
    }
}

TEST_CASE("an answer that may live for ever is a hit for ever, and a window without end has none") {
    CollectorConfig config;
    SECTION("the time to live") {
        config.cache.ttl = Duration::max();
        config.cache.freshness_thresholds.unavailable = Duration::max();
    }
    SECTION("the window while it is fetched again") {
        config.cache.stale_while_revalidate = Duration::max();
    }
    SECTION("the window while the backend fails") {
        config.cache.stale_if_error = Duration::max();
    }
    config.cache.cleanup_interval = 1min;
    config.untrack_after = Duration::max();
    CollectorFixture f(config);
    f.backend.set(optimizer_metrics("v", 5));
    CHECK(f.collect(variant("v")).has_value());
    f.backend.fail(Error(Errc::unavailable, "out of order"));
    for (int year = 0; year < 3; ++year) {
        f.advance(std::chrono::hours(24 * 365));
        CHECK(f.collect(variant("v")).has_value());
    }
    CHECK(f.collector->stats().tracked_variants == 1);
}

TEST_CASE("every duration of a cluster's clients is refused by its name, or may be so long") {
    kubernetes::ClientConfig client;
    client.http.url = "http://127.0.0.1:8001";
    kubernetes::OwnerResolverConfig resolver;
    resolver.namespaces = {"llm"};
    resilience::HedgingConfig hedging;
    using Members = std::vector<DurationMember>;
    const auto check = [](const Members& members, auto& config, const Members& endless) {
        for (const DurationMember& member : members) {
            const Duration usual = *member.value;
            for (const Duration extreme : extremes) {
                CAPTURE(member.path, extreme.count());
                *member.value = extreme;
                const std::vector<std::string> problems = validate(config);
                for (const std::string& problem : problems)
                    CHECK_THAT(problem, ContainsSubstring(member.path));
                const bool may_be_endless =
                    std::ranges::any_of(endless, [&](const DurationMember& each) {
                        return each.value == member.value;
                    });
                if (extreme < Duration::zero())
                    CHECK_FALSE(problems.empty());
                if (extreme == Duration::max())
                    CHECK(problems.empty() == may_be_endless);
            }
            *member.value = usual;
        }
    };
    check({{"page_timeout", &client.page_timeout},
           {"watch_timeout", &client.watch_timeout},
           {"idle_timeout", &client.idle_timeout},
           {"min_watch_time", &client.min_watch_time},
           {"initial_backoff", &client.initial_backoff},
           {"max_backoff", &client.max_backoff}},
          client, {{"min_watch_time", &client.min_watch_time}});
    const Members of_resolver = {{"max_staleness", &resolver.max_staleness},
                                 {"deleted_pod_retention", &resolver.deleted_pod_retention}};
    check(of_resolver, resolver, of_resolver);
    check({{"min_delay", &hedging.min_delay}}, hedging, {});
}
