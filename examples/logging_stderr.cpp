// SPDX-License-Identifier: Apache-2.0
//
// Logs a collector's events to stderr, one line each with time and level. Made to be copied, with
// the folder logging/ or without it: `write_line` and the LogObserver are what you need.
#include "logging/scene.hpp"

#include <ctime>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string_view>

using namespace wva_metrics;

/// May be called from any thread: each line is written at once.
void write_line(LogLevel level, std::string_view line) {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::ostringstream text;
    text << std::put_time(&utc, "%FT%TZ ") << to_string(level) << ' ' << line << '\n';
    std::cerr << text.str();
}

int main() {
    // In production: LogLevel::info, which does not log single look-ups and fetches.
    LogObserver log(write_line, LogLevel::debug);
    boost::asio::io_context io;
    boost::asio::co_spawn(io, logging::play_scene(io.get_executor(), log), boost::asio::detached);
    io.run();
}
