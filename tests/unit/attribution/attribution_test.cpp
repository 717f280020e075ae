// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/attribution/attribution.hpp"

#include "support/replica_samples.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support::replicas;
using namespace std::chrono_literals;

namespace {

/// The owners of some pods in the namespace "prod".
struct KnownOwners {
    std::map<std::string, PodOwner, std::less<>> owners;

    std::optional<PodOwner> find(std::string_view namespace_name, std::string_view pod) const {
        const auto found = owners.find(pod);
        if (namespace_name != "prod" || found == owners.end())
            return std::nullopt;
        return found->second;
    }
};

} // namespace

TEST_CASE("two variants of one workload cause a warning that names its kind") {
    VariantAutoscaling first = variant_of_kind("StatefulSet", "llama");
    VariantAutoscaling second = first;
    second.name = "Another";
    const std::vector<VariantAutoscaling> variants = {first, second};
    const ModelReplicas attributed = attribute(samples_of({"llama-0"}), variants);
    REQUIRE(attributed.warnings.size() == 1);
    CHECK_THAT(attributed.warnings[0], Catch::Matchers::StartsWith("StatefulSet 'llama'"));
    CHECK(attributed.replicas.at(0).variant == "Another");
}

TEST_CASE("each replica has the source of its owner, and its state") {
    ReplicaSamples samples;
    samples.model = model;
    samples.pods.push_back(
        sample_of("llama-66b4c-aaaaa",
                  PodOwner{"ReplicaSet", "llama-66b4c", OwnerSource::kube_state_metrics}));
    samples.pods.push_back(sample_of("llama-66b4c-bbbbb"));
    samples.pods.push_back(sample_of("llama-66b4c-ccccc"));
    samples.pods.back().state = PodState::terminating;
    samples.pods.push_back(sample_of("llama-66b4c-ddddd", PodOwner{"Deployment", "llama"}));
    const KnownOwners owners{
        {{"llama-66b4c-ccccc", {"Deployment", "llama", OwnerSource::owner_references}}}};
    const auto variants = variants_of({"llama"});

    const ModelReplicas attributed = attribute(samples, variants, owners);
    REQUIRE(attributed.replicas.size() == 4);
    CHECK(attributed.replicas[0].attributed_by == OwnerSource::kube_state_metrics);
    CHECK(attributed.replicas[0].state == PodState::unknown);
    CHECK(attributed.replicas[1].attributed_by == OwnerSource::pod_name);
    CHECK(attributed.replicas[2].attributed_by == OwnerSource::owner_references);
    CHECK(attributed.replicas[2].state == PodState::terminating);
    CHECK(attributed.replicas[3].attributed_by == OwnerSource::unknown);
}

TEST_CASE("states from the owners take precedence over those in the samples") {
    struct Lives {
        std::map<std::string, PodState, std::less<>> states;
        std::optional<PodOwner> find(std::string_view, std::string_view) const { return {}; }
        PodState state_of(std::string_view, std::string_view pod) const {
            const auto found = states.find(pod);
            return found == states.end() ? PodState::unknown : found->second;
        }
    };
    ReplicaSamples samples =
        samples_of({"llama-66b4c-aaaaa", "llama-66b4c-bbbbb", "llama-66b4c-ccccc"});
    for (ReplicaSample& sample : samples.pods)
        sample.state = PodState::ready;
    samples.gone_pods = {"llama-66b4c-zzzzz"};
    const Lives lives{
        {{"llama-66b4c-aaaaa", PodState::terminating}, {"llama-66b4c-bbbbb", PodState::gone}}};
    const auto variants = variants_of({"llama"});

    const ModelReplicas attributed = attribute(samples, variants, lives);
    REQUIRE(attributed.replicas.size() == 2);
    CHECK(attributed.replicas[0].state == PodState::terminating);
    CHECK(attributed.replicas[1].state == PodState::ready);
    CHECK(attributed.gone_pods == Names{"llama-66b4c-bbbbb", "llama-66b4c-zzzzz"});
    CHECK(attributed.unattributed_pods.empty());
}

