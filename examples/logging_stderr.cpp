// SPDX-License-Identifier: Apache-2.0
//
// Logs a collector's events to stderr, one line each with time and level. To use it in
// your program, copy `write_line` and the LogObserver; the folder logging/ is only for this demo.
#include "logging/demo.hpp"

#include <ctime>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string_view>

using namespace wva_metrics;

/// Several threads may call it: each line is one write, so lines are not mixed.
void write_line(LogLevel level, std::string_view line) {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::ostringstream text;
    text << std::put_time(&utc, "%FT%TZ ") << to_string(level) << ' ' << line << '\n';
    std::cerr << text.str();
}

int main(int argc, char** argv) {
    if (argc > 1) {
        const bool is_help = std::string_view(argv[1]) == "--help";
        (is_help ? std::cout : std::cerr)
            << "usage: logging_stderr\nLogs a collector's events to stderr.\n";
        return is_help ? 0 : 2;
    }
    // In production use LogLevel::info, which does not log every look-up and every fetch.
    LogObserver log(write_line, LogLevel::debug);
    boost::asio::io_context io;
    boost::asio::co_spawn(io, logging::run_demo(io.get_executor(), log), boost::asio::detached);
    io.run();
}
