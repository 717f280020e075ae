// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/settings/detail/settings_fields.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <utility>

using namespace wva_metrics;

namespace {

/// Becomes whatever a member wants to be made of.
struct Anything {
    template <typename T>
    operator T() const;
};

template <typename T, std::size_t... I>
constexpr bool has_members(std::index_sequence<I...>) {
    return requires {
        T{(static_cast<void>(I), Anything())...};
    };
}

/// Members of an aggregate: so many values initialize it, and one more does not.
template <typename T, std::size_t Count = 0>
constexpr std::size_t count_members() {
    if constexpr (has_members<T>(std::make_index_sequence<Count + 1>()))
        return count_members<T, Count + 1>();
    else
        return Count;
}

/// Members that are objects and no data, which no document can hold.
template <typename T>
constexpr std::size_t objects_in() {
    std::size_t count = 0;
    if constexpr (requires(T described) { described.transport; })
        ++count;
    if constexpr (requires(T described) { described.decompressor; })
        ++count;
    if constexpr (requires(T described) { described.owners; })
        ++count;
    return count;
}

template <typename T>
constexpr std::size_t members_of() {
    return count_members<T>() - objects_in<T>();
}

/// Members that are described, groups counted once.
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
                   CollectorConfig, CacheConfig, FreshnessThresholds, TlsSettings, TrackedSettings,
                   PrometheusConfig, EngineProfile, EngineLabels, KubeStateNames,
                   promql::QueryWindows, promql::PlanLimits, http::ClientConfig, http::Timeouts,
                   http::Limits, http::Header, prometheus::AnswerLimits) {
    CHECK(described_in<TestType>() == members_of<TestType>());
}

TEST_CASE("members are counted, those of the members not") {
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

TEST_CASE("the fields of the HTTP client stand beside those of the Prometheus client") {
    CHECK(described_in<prometheus::ClientConfig>() ==
          members_of<prometheus::ClientConfig>() - 1 + described_in<http::ClientConfig>());
}

TEST_CASE("every member of a workload is a field of the document") {
    // These are no aggregates, so their members cannot be counted: their sizes are compared.
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

TEST_CASE("no two fields have the same path or the same place, and each has a meaning") {
    CollectorSettings settings;
    std::set<std::string> paths;
    std::set<const void*> places;
    for (const detail::Field& field : detail::fields_of(settings)) {
        CAPTURE(field.path);
        CHECK(paths.insert(field.path).second);
        CHECK(places
                  .insert(std::visit(
                      [](const auto* target) { return static_cast<const void*>(target); },
                      field.target))
                  .second);
        CHECK(field.meaning.ends_with('.'));
    }
}
