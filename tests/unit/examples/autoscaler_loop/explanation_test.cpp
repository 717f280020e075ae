// SPDX-License-Identifier: Apache-2.0
#include "../examples/autoscaler_loop/log_line.hpp"
#include "support/observations.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

std::string reason(const std::vector<std::pair<double, double>>& loads, const History& history = {},
                   const Rule& rule = {}) {
    return decided(loaded(loads), history, rule).reason;
}

/// Counts the comparisons of numbers in a text, and checks each.
int check_comparisons(const std::string& text) {
    static const std::regex comparison("(-?[0-9.]+)(?: %)? (<|>=) ([0-9.]+)(?: |;|,|$)");
    int count = 0;
    for (std::sregex_iterator found(text.begin(), text.end(), comparison), end; found != end;
         ++found, ++count) {
        INFO(found->str());
        CHECK((std::stod((*found)[1]) < std::stod((*found)[3])) == ((*found)[2] == "<"));
    }
    return count;
}

/// What a reader sees of `describe_replicas`.
Observation read_back(const std::string& shown) {
    std::smatch parts;
    REQUIRE(std::regex_match(shown, parts, std::regex("; KV cache(.*), queue(.*), samples.*")));
    std::istringstream kv_cache(parts[1]), queue(parts[2]);
    std::vector<std::pair<double, double>> loads;
    std::string percent;
    for (double usage = 0, waiting = 0; kv_cache >> usage >> percent && queue >> waiting;)
        loads.emplace_back(usage / 100, waiting);
    return loaded(loads);
}

} // namespace

TEST_CASE("a reason has the numbers of the rule that decided, with threshold and comparison") {
    CHECK(reason({{0.735, 0}}) == "average KV cache headroom 6.5 % < 10 %");
    CHECK(reason({{0.1, 4}, {0.1, 2}}) == "average queue headroom 2.0 < 3 requests");
    // The second replica is full, so it has no headroom: (5 + 0) / 2.
    CHECK(reason({{0.75, 0}, {0.2, 6}}) == "average KV cache headroom 2.5 % < 10 %");
    CHECK(reason({{0.63, 0}}) == "average KV cache headroom 17.0 % >= 10 %, average queue headroom "
                                 "5.0 >= 3 requests; not fewer: 1 is the minimum");
    CHECK(reason({{0.9, 0}, {0, 0}, {0, 0}}) ==
          "average KV cache headroom 53.3 % >= 10 %, average queue headroom 3.3 >= 3 requests; not "
          "fewer: pod-0 is full: KV cache 90 % >= 80 %");
    CHECK(reason({{0.36, 0}, {0.36, 0}}) ==
          "average KV cache headroom 44.0 % >= 10 %, average queue headroom 5.0 >= 3 requests; not "
          "fewer: with 1: KV cache headroom 80 % - 72 % / 1 = 8.0 % < 10 %, queue headroom 5 - "
          "0 / 1 = 5.0 >= 3 requests");

    const Rule rule{.max_replicas = 3, .stabilisation = 60s};
    const std::string enough = "with 1: KV cache headroom 80 % - 20 % / 1 = 60.0 % >= 10 %, queue "
                               "headroom 5 - 2 / 1 = 3.0 >= 3 requests, for ";
    const auto enough_for = [](Duration time) {
        return History{.scale_down_possible_since = now - time};
    };
    CHECK(reason({{0.1, 1}, {0.1, 1}}, enough_for(59900ms), rule) == enough + "59s < 1m0s");
    CHECK(reason({{0.1, 1}, {0.1, 1}}, enough_for(61s), rule) == enough + "1m1s >= 1m0s");
    CHECK(reason({{0.75, 0}}, {.scaled_up_at = now - 59900ms}, rule) ==
          "average KV cache headroom 5.0 % < 10 %, but the last replica was added 59s < 1m0s ago");
    CHECK(reason({{0.75, 0}, {0.75, 0}, {0.75, 0}}, {}, rule) ==
          "average KV cache headroom 5.0 % < 10 %, but the maximum of 3 is reached");
    CHECK(reason({{0, 0}, {0, 0}, {0, 0}, {0, 0}}, {}, rule) == "4 is above the maximum of 3");
}

