// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/exposition/family_type.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::exposition::detail {

inline constexpr std::array<std::string_view, 5> histogram_endings{"_bucket", "_sum", "_count",
                                                                   "_created", ""};
inline constexpr std::array<std::string_view, 4> gauge_histogram_endings{"_bucket", "_gsum",
                                                                         "_gcount", ""};
inline constexpr std::array<std::string_view, 4> summary_endings{"", "_sum", "_count", "_created"};
inline constexpr std::array<std::string_view, 3> counter_endings{"", "_total", "_created"};
inline constexpr std::array<std::string_view, 2> info_endings{"_info", ""};

/// The endings that a format adds to a family's name for the samples of a type. The empty one is that
/// of the formats that add none.
constexpr std::span<const std::string_view> endings_of(FamilyType type) noexcept {
    switch (type) {
    case FamilyType::counter:
        return counter_endings;
    case FamilyType::histogram:
        return histogram_endings;
    case FamilyType::gauge_histogram:
        return gauge_histogram_endings;
    case FamilyType::summary:
        return summary_endings;
    case FamilyType::info:
        return info_endings;
    case FamilyType::gauge:
    case FamilyType::state_set:
    case FamilyType::unknown:
        break;
    }
    return std::span(info_endings).last(1);
}

/// True if the samples of a type may have names with this ending.
inline bool is_ending_of(std::string_view ending, FamilyType type) noexcept {
    for (const std::string_view one : endings_of(type))
        if (wva_metrics::detail::is_same_name(one, ending))
            return true;
    return false;
}

/// True if a sample with this name belongs to the family.
inline bool belongs_to(std::string_view sample, std::string_view family, FamilyType type) noexcept {
    return sample.starts_with(family) && is_ending_of(sample.substr(family.size()), type);
}

/// The families of a page by name. Keeps its memory from page to page.
class FamilyTable {
public:
    struct Family {
        std::string_view name{}; ///< Lives until a family is added.
        FamilyType type = FamilyType::unknown;
    };

    std::size_t size() const noexcept { return entries_.size(); }
    void clear() noexcept {
        entries_.clear();
        names_.clear();
        std::ranges::fill(slots_, 0U);
    }
    /// Adds a family, or replaces its type, and returns its index.
    std::size_t add(std::string_view name, FamilyType type) {
        if (const std::optional<std::size_t> known = find(name)) {
            entries_[*known].type = type;
            return *known;
        }
        if ((entries_.size() + 1) * 2 > slots_.size())
            grow();
        entries_.push_back({names_.size(), name.size(), type});
        names_ += name;
        slots_[free_slot(name)] = static_cast<std::uint32_t>(entries_.size());
        return entries_.size() - 1;
    }
    Family at(std::size_t index) const noexcept {
        const Entry& entry = entries_[index];
        return {std::string_view(names_).substr(entry.offset, entry.size), entry.type};
    }
    /// The family with this index; one of this name and without a type if there is none.
    Family at_or_none(std::optional<std::size_t> index, std::string_view name) const noexcept {
        return index ? at(*index) : Family{name, FamilyType::unknown};
    }
    std::optional<std::size_t> find(std::string_view name) const noexcept {
        if (slots_.empty())
            return std::nullopt;
        const std::size_t slot = free_slot(name);
        return slots_[slot] == 0 ? std::nullopt : std::optional<std::size_t>(slots_[slot] - 1);
    }
    /// The family to which a sample belongs; nothing if no `# TYPE` line named it.
    std::optional<std::size_t> family_of(std::string_view sample) const noexcept {
        if (entries_.empty())
            return std::nullopt;
        if (const std::optional<std::size_t> same = find(sample);
            same && belongs_to(sample, at(*same).name, at(*same).type))
            return same;
        const std::size_t cut = sample.rfind('_');
        if (cut == std::string_view::npos)
            return std::nullopt;
        const std::optional<std::size_t> base = find(sample.substr(0, cut));
        return base && belongs_to(sample, at(*base).name, at(*base).type) ? base : std::nullopt;
    }

private:
    struct Entry {
        std::size_t offset = 0;
        std::size_t size = 0;
        FamilyType type = FamilyType::unknown;
    };

    /// The slot of this family, or the free one where it would be.
    std::size_t free_slot(std::string_view name) const noexcept {
        std::size_t slot = std::hash<std::string_view>()(name) & (slots_.size() - 1);
        while (slots_[slot] != 0 && at(slots_[slot] - 1).name != name)
            slot = (slot + 1) & (slots_.size() - 1);
        return slot;
    }
    void grow() {
        slots_.assign(std::max<std::size_t>(64, slots_.size() * 2), 0U);
        for (std::size_t i = 0; i < entries_.size(); ++i)
            slots_[free_slot(at(i).name)] = static_cast<std::uint32_t>(i + 1);
    }

    std::vector<Entry> entries_{};
    std::string names_{};
    /// One more than the index of a family, by hash; 0 where there is none.
    std::vector<std::uint32_t> slots_{};
};

} // namespace wva_metrics::exposition::detail
