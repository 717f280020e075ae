// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#if defined(__linux__) && __has_include(<linux/membarrier.h>)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace wva_metrics::detail {

/// A fence in two halves: one that costs many readers nothing, and one that costs a rare writer a
/// system call, which makes every running thread of the process pass a full fence (`membarrier`,
/// Linux 4.14; the technique is that of liburcu and folly). Between the two the usual guarantee of
/// a pair of `seq_cst` fences holds: of a store before one and a load after the other, at least one
/// thread sees what the other has stored.
///
/// Where the kernel has no such call, both halves are real fences; a reader then pays some
/// nanoseconds.
class AsymmetricFence {
public:
    AsymmetricFence() noexcept : kernel_helps_(register_process()) {}

    /// The reader's half.
    void light() const noexcept {
        if (kernel_helps_)
            std::atomic_signal_fence(std::memory_order_seq_cst);
        else
            std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    /// The writer's half. False where the kernel refused; then nothing is guaranteed.
    [[nodiscard]] bool heavy() const noexcept {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        return !kernel_helps_ || run_barrier();
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

    bool kernel_helps_;
};

} // namespace wva_metrics::detail
