// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::prometheus::detail {

/// The wanted labels of one series after another. The memory of one series is used again for the
/// next.
class LabelBuffer {
public:
    /// The names must stay where they are.
    explicit LabelBuffer(std::span<const std::string> wanted)
        : wanted_(wanted), values_(wanted.size()), is_present_(wanted.size()),
          current_(wanted.size()) {}

    void clear() noexcept {
        for (std::string& value : values_)
            value.clear();
        std::fill(is_present_.begin(), is_present_.end(), '\0');
        current_ = wanted_.size();
    }

    /// What is appended from now on belongs to this label, or is dropped where nobody wants it.
    /// False where the series has this label already.
    bool select(std::string_view name) noexcept {
        current_ = static_cast<std::size_t>(std::find(wanted_.begin(), wanted_.end(), name) -
                                            wanted_.begin());
        if (current_ == wanted_.size())
            return true;
        const bool is_new = is_present_[current_] == 0;
        is_present_[current_] = 1;
        return is_new;
    }

    void append(std::string_view text) {
        if (current_ < values_.size())
            values_[current_].append(text);
    }

    std::span<const std::string> values() const noexcept { return values_; }

private:
    std::span<const std::string> wanted_;
    std::vector<std::string> values_;
    std::vector<char> is_present_;
    std::size_t current_;
};

} // namespace wva_metrics::prometheus::detail
