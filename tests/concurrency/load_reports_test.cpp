// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/pod_load_reports.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;

TEST_CASE("load reports arrive while pods are scraped, asked for, and come and go") {
    const TimePoint start{24h};
    orca::OrcaIngestConfig config;
    config.blackout = 0s;
    detail::PodLoadReports reports(config);
    reports.add("llm", "stays", 0);
    std::vector<std::thread> threads;
    for (std::size_t thread = 1; thread <= 4; ++thread)
        threads.emplace_back([&reports, start, thread, own = "pod-" + std::to_string(thread)] {
            const std::string value = "TEXT named_metrics.kv_cache_usage_perc=0.5";
            constexpr auto header = orca::OrcaHeader::load_metrics;
            for (int i = 0; i < 200; ++i) {
                const TimePoint now = start + i * 1ms;
                reports.add("llm", own, thread);
                (void)reports.ingest("llm", own, value, now, header);
                (void)reports.ingest("llm", "stays", value, now, header);
                reports.was_read("llm", own, thread, now);
                reports.was_read("llm", "stays", 0, now - 1ms);
                ReplicaSamples samples;
                samples.model = {"llm", "m"};
                samples.pods.emplace_back().pod = "stays";
                reports.apply(samples, now);
                reports.remove("llm", own, thread);
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    CHECK(reports.size() == 1);
    ReplicaSamples samples;
    samples.model = {"llm", "m"};
    samples.pods.emplace_back().pod = "stays";
    reports.apply(samples, start + 200ms);
    CHECK(samples.pods.front().kv_cache_usage.value() == 0.5);
}
