// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/backend/detail/signal_metrics.hpp"
#include "wva_metrics/backend/detail/signal_total.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/pod_report.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/signal.hpp"

#include <string>
#include <vector>

namespace wva_metrics::detail {

/// The histograms of several pods, for quantiles.
///
/// Some may be classic and some native. Buckets of two kinds cannot be added up, so the kind that more
/// pods have is the total, and the pods of the other kind are missing from it; see `SignalTotal`.
class HistogramTotal {
public:
    explicit HistogramTotal(Signal signal) : signal_(signal), classic_(signal), native_(signal) {}

    void add(const samples::PodReport& pod) {
        const samples::HistogramValue* const histogram = pod.histogram(signal_);
        if (histogram == nullptr) {
            const samples::SignalValue value = value_without_samples(pod);
            classic_.total.add(pod, value);
            native_.total.add(pod, value);
            return;
        }
        const bool is_known = histogram->value.reason == ReadingReason::none;
        add_to(classic_, pod, *histogram, !is_known || !histogram->native);
        add_to(native_, pod, *histogram, !is_known || histogram->native);
    }

    /// True if no pod exposes the histogram.
    bool empty() const noexcept { return chosen().total.empty(); }
    /// Why the total is empty.
    ReadingReason why_empty() const noexcept { return chosen().total.why_empty(); }
    /// The pods that live but are missing from the total, wholly or in part.
    std::vector<std::string> missing() const { return chosen().total.missing(); }

    /// The value that a share `q` of what the pods observed does not exceed, as
    /// `histogram_quantile` has it. See `SignalTotal::quantile`.
    Reading<double> quantile(double q, const SignalMetrics& metrics, const ServerClock& clock,
                             double min_requests) const {
        const OneKind& kind = chosen();
        return kind.total.quantile(kind.sum.quantile(q), metrics, clock, min_requests);
    }

private:
    /// The pods whose histograms are of one kind.
    struct OneKind {
        explicit OneKind(Signal signal) : total(signal), sum{signal} {}

        SignalTotal total;
        samples::HistogramValue sum;
    };

    const OneKind& chosen() const noexcept {
        return native_.total.measured() >= classic_.total.measured() ? native_ : classic_;
    }

    static void add_to(OneKind& kind, const samples::PodReport& pod,
                       const samples::HistogramValue& histogram, bool is_of_kind) {
        samples::SignalValue value = histogram.value;
        const bool is_first = kind.total.measured() == 0;
        if (value.reason == ReadingReason::none && is_of_kind && is_first)
            kind.sum = histogram;
        else if (value.reason == ReadingReason::none &&
                 (!is_of_kind || !kind.sum.add_buckets(histogram)))
            value.reason = ReadingReason::not_provided;
        kind.total.add(pod, value);
    }

    Signal signal_;
    OneKind classic_;
    OneKind native_;
};

} // namespace wva_metrics::detail
