// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace wva_metrics::detail {

/// What readers leave for the coordinator if its mutex is busy: a reader does not wait for it.
///
/// At most one note per key. When it is full, further notes are dropped: who asks for a stale entry
/// again leaves a note again.
///
/// **Threads:** safe. Its lock is held for a few steps, never over a scan.
class ReaderNotes {
public:
    static constexpr std::size_t capacity = 4096;

    struct Note {
        /// The stale entry that was served and is to be fetched again; null if there was no entry.
        CacheEntryPtr stale;
        TimePoint at;
    };
    using Notes = std::unordered_map<CacheKey, Note, CacheKeyHash, CacheKeyEqual>;

    /// Returns true if it is the first note since `take`: then the caller sees to it that they are
    /// taken.
    bool add(const CacheKeyView& key, const CacheEntryPtr& stale, TimePoint at) {
        CacheEntryPtr replaced; // Destroyed without the lock.
        const std::lock_guard lock(mutex_);
        if (const auto found = notes_.find(key); found != notes_.end()) {
            Note& note = found->second;
            note.at = std::max(note.at, at);
            if (stale)
                replaced = std::exchange(note.stale, stale);
            return false;
        }
        if (notes_.size() >= capacity)
            return false;
        notes_.emplace(CacheKey(key), Note{stale, at});
        return notes_.size() == 1;
    }

    Notes take() {
        Notes taken;
        const std::lock_guard lock(mutex_);
        taken.swap(notes_);
        return taken;
    }

private:
    std::mutex mutex_;
    Notes notes_;
};

} // namespace wva_metrics::detail
