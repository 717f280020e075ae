// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace wva_metrics::detail {

/// Nodes in the order of their insertion, and the choice of the node to evict: SIEVE (Zhang et al.,
/// NSDI 2024). A hand moves from the oldest node to the newest, clears the mark of the nodes that
/// were visited since its last round, and stops at the first node that was not. So a hit moves no
/// node, and a key that is requested only once leaves soon.
///
/// `Node` has `newer`, `older`, `visited()` and `clear_visited()`.
///
/// **Threads:** one writer at a time; readers may mark nodes as visited meanwhile.
template <typename Node>
class SieveQueue {
public:
    void push(Node& node) noexcept {
        node.newer = nullptr;
        node.older = newest_;
        (newest_ ? newest_->newer : oldest_) = &node;
        newest_ = &node;
    }

    void remove(Node& node) noexcept {
        step_over(hand_, node);
        step_over(sweeper_, node);
        (node.newer ? node.newer->older : newest_) = node.older;
        (node.older ? node.older->newer : oldest_) = node.newer;
    }

    /// Puts the node `by` into the position of `node`.
    void replace(Node& node, Node& by) noexcept {
        by.newer = node.newer;
        by.older = node.older;
        (by.newer ? by.newer->older : newest_) = &by;
        (by.older ? by.older->newer : oldest_) = &by;
        for (Node** pointer : {&hand_, &sweeper_})
            if (*pointer == &node)
                *pointer = &by;
    }

    /// The node to evict, never `keep`; null if there is no other. A node that is not live is
    /// chosen even if it was visited.
    ///
    /// The hand makes at most one round, even if readers mark the nodes again faster than it moves.
    template <typename IsLive>
    Node* victim(const Node* keep, const IsLive& is_live) noexcept {
        if (oldest_ == nullptr || (oldest_ == keep && newest_ == keep))
            return nullptr;
        const auto next = [this](Node* node) { return node->newer ? node->newer : oldest_; };
        Node* const start = hand_ ? hand_ : oldest_;
        Node* node = start;
        do {
            if (node != keep) {
                if (!node->visited() || !is_live(*node))
                    break;
                node->clear_visited();
            }
            node = next(node);
        } while (node != start);
        hand_ = node == keep ? next(node) : node; // The caller removes it, which moves the hand on.
        return hand_;
    }

    /// Returns one node after another, and starts over at the oldest after the newest; null if
    /// there is none.
    Node* sweep() noexcept {
        Node* const node = sweeper_ ? sweeper_ : oldest_;
        sweeper_ = node ? node->newer : nullptr;
        return node;
    }

    Node* oldest() const noexcept { return oldest_; }
    Node* newest() const noexcept { return newest_; }

private:
    static void step_over(Node*& pointer, const Node& node) noexcept {
        if (pointer == &node)
            pointer = node.newer;
    }

    Node* newest_ = nullptr;
    Node* oldest_ = nullptr;
    /// Null means the oldest node.
    Node* hand_ = nullptr;
    Node* sweeper_ = nullptr;
};

} // namespace wva_metrics::detail
