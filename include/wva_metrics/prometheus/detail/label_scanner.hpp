// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/detail/label_set_hash.hpp"
#include "wva_metrics/prometheus/detail/text_scanner.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace wva_metrics::prometheus::detail {

/// Reads the labels of one series after another, if they are plain text without spaces between
/// them.
///
/// Most labels of an answer have the text of the label at the same place in the previous series.
/// Such a label costs one comparison. The labels point to the text that was read, which must not
/// move until `clear`.
class LabelScanner {
public:
    /// Of the last series.
    std::span<const samples::LabelView> labels() const noexcept { return labels_; }
    const LabelSetHash& hash() const noexcept { return hash_; }

    /// Forgets the previous series.
    void clear() noexcept {
        labels_.clear();
        known_.clear();
        hash_ = {};
    }

    /// Reads labels from the first name up to the closing brace. False if they are written
    /// otherwise, exceed a limit, or one appears twice; then the previous series is forgotten.
    bool read(TextScanner& text, const AnswerLimits& limits) {
        if (read_all(text, limits))
            return true;
        clear();
        return false;
    }

private:
    /// A label of the previous series.
    struct Known {
        std::string_view text; ///< `"name":"value"`
        LabelSetHash hash;
    };

    bool read_all(TextScanner& text, const AnswerLimits& limits) {
        if (text.take('}')) {
            clear();
            return true;
        }
        bool has_new_names = false;
        std::size_t count = 0;
        do {
            if (count == limits.max_labels)
                return false;
            const bool is_known = count < known_.size() && text.take(known_[count].text);
            if (!is_known && !read_label(text, count, limits, has_new_names))
                return false;
            ++count;
        } while (text.take(','));
        while (known_.size() > count)
            drop_last();
        return text.take('}') && (!has_new_names || are_names_unique());
    }

    bool read_label(TextScanner& text, std::size_t place, const AnswerLimits& limits,
                    bool& has_new_names) {
        const char* const begin = text.at();
        if (!text.take('"'))
            return false;
        const std::optional<std::string_view> name = text.take_string();
        if (!name || name->size() > limits.max_label_name_bytes || !text.take(":\""))
            return false;
        const std::optional<std::string_view> value = text.take_string();
        if (!value || value->size() > limits.max_label_value_bytes)
            return false;
        has_new_names |= place >= labels_.size() || labels_[place].name != *name;
        set(place, {*name, *value},
            std::string_view(begin, static_cast<std::size_t>(text.at() - begin)));
        return true;
    }

    void set(std::size_t place, const samples::LabelView& label, std::string_view text) {
        const LabelSetHash hash = hash_of(label);
        if (place == known_.size()) {
            labels_.push_back(label);
            known_.push_back({text, hash});
        } else {
            hash_ -= known_[place].hash;
            labels_[place] = label;
            known_[place] = {text, hash};
        }
        hash_ += hash;
    }
    void drop_last() noexcept {
        hash_ -= known_.back().hash;
        known_.pop_back();
        labels_.pop_back();
    }

    bool are_names_unique() const noexcept {
        const auto name = &samples::LabelView::name;
        // Names usually ascend.
        if (std::ranges::adjacent_find(labels_, std::ranges::greater_equal(), name) ==
            labels_.end())
            return true;
        for (auto label = labels_.begin(); label != labels_.end(); ++label)
            if (std::find_if(label + 1, labels_.end(), [&](const samples::LabelView& other) {
                    return other.name == label->name;
                }) != labels_.end())
                return false;
        return true;
    }

    std::vector<samples::LabelView> labels_;
    /// As many as `labels_`.
    std::vector<Known> known_;
    /// Of all labels.
    LabelSetHash hash_;
};

} // namespace wva_metrics::prometheus::detail
