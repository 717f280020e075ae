// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/kube_pod_series.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::detail {

/// The instances of kube-state-metrics that report pods, and which of them report at the moment.
///
/// Each has a clock of its own: its newest sample. A pod that it no longer reports has ended by
/// that clock, however far the whole answer is behind. An instance that does not report at all
/// says nothing of its pods.
class KubeReporters {
public:
    explicit KubeReporters(const samples::SampleRules& rules) : rules_(rules) {}

    /// The number of the instance that a series comes from. Copies that differ in other labels than
    /// the address and the cluster, such as those of two Prometheus servers, are one instance.
    std::size_t number_of(const prometheus::SeriesView& series) {
        // A label's value is UTF-8, so it cannot contain this byte.
        constexpr char separator = '\xff';
        key_.clear();
        for (const std::string& name : rules_.address)
            if (const std::string_view value = series.label(name); !value.empty()) {
                key_ += value;
                break;
            }
        for (const std::string& name : rules_.boundary)
            (key_ += separator) += series.label(name);
        const auto [found, is_new] = numbers_.try_emplace(key_, reporters_.size());
        if (is_new)
            reporters_.emplace_back();
        return found->second;
    }

    /// Takes a series into account.
    void add(const KubePodSeries& series) {
        Reporter& reporter = reporters_[series.reporter];
        reporter.last = std::max(reporter.last, series.last);
        if (!series.has_ended)
            reporter.last_open = std::max(reporter.last_open.value_or(series.last), series.last);
        if (series.spacing)
            reporter.spacings.push_back(*series.spacing);
    }

    /// Judges all instances, when all series have been added.
    ///
    /// `reports_other_pods`: some instance reports at the moment, maybe only other pods than those
    /// of the answer. `hidden_for`: how long this stays true after it reports no more.
    void judge(samples::ServerTime now, bool reports_other_pods,
               samples::ServerDuration hidden_for) {
        samples::ServerTime newest{};
        samples::ServerTime newest_open{};
        for (Reporter& reporter : reporters_) {
            reporter.patience = patience_with(lower_median(reporter.spacings));
            newest = std::max(newest, reporter.last);
            newest_open = std::max(newest_open, reporter.last_open.value_or(newest_open));
        }
        reports_these_ = std::ranges::any_of(reporters_, [now](const Reporter& reporter) {
            return reporter.last_open && now - *reporter.last_open <= reporter.patience;
        });
        is_reporting_ = reports_these_ || reports_other_pods;
        for (Reporter& reporter : reporters_) {
            if (reports_these_)
                reporter.is_up =
                    reporter.last_open && newest_open - *reporter.last_open <= reporter.patience;
            else
                reporter.is_up = reports_other_pods &&
                                 newest - reporter.last <= reporter.patience &&
                                 now - reporter.last > reporter.patience + hidden_for;
        }
    }

    /// Some instance reports pods: of these namespaces or of others.
    bool is_reporting() const noexcept { return is_reporting_; }

    /// The instance that reports this series reports at the moment.
    bool is_up(const KubePodSeries& series) const noexcept {
        return reporters_[series.reporter].is_up;
    }

    /// The instance still reports this series. False also if that is not known, because the
    /// instance itself does not report.
    bool is_living(const KubePodSeries& series) const {
        const Reporter& reporter = reporters_[series.reporter];
        if (!reports_these_ || !reporter.is_up || series.has_ended)
            return false;
        const samples::ServerDuration patience =
            series.spacing ? patience_with(series.spacing) : reporter.patience;
        return *reporter.last_open - series.last <= patience;
    }

    /// The instance's newest scrape contains this series, which is living.
    bool is_in_newest_scrape(const KubePodSeries& series) const {
        const samples::ServerDuration behind = *reporters_[series.reporter].last_open - series.last;
        return behind == samples::ServerDuration::zero() ||
               (series.spacing && 2 * behind < *series.spacing);
    }

private:
    struct Reporter {
        samples::ServerTime last{};                      ///< Of all series.
        std::optional<samples::ServerTime> last_open{};  ///< Of those that no marker ended.
        std::vector<samples::ServerDuration> spacings{}; ///< Of its series.
        samples::ServerDuration patience{};              ///< For series of unknown spacing.
        bool is_up = false;
    };

    static std::optional<samples::ServerDuration>
    lower_median(std::vector<samples::ServerDuration>& values) {
        if (values.empty())
            return std::nullopt;
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
        std::ranges::nth_element(values, middle);
        return *middle;
    }

    /// How old the newest sample of something may be that is reported this often.
    samples::ServerDuration patience_with(std::optional<samples::ServerDuration> spacing) const {
        // Where only one scrape is known, the newest sample must be in the window, which does not
        // contain its start.
        if (!spacing)
            return rules_.window - samples::ServerDuration(1);
        return std::chrono::floor<samples::ServerDuration>(
            rules_.max_missed_scrapes *
            std::chrono::duration<double, samples::ServerDuration::period>(*spacing));
    }

    samples::SampleRules rules_;
    std::map<std::string, std::size_t> numbers_;
    std::vector<Reporter> reporters_;
    std::string key_; ///< To save allocations.
    bool is_reporting_ = false;
    bool reports_these_ = false;
};

} // namespace wva_metrics::detail
