// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/detail/sieve_queue.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

struct QueueNode {
    explicit QueueNode(int number) : name(number) {}

    QueueNode* newer = nullptr;
    QueueNode* older = nullptr;
    int name;
    bool live = true;

    bool visited() const { return visited_; }
    void clear_visited() { visited_ = marks_again; }
    void mark_visited() { visited_ = true; }

    bool marks_again = false;

private:
    bool visited_ = false;
};
using Queue = wva_metrics::detail::SieveQueue<QueueNode>;

bool is_live(const QueueNode& node) {
    return node.live;
}

std::vector<int> order(const Queue& queue) {
    std::vector<int> names;
    const QueueNode* older = nullptr;
    for (const QueueNode* node = queue.oldest(); node; node = node->newer) {
        REQUIRE(node->older == older);
        names.push_back(node->name);
        older = node;
    }
    return names;
}

/// SIEVE as in its paper, with an array for the queue.
class Model {
public:
    std::vector<int> names;

    void push(int name) { names.push_back(name); }
    void remove(int name) {
        const std::size_t place = find(name);
        names.erase(names.begin() + static_cast<std::ptrdiff_t>(place));
        for (std::optional<std::size_t>* pointer : {&hand, &sweeper})
            if (*pointer && **pointer > place)
                --**pointer;
        for (std::optional<std::size_t>* pointer : {&hand, &sweeper})
            if (*pointer && **pointer == names.size())
                pointer->reset();
    }
    void replace(int name, int by) { names[find(name)] = by; }

    template <typename Passes>
    std::optional<int> victim(std::optional<int> keep, const Passes& passes) {
        if (names.empty() || (names.size() == 1 && names[0] == keep))
            return std::nullopt;
        std::size_t place = hand.value_or(0);
        while (names[place] == keep || passes(names[place]))
            place = (place + 1) % names.size();
        hand = place;
        return names[place];
    }
    std::optional<int> sweep() {
        if (names.empty())
            return std::nullopt;
        const std::size_t place = sweeper.value_or(0);
        sweeper = place + 1;
        if (*sweeper == names.size())
            sweeper.reset();
        return names[place];
    }

private:
    std::size_t find(int name) const {
        return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) -
                                        names.begin());
    }

    std::optional<std::size_t> hand;
    std::optional<std::size_t> sweeper;
};

std::optional<int> name_of(const QueueNode* node) {
    return node ? std::optional(node->name) : std::nullopt;
}

} // namespace

TEST_CASE("the hand passes a visited node once, and continues from where it stopped") {
    std::vector<QueueNode> nodes;
    for (int name = 0; name < 9; ++name)
        nodes.emplace_back(name);
    Queue queue;
    for (std::size_t i = 0; i < 7; ++i)
        queue.push(nodes[i]);
    const auto insert = [&](std::size_t i) {
        QueueNode* const victim = queue.victim(nullptr, is_live);
        queue.remove(*victim);
        queue.push(nodes[i]);
        return victim->name;
    };
    for (const std::size_t visited : {0U, 1U, 3U, 6U})
        nodes[visited].mark_visited();
    CHECK(insert(7) == 2);
    CHECK_FALSE(nodes[0].visited());
    CHECK_FALSE(nodes[1].visited());
    CHECK(nodes[3].visited());
    nodes[1].mark_visited();
    CHECK(insert(8) == 4);
    CHECK(order(queue) == std::vector<int>{0, 1, 3, 5, 6, 7, 8});
    // The hand continues after the gap, and wraps from the newest to the oldest.
    CHECK(insert(2) == 5);
    CHECK(insert(4) == 7);
    CHECK(insert(5) == 8);
    CHECK(insert(7) == 2);
}

TEST_CASE("a queue behaves like a plain model") {
    std::mt19937 random(GENERATE(1U, 2U, 3U));
    const std::size_t most = GENERATE(1U, 3U, 20U);
    Queue queue;
    Model model;
    std::vector<std::unique_ptr<QueueNode>> nodes;
    int next_name = 0;
    const auto node_of = [&](int name) -> QueueNode& {
        return **std::find_if(nodes.begin(), nodes.end(),
                              [name](const auto& node) { return node->name == name; });
    };
    const auto add = [&]() -> QueueNode& {
        return *nodes.emplace_back(std::make_unique<QueueNode>(next_name++));
    };
    const auto forget = [&](QueueNode& node) {
        std::erase_if(nodes, [&](const auto& owned) { return owned.get() == &node; });
    };
    for (int i = 0; i < 5000; ++i) {
        QueueNode* const any =
            model.names.empty() ? nullptr : &node_of(model.names[random() % model.names.size()]);
        switch (random() % 8) {
        case 0:
        case 1:
            if (model.names.size() < most) {
                QueueNode& node = add();
                queue.push(node);
                model.push(node.name);
            }
            break;
        case 2:
            if (any) {
                queue.remove(*any);
                model.remove(any->name);
                forget(*any);
            }
            break;
        case 3:
            if (any) {
                QueueNode& node = add();
                queue.replace(*any, node);
                model.replace(any->name, node.name);
                forget(*any);
            }
            break;
        case 4:
            if (any)
                any->mark_visited();
            break;
        case 5:
            if (any)
                any->live = random() % 3 != 0;
            break;
        case 6: {
            REQUIRE(name_of(queue.sweep()) == model.sweep());
            break;
        }
        default: {
            const QueueNode* const keep = random() % 2 == 0 ? any : nullptr;
            // The model decides first, on a copy of the marks.
            std::vector<int> visited;
            for (const auto& node : nodes)
                if (node->visited() && node->live)
                    visited.push_back(node->name);
            const auto expected = model.victim(
                name_of(keep), [&](int name) { return std::erase(visited, name) > 0; });
            QueueNode* const victim = queue.victim(keep, is_live);
            REQUIRE(name_of(victim) == expected);
            for (const auto& node : nodes)
                if (node->live)
                    REQUIRE(node->visited() ==
                            (std::count(visited.begin(), visited.end(), node->name) > 0));
            if (victim && random() % 4 != 0) {
                queue.remove(*victim);
                model.remove(*expected);
                forget(*victim);
            }
        }
        }
        REQUIRE(order(queue) == model.names);
    }
}

TEST_CASE("the hand stops even if readers mark the nodes again that it has passed") {
    std::vector<QueueNode> nodes;
    for (int name = 0; name < 3; ++name)
        nodes.emplace_back(name);
    Queue queue;
    for (QueueNode& node : nodes) {
        node.marks_again = true;
        node.mark_visited();
        queue.push(node);
    }
    CHECK(queue.victim(nullptr, is_live) == &nodes[0]);
    CHECK(queue.victim(&nodes[0], is_live) == &nodes[1]);
    queue.remove(nodes[1]);
    CHECK(queue.victim(&nodes[2], is_live) == &nodes[0]);
    queue.remove(nodes[0]);
    CHECK(queue.victim(&nodes[2], is_live) == nullptr);
    CHECK(queue.victim(nullptr, is_live) == &nodes[2]);
}
