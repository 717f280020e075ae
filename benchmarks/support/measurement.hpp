// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

/// Common parts of all benchmarks: their options and the output of their results.
///
/// Each measurement is a line of JSON on stdout, which `report` combines: `{"path":"cache read in
/// place","work":"10 000 keys, 1 thread","who":"ours","unit":"Mops/s",
/// "better":"more","value":29.8}`. A program measures everything once per run; repetitions are
/// further runs, so that a busy moment of the machine affects all programs alike. Programs in other
/// languages (`benchmarks/peers/`) write the same lines.
namespace bench {

/// The options of every benchmark.
struct Options {
    /// Runs every part once, as small as possible. For the tests, which only check that it works.
    bool smoke = false;
    /// Runs shorter, at some loss of precision.
    bool quick = false;

    /// Chooses one of three values, by these options.
    template <typename T>
    T pick(T full, T when_quick, T when_smoke) const {
        return smoke ? when_smoke : quick ? when_quick : full;
    }
};

/// Ends the program if `holds` is false, because a benchmark that did not do its work measures
/// nothing. `what` is the problem.
inline void require(bool holds, std::string_view what) {
    if (holds)
        return;
    std::fprintf(stderr, "the benchmark is broken: %.*s\n", static_cast<int>(what.size()),
                 what.data());
    std::exit(1);
}

/// What `--help` prints.
struct Help {
    /// What the program measures.
    std::string_view about;
    /// Its own options, a line each.
    std::string_view own_options{};
};

inline void print_help(const std::string& program, const Help& help) {
    std::cout
        << "usage: " << program << " [option]...\n\n"
        << help.about << "\n\nOptions:\n"
        << help.own_options
        << "  --quick  measures for a shorter time, so the results are less precise\n"
           "  --smoke  does everything once, as small as possible: a test, not a measurement\n"
           "  --help   prints this text\n\n"
           "Each result is a line of JSON. sh benchmarks/run.sh "
        << program << " makes a table of them.\n";
}

/// Takes `--smoke` and `--quick`; calls `other(option)` for any other argument, which returns
/// whether it is known. Ends the program with status 0 after `--help`, with status 2 if an argument
/// is not known.
template <typename Other>
Options parse_options(int count, char** arguments, const Help& help, Other other) {
    const std::string_view path = arguments[0];
    const std::string program(path.substr(path.rfind('/') + 1));
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string_view argument = arguments[i];
        if (argument == "--smoke")
            options.smoke = true;
        else if (argument == "--quick")
            options.quick = true;
        else if (argument == "--help") {
            print_help(program, help);
            std::exit(0);
        } else if (!other(argument)) {
            std::fprintf(stderr, "%s: unknown option '%s'; %s --help lists the options\n",
                         program.c_str(), arguments[i], program.c_str());
            std::exit(2);
        }
    }
    return options;
}
inline Options parse_options(int count, char** arguments, const Help& help) {
    return parse_options(count, arguments, help, [](std::string_view) { return false; });
}

/// Whether more is better (operations per second) or less (bytes).
enum class Better { more, less };

/// One line of the table: the same work done by the library and by its peers, in one unit.
class Row {
public:
    /// `path` is the measured operation, `work` its input.
    Row(std::string path, std::string work, std::string unit, Better better)
        : path_(std::move(path)), work_(std::move(work)), unit_(std::move(unit)), better_(better) {}

    /// The value that the library reached.
    void ours(double value) const { put("ours", "value", value); }
    /// The value that a peer reached, and the target: how many times better than the peer the
    /// library is to be at least (0: no target). For `Better::less`, "times better" is theirs / ours.
    void peer(std::string_view who, double value, double at_least = 0) const {
        put(who, "value", value);
        if (at_least > 0)
            put(who, "at_least", at_least);
    }
    /// The target alone, if a program in another language measures the peer.
    void target_over(std::string_view who, double at_least) const {
        put(who, "at_least", at_least);
    }
    ///@{
    /// A target in the row's own unit, if there is no peer.
    void target_at_most(double value) const { put("ours", "at_most", value); }
    void target_at_least(double value) const { put("ours", "at_least", value); }
    ///@}

private:
    void put(std::string_view who, const char* kind, double value) const {
        std::printf(R"({"path":"%s","work":"%s","who":"%.*s","unit":"%s","better":"%s","%s":%.9g})"
                    "\n",
                    path_.c_str(), work_.c_str(), static_cast<int>(who.size()), who.data(),
                    unit_.c_str(), better_ == Better::more ? "more" : "less", kind, value);
        std::fflush(stdout);
    }

    std::string path_;
    std::string work_;
    std::string unit_;
    Better better_;
};

/// Seconds of a steady clock.
inline double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// CPU seconds of this process so far, of all its threads, in user and kernel mode.
inline double cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// The same of this thread alone, for example without a server that runs in another one.
inline double thread_cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Keeps the compiler from removing the computation of `value`.
template <typename T>
inline void keep(const T& value) {
    asm volatile("" : : "r,m"(value) : "memory");
}

/// A number with its digits in groups of three, for a row's `work`: 10000 is "10 000".
inline std::string grouped(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0)
            text += ' ';
        text += digits[i];
    }
    return text;
}

} // namespace bench
