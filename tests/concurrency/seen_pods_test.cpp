// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/seen_pods.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;

TEST_CASE("several threads remember and forget pods at once") {
    const ModelKey model("llm", "meta/llama");
    const TimePoint start{24h};
    detail::SeenPods memory;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread)
        threads.emplace_back([&memory, &model, start, pod = std::to_string(thread)] {
            for (int i = 0; i < 200; ++i) {
                memory.remember(model, {{pod, samples::ServerTime(i * 1s)}}, start + i * 1s);
                memory.remember({"llm", pod}, {{pod, samples::ServerTime(i * 1s)}}, start);
                memory.forget({"llm", pod}, pod);
                for (const detail::SeenPod& seen : memory.others(model, {pod}, start))
                    memory.forget(model, "not " + seen.pod);
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    const std::vector<detail::SeenPod> seen = memory.others(model, {}, start + 200s);
    REQUIRE(seen.size() == 4);
    for (std::size_t i = 0; i < seen.size(); ++i)
        CHECK(seen[i] == detail::SeenPod{std::to_string(i), samples::ServerTime(199s)});
}
