// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/epp_config.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/tls_config.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/backend_names.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/kubernetes_pod_settings.hpp"
#include "wva_metrics/settings/settings_problem.hpp"
#include "wva_metrics/settings/validate_settings.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

namespace detail {

/// A placeholder for the transport that is made from the TLS settings later, so that an `https` URL
/// is validated like any other.
class PlaceholderTls final : public http::Transport {
public:
    std::string_view scheme() const noexcept override { return "https"; }
    std::unique_ptr<http::Stream> make_stream(const boost::asio::any_io_executor&) override {
        return nullptr;
    }
};

/// Converts a sentence of a struct's `validate`, which begins with the name of a field, to a
/// problem with the path of this field.
inline SettingsProblem locate_problem(const std::string& group, std::string_view full_sentence,
                                      const std::vector<Field>& fields) {
    // The sentence may contain text of the document, of any length.
    constexpr std::size_t longest = 300;
    const std::string sentence = wva_metrics::detail::clean_text(full_sentence, longest);
    constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyz_0123456789.";
    std::size_t end = std::min(sentence.find_first_not_of(name_characters), sentence.size());
    const std::string path = group + '.' + sentence.substr(0, end);
    const std::string inside = path + '.';
    const bool is_field = std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
        return field.path == path || field.path.starts_with(inside);
    });
    if (!is_field)
        return {group, sentence};
    std::string field_path = path;
    if (end < sentence.size() && sentence[end] == '[') {
        const std::size_t bracket = std::min(sentence.find(']', end), sentence.size() - 1);
        field_path += sentence.substr(end, bracket + 1 - end);
        end = bracket + 1;
    }
    const std::size_t words = std::min(sentence.find_first_not_of(": ", end), sentence.size());
    return {std::move(field_path), sentence.substr(words)};
}

inline void check_prometheus(const CollectorSettings& settings, const std::vector<Field>& fields,
                             std::vector<SettingsProblem>& problems) {
    PrometheusConfig prometheus = settings.prometheus;
    http::ClientConfig& client = prometheus.client.http;
    if (client.url.empty()) {
        if (uses_backend(settings, prometheus_name))
            problems.push_back({"prometheus.client.url",
                                "is required: the URL of Prometheus, e.g. "
                                "\"http://prometheus:9090\"; the environment variable "
                                "PROMETHEUS_BASE_URL sets it too"});
        client.url = "http://placeholder";
    }
    const Result<http::Url> url = http::parse_url(client.url);
    if (!client.transport && url && url->is_secure())
        client.transport = std::make_shared<PlaceholderTls>();

    constexpr std::string_view http_prefix = "client.http: ";
    for (const std::string& sentence : validate(prometheus)) {
        if (sentence.starts_with(http_prefix))
            problems.push_back(locate_problem("prometheus.client",
                                              std::string_view(sentence).substr(http_prefix.size()),
                                              fields));
        else
            problems.push_back(locate_problem("prometheus", sentence, fields));
    }
}

inline void check_pods(const CollectorSettings& settings, const std::vector<Field>& fields,
                       std::vector<SettingsProblem>& problems) {
    PodConfig pods = settings.pods;
    KubernetesPodSettings pods_of_cluster = settings.pods.kubernetes;
    if (!pods.client.transport && has_https(pods))
        pods.client.transport = std::make_shared<PlaceholderTls>();
    if (pods.targets.empty() && pods.services.empty() && !pods.find_targets) {
        if (uses_backend(settings, pods_name) && !pods_of_cluster.is_used())
            problems.push_back(
                {"pods", "needs targets or services, such as \"targets\": "
                         "[\"http://10.0.0.1:8000\"] for the URLs of pods, or \"services\": "
                         "[\"http://vllm-headless.llm.svc:8000\"] for a name whose addresses "
                         "are pods, or \"kubernetes\": {\"namespaces\": [\"llm\"]} for those "
                         "that the Kubernetes API knows; the environment variables PODS_TARGETS, "
                         "PODS_SERVICES and PODS_KUBERNETES_NAMESPACES set them too"});
        // The rest is checked as if there were pods.
        pods.find_targets = [](const ModelKey&) {
            return boost::asio::awaitable<Result<std::vector<scrape::ScrapeTarget>>>();
        };
    }
    for (const std::string& sentence : validate(pods))
        problems.push_back(locate_problem("pods", sentence, fields));
    for (const std::string& sentence : validate(settings.pods.tls))
        problems.push_back(locate_problem("pods", sentence, fields));
    if (!pods_of_cluster.client.transport && pods_of_cluster.client.url.starts_with("https:"))
        pods_of_cluster.client.transport = std::make_shared<PlaceholderTls>();
    for (const std::string& sentence : validate(pods_of_cluster))
        problems.push_back(locate_problem("pods.kubernetes", sentence, fields));
}

