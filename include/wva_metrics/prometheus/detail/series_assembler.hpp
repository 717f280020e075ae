// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/detail/label_buffer.hpp"
#include "wva_metrics/prometheus/detail/label_set_hash.hpp"
#include "wva_metrics/prometheus/detail/parse_time.hpp"
#include "wva_metrics/prometheus/detail/parse_value.hpp"
#include "wva_metrics/samples/listed_native.hpp"
#include "wva_metrics/samples/sample.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace wva_metrics::prometheus::detail {

/// Assembles one series after another from its labels and its samples, and emits each when it is
/// complete. Keeps the current series, and a hash of the labels of each earlier one.
class SeriesAssembler {
public:
    using CallSink = void (*)(void* sink, const SeriesView&);

    SeriesAssembler(CallSink call_sink, void* sink) : call_sink_(call_sink), sink_(sink) {}

    /// See `Conflict`. Before the first series.
    void set_conflict(Conflict conflict) noexcept { conflict_ = conflict; }

    /// Series that the sink was given.
    std::size_t emitted() const noexcept { return emitted_; }
    /// Series without a sample.
    std::size_t skipped() const noexcept { return skipped_; }
    /// Samples of all series so far.
    std::size_t samples() const noexcept { return sample_count_; }
    /// Samples of the current series so far.
    std::size_t samples_of_series() const noexcept { return samples_.size() + histograms_.size(); }

    /// Emits the series, or counts it as skipped if it has no sample. False if an earlier series
    /// has the same labels.
    bool end_series() {
        const bool is_new =
            emit_new({labels_.labels(), samples_, histograms_, buckets_}, labels_.hash());
        // Here, not when the next series begins, so that `keep_labels` copies nothing in between.
        labels_.clear();
        samples_.clear();
        histograms_.clear();
        buckets_.clear();
        histogram_.buckets = 0;
        return is_new;
    }
    /// The same for a complete series. `hash`: of its labels.
    bool add_series(const SeriesView& series, const LabelSetHash& hash) {
        sample_count_ += series.samples.size();
        return emit_new(series, hash);
    }
    void count_skipped() noexcept { ++skipped_; }

    // Labels.

    std::size_t label_count() const noexcept { return labels_.size(); }
    /// `stays`: the name does not move until the next `keep_labels`. False if the series has a label
    /// of this name already.
    bool begin_label(std::string_view name, bool stays) { return labels_.begin(name, stays); }
    /// The whole value, which must not move until the next `keep_labels`.
    void set_label(std::string_view text) noexcept { labels_.set(text); }
    /// A part of the value. `total`: bytes of the value so far, this part included.
    void append_label(std::string_view part, std::size_t total) { labels_.append(part, total); }
    /// Copies the labels of the current series, so that the text they came from may go away.
    void keep_labels() { labels_.keep(); }

    // Times and values.

    /// False if the number is not a time in Unix seconds, from 0 to 1e12.
    bool set_time(std::string_view number) noexcept {
        const std::optional<samples::ServerTime> time = parse_time(number);
        if (time)
            current_.time = *time;
        return time.has_value();
    }
    /// False if the text is not a number.
    bool set_value(std::string_view text) noexcept {
        const std::optional<double> value = parse_value(text);
        if (!value)
            return false;
        current_.value = *value;
        return true;
    }
    void set_histogram_count(double count) noexcept { histogram_.count = count; }
    void set_histogram_sum(double sum) noexcept { histogram_.sum = sum; }

    /// The rule, two bounds and the count.
    static constexpr std::size_t bucket_elements = 4;
    /// Which bounds are part of the bucket: none, the upper, the lower, both. False if it is no such
    /// number.
    bool begin_bucket(std::string_view rule) noexcept {
        bucket_.has_both_bounds = rule == "3";
        return rule.size() == 1 && rule.front() >= '0' && rule.front() <= '3';
    }
    /// An element by its place. False if there is none.
    bool set_bucket(std::size_t place, double number) noexcept {
        switch (place) {
        case 1:
            bucket_.lower = number;
            return true;
        case 2:
            bucket_.upper = number;
            return true;
        case 3:
            bucket_.count = number;
            return true;
        default:
            return false;
        }
    }
    /// Adds the bucket to the current histogram. The number of those of the series.
    std::size_t end_bucket() {
        buckets_.push_back(bucket_);
        ++histogram_.buckets;
        return buckets_.size();
    }

    /// Adds a sample of the current time. False if the time is not later than that of the sample
    /// before, except if it is the same sample again, which VictoriaMetrics stores twice if its
    /// sender repeats a request, or if one of the two counts (`set_conflict`).
    bool end_sample() { return add(samples_, current_); }
    /// The same for a native histogram.
    bool end_histogram() {
        histogram_.time = current_.time;
        const std::size_t before = histograms_.size();
        const bool is_later = add(histograms_, histogram_);
        if (histograms_.size() == before) // The same sample again.
            buckets_.resize(buckets_.size() - histogram_.buckets);
        histogram_.buckets = 0;
        return is_later;
    }
    /// Emits the current sample as a series without labels.
    void emit_scalar() { emit({{}, std::span(&current_, 1), {}, {}}); }

private:
    /// NaN is the same as NaN.
    static bool is_same(double one, double other) noexcept {
        return std::bit_cast<std::uint64_t>(one) == std::bit_cast<std::uint64_t>(other);
    }
    static bool is_same(const samples::Sample& one, const samples::Sample& other) noexcept {
        return one.time == other.time && is_same(one.value, other.value);
    }
    static bool is_same(const HistogramSample& one, const HistogramSample& other) noexcept {
        return one.time == other.time && is_same(one.count, other.count) &&
               is_same(one.sum, other.sum);
    }

    /// A number is higher than NaN.
    static bool is_higher(double one, double other) noexcept {
        return one > other || (std::isnan(other) && !std::isnan(one));
    }
    static bool is_higher(const samples::Sample& one, const samples::Sample& other) noexcept {
        return is_higher(one.value, other.value);
    }
    static bool is_higher(const HistogramSample& one, const HistogramSample& other) noexcept {
        return is_higher(one.count, other.count);
    }

    template <typename Of>
    bool add(std::vector<Of>& to, const Of& sample) {
        if (!to.empty() && to.back().time >= sample.time) {
            if (conflict_ == Conflict::reject || to.back().time > sample.time)
                return is_same(to.back(), sample);
            if (is_higher(sample, to.back()))
                to.back() = sample;
            return true;
        }
        to.push_back(sample);
        ++sample_count_;
        return true;
    }

    bool emit_new(const SeriesView& series, const LabelSetHash& hash) {
        if (!label_sets_.insert(hash).second)
            return false;
        if (series.samples.empty() && series.histograms.empty())
            count_skipped();
        else
            emit(series);
        return true;
    }
    void emit(const SeriesView& series) {
        ++emitted_;
        call_sink_(sink_, series);
    }

    CallSink call_sink_;
    void* sink_;
    Conflict conflict_ = Conflict::reject;
    // The current series.
    LabelBuffer labels_;
    std::vector<samples::Sample> samples_;
    std::vector<HistogramSample> histograms_;
    std::vector<samples::ListedBucket> buckets_;
    /// The sample that is read or was read last, of any series.
    samples::Sample current_;
    HistogramSample histogram_;
    samples::ListedBucket bucket_;
    /// Of all series.
    boost::unordered_flat_set<LabelSetHash, HashOfHash> label_sets_;
    std::size_t sample_count_ = 0;
    std::size_t emitted_ = 0;
    std::size_t skipped_ = 0;
};

} // namespace wva_metrics::prometheus::detail