TEST_CASE("the caller's owners take precedence over the sample's, and these over the pod's name") {
    ReplicaSamples samples;
    samples.model = model;
    const PodOwner by_sample{"ReplicaSet", "by-sample-66b4c"};
    samples.pods.push_back(sample_of("by-name-66b4c-aaaaa", by_sample));
    samples.pods.push_back(sample_of("by-name-66b4c-bbbbb", by_sample));
    samples.pods.push_back(sample_of("by-name-66b4c-ccccc"));
    samples.pods.push_back(sample_of("by-name-66b4c-ddddd", by_sample));
    const KnownOwners owners{{{"by-name-66b4c-aaaaa", {"Deployment", "by-caller"}},
                              {"by-name-66b4c-ddddd", {"Deployment", "somebody-else"}}}};
    const auto variants = variants_of({"by-caller", "by-sample", "by-name"});

    const ModelReplicas attributed = attribute(samples, variants, owners);
    REQUIRE(attributed.replicas.size() == 3);
    CHECK(attributed.replicas[0].deployment == "by-caller");
    CHECK(attributed.replicas[0].pod == "by-name-66b4c-aaaaa");
    CHECK(attributed.replicas[1].deployment == "by-name");
    CHECK(attributed.replicas[1].pod == "by-name-66b4c-ccccc");
    CHECK(attributed.replicas[2].deployment == "by-sample");
    CHECK(attributed.replicas[2].pod == "by-name-66b4c-bbbbb");
    CHECK(attributed.unattributed_pods == Names{"by-name-66b4c-ddddd"});
}

TEST_CASE("cost, accelerator and names are those of the caller's own variant") {
    const ReplicaSamples samples = samples_of({"llama-66b4c-x2k4z"});
    std::vector<VariantAutoscaling> mine = {variant_of("llama", "mine", 12.5)};
    std::vector<VariantAutoscaling> yours = {variant_of("llama", "yours", 40.0)};
    yours.front().accelerator = "H100";

    const ReplicaMetrics first = attribute(samples, mine).replicas.at(0);
    const ReplicaMetrics second = attribute(samples, yours).replicas.at(0);
    CHECK(first.variant == "mine");
    CHECK(first.cost == 12.5);
    CHECK(first.accelerator == "A100");
    CHECK(second.variant == "yours");
    CHECK(second.cost == 40.0);
    CHECK(second.accelerator == "H100");
    CHECK(second.deployment == "llama");
    CHECK(second.pod == "llama-66b4c-x2k4z");
    CHECK(second.namespace_name == model.namespace_name);
    CHECK(second.model_id == model.model_id);
}

TEST_CASE("each group of variants gets its own pods from the same samples") {
    // Some autoscalers collect one accelerator's variants at a time.
    const ReplicaSamples samples = samples_of({"on-a100-66b4c-aaaaa", "on-h100-66b4c-bbbbb"});
    const ModelReplicas a100 = attribute(samples, variants_of({"on-a100"}));
    const ModelReplicas h100 = attribute(samples, variants_of({"on-h100"}));
    REQUIRE(a100.replicas.size() == 1);
    CHECK(a100.replicas[0].pod == "on-a100-66b4c-aaaaa");
    CHECK(a100.unattributed_pods == Names{"on-h100-66b4c-bbbbb"});
    REQUIRE(h100.replicas.size() == 1);
    CHECK(h100.replicas[0].pod == "on-h100-66b4c-bbbbb");
    CHECK(h100.unattributed_pods == Names{"on-a100-66b4c-aaaaa"});
}

TEST_CASE("a missing or invalid reading stays missing or invalid, and is not zero") {
    ReplicaSamples samples = samples_of({"llama-66b4c-x2k4z"});
    samples.pods[0].kv_cache_usage = Reading<double>::measured(
        std::numeric_limits<double>::quiet_NaN(), TimePoint(std::chrono::hours(1)));
    samples.pods[0].queue_length = Reading<double>::missing(ReadingReason::no_series);
    const ModelReplicas attributed = attribute(samples, variants_of({"llama"}));
    CHECK(attributed.replicas.at(0).kv_cache_usage.state() == ReadingState::invalid);
    CHECK(attributed.replicas.at(0).queue_length.state() == ReadingState::missing);
    CHECK(attributed.replicas.at(0).queue_length.reason() == ReadingReason::no_series);
}

