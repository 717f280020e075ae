// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulation.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace vllm_fleet {

/// The word, quoted for a shell if necessary.
inline std::string shell_quote(const std::string& word) {
    static constexpr std::string_view needs_no_quotes =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%";
    if (!word.empty() && word.find_first_not_of(needs_no_quotes) == std::string::npos)
        return word;
    std::string result = "'";
    for (const char c : word)
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + '\'';
}

/// Options for the other examples: the models of the fleet's first namespace. A shell must read
/// them by `eval`, because names may be quoted.
struct Arguments {
    std::string poll; ///< For prometheus_poll.
    std::string loop; ///< For autoscaler_loop.
    std::string pods; ///< For pod_scrape.
};

inline Arguments arguments_for(const Fleet& fleet, const std::string& fleet_address) {
    // These limit the length of the command line.
    constexpr int max_models = 10;
    constexpr int max_pods = 500;
    const std::string& namespace_name = fleet.models().front().namespace_name;
    std::string models;
    std::string deployments;
    std::string variants;
    std::string pods = shell_quote(namespace_name);
    int left = max_models;
    int pods_left = max_pods;
    for (const Model& model : fleet.models()) {
        if (model.namespace_name != namespace_name || left-- <= 0)
            continue;
        models += " --model " + shell_quote(model.id);
        pods += ' ' + shell_quote(model.id);
        for (const Deployment& deployment : model.deployments) {
            std::ostringstream option;
            option << deployment.name << '=' << deployment.name << ':'
                   << deployment.accelerator.name << ':' << deployment.accelerator.cost;
            deployments += " --deployment " + shell_quote(option.str());
            variants += " --variant " + shell_quote(deployment.name + '=' + model.id);
            for (const Pod& pod : deployment.pods)
                if (pods_left-- > 0)
                    pods += ' ' + shell_quote(pod.name + "=http://" + fleet_address + "/pods/" +
                                              pod.name + "/metrics");
        }
    }
    const std::string in_namespace = "--namespace " + shell_quote(namespace_name);
    return {in_namespace + models + deployments, in_namespace + variants, pods};
}

/// A shell assignment, as one line.
inline std::string assignment(const std::string& name, const std::string& value) {
    std::string text = name + "=\"";
    for (const char c : value) {
        if (c == '\\' || c == '"' || c == '$' || c == '`')
            text += '\\';
        text += c;
    }
    return text + "\"\n";
}

inline std::string ready_text(const Fleet& fleet, const std::string& fleet_address,
                              const std::string& fake_prometheus_address) {
    std::string text = "FLEET_ADDRESS=" + fleet_address + '\n';
    if (!fake_prometheus_address.empty())
        text += "FAKE_PROMETHEUS_ADDRESS=" + fake_prometheus_address + '\n';
    const Arguments arguments = arguments_for(fleet, fleet_address);
    return text + assignment("LOOP_ARGS", arguments.loop) +
           assignment("PODS_ARGS", arguments.pods) + assignment("POLL_ARGS", arguments.poll);
}

/// Writes a temporary file and renames it, so that a waiting reader never sees a part of it.
inline void announce(const std::string& ready_file, const std::string& text) {
    if (ready_file.empty()) {
        std::cout << text << std::flush;
        return;
    }
    const std::string unfinished = ready_file + ".new";
    std::ofstream file(unfinished, std::ios::binary);
    file << text;
    file.close();
    if (!file)
        throw std::runtime_error("--ready-file: cannot write " + unfinished);
    std::filesystem::rename(unfinished, ready_file);
}

} // namespace vllm_fleet
