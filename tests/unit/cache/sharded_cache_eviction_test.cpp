// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/sharded_cache.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::make_entry;
using test_support::plenty;

namespace {

/// SIEVE as in its paper: keys from the oldest to the newest, and a hand.
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
        // If the hand was at the end, it continues at the oldest.
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

TEST_CASE("a cache of one shard evicts in SIEVE's order") {
    const std::size_t most = GENERATE(1U, 2U, 7U, 50U);
    ShardedCache cache({most, plenty}, 1);
    Sieve model(most);
    std::mt19937 random(29);
    for (int i = 0; i < 20'000; ++i) {
        // A few keys are requested often.
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

TEST_CASE("a key that is stored again after its invalidation is as new as one stored now") {
    ShardedCache cache({3, plenty}, 1);
    const auto insert = [&](const char* namespace_name, const char* name) {
        cache.insert_or_assign(optimizer_key(namespace_name, name), make_entry(at(0s)));
    };
    insert("again", "a");
    insert("old", "b");
    cache.erase_prefix("allocation:again/");
    insert("again", "a");
    insert("old", "c");
    insert("old", "d"); // Evicts the oldest, which is b.
    const auto holds = [&](const char* namespace_name, const char* name) {
        return cache.find(optimizer_key(namespace_name, name), at(0s)) != nullptr;
    };
    CHECK(holds("again", "a"));
    CHECK_FALSE(holds("old", "b"));
    CHECK(holds("old", "c"));
    CHECK(holds("old", "d"));
}
