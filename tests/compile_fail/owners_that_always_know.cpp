// expect: PodOwners.*owners.find.name
// SPDX-License-Identifier: Apache-2.0
//
// Owners that cannot say "I do not know" cannot be asked to attribute pods.
#include "wva_metrics/attribution/attribution.hpp"

using namespace wva_metrics;

struct AlwaysKnows {
    PodOwner find(std::string_view, std::string_view) const;
};

ModelReplicas join(const ReplicaSamples& samples) {
    return attribute(samples, {}, AlwaysKnows());
}
