// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/exposition/detail/fast_text.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::exposition {

/// The names of the samples that a caller wants from a page, e.g. `x_total`, `h_sum`, `h_bucket`.
/// Compiled once; a parser skips all others at about the speed of memory.
///
/// **Threads:** any number may use it at the same time; it never changes.
class WantedMetrics {
public:
    /// All samples are wanted.
    WantedMetrics() = default;
    /// Only samples with these names are wanted; all, if there are none.
    explicit WantedMetrics(std::vector<std::string> names) : names_(std::move(names)) {
        std::sort(names_.begin(), names_.end());
        names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
        if (names_.empty())
            return;
        slots_.resize(std::bit_ceil(names_.size() * 4));
        for (std::size_t i = 0; i < names_.size(); ++i) {
            std::size_t slot = slot_of(names_[i]);
            while (slots_[slot] != 0)
                slot = (slot + 1) & (slots_.size() - 1);
            slots_[slot] = static_cast<std::uint32_t>(i + 1);
        }
    }

    /// True if every sample is wanted.
    bool wants_all() const noexcept { return names_.empty(); }
    /// True if samples with this name are wanted.
    bool wants(std::string_view name) const noexcept {
        if (names_.empty())
            return true;
        for (std::size_t slot = slot_of(name); slots_[slot] != 0;
             slot = (slot + 1) & (slots_.size() - 1))
            if (wva_metrics::detail::is_same_name(names_[slots_[slot] - 1], name))
                return true;
        return false;
    }
    /// The shortest beginning of this name with which no wanted name begins: no name that begins with
    /// it is wanted. Empty if a wanted name begins with the whole of it.
    std::string_view unwanted_prefix(std::string_view name) const noexcept {
        if (names_.empty())
            return {};
        // The names that share most with it are those beside its place.
        const auto after = std::lower_bound(names_.begin(), names_.end(), name);
        std::size_t shared = 0;
        if (after != names_.end())
            shared = detail::shared_prefix(*after, name);
        if (after != names_.begin())
            shared = std::max(shared, detail::shared_prefix(*std::prev(after), name));
        return shared < name.size() ? name.substr(0, shared + 1) : std::string_view();
    }
    /// True if a wanted name begins with this text. If none begins with a family's name, no sample
    /// of that family is wanted.
    bool wants_any_with_prefix(std::string_view prefix) const noexcept {
        return unwanted_prefix(prefix).empty();
    }
    /// The wanted names, sorted, each once. Empty if all are wanted.
    const std::vector<std::string>& names() const noexcept { return names_; }

private:
    std::size_t slot_of(std::string_view name) const noexcept {
        // Names of one server begin alike, so the last characters and the length tell them apart.
        std::uint64_t word = 0;
        const std::size_t used = std::min(name.size(), sizeof word);
        std::memcpy(&word, name.data() + (name.size() - used), used);
        word = (word ^ (name.size() * 0x9e3779b97f4a7c15U)) * 0xff51afd7ed558ccdU;
        return static_cast<std::size_t>(word >> 32U) & (slots_.size() - 1);
    }

    std::vector<std::string> names_{};
    /// One more than the index of a name, by hash; 0 where there is none.
    std::vector<std::uint32_t> slots_{};
};

} // namespace wva_metrics::exposition