TEST_CASE("a replica keeps what its readings are, and when its pod was last seen") {
    constexpr TimePoint scraped(12h);
    ReplicaSamples samples = samples_of({"llama-66b4c-aaaaa", "llama-66b4c-bbbbb"});
    samples.pods[0].kv_cache_usage = Reading<double>::measured(
        0.95, scraped - 50s, {},
        {.statistic = Statistic::peak, .window = 60s, .latest = 0.1, .last_sample_at = scraped});
    samples.pods[0].queue_length = Reading<double>::measured(
        4, scraped, {}, {.statistic = Statistic::peak, .is_lower_bound = true});
    samples.pods[1].kv_cache_usage =
        Reading<double>::missing(ReadingReason::unread, {}, {.last_sample_at = scraped - 90s});
    samples.pods[1].last_sample_at = scraped - 90s;

    const ModelReplicas attributed = attribute(samples, variants_of({"llama"}));
    REQUIRE(attributed.replicas.size() == 2);
    const ReplicaMetrics& first = attributed.replicas[0];
    CHECK(first.kv_cache_usage.statistic() == Statistic::peak);
    CHECK(first.kv_cache_usage.window() == 60s);
    CHECK(first.kv_cache_usage.latest() == 0.1);
    CHECK(first.kv_cache_usage.latest_at() == scraped);
    CHECK(first.queue_length.is_lower_bound());
    CHECK_FALSE(first.last_sample_at);
    CHECK(attributed.replicas[1].kv_cache_usage.last_sample_at() == scraped - 90s);
    CHECK(attributed.replicas[1].last_sample_at == scraped - 90s);
}

TEST_CASE("facts about the whole response are kept") {
    ReplicaSamples samples;
    samples.model = model;
    samples.gone_pods = {"llama-66b4c-aaaaa", "llama-66b4c-bbbbb"};
    samples.partial = true;
    samples.warnings = {"only a part"};
    const ModelReplicas attributed = attribute(samples, variants_of({"llama"}));
    CHECK(attributed.model == model);
    // All pods are gone, so there are no replicas.
    CHECK(attributed.replicas.empty());
    CHECK(attributed.gone_pods == samples.gone_pods);
    CHECK(attributed.partial);
    CHECK(attributed.warnings == Names{"only a part"});
}

TEST_CASE("variants of another model or namespace get none of the pods") {
    VariantAutoscaling other_namespace = variant_of("llama");
    other_namespace.namespace_name = "staging";
    VariantAutoscaling other_model = variant_of("llama");
    other_model.model_id = "meta-llama/Llama";
    const std::vector<VariantAutoscaling> variants = {other_namespace, other_model};
    const ModelReplicas attributed = attribute(samples_of({"llama-66b4c-x2k4z"}), variants);
    CHECK(attributed.replicas.empty());
    CHECK(attributed.unattributed_pods == Names{"llama-66b4c-x2k4z"});
    CHECK(attributed.warnings.empty());
}

TEST_CASE("without variants every pod is unattributed") {
    const ModelReplicas attributed = attribute(samples_of({"b-66b4c-x2k4z", "a"}), {});
    CHECK(attributed.unattributed_pods == Names{"a", "b-66b4c-x2k4z"});
}

TEST_CASE("of two variants of one deployment the first by name gets the pods, with a warning") {
    const std::vector<VariantAutoscaling> variants = {
        variant_of("llama", "zeta"), variant_of("llama", "alpha"), variant_of("other", "beta")};
    const ModelReplicas attributed = attribute(samples_of({"llama-66b4c-x2k4z"}), variants);
    REQUIRE(attributed.replicas.size() == 1);
    CHECK(attributed.replicas[0].variant == "alpha");
    REQUIRE(attributed.warnings.size() == 1);
    CHECK_THAT(attributed.warnings[0],
               Catch::Matchers::ContainsSubstring("'llama'") &&
                   Catch::Matchers::ContainsSubstring("'alpha' and 'zeta'"));
}

