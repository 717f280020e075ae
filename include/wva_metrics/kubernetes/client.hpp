// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/client.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <utility>

namespace wva_metrics::kubernetes {

namespace asio = boost::asio;

/// Asks one Kubernetes API server. A cheap handle: copies share connections and credentials.
///
/// Thread safety: every function may be called from any thread.
class Client {
public:
    /// Asks nothing yet. An unsound configuration is not refused here: every call then gives
    /// `Errc::invalid_config` with all that `validate` finds.
    Client(asio::any_io_executor executor, ClientConfig config)
        : shared_(std::make_shared<Shared>(std::move(executor), std::move(config))) {}

    /// `scheme://host:port` of the API server; empty where the configuration is unsound.
    std::string endpoint() const { return shared_->http.endpoint(); }
    /// How it asks.
    const ClientConfig& config() const noexcept { return shared_->config; }
    /// Where it runs.
    const asio::any_io_executor& executor() const noexcept { return shared_->executor; }

private:
    struct Shared {
        Shared(asio::any_io_executor runs_on, ClientConfig configuration)
            : config(std::move(configuration)), executor(std::move(runs_on)),
              http(executor, config.http) {}

        const ClientConfig config;
        const asio::any_io_executor executor;
        http::Client http;
    };

    std::shared_ptr<Shared> shared_;
};

} // namespace wva_metrics::kubernetes
