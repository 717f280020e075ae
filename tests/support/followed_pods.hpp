// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/reflector.hpp"
#include "wva_metrics/kubernetes/reflector_handler.hpp"
#include "wva_metrics/kubernetes/resource.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// The pods that a handler has received, by name.
struct ReceivedPods {
    std::map<std::string, kubernetes::Pod> pods;
    std::size_t lists = 0;
    std::vector<std::string> problems;

    kubernetes::ReflectorHandler<kubernetes::Pod> handler() {
        kubernetes::ReflectorHandler<kubernetes::Pod> handler;
        handler.on_listed = [this](std::vector<kubernetes::Pod> listed) {
            pods.clear();
            ++lists;
            for (kubernetes::Pod& pod : listed)
                pods.insert_or_assign(pod.metadata.name, std::move(pod));
        };
        handler.on_upserted = [this](kubernetes::Pod pod) {
            pods.insert_or_assign(pod.metadata.name, std::move(pod));
        };
        handler.on_deleted = [this](const kubernetes::Pod& pod) { pods.erase(pod.metadata.name); };
        handler.on_problem = [this](const Error& error) { problems.push_back(error.describe()); };
        return handler;
    }

    std::string names() const {
        std::string all;
        for (const auto& [name, pod] : pods)
            all += (all.empty() ? "" : " ") + name;
        return all;
    }
};

/// A running reflector of the pods in one namespace.
struct FollowedPods {
    FollowedPods(boost::asio::io_context& context, const kubernetes::ClientConfig& config)
        : reflector(kubernetes::Client(context.get_executor(), config),
                    kubernetes::Selection{"llm", {}}, received.handler()) {
        reflector.start();
    }
    ReceivedPods received;
    kubernetes::Reflector<kubernetes::Pod> reflector;
};

} // namespace wva_metrics::test_support
