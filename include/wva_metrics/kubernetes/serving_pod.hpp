// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/json_fields.hpp"
#include "wva_metrics/kubernetes/metadata.hpp"
#include "wva_metrics/kubernetes/resource.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::kubernetes {

/// A port that a container says it listens on.
struct ContainerPort {
    std::string name;        ///< May be empty.
    std::int64_t number = 0; ///< The port.

    /// Equal if all members are.
    friend bool operator==(const ContainerPort&, const ContainerPort&) = default;
};

/// A pod, by what is needed to connect to it.
struct ServingPod {
    /// Its name, labels and uid, and whether it is being deleted.
    Metadata metadata;
    /// Its annotations, except those of more than `max_annotation_bytes`.
    Labels annotations;
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    std::string phase;
    /// Its address; empty if it has none yet.
    std::string address;
    /// The ports of its containers, in their order, then those of its sidecars: the init containers
    /// with the restart policy `Always`, which go on to run.
    std::vector<ContainerPort> ports;

    /// Annotations may have 256 KiB, as `kubectl apply` writes them. None that says where a pod is
    /// scraped is long.
    static constexpr std::size_t max_annotation_bytes = 1024;

    /// Equal if all members are.
    friend bool operator==(const ServingPod&, const ServingPod&) = default;
};

/// Reads the fields of a pod, except its metadata.
inline void read_fields(const JsonFields& fields, ServingPod& pod) {
    const JsonFields metadata = fields.object("metadata");
    metadata.object("annotations")
        .for_each_entry([&](std::string_view name, std::string_view value) {
            if (value.size() <= ServingPod::max_annotation_bytes)
                pod.annotations.insert_or_assign(std::string(name), std::string(value));
        });
    const JsonFields status = fields.object("status");
    pod.phase = status.text_or_empty("phase");
    pod.address = status.text_or_empty("podIP");
    const auto add_ports = [&](const JsonFields& container) {
        container.for_each_object("ports", [&](const JsonFields& port) {
            pod.ports.push_back(
                {port.text_or_empty("name"), port.integer("containerPort").value_or(0)});
        });
    };
    const JsonFields spec = fields.object("spec");
    spec.for_each_object("containers", add_ports);
    spec.for_each_object("initContainers", [&](const JsonFields& container) {
        if (container.text_or_empty("restartPolicy") == "Always")
            add_ports(container);
    });
}

/// Pods are in the core API, whose group name is empty.
template <>
struct ResourceDefaults<ServingPod> {
    static constexpr std::string_view group = "";      ///< The API group.
    static constexpr std::string_view version = "v1";  ///< The API version.
    static constexpr std::string_view plural = "pods"; ///< The name in URLs.
    /// The fields that are read.
    static constexpr std::array<std::string_view, 5> fields{
        "metadata.annotations", "spec.containers", "spec.initContainers", "status.phase",
        "status.podIP"};
};

} // namespace wva_metrics::kubernetes
