// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/settings/detail/settings_fields.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;

namespace {

/// Converts to the type of any member.
struct Anything {
    template <typename T>
    operator T() const {
        std::abort(); // Never called.
    }
};

template <typename T, std::size_t... I>
constexpr bool has_members(std::index_sequence<I...>) {
    return requires {
        T{(static_cast<void>(I), Anything())...};
    };
}

/// The number of members of an aggregate: the largest number of values that initializes it.
template <typename T, std::size_t Count = 0>
constexpr std::size_t count_members() {
    if constexpr (has_members<T>(std::make_index_sequence<Count + 1>()))
        return count_members<T, Count + 1>();
    else
        return Count;
}

/// The number of members that a document cannot contain: objects, and what only a search finds out.
template <typename T>
constexpr std::size_t objects_in() {
    std::size_t count = 0;
    if constexpr (requires(T described) { described.transport; })
        ++count;
    if constexpr (requires(T described) { described.decompressor; })
        ++count;
    if constexpr (requires(T described) { described.owners; })
        ++count;
    if constexpr (requires(T described) { described.find_targets; })
        ++count;
    if constexpr (requires(T described) { described.is_about_request; })
        ++count;
    if constexpr (requires(T described) { described.problem; })
        ++count;
    return count;
}

template <typename T>
constexpr std::size_t members_of() {
    return count_members<T>() - objects_in<T>();
}

/// The number of described members; a group counts as one.
template <typename T>
std::size_t described_in() {
    T described{};
    std::set<std::string> names;
    for (const detail::Field& field : detail::fields_of(described))
        names.insert(field.path.substr(0, field.path.find('.')));
    return names.size();
}

} // namespace

TEMPLATE_TEST_CASE("every member of a struct is a field of the document", "", CollectorSettings,
                   CollectorConfig, CacheConfig, FreshnessThresholds, http::TlsConfig,
                   TrackedSettings, PrometheusConfig, EngineProfile, EngineLabels, KubeStateNames,
                   promql::QueryWindows, promql::PlanLimits, http::ClientConfig, http::Timeouts,
                   http::Limits, http::Header, prometheus::AnswerLimits, PodConfig, PodService,
                   scrape::ScrapeTarget, scrape::ScheduleConfig, scrape::StoreLimits,
                   exposition::PageLimits, orca::OrcaIngestConfig, orca::OrcaLimits, EppConfig) {
    CHECK(described_in<TestType>() == members_of<TestType>());
}

TEST_CASE("only direct members are counted") {
    struct Inner {
        int a;
        std::string b;
    };
    struct Outer {
        Inner first;
        std::string second;
        Inner third = {};
    };
    CHECK(count_members<Inner>() == 2);
    CHECK(count_members<Outer>() == 3);
}

TEST_CASE("the fields of the HTTP client are fields of the Prometheus client") {
    CHECK(described_in<prometheus::ClientConfig>() ==
          members_of<prometheus::ClientConfig>() - 1 + described_in<http::ClientConfig>());
}

TEST_CASE("the fields of layers are all but the names, which the factory gives") {
    CHECK(described_in<LayeredConfig>() == members_of<LayeredConfig>() - 1);
    CHECK(described_in<PodSettings>() == described_in<PodConfig>() + 2);
    CHECK(described_in<EppSettings>() == described_in<EppConfig>() + 1);
}

TEST_CASE("every metric of an EPP is a field, under the name of its enumerator") {
    EppNames names;
    const std::vector<detail::Field> fields = detail::fields_of(names);
    REQUIRE(fields.size() == epp_metric_count);
    CHECK(fields.front().path == "ready_endpoints");
    CHECK(fields.back().path == "inter_token_latency");
    CHECK(to_string(static_cast<EppMetric>(epp_metric_count)) == "unknown");
}

TEST_CASE("the fields of pods in Kubernetes are its members, of its client those that are needed") {
    CHECK(described_in<KubernetesPodSettings>() == members_of<KubernetesPodSettings>());
}

TEST_CASE("every member of a workload is a field of the document") {
    // These are not aggregates, so their members cannot be counted. Their sizes are compared
    // instead.
    struct Variant {
        std::string texts[5];
        double cost;
        std::string target_kind;
    };
    CHECK(sizeof(VariantAutoscaling) == sizeof(Variant));
    CHECK(described_in<VariantAutoscaling>() == 7);
    struct Model {
        std::string texts[2];
    };
    CHECK(sizeof(ModelKey) == sizeof(Model));
    CHECK(described_in<ModelKey>() == 2);
}

TEST_CASE("every field has its own path, its own member and a meaning") {
    CollectorSettings settings;
    std::set<std::string> paths;
    std::set<const void*> members;
    for (const detail::Field& field : detail::fields_of(settings)) {
        CAPTURE(field.path);
        CHECK(paths.insert(field.path).second);
        if (!field.deprecated_path.empty())
            CHECK(paths.insert(field.deprecated_path).second);
        CHECK(members
                  .insert(std::visit(
                      [](const auto* target) { return static_cast<const void*>(target); },
                      field.target))
                  .second);
        CHECK(field.meaning.ends_with('.'));
    }
}
