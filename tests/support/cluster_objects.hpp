// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/detail/deleted_pods.hpp"
#include "wva_metrics/kubernetes/metadata.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::test_support::objects {

using kubernetes::Deployment;
using kubernetes::Labels;
using kubernetes::Metadata;
using kubernetes::OwnerReference;
using kubernetes::Pod;
using kubernetes::detail::DeletedPods;

inline Metadata metadata(const std::string& name, const std::string& uid,
                         std::optional<OwnerReference> controller = std::nullopt) {
    Metadata made;
    made.namespace_name = "llm";
    made.name = name;
    made.uid = uid;
    if (controller)
        made.owners.push_back(*std::move(controller));
    return made;
}

inline OwnerReference by(const std::string& kind, const std::string& name, const std::string& uid) {
    return {kind, name, uid, true};
}

inline Pod pod(const std::string& name, const std::string& uid,
               std::optional<OwnerReference> controller = std::nullopt) {
    Pod made;
    made.metadata = metadata(name, uid, std::move(controller));
    made.ready = true;
    return made;
}

template <typename T>
T workload(const std::string& name, const std::string& uid,
           std::optional<OwnerReference> controller = std::nullopt) {
    T made;
    made.metadata = metadata(name, uid, std::move(controller));
    return made;
}

inline Deployment selecting(const std::string& name, const Labels& labels) {
    auto made = workload<Deployment>(name, "uid-" + name);
    made.selector.emplace().match_labels = labels;
    return made;
}

inline DeletedPods deleted_pods(std::size_t max_pods = 100) {
    return {std::chrono::minutes(10), max_pods};
}

/// For tests in which the time does not matter.
inline constexpr TimePoint start{};

inline PodOwner referred(const std::string& kind, const std::string& name) {
    return {kind, name, OwnerSource::owner_references};
}

} // namespace wva_metrics::test_support::objects
