// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>

namespace wva_metrics::detail {

/// What a query is about: models, or the pods of namespaces.
enum class QuerySubject { models, pods };

/// The sizes of the chunks of one subject that the server answered, or rejected for their size. The
/// size of a chunk is its number of members: models or namespaces.
struct ChunkOutcomes {
    std::size_t largest_answered = 0;
    std::size_t smallest_rejected = std::numeric_limits<std::size_t>::max();

    /// A smaller query is answered, so the size seems to be the cause. Otherwise single members are
    /// too large by themselves, or the server rejects everything.
    bool show_a_limit() const noexcept {
        return largest_answered > 0 && largest_answered < smallest_rejected;
    }

    void add_answered(std::size_t members) noexcept {
        largest_answered = std::max(largest_answered, members);
    }
    void add_rejected(std::size_t members) noexcept {
        smallest_rejected = std::min(smallest_rejected, members);
    }
};

/// The maximum chunk size, learned from a server that rejects larger queries. Without it, the
/// server would have to reject the same query in each round.
///
/// Pure: the time is passed in.
///
/// **Threads:** not thread-safe.
class ChunkSizeLimit {
public:
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

    /// A limit is doubled after this time, because a server that was busy or short of memory may
    /// have recovered.
    static constexpr Duration raise_after = std::chrono::minutes(10);

    std::size_t limit(TimePoint now) const noexcept {
        const bool is_raised = now - learned_at_ >= raise_after && limit_ <= unlimited / 2;
        return is_raised ? 2 * limit_ : limit_;
    }

    void learn(const ChunkOutcomes& outcomes, TimePoint now) noexcept {
        constexpr std::size_t none = ChunkOutcomes().smallest_rejected;
        const bool is_rejected = outcomes.smallest_rejected != none;
        const bool is_lower = is_rejected && outcomes.show_a_limit();
        const bool is_higher = !is_rejected && outcomes.largest_answered > limit_;
        if (!is_lower && !is_higher)
            return;
        limit_ = outcomes.largest_answered;
        learned_at_ = now;
    }

private:
    std::size_t limit_ = unlimited;
    TimePoint learned_at_{};
};

} // namespace wva_metrics::detail