TEST_CASE("a variant that is given twice counts once, and one with two costs causes a warning") {
    const ReplicaSamples samples = samples_of({"llama-66b4c-x2k4z"});
    std::vector<VariantAutoscaling> variants = {variant_of("llama"), variant_of("llama")};
    CHECK(attribute(samples, variants).warnings.empty());
    CHECK(attribute(samples, variants).replicas.size() == 1);
    variants[0].cost = std::numeric_limits<double>::quiet_NaN();
    variants.push_back(variant_of("llama", "llama", 20.0));
    CHECK(attribute(samples, variants).warnings.size() == 2);
    CHECK(attribute(samples, variants).replicas.size() == 1);
}

TEST_CASE("a pod that is listed twice counts once") {
    ReplicaSamples samples =
        samples_of({"llama-66b4c-bbbbb", "x", "llama-66b4c-aaaaa", "x", "llama-66b4c-bbbbb"});
    const TimePoint now(std::chrono::hours(1));
    samples.pods.front().queue_length = Reading<double>::measured(1, now);
    samples.pods.back().queue_length = Reading<double>::measured(2, now);
    const ModelReplicas attributed = attribute(samples, variants_of({"llama"}));
    REQUIRE(attributed.replicas.size() == 2);
    CHECK(attributed.replicas[0].pod == "llama-66b4c-aaaaa");
    CHECK(attributed.replicas[1].pod == "llama-66b4c-bbbbb");
    CHECK(attributed.replicas[1].queue_length.value() == 1);
    CHECK(attributed.unattributed_pods == Names{"x"});
}

TEST_CASE("the order of the variants does not matter") {
    const unsigned seed = GENERATE(range(0U, 50U));
    std::mt19937 random(seed);
    const Names names = {"llama",    "llama-7b",           "llama-7b-66b4c",     "llama-large",
                         "llama-66", std::string(57, 'a'), std::string(60, 'a'), "llama-7b-7b"};
    std::vector<VariantAutoscaling> variants;
    for (int i = 0; i < 12; ++i) {
        VariantAutoscaling variant =
            variant_of(names[random() % names.size()], "v" + std::to_string(random() % 3),
                       static_cast<double>(random() % 2));
        if (random() % 2 == 0)
            variant.accelerator = "H100";
        if (random() % 8 == 0)
            variant.model_id = "another";
        if (random() % 3 == 0)
            variant.target_kind = random() % 2 == 0 ? "StatefulSet" : "LeaderWorkerSet";
        variants.push_back(variant);
    }
    Names pods;
    for (const std::string& name : names) {
        for (const char* rest : {"-66b4c-", "-7d9f8b6c5d-", "-7b-", "-"})
            pods.push_back((name + rest).substr(0, 58) + "x2k4z");
        for (const char* rest : {"-0", "-12-24567"})
            pods.push_back(name + rest);
    }
    const ReplicaSamples samples = samples_of(pods);
    const ModelReplicas expected = attribute(samples, variants);
    for (int i = 0; i < 20; ++i) {
        std::shuffle(variants.begin(), variants.end(), random);
        const ModelReplicas attributed = attribute(samples, variants);
        REQUIRE(attributed.replicas.size() == expected.replicas.size());
        for (std::size_t j = 0; j < attributed.replicas.size(); ++j) {
            REQUIRE(attributed.replicas[j].pod == expected.replicas[j].pod);
            REQUIRE(attributed.replicas[j].variant == expected.replicas[j].variant);
            REQUIRE(attributed.replicas[j].deployment == expected.replicas[j].deployment);
            REQUIRE(attributed.replicas[j].accelerator == expected.replicas[j].accelerator);
            REQUIRE(attributed.replicas[j].cost == expected.replicas[j].cost);
        }
        REQUIRE(attributed.unattributed_pods == expected.unattributed_pods);
        REQUIRE(attributed.warnings == expected.warnings);
    }
}

TEST_CASE("each replica has the engine and the role of its pod") {
    ReplicaSamples samples = samples_of({"llama-0"});
    samples.pods.at(0).engine = "sglang";
    samples.pods.at(0).role = ReplicaRole::decode;
    const std::vector<VariantAutoscaling> variants = {variant_of_kind("StatefulSet", "llama")};
    const ModelReplicas attributed = attribute(samples, variants);
    CHECK(attributed.replicas.at(0).engine == "sglang");
    CHECK(attributed.replicas.at(0).role == ReplicaRole::decode);
}
