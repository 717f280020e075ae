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

/// Remembers for a while which pods have ceased to exist, the last ones where there are too many.
/// Forgetting errs on the safe side: a pod that is not known to be gone still counts. Is told the
/// time; not thread-safe.
class GonePods {
public:
    /// Each is remembered for less than `memory`, and `most` at a time.
    GonePods(Duration memory, std::size_t most) : memory_(memory), most_(most) {}
    GonePods(GonePods&&) = default;
    GonePods& operator=(GonePods&&) = delete;

    /// This pod has ceased to exist.
    void add(std::string_view namespace_name, std::string_view pod, TimePoint now) {
        erase(namespace_name, pod);
        while (!oldest_first_.empty() && !is_remembered(oldest_first_.front(), now))
            forget(oldest_first_.begin());
        if (most_ == 0)
            return;
        if (oldest_first_.size() >= most_)
            forget(oldest_first_.begin());
        const auto entry = oldest_first_.insert(
            oldest_first_.end(), {std::string(namespace_name), std::string(pod), now});
        by_name_.emplace(name_of(*entry), entry);
    }
    /// A pod of this name is there.
    void erase(std::string_view namespace_name, std::string_view pod) {
        if (const auto found = by_name_.find({namespace_name, pod}); found != by_name_.end())
            forget(found->second);
    }

    /// Whether it is known to have ceased to exist.
    bool contains(std::string_view namespace_name, std::string_view pod, TimePoint now) const {
        const auto found = by_name_.find({namespace_name, pod});
        return found != by_name_.end() && is_remembered(*found->second, now);
    }

    /// Pods that take room, those among them whose time is over.
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
        return now - entry.since < memory_;
    }

    void forget(Entries::iterator entry) {
        by_name_.erase(name_of(*entry));
        oldest_first_.erase(entry);
    }

    const Duration memory_;
    const std::size_t most_;
    // A list, whose elements stay where they are, for the names point into them.
    Entries oldest_first_;
    std::map<Name, Entries::iterator> by_name_;
};

} // namespace wva_metrics::kubernetes::detail
