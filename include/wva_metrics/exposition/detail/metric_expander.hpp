// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/go_number.hpp"
#include "wva_metrics/exposition/detail/metric_value.hpp"
#include "wva_metrics/exposition/family_type.hpp"
#include "wva_metrics/exposition/native_histogram.hpp"
#include "wva_metrics/exposition/page_sample.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace wva_metrics::exposition::detail {

/// Names the samples of a metric as Prometheus' text does, and passes on those that are wanted.
class MetricExpander {
public:
    /// Is called with each wanted sample.
    using Emit = void (*)(void* sink, const PageSample&);

    /// Of the samples that are wanted; must outlive it. `max_samples`: the most that are passed on.
    /// `name` is memory for their names.
    MetricExpander(const WantedMetrics& wanted, std::size_t max_samples, std::size_t& samples,
                   std::string& name, void* sink, Emit take)
        : wanted_(wanted), max_samples_(max_samples), samples_(samples), name_(name), sink_(sink),
          emit_(take) {}

    /// Why a metric is refused; null if it is not.
    const char* problem = nullptr;
    const char* bound = nullptr; ///< The bound that was exceeded; null if none was.
    std::size_t most = 0;        ///< Its value.

    /// Passes on the samples of one metric, whose labels change meanwhile. False if it is refused.
    bool pass_on(std::string_view family, FamilyType type, MetricValue& metric) {
        sample_ = {};
        sample_.family = family;
        sample_.type = type;
        sample_.timestamp_ms = metric.timestamp_ms;
        sample_.start_ms = metric.start_ms;
        const bool is_gauge = type == FamilyType::gauge_histogram;
        if (type == FamilyType::summary) {
            pass_parts("", "quantile", metric);
            pass("_sum", metric, metric.sum);
            pass("_count", metric, metric.value);
        } else if (type == FamilyType::histogram || is_gauge) {
            pass_native(is_gauge, metric);
            pass_parts("_bucket", "le", metric);
            pass(is_gauge ? "_gsum" : "_sum", metric, metric.sum);
            pass(is_gauge ? "_gcount" : "_count", metric, metric.value);
        } else {
            pass("", metric, metric.value);
        }
        return problem == nullptr;
    }

private:
    void refuse(const char* what, const char* name_of_bound = nullptr, std::size_t limit = 0) {
        problem = what;
        bound = name_of_bound;
        most = limit;
    }
    bool wants(std::string_view ending) {
        name_.assign(sample_.family).append(ending);
        sample_.name = name_;
        return problem == nullptr && wanted_.wants(name_);
    }
    void pass_native(bool is_gauge, const MetricValue& metric) {
        if (!metric.is_native || !wants(""))
            return;
        if (const auto wrong = find_problem(metric.native, is_gauge))
            return refuse(wrong->data());
        sample_.histogram = &metric.native;
        send(metric, metric.value);
        sample_.histogram = nullptr;
    }
    /// The samples of buckets or quantiles. Buckets end with that of +Inf, which a page may leave out.
    void pass_parts(std::string_view ending, std::string_view label, MetricValue& metric) {
        if (!wants(ending))
            return;
        for (const LabelView& other : metric.labels)
            if (other.name == label)
                return refuse("a label of a histogram or a summary is le or quantile");
        constexpr double infinity = std::numeric_limits<double>::infinity();
        metric.labels.push_back({label, {}});
        bool needs_infinity = !ending.empty();
        for (const MetricValue::Part& part : metric.parts) {
            pass_part(part.key, part.value, metric);
            needs_infinity &= part.key != infinity;
        }
        if (needs_infinity)
            pass_part(infinity, metric.value, metric);
        metric.labels.pop_back();
    }
    void pass_part(double key, double value, MetricValue& metric) {
        metric.part_text = GoNumber(key);
        metric.labels.back().value = metric.part_text.text();
        send(metric, value);
    }
    void pass(std::string_view ending, const MetricValue& metric, double value) {
        if (wants(ending))
            send(metric, value);
    }
    void send(const MetricValue& metric, double value) {
        if (problem != nullptr)
            return;
        if (samples_ == max_samples_)
            return refuse("", "max_samples", max_samples_);
        ++samples_;
        sample_.labels = metric.labels;
        sample_.value = value;
        emit_(sink_, sample_);
    }

    const WantedMetrics& wanted_;
    std::size_t max_samples_;
    std::size_t& samples_;
    std::string& name_;
    void* sink_;
    Emit emit_;
    PageSample sample_{};
};

} // namespace wva_metrics::exposition::detail
