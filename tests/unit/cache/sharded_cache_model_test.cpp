// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/sharded_cache.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::counted_bytes;
using test_support::make_entry;
using test_support::plenty;

namespace {

struct Setting {
    std::size_t shards;
    std::size_t max_entries;
    std::size_t max_bytes;
};

/// A cache, and a model of the entries and counts that it should have. The model does not predict
/// evictions; it reads them from the cache after each step.
class Checked {
public:
    explicit Checked(const Setting& setting)
        : cache({setting.max_entries, setting.max_bytes}, setting.shards), setting_(setting) {}

    void find(const CacheKey& key, TimePoint now) {
        const auto expected = kept_.find(to_string(key));
        const bool there = expected != kept_.end() && !expected->second.entry->is_expired(now);
        if (!there)
            ++stats_.misses;
        else
            ++(expected->second.entry->is_fresh(now) ? stats_.hits : stats_.stale_hits);
        const auto cell = cells_.find(to_string(key));
        const CacheEntryPtr found =
            cell == cells_.end() ? cache.find(key, now) : cache.find(*cell->second, now);
        REQUIRE(found == (there ? expected->second.entry : nullptr));
    }
    /// The same in place.
    void visit(const CacheKey& key, TimePoint now) {
        const CacheEntry* visited = nullptr;
        const auto note = [&](const CacheEntry& entry) { visited = &entry; };
        const auto cell = cells_.find(to_string(key));
        const bool was_found = cell == cells_.end() ? cache.visit(key, now, note)
                                                    : cache.visit(*cell->second, now, note);
        const auto expected = kept_.find(to_string(key));
        const bool there = expected != kept_.end() && !expected->second.entry->is_expired(now);
        ++(!there                                  ? stats_.misses
           : expected->second.entry->is_fresh(now) ? stats_.hits
                                                   : stats_.stale_hits);
        REQUIRE(was_found == there);
        REQUIRE(visited == (there ? expected->second.entry.get() : nullptr));
    }
    /// From now on the key is looked up by its cell, if the cache gives it one.
    void keep_cell(const CacheKey& key) {
        if (const auto cell = cache.cell(key)) {
            cells_.insert_or_assign(to_string(key), cell);
            cell_bytes_.insert_or_assign(to_string(key), bytes_of_cell(key));
        }
    }
    void drop_cell(const CacheKey& key) { cells_.erase(to_string(key)); }
    void insert(const CacheKey& key, const CacheEntryPtr& entry) {
        cache.insert_or_assign(key, entry);
        ++stats_.insertions;
        kept_.insert_or_assign(to_string(key), Kept{key, entry});
        note_evictions();
        if (setting_.max_entries == plenty && setting_.max_bytes == plenty)
            REQUIRE(stats_.evictions == 0);
    }
    void erase(const CacheKey& key) {
        const bool expected = kept_.erase(to_string(key)) > 0;
        REQUIRE(cache.erase(key) == expected);
        stats_.invalidations += expected;
    }
    void erase_prefix(const std::string& prefix) {
        const std::size_t expected =
            std::erase_if(kept_, [&](const auto& item) { return item.first.starts_with(prefix); });
        CAPTURE(prefix);
        REQUIRE(cache.erase_prefix(prefix) == expected);
        stats_.invalidations += expected;
    }
    void erase_expired(TimePoint now) {
        const std::size_t expected = std::erase_if(
            kept_, [&](const auto& item) { return item.second.entry->is_expired(now); });
        REQUIRE(cache.erase_expired(now) == expected);
        stats_.expirations += expected;
        std::erase_if(cell_bytes_, [&](const auto& item) { return !cells_.contains(item.first); });
    }
    void clear() {
        cache.clear();
        stats_.invalidations += kept_.size();
        kept_.clear();
    }
    void set_limits(std::size_t max_entries, std::size_t max_bytes) {
        setting_.max_entries = max_entries;
        setting_.max_bytes = max_bytes;
        cache.set_limits({max_entries, max_bytes});
        note_evictions();
    }

