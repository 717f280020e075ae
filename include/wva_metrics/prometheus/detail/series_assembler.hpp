// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/detail/label_buffer.hpp"
#include "wva_metrics/prometheus/detail/parse_value.hpp"
#include "wva_metrics/prometheus/detail/text.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// Assembles one series after another from its labels and `[time, value]` pairs, and emits each
/// when it is complete. Keeps the current series only.
class SeriesAssembler {
public:
    using CallSink = void (*)(void* sink, const SeriesView&);

    SeriesAssembler(std::span<const std::string> wanted_labels, CallSink call_sink, void* sink)
        : call_sink_(call_sink), sink_(sink), labels_(wanted_labels) {}

    /// Series that the sink was given.
    std::size_t emitted() const noexcept { return emitted_; }
    /// Series without a number.
    std::size_t skipped() const noexcept { return skipped_; }

    /// Emits the series with its newest pair, or counts it as skipped if it has none.
    void end_series() {
        if (newest_)
            emit(*newest_);
        else
            count_skipped();
        // Here, not when the next series begins, so that `keep_labels` copies nothing in between.
        labels_.clear();
        label_count_ = 0;
        newest_.reset();
    }
    void count_skipped() noexcept { ++skipped_; }

    // Labels.

    std::size_t label_count() const noexcept { return label_count_; }
    /// False if the series has a label of this name already.
    bool begin_label(std::string_view name) noexcept {
        return labels_.select(name, label_count_++);
    }
    /// The whole value, which must not move until the next `keep_labels`.
    void set_label(std::string_view text) noexcept { labels_.set(text); }
    /// A part of the value. `total`: bytes of the value so far, this part included.
    void append_label(std::string_view part, std::size_t total) { labels_.append(part, total); }
    /// Copies the labels of the current series, so that the text they came from may go away.
    void keep_labels() { labels_.keep(); }

    // Times and values.

    /// False if the text is not a time in Unix seconds, from 0 to 1e12.
    bool set_time(std::string_view text) {
        // All pairs of a vector usually have the same time. If the text is that of the last time,
        // `current_` still holds this time.
        if (is_same_name(text, last_time_text_))
            return true;
        return set_new_time(text);
    }
    /// False if the text is not a number.
    bool set_value(std::string_view text) noexcept {
        const std::optional<double> value = parse_value(text);
        if (!value)
            return false;
        current_.value = *value;
        return true;
    }
    /// Keeps the newest pair of the series.
    void end_pair() noexcept {
        if (!newest_ || current_.timestamp >= newest_->timestamp)
            newest_ = current_;
    }
    /// Emits the current pair as a series without labels.
    void emit_scalar() { emit(current_); }

private:
    /// A `[time, value]` pair.
    struct Pair {
        double timestamp = 0;
        double value = 0;
    };

    bool set_new_time(std::string_view text) {
        const std::optional<double> timestamp = parse_value(text);
        // It is converted to a time point later, which is undefined if the value does not fit.
        if (!timestamp || !(*timestamp >= 0 && *timestamp < 1e12))
            return false;
        last_time_text_ = text;
        current_.timestamp = *timestamp;
        return true;
    }

    void emit(const Pair& pair) {
        ++emitted_;
        call_sink_(sink_, SeriesView{labels_.values(), pair.value, pair.timestamp});
    }

    CallSink call_sink_;
    void* sink_;
    LabelBuffer labels_;
    std::size_t label_count_ = 0;
    /// Of the current series.
    std::optional<Pair> newest_;
    /// The pair that is read or was read last, of any series.
    Pair current_;
    std::string last_time_text_;
    std::size_t emitted_ = 0;
    std::size_t skipped_ = 0;
};

} // namespace wva_metrics::prometheus::detail
