// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialects/all.hpp"
#include "simulation.hpp"
#include "text_format.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vllm_fleet {

// The load report (ORCA) that a server puts into the headers of its answers. vLLM reports its first
// engine only, Triton nothing of its queue, and the other kinds of servers no load at all.

inline constexpr const char* load_report_header = "endpoint-load-metrics";
/// The header of a request that asks for it; its value is one of `report_form_names`.
inline constexpr const char* load_report_format_header = "endpoint-load-metrics-format";

/// How a load report is written.
enum class ReportForm { asked, text, json, bin };
inline constexpr std::array<std::string_view, 4> report_form_names = {"asked", "text", "json",
                                                                      "bin"};

inline std::string to_base64(std::string_view bytes) {
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group =
                group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        const std::size_t used = std::min<std::size_t>(bytes.size() - i, 3) + 1;
        for (std::size_t k = 0; k < 4; ++k)
            text += k < used ? digits[group >> (18 - 6 * k) & 0x3FU] : '=';
    }
    return text;
}

using NamedMetrics = std::vector<std::pair<std::string_view, double>>;

/// The message `xds.data.orca.v3.OrcaLoadReport`, with `named_metrics` only, which is its field 8: a map
/// from texts to doubles.
inline std::string to_protobuf(const NamedMetrics& metrics) {
    std::string bytes;
    for (const auto& [name, value] : metrics) {
        std::string entry = "\x0A";
        entry += static_cast<char>(name.size());
        (entry += name) += '\x11';
        const auto bits = std::bit_cast<std::uint64_t>(value);
        for (int shift = 0; shift < 64; shift += 8)
            entry += static_cast<char>(bits >> shift & 0xFFU);
        bytes += '\x42';
        bytes += static_cast<char>(entry.size());
        bytes += entry;
    }
    return bytes;
}

inline std::string to_report(const NamedMetrics& metrics, ReportForm form) {
    if (form == ReportForm::bin)
        return "BIN " + to_base64(to_protobuf(metrics));
    const bool is_json = form == ReportForm::json;
    std::string text = is_json ? R"(JSON {"named_metrics": {)" : "TEXT ";
    const char* separator = "";
    for (const auto& [name, value] : metrics) {
        text += std::exchange(separator, ", ");
        ((text += is_json ? "\"" : "named_metrics.") += name) += is_json ? "\": " : "=";
        append_number(text, value);
    }
    return is_json ? text + "}}" : text;
}

/// The value of `load_report_header`; empty if the server sends none. `asked`: the value of
/// `load_report_format_header` in the request; empty: it has none.
inline std::string load_report(const Pod& pod, ReportForm form, std::string_view asked) {
    if (form == ReportForm::asked) {
        const auto found = std::ranges::find(report_form_names, asked);
        if (found == report_form_names.end() || *found == "asked")
            return {};
        form = static_cast<ReportForm>(found - report_form_names.begin());
    }
    const Engine& engine = pod.engines.front();
    if (pod.dialect == nullptr || pod.dialect == &vllm_dialect)
        return to_report({{"kv_cache_usage_perc", measured::kv_usage(engine)},
                          {"num_requests_waiting", measured::waiting(engine)}},
                         form);
    if (pod.dialect == &triton_dialect)
        return to_report({{"kv_cache_utilization", measured::kv_usage(engine)}}, form);
    return {};
}

} // namespace vllm_fleet
