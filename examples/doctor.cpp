// SPDX-License-Identifier: Apache-2.0
//
// Says why a model has no numbers, and what to change: asks Prometheus, pods, or both.
//
// Made to be copied: one file, which needs only find_package(wva_metrics).
#include <wva_metrics/wva_metrics.hpp>
#ifdef WVA_METRICS_WITH_TLS // Defined if wva_metrics::tls is linked.
#include <wva_metrics/http/tls.hpp>
#endif

#include <boost/asio.hpp>
#include <boost/json.hpp>

#include <cstddef>
#include <exception>
#include <iostream>
#include <map>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace json = boost::json;
using namespace wva_metrics;

constexpr const char* help_text =
    "usage: doctor --url PROMETHEUS --namespace NS --model ID... [option]...\n"
    "Says why models have no numbers, and what to change. Options:\n"
    "  --pod [POD=]URL     a pod's page, instead of --url or beside it (repeatable)\n"
    "  --deployment NAME[=VARIANT[:ACCELERATOR[:COST]]]   a variant (repeatable)\n"
    "  --json              a line of JSON per model\n"
    "  --token-file FILE   a bearer token\n"
    "  --ca-file FILE      the certificates to trust, not those of the system\n"
    "  --once, --interval  accepted, so that the options of prometheus_poll fit; no effect\n"
    "Exit status: 0 healthy, 1 something is wrong, 2 wrong usage.\n";

struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Options {
    std::string url, namespace_name; ///< Without a Prometheus, the URL is empty.
    std::vector<std::string> pods, models;
    std::vector<VariantAutoscaling> variants; ///< Without namespace and model.
    std::optional<std::string> token_file;
    std::string ca_file; ///< Empty: the system's certificates.
    bool json = false, help = false;
};

Options parse_options(int argc, const char* const* argv);

void configure(http::ClientConfig& client, const Options& options, bool is_https) {
    if (options.token_file)
        client.credentials = http::Credentials::bearer_file(*options.token_file);
#ifdef WVA_METRICS_WITH_TLS
    if (is_https)
        client.transport = http::make_tls_transport({.ca_file = options.ca_file}).value();
#endif
    if (!options.ca_file.empty() && !client.transport)
        throw UsageError("--ca-file needs an https URL and a program built with wva_metrics::tls");
}

/// Throws what is wrong with the options.
template <typename Backend>
Backend checked(Result<Backend> backend) {
    if (!backend)
        throw UsageError(backend.error().message);
    return *std::move(backend);
}

AnyBackend make_backend(asio::io_context& io, const Options& options) {
    PrometheusConfig prometheus = PrometheusConfig::at(options.url);
    PodConfig pods;
    bool has_https = false;
    for (const std::string& text : options.pods) {
        const std::size_t equals = text.find('=');
        const bool is_named = equals < text.find("://");
        const std::string url = is_named ? text.substr(equals + 1) : text;
        pods.targets.push_back({.url = url,
                                .pod = is_named ? text.substr(0, equals) : std::string(),
                                .namespace_name = options.namespace_name});
        has_https = has_https || url.starts_with("https:");
    }
    if (!options.url.empty())
        configure(prometheus.client.http, options, options.url.starts_with("https:"));
    if (!options.pods.empty())
        configure(pods.client, options, has_https);
    if (options.pods.empty())
        return checked(PrometheusBackend::make(io.get_executor(), std::move(prometheus)));
    PodBackend of_pods = checked(PodBackend::make(io.get_executor(), std::move(pods)));
    if (options.url.empty())
        return of_pods;
    return LayeredBackend<PodBackend, PrometheusBackend>(
        {.names = {"pods", "prometheus"}}, std::move(of_pods),
        checked(PrometheusBackend::make(io.get_executor(), std::move(prometheus))));
}

/// Without control characters, because names come from outside.
std::string printable(const std::string& text) {
    const std::string quoted = json::serialize(json::string(text));
    return quoted.substr(1, quoted.size() - 2);
}

void print(const Diagnosis& diagnosis) {
    std::cout << printable(diagnosis.model.namespace_name) << "/"
              << printable(diagnosis.model.model_id)
              << (diagnosis.is_healthy() ? ": healthy\n" : ": something is wrong\n");
    for (const Finding& finding : diagnosis.findings)
        std::cout << (finding.is_problem ? "  problem " : "  remark  ") << to_string(finding.code)
                  << ": " << printable(finding.text) << "\n";
}

