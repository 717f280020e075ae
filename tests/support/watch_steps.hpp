// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/detail/watch_machine.hpp"
#include "wva_metrics/kubernetes/detail/watch_step.hpp"
#include "wva_metrics/kubernetes/watch_end.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::test_support::watch {

using namespace std::chrono_literals;
using kubernetes::ClientConfig;
using kubernetes::WatchEnd;
using kubernetes::detail::WatchMachine;
using kubernetes::detail::WatchStep;
using Kind = WatchStep::Kind;

inline ClientConfig config() {
    ClientConfig config;
    config.page_size = 100;
    config.max_objects = 1000;
    config.max_list_bytes = 10'000;
    config.max_pages = 20;
    config.initial_backoff = 1s;
    config.max_backoff = 60s;
    config.min_watch_time = 1s;
    return config;
}

inline double no_jitter() {
    return 0;
}

inline Error failure(Errc code, int status = 0) {
    return Error(code, "it failed", "", status);
}
inline const Error gone = failure(Errc::rejected, 410);
inline const Error down = failure(Errc::unreachable);

/// A watch that was successful until it ended like this.
inline WatchEnd good_end(std::optional<Error> error = {}) {
    return {.lasted = 10s, .was_opened = true, .error = std::move(error)};
}
/// The server did not start a response.
inline WatchEnd refused_end(Error error) {
    return {.lasted = 10s, .was_opened = false, .error = std::move(error)};
}
/// The response started and ended at once.
inline WatchEnd short_end(std::optional<Error> error = {}) {
    return {.lasted = 999ms, .was_opened = true, .error = std::move(error)};
}

/// A machine that has listed the resource and watches from version 5.
inline WatchMachine watching(const ClientConfig& how = config()) {
    WatchMachine machine(how, no_jitter);
    machine.begin();
    machine.on_page({.objects = 1, .continue_token = "", .resource_version = "5"});
    return machine;
}

inline bool is_list_from_start(const WatchStep& step) {
    return step.kind == Kind::list && step.token.empty() && !step.is_list_complete;
}
inline bool is_watch_from(const WatchStep& step, const std::string& version) {
    return step.kind == Kind::watch && step.token == version;
}

} // namespace wva_metrics::test_support::watch
