// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

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
class AsymmetricFence {
public:
    AsymmetricFence() noexcept : has_membarrier_(register_process()) {}

    /// The reader's half.
    void light() const noexcept {
        if (has_membarrier_)
            std::atomic_signal_fence(std::memory_order_seq_cst);
        else
            std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    /// The writer's half. Returns false if the kernel refused; then nothing is guaranteed.
    [[nodiscard]] bool heavy() const noexcept {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        return !has_membarrier_ || run_barrier();
    }

private:
#if defined(__linux__) && __has_include(<linux/membarrier.h>)
    static bool register_process() noexcept {
        return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
    }
    static bool run_barrier() noexcept {
        return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
    }
#else
    static bool register_process() noexcept {
        return false;
    }
    static bool run_barrier() noexcept {
        return true;
    }
#endif

    bool has_membarrier_;
};

} // namespace wva_metrics::detail
