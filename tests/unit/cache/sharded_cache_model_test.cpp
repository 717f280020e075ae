// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/sharded_cache.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::make_entry;

namespace {

constexpr std::size_t plenty = 100'000'000;

struct Setting {
    std::size_t shards;
    std::size_t max_entries;
    std::size_t max_bytes;
};

/// A cache, and beside it what it should hold and count. Which entries it evicts is its own choice;
/// that is seen after each step.
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
        const CacheEntryPtr found = cache.find(key, now);
        REQUIRE(found == (there ? expected->second.entry : nullptr));
    }
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
            bytes += item.entry->bytes();
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
        REQUIRE(stats.bytes == bytes);
        const std::size_t rounding = setting_.shards - 1;
        REQUIRE(kept_.size() <= setting_.max_entries + rounding);
        REQUIRE(bytes <= setting_.max_bytes + rounding);
    }

    ShardedCache cache;

private:
    struct Kept {
        CacheKey key;
        CacheEntryPtr entry;
    };

    /// Forgets what is no longer there, and demands that it was no more than necessary.
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
    CacheStats stats_;
};

/// SIEVE as its paper writes it: keys from the oldest to the newest, and a hand.
class Sieve {
public:
    explicit Sieve(std::size_t most) : most_(most) {}

    bool find(int key) {
        const auto found = place_of(key);
        if (found == items_.size())
            return false;
        items_[found].visited = true;
        return true;
    }
    void insert(int key) {
        if (place_of(key) != items_.size())
            return;
        if (items_.size() == most_) {
            while (items_[hand_].visited) {
                items_[hand_].visited = false;
                hand_ = (hand_ + 1) % items_.size();
            }
            take(hand_);
        }
        // The hand stood at the end, and goes on from the oldest.
        items_.push_back({key, false});
    }
    void erase(int key) {
        if (const auto found = place_of(key); found != items_.size())
            take(found);
    }

private:
    struct Item {
        int key;
        bool visited;
    };
    std::size_t place_of(int key) const {
        return static_cast<std::size_t>(
            std::find_if(items_.begin(), items_.end(),
                         [key](const Item& item) { return item.key == key; }) -
            items_.begin());
    }
    void take(std::size_t place) {
        items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(place));
        if (hand_ > place)
            --hand_;
        if (hand_ == items_.size())
            hand_ = 0;
    }

    std::size_t most_;
    std::vector<Item> items_;
    std::size_t hand_ = 0;
};

} // namespace

TEST_CASE("a sharded cache holds and counts what a plain model does") {
    const std::size_t one = make_entry(at(0s))->bytes();
    const Setting setting = GENERATE_COPY(Setting{1, plenty, plenty}, Setting{4, plenty, plenty},
                                          Setting{1, 20, plenty}, Setting{4, 20, plenty},
                                          Setting{1, plenty, 25 * one}, Setting{4, 40, 50 * one});
    CAPTURE(setting.shards, setting.max_entries, setting.max_bytes);
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
                const auto limit = static_cast<std::size_t>(below(60));
                checked.set_limits(setting.max_entries == plenty ? plenty : limit,
                                   setting.max_bytes == plenty ? plenty : limit * one);
            }
            break;
        case 6:
        case 7:
        case 8:
            checked.erase(key);
            break;
        default:
            if (below(2) == 0)
                checked.find(key, now);
            else
                checked.insert(key, make_entry(at(0s), std::chrono::seconds(below(50)),
                                               std::chrono::seconds(50 + below(50)),
                                               static_cast<std::size_t>(below(200))));
        }
        checked.check();
    }
}

TEST_CASE("a cache of one shard evicts in SIEVE's order") {
    const std::size_t most = GENERATE(1U, 2U, 7U, 50U);
    ShardedCache cache({most, plenty}, 1);
    Sieve model(most);
    std::mt19937 random(29);
    for (int i = 0; i < 20'000; ++i) {
        // A few are asked for often.
        const auto range = static_cast<unsigned>(1 + random() % (3 * most));
        const int key = static_cast<int>(random() % range);
        const std::string name = std::to_string(key);
        const CacheKeyView view = optimizer_key("ns", name);
        const auto what = random() % 20;
        if (what == 0) {
            model.erase(key);
            cache.erase(view);
        } else if (what < 8) {
            model.insert(key);
            cache.insert_or_assign(view, make_entry(at(0s)));
        } else {
            CAPTURE(most, i, key);
            REQUIRE(cache.visit(view, at(0s), [](const CacheEntry&) {}) == model.find(key));
        }
    }
    CHECK(cache.stats().evictions > 500);
}

