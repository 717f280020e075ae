// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/detail/identity_scanner.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::kubernetes::detail {

/// Splits the bytes of a watch into lines, one event each. Keeps at most one line, of at most
/// `max_bytes`. Of a longer one only the identity is kept.
class LineSplitter {
public:
    explicit LineSplitter(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    /// The result of `write`.
    enum class Outcome : std::uint8_t {
        /// The whole piece was processed.
        taken,
        /// The taker returned false.
        stopped,
        /// A line is longer than `max_bytes`, and is no JSON object or cannot be skipped either.
        too_long,
    };

    /// Calls `taker.take(std::string_view line)` or `taker.take_oversized(const ObjectIdentity&)`,
    /// both of which return bool, for each line that ends in the piece. Its line end is removed, and
    /// empty lines are skipped. Must not be called again after `stopped` or `too_long`.
    template <typename Taker>
    Outcome write(std::string_view piece, Taker& taker) {
        while (!piece.empty()) {
            const std::size_t end = piece.find('\n');
            const std::string_view part = piece.substr(0, end);
            if (end == std::string_view::npos)
                return keep(part) ? Outcome::taken : Outcome::too_long;
            piece.remove_prefix(end + 1);
            // A line within one piece is not copied.
            const bool is_whole = bytes_ == 0 && part.size() <= max_bytes_;
            if (!is_whole && !keep(part))
                return Outcome::too_long;
            const bool wants_more = oversized_ ? taker.take_oversized(oversized_->identity())
                                               : take(is_whole ? part : partial_line_, taker);
            partial_line_.clear();
            oversized_.reset();
            bytes_ = 0;
            if (!wants_more)
                return Outcome::stopped;
        }
        return Outcome::taken;
    }

private:
    template <typename Taker>
    static bool take(std::string_view line, Taker& taker) {
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        return line.empty() || taker.take(line);
    }

    /// False if the line is too long.
    bool keep(std::string_view part) {
        bytes_ += part.size();
        if (oversized_) {
            oversized_->write(part);
            return bytes_ <= max_bytes_ + max_skipped_bytes;
        }
        if (bytes_ <= max_bytes_) {
            partial_line_ += part;
            return true;
        }
        if (!(partial_line_.empty() ? part : partial_line_).starts_with('{'))
            return false;
        oversized_.emplace(TextOf::watch_event);
        oversized_->write(partial_line_);
        oversized_->write(part);
        partial_line_ = {};
        return true;
    }

    const std::size_t max_bytes_;
    /// Of the current line, as far as it has arrived.
    std::size_t bytes_ = 0;
    std::string partial_line_;
    /// Reads the current line, if it is too long to be kept.
    std::optional<IdentityScanner> oversized_;
};

} // namespace wva_metrics::kubernetes::detail
