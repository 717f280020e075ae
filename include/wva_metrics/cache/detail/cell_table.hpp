// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/detail/cache_cell.hpp"
#include "wva_metrics/cache/detail/heap_bytes.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>

namespace wva_metrics::detail {

/// The cells of a shard, by key.
///
/// A cell is given back when nobody else refers to it: `drop_unused` looks for such cells.
///
/// **Threads:** one at a time. Others may give up their references meanwhile.
template <typename Entry>
class CellTable {
public:
    using Cell = CacheCell<Entry>;
    using CellPtr = std::shared_ptr<Cell>;

    /// Memory of a cell with this key: its place here and its pointer in a node included.
    static std::size_t bytes(const CacheKeyView& key) noexcept {
        constexpr std::size_t count_and_padding = 64;
        constexpr std::size_t place_and_pointer = 3 * sizeof(CellPtr) / 2 + sizeof(void*);
        return heap_bytes(count_and_padding + sizeof(Cell)) + place_and_pointer +
               heap_bytes(key.namespace_name.size() + 1) + heap_bytes(key.name.size() + 1);
    }
    /// Memory of all cells.
    std::size_t bytes() const noexcept { return bytes_; }

    /// True if one more cell fits: together they may take a quarter of a bound.
    bool has_room(const CacheKeyView& key, std::size_t max_bytes) const noexcept {
        return bytes_ + bytes(key) <= max_bytes / 4;
    }
    /// What the cells leave of a bound.
    std::size_t bytes_for_others(std::size_t max_bytes) const noexcept {
        return max_bytes - std::min(bytes_, max_bytes / 4);
    }

    /// The key's cell, or null.
    CellPtr find(const CacheKeyView& key, std::size_t hash) const {
        if (cells_.empty())
            return nullptr;
        const auto found = cells_.find(Wanted{key, hash});
        return found == cells_.end() ? nullptr : *found;
    }

    /// Makes a cell for a key that has none, and calls `link(cell)`. If that throws, as it may for lack
    /// of memory, nothing has changed.
    template <typename Link>
    CellPtr add(const CacheKeyView& key, const Link& link) {
        auto cell = std::make_shared<Cell>(key);
        const auto place = cells_.insert(cell).first;
        try {
            link(*cell);
        } catch (...) {
            cells_.erase(place);
            throw;
        }
        bytes_ += bytes(key);
        return cell;
    }

    /// To be called before a cell is made. True if `drop_unused` is worth while: it has not run for as
    /// many calls as there were cells then.
    bool is_due() noexcept { return ++asked_ >= due_; }

    /// Calls `unlink(cell)` for each cell that nobody else refers to, and destroys it.
    template <typename Unlink>
    void drop_unused(const Unlink& unlink) {
        for (auto cell = cells_.begin(); cell != cells_.end();) {
            if (cell->use_count() > 1) {
                ++cell;
                continue;
            }
            unlink(**cell);
            bytes_ -= bytes((*cell)->key());
            cell = cells_.erase(cell);
        }
        due_ = std::max(few, cells_.size());
        asked_ = 0;
    }

    /// A change after which no key has a node: `publish()` makes it visible.
    template <typename Publish>
    void change_all(const Publish& publish) const noexcept {
        for (const CellPtr& cell : cells_)
            cell->begin_change();
        publish();
        for (const CellPtr& cell : cells_)
            cell->end_change(nullptr);
    }

private:
    struct Wanted {
        const CacheKeyView& key;
        std::size_t hash;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const CellPtr& cell) const noexcept { return cell->hash(); }
        std::size_t operator()(const Wanted& wanted) const noexcept { return wanted.hash; }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const CellPtr& a, const CellPtr& b) const noexcept { return a == b; }
        bool operator()(const Wanted& wanted, const CellPtr& cell) const noexcept {
            return wanted.key == cell->key();
        }
        bool operator()(const CellPtr& cell, const Wanted& wanted) const noexcept {
            return wanted.key == cell->key();
        }
    };

    static constexpr std::size_t few = 64;

    boost::unordered_flat_set<CellPtr, Hash, Equal> cells_;
    std::size_t bytes_ = 0;
    std::size_t asked_ = 0;
    std::size_t due_ = few;
};

} // namespace wva_metrics::detail
