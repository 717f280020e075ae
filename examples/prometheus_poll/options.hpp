// SPDX-License-Identifier: Apache-2.0
//
// The command line of prometheus_poll.
#pragma once

#include <wva_metrics/wva_metrics.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

namespace prometheus_poll {

inline constexpr const char* usage_text =
    "usage: prometheus_poll --url URL --namespace NS --model ID... [--once] [--json]\n"
    "  [--deployment NAME[=VARIANT[:ACCELERATOR[:COST]]]]... [--interval 15s]\n"
    "  [--token-file F] [--ca-file F]\n";

struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A value of `--deployment`: which variant a Deployment belongs to.
struct DeploymentOption {
    std::string deployment, variant, accelerator;
    double cost = wva_metrics::default_variant_cost;
};

struct Options {
    std::string url, namespace_name;
    std::vector<std::string> models;
    std::vector<DeploymentOption> deployments;
    wva_metrics::Duration interval{};
    std::optional<std::string> token_file;
    std::string ca_file; ///< Empty: the system's certificates.
    bool once = false, json = false;
};

inline DeploymentOption parse_deployment(const std::string& text) {
    const std::regex form("([^=]+)(=([^:]+)(:([^:]*)(:([0-9]{1,9}([.][0-9]{1,9})?))?)?)?");
    std::smatch part;
    if (!std::regex_match(text, part, form))
        throw UsageError("--deployment takes NAME[=VARIANT[:ACCELERATOR[:COST]]], not '" + text +
                         "'");
    DeploymentOption option{part[1], part[part[3].matched ? 3 : 1], part[5]};
    if (part[7].matched)
        option.cost = std::stod(part[7]);
    return option;
}

inline Options parse_options(int argc, const char* const* argv) {
    const std::regex flag("--(once|json)");
    const std::regex valued("--(url|namespace|model|deployment|interval|token-file|ca-file)");
    std::map<std::string, std::vector<std::string>> given; // By name, each with its values.
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (!std::regex_match(name, flag) && (!std::regex_match(name, valued) || ++i == argc))
            throw UsageError(name + " is unknown or lacks its value");
        given[name].emplace_back(argv[i]);
    }
    if (given.count("--url") + given.count("--namespace") + given.count("--model") < 3)
        throw UsageError("--url, --namespace and --model are required");

    const auto last = [&](const char* name, std::string otherwise) {
        return given.contains(name) ? given[name].back() : otherwise;
    };
    Options options;
    options.url = last("--url", "");
    options.namespace_name = last("--namespace", "");
    options.models = given["--model"];
    for (const std::string& text : given["--deployment"])
        options.deployments.push_back(parse_deployment(text));
    const std::string interval = last("--interval", "15s");
    const auto duration = wva_metrics::parse_duration(interval);
    if (!duration || *duration < std::chrono::milliseconds(100))
        throw UsageError("--interval " + interval + ": must be a duration from 100ms, e.g. 15s");
    options.interval = *duration;
    if (given.contains("--token-file"))
        options.token_file = given["--token-file"].back();
    options.ca_file = last("--ca-file", "");
    options.once = given.contains("--once");
    options.json = given.contains("--json");
    return options;
}

} // namespace prometheus_poll
