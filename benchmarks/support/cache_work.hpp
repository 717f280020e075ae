// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wva_metrics/cache/cache_key.hpp>
#include <wva_metrics/collector/detail/coarse_clock.hpp>
#include <wva_metrics/reading.hpp>

#include "support/measurement.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// The work that all compared caches do.
namespace bench {

using wva_metrics::CacheKeyView;
using wva_metrics::Duration;
using wva_metrics::TimePoint;

/// A value of 96 bytes, and its expiry times.
struct Entry {
    TimePoint fresh_until_{};
    TimePoint keep_until_{};
    std::array<std::uint64_t, 12> value{};

    bool is_fresh(TimePoint now) const noexcept { return now <= fresh_until_; }
    bool is_expired(TimePoint now) const noexcept { return now > keep_until_; }
    TimePoint keep_until() const noexcept { return keep_until_; }
    std::size_t bytes() const noexcept { return sizeof(Entry); }
};
using EntryPtr = std::shared_ptr<const Entry>;

inline Entry make_entry(std::uint64_t number, Duration keep = std::chrono::hours(1)) {
    const TimePoint now = std::chrono::steady_clock::now();
    Entry entry;
    entry.fresh_until_ = entry.keep_until_ = now + keep;
    entry.value[0] = number;
    return entry;
}
inline EntryPtr make_shared_entry(std::uint64_t number, Duration keep = std::chrono::hours(1)) {
    return std::make_shared<const Entry>(make_entry(number, keep));
}

/// The clock that every cache reads for each look-up.
inline TimePoint now() noexcept {
    return wva_metrics::detail::coarse_now<std::chrono::steady_clock>();
}

/// Keys of 36 bytes as text, `replica:ns-042/llama-3-70b-va-001234`, in a hundred namespaces. They
/// are contiguous in memory, so that the caches are measured and not the callers' storage of keys.
class Keys {
public:
    explicit Keys(std::size_t count) : texts_(count * stride) {
        for (std::size_t i = 0; i < count; ++i)
            std::snprintf(&texts_[i * stride], stride, "replica:ns-%03zu/llama-3-70b-va-%06zu",
                          i % namespaces, i % 1'000'000);
    }

    static constexpr std::size_t namespaces = 100;

    std::size_t size() const noexcept { return texts_.size() / stride; }
    std::string_view text(std::size_t number) const noexcept {
        return {&texts_[number * stride], stride - 1};
    }
    /// The same key in parts.
    CacheKeyView parts(std::size_t number) const noexcept {
        const char* const text = &texts_[number * stride];
        return {wva_metrics::EntryKind::replica, {text + 8, 6}, {text + 15, stride - 1 - 15}};
    }

private:
    static constexpr std::size_t stride = 37; // Including the terminating zero of snprintf.

    std::vector<char> texts_;
};

/// Numbers of keys in a random order that is the same in every run.
inline std::vector<std::uint32_t> random_order(std::size_t keys, std::size_t length) {
    std::mt19937 random(42);
    std::uniform_int_distribution<std::uint32_t> any(0, static_cast<std::uint32_t>(keys - 1));
    std::vector<std::uint32_t> order(length);
    for (std::uint32_t& number : order)
        number = any(random);
    return order;
}

/// Runs `operation(number)`, which returns a checksum, `per_thread` times on each of several
/// threads, over the same order from different starting points. Returns millions of operations per
/// second. `wanted(number)` is the expected result of an operation.
template <typename Operation>
double mops(int threads, std::size_t per_thread, const std::vector<std::uint32_t>& order,
            const Operation& operation) {
    std::atomic<int> ready{0};
    std::atomic<bool> go{false};
    std::atomic<std::uint64_t> wrong{0};
    std::vector<std::thread> crew;
    for (int thread = 0; thread < threads; ++thread)
        crew.emplace_back([&, thread] {
            std::size_t place =
                order.size() / static_cast<std::size_t>(threads) * static_cast<std::size_t>(thread);
            std::uint64_t sum = 0;
            std::uint64_t wanted = 0;
            ++ready;
            while (!go)
                std::this_thread::yield();
            for (std::size_t i = 0; i < per_thread; ++i) {
                const std::uint32_t number = order[place];
                wanted += number;
                sum += operation(number, i);
                if (++place == order.size())
                    place = 0;
            }
            if (sum != wanted)
                ++wrong;
        });
    while (ready < threads)
        std::this_thread::yield();
    const double begin = seconds_now();
    go = true;
    for (std::thread& thread : crew)
        thread.join();
    const double seconds = seconds_now() - begin;
    require(wrong == 0, "a look-up returned another value than the stored one");
    return static_cast<double>(per_thread) * threads / seconds / 1e6;
}

} // namespace bench
