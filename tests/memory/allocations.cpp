// SPDX-License-Identifier: Apache-2.0
//
// The operators new and delete of the whole program, which count.
#include "memory/allocations.hpp"

#include <boost/config.hpp>
#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace {

void* allocate(std::size_t size, std::size_t alignment) {
    wva_metrics::test_support::Allocations& own = wva_metrics::test_support::allocations;
    ++own.count;
    const bool is_spared = std::exchange(own.last_size, size) == own.spared_after;
    if (own.allowed == 0 && own.failing != 0 && !is_spared) {
        if (own.failing > 0)
            --own.failing;
        ++own.failed;
        throw std::bad_alloc();
    }
    if (own.allowed > 0)
        --own.allowed;
    size = (size + alignment - 1) / alignment * alignment;
    void* const memory = std::aligned_alloc(alignment, size == 0 ? alignment : size);
    if (memory == nullptr)
        throw std::bad_alloc();
    own.bytes += static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
    own.peak = std::max(own.peak, own.bytes);
    return memory;
}

void release(void* memory) noexcept {
    if (memory != nullptr)
        wva_metrics::test_support::allocations.bytes -=
            static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
    std::free(memory);
}

} // namespace

// Also for `std::nothrow`, because that of AddressSanitizer does not match the `delete` here.
// Not inline, because GCC would warn that memory of `new` is passed to `free`.
BOOST_NOINLINE void* operator new(std::size_t size) {
    return allocate(size, alignof(std::max_align_t));
}
BOOST_NOINLINE void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
BOOST_NOINLINE void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return operator new(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
BOOST_NOINLINE void operator delete(void* memory) noexcept {
    release(memory);
}
BOOST_NOINLINE void operator delete(void* memory, const std::nothrow_t&) noexcept {
    release(memory);
}
BOOST_NOINLINE void operator delete(void* memory, std::size_t) noexcept {
    release(memory);
}
BOOST_NOINLINE void operator delete(void* memory, std::align_val_t) noexcept {
    release(memory);
}
BOOST_NOINLINE void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    release(memory);
}
