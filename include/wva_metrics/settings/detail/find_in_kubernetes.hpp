// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/detail/separate_compilation.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/settings/kubernetes_pod_settings.hpp"

#include <boost/asio/any_io_executor.hpp>

namespace wva_metrics::detail {

/// Sets `find_targets`, and `owners` if they are null, to what the section `pods.kubernetes` says. The
/// API server gets no request before the first call of `find_targets`.
///
/// **Errors:** `invalid_config`: all problems, each with its path; a file of `tls` cannot be used; the
/// program was built without TLS; or there is no URL, and the program does not run in a cluster.
WVA_METRICS_DECL Result<void> find_in_kubernetes(const boost::asio::any_io_executor& executor,
                                                 const KubernetesPodSettings& settings,
                                                 PodConfig& config);

} // namespace wva_metrics::detail

#ifndef WVA_METRICS_SEPARATE_COMPILATION
#include "wva_metrics/settings/impl/find_in_kubernetes.hpp"
#endif
