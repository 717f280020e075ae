// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/detail/answer_members.hpp"
#include "wva_metrics/prometheus/detail/label_scanner.hpp"
#include "wva_metrics/prometheus/detail/parse_value.hpp"
#include "wva_metrics/prometheus/detail/text_scanner.hpp"
#include "wva_metrics/samples/sample.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace wva_metrics::prometheus::detail {

/// Reads series that are written as Prometheus and VictoriaMetrics write almost all of theirs, in a
/// fraction of the time that a JSON parser needs.
///
/// Reads nothing that the JSON parser would reject, or read differently. It may refuse any series:
/// then the parser reads it, and has the words for what is wrong with it.
class SeriesScanner {
public:
    /// With what a series that this class can read begins.
    static constexpr std::string_view beginning = R"({"metric":{)";

    explicit SeriesScanner(const AnswerLimits& limits)
        // A matrix is nested 6 levels deep, and a time has up to 14 characters.
        : limits_(limits), is_usable_(limits.max_depth >= 6 && limits.max_value_bytes >= 14) {}

    /// Forgets the text that was read, which may go away then.
    void forget() noexcept { labels_.clear(); }

    /// Reads a series at the beginning of the text. Returns its size, or 0 if it is written
    /// otherwise, not complete, wrong in any way, or has more samples than `max_samples`.
    std::size_t read(std::string_view text, std::size_t max_samples) {
        TextScanner scanner(text);
        samples_.clear();
        if (!is_usable_ || !scanner.take(beginning) || !labels_.read(scanner, limits_) ||
            !read_samples(scanner, std::min(max_samples, limits_.max_samples_per_series)) ||
            !scanner.take('}'))
            return 0;
        return scanner.position();
    }

    // The last series. Valid until the next is read, or forgotten.

    std::span<const samples::LabelView> labels() const noexcept { return labels_.labels(); }
    const LabelSetHash& hash() const noexcept { return labels_.hash(); }
    std::span<const samples::Sample> samples() const noexcept { return samples_; }
    /// The member that had the samples: `value` or `values`.
    Member member() const noexcept { return member_; }

private:
    bool read_samples(TextScanner& text, std::size_t max_samples) {
        if (text.take(R"(,"value":)")) {
            member_ = Member::value;
            return max_samples > 0 && read_sample(text);
        }
        member_ = Member::values;
        if (!text.take(R"(,"values":[)"))
            return false;
        do {
            if (samples_.size() == max_samples || !read_sample(text))
                return false;
        } while (text.take(','));
        return text.take(']');
    }

    /// `[1700000000.123,"0.25"]`, later than the sample before.
    bool read_sample(TextScanner& text) {
        if (!text.take('['))
            return false;
        const std::optional<samples::ServerTime> time = read_time(text);
        if (!time || (!samples_.empty() && samples_.back().time >= *time) || !text.take(",\""))
            return false;
        const std::optional<std::string_view> written = text.take_string();
        if (!written || written->size() > limits_.max_value_bytes || !text.take(']'))
            return false;
        const std::optional<double> value = parse_value(*written);
        if (value)
            samples_.push_back({*time, *value});
        return value.has_value();
    }

    /// Seconds of up to 10 digits, and up to 3 digits after a point.
    static std::optional<samples::ServerTime> read_time(TextScanner& text) noexcept {
        const bool has_leading_zero = text.starts_with('0');
        const Digits seconds = text.take_digits();
        // JSON has no leading zeros.
        if (seconds.count == 0 || seconds.count > 10 || (has_leading_zero && seconds.count > 1))
            return std::nullopt;
        std::int64_t ms = seconds.number * 1000;
        if (text.take('.')) {
            constexpr std::array<std::int64_t, 4> units{0, 100, 10, 1};
            const Digits decimals = text.take_digits();
            if (decimals.count == 0 || decimals.count > 3)
                return std::nullopt;
            ms += decimals.number * units[decimals.count];
        }
        return samples::ServerTime(std::chrono::milliseconds(ms));
    }

    AnswerLimits limits_;
    bool is_usable_;
    LabelScanner labels_;
    std::vector<samples::Sample> samples_;
    Member member_ = Member::value;
};

} // namespace wva_metrics::prometheus::detail
