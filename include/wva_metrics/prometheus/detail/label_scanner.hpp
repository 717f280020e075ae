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
/// Expects them to be written as those of the previous series, and compares the texts. Only a label
/// that differs is read, from the first character that does. The labels point to the text that was
/// read, which must not move until `clear`.
class LabelScanner {
public:
    /// Of the last series.
    std::span<const samples::LabelView> labels() const noexcept { return labels_; }
    const LabelSetHash& hash() const noexcept { return hash_; }

    /// Forgets the previous series.
    void clear() noexcept {
        text_ = {};
        labels_.clear();
        hashes_.clear();
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
    bool read_all(TextScanner& text, const AnswerLimits& limits) {
        if (text.take('}')) {
            clear();
            return true;
        }
        const char* const begin = text.at();
        std::string_view expected = text_;
        std::size_t same = text.count_same(expected);
        bool has_new_names = false;
        std::size_t count = 0;
        for (;;) {
            if (count == limits.max_labels)
                return false;
            const std::size_t size = count < labels_.size() ? written_size(labels_[count]) : 0;
            const bool is_same = size > 0 && size <= same;
            if (is_same)
                text.skip(size - 1);
            else if (!read_label(text, count, same, limits, has_new_names))
                return false;
            ++count;
            if (text.take('}'))
                break;
            if (!text.take(','))
                return false;
            expected.remove_prefix(size);
            same = is_same ? same - size : text.count_same(expected);
        }
        while (labels_.size() > count)
            drop_last();
        text_ = std::string_view(begin, static_cast<std::size_t>(text.at() - begin));
        return !has_new_names || are_names_unique();
    }

    /// Bytes of a label and of the comma or the brace after it: `"name":"value",`
    static std::size_t written_size(const samples::LabelView& label) noexcept {
        return label.name.size() + label.value.size() + 6;
    }

    /// Reads a label, of which this many bytes are the same as in the previous series.
    bool read_label(TextScanner& text, std::size_t place, std::size_t same,
                    const AnswerLimits& limits, bool& has_new_names) {
        samples::LabelView label;
        std::size_t known = 0; // Bytes of the value.
        if (place < labels_.size())
            label = labels_[place];
        const std::size_t size_before_value = label.name.size() + 4;
        if (place < labels_.size() && same >= size_before_value) {
            known = std::min(same - size_before_value, label.value.size());
            text.skip(size_before_value + known);
        } else {
            if (!text.take('"'))
                return false;
            const std::optional<std::string_view> name = text.take_string();
            if (!name || name->size() > limits.max_label_name_bytes || !text.take(":\""))
                return false;
            has_new_names |= place >= labels_.size() || label.name != *name;
            label.name = *name;
        }
        const char* const value = text.at() - known;
        const std::optional<std::string_view> rest = text.take_string();
        if (!rest || known + rest->size() > limits.max_label_value_bytes)
            return false;
        label.value = std::string_view(value, known + rest->size());
        set(place, label);
        return true;
    }

    void set(std::size_t place, const samples::LabelView& label) {
        const LabelSetHash hash = hash_of(label);
        if (place == labels_.size()) {
            labels_.push_back(label);
            hashes_.push_back(hash);
        } else {
            hash_ -= hashes_[place];
            labels_[place] = label;
            hashes_[place] = hash;
        }
        hash_ += hash;
    }
    void drop_last() noexcept {
        hash_ -= hashes_.back();
        hashes_.pop_back();
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

    /// How the labels of the last series are written.
    std::string_view text_;
    std::vector<samples::LabelView> labels_;
    /// One for each label.
    std::vector<LabelSetHash> hashes_;
    /// Of all labels.
    LabelSetHash hash_;
};

} // namespace wva_metrics::prometheus::detail
