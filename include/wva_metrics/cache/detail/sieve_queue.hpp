// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace wva_metrics::detail {

/// Nodes in the order of their insertion, and which of them is to go when there is no room: SIEVE
/// (Zhang et al., NSDI 2024). A hand goes from the oldest to the newest, takes the mark from those
/// that were visited since it last came by, and stops at the first that was not. So a hit moves
/// nothing, and what is asked for once leaves soon.
///
/// For one writer at a time; `Node` has `newer`, `older`, `visited()` and `clear_visited()`.
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

    /// Puts another node into the place of one.
    void replace(Node& node, Node& by) noexcept {
        by.newer = node.newer;
        by.older = node.older;
        (by.newer ? by.newer->older : newest_) = &by;
        (by.older ? by.older->newer : oldest_) = &by;
        for (Node** pointer : {&hand_, &sweeper_})
            if (*pointer == &node)
                *pointer = &by;
    }

    /// The node to evict, other than `keep`; null where there is no other. One that is no longer
    /// alive goes whether it was visited or not.
    ///
    /// The hand goes round once at most, even where readers mark again faster than it comes by.
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
        hand_ = node == keep ? next(node) : node; // To be removed, which moves the hand on.
        return hand_;
    }

    /// One node after the other, again from the oldest after the newest; null where there is none.
    Node* sweep() noexcept {
        Node* const node = sweeper_ ? sweeper_ : oldest_;
        sweeper_ = node ? node->newer : nullptr;
        return node;
    }

    Node* oldest() const noexcept { return oldest_; }

private:
    static void step_over(Node*& pointer, const Node& node) noexcept {
        if (pointer == &node)
            pointer = node.newer;
    }

    Node* newest_ = nullptr;
    Node* oldest_ = nullptr;
    /// Null: at the oldest.
    Node* hand_ = nullptr;
    Node* sweeper_ = nullptr;
};

} // namespace wva_metrics::detail
