// SPDX-License-Identifier: Apache-2.0
//
// Logs a collector's events through spdlog, each with its own level. It needs
// find_package(spdlog), too. To use it in your program, copy `write_line` and the LogObserver; the
// folder logging/ is only for this demo.
#include "logging/demo.hpp"

#include <spdlog/spdlog.h>

#include <iostream>
#include <string_view>

using namespace wva_metrics;

/// spdlog copies the line, so an asynchronous logger may write it later.
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

int main(int argc, char** argv) {
    if (argc > 1) {
        const bool is_help = std::string_view(argv[1]) == "--help";
        (is_help ? std::cout : std::cerr)
            << "usage: logging_spdlog\nLogs a collector's events through spdlog.\n";
        return is_help ? 0 : 2;
    }
    spdlog::set_level(spdlog::level::debug);
    // In production use LogLevel::info, which does not log every look-up and every fetch.
    LogObserver log(write_line, LogLevel::debug);
    boost::asio::io_context io;
    boost::asio::co_spawn(io, logging::run_demo(io.get_executor(), log), boost::asio::detached);
    io.run();
}
