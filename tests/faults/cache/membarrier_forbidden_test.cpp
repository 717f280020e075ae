// SPDX-License-Identifier: Apache-2.0
//
// A program forbids itself the system call `membarrier` while a cache is in use, or before there is one.
#if defined(__linux__) && __has_include(<linux/seccomp.h>) && __has_include(<linux/membarrier.h>)

#include "support/counted_entry.hpp"
#include "support/in_child.hpp"

#include <catch2/catch_all.hpp>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

using namespace wva_metrics;
using test_support::any_time;
using test_support::CountedCache;
using test_support::CountedEntry;
using test_support::in_child;

namespace {

constexpr int is_skipped = 77;

bool forbid_membarrier() {
    const auto system_call = static_cast<unsigned>(offsetof(seccomp_data, nr));
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, system_call),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{static_cast<unsigned short>(std::size(rules)), rules};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

} // namespace

TEST_CASE("entries are freed also if membarrier is forbidden before or after the cache was made") {
    const bool is_forbidden_before = GENERATE(false, true);
    const bool by_cell = GENERATE(false, true);
    CAPTURE(is_forbidden_before, by_cell);
    const int result = in_child([&] {
        const auto is_forbidden = [] {
            return syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) == -1;
        };
        if (is_forbidden_before) {
            if (!forbid_membarrier())
                return is_skipped;
            if (!is_forbidden())
                return 1;
        }
        std::atomic<int> living{0};
        CountedCache cache({100, 250'000}, 1);
        std::vector<std::shared_ptr<CountedCache::Cell>> cells(100);
        std::size_t replaced = 0;
        int unseen = 0;
        const auto replace = [&] {
            const std::size_t number = ++replaced % 100;
            const std::string name = std::to_string(number);
            const CacheKeyView key{EntryKind::replica, "ns", name};
            cache.insert_or_assign(key, std::make_shared<const CountedEntry>(living, replaced));
            const auto read = [&](const CountedEntry& entry) {
                unseen -= entry.is_intact() && entry.version() == replaced;
            };
            ++unseen;
            if (!by_cell) {
                cache.visit(key, any_time, read);
                return;
            }
            std::shared_ptr<CountedCache::Cell>& cell = cells[number];
            if (cell == nullptr)
                cell = cache.cell(key);
            cache.visit(*cell, any_time, read);
        };
        for (int i = 0; i < 1000; ++i)
            replace();
        if (living > 200)
            return 2;
        if (!is_forbidden_before) {
            if (!forbid_membarrier())
                return is_skipped;
            if (!is_forbidden())
                return 3;
            // Until the switch has settled, retired entries are kept, but only within the bound.
            const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
            const auto settled =
                std::chrono::steady_clock::now() + 2 * detail::AsymmetricFence::settle_time;
            while (std::chrono::steady_clock::now() < settled) {
                replace();
                if (living > 5000)
                    return 4;
            }
            while (living > 200 && std::chrono::steady_clock::now() < end)
                replace();
        }
        for (int i = 0; i < 1000; ++i)
            replace();
        if (living > 200 || cache.size() != 100)
            return 5;
        // While retired entries take more than the bound, none is kept.
        if (unseen != 0 && is_forbidden_before)
            return 6;
        cells.clear();
        cache.clear();
        cache.erase_expired(any_time);
        return living == 0 && cache.stats().bytes == 0 ? 0 : 7;
    });
    if (result == is_skipped)
        SKIP("no seccomp filter can be installed here");
    CHECK(result == 0);
}

#endif
