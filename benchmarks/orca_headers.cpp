// SPDX-License-Identifier: Apache-2.0
//
// How fast the load reports in headers of answers are read and kept.
#include <wva_metrics/orca/orca_ingest.hpp>
#include <wva_metrics/orca/visit_report.hpp>

#include "support/allocations.hpp"
#include "support/measurement.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace wva_metrics;

namespace {

/// What vLLM sends; each number of its own, as from many servers.
std::vector<std::string> make_headers(bool is_json) {
    std::vector<std::string> headers;
    for (int i = 0; i < 1000; ++i) {
        const std::string kv = std::to_string(i * 997 % 1000 / 1000.0);
        const std::string waiting = std::to_string(i % 40) + ".0";
        headers.push_back(is_json ? R"(JSON {"named_metrics": {"kv_cache_usage_perc": )" + kv +
                                        R"(, "num_requests_waiting": )" + waiting + "}}"
                                  : "TEXT named_metrics.kv_cache_usage_perc=" + kv +
                                        ", named_metrics.num_requests_waiting=" + waiting);
    }
    return headers;
}

/// Calls `use(header, number)` for each header, many times, and reports how often per second.
template <typename Use>
void measure(const std::string& path, const std::string& work, bool is_json,
             const bench::Options& options, Use use) {
    const std::vector<std::string> headers = make_headers(is_json);
    const auto all = [&] {
        for (std::size_t i = 0; i < headers.size(); ++i)
            bench::require(use(headers[i], i), "a header was refused");
    };
    all();
    const std::uint64_t before = bench::allocations;
    const int rounds = options.pick(1000, 200, 1);
    const double start = bench::cpu_seconds();
    for (int round = 0; round < rounds; ++round)
        all();
    const double seconds = bench::cpu_seconds() - start;
    const auto allocated = static_cast<double>(bench::allocations - before);
    const double count = static_cast<double>(headers.size()) * rounds;
    const bench::Row row(path, work, "M headers/s", bench::Better::more);
    row.ours(count / seconds / 1e6);
    row.target_at_least(1);
    const bench::Row memory(path + ": memory", work, "allocations per header", bench::Better::less);
    memory.ours(allocated / count);
    memory.target_at_most(0);
}

constexpr bench::Help help{
    "How fast the load reports (ORCA) in headers of answers are read and kept, on one core."};

} // namespace

int main(int count, char** arguments) {
    const bench::Options options = bench::parse_options(count, arguments, help);
    for (const bool is_json : {false, true}) {
        const std::string form = is_json ? "JSON" : "TEXT";
        double sum = 0;
        measure("load report read", form, is_json, options,
                [&](const std::string& header, std::size_t) {
                    return orca::visit_report(
                               header, [&](const orca::OrcaMetric& metric) { sum += metric.value; })
                        .has_value();
                });
        bench::keep(sum);
        orca::OrcaIngest ingest;
        std::vector<std::string> pods;
        for (int i = 0; i < 1000; ++i)
            pods.push_back("llama-3-1-8b-instruct-a100-7d9f8b6c5d-" + std::to_string(10'000 + i));
        const TimePoint now = std::chrono::steady_clock::now();
        measure("load report kept", form + ", 1000 pods", is_json, options,
                [&](const std::string& header, std::size_t i) {
                    return ingest.ingest_orca("llm", pods[i], header, now).has_value();
                });
    }
    return 0;
}
