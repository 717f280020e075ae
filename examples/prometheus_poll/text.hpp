// SPDX-License-Identifier: Apache-2.0
//
// A report as a table for people.
#pragma once

#include "report.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace prometheus_poll {

/// Escaped as in JSON, so that foreign text cannot control the terminal.
inline std::string cell(const std::string& text) {
    const std::string quoted = boost::json::serialize(boost::json::string(text));
    return quoted.substr(1, quoted.size() - 2);
}

inline std::string cell(double number) {
    return (std::ostringstream() << number).str();
}

/// `42.07 (3s)`: the value and the age of its sample, or why there is none.
inline std::string cell(const wva_metrics::Reading<double>& reading) {
    if (!reading)
        return std::string(to_string(reading.reason()));
    const std::chrono::duration<double> age = reading.age(std::chrono::steady_clock::now());
    char text[64];
    std::snprintf(text, sizeof text, "%.5g (%.0fs)", reading.value(), age.count());
    return text;
}

using Row = std::vector<std::string>;

/// Columns are as wide as their longest cell.
inline void print(std::ostream& out, const std::vector<Row>& rows) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            out << "  " << row[i] << std::string(widths[i] - row[i].size(), ' ');
        out << "\n";
    }
}

inline std::string to_text(const Report& report) {
    const wva_metrics::ReplicaSnapshot& replicas = report.replicas;
    const bool is_bold = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    std::ostringstream out;
    out << (is_bold ? "\033[1m" : "") << cell(report.model.model_id) << (is_bold ? "\033[0m" : "")
        << "  replicas " << to_string(replicas.freshness()) << ", cache hit rate "
        << std::lround(100 * report.cache.hit_rate()) << " %\n";
    if (!report.availability.available)
        out << "  " << cell(report.availability.message) << "\n";

    std::vector<Row> rows{{"VARIANT", "ACCELERATOR", "COST", "REQUESTS/MIN", "TOKENS IN",
                           "TOKENS OUT", "TTFT s", "ITL s"}};
    for (const auto& [variant, metrics] : report.variants)
        rows.push_back({cell(variant.name), cell(variant.accelerator), cell(variant.cost),
                        cell(metrics.arrival_rate_per_minute), cell(metrics.avg_input_tokens),
                        cell(metrics.avg_output_tokens), cell(metrics.ttft_seconds),
                        cell(metrics.itl_seconds)});
    print(out, rows);

    rows = {{"REPLICA", "VARIANT", "KV CACHE", "QUEUE"}};
    for (const wva_metrics::ReplicaMetrics& replica : replicas->replicas)
        rows.push_back({cell(replica.pod), cell(replica.variant), cell(replica.kv_cache_usage),
                        cell(replica.queue_length)});
    print(out, rows);

    for (const std::string& pod : replicas->unattributed_pods)
        out << "  unattributed_pods: " << cell(pod) << "\n";
    for (const std::string& warning : report.warnings)
        out << "  warnings: " << cell(warning) << "\n";
    return out.str();
}

} // namespace prometheus_poll
