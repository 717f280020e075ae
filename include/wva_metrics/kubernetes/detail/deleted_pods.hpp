// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Remembers deleted pods for a while; above the limit, the oldest are forgotten. Forgetting is the
/// safe side: a pod that is not known to be deleted still counts. The caller passes the time. Not
/// thread-safe.
class DeletedPods {
public:
    /// Each pod is remembered for less than `retention`, and at most `max_pods` at a time.
    DeletedPods(Duration retention, std::size_t max_pods)
        : retention_(retention), max_pods_(max_pods) {}
    DeletedPods(DeletedPods&&) = default;
    DeletedPods& operator=(DeletedPods&&) = delete;

    /// Adds a pod that was deleted now.
    void add(std::string_view namespace_name, std::string_view pod, TimePoint now) {
        erase(namespace_name, pod);
        while (!oldest_first_.empty() && !is_remembered(oldest_first_.front(), now))
            forget(oldest_first_.begin());
        if (max_pods_ == 0)
            return;
        if (oldest_first_.size() >= max_pods_)
            forget(oldest_first_.begin());
        const auto entry = oldest_first_.insert(
            oldest_first_.end(), {std::string(namespace_name), std::string(pod), now});
        by_name_.emplace(name_of(*entry), entry);
    }
    /// Removes a pod, because one with this name exists.
    void erase(std::string_view namespace_name, std::string_view pod) {
        if (const auto found = by_name_.find({namespace_name, pod}); found != by_name_.end())
            forget(found->second);
    }

    /// Whether the pod is known to be deleted.
    bool contains(std::string_view namespace_name, std::string_view pod, TimePoint now) const {
        const auto found = by_name_.find({namespace_name, pod});
        return found != by_name_.end() && is_remembered(*found->second, now);
    }

    /// Number of stored pods, including expired ones that are not removed yet.
    std::size_t size() const noexcept { return oldest_first_.size(); }

private:
    struct Entry {
        std::string namespace_name;
        std::string pod;
        TimePoint since;
    };
    using Entries = std::list<Entry>;
    using Name = std::pair<std::string_view, std::string_view>;

    static Name name_of(const Entry& entry) noexcept { return {entry.namespace_name, entry.pod}; }

    bool is_remembered(const Entry& entry, TimePoint now) const {
        return now - entry.since < retention_;
    }

    void forget(Entries::iterator entry) {
        by_name_.erase(name_of(*entry));
        oldest_first_.erase(entry);
    }

    const Duration retention_;
    const std::size_t max_pods_;
    // A list, because the names in the map point into its elements.
    Entries oldest_first_;
    std::map<Name, Entries::iterator> by_name_;
};

} // namespace wva_metrics::kubernetes::detail
