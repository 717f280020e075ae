// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// Text joined from pieces; what exceeds the bound is dropped.
class BoundedText {
public:
    explicit BoundedText(std::size_t max_bytes) noexcept : max_bytes_(max_bytes) {}

    void append(std::string_view part) {
        text_.append(part.data(), std::min(part.size(), max_bytes_ - text_.size()));
    }
    void clear() noexcept { text_.clear(); }
    bool empty() const noexcept { return text_.empty(); }
    bool is_full() const noexcept { return text_.size() == max_bytes_; }
    std::string_view view() const noexcept { return text_; }

private:
    std::size_t max_bytes_;
    std::string text_;
};

} // namespace wva_metrics::prometheus::detail