TEST_CASE("what was invalidated and is stored again is as new as what is stored now") {
    ShardedCache cache({3, plenty}, 1);
    const auto insert = [&](const char* namespace_name, const char* name) {
        cache.insert_or_assign(optimizer_key(namespace_name, name), make_entry(at(0s)));
    };
    insert("again", "a");
    insert("old", "b");
    cache.erase_prefix("allocation:again/");
    insert("again", "a");
    insert("old", "c");
    insert("old", "d"); // In the place of the oldest, which is b.
    const auto holds = [&](const char* namespace_name, const char* name) {
        return cache.find(optimizer_key(namespace_name, name), at(0s)) != nullptr;
    };
    CHECK(holds("again", "a"));
    CHECK_FALSE(holds("old", "b"));
    CHECK(holds("old", "c"));
    CHECK(holds("old", "d"));
}

TEST_CASE("entries of all times expire when they should") {
    const TimePoint first = TimePoint::min();
    const TimePoint last = TimePoint::max();
    const Duration tick(1);
    const std::vector<TimePoint> times = {
        first,       first + tick,       first + 10s, TimePoint() - 5s, TimePoint() - tick,
        TimePoint(), TimePoint() + tick, at(0s),      last - 10s,       last - tick,
        last};
    for (const TimePoint now : times) {
        ShardedCache cache({plenty, plenty}, 1);
        std::size_t expired = 0;
        for (std::size_t i = 0; i < times.size(); ++i) {
            const std::string name = std::to_string(i);
            cache.insert_or_assign(
                optimizer_key("ns", name),
                std::make_shared<const CacheEntry>(Availability{}, times[i], times[i], times[i]));
            expired += now > times[i];
        }
        CHECK(cache.erase_expired(now) == expired);
        CHECK(cache.size() == times.size() - expired);
        for (std::size_t i = 0; i < times.size(); ++i) {
            const std::string name = std::to_string(i);
            CHECK((cache.find(optimizer_key("ns", name), now) != nullptr) == (now <= times[i]));
        }
    }
}

TEST_CASE("limits at both ends") {
    const std::size_t none = 0;
    const std::size_t all = ~std::size_t{0};
    for (const auto& [entries, bytes] : {std::pair(none, all), std::pair(all, none)}) {
        ShardedCache cache({entries, bytes}, 4);
        cache.insert_or_assign(optimizer_key("ns", "a"), make_entry(at(0s)));
        CHECK(cache.size() == 0);
        CHECK(cache.stats().evictions == 1);
        cache.set_limits({all, all});
        cache.insert_or_assign(optimizer_key("ns", "a"), make_entry(at(0s)));
        CHECK(cache.size() == 1);
        cache.set_limits({entries, bytes});
        CHECK(cache.size() == 0);
        CHECK(cache.stats().bytes == 0);
        CHECK(cache.stats().evictions == 2);
    }
}

TEST_CASE("a key that is too long is not kept, and one that just fits is") {
    ShardedCache cache;
    const std::string long_namespace(0x7fff, 'n');
    const std::string long_name(0xffff, 'm');
    const CacheKeyView fits = optimizer_key(long_namespace, long_name);
    cache.insert_or_assign(fits, make_entry(at(0s)));
    CHECK(cache.find(fits, at(0s)) != nullptr);
    const std::string longer_namespace = long_namespace + 'n';
    const std::string longer_name = long_name + 'm';
    for (const CacheKeyView& key :
         {optimizer_key(longer_namespace, "a"), optimizer_key("a", longer_name)}) {
        cache.insert_or_assign(key, make_entry(at(0s)));
        CHECK(cache.find(key, at(0s)) == nullptr);
        CHECK_FALSE(cache.erase(key));
    }
    CHECK(cache.erase_prefix("allocation:" + longer_namespace + "/") == 0);
    CHECK(cache.erase_prefix("allocation:" + long_namespace + "/" + long_name + "m") == 0);
    CHECK(cache.erase_prefix("allocation:" + long_namespace + "/" + long_name) == 1);
    CHECK(cache.stats().insertions == 3);
    CHECK(cache.stats().evictions == 2);
}
