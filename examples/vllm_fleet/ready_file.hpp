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
    static constexpr std::string_view harmless =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%";
    if (!word.empty() && word.find_first_not_of(harmless) == std::string::npos)
        return word;
    std::string result = "'";
    for (const char c : word)
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + '\'';
}

/// Options for the other examples, so that they watch the fleet's first namespace. If a name holds
/// blanks or quotes, the shell must read them by `eval`.
struct Arguments {
    std::string poll; ///< For prometheus_poll.
    std::string loop; ///< For autoscaler_loop.
};

inline Arguments arguments_for(const Fleet& fleet) {
    const std::string& name = fleet.models().front().namespace_name;
    std::string models;
    std::string deployments;
    std::string variants;
    int left = 10;
    for (const Model& model : fleet.models()) {
        if (model.namespace_name != name || left-- <= 0)
            continue;
        models += " --model " + shell_quote(model.id);
        for (const Deployment& deployment : model.deployments) {
            std::ostringstream it;
            it << deployment.name << '=' << deployment.name << ':' << deployment.accelerator.name
               << ':' << deployment.accelerator.cost;
            deployments += " --deployment " + shell_quote(it.str());
            variants += " --variant " + shell_quote(deployment.name + '=' + model.id);
        }
    }
    const std::string place = "--namespace " + shell_quote(name);
    return {place + models + deployments, place + variants};
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
    const Arguments arguments = arguments_for(fleet);
    return text + assignment("LOOP_ARGS", arguments.loop) + assignment("POLL_ARGS", arguments.poll);
}

/// Writes a temporary file and renames it, so that a waiting reader sees all of it or nothing.
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
        throw std::runtime_error("cannot write " + unfinished);
    std::filesystem::rename(unfinished, ready_file);
}

} // namespace vllm_fleet
