// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/samples/packed_native.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/scrape/detail/check_series.hpp"
#include "wva_metrics/scrape/detail/sample_history.hpp"
#include "wva_metrics/scrape/detail/series_key.hpp"
#include "wva_metrics/scrape/detail/stored_series.hpp"
#include "wva_metrics/scrape/page_change.hpp"
#include "wva_metrics/scrape/store_limits.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace wva_metrics::scrape {

/// The windows of samples of one target: what its pages said at each scrape, as a Prometheus would
/// have stored it.
///
/// A scrape is begun; the samples of its page are added; then it has ended or failed. A scrape that
/// failed leaves nothing but a 0 in the series `up`. A series that a page lacks has ended; it may
/// come again later. Known series are found without an allocation.
///
/// Pure: the time is passed in.
///
/// **Threads:** one at a time.
class SampleStore {
public:
    /// `target_labels` are added to each series, e.g. `pod` and `instance`. A label of the page with
    /// the same name is kept with the prefix `exported_`.
    explicit SampleStore(samples::Labels target_labels = {}, const Retention& retention = {},
                         const StoreLimits& limits = {})
        : target_labels_(std::move(target_labels)), retention_(retention), limits_(limits),
          key_(target_labels_) {
        std::ranges::sort(target_labels_);
        up_labels_.push_back({"__name__", "up"});
        append_target_labels(up_labels_);
    }
    SampleStore(const SampleStore&) = delete;
    SampleStore& operator=(const SampleStore&) = delete;

    /// Begins a scrape. One that has not ended is dropped. A time that is not later than that of the
    /// scrape before counts as one millisecond after it.
    void begin(samples::ServerTime now) {
        drop_added();
        now_ = last_scrape_ ? std::max(now, *last_scrape_ + samples::ServerDuration(1)) : now;
        ++scrape_;
    }

    /// Adds a sample of the page. `labels` are as on the page, each name once.
    ///
    /// - `timestamp_ms`: since 1970, if the page gives a time. Without one, or with a later one, the
    ///   sample has the time of the scrape. A sample that is not newer than the last one of its
    ///   series shows that the series is still there, and is no new sample.
    /// - `start_ms`: since when the counter counts, if the page says so beside the sample.
    ///
    /// - `native`: the buckets, if it is a native histogram, whose count is `value`.
    ///
    /// Of two samples of one series on a page, the first counts.
    ///
    /// **Errors:** `too_large`: one of the `StoreLimits` is exceeded. The scrape has to fail then.
    Result<void> add(std::string_view name, std::span<const samples::LabelView> labels,
                     double value, std::optional<std::int64_t> timestamp_ms = std::nullopt,
                     std::optional<std::int64_t> start_ms = std::nullopt,
                     samples::PackedNative native = {}) {
        key_.assign(name, labels);
        auto found = series_.find(key_.text());
        if (found == series_.end()) {
            const detail::StoreUse use{series_.size(), total_bytes_};
            if (Result<void> fits =
                    detail::check_series(name, labels.size(), key_.text().size(), use, limits_);
                fits.has_error())
                return fits;
            found = insert();
        }
        Series& series = found->second;
        if (series.seen_in == scrape_)
            return {};
        series.seen_in = scrape_;
        added_bytes_ += native.size();
        if (native_bytes_ + added_bytes_ > limits_.max_histogram_bytes)
            return detail::too_many_native_bytes(name, limits_);
        series.added = {time_of(timestamp_ms), value};
        series.added_native = std::move(native);
        series.added_start = start_ms;
        added_.push_back(&series);
        return {};
    }

    /// What was added since `begin`, compared with the page before. `up` does not count.
    PageChange change() const noexcept {
        PageChange change;
        change.series = added_.size();
        for (const auto& [key, series] : series_) {
            const bool is_known = !series.has_ended && !series.history.empty();
            change.known += is_known ? 1U : 0U;
            change.missing += is_known && series.seen_in != scrape_ ? 1U : 0U;
        }
        return change;
    }

    /// The page was read completely: what was added counts, and the series that it lacks have ended.
    void end() {
        link_starts();
        for (Series* series : added_)
            series->commit(limits_.max_samples_per_series);
        added_.clear();
        for (auto& [key, series] : series_)
            series.has_ended = series.seen_in != scrape_;
        finish(1);
    }

    /// The page could not be read, or not completely: nothing of it counts.
    void fail() {
        drop_added();
        finish(0);
    }

    /// The target exists no more: all of its series have ended. They stay as long as their samples
    /// are within the window.
    void retire(samples::ServerTime now) {
        begin(now);
        for (auto& [key, series] : series_)
            series.has_ended = true;
        finish(std::numeric_limits<double>::quiet_NaN());
    }

    /// Calls `visit(labels, samples, has_ended)` for each series, in any order, `up` among them:
    /// `std::span<const samples::LabelView>` with `__name__`, and `std::span<const samples::Sample>`,
    /// at least one, in ascending order of time. If `visit` takes a fourth argument,
    /// `std::span<const samples::PackedNative>`, it has the buckets of native histograms: one for each
    /// sample, or none. The spans are valid until the store changes.
    template <typename Visit>
    void visit(Visit visit) const {
        const auto pass = [&](std::span<const samples::LabelView> labels,
                              const detail::SampleHistory& history, bool has_ended) {
            if constexpr (std::invocable<Visit&, std::span<const samples::LabelView>,
                                         std::span<const samples::Sample>, bool,
                                         std::span<const samples::PackedNative>>)
                visit(labels, history.all(), has_ended, history.natives());
            else
                visit(labels, history.all(), has_ended);
        };
        if (!up_.empty())
            pass(up_labels_, up_, false);
        for (const auto& [key, series] : series_)
            if (!series.history.empty())
                pass(series.labels, series.history, series.has_ended);
    }

