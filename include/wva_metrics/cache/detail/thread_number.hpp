// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/config.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#if __has_include(<pthread.h>)
#include <pthread.h>
#endif

namespace wva_metrics::detail {

/// The most threads that can have a number at the same time.
inline constexpr int max_thread_numbers = 128;

/// What `thread_number` returns to a thread if all numbers are taken.
inline constexpr int no_thread_number = -1;

/// The numbers, one bit each.
class ThreadNumbers {
public:
    /// Takes the lowest free number, so that the numbers in use stay close together.
    int take() noexcept {
        for (int word = 0; word < words; ++word) {
            std::uint64_t seen = taken_[word].load(std::memory_order_relaxed);
            while (~seen != 0) {
                const int bit = std::countr_one(seen);
                // Acquire: come after everything that the number's last owner did.
                if (taken_[word].compare_exchange_weak(seen, seen | std::uint64_t{1} << bit,
                                                       std::memory_order_acquire,
                                                       std::memory_order_relaxed))
                    return word * bits + bit;
            }
        }
        return no_thread_number;
    }
    void release(int number) noexcept {
        taken_[number / bits].fetch_and(~(std::uint64_t{1} << number % bits),
                                        std::memory_order_release);
    }

    /// To be called in a process that was forked, by its only thread: the other numbers are lost.
    void lose_all_but(int own) noexcept {
        for (int word = 0; word < words; ++word) {
            std::uint64_t others = taken_[word].load(std::memory_order_relaxed);
            if (own >= 0 && own / bits == word)
                others &= ~(std::uint64_t{1} << own % bits);
            lost_[word].fetch_or(others, std::memory_order_relaxed);
        }
    }
    /// The number belongs to a thread of the process that this one was forked from. It is not taken
    /// again, because nobody knows what that thread was doing.
    bool is_lost(int number) const noexcept {
        return (lost_[number / bits].load(std::memory_order_relaxed) >> number % bits & 1) != 0;
    }

private:
    static constexpr int bits = 64;
    static constexpr int words = max_thread_numbers / bits;
    std::atomic<std::uint64_t> taken_[words]{};
    std::atomic<std::uint64_t> lost_[words]{};
};

/// Those of the whole program. But a shared object that hides its symbols has numbers of its own.
inline constinit ThreadNumbers thread_numbers;

/// `thread_number_unassigned`, a number, or `no_thread_number`. Separate from the owner that
/// releases the number, and constant-initialized, so that reading it is one instruction and not a
/// call.
inline constexpr int thread_number_unassigned = -2;
inline constinit thread_local int this_thread_number = thread_number_unassigned;

inline void lose_numbers_of_other_threads() noexcept {
    thread_numbers.lose_all_but(this_thread_number);
}

/// Takes a number for this thread, and releases it when the thread ends.
BOOST_NOINLINE inline int take_thread_number() noexcept {
#if __has_include(<pthread.h>)
    static const int watches_forks =
        pthread_atfork(nullptr, nullptr, &lose_numbers_of_other_threads);
    static_cast<void>(watches_forks); // If it fails, a process that is forked may keep memory.
#endif
    struct Owner {
        int number = thread_numbers.take();
        ~Owner() {
            // Destructors of this thread that run after this one get no number.
            this_thread_number = no_thread_number;
            if (number != no_thread_number)
                thread_numbers.release(number);
        }
    };
    thread_local const Owner owner;
    return this_thread_number = owner.number;
}

/// A small number that no other thread has while this one lives, or `no_thread_number`.
BOOST_FORCEINLINE int thread_number() noexcept {
    const int number = this_thread_number;
    if (number != thread_number_unassigned) [[likely]]
        return number;
    return take_thread_number();
}

} // namespace wva_metrics::detail