    void check() {
        std::size_t bytes = 0;
        for (const auto& [text, item] : kept_)
            bytes += detail::CacheNode<CacheEntry>::bytes(item.key, *item.entry);
        const CacheStats stats = cache.stats();
        REQUIRE(stats.hits == stats_.hits);
        REQUIRE(stats.stale_hits == stats_.stale_hits);
        REQUIRE(stats.misses == stats_.misses);
        REQUIRE(stats.insertions == stats_.insertions);
        REQUIRE(stats.evictions == stats_.evictions);
        REQUIRE(stats.expirations == stats_.expirations);
        REQUIRE(stats.invalidations == stats_.invalidations);
        REQUIRE(stats.entries == kept_.size());
        REQUIRE(cache.size() == kept_.size());
        std::size_t cells = 0;
        for (const auto& [text, cell] : cells_)
            cells += cell_bytes_.at(text);
        REQUIRE(stats.bytes >= bytes + cells);
        // Cells that nobody keeps are given back at the latest by `erase_expired`.
        for (const auto& [text, unused] : cell_bytes_)
            cells += cells_.contains(text) ? 0 : unused;
        REQUIRE(stats.bytes <= bytes + cells);
        const std::size_t rounding = setting_.shards - 1;
        REQUIRE(kept_.size() <= setting_.max_entries + rounding);
        REQUIRE(bytes <= setting_.max_bytes + rounding);
    }

    ShardedCache cache;

private:
    using Cell = ShardedCache::Cell;
    static std::size_t bytes_of_cell(const CacheKey& key) {
        return detail::CellTable<CacheEntry>::bytes(key);
    }

    struct Kept {
        CacheKey key;
        CacheEntryPtr entry;
    };

    /// Removes evicted entries from the model, and checks that no more than necessary were evicted.
    void note_evictions() {
        const std::size_t before = kept_.size();
        std::erase_if(kept_, [&](const auto& item) {
            const auto still = cache.find(item.second.key, at(0s));
            ++(still ? stats_.hits : stats_.misses);
            return still == nullptr;
        });
        const std::size_t evicted = before - kept_.size();
        stats_.evictions += evicted;
        if (evicted > 0 && setting_.shards == 1 && setting_.max_bytes == plenty)
            REQUIRE(kept_.size() == setting_.max_entries);
    }

    Setting setting_;
    std::map<std::string, Kept> kept_;
    std::map<std::string, std::shared_ptr<Cell>> cells_;
    /// Of all cells that may exist.
    std::map<std::string, std::size_t> cell_bytes_;
    CacheStats stats_;
};

} // namespace

TEST_CASE("a sharded cache has the same entries and counts as a plain model") {
    const std::size_t one = counted_bytes<ShardedCache>(make_entry(at(0s)));
    const Setting setting = GENERATE_COPY(Setting{1, plenty, plenty}, Setting{4, plenty, plenty},
                                          Setting{1, 20, plenty}, Setting{4, 20, plenty},
                                          Setting{1, plenty, 25 * one}, Setting{4, 40, 50 * one});
    // Of ten keys, so many are looked up by cell, more or less.
    const int by_cell = GENERATE(0, 4, 9);
    CAPTURE(setting.shards, setting.max_entries, setting.max_bytes, by_cell);
    std::mt19937 random(23);
    const auto below = [&random](int bound) {
        return static_cast<int>(random() % static_cast<unsigned>(bound));
    };
    const std::vector<std::string> namespaces = {"", "a", "a/b", "%2F", "b"};
    const auto random_key = [&] {
        const std::string& namespace_name = namespaces[static_cast<std::size_t>(below(5))];
        const std::string name = std::to_string(below(12));
        return CacheKey(CacheKeyView{static_cast<EntryKind>(below(3)), namespace_name, name});
    };
    Checked checked(setting);
    for (int i = 0; i < 6000; ++i) {
        const CacheKey key = random_key();
        const TimePoint now = at(std::chrono::seconds(below(100)));
        switch (below(40)) {
        case 0: {
            std::string prefix = to_string(key);
            prefix.resize(static_cast<std::size_t>(below(static_cast<int>(prefix.size()) + 1)));
            checked.erase_prefix(prefix);
            break;
        }
        case 1:
        case 2: {
            const std::string text = to_string(key);
            checked.erase_prefix(text.substr(0, text.find('/') + 1));
            break;
        }
        case 3:
            if (below(3) == 0)
                checked.erase_expired(now);
            break;
        case 4:
            if (below(10) == 0)
                checked.clear();
            break;
        case 5:
            if (below(5) == 0) {
                const auto limit = static_cast<std::size_t>(1 + below(60));
                checked.set_limits(setting.max_entries == plenty ? plenty : limit,
                                   setting.max_bytes == plenty ? plenty : limit * one);
            }
            break;
        case 6:
        case 7:
        case 8:
            checked.erase(key);
            break;
        case 9:
        case 10:
            if (below(10) < by_cell)
                checked.keep_cell(key);
            else
                checked.drop_cell(key);
            break;
        default:
            if (below(4) == 0)
                checked.find(key, now);
            else if (below(3) == 0)
                checked.visit(key, now);
            else
                checked.insert(key, make_entry(at(0s), std::chrono::seconds(below(50)),
                                               std::chrono::seconds(50 + below(50)),
                                               static_cast<std::size_t>(below(200))));
        }
        checked.check();
    }
}
