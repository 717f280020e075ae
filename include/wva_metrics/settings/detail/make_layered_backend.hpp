// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/any_backend.hpp"
#include "wva_metrics/backend/layered_backend.hpp"
#include "wva_metrics/backend/layered_config.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The most backends of a document in layers.
inline constexpr std::size_t max_layers = 3;

/// Makes one backend of two or three: each reading is the freshest, and that of the first one where
/// several are equally fresh. Of any type, so that two templates are compiled and not one for each
/// choice of backends. Throws if the configuration is invalid.
inline AnyBackend make_layered(LayeredConfig config, std::vector<std::string> names,
                               std::vector<AnyBackend> layers) {
    config.names = std::move(names);
    if (layers.size() < max_layers)
        return LayeredBackend<AnyBackend, AnyBackend>(std::move(config), std::move(layers[0]),
                                                      std::move(layers[1]));
    return LayeredBackend<AnyBackend, AnyBackend, AnyBackend>(
        std::move(config), std::move(layers[0]), std::move(layers[1]), std::move(layers[2]));
}

} // namespace wva_metrics::detail
