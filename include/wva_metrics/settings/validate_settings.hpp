// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/settings_problem.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Everything that is wrong with TLS settings, one sentence each; empty where they are sound. Reads
/// no file.
inline std::vector<std::string> validate(const TlsSettings& tls) {
    std::vector<std::string> problems;
    if (tls.certificate_file.empty() != tls.private_key_file.empty())
        problems.emplace_back(tls.certificate_file.empty()
                                  ? "certificate_file must be set together with private_key_file"
                                  : "private_key_file must be set together with certificate_file");
    if (tls.insecure_accept_any_certificate && !tls.ca_file.empty())
        problems.emplace_back(
            "ca_file has no use with insecure_accept_any_certificate; set one of them");
    if (tls.reload_interval < Duration::zero())
        problems.emplace_back("reload_interval must not be negative");
    return problems;
}

namespace detail {

/// Stands for the transport that a program makes of the TLS settings later, so that an `https` URL
/// is checked like any other.
class PromisedTls final : public http::Transport {
public:
    std::string_view scheme() const noexcept override { return "https"; }
    std::unique_ptr<http::Stream> make_stream(const boost::asio::any_io_executor&) override {
        return nullptr;
    }
};

/// Turns a sentence of a struct's `validate` into a problem of the field that it begins with.
inline SettingsProblem locate_problem(const std::string& group, std::string_view full_sentence,
                                      const std::vector<Field>& fields) {
    // It may repeat a word of the document's, of any length.
    constexpr std::size_t longest = 300;
    const std::string sentence = wva_metrics::detail::clean_text(full_sentence, longest);
    constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyz_0123456789.";
    std::size_t end = std::min(sentence.find_first_not_of(name_characters), sentence.size());
    const std::string path = group + '.' + sentence.substr(0, end);
    const bool is_field = std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
        return field.path == path || field.path.starts_with(path + '.');
    });
    if (!is_field)
        return {group, sentence};
    std::string where = path;
    if (end < sentence.size() && sentence[end] == '[') {
        const std::size_t bracket = std::min(sentence.find(']', end), sentence.size() - 1);
        where += sentence.substr(end, bracket + 1 - end);
        end = bracket + 1;
    }
    const std::size_t words = std::min(sentence.find_first_not_of(": ", end), sentence.size());
    return {std::move(where), sentence.substr(words)};
}

inline void check_prometheus(const CollectorSettings& settings, const std::vector<Field>& fields,
                             std::vector<SettingsProblem>& problems) {
    PrometheusConfig prometheus = settings.prometheus;
    http::ClientConfig& client = prometheus.client.http;
    if (client.url.empty()) {
        if (settings.backend == "prometheus" || settings.backend.empty())
            problems.push_back({"prometheus.client.url",
                                "is needed: where is Prometheus, e.g. \"http://prometheus:9090\"? "
                                "(PROMETHEUS_BASE_URL says it too)"});
        client.url = "http://nowhere";
    }
    const Result<http::Url> url = http::parse_url(client.url);
    if (!client.transport && url && url->is_secure())
        client.transport = std::make_shared<PromisedTls>();

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

inline void check_tracked(const TrackedSettings& tracked, std::vector<SettingsProblem>& problems) {
    const auto require_text = [&](const std::string& text, const std::string& where,
                                  const char* name) {
        if (text.empty())
            problems.push_back({where + '.' + name, "is needed"});
    };
    for (std::size_t i = 0; i < tracked.variants.size(); ++i) {
        const VariantAutoscaling& variant = tracked.variants[i];
        const std::string where = "tracked.variants[" + std::to_string(i) + ']';
        require_text(variant.namespace_name, where, "namespace");
        require_text(variant.name, where, "name");
        require_text(variant.model_id, where, "model_id");
        require_text(variant.deployment, where, "deployment");
        if (!(variant.cost >= 0) || std::isinf(variant.cost))
            problems.push_back({where + ".cost", "must be a finite number, and not negative"});
        const auto same = [&](const VariantAutoscaling& other) {
            return other.key() == variant.key();
        };
        const auto first = std::find_if(tracked.variants.begin(), tracked.variants.end(), same);
        if (&*first != &variant)
            problems.push_back({where, "is the same variant as tracked.variants[" +
                                           std::to_string(first - tracked.variants.begin()) + "]"});
    }
    for (std::size_t i = 0; i < tracked.models.size(); ++i) {
        const std::string where = "tracked.models[" + std::to_string(i) + ']';
        require_text(tracked.models[i].namespace_name, where, "namespace");
        require_text(tracked.models[i].model_id, where, "model_id");
    }
}

} // namespace detail

/// Everything that is wrong with settings, each with its path in a document; empty where they are
/// sound. The words are those of the structs' own `validate`.
///
/// Reads no file and asks nobody; whether a name is registered is for the factory to say.
/// Thread safety: any thread.
inline std::vector<SettingsProblem> validate(const CollectorSettings& settings) {
    std::vector<SettingsProblem> problems;
    CollectorSettings described = settings;
    const std::vector<detail::Field> fields = detail::fields_of(described);
    for (const std::string& sentence : validate(settings.collector))
        problems.push_back(detail::locate_problem("collector", sentence, fields));
    detail::check_prometheus(settings, fields, problems);
    for (const std::string& sentence : validate(settings.tls))
        problems.push_back(detail::locate_problem("tls", sentence, fields));
    detail::check_tracked(settings.tracked, problems);
    const std::size_t most = settings.collector.max_tracked;
    if (settings.tracked.variants.size() > most || settings.tracked.models.size() > most)
        problems.push_back({"tracked", "names more than collector.max_tracked = " +
                                           std::to_string(most) + " variants or models"});
    return problems;
}

} // namespace wva_metrics
