// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace wva_metrics::detail {

/// How many threads can have a number at the same time.
inline constexpr int max_thread_numbers = 128;

/// What `thread_number` gives to a thread that has come too late for a number of its own.
inline constexpr int no_thread_number = -1;

/// The numbers that are taken, a bit each.
struct ThreadNumbers {
    static constexpr int bits = 64;
    inline static std::atomic<std::uint64_t> taken[max_thread_numbers / bits]{};

    /// The lowest free number, so that whoever goes over all of them has few to go over.
    static int take() noexcept {
        for (int word = 0; word < max_thread_numbers / bits; ++word) {
            std::uint64_t seen = taken[word].load(std::memory_order_relaxed);
            while (~seen != 0) {
                const int bit = std::countr_one(seen);
                // Acquires what the number's last owner did under it.
                if (taken[word].compare_exchange_weak(seen, seen | std::uint64_t{1} << bit,
                                                      std::memory_order_acquire,
                                                      std::memory_order_relaxed))
                    return word * bits + bit;
            }
        }
        return no_thread_number;
    }
    static void give_back(int number) noexcept {
        taken[number / bits].fetch_and(~(std::uint64_t{1} << number % bits),
                                       std::memory_order_release);
    }
};

/// `unasked`, a number, or `no_thread_number`. Apart from what gives it back, and a constant at
/// first, so that reading it is one instruction and not a call.
inline constexpr int thread_number_unasked = -2;
inline constinit thread_local int this_thread_number = thread_number_unasked;

/// Takes a number for this thread, and gives it back when the thread ends.
inline int take_thread_number() noexcept {
    struct Owner {
        int number = ThreadNumbers::take();
        ~Owner() {
            // Whoever asks later, from another destructor of this thread's, has to do without.
            this_thread_number = no_thread_number;
            if (number != no_thread_number)
                ThreadNumbers::give_back(number);
        }
    };
    thread_local const Owner owner;
    return this_thread_number = owner.number;
}

/// A small number that no other thread has while this one lives, or `no_thread_number`.
///
/// The numbers are one set for the whole program. (A shared object that hides its symbols has a set
/// of its own: its threads must not use a cache that the program's threads use.)
inline int thread_number() noexcept {
    const int number = this_thread_number;
    return number != thread_number_unasked ? number : take_thread_number();
}

} // namespace wva_metrics::detail
