// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/epp_backend.hpp"
#include "wva_metrics/backend/epp_config.hpp"
#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/client_extras.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Makes the backend `epp` of a `CollectorFactory`: with TLS if the URL needs it, and with compressed
/// answers if the program has gzip. For programs that also ask what a collector does not:
/// `EppBackend::is_anything_queued` and `fetch_pool_status`.
///
/// **Parameters:**
/// - `executor`: the executor of all I/O.
/// - `epp`: the section `epp`.
///
/// **Errors:**
/// - `invalid_config`: all problems, each with its path; a file of `tls` cannot be used; or the URL
///   begins with https, and the program was built without TLS.
///
/// **Threads:** any thread.
inline Result<EppBackend> make_epp_backend(const asio::any_io_executor& executor,
                                           const EppSettings& epp) {
    EppConfig config = epp;
    if (!config.client.transport && config.client.url.starts_with("https:"))
        if (const Result<void> added = detail::add_tls(epp.tls, config.client, "epp.client.url");
            !added)
            return added.error();
    detail::add_gzip(config.client);
    std::vector<std::string> problems = validate(config);
    for (std::string& problem : problems)
        problem.insert(0, "epp.");
    if (!problems.empty())
        return Error(Errc::invalid_config, detail::join_problems(problems));
    return EppBackend(executor, std::move(config));
}

} // namespace wva_metrics
