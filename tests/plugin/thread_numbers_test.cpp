// SPDX-License-Identifier: Apache-2.0
//
// Two copies of the library in one process, each with thread numbers of its own.
#include "wva_metrics/cache/sharded_cache.hpp"

#include <catch2/catch_all.hpp>
#include <dlfcn.h>

#include <memory>

#include <string>
#include <thread>

using namespace wva_metrics;

namespace {

/// The shared object that hides its symbols. It stays loaded.
class OwnNumbers {
public:
    template <typename Function>
    Function* function(const char* name) const {
        REQUIRE(object_ != nullptr);
        void* const symbol = dlsym(object_, name);
        REQUIRE(symbol != nullptr);
        return reinterpret_cast<Function*>(symbol);
    }

private:
    void* object_ = dlopen((std::string(WVA_METRICS_PLUGIN_DIRECTORY) + "/own_numbers.so").c_str(),
                           RTLD_NOW | RTLD_LOCAL);
};

} // namespace

TEST_CASE("a thread that two copies of the library number alike shares no record with another") {
    const OwnNumbers object;
    detail::EpochDomain domain;
    const int here = detail::thread_number();
    REQUIRE(domain.thread_record() != nullptr);
    // The first thread that the object numbers has the number of this one.
    std::thread([&] {
        CHECK(object.function<int()>("thread_number_of_object")() == here);
        CHECK_FALSE(object.function<bool(void*)>("has_record")(&domain));
        CHECK(domain.thread_record() != nullptr); // It has one by the program's own numbers.
    }).join();
}

TEST_CASE("a cache works for code with other thread numbers, beside a visitor of the same number") {
    const OwnNumbers object;
    ShardedCache cache;
    const TimePoint now{};
    const CacheKeyView key = optimizer_key("ns", "visited");
    cache.insert_or_assign(key, std::make_shared<const CacheEntry>(Availability{}, now, now, now));
    bool works = false;
    CHECK(cache.visit(key, now, [&](const CacheEntry& entry) {
        std::thread([&] {
            works = true;
            for (int i = 0; i < 100; ++i)
                works = works && object.function<bool(void*)>("replaces_and_finds")(&cache);
        }).join();
        cache.clear();
        CHECK(entry.collected_at() == now);
    }));
    CHECK(works);
    const CacheStats stats = cache.stats();
    CHECK(stats.hits == 201);
    CHECK(stats.insertions == 101);
}
