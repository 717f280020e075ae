// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/observer/log_observer.hpp"

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::test_support {

/// The lines written, e.g. "info Metrics cache disabled".
struct WrittenLog {
    std::mutex mutex;
    std::vector<std::string> lines;

    auto observer(LogLevel minimum = LogLevel::debug) {
        return LogObserver(
            [this](LogLevel level, std::string_view line) {
                const std::lock_guard lock(mutex);
                lines.push_back(std::string(to_string(level)) + ' ' + std::string(line));
            },
            minimum);
    }

    std::string last() const { return lines.empty() ? "" : lines.back(); }
};

} // namespace wva_metrics::test_support
