// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/signal.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <map>
#include <mutex>
#include <optional>

namespace wva_metrics::detail {

/// What became of the queries that one question was put into, by how many members each was about.
struct AskedSizes {
    std::size_t largest_answered = 0;
    std::size_t smallest_refused = std::numeric_limits<std::size_t>::max();

    void note_answered(std::size_t members) noexcept {
        largest_answered = std::max(largest_answered, members);
    }
    void note_refused(std::size_t members) noexcept {
        smallest_refused = std::min(smallest_refused, members);
    }
};

/// How many members a query may have, as learnt from a server that refuses larger ones: so that it
/// is not made to work on each round for a query that it will refuse again.
///
/// Pure: time is passed in. Not thread-safe.
class LearntSize {
public:
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

    /// How long before twice as much is tried: a server that was short of memory, or busy, may have
    /// recovered.
    static constexpr Duration try_more_after = std::chrono::minutes(10);

    std::size_t most(TimePoint now) const noexcept {
        const bool try_more = now - learnt_at_ >= try_more_after && limit_ <= unlimited / 2;
        return try_more ? 2 * limit_ : limit_;
    }

    /// Only where all that was refused was larger than all that was answered does it lie at the
    /// size, and not at a member that is too much by itself.
    void learn(const AskedSizes& asked, TimePoint now) noexcept {
        constexpr std::size_t nothing = AskedSizes().smallest_refused;
        const bool refused_for_size = asked.smallest_refused != nothing &&
                                      asked.largest_answered > 0 &&
                                      asked.largest_answered < asked.smallest_refused;
        const bool took_more = asked.smallest_refused == nothing && asked.largest_answered > limit_;
        if (!refused_for_size && !took_more)
            return;
        limit_ = asked.largest_answered;
        learnt_at_ = now;
    }

private:
    std::size_t limit_ = unlimited;
    TimePoint learnt_at_{};
};

/// What a query is about: a signal of its members, or their pods.
using QuerySubject = std::optional<Signal>;
inline constexpr QuerySubject subject_pods = std::nullopt;

/// A size for each that is asked: they differ in what a member costs. Thread-safe.
class LearntSizes {
public:
    std::size_t most(QuerySubject subject, TimePoint now) const {
        const std::lock_guard lock(mutex_);
        const auto found = sizes_.find(subject);
        return found == sizes_.end() ? LearntSize::unlimited : found->second.most(now);
    }
    void learn(QuerySubject subject, const AskedSizes& sizes, TimePoint now) {
        const std::lock_guard lock(mutex_);
        sizes_[subject].learn(sizes, now);
    }

private:
    mutable std::mutex mutex_;
    std::map<QuerySubject, LearntSize> sizes_;
};

} // namespace wva_metrics::detail
