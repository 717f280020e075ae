// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace wva_metrics::detail {

/// The most threads that can have a number at the same time.
inline constexpr int max_thread_numbers = 128;

/// What `thread_number` returns to a thread if all numbers are taken.
inline constexpr int no_thread_number = -1;

/// The numbers that are taken, one bit each.
struct ThreadNumbers {
    static constexpr int bits = 64;
    inline static std::atomic<std::uint64_t> taken[max_thread_numbers / bits]{};

    /// Takes the lowest free number, so that the numbers in use stay close together.
    static int take() noexcept {
        for (int word = 0; word < max_thread_numbers / bits; ++word) {
            std::uint64_t seen = taken[word].load(std::memory_order_relaxed);
            while (~seen != 0) {
                const int bit = std::countr_one(seen);
                // Acquire: come after everything that the number's last owner did.
                if (taken[word].compare_exchange_weak(seen, seen | std::uint64_t{1} << bit,
                                                      std::memory_order_acquire,
                                                      std::memory_order_relaxed))
                    return word * bits + bit;
            }
        }
        return no_thread_number;
    }
    static void release(int number) noexcept {
        taken[number / bits].fetch_and(~(std::uint64_t{1} << number % bits),
                                       std::memory_order_release);
    }
};

/// `thread_number_unassigned`, a number, or `no_thread_number`. Separate from the owner that
/// releases the number, and constant-initialized, so that reading it is one instruction and not a
/// call.
inline constexpr int thread_number_unassigned = -2;
inline constinit thread_local int this_thread_number = thread_number_unassigned;

/// Takes a number for this thread, and releases it when the thread ends.
inline int take_thread_number() noexcept {
    struct Owner {
        int number = ThreadNumbers::take();
        ~Owner() {
            // Destructors of this thread that run after this one get no number.
            this_thread_number = no_thread_number;
            if (number != no_thread_number)
                ThreadNumbers::release(number);
        }
    };
    thread_local const Owner owner;
    return this_thread_number = owner.number;
}

/// A small number that no other thread has while this one lives, or `no_thread_number`.
///
/// There is one set of numbers for the whole program. (A shared object that hides its symbols has a
/// set of its own: its threads must not use a cache that the program's threads use.)
inline int thread_number() noexcept {
    const int number = this_thread_number;
    return number != thread_number_unassigned ? number : take_thread_number();
}

} // namespace wva_metrics::detail