void print_json(const Diagnosis& diagnosis) {
    json::array findings;
    for (const Finding& finding : diagnosis.findings)
        findings.push_back(json::object{{"code", to_string(finding.code)},
                                        {"problem", finding.is_problem},
                                        {"text", finding.text}});
    const json::object all{{"namespace", diagnosis.model.namespace_name},
                           {"model", diagnosis.model.model_id},
                           {"healthy", diagnosis.is_healthy()},
                           {"findings", std::move(findings)}};
    std::cout << json::serialize(all) << "\n";
}

/// Returns the exit status.
asio::awaitable<int> run(asio::io_context& io, Options options) {
    Collector<AnyBackend, NoOpCache> collector(io.get_executor(), make_backend(io, options));
    bool is_healthy = true;
    for (const std::string& id : options.models) {
        const ModelKey model(options.namespace_name, id);
        std::vector<VariantAutoscaling> variants = options.variants;
        for (VariantAutoscaling& variant : variants) {
            variant.namespace_name = model.namespace_name;
            variant.model_id = model.model_id;
        }
        const Result<Diagnosis> diagnosis = co_await collector.async_diagnose(model, variants);
        if (!diagnosis)
            throw std::runtime_error(diagnosis.error().describe());
        options.json ? print_json(*diagnosis) : print(*diagnosis);
        is_healthy = is_healthy && diagnosis->is_healthy();
    }
    co_return is_healthy ? 0 : 1;
}

int main(int argc, char** argv) try {
    const Options options = parse_options(argc, argv);
    if (options.help) {
        std::cout << help_text;
        return 0;
    }
    asio::io_context io;
    int status = 0;
    asio::co_spawn(io, run(io, options), [&](std::exception_ptr failure, int result) {
        io.stop();
        if (failure)
            std::rethrow_exception(failure);
        status = result;
    });
    io.run();
    return status;
} catch (const UsageError& error) {
    std::cerr << "doctor: " << error.what() << "; see --help\n";
    return 2;
} catch (const std::exception& error) {
    std::cerr << "doctor: " << error.what() << "\n";
    return 1;
}

// ---- The command line

VariantAutoscaling parse_deployment(const std::string& text) {
    const std::regex pattern("([^=]+)(=([^:]+)(:([^:]*)(:([0-9]{1,9}([.][0-9]{1,9})?))?)?)?");
    std::smatch part;
    if (!std::regex_match(text, part, pattern))
        throw UsageError("--deployment " + text + ": must be NAME[=VARIANT[:ACCELERATOR[:COST]]]");
    return VariantAutoscaling("", part[part[3].matched ? 3 : 1], "", part[1], part[5],
                              part[7].matched ? std::stod(part[7]) : default_variant_cost);
}

Options parse_options(int argc, const char* const* argv) {
    const std::regex flag("--(once|json|help)");
    const std::regex with_value(
        "--(url|pod|namespace|model|deployment|interval|token-file|ca-file)");
    std::map<std::string, std::vector<std::string>> given; // Name: its values.
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        const bool needs_value = std::regex_match(name, with_value);
        if (!needs_value && !std::regex_match(name, flag))
            throw UsageError("unknown option " + name);
        if (needs_value && ++i == argc)
            throw UsageError(name + " needs a value");
        given[name].emplace_back(argv[i]);
    }
    Options options;
    options.help = given.contains("--help");
    if (options.help)
        return options;
    if (!given.contains("--namespace") || !given.contains("--model") ||
        (!given.contains("--url") && !given.contains("--pod")))
        throw UsageError("--url or --pod, --namespace and --model are required");
    options.pods = given["--pod"];
    if (given.contains("--url")) {
        options.url = given["--url"].back();
        if (const auto url = http::parse_url(options.url); !url)
            throw UsageError("--url: " + url.error().message);
    }
    options.namespace_name = given["--namespace"].back();
    options.models = given["--model"];
    for (const std::string& text : given["--deployment"])
        options.variants.push_back(parse_deployment(text));
    if (given.contains("--token-file"))
        options.token_file = given["--token-file"].back();
    if (given.contains("--ca-file"))
        options.ca_file = given["--ca-file"].back();
    options.json = given.contains("--json");
    return options;
}
