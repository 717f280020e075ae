// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace bench {

/// The obvious LRU cache: a mutex, a hash map and a list, with a TTL and a limit on entries. It is
/// the baseline of the comparisons.
template <typename Entry>
class MutexLru {
public:
    using EntryPtr = std::shared_ptr<const Entry>;

    explicit MutexLru(std::size_t max_entries) : max_entries_(max_entries) {}

    template <typename Time>
    EntryPtr find(std::string_view key, Time now) {
        const std::lock_guard lock(mutex_);
        const auto found = index_.find(key);
        if (found == index_.end() || found->second->second->is_expired(now))
            return nullptr;
        list_.splice(list_.begin(), list_, found->second);
        return found->second->second;
    }

    void insert_or_assign(std::string_view key, EntryPtr entry) {
        const std::lock_guard lock(mutex_);
        if (const auto found = index_.find(key); found != index_.end()) {
            found->second->second = std::move(entry);
            list_.splice(list_.begin(), list_, found->second);
            return;
        }
        list_.emplace_front(std::string(key), std::move(entry));
        index_.emplace(list_.front().first, list_.begin());
        if (list_.size() > max_entries_) {
            index_.erase(list_.back().first);
            list_.pop_back();
        }
    }

    template <typename Time>
    std::size_t erase_expired(Time now) {
        const std::lock_guard lock(mutex_);
        std::size_t erased = 0;
        for (auto entry = list_.begin(); entry != list_.end();) {
            if (!entry->second->is_expired(now)) {
                ++entry;
                continue;
            }
            index_.erase(entry->first);
            entry = list_.erase(entry);
            ++erased;
        }
        return erased;
    }

private:
    using List = std::list<std::pair<const std::string, EntryPtr>>;

    std::size_t max_entries_;
    std::mutex mutex_;
    List list_;
    std::unordered_map<std::string_view, typename List::iterator> index_;
};

} // namespace bench
