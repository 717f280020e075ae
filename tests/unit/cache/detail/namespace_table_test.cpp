// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/detail/namespace_table.hpp"

#include <catch2/catch_all.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

using wva_metrics::CacheKeyView;
using wva_metrics::EntryKind;
using wva_metrics::detail::NamespaceTable;
using wva_metrics::detail::RetiredObjects;

namespace {

struct NamespaceFixture {
    NamespaceTable namespaces;
    RetiredObjects retired;
    std::atomic<const NamespaceTable::AtomicGeneration*> published{nullptr};

    NamespaceTable::Number add(const std::string& name, EntryKind kind = EntryKind::replica) {
        return namespaces.find_or_add(kind, name, published, retired);
    }
    NamespaceTable::Generation seen_by_readers(NamespaceTable::Number number) const {
        return published[number];
    }
};

} // namespace

TEST_CASE("a group keeps its number, and no other group has it") {
    NamespaceFixture fixture;
    const auto first = fixture.add("a");
    CHECK(fixture.add("a") == first);
    CHECK(fixture.namespaces.find(EntryKind::replica, "a") == first);
    CHECK(fixture.namespaces.find(EntryKind::optimizer, "a") == NamespaceTable::none);
    CHECK(fixture.namespaces.find(EntryKind::replica, "") == NamespaceTable::none);
    CHECK(fixture.add("a", EntryKind::optimizer) != first);
    CHECK(fixture.add("b") != first);
}

TEST_CASE("a reused number begins with a new generation") {
    NamespaceFixture fixture;
    const auto number = fixture.add("a");
    const auto generation = fixture.namespaces.generation(number);
    fixture.namespaces[number].live = 7;
    fixture.namespaces.remove(EntryKind::replica, "a");
    CHECK(fixture.namespaces.find(EntryKind::replica, "a") == NamespaceTable::none);
    CHECK(fixture.add("b") == number);
    CHECK(fixture.namespaces.generation(number) > generation);
    CHECK(fixture.namespaces[number].live == 0);
}

TEST_CASE("readers see every generation, also after the table has grown") {
    NamespaceFixture fixture;
    std::mt19937 random(5);
    std::map<std::pair<EntryKind, std::string>, NamespaceTable::Number> known;
    std::map<NamespaceTable::Number, NamespaceTable::Generation> last;
    for (int i = 0; i < 5000; ++i) {
        const std::string name = std::to_string(random() % (i < 2500 ? 20 : 200));
        const auto kind = static_cast<EntryKind>(random() % 3);
        const auto found = known.find({kind, name});
        if (found == known.end()) {
            const auto number = fixture.add(name, kind);
            for (const auto& [key, other] : known)
                REQUIRE(other != number);
            known[{kind, name}] = number;
        } else if (random() % 3 == 0) {
            fixture.namespaces.remove(kind, name);
            known.erase(found);
        } else {
            REQUIRE(fixture.add(name, kind) == found->second);
            fixture.namespaces.bump_generation(found->second);
        }
        for (const auto& [key, number] : known) {
            const auto generation = fixture.namespaces.generation(number);
            REQUIRE(fixture.seen_by_readers(number) == generation);
            REQUIRE(generation >= last[number]);
            last[number] = generation;
        }
    }
    std::size_t visited = 0;
    fixture.namespaces.for_each([&](const CacheKeyView& key, NamespaceTable::Number number) {
        ++visited;
        CHECK(key.name.empty());
        CHECK(known.at({key.kind, std::string(key.namespace_name)}) == number);
    });
    CHECK(visited == known.size());
}
