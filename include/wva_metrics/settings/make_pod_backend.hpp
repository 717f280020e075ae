// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/pod_backend.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/backend_names.hpp"
#include "wva_metrics/settings/detail/client_extras.hpp"
#include "wva_metrics/settings/detail/find_in_kubernetes.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Makes the backend `pods` of a `CollectorFactory`: with TLS if a URL needs it, and with compressed
/// answers if the program has gzip, and with the pods that the section `pods.kubernetes` finds. For
/// programs that find pods in their own way: they set `find_targets`, which takes the place of that
/// section, and register the backend under a name of their own, for which a document then needs no
/// targets.
///
/// **Parameters:**
/// - `executor`: the executor of all I/O.
/// - `pods`: the section `pods`. If `find_targets` is set, TLS is there for what it finds.
///
/// **Errors:**
/// - `invalid_config`: all problems, each with its path; a file of `tls` cannot be used; a URL
///   begins with https, and the program was built without TLS; or `kubernetes` has no URL, and the
///   program does not run in a cluster.
///
/// **Threads:** any thread.
inline Result<PodBackend> make_pod_backend(const asio::any_io_executor& executor,
                                           const PodSettings& pods) {
    PodConfig config = pods;
    if (pods.kubernetes.is_used() && !config.find_targets)
        if (const Result<void> found =
                detail::find_in_kubernetes(executor, pods.kubernetes, config);
            !found)
            return found.error();
    const bool has_https = detail::has_https(config);
    const bool finds_https = pods.kubernetes.is_used() && pods.kubernetes.scheme == "https";
    if (!config.client.transport &&
        (has_https || finds_https || (config.find_targets && detail::has_tls)))
        if (const Result<void> added = detail::add_tls(
                pods.tls, config.client,
                has_https ? "a URL of pods.targets or pods.services" : "pods.kubernetes.scheme");
            !added)
            return added.error();
    detail::add_gzip(config.client);
    std::vector<std::string> problems = validate(config);
    for (std::string& problem : problems)
        problem.insert(0, "pods.");
    if (!problems.empty())
        return Error(Errc::invalid_config, detail::join_problems(problems));
    return PodBackend(executor, std::move(config));
}

} // namespace wva_metrics
