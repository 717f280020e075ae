// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/detail/slot_table.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace {

struct TableNode {
    int key;
};
using Table = wva_metrics::detail::SlotTable<TableNode, int>;

constexpr std::size_t in_bucket(std::uint64_t bucket, std::uint64_t buckets) {
    return static_cast<std::size_t>(((bucket << 32) / buckets + 1) << 8);
}

auto is(int key) {
    return [key](const TableNode& node) { return node.key == key; };
}

/// A table, and a model of the nodes that it should hold.
class Checked {
public:
    using Hash = std::function<std::size_t(int)>;

    Checked(std::size_t nodes, Hash hash) : table(nodes), hash_(std::move(hash)) {}

    void insert(int key, Table::Deadline deadline = 0) {
        auto node = std::make_unique<TableNode>(TableNode{key});
        table.insert(hash_(key), *node, deadline);
        kept_[key] = {std::move(node), deadline};
    }
    void replace(int key, Table::Deadline deadline) {
        auto node = std::make_unique<TableNode>(TableNode{key});
        table.replace(slot(key), *node, deadline);
        kept_[key] = {std::move(node), deadline};
    }
    void erase(int key) {
        table.erase(slot(key), hash_(key));
        kept_.erase(key);
    }
    bool has_room() const { return kept_.size() < table.room(); }
    bool holds(int key) const { return kept_.count(key) != 0; }

    void check(int key) const {
        const auto expected = kept_.find(key);
        const TableNode* const node =
            expected == kept_.end() ? nullptr : expected->second.node.get();
        REQUIRE(table.find(hash_(key), is(key)) == node);
        const std::size_t found = slot(key);
        REQUIRE((found == Table::none) == (node == nullptr));
        if (node != nullptr)
            REQUIRE(table.node(found) == node);
    }
    void check_until(Table::Deadline latest) const {
        std::multiset<int> found;
        table.for_each_until(latest,
                             [&](std::size_t place) { found.insert(table.node(place)->key); });
        std::multiset<int> expected;
        for (const auto& [key, kept] : kept_)
            if (kept.deadline <= latest)
                expected.insert(key);
        REQUIRE(found == expected);
    }

    Table table;

private:
    struct Kept {
        std::unique_ptr<TableNode> node;
        Table::Deadline deadline;
    };

    std::size_t slot(int key) const { return table.find_slot(hash_(key), is(key)); }

    Hash hash_;
    std::map<int, Kept> kept_;
};

struct NamedHash {
    std::string name;
    Checked::Hash hash;
};

const std::vector<NamedHash>& hashes() {
    static const std::vector<NamedHash> all = {
        {"spread", [](int key) { return std::hash<std::string>()(std::to_string(key)); }},
        {"all equal", [](int) { return std::size_t{0}; }},
        {"all ones", [](int) { return ~std::size_t{0}; }},
        {"one bucket, many tags", [](int key) { return static_cast<std::size_t>(key % 128); }},
        {"two neighbours' tags", [](int key) { return static_cast<std::size_t>(key % 2); }},
        {"many buckets, one tag",
         [](int key) { return std::hash<std::string>()(std::to_string(key)) << 8; }},
        {"the last bucket",
         [](int key) { return 0xffff'ffff'00U + static_cast<std::size_t>(key % 3); }},
        {"two buckets", [](int key) { return in_bucket(key % 3 == 0 ? 0 : 1, 2); }},
    };
    return all;
}

} // namespace

TEST_CASE("a slot table behaves like a map, whatever the hashes are") {
    const std::size_t nodes = GENERATE(0U, 5U, 12U, 400U);
    const NamedHash& hash = hashes()[GENERATE(range(std::size_t{0}, hashes().size()))];
    CAPTURE(nodes, hash.name);
    Checked checked(nodes, hash.hash);
    REQUIRE(checked.table.room() >= nodes);
    std::mt19937 random(17);
    const auto below = [&random](std::size_t bound) { return static_cast<int>(random() % bound); };
    const std::size_t keys = checked.table.room() * 3 / 2;
    for (int i = 0; i < 3000; ++i) {
        const int key = below(keys);
        // Phases of filling and emptying, so that the table is repeatedly full and empty.
        const bool fill = i / 500 % 2 == 0;
        if (!checked.holds(key)) {
            if (checked.has_room() && (fill || below(4) == 0))
                checked.insert(key, below(100));
        } else if (below(3) == 0) {
            checked.replace(key, below(100));
        } else if (!fill || below(4) == 0) {
            checked.erase(key);
        }
        checked.check(key);
        checked.check(below(keys));
        checked.check(-1 - below(10));
        if (i % 100 == 0) {
            checked.check_until(below(110) - 5);
            for (std::size_t other = 0; other < keys; ++other)
                checked.check(static_cast<int>(other));
        }
    }
}

TEST_CASE("a search ends even if every bucket has overflowed") {
    Checked checked(5, [](int key) { return in_bucket(key < 100 ? 0 : 1, 2); });
    REQUIRE(checked.table.room() == 10);
    for (int key = 0; key < 8; ++key)
        checked.insert(key); // The eighth overflows the first bucket.
    for (int key = 0; key < 7; ++key)
        checked.erase(key);
    for (int key = 100; key < 107; ++key)
        checked.insert(key); // The seventh overflows the second bucket.
    for (const int key : {0, 6, 7, 8, 100, 106, 107})
        checked.check(key);
}

TEST_CASE("a bucket whose overflow count is saturated never ends a search") {
    Checked checked(400, [](int) { return std::size_t{0}; });
    for (int key = 0; key < 400; ++key)
        checked.insert(key);
    for (int round = 0; round < 2; ++round) {
        for (int key = 0; key < 399; ++key) {
            checked.erase(key);
            checked.check(key);
            checked.check(399);
        }
        for (int key = 0; key < 399; ++key)
            checked.insert(key);
    }
    for (int key = 0; key < 401; ++key)
        checked.check(key);
}

TEST_CASE("a node that the sweep visits may be erased at once") {
    Table table(300);
    std::vector<TableNode> nodes(300);
    const auto hash = [](int key) { return std::hash<std::string>()(std::to_string(key)); };
    for (int key = 0; key < 300; ++key) {
        nodes[static_cast<std::size_t>(key)].key = key;
        table.insert(hash(key), nodes[static_cast<std::size_t>(key)], key);
    }
    int erased = 0;
    table.for_each_until(199, [&](std::size_t slot) {
        table.erase(slot, hash(table.node(slot)->key));
        ++erased;
    });
    CHECK(erased == 200);
    int left = 0;
    table.for_each_until(std::numeric_limits<Table::Deadline>::max(), [&](std::size_t slot) {
        left += table.node(slot)->key >= 200 ? 1 : 1000;
    });
    CHECK(left == 100);
}

TEST_CASE("a coarse deadline keeps the order of times, also at both ends of the clock") {
    constexpr std::int64_t first = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t unit = std::int64_t{1} << 32;
    const std::vector<std::int64_t> times = {first,       first + 1, -unit - 1, -unit, -1,
                                             0,           1,         unit - 1,  unit,  7 * unit + 5,
                                             last - unit, last - 1,  last};
    for (std::size_t i = 1; i < times.size(); ++i)
        CHECK(Table::coarse(times[i - 1]) <= Table::coarse(times[i]));
    CHECK(Table::coarse(-1) < Table::coarse(0));
    CHECK(Table::coarse(last) == std::numeric_limits<Table::Deadline>::max());
}
