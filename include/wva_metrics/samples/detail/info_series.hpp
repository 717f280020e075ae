// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/detail/label_split.hpp"
#include "wva_metrics/samples/detail/target_index.hpp"
#include "wva_metrics/samples/detail/target_labels.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace wva_metrics::samples::detail {

/// The product of the numbers in these labels; nothing if one of them is missing or no positive
/// number, such as `None` before the server has measured its memory.
inline std::optional<double> product_of(std::span<const LabelView> labels,
                                        std::span<const std::string> factors) noexcept {
    double product = 1;
    for (const std::string& factor : factors) {
        std::string_view text;
        for (const LabelView& label : labels)
            if (label.name == factor)
                text = label.value;
        double number = 0;
        const char* const end = text.data() + text.size();
        const std::from_chars_result parsed = std::from_chars(text.data(), end, number);
        if (parsed.ec != std::errc() || parsed.ptr != end || !(number > 0))
            return std::nullopt;
        product *= number;
    }
    return std::isfinite(product) ? std::optional(product) : std::nullopt;
}

/// Series whose numbers are in their labels, until the views that they belong to are known.
class InfoTable {
public:
    /// The arguments must outlive it.
    InfoTable(const MetricSet& metrics, const SampleRules& rules)
        : metrics_(metrics), rules_(rules) {}

    bool empty() const noexcept { return infos_.empty(); }

    /// Adds a series, whose labels were split. One that does not say its number yet is left out.
    void add(std::optional<std::size_t> model, MetricId metric, std::span<const LabelView> labels,
             const LabelSplit& split, std::span<const Sample> samples, bool has_ended) {
        const std::optional<double> number = product_of(labels, metrics_.factors(metric));
        if (!number)
            return;
        Info& info = infos_.emplace_back();
        info.model = model;
        info.target.labels = copy_labels(split.target());
        info.target.pod =
            find_label(info.target.labels, first_label(info.target.labels, rules_.pod));
        info.target.address = first_address(info.target.labels, rules_.address);
        info.series = {metric, copy_labels(split.server()),
                       std::vector(samples.begin(), samples.end()), has_ended,
                       copy_labels(split.copy())};
        for (Sample& sample : info.series.samples)
            sample.value *= *number;
    }

    /// Adds each series to the views of its target all of whose labels it has. `entry_of(i)` has
    /// the `view` with number i of the index, and its `model`.
    template <typename EntryOf>
    void join(const TargetIndex& index, EntryOf entry_of) const {
        for (const Info& info : infos_)
            for (const std::size_t i : index.find(info.target)) {
                auto& entry = entry_of(i);
                if ((!info.model || info.model == entry.model) &&
                    contains_labels(info.target.labels, entry.view.labels))
                    entry.view.series.push_back(info.series);
            }
    }

private:
    struct Info {
        /// Empty if it names none.
        std::optional<std::size_t> model{};
        /// Labels, pod and address: those of the scrape, and what else the series has.
        View target{};
        /// With the numbers as its samples.
        Series series{};
    };

    const MetricSet& metrics_;
    const SampleRules& rules_;
    std::vector<Info> infos_;
};

} // namespace wva_metrics::samples::detail
