// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/detail/text.hpp"

#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::prometheus::detail {

/// The wanted labels of the current series.
///
/// A value that arrives in one piece is not copied: the buffer points to it until `keep`. It then
/// allocates nothing for up to 8 labels.
class LabelBuffer {
public:
    /// The names must not move.
    explicit LabelBuffer(std::span<const std::string> wanted)
        : wanted_(wanted), values_(wanted.size()), current_(wanted.size()) {}

    void clear() noexcept {
        std::ranges::fill(values_, std::string_view());
        current_ = wanted_.size();
    }

    /// Selects the label that `set` and `append` change; values of unwanted labels are dropped.
    /// `place`: its index in the series. False if the series has this label already.
    bool select(std::string_view name, std::size_t place) noexcept {
        current_ = find(name, place);
        if (current_ == wanted_.size())
            return true;
        const bool is_new = values_[current_].data() == nullptr;
        values_[current_] = "";
        return is_new;
    }

    void set(std::string_view text) noexcept {
        if (current_ < values_.size())
            values_[current_] = text;
    }

    /// `total`: bytes of the value so far, this part included.
    void append(std::string_view part, std::size_t total) {
        if (current_ == values_.size())
            return;
        std::string& kept = kept_text(current_);
        if (total == part.size())
            kept.clear();
        values_[current_] = kept.append(part);
    }

    /// Copies the values that the buffer points to.
    void keep() {
        for (std::size_t i = 0; i < values_.size(); ++i) {
            if (values_[i].data() != nullptr && values_[i].data() != kept_text(i).data())
                values_[i] = kept_text(i).assign(values_[i]);
        }
    }

    /// A label that the series does not have is a view without data.
    std::span<const std::string_view> values() const noexcept { return values_; }

private:
    /// The series of an answer are alike, so it first tries the column that the label in this place
    /// had in the previous series.
    std::size_t find(std::string_view name, std::size_t place) noexcept {
        const auto search = [&] {
            const auto is_it = [&](std::string_view label) { return is_same_name(label, name); };
            return static_cast<std::size_t>(std::ranges::find_if(wanted_, is_it) - wanted_.begin());
        };
        if (place >= columns_.size())
            return search();
        const std::size_t expected = columns_[place];
        if (expected < wanted_.size() && is_same_name(wanted_[expected], name))
            return expected;
        const std::size_t column = search();
        columns_[place] =
            static_cast<std::uint16_t>(column); // A prediction: truncation is harmless.
        return column;
    }

    std::string& kept_text(std::size_t column) {
        if (kept_.empty())
            kept_.resize(wanted_.size());
        return kept_[column];
    }

    std::span<const std::string> wanted_;
    boost::container::small_vector<std::string_view, 8> values_;
    std::vector<std::string> kept_;
    std::array<std::uint16_t, 16> columns_{};
    std::size_t current_;
};

} // namespace wva_metrics::prometheus::detail
