// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/seen_pods.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

namespace {

const TimePoint seen_start{24h};
const ModelKey seen_model("llm", "meta/llama");

samples::ServerTime sampled(int seconds) {
    return samples::ServerTime(std::chrono::seconds(1'700'000'000 + seconds));
}

std::vector<std::string> names_of(const std::vector<SeenPod>& pods) {
    std::vector<std::string> result;
    for (const SeenPod& pod : pods)
        result.push_back(pod.pod);
    return result;
}

std::vector<std::string> remembered(const SeenPods& memory, TimePoint now,
                                    const ModelKey& model = seen_model) {
    return names_of(memory.others(model, {}, now));
}

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("pods are remembered by model, with their newest samples") {
    SeenPods memory;
    memory.remember(seen_model, {{"b", sampled(2)}, {"a", sampled(1)}}, seen_start);
    memory.remember({"other", "meta/llama"}, {{"c", sampled(3)}}, seen_start);
    CHECK(memory.others(seen_model, {}, seen_start) ==
          std::vector<SeenPod>{{"a", sampled(1)}, {"b", sampled(2)}});
    CHECK(memory.others(seen_model, {"a"}, seen_start) == std::vector<SeenPod>{{"b", sampled(2)}});
    CHECK(memory.others(seen_model, {"a", "b", "c"}, seen_start).empty());
    CHECK(memory.others({"llm", "other"}, {}, seen_start).empty());
}

TEST_CASE("a pod that is seen again has the newer sample, in any order") {
    SeenPods memory;
    memory.remember(seen_model, {{"a", sampled(1)}}, seen_start);
    memory.remember(seen_model, {{"a", sampled(3)}}, seen_start + 1s);
    memory.remember(seen_model, {{"a", sampled(2)}}, seen_start + 2s);
    CHECK(memory.others(seen_model, {}, seen_start + 2s) ==
          std::vector<SeenPod>{{"a", sampled(3)}});
}

TEST_CASE("a pod is forgotten when it has not been seen for the retention") {
    SeenPods memory({.retention = 10min});
    memory.remember(seen_model, {{"a", sampled(1)}, {"b", sampled(1)}}, seen_start);
    memory.remember(seen_model, {{"b", sampled(9)}}, seen_start + 9min);
    CHECK(remembered(memory, seen_start + 10min - 1ms) == Names{"a", "b"});
    CHECK(remembered(memory, seen_start + 10min) == Names{"b"});
    CHECK(remembered(memory, seen_start + 19min).empty());
}

TEST_CASE("with the longest retention no pod is ever forgotten") {
    SeenPods memory({.retention = Duration::max()});
    memory.remember(seen_model, {{"a", sampled(1)}}, seen_start);
    memory.remember(seen_model, {{"b", sampled(1)}}, seen_start + 1000h);
    CHECK(remembered(memory, seen_start + 2000h) == Names{"a", "b"});
}

TEST_CASE("a time that is earlier than the last one does not shorten the retention") {
    SeenPods memory({.retention = 10min});
    memory.remember(seen_model, {{"a", sampled(1)}}, seen_start);
    memory.remember(seen_model, {{"a", sampled(1)}}, seen_start - 5min);
    CHECK(remembered(memory, seen_start + 9min) == Names{"a"});
}

TEST_CASE("a pod that is forgotten is remembered again if it is seen again") {
    SeenPods memory;
    memory.forget(seen_model, "a");
    memory.remember(seen_model, {{"a", sampled(1)}, {"b", sampled(1)}}, seen_start);
    memory.forget(seen_model, "c");
    memory.forget({"other", "meta/llama"}, "b");
    memory.forget(seen_model, "a");
    CHECK(remembered(memory, seen_start) == Names{"b"});
    memory.forget(seen_model, "b");
    CHECK(remembered(memory, seen_start).empty());
    memory.remember(seen_model, {{"a", sampled(2)}}, seen_start + 1s);
    CHECK(remembered(memory, seen_start + 1s) == Names{"a"});
}

TEST_CASE("of too many pods of a model, those that were seen last are remembered") {
    SeenPods memory({.max_pods = 2});
    memory.remember(seen_model, {{"a", sampled(1)}, {"b", sampled(1)}}, seen_start);
    memory.remember(seen_model, {{"a", sampled(2)}, {"c", sampled(2)}}, seen_start + 1s);
    CHECK(remembered(memory, seen_start + 1s) == Names{"a", "c"});
    memory.remember({"llm", "other"}, {{"d", sampled(3)}}, seen_start + 1s);
    CHECK(remembered(memory, seen_start + 1s) == Names{"a", "c"});
    memory.remember(seen_model, {{"a", sampled(3)}, {"b", sampled(3)}, {"c", sampled(3)}},
                    seen_start + 2s);
    CHECK(remembered(memory, seen_start + 2s).size() == 2);
}

TEST_CASE("pods of too many models are not remembered until others are forgotten") {
    SeenPods memory({.retention = 10min, .max_models = 1});
    const ModelKey other("llm", "other");
    memory.remember(seen_model, {}, seen_start);
    memory.remember(seen_model, {{"a", sampled(1)}}, seen_start);
    memory.remember(other, {{"b", sampled(1)}}, seen_start);
    CHECK(remembered(memory, seen_start, other).empty());
    memory.remember(seen_model, {{"c", sampled(1)}}, seen_start);
    CHECK(remembered(memory, seen_start) == Names{"a", "c"});
    SECTION("because they are gone") {
        memory.forget(seen_model, "a");
        memory.forget(seen_model, "c");
        memory.remember(other, {{"b", sampled(1)}}, seen_start);
        CHECK(remembered(memory, seen_start, other) == Names{"b"});
    }
    SECTION("because they were not seen for long") {
        memory.remember(other, {{"b", sampled(1)}}, seen_start + 10min);
        CHECK(remembered(memory, seen_start + 10min, other) == Names{"b"});
        CHECK(remembered(memory, seen_start + 10min).empty());
    }
}

TEST_CASE("random pods are remembered as long as they must be") {
    const unsigned seed = GENERATE(range(0U, 50U));
    CAPTURE(seed);
    std::mt19937 random(seed);
    SeenPods memory({.retention = 10min});
    std::map<std::pair<ModelKey, std::string>, TimePoint> expected;
    TimePoint now = seen_start;
    for (int i = 0; i < 200; ++i) {
        now += std::chrono::seconds(random() % 240);
        const ModelKey model("llm", "model-" + std::to_string(random() % 3));
        const std::string pod = "pod-" + std::to_string(random() % 8);
        if (random() % 4 == 0) {
            memory.forget(model, pod);
            expected.erase({model, pod});
        } else {
            memory.remember(model, {{pod, sampled(i)}}, now);
            expected[{model, pod}] = now;
        }
        Names left;
        for (const auto& [key, at] : expected)
            if (key.first == model && now - at < 10min)
                left.push_back(key.second);
        CHECK(remembered(memory, now, model) == left);
    }
}
