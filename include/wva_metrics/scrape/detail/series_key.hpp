// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::scrape::detail {

using samples::LabelView;

/// The name and the labels of a series as one text, which is the same for every order of the labels.
/// Its memory is used again and again, so that it is made without an allocation.
class SeriesKey {
public:
    /// The labels that a target adds. A label of a page with the same name gets the prefix
    /// `exported_`, as by Prometheus.
    explicit SeriesKey(const samples::Labels& of_target) : of_target_(of_target) {}

    /// Makes the key. A label without a value is none.
    void assign(std::string_view name, std::span<const LabelView> labels) {
        sorted_.clear();
        for (const LabelView& label : labels)
            if (!label.value.empty() && label.name != "__name__")
                sorted_.push_back(label);
        if (!std::ranges::is_sorted(sorted_, {}, &LabelView::name))
            std::ranges::sort(sorted_, {}, &LabelView::name);
        text_.clear();
        append({}, name);
        for (const LabelView& label : sorted_) {
            append(is_of_target(label.name) ? exported : std::string_view(), label.name);
            append({}, label.value);
        }
    }

    /// The key. Valid until the next `assign`.
    const std::string& text() const noexcept { return text_; }

    /// The texts of a key: the name, then names and values of the labels. They refer to it.
    static std::vector<std::string_view> parts(std::string_view key) {
        std::vector<std::string_view> result;
        while (!key.empty()) {
            std::uint32_t size = 0;
            std::memcpy(&size, key.data(), sizeof size);
            result.push_back(key.substr(sizeof size, size));
            key.remove_prefix(sizeof size + size);
        }
        return result;
    }

private:
    static constexpr std::string_view exported = "exported_";

    bool is_of_target(std::string_view name) const noexcept {
        return std::ranges::any_of(of_target_,
                                   [&](const auto& label) { return label.first == name; });
    }

    /// The size comes first, because a text may hold any byte.
    void append(std::string_view prefix, std::string_view text) {
        const auto size = static_cast<std::uint32_t>(prefix.size() + text.size());
        text_.append(reinterpret_cast<const char*>(&size), sizeof size);
        text_.append(prefix);
        text_.append(text);
    }

    const samples::Labels& of_target_;
    std::vector<LabelView> sorted_;
    std::string text_;
};

} // namespace wva_metrics::scrape::detail
