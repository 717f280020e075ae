// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/json_fields.hpp"
#include "wva_metrics/kubernetes/label_selector.hpp"
#include "wva_metrics/kubernetes/metadata.hpp"
#include "wva_metrics/kubernetes/objects.hpp"

#include <boost/json/value.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes {

/// Reads the metadata of an object. The name is required, all other fields are optional.
inline void read_fields(const JsonFields& fields, Metadata& metadata) {
    metadata.namespace_name = fields.text_or_empty("namespace");
    metadata.name = fields.text_or_empty("name");
    if (metadata.name.empty())
        fields.report("name", "is missing or empty");
    metadata.uid = fields.text_or_empty("uid");
    metadata.resource_version = fields.text_or_empty("resourceVersion");
    fields.for_each_object("ownerReferences", [&](const JsonFields& owner) {
        OwnerReference& read = metadata.owners.emplace_back();
        read.kind = owner.text_or_empty("kind");
        read.name = owner.text_or_empty("name");
        read.uid = owner.text_or_empty("uid");
        read.controller = owner.flag("controller").value_or(false);
    });
    fields.object("labels").for_each_entry([&](std::string_view name, std::string_view value) {
        metadata.labels.insert_or_assign(std::string(name), std::string(value));
    });
    metadata.being_deleted = fields.has("deletionTimestamp");
}

/// Reads a label selector; empty if it is missing. An unknown operator is a problem.
inline std::optional<LabelSelector> read_selector(const JsonFields& parent, std::string_view name) {
    if (!parent.has(name))
        return std::nullopt;
    LabelSelector selector;
    const JsonFields fields = parent.object(name);
    fields.object("matchLabels").for_each_entry([&](std::string_view key, std::string_view value) {
        selector.match_labels.insert_or_assign(std::string(key), std::string(value));
    });
    fields.for_each_object("matchExpressions", [&](const JsonFields& expression) {
        using Operator = LabelRequirement::Operator;
        LabelRequirement& read = selector.match_expressions.emplace_back();
        read.key = expression.text_or_empty("key");
        const std::string op = expression.text_or_empty("operator");
        if (op == "In")
            read.op = Operator::in;
        else if (op == "NotIn")
            read.op = Operator::not_in;
        else if (op == "Exists")
            read.op = Operator::exists;
        else if (op == "DoesNotExist")
            read.op = Operator::does_not_exist;
        else
            expression.report("operator", "is not one of In, NotIn, Exists and DoesNotExist");
        expression.for_each_text("values",
                                 [&](std::string_view value) { read.values.emplace_back(value); });
    });
    return selector;
}

/// Reads the fields of a pod, except its metadata.
inline void read_fields(const JsonFields& fields, Pod& pod) {
    const JsonFields status = fields.object("status");
    pod.phase = status.text_or_empty("phase");
    status.for_each_object("conditions", [&](const JsonFields& condition) {
        if (condition.text("type") == "Ready")
            pod.ready = condition.text("status") == "True";
    });
}

/// Reads the fields of a replica set, except its metadata.
inline void read_fields(const JsonFields& fields, ReplicaSet& replica_set) {
    replica_set.selector = read_selector(fields.object("spec"), "selector");
}

/// Reads the fields of a deployment, except its metadata.
inline void read_fields(const JsonFields& fields, Deployment& deployment) {
    const JsonFields spec = fields.object("spec");
    deployment.selector = read_selector(spec, "selector");
    deployment.replicas = spec.integer("replicas");
}

/// Reads the fields of a stateful set, except its metadata.
inline void read_fields(const JsonFields& fields, StatefulSet& stateful_set) {
    const JsonFields spec = fields.object("spec");
    stateful_set.selector = read_selector(spec, "selector");
    stateful_set.replicas = spec.integer("replicas");
}

/// Reads the fields of a leader worker set, except its metadata.
inline void read_fields(const JsonFields& fields, LeaderWorkerSet& set) {
    set.replicas = fields.object("spec").integer("replicas");
}

/// Reads the fields of a variant autoscaling object, except its metadata. A field of the wrong type
/// does not make it unreadable; see `VariantAutoscalingObject::problem`.
inline void read_fields(const JsonFields& fields, VariantAutoscalingObject& object) {
    const JsonFields spec = fields.object("spec", object.problem);
    object.model_id = spec.text_or_empty("modelID");
    const JsonFields target = spec.object("scaleTargetRef");
    object.target_kind = target.text_or_empty("kind");
    object.target_name = target.text_or_empty("name");
    object.variant_cost = spec.any_text("variantCost");
    const auto accelerator = object.metadata.labels.find(accelerator_label);
    if (accelerator != object.metadata.labels.end())
        object.accelerator = accelerator->second;
}

/// A type of cluster object: a struct with a member `metadata`, and a function `read_fields` in its
/// namespace that reads the other members. `ResourceDefaults` names its resource.
template <typename T>
concept ClusterObject = std::default_initializable<T> && std::movable<T> &&
    requires(T object, const JsonFields& json) {
    { object.metadata } -> std::same_as<Metadata&>;
    read_fields(json, object);
};

/// Reads an object. Only its name is required.
///
/// **Errors:** `bad_response` if the name is missing, or a field has the wrong type. The text names
/// the object and the field.
template <ClusterObject T>
Result<T> read_object(const boost::json::value& value) {
    T object;
    std::string problem;
    {
        const JsonFields fields(value, problem);
        const JsonFields metadata = fields.object("metadata");
        read_fields(metadata, object.metadata);
        read_fields(fields, object);
    }
    if (problem.empty())
        return object;
    constexpr std::size_t shown_bytes = 200;
    std::string text = "an object cannot be read";
    if (const Metadata& named = object.metadata; !named.name.empty()) {
        text = named.namespace_name.empty() ? named.name : named.namespace_name + '/' + named.name;
        text = wva_metrics::detail::clean_text(text, shown_bytes) + " cannot be read";
    }
    return Error(Errc::bad_response,
                 text + ": " + wva_metrics::detail::clean_text(problem, shown_bytes));
}

} // namespace wva_metrics::kubernetes
