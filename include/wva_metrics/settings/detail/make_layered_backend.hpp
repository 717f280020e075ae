// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/any_backend.hpp"
#include "wva_metrics/backend/layered_backend.hpp"
#include "wva_metrics/backend/pod_backend.hpp"
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/backend_names.hpp"
#include "wva_metrics/settings/detail/make_prometheus_backend.hpp"
#include "wva_metrics/settings/make_pod_backend.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <string>
#include <utility>

namespace wva_metrics::detail {

/// Makes the backend "pods+prometheus" of a `CollectorFactory`: each reading is the fresher one, and
/// the pods' where both are equally fresh.
inline Result<AnyBackend> make_layered(const asio::any_io_executor& executor,
                                       const CollectorSettings& settings) {
    Result<PodBackend> pods = make_pod_backend(executor, settings.pods);
    if (!pods)
        return std::move(pods).error();
    Result<PrometheusBackend> prometheus = make_prometheus(executor, settings);
    if (!prometheus)
        return std::move(prometheus).error();
    LayeredConfig config = settings.layered;
    config.names = {std::string(pods_name), std::string(prometheus_name)};
    return LayeredBackend<PodBackend, PrometheusBackend>(std::move(config), *std::move(pods),
                                                         *std::move(prometheus));
}

} // namespace wva_metrics::detail
