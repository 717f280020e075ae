// SPDX-License-Identifier: Apache-2.0
//
// Logs a collector's events through spdlog, level by level. It also needs find_package(spdlog).
// Made to be copied, with the folder logging/ or without it: `write_line` and the LogObserver are
// what you need.
#include "logging/scene.hpp"

#include <spdlog/spdlog.h>

#include <string_view>

using namespace wva_metrics;

/// Passes a copy of the line, so that asynchronous loggers work, too.
void write_line(LogLevel level, std::string_view line) {
    switch (level) {
    case LogLevel::debug:
        return spdlog::debug("{}", line);
    case LogLevel::info:
        return spdlog::info("{}", line);
    case LogLevel::warning:
        return spdlog::warn("{}", line);
    case LogLevel::error:
        return spdlog::error("{}", line);
    }
}

int main() {
    spdlog::set_level(spdlog::level::debug);
    // In production: LogLevel::info, which does not log single look-ups and fetches.
    LogObserver log(write_line, LogLevel::debug);
    boost::asio::io_context io;
    boost::asio::co_spawn(io, logging::play_scene(io.get_executor(), log), boost::asio::detached);
    io.run();
}
