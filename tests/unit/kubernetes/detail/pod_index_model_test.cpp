// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/pod_index.hpp"

#include "support/cluster_objects.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using namespace wva_metrics::test_support::objects;
using kubernetes::detail::PodIndex;
using kubernetes::detail::UnreadableNames;

namespace {

/// An index and a model of it, which change together at random. The model stores whole objects and
/// searches them all.
class Comparison {
public:
    static constexpr std::size_t names = 4;
    static std::string name_of(std::size_t i) { return "o" + std::to_string(i); }

    void change_one() {
        switch (below(3)) {
        case 0:
            change(pods_, Pod{});
            break;
        case 1:
            change(replica_sets_, ReplicaSet{});
            break;
        default:
            change(stateful_sets_, StatefulSet{});
        }
        if (below(50) == 0)
            list_replica_sets();
    }

    const PodIndex& index() const { return index_; }
    std::size_t expected_size() const { return pods_.size(); }

    std::optional<PodOwner> expected_owner(const std::string& name) const {
        const auto found = pods_.find(name);
        if (found == pods_.end() || !found->second.metadata.controller())
            return std::nullopt;
        OwnerReference at = *found->second.metadata.controller();
        for (int i = 0; i < 8; ++i) {
            const std::optional<OwnerReference> next = manager_of(at);
            if (!next || (at.kind == "StatefulSet" && next->kind != "LeaderWorkerSet" &&
                          next->kind != "Pod"))
                break;
            at = *next;
        }
        return referred(at.kind, at.name);
    }

private:
    std::size_t below(std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
    }

    std::optional<OwnerReference> manager_of(const OwnerReference& owner) const {
        if (owner.kind == "Pod")
            return controller_among(pods_, owner);
        if (owner.kind == "ReplicaSet")
            return controller_among(replica_sets_, owner);
        if (owner.kind == "StatefulSet")
            return controller_among(stateful_sets_, owner);
        return std::nullopt;
    }

    template <typename Objects>
    static std::optional<OwnerReference> controller_among(const Objects& objects,
                                                          const OwnerReference& owner) {
        for (const auto& [name, object] : objects)
            if (object.metadata.uid == owner.uid && object.metadata.controller())
                return *object.metadata.controller();
        return std::nullopt;
    }

    std::optional<OwnerReference> random_owner() {
        const std::string name = name_of(below(names));
        const auto uid_of = [&](const auto& objects) {
            const auto found = objects.find(name);
            return found == objects.end() ? "none" : found->second.metadata.uid;
        };
        switch (below(6)) {
        case 0:
            return std::nullopt;
        case 1:
            return by("ReplicaSet", name, uid_of(replica_sets_));
        case 2:
            return by("StatefulSet", name, uid_of(stateful_sets_));
        case 3:
            return by("Pod", name, uid_of(pods_));
        case 4:
            return by("LeaderWorkerSet", name, "l" + name);
        default:
            return by("Deployment", name, "d" + name);
        }
    }

    /// Deletes, changes or replaces one object of this kind, or adds a new one.
    template <typename T>
    void change(std::map<std::string, T>& objects, T made) {
        const std::string name = name_of(below(names));
        const auto known = objects.find(name);
        if (known != objects.end() && below(3) == 0) {
            if constexpr (std::is_same_v<T, Pod>)
                index_.erase(known->second, start);
            else
                index_.erase(known->second);
            objects.erase(known);
            return;
        }
        const bool is_same = known != objects.end() && below(2) == 0;
        made.metadata =
            metadata(name, is_same ? known->second.metadata.uid : std::to_string(++last_uid_),
                     random_owner());
        index_.set(made);
        objects.insert_or_assign(name, made);
    }

    void list_replica_sets() {
        std::vector<ReplicaSet> all;
        for (const auto& [name, object] : replica_sets_)
            all.push_back(object);
        index_.set_all("llm", all, UnreadableNames());
    }

    std::mt19937 random_{20260101};
    PodIndex index_{deleted_pods()};
    std::map<std::string, Pod> pods_;
    std::map<std::string, ReplicaSet> replica_sets_;
    std::map<std::string, StatefulSet> stateful_sets_;
    std::size_t last_uid_ = 0;
};

} // namespace

TEST_CASE("after any changes in any order, the index answers like a search of all objects") {
    Comparison comparison;
    for (int step = 0; step < 20'000; ++step) {
        comparison.change_one();
        for (std::size_t i = 0; i < Comparison::names; ++i) {
            const std::string name = Comparison::name_of(i);
            CAPTURE(step, name);
            REQUIRE(comparison.index().owner_of("llm", name) == comparison.expected_owner(name));
        }
        REQUIRE(comparison.index().size() == comparison.expected_size());
    }
}
