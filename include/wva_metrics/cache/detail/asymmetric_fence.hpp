// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/config.hpp>

#include <atomic>
#include <chrono>

#if defined(__linux__) && __has_include(<linux/membarrier.h>)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace wva_metrics::detail {

/// A fence in two halves: a light one that costs the many readers nothing, and a heavy one that
/// costs the rare writer a system call. The call is `membarrier` (Linux 4.14), which makes every
/// running thread of the process execute a full fence; liburcu and folly use the same technique.
///
/// The two halves give the guarantee of a pair of `seq_cst` fences: if each thread stores before
/// its fence and loads after it, at least one of them sees the other's store.
///
/// If the kernel has no such call, both halves are real fences; a reader then pays some
/// nanoseconds.
///
/// If the kernel refuses the call later (a seccomp filter was installed), the fence switches to real
/// fences for good. What about a reader that took the light half just before? It stores, then loads
/// the mode, in this order:
///
/// 1. If it loads the new mode, it executes a real fence.
/// 2. If it loads the old one, its store was executed before the switch became visible. Stores become
///    visible "within a reasonable amount of time" ([atomics.order]); on a processor that is the time
///    to drain a store buffer, far less than a microsecond. A thread that is interrupted between the
///    two does not matter: the kernel executes a full fence when it switches threads, and the load
///    comes after it, so 1 applies.
///
/// So from `settle_time` after the switch on, every light half of the old mode is visible, and the
/// heavy half, now a real fence, gives the guarantee again. Until then it returns false.
class AsymmetricFence {
public:
    /// Makes every running thread of the process execute a full fence. False if the kernel refuses.
    using Barrier = bool (*)() noexcept;
    using Clock = std::chrono::steady_clock;
    using Now = Clock::time_point (*)();

    /// More than a hundred thousand times what a store takes to become visible.
    static constexpr std::chrono::milliseconds settle_time{100};

    AsymmetricFence() noexcept : AsymmetricFence(register_process() ? &run_barrier : nullptr) {}
    /// With a barrier of a test's own; null if there is none.
    explicit AsymmetricFence(Barrier barrier, Now now = &read_clock) noexcept
        : barrier_(barrier), now_(now), has_barrier_(barrier != nullptr),
          settled_at_(barrier != nullptr ? Clock::time_point::max() : Clock::time_point::min()) {}

    /// The reader's half.
    BOOST_FORCEINLINE void light() const noexcept {
        // The compiler, too, must load the mode after the reader's store.
        std::atomic_signal_fence(std::memory_order_seq_cst);
        if (!has_barrier_.load(std::memory_order_relaxed))
            std::atomic_thread_fence(std::memory_order_seq_cst);
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    /// The writer's half. If it returns false, nothing is guaranteed; a later call succeeds.
    [[nodiscard]] bool heavy() noexcept {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (has_barrier_.load(std::memory_order_relaxed)) {
            if (barrier_())
                return true;
            has_barrier_.store(false, std::memory_order_seq_cst);
            settled_at_.store(now_() + settle_time, std::memory_order_relaxed);
        }
        const Clock::time_point settled_at = settled_at_.load(std::memory_order_relaxed);
        return settled_at == Clock::time_point::min() || now_() >= settled_at;
    }

private:
    static Clock::time_point read_clock() { return Clock::now(); }
#if defined(__linux__) && __has_include(<linux/membarrier.h>)
    static bool register_process() noexcept {
        return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
    }
    static bool run_barrier() noexcept {
        const auto run = [] {
            return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
        };
        // A process that was forked may have to register again.
        return run() || (register_process() && run());
    }
#else
    static bool register_process() noexcept {
        return false;
    }
    static bool run_barrier() noexcept {
        return true;
    }
#endif

    const Barrier barrier_;
    const Now now_;
    /// False for good after the first refusal.
    std::atomic<bool> has_barrier_;
    /// The end of the settle time. Two writers may switch at once; the later time is as good.
    std::atomic<Clock::time_point> settled_at_;
};

} // namespace wva_metrics::detail
