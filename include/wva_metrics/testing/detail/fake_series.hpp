// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/testing/detail/exposition_page.hpp"
#include "wva_metrics/testing/detail/promql/evaluator.hpp"
#include "wva_metrics/testing/detail/promql/label_set.hpp"
#include "wva_metrics/testing/detail/promql/parse_promql.hpp"
#include "wva_metrics/testing/detail/promql/series_store.hpp"
#include "wva_metrics/testing/detail/promql/value.hpp"
#include "wva_metrics/testing/detail/promql/victoria_metrics.hpp"

#include <cstddef>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace wva_metrics::testing::detail {

/// The series of a fake Prometheus: scrapes pages and answers queries. Thread-safe.
class FakeSeries {
public:
    void append(const LabelSet& series, Sample sample) {
        const std::lock_guard lock(mutex_);
        store_.append(series, sample);
    }
    /// Replaces the samples from the first to the last of these, which ascend in time.
    void replace(const LabelSet& series, const SeriesStore::Samples& samples) {
        const std::lock_guard lock(mutex_);
        store_.replace(series, samples);
    }
    bool erase(const LabelSet& series) {
        const std::lock_guard lock(mutex_);
        return store_.erase(series);
    }
    void clear() {
        const std::lock_guard lock(mutex_);
        store_.clear();
        last_scrapes_.clear();
    }
    void limit_samples(std::size_t samples) {
        const std::lock_guard lock(mutex_);
        max_samples_ = samples;
    }
    void set_retention(Milliseconds retention) {
        const std::lock_guard lock(mutex_);
        retention_ = retention;
    }

    Result<std::size_t> scrape(std::string_view page, Milliseconds time,
                               const LabelSet& target_labels) {
        auto parsed = parse_exposition_page(page);
        const std::lock_guard lock(mutex_);
        std::set<LabelSet>& last = last_scrapes_[target_labels];
        std::set<LabelSet> present;
        if (parsed) {
            for (ExpositionSample& sample : *parsed) {
                for (const auto& [name, value] : target_labels) {
                    if (sample.series.get(name).empty())
                        sample.series.set(name, value);
                }
                store_.append(sample.series, {sample.time.value_or(time), sample.value});
                // A target that sends times also marks the end of a series itself.
                if (!sample.time)
                    present.insert(sample.series);
            }
        }
        for (const LabelSet& series : last) {
            if (!present.contains(series))
                store_.append(series, {time, 0, true});
        }
        last = std::move(present);
        store_.append(up_of(target_labels), {time, parsed ? 1.0 : 0.0});
        if (time >= next_cleanup_) {
            store_.erase_before(time - retention_);
            next_cleanup_ = time + cleanup_interval;
        }
        if (!parsed)
            return parsed.error();
        return parsed->size();
    }

    /// Ends all series of a target, which is no longer scraped.
    void end_target(const LabelSet& target_labels, Milliseconds time) {
        const std::lock_guard lock(mutex_);
        const auto target = last_scrapes_.find(target_labels);
        if (target == last_scrapes_.end())
            return;
        for (const LabelSet& series : target->second)
            store_.append(series, {time, 0, true});
        store_.append(up_of(target_labels), {time, 0, true});
        last_scrapes_.erase(target);
    }

    /// The value of a query. Throws QueryFailure.
    PromqlValue value(std::string_view query, Milliseconds time) const {
        const ExpressionPtr expression = parse_promql(query);
        const std::lock_guard lock(mutex_);
        return evaluate(*expression, store_, time, max_samples_);
    }
    /// The same, as VictoriaMetrics gives it at `now`.
    PromqlValue victoria_metrics_value(std::string_view query, Milliseconds time,
                                       Milliseconds now) const {
        const ExpressionPtr expression = parse_promql(query);
        const std::lock_guard lock(mutex_);
        return evaluate_as_victoria_metrics(*expression, store_, {time, now}, max_samples_);
    }

private:
    /// The series that a scrape writes besides those of the page.
    static LabelSet up_of(LabelSet target_labels) {
        target_labels.set(LabelSet::metric_name, "up");
        return target_labels;
    }

    static constexpr Milliseconds cleanup_interval = 60'000;

    mutable std::mutex mutex_;
    SeriesStore store_;
    std::map<LabelSet, std::set<LabelSet>> last_scrapes_;
    std::size_t max_samples_ = std::numeric_limits<std::size_t>::max();
    Milliseconds retention_ = Milliseconds{70} * 60 * 1000;
    Milliseconds next_cleanup_ = std::numeric_limits<Milliseconds>::min();
};

} // namespace wva_metrics::testing::detail
