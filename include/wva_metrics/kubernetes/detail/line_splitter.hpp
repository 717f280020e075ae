// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::kubernetes::detail {

/// Splits a stream of bytes into lines. Buffers at most one line, of at most `max_bytes`.
class LineSplitter {
public:
    explicit LineSplitter(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    /// The result of `write`.
    enum class Outcome {
        /// The whole piece was processed.
        taken,
        /// `take_line` returned false.
        stopped,
        /// A line is longer than `max_bytes`.
        too_long,
    };

    /// Calls `take_line(std::string_view) -> bool` for each line that `piece` completes, without
    /// its line end. Empty lines are skipped. Must not be called again after `stopped` or
    /// `too_long`.
    template <typename TakeLine>
    Outcome write(std::string_view piece, TakeLine take_line) {
        while (!piece.empty()) {
            const std::size_t end = piece.find('\n');
            const std::string_view part = piece.substr(0, end);
            if (part.size() > max_bytes_ - partial_line_.size())
                return Outcome::too_long;
            if (end == std::string_view::npos) {
                partial_line_ += part;
                return Outcome::taken;
            }
            piece.remove_prefix(end + 1);
            // A line within one piece is not copied.
            if (!partial_line_.empty())
                partial_line_ += part;
            std::string_view line = partial_line_.empty() ? part : std::string_view(partial_line_);
            if (line.ends_with('\r'))
                line.remove_suffix(1);
            const bool wants_more = line.empty() || take_line(line);
            partial_line_.clear();
            if (!wants_more)
                return Outcome::stopped;
        }
        return Outcome::taken;
    }

private:
    const std::size_t max_bytes_;
    std::string partial_line_;
};

} // namespace wva_metrics::kubernetes::detail
