// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/kubernetes_target.hpp"
#include "wva_metrics/backend/kubernetes_targets.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/owner_resolver.hpp"
#include "wva_metrics/kubernetes/owner_resolver_config.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"
#include "wva_metrics/settings/detail/client_extras.hpp"
#include "wva_metrics/settings/detail/find_in_kubernetes.hpp"
#include "wva_metrics/settings/kubernetes_pod_settings.hpp"
#include "wva_metrics/workload.hpp"
#ifdef WVA_METRICS_WITH_TLS
#include "wva_metrics/kubernetes/tls_in_cluster.hpp"
#endif

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Where the API server is, and how to reach it.
inline Result<kubernetes::ClientConfig> api_server_of(const KubernetesPodSettings& settings) {
    if (settings.client.url.empty()) {
#ifdef WVA_METRICS_WITH_TLS
        Result<kubernetes::ClientConfig> found = kubernetes::in_cluster_config();
        if (found.has_error())
            return Error(Errc::invalid_config,
                         "pods.kubernetes.client.url is empty, and " + found.error().message);
        return found;
#else
        return Error(Errc::invalid_config,
                     "pods.kubernetes: the API server of a cluster needs TLS, "
                     "but this program was built without: link it with "
                     "wva_metrics::tls");
#endif
    }
    kubernetes::ClientConfig api;
    api.http = settings.client;
    if (!api.http.transport && api.http.url.starts_with("https:"))
        if (const Result<void> added =
                add_tls(settings.tls, api.http, "pods.kubernetes.client.url");
            !added)
            return added.error();
    return api;
}

/// The pods of some namespaces of a cluster, and their owners. It begins to follow them when somebody
/// asks.
class PodsOfCluster {
public:
    /// `is_alone`: there are no other targets, so a namespace that is not followed is a mistake.
    PodsOfCluster(const kubernetes::Client& client, const KubernetesPodSettings& settings,
                  std::shared_ptr<kubernetes::OwnerResolver> owners, bool is_alone)
        : owners_(std::move(owners)), is_alone_(is_alone) {
        KubernetesTargetsConfig targets;
        targets.selection.label_selector = settings.pod_selector;
        targets.model_label = settings.model_label;
        targets.port_names = settings.port_names;
        targets.port = static_cast<std::uint16_t>(settings.port);
        targets.path = settings.path;
        targets.scheme = settings.scheme;
        targets.max_staleness = settings.max_staleness;
        for (const std::string& name : settings.names_for_api()) {
            targets.selection.namespace_name = name;
            of_namespace_.try_emplace(name, client, targets);
        }
    }

    /// See `PodConfig::find_targets`.
    asio::awaitable<Result<std::vector<scrape::ScrapeTarget>>> find(ModelKey model) {
        if (owners_)
            owners_->start();
        for (auto& [name, targets] : of_namespace_)
            targets.start();
        const auto all = of_namespace_.find("");
        const auto found =
            all != of_namespace_.end() ? all : of_namespace_.find(model.namespace_name);
        if (found != of_namespace_.end())
            return found->second.function()(std::move(model));
        return not_followed(std::move(model.namespace_name), is_alone_);
    }

private:
    static asio::awaitable<Result<std::vector<scrape::ScrapeTarget>>> not_followed(std::string name,
                                                                                   bool is_alone) {
        constexpr std::size_t max_bytes = 100;
        if (!is_alone)
            co_return std::vector<scrape::ScrapeTarget>();
        co_return Error(Errc::invalid_config,
                        "the pods of namespace '" + clean_text(name, max_bytes) +
                            "' are not followed: add it to pods.kubernetes.namespaces");
    }

    std::map<std::string, KubernetesTargets> of_namespace_;
    std::shared_ptr<kubernetes::OwnerResolver> owners_;
    bool is_alone_;
};

WVA_METRICS_DECL Result<void> find_in_kubernetes(const asio::any_io_executor& executor,
                                                 const KubernetesPodSettings& settings,
                                                 PodConfig& config) {
    Result<kubernetes::ClientConfig> api = api_server_of(settings);
    if (api.has_error())
        return std::move(api).error();
    KubernetesPodSettings checked = settings;
    checked.client.transport = settings.client.url.empty() ? nullptr : api->http.transport;
    std::vector<std::string> problems = validate(checked);
    for (std::string& problem : problems)
        problem.insert(0, "pods.kubernetes.");
    if (!problems.empty())
        return Error(Errc::invalid_config, join_problems(problems));
    add_gzip(api->http);
    auto client = kubernetes::Client::make(executor, *api);
    if (client.has_error())
        return std::move(client).error();
    std::shared_ptr<kubernetes::OwnerResolver> owners;
    if (settings.resolve_owners && !config.owners) {
        kubernetes::OwnerResolverConfig followed;
        followed.namespaces = settings.names_for_api();
        followed.pod_selector = settings.pod_selector;
        followed.max_staleness = settings.max_staleness;
        auto made = kubernetes::OwnerResolver::make(*client, std::move(followed));
        if (made.has_error())
            return std::move(made).error();
        owners = std::make_shared<kubernetes::OwnerResolver>(*std::move(made));
        config.owners = owners;
    }
    const bool is_alone = config.targets.empty() && config.services.empty();
    config.find_targets = [pods = std::make_shared<PodsOfCluster>(*client, settings, owners,
                                                                  is_alone)](ModelKey model) {
        return pods->find(std::move(model));
    };
    return {};
}

} // namespace wva_metrics::detail
