// SPDX-License-Identifier: Apache-2.0
//
// Uses a cache of the program that loads it, with thread numbers of its own, because it hides its
// symbols: those of a library that is used in two shared objects which do not see each other.
#include <pthread.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#pragma GCC visibility push(hidden)
#include "wva_metrics/cache/detail/thread_number.hpp"
#pragma GCC visibility pop
#include "wva_metrics/cache/sharded_cache.hpp"

using namespace wva_metrics;

extern "C" {

__attribute__((visibility("default"))) int thread_number_of_object() {
    return detail::thread_number();
}
__attribute__((visibility("default"))) bool has_record(void* domain) {
    return static_cast<detail::EpochDomain*>(domain)->thread_record() != nullptr;
}
__attribute__((visibility("default"))) bool replaces_and_finds(void* cache) {
    auto& shared = *static_cast<ShardedCache*>(cache);
    const CacheKeyView key = optimizer_key("ns", "of the object");
    const TimePoint now{};
    const auto entry = std::make_shared<const CacheEntry>(Availability{}, now, now, now);
    shared.insert_or_assign(key, entry);
    bool is_found = false;
    shared.visit(key, now, [&](const CacheEntry& visited) { is_found = &visited == entry.get(); });
    return is_found && shared.find(key, now) == entry;
}

} // extern "C"
