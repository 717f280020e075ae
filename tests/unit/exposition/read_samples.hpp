// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/family_type.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/page_sample.hpp"
#include "wva_metrics/exposition/text_format.hpp"
#include "wva_metrics/exposition/text_parser.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::exposition {

/// A sample that outlives its page.
struct ReadSample {
    std::string name{};
    std::string family{};
    FamilyType type = FamilyType::unknown;
    std::vector<std::pair<std::string, std::string>> labels{};
    double value = 0;
    std::optional<std::int64_t> timestamp_ms{};

    /// One line: family, type, name, labels, value, time.
    std::string text() const {
        std::string line = family + " " + std::string(to_string(type)) + " " + name;
        for (const auto& [label, content] : labels)
            line += " " + label + "=" + content;
        char digits[40];
        const auto written = std::to_chars(digits, digits + sizeof digits, value);
        line += " " + std::string(digits, written.ptr);
        if (timestamp_ms)
            line += " @" + std::to_string(*timestamp_ms);
        return line;
    }
};

/// What a parser has said of a page.
struct ReadPage {
    std::vector<ReadSample> samples{};
    std::vector<std::string> families{}; ///< Name and type of each `# TYPE` line.
    std::string problem{};               ///< The error's message; empty if there was none.
    bool last_line_is_open = false;

    std::vector<std::string> lines() const {
        std::vector<std::string> all;
        for (const ReadSample& sample : samples)
            all.push_back(sample.text());
        return all;
    }
};

/// Collects a page.
struct PageCollector {
    ReadPage page{};

    void operator()(const PageSample& sample) {
        ReadSample copy{
            std::string(sample.name), std::string(sample.family), sample.type, {}, sample.value,
            sample.timestamp_ms};
        for (const LabelView& label : sample.labels)
            copy.labels.emplace_back(label.name, label.value);
        page.samples.push_back(std::move(copy));
    }
    void family(std::string_view name, FamilyType type) {
        page.families.push_back(std::string(name) + " " + std::string(to_string(type)));
    }
};

/// Reads a page in pieces, each in memory of its own.
inline ReadPage read_pieces(const std::vector<std::string>& pieces,
                            TextFormat format = TextFormat::prometheus_0_0_4,
                            const WantedMetrics& wanted = {}, const PageLimits& limits = {}) {
    TextParser parser(format, wanted, limits);
    PageCollector sink;
    Result<void> result;
    for (const std::string& piece : pieces)
        if (result)
            result = parser.feed(std::string(piece), sink);
    if (result)
        result = parser.finish(sink);
    if (!result)
        sink.page.problem = result.error().message;
    sink.page.last_line_is_open = parser.last_line_is_open();
    return std::move(sink.page);
}

inline ReadPage read_page(std::string_view page, TextFormat format = TextFormat::prometheus_0_0_4,
                          const WantedMetrics& wanted = {}, const PageLimits& limits = {}) {
    return read_pieces({std::string(page)}, format, wanted, limits);
}

} // namespace wva_metrics::exposition
