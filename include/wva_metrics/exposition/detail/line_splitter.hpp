// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/fast_text.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::exposition::detail {

/// Cuts a text that arrives in pieces into lines.
class LineSplitter {
public:
    /// Calls `accepts_size(size)` for each line, and for each beginning of one, and `read(line)` for
    /// each whole line, without its end. Stops if one of them returns false. `skip(text)`, where
    /// `text` begins a line, returns how many bytes of whole lines need not be read.
    template <typename AcceptsSize, typename Read, typename Skip>
    void feed(std::string_view piece, AcceptsSize accepts_size, Read read, Skip skip) {
        while (!piece.empty()) {
            if (open_line_.empty()) {
                piece.remove_prefix(skip(piece));
                if (piece.empty())
                    return;
            }
            const char* const end = piece.data() + piece.size();
            const char* const found = find_line_feed(piece.data(), end);
            const auto size = static_cast<std::size_t>(found - piece.data());
            if (!accepts_size(size + open_line_.size()))
                return;
            if (found == end) {
                open_line_.append(piece);
                return;
            }
            if (open_line_.empty()) {
                if (!read(piece.substr(0, size)))
                    return;
            } else {
                open_line_.append(piece.data(), size);
                const bool goes_on = read(std::string_view(open_line_));
                open_line_.clear();
                if (!goes_on)
                    return;
            }
            piece.remove_prefix(size + 1);
        }
    }
    /// The beginning of a line whose end has not arrived.
    std::string_view open_line() const noexcept { return open_line_; }
    void clear() noexcept { open_line_.clear(); }

private:
    std::string open_line_{};
};

} // namespace wva_metrics::exposition::detail
