// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/packed_native.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/scrape/store_limits.hpp"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics::scrape::detail {

/// The newest samples of one series, in ascending order of time and in one piece of memory. Those of
/// a native histogram have their buckets beside them.
class SampleHistory {
public:
    /// Adds a sample that is newer than all others. Of more than `max` the oldest are dropped.
    /// `native`: its buckets; empty if it is no native histogram.
    void push(const samples::Sample& sample, std::size_t max, samples::PackedNative native = {}) {
        // Moved to the front seldom, so that it costs a constant per sample.
        if (first_ > 0 && samples_.size() == samples_.capacity() && first_ * 2 >= samples_.size()) {
            const auto dropped = static_cast<std::ptrdiff_t>(first_);
            samples_.erase(samples_.begin(), samples_.begin() + dropped);
            if (!natives_.empty())
                natives_.erase(natives_.begin(), natives_.begin() + dropped);
            first_ = 0;
        }
        if (!natives_.empty() || !native.empty()) {
            natives_.resize(samples_.size());
            // An idle server says the same again and again.
            const bool is_same = !natives_.empty() && natives_.back() == native;
            native_bytes_ += native.size();
            natives_.push_back(is_same ? natives_.back() : std::move(native));
        }
        samples_.push_back(sample);
        if (size() > max)
            drop_first();
    }

    /// Drops what is too old at `now`.
    void trim(samples::ServerTime now, const Retention& retention) noexcept {
        while (!empty() &&
               (now - samples_[first_].time > retention.longest ||
                (now - samples_[first_].time > retention.usual && size() > retention.kept)))
            drop_first();
        if (empty()) {
            samples_.clear();
            natives_.clear();
            first_ = 0;
        }
    }

    bool empty() const noexcept { return first_ == samples_.size(); }
    std::size_t size() const noexcept { return samples_.size() - first_; }
    const samples::Sample& last() const noexcept { return samples_.back(); }
    std::span<const samples::Sample> all() const noexcept {
        return std::span(samples_).subspan(first_);
    }
    /// One for each sample, or none at all.
    std::span<const samples::PackedNative> natives() const noexcept {
        return natives_.empty() ? std::span<const samples::PackedNative>()
                                : std::span(natives_).subspan(first_);
    }
    /// The bytes of all of them.
    std::size_t native_bytes() const noexcept { return native_bytes_; }

private:
    void drop_first() noexcept {
        if (!natives_.empty()) {
            native_bytes_ -= natives_[first_].size();
            natives_[first_] = {};
        }
        ++first_;
    }

    std::vector<samples::Sample> samples_;
    /// Empty, or as many as there are samples.
    std::vector<samples::PackedNative> natives_;
    std::size_t native_bytes_ = 0;
    /// Those before it are dropped.
    std::size_t first_ = 0;
};

} // namespace wva_metrics::scrape::detail
