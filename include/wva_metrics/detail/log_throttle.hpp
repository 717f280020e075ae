// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>

namespace wva_metrics::detail {

// Two classes, because they decide by different facts. Events of one kind are counted: only their
// number matters, and any thread may report one without a lock. Problems that differ in their text
// are compared: each new text is worth a line, however many came before it.

/// Passes the first of many equal events, and then every hundredth. Thread-safe.
class LogThrottle {
public:
    /// The number of events suppressed since the last one that passed; nothing if this event is
    /// suppressed.
    std::optional<std::uint64_t> pass() noexcept {
        constexpr std::uint64_t every = 100;
        const std::uint64_t before = seen_.fetch_add(1, std::memory_order_relaxed);
        if (before % every != 0)
            return std::nullopt;
        return before == 0 ? 0 : every - 1;
    }

    /// Makes the next event the first again.
    void reset() noexcept { seen_.store(0, std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> seen_{0};
};

/// Passes each text once. Remembers a bounded number of texts. Not thread-safe.
class TextDeduplicator {
public:
    /// Whether this text is new. After `max_texts` different ones all are forgotten.
    bool is_new(const std::string& text) {
        if (seen_.size() >= max_texts)
            seen_.clear();
        return seen_.insert(text).second;
    }

private:
    static constexpr std::size_t max_texts = 100;
    std::unordered_set<std::string> seen_;
};

} // namespace wva_metrics::detail
