// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/pod_query.hpp"

#include "wva_metrics/engine/known_engines.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::promql;

namespace {

using Pods = std::vector<PodName>;

const RawQueries vllm_queries(vllm_profile(), {});

std::vector<std::string> query_texts(const Pods& pods, const PodQueryLimits& limits = {}) {
    std::vector<std::string> texts;
    Pods in_queries;
    for (const PodQuery& query : pod_queries(vllm_queries, pods, 5min, limits).value()) {
        texts.push_back(query.text);
        in_queries.insert(in_queries.end(), query.pods.begin(), query.pods.end());
    }
    Pods sorted = pods;
    std::ranges::sort(sorted);
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    CHECK(in_queries == sorted);
    return texts;
}

} // namespace

TEST_CASE("pods that are named by one label are one query, in any order") {
    const Pods pods = {{"pod", "b", "p1"}, {"pod", "a", "p2"}, {"pod", "b", "p1"}};
    const auto texts = query_texts(pods);
    REQUIRE(texts.size() == 1);
    CHECK(texts[0].ends_with(R"(,namespace=~"a|b",pod=~"p1|p2"}[300s])"));
    CHECK(query_texts({pods[1], pods[0]}) == texts);
    CHECK(query_texts({}).empty());
}

TEST_CASE("pods that are named by several labels are a query per label") {
    const auto texts = query_texts({{"pod", "a", "p"}, {"exported_pod", "a", "q"}});
    REQUIRE(texts.size() == 2);
    CHECK(texts[0].ends_with(R"(,namespace="a",exported_pod="q"}[300s])"));
    CHECK(texts[1].ends_with(R"(,namespace="a",pod="p"}[300s])"));
}

TEST_CASE("a pod without a name is rejected, because it would select all of them") {
    CHECK(pod_queries(vllm_queries, {{"pod", "a", ""}}, 5min).has_error());
    CHECK(pod_queries(vllm_queries, {{"pod", "a", "p"}, {"pod", "a", "\xFF"}}, 5min).has_error());
}

TEST_CASE("queries for pods keep to the limits, and each pod is in one of them") {
    std::mt19937 random(20'240'609);
    for (int round = 0; round < 100; ++round) {
        Pods pods(1 + random() % 60);
        for (std::size_t i = 0; i < pods.size(); ++i)
            pods[i] = {random() % 3 == 0 ? "exported_pod" : "pod",
                       "ns." + std::to_string(random() % 4),
                       "p" + std::to_string(i) + std::string(random() % 40, '.') + "e"};
        const PodQueryLimits limits{.max_pods = 1 + random() % 30, .max_query_bytes = 2048};
        const auto texts = query_texts(pods, limits);
        std::size_t members = 0;
        for (const std::string& text : texts) {
            REQUIRE(text.size() <= limits.max_query_bytes);
            const std::string list = text.substr(text.find("pod=") + 4);
            const auto in_text =
                static_cast<std::size_t>(std::count(list.begin(), list.end(), 'e'));
            REQUIRE(in_text <= limits.max_pods);
            members += in_text;
        }
        REQUIRE(members == pods.size());
        std::shuffle(pods.begin(), pods.end(), random);
        REQUIRE(query_texts(pods, limits) == texts);
    }
}
