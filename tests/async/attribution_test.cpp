// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Two workloads of one model, and a pod whose name fits both. The longer name, the StatefulSet's,
/// fits better.
struct OnePodOfTwo : CollectorFixture {
    using Names = std::vector<std::string>;

    OnePodOfTwo() { backend.set(replica_samples(model, {"web-0-1"})); }

    /// The pod's owner, for a caller with these variants; "nobody" if it is none of them.
    std::string owner(std::vector<VariantAutoscaling> variants) {
        const ReplicaSnapshot snapshot = collect(model, std::move(variants)).value();
        if (snapshot->replicas.empty()) {
            CHECK(snapshot->unattributed_pods == Names{"web-0-1"});
            return "nobody";
        }
        return snapshot->replicas.at(0).variant;
    }

    const VariantAutoscaling group{"llm", "group", "meta/llama", "web", {}, 10, "LeaderWorkerSet"};
    const VariantAutoscaling set{"llm", "set", "meta/llama", "web-0", {}, 10, "StatefulSet"};
};

} // namespace

TEST_CASE("a pod's owner does not depend on which of the known variants a caller names") {
    OnePodOfTwo f;
    CHECK(f.owner({f.group}) == "group"); // Nothing else is known.
    SECTION("the other one is named by another caller") {
        CHECK(f.owner({f.set}) == "set");
    }
    SECTION("the other one is named together with it") {
        CHECK(f.owner({f.group, f.set}) == "set");
    }
    SECTION("the other one is tracked") {
        f.collector->track(f.set);
    }
    SECTION("the other one is collected") {
        f.collect(f.set).value();
    }
    CHECK(f.owner({f.group}) == "nobody"); // From the same entry.
    CHECK(f.owner({f.set}) == "set");
    CHECK(
        f.collector->find_replica_metrics(f.model, std::vector{f.group}).value()->replicas.empty());

    f.collector->invalidate_model(f.model);
    CHECK(f.owner({f.group}) == "nobody"); // Also after a new fetch.
}

TEST_CASE("a variant that is untracked, or not heard of for long, claims no pods any more") {
    OnePodOfTwo f;
    f.collector->track(f.set);
    CHECK(f.owner({f.group}) == "nobody");
    SECTION("untracked") {
        f.collector->untrack(f.set.key());
    }
    SECTION("forgotten") {
        f.advance(20min);
    }
    CHECK(f.owner({f.group}) == "group");
}

TEST_CASE("variants of other models and namespaces, and of the same workload, claim no pods") {
    OnePodOfTwo f;
    VariantAutoscaling other_model = f.set;
    other_model.model_id = "other";
    VariantAutoscaling other_namespace = f.set;
    other_namespace.namespace_name = "other";
    VariantAutoscaling renamed = f.group;
    renamed.name = "a";
    for (const auto& each : {other_model, other_namespace, renamed})
        f.collector->track(each);
    CHECK(f.owner({f.group}) == "group");
    CHECK(f.owner({renamed}) == "a");
}
