// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/detail/epoch_domain.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Tables and other large objects that were unlinked but that readers may still search.
class RetiredObjects {
public:
    /// Makes room, so that the next `add` cannot fail. Throws `std::bad_alloc`.
    void reserve() {
        if (objects_.size() == objects_.capacity())
            objects_.reserve(std::max<std::size_t>(4, 2 * objects_.capacity()));
    }
    /// Takes an object; `T` may be an array. Call `reserve` before.
    template <typename T>
    void add(std::unique_ptr<T> owned) noexcept {
        using Pointer = typename std::unique_ptr<T>::pointer;
        objects_.push_back(Object(owned.release(), [](void* object) {
            std::unique_ptr<T>(static_cast<Pointer>(object)).reset();
        }));
    }
    /// Takes over the objects of another list. Throws `std::bad_alloc`; then nothing has changed.
    void take(RetiredObjects& from) {
        objects_.insert(objects_.end(), std::move_iterator(from.objects_.begin()),
                        std::move_iterator(from.objects_.end()));
        from.objects_.clear();
    }
    bool empty() const noexcept { return objects_.empty(); }

private:
    using Object = std::unique_ptr<void, void (*)(void*)>;
    std::vector<Object> objects_;
};

/// Unlinked nodes and objects, which it owns. The nodes are chained by their own `older` links, so
/// adding nodes cannot fail.
///
/// `Node` has `older` and `bytes()`.
template <typename Node>
class RetiredBatch {
public:
    RetiredBatch() = default;
    RetiredBatch(const RetiredBatch&) = delete;
    RetiredBatch& operator=(const RetiredBatch&) = delete;
    ~RetiredBatch() {
        while (first_ != nullptr)
            delete std::exchange(first_, first_->older);
    }

    /// Number of nodes.
    std::size_t nodes() const noexcept { return nodes_; }
    /// Memory of the nodes.
    std::size_t bytes() const noexcept { return bytes_; }
    RetiredObjects& objects() noexcept { return objects_; }
    bool empty() const noexcept { return nodes_ == 0 && objects_.empty(); }
    bool has_objects() const noexcept { return !objects_.empty(); }

    void add(Node& node) noexcept { add_chain(node, node, 1, node.bytes()); }
    /// Adds nodes that are already linked, from `first` by `older` to `last`.
    void add_chain(Node& first, Node& last, std::size_t nodes, std::size_t bytes) noexcept {
        last.older = first_;
        if (first_ == nullptr)
            last_ = &last;
        first_ = &first;
        nodes_ += nodes;
        bytes_ += bytes;
    }
    void swap(RetiredBatch& other) noexcept {
        std::swap(first_, other.first_);
        std::swap(last_, other.last_);
        std::swap(nodes_, other.nodes_);
        std::swap(bytes_, other.bytes_);
        std::swap(objects_, other.objects_);
    }
    /// Takes over another batch. Throws `std::bad_alloc`; then nothing has changed.
    void take(RetiredBatch& from) {
        objects_.take(from.objects_);
        take_nodes(from);
    }
    /// Takes over the nodes of another batch.
    void take_nodes(RetiredBatch& from) noexcept {
        if (from.first_ == nullptr)
            return;
        add_chain(*from.first_, *from.last_, from.nodes_, from.bytes_);
        from.first_ = from.last_ = nullptr;
        from.nodes_ = from.bytes_ = 0;
    }
    /// Destroys everything but the visited nodes.
    void destroy_all_but(const VisitedNodes& visited) noexcept {
        RetiredBatch destroyed;
        destroyed.swap(*this);
        while (Node* const node = destroyed.first_) {
            destroyed.first_ = node->older;
            if (visited.contains(node))
                add(*node);
            else
                delete node;
        }
    }

private:
    Node* first_ = nullptr;
    Node* last_ = nullptr;
    std::size_t nodes_ = 0;
    std::size_t bytes_ = 0;
    RetiredObjects objects_;
};

/// Keeps what was unlinked from a structure until no reader can hold it any more.
///
/// **Threads:** one writer at a time.
template <typename Node>
class RetireList {
public:
    using Batch = RetiredBatch<Node>;

    /// What was unlinked since `reclaim` last scanned the readers: add to it.
    Batch& added() noexcept { return added_; }
    const Batch& added() const noexcept { return added_; }
    /// Memory of the nodes that a search may still find.
    std::size_t bytes() const noexcept { return added_.bytes() + waiting_.bytes(); }

    /// To reclaim costs a system call, so it is done for several nodes at a time: for so many, or for
    /// nodes of so much memory. Large objects do not wait for others.
    bool is_due(std::size_t nodes, std::size_t bytes) const noexcept {
        constexpr std::size_t few = 16;
        return added_.has_objects() || added_.nodes() >= few + nodes || added_.bytes() >= bytes;
    }
    /// True if the nodes that a search may still find take more than this, and more than a little.
    bool exceeds(std::size_t bytes) const noexcept {
        constexpr std::size_t little = std::size_t{64} << 10;
        return this->bytes() > std::max(bytes, little);
    }

    /// Destroys what no reader can hold any more. Never waits for a reader. Destroys without the
    /// lock, because destructors may take long or call the cache; whether `lock` is held afterwards
    /// is not specified. If memory runs out, the rest stays for the next call.
    void reclaim(EpochDomain& domain, std::unique_lock<std::mutex>& lock) noexcept {
        Batch reclaimed;
        try {
            take_reclaimable(domain, reclaimed);
        } catch (const std::bad_alloc&) {
        }
        if (reclaimed.empty())
            return;
        VisitedNodes visited;
        visited.read(domain);
        lock.unlock();
        reclaimed.destroy_all_but(visited);
        if (reclaimed.empty())
            return;
        lock.lock();
        visited_.take_nodes(reclaimed);
    }

private:
    struct Reader {
        const EpochDomain::ThreadRecord* record;
        std::uint64_t epoch;
        bool has_left() const noexcept {
            return record->epoch.load(std::memory_order_acquire) != epoch;
        }
    };

    /// Moves what no search can find any more into `reclaimed`.
    void take_reclaimable(EpochDomain& domain, Batch& reclaimed) {
        reclaimed.swap(visited_);
        std::erase_if(readers_, [&](const Reader& reader) {
            return reader.has_left() || domain.is_lost(*reader.record);
        });
        if (!readers_.empty())
            return;
        reclaimed.take(waiting_);
        if (added_.empty() || !domain.fence())
            return;
        readers_.reserve(max_thread_numbers);
        for (const EpochDomain::ThreadRecord& record : domain.records()) {
            const std::uint64_t epoch = record.epoch.load(std::memory_order_acquire);
            if (epoch % 2 != 0 && !domain.is_lost(record))
                readers_.push_back({&record, epoch});
        }
        waiting_.swap(added_);
        if (readers_.empty())
            reclaimed.take(waiting_);
    }

    Batch added_;
    /// Unlinked before the last scan of the records.
    Batch waiting_;
    /// Reclaimed, but they were being visited.
    Batch visited_;
    /// The threads that were searching at that scan and have not left since.
    std::vector<Reader> readers_;
};

} // namespace wva_metrics::detail
