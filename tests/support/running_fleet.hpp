// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "child_process.hpp"
#include "http_exchange.hpp"
#include "temporary_directory.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace wva_metrics::test_support {

/// The path of vllm_fleet (environment variable WVA_METRICS_FLEET), or nothing if it is not
/// executable.
inline std::optional<std::string> find_fleet() {
    const char* path = std::getenv("WVA_METRICS_FLEET");
    if (path == nullptr || ::access(path, X_OK) != 0)
        return std::nullopt;
    return path;
}

inline constexpr const char* fleet_missing =
    "needs the simulated fleet: set WVA_METRICS_FLEET to the path of vllm_fleet";

/// A deployment of the fleet, from the fleet's own state.
struct FleetDeployment {
    VariantAutoscaling variant;
    /// The pods that are alive.
    std::vector<std::string> pods;
};

/// A model of the fleet in one namespace.
struct FleetModel {
    ModelKey key;
    std::vector<FleetDeployment> deployments;

    std::vector<VariantAutoscaling> variants() const {
        std::vector<VariantAutoscaling> all;
        for (const FleetDeployment& deployment : deployments)
            all.push_back(deployment.variant);
        return all;
    }
    std::vector<std::string> pods() const {
        std::vector<std::string> all;
        for (const FleetDeployment& deployment : deployments)
            all.insert(all.end(), deployment.pods.begin(), deployment.pods.end());
        return all;
    }
};

/// The simulated fleet on a free loopback port. Stopped by the destructor.
///
/// Not thread-safe. Failures throw std::runtime_error.
class RunningFleet {
public:
    /// `arguments`: options of vllm_fleet, without the address and the ready file.
    explicit RunningFleet(const std::string& program, const std::vector<std::string>& arguments)
        : process_(command_line(program, arguments), {log_file(), log_file()}) {
        constexpr auto patience = std::chrono::seconds(60);
        const auto give_up = std::chrono::steady_clock::now() + patience;
        while (!std::filesystem::exists(ready_file())) {
            if (process_.ended_within(std::chrono::milliseconds(20)))
                throw std::runtime_error("the fleet ended while starting:\n" + tail_of(log_file()));
            if (std::chrono::steady_clock::now() > give_up)
                throw std::runtime_error("the fleet did not become ready:\n" + tail_of(log_file()));
        }
        const std::string ready = read_file(ready_file());
        const std::string mark = "FLEET_ADDRESS=";
        const std::size_t begin = ready.find(mark) + mark.size();
        address_ = ready.substr(begin, ready.find('\n', begin) - begin);
        port_ = static_cast<std::uint16_t>(std::stoul(address_.substr(address_.rfind(':') + 1)));
    }

    /// Host and port, for a scrape configuration.
    const std::string& address() const noexcept { return address_; }

    /// Carries out a command, e.g. `{{"kill", pod}, {"keep_series", "1"}}`.
    void control(const std::vector<std::pair<std::string, std::string>>& command) const {
        std::string form;
        for (const auto& [name, value] : command)
            form += (form.empty() ? "" : "&") + name + "=" + form_encode(value);
        const HttpAnswer answer = exchange(port_, "POST", "/control", form);
        if (answer.status != 200)
            throw std::runtime_error("the fleet rejected " + form + ": " + answer.body);
    }

    /// The current models and pods. Each variant has the name of its deployment.
    std::vector<FleetModel> models() const {
        const auto text = [](const boost::json::value& value) {
            return std::string(value.as_string());
        };
        const auto state = boost::json::parse(exchange(port_, "GET", "/state").body);
        std::vector<FleetModel> models;
        for (const auto& each : state.at("models").as_array()) {
            FleetModel& model = models.emplace_back();
            model.key = {text(each.at("namespace")), text(each.at("model"))};
            for (const auto& it : each.at("deployments").as_array()) {
                FleetDeployment& deployment = model.deployments.emplace_back();
                const std::string name = text(it.at("deployment"));
                deployment.variant = {
                    model.key.namespace_name,   name,
                    model.key.model_id,         name,
                    text(it.at("accelerator")), it.at("cost").to_number<double>()};
                for (const auto& pod : it.at("pods").as_array())
                    if (pod.at("alive").as_bool())
                        deployment.pods.push_back(text(pod.at("pod")));
            }
        }
        return models;
    }

private:
    std::filesystem::path log_file() const { return directory_.path() / "fleet.log"; }
    std::filesystem::path ready_file() const { return directory_.path() / "ready"; }

    std::vector<std::string> command_line(const std::string& program,
                                          const std::vector<std::string>& arguments) const {
        std::vector<std::string> words{program, "--listen", "127.0.0.1:0", "--ready-file",
                                       ready_file().string()};
        words.insert(words.end(), arguments.begin(), arguments.end());
        return words;
    }

    TemporaryDirectory directory_;
    ChildProcess process_;
    std::string address_;
    std::uint16_t port_ = 0;
};

} // namespace wva_metrics::test_support
