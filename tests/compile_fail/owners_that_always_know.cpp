// expect: PodOwners.*owners.find.name
// SPDX-License-Identifier: Apache-2.0
//
// Owners that cannot return an unknown owner cannot attribute pods.
#include "wva_metrics/attribution/attribution.hpp"

using namespace wva_metrics;

struct AlwaysKnows {
    PodOwner find(std::string_view, std::string_view) const;
};

ModelReplicas attributed(const ReplicaSamples& samples) {
    return attribute(samples, {}, AlwaysKnows());
}
