// SPDX-License-Identifier: Apache-2.0
//
// Look-ups per second of the sharded cache, alone and beside writes, compared with Boost's maps
// (unsynchronised and concurrent) and with a mutex around an LRU list. All check a TTL with the
// same coarse clock, except the unsynchronised map, which is the lower bound of the cost.
#include <wva_metrics/cache/sharded_cache.hpp>

#include "support/cache_work.hpp"
#include "support/measurement.hpp"
#include "support/mutex_lru.hpp"
#include "support/text_map.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

using namespace bench;
using wva_metrics::BasicShardedCache;

namespace {

template <typename Hash>
using FlatMap = boost::unordered_flat_map<std::string, Entry, Hash, std::equal_to<>>;

class Bench {
public:
    Bench(const Options& options, std::size_t keys)
        : keys_(keys), order_(random_order(keys, std::size_t{1} << 18)),
          operations_(options.pick<std::size_t>(4'000'000, 1'000'000, 1'000)),
          cache_({2 * keys, std::size_t{1} << 30}), lru_(2 * keys) {
        for (std::size_t i = 0; i < keys; ++i) {
            cache_.insert_or_assign(keys_.parts(i), make_shared_entry(i));
            cells_.push_back(cache_.cell(keys_.parts(i)));
            inline_map_.insert_or_assign(std::string(keys_.text(i)), make_entry(i));
            shared_map_.insert_or_assign(std::string(keys_.text(i)), make_shared_entry(i));
            flat_map_.insert_or_assign(std::string(keys_.text(i)), make_entry(i));
            flat_map_of_our_hash_.insert_or_assign(std::string(keys_.text(i)), make_entry(i));
            lru_.insert_or_assign(keys_.text(i), make_shared_entry(i));
        }
    }

    // Each operation takes the number of a key and returns the value that it found.
    auto visit() {
        return [this](std::uint32_t number, std::size_t) {
            std::uint64_t found = 0;
            cache_.visit(keys_.parts(number), now(),
                         [&](const Entry& entry) { found = entry.value[0]; });
            return found;
        };
    }
    auto find() {
        return [this](std::uint32_t number, std::size_t) {
            const EntryPtr entry = cache_.find(keys_.parts(number), now());
            return entry ? entry->value[0] : 0;
        };
    }
    auto visit_cell() {
        return [this](std::uint32_t number, std::size_t) {
            std::uint64_t found = 0;
            cache_.visit(*cells_[number], now(),
                         [&](const Entry& entry) { found = entry.value[0]; });
            return found;
        };
    }
    auto find_cell() {
        return [this](std::uint32_t number, std::size_t) {
            const EntryPtr entry = cache_.find(*cells_[number], now());
            return entry ? entry->value[0] : 0;
        };
    }
    auto flat() {
        return [this](std::uint32_t number, std::size_t) { return value_in(flat_map_, number); };
    }
    auto flat_of_our_hash() {
        return [this](std::uint32_t number, std::size_t) {
            return value_in(flat_map_of_our_hash_, number);
        };
    }
    auto cvisit() {
        return [this](std::uint32_t number, std::size_t) {
            std::uint64_t found = 0;
            const TimePoint at = now();
            inline_map_.cvisit(keys_.text(number), [&](const auto& pair) {
                if (!pair.second.is_expired(at))
                    found = pair.second.value[0];
            });
            return found;
        };
    }
    auto copy_shared() {
        return [this](std::uint32_t number, std::size_t) {
            EntryPtr entry;
            const TimePoint at = now();
            shared_map_.cvisit(keys_.text(number), [&](const auto& pair) {
                if (!pair.second->is_expired(at))
                    entry = pair.second;
            });
            return entry ? entry->value[0] : 0;
        };
    }
    auto lru() {
        return [this](std::uint32_t number, std::size_t) {
            const EntryPtr entry = lru_.find(keys_.text(number), now());
            return entry ? entry->value[0] : 0;
        };
    }

    // The same operations, but every twentieth one writes the key instead.
    template <typename Read, typename Write>
    static auto beside_writes(Read read, Write write) {
        return [read, write](std::uint32_t number, std::size_t turn) -> std::uint64_t {
            if (turn % 20 != 0)
                return read(number, turn);
            write(number);
            return number;
        };
    }
    auto write_ours() {
        return [this](std::uint32_t number) {
            cache_.insert_or_assign(keys_.parts(number), make_shared_entry(number));
        };
    }
    auto visit_beside_writes() { return beside_writes(visit(), write_ours()); }
    auto visit_cell_beside_writes() { return beside_writes(visit_cell(), write_ours()); }
    auto cvisit_beside_writes() {
        return beside_writes(cvisit(), [this](std::uint32_t number) {
            inline_map_.insert_or_assign(std::string(keys_.text(number)), make_entry(number));
        });
    }
    auto copy_shared_beside_writes() {
        return beside_writes(copy_shared(), [this](std::uint32_t number) {
            shared_map_.insert_or_assign(std::string(keys_.text(number)),
                                         make_shared_entry(number));
        });
    }
    auto lru_beside_writes() {
        return beside_writes(lru(), [this](std::uint32_t number) {
            lru_.insert_or_assign(keys_.text(number), make_shared_entry(number));
        });
    }

    template <typename Operation>
    double run(int threads, const Operation& operation, std::size_t slower_by = 1) const {
        const std::size_t each = operations_ / slower_by / static_cast<std::size_t>(threads);
        mops(threads, each / 4, order_, operation); // Warms up.
        return mops(threads, each, order_, operation);
    }

private:
    template <typename Map>
    std::uint64_t value_in(const Map& map, std::uint32_t number) const {
        const auto found = map.find(keys_.text(number));
        return found == map.end() ? 0 : found->second.value[0];
    }

    Keys keys_;
    std::vector<std::uint32_t> order_;
    std::size_t operations_;
    BasicShardedCache<Entry> cache_;
    std::vector<std::shared_ptr<BasicShardedCache<Entry>::Cell>> cells_;
    ConcurrentMap<Entry> inline_map_;
    ConcurrentMap<EntryPtr> shared_map_;
    FlatMap<BoostTextHash> flat_map_;
    FlatMap<TextHash> flat_map_of_our_hash_;
    MutexLru<Entry> lru_;
};

std::string work(std::size_t keys, int threads) {
    return grouped(keys) + " keys, " + std::to_string(threads) +
           (threads == 1 ? " thread" : " threads");
}

constexpr const char* flat_name = "boost::unordered_flat_map, one thread, no TTL";
constexpr const char* hashed_name = "the same with the cache's hash";
constexpr const char* cvisit_name = "boost::concurrent_flat_map, cvisit";
constexpr const char* shared_name = "boost::concurrent_flat_map, copied shared_ptr";
constexpr const char* lru_name = "mutex + unordered_map + list";
constexpr const char* go_name = "Go sync.Map with TTL";

constexpr Help help{"Look-ups per second of the sharded cache, alone and beside writes, compared "
                    "with Boost's maps\n"
                    "and with a mutex around an LRU list."};

} // namespace

int main(int count, char** arguments) {
    const Options options = parse_options(count, arguments, help);
    for (const std::size_t keys : {std::size_t{1'000}, std::size_t{10'000}}) {
        Bench bench(options, keys);
        const bool large = keys == 10'000;
        const double cell_one = bench.run(1, bench.visit_cell());
        const double cell_two = bench.run(2, bench.visit_cell());
        const double cvisit_two = bench.run(2, bench.cvisit());
        const double lru_two = bench.run(2, bench.lru(), 8);
        const auto cell_row = [&](int threads) {
            return Row("cache read by cell, in place", work(keys, threads), "Mops/s", Better::more);
        };
        cell_row(1).ours(cell_one);
        cell_row(1).peer(cvisit_name, bench.run(1, bench.cvisit()));
        cell_row(2).ours(cell_two);
        cell_row(2).peer("ours, 1 thread", cell_one, 1.9);
        cell_row(2).peer(cvisit_name, cvisit_two, large ? 2.5 : 4);
        cell_row(2).peer(lru_name, lru_two, 30);
        cell_row(2).target_over(go_name, large ? 5 : 8);
        const auto row = [&](int threads) {
            return Row("cache read in place", work(keys, threads), "Mops/s", Better::more);
        };
        const double one = bench.run(1, bench.visit());
        const double two = bench.run(2, bench.visit());
        row(1).ours(one);
        row(1).peer(flat_name, bench.run(1, bench.flat()), large ? 0.6 : 0);
        row(1).peer(hashed_name, bench.run(1, bench.flat_of_our_hash()));
        row(1).peer(cvisit_name, bench.run(1, bench.cvisit()), large ? 1.3 : 0);
        if (large)
            row(1).target_over(go_name, 4);
        row(2).ours(two);
        row(2).peer("ours, 1 thread", one, 1.8);
        row(2).peer(cvisit_name, cvisit_two, large ? 1.1 : 0);
        row(2).peer(lru_name, lru_two);
        if (!large)
            continue;
        row(8).ours(bench.run(8, bench.visit()));
        row(8).peer("ours, 2 threads", two, 0.95);

        const Row shared("cache read handing out a snapshot", work(keys, 2), "Mops/s",
                         Better::more);
        shared.ours(bench.run(2, bench.find()));
        shared.peer(shared_name, bench.run(2, bench.copy_shared()), 1.5);
        shared.target_over(go_name, 2.5);

        const Row shared_cell("cache read by cell, handing out a snapshot", work(keys, 2), "Mops/s",
                              Better::more);
        shared_cell.ours(bench.run(2, bench.find_cell()));
        shared_cell.peer(shared_name, bench.run(2, bench.copy_shared()), 1.5);

        const Row mixed_cell("cache reads by cell, beside writes", "95 % / 5 %, " + work(keys, 2),
                             "Mops/s", Better::more);
        mixed_cell.ours(bench.run(2, bench.visit_cell_beside_writes()));
        mixed_cell.peer(cvisit_name, bench.run(2, bench.cvisit_beside_writes()), 1.2);

        const Row mixed("cache reads beside writes", "95 % / 5 %, " + work(keys, 2), "Mops/s",
                        Better::more);
        mixed.ours(bench.run(2, bench.visit_beside_writes()));
        mixed.peer(cvisit_name, bench.run(2, bench.cvisit_beside_writes()), 1.2);
        mixed.peer(shared_name, bench.run(2, bench.copy_shared_beside_writes()));
        mixed.peer(lru_name, bench.run(2, bench.lru_beside_writes(), 8), 10);
        mixed.target_over(go_name, 2.5);
    }
    return 0;
}