    /// `up`: 1 if a scrape succeeded, 0 if not; a last one that is NaN if the target is gone.
    std::span<const samples::Sample> up() const noexcept { return up_.all(); }
    /// The number of series, without `up`.
    std::size_t size() const noexcept { return series_.size(); }
    /// The samples that the last successful scrape has added.
    std::size_t last_samples() const noexcept { return last_samples_; }

private:
    using Series = detail::StoredSeries;
    // Its nodes do not move, so that labels may refer to the keys.
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using Map = std::unordered_map<std::string, Series, Hash, std::equal_to<>>;

    void append_target_labels(std::vector<samples::LabelView>& labels) const {
        for (const auto& [name, value] : target_labels_)
            labels.push_back({name, value});
    }

    Map::iterator insert() {
        const auto place = series_.try_emplace(key_.text()).first;
        const std::vector<std::string_view> parts = detail::SeriesKey::parts(place->first);
        std::vector<samples::LabelView>& labels = place->second.labels;
        labels.reserve((parts.size() + 1) / 2 + target_labels_.size());
        labels.push_back({"__name__", parts.front()});
        for (std::size_t i = 1; i + 1 < parts.size(); i += 2)
            labels.push_back({parts[i], parts[i + 1]});
        append_target_labels(labels);
        total_bytes_ += place->first.size();
        are_starts_linked_ = false;
        return place;
    }

    samples::ServerTime time_of(std::optional<std::int64_t> timestamp_ms) const noexcept {
        if (!timestamp_ms)
            return now_;
        // What is older is dropped in any case; no difference of times overflows.
        const samples::ServerTime oldest = now_ - retention_.longest - samples::ServerDuration(1);
        return std::clamp(samples::ServerTime(samples::ServerDuration(*timestamp_ms)), oldest,
                          now_);
    }

    /// Finds the series `x_created` of `x_total`, `x_count`, `x_sum` and `x_bucket`.
    void link_starts() {
        if (std::exchange(are_starts_linked_, true))
            return;
        std::string name;
        std::vector<samples::LabelView> labels;
        for (auto& [key, series] : series_) {
            series.start_series = nullptr;
            name = series.labels.front().value;
            const std::size_t ending = std::min(name.rfind('_'), name.size());
            const std::string_view last = std::string_view(name).substr(ending);
            if (last != "_total" && last != "_count" && last != "_sum" && last != "_bucket")
                continue;
            name.replace(ending, std::string::npos, "_created");
            labels.clear();
            for (const samples::LabelView& label :
                 std::span(series.labels)
                     .subspan(1, series.labels.size() - 1 - target_labels_.size()))
                if (label.name != "le" && label.name != "quantile")
                    labels.push_back(label);
            key_.assign(name, labels);
            if (const auto found = series_.find(key_.text()); found != series_.end())
                series.start_series = &found->second;
        }
    }

    void drop_added() {
        added_.clear();
        added_bytes_ = 0;
        if (are_starts_linked_)
            return;
        // The series that only this page had.
        erase_if([](const Series& series) { return series.history.empty(); });
    }

    void finish(double up) {
        up_.push({now_, up}, limits_.max_samples_per_series);
        up_.trim(now_, retention_);
        last_scrape_ = now_;
        std::size_t newest = 0;
        bool is_over = false;
        native_bytes_ = added_bytes_ = 0;
        for (auto& [key, series] : series_) {
            newest += series.seen_in == scrape_ ? 1U : 0U;
            series.history.trim(now_, retention_);
            native_bytes_ += series.history.native_bytes();
            is_over = is_over || series.history.empty();
        }
        if (up == 1)
            last_samples_ = newest;
        if (is_over)
            erase_if([](const Series& series) { return series.history.empty(); });
    }

    template <typename Condition>
    void erase_if(Condition condition) {
        for (auto place = series_.begin(); place != series_.end();) {
            if (condition(place->second)) {
                total_bytes_ -= place->first.size();
                are_starts_linked_ = false;
                place = series_.erase(place);
            } else {
                ++place;
            }
        }
    }

    samples::Labels target_labels_;
    const Retention retention_;
    const StoreLimits limits_;
    detail::SeriesKey key_;
    Map series_;
    /// Of the scrape that has begun.
    std::vector<Series*> added_;
    detail::SampleHistory up_;
    std::vector<samples::LabelView> up_labels_;
    std::optional<samples::ServerTime> last_scrape_;
    samples::ServerTime now_{};
    /// The number of the scrape that has begun.
    std::uint64_t scrape_ = 0;
    std::size_t total_bytes_ = 0;
    /// Of the native histograms of all samples, and of those that were added since `begin`.
    std::size_t native_bytes_ = 0;
    std::size_t added_bytes_ = 0;
    std::size_t last_samples_ = 0;
    bool are_starts_linked_ = true;
};

} // namespace wva_metrics::scrape
