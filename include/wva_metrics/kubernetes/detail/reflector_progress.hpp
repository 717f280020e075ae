// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/detail/watch_machine.hpp"
#include "wva_metrics/kubernetes/detail/watch_step.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// The status of a reflector, updated as its runs progress. The caller locks.
class ReflectorProgress {
public:
    const ReflectorStatus& status() const noexcept { return status_; }
    bool is_running() const noexcept { return status_.running; }

    void set_running() { status_.running = true; }
    void set_stopped() {
        status_.running = false;
        status_.synced = false;
        status_.listing = false;
    }
    void set_synced() { status_.synced = true; }

    /// A new machine counts from zero; the status continues.
    void begin_run() { before_run_ = status_; }
    void on_step(const WatchMachine& machine, const WatchStep& step) {
        status_.listing = step.kind == WatchStep::Kind::list;
        status_.last_error = step.failure;
        status_.lists = before_run_.lists + machine.lists();
        status_.watches = before_run_.watches + machine.watches();
        status_.restarts = before_run_.restarts + machine.restarts();
    }

    /// The API server sent something; `unreadable` of its objects could not be read.
    void on_contact(std::size_t unreadable) {
        status_.last_contact = std::chrono::steady_clock::now();
        status_.last_error.reset();
        status_.unreadable += unreadable;
    }
    /// `warning`: see `ReflectorStatus`.
    void set_warning(std::string warning) { status_.warning = std::move(warning); }
    void on_handler_failure() { ++status_.handler_failures; }

private:
    ReflectorStatus status_;
    ReflectorStatus before_run_;
};

} // namespace wva_metrics::kubernetes::detail
