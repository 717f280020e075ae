// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/detail/label_set_hash.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::prometheus::detail {

/// The labels of the current series.
///
/// A text that arrives in one piece is not copied: the buffer points to it until `keep`.
class LabelBuffer {
public:
    /// Most series have no more labels than this.
    static constexpr std::size_t usual_labels = 16;

    LabelBuffer() { labels_.reserve(usual_labels); }

    void clear() noexcept { labels_.clear(); }
    std::size_t size() const noexcept { return labels_.size(); }

    /// Begins a label with an empty value. `stays`: the name does not move until the next `keep`.
    /// False if the series has a label of this name already.
    bool begin(std::string_view name, bool stays) {
        if (!stays)
            name = kept(labels_.size()).name.assign(name);
        // Names usually ascend, and then none can appear twice.
        names_ascend_ = labels_.empty() || (names_ascend_ && labels_.back().name < name);
        const bool is_new =
            names_ascend_ ||
            std::ranges::find(labels_, name, &samples::LabelView::name) == labels_.end();
        labels_.push_back({name, ""});
        return is_new;
    }

    /// The whole value, which must not move until the next `keep`.
    void set(std::string_view text) noexcept { labels_.back().value = text; }

    /// A part of the value. `total`: bytes of the value so far, this part included.
    void append(std::string_view part, std::size_t total) {
        std::string& value = kept(labels_.size() - 1).value;
        if (total == part.size())
            value.clear();
        labels_.back().value = value.append(part);
    }

    /// Copies the texts that the buffer points to.
    void keep() {
        for (std::size_t i = 0; i < labels_.size(); ++i) {
            keep(labels_[i].name, kept(i).name);
            keep(labels_[i].value, kept(i).value);
        }
    }

    std::span<const samples::LabelView> labels() const noexcept { return labels_; }

    LabelSetHash hash() const {
        LabelSetHash sum;
        for (const samples::LabelView& label : labels_)
            sum += hash_of(label);
        return sum;
    }

private:
    /// Memory for the texts of one label, used again for the next series.
    struct Kept {
        std::string name;
        std::string value;
    };

    static void keep(std::string_view& text, std::string& memory) {
        if (text.data() != memory.data())
            text = memory.assign(text);
    }

    Kept& kept(std::size_t place) {
        while (place >= kept_.size())
            kept_.push_back(std::make_unique<Kept>());
        return *kept_[place];
    }

    std::vector<samples::LabelView> labels_;
    bool names_ascend_ = true;
    /// By place in the series. The texts do not move when another is added.
    std::vector<std::unique_ptr<Kept>> kept_;
};

} // namespace wva_metrics::prometheus::detail
