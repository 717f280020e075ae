// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::kubernetes::detail {

/// Cuts a stream of bytes, however it arrives, into lines. Holds at most one line of `max_bytes`.
class LineSplitter {
public:
    explicit LineSplitter(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    /// How a piece was taken.
    enum class Outcome {
        /// All of it.
        taken,
        /// `take_line` wanted no more.
        stopped,
        /// A line is longer than `max_bytes`.
        too_long,
    };

    /// Calls `take_line(std::string_view) -> bool` for each line that `piece` completes, without
    /// its end and unless it is blank. After `stopped` and `too_long` there is no going on.
    template <typename TakeLine>
    Outcome write(std::string_view piece, TakeLine take_line) {
        while (!piece.empty()) {
            const std::size_t end = piece.find('\n');
            const std::string_view part = piece.substr(0, end);
            if (part.size() > max_bytes_ - begun_.size())
                return Outcome::too_long;
            if (end == std::string_view::npos) {
                begun_ += part;
                return Outcome::taken;
            }
            piece.remove_prefix(end + 1);
            // A line that arrives in one piece is not copied.
            if (!begun_.empty())
                begun_ += part;
            std::string_view line = begun_.empty() ? part : std::string_view(begun_);
            if (line.ends_with('\r'))
                line.remove_suffix(1);
            const bool goes_on = line.empty() || take_line(line);
            begun_.clear();
            if (!goes_on)
                return Outcome::stopped;
        }
        return Outcome::taken;
    }

private:
    const std::size_t max_bytes_;
    std::string begun_;
};

} // namespace wva_metrics::kubernetes::detail
