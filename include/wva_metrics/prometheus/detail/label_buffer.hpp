// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/detail/label_set_hash.hpp"
#include "wva_metrics/samples/view.hpp"

#include <boost/unordered/unordered_node_set.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::prometheus::detail {

/// The labels of the current series.
///
/// A value that arrives in one piece is not copied: the buffer points to it until `keep`. Names are
/// kept once for all series, because an answer has few different ones.
class LabelBuffer {
public:
    void clear() noexcept { labels_.clear(); }
    std::size_t size() const noexcept { return labels_.size(); }

    /// Begins a label with an empty value. False if the series has a label of this name already.
    bool begin(std::string_view name) {
        const std::string_view kept = keep_name(name, labels_.size());
        // Names usually ascend, and then none can appear twice.
        const bool is_new =
            labels_.empty() || labels_.back().name < kept ||
            std::ranges::find(labels_, kept, &samples::LabelView::name) == labels_.end();
        labels_.push_back({kept, ""});
        return is_new;
    }

    void set(std::string_view text) noexcept { labels_.back().value = text; }

    /// `total`: bytes of the value so far, this part included.
    void append(std::string_view part, std::size_t total) {
        std::string& kept = kept_text(labels_.size() - 1);
        if (total == part.size())
            kept.clear();
        labels_.back().value = kept.append(part);
    }

    /// Copies the values that the buffer points to.
    void keep() {
        for (std::size_t i = 0; i < labels_.size(); ++i)
            if (labels_[i].value.data() != kept_text(i).data())
                labels_[i].value = kept_text(i).assign(labels_[i].value);
    }

    std::span<const samples::LabelView> labels() const noexcept { return labels_; }

    LabelSetHash hash() const {
        LabelSetHash sum;
        for (const samples::LabelView& label : labels_)
            sum += hash_of(label);
        return sum;
    }

private:
    /// The names of an answer's labels are few; more than this are from a server that misbehaves,
    /// and are kept for one series only.
    static constexpr std::size_t max_names = 4096;

    std::string_view keep_name(std::string_view name, std::size_t place) {
        // The series of an answer are alike, so the name is probably that of the label in this
        // place of the previous series.
        if (place < expected_.size() && expected_[place] == name)
            return expected_[place];
        if (names_.size() >= max_names)
            forget_names();
        const auto known = names_.find(name);
        const std::string_view kept = known != names_.end() ? *known : *names_.emplace(name).first;
        if (place < expected_.size())
            expected_[place] = kept;
        else if (place == expected_.size())
            expected_.push_back(kept);
        return kept;
    }

    /// Keeps only the names that the current series uses.
    void forget_names() {
        Names used;
        for (samples::LabelView& label : labels_)
            label.name = *used.emplace(label.name).first;
        names_.swap(used);
        expected_.clear();
    }

    std::string& kept_text(std::size_t place) {
        if (place >= kept_.size())
            kept_.resize(place + 1);
        return kept_[place];
    }

    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using Names = boost::unordered_node_set<std::string, Hash, std::equal_to<>>;

    std::vector<samples::LabelView> labels_;
    /// By place in the series. The texts do not move when another is added.
    std::deque<std::string> kept_;
    std::vector<std::string_view> expected_;
    Names names_;
};

} // namespace wva_metrics::prometheus::detail