TEST_CASE("a number near a threshold has as many decimals as its comparison needs") {
    // 9.9 and twice 10.0
    CHECK(reason({{0.701, 0}, {0.7, 0}, {0.7, 0}}) == "average KV cache headroom 9.97 % < 10 %");
    CHECK(reason({{0.70004, 0}}).starts_with("average KV cache headroom 10.0 % >= 10 %"));
    const Rule rule{.stabilisation = 1500ms};
    CHECK(reason({{0, 0}, {0, 0}}, {.scale_down_possible_since = now - 1600ms}, rule)
              .ends_with("for 1.6s >= 1.5s"));
    CHECK(reason({{0, 0}, {0, 0}}, {.scale_down_possible_since = now - 301400ms})
              .ends_with("for 5m1s >= 5m0s"));
}

TEST_CASE("who has only the numbers that are shown comes to the same decision and reason") {
    std::mt19937_64 random(1);
    const auto real = [&](double high) {
        return std::uniform_real_distribution<double>(0, high)(random);
    };
    int comparisons = 0;
    for (int i = 0; i < 5'000; ++i) {
        const double usage = real(1), waiting = real(8);
        std::vector<std::pair<double, double>> loads(1 + random() % 5);
        for (auto& [kv_cache, queue] : loads) {
            kv_cache = real(usage);
            queue = random() % 2 == 0 ? 0 : real(waiting);
        }
        const Observation seen = loaded(loads);
        const std::string shown = describe_replicas(seen, {}, now);
        const Decision decision = decided(seen, patient());
        const Decision of_reader = decided(read_back(shown), patient());
        INFO(decision.reason << shown);
        REQUIRE(of_reader.wanted == decision.wanted);
        REQUIRE(of_reader.reason == decision.reason);
        comparisons += check_comparisons(decision.reason);
    }
    CHECK(comparisons > 5'000);
}

TEST_CASE("all that a replica reports is shown, and what is unknown by its reason") {
    Observation seen = loaded({{0.735, 0}, {1, 12}});
    seen.replicas[0].queue_length = Reading<double>::missing(ReadingReason::no_series);
    seen.replicas[1].kv_cache_usage = measured(1, 2500ms);
    CHECK(describe_replicas(seen, {}, now) ==
          "; KV cache 73.5 % 100 %, queue no_series 12, samples up to 2s old");
    CHECK(describe_replicas(loaded({}), {}, now).empty());
}

TEST_CASE("without replicas the reason says whether they were requested, and what hides them") {
    ModelReplicas model;
    const auto reason_of = [&](std::optional<std::size_t> requested) {
        const ReplicaSnapshot snapshot(std::make_shared<ModelReplicas>(model), now,
                                       Freshness::fresh, Source::backend);
        return decided(observe(snapshot, "v", requested)).reason;
    };
    CHECK(reason_of(0) == "0 replicas are requested; only you can change that");
    CHECK(reason_of(std::nullopt) == "no replica reports");
    CHECK(reason_of(2) == "not fewer: 0 of 2 replicas report");
    model.unattributed_pods = {"whose"};
    CHECK(reason_of(std::nullopt) == "no replica reports: pod whose belongs to no variant");
    CHECK(decided(observe(Error(Errc::timeout, "no answer"), "v", std::nullopt)).reason ==
          "no replica reports: timeout: no answer");
}

TEST_CASE("the rule is described with its numbers") {
    const std::string text = describe(Rule{.full_kv_cache = 0.85, .pause = 90s});
    for (const char* part :
         {"85 % of its KV cache", "5 requests in its queue", "headroom < 10 % of",
          "or < 3 requests", "10 replicas", "1m30s", "5m0s", "1m0s"})
        CHECK_THAT(text, Catch::Matchers::ContainsSubstring(part));
}
