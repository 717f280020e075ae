// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/samples/detail/server_labels.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::samples::detail {

/// The same labels, with texts of their own.
inline Labels copy_labels(std::span<const LabelView> labels) {
    Labels result;
    result.reserve(labels.size());
    for (const LabelView& label : labels)
        result.emplace_back(label.name, label.value);
    return result;
}

/// Sorts the labels of one series by who wrote them and what for. It can be used again, for the next
/// series, and keeps its memory.
class LabelSplit {
public:
    /// `metrics` must outlive it.
    LabelSplit(const MetricSet& metrics, const EngineLabels& labels)
        : metrics_(metrics), model_label_(labels.model), server_labels_(labels.engine),
          copy_labels_(labels.copies) {
        server_labels_.insert(server_labels_.end(), division_labels.begin(), division_labels.end());
    }

    /// Takes the labels of a series, whose texts must live as long as they are used. An empty value
    /// is no label, and the model is none of these.
    void split(std::span<const LabelView> labels) {
        const auto name = std::ranges::find(labels, "__name__", &LabelView::name);
        name_ = name == labels.end() ? std::string_view() : name->value;
        if (name_ != last_name_) {
            last_name_ = name_;
            first_metric_ = metrics_.find(name_);
            roles_.clear();
        }
        for (std::vector<LabelView>& part : parts_)
            part.clear();
        for (std::size_t i = 0; i < labels.size(); ++i)
            if (const Part part = part_of(labels[i].name, i);
                part != Part::none && !labels[i].value.empty())
                parts_[place_of(part)].push_back(labels[i]);
        for (std::vector<LabelView>& part : parts_)
            if (!std::ranges::is_sorted(part, {}, &LabelView::name))
                std::ranges::sort(part, {}, &LabelView::name);
    }

    /// The metric's name.
    std::string_view name() const noexcept { return name_; }
    /// True if the name is one of the metrics.
    bool is_metric() const noexcept { return first_metric_.has_value(); }
    /// The labels that the server writes, sorted by name.
    std::span<const LabelView> server() const noexcept { return of(Part::server); }
    /// The labels that only tell copies apart, sorted by name.
    std::span<const LabelView> copy() const noexcept { return of(Part::copy); }
    /// The labels of the scrape and the storage, sorted by name.
    std::span<const LabelView> target() const noexcept { return of(Part::target); }
    /// True if the labels of the scrape and the storage are these.
    bool has_target(const Labels& labels) const noexcept {
        return std::ranges::equal(target(), labels, [](const LabelView& own, const auto& label) {
            return own.value == label.second && own.name == label.first;
        });
    }

    /// Calls `use(metric)` for each metric that the series is of: of those with its name, the ones
    /// that require the labels it has.
    template <typename Use>
    void for_each_metric(Use use) const {
        if (!first_metric_)
            return;
        for (std::size_t i = *first_metric_; metrics_.has_name(i, name_); ++i) {
            const auto metric = static_cast<MetricId>(i);
            const auto is_wanted = [](const LabelView& label, const RequiredLabel& wanted) {
                return label.name == wanted.name && label.value == wanted.value;
            };
            if (std::ranges::equal(of(Part::chosen), metrics_.required(metric), is_wanted))
                use(metric);
        }
    }

private:
    /// By whom a label was written, and what for.
    enum class Part : std::uint8_t { chosen, server, copy, target, none };

    /// A label's name at its place among those of a series, and what it is there.
    struct Role {
        std::string name;
        Part part;
    };

    static constexpr std::size_t place_of(Part part) noexcept {
        return static_cast<std::size_t>(part);
    }
    std::span<const LabelView> of(Part part) const noexcept { return parts_[place_of(part)]; }

    /// `place`: that of the label; those before it come first. The series of a metric nearly all have
    /// the same names in the same order, so that most are known by the series before.
    Part part_of(std::string_view name, std::size_t place) {
        if (place == roles_.size())
            roles_.push_back({std::string(name), find_part(name)});
        else if (roles_[place].name != name)
            roles_[place] = {std::string(name), find_part(name)};
        return roles_[place].part;
    }

    Part find_part(std::string_view name) const {
        const auto is_in = [name](const std::vector<std::string>& names) {
            return std::ranges::find(names, name) != names.end();
        };
        if (name == "__name__" || name == model_label_)
            return Part::none;
        if (first_metric_) {
            const auto required = metrics_.required(*first_metric_);
            if (std::ranges::find(required, name, &RequiredLabel::name) != required.end())
                return Part::chosen;
        }
        if (is_in(server_labels_))
            return Part::server;
        return is_in(copy_labels_) ? Part::copy : Part::target;
    }

    const MetricSet& metrics_;
    std::string model_label_;
    std::vector<std::string> server_labels_;
    std::vector<std::string> copy_labels_;
    std::string_view name_;
    /// Of the series before.
    std::string last_name_;
    /// Those of the series of that name, by the place of the label.
    std::vector<Role> roles_;
    std::optional<MetricId> first_metric_;
    /// By `Part`, except `none`.
    std::array<std::vector<LabelView>, 4> parts_;
};

} // namespace wva_metrics::samples::detail
