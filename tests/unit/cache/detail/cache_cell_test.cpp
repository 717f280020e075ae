// SPDX-License-Identifier: Apache-2.0
//
// What a reader of a cell sees at each step of a change.
#include "wva_metrics/cache/detail/cache_cell.hpp"
#include "wva_metrics/cache/detail/cache_node.hpp"
#include "wva_metrics/cache/detail/cell_table.hpp"

#include "support/counted_entry.hpp"

#include <catch2/catch_all.hpp>

#include <atomic>
#include <memory>

using namespace wva_metrics;
using test_support::CountedEntry;

namespace {

constexpr CacheKeyView key_of_cell{EntryKind::replica, "ns", "celled"};
using CountedCell = detail::CacheCell<CountedEntry>;
using CountedNode = detail::CacheNode<CountedEntry>;

/// A reader that reads now sees all of one state.
bool is_consistent(const CountedCell& cell) {
    return cell.is_unchanged(cell.read());
}

} // namespace

TEST_CASE("what was read of a cell counts only if no change was in progress or came meanwhile") {
    std::atomic<int> living{0};
    CountedCell cell(key_of_cell);
    const auto node =
        CountedNode::make(key_of_cell, std::make_shared<const CountedEntry>(living), &cell);
    node->assign_group(3, 7);
    const auto before = cell.read();
    CHECK(cell.is_unchanged(before));
    CHECK(before.node == nullptr);

    cell.begin_change();
    CHECK_FALSE(cell.is_unchanged(before));
    const auto meanwhile = cell.read();
    CHECK_FALSE(cell.is_unchanged(meanwhile));

    cell.end_change(node.get());
    CHECK_FALSE(cell.is_unchanged(before));
    CHECK_FALSE(cell.is_unchanged(meanwhile));
    const auto after = cell.read();
    CHECK(cell.is_unchanged(after));
    CHECK(after.node == node.get());
    CHECK(after.entry == node->entry().get());
    CHECK(after.group == 3);
    CHECK(after.generation == 7);

    {
        const CountedCell::Change removal(&cell, nullptr);
        CHECK_FALSE(is_consistent(cell));
    }
    CHECK_FALSE(cell.is_unchanged(after));
    CHECK(cell.read().node == nullptr);
    CHECK(cell.read().entry == nullptr);
}

TEST_CASE("a change of all cells is published while no cell counts") {
    detail::CellTable<CountedEntry> cells;
    const auto cell = cells.add(key_of_cell, [](CountedCell&) {});
    const auto before = cell->read();
    bool is_published = false;
    cells.change_all([&] {
        is_published = true;
        CHECK_FALSE(is_consistent(*cell));
    });
    CHECK(is_published);
    CHECK(is_consistent(*cell));
    CHECK_FALSE(cell->is_unchanged(before));
}

TEST_CASE("a cell is dropped when only the table refers to it, and unlinked before") {
    detail::CellTable<CountedEntry> cells;
    auto cell = cells.add(key_of_cell, [](CountedCell&) {});
    int unlinked = 0;
    const auto drop = [&] { cells.drop_unused([&](const CountedCell&) { ++unlinked; }); };
    drop();
    CHECK(unlinked == 0);
    CHECK(cells.find(key_of_cell, cell->hash()) == cell);
    CHECK(cells.bytes() == cells.bytes(key_of_cell));
    cell.reset();
    drop();
    CHECK(unlinked == 1);
    CHECK(cells.bytes() == 0);
}
