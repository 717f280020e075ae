// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

namespace bench::report {

/// The machine, the build and the date of a measurement.
struct Environment {
    std::string cpu;
    unsigned cores = 0;
    std::string compiler;
    std::string flags;
    std::string commit;
    std::string date;
    /// A note, for example how many rounds were measured.
    std::string note{};

    /// All of it in one line of text.
    std::string describe() const {
        std::string text = cpu + ", " + std::to_string(cores) + (cores == 1 ? " core" : " cores") +
                           "; " + compiler + ' ' + flags + "; commit " + commit + ", " + date;
        if (!note.empty())
            text += "; " + note;
        return text;
    }
};

namespace detail {

inline std::string variable(const char* name, std::string_view otherwise) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr || *value == '\0' ? otherwise : value);
}

/// The value of the first line "model name : ...", which Linux writes on most processors.
inline std::string model_name(std::istream& cpuinfo) {
    for (std::string line; std::getline(cpuinfo, line);)
        if (const auto colon = line.find(':');
            line.starts_with("model name") && colon != std::string::npos)
            return line.substr(std::min(line.size(), colon + 2));
    return "unknown processor";
}

} // namespace detail

/// This machine, now. Compiler and flags come from the build (`BENCHMARK_COMPILER`,
/// `BENCHMARK_FLAGS`), commit and note from the environment variables `BENCHMARK_COMMIT` and
/// `BENCHMARK_NOTE`.
inline Environment environment_here(std::string_view compiler, std::string_view flags) {
    std::ifstream cpuinfo("/proc/cpuinfo");
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc{};
    gmtime_r(&now, &utc);
    char date[16];
    std::strftime(date, sizeof date, "%Y-%m-%d", &utc);
    return {detail::model_name(cpuinfo),
            std::thread::hardware_concurrency(),
            std::string(compiler),
            std::string(flags),
            detail::variable("BENCHMARK_COMMIT", "unknown"),
            date,
            detail::variable("BENCHMARK_NOTE", "")};
}

} // namespace bench::report
