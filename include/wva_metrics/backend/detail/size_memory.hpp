// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/backend/detail/split_budget.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// How a batch's queries about one subject ended.
struct BatchOutcomes {
    ChunkOutcomes sizes{};
    /// The members whose query was rejected although it was about nothing else, by name, and why.
    std::vector<std::pair<std::string, Error>> too_large_alone{};
};

/// What is known of the size of queries that a server accepts, for all batches of a backend:
///
/// - the chunk size that was accepted last,
/// - the members that are too large by themselves, so that they do not spoil the queries of others,
/// - how many queries were halved, and whether that helped.
///
/// Pure: the time is passed in.
///
/// **Threads:** safe.
class SizeMemory {
public:
    /// For how long a member is not queried again, and for how long no query is halved if that did
    /// not help.
    static constexpr Duration pause = std::chrono::minutes(1);
    /// For how long after that it is queried by itself. Longer than it takes to find many of them
    /// within the budget.
    static constexpr Duration forget_after = std::chrono::minutes(10);
    /// So many members that were rejected alone show that halving does not help, if nothing was
    /// answered.
    static constexpr std::size_t futile_from = 3;
    /// The members of a subject that are remembered.
    static constexpr std::size_t max_members = 200;

    /// The largest chunk that should be queried.
    std::size_t limit(QuerySubject subject, TimePoint now) const {
        const std::lock_guard lock(mutex_);
        return of(subject).limit.limit(now);
    }

    /// True if a query that was rejected may be halved, which is then counted.
    bool may_split(QuerySubject subject, TimePoint now) {
        const std::lock_guard lock(mutex_);
        PerSubject& known = of(subject);
        return (!known.futile_until || now >= *known.futile_until) && known.budget.take(now);
    }

    /// A member that is too large by itself.
    struct TooLarge {
        Error error;
        /// Until then it is not queried at all. Later it is, but not together with others.
        TimePoint paused_until;
    };
    using Members = std::map<std::string, TooLarge, std::less<>>;

    /// The members that are too large by themselves, by name.
    Members too_large(QuerySubject subject, TimePoint now) {
        const std::lock_guard lock(mutex_);
        Members& members = of(subject).too_large;
        std::erase_if(members, [&](const auto& member) {
            return now >= member.second.paused_until + forget_after;
        });
        return members;
    }

    void learn(QuerySubject subject, BatchOutcomes outcomes, TimePoint now) {
        const std::lock_guard lock(mutex_);
        PerSubject& known = of(subject);
        known.limit.learn(outcomes.sizes, now);
        if (outcomes.sizes.largest_answered == 0) {
            // The members are not the cause. One that was queried by itself shows nothing.
            if (outcomes.too_large_alone.size() >= futile_from)
                known.futile_until = now + pause;
            return;
        }
        known.futile_until.reset();
        for (auto& [member, error] : outcomes.too_large_alone)
            if (known.too_large.size() < max_members)
                known.too_large.insert_or_assign(std::move(member),
                                                 TooLarge{std::move(error), now + pause});
    }

private:
    struct PerSubject {
        ChunkSizeLimit limit;
        SplitBudget budget;
        std::optional<TimePoint> futile_until;
        Members too_large;
    };

    PerSubject& of(QuerySubject subject) { return subjects_[static_cast<std::size_t>(subject)]; }
    const PerSubject& of(QuerySubject subject) const {
        return subjects_[static_cast<std::size_t>(subject)];
    }

    mutable std::mutex mutex_;
    std::array<PerSubject, 2> subjects_;
};

} // namespace wva_metrics::detail
