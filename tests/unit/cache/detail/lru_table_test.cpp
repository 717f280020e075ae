// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/detail/lru_table.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using detail::LruTable;
using test_support::at;
using test_support::make_entry;

namespace {

void insert(LruTable& table, const std::string& name) {
    table.insert(optimizer_key("ns", name), make_entry(at(0s)));
}

/// The names from the least to the most recently used; checks the links in both directions.
std::vector<std::string> order(const LruTable& table) {
    std::vector<std::string> names;
    const LruTable::Slot* older = nullptr;
    for (const LruTable::Slot* slot = table.oldest(); slot; slot = slot->newer) {
        CHECK(slot->older == older);
        names.emplace_back(CacheKeyView(*slot->key).name);
        older = slot;
    }
    CHECK(names.size() == table.size());
    return names;
}

} // namespace

TEST_CASE("entries are in the order of their last use") {
    using Names = std::vector<std::string>;
    LruTable table;
    for (const char* name : {"a", "b", "c", "d"})
        insert(table, name);
    CHECK(order(table) == Names{"a", "b", "c", "d"});
    table.make_newest(*table.find(optimizer_key("ns", "b")));
    CHECK(order(table) == Names{"a", "c", "d", "b"});
    table.make_newest(*table.find(optimizer_key("ns", "a")));
    CHECK(order(table) == Names{"c", "d", "b", "a"});
    table.make_newest(*table.find(optimizer_key("ns", "a")));
    CHECK(order(table) == Names{"c", "d", "b", "a"});
    table.take(*table.find(optimizer_key("ns", "d")));
    CHECK(order(table) == Names{"c", "b", "a"});
    table.take(*table.find(optimizer_key("ns", "a")));
    table.take(*table.find(optimizer_key("ns", "c")));
    CHECK(order(table) == Names{"b"});
    table.take(*table.find(optimizer_key("ns", "b")));
    CHECK(order(table).empty());
    CHECK(table.oldest() == nullptr);
}

TEST_CASE("the slot and the key of a removed entry are free again") {
    LruTable table;
    for (int round = 0; round < 100; ++round) {
        for (int i = 0; i < 10; ++i)
            insert(table, std::to_string(100 * round + i));
        while (LruTable::Slot* oldest = table.oldest()) {
            CHECK(table.take(*oldest) != nullptr);
            CHECK_FALSE(oldest->key);
        }
    }
    CHECK(table.slot_count() == 10);
    CHECK(table.size() == 0);
}

TEST_CASE("a removed entry is returned, not destroyed") {
    LruTable table;
    const CacheEntryPtr entry = make_entry(at(0s));
    table.insert(optimizer_key("ns", "a"), entry);
    CHECK(table.take(*table.find(optimizer_key("ns", "a"))) == entry);
    CHECK(table.find(optimizer_key("ns", "a")) == nullptr);
}

TEST_CASE("tables can be swapped with all their entries") {
    LruTable first;
    LruTable second;
    insert(first, "a");
    insert(first, "b");
    first.swap(second);
    CHECK(first.size() == 0);
    CHECK(first.slot_count() == 0);
    insert(first, "c");
    CHECK(order(first) == std::vector<std::string>{"c"});
    insert(second, "d");
    CHECK(order(second) == std::vector<std::string>{"a", "b", "d"});
    CHECK(second.find(optimizer_key("ns", "b")) != nullptr);
    CHECK(second.find(optimizer_key("ns", "c")) == nullptr);
}
