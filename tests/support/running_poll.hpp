// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "child_process.hpp"
#include "running_fleet.hpp"
#include "temporary_directory.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace wva_metrics::test_support {

/// The path of the example prometheus_poll (environment variable WVA_METRICS_POLL), or nothing if
/// it is not executable.
inline std::optional<std::string> find_poll() {
    const char* path = std::getenv("WVA_METRICS_POLL");
    if (path == nullptr || ::access(path, X_OK) != 0)
        return std::nullopt;
    return path;
}

inline constexpr const char* poll_missing =
    "needs the example: set WVA_METRICS_POLL to the path of prometheus_poll";

/// The options of prometheus_poll for these models, which must be in one namespace.
inline std::vector<std::string> poll_arguments(const std::string& url,
                                               const std::vector<FleetModel>& models) {
    std::vector<std::string> arguments{"--url", url, "--namespace",
                                       models.at(0).key.namespace_name};
    for (const FleetModel& model : models) {
        arguments.insert(arguments.end(), {"--model", model.key.model_id});
        for (const FleetDeployment& deployment : model.deployments) {
            std::ostringstream text;
            text << deployment.variant.deployment << '=' << deployment.variant.name << ':'
                 << deployment.variant.accelerator << ':' << deployment.variant.cost;
            arguments.insert(arguments.end(), {"--deployment", text.str()});
        }
    }
    return arguments;
}

/// A prometheus_poll that runs until it ends by itself or is stopped. Not thread-safe.
class RunningPoll {
public:
    RunningPoll(const std::string& program, const std::vector<std::string>& arguments)
        : process_(command_line(program, arguments), {output_file(), error_file()}) {}

    /// Its output so far, one JSON value per line. Throws if a line is not JSON.
    std::vector<boost::json::value> lines() const {
        std::vector<boost::json::value> lines;
        const std::string text = output();
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos;
             begin = end + 1)
            lines.push_back(boost::json::parse(text.substr(begin, end - begin)));
        return lines;
    }
    std::string output() const { return read_file(output_file()); }
    std::string errors() const { return read_file(error_file()); }

    /// Waits until it ends by itself. Returns the exit status, or nothing after 30 s.
    std::optional<int> wait() {
        if (!process_.ended_within(std::chrono::seconds(30)))
            return std::nullopt;
        return process_.wait();
    }
    /// Ends it with SIGTERM, as a service manager does. Returns its exit status.
    int stop() { return process_.stop(std::chrono::seconds(10)); }

private:
    std::filesystem::path output_file() const { return directory_.path() / "output"; }
    std::filesystem::path error_file() const { return directory_.path() / "errors"; }

    static std::vector<std::string> command_line(const std::string& program,
                                                 const std::vector<std::string>& arguments) {
        std::vector<std::string> words{program};
        words.insert(words.end(), arguments.begin(), arguments.end());
        return words;
    }

    TemporaryDirectory directory_;
    ChildProcess process_;
};

} // namespace wva_metrics::test_support