inline void check_epp(const CollectorSettings& settings, const std::vector<Field>& fields,
                      std::vector<SettingsProblem>& problems) {
    EppConfig epp = settings.epp;
    const auto require_if_used = [&](std::string& value, const char* placeholder, const char* path,
                                     const char* what) {
        if (!value.empty())
            return;
        if (uses_backend(settings, epp_name))
            problems.push_back({path, what});
        value = placeholder; // The rest is checked as if there were a value.
    };
    require_if_used(
        epp.client.url, "http://localhost", "epp.client.url",
        "is required: the URL of the endpoint picker's metrics, e.g. "
        "\"http://llm-epp.llm.svc:9090\"; the environment variable EPP_URL sets it too");
    require_if_used(epp.namespace_name, "any", "epp.namespace",
                    "is required: the namespace of the endpoint picker, which its metrics do not "
                    "say, e.g. \"llm\"; the environment variable EPP_NAMESPACE sets it too");
    if (!epp.client.transport && epp.client.url.starts_with("https:"))
        epp.client.transport = std::make_shared<PlaceholderTls>();
    for (const std::string& sentence : validate(epp))
        problems.push_back(locate_problem("epp", sentence, fields));
}

/// Adds the sentences of a struct's `validate`, which begin with the group and a dot.
inline void locate_problems(const std::string& group, const std::vector<std::string>& sentences,
                            const std::vector<Field>& fields,
                            std::vector<SettingsProblem>& problems) {
    for (const std::string_view sentence : sentences) {
        const bool has_group = sentence.starts_with(group + '.');
        problems.push_back(
            locate_problem(group, sentence.substr(has_group ? group.size() + 1 : 0), fields));
    }
}

/// `group` is the path of `tls`, and `client_group` that of the client that uses it.
inline void check_tls(const std::string& group, const http::TlsConfig& tls,
                      const std::string& client_group, const http::ClientConfig& client,
                      const std::vector<Field>& fields, std::vector<SettingsProblem>& problems) {
    const Result<http::Url> url = http::parse_url(client.url);
    if (url && !url->is_secure() && !url->is_loopback() && !tls.certificate_file.empty() &&
        !client.allow_credentials_without_tls)
        problems.push_back({group + ".certificate_file",
                            "cannot be presented to an http url: use an https url, or set " +
                                client_group + ".allow_credentials_without_tls"});
    constexpr std::string_view prefix = "tls.";
    for (const std::string_view sentence : validate(tls))
        problems.push_back(locate_problem(
            group, sentence.substr(sentence.starts_with(prefix) ? prefix.size() : 0), fields));
}

inline void check_tracked(const TrackedSettings& tracked, std::vector<SettingsProblem>& problems) {
    const auto require_text = [&](const std::string& text, const std::string& path,
                                  const char* name) {
        if (text.empty())
            problems.push_back({path + '.' + name, "is required"});
    };
    std::map<VariantKey, std::size_t> first_with;
    for (std::size_t i = 0; i < tracked.variants.size(); ++i) {
        const VariantAutoscaling& variant = tracked.variants[i];
        const std::string path = "tracked.variants[" + std::to_string(i) + ']';
        require_text(variant.namespace_name, path, "namespace");
        require_text(variant.name, path, "name");
        require_text(variant.model_id, path, "model_id");
        require_text(variant.deployment, path, "deployment");
        if (!(variant.cost >= 0) || std::isinf(variant.cost))
            problems.push_back({path + ".cost", "must be finite and not negative"});
        const auto [first, is_new] = first_with.try_emplace(variant.key(), i);
        if (!is_new)
            problems.push_back({path, "is the same variant as tracked.variants[" +
                                          std::to_string(first->second) + "]"});
    }
    for (std::size_t i = 0; i < tracked.models.size(); ++i) {
        const std::string path = "tracked.models[" + std::to_string(i) + ']';
        require_text(tracked.models[i].namespace_name, path, "namespace");
        require_text(tracked.models[i].model_id, path, "model_id");
    }
}

} // namespace detail

WVA_METRICS_DECL std::vector<SettingsProblem> validate(const CollectorSettings& settings) {
    std::vector<SettingsProblem> problems;
    CollectorSettings described = settings;
    const std::vector<detail::Field> fields = detail::fields_of(described);
    for (const std::string& sentence : validate(settings.collector))
        problems.push_back(detail::locate_problem("collector", sentence, fields));
    detail::check_prometheus(settings, fields, problems);
    detail::check_pods(settings, fields, problems);
    detail::check_epp(settings, fields, problems);
    detail::locate_problems("layered", validate(settings.layered), fields, problems);
    detail::check_tls("tls", settings.tls, "prometheus.client", settings.prometheus.client.http,
                      fields, problems);
    detail::check_tls("epp.tls", settings.epp.tls, "epp.client", settings.epp.client, fields,
                      problems);
    detail::locate_problems("proxy", validate(settings.proxy), fields, problems);
    detail::check_tracked(settings.tracked, problems);
    const std::size_t max_tracked = settings.collector.max_tracked;
    if (settings.tracked.variants.size() > max_tracked ||
        settings.tracked.models.size() > max_tracked)
        problems.push_back({"tracked", "has more than collector.max_tracked = " +
                                           std::to_string(max_tracked) + " variants or models"});
    return problems;
}

} // namespace wva_metrics
