// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>

namespace wva_metrics::detail {

/// Holds the lock while a writer changes a shard. At the end it reclaims retired objects, and
/// destroys them after it has released the lock. It is a friend of the shard.
template <typename Shard>
class ShardWriteGuard {
public:
    /// When retired objects are reclaimed.
    enum class When : std::uint8_t { due, now };

    explicit ShardWriteGuard(Shard& shard, When when = When::due)
        : shard_(shard), when_(when), lock_(shard.mutex_) {}
    ShardWriteGuard(const ShardWriteGuard&) = delete;
    ShardWriteGuard& operator=(const ShardWriteGuard&) = delete;
    ~ShardWriteGuard() {
        const std::size_t bound = shard_.limits_.max_bytes;
        shard_.attributions_->set_room(shard_.cells_.bytes_for_others(bound),
                                       shard_.contents_->live_bytes());
        if (when_ == When::now || shard_.retired_.is_due(shard_.contents_->nodes() / 8, bound / 16))
            shard_.retired_.reclaim(*shard_.domain_, lock_);
        if (lock_.owns_lock() && shard_.retired_.exceeds(bound / 8)) {
            lock_.unlock();
            std::this_thread::yield();
        }
    }

private:
    Shard& shard_;
    const When when_;
    std::unique_lock<std::mutex> lock_;
};

} // namespace wva_metrics::detail
