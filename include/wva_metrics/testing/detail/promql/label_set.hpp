// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::testing::detail {

/// The identity of a series: labels sorted by name, each name once, none with an empty value. (In
/// Prometheus an empty label is the same as an absent one.) The metric name is the label
/// `__name__`.
class LabelSet {
public:
    /// A name and a value.
    using Label = std::pair<std::string, std::string>;
    /// The label that holds the metric name.
    static constexpr std::string_view metric_name = "__name__";

private:
    template <typename Labels>
    static auto find(Labels& labels, std::string_view name) noexcept {
        return std::lower_bound(labels.begin(), labels.end(), name,
                                [](const Label& label, std::string_view wanted) {
                                    return label.first.compare(wanted) < 0;
                                });
    }

public:
    LabelSet() = default;
    /// Same as from a vector.
    LabelSet(std::initializer_list<Label> labels) : LabelSet(std::vector<Label>(labels)) {}
    /// If a name is there twice, the last one counts.
    explicit LabelSet(const std::vector<Label>& labels) {
        for (const auto& [name, value] : labels)
            set(name, value);
    }

    /// The label's value; empty if there is no such label.
    std::string_view get(std::string_view name) const noexcept {
        const auto at = find(labels_, name);
        return at != labels_.end() && at->first == name ? std::string_view(at->second) : "";
    }

    /// Sets a label; an empty value removes it.
    void set(std::string_view name, std::string_view value) {
        auto at = find(labels_, name);
        const bool present = at != labels_.end() && at->first == name;
        if (value.empty()) {
            if (present)
                labels_.erase(at);
        } else if (present) {
            at->second = value;
        } else {
            labels_.emplace(at, std::string(name), std::string(value));
        }
    }

    /// The labels whose names the predicate accepts.
    template <typename Predicate>
    LabelSet filtered(Predicate&& keep) const {
        LabelSet kept;
        for (const Label& label : labels_) {
            if (keep(std::string_view(label.first)))
                kept.labels_.push_back(label);
        }
        return kept;
    }
    /// All labels except the metric name, as after most functions.
    LabelSet without_metric_name() const {
        return filtered([](std::string_view name) { return name != metric_name; });
    }

    /// The number of labels.
    std::size_t size() const noexcept { return labels_.size(); }
    /// True if there are no labels.
    bool empty() const noexcept { return labels_.empty(); }
    ///@{
    /// The labels, sorted by name.
    auto begin() const noexcept { return labels_.begin(); }
    auto end() const noexcept { return labels_.end(); }
    ///@}

    /// Text for messages: `{namespace="llm", pod="p"}`, unescaped.
    std::string describe() const {
        std::string text = "{";
        for (const auto& [name, value] : labels_) {
            if (text.size() > 1)
                text += ", ";
            text += name + "=\"" + value + '"';
        }
        return text + '}';
    }

    friend bool operator==(const LabelSet&, const LabelSet&) = default;
    friend auto operator<=>(const LabelSet&, const LabelSet&) = default;

private:
    std::vector<Label> labels_;
};

} // namespace wva_metrics::testing::detail

/// For unordered containers.
template <>
struct std::hash<wva_metrics::testing::detail::LabelSet> {
    /// Equal sets have equal hashes.
    std::size_t operator()(const wva_metrics::testing::detail::LabelSet& labels) const noexcept {
        std::size_t seed = labels.size();
        const auto mix = [&seed](const std::string& text) {
            seed = (seed ^ std::hash<std::string>()(text)) * 0x9E3779B97F4A7C15ULL;
        };
        for (const auto& [name, value] : labels) {
            mix(name);
            mix(value);
        }
        return seed;
    }
};
