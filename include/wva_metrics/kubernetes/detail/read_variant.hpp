// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/workload.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace wva_metrics::kubernetes::detail {

/// A variant, if the object describes one. The warning tells what is wrong with the object.
struct ReadVariant {
    std::optional<VariantAutoscaling> variant;
    std::string warning;
};

/// Parses a cost per hour: a finite number that is not negative, without other text.
inline std::optional<double> parse_cost(std::string_view text) {
    double cost = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cost);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(cost) ||
        cost < 0)
        return std::nullopt;
    return cost;
}

/// Reads a variant from an object. Missing fields get their defaults.
inline ReadVariant read_variant(const VariantAutoscalingObject& object) {
    const Metadata& metadata = object.metadata;
    using wva_metrics::detail::clean_text;
    constexpr std::size_t shown_bytes = 200;
    const std::string which =
        "variant autoscaling " +
        clean_text(metadata.namespace_name + '/' + metadata.name, shown_bytes);
    const std::string reason =
        object.problem.empty() ? "" : " (" + clean_text(object.problem, shown_bytes) + ")";
    ReadVariant read;
    if (object.model_id.empty() || object.target_name.empty()) {
        read.warning = which + " has no " +
                       (object.model_id.empty() ? "spec.modelID" : "spec.scaleTargetRef.name") +
                       reason + " and is ignored";
        return read;
    }
    VariantAutoscaling& variant = read.variant.emplace(
        metadata.namespace_name, metadata.name, object.model_id, object.target_name,
        object.accelerator, default_variant_cost,
        object.target_kind.empty() ? std::string(default_target_kind) : object.target_kind);
    const std::optional<double> cost =
        object.variant_cost ? parse_cost(*object.variant_cost) : std::nullopt;
    if (cost)
        variant.cost = *cost;
    else if (object.variant_cost)
        read.warning = which + " has a spec.variantCost that is not a non-negative number; the "
                               "default is used";
    if (read.warning.empty() && !object.problem.empty())
        read.warning = which + " has a field of the wrong type" + reason + "; the default is used";
    return read;
}

} // namespace wva_metrics::kubernetes::detail
